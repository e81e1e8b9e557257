//! What hostile agents leave in their workspaces, and what becomes of it.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use divisi_core::TaskNo;
use divisi_engine::workspace::CollectOptions;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::project::{OPTIONS, Project, RUN, collect, git, refusals, text, write};

pub(crate) fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn with(deliverables: &[&str], check: impl FnOnce(&Path) -> Vec<&'static str>) {
    let project = Project::git(&[("a", "1"), (".gitignore", "ignored/\n")]);
    let (pool, workspace) = project.worktree();
    let expected = check(&workspace.path);
    let deliverables: Vec<String> = deliverables.iter().map(|&d| d.to_owned()).collect();
    let options = CollectOptions {
        deliverables: &deliverables,
        ..OPTIONS
    };
    assert_eq!(refusals(pool.collect(&workspace, &options)), expected);
}

#[test]
fn a_deliverable_that_is_a_link_is_refused() {
    with(&["d"], |path| {
        symlink("/etc/passwd", path.join("d")).unwrap();
        vec!["take d: a deliverable must be a file, it is a link"]
    });
    with(&["d/e"], |path| {
        symlink("/etc", path.join("d")).unwrap();
        vec!["take d/e: a deliverable must be a file, it is a link"]
    });
}

#[test]
fn a_deliverable_that_is_a_fifo_or_ignored_fifo_is_refused() {
    with(&["ignored/d"], |path| {
        std::fs::create_dir(path.join("ignored")).unwrap();
        fifo(&path.join("ignored/d"));
        vec!["take ignored/d: it is a FIFO, not a file"]
    });
}

#[test]
fn a_sparse_giant_is_refused_unopened() {
    let giant = |path: &Path| {
        std::fs::File::create(path)
            .unwrap()
            .set_len(1 << 40)
            .unwrap()
    };
    with(&["d"], |path| {
        giant(&path.join("d"));
        vec!["take d: 1099511627776 bytes, at most 1048576 together"]
    });
    with(&[], |path| {
        giant(&path.join("d"));
        vec!["take d: 1099511627776 bytes, at most 1048576 together"]
    });
}

