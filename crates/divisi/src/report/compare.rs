//! Two runs of one intent on one base, side by side: one in which a single task did all, and one that
//! was split. It says whether splitting paid, from what both used and what holds in the end.

use std::fmt::Write as _;

use divisi_core::ids::TaskNo;
use divisi_core::intent::Intent;
use divisi_core::ledger::Bound;
use divisi_core::run::{Base, Run, RunStatus, asks_model};
use divisi_core::{Diagnostic, Outcome, TaskKind, Time};
use serde::Serialize;

use super::markdown::{code, line, text};
use super::{Done, Report, gather};
use crate::commands::show::base_words;
use crate::words::{plural, span};

/// Whether splitting paid.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// What both were asked.
    pub(crate) asked: String,
    /// What both started from.
    pub(crate) base: Base,
    /// The run in which one task did all.
    pub(crate) direct: Side,
    /// The run that was split.
    pub(crate) split: Side,
    /// What the split run took of what the direct one took.
    pub(crate) ratios: Ratios,
    /// What the figures say, in sentences, and what they do not.
    pub(crate) says: Vec<String>,
}

/// One of the runs.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    /// The run, for example `run-3`.
    pub(crate) run: String,
    /// How it ended.
    pub(crate) status: RunStatus,
    /// Criteria of the whole.
    pub(crate) criteria: u32,
    /// These, in words.
    #[serde(skip)]
    judged_by: Vec<String>,
    /// Of these, passed. What was waived did not.
    pub(crate) passed: u32,
    /// Attempts.
    pub(crate) attempts: u32,
    /// Of these, failed.
    pub(crate) failed: u32,
    /// Of these, lost.
    pub(crate) lost: u32,
    /// From its creation to its end.
    pub(crate) wall_ms: u64,
    /// Of this, nothing went on without a person, which is no matter of how it was planned.
    pub(crate) waited_ms: u64,
    /// Agents' time over all attempts.
    pub(crate) agent_ms: u64,
    /// Tokens that agents reported; `None` if none did.
    pub(crate) tokens: Option<u64>,
    /// Money in millionths of a US dollar; `None` if nobody said.
    pub(crate) usd_micros: Option<u64>,
    /// Tasks that were tried, and whose agents ask a model and reported no tokens.
    pub(crate) unreported: u32,
    /// Whether part of it was played from a script.
    pub(crate) scripted: bool,
    /// Its tasks, predicted and actual.
    pub(crate) tasks: Vec<Predicted>,
}

/// What a task was expected to take, and took.
#[derive(Debug, Serialize)]
pub(crate) struct Predicted {
    /// Its id.
    pub(crate) id: String,
    /// Attempts; one is expected.
    pub(crate) attempts: u32,
    /// Agents' time as estimated, if it was.
    pub(crate) estimate_ms: Option<u64>,
    /// Agents' time over all attempts.
    pub(crate) agent_ms: u64,
    /// Tokens as estimated, if they were.
    pub(crate) estimate_tokens: Option<u64>,
    /// Tokens that its agents reported.
    pub(crate) tokens: Option<u64>,
}

/// Split over direct; `None` where one of them is unknown or nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Ratios {
    /// From start to end, without waiting for people.
    pub(crate) wall: Option<f64>,
    /// Of agents' time.
    pub(crate) agent_time: Option<f64>,
    /// Of tokens.
    pub(crate) tokens: Option<f64>,
    /// Of money.
    pub(crate) usd: Option<f64>,
}

/// Compares two runs, in whichever order they are named.
///
/// # Errors
/// They are not a direct and a split run of one intent on one base; all that is in the way at once.
pub(crate) fn compare(runs: [&Run; 2], now: Time) -> Result<Comparison, Box<Diagnostic>> {
    let mut faults = Vec::new();
    let [one, other] = runs;
    if one.id == other.id {
        faults.push(format!("{} is one run", one.id));
    }
    if asked(one) != asked(other) {
        faults.push(format!(
            "they were asked different things: {:?} and {:?}",
            asked(one),
            asked(other)
        ));
    }
    if one.intent.is_some() != other.intent.is_some() {
        faults.push("one answers a request, and the other is a plan file's".to_owned());
    }
    if answers(one) != answers(other) {
        faults.push("questions about the request were answered differently".to_owned());
    }
    if !stand_on_one(&one.base, &other.base) {
        faults.push(format!(
            "they started from different states: {} and {}",
            base_words(&one.base),
            base_words(&other.base)
        ));
    }
    for run in runs {
        if run.ended.is_none() {
            faults.push(format!("{} has not ended", run.id));
        }
    }
    let (direct, split) = match (is_direct(one), is_direct(other)) {
        (true, false) => (one, other),
        (false, true) => (other, one),
        (both, _) => {
            let how = match both {
                true => "neither was split: each has one task",
                false => "both were split: neither has one task that did all",
            };
            faults.push(how.to_owned());
            (one, other)
        }
    };
    if !faults.is_empty() {
        let text = format!(
            "{} and {} cannot be compared: {}",
            one.id,
            other.id,
            faults.join("; ")
        );
        let hint = "run the same request twice on the same commit: `divisi run REQUEST`, and \
                    `divisi run REQUEST --one` as one task";
        return Err(Box::new(
            Diagnostic::error("compare-refused", text).hint(hint),
        ));
    }
    let base = direct.base.clone();
    let asked = asked(direct).to_owned();
    let [direct, split] = [direct, split].map(|run| Side::of(&gather(run, now)));
    let ratios = Ratios::of(&direct, &split);
    let says = says(&direct, &split, &ratios);
    Ok(Comparison {
        asked,
        base,
        direct,
        split,
        ratios,
        says,
    })
}

