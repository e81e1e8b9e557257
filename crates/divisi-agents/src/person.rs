//! The *person* agent: somebody works in the attempt's workspace and calls `divisi submit`.
//!
//! Takes no slot and has no deadline of its own: people answer when they can, and nothing else
//! waits for them that does not depend on them.

use divisi_core::plan::Work;
use divisi_core::worker::Ended;

use crate::agent::{Agent, Assignment, Claim, Description, Kind, Launch, LaunchFault, Monitoring};

/// Waits for somebody.
#[derive(Clone, Copy, Debug, Default)]
pub struct PersonAgent;

impl Agent for PersonAgent {
    fn description(&self) -> Description {
        Description {
            name: "person".into(),
            kind: Kind::Person,
            monitoring: Monitoring::of(Kind::Person),
            credentials: Vec::new(),
            reads: Vec::new(),
            guides: Vec::new(),
            tail_bytes: 0,
        }
    }

    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault> {
        match &assignment.task.work {
            // An escalated command or script can be done by hand, too.
            Work::Handoff | Work::Command(_) | Work::Script(_) => Ok(Launch::Person),
            Work::Template(_) | Work::Expand(_) | Work::Nothing => Err(LaunchFault::Unsuited {
                task: assignment.task.id.to_string(),
                agent: "person".into(),
                cause: "there is nothing in it to do by hand".into(),
            }),
        }
    }

    fn interpret(&self, _ended: &Ended, _tail: &str) -> Claim {
        Claim::Done
    }
}
