//! What workspaces are given beside their tree, from the user's own folder.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use divisi_core::TaskNo;
use divisi_engine::repo::Fault;
use divisi_engine::workspace::{Chosen, Given, Pool, Provision, Workspace};

use crate::hostile::fifo;
use crate::project::{OPTIONS, Project, RUN, base, collect, entries, git, write};

fn chosen(patterns: &[&str]) -> Chosen {
    let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
    Chosen::new(&patterns).unwrap()
}

/// A worktree of this task with what patterns choose, and what was left out.
fn given(pool: &Pool, task: u32, patterns: &[&str], secrets: &[&str]) -> (Workspace, Vec<String>) {
    try_given(pool, task, patterns, secrets).unwrap()
}

fn try_given(
    pool: &Pool,
    task: u32,
    patterns: &[&str],
    secrets: &[&str],
) -> Result<(Workspace, Vec<String>), Fault> {
    let chosen = chosen(patterns);
    let secrets: Vec<String> = secrets.iter().map(|&text| text.to_owned()).collect();
    let given = Given {
        provision: Provision::Chosen(&chosen),
        secrets: &secrets,
    };
    pool.worktree_with(RUN, TaskNo(task), 1, &base(pool).commit, given)
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn what_patterns_choose_is_there_and_is_nobodys_work() {
    let files = [
        (".gitignore", "node_modules/\nbuild\n"),
        ("src/a", "1"),
        ("build-it", "#!/bin/sh\n"),
    ];
    let project = Project::git(&files);
    write(project.file("node_modules/one/index.js"), "one");
    write(project.file("node_modules/one/run.sh"), "#!/bin/sh\n");
    let run = project.file("node_modules/one/run.sh");
    std::fs::set_permissions(&run, PermissionsExt::from_mode(0o755)).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = std::fs::File::options().write(true).open(&run).unwrap();
    file.set_modified(old).unwrap();
    std::fs::create_dir(project.file("node_modules/.bin")).unwrap();
    symlink("../one/run.sh", project.file("node_modules/.bin/run")).unwrap();
    write(project.file("src/a.local"), "mine");
    write(project.file("src/b"), "not asked for");
    write(project.file("build/out"), "not asked for");

    let pool = project.pool();
    let (workspace, left_out) = given(&pool, 1, &["node_modules/**", "src/*.local"], &[]);
    assert_eq!(left_out, [""; 0]);
    let at = |path: &str| workspace.path.join(path);
    assert_eq!(
        entries(&workspace.path),
        [".gitignore", "build-it", "node_modules", "src"]
    );
    assert_eq!(entries(&at("src")), ["a", "a.local"]);
    assert_eq!(text(at("node_modules/one/index.js")), "one");
    assert_eq!(text(at("node_modules/.bin/run")), "#!/bin/sh\n");
    let copy = std::fs::metadata(at("node_modules/one/run.sh")).unwrap();
    assert_eq!(copy.permissions().mode() & 0o777, 0o755);
    assert_eq!(copy.modified().unwrap(), old, "or everything is built anew");
    assert_eq!(git(&workspace.path, &["status", "--porcelain"]), "");

    // Neither the given files nor changes to them are collected; the agent's own files beside
    // them are.
    write(at("src/a.local"), "changed");
    write(at("node_modules/one/index.js"), "changed");
    assert_eq!(collect(&pool, &workspace).changed, [""; 0]);
    write(at("src/b.local"), "the agent's");
    write(at("src/a"), "2");
    assert_eq!(collect(&pool, &workspace).changed, ["src/a", "src/b.local"]);
    assert_eq!(text(project.file("src/a.local")), "mine");

    // The folder's next user finds nothing of it.
    pool.release(&workspace).unwrap();
    let next = pool.worktree(RUN, TaskNo(2), 1, &workspace.base).unwrap();
    assert_eq!(entries(&next.path), [".gitignore", "build-it", "src"]);
    assert_eq!(entries(&next.path.join("src")), ["a"]);
    write(next.path.join("src/a.local"), "the agent's");
    assert_eq!(collect(&pool, &next).changed, ["src/a.local"]);
}

#[test]
fn a_folder_is_chosen_with_all_that_is_in_it_and_patterns_stay_within_theirs() {
    let project = Project::git(&[("a", "1")]);
    for path in [
        "deps/x/deep/er",
        "one/target/x",
        "two/three/target/y",
        "two/x",
    ] {
        write(project.file(path), "");
    }
    git(project.path(), &["init", "--quiet", "deps/nested"]);
    let pool = project.pool();
    let (workspace, _) = given(&pool, 1, &["deps"], &[]);
    assert_eq!(entries(&workspace.path), ["a", "deps"]);
    assert!(workspace.path.join("deps/x/deep/er").exists());
    assert!(!workspace.path.join("deps/nested/.git").exists());
    let (workspace, _) = given(&pool, 2, &["*/target"], &[]);
    assert_eq!(entries(&workspace.path), ["a", "one"]);
    let (workspace, _) = given(&pool, 3, &["**/target"], &[]);
    assert_eq!(entries(&workspace.path), ["a", "one", "two"]);
    assert_eq!(entries(&workspace.path.join("two")), ["three"]);
    let (workspace, _) = given(&pool, 4, &["**"], &[]);
    assert_eq!(entries(&workspace.path), ["a", "deps", "one", "two"]);
}

#[test]
fn what_cannot_be_given_is_left_out_with_the_reason() {
    let project = Project::git(&[("a", "1"), (".gitignore", "in/\n.env*\n")]);
    let outside = tempfile::tempdir().unwrap();
    write(outside.path().join("precious"), "x");
    write(project.file("in/fine"), "x");
    symlink(outside.path(), project.file("in/out")).unwrap();
    symlink("/etc/passwd", project.file("in/passwd")).unwrap();
    fifo(&project.file("in/.gitignore"));
    let giant = std::fs::File::create(project.file("in/giant")).unwrap();
    giant.set_len(1 << 40).unwrap();
    write(project.file("in/token"), "say hunter2hunter2");
    write(project.file("in/hunter2hunter2"), "");
    write(
        project.file(".env"),
        "LOG=debug\nexport API_KEY=\"abcdefgh\"\n",
    );
    write(project.file(".env.local"), "LOG=debugdebug\n");
    let patterns = ["in/**", ".env*", "nowhere/*.md"];
    let pool = project.pool();
    let (workspace, mut left_out) = given(&pool, 1, &patterns, &["hunter2hunter2"]);
    left_out.sort();
    assert_eq!(
        left_out,
        [
            ".env: it sets API_KEY, which looks like a secret; `--pass-env API_KEY` gives it",
            "in/**************: its name holds the value of a secret",
            "in/.gitignore: it is no file, folder or link",
            "in/giant: 1099511627776 bytes, at most 1073741824",
            "in/out: it is a link that leads elsewhere",
            "in/passwd: it is a link that leads elsewhere",
            "in/token: it holds the value of a secret",
            "nowhere/*.md: nothing matches",
        ]
    );
    assert_eq!(entries(&workspace.path.join("in")), ["fine"]);
    assert_eq!(
        entries(&workspace.path),
        [".env.local", ".gitignore", "a", "in"]
    );
    assert_eq!(collect(&pool, &workspace).changed, [""; 0]);
}

#[test]
fn what_the_tree_has_is_neither_overwritten_nor_walked_through() {
    let project = Project::git(&[("dir/a", "of the tree"), ("file", "of the tree")]);
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), project.file("link")).unwrap();
    project.run_git(&["add", "--all"]);
    project.run_git(&["commit", "--quiet", "--message=link"]);
    // In the user's folder there is something else now.
    write(project.file("dir/a"), "of the user");
    write(project.file("dir/b"), "of the user");
    std::fs::remove_file(project.file("link")).unwrap();
    write(project.file("link/planted"), "x");
    std::fs::remove_file(project.file("file")).unwrap();
    write(project.file("file/planted"), "x");
    let pool = project.pool();
    let (workspace, _) = given(&pool, 1, &["dir/*", "link", "file/**"], &[]);
    assert_eq!(text(workspace.path.join("dir/a")), "of the tree");
    assert_eq!(text(workspace.path.join("dir/b")), "of the user");
    assert_eq!(text(workspace.path.join("file")), "of the tree");
    assert_eq!(entries(outside.path()), [""; 0]);
    assert_eq!(collect(&pool, &workspace).changed, [""; 0]);
}

