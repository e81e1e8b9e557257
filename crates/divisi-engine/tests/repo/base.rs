//! Bases from every kind of project, and the user's repository untouched.

use divisi_core::TaskNo;
use divisi_engine::repo::{Base, BaseOptions, Fault, Repo, user_fingerprint};

use crate::project::{Project, RUN, base, entries, git, list, text, write};

fn dirty() -> BaseOptions {
    BaseOptions {
        rev: None,
        include_dirty: true,
    }
}

fn codes(base: &Base) -> Vec<&str> {
    base.warnings
        .iter()
        .map(|warning| warning.code.as_str())
        .collect()
}

fn open(project: &Project) -> Result<Repo, Fault> {
    Repo::open(&project.file(".divisi"), project.path())
}

#[test]
fn a_clean_repository_is_its_head() {
    let project = Project::git(&[("a", "1"), ("dir/b", "2")]);
    let repo = project.repo();
    let base = repo.base(&BaseOptions::default()).unwrap();
    assert_eq!(
        base.commit.as_str(),
        project.run_git(&["rev-parse", "HEAD"])
    );
    assert_eq!(base.described, format!("main ({})", base.commit.short()));
    assert!(base.uncommitted.is_empty() && !base.included && base.warnings.is_empty());
    assert_eq!(list(&repo, &base.commit), ["a", "dir/b"]);
    assert_eq!(project.run_git(&["status", "--porcelain"]), "");
}

#[test]
fn nothing_but_merge_leaves_a_trace() {
    let project = Project::git(&[("a", "1"), ("b", "2"), (".gitignore", "ignored\n")]);
    write(project.file("a"), "changed");
    write(project.file("staged"), "x");
    project.run_git(&["add", "staged"]);
    write(project.file("untracked"), "x");
    write(project.file("ignored"), "x");
    write(project.file(".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n");
    let before = user_fingerprint(project.path()).unwrap();
    let pool = project.pool();
    let base = pool.repo().base(&dirty()).unwrap();
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base.commit).unwrap();
    write(workspace.path.join("made"), "x");
    let snapshot = crate::project::collect(&pool, &workspace).snapshot;
    pool.repo().update_ref(RUN, None, &snapshot.commit).unwrap();
    let tree = pool.repo().tree_of(&snapshot.commit).unwrap();
    drop(pool.checkout(&tree, None).unwrap());
    pool.gc(false, &|_| divisi_engine::workspace::Proof::Integrated)
        .unwrap();
    assert_eq!(user_fingerprint(project.path()).unwrap(), before);
    // The fingerprint sees a change of each kind.
    for path in [
        "a",
        ".git/hooks/pre-commit",
        ".git/config",
        "new",
        ".git/refs/heads/x",
    ] {
        write(
            project.file(path),
            &format!("{}\n", before.files["git:HEAD"]),
        );
        let after = user_fingerprint(project.path());
        assert!(after.is_err() || after.unwrap() != before, "{path}");
    }
}

#[test]
fn uncommitted_work_is_named_and_included_if_asked() {
    let project = Project::git(&[
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
        (".gitignore", "ignored\n"),
    ]);
    write(project.file("a"), "changed");
    write(project.file("staged"), "x");
    project.run_git(&["add", "staged"]);
    std::fs::remove_file(project.file("b")).unwrap();
    write(project.file("new/file"), "x");
    write(project.file("ignored"), "x");
    let repo = project.repo();
    let named = repo.base(&BaseOptions::default()).unwrap();
    assert_eq!(named.uncommitted, ["a", "b", "new/file", "staged"]);
    assert_eq!(named.uncommitted_count, 4);
    assert!(!named.included);
    assert_eq!(list(&repo, &named.commit), [".gitignore", "a", "b", "c"]);

    let included = repo.base(&dirty()).unwrap();
    assert!(included.included);
    assert_eq!(
        list(&repo, &included.commit),
        [".gitignore", "a", "c", "new/file", "staged"]
    );
    assert_eq!(text(&repo, &included.commit, "a"), "changed");
    assert_eq!(repo.base(&dirty()).unwrap().commit, included.commit);
}

#[test]
fn work_that_was_staged_after_an_earlier_run_is_included() {
    let project = Project::git(&[("a", "1")]);
    let repo = project.repo();
    // The commit is known from now on.
    let _ = repo.base(&BaseOptions::default()).unwrap();
    write(project.file("a"), "staged");
    project.run_git(&["add", "a"]);
    let included = repo.base(&dirty()).unwrap();
    assert_eq!(text(&repo, &included.commit, "a"), "staged");
}

