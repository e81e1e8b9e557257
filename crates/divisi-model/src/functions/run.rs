//! Running programs.
//!
//! A command is given a group of its own and no input. When it ends, or its time is up, everything
//! that it started is ended with it, in whatever session it hides: this process is the sub-reaper of
//! its descendants, of which it has no others, so whatever is left is among its children.

use std::io::{self, PipeReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use divisi_agents::adapter::Deed;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Function, Hands, Outcome, arguments};

/// How long a command may take unless told, and at the most.
const SECONDS: u64 = 120;
const SECONDS_MAX: u64 = 1_800;

/// So much of the beginning and of the end of an output is kept.
const PART_BYTES_MAX: usize = 16 << 10;

/// Between two looks at a command that prints nothing.
const LOOK: Duration = Duration::from_millis(20);

/// How long is waited for processes that were killed to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// The longest command.
const COMMAND_BYTES_MAX: usize = 100_000;

pub(super) const RUN: Function = Function {
    name: "run",
    says: "Run a command with `sh -c` in the folder. It has no input. Returns what it printed and \
           how it ended. All that it started is ended with it, so nothing goes on in the background.",
    schema: || {
        json!({
            "type": "object",
            "properties": {
                "command": { "type": "string", "description": "The command." },
                "seconds": {
                    "type": "integer", "minimum": 1, "maximum": SECONDS_MAX,
                    "description": "How long it may take; 120 unless told.",
                },
            },
            "required": ["command"],
        })
    },
    call: |hands, given| run(hands, given).unwrap_or_else(|outcome| outcome),
};

#[derive(Deserialize)]
struct Ran {
    command: String,
    #[serde(default)]
    seconds: Option<u64>,
}

fn run(hands: &mut Hands<'_>, given: &Value) -> Result<Outcome, Outcome> {
    let given: Ran = arguments(given)?;
    let command = &given.command;
    if command.trim().is_empty() || command.contains('\0') || command.len() > COMMAND_BYTES_MAX {
        return Err(Outcome::Faulty(format!(
            "`command` is empty, holds a NUL, or is longer than {COMMAND_BYTES_MAX} bytes"
        )));
    }
    hands.permission(Deed::Execute, command, None)?;
    let seconds = given.seconds.unwrap_or(SECONDS).clamp(1, SECONDS_MAX);
    execute(hands, command, Duration::from_secs(seconds))
        .map_err(|error| Outcome::Failed(format!("run it: {error}")))
}

/// One command at a time: descendants of this process belong to the one that runs.
static ALONE: Mutex<()> = Mutex::new(());

fn execute(hands: &Hands<'_>, command: &str, time: Duration) -> io::Result<Outcome> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    become_reaper()?;
    let (mut reader, writer) = io::pipe()?;
    let flags = rustix::fs::fcntl_getfl(&reader)?;
    rustix::fs::fcntl_setfl(&reader, flags | OFlags::NONBLOCK)?;
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", command])
        .current_dir(&hands.root)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    if let Some(name) = &hands.withheld {
        shell.env_remove(name);
    }
    let mut child = shell.spawn()?;
    // It holds the writing end, which would keep the output open.
    drop(shell);
    let mut output = Output::default();
    let deadline = Instant::now() + time;
    let status = loop {
        output.take(&mut reader)?;
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= deadline {
            break None;
        }
        wait(&reader)?;
    };
    let is_ended = end(&mut child)?;
    output.take(&mut reader)?;
    Ok(told(output, status, time, is_ended))
}

fn told(output: Output, status: Option<ExitStatus>, time: Duration, is_ended: bool) -> Outcome {
    let mut text = output.text();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if !is_ended {
        text.push_str("[something that it started could not be ended]\n");
    }
    match status {
        Some(status) if status.success() => {
            text.push_str("[exit status 0]");
            Outcome::Done(text)
        }
        Some(status) => {
            let how = status.to_string();
            text.push_str(&format!("[{how}]"));
            Outcome::Failed(text)
        }
        None => {
            let seconds = time.as_secs();
            text.push_str(&format!("[it was ended after {seconds} s]"));
            Outcome::Failed(text)
        }
    }
}

/// Has orphans of descendants become children of this process.
fn become_reaper() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// Ends a command with all that it started. Whether nothing is left.
fn end(child: &mut Child) -> io::Result<bool> {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // All of it may be gone already, which is what is wanted.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    child.wait()?;
    let deadline = Instant::now() + KILL_PATIENCE;
    loop {
        let left = descendants();
        for pid in &left {
            let _ = rustix::process::kill_process(*pid, Signal::KILL);
        }
        reap();
        if left.is_empty() {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
}

/// All living descendants of this process. What cannot be read is none.
fn descendants() -> Vec<Pid> {
    let mut children: Vec<(i32, i32)> = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = pid else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The program's name stands in parentheses, and may hold anything.
        let fields = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace());
        let Some(mut fields) = fields else { continue };
        let (state, parent) = (fields.next(), fields.next().and_then(|it| it.parse().ok()));
        if let (Some(parent), false) = (parent, matches!(state, Some("Z" | "X") | None)) {
            children.push((pid, parent));
        }
    }
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let mut found = vec![own];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        let of = children.iter().filter(|(_, its)| *its == parent);
        found.extend(of.map(|(pid, _)| *pid));
        at += 1;
    }
    found[1..]
        .iter()
        .filter_map(|pid| Pid::from_raw(*pid))
        .collect()
}

/// Takes notice of the ends of those that became our children.
fn reap() {
    use rustix::process::{WaitOptions, wait};
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// Waits until there is something to read, or for a moment.
fn wait(reader: &PipeReader) -> io::Result<()> {
    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(LOOK.subsec_nanos()),
    };
    let mut fds = [PollFd::new(reader, PollFlags::IN)];
    match rustix::event::poll(&mut fds, Some(&moment)) {
        Ok(_) => {
            if fds[0].revents().contains(PollFlags::HUP) {
                // Closed, while the command goes on: there is nothing to wait for.
                std::thread::sleep(LOOK);
            }
            Ok(())
        }
        Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The beginning and the end of what was printed.
#[derive(Default)]
struct Output {
    head: Vec<u8>,
    tail: Vec<u8>,
    left_out: u64,
}

impl Output {
    /// Reads what is there.
    fn take(&mut self, reader: &mut PipeReader) -> io::Result<()> {
        let mut chunk = [0; 8 << 10];
        // What is printed faster than it is read is not read for ever.
        for _ in 0..1_024 {
            match reader.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(bytes) => self.add(&chunk[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = PART_BYTES_MAX - self.head.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        self.tail.extend_from_slice(rest);
        if self.tail.len() > 2 * PART_BYTES_MAX {
            let beyond = self.tail.len() - PART_BYTES_MAX;
            self.tail.drain(..beyond);
            self.left_out += beyond as u64;
        }
    }

    fn text(mut self) -> String {
        let beyond = self.tail.len().saturating_sub(PART_BYTES_MAX);
        self.tail.drain(..beyond);
        self.left_out += beyond as u64;
        let mut bytes = self.head;
        if self.left_out > 0 {
            let note = format!("\n[{} bytes were left out]\n", self.left_out);
            bytes.extend_from_slice(note.as_bytes());
        }
        bytes.extend_from_slice(&self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
