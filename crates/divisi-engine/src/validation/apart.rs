//! Programs of criteria, run beside the files that are judged: in a copy of them, to which alone
//! they may write, by a supervisor of their own.
//!
//! Copy and supervisor are made for the first program, and both are gone afterwards. The copy holds
//! the regular files that are judged: no links, nothing that git ignores.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use divisi_agents::environment::environment;
use divisi_core::worker::{
    Confinement, EndHow, Ended, FromWorker, Job, Limits, ProcessSpec, ToWorker,
};
use divisi_core::{AttemptId, Epoch, RunId, TaskNo};

use crate::checks::{ProgramEnd, Programs};
use crate::engine::{OWN_NAME, TAIL_BYTES, tail};
use crate::files::{Entry, Files};
use crate::scratch::Scratch;
use crate::supervisor::{Client, JoinOptions, prepare_socket_folder, socket_folder};

/// More is no tree that somebody validates by hand: a copy is made of all of it.
const COPIED_BYTES_MAX: u64 = 2 << 30;

/// Words of the supervisor that wait: it says little beside the ends of programs.
const WORDS_MAX: usize = 64;

/// What a supervisor needs beyond a program's grace to prove that nothing is left of it.
const SWEEP: Duration = Duration::from_secs(10);

/// Runs programs in a copy of files.
pub struct Apart<'f> {
    files: &'f dyn Files,
    /// This program, which is also the supervisor.
    program: PathBuf,
    parent: BTreeMap<String, String>,
    started: OnceCell<Result<Started, String>>,
}

impl<'f> Apart<'f> {
    /// Programs for files. `program` is this one, to be started as supervisor; `parent` its
    /// environment, of which programs get what agents get.
    #[must_use]
    pub fn new(
        files: &'f dyn Files,
        program: PathBuf,
        parent: BTreeMap<String, String>,
    ) -> Apart<'f> {
        Apart {
            files,
            program,
            parent,
            started: OnceCell::new(),
        }
    }
}

impl Programs for Apart<'_> {
    fn run(&self, _: u16, argv: &[String], timeout_ms: u64) -> ProgramEnd {
        let start = || Started::new(self.files, &self.program);
        match self.started.get_or_init(start) {
            Ok(started) => started.run(self, argv, timeout_ms),
            Err(cause) => not_started(cause.clone()),
        }
    }
}

fn not_started(cause: String) -> ProgramEnd {
    ProgramEnd::NotStarted {
        cause,
        permanent: false,
    }
}

/// A copy, and a supervisor beside it.
struct Started {
    client: Client,
    words: Receiver<FromWorker>,
    /// How many programs were started.
    parts: Cell<u32>,
    /// Where the supervisor's socket lies.
    sockets: PathBuf,
    scratch: Scratch,
}

impl Drop for Started {
    fn drop(&mut self) {
        // The supervisor ends with its engine; its socket goes with the folder.
        let _ = fs::remove_dir_all(&self.sockets);
    }
}

impl Started {
    fn new(files: &dyn Files, program: &Path) -> Result<Started, String> {
        let failed = |doing: &str, error: io::Error| format!("{doing}: {error}");
        let scratch = Scratch::new("validate").map_err(|e| failed("make a temporary folder", e))?;
        let copy = scratch.path().join("tree");
        copied(files, &copy).map_err(|error| failed("copy the files", error))?;
        let dir = scratch.path().join("supervisor");
        let made = fs::create_dir(&dir).and_then(|()| fs::create_dir(scratch.path().join("tmp")));
        made.map_err(|error| failed("make a temporary folder", error))?;
        let sockets = socket_folder(scratch.path());
        prepare_socket_folder(&sockets).map_err(|error| error.to_string())?;
        let socket = sockets.join("supervisor.sock");
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let args = [
            "supervisor",
            "--dir",
            &text(&dir),
            "--socket",
            &text(&socket),
        ];
        let options = JoinOptions {
            program: program.to_owned(),
            args: args.map(str::to_owned).to_vec(),
            dir,
            socket,
            epoch: Epoch(1),
            orphan_grace_ms: 0,
        };
        let joined = Client::join(&options).map_err(|error| error.to_string())?;
        let (teller, words) = sync_channel(WORDS_MAX);
        let mut heard = joined.words;
        let listening = std::thread::Builder::new().name("validation".to_owned());
        let listening = listening.spawn(move || {
            while let Ok(said) = heard.take() {
                for word in said {
                    if teller.send(word).is_err() {
                        return;
                    }
                }
            }
        });
        listening.map_err(|error| failed("start a thread", error))?;
        Ok(Started {
            client: joined.client,
            words,
            parts: Cell::new(0),
            sockets,
            scratch,
        })
    }

