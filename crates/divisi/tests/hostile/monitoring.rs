//! Agents that fall silent: suspected, looked at again, and only then ended; five at once are the
//! watcher's own trouble, and a machine that slept owes everybody a fresh grace.

use std::ffi::CString;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use divisi_core::run::{AttemptEnd, Event, RunStatus, StopReason};
use divisi_engine::engine::{Rest, boot_now};
use divisi_engine::monitor::Patience;
use serde_json::{Value, json};

use crate::impatient::Impatient;
use crate::stage::{Stage, endings, stands, until};

/// Looks every tenth of a second. What is busy shows it far sooner than it is suspected here, on a
/// machine that other tests keep busy, too.
fn patience(second_look_ms: u64) -> Patience {
    Patience {
        look_ms: 100,
        progress_ms: 2_000,
        second_look_ms,
        ..Patience::default()
    }
}

/// A pipe on which an agent waits without a sign of progress: one process, which sleeps.
fn pipe(stage: &Stage, name: &str) -> String {
    let path = stage.beside(name);
    let text = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the path ends in a zero and is only read.
    let made = unsafe { libc::mkfifo(text.as_ptr(), 0o600) };
    assert_eq!(made, 0, "a pipe can be made");
    path.display().to_string()
}

/// Lets whoever waits on a pipe go on.
fn release(pipe: &str) {
    until("somebody waits on the pipe", || {
        let opened = std::fs::OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(pipe);
        opened.is_ok_and(|mut file| file.write_all(b"on\n").is_ok())
    });
}

/// A task whose first attempt works until a gate opens, and then waits on a pipe. Any later one
/// makes what is promised at once.
fn silent(name: &str, gate: &str, pipe: &str) -> Value {
    let script = format!(
        "case ${{DIVISI_JOB##*.}} in
            1) until test -e {gate}; do echo busy; sleep 0.05; done; cat {pipe} ;;
        esac
        echo made > {name}.md"
    );
    json!({"subtask_id": name, "script": script, "deliverables": [format!("{name}.md")]})
}

fn plan(tasks: Vec<Value>) -> Value {
    json!({"task_title": "silence", "subtasks": tasks})
}

fn open(stage: &Stage, gate: &str) {
    std::fs::write(stage.beside(gate), "").unwrap();
}

/// What monitoring said of a task's first attempt, in order.
fn findings(stage: &Stage, task: u32) -> Vec<&'static str> {
    let events = stage.timed_events();
    let of = |event: &Event| match event {
        Event::AttemptSuspected { attempt, .. } => Some((*attempt, "suspected")),
        Event::AttemptCleared { attempt } => Some((*attempt, "cleared")),
        Event::AttemptStopping { attempt, reason } => Some((*attempt, reason.word())),
        Event::AttemptEnded { attempt, .. } => Some((*attempt, "ended")),
        _ => None,
    };
    let all = events.iter().filter_map(|(_, event)| of(event));
    let first = all.filter(|(attempt, _)| attempt.task.0 == task && attempt.number == 1);
    first.map(|(_, what)| what).collect()
}

fn is_suspected(event: &Event) -> bool {
    matches!(event, Event::AttemptSuspected { .. })
}

#[test]
fn one_that_falls_silent_is_suspected_looked_at_again_and_ended_as_stalled() {
    let stage = Stage::git(&[("x", "1\n")]);
    open(&stage, "gate");
    let gate = stage.beside("gate").display().to_string();
    let task = silent("idle", &gate, &pipe(&stage, "pipe"));
    let engine = Impatient::begin(&stage, &plan(vec![task]), patience(1_000), boot_now);
    assert_eq!(engine.end(), Rest::Rested);
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("idle", "done")]);
    assert_eq!(findings(&stage, 0), ["suspected", "stalled", "ended"]);
    let [first, second] = endings(&run, "idle") else {
        panic!("two attempts: {:?}", endings(&run, "idle"));
    };
    let reason = |end: &AttemptEnd| match end {
        AttemptEnd::Stopped(StopReason::Stalled(evidence)) => Some(evidence.clone()),
        _ => None,
    };
    let evidence = reason(&first.end).expect("it stalled");
    assert!(
        evidence.contains("no output, file, process or CPU time"),
        "{evidence}"
    );
    assert_eq!(second.end, AttemptEnd::Integrated);
    assert_eq!(stage.jobs(), [0; 0], "nothing of it is left");
    // The same is told by the binary.
    let told = stage.divisi(&["watch", "run-1", "--from-start"]).expect(0);
    told.says("idle is suspected: no output")
        .says("is being ended: stalled");
    stage
        .divisi(&["show", "run-1", "idle"])
        .expect(0)
        .says("it made no progress: no output");
}

