//! Journals as version 1 of every form wrote them. They must load forever: never edit the files,
//! add one for the next version.

use std::sync::OnceLock;

use divisi_core::journal::{Batch, Entry, Journal, Stream};
use divisi_core::run::{self, Event, Run, RunStatus, invariants, stored};
use divisi_core::{RunId, Time, ledger};
use divisi_store::{Options, Store, Upcasters, Versions};
use serde_json::Value;

use crate::given::{divisi, folder, options};

const KINDS: &[(&str, u32)] = &[
    ("account_opened", 1),
    ("attempt_integrated", 1),
    ("attempt_leased", 1),
    ("attempt_submitted", 1),
    ("reservation_settled", 1),
    ("run_created", 1),
    ("run_ended", 1),
];

fn golden(text: &str) -> Vec<Entry> {
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        Entry {
            stream: match line["stream"].as_str().unwrap() {
                "ledger" => Stream::Ledger,
                run => Stream::Run(RunId::parse(run).unwrap()),
            },
            seq: line["seq"].as_u64().unwrap(),
            kind: line["kind"].as_str().unwrap().to_owned(),
            version: u32::try_from(line["version"].as_u64().unwrap()).unwrap(),
            at: Time(line["at"].as_u64().unwrap()),
            body: line["body"].to_string(),
        }
    };
    text.lines().map(read).collect()
}

#[test]
fn the_journal_of_version_1_loads() {
    let entries = golden(include_str!("../golden/v1.jsonl"));
    assert_eq!(entries.len(), 7);
    assert!(entries.iter().all(|entry| entry.version == 1));
    let folder = folder();
    let options = Options {
        versions: Versions::new(KINDS, Upcasters::current(), 1),
        ..options()
    };
    let mut store = Store::open(&divisi(&folder), options.clone()).unwrap();
    for entry in &entries {
        store
            .append(&Batch {
                entries: vec![entry.clone()],
                ..Batch::default()
            })
            .unwrap();
    }
    drop(store);
    let store = Store::open(&divisi(&folder), options).unwrap();
    for stream in [Stream::Ledger, Stream::Run(RunId(1))] {
        let expected: Vec<_> = entries.iter().filter(|e| e.stream == stream).collect();
        let loaded = store.events(stream, 0).unwrap();
        assert_eq!(loaded.iter().collect::<Vec<_>>(), expected);
    }
}

/// What today's binary reads.
fn versions() -> Versions {
    static ALL: OnceLock<Vec<(&'static str, u32)>> = OnceLock::new();
    let all = ALL.get_or_init(|| run::KINDS.iter().chain(ledger::KINDS).copied().collect());
    Versions::new(all, Upcasters::current(), stored::VERSION)
}

/// The run that a golden journal tells of, read through a store as today's binary reads it.
fn told(text: &str) -> Run {
    let folder = folder();
    let options = Options {
        versions: versions(),
        ..options()
    };
    let mut store = Store::open(&divisi(&folder), options).unwrap();
    let entries = golden(text);
    for entry in &entries {
        let batch = Batch {
            entries: vec![entry.clone()],
            ..Batch::default()
        };
        store.append(&batch).unwrap();
    }
    let event =
        |entry: &Entry| -> (Time, Event) { (entry.at, serde_json::from_str(&entry.body).unwrap()) };
    let loaded = store.events(Stream::Run(RunId(1)), 0).unwrap();
    assert_eq!(loaded.len(), entries.len());
    let events: Vec<(Time, Event)> = loaded.iter().map(event).collect();
    let run = stored::replay(RunId(1), &events).unwrap();
    invariants::check(&run).unwrap();
    run
}

fn statuses(run: &Run) -> Vec<String> {
    let task = |task: &run::Task| format!("{} {} {}", task.spec.id, task.status(), task.attempts());
    run.tasks().iter().map(task).collect()
}

#[test]
fn a_run_as_version_1_wrote_it_is_replayed() {
    let run = told(include_str!("../golden/run-v1.jsonl"));
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(run.revision, 2);
    assert_eq!(
        statuses(&run),
        [
            "a done 1",
            "flaky done 2",
            "asks done 2",
            "large split 1",
            "consent done 0",
            "sum done 1",
            "tell done 1",
            "unwanted done 1",
            "large-1 done 1",
            "large-2 done 1",
        ]
    );
}
