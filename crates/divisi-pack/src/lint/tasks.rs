//! What each task must be by itself: in one role, with inputs that are there, with a result that
//! somebody can read, and small.

use std::collections::HashMap;

use divisi_core::criterion::of_scope;
use divisi_core::plan::Input;
use divisi_core::{Criterion, TaskKind, TaskSpec};

use super::is_agents;
use super::meet::{Paths, may_meet};
use super::{Author, Linter};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::pattern::is_literal;
use crate::plan_file::Order;
use crate::role::Role;

/// So many times a scope is compared with a path that nobody promises. Plans that somebody reads
/// need some hundred.
const SCOPES_COMPARED_MAX: usize = 100_000;

pub(super) fn check(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let mut inputs = Inputs::of(linter);
    for (at, task) in linter.plan.tasks.iter().enumerate() {
        if is_agents(task) {
            role(linter, at, task, faults);
            result(linter, at, task, faults);
            checked(linter, at, task, faults);
            size(linter, at, task, faults);
        }
        changes(linter, at, task, faults);
        inputs.check(at, task, faults);
    }
}

/// What is to be changed may be: it is among what the task's scope names, if it has one, and not what
/// must stay as it is.
fn changes(linter: &Linter<'_>, at: usize, task: &TaskSpec, faults: &mut Faults<'_>) {
    let bounds = task.criteria.iter().filter_map(|it| match it {
        Criterion::Scope { patterns } => Some(of_scope(patterns)),
        _ => None,
    });
    let bounds: Vec<_> = bounds.collect();
    let promised = task.deliverables.iter().map(|it| it.path.as_str());
    let affected = task.scope.iter().map(String::as_str);
    let named: Vec<&str> = affected
        .chain(promised.filter(|_| !task.scope.is_empty()))
        .collect();
    let meets = |within: &[&str], pattern: &str| {
        within.is_empty() || within.iter().any(|it| may_meet(it, pattern))
    };
    for criterion in &task.criteria {
        let Criterion::Changed { pattern } = criterion else {
            continue;
        };
        let is_spared = |spared: &[&str]| {
            is_literal(pattern) && { spared.iter().any(|it| may_meet(it, pattern)) }
        };
        let may = |(within, spared): &(Vec<&str>, Vec<&str>)| {
            meets(within, pattern) && !is_spared(spared)
        };
        if meets(&named, pattern) && bounds.iter().all(may) {
            continue;
        }
        faults
            .error(codes::LINT_CHANGE_OUTSIDE, linter.spans[at].id, || {
                let (id, pattern) = (shown(task.id.as_str()), shown(pattern));
                format!("{id} is to change {pattern}, which is outside of what it may change")
            })
            .hint("add it to `files_affected` and to the criterion `scope`, or leave the criterion out");
    }
}

/// One role that there is.
fn role(linter: &Linter<'_>, at: usize, task: &TaskSpec, faults: &mut Faults<'_>) {
    let place = linter.spans[at].id;
    let id = || shown(task.id.as_str());
    let Some(role) = task.role() else {
        faults
            .error(codes::LINT_ROLE_NONE, place, || format!("{} has no role", id()))
            .hint("name its domain as `assigned_to` and its function as `worker_type`: `divisi roles`");
        return;
    };
    let Some(roles) = linter.given.roles else {
        return;
    };
    let (domain, function) = (task.domain.as_deref(), task.function.as_deref());
    if roles.of_task(domain, function).is_none() {
        let meant = [function, domain].into_iter().flatten();
        let meant = meant.filter_map(|name| roles.get(name).or(roles.get(roles.nearest(name)?)));
        // As a plan has to write it, which is not the name that `divisi roles` lists.
        let pair = |role: &Role| match role.names_of_tasks() {
            (Some(domain), Some(function)) => format!("{domain}/{function}"),
            _ => role.id.clone(),
        };
        let meant = meant.map(pair).next();
        let told = faults.error(codes::LINT_ROLE_UNKNOWN, place, || {
            format!(
                "{} is for the role {}, which there is not",
                id(),
                shown(&role)
            )
        });
        told.meant(meant.as_deref()).hint(
            "write domain and function as `assigned_to` and `worker_type`; see which there are: `divisi roles show NAME`",
        );
    }
}

