//! Journals as earlier versions of the forms wrote them. They must load forever: never edit a file,
//! add one for the next version.

use divisi_core::journal::{Batch, Entry, Journal, Stream};
use divisi_core::ledger::{self, Account, Bound, Exhausted};
use divisi_core::run::{self, Budget, Event, PauseReason};
use divisi_core::{RunId, Time};
use divisi_store::{Options, Store, Upcasters, Versions};
use serde_json::Value;
use tempfile::TempDir;

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

/// A store that another process wrote these entries to.
fn written(entries: &[Entry], kinds: &'static [(&'static str, u32)]) -> (TempDir, Store) {
    let folder = folder();
    let options = Options {
        versions: Versions::new(kinds, Upcasters::current(), 1),
        ..options()
    };
    let mut store = Store::open(&divisi(&folder), options.clone()).unwrap();
    for entry in entries {
        let batch = Batch {
            entries: vec![entry.clone()],
            ..Batch::default()
        };
        store.append(&batch).unwrap();
    }
    drop(store);
    let store = Store::open(&divisi(&folder), options).unwrap();
    (folder, store)
}

#[test]
fn the_journal_of_version_1_loads() {
    let entries = golden(include_str!("../golden/v1.jsonl"));
    assert_eq!(entries.len(), 7);
    assert!(entries.iter().all(|entry| entry.version == 1));
    let (_folder, store) = written(&entries, KINDS);
    for stream in [Stream::Ledger, Stream::Run(RunId(1))] {
        let expected: Vec<_> = entries.iter().filter(|e| e.stream == stream).collect();
        let loaded = store.events(stream, 0).unwrap();
        assert_eq!(loaded.iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn pauses_of_version_1_are_read_as_those_of_version_2() {
    let entries = golden(include_str!("../golden/v2.jsonl"));
    let kinds: Vec<(&str, u32)> = run::KINDS.iter().chain(ledger::KINDS).copied().collect();
    let (_folder, store) = written(&entries, kinds.leak());
    let loaded = store.events(Stream::Run(RunId(1)), 0).unwrap();
    let pauses = loaded.iter().filter(|entry| entry.kind == "run_paused");
    assert!(pauses.clone().all(|entry| entry.version == 2));
    let reasons: Vec<PauseReason> = pauses
        .map(|entry| match serde_json::from_str(&entry.body).unwrap() {
            Event::RunPaused { reason } => reason,
            other => panic!("{other:?}"),
        })
        .collect();
    let budget = |account, bound| PauseReason::Budget(Exhausted { account, bound });
    let account = Account::Run(RunId(1));
    let expected = [
        budget(account, None),
        PauseReason::Owner,
        budget(Account::Day(0), None),
        PauseReason::Fault("git fails".to_owned()),
        budget(account, Some(Bound::Attempts(9))),
        PauseReason::DiskFull,
    ];
    assert_eq!(reasons, expected);
    let ledger = store.events(Stream::Ledger, 0).unwrap();
    let budget = Budget {
        attempts: Some(9),
        time_ms: Some(60_000),
    };
    assert_eq!(
        serde_json::from_str::<ledger::Event>(&ledger[1].body).unwrap(),
        ledger::Event::BudgetChanged { account, budget }
    );
}
