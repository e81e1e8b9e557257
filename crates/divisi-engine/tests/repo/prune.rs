//! Cleaning up the private repository: what nobody needs goes, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use divisi_core::{Commit, TaskNo};
use divisi_engine::repo::{BaseOptions, Needed, Prune, Pruned, Repo};
use divisi_engine::workspace::{Pool, PoolOptions, Proof};

use crate::deliver::{FILES, run};
use crate::project::{Project, RUN, base, collect, entries, git, list, text, write};

/// Makes all objects of the private repository older than any that is spared for its youth.
fn age(project: &Project) {
    let long_ago = SystemTime::now() - Duration::from_secs(7 * 24 * 3600);
    let mut worklist = vec![project.file(".divisi/repo.git/objects")];
    while let Some(folder) = worklist.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                worklist.push(path);
            } else {
                let file = std::fs::File::open(path).unwrap();
                file.set_modified(long_ago).unwrap();
            }
        }
    }
}

fn needed(commits: &[&Commit]) -> Needed {
    Needed {
        commits: commits.iter().map(|commit| (*commit).clone()).collect(),
        indexes: Vec::new(),
    }
}

/// Prunes once to see and once for good, which must agree on the objects; then nothing is left.
fn prune(project: &Project, needed: &Needed) -> Pruned {
    let repo = project.repo();
    let before = files(project);
    let told = repo.prune(needed, Prune::DryRun).unwrap().unwrap();
    assert_eq!(files(project), before, "it was only said");
    let pruned = repo.prune(needed, Prune::Now).unwrap().unwrap();
    assert_eq!(
        (told.packs, told.pack_bytes),
        (pruned.packs, pruned.pack_bytes)
    );
    if told.packs == 0 {
        assert_eq!(told, pruned);
    }
    is_whole(project);
    let again = repo.prune(needed, Prune::Now).unwrap().unwrap();
    assert_eq!((again.objects, again.packs), (0, 0), "{again:?}");
    pruned
}

fn files(project: &Project) -> BTreeSet<String> {
    let objects = project.file(".divisi/repo.git/objects");
    let find = |folder: &Path| entries(folder);
    let folders = find(&objects).into_iter();
    folders
        .flat_map(|folder| {
            let names = find(&objects.join(&folder)).into_iter();
            names.map(move |name| format!("{folder}/{name}"))
        })
        .collect()
}

/// Everything that a reference of the private repository leads to is there.
fn is_whole(project: &Project) {
    let repo = project.file(".divisi/repo.git");
    git(&repo, &["fsck", "--strict", "--no-dangling"]);
}

fn is_there(project: &Project, commit: &Commit) -> bool {
    project.repo().tree_of(commit).is_ok()
}

#[test]
fn what_was_integrated_otherwise_goes_and_the_result_stays() {
    let done = run(Project::git(FILES), false);
    let project = &done.project;
    let pool = &done.pool;
    let second = pool.worktree(RUN, TaskNo(2), 1, &done.base).unwrap();
    let two = collect(pool, &second).snapshot.commit;
    age(project);
    let pruned = prune(project, &needed(&[&done.base, &done.head]));
    // The second task's commit; its tree without `b` and with the old `a` stands nowhere else.
    assert_eq!(pruned.objects, 2);
    assert!(pruned.bytes > 0);
    assert!(!is_there(project, &two));
    for commit in [&done.base, &done.middle, &done.head] {
        assert!(is_there(project, commit));
    }
    assert_eq!(list(&project.repo(), &done.head), ["a", "c", "dir/new"]);
    let merged = project.repo().merge_to_user(&done.options());
    assert!(merged.is_ok(), "{merged:?}");
}

#[test]
fn a_runs_reference_and_what_is_asked_for_is_enough_to_keep() {
    let done = run(Project::git(FILES), false);
    let second = done.pool.worktree(RUN, TaskNo(2), 1, &done.base).unwrap();
    let two = collect(&done.pool, &second).snapshot.commit;
    age(&done.project);
    assert_eq!(prune(&done.project, &needed(&[&two])).objects, 0);
    assert!(is_there(&done.project, &two) && is_there(&done.project, &done.head));
}

#[test]
fn young_objects_stay() {
    let done = run(Project::git(FILES), false);
    let before = files(&done.project);
    assert_eq!(prune(&done.project, &Needed::default()), Pruned::default());
    assert_eq!(files(&done.project), before);
}

#[test]
fn nothing_goes_while_somebody_is_about_to_name_what_he_made() {
    let project = Project::git(FILES);
    write(project.file("a"), "uncommitted");
    let repo = project.repo();
    let options = BaseOptions {
        rev: None,
        include_dirty: true,
    };
    let base = repo.base(&options).unwrap();
    age(&project);
    let before = files(&project);
    assert_eq!(repo.prune(&Needed::default(), Prune::Now).unwrap(), None);
    assert_eq!(files(&project), before);
    let commit = base.commit.clone();
    drop(base);
    assert!(
        repo.prune(&Needed::default(), Prune::Now)
            .unwrap()
            .is_some()
    );
    assert!(!is_there(&project, &commit));

    let done = run(Project::git(FILES), false);
    write(done.project.file("c"), "went on\n");
    done.git(&["commit", "--quiet", "--all", "--message=own"]);
    let repo = done.pool.repo();
    let preview = repo.preview(&done.options()).unwrap();
    age(&done.project);
    assert_eq!(repo.prune(&Needed::default(), Prune::Now).unwrap(), None);
    let _ = repo.carry_out(&preview).unwrap();
}

