//! Artifacts: content under its own digest, `artifacts/ab/cdef…`.
//!
//! A file there is whole or absent: bytes are written to `artifacts/.partial/` (one file system,
//! one folder to clean), synced, renamed to their name, and the folder synced; only then may an
//! event name them. What a crash leaves in `.partial` is harmless and removed when the engine
//! opens the journal. Names come from digests alone, never from an agent; what lies there is
//! distrusted all the same: it is opened without following links, bounded, and verified.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use divisi_core::Digest;
use divisi_core::journal::{Artifacts, Fault};

use crate::fault::from_io;
use crate::files::{create_folder, open_regular, remove_if_there, sync_folder};
use crate::store::Hook;

/// Bytes of one artifact at most: it is handled in memory, of which the engine has little.
pub const ARTIFACT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Younger artifacts are never given back: longer than any command takes from putting one to naming
/// it in an event.
const KEPT_SINCE: Duration = Duration::from_secs(60 * 60);

/// How often a write starts over when its partial file was cleaned away by an opening engine.
const TRIES_MAX: u32 = 3;

/// What to do with artifacts that nobody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveBack {
    /// Say only what would go.
    DryRun,
    /// Remove them.
    Now,
}

/// Artifacts that nobody needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenBack {
    /// How many.
    pub artifacts: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The artifacts of a project folder. Cheap to clone, and usable from many threads.
#[derive(Clone, Debug)]
pub struct ArtifactFiles {
    root: PathBuf,
    hook: Option<Hook>,
    partials: Arc<AtomicU64>,
}

impl ArtifactFiles {
    /// The artifacts in a `.divisi` folder, for whoever brings bytes without holding the journal,
    /// with a hook for tests. Creates nothing.
    #[must_use]
    pub fn with_hook(divisi_dir: &Path, hook: Hook) -> ArtifactFiles {
        ArtifactFiles::new(divisi_dir, Some(hook))
    }

    pub(crate) fn new(folder: &Path, hook: Option<Hook>) -> ArtifactFiles {
        ArtifactFiles {
            root: folder.join("artifacts"),
            hook,
            partials: Arc::default(),
        }
    }

    /// Where a digest's bytes are, if they are anywhere. `None` for a hash that is none of ours.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> Option<PathBuf> {
        let text = digest.as_str();
        (text.len() == blake3::OUT_LEN * 2).then(|| self.root.join(&text[..2]).join(&text[2..]))
    }

    /// Removes what crashes left. Best effort: what stays is harmless.
    pub(crate) fn clear_partial(&self) {
        for entry in fs::read_dir(self.partial()).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
    }

    /// Gives back what is not among the needed, except what was put within the last hour: whoever
    /// put it may be about to name it. What has no artifact's name is none, and stays.
    ///
    /// # Errors
    /// The artifacts cannot be listed, or one cannot be removed.
    pub fn give_back(&self, needed: &BTreeSet<Digest>, how: GiveBack) -> Result<GivenBack, Fault> {
        let mut given = GivenBack::default();
        for folder in entries(&self.root)? {
            let is_ours = folder.file_name().is_some_and(|name| name.len() == 2);
            if !is_ours || !folder.is_dir() || folder.is_symlink() {
                continue;
            }
            for path in entries(&folder)? {
                if digest_at(&path).is_none_or(|digest| needed.contains(&digest)) {
                    continue;
                }
                let fault = |error| from_io("removing the artifact", &path, &error);
                let about = fs::symlink_metadata(&path).map_err(fault)?;
                let age = about.modified().map(|at| at.elapsed().unwrap_or_default());
                if !about.is_file() || age.map_err(fault)? < KEPT_SINCE {
                    continue;
                }
                if how == GiveBack::Now {
                    remove_if_there(&path).map_err(fault)?;
                }
                given.artifacts += 1;
                given.bytes += about.len();
            }
        }
        Ok(given)
    }

    fn partial(&self) -> PathBuf {
        self.root.join(".partial")
    }

    fn at(&self, point: &'static str) {
        if let Some(hook) = self.hook {
            hook(point);
        }
    }

    /// Makes sure that a digest's folder exists and that its name is durable.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        create_folder(&self.root)?;
        create_folder(&self.partial())?;
        if !create_folder(folder)? {
            // Perhaps made by a process that died before it could sync the folder above.
            sync_folder(&self.root)?;
        }
        Ok(())
    }

    /// Makes an artifact that is there new to whoever puts it again, durably. It may have been given
    /// back since it was looked at: what is there once it is young stays there.
    fn renew(&self, path: &Path, digest: &Digest) -> io::Result<Renewed> {
        match open_regular(path).and_then(|file| file.set_modified(SystemTime::now())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Renewed::Gone),
            renewed => renewed?,
        }
        if !matches!(look(path, digest)?, Found::Whole(_)) {
            return Ok(Renewed::Gone);
        }
        // Whoever wrote it may have died before its name was durable.
        sync_folder(path.parent().expect("an artifact lies in a folder"))?;
        sync_folder(&self.root)?;
        Ok(Renewed::Yes)
    }

    /// Writes bytes beside their place and moves them there, durably.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = path.parent().expect("an artifact lies in a folder");
        self.make_folder(folder)?;
        let number = self.partials.fetch_add(1, Ordering::Relaxed);
        let partial = self.partial().join(format!(
            "{}-{:p}-{number}",
            std::process::id(),
            Arc::as_ptr(&self.partials)
        ));
        self.at("artifact.write.before");
        let moved = write_synced(&partial, bytes).and_then(|()| {
            self.at("artifact.rename.before");
            fs::rename(&partial, path)
        });
        if moved.is_err() {
            // The first error is the one that is told.
            let _ = remove_if_there(&partial);
        }
        moved?;
        self.at("artifact.rename.after");
        sync_folder(folder)
    }
}

