//! Attempts with their receipts, and verdicts with what was seen.

use divisi_agents::adapter::product;
use divisi_core::ledger::Bound;
use divisi_core::permission::{Decider, Permission, Standing};
use divisi_core::receipt::{Exit, Receipt};
use divisi_core::run::{
    Attempt, AttemptEnd, Defined, Ending, Failure, Phase, Run, Settings, Task, unsaid,
};
use divisi_core::{Commit, Criterion, Outcome, RunId, TaskKind, Time, Tree, Verdict, shell};

use super::block;
use crate::printer::{Line, Style};
use crate::so_far;
use crate::words::{self, heading, plural, size, span};

pub(super) fn ending_lines(run: &Run, task: &Task, ending: &Ending) -> Vec<Line> {
    let took = span(ending.ended_at.ms_since(ending.leased_at));
    let good = matches!(
        ending.end,
        AttemptEnd::Integrated | AttemptEnd::Expanded | AttemptEnd::Measured
    );
    let style = if good { Style::Good } else { Style::Bad };
    let mut lines = vec![
        heading(format!("attempt {}", ending.number))
            .then(format!(" by {}, {took}: ", words::agent(&ending.agent)))
            .with(style, ending.words()),
    ];
    lines.extend(receipt_lines(
        task,
        &run.settings,
        &ending.agent,
        &ending.receipts,
    ));
    let verdicts = match &ending.end {
        AttemptEnd::Refused(Failure::Checks(verdicts) | Failure::Integration(verdicts)) => verdicts,
        _ => &ending.held,
    };
    lines.extend(verdict_lines(&task.spec.criteria, verdicts, "  "));
    if let AttemptEnd::Refused(Failure::Plan(faults)) = &ending.end {
        for fault in faults {
            lines.push(Line::styled(Style::Bad, "  fault       ").then(fault));
        }
    }
    for advice in &ending.advice {
        lines.push(Line::styled(Style::Warn, "  advised     ").then(advice));
    }
    for denied in &ending.permissions {
        if denied.decision().is_some_and(|decision| !decision.allows()) {
            let what = format!("  denied      {}", denied.request.title);
            lines.push(Line::styled(Style::Warn, what));
        }
    }
    if ending.confined == Some(false) {
        lines.push(Line::styled(Style::Warn, "  its writes were not confined"));
    }
    lines.extend(left_out_lines(&ending.left_out));
    lines.extend(permission_lines(run.id, &ending.permissions));
    lines.extend(offer_lines(run.id, task, ending));
    lines
}

/// What an attempt left that was given up, and what can be done with it.
fn offer_lines(run: RunId, task: &Task, ending: &Ending) -> Vec<Line> {
    let command = |verb: &str| {
        let command = format!("divisi {verb} {run} {}@{}", task.spec.id, ending.number);
        Line::styled(Style::Dim, "  → ").with(Style::Note, command)
    };
    if ending.discarded {
        let words = "  its owner gave up what it left";
        return vec![Line::styled(Style::Dim, words)];
    }
    let Some(offer) = ending.offered() else {
        return Vec::new();
    };
    let kept = format!(
        "  came back late; its work is kept as {}",
        offer.commit.short()
    );
    let mut lines = vec![Line::styled(Style::Warn, kept)];
    if let Some(number) = ending.adopted_as {
        lines.push(Line::of(format!(
            "  its work was taken as attempt {number}'s"
        )));
    }
    if !task.status().is_terminal() || task.status().is_given_up() {
        lines.push(command("adopt"));
    }
    lines.push(command("discard"));
    lines
}

pub(super) fn live_lines(run: &Run, task: &Task, live: &Attempt, now: Time) -> Vec<Line> {
    let judging = run
        .find(&task.spec.id)
        .and_then(|no| run.reviewer(Some(no)));
    let awaited = judging.map(|agent| format!("awaits a review by {}", words::agent(agent)));
    let phase = match &live.phase {
        Phase::Leased | Phase::Working => "works",
        Phase::Submitted => "is collected",
        Phase::Collected => "is checked",
        Phase::Held { .. } => awaited.as_deref().unwrap_or("awaits a person's judgment"),
        Phase::Verified if task.spec.kind == TaskKind::Plan => "is expanded",
        Phase::Verified if task.candidate_of.is_some() => "is measured",
        Phase::Verified | Phase::Prepared { .. } => "is integrated",
    };
    let since = span(now.ms_since(live.leased_at));
    let mut lines = vec![
        heading(format!("attempt {}", live.number))
            .then(format!(" by {}, for {since}: ", words::agent(&live.agent)))
            .with(Style::Note, phase),
    ];
    lines.extend(receipt_lines(
        task,
        &run.settings,
        &live.agent,
        &live.receipts,
    ));
    if let Phase::Held { verdicts } = &live.phase {
        lines.extend(verdict_lines(&task.spec.criteria, verdicts, "  "));
    }
    if let Some(evidence) = &live.suspected {
        lines.push(Line::styled(
            Style::Warn,
            format!("  suspected: {evidence}"),
        ));
    }
    if let Some(reason) = &live.stopping {
        // What it made by then may be looked at first.
        let how = match live.phase {
            Phase::Leased | Phase::Working => "being ended",
            _ => "was ended",
        };
        let line = format!("  {how}: {}", reason.word());
        lines.push(Line::styled(Style::Warn, line));
    }
    if live.confined == Some(false) {
        lines.push(Line::styled(Style::Warn, "  its writes are not confined"));
    }
    lines.extend(left_out_lines(&live.left_out));
    lines.extend(permission_lines(run.id, &live.permissions));
    lines
}

