//! A journal in memory with the faults of real ones.
//!
//! [`Disk`] is what survives: it outlives every engine. [`FaultyJournal`] is one engine's handle
//! on it. A batch is atomic, gaps in a stream are refused, rows are written with their batch.
//! Faults are armed by the driver and strike once: an append that writes nothing, one that writes
//! though it reports a failure, one after which the engine is dead; batches that were written but
//! not yet synchronised and vanish at a power loss; rows that are dropped because another version
//! of the code wrote them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use divisi_core::ids::{CommandId, Epoch, RunId, Time};
use divisi_core::journal::{
    AccountRow, Batch, Entry, Fault, Journal, LedgerRow, RunRow, Stream, TaskRow,
};
use divisi_core::ledger::Account;

use crate::breaks::Break;
use crate::divisions::forget_criteria;

/// What the next append does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    /// Nothing is written: the disk is full.
    Full,
    /// Nothing is written, for another reason.
    Other,
    /// It is written, though the answer is a failure.
    Ambiguous,
    /// The engine dies before it is written.
    DieBefore,
    /// It is written; the engine dies before it learns so.
    DieAfter,
}

#[derive(Clone, Debug)]
enum Record {
    Batch(Batch),
    Epoch,
}

/// What is stored, without its history.
#[derive(Clone, Debug, Default)]
struct Tables {
    entries: BTreeMap<Stream, Vec<Entry>>,
    runs: BTreeMap<RunId, RunRow>,
    tasks: BTreeMap<(RunId, u32), TaskRow>,
    accounts: BTreeMap<Account, AccountRow>,
    ledger: Option<LedgerRow>,
    commands: BTreeMap<CommandId, String>,
    epoch: u64,
}

impl Tables {
    fn write(&mut self, record: &Record) {
        let batch = match record {
            Record::Epoch => {
                self.epoch += 1;
                return;
            }
            Record::Batch(batch) => batch,
        };
        for entry in &batch.entries {
            self.entries
                .entry(entry.stream)
                .or_default()
                .push(entry.clone());
        }
        for (run, from) in &batch.cut {
            self.tasks.retain(|(of, no), _| of != run || no < from);
        }
        for row in &batch.tasks {
            self.tasks.insert((row.run, row.no), row.clone());
        }
        for row in &batch.runs {
            self.runs.insert(row.run, row.clone());
        }
        for row in &batch.accounts {
            self.accounts.insert(row.account, row.clone());
        }
        if let Some(ledger) = &batch.ledger {
            self.ledger = Some(ledger.clone());
        }
        for command in &batch.commands {
            self.commands
                .insert(command.id.clone(), command.outcome.clone());
        }
    }
}

/// What survives an engine.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    tables: Tables,
    log: Vec<Record>,
    /// So many records are known to survive a power loss.
    synced: usize,
    strike: Option<Strike>,
    /// The engine that holds it has died in an append.
    dead: bool,
    broken: Option<Break>,
    /// Leases that were seen before they were durable; only a broken engine acts on them.
    early: Vec<Entry>,
    /// How often the rows of all runs were read.
    #[cfg(test)]
    listings: u32,
}

impl Disk {
    /// Arms a fault for the next append.
    pub(crate) fn arm(&mut self, strike: Strike) {
        self.strike = Some(strike);
    }

    /// The fault that is armed.
    #[must_use]
    pub(crate) fn armed(&self) -> Option<Strike> {
        self.strike
    }

    /// Whether the engine has died in an append; reviving is the next engine's start.
    #[must_use]
    pub(crate) fn is_dead(&self) -> bool {
        self.dead
    }

    /// Another engine opens it.
    pub(crate) fn revive(&mut self) {
        self.dead = false;
        self.strike = None;
        self.early.clear();
    }

    /// All that was written is on the platter.
    pub(crate) fn sync(&mut self) {
        self.synced = self.log.len();
    }

    /// The power fails: of what was not synchronised, the last `lost` records vanish, whole.
    /// Returns how many did.
    pub(crate) fn tear(&mut self, lost: u64) -> usize {
        let loose = self.log.len() - self.synced;
        let lost = usize::try_from(lost).unwrap_or(loose).min(loose);
        // An epoch that was begun is durable before anything happens in it.
        self.log.truncate(self.log.len() - lost);
        self.tables = Tables::default();
        for record in &self.log {
            self.tables.write(record);
        }
        lost
    }

    /// Rows of another version of the code are dropped: all of them.
    pub(crate) fn drop_rows(&mut self) {
        self.tables.runs.clear();
        self.tables.tasks.clear();
        self.tables.accounts.clear();
        self.tables.ledger = None;
    }

    /// Whoever reads a stream's events from now on fails.
    #[cfg(test)]
    pub(crate) fn spoil(&mut self, stream: Stream) {
        for entry in self.tables.entries.entry(stream).or_default() {
            entry.body = "spoiled".to_owned();
        }
    }

