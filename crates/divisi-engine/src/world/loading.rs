//! The memory from the journal: rows where they are whole, events where they are not.

use std::collections::BTreeMap;

use divisi_core::ids::{RunId, TaskNo, Time};
use divisi_core::journal::{Batch, Entry, Fault, Journal, RunRow, Stream};
use divisi_core::ledger;
use divisi_core::run::{self, Event, stored};

use super::{Loaded, World, budgets};

impl<J: Journal> World<J> {
    /// Drops the memory and rebuilds it from the journal.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn reload(&mut self) -> Result<(), Fault> {
        let rows = self.journal.runs()?;
        let mut rows: BTreeMap<RunId, RunRow> =
            rows.into_iter().map(|row| (row.run, row)).collect();
        let mut lasts = BTreeMap::new();
        for (stream, last) in self.journal.streams()? {
            let Stream::Run(run) = stream else { continue };
            rows.entry(run).or_insert_with(|| without_row(run));
            lasts.insert(run, last);
        }
        self.runs.clear();
        self.rebuilt.clear();
        for row in rows.values() {
            self.run_last = self.run_last.max(row.run.0);
            if row.body.is_empty() {
                self.rebuilt.push(row.run);
            } else if lasts.get(&row.run) == Some(&row.seq)
                && let Ok(summary) = stored::summary(row)
                && summary.ended.is_some()
                && !summary.owes
            {
                // Most runs that ever were: their rows tell that nothing is left to do.
                self.last_at = self.last_at.max(summary.last_at);
                continue;
            }
            let loaded = load(&self.journal, row)?;
            self.last_at = self.last_at.max(loaded.run.last_at);
            if loaded.run.ended.is_none() || loaded.run.owed().next().is_some() {
                self.runs.insert(row.run, loaded);
            }
        }
        let (seq, ledger) = budgets::load_ledger(&self.journal)?;
        self.ledger = ledger;
        self.ledger_seq = seq;
        Ok(())
    }

    /// Writes the rows of runs that had to be replayed, so that other processes see them again.
    pub(super) fn write_rebuilt(&mut self) -> Result<(), Fault> {
        for id in std::mem::take(&mut self.rebuilt) {
            let loaded = load(&self.journal, &without_row(id))?;
            let mut batch = Batch::default();
            for (no, task) in loaded.run.tasks().iter().enumerate() {
                let is_as_planned = task.attempts() == 0
                    && task.answers.is_empty()
                    && matches!(
                        task.state,
                        run::TaskState::Waiting | run::TaskState::Ready { .. }
                    );
                if !is_as_planned {
                    batch
                        .tasks
                        .push(stored::task_row(&loaded.run, TaskNo(no as u32)));
                }
            }
            batch.runs.push(stored::run_row(&loaded.run, loaded.seq));
            self.journal.append(&batch)?;
        }
        if self.ledger_seq > 0 && self.journal.ledger()?.is_none() {
            self.ledger.take_changed();
            let accounts = self.ledger.accounts.keys().copied();
            self.journal.append(&Batch {
                accounts: ledger::stored::account_rows(&self.ledger, accounts),
                ledger: Some(ledger::stored::ledger_row(&self.ledger, self.ledger_seq)),
                ..Batch::default()
            })?;
        }
        Ok(())
    }

    /// Loads a run that may have ended, for the next step. Where it cannot be, that step says so.
    pub fn keep_loaded(&mut self, id: RunId) {
        let _ = self.load_ended(id);
    }

    /// Loads a run that is not loaded, since it has ended. False if there is none.
    pub(super) fn load_ended(&mut self, id: RunId) -> Result<bool, Fault> {
        if !self.runs.contains_key(&id) {
            let Some(row) = self.journal.run(id)? else {
                return Ok(false);
            };
            let loaded = load(&self.journal, &row)?;
            self.runs.insert(id, loaded);
        }
        Ok(true)
    }
}

/// Loads a run from rows and structure, or from all its events where the rows lag behind.
///
/// # Errors
/// The journal cannot be read.
pub fn load<J: Journal>(journal: &J, row: &RunRow) -> Result<Loaded, Fault> {
    let stream = Stream::Run(row.run);
    let unreadable = |fault: stored::Unreadable| Fault::Unreadable(fault.to_string());
    if row.body.is_empty() {
        let entries = journal.events(stream, 0)?;
        let events: Vec<(Time, Event)> =
            entries.iter().map(read_event).collect::<Result<_, _>>()?;
        let run = stored::replay(row.run, &events).map_err(unreadable)?;
        return Ok(Loaded {
            run,
            seq: entries.last().map_or(0, |entry| entry.seq),
        });
    }
    let structure: Vec<(Time, Event)> = journal
        .events_of(stream, run::KINDS_OF_STRUCTURE)?
        .iter()
        .map(read_event)
        .collect::<Result<_, _>>()?;
    let rows = journal.tasks(row.run)?;
    let mut run = stored::restore(row.run, &structure, row, &rows).map_err(unreadable)?;
    let mut seq = row.seq;
    for entry in journal.events(stream, row.seq)? {
        let (at, event) = read_event(&entry)?;
        run.apply(at, &event);
        seq = entry.seq;
    }
    run.take_changed();
    Ok(Loaded { run, seq })
}

fn read_event(entry: &Entry) -> Result<(Time, Event), Fault> {
    let event = serde_json::from_str(&entry.body).map_err(|error| {
        Fault::Unreadable(format!(
            "event {} {:?} {}: {error}",
            entry.seq, entry.stream, entry.kind
        ))
    })?;
    Ok((entry.at, event))
}

fn without_row(run: RunId) -> RunRow {
    RunRow {
        run,
        title: String::new(),
        status: String::new(),
        seq: 0,
        body: String::new(),
    }
}
