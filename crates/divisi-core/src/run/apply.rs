//! Turns events into state. It cannot fail, holds no policy and reads no configuration.
//!
//! An event that does not fit the state is our own fault: [`Run::decide`] made it with the same
//! table. Then the process stops, and the journal, which is right, is replayed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::agents::holds_slot;
use super::attempt::{Attempt, AttemptEnd, Ending, Phase};
use super::event::{Event, PreparedCommit, Then};
use super::links::{Links, Node};
use super::settings::Settings;
use super::state::{Base, Class, Counts, Final, Integration, ReadyKey, Run, RunStatus, ready_key};
use super::task::{Answer, Task, TaskState, TaskStatus};
use super::transition::{EventName, Next, StateName, names, next, receipt_name};
use crate::ids::{AttemptId, Commit, RunId, TaskNo, Time};
use crate::plan::{Plan, TaskKind, TaskSpec, WorkspaceKind};
use crate::receipt::Receipt;

impl Run {
    /// A run from its first event, which must be [`Event::RunCreated`] with a sound plan.
    #[must_use]
    pub fn from_created(id: RunId, at: Time, event: &Event) -> Option<Run> {
        let Event::RunCreated {
            plan,
            settings,
            base,
            approved,
        } = event
        else {
            return None;
        };
        let graph = plan.graph().ok()?;
        let mut run = Run::empty(id, at, plan, settings, base, *approved);
        for spec in &plan.tasks {
            run.add_task(spec.clone());
        }
        for (task, dependencies) in graph.dependencies.iter().enumerate() {
            for &on in dependencies {
                run.connect(Node::Task(TaskNo(on)), Node::Task(TaskNo(task as u32)));
            }
        }
        if settings.barriers || !plan.stages.is_empty() {
            let names: Vec<String> = plan.stages.iter().map(|stage| stage.name.clone()).collect();
            run.link_barriers(0, &graph.stage, &names);
        }
        let number = |task: &crate::ids::TaskId| run.index.get(task).copied();
        run.stages = plan
            .stages
            .iter()
            .map(|stage| {
                (
                    stage.name.clone(),
                    stage.tasks.iter().filter_map(number).collect(),
                )
            })
            .collect();
        run.derive();
        let roots: Vec<TaskNo> = run
            .numbers()
            .filter(|no| run.tasks[no.index()].unmet == 0)
            .collect();
        for no in roots {
            run.release(no);
        }
        run.changed.clear();
        Some(run)
    }

    fn empty(
        id: RunId,
        at: Time,
        plan: &Plan,
        settings: &Settings,
        base: &Base,
        approved: bool,
    ) -> Run {
        Run {
            id,
            title: plan.title.clone(),
            settings: settings.clone(),
            base: base.clone(),
            criteria: plan.criteria.clone(),
            preparation: Arc::new(plan.preparation.clone()),
            roles: Arc::new(plan.roles.clone()),
            stages: Vec::new(),
            revision: 1,
            created_at: at,
            last_at: at,
            approved,
            paused: None,
            canceling: false,
            ended: None,
            integration: Integration {
                head: base.commit.clone(),
                batch: settings.batch_max.max(1),
                ..Integration::default()
            },
            finally: Final::Open,
            tasks: Vec::with_capacity(plan.tasks.len()),
            index: HashMap::with_capacity(plan.tasks.len()),
            joins: Vec::new(),
            counts: Counts::default(),
            classes: Vec::new(),
            class_index: BTreeMap::new(),
            delayed: BTreeSet::new(),
            owed: BTreeSet::new(),
            slots: 0,
            live: BTreeSet::new(),
            has_files: false,
            estimate_ms_mean: estimate_ms_mean(&plan.tasks),
            changed: BTreeSet::new(),
        }
    }

