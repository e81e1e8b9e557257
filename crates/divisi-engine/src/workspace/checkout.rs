//! Clean checkouts: folders that hold a tree, for programs of checks and of setups.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_core::{Commit, Tree};

use super::pool::Pool;
use super::prepare::Folder;
use super::provision::Given;
use super::slot::{Description, Phase};
use crate::repo::Fault;

/// A clean checkout for checks; its folder is reused when this is dropped.
#[derive(Debug)]
pub struct Checkout {
    pool: Arc<Pool>,
    slot: u32,
    path: PathBuf,
}

impl Checkout {
    /// Its absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn slot(&self) -> u32 {
        self.slot
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        // What cannot be given back now is recognised at the next start.
        let _ = self.pool.give_back(self.slot);
    }
}

impl Pool {
    /// A clean checkout of a tree in which checks may run commands. If there is a commit with
    /// that tree, `head` says which git commands in there find at HEAD.
    ///
    /// # Errors
    /// The file system or git failed.
    pub fn checkout(
        self: &Arc<Pool>,
        tree: &Tree,
        head: Option<&Commit>,
    ) -> Result<Checkout, Fault> {
        self.checkout_in(Folder::Any, tree, head, Given::NOTHING)
    }

    /// The same with what it is given beside the tree.
    ///
    /// # Errors
    /// As [`Pool::checkout`], or more is given than a workspace may have.
    pub fn checkout_with(
        self: &Arc<Pool>,
        tree: &Tree,
        head: Option<&Commit>,
        given: Given<'_>,
    ) -> Result<Checkout, Fault> {
        self.checkout_in(Folder::Any, tree, head, given)
    }

    pub(crate) fn checkout_in(
        self: &Arc<Pool>,
        folder: Folder,
        tree: &Tree,
        head: Option<&Commit>,
        given: Given<'_>,
    ) -> Result<Checkout, Fault> {
        self.repo().hook("checkout.before");
        let slot = self.reserve(folder, |slot| Description {
            name: format!("check-{slot}"),
            phase: Phase::Preparing,
            ..Description::free()
        })?;
        let path = self.folder(&format!("check-{slot}"));
        // From here on the folder is given back whatever happens.
        let checkout = Checkout {
            pool: Arc::clone(self),
            slot,
            path,
        };
        self.fill(slot, &checkout.path, Some(tree))?;
        self.lay(slot, &checkout.path, given)?;
        self.write_gitdir(slot, &checkout.path, head)?;
        Ok(checkout)
    }

    /// A checkout for a setup, with what is given to it. Its folder is a new one: whatever a
    /// setup or a check of an earlier life of the engine still writes does not reach it.
    ///
    /// # Errors
    /// The file system or git failed.
    pub fn checkout_for_setup(
        self: &Arc<Pool>,
        tree: &Tree,
        head: Option<&Commit>,
        given: Given<'_>,
    ) -> Result<Checkout, Fault> {
        self.checkout_in(Folder::New, tree, head, given)
    }
}
