//! From inputs to directives, and from answers to what follows.

use std::sync::mpsc::SyncSender;

use divisi_agents::Claim;
use divisi_core::journal::Journal;
use divisi_core::ledger::{Account, Refusal};
use divisi_core::run::{
    AGENT_COMPOSE, Command, Create, Effect, Finding, PauseReason, Rejection, Said, holds_slot,
};
use divisi_core::worker::{Confinement, EndHow, Ended, FromWorker, Held, Job, ToWorker};
use divisi_core::{AttemptId, Diagnostic, RunId};

use super::composing;
use super::fetch::{Seen, never_taken};
use super::input::{Finished, Input};
use super::launch::{self, Launched, Prepared};
use super::{Engine, Follows, Interruption, programs, wall_now};
use crate::control::{Action as Asked, Ask as ControlAsk, Request, Response};
use crate::failpoint;
use crate::reconcile::{Action, Outcome};
use crate::world::{Answer, Ask, Directive, find_task};

/// What follows once a directive's answer is durable.
pub(super) enum Follow {
    Nothing,
    /// Somebody waits for the answer.
    Reply(SyncSender<Response>),
    /// An effect was reported; it may be begun again if it is still owed.
    Outcome(Effect),
    /// An attempt's start is durable: launch it.
    Launch(AttemptId),
    /// The supervisor may forget the job.
    Forget(Job),
    /// The same, and no process of the job is left that could write anywhere.
    ForgetGone(Job),
}

impl<J: Journal> Engine<J> {
    pub(super) fn translate(
        &mut self,
        input: Input,
        directives: &mut Vec<Directive>,
        follows: &mut Follows,
    ) {
        if let Input::Finished {
            effect: Effect::Fetch(attempt),
            ..
        } = &input
        {
            self.fetching.remove(attempt);
        }
        match input {
            Input::Asked { request, reply } => self.asked(request, reply, directives, follows),
            Input::Word(word) => self.word(word, directives, follows),
            Input::SupervisorGone => {
                self.supervised.on_gone();
                for action in self.reconcile.on_gone() {
                    if let Action::Abandon(effect) = action {
                        self.abandon(effect);
                    }
                }
                self.epoch_due = true;
                self.trouble("the supervisor is gone; the attempts it held are lost".to_owned());
            }
            Input::Finished { effect, result } => {
                if let Effect::Start(attempt) = effect {
                    self.preparing.remove(&attempt);
                }
                match result {
                    Ok(finished) => {
                        self.lacking_room.remove(&effect);
                        self.finished(effect, finished, directives, follows);
                    }
                    // It was abandoned meanwhile; how it fails is nobody's business any more.
                    Err(_) if !self.reconcile.is_under_way(effect) => {}
                    Err(failed) => {
                        let before = directives.len();
                        self.effect_failed(effect, failed, directives);
                        follows.extend(directives[before..].iter().map(|_| Follow::Nothing));
                    }
                }
            }
            Input::Interrupted => self.interrupted(directives, follows),
        }
    }

    /// Files from outside are not there yet, or not whole: they are looked for again.
    fn awaited(&mut self, effect: Effect, attempt: AttemptId, look: Vec<Seen>) {
        self.reconcile
            .on_outcome(effect, Outcome::NotYet, wall_now());
        if self.looks.get(&attempt) != Some(&look) {
            let run = self.world.run(attempt.run);
            let task = run.and_then(|run| run.task(attempt.task));
            let odd = task.map_or_else(Vec::new, |task| never_taken(&task.spec, &look));
            let told: Vec<String> = odd
                .into_iter()
                .map(|(path, what)| format!("{path} is {what}; only a file is taken"))
                .collect();
            for cause in told {
                self.trouble(cause);
            }
            self.looks.insert(attempt, look);
        }
    }