#[test]
fn names_that_git_would_read_as_patterns_are_ignored_to_the_letter() {
    let project = Project::git(&[("a", "1")]);
    let names = ["#x", "!x", "sp ace ", "st*r", "[ab]", "back\\slash", "ä"];
    for name in names {
        write(project.file(&format!("in/{name}")), "");
    }
    let pool = project.pool();
    let (workspace, left_out) = given(&pool, 1, &["in/*"], &[]);
    assert_eq!(left_out, [""; 0]);
    assert_eq!(entries(&workspace.path.join("in")).len(), names.len());
    assert_eq!(collect(&pool, &workspace).changed, [""; 0]);
    for name in ["in/star", "in/a", "in/stir"] {
        write(workspace.path.join(name), "the agent's");
    }
    assert_eq!(
        collect(&pool, &workspace).changed,
        ["in/a", "in/star", "in/stir"]
    );
}

#[test]
fn more_than_git_could_be_told_to_ignore_is_refused() {
    let project = Project::git(&[("a", "1")]);
    for at in 0..1_001 {
        write(project.file(&format!("in/{at}")), "");
    }
    let pool = project.pool();
    let refused = try_given(&pool, 1, &["in/**"], &[]).unwrap_err();
    assert!(matches!(refused, Fault::TooMuch { .. }), "{refused}");
    // Nobody ever works in what was half prepared.
    let workspace = pool
        .worktree(RUN, TaskNo(1), 1, &base(&pool).commit)
        .unwrap();
    assert_eq!(entries(&workspace.path), ["a"]);
    write(project.file(".git/info/exclude"), "in\n");
    assert!(try_given(&pool, 2, &["in/**"], &[]).is_ok());
}

#[test]
fn promised_files_are_taken_though_given_ones_lie_beside_them() {
    let project = Project::git(&[("a", "1"), (".gitignore", "dist/\n")]);
    write(project.file("dist/old"), "x");
    let pool = project.pool();
    let (workspace, _) = given(&pool, 1, &["dist/old"], &[]);
    write(workspace.path.join("dist/app"), "made");
    let promised = ["dist/app".to_owned()];
    let options = divisi_engine::workspace::CollectOptions {
        deliverables: &promised,
        ..OPTIONS
    };
    assert_eq!(
        pool.collect(&workspace, &options).unwrap().changed,
        ["dist/app"]
    );
}

#[test]
fn a_folder_without_git_gives_what_its_gitignore_names() {
    let project = Project::folder(&[("a", "1"), (".gitignore", "deps\n"), ("deps/x", "1")]);
    let pool = project.pool();
    let (workspace, _) = given(&pool, 1, &["deps"], &[]);
    assert_eq!(entries(&workspace.path), [".gitignore", "a", "deps"]);
    write(workspace.path.join("b"), "2");
    assert_eq!(collect(&pool, &workspace).changed, ["b"]);
}
