//! The private repository: the only one that agents and integration touch.
//!
//! `.divisi/repo.git` is bare and Divisi's own. It owns the objects (those of the user's
//! repository are linked in), the reference `refs/divisi/run-N/head` of each run, and nothing
//! else: no hooks, no branches, a configuration that is compared with what it must be before
//! every call. Workspaces are built from it by [`crate::workspace`]; agents see a git directory
//! of their own in them and never this one.
//!
//! - [`Repo::open`] finds the project and makes the repository; [`Repo::base`] brings in the
//!   commit that a run stands on.
//! - [`Repo::merge`] and [`Repo::update_ref`] integrate; each can be repeated.
//! - [`TreeFiles`] is a tree as checks see it; [`WorkingTree`] is the user's own, as it stands, and
//!   [`Listed`] its files alone.
//! - [`Repo::preview`] works a merge out; [`Repo::carry_out`], and [`Repo::merge_to_user`] which is
//!   both, are all that writes to the user's repository.
//!
//! It deliberately knows neither tasks nor verdicts: what is integrated when is the core's.
//! Why it is built this way, and what was rejected, stands in `docs/design/workspaces.md`.

mod base;
mod carry;
mod checkout;
mod copied;
mod deliver;
mod fault;
mod fingerprint;
mod folder;
pub(crate) mod git;
pub(crate) mod index;
mod merge;
pub(crate) mod objects;
pub(crate) mod pipes;
mod preview;
mod prune;
mod refusal;
mod standing;
mod store;
mod tree;
mod uncommitted;
mod user;
mod working;

pub use base::{Base, BaseOptions, UNCOMMITTED_NAMED_MAX};
pub use carry::Ground;
pub use deliver::{Delivery, MergeOptions, Target};
pub use fault::Fault;
pub use fingerprint::{Fingerprint, user_fingerprint};
pub use merge::{DiffForm, Merged};
pub use preview::{ChangeKind, FileChange, Onto, Preview, Way};
pub use prune::{InUse, Needed, Prune, Pruned};
pub use refusal::{DeliverError, MergeRefusal};
pub use store::{Hook, Repo};
pub use tree::TreeFiles;
pub use working::{Listed, WorkingTree};

pub(crate) use base::{joined, split};
pub(crate) use git::{Call, Git};
pub(crate) use store::POOL;
pub(crate) use user::remove_if_there;
