//! The supervisor with real processes: ordinary ones, hostile ones, and its own death.
//!
//! This test binary is also the supervisor: a re-execution of it runs only the test
//! [`a_supervisor_says_why_it_cannot_serve`], which then serves.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod asking;
mod stage;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use divisi_core::receipt::Exit;
use divisi_core::worker::{Confinement, EndHow, FromWorker, Held, PROTOCOL, ToWorker};
use divisi_engine::supervisor::{JoinError, ServeOptions, serve};

use stage::{Stage, argument, arguments, is_alive, job, kill, peak_memory, read, until};

/// The processes that are left when none is.
const NOBODY: [i32; 0] = [];

#[test]
fn a_supervisor_says_why_it_cannot_serve() {
    if let Some(dir) = argument(stage::SERVE_IN) {
        let dir = PathBuf::from(dir);
        let socket = dir.join("run/s/supervisor.sock");
        // What it has to say it says on its standard output.
        let _ = serve(&ServeOptions { dir, socket });
        return;
    }
    if let Some(socket) = argument(stage::SPEAK_TO) {
        print!("{}", speak(&socket, hello(99).as_bytes()));
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(arguments(&format!("{}/nowhere", stage::SERVE_IN)))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("divisi-supervisor: failed to serve in /nowhere"),
        "{said}"
    );
}

fn hello(epoch: u64) -> String {
    format!(
        "{{\"word\":\"hello\",\"protocol\":{PROTOCOL},\"epoch\":{epoch},\"orphan_grace_ms\":0}}\n"
    )
}

