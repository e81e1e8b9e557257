//! Agents that fill the disk: a file system of 64 MB holds the whole project.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use divisi_core::run::{Event, PauseReason, RunStatus};
use serde_json::json;

use crate::stage::{Stage, kill, stands, task, until, with_argument};

/// Set where the test runs again in name spaces of its own, in which it may mount.
const AGAIN: &str = "DIVISI_TEST_MOUNTS";

/// A small file system, mounted until dropped.
struct Mounted(CString);

impl Mounted {
    /// Mounts an empty one over a folder; `None` if this process may not.
    fn over(folder: &Path) -> Option<Mounted> {
        let path = CString::new(folder.as_os_str().as_bytes()).unwrap();
        // SAFETY: all five are texts that end in a zero and are only read.
        let status = unsafe {
            libc::mount(
                c"tmpfs".as_ptr(),
                path.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                c"size=64m".as_ptr().cast(),
            )
        };
        (status == 0).then_some(Mounted(path))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // SAFETY: the path ends in a zero and is only read.
        unsafe { libc::umount2(self.0.as_ptr(), libc::MNT_DETACH) };
    }
}

/// Bytes that still fit onto the file system of a folder.
fn room(folder: &Path) -> u64 {
    let found = rustix::fs::statvfs(folder).unwrap();
    found.f_bavail * found.f_frsize
}

