//! Merging into a folder without git: each changed file whole, or the folder as it was.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use super::deliver::Delivery;
use super::fault::Fault;
use super::objects::{Change, Mode};
use super::refusal::DeliverError;
use super::standing::{beside, join, remove_empty};
use super::store::Repo;
use super::tree::lossy;
use super::user::remove_if_there;

impl Repo {
    pub(crate) fn deliver_to_folder(
        &self,
        root: &Path,
        changes: &[Change],
    ) -> Result<Delivery, DeliverError> {
        self.refuse_blocked_folder(root, changes)?;
        self.hook("deliver.write.before");
        if let Err(fault) = self.write_folder(root, changes) {
            // Every path is in one of two states, and both are known: back to the first. What
            // fails here too can be repaired by merging again, which is what the fault says.
            let back: Vec<Change> = changes.iter().map(reversed).collect();
            let _ = self.write_folder(root, &back);
            return Err(fault.into());
        }
        self.hook("deliver.write.after");
        let paths = changes.iter().map(|change| lossy(&change.path)).collect();
        Ok(Delivery::Folder { paths })
    }

    fn write_folder(&self, root: &Path, changes: &[Change]) -> Result<(), Fault> {
        self.remove_files(root, changes)?;
        for change in changes {
            let Some(item) = change.new else { continue };
            let place = join(root, &change.path);
            let write = || Fault::io("write", &place);
            let parent = place.parent().unwrap_or(root);
            fs::create_dir_all(parent).map_err(write())?;
            let temporary = beside(&place);
            remove_if_there(&temporary).map_err(write())?;
            if item.mode == Mode::Link {
                let (target, _) = self.objects.blob(item.oid, 64 << 10).map_err(write())?;
                let target = OsString::from_vec(target);
                symlink(target, &temporary).map_err(write())?;
            } else {
                let mode = if item.mode == Mode::Executable {
                    0o777
                } else {
                    0o666
                };
                let mut file = fs::File::options()
                    .write(true)
                    .create_new(true)
                    .mode(mode)
                    .open(&temporary)
                    .map_err(write())?;
                self.objects
                    .copy_blob(item.oid, &mut file)
                    .map_err(write())?;
                file.flush()
                    .and_then(|()| file.sync_all())
                    .map_err(write())?;
            }
            if place.is_dir() && !place.is_symlink() {
                // It was found without files.
                remove_empty(&place).map_err(write())?;
            }
            fs::rename(&temporary, &place).map_err(write())?;
            self.hook("deliver.file.after");
        }
        Ok(())
    }
}

/// The change that undoes a change.
pub(crate) fn reversed(change: &Change) -> Change {
    Change {
        path: change.path.clone(),
        old: change.new,
        new: change.old,
    }
}
