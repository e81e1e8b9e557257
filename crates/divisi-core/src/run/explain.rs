//! Why a task is not further: the object that causes it, and a command that changes it (X6).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::agents::{AGENT_EXTERNAL, AGENT_PERSON, holds_slot};
use super::attempt::{Attempt, AttemptEnd, Ending, Phase};
use super::division;
use super::event::PauseReason;
use super::indexes::takes_slot;
use super::links::Seen;
use super::remedy::evidence_line;
use super::reviews::Subject;
use super::state::{Final, Run, RunStatus};
use super::task::{Task, TaskState, TaskStatus};
use super::unreviewed::Unreviewed;
use crate::assign::WORKERS_MAX;
use crate::criterion::{Outcome, Verdict};
use crate::ids::{RunId, TaskNo, Time};
use crate::ledger::{
    Access, Account, Balance, Bound, Choice, Credential, Exhausted, Limit, Waiting,
};
use crate::permission::Permission;
use crate::plan::{TaskKind, Work, WorkspaceKind};

/// At most so many causes are listed; the rest is counted.
const CAUSES_MAX: usize = 8;

/// So many of those that hold a limit's places are named.
const RUNNING_MAX: usize = 3;

/// What `divisi split` takes where no rule divides a task.
const PARTS: &str = "to split it, write PARTS: a file with at least two smaller tasks, in the form of \
    a plan's `subtasks`";

/// What is said of a review that was closed before it gave a verdict.
pub const NO_VERDICT: &str =
    "it was closed without a verdict of its own: somebody else judged, or nobody needs it any more";

/// The answer to "why is this not further?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What is asked about: a task's name, or the run's.
    pub subject: String,
    /// Its status.
    pub status: String,
    /// The objects that cause it, in words.
    pub causes: Vec<String>,
    /// Commands that change it.
    pub commands: Vec<String>,
}

/// What a run shares with the other runs of its project: what is ready may wait for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// What the accounts that bound the run or its tasks permit and have used: its own, its tasks',
    /// the day's, and those of whatever it is done for.
    pub accounts: BTreeMap<Account, Balance>,
    /// The slots that other runs hold.
    pub others: Vec<(RunId, u32)>,
    /// Usage limits by credential, those that are over among them.
    pub limits: BTreeMap<Credential, Limit>,
    /// What each agent can log in with, as [`Access::credentials`].
    pub credentials: BTreeMap<String, Vec<Credential>>,
    /// Added to UTC for the time of the day.
    pub offset_ms: i64,
}

impl Shared {
    /// What the run's own account permits and has used; `None` if nothing bounds the run itself.
    #[must_use]
    pub fn balance(&self, run: RunId) -> Option<&Balance> {
        self.accounts.get(&Account::Run(run))
    }

    /// The first account that leaves too little for the next attempt at a task.
    #[must_use]
    pub fn exhausted(&self, run: &Run, task: &Task) -> Option<Exhausted> {
        let amount = task.amount(&run.settings);
        let own = |account: Account| match account {
            Account::Task(of, no) if of == run.id => {
                run.task(no).is_some_and(|it| it.spec.id == task.spec.id)
            }
            _ => true,
        };
        let charged = self.accounts.iter().filter(|(account, _)| own(**account));
        charged.into_iter().find_map(|(account, balance)| {
            let bound = balance.grant(amount).err()?;
            let is_own = matches!(account, Account::Task(of, _) if *of == run.id);
            Some(Exhausted {
                account: *account,
                bound: Some(bound),
                task: is_own.then(|| task.spec.id.clone()),
            })
        })
    }

    /// What is known of credentials.
    #[must_use]
    pub fn access(&self) -> Access<'_> {
        Access {
            limits: &self.limits,
            credentials: &self.credentials,
            offset_ms: self.offset_ms,
        }
    }

    /// Whether other runs hold so many slots that this one gets no more.
    fn leaves_none(&self, run: &Run) -> bool {
        let others: u32 = self.others.iter().map(|(_, slots)| slots).sum();
        others > 0 && others.saturating_add(run.slots()) >= WORKERS_MAX
    }
}

