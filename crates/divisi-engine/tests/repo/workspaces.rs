//! Preparing, reusing, keeping and letting go.

use std::os::unix::fs::{PermissionsExt, symlink};

use divisi_core::{TaskNo, Tree, WorkspaceKind};
use divisi_engine::files::Files;
use divisi_engine::repo::{Fault, Ground};
use divisi_engine::workspace::{GcAction, Given, Proof, SuccessorFrom};

use crate::project::{OPTIONS, Project, RUN, base, collect, entries, git, list, text, write};

#[test]
fn a_worktree_holds_the_base_and_a_git_of_its_own() {
    let project = Project::git(&[("a", "1"), ("sub/b", "2")]);
    let (_pool, workspace) = project.worktree();
    assert_eq!(workspace.name, "run-1-t1-1");
    assert_eq!(entries(&workspace.path), ["a", "sub"]);
    // The agent's git works, and knows nothing of the user's repository or the private one.
    assert_eq!(git(&workspace.path, &["status", "--porcelain"]), "");
    assert_eq!(
        git(&workspace.path, &["rev-parse", "HEAD"]),
        workspace.base.as_str()
    );
    assert_eq!(git(&workspace.path, &["log", "--format=%s"]), "first");
    write(workspace.path.join("a"), "changed");
    git(
        &workspace.path,
        &["commit", "--quiet", "--all", "--message=own"],
    );
    assert_eq!(
        project.run_git(&["rev-parse", "HEAD"]),
        workspace.base.as_str()
    );
    assert_eq!(project.run_git(&["status", "--porcelain"]), "");
}

#[test]
fn preparing_again_keeps_what_an_attempt_left() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    write(workspace.path.join("half"), "done");
    let again = pool.worktree(RUN, TaskNo(1), 1, &workspace.base).unwrap();
    assert_eq!(again, workspace);
    assert_eq!(entries(&again.path), ["a", "half"]);
    // The same after a restart of the engine.
    drop(pool);
    let pool = project.pool();
    let again = pool.worktree(RUN, TaskNo(1), 1, &workspace.base).unwrap();
    assert_eq!(again, workspace);
    assert_eq!(entries(&again.path), ["a", "half"]);
}

#[test]
fn a_new_base_resets_only_what_was_collected() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    let other = pool.worktree(RUN, TaskNo(2), 1, &workspace.base).unwrap();
    write(other.path.join("b"), "2");
    let onto = collect(&pool, &other).snapshot.commit;

    write(workspace.path.join("mine"), "precious");
    let held = pool.worktree(RUN, TaskNo(1), 1, &onto).unwrap_err();
    assert!(matches!(held, Fault::WorkspaceHeld { .. }), "{held}");
    assert_eq!(entries(&workspace.path), ["a", "mine"]);

    let snapshot = collect(&pool, &workspace).snapshot;
    assert_eq!(list(pool.repo(), &snapshot.commit), ["a", "mine"]);
    let rebased = pool.worktree(RUN, TaskNo(1), 1, &onto).unwrap();
    assert_eq!(rebased.base, onto);
    assert_eq!(entries(&rebased.path), ["a", "b"]);
    assert_eq!(text(pool.repo(), &snapshot.commit, "mine"), "precious");
}

#[test]
fn what_a_later_attempt_adds_to_a_snapshot_is_held_too() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    write(workspace.path.join("half"), "1");
    collect(&pool, &workspace);
    let again = pool.worktree(RUN, TaskNo(1), 1, &workspace.base).unwrap();
    write(again.path.join("half"), "2");
    let other = pool.worktree(RUN, TaskNo(2), 1, &workspace.base).unwrap();
    write(other.path.join("b"), "2");
    let onto = collect(&pool, &other).snapshot.commit;
    let held = pool.worktree(RUN, TaskNo(1), 1, &onto).unwrap_err();
    assert!(matches!(held, Fault::WorkspaceHeld { .. }), "{held}");
}