#[test]
fn a_change_that_looks_like_none_is_seen() {
    let project = Project::git(&[("a", "1")]);
    // The same size, and the time that the index has: only the bytes tell.
    let time = std::fs::metadata(project.file("a"))
        .unwrap()
        .modified()
        .unwrap();
    let set = |path: &str| {
        let file = std::fs::File::options()
            .write(true)
            .open(project.file(path))
            .unwrap();
        file.set_modified(time).unwrap();
    };
    write(project.file("a"), "2");
    set("a");
    set(".git/index");
    let base = project.repo().base(&dirty()).unwrap();
    assert_eq!(base.uncommitted, ["a"]);
    assert_eq!(text(&project.repo(), &base.commit, "a"), "2");
}

#[test]
fn another_revision_can_be_the_base_but_not_with_uncommitted_work() {
    let project = Project::git(&[("a", "1")]);
    write(project.file("a"), "2");
    project.run_git(&["commit", "--quiet", "--all", "--message=second"]);
    write(project.file("a"), "3");
    let repo = project.repo();
    let at = |rev: &str, include_dirty| {
        repo.base(&BaseOptions {
            rev: Some(rev.into()),
            include_dirty,
        })
    };
    let first = at("HEAD~1", false).unwrap();
    assert_eq!(text(&repo, &first.commit, "a"), "1");
    assert_eq!(first.uncommitted, ["a"]);
    assert!(matches!(
        at("HEAD~1", true),
        Err(Fault::DirtyElsewhere { .. })
    ));
    for rev in ["nowhere", "--help", "HEAD:a", "-", "main..", "HEAD~9"] {
        assert!(
            matches!(at(rev, false), Err(Fault::NoRevision { .. })),
            "{rev}"
        );
    }
}

#[test]
fn an_empty_repository_has_an_empty_base() {
    let project = Project::git(&[]);
    write(project.file("a"), "1");
    let repo = project.repo();
    let base = repo.base(&BaseOptions::default()).unwrap();
    assert_eq!(base.described, "an empty repository");
    assert_eq!(base.uncommitted, ["a"]);
    assert_eq!(list(&repo, &base.commit), [""; 0]);
    let base = repo.base(&dirty()).unwrap();
    assert_eq!(list(&repo, &base.commit), ["a"]);
}

#[test]
fn a_detached_head_is_said() {
    let project = Project::git(&[("a", "1")]);
    project.run_git(&["checkout", "--quiet", "--detach"]);
    let base = project.repo().base(&BaseOptions::default()).unwrap();
    assert_eq!(
        base.described,
        format!("detached HEAD ({})", base.commit.short())
    );
}

#[test]
fn submodules_stay_empty_and_are_said() {
    let inner = Project::git(&[("x", "1")]);
    let project = Project::git(&[("a", "1")]);
    let path = inner.path().to_str().unwrap();
    let allow = ["-c", "protocol.file.allow=always"];
    project.run_git(&[&allow[..], &["submodule", "--quiet", "add", path, "sub"]].concat());
    project.run_git(&["commit", "--quiet", "--message=sub"]);
    write(project.file("sub/x"), "changed inside");
    write(project.file("a"), "2");
    let pool = project.pool();
    let base = pool.repo().base(&dirty()).unwrap();
    assert_eq!(codes(&base), ["repo-submodules"]);
    assert_eq!(base.uncommitted, ["a"]);
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base.commit).unwrap();
    assert_eq!(entries(&workspace.path.join("sub")), [""; 0]);
    write(workspace.path.join("a"), "3");
    assert_eq!(crate::project::collect(&pool, &workspace).changed, ["a"]);
    write(workspace.path.join("sub/file"), "lost otherwise");
    let told = crate::project::refusals(pool.collect(&workspace, &crate::project::OPTIONS));
    assert_eq!(
        told,
        ["take sub/file: it lies in a submodule, which is not part of the tree"]
    );
}