/// What was found out or judged must stand somewhere.
fn result(linter: &Linter<'_>, at: usize, task: &TaskSpec, faults: &mut Faults<'_>) {
    let what = match task.kind {
        TaskKind::Research | TaskKind::Review => Some("learns what it found"),
        TaskKind::Compose if is_agents(task) => Some("gets what it puts together"),
        _ => None,
    };
    if let Some(what) = what
        && task.deliverables.is_empty()
    {
        faults
            .error(codes::LINT_RESULT_NONE, linter.spans[at].id, || {
                let id = shown(task.id.as_str());
                format!("{id} promises no file, so nobody {what}")
            })
            .hint(
                "promise a file in `deliverables`, and let those who need it take it as an input",
            );
    }
}

/// What an agent planned for agents a program can find not done. Reading a plan only warns of that:
/// whoever writes one may mean to look at it.
fn checked(linter: &Linter<'_>, at: usize, task: &TaskSpec, faults: &mut Faults<'_>) {
    let is_checked = task.criteria.iter().any(Criterion::is_falsifiable);
    if is_checked || linter.given.author != Author::Agent || task.kind == TaskKind::Approval {
        return;
    }
    faults
        .error(codes::UNFALSIFIABLE, linter.spans[at].id, || {
            format!("no program can find {} not done", shown(task.id.as_str()))
        })
        .hint("promise a file in `deliverables`, or add to `criteria` what a program can check");
}

/// Small enough to be judged in one piece.
fn size(linter: &Linter<'_>, at: usize, task: &TaskSpec, faults: &mut Faults<'_>) {
    let place = linter.spans[at].id;
    let id = || shown(task.id.as_str());
    let estimate = &task.estimate;
    let most = estimate.duration_max_ms.or(estimate.duration_ms);
    let most = most.unwrap_or_default();
    let tokens = estimate.tokens.unwrap_or_default();
    let sizes = &linter.given.sizes;
    let (tokens_max, files_max) = (sizes.task_tokens_max, sizes.task_files_max);
    if most > sizes.task_ms_max {
        let (minutes, max) = (most.div_ceil(60_000), sizes.task_ms_max.div_ceil(60_000));
        faults
            .error(codes::LINT_TASK_LARGE, place, || {
                format!(
                    "{} is expected to take {minutes} minutes, more than {max}",
                    id()
                )
            })
            .hint(SPLIT);
    } else if most > sizes.task_advised_ms {
        let (minutes, max) = (
            most.div_ceil(60_000),
            sizes.task_advised_ms.div_ceil(60_000),
        );
        faults
            .warning(codes::LINT_TASK_LONG, place, || {
                format!(
                    "{} may take {minutes} minutes, more than the advised {max}",
                    id()
                )
            })
            .hint(SPLIT);
    }
    if tokens > tokens_max {
        faults
            .error(codes::LINT_TASK_LARGE, place, || {
                format!(
                    "{} is expected to take {tokens} tokens, more than {tokens_max}",
                    id()
                )
            })
            .hint(SPLIT);
    }
    let files = files(std::iter::once(task));
    if files > files_max {
        faults
            .error(codes::LINT_TASK_FILES, place, || {
                format!("{} changes {files} files, more than {files_max}", id())
            })
            .hint(SPLIT);
    }
}

const SPLIT: &str = "make two tasks of it, each with criteria of its own";

/// How many files tasks name that they make or change. What a pattern matches is not known.
pub(super) fn files<'t>(tasks: impl Iterator<Item = &'t TaskSpec>) -> u64 {
    let of = |task: &'t TaskSpec| {
        let scope = task.scope.iter().filter(|it| is_literal(it));
        scope.chain(task.deliverables.iter().map(|it| &it.path))
    };
    let mut named: Vec<&String> = tasks.flat_map(of).collect();
    named.sort_unstable();
    named.dedup();
    named.len() as u64
}

/// Where inputs come from.
struct Inputs<'l> {
    linter: &'l Linter<'l>,
    order: Order<'l>,
    tasks: HashMap<&'l str, &'l TaskSpec>,
    /// Who promises a path, and which are scopes to the letter.
    makers: HashMap<&'l str, Vec<usize>>,
    /// Scopes that are patterns.
    scopes: Vec<(usize, Paths)>,
    compared: usize,
}