    fn interrupted(&mut self, directives: &mut Vec<Directive>, follows: &mut Follows) {
        match self.interruption {
            Interruption::No => {
                self.interruption = Interruption::Graceful;
                self.shell.checks.interrupt(EndHow::Graceful);
                // The others go on with the processes that follow them: one of those takes over,
                // and adopts their agents.
                let driven = self.driven;
                self.attended.retain(|run| Some(*run) == driven);
                self.attend();
                let attended = self.world.runs().filter(|run| self.attends(run));
                let runs: Vec<RunId> = attended.map(|run| run.id).collect();
                for run in runs {
                    let pause = Command::Pause {
                        reason: PauseReason::Interrupted,
                        stop: true,
                    };
                    tell(directives, follows, run, pause, Follow::Nothing);
                }
            }
            Interruption::Graceful | Interruption::Forced => {
                self.interruption = Interruption::Forced;
                self.shell.checks.interrupt(EndHow::Force);
                let attended = self.world.runs().filter(|run| self.attends(run));
                let runs: Vec<RunId> = attended.map(|run| run.id).collect();
                for run in runs {
                    self.force(run);
                }
            }
        }
    }

    /// Ends all agents of a run at once. People and what comes from outside are no agents.
    fn force(&mut self, id: RunId) {
        let Some(run) = self.world.run(id) else {
            return;
        };
        let live = run.live().filter_map(|(no, task)| {
            let live = task.live().filter(|live| holds_slot(&live.agent))?;
            Some(Job::agent(run.attempt_id(no, live.number)))
        });
        let how = EndHow::Force;
        self.outbox
            .extend(live.map(|job| ToWorker::End { job, how }));
    }

    fn asked(
        &mut self,
        request: Request,
        reply: SyncSender<Response>,
        directives: &mut Vec<Directive>,
        follows: &mut Follows,
    ) {
        let ask = match request.ask {
            ControlAsk::Start {
                plan,
                settings,
                base,
                approved,
            } => {
                if let Err(diagnostic) = self.shell.has_bundles(&plan) {
                    let _ = reply.try_send(Response::Refused(diagnostic));
                    return;
                }
                Ask::Create(Box::new(Create {
                    plan,
                    settings: *settings,
                    base,
                    approved,
                }))
            }
            ControlAsk::Attend(run) => {
                self.attended.insert(run);
                self.attend();
                let _ = reply.try_send(Response::Accepted);
                return;
            }
            ControlAsk::Permit { run, budget } => Ask::Budget(Account::Run(run), budget),
            ControlAsk::IsAttended(run) => {
                let _ = reply.try_send(Response::Attended(self.attended.contains(&run)));
                return;
            }
            ControlAsk::Act { run, action } => match self.command_of(run, &action) {
                Ok(command) => {
                    if action == Asked::Force {
                        self.force(run);
                    }
                    if command == Command::Resume {
                        self.shell.setups.forget_failures();
                        self.reconcile.hurry(run);
                        self.attended.insert(run);
                        self.attend();
                    }
                    Ask::Run(run, command)
                }
                Err(diagnostic) => {
                    // Whatever the run has become since: what was accepted stays accepted.
                    let answer = match self.world.outcome(request.id.as_ref()) {
                        Some(outcome) => response(Answer::Repeated(outcome)),
                        None => Response::Refused(diagnostic),
                    };
                    let _ = reply.try_send(answer);
                    return;
                }
            },
        };
        directives.push(Directive {
            id: request.id,
            ask,
        });
        follows.push(Follow::Reply(reply));
    }

