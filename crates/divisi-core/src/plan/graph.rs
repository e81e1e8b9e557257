//! A plan's structure: proven sound, or with every fault named at once.

use std::collections::HashMap;

use super::{Input, Plan, TASKS_MAX, count};
use crate::ids::TaskId;

/// Why a set of tasks is not a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no task.
    Empty,
    /// It has more tasks than [`TASKS_MAX`].
    TooMany,
    /// Two tasks have one id.
    DuplicateId {
        /// The id.
        id: TaskId,
        /// Indexes of the first and of the later one.
        tasks: (usize, usize),
    },
    /// A dependency (or input) names no task.
    UnknownDependency {
        /// Index of the task that names it.
        task: usize,
        /// Its place among the task's dependencies, or, counted on from there, among its inputs.
        dependency: usize,
        /// The id that is not there.
        id: TaskId,
    },
    /// Tasks wait for each other; the indexes follow the cycle.
    Cycle(Vec<usize>),
    /// A stage names a task that is not there.
    UnknownInStage {
        /// The stage's index.
        stage: usize,
        /// The id.
        id: TaskId,
    },
    /// A task stands in two stages, or twice in one.
    TwiceInStages {
        /// Index of the later stage.
        stage: usize,
        /// The id.
        id: TaskId,
    },
    /// A task stands in no stage though the plan has stages.
    InNoStage {
        /// The task's index.
        task: usize,
    },
    /// A task depends on one of its own stage or of a later one, or takes its deliverables.
    DependencyInStage {
        /// The task's index.
        task: usize,
        /// Its place among the task's dependencies, or, counted on from there, among its inputs.
        dependency: usize,
        /// The dependency is in the same stage, otherwise in a later one.
        same: bool,
    },
    /// A task cannot be solved several times as it says.
    Candidates {
        /// The task's index.
        task: usize,
        /// Why.
        cause: &'static str,
    },
}

/// The plan's structure by index, as [`Plan::graph`] proves it sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// For each task, the tasks it depends on, without repeats.
    pub dependencies: Vec<Vec<u32>>,
    /// A topological order.
    pub order: Vec<u32>,
    /// For each task, its stage from 0: the authored one, or its level in the DAG.
    pub stage: Vec<u32>,
}

impl Plan {
    /// Proves the plan's structure, or names every fault at once.
    ///
    /// Linear in tasks and edges.
    ///
    /// # Errors
    /// All faults; a cycle is reported once for each strongly connected knot.
    pub fn graph(&self) -> Result<Graph, Vec<Fault>> {
        let mut faults = Vec::new();
        if self.tasks.is_empty() {
            return Err(vec![Fault::Empty]);
        }
        if count(&self.tasks) > TASKS_MAX {
            return Err(vec![Fault::TooMany]);
        }
        let mut index: HashMap<&TaskId, u32> = HashMap::with_capacity(self.tasks.len());
        for (at, task) in self.tasks.iter().enumerate() {
            if let Some(&first) = index.get(&task.id) {
                let tasks = (first as usize, at);
                faults.push(Fault::DuplicateId {
                    id: task.id.clone(),
                    tasks,
                });
            } else {
                index.insert(&task.id, at as u32);
            }
        }
        let lacking = self.tasks.iter().enumerate().filter_map(|(task, spec)| {
            let cause = spec.lacks_candidates()?;
            Some(Fault::Candidates { task, cause })
        });
        faults.extend(lacking);
        let authored = self.authored_stages(&index, &mut faults);
        let mut dependencies = Vec::with_capacity(self.tasks.len());
        for (at, task) in self.tasks.iter().enumerate() {
            let mut found = Vec::with_capacity(task.dependencies.len());
            let listed = task.dependencies.iter().map(Some);
            let inputs = task.inputs.iter().map(|input| match input {
                Input::Task(id) => Some(id),
                Input::Path(_) => None,
            });
            for (place, id) in listed.chain(inputs).enumerate() {
                let Some(id) = id else { continue };
                let Some(&on) = index.get(id) else {
                    faults.push(Fault::UnknownDependency {
                        task: at,
                        dependency: place,
                        id: id.clone(),
                    });
                    continue;
                };
                if let Some(stages) = &authored
                    && stages[on as usize] >= stages[at]
                    && stages[at] != u32::MAX
                    && stages[on as usize] != u32::MAX
                {
                    let same = stages[on as usize] == stages[at];
                    faults.push(Fault::DependencyInStage {
                        task: at,
                        dependency: place,
                        same,
                    });
                }
                found.push(on);
            }
            found.sort_unstable();
            found.dedup();
            dependencies.push(found);
        }
        let (order, level) = topological(&dependencies, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Graph {
            dependencies,
            order,
            stage: authored.unwrap_or(level),
        })
    }