/// Says why a task is where it is.
#[must_use]
pub fn explain(run: &Run, no: TaskNo, now: Time, shared: &Shared) -> Option<Explanation> {
    let task = run.task(no)?;
    let mut told = Explanation {
        subject: task.spec.id.to_string(),
        status: task.status().word().to_owned(),
        causes: Vec::new(),
        commands: Vec::new(),
    };
    match &task.state {
        TaskState::Waiting => waiting(run, no, &mut told),
        TaskState::Ready { not_before } if *not_before > now && run.takes_leases() => {
            let seconds = not_before.ms_since(now).div_ceil(1000);
            let due = format!("its next attempt is due in {seconds} s");
            told.causes.push(match task.endings.last() {
                Some(ending) => format!("{due}; the last time {}", ending.words()),
                None => due,
            });
            told.command(run, "cancel", task, "");
        }
        TaskState::Ready { .. } => ready(run, task, shared, now, &mut told),
        TaskState::Active(live) => active(run, task, live, now, &mut told),
        TaskState::Approval => approval(run, no, &mut told),
        TaskState::Question(question) => {
            told.causes.push(format!("its agent asked: {question}"));
            told.command(run, "answer", task, " TEXT");
        }
        TaskState::Escalated(reason) => {
            told.causes.push(reason.clone());
            told.causes.extend(part_of(run, no));
            told.command(run, "show", task, "");
            if task.endings.last().is_some_and(Ending::has_printed) {
                told.command(run, "logs", task, "");
            }
            told.command(run, "retry", task, " --note HINT");
            if let Some(subject) = &task.reviews {
                return Some(told.judge(run, subject));
            }
            let in_words = task.spec.kind == TaskKind::Plan || task.spec.work == Work::Handoff;
            if in_words && task.depth < run.settings.sizes.split_depth_max {
                let parts = match division::can_divide(run, no) {
                    true => "",
                    false => " PARTS",
                };
                if !parts.is_empty() {
                    told.causes.push(PARTS.to_owned());
                }
                told.command(run, "split", task, parts);
            }
            if task.is_refused_for_no_change() {
                told.causes.extend(judged_with(task));
                told.command(run, "approve", task, " --note WHY");
            }
            told.command(run, "reject", task, " --reason WHY");
        }
        TaskState::Done => told.causes.push(match task.gave_no_verdict() {
            true => NO_VERDICT.to_owned(),
            false => "it is done".to_owned(),
        }),
        TaskState::Failed(reason) => {
            told.causes.push(match reason.as_str() {
                "" => "it was given up".to_owned(),
                reason => format!("it was given up: {reason}"),
            });
            // What policy gave up tells it already.
            let last = task.endings.last().filter(|it| !it.is_told_in(reason));
            if let Some(ending) = last {
                told.causes
                    .push(format!("the last time {}", ending.words()));
            }
            told.after_its_end(run, task);
        }
        TaskState::Canceled => {
            told.causes.push("its owner canceled it".to_owned());
            told.after_its_end(run, task);
        }
        TaskState::Skipped(because) => {
            let because = &run.tasks()[because.index()];
            told.causes.push(format!(
                "it depends on {}, which is {}",
                because.spec.id,
                because.status()
            ));
            told.after_its_end(run, because);
        }
        TaskState::Split(parts) => split(run, task, parts, &mut told),
    }
    candidates(run, no, &mut told);
    let last = task.endings.last().filter(|_| task.live().is_none());
    let is_open = !matches!(task.state, TaskState::Done | TaskState::Split(_));
    let look_first = last
        .filter(|_| is_open)
        .and_then(|it| it.look_first(run.id));
    told.commands.splice(0..0, look_first);
    Some(told)
}

/// What a person says with the approval of work that changed nothing, beside that this is right.
fn judged_with(task: &Task) -> Option<String> {
    let criteria = task.spec.criteria.iter();
    let words: Vec<String> = { criteria.filter(|it| !it.is_falsifiable()) }
        .map(ToString::to_string)
        .collect();
    let all = words.join("; ");
    (!words.is_empty()).then(|| format!("whoever approves it says that this holds: {all}"))
}

