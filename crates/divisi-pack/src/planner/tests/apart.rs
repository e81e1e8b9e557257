//! Four fifties of requests of many shapes, each written by somebody who knows neither the code nor
//! its rules, and run once against it before anything was mended by them. Since the rules were mended by what they
//! showed, they prove nothing of others any more; the design note has the figures of the first run.
//!
//! Each may be declined with reasons. A plan of it has no fault, no role beside those that are asked
//! for, no task that is not about what is asked for, nothing lost, nothing that must stay among what
//! is changed, and the order that is said. One task is always right, several only where several are
//! asked for.

use std::collections::BTreeSet;

use divisi_core::{Criterion, TaskKind, TaskSpec};

use self::Field::{Audit, Ci, Code, Design, Docs, Research, Review, Tests};
use super::*;

mod first;
mod fourth;
mod second;
mod third;

/// In which field something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Research,
    Design,
    Code,
    Tests,
    Audit,
    Review,
    Docs,
    Ci,
}

impl Field {
    /// Whether a task of this role is of it.
    fn is_of(self, role: &str, task: &TaskSpec) -> bool {
        let roles: &[&str] = match self {
            Code => &[
                "data_scientist",
                "debugger",
                "developer",
                "frontend_developer",
                "performance_engineer",
            ],
            Tests => &["qa"],
            Docs => &["documentation", "sre", "tech_writer"],
            Audit => &["security_analyst"],
            Design => &["architect", "data_architect"],
            Ci => &["cicd", "devops", "sre"],
            // Anybody may find something out, or judge it: that changes nothing.
            Research => return task.kind == TaskKind::Research,
            Review => return task.kind == TaskKind::Review,
        };
        // Load tests are measured by who knows of load.
        roles.contains(&role) || self == Tests && role == "performance_engineer"
    }
}

/// A request and what its plan must be like.
struct Apart {
    request: &'static str,
    works: &'static [Field],
    /// What is asked for, each in words of the request.
    parts: &'static [&'static str],
    /// Whether dividing it is wrong.
    is_one: bool,
    untouched: &'static [&'static str],
    order: &'static [(&'static str, &'static str)],
    /// What only says how it is, each in words of the request.
    background: &'static [&'static str],
}

const fn apart(
    request: &'static str,
    works: &'static [Field],
    parts: &'static [&'static str],
) -> Apart {
    Apart {
        request,
        works,
        parts,
        is_one: false,
        untouched: &[],
        order: &[],
        background: &[],
    }
}

impl Apart {
    const fn one(self) -> Apart {
        Apart {
            is_one: true,
            ..self
        }
    }

    const fn untouched(self, untouched: &'static [&'static str]) -> Apart {
        Apart { untouched, ..self }
    }

    const fn background(self, background: &'static [&'static str]) -> Apart {
        Apart { background, ..self }
    }

    const fn order(self, order: &'static [(&'static str, &'static str)]) -> Apart {
        Apart { order, ..self }
    }
}

/// All that is asked for.
pub(super) fn texts() -> Vec<&'static str> {
    let all = first::FIRST
        .iter()
        .chain(second::SECOND)
        .chain(third::THIRD)
        .chain(fourth::FOURTH);
    all.map(|apart| apart.request).collect()
}

/// How many are one task, several, and declined.
type Counts = [usize; 3];