#[test]
fn one_that_shows_itself_again_is_cleared_and_goes_on() {
    let stage = Stage::git(&[("x", "1\n")]);
    open(&stage, "gate");
    let gate = stage.beside("gate").display().to_string();
    let pipe = pipe(&stage, "pipe");
    let mut task = silent("idle", &gate, &pipe);
    // After the first silence it works until it is let go.
    let script = task["script"].as_str().unwrap();
    let go = stage.beside("go").display().to_string();
    let works = format!("until test -e {go}; do echo busy; sleep 0.05; done\n");
    task["script"] = json!(script.replace("echo made", &format!("{works}echo made")));
    let engine = Impatient::begin(&stage, &plan(vec![task]), patience(60_000), boot_now);
    engine.until("it is suspected", is_suspected);
    release(&pipe);
    engine.until("it is cleared", |event| {
        matches!(event, Event::AttemptCleared { .. })
    });
    open(&stage, "go");
    assert_eq!(engine.end(), Rest::Rested);
    stands(&stage.only(), RunStatus::Succeeded, &[("idle", "done")]);
    assert_eq!(endings(&stage.only(), "idle").len(), 1);
    assert_eq!(findings(&stage, 0)[..2], ["suspected", "cleared"]);
}

#[test]
fn five_that_fall_silent_at_once_are_not_ended_until_there_are_fewer() {
    let stage = Stage::git(&[("x", "1\n")]);
    let gate = stage.beside("gate").display().to_string();
    let names = ["a", "b", "c", "d", "e"];
    let pipes = names.map(|name| pipe(&stage, name));
    let mut tasks: Vec<Value> = names
        .iter()
        .zip(&pipes)
        .map(|(name, pipe)| silent(name, &gate, pipe))
        .collect();
    // A clock that is never silent: it runs on for longer than a second look takes.
    let begin = stage.beside("begin").display().to_string();
    let clock = format!(
        "until test -e {begin}; do echo busy; sleep 0.05; done
        n=0; while test $n -lt 100; do echo $n; n=$((n + 1)); sleep 0.05; done"
    );
    tasks.push(json!({"subtask_id": "clock", "script": clock}));
    let engine = Impatient::begin(&stage, &plan(tasks), patience(3_000), boot_now);
    for _ in 0..6 {
        engine.until("all are at work", |event| {
            matches!(event, Event::AttemptStarted { .. })
        });
    }
    open(&stage, "gate");
    for _ in names {
        engine.until("all five are suspected", is_suspected);
    }
    open(&stage, "begin");
    let ended = engine.until("a second look would have been due", |event| {
        matches!(
            event,
            Event::AttemptAdvanced { .. } | Event::AttemptStopping { .. }
        )
    });
    let Event::AttemptAdvanced { attempt, .. } = ended else {
        panic!("none is ended meanwhile: {ended:?}");
    };
    assert_eq!(attempt.task.0, 5, "it was the clock");
    for task in 0..5 {
        assert_eq!(findings(&stage, task), ["suspected"]);
    }
    let events = stage.timed_events();
    let says_why = |event: &Event| {
        matches!(event, Event::AttemptSuspected { evidence, .. }
            if evidence.contains("5 attempts are suspected at once"))
    };
    assert!(events.iter().any(|(_, event)| says_why(event)));
    // With one of them back, the other four are found as they are.
    release(&pipes[0]);
    assert_eq!(engine.end(), Rest::Rested);
    let run = stage.only();
    let mut all: Vec<(&str, &str)> = names.iter().map(|name| (*name, "done")).collect();
    all.push(("clock", "done"));
    stands(&run, RunStatus::Succeeded, &all);
    assert_eq!(endings(&run, "a").len(), 1);
    for (task, name) in (1..5).zip(&names[1..]) {
        assert_eq!(
            findings(&stage, task),
            ["suspected", "stalled", "ended"],
            "{name}"
        );
        assert_eq!(endings(&run, name).len(), 2, "{name}");
    }
}

/// How long this machine is said to have slept, in milliseconds.
static SLEPT: AtomicU64 = AtomicU64::new(0);

fn sleepy() -> u64 {
    boot_now() + SLEPT.load(Ordering::SeqCst)
}

#[test]
fn after_the_machine_slept_there_is_a_fresh_grace() {
    let stage = Stage::git(&[("x", "1\n")]);
    open(&stage, "gate");
    let gate = stage.beside("gate").display().to_string();
    let pipe = pipe(&stage, "pipe");
    let task = silent("idle", &gate, &pipe);
    let engine = Impatient::begin(&stage, &plan(vec![task]), patience(20_000), sleepy);
    engine.until("it is suspected", is_suspected);
    SLEPT.fetch_add(60_000, Ordering::SeqCst);
    // The agent did nothing meanwhile, and could not have.
    engine.until("that is taken back", |event| {
        matches!(event, Event::AttemptCleared { .. })
    });
    engine.until("it is suspected anew", is_suspected);
    release(&pipe);
    assert_eq!(engine.end(), Rest::Rested);
    stands(&stage.only(), RunStatus::Succeeded, &[("idle", "done")]);
    assert_eq!(endings(&stage.only(), "idle").len(), 1);
}
