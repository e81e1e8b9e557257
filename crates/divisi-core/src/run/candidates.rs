//! Candidates: a task that is solved several times, side by side, of which one solution is taken.
//!
//! The candidates of a task are tasks beside the plan: they wait for what it waits for, and it waits
//! for them. What one made is checked and measured like any work, and held back. When all have ended,
//! the task chooses by what is recorded of them, and takes the work of the best as its own attempt,
//! verified already; from there it is integrated as any other. A candidate that has no try left is
//! given up: it holds nobody up, as long as another one passes.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::attempt::{AttemptEnd, Ending, Phase, snapshot_of};
use super::command::Rejection;
use super::decide::Draft;
use super::division::stem;
use super::event::Event;
use super::links::Node;
use super::offer;
use super::state::Run;
use super::task::{Task, TaskState, TaskStatus};
use crate::criterion::{Verdict, truncate};
use crate::figure::Figure;
use crate::ids::{AttemptId, TaskId, TaskNo, Time};
use crate::ledger::Exhausted;
use crate::plan::{Preference, Want};
use crate::receipt::{Exit, Measured, Receipt};
use crate::shell;

/// The attempt of a task that takes the work of one of its candidates: its first, since it waits for
/// them.
pub(super) const TAKEN: u32 = 1;

/// Why one candidate did not pass, in bytes, as it is told beside the others.
const CAUSE_BYTES_MAX: usize = 300;

/// What came of a task's candidates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The attempt whose work was taken; `None` if none passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AttemptId>,
    /// Why that one, with the figures of all; or what became of each.
    pub why: String,
}

impl Task {
    /// The candidate's attempt whose work it took, whatever has become of that since.
    #[must_use]
    pub fn taken(&self) -> Option<AttemptId> {
        self.chosen.as_ref()?.from
    }

    /// The same as long as that is its own work: not once it was refused, or done again.
    #[must_use]
    pub fn stands_on(&self) -> Option<AttemptId> {
        let stands = match self.live() {
            Some(live) => live.number == TAKEN,
            None => { self.endings.last() }
                .is_some_and(|it| it.number == TAKEN && it.end == AttemptEnd::Integrated),
        };
        self.taken().filter(|_| stands)
    }

    /// What came of its candidates, and what has become of that since.
    #[must_use]
    pub fn chosen_words(&self) -> Option<String> {
        let chosen = self.chosen.as_ref()?;
        let mut words = chosen.why.clone();
        if self.stands_on().is_some() {
            return Some(words);
        }
        let taken = { self.ending(TAKEN) }.filter(|_| chosen.from.is_some());
        if let Some(refused) = taken.filter(|it| it.end != AttemptEnd::Integrated) {
            words = format!("{words}; but {}", refused.words());
        }
        if self.attempts() > u32::from(chosen.from.is_some()) {
            let live = self.live().map(|live| &live.agent);
            let last = live.or(self.endings.last().map(|last| &last.agent));
            let by = last.map_or("", String::as_str);
            words = format!(
                "{words}; attempt {} by {by} came after that",
                self.attempts()
            );
        }
        Some(words)
    }
}

