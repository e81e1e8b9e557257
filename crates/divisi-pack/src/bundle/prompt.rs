//! Prompts: role, work and context as one text, rendered once and never looked at again.

use std::collections::BTreeSet;

use divisi_core::diagnostic::Place;
use minijinja::context;
use minijinja::value::{Serde, Value};

use super::targets::{Target, Values};
use super::told::Told;
use super::{Bundle, PROMPT_BYTES_MAX, PROMPTS_BYTES_MAX};
use crate::allocation::Share;
use crate::codes;
use crate::faults::shown;
use crate::folder;
use crate::placeholder;
use crate::role::Role;
use crate::template::{Fault, GENERIC, Templates};
use crate::workflow::{Iteration, Promised, Statement};

/// What prompts say of the context, which each handoff has beside its prompt.
pub(super) const CONTEXT_BESIDE: &str =
    "What all tasks of this iteration are told stands in your handoff as its stage context.";

/// What a prompt says beside role and iteration.
pub(super) struct Said<'s> {
    pub(super) share: &'s Share,
    pub(super) title: &'s str,
    pub(super) made: Vec<(&'s str, &'s Promised)>,
    pub(super) targets: Vec<&'s Target>,
    pub(super) conditions: &'s [String],
}

/// The prompts of one iteration.
pub(super) struct Prompts<'b> {
    bundle: &'b Bundle,
    templates: Templates<'b>,
    iteration: Value,
    criteria: Vec<String>,
    context: String,
    /// What the prompts say of it.
    context_said: &'static str,
    /// Templates that failed: they would fail again, and may take long to do so.
    failed: BTreeSet<String>,
    /// Bytes of all prompts so far.
    bytes: usize,
}

/// The text of a document; after telling why it cannot be made, an empty one.
pub(super) fn unfilled(
    text: Result<String, Fault>,
    place: &Place,
    document: &str,
    told: &mut Told,
) -> String {
    text.unwrap_or_else(|fault| {
        told.error(codes::WORKFLOW_TEMPLATE, place, &[], || {
            format!("{document} cannot be written: {fault}")
        });
        String::new()
    })
}

/// Where the text stands that all tasks of an iteration share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In each handoff, beside its prompt.
    InHandoffs,
    /// In a file beside them, which the prompts name.
    Beside,
}

/// All templates of a bundle.
pub(super) fn templates(bundle: &Bundle) -> Templates<'_> {
    let templates = bundle.templates.iter();
    Templates::new(templates.map(|(name, text)| (&**name, &**text)))
}

impl<'b> Prompts<'b> {
    pub(super) fn new(
        bundle: &'b Bundle,
        iteration: &'b Iteration,
        standing: Standing,
        told: &mut Told,
    ) -> Prompts<'b> {
        let templates = templates(bundle);
        let values = Values {
            bundle,
            target: None,
        };
        // Of a check it is its sentence that is filled, so that it reads the same for all targets.
        let words = |statement: &Statement| {
            let text = match statement {
                Statement::Words(text) => text.clone(),
                Statement::Check(check) => check.to_string(),
            };
            placeholder::fill(&text, |name| values.get(name))
        };
        let context = match standing {
            Standing::Beside => folder::stage::CONTEXT_BESIDE.to_owned(),
            Standing::InHandoffs => {
                let file = bundle.context_file(iteration);
                let text = folder::context::write(&file, &templates);
                unfilled(text, &iteration.place, folder::context::NAME, told)
            }
        };
        Prompts {
            bundle,
            templates,
            iteration: context! {
                id => iteration.id.as_str(),
                name => iteration.name.as_str(),
                goal => iteration.goal.as_str(),
                phase => iteration.phase.as_deref().unwrap_or_default(),
            },
            criteria: iteration.criteria.iter().map(words).collect(),
            context: context.trim_end().to_owned(),
            context_said: match standing {
                Standing::Beside => folder::stage::CONTEXT_BESIDE,
                Standing::InHandoffs => CONTEXT_BESIDE,
            },
            failed: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// The text that all handoffs of the iteration are given.
    pub(super) fn context(&self) -> &str {
        &self.context
    }

    fn workflow(&self) -> Value {
        let workflow = &self.bundle.workflow;
        context! {
            name => workflow.name.as_str(),
            description => workflow.description.as_str(),
            version => workflow.version.as_deref().unwrap_or_default(),
        }
    }

    pub(super) fn render(
        &mut self,
        instructions: &str,
        role: Option<&Role>,
        said: &Said<'_>,
        told: &mut Told,
    ) -> String {
        let name = role.and_then(|role| self.bundle.prompts.get(&role.id));
        let name = name.map_or(GENERIC, String::as_str).to_owned();
        let files = said.made.iter().map(|(path, promised)| {
            context! {
                path => *path,
                template => promised.template.as_deref().unwrap_or_default(),
                description => promised.description.as_deref().unwrap_or_default(),
            }
        });
        let targets = said
            .targets
            .iter()
            .map(|target| context! { path => target.path.as_str() });
        let share = said.share;
        let values = context! {
            role => Value::from(Serde(role)),
            workflow => self.workflow(),
            iteration => self.iteration.clone(),
            task => context! {
                id => share.task.as_str(),
                title => said.title,
                number => share.number,
                agents => share.agents,
            },
            instructions,
            targets => targets.collect::<Vec<Value>>(),
            deliverables => files.collect::<Vec<Value>>(),
            conditions => Value::from_iter(said.conditions.iter().map(String::as_str)),
            inputs => Value::from(Serde(&self.bundle.inputs)),
            completion_criteria => Value::from_iter(self.criteria.iter().map(String::as_str)),
            context => self.context_said,
            points => share.points,
            estimated_tokens => share.tokens,
            risk_level => share.risk.map_or("unknown", |risk| risk.word()),
        };
        let text = self.fill(&name, values, told).unwrap_or_default();
        self.bytes += text.len();
        text
    }

    /// Whether there are more of them than one iteration may bring; it is told once.
    pub(super) fn are_too_long(&mut self, place: &Place, told: &mut Told) -> bool {
        if self.bytes <= PROMPTS_BYTES_MAX {
            return false;
        }
        let hints = ["give each agent more targets, or shorten the template or the role"];
        told.error(codes::TOO_LARGE, place, &hints, || {
            format!(
                "the prompts of the iteration have more than {PROMPTS_BYTES_MAX} bytes together"
            )
        });
        true
    }

    fn fill(&mut self, name: &str, values: Value, told: &mut Told) -> Option<String> {
        if self.failed.contains(name) {
            return None;
        }
        match self.templates.fill(name, values, PROMPT_BYTES_MAX) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(fault) => {
                told.error(
                    codes::WORKFLOW_TEMPLATE,
                    &self.bundle.workflow.place,
                    &[],
                    || format!("the template {} cannot be filled: {fault}", shown(name)),
                );
                self.failed.insert(name.to_owned());
                None
            }
        }
    }
}