#[test]
fn a_reused_folder_holds_nothing_of_its_past() {
    let project = Project::git(&[("a", "1"), ("dir/b", "2"), (".gitignore", "ignored\n")]);
    let (pool, workspace) = project.worktree();
    let path = &workspace.path;
    let outside = tempfile::tempdir().unwrap();
    write(outside.path().join("precious"), "x");
    write(path.join("new/file"), "x");
    write(path.join("ignored"), "x");
    git(path, &["init", "--quiet", "nested"]);
    write(path.join("nested/x"), "x");
    std::fs::remove_file(path.join("a")).unwrap();
    std::fs::create_dir(path.join("a")).unwrap();
    write(path.join("a/inner"), "x");
    std::fs::remove_dir_all(path.join("dir")).unwrap();
    symlink(outside.path(), path.join("dir")).unwrap();
    write(path.join("locked/file"), "x");
    std::fs::set_permissions(path.join("locked"), PermissionsExt::from_mode(0o000)).unwrap();
    git(path, &["config", "core.hooksPath", "/tmp"]);
    pool.release(&workspace).unwrap();
    assert!(!path.exists());

    let next = pool.worktree(RUN, TaskNo(2), 1, &workspace.base).unwrap();
    assert_eq!(entries(&next.path), [".gitignore", "a", "dir"]);
    assert_eq!(entries(&next.path.join("dir")), ["b"]);
    assert_eq!(std::fs::read_to_string(next.path.join("a")).unwrap(), "1");
    assert_eq!(git(&next.path, &["status", "--porcelain"]), "");
    assert!(
        !std::fs::read_to_string(next.path.join(".git/config"))
            .unwrap()
            .contains("hooks")
    );
    assert_eq!(entries(outside.path()), ["precious"]);
    // It is the same folder, by another name.
    assert_eq!(entries(&project.file(".divisi/worktrees")), ["run-1-t2-1"]);
}

#[test]
fn a_file_changed_behind_an_old_time_is_reset_too() {
    let project = Project::git(&[("a", "one")]);
    let (pool, workspace) = project.worktree();
    let file = workspace.path.join("a");
    let before = std::fs::metadata(&file).unwrap().modified().unwrap();
    std::fs::write(&file, "two").unwrap();
    let open = std::fs::File::options().write(true).open(&file).unwrap();
    open.set_modified(before).unwrap();
    assert_eq!(collect(&pool, &workspace).changed, ["a"]);
    pool.release(&workspace).unwrap();
    let next = pool.worktree(RUN, TaskNo(2), 1, &workspace.base).unwrap();
    assert_eq!(std::fs::read_to_string(next.path.join("a")).unwrap(), "one");
}

#[test]
fn shared_workspaces_are_one_for_each_commit() {
    let project = Project::git(&[("a", "1")]);
    let pool = project.pool();
    let commit = base(&pool).commit;
    let one = pool.shared(RUN, &commit).unwrap();
    assert_eq!(pool.shared(RUN, &commit).unwrap(), one);
    assert_eq!(entries(&one.path), ["a"]);
    assert_eq!(collect(&pool, &one).snapshot.commit, commit);
    drop(pool);
    assert_eq!(project.pool().shared(RUN, &commit).unwrap(), one);
}

#[test]
fn a_successor_works_in_the_same_place_only_if_nobody_else_does() {
    let project = Project::git(&[("a", "1")]);
    let (pool, lost) = project.worktree();
    write(lost.path.join("half"), "done");
    let same = pool
        .successor(&lost, lost.number, &OPTIONS, Given::NOTHING)
        .unwrap();
    assert_eq!(
        (same.workspace, same.from),
        (lost.clone(), SuccessorFrom::Same)
    );

    let next = pool
        .successor(&lost, lost.number + 2, &OPTIONS, Given::NOTHING)
        .unwrap();
    assert!(matches!(next.from, SuccessorFrom::Snapshot(_)));
    assert_eq!(next.workspace.name, "run-1-t1-3");
    assert_eq!(next.workspace.base, lost.base);
    assert_eq!(entries(&next.workspace.path), ["a", "half"]);
    // What the lost one still writes stays in its own folder.
    write(lost.path.join("late"), "x");
    assert_eq!(collect(&pool, &next.workspace).changed, ["half"]);

    write(lost.path.join("link"), "");
    std::fs::remove_file(lost.path.join("link")).unwrap();
    symlink("/etc/passwd", lost.path.join("link")).unwrap();
    pool.release(&next.workspace).unwrap();
    let next = pool
        .successor(&lost, lost.number + 2, &OPTIONS, Given::NOTHING)
        .unwrap();
    assert!(
        matches!(next.from, SuccessorFrom::Base(_)),
        "{:?}",
        next.from
    );
    assert_eq!(entries(&next.workspace.path), ["a"]);
}

