//! Events in words, one line each, for whoever follows a run.

use divisi_core::run::{AttemptEnd, Event, Run, RunStatus, Subject, Then};
use divisi_core::{AttemptId, Outcome, TaskKind, TaskNo, TaskSpec, Time, Verdict};

use crate::printer::{Line, Style};
use crate::words;

/// So many of the tasks that take a task's place are named.
const PARTS_NAMED_MAX: usize = 8;

/// What happened, as one line. `run` gives tasks their names; it may be older or newer than the
/// event.
pub(crate) fn line(run: &Run, at: Time, event: &Event) -> Line {
    match event {
        Event::RunCreated { .. }
        | Event::RunApproved
        | Event::PlanReplaced { .. }
        | Event::PlanRefused { .. }
        | Event::RunPaused { .. }
        | Event::RunResumed
        | Event::CancelAsked
        | Event::RunEnded { .. }
        | Event::FinalHeld { .. }
        | Event::FinalPassed { .. }
        | Event::BatchNarrowed { .. } => of_run(event),
        Event::BatchPrepared { commits } => Line::styled(
            Style::Dim,
            names(run, commits.iter().map(|one| &one.attempt)),
        )
        .with(Style::Dim, " merged; the run's branch is about to take it"),
        Event::BatchIntegrated { attempts, head } => {
            Line::of(names(run, attempts.iter().map(|(attempt, _)| attempt)))
                .with(Style::Good, " done")
                .with(Style::Dim, format!(", integrated as {}", head.short()))
        }
        Event::ReviewOpened { review, of } => {
            let what = match of {
                Subject::Attempt(attempt) => name(run, attempt.task),
                Subject::Whole(_) => "the whole".to_owned(),
            };
            let agent = review.agent.as_deref().unwrap_or_default();
            Line::of(format!("{what} is to be judged: {}", review.id))
                .with(Style::Dim, format!(" by {}", words::agent(agent)))
        }
        Event::CandidatesRefused { task, why } => Line::of(name(run, *task))
            .with(Style::Bad, format!(": {why}"))
            .then("; a person must decide"),
        Event::ReviewClosed { task } => {
            Line::of(name(run, *task)).with(Style::Dim, " is closed: nobody needs it any more")
        }
        Event::TaskSplit {
            task,
            parts,
            reason,
            planned,
            advice,
            ..
        } => {
            // Who splits by hand says several, whatever kind they are of.
            let is_planned = matches!(&parts[..], [part] if part.kind == TaskKind::Plan);
            let what = match planned {
                None if is_planned => "is more than one task, and planned by",
                None => "split into",
                Some(_) => "makes place for",
            };
            Line::of(name(run, *task))
                .then(format!(" {what} {}", some_of(parts)))
                .with(Style::Dim, because(reason))
                .with(Style::Warn, advised(advice))
        }
        Event::ApprovalGiven { task, note } => Line::of(name(run, *task))
            .with(Style::Good, " approved")
            .with(Style::Dim, because(note)),
        Event::TaskFailed { task, reason } => Line::of(name(run, *task))
            .with(Style::Bad, " given up")
            .then(because(reason)),
        Event::TaskCanceled { task } => Line::of(name(run, *task)).with(Style::Dim, " canceled"),
        Event::TaskSkipped { task, because } => Line::of(name(run, *task)).with(
            Style::Dim,
            format!(" skipped: it depends on {}", name(run, *because)),
        ),
        Event::TaskRetried { task, note } => Line::of(name(run, *task))
            .then(" is to be tried again")
            .with(Style::Dim, because(note)),
        Event::QuestionAnswered { task, answer } => Line::of(name(run, *task))
            .then(" got its answer")
            .with(Style::Dim, because(answer)),
        Event::AttemptLeased { .. }
        | Event::AttemptStarted { .. }
        | Event::AttemptAdopted { .. }
        | Event::AttemptAdvanced { .. }
        | Event::AttemptStopping { .. }
        | Event::AttemptSuspected { .. }
        | Event::AttemptCleared { .. }
        | Event::PermissionAsked { .. }
        | Event::PermissionDecided { .. }
        | Event::ReviewAwaited { .. }
        | Event::AttemptEnded { .. }
        | Event::AttemptReturned { .. }
        | Event::OfferKept { .. }
        | Event::OfferAdopted { .. }
        | Event::CandidateChosen { .. }
        | Event::OfferDiscarded { .. } => of_attempt(run, at, event),
    }
}

