//! Merging into the user's project.

use std::sync::Arc;

use divisi_core::{Commit, TaskNo, Time};
use divisi_engine::repo::{
    BaseOptions, DeliverError, Delivery, FileChange, MergeOptions, MergeRefusal, Merged, Onto,
    Target, user_fingerprint,
};
use divisi_engine::workspace::Pool;

use crate::project::{Project, RUN, collect, entries, git, write};

/// A project and a run of two tasks on it: the first changes `a` and adds `dir/new`, the second
/// removes `b`.
pub(crate) struct Done {
    pub(crate) project: Project,
    pub(crate) pool: Arc<Pool>,
    pub(crate) base: Commit,
    pub(crate) included: bool,
    pub(crate) middle: Commit,
    pub(crate) head: Commit,
}

pub(crate) const FILES: &[(&str, &str)] = &[("a", "1\n2\n3\n4\n5\n"), ("b", "b"), ("c", "c\n")];

pub(crate) fn run(project: Project, include_dirty: bool) -> Done {
    let pool = project.pool();
    let base = pool
        .repo()
        .base(&BaseOptions {
            rev: None,
            include_dirty,
        })
        .unwrap()
        .commit;
    let first = pool.worktree(RUN, TaskNo(1), 1, &base).unwrap();
    let a = std::fs::read_to_string(first.path.join("a")).unwrap();
    write(first.path.join("a"), &a.replace('5', "five"));
    write(first.path.join("dir/new"), "new");
    let second = pool.worktree(RUN, TaskNo(2), 1, &base).unwrap();
    std::fs::remove_file(second.path.join("b")).unwrap();
    let middle = collect(&pool, &first).snapshot.commit;
    let two = collect(&pool, &second).snapshot;
    let Merged::Clean { commit: head, .. } = pool
        .repo()
        .merge(&middle, &two, "second\n", Time(1_700_000_000_000))
        .unwrap()
    else {
        panic!("the tasks conflict")
    };
    pool.repo().update_ref(RUN, None, &head).unwrap();
    Done {
        project,
        pool,
        base,
        included: include_dirty,
        middle,
        head,
    }
}

impl Done {
    pub(crate) fn options(&self) -> MergeOptions<'_> {
        MergeOptions {
            run: RUN,
            base: &self.base,
            included: self.included,
            head: &self.head,
            task: None,
            squash: false,
            target: Target::Current,
            message: "the run's result\n",
            at: Time(1_700_000_100_000),
        }
    }

    pub(crate) fn merge(&self, options: &MergeOptions<'_>) -> Delivery {
        self.pool.repo().merge_to_user(options).unwrap()
    }

    /// Merging is refused, and so is working it out; nothing has changed.
    pub(crate) fn refused(&self, options: &MergeOptions<'_>) -> MergeRefusal {
        let before = user_fingerprint(self.project.path()).unwrap();
        let preview = self.pool.repo().preview(options);
        let result = self.pool.repo().merge_to_user(options);
        assert_eq!(user_fingerprint(self.project.path()).unwrap(), before);
        match (preview, result) {
            (Err(DeliverError::Refused(first)), Err(DeliverError::Refused(refusal))) => {
                assert_eq!(first, refusal);
                refusal
            }
            other => panic!("not refused: {other:?}"),
        }
    }

    /// What a merge would do, as lines; nothing has changed.
    pub(crate) fn previewed(&self, options: &MergeOptions<'_>) -> Vec<String> {
        let before = user_fingerprint(self.project.path()).unwrap();
        let preview = self.pool.repo().preview(options).unwrap();
        assert_eq!(user_fingerprint(self.project.path()).unwrap(), before);
        let onto = match &preview.onto {
            Onto::Branch(name, commit) => format!("{name} {}", commit.is_some()),
            Onto::Detached(_) => "detached".to_owned(),
            Onto::Folder => "folder".to_owned(),
        };
        let branch = preview
            .branch
            .map_or_else(String::new, |name| format!(" -> {name}"));
        let first = format!("{onto}{branch}: {:?}", preview.way);
        let file = |file: &FileChange| match file.lines {
            Some((added, removed)) => {
                format!("{:?} {} +{added} -{removed}", file.kind, file.path)
            }
            None => format!("{:?} {} not text", file.kind, file.path),
        };
        let files = preview.files.iter().map(file);
        [first].into_iter().chain(files).collect()
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.project.run_git(args)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.project.file(path)).unwrap()
    }
}

