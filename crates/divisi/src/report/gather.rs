//! The facts of a report, from the run alone.

use std::collections::BTreeSet;

use divisi_core::plan::Work;
use divisi_core::receipt::{Receipt, Snapshot};
use divisi_core::run::explain::{NO_VERDICT, Shared, explain};
use divisi_core::run::{
    AGENT_AUTO, AttemptEnd, Ending, Failure, Final, Phase, Run, Settings, Task, TaskState,
    TaskStatus, Unsaid, is_scripted, unsaid,
};
use divisi_core::{Criterion, Outcome, TaskKind, TaskNo, Time, Verdict};

use super::expected::Expected;
use super::{Done, Integrated, Judged, Made, Report, UseOfTime, answers, shown};
use crate::words;

/// Gathers the facts of a run.
pub(crate) fn gather(run: &Run, now: Time) -> Report {
    let numbered = run.tasks().iter().enumerate();
    let tasks: Vec<Done> = numbered
        .map(|(no, task)| done(run, no, task, now))
        .collect();
    let whole = whole(run);
    let mut report = Report {
        run: run.id.to_string(),
        title: run.title.clone(),
        intent: run.intent.as_deref().cloned(),
        status: run.status(),
        standing: words::standing(run),
        created_at: run.created_at,
        ended_at: run.ended.map(|(_, at)| at),
        revisions: run.revision.saturating_sub(1),
        base: run.base.clone(),
        head: run.integration.head.as_ref().map(ToString::to_string),
        scripted: tasks.iter().any(|task| task.scripted && task.attempts > 0),
        answers: answers::answers(run, &whole),
        whole,
        use_of_time: use_of_time(run, &tasks),
        expected: Expected::of(run),
        assumptions: assumptions(run),
        advice: run.advice().to_vec(),
        unverified: Vec::new(),
        unconfined: Vec::new(),
        left_out: Vec::new(),
        conflicts: Vec::new(),
        claimed_failures: Vec::new(),
        losses: Vec::new(),
        offers: Vec::new(),
        changed: None,
        tasks,
    };
    report.unverified = unverified(run, &report);
    for task in run.tasks() {
        incidents(task, &mut report);
    }
    report
}

fn done(run: &Run, no: usize, task: &Task, now: Time) -> Done {
    let agent = words::who(run, task).to_owned();
    let status = task.status();
    let told = (status != TaskStatus::Done)
        .then(|| explain(run, TaskNo(no as u32), now, &Shared::default()));
    let usage = task.usage();
    Done {
        id: task.spec.id.to_string(),
        title: task.spec.title.clone(),
        status,
        scripted: is_scripted(&agent),
        agent,
        attempts: task.attempts(),
        agent_ms: task.agent_ms(),
        // Of several candidates each has its own.
        estimate_ms: { task.spec.estimate.duration_ms }.filter(|_| task.spec.candidates.is_none()),
        tokens: usage.map(|usage| usage.tokens),
        estimate_tokens: { task.spec.estimate.tokens }.filter(|_| task.spec.candidates.is_none()),
        usd_micros: usage.and_then(|usage| usage.usd_micros),
        denied: denied(task),
        reason: match task.gave_no_verdict() {
            true => Some(NO_VERDICT.to_owned()),
            false => told.flatten().map(|told| told.causes.join("; ")),
        },
        verdicts: judged(&task.spec.criteria, last_verdicts(task)),
        told: task.answers.clone(),
        artifacts: artifacts(task),
        integrated: integrated(task),
        chosen: task.chosen_words(),
        candidates: { run.candidates(TaskNo(no as u32)) }
            .map(|no| &run.tasks()[no.index()])
            .filter(|candidate| candidate.status() == TaskStatus::Done)
            .map(|candidate| candidate.spec.id.to_string())
            .collect(),
    }
}

fn integrated(task: &Task) -> Option<Integrated> {
    // Redone work stands in the place of what it replaces.
    task.receipts().rev().find_map(|receipt| match receipt {
        Receipt::Integrated {
            commit: Some(commit),
            tree,
            ..
        } => Some(Integrated {
            commit: commit.clone(),
            tree: tree.clone(),
        }),
        _ => None,
    })
}

/// What was denied to its agents, by whom and why.
fn denied(task: &Task) -> Vec<String> {
    let ended = task.endings.iter().flat_map(|ending| &ending.permissions);
    let live = task.live().into_iter().flat_map(|live| &live.permissions);
    let denied = ended
        .chain(live)
        .filter(|permission| permission.is_denied());
    let words = denied.map(|it| format!("{}, {}", it.request.words(), it.words()));
    words.collect()
}

