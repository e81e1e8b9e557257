//! `manifest.json`: what the documents of a folder leave out, for programs.
//!
//! It says who is given what, at what estimate and risk, which files stood in the folder when it was
//! written, and holds the tasks in the form of a plan file, without their prompts and criteria:
//! those are read from the documents. People need not look at it.

use std::collections::BTreeMap;

use divisi_core::diagnostic::Place;
use divisi_core::{Diagnostic, TaskId, TaskSpec};
use jsonc_parser::ast::Value as Ast;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::allocation::Risk;
use crate::faults::Faults;
use crate::words::{Context, Entity, Promise, Target};
use crate::workflow::InputValue;
use crate::{codes, json, plan_file, text};

/// The file's name.
pub const NAME: &str = "manifest.json";

/// The version of the form.
pub const FORMAT: u32 = 1;

/// What the folder was made from, and who is given what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`] when it was written.
    pub format: u32,
    /// The workflow's name.
    pub workflow: String,
    /// The iteration's id.
    pub iteration: String,
    /// Its name, as the workflow has it.
    pub name: String,
    /// What it is to reach.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub goal: String,
    /// The values of the workflow's inputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, InputValue>,
    /// Who is given what, in the order of the tasks.
    pub agents: Vec<Agent>,
    /// What all of it is expected to take.
    #[serde(default)]
    pub resource_estimate: Value,
    /// Digests of the other files as they were written, by their paths in the folder.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The tasks, as a plan file.
    pub plan: Value,
}

/// One agent's share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its task.
    pub subtask_id: TaskId,
    /// Its role's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its prompt's path in the folder, if it is given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What it works on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// What it promises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<Output>,
    /// Points of all of its targets.
    pub points: u64,
    /// Tokens that it is expected to take.
    pub estimated_tokens: u64,
    /// Its role's budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
    /// How likely it is that the budget does not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_level: Option<Risk>,
    /// Statements of the criteria's file that also hold for this task alone, beside those on files
    /// that it promises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<String>,
    /// Whether its exit status counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exit_status: bool,
}

/// A file that is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its path.
    pub path: String,
    /// The path as the workflow has it, with variables.
    pub template: String,
    /// The target that it is for; `None` where it is promised once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
}

/// A target by the variable that tells it from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// The variable, such as `story_id`.
    pub variable: String,
    /// What it is for this target.
    pub value: String,
}

/// What words may speak of: kinds of targets by the variable that stands for them, with what is
/// promised for each, and what is promised once.
pub(crate) fn context(outputs: impl IntoIterator<Item = Output>) -> Context {
    let mut context = Context::default();
    let mut kinds: BTreeMap<String, BTreeMap<String, Vec<Promise>>> = BTreeMap::new();
    for output in outputs {
        let promise = Promise {
            path: output.path,
            template: output.template,
            names: Vec::new(),
        };
        match output.of {
            Some(Of { variable, value }) => {
                let targets = kinds.entry(variable).or_default();
                targets.entry(value).or_default().push(promise);
            }
            None => context.promises.push(promise),
        }
    }
    for (variable, targets) in kinds {
        let targets = targets.into_iter();
        let targets = targets.map(|(name, promises)| Target { name, promises });
        let entity = Entity::of_variable(&variable, targets.collect());
        context.entities.push(entity);
    }
    context
}

impl Manifest {
    /// The file's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a manifest has only text keys");
        text.push('\n');
        text
    }
}

/// Reads the file: the manifest, and its tasks.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(
    source_name: &str,
    bytes: &[u8],
) -> Result<(Manifest, Vec<TaskSpec>), Vec<Diagnostic>> {
    let text = text::text(source_name, bytes, json::TEXT_BYTES_MAX).map_err(|told| vec![*told])?;
    let mut faults = Faults::new(source_name, text);
    let tasks = json::parse(text, &mut faults).and_then(|value| match &value {
        Ast::Object(object) => {
            let plan = object.get("plan").map(|property| &property.value);
            plan.and_then(|plan| plan_file::tasks_of(plan, &mut faults))
        }
        _ => None,
    });
    if faults.errors() > 0 {
        return Err(faults.finish());
    }
    let refused = |line: usize, column: usize, cause: String| {
        let place = Place {
            source: source_name.to_owned(),
            line: line as u32,
            column: column as u32,
        };
        let diagnostic = Diagnostic::error(codes::FOLDER_MANIFEST, cause).at(place);
        vec![diagnostic.hint("generate the folder anew: `divisi generate`")]
    };
    let manifest: Manifest = serde_json::from_str(text)
        .map_err(|error| refused(error.line(), error.column(), error.to_string()))?;
    if manifest.format != FORMAT {
        let format = manifest.format;
        let cause = format!("the manifest has format {format}, not {FORMAT}");
        return Err(refused(1, 1, cause));
    }
    match tasks {
        Some(tasks) => Ok((manifest, tasks)),
        None => Err(refused(1, 1, "the manifest has no plan".to_owned())),
    }
}