/// What a run was asked: its intent with the answers that stand in it, or the title of its plan.
fn asked(run: &Run) -> &str {
    let intent = run.intent.as_deref();
    intent.map_or(run.title.as_str(), Intent::request)
}

/// What was settled about its intent beside the text.
fn answers(run: &Run) -> Vec<(&str, &str)> {
    let settled = run.intent.iter().flat_map(|intent| &intent.settled);
    settled
        .map(|it| (it.asks.as_str(), it.answer.as_str()))
        .collect()
}

/// Commits say it all: what was uncommitted and taken in is in them. Without files, the words count.
fn stand_on_one(one: &Base, other: &Base) -> bool {
    match (&one.commit, &other.commit) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.described == other.described,
        _ => false,
    }
}

/// Whether one task was to do all, whatever became of it when it failed.
fn is_direct(run: &Run) -> bool {
    let all = run.tasks().iter().enumerate();
    let mut planned = all.filter(|(at, _)| run.replaced(TaskNo(*at as u32)).next().is_none());
    let first = planned.next();
    let is_work = first.is_some_and(|(_, task)| task.spec.kind != TaskKind::Plan);
    is_work && planned.next().is_none()
}

impl Side {
    fn of(report: &Report) -> Side {
        let used = &report.use_of_time;
        let passed = { report.whole.iter() }.filter(|it| it.outcome == Some(Outcome::Pass));
        let keeps_back = |it: &&Done| {
            it.attempts > 0 && it.tokens.is_none() && asks_model(&it.agent) && !it.scripted
        };
        let silent = report.tasks.iter().filter(keeps_back);
        Side {
            run: report.run.clone(),
            status: report.status,
            criteria: report.whole.len() as u32,
            judged_by: { report.whole.iter() }
                .map(|it| it.criterion.clone())
                .collect(),
            passed: passed.count() as u32,
            attempts: used.attempts,
            failed: used.failed,
            lost: used.lost,
            wall_ms: used.wall_ms,
            waited_ms: used.waited_ms,
            agent_ms: used.agent_ms,
            tokens: used.tokens,
            usd_micros: used.usd_micros,
            unreported: silent.count() as u32,
            scripted: report.scripted,
            tasks: { report.tasks.iter() }
                .map(|task| Predicted {
                    id: task.id.clone(),
                    attempts: task.attempts,
                    estimate_ms: task.estimate_ms,
                    agent_ms: task.agent_ms,
                    estimate_tokens: task.estimate_tokens,
                    tokens: task.tokens,
                })
                .collect(),
        }
    }

    /// From its creation to its end, without waiting for people.
    fn worked_ms(&self) -> u64 {
        self.wall_ms.saturating_sub(self.waited_ms)
    }

    fn succeeded(&self) -> bool {
        self.status == RunStatus::Succeeded
    }
}

impl Ratios {
    fn of(direct: &Side, split: &Side) -> Ratios {
        let of = |direct: Option<u64>, split: Option<u64>| {
            let direct = direct.filter(|it| *it > 0)?;
            Some(split? as f64 / direct as f64)
        };
        // Where one kept back what it used, its sum says too little.
        let known = direct.unreported == 0 && split.unreported == 0;
        let known = |ratio: Option<f64>| ratio.filter(|_| known);
        Ratios {
            wall: of(Some(direct.worked_ms()), Some(split.worked_ms())),
            agent_time: of(Some(direct.agent_ms), Some(split.agent_ms)),
            tokens: known(of(direct.tokens, split.tokens)),
            usd: known(of(direct.usd_micros, split.usd_micros)),
        }
    }
}

