//! What the tests start from: one run whose n-th batch can be recognized in every table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use divisi_core::journal::{
    AccountRow, Batch, CommandRow, Entry, Journal, LedgerRow, RunRow, Stream, TaskRow,
};
use divisi_core::ledger::Account;
use divisi_core::{CommandId, RunId, Time};
use divisi_store::{Durability, Options, Store, Upcasters, Versions, View};
use tempfile::TempDir;

pub(crate) const KINDS: &[(&str, u32)] = &[("stepped", 1), ("counted", 1)];
pub(crate) const RUN: RunId = RunId(1);
/// Tasks among which the batches rotate.
pub(crate) const TASKS: u64 = 5;
/// Accounts among which they do.
pub(crate) const ACCOUNTS: u64 = 3;

pub(crate) fn versions() -> Versions {
    Versions::new(KINDS, Upcasters::current(), 1)
}

pub(crate) fn options() -> Options {
    Options {
        durability: Durability::Normal,
        versions: versions(),
        hook: None,
    }
}

pub(crate) fn open(dir: &Path) -> Store {
    Store::open(dir, options()).unwrap()
}

pub(crate) fn view(dir: &Path) -> View {
    Store::open_read_only(dir, versions()).unwrap()
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn divisi(folder: &TempDir) -> PathBuf {
    folder.path().join(".divisi")
}

pub(crate) fn entry(stream: Stream, seq: u64, kind: &str) -> Entry {
    Entry {
        stream,
        seq,
        kind: kind.to_owned(),
        version: 1,
        at: Time(1000 + seq),
        body: format!(r#"{{"seq":{seq}}}"#),
    }
}

pub(crate) fn command(n: u64) -> CommandId {
    CommandId::new(format!("c-{n}")).unwrap()
}

pub(crate) fn task_row(n: u64) -> TaskRow {
    let no = n % TASKS;
    TaskRow {
        run: RUN,
        no: no as u32,
        id: format!("task-{no}"),
        status: "running".to_owned(),
        attempts: n as u32,
        body: format!(r#"{{"batch":{n},"padding":"{}"}}"#, "x".repeat(900)),
    }
}

pub(crate) fn run_row(n: u64) -> RunRow {
    RunRow {
        run: RUN,
        title: "a run".to_owned(),
        status: "running".to_owned(),
        seq: 2 * n,
        body: format!(r#"{{"batch":{n}}}"#),
    }
}

/// The account that the n-th batch changes; each changes another, by turns.
pub(crate) fn account(n: u64) -> Account {
    match n % ACCOUNTS {
        0 => Account::Run(RUN),
        day => Account::Day(day),
    }
}

pub(crate) fn account_row(n: u64) -> AccountRow {
    AccountRow {
        account: account(n),
        body: format!(r#"{{"batch":{n}}}"#),
    }
}

pub(crate) fn ledger_row(n: u64) -> LedgerRow {
    LedgerRow {
        seq: n,
        body: format!(r#"{{"batch":{n}}}"#),
    }
}

/// The n-th batch, from 1: two events, a task, the run, an account, the ledger, a command.
pub(crate) fn batch(n: u64) -> Batch {
    Batch {
        cut: Vec::new(),
        entries: vec![
            entry(Stream::Run(RUN), 2 * n - 1, "stepped"),
            entry(Stream::Run(RUN), 2 * n, "counted"),
        ],
        tasks: vec![task_row(n)],
        runs: vec![run_row(n)],
        accounts: vec![account_row(n)],
        ledger: Some(ledger_row(n)),
        commands: vec![CommandRow {
            id: command(n),
            outcome: format!(r#""outcome {n}""#),
        }],
    }
}

pub(crate) fn append(store: &mut Store, batches: std::ops::RangeInclusive<u64>) {
    for n in batches {
        store.append(&batch(n)).unwrap();
    }
}

/// How many batches the store holds, having compared every table with exactly these batches.
pub(crate) fn whole_batches(store: &Store) -> u64 {
    let events = store.events(Stream::Run(RUN), 0).unwrap();
    assert_eq!(events.len() % 2, 0, "half a batch is there");
    let held = events.len() as u64 / 2;
    let expected: Vec<_> = (1..=held).flat_map(|n| batch(n).entries).collect();
    assert_eq!(events, expected);
    let mut tasks: Vec<_> = (1..=held)
        .rev()
        .take(TASKS as usize)
        .map(task_row)
        .collect();
    tasks.sort_by_key(|row| row.no);
    assert_eq!(store.tasks(RUN).unwrap(), tasks);
    let runs: Vec<_> = (held > 0).then(|| run_row(held)).into_iter().collect();
    assert_eq!(store.runs().unwrap(), runs);
    let mut accounts: Vec<_> = (1..=held)
        .rev()
        .take(ACCOUNTS as usize)
        .map(account_row)
        .collect();
    accounts.sort_by_key(|row| row.account);
    let mut stored = store.accounts().unwrap();
    stored.sort_by_key(|row| row.account);
    assert_eq!(stored, accounts);
    assert_eq!(
        store.ledger().unwrap(),
        (held > 0).then(|| ledger_row(held))
    );
    for n in 1..=held {
        let outcome = Some(format!(r#""outcome {n}""#));
        assert_eq!(store.command(&command(n)).unwrap(), outcome);
    }
    assert_eq!(store.command(&command(held + 1)).unwrap(), None);
    held
}

/// Copies the database, and the WAL if there is one, as a crash would leave them.
pub(crate) fn copy_as_crashed(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in ["divisi.db", "divisi.db-wal"] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// A file system in memory of a fixed size, unmounted when dropped.
pub(crate) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// `None` where this user may not mount: then the test runs [`again`] where it may.
    pub(crate) fn mount(kib: u32) -> Option<SmallDisk> {
        let folder = folder();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "none"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(SmallDisk { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn divisi(&self) -> PathBuf {
        divisi(&self.folder)
    }

    pub(crate) fn make_read_only(&self) {
        let done = Command::new("mount")
            .args(["-o", "remount,bind,ro"])
            .arg(self.folder.path())
            .status()
            .unwrap();
        assert!(done.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.folder.path())
            .status();
    }
}

/// Set where a test runs again in name spaces of its own, in which it may mount.
const AGAIN: &str = "DIVISI_TEST_MOUNTS";

/// Runs this very test again where it may mount: as root of name spaces of its own.
pub(crate) fn again(name: &str) {
    assert!(
        std::env::var_os(AGAIN).is_none(),
        "even here nothing can be mounted"
    );
    let apart = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount"]);
        command
    };
    let may = apart().arg("true").status();
    assert!(
        may.is_ok_and(|status| status.success()),
        "this test mounts a small file system: run it as root, or where `unshare` may make a user \
         namespace (docs/reference/testing.md)"
    );
    let ran = apart()
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact"])
        .env(AGAIN, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    // A name that no test has would run nothing, and succeed.
    assert!(
        ran.status.success() && told.contains("test result: ok. 1 passed"),
        "in a user namespace of its own it failed:\n{told}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
