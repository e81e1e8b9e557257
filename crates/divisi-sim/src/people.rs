//! People: impatient before faults stop, diligent after.
//!
//! A person reads the journal's state, as `divisi status` does, sends commands under an id, and
//! sends again what was not answered. What they were told must be true.

use std::collections::BTreeMap;

use divisi_core::ids::{CommandId, TaskNo};
use divisi_core::ledger::{Account, Bound, Measure};
use divisi_core::run::transition::StateName;
use divisi_core::run::{
    AGENT_EXTERNAL, AGENT_PERSON, Budget, Command, Create, Final, PauseReason, Phase, Run,
};
use divisi_engine::world::{Answer, Ask, Directive};

use crate::breaks::Oracle;
use crate::coverage::Fault;
use crate::engine::Source;
use crate::journal::FaultyJournal;
use crate::plans;
use crate::repo::{Contribution, Quality};
use crate::sim::{Happening, Sim, Violation, violated};

/// Something a person asked.
#[derive(Clone, Debug)]
struct Request {
    id: CommandId,
    ask: Ask,
    /// What they were told.
    told: Option<Told>,
    /// Whether it was sent again after that.
    again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Accepted,
    Refused,
}

/// All requests of all people.
#[derive(Debug, Default)]
pub(crate) struct People {
    requests: BTreeMap<u64, Request>,
    count: u64,
    splits: u64,
    creates: u64,
}

impl People {
    /// Requests to create a run, each of which may make one.
    #[must_use]
    pub(crate) fn creates(&self) -> u64 {
        self.creates
    }

    /// Whether every request was answered.
    #[must_use]
    pub(crate) fn are_answered(&self) -> bool {
        self.requests.values().all(|request| request.told.is_some())
    }

    /// What was said before a power loss is forgotten with the commands it took.
    pub(crate) fn forget_torn(&mut self, knows: impl Fn(&CommandId) -> bool) {
        for request in self.requests.values_mut() {
            if request.told == Some(Told::Accepted) && !knows(&request.id) {
                // Only a journal that is not synchronised at each step forgets what it told.
                request.told = Some(Told::Refused);
            }
        }
    }

    /// What a request asked.
    #[must_use]
    pub(crate) fn asked(&self, number: u64) -> Option<&Ask> {
        self.requests.get(&number).map(|request| &request.ask)
    }

    /// A broken engine told them that it was accepted.
    pub(crate) fn believe(&mut self, number: u64) {
        if let Some(request) = self.requests.get_mut(&number) {
            request.told = Some(Told::Accepted);
        }
    }

    /// What was believed and is not in the journal.
    ///
    /// # Errors
    /// The command that was answered and is not stored.
    pub(crate) fn check(&self, journal: &FaultyJournal) -> Result<(), Violation> {
        let told = self
            .requests
            .values()
            .filter(|request| request.told == Some(Told::Accepted));
        for request in told {
            if !journal.disk(|disk| disk.knows(&request.id)) {
                return violated(
                    Oracle::Answers,
                    format!("{} was answered and is not in the journal", request.id),
                );
            }
        }
        Ok(())
    }

    pub(crate) fn on_answer(
        &mut self,
        number: u64,
        answer: &Answer,
        journal: &FaultyJournal,
    ) -> Result<(), Violation> {
        let Some(request) = self.requests.get_mut(&number) else {
            return Ok(());
        };
        let accepted = match answer {
            Answer::Created(_) | Answer::Accepted => true,
            Answer::Repeated(_) => {
                request.told = Some(Told::Accepted);
                return Ok(());
            }
            Answer::Rejected(_)
            | Answer::NoSuchRun(_)
            | Answer::BadPlan(_)
            | Answer::NotPermitted(_) => false,
        };
        if accepted && request.told == Some(Told::Accepted) {
            return violated(
                Oracle::Answers,
                format!("{} took effect twice: {:?}", request.id, request.ask),
            );
        }
        if accepted && !journal.disk(|disk| disk.knows(&request.id)) {
            return violated(
                Oracle::Answers,
                format!("{} was answered and is not in the journal", request.id),
            );
        }
        request.told = Some(if accepted {
            Told::Accepted
        } else {
            Told::Refused
        });
        Ok(())
    }
}