/// What an attempt asked leave for. What the rules allowed is counted, the rest told one by one.
fn permission_lines(run: RunId, permissions: &[Permission]) -> Vec<Line> {
    let is_usual = |it: &&Permission| {
        let by_rule = matches!(
            it.standing,
            Standing::Decided {
                by: Decider::Policy { .. },
                ..
            }
        );
        by_rule && !it.is_denied()
    };
    let usual = permissions.iter().filter(is_usual).count() as u64;
    let mut lines = Vec::new();
    if usual > 0 {
        let many = plural(usual, "request");
        lines.push(Line::styled(
            Style::Dim,
            format!("  asked       {many} allowed by policy"),
        ));
    }
    for permission in permissions.iter().filter(|it| !is_usual(it)) {
        let (no, what) = (permission.no, permission.request.words());
        let line = format!("  asked       {no}, {what}: {}", permission.words());
        let style = match permission.is_denied() || permission.deadline_at().is_some() {
            true => Style::Warn,
            false => Style::Plain,
        };
        lines.push(Line::styled(style, line));
        if permission.deadline_at().is_some() {
            for verb in ["allow", "deny"] {
                let command = format!("divisi permissions {verb} {run} {no}");
                lines.push(Line::styled(Style::Dim, "  → ").with(Style::Note, command));
            }
        }
    }
    lines
}

/// What of the work can be judged while it goes on: how much holds, and what does not yet.
pub(super) fn early_lines(task: &Task, verdicts: &[Verdict]) -> Vec<Line> {
    let Some(told) = so_far::words(verdicts) else {
        return Vec::new();
    };
    let not_yet = verdicts.iter().filter(|it| it.outcome != Outcome::Pass);
    let not_yet = not_yet.filter_map(|verdict| {
        let criterion = task.spec.criteria.get(usize::from(verdict.criterion))?;
        Some(Line::styled(Style::Dim, "    not yet: ").then(criterion.to_string()))
    });
    std::iter::once(Line::of(format!("  so far      {told}")))
        .chain(not_yet)
        .collect()
}

fn left_out_lines(left_out: &[String]) -> impl Iterator<Item = Line> + '_ {
    left_out.iter().map(|what| {
        Line::styled(
            Style::Warn,
            format!("  not copied into its workspace: {what}"),
        )
    })
}

