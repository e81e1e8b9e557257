//! Agents that ask leave while they work: at the supervisor, in the engine, and among people.
//!
//! A request waits at the supervisor until it is answered, and an agent does not end by itself while
//! one waits. What must hold: no answer contradicts another, and nobody waits for ever.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::ids::{AttemptId, RunId, Time};
use divisi_core::permission::{Decision, Deed, Request, Ruled, Ruling};
use divisi_core::run::{Command, Event, Run};
use divisi_engine::world::{Answer, Ask};

use crate::breaks::Oracle;
use crate::coverage::Fault;
use crate::engine::Source;
use crate::rng::hash;
use crate::sim::{Happening, Sim, Violation, violated};
use crate::supervisor::{Job, Order, Word};

/// How soon an agent whose turn would be over looks again whether it was answered.
const WAIT_MS: u64 = 300;

/// What an agent asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    /// What was not answered, by number.
    waiting: BTreeSet<u32>,
    /// What was, and whether it was allowed.
    answered: BTreeMap<u32, bool>,
}

impl Permissions {
    /// How many requests there were.
    fn asked(&self) -> u32 {
        (self.waiting.len() + self.answered.len()) as u32
    }
}

impl Sim {
    /// Some agents ask, once or several times.
    pub(crate) fn plan_to_ask(&mut self, attempt: AttemptId) {
        let life = self.supervisor.life;
        for _ in 0..self.rng.below(8).saturating_sub(4) {
            let delay = self.rng.within(1, 6_000);
            self.after(delay, Happening::AgentAsks(life, attempt));
        }
    }

    /// An agent asks leave for something.
    pub(crate) fn agent_asks(&mut self, life: u32, attempt: AttemptId) {
        if self.supervisor.life != life {
            return;
        }
        let live = |job: &&mut Job| job.finished.is_none() && !job.told;
        let Some(job) = self.supervisor.jobs.get_mut(&attempt).filter(live) else {
            return;
        };
        let id = job.permissions.asked() + 1;
        job.permissions.waiting.insert(id);
        self.coverage.fault(Fault::PermissionAsked);
        self.say(Word::Asks(attempt, id));
    }

    /// Whether an agent waits for an answer; then it looks again.
    pub(crate) fn waits_for_leave(&mut self, life: u32, attempt: AttemptId) -> bool {
        let job = self.supervisor.jobs.get(&attempt);
        let waits =
            job.is_some_and(|job| job.finished.is_none() && !job.permissions.waiting.is_empty());
        if waits {
            self.after(WAIT_MS, Happening::AgentEnds(life, attempt));
        }
        waits
    }

    /// Tells an engine that joined what was not answered.
    pub(crate) fn tell_asked(&mut self) {
        let live = self.supervisor.jobs.iter();
        let live = live.filter(|(_, job)| job.finished.is_none());
        let asked: Vec<(AttemptId, u32)> = live
            .flat_map(|(attempt, job)| job.permissions.waiting.iter().map(|id| (*attempt, *id)))
            .collect();
        for (attempt, id) in asked {
            self.coverage.fault(Fault::PermissionToldAgain);
            self.say(Word::Asks(attempt, id));
        }
    }

    /// The supervisor passes an answer on.
    ///
    /// # Errors
    /// It is not the one that was given before.
    pub(crate) fn take_answer(
        &mut self,
        attempt: AttemptId,
        id: u32,
        allowed: bool,
    ) -> Result<(), Violation> {
        let Some(job) = self.supervisor.jobs.get_mut(&attempt) else {
            return Ok(());
        };
        if job.permissions.waiting.remove(&id) {
            job.permissions.answered.insert(id, allowed);
            return Ok(());
        }
        // An attempt that was given up meanwhile is denied everything.
        match job.permissions.answered.get(&id) {
            Some(before) if allowed && !*before => violated(
                Oracle::Answers,
                format!("{attempt} was denied {id}, and then it was allowed"),
            ),
            _ => Ok(()),
        }
    }

    /// The engine hears of a request.
    pub(crate) fn hear_asked(&mut self, attempt: AttemptId, id: u32) {
        let task = u64::from(attempt.task.0);
        let ruling = hash(&[task, u64::from(attempt.number), u64::from(id)]) % 3;
        let command = Command::AskPermission {
            attempt,
            request: Request {
                id: id.to_string(),
                deed: Deed::Edit,
                title: format!("the {id}. thing"),
                paths: vec![format!("{id}.md")],
                command: None,
            },
            ruled: Ruled {
                ruling: Ruling::ALL[ruling as usize],
                because: "a rule".to_owned(),
            },
        };
        let source = Source::Asked(attempt, id);
        self.give(Ask::Run(attempt.run, command), source);
    }

    /// A request is durable, or was refused: if it needs no person, it is answered.
    pub(crate) fn answer_asked(&mut self, attempt: AttemptId, id: u32, answer: &Answer) {
        let run = self
            .engine
            .as_ref()
            .and_then(|it| it.world.run(attempt.run));
        let decision = run.and_then(|run| run.answer_to(attempt, &id.to_string()));
        let allowed = match (answer, decision) {
            (Answer::Rejected(_) | Answer::NoSuchRun(_), _) => false,
            (_, Some(decision)) => decision.allows(),
            (_, None) => return,
        };
        self.order(Order::Answer(attempt, id, allowed));
    }

    /// What a person or a deadline decided in this step is passed on.
    pub(crate) fn pass_decisions_on(&mut self, events: &[(RunId, Time, Event)]) {
        for (_, _, event) in events {
            let Some((attempt, no, decision)) = event.decided_later() else {
                continue;
            };
            let run = self
                .engine
                .as_ref()
                .and_then(|it| it.world.run(attempt.run));
            let known = run.and_then(|run| run.permission(no));
            let id = known.and_then(|(_, known)| known.request.id.parse().ok());
            if let Some(id) = id {
                self.order(Order::Answer(attempt, id, decision.allows()));
            }
        }
    }

    /// A person answers what a run's agents ask, or lets the deadline answer.
    pub(crate) fn answer_agents(&mut self, run: &Run) {
        let asking: Vec<u32> = run.asking().map(|(_, no)| no).collect();
        for no in asking {
            if self.rng.chance(400) {
                continue;
            }
            let decision = match self.rng.chance(500) {
                true => Decision::Allow,
                false => Decision::Deny {
                    reason: "no".to_owned(),
                },
            };
            let always = self.rng.chance(200);
            let command = Command::DecidePermission {
                no,
                decision,
                always,
            };
            self.ask(Ask::Run(run.id, command));
        }
    }
}
