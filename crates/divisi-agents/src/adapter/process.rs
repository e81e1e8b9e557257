//! The process itself: the only part that does anything.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use divisi_core::diagnostic::chain;
use divisi_core::receipt::Exit;

use super::closing::Closing;
use super::detection::program;
use super::product::{Home, Lent, Product, Writes};
use super::prompt::prompt;
use super::session::Session;
use super::transcript::Entry;
use crate::agent::Claim;
use crate::environment::{environment, mask};
use crate::handoff::{HANDOFF_BYTES_MAX, Handoff};

/// A line of a tool's stream holds one message, with the files in it. What is longer is left out.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Why there is no session. All of them repeat.
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
    #[error("start {program}, which this installs: {install}")]
    Start {
        /// Its program.
        program: &'static str,
        /// The command that installs it.
        install: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program that configuration defines cannot be started.
    #[error("start {program}")]
    Program {
        /// Its name.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has no name.
    #[error("start a program: none is named")]
    Command,
    /// What is to be done does not fit into an argument.
    #[error(
        "pass the prompt as an argument: it is too long; have the program read its standard input"
    )]
    Prompt,
    /// The variable that holds the key is not set.
    #[error("read the key from the variable {0}: it is not set")]
    Key(String),
    /// What asks the model cannot be set up.
    #[error("prepare to ask the model: {0}")]
    Model(String),
    /// Its output cannot be read, or ours not written.
    #[error("hear what it says")]
    Stream(#[source] io::Error),
}

/// What a session takes from its surroundings.
pub struct Surroundings {
    /// The handoff's file.
    pub handoff: PathBuf,
    /// A folder of the attempt's own.
    pub tmp: PathBuf,
    /// The environment, as far as it is text.
    pub variables: BTreeMap<String, String>,
    pub(super) writes: Writes,
    /// Values that must not appear in what is printed. The supervisor masks too; but what is cut
    /// here could leave it half of one.
    pub masked: Vec<String>,
}

impl Surroundings {
    /// Those of this process, which the supervisor started.
    ///
    /// # Errors
    /// It was started by hand.
    pub fn here() -> Result<Surroundings, Fault> {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let path = |name: &'static str| {
            let value = variables.get(name).ok_or(Fault::Variable(name));
            value.map(PathBuf::from)
        };
        Ok(Surroundings {
            handoff: path("DIVISI_HANDOFF")?,
            tmp: path("TMPDIR")?,
            writes: writes(),
            masked: environment(&variables, &[], &BTreeMap::new()).masked,
            variables,
        })
    }
}

/// Whether the kernel confines this process's writes: elsewhere everybody may write to this file of
/// their own. Whatever else goes wrong proves nothing.
fn writes() -> Writes {
    let opened = fs::OpenOptions::new().write(true).open("/proc/self/comm");
    match opened {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Writes::Confined,
        _ => Writes::Free,
    }
}

/// Holds the session that the environment describes, and prints it. Its last line is the closing,
/// which is also returned.
///
/// # Errors
/// There was none. A closing that says so was printed if anything could be.
pub fn converse(product: &'static Product, out: &mut dyn Write) -> Result<Closing, Fault> {
    let held = Surroundings::here().and_then(|here| converse_in(product, &here, out));
    told(held, out)
}

/// Prints why there was no session, if there was none.
///
/// # Errors
/// As it was.
pub fn told(held: Result<Closing, Fault>, out: &mut dyn Write) -> Result<Closing, Fault> {
    if let Err(fault) = &held {
        let closing = Closing {
            claim: Claim::Unable {
                cause: chain(fault),
            },
            usage: None,
        };
        writeln!(out, "{}", closing.to_line()).map_err(Fault::Stream)?;
    }
    held
}

/// The same in surroundings that are given.
pub(super) fn converse_in(
    product: &'static Product,
    here: &Surroundings,
    out: &mut dyn Write,
) -> Result<Closing, Fault> {
    let handoff = read_handoff(&here.handoff)?;
    let private = here.tmp.join("home");
    let home = folders(&product.home, &private)?;
    lend(&product.home, &private, &here.variables)?;
    let not_started = |source| Fault::Start {
        program: product.program,
        install: product.install,
        source,
    };
    let path = here.variables.get("PATH").map(OsStr::new);
    let found = program(product.program, path);
    let found = found.ok_or_else(|| not_started(io::ErrorKind::NotFound.into()))?;
    let mut child = Command::new(found)
        .args((product.arguments)(here.writes))
        .envs(product.settings.iter().copied())
        .envs(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(not_started)?;
    let mut session = Session::with(product);
    say(&mut child, prompt(&handoff)).map_err(Fault::Stream)?;
    if let Some(stdout) = child.stdout.take() {
        hear(BufReader::new(stdout), &mut session, &here.masked, out).map_err(Fault::Stream)?;
    }
    if session.is_given_up() {
        // That it has ended by itself meanwhile is no fault. What it started is ended with this
        // process.
        let _ = child.kill();
    }
    let status = child.wait().map_err(Fault::Stream)?;
    let closing = session.close(&exit_of(status));
    writeln!(out, "{}", closing.to_line())
        .and_then(|()| out.flush())
        .map_err(Fault::Stream)?;
    Ok(closing)
}

/// Gives a tool its prompt from a thread of its own: it may say something before it has read all.
pub(super) fn say(child: &mut Child, prompt: String) -> io::Result<()> {
    let Some(mut stdin) = child.stdin.take() else {
        return Ok(());
    };
    let thread = std::thread::Builder::new().name("prompt".to_owned());
    // A tool that ends without having read it says why by itself.
    thread.spawn(move || stdin.write_all(prompt.as_bytes()))?;
    Ok(())
}

/// Reads what an attempt is given.
///
/// # Errors
/// It is not there, or no handoff.
pub fn read_handoff(path: &Path) -> Result<Handoff, Fault> {
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
fn lend(home: &Home, private: &Path, variables: &BTreeMap<String, String>) -> Result<(), Fault> {
    for lent in home.files {
        let Some(source) = source_of(lent, variables) else {
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

/// Where the user has such a file, if there is one. A folder that is named relative to the one that
/// the tool works in would be the repository's, not the user's.
pub(super) fn source_of(lent: &Lent, variables: &BTreeMap<String, String>) -> Option<PathBuf> {
    let folder = match variables.get(lent.variable) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(variables.get("HOME")?).join(lent.folder),
    };
    let file = folder.join(lent.file);
    (file.is_absolute() && file.is_file()).then_some(file)
}

/// Reads lines until there are no more, or the session is given up, and prints what they say.
fn hear(
    mut stream: impl BufRead,
    session: &mut Session,
    masked: &[String],
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
        if read as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
            // Its rest is no line of its own.
            stream.skip_until(b'\n')?;
            print(&Entry::noted("a line that is too long was left out"), out)?;
            continue;
        }
        let text = mask(String::from_utf8_lossy(&line).into_owned(), masked);
        for entry in session.hear(&text) {
            print(&entry, out)?;
        }
        if session.is_given_up() {
            return Ok(());
        }
    }
}

/// Prints a line of the transcript.
///
/// # Errors
/// It cannot be printed.
pub fn print(entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
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