impl Run {
    /// The candidates of a task, in the order in which equals are preferred.
    pub fn candidates(&self, no: TaskNo) -> impl Iterator<Item = TaskNo> + '_ {
        let waits = self.tasks[no.index()].links.waits.iter();
        let is_one = move |on: &TaskNo| self.candidate_of(*on) == Some(no);
        let tasks = waits.filter_map(|node| match node {
            Node::Task(on) => Some(*on),
            Node::Join(_) => None,
        });
        tasks.filter(is_one)
    }

    /// The task that a task is a candidate of, if it is.
    #[must_use]
    pub fn candidate_of(&self, no: TaskNo) -> Option<TaskNo> {
        self.tasks[no.index()].candidate_of
    }

    /// How many candidates were given up: failed ones, and canceled ones.
    #[must_use]
    pub fn spent_candidates(&self) -> (u32, u32) {
        let states = self
            .candidates
            .iter()
            .map(|no| &self.tasks[no.index()].state);
        states.fold((0, 0), |(failed, canceled), state| match state {
            TaskState::Failed(_) => (failed + 1, canceled),
            TaskState::Canceled => (failed, canceled + 1),
            _ => (failed, canceled),
        })
    }

    /// Adds the candidates of the tasks from this number on. They follow from the plan alone, so that
    /// no event has to name them.
    pub(super) fn add_candidates(&mut self, first: usize) {
        for no in (first..self.tasks.len()).map(|no| TaskNo(no as u32)) {
            let task = &self.tasks[no.index()];
            let Some(of) = task.spec.candidates.as_ref().map(|it| it.of.len()) else {
                continue;
            };
            let spec = task.spec.clone();
            let ids = self.names_of(&spec.id, of);
            let mut waits = task.links.waits.clone();
            if waits.len() > 1 {
                let before = self.add_join(format!("what {} waits for", spec.id));
                for wait in std::mem::replace(&mut waits, vec![before]) {
                    self.connect(wait, before);
                }
            }
            let of = spec.candidates.iter().flat_map(|it| &it.of);
            for (candidate, of) in spec.candidates_as(&ids).zip(of) {
                let added = self.add_task(candidate);
                self.candidates.push(added);
                let (depth, nesting, context) = {
                    let task = &self.tasks[no.index()];
                    (task.depth, task.nesting, task.stage_context.clone())
                };
                let candidate = &mut self.tasks[added.index()];
                candidate.candidate_of = Some(no);
                candidate.names_agent = of.agent.is_some();
                candidate.depth = depth;
                candidate.nesting = nesting;
                candidate.stage_context = context;
                for &wait in &waits {
                    self.connect(wait, Node::Task(added));
                }
                self.connect(Node::Task(added), Node::Task(no));
            }
        }
    }

    /// Names that no other task of the run has: the task's own with a number.
    fn names_of(&self, id: &TaskId, many: usize) -> Vec<TaskId> {
        let stem = stem(id);
        let named = |no: u32| TaskId::new(format!("{stem}.{no}")).ok();
        let free = |name: &TaskId| self.find(name).is_none();
        (1..).filter_map(named).filter(free).take(many).collect()
    }

    /// A candidate that was given up holds its task up no more.
    pub(super) fn meet_spent(&mut self, no: TaskNo) {
        if self.tasks[no.index()].is_spent_candidate() {
            self.done(no);
        }
    }

    /// Whether all tasks are done, split into done ones, or candidates of such.
    #[must_use]
    pub fn is_fulfilled(&self) -> bool {
        use TaskStatus as S;
        let of = |statuses: &[S]| statuses.iter().map(|it| self.counts.of(*it)).sum::<u32>();
        let finished = of(&[S::Done, S::Split]);
        let all = self.tasks.len() as u32;
        if finished + of(&[S::Failed, S::Canceled]) < all {
            return false;
        }
        let (failed, canceled) = self.spent_candidates();
        finished + failed + canceled == all
    }

    /// The work of a candidate becomes an attempt of the task's own.
    pub(super) fn apply_chosen(
        &mut self,
        at: Time,
        attempt: AttemptId,
        from: AttemptId,
        why: &str,
    ) {
        let made = self.tasks[from.task.index()].ending(from.number).cloned();
        let Some(made) = made else { return };
        let usual = self.tasks[attempt.task.index()].agent(&self.settings) == made.agent;
        self.change(attempt.task, |task| {
            task.chosen = Some(Chosen {
                from: Some(from),
                why: why.to_owned(),
            });
            // What has to be mended is for whoever made it.
            if !usual {
                task.reassigned = Some(made.agent.clone());
            }
            let workspace = task.endings.last().map_or(1, |last| last.workspace + 1);
            let work = snapshot_of(&made.receipts).cloned();
            let taken = made.taken_as(attempt.number, workspace, at, work);
            task.state = TaskState::Active(Box::new(taken));
        });
    }

    pub(super) fn apply_candidates_refused(&mut self, no: TaskNo, why: &str) {
        self.change(no, |task| {
            task.chosen = Some(Chosen {
                from: None,
                why: why.to_owned(),
            });
            task.state = TaskState::Escalated(why.to_owned());
        });
    }
}

