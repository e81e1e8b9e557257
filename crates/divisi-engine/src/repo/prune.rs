//! Giving back what the private repository holds and nobody needs.
//!
//! Objects are needed if they can be reached from what the caller names, or from references of runs.
//! All others go, except young ones: whoever has just made an object
//! may be about to name it. Git finds out what can be reached, in a *view*: a git directory that
//! lives as long as the call, with the needed objects as its only references and the private
//! repository's objects as its own. So a dry run says exactly what would go, and no reference has to
//! be made for cleaning up.
//!
//! Packs that the user's repository has too are links and cost nothing; they are left alone. Packs
//! that it has no longer, because it was packed anew, are ours alone: what is needed of them is
//! packed anew too, and again whenever something is pruned.
//!
//! Callers that bring objects in and name them later hold [`InUse`] meanwhile; nothing is pruned
//! then. The engine needs none: whoever prunes holds its lock.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use divisi_core::Commit;

use super::fault::Fault;
use super::git::Call;
use super::index;
use super::objects::Oid;
use super::store::{POOL, Repo, config_text};
use super::user::{Project, remove_if_there};

/// Younger objects stay: longer than any command takes from making an object to naming it.
const KEPT_SINCE: &str = "1.hour.ago";

/// Going through the history of a very large repository takes minutes.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// References that only say which commits of the user's were brought in.
const BASES: &str = "refs/divisi/base/";

/// What pruning gives back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Objects that nobody needs.
    pub objects: u64,
    /// Bytes on disk that are freed with them, and by packing anew where that was done.
    pub bytes: u64,
    /// Packs that the project has no longer.
    pub packs: u64,
    /// What they take on disk before they are packed anew.
    pub pack_bytes: u64,
}

/// What must stay beside what references of runs point to.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// Commits, with all that they stand on.
    pub commits: BTreeSet<Commit>,
    /// Index files: the next commit made with one needs what it names, whatever the last one was.
    pub indexes: Vec<PathBuf>,
}

/// As long as it lives, nothing is pruned.
#[derive(Clone, Debug)]
pub struct InUse {
    _lock: Arc<Lock>,
}

/// A lock on the objects, shared or not. It is given back by name: a process that is just being
/// started holds a copy of the file for a moment, with which the lock would live on.
#[derive(Debug)]
struct Lock(fs::File);

impl Drop for Lock {
    fn drop(&mut self) {
        // It goes with the process at the latest.
        let _ = self.0.unlock();
    }
}

/// Whether something is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// It is only said what would be.
    DryRun,
    /// It is.
    Now,
}

/// A git directory for one purpose, removed when it is dropped.
struct View {
    folder: PathBuf,
}

impl Drop for View {
    fn drop(&mut self) {
        // A folder that stays is only one too many; the pool's start removes it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Repo {
    /// Keeps all objects until it is dropped.
    pub(crate) fn in_use(&self) -> Result<InUse, Fault> {
        let (path, file) = self.lock_file()?;
        file.lock_shared().map_err(Fault::io("lock", &path))?;
        Ok(InUse {
            _lock: Arc::new(Lock(file)),
        })
    }

    fn lock_file(&self) -> Result<(PathBuf, fs::File), Fault> {
        let path = self.divisi.join(POOL).join("objects.lock");
        let file = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Fault::io("open", &path))?;
        Ok((path, file))
    }

