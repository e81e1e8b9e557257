//! The private repository on disk, and the calls that act on it.

use std::fs;
use std::path::{Path, PathBuf};

use divisi_core::{Commit, RunId, Time, Tree};

use super::fault::Fault;
use super::git::{self, Call, Git};
use super::objects::{Objects, Oid};
use super::user::{Project, remove_if_there};

/// Called with a failpoint's name on both sides of every effect. Tests end the process there.
pub type Hook = fn(&'static str);

/// The private repository of a project.
#[derive(Debug)]
pub struct Repo {
    pub(crate) git: Git,
    pub(crate) project: Project,
    pub(crate) divisi: PathBuf,
    pub(crate) git_dir: PathBuf,
    pub(crate) objects: Objects,
    pub(crate) oid_len: usize,
    hook: Hook,
    /// How a batch of new objects is made durable on this file system.
    pub(crate) fsync: &'static str,
    /// The tree from which attributes are read, where the folder's own must have no say.
    attributes: Option<String>,
}

/// `git hash-object -t tree /dev/null` in a repository of either format.
const EMPTY_TREE_SHA1: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const EMPTY_TREE_SHA256: &str = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";

/// Holds what Divisi keeps about workspaces, out of the agents' reach.
pub(crate) const POOL: &str = "pool";

impl Repo {
    /// Opens the private repository of the project in `project_dir`, and makes it if there is
    /// none. `divisi_dir` is the project's `.divisi`, which is made too.
    ///
    /// The top of the user's repository is the tree, also if the project is a folder within it.
    ///
    /// # Errors
    /// The project cannot be one ([`Fault::InsideDivisi`], [`Fault::Bare`],
    /// [`Fault::Unreadable`]), git is missing, or the file system refuses.
    pub fn open(divisi_dir: &Path, project_dir: &Path) -> Result<Repo, Fault> {
        Repo::open_with_hook(divisi_dir, project_dir, |_| {})
    }

    /// As [`Repo::open`], with failpoints.
    ///
    /// # Errors
    /// As [`Repo::open`].
    pub fn open_with_hook(
        divisi_dir: &Path,
        project_dir: &Path,
        hook: Hook,
    ) -> Result<Repo, Fault> {
        let git = Git::find()?;
        let absolute = |path: &Path| std::path::absolute(path).map_err(Fault::io("resolve", path));
        let project_dir = absolute(project_dir)?;
        let project_dir = project_dir
            .canonicalize()
            .map_err(Fault::io("open", &project_dir))?;
        let project = Project::discover(&git, &project_dir)?;
        let divisi = absolute(divisi_dir)?;
        fs::create_dir_all(&divisi).map_err(Fault::io("make", &divisi))?;
        let divisi = divisi.canonicalize().map_err(Fault::io("open", &divisi))?;
        let ignore = divisi.join(".gitignore");
        if fs::read(&ignore).ok().as_deref() != Some(b"*\n") {
            fs::write(&ignore, "*\n").map_err(Fault::io("write", &ignore))?;
        }
        for folder in [POOL, "worktrees"] {
            let folder = divisi.join(folder);
            fs::create_dir_all(&folder).map_err(Fault::io("make", &folder))?;
        }
        let git_dir = divisi.join("repo.git");
        let sha256 = match &project {
            Project::Git(user) => user.sha256,
            Project::Folder(_) => false,
        };
        if !git_dir.join("HEAD").exists() {
            init(&divisi, &git_dir, sha256)?;
        }
        let fsync = git::fsync_method(&git_dir);
        let objects = {
            let (git, git_dir) = (git.clone(), git_dir.clone());
            Objects::new(move || {
                git.call("read objects", &git_dir)
                    .args(["cat-file", "--batch-command"])
                    .start()
            })
        };
        let mut repo = Repo {
            git,
            divisi,
            git_dir,
            objects,
            oid_len: if sha256 { 32 } else { 20 },
            hook,
            fsync,
            attributes: None,
            project,
        };
        if matches!(repo.project, Project::Folder(_)) {
            // Without git nobody meant attributes: the tree has exactly the bytes of the folder.
            repo.attributes = Some(repo.empty_tree().to_string());
        }
        Ok(repo)
    }

    /// The top of the project's tree: of the user's repository, or of the folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.project.root()
    }

    /// Whether the project has a repository of its own.
    #[must_use]
    pub fn project_has_git(&self) -> bool {
        matches!(self.project, Project::Git(_))
    }

    /// The private repository's folder: agents need to read its objects.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    pub(crate) fn hook(&self, point: &'static str) {
        (self.hook)(point);
    }

    /// A call on the private repository.
    pub(crate) fn call(&self, operation: &str) -> Result<Call, Fault> {
        self.restore_config()?;
        let excludes = self.excludes_file();
        let mut call = self
            .git
            .call(operation, &self.git_dir)
            .config("core.excludesFile", &excludes.to_string_lossy());
        if let Some(tree) = &self.attributes {
            call = call.env("GIT_ATTR_SOURCE", tree);
        }
        Ok(call)
    }

    /// A call whose writes are durable when it returns.
    pub(crate) fn durable_call(&self, operation: &str) -> Result<Call, Fault> {
        Ok(self.call(operation)?.durable(self.fsync))
    }

    /// Names that are ignored in workspaces as they are in the user's own checkout.
    pub(crate) fn excludes_file(&self) -> PathBuf {
        self.divisi.join(POOL).join("excludes")
    }

    /// What was taken in of a folder without git, so that only what has changed is taken in again.
    pub(crate) fn folder_index(&self) -> PathBuf {
        self.divisi.join(POOL).join("folder.index")
    }

    /// A fresh path for a file that lives as long as a call.
    pub(crate) fn temporary(&self) -> PathBuf {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("tmp-{}-{count}", std::process::id());
        self.divisi.join(POOL).join(name)
    }

    /// What an unconfined agent wrote into the private configuration must not run in the next
    /// call, and neither may a redirection to another one.
    fn restore_config(&self) -> Result<(), Fault> {
        let path = self.git_dir.join("config");
        let wanted = config_text(self.oid_len == 32);
        let regular = path.symlink_metadata().is_ok_and(|file| file.is_file());
        if !regular || fs::read(&path).ok().as_deref() != Some(wanted.as_bytes()) {
            let temporary = self.temporary();
            fs::write(&temporary, wanted)
                .and_then(|()| fs::rename(&temporary, &path))
                .map_err(Fault::io("restore", &path))?;
        }
        for name in ["commondir", "config.worktree"] {
            let path = self.git_dir.join(name);
            remove_if_there(&path).map_err(Fault::io("remove", &path))?;
        }
        Ok(())
    }

    /// A new commit, the same for the same arguments, durable.
    pub(crate) fn commit_tree(
        &self,
        tree: &Tree,
        parents: &[&Commit],
        message: &str,
        at: Time,
    ) -> Result<Commit, Fault> {
        let who = Identity {
            name: "Divisi",
            email: "divisi@localhost",
        };
        self.commit_tree_as(&who, tree, parents, message, at)
    }

    /// The same in the name of somebody else.
    pub(crate) fn commit_tree_as(
        &self,
        who: &Identity<'_>,
        tree: &Tree,
        parents: &[&Commit],
        message: &str,
        at: Time,
    ) -> Result<Commit, Fault> {
        // With `@` also small numbers are seconds.
        let date = format!("@{} +0000", at.0 / 1000);
        let mut call = self
            .durable_call("write a commit")?
            .env("GIT_AUTHOR_NAME", who.name)
            .env("GIT_AUTHOR_EMAIL", who.email)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", who.name)
            .env("GIT_COMMITTER_EMAIL", who.email)
            .env("GIT_COMMITTER_DATE", &date)
            .args(["commit-tree", tree.as_str()])
            .stdin(message.as_bytes().to_vec());
        for parent in parents {
            call = call.args(["-p", parent.as_str()]);
        }
        let text = call.text()?;
        Commit::new(&text).ok_or_else(|| Fault::odd("write a commit", &text))
    }

    /// Writes the tree that an index describes, durably.
    pub(crate) fn write_tree(&self, index: &Path) -> Result<Tree, Fault> {
        let text = self
            .durable_call("write a tree")?
            .index(index)
            .arg("write-tree")
            .text()?;
        Tree::new(&text).ok_or_else(|| Fault::odd("write a tree", &text))
    }

    /// The tree without entries, which git knows in every repository, whether it was written there
    /// or not.
    pub(crate) fn empty_tree(&self) -> Tree {
        let hash = match self.oid_len {
            32 => EMPTY_TREE_SHA256,
            _ => EMPTY_TREE_SHA1,
        };
        Tree::new(hash).expect("the constant is a hash")
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// The commit is not in the private repository.
    pub fn tree_of(&self, commit: &Commit) -> Result<Tree, Fault> {
        let oid = self.oid(commit.as_str())?;
        let (tree, _) = self
            .objects
            .commit(oid)
            .map_err(Fault::io("read a commit of", &self.git_dir))?;
        Ok(Tree::new(&tree.to_string()).expect("an object's hash is hexadecimal"))
    }

    /// Whether a commit is in the private repository.
    ///
    /// # Errors
    /// Git failed.
    pub fn has(&self, commit: &Commit) -> Result<bool, Fault> {
        let info = self.objects.info(self.oid(commit.as_str())?);
        let info = info.map_err(Fault::io("read a commit of", &self.git_dir))?;
        Ok(info.is_some())
    }

    /// The first parent of a commit; `None` for one without history.
    ///
    /// # Errors
    /// The commit is not in the private repository.
    pub fn parent(&self, commit: &Commit) -> Result<Option<Commit>, Fault> {
        let oid = self.oid(commit.as_str())?;
        let (_, parents) = self
            .objects
            .commit(oid)
            .map_err(Fault::io("read a commit of", &self.git_dir))?;
        Ok(parents
            .first()
            .and_then(|parent| Commit::new(&parent.to_string())))
    }

    /// The hash of an object of this repository.
    pub(crate) fn oid(&self, text: &str) -> Result<Oid, Fault> {
        Oid::parse(text).ok_or_else(|| Fault::odd("read a hash", text))
    }

    /// Where a reference of the private repository stands.
    pub(crate) fn ref_at(&self, reference: &str) -> Result<Option<Commit>, Fault> {
        let done = self
            .call("read a reference")?
            .args([
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                reference,
            ])
            .run()?;
        match done.status {
            0 => {
                let text = String::from_utf8_lossy(&done.out).trim().to_owned();
                Commit::new(&text)
                    .map(Some)
                    .ok_or_else(|| Fault::odd("read a reference", &text))
            }
            _ => Ok(None),
        }
    }

    /// The head of a run: what is integrated so far; `None` before the first integration.
    ///
    /// # Errors
    /// Git failed.
    pub fn head(&self, run: RunId) -> Result<Option<Commit>, Fault> {
        self.ref_at(&head_ref(run))
    }
}

