//! Merging a run back into the uncommitted work that it stood on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use divisi_core::TaskNo;
use divisi_engine::repo::{BaseOptions, Delivery, MergeOptions, MergeRefusal, Repo, Target};

use crate::crash::{POINT, hook};
use crate::deliver::{Done, FILES, run};
use crate::project::{Project, RUN, collect, write};

/// A run of one task, which does this to its workspace, on the project with all that is uncommitted.
fn run_of(project: Project, work: impl FnOnce(&Path)) -> Done {
    let pool = project.pool();
    let options = BaseOptions {
        rev: None,
        include_dirty: true,
    };
    let base = pool.repo().base(&options).unwrap();
    assert!(base.included);
    let base = base.commit;
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base).unwrap();
    work(&workspace.path);
    let head = collect(&pool, &workspace).snapshot.commit;
    pool.repo().update_ref(RUN, None, &head).unwrap();
    Done {
        project,
        pool,
        middle: base.clone(),
        base,
        included: true,
        head,
    }
}

/// The run of two tasks in a project with uncommitted changes to `c`, which the run does not touch,
/// and to `a`, which it does.
fn overlapping() -> Done {
    let project = Project::git(FILES);
    write(project.file("c"), "uncommitted\n");
    write(project.file("a"), "zero\n1\n2\n3\n4\n5\n");
    run(project, true)
}

fn uncommitted(paths: &[&str]) -> Delivery {
    Delivery::Uncommitted {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    }
}

fn changed_since(paths: &[&str]) -> MergeRefusal {
    MergeRefusal::Uncommitted {
        run: RUN,
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    }
}

fn index(done: &Done) -> Vec<u8> {
    std::fs::read(done.project.file(".git/index")).unwrap()
}

#[test]
fn what_the_run_changed_elsewhere_is_committed_without_the_uncommitted_work() {
    let project = Project::git(FILES);
    write(project.file("c"), "uncommitted\n");
    write(project.file("mine"), "untracked\n");
    let done = run(project, true);
    let lines = [
        "main true: OneCommit",
        "Changed a +1 -1",
        "Removed b +0 -1",
        "Added dir/new +1 -0",
    ];
    assert_eq!(done.previewed(&done.options()), lines);
    assert!(matches!(
        done.merge(&done.options()),
        Delivery::Committed { .. }
    ));
    assert_eq!(done.git(&["status", "--porcelain"]), "M c\n?? mine");
    assert_eq!(done.git(&["log", "--format=%s"]), "the run's result\nfirst");
    let names = done.git(&["show", "--format=", "--name-only"]);
    assert_eq!(names, "a\nb\ndir/new");
    assert_eq!(done.read("c"), "uncommitted\n");
    assert_eq!(done.merge(&done.options()), Delivery::Nothing);
}

#[test]
fn uncommitted_work_that_the_run_built_on_takes_its_changes_in_and_stays_uncommitted() {
    let done = overlapping();
    let before = (done.git(&["rev-parse", "HEAD"]), index(&done));
    let lines = [
        "main true: Uncommitted",
        "Changed a +1 -1",
        "Removed b +0 -1",
        "Added dir/new +1 -0",
    ];
    assert_eq!(done.previewed(&done.options()), lines);
    let expected = uncommitted(&["a", "b", "dir/new"]);
    assert_eq!(done.merge(&done.options()), expected);
    assert_eq!((done.git(&["rev-parse", "HEAD"]), index(&done)), before);
    assert_eq!(done.read("a"), "zero\n1\n2\n3\n4\nfive\n");
    assert_eq!(
        (done.read("c"), done.read("dir/new")),
        ("uncommitted\n".into(), "new".into())
    );
    assert!(!done.project.file("b").exists());
    assert_eq!(done.merge(&done.options()), Delivery::Nothing);
    // Committed and merged once more, it has all been taken over.
    done.git(&["add", "--all"]);
    done.git(&["commit", "--quiet", "--message=mine"]);
    assert_eq!(done.merge(&done.options()), Delivery::Nothing);
}

#[test]
fn staged_work_stays_staged_and_the_runs_changes_do_not() {
    let project = Project::git(FILES);
    write(project.file("a"), "zero\n1\n2\n3\n4\n5\n");
    project.run_git(&["add", "a"]);
    let done = run(project, true);
    let staged = done.git(&["diff", "--cached"]);
    assert_eq!(
        done.merge(&done.options()),
        uncommitted(&["a", "b", "dir/new"])
    );
    assert_eq!(done.git(&["diff", "--cached"]), staged);
    let run = done.git(&["diff", "--unified=0", "a"]);
    assert!(run.ends_with("-5\n+five"), "{run}");
}

