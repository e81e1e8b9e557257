//! What setups left, kept so that they need not run again.
//!
//! A layer is a folder under `.divisi/prepared`, named by a digest of all that its setup depended
//! on. It appears there whole and on the disk, or not at all, and is only read afterwards. It is a
//! cache: the oldest go first, `gc` takes all, and a missing one is made again.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLockReadGuard};
use std::time::SystemTime;

use divisi_core::{Digest, Preparation, Tree};
use rustix::fs::FileType;

use super::checkout::Checkout;
use super::chosen::{Chosen, ended, globs, too_much};
use super::pool::Pool;
use super::provision::{BYTES_MAX, ENTRIES_MAX};
use super::secrets::{Secrets, parent};
use super::survey::{Scope, survey};
use super::walk::{self, Next};
use crate::repo::{Fault, index, split};

/// The folder of layers beneath `.divisi`.
pub(crate) const PREPARED: &str = "prepared";

/// So many layers are kept: those of a few branches of a few plans.
const LAYERS_MAX: usize = 8;

/// The same by size: dependencies and build results are large, and disks are not.
const LAYERS_BYTES_MAX: u64 = 20 << 30;

/// So many paths are named where a setup is refused.
const NAMED_MAX: usize = 5;

/// What a setup left, and what it was given.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) path: PathBuf,
}

