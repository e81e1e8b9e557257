//! The user's working tree as it stands, for whoever only looks at it.
//!
//! Git answers which files belong to it ([`Listed`]) and which changed since the last commit
//! ([`WorkingTree`]); contents are read by [`FolderFiles`], never through a link. No setting of the
//! repository has a say, and nothing is written: not even the private repository is needed.

use std::io;
use std::path::{Path, PathBuf};

use divisi_core::Commit;

use super::base::split;
use super::fault::Fault;
use super::git::{Call, Git};
use super::user::{Project, UserRepo, default_excludes};
use crate::files::{Entry, Files, FolderFiles};

/// A working tree without what git ignores and without Divisi's own folder.
#[derive(Debug)]
pub struct WorkingTree {
    git: Git,
    project: Project,
    root: PathBuf,
    files: FolderFiles,
    list: Vec<String>,
}

impl WorkingTree {
    /// Looks at the working tree that a folder is in; without git, at the folder.
    ///
    /// # Errors
    /// The folder is not there, or git cannot answer.
    pub fn open(folder: &Path) -> Result<WorkingTree, Fault> {
        let git = Git::find()?;
        let project = discover(&git, folder)?;
        let listed = Listed::of(&git, &project)?;
        let changed = match &project {
            Project::Git(user) => Some(differing(&git, user, &listed)?),
            Project::Folder(_) => None,
        };
        let Listed {
            root, files: list, ..
        } = listed;
        let files = FolderFiles::open(&root, changed).map_err(Fault::io("open", &root))?;
        Ok(WorkingTree {
            git,
            project,
            root,
            files,
            list,
        })
    }

    /// Leaves out the files of a folder, which say what is judged and are not part of it.
    ///
    /// # Errors
    /// The tree cannot be opened again.
    pub fn leave_out(&mut self, folder: &Path) -> io::Result<()> {
        let absolute = std::path::absolute(folder)?;
        let absolute = absolute.canonicalize().unwrap_or(absolute);
        let within = absolute.strip_prefix(&self.root).ok();
        let Some(within) = within.and_then(Path::to_str).filter(|it| !it.is_empty()) else {
            return Ok(());
        };
        let own = format!("{}/", within.trim_end_matches('/'));
        self.list.retain(|path| !path.starts_with(&own));
        let mut changed = self.files.changed()?;
        if let Some(changed) = &mut changed {
            changed.retain(|path| !path.starts_with(&own));
        }
        self.files = FolderFiles::open(&self.root, changed)?;
        Ok(())
    }

    /// The commit at which the checked-out one left a revision.
    ///
    /// # Errors
    /// There is no such revision, or the two have no commit in common.
    pub fn fork(&self, rev: &str) -> Result<Commit, Fault> {
        let unknown = |rev: &str| Fault::NoRevision {
            rev: rev.to_owned(),
        };
        let Project::Git(user) = &self.project else {
            return Err(unknown(rev));
        };
        let resolve = |rev: &str| user.resolve(&self.git, rev)?.ok_or_else(|| unknown(rev));
        let (tip, head) = (resolve(rev)?, resolve("HEAD")?);
        let done = user
            .ask(
                &self.git,
                "find where the checked-out commit left a revision",
            )
            .args(["merge-base", &tip, &head])
            .run()?;
        let found = String::from_utf8_lossy(&done.out).trim().to_owned();
        match (done.status, Commit::new(&found), Commit::new(&head)) {
            (0, Some(commit), _) => Ok(commit),
            (_, _, Some(base)) => Err(Fault::Unrelated {
                rev: rev.to_owned(),
                base,
            }),
            _ => Err(Fault::odd("resolve", &head)),
        }
    }

    /// The top of the tree, from which its paths are meant.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// The files of a working tree, as far as [`WorkingTree`] has them too. What changed among them is not
/// looked at: in a large tree that takes longer than all else.
#[derive(Debug)]
pub struct Listed {
    /// The top of the tree, from which its paths are meant.
    pub root: PathBuf,
    /// The regular files, sorted by path.
    pub files: Vec<String>,
    /// Those that the repository does not track.
    others: Vec<String>,
}

impl Listed {
    /// Lists the working tree that a folder is in; without git, the folder.
    ///
    /// # Errors
    /// The folder is not there, or git cannot answer.
    pub fn look(folder: &Path) -> Result<Listed, Fault> {
        let git = Git::find()?;
        Listed::of(&git, &discover(&git, folder)?)
    }

