//! The engine's end of the connection: finds or starts the supervisor, and speaks with it.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use divisi_core::Epoch;
use divisi_core::worker::{FromWorker, PROTOCOL, ToWorker};

use super::connection::peer;
use super::error::JoinError;
use super::paths;
use super::process::{FAILED, READY};
use super::spawn::{self, Launch};

/// How a supervisor is found or started.
#[derive(Clone, Debug)]
pub struct JoinOptions {
    /// The program that is started if no supervisor serves, usually this one.
    pub program: PathBuf,
    /// All its arguments, such as `supervisor --dir … --socket …`.
    pub args: Vec<String>,
    /// The project's `.divisi` folder, absolute.
    pub dir: PathBuf,
    /// The socket, in a folder of [`super::socket_folder`].
    pub socket: PathBuf,
    /// This engine's epoch: above those the supervisor has seen.
    pub epoch: Epoch,
    /// How long agents may live on when this engine is gone, in milliseconds.
    pub orphan_grace_ms: u64,
}

/// A new supervisor first ends what a killed one left, which has ten seconds.
const JOIN_PATIENCE: Duration = Duration::from_secs(25);

/// A supervisor that exits while we connect is tried again, but not for ever.
const TRIES_MAX: u32 = 5;

/// A supervisor always reads; one that does not for so long is stopped or dead.
const SEND_PATIENCE: Duration = Duration::from_secs(30);

/// A word of a supervisor with a hundred thousand results is long; a longer one is none.
const WORD_BYTES_MAX: u64 = 64 << 20;

/// What the supervisor writes to its log beyond its notes is little; old logs are cut at this.
const LOG_BYTES_MAX: u64 = 1 << 20;

/// What is said to a supervisor. Dropping it lets go of the supervisor, which then waits for
/// another engine as long as this one said.
pub struct Client {
    stream: Mutex<UnixStream>,
    supervisor_pid: i32,
}

/// What a supervisor says.
pub struct Words {
    stream: UnixStream,
    inbox: Vec<u8>,
    /// Where the search for the next end of a line goes on.
    searched: usize,
}

/// A supervisor that took this engine on.
pub struct Joined {
    /// What it holds: [`FromWorker::Joined`].
    pub word: FromWorker,
    /// What it said together with that, in order: what it holds may end in the same turn.
    pub more: Vec<FromWorker>,
    /// Speaks to it.
    pub client: Client,
    /// Hears it.
    pub words: Words,
}

/// The supervisor went away, or whoever speaks there is no supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hear the supervisor: it is gone")]
pub struct Gone;

/// Read at a time. Words are short, and many come together only at the beginning.
const READ_BYTES: usize = 64 << 10;

impl Words {
    /// Waits for words and takes those that are whole; none if what came ends in the middle of one.
    /// Where the descriptor is readable, it does not wait.
    ///
    /// # Errors
    /// The supervisor is gone; no word follows.
    pub fn take(&mut self) -> Result<Vec<FromWorker>, Gone> {
        let filled = self.inbox.len();
        self.inbox.resize(filled + READ_BYTES, 0);
        let read = self.stream.read(&mut self.inbox[filled..]);
        let read = match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Ok(0) | Err(_) => Err(Gone),
            Ok(read) => Ok(Some(read)),
        };
        self.inbox
            .truncate(filled + read.ok().flatten().unwrap_or(0));
        read?;
        let mut words = Vec::new();
        let mut from = 0;
        while let Some(length) = self.inbox[self.searched..].iter().position(|b| *b == b'\n') {
            let end = self.searched + length;
            words.push(serde_json::from_slice(&self.inbox[from..end]).map_err(|_| Gone)?);
            from = end + 1;
            self.searched = from;
        }
        self.inbox.drain(..from);
        self.searched = self.inbox.len();
        match self.inbox.len() as u64 > WORD_BYTES_MAX {
            true => Err(Gone),
            false => Ok(words),
        }
    }
}