#[test]
fn a_workspace_that_stays_can_be_collected_again() {
    let (project, pool, workspace) = {
        let project = Project::git(FILES);
        let (pool, workspace) = project.worktree();
        (project, pool, workspace)
    };
    write(workspace.path.join("one"), "1");
    let one = collect(&pool, &workspace).snapshot.commit;
    drop(pool);
    age(&project);
    let open = |project: &Project| {
        let options = PoolOptions { kept: 0 };
        Arc::new(Pool::open(Arc::new(project.repo()), options).unwrap())
    };
    let pool = open(&project);
    let items = pool.gc(false, &|_| Proof::None).unwrap();
    let needed = pool.needed(&items);
    assert!(needed.commits.contains(&one) && needed.commits.contains(&workspace.base));
    drop(pool);
    // Even if nobody named the commits, the index alone keeps what the next one is made of.
    let index_only = Needed {
        commits: BTreeSet::from([workspace.base.clone()]),
        ..needed
    };
    prune(&project, &index_only);
    assert!(!is_there(&project, &one));
    write(workspace.path.join("two"), "2");
    let pool = open(&project);
    let again = pool.worktree(RUN, TaskNo(1), 1, &workspace.base).unwrap();
    let two = collect(&pool, &again).snapshot.commit;
    assert_eq!(list(pool.repo(), &two), ["a", "b", "c", "one", "two"]);
    assert_eq!(text(pool.repo(), &two, "one"), "1");
    is_whole(&project);
}

#[test]
fn a_folder_without_git_is_taken_in_again_after_all_of_it_went() {
    let project = Project::folder(FILES);
    let first = base(&project.pool()).commit;
    age(&project);
    prune(&project, &Needed::default());
    assert!(!is_there(&project, &first));
    // Nothing has changed, so that nothing is read again but the index.
    let again = base(&project.pool()).commit;
    assert_eq!(again, first);
    assert_eq!(list(&project.repo(), &again), ["a", "b", "c"]);
}

#[test]
fn a_commit_of_the_users_that_no_run_stands_on_is_forgotten_and_brought_in_again() {
    let project = Project::git(FILES);
    let old = base(&project.pool()).commit;
    write(project.file("a"), "went on");
    project.run_git(&["commit", "--quiet", "--all", "--message=second"]);
    let new = base(&project.pool()).commit;
    let references = || {
        let repo = project.file(".divisi/repo.git");
        git(&repo, &["for-each-ref", "--format=%(refname)"])
    };
    assert_eq!(references().lines().count(), 2);
    age(&project);
    prune(&project, &needed(&[&old]));
    assert_eq!(references(), format!("refs/divisi/base/{old}"));
    assert!(!is_there(&project, &new));
    assert_eq!(base(&project.pool()).commit, new);
    assert_eq!(text(&project.repo(), &new, "a"), "went on");
    is_whole(&project);
}

/// The packs of a repository's objects, by name.
fn packs(objects: &Path) -> Vec<String> {
    let mut names = entries(&objects.join("pack"));
    names.retain(|name| name.ends_with(".pack"));
    names
}

#[test]
fn packs_that_the_project_has_no_longer_are_packed_anew_and_shared_ones_left_alone() {
    let project = Project::git(FILES);
    let (of_user, ours) = (
        project.file(".git/objects"),
        project.file(".divisi/repo.git/objects"),
    );
    project.run_git(&["repack", "-a", "-d", "-q"]);
    let old = base(&project.pool()).commit;
    let first = packs(&of_user);
    assert_eq!(packs(&ours), first, "it is linked");
    assert_eq!(prune(&project, &needed(&[&old])).packs, 0);

    // The user packs anew, and a run brings the new pack in: the old one has nothing of its own.
    write(project.file("a"), "went on");
    project.run_git(&["commit", "--quiet", "--all", "--message=second"]);
    project.run_git(&["repack", "-a", "-d", "-q"]);
    let new = base(&project.pool()).commit;
    assert_eq!(packs(&ours).len(), 2);
    age(&project);
    let pruned = prune(&project, &needed(&[&old, &new]));
    assert!(pruned.packs == 1 && pruned.bytes > 0, "{pruned:?}");
    let left = packs(&ours);
    assert!(!left.contains(&first[0]), "all of it stands in the new one");
    assert!(left.contains(&packs(&of_user)[0]));

    // The user gives the history up: what runs stand on is ours alone, and stays.
    project.run_git(&["checkout", "--quiet", "--orphan", "other"]);
    project.run_git(&["commit", "--quiet", "--message=other"]);
    project.run_git(&["branch", "--quiet", "-D", "main"]);
    project.run_git(&["reflog", "expire", "--expire=now", "--all"]);
    project.run_git(&["gc", "--quiet", "--prune=now"]);
    age(&project);
    assert_eq!(prune(&project, &needed(&[&old])).packs, 1);
    assert_eq!(text(&project.repo(), &old, "a"), FILES[0].1);
    assert!(!is_there(&project, &new), "nobody needs it any more");
    is_whole(&project);
}

#[test]
fn a_cut_history_is_pruned_as_far_as_it_goes() {
    let origin = Project::git(FILES);
    write(origin.file("a"), "second");
    origin.run_git(&["commit", "--quiet", "--all", "--message=second"]);
    let project = Project::folder(&[]);
    let from = format!("file://{}", origin.path().display());
    project.run_git(&["clone", "--quiet", "--depth=1", &from, "clone"]);
    let repo = Repo::open(&project.file("clone/.divisi"), &project.file("clone")).unwrap();
    let base = repo.base(&BaseOptions::default()).unwrap();
    let needed = needed(&[&base.commit]);
    let commit = base.commit.clone();
    drop(base);
    assert!(repo.prune(&needed, Prune::Now).unwrap().is_some());
    assert_eq!(text(&repo, &commit, "a"), "second");
}
