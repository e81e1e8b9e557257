//! A coding agent as the engine knows it.

use divisi_core::plan::Work;
use divisi_core::receipt::Usage;
use divisi_core::worker::Ended;

use super::closing::Closing;
use super::product::Product;
use super::transcript::Entry;
use crate::agent::{
    Agent, Assignment, Claim, Description, Kind, Launch, LaunchFault, Monitoring, Process, Progress,
};

/// The closing is the last line, but what the tool's own children print may come after it.
const TAIL_BYTES: u64 = 64 << 10;

/// Started as an adapter process of this binary.
#[derive(Clone, Debug)]
pub struct AdapterAgent {
    /// This binary.
    pub program: String,
    /// Whom it speaks to.
    pub product: &'static Product,
}

impl Agent for AdapterAgent {
    fn description(&self) -> Description {
        let variables = self.product.variables.iter();
        Description {
            name: self.product.name.into(),
            kind: Kind::Adapter,
            monitoring: Monitoring {
                progress_ms: Some(self.product.progress_ms),
                ..Monitoring::of(Kind::Adapter)
            },
            credentials: variables.map(|&name| name.to_owned()).collect(),
            tail_bytes: TAIL_BYTES,
        }
    }

    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault> {
        let unsuited = |cause: &str| LaunchFault::Unsuited {
            task: assignment.task.id.to_string(),
            agent: self.product.name.into(),
            cause: cause.into(),
        };
        if assignment.task.work != Work::Handoff {
            return Err(unsuited(
                "it does what it is told in words, and this is none",
            ));
        }
        if assignment.handoff_path.is_none() {
            return Err(unsuited("nothing says what to do; add a `description`"));
        }
        Ok(Launch::Process(Box::new(Process {
            argv: vec![
                self.program.clone(),
                "adapter".into(),
                self.product.name.into(),
            ],
            cwd: assignment.workspace.to_owned(),
            env: assignment.variables(),
            stdin: String::new(),
            masked: assignment.masked.to_vec(),
        })))
    }

    fn interpret(&self, ended: &Ended, tail: &str) -> Claim {
        match Closing::last_in(tail) {
            Some(closing) => closing.claim,
            None => Claim::Failed {
                cause: format!("its adapter ended without a closing ({})", ended.exit),
            },
        }
    }

    fn progress(&self, printed: &str) -> Option<Progress> {
        if !self.product.tells_calls {
            return None;
        }
        let mut progress = Progress::default();
        for line in printed.lines() {
            let Ok(entry) = serde_json::from_str::<Entry>(line) else {
                continue;
            };
            match entry {
                // That a request is made again, and whatever a tool prints beside, is no progress.
                Entry::Retried { .. } | Entry::Noted { .. } | Entry::Limited { .. } => continue,
                Entry::Called { .. } => progress.called += 1,
                Entry::Returned { .. } => progress.returned += 1,
                _ => {}
            }
            progress.entries += 1;
        }
        Some(progress)
    }

    fn usage(&self, tail: &str) -> Option<Usage> {
        let tokens = Closing::last_in(tail)?.usage?.tokens();
        Some(Usage { tokens })
    }
}