    /// A fault of this plan in words, with the names of the tasks it is about.
    #[must_use]
    pub fn words(&self, fault: &Fault) -> String {
        let name = |task: usize| self.tasks[task].id.as_str();
        match fault {
            Fault::Empty => "there is no task".to_owned(),
            Fault::TooMany => {
                format!(
                    "there are {} tasks, at most {TASKS_MAX} can be run",
                    count(&self.tasks)
                )
            }
            Fault::DuplicateId { id, .. } => format!("two tasks have the id {id}"),
            Fault::UnknownDependency { task, id, .. } => {
                format!("{} depends on {id}, which is none of them", name(*task))
            }
            Fault::Cycle(tasks) => {
                let names: Vec<&str> = tasks.iter().take(8).map(|task| name(*task)).collect();
                let more = if tasks.len() > names.len() {
                    " …"
                } else {
                    ""
                };
                format!("a cycle through {}{more}", names.join(", "))
            }
            Fault::UnknownInStage { id, .. } => format!("a stage names {id}, which is no task"),
            Fault::TwiceInStages { id, .. } => format!("{id} stands in the stages twice"),
            Fault::InNoStage { task } => format!("{} stands in no stage", name(*task)),
            Fault::DependencyInStage { task, .. } => {
                let name = name(*task);
                format!("{name} depends on a task of its own stage or of a later one")
            }
            Fault::Candidates { task, cause } => format!("{}: {cause}", name(*task)),
        }
    }

    fn authored_stages(
        &self,
        index: &HashMap<&TaskId, u32>,
        faults: &mut Vec<Fault>,
    ) -> Option<Vec<u32>> {
        if self.stages.is_empty() {
            return None;
        }
        let mut stage_of = vec![u32::MAX; self.tasks.len()];
        for (stage, authored) in self.stages.iter().enumerate() {
            for id in &authored.tasks {
                match index.get(id) {
                    None => faults.push(Fault::UnknownInStage {
                        stage,
                        id: id.clone(),
                    }),
                    Some(&task) if stage_of[task as usize] != u32::MAX => {
                        faults.push(Fault::TwiceInStages {
                            stage,
                            id: id.clone(),
                        });
                    }
                    Some(&task) => stage_of[task as usize] = stage as u32,
                }
            }
        }
        for (task, stage) in stage_of.iter().enumerate() {
            if *stage == u32::MAX {
                faults.push(Fault::InNoStage { task });
            }
        }
        Some(stage_of)
    }
}

/// Kahn's algorithm; what is left over holds the cycles, of which each knot is reported once.
fn topological(dependencies: &[Vec<u32>], faults: &mut Vec<Fault>) -> (Vec<u32>, Vec<u32>) {
    let count = dependencies.len();
    let mut unmet: Vec<u32> = dependencies.iter().map(|d| d.len() as u32).collect();
    let dependents = reversed(dependencies);
    let mut level = vec![0u32; count];
    let mut order: Vec<u32> = (0..count as u32)
        .filter(|&t| unmet[t as usize] == 0)
        .collect();
    let mut next = 0;
    while next < order.len() {
        let task = order[next] as usize;
        next += 1;
        for &dependent in &dependents[task] {
            let dependent = dependent as usize;
            level[dependent] = level[dependent].max(level[task] + 1);
            unmet[dependent] -= 1;
            if unmet[dependent] == 0 {
                order.push(dependent as u32);
            }
        }
    }
    if order.len() < count {
        report_cycles(dependencies, &unmet, faults);
    }
    (order, level)
}