#[test]
fn a_part_begins_with_its_files_of_the_whole_and_no_others() {
    let files = [
        ("a", "1"),
        ("b", "1"),
        ("both", "1"),
        ("gone", "1"),
        ("moved", "1"),
    ];
    let project = Project::git(&files);
    let (pool, whole) = project.worktree();
    for (path, text) in [
        ("a", "2"),
        ("b", "2"),
        ("both", "whole"),
        ("new/file", "x"),
        ("moved", "2"),
    ] {
        write(whole.path.join(path), text);
    }
    std::fs::remove_file(whole.path.join("gone")).unwrap();
    let snapshot = collect(&pool, &whole).snapshot;
    // Meanwhile others changed a file, and put files where one of its files and a folder would be.
    let other = pool.worktree(RUN, TaskNo(7), 1, &whole.base).unwrap();
    write(other.path.join("both"), "other");
    write(other.path.join("new"), "a file");
    std::fs::remove_file(other.path.join("moved")).unwrap();
    write(other.path.join("moved/beneath"), "x");
    let head = collect(&pool, &other).snapshot;
    let repo = pool.repo();
    let carried = |ground, takes: &dyn Fn(&str) -> bool| {
        repo.carried(&snapshot, &head.tree, ground, takes).unwrap()
    };
    let part = |path: &str| path != "b";
    let tree = carried(Ground::Head, &part).unwrap();
    let kind = WorkspaceKind::Worktree;
    let begun = |task, kind, tree| {
        pool.begun(
            kind,
            RUN,
            TaskNo(task),
            1,
            &head.commit,
            tree,
            Given::NOTHING,
        )
    };
    let (workspace, _) = begun(8, kind, &tree).unwrap();
    assert_eq!(collect(&pool, &workspace).changed, ["a", "gone"]);
    assert_eq!(entries(&workspace.path), ["a", "b", "both", "moved", "new"]);
    assert_eq!(
        std::fs::read_to_string(workspace.path.join("both")).unwrap(),
        "other"
    );
    // It is there already: nothing of it is made anew.
    write(workspace.path.join("a"), "3");
    let (again, _) = begun(8, kind, &tree).unwrap();
    assert_eq!(std::fs::read_to_string(again.path.join("a")).unwrap(), "3");
    // An empty folder has nothing else.
    let tree = carried(Ground::Nothing, &part).unwrap();
    let (empty, _) = begun(9, WorkspaceKind::Scratch, &tree).unwrap();
    assert_eq!(entries(&empty.path), ["a"]);
    assert_eq!(carried(Ground::Head, &|path| path == "both"), None);
    assert_eq!(carried(Ground::Head, &|_| false), None);
}

#[test]
fn what_is_judged_has_no_answer_in_it_and_steers_nobody() {
    let project = Project::git(&[
        ("AGENTS.md", "base"),
        ("a", "1"),
        ("deep/AGENTS.md", "base"),
        ("gone/CLAUDE.md", "base"),
    ]);
    let (pool, workspace) = project.worktree();
    for (path, text) in [
        ("AGENTS.md", "made"),
        ("a", "2"),
        (".claude/settings.json", "made"),
        ("answer", "made"),
        ("new/GEMINI.md", "made"),
    ] {
        write(workspace.path.join(path), text);
    }
    // A file stands where a folder of the base was.
    std::fs::remove_dir_all(workspace.path.join("deep")).unwrap();
    write(workspace.path.join("deep"), "made");
    std::fs::remove_dir_all(workspace.path.join("gone")).unwrap();
    let made = collect(&pool, &workspace).snapshot;
    let repo = pool.repo();
    let trusted = repo.tree_of(&workspace.base).unwrap();
    let steers = |path: &str| path.ends_with(".md") || path.starts_with(".claude");
    let judged = |tree: &Tree, answer| repo.judged(tree, &trusted, &steers, answer).unwrap();
    let (tree, differ) = judged(&made.tree, "answer");
    assert_eq!(
        differ,
        [
            ".claude/settings.json",
            "AGENTS.md",
            "gone/CLAUDE.md",
            "new/GEMINI.md"
        ]
    );
    let files = repo.files(&tree, None).unwrap();
    assert_eq!(
        files.list().unwrap(),
        ["AGENTS.md", "a", "deep", "gone/CLAUDE.md"]
    );
    assert_eq!(files.read("AGENTS.md", 10).unwrap(), b"base");
    assert_eq!(files.read("a", 10).unwrap(), b"2");
    // A folder of that name goes with all that is in it; what steers nobody stays as it is.
    assert_eq!(judged(&tree, "gone").1, Vec::<String>::new());
    let left = repo
        .files(&judged(&tree, "gone").0, None)
        .unwrap()
        .list()
        .unwrap();
    assert_eq!(left, ["AGENTS.md", "a", "deep"]);
    assert_eq!(judged(&trusted, "answer"), (trusted.clone(), Vec::new()));
}

