//! Workspaces: the folders in which agents work, and what is taken from them.
//!
//! A [`Pool`] keeps folders under `.divisi/worktrees` and reuses them. What Divisi knows about
//! each (`.divisi/pool/slot-N`: a private index and a small description) lies outside of them,
//! where a confined agent cannot write. Agents find a git directory of their own in a workspace,
//! with which they may do what they like: Divisi neither reads it nor runs anything in it.
//!
//! - [`Pool::worktree`], [`Pool::scratch`], [`Pool::shared`] and [`Pool::checkout`] prepare
//!   folders; preparing again what is prepared changes nothing.
//! - A [`Provision`] is what a folder gets beside its tree; a [`Layer`] is one that is kept.
//! - [`Pool::collect`] takes a snapshot, after looking at every entry without opening it.
//! - [`Pool::release`] and [`Pool::gc`] let go what its owner proved to be safe. Nothing else
//!   removes an agent's work.
//!
//! It deliberately knows neither processes nor states of tasks: whether all writers have ended is
//! the supervisor's word, whether work is integrated the core's.

mod changed;
mod checkout;
mod chosen;
mod collect;
mod dotenv;
mod gitdir;
mod layers;
mod masking;
mod pool;
mod prepare;
mod provision;
mod reclaim;
mod refusal;
mod secrets;
mod slot;
mod survey;
pub(crate) mod walk;

pub use checkout::Checkout;
pub use chosen::Chosen;
pub use collect::{CollectOptions, Collected};
pub use layers::{KeepError, Layer};
pub(crate) use masking::mask_folder;
pub use pool::{Pool, PoolOptions, Successor, SuccessorFrom, Workspace, folder_of};
pub use provision::{Given, Provision};
pub use reclaim::{GcAction, GcItem, Proof};
pub use refusal::{CollectError, Refusal};