#[test]
fn deliverables_outside_are_refused() {
    with(
        &["../../x", "/etc/passwd", ".git/config", "a/../../b"],
        |_| {
            vec![
                "take ../../x: the path leads outside the workspace",
                "take .git/config: the path leads outside the workspace",
                "take /etc/passwd: the path leads outside the workspace",
                "take a/../../b: the path leads outside the workspace",
            ]
        },
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    with(&[], |path| {
        fifo(&path.join("fifo"));
        UnixListener::bind(path.join("socket")).unwrap();
        symlink("/etc/passwd", path.join("out")).unwrap();
        symlink("../../../x", path.join("up")).unwrap();
        git(path, &["init", "--quiet", "nested"]);
        write(path.join("dir/.GIT/config"), "x");
        write(path.join("dir/git~1"), "x");
        vec![
            "take \"dir/.GIT\": the name means .git on other systems",
            "take \"dir/git~1\": the name means .git on other systems",
            "take fifo: it is a FIFO, not a file",
            "take nested: it is a repository of its own",
            "take out: it is a link to /etc/passwd, outside the workspace",
            "take socket: it is a socket, not a file",
            "take up: it is a link to ../../../x, outside the workspace",
        ]
    });
}

#[test]
fn what_is_ignored_may_be_anything() {
    let project = Project::git(&[("a", "1"), (".gitignore", "ignored/\n")]);
    let (pool, workspace) = project.worktree();
    let ignored = workspace.path.join("ignored");
    std::fs::create_dir(&ignored).unwrap();
    fifo(&ignored.join("fifo"));
    symlink("/etc/passwd", ignored.join("out")).unwrap();
    git(&ignored, &["init", "--quiet", "nested"]);
    std::fs::File::create(ignored.join("huge"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    for file in 0..20 {
        write(ignored.join(format!("large-{file}")), &"x".repeat(100_000));
    }
    write(workspace.path.join("a"), "2");
    assert_eq!(collect(&pool, &workspace).changed, ["a"]);
}

#[test]
fn files_that_git_itself_would_read_are_never_fifos() {
    for name in [".gitignore", "deep/.gitignore", ".gitattributes"] {
        let project = Project::git(&[("a", "1")]);
        let (pool, workspace) = project.worktree();
        std::fs::create_dir_all(workspace.path.join("deep")).unwrap();
        fifo(&workspace.path.join(name));
        // Something to ask git about, had it come to that.
        symlink("/etc/passwd", workspace.path.join("out")).unwrap();
        let told = refusals(pool.collect(&workspace, &OPTIONS));
        assert_eq!(told, [format!("take {name}: it is a FIFO, not a file")]);
    }
}

#[test]
fn many_small_files_count_together() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    for file in 0..20 {
        write(
            workspace.path.join(format!("f{file}")),
            &"x".repeat(100_000 + file),
        );
    }
    assert_eq!(
        refusals(pool.collect(&workspace, &OPTIONS)),
        ["take f19: 2000190 bytes, at most 1048576 together"]
    );
}

#[test]
fn names_that_mean_something_else_elsewhere_are_refused() {
    let project = Project::git(&[("README", "1"), ("src/a", "1")]);
    let (pool, workspace) = project.worktree();
    write(workspace.path.join("readme"), "x");
    write(workspace.path.join("SRC/b"), "x");
    write(workspace.path.join("esc\u{1b}[2J"), "x");
    assert_eq!(
        refusals(pool.collect(&workspace, &OPTIONS)),
        [
            "take \"esc\\u{1b}[2J\": the name holds a control character",
            "take SRC/b: its name differs from src by letter case only",
            "take readme: its name differs from README by letter case only",
        ]
    );
}

#[test]
fn folders_nested_beyond_reason_are_refused() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    std::fs::create_dir_all(workspace.path.join("d/".repeat(400))).unwrap();
    write(workspace.path.join("d/".repeat(399)).join("f"), "x");
    let told = refusals(pool.collect(&workspace, &OPTIONS));
    assert!(
        told[0].ends_with("folders are nested more than 128 deep"),
        "{told:?}"
    );
}

#[test]
fn a_secret_is_refused_by_file_and_masked_afterwards() {
    let project = Project::git(&[("a", "1"), (".gitignore", "ignored\n")]);
    let (pool, workspace) = project.worktree();
    write(
        workspace.path.join("env.txt"),
        "PATH=/bin\nKEY=sk-very-secret\n",
    );
    write(workspace.path.join("ignored"), "sk-very-secret");
    let secrets = ["sk-very-secret".to_owned()];
    let options = CollectOptions {
        secrets: &secrets,
        ..OPTIONS
    };
    assert_eq!(
        refusals(pool.collect(&workspace, &options)),
        ["take env.txt: it holds the value of a secret"]
    );
    let mut masked = pool.mask_secrets(&workspace, &secrets, 1 << 20).unwrap();
    masked.sort();
    assert_eq!(masked, ["env.txt", "ignored"]);
    let collected = pool.collect(&workspace, &options).unwrap();
    assert_eq!(
        text(pool.repo(), &collected.snapshot.commit, "env.txt"),
        "PATH=/bin\nKEY=**************\n"
    );
    // It stands nowhere any more, in no object either (they are compressed; this shows the rest).
    let grep = std::process::Command::new("grep")
        .args(["-rl", "sk-very-secret"])
        .arg(project.file(".divisi"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&grep.stdout), "");
}

#[test]
fn a_workspace_exchanged_for_a_link_is_not_followed() {
    let project = Project::git(&[("a", "1")]);
    let (pool, workspace) = project.worktree();
    let outside = tempfile::tempdir().unwrap();
    write(outside.path().join("precious"), "x");
    std::fs::rename(&workspace.path, project.file("moved")).unwrap();
    symlink(outside.path(), &workspace.path).unwrap();
    let error = pool.collect(&workspace, &OPTIONS).unwrap_err();
    assert_eq!(
        error.to_string(),
        "use workspace run-1-t1-1: its folder is gone"
    );
    pool.release(&workspace).unwrap();
    assert!(pool.worktree(RUN, TaskNo(2), 1, &workspace.base).is_err());
    assert!(outside.path().join("precious").exists());
}

/// Plants every program that git could be made to run, each of which leaves a mark.
fn plant(git_dir: &Path, tree: &Path, mark: &Path) {
    let program = tree.join("evil.sh");
    write(
        &program,
        &format!("#!/bin/sh\necho ran >> {}\ncat\n", mark.display()),
    );
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap();
    let hooks = git_dir.join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "pre-commit",
        "post-commit",
        "post-checkout",
        "post-merge",
        "reference-transaction",
        "post-index-change",
        "pre-merge-commit",
        "post-rewrite",
        "pre-auto-gc",
        "update",
        "prepare-commit-msg",
        "commit-msg",
        "post-receive",
        "pre-receive",
        "fsmonitor-watchman",
    ] {
        std::fs::copy(program, hooks.join(hook)).unwrap();
    }
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {program}\n\tpager = {program}\n\
         \teditor = {program}\n\thooksPath = {}\n\tsshCommand = {program}\n\
         [filter \"evil\"]\n\tclean = {program}\n\tsmudge = {program}\n\trequired = true\n\
         [filter \"worse\"]\n\tprocess = {program}\n\
         [diff]\n\texternal = {program}\n[diff \"evil\"]\n\ttextconv = {program}\n\
         \tcommand = {program}\n[merge \"evil\"]\n\tdriver = {program} %O %A %B\n\
         [commit]\n\tgpgSign = true\n[gpg]\n\tprogram = {program}\n\
         [credential]\n\thelper = {program}\n[uploadpack]\n\tpackObjectsHook = {program}\n\
         [pager]\n\tdiff = {program}\n\tlog = {program}\n[log]\n\tshowSignature = true\n",
        hooks.display()
    );
    std::fs::write(git_dir.join("config"), config).unwrap();
    write(
        tree.join(".gitattributes"),
        "*.x filter=evil diff=evil merge=evil\n*.y filter=worse merge=evil\n",
    );
    write(tree.join("f.x"), "x");
    write(tree.join("f.y"), "y");
}

