//! What agents ask leave for while they work, and how each request is answered: by the rules, by a
//! person, or by its deadline. Every answer is an event.
//!
//! A request that is told again — its answer was lost with a life of the engine — is recognized and
//! changes nothing; the shell gives the answer that stands.

use super::command::Rejection;
use super::decide::Draft;
use super::event::Event;
use super::state::Run;
use crate::ids::{AttemptId, TaskNo, Time};
use crate::permission::{
    Decider, Decision, Deed, Permission, Request, Rule, Ruled, Ruling, Standing,
};

/// So many requests of an attempt may wait for a person at once: nobody looks through more.
const WAITING_MAX: usize = 16;

/// So many requests of an attempt are kept in memory and in its row; all are in the journal.
pub(super) const KEPT_MAX: usize = 32;

/// An attempt that asks more often is in a loop: it is answered, and no longer recorded.
const REQUESTS_MAX: u32 = 10_000;

/// So many rules that people add are kept: each request is held against all of them.
const RULES_MAX: usize = 200;

/// So many denials of an agent's own tool are taken at its end.
const DENIED_MAX: usize = 20;

impl Draft<'_> {
    pub(super) fn ask_permission(
        &mut self,
        attempt: AttemptId,
        mut request: Request,
        ruled: Ruled,
    ) -> Result<(), Rejection> {
        request.bound();
        let live = self.at_work(attempt)?;
        let same_id = |it: &&Permission| it.request.id == request.id;
        let known = live.permissions.iter().rev().find(same_id);
        if known.is_some_and(|known| known.request == request) {
            return Ok(());
        }
        let ruled = match known {
            Some(_) => denial("its id was used for another request"),
            None if ruled.ruling == Ruling::Ask && live.asks().count() >= WAITING_MAX => {
                denial("too many requests wait for an answer")
            }
            None => ruled,
        };
        if live.asked >= REQUESTS_MAX {
            let limit = format!("{REQUESTS_MAX} requests of one attempt");
            return Err(Rejection::LimitReached { limit });
        }
        let no = self.run.permissions_asked + 1;
        let because = ruled.because;
        let decision = match ruled.ruling {
            Ruling::Allow => Decision::Allow,
            Ruling::Deny => Decision::Deny {
                reason: because.clone(),
            },
            Ruling::Ask => {
                let deadline_at = self.at.plus_ms(self.run.settings.permissions.deadline_ms);
                self.push(Event::PermissionAsked {
                    attempt,
                    no,
                    request,
                    deadline_at,
                });
                return Ok(());
            }
        };
        self.push(Event::PermissionDecided {
            attempt,
            no,
            request: Some(request),
            decision,
            by: Decider::Policy { because },
            rules: Vec::new(),
        });
        Ok(())
    }

    pub(super) fn decide_permission(
        &mut self,
        no: u32,
        decision: Decision,
        always: bool,
    ) -> Result<(), Rejection> {
        let (attempt, permission) =
            (self.run.permission(no)).ok_or(Rejection::NoSuchPermission { no })?;
        match &permission.standing {
            Standing::Asked { .. } => {}
            Standing::Decided { .. } => {
                let how = permission.words();
                return Err(Rejection::PermissionDecided { no, how });
            }
            Standing::Withdrawn { .. } => return Err(Rejection::PermissionWithdrawn { no }),
        }
        let then = match decision {
            Decision::Allow => Ruling::Allow,
            Decision::Deny { .. } => Ruling::Deny,
        };
        let role = self.run.tasks()[attempt.task.index()].spec.role();
        let rules = match always {
            true => Rule::like(&permission.request, role.as_deref(), then),
            false => Vec::new(),
        };
        if always && rules.is_empty() {
            return Err(Rejection::NothingAlike { no });
        }
        if self.run.rules.len() + rules.len() > RULES_MAX {
            let limit = format!("{RULES_MAX} rules that were added to one run");
            return Err(Rejection::LimitReached { limit });
        }
        self.push(Event::PermissionDecided {
            attempt,
            no,
            request: None,
            decision,
            by: Decider::Person,
            rules,
        });
        Ok(())
    }

    pub(super) fn expire_permissions(&mut self) {
        let at = self.at;
        let due = |(deadline_at, no, task): &(Time, u32, TaskNo)| {
            let live = self.run.tasks()[task.index()].live()?;
            (*deadline_at <= at).then(|| (self.run.attempt_id(*task, live.number), *no))
        };
        let due: Vec<(AttemptId, u32)> = self.run.asking.iter().map_while(due).collect();
        for (attempt, no) in due {
            self.push(Event::PermissionDecided {
                attempt,
                no,
                request: None,
                decision: Decision::Deny {
                    reason: "nobody answered in time".to_owned(),
                },
                by: Decider::Deadline,
                rules: Vec::new(),
            });
        }
    }

    /// What an agent's own tool denied stands beside what was denied here.
    pub(super) fn note_denied(&mut self, attempt: AttemptId, denied: &[String]) {
        for what in denied.iter().take(DENIED_MAX) {
            let mut request = Request {
                id: String::new(),
                deed: Deed::Other,
                title: what.clone(),
                paths: Vec::new(),
                command: None,
            };
            request.bound();
            self.push(Event::PermissionDecided {
                attempt,
                no: self.run.permissions_asked + 1,
                request: Some(request),
                decision: Decision::Deny {
                    reason: "its own rules do not allow it".to_owned(),
                },
                by: Decider::Agent,
                rules: Vec::new(),
            });
        }
    }
}