/// The files that stand in the result. A plan does not.
fn artifacts(task: &Task) -> Vec<Made> {
    if task.spec.kind == TaskKind::Plan {
        return Vec::new();
    }
    let ended = task.endings.iter().rev();
    let mut integrated = ended.filter(|ending| ending.end == AttemptEnd::Integrated);
    let receipts = integrated
        .next()
        .map_or(&[][..], |ending| &ending.receipts[..]);
    let collected = receipts.iter().rev().find_map(|receipt| match receipt {
        Receipt::Collected { artifacts, .. } => Some(artifacts),
        _ => None,
    });
    let collected = collected.map_or(&[][..], Vec::as_slice);
    let made = collected.iter().map(|artifact| Made {
        path: artifact.path.clone(),
        bytes: artifact.bytes,
        digest: artifact.digest.clone(),
    });
    made.collect()
}

/// The verdicts on the attempt that was judged last.
pub(super) fn last_verdicts(task: &Task) -> &[Verdict] {
    if let Some(live) = task.live() {
        if let Phase::Held { verdicts } = &live.phase {
            return verdicts;
        }
        if let Some(verdicts) = verified(&live.receipts) {
            return verdicts;
        }
    }
    for ending in task.endings.iter().rev() {
        if let AttemptEnd::Refused(Failure::Checks(verdicts) | Failure::Integration(verdicts)) =
            &ending.end
        {
            return verdicts;
        }
        if let Some(verdicts) = verified(&ending.receipts) {
            return verdicts;
        }
        if !ending.held.is_empty() {
            return &ending.held;
        }
    }
    &[]
}

fn verified(receipts: &[Receipt]) -> Option<&[Verdict]> {
    receipts.iter().find_map(|receipt| match receipt {
        Receipt::Verified { verdicts, .. } => Some(verdicts.as_slice()),
        _ => None,
    })
}

/// Each criterion with its verdict, whether or not it has one.
fn judged(criteria: &[Criterion], verdicts: &[Verdict]) -> Vec<Judged> {
    let numbered = criteria.iter().enumerate();
    let judged = numbered.map(|(at, criterion)| {
        let verdict = verdicts
            .iter()
            .find(|verdict| usize::from(verdict.criterion) == at);
        Judged {
            criterion: criterion.to_string(),
            outcome: verdict.map(|verdict| verdict.outcome),
            proves_nothing: verdict.is_some_and(|verdict| verdict.proves_nothing),
            evidence: verdict.map_or_else(String::new, |verdict| verdict.evidence.clone()),
        }
    });
    judged.collect()
}

fn whole(run: &Run) -> Vec<Judged> {
    match &run.finally {
        Final::Open => judged(&run.criteria, &[]),
        Final::Held { verdicts, .. } | Final::Passed(verdicts) => judged(&run.criteria, verdicts),
    }
}

fn use_of_time(run: &Run, tasks: &[Done]) -> UseOfTime {
    let end = run.ended.map_or(run.last_at, |(_, at)| at);
    let endings = || run.tasks().iter().flat_map(|task| task.endings.iter());
    let estimated = || tasks.iter().filter(|task| task.estimate_ms.is_some());
    // What is expected of a task that was split is expected of its parts.
    let is_split =
        |task: &Task| task.status() == TaskStatus::Split && task.spec.kind != TaskKind::Plan;
    let whole = tasks
        .iter()
        .zip(run.tasks())
        .filter(|(_, task)| !is_split(task));
    let estimates = whole.filter_map(|(done, _)| done.estimate_ms);
    let estimate_ms = estimates.reduce(u64::saturating_add);
    UseOfTime {
        wall_ms: end.ms_since(run.created_at),
        waited_ms: run.waited_ms,
        agent_ms: tasks.iter().map(|task| task.agent_ms).sum(),
        estimate_ms,
        tokens: tasks
            .iter()
            .filter_map(|task| task.tokens)
            .reduce(u64::saturating_add),
        tokens_unreported: tasks
            .iter()
            .filter(|task| task.estimate_tokens.is_some() && task.tokens.is_none())
            .count() as u32,
        usd_micros: tasks
            .iter()
            .filter_map(|task| task.usd_micros)
            .reduce(u64::saturating_add),
        estimated_agent_ms: estimated().map(|task| task.agent_ms).sum(),
        attempts: tasks.iter().map(|task| task.attempts).sum(),
        failed: endings()
            .filter(|ending| ending.end.is_own_failure())
            .count() as u32,
        lost: endings()
            .filter(|e| matches!(e.end, AttemptEnd::Lost(_)))
            .count() as u32,
    }
}

