//! A run as it stands in the journal, loaded by a process that only looks.
//!
//! It is what the engine would load: the plan and its revisions from the few events that make the
//! structure, everything else from rows. All is read in one moment, so that a run that is being
//! worked on is seen as it was between two steps.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use divisi_agents::local::offset_ms;
use divisi_core::journal::{AccountRow, Entry, Fault, RunRow, Stream};
use divisi_core::ledger::{self, Account, Balance, Credential, Limit};
use divisi_core::run::explain::Shared;
use divisi_core::run::stored::{self, Restoration};
use divisi_core::run::{Event, KINDS_OF_STRUCTURE, Run, RunStatus, TaskStatus};
use divisi_core::{RunId, TaskNo, Time};
use divisi_engine::engine::credentials;
use divisi_store::View;

use crate::cli::Global;
use crate::exit::Exit;
use crate::present::variables;
use crate::printer::Failure;
use crate::project::Project;
use crate::words;

/// Rows that are in memory together while a run is loaded.
const PAGE_ROWS: u32 = 500;

/// The run that a command is about, the latest if none is named, with the project it is in.
///
/// # Errors
/// There is no such project or run, or the journal cannot be read.
pub(crate) fn open(global: &Global, run: Option<RunId>) -> Result<(Project, Run), Failure> {
    let project = Project::find(global)?;
    let view = project.view()?;
    let id = project.row(&view, run)?.run;
    Ok((project, load(&view, id)?))
}

/// Loads a run.
///
/// # Errors
/// The run is not there, or the journal cannot be read.
pub(crate) fn load(view: &View, id: RunId) -> Result<Run, Fault> {
    Ok(load_with_seq(view, id)?.0)
}

/// Loads a run, with the seq of the last event that it includes.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_with_seq(view: &View, id: RunId) -> Result<(Run, u64), Fault> {
    view.consistently(|view| {
        let row = view
            .run(id)?
            .ok_or_else(|| Fault::Other(format!("{id} is not there any more")))?;
        let mut run = {
            let structure: Vec<(Time, Event)> = view
                .events_of(Stream::Run(id), KINDS_OF_STRUCTURE)?
                .iter()
                .map(event)
                .collect::<Result<_, _>>()?;
            Restoration::begin(id, &structure).map_err(unreadable)?
        };
        let mut after = None;
        loop {
            let page = view.tasks(id, after, PAGE_ROWS)?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.no);
            run.fill(&page).map_err(unreadable)?;
        }
        Ok((run.finish(&row).map_err(unreadable)?, row.seq))
    })
}

/// What made each revision of a run's plan, from its creation on.
///
/// # Errors
/// The journal cannot be read.
pub(crate) fn revisions(view: &View, id: RunId) -> Result<Vec<(Time, Event)>, Fault> {
    let structure = view.events_of(Stream::Run(id), KINDS_OF_STRUCTURE)?;
    let events: Vec<(Time, Event)> = structure.iter().map(event).collect::<Result<_, _>>()?;
    Ok({ events.into_iter() }
        .filter(|(_, event)| revises(event))
        .collect())
}

/// Whether there is another plan by an event. A review that is opened is a task beside the plan.
fn revises(event: &Event) -> bool {
    !matches!(event, Event::ReviewOpened { .. })
}

/// A run as its plan was by a revision, of which 1 is the first, if there is one of that number.
///
/// # Errors
/// There is no such project or run, or the journal cannot be read.
pub(crate) fn at_revision(global: &Global, id: RunId, number: u32) -> Result<Option<Run>, Failure> {
    let (project, run) = open(global, Some(id))?;
    let view = project.view()?;
    let structure = view.events_of(Stream::Run(id), KINDS_OF_STRUCTURE)?;
    let structure: Vec<(Time, Event)> = structure.iter().map(event).collect::<Result<_, _>>()?;
    let made = { structure.iter().enumerate() }.filter(|(_, (_, event))| revises(event));
    let made: Vec<usize> = made.map(|(at, _)| at).collect();
    let is_there = (1..=made.len()).contains(&(number as usize));
    if !is_there {
        return Ok(None);
    }
    let Some(next) = made.get(number as usize) else {
        return Ok(Some(run));
    };
    // Where its tasks stood is nobody's question: the plan alone is looked at.
    let row = project.row(&view, Some(id))?;
    let then = Restoration::begin(id, &structure[..*next]).and_then(|then| then.finish(&row));
    Ok(Some(then.map_err(unreadable)?))
}

