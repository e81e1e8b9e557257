//! The process itself: the only part that does anything.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use divisi_core::receipt::Exit;

use super::closing::Closing;
use super::conversation::Conversation;
use super::detection::program;
use super::product::{Asked, Home, Lent, Product};
use super::prompt::prompt;
use super::transcript::Entry;
use crate::handoff::{HANDOFF_BYTES_MAX, Handoff};

/// A line of a tool's stream holds one message, with the files in it. What is longer is cut.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Why there is no conversation. All of them repeat.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A variable that the engine sets is not there: somebody started it by hand.
    #[error("read the variable {0}: it is not set; Divisi starts this command itself")]
    Variable(&'static str),
    /// The handoff cannot be read.
    #[error("read the handoff {path}")]
    Handoff {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The tool's private folder cannot be made.
    #[error("prepare {path}")]
    Home {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The tool cannot be started.
    #[error("start {program}; install it with: {install}")]
    Start {
        /// Its program.
        program: &'static str,
        /// The command that installs it.
        install: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its output cannot be read, or ours not written.
    #[error("hear what it says")]
    Stream(#[source] io::Error),
}

/// Holds the conversation that the environment describes, and prints it. Its last line is the
/// closing, which is also returned.
///
/// # Errors
/// There was none. Nothing was printed as a closing then.
pub fn converse(product: &'static Product, out: &mut dyn Write) -> Result<Closing, Fault> {
    let handoff = read_handoff(Path::new(&variable("DIVISI_HANDOFF")?))?;
    let private = PathBuf::from(variable("TMPDIR")?).join("home");
    let variables = folders(&product.home, &private)?;
    lend(&product.home, &private)?;
    let words = prompt(&handoff);
    let asked = Asked {
        prompt: &words,
        session: None,
        is_confined: is_confined(),
        model: None,
    };
    let not_started = |source| Fault::Start {
        program: product.program,
        install: product.install,
        source,
    };
    let found = program(product, std::env::var_os("PATH").as_deref());
    let found = found.ok_or_else(|| not_started(io::ErrorKind::NotFound.into()))?;
    let mut child = Command::new(found)
        .args((product.arguments)(&asked))
        .envs(product.settings.iter().copied())
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(not_started)?;
    let mut conversation = Conversation::with(product);
    if let Some(stdout) = child.stdout.take() {
        hear(BufReader::new(stdout), &mut conversation, out).map_err(Fault::Stream)?;
    }
    let status = child.wait().map_err(Fault::Stream)?;
    let closing = conversation.close(&exit_of(status));
    writeln!(out, "{}", closing.to_line())
        .and_then(|()| out.flush())
        .map_err(Fault::Stream)?;
    Ok(closing)
}

/// Whether the kernel confines this process's writes: elsewhere everybody may write to this file of
/// their own.
fn is_confined() -> bool {
    fs::OpenOptions::new()
        .write(true)
        .open("/proc/self/comm")
        .is_err()
}

fn variable(name: &'static str) -> Result<OsString, Fault> {
    std::env::var_os(name).ok_or(Fault::Variable(name))
}

fn read_handoff(path: &Path) -> Result<Handoff, Fault> {
    let fault = |source| Fault::Handoff {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| {
            file.take(HANDOFF_BYTES_MAX as u64)
                .read_to_string(&mut text)
        })
        .map_err(fault)?;
    serde_json::from_str(&text).map_err(|error| fault(error.into()))
}

/// Makes a tool's private folders. Returns the variables that name them.
pub(super) fn folders(
    home: &Home,
    private: &Path,
) -> Result<BTreeMap<&'static str, PathBuf>, Fault> {
    let mut variables = BTreeMap::new();
    for (variable, folder) in home.variables {
        let folder = private.join(folder);
        fs::create_dir_all(&folder).map_err(home_fault(&folder))?;
        variables.insert(*variable, folder);
    }
    Ok(variables)
}

fn home_fault(path: &Path) -> impl FnOnce(io::Error) -> Fault + use<> {
    let path = path.to_owned();
    move |source| Fault::Home { path, source }
}

/// Puts links into them to what a tool may read of the user's: a copy of a login would stay under
/// `.divisi`.
fn lend(home: &Home, private: &Path) -> Result<(), Fault> {
    for lent in home.files {
        let Some(source) = source_of(lent, &|name| std::env::var_os(name)) else {
            continue;
        };
        let target = private.join(lent.to).join(lent.file);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(home_fault(folder))?;
        }
        match symlink(&source, &target) {
            // The attempt is taken up again.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(home_fault(&target))?,
        }
    }
    Ok(())
}

/// Where the user has such a file, if there is one.
pub(super) fn source_of(
    lent: &Lent,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let folder = match variable(lent.variable) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(variable("HOME")?).join(lent.folder),
    };
    let file = folder.join(lent.file);
    file.is_file().then_some(file)
}

/// Reads lines until there are no more, and prints what they say.
fn hear(
    mut stream: impl BufRead,
    conversation: &mut Conversation,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut stream)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        for entry in conversation.hear(&String::from_utf8_lossy(&line)) {
            print(&entry, out)?;
        }
    }
}

fn print(entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, entry)?;
    out.write_all(b"\n")?;
    out.flush()
}

pub(super) fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::NoProcess,
    }
}