/// What a person consents to or refuses: what was done right before it, which can be looked at and be
/// done again.
fn approval(run: &Run, no: TaskNo, told: &mut Explanation) {
    let task = &run.tasks()[no.index()];
    let before = run.dependencies(no);
    let behind = run.dependents(no);
    let lost = match behind.as_slice() {
        [] => String::new(),
        [one] => format!(", and {} is skipped", run.tasks()[one.index()].spec.id),
        many => format!(", and the {} tasks behind it are skipped", many.len()),
    };
    told.causes
        .push("it is an approval: a person consents or refuses".to_owned());
    told.causes
        .push(format!("refusing it is for good: the run fails{lost}"));
    for on in before.iter().take(RUNNING_MAX) {
        let before = &run.tasks()[on.index()];
        let made = before.endings.last().and_then(Ending::snapshot);
        if before.status() == TaskStatus::Done && made.is_some() {
            told.command(run, "diff", before, "");
        }
    }
    told.command(run, "approve", task, "");
    let again = before.iter().take(CAUSES_MAX);
    let again = again.filter(|on| run.awaits_consent_to(**on));
    for on in again.take(RUNNING_MAX) {
        told.command(run, "retry", &run.tasks()[on.index()], " --note HINT");
    }
    told.command(run, "reject", task, " --reason WHY");
}

/// What came of a task's candidates, or of a candidate's task, and how each is looked at.
fn candidates(run: &Run, no: TaskNo, told: &mut Explanation) {
    let task = &run.tasks()[no.index()];
    if let Some(of) = run.candidate_of(no) {
        let of = &run.tasks()[of.index()];
        let taken = of.chosen.as_ref().map(|it| it.from.map(|from| from.task));
        // What was done since is not the work of the one that was chosen.
        let first = match of.stands_on() {
            Some(_) => "",
            None => " first, and what was done since is not its work",
        };
        told.causes.push(match taken {
            Some(Some(taken)) if taken == no => {
                format!(
                    "it is the candidate that was chosen for {}{first}",
                    of.spec.id
                )
            }
            Some(Some(taken)) => {
                let taken = &run.tasks()[taken.index()].spec.id;
                format!(
                    "it is a candidate for {}, and {taken} was chosen{first}",
                    of.spec.id
                )
            }
            Some(None) => format!("it is a candidate for {}, and none passed", of.spec.id),
            None => format!("it is a candidate for {}", of.spec.id),
        });
    }
    if task.taken().is_none() {
        return;
    }
    told.causes.extend(task.chosen_words());
    for candidate in run.candidates(no) {
        let candidate = &run.tasks()[candidate.index()];
        if candidate.status() == TaskStatus::Done {
            told.command(run, "show", candidate, "");
        }
    }
}

/// What a task is a part of, if it is one.
fn part_of(run: &Run, no: TaskNo) -> Option<String> {
    let wholes = run.replaced(no).map(|no| &run.tasks()[no.index()].spec);
    let wholes = wholes.take_while(|spec| spec.kind != TaskKind::Plan);
    let names: Vec<String> = wholes
        .map(|spec| format!("a part of {}", spec.id))
        .collect();
    (!names.is_empty()).then(|| format!("it is {}", names.join(", which is ")))
}

/// What stands in a task's place, those first that are not done.
fn split(run: &Run, task: &Task, parts: &[TaskNo], told: &mut Explanation) {
    let planned = task
        .endings
        .last()
        .is_some_and(|last| last.end == AttemptEnd::Expanded);
    if planned {
        told.causes.push(format!(
            "{} that it planned stand in its place",
            count(parts.len(), "task")
        ));
    }
    let is_done = |no: &&TaskNo| run.tasks()[no.index()].status() == TaskStatus::Done;
    let (done, open): (Vec<&TaskNo>, Vec<&TaskNo>) = parts.iter().partition(is_done);
    for part in open.into_iter().chain(done) {
        let part = &run.tasks()[part.index()];
        told.causes
            .push(format!("its part {} is {}", part.spec.id, part.status()));
    }
    bound(&mut told.causes);
}

