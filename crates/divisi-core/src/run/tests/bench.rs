//! The harness: a run on a bench, with a journal and rows as the engine would keep them.

use std::collections::BTreeMap;

use crate::criterion::{Criterion, Verdict};
use crate::figure::Figure;
use crate::ids::{AttemptId, Commit, Digest, Epoch, RunId, TaskId, TaskNo, Time, Tree};
use crate::journal::TaskRow;
use crate::permission::{Deed, Request, Ruled, Ruling};
use crate::plan::{
    Candidate, Candidates, Expansion, Parts, Plan, Preference, Priority, TaskKind, TaskSpec, Want,
    Work, WorkspaceKind,
};
use crate::receipt::{Exit, Measured, Receipt, Snapshot};
use crate::run::event::Then;
use crate::run::{
    self, Accepted, AttemptEnd, Base, Command, Create, Effect, Event, Failure, Merged, Rejection,
    Run, Settings, StopReason, Subject, create, invariants, stored,
};
use crate::worker::Ended;

pub(super) const RUN: RunId = RunId(1);

/// `"a; b: a; c: a b"`: tasks with what they depend on, all commands in the shared workspace.
pub(super) fn plan(graph: &str) -> Plan {
    let task = |text: &str| {
        let (id, on) = text.split_once(':').unwrap_or((text, ""));
        TaskSpec {
            dependencies: on.split_whitespace().map(id_of).collect(),
            ..TaskSpec::command(id_of(id.trim()), &["true"])
        }
    };
    Plan {
        title: "a plan".to_owned(),
        tasks: graph.split(';').map(task).collect(),
        ..Plan::default()
    }
}

pub(super) fn id_of(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

/// The plan with one task changed.
pub(super) fn with(mut plan: Plan, id: &str, change: impl FnOnce(&mut TaskSpec)) -> Plan {
    let id = id_of(id);
    change(plan.tasks.iter_mut().find(|task| task.id == id).unwrap());
    plan
}

/// The plan with all tasks changed.
pub(super) fn all(mut plan: Plan, change: impl Fn(&mut TaskSpec)) -> Plan {
    plan.tasks.iter_mut().for_each(change);
    plan
}

/// The task makes a file in a worktree of its own.
pub(super) fn files(task: &mut TaskSpec) {
    task.workspace = WorkspaceKind::Worktree;
    task.criteria = vec![Criterion::File {
        path: format!("{}.md", task.id),
        min_bytes: 1,
    }];
}

/// The task is a person's consent.
pub(super) fn approval(task: &mut TaskSpec) {
    task.kind = TaskKind::Approval;
    task.work = Work::Nothing;
    task.criteria = Vec::new();
}

/// The task is done by an agent without a process: a person, unless settings say otherwise.
pub(super) fn handoff(task: &mut TaskSpec) {
    task.work = Work::Handoff;
    task.criteria = Vec::new();
}

/// The task's agent writes a plan, in a worktree of its own.
pub(super) fn plans(task: &mut TaskSpec) {
    files(task);
    task.kind = TaskKind::Plan;
}

/// Divisi makes tasks of a stage in the task's place.
pub(super) fn expands(task: &mut TaskSpec) {
    task.kind = TaskKind::Plan;
    task.work = Work::Expand(Expansion {
        bundle: Digest::new(&"b".repeat(64)).unwrap(),
        stage: "second".to_owned(),
    });
    task.criteria = Vec::new();
}

/// Tasks that may take a task's place.
pub(super) fn parts(graph: &str) -> Parts {
    Parts {
        tasks: plan(graph).tasks,
        ..Parts::default()
    }
}

/// The task is solved so often by an agent, and compared by a number if asked for: the lowest.
pub(super) fn candidates(task: &mut TaskSpec, many: usize, by_number: bool) {
    task.work = Work::Handoff;
    task.agent = Some("coder".to_owned());
    task.candidates = Some(Candidates {
        of: vec![Candidate::default(); many],
        prefer: by_number.then(|| Preference {
            argv: vec!["measure".to_owned()],
            timeout_ms: 60_000,
            want: Want::Lowest,
        }),
    });
}

/// Only a person can judge what the task makes.
pub(super) fn plain(task: &mut TaskSpec) {
    task.criteria = vec![Criterion::Plain {
        text: "reads well".to_owned(),
    }];
}

pub(super) fn commit(n: u64) -> Commit {
    Commit::new(&format!("{n:040x}")).unwrap()
}

pub(super) fn tree(n: u64) -> Tree {
    Tree::new(&format!("{n:040x}")).unwrap()
}

pub(super) fn snapshot(n: u64) -> Snapshot {
    Snapshot {
        commit: commit(n),
        tree: tree(n),
        base: commit(0),
    }
}

pub(super) fn exited(status: i32) -> Ended {
    Ended {
        wall_ms: 10,
        ..Ended::of(Exit::Status(status))
    }
}

/// A request for leave of this id.
pub(super) fn request(id: &str) -> Request {
    Request {
        id: id.to_owned(),
        deed: Deed::Edit,
        title: "Write docs/a.md".to_owned(),
        paths: vec!["docs/a.md".to_owned()],
        command: None,
    }
}

/// What the rules say.
pub(super) fn ruled(ruling: Ruling) -> Ruled {
    Ruled {
        ruling,
        because: "a rule".to_owned(),
    }
}

pub(super) fn merged(attempt: AttemptId, n: u64) -> Merged {
    Merged {
        attempt,
        commit: commit(n),
        tree: tree(n),
    }
}

/// A run and what the engine would have written of it.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) run: Run,
    pub(super) now: Time,
    pub(super) log: Vec<(Time, Event)>,
    rows: BTreeMap<u32, TaskRow>,
}