#[test]
fn files_that_git_does_not_know_yet_can_be_changed_and_removed() {
    let project = Project::git(FILES);
    for name in ["grown", "gone", "kept"] {
        write(project.file(name), "mine\n");
    }
    let done = run_of(project, |workspace| {
        write(workspace.join("grown"), "mine\nand more\n");
        std::fs::remove_file(workspace.join("gone")).unwrap();
    });
    assert_eq!(done.merge(&done.options()), uncommitted(&["gone", "grown"]));
    assert_eq!(done.git(&["status", "--porcelain"]), "?? grown\n?? kept");
    assert_eq!(done.read("grown"), "mine\nand more\n");
}

#[test]
fn a_run_can_take_uncommitted_work_back() {
    let project = Project::git(FILES);
    write(project.file("c"), "uncommitted\n");
    std::fs::rename(project.file("b"), project.file("renamed")).unwrap();
    let done = run_of(project, |workspace| {
        write(workspace.join("c"), "c\n");
        write(workspace.join("renamed"), "changed");
    });
    assert_eq!(done.merge(&done.options()), uncommitted(&["c", "renamed"]));
    assert_eq!(done.git(&["status", "--porcelain"]), "D b\n?? renamed");
    assert_eq!(
        (done.read("c"), done.read("renamed")),
        ("c\n".into(), "changed".into())
    );
}

#[test]
fn work_that_went_on_since_is_refused_until_it_is_committed() {
    let done = overlapping();
    write(done.project.file("a"), "zero\nhalf\n1\n2\n3\n4\n5\n");
    assert_eq!(done.refused(&done.options()), changed_since(&["a"]));
    done.git(&["commit", "--quiet", "--message=mine", "a"]);
    assert!(matches!(
        done.merge(&done.options()),
        Delivery::Committed { .. }
    ));
    assert_eq!(done.read("a"), "zero\nhalf\n1\n2\n3\n4\nfive\n");
    assert_eq!(done.git(&["status", "--porcelain"]), "M c");
    assert_eq!(done.git(&["show", "HEAD:c"]), "c");
}

#[test]
fn work_that_the_run_never_saw_is_refused_as_in_any_merge() {
    let done = overlapping();
    write(done.project.file("dir/new"), "mine");
    let paths = vec!["dir/new".to_owned()];
    assert_eq!(done.refused(&done.options()), MergeRefusal::Dirty { paths });
}

#[test]
fn work_that_was_committed_or_given_up_since_is_joined() {
    let done = overlapping();
    done.git(&["commit", "--quiet", "--all", "--message=mine"]);
    assert!(matches!(
        done.merge(&done.options()),
        Delivery::Committed { .. }
    ));
    let result = done.pool.repo().tree_of(&done.head).unwrap();
    let tree = done.git(&["rev-parse", "HEAD^{tree}"]);
    assert_eq!(tree, result.as_str(), "all of it, and nothing else");

    let done = overlapping();
    done.git(&["checkout", "--quiet", "a"]);
    assert!(matches!(
        done.merge(&done.options()),
        Delivery::Committed { .. }
    ));
    assert_eq!(done.read("a"), "1\n2\n3\n4\nfive\n");
    assert_eq!(done.git(&["status", "--porcelain"]), "M c");
}

#[test]
fn work_that_is_gone_is_found_in_the_runs_own_branch() {
    let project = Project::git(FILES);
    write(project.file("a"), "one\n2\n3\n4\n5\n");
    let done = run_of(project, |workspace| {
        write(workspace.join("a"), "eins\n2\n3\n4\n5\n")
    });
    done.git(&["checkout", "--quiet", "a"]);
    let refused = done.refused(&done.options());
    assert_eq!(refused, changed_since(&["a"]));
    // What the hint says.
    let hints = refused.diagnostic().hints.join("\n");
    let reference = "refs/divisi/run-1/head:NAME";
    assert!(
        hints.contains(&format!("git fetch .divisi/repo.git {reference}")),
        "{hints}"
    );
    let reference = reference.replace("NAME", "taken");
    done.git(&["fetch", "--quiet", ".divisi/repo.git", &reference]);
    assert_eq!(
        done.git(&["log", "--format=%s", "taken"]),
        "work\nUncommitted work\nfirst"
    );
}

