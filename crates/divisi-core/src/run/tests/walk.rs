//! Random walks: whatever is said to a run, in whatever order, it stays sane, its journal and its
//! rows give it back, and with well-behaved answers it ends.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::{
    Bench, PRIORITIES, RUN, approval, candidates, commit, exited, expands, files, handoff, id_of,
    merged, plain, plan, plans, request, ruled, snapshot, with,
};
use super::explaining::everything_is_explained;
use super::rng::Rng;
use crate::assign::{Capacity, assign};
use crate::criterion::{Cost, Criterion, Outcome, Verdict};
use crate::figure::Figure;
use crate::ids::{AttemptId, Commit, Epoch, RunId, TaskNo, Time};
use crate::ledger::{Account, Bound, Choice, Exhausted};
use crate::permission::{Decision, Ruling};
use crate::plan::{Input, Parts, Plan, Stage, TaskKind, TaskSpec, WorkspaceKind};
use crate::receipt::Measured;
use crate::run::transition::{EventName, Next, StateName, names, next};
use crate::run::{
    AGENT_EXTERNAL, AGENT_PERSON, AttemptEnd, Base, Budget, Command, Create, Effect, Ending, Event,
    Final, Finding, PauseReason, Run, RunStatus, Said, Settings, StopReason, TaskState, TaskStatus,
};

/// So many walks are taken.
const SEEDS: u64 = 4_000;

/// How often each pair of the table occurred.
type Seen = BTreeMap<(StateName, EventName), u64>;

struct Walk {
    seed: u64,
    bench: Bench,
    rng: Rng,
    epoch: Epoch,
    commits: u64,
    trail: Vec<String>,
}

/// Shows how a walk went when it fails: the seed reproduces it, the trail explains it.
impl Drop for Walk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}", self.seed);
            for line in &self.trail {
                eprintln!("  {line}");
            }
        }
    }
}

/// One to seven tasks, each waiting for some of those before it, of every kind.
fn random_plan(rng: &mut Rng) -> Plan {
    let count = 1 + rng.below(7);
    let mut drawn = plan("t0");
    drawn.tasks.clear();
    for at in 0..count {
        let on: Vec<String> = (0..at)
            .filter(|_| rng.once_in(3))
            .map(|on| format!("t{on}"))
            .collect();
        let mut task = plan(&format!("t{at}: {}", on.join(" "))).tasks.remove(0);
        match rng.below(17) {
            0..=3 => {}
            4..=7 => files(&mut task),
            8 => approval(&mut task),
            9 => handoff(&mut task),
            10 => plain(&mut task),
            11 | 12 => plans(&mut task),
            13 => expands(&mut task),
            14 | 15 => {
                files(&mut task);
                candidates(&mut task, 2 + rng.below(2), rng.once_in(2));
            }
            _ => {
                handoff(&mut task);
                task.kind = TaskKind::External;
                if rng.once_in(2) {
                    task.inputs.push(Input::Path("data/in.csv".to_owned()));
                }
            }
        }
        if task.workspace == WorkspaceKind::Worktree && rng.once_in(3) {
            task.criteria.push(Criterion::Plain {
                text: "reads well".to_owned(),
            });
        }
        if task.kind == TaskKind::Work && rng.once_in(3) {
            task.agents_else = vec!["second".to_owned(), "third".to_owned()];
        }
        if rng.once_in(4) {
            task.retries = Some(rng.below(3) as u32);
        }
        if rng.once_in(3) {
            task.domain = Some(["web", "data"][rng.below(2)].to_owned());
        }
        if rng.once_in(2) {
            task.estimate.duration_ms = Some(rng.below(100_000) as u64);
        }
        task.priority = PRIORITIES[rng.below(4)];
        drawn.tasks.push(task);
    }
    if rng.once_in(4) {
        let graph = drawn.graph().unwrap();
        let levels = graph.stage.iter().max().map_or(0, |last| last + 1);
        let of = |level: u32| Stage {
            name: format!("level {level}"),
            tasks: (0..count)
                .filter(|at| graph.stage[*at] == level)
                .map(|at| drawn.tasks[at].id.clone())
                .collect(),
        };
        drawn.stages = (0..levels).map(of).collect();
    }
    if rng.once_in(4) {
        drawn.criteria.push(Criterion::Plain {
            text: "the whole reads well".to_owned(),
        });
    }
    drawn
}

