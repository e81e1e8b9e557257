//! Turns the core's faults about a plan's structure into diagnostics that point at the text.
//!
//! What a sound structure is, the core alone decides; here stands only where and how to say it.

use std::collections::{HashMap, HashSet};

use divisi_core::plan::{Deliverable, Fault, Graph, Input};
use divisi_core::{Plan, TaskId};

use super::task::Spans;
use crate::codes;
use crate::faults::{Faults, shown};

/// How many tasks of a cycle are named; the first ones show where to cut.
const CYCLE_SHOWN_MAX: usize = 8;

/// So many dependencies are followed to find out whether tasks that promise one file wait for each
/// other: a moment's work, and more than any plan that somebody wrote needs.
const ORDER_STEPS_MAX: usize = 10_000_000;

/// Where the stages' tasks stand, as byte offsets: for each stage, one for each task.
#[derive(Default)]
pub(crate) struct StageSpans {
    pub(crate) tasks: Vec<Vec<u32>>,
}

/// Collects all faults of the plan's structure. `at` is where its list of tasks starts.
pub(crate) fn check_structure(
    plan: &Plan,
    at: usize,
    tasks: &[Spans],
    stages: &StageSpans,
    faults: &mut Faults<'_>,
) {
    let found = match plan.graph() {
        Ok(graph) => return check_promised(plan, &graph, tasks, faults),
        Err(found) => found,
    };
    let later = |fault: &Fault| match fault {
        Fault::DuplicateId { tasks, .. } => Some(tasks.1),
        _ => None,
    };
    let teller = Teller {
        plan,
        at,
        tasks,
        stages,
        duplicates: found.iter().filter_map(later).collect(),
    };
    for fault in &found {
        if teller.is_consequence(fault) {
            continue;
        }
        if faults.is_full() {
            faults.count_error();
        } else {
            teller.tell(fault, faults);
        }
    }
}

/// Two tasks that promise one file though neither waits for the other. Changes of different lines are
/// merged, so it is no fault; but of two that write it whole, one is all that is left. A task may well
/// rewrite what one before it made.
fn check_promised(plan: &Plan, graph: &Graph, tasks: &[Spans], faults: &mut Faults<'_>) {
    let mut owners: HashMap<&str, usize> = HashMap::new();
    let mut order = Order::of(plan, graph);
    for &task in &graph.order {
        let task = task as usize;
        for Deliverable { path } in &plan.tasks[task].deliverables {
            let Some(before) = owners.insert(path, task).filter(|before| *before != task) else {
                continue;
            };
            if order.is_before(before, task) {
                continue;
            }
            let name = |task: usize| shown(plan.tasks[task].id.as_str());
            let (one, two) = (before.min(task), before.max(task));
            faults
                .warning(codes::SAME_FILE, tasks[two].id, || {
                    let (one, two) = (name(one), name(two));
                    format!("{one} and {two} both promise {}", shown(path))
                })
                .hint("give one of the two another path, or let one depend on the other");
        }
    }
}

/// Which tasks wait for which, through others, too.
pub(crate) struct Order<'g> {
    graph: &'g Graph,
    has_stages: bool,
    /// Where each task stands in the topological order.
    places: Vec<usize>,
    /// The search that last met each task.
    met: Vec<usize>,
    searches: usize,
    steps_left: usize,
}

impl<'g> Order<'g> {
    pub(crate) fn of(plan: &Plan, graph: &'g Graph) -> Order<'g> {
        let mut places = vec![0; graph.order.len()];
        for (place, task) in graph.order.iter().enumerate() {
            places[*task as usize] = place;
        }
        Order {
            graph,
            has_stages: !plan.stages.is_empty(),
            met: vec![0; places.len()],
            places,
            searches: 0,
            steps_left: ORDER_STEPS_MAX,
        }
    }

    /// Where a task stands in the topological order.
    pub(crate) fn place(&self, task: usize) -> usize {
        self.places[task]
    }

    /// Whether `task` waits for `before`, which stands earlier in the order. Where that takes too
    /// long to find out, it is taken to.
    pub(crate) fn is_before(&mut self, before: usize, task: usize) -> bool {
        if self.has_stages && self.graph.stage[before] != self.graph.stage[task] {
            return true;
        }
        self.searches += 1;
        let mut worklist = vec![task];
        while let Some(task) = worklist.pop() {
            for &on in &self.graph.dependencies[task] {
                let on = on as usize;
                if on == before || self.steps_left == 0 {
                    return true;
                }
                self.steps_left -= 1;
                if self.places[on] > self.places[before] && self.met[on] != self.searches {
                    self.met[on] = self.searches;
                    worklist.push(on);
                }
            }
        }
        false
    }
}

struct Teller<'p> {
    plan: &'p Plan,
    at: usize,
    tasks: &'p [Spans],
    stages: &'p StageSpans,
    /// The later tasks of those that share an id.
    duplicates: HashSet<usize>,
}