#[test]
fn a_branch_at_the_base_moves_forward() {
    let done = run(Project::git(FILES), false);
    let commit = done.head.clone();
    assert_eq!(
        done.merge(&done.options()),
        Delivery::FastForward { commit }
    );
    assert_eq!(done.git(&["rev-parse", "main"]), done.head.as_str());
    assert_eq!(done.git(&["log", "--format=%s"]), "second\nwork\nfirst");
    assert_eq!(done.git(&["status", "--porcelain"]), "");
    assert_eq!(done.read("a"), "1\n2\n3\n4\nfive\n");
    assert_eq!(entries(done.project.path()), [".divisi", "a", "c", "dir"]);
    assert!(done.git(&["reflog", "-1"]).contains("divisi: merge run-1"));
    git(done.project.path(), &["fsck", "--strict"]);
    assert_eq!(done.merge(&done.options()), Delivery::Nothing);
}

#[test]
fn a_preview_shows_what_would_change_in_the_project_as_it_stands_now() {
    let run_files = ["Changed a +1 -1", "Removed b +0 -1", "Added dir/new +1 -0"];
    let shows = |done: &Done, options: &MergeOptions<'_>, first: &str, files: &[&str]| {
        let expected: Vec<&str> = [first].iter().chain(files).copied().collect();
        assert_eq!(done.previewed(options), expected);
    };
    let done = run(Project::git(FILES), false);
    shows(&done, &done.options(), "main true: FastForward", &run_files);
    let squash = MergeOptions {
        squash: true,
        ..done.options()
    };
    shows(&done, &squash, "main true: OneCommit", &run_files);
    let task = MergeOptions {
        task: Some((&done.middle, &done.head)),
        ..done.options()
    };
    shows(&done, &task, "main true: OneCommit", &run_files[1..2]);
    let branch = MergeOptions {
        target: Target::Branch("result".into()),
        ..done.options()
    };
    shows(
        &done,
        &branch,
        "main true -> result: FastForward",
        &run_files,
    );

    // The project went on, and did a part of the same: only the rest would change.
    done.git(&["rm", "--quiet", "b"]);
    write(done.project.file("c"), "went on\n");
    done.git(&["commit", "--quiet", "--all", "--message=own"]);
    let rest = [run_files[0], run_files[2]];
    shows(&done, &done.options(), "main true: MergeCommit", &rest);
    done.git(&["checkout", "--quiet", "--detach"]);
    shows(&done, &done.options(), "detached: MergeCommit", &rest);
    let _ = done.merge(&done.options());
    shows(&done, &done.options(), "detached: Nothing", &[]);

    let done = run(Project::folder(FILES), false);
    shows(&done, &done.options(), "folder: Files", &run_files);
    let _ = done.merge(&done.options());
    shows(&done, &done.options(), "folder: Nothing", &[]);
}

#[test]
fn a_file_that_is_not_text_has_no_lines() {
    let project = Project::git(&[("tab\tand\nline", "x\n")]);
    let pool = project.pool();
    let base = crate::project::base(&pool).commit;
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base).unwrap();
    write(workspace.path.join("bytes"), "\0\u{1}");
    std::fs::remove_file(workspace.path.join("tab\tand\nline")).unwrap();
    let head = collect(&pool, &workspace).snapshot.commit;
    let done = Done {
        project,
        pool,
        middle: base.clone(),
        base,
        included: false,
        head,
    };
    let expected = [
        "main true: FastForward",
        "Added bytes not text",
        "Removed tab\tand\nline +0 -1",
    ];
    assert_eq!(done.previewed(&done.options()), expected);
}

