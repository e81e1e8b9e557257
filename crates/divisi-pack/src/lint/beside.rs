//! Tasks that may run side by side: whether they change the same files, and whether those that are
//! put together later know how they meet.

use std::collections::{HashMap, HashSet};

use divisi_core::TaskKind;
use divisi_core::plan::Input;

use super::meet::Paths;
use super::{Linter, is_agents};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::pattern::is_literal;
use crate::plan_file::Order;

/// So many pairs of patterns are compared: those of two hundred tasks with three patterns each.
/// Nobody reads a plan that has more, and each pair takes a microsecond or two.
const PAIRS_MAX: usize = 200_000;

/// So many tasks that one task puts together are looked at in pairs.
const JOINED_MAX: usize = 100;

pub(super) fn check(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    overlaps(linter, faults);
    seams(linter, faults);
}

/// What a task may change.
struct Touched<'l> {
    task: usize,
    pattern: &'l str,
    paths: Paths,
    /// It is a promised file, of which reading already says that two promise it.
    promised: bool,
}

/// Tasks that may change one file though neither waits for the other.
fn overlaps(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let mut order = Order::of(linter.plan, linter.graph);
    let mut told = HashSet::new();
    let mut tell = |one: &Touched<'_>, other: &Touched<'_>, faults: &mut Faults<'_>| {
        let (before, after) = match order.place(one.task) < order.place(other.task) {
            true => (one, other),
            false => (other, one),
        };
        let is_new = told.insert((before.task, after.task));
        if is_new && !order.is_before(before.task, after.task) {
            overlap(linter, before, after, faults);
        }
    };
    let mut literal: HashMap<&str, Vec<Touched<'_>>> = HashMap::new();
    let mut patterns = Vec::new();
    for touched in touched(linter) {
        match is_literal(touched.pattern) {
            true => literal.entry(touched.pattern).or_default().push(touched),
            false => patterns.push(touched),
        }
    }
    let mut paths: Vec<&&str> = literal.keys().collect();
    paths.sort_unstable();
    for path in &paths {
        for pair in literal[**path].windows(2) {
            let [one, other] = pair else { continue };
            if one.task != other.task && !(one.promised && other.promised) {
                tell(one, other, faults);
            }
        }
    }
    let mut pairs = 0;
    for (at, one) in patterns.iter().enumerate() {
        let files = paths.iter().flat_map(|path| &literal[**path]);
        for other in patterns[at + 1..].iter().chain(files) {
            pairs += 1;
            if pairs > PAIRS_MAX {
                return;
            }
            if one.task != other.task && one.paths.may_meet(&other.paths) {
                tell(one, other, faults);
            }
        }
    }
}

/// All that tasks may change, in the topological order of the tasks.
fn touched<'l>(linter: &Linter<'l>) -> impl Iterator<Item = Touched<'l>> {
    let tasks = &linter.plan.tasks;
    linter.graph.order.iter().flat_map(move |&task| {
        let task = task as usize;
        let scope = tasks[task].scope.iter().map(move |pattern| Touched {
            task,
            pattern,
            paths: Paths::of(pattern),
            promised: false,
        });
        let promised = tasks[task].deliverables.iter().map(move |it| Touched {
            task,
            pattern: &it.path,
            paths: Paths::of(&it.path),
            promised: true,
        });
        promised.chain(scope)
    })
}

fn overlap(
    linter: &Linter<'_>,
    before: &Touched<'_>,
    after: &Touched<'_>,
    faults: &mut Faults<'_>,
) {
    let name = |touched: &Touched<'_>| shown(linter.plan.tasks[touched.task].id.as_str());
    let (one, two) = (name(before), name(after));
    let what = match before.pattern == after.pattern {
        true => shown(before.pattern),
        false => format!("{} and {}", shown(before.pattern), shown(after.pattern)),
    };
    faults
        .warning(codes::LINT_OVERLAP, linter.spans[after.task].id, || {
            format!("{one} and {two} may run at once, and both may change {what}")
        })
        .hint(format!(
            "let {two} wait: add {one} to its `dependencies`; or give each files of its own"
        ));
}

/// Tasks that are put together later, and have nothing that says how they meet.
fn seams(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let mut order = Order::of(linter.plan, linter.graph);
    let mut told = HashSet::new();
    for &joining in &linter.graph.order {
        let joining = joining as usize;
        let parts = linter.graph.dependencies[joining].iter();
        let parts: Vec<usize> = parts.map(|&part| part as usize).collect();
        let mut parts: Vec<usize> = parts
            .into_iter()
            .filter(|&it| is_part(linter, it))
            .collect();
        parts.sort_unstable_by_key(|&part| order.place(part));
        parts.truncate(JOINED_MAX);
        let pairs = parts.iter().enumerate();
        let pairs = pairs.flat_map(|(at, one)| parts[at + 1..].iter().map(move |two| (*one, *two)));
        for (one, two) in pairs {
            if shares(linter, one, two) || order.is_before(one, two) || !told.insert((one, two)) {
                continue;
            }
            let name = |task: usize| shown(linter.plan.tasks[task].id.as_str());
            let (one_name, two_name, joining) = (name(one), name(two), name(joining));
            faults
                .warning(codes::LINT_SEAM, linter.spans[two].id, || {
                    format!("{one_name} and {two_name} meet in {joining}, and nothing says how")
                })
                .hint("let a task before both write the API, schema or file on which they meet, and give it to both as an input");
            // One is enough to see what is missing.
            break;
        }
    }
}

/// Whether the task is an agent's and makes a part of something.
fn is_part(linter: &Linter<'_>, task: usize) -> bool {
    let task = &linter.plan.tasks[task];
    task.kind == TaskKind::Work && is_agents(task)
}

/// Whether both wait for one task, or take one file.
fn shares(linter: &Linter<'_>, one: usize, two: usize) -> bool {
    let needs: HashSet<u32> = linter.graph.dependencies[one].iter().copied().collect();
    let waits = linter.graph.dependencies[two].iter();
    if waits.into_iter().any(|on| needs.contains(on)) {
        return true;
    }
    let paths = |task: usize| {
        let inputs = linter.plan.tasks[task].inputs.iter();
        inputs.filter_map(|input| match input {
            Input::Path(path) => Some(path.as_str()),
            Input::Task(_) => None,
        })
    };
    let taken: HashSet<&str> = paths(one).collect();
    paths(two).any(|path| taken.contains(path))
}
