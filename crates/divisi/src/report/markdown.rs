//! The report in Markdown, for people.
//!
//! Titles, paths and evidence come from outside. They are made printable, and set as code or
//! escaped, so that they can neither steer a terminal nor pass for a heading of the report.

use std::fmt::Write as _;

use divisi_core::intent::WorkflowRole;
use divisi_core::ledger::Bound;
use divisi_core::run::{RunStatus, TaskStatus};
use divisi_core::{Intent, Outcome};
use divisi_pack::printable;

use super::{Answered, Done, Judged, Report};
use crate::commands::show::base_words;
use crate::words::{self, moment, plural, size, span};

/// With more tasks, only those are detailed that are not simply done and proven.
const DETAILED_MAX: usize = 200;

/// So many lines of evidence are quoted.
const EVIDENCE_LINES_MAX: usize = 12;

/// Words the report.
pub(crate) fn markdown(report: &Report) -> String {
    let mut out = String::new();
    head(report, &mut out);
    answers(&report.answers, &mut out);
    if let Some(intent) = &report.intent {
        planned(intent, &mut out);
    }
    if !report.whole.is_empty() {
        section("The whole", &mut out);
        report
            .whole
            .iter()
            .for_each(|judged| criterion(judged, "", &mut out));
    }
    table(report, &mut out);
    details(report, &mut out);
    artifacts(report, &mut out);
    changed(report, &mut out);
    time(report, &mut out);
    list("What was not verified", &report.unverified, &mut out);
    list("Assumptions", &report.assumptions, &mut out);
    list("Advised about the plan", &report.advice, &mut out);
    list(
        "Attempts whose writes were not confined",
        &report.unconfined,
        &mut out,
    );
    list("Not copied into workspaces", &report.left_out, &mut out);
    list(
        "Conflicts, done anew on the new base",
        &report.conflicts,
        &mut out,
    );
    list(
        "Attempts that failed by their own account; the checks decided",
        &report.claimed_failures,
        &mut out,
    );
    list("Lost attempts, done anew", &report.losses, &mut out);
    list("Late work that is kept", &report.offers, &mut out);
    out
}

/// Adds a line. Writing to a string cannot fail.
macro_rules! line {
    ($out:expr, $($text:tt)*) => {
        writeln!($out, $($text)*).expect("writing to a string cannot fail")
    };
}
pub(super) use line;

fn section(title: &str, out: &mut String) {
    line!(out, "\n## {title}\n");
}

/// Text from outside within a line: printable, and no Markdown of its own.
pub(super) fn text(outside: &str) -> String {
    let mut escaped = String::with_capacity(outside.len());
    for c in printable(outside).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '|') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A name from outside, set as code.
pub(super) fn code(outside: &str) -> String {
    format!(
        "`{}`",
        printable(outside).replace('`', "'").replace('|', "\\|")
    )
}

fn head(report: &Report, out: &mut String) {
    line!(out, "# Report: {}\n", text(&report.title));
    let status = &report.standing;
    let until = match report.ended_at {
        Some(at) => format!("ended {}", moment(at)),
        None => "not ended".to_owned(),
    };
    let took = span(report.use_of_time.wall_ms);
    line!(out, "- {}: **{status}**, {until}, after {took}", report.run);
    let title = text(&report.title);
    let tasks = plural(standing(report).count() as u64, "task");
    // A revised plan has not the tasks that were asked for.
    match report.revisions {
        0 => line!(out, "- asked: {title}, {tasks}"),
        many => {
            line!(out, "- asked: {title}");
            line!(out, "- the plan was revised {}: {tasks} now", times(many));
        }
    }
    line!(out, "- started from {}", text(&base_words(&report.base)));
    for path in &report.base.uncommitted {
        line!(out, "  - {}", code(path));
    }
    if let Some(head) = &report.head
        && report
            .base
            .commit
            .as_ref()
            .is_none_or(|base| base.as_str() != head)
    {
        line!(
            out,
            "- result: commit {}; `divisi merge {}` takes it over",
            code(head),
            report.run
        );
    }
    if report.scripted {
        line!(
            out,
            "- **scripted**: part of this work was played from a script; no real agent did it"
        );
    }
}

/// What was asked, and how it became the plan. What was assumed and left out is listed with the rest
/// of its kind.
fn planned(intent: &Intent, out: &mut String) {
    let assessed = &intent.assessment;
    section("How it was planned", out);
    for asked in intent.text.lines() {
        line!(out, "> {}", text(asked));
    }
    line!(out, "");
    if let Some(understood) = &intent.understood {
        line!(out, "- understood as: {}", text(understood));
    }
    let (approach, certainty) = (&assessed.approach, &assessed.certainty);
    line!(
        out,
        "- assessed as **{}**, {}",
        text(approach),
        text(certainty)
    );
    for reason in &assessed.reasons {
        line!(out, "  - {}", text(reason));
    }
    if assessed.executed_as != assessed.approach {
        line!(out, "- executed as: {}", text(&assessed.executed_as));
    }
    if let Some(selection) = &assessed.pattern_selection {
        let said = selection.workflows.iter().map(|it| {
            let role = match it.role {
                WorkflowRole::Primary => "primary",
                WorkflowRole::Dependent => "dependent",
                WorkflowRole::Independent => "independent",
            };
            format!("{} ({role}, {})", it.name, it.pattern_name)
        });
        let said: Vec<String> = said.collect();
        let pack = &selection.pack_name;
        line!(
            out,
            "- workflows of {}: {}",
            text(pack),
            text(&said.join(", "))
        );
    }
    line!(out, "- planned {}", text(&intent.planner.to_string()));
    for answer in intent.settled.iter().filter(|it| !it.is_assumed) {
        line!(out, "- {} {}", text(&answer.asks), text(&answer.answer));
    }
    line!(out, "- known: {}", text(&assessed.facts.join("; ")));
}

