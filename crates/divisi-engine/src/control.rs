//! The control socket: one holder, many hands.
//!
//! One process per project folder holds the engine; every other one reads the database and sends
//! its commands here. One JSON object a line each way; an answer comes when the command is
//! durable. The socket is private to the user (0600, in a private folder); a request is bounded in
//! size and time.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use divisi_core::permission::Decision;
use divisi_core::plan::{Parts, Plan};
use divisi_core::run::{Base, Budget, Settings};
use divisi_core::{CommandId, Diagnostic, Intent, RunId};
use serde::{Deserialize, Serialize};

use crate::engine::{Input, Sender};
use crate::supervisor::{is_agent, peer};

/// A plan of 100,000 tasks and two million edges has about forty megabytes.
const REQUEST_BYTES_MAX: u64 = 256 << 20;

/// Each connection has a thread; more at once than people have terminals are refused.
const CONNECTIONS_MAX: usize = 64;

/// The same for agents, who are only refused.
const STRANGERS_MAX: usize = 4;

/// One that asks nothing is not waited for.
const STRANGERS_PATIENCE: Duration = Duration::from_secs(2);

/// After a connection could not be taken, so that a lack of descriptors is no busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A client takes its answer at once; one that does not is in the way.
const REQUEST_PATIENCE: Duration = Duration::from_secs(30);

/// What is asked of the holder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Makes it idempotent: the same id is answered with the stored outcome.
    pub id: Option<CommandId>,
    /// What.
    pub ask: Ask,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A new run.
    Start {
        /// The plan.
        plan: Arc<Plan>,
        /// Its numbers.
        settings: Box<Settings>,
        /// What it stands on.
        base: Base,
        /// Whether its owner already approved it.
        approved: bool,
        /// What it is for, if a request became its plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        intent: Option<Box<Intent>>,
    },
    /// Go on with a run, whoever began it, as long as you hold the engine.
    Attend(RunId),
    /// Permit a run, one of its tasks, or this day more or less; what the budget leaves open stays as
    /// it is.
    Permit {
        /// The run.
        run: RunId,
        /// Whose budget.
        whose: Whose,
        /// How much in all.
        budget: Budget,
    },
    /// Wait no longer for the ends of the usage limits of an agent, or of a credential by its name.
    Lift(String),
    /// Do you go on with this run?
    IsAttended(RunId),
    /// Something of a run.
    Act {
        /// The run.
        run: RunId,
        /// What.
        action: Action,
    },
}

/// Whose budget is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The run's.
    Run,
    /// That of a task of it, by its id.
    Task(String),
    /// That of all runs of this day.
    Day,
}

/// What can be asked of a run. Tasks are named as in the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Start nothing new.
    Pause,
    /// Start nothing new and end agents gracefully; the run stays resumable.
    Interrupt,
    /// The same, at once.
    Force,
    /// Go on.
    Resume,
    /// Cancel the run, or one task.
    Cancel {
        /// The task; `None` for the run.
        task: Option<String>,
    },
    /// Try a task again.
    Retry {
        /// The task.
        task: String,
        /// What its agent should know.
        note: String,
    },
    /// Take the kept work of an attempt that was given up.
    Adopt {
        /// The task.
        task: String,
        /// The number of the attempt; the last one whose work is kept unless told.
        number: Option<u32>,
    },
    /// Give up what an attempt left that was given up.
    Discard {
        /// The task.
        task: String,
        /// The number of the attempt.
        number: u32,
    },
    /// A person's work stands in its workspace.
    Submit {
        /// The task.
        task: String,
    },
    /// Consent.
    Approve {
        /// The task; `None` for the plan, or the whole.
        task: Option<String>,
        /// What was seen.
        note: String,
        /// The criteria are waived by name.
        waive: bool,
    },
    /// Refuse.
    Reject {
        /// The task; `None` for the plan that an agent made.
        task: Option<String>,
        /// Why.
        reason: String,
    },
    /// Answer an agent's question.
    Answer {
        /// The task.
        task: String,
        /// The answer.
        text: String,
    },
    /// Answer an agent that asks leave for something.
    Decide {
        /// The request's number.
        request: u32,
        /// The answer.
        decision: Decision,
        /// Whether requests like it are to be answered so from now on.
        always: bool,
    },
    /// Put another plan in the place of the one that awaits approval.
    Replace {
        /// The plan.
        plan: Arc<Plan>,
    },
    /// Replace a task by smaller ones.
    Split {
        /// The task.
        task: String,
        /// The parts.
        parts: Parts,
        /// Why.
        reason: String,
    },
    /// Replace a task by two that each have a half of what can be checked of it.
    Divide {
        /// The task.
        task: String,
        /// Why.
        reason: String,
    },
}