impl Sim {
    pub(crate) fn ask_create(&mut self, create: Create) {
        self.people.creates += 1;
        self.ask(Ask::Create(Box::new(create)));
    }

    pub(crate) fn ask(&mut self, ask: Ask) {
        self.people.count += 1;
        let number = self.people.count;
        let id = CommandId::new(format!("c{number}")).expect("a letter and a number make an id");
        let request = Request {
            id,
            ask,
            told: None,
            again: false,
        };
        self.people.requests.insert(number, request);
        self.send(number);
    }

    fn send(&mut self, number: u64) {
        let delay = self.rng.within(0, 50);
        self.after(delay, Happening::Request(number));
        if self.goes_wrong(80) {
            self.coverage.fault(Fault::CommandRepeated);
            let delay = self.rng.within(0, 2_000);
            self.after(delay, Happening::Request(number));
        }
    }

    /// A request reaches the engine, if there is one; without an answer it is sent again.
    pub(crate) fn deliver_request(&mut self, number: u64) {
        let Some(request) = self.people.requests.get_mut(&number) else {
            return;
        };
        let refused = request.told == Some(Told::Refused);
        if refused || (request.told.is_some() && request.again) {
            return;
        }
        request.again = request.told.is_some();
        let directive = Directive {
            id: Some(request.id.clone()),
            ask: request.ask.clone(),
        };
        if request.told.is_none() {
            self.after(5_000, Happening::Request(number));
        }
        self.give_directive(directive, Source::Person(number));
    }

    /// People look and act.
    pub(crate) fn live_people(&mut self) -> Result<(), Violation> {
        self.people.check(&self.journal)?;
        let delay = match self.calm {
            true => 3_000,
            false => self.rng.within(500, 8_000),
        };
        self.after(delay, Happening::People);
        let runs: Vec<Run> = self.truth.open_runs().cloned().collect();
        for run in runs {
            if self.calm {
                self.attend(&run, true);
            } else if self.rng.chance(700) {
                self.attend(&run, false);
            } else {
                self.meddle(&run);
            }
        }
        Ok(())
    }

    /// Does what a run waits for: all of it, or some.
    fn attend(&mut self, run: &Run, all: bool) {
        let id = run.id;
        if !run.approved && !all && self.rng.chance(250) {
            let plan = plans::another(&mut self.rng).into();
            self.ask(Ask::Run(id, Command::Replace { plan }));
        }
        if !run.approved && run.planner().is_some() && !all && self.rng.chance(400) {
            let refuse = Command::Reject {
                task: None,
                reason: "smaller".to_owned(),
            };
            return self.ask(Ask::Run(id, refuse));
        }
        if !run.approved && (all || self.rng.chance(500)) {
            let approve = Command::Approve {
                task: None,
                note: String::new(),
                waive: false,
            };
            self.ask(Ask::Run(id, approve));
        }
        if let Some(reason) = &run.paused
            && (all || self.rng.chance(300))
        {
            match reason {
                PauseReason::Budget(exhausted) => self.raise_budget(exhausted.account),
                PauseReason::UsageLimit { credential, .. } => {
                    // By the credential's name, or by an agent's that uses it.
                    let name = match credential.name() {
                        "FIRST" if self.rng.chance(500) => "command",
                        name => name,
                    };
                    self.ask(Ask::Lift(name.to_owned()));
                }
                _ => {}
            }
            self.ask(Ask::Run(id, Command::Resume));
        } else if run.settings.budget.is_bounded() && !all && self.rng.chance(30) {
            // Nobody need wait until it is used up.
            self.raise_budget(Account::Run(id));
        }
        // Where somebody judges it already, most people wait for what comes of that.
        let is_judged = run.review_of_whole().is_some() && !all && !self.rng.chance(50);
        if let Final::Held { tasks, verdicts } = &run.finally
            && !is_judged
        {
            let failing = tasks.first().map(|(task, _)| *task);
            // Whoever looks at the whole may want any part of it done again.
            let any = TaskNo(self.rng.below(run.tasks().len() as u64) as u32);
            let redo = match self.rng.chance(500) {
                true => failing,
                false => Some(any),
            };
            let command = match redo.filter(|_| !all && self.rng.chance(700)) {
                Some(task) => Command::Retry {
                    task,
                    note: "once more".to_owned(),
                },
                None => Command::Approve {
                    task: None,
                    note: "seen".to_owned(),
                    waive: !tasks.is_empty() || !verdicts.is_empty(),
                },
            };
            self.ask(Ask::Run(id, command));
        }
        self.answer_agents(run);
        for no in 0..run.tasks().len() as u32 {
            if self.rng.chance(500)
                && let Some(command) = self.about_offer(run, TaskNo(no))
            {
                self.ask(Ask::Run(id, command));
            }
            if all || self.rng.chance(400) {
                self.attend_task(run, TaskNo(no));
            }
        }
    }

