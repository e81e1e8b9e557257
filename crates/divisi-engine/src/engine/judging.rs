//! Judging criteria on a tree: what files tell, and what programs say in a clean checkout of it.

use divisi_core::criterion::{Cost, Outcome, Verdict};
use divisi_core::receipt::Exit;
use divisi_core::{AttemptId, Commit, Criterion, Tree};

use super::input::Failed;
use super::preparation::{Preparing, failed};
use super::programs::{InCheckout, Unprepared};
use super::shell::Shell;
use crate::checks::{Programs, evaluate};
use crate::files::Files;
use crate::workspace::{Checkout, Pool};
use divisi_core::diagnostic::chain;

/// A tree on which criteria are judged; programs run in a clean checkout of it.
pub(super) struct Judging<'a> {
    pub(super) shell: &'a Shell,
    pub(super) preparing: &'a Preparing,
    pub(super) tree: &'a Tree,
    /// The commit with that tree.
    pub(super) commit: &'a Commit,
    /// What it came from, whose checkouts can be prepared.
    pub(super) base: &'a Commit,
}

/// What is judged.
pub(super) struct Asked<'a> {
    pub(super) attempt: AttemptId,
    pub(super) criteria: &'a [Criterion],
    /// The numbers of the criteria where they are not all of the attempt's, in order.
    pub(super) numbers: Option<&'a [usize]>,
    pub(super) exit: Option<(&'a Exit, &'a [i32])>,
    pub(super) passed_before: &'a [u16],
}

impl Judging<'_> {
    pub(super) fn verdicts(
        &self,
        asked: &Asked<'_>,
        files: &dyn Files,
    ) -> Result<Vec<Verdict>, Failed> {
        let needs_checkout = asked
            .criteria
            .iter()
            .any(|criterion| criterion.cost() == Cost::Program);
        let checkout = match needs_checkout {
            false => None,
            true => Some(self.checkout(asked.attempt)?),
        };
        let programs: Box<dyn Programs + '_> = match &checkout {
            Some(Ok(checkout)) => Box::new(InCheckout {
                shell: self.shell,
                attempt: asked.attempt,
                numbers: asked.numbers,
                checkout: checkout.path(),
            }),
            Some(Err(cause)) => Box::new(Unprepared(cause.clone())),
            None => Box::new(Unprepared("no criterion needs one".to_owned())),
        };
        let (criteria, passed_before) = (asked.criteria, asked.passed_before);
        let verdicts = evaluate(
            criteria,
            asked.exit,
            files,
            programs.as_ref(),
            passed_before,
        );
        verdicts.map_err(|error| Failed::Ours(chain(&error)))
    }

    /// A checkout prepared as workspaces are; or why it cannot be, because of what is judged.
    pub(super) fn checkout(&self, attempt: AttemptId) -> Result<Result<Checkout, String>, Failed> {
        let pool = self.shell.pool()?;
        let head = Some(self.commit);
        let provided = self.shell.provide(self.preparing, attempt, self.tree, head);
        let provided = match provided {
            Err(Failed::Setup(cause)) => return self.blame(&pool, attempt, cause).map(Err),
            provided => provided?,
        };
        let checkout = pool.checkout_with(self.tree, head, provided.given());
        checkout.map(Ok).map_err(failed)
    }

    /// A setup failed on what is judged. If it depends on nothing that differs from the base, or
    /// fails there too by now, that is a fault of the run's; otherwise this is the reason why the
    /// programs of checks cannot run.
    fn blame(&self, pool: &Pool, attempt: AttemptId, cause: String) -> Result<String, Failed> {
        let base = pool.repo().tree_of(self.base).map_err(failed)?;
        let key = self.preparing.key(pool, self.tree)?;
        if key == self.preparing.key(pool, &base)? {
            return Err(Failed::Setup(cause));
        }
        // Another try may find what failed on the way mended: it is not remembered.
        key.iter()
            .for_each(|key| self.shell.setups.forget_failure(key));
        let (shell, preparing) = (self.shell, self.preparing);
        shell.set_up_again(preparing, attempt, &base, Some(self.base))?;
        Ok(cause)
    }
}

/// Whether a criterion of a task can be judged again on a tree that holds more than its own work.
fn holds_on_the_whole(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::ExitStatus | Criterion::Plain { .. } | Criterion::Scope { .. } => false,
        // What was changed is told by what its task began from, which the whole did not.
        Criterion::Changed { .. } => false,
        // What it cites stood there when it was written; others may have moved it since.
        Criterion::Cites { .. } => false,
        Criterion::File { .. }
        | Criterion::Contains { .. }
        | Criterion::Lacks { .. }
        | Criterion::Matches { .. }
        | Criterion::Section { .. }
        | Criterion::Format { .. }
        | Criterion::Schema { .. }
        | Criterion::Command { .. }
        | Criterion::Count { .. }
        | Criterion::Each { .. } => true,
    }
}

impl Judging<'_> {
    /// Judges a task's criteria on a tree beyond its own; only failures are returned.
    pub(super) fn failures(
        &self,
        attempt: AttemptId,
        criteria: &[Criterion],
    ) -> Result<Vec<Verdict>, Failed> {
        let (shell, tree) = (self.shell, self.tree);
        let mut failures = Vec::new();
        let mut open = Vec::new();
        for (at, criterion) in criteria
            .iter()
            .enumerate()
            .filter(|(_, c)| holds_on_the_whole(c))
        {
            match shell.known_verdict(tree, criterion) {
                Some(verdict) if verdict.outcome == Outcome::Pass => {}
                Some(verdict) => failures.push(Verdict {
                    criterion: at as u16,
                    ..verdict
                }),
                None => open.push(at),
            }
        }
        if open.is_empty() {
            return Ok(failures);
        }
        let pool = shell.pool()?;
        let files = pool.repo().files(tree, None).map_err(failed)?;
        let criteria: Vec<Criterion> = open.iter().map(|at| criteria[*at].clone()).collect();
        let asked = Asked {
            attempt,
            criteria: &criteria,
            numbers: Some(&open),
            exit: None,
            passed_before: &[],
        };
        let verdicts = self.verdicts(&asked, &files)?;
        shell.keep_verdicts(tree, &criteria, &verdicts);
        let renumbered = verdicts
            .into_iter()
            .zip(&open)
            .map(|(verdict, at)| Verdict {
                criterion: *at as u16,
                ..verdict
            });
        failures.extend(renumbered.filter(|verdict| verdict.outcome == Outcome::Fail));
        Ok(failures)
    }
}
