//! An engine in this process that looks sooner than the binary's; its supervisor and agents are real.

use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::thread::JoinHandle;

use divisi_core::assign::Capacity;
use divisi_core::run::{Base, Budget, Event, Settings};
use divisi_core::worker::Limits;
use divisi_engine::control::{Ask, Request, Response};
use divisi_engine::engine::{Engine, Input, Notice, Options, Rest, Sender, Until};
use divisi_engine::monitor::Patience;
use divisi_engine::repo::{BaseOptions, Repo};
use divisi_engine::supervisor::prepare_socket_folder;
use divisi_store::Store;
use serde_json::Value;

use crate::stage::{FIRST, PATIENCE, Stage, until, versions};

/// So many agents side by side.
const WORKERS: u32 = 8;

/// An engine at work on one run.
pub(crate) struct Impatient {
    heard: Receiver<Event>,
    thread: JoinHandle<Rest>,
    /// Keeps the engine's queue open.
    _sender: Sender,
}

impl Impatient {
    /// Starts a plan with this patience. `boot_now` is the clock that goes on while the machine sleeps.
    pub(crate) fn begin(
        stage: &Stage,
        plan: &Value,
        patience: Patience,
        boot_now: fn() -> u64,
    ) -> Impatient {
        let text = serde_json::to_string(plan).unwrap();
        let read = divisi_pack::plan_file::read("plan.json", text.as_bytes());
        let repo = Repo::open(&stage.path(".divisi"), stage.project()).unwrap();
        let base = repo.base(&BaseOptions::default()).unwrap();
        let sockets = stage.beside("run/d/s");
        prepare_socket_folder(&sockets).unwrap();
        let options = Options {
            day: Budget::default(),
            project: stage.project().to_owned(),
            dir: stage.path(".divisi"),
            repo: None,
            program: env!("CARGO_BIN_EXE_divisi").into(),
            sockets,
            capacity: Capacity { workers: WORKERS },
            patience,
            limits: Limits::default(),
            orphan_grace_ms: 0,
            boot_now,
        };
        let (said, heard) = channel();
        let mut engine = open(stage, options, said);
        let ask = Ask::Start {
            plan: read.plan.unwrap().into(),
            settings: Box::new(Settings {
                workers_max: WORKERS,
                ..Settings::default()
            }),
            base: Base {
                commit: Some(base.commit),
                described: base.described,
                ..Base::default()
            },
            approved: true,
            intent: None,
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

    /// The next event that is the one; those before it are taken in.
    pub(crate) fn until(&self, what: &str, is: impl Fn(&Event) -> bool) -> Event {
        loop {
            match self.heard.recv_timeout(PATIENCE) {
                Ok(event) if is(&event) => return event,
                Ok(_) => {}
                Err(error) => panic!("waited in vain until {what}: {error}"),
            }
        }
    }

    /// Waits until the run is at rest.
    pub(crate) fn end(self) -> Rest {
        until("the run is at rest", || self.thread.is_finished());
        self.thread.join().unwrap()
    }
}

/// Opens the engine; what becomes durable is said.
fn open(stage: &Stage, options: Options, said: std::sync::mpsc::Sender<Event>) -> Engine<Store> {
    let of_store = divisi_store::Options {
        durability: divisi_store::Durability::Normal,
        versions: versions(),
        hook: None,
    };
    let store = Store::open(&stage.path(".divisi"), of_store).unwrap();
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
    Engine::open(store, artifacts, options, observer).unwrap()
}