/// The holder's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// The run was created, and is durable.
    Started(RunId),
    /// It is so, and durable.
    Accepted,
    /// Whether the run is gone on with.
    Attended(bool),
    /// It is refused.
    Refused(Diagnostic),
}

/// A listening control socket; dropping it removes the socket.
pub struct Listener {
    path: PathBuf,
}

impl Listener {
    /// Serves the socket on threads of its own; what is asked arrives as inputs.
    ///
    /// The caller holds the engine's lock, so a socket that is in the way belongs to nobody. What
    /// the supervisor of `dir` started, and every other user, is refused: an agent does not approve
    /// itself.
    ///
    /// # Errors
    /// The socket cannot be bound.
    pub fn serve(path: &Path, dir: &Path, inputs: Sender) -> io::Result<Listener> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let live = Arc::new(AtomicUsize::new(0));
        let strangers = Arc::new(AtomicUsize::new(0));
        let dir = dir.to_owned();
        std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                for stream in listener.incoming() {
                    let Ok(stream) = stream else {
                        // Out of descriptors, or a client that has gone: the next one may fit.
                        std::thread::sleep(ACCEPT_PAUSE);
                        continue;
                    };
                    // Agents cannot take the places of people.
                    let admitted = is_admitted(&stream, &dir);
                    let (count, most) = match admitted {
                        true => (Arc::clone(&live), CONNECTIONS_MAX),
                        false => (Arc::clone(&strangers), STRANGERS_MAX),
                    };
                    if count.load(Ordering::SeqCst) >= most {
                        continue;
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    let (inputs, served_count) = (inputs.clone(), Arc::clone(&count));
                    let served = std::thread::Builder::new()
                        .name("control-one".to_owned())
                        .spawn(move || {
                            // A client that goes away in the middle is its own affair.
                            let _ = match admitted {
                                true => serve_one(stream, &inputs),
                                false => refuse(stream),
                            };
                            served_count.fetch_sub(1, Ordering::SeqCst);
                        });
                    if served.is_err() {
                        count.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            })?;
        Ok(Listener {
            path: path.to_owned(),
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A next holder removes it if this fails.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether whoever is at the other end may ask: this user, and no agent.
fn is_admitted(stream: &UnixStream, dir: &Path) -> bool {
    // SAFETY: geteuid takes nothing and cannot fail.
    let own = unsafe { libc::geteuid() };
    matches!(peer(stream), Ok((uid, pid)) if uid == own && !is_agent(pid, dir))
}

/// Tells who may not ask so, once it has asked: its request is not read to the end.
fn refuse(mut stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(STRANGERS_PATIENCE))?;
    stream.set_write_timeout(Some(STRANGERS_PATIENCE))?;
    let mut begun = [0; 4096];
    if stream.read(&mut begun)? == 0 {
        return Ok(());
    }
    let refused = Diagnostic::error(
        "control-agent",
        "an agent asks the engine for something; only people may",
    );
    say(&mut stream, &Response::Refused(refused))
}

/// Answers requests of one connection until it ends.
fn serve_one(stream: UnixStream, inputs: &Sender) -> io::Result<()> {
    stream.set_write_timeout(Some(REQUEST_PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut line = Vec::new();
        let read = reader
            .by_ref()
            .take(REQUEST_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let response = match serde_json::from_slice::<Request>(&line) {
            Err(error) => Response::Refused(Diagnostic::error(
                "control-request",
                format!("a request cannot be read: {error}"),
            )),
            Ok(request) => match ask(request, inputs) {
                Some(response) => response,
                // Whoever asked asks the next holder: the connection ends without an answer.
                None => return Ok(()),
            },
        };
        say(&mut writer, &response)?;
    }
}

fn say(writer: &mut UnixStream, response: &Response) -> io::Result<()> {
    let mut line = serde_json::to_vec(response)?;
    line.push(b'\n');
    writer.write_all(&line)
}

/// Asks the engine within this process and waits for its answer; `None` if it ended before it
/// answered. Then nothing was done, or the outcome is stored and the next holder says it again.
fn ask(request: Request, inputs: &Sender) -> Option<Response> {
    let (reply, answer) = sync_channel(1);
    inputs.send(Input::Asked { request, reply }).ok()?;
    answer.recv().ok()
}

/// An engine that waits for room on the disk answers nobody.
const BRIEF_PATIENCE: Duration = Duration::from_secs(2);

/// A connection to the holder of another process.
pub struct Client {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

impl Client {
    /// Connects; `None` if nobody listens.
    #[must_use]
    pub fn connect(path: &Path) -> Option<Client> {
        let writer = UnixStream::connect(path).ok()?;
        let reader = BufReader::new(writer.try_clone().ok()?);
        Some(Client { reader, writer })
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The holder went away; with a command id the same may be asked again.
    pub fn ask(&mut self, request: &Request) -> io::Result<Response> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.writer.write_all(&line)?;
        let mut answer = String::new();
        if self.reader.read_line(&mut answer)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&answer)?)
    }

    /// Asks what is not worth waiting for long. `None` if there is no answer by then; what was asked
    /// may be done all the same.
    #[must_use]
    pub fn ask_briefly(&mut self, request: &Request) -> Option<Response> {
        self.writer.set_read_timeout(Some(BRIEF_PATIENCE)).ok()?;
        self.ask(request).ok()
    }

    /// Waits until the holder goes away.
    pub fn wait_for_end(&mut self) {
        let mut rest = [0u8; 64];
        while matches!(self.reader.read(&mut rest), Ok(read) if read > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::inbox;
    use std::process::{Command, Stdio};

    /// Asks from a process whose parent has these arguments, as an agent's has its supervisor's.
    fn asked_below(args: &[&str], socket: &Path) -> String {
        let program = "my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; \
                       syswrite $s, qq({\"id\":null,\"ask\":{\"is_attended\":1}}\\n); \
                       sysread $s, my $answer, 4096; print $answer";
        let output = Command::new("sh")
            .args([
                "-c",
                "perl -MIO::Socket::UNIX -e \"$1\" \"$2\"; :",
                "sh",
                program,
            ])
            .arg(socket)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn an_agent_is_refused_and_a_person_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("control.sock");
        let (inputs, asked) = inbox().unwrap();
        let _listener = Listener::serve(&socket, folder.path(), inputs).unwrap();
        let engine = std::thread::spawn(move || {
            let mut many = 0;
            while many < 2 {
                asked.wait(None, REQUEST_PATIENCE);
                while let Some(Input::Asked { reply, .. }) = asked.next() {
                    many += 1;
                    reply.send(Response::Attended(true)).unwrap();
                }
            }
        });
        let dir = folder.path().to_str().unwrap();
        let refused = asked_below(&["supervisor", "--dir", dir], &socket);
        assert!(refused.contains("control-agent"), "{refused}");
        let other = asked_below(&["supervisor", "--dir", "/elsewhere"], &socket);
        assert!(other.contains("attended"), "{other}");
        let question = Request {
            id: None,
            ask: Ask::IsAttended(RunId(1)),
        };
        let answer = Client::connect(&socket).unwrap().ask(&question).unwrap();
        assert_eq!(answer, Response::Attended(true));
        engine.join().unwrap();
    }
}
