//! The *command* agent: a program or a script that the plan names.
//!
//! It reads its handoff, if it wants it, from the file that `DIVISI_HANDOFF` names. What it
//! prints is kept and means nothing.

use divisi_core::plan::Work;
use divisi_core::preparation::script_argv;
use divisi_core::receipt::Exit;
use divisi_core::worker::Ended;

use crate::agent::{
    Agent, Assignment, Claim, Description, Kind, Launch, LaunchFault, Monitoring, Process,
};

/// One argument, and so a script: Linux refuses longer ones (`MAX_ARG_STRLEN`).
pub const ARGUMENT_BYTES_MAX: usize = 128 * 1024 - 1;

/// All arguments together: leaves half of the smallest usual limit to the environment.
pub const ARGUMENTS_BYTES_MAX: usize = 1 << 20;

/// Runs what the plan says, without a shell, or with `/bin/sh -eu`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommandAgent;

impl Agent for CommandAgent {
    fn description(&self) -> Description {
        Description {
            name: "command".into(),
            kind: Kind::Command,
            monitoring: Monitoring::of(Kind::Command),
            credentials: Vec::new(),
            reads: Vec::new(),
            guides: Vec::new(),
            tail_bytes: 0,
        }
    }

    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault> {
        let argv = match &assignment.task.work {
            Work::Command(argv) => argv.clone(),
            Work::Script(script) => script_argv(script),
            Work::Handoff | Work::Template(_) | Work::Expand(_) | Work::Nothing => {
                return Err(LaunchFault::Unsuited {
                    task: assignment.task.id.to_string(),
                    agent: "command".into(),
                    cause: "the task has neither `command` nor `script`".into(),
                });
            }
        };
        if let Some(cause) = unfit(&argv) {
            return Err(LaunchFault::CommandLine {
                task: assignment.task.id.to_string(),
                cause,
            });
        }
        Ok(Launch::Process(Box::new(Process {
            argv,
            cwd: assignment.workspace.to_owned(),
            env: assignment.variables(),
            stdin: String::new(),
            masked: assignment.masked.to_vec(),
        })))
    }

    fn interpret(&self, ended: &Ended, _tail: &str) -> Claim {
        match ended.exit {
            // Any status: which ones are good is the task's `ok_exit`, and a criterion's matter.
            Exit::Status(_) | Exit::NoProcess => Claim::Done,
            // That stands in its receipt; nobody claimed it.
            Exit::Signal(_) => Claim::Nothing,
        }
    }
}

/// Why no process can be given these arguments.
fn unfit(argv: &[String]) -> Option<String> {
    match argv.first() {
        None => return Some("it names no program".into()),
        Some(program) if program.is_empty() => return Some("the program's name is empty".into()),
        Some(_) => {}
    }
    if let Some(at) = argv.iter().position(|part| part.contains('\0')) {
        return Some(format!("argument {at} holds a NUL"));
    }
    if let Some(at) = argv.iter().position(|part| part.len() > ARGUMENT_BYTES_MAX) {
        return Some(format!(
            "argument {at} has {} bytes, at most {ARGUMENT_BYTES_MAX} can be passed; put the \
             text into a file of the project",
            argv[at].len()
        ));
    }
    let bytes: usize = argv.iter().map(String::len).sum();
    (bytes > ARGUMENTS_BYTES_MAX).then(|| {
        format!("its arguments have {bytes} bytes, at most {ARGUMENTS_BYTES_MAX} can be passed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_never_claims_to_have_failed_however_it_ended() {
        for (exit, claim) in [
            (Exit::Status(0), Claim::Done),
            (Exit::Status(3), Claim::Done),
            (Exit::Signal(9), Claim::Nothing),
        ] {
            let ended = Ended {
                wall_ms: 1,
                command: "true".to_owned(),
                ..Ended::of(exit)
            };
            assert_eq!(CommandAgent.interpret(&ended, "done"), claim);
        }
    }
}
