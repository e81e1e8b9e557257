//! Planning by rule: a request becomes a plan where its own words say the parts, or it is declined.
//!
//! [`by_rule`] is one planner; one that asks an agent answers in the same form: an [`Answer`] is
//! either a plan, with the tasks by which it covers each part of the request, or the reasons why
//! there is none, with one task to propose instead. No plan is ever invented: what the text does
//! not say apart stays one task.
//!
//! - `approvals` puts a person's word between tasks, where the request waits for it.
//! - `asked` describes the plan that an agent is asked for.
//! - `catalog` knows requests that a built-in workflow answers.
//! - `steps` makes the request's parts into steps and orders them.
//! - `passes` makes a task of each component of a whole system and of each half of a pack, where the
//!   request names them.
//! - `each` makes criteria of what each of several files is said to have.
//! - `making` makes a task of each step: role, scope, files, criteria, estimate.
//! - `ran` gives steps that only run the tests to what stands before them.
//! - `suite` knows after which steps the project's own tests need not pass yet.
//! - `results` knows the file in which somebody who looks says what was found.
//! - `spared` makes criteria of what must stay as it is.
//!
//! Every plan passes the linter, which has the last word. The same request and facts give the same
//! plan, to the byte; the work is bounded by the request's bounds, see [`crate::request`].

mod approvals;
pub mod asked;
pub mod by_agent;
mod catalog;
mod changed;
mod each;
mod making;
mod naming;
mod order;
mod passes;
mod ran;
mod restraint;
mod results;
mod shown;
mod spared;
mod steps;
mod suite;
mod tested;
#[cfg(test)]
mod tests;
mod whole;

use std::fmt;

use divisi_core::intent::{self, Settled};
use divisi_core::plan::Work;
use divisi_core::run::{Budget, Sizes};
use divisi_core::{Criterion, Diagnostic, Plan, TaskId};

use crate::codes;
use crate::lint;
use crate::request::Request;
use crate::role::Library;
use crate::stated;

pub use catalog::REVIEW;
pub(crate) use catalog::known as known_workflow;
pub(crate) use making::ALSO_SAID;
pub use tested::{Manifest, manifests, says_how_to_test, tested_by};

/// What a planner knows of the project.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// The paths of its files, sorted; `None` if they are not known.
    pub files: Option<&'f [String]>,
    /// The roles that there are.
    pub roles: &'f Library,
    /// The command by which the project tests itself, if it has one.
    pub tests: Option<&'f [String]>,
    /// Who reviews.
    pub reviewers: Reviewers,
    /// Whether agents judge what no rule can.
    pub has_judges: bool,
    /// What the run may use up.
    pub budget: Budget,
    /// What counts as large, and what as small.
    pub sizes: Sizes,
}

/// Who reviews where the request asks for nothing but a review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reviewers {
    /// Agents, in their roles.
    #[default]
    Agents,
    /// Programs: no agent is there. What they cannot judge they list as not reviewed.
    Programs,
}

/// What a planner answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// A plan.
    Planned(Box<Planned>),
    /// No plan, and why.
    Declined(Box<Declined>),
}

/// A plan and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// For each part of the request the tasks that do it, by their index. A part that only states
    /// what must hold has none: the plan's criteria say it.
    pub covers: Vec<Vec<usize>>,
    /// By which pattern.
    pub pattern: Pattern,
    /// What the linter advises.
    pub advice: Vec<Diagnostic>,
}

impl Planned {
    /// Places the advice anew, in a plan that was changed since, as it stands in a file of this name.
    pub fn advise(&mut self, source_name: &str, request: &Request, facts: &Facts<'_>) {
        let found = lint::plan(source_name, &self.plan, &given(request, facts));
        self.take_advice(found.diagnostics);
    }

