//! What `Journal` promises, on this store.

use std::cell::RefCell;

use divisi_core::journal::{Batch, CommandRow, Fault, Journal, Stream};
use divisi_core::ledger::Account;
use divisi_core::{Epoch, RunId, Time};
use divisi_store::{Durability, ENTRY_BYTES_MAX, Options, Store};

use crate::given::{
    RUN, append, batch, command, divisi, entry, folder, open, options, whole_batches,
};

#[test]
fn what_was_appended_is_loaded_also_by_the_next_life() {
    for durability in [Durability::Full, Durability::Normal] {
        let folder = folder();
        let options = Options {
            durability,
            ..options()
        };
        let mut store = Store::open(&divisi(&folder), options.clone()).unwrap();
        assert_eq!(whole_batches(&store), 0);
        append(&mut store, 1..=12);
        assert_eq!(whole_batches(&store), 12);
        let tail = store.events(Stream::Run(RUN), 20).unwrap();
        assert_eq!(
            tail.iter().map(|e| e.seq).collect::<Vec<_>>(),
            [21, 22, 23, 24]
        );
        drop(store);
        let mut store = Store::open(&divisi(&folder), options).unwrap();
        assert_eq!(whole_batches(&store), 12);
        append(&mut store, 13..=14);
        assert_eq!(whole_batches(&store), 14);
    }
}

#[test]
fn streams_are_apart_and_listed() {
    let folder = folder();
    let mut store = open(&divisi(&folder));
    let streams = [Stream::Ledger, Stream::Run(RunId(0)), Stream::Run(RunId(7))];
    for seq in 1..=3 {
        let entries = streams.iter().map(|s| entry(*s, seq, "stepped")).collect();
        store
            .append(&Batch {
                entries,
                ..Batch::default()
            })
            .unwrap();
    }
    assert_eq!(store.streams().unwrap(), streams.map(|stream| (stream, 3)));
    for stream in streams {
        let events = store.events(stream, 1).unwrap();
        assert_eq!(
            events,
            [entry(stream, 2, "stepped"), entry(stream, 3, "stepped")]
        );
    }
    assert_eq!(store.events(Stream::Run(RunId(1)), 0).unwrap(), []);
}

#[test]
fn an_event_out_of_order_is_refused_with_its_whole_batch() {
    let folder = folder();
    let mut store = open(&divisi(&folder));
    append(&mut store, 1..=3);
    let last = 6;
    for seqs in [
        vec![last + 2],
        vec![last],
        vec![0],
        vec![last + 1, last + 3],
    ] {
        let mut wrong = batch(4);
        wrong.entries = seqs
            .iter()
            .map(|seq| entry(Stream::Run(RUN), *seq, "stepped"))
            .collect();
        let Err(Fault::Other(cause)) = store.append(&wrong) else {
            panic!("{seqs:?} was taken");
        };
        assert!(cause.contains("of run-1"), "{cause}");
        assert_eq!(whole_batches(&store), 3);
    }
    append(&mut store, 4..=4);
    assert_eq!(whole_batches(&store), 4);
}

#[test]
fn the_first_outcome_of_a_command_is_its_only_one() {
    let folder = folder();
    let mut store = open(&divisi(&folder));
    append(&mut store, 1..=3);
    let mut again = batch(4);
    again.commands = vec![CommandRow {
        id: command(2),
        outcome: r#""another""#.to_owned(),
    }];
    let Err(Fault::Other(cause)) = store.append(&again) else {
        panic!("a command was handled twice");
    };
    assert!(cause.contains("command c-2"), "{cause}");
    // `whole_batches` compares the outcomes, and finds nothing of the refused batch.
    assert_eq!(whole_batches(&store), 3);
    append(&mut store, 4..=4);
    assert_eq!(whole_batches(&store), 4);
}

#[test]
fn what_has_no_room_in_a_column_is_refused() {
    let folder = folder();
    let mut store = open(&divisi(&folder));
    append(&mut store, 1..=1);
    let mut late = batch(2);
    late.entries[1].at = Time(u64::MAX);
    let mut far = batch(2);
    far.tasks[0].run = RunId(u32::MAX);
    let mut ahead = batch(2);
    ahead.runs[0].seq = u64::MAX;
    let mut later = batch(2);
    later.accounts[0].account = Account::Day(u64::MAX);
    let mut spent = batch(2);
    spent.accounts[0].body = "x".repeat(ENTRY_BYTES_MAX + 1);
    let mut huge = batch(2);
    huge.tasks[0].body = "x".repeat(ENTRY_BYTES_MAX + 1);
    for wrong in [late, far, ahead, later, spent, huge] {
        assert!(matches!(store.append(&wrong), Err(Fault::Other(_))));
        assert_eq!(whole_batches(&store), 1);
    }
}

#[test]
fn an_empty_batch_writes_nothing() {
    let folder = folder();
    let mut store = Store::open(
        &divisi(&folder),
        Options {
            hook: Some(|point| panic!("{point} was reached")),
            ..options()
        },
    )
    .unwrap();
    store.append(&Batch::default()).unwrap();
    assert_eq!(whole_batches(&store), 0);
}

#[test]
fn epochs_count_the_lives() {
    let folder = folder();
    for life in 1..=3 {
        let mut store = open(&divisi(&folder));
        assert_eq!(store.epoch().unwrap(), Epoch(life - 1));
        assert_eq!(store.begin_epoch(Time(life)).unwrap(), Epoch(life));
        append(&mut store, life..=life);
    }
    let mut store = open(&divisi(&folder));
    assert_eq!(store.begin_epoch(Time(9)).unwrap(), Epoch(4));
    assert_eq!(store.begin_epoch(Time(9)).unwrap(), Epoch(5));
    assert_eq!(whole_batches(&store), 3);
}

thread_local! {
    static POINTS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn the_hook_is_called_on_both_sides_of_a_commit() {
    let folder = folder();
    let hook = |point| POINTS.with_borrow_mut(|points| points.push(point));
    let mut store = Store::open(
        &divisi(&folder),
        Options {
            hook: Some(hook),
            ..options()
        },
    )
    .unwrap();
    append(&mut store, 1..=1);
    assert_eq!(
        POINTS.take(),
        ["journal.append.before", "journal.append.after_commit"]
    );
    let mut twice = batch(2);
    twice.commands = batch(1).commands;
    store.append(&twice).unwrap_err();
    assert_eq!(POINTS.take(), ["journal.append.before"]);
}

#[test]
fn a_checkpoint_from_another_thread_disturbs_nobody() {
    let folder = folder();
    let mut store = open(&divisi(&folder));
    append(&mut store, 1..=20);
    let mut checkpointer = store.checkpointer().unwrap();
    let moved = std::thread::spawn(move || checkpointer.checkpoint().unwrap())
        .join()
        .unwrap();
    assert!(moved.pages > 0);
    assert_eq!(moved.moved, moved.pages);
    append(&mut store, 21..=40);
    let here = store.checkpoint().unwrap();
    assert_eq!(here.moved, here.pages);
    assert_eq!(whole_batches(&store), 40);
}
