//! The figures of each stage.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::criterion::truncate;
use divisi_core::run::{
    AGENT_PERSON, AttemptEnd, Failure, Phase, Run, StopReason, Task, TaskState,
};
use divisi_core::{Criterion, Outcome, TaskNo, Time, Verdict};
use divisi_pack::lesson::NOTE_BYTES_MAX;

use super::{Figures, Notes, Refusal, Said, documents};

/// So many things that were written are told of a stage.
const SAID_MAX: usize = 50;

/// A criterion is told with at most so many bytes.
const CRITERION_BYTES_MAX: usize = 300;

/// The figures of every stage, in the order in which their first tasks stand in the plan. `stages`
/// says the stage of each task.
pub(super) fn of(run: &Run, stages: &[Option<TaskNo>], notes: &Notes) -> Vec<Figures> {
    let mut all: BTreeMap<Option<TaskNo>, Figures> = BTreeMap::new();
    for (task, stage) in run.tasks().iter().zip(stages) {
        let figures = all.entry(*stage).or_insert_with(|| Figures {
            stage: name(run, *stage),
            ..Figures::default()
        });
        add(run, task, figures);
    }
    for document in documents(run, stages) {
        let task = &run.tasks()[document.maker.index()];
        let figures = all.get_mut(&document.stage);
        let key = (document.commit, document.path);
        let (Some(figures), Some(found)) = (figures, notes.get(&key)) else {
            continue;
        };
        for note in found {
            say(task, &key.1, note, figures);
        }
    }
    for (stage, end) in ends(run, stages) {
        if let Some(figures) = all.get_mut(&stage) {
            figures.ended_at = end;
        }
    }
    for figures in all.values_mut() {
        let times = |refusal: &Refusal| std::cmp::Reverse(refusal.times);
        figures.refusals.sort_by_key(times);
    }
    all.into_values().collect()
}

/// What a stage is called.
pub(super) fn name(run: &Run, stage: Option<TaskNo>) -> String {
    match stage {
        Some(no) => run.tasks()[no.index()].spec.id.to_string(),
        None => run.title.clone(),
    }
}

/// When each stage ended; `None` while something of it goes on. What stands under no plan task ends
/// with the run.
pub(super) fn ends(run: &Run, stages: &[Option<TaskNo>]) -> BTreeMap<Option<TaskNo>, Option<Time>> {
    let mut ends: BTreeMap<Option<TaskNo>, Option<Time>> = BTreeMap::new();
    let mut open: BTreeSet<Option<TaskNo>> = BTreeSet::new();
    for (task, stage) in run.tasks().iter().zip(stages) {
        let end = task.endings.last().map(|ending| ending.ended_at);
        let last = ends.entry(*stage).or_default();
        *last = (*last).max(end);
        if !task.status().is_terminal() && !matches!(task.state, TaskState::Split(_)) {
            open.insert(*stage);
        }
    }
    for (stage, end) in &mut ends {
        if stage.is_none() {
            *end = run.ended.map(|(_, at)| at);
        } else if open.contains(stage) {
            *end = None;
        }
    }
    ends
}

fn add(run: &Run, task: &Task, figures: &mut Figures) {
    // A candidate is one of several tries at its task, and what that takes of it is none.
    figures.tasks += u32::from(task.candidate_of.is_none());
    let attempts = task.attempts() - u32::from(task.taken().is_some());
    figures.attempts += attempts;
    figures.retries += attempts.saturating_sub(1);
    let agent_ms = task.agent_ms();
    figures.agent_ms += agent_ms;
    // Of several candidates each has its own.
    let estimate = task.spec.candidates.is_none().then_some(task.spec.estimate);
    let estimate = estimate.unwrap_or_default();
    if let Some(ms) = estimate.duration_ms {
        let sum = figures.estimate_ms.unwrap_or(0);
        figures.estimate_ms = Some(sum.saturating_add(ms));
        figures.estimated_agent_ms += agent_ms;
    }
    if let Some(tokens) = estimate.tokens {
        let sum = figures.estimate_tokens.unwrap_or(0);
        figures.estimate_tokens = Some(sum.saturating_add(tokens));
    }
    endings(task, figures);
    for answer in &task.answers {
        say(task, "answer", &answer.text, figures);
    }
    if waits_for_a_person(run, task) {
        figures.left_to_people.push(task.spec.id.to_string());
    }
}