#[test]
fn what_was_previewed_is_not_done_to_a_project_that_has_moved_since() {
    let dirty = || MergeRefusal::Dirty {
        paths: vec!["a".into()],
    };
    let moves: [(&[&str], MergeRefusal); 3] = [
        // Another branch at the same commit is another branch.
        (
            &["checkout", "--quiet", "-b", "other"],
            MergeRefusal::HeadMoved,
        ),
        (
            &["commit", "--quiet", "--allow-empty", "--message=x"],
            MergeRefusal::HeadMoved,
        ),
        (&["mv", "--force", "c", "a"], dirty()),
    ];
    for (args, expected) in moves {
        let done = run(Project::git(FILES), false);
        write(done.project.file("c"), "went on\n");
        done.git(&["commit", "--quiet", "--all", "--message=own"]);
        let preview = done.pool.repo().preview(&done.options()).unwrap();
        done.git(args);
        let before = user_fingerprint(done.project.path()).unwrap();
        match done.pool.repo().carry_out(&preview) {
            Err(DeliverError::Refused(refusal)) => assert_eq!(refusal, expected, "{args:?}"),
            other => panic!("{args:?}: {other:?}"),
        }
        assert_eq!(
            user_fingerprint(done.project.path()).unwrap(),
            before,
            "{args:?}"
        );
    }
}

#[test]
fn work_that_is_not_touched_stays_as_it_is() {
    let done = run(Project::git(FILES), false);
    write(done.project.file("c"), "mine");
    write(done.project.file("untracked"), "mine");
    write(done.project.file("staged"), "mine");
    done.git(&["add", "staged"]);
    let _ = done.merge(&done.options());
    assert_eq!(
        done.git(&["status", "--porcelain"]),
        "M c\nA  staged\n?? untracked"
    );
    assert_eq!(
        (done.read("c"), done.read("staged")),
        ("mine".into(), "mine".into())
    );
}

#[test]
fn work_that_would_be_lost_is_named() {
    let dirty = |paths: &[&str]| MergeRefusal::Dirty {
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
    };
    let done = run(Project::git(FILES), false);
    write(done.project.file("a"), "mine");
    write(done.project.file("b"), "mine");
    write(done.project.file("dir/new"), "mine");
    assert_eq!(done.refused(&done.options()), dirty(&["a", "b", "dir/new"]));

    let done = run(Project::git(FILES), false);
    write(done.project.file("a"), "mine");
    done.git(&["add", "a"]);
    write(done.project.file("a"), FILES[0].1);
    assert_eq!(
        done.refused(&done.options()),
        dirty(&["a"]),
        "staged, though not in the file"
    );

    let done = run(Project::git(FILES), false);
    write(done.project.file(".git/info/exclude"), "dir\n");
    write(done.project.file("dir/new"), "mine, and ignored");
    assert_eq!(done.refused(&done.options()), dirty(&["dir/new"]));

    let done = run(Project::git(FILES), false);
    write(done.project.file("dir"), "a file where a folder is to be");
    assert_eq!(done.refused(&done.options()), dirty(&["dir/new"]));

    let done = run(Project::git(FILES), false);
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), done.project.file("dir")).unwrap();
    assert_eq!(done.refused(&done.options()), dirty(&["dir/new"]));
    assert_eq!(entries(outside.path()), [""; 0]);
}

#[test]
fn a_project_that_went_on_is_joined() {
    let done = run(Project::git(FILES), false);
    write(done.project.file("c"), "went on\n");
    done.git(&["commit", "--quiet", "--all", "--message=own"]);
    done.git(&["config", "user.name", "Someone"]);
    done.git(&["config", "user.email", "someone@example.org"]);
    assert!(matches!(
        done.merge(&done.options()),
        Delivery::Committed { .. }
    ));
    assert_eq!(
        done.git(&["log", "-1", "--format=%s|%an|%cn"]),
        "the run's result|Someone|Someone"
    );
    assert_eq!(done.git(&["rev-parse", "HEAD^2"]), done.head.as_str());
    assert_eq!(done.git(&["status", "--porcelain"]), "");
    assert_eq!(
        (done.read("c"), done.read("a")),
        ("went on\n".into(), "1\n2\n3\n4\nfive\n".into())
    );
}

