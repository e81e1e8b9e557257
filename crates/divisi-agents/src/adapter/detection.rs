//! Which coding agents this machine has: where each is on `PATH`, what it says of its version, and
//! which credential it would find. One that speaks ACP introduces itself, which is its version and
//! the proof that it speaks at all.
//!
//! It is looked up in that order, and nothing is believed: a program may hang, print garbage, or
//! more than anybody wants to read. No value of a credential is read, and none is passed: a version
//! needs no key. Only absolute folders of `PATH` count, here and where an agent is started, since
//! any other would be a folder of whatever project one is in.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use divisi_core::ledger;
use divisi_core::receipt::Exit;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Access, OFlags};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::acp::{Client, Introduction, introduced};
use super::home::{folders, source_of};
use super::process::exit_of;
use super::product::{Driven, Product, Writes};
use crate::environment::environment;

/// How long a program may take to say its version. One was seen to unpack itself for 6 s before.
pub const VERSION_PATIENCE: Duration = Duration::from_secs(30);

/// What is read of a program that says its version. All that are known use one line.
const OUTPUT_BYTES_MAX: usize = 4 << 10;

/// What is read of one that introduces itself.
const INTRODUCTION_BYTES_MAX: usize = 64 << 10;

/// The agents that the tests run in CI. Of all others the version says nothing.
const IN_CI: [&str; 5] = ["claude", "codex", "opencode", "claude-acp", "opencode-acp"];

/// The longest word that is taken for a version.
const VERSION_BYTES_MAX: usize = 40;

/// Between two looks at a program that prints nothing.
const LOOK: Duration = Duration::from_millis(20);

/// A coding agent as it was found on this machine.
#[derive(Debug)]
pub struct Detected {
    /// Which it is.
    pub product: &'static Product,
    /// Its program, if there is one.
    pub program: Option<PathBuf>,
    /// What the program says of its version; nothing if there is no program.
    pub version: Option<Result<String, NoVersion>>,
    /// What else one says that introduces itself.
    pub introduction: Option<Introduction>,
    /// The first credential that it would find.
    pub credential: Option<Credential>,
}

/// Why a program's version is not known.
#[derive(Debug, thiserror::Error)]
pub enum NoVersion {
    /// It cannot be started, or not be heard.
    #[error("it cannot be started")]
    Start(#[source] io::Error),
    /// It took too long, and was ended.
    #[error("it said nothing within {} s", .0.as_secs())]
    Overdue(Duration),
    /// It printed too much, and was ended.
    #[error("it printed more than {0} bytes")]
    Flooded(usize),
    /// It failed.
    #[error("it ended with {0}")]
    Failed(Exit),
    /// It cannot be spoken to.
    #[error("{0}")]
    Refused(String),
    /// Nothing in its words is a version.
    #[error("nothing that it printed is a version")]
    Unread,
}

/// What an agent can log in with. Never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A variable of the environment, by name.
    Variable(&'static str),
    /// The file that its own login wrote.
    File(PathBuf),
}

/// How far an agent is known to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the version that the tests are run with.
    Tested,
    /// It is another version, or does not say which.
    Unverified,
    /// It is not installed.
    Missing,
}

impl Detected {
    /// How far it is known to work.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.version {
            Some(Ok(version)) if version == self.product.tried && self.is_in_ci() => {
                Standing::Tested
            }
            Some(_) => Standing::Unverified,
            None => Standing::Missing,
        }
    }

    fn is_in_ci(&self) -> bool {
        IN_CI.contains(&self.product.name)
    }
}

/// Looks for an agent, and asks it for its version. `private` is an empty folder for what it may
/// leave behind.
#[must_use]
pub fn detect(
    product: &'static Product,
    variables: &BTreeMap<String, String>,
    private: &Path,
    patience: Duration,
) -> Detected {
    let program = program(product.program, variables.get("PATH").map(OsStr::new));
    let asking = |program| Asking {
        program,
        product,
        variables,
        private,
        patience,
    };
    let (version, introduction) = match (program.as_deref().map(asking), product.driven()) {
        (None, _) => (None, None),
        (Some(asking), Driven::CommandLine) => (Some(asking.version()), None),
        (Some(asking), Driven::Acp) => match asking.introduction() {
            Ok(introduction) => {
                let version = introduction.version.clone();
                (Some(version.ok_or(NoVersion::Unread)), Some(introduction))
            }
            Err(fault) => (Some(Err(fault)), None),
        },
    };
    Detected {
        product,
        program,
        version,
        introduction,
        credential: credentials(product, variables).next(),
    }
}