fn times(many: u32) -> String {
    match many {
        1 => "once".to_owned(),
        _ => format!("{many} times"),
    }
}

fn answers(answers: &[Answered], out: &mut String) {
    section("In short", out);
    for (number, answered) in (1..).zip(answers) {
        let word = match answered.holds {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "open",
        };
        line!(
            out,
            "{number}. {}: {word} ({})",
            answered.statement,
            text(&answered.evidence)
        );
    }
}

fn verdict_word(judged: &Judged) -> &'static str {
    match judged.outcome {
        Some(Outcome::Pass) if judged.proves_nothing => "pass, proves nothing",
        Some(Outcome::Pass) => "pass",
        Some(Outcome::Fail) => "**fail**",
        Some(Outcome::Unverified) => "**unverified**",
        Some(Outcome::Waived) => "**waived** by the owner",
        None => "not evaluated",
    }
}

fn criterion(judged: &Judged, indent: &str, out: &mut String) {
    line!(
        out,
        "{indent}- {}: {}",
        verdict_word(judged),
        text(&judged.criterion)
    );
    let lines: Vec<&str> = judged.evidence.lines().collect();
    for evidence in lines.iter().take(EVIDENCE_LINES_MAX) {
        line!(out, "{indent}  > {}", text(evidence));
    }
    if lines.len() > EVIDENCE_LINES_MAX {
        let more = plural((lines.len() - EVIDENCE_LINES_MAX) as u64, "more line");
        line!(out, "{indent}  > … {more}; `divisi show` has them");
    }
}

/// A review that gave no verdict is over, and was not done by whoever was to judge.
fn standing_word(task: &Done) -> &'static str {
    match (task.status, &task.reason) {
        (TaskStatus::Done, Some(_)) => "closed",
        (status, _) => status.word(),
    }
}

fn table(report: &Report, out: &mut String) {
    section("Tasks", out);
    let counts = |task: &Done| task.tokens.is_some() || task.estimate_tokens.is_some();
    let has_tokens = report.tasks.iter().any(counts);
    let (more, rule) = match has_tokens {
        true => (" tokens | expected tokens |", "---|---|"),
        false => ("", ""),
    };
    line!(
        out,
        "| task | status | by | attempts (1 expected) | agent's time | expected |{more}"
    );
    line!(out, "|---|---|---|---|---|---|{rule}");
    for task in &report.tasks {
        let estimate = task.estimate_ms.map_or_else(|| "none".to_owned(), span);
        let by = match task.attempts {
            0 => "nobody".to_owned(),
            _ => text(&words::agent(&task.agent)),
        };
        let told = |it: Option<u64>, none: &str| it.map_or(none.to_owned(), |it| it.to_string());
        let tokens = match has_tokens {
            true => format!(
                " {} | {} |",
                told(task.tokens, "not told"),
                told(task.estimate_tokens, "none")
            ),
            false => String::new(),
        };
        line!(
            out,
            "| {} | {} | {by} | {} | {} | {estimate} |{tokens}",
            code(&task.id),
            standing_word(task),
            task.attempts,
            span(task.agent_ms),
        );
    }
}

/// The tasks that no others stand in the place of.
fn standing(report: &Report) -> impl Iterator<Item = &Done> {
    let tasks = report.tasks.iter();
    tasks.filter(|task| task.status != TaskStatus::Split)
}

/// Whether all about the task is said by one line of the table.
fn is_plain(task: &Done) -> bool {
    let proven = |judged: &Judged| judged.outcome == Some(Outcome::Pass) && !judged.proves_nothing;
    let is_told = !task.told.is_empty() || task.chosen.is_some();
    standing_word(task) == TaskStatus::Done.word() && !is_told && task.verdicts.iter().all(proven)
}