fn count(many: usize, what: &str) -> String {
    match many {
        1 => format!("1 {what}"),
        _ => format!("{many} {what}s"),
    }
}

/// Says why a run is where it is.
#[must_use]
pub fn explain_run(run: &Run, now: Time, shared: &Shared) -> Explanation {
    let status = run.status();
    // A run that is paused does not run.
    let word = match &run.paused {
        Some(_) if run.ended.is_none() => "paused",
        _ => status.word(),
    };
    let mut told = Explanation {
        subject: run.id.to_string(),
        status: word.to_owned(),
        causes: Vec::new(),
        commands: Vec::new(),
    };
    if status == RunStatus::AwaitingApproval {
        told.causes.push(match run.planner() {
            None => "its plan is not approved".to_owned(),
            Some(no) => format!(
                "the plan that {} made is not approved",
                run.tasks[no.index()].spec.id
            ),
        });
        told.commands.push(format!("divisi approve {}", run.id));
        if run.planner().is_some() {
            told.commands.push(format!("divisi plan edit {}", run.id));
            told.commands
                .push(format!("divisi reject {} --reason WHY", run.id));
        }
    }
    if let Some(reason) = run.paused.as_ref().filter(|_| run.ended.is_none()) {
        told.causes
            .push(format!("it is paused: {}", reason.words()));
        told.commands.extend(reason.commands(run.id));
    }
    if run.ended.is_none()
        && let Final::Held { verdicts, tasks } = &run.finally
    {
        held(run, verdicts, tasks, &mut told);
    }
    let to_tell = run.tasks().iter().enumerate().filter(|(_, task)| {
        task.status() == TaskStatus::Blocked
            || (status == RunStatus::Failed
                && task.status() == TaskStatus::Failed
                && !task.is_spent_candidate())
            || task.live().is_some_and(|live| {
                let is_awaited = matches!(live.agent.as_str(), AGENT_PERSON | AGENT_EXTERNAL);
                is_awaited || live.asks().next().is_some()
            })
    });
    let held_back = run.tasks().iter().enumerate().filter(|(_, task)| {
        let is_ready = matches!(task.state, TaskState::Ready { .. });
        is_ready && run.takes_leases() && lacks_leave_to_spend(run, task, now, shared)
    });
    for (no, task) in to_tell.chain(held_back.take(RUNNING_MAX)) {
        if let Some(one) = explain(run, TaskNo(no as u32), now, shared) {
            told.causes.extend(
                one.causes
                    .iter()
                    .map(|cause| format!("{}: {cause}", task.spec.id)),
            );
            told.commands.extend(one.commands);
        }
    }
    let mut tasks = run.tasks().iter().filter(|_| run.takes_leases());
    if let Some(task) = tasks.find(|task| run.is_held_back(task)) {
        told.causes.push(format!("{}: {}", task.spec.id, full(run)));
        told.commands.push(explain_command(run, task));
    }
    if told.causes.is_empty() {
        let counts = TaskStatus::ALL
            .iter()
            .filter(|status| run.counts().of(**status) > 0);
        told.causes
            .extend(counts.map(|status| match run.counts().of(*status) {
                1 => format!("1 task {status}"),
                many => format!("{many} tasks {status}"),
            }));
    }
    bound(&mut told.causes);
    if matches!(status, RunStatus::Failed | RunStatus::Canceled) {
        told.commands.push(format!("divisi report {}", run.id));
    }
    // What several tasks wait for is done once.
    let mut known = BTreeSet::new();
    told.commands
        .retain(|command| known.insert(command.clone()));
    told
}

