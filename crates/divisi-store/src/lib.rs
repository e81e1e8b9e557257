//! The store of Divisi: it remembers, and decides nothing.
//!
//! It owns the journal (`.divisi/divisi.db`, SQLite in WAL mode), the rows that are its projection
//! and checkpoint, the artifacts by digest (`.divisi/artifacts/`), and the reserve that lets a full
//! disk be recorded (`.divisi/reserve`). It does not know what an event or a row means, it holds no
//! lock that makes its process the only engine, and it starts no thread.
//!
//! - [`Store`] is the engine's: the one writer. It implements [`divisi_core::journal::Journal`].
//! - [`View`] is everybody else's: it reads while the engine writes, and never writes itself.
//! - [`Checkpointer`] moves the WAL into the database on a connection of its own, so that the
//!   engine's thread need not.
//! - [`ArtifactFiles`] holds artifacts. It implements [`divisi_core::journal::Artifacts`].
//! - [`Versions`] says which forms of events and rows this code reads, and lifts older ones.
//!
//! Faults are [`divisi_core::journal::Fault`]; [`diagnostic`] words them for a person.

mod artifacts;
mod checkpoint;
mod connection;
mod create;
mod damage;
mod fault;
mod files;
mod reads;
mod reserve;
mod schema;
mod store;
mod upcast;
mod view;
mod writes;

pub use artifacts::{ARTIFACT_BYTES_MAX, ArtifactFiles, GiveBack, GivenBack};
pub use checkpoint::{Checkpointed, Checkpointer};
pub use connection::{BUSY_MS_MAX, Durability};
pub use fault::diagnostic;
pub use reads::{PAGE_BYTES_MAX, PAGE_ROWS_MAX};
pub use reserve::RESERVE_BYTES;
pub use store::{Hook, Options, Store};
pub use upcast::{Upcaster, Upcasters, Versions};
pub use view::{NotOpened, Numbered, View};
pub use writes::ENTRY_BYTES_MAX;
