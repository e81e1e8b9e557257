//! One job that lives: its process, its pipes, its log, and how far its ending has come.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use divisi_core::receipt::{Exit, Output};
use divisi_core::worker::{Confinement, EndHow, Job, Limits, ProcessSpec};

use super::asking::Asking;
use super::confine::{self, Confiner};
use super::log::OutputLog;
use super::mask::Masker;
use super::proc::{DIR_MARK, JOB_MARK};
use super::spawn::{self, Launch, Missing};

/// A job is *young* for so long: it is not yet announced, noted or listened to. Most programs of
/// a build end within it; for them this saves two words' wake-ups and a look into `/proc`.
pub(super) const YOUNG: Duration = Duration::from_millis(2);

/// Read of one job in one turn, so that one that prints much does not starve the others.
const READ_BYTES_A_TURN: usize = 256 << 10;

/// What a pipe can hold at most (`/proc/sys/fs/pipe-max-size`): nobody of the job is left to
/// write when the rest is read, but somebody else may hold the pipe.
const REST_BYTES_MAX: usize = 2 << 20;

/// After the KILL, a job that is still not gone is reported so after this.
const KILL_PATIENCE: Duration = Duration::from_millis(1_500);

/// A job whose process was started and whose end was not yet reported.
pub(super) struct Live {
    pub(super) job: Job,
    pub(super) pid: i32,
    pub(super) started: Instant,
    /// Known once it is settled.
    pub(super) start_time: Option<u64>,
    pub(super) confined: bool,
    /// What was executed, for receipts.
    pub(super) command: String,
    /// No longer young.
    pub(super) settled: bool,
    pub(super) output: Option<File>,
    pub(super) input: Option<Input>,
    /// Where it asks for leave, if it does, and the folder that it works in.
    pub(super) asking: Option<Asking>,
    pub(super) cwd: String,
    log: OutputLog,
    grace: Duration,
    /// How and after how many milliseconds its own process ended.
    pub(super) exited: Option<(Exit, u64)>,
    pub(super) ending: Option<Ending>,
    /// It was told to end while its own process lived.
    pub(super) told: bool,
    /// Descendants that outlived its own process.
    pub(super) swept: BTreeSet<i32>,
}

/// What is still to be written to standard input.
pub(super) struct Input {
    pub(super) pipe: File,
    text: Vec<u8>,
    written: usize,
}

/// TERM was sent, or is to be; KILL follows.
pub(super) struct Ending {
    pub(super) kill_at: Instant,
    pub(super) give_up_at: Instant,
    /// When to look again who is left.
    pub(super) act_at: Instant,
    /// Who got TERM: it is said once.
    pub(super) termed: BTreeSet<i32>,
    /// Looks since KILL.
    pub(super) kills: u32,
}

/// Why a job was not started.
pub(super) struct NotStarted {
    pub(super) cause: String,
    pub(super) permanent: bool,
}

impl NotStarted {
    /// What the system said.
    fn of(spec: &ProcessSpec, error: &io::Error) -> NotStarted {
        NotStarted {
            cause: why(spec, error),
            permanent: spawn::is_permanent(error),
        }
    }

    fn permanent(cause: impl Into<String>) -> NotStarted {
        NotStarted {
            cause: cause.into(),
            permanent: true,
        }
    }
}

/// What all jobs of a folder are started with.
pub(super) struct Ground<'a> {
    /// The folder's mark.
    pub(super) mark: &'a str,
    /// `/dev/null`, open for reading.
    pub(super) null: &'a File,
    /// Whether writes can be confined here.
    pub(super) confines: bool,
    /// Starts what is to be confined.
    pub(super) confiner: &'a Confiner,
}

impl Live {
    /// Bytes printed so far.
    pub(super) fn output_bytes(&self) -> u64 {
        self.log.bytes()
    }