    /// Adds a task that stands in the plan as it was accepted.
    pub(super) fn add_task(&mut self, spec: TaskSpec) -> TaskNo {
        let no = TaskNo(self.tasks.len() as u32);
        self.index.insert(spec.id.clone(), no);
        self.has_files |= spec.workspace != WorkspaceKind::Shared;
        self.tasks.push(Task {
            spec: Arc::new(spec),
            state: TaskState::Waiting,
            endings: Vec::new(),
            failures: 0,
            losses: 0,
            limits: 0,
            conflicts: 0,
            reassigned: None,
            answers: Vec::new(),
            depth: 0,
            nesting: 0,
            stage_context: None,
            rank_ms: 0,
            links: Links::default(),
            unmet: 0,
            class: 0,
        });
        no
    }

    fn numbers(&self) -> impl Iterator<Item = TaskNo> + use<> {
        (0..self.tasks.len() as u32).map(TaskNo)
    }

    /// Computes everything that follows from tasks and links: after creation, a revision, loading.
    pub(super) fn derive(&mut self) {
        self.count_unmet();
        self.rank();
        self.counts = Counts::default();
        self.classes.clear();
        self.class_index.clear();
        self.delayed.clear();
        self.owed.clear();
        self.slots = 0;
        self.live.clear();
        for no in self.numbers() {
            self.counts.add(self.tasks[no.index()].status());
            self.classify(no);
            self.enlist(no);
            self.owe_task(no);
            self.owe_offers(no);
        }
        self.owe_run();
    }

    /// Computes what follows from tasks and joins that were added from these numbers on, in the
    /// place of a task that was expanded. [`Run::derive`] gives the same and looks at all that is
    /// there. But all before that place is done: a task is done once more only after all were. Nor
    /// does anything change for what comes after it.
    pub(super) fn derive_parts(&mut self, split: TaskNo, first_task: usize, first_join: usize) {
        self.count_unmet_from(first_task, first_join);
        self.rank_parts(split, first_task, first_join);
        for no in (first_task..self.tasks.len()).map(|no| TaskNo(no as u32)) {
            self.counts.add(self.tasks[no.index()].status());
            self.classify(no);
        }
    }

    /// Puts a task into the class of those that share its agent and role.
    fn classify(&mut self, no: TaskNo) {
        let task = &self.tasks[no.index()];
        let agent = match task.live() {
            Some(live) => live.agent.clone(),
            None => task.agent(&self.settings).to_owned(),
        };
        let key = (agent, task.spec.role());
        let class = match self.class_index.get(&key) {
            Some(&class) => class,
            None => {
                let class = self.classes.len() as u32;
                let (agent, role) = key.clone();
                self.classes.push(Class {
                    agent,
                    role,
                    live: 0,
                    ready: BTreeSet::new(),
                });
                self.class_index.insert(key, class);
                class
            }
        };
        self.tasks[no.index()].class = class;
    }

    fn ready_key(&self, no: TaskNo) -> ReadyKey {
        let task = &self.tasks[no.index()];
        ready_key(task.spec.priority, task.rank_ms, no)
    }

    /// Enters a task into the indexes its state belongs to.
    fn enlist(&mut self, no: TaskNo) {
        let key = self.ready_key(no);
        let task = &self.tasks[no.index()];
        match &task.state {
            TaskState::Ready { not_before } if not_before.0 > 0 => {
                self.delayed.insert((*not_before, no));
            }
            TaskState::Ready { .. } => {
                self.classes[task.class as usize].ready.insert(key);
            }
            TaskState::Active(live) => {
                self.live.insert(no);
                if takes_slot(live) {
                    self.slots += 1;
                    self.classes[task.class as usize].live += 1;
                }
            }
            _ => {}
        }
    }

    /// Takes a task out of the indexes its state belongs to.
    fn delist(&mut self, no: TaskNo) {
        let key = self.ready_key(no);
        let task = &self.tasks[no.index()];
        match &task.state {
            TaskState::Ready { not_before } if not_before.0 > 0 => {
                self.delayed.remove(&(*not_before, no));
            }
            TaskState::Ready { .. } => {
                self.classes[task.class as usize].ready.remove(&key);
            }
            TaskState::Active(live) => {
                self.live.remove(&no);
                if takes_slot(live) {
                    self.slots -= 1;
                    self.classes[task.class as usize].live -= 1;
                }
            }
            _ => {}
        }
    }