fn denial(because: &str) -> Ruled {
    Ruled {
        ruling: Ruling::Deny,
        because: because.to_owned(),
    }
}

impl Run {
    /// A request by its number, and whose it is; of those that are kept.
    #[must_use]
    pub fn permission(&self, no: u32) -> Option<(AttemptId, &Permission)> {
        self.permissions()
            .find(|(_, permission)| permission.no == no)
    }

    /// All requests that are kept, task by task, oldest first.
    pub fn permissions(&self) -> impl Iterator<Item = (AttemptId, &Permission)> {
        self.numbers().flat_map(move |no| {
            let task = &self.tasks[no.index()];
            let ended = task.endings.iter();
            let ended = ended.map(|ending| (ending.number, &ending.permissions));
            let live = task.live().map(|live| (live.number, &live.permissions));
            ended.chain(live).flat_map(move |(number, permissions)| {
                let attempt = self.attempt_id(no, number);
                permissions.iter().map(move |it| (attempt, it))
            })
        })
    }

    /// Requests that wait for a person: whose, and their numbers; the most urgent first.
    pub fn asking(&self) -> impl Iterator<Item = (TaskNo, u32)> + '_ {
        self.asking.iter().map(|(_, no, task)| (*task, *no))
    }

    /// When the first request that waits for a person is denied.
    #[must_use]
    pub fn expires_at(&self) -> Option<Time> {
        self.asking.first().map(|(deadline_at, ..)| *deadline_at)
    }

    /// The rules by which requests are answered: what people added counts first.
    pub fn permission_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().chain(&self.settings.permissions.rules)
    }

    /// The answer to a request of a live attempt, by the id that its adapter gave it.
    #[must_use]
    pub fn answer_to(&self, attempt: AttemptId, id: &str) -> Option<&Decision> {
        let live = self.task(attempt.task)?.live()?;
        let permissions = (live.number == attempt.number).then_some(&live.permissions)?;
        let is_it = |it: &&Permission| it.request.id == id;
        permissions.iter().rev().find(is_it)?.decision()
    }

    pub(super) fn apply_permission(&mut self, at: Time, attempt: AttemptId, event: &Event) {
        if let Event::PermissionAsked { no, .. } | Event::PermissionDecided { no, .. } = event {
            self.permissions_asked = self.permissions_asked.max(*no);
        }
        if let Event::PermissionDecided { rules, .. } = event {
            self.rules.splice(0..0, rules.iter().cloned());
        }
        self.change(attempt.task, |task| {
            let Some(live) = task.live_mut() else { return };
            let kept = &mut live.permissions;
            match event {
                Event::PermissionAsked {
                    no,
                    request,
                    deadline_at,
                    ..
                } => {
                    live.asked += 1;
                    let standing = Standing::Asked {
                        at,
                        deadline_at: *deadline_at,
                    };
                    keep(kept, *no, request, standing);
                }
                Event::PermissionDecided {
                    no,
                    request,
                    decision,
                    by,
                    ..
                } => {
                    let standing = Standing::Decided {
                        at,
                        decision: decision.clone(),
                        by: by.clone(),
                    };
                    match request {
                        Some(request) => {
                            live.asked += 1;
                            keep(kept, *no, request, standing);
                        }
                        None => {
                            if let Some(asked) = kept.iter_mut().find(|it| it.no == *no) {
                                asked.standing = standing;
                            }
                        }
                    }
                }
                _ => {}
            }
        });
    }
}

/// Keeps a request. Where there are too many, the oldest goes that says the least: one that was
/// allowed, then one that was denied. One that waits always stays.
fn keep(kept: &mut Vec<Permission>, no: u32, request: &Request, standing: Standing) {
    if kept.len() >= KEPT_MAX {
        let allowed = |it: &Permission| it.decision().is_some_and(Decision::allows);
        let at = kept.iter().position(allowed);
        let at = at.or_else(|| kept.iter().position(|it| it.deadline_at().is_none()));
        kept.remove(at.expect("fewer wait than are kept"));
    }
    kept.push(Permission {
        no,
        request: request.clone(),
        standing,
    });
}

/// Nobody takes an answer any more.
pub(super) fn withdraw(permissions: &mut [Permission], at: Time) {
    for permission in permissions {
        if permission.deadline_at().is_some() {
            permission.standing = Standing::Withdrawn { at };
        }
    }
}