/// An agent's program: the first of this name on `PATH` that may be executed. One that is named by
/// an absolute path is that.
#[must_use]
pub fn program(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    if name.contains('/') && !name.starts_with('/') {
        return None;
    }
    let folders = std::env::split_paths(path?);
    let mut programs = folders
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name));
    programs.find(|path| path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok())
}

/// Whether an agent has something to log in with, as far as that can be told without asking it.
#[must_use]
pub fn has_credential(product: &Product, variables: &BTreeMap<String, String>) -> bool {
    credentials(product, variables).next().is_some()
}

/// What an agent can log in with, in its own order: variables before its own login.
fn credentials(
    product: &Product,
    variables: &BTreeMap<String, String>,
) -> impl Iterator<Item = Credential> {
    let is_set = |name: &&str| variables.get(*name).is_some_and(|value| !value.is_empty());
    let set = product.keys().filter(is_set).map(Credential::Variable);
    let logins = product.home.files.iter().filter(|lent| lent.is_login);
    let found = logins.filter_map(|lent| source_of(lent, variables));
    set.chain(found.map(Credential::File))
}

/// What a usage limit may be about: credentials of which the agent takes the next where the first is
/// not there. Where which one it takes depends on the model that it asks, nobody knows, unless there
/// is but one.
#[must_use]
pub fn alternatives(
    product: &Product,
    variables: &BTreeMap<String, String>,
) -> Vec<ledger::Credential> {
    let login = || product.login.to_owned();
    let shared = |credential| match credential {
        Credential::Variable(name) => ledger::Credential::Variable(name.to_owned()),
        Credential::File(_) => ledger::Credential::Login(login()),
    };
    let found: Vec<_> = credentials(product, variables).map(shared).collect();
    match found.len() {
        1.. if product.keys_are_alternatives => found,
        1 => found,
        _ => vec![ledger::Credential::Agent(login())],
    }
}

/// A program that is asked who it is.
struct Asking<'a> {
    program: &'a Path,
    product: &'a Product,
    variables: &'a BTreeMap<String, String>,
    private: &'a Path,
    patience: Duration,
}

impl Asking<'_> {
    /// Has it say its version.
    fn version(&self) -> Result<String, NoVersion> {
        let mut child = self.start(&["--version"], Stdio::null())?;
        let heard = hear(&mut child, self.patience, OUTPUT_BYTES_MAX, |_| None::<()>);
        let status = end(&mut child).map_err(NoVersion::Start)?;
        let (heard, _) = heard?;
        match status.success() {
            true => version_in(&String::from_utf8_lossy(&heard)).ok_or(NoVersion::Unread),
            false => Err(NoVersion::Failed(exit_of(status))),
        }
    }

    /// Has it introduce itself.
    fn introduction(&self) -> Result<Introduction, NoVersion> {
        let arguments = self.product.arguments_for(Writes::Free, None);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = self.start(&arguments, Stdio::piped())?;
        let words = format!("{}\n", Client::begin());
        // Few words, which wait in the pipe until they are read; who went away shows it below.
        let mut stdin = child.stdin.take();
        if let Some(stdin) = &mut stdin {
            let _ = stdin.write_all(words.as_bytes());
        }
        let said = |heard: &[u8]| {
            let text = String::from_utf8_lossy(heard);
            let whole = text.rsplit_once('\n').map(|(lines, _)| lines.to_owned())?;
            whole.lines().find_map(introduced)
        };
        let heard = hear(&mut child, self.patience, INTRODUCTION_BYTES_MAX, said);
        let status = end(&mut child).map_err(NoVersion::Start)?;
        match heard? {
            (_, Some(introduction)) => introduction.map_err(NoVersion::Refused),
            (_, None) => Err(NoVersion::Failed(exit_of(status))),
        }
    }

    fn start(&self, arguments: &[&str], stdin: Stdio) -> Result<Child, NoVersion> {
        let homes = folders(&self.product.home, self.private)
            .map_err(|fault| NoVersion::Start(io::Error::other(fault)))?;
        Command::new(self.program)
            .args(arguments)
            .env_clear()
            .envs(environment(self.variables, &[], &BTreeMap::new()).vars)
            .envs(self.product.settings.iter().copied())
            .envs(homes)
            .env("TMPDIR", self.private)
            .current_dir(self.private)
            .process_group(0)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(NoVersion::Start)
    }
}

