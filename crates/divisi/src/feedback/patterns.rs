//! What repeats, found by rules.
//!
//! | rule | fires when | teaches |
//! |---|---|---|
//! | `criterion-refused` | one criterion refused two attempts of a role | the role is bound by its words |
//! | `section-missing` | the same of a section, where prompts come of templates | the role's template names it |
//! | `estimate-off` | at least three tasks took 1.5 times their estimates, or half | what a point takes |
//! | `role-overdue` | two attempts of a role were past the usual time box | twice the time box |
//!
//! Few rules, since each proposal costs somebody's attention. A rule may have nothing that it could
//! change; then it says what a person might.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::plan::Work;
use divisi_core::run::{AttemptEnd, Run, StopReason, Task, TaskState, holds_slot, is_scripted};
use divisi_core::{Criterion, TaskNo};
use divisi_pack::printable;
use serde::Serialize;

use super::figures::{criterion, refused, words};
use crate::words::{plural, span};

/// Once is a slip, and the next attempt is told of it anyway; twice says that nobody was told
/// before.
const REFUSALS_MIN: u32 = 2;

/// Fewer tasks say more about the tasks than about the estimates.
const ESTIMATED_MIN: u32 = 3;

/// A time box that is too short once may have met a slow machine.
const OVERDUE_MIN: u32 = 2;

/// Something that repeats.
#[derive(Debug, Serialize)]
pub(crate) struct Pattern {
    /// The rule that found it.
    pub(crate) rule: &'static str,
    /// The role it is about, as tasks name it.
    pub(crate) role: Option<String>,
    /// What was seen, in figures.
    pub(crate) seen: String,
    /// What to do about it, where no lesson does.
    pub(crate) advice: String,
    /// The lesson that was made of it, if one was.
    pub(crate) lesson: Option<String>,
    /// What it teaches.
    #[serde(skip)]
    pub(crate) change: Change,
}

/// What a pattern would change in the project.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// The role of such tasks is bound by more words.
    Bind {
        domain: Option<String>,
        function: Option<String>,
        words: String,
    },
    /// The template of such a role names a section.
    Extend {
        domain: Option<String>,
        function: Option<String>,
        section: Criterion,
    },
    /// What a point takes, times this.
    Points(f64),
    /// The usual time box, in milliseconds.
    TimeBox(u64),
    /// Nothing that a diff could say.
    Nothing,
}

/// All patterns of a run.
pub(super) fn of(run: &Run) -> Vec<Pattern> {
    let by_rules = by_rules(run);
    let mut patterns = refusals(run, &by_rules);
    patterns.extend(estimates(run, &by_rules));
    patterns.extend(overdue(run));
    patterns
}

/// Tasks that rules made: their prompts come of templates, their estimates of points.
fn by_rules(run: &Run) -> BTreeSet<TaskNo> {
    let expanded = run.tasks().iter().filter_map(|task| match &task.state {
        TaskState::Split(parts) if matches!(task.spec.work, Work::Expand(_)) => Some(parts),
        _ => None,
    });
    expanded.flatten().copied().collect()
}

fn numbered(run: &Run) -> impl Iterator<Item = (TaskNo, &Task)> {
    let tasks = run.tasks().iter().enumerate();
    tasks.map(|(no, task)| (TaskNo(no as u32), task))
}

/// Refusals of one role's attempts by one criterion.
struct Refused<'r> {
    task: &'r Task,
    criterion: &'r Criterion,
    times: u32,
    tasks: BTreeSet<TaskNo>,
}

fn refusals(run: &Run, by_rules: &BTreeSet<TaskNo>) -> Vec<Pattern> {
    let mut all: BTreeMap<(String, String), Refused<'_>> = BTreeMap::new();
    for (no, task) in numbered(run) {
        let Some(role) = task.spec.role() else {
            continue;
        };
        for verdict in task.endings.iter().flat_map(|ending| refused(&ending.end)) {
            let Some(criterion) = criterion(task, verdict) else {
                continue;
            };
            // Its words would tell nobody anything.
            if *criterion == Criterion::ExitStatus {
                continue;
            }
            let key = (role.clone(), words(Some(criterion)));
            let refused = all.entry(key).or_insert_with(|| Refused {
                task,
                criterion,
                times: 0,
                tasks: BTreeSet::new(),
            });
            refused.times += 1;
            refused.tasks.insert(no);
        }
    }
    let often = all.into_iter().filter(|(_, it)| it.times >= REFUSALS_MIN);
    let pattern = |((role, words), refused): ((String, String), Refused<'_>)| {
        let words = printable(&words);
        let spec = &refused.task.spec;
        let (domain, function) = (spec.domain.clone(), spec.function.clone());
        let is_section = matches!(refused.criterion, Criterion::Section { .. });
        let of_templates = refused.tasks.iter().all(|no| by_rules.contains(no));
        let (rule, change) = match is_section && of_templates {
            true => {
                let section = refused.criterion.clone();
                (
                    "section-missing",
                    Change::Extend {
                        domain,
                        function,
                        section,
                    },
                )
            }
            false => {
                let words = format!("Before you are done, see to this: {words}");
                (
                    "criterion-refused",
                    Change::Bind {
                        domain,
                        function,
                        words,
                    },
                )
            }
        };
        Pattern {
            rule,
            seen: format!(
                "{} of {role} at {} refused by one criterion: {words}",
                plural(refused.times.into(), "attempt"),
                plural(refused.tasks.len() as u64, "task"),
            ),
            role: Some(role),
            advice: "say it in the descriptions of such tasks".to_owned(),
            lesson: None,
            change,
        }
    };
    often.map(pattern).collect()
}

