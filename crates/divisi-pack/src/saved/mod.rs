//! A run saved as a workflow: what it did becomes iterations, and what it was about becomes inputs.
//!
//! - The run of a workflow has its rules in its bundle: [`of_bundle`] writes them down again, with
//!   the values that the run was given as the defaults of its inputs.
//! - The run of a plan has tasks: [`of_plan`] makes an entry of each. A file that tasks are given
//!   becomes an input of type `path`, and so do the places where it, or a path that is named after
//!   it, stands to the letter. Nothing is guessed beyond that.
//!
//! Both are pure, and both say what they did not carry over. [`text`] is the file; whoever writes it
//! reads it back first, and [`differences`] says where its tasks are not those of the run.

mod layers;
mod of_bundle;
mod of_plan;
mod parameters;
mod script;
mod standing;
#[cfg(test)]
mod tests;
mod verify;

pub use of_bundle::of_bundle;
pub use of_plan::{Known, of_plan};
pub use standing::{Standing, standing};
pub use verify::differences;

use serde::Serialize;

use crate::printable;
use crate::workflow::{self, Workflow};

/// A workflow made of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The workflow. Its places are those of no text.
    pub workflow: Workflow,
    /// What was recognized as a parameter.
    pub parameters: Vec<Parameter>,
    /// What was kept as it stands although it names a parameter's value, in words.
    pub literal: Vec<String>,
    /// What the run had and the workflow has not, in words.
    pub left_out: Vec<String>,
}

/// Something that the workflow takes as an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// The input's name.
    pub name: String,
    /// What it was in the run: the input's default.
    pub value: String,
    /// Why it is a parameter.
    pub of: Origin,
}

/// Why something is a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A file that tasks were given.
    Target,
    /// The goal, whose words stand in tasks.
    Goal,
    /// An input of the workflow that was run.
    Input,
}

impl Origin {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Origin::Target => "target",
            Origin::Goal => "goal",
            Origin::Input => "input",
        }
    }
}

/// A name for the workflow of a run: its title as a name is written, or what `otherwise` says.
#[must_use]
pub fn name(title: &str, otherwise: &str) -> String {
    workflow::slug(title, otherwise)
}

/// The file of a workflow that was saved. `from` says what of, for its first line.
#[must_use]
pub fn text(saved: &Saved, from: &str) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str("# ");
        text.push_str(&printable(&line).replace('\n', " "));
        text.push('\n');
    };
    say(format!("Saved from {from}."));
    for literal in &saved.literal {
        say(format!("Kept as it stands: {literal}"));
    }
    for left_out in &saved.left_out {
        say(format!("Not carried over: {left_out}"));
    }
    text + &workflow::write(&saved.workflow)
}
