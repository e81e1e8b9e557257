//! What a step tells the world, and what follows once its answers are durable.

use std::sync::mpsc::SyncSender;

use divisi_core::journal::Journal;
use divisi_core::run::{Command, Effect};
use divisi_core::worker::{Job, ToWorker};
use divisi_core::{AttemptId, RunId};

use super::asked::response;
use super::{Engine, wall_now};
use crate::control::Response;
use crate::failpoint;
use crate::reconcile::Outcome;
use crate::world::{Answer, Directive};

/// What follows once a directive's answer is durable.
pub(super) enum Follow {
    Nothing,
    /// Somebody waits for the answer.
    Reply(SyncSender<Response>),
    /// An effect was reported; it may be begun again if it is still owed.
    Outcome(Effect),
    /// An attempt's start is durable: launch it.
    Launch(AttemptId),
    /// An agent waits for the answer to its request of this id, if there is one by now.
    Answer {
        job: Job,
        id: String,
    },
    /// The supervisor may forget the job.
    Forget(Job),
    /// The same, and no process of the job is left that could write anywhere.
    ForgetGone(Job),
}

/// The directives of one step, each with what follows its answer.
#[derive(Default)]
pub(super) struct Told {
    pub(super) directives: Vec<Directive>,
    pub(super) follows: Vec<Follow>,
}

impl Told {
    pub(super) fn push(&mut self, directive: Directive, follow: Follow) {
        self.directives.push(directive);
        self.follows.push(follow);
    }

    /// A command of the engine's own.
    pub(super) fn tell(&mut self, run: RunId, command: Command, follow: Follow) {
        self.push(Directive::of_run(run, command), follow);
    }
}

impl<J: Journal> Engine<J> {
    pub(super) fn follow(&mut self, follow: Follow, answer: Answer) {
        match follow {
            Follow::Nothing => {}
            Follow::Reply(reply) => {
                if let Answer::Created(run) = answer {
                    self.attended.insert(run);
                    self.attend();
                    self.again = true;
                    crate::memory::give_back();
                }
                failpoint::hit("answers.reply.before");
                // Whoever asked may have gone; the outcome is stored.
                let _ = reply.try_send(response(answer));
            }
            Follow::Outcome(effect) => {
                self.reconcile
                    .on_outcome(effect, Outcome::Reported, wall_now());
            }
            Follow::Launch(attempt) => {
                let prepared = self.launching.remove(&attempt);
                let (live, epoch) = (self.world.live(attempt), self.world.epoch());
                if let (Answer::Accepted, Some(prepared)) = (answer, prepared)
                    && self.reconcile.may_launch(live, epoch)
                {
                    self.launch(*prepared);
                }
            }
            Follow::Answer { job, id } => self.answer_asked(job, id, &answer),
            Follow::Forget(job) => self.outbox.push(ToWorker::Forget { job }),
            Follow::ForgetGone(job) => {
                self.returned.push(job.attempt);
                self.outbox.push(ToWorker::Forget { job });
            }
        }
    }
}