/// How much there is to say about a plan.
pub(crate) fn advised(advice: &[String]) -> String {
    match advice.len() as u64 {
        0 => String::new(),
        many => format!(", {}", words::plural(many, "warning")),
    }
}

fn of_run(event: &Event) -> Line {
    match event {
        Event::RunCreated { plan, approved, .. } => Line::of(format!(
            "the run begins: {}, {}",
            plan.title,
            words::plural(plan.tasks.len() as u64, "task")
        ))
        .with(
            Style::Dim,
            if *approved {
                ""
            } else {
                "; its plan awaits approval"
            },
        ),
        Event::RunApproved => Line::styled(Style::Good, "the plan is approved"),
        Event::PlanReplaced { plan } => Line::of(format!(
            "another plan takes the place of the one that awaited approval: {}",
            words::plural(plan.tasks.len() as u64, "task")
        )),
        Event::PlanRefused { reason, then, .. } => {
            let why = match reason.as_str() {
                "" => String::new(),
                reason => format!(": {reason}"),
            };
            let next = match then {
                Then::Escalate(cause) => format!("; a person decides: {cause}"),
                _ => "; it is planned anew".to_owned(),
            };
            Line::styled(Style::Warn, format!("the plan is refused{why}{next}"))
        }
        Event::RunPaused { reason } => {
            Line::styled(Style::Warn, format!("paused: {}", reason.words()))
        }
        Event::RunResumed => Line::of("the run goes on"),
        Event::CancelAsked => Line::styled(Style::Warn, "the run is being canceled"),
        Event::RunEnded { status } => {
            let ended = format!("the run {}", ended_words(*status));
            Line::styled(words::run_style(*status), ended)
        }
        Event::FinalHeld { verdicts, tasks } => {
            let held = held_words(verdicts, tasks.len());
            Line::styled(
                Style::Warn,
                format!("the whole is not accepted yet: {held}"),
            )
        }
        Event::FinalPassed { .. } => Line::styled(Style::Good, "the whole passed its checks"),
        Event::BatchNarrowed { batch } => Line::styled(
            Style::Dim,
            format!("a batch did not hold together; {batch} are tried at once now"),
        ),
        _ => Line::default(),
    }
}

