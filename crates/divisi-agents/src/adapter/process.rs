//! The process itself: the only part that does anything.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;

use divisi_core::diagnostic::chain;
use divisi_core::ledger::decimal;
use divisi_core::receipt::Exit;
use divisi_core::run::DefinedProgram;
use rustix::process::Signal;

use super::acp::{Client, Drive, Patience, Quirks, drive};
use super::channel::{Channel, Nobody};
use super::closing::Closing;
use super::control::{Answer, Answers, asked, refusal};
use super::detection::program;
use super::home::{folders, lend, take_logins};
use super::login::login_secrets;
use super::meter::{RESERVATION_VARIABLE, Reservation};
use super::permission::Broker;
use super::pipes::{Pipes, Printed, handle};
use super::product::{Asks, Product, Speaks, Writes};
use super::prompt::prompt;
use super::record::Record;
use super::reset::now;
use super::session::Session;
use super::stop::Stop;
use super::transcript::{Entry, shortened};
use crate::agent::Claim;
use crate::environment::{environment, mask_decoded};
use crate::handoff::{HANDOFF_BYTES_MAX, Handoff};

/// The variable that names a tool's private folder.
pub const HOME_VARIABLE: &str = "DIVISI_AGENT_HOME";

/// Why there is no session. All but the last repeat.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A variable that the engine sets is not there: somebody started it by hand.
    #[error("read the variable {0}: it is not set; Divisi starts this command itself")]
    Variable(&'static str),
    /// What the engine says was reserved cannot be read.
    #[error("read what was reserved")]
    Reservation(#[source] serde_json::Error),
    /// There is no folder to work in.
    #[error("find the working folder")]
    Workspace(#[source] io::Error),
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
    /// The tool's private folder: it outlives the attempt where a next one may take up the session.
    pub(super) home: PathBuf,
    /// The folder that it works in.
    pub(super) workspace: PathBuf,
    /// The environment, as far as it is text.
    pub variables: BTreeMap<String, String>,
    pub(super) writes: Writes,
    /// What the session may use.
    pub reservation: Reservation,
    /// Values that must not appear in what is printed. The supervisor masks too; but what is cut
    /// here could leave it half of one.
    pub masked: Vec<String>,
    /// Tells the session to end.
    pub(super) stop: Stop,
    pub(super) patience: Patience,
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
        let reservation = variables.get(RESERVATION_VARIABLE);
        let reservation = reservation
            .map(|text| serde_json::from_str(text))
            .transpose();
        let workspace = std::env::current_dir().map_err(Fault::Workspace)?;
        Ok(Surroundings {
            reservation: reservation.map_err(Fault::Reservation)?.unwrap_or_default(),
            handoff: path("DIVISI_HANDOFF")?,
            tmp: path("TMPDIR")?,
            home: path(HOME_VARIABLE)?,
            workspace,
            stop: Stop::default(),
            patience: Patience::default(),
            writes: writes(),
            masked: {
                let mut masked = environment(&variables, &[], &BTreeMap::new()).masked;
                masked.extend(login_secrets(&variables));
                masked.sort_by_key(|value| std::cmp::Reverse(value.len()));
                masked
            },
            variables,
        })
    }

    /// Who answers what is asked in this process: the run's rules and its owner. Nobody, where it
    /// was started by hand.
    #[must_use]
    pub fn broker(&self) -> Arc<dyn Broker> {
        match Channel::here(&self.masked) {
            Some(channel) => Arc::new(channel),
            None => Arc::new(Nobody),
        }
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
pub fn converse(
    product: &'static Product,
    stop: Stop,
    out: &mut dyn Write,
) -> Result<Closing, Fault> {
    let held = Surroundings::here().and_then(|here| {
        let here = Surroundings { stop, ..here };
        let broker = here.broker();
        converse_in(product, &here, &broker, out)
    });
    told(held, out)
}

/// The same with a program that configuration defines and that speaks ACP.
///
/// # Errors
/// As [`converse`].
pub fn converse_over_acp(
    name: &str,
    defined: &DefinedProgram,
    stop: Stop,
    out: &mut dyn Write,
) -> Result<Closing, Fault> {
    match Product::defined(name, defined) {
        Some(product) => converse(product, stop, out),
        None => told(Err(Fault::Command), out),
    }
}

/// Prints why there was no session, if there was none.
///
/// # Errors
/// As it was.
pub fn told(held: Result<Closing, Fault>, out: &mut dyn Write) -> Result<Closing, Fault> {
    if let Err(fault) = &held {
        let cause = chain(fault);
        let closing = Closing {
            claim: match fault {
                // It may have begun, and need not repeat.
                Fault::Stream(_) => Claim::Failed { cause },
                _ => Claim::Unable { cause },
            },
            usage: None,
            denied: Vec::new(),
        };
        print_closing(&closing, &[], out).map_err(Fault::Stream)?;
    }
    held
}

/// The same in surroundings that are given.
pub(super) fn converse_in(
    product: &'static Product,
    here: &Surroundings,
    broker: &Arc<dyn Broker>,
    out: &mut dyn Write,
) -> Result<Closing, Fault> {
    let handoff = read_handoff(&here.handoff)?;
    let homes = folders(&product.home, &here.home)?;
    lend(&product.home, &here.home, &here.variables)?;
    let talk = Talk {
        product,
        here,
        homes,
        prompt: prompt(&handoff),
        broker,
    };
    let earlier = Record::read(&here.home, product.name);
    let held = match product.speaks {
        Speaks::Stream(_) => talk.by_stream(earlier, out),
        Speaks::Acp(quirks) => talk.by_acp(quirks, earlier, out),
    };
    // What a tool wrote in the place of a link is a copy of a login. Where it cannot be removed, the
    // engine removes the whole folder.
    let _ = take_logins(product, &here.home);
    let closing = held?;
    print_closing(&closing, &here.masked, out).map_err(Fault::Stream)?;
    Ok(closing)
}

/// The arguments with which a tool holds the bound of money by itself.
fn money(product: &Product, reservation: &Reservation) -> Vec<String> {
    match (product.money_flag, reservation.budget.usd_micros) {
        (Some(flag), Some(micros)) => vec![flag.to_owned(), decimal(micros)],
        _ => Vec::new(),
    }
}

/// A session that is about to be held.
struct Talk<'t> {
    product: &'static Product,
    here: &'t Surroundings,
    homes: BTreeMap<&'static str, PathBuf>,
    prompt: String,
    broker: &'t Arc<dyn Broker>,
}

impl Talk<'_> {
    fn session(&self) -> Session {
        Session::within(self.product, self.here.reservation.clone())
            .working_in(&self.here.workspace, self.here.writes)
    }

    /// Starts the tool, with pipes.
    fn start(&self, session: Option<&str>) -> Result<Child, Fault> {
        let not_started = |source| Fault::Start {
            program: self.product.program,
            install: self.product.install,
            source,
        };
        let path = self.here.variables.get("PATH").map(OsStr::new);
        let found = program(self.product.program, path);
        let found = found.ok_or_else(|| not_started(io::ErrorKind::NotFound.into()))?;
        Command::new(found)
            .args(self.product.arguments_for(self.here.writes, session))
            .args(money(self.product, &self.here.reservation))
            .env_remove(RESERVATION_VARIABLE)
            .envs(self.product.settings.iter().copied())
            .envs(&self.homes)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(not_started)
    }

    /// Reads what a tool prints. One that cannot take up a session ends before it has begun; then
    /// it begins a new one.
    fn by_stream(&self, earlier: Option<Record>, out: &mut dyn Write) -> Result<Closing, Fault> {
        let name = earlier.as_ref().map(|record| record.session.clone());
        let mut session = self.session().resuming(earlier);
        let exit = self.one_stream(name.as_deref(), &mut session, out)?;
        let is_vain = name.is_some() && !session.has_begun() && !self.here.stop.is_said();
        if !is_vain || exit.is_err() {
            return Ok(session.end(exit));
        }
        let cannot = "its session cannot be taken up, so a new one begins";
        print(Entry::noted(cannot), &self.here.masked, out).map_err(Fault::Stream)?;
        let mut session = self.session();
        let exit = self.one_stream(None, &mut session, out)?;
        Ok(session.end(exit))
    }

    /// How the tool ended; inside, why it could not be heard to its end.
    fn one_stream(
        &self,
        name: Option<&str>,
        session: &mut Session,
        out: &mut dyn Write,
    ) -> Result<io::Result<Exit>, Fault> {
        let mut child = self.start(name)?;
        end_with(&self.here.stop, &child);
        let heard = self.hear(&mut child, session, out);
        if heard.is_err() || session.is_used_up() || session.is_given_up() {
            // That it has ended by itself meanwhile is no fault. What it started is ended with this
            // process.
            let _ = child.kill();
        }
        let status = child.wait();
        Ok(heard.and_then(|()| status.map(exit_of)))
    }

    fn hear(
        &self,
        child: &mut Child,
        session: &mut Session,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let pipes = Pipes::of(child)?;
        let Some(stdin) = child.stdin.take() else {
            return Ok(());
        };
        let prompt = &self.prompt;
        let answers = match self.product.asks {
            Asks::Never => say(stdin, prompt.clone()).map(|()| None),
            Asks::OnStream => {
                let answers = Answers::new(self.broker, stdin, &self.here.masked);
                answers.prompt(prompt).map(|()| Some(answers))
            }
        };
        let mut hearing = Hearing {
            session,
            answers: answers?,
            here: self.here,
            out,
        };
        hearing.hear(pipes)
    }

    fn by_acp(
        &self,
        quirks: Quirks,
        earlier: Option<Record>,
        out: &mut dyn Write,
    ) -> Result<Closing, Fault> {
        let client = Client::new(
            quirks,
            self.here.workspace.to_string_lossy().into_owned(),
            self.prompt.clone(),
            earlier.as_ref().map(|record| record.session.clone()),
        );
        let drive_it = Drive {
            child: self.start(None)?,
            quirks,
            here: self.here,
            broker: self.broker,
            session: self.session().resuming(earlier),
        };
        Ok(drive(drive_it, client, out))
    }
}

/// Has a tool told to end where the session is: it may not be told by anybody else.
fn end_with(stop: &Stop, child: &Child) {
    let Some(handle) = handle(child) else { return };
    stop.then(move || {
        // It has ended already then.
        let _ = rustix::process::pidfd_send_signal(&handle, Signal::TERM);
    });
}

/// Gives a tool its prompt from a thread of its own: it may say something before it has read all.
pub(super) fn say(mut stdin: ChildStdin, prompt: String) -> io::Result<()> {
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

/// Hears a tool's stream.
struct Hearing<'h> {
    session: &'h mut Session,
    answers: Option<Answers>,
    here: &'h Surroundings,
    out: &'h mut dyn Write,
}

impl Hearing<'_> {
    /// Hears lines until there are no more, or the session is given up, and prints what they say.
    fn hear(&mut self, mut pipes: Pipes) -> io::Result<()> {
        loop {
            let printed = pipes.next()?;
            self.take_answers()?;
            match printed {
                None => return Ok(()),
                Some(Printed::Line(line)) => self.take(&String::from_utf8_lossy(&line))?,
                Some(beside) => {
                    if let Some(entry) = beside.told(&self.here.masked) {
                        self.print(entry)?;
                    }
                }
            }
            if self.session.is_used_up() || self.session.is_given_up() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, line: &str) -> io::Result<()> {
        // What is asked is given back as it is: nothing of it may be masked.
        if let Some(answers) = &self.answers
            && let Ok(value) = serde_json::from_str(line)
        {
            if let Some(asked) = asked(&value) {
                let entry = answers.begin(asked)?;
                return self.print(entry);
            }
            if let Some(refusal) = refusal(&value) {
                answers.refuse(refusal)?;
            }
        }
        let entries = self.session.hear(&mask_decoded(line, &self.here.masked));
        for entry in entries {
            if let (Some(answers), true) = (&self.answers, entry.is_the_end()) {
                answers.close();
            }
            keep(&entry, self.session, &self.here.home);
            self.print(entry)?;
        }
        Ok(())
    }

    fn take_answers(&mut self) -> io::Result<()> {
        let answers: Vec<_> = self.answers.iter().flat_map(Answers::take).collect();
        for answer in answers {
            let Answer {
                call,
                what,
                decision,
            } = answer;
            self.session.answered(call, &what, &decision);
            let what = shortened(&what);
            self.print(Entry::Answered { what, decision })?;
        }
        Ok(())
    }

    fn print(&mut self, entry: Entry) -> io::Result<()> {
        print(entry, &self.here.masked, self.out)
    }
}

/// Keeps what there is to be known of a session for whoever takes it up, as soon as there is more.
/// One that cannot be kept is begun anew.
pub(super) fn keep(entry: &Entry, session: &Session, home: &Path) {
    if let (Entry::Began { .. } | Entry::Used { .. }, Some(record)) = (entry, session.record()) {
        let _ = record.write(home);
    }
}

/// Prints a line of the transcript, without these values, and with the time.
///
/// # Errors
/// It cannot be printed.
pub fn print(entry: Entry, masked: &[String], out: &mut dyn Write) -> io::Result<()> {
    let line = entry.presentable(masked).line_at(now());
    writeln!(out, "{line}")?;
    out.flush()
}

/// Prints the last line, without these values.
///
/// # Errors
/// It cannot be printed.
pub fn print_closing(closing: &Closing, masked: &[String], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", closing.presentable(masked).to_line())?;
    out.flush()
}

pub(super) fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::NoProcess,
    }
}