impl Draft<'_> {
    /// What is compared of a candidate is known: it is done, and held back.
    pub(super) fn on_measured(
        &mut self,
        attempt: AttemptId,
        measured: Measured,
    ) -> Result<(), Rejection> {
        let verified = self.live(attempt)?.phase == Phase::Verified;
        if !verified || self.run.candidate_of(attempt.task).is_none() {
            return Self::superseded(attempt);
        }
        let at = self.at;
        self.push(Event::AttemptAdvanced {
            attempt,
            receipts: vec![Receipt::Measured { at, measured }],
        });
        Ok(())
    }

    /// Nobody is asked about a candidate that has no try left: its task chooses among the others.
    pub(super) fn give_up_candidate(&mut self, no: TaskNo) {
        let task = &self.run.tasks()[no.index()];
        if let (TaskState::Escalated(reason), Some(_)) = (&task.state, task.candidate_of) {
            let reason = reason.clone();
            self.push(Event::TaskFailed { task: no, reason });
        }
    }

    /// Nor is anybody asked for more than each of several may use up: the others go on without it.
    pub(super) fn give_up(&mut self, no: TaskNo, exhausted: &Exhausted) -> Result<(), Rejection> {
        let task = self.known(no)?;
        let is_ready = matches!(task.state, TaskState::Ready { .. });
        if task.candidate_of.is_none() || !is_ready {
            return self.not_now(no, "given up", "only a candidate that is ready is");
        }
        let reason = exhausted.to_string();
        self.push(Event::TaskFailed { task: no, reason });
        Ok(())
    }

    /// Chooses for every task whose candidates have all ended.
    pub(super) fn choose(&mut self) {
        while let Some(&no) = self.run.to_choose.first() {
            match best(self.run, no) {
                Ok((from, why)) => self.take_candidate(no, from, why),
                Err(why) => self.push(Event::CandidatesRefused { task: no, why }),
            }
        }
    }

    /// What was verified stands: its verdicts speak of the very tree that is taken.
    fn take_candidate(&mut self, no: TaskNo, from: AttemptId, why: String) {
        let task = &self.run.tasks()[no.index()];
        let attempt = self.run.attempt_id(no, task.attempts() + 1);
        let made = self.run.tasks()[from.task.index()].ending(from.number);
        let Some(made) = made.cloned() else { return };
        self.push(Event::CandidateChosen { attempt, from, why });
        let at = self.at;
        let mut exit = Exit::NoProcess;
        let (mut collected, mut judged): (Option<Receipt>, Vec<Verdict>) = (None, Vec::new());
        for receipt in made.receipts {
            match receipt {
                Receipt::Submitted { exit: its, .. } => exit = its,
                Receipt::Collected {
                    snapshot,
                    artifacts,
                    ..
                } => {
                    collected = Some(Receipt::Collected {
                        at,
                        snapshot,
                        artifacts,
                    });
                }
                Receipt::Verified { verdicts, .. } => judged = verdicts,
                _ => {}
            }
        }
        let submitted = offer::submitted(at, exit, &made.agent);
        let receipts = std::iter::once(submitted).chain(collected).collect();
        self.push(Event::AttemptAdvanced { attempt, receipts });
        self.verified(attempt, judged);
    }
}

/// A candidate that passed.
struct Passed<'r> {
    attempt: AttemptId,
    id: &'r TaskId,
    measured: &'r Measured,
}

