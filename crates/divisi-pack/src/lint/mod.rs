//! The plan linter: what is wrong with a plan before anything is spent on it.
//!
//! Reading a plan says whether it is one: its structure, its words, its paths. The linter says
//! whether it is a good one, for the request that it answers and the project that it is for: does
//! it cover what was asked and nothing that was excluded, can each task stand alone, is each small
//! enough to be judged, and do tasks that run side by side leave each other alone.
//!
//! [`read`] reads a plan's text and lints it, so that each finding points at the text. [`plan`]
//! does so with a plan that is held already. An error is a fault: who plans by a model or by rule
//! must not propose such a plan. A warning is advice. Whatever is not given is not judged: without
//! the request nothing is said of what it asks, without the project's files nothing of inputs.
//!
//! It decides nothing: a person may run a plan that it finds fault with.

mod asked;
mod beside;
mod meet;
mod named;
mod tasks;
#[cfg(test)]
mod tests;
mod trivial;
mod whole;

pub(crate) use asked::{dropped, words};
pub(crate) use meet::may_meet;
pub use trivial::{Joined, joined};

use divisi_core::Plan;
use divisi_core::TaskSpec;
use divisi_core::diagnostic::Severity;
use divisi_core::plan::{Graph, Parts, Work};
use divisi_core::run::{AGENT_PERSON, Budget, Sizes};

use crate::codes;
use crate::faults::Faults;
use crate::plan_file::{self, Placed, Read, ReadParts, Spans};
use crate::request::Request;
use crate::role::Library;

/// Who wrote the plan. What a person may do on purpose is a fault of a planner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Author {
    /// Somebody.
    #[default]
    Person,
    /// Rules, of a request's own words.
    Rule,
    /// An agent that was asked for it. It says the request in words of its own, and nobody has read
    /// its plan yet.
    Agent,
}

/// What a plan is held against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'g> {
    /// What was asked for.
    pub request: Option<&'g Request>,
    /// The roles that there are.
    pub roles: Option<&'g Library>,
    /// The paths of the project's files, sorted.
    pub files: Option<&'g [String]>,
    /// What the run may use up; of money nothing is estimated.
    pub budget: Budget,
    /// Who wrote the plan.
    pub author: Author,
    /// What counts as large, and what as small.
    pub sizes: Sizes,
}

/// Reads a plan file and lints it: the reader's diagnostics and the linter's, in the order of the
/// text. The plan is `None` exactly if an error is among them.
#[must_use]
pub fn read(source_name: &str, bytes: &[u8], given: &Given<'_>) -> Read {
    let mut read = plan_file::read_also(source_name, bytes, |placed, faults| {
        all(&placed.plan, placed, given, faults);
    });
    told_once(&mut read.diagnostics);
    read
}

/// Takes out what reading advises where the linter finds the same to be a fault.
fn told_once(found: &mut Vec<divisi_core::Diagnostic>) {
    let is_it = |it: &divisi_core::Diagnostic| it.code == codes::UNFALSIFIABLE;
    let faults = { found.iter() }.filter(|it| is_it(it) && it.severity == Severity::Error);
    let faults: Vec<_> = faults.map(|it| it.place.clone()).collect();
    found.retain(|it| !is_it(it) || it.severity == Severity::Error || !faults.contains(&it.place));
}

/// Reads the plan of the whole that an agent wrote, and lints it: the tasks that take the place of
/// the one that planned them, with the criteria of the whole. Trivial ones are joined.
#[must_use]
pub fn read_whole(source_name: &str, bytes: &[u8], given: &Given<'_>) -> ReadParts {
    let mut read = plan_file::read_also(source_name, bytes, |placed, faults| {
        if !placed.plan.preparation.is_empty() {
            let told = faults.error(codes::CONFLICT, 0, || {
                "a plan that is made for a run has `workspace` of its own".to_owned()
            });
            told.hint("leave it out: what workspaces need is said by the project's configuration");
        }
        all(&placed.plan, placed, given, faults);
    });
    told_once(&mut read.diagnostics);
    let is_faulty = |told: &divisi_core::Diagnostic| told.severity == Severity::Error;
    if read.diagnostics.iter().any(is_faulty) {
        read.plan = None;
    }
    // Nobody needs to be asked for what is the same work.
    if let Some(joined) = read
        .plan
        .as_ref()
        .and_then(|plan| joined(plan, &given.sizes))
    {
        read.diagnostics = of_joined(&joined, source_name, given);
        read.plan = Some(joined.plan);
    }
    ReadParts {
        parts: read.plan.map(|plan| Parts {
            tasks: plan.tasks,
            stages: plan.stages,
            criteria: plan.criteria,
            ..Parts::default()
        }),
        diagnostics: read.diagnostics,
    }
}

/// What there is to say about a plan whose tasks were joined: that they were, and what the one task
/// is advised. It has no place in the text that was read.
fn of_joined(
    joined: &Joined,
    source_name: &str,
    given: &Given<'_>,
) -> Vec<divisi_core::Diagnostic> {
    let told = divisi_core::Diagnostic::warning(codes::LINT_TRIVIAL, joined.to_string());
    let advice = plan(source_name, &joined.plan, given).diagnostics;
    let advice = advice.into_iter();
    let advice = advice.filter(|it| it.severity == Severity::Warning);
    let without_place = |it| divisi_core::Diagnostic { place: None, ..it };
    std::iter::once(told)
        .chain(advice.map(without_place))
        .collect()
}

/// What was found in a plan, beside the text that the findings point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linted {
    /// The plan as it would stand in a file.
    pub text: String,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<divisi_core::Diagnostic>,
}

impl Linted {
    /// Whether a fault is among the findings.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        let mut found = self.diagnostics.iter();
        found.any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Lints a plan that is held already, as it would stand in a file.
#[must_use]
pub fn plan(source_name: &str, plan: &Plan, given: &Given<'_>) -> Linted {
    let text = plan_file::write(plan);
    let mut read = plan_file::read_also(source_name, text.as_bytes(), |placed, faults| {
        // A file cannot say everything that a plan holds, so what is judged is the plan itself.
        all(plan, placed, given, faults);
    });
    told_once(&mut read.diagnostics);
    Linted {
        text,
        diagnostics: read.diagnostics,
    }
}

/// A sound plan with what the rules look at.
struct Linter<'l> {
    plan: &'l Plan,
    graph: &'l Graph,
    /// Where the list of tasks starts.
    at: usize,
    spans: &'l [Spans],
    given: &'l Given<'l>,
}

fn all(plan: &Plan, placed: &Placed, given: &Given<'_>, faults: &mut Faults<'_>) {
    let Ok(graph) = plan.graph() else { return };
    let linter = Linter {
        plan,
        graph: &graph,
        at: placed.at,
        spans: &placed.tasks,
        given,
    };
    tasks::check(&linter, faults);
    beside::check(&linter, faults);
    whole::check(&linter, faults);
    trivial::check(&linter, faults);
    asked::check(&linter, faults);
}

/// Whether somebody is handed the task and does what its words say.
fn is_handed_over(task: &TaskSpec) -> bool {
    task.work == Work::Handoff
}

/// Whether an agent is, rather than a person who was named.
fn is_agents(task: &TaskSpec) -> bool {
    is_handed_over(task) && task.agent.as_deref() != Some(AGENT_PERSON)
}