fn says(direct: &Side, split: &Side, ratios: &Ratios) -> Vec<String> {
    let mut says = Vec::new();
    match (direct.succeeded(), split.succeeded()) {
        (true, true) => {
            let parts = [
                (
                    ratios.wall,
                    "of the time from start to end without waiting for people",
                ),
                (ratios.tokens, "of the tokens"),
                (ratios.usd, "of the money"),
            ];
            let parts = parts.into_iter().filter_map(|(ratio, of)| {
                let ratio = ratio?;
                Some(format!("{ratio:.2} {of}"))
            });
            let parts: Vec<String> = parts.collect();
            says.push(format!("Split, it took {}.", parts.join(" and ")));
        }
        (false, true) => says.push(format!(
            "Only the split run succeeded: {} did not.",
            direct.run
        )),
        (true, false) => says.push(format!(
            "Only the direct run succeeded: {} did not.",
            split.run
        )),
        (false, false) => says.push("Neither run succeeded.".to_owned()),
    }
    let only = |of: &Side, other: &Side| -> Vec<String> {
        let own = of
            .judged_by
            .iter()
            .filter(|it| !other.judged_by.contains(it));
        own.map(|it| format!("only {} by {it:?}", of.run)).collect()
    };
    let differing = [only(direct, split), only(split, direct)].concat();
    if !differing.is_empty() {
        says.push(format!(
            "The two wholes were judged by different criteria, {}: what they used does not say \
             that they are equally good.",
            differing.join(", ")
        ));
    }
    for side in [direct, split] {
        if side.unreported > 0 {
            let many = plural(u64::from(side.unreported), "task");
            let they = match side.unreported {
                1 => "it",
                _ => "they",
            };
            let run = &side.run;
            says.push(format!(
                "{run}: {many} did not say what {they} used: tokens and money are not compared."
            ));
        }
        if side.scripted {
            says.push(format!("Part of {} was played from a script.", side.run));
        }
    }
    says.push("These are two runs, not a measurement: chance has a part in both.".to_owned());
    says
}

/// The comparison in Markdown.
pub(crate) fn compared(comparison: &Comparison) -> String {
    let Comparison {
        asked,
        base,
        direct,
        split,
        ratios,
        says,
    } = comparison;
    let mut out = String::new();
    line!(out, "# Direct or split: {}\n", text(asked));
    line!(out, "Both started from {}.\n", text(&base_words(base)));
    for sentence in says {
        line!(out, "- {sentence}");
    }
    line!(
        out,
        "\n| | direct: {} | split: {} | split/direct |",
        direct.run,
        split.run
    );
    line!(out, "|---|---|---|---|");
    let ratio = |ratio: Option<f64>| ratio.map_or_else(String::new, |it| format!("{it:.2}"));
    let mut row = |name: &str, of: &dyn Fn(&Side) -> String, ratio: String| {
        let (direct, split) = (of(direct), of(split));
        line!(out, "| {name} | {direct} | {split} | {ratio} |");
    };
    let none = String::new;
    row("ended", &|it| it.status.word().to_owned(), none());
    let whole = |it: &Side| format!("{} of {}", it.passed, it.criteria);
    row("criteria of the whole that pass", &whole, none());
    row("tasks", &|it| it.tasks.len().to_string(), none());
    let attempts = |it: &Side| format!("{}: {} failed, {} lost", it.attempts, it.failed, it.lost);
    row("attempts", &attempts, none());
    row(
        "from start to end, without waiting for people",
        &|it| span(it.worked_ms()),
        ratio(ratios.wall),
    );
    row("waiting for people", &|it| span(it.waited_ms), none());
    row(
        "agents' time",
        &|it| span(it.agent_ms),
        ratio(ratios.agent_time),
    );
    let tokens = |it: &Side| it.tokens.map_or("not told".to_owned(), |it| it.to_string());
    row("tokens", &tokens, ratio(ratios.tokens));
    let money = |it: &Side| {
        let usd = it.usd_micros.map(|it| Bound::UsdMicros(it).to_string());
        usd.unwrap_or_else(|| "not told".to_owned())
    };
    row("money", &money, ratio(ratios.usd));
    for side in [direct, split] {
        line!(out, "\n## Predicted and actual: {}\n", side.run);
        line!(
            out,
            "| task | attempts, 1 predicted | time predicted | actual | tokens predicted | actual |"
        );
        line!(out, "|---|---|---|---|---|---|");
        let told = |it: Option<u64>| it.map_or("none".to_owned(), |it| it.to_string());
        for task in &side.tasks {
            let time = task.estimate_ms.map_or("none".to_owned(), span);
            line!(
                out,
                "| {} | {} | {time} | {} | {} | {} |",
                code(&task.id),
                task.attempts,
                span(task.agent_ms),
                told(task.estimate_tokens),
                told(task.tokens)
            );
        }
    }
    out
}