/// Whether a usage limit or a budget keeps a task from being begun, whoever works beside it.
fn lacks_leave_to_spend(run: &Run, task: &Task, now: Time, shared: &Shared) -> bool {
    let wanted = task.wanted(&run.settings);
    let may = shared.access().choose(&run.settings, wanted, now);
    // What waits for people's judgment first is told of by itself.
    let lacks_budget = || !run.is_held_back(task) && shared.exhausted(run, task).is_some();
    !matches!(may, Choice::Begin { .. }) || lacks_budget()
}

/// What does not hold on the whole, or nobody has judged, and what can be done about it.
fn held(run: &Run, verdicts: &[Verdict], tasks: &[(TaskNo, Vec<Verdict>)], told: &mut Explanation) {
    let (mut fails, mut open) = (false, false);
    for verdict in verdicts {
        let criterion = run.criteria.get(usize::from(verdict.criterion));
        let words = criterion.map_or_else(String::new, ToString::to_string);
        let parts = [words, evidence_line(&verdict.evidence)];
        let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
        let what = match verdict.outcome {
            Outcome::Pass | Outcome::Waived => continue,
            Outcome::Fail => "this does not hold",
            Outcome::Unverified => "no rule can tell whether this holds",
        };
        fails |= verdict.outcome == Outcome::Fail;
        open |= verdict.outcome == Outcome::Unverified;
        told.causes
            .push(format!("on the whole, {what}: {}", parts.join("; ")));
    }
    for (no, _) in tasks {
        let task = &run.tasks()[no.index()];
        told.causes
            .push(format!("on the whole, the checks of {} fail", task.spec.id));
        told.command(run, "retry", task, " --note HINT");
    }
    if (fails || open) && tasks.is_empty() {
        // Which task is to blame, no check can tell.
        told.commands
            .push(format!("divisi retry {} TASK --note HINT", run.id));
    }
    if let Some(review) = run.review_of_whole() {
        told.review(run, review, run.reviewer(None));
    }
    told.unreviewed(run.unreviewed(None));
    let waive = match fails || !tasks.is_empty() {
        true => " --waive --note WHY",
        false => " --note SEEN",
    };
    told.commands
        .push(format!("divisi approve {}{waive}", run.id));
    if open {
        told.commands
            .push(format!("divisi reject {} --reason WHY", run.id));
    }
}

impl Explanation {
    fn command(&mut self, run: &Run, verb: &str, task: &Task, rest: &str) {
        self.commands
            .push(format!("divisi {verb} {} {}{rest}", run.id, task.spec.id));
    }

    /// An agent is to judge first, or was to.
    fn review(&mut self, run: &Run, review: &Task, by: Option<&str>) {
        let (id, status) = (&review.spec.id, review.status());
        self.causes.push(match by {
            Some(agent) => format!("a review by {agent} is to tell: {id} is {status}"),
            None => format!("{id} is {status}"),
        });
        self.command(run, "explain", review, "");
    }

    /// No agent is to judge, though some were to.
    fn unreviewed(&mut self, why: Option<Unreviewed>) {
        let Some(why) = why else { return };
        let cause = format!("a person is to judge it: {}", why.words());
        self.causes.push(cause);
        if let Unreviewed::Missing(_) = why {
            self.commands.push("divisi agents".to_owned());
        }
    }

    /// Somebody waits for leave: what for, and how it is given or refused.
    fn asks(&mut self, run: &Run, asked: &Permission, now: Time) {
        let Some(deadline_at) = asked.deadline_at() else {
            return;
        };
        let seconds = deadline_at.ms_since(now).div_ceil(1000);
        let (run, no, what) = (run.id, asked.no, asked.request.words());
        self.causes.push(format!(
            "it asks leave to {what} (request {no}, denied in {seconds} s)"
        ));
        let verbs = ["allow", "deny"];
        self.commands
            .extend(verbs.map(|verb| format!("divisi permissions {verb} {run} {no}")));
    }

