//! Traces: plans with durations, read from two formats, and what is known of their schedules.
//!
//! - Plans with exact schedules: an array of `{id, seconds, depends_on, critical_path_s,
//!   sequential_s}`.
//! - WfFormat 1.5: one workflow, its tasks' relatives under `specification`, their times under
//!   `execution`.
//!
//! Ids are replaced by numbers, since the formats allow what a task's id does not.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::graph::Graph;
use crate::Result;

/// A plan with durations.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    /// Where it is from: the file, and the plan's id if the file has several.
    pub(super) name: String,
    /// Tasks and edges.
    pub(super) graph: Graph,
    /// How long each task takes, in milliseconds.
    pub(super) duration_ms: Vec<u64>,
    /// Critical path and sum of all work in milliseconds, where the file states them.
    pub(super) stated_ms: Option<(u64, u64)>,
}

#[derive(Deserialize)]
struct ExactPlan {
    id: u64,
    seconds: BTreeMap<String, f64>,
    depends_on: BTreeMap<String, Vec<String>>,
    critical_path_s: f64,
    sequential_s: f64,
}

#[derive(Deserialize)]
struct Instance {
    workflow: Workflow,
}

#[derive(Deserialize)]
struct Workflow {
    specification: Specification,
    execution: Execution,
}

#[derive(Deserialize)]
struct Specification {
    tasks: Vec<Relatives>,
}

#[derive(Deserialize)]
struct Relatives {
    id: String,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    children: Vec<String>,
}

#[derive(Deserialize)]
struct Execution {
    tasks: Vec<Took>,
}

#[derive(Deserialize)]
struct Took {
    id: String,
    #[serde(rename = "runtimeInSeconds")]
    runtime_s: f64,
}

/// Reads a file of either format.
///
/// # Errors
/// If it is of neither, or names a task that is not there.
pub(super) fn read(path: &Path) -> Result<Vec<Trace>> {
    let place = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let text = fs::read_to_string(path).map_err(|e| place(&e))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(parse(name.trim_start_matches("wf-"), &text).map_err(|e| place(&e))?)
}

fn parse(name: &str, text: &str) -> Result<Vec<Trace>> {
    if text.trim_start().starts_with('[') {
        let plans: Vec<ExactPlan> = serde_json::from_str(text)?;
        return plans.into_iter().map(|plan| of_plan(name, plan)).collect();
    }
    let instance: Instance = serde_json::from_str(text)?;
    Ok(vec![of_workflow(name, &instance.workflow)?])
}

fn of_plan(name: &str, plan: ExactPlan) -> Result<Trace> {
    let number: HashMap<&str, usize> = plan.seconds.keys().map(String::as_str).zip(0..).collect();
    let mut dependencies = vec![Vec::new(); number.len()];
    for (task, on) in &plan.depends_on {
        for dependency in on {
            dependencies[find(&number, task)?].push(find(&number, dependency)?);
        }
    }
    Ok(Trace {
        name: format!("{name} {}", plan.id),
        graph: Graph { dependencies },
        duration_ms: plan.seconds.values().map(|&s| ms(s)).collect(),
        stated_ms: Some((ms(plan.critical_path_s), ms(plan.sequential_s))),
    })
}

fn of_workflow(name: &str, workflow: &Workflow) -> Result<Trace> {
    let tasks = &workflow.specification.tasks;
    let number: HashMap<&str, usize> = tasks.iter().map(|task| task.id.as_str()).zip(0..).collect();
    let mut dependencies = vec![Vec::new(); tasks.len()];
    for task in tasks {
        let own = find(&number, &task.id)?;
        for parent in &task.parents {
            dependencies[own].push(find(&number, parent)?);
        }
        for child in &task.children {
            dependencies[find(&number, child)?].push(own);
        }
    }
    for on in &mut dependencies {
        on.sort_unstable();
        on.dedup();
    }
    let mut duration_ms = vec![0; tasks.len()];
    for took in &workflow.execution.tasks {
        duration_ms[find(&number, &took.id)?] = ms(took.runtime_s);
    }
    Ok(Trace {
        name: name.to_owned(),
        graph: Graph { dependencies },
        duration_ms,
        stated_ms: None,
    })
}

fn find(number: &HashMap<&str, usize>, id: &str) -> Result<usize> {
    let found = number.get(id).copied();
    found.ok_or_else(|| format!("there is no task `{id}`").into())
}

/// Seconds to whole milliseconds; negative ones to 0.
fn ms(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e3).round() as u64
}

