//! `divisi adapter`: one conversation with a coding agent, as a process under the supervisor.

use std::io;

use divisi_agents::adapter::{
    Broker, Closing, Decision, Fault, PRODUCTS, Request, converse, converse_plainly, product,
};
use divisi_core::Diagnostic;
use divisi_core::diagnostic::chain;
use divisi_core::run::{Defined, Speaks};

use crate::cli::Adapter;
use crate::exit::Exit;
use crate::printer::{Failure, Outcome};

/// Holds it. What it came to stands in the last line that it prints; the exit code says only
/// whether there was a conversation at all.
pub(crate) fn run(args: &Adapter) -> Outcome {
    match held(args)? {
        Ok(_) => Ok(Exit::Success),
        Err(fault) => {
            let told = Diagnostic::error("adapter-failed", chain(&fault));
            Err(Failure::told(told, Exit::Environment))
        }
    }
}

fn held(args: &Adapter) -> Result<Result<Closing, Fault>, Failure> {
    let out = &mut io::stdout().lock();
    let Some(text) = &args.defined else {
        return match product(&args.agent) {
            Some(product) => Ok(converse(product, out)),
            None => Err(unknown(&args.agent)),
        };
    };
    match serde_json::from_str(text) {
        Ok(Defined::Model(model)) => Ok(divisi_model::converse(&model, &WithinWorkspace, out)),
        Ok(Defined::Program(program)) => match program.speaks {
            Speaks::Text => Ok(converse_plainly(&program, out)),
            Speaks::Acp => Err(unknown(&args.agent)),
        },
        Err(error) => {
            let text = format!("read what {:?} is: {error}", args.agent);
            let told = Diagnostic::error("adapter-failed", text);
            Err(Failure::told(told, Exit::Usage))
        }
    }
}

fn unknown(agent: &str) -> Failure {
    let known: Vec<&str> = PRODUCTS.iter().map(|product| product.name).collect();
    let text = format!("there is no adapter for {agent:?}");
    let told =
        Diagnostic::error("adapter-failed", text).hint(format!("there are {}", known.join(", ")));
    Failure::told(told, Exit::Usage)
}

/// Allows what stays within the workspace, which is the attempt's own: nothing else can be asked for.
struct WithinWorkspace;

impl Broker for WithinWorkspace {
    fn decide(&self, _: &Request) -> Decision {
        Decision::Allow
    }
}