    fn take_advice(&mut self, advice: Vec<Diagnostic>) {
        self.advice = advice;
        // Rules divide as the words do, no further and no less: what they advise of that would be
        // advice against their own plan.
        let is_of_division = [
            codes::LINT_TASK_LONG,
            codes::LINT_TASKS_FEW,
            codes::LINT_TRIVIAL,
        ];
        self.advice
            .retain(|it| !is_of_division.contains(&it.code.as_str()));
        if matches!(self.pattern, Pattern::Workflow(_)) {
            take_as_workflow(&mut self.advice);
        }
    }
}

/// Takes out of what is found in a workflow's plan what is said of the parts of the request: which
/// roles it takes the workflow says, and who asks for it asks for them.
pub fn take_as_workflow(found: &mut Vec<Diagnostic>) {
    let is_its = [codes::LINT_UNASKED, codes::LINT_UNCOVERED];
    found.retain(|it| !is_its.contains(&it.code.as_str()));
}

/// How a request was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// It asks for one thing.
    One,
    /// By its own arrows, lists and clauses.
    Structure,
    /// The same into these tasks, which are together no more than one, and were joined.
    Joined(Vec<TaskId>),
    /// The same into these tasks, of which none could be checked before the last one is done.
    Inseparable(Vec<TaskId>),
    /// By a workflow of this name.
    Workflow(String),
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// At least one.
    pub reasons: Vec<Reason>,
    /// The whole request as one task.
    pub proposal: Plan,
}

/// A reason to decline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing was asked.
    Empty,
    /// The request is longer than is read.
    TooLong,
    /// Nothing says what is to be done.
    NothingToDo(String),
    /// What is asked for is a whole system, and its parts are not named.
    Whole(String),
    /// The request asks for something and excludes it.
    Contradiction {
        /// What is asked for.
        part: String,
        /// What excludes it.
        exclusion: String,
    },
    /// What it says about the order leads in a circle.
    Circle,
    /// A workflow would answer it, and cannot be used.
    Workflow {
        /// The workflow.
        name: String,
        /// Why not.
        why: String,
    },
    /// The plan that its words give has this fault.
    Fault(Box<Diagnostic>),
}

impl Reason {
    /// Whether another planner would meet it too: it is the request's own.
    #[must_use]
    pub fn is_of_request(&self) -> bool {
        match self {
            Reason::Empty
            | Reason::TooLong
            | Reason::NothingToDo(_)
            | Reason::Contradiction { .. }
            | Reason::Circle => true,
            Reason::Whole(_) | Reason::Workflow { .. } | Reason::Fault(_) => false,
        }
    }
}

/// A sentence fragment.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::faults::shown;
        match self {
            Reason::Empty => write!(f, "nothing is asked for"),
            Reason::TooLong => write!(
                f,
                "the request is longer than is read, which is {} bytes and {} parts",
                crate::request::REQUEST_BYTES_MAX,
                crate::request::PARTS_MAX
            ),
            Reason::NothingToDo(part) => {
                write!(f, "no word says what is to be done in {}", shown(part))
            }
            Reason::Whole(word) => write!(
                f,
                "{} is a whole system, and no rule can tell its parts: name them",
                shown(word)
            ),
            Reason::Contradiction { part, exclusion } => {
                write!(
                    f,
                    "it asks for {} and says {}",
                    shown(part),
                    shown(exclusion)
                )
            }
            Reason::Circle => write!(f, "what it says about the order leads in a circle"),
            Reason::Workflow { name, why } => {
                write!(f, "the workflow {} would answer it, but {why}", shown(name))
            }
            Reason::Fault(fault) => write!(f, "{}", fault.cause),
        }
    }
}

/// The tasks of a plan repeat the request up to so many bytes; what would take more is a plan file.
const REPEATED_BYTES_MAX: usize = 512 << 10;

