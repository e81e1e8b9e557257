//! What a plan file records beside its plan, there and back.

use serde_json::Value;

use super::super::{Progress, Record, ResourceEstimate, TaskRecord, read, read_record, write_with};
use super::meaning::{EVERYTHING, SOURCE};
use super::plan_with_warnings;
use crate::dice::Dice;

/// How many plans are generated. The n-th is generated from the seed n.
const PLANS: u64 = 200;

impl Dice {
    fn words(&mut self) -> Option<String> {
        let word = self.pick(&["pending", "ü \"quoted\"\n", ""]).to_owned();
        self.one_in(2).then_some(word)
    }

    fn number(&mut self) -> Option<u64> {
        let number = self.roll(1 << 32);
        self.one_in(2).then_some(number)
    }

    fn names(&mut self) -> Option<Vec<String>> {
        let names = (0..self.roll(3)).map(|n| format!("t{n}")).collect();
        self.one_in(2).then_some(names)
    }

    fn record(&mut self, ids: &[String]) -> Record {
        let estimate = ResourceEstimate {
            total_subtasks: self.number(),
            duration_estimate: self.words(),
            token_estimate: self.number(),
            masters: self.names(),
            workers: self.number(),
            total_estimated_duration: self.words(),
            total_estimated_tokens: self.number(),
            masters_involved: self.names(),
            workers_to_spawn: self.number(),
            parallelization_possible: self.one_in(2).then_some(true),
            bottlenecks: self.names(),
        };
        let progress = Progress {
            current_stage: self.number(),
            completed_subtasks: self.names(),
            active_subtasks: self.names(),
            failed_subtasks: self.names(),
            zombie_subtasks: self.names(),
        };
        let tasks = ids.iter().map(|id| TaskRecord {
            subtask_id: id.clone(),
            // Without it the record might say nothing, and would not be read back.
            status: Some("pending".to_owned()),
            parent_task_id: self.words(),
            created_at: self.words(),
            retry_count: self.number(),
            retry_reason: self.words(),
            retry_modifications: self.words(),
        });
        Record {
            subtasks: tasks.collect(),
            orchestration_id: self.words(),
            parent_task_id: self.words(),
            complexity: self.words(),
            created_at: self.words(),
            status: self.words(),
            resource_estimate: self.one_in(2).then_some(estimate),
            progress: self.one_in(2).then_some(progress),
            retry_count: self.number(),
            retry_reason: self.words(),
            retry_modifications: self.words(),
            orchestration_status: self.words(),
            blocking_subtask: self.words(),
            failure_reason: self.words(),
            escalation: self.words(),
        }
    }
}

#[test]
fn every_plan_and_every_record_survive_their_file() {
    for seed in 0..PLANS {
        let mut dice = Dice(seed);
        let plan = dice.plan();
        let ids: Vec<String> = plan.tasks.iter().map(|task| task.id.to_string()).collect();
        let record = dice.record(&ids);
        let text = write_with(&plan, &record);
        let read_plan = read("plan.json", text.as_bytes());
        assert_eq!(read_plan.plan.as_ref(), Some(&plan), "seed {seed}: {text}");
        let read = read_record("plan.json", text.as_bytes());
        assert_eq!(read, Ok(record), "seed {seed}: {text}");
    }
}

#[test]
fn the_described_file_is_written_as_it_was_read() {
    let record = read_record("plan.json", SOURCE.as_bytes()).unwrap();
    let written = write_with(&plan_with_warnings(SOURCE), &record);
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let (mut source, mut written) = (value(SOURCE), value(&written));
    // A task without deliverables waits for a person, and without a list waits for nobody.
    let tasks = |value: &mut Value| value["subtasks"].as_array_mut().unwrap().clone();
    for (source, written) in tasks(&mut source).iter().zip(tasks(&mut written)) {
        for (key, value) in source.as_object().unwrap() {
            assert_eq!(&written[key], value, "{key}");
        }
    }
    let rest = |value: &mut Value| {
        value.as_object_mut().unwrap().remove("subtasks");
        value.clone()
    };
    assert_eq!(rest(&mut written), rest(&mut source));
}

#[test]
fn both_shapes_of_an_estimate_and_whole_fractions_are_read() {
    let estimate = |text: &str| {
        let text = format!(
            r#"{{"task_title": "t", "subtasks": [{{"subtask_id": "a", "command": ["true"]}}],
               "resource_estimate": {text}}}"#
        );
        read_record("plan.json", text.as_bytes())
            .unwrap()
            .resource_estimate
            .unwrap()
    };
    let request = estimate(
        r#"{"total_subtasks": 6.0, "total_estimated_duration": "90-120 minutes",
            "total_estimated_tokens": 75000, "masters_involved": ["development", "security"],
            "workers_to_spawn": 8, "parallelization_possible": true,
            "bottlenecks": ["stage_3: security audit must wait for implementation"]}"#,
    );
    assert_eq!(request.total_subtasks, Some(6));
    assert_eq!(request.bottlenecks.unwrap().len(), 1);
    assert_eq!(estimate("{}"), ResourceEstimate::default());
}

#[test]
fn a_file_that_is_no_plan_has_no_record() {
    let told = read_record("plan.json", br#"{"task_title": 1}"#).unwrap_err();
    assert!(told.iter().any(|told| told.code == "text-type"), "{told:?}");
    assert!(read_record("plan.json", EVERYTHING.as_bytes()).is_ok());
}