#[track_caller]
fn all_are_right(all: &[Apart], expected: Counts) {
    assert_eq!(all.len(), 50);
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for apart in all {
        // Without a command that tests it, a task is bounded by its files.
        match answer_with(apart.request, |facts| facts.tests = None) {
            Answer::Planned(planned) => {
                counts[usize::from(planned.plan.tasks.len() > 1)] += 1;
                let why = JUDGES.iter().find_map(|judge| judge(apart, &planned));
                wrong.extend(why.map(|why| format!("{}\n  {why}", apart.request)));
            }
            Answer::Declined(declined) => {
                assert_ne!(declined.reasons, [], "{}", apart.request);
                counts[2] += 1;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of 50 are wrong, {counts:?} are one task, several, declined:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // See `docs/design/planner.md`.
    assert_eq!(counts, expected);
}

#[test]
fn fifty_requests_written_apart_are_planned_as_asked_or_declined() {
    all_are_right(first::FIRST, [19, 30, 1]);
}

#[test]
fn a_second_fifty_is_planned_as_asked_or_declined() {
    all_are_right(second::SECOND, [29, 21, 0]);
}

#[test]
fn a_third_fifty_is_planned_as_asked_or_declined() {
    all_are_right(third::THIRD, [35, 15, 0]);
}

#[test]
fn a_fourth_fifty_is_planned_as_asked_or_declined() {
    all_are_right(fourth::FOURTH, [39, 11, 0]);
}

/// What each plan is judged by: what is wrong about it, in one line.
const JUDGES: &[fn(&Apart, &Planned) -> Option<String>] = &[
    fault,
    role_outside,
    field_without_role,
    task_of_nothing,
    task_of_background,
    lost,
    touched,
    out_of_order,
    bounded,
    divided,
];

fn is_undivided(planned: &Planned) -> bool {
    planned.plan.tasks.len() == 1
}

/// What a task is told of its own: in one of several, without the request that each quotes.
fn own(apart: &Apart, planned: &Planned, task: &TaskSpec) -> String {
    let quoted = request::read(apart.request).quoted();
    let description = match is_undivided(planned) {
        true => task.description.clone(),
        false => task.description.replace(&quoted, ""),
    };
    let made = task.deliverables.iter().map(|it| it.path.as_str());
    let made: Vec<&str> = made.collect();
    format!("{}\n{description}\n{}", task.title, made.join("\n")).to_lowercase()
}

/// What a task is about: its title and its part of the request, which of the only one is all.
fn about(task: &TaskSpec, planned: &Planned) -> String {
    let of = match is_undivided(planned) {
        true => task.description.as_str(),
        false => task.description.lines().next().unwrap_or_default(),
    };
    format!("{}\n{of}", task.title).to_lowercase()
}

fn fault(apart: &Apart, planned: &Planned) -> Option<String> {
    let (files, library) = (files(), Library::built_in());
    let request = request::read(apart.request);
    let given = lint::Given {
        request: Some(&request),
        roles: Some(&library),
        files: Some(&files),
        ..lint::Given::default()
    };
    let found = lint::plan("plan", &planned.plan, &given);
    found
        .is_faulty()
        .then(|| format!("{:?}", found.diagnostics))
}

fn role_outside(apart: &Apart, planned: &Planned) -> Option<String> {
    let roles = Library::built_in();
    // A person's word is nobody's role.
    let tasks = planned.plan.tasks.iter();
    let mut tasks = tasks.filter(|task| task.kind != TaskKind::Approval);
    tasks.find_map(|task| {
        let role = roles.of_task(task.domain.as_deref(), task.function.as_deref());
        let role = role.map(|role| role.id.as_str()).unwrap_or_default();
        let is_whole = is_undivided(planned) && role == "development";
        let is_asked = apart.works.iter().any(|work| work.is_of(role, task));
        (!is_whole && !is_asked).then(|| format!("{}: {role} is not asked for", task.title))
    })
}

/// Where work is divided, each field has its own role in it.
fn field_without_role(apart: &Apart, planned: &Planned) -> Option<String> {
    let roles = Library::built_in();
    let is_of = |field: &Field, task: &TaskSpec| {
        let role = roles.of_task(task.domain.as_deref(), task.function.as_deref());
        role.is_some_and(|role| field.is_of(&role.id, task))
    };
    let has = |field: &Field| planned.plan.tasks.iter().any(|task| is_of(field, task));
    let missing = apart.works.iter().find(|field| !has(field))?;
    (!is_undivided(planned)).then(|| format!("no task is for who does {missing:?}"))
}

/// A task of background, of manner or of what is excluded is about nothing that is asked for.
fn task_of_nothing(apart: &Apart, planned: &Planned) -> Option<String> {
    let mut tasks = planned.plan.tasks.iter();
    let of_nothing = tasks.find(|task| {
        let about = about(task, planned);
        let mut parts = apart.parts.iter();
        !parts.any(|part| about.contains(&part.to_lowercase()))
    })?;
    Some(format!("{} is no task", of_nothing.title))
}

/// What only says how it is makes no task of its own, where work is divided.
fn task_of_background(apart: &Apart, planned: &Planned) -> Option<String> {
    if is_undivided(planned) {
        return None;
    }
    let told = |task: &&TaskSpec| {
        let title = task.title.to_lowercase();
        let mut background = apart.background.iter();
        background.any(|it| title.contains(&it.to_lowercase()))
    };
    let task = planned.plan.tasks.iter().find(told)?;
    Some(format!("{} asks for nothing", task.title))
}

fn lost(apart: &Apart, planned: &Planned) -> Option<String> {
    let tasks = planned.plan.tasks.iter();
    let told: Vec<String> = tasks.map(|task| own(apart, planned, task)).collect();
    let is_told = |part: &str| told.iter().any(|told| told.contains(&part.to_lowercase()));
    let lost = apart.parts.iter().find(|part| !is_told(part))?;
    Some(format!("{lost} is in no task"))
}

/// What must stay is in no title, promise or scope of what changes something. A title that is the
/// request itself, perhaps with a capital letter, says that it must stay.
fn touched(apart: &Apart, planned: &Planned) -> Option<String> {
    let whole = naming::line(apart.request);
    let changing = planned.plan.tasks.iter();
    let mut changing = changing.filter(|task| task.kind == TaskKind::Work);
    changing.find_map(|task| {
        let title = Some(task.title.as_str()).filter(|title| !title.eq_ignore_ascii_case(&whole));
        let made = task.deliverables.iter().map(|it| it.path.as_str());
        let may = title
            .into_iter()
            .chain(made)
            .chain(task.scope.iter().map(String::as_str));
        let may: Vec<String> = may.map(str::to_lowercase).collect();
        let mut untouched = apart.untouched.iter();
        let found = untouched.find(|it| {
            let it = it.to_lowercase();
            may.iter().any(|may| may.contains(&it))
        })?;
        Some(format!("{} may change {found}", task.title))
    })
}

fn out_of_order(apart: &Apart, planned: &Planned) -> Option<String> {
    if is_undivided(planned) {
        return None;
    }
    let graph = planned.plan.graph().expect("it is sound");
    apart.order.iter().find_map(|&(before, then)| {
        let (Some(from), Some(to)) = (doing(planned, before), doing(planned, then)) else {
            return Some(format!("no task does {before}, or none does {then}"));
        };
        let mut open = vec![to];
        let mut met = BTreeSet::new();
        while let Some(at) = open.pop() {
            if at == from {
                return None;
            }
            let waits = graph.dependencies[at].iter().map(|&on| on as usize);
            open.extend(waits.filter(|&on| met.insert(on)));
        }
        Some(format!("{then} does not wait for {before}"))
    })
}

/// The task that does what these words say: the one that is about most of them.
fn doing(planned: &Planned, words: &str) -> Option<usize> {
    let words = words.to_lowercase();
    let tasks = planned.plan.tasks.iter();
    let tasks = tasks.map(|task| about(task, planned)).enumerate();
    let shared = tasks.map(|(at, about)| {
        let mut count = words.split(' ').filter(|it| about.contains(it)).count();
        if about.contains(&words) {
            count += words.len();
        }
        (count, at)
    });
    let best = shared.max_by_key(|&(count, at)| (count, usize::MAX - at))?;
    (best.0 > 0).then_some(best.1)
}

/// Who may change some files alone has not more to do, in others.
fn bounded(apart: &Apart, planned: &Planned) -> Option<String> {
    let request = request::read(apart.request);
    let is_bounded = |task: &&TaskSpec| {
        let mut criteria = task.criteria.iter();
        request.bounds.is_empty()
            && criteria.any(|it| match it {
                Criterion::Scope { patterns } => patterns.iter().any(|it| !it.starts_with('!')),
                _ => false,
            })
    };
    let mut tasks = planned.plan.tasks.iter().filter(is_bounded);
    let task = tasks.find(|task| {
        let about = about(task, planned);
        let says = |part: &str| about.contains(&part.to_lowercase());
        let title = task.title.to_lowercase();
        let is_all = |part: &&'static str| title.contains(&part.to_lowercase());
        apart
            .order
            .iter()
            .any(|(one, other)| says(one) && says(other))
            || is_undivided(planned) && !apart.parts.iter().all(is_all)
    })?;
    Some(format!("{} is bounded, and has more to do", task.title))
}

fn divided(apart: &Apart, planned: &Planned) -> Option<String> {
    let several = planned.plan.tasks.len() > 1;
    (apart.is_one && several).then(|| "one piece of work is several tasks".to_owned())
}