#[test]
fn a_project_that_changed_the_same_is_not_merged() {
    let done = run(Project::git(FILES), false);
    write(done.project.file("a"), "1\n2\n3\n4\ncinq\n");
    done.git(&["commit", "--quiet", "--all", "--message=own"]);
    let conflict = MergeRefusal::Conflict {
        base: done.options().base.clone(),
        paths: vec!["a".into()],
    };
    assert_eq!(done.refused(&done.options()), conflict);
    let hint = &conflict.diagnostic().hints[0];
    assert!(hint.contains(done.options().base.short()), "{hint}");
    // Where a bad name was given, that is what is told.
    let options = MergeOptions {
        target: Target::Branch("bad name".into()),
        ..done.options()
    };
    let refused = done.refused(&options);
    assert!(
        matches!(refused, MergeRefusal::BranchName { .. }),
        "{refused}"
    );
}

#[test]
fn a_squash_is_one_commit() {
    let done = run(Project::git(FILES), false);
    let options = MergeOptions {
        squash: true,
        ..done.options()
    };
    assert!(matches!(done.merge(&options), Delivery::Committed { .. }));
    assert_eq!(done.git(&["log", "--format=%s"]), "the run's result\nfirst");
    assert_eq!(done.git(&["status", "--porcelain"]), "");
}

#[test]
fn one_task_can_be_taken_alone() {
    let done = run(Project::git(FILES), false);
    let options = MergeOptions {
        task: Some((&done.middle, &done.head)),
        ..done.options()
    };
    assert!(matches!(done.merge(&options), Delivery::Committed { .. }));
    assert_eq!(done.git(&["show", "--format=", "--name-status"]), "D\tb");
    assert_eq!(done.read("a"), FILES[0].1);
    // The rest afterwards.
    assert!(matches!(
        done.merge(&done.options()),
        Delivery::Committed { .. }
    ));
    assert_eq!(done.git(&["diff", done.head.as_str(), "HEAD"]), "");
}

#[test]
fn a_branch_touches_no_file() {
    let done = run(Project::git(FILES), false);
    write(done.project.file("a"), "mine");
    let to = |name: &str| MergeOptions {
        target: Target::Branch(name.into()),
        ..done.options()
    };
    let commit = done.head.clone();
    assert_eq!(
        done.merge(&to("result")),
        Delivery::Branch {
            commit: commit.clone()
        }
    );
    assert_eq!(done.git(&["rev-parse", "result"]), commit.as_str());
    assert_eq!(done.git(&["status", "--porcelain"]), "M a");
    assert_eq!(done.merge(&to("result")), Delivery::Branch { commit });
    let name = || "main".to_owned();
    assert_eq!(
        done.refused(&to("main")),
        MergeRefusal::BranchExists { name: name() }
    );
    for bad in ["a..b", "-f", "a b", "", "@{-1}", "x.lock"] {
        let name = bad.to_owned();
        assert_eq!(done.refused(&to(bad)), MergeRefusal::BranchName { name });
    }
}

#[test]
fn an_empty_repository_gets_its_first_commit() {
    let project = Project::git(&[]);
    let pool = project.pool();
    let base = crate::project::base(&pool).commit;
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base).unwrap();
    write(workspace.path.join("made"), "x");
    let head = collect(&pool, &workspace).snapshot.commit;
    let done = Done {
        project,
        pool,
        middle: base.clone(),
        base,
        included: false,
        head,
    };
    assert!(matches!(
        done.merge(&done.options()),
        Delivery::Committed { .. }
    ));
    assert_eq!(done.git(&["log", "--format=%s"]), "the run's result");
    assert_eq!(done.git(&["status", "--porcelain"]), "");
}

#[test]
fn an_unfinished_merge_of_the_users_is_not_disturbed() {
    let done = run(Project::git(FILES), false);
    done.git(&["checkout", "--quiet", "-b", "other"]);
    write(done.project.file("c"), "other\n");
    done.git(&["commit", "--quiet", "--all", "--message=other"]);
    done.git(&["checkout", "--quiet", "main"]);
    done.git(&["merge", "--quiet", "--no-commit", "--no-ff", "other"]);
    let refusal = done.refused(&done.options());
    assert_eq!(refusal, MergeRefusal::InProgress { what: "merge" });
}

