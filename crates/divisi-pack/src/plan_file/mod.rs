//! Plan files: the JSON form in which people, planners and other programs write plans.
//!
//! The form is the one that orchestration plans have: `task_title`, `subtasks`, `execution_plan`
//! and their fields, extended by what a task executes and by criteria that programs can check.
//! Fields that only record progress (`status`, `progress`, retries, escalations) are accepted and
//! checked for their type; a plan does not hold them, since progress is the journal's. A [`Record`]
//! does.
//!
//! [`read`] turns bytes into a [`Plan`] and finds every fault at once. [`write()`] turns a plan into
//! the same form; reading it again gives the same plan. [`schema`] describes the form to editors.
//! [`read_parts`] reads the tasks that take one task's place. [`compare`](compare()) says what differs
//! between two plans.
//!
//! What it does not do: it opens no file, expands no pattern, and applies no settings. Agents and
//! roles are names here; whether they exist is known where the plan is run.
//!
//! Work is bounded by the limits in this module and linear in the text.

pub(crate) mod candidates;
mod compare;
pub(crate) mod compile;
pub(crate) mod criteria;
pub(crate) mod form;
mod record;
mod structure;
pub(crate) mod task;
#[cfg(test)]
mod tests;
mod top;
pub(crate) mod values;
pub(crate) mod workspace;
mod write;

use divisi_core::plan::Parts;
use divisi_core::{Diagnostic, Plan, TaskSpec};

pub use compare::{Differences, FieldChange, TaskChange, compare};
pub(crate) use criteria::{COUNT_MAX, expression_fault};
pub use form::{Progress, ResourceEstimate, schema};
pub use record::{Record, TaskRecord, read_record, write_with};
pub(crate) use structure::Order;
pub(crate) use task::Spans;
pub(crate) use top::{Placed, is_plan};
pub use write::write;
pub(crate) use write::{Stated, criterion_json, criterion_value, to_value};

use crate::faults::Faults;
use crate::json;
use crate::text;

/// The most criteria of one task, those added for deliverables included. Verdicts name their
/// criterion by a 16-bit number, and nobody reads more.
pub const CRITERIA_MAX: usize = 1_000;

/// The most different regular expressions in one plan. Each is compiled once while reading, so
/// this bounds the time that hostile ones take.
pub const EXPRESSIONS_MAX: usize = 10_000;

/// The most memory one compiled regular expression may take, in bytes; the checks compile with
/// the same bound, so what is accepted here compiles there.
pub const EXPRESSION_BYTES_MAX: usize = 1 << 20;

/// The longest time box, in minutes: a year. More is a mistake in the unit.
pub const TIMEOUT_MINUTES_MAX: u64 = 525_600;

/// The longest estimate, in minutes: a thousand years. People plan to grow trees, and milliseconds
/// of a hundred thousand such tasks still add up in 64 bits.
pub const ESTIMATE_MINUTES_MAX: u64 = 1_000 * 525_600;

/// The largest estimate of tokens.
pub const TOKENS_MAX: u64 = 1_000_000_000_000;

/// The most retries of one task.
pub const RETRIES_MAX: u64 = 100;

/// The most patterns of `copy` and of `inputs`, and the most steps of `setup`. Each pattern is tried
/// on every file of the user's folder, and a longer setup is a script.
pub const COPIED_MAX: usize = 100;

/// The most steps of `setup`.
pub const SETUP_MAX: usize = 100;

/// The largest `min_bytes`: a tebibyte.
pub const FILE_BYTES_MAX: u64 = 1 << 40;

/// The time box of a criterion's command if none is given, in milliseconds.
pub const CHECK_TIMEOUT_MS: u64 = 10 * 60_000;

/// Plans with more stages than this get a warning: the work is probably cut too finely.
pub const STAGES_ADVISED_MAX: usize = 10;

/// What was read from a plan file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The plan; `None` exactly if an error is among the diagnostics.
    pub plan: Option<Plan>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// What was read as the tasks that take a task's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadParts {
    /// The parts; `None` exactly if an error is among the diagnostics.
    pub parts: Option<Parts>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a plan file. `source_name` stands in the diagnostics' places, as the user gave it.
///
/// A byte order mark is skipped. Everything else must be strict JSON in UTF-8.
#[must_use]
pub fn read(source_name: &str, bytes: &[u8]) -> Read {
    let (plan, diagnostics) = read_with(source_name, bytes, top::plan);
    Read { plan, diagnostics }
}

/// Reads a plan file and has `also` look at the plan, if it is sound, with its places.
pub(crate) fn read_also(
    source_name: &str,
    bytes: &[u8],
    also: impl FnOnce(&Placed, &mut Faults<'_>),
) -> Read {
    let (plan, diagnostics) = read_with(source_name, bytes, |value, faults| {
        let placed = top::placed(value, faults)?;
        if faults.errors() == 0 {
            also(&placed, faults);
        }
        Some(placed.plan)
    });
    Read { plan, diagnostics }
}

/// Reads the tasks that take a task's place when it is split or expanded: a list of subtasks, an
/// object with `subtasks` and perhaps the `stage_context` that all of them are told, or a whole
/// plan. The same checks as for a plan; parts depend on each other only.
#[must_use]
pub fn read_parts(source_name: &str, bytes: &[u8]) -> ReadParts {
    let (parts, diagnostics) = read_with(source_name, bytes, top::parts);
    ReadParts { parts, diagnostics }
}

/// Reads one criterion that is not plain words; the error says what is wrong with it.
pub(crate) fn criterion_of(text: &str) -> Result<divisi_core::Criterion, String> {
    let read = |value: &jsonc_parser::ast::Value<'_>, faults: &mut Faults<'_>| {
        criteria::Reader::new().one(value, faults)
    };
    let (criterion, diagnostics) = read_with("criterion", text.as_bytes(), read);
    let told = |diagnostic: &Diagnostic| {
        let mut told = vec![diagnostic.cause.clone()];
        told.extend(diagnostic.hints.iter().cloned());
        told.join("; ")
    };
    criterion.ok_or_else(|| diagnostics.first().map(told).unwrap_or_default())
}

/// The tasks of a plan that stands in another text; its faults are that text's.
pub(crate) fn tasks_of(
    value: &jsonc_parser::ast::Value<'_>,
    faults: &mut Faults<'_>,
) -> Option<Vec<TaskSpec>> {
    Some(top::plan(value, faults)?.tasks)
}

fn read_with<T>(
    source_name: &str,
    bytes: &[u8],
    make: impl FnOnce(&jsonc_parser::ast::Value<'_>, &mut Faults<'_>) -> Option<T>,
) -> (Option<T>, Vec<Diagnostic>) {
    text::read(source_name, bytes, json::TEXT_BYTES_MAX, |text, faults| {
        json::parse(text, faults).and_then(|value| make(&value, faults))
    })
}