    /// What the last append wrote.
    #[cfg(test)]
    pub(crate) fn last_batch(&self) -> &Batch {
        match self.log.last() {
            Some(Record::Batch(batch)) => batch,
            other => panic!("the last record is {other:?}"),
        }
    }

    /// How often the rows of all runs were read.
    #[cfg(test)]
    pub(crate) fn listings(&self) -> u32 {
        self.listings
    }

    /// A stream's events from `seq + 1` on.
    #[must_use]
    pub(crate) fn after(&self, stream: Stream, seq: u64) -> &[Entry] {
        let entries = self.tables.entries.get(&stream);
        entries.map_or(&[], |entries| &entries[(seq as usize).min(entries.len())..])
    }

    /// All streams with events.
    pub(crate) fn streams(&self) -> impl Iterator<Item = Stream> + '_ {
        self.tables.entries.keys().copied()
    }

    /// Whether the outcome of a command is stored.
    #[must_use]
    pub(crate) fn knows(&self, id: &CommandId) -> bool {
        self.tables.commands.contains_key(id)
    }

    /// All commands whose outcome is stored.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &CommandId> {
        self.tables.commands.keys()
    }

    /// Takes the leases that a broken engine saw too early.
    pub(crate) fn take_early(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.early)
    }

    fn check_gaps(&self, batch: &Batch) -> Result<(), Fault> {
        let mut next: BTreeMap<Stream, u64> = BTreeMap::new();
        for entry in &batch.entries {
            let have = || self.tables.entries.get(&entry.stream).map_or(0, Vec::len) as u64;
            let next = next.entry(entry.stream).or_insert_with(have);
            *next += 1;
            if entry.seq != *next {
                let cause = format!(
                    "{:?}: event {} after {}",
                    entry.stream,
                    entry.seq,
                    *next - 1
                );
                return Err(Fault::Other(cause));
            }
        }
        Ok(())
    }

    fn append(&mut self, batch: &Batch) -> Result<(), Fault> {
        if self.dead {
            return Err(Fault::Unavailable("the engine is dead".to_owned()));
        }
        if self.broken == Some(Break::EffectBeforeAppend) {
            let leases = batch.entries.iter().filter(|e| e.kind == "attempt_leased");
            self.early.extend(leases.cloned());
        }
        let strike = self.strike.take();
        match strike {
            Some(Strike::Full) => return Err(Fault::Full("no space is left".to_owned())),
            Some(Strike::Other) => return Err(Fault::Other("the disk does not answer".to_owned())),
            Some(Strike::DieBefore) => {
                self.dead = true;
                return Err(Fault::Other("killed before the append".to_owned()));
            }
            _ => {}
        }
        self.check_gaps(batch)?;
        let mut batch = batch.clone();
        match self.broken {
            Some(Break::NotJournalled) if self.log.len() % 7 == 3 => return Ok(()),
            Some(Break::RowNotWritten) if self.log.len() % 3 == 1 => batch.tasks.clear(),
            Some(Break::CommandNotStored) => batch.commands.clear(),
            Some(Break::ExpandedTwice) => repeat_expansions(&mut batch),
            Some(Break::CriterionForgotten) => forget_criteria(&mut batch),
            _ => {}
        }
        let record = Record::Batch(batch);
        self.tables.write(&record);
        self.log.push(record);
        match strike {
            Some(Strike::DieAfter) => {
                self.dead = true;
                Err(Fault::Other("killed after the append".to_owned()))
            }
            Some(Strike::Ambiguous) => Err(Fault::Other("the answer was lost".to_owned())),
            _ => Ok(()),
        }
    }
}

/// What a core would write that takes the same plan twice.
fn repeat_expansions(batch: &mut Batch) {
    let mut shifted: BTreeMap<Stream, u64> = BTreeMap::new();
    for entry in std::mem::take(&mut batch.entries) {
        let shift = shifted.entry(entry.stream).or_default();
        let again = entry.kind == "task_split" && entry.body.contains("\"planned\"");
        for _ in 0..=u64::from(again) {
            let seq = entry.seq + *shift;
            batch.entries.push(Entry {
                seq,
                ..entry.clone()
            });
            *shift += 1;
        }
        *shift -= 1;
    }
}

/// An engine's handle on a [`Disk`].
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultyJournal(Rc<RefCell<Disk>>);

impl FaultyJournal {
    /// A new disk, written by a sound engine or by a broken one.
    #[must_use]
    pub(crate) fn new(broken: Option<Break>) -> FaultyJournal {
        let journal = FaultyJournal::default();
        journal.0.borrow_mut().broken = broken;
        journal
    }

