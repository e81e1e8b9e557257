//! `divisi adapter`: one conversation with a coding agent, as a process under the supervisor.

use std::io;

use divisi_agents::adapter::{PRODUCTS, Stop, converse, product};
use divisi_core::Diagnostic;
use divisi_core::diagnostic::chain;

use crate::cli::Adapter;
use crate::exit::Exit;
use crate::printer::{Failure, Outcome};
use crate::signals::on_interrupt;

/// Holds it. What it came to stands in the last line that it prints; the exit code says only
/// whether there was a conversation at all.
pub(crate) fn run(args: &Adapter) -> Outcome {
    let Some(product) = product(&args.agent) else {
        let known: Vec<&str> = PRODUCTS.iter().map(|product| product.name).collect();
        let text = format!("there is no adapter for {:?}", args.agent);
        let told = Diagnostic::error("adapter-failed", text)
            .hint(format!("there are {}", known.join(", ")));
        return Err(Failure::told(told, Exit::Usage));
    };
    let stop = Stop::default();
    let stopping = stop.clone();
    on_interrupt(move || stopping.say()).map_err(|error| {
        let cause = format!("start a thread: {error}");
        let told = Diagnostic::error("adapter-failed", cause);
        Failure::told(told, Exit::Environment)
    })?;
    match converse(product, stop, &mut io::stdout().lock()) {
        Ok(_) => Ok(Exit::Success),
        Err(fault) => {
            let told = Diagnostic::error("adapter-failed", chain(&fault));
            Err(Failure::told(told, Exit::Environment))
        }
    }
}