    /// Permits more, or what somebody takes for more: who looks at an old picture says less than
    /// is taken by now, and is refused.
    fn raise_budget(&mut self, account: Account) {
        let balance = self.truth.ledger().accounts.get(&account);
        let balance = balance.copied().unwrap_or_default();
        let taken = balance.taken();
        if self.calm {
            let much = |measure| Bound::of(measure, 1 << 50);
            let all = Measure::ALL.map(much).into_iter();
            let budget = all.fold(Budget::default(), Budget::with);
            return self.ask(Ask::Budget(account, budget));
        }
        if self.rng.chance(200) {
            let little = Bound::Attempts(self.rng.within(1, 6));
            return self.ask(Ask::Budget(account, Budget::default().with(little)));
        }
        let mut budget = Budget::default();
        for (measure, most) in [
            (Measure::Attempts, 15),
            (Measure::TimeMs, 400_000),
            (Measure::Tokens, 300_000),
            (Measure::UsdMicros, 3_000_000),
        ] {
            // Mostly of what is bounded already, and now and then of something else.
            let is_meant = match balance.budget.of(measure) {
                Some(_) => self.rng.chance(800),
                None => self.rng.chance(100),
            };
            if is_meant {
                let more = self.rng.within(most / 15, most);
                budget = budget.with(Bound::of(measure, taken.of(measure) + more));
            }
        }
        self.ask(Ask::Budget(account, budget));
    }

    /// What somebody wants to be done with late work of a task, if there is any.
    fn about_offer(&mut self, run: &Run, no: TaskNo) -> Option<Command> {
        let task = &run.tasks()[no.index()];
        let offer = task
            .endings
            .iter()
            .find(|ending| ending.offered().is_some())?;
        let works = matches!(task.state_name(), StateName::Leased | StateName::Working);
        Some(match self.rng.below(10) {
            // Another one's work is about to take its place.
            _ if task.state_name() == StateName::Prepared => Command::Discard {
                task: no,
                number: offer.number,
            },
            0 => Command::Discard {
                task: no,
                number: offer.number,
            },
            // Whoever wants it ends what is at work.
            1..=3 if works && !self.calm => Command::Cancel { task: Some(no) },
            _ => Command::Adopt {
                task: no,
                number: self.rng.chance(500).then_some(offer.number),
            },
        })
    }