impl Bench {
    /// A run of this plan, approved, with default settings, on commit 0.
    pub(super) fn new(plan: Plan) -> Bench {
        Bench::with(plan, Settings::default())
    }

    pub(super) fn with(plan: Plan, settings: Settings) -> Bench {
        Bench::created(Create {
            plan: plan.into(),
            settings,
            base: Base {
                commit: Some(commit(0)),
                ..Base::default()
            },
            approved: true,
            intent: None,
        })
    }

    pub(super) fn created(what: Create) -> Bench {
        let now = Time(1_000);
        let (run, event) = create(RUN, what, now).unwrap();
        invariants::check(&run).unwrap();
        Bench {
            run,
            now,
            log: vec![(now, event)],
            rows: BTreeMap::new(),
        }
    }

    pub(super) fn no(&self, id: &str) -> TaskNo {
        self.run.find(&id_of(id)).unwrap()
    }

    pub(super) fn task(&self, id: &str) -> &run::Task {
        self.run.task(self.no(id)).unwrap()
    }

    /// The latest attempt at a task, live or not.
    pub(super) fn attempt(&self, id: &str) -> AttemptId {
        let no = self.no(id);
        self.run
            .attempt_id(no, self.run.task(no).unwrap().attempts())
    }

    /// Decides, and checks what must hold after every decision.
    pub(super) fn decide(&mut self, command: Command) -> Result<Vec<Event>, Rejection> {
        let before = self.run.clone();
        let decided = self.decide_unchecked(command);
        invariants::check(&self.run).unwrap();
        match &decided {
            Err(_) => assert!(before == self.run, "a refusal changed the run"),
            Ok(events) if events.is_empty() => assert!(before == self.run, "changed by no event"),
            Ok(_) => {}
        }
        decided
    }

    /// Decides and keeps journal and rows; for runs too large to be checked every time.
    pub(super) fn decide_unchecked(&mut self, command: Command) -> Result<Vec<Event>, Rejection> {
        let events = match self.run.decide(command, self.now)? {
            Accepted::Nothing => Vec::new(),
            Accepted::Events(events) => events,
        };
        self.log
            .extend(events.iter().map(|e| (self.now, e.clone())));
        if events.iter().any(|event| {
            matches!(
                event,
                Event::PlanReplaced { .. } | Event::PlanRefused { .. }
            )
        }) {
            let many = self.run.tasks().len() as u32;
            self.rows.retain(|no, _| *no < many);
        }
        for no in self.run.take_changed() {
            self.rows.insert(no.0, stored::task_row(&self.run, no));
        }
        Ok(events)
    }