/// Why what a setup left is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The setup's doing, in words; it would do so again.
    #[error("{0}")]
    Refused(String),
    /// The machine's doing.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Pool {
    /// Names the layer of a preparation for a tree: a digest of everything its setup depends on
    /// but the machine itself.
    ///
    /// # Errors
    /// The tree or the user's folder cannot be read.
    pub fn layer_key(
        &self,
        tree: &Tree,
        preparation: &Preparation,
        chosen: &Chosen,
    ) -> Result<Digest, Fault> {
        let mut hash = blake3::Hasher::new();
        let text = serde_json::to_vec(&(1, &preparation.setup, &preparation.copy));
        hash.update(&text.expect("a preparation is plain data"));
        match &preparation.inputs {
            None => {
                hash.update(tree.as_str().as_bytes());
            }
            Some(patterns) => self.hash_inputs(&mut hash, tree, patterns)?,
        }
        if !preparation.copy.is_empty() {
            hash.update(&chosen.stamp(self.repo().root())?);
        }
        let digest = Digest::new(hash.finalize().to_hex().as_str());
        Ok(digest.expect("a BLAKE3 hash has 64 hexadecimal digits"))
    }

    /// The files of the tree that match, with their contents.
    fn hash_inputs(
        &self,
        hash: &mut blake3::Hasher,
        tree: &Tree,
        patterns: &[String],
    ) -> Result<(), Fault> {
        let globs = globs(patterns)?;
        let root = self.repo().oid(tree.as_str())?;
        let items = self.repo().objects.list(root);
        let mut items = items.map_err(Fault::io("read a tree of", self.repo().git_dir()))?;
        items.retain(|(path, _)| globs.is_match(Path::new(OsStr::from_bytes(path))));
        items.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for (path, item) in items {
            hash.update(&path);
            hash.update(format!("\0{:?}{}\0", item.mode, item.oid).as_bytes());
        }
        Ok(())
    }

    /// The layer of this name, if it is kept.
    #[must_use]
    pub fn layer(&self, key: &Digest) -> Option<Layer> {
        let path = self.prepared().join(key.as_str());
        let folder = File::open(&path).ok()?;
        // Those that are used stay longest. A folder that takes no time is only older.
        let _ = folder.set_modified(SystemTime::now());
        Some(Layer { path })
    }

    /// Keeps what a setup left in its checkout: all that the tree does not have. Durable when this
    /// returns. The checkout is used up.
    ///
    /// # Errors
    /// [`KeepError::Refused`] if it changed what git tracks or does not ignore, if a secret stands
    /// in it, or if it is too much.
    pub fn keep_layer(
        &self,
        checkout: Checkout,
        key: &Digest,
        secrets: &[String],
    ) -> Result<Layer, KeepError> {
        let path = checkout.path();
        let root = walk::open_root(path).map_err(Fault::io("open", path))?;
        let tracked = index::read(&self.index_of(checkout.slot()), self.repo().oid_len)?;
        self.refuse_changes(&checkout, &root, &tracked)?;
        let made = self
            .prepared()
            .join(format!("tmp-{}-{}", std::process::id(), key));
        walk::remove_all(&made).map_err(Fault::io("remove", &made))?;
        fs::create_dir_all(&made).map_err(Fault::io("make", &made))?;
        self.repo().hook("prepared.move.before");
        let moved = move_untracked(&root, &tracked, &made)
            .map_err(Fault::io("move what a setup made to", &made));
        self.repo().hook("prepared.move.after");
        let kept = moved
            .map_err(KeepError::from)
            .and_then(|()| refuse_contents(&made, secrets))
            .and_then(|()| Ok(self.publish(&made, key)?));
        if kept.is_err() {
            // What is left of it is removed at the next start.
            let _ = walk::remove_all(&made);
        }
        kept
    }

    /// Refuses a setup that changed what is an attempt's to change.
    fn refuse_changes(
        &self,
        checkout: &Checkout,
        root: &OwnedFd,
        tracked: &[index::Entry],
    ) -> Result<(), KeepError> {
        // Git would wait on a FIFO of one of its own names.
        let found = survey(root, tracked, Scope::All, u64::MAX)?;
        if let Some(refusal) = found.refused.first() {
            return Err(KeepError::Refused(refusal.to_string()));
        }
        let call = self.call_in(checkout.slot(), checkout.path(), "look at what a setup did")?;
        let call = call.args(["ls-files", "--modified", "--others", "--exclude-standard"]);
        let out = call.arg("-z").ok()?;
        // What is gone is named twice.
        let changed: BTreeSet<&[u8]> = split(&out).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let named = changed.iter().take(NAMED_MAX);
        let mut named: Vec<String> = named
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        if changed.len() > NAMED_MAX {
            named.push(format!("{} more", changed.len() - NAMED_MAX));
        }
        Err(KeepError::Refused(format!(
            "it changed what git tracks or does not ignore: {}; name what setup makes in .gitignore",
            named.join(", ")
        )))
    }

    fn publish(&self, made: &Path, key: &Digest) -> Result<Layer, Fault> {
        sync(made).map_err(Fault::io("sync", made))?;
        let path = self.prepared().join(key.as_str());
        self.repo().hook("prepared.rename.before");
        match fs::rename(made, &path) {
            // One that is there is as good.
            Err(_) if path.exists() => {
                walk::remove_all(made).map_err(Fault::io("remove", made))?;
            }
            renamed => renamed.map_err(Fault::io("keep", &path))?,
        }
        self.repo().hook("prepared.rename.after");
        self.drop_old_layers(key)?;
        Ok(Layer { path })
    }

    /// Drops the oldest layers until few enough are left; never the one of this name.
    fn drop_old_layers(&self, newest: &Digest) -> Result<(), Fault> {
        let mut layers = self.all_layers()?;
        layers.sort_unstable_by_key(|layer| std::cmp::Reverse(layer.used_at));
        let (mut count, mut bytes) = (0, 0u64);
        for layer in layers {
            let size = size(&layer.path);
            let stays = layer.key == *newest
                || (count < LAYERS_MAX && bytes.saturating_add(size) <= LAYERS_BYTES_MAX);
            if stays {
                (count, bytes) = (count + 1, bytes.saturating_add(size));
            } else {
                self.drop_layer(&layer.path)?;
            }
        }
        Ok(())
    }

    /// Removes a layer once nobody copies from it.
    pub(crate) fn drop_layer(&self, path: &Path) -> Result<(), Fault> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = self
            .prepared()
            .join(format!("tmp-{}-old-{name}", std::process::id()));
        {
            let _alone = self.layers.write().unwrap_or_else(PoisonError::into_inner);
            fs::rename(path, &aside).map_err(Fault::io("drop", path))?;
        }
        walk::remove_all(&aside).map_err(Fault::io("remove", &aside))
    }

    /// Held while a layer is copied from, so that it stays.
    pub(crate) fn layers_in_use(&self) -> RwLockReadGuard<'_, ()> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all_layers(&self) -> Result<Vec<Kept>, Fault> {
        let folder = self.prepared();
        let mut layers = Vec::new();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(layers),
            entries => entries.map_err(Fault::io("read", &folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(Fault::io("read", &folder))?;
            let Some(key) = entry.file_name().to_str().and_then(Digest::new) else {
                continue;
            };
            let used_at = entry.metadata().and_then(|folder| folder.modified());
            layers.push(Kept {
                key,
                path: entry.path(),
                used_at: used_at.unwrap_or(SystemTime::UNIX_EPOCH),
            });
        }
        Ok(layers)
    }

    pub(crate) fn prepared(&self) -> PathBuf {
        self.repo().divisi.join(PREPARED)
    }
}

