//! One holder, many hands: becoming the holder of a project's engine, or reaching the one there is.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use divisi_core::assign::{Capacity, WORKERS_MAX};
use divisi_core::journal::Fault;
use divisi_core::run::Budget;
use divisi_core::worker::Limits;
use divisi_core::{CommandId, Diagnostic, RunId};
use divisi_engine::control::{Ask, Client, Listener, Request, Response};
use divisi_engine::engine::{
    Engine, Input, Notice, Observer, Options, Sender, Until, View, boot_now,
};
use divisi_engine::monitor::Patience;
use divisi_engine::repo::Repo;
use divisi_engine::supervisor::{prepare_socket_folder, socket_folder};
use divisi_store::{Durability, Store};

use crate::project::{Project, versions};

/// How long another process may take to begin or to end holding.
const HANDOVER: Duration = Duration::from_secs(10);

/// Between two tries.
const HANDOVER_PAUSE: Duration = Duration::from_millis(20);

/// How long agents live on when their engine is gone: long enough for somebody to resume at once.
const ORPHAN_GRACE_MS: u64 = 10_000;

/// How the engine is held.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    /// The project's folder, absolute.
    pub(crate) project: PathBuf,
    /// Its `.divisi` folder.
    pub(crate) dir: PathBuf,
    /// Its private repository, where the command has opened it before.
    pub(crate) repo: Option<Arc<Repo>>,
    /// Whether every commit waits for the disk.
    pub(crate) durability: Durability,
    /// Slots over all runs.
    pub(crate) workers: u32,
    /// What all runs together may use up in a day.
    pub(crate) day: Budget,
    /// How patient the monitor is.
    pub(crate) patience: Patience,
    /// From TERM to KILL, in milliseconds.
    pub(crate) grace_ms: u64,
}

impl Holding {
    /// The defaults for a project.
    pub(crate) fn of(project: &Project) -> Holding {
        Holding {
            project: project.folder().to_owned(),
            dir: project.divisi(),
            repo: None,
            durability: Durability::Full,
            workers: WORKERS_MAX,
            day: Budget::default(),
            patience: Patience::default(),
            grace_ms: Limits::default().grace_ms,
        }
    }

    fn control_socket(&self) -> PathBuf {
        socket_folder(&self.project).join("control.sock")
    }
}

/// The engine, held by this process until dropped.
pub(crate) struct Held {
    pub(crate) engine: Engine<Store>,
    _listener: Listener,
    _lock: File,
}

/// Who holds the engine.
pub(crate) enum Holder {
    /// This process.
    Us(Box<Held>),
    /// Another one, reached through its socket.
    Other(Client),
}

/// Becomes the holder, or reaches the one there is.
///
/// # Errors
/// Neither works; the diagnostic says why.
pub(crate) fn reach(
    holding: &Holding,
    observer: impl FnOnce() -> Observer,
) -> Result<Holder, Diagnostic> {
    let tries = Tries::begin();
    std::fs::create_dir_all(&holding.dir)
        .map_err(|error| io_fault("create", &holding.dir, &error))?;
    loop {
        if let Some(lock) = try_lock(&holding.dir)? {
            return Ok(Holder::Us(Box::new(hold(holding, lock, observer())?)));
        }
        if let Some(client) = Client::connect(&holding.control_socket()) {
            return Ok(Holder::Other(client));
        }
        // Between taking the lock and listening lies a moment.
        tries.wait()?;
    }
}

/// An observer that tells nobody anything.
pub(crate) fn silent() -> Observer {
    Box::new(|_: &[Notice], _: &dyn View| {})
}

/// Has a journal of another Divisi brought up to date: whoever holds the engine has done so.
///
/// # Errors
/// Nobody can hold it.
pub(crate) fn bring_up_to_date(project: &Project) -> Result<(), Diagnostic> {
    reach(&Holding::of(project), silent).map(drop)
}

/// Tries to reach a holder that does not listen yet, or goes away before it answers.
pub(crate) struct Tries {
    until: Instant,
}

impl Tries {
    pub(crate) fn begin() -> Tries {
        Tries {
            until: Instant::now() + HANDOVER,
        }
    }

    /// Waits a moment before it is tried again.
    ///
    /// # Errors
    /// It was tried for long enough.
    pub(crate) fn wait(&self) -> Result<(), Diagnostic> {
        if Instant::now() > self.until {
            return Err(Diagnostic::error(
                "engine-unreachable",
                "another process holds this project's engine but does not answer",
            )
            .hint("`divisi doctor` names it; end it, then try again"));
        }
        std::thread::sleep(HANDOVER_PAUSE);
        Ok(())
    }
}