/// What a run shares with the others of its project.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn shared(view: &View, id: RunId) -> Result<Shared, Fault> {
    let running = TaskStatus::Running.word();
    let mut others = Vec::new();
    let mut after = None;
    loop {
        let page = view.runs(after, PAGE_ROWS)?;
        let Some(last) = page.last() else { break };
        after = Some(last.run);
        for row in page.iter().filter(|row| row.run != id && is_open(row)) {
            let counts = view.task_counts(row.run)?;
            let held = counts.iter().find(|(status, _)| status == running);
            others.extend(held.map(|(_, many)| (row.run, *many as u32)));
        }
    }
    others.sort_unstable_by_key(|(_, many)| Reverse(*many));
    Ok(Shared {
        accounts: accounts(view, id)?,
        others,
        limits: limits(view)?,
        // Whoever asks has mostly the environment of whoever works.
        credentials: credentials(&variables()),
        offset_ms: offset_ms(words::now()),
    })
}

/// Until when which credentials are not used.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn limits(view: &View) -> Result<BTreeMap<Credential, Limit>, Fault> {
    let row = view.ledger()?;
    let ledger = row
        .map(|row| ledger::stored::restore(&row, &[]))
        .transpose();
    let ledger = ledger.map_err(|fault| Fault::Unreadable(fault.to_string()))?;
    Ok(ledger.map(|ledger| ledger.limits).unwrap_or_default())
}

/// Whether a run has not ended.
pub(crate) fn is_open(row: &RunRow) -> bool {
    let over = [RunStatus::Succeeded, RunStatus::Failed, RunStatus::Canceled];
    over.iter().all(|over| row.status != over.word())
}

/// The balance that an account's row tells.
///
/// # Errors
/// The row cannot be read.
pub(crate) fn balance(row: &AccountRow) -> Result<Balance, Fault> {
    ledger::stored::balance(row).map_err(unreadable)
}

pub(crate) fn unreadable(fault: stored::Unreadable) -> Fault {
    Fault::Unreadable(fault.to_string())
}

/// All runs that have not ended, oldest first.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn open_runs(view: &View) -> Result<Vec<Run>, Fault> {
    let mut open = Vec::new();
    let mut after = None;
    loop {
        let page = view.runs(after, PAGE_ROWS)?;
        let Some(last) = page.last() else { break };
        after = Some(last.run);
        for row in page.iter().filter(|row| is_open(row)) {
            open.push(load(view, row.run)?);
        }
    }
    Ok(open)
}

/// The accounts that bound a run or its tasks: today's, its own, its tasks', and those of whatever
/// it is done for.
fn accounts(view: &View, id: RunId) -> Result<BTreeMap<Account, Balance>, Fault> {
    let mut all = BTreeMap::new();
    for row in view.accounts()? {
        all.insert(row.account, balance(&row)?);
    }
    let today = Account::day(crate::words::now());
    let mut kept = vec![id];
    let parent = |id: RunId| all.get(&Account::Run(id))?.parent;
    let mut above = BTreeSet::new();
    while let Some(of) = kept.last().and_then(|id| parent(*id)) {
        above.insert(Account::Task(of.run, of.task));
        kept.push(of.run);
    }
    let charged = |account: &Account| match account {
        Account::Day(_) => *account == today,
        Account::Run(run) => kept.contains(run),
        Account::Task(run, _) => *run == id || above.contains(account),
    };
    all.retain(|account, _| charged(account));
    Ok(all)
}

/// An event from its entry.
///
/// # Errors
/// Its body is not what its kind says.
pub(crate) fn event(entry: &Entry) -> Result<(Time, Event), Fault> {
    let event = serde_json::from_str(&entry.body).map_err(|error| {
        Fault::Unreadable(format!(
            "event {}, kind `{}`: {error}",
            entry.seq, entry.kind
        ))
    })?;
    Ok((entry.at, event))
}

/// The task of a run by the id that a person typed.
///
/// # Errors
/// The run has no such task; the nearest id is named.
pub(crate) fn task(run: &Run, text: &str) -> Result<TaskNo, Failure> {
    let found = divisi_engine::world::find_task(run, text);
    found.map_err(|told| Failure::told(told, Exit::NotFound))
}