    /// The command is accepted, and exactly these events follow.
    #[track_caller]
    pub(super) fn does(&mut self, command: Command, expected: &[&str]) {
        let asked = format!("{command:?}");
        let events = self.decide(command).unwrap_or_else(|rejection| {
            panic!("{asked} was refused: {rejection}");
        });
        let told: Vec<String> = events.iter().map(|event| brief(&self.run, event)).collect();
        assert_eq!(told, expected, "{asked}");
        self.check_stored();
    }

    /// The command is refused with this code, and changes nothing.
    #[track_caller]
    pub(super) fn refuses(&mut self, command: Command, code: &str) {
        let asked = format!("{command:?}");
        match self.decide(command) {
            Ok(events) => panic!("{asked} was accepted: {events:?}"),
            Err(rejection) => assert_eq!(rejection.code(), code, "{asked}"),
        }
    }

    /// What is owed, in words.
    pub(super) fn owed(&self) -> Vec<String> {
        self.run
            .owed()
            .map(|effect| match effect {
                Effect::Start(a) => format!("start {}", name(&self.run, a)),
                Effect::Fetch(a) => format!("fetch {}", name(&self.run, a)),
                Effect::Stop(a) => format!("stop {}", name(&self.run, a)),
                Effect::Collect(a) => format!("collect {}", name(&self.run, a)),
                Effect::Check(a) => format!("check {}", name(&self.run, a)),
                Effect::Expand(a) => format!("expand {}", name(&self.run, a)),
                Effect::Weigh(a) => format!("weigh {}", name(&self.run, a)),
                Effect::Measure(a) => format!("measure {}", name(&self.run, a)),
                Effect::KeepOffer(a) => format!("keep offer {}", name(&self.run, a)),
                Effect::Integrate(_) => "integrate".to_owned(),
                Effect::MoveHead(_) => "move head".to_owned(),
                Effect::FinalCheck(_) => "final check".to_owned(),
            })
            .collect()
    }

    /// Every event survives its stored form; replayed and restored runs equal the live one.
    pub(super) fn check_stored(&self) {
        let thawed: Vec<(Time, Event)> = self.log.iter().map(|(at, e)| (*at, thaw(e))).collect();
        let replayed = stored::replay(self.run.id, &thawed).unwrap();
        same(&self.run, &replayed).unwrap_or_else(|what| panic!("replayed differently: {what}"));

        let structural =
            |(_, event): &&(Time, Event)| run::KINDS_OF_STRUCTURE.contains(&event.kind());
        let structure: Vec<(Time, Event)> = thawed.iter().filter(structural).cloned().collect();
        let row = stored::run_row(&self.run, self.log.len() as u64);
        let rows: Vec<TaskRow> = self.rows.values().cloned().collect();
        let restored = stored::restore(self.run.id, &structure, &row, &rows).unwrap();
        invariants::check(&restored).unwrap();
        same(&self.run, &restored).unwrap_or_else(|what| panic!("restored differently: {what}"));
    }

    // Commands that tests give often.

    pub(super) fn lease(&self, id: &str) -> Command {
        Command::Lease {
            task: self.no(id),
            epoch: Epoch(1),
            timeout_ms: None,
            with: None,
        }
    }

    pub(super) fn started(&self, id: &str) -> Command {
        Command::Started {
            attempt: self.attempt(id),
            base: Some(commit(0)),
            passed_before: Vec::new(),
            confined: Some(true),
            left_out: Vec::new(),
        }
    }

    pub(super) fn ended(&self, id: &str, status: i32) -> Command {
        Command::Ended {
            attempt: self.attempt(id),
            ended: exited(status),
            said: None,
        }
    }

    pub(super) fn collected(&self, id: &str) -> Command {
        let attempt = self.attempt(id);
        Command::Collected {
            attempt,
            snapshot: Some(snapshot(
                1_000 + u64::from(attempt.task.0) * 10 + u64::from(attempt.number),
            )),
            artifacts: Vec::new(),
        }
    }

    pub(super) fn checked(&self, id: &str, verdict: Verdict) -> Command {
        Command::Checked {
            attempt: self.attempt(id),
            verdicts: vec![verdict],
        }
    }

