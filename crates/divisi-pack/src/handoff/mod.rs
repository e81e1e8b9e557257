//! Handoffs that others wrote: the described form, and the variant that names masters.
//!
//! What Divisi itself hands to agents is `divisi-agents`' business; this reads the files that
//! others put down. A handoff is kept as the text that it was read from, so that writing it again
//! loses nothing: not a field that is not known here, and not the order of those that are.
//!
//! Whoever has taken a handoff in marks it with a suffix of its file's name, [`PROCESSED`].

#[cfg(test)]
mod tests;

use divisi_core::Diagnostic;
use divisi_core::plan::Priority;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged as _;

use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields;
use crate::plan_file::task::PRIORITIES;
use crate::{json, text};

/// The largest handoff read, in bytes: as large as those that Divisi writes.
pub const TEXT_BYTES_MAX: usize = 256 << 10;

/// What the name of a file ends in once its handoff was taken in.
pub const PROCESSED: &str = ".processed";

/// A handoff that somebody else wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handoff {
    /// Its name.
    pub id: String,
    /// Who hands off.
    pub from: String,
    /// To whom: the domain of a role, which the source calls a master.
    pub to: String,
    /// The task: `subtask_id`, or `task_id`, here or in `task_data`.
    pub task: Option<String>,
    /// The run that it belongs to.
    pub run: Option<String>,
    /// What it is worth.
    pub priority: Option<Priority>,
    /// What goes on around the task.
    pub context: Context,
    /// Whatever else is said of the task: its JSON as it was written.
    pub task_data: Option<String>,
    /// When it was made, as it was written.
    pub created_at: Option<String>,
    /// The fields that are not known here. They stay in the text.
    pub others: Vec<String>,
    /// Whether somebody has taken it in.
    pub is_processed: bool,
    text: String,
}

/// What goes on around a task. An entry is a task's id, with a remark in parentheses if need be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The intent, in a sentence.
    pub orchestration_context: Option<String>,
    /// What is done.
    pub dependencies_completed: Vec<String>,
    /// What waits for it.
    pub next_subtasks: Vec<String>,
    /// What runs beside it.
    pub related_subtasks: Vec<String>,
}

/// A handoff and what is wrong with its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The handoff; `None` exactly if an error is among the diagnostics.
    pub handoff: Option<Handoff>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Handoff {
    /// The text of its file, as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Reads a file that holds a handoff. `source_name` is its name, which says whether it was taken
/// in, and stands in the diagnostics' places.
#[must_use]
pub fn read(source_name: &str, bytes: &[u8]) -> Read {
    let is_processed = source_name.ends_with(PROCESSED);
    let (handoff, diagnostics) = text::read(source_name, bytes, TEXT_BYTES_MAX, |text, faults| {
        let value = json::parse(text, faults)?;
        let mut handoff = file(&value, text, faults)?;
        handoff.is_processed = is_processed;
        Some(handoff)
    });
    Read {
        handoff,
        diagnostics,
    }
}

/// The fields of an object, of which those that are asked for are known.
struct Open<'v, 't> {
    at: usize,
    pairs: Vec<(&'v str, usize, &'v Value<'t>)>,
    known: Vec<&'static str>,
}

impl<'v, 't> Open<'v, 't> {
    fn of(value: &'v Value<'t>, what: &str, faults: &mut Faults<'_>) -> Option<Open<'v, 't>> {
        let object = fields::object(value, what, faults)?;
        Some(Open {
            at: object.range.start,
            pairs: fields::pairs(object, faults),
            known: Vec::new(),
        })
    }

    /// The value of a field that has one of these names; two of them are one too many.
    fn get(&mut self, names: &[&'static str], faults: &mut Faults<'_>) -> Option<&'v Value<'t>> {
        self.known.extend(names);
        let is_it = |name: &str| names.contains(&name);
        let mut found = self
            .pairs
            .iter()
            .filter(|(name, _, value)| is_it(name) && !matches!(value, Value::NullKeyword(_)));
        let (first, _, value) = found.next()?;
        if let Some((second, at, _)) = found.next() {
            faults.error(codes::CONFLICT, *at, || {
                format!("both {} and {} are given", shown(first), shown(second))
            });
        }
        Some(value)
    }

    fn line(&mut self, names: &[&'static str], faults: &mut Faults<'_>) -> Option<String> {
        fields::line(self.get(names, faults)?, names[0], faults)
    }

    fn required(&mut self, names: &[&'static str], faults: &mut Faults<'_>) -> Option<String> {
        let Some(value) = self.get(names, faults) else {
            faults.error(codes::MISSING, self.at, || {
                format!("the handoff lacks the key `{}`", names[0])
            });
            return None;
        };
        fields::line(value, names[0], faults)
    }

    fn texts(&mut self, name: &'static str, faults: &mut Faults<'_>) -> Vec<String> {
        match self.get(&[name], faults) {
            None => Vec::new(),
            Some(Value::Array(array)) => {
                let elements = array.elements.iter();
                elements
                    .filter_map(|value| fields::line(value, name, faults))
                    .collect()
            }
            Some(value) => {
                fields::mistyped(&format!("`{name}`"), "a list", value, faults);
                Vec::new()
            }
        }
    }

    fn others(&self) -> Vec<String> {
        let names = self.pairs.iter().map(|(name, ..)| *name);
        let others = names.filter(|name| !self.known.contains(name));
        others.map(str::to_owned).collect()
    }
}

fn file(value: &Value<'_>, text: &str, faults: &mut Faults<'_>) -> Option<Handoff> {
    let mut fields = Open::of(value, "the handoff", faults)?;
    let id = fields.required(&["handoff_id"], faults);
    let from = fields.required(&["from", "from_master"], faults);
    let to = fields.required(&["to", "to_master"], faults);
    let data = fields.get(&["task_data"], faults);
    let own = fields.line(&["subtask_id", "task_id"], faults);
    let of_data = data.and_then(|data| of_data(data, faults));
    let priority = fields.get(&["priority"], faults);
    let context = fields.get(&["context"], faults);
    Some(Handoff {
        task: own.or(of_data),
        run: fields.line(&["parent_orchestration"], faults),
        priority: priority.and_then(|it| fields::word_of(it, "priority", PRIORITIES, faults)),
        context: context
            .and_then(|it| around(it, faults))
            .unwrap_or_default(),
        task_data: data.map(|data| data.range().text(text).to_owned()),
        created_at: fields.line(&["created_at"], faults),
        others: fields.others(),
        is_processed: false,
        text: text.to_owned(),
        id: id?,
        from: from?,
        to: to?,
    })
}

/// The task's id, where only its data says it. Whatever else the data says is not looked at.
fn of_data(data: &Value<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let Value::Object(_) = data else {
        return None;
    };
    Open::of(data, "`task_data`", faults)?.line(&["subtask_id", "task_id", "id"], faults)
}

fn around(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Context> {
    let mut fields = Open::of(value, "`context`", faults)?;
    let said = fields.get(&["orchestration_context"], faults);
    Some(Context {
        orchestration_context: said
            .and_then(|it| fields::loose_text(it, "orchestration_context", faults)),
        dependencies_completed: fields.texts("dependencies_completed", faults),
        next_subtasks: fields.texts("next_subtasks", faults),
        related_subtasks: fields.texts("related_subtasks", faults),
    })
}
