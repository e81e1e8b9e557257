//! Rows are a projection: of another version of the code, they are dropped and rebuilt.

use divisi_core::journal::{Batch, Fault, Journal, Stream};
use divisi_store::{Options, Store, Upcaster, Upcasters, Versions};

use crate::given::{
    KINDS, RUN, account, account_row, append, batch, command, divisi, entry, folder, open, options,
    run_row, task_row, versions, view, whole_batches,
};

fn with(versions: Versions) -> Options {
    Options {
        versions,
        ..options()
    }
}

fn newer_rows() -> Options {
    with(Versions::new(KINDS, Upcasters::current(), 2))
}

#[test]
fn rows_of_another_version_are_dropped_until_they_are_rebuilt() {
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    append(&mut store, 1..=4);
    drop(store);
    assert_eq!(whole_batches(&open(&dir)), 4);

    // Dropped by this life, and still missing in the next, which only finds them so.
    for _ in 0..2 {
        let store = Store::open(&dir, newer_rows()).unwrap();
        assert_eq!(store.runs().unwrap(), []);
        assert_eq!(store.tasks(RUN).unwrap(), []);
        assert_eq!(store.accounts().unwrap(), []);
        assert_eq!(store.ledger().unwrap(), None);
        assert_eq!(store.events(Stream::Run(RUN), 0).unwrap().len(), 8);
        assert!(store.command(&command(4)).unwrap().is_some());
    }

    let mut store = Store::open(&dir, newer_rows()).unwrap();
    store
        .append(&Batch {
            tasks: (1..=4).map(task_row).collect(),
            runs: vec![run_row(4)],
            accounts: (2..=4).map(account_row).collect(),
            ledger: batch(4).ledger,
            ..Batch::default()
        })
        .unwrap();
    drop(store);
    let store = Store::open(&dir, newer_rows()).unwrap();
    assert_eq!(whole_batches(&store), 4);
}

#[test]
fn rows_of_tasks_that_are_gone_with_a_replaced_plan_are_removed() {
    const FROM: u32 = 2;
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    append(&mut store, 1..=4);
    let mut stay = store.tasks(RUN).unwrap();
    assert!(stay.iter().any(|row| row.no >= FROM));
    stay.retain(|row| row.no < FROM);
    store
        .append(&Batch {
            cut: vec![(RUN, FROM)],
            tasks: Vec::new(),
            ..batch(5)
        })
        .unwrap();
    drop(store);
    assert_eq!(open(&dir).tasks(RUN).unwrap(), stay);
}

#[test]
fn a_view_does_not_misread_rows_of_another_version() {
    let folder = folder();
    let dir = divisi(&folder);
    append(&mut open(&dir), 1..=2);
    assert_eq!(Store::is_current(&dir, versions()), Ok(true));
    assert_eq!(Store::is_current(&dir, newer_rows().versions), Ok(false));
    let newer = Store::open_read_only(&dir, newer_rows().versions).unwrap();
    for fault in [
        newer.runs(None, 9).unwrap_err(),
        newer.tasks(RUN, None, 9).unwrap_err(),
        newer.task_counts(RUN).unwrap_err(),
        newer.account(account(2)).unwrap_err(),
        newer.ledger().unwrap_err(),
    ] {
        assert!(matches!(&fault, Fault::Unreadable(cause) if cause.contains("rows of version 1")));
    }
    assert_eq!(newer.events(Stream::Run(RUN), 0, 9).unwrap().len(), 4);
    assert_eq!(view(&dir).runs(None, 9).unwrap(), [run_row(2)]);
}

#[test]
fn old_events_are_lifted_wherever_they_are_read() {
    let folder = folder();
    let dir = divisi(&folder);
    append(&mut open(&dir), 1..=1);
    let lifting = Versions::new(
        &[("stepped", 2), ("counted", 1)],
        Upcasters::current().with(Upcaster {
            from: ("stepped", 1),
            to: ("stepped", 2),
            lift: |body| Ok(serde_json::json!({ "was": body["seq"] })),
        }),
        1,
    );
    let mut lifted = batch(1).entries;
    lifted[0].version = 2;
    lifted[0].body = r#"{"was":1}"#.to_owned();
    let store = Store::open(&dir, with(lifting.clone())).unwrap();
    assert_eq!(store.events(Stream::Run(RUN), 0).unwrap(), lifted);
    let view = Store::open_read_only(&dir, lifting).unwrap();
    assert_eq!(view.events(Stream::Run(RUN), 0, 9).unwrap(), lifted);
    let all = view.all_events(0, 9).unwrap();
    assert_eq!(all.into_iter().map(|n| n.entry).collect::<Vec<_>>(), lifted);
}

#[test]
fn events_of_a_newer_divisi_are_named_and_a_gap_is_refused() {
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    append(&mut store, 1..=1);
    let mut newer = batch(2);
    newer.entries[1] = entry(Stream::Run(RUN), 4, "teleported");
    store.append(&newer).unwrap();
    let Err(Fault::Unreadable(cause)) = store.events(Stream::Run(RUN), 0) else {
        panic!("an unknown kind was read");
    };
    assert!(cause.contains("event 4 of run-1"), "{cause}");
    assert!(cause.contains("`teleported` version 1"), "{cause}");
    drop(store);

    let gap = Versions::new(&[("stepped", 2)], Upcasters::current(), 1);
    assert!(matches!(Store::open(&dir, with(gap)), Err(Fault::Other(_))));
    assert_eq!(
        Store::open(&dir, with(versions())).unwrap().runs().unwrap(),
        [run_row(2)]
    );
}