fn details(report: &Report, out: &mut String) {
    section("Verdicts", out);
    let bounded = report.tasks.len() > DETAILED_MAX;
    if bounded {
        let plain = standing(report).filter(|task| is_plain(task)).count() as u64;
        line!(out, "{}: every criterion passes.\n", plural(plain, "task"));
    }
    for task in standing(report).filter(|task| !(bounded && is_plain(task))) {
        if task.status == TaskStatus::Waiting && bounded {
            continue;
        }
        line!(
            out,
            "- {}: {}, {}",
            code(&task.id),
            text(&task.title),
            standing_word(task)
        );
        if let Some(reason) = &task.reason {
            line!(out, "  - why: {}", text(reason));
        }
        for told in &task.told {
            match &told.question {
                Some(question) => line!(
                    out,
                    "  - asked: {}; told: {}",
                    text(question),
                    text(&told.text)
                ),
                None => line!(out, "  - told: {}", text(&told.text)),
            }
        }
        for what in &task.denied {
            line!(out, "  - denied to its agent: {}", text(what));
        }
        if let Some(chosen) = &task.chosen {
            line!(out, "  - candidates: {}", text(chosen));
            for candidate in &task.candidates {
                let command = format!("divisi diff {} {candidate}", report.run);
                line!(out, "    - {}: {}", code(candidate), code(&command));
            }
        }
        task.verdicts
            .iter()
            .for_each(|judged| criterion(judged, "  ", out));
        if let Some(integrated) = &task.integrated {
            let tree = integrated.tree.as_ref();
            let tree = tree.map_or_else(String::new, |tree| format!(", tree `{}`", tree.short()));
            line!(
                out,
                "  - integrated as `{}`{tree}",
                integrated.commit.short()
            );
        }
    }
}

fn artifacts(report: &Report, out: &mut String) {
    let made = || {
        report
            .tasks
            .iter()
            .flat_map(|t| t.artifacts.iter().map(move |made| (t, made)))
    };
    if made().next().is_none() {
        return;
    }
    section("Artifacts", out);
    line!(out, "| file | size | digest | by |");
    line!(out, "|---|---|---|---|");
    for (task, made) in made() {
        let path = code(&made.path);
        let digest = made.digest.short();
        line!(
            out,
            "| {path} | {} | `{digest}` | {} |",
            size(made.bytes),
            code(&task.id)
        );
    }
}

/// What else the result holds, or no longer does.
fn changed(report: &Report, out: &mut String) {
    let Some(changed) = report.changed.as_ref().filter(|it| !it.files.is_empty()) else {
        return;
    };
    section("Other changed files", out);
    for path in &changed.files {
        line!(out, "- {}", code(path));
    }
    if changed.more > 0 {
        let command = code(&format!("divisi diff {} --stat", report.run));
        line!(out, "- … and {} more: {command}", changed.more);
    }
}

/// What agents say that they used, beside what was expected.
fn tokens(report: &Report) -> String {
    let used = &report.use_of_time;
    let expected = report.expected.as_ref().map(|expected| expected.tokens);
    let expected = expected.filter(|tokens| *tokens > 0);
    let expected =
        expected.map_or_else(String::new, |tokens| format!("; {tokens} tokens expected"));
    let Some(tokens) = used.tokens else {
        return format!("- tokens and money: not counted, since no agent reported them{expected}");
    };
    let silent = match used.tokens_unreported {
        0 => String::new(),
        many => format!(", {} reported none", plural(u64::from(many), "task")),
    };
    let money = used.usd_micros.map_or_else(
        || "what they cost nobody said".to_owned(),
        |it| {
            format!(
                "{}, by the agents' words or the configured prices",
                Bound::UsdMicros(it)
            )
        },
    );
    format!("- {tokens} tokens used, as agents reported{silent}{expected}; {money}")
}

fn time(report: &Report, out: &mut String) {
    section("Attempts and time", out);
    let used = &report.use_of_time;
    line!(
        out,
        "- {}: {} failed, {} lost",
        plural(u64::from(used.attempts), "attempt"),
        used.failed,
        used.lost
    );
    line!(
        out,
        "- {} from start to end, {} of agents' time",
        span(used.wall_ms),
        span(used.agent_ms)
    );
    if used.waited_ms > 0 {
        line!(
            out,
            "- of the time from start to end, {} waited for people",
            span(used.waited_ms)
        );
    }
    match used.estimate_ms {
        Some(estimate) => {
            let took = span(used.estimated_agent_ms);
            line!(
                out,
                "- estimated {}, took {took} (tasks with an estimate)",
                span(estimate)
            );
        }
        None => line!(out, "- no task had an estimate"),
    }
    if let Some(expected) = &report.expected {
        let (duration, workers) = (&expected.duration, u64::from(expected.workers));
        line!(
            out,
            "- expected from start to end {duration} on {}, took {}",
            plural(workers, "worker"),
            span(used.wall_ms.saturating_sub(used.waited_ms))
        );
    }
    line!(out, "{}", tokens(report));
    if report.status == RunStatus::Running {
        // One that is paused, or that nobody works on, does not.
        let goes_on = match report.standing == RunStatus::Running.word() {
            true => "the run goes on; ",
            false => "",
        };
        line!(
            out,
            "- {goes_on}this is how it stood when the report was written"
        );
    }
}

fn list(title: &str, items: &[String], out: &mut String) {
    if items.is_empty() {
        return;
    }
    section(title, out);
    for item in items {
        line!(out, "- {}", text(item));
    }
}