impl Walk {
    fn new(seed: u64) -> Walk {
        let mut rng = Rng::new(seed);
        let to_be_planned = rng.once_in(8);
        let settings = Settings {
            approves_plans: to_be_planned,
            failures_max: 1 + rng.below(3) as u32,
            workers_max: 1 + rng.below(3) as u32,
            role_limits: match rng.once_in(3) {
                true => [("web".to_owned(), 1)].into(),
                false => BTreeMap::new(),
            },
            losses_max: 1 + rng.below(4) as u32,
            conflicts_max: 1 + rng.below(4) as u32,
            reviewers: match rng.below(3) {
                0 => Vec::new(),
                1 => vec!["second".to_owned()],
                _ => vec!["command".to_owned(), "second".to_owned()],
            },
            awaiting_max: rng.below(3) as u32,
            barriers: rng.once_in(4),
            batch_max: 1 + rng.below(4) as u32,
            budget: Budget::default(),
            ..Settings::default()
        };
        let what = Create {
            plan: match to_be_planned {
                true => with(plan("w"), "w", plans).into(),
                false => random_plan(&mut rng).into(),
            },
            settings,
            base: Base {
                commit: Some(commit(0)),
                ..Base::default()
            },
            approved: !rng.once_in(6),
            intent: None,
        };
        Walk {
            seed,
            bench: Bench::created(what),
            rng,
            epoch: Epoch(1),
            commits: 0,
            trail: Vec::new(),
        }
    }

    fn run(&self) -> &Run {
        &self.bench.run
    }

    /// Decides, counts the pairs of what followed, and says whether anything did.
    fn say(&mut self, command: Command, seen: &mut Seen) -> bool {
        self.trail.push(format!("{command:?}"));
        let before = self.bench.run.clone();
        match self.bench.decide(command) {
            Err(rejection) => {
                self.trail.push(format!("    refused: {rejection}"));
                false
            }
            Ok(events) => {
                for event in &events {
                    self.trail.push(format!("    {event:?}"));
                }
                count(before, self.bench.now, &events, seen);
                !events.is_empty()
            }
        }
    }

    fn some_task(&mut self) -> TaskNo {
        // One more than there are: unknown numbers are an ordinary input.
        let count = self.run().tasks().len() + usize::from(self.rng.once_in(20));
        TaskNo(self.rng.below(count) as u32)
    }

    /// A live attempt more often than not; else an ended one, one that never was, another run's.
    fn some_attempt(&mut self) -> AttemptId {
        let live: Vec<AttemptId> = live(self.run()).collect();
        if !self.rng.once_in(3)
            && let Some(attempt) = self.rng.pick(&live)
        {
            return *attempt;
        }
        let task = self.some_task();
        let last = self.run().task(task).map_or(0, |task| task.attempts());
        AttemptId {
            run: if self.rng.once_in(12) { RunId(2) } else { RUN },
            task,
            number: self.rng.below(last as usize + 2) as u32,
        }
    }

    fn some_commit(&mut self) -> Commit {
        self.commits += 1;
        commit(10_000 + self.commits)
    }

    fn verdicts(&mut self, no: TaskNo, well: bool) -> Vec<Verdict> {
        let Some(task) = self.run().task(no) else {
            return Vec::new();
        };
        let criteria = task.spec.criteria.clone();
        let mut verdicts = judge(&criteria);
        if !well {
            match self.rng.below(3) {
                0 => drop(verdicts.pop()),
                _ => {
                    for verdict in &mut verdicts {
                        verdict.outcome = [Outcome::Fail, Outcome::Unverified][self.rng.below(2)];
                    }
                }
            }
        }
        verdicts
    }

