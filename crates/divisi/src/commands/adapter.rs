//! `divisi adapter`: one conversation with a coding agent, as a process under the supervisor.

use std::io;

use divisi_agents::adapter::{
    Closing, Fault, PRODUCTS, Stop, converse, converse_over_acp, converse_plainly, product,
};
use divisi_core::Diagnostic;
use divisi_core::diagnostic::chain;
use divisi_core::run::{Defined, Speaks};

use crate::cli::Adapter;
use crate::exit::Exit;
use crate::printer::{Failure, Outcome};
use crate::signals::on_interrupt;

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
            Some(product) => Ok(converse(product, stop()?, out)),
            None => Err(unknown(&args.agent)),
        };
    };
    match serde_json::from_str(text) {
        Ok(Defined::Model(model)) => Ok(divisi_model::converse(&args.agent, &model, out)),
        Ok(Defined::Program(program)) => match program.speaks {
            Speaks::Text => Ok(converse_plainly(&program, out)),
            Speaks::Acp => Ok(converse_over_acp(&args.agent, &program, stop()?, out)),
        },
        Err(error) => {
            let text = format!("read what {:?} is: {error}", args.agent);
            let told = Diagnostic::error("adapter-failed", text);
            Err(Failure::told(told, Exit::Usage))
        }
    }
}

/// What tells a session to end when this process is told to: the tool is asked to stop first.
fn stop() -> Result<Stop, Failure> {
    let stop = Stop::default();
    let stopping = stop.clone();
    on_interrupt(move || stopping.say()).map_err(|error| {
        let told = Diagnostic::error("adapter-failed", format!("start a thread: {error}"));
        Failure::told(told, Exit::Environment)
    })?;
    Ok(stop)
}

fn unknown(agent: &str) -> Failure {
    let known: Vec<&str> = PRODUCTS.iter().map(|product| product.name).collect();
    let text = format!("there is no adapter for {agent:?}");
    let told =
        Diagnostic::error("adapter-failed", text).hint(format!("there are {}", known.join(", ")));
    Failure::told(told, Exit::Usage)
}