    /// The core's command for what was asked, tasks found by name.
    fn command_of(&self, id: RunId, action: &Asked) -> Result<Command, Diagnostic> {
        let task = |text: &str| {
            let run = self.world.run(id).ok_or_else(|| {
                Diagnostic::error(
                    "run-ended",
                    format!("{id} has ended, or there is no such run"),
                )
                .hint("`divisi status` lists the runs")
            })?;
            find_task(run, text).ok_or_else(|| {
                Diagnostic::error("task-unknown", format!("{id} has no task {text:?}"))
                    .hint(format!("`divisi status {id}` lists its tasks"))
            })
        };
        Ok(match action {
            Asked::Pause => Command::Pause {
                reason: PauseReason::Owner,
                stop: false,
            },
            Asked::Interrupt | Asked::Force => Command::Pause {
                reason: PauseReason::Interrupted,
                stop: true,
            },
            Asked::Resume => Command::Resume,
            Asked::Cancel { task: None } => Command::Cancel { task: None },
            Asked::Cancel { task: Some(name) } => Command::Cancel {
                task: Some(task(name)?),
            },
            Asked::Retry { task: name, note } => Command::Retry {
                task: task(name)?,
                note: note.clone(),
            },
            Asked::Submit { task: name } => Command::Submit { task: task(name)? },
            Asked::Approve {
                task: None,
                note,
                waive,
            } => Command::Approve {
                task: None,
                note: note.clone(),
                waive: *waive,
            },
            Asked::Approve {
                task: Some(name),
                note,
                waive,
            } => Command::Approve {
                task: Some(task(name)?),
                note: note.clone(),
                waive: *waive,
            },
            Asked::Reject { task: name, reason } => Command::Reject {
                task: task(name)?,
                reason: reason.clone(),
            },
            Asked::Answer { task: name, text } => Command::Answer {
                task: task(name)?,
                text: text.clone(),
            },
            Asked::Split {
                task: name,
                parts,
                reason,
            } => Command::Split {
                task: task(name)?,
                parts: parts.clone(),
                reason: reason.clone(),
            },
        })
    }

    fn word(&mut self, word: FromWorker, directives: &mut Vec<Directive>, follows: &mut Follows) {
        match word {
            FromWorker::Joined {
                holds, confines, ..
            } => {
                self.confines = confines;
                self.joined(holds, directives, follows);
            }
            FromWorker::Started { .. } | FromWorker::Refused { .. } => {}
            FromWorker::NotStarted {
                job,
                cause,
                permanent,
            } => {
                let attempt = job.attempt;
                let command = Command::NotStarted {
                    attempt,
                    cause,
                    permanent,
                };
                tell(
                    directives,
                    follows,
                    attempt.run,
                    command,
                    Follow::ForgetGone(job),
                );
            }
            FromWorker::Ended { job, ended } => {
                self.strays.remove(&job.attempt);
                let follow = forget(job, &ended);
                let command = self.ended(job.attempt, ended);
                tell(directives, follows, job.attempt.run, command, follow);
            }
            FromWorker::Observed { observations } => {
                let now = self.shell.now_ms();
                for (job, seen) in observations {
                    if !job.is_agent() {
                        continue;
                    }
                    let files = self.files_of(job.attempt);
                    self.monitor.observe(job.attempt, &seen, files, now);
                    if self.is_overdue_stray(job.attempt, seen.age_ms) {
                        self.outbox.push(ToWorker::End {
                            job,
                            how: EndHow::Graceful,
                        });
                    }
                }
            }
            FromWorker::Unknown { job } => {
                // It was to be ended and is held by nobody: so it has ended, if it ever began.
                // There is no end that a receipt could tell of.
                let AttemptId { run, task, number } = job.attempt;
                let live = self.world.run(run).and_then(|run| run.task(task)?.live());
                if live.is_some_and(|live| live.number == number && live.stopping.is_some()) {
                    let command = Command::NotStarted {
                        attempt: job.attempt,
                        cause: "nobody holds it".to_owned(),
                        permanent: false,
                    };
                    tell(directives, follows, run, command, Follow::Nothing);
                }
            }
        }
    }