/// Plans a request by its own words and the catalog.
pub fn by_rule(request: &Request, facts: &Facts<'_>) -> Answer {
    let mut planned = propose(request, facts);
    if let Ok(planned) = &mut planned {
        spared::hold_all_else(&mut planned.plan, request, facts);
    }
    let declined = |reasons| Declined {
        reasons,
        proposal: whole(request, facts),
    };
    let mut planned = match planned {
        Ok(planned) => as_joined(planned, &facts.sizes),
        Err(reasons) => return Answer::Declined(Box::new(declined(reasons))),
    };
    spared::hold(&mut planned.plan, request, facts);
    restraint::hold(&mut planned, request);
    shown::judge(&mut planned, request, facts);
    whole::judge_once(&mut planned.plan, request);
    let found = lint::plan("the plan", &planned.plan, &given(request, facts));
    if !found.is_faulty() {
        planned.take_advice(found.diagnostics);
        return Answer::Planned(Box::new(planned));
    }
    let faults = found.diagnostics.into_iter();
    let faults = faults.filter(|it| it.severity == divisi_core::diagnostic::Severity::Error);
    let reasons = faults.map(|fault| Reason::Fault(Box::new(fault)));
    Answer::Declined(Box::new(declined(reasons.collect())))
}

/// A plan by the request's own words whose tasks are worth no plan is one task.
fn as_joined(planned: Planned, sizes: &Sizes) -> Planned {
    let joined = match planned.pattern {
        Pattern::Structure => lint::joined(&planned.plan, sizes),
        Pattern::One | Pattern::Joined(_) | Pattern::Inseparable(_) | Pattern::Workflow(_) => None,
    };
    match joined {
        None => planned,
        Some(joined) => Planned {
            plan: joined.plan,
            covers: { planned.covers.into_iter() }
                .map(|tasks| tasks.into_iter().take(1).map(|_| 0).collect())
                .collect(),
            pattern: Pattern::Joined(joined.of),
            advice: Vec::new(),
        },
    }
}

/// The whole request as one task, for whoever does not want it split. It is declined only where it
/// is longer than is read: a task of half of it would look like all of it.
///
/// It is judged as the same request is where its words divide it: so the two can be compared.
pub fn as_one(request: &Request, facts: &Facts<'_>) -> Answer {
    let mut plan = whole::one(request, facts);
    if let Ok(mut divided) = propose(request, facts)
        && !matches!(divided.pattern, Pattern::Workflow(_))
    {
        spared::hold_all_else(&mut divided.plan, request, facts);
        whole::judge_as(&mut plan, divided.plan);
    }
    spared::hold(&mut plan, request, facts);
    if request.left_out_bytes > 0 {
        return Answer::Declined(Box::new(Declined {
            reasons: vec![Reason::TooLong],
            proposal: plan,
        }));
    }
    let mut planned = undivided(request, plan);
    restraint::hold(&mut planned, request);
    shown::judge(&mut planned, request, facts);
    whole::judge_once(&mut planned.plan, request);
    Answer::Planned(Box::new(planned))
}

/// The whole request as a plan of one task.
fn whole(request: &Request, facts: &Facts<'_>) -> Plan {
    let mut plan = whole::one(request, facts);
    spared::hold(&mut plan, request, facts);
    plan
}

/// A plan of one task that does all parts.
fn undivided(request: &Request, plan: Plan) -> Planned {
    Planned {
        covers: vec![vec![0]; request.parts.len()],
        plan,
        pattern: Pattern::One,
        advice: Vec::new(),
    }
}

/// The words for which a request is not divided although it says parts, if some are: they may be work
/// of their own that no rule understood, or take back what was said.
#[must_use]
pub fn doubtful(request: &Request) -> Option<&str> {
    steps::undivided(request)
}

/// Tells whoever is handed a task what was settled about the request beside its words.
pub fn tell(plan: &mut Plan, settled: &[Settled]) {
    let said = |it: &Settled| {
        let how = match it.is_assumed {
            true => " (assumed)",
            false => "",
        };
        format!("{} {}{how}", it.asks, it.answer)
    };
    let said: Vec<String> = settled.iter().map(said).collect();
    if said.is_empty() {
        return;
    }
    for task in plan.tasks.iter_mut().filter(|it| it.work == Work::Handoff) {
        if !task.description.is_empty() {
            task.description.push('\n');
        }
        task.description
            .push_str(&format!("Settled: {}", said.join("; ")));
    }
}

