//! The adapter process of a model: from the handoff to the closing.

use std::io::Write;

use divisi_agents::adapter::{
    Broker, Closing, Entry, Fault, Meter, Surroundings, print, print_closing, prompt, read_handoff,
    told,
};
use divisi_core::run::DefinedModel;

use super::asking::{Asking, address};
use super::functions::Hands;
use super::turns::Loop;

/// Holds the session that the environment describes with a model, which is an agent of this name, and
/// prints it. Its last line is the closing, which is also returned.
///
/// # Errors
/// There was none. A closing that says so was printed if anything could be.
pub fn converse(agent: &str, model: &DefinedModel, out: &mut dyn Write) -> Result<Closing, Fault> {
    let held = Surroundings::here().and_then(|here| {
        let broker = here.broker();
        converse_in(agent, model, &here, broker.as_ref(), out)
    });
    told(held, out)
}

fn converse_in(
    agent: &str,
    model: &DefinedModel,
    here: &Surroundings,
    broker: &dyn Broker,
    out: &mut dyn Write,
) -> Result<Closing, Fault> {
    let handoff = read_handoff(&here.handoff)?;
    let key = match model.key() {
        None => None,
        Some(name) => {
            let value = here.variables.get(name).filter(|value| !value.is_empty());
            Some(value.ok_or_else(|| Fault::Key(name.to_owned()))?.clone())
        }
    };
    let root = std::env::current_dir().map_err(Fault::Workspace)?;
    let asking = Asking::prepare(model, key).map_err(Fault::Model)?;
    let mut hands = Hands::new(&root, broker, &here.masked, model.key().map(str::to_owned));
    let mut tell = |entry: Entry| print(entry, &here.masked, out);
    tell(Entry::Noted {
        text: format!("asks {} at {}", model.model, address(model)),
    })
    .map_err(Fault::Stream)?;
    let closing = Loop {
        ask: &mut |messages| asking.ask(messages),
        call: &mut |call| hands.call(call),
        wait: &mut std::thread::sleep,
        tell: &mut tell,
        bounds: model.bounds,
        meter: Meter::of_answers(agent, Some(&model.model), here.reservation.clone()),
        key: model.key(),
    }
    .hold(prompt(&handoff))
    .map_err(Fault::Stream)?;
    print_closing(&closing, &here.masked, out).map_err(Fault::Stream)?;
    Ok(closing)
}
