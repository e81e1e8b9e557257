//! Agents that go on after they were declared lost.

use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::thread::JoinHandle;

use divisi_core::assign::Capacity;
use divisi_core::run::{AttemptEnd, Base, Event, RunStatus, Settings};
use divisi_core::worker::Limits;
use divisi_engine::control::{Ask, Request, Response};
use divisi_engine::engine::{Engine, Input, Notice, Options, Rest, Sender, Until};
use divisi_engine::monitor::Patience;
use divisi_engine::repo::{BaseOptions, Repo};
use divisi_engine::supervisor::prepare_socket_folder;
use divisi_store::Store;
use serde_json::{Value, json};

use crate::processes::{supervisor, unique_sleep};
use crate::stage::{FIRST, PATIENCE, Stage, endings, git, kill, stands, task, until, versions};

/// What the first attempt does late, and what the second does meanwhile. Each waits for a gate.
fn plan(stage: &Stage, first: &str) -> Value {
    let gate = |name: &str| stage.beside(name).display().to_string();
    let script = format!(
        "case ${{DIVISI_JOB##*.}} in
            1) echo early > early.md; {first} ;;
            *) test ! -e late.md
               until test -e {second}; do sleep 0.01; done
               echo right > a.md ;;
        esac",
        second = gate("second"),
    );
    json!({"task_title": "a late one", "subtasks": [
        {"subtask_id": "late", "script": script, "deliverables": ["a.md"]},
        {"subtask_id": "after", "script": "cat a.md > b.md", "deliverables": ["b.md"], "dependencies": ["late"]},
    ]})
}

fn late_writes(stage: &Stage) -> String {
    let gate = stage.beside("first").display().to_string();
    format!("until test -e {gate}; do sleep 0.01; done; echo ruined > a.md; echo late > late.md")
}

/// Asserts that the result is the second attempt's, and says how the first ended.
fn second_is_unaffected(stage: &Stage) {
    let run = stage.only();
    stands(
        &run,
        RunStatus::Succeeded,
        &[("late", "done"), ("after", "done")],
    );
    let [first, second] = endings(&run, "late") else {
        panic!("two attempts: {:?}", endings(&run, "late"));
    };
    assert!(matches!(first.end, AttemptEnd::Lost(_)), "{:?}", first.end);
    assert_eq!((first.workspace, first.workspace_kept), (1, false));
    assert_eq!(
        (&second.end, second.workspace),
        (&AttemptEnd::Integrated, 2)
    );
    assert_eq!(stage.result("b.md").as_deref(), Some("right\n"));
    assert_eq!(stage.result("late.md"), None);
    // What the lost one had made by then was handed on.
    assert_eq!(stage.result("early.md").as_deref(), Some("early\n"));
}

#[test]
fn one_that_outlived_its_supervisor_in_hiding_disturbs_nobody() {
    let stage = Stage::git(&[("x", "1\n")]);
    // Another session, no mark in its environment, and its parent is gone.
    let (hidden, sleep) = (late_writes(&stage), unique_sleep());
    let first = format!("(env -i PATH=\"$PATH\" setsid sh -c '{hidden}' &); sleep {sleep}");
    let running = stage.start_plan(&plan(&stage, &first), &[]);
    until("the first attempt works", || {
        crate::stage::with_argument(&sleep).len() == 1
            && stage.path(".divisi/worktrees/run-1-t0-1/early.md").exists()
    });
    kill(supervisor(&stage), libc::SIGKILL);
    stage.until_event(
        "there is a second attempt",
        |event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.number == 2),
    );
    let late = stage.path(".divisi/worktrees/run-1-t0-1/late.md");
    std::fs::write(stage.beside("first"), "").unwrap();
    until("the first attempt has written late", || late.exists());
    std::fs::write(stage.beside("second"), "").unwrap();
    running.wait().expect(0);
    second_is_unaffected(&stage);
    // Nobody told of it, so it is no offer; but nothing of it was thrown away either.
    assert_eq!(endings(&stage.only(), "late")[0].offer, None);
    assert!(late.exists());
}

/// An engine in this process, with little patience; its supervisor and agents are real.
struct Impatient {
    heard: Receiver<Event>,
    thread: JoinHandle<Rest>,
    /// Keeps the engine's queue open.
    _sender: Sender,
}