    /// What a review finds: all holds, or some does not, or is left open.
    fn judged(&mut self, no: TaskNo, well: bool) -> Vec<Verdict> {
        let subject = self.run().task(no).and_then(|task| task.reviews.clone());
        let open = subject.and_then(|it| Some(self.run().under_review(&it)?.1.to_vec()));
        let mut found = Vec::new();
        for verdict in open.unwrap_or_default() {
            let outcome = match well {
                true => Outcome::Pass,
                false => [Outcome::Pass, Outcome::Fail, Outcome::Unverified][self.rng.below(3)],
            };
            found.push(Verdict { outcome, ..verdict });
        }
        found
    }

    fn merge(&mut self, well: bool) -> Command {
        let (batch, head) = self.run().batch();
        let mut onto = head.cloned().unwrap_or_else(|| commit(0));
        let mut batch = batch.clone();
        let (mut conflict, mut refused) = (None, Vec::new());
        if !well {
            match self.rng.below(5) {
                0 => onto = self.some_commit(),
                1 => batch.reverse(),
                2 => refused = vec![Verdict::fail(0, "together they do not build")],
                _ => conflict = batch.pop().map(|it| (it, vec!["a.md".to_owned()])),
            }
        }
        let merge = |it: AttemptId| {
            self.commits += 1;
            merged(it, 10_000 + self.commits)
        };
        Command::BatchMerged {
            onto,
            merged: batch.into_iter().map(merge).collect(),
            conflict,
            refused,
        }
    }

    /// What the shell says when it has done what was owed.
    fn answer_to(&mut self, effect: Effect, well: bool) -> Command {
        match effect {
            Effect::Start(attempt) if well || !self.rng.once_in(2) => {
                let base = self.run().integration.head.clone();
                let known = self.run().task(attempt.task).and_then(|task| task.live());
                let person = known.is_some_and(|live| live.agent == AGENT_PERSON);
                match self.rng.below(3) {
                    0 => Command::Started {
                        attempt,
                        base,
                        passed_before: vec![0],
                        confined: Some(true),
                        left_out: Vec::new(),
                    },
                    _ if person => Command::Submit { task: attempt.task },
                    _ => ended(attempt, 0),
                }
            }
            Effect::Start(attempt) => match self.rng.below(3) {
                0 => Command::NotPrepared {
                    attempt,
                    cause: "the setup failed".to_owned(),
                },
                1 => Command::NotStarted {
                    attempt,
                    cause: "no such program".to_owned(),
                    permanent: self.rng.once_in(2),
                },
                _ => ended(attempt, 1),
            },
            Effect::Fetch(attempt) => match well {
                true => ended(attempt, 0),
                false => Command::NotStarted {
                    attempt,
                    cause: "it is too large".to_owned(),
                    permanent: true,
                },
            },
            Effect::Stop(attempt) => {
                let mut how = exited(143);
                how.told = true;
                Command::Ended {
                    attempt,
                    ended: how,
                    said: None,
                }
            }
            Effect::Collect(attempt) if well || !self.rng.once_in(2) => Command::Collected {
                attempt,
                snapshot: Some(snapshot(u64::from(attempt.task.0))),
                artifacts: Vec::new(),
            },
            Effect::Collect(attempt) => Command::CollectRefused {
                attempt,
                cause: "it is a link".to_owned(),
            },
            Effect::Check(attempt) => Command::Checked {
                attempt,
                verdicts: self.verdicts(attempt.task, well),
            },
            Effect::Expand(attempt) if well || !self.rng.once_in(3) => Command::Expanded {
                attempt,
                from: self.run().integration.head.clone(),
                parts: self.planned(attempt, well),
                advice: Vec::new(),
            },
            Effect::Expand(attempt) => Command::ExpandRefused {
                attempt,
                faults: vec!["it is no plan".to_owned()],
                advice: Vec::new(),
            },
            Effect::Weigh(attempt) if well || !self.rng.once_in(3) => Command::Weighed {
                attempt,
                verdicts: self.judged(attempt.task, well),
            },
            Effect::Weigh(attempt) => Command::WeighRefused {
                attempt,
                faults: vec!["it cites nothing".to_owned()],
            },
            Effect::Measure(attempt) => Command::Measured {
                attempt,
                measured: Measured {
                    lines: self.rng.below(3) as u64,
                    figure: (well || self.rng.once_in(2)).then(|| Figure(self.rng.below(3) as i64)),
                    lacking: None,
                },
            },
            Effect::KeepOffer(attempt) => Command::OfferCollected {
                attempt,
                snapshot: self.rng.once_in(2).then(|| snapshot(7)),
            },
            Effect::Integrate(_) => self.merge(well),
            Effect::MoveHead(_) => Command::HeadMoved {
                head: match self.run().prepared_head() {
                    Some(head) if well => head.clone(),
                    _ => self.some_commit(),
                },
            },
            Effect::FinalCheck(_) => Command::FinalChecked {
                head: self.run().integration.head.clone(),
                verdicts: judge(&self.run().criteria),
                tasks: match well {
                    true => Vec::new(),
                    false => vec![(self.some_task(), vec![Verdict::fail(0, "broken")])],
                },
            },
        }
    }