    pub(super) fn cancel(&self, id: &str) -> Command {
        Command::Cancel {
            task: Some(self.no(id)),
        }
    }

    pub(super) fn retry(&self, id: &str) -> Command {
        Command::Retry {
            task: self.no(id),
            note: String::new(),
        }
    }

    pub(super) fn reject(&self, id: &str) -> Command {
        Command::Reject {
            task: Some(self.no(id)),
            reason: "no".to_owned(),
        }
    }

    pub(super) fn approve(&self, id: &str) -> Command {
        Command::Approve {
            task: Some(self.no(id)),
            note: "seen".to_owned(),
            waive: false,
        }
    }

    pub(super) fn split(&self, id: &str, graph: &str) -> Command {
        Command::Split {
            task: self.no(id),
            parts: parts(graph),
            reason: "too large".to_owned(),
        }
    }

    pub(super) fn expanded(&self, id: &str, parts: Parts) -> Command {
        Command::Expanded {
            attempt: self.attempt(id),
            from: Some(commit(0)),
            parts,
            advice: Vec::new(),
        }
    }

    pub(super) fn expand_refused(&self, id: &str, fault: &str) -> Command {
        Command::ExpandRefused {
            attempt: self.attempt(id),
            faults: vec![fault.to_owned()],
            advice: Vec::new(),
        }
    }

    pub(super) fn weighed(&self, id: &str, verdicts: Vec<Verdict>) -> Command {
        Command::Weighed {
            attempt: self.attempt(id),
            verdicts,
        }
    }

    pub(super) fn weigh_refused(&self, id: &str, fault: &str) -> Command {
        Command::WeighRefused {
            attempt: self.attempt(id),
            faults: vec![fault.to_owned()],
        }
    }

    /// So much is measured of a candidate.
    pub(super) fn measured(&self, id: &str, lines: u64, figure: Option<i64>) -> Command {
        Command::Measured {
            attempt: self.attempt(id),
            measured: Measured {
                lines,
                figure: figure.map(|it| Figure(it * 1_000_000)),
                lacking: None,
            },
        }
    }

    /// Accepts whatever follows: for the *given* part of a test.
    #[track_caller]
    pub(super) fn so(&mut self, command: Command) {
        let asked = format!("{command:?}");
        if let Err(rejection) = self.decide(command) {
            panic!("{asked} was refused: {rejection}");
        }
    }

    /// Given: a task leased and ended with exit status 0.
    #[track_caller]
    pub(super) fn runs(&mut self, id: &str) {
        self.so(self.lease(id));
        self.so(self.ended(id, 0));
    }

    /// A task is leased, ends with exit status 1, and this follows.
    #[track_caller]
    pub(super) fn runs_badly(&mut self, id: &str, expected: &str) {
        self.so(self.lease(id));
        self.does(self.ended(id, 1), &[expected]);
    }

    /// Given: a task that failed as often as it may.
    #[track_caller]
    pub(super) fn escalates(&mut self, id: &str) {
        for _ in 0..3 {
            self.so(self.lease(id));
            self.so(self.ended(id, 1));
        }
    }

    /// Given: a task with files, leased, ended, collected and verified.
    #[track_caller]
    pub(super) fn verifies(&mut self, id: &str) {
        self.runs(id);
        self.so(self.collected(id));
        self.so(self.checked(id, Verdict::pass(0)));
    }
}

/// The event as the journal would give it back.
fn thaw(event: &Event) -> Event {
    let text = serde_json::to_string(event).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(stored["event"], event.kind());
    let thawed: Event = serde_json::from_value(stored).unwrap();
    assert_eq!(&thawed, event, "stored as {text}");
    thawed
}

/// Whether two runs are the same but for the order in which classes were met.
pub(super) fn same(one: &Run, other: &Run) -> Result<(), String> {
    let plain = |run: &Run| {
        let mut run = run.clone();
        run.take_changed();
        run.derive();
        run
    };
    let (one, other) = (plain(one), plain(other));
    for (a, b) in one.tasks().iter().zip(other.tasks()) {
        if a != b {
            return Err(format!("{a:?} is not {b:?}"));
        }
    }
    match one == other {
        true => Ok(()),
        false => Err(format!("{one:?} is not {other:?}")),
    }
}