#[test]
fn a_branch_gets_only_what_stands_without_the_uncommitted_work() {
    let to = || Target::Branch("result".into());
    let project = Project::git(FILES);
    write(project.file("a"), "one\n2\n3\n4\n5\n");
    let done = run_of(project, |workspace| {
        write(workspace.join("a"), "eins\n2\n3\n4\n5\n")
    });
    let options = MergeOptions {
        target: to(),
        ..done.options()
    };
    assert_eq!(done.refused(&options), changed_since(&["a"]));
    let done = overlapping();
    let options = MergeOptions {
        target: to(),
        ..done.options()
    };
    assert!(matches!(done.merge(&options), Delivery::Branch { .. }));
    assert_eq!(done.git(&["show", "result:a"]), "1\n2\n3\n4\nfive");
}

#[test]
fn a_repository_without_a_commit_gets_no_commit_of_what_was_not_committed() {
    let project = Project::git(&[]);
    write(project.file("mine"), "mine\n");
    let done = run_of(project, |workspace| write(workspace.join("new"), "new\n"));
    assert!(matches!(
        done.merge(&done.options()),
        Delivery::Committed { .. }
    ));
    assert_eq!(done.git(&["show", "--format=", "--name-only"]), "new");
    assert_eq!(done.git(&["status", "--porcelain"]), "?? mine");

    let project = Project::git(&[]);
    write(project.file("mine"), "mine\n");
    let done = run_of(project, |workspace| write(workspace.join("mine"), "ours\n"));
    assert_eq!(done.merge(&done.options()), uncommitted(&["mine"]));
    assert_eq!(done.read("mine"), "ours\n");
}

#[test]
fn line_ends_of_uncommitted_files_are_the_users_own() {
    let project = Project::git(&[(".gitattributes", "a text eol=crlf\n"), FILES[0], FILES[1]]);
    write(project.file("a"), "zero\r\n1\r\n2\r\n3\r\n4\r\n5\r\n");
    let done = run(project, true);
    assert_eq!(
        done.merge(&done.options()),
        uncommitted(&["a", "b", "dir/new"])
    );
    assert_eq!(done.read("a"), "zero\r\n1\r\n2\r\n3\r\n4\r\nfive\r\n");
}

#[test]
fn one_task_after_the_other_can_be_taken() {
    let done = overlapping();
    let first = MergeOptions {
        task: Some((&done.base, &done.middle)),
        ..done.options()
    };
    assert_eq!(done.merge(&first), uncommitted(&["a", "dir/new"]));
    assert_eq!(done.merge(&done.options()), uncommitted(&["b"]));
    assert_eq!(done.merge(&done.options()), Delivery::Nothing);
}

#[test]
fn cut_off_anywhere_each_file_is_old_or_new_and_merging_again_completes_it() {
    for (point, times) in [
        ("deliver.write.before", 1),
        ("deliver.file.after", 1),
        ("deliver.file.after", 2),
        ("deliver.write.after", 1),
    ] {
        let done = overlapping();
        let before = (done.git(&["rev-parse", "HEAD"]), index(&done));
        let repo = Repo::open_with_hook(&done.project.file(".divisi"), done.project.path(), hook);
        let repo = repo.unwrap();
        for _ in 0..times {
            POINT.with(|cell| cell.set((point, 0)));
            let cut = catch_unwind(AssertUnwindSafe(|| repo.merge_to_user(&done.options())));
            assert!(cut.is_err() || times > 1, "{point} was not reached");
            let a = done.read("a");
            let versions = ["zero\n1\n2\n3\n4\n5\n", "zero\n1\n2\n3\n4\nfive\n"];
            assert!(versions.contains(&a.as_str()), "{point}: {a}");
            assert_eq!(done.read("c"), "uncommitted\n");
        }
        POINT.with(|cell| cell.set(("", 0)));
        let _ = done.merge(&done.options());
        assert_eq!(done.merge(&done.options()), Delivery::Nothing, "{point}");
        assert_eq!(done.read("a"), "zero\n1\n2\n3\n4\nfive\n", "{point}");
        assert!(!done.project.file("b").exists() && done.project.file("dir/new").exists());
        assert_eq!(
            (done.git(&["rev-parse", "HEAD"]), index(&done)),
            before,
            "{point}"
        );
    }
}