/// What a plan is known to leave out of what somebody may believe was done.
#[must_use]
pub fn left_out(
    by: &intent::Planner,
    plan: &Plan,
    request: &Request,
    facts: &Facts<'_>,
) -> Vec<String> {
    // Where an agent judges, it judges them; one that plans may have made a check of them, or not.
    let is_judged = facts.has_judges && *by != intent::Planner::Agent;
    let unread = spared::unread(plan, request, facts).into_iter();
    let mut left_out: Vec<String> = { unread }
        .filter(|_| !is_judged)
        .map(|said| format!("nothing checks {}", crate::faults::shown(said)))
        .collect();
    if matches!(by, intent::Planner::Workflow(name) if name == REVIEW) {
        left_out.extend(catalog::not_reviewed(plan, facts.reviewers));
    }
    left_out
}

/// What a plan by rule is held against.
#[must_use]
pub fn given<'g>(request: &'g Request, facts: &Facts<'g>) -> lint::Given<'g> {
    lint::Given {
        request: Some(request),
        roles: Some(facts.roles),
        files: facts.files,
        budget: facts.budget,
        author: lint::Author::Rule,
        sizes: facts.sizes,
    }
}

fn propose(request: &Request, facts: &Facts<'_>) -> Result<Planned, Vec<Reason>> {
    if request.text.is_empty() {
        return Err(vec![Reason::Empty]);
    }
    if request.is_cut {
        return Err(vec![Reason::TooLong]);
    }
    let contradictions = steps::contradictions(request);
    if !contradictions.is_empty() {
        return Err(contradictions);
    }
    if let Some(planned) = catalog::plan(request, facts) {
        return planned.map_err(|reason| vec![reason]);
    }
    let stated = stated::of(request);
    if stated::is_all(request, &stated) {
        return Ok(undivided(request, whole::one(request, facts)));
    }
    let steps = match steps::of(request, &stated, &facts.sizes) {
        Ok(steps) => steps,
        // Whoever does it knows more words than the rules do.
        Err(reasons) if reasons.iter().all(is_unknown) && says_work(request) => {
            return Ok(undivided(request, whole::one(request, facts)));
        }
        Err(reasons) => return passes::plan(request, facts, &reasons).ok_or(reasons),
    };
    if steps.len() * request.text.len() > REPEATED_BYTES_MAX {
        // Each task is told the whole request.
        return Err(vec![Reason::TooLong]);
    }
    if steps::undivided(request).is_some() {
        return Ok(undivided(request, whole::one(request, facts)));
    }
    let Some(steps) = ran::folded(steps, facts) else {
        return Ok(undivided(request, whole::one(request, facts)));
    };
    if let Some(planned) = passes::of_pack(request, facts) {
        return Ok(planned);
    }
    let order = order::of(request, &steps)?;
    Ok(making::plan(request, facts, &stated, &steps, &order))
}

/// Whether a reason is only that no rule knows what is to be done.
fn is_unknown(reason: &Reason) -> bool {
    matches!(reason, Reason::NothingToDo(_))
}

/// A text of fewer words that no rule understands is a slip, a mistyped path for one, more likely
/// than a request.
const REQUEST_WORDS_MIN: usize = 4;

/// Whether a text whose verbs no rule knows may be a request all the same: it has the length of one,
/// and does not only forbid.
#[must_use]
pub fn says_work(request: &Request) -> bool {
    let wanted = request.wanted();
    let words = wanted.split_whitespace();
    let words = words.filter(|word| word.contains(char::is_alphanumeric));
    let words: std::collections::BTreeSet<&str> = words.collect();
    words.len() >= REQUEST_WORDS_MIN
}

/// A criterion that a person or a reviewer judges.
fn judged(text: String) -> Criterion {
    Criterion::Plain { text }
}
