use serde_json::json;

use super::*;
use crate::plan_file;

/// The authentication system as the description of plans has it: ranges, stages and all.
const AUTHENTICATION: &str = r#"{
  "task_title": "Add authentication system with security audit and documentation",
  "execution_plan": {
    "stage_1": ["subtask-1"],
    "stage_2": ["subtask-2", "subtask-3"],
    "stage_3": ["subtask-4"],
    "stage_4": ["subtask-5"],
    "stage_5": ["subtask-6"]
  },
  "subtasks": [
    {"subtask_id": "subtask-1", "title": "Architecture Design", "assigned_to": "development",
     "worker_type": "planner", "estimated_duration_minutes": "10-15 min", "estimated_tokens": 5000,
     "deliverables": ["docs/auth-architecture.md"]},
    {"subtask_id": "subtask-2", "title": "Backend Implementation", "assigned_to": "development",
     "worker_type": "implementation", "dependencies": ["subtask-1"],
     "estimated_duration_minutes": "20-30", "estimated_tokens": 20000,
     "deliverables": ["server/routes/auth.js", "server/middleware/auth.js"]},
    {"subtask_id": "subtask-3", "title": "Frontend Implementation", "assigned_to": "development",
     "worker_type": "implementation", "dependencies": ["subtask-1"],
     "estimated_duration_minutes": "20-30 minutes", "estimated_tokens": 20000,
     "deliverables": ["client/pages/Login.jsx", "client/pages/Signup.jsx"]},
    {"subtask_id": "subtask-4", "title": "Tests", "assigned_to": "development",
     "worker_type": "test", "dependencies": ["subtask-2", "subtask-3"],
     "estimated_duration_minutes": "15–20", "estimated_tokens": 15000,
     "deliverables": ["tests/auth.test.js"]},
    {"subtask_id": "subtask-5", "title": "Security Audit", "assigned_to": "security",
     "worker_type": "audit", "dependencies": ["subtask-4"],
     "estimated_duration_minutes": "10-15", "estimated_tokens": 10000,
     "deliverables": ["reports/security.md"]},
    {"subtask_id": "subtask-6", "title": "Documentation", "assigned_to": "development",
     "worker_type": "documentation", "dependencies": ["subtask-5"],
     "estimated_duration_minutes": 10, "estimated_tokens": 5000,
     "deliverables": ["docs/authentication.md"]}
  ]
}"#;

fn plan(text: &str) -> Plan {
    let read = plan_file::read("plan.json", text.as_bytes());
    read.plan
        .unwrap_or_else(|| panic!("{:?}", read.diagnostics))
}

#[test]
fn the_described_example_rolls_up_to_65_to_90_minutes_in_both_forms() {
    let plan = plan(AUTHENTICATION);
    let estimate = Estimate::of(&plan, None);
    assert_eq!(
        estimate.to_request_form(),
        json!({
            "total_subtasks": 6,
            "total_estimated_duration": "65-90 minutes",
            "total_estimated_tokens": 75000,
            "masters_involved": ["development", "security"],
            "workers_to_spawn": 6,
            "parallelization_possible": true,
            "bottlenecks": [
                "stage_3: Tests must wait for Backend Implementation, Frontend Implementation",
                "stage_4: Security Audit must wait for Tests",
            ],
        })
    );
    assert_eq!(
        estimate.to_plan_form(),
        json!({
            "total_subtasks": 6,
            "duration_estimate": "65-90 minutes",
            "token_estimate": 75000,
            "masters": ["development", "security"],
            "workers": 6,
        })
    );
    assert_eq!(estimate.parallel_max, 2);
    assert_eq!(estimate.roles.len(), 5);
    let again = plan_file::read("p", plan_file::write(&plan).as_bytes()).plan;
    assert_eq!(again, Some(plan.clone()));
    // Driven by dependencies alone it is the same: the longest way is that of the stages.
    let free = Plan {
        stages: Vec::new(),
        ..plan
    };
    assert_eq!(Estimate::of(&free, None).duration(), "65-90 minutes");
    // Two are all that can run at once, so two workers are as good as any number; one is not.
    assert_eq!(Estimate::of(&free, Some(2)).duration(), "65-90 minutes");
    assert_eq!(Estimate::of(&free, Some(1)).duration(), "85-120 minutes");
}

fn tasks(text: &str) -> Plan {
    plan(&format!(r#"{{"task_title": "t", "subtasks": [{text}]}}"#))
}

#[test]
fn slots_bound_the_range_from_both_sides() {
    let six: Vec<String> = (0..6)
        .map(|n| {
            format!(
                r#"{{"subtask_id": "t{n}", "command": ["a"], "estimated_duration_minutes": "10-20"}}"#
            )
        })
        .collect();
    let plan = tasks(&six.join(","));
    let duration = |slots| Estimate::of(&plan, slots).duration();
    assert_eq!(duration(None), "10-20 minutes");
    assert_eq!(duration(Some(1)), "60-120 minutes");
    assert_eq!(duration(Some(2)), "30-70 minutes");
    assert_eq!(duration(Some(0)), "60-120 minutes");
    assert_eq!(Estimate::of(&plan, None).bottlenecks, [""; 0]);
}

#[test]
fn what_is_not_estimated_is_said_to_be_unknown() {
    let plan = tasks(r#"{"subtask_id": "a", "command": ["a"]}"#);
    let estimate = Estimate::of(&plan, None);
    assert_eq!(
        (estimate.duration(), estimate.unestimated),
        ("unknown".to_owned(), 1)
    );
    assert_eq!(Estimate::of(&Plan::default(), None).duration(), "0 minutes");
    let seconds = tasks(r#"{"subtask_id": "a", "command": ["a"], "estimated_seconds": 90}"#);
    assert_eq!(Estimate::of(&seconds, None).duration(), "2 minutes");
    let minute = tasks(r#"{"subtask_id": "a", "command": ["a"], "estimated_seconds": 60}"#);
    assert_eq!(Estimate::of(&minute, None).duration(), "1 minute");
}

#[test]
fn people_and_joins_need_no_worker() {
    let plan = tasks(
        r#"{"subtask_id": "a", "kind": "approval"}, {"subtask_id": "b", "command": ["a"]},
           {"subtask_id": "c", "kind": "compose", "inputs": ["b"]}"#,
    );
    assert_eq!(Estimate::of(&plan, None).workers, 1);
}

#[test]
fn a_range_that_is_none_is_refused_with_its_place() {
    for given in ["15-10", "-5", "ten", "10-", "1e3", "10-999999999", ""] {
        let text = format!(
            r#"{{"task_title": "t", "subtasks": [{{"subtask_id": "a", "command": ["a"],
                "estimated_duration_minutes": "{given}"}}]}}"#
        );
        let found = plan_file::read("p", text.as_bytes()).diagnostics;
        assert_eq!(found.len(), 1, "{given}");
        assert_eq!(found[0].code, "text-number", "{given}");
    }
}
