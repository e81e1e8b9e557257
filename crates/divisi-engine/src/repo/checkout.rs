//! The user's checkout: what stands against a merge, and how its index and files are written.
//!
//! Every path is at every moment in its old or its new version, in the index and in the file: a
//! file's new version is written out beside the project first, and then takes its place whole. So a
//! merge that was cut off anywhere is completed by merging again.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use divisi_core::{Commit, Tree};

use super::base::{joined, split};
use super::copied::Copied;
use super::fault::Fault;
use super::objects::{Change, Item, Mode, Oid};
use super::refusal::{DeliverError, MergeRefusal};
use super::standing::{beside, join, named, remove_empty};
use super::store::Repo;
use super::user::{Settings, UserRepo, remove_if_there};

/// New versions of files, written out and not yet in their places. Removed when it is dropped.
pub(crate) struct Staged {
    folder: PathBuf,
}

impl Drop for Staged {
    fn drop(&mut self) {
        // A folder that stays is only one too many; the pool's start removes it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Repo {
    /// Refuses if anything stands in the way, in files or in the index.
    pub(crate) fn refuse_blocked(
        &self,
        user: &UserRepo,
        settings: &Settings,
        onto: Option<&Commit>,
        changes: &[Change],
    ) -> Result<(), DeliverError> {
        let blocked = self.blocked_anywhere(user, settings, onto, changes)?;
        match blocked.is_empty() {
            true => Ok(()),
            false => Err(MergeRefusal::Dirty {
                paths: named(&blocked),
            }
            .into()),
        }
    }

    /// The paths at which something else stands than the old or the new version, in the file or in
    /// the index; sorted.
    pub(crate) fn blocked_anywhere(
        &self,
        user: &UserRepo,
        settings: &Settings,
        onto: Option<&Commit>,
        changes: &[Change],
    ) -> Result<Vec<Vec<u8>>, Fault> {
        let index = match onto {
            Some(onto) => Some(Copied::of(self, user, onto)?),
            None => Copied::as_is(self, user)?,
        };
        let mut blocked = self.blocked(&user.root, settings, changes)?;
        if let Some(index) = &index {
            if !blocked.is_empty() {
                // What a filter wrote (LFS) has other bytes than its version, and is unchanged.
                let modified = self.loose_files(&user.root, settings, &index.path)?;
                let is_modified = |path: &Vec<u8>| modified.contains(path);
                let tracked = changes.iter().filter(|change| change.old.is_some());
                let tracked: Vec<&Vec<u8>> = tracked.map(|change| &change.path).collect();
                blocked.retain(|path| !tracked.contains(&path) || is_modified(path));
            }
            blocked.extend(self.blocked_in_index(&index.path, changes)?);
        }
        blocked.sort_unstable();
        blocked.dedup();
        Ok(blocked)
    }

    /// Paths that are staged as something else than the old or the new version.
    fn blocked_in_index(&self, index: &Path, changes: &[Change]) -> Result<Vec<Vec<u8>>, Fault> {
        let call = self.call("read the index")?.index(index);
        let out = call.args(["ls-files", "--stage", "-z"]).ok()?;
        let mut staged = HashMap::new();
        for record in split(&out) {
            let entry = parse_staged(record);
            let (path, item) = entry.ok_or_else(|| Fault::odd("read the index", "an odd entry"))?;
            staged.insert(path, item);
        }
        let fits = |change: &Change| match staged.get(&change.path) {
            None => change.old.is_none() || change.new.is_none(),
            // In conflict.
            Some(None) => false,
            Some(item) => *item == change.old || *item == change.new,
        };
        let blocked = changes.iter().filter(|change| !fits(change));
        Ok(blocked.map(|change| change.path.clone()).collect())
    }

    /// Adds the objects of a commit to the user's repository.
    pub(crate) fn send_objects(
        &self,
        user: &UserRepo,
        onto: Option<&Commit>,
        result: &Commit,
    ) -> Result<(), Fault> {
        let path = self.temporary();
        let send = || -> Result<(), Fault> {
            let open = Fault::io("write", &path);
            let file = fs::File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path);
            let mut file = file.map_err(open)?;
            let mut revisions = format!("{result}\n");
            if let Some(onto) = onto {
                revisions.push_str(&format!("^{onto}\n"));
            }
            self.call("pack the result")?
                .args(["pack-objects", "--quiet", "--revs", "--stdout"])
                .stdin(revisions.into_bytes())
                .out_file(file.try_clone().map_err(Fault::io("write", &path))?)
                .ok()?;
            std::io::Seek::rewind(&mut file).map_err(Fault::io("read", &path))?;
            user.ask(&self.git, "add the result to the repository")
                .durable("fsync")
                .args(["index-pack", "--stdin"])
                .stdin_file(file)
                .ok()?;
            Ok(())
        };
        let sent = send();
        remove_if_there(&path).map_err(Fault::io("remove", &path))?;
        sent
    }