    /// What a review came to nothing about, a person judges.
    fn judge(mut self, run: &Run, subject: &Subject) -> Explanation {
        let of = match subject {
            Subject::Attempt(attempt) => format!(" {}", run.tasks()[attempt.task.index()].spec.id),
            Subject::Whole(_) => String::new(),
        };
        self.commands
            .push(format!("divisi approve {}{of} --note SEEN", run.id));
        self.commands
            .push(format!("divisi reject {}{of} --reason WHY", run.id));
        self
    }

    /// What can be done about one that was given up. A candidate is not tried again: what becomes of
    /// its task is of interest.
    fn after_its_end(&mut self, run: &Run, task: &Task) {
        match task.candidate_of {
            Some(of) => self.command(run, "explain", &run.tasks()[of.index()], ""),
            None if run.ended.is_none() => self.command(run, "retry", task, ""),
            None => {}
        }
    }
}

fn bound(causes: &mut Vec<String>) {
    if causes.len() > CAUSES_MAX {
        let more = causes.len() - CAUSES_MAX;
        causes.truncate(CAUSES_MAX);
        causes.push(format!("… and {more} more"));
    }
}

/// Follows what a task waits for down to what is really in the way.
fn waiting(run: &Run, no: TaskNo, told: &mut Explanation) {
    let open = |no: &TaskNo| {
        let task = &run.tasks()[no.index()];
        task.status() != TaskStatus::Done && !task.is_spent_candidate()
    };
    if let Some(label) = run.unmet_join(no) {
        told.causes
            .push(format!("a barrier: {label} is not complete"));
    }
    let direct: Vec<TaskNo> = run.dependencies(no).into_iter().filter(open).collect();
    for on in &direct {
        let task = &run.tasks()[on.index()];
        told.causes
            .push(format!("{} is {}", task.spec.id, task.status()));
    }
    let mut seen = BTreeSet::new();
    let mut joins = Seen::new();
    let mut worklist = direct;
    while let Some(on) = worklist.pop() {
        if !seen.insert(on) {
            continue;
        }
        let task = &run.tasks()[on.index()];
        match task.status() {
            TaskStatus::Waiting => {
                let behind = run.dependencies_unseen(on, &mut joins);
                worklist.extend(behind.into_iter().filter(open));
            }
            status if status.is_terminal() => {}
            _ => told.commands.push(explain_command(run, task)),
        }
    }
    told.commands.truncate(CAUSES_MAX);
    bound(&mut told.causes);
}

/// Leads on to what is in the way, with the commands that change that.
fn explain_command(run: &Run, task: &Task) -> String {
    format!("divisi explain {} {}", run.id, task.spec.id)
}

/// Tasks whose attempts hold a slot, those of one agent first: it may be the agent's limit that is
/// reached.
fn holders<'r>(run: &'r Run, agent: &str) -> impl Iterator<Item = &'r Task> {
    let holds = |task: &&Task| task.live().is_some_and(takes_slot);
    let holding = run.live().map(|(_, task)| task).filter(holds);
    let is_same = |task: &&Task| task.live().is_some_and(|live| live.agent == agent);
    let (same, others): (Vec<&Task>, Vec<&Task>) = holding.partition(is_same);
    same.into_iter().chain(others)
}