impl Passed<'_> {
    /// The better, the smaller; those that were measured come before those that could not be.
    fn rank(
        &self,
        prefer: Option<&Preference>,
    ) -> (bool, Option<Reverse<Figure>>, Option<Figure>, u64, TaskNo) {
        let (lines, no) = (self.measured.lines, self.attempt.task);
        match prefer.map(|it| it.want) {
            None => (false, None, None, lines, no),
            Some(want) => {
                let figure = self.measured.figure;
                let highest = figure.filter(|_| want == Want::Highest).map(Reverse);
                let lowest = figure.filter(|_| want == Want::Lowest);
                (figure.is_none(), highest, lowest, lines, no)
            }
        }
    }

    fn words(&self, prefer: Option<&Preference>) -> String {
        let lines = match self.measured.lines {
            1 => "1 line".to_owned(),
            many => format!("{many} lines"),
        };
        let id = self.id;
        match (prefer, self.measured.figure, &self.measured.lacking) {
            (None, ..) => format!("{id} with {lines}"),
            (Some(_), Some(figure), _) => format!("{id} with {figure} ({lines})"),
            (Some(_), None, Some(cause)) => format!("{id} without one ({lines}): {}", short(cause)),
            (Some(_), None, None) => format!("{id} without one ({lines})"),
        }
    }
}

/// The attempt whose work is the best of those that passed, and why; or what became of each.
fn best(run: &Run, no: TaskNo) -> Result<(AttemptId, String), String> {
    let task = &run.tasks()[no.index()];
    let prefer = { task.spec.candidates.as_ref() }.and_then(|it| it.prefer.as_ref());
    let all: Vec<(TaskNo, &Task)> = { run.candidates(no) }
        .map(|no| (no, &run.tasks()[no.index()]))
        .collect();
    let mut passed: Vec<Passed<'_>> = all
        .iter()
        .filter_map(|(no, it)| passed(run, *no, it))
        .collect();
    passed.sort_by_key(|it| it.rank(prefer));
    let others: Vec<String> = { all.iter() }
        .filter(|(no, _)| passed.iter().all(|it| it.attempt.task != *no))
        .map(|(_, it)| format!("{}: {}", it.spec.id, short(&cause(it))))
        .collect();
    let many = all.len();
    let figures: Vec<String> = passed.iter().map(|it| it.words(prefer)).collect();
    let has_figures = passed.iter().any(|it| it.measured.figure.is_some());
    let by = match prefer {
        None => "the fewest changed lines".to_owned(),
        Some(prefer) if !has_figures => format!(
            "the fewest changed lines, since `{}` told a number of none",
            shell::line(&prefer.argv)
        ),
        Some(prefer) => format!("the {} `{}`", prefer.want.word(), shell::line(&prefer.argv)),
    };
    let why = match &passed[..] {
        [] => {
            return Err(format!(
                "none of its {many} candidates passed: {}",
                others.join("; ")
            ));
        }
        [one] => format!("{} alone of {many} candidates passed its checks", one.id),
        [one, ..] => format!(
            "{} was chosen of {many} candidates for {by}: {}",
            one.id,
            figures.join(", ")
        ),
    };
    let rest = match others.is_empty() {
        true => String::new(),
        false => format!("; not passed: {}", others.join("; ")),
    };
    Ok((passed[0].attempt, format!("{why}{rest}")))
}

fn passed<'r>(run: &Run, no: TaskNo, task: &'r Task) -> Option<Passed<'r>> {
    let is_measured = |it: &&Ending| it.end == AttemptEnd::Measured;
    let ending = task.endings.last().filter(is_measured)?;
    let measured = ending.receipts.iter().find_map(|receipt| match receipt {
        Receipt::Measured { measured, .. } => Some(measured),
        _ => None,
    })?;
    Some(Passed {
        attempt: run.attempt_id(no, ending.number),
        id: &task.spec.id,
        measured,
    })
}

/// Why a candidate that has ended did not pass.
fn cause(task: &Task) -> String {
    match &task.state {
        TaskState::Failed(reason) if !reason.is_empty() => reason.clone(),
        TaskState::Canceled => "it was canceled".to_owned(),
        _ => "it was given up".to_owned(),
    }
}

fn short(cause: &str) -> String {
    let mut cause = cause.to_owned();
    truncate(&mut cause, CAUSE_BYTES_MAX);
    cause
}