    /// How an attempt's process ended, with what its agent claims.
    fn ended(&self, attempt: AttemptId, ended: Ended) -> Command {
        let live = self
            .world
            .run(attempt.run)
            .and_then(|run| run.task(attempt.task)?.live());
        let composed = live.is_some_and(|live| live.agent == AGENT_COMPOSE);
        if composed && let Some(failed) = composing::Failed::of(&ended) {
            let log = self.log_of(attempt);
            let told = log.map(|log| programs::tail(&log, programs::TAIL_BYTES));
            return failed.command(attempt, ended, &told.unwrap_or_default());
        }
        let agent = live.and_then(|live| self.shell.agent(&live.agent));
        let claim = agent.map_or(Claim::Done, |agent| {
            let printed = match agent.description().tail_bytes {
                0 => String::new(),
                bytes => {
                    let log = self.log_of(attempt);
                    log.map(|log| programs::tail(&log, bytes))
                        .unwrap_or_default()
                }
            };
            agent.interpret(&ended, &printed)
        });
        // Any program can ask by its question file, whatever its adapter understands of it.
        let asked = || launch::question(&self.shell, attempt).map(Said::Question);
        let said = match super::begin::said(claim) {
            said @ (None | Some(Said::Failure(_))) => asked().or(said),
            said => said,
        };
        Command::Ended {
            attempt,
            ended,
            said,
        }
    }

    fn log_of(&self, attempt: AttemptId) -> Option<std::path::PathBuf> {
        let task = self.world.run(attempt.run)?.task(attempt.task)?;
        let dir = &self.shell.options.dir;
        Some(super::log_path(
            dir,
            attempt.run,
            &task.spec.id,
            attempt.number,
        ))
    }

    fn joined(
        &mut self,
        holds: Vec<(Job, Held)>,
        directives: &mut Vec<Directive>,
        follows: &mut Follows,
    ) {
        let epoch = self.world.epoch();
        let runs: Vec<RunId> = self.world.runs().map(|run| run.id).collect();
        for run in &runs {
            let of_run = holds
                .iter()
                .filter(|(job, _)| job.attempt.run == *run && job.is_agent());
            // One that ended meanwhile is adopted, and its end told after that with all it claims.
            let held = of_run.map(|(job, _)| job.attempt);
            let command = Command::Joined {
                epoch,
                holds: held.collect(),
            };
            tell(directives, follows, *run, command, Follow::Nothing);
        }
        for (job, held) in holds {
            match held {
                // Checks are repeated; nobody waits for those of an earlier epoch.
                Held::Live { .. } if !job.is_agent() => {
                    self.outbox.push(ToWorker::End {
                        job,
                        how: EndHow::Force,
                    });
                    self.outbox.push(ToWorker::Forget { job });
                }
                Held::Live { .. } => {
                    self.watch(job.attempt);
                    self.strays.insert(job.attempt);
                }
                Held::Ended { .. } if !job.is_agent() => self.outbox.push(ToWorker::Forget { job }),
                Held::Ended { ended } => {
                    let follow = forget(job, &ended);
                    let command = self.ended(job.attempt, ended);
                    tell(directives, follows, job.attempt.run, command, follow);
                }
            }
        }
        self.joining = true;
    }

    fn finished(
        &mut self,
        effect: Effect,
        finished: Finished,
        directives: &mut Vec<Directive>,
        follows: &mut Follows,
    ) {
        let (command, follow) = match finished {
            Finished::Awaited { attempt, look } => return self.awaited(effect, attempt, look),
            Finished::Prepared(prepared) => self.prepared(prepared),
            Finished::Told(command) => (*command, Follow::Outcome(effect)),
        };
        tell(directives, follows, effect.run(), command, follow);
    }

    /// An attempt that can be launched is begun first: what its workspace is made of is durable
    /// before anything runs in it.
    fn prepared(&mut self, prepared: Box<Prepared>) -> (Command, Follow) {
        let attempt = prepared.attempt;
        let confines = match &prepared.launched {
            Launched::Process(spec) => Some(matches!(spec.confinement, Confinement::Writes(_))),
            _ => None,
        };
        let command = Command::Started {
            attempt,
            base: prepared.base.clone(),
            passed_before: prepared.passed_before.clone(),
            confined: confines.map(|confines| confines && self.confines),
            left_out: prepared.left_out.clone(),
        };
        self.launching.insert(attempt, prepared);
        (command, Follow::Launch(attempt))
    }

