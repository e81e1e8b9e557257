//! Each step is cut off on both sides and repeated; many run at once.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use divisi_core::{Commit, Digest, TaskNo, Time};
use divisi_engine::repo::{Delivery, MergeOptions, Merged, Repo, Target, user_fingerprint};
use divisi_engine::workspace::{Given, Layer, Pool, PoolOptions, Provision};

use crate::project::{OPTIONS, Project, RUN, base, collect, git, list, write};

const FILES: &[(&str, &str)] = &[("a", "1"), (".gitignore", "deps/\n")];

thread_local! {
    /// The failpoint that ends the work, and how often it was passed.
    pub(crate) static POINT: Cell<(&'static str, u32)> = const { Cell::new(("", 0)) };
}

pub(crate) fn hook(point: &'static str) {
    POINT.with(|cell| {
        let (wanted, passed) = cell.get();
        if wanted == point {
            cell.set((wanted, passed + 1));
            if passed == 0 {
                // Not a panic that is printed: it stands for the end of the process.
                std::panic::resume_unwind(Box::new("cut off"));
            }
        }
    });
}

/// What a setup leaves, made where it is not kept.
fn layer(pool: &Arc<Pool>, base: &Commit) -> Layer {
    let key = Digest::new(&"ab".repeat(32)).unwrap();
    if let Some(layer) = pool.layer(&key) {
        return layer;
    }
    let tree = pool.repo().tree_of(base).unwrap();
    let checkout = pool.checkout_for_setup(&tree, None, Given::NOTHING);
    let checkout = checkout.unwrap();
    write(checkout.path().join("deps/one/lib"), "whole");
    pool.keep_layer(checkout, &key, &[]).unwrap()
}

/// One task from beginning to end, and its run into the project. Everything is opened anew.
fn work(project: &Project) -> Commit {
    let repo = Repo::open_with_hook(&project.file(".divisi"), project.path(), hook).unwrap();
    let pool = Arc::new(Pool::open(Arc::new(repo), PoolOptions::default()).unwrap());
    let base = base(&pool).commit;
    let layer = layer(&pool, &base);
    let given = Given {
        provision: Provision::Layer(&layer),
        secrets: &[],
    };
    let prepared = pool.worktree_with(RUN, TaskNo(1), 1, &base, given);
    let (workspace, _) = prepared.unwrap();
    let given = std::fs::read_to_string(workspace.path.join("deps/one/lib"));
    assert_eq!(given.unwrap(), "whole");
    write(workspace.path.join("made"), "x");
    write(workspace.path.join("too"), "x");
    let snapshot = collect(&pool, &workspace).snapshot;
    let checkout = pool
        .checkout(&snapshot.tree, Some(&snapshot.commit))
        .unwrap();
    assert!(checkout.path().join("made").exists());
    let merged = pool
        .repo()
        .merge(&base, &snapshot, "m\n", OPTIONS.at)
        .unwrap();
    let Merged::Clean { commit, .. } = merged else {
        panic!("{merged:?}")
    };
    pool.repo().update_ref(RUN, None, &commit).unwrap();
    pool.release(&workspace).unwrap();
    let options = MergeOptions {
        run: RUN,
        base: &base,
        included: false,
        head: &commit,
        task: None,
        squash: false,
        target: Target::Current,
        message: "m\n",
        at: Time(0),
    };
    let delivered = pool.repo().merge_to_user(&options).unwrap();
    assert!(matches!(
        delivered,
        Delivery::FastForward { .. } | Delivery::Nothing
    ));
    commit
}

#[test]
fn a_step_cut_off_on_either_side_is_repeated() {
    let untouched = Project::git(FILES);
    let expected = work(&untouched);
    for point in [
        "prepared.move.before",
        "prepared.move.after",
        "prepared.rename.before",
        "prepared.rename.after",
        "workspace.prepare.before",
        "workspace.lay.before",
        "workspace.lay.after",
        "workspace.prepare.after",
        "collect.before",
        "collect.after",
        "checkout.before",
        "merge.before",
        "merge.after",
        "ref.update.before",
        "ref.update.after",
        "deliver.write.before",
        "deliver.file.after",
        "deliver.write.after",
    ] {
        let project = Project::git(FILES);
        let before = user_fingerprint(project.path()).unwrap();
        POINT.with(|cell| cell.set((point, 0)));
        let cut = catch_unwind(AssertUnwindSafe(|| work(&project)));
        assert!(cut.is_err(), "{point} was not reached");
        if !point.starts_with("deliver.") {
            assert_eq!(user_fingerprint(project.path()).unwrap(), before, "{point}");
        }
        assert_eq!(work(&project), expected, "{point}");
        assert_eq!(project.run_git(&["status", "--porcelain"]), "", "{point}");
        assert_eq!(
            project.run_git(&["rev-parse", "HEAD"]),
            expected.as_str(),
            "{point}"
        );
    }
}

#[test]
fn tasks_side_by_side_disturb_nobody() {
    let project = Project::git(&[("a", "1"), ("dir/b", "2")]);
    let pool = project.pool();
    let base = base(&pool).commit;
    let mut snapshots = Vec::new();
    std::thread::scope(|scope| {
        let task = |task: u32| {
            let (pool, base) = (&pool, &base);
            move || {
                let mut snapshots = Vec::new();
                for round in 0..3 {
                    let workspace = pool
                        .worktree(RUN, TaskNo(task * 10 + round), 1, base)
                        .unwrap();
                    write(workspace.path.join(format!("made-{task}-{round}")), "x");
                    let snapshot = collect(pool, &workspace).snapshot;
                    let checkout = pool.checkout(&snapshot.tree, None).unwrap();
                    assert_eq!(
                        std::fs::read_dir(checkout.path()).unwrap().count(),
                        4,
                        "`a`, `dir`, the made file and `.git`"
                    );
                    pool.release(&workspace).unwrap();
                    snapshots.push(snapshot);
                }
                snapshots
            }
        };
        let threads: Vec<_> = (0..6).map(|number| scope.spawn(task(number))).collect();
        for thread in threads {
            snapshots.extend(thread.join().unwrap());
        }
    });
    let mut head = base.clone();
    for snapshot in &snapshots {
        let merged = pool
            .repo()
            .merge(&head, snapshot, "m\n", OPTIONS.at)
            .unwrap();
        let Merged::Clean { commit, .. } = merged else {
            panic!("{merged:?}")
        };
        head = commit;
    }
    assert_eq!(list(pool.repo(), &head).len(), 2 + 6 * 3);
    git(
        &project.file(".divisi/repo.git"),
        &["fsck", "--strict", "--no-dangling"],
    );
}