    /// What an attempt planned: sound, and at an end some time, if all is to go well.
    fn planned(&mut self, attempt: AttemptId, well: bool) -> Parts {
        let mut parts = self.parts();
        if well {
            let stem = format!("e{}-{}", attempt.task.0, attempt.number);
            parts.tasks = plan(&format!("{stem}a; {stem}b: {stem}a")).tasks;
        }
        if self.rng.once_in(3) {
            // One after the other; a part that depends on a later one is refused.
            let stage = |(at, part): (usize, &TaskSpec)| Stage {
                name: format!("step {at}"),
                tasks: vec![part.id.clone()],
            };
            parts.stages = parts.tasks.iter().enumerate().map(stage).collect();
        }
        if self.rng.once_in(3) {
            parts.stage_context = "all of you".to_owned();
        }
        if self.rng.once_in(3) {
            let part = self.rng.below(parts.tasks.len());
            let nesting = self.run().task(attempt.task).map_or(0, |task| task.nesting);
            // One too deep is refused: whoever behaves does not plan it again and again.
            if nesting == 0 || !well {
                plans(&mut parts.tasks[part]);
            }
        }
        parts
    }

    fn parts(&mut self) -> Parts {
        let stem = self.run().tasks().len() * 10 + self.rng.below(3);
        let graph = match self.rng.below(5) {
            0 => format!("p{stem}"),
            1 => format!("p{stem}; p{stem}"),
            2 => format!("p{stem}a; p{stem}b: p{stem}a"),
            _ => format!("p{stem}a; p{stem}b; p{stem}c"),
        };
        let mut tasks = plan(&graph).tasks;
        if tasks.len() == 3 {
            files(&mut tasks[0]);
            tasks[1]
                .inputs
                .push(Input::Task(id_of(&format!("p{stem}a"))));
        }
        Parts {
            tasks,
            ..Parts::default()
        }
    }

    /// A word of the shell's that may or may not fit.
    fn some_word(&mut self) -> Command {
        let attempt = self.some_attempt();
        match self.rng.below(16) {
            0 => Command::Lease {
                task: self.some_task(),
                epoch: self.epoch,
                timeout_ms: None,
                with: None,
            },
            1 => self.answer_to(Effect::Start(attempt), true),
            2 => self.answer_to(Effect::Start(attempt), false),
            3 => self.answer_to(Effect::Stop(attempt), true),
            4 | 13 => {
                let mut how = exited(self.rng.below(2) as i32);
                how.empty = self.rng.once_in(2);
                how.told = self.rng.once_in(4);
                how.denied = vec!["Write a.md".to_owned(); self.rng.below(2)];
                let asks = self.rng.once_in(2);
                Command::Ended {
                    attempt,
                    ended: how,
                    said: self.something_said(asks),
                }
            }
            5 => self.answer_to(Effect::Collect(attempt), false),
            6 => self.answer_to(Effect::Check(attempt), false),
            7 => self.merge(false),
            8 => self.answer_to(Effect::MoveHead(RUN), false),
            9 => self.answer_to(Effect::FinalCheck(RUN), false),
            10 | 11 => Command::Find {
                attempt,
                finding: match self.rng.below(5) {
                    0 => Finding::Suspected("silent".to_owned()),
                    1 => Finding::Cleared,
                    2 => Finding::Stalled("no output".to_owned()),
                    3 => Finding::Overdue,
                    _ => Finding::Lost("no process".to_owned()),
                },
            },
            14 => self.some_permission(attempt),
            12 if self.rng.once_in(2) => self.answer_to(Effect::Expand(attempt), true),
            12 => self.answer_to(Effect::KeepOffer(attempt), true),
            _ => {
                self.epoch.0 += 1;
                let mut holds = Vec::new();
                let mut known: Vec<AttemptId> = live(self.run()).collect();
                known.push(attempt);
                for attempt in known {
                    if self.rng.below(3) > 0 {
                        holds.push(attempt);
                    }
                }
                Command::Joined {
                    epoch: self.epoch,
                    holds,
                }
            }
        }
    }