/// What lies in a folder; nothing if it is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let fault = |error| from_io("listing the artifacts in", folder, &error);
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed
            .map_err(fault)?
            .map(|entry| Ok(entry.map_err(fault)?.path()))
            .collect(),
    }
}

/// The digest whose place this is.
fn digest_at(path: &Path) -> Option<Digest> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let digest = Digest::new(&format!("{folder}{}", path.file_name()?.to_str()?))?;
    (digest.as_str().len() == blake3::OUT_LEN * 2).then_some(digest)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// What lies under a digest's name.
enum Found {
    Whole(Vec<u8>),
    Nothing,
    /// Something else, with what is wrong.
    Wrong(String),
}

/// Whether an artifact is as young as if it had just been put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
enum Renewed {
    Yes,
    /// It must be written.
    Gone,
}

fn look(path: &Path, digest: &Digest) -> io::Result<Found> {
    let file = match open_regular(path) {
        Ok(file) => file,
        Err(error) => {
            return match (error.kind(), error.raw_os_error()) {
                (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory, _) => Ok(Found::Nothing),
                (_, Some(libc::ELOOP)) => Ok(Found::Wrong("it is a link".to_owned())),
                // A socket cannot be opened at all.
                (io::ErrorKind::InvalidInput, _) | (_, Some(libc::ENXIO)) => {
                    Ok(Found::Wrong("it is not a regular file".to_owned()))
                }
                _ => Err(error),
            };
        }
    };
    let length = file.metadata()?.len();
    if length > ARTIFACT_BYTES_MAX {
        return Ok(Found::Wrong(format!(
            "it has {length} bytes, more than {ARTIFACT_BYTES_MAX}"
        )));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // The file may grow while it is read.
    file.take(ARTIFACT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if digest_of(&bytes) == *digest {
        Ok(Found::Whole(bytes))
    } else {
        Ok(Found::Wrong("its content is not what it was".to_owned()))
    }
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::new(&blake3::hash(bytes).to_hex()).expect("a BLAKE3 hash is 64 hexadecimal digits")
}

impl Artifacts for ArtifactFiles {
    fn put(&self, bytes: &[u8]) -> Result<Digest, Fault> {
        if bytes.len() as u64 > ARTIFACT_BYTES_MAX {
            return Err(Fault::Other(format!(
                "storing an artifact of {} bytes: at most {ARTIFACT_BYTES_MAX} are kept",
                bytes.len()
            )));
        }
        let digest = digest_of(bytes);
        let path = self.path(&digest).expect("the digest is of our kind");
        let fault = |error| from_io("storing the artifact", &path, &error);
        let is_there = matches!(look(&path, &digest), Ok(Found::Whole(_)));
        if is_there && self.renew(&path, &digest).map_err(fault)? == Renewed::Yes {
            return Ok(digest);
        }
        for _ in 1..TRIES_MAX {
            match self.write(&path, bytes) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => return done.map(|()| digest).map_err(fault),
            }
        }
        self.write(&path, bytes).map(|()| digest).map_err(fault)
    }

    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        let Some(path) = self.path(digest) else {
            return Ok(None);
        };
        match look(&path, digest) {
            Ok(Found::Whole(bytes)) => Ok(Some(bytes)),
            Ok(Found::Nothing) => Ok(None),
            Ok(Found::Wrong(cause)) => Err(Fault::Unreadable(format!(
                "reading the artifact {}: {cause}",
                path.display()
            ))),
            Err(error) => Err(from_io("reading the artifact", &path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_while_it_is_put_again_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = ArtifactFiles::new(folder.path(), None);
        let digest = artifacts.put(b"content").unwrap();
        let path = artifacts.path(&digest).unwrap();
        assert_eq!(artifacts.renew(&path, &digest).unwrap(), Renewed::Yes);
        // As if somebody had given it back between the look and this.
        fs::remove_file(&path).unwrap();
        assert_eq!(artifacts.renew(&path, &digest).unwrap(), Renewed::Gone);
        fs::write(&path, "other").unwrap();
        assert_eq!(artifacts.renew(&path, &digest).unwrap(), Renewed::Gone);
        artifacts.put(b"content").unwrap();
        assert_eq!(
            artifacts.get(&digest).unwrap().as_deref(),
            Some(&b"content"[..])
        );
    }
}