    /// Changes a task and keeps every index that depends on its state.
    pub(super) fn change(&mut self, no: TaskNo, change: impl FnOnce(&mut Task)) {
        self.delist(no);
        self.counts.remove(self.tasks[no.index()].status());
        change(&mut self.tasks[no.index()]);
        self.counts.add(self.tasks[no.index()].status());
        self.classify(no);
        self.enlist(no);
        self.owe_task(no);
        self.changed.insert(no);
    }

    /// Nothing holds a task back any more.
    pub(super) fn release(&mut self, no: TaskNo) {
        if !matches!(self.tasks[no.index()].state, TaskState::Waiting) {
            return;
        }
        let state = released(&self.tasks[no.index()].spec);
        // No row is due: readiness follows from the rows of what it waited for.
        let had_row = self.changed.contains(&no);
        self.change(no, |task| task.state = state);
        if !had_row {
            self.changed.remove(&no);
        }
    }

    fn done(&mut self, no: TaskNo) {
        self.meet(no, &mut |run, released| run.release(released));
    }

    /// Takes in an event. Its time is the stream's time from now on.
    pub fn apply(&mut self, at: Time, event: &Event) {
        self.last_at = self.last_at.max(at);
        self.assert_table(event);
        match event {
            Event::RunCreated { .. } => unreachable!("a run is created once, by its first event"),
            Event::RunApproved => self.approved = true,
            Event::RunPaused { reason } => self.paused = Some(reason.clone()),
            Event::RunResumed => self.paused = None,
            Event::CancelAsked => self.canceling = true,
            Event::RunEnded { status } => self.ended = Some((*status, at)),
            Event::FinalHeld { verdicts, tasks } => {
                self.finally = Final::Held {
                    verdicts: verdicts.clone(),
                    tasks: tasks.clone(),
                };
            }
            Event::FinalPassed { verdicts } => self.finally = Final::Passed(verdicts.clone()),
            Event::BatchNarrowed { batch } => self.integration.batch = *batch,
            Event::BatchPrepared { commits } => self.apply_prepared(commits),
            Event::BatchIntegrated { head, attempts } => self.apply_integrated(at, head, attempts),
            Event::TaskSplit { task, planned, .. } => {
                self.apply_split(at, *task, planned.as_ref(), event);
            }
            Event::AttemptLeased { attempt, .. }
            | Event::AttemptStarted { attempt, .. }
            | Event::AttemptAdopted { attempt, .. }
            | Event::AttemptStopping { attempt, .. }
            | Event::AttemptSuspected { attempt, .. }
            | Event::AttemptCleared { attempt }
            | Event::ReviewAwaited { attempt, .. } => self.apply_attempt(at, *attempt, event),
            Event::AttemptAdvanced { attempt, receipts } => {
                self.apply_advanced(at, *attempt, receipts)
            }
            Event::AttemptEnded {
                attempt,
                end,
                receipts,
                workspace_kept,
                then,
            } => {
                self.apply_ended(at, *attempt, end, receipts, then);
                if let Some(ending) = self.tasks[attempt.task.index()].endings.last_mut() {
                    ending.workspace_kept = *workspace_kept;
                }
            }
            Event::AttemptReturned { attempt } => self.apply_offer(*attempt, true, None),
            Event::OfferKept { attempt, snapshot } => {
                self.apply_offer(*attempt, false, snapshot.clone())
            }
            Event::ApprovalGiven { task, .. }
            | Event::TaskFailed { task, .. }
            | Event::TaskCanceled { task }
            | Event::TaskSkipped { task, .. }
            | Event::TaskRetried { task, .. }
            | Event::QuestionAnswered { task, .. } => self.apply_person(*task, event),
        }
        self.owe_run();
    }