/// Estimates and what became of them.
#[derive(Default)]
struct Estimated {
    tasks: u32,
    agent_ms: u64,
    least_ms: u64,
    most_ms: u64,
}

impl Estimated {
    /// How far off they are, if they are: against the upper end where too little was estimated, the
    /// lower one where it was too much.
    fn ratio(&self) -> Option<f64> {
        let over = self.agent_ms as f64 / self.most_ms.max(1) as f64;
        let under = self.agent_ms as f64 / self.least_ms.max(1) as f64;
        match () {
            () if self.tasks < ESTIMATED_MIN => None,
            () if over >= 1.5 => Some(over),
            () if under <= 0.5 => Some(under),
            () => None,
        }
    }
}

fn estimates(run: &Run, by_rules: &BTreeSet<TaskNo>) -> Vec<Pattern> {
    // Estimates of points are all made with one figure; those that somebody wrote are a role's.
    let mut all: BTreeMap<Option<String>, Estimated> = BTreeMap::new();
    for (no, task) in numbered(run) {
        let agent = task.endings.last().map_or("", |ending| &ending.agent);
        let counts = task.state == TaskState::Done && holds_slot(agent) && !is_scripted(agent);
        let estimate = &task.spec.estimate;
        let (Some(least_ms), true) = (estimate.duration_ms, counts && task.agent_ms() > 0) else {
            continue;
        };
        let key = match (by_rules.contains(&no), task.spec.role()) {
            (true, _) => None,
            (false, None) => continue,
            (false, role) => role,
        };
        let estimated = all.entry(key).or_default();
        estimated.tasks += 1;
        estimated.agent_ms += task.agent_ms();
        estimated.least_ms += least_ms;
        estimated.most_ms += estimate.duration_max_ms.unwrap_or(least_ms);
    }
    let pattern = |(role, estimated): (Option<String>, Estimated)| {
        let ratio = estimated.ratio()?;
        let whose = role.as_deref().unwrap_or("workflows");
        Some(Pattern {
            rule: "estimate-off",
            seen: format!(
                "{} of {whose} took {} of agents' time, {ratio:.1} times the estimate",
                plural(estimated.tasks.into(), "task"),
                span(estimated.agent_ms),
            ),
            advice: format!("estimate {ratio:.1} times as much in the next plan"),
            lesson: None,
            change: match &role {
                None => Change::Points(ratio),
                Some(_) => Change::Nothing,
            },
            role,
        })
    };
    all.into_iter().filter_map(pattern).collect()
}

fn overdue(run: &Run) -> Vec<Pattern> {
    let usual_ms = run.settings.timeout_ms;
    let mut all: BTreeMap<(String, bool), u32> = BTreeMap::new();
    for task in run.tasks() {
        let Some(role) = task.spec.role() else {
            continue;
        };
        let is_overdue = |end: &AttemptEnd| *end == AttemptEnd::Stopped(StopReason::Overdue);
        let times = task.endings.iter().filter(|ending| is_overdue(&ending.end));
        *all.entry((role, task.spec.timeout_ms.is_none()))
            .or_default() += times.count() as u32;
    }
    let often = all.into_iter().filter(|(_, times)| *times >= OVERDUE_MIN);
    let pattern = |((role, is_usual), times): ((String, bool), u32)| Pattern {
        rule: "role-overdue",
        seen: match is_usual {
            true => format!(
                "{} of {role} past the usual time box of {}",
                plural(times.into(), "attempt"),
                span(usual_ms),
            ),
            false => format!(
                "{} of {role} past the time boxes of their tasks",
                plural(times.into(), "attempt"),
            ),
        },
        role: Some(role),
        advice: "give such tasks a longer time box, or split them".to_owned(),
        lesson: None,
        change: match is_usual {
            true => Change::TimeBox(usual_ms.saturating_mul(2)),
            false => Change::Nothing,
        },
    };
    often.map(pattern).collect()
}