#[test]
fn large_files_stay_pointers_and_are_said() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    let project = Project::git(&[
        (
            ".gitattributes",
            "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        ),
        ("big.bin", pointer),
    ]);
    project.run_git(&["config", "filter.lfs.clean", "false"]);
    project.run_git(&["config", "filter.lfs.required", "true"]);
    // As LFS leaves it: the file has its content, the repository the pointer.
    write(project.file("big.bin"), "a large file's content");
    write(project.file("a"), "1");
    let pool = project.pool();
    let base = pool.repo().base(&dirty()).unwrap();
    assert_eq!(codes(&base), ["repo-filters", "repo-filters"]);
    assert!(
        base.warnings[1].cause.ends_with("left out: big.bin"),
        "{:?}",
        base.warnings
    );
    assert_eq!(text(pool.repo(), &base.commit, "big.bin"), pointer);
    assert_eq!(text(pool.repo(), &base.commit, "a"), "1");
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &base.commit).unwrap();
    assert_eq!(
        std::fs::read_to_string(workspace.path.join("big.bin")).unwrap(),
        pointer
    );
    assert_eq!(crate::project::collect(&pool, &workspace).changed, [""; 0]);
}

#[test]
fn a_shallow_clone_has_what_it_has() {
    let origin = Project::git(&[("a", "1")]);
    write(origin.file("a"), "2");
    origin.run_git(&["commit", "--quiet", "--all", "--message=second"]);
    let project = Project::folder(&[]);
    let url = format!("file://{}", origin.path().display());
    project.run_git(&["clone", "--quiet", "--depth=1", &url, "clone"]);
    let clone = project.file("clone");
    let repo = Repo::open(&clone.join(".divisi"), &clone).unwrap();
    let base = repo.base(&BaseOptions::default()).unwrap();
    assert_eq!(codes(&base), ["repo-shallow"]);
    assert_eq!(text(&repo, &base.commit, "a"), "2");
}

#[test]
fn missing_objects_are_found_before_a_task_meets_them() {
    let project = Project::git(&[("a", "1"), ("b", "2")]);
    let blob = project.run_git(&["rev-parse", "HEAD:b"]);
    std::fs::remove_file(project.file(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..])))
        .unwrap();
    let fault = project.repo().base(&BaseOptions::default()).unwrap_err();
    assert!(matches!(fault, Fault::Incomplete { .. }), "{fault}");
}

#[test]
fn what_the_user_prunes_stays() {
    let project = Project::git(&[("a", "1")]);
    write(project.file("a"), "2");
    project.run_git(&["commit", "--quiet", "--all", "--message=second"]);
    project.run_git(&["gc", "--quiet"]);
    write(project.file("a"), "3");
    project.run_git(&["commit", "--quiet", "--all", "--message=third"]);
    let repo = project.repo();
    let base = repo.base(&BaseOptions::default()).unwrap();
    project.run_git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    project.run_git(&["reflog", "expire", "--expire=now", "--all"]);
    project.run_git(&["gc", "--quiet", "--prune=now"]);
    assert_eq!(text(&repo, &base.commit, "a"), "3");
    drop(repo);
    let repo = project.repo();
    assert_eq!(text(&repo, &base.commit, "a"), "3");
    git(
        &project.file(".divisi/repo.git"),
        &["fsck", "--no-dangling"],
    );
}

#[test]
fn a_clone_that_borrows_objects_and_a_second_worktree_are_repositories_too() {
    let origin = Project::git(&[("a", "1")]);
    let project = Project::folder(&[]);
    let path = origin.path().to_str().unwrap();
    project.run_git(&["clone", "--quiet", "--shared", path, "clone"]);
    let clone = project.file("clone");
    git(
        &clone,
        &["worktree", "add", "--quiet", "-b", "other", "../second"],
    );
    write(project.file("second/b"), "2");
    for folder in [clone, project.file("second")] {
        let before = user_fingerprint(&folder).unwrap();
        let repo = Repo::open(&folder.join(".divisi"), &folder).unwrap();
        let base = repo.base(&dirty()).unwrap();
        assert_eq!(text(&repo, &base.commit, "a"), "1");
        assert_eq!(base.included, folder.ends_with("second"));
        assert_eq!(user_fingerprint(&folder).unwrap(), before);
    }
}

#[test]
fn a_folder_within_a_repository_is_the_whole_repository() {
    let project = Project::git(&[("a", "1"), ("sub/b", "2"), (".gitignore", "target\n")]);
    let sub = project.file("sub");
    let repo = Repo::open(&sub.join(".divisi"), &sub).unwrap();
    let base = repo.base(&BaseOptions::default()).unwrap();
    assert_eq!(list(&repo, &base.commit), [".gitignore", "a", "sub/b"]);
    assert_eq!(base.uncommitted, [""; 0]);
    assert_eq!(project.run_git(&["status", "--porcelain"]), "");
    // One that the repository ignores is a project of its own.
    write(project.file("target/own/c"), "3");
    let own = project.file("target/own");
    let repo = Repo::open(&own.join(".divisi"), &own).unwrap();
    assert!(!repo.project_has_git());
    assert_eq!(
        list(&repo, &repo.base(&BaseOptions::default()).unwrap().commit),
        ["c"]
    );
}

