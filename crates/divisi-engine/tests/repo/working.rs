//! The working tree as it stands, for whoever only looks.

use divisi_engine::files::{Entry, Files as _};
use divisi_engine::repo::{Listed, WorkingTree};

use crate::project::{Project, git, write};

#[test]
fn files_are_those_that_git_would_take_and_changes_those_since_the_last_commit() {
    let project = Project::git(&[("a.md", "1\n"), ("b.md", "1\n"), (".gitignore", "out/\n")]);
    let root = project.path();
    write(root.join("b.md"), "2\n");
    write(root.join("new/c.md"), "1\n");
    write(root.join("out/made"), "1\n");
    write(root.join(".divisi/x"), "1\n");
    std::os::unix::fs::symlink("a.md", root.join("link")).unwrap();
    git(root, &["rm", "-q", "a.md"]);
    let mut tree = WorkingTree::open(root).unwrap();
    assert_eq!(tree.list().unwrap(), [".gitignore", "b.md", "new/c.md"]);
    assert_eq!(
        tree.changed().unwrap().unwrap(),
        ["a.md", "b.md", "link", "new/c.md"]
    );
    assert_eq!(Listed::look(root).unwrap().files, tree.list().unwrap());
    assert_eq!(tree.read("b.md", 9).unwrap(), b"2\n");
    assert_eq!(tree.entry("link").unwrap(), Entry::Link);
    tree.leave_out(&root.join("new")).unwrap();
    assert_eq!(tree.list().unwrap(), [".gitignore", "b.md"]);
    assert_eq!(tree.changed().unwrap().unwrap(), ["a.md", "b.md", "link"]);
    assert!(!root.join(".divisi/repo.git").exists(), "nothing is made");
}

#[test]
fn a_folder_without_git_is_all_of_it_and_nothing_starts_a_program_of_the_repository() {
    let folder = Project::folder(&[("a.md", "1\n"), (".divisi/x", "1\n")]);
    let tree = WorkingTree::open(folder.path()).unwrap();
    assert_eq!(tree.list().unwrap(), ["a.md"]);
    assert_eq!(tree.changed().unwrap(), None);

    let hostile = Project::git(&[("a.md", "1\n"), (".gitattributes", "* filter=evil\n")]);
    let root = hostile.path();
    let mark = root.join(".git/started");
    let evil = format!("touch {}; cat", mark.display());
    git(root, &["config", "filter.evil.clean", &evil]);
    git(root, &["config", "core.fsmonitor", &evil]);
    write(root.join("a.md"), "2\n");
    let tree = WorkingTree::open(root).unwrap();
    assert_eq!(tree.changed().unwrap().unwrap(), ["a.md"]);
    assert!(!mark.exists());
}