/// Walks back along unmet dependencies from each task not yet visited until one repeats.
fn report_cycles(dependencies: &[Vec<u32>], unmet: &[u32], faults: &mut Vec<Fault>) {
    let mut visited = vec![0u32; dependencies.len()];
    let mut walk = 0;
    for start in 0..dependencies.len() {
        if unmet[start] == 0 || visited[start] != 0 {
            continue;
        }
        walk += 1;
        let mut path = Vec::new();
        let mut at = start;
        while visited[at] == 0 {
            visited[at] = walk;
            path.push(at);
            let unmet_one = dependencies[at].iter().find(|d| unmet[**d as usize] > 0);
            let Some(&on) = unmet_one else { break };
            at = on as usize;
        }
        if visited[at] == walk
            && let Some(begin) = path.iter().position(|&t| t == at)
        {
            faults.push(Fault::Cycle(path[begin..].to_vec()));
        }
    }
}

/// Edges turned round: for each task, the tasks that depend on it.
#[must_use]
pub fn reversed(dependencies: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut dependents = vec![Vec::new(); dependencies.len()];
    for (task, on) in dependencies.iter().enumerate() {
        for &dependency in on {
            dependents[dependency as usize].push(task as u32);
        }
    }
    dependents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Stage, TaskSpec};

    fn plan(edges: &[(&str, &[&str])]) -> Plan {
        let id = |s: &str| TaskId::new(s).unwrap();
        let task = |(name, on): &(&str, &[&str])| TaskSpec {
            dependencies: on.iter().map(|s| id(s)).collect(),
            ..TaskSpec::command(id(name), &["true"])
        };
        Plan {
            tasks: edges.iter().map(task).collect(),
            ..Plan::default()
        }
    }

    #[test]
    fn levels_follow_dependencies() {
        // a ─┬─ b ── d
        //    └─ c ───┘
        let graph = plan(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"])])
            .graph()
            .unwrap();
        assert_eq!(graph.stage, [0, 1, 1, 2]);
        assert_eq!(graph.order, [0, 1, 2, 3]);
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let faults = plan(&[
            ("a", &["b"]),
            ("b", &["a"]),
            ("c", &["nowhere"]),
            ("c", &[]),
            ("d", &["d"]),
        ])
        .graph()
        .unwrap_err();
        let id = |s: &str| TaskId::new(s).unwrap();
        assert_eq!(
            faults,
            [
                Fault::DuplicateId {
                    id: id("c"),
                    tasks: (2, 3)
                },
                Fault::UnknownDependency {
                    task: 2,
                    dependency: 0,
                    id: id("nowhere")
                },
                Fault::Cycle(vec![0, 1]),
                Fault::Cycle(vec![4]),
            ]
        );
    }

    #[test]
    fn a_dependency_in_its_own_stage_is_refused() {
        let mut plan = plan(&[("a", &[]), ("b", &["a"])]);
        let id = |s: &str| TaskId::new(s).unwrap();
        plan.stages = vec![Stage {
            name: "stage_1".into(),
            tasks: vec![id("a"), id("b")],
        }];
        let fault = Fault::DependencyInStage {
            task: 1,
            dependency: 0,
            same: true,
        };
        assert_eq!(plan.graph().unwrap_err(), [fault]);
    }

    #[test]
    fn an_input_from_its_own_stage_is_refused_as_a_dependency_is() {
        let mut plan = plan(&[("a", &[]), ("b", &[])]);
        let id = |s: &str| TaskId::new(s).unwrap();
        plan.tasks[1].inputs = vec![
            Input::Path("x".into()),
            Input::Task(id("a")),
            Input::Task(id("nowhere")),
        ];
        plan.stages = vec![Stage {
            name: "stage_1".into(),
            tasks: vec![id("a"), id("b")],
        }];
        let faults = [
            Fault::DependencyInStage {
                task: 1,
                dependency: 1,
                same: true,
            },
            Fault::UnknownDependency {
                task: 1,
                dependency: 2,
                id: id("nowhere"),
            },
        ];
        assert_eq!(plan.graph().unwrap_err(), faults);
    }
}