/// What a supervisor answers to these bytes until it closes the connection.
fn speak(socket: &str, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    // It may close the connection before it has taken everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

// --- Ordinary jobs

#[test]
fn a_job_gets_exactly_the_environment_it_is_given() {
    let stage = Stage::new();
    let engine = stage.engine();
    let ended = engine.run(job(0), stage.spec(&["env"]));
    assert_eq!(ended.exit, Exit::Status(0));
    assert!(ended.empty && ended.swept == 0 && !ended.told, "{ended:?}");
    let log = stage.log();
    let mut names: Vec<&str> = log
        .lines()
        .map(|line| line.split('=').next().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["DIVISI_DIR", "DIVISI_JOB", "PATH", "STAGE"]);
    assert!(log.contains("DIVISI_JOB=1/0.1\n"));
    let output = ended.output.unwrap();
    assert_eq!(output.bytes, log.len() as u64);
    assert_eq!(
        output.digest.as_str(),
        blake3::hash(log.as_bytes()).to_hex().as_str()
    );
}

#[test]
fn a_job_inherits_no_descriptor_and_no_signal_setting() {
    let stage = Stage::new();
    let engine = stage.engine();
    let script = "ls /proc/self/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status";
    engine.run(job(0), stage.script(script));
    let log = stage.log();
    let (descriptors, signals) = log.split_once("Sig").unwrap();
    // The fourth is the folder that `ls` itself reads.
    assert_eq!(descriptors, "0\n1\n2\n3\n");
    /// The C library keeps these two to itself and lets nobody change them.
    const OF_THE_LIBRARY: u64 = 1 << 31 | 1 << 32;
    for line in signals.lines() {
        let set = u64::from_str_radix(line.split_once('\t').unwrap().1, 16).unwrap();
        assert_eq!(set & !OF_THE_LIBRARY, 0, "{line}");
    }
}

#[test]
fn standard_input_is_what_was_given_and_then_ends() {
    let stage = Stage::new();
    let engine = stage.engine();
    let mut spec = stage.spec(&["cat"]);
    spec.stdin = "a line of a long handoff\n".repeat(20_000);
    let expected = spec.stdin.clone();
    assert_eq!(engine.run(job(0), spec).exit, Exit::Status(0));
    assert_eq!(stage.log(), expected);

    let mut unread = stage.spec(&["true"]);
    unread.stdin = expected;
    assert_eq!(engine.run(job(1), unread).exit, Exit::Status(0));

    let silent = engine.run(job(2), stage.spec(&["cat"]));
    assert_eq!((silent.exit, silent.output), (Exit::Status(0), None));
}

#[test]
fn what_cannot_be_started_is_said_and_whether_it_ever_can() {
    let stage = Stage::new();
    let engine = stage.engine();
    let refusal = |spec| {
        engine.start(job(0), spec);
        match engine.hear() {
            FromWorker::NotStarted {
                cause, permanent, ..
            } => (cause, permanent),
            other => panic!("{other:?}"),
        }
    };
    let (cause, permanent) = refusal(stage.spec(&["no-such-program"]));
    assert_eq!(cause, "start no-such-program: not on the PATH given");
    assert!(permanent);
    let (cause, permanent) = refusal(stage.spec(&["/no/such/program"]));
    assert!(
        cause.starts_with("start /no/such/program: No such file"),
        "{cause}"
    );
    assert!(permanent);
    let mut nowhere = stage.spec(&["true"]);
    nowhere.cwd = "/no/such/folder".to_owned();
    let (cause, permanent) = refusal(nowhere);
    assert_eq!(cause, "start true in /no/such/folder: no such folder");
    assert!(permanent);
    let (_, permanent) = refusal(stage.spec(&[]));
    assert!(permanent);
    // A job that was not started is not held: it can be started.
    assert_eq!(
        engine.run(job(0), stage.spec(&["true"])).exit,
        Exit::Status(0)
    );
}

#[test]
fn a_job_is_started_once_however_often_that_is_asked() {
    let stage = Stage::new();
    let engine = stage.engine();
    let script = "echo x >> starts; until test -e go; do sleep 0.01; done; exit 7";
    engine.start(job(0), stage.script(script));
    engine.start(job(0), stage.script(script));
    engine.started(job(0));
    engine.start(job(0), stage.script(script));
    engine.started(job(0));
    std::fs::write(stage.path("work/go"), "").unwrap();
    assert_eq!(engine.ended(job(0)).exit, Exit::Status(7));
    engine.start(job(0), stage.script(script));
    assert_eq!(engine.ended(job(0)).exit, Exit::Status(7));
    engine.end(job(0), EndHow::Force);
    assert_eq!(engine.ended(job(0)).exit, Exit::Status(7));
    assert_eq!(read(&stage.path("work/starts")), b"x\n");

    engine.say(ToWorker::Forget { job: job(0) });
    engine.end(job(0), EndHow::Force);
    assert_eq!(engine.hear(), FromWorker::Unknown { job: job(0) });
}

#[test]
fn an_observation_counts_the_whole_tree() {
    let stage = Stage::new();
    let engine = stage.engine();
    let script =
        "printf abc; (setsid sleep 1000 >/dev/null 2>&1 &); touch ready; sleep 1000 & wait";
    engine.start(job(0), stage.script(script));
    engine.started(job(0));
    stage.until_file("ready");
    until("three are seen", || {
        engine.say(ToWorker::Observe);
        let FromWorker::Observed { observations } = engine.hear() else {
            panic!("observations are the answer");
        };
        let [(observed, observation)] = &observations[..] else {
            panic!("one job lives: {observations:?}");
        };
        assert_eq!(*observed, job(0));
        observation.alive && observation.processes == 3 && observation.output_bytes == 3
    });
    engine.end(job(0), EndHow::Graceful);
    let ended = engine.ended(job(0));
    assert_eq!(ended.exit, Exit::Signal(libc::SIGTERM));
    assert!(ended.told && ended.empty);
    assert_eq!(stage.tagged(), NOBODY);
}

// --- Hostile agents

#[test]
fn one_that_ignores_term_is_killed_after_the_grace() {
    let stage = Stage::new();
    let engine = stage.engine();
    let script = "trap '' TERM; touch ready; while :; do sleep 0.05; done";
    engine.start(job(0), stage.script(script));
    engine.started(job(0));
    stage.until_file("ready");
    engine.end(job(0), EndHow::Graceful);
    let ended = engine.ended(job(0));
    assert_eq!(ended.exit, Exit::Signal(libc::SIGKILL));
    assert!(ended.told && ended.empty, "{ended:?}");
    assert_eq!(stage.tagged(), NOBODY);
}

#[test]
fn one_that_stopped_itself_is_ended_all_the_same() {
    let stage = Stage::new();
    let engine = stage.engine();
    engine.start(
        job(0),
        stage.script("touch ready; kill -STOP $$; sleep 1000"),
    );
    engine.started(job(0));
    stage.until_file("ready");
    engine.end(job(0), EndHow::Graceful);
    assert!(engine.ended(job(0)).empty);
    assert_eq!(stage.tagged(), NOBODY);
}

#[test]
fn a_child_in_another_session_that_ignores_term_does_not_outlive_its_attempt() {
    let stage = Stage::new();
    let engine = stage.engine();
    let script = "(setsid sh -c 'trap \"\" TERM; touch ready; while :; do sleep 0.05; done' \
                  >/dev/null 2>&1 &); until test -e ready; do sleep 0.01; done; exit 3";
    let ended = engine.run(job(0), stage.script(script));
    assert_eq!(ended.exit, Exit::Status(3));
    assert!(ended.empty && !ended.told && ended.swept >= 1, "{ended:?}");
    assert_eq!(stage.tagged(), NOBODY);
}

#[test]
fn a_child_that_hides_its_origin_does_not_outlive_its_attempt() {
    let stage = Stage::new();
    let engine = stage.engine();
    // Another session, no environment, no pipe, no parent: only the sub-reaper knows it.
    let script = "(setsid env -i /bin/sh -c 'echo $$ > hidden; exec /bin/sleep 1000' \
                  >/dev/null 2>&1 &); until test -s hidden; do sleep 0.01; done";
    let ended = engine.run(job(0), stage.script(script));
    assert!(ended.empty && ended.swept == 1, "{ended:?}");
    let pid = String::from_utf8(read(&stage.path("work/hidden"))).unwrap();
    assert!(!is_alive(pid.trim().parse().unwrap()));
}

#[test]
fn a_forged_mark_saves_nobody() {
    let stage = Stage::new();
    let engine = stage.engine();
    let script = "(DIVISI_JOB=1/77.1 setsid sleep 1000 >/dev/null 2>&1 &); exit 0";
    let ended = engine.run(job(0), stage.script(script));
    assert!(ended.empty, "{ended:?}");
    assert_eq!(stage.tagged(), NOBODY);
}

#[test]
fn the_end_of_one_job_does_not_touch_the_daemons_of_another() {
    let stage = Stage::new();
    let engine = stage.engine();
    let daemon = "(setsid sh -c 'echo $$ > daemon; exec sleep 1000' >/dev/null 2>&1 &); \
                  until test -s daemon; do sleep 0.01; done; touch ready; sleep 1000";
    engine.start(job(0), stage.script(daemon));
    engine.started(job(0));
    stage.until_file("ready");
    for n in 1..20 {
        let ended = engine.run(
            job(n),
            stage.script("(setsid sleep 1000 >/dev/null 2>&1 &)"),
        );
        assert!(ended.empty, "{ended:?}");
    }
    let pid = String::from_utf8(read(&stage.path("work/daemon"))).unwrap();
    assert!(is_alive(pid.trim().parse().unwrap()));
    // The shell, its sleep and its daemon.
    stage.until_tagged(3);
    engine.end(job(0), EndHow::Force);
    let ended = engine.ended(job(0));
    assert!(ended.empty && ended.told, "{ended:?}");
    assert_eq!(stage.tagged(), NOBODY);
}

#[test]
fn five_hundred_children_are_ended_to_the_last() {
    let stage = Stage::new();
    let engine = stage.engine();
    let script = "trap '' TERM; i=0; while [ $i -lt 500 ]; do sleep 1000 & i=$((i+1)); done; \
                  touch ready; wait";
    engine.start(job(0), stage.script(script));
    engine.started(job(0));
    stage.until_file("ready");
    stage.until_tagged(501);
    engine.end(job(0), EndHow::Graceful);
    let ended = engine.ended(job(0));
    assert!(ended.empty, "{ended:?}");
    assert_eq!(stage.tagged(), NOBODY);

    let script = "i=0; while [ $i -lt 500 ]; do setsid sleep 1000 & i=$((i+1)); done; exit 0";
    let ended = engine.run(job(1), stage.script(script));
    assert!(ended.empty && ended.swept > 0, "{ended:?}");
    assert_eq!(stage.tagged(), NOBODY);
}

#[test]
fn one_that_keeps_forking_is_caught() {
    let stage = Stage::new();
    let engine = stage.engine();
    // Each generation leaves its session and its parent and starts the next one.
    let script = "trap '' TERM; echo 'trap \"\" TERM; sleep 0.02; setsid sh ./next & exit 0' > next; \
                  setsid sh ./next & setsid sh ./next & exit 0";
    let ended = engine.run(job(0), stage.script(script));
    assert!(ended.empty, "{ended:?}");
    assert_eq!(stage.tagged(), NOBODY);
}

#[test]
fn a_gigabyte_of_output_is_capped_digested_and_takes_no_memory() {
    let stage = Stage::new();
    let engine = stage.engine();
    let mut spec = stage.spec(&["head", "-c", "1G", "/dev/zero"]);
    spec.limits.log_bytes_max = 1 << 20;
    let ended = engine.run(job(0), spec);
    assert_eq!(ended.exit, Exit::Status(0));
    let output = ended.output.unwrap();
    assert_eq!((output.bytes, output.capped), (1 << 30, true));
    let log = read(&stage.path("logs/job.log"));
    assert!(
        (1 << 20..(1 << 20) + 100).contains(&log.len()),
        "{}",
        log.len()
    );
    let peak = peak_memory(engine.client.supervisor_pid());
    assert!(peak < 100 << 20, "{peak} bytes");
}

#[test]
fn the_digest_covers_what_the_cap_cut() {
    let stage = Stage::new();
    let engine = stage.engine();
    let mut spec = stage.spec(&["seq", "300000"]);
    spec.limits.log_bytes_max = 64 << 10;
    let output = engine.run(job(0), spec).output.unwrap();
    let whole: String = (1..=300_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(
        output.digest.as_str(),
        blake3::hash(whole.as_bytes()).to_hex().as_str()
    );
    assert_eq!((output.bytes, output.capped), (whole.len() as u64, true));
    let log = stage.log();
    assert!(log.starts_with("1\n2\n3\n") && log.ends_with("299999\n300000\n"));
    assert!(log.contains(&format!("\n… {} bytes cut …\n", whole.len() - (64 << 10))));
}

#[test]
fn a_secret_is_in_no_log_however_it_is_printed() {
    let stage = Stage::new();
    let engine = stage.engine();
    let script = ": sk-planted-secret; printf '%s\\n' \"$KEY\"; printf sk-planted; sleep 0.05; printf '%s\\n' -secret; \
                  head -c 65530 /dev/zero | tr '\\0' x; env | grep KEY >&2";
    let mut spec = stage.script(script);
    spec.env
        .insert("KEY".to_owned(), "sk-planted-secret".to_owned());
    spec.masked = vec!["sk-planted-secret".to_owned()];
    let ended = engine.run(job(0), spec);
    assert!(
        ended.command.contains(": [masked]; printf"),
        "{}",
        ended.command
    );
    let output = ended.output.unwrap();
    let log = stage.log();
    assert!(!log.contains("sk-planted"), "{log}");
    assert_eq!(log.matches("[masked]").count(), 3);
    assert_eq!(
        output.digest.as_str(),
        blake3::hash(log.as_bytes()).to_hex().as_str()
    );
    let notes = String::from_utf8(read(&stage.path("supervisor.notes"))).unwrap();
    assert!(!notes.contains("sk-planted-secret"));
}

#[test]
fn writes_outside_the_workspace_are_prevented_or_reported_unconfined() {
    let stage = Stage::new();
    let engine = stage.engine();
    let outside = stage.path("outside");
    std::fs::write(&outside, "precious").unwrap();
    let script = "echo in > inside; mkdir a && mv inside a/b; echo gone >/dev/null; \
                  cat ../outside; echo x > ../outside; echo x > ../new; rm ../outside; \
                  ln -s ../outside link; echo x > link; setsid sh -c 'echo x > ../outside'; true";
    let mut spec = stage.script(script);
    let work = stage.path("work").display().to_string();
    let missing = stage.path("missing").display().to_string();
    spec.confinement = Confinement::Writes(vec![work, missing]);
    engine.start(job(0), spec);
    let confined = engine.started(job(0));
    let ended = engine.ended(job(0));
    assert_eq!(ended.exit, Exit::Status(0), "{}", stage.log());
    assert_eq!(confined, engine.confines);
    assert_eq!(read(&stage.path("work/a/b")), b"in\n");
    assert!(stage.log().contains("precious"), "reads stay free");
    if confined {
        assert_eq!(read(&outside), b"precious");
        assert!(!stage.path("new").exists());
    }
}

#[test]
fn one_that_signals_its_parent_and_its_siblings_hurts_only_itself() {
    let stage = Stage::new();
    let engine = stage.engine();
    engine.start(
        job(0),
        stage.script("echo $$ > sibling; touch ready; sleep 1000"),
    );
    engine.started(job(0));
    stage.until_file("ready");
    // Without confinement the kernel lets a user's process signal another's: what can be
    // caught is caught.
    let script = "for s in HUP INT QUIT TERM USR1 USR2 ALRM TSTP 34 64; do kill -$s $PPID; done";
    assert!(engine.run(job(1), stage.script(script)).empty);
    assert!(engine.supervisor_is_alive());

    let script = "kill -KILL $PPID; kill -STOP $PPID; kill -KILL $(cat sibling); \
                  kill -KILL -$(cat sibling); echo 4294967295 > pid; kill -KILL 0";
    let mut spec = stage.script(script);
    spec.confinement = Confinement::Writes(vec![stage.path("work").display().to_string()]);
    if engine.confines {
        let ended = engine.run(job(2), spec);
        assert_eq!(ended.exit, Exit::Signal(libc::SIGKILL));
        assert!(engine.supervisor_is_alive());
        // The sibling and its sleep.
        stage.until_tagged(2);
    }
    engine.end(job(0), EndHow::Graceful);
    assert!(engine.ended(job(0)).empty);
}

#[test]
fn an_agent_is_not_its_own_engine() {
    let stage = Stage::new();
    let engine = stage.engine();
    let program = std::env::current_exe().unwrap().display().to_string();
    let argument = format!("{}{}", stage::SPEAK_TO, stage.socket().display());
    let mut argv = vec![program];
    argv.extend(arguments(&argument));
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let ended = engine.run(job(0), stage.spec(&argv));
    assert_eq!(ended.exit, Exit::Status(0), "{}", stage.log());
    assert!(!stage.log().contains("joined"), "{}", stage.log());
    // The engine is still the engine.
    assert_eq!(
        engine.run(job(1), stage.spec(&["true"])).exit,
        Exit::Status(0)
    );
}

#[test]
fn one_that_eats_memory_dies_alone() {
    let stage = Stage::new();
    let engine = stage.engine();
    engine.start(job(0), stage.script("touch ready; sleep 1000"));
    engine.started(job(0));
    stage.until_file("ready");
    let mut spec = stage.spec(&["tail", "/dev/zero"]);
    spec.limits.memory_bytes_max = Some(64 << 20);
    assert_ne!(engine.run(job(1), spec).exit, Exit::Status(0));
    let mut spec = stage.script("while :; do :; done");
    spec.limits.cpu_s_max = Some(1);
    assert_eq!(engine.run(job(2), spec).exit, Exit::Signal(libc::SIGKILL));
    // The sibling and its sleep.
    stage.until_tagged(2);
}

#[test]
fn no_job_leaves_a_core() {
    let stage = Stage::new();
    let engine = stage.engine();
    let ended = engine.run(job(0), stage.script("ulimit -c; kill -SEGV $$"));
    assert_eq!(ended.exit, Exit::Signal(libc::SIGSEGV));
    assert_eq!(stage.log(), "0\n");
}

// --- Engines that come and go

#[test]
fn agents_end_with_their_engine_and_their_results_are_kept() {
    let stage = Stage::new();
    let engine = stage.engine();
    engine.start(job(0), stage.script("touch ready; sleep 1000"));
    engine.started(job(0));
    stage.until_file("ready");
    let supervisor = engine.client.supervisor_pid();
    drop(engine);
    until("the supervisor is gone", || !is_alive(supervisor));
    assert_eq!(stage.tagged(), NOBODY);

    let next = stage.join(2, 0);
    assert_ne!(next.client.supervisor_pid(), supervisor);
    let Some(Held::Ended { ended }) = next.holds.get(&job(0)) else {
        panic!("the result is held: {:?}", next.holds);
    };
    assert!(ended.told && ended.empty, "{ended:?}");
    next.say(ToWorker::Forget { job: job(0) });
    let supervisor = next.client.supervisor_pid();
    drop(next);
    until("the supervisor is gone", || !is_alive(supervisor));
    assert!(stage.join(3, 0).holds.is_empty());
}

#[test]
fn the_next_engine_adopts_what_is_held() {
    let stage = Stage::new();
    let engine = stage.join(1, 600_000);
    engine.start(
        job(0),
        stage.script("touch ready; until test -e go; do sleep 0.01; done"),
    );
    engine.started(job(0));
    stage.until_file("ready");
    assert_eq!(
        engine.run(job(1), stage.script("exit 5")).exit,
        Exit::Status(5)
    );
    let supervisor = engine.client.supervisor_pid();
    drop(engine);

    let next = stage.join(2, 0);
    assert_eq!(next.client.supervisor_pid(), supervisor);
    let live = next.holds.get(&job(0));
    assert!(
        matches!(live, Some(Held::Live { observation, .. }) if observation.alive),
        "{live:?}"
    );
    let ended = next.holds.get(&job(1));
    assert!(
        matches!(ended, Some(Held::Ended { ended }) if ended.exit == Exit::Status(5)),
        "{ended:?}"
    );
    std::fs::write(stage.path("work/go"), "").unwrap();
    assert_eq!(next.ended(job(0)).exit, Exit::Status(0));
}

#[test]
fn a_higher_epoch_takes_over_and_no_other() {
    let stage = Stage::new();
    let old = stage.join(5, 600_000);
    for epoch in [4, 5] {
        let refused = stage.try_join(epoch, 0);
        assert!(
            matches!(refused, Err(JoinError::Refused { .. })),
            "epoch {epoch}"
        );
    }
    assert_eq!(old.run(job(0), stage.spec(&["true"])).exit, Exit::Status(0));
    let new = stage.join(6, 0);
    assert!(new.holds.contains_key(&job(0)));
    let last = old.hear();
    assert!(matches!(last, FromWorker::Refused { .. }), "{last:?}");
    old.hear_gone();
    assert_eq!(new.run(job(1), stage.spec(&["true"])).exit, Exit::Status(0));
}

#[test]
fn an_idle_supervisor_leaves_with_its_engine() {
    let stage = Stage::new();
    let engine = stage.join(1, u64::MAX);
    engine.run(job(0), stage.spec(&["true"]));
    engine.say(ToWorker::Forget { job: job(0) });
    let supervisor = engine.client.supervisor_pid();
    drop(engine);
    until("the supervisor is gone", || !is_alive(supervisor));
    assert!(!stage.socket().exists());
}

#[test]
fn garbage_is_refused_and_harms_nobody() {
    let stage = Stage::new();
    let engine = stage.engine();
    let socket = stage.socket().display().to_string();
    let said = speak(&socket, b"GET / HTTP/1.1\r\n\r\n");
    assert!(
        said.contains("refused") && said.contains("no word"),
        "{said}"
    );
    let said = speak(&socket, b"\xff\xfe\n");
    assert!(said.contains("refused"), "{said}");
    let said = speak(&socket, b"{\"word\":\"observe\"}\n");
    assert!(said.contains("the first word must be hello"), "{said}");
    let said = speak(
        &socket,
        hello(9).replace(&format!(":{PROTOCOL},"), ":7,").as_bytes(),
    );
    assert!(said.contains("protocol 7"), "{said}");
    let said = speak(&socket, &vec![b'x'; 17 << 20]);
    assert!(said.contains("longer than") || said.is_empty(), "{said}");
    assert!(engine.supervisor_is_alive());
    assert_eq!(
        engine.run(job(0), stage.spec(&["true"])).exit,
        Exit::Status(0)
    );
}

#[test]
fn a_killed_supervisor_is_cleaned_up_after_by_the_next() {
    let stage = Stage::new();
    let engine = stage.join(1, 600_000);
    assert_eq!(
        engine.run(job(0), stage.script("exit 4")).exit,
        Exit::Status(4)
    );
    assert_eq!(
        engine.run(job(1), stage.script("exit 5")).exit,
        Exit::Status(5)
    );
    engine.say(ToWorker::Forget { job: job(1) });
    // One is found by its note alone, since it drops its environment; one by its mark alone.
    let alone = "echo $$ > alone; exec env -i /bin/sleep 1000";
    engine.start(job(2), stage.script(alone));
    engine.started(job(2));
    let escaped = "(setsid sh -c 'trap \"\" TERM; touch ready; while :; do sleep 0.05; done' \
                   >/dev/null 2>&1 &); sleep 1000";
    engine.start(job(3), stage.script(escaped));
    engine.started(job(3));
    stage.until_file("ready");
    stage.until_file("alone");
    kill(engine.client.supervisor_pid());
    engine.hear_gone();
    assert_ne!(stage.tagged(), NOBODY, "agents outlive a killed supervisor");
    // A note torn by the death.
    let mut notes = std::fs::OpenOptions::new()
        .append(true)
        .open(stage.path("supervisor.notes"))
        .unwrap();
    notes
        .write_all(b"{\"note\":\"ended\",\"job\":{\"att")
        .unwrap();

    let next = stage.join(2, 0);
    assert_eq!(stage.tagged(), NOBODY);
    let alone = String::from_utf8(read(&stage.path("work/alone"))).unwrap();
    assert!(!is_alive(alone.trim().parse().unwrap()));
    let held: Vec<_> = next.holds.keys().copied().collect();
    assert_eq!(held, [job(0)], "one is lost, one forgotten");
    let Some(Held::Ended { ended }) = next.holds.get(&job(0)) else {
        panic!("{:?}", next.holds);
    };
    assert_eq!(ended.exit, Exit::Status(4));
    // The process of ours that was killed is no zombie of ours.
    until("it is reaped", || {
        !PathBuf::from(format!("/proc/{}", engine.client.supervisor_pid())).exists()
    });
}