    /// The inode of the pipe its processes print to, while any of them holds it.
    pub(super) fn pipe_inode(&self) -> Option<u64> {
        self.output
            .as_ref()?
            .metadata()
            .ok()
            .map(|found| found.ino())
    }

    /// Writes to standard input what goes in, and closes it after the last byte.
    pub(super) fn feed(&mut self) {
        while let Some(input) = &mut self.input {
            match input.pipe.write(&input.text[input.written..]) {
                Ok(written) => input.written += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // Nobody reads any more, which is the agent's right.
                Err(_) => input.written = input.text.len(),
            }
            if input.written == input.text.len() {
                self.input = None;
            }
        }
    }

    /// Takes what was printed, up to a turn's worth.
    pub(super) fn listen(&mut self, buffers: &mut Buffers) {
        self.read(READ_BYTES_A_TURN, buffers);
    }

    fn read(&mut self, bytes_max: usize, buffers: &mut Buffers) {
        let mut taken = 0;
        while let Some(output) = &mut self.output {
            match output.read(&mut buffers.chunk) {
                Ok(0) => self.output = None,
                Ok(read) => {
                    taken += read;
                    self.log.take(&buffers.chunk[..read], &mut buffers.scratch);
                    if taken >= bytes_max {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.output = None,
            }
        }
    }

    /// The job is over: takes the rest of what was printed.
    pub(super) fn finish_output(mut self, buffers: &mut Buffers) -> Option<Output> {
        self.read(REST_BYTES_MAX, buffers);
        self.log.finish()
    }

    /// Begins to end the job, or hastens it.
    pub(super) fn begin_ending(&mut self, how: EndHow, now: Instant) {
        let grace = match how {
            EndHow::Graceful => self.grace,
            EndHow::Force => Duration::ZERO,
        };
        let kill_at = later(now, grace);
        let ending = self.ending.get_or_insert_with(|| Ending {
            kill_at,
            give_up_at: later(kill_at, KILL_PATIENCE),
            act_at: now,
            termed: BTreeSet::new(),
            kills: 0,
        });
        if kill_at < ending.kill_at {
            ending.kill_at = kill_at;
            ending.give_up_at = later(kill_at, KILL_PATIENCE);
            ending.act_at = now;
        }
    }
}

/// A moment later; a time beyond what the clock can tell is a year away.
pub(super) fn later(from: Instant, by: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    from + by.min(YEAR)
}

/// Memory to read into, shared by all jobs.
pub(super) struct Buffers {
    chunk: Vec<u8>,
    scratch: Vec<u8>,
}

impl Buffers {
    /// As large as a pipe is by default.
    pub(super) fn new() -> Buffers {
        Buffers {
            chunk: vec![0; 64 << 10],
            scratch: Vec::new(),
        }
    }
}

/// A job that is about to be started: its texts, its pipes, its log.
pub(super) struct Starting {
    job: Job,
    texts: Texts,
    spec: ProcessSpec,
    output: Pipe,
    input: Given,
    masker: Option<Masker>,
}

/// What a process's standard input is.
enum Given {
    /// Nothing.
    Null,
    /// A text, which then ends.
    Text(Pipe),
    /// A socket to ask on, with the process's end.
    Socket(Asking, UnixStream),
}

/// Our end of a pipe and the process's.
struct Pipe {
    ours: File,
    theirs: File,
}

impl Starting {
    /// Makes ready what a job is started with.
    pub(super) fn of(
        ground: &Ground<'_>,
        job: Job,
        spec: ProcessSpec,
    ) -> Result<Starting, NotStarted> {
        let texts = Texts::of(ground, job, &spec)?;
        let Ok(masker) = Masker::new(&spec.masked) else {
            let cause = format!("start {}: its secrets are too long to mask", spec.argv[0]);
            return Err(NotStarted::permanent(cause));
        };
        let pipes = || -> io::Result<(Pipe, Given)> {
            let (ours, theirs) = pipe()?;
            set_nonblocking(&ours)?;
            let output = Pipe { ours, theirs };
            if spec.asks {
                let (ours, theirs) = Asking::pair()?;
                return Ok((output, Given::Socket(ours, theirs)));
            }
            if spec.stdin.is_empty() {
                return Ok((output, Given::Null));
            }
            let (theirs, ours) = pipe()?;
            set_nonblocking(&ours)?;
            Ok((output, Given::Text(Pipe { ours, theirs })))
        };
        let (output, input) = pipes().map_err(|error| NotStarted::of(&spec, &error))?;
        Ok(Starting {
            job,
            texts,
            spec,
            output,
            input,
            masker,
        })
    }

    /// Starts jobs, several at once.
    pub(super) fn launch_all(
        ground: &Ground<'_>,
        jobs: Vec<Starting>,
    ) -> Vec<(Job, Result<Live, NotStarted>)> {
        let started = Instant::now();
        let confined: Vec<(Launch<'_>, &[String])> = jobs
            .iter()
            .filter_map(|job| Some((job.launch(ground), job.confinement(ground)?)))
            .collect();
        let mut confined = ground.confiner.launch_all(&confined).into_iter();
        let launched: Vec<io::Result<confine::Started>> = jobs
            .iter()
            .map(|job| match job.confinement(ground) {
                Some(_) => confined.next().expect("one result for each that was asked"),
                None => spawn::launch(&job.launch(ground)).map(|pid| (pid, false)),
            })
            .collect();
        jobs.into_iter()
            .zip(launched)
            .map(|(job, launched)| (job.job, job.begin(launched, started)))
            .collect()
    }

    /// What it is confined to, if it is.
    fn confinement(&self, ground: &Ground<'_>) -> Option<&[String]> {
        match &self.spec.confinement {
            Confinement::Writes(paths) if ground.confines => Some(paths),
            Confinement::Writes(_) | Confinement::None => None,
        }
    }

    fn launch<'a>(&'a self, ground: &Ground<'a>) -> Launch<'a> {
        let input = match &self.input {
            Given::Null => ground.null.as_fd(),
            Given::Text(pipe) => pipe.theirs.as_fd(),
            Given::Socket(_, theirs) => theirs.as_fd(),
        };
        Launch {
            program: &self.texts.program,
            argv: &self.texts.argv,
            env: &self.texts.env,
            cwd: &self.texts.cwd,
            stdin: input,
            stdout: self.output.theirs.as_fd(),
            stderr: self.output.theirs.as_fd(),
        }
    }

    fn begin(
        self,
        launched: io::Result<confine::Started>,
        started: Instant,
    ) -> Result<Live, NotStarted> {
        let (pid, confined) = launched.map_err(|error| NotStarted::of(&self.spec, &error))?;
        set_limits(pid, &self.spec.limits);
        let command = command_line(&self.spec);
        let log = PathBuf::from(self.spec.log);
        let (input, asking) = match self.input {
            Given::Null => (None, None),
            Given::Text(pipe) => {
                let input = Input {
                    pipe: pipe.ours,
                    text: self.spec.stdin.into_bytes(),
                    written: 0,
                };
                (Some(input), None)
            }
            Given::Socket(ours, _) => (None, Some(ours)),
        };
        let mut live = Live {
            job: self.job,
            pid,
            started,
            start_time: None,
            confined,
            command,
            settled: false,
            output: Some(self.output.ours),
            input,
            asking,
            cwd: self.spec.cwd,
            log: OutputLog::new(log, self.spec.limits.log_bytes_max, self.masker),
            grace: Duration::from_millis(self.spec.limits.grace_ms),
            exited: None,
            ending: None,
            told: false,
            swept: BTreeSet::new(),
        };
        live.feed();
        Ok(live)
    }
}

/// Enough to recognize a command by; a script may have thousands.
const COMMAND_CHARS_MAX: usize = 200;

/// The command on one line, without the values that must not be in the log.
fn command_line(spec: &ProcessSpec) -> String {
    // Masked before it is quoted: quotes within a value would hide it.
    let mask = |word: &String| {
        let masked = spec.masked.iter().filter(|value| !value.is_empty());
        masked.fold(word.clone(), |word, value| {
            word.replace(value.as_str(), "[masked]")
        })
    };
    let argv: Vec<String> = spec.argv.iter().map(mask).collect();
    crate::checks::short(&divisi_core::shell::line(&argv), COMMAND_CHARS_MAX)
}

/// A job's texts as the system wants them.
struct Texts {
    program: CString,
    argv: Vec<CString>,
    env: Vec<CString>,
    cwd: CString,
}

impl Texts {
    fn of(ground: &Ground<'_>, job: Job, spec: &ProcessSpec) -> Result<Texts, NotStarted> {
        let name = spec.argv.first().map_or("", String::as_str);
        let program = spawn::resolve(name, &spec.env).map_err(|missing| {
            NotStarted::permanent(match missing {
                Missing::NoProgram => "start a program: none is named".to_owned(),
                Missing::NotOnPath => format!("start {name}: not on the PATH given"),
                Missing::ZeroByte => format!("start {name:?}: a text holds a zero byte"),
            })
        })?;
        if !spec.cwd.starts_with('/') || !spec.log.starts_with('/') {
            let cause = format!("start {name}: its folder and log need absolute paths");
            return Err(NotStarted::permanent(cause));
        }
        let zero = |_| NotStarted::permanent(format!("start {name}: a text holds a zero byte"));
        Ok(Texts {
            program,
            argv: texts(spec.argv.iter().cloned()).map_err(zero)?,
            env: texts(environment(ground.mark, job, spec)).map_err(zero)?,
            cwd: CString::new(spec.cwd.as_str()).map_err(zero)?,
        })
    }
}

/// The marks come first: they are looked for in the front part of the environment.
fn environment<'a>(
    mark: &'a str,
    job: Job,
    spec: &'a ProcessSpec,
) -> impl Iterator<Item = String> + 'a {
    let marks = [format!("{JOB_MARK}={job}"), format!("{DIR_MARK}={mark}")];
    let given = spec
        .env
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), JOB_MARK | DIR_MARK))
        .map(|(name, value)| format!("{name}={value}"));
    marks.into_iter().chain(given)
}