impl Teller<'_> {
    /// Whether a fault only follows from another one: the task has no usable id, or the stages
    /// can only name the first of those that share it.
    fn is_consequence(&self, fault: &Fault) -> bool {
        match fault {
            Fault::DuplicateId { tasks, .. } => !self.tasks[tasks.1].named,
            Fault::InNoStage { task } => !self.tasks[*task].named || self.duplicates.contains(task),
            // Reading has said so, where it stands.
            Fault::Candidates { .. } => true,
            _ => false,
        }
    }

    fn tell(&self, fault: &Fault, faults: &mut Faults<'_>) {
        match fault {
            Fault::Empty => {
                faults
                    .error(codes::EMPTY, self.at, || "there is no subtask".to_owned())
                    .hint("a plan has at least one task");
            }
            Fault::TooMany => {
                faults
                    .error(codes::TOO_LARGE, self.at, || self.plan.words(fault))
                    .hint("break the request down into several runs");
            }
            Fault::DuplicateId { id, tasks } => {
                let line = faults.line(self.tasks[tasks.0].id);
                faults
                    .error(codes::DUPLICATE_ID, self.tasks[tasks.1].id, || {
                        format!("two tasks have the id {}", shown(id.as_str()))
                    })
                    .hint(format!("the first one stands in line {line}"));
            }
            Fault::UnknownDependency {
                task,
                dependency,
                id,
            } => {
                let at = self
                    .references(*task)
                    .nth(*dependency)
                    .map_or(self.at, |r| r.0);
                self.unknown_id(at, id, faults);
            }
            Fault::UnknownInStage { stage, id } => {
                let at = self.stage_span(*stage, id, Occurrence::First);
                self.unknown_id(at, id, faults);
            }
            Fault::Candidates { task, cause } => {
                let at = self.tasks[*task].id;
                faults.error(codes::CONFLICT, at, || (*cause).to_owned());
            }
            Fault::Cycle(cycle) => self.cycle(cycle, faults),
            Fault::TwiceInStages { stage, id } => {
                let at = self.stage_span(*stage, id, Occurrence::Last);
                faults.error(codes::STAGE_TWICE, at, || {
                    format!("the task {} already stands in a stage", shown(id.as_str()))
                });
            }
            Fault::InNoStage { task } => {
                faults
                    .error(codes::STAGE_MISSING, self.tasks[*task].id, || {
                        format!("the task {} stands in no stage", self.name(*task))
                    })
                    .hint("`execution_plan` names every task, or is left out");
            }
            Fault::DependencyInStage {
                task,
                dependency,
                same,
            } => {
                let Some((at, Some(on))) = self.references(*task).nth(*dependency) else {
                    unreachable!("the core names a reference to a task");
                };
                let on = shown(on.as_str());
                let name = self.name(*task);
                let which = if *same {
                    "its own stage"
                } else {
                    "a later stage"
                };
                faults
                    .error(codes::STAGE_ORDER, at, || {
                        format!("{name} depends on {on}, which stands in {which}")
                    })
                    .hint(format!("move {name} to a stage after that of {on}"));
            }
        }
    }

    fn name(&self, task: usize) -> String {
        shown(self.plan.tasks[task].id.as_str())
    }

    fn unknown_id(&self, at: usize, id: &TaskId, faults: &mut Faults<'_>) {
        let known = self.plan.tasks.iter().zip(self.tasks);
        let known = known.filter(|(_, spans)| spans.named);
        let meant = faults.nearest(id.as_str(), known.map(|(task, _)| task.id.as_str()));
        faults
            .error(codes::UNKNOWN_ID, at, || {
                format!("no task has the id {}", shown(id.as_str()))
            })
            .meant(meant);
    }

    fn cycle(&self, cycle: &[usize], faults: &mut Faults<'_>) {
        let (first, second) = (cycle[0], cycle[1 % cycle.len()]);
        let at = self.reference(first, second);
        let names = cycle.iter().take(CYCLE_SHOWN_MAX);
        let mut path: Vec<String> = names
            .map(|&task| self.plan.tasks[task].id.to_string())
            .collect();
        if let Some(hidden) = cycle.len().checked_sub(CYCLE_SHOWN_MAX + 1) {
            path.push(format!("({} more)", hidden + 1));
        }
        path.push(self.plan.tasks[first].id.to_string());
        faults
            .error(codes::CYCLE, at, || match cycle.len() {
                1 => format!("a task waits for itself: {}", path.join(" → ")),
                _ => format!("tasks wait for each other: {}", path.join(" → ")),
            })
            .hint("take one of these dependencies out");
    }

    /// Where a task names others, and which: its dependencies, then its inputs, of which paths
    /// name none.
    fn references(&self, task: usize) -> impl Iterator<Item = (usize, Option<&TaskId>)> {
        let (spec, spans) = (&self.plan.tasks[task], &self.tasks[task]);
        let dependencies = spec.dependencies.iter().map(Some);
        let inputs = spec.inputs.iter().map(|input| match input {
            Input::Task(id) => Some(id),
            Input::Path(_) => None,
        });
        let places = spans.dependencies.iter().chain(&spans.inputs);
        places
            .map(|&at| at as usize)
            .zip(dependencies.chain(inputs))
    }

    /// Where a task names another.
    fn reference(&self, task: usize, other: usize) -> usize {
        let id = &self.plan.tasks[other].id;
        let found = self.references(task).find(|(_, named)| *named == Some(id));
        found.map_or(self.tasks[task].id, |(at, _)| at)
    }

    fn stage_span(&self, stage: usize, id: &TaskId, occurrence: Occurrence) -> usize {
        let tasks = &self.plan.stages[stage].tasks;
        let place = match occurrence {
            Occurrence::First => tasks.iter().position(|task| task == id),
            Occurrence::Last => tasks.iter().rposition(|task| task == id),
        };
        place.map_or(self.at, |place| self.stages.tasks[stage][place] as usize)
    }
}

#[derive(Clone, Copy)]
enum Occurrence {
    First,
    Last,
}