fn impatient(stage: &Stage, plan: &Value) -> Impatient {
    let text = serde_json::to_string(plan).unwrap();
    let read = divisi_pack::plan_file::read("plan.json", text.as_bytes());
    let repo = Repo::open(&stage.path(".divisi"), stage.project()).unwrap();
    let base = repo.base(&BaseOptions::default()).unwrap();
    let sockets = stage.beside("run/d/s");
    prepare_socket_folder(&sockets).unwrap();
    let options = Options {
        project: stage.project().to_owned(),
        dir: stage.path(".divisi"),
        program: env!("CARGO_BIN_EXE_divisi").into(),
        sockets,
        capacity: Capacity { workers: 4 },
        patience: Patience {
            look_ms: 100,
            heartbeat_ms: 3_000,
            second_look_ms: 500,
            ..Patience::default()
        },
        limits: Limits::default(),
        orphan_grace_ms: 0,
    };
    let store = divisi_store::Options {
        durability: divisi_store::Durability::Normal,
        versions: versions(),
        hook: None,
    };
    let store = Store::open(&stage.path(".divisi"), store).unwrap();
    let (said, heard) = channel();
    let observer = Box::new(
        move |notices: &[Notice], _: &dyn divisi_engine::engine::View| {
            for notice in notices {
                if let Notice::Event(_, _, event) = notice {
                    // A test that has failed listens no more.
                    let _ = said.send((**event).clone());
                }
            }
        },
    );
    let artifacts = Box::new(store.artifacts());
    let mut engine = Engine::open(store, artifacts, options, observer).unwrap();
    let ask = Ask::Start {
        plan: read.plan.unwrap().into(),
        settings: Box::new(Settings::default()),
        base: Base {
            commit: Some(base.commit),
            described: base.described,
            ..Base::default()
        },
        approved: true,
    };
    let (reply, answer) = sync_channel(1);
    let sender = engine.sender();
    let request = Request { id: None, ask };
    sender.send(Input::Asked { request, reply }).unwrap();
    engine.run(Until::Answered).unwrap();
    assert!(matches!(answer.recv().unwrap(), Response::Started(FIRST)));
    let thread = std::thread::spawn(move || engine.run(Until::Rests(FIRST)).unwrap());
    Impatient {
        heard,
        thread,
        _sender: sender,
    }
}

impl Impatient {
    fn until(&self, what: &str, is: impl Fn(&Event) -> bool) -> Event {
        loop {
            match self.heard.recv_timeout(PATIENCE) {
                Ok(event) if is(&event) => return event,
                Ok(_) => {}
                Err(error) => panic!("waited in vain until {what}: {error}"),
            }
        }
    }
}

#[test]
fn late_work_of_a_lost_attempt_is_kept_as_an_offer() {
    let stage = Stage::git(&[("x", "1\n")]);
    let engine = impatient(&stage, &plan(&stage, &late_writes(&stage)));
    let early = stage.path(".divisi/worktrees/run-1-t0-1/early.md");
    until("the first attempt works", || early.exists());
    // A supervisor that says nothing looks like one that is gone; its agents live on.
    let held_by = supervisor(&stage);
    kill(held_by, libc::SIGSTOP);
    engine.until("the first attempt is lost", |event| {
        matches!(
            event,
            Event::AttemptEnded {
                end: AttemptEnd::Lost(_),
                ..
            }
        )
    });
    kill(held_by, libc::SIGCONT);
    engine.until(
        "there is a second attempt",
        |event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.number == 2),
    );
    std::fs::write(stage.beside("first"), "").unwrap();
    let kept = engine.until("its work is kept", |event| {
        matches!(event, Event::OfferKept { .. })
    });
    std::fs::write(stage.beside("second"), "").unwrap();
    assert_eq!(engine.thread.join().unwrap(), Rest::Rested);
    second_is_unaffected(&stage);
    let run = stage.only();
    let Event::OfferKept { snapshot, .. } = kept else {
        panic!("it was waited for");
    };
    let offer = snapshot.expect("there was work to keep");
    let first = &task(&run, "late").endings[0];
    assert_eq!(first.offer.as_ref(), Some(&offer));
    let show = |path: &str| {
        let repo = stage.path(".divisi/repo.git");
        git(
            &repo,
            &["cat-file", "blob", &format!("{}:{path}", offer.commit)],
        )
    };
    assert_eq!(
        (show("a.md"), show("late.md")),
        ("ruined\n".into(), "late\n".into())
    );
}