    fn attend_task(&mut self, run: &Run, no: TaskNo) {
        let task = &run.tasks()[no.index()];
        let refuse = |no: TaskNo| Command::Reject {
            task: Some(no),
            reason: "no".to_owned(),
        };
        let refuses = !self.calm && self.rng.chance(250);
        let command = match task.state_name() {
            StateName::Approval if refuses => {
                // Who does not want what was made has it made again, or gives all of it up.
                let mut before = run.dependencies(no).into_iter();
                let again = before.find(|on| run.awaits_consent_to(*on));
                match again.filter(|_| self.rng.chance(700)) {
                    Some(task) => Command::Retry {
                        task,
                        note: "otherwise".to_owned(),
                    },
                    None => refuse(no),
                }
            }
            StateName::Approval => Command::Approve {
                task: Some(no),
                note: "yes".to_owned(),
                waive: false,
            },
            StateName::Question if refuses => refuse(no),
            StateName::Question => Command::Answer {
                task: no,
                text: "blue".to_owned(),
            },
            StateName::Escalated if refuses => refuse(no),
            StateName::Escalated => Command::Retry {
                task: no,
                note: "look again".to_owned(),
            },
            StateName::Held => {
                let Some(live) = task.live() else { return };
                let attempt = run.attempt_id(no, live.number);
                let right = match live.snapshot() {
                    Some(snapshot) => {
                        let author = self.truth.author(attempt);
                        self.repo.quality_in(&snapshot.commit, author)
                    }
                    None => self.truth.quality(attempt),
                };
                match right == Quality::Right && !refuses {
                    true => Command::Approve {
                        task: Some(no),
                        note: "it does".to_owned(),
                        waive: false,
                    },
                    false => refuse(no),
                }
            }
            StateName::Leased | StateName::Working => {
                if !self.do_by_hand(run, no) {
                    return;
                }
                Command::Submit { task: no }
            }
            _ => return,
        };
        self.ask(Ask::Run(run.id, command));
    }

    /// A person does a task's work; false if it is not theirs.
    fn do_by_hand(&mut self, run: &Run, no: TaskNo) -> bool {
        let Some(live) = run.tasks()[no.index()].live() else {
            return false;
        };
        let theirs = matches!(live.agent.as_str(), AGENT_PERSON | AGENT_EXTERNAL);
        let key = (run.id, no, live.workspace);
        let works = matches!(live.phase, Phase::Leased | Phase::Working);
        if !theirs || !works || self.repo.existing(key).is_none() {
            return false;
        }
        let quality = match self.goes_wrong(200) {
            true => Quality::Half,
            false => Quality::Right,
        };
        let attempt = run.attempt_id(no, live.number);
        self.repo.write(key, Contribution { attempt, quality });
        self.truth.on_by_hand(attempt, quality);
        true
    }

    /// A task that was canceled or given up, for whoever changes their mind.
    fn given_up(&mut self, run: &Run) -> Option<TaskNo> {
        let over = |no: &TaskNo| {
            let name = run.tasks()[no.index()].state_name();
            matches!(name, StateName::Canceled | StateName::Failed)
        };
        let tasks = (0..run.tasks().len() as u32).map(TaskNo);
        let over: Vec<TaskNo> = tasks.filter(over).collect();
        (!over.is_empty()).then(|| self.rng.pick(&over))
    }

    /// Commands that may or may not make sense.
    fn meddle(&mut self, run: &Run) {
        let no = TaskNo(self.rng.below(run.tasks().len() as u64 + 1) as u32);
        let command = match self.rng.below(100) {
            0..=2 => Command::Cancel { task: None },
            3..=22 => Command::Cancel { task: Some(no) },
            23..=29 => Command::Pause {
                reason: PauseReason::Owner,
                stop: false,
            },
            30..=37 => Command::Pause {
                reason: PauseReason::Interrupted,
                stop: true,
            },
            38..=44 => Command::Resume,
            45..=59 => Command::Retry {
                task: self.given_up(run).unwrap_or(no),
                note: String::new(),
            },
            60..=67 => Command::Reject {
                task: self.rng.chance(900).then_some(no),
                reason: "no".to_owned(),
            },
            68..=72 => Command::Submit { task: no },
            73..=77 => Command::Answer {
                task: no,
                text: "red".to_owned(),
            },
            78..=82 => Command::Approve {
                task: Some(no),
                note: "?".to_owned(),
                waive: false,
            },
            _ => {
                self.people.splits += 1;
                let unique = self.people.splits;
                Command::Split {
                    task: no,
                    parts: plans::parts(&mut self.rng, unique),
                    reason: "too large".to_owned(),
                }
            }
        };
        self.ask(Ask::Run(run.id, command));
    }
}
