//! What the shell must remember for the core: the journal and the artifacts.
//!
//! Events are `(stream, seq, kind, version, body)`. Rows of changed tasks and accounts are written in
//! the same transaction as the events that changed them; they are the projection that other
//! processes read *and* the checkpoint from which state is loaded.

use crate::ids::{CommandId, Digest, Epoch, RunId, Time};
use crate::ledger::Account;

/// Whose events they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// One run's.
    Run(RunId),
    /// The ledger's.
    Ledger,
}

/// The version in which a kind of event is written today, from the table of its aggregate.
pub(crate) fn version_of(kinds: &[(&str, u32)], kind: &str) -> u32 {
    let found = kinds.iter().find(|(known, _)| *known == kind);
    found.expect("every kind stands in the table").1
}

/// An event as it is stored. `body` is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub stream: Stream,
    /// From 1, without gaps, within the stream.
    pub seq: u64,
    /// The event's name in snake case.
    pub kind: String,
    /// The version of its form.
    pub version: u32,
    /// When.
    pub at: Time,
    /// JSON.
    pub body: String,
}

/// A task's row: what is needed to load it, and what others list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// The run.
    pub run: RunId,
    /// The task's number within it.
    pub no: u32,
    /// Its name.
    pub id: String,
    /// Its status as a word.
    pub status: String,
    /// How many attempts it had.
    pub attempts: u32,
    /// Its whole changing state, as JSON.
    pub body: String,
}

/// A run's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The run.
    pub run: RunId,
    /// Its title.
    pub title: String,
    /// Its status as a word.
    pub status: String,
    /// The seq of the last event that the rows of this run include.
    pub seq: u64,
    /// Its changing state without tasks, as JSON.
    pub body: String,
}

/// An account's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Whose.
    pub account: Account,
    /// Its balance, as JSON.
    pub body: String,
}

/// The ledger's own row: what is left of its state without accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The seq of the last event that this row and those of accounts include.
    pub seq: u64,
    /// The reservations that are held, as JSON.
    pub body: String,
}

/// The stored outcome of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRow {
    /// The command's id.
    pub id: CommandId,
    /// Its outcome, as JSON.
    pub outcome: String,
}

/// All that one step writes, in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// New events; each stream's in order.
    pub entries: Vec<Entry>,
    /// Runs whose tasks from this number on are gone, written before the rows of tasks.
    pub cut: Vec<(RunId, u32)>,
    /// Rows of changed tasks.
    pub tasks: Vec<TaskRow>,
    /// Rows of changed runs.
    pub runs: Vec<RunRow>,
    /// Rows of changed accounts.
    pub accounts: Vec<AccountRow>,
    /// The ledger's own row, if the ledger changed.
    pub ledger: Option<LedgerRow>,
    /// Outcomes of commands.
    pub commands: Vec<CommandRow>,
}

impl Batch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.tasks.is_empty()
            && self.runs.is_empty()
            && self.accounts.is_empty()
            && self.ledger.is_none()
            && self.commands.is_empty()
    }
}

/// Why the journal could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full; nothing was written. Worth trying again when there is room.
    Full(String),
    /// Another process holds the journal for writing, or it is read-only.
    Unavailable(String),
    /// What is stored cannot be read: damaged, or written by a newer Divisi.
    Unreadable(String),
    /// Anything else; nothing was written.
    Other(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Fault::Full(cause)
        | Fault::Unavailable(cause)
        | Fault::Unreadable(cause)
        | Fault::Other(cause)) = self;
        f.write_str(cause)
    }
}

impl std::error::Error for Fault {}

/// The journal as the engine writes and loads it. Synchronous: the engine waits for durability.
pub trait Journal {
    /// Writes a batch in one transaction; durable when it returns.
    ///
    /// # Errors
    /// Nothing of the batch was written.
    fn append(&mut self, batch: &Batch) -> Result<(), Fault>;

    /// Begins a new epoch, durably, and returns it.
    ///
    /// # Errors
    /// The epoch did not begin.
    fn begin_epoch(&mut self, now: Time) -> Result<Epoch, Fault>;

    /// Gives up what is kept in reserve, so that a full disk can still be recorded.
    ///
    /// # Errors
    /// There is no reserve.
    fn release_reserve(&mut self) -> Result<(), Fault> {
        Err(Fault::Other("this journal keeps no reserve".to_owned()))
    }

    /// Puts the reserve back.
    ///
    /// # Errors
    /// There is no room for it.
    fn restore_reserve(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// All events of a stream after `after`, in order, lifted to today's versions.
    ///
    /// # Errors
    /// The stream cannot be read.
    fn events(&self, stream: Stream, after: u64) -> Result<Vec<Entry>, Fault>;

    /// A stream's events of these kinds only, in order, lifted to today's versions.
    ///
    /// # Errors
    /// The stream cannot be read.
    fn events_of(&self, stream: Stream, kinds: &[&str]) -> Result<Vec<Entry>, Fault> {
        let mut entries = self.events(stream, 0)?;
        entries.retain(|entry| kinds.contains(&entry.kind.as_str()));
        Ok(entries)
    }

    /// All streams that have events, with their last seqs. One without its row is replayed whole.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn streams(&self) -> Result<Vec<(Stream, u64)>, Fault> {
        Ok(self
            .runs()?
            .iter()
            .map(|row| (Stream::Run(row.run), row.seq))
            .collect())
    }

    /// Rows of all runs, oldest first.
    ///
    /// # Errors
    /// The rows cannot be read.
    fn runs(&self) -> Result<Vec<RunRow>, Fault>;

    /// A run's row.
    ///
    /// # Errors
    /// The row cannot be read.
    fn run(&self, run: RunId) -> Result<Option<RunRow>, Fault>;

    /// Rows of a run's changed tasks, by number. A task without a row is as the plan made it.
    ///
    /// # Errors
    /// The rows cannot be read.
    fn tasks(&self, run: RunId) -> Result<Vec<TaskRow>, Fault>;

    /// Rows of all accounts.
    ///
    /// # Errors
    /// The rows cannot be read.
    fn accounts(&self) -> Result<Vec<AccountRow>, Fault>;

    /// The ledger's own row. Without it, rows of accounts say nothing: the stream is replayed.
    ///
    /// # Errors
    /// The row cannot be read.
    fn ledger(&self) -> Result<Option<LedgerRow>, Fault>;

    /// The stored outcome of a command, if it was ever handled.
    ///
    /// # Errors
    /// The row cannot be read.
    fn command(&self, id: &CommandId) -> Result<Option<String>, Fault>;
}

/// Content by digest: bytes are durable before an event names them.
pub trait Artifacts {
    /// Stores bytes and returns their digest; durable when it returns.
    ///
    /// # Errors
    /// The bytes are not stored.
    fn put(&self, bytes: &[u8]) -> Result<Digest, Fault>;

    /// The bytes of a digest, verified; `None` if they are not there.
    ///
    /// # Errors
    /// They are there but cannot be read, or do not match.
    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault>;
}