    /// Writes out the new versions of files, by the user's rules for line ends and by the tree's own
    /// attributes.
    pub(crate) fn stage(
        &self,
        root: &Path,
        settings: &Settings,
        tree: &Tree,
        changes: &[Change],
    ) -> Result<Staged, Fault> {
        let folder = self.temporary();
        fs::create_dir(&folder).map_err(Fault::io("make", &folder))?;
        let staged = Staged { folder };
        let paths: Vec<&Vec<u8>> = written(changes).map(|change| &change.path).collect();
        if paths.is_empty() {
            return Ok(staged);
        }
        let index = self.temporary();
        let read = self.call("read a tree")?.fleeting().index(&index);
        read.args(["read-tree", tree.as_str()]).ok()?;
        let mut prefix = staged.folder.clone().into_os_string();
        prefix.push("/");
        let mut option = std::ffi::OsString::from("--prefix=");
        option.push(prefix);
        let write = self
            .files_call("write files", root, settings)?
            .env("GIT_ATTR_SOURCE", tree.as_str())
            .index(&index)
            .args(["checkout-index", "--force", "-z", "--stdin"])
            .arg(option)
            .stdin(joined(&paths))
            .ok();
        remove_if_there(&index).map_err(Fault::io("remove", &index))?;
        write?;
        sync(&staged.folder).map_err(Fault::io("sync", &staged.folder))?;
        Ok(staged)
    }

    /// Makes files hold the new versions that were written out.
    pub(crate) fn place(
        &self,
        root: &Path,
        staged: &Staged,
        changes: &[Change],
    ) -> Result<(), Fault> {
        self.remove_files(root, changes)?;
        for change in written(changes) {
            let (from, to) = (join(&staged.folder, &change.path), join(root, &change.path));
            put(&from, &to).map_err(Fault::io("write", &to))?;
            self.hook("deliver.file.after");
        }
        Ok(())
    }

    /// Makes index and files hold the new versions. Index first: at every moment each path is in
    /// its old or its new version in both.
    pub(crate) fn write_checkout(
        &self,
        user: &UserRepo,
        settings: &Settings,
        staged: &Staged,
        changes: &[Change],
    ) -> Result<(), Fault> {
        let index = user.git_dir.join("index");
        let records = self.records(changes);
        let call = |operation: &str| -> Result<_, Fault> {
            let call = self.files_call(operation, &user.root, settings)?;
            Ok(call.config("core.untrackedCache", "keep").index(&index))
        };
        call("update the index")?
            .args(["update-index", "-z", "--index-info"])
            .stdin(records)
            .ok()?;
        self.place(&user.root, staged, changes)?;
        let noted = call("note the new files in the index")?
            .args(["update-index", "-q", "--refresh"])
            .run()?;
        match noted.status {
            // 1: other files differ from the index, which is the user's own business.
            0 | 1 => Ok(()),
            _ => noted.ok("note the new files in the index").map(drop),
        }
    }
}

/// The changes after which a file stands at the path.
fn written(changes: &[Change]) -> impl Iterator<Item = &Change> {
    let files = |change: &&Change| change.new.is_some_and(|item| item.mode != Mode::Gitlink);
    changes.iter().filter(files)
}

/// Puts a file in its place, whole.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    if to.is_dir() && !to.is_symlink() {
        // It was found without files.
        remove_empty(to)?;
    }
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let beside = beside(to);
            remove_if_there(&beside)?;
            if from.is_symlink() {
                symlink(fs::read_link(from)?, &beside)?;
            } else {
                fs::copy(from, &beside)?;
                fs::File::open(&beside)?.sync_all()?;
            }
            fs::rename(&beside, to)
        }
        renamed => renamed,
    }
}

/// Makes what stands beneath a folder durable.
fn sync(folder: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(fs::File::open(folder)?)?;
    #[cfg(not(target_os = "linux"))]
    let _ = folder;
    #[cfg(not(target_os = "linux"))]
    rustix::fs::sync();
    Ok(())
}

pub(crate) fn bits(mode: Mode) -> u32 {
    match mode {
        Mode::File => 0o100_644,
        Mode::Executable => 0o100_755,
        Mode::Link => 0o120_000,
        Mode::Gitlink => 0o160_000,
        Mode::Tree => 0o040_000,
    }
}

/// Reads `mode hash stage TAB path`; the item is `None` for a path in conflict.
fn parse_staged(record: &[u8]) -> Option<(Vec<u8>, Option<Item>)> {
    let tab = memchr::memchr(b'\t', record)?;
    let head = std::str::from_utf8(&record[..tab]).ok()?;
    let mut words = head.split(' ');
    let mode = Mode::from_bits(u32::from_str_radix(words.next()?, 8).ok()?);
    let oid = Oid::parse(words.next()?)?;
    let item = (words.next()? == "0").then_some(Item { mode, oid });
    Some((record[tab + 1..].to_vec(), item))
}
