//! Reading beside the writer.

use std::fs;

use divisi_core::journal::{Batch, Journal, Stream};
use divisi_core::ledger::Account;
use divisi_core::{Epoch, RunId, Time};
use divisi_store::{NotOpened, PAGE_BYTES_MAX, PAGE_ROWS_MAX, Store};

use crate::given::{
    RUN, TASKS, account, account_row, append, batch, command, divisi, entry, folder, ledger_row,
    open, run_row, task_row, versions, view,
};

#[test]
fn where_there_is_no_journal_none_is_made() {
    let folder = folder();
    let here = folder.path().to_owned();
    fs::write(here.join("file"), "").unwrap();
    for dir in [here.join(".divisi"), here.clone(), here.join("file")] {
        let opened = Store::open_read_only(&dir, versions()).map(|_| ());
        assert_eq!(opened, Err(NotOpened::NotThere(dir.join("divisi.db"))));
        let current = Store::is_current(&dir, versions());
        assert_eq!(current, Err(NotOpened::NotThere(dir.join("divisi.db"))));
    }
    assert_eq!(fs::read_dir(&here).unwrap().count(), 1);
}

#[test]
fn a_view_sees_what_was_committed_with_and_without_a_writer() {
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    store.begin_epoch(Time(1)).unwrap();
    append(&mut store, 1..=7);
    let check = |view: &divisi_store::View| {
        assert_eq!(view.epoch().unwrap(), Epoch(1));
        assert_eq!(view.run(RUN).unwrap(), Some(run_row(7)));
        assert_eq!(view.latest_run().unwrap(), Some(run_row(7)));
        assert_eq!(view.run(RunId(2)).unwrap(), None);
        assert_eq!(view.task(RUN, 2).unwrap(), Some(task_row(7)));
        assert_eq!(view.task(RUN, 9).unwrap(), None);
        assert_eq!(
            view.task_counts(RUN).unwrap(),
            [("running".to_owned(), TASKS)]
        );
        assert_eq!(view.account(account(7)).unwrap(), Some(account_row(7)));
        assert_eq!(view.account(Account::Run(RunId(9))).unwrap(), None);
        assert_eq!(view.ledger().unwrap(), Some(ledger_row(7)));
        assert!(view.command(&command(7)).unwrap().is_some());
        assert_eq!(view.streams().unwrap(), [(Stream::Run(RUN), 14)]);
        assert_eq!(view.last_id().unwrap(), 14);
        assert_eq!(view.faults().unwrap(), Vec::<String>::new());
    };
    let early = view(&dir);
    check(&early);
    append(&mut store, 8..=8);
    assert_eq!(early.run(RUN).unwrap(), Some(run_row(8)));
    drop(early);
    drop(store);
    assert!(!dir.join("divisi.db-wal").exists());
    assert!(!dir.join("divisi.db-shm").exists());
    assert_eq!(view(&dir).run(RUN).unwrap(), Some(run_row(8)));
    assert_eq!(view(&dir).all_events(14, 99).unwrap().len(), 2);
}

#[test]
fn lists_come_in_pages() {
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    append(&mut store, 1..=6);
    let ledger = |seq| Batch {
        entries: vec![entry(Stream::Ledger, seq, "stepped")],
        ..Batch::default()
    };
    store.append(&ledger(1)).unwrap();
    append(&mut store, 7..=7);
    let view = view(&dir);

    let mut ids = Vec::new();
    let mut streams = Vec::new();
    loop {
        let page = view
            .all_events(ids.last().copied().unwrap_or(0), 4)
            .unwrap();
        assert!(page.len() <= 4);
        if page.is_empty() {
            break;
        }
        ids.extend(page.iter().map(|numbered| numbered.id));
        streams.extend(page.iter().map(|numbered| numbered.entry.stream));
    }
    assert_eq!(ids, (1..=15).collect::<Vec<_>>());
    assert_eq!(streams.iter().position(|s| *s == Stream::Ledger), Some(12));

    let numbers = |after| -> Vec<u32> {
        let page = view.tasks(RUN, after, 2).unwrap();
        page.iter().map(|row| row.no).collect()
    };
    assert_eq!(numbers(None), [0, 1]);
    assert_eq!(numbers(Some(1)), [2, 3]);
    assert_eq!(numbers(Some(3)), [4]);
    assert_eq!(numbers(Some(4)), [0_u32; 0]);
    assert_eq!(numbers(Some(u32::MAX)), [0_u32; 0]);
    assert_eq!(view.runs(Some(RUN), 9).unwrap(), []);
    let seqs: Vec<_> = view.events(Stream::Run(RUN), 3, 2).unwrap();
    assert_eq!(seqs.iter().map(|e| e.seq).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn a_page_is_bounded_in_rows_and_in_bytes() {
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    let many = u64::from(PAGE_ROWS_MAX) + 5;
    store
        .append(&Batch {
            entries: (1..=many)
                .map(|seq| entry(Stream::Ledger, seq, "stepped"))
                .collect(),
            ..Batch::default()
        })
        .unwrap();
    let large = |no| divisi_core::journal::TaskRow {
        no,
        body: "x".repeat(PAGE_BYTES_MAX / 2 + 1),
        ..task_row(1)
    };
    store
        .append(&Batch {
            tasks: (0..5).map(large).collect(),
            ..Batch::default()
        })
        .unwrap();
    let view = view(&dir);
    let page = view.events(Stream::Ledger, 0, u32::MAX).unwrap();
    assert_eq!(page.len(), PAGE_ROWS_MAX as usize);
    assert_eq!(view.tasks(RUN, None, u32::MAX).unwrap().len(), 2);
    assert_eq!(view.tasks(RUN, Some(3), u32::MAX).unwrap().len(), 1);
    assert_eq!(store.tasks(RUN).unwrap().len(), 5);
    assert_eq!(store.events(Stream::Ledger, 0).unwrap().len() as u64, many);
}

#[test]
fn a_view_beside_a_writer_never_sees_half_a_batch() {
    const BATCHES: u64 = 400;
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    append(&mut store, 1..=1);
    let mut checkpointer = store.checkpointer().unwrap();
    let reader = view(&dir);
    let look = || {
        reader.consistently(|view| {
            let run = view.run(RUN)?.expect("the run is there from the start");
            let n = run.seq / 2;
            assert_eq!(run, run_row(n));
            assert_eq!(view.last_id()?, 2 * n);
            let last = view.events(Stream::Run(RUN), 2 * n - 2, 9)?;
            assert_eq!(last, batch(n).entries);
            assert_eq!(view.task(RUN, (n % TASKS) as u32)?, Some(task_row(n)));
            assert!(view.command(&command(n))?.is_some());
            assert!(view.command(&command(n + 1))?.is_none());
            Ok(n)
        })
    };
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 2..=BATCHES {
                store.append(&batch(n)).unwrap();
                if n % 50 == 0 {
                    let _ = checkpointer.checkpoint().unwrap();
                }
            }
        });
        let mut seen = 1;
        while !writer.is_finished() {
            let now = look().unwrap();
            assert!(now >= seen, "time went back");
            seen = now;
        }
    });
    assert_eq!(look().unwrap(), BATCHES);
}
