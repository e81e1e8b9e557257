//! Torn, truncated, foreign, newer: read up to the last whole commit, or refused and left alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use divisi_core::Time;
use divisi_core::journal::{Fault, Journal};
use divisi_store::{NotOpened, Store};
use rusqlite::Connection;

use crate::given::{
    append, copy_as_crashed, divisi, folder, open, options, versions, whole_batches,
};

const BATCHES: u64 = 12;

/// The bytes of a database and its WAL with `BATCHES` batches of which the database holds none.
fn crashed() -> (Vec<u8>, Vec<u8>) {
    let folder = folder();
    let dir = divisi(&folder);
    // The version of the rows is in the database itself, so that only batches are in the WAL.
    drop(open(&dir));
    let mut store = open(&dir);
    append(&mut store, 1..=BATCHES);
    let copy = folder.path().join("copy");
    copy_as_crashed(&dir, &copy);
    (
        fs::read(copy.join("divisi.db")).unwrap(),
        fs::read(copy.join("divisi.db-wal")).unwrap(),
    )
}

fn lay(dir: &Path, database: &[u8], wal: &[u8]) {
    fs::create_dir_all(dir).unwrap();
    let _ = fs::remove_file(dir.join("divisi.db-shm"));
    fs::write(dir.join("divisi.db"), database).unwrap();
    fs::write(dir.join("divisi.db-wal"), wal).unwrap();
}

#[test]
fn a_torn_wal_leaves_a_prefix_of_whole_batches() {
    let (database, wal) = crashed();
    let folder = folder();
    let dir = divisi(&folder);
    let mut seen = BTreeSet::new();
    let mut least = 0;
    // A step that is coprime to frames and pages meets headers, bodies and borders.
    for length in (0..wal.len()).step_by(1_031).chain([wal.len()]) {
        lay(&dir, &database, &wal[..length]);
        let mut store = open(&dir);
        let held = whole_batches(&store);
        assert!(held >= least, "{length} bytes hold less than fewer did");
        least = held;
        seen.insert(held);
        if held < BATCHES {
            append(&mut store, held + 1..=held + 1);
            assert_eq!(whole_batches(&store), held + 1);
        }
    }
    assert_eq!(seen, (0..=BATCHES).collect());
}

#[test]
fn a_corrupted_wal_leaves_a_prefix_of_whole_batches() {
    let (database, wal) = crashed();
    let folder = folder();
    let dir = divisi(&folder);
    let mut seen = BTreeSet::new();
    for place in (0..wal.len()).step_by(1_511) {
        let mut wal = wal.clone();
        wal[place] ^= 0x10;
        lay(&dir, &database, &wal);
        seen.insert(whole_batches(&open(&dir)));
    }
    assert!(seen.len() as u64 >= BATCHES - 1, "{seen:?}");
    assert!(!seen.contains(&BATCHES), "a flipped bit went unseen");
}

/// Both ways to open refuse, the files are as they were, and the cause says `why`.
#[track_caller]
fn assert_unreadable(dir: &Path, why: &str) {
    let files = || -> Vec<_> {
        ["divisi.db", "divisi.db-wal"]
            .iter()
            .map(|name| fs::read(dir.join(name)).ok())
            .collect()
    };
    let before = files();
    let written = Store::open(dir, options()).map(|_| ()).unwrap_err();
    let read = Store::open_read_only(dir, versions()).map(|_| ());
    let Err(NotOpened::Fault(read)) = read else {
        panic!("a view said {read:?}");
    };
    for fault in [written, read] {
        let Fault::Unreadable(cause) = &fault else {
            panic!("{fault:?}");
        };
        assert!(cause.contains(why), "{cause}");
        assert!(cause.contains("divisi.db"), "{cause}");
    }
    // A view leaves an empty WAL beside a database that has none; no byte of either differs.
    let after = files();
    assert_eq!(before[0], after[0]);
    assert_eq!(
        before[1].clone().unwrap_or_default(),
        after[1].clone().unwrap_or_default()
    );
}

