//! What a plan file records beside the plan: how far it has come, in the words of orchestrators
//! that keep their plans in such files.
//!
//! A plan holds none of it, since progress is the journal's. [`read_record`] takes it out of a file
//! and [`write_with`] puts it into one; nothing of it is lost on the way.

use std::collections::HashMap;

use divisi_core::Diagnostic;
use divisi_core::Plan;
use serde::{Deserialize, Deserializer};

use super::form::{PlanForm, SubtaskForm};
use super::write::{form, text_of};
use super::{Progress, ResourceEstimate, read};
use crate::json;
use crate::text;

/// What is recorded of a plan. What is not said is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The id of the run, or of another orchestrator's.
    pub orchestration_id: Option<String>,
    /// The task that the plan carries out.
    pub parent_task_id: Option<String>,
    /// How complex the intent was judged to be.
    pub complexity: Option<String>,
    /// When the plan was made, in RFC 3339.
    pub created_at: Option<String>,
    /// How far it has come, in a word.
    pub status: Option<String>,
    /// What it is expected to take.
    pub resource_estimate: Option<ResourceEstimate>,
    /// How far it has come, task by task.
    pub progress: Option<Progress>,
    /// How often it was retried.
    #[serde(deserialize_with = "whole")]
    pub retry_count: Option<u64>,
    /// Why.
    pub retry_reason: Option<String>,
    /// What was changed for that.
    pub retry_modifications: Option<String>,
    /// `blocked`, where a task is.
    pub orchestration_status: Option<String>,
    /// Which.
    pub blocking_subtask: Option<String>,
    /// Why.
    pub failure_reason: Option<String>,
    /// Who was told.
    pub escalation: Option<String>,
    /// What is recorded of tasks.
    #[serde(deserialize_with = "said")]
    pub subtasks: Vec<TaskRecord>,
}

/// What is recorded of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TaskRecord {
    /// The task.
    pub subtask_id: String,
    /// The task that its plan carries out.
    pub parent_task_id: Option<String>,
    /// How far it has come, in a word.
    pub status: Option<String>,
    /// When it was made, in RFC 3339.
    pub created_at: Option<String>,
    /// How often it was retried.
    #[serde(deserialize_with = "whole")]
    pub retry_count: Option<u64>,
    /// Why.
    pub retry_reason: Option<String>,
    /// What was changed for that.
    pub retry_modifications: Option<String>,
}

/// A whole number, however it is written: `6` or `6.0`.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<serde_json::Number>::deserialize(deserializer)?;
    // The reader has refused what is no whole number.
    Ok(number.and_then(|number| number.as_u64().or(number.as_f64().map(|it| it as u64))))
}

/// Records that say something.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TaskRecord>, D::Error> {
    let mut records = Vec::<TaskRecord>::deserialize(deserializer)?;
    records.retain(|record| {
        let nothing = TaskRecord {
            subtask_id: record.subtask_id.clone(),
            ..TaskRecord::default()
        };
        *record != nothing
    });
    Ok(records)
}

/// Reads what a plan file records.
///
/// # Errors
/// Everything that is wrong with the file as a plan.
pub fn read_record(source_name: &str, bytes: &[u8]) -> Result<Record, Vec<Diagnostic>> {
    let read = read(source_name, bytes);
    if read.plan.is_none() {
        return Err(read.diagnostics);
    }
    let text = text::text(source_name, bytes, json::TEXT_BYTES_MAX).map_err(|told| vec![*told])?;
    Ok(serde_json::from_str(text).expect("the reader has checked each record's type"))
}

/// The plan as [`super::write()`] has it, with what is recorded of it. Reading it gives both again.
#[must_use]
pub fn write_with(plan: &Plan, record: &Record) -> String {
    let mut form = form(plan);
    let of: HashMap<&str, &TaskRecord> = record
        .subtasks
        .iter()
        .map(|record| (&*record.subtask_id, record))
        .collect();
    for subtask in &mut form.subtasks {
        // Orchestrators that read such files look for it in every task.
        subtask.dependencies.get_or_insert_with(Vec::new);
        if let Some(record) = of.get(&*subtask.subtask_id) {
            noted(subtask, record);
        }
    }
    let record = record.clone();
    text_of(&PlanForm {
        orchestration_id: record.orchestration_id,
        parent_task_id: record.parent_task_id,
        complexity: record.complexity,
        created_at: record.created_at,
        status: record.status,
        resource_estimate: record.resource_estimate,
        progress: record.progress,
        retry_count: record.retry_count,
        retry_reason: record.retry_reason,
        retry_modifications: record.retry_modifications,
        orchestration_status: record.orchestration_status,
        blocking_subtask: record.blocking_subtask,
        failure_reason: record.failure_reason,
        escalation: record.escalation,
        ..form
    })
}

fn noted(subtask: &mut SubtaskForm, record: &TaskRecord) {
    let record = record.clone();
    subtask.parent_task_id = record.parent_task_id;
    subtask.status = record.status;
    subtask.created_at = record.created_at;
    subtask.retry_count = record.retry_count;
    subtask.retry_reason = record.retry_reason;
    subtask.retry_modifications = record.retry_modifications;
}