/// Whose name a commit bears.
pub(crate) struct Identity<'a> {
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
}

/// The reference of a run's head.
pub(crate) fn head_ref(run: RunId) -> String {
    format!("refs/divisi/{run}/head")
}

/// The whole configuration of a git directory of ours.
pub(crate) fn config_text(sha256: bool) -> String {
    match sha256 {
        false => "[core]\n\trepositoryformatversion = 0\n\tbare = true\n".to_owned(),
        true => "[core]\n\trepositoryformatversion = 1\n\tbare = true\n\
                 [extensions]\n\tobjectFormat = sha256\n"
            .to_owned(),
    }
}

/// Makes the repository beside its place and moves it there whole. What git needs to know a folder
/// for a repository is little (gitrepository-layout), and `git init` would add hooks and more.
fn init(divisi: &Path, git_dir: &Path, sha256: bool) -> Result<(), Fault> {
    let new = divisi.join(format!("repo.git.new-{}", std::process::id()));
    if new.exists() {
        fs::remove_dir_all(&new).map_err(Fault::io("remove", &new))?;
    }
    for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
        let path = new.join(folder);
        fs::create_dir_all(&path).map_err(Fault::io("make", &path))?;
    }
    let write = |name: &str, text: &str| {
        let path = new.join(name);
        fs::write(&path, text).map_err(Fault::io("write", &path))
    };
    write("config", &config_text(sha256))?;
    // No commit is ever checked out here, so that attributes of none are applied.
    write("HEAD", "ref: refs/heads/none\n")?;
    match fs::rename(&new, git_dir) {
        // Two processes at once: the other's is as good.
        Err(_) if git_dir.join("HEAD").exists() => {
            fs::remove_dir_all(&new).map_err(Fault::io("remove", &new))
        }
        result => result.map_err(Fault::io("make", git_dir)),
    }
}
