//! A project folder with what tests do to it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use divisi_core::{Commit, RunId, TaskNo, Time};
use divisi_engine::files::Files;
use divisi_engine::repo::{Base, BaseOptions, Repo};
use divisi_engine::workspace::{
    CollectError, CollectOptions, Collected, Pool, PoolOptions, Refusal, Workspace,
};

pub(crate) const RUN: RunId = RunId(1);

/// A project in a folder of its own.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

/// Runs git as a user would, with no configuration of the machine.
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(["AUTHOR", "COMMITTER"].iter().flat_map(|who| {
            [
                (format!("GIT_{who}_NAME"), "user".to_owned()),
                (format!("GIT_{who}_EMAIL"), "user@example.org".to_owned()),
                (format!("GIT_{who}_DATE"), "1700000000 +0000".to_owned()),
            ]
        }))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn write(path: impl AsRef<Path>, text: &str) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

impl Project {
    /// A folder without git, with these files.
    pub(crate) fn folder(files: &[(&str, &str)]) -> Project {
        let project = Project {
            folder: tempfile::tempdir().unwrap(),
        };
        for (path, text) in files {
            write(project.path().join(path), text);
        }
        project
    }

    /// A repository with these files in one commit.
    pub(crate) fn git(files: &[(&str, &str)]) -> Project {
        let project = Project::folder(files);
        git(
            project.path(),
            &["init", "--quiet", "--initial-branch=main"],
        );
        if !files.is_empty() {
            git(project.path(), &["add", "--all"]);
            git(project.path(), &["commit", "--quiet", "--message=first"]);
        }
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub(crate) fn run_git(&self, args: &[&str]) -> String {
        git(self.path(), args)
    }

    pub(crate) fn repo(&self) -> Repo {
        Repo::open(&self.file(".divisi"), self.path()).unwrap()
    }

    pub(crate) fn pool(&self) -> Arc<Pool> {
        Arc::new(Pool::open(Arc::new(self.repo()), PoolOptions::default()).unwrap())
    }

    /// A pool, and a worktree of task 1 on HEAD.
    pub(crate) fn worktree(&self) -> (Arc<Pool>, Workspace) {
        let pool = self.pool();
        let base = base(&pool).commit;
        let workspace = pool.worktree(RUN, TaskNo(1), 1, &base).unwrap();
        (pool, workspace)
    }
}

pub(crate) fn base(pool: &Pool) -> Base {
    pool.repo().base(&BaseOptions::default()).unwrap()
}

pub(crate) const OPTIONS: CollectOptions<'static> = CollectOptions {
    message: "work\n",
    at: Time(1_700_000_000_000),
    deliverables: &[],
    bytes_max: 1 << 20,
    secrets: &[],
};

pub(crate) fn collect(pool: &Pool, workspace: &Workspace) -> Collected {
    pool.collect(workspace, &OPTIONS).unwrap()
}

/// What is refused, as text, sorted.
pub(crate) fn refusals(result: Result<Collected, CollectError>) -> Vec<String> {
    match result {
        Err(CollectError::Refused(refused)) => {
            let mut refused: Vec<String> = refused.iter().map(Refusal::to_string).collect();
            refused.sort();
            refused
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// The text of a file in a commit.
pub(crate) fn text(repo: &Repo, commit: &Commit, path: &str) -> String {
    let tree = repo.tree_of(commit).unwrap();
    let files = repo.files(&tree, None).unwrap();
    String::from_utf8(files.read(path, 1 << 20).unwrap()).unwrap()
}

/// All files of a commit.
pub(crate) fn list(repo: &Repo, commit: &Commit) -> Vec<String> {
    let tree = repo.tree_of(commit).unwrap();
    repo.files(&tree, None).unwrap().list().unwrap()
}

/// All entries of a folder but `.git`, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| name != ".git");
    names.sort();
    names
}
