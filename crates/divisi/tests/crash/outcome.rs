//! What it means that a run ended as if nothing had been killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use divisi_core::journal::{Entry, Stream};
use divisi_core::receipt::Receipt;
use divisi_core::run::{
    Event, KINDS, KINDS_OF_STRUCTURE, Run, RunStatus, TaskStatus, invariants, stored,
};
use divisi_core::{AttemptId, RunId, TaskKind, TaskNo, Time, ledger};
use divisi_store::{PAGE_ROWS_MAX, Store, Upcasters, Versions, View};

use crate::stage::{COUNTED, Ended, Failpoint, PATIENCE, Stage, git, texts};

/// More resumptions than this mean that a run does not come to an end.
const RESUMPTIONS_MAX: u32 = 20;

/// What the binary reads.
pub(crate) fn versions() -> Versions {
    static ALL: OnceLock<Vec<(&'static str, u32)>> = OnceLock::new();
    let all = ALL.get_or_init(|| KINDS.iter().chain(ledger::KINDS).copied().collect());
    Versions::new(all, Upcasters::current(), stored::VERSION)
}

/// The journal of a stage; `None` while there is none.
pub(crate) fn view(stage: &Stage) -> Option<View> {
    Store::open_read_only(&stage.divisi(), versions()).ok()
}

fn event(entry: &Entry) -> (Time, Event) {
    (entry.at, serde_json::from_str(&entry.body).unwrap())
}

/// All events of a run.
pub(crate) fn events(view: &View, run: RunId) -> Vec<(Time, Event)> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map_or(0, |entry| entry.seq);
        let page = view.events(Stream::Run(run), after, PAGE_ROWS_MAX).unwrap();
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    let seqs: Vec<u64> = all.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=all.len() as u64).collect::<Vec<_>>());
    all.iter().map(event).collect()
}

/// A run from its rows, as a later process loads it.
pub(crate) fn restore(view: &View, id: RunId) -> Run {
    let structure: Vec<(Time, Event)> = view
        .events(Stream::Run(id), 0, PAGE_ROWS_MAX)
        .unwrap()
        .iter()
        .filter(|entry| KINDS_OF_STRUCTURE.contains(&entry.kind.as_str()))
        .map(event)
        .collect();
    let row = view.run(id).unwrap().unwrap();
    let mut rows: Vec<divisi_core::journal::TaskRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.no);
        let page = view.tasks(id, after, PAGE_ROWS_MAX).unwrap();
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    stored::restore(id, &structure, &row, &rows).unwrap()
}

/// The first run of a stage as it is now, if there is one.
pub(crate) fn run_now(stage: &Stage, id: RunId) -> Option<Run> {
    let view = view(stage)?;
    view.consistently(|view| Ok(view.run(id)?.map(|_| restore(view, id))))
        .unwrap()
}

/// The first run.
pub(crate) const FIRST: RunId = RunId(1);

/// Goes on with a run once: runs the plan where there is no run yet, resumes it where there is one.
/// `None` if it has ended.
pub(crate) fn go_on(
    stage: &Stage,
    plan: &std::path::Path,
    failpoint: Option<Failpoint<'_>>,
) -> Option<crate::stage::Process> {
    let args = match run_now(stage, FIRST) {
        None => stage.run_args(plan),
        Some(run) if run.ended.is_none() => stage.resume_args(FIRST.0),
        Some(_) => return None,
    };
    Some(stage.start(&texts(&args), failpoint))
}

/// Goes on until the run has succeeded. Every process must end by itself, and well.
pub(crate) fn finish(stage: &Stage, plan: &std::path::Path) {
    for _ in 0..RESUMPTIONS_MAX {
        let Some(process) = go_on(stage, plan, None) else {
            return;
        };
        process.end().assert_code(0);
    }
    panic!("it does not come to an end");
}

/// Plays a plan that is killed at a place, and goes on until it has succeeded. A place whose name begins
/// so has to be passed.
pub(crate) fn killed_and_finished(stage: &Stage, plan: &std::path::Path, at: &str, passed: &str) {
    let args = stage.run_args(plan);
    stage.start(&texts(&args), Some(Failpoint { at })).end();
    if at.starts_with(passed) {
        assert!(stage.died().exists(), "{at} is passed");
    }
    if run_now(stage, FIRST).is_none() {
        stage.start(&texts(&args), None).end().assert_code(0);
    }
    finish(stage, plan);
}

/// Everything that must be so in the end, whatever happened on the way.
pub(crate) fn assert_same_end(stage: &Stage) {
    stage.assert_no_process_left();
    let run = assert_sound(stage, FIRST);
    assert_eq!(run.status(), RunStatus::Succeeded);
    for task in run.tasks() {
        let status = match task.spec.kind {
            TaskKind::Plan => TaskStatus::Split,
            _ => TaskStatus::Done,
        };
        assert_eq!(task.status(), status, "{}", task.spec.id);
    }
    assert_expanded_once(stage);
    let integrated = integrations(stage, FIRST);
    assert_counts(stage, &run, &integrated);
    let tree = final_tree(stage);
    assert_eq!(tree, *undisturbed(), "the tree of an undisturbed run");
    stage.assert_untouched();
    let repo = stage.divisi().join("repo.git");
    git(&repo, &["fsck", "--strict", "--no-dangling"]);
    assert_nothing_is_held(stage);
}