impl<'l> Inputs<'l> {
    fn of(linter: &'l Linter<'l>) -> Inputs<'l> {
        let mut makers: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut scopes = Vec::new();
        for (at, task) in linter.plan.tasks.iter().enumerate() {
            for deliverable in &task.deliverables {
                makers.entry(&deliverable.path).or_default().push(at);
            }
            for pattern in &task.scope {
                match is_literal(pattern) {
                    true => makers.entry(pattern).or_default().push(at),
                    false => scopes.push((at, Paths::of(pattern))),
                }
            }
        }
        let tasks = linter.plan.tasks.iter();
        Inputs {
            linter,
            order: Order::of(linter.plan, linter.graph),
            tasks: tasks.map(|task| (task.id.as_str(), task)).collect(),
            makers,
            scopes,
            compared: 0,
        }
    }

    fn check(&mut self, at: usize, task: &TaskSpec, faults: &mut Faults<'_>) {
        if task.kind == TaskKind::External {
            return;
        }
        for (input, place) in task.inputs.iter().zip(&self.linter.spans[at].inputs) {
            let place = *place as usize;
            match input {
                Input::Task(of) => self.promised(of.as_str(), task, place, faults),
                Input::Path(path) => self.path(at, task, path, place, faults),
            }
        }
    }

    /// An input that is a task has something to give.
    fn promised(&self, of: &str, task: &TaskSpec, place: usize, faults: &mut Faults<'_>) {
        let Some(maker) = self.tasks.get(of) else {
            return;
        };
        if is_agents(maker) && maker.deliverables.is_empty() {
            faults
                .warning(codes::LINT_INPUT_NOTHING, place, || {
                    let (id, of) = (shown(task.id.as_str()), shown(of));
                    format!("{id} takes what {of} promises, and that promises no file")
                })
                .hint(format!(
                    "promise one in {}, or make it a dependency",
                    shown(of)
                ));
        }
    }

    /// A path is there, or is made before.
    fn path(
        &mut self,
        at: usize,
        task: &TaskSpec,
        path: &str,
        place: usize,
        faults: &mut Faults<'_>,
    ) {
        let makers = self.makers.get(path).cloned().unwrap_or_default();
        if self.is_there(path) || self.is_made(&makers, at) {
            return;
        }
        let id = || shown(task.id.as_str());
        if let Some(maker) = makers.iter().find(|maker| **maker != at) {
            let maker = shown(self.linter.plan.tasks[*maker].id.as_str());
            faults
                .error(codes::LINT_INPUT_EARLY, place, || {
                    format!(
                        "{} takes {}, and does not wait for {maker}, which makes it",
                        id(),
                        shown(path)
                    )
                })
                .hint(format!("name {maker} as the input instead"));
            return;
        }
        // Without the files nobody knows what is there.
        if self.linter.given.files.is_none() || self.may_be_made(path, at) {
            return;
        }
        let files = self.linter.given.files.unwrap_or_default();
        let meant = faults.nearest(path, files.iter().map(String::as_str));
        faults
            .error(codes::LINT_INPUT_ABSENT, place, || {
                format!(
                    "{} takes {}, which is not there and which no task makes",
                    id(),
                    shown(path)
                )
            })
            .meant(meant);
    }

    /// Whether the project has the file, or a folder of this name.
    fn is_there(&self, path: &str) -> bool {
        let files = self.linter.given.files.unwrap_or_default();
        let at = files.partition_point(|file| file.as_str() < path);
        let is_or_holds = |file: &String| {
            let rest = file.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let from = files[at..].iter();
        let mut beginning = from.take_while(|file| file.starts_with(path));
        beginning.any(is_or_holds)
    }

    fn is_made(&mut self, makers: &[usize], task: usize) -> bool {
        makers.iter().any(|&maker| self.is_earlier(maker, task))
    }

    fn is_earlier(&mut self, maker: usize, task: usize) -> bool {
        self.order.place(maker) < self.order.place(task) && self.order.is_before(maker, task)
    }

    /// Whether it lies in what an earlier task may change.
    fn may_be_made(&mut self, path: &str, task: usize) -> bool {
        let paths = Paths::of(path);
        for (maker, scope) in &self.scopes {
            self.compared += 1;
            if self.compared > SCOPES_COMPARED_MAX {
                return true;
            }
            let is_earlier = self.order.place(*maker) < self.order.place(task);
            if is_earlier && scope.may_meet(&paths) && self.order.is_before(*maker, task) {
                return true;
            }
        }
        false
    }
}