    /// An agent asks for a permission, or is answered.
    fn some_permission(&mut self, attempt: AttemptId) -> Command {
        match self.rng.below(5) {
            0 => Command::ExpirePermissions,
            1 => Command::DecidePermission {
                no: self.some_request(),
                decision: match self.rng.once_in(2) {
                    true => Decision::Allow,
                    false => Decision::Deny {
                        reason: "no".to_owned(),
                    },
                },
                always: self.rng.once_in(2),
            },
            _ => Command::AskPermission {
                attempt,
                request: request(&self.rng.below(40).to_string()),
                ruled: ruled(Ruling::ALL[self.rng.below(3)]),
            },
        }
    }

    /// One that waits more often than not.
    fn some_request(&mut self) -> u32 {
        let waiting: Vec<u32> = self.run().asking().map(|(_, no)| no).collect();
        match self.rng.pick(&waiting).copied() {
            Some(no) if !self.rng.once_in(3) => no,
            _ => self.rng.below(self.run().permissions_asked as usize + 2) as u32,
        }
    }

    fn something_said(&mut self, says: bool) -> Option<Said> {
        let limit = Said::UsageLimit {
            cause: "429".to_owned(),
            wait_ms: self.rng.once_in(2).then(|| self.rng.below(10_000) as u64),
            ends_at: None,
        };
        let said = match self.rng.below(12) {
            0 => limit,
            3 => Said::UsedUp(Bound::Tokens(200_000)),
            1 => Said::Failure("it does not compile".to_owned()),
            2 => Said::Hindrance("no memory".to_owned()),
            4 => Said::TooLarge("it is two".to_owned()),
            _ => Said::Question("which color?".to_owned()),
        };
        says.then_some(said)
    }

    /// What a person may ask, sensible or not.
    fn some_ask(&mut self) -> Command {
        let task = self.some_task();
        let text = "because".to_owned();
        if self.rng.once_in(2)
            && let Some(command) = self.sensible_ask()
        {
            return command;
        }
        if let Some(command) = self.about_offer().or_else(|| self.about_budget()) {
            return command;
        }
        match self.rng.below(24) {
            0 if self.rng.once_in(2) => Command::Replace {
                plan: plan(["p", "p; q: p", "p; q: p; r: p; s: q r"][self.rng.below(3)]).into(),
            },
            0 => approve_plan(),
            1 => Command::Pause {
                reason: [PauseReason::Owner, PauseReason::DiskFull][self.rng.below(2)].clone(),
                stop: self.rng.once_in(2),
            },
            2..=4 => Command::Resume,
            5 if self.rng.once_in(8) => Command::Cancel { task: None },
            5..=7 => Command::Cancel { task: Some(task) },
            8..=11 => Command::Retry { task, note: text },
            12 | 13 => Command::Submit { task },
            14..=16 => Command::Approve {
                task: (!self.rng.once_in(4)).then_some(task),
                note: text,
                waive: self.rng.once_in(2),
            },
            17 | 18 => Command::Reject {
                task: (!self.rng.once_in(3)).then_some(task),
                reason: text,
            },
            19 | 20 => Command::Answer { task, text },
            _ => Command::Split {
                task,
                parts: self.parts(),
                reason: text,
            },
        }
    }