/// Defaults that stood in for what the plan did not say.
fn assumptions(run: &Run) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    taken.extend(run.intent.iter().flat_map(|intent| intent.assumptions()));
    let count =
        |test: &dyn Fn(&Task) -> bool| run.tasks().iter().filter(|task| test(task)).count() as u64;
    let settings: &Settings = &run.settings;
    let usual = settings.meant(&settings.agent_default, None);
    let mut take = |many: u64, words: String| {
        if many > 0 {
            taken.push(format!("{}: {words}", words::plural(many, "task")));
        }
    };
    take(
        count(&|task| task.spec.timeout_ms.is_none()),
        format!(
            "no time box of their own, so {}",
            words::span(settings.timeout_ms)
        ),
    );
    take(
        count(&|task| task.spec.estimate.duration_ms.is_none()),
        "no estimate, so their place in the order was guessed".to_owned(),
    );
    take(
        count(&|task| task.spec.criteria == [Criterion::ExitStatus]),
        "no criterion but the exit status of their command".to_owned(),
    );
    take(
        count(&|task| task.spec.agent.is_none() && task.agent(settings) == usual),
        format!("no agent named, so {}", words::agent(usual)),
    );
    let found: BTreeSet<&str> = (settings.agents_auto.values())
        .chain([&settings.agent_auto])
        .map(String::as_str)
        .collect();
    for found in found {
        take(
            count(&|task| {
                task.spec.agent.as_deref() == Some(AGENT_AUTO) && task.agent(settings) == found
            }),
            format!("the agent left open, so {}", words::agent(found)),
        );
    }
    if run.stages.is_empty() && !settings.barriers {
        taken.push("no stages: a task started as soon as what it depends on was done".to_owned());
    }
    if !run.base.uncommitted.is_empty() && !run.base.included {
        let many = words::plural(run.base.uncommitted.len() as u64, "uncommitted path");
        taken.push(format!("the base is what was committed, without {many}"));
    }
    if !settings.budget.is_bounded() {
        taken.push("no budget: attempts and time were bounded by each task's limits".to_owned());
    }
    taken
}

/// What agents did not say of what their attempts at a task used.
fn silent_attempts(task: &Task, settings: &Settings) -> impl Iterator<Item = Unsaid> {
    let of = |ending: &Ending| {
        let mut receipts = ending.receipts.iter();
        receipts.find_map(|receipt| unsaid(&ending.agent, settings, receipt))
    };
    task.endings.iter().filter_map(of)
}

/// Whether all that was integrated of a task is what it started from.
fn is_unchanged(task: &Task) -> bool {
    let ended = task.endings.iter();
    let mut integrated = ended.filter(|ending| ending.end == AttemptEnd::Integrated);
    integrated.all(|it| it.snapshot().is_some_and(Snapshot::is_unchanged))
}