impl AsFd for Words {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Client {
    /// Joins the supervisor of a folder, started if there is none.
    ///
    /// # Errors
    /// There is none and none could be started, or it does not want this engine.
    pub fn join(options: &JoinOptions) -> Result<Joined, JoinError> {
        if let Some(folder) = options.socket.parent() {
            paths::prepare_socket_folder(folder)?;
        }
        let deadline = Instant::now() + JOIN_PATIENCE;
        let mut cause = String::new();
        for _ in 0..TRIES_MAX {
            if let Some((stream, pid)) = connect(&options.socket)?
                && let Some(joined) = greet(stream, pid, options, deadline)?
            {
                return Ok(joined);
            }
            match start(options, deadline)? {
                Start::Ready => {}
                Start::Failed(said) => cause = said,
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        if cause.is_empty() {
            cause = "it went away while it was spoken to".to_owned();
        }
        Err(JoinError::Silent { cause })
    }

    /// Says one word.
    ///
    /// # Errors
    /// The supervisor is gone or does not read any more.
    pub fn send(&self, word: &ToWorker) -> io::Result<()> {
        self.send_all(std::slice::from_ref(word))
    }

    /// Says several words at one stroke, which the supervisor takes in one turn.
    ///
    /// # Errors
    /// The supervisor is gone or does not read any more.
    pub fn send_all(&self, words: &[ToWorker]) -> io::Result<()> {
        let mut lines = Vec::new();
        for word in words {
            serde_json::to_writer(&mut lines, word)?;
            lines.push(b'\n');
        }
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(&lines)
    }

    /// The supervisor's process id, for people.
    #[must_use]
    pub fn supervisor_pid(&self) -> i32 {
        self.supervisor_pid
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        // It may be gone already. What hears it has the same socket, and hears the end.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Connects to a supervisor of this user; `None` if none listens.
fn connect(socket: &Path) -> Result<Option<(UnixStream, i32)>, JoinError> {
    let Ok(stream) = UnixStream::connect(socket) else {
        return Ok(None);
    };
    // SAFETY: geteuid takes nothing and cannot fail.
    let own = unsafe { libc::geteuid() };
    match peer(&stream) {
        Ok((uid, pid)) if uid == own => Ok(Some((stream, pid))),
        Ok(_) => Err(JoinError::Foreign {
            socket: socket.to_owned(),
        }),
        Err(_) => Ok(None),
    }
}

/// Says hello and hears the answer; `None` if the supervisor went away meanwhile.
fn greet(
    mut stream: UnixStream,
    supervisor_pid: i32,
    options: &JoinOptions,
    deadline: Instant,
) -> Result<Option<Joined>, JoinError> {
    let left = deadline.saturating_duration_since(Instant::now());
    let patience = Some(left.max(Duration::from_millis(1)));
    let hello = ToWorker::Hello {
        protocol: PROTOCOL,
        epoch: options.epoch,
        orphan_grace_ms: options.orphan_grace_ms,
    };
    let mut line = serde_json::to_vec(&hello).expect("a word is JSON");
    line.push(b'\n');
    let greeted = stream
        .set_write_timeout(Some(SEND_PATIENCE))
        .and_then(|()| stream.set_read_timeout(patience))
        .and_then(|()| stream.write_all(&line))
        .and_then(|()| stream.try_clone());
    let Ok(heard) = greeted else { return Ok(None) };
    let mut words = Words {
        stream: heard,
        inbox: Vec::new(),
        searched: 0,
    };
    match first_words(&mut words, deadline) {
        Ok((word @ FromWorker::Joined { .. }, more)) => {
            let client = Client {
                stream: Mutex::new(stream),
                supervisor_pid,
            };
            let waits = words.stream.set_read_timeout(None);
            Ok(waits.is_ok().then_some(Joined {
                word,
                more,
                client,
                words,
            }))
        }
        Ok((FromWorker::Refused { cause }, _)) => Err(JoinError::Refused { cause }),
        Ok(_) => Err(JoinError::Refused {
            cause: "it does not answer hello".to_owned(),
        }),
        Err(Gone) if Instant::now() >= deadline => Err(JoinError::Silent {
            cause: "it listens and does not answer".to_owned(),
        }),
        Err(Gone) => Ok(None),
    }
}

/// The answer to hello, and what came with it.
fn first_words(
    words: &mut Words,
    deadline: Instant,
) -> Result<(FromWorker, Vec<FromWorker>), Gone> {
    while Instant::now() < deadline {
        let mut taken = words.take()?.into_iter();
        if let Some(word) = taken.next() {
            return Ok((word, taken.collect()));
        }
    }
    Err(Gone)
}

/// What came of starting a supervisor.
enum Start {
    Ready,
    Failed(String),
}

/// Starts a supervisor in a session of its own and waits until it says that it listens.
fn start(options: &JoinOptions, deadline: Instant) -> Result<Start, JoinError> {
    let failed = |source| JoinError::Spawn {
        program: options.program.clone(),
        source,
    };
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|error| failed(error.into()));
    let program = text(options.program.as_os_str().as_bytes())?;
    let mut argv = vec![program.clone()];
    for arg in &options.args {
        argv.push(text(arg.as_bytes())?);
    }
    let mut env = Vec::new();
    for (name, value) in std::env::vars_os() {
        env.push(text(&[name.as_bytes(), b"=", value.as_bytes()].concat())?);
    }
    let cwd = text(options.dir.as_os_str().as_bytes())?;
    let null = File::open("/dev/null").map_err(failed)?;
    let log = open_log(&options.dir).map_err(failed)?;
    let (said, output) = super::job::pipe().map_err(failed)?;
    let launch = Launch {
        program: &program,
        argv: &argv,
        env: &env,
        cwd: &cwd,
        stdin: null.as_fd(),
        stdout: output.as_fd(),
        stderr: log.as_fd(),
    };
    let pid = spawn::launch(&launch).map_err(failed)?;
    drop(output);
    reap_when_dead(pid);
    Ok(hear_ready(said, deadline))
}

/// A dead supervisor would stay a zombie as long as its engine lives. The thread ends with it.
fn reap_when_dead(pid: i32) {
    const STACK_BYTES: usize = 64 << 10;
    let reaper = std::thread::Builder::new()
        .name("supervisor-reaper".to_owned())
        .stack_size(STACK_BYTES);
    // Without the thread there is a zombie, which is no harm to anyone.
    let _ = reaper.spawn(move || {
        let mut status = 0;
        // SAFETY: the status is a live number. The id is our unreaped child's.
        while unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    });
}

/// Reads what the supervisor says on its standard output until it lets go of it.
fn hear_ready(mut said: File, deadline: Instant) -> Start {
    const SAID_BYTES_MAX: usize = 64 << 10;
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let heard = String::from_utf8_lossy(&text);
        for line in heard.lines() {
            if line.ends_with(READY) {
                return Start::Ready;
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [libc::pollfd {
            fd: said.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        }];
        if left.is_zero() || text.len() > SAID_BYTES_MAX {
            return Start::Failed("it does not become ready".to_owned());
        }
        if super::process::poll(&mut fds, Some(left)).is_err() || fds[0].revents == 0 {
            continue;
        }
        match said.read(&mut chunk) {
            Ok(read) if read > 0 => text.extend_from_slice(&chunk[..read]),
            _ => {
                let heard = String::from_utf8_lossy(&text);
                let cause = heard.lines().find_map(|line| line.split_once(FAILED));
                let cause = cause.map_or("it ended at once", |(_, cause)| cause);
                return Start::Failed(cause.to_owned());
            }
        }
    }
}

fn open_log(dir: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(dir.join("supervisor.log"))?;
    if file.metadata()?.len() > LOG_BYTES_MAX {
        file.set_len(0)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn what_is_said_together_with_the_answer_is_heard() {
        let dir = tempfile::tempdir().unwrap();
        let options = JoinOptions {
            program: PathBuf::from("/bin/false"),
            args: Vec::new(),
            dir: dir.path().to_owned(),
            socket: dir.path().join("run/s/supervisor.sock"),
            epoch: Epoch(2),
            orphan_grace_ms: 0,
        };
        let joined = FromWorker::Joined {
            protocol: PROTOCOL,
            epoch: options.epoch,
            holds: Vec::new(),
            confines: true,
        };
        let ended: FromWorker = serde_json::from_value(serde_json::json!({
            "word": "ended",
            "job": {"attempt": {"run": 1, "task": 0, "number": 1}},
            "ended": {"exit": {"status": 0}, "wall_ms": 1, "empty": true},
        }))
        .unwrap();
        paths::prepare_socket_folder(options.socket.parent().unwrap()).unwrap();
        let listener = UnixListener::bind(&options.socket).unwrap();
        let mut said = Vec::new();
        for word in [&joined, &ended] {
            serde_json::to_writer(&mut said, word).unwrap();
            said.push(b'\n');
        }
        let supervisor = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(&said).unwrap();
            stream
        });
        let heard = Client::join(&options).unwrap();
        assert_eq!(heard.word, joined);
        assert_eq!(heard.more, [ended]);
        drop(supervisor.join().unwrap());
    }
}