    /// An event that the table refuses is a fault of ours, never of the outside.
    fn assert_table(&self, event: &Event) {
        let mut state_of: BTreeMap<TaskNo, StateName> = BTreeMap::new();
        for (no, name) in names(event) {
            let state = *state_of
                .entry(no)
                .or_insert_with(|| self.tasks[no.index()].state_name());
            let name = self.as_it_waits(no, name);
            match next(state, name) {
                Next::To(to) => {
                    state_of.insert(no, to);
                }
                Next::Stays => {}
                Next::Refused => panic!("the table refuses {name:?} in {state:?}: task {}", no.0),
            }
        }
    }

    /// A retried task may have to wait, or for a person, which only the run knows.
    pub(super) fn as_it_waits(&self, no: TaskNo, name: EventName) -> EventName {
        let task = &self.tasks[no.index()];
        match name {
            EventName::Retried if task.unmet > 0 => EventName::RetriedWaiting,
            EventName::Retried if task.spec.kind == TaskKind::Approval => {
                EventName::RetriedApproval
            }
            name => name,
        }
    }

    fn apply_attempt(&mut self, at: Time, attempt: AttemptId, event: &Event) {
        let event = event.clone();
        self.change(attempt.task, |task| match event {
            Event::AttemptLeased {
                attempt,
                agent,
                epoch,
                workspace,
                timeout_ms,
            } => {
                task.state = TaskState::Active(Box::new(Attempt {
                    number: attempt.number,
                    agent,
                    epoch,
                    leased_at: at,
                    workspace,
                    timeout_ms,
                    phase: Phase::Leased,
                    base: None,
                    passed_before: Vec::new(),
                    confined: None,
                    left_out: Vec::new(),
                    stopping: None,
                    suspected: None,
                    receipts: Vec::new(),
                }));
            }
            other => {
                if let Some(live) = task.live_mut() {
                    apply_live(live, other);
                }
            }
        });
    }

    fn apply_advanced(&mut self, at: Time, attempt: AttemptId, receipts: &[Receipt]) {
        let no = attempt.task;
        self.change(no, |task| {
            let Some(live) = task.live_mut() else { return };
            for receipt in receipts {
                take_receipt(live, receipt);
                match receipt_name(receipt) {
                    EventName::Submitted => live.phase = Phase::Submitted,
                    EventName::Collected => live.phase = Phase::Collected,
                    EventName::Verified => live.phase = Phase::Verified,
                    _ => {
                        finish(task, at, AttemptEnd::Integrated);
                        task.state = TaskState::Done;
                        return;
                    }
                }
            }
        });
        match self.tasks[no.index()].state_name() {
            StateName::Done => self.done(no),
            // What a plan task made is not merged: its tasks are made of it.
            StateName::Verified if self.tasks[no.index()].spec.kind != TaskKind::Plan => {
                self.integration.queue.push_back(attempt);
            }
            _ => {}
        }
    }

    fn apply_ended(
        &mut self,
        at: Time,
        attempt: AttemptId,
        end: &AttemptEnd,
        receipts: &[Receipt],
        then: &Then,
    ) {
        if self.tasks[attempt.task.index()].state_name() == StateName::Verified {
            self.dequeue(attempt);
        }
        self.change(attempt.task, |task| {
            if let Some(live) = task.live_mut() {
                for receipt in receipts {
                    take_receipt(live, receipt);
                }
            }
            finish(task, at, end.clone());
            match end {
                _ if end.is_own_failure() => task.failures += 1,
                AttemptEnd::Lost(_) => task.losses += 1,
                AttemptEnd::Limited { .. } => task.limits += 1,
                AttemptEnd::Refused(_) => task.conflicts += 1,
                _ => {}
            }
            task.state = match then {
                Then::Retry { not_before } => TaskState::Ready {
                    not_before: *not_before,
                },
                Then::Reassign { agent } => {
                    task.reassigned = Some(agent.clone());
                    TaskState::Ready {
                        not_before: Time(0),
                    }
                }
                Then::Escalate(reason) => TaskState::Escalated(reason.clone()),
                Then::Ask(question) => TaskState::Question(question.clone()),
                Then::Cancel => TaskState::Canceled,
            };
        });
    }