    /// Works on the disk.
    pub(crate) fn disk<T>(&self, work: impl FnOnce(&mut Disk) -> T) -> T {
        work(&mut self.0.borrow_mut())
    }

    fn read<T>(&self, work: impl FnOnce(&Tables) -> T) -> Result<T, Fault> {
        let disk = self.0.borrow();
        if disk.dead {
            return Err(Fault::Unavailable("the engine is dead".to_owned()));
        }
        Ok(work(&disk.tables))
    }
}

impl Journal for FaultyJournal {
    fn append(&mut self, batch: &Batch) -> Result<(), Fault> {
        self.0.borrow_mut().append(batch)
    }

    fn begin_epoch(&mut self, _now: Time) -> Result<Epoch, Fault> {
        let mut disk = self.0.borrow_mut();
        if disk.dead {
            return Err(Fault::Unavailable("the engine is dead".to_owned()));
        }
        disk.tables.write(&Record::Epoch);
        disk.log.push(Record::Epoch);
        // Beginning an epoch waits for the platter, whatever the durability of steps is.
        disk.sync();
        Ok(Epoch(disk.tables.epoch))
    }

    fn events(&self, stream: Stream, after: u64) -> Result<Vec<Entry>, Fault> {
        self.read(|tables| {
            let entries = tables.entries.get(&stream);
            entries.map_or_else(Vec::new, |entries| {
                entries[(after as usize).min(entries.len())..].to_vec()
            })
        })
    }

    fn streams(&self) -> Result<Vec<(Stream, u64)>, Fault> {
        self.read(|tables| {
            let streams = tables.entries.iter();
            streams
                .map(|(stream, entries)| (*stream, entries.len() as u64))
                .collect()
        })
    }

    fn runs(&self) -> Result<Vec<RunRow>, Fault> {
        #[cfg(test)]
        self.disk(|disk| disk.listings += 1);
        self.read(|tables| tables.runs.values().cloned().collect())
    }

    fn run(&self, run: RunId) -> Result<Option<RunRow>, Fault> {
        self.read(|tables| tables.runs.get(&run).cloned())
    }

    fn tasks(&self, run: RunId) -> Result<Vec<TaskRow>, Fault> {
        self.read(|tables| {
            let rows = tables.tasks.range((run, 0)..=(run, u32::MAX));
            rows.map(|(_, row)| row.clone()).collect()
        })
    }

    fn accounts(&self) -> Result<Vec<AccountRow>, Fault> {
        self.read(|tables| tables.accounts.values().cloned().collect())
    }

    fn ledger(&self) -> Result<Option<LedgerRow>, Fault> {
        self.read(|tables| tables.ledger.clone())
    }

    fn command(&self, id: &CommandId) -> Result<Option<String>, Fault> {
        self.read(|tables| tables.commands.get(id).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(seq: u64) -> Batch {
        let entry = Entry {
            stream: Stream::Ledger,
            seq,
            kind: "x".to_owned(),
            version: 1,
            at: Time(0),
            body: "{}".to_owned(),
        };
        Batch {
            entries: vec![entry],
            ..Batch::default()
        }
    }

    #[test]
    fn a_gap_is_refused_and_nothing_is_written() {
        let mut journal = FaultyJournal::new(None);
        journal.append(&batch(1)).unwrap();
        assert!(journal.append(&batch(3)).is_err());
        assert_eq!(journal.events(Stream::Ledger, 0).unwrap().len(), 1);
    }

    #[test]
    fn a_power_loss_takes_whole_batches_that_were_not_synchronised() {
        let mut journal = FaultyJournal::new(None);
        journal.append(&batch(1)).unwrap();
        journal.disk(Disk::sync);
        journal.append(&batch(2)).unwrap();
        journal.append(&batch(3)).unwrap();
        assert_eq!(journal.disk(|disk| disk.tear(1)), 1);
        assert_eq!(journal.events(Stream::Ledger, 0).unwrap().len(), 2);
        assert_eq!(journal.disk(|disk| disk.tear(100)), 1);
        assert_eq!(journal.events(Stream::Ledger, 0).unwrap().len(), 1);
    }

    #[test]
    fn an_append_fails_before_or_after_it_is_written() {
        let mut journal = FaultyJournal::new(None);
        journal.disk(|disk| disk.arm(Strike::Full));
        assert!(matches!(journal.append(&batch(1)), Err(Fault::Full(_))));
        assert_eq!(journal.events(Stream::Ledger, 0).unwrap().len(), 0);
        journal.disk(|disk| disk.arm(Strike::DieAfter));
        assert!(journal.append(&batch(1)).is_err());
        assert!(journal.events(Stream::Ledger, 0).is_err(), "it is dead");
        journal.disk(Disk::revive);
        assert_eq!(journal.events(Stream::Ledger, 0).unwrap().len(), 1);
    }
}
