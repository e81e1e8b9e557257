//! What people ask, in this process or through the control socket, and what they are answered.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use divisi_core::journal::Journal;
use divisi_core::ledger::{Account, Refusal};
use divisi_core::run::{Command, Create, PauseReason, Rejection};
use divisi_core::{CommandId, Diagnostic, RunId, TaskNo};

use super::follow::{Follow, Told};
use super::{Engine, wall_now};
use crate::control::{Action as Asked, Ask as ControlAsk, Request, Response, Whose};
use crate::world::{Answer, Ask, Directive, find_task};

impl<J: Journal> Engine<J> {
    pub(super) fn asked(&mut self, request: Request, reply: SyncSender<Response>, told: &mut Told) {
        let Request { id, ask } = request;
        match self.ask_of(ask, id.as_ref()) {
            Ok(ask) => told.push(Directive { id, ask }, Follow::Reply(reply)),
            // Whoever asked may have gone.
            Err(answer) => drop(reply.try_send(answer)),
        }
    }

    /// What the world is asked for somebody.
    ///
    /// # Errors
    /// The answer, where it is known at once.
    fn ask_of(&mut self, ask: ControlAsk, id: Option<&CommandId>) -> Result<Ask, Response> {
        Ok(match ask {
            ControlAsk::Start {
                plan,
                settings,
                base,
                approved,
                intent,
            } => {
                let named = self.shell.has_artifacts(&plan, &settings);
                named.map_err(|refusal| self.refused(id, refusal))?;
                Ask::Create(Box::new(Create {
                    plan,
                    settings: *settings,
                    base,
                    approved,
                    intent,
                }))
            }
            ControlAsk::Attend(run) => {
                self.attended.insert(run);
                self.attend();
                return Err(Response::Accepted);
            }
            ControlAsk::IsAttended(run) => {
                return Err(Response::Attended(self.attended.contains(&run)));
            }
            ControlAsk::Permit { run, whose, budget } => {
                let account = self.account_of(run, &whose);
                let account = account.map_err(|refusal| self.refused(id, refusal))?;
                Ask::Budget(account, budget)
            }
            ControlAsk::Lift(agent) => Ask::Lift(agent),
            ControlAsk::Act { run, action } => {
                if matches!(action, Asked::Discard { .. }) {
                    // What a run left is there also when it has ended.
                    self.world.keep_loaded(run);
                }
                let command = self.command_of(run, &action);
                let command = command.map_err(|refusal| self.refused(id, refusal))?;
                self.before(run, &action);
                Ask::Run(run, command)
            }
        })
    }

    /// What cannot be done now. But whatever has changed since: what was accepted stays accepted.
    fn refused(&self, id: Option<&CommandId>, refusal: Diagnostic) -> Response {
        match self.world.outcome(id) {
            Some(outcome) => response(Answer::Repeated(outcome)),
            None => Response::Refused(refusal),
        }
    }

    /// What is done at once, whatever the run answers.
    fn before(&mut self, run: RunId, action: &Asked) {
        match action {
            Asked::Force => self.force(run),
            Asked::Resume => {
                self.shell.setups.forget_failures();
                self.reconcile.hurry(run);
                self.attended.insert(run);
                self.attend();
            }
            _ => {}
        }
    }

    /// The core's command for what was asked, tasks found by name.
    fn task_of(&self, id: RunId, text: &str) -> Result<TaskNo, Diagnostic> {
        let run = self.world.run(id).ok_or_else(|| {
            Diagnostic::error(
                "run-ended",
                format!("{id} has ended, or there is no such run"),
            )
            .hint("`divisi status` lists the runs")
        })?;
        find_task(run, text)
    }

    fn account_of(&self, run: RunId, whose: &Whose) -> Result<Account, Diagnostic> {
        Ok(match whose {
            Whose::Run => Account::Run(run),
            Whose::Task(task) => Account::Task(run, self.task_of(run, task)?),
            Whose::Day => Account::day(wall_now()),
        })
    }

    fn command_of(&self, id: RunId, action: &Asked) -> Result<Command, Diagnostic> {
        let task = |text: &str| self.task_of(id, text);
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
            Asked::Adopt { task: name, number } => Command::Adopt {
                task: task(name)?,
                number: *number,
            },
            Asked::Discard { task: name, number } => Command::Discard {
                task: task(name)?,
                number: *number,
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
                task: name.as_deref().map(task).transpose()?,
                reason: reason.clone(),
            },
            Asked::Answer { task: name, text } => Command::Answer {
                task: task(name)?,
                text: text.clone(),
            },
            Asked::Decide {
                request,
                decision,
                always,
            } => Command::DecidePermission {
                no: *request,
                decision: decision.clone(),
                always: *always,
            },
            Asked::Replace { plan } => Command::Replace {
                plan: Arc::clone(plan),
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
            Asked::Divide { task: name, reason } => Command::Divide {
                task: task(name)?,
                reason: reason.clone(),
            },
        })
    }
}

/// An answer for whoever asked.
pub(super) fn response(answer: Answer) -> Response {
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
        Refusal::NotOpen(Account::Run(_)) => diagnostic.hint(
            "what it used was not counted; `divisi run PLAN --budget 2M-tokens` bounds a run from \
             its start",
        ),
        Refusal::NotOpen(Account::Task(..)) => diagnostic
            .hint("what it used was not counted; the plan's `budget` bounds a task")
            .hint("where only too little was reserved: `divisi retry` reserves twice as much"),
        Refusal::NotOpen(Account::Day(_)) => diagnostic
            .hint("what it used was not counted; `budget.day` of the configuration bounds a day"),
        Refusal::Taken { bound, taken, .. } => diagnostic.hint(format!(
            "`{}` says how much in all: more than {taken}, or nothing can start",
            bound.measure().placeholder()
        )),
        Refusal::Exhausted(_) | Refusal::Parent(_) => diagnostic,
        Refusal::NotLimited(_) => {
            diagnostic.hint("`divisi agents` says which are limited, and until when")
        }
    }
}

fn refusal(rejection: &Rejection) -> Diagnostic {
    let diagnostic = Diagnostic::error(rejection.code(), rejection.to_string());
    match rejection {
        Rejection::NotNow { hint, .. } if !hint.is_empty() => diagnostic.hint(hint.clone()),
        Rejection::NoOffer { .. } => {
            diagnostic.hint("`divisi show RUN TASK` says which attempts left what")
        }
        Rejection::Undivided { .. } => diagnostic.hint(
            "say the parts in a file, in the form of a plan's `subtasks`: `divisi split RUN TASK PARTS`",
        ),
        Rejection::NotApproved => diagnostic.hint("`divisi approve RUN` approves the plan"),
        Rejection::PlanInForce => diagnostic
            .hint("`divisi reject RUN TASK` is about one task, `divisi cancel RUN` about the run"),
        Rejection::NobodyPlanned => diagnostic
            .hint("`divisi plan edit RUN` changes it")
            .hint("`divisi cancel RUN` gives it up; `divisi run` with other words plans anew"),
        Rejection::NoSuchPermission { .. }
        | Rejection::PermissionDecided { .. }
        | Rejection::PermissionWithdrawn { .. } => {
            diagnostic.hint("`divisi permissions list` shows what is asked")
        }
        Rejection::NothingAlike { .. } => diagnostic
            .hint("answer it without `--always`; a rule in `permissions.rules` says the rest"),
        Rejection::WholeFails => diagnostic
            .hint("`divisi retry RUN TASK` has a task done anew")
            .hint("`divisi approve RUN --waive --note WHY` takes the result as it is"),
        _ => diagnostic,
    }
}