#[test]
fn a_sparse_checkout_is_merged_to_a_branch_only() {
    let done = run(Project::git(FILES), false);
    done.git(&["sparse-checkout", "set", "dir"]);
    let refusal = done.refused(&done.options());
    assert_eq!(refusal, MergeRefusal::Checkout { what: "sparse" });
    let options = MergeOptions {
        target: Target::Branch("result".into()),
        ..done.options()
    };
    assert!(matches!(done.merge(&options), Delivery::Branch { .. }));
}

#[test]
fn a_merge_that_was_cut_off_is_completed() {
    // Every mixture that a crash can leave: index first, then removals, then files.
    for cut in 0..3 {
        let done = run(Project::git(FILES), false);
        let head = done.head.as_str();
        let objects = done.project.file(".divisi/repo.git");
        git(
            done.project.path(),
            &["fetch", "--quiet", objects.to_str().unwrap(), head],
        );
        done.git(&["read-tree", head]);
        if cut > 0 {
            std::fs::remove_file(done.project.file("b")).unwrap();
        }
        if cut > 1 {
            write(done.project.file("dir/new"), "new");
        }
        let commit = done.head.clone();
        assert_eq!(
            done.merge(&done.options()),
            Delivery::FastForward { commit }
        );
        assert_eq!(done.git(&["status", "--porcelain"]), "", "cut {cut}");
        assert_eq!(done.read("a"), "1\n2\n3\n4\nfive\n");
    }
}

#[test]
fn hooks_and_filters_do_not_run_in_a_merge() {
    let done = run(Project::git(FILES), false);
    let hook = done.project.file(".git/hooks/reference-transaction");
    for name in [
        "reference-transaction",
        "post-index-change",
        "post-checkout",
        "post-merge",
    ] {
        let hook = done.project.file(&format!(".git/hooks/{name}"));
        write(&hook, "#!/bin/sh\ntouch ran\n");
        std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
    assert!(hook.exists());
    done.git(&["config", "filter.evil.smudge", "touch ran"]);
    write(done.project.file(".git/info/attributes"), "* filter=evil\n");
    let _ = done.merge(&done.options());
    assert!(!done.project.file("ran").exists() && !done.project.file(".git/ran").exists());
}

#[test]
fn line_ends_are_the_users_own() {
    let project = Project::git(&[(".gitattributes", "a text eol=crlf\n"), FILES[0], FILES[1]]);
    std::fs::remove_file(project.file("a")).unwrap();
    project.run_git(&["checkout", "a"]);
    let done = run(project, false);
    assert_eq!(done.git(&["status", "--porcelain"]), "");
    let _ = done.merge(&done.options());
    assert_eq!(done.read("a"), "1\r\n2\r\n3\r\n4\r\nfive\r\n");
    assert_eq!(done.git(&["status", "--porcelain"]), "");
}

#[test]
fn attributes_that_come_with_the_result_hold_for_its_files() {
    let project = Project::git(&[FILES[0], FILES[1]]);
    let pool = project.pool();
    let base = crate::project::base(&pool).commit;
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base).unwrap();
    write(workspace.path.join(".gitattributes"), "*.bat eol=crlf\n");
    write(workspace.path.join("b.bat"), "one\r\n");
    let head = collect(&pool, &workspace).snapshot.commit;
    let done = Done {
        project,
        pool,
        middle: base.clone(),
        base,
        included: false,
        head,
    };
    let _ = done.merge(&done.options());
    assert_eq!(done.read("b.bat"), "one\r\n");
    assert_eq!(done.git(&["show", "HEAD:b.bat"]), "one");
    assert_eq!(done.git(&["status", "--porcelain"]), "");
}