impl Trace {
    /// The plan file, its tasks with estimated durations.
    pub(super) fn plan(&self) -> String {
        self.graph.plan(&self.name, |task| {
            json!({
                "command": ["/bin/true"],
                "workspace": "shared",
                "estimated_seconds": self.duration_ms[task] as f64 / 1e3,
            })
        })
    }

    /// The sum of all durations in milliseconds.
    pub(super) fn work_ms(&self) -> u64 {
        self.duration_ms.iter().sum()
    }

    /// The longest path in milliseconds; `None` if there is a cycle.
    pub(super) fn critical_path_ms(&self) -> Option<u64> {
        let dependencies = &self.graph.dependencies;
        let mut unmet: Vec<usize> = dependencies.iter().map(Vec::len).collect();
        let mut dependents = vec![Vec::new(); dependencies.len()];
        for (task, on) in dependencies.iter().enumerate() {
            for &dependency in on {
                dependents[dependency].push(task);
            }
        }
        let mut ready: Vec<usize> = (0..unmet.len()).filter(|&task| unmet[task] == 0).collect();
        let mut start = vec![0; unmet.len()];
        let (mut done, mut longest) = (0, 0);
        while let Some(task) = ready.pop() {
            done += 1;
            let end = start[task] + self.duration_ms[task];
            longest = longest.max(end);
            for &dependent in &dependents[task] {
                start[dependent] = start[dependent].max(end);
                unmet[dependent] -= 1;
                if unmet[dependent] == 0 {
                    ready.push(dependent);
                }
            }
        }
        (done == unmet.len()).then_some(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANS: &str = r#"[{"id": 7, "goal": "g", "steps": {"1": "a", "2": "b", "3": "c"},
        "seconds": {"2": 600.0, "1": 3600.0, "3": 0.5}, "depends_on": {"3": ["1", "2"], "1": []},
        "critical_path_s": 3600.5, "sequential_s": 4200.5}]"#;

    const WORKFLOW: &str = r#"{"name": "n", "schemaVersion": "1.5", "workflow": {
        "specification": {"tasks": [
            {"name": "a", "id": "A:1", "parents": [], "children": ["B:1"]},
            {"name": "b", "id": "B:1", "parents": ["A:1"], "children": []},
            {"name": "c", "id": "C:1", "parents": ["B:1"], "children": []}]},
        "execution": {"tasks": [
            {"id": "A:1", "runtimeInSeconds": 1.2345}, {"id": "B:1", "runtimeInSeconds": 2},
            {"id": "C:1", "runtimeInSeconds": 0.0}]}}}"#;

    #[test]
    fn plans_with_exact_schedules_are_read() {
        let [trace] = &parse("plans", PLANS).unwrap()[..] else {
            panic!("one plan is expected");
        };
        assert_eq!(trace.name, "plans 7");
        assert_eq!(trace.graph.dependencies, [vec![], vec![], vec![0, 1]]);
        assert_eq!(trace.duration_ms, [3_600_000, 600_000, 500]);
        assert_eq!(trace.stated_ms, Some((3_600_500, 4_200_500)));
        let computed = trace.critical_path_ms().map(|path| (path, trace.work_ms()));
        assert_eq!(computed, trace.stated_ms);
    }

    #[test]
    fn workflows_are_read_from_parents_and_children() {
        let [trace] = &parse("w", WORKFLOW).unwrap()[..] else {
            panic!("one workflow is expected");
        };
        assert_eq!(trace.graph.dependencies, [vec![], vec![0], vec![1]]);
        assert_eq!(trace.duration_ms, [1_235, 2_000, 0]);
        assert_eq!(trace.critical_path_ms(), Some(3_235));
    }

    #[test]
    fn a_trace_is_a_plan_with_estimates() {
        let trace = &parse("plans", PLANS).unwrap()[0];
        let plan: serde_json::Value = serde_json::from_str(&trace.plan()).unwrap();
        assert_eq!(plan["subtasks"][2]["dependencies"], json!(["t1", "t2"]));
        assert_eq!(plan["subtasks"][2]["estimated_seconds"], json!(0.5));
    }

    #[test]
    fn unknown_tasks_and_cycles_are_found() {
        let unknown = PLANS.replace("[\"1\", \"2\"]", "[\"9\"]");
        let error = parse("p", &unknown).unwrap_err().to_string();
        assert_eq!(error, "there is no task `9`");
        let cycle = PLANS.replace("\"1\": []", "\"1\": [\"3\"]");
        assert_eq!(parse("p", &cycle).unwrap()[0].critical_path_ms(), None);
    }
}