fn receipt_lines(task: &Task, settings: &Settings, agent: &str, receipts: &[Receipt]) -> Vec<Line> {
    let mut lines = Vec::new();
    for receipt in receipts {
        match receipt {
            Receipt::Reviewed { verdicts, .. } => {
                let line = format!("  reviewed    {}", plural(verdicts.len() as u64, "verdict"));
                lines.push(Line::of(line));
                let said = verdicts.iter().map(|it| format!("    {}", it.evidence));
                lines.extend(said.map(|line| Line::styled(Style::Dim, line)));
            }
            Receipt::Submitted {
                command,
                exit,
                output,
                wall_ms,
                usage,
                claimed_failure,
                confined,
                ..
            } => {
                let used = usage.map_or_else(String::new, |usage| {
                    let cost = usage
                        .usd_micros
                        .map(|it| format!(", {}", Bound::UsdMicros(it)));
                    let tokens = plural(usage.tokens, "token");
                    format!(", {tokens}{} reported", cost.unwrap_or_default())
                });
                let printed = output.as_ref().map_or_else(String::new, |output| {
                    let capped = if output.capped {
                        ", more than its log holds"
                    } else {
                        ""
                    };
                    format!(", printed {}{capped}", size(output.bytes))
                });
                let took = span(*wall_ms);
                // How an adapter ended says nothing of the agent that it speaks for, and failed.
                let how = match claimed_failure {
                    Some(_) if *exit == Exit::Status(0) => String::new(),
                    _ => format!("{exit} "),
                };
                lines.push(Line::of(format!(
                    "  submitted   {how}after {took}{printed}{used}"
                )));
                let command = command_of(agent, settings, command, *confined);
                if !command.is_empty() {
                    lines.push(Line::styled(Style::Dim, format!("    `{command}`")));
                }
                if let Some(unsaid) = unsaid(agent, settings, receipt) {
                    lines.push(Line::styled(Style::Warn, format!("    it {unsaid}")));
                }
                if let Some(cause) = claimed_failure {
                    let says = match receipt.too_large() {
                        Some(_) => "    it says that it is more than one task:",
                        None => "    it says that it failed:",
                    };
                    lines.push(Line::styled(Style::Warn, says));
                    lines.extend(block(cause, "      "));
                }
            }
            Receipt::Collected {
                snapshot,
                artifacts,
                ..
            } => {
                let what = match snapshot {
                    Some(snapshot) => format!("snapshot {}", snapshot.commit.short()),
                    None => "nothing to collect".to_owned(),
                };
                lines.push(Line::of(format!("  collected   {what}")));
                lines.extend(artifacts.iter().map(|artifact| {
                    let facts = format!("  {}, {}", size(artifact.bytes), artifact.digest.short());
                    Line::of(format!("    {}", artifact.path)).with(Style::Dim, facts)
                }));
            }
            Receipt::Verified { tree, verdicts, .. } => {
                let on = tree
                    .as_ref()
                    .map_or_else(String::new, |tree| format!("    tree {}", tree.short()));
                lines.push(Line::of(format!("  verified{on}")));
                lines.extend(verdict_lines(&task.spec.criteria, verdicts, "    "));
            }
            Receipt::Integrated { commit, tree, .. } => lines.push(integrated_line(
                commit.as_ref().map(Commit::short),
                tree.as_ref().map(Tree::short),
            )),
            Receipt::Measured { measured, .. } => {
                let lines_changed = plural(measured.lines, "changed line");
                let figure = match (&measured.figure, &measured.lacking) {
                    (Some(figure), _) => format!("{figure}, "),
                    (None, Some(cause)) => format!("no figure ({cause}), "),
                    (None, None) => String::new(),
                };
                lines.push(Line::of(format!("  measured    {figure}{lines_changed}")));
            }
            Receipt::Expanded { from, tasks, .. } => {
                let from = match from {
                    Some(commit) => format!(", from {}", commit.short()),
                    None => String::new(),
                };
                let many = plural(u64::from(*tasks), "task");
                lines.push(Line::of(format!("  expanded    into {many}{from}")));
            }
        }
    }
    lines
}

/// What was executed, but for the process of ours that speaks to an agent: in its place the agent's.
fn command_of(agent: &str, settings: &Settings, command: &str, confined: Option<bool>) -> String {
    if let Some(product) = product(agent) {
        return product.command_line(confined);
    }
    match settings.defined.get(agent) {
        Some(Defined::Program(program)) => shell::line(&program.command),
        // A model is asked; nothing is executed.
        Some(Defined::Model(_)) => String::new(),
        None => command.to_owned(),
    }
}

fn integrated_line(commit: Option<&str>, tree: Option<&str>) -> Line {
    let line = match commit {
        Some(commit) => Line::of(format!("  integrated  as {commit}")),
        None => Line::of("  integrated  nothing to merge"),
    };
    match tree {
        Some(tree) => line.with(Style::Dim, format!(", tree {tree}")),
        None => line,
    }
}

/// Verdicts with their criteria and with what was seen.
pub(super) fn verdict_lines(
    criteria: &[Criterion],
    verdicts: &[Verdict],
    indent: &str,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for verdict in verdicts {
        let criterion = criteria.get(usize::from(verdict.criterion));
        let words = match (Verdict::beyond(verdict.criterion), criterion) {
            (Some(words), _) => words.to_owned(),
            (None, None) => "unknown".to_owned(),
            (None, Some(criterion)) => criterion.to_string(),
        };
        lines.push(
            Line::of(indent)
                .with(verdict_style(verdict), verdict_word(verdict))
                .then(format!("  {words}")),
        );
        lines.extend(block(&verdict.evidence, &format!("{indent}    ")));
    }
    lines
}

/// A verdict in a word; the word alone tells whether it proves anything.
fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict.outcome {
        Outcome::Pass if verdict.proves_nothing => "pass, proves nothing",
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Unverified => "unverified",
        Outcome::Waived => "waived",
    }
}

fn verdict_style(verdict: &Verdict) -> Style {
    match verdict.outcome {
        Outcome::Pass if verdict.proves_nothing => Style::Warn,
        Outcome::Pass => Style::Good,
        Outcome::Fail => Style::Bad,
        Outcome::Unverified | Outcome::Waived => Style::Warn,
    }
}