    /// What the ledger leaves too little for, now and then: a candidate, or what is none.
    fn about_budget(&mut self) -> Option<Command> {
        let waits = |task: &crate::run::Task| {
            task.candidate_of.is_some() && matches!(task.state, TaskState::Ready { .. })
        };
        let ready = TaskNo(self.run().tasks().iter().position(waits)? as u32);
        let task = match self.rng.below(40) {
            0 => self.some_task(),
            1..=6 => ready,
            _ => return None,
        };
        let exhausted = Exhausted {
            account: Account::Task(self.run().id, task),
            bound: None,
            task: None,
        };
        Some(Command::GiveUp { task, exhausted })
    }

    /// What a person does with late work, now and then.
    fn about_offer(&mut self) -> Option<Command> {
        let offered = |task: &crate::run::Task| {
            let mut endings = task.endings.iter();
            let offer = endings.find(|ending| ending.offered().is_some());
            offer.map(|ending| ending.number)
        };
        let tasks = self.run().tasks().iter().enumerate();
        let mut offers = tasks.filter_map(|(no, task)| Some((TaskNo(no as u32), offered(task)?)));
        let (task, number) = offers.next()?;
        match self.rng.below(12) {
            0 => Some(Command::Discard { task, number }),
            1..=3 => Some(Command::Adopt {
                task,
                number: self.rng.once_in(2).then_some(number),
            }),
            _ => None,
        }
    }

    /// What a person would ask of the first task, or of the whole, that waits for one.
    fn sensible_ask(&mut self) -> Option<Command> {
        let note = "seen".to_owned();
        if matches!(self.run().finally, Final::Held { .. }) {
            let done = |no: &TaskNo| self.run().tasks()[no.index()].status() == TaskStatus::Done;
            let done: Vec<TaskNo> = (0..self.run().tasks().len() as u32)
                .map(TaskNo)
                .filter(done)
                .collect();
            let task = *self.rng.pick(&done)?;
            return Some(Command::Retry { task, note });
        }
        let blocked = |task: &crate::run::Task| task.status() == TaskStatus::Blocked;
        let at = self.run().tasks().iter().position(blocked)?;
        let task = TaskNo(at as u32);
        let mut before = self.run().dependencies(task).into_iter();
        if let Some(before) = before.find(|on| self.run().awaits_consent_to(*on))
            && self.rng.once_in(4)
        {
            return Some(Command::Retry { task: before, note });
        }
        match self.rng.below(4) {
            0 => Some(Command::Reject {
                task: Some(task),
                reason: note,
            }),
            1 => Some(Command::Cancel { task: Some(task) }),
            2 => Some(Command::Split {
                task,
                parts: self.parts(),
                reason: note,
            }),
            _ => self.helps(task),
        }
    }

    fn assigned(&self) -> Vec<TaskNo> {
        let capacity = Capacity { workers: 3 };
        assign(
            &[self.run()],
            capacity,
            self.bench.now,
            &BTreeSet::new(),
            &Choice::freely,
        )
        .into_iter()
        .map(|proposal| proposal.task)
        .collect()
    }

    /// One step of the phase in which anything may be said.
    fn wander(&mut self, seen: &mut Seen) {
        let ms = self.rng.below(2_000) as u64;
        self.bench.now = self.bench.now.plus_ms(ms);
        match self.rng.below(22) {
            0..=8 => {
                let owed: Vec<Effect> = self.run().owed().collect();
                let well = !self.rng.once_in(3);
                if let Some(&effect) = self.rng.pick(&owed) {
                    let command = self.answer_to(effect, well);
                    self.say(command, seen);
                }
            }
            9..=12 => {
                for task in self.assigned() {
                    let epoch = self.epoch;
                    // Never above limits: what is proposed is accepted.
                    assert!(self.say(
                        Command::Lease {
                            task,
                            epoch,
                            timeout_ms: None,
                            with: None,
                        },
                        seen
                    ));
                }
            }
            13..=15 => {
                let command = self.some_ask();
                self.say(command, seen);
            }
            16 => {
                let lost: Vec<AttemptId> = lost(self.run()).collect();
                if let Some(&attempt) = self.rng.pick(&lost) {
                    self.say(ended(attempt, 0), seen);
                }
            }
            17 => {
                let live: Vec<AttemptId> = live(self.run()).collect();
                if let Some(&attempt) = self.rng.pick(&live) {
                    let finding = match self.rng.once_in(2) {
                        true => Finding::Suspected("silent".to_owned()),
                        false => Finding::Cleared,
                    };
                    self.say(Command::Find { attempt, finding }, seen);
                }
            }
            _ => {
                let command = self.some_word();
                self.say(command, seen);
            }
        }
    }