fn name(run: &Run, attempt: AttemptId) -> String {
    format!("{}.{}", task_name(run, attempt.task), attempt.number)
}

fn task_name(run: &Run, no: TaskNo) -> String {
    run.task(no).unwrap().spec.id.to_string()
}

/// An event in a few words, complete enough that a test can tell it from any other it may mean.
pub(super) fn brief(run: &Run, event: &Event) -> String {
    let of = |attempt: &AttemptId| name(run, *attempt);
    let of_name = of;
    let task = |no: &TaskNo| task_name(run, *no);
    match event {
        Event::RunCreated { .. } => "created".to_owned(),
        Event::RunApproved => "approved".to_owned(),
        Event::PlanReplaced { plan } => {
            let ids: Vec<&str> = plan.tasks.iter().map(|task| task.id.as_str()).collect();
            format!("replaced by {}", ids.join(" "))
        }
        Event::PlanRefused { task: no, then, .. } => {
            format!("{}'s plan refused, then {}", task(no), brief_then(then))
        }
        Event::RunPaused { reason } => format!("paused: {}", reason.words()),
        Event::RunResumed => "resumed".to_owned(),
        Event::CancelAsked => "cancel asked".to_owned(),
        Event::RunEnded { status } => format!("ended {status}"),
        Event::FinalHeld { .. } => "final held".to_owned(),
        Event::FinalPassed { .. } => "final passed".to_owned(),
        Event::ReviewOpened { review, of } => match of {
            Subject::Attempt(attempt) => format!("{} opened for {}", review.id, of_name(attempt)),
            Subject::Whole(_) => format!("{} opened for the whole", review.id),
        },
        Event::ReviewClosed { task: no } => format!("closed {}", task(no)),
        Event::TaskSplit {
            task: no,
            parts,
            planned,
            ..
        } => {
            let parts: Vec<&str> = parts.iter().map(|part| part.id.as_str()).collect();
            let parts = parts.join(" ");
            match planned {
                None => format!("split {} into {parts}", task(no)),
                Some((attempt, receipt)) => {
                    format!("{} {} into {parts}", of(attempt), step(receipt))
                }
            }
        }
        Event::AttemptLeased {
            attempt,
            agent,
            workspace,
            timeout_ms,
            ..
        } => {
            let shortened = timeout_ms.map_or(String::new(), |ms| format!(" for {ms} ms"));
            format!(
                "leased {} by {agent} in {workspace}{shortened}",
                of(attempt)
            )
        }
        Event::AttemptStarted { attempt, .. } => format!("started {}", of(attempt)),
        Event::AttemptAdopted { attempt, .. } => format!("adopted {}", of(attempt)),
        Event::AttemptAdvanced { attempt, receipts } => {
            let steps: Vec<&str> = receipts.iter().map(step).collect();
            format!("{} {}", of(attempt), steps.join("+"))
        }
        Event::AttemptStopping { attempt, reason } => {
            format!("stopping {}: {}", of(attempt), reason.word())
        }
        Event::AttemptSuspected { attempt, .. } => format!("suspected {}", of(attempt)),
        Event::AttemptCleared { attempt } => format!("cleared {}", of(attempt)),
        Event::PermissionAsked {
            attempt,
            no,
            deadline_at,
            ..
        } => format!("{} asks {no} until {}", of(attempt), deadline_at.0),
        Event::PermissionDecided {
            attempt,
            no,
            decision,
            by,
            rules,
            ..
        } => {
            let rules: Vec<String> = rules.iter().map(|rule| format!("; {rule}")).collect();
            let (word, by) = (decision.word(), by.word());
            format!("{} {no} {word} by {by}{}", of(attempt), rules.concat())
        }
        Event::ReviewAwaited { attempt, .. } => format!("review awaited {}", of(attempt)),
        Event::AttemptEnded {
            attempt, end, then, ..
        } => format!(
            "{} {}, then {}",
            of(attempt),
            brief_end(end),
            brief_then(then)
        ),
        Event::BatchPrepared { commits } => {
            let names: Vec<String> = commits.iter().map(|one| of(&one.attempt)).collect();
            format!("prepared {}", names.join(" "))
        }
        Event::BatchIntegrated { attempts, .. } => {
            let names: Vec<String> = attempts.iter().map(|(attempt, _)| of(attempt)).collect();
            format!("integrated {}", names.join(" "))
        }
        Event::BatchNarrowed { batch } => format!("narrowed to {batch}"),
        Event::AttemptReturned { attempt, .. } => format!("returned {}", of(attempt)),
        Event::OfferAdopted { attempt, from } => format!("{} adopts {from}", of(attempt)),
        Event::OfferDiscarded { attempt } => format!("discarded {}", of(attempt)),
        Event::CandidateChosen { attempt, from, .. } => {
            format!("{} takes {}", of(attempt), of_name(from))
        }
        Event::CandidatesRefused { task: no, .. } => format!("none passed for {}", task(no)),
        Event::OfferKept { attempt, snapshot } => match snapshot {
            Some(_) => format!("offer kept {}", of(attempt)),
            None => format!("no offer {}", of(attempt)),
        },
        Event::ApprovalGiven { task: no, .. } => format!("approval given {}", task(no)),
        Event::TaskFailed { task: no, .. } => format!("failed {}", task(no)),
        Event::TaskCanceled { task: no } => format!("canceled {}", task(no)),
        Event::TaskSkipped { task: no, because } => {
            format!("skipped {} because {}", task(no), task(because))
        }
        Event::TaskRetried { task: no, .. } => format!("retried {}", task(no)),
        Event::QuestionAnswered { task: no, .. } => format!("answered {}", task(no)),
    }
}

