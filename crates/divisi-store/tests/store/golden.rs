//! A journal as version 1 of every form wrote it. It must load forever: never edit the file, add
//! one for the next version.

use divisi_core::journal::{Batch, Entry, Journal, Stream};
use divisi_core::{RunId, Time};
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
