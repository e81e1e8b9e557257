//! A coding agent as the engine knows it.

use divisi_core::plan::Work;
use divisi_core::receipt::Usage;
use divisi_core::run::Defined;
use divisi_core::worker::Ended;

use super::closing::Closing;
use super::product::Product;
use super::transcript::Entry;
use crate::agent::{
    Agent, Assignment, Claim, Description, Figures, Kind, Launch, LaunchFault, Monitoring, Process,
    Progress,
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
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Description {
            name: self.product.name.into(),
            kind: Kind::Adapter,
            monitoring: Monitoring {
                progress_ms: Some(self.product.progress_ms),
                ..Monitoring::of(Kind::Adapter)
            },
            credentials: owned(self.product.variables),
            reads: owned(self.product.reads),
            guides: owned(self.product.guides),
            tail_bytes: TAIL_BYTES,
        }
    }

    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault> {
        launch(&self.program, self.product.name, None, assignment)
    }

    fn figures(&self) -> Figures {
        self.product.figures
    }

    fn interpret(&self, ended: &Ended, tail: &str) -> Claim {
        interpret(ended, tail)
    }

    fn progress(&self, printed: &str) -> Option<Progress> {
        self.product.tells_calls.then(|| progress(printed))
    }

    fn usage(&self, tail: &str) -> Option<Usage> {
        usage(tail)
    }

    fn denied(&self, tail: &str) -> Vec<String> {
        Closing::last_in(tail).map_or_else(Vec::new, |closing| closing.denied)
    }
}

/// The same for an agent that configuration defines.
#[derive(Clone, Debug)]
pub struct DefinedAgent {
    /// This binary.
    pub program: String,
    /// As tasks name it.
    pub name: String,
    /// What it is.
    pub defined: Defined,
}

impl Agent for DefinedAgent {
    fn description(&self) -> Description {
        let credentials = match &self.defined {
            Defined::Model(model) => model.key().map(str::to_owned).into_iter().collect(),
            Defined::Program(program) => program.variables.clone(),
        };
        Description {
            name: self.name.clone(),
            kind: Kind::Adapter,
            monitoring: Monitoring::of(Kind::Adapter),
            credentials,
            reads: Vec::new(),
            guides: Vec::new(),
            tail_bytes: TAIL_BYTES,
        }
    }

    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault> {
        launch(&self.program, &self.name, Some(&self.defined), assignment)
    }

    fn figures(&self) -> Figures {
        Figures::of_defined(&self.defined)
    }

    fn interpret(&self, ended: &Ended, tail: &str) -> Claim {
        interpret(ended, tail)
    }

    fn progress(&self, printed: &str) -> Option<Progress> {
        match self.defined {
            Defined::Model(_) => Some(progress(printed)),
            // What it prints is all that is known of it.
            Defined::Program(_) => None,
        }
    }

    fn usage(&self, tail: &str) -> Option<Usage> {
        usage(tail)
    }
}

/// Starts this binary as the adapter of an agent. What configuration says of it holds no secret, and
/// so may stand on a command line.
fn launch(
    program: &str,
    name: &str,
    defined: Option<&Defined>,
    assignment: &Assignment<'_>,
) -> Result<Launch, LaunchFault> {
    let unsuited = |cause: &str| LaunchFault::Unsuited {
        task: assignment.task.id.to_string(),
        agent: name.into(),
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
    let mut argv: Vec<String> = vec![program.into(), "adapter".into(), name.into()];
    if let Some(defined) = defined {
        let text = serde_json::to_string(defined).expect("a definition has only text keys");
        argv.extend(["--defined".into(), text]);
    }
    Ok(Launch::Process(Box::new(Process {
        argv,
        cwd: assignment.workspace.to_owned(),
        env: assignment.variables(),
        stdin: String::new(),
        masked: assignment.masked.to_vec(),
    })))
}

fn interpret(ended: &Ended, tail: &str) -> Claim {
    match Closing::last_in(tail) {
        Some(closing) => closing.claim,
        None => Claim::Failed {
            cause: format!("its adapter ended without a closing ({})", ended.exit),
        },
    }
}

/// What a session's lines tell of its progress.
fn progress(printed: &str) -> Progress {
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
    progress
}

fn usage(tail: &str) -> Option<Usage> {
    let usage = Closing::usage_in(tail)?;
    Some(Usage {
        tokens: usage.tokens(),
        usd_micros: usage.cost_usd_micros,
    })
}