fn step(receipt: &Receipt) -> &'static str {
    match receipt {
        Receipt::Submitted { .. } => "submitted",
        Receipt::Collected { .. } => "collected",
        Receipt::Verified { .. } => "verified",
        Receipt::Integrated { .. } => "integrated",
        Receipt::Expanded { .. } => "expanded",
        Receipt::Reviewed { .. } => "reviewed",
        Receipt::Measured { .. } => "measured",
    }
}

fn brief_end(end: &AttemptEnd) -> &'static str {
    match end {
        AttemptEnd::Integrated => "integrated",
        AttemptEnd::Expanded => "expanded",
        AttemptEnd::Reviewed => "reviewed",
        AttemptEnd::Measured => "measured",
        AttemptEnd::Refused(Failure::Review(_)) => "reviewed badly",
        AttemptEnd::Refused(Failure::Conflict(_)) => "conflicts",
        AttemptEnd::Refused(Failure::Integration(_)) => "refused on the whole",
        AttemptEnd::Refused(Failure::Collection(_)) => "not collected",
        AttemptEnd::Refused(Failure::Plan(_)) => "planned badly",
        AttemptEnd::Refused(_) => "refused",
        AttemptEnd::Errored(_) => "errored",
        AttemptEnd::Lost(_) => "lost",
        AttemptEnd::Stopped(StopReason::Canceled) => "stopped as canceled",
        AttemptEnd::Stopped(StopReason::OverBudget(_)) => "stopped as over its budget",
        AttemptEnd::Stopped(StopReason::Interrupted) => "stopped as interrupted",
        AttemptEnd::Stopped(StopReason::Overdue) => "stopped as overdue",
        AttemptEnd::Stopped(StopReason::Stalled(_)) => "stopped as stalled",
        AttemptEnd::Asked(_) => "asked",
        AttemptEnd::UsedUp(_) => "used up",
        AttemptEnd::Limited { .. } => "limited",
    }
}

fn brief_then(then: &Then) -> String {
    match then {
        Then::Retry {
            not_before: Time(0),
        } => "retry".to_owned(),
        Then::Retry { not_before } => format!("retry at {}", not_before.0),
        Then::Reassign { agent } => format!("reassign to {agent}"),
        Then::Split(reason) => format!("split: {reason}"),
        Then::Escalate(reason) => format!("escalate: {reason}"),
        Then::Ask(question) => format!("ask: {question}"),
        Then::Cancel => "cancel".to_owned(),
    }
}

/// The priorities, for tests that mix them.
pub(super) const PRIORITIES: [Priority; 4] = [
    Priority::Low,
    Priority::Medium,
    Priority::High,
    Priority::Critical,
];