/// Runs this very test again where it may mount: as root of name spaces of its own.
fn again(name: &str) {
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
        "this test mounts a file system of 64 MB: run it as root, or where `unshare` may make a \
         user namespace (docs/reference/testing.md)"
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

#[test]
fn a_full_disk_pauses_runs_until_there_is_room() {
    let stage = Stage::folder(&[]);
    let Some(_mounted) = Mounted::over(stage.project()) else {
        return again("disk::a_full_disk_pauses_runs_until_there_is_room");
    };
    crate::stage::write(stage.path("a"), "1\n");
    stage.become_repository();
    // It fills the disk, and stays until somebody makes room.
    let fill = "echo x > full.md; (cat /dev/zero > big) 2>/dev/null || :
                while test -e big; do sleep 0.02; done";
    let gate = stage.beside("go").display().to_string();
    let wait = format!("until test -e {gate}; do sleep 0.02; done");
    let waiter = |id: &str| json!({"subtask_id": id, "script": wait});
    let mut subtasks = vec![
        json!({"subtask_id": "filler", "script": fill, "deliverables": ["full.md"],
         "criteria": [{"scope": ["full.md"]}]}),
    ];
    let names: Vec<String> = (0..24).map(|at| format!("w{at}")).collect();
    subtasks.extend(names.iter().map(|name| waiter(name)));
    let plan = json!({"task_title": "it fills the disk", "subtasks": subtasks});
    let running = stage.start_plan(&plan, &["-j", "25"]);
    until("all wait", || with_argument(&wait).len() == names.len());
    until("the disk is full", || room(stage.project()) == 0);
    std::fs::write(&gate, "").unwrap();
    let is_paused = |event: &Event| {
        matches!(
            event,
            Event::RunPaused {
                reason: PauseReason::DiskFull
            }
        )
    };
    stage.until_event("the run is paused", is_paused);
    let run = stage.only();
    assert_eq!(run.paused, Some(PauseReason::DiskFull));
    assert_eq!(task(&run, "filler").status().word(), "running");
    // Somebody makes room.
    std::fs::remove_file(stage.path(".divisi/worktrees/run-1-t0-1/big")).unwrap();
    let ran = running.wait().expect(0);
    assert!(ran.stderr.contains("the disk is full"), "{}", ran.stderr);
    let run = stage.only();
    let mut expected = vec![("filler", "done")];
    expected.extend(names.iter().map(|name| (name.as_str(), "done")));
    stands(&run, RunStatus::Succeeded, &expected);
    assert!(run.tasks().iter().all(|task| task.attempts() == 1));
    assert_eq!(
        stage.view().faults().unwrap(),
        [""; 0],
        "the database is intact"
    );
    let events = stage.timed_events();
    let resumed = |(_, event): &(_, Event)| matches!(event, Event::RunResumed);
    assert_eq!(events.iter().filter(|event| resumed(event)).count(), 1);
    assert!(
        stage
            .path(".divisi/worktrees/run-1-t0-1/big")
            .symlink_metadata()
            .is_err()
    );
}

#[test]
fn an_interruption_on_a_full_disk_ends_the_agents_and_leaves_a_run_to_resume() {
    let stage = Stage::folder(&[]);
    let Some(_mounted) = Mounted::over(stage.project()) else {
        return again(
            "disk::an_interruption_on_a_full_disk_ends_the_agents_and_leaves_a_run_to_resume",
        );
    };
    crate::stage::write(stage.path("a"), "1\n");
    stage.become_repository();
    let (gate, room_made) = (stage.beside("go"), stage.beside("room"));
    // It fills the disk the first time, and stays.
    let fill = format!(
        "echo x > full.md; test -e {} && exit 0; (cat /dev/zero > big) 2>/dev/null || :
         while test -e big; do sleep 0.02; done",
        room_made.display()
    );
    let wait = format!("until test -e {}; do sleep 0.02; done", gate.display());
    let waiter = |at: u32| json!({"subtask_id": format!("w{at}"), "script": wait});
    let mut subtasks = vec![
        json!({"subtask_id": "filler", "script": fill, "deliverables": ["full.md"],
         "criteria": [{"scope": ["full.md"]}]}),
    ];
    // So many ends are too much for what the pause leaves of the reserve.
    subtasks.extend((0..24).map(waiter));
    let plan = json!({"task_title": "it fills the disk", "subtasks": subtasks});
    let running = stage.start_plan(&plan, &["-j", "25"]);
    until("all wait", || with_argument(&wait).len() == 24);
    until("the disk is full", || room(stage.project()) == 0);
    std::fs::write(&gate, "").unwrap();
    let is_paused = |event: &Event| matches!(event, Event::RunPaused { .. });
    stage.until_event("the run is paused", is_paused);
    kill(running.pid(), libc::SIGINT);
    running.wait().expect(130).says("the disk is full");
    assert_eq!(with_argument(&fill), [0; 0], "no agent is left");
    std::fs::write(&room_made, "").unwrap();
    std::fs::remove_file(stage.path(".divisi/worktrees/run-1-t0-1/big")).unwrap();
    stage.divisi(&["resume", "run-1"]).expect(0);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
    assert_eq!(task(&stage.only(), "filler").failures, 0);
}

#[test]
fn work_that_finds_no_room_pauses_its_run_until_there_is_some() {
    let stage = Stage::folder(&[]);
    let Some(_mounted) = Mounted::over(stage.project()) else {
        return again("disk::work_that_finds_no_room_pauses_its_run_until_there_is_some");
    };
    crate::stage::write(stage.path(".gitignore"), "big\npad\n");
    stage.become_repository();
    // The journal has room in the end, but not the private repository for what was made.
    let fill = "head -c 4000000 /dev/urandom > full.bin; head -c 1500000 /dev/zero > pad
                (cat /dev/zero > big) 2>/dev/null || :
                rm pad";
    let plan = json!({"task_title": "it fills the disk", "subtasks": [
        {"subtask_id": "filler", "script": fill, "deliverables": ["full.bin"]},
        {"subtask_id": "after", "command": ["true"], "dependencies": ["filler"]},
    ]});
    let running = stage.start_plan(&plan, &[]);
    let is_paused = |event: &Event| {
        matches!(
            event,
            Event::RunPaused {
                reason: PauseReason::DiskFull
            }
        )
    };
    stage.until_event("the run is paused", is_paused);
    std::fs::remove_file(stage.path(".divisi/worktrees/run-1-t0-1/big")).unwrap();
    running.wait().expect(0).says("the disk is full");
    let run = stage.only();
    stands(
        &run,
        RunStatus::Succeeded,
        &[("filler", "done"), ("after", "done")],
    );
    assert_eq!(task(&run, "filler").attempts(), 1);
    assert_eq!(
        stage.view().faults().unwrap(),
        [""; 0],
        "the database is intact"
    );
}