fn ready(run: &Run, task: &Task, shared: &Shared, now: Time, told: &mut Explanation) {
    if run.status() == RunStatus::AwaitingApproval {
        told.causes
            .push("the run's plan is not approved".to_owned());
        told.commands.push(format!("divisi approve {}", run.id));
        return;
    }
    if let Some(reason) = &run.paused {
        told.causes
            .push(format!("the run is paused: {}", reason.words()));
        if let PauseReason::Budget(_) = reason {
            told.causes
                .push("nothing is launched that was not reserved".to_owned());
        }
        told.commands.extend(reason.commands(run.id));
        return;
    }
    let agent = task.agent(&run.settings);
    let wanted = task.wanted(&run.settings);
    let may = shared.access().choose(&run.settings, wanted, now);
    if !matches!(may, Choice::Begin { .. }) {
        held_back(run, task, &may, shared, now, told);
        return;
    }
    if run.is_held_back(task) {
        awaiting(run, told);
        return;
    }
    if let Some(limit) = run.limit_reached(agent, task.spec.role().as_deref()) {
        told.causes.push(format!("the limit of {limit} is reached"));
        for running in holders(run, agent).take(RUNNING_MAX) {
            let cause = format!("{} is {}", running.spec.id, running.status());
            told.causes.push(cause);
            told.commands.push(explain_command(run, running));
        }
        return;
    }
    match shared.exhausted(run, task) {
        Some(exhausted) => {
            let whose = match exhausted.account {
                Account::Run(of) if of == run.id => String::new(),
                Account::Task(of, _) if of == run.id => " of the task".to_owned(),
                account => format!(" of {account}"),
            };
            let bound = exhausted
                .bound
                .map_or_else(String::new, |it| it.to_string());
            told.causes.push(format!(
                "the budget{whose} of {bound} is used, or reserved by attempts under way"
            ));
            told.commands.extend(exhausted.commands(run.id));
        }
        None if shared.leaves_none(run) => {
            told.causes.push(format!(
                "all {WORKERS_MAX} workers of this project are taken, some of them by other runs"
            ));
            for (other, slots) in shared.others.iter().take(RUNNING_MAX) {
                told.causes.push(format!("{other} has {slots} of them"));
                told.commands.push(format!("divisi pause {other}"));
            }
        }
        None => {
            told.causes.push("a worker will take it next".to_owned());
            told.command(run, "cancel", task, "");
        }
    }
}

/// What a person must judge before more of that is begun, and how it is judged.
fn awaiting(run: &Run, told: &mut Explanation) {
    told.causes.push(full(run));
    for task in run.awaiting().take(RUNNING_MAX) {
        let status = task.status();
        told.causes.push(format!("{} is {status}", task.spec.id));
        match &task.state {
            TaskState::Active(live) if matches!(live.phase, Phase::Held { .. }) => {
                told.command(run, "approve", task, " --note SEEN");
                told.command(run, "reject", task, " --reason WHY");
            }
            _ => told.commands.push(explain_command(run, task)),
        }
    }
}

/// That no more of what a person must judge is begun.
fn full(run: &Run) -> String {
    format!(
        "it waits until a person judged others: the limit of {} is reached (`review.awaiting_max`)",
        run.awaiting_words()
    )
}

/// What its agent waits for before it may begin anything, and what ends that.
fn held_back(
    run: &Run,
    task: &Task,
    may: &Choice,
    shared: &Shared,
    now: Time,
    told: &mut Explanation,
) {
    let (credential, until) = match may {
        Choice::Begin { .. } => return,
        Choice::Wait {
            on: Waiting::QuietHours,
            until,
        } => {
            let hours = run.settings.quiet_hours;
            let hours = hours.map_or_else(String::new, |hours| format!(" {hours}"));
            told.causes.push(format!(
                "nothing is started in the quiet hours{hours}; they end at {}",
                until.utc()
            ));
            told.command(run, "cancel", task, "");
            return;
        }
        Choice::Wait {
            on: Waiting::Limit(credential),
            until,
        }
        | Choice::Beyond { credential, until } => (credential, until),
    };
    let seconds = until.ms_since(now).div_ceil(1000);
    told.causes.push(format!(
        "{credential} met a usage limit and is not used before {}, in {seconds} s",
        until.utc()
    ));
    if let Some(limit) = shared.limits.get(credential) {
        told.causes.push(match limit.said {
            true => format!("it was told: {}", limit.cause),
            false => format!("it was told: {}; for how long is a guess", limit.cause),
        });
    }
    told.commands
        .push(format!("divisi agents resume {}", credential.name()));
}

/// Who or what an attempt that holds no slot is waited for.
fn awaited(task: &Task, live: &Attempt) -> String {
    if live.agent == AGENT_PERSON {
        return "a person does it".to_owned();
    }
    let mut paths: Vec<String> = task.spec.paths().map(str::to_owned).collect();
    bound(&mut paths);
    match paths.as_slice() {
        [] => "it comes from outside".to_owned(),
        paths => format!(
            "it awaits {} from outside, and takes it once it is there and whole",
            paths.join(", ")
        ),
    }
}