/// What was planned took its task's place once, whatever was planned, lost or read again before.
fn assert_expanded_once(stage: &Stage) {
    let view = view(stage).expect("there is a journal");
    let expanded = |(_, event): (Time, Event)| match event {
        Event::TaskSplit { parts, planned, .. } => {
            let ids: Vec<String> = parts.iter().map(|part| part.id.to_string()).collect();
            Some((planned.is_some(), ids.join(" ")))
        }
        _ => None,
    };
    let all: Vec<(bool, String)> = events(&view, FIRST)
        .into_iter()
        .filter_map(expanded)
        .collect();
    assert_eq!(all, [(true, "p1 p2".to_owned())]);
}

/// What the rows say is what the events say, and it is sane.
pub(crate) fn assert_sound(stage: &Stage, id: RunId) -> Run {
    let view = view(stage).expect("there is a journal");
    assert_eq!(view.faults().unwrap(), Vec::<String>::new());
    let all = events(&view, id);
    let replayed = stored::replay(id, &all).unwrap();
    let restored = restore(&view, id);
    let row = |run: &Run| stored::run_row(run, 0);
    assert_eq!(row(&restored), row(&replayed), "rows and events");
    assert_eq!(restored.tasks().len(), replayed.tasks().len());
    for no in (0..restored.tasks().len() as u32).map(TaskNo) {
        let of = |run: &Run| (stored::task_row(run, no), run.dependencies(no));
        assert_eq!(of(&restored), of(&replayed), "rows and events");
    }
    assert!(restored.owed().eq(replayed.owed()));
    // What is derived from that is right in both.
    invariants::check(&restored).unwrap();
    invariants::check(&replayed).unwrap();
    restored
}

/// The attempts of each task that were integrated; each of them once.
pub(crate) fn integrations(stage: &Stage, id: RunId) -> BTreeMap<u32, AttemptId> {
    let view = view(stage).expect("there is a journal");
    let mut integrated: BTreeMap<u32, AttemptId> = BTreeMap::new();
    let mut note = |attempt: AttemptId| {
        let before = integrated.insert(attempt.task.0, attempt);
        assert_eq!(before, None, "{attempt} was not the only one integrated");
    };
    for (_, event) in events(&view, id) {
        match event {
            Event::BatchIntegrated { attempts, .. } => {
                attempts.into_iter().for_each(|(attempt, _)| note(attempt));
            }
            Event::AttemptAdvanced { attempt, receipts }
                if receipts
                    .iter()
                    .any(|receipt| matches!(receipt, Receipt::Integrated { .. })) =>
            {
                note(attempt);
            }
            _ => {}
        }
    }
    integrated
}

/// An attempt is started at most once, and one that was integrated exactly once.
fn assert_counts(stage: &Stage, run: &Run, integrated: &BTreeMap<u32, AttemptId>) {
    let counts = stage.counts();
    let once: BTreeSet<&String> = counts.iter().collect();
    assert_eq!(once.len(), counts.len(), "counted twice: {counts:?}");
    let merged = run.tasks().iter().enumerate();
    for (no, task) in merged.filter(|(_, task)| task.spec.kind != TaskKind::Plan) {
        let id = task.spec.id.as_str();
        let Some(attempt) = integrated.get(&(no as u32)) else {
            panic!("{id} was never integrated");
        };
        if COUNTED.contains(&id) {
            let line = format!("{id} {}/{}.{}", run.id.0, no, attempt.number);
            assert!(counts.contains(&line), "{line} not in {counts:?}");
        }
        let started = counts
            .iter()
            .filter(|line| line.split(' ').next() == Some(id))
            .count();
        assert!(started <= task.attempts() as usize, "{id}: {counts:?}");
    }
}

/// The tree of what was integrated.
pub(crate) fn final_tree(stage: &Stage) -> String {
    let repo = stage.divisi().join("repo.git");
    git(&repo, &["rev-parse", "refs/divisi/run-1/head^{tree}"])
}

/// The locks are free: nobody believes to be the holder.
fn assert_nothing_is_held(stage: &Stage) {
    for name in ["engine.lock", "supervisor.lock"] {
        let file = std::fs::File::open(stage.divisi().join(name)).unwrap();
        file.try_lock()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// The tree at which a run arrives that nobody disturbs.
fn undisturbed() -> &'static String {
    static TREE: OnceLock<String> = OnceLock::new();
    TREE.get_or_init(|| {
        let stage = Stage::new();
        let ended = undisturbed_run(&stage);
        ended.assert_code(0);
        final_tree(&stage)
    })
}

/// The scenario from beginning to end.
pub(crate) fn undisturbed_run(stage: &Stage) -> Ended {
    let args = stage.run_args(&stage.plan());
    stage.start(&texts(&args), None).end()
}

#[test]
fn an_undisturbed_run_uses_everything_that_the_crash_tests_rely_on() {
    let stage = Stage::new();
    let begun = std::time::Instant::now();
    undisturbed_run(&stage).assert_code(0);
    assert_same_end(&stage);
    let run = assert_sound(&stage, FIRST);
    let attempts = |id: &str| {
        let id = divisi_core::TaskId::new(id).unwrap();
        run.tasks()[run.find(&id).unwrap().index()].attempts()
    };
    // One of the two that change the same line is done again; which one is the scheduler's affair.
    assert_eq!(attempts("left") + attempts("right"), 3);
    assert_eq!(attempts("flaky"), 2);
    assert_eq!(attempts("planner"), 2);
    assert_eq!(attempts("a"), 1);
    assert!(begun.elapsed() < PATIENCE);
}