#[test]
fn a_folder_without_git_is_taken_as_it_is() {
    let project = Project::folder(&[
        ("a", "1\r\n"),
        ("dir/b", "2"),
        (".gitignore", "junk\n"),
        (".gitattributes", "* text=auto eol=lf ident\n"),
        ("junk", "x"),
    ]);
    git(project.path(), &["init", "--quiet", "nested"]);
    write(project.file("nested/x"), "x");
    git(&project.file("nested"), &["add", "x"]);
    git(
        &project.file("nested"),
        &["commit", "--quiet", "--message=x"],
    );
    let before = user_fingerprint(project.path()).unwrap();
    let pool = project.pool();
    let first = base(&pool);
    assert_eq!(codes(&first), ["repo-nested"]);
    assert_eq!(first.described, "a folder without git");
    assert_eq!(
        list(pool.repo(), &first.commit),
        [".gitattributes", ".gitignore", "a", "dir/b"]
    );
    // The bytes are the folder's, whatever attributes say.
    assert_eq!(text(pool.repo(), &first.commit, "a"), "1\r\n");
    let workspace = pool.worktree(RUN, TaskNo(1), 1, &first.commit).unwrap();
    assert_eq!(
        std::fs::read_to_string(workspace.path.join("a")).unwrap(),
        "1\r\n"
    );
    assert_eq!(user_fingerprint(project.path()).unwrap(), before);

    write(project.file("a"), "2");
    std::fs::remove_file(project.file("dir/b")).unwrap();
    let second = base(&pool);
    assert_eq!(
        list(pool.repo(), &second.commit),
        [".gitattributes", ".gitignore", "a"]
    );
    assert_eq!(text(pool.repo(), &second.commit, "a"), "2");
    let at = pool.repo().base(&BaseOptions {
        rev: Some("HEAD".into()),
        include_dirty: false,
    });
    assert!(matches!(at, Err(Fault::NoRevision { .. })));
}

#[test]
fn what_is_no_project_is_refused_by_name() {
    let bare = Project::folder(&[]);
    bare.run_git(&["init", "--quiet", "--bare"]);
    assert!(matches!(open(&bare), Err(Fault::Bare(_))));

    let project = Project::git(&[("a", "1")]);
    let inside = project.file(".git/hooks");
    std::fs::create_dir_all(&inside).unwrap();
    assert!(matches!(
        Repo::open(&inside.join(".divisi"), &inside),
        Err(Fault::Bare(_))
    ));

    let (_pool, workspace) = project.worktree();
    let nested = Repo::open(&workspace.path.join(".divisi"), &workspace.path);
    assert!(matches!(nested, Err(Fault::InsideDivisi(_))));

    let broken = Project::git(&[("a", "1")]);
    write(broken.file(".git/config"), "[core\n");
    let fault = open(&broken).unwrap_err();
    assert!(matches!(fault, Fault::Unreadable { .. }), "{fault}");
    assert!(!broken.file(".divisi").exists());
}

#[test]
fn a_repository_with_sha256_works_too() {
    let project = Project::folder(&[("a", "1")]);
    project.run_git(&["init", "--quiet", "--object-format=sha256"]);
    project.run_git(&["add", "a"]);
    project.run_git(&["commit", "--quiet", "--message=first"]);
    let (pool, workspace) = project.worktree();
    assert_eq!(workspace.base.as_str().len(), 64);
    write(workspace.path.join("b"), "2");
    let collected = crate::project::collect(&pool, &workspace);
    assert_eq!(collected.changed, ["b"]);
    assert_eq!(git(&workspace.path, &["status", "--porcelain"]), "?? b");
}

#[test]
fn the_users_own_ignored_names_are_ignored_everywhere() {
    let project = Project::git(&[("a", "1")]);
    write(project.file(".git/info/exclude"), "*.swp\n");
    write(project.file("x.swp"), "x");
    let (pool, workspace) = project.worktree();
    assert_eq!(base(&pool).uncommitted, [""; 0]);
    write(workspace.path.join("y.swp"), "x");
    assert_eq!(crate::project::collect(&pool, &workspace).changed, [""; 0]);
}