#[test]
fn nothing_planted_in_a_workspace_ever_runs() {
    let project = Project::git(&[("a", "1"), ("f.x", "old")]);
    let mark = project
        .file("../")
        .join(format!("{}-mark", project.path().display()));
    let (pool, workspace) = project.worktree();
    plant(&workspace.path.join(".git"), &workspace.path, &mark);
    let other = pool.worktree(RUN, TaskNo(2), 1, &workspace.base).unwrap();
    write(other.path.join("f.x"), "old\nmore");
    write(other.path.join("b"), "2");
    let head = collect(&pool, &other).snapshot.commit;
    let collected = collect(&pool, &workspace);
    assert_eq!(text(pool.repo(), &collected.snapshot.commit, "f.x"), "x");
    let merged = pool
        .repo()
        .merge(&head, &collected.snapshot, "m", OPTIONS.at)
        .unwrap();
    assert!(
        matches!(merged, divisi_engine::repo::Merged::Conflict { .. }),
        "{merged:?}"
    );
    let checkout = pool.checkout(&collected.snapshot.tree, None).unwrap();
    assert!(checkout.path().join("f.x").exists());
    let form = divisi_engine::repo::DiffForm::Patch;
    pool.repo()
        .diff(&workspace.base, &collected.snapshot.commit, &[], form)
        .unwrap();
    pool.release(&workspace).unwrap();
    pool.worktree(RUN, TaskNo(3), 1, &collected.snapshot.commit)
        .unwrap();
    assert!(!mark.exists());
}

#[test]
fn nothing_planted_in_the_private_repository_ever_runs() {
    let project = Project::git(&[("a", "1"), ("f.x", "old")]);
    let mark = project
        .file("../")
        .join(format!("{}-mark", project.path().display()));
    let (pool, workspace) = project.worktree();
    let git_dir = project.file(".divisi/repo.git");
    plant(&git_dir, &workspace.path, &mark);
    std::fs::write(
        git_dir.join("commondir"),
        workspace.path.join(".git").to_str().unwrap(),
    )
    .unwrap();
    let collected = collect(&pool, &workspace);
    pool.repo()
        .update_ref(RUN, None, &collected.snapshot.commit)
        .unwrap();
    pool.worktree(RUN, TaskNo(2), 1, &collected.snapshot.commit)
        .unwrap();
    assert!(!mark.exists());
    let config = std::fs::read_to_string(git_dir.join("config")).unwrap();
    assert!(!config.contains("evil"), "{config}");
}

#[test]
fn nothing_of_the_users_repository_runs_either() {
    let project = Project::git(&[("a", "1"), ("f.x", "old"), ("f.y", "old")]);
    let mark = project
        .file("../")
        .join(format!("{}-mark", project.path().display()));
    let keep = std::fs::read_to_string(project.file(".git/config")).unwrap();
    plant(&project.file(".git"), project.path(), &mark);
    let pool = project.pool();
    let options = divisi_engine::repo::BaseOptions {
        include_dirty: true,
        ..Default::default()
    };
    let base = pool.repo().base(&options).unwrap();
    assert!(base.included);
    assert!(
        base.warnings.iter().any(|w| w.code == "repo-filters"),
        "{:?}",
        base.warnings
    );
    pool.worktree(RUN, TaskNo(1), 1, &base.commit).unwrap();
    assert!(!mark.exists());
    // The marks work: the same repository runs them for its user.
    std::fs::write(
        project.file(".git/config"),
        keep + "\tfsmonitor = ./evil.sh\n",
    )
    .unwrap();
    project.run_git(&["status"]);
    assert!(mark.exists());
    std::fs::remove_file(mark).unwrap();
}