    /// One round in which everybody behaves. Says whether anything followed.
    fn behave(&mut self, seen: &mut Seen) -> bool {
        let mut moved = false;
        // What was given up comes first, so that the run does not end before it is tried again.
        let all = || (0..self.run().tasks().len() as u32).map(TaskNo);
        let given_up = |no: &TaskNo| self.run().tasks()[no.index()].status().is_terminal();
        let (first, then): (Vec<TaskNo>, Vec<TaskNo>) = all().partition(given_up);
        for no in first.into_iter().chain(then) {
            if let Some(command) = self.helps(no) {
                moved |= self.say(command, seen);
            }
        }
        if self.run().paused.is_some() {
            moved |= self.say(Command::Resume, seen);
        }
        if !self.run().approved {
            moved |= self.say(approve_plan(), seen);
        }
        let owed: Vec<Effect> = self.run().owed().collect();
        for effect in owed {
            let command = self.answer_to(effect, true);
            moved |= self.say(command, seen);
        }
        for task in self.assigned() {
            let epoch = self.epoch;
            moved |= self.say(
                Command::Lease {
                    task,
                    epoch,
                    timeout_ms: None,
                    with: None,
                },
                seen,
            );
        }
        if matches!(self.run().finally, Final::Held { .. }) && self.run().ended.is_none() {
            let approve = Command::Approve {
                task: None,
                note: "seen".to_owned(),
                waive: true,
            };
            moved |= self.say(approve, seen);
        }
        if !moved && let Some(time) = self.run().delayed_until(self.bench.now) {
            moved = true;
            self.bench.now = time;
        }
        moved
    }

    /// What a good agent, or a patient person, does about this task.
    fn helps(&self, no: TaskNo) -> Option<Command> {
        let task = self.run().task(no)?;
        let id = task.spec.id.as_str();
        let agent = task.live().map(|live| live.agent.as_str());
        match task.state_name() {
            StateName::Approval | StateName::Held => Some(self.bench.approve(id)),
            StateName::Question => Some(Command::Answer {
                task: no,
                text: "blue".to_owned(),
            }),
            StateName::Escalated | StateName::Failed | StateName::Canceled => {
                Some(self.bench.retry(id))
            }
            StateName::Working if matches!(agent, Some(AGENT_PERSON | AGENT_EXTERNAL)) => {
                Some(Command::Submit { task: no })
            }
            StateName::Working => Some(self.bench.ended(id, 0)),
            _ => None,
        }
    }
}

fn live(run: &Run) -> impl Iterator<Item = AttemptId> + '_ {
    let live_of = |(no, task): (usize, &crate::run::Task)| {
        let number = task.live()?.number;
        Some(run.attempt_id(TaskNo(no as u32), number))
    };
    run.tasks().iter().enumerate().filter_map(live_of)
}

/// Attempts that were given up, and may yet come back.
fn lost(run: &Run) -> impl Iterator<Item = AttemptId> + '_ {
    let all = run.tasks().iter().enumerate();
    all.flat_map(move |(no, task)| {
        let lost = |ending: &&Ending| matches!(ending.end, AttemptEnd::Lost(_));
        let of = move |ending: &Ending| run.attempt_id(TaskNo(no as u32), ending.number);
        task.endings.iter().filter(lost).map(of)
    })
}

fn ended(attempt: AttemptId, status: i32) -> Command {
    Command::Ended {
        attempt,
        ended: exited(status),
        said: None,
    }
}

