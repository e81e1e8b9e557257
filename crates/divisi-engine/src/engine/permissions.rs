//! What agents ask leave for, and what they are answered.
//!
//! The rules are applied here, where the file system can be looked at; what follows from them is
//! the run's to decide. An answer is given once it is durable. One that is lost with a life of the
//! engine is given by the next: the supervisor tells again what was not answered.

use std::path::{Path, PathBuf};

use divisi_core::journal::Journal;
use divisi_core::permission::{Decision, Request};
use divisi_core::run::{Command, Event};
use divisi_core::worker::{Answered, Job, ToWorker};
use divisi_core::{AttemptId, RunId, Time};

use super::follow::{Follow, Told};
use super::{Engine, launch};
use crate::permission::{Asker, ruled};
use crate::world::Answer;

impl<J: Journal> Engine<J> {
    /// An agent asks leave for something, for the first time or again.
    pub(super) fn asks(&mut self, job: Job, cwd: &str, mut request: Request, told: &mut Told) {
        let attempt = job.attempt;
        let id = request.id.clone();
        let run = self.world.run(attempt.run);
        let Some((run, task)) = run.and_then(|run| Some((run, run.task(attempt.task)?))) else {
            return self.say_denied(job, id, "its run has ended");
        };
        let role = task.spec.role();
        let tmp = self.shell.temporary.path(&launch::tmp_name(attempt));
        let grants = &run.settings.grants;
        let granted: Vec<PathBuf> = (grants.writes.iter().map(PathBuf::from))
            .chain([tmp])
            .collect();
        let asker = Asker {
            role: role.as_deref(),
            workspace: Path::new(cwd),
            granted: &granted,
            unconfined: grants.unconfined,
        };
        let ruled = ruled(&mut request, run.permission_rules(), asker);
        let command = Command::AskPermission {
            attempt,
            request: self.without_secrets(request),
            ruled,
        };
        told.tell(attempt.run, command, Follow::Answer { job, id });
    }

    /// A request without secrets: it is kept and shown.
    fn without_secrets(&self, request: Request) -> Request {
        let masked = |text: String| self.shell.masked(text);
        Request {
            title: masked(request.title),
            paths: request.paths.into_iter().map(masked).collect(),
            command: request.command.map(masked),
            ..request
        }
    }

    /// A request was recorded, or refused: if it needs no person, it is answered.
    pub(super) fn answer_asked(&mut self, job: Job, id: String, answer: &Answer) {
        let run = self.world.run(job.attempt.run);
        let decision = run.and_then(|run| run.answer_to(job.attempt, &id));
        match (answer, decision.cloned()) {
            (Answer::Rejected(rejection), _) => self.say_denied(job, id, &rejection.to_string()),
            (_, Some(decision)) => self.say_decided(job, id, decision),
            (Answer::Accepted, None) => {}
            (_, None) => self.say_denied(job, id, "its run has ended"),
        }
    }

    /// Passes on what a person, or a deadline, decided in this step.
    pub(super) fn pass_decisions_on(&mut self, events: &[(RunId, Time, Event)]) {
        for (_, _, event) in events {
            let Some((attempt, no, decision)) = event.decided_later() else {
                continue;
            };
            let run = self.world.run(attempt.run);
            if let Some((_, permission)) = run.and_then(|run| run.permission(no)) {
                let id = permission.request.id.clone();
                self.say_decided(Job::agent(attempt), id, decision.clone());
            }
        }
    }

    /// Attempts that wait for a person: their silence is no sign of anything.
    pub(super) fn waiting_for_permission(&self) -> Vec<AttemptId> {
        let of_run = |run: &divisi_core::run::Run| {
            let attempts = run.asking().filter_map(|(task, _)| {
                let live = run.task(task)?.live()?;
                Some(run.attempt_id(task, live.number))
            });
            attempts.collect::<Vec<AttemptId>>()
        };
        self.world.runs().flat_map(of_run).collect()
    }

    fn say_denied(&mut self, job: Job, id: String, reason: &str) {
        let reason = reason.to_owned();
        self.say_decided(job, id, Decision::Deny { reason });
    }

    fn say_decided(&mut self, job: Job, id: String, decision: Decision) {
        let answered = Answered { id, decision };
        self.outbox.push(ToWorker::Answer { job, answered });
    }
}
