//! The reserve: a file whose only use is to be deleted when the disk is full.
//!
//! A full disk must itself be recorded, or the engine could neither say why its runs paused nor go
//! on knowing that they did. Deleting the reserve makes room for that record. Its bytes are not
//! compressible, so that a file system that compresses keeps them all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use divisi_core::journal::Fault;

use crate::fault::from_io;
use crate::files::{length, remove_if_there, sync_folder};

/// Bytes of the reserve: more than a hundred pages of the WAL, a dozen steps of the engine.
pub const RESERVE_BYTES: u64 = 256 * 1024;

/// The file of the reserve.
pub(crate) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub(crate) fn new(folder: &Path) -> Reserve {
        Reserve {
            path: folder.join("reserve"),
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == RESERVE_BYTES)
    }

    pub(crate) fn release(&self) -> Result<(), Fault> {
        remove_if_there(&self.path).map_err(|error| from_io("releasing", &self.path, &error))
    }

    /// Takes the room again, unless it is held. A reserve that does not fit whole is not kept.
    pub(crate) fn restore(&self) -> Result<(), Fault> {
        if self.is_there() {
            return Ok(());
        }
        let fault = |error| from_io("reserving", &self.path, &error);
        remove_if_there(&self.path).map_err(fault)?;
        let taken = self.fill();
        if taken.is_err() {
            self.release()?;
        }
        taken.map_err(fault)
    }

    fn fill(&self) -> std::io::Result<()> {
        let size = usize::try_from(RESERVE_BYTES).expect("256 KiB fit an address space");
        let mut bytes = vec![0; size];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        let mut file = fs::File::create_new(&self.path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        if length(&self.path)? != RESERVE_BYTES {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        self.path.parent().map_or(Ok(()), sync_folder)
    }
}
