//! Tells an agent's process from a person's: by its descent, which it cannot choose.
//!
//! Agents run as the same user as the engine, so neither a user id nor the mode of a socket keeps
//! them from asking it for something, for instance to approve their own work. But the supervisor
//! is the sub-reaper of all it starts: whatever an agent's process does, the supervisor stays
//! among its ancestors. Nothing is concluded from names or environments of the process itself.
//!
//! This holds as long as the supervisor lives. One that is killed by an unconfined agent no longer
//! stands above it.

use std::io::Read;
use std::path::Path;

use super::proc;

/// No descent is followed further; a process with more ancestors is not trusted.
const ANCESTORS_MAX: usize = 1_024;

/// A supervisor's command line has two paths; so much of one is looked at.
const COMMAND_LINE_BYTES_MAX: u64 = 64 << 10;

/// Whether a process is, or descends from, what the supervisor of this `.divisi` folder started.
///
/// A process whose descent cannot be told, for instance because it is gone, counts as one.
#[must_use]
pub fn is_agent(pid: i32, dir: &Path) -> bool {
    let dir = dir.to_string_lossy();
    let mark = ["supervisor", "--dir", &dir].map(str::as_bytes);
    let mut at = pid;
    for _ in 0..ANCESTORS_MAX {
        let Some(line) = command_line(at) else {
            return true;
        };
        let args: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        if args.windows(mark.len()).any(|args| args == mark) {
            return true;
        }
        match proc::stat(at) {
            None => return true,
            // The first process of the machine, or of our view of it, has no parent here.
            Some(stat) if stat.parent <= 0 => return false,
            Some(stat) => at = stat.parent,
        }
    }
    true
}

fn command_line(pid: i32) -> Option<Vec<u8>> {
    let file = std::fs::File::open(format!("/proc/{pid}/cmdline")).ok()?;
    let mut line = Vec::new();
    file.take(COMMAND_LINE_BYTES_MAX)
        .read_to_end(&mut line)
        .ok()?;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    #[test]
    fn what_a_supervisor_started_is_an_agent_and_nothing_else_is() {
        let dir = Path::new("/nowhere/.divisi");
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(!is_agent(own, dir));
        // A shell with a supervisor's arguments, that starts another program and waits.
        let mut parent = Command::new("sh")
            .args(["-c", "sh -c 'echo $$; read _'; :"])
            .args(["sh", "supervisor", "--dir", "/nowhere/.divisi"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(parent.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let child: i32 = line.trim().parse().unwrap();
        assert!(is_agent(child, dir));
        assert!(!is_agent(child, Path::new("/elsewhere/.divisi")));
        parent.stdin.take().unwrap().write_all(b"\n").unwrap();
        parent.wait().unwrap();
        assert!(is_agent(child, Path::new("/elsewhere/.divisi")), "gone");
    }
}