    /// Removes objects that can be reached neither from what is needed nor from a run's references.
    /// `None` if somebody brings objects in just now.
    ///
    /// To be called by whoever holds the engine's lock.
    ///
    /// # Errors
    /// Git failed, or the file system refuses. What is needed is there whatever happens.
    pub fn prune(&self, needed: &Needed, prune: Prune) -> Result<Option<Pruned>, Fault> {
        let (path, file) = self.lock_file()?;
        let _lock = match file.try_lock() {
            Ok(()) => Lock(file),
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(Fault::io("lock", &path)(error)),
        };
        let references = self.references()?;
        let is_stale = |name: &str| {
            let base = name.strip_prefix(BASES).map(Commit::new);
            base.is_some_and(|commit| {
                !commit.is_some_and(|commit| needed.commits.contains(&commit))
            })
        };
        let stale: Vec<(&String, &String)> = references
            .iter()
            .filter(|(name, _)| is_stale(name))
            .collect();
        let commits = needed.commits.iter().map(ToString::to_string);
        let mut roots: BTreeSet<String> = commits.collect();
        roots.insert(self.empty_tree().to_string());
        let others = references.iter().filter(|(name, _)| !is_stale(name));
        roots.extend(others.map(|(_, object)| object.clone()));
        roots.extend(self.indexed(&needed.indexes)?);
        let view = self.view(&roots)?;
        let packs = self.own_packs()?;
        let mut pruned = Pruned {
            packs: packs.left.len() as u64,
            pack_bytes: packs.left.iter().map(|pack| own_bytes(pack)).sum(),
            ..Pruned::default()
        };
        if prune == Prune::DryRun {
            let out = self.list(&view, &["prune", "--dry-run", "--expire", KEPT_SINCE])?;
            for object in &out {
                pruned.objects += 1;
                pruned.bytes += own_bytes(&self.loose(object));
            }
            return Ok(Some(pruned));
        }
        let before = self.own_object_bytes()?;
        // First: a reference to what is gone would be taken for a commit that is there.
        self.forget(&stale)?;
        if !packs.left.is_empty() || !packs.made.is_empty() {
            self.repack(&view, &packs)?;
        }
        let out = self.list(&view, &["prune", "--verbose", "--expire", KEPT_SINCE])?;
        pruned.objects = out.len() as u64;
        pruned.bytes = before.saturating_sub(self.own_object_bytes()?);
        Ok(Some(pruned))
    }

    /// All references, with what they point to.
    fn references(&self) -> Result<BTreeMap<String, String>, Fault> {
        let text = self
            .call("list references")?
            .args(["for-each-ref", "--format=%(refname) %(objectname)"])
            .text()?;
        let read = |line: &str| {
            let (name, object) = line.split_once(' ')?;
            Some((name.to_owned(), object.to_owned()))
        };
        let lines: Option<BTreeMap<String, String>> = text.lines().map(read).collect();
        lines.ok_or_else(|| Fault::odd("list references", &text))
    }

    fn forget(&self, stale: &[(&String, &String)]) -> Result<(), Fault> {
        if stale.is_empty() {
            return Ok(());
        }
        let orders = stale
            .iter()
            .map(|(name, at)| format!("delete {name} {at}\n"));
        let orders: String = orders.collect();
        self.durable_call("forget imported commits")?
            .args(["update-ref", "--no-deref", "--stdin"])
            .stdin(orders.into_bytes())
            .ok()?;
        Ok(())
    }

    /// What these index files name, and that of the folder.
    fn indexed(&self, paths: &[PathBuf]) -> Result<BTreeSet<String>, Fault> {
        let mut objects = BTreeSet::new();
        for path in paths.iter().chain([&self.folder_index()]) {
            let entries = index::read(path, self.oid_len)?;
            objects.extend(entries.iter().map(|entry| entry.item.oid.to_string()));
        }
        Ok(objects)
    }

    /// A git directory in which exactly these objects are referred to, as far as they are there.
    fn view(&self, roots: &BTreeSet<String>) -> Result<View, Fault> {
        let view = View {
            folder: self.temporary(),
        };
        let write = || Fault::io("write", &view.folder);
        let mut packed = String::new();
        for (number, object) in roots.iter().enumerate() {
            let oid = self.oid(object)?;
            let there = self.objects.info(oid).map_err(write())?.is_some();
            if there {
                packed.push_str(&format!("{object} refs/needed/{number:09}\n"));
            }
        }
        fs::create_dir_all(view.folder.join("refs")).map_err(write())?;
        let file = |name: &str, text: &str| fs::write(view.folder.join(name), text);
        file("packed-refs", &packed).map_err(write())?;
        file("config", &config_text(self.oid_len == 32)).map_err(write())?;
        file("HEAD", "ref: refs/heads/none\n").map_err(write())?;
        let shallow = self.git_dir.join("shallow");
        match fs::copy(&shallow, view.folder.join("shallow")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(write()(error)),
            _ => Ok(view),
        }
    }

    fn view_call(&self, operation: &str, view: &View) -> Call {
        self.git
            .call(operation, &view.folder)
            .env("GIT_OBJECT_DIRECTORY", self.git_dir.join("objects"))
            .durable(self.fsync)
            .patience(PATIENCE)
    }

