//! What a role tells those who work in it, as a text for handoffs.
//!
//! Tasks of a plan file name their role; what it tells is resolved once, when the run is created.
//! Tasks that a workflow makes have it in their prompts, in the words of their template.

use std::collections::BTreeMap;

use divisi_core::criterion::truncate;
use divisi_core::plan::Work;
use divisi_core::{Plan, TaskKind};

use super::{Library, Role};

/// The longest text of a role, in bytes: each handoff of the role holds it.
pub const TOLD_BYTES_MAX: usize = 16 << 10;

impl Role {
    /// What it tells those who work in it.
    #[must_use]
    pub fn told(&self) -> String {
        let mut text = format!("You are the {}.", self.name);
        if !self.perspective.is_empty() {
            text.push_str(&format!(" You see things as: {}.", self.perspective));
        }
        // What binds it first: were it cut, that would be missed most.
        for (heading, list) in [
            ("You are bound by", &self.constraints),
            ("You answer for", &self.responsibilities),
            ("You look first at", &self.focus),
            ("You ask yourself", &self.questions),
            ("You deliver", &self.output_format),
        ] {
            if list.is_empty() {
                continue;
            }
            text.push_str(&format!("\n\n{heading}:"));
            for entry in list {
                text.push_str(&format!("\n- {entry}"));
            }
        }
        truncate(&mut text, TOLD_BYTES_MAX);
        text
    }
}

/// What the roles of a plan's tasks tell, by [`divisi_core::TaskSpec::role`]. Where agents plan
/// more tasks, nobody knows yet which roles those will have: then it is every role that a task can
/// name.
#[must_use]
pub fn told(library: &Library, plan: &Plan) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    for task in &plan.tasks {
        let found = library.of_task(task.domain.as_deref(), task.function.as_deref());
        if let (Some(name), Some(role)) = (task.role(), found) {
            told.entry(name).or_insert_with(|| role.told());
        }
    }
    let plans = |task: &divisi_core::TaskSpec| {
        task.kind == TaskKind::Plan && !matches!(task.work, Work::Expand(_))
    };
    if plan.tasks.iter().any(plans) {
        for role in library.iter() {
            let name = match (&role.domain, &role.function) {
                (None, _) => continue,
                (Some(domain), None) => domain.clone(),
                (Some(domain), Some(function)) => format!("{domain}/{function}"),
            };
            told.entry(name).or_insert_with(|| role.told());
        }
    }
    told
}