/// A layer on the disk.
pub(crate) struct Kept {
    pub(crate) key: Digest,
    pub(crate) path: PathBuf,
    used_at: SystemTime,
}

/// Moves everything that an index does not name.
fn move_untracked(root: &OwnedFd, tracked: &[index::Entry], to: &Path) -> std::io::Result<()> {
    let files: HashSet<&[u8]> = tracked.iter().map(|entry| entry.path.as_slice()).collect();
    let folders = index::folders(tracked);
    let mut untracked = Vec::new();
    let walked = walk::walk(root, &mut |met| {
        if met.path == b".git" {
            return Next::Past;
        }
        let is_folder = met.kind == FileType::Directory;
        match is_folder && folders.contains(met.path) {
            true => Next::Into,
            false => {
                if is_folder || !files.contains(met.path) {
                    untracked.push(met.path.to_vec());
                }
                Next::Past
            }
        }
    });
    if let Err(walk::Ended::Io(error)) = walked {
        return Err(error);
    }
    let to = walk::open_root(to)?;
    for path in untracked {
        let Some((from, name)) = parent(root, &path)? else {
            continue;
        };
        let mut folder = to.try_clone()?;
        let above = path.split(|&byte| byte == b'/').rev().skip(1);
        for part in above.collect::<Vec<_>>().into_iter().rev() {
            match rustix::fs::mkdirat(&folder, part, rustix::fs::Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            folder = rustix::fs::openat(&folder, part, walk::FOLDER, rustix::fs::Mode::empty())?;
        }
        rustix::fs::renameat(&from, name.as_slice(), &folder, name.as_slice())?;
    }
    Ok(())
}

/// Refuses what must not be kept, or would not fit into a workspace.
fn refuse_contents(made: &Path, secrets: &[String]) -> Result<(), KeepError> {
    let secrets = Secrets::new(secrets);
    let root = walk::open_root(made).map_err(Fault::io("open", made))?;
    let (mut entries, mut bytes, mut holding) = (0, 0u64, None);
    let mut failed = None;
    let walked = walk::walk(&root, &mut |met| {
        entries += 1;
        bytes = bytes.saturating_add(met.bytes);
        match secrets.stand_in_met(met) {
            Ok(false) => Next::Into,
            Ok(true) => {
                holding = Some(met.path.to_vec());
                Next::Stop
            }
            Err(error) => {
                failed = Some(Fault::io("search for secrets", made)(error));
                Next::Stop
            }
        }
    });
    ended(walked, failed)?;
    if let Some(path) = holding {
        return Err(KeepError::Refused(format!(
            "it left the value of a secret in {}",
            String::from_utf8_lossy(&secrets.masked(path))
        )));
    }
    if entries > ENTRIES_MAX {
        let fault = too_much("what setup made", entries, ENTRIES_MAX);
        return Err(KeepError::Refused(fault.to_string()));
    }
    if bytes > BYTES_MAX {
        let words = format!("it left {bytes} bytes, at most {BYTES_MAX} are kept");
        return Err(KeepError::Refused(words));
    }
    Ok(())
}

/// Makes everything beneath a folder durable, with all else that waits for its disk.
fn sync(folder: &Path) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(File::open(folder)?)?;
    #[cfg(not(target_os = "linux"))]
    rustix::fs::sync();
    Ok(())
}

/// Apparent size of what is in a folder, as far as it can be looked at.
pub(crate) fn size(folder: &Path) -> u64 {
    let mut bytes: u64 = 0;
    if let Ok(root) = walk::open_root(folder) {
        // What cannot be read is not counted; the number is for a person, or for a limit that need
        // not be exact.
        let _ = walk::walk(&root, &mut |met| {
            bytes = bytes.saturating_add(met.bytes);
            Next::Into
        });
    }
    bytes
}