/// The lock of the folder's engine; `None` if another process has it.
fn try_lock(dir: &Path) -> Result<Option<File>, Diagnostic> {
    let path = dir.join("engine.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| io_fault("open", &path, &error))?;
    match file.try_lock() {
        Ok(()) => {
            hand_on(&file);
            Ok(Some(file))
        }
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(io_fault("lock", &path, &error)),
    }
}

/// Lets every git process that the engine starts hold the lock, too: when the engine is killed, a
/// git that still writes would otherwise meet the next engine's in the same folder. The supervisor
/// closes what it inherits, and agents are started by it.
fn hand_on(lock: &File) {
    // SAFETY: the descriptor is open; the rest are numbers. Where it fails, the lock is held by
    // this process alone, as without it.
    unsafe { libc::fcntl(lock.as_raw_fd(), libc::F_SETFD, 0) };
}

fn hold(holding: &Holding, lock: File, observer: Observer) -> Result<Held, Diagnostic> {
    let options = divisi_store::Options {
        durability: holding.durability,
        versions: versions(),
        hook: Some(divisi_engine::failpoint::hit),
    };
    let store =
        Store::open(&holding.dir, options).map_err(|fault| divisi_store::diagnostic(&fault))?;
    let sockets = socket_folder(&holding.project);
    prepare_socket_folder(&sockets)
        .map_err(|error| divisi_engine::supervisor::JoinError::from(error).diagnostic())?;
    let program = std::env::current_exe()
        .map_err(|error| io_fault("find", Path::new("this program"), &error))?;
    let options = Options {
        project: holding.project.clone(),
        dir: holding.dir.clone(),
        repo: holding.repo.clone(),
        program,
        sockets,
        capacity: Capacity {
            workers: holding.workers,
        },
        day: holding.day,
        patience: holding.patience,
        limits: Limits {
            grace_ms: holding.grace_ms,
            ..Limits::default()
        },
        orphan_grace_ms: ORPHAN_GRACE_MS,
        boot_now,
    };
    keep_checkpointed(&store);
    let artifacts = Box::new(store.artifacts());
    let engine = Engine::open(store, artifacts, options, observer)
        .map_err(|fault| divisi_store::diagnostic(&fault))?;
    let socket = holding.control_socket();
    let listener = Listener::serve(&socket, &holding.dir, engine.sender())
        .map_err(|error| io_fault("listen on", &socket, &error))?;
    Ok(Held {
        engine,
        _listener: listener,
        _lock: lock,
    })
}

/// Moves the log into the database now and then, on a thread of its own, so that no step waits.
fn keep_checkpointed(store: &Store) {
    let Ok(mut checkpointer) = store.checkpointer() else {
        // Without it commits checkpoint by themselves when the log is large.
        return;
    };
    let spawned = std::thread::Builder::new()
        .name("checkpoints".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(2));
                if checkpointer.checkpoint().is_err() {
                    return;
                }
            }
        });
    drop(spawned);
}

impl Held {
    /// Asks the engine of this process, and has it answer; nothing is started.
    ///
    /// # Errors
    /// The journal failed.
    pub(crate) fn ask(&mut self, request: Request) -> Result<Response, Fault> {
        let (reply, answer) = sync_channel(1);
        let asked = self.engine.sender().send(Input::Asked { request, reply });
        debug_assert!(asked.is_ok(), "the engine owns the receiver");
        self.engine.run(Until::Answered)?;
        Ok(answer.recv().expect("a step answers everything it took"))
    }

    pub(crate) fn sender(&self) -> Sender {
        self.engine.sender()
    }
}

/// Whether somebody holds the engine and goes on with this run. A holder that does not answer in
/// time is busy, and may.
pub(crate) fn is_attended(project: &Project, run: RunId) -> bool {
    if !project.is_held() {
        return false;
    }
    let client = Client::connect(&Holding::of(project).control_socket());
    let answer = client.and_then(|mut client| {
        let ask = Ask::IsAttended(run);
        client.ask_briefly(&divisi_engine::control::Request { id: None, ask })
    });
    !matches!(answer, Some(Response::Attended(false)))
}

/// A request with an id of its own, so that it may be sent again when its answer is lost.
pub(crate) fn request(ask: Ask) -> Request {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = divisi_engine::engine::wall_now().0;
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    let id = CommandId::new(format!("c{now}-{}-{count}", std::process::id()));
    Request { id: id.ok(), ask }
}

pub(crate) fn io_fault(verb: &str, path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(
        "project-io",
        format!("cannot {verb} {}: {error}", path.display()),
    )
    .hint("check the folder's owner, its permissions and the room on its disk")
}