fn texts(texts: impl Iterator<Item = String>) -> Result<Vec<CString>, std::ffi::NulError> {
    texts.map(CString::new).collect()
}

/// The system says "not found" of the program, its interpreter and the folder alike.
fn why(spec: &ProcessSpec, error: &io::Error) -> String {
    let (program, cwd) = (&spec.argv[0], &spec.cwd);
    if Path::new(cwd).is_dir() {
        format!("start {program}: {error}")
    } else {
        format!("start {program} in {cwd}: no such folder")
    }
}

/// Both ends of a new pipe, for reading and for writing; neither is inherited.
pub(super) fn pipe() -> io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: the function writes two descriptors into the array.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both descriptors are new and owned by nobody else.
    let [read, write] = ends.map(|end| File::from(unsafe { OwnedFd::from_raw_fd(end) }));
    Ok((read, write))
}

fn set_nonblocking(file: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open; the rest are numbers. A fresh pipe has no other flags.
    let code = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    if code == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Limits a process right after its start, before it has done much. A process that ended in the
/// meantime needs none.
fn set_limits(pid: i32, limits: &Limits) {
    let set = |resource, max: Option<u64>| {
        let Some(max) = max else { return };
        let limit = libc::rlimit {
            rlim_cur: max,
            rlim_max: max,
        };
        // SAFETY: the new limit is a live value, the old one is not asked for.
        unsafe { libc::prlimit(pid, resource, &raw const limit, std::ptr::null_mut()) };
    };
    set(libc::RLIMIT_AS, limits.memory_bytes_max);
    set(libc::RLIMIT_CPU, limits.cpu_s_max);
}