fn of_attempt(run: &Run, at: Time, event: &Event) -> Line {
    match event {
        Event::AttemptLeased { attempt, agent, .. } => one(run, *attempt)
            .with(Style::Note, " started")
            .with(Style::Dim, format!(" by {}", words::agent(agent))),
        Event::AttemptStarted {
            attempt,
            confined,
            passed_before,
            left_out,
            ..
        } => {
            let mut facts = Vec::new();
            if *confined == Some(false) {
                facts.push("its writes are not confined".to_owned());
            }
            if !passed_before.is_empty() {
                let many = words::plural(passed_before.len() as u64, "check");
                facts.push(format!("{many} pass before the work and prove nothing"));
            }
            facts.extend(left_out.iter().map(|what| format!("without {what}")));
            one(run, *attempt).with(Style::Dim, format!(" works{}", with_facts(&facts)))
        }
        Event::AttemptAdopted { attempt, .. } => one(run, *attempt).then(" still runs and goes on"),
        Event::AttemptAdvanced { attempt, receipts } => advanced(run, *attempt, receipts),
        Event::AttemptStopping { attempt, reason } => {
            one(run, *attempt).with(Style::Warn, format!(" is being ended: {}", reason.word()))
        }
        Event::AttemptSuspected { attempt, evidence } => {
            one(run, *attempt).with(Style::Warn, format!(" is suspected: {evidence}"))
        }
        Event::AttemptCleared { attempt } => one(run, *attempt).then(" is well after all"),
        Event::PermissionAsked {
            attempt,
            no,
            request,
            ..
        } => one(run, *attempt)
            .with(Style::Warn, format!(" asks leave to {}", request.words()))
            .then(format!("; divisi permissions allow {} {no}", run.id)),
        Event::PermissionDecided {
            attempt,
            no,
            request,
            decision,
            by,
            ..
        } => {
            let known = run.permission(*no).map(|(_, known)| &known.request);
            let what = request.as_ref().or(known);
            let what = what.map_or_else(|| format!("request {no}"), |it| it.words());
            let style = match decision.allows() {
                true => Style::Dim,
                false => Style::Warn,
            };
            one(run, *attempt)
                .with(style, format!(" was {}: {what}", decision.word()))
                .with(Style::Dim, format!(", by {}", by.words()))
        }
        Event::ReviewAwaited { attempt, .. } => {
            one(run, *attempt).with(Style::Warn, " awaits judgment")
        }
        Event::AttemptEnded {
            attempt, end, then, ..
        } => one(run, *attempt)
            .with(
                Style::Bad,
                format!(" ended: {}", words::ended(run, *attempt, end)),
            )
            .then(format!("; {}", next_words(run, at, *attempt, end, then))),
        Event::AttemptReturned { attempt, .. } => {
            one(run, *attempt).then(" came back after it was given up")
        }
        Event::OfferKept { attempt, snapshot } => one(run, *attempt).then(match snapshot {
            Some(snapshot) => format!(" left work that is kept as {}", snapshot.commit.short()),
            None => " left nothing to keep".to_owned(),
        }),
        Event::OfferAdopted { attempt, from } => {
            one(run, *attempt).then(format!(" takes the work of attempt {from}"))
        }
        Event::CandidateChosen { attempt, why, .. } => Line::of(name(run, attempt.task))
            .then(" chooses: ")
            .with(Style::Good, why),
        Event::OfferDiscarded { attempt } => {
            one(run, *attempt).with(Style::Dim, " is given up with all that it left")
        }
        _ => Line::default(),
    }
}

fn advanced(run: &Run, attempt: AttemptId, receipts: &[divisi_core::receipt::Receipt]) -> Line {
    use divisi_core::receipt::Receipt;
    let line = one(run, attempt);
    match receipts.last() {
        None => line,
        Some(Receipt::Submitted { exit, .. }) => line.with(
            Style::Dim,
            format!(" ended with {exit}; what it made is collected"),
        ),
        Some(Receipt::Collected { .. }) => {
            line.with(Style::Dim, " is collected; what it made is checked")
        }
        Some(Receipt::Verified { .. }) if plans(run, attempt) => {
            line.with(Style::Dim, " passed its checks; tasks are made of it next")
        }
        Some(Receipt::Verified { .. })
            if run
                .task(attempt.task)
                .is_some_and(|it| it.reviews.is_some()) =>
        {
            line.with(
                Style::Dim,
                " gave its verdict; what it cites is looked up next",
            )
        }
        Some(Receipt::Verified { .. }) if run.candidate_of(attempt.task).is_some() => {
            line.with(Style::Dim, " passed its checks; it is measured next")
        }
        Some(Receipt::Verified { .. }) => {
            line.with(Style::Dim, " passed its checks; it is integrated next")
        }
        Some(Receipt::Measured { .. }) => line
            .with(Style::Good, " done")
            .with(Style::Dim, ", and is held back"),
        Some(Receipt::Integrated { .. } | Receipt::Expanded { .. } | Receipt::Reviewed { .. }) => {
            line.with(Style::Good, " done")
        }
    }
}

fn plans(run: &Run, attempt: AttemptId) -> bool {
    let task = run.task(attempt.task);
    task.is_some_and(|task| task.spec.kind == TaskKind::Plan)
}