/// What a program prints until it ends, or has said what is waited for. Whoever inherited its output
/// may live on.
fn hear<T>(
    child: &mut Child,
    patience: Duration,
    bytes_max: usize,
    said: impl Fn(&[u8]) -> Option<T>,
) -> Result<(Vec<u8>, Option<T>), NoVersion> {
    let deadline = Instant::now() + patience;
    let mut stdout = child.stdout.take();
    if let Some(pipe) = &stdout {
        let set = rustix::fs::fcntl_getfl(pipe)
            .and_then(|flags| rustix::fs::fcntl_setfl(pipe, flags | OFlags::NONBLOCK));
        set.map_err(|error| NoVersion::Start(error.into()))?;
    }
    let mut heard = Vec::new();
    loop {
        // Looked at before the output is read: what has ended has printed all of it.
        let has_ended = has_ended(child).map_err(NoVersion::Start)?;
        read(&mut stdout, &mut heard, bytes_max).map_err(NoVersion::Start)?;
        let found = said(&heard);
        if found.is_none() && heard.len() > bytes_max {
            return Err(NoVersion::Flooded(bytes_max));
        }
        if has_ended || found.is_some() {
            return Ok((heard, found));
        }
        if Instant::now() >= deadline {
            return Err(NoVersion::Overdue(patience));
        }
        wait(stdout.as_ref()).map_err(NoVersion::Start)?;
    }
}

/// Whether a process has ended. It stays known until [`end`], so that nobody else gets its number.
fn has_ended(child: &Child) -> io::Result<bool> {
    let Some(pid) = pid(child) else {
        return Ok(true);
    };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match rustix::process::waitid(WaitId::Pid(pid), options) {
        Ok(status) => Ok(status.is_some()),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads what is there, up to more than may be there.
fn read(stdout: &mut Option<ChildStdout>, heard: &mut Vec<u8>, bytes_max: usize) -> io::Result<()> {
    let mut chunk = [0; 1 << 10];
    while heard.len() <= bytes_max {
        let Some(pipe) = stdout else {
            return Ok(());
        };
        match pipe.read(&mut chunk) {
            Ok(0) => *stdout = None,
            Ok(read) => heard.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until there is something to read, or for a moment.
fn wait(stdout: Option<&ChildStdout>) -> io::Result<()> {
    let mut fds: Vec<PollFd<'_>> = stdout
        .map(|pipe| PollFd::new(pipe, PollFlags::IN))
        .into_iter()
        .collect();
    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(LOOK.subsec_nanos()),
    };
    match rustix::event::poll(&mut fds, Some(&moment)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Ends a process and whatever stayed in its group.
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    if let Some(group) = pid(child) {
        // All of it may be gone already, which is what is wanted.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    child.wait()
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// The first word that looks like a version: numbers with dots, and what may follow them.
fn version_in(text: &str) -> Option<String> {
    let mut words = text
        .split_whitespace()
        .map(|word| word.strip_prefix('v').unwrap_or(word));
    let found = words.find(|word| {
        let parts: Vec<&str> = word.splitn(3, '.').collect();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        word.len() <= VERSION_BYTES_MAX
            && parts.len() == 3
            && parts[..2].iter().all(is_number)
            && parts[2].starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(fits)
    });
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests;
