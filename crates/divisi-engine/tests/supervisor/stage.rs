//! What the tests of the supervisor share: a folder, an engine that listens, and looks at `/proc`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use divisi_core::Epoch;
use divisi_core::worker::{
    Confinement, EndHow, Ended, FromWorker, Held, Job, Limits, ProcessSpec, ToWorker,
};
use divisi_engine::supervisor::{Client, JoinError, JoinOptions, Joined};

/// Nothing in these tests takes so long; what does has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The test in whose name this binary is a supervisor.
pub(crate) const SERVING_TEST: &str = "a_supervisor_says_why_it_cannot_serve";
/// Begins the argument that makes it one.
pub(crate) const SERVE_IN: &str = "serve-in=";
/// Begins the argument that makes it an agent that speaks to a socket.
pub(crate) const SPEAK_TO: &str = "speak-to=";

pub(crate) struct Stage {
    pub(crate) dir: tempfile::TempDir,
    /// Stands in the environment of every job of this stage.
    tag: String,
}

pub(crate) enum Heard {
    Word(FromWorker),
    Gone,
}

pub(crate) struct Engine {
    pub(crate) client: Client,
    pub(crate) heard: Receiver<Heard>,
    pub(crate) holds: BTreeMap<Job, Held>,
    pub(crate) confines: bool,
}

pub(crate) fn job(n: u32) -> Job {
    Job::parse(&format!("1/{n}.1")).unwrap()
}

/// The value of an argument of this process that begins so. The test runner takes it for the
/// name of a test to be skipped.
pub(crate) fn argument(begin: &str) -> Option<String> {
    std::env::args().find_map(|arg| arg.strip_prefix(begin).map(str::to_owned))
}

/// Arguments that make this binary run only the serving test, with one more argument.
pub(crate) fn arguments(more: &str) -> Vec<String> {
    [SERVING_TEST, "--exact", "--nocapture", "--skip", more]
        .map(str::to_owned)
        .to_vec()
}

/// Waits until something holds; polling, since other processes do not tell.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("work")).unwrap();
        let tag = format!("STAGE={}", dir.path().display());
        Stage { dir, tag }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("run/s/supervisor.sock")
    }

    pub(crate) fn try_join(&self, epoch: u64, orphan_grace_ms: u64) -> Result<Engine, JoinError> {
        let options = JoinOptions {
            program: std::env::current_exe().unwrap(),
            args: arguments(&format!("{SERVE_IN}{}", self.dir.path().display())),
            dir: self.dir.path().to_owned(),
            socket: self.socket(),
            epoch: Epoch(epoch),
            orphan_grace_ms,
        };
        let Joined {
            word,
            more,
            client,
            mut words,
        } = Client::join(&options)?;
        let FromWorker::Joined {
            holds, confines, ..
        } = word
        else {
            panic!("the first word is joined");
        };
        let (teller, heard) = channel();
        for word in more {
            teller.send(Heard::Word(word)).unwrap();
        }
        std::thread::spawn(move || {
            // A test that is over listens no more.
            while let Ok(said) = words.take() {
                for word in said {
                    let _ = teller.send(Heard::Word(word));
                }
            }
            let _ = teller.send(Heard::Gone);
        });
        Ok(Engine {
            client,
            heard,
            holds: holds.into_iter().collect(),
            confines,
        })
    }

    pub(crate) fn join(&self, epoch: u64, orphan_grace_ms: u64) -> Engine {
        self.try_join(epoch, orphan_grace_ms).unwrap()
    }

    /// An ordinary engine, whose agents end with it.
    pub(crate) fn engine(&self) -> Engine {
        self.join(1, 0)
    }

    pub(crate) fn spec(&self, argv: &[&str]) -> ProcessSpec {
        let (name, value) = self.tag.split_once('=').unwrap();
        let env = [("PATH", "/usr/bin:/bin"), (name, value)];
        ProcessSpec {
            argv: argv.iter().map(ToString::to_string).collect(),
            cwd: self.path("work").display().to_string(),
            env: env
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            stdin: String::new(),
            asks: false,
            log: self.path("logs/job.log").display().to_string(),
            masked: Vec::new(),
            confinement: Confinement::None,
            limits: Limits {
                grace_ms: 200,
                ..Limits::default()
            },
        }
    }

    pub(crate) fn script(&self, script: &str) -> ProcessSpec {
        self.spec(&["sh", "-c", script])
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("logs/job.log")).unwrap()
    }

    /// The live processes that carry this stage's tag.
    pub(crate) fn tagged(&self) -> Vec<i32> {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| {
                let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environ
                    .split(|b| *b == 0)
                    .any(|entry| entry == self.tag.as_bytes())
            })
            .collect()
    }

    /// Waits until so many carry the tag: who is just starting a program shows none for a moment.
    pub(crate) fn until_tagged(&self, count: usize) {
        until(&format!("{count} are alive"), || {
            self.tagged().len() == count
        });
    }

    pub(crate) fn until_file(&self, name: &str) {
        let path = self.path("work").join(name);
        until(&format!("{name} is there"), || path.exists());
    }
}

impl Drop for Stage {
    /// A failed test leaves no processes behind either; the supervisor's end ends the others.
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while std::thread::panicking() && !self.tagged().is_empty() && Instant::now() < deadline {
            for pid in self.tagged() {
                kill(pid);
            }
        }
    }
}

pub(crate) fn kill(pid: i32) {
    // SAFETY: kill takes two numbers and touches no memory.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

impl Engine {
    pub(crate) fn say(&self, word: ToWorker) {
        self.client.send(&word).unwrap();
    }

    pub(crate) fn start(&self, job: Job, spec: ProcessSpec) {
        let spec = Box::new(spec);
        self.say(ToWorker::Start { job, spec });
    }

    pub(crate) fn end(&self, job: Job, how: EndHow) {
        self.say(ToWorker::End { job, how });
    }

    pub(crate) fn hear(&self) -> FromWorker {
        match self.heard.recv_timeout(PATIENCE) {
            Ok(Heard::Word(word)) => word,
            Ok(Heard::Gone) => panic!("the supervisor is gone"),
            Err(error) => panic!("nothing is heard: {error}"),
        }
    }

    pub(crate) fn hear_gone(&self) {
        loop {
            match self.heard.recv_timeout(PATIENCE) {
                Ok(Heard::Word(_)) => {}
                Ok(Heard::Gone) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => panic!("the supervisor does not go"),
            }
        }
    }

    /// Hears that a job was started, and whether it is confined.
    pub(crate) fn started(&self, expected: Job) -> bool {
        match self.hear() {
            FromWorker::Started { job, confined, .. } if job == expected => confined,
            other => panic!("{expected} is not started: {other:?}"),
        }
    }

    /// Hears how a job ended.
    pub(crate) fn ended(&self, expected: Job) -> Ended {
        match self.hear() {
            FromWorker::Ended { job, ended } if job == expected => ended,
            other => panic!("{expected} is not ended: {other:?}"),
        }
    }

    /// Starts a job and hears how it ended.
    pub(crate) fn run(&self, job: Job, spec: ProcessSpec) -> Ended {
        self.start(job, spec);
        self.started(job);
        self.ended(job)
    }

    pub(crate) fn supervisor_is_alive(&self) -> bool {
        is_alive(self.client.supervisor_pid())
    }
}

pub(crate) fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

/// Peak of a process's resident memory in bytes.
pub(crate) fn peak_memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