    /// The objects that a call names, one a line.
    fn list(&self, view: &View, args: &[&str]) -> Result<Vec<Oid>, Fault> {
        let out = self.temporary();
        let file = fs::File::create(&out).map_err(Fault::io("write", &out))?;
        let call = self.view_call("look for objects that nobody needs", view);
        let done = call.args(args).out_file(file).ok();
        let read = || -> io::Result<Vec<Oid>> {
            let mut objects = Vec::new();
            for line in BufReader::new(fs::File::open(&out)?).lines() {
                let line = line?;
                // Other lines tell of duplicates and temporary files.
                objects.extend(line.split(' ').next().and_then(Oid::parse));
            }
            Ok(objects)
        };
        let objects = read().map_err(Fault::io("read", &out));
        remove_if_there(&out).map_err(Fault::io("remove", &out))?;
        done?;
        objects
    }

    /// Packs what is needed of packs that are ours alone into one.
    fn repack(&self, view: &View, packs: &Packs) -> Result<(), Fault> {
        let mut call = self
            .view_call("pack objects anew", view)
            .config("repack.writeBitmaps", "false")
            .config("repack.updateServerInfo", "false")
            .args(["repack", "-A", "-d", "-q"])
            .arg(format!("--unpack-unreachable={KEPT_SINCE}"));
        for name in &packs.shared {
            let mut keep = OsString::from("--keep-pack=");
            keep.push(name);
            call = call.arg(keep);
        }
        call.ok()?;
        let packs = self.own_packs()?;
        let names = packs.left.iter().chain(&packs.made);
        let names = names.filter_map(|pack| pack.file_name()?.to_str());
        let text: String = names.map(|name| format!("{name}\n")).collect();
        let path = self.made_packs();
        fs::write(&path, text).map_err(Fault::io("write", &path))
    }

    /// Names of packs that were packed here. If it is lost, they count as left over once more.
    fn made_packs(&self) -> PathBuf {
        self.divisi.join(POOL).join("packs")
    }

    fn loose(&self, object: &Oid) -> PathBuf {
        let name = object.to_string();
        let folder = self.git_dir.join("objects").join(&name[..2]);
        folder.join(&name[2..])
    }

    fn own_packs(&self) -> Result<Packs, Fault> {
        let of_user: BTreeSet<OsString> = match &self.project {
            Project::Folder(_) => BTreeSet::new(),
            Project::Git(user) => user.packs(),
        };
        let made = fs::read_to_string(self.made_packs()).unwrap_or_default();
        let made: BTreeSet<&str> = made.lines().collect();
        let folder = self.git_dir.join("objects/pack");
        let mut packs = Packs::default();
        for path in files(&folder).map_err(Fault::io("read", &folder))? {
            let name = path.file_name().unwrap_or_default().to_owned();
            match path.extension().is_some_and(|end| end == "pack") {
                true if of_user.contains(&name) => packs.shared.push(name),
                true if name.to_str().is_some_and(|name| made.contains(name)) => {
                    packs.made.push(path);
                }
                true => packs.left.push(path),
                false => {}
            }
        }
        Ok(packs)
    }

    /// What the repository's objects take on disk without those that the user's repository shares.
    fn own_object_bytes(&self) -> Result<u64, Fault> {
        let objects = self.git_dir.join("objects");
        let mut bytes = 0;
        for folder in files(&objects).map_err(Fault::io("read", &objects))? {
            if folder.is_dir() {
                let files = files(&folder).map_err(Fault::io("read", &folder))?;
                bytes += files.iter().map(|file| own_bytes(file)).sum::<u64>();
            }
        }
        Ok(bytes)
    }
}

/// Packs of the private repository.
#[derive(Default)]
struct Packs {
    /// Names of those that the user's repository has too.
    shared: Vec<OsString>,
    /// Paths of those that it has no longer.
    left: Vec<PathBuf>,
    /// Paths of those that were packed here.
    made: Vec<PathBuf>,
}

/// What is in a folder; nothing if it is not there.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

/// The size of a file that has no other name; one that has is not freed by removing it.
fn own_bytes(path: &Path) -> u64 {
    match path.symlink_metadata() {
        Ok(file) if file.nlink() == 1 => file.len(),
        _ => 0,
    }
}