    fn of(git: &Git, project: &Project) -> Result<Listed, Fault> {
        let root = project.root().to_owned();
        let on_disk = FolderFiles::open(&root, None).map_err(Fault::io("open", &root))?;
        let (mut files, others) = match project {
            Project::Git(user) => {
                let (mut files, others) = named(git, user)?;
                files.retain(|path| !is_ours(path));
                on_disk.keep_files(&mut files);
                (files, others)
            }
            Project::Folder(_) => {
                let mut files = on_disk.list().map_err(Fault::io("list", &root))?;
                files.retain(|path| !is_ours(path));
                (files, Vec::new())
            }
        };
        files.sort_unstable();
        Ok(Listed {
            root,
            files,
            others,
        })
    }
}

fn discover(git: &Git, folder: &Path) -> Result<Project, Fault> {
    let folder = folder.canonicalize().map_err(Fault::io("open", folder))?;
    Project::discover(git, &folder)
}

fn is_ours(path: &str) -> bool {
    path.starts_with(".divisi/")
}

/// A question to git about a working tree.
fn ask(git: &Git, user: &UserRepo, operation: &str) -> Call {
    user.ask(git, operation).work_tree(&user.root)
}

fn texts(out: &[u8]) -> Vec<String> {
    let names = split(out).filter_map(|name| str::from_utf8(name).ok());
    names.map(str::to_owned).collect()
}

fn tracked(git: &Git, user: &UserRepo) -> Call {
    ask(git, user, "list files").args(["ls-files", "-z"])
}

/// The names in a working tree, sorted, and among them those that its repository does not track.
fn named(git: &Git, user: &UserRepo) -> Result<(Vec<String>, Vec<String>), Fault> {
    let excludes = user.settings(git)?.excludes.or_else(default_excludes);
    let others = ask(git, user, "list other files");
    let others = match &excludes {
        Some(path) => others.config("core.excludesFile", &path.to_string_lossy()),
        None => others,
    };
    let others = others.args(["ls-files", "-z", "--others", "--exclude-standard"]);
    let tracked = tracked(git, user);
    // Both read the whole index, and neither needs the other.
    let (others, tracked) = std::thread::scope(|scope| {
        let others = scope.spawn(|| others.ok());
        let tracked = tracked.ok();
        (others.join(), tracked)
    });
    let others = others.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let (others, mut list) = (texts(&others?), texts(&tracked?));
    list.extend(others.iter().cloned());
    list.sort_unstable();
    list.dedup();
    Ok((list, others))
}

/// The files that differ from the last commit, those that are gone too.
fn differing(git: &Git, user: &UserRepo, listed: &Listed) -> Result<Vec<String>, Fault> {
    let mut changed = if user.resolve(git, "HEAD")?.is_some() {
        // Attributes choose filters, and filters are programs: none are read.
        let no_attributes = ask(git, user, "name the empty tree")
            .args(["hash-object", "-t", "tree", "/dev/null"])
            .text()?;
        let differing = ask(git, user, "compare with the last commit")
            .env("GIT_ATTR_SOURCE", &no_attributes)
            .args(["diff", "--name-only", "--no-renames", "--no-ext-diff", "-z"])
            .args(["HEAD", "--"]);
        texts(&differing.ok()?)
    } else {
        texts(&tracked(git, user).ok()?)
    };
    changed.extend(listed.others.iter().cloned());
    changed.retain(|path| !is_ours(path));
    Ok(changed)
}

impl Files for WorkingTree {
    fn entry(&self, path: &str) -> io::Result<Entry> {
        self.files.entry(path)
    }

    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
        self.files.read(path, bytes_max)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.list.clone())
    }

    fn changed(&self) -> io::Result<Option<Vec<String>>> {
        self.files.changed()
    }
}