#[test]
fn a_checkout_is_clean_and_given_back() {
    let project = Project::git(&[("a", "1")]);
    let pool = project.pool();
    let commit = base(&pool).commit;
    let tree = pool.repo().tree_of(&commit).unwrap();
    let first = pool.checkout(&tree, Some(&commit)).unwrap();
    let second = pool.checkout(&tree, None).unwrap();
    assert_ne!(first.path(), second.path());
    write(first.path().join("built"), "x");
    write(first.path().join("a"), "spoiled");
    let path = first.path().to_owned();
    drop(first);
    let third = pool.checkout(&tree, Some(&commit)).unwrap();
    assert_eq!(third.path(), path);
    assert_eq!(entries(third.path()), ["a"]);
    assert_eq!(git(third.path(), &["status", "--porcelain"]), "");
}

#[test]
fn what_a_crash_left_is_recognized_and_nothing_is_destroyed() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    write(workspace.path.join("work"), "precious");
    let tree = pool.repo().tree_of(&workspace.base).unwrap();
    let checkout = pool.checkout(&tree, None).unwrap();
    std::mem::forget(checkout);
    let worktrees = project.file(".divisi/worktrees");
    // A folder whose description is torn, and one that nobody ever described.
    let torn = pool.worktree(RUN, TaskNo(2), 1, &workspace.base).unwrap();
    write(torn.path.join("work"), "precious");
    drop(pool);
    for slot in std::fs::read_dir(project.file(".divisi/pool")).unwrap() {
        let file = slot.unwrap().path().join("slot.json");
        if std::fs::read_to_string(&file).is_ok_and(|text| text.contains("run-1-t2-1")) {
            std::fs::write(file, "{\"na").unwrap();
        }
    }
    write(worktrees.join("mine/note"), "x");
    write(project.file(".divisi/pool/tmp-999999999-0"), "x");

    let pool = project.pool();
    assert!(!project.file(".divisi/pool/tmp-999999999-0").exists());
    assert_eq!(
        entries(&worktrees),
        ["free-1", "mine", "run-1-t1-1", "run-1-t2-1"]
    );
    // The name is wanted again: what nobody can account for is put aside, not overwritten.
    let again = pool.worktree(RUN, TaskNo(2), 1, &workspace.base).unwrap();
    assert_eq!(entries(&again.path), ["a"]);
    let names = entries(&worktrees);
    let aside = names
        .iter()
        .find(|name| name.starts_with("run-1-t2-1-left-"))
        .unwrap();
    assert_eq!(entries(&worktrees.join(aside)), ["a", "work"]);

    let nothing_known = |_: &_| Proof::None;
    let items = pool.gc(false, &nothing_known).unwrap();
    assert!(
        items.iter().all(|item| item.action == GcAction::Keep),
        "{items:?}"
    );
    assert_eq!(entries(&worktrees), names);
}

#[test]
fn gc_removes_only_what_is_proven() {
    let project = Project::git(&[("a", "1")]);
    let (pool, one) = project.worktree();
    let two = pool.worktree(RUN, TaskNo(2), 1, &one.base).unwrap();
    let three = pool.worktree(RUN, TaskNo(3), 1, &one.base).unwrap();
    pool.release(&three).unwrap();
    let proof = |item: &divisi_engine::workspace::GcItem| match item.task {
        Some(TaskNo(1)) => Proof::Integrated,
        _ => Proof::None,
    };
    let worktrees = project.file(".divisi/worktrees");
    let before = entries(&worktrees);
    let planned = pool.gc(true, &proof).unwrap();
    assert_eq!(entries(&worktrees), before);
    let told: Vec<_> = planned
        .iter()
        .map(|item| (item.name.as_str(), item.why))
        .collect();
    assert_eq!(
        told,
        [
            ("free-2", "kept for reuse only"),
            ("run-1-t1-1", "integrated"),
            ("run-1-t2-1", "may hold work that stands nowhere else"),
        ]
    );
    assert_eq!(pool.gc(false, &proof).unwrap(), planned);
    assert_eq!(entries(&worktrees), ["run-1-t2-1"]);
    assert!(two.path.exists());
}

#[test]
fn the_pool_keeps_no_more_than_it_was_told() {
    let project = Project::git(&[("a", "1")]);
    let repo = std::sync::Arc::new(project.repo());
    let options = divisi_engine::workspace::PoolOptions { kept: 1 };
    let pool = divisi_engine::workspace::Pool::open(repo, options).unwrap();
    let commit = base(&pool).commit;
    let all: Vec<_> = (0..3)
        .map(|task| pool.worktree(RUN, TaskNo(task), 1, &commit).unwrap())
        .collect();
    for workspace in &all {
        pool.release(workspace).unwrap();
        pool.release(workspace).unwrap();
    }
    assert_eq!(entries(&project.file(".divisi/worktrees")), ["free-0"]);
}