#[test]
fn executables_and_links_arrive_as_such() {
    let project = Project::git(FILES);
    let pool = project.pool();
    let base = crate::project::base(&pool).commit;
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base).unwrap();
    let made = |name: &str| workspace.path.join(name);
    write(made("tool"), "#!/bin/sh\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(made("tool"), mode).unwrap();
    std::os::unix::fs::symlink("tool", made("link")).unwrap();
    let head = collect(&pool, &workspace).snapshot.commit;
    // An empty folder is nothing to git.
    std::fs::create_dir(project.file("tool")).unwrap();
    let done = Done {
        project,
        pool,
        middle: base.clone(),
        base,
        included: false,
        head,
    };
    let _ = done.merge(&done.options());
    assert_eq!(done.git(&["status", "--porcelain"]), "");
    let staged = done.git(&["ls-files", "--stage", "tool", "link"]);
    assert!(
        staged.starts_with("120000") && staged.contains("\n100755"),
        "{staged}"
    );
    let link = std::fs::read_link(done.project.file("link")).unwrap();
    assert_eq!(link.to_str(), Some("tool"));
}

/// A run that makes the file `b` a folder and the folder `d` a file.
fn swaps(project: Project) -> Done {
    let pool = project.pool();
    let base = crate::project::base(&pool).commit;
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base).unwrap();
    std::fs::remove_file(workspace.path.join("b")).unwrap();
    write(workspace.path.join("b/inner"), "x");
    std::fs::remove_dir_all(workspace.path.join("d")).unwrap();
    write(workspace.path.join("d"), "a file now");
    let head = collect(&pool, &workspace).snapshot.commit;
    Done {
        project,
        pool,
        middle: base.clone(),
        base,
        included: false,
        head,
    }
}

#[test]
fn files_and_folders_take_each_others_places_and_nobody_elses() {
    let files = [("b", "b"), ("d/one", "1"), ("d/e/two", "2")];
    for project in [Project::git(&files), Project::folder(&files)] {
        let done = swaps(project);
        std::fs::create_dir_all(done.project.file("d/empty/too")).unwrap();
        let _ = done.merge(&done.options());
        assert_eq!(
            (done.read("b/inner"), done.read("d")),
            ("x".into(), "a file now".into())
        );
        // Again, and after a crash in the middle.
        let _ = done.merge(&done.options());
    }
    let done = swaps(Project::git(&files));
    write(done.project.file("d/e/mine"), "untracked");
    let dirty = MergeRefusal::Dirty {
        paths: vec!["d".into()],
    };
    assert_eq!(done.refused(&done.options()), dirty);
}

#[test]
fn a_folder_without_git_gets_the_files() {
    let done = run(Project::folder(FILES), false);
    let paths = ["a", "b", "dir/new"].map(str::to_owned).to_vec();
    assert_eq!(done.merge(&done.options()), Delivery::Folder { paths });
    assert_eq!(entries(done.project.path()), [".divisi", "a", "c", "dir"]);
    assert_eq!(done.read("a"), "1\n2\n3\n4\nfive\n");
    assert_eq!(done.read("dir/new"), "new");
    // Again, and after a crash in the middle.
    let _ = done.merge(&done.options());
    write(done.project.file("b"), "b");
    let _ = done.merge(&done.options());
    assert!(!done.project.file("b").exists());
    let options = MergeOptions {
        target: Target::Branch("x".into()),
        ..done.options()
    };
    assert_eq!(done.refused(&options), MergeRefusal::NoBranches);
}

#[test]
fn a_folder_that_went_on_is_not_overwritten() {
    let done = run(Project::folder(FILES), false);
    write(done.project.file("a"), "mine");
    write(done.project.file("c"), "mine too, but not touched");
    let refusal = done.refused(&done.options());
    assert_eq!(
        refusal,
        MergeRefusal::Dirty {
            paths: vec!["a".into()]
        }
    );
}

#[test]
fn a_folder_that_cannot_be_written_stays_as_it_was() {
    let done = run(Project::folder(FILES), false);
    // A name of 255 bytes leaves no room for a temporary one beside it... but a folder does.
    std::fs::create_dir(done.project.file("dir")).unwrap();
    std::fs::create_dir(done.project.file("dir/.divisi-new")).unwrap();
    write(done.project.file("dir/.divisi-new/x"), "in the way");
    let before = user_fingerprint(done.project.path()).unwrap();
    assert!(matches!(
        done.pool.repo().merge_to_user(&done.options()),
        Err(DeliverError::Fault(_))
    ));
    assert_eq!(user_fingerprint(done.project.path()).unwrap(), before);
}