    /// What the monitor found becomes an input like any other.
    pub(super) fn find(&mut self, attempt: AttemptId, finding: Finding) {
        if matches!(finding, Finding::Lost(_)) {
            self.strays.insert(attempt);
        }
        let directive = Directive {
            id: None,
            ask: Ask::Run(attempt.run, Command::Find { attempt, finding }),
        };
        self.found.push(directive);
    }

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
                if let (Answer::Accepted, Some(prepared)) = (answer, prepared)
                    && self.may_launch(attempt)
                {
                    self.launch(*prepared);
                }
            }
            Follow::Forget(job) => self.outbox.push(ToWorker::Forget { job }),
            Follow::ForgetGone(job) => {
                self.returned.push(job.attempt);
                self.outbox.push(ToWorker::Forget { job });
            }
        }
    }

    /// An attempt that is to be stopped, or whose lease is of an epoch that is over because its
    /// supervisor is gone, is not started any more: it is about to be found ended, or lost.
    fn may_launch(&self, attempt: AttemptId) -> bool {
        let task = self
            .world
            .run(attempt.run)
            .and_then(|run| run.task(attempt.task));
        let live = task.and_then(|task| task.live());
        live.is_some_and(|live| {
            live.number == attempt.number
                && live.stopping.is_none()
                && live.epoch == self.world.epoch()
                && !self.epoch_due
        })
    }
}

/// The supervisor may forget a job whose end is durable.
fn forget(job: Job, ended: &Ended) -> Follow {
    match ended.empty {
        true => Follow::ForgetGone(job),
        false => Follow::Forget(job),
    }
}

fn tell(
    directives: &mut Vec<Directive>,
    follows: &mut Follows,
    run: RunId,
    command: Command,
    follow: Follow,
) {
    directives.push(Directive {
        id: None,
        ask: Ask::Run(run, command),
    });
    follows.push(follow);
}

/// An answer for whoever asked.
fn response(answer: Answer) -> Response {
    match answer {
        Answer::Created(run) => Response::Started(run),
        Answer::Accepted => Response::Accepted,
        Answer::Repeated(outcome) => match RunId::parse(&outcome) {
            Some(run) => Response::Started(run),
            None => Response::Accepted,
        },
        Answer::NoSuchRun(run) => Response::Refused(
            Diagnostic::error("run-unknown", format!("there is no {run}"))
                .hint("`divisi status` lists the runs"),
        ),
        Answer::BadPlan(faults) => Response::Refused(Diagnostic::error(
            "run-bad-plan",
            format!(
                "the plan is not sound: {}",
                faults
                    .first()
                    .map_or_else(String::new, |fault| format!("{fault:?}"))
            ),
        )),
        Answer::Rejected(rejection) => Response::Refused(refusal(&rejection)),
        Answer::NotPermitted(refusal) => Response::Refused(not_permitted(&refusal)),
    }
}

fn not_permitted(refusal: &Refusal) -> Diagnostic {
    let diagnostic = Diagnostic::error(refusal.code(), refusal.to_string());
    match refusal {
        Refusal::NotOpen(_) => diagnostic.hint(
            "what it used was not counted; `divisi run PLAN --attempts N` bounds a run from its start",
        ),
        Refusal::Taken { bound, taken, .. } => diagnostic.hint(format!(
            "`{}` says how much in all: more than {taken}, or nothing can start",
            bound.flag()
        )),
        Refusal::Exhausted(_) => diagnostic,
    }
}

fn refusal(rejection: &Rejection) -> Diagnostic {
    let diagnostic = Diagnostic::error(rejection.code(), rejection.to_string());
    match rejection {
        Rejection::NotNow { hint, .. } if !hint.is_empty() => diagnostic.hint(hint.clone()),
        Rejection::NotApproved => diagnostic.hint("`divisi approve RUN` approves the plan"),
        Rejection::WholeFails => diagnostic
            .hint("`divisi retry RUN TASK` has a task done anew")
            .hint("`divisi approve RUN --waive --note WHY` takes the result as it is"),
        _ => diagnostic,
    }
}