    fn run(&self, apart: &Apart<'_>, argv: &[String], timeout_ms: u64) -> ProgramEnd {
        self.parts.set(self.parts.get() + 1);
        let job = Job {
            attempt: AttemptId {
                run: RunId(0),
                task: TaskNo(0),
                number: 1,
            },
            part: self.parts.get(),
        };
        let log = self.scratch.path().join(format!("{}.log", job.part));
        let spec = Box::new(self.spec(apart, argv, &log));
        let limits = spec.limits.clone();
        if self.client.send(&ToWorker::Start { job, spec }).is_err() {
            return not_started("the supervisor is gone".to_owned());
        }
        let mut timed_out = false;
        let mut deadline = Instant::now() + Duration::from_millis(timeout_ms);
        let ended: Ended = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.words.recv_timeout(left) {
                Ok(FromWorker::Ended { job: of, ended }) if of == job => break ended,
                Ok(FromWorker::NotStarted {
                    job: of,
                    cause,
                    permanent,
                }) if of == job => return ProgramEnd::NotStarted { cause, permanent },
                // Words about what was forgotten, and that it was started.
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return not_started("the supervisor is gone".to_owned());
                }
                Err(RecvTimeoutError::Timeout) => {
                    let how = match timed_out {
                        true => EndHow::Force,
                        false => EndHow::Graceful,
                    };
                    if self.client.send(&ToWorker::End { job, how }).is_err() {
                        return not_started("the supervisor is gone".to_owned());
                    }
                    timed_out = true;
                    deadline = Instant::now() + Duration::from_millis(limits.grace_ms) + SWEEP;
                }
            }
        };
        // It holds results until they are forgotten; it is gone soon in any case.
        let _ = self.client.send(&ToWorker::Forget { job });
        let tail = tail(&log, TAIL_BYTES);
        match timed_out {
            true => ProgramEnd::TimedOut { tail },
            false => ProgramEnd::Ended {
                exit: ended.exit,
                tail,
                output: ended.output,
            },
        }
    }

    fn spec(&self, apart: &Apart<'_>, argv: &[String], log: &Path) -> ProcessSpec {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let cwd = text(&self.scratch.path().join("tree"));
        let tmp = text(&self.scratch.path().join("tmp"));
        let mut argv = argv.to_vec();
        if let Some(first) = argv.first_mut().filter(|first| *first == OWN_NAME) {
            *first = text(&apart.program);
        }
        let mut made = environment(&apart.parent, &[], &BTreeMap::new());
        made.vars.insert("TMPDIR".to_owned(), tmp.clone());
        ProcessSpec {
            argv,
            env: made.vars,
            stdin: String::new(),
            asks: false,
            log: text(log),
            masked: made.masked,
            confinement: Confinement::Writes(vec![cwd.clone(), tmp]),
            limits: Limits::default(),
            cwd,
        }
    }
}

fn copied(files: &dyn Files, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    let mut left = COPIED_BYTES_MAX;
    for path in files.list()? {
        let Entry::File { bytes, executable } = files.entry(&path)? else {
            continue;
        };
        left = left.checked_sub(bytes).ok_or_else(|| {
            let cause = format!("they have more than {COPIED_BYTES_MAX} bytes");
            io::Error::new(io::ErrorKind::FileTooLarge, cause)
        })?;
        let place = to.join(&path);
        fs::create_dir_all(place.parent().unwrap_or(to))?;
        fs::write(&place, files.read(&path, bytes)?)?;
        if executable {
            fs::set_permissions(&place, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}