    /// Takes an attempt out of the queue. It mostly stands at the front.
    fn dequeue(&mut self, attempt: AttemptId) {
        let queue = &mut self.integration.queue;
        if let Some(at) = queue.iter().position(|queued| *queued == attempt) {
            queue.remove(at);
        }
    }

    fn apply_prepared(&mut self, commits: &[PreparedCommit]) {
        for one in commits {
            self.dequeue(one.attempt);
            self.integration.prepared.push(one.attempt);
            self.change(one.attempt.task, |task| {
                if let Some(live) = task.live_mut() {
                    live.phase = Phase::Prepared {
                        commit: one.commit.clone(),
                        tree: one.tree.clone(),
                    };
                }
            });
        }
    }

    fn apply_integrated(&mut self, at: Time, head: &Commit, attempts: &[(AttemptId, Receipt)]) {
        self.integration.head = Some(head.clone());
        self.integration.prepared.clear();
        self.integration.batch = self.settings.batch_max.max(1);
        for (attempt, receipt) in attempts {
            self.change(attempt.task, |task| {
                if let Some(live) = task.live_mut() {
                    live.receipts.push(receipt.clone());
                }
                finish(task, at, AttemptEnd::Integrated);
                task.state = TaskState::Done;
            });
            self.done(attempt.task);
        }
    }

    /// Derives everything after loading. A task without a row is as the plan made it, but what it
    /// waits for may be done: readiness follows from the others.
    pub(super) fn settle_released(&mut self) {
        for task in &mut self.tasks {
            if matches!(
                task.state,
                TaskState::Ready {
                    not_before: Time(0)
                }
            ) && task.endings.is_empty()
            {
                task.state = TaskState::Waiting;
            }
        }
        self.derive();
        let free: Vec<TaskNo> = self
            .numbers()
            .filter(|no| self.tasks[no.index()].unmet == 0)
            .collect();
        for no in free {
            self.release(no);
        }
    }

    fn apply_offer(
        &mut self,
        attempt: AttemptId,
        returned: bool,
        offer: Option<crate::receipt::Snapshot>,
    ) {
        let task = &mut self.tasks[attempt.task.index()];
        if let Some(ending) = task
            .endings
            .iter_mut()
            .find(|ending| ending.number == attempt.number)
        {
            ending.returned = returned;
            if offer.is_some() {
                ending.offer = offer;
            }
        }
        self.changed.insert(attempt.task);
        self.owe_offers(attempt.task);
    }

    fn apply_person(&mut self, no: TaskNo, event: &Event) {
        let was_done = matches!(self.tasks[no.index()].state, TaskState::Done);
        let waits = self.tasks[no.index()].unmet > 0;
        if was_done && matches!(event, Event::TaskRetried { .. }) {
            // What was expanded since may have made the paths behind it longer.
            self.rank();
        }
        self.change(no, |task| match event {
            Event::ApprovalGiven { note, .. } => {
                if !note.is_empty() {
                    task.answers.push(Answer::unasked(note));
                }
                task.state = TaskState::Done;
            }
            Event::TaskFailed { reason, .. } => task.state = TaskState::Failed(reason.clone()),
            Event::TaskCanceled { .. } => task.state = TaskState::Canceled,
            Event::TaskSkipped { because, .. } => task.state = TaskState::Skipped(*because),
            Event::TaskRetried { note, .. } => {
                task.failures = 0;
                task.losses = 0;
                task.limits = 0;
                task.conflicts = 0;
                if !note.is_empty() {
                    task.answers.push(Answer::unasked(note));
                }
                task.state = match waits {
                    true => TaskState::Waiting,
                    false => released(&task.spec),
                };
            }
            Event::QuestionAnswered { answer, .. } => {
                let question = match &task.state {
                    TaskState::Question(question) => Some(question.clone()),
                    _ => None,
                };
                task.answers.push(Answer {
                    question,
                    text: answer.clone(),
                });
                task.state = TaskState::Ready {
                    not_before: Time(0),
                };
            }
            _ => {}
        });
        match event {
            Event::ApprovalGiven { .. } => self.done(no),
            Event::TaskRetried { .. } if was_done => {
                // Redone work is checked with the whole again. What its dependents made stands:
                // they are not held back a second time.
                self.finally = Final::Open;
                debug_assert!(!matches!(self.tasks[no.index()].state, TaskState::Done));
                self.count_unmet();
            }
            Event::TaskRetried { .. } => self.finally = Final::Open,
            _ => {}
        }
    }
}