#[test]
fn a_truncated_database_is_refused_untouched() {
    let folder = folder();
    let dir = divisi(&folder);
    append(&mut open(&dir), 1..=BATCHES);
    let whole = fs::read(dir.join("divisi.db")).unwrap();
    let cuts = [
        0,
        1,
        20,
        50,
        100,
        2047,
        2048,
        whole.len() / 2,
        whole.len() - 2048,
        whole.len() - 1,
    ];
    for length in cuts {
        fs::write(dir.join("divisi.db"), &whole[..length]).unwrap();
        assert_unreadable(&dir, "");
    }
    fs::write(dir.join("divisi.db"), &whole).unwrap();
    assert_eq!(whole_batches(&open(&dir)), BATCHES);
}

#[test]
fn a_truncated_database_with_a_wal_is_refused_untouched() {
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    append(&mut store, 1..=40);
    let moved = store.checkpoint().unwrap();
    assert_eq!(moved.moved, moved.pages);
    append(&mut store, 41..=41);
    let copy = folder.path().join("copy");
    copy_as_crashed(&dir, &copy);
    let database = fs::read(copy.join("divisi.db")).unwrap();
    let wal = fs::read(copy.join("divisi.db-wal")).unwrap();
    assert!(wal.len() > 2048);
    assert_eq!(whole_batches(&open(&copy)), 41);
    for pages in [1, 2, database.len() / 2048 / 2] {
        lay(&copy, &database[..pages * 2048], &wal);
        assert_unreadable(&copy, "cut short");
    }
}

#[test]
fn a_lost_database_is_not_replaced_by_an_empty_one() {
    let (_, wal) = crashed();
    let folder = folder();
    let dir = divisi(&folder);
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("divisi.db-wal"), &wal).unwrap();
    let fault = Store::open(&dir, options()).map(|_| ()).unwrap_err();
    assert!(matches!(&fault, Fault::Unreadable(cause) if cause.contains("is gone")));
    assert!(!dir.join("divisi.db").exists());
    assert_eq!(fs::read(dir.join("divisi.db-wal")).unwrap(), wal);
}

#[test]
fn what_is_no_journal_is_refused_untouched() {
    let folder = folder();
    let dir = divisi(&folder);
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("divisi.db"), "my notes\n".repeat(999)).unwrap();
    assert_unreadable(&dir, "not a database");

    fs::remove_file(dir.join("divisi.db")).unwrap();
    let foreign = Connection::open(dir.join("divisi.db")).unwrap();
    foreign.execute_batch("CREATE TABLE events(x)").unwrap();
    drop(foreign);
    assert_unreadable(&dir, "not a journal of Divisi");
}

#[test]
fn a_newer_journal_names_the_divisi_that_it_needs() {
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    store.begin_epoch(Time(1)).unwrap();
    drop(store);
    let newer = Connection::open(dir.join("divisi.db")).unwrap();
    newer
        .execute_batch("INSERT INTO epochs VALUES(2, 5, '7.8.9'); PRAGMA user_version = 99;")
        .unwrap();
    drop(newer);
    assert_unreadable(&dir, "tables of version 99");
    assert_unreadable(&dir, "Divisi 7.8.9 or newer is needed");
}

#[test]
fn an_interrupted_creation_is_done_over() {
    let folder = folder();
    let dir = divisi(&folder);
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("divisi.db.new"), "half").unwrap();
    fs::write(dir.join("divisi.db.new-journal"), "half").unwrap();
    let mut store = open(&dir);
    append(&mut store, 1..=1);
    assert_eq!(whole_batches(&store), 1);
    assert!(!dir.join("divisi.db.new").exists());
    assert!(!dir.join("divisi.db.new-journal").exists());
}

#[test]
fn a_link_in_the_database_s_place_is_not_followed() {
    let folder = folder();
    let elsewhere = folder.path().join("elsewhere");
    append(&mut open(&elsewhere), 1..=1);
    let dir = divisi(&folder);
    fs::create_dir(&dir).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("divisi.db"), dir.join("divisi.db")).unwrap();
    let written = Store::open(&dir, options()).map(|_| ());
    assert!(matches!(written, Err(Fault::Unavailable(_))), "{written:?}");
    let read = Store::open_read_only(&dir, versions()).map(|_| ());
    assert!(
        matches!(read, Err(NotOpened::Fault(Fault::Unavailable(_)))),
        "{read:?}"
    );
}

#[test]
fn the_new_folder_leaves_no_trace_in_the_repository() {
    let folder = folder();
    drop(open(&divisi(&folder)));
    assert_eq!(
        fs::read(divisi(&folder).join(".gitignore")).unwrap(),
        b"*\n"
    );
}