fn endings(task: &Task, figures: &mut Figures) {
    let mut asked_at = None;
    for ending in &task.endings {
        if ending.agent == AGENT_PERSON {
            figures.people_ms += ending.ended_at.ms_since(ending.leased_at);
        }
        if let Some(asked_at) = asked_at.take() {
            figures.people_ms += ending.leased_at.ms_since(asked_at);
        }
        figures.failed += u32::from(ending.end.is_own_failure());
        match &ending.end {
            AttemptEnd::Lost(_) => figures.lost += 1,
            AttemptEnd::Limited { .. } => figures.usage_limits += 1,
            AttemptEnd::Stopped(StopReason::Overdue) => figures.overdue += 1,
            AttemptEnd::Asked(question) => {
                figures.questions += 1;
                asked_at = Some(ending.ended_at);
                say(task, "question", question, figures);
            }
            AttemptEnd::Refused(Failure::Conflict(_)) => figures.conflicts += 1,
            AttemptEnd::Refused(Failure::Person(words)) => say(task, "refusal", words, figures),
            end => refused(end).for_each(|verdict| {
                refusal(task, verdict, figures);
            }),
        }
    }
    if let (Some(asked_at), Some(live)) = (asked_at, task.live()) {
        figures.people_ms += live.leased_at.ms_since(asked_at);
    }
}

/// The verdicts that refused an attempt.
pub(super) fn refused(end: &AttemptEnd) -> impl Iterator<Item = &Verdict> {
    let verdicts = match end {
        AttemptEnd::Refused(Failure::Checks(verdicts) | Failure::Integration(verdicts)) => {
            verdicts.as_slice()
        }
        _ => &[],
    };
    let is_refusal = |verdict: &&Verdict| verdict.outcome == Outcome::Fail;
    verdicts.iter().filter(is_refusal)
}

/// The criterion of a verdict; none of one on the whole.
pub(super) fn criterion<'t>(task: &'t Task, verdict: &Verdict) -> Option<&'t Criterion> {
    task.spec.criteria.get(usize::from(verdict.criterion))
}

/// A criterion in words, cut.
pub(super) fn words(criterion: Option<&Criterion>) -> String {
    let on_the_whole = || "what is integrated already still holds".to_owned();
    let mut words = criterion.map_or_else(on_the_whole, ToString::to_string);
    truncate(&mut words, CRITERION_BYTES_MAX);
    words
}

fn refusal(task: &Task, verdict: &Verdict, figures: &mut Figures) {
    let words = words(criterion(task, verdict));
    let found = figures.refusals.iter().position(|it| it.criterion == words);
    let at = found.unwrap_or_else(|| {
        figures.refusals.push(Refusal {
            criterion: words,
            times: 0,
            tasks: Default::default(),
            roles: BTreeMap::new(),
        });
        figures.refusals.len() - 1
    });
    let refusal = &mut figures.refusals[at];
    refusal.times += 1;
    refusal.tasks.insert(task.spec.id.to_string());
    if let Some(role) = task.spec.role() {
        *refusal.roles.entry(role).or_default() += 1;
    }
}

fn say(task: &Task, place: &str, text: &str, figures: &mut Figures) {
    if figures.said.len() >= SAID_MAX || text.trim().is_empty() {
        return;
    }
    let mut text = text.trim().to_owned();
    truncate(&mut text, NOTE_BYTES_MAX);
    figures.said.push(Said {
        task: task.spec.id.to_string(),
        place: place.to_owned(),
        text,
    });
}

fn waits_for_a_person(run: &Run, task: &Task) -> bool {
    match &task.state {
        TaskState::Approval | TaskState::Question(_) | TaskState::Escalated(_) => true,
        TaskState::Active(live) => {
            let works = matches!(live.phase, Phase::Leased | Phase::Working);
            let reviewer = || run.reviewer(run.find(&task.spec.id));
            let is_held = matches!(live.phase, Phase::Held { .. });
            works && live.agent == AGENT_PERSON || is_held && reviewer().is_none()
        }
        _ => false,
    }
}
