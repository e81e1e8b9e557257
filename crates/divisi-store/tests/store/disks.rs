//! Full, read-only and locked.

use std::fs::{self, File};
use std::io::Write;

use divisi_core::journal::{Artifacts, Fault, Journal};
use divisi_store::{NotOpened, Store};
use rusqlite::Connection;

use crate::given::{
    SmallDisk, again, append, batch, copy_as_crashed, divisi, folder, open, options, versions,
    view, whole_batches,
};

/// Takes all room of a disk.
fn fill(disk: &SmallDisk) -> std::path::PathBuf {
    let filler = disk.path().join("filler");
    let mut file = File::create(&filler).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
    filler
}

#[test]
fn a_full_disk_is_recorded_from_the_reserve_and_survived() {
    let Some(disk) = SmallDisk::mount(2048) else {
        return again("disks::a_full_disk_is_recorded_from_the_reserve_and_survived");
    };
    let mut store = open(&disk.divisi());
    append(&mut store, 1..=3);
    assert!(store.has_reserve());
    let filler = fill(&disk);

    let mut held = 3;
    let fault = loop {
        match store.append(&batch(held + 1)) {
            Ok(()) => held += 1,
            Err(fault) => break fault,
        }
        assert!(held < 1000, "the disk never filled");
    };
    assert!(matches!(fault, Fault::Full(_)), "{fault:?}");
    assert_eq!(whole_batches(&store), held);
    assert!(matches!(
        store.append(&batch(held + 1)),
        Err(Fault::Full(_))
    ));
    assert!(matches!(
        store.artifacts().put(&[1; 9000]),
        Err(Fault::Full(_))
    ));
    assert_eq!(store.artifacts().get(&digest_of(&[1; 9000])).unwrap(), None);
    assert_eq!(whole_batches(&store), held);

    Journal::release_reserve(&mut store).unwrap();
    assert!(!store.has_reserve());
    append(&mut store, held + 1..=held + 2);
    held += 2;
    assert!(matches!(
        Journal::restore_reserve(&mut store),
        Err(Fault::Full(_))
    ));
    assert!(!store.has_reserve());

    fs::remove_file(filler).unwrap();
    Journal::restore_reserve(&mut store).unwrap();
    assert!(store.has_reserve());
    append(&mut store, held + 1..=held + 5);
    drop(store);
    assert_eq!(whole_batches(&open(&disk.divisi())), held + 5);
    assert_eq!(view(&disk.divisi()).faults().unwrap(), Vec::<String>::new());
}

fn digest_of(bytes: &[u8]) -> divisi_core::Digest {
    divisi_core::Digest::new(&blake3::hash(bytes).to_hex()).unwrap()
}

#[test]
fn a_full_disk_has_no_room_for_a_new_journal_and_keeps_nothing_of_it() {
    let Some(disk) = SmallDisk::mount(64) else {
        return again("disks::a_full_disk_has_no_room_for_a_new_journal_and_keeps_nothing_of_it");
    };
    fs::create_dir(disk.divisi()).unwrap();
    let filler = fill(&disk);
    let opened = Store::open(&disk.divisi(), options()).map(|_| ());
    assert!(matches!(opened, Err(Fault::Full(_))), "{opened:?}");
    assert_eq!(fs::read_dir(disk.divisi()).unwrap().count(), 0);
    fs::remove_file(filler).unwrap();
}

#[test]
fn a_read_only_disk_is_read_and_not_written() {
    let Some(disk) = SmallDisk::mount(4096) else {
        return again("disks::a_read_only_disk_is_read_and_not_written");
    };
    append(&mut open(&disk.divisi()), 1..=3);
    let torn = disk.path().join("with-wal");
    let mut store = open(&disk.path().join("other"));
    append(&mut store, 1..=3);
    copy_as_crashed(&disk.path().join("other"), &torn);
    drop(store);
    disk.make_read_only();

    let opened = Store::open(&disk.divisi(), options()).map(|_| ());
    assert!(matches!(opened, Err(Fault::Unavailable(_))), "{opened:?}");
    let view = view(&disk.divisi());
    assert_eq!(view.runs(None, 9).unwrap()[0].seq, 6);
    assert_eq!(view.all_events(0, 99).unwrap().len(), 6);

    let read = Store::open_read_only(&torn, versions()).map(|_| ());
    let Err(NotOpened::Fault(Fault::Unavailable(cause))) = read else {
        panic!("{read:?}");
    };
    assert!(
        cause.contains("needs a folder that can be written"),
        "{cause}"
    );
}

#[test]
fn a_database_marked_read_only_is_unavailable() {
    let folder = folder();
    let dir = divisi(&folder);
    append(&mut open(&dir), 1..=2);
    let mut bytes = fs::read(dir.join("divisi.db")).unwrap();
    // The version that a writer must know, in the file's header.
    bytes[18] = 3;
    fs::write(dir.join("divisi.db"), &bytes).unwrap();
    let opened = Store::open(&dir, options()).map(|_| ());
    assert!(matches!(opened, Err(Fault::Unavailable(_))), "{opened:?}");
    assert_eq!(fs::read(dir.join("divisi.db")).unwrap(), bytes);
}

#[test]
fn a_locked_journal_is_unavailable_and_usable_afterwards() {
    let folder = folder();
    let dir = divisi(&folder);
    let mut store = open(&dir);
    append(&mut store, 1..=2);
    let other = Connection::open(dir.join("divisi.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let Err(Fault::Unavailable(cause)) = store.append(&batch(3)) else {
        panic!("two wrote at once");
    };
    assert!(cause.contains("another process holds it"), "{cause}");
    assert_eq!(whole_batches(&store), 2);
    other.execute_batch("ROLLBACK").unwrap();
    append(&mut store, 3..=3);
    assert_eq!(whole_batches(&store), 3);
}