/// What honest checks find of good work: all that a rule can tell holds.
fn judge(criteria: &[Criterion]) -> Vec<Verdict> {
    let verdict = |(at, criterion): (usize, &Criterion)| {
        let mut verdict = Verdict::pass(at as u16);
        if criterion.cost() == Cost::Person {
            verdict.outcome = Outcome::Unverified;
        }
        verdict
    };
    criteria.iter().enumerate().map(verdict).collect()
}

/// Counts the table's pairs that these events consist of, by applying them once more.
fn count(mut run: Run, at: Time, events: &[Event], seen: &mut Seen) {
    for event in events {
        let mut states: BTreeMap<TaskNo, StateName> = BTreeMap::new();
        for (no, name) in names(event) {
            let name = run.as_it_waits(no, name);
            let state = states
                .entry(no)
                .or_insert_with(|| run.tasks()[no.index()].state_name());
            *seen.entry((*state, name)).or_default() += 1;
            if let Next::To(to) = next(*state, name) {
                *state = to;
            }
        }
        run.apply(at, event);
        count_released(&run, event, seen);
    }
}

/// Releases follow from other tasks' events and have none of their own.
fn count_released(run: &Run, event: &Event, seen: &mut Seen) {
    let finished = names(event)
        .into_iter()
        .filter(|(no, _)| run.tasks()[no.index()].status() == TaskStatus::Done);
    for (no, _) in finished {
        for dependent in run.dependents(no) {
            let task = &run.tasks()[dependent.index()];
            if !task.endings.is_empty() {
                continue;
            }
            let name = match task.state {
                TaskState::Ready { .. } => EventName::Released,
                TaskState::Approval => EventName::ReleasedApproval,
                _ => continue,
            };
            *seen.entry((StateName::Waiting, name)).or_default() += 1;
        }
    }
}

/// Walks `seeds` and gives how often each pair occurred.
fn walk(seeds: std::ops::Range<u64>) -> Seen {
    let mut seen = Seen::new();
    for seed in seeds {
        let mut walk = Walk::new(seed);
        let steps = 10 + walk.rng.below(60);
        for _ in 0..steps {
            walk.wander(&mut seen);
            everything_is_explained(walk.run(), walk.bench.now);
        }
        walk.bench.check_stored();
        let going = |task: &crate::run::Task| {
            let stopping = task.live().and_then(|live| live.stopping.as_ref());
            stopping == Some(&StopReason::Canceled)
        };
        let doomed = walk.run().canceling
            || walk.run().ended.is_some()
            || walk.run().tasks().iter().any(going);
        let mut rounds = 0;
        while walk.run().ended.is_none() {
            let moved = walk.behave(&mut seen);
            assert!(moved, "stuck: nothing is owed and nobody can help");
            rounds += 1;
            assert!(rounds < 1_000, "it goes on for ever");
        }
        let status = walk.run().status();
        assert!(doomed || status == RunStatus::Succeeded, "ended {status}");
        assert_eq!(
            walk.run()
                .owed()
                .filter(|e| !matches!(e, Effect::KeepOffer(_)))
                .count(),
            0
        );
        walk.bench.check_stored();
    }
    seen
}

fn approve_plan() -> Command {
    Command::Approve {
        task: None,
        note: String::new(),
        waive: false,
    }
}

#[test]
fn whatever_is_said_a_run_stays_sane_and_ends() {
    let mut seen = Seen::new();
    std::thread::scope(|scope| {
        let quarter = |at: u64| scope.spawn(move || walk(at * SEEDS / 4..(at + 1) * SEEDS / 4));
        let quarters: Vec<_> = (0..4).map(quarter).collect();
        for quarter in quarters {
            for (pair, times) in quarter.join().unwrap() {
                *seen.entry(pair).or_default() += times;
            }
        }
    });
    let mut missing = Vec::new();
    for state in StateName::ALL {
        for event in EventName::ALL {
            let accepted = next(state, event) != Next::Refused;
            if accepted && !seen.contains_key(&(state, event)) {
                missing.push(format!("{state:?} {event:?}"));
            }
        }
    }
    for ((state, event), times) in &seen {
        println!("{times:>8} {state:?} {event:?}");
    }
    assert_eq!(missing, [""; 0], "pairs that no walk met");
}
