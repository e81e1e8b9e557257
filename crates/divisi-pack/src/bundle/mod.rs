//! Bundles: a workflow with everything that its expansion reads, and the tasks that come of it.
//!
//! 1. [`assemble`] puts a workflow together with roles, templates and inputs. The [`Bundle`] is
//!    complete in itself: it is kept with the run, so that editing a role while the run works
//!    changes the next run and not this one.
//! 2. [`plan`] makes the plan that a run starts with: a task for each iteration.
//! 3. [`expand`] turns one iteration into tasks, given the paths of the tree as it is when the
//!    iteration starts. The same bundle and paths give the same tasks.
//! 4. [`generate`] makes the folder of an iteration, which people may edit before it is run.
//! 5. [`predict`] expands all iterations against the paths that are there and those that are
//!    promised. It shows what a run would do, and is a guess: agents may make more or less.
//!
//! ```
//! use divisi_pack::{bundle, role::Library, workflow};
//!
//! let text = "workflow: {name: review, iterations: [{name: read, agents: [{role: qa, \
//!             targets: ['src/*.rs'], deliverables: ['reviews/{file_id}.md']}]}]}";
//! let workflow = workflow::read("review.yaml", text.as_bytes()).workflow.unwrap();
//! let given = bundle::Given::default();
//! let bundle = bundle::assemble(&workflow, &Library::built_in(), &[], &given).bundle.unwrap();
//! let expanded = bundle::expand(&bundle, "read", &["src/main.rs", "README.md"]);
//! let tasks = expanded.expansion.unwrap().tasks;
//! assert_eq!(tasks[0].id.as_str(), "read.qa.1");
//! assert_eq!(tasks[0].deliverables[0].path, "reviews/main.md");
//! ```

mod assemble;
mod calibration;
mod criteria;
mod expand;
mod generate;
mod making;
mod plan;
mod predict;
mod prompt;
mod rough;
mod shared;
mod targets;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeMap;

use divisi_core::{Diagnostic, TaskSpec};
use serde::{Deserialize, Serialize};

pub use assemble::{assemble, missing_roles};
pub use calibration::{
    Calibration, MS_PER_POINT, Rate, TOKENS_PER_POINT, TOKENS_PER_POINT_MAX, Took,
};
pub(crate) use expand::Ends;
pub use expand::expand;
pub use generate::{Generated, Written, generate};
pub use plan::plan;
pub use predict::{Prediction, predict};
pub use rough::rough;

use crate::allocation::Share;
use crate::estimate::Estimate;
use crate::folder::context::ContextFile;
use crate::role::Role;
use crate::workflow::{InputValue, Iteration, Lead, Workflow};

/// The version of what a stored bundle looks like.
pub const FORMAT: u32 = 1;

/// How much longer than expected a task may take, in percent: the upper end of its range.
pub const SLACK_PERCENT: u64 = 150;

/// The most tasks of one iteration.
pub const TASKS_MAX: usize = 100_000;

/// The longest prompt, in bytes.
pub const PROMPT_BYTES_MAX: usize = 256 << 10;

/// The longest prompts of one iteration together, in bytes: one event brings them all, and is held
/// in memory whole.
pub const PROMPTS_BYTES_MAX: usize = 32 << 20;

/// A workflow with everything that its expansion reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// [`FORMAT`] when it was stored.
    pub format: u32,
    /// The workflow.
    pub workflow: Workflow,
    /// Its roles, each under the name that the workflow uses, in [`crate::role::canonical`] form.
    pub roles: BTreeMap<String, Role>,
    /// All templates by name.
    pub templates: BTreeMap<String, String>,
    /// For each role's id, the name of its prompts' template.
    pub prompts: BTreeMap<String, String>,
    /// The values of its inputs by name.
    pub inputs: BTreeMap<String, InputValue>,
    /// Agents by role id (`--agent ROLE=AGENT`); under no name, that of every other handoff.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, String>,
    /// Patterns that stand in place of the targets of iterations that wait for none (`--targets`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// What a point takes.
    pub calibration: Calibration,
}

/// What the caller adds to a workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Values of inputs by name, as texts (`--set id=42`); of two for one name the later counts.
    pub inputs: Vec<(String, String)>,
    /// Patterns in place of the targets of iterations that wait for none (`--targets`).
    pub targets: Vec<String>,
    /// Agents by role (`--agent ROLE=AGENT`); with an empty name, that of all others which have
    /// nothing to execute (`--agent AGENT`).
    pub agents: Vec<(String, String)>,
    /// What a point takes.
    pub calibration: Calibration,
    /// What counts where the workflow and its roles say nothing.
    pub usual: Usual,
}

/// What a project's configuration says of all workflows. A workflow's own words count more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usual {
    /// Agents by the id or an alias of a role. One that the workflow does not use is no fault.
    pub agents: Vec<(String, String)>,
    /// How many targets one agent is given at most.
    pub targets_max: Option<u32>,
    /// Who leads.
    pub lead: Option<Lead>,
}

/// A bundle and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// The bundle; `None` exactly if an error is among the diagnostics.
    pub bundle: Option<Bundle>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// One iteration as tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// The iteration's id.
    pub iteration: String,
    /// Its tasks. They wait for each other only; the last one is the iteration's review, which
    /// waits for all others and carries its criteria. Ids are unique in the workflow.
    pub tasks: Vec<TaskSpec>,
    /// What each agent is given, in the order of the tasks, the review left out.
    pub shares: Vec<Share>,
    /// What the tasks are expected to take.
    pub estimate: Estimate,
    /// What all of its tasks are told: the text of its `CONTEXT.md`. Handoffs are given it beside
    /// their prompts, which name it.
    pub context: String,
}

/// An expansion and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expanded {
    /// The expansion; `None` exactly if an error is among the diagnostics.
    pub expansion: Option<Expansion>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

impl Bundle {
    /// The bundle as it is stored.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a bundle has only text keys")
    }

    /// A stored bundle.
    ///
    /// # Errors
    /// Why it cannot be read, as a fragment.
    pub fn from_json(bytes: &[u8]) -> Result<Bundle, String> {
        let bundle: Bundle = serde_json::from_slice(bytes)
            .map_err(|error| format!("the bundle does not parse: {error}"))?;
        if bundle.format != FORMAT {
            let format = bundle.format;
            return Err(format!("the bundle has format {format}, not {FORMAT}"));
        }
        Ok(bundle)
    }

    /// The role of an entry, if it has one.
    #[must_use]
    pub fn role(&self, name: Option<&str>) -> Option<&Role> {
        self.roles.get(&crate::role::canonical(name?))
    }

    /// The role of this id, alias, or name under which the workflow uses it, however it is written.
    #[must_use]
    pub fn role_named(&self, name: &str) -> Option<&Role> {
        assemble::role_named(&self.roles, &crate::role::canonical(name))
    }

    /// What all tasks of an iteration are told, as its `CONTEXT.md` is written from it.
    #[must_use]
    pub fn context_file(&self, iteration: &Iteration) -> ContextFile {
        let told = self.workflow.context.and(&iteration.context);
        ContextFile {
            title: iteration.name.clone(),
            goal: iteration.goal.clone(),
            scope: told.scope,
            references: told.references,
            standards: told.standards,
            knowledge: told.knowledge,
            constraints: told.constraints,
            non_goals: told.non_goals,
        }
    }
}