/// The state of a task that nothing holds back: an approval is a person's from then on.
fn released(spec: &TaskSpec) -> TaskState {
    match spec.kind {
        TaskKind::Approval => TaskState::Approval,
        _ => TaskState::Ready {
            not_before: Time(0),
        },
    }
}

/// Partial estimates do not make estimated tasks look longer than all others.
fn estimate_ms_mean(tasks: &[TaskSpec]) -> u64 {
    let estimates = tasks.iter().filter_map(|task| task.estimate.duration_ms);
    let (sum, count) = estimates.fold((0u128, 0u128), |(sum, count), ms| {
        (sum + u128::from(ms), count + 1)
    });
    match count {
        0 => 60_000,
        _ => u64::try_from(sum / count).unwrap_or(u64::MAX),
    }
}

fn takes_slot(live: &Attempt) -> bool {
    holds_slot(&live.agent) && matches!(live.phase, Phase::Leased | Phase::Working)
}

fn apply_live(live: &mut Attempt, event: Event) {
    match event {
        Event::AttemptStarted {
            base,
            passed_before,
            confined,
            left_out,
            ..
        } => {
            live.phase = Phase::Working;
            live.base = base;
            live.passed_before = passed_before;
            live.confined = confined;
            live.left_out = left_out;
        }
        Event::AttemptAdopted { epoch, .. } => live.epoch = epoch,
        Event::AttemptStopping { reason, .. } => live.stopping = Some(reason),
        Event::AttemptSuspected { evidence, .. } => live.suspected = Some(evidence),
        Event::AttemptCleared { .. } => live.suspected = None,
        Event::ReviewAwaited { verdicts, .. } => live.phase = Phase::Held { verdicts },
        _ => {}
    }
}

/// What the supervisor said when it ended counts more than what was expected at its start.
fn take_receipt(live: &mut Attempt, receipt: &Receipt) {
    if let Receipt::Submitted {
        confined: Some(confined),
        ..
    } = receipt
    {
        live.confined = Some(*confined);
    }
    live.receipts.push(receipt.clone());
}

/// Moves the live attempt to the endings.
pub(super) fn finish(task: &mut Task, at: Time, end: AttemptEnd) {
    let state = std::mem::replace(&mut task.state, TaskState::Waiting);
    let TaskState::Active(live) = state else {
        task.state = state;
        return;
    };
    // Most tasks have one ending, and a run has many tasks: room for four would be mostly waste.
    task.endings.reserve_exact(1);
    task.endings.push(Ending {
        number: live.number,
        agent: live.agent,
        leased_at: live.leased_at,
        ended_at: at,
        workspace: live.workspace,
        // Integrated work is part of the head: whatever follows starts from there.
        workspace_kept: end != AttemptEnd::Integrated,
        end,
        base: live.base,
        confined: live.confined,
        left_out: live.left_out,
        receipts: live.receipts,
        returned: false,
        offer: None,
    });
}

/// Whether a status can be reported as an end.
#[must_use]
pub(super) fn end_status(counts: &Counts, canceling: bool) -> RunStatus {
    if canceling {
        return RunStatus::Canceled;
    }
    let given_up = [TaskStatus::Failed, TaskStatus::Skipped]
        .iter()
        .any(|status| counts.of(*status) > 0);
    match (given_up, counts.of(TaskStatus::Canceled)) {
        (true, _) => RunStatus::Failed,
        (false, 0) => RunStatus::Succeeded,
        (false, _) => RunStatus::Canceled,
    }
}