/// What nobody and nothing verified.
fn unverified(run: &Run, report: &Report) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    list.extend(run.intent.iter().flat_map(|intent| intent.left_out.clone()));
    for task in report
        .tasks
        .iter()
        .filter(|task| task.status == TaskStatus::Done)
    {
        for judged in &task.verdicts {
            let why = match judged.outcome {
                Some(Outcome::Pass) if judged.proves_nothing => {
                    "its check passed before the work too, so it proves nothing"
                }
                Some(Outcome::Pass) => continue,
                Some(Outcome::Waived) => "waived by the owner",
                Some(Outcome::Fail) => "it does not hold",
                Some(Outcome::Unverified) | None => "nobody judged it",
            };
            list.push(format!("{}: {} ({why})", task.id, judged.criterion));
        }
    }
    for (task, done) in run.tasks().iter().zip(&report.tasks) {
        let is_work = task.spec.kind == TaskKind::Work && task.spec.work == Work::Handoff;
        let is_work = is_work && task.candidate_of.is_none();
        let is_made = done.integrated.is_some() && !is_unchanged(task);
        if is_work && done.status == TaskStatus::Done && !is_made {
            list.push(format!("{}: it is done and changed no file", done.id));
        }
        let last = task
            .endings
            .last()
            .filter(|_| done.status == TaskStatus::Done);
        let mut receipts = last.into_iter().flat_map(|ending| &ending.receipts);
        if receipts.any(|receipt| receipt.too_large().is_some()) {
            list.push(format!(
                "{}: its agent found it to be more than one task; what it made passed its checks",
                done.id
            ));
        }
    }
    list.extend(shown::unshown(run).iter().filter_map(|unshown| {
        let id = &unshown.task.spec.id;
        let paths: Vec<&str> = unshown.written.iter().copied().collect();
        let doubt = match &paths[..] {
            [] => {
                "whether it did what was asked for; its checks hold for other work, too".to_owned()
            }
            _ if shown::is_judged(run) => return None,
            [path] => format!("what {path} says: nobody judged it"),
            paths => format!("what {} say: nobody judged it", paths.join(", ")),
        };
        Some(format!("{id}: {doubt}"))
    }));
    for judged in &report.whole {
        if judged.outcome != Some(Outcome::Pass) || judged.proves_nothing {
            let why = match judged.outcome {
                Some(Outcome::Waived) => "waived by the owner",
                Some(Outcome::Fail) => "it does not hold",
                Some(Outcome::Pass) => "its check passed before the work too",
                Some(Outcome::Unverified) | None => match run.reviewer(None) {
                    Some(agent) => &format!("a review by {agent} is to tell"),
                    None => "nobody judged it yet",
                },
            };
            list.push(format!("the whole: {} ({why})", judged.criterion));
        }
    }
    let by_exit = |task: &&Task| {
        task.status() == TaskStatus::Done && task.spec.criteria == [Criterion::ExitStatus]
    };
    let many = run.tasks().iter().filter(by_exit).count() as u64;
    if many > 0 {
        let many = words::plural(many, "task");
        list.push(format!(
            "{many}: only an exit status says that the work was done"
        ));
    }
    let scripted = report
        .tasks
        .iter()
        .filter(|task| task.scripted && task.attempts > 0)
        .count();
    if scripted > 0 {
        let many = words::plural(scripted as u64, "task");
        list.push(format!(
            "{many}: played from a script; no real agent worked on them"
        ));
    }
    let silent = |task| silent_attempts(task, &run.settings);
    let silent: Vec<Unsaid> = run.tasks().iter().flat_map(silent).collect();
    for kind in [Unsaid::Ever, Unsaid::ThisTime, Unsaid::Rest] {
        let many = silent.iter().filter(|it| **it == kind).count() as u64;
        if many > 0 {
            list.push(format!(
                "{}: its agent {kind}",
                words::plural(many, "attempt")
            ));
        }
    }
    if report.whole.is_empty() {
        list.push("the whole: the plan states no criteria of its own for it".to_owned());
    }
    list
}

/// What happened to a task's attempts that its owner should know.
fn incidents(task: &Task, report: &mut Report) {
    let name = |number: u32| match number {
        1 => task.spec.id.to_string(),
        _ => format!("{}, attempt {number}", task.spec.id),
    };
    for ending in &task.endings {
        match &ending.end {
            AttemptEnd::Refused(Failure::Conflict(paths)) => {
                let paths = paths.join(", ");
                report
                    .conflicts
                    .push(format!("{}: in {paths}", name(ending.number)));
            }
            AttemptEnd::Lost(cause) => {
                report
                    .losses
                    .push(format!("{}: {cause}", name(ending.number)));
            }
            _ => {}
        }
        // What an agent that was ended says is of its ending, and no check decided on it.
        let is_ended = matches!(ending.end, AttemptEnd::Stopped(_));
        let receipts = ending.receipts.iter().filter(|_| !is_ended);
        let claims = receipts.filter_map(|receipt| {
            let cause = receipt.claimed_failure()?;
            Some(match receipt.too_large() {
                Some(_) => format!("{}: it is more than one task: {cause}", name(ending.number)),
                None => format!("{}: {cause}", name(ending.number)),
            })
        });
        report.claimed_failures.extend(claims);
        if ending.confined == Some(false) {
            report.unconfined.push(name(ending.number));
        }
        if let Some(offer) = &ending.offer {
            let commit = offer.commit.short();
            report
                .offers
                .push(format!("{}: kept as {commit}", name(ending.number)));
        }
    }
    let of_endings = task.endings.iter().flat_map(|ending| &ending.left_out);
    let of_live = task.live().into_iter().flat_map(|live| &live.left_out);
    for what in of_endings.chain(of_live) {
        // All workspaces of a run lack the same.
        if !report.left_out.contains(what) {
            report.left_out.push(what.clone());
        }
    }
    if let TaskState::Active(live) = &task.state
        && live.confined == Some(false)
    {
        report.unconfined.push(name(live.number));
    }
}
