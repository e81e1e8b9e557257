//! Graphs to measure with, and the same graph as a plan file and as a makefile.

use serde_json::{Value, json};

/// A DAG; tasks are numbered from 0 and named `t1`, `t2`, …
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Graph {
    /// For each task, those it depends on.
    pub(crate) dependencies: Vec<Vec<usize>>,
}

/// A shape of generated graphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each task depends on the one before.
    Chain,
    /// One task, then all others at once, then one that depends on them.
    Fan,
    /// Levels of [`LAYER_TASKS`]; each task depends on one to four of the level before.
    Layered,
}

/// Wide enough that eight slots are always filled, narrow enough that levels matter.
const LAYER_TASKS: usize = 50;

/// The seed of layered graphs: figures are comparable only on one graph.
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

impl Shape {
    /// All shapes, in the order of the tables.
    pub(crate) const ALL: [Shape; 3] = [Shape::Chain, Shape::Fan, Shape::Layered];

    /// What the tables call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Shape::Chain => "chain",
            Shape::Fan => "fan-out, fan-in",
            Shape::Layered => "layered",
        }
    }

    /// A graph of this shape with so many tasks, always the same one.
    pub(crate) fn graph(self, tasks: usize) -> Graph {
        let mut random = Random(SEED);
        let mut dependencies = Vec::with_capacity(tasks);
        for task in 0..tasks {
            dependencies.push(match self {
                _ if task == 0 => Vec::new(),
                Shape::Chain => vec![task - 1],
                Shape::Fan if task == tasks - 1 => (1..task).collect(),
                Shape::Fan => vec![0],
                Shape::Layered => random.of_level_before(task),
            });
        }
        Graph { dependencies }
    }
}

/// SplitMix64: enough to mix edges, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(SEED);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn of_level_before(&mut self, task: usize) -> Vec<usize> {
        let Some(level) = (task / LAYER_TASKS).checked_sub(1) else {
            return Vec::new();
        };
        let mut chosen: Vec<usize> = (0..=self.below(4))
            .map(|_| level * LAYER_TASKS + self.below(LAYER_TASKS))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }
}

impl Graph {
    /// How many tasks it has.
    pub(crate) fn tasks(&self) -> usize {
        self.dependencies.len()
    }

    /// The plan file; `work` gives each task's own keys (an object).
    pub(crate) fn plan(&self, title: &str, work: impl Fn(usize) -> Value) -> String {
        let task = |(at, on): (usize, &Vec<usize>)| {
            let on: Vec<String> = on.iter().map(|&task| name(task)).collect();
            let mut task = json!({
                "subtask_id": name(at),
                "title": name(at),
                "dependencies": on,
            });
            if let (Value::Object(task), Value::Object(work)) = (&mut task, work(at)) {
                task.extend(work);
            }
            task
        };
        let tasks: Vec<Value> = self.dependencies.iter().enumerate().map(task).collect();
        json!({ "task_title": title, "subtasks": tasks }).to_string()
    }

    /// The plan file in which each task is `/bin/true` in the shared workspace.
    pub(crate) fn plan_of_true(&self) -> String {
        self.plan(
            "Benchmark",
            |_| json!({ "command": ["/bin/true"], "workspace": "shared" }),
        )
    }

    /// The makefile in which each task is `/bin/true`.
    pub(crate) fn makefile(&self) -> String {
        let names: Vec<String> = (0..self.tasks()).map(name).collect();
        let names = names.join(" ");
        let mut text = format!(".PHONY: all {names}\nall: {names}\n");
        for (at, on) in self.dependencies.iter().enumerate() {
            let on: String = on.iter().map(|&task| format!(" {}", name(task))).collect();
            text.push_str(&format!("{}:{on}\n\t@/bin/true\n", name(at)));
        }
        text
    }
}

fn name(task: usize) -> String {
    format!("t{}", task + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_what_they_are_called() {
        let chain = Shape::Chain.graph(4).dependencies;
        assert_eq!(chain, [vec![], vec![0], vec![1], vec![2]]);
        let fan = Shape::Fan.graph(5).dependencies;
        assert_eq!(fan, [vec![], vec![0], vec![0], vec![0], vec![1, 2, 3]]);
    }

    #[test]
    fn layered_graphs_reach_one_level_back_and_never_change() {
        let graph = Shape::Layered.graph(1_000);
        for (task, on) in graph.dependencies.iter().enumerate() {
            let level = task / LAYER_TASKS;
            assert_eq!(on.is_empty(), level == 0, "task {task}: {on:?}");
            assert!(on.len() <= 4, "task {task}: {on:?}");
            for dependency in on {
                assert_eq!(dependency / LAYER_TASKS + 1, level, "task {task}: {on:?}");
            }
        }
        assert_eq!(graph, Shape::Layered.graph(1_000));
        let edges: usize = graph.dependencies.iter().map(Vec::len).sum();
        assert!(edges > 2_000, "{edges} edges are too few to matter");
    }

    #[test]
    fn a_graph_is_the_same_as_plan_and_as_makefile() {
        let graph = Shape::Fan.graph(3);
        let plan: Value = serde_json::from_str(&graph.plan_of_true()).unwrap();
        let expected = json!({
            "task_title": "Benchmark",
            "subtasks": [
                { "subtask_id": "t1", "title": "t1", "dependencies": [], "command": ["/bin/true"], "workspace": "shared" },
                { "subtask_id": "t2", "title": "t2", "dependencies": ["t1"], "command": ["/bin/true"], "workspace": "shared" },
                { "subtask_id": "t3", "title": "t3", "dependencies": ["t2"], "command": ["/bin/true"], "workspace": "shared" },
            ]
        });
        assert_eq!(plan, expected);
        assert_eq!(
            graph.makefile(),
            ".PHONY: all t1 t2 t3\nall: t1 t2 t3\nt1:\n\t@/bin/true\nt2: t1\n\t@/bin/true\nt3: t2\n\t@/bin/true\n"
        );
    }
}
