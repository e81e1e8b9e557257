//! Snapshots of honest work.

use std::os::unix::fs::{PermissionsExt, symlink};

use divisi_core::TaskNo;
use divisi_engine::files::{Entry, Files};
use divisi_engine::workspace::CollectOptions;

use crate::project::{OPTIONS, Project, RUN, base, collect, list, text, write};

#[test]
fn a_snapshot_has_every_change_and_is_the_same_again() {
    let project = Project::git(&[("a", "1"), ("b", "2"), ("dir/c", "3")]);
    let (pool, workspace) = project.worktree();
    let path = &workspace.path;
    write(path.join("a"), "changed");
    std::fs::remove_file(path.join("b")).unwrap();
    write(path.join("dir/new"), "4");
    std::fs::set_permissions(path.join("dir/c"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("dir/c", path.join("link")).unwrap();
    let collected = collect(&pool, &workspace);
    assert_eq!(collected.changed, ["a", "b", "dir/c", "dir/new", "link"]);
    assert_eq!(collected.snapshot.base, workspace.base);
    assert_eq!(collect(&pool, &workspace), collected);

    let repo = pool.repo();
    let base = repo.tree_of(&workspace.base).unwrap();
    let files = repo.files(&collected.snapshot.tree, Some(&base)).unwrap();
    assert_eq!(files.list().unwrap(), ["a", "dir/c", "dir/new"]);
    assert_eq!(files.changed().unwrap(), Some(collected.changed));
    let entry = |path: &str| files.entry(path).unwrap();
    assert_eq!(
        entry("a"),
        Entry::File {
            bytes: 7,
            executable: false
        }
    );
    assert_eq!(
        entry("dir/c"),
        Entry::File {
            bytes: 1,
            executable: true
        }
    );
    assert_eq!(entry("./dir//c"), entry("dir/c"));
    assert_eq!(entry("dir"), Entry::Folder);
    assert_eq!(entry("link"), Entry::Link);
    assert_eq!(entry("link/x"), Entry::Link);
    assert_eq!(entry("b"), Entry::Missing);
    assert_eq!(entry("a/x"), Entry::Missing);
    assert_eq!(files.read("a", 3).unwrap(), b"cha");
    for refused in ["../a", "/a", "", ".git/config", "x\0"] {
        let error = files.entry(refused).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{refused}");
    }
    assert!(files.read("link", 9).is_err());
}

#[test]
fn nothing_changed_is_the_base_itself() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    let collected = collect(&pool, &workspace);
    assert_eq!(collected.snapshot.commit, workspace.base);
    assert_eq!(collected.changed, [""; 0]);
}

#[test]
fn the_agents_own_commits_and_index_change_nothing() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    let git = |args: &[&str]| crate::project::git(&workspace.path, args);
    write(workspace.path.join("a"), "2");
    git(&["commit", "--quiet", "--all", "--message=x"]);
    git(&["update-index", "--assume-unchanged", "a"]);
    write(workspace.path.join("a"), "3");
    let collected = collect(&pool, &workspace);
    assert_eq!(text(pool.repo(), &collected.snapshot.commit, "a"), "3");
    std::fs::remove_dir_all(workspace.path.join(".git")).unwrap();
    assert_eq!(collect(&pool, &workspace), collected);
}

#[test]
fn promised_files_are_taken_even_if_ignored_and_have_digests() {
    let project = Project::git(&[(".gitignore", "build/\n*.log\n"), ("a", "1")]);
    let (pool, workspace) = project.worktree();
    write(workspace.path.join("build/report.md"), "report");
    write(workspace.path.join("build/junk"), "x");
    write(workspace.path.join("docs/one.md"), "1");
    write(workspace.path.join("docs/two.md"), "2");
    write(workspace.path.join("x.log"), "x");
    let deliverables = [
        "./build/report.md".to_owned(),
        "docs".to_owned(),
        "missing".to_owned(),
    ];
    let options = CollectOptions {
        deliverables: &deliverables,
        ..OPTIONS
    };
    let collected = pool.collect(&workspace, &options).unwrap();
    assert_eq!(
        collected.changed,
        ["build/report.md", "docs/one.md", "docs/two.md"]
    );
    let artifacts = &collected.artifacts;
    let paths: Vec<&str> = artifacts
        .iter()
        .map(|artifact| artifact.path.as_str())
        .collect();
    assert_eq!(paths, ["build/report.md", "docs/one.md", "docs/two.md"]);
    assert_eq!(artifacts[0].bytes, 6);
    assert_eq!(
        artifacts[0].digest.as_str(),
        blake3::hash(b"report").to_hex().as_str()
    );
}

#[test]
fn a_scratch_workspace_gives_its_deliverables_and_no_more() {
    let project = Project::git(&[
        ("a", "1"),
        ("docs/old.md", "old"),
        (".gitignore", "new.md\none.md\n"),
    ]);
    let pool = project.pool();
    let base = base(&pool).commit;
    let workspace = pool.scratch(RUN, TaskNo(1), 1, &base).unwrap();
    assert_eq!(crate::project::entries(&workspace.path), [""; 0]);
    write(workspace.path.join("docs/new.md"), "new");
    write(workspace.path.join("one.md"), "1");
    write(workspace.path.join("notes"), "not promised");
    let deliverables = ["docs".to_owned(), "one.md".to_owned()];
    let options = CollectOptions {
        deliverables: &deliverables,
        ..OPTIONS
    };
    let collected = pool.collect(&workspace, &options).unwrap();
    assert_eq!(collected.changed, ["docs/new.md", "one.md"]);
    assert_eq!(
        list(pool.repo(), &collected.snapshot.commit),
        [".gitignore", "a", "docs/new.md", "docs/old.md", "one.md"]
    );
    assert_eq!(pool.collect(&workspace, &options).unwrap(), collected);
}

#[test]
fn a_lost_private_index_costs_nothing() {
    let project = Project::git(&[("a", "1"), ("b", "2")]);
    let (pool, workspace) = project.worktree();
    write(workspace.path.join("a"), "2");
    let collected = collect(&pool, &workspace);
    for slot in std::fs::read_dir(project.file(".divisi/pool")).unwrap() {
        let index = slot.unwrap().path().join("index");
        if index.exists() {
            std::fs::write(index, "DIRC torn").unwrap();
        }
    }
    assert_eq!(collect(&pool, &workspace), collected);
}