fn active(run: &Run, task: &Task, live: &Attempt, now: Time, told: &mut Explanation) {
    let seconds = now.ms_since(live.leased_at) / 1000;
    let attempt = format!("attempt {} by {}", live.number, live.agent);
    match &live.phase {
        Phase::Leased | Phase::Working if !holds_slot(&live.agent) => {
            told.causes.push(format!(
                "{}; it has waited for {seconds} s",
                awaited(task, live)
            ));
            told.command(run, "submit", task, " [FILE…]");
            told.command(run, "reject", task, " --reason WHY");
            if live.agent == AGENT_EXTERNAL {
                told.commands.push(format!("divisi resume {}", run.id));
            }
        }
        Phase::Leased | Phase::Working => {
            // An agent in a worktree is recorded before it begins.
            let is_prepared = live.phase == Phase::Working
                || task.spec.workspace != WorkspaceKind::Worktree
                || run.preparation.is_empty();
            told.causes.push(match is_prepared {
                true => format!("{attempt} has worked for {seconds} s"),
                false => format!("{attempt} has waited for its workspace for {seconds} s"),
            });
            if let Some(ms) = live.timeout_ms {
                told.causes
                    .push(format!("its budget left it {}", Bound::TimeMs(ms)));
            }
            for asked in live.asks() {
                told.asks(run, asked, now);
            }
            if let Some(reason) = &live.stopping {
                told.causes
                    .push(format!("it is being ended: {}", reason.word()));
            }
            if let Some(evidence) = &live.suspected {
                told.causes.push(format!("it is suspected: {evidence}"));
            }
            told.command(run, "logs", task, "");
            told.command(run, "cancel", task, "");
        }
        Phase::Submitted => {
            told.causes
                .push(format!("what {attempt} made is yet to be collected"));
            told.command(run, "cancel", task, "");
        }
        Phase::Collected => {
            told.causes
                .push(format!("what {attempt} made is yet to be checked"));
            told.command(run, "cancel", task, "");
        }
        Phase::Held { verdicts } => {
            for verdict in verdicts
                .iter()
                .filter(|verdict| verdict.outcome == Outcome::Unverified)
            {
                let criterion = task.spec.criteria.get(usize::from(verdict.criterion));
                let words = criterion.map_or_else(String::new, ToString::to_string);
                told.causes
                    .push(format!("no rule can tell whether this holds: {words}"));
            }
            if live.changed_nothing() {
                told.causes.push(format!(
                    "{attempt} changed no file: all is as it was before"
                ));
            }
            let no = run.find(&task.spec.id);
            if let Some(review) = no.and_then(|no| run.review_of(no)) {
                told.review(run, review, run.reviewer(no));
            }
            told.unreviewed(run.unreviewed(no));
            told.command(run, "diff", task, "");
            told.command(run, "approve", task, " --note SEEN");
            told.command(run, "reject", task, " --reason WHY");
        }
        Phase::Verified if task.spec.kind == TaskKind::Plan => {
            told.causes
                .push(format!("tasks are being made of what {attempt} planned"));
            told.command(run, "cancel", task, "");
        }
        Phase::Verified if task.reviews.is_some() => {
            told.causes.push(format!(
                "the evidence that {attempt} cites is being looked up"
            ));
            told.commands.push(format!("divisi watch {}", run.id));
        }
        Phase::Verified => {
            let place = run.integration.queue.iter().position(|queued| {
                queued.number == live.number && run.find(&task.spec.id) == Some(queued.task)
            });
            told.causes.push(format!(
                "{attempt} passed its checks; {} are integrated before it",
                place.unwrap_or(0)
            ));
            told.command(run, "cancel", task, "");
        }
        Phase::Prepared { .. } => {
            told.causes
                .push("the run's branch is about to take it".to_owned());
            // Nothing stops it any more.
            told.commands.push(format!("divisi watch {}", run.id));
        }
    }
}