/// Parts by name; many are counted.
pub(crate) fn some_of(parts: &[TaskSpec]) -> String {
    let names: Vec<&str> = parts
        .iter()
        .take(PARTS_NAMED_MAX)
        .map(|part| part.id.as_str())
        .collect();
    match parts.len().saturating_sub(PARTS_NAMED_MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// What became of a run: `succeeded`, `failed`, `was canceled`.
pub(crate) fn ended_words(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Succeeded => "succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Canceled => "was canceled",
        RunStatus::AwaitingApproval | RunStatus::Running | RunStatus::Blocked => "goes on",
    }
}

fn next_words(run: &Run, at: Time, attempt: AttemptId, end: &AttemptEnd, then: &Then) -> String {
    match then {
        Then::Retry { not_before } => words::again(run, attempt, end, *not_before, at),
        Then::Reassign { agent } => format!("{} takes over", words::agent(agent)),
        Then::Split(_) => "smaller tasks take its place".to_owned(),
        // It is given up next, which says why.
        Then::Escalate(_) if run.candidate_of(attempt.task).is_some() => {
            "it has no try left".to_owned()
        }
        Then::Escalate(reason) => format!("a person must decide: {reason}"),
        Then::Ask(question) => format!("it awaits an answer: {question}"),
        Then::Cancel => "it is not tried again".to_owned(),
    }
}

fn held_words(verdicts: &[Verdict], tasks: usize) -> String {
    let of = |outcome| verdicts.iter().filter(|v| v.outcome == outcome).count() as u64;
    let mut parts = Vec::new();
    for (many, what) in [
        (of(Outcome::Fail), "does not hold"),
        (of(Outcome::Unverified), "needs a person's judgment"),
    ] {
        if many > 0 {
            parts.push(format!("{many} of its criteria {what}"));
        }
    }
    if tasks > 0 {
        let tasks = words::plural(tasks as u64, "task");
        parts.push(format!("checks of {tasks} fail on the whole"));
    }
    parts.join("; ")
}

fn with_facts(facts: &[String]) -> String {
    match facts {
        [] => String::new(),
        facts => format!("; {}", facts.join("; ")),
    }
}

fn because(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

fn one(run: &Run, attempt: AttemptId) -> Line {
    let name = name(run, attempt.task);
    match attempt.number {
        1 => Line::of(name),
        number => Line::of(format!("{name}, attempt {number},")),
    }
}

/// So many names are listed; the rest is counted.
const NAMES_MAX: usize = 5;

fn names<'a>(run: &Run, attempts: impl Iterator<Item = &'a AttemptId>) -> String {
    let mut all: Vec<String> = attempts.map(|attempt| name(run, attempt.task)).collect();
    if all.len() > NAMES_MAX {
        let more = all.len() - NAMES_MAX;
        all.truncate(NAMES_MAX);
        all.push(format!("{more} more"));
    }
    all.join(", ")
}

fn name(run: &Run, no: TaskNo) -> String {
    run.task(no)
        .map_or_else(|| format!("task {}", no.0), |task| task.spec.id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{Given, plan, task};

    #[test]
    fn one_plan_alone_takes_the_place_of_what_is_more_than_one_task() {
        let run = Given::run_of(plan("Pages", vec![task("a", &[])])).run();
        let told = |parts: &[TaskSpec]| {
            let event = Event::TaskSplit {
                task: TaskNo(0),
                parts: parts.to_vec(),
                stages: Vec::new(),
                stage_context: String::new(),
                criteria: Vec::new(),
                reason: String::new(),
                planned: None,
                advice: Vec::new(),
            };
            line(&run, Time(0), &event).render(false)
        };
        let [one, two] = ["b", "c"].map(|name| TaskSpec {
            kind: TaskKind::Plan,
            ..task(name, &[])
        });
        let alone = told(std::slice::from_ref(&one));
        assert_eq!(alone, "a is more than one task, and planned by b");
        // By hand there are several, of whatever kind.
        assert_eq!(told(&[one, two]), "a split into b, c");
    }
}
