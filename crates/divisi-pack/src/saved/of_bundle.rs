//! The workflow of a bundle, with what its run was given.

use super::{Origin, Parameter, Saved};
use crate::bundle::Bundle;
use crate::pattern;
use crate::role::canonical;
use crate::workflow::{InputKind, Targets, Workflow};

/// The workflow that a run was made of: the values of its inputs are their defaults, patterns that
/// were given in place of targets stand in their place, and so do agents at their roles' entries.
#[must_use]
pub fn of_bundle(name: &str, bundle: &Bundle) -> Saved {
    let mut workflow = Workflow {
        name: name.to_owned(),
        ..bundle.workflow.clone()
    };
    let (mut parameters, mut left_out) = (Vec::new(), Vec::new());
    for declared in &mut workflow.inputs {
        let Some(value) = bundle.inputs.get(&declared.name).map(ToString::to_string) else {
            continue;
        };
        // A revision is that of the run's day, and an empty text is no value.
        if declared.kind == InputKind::Fork || value.is_empty() {
            if !value.is_empty() {
                let told = format!("the input {} of that run, {value}", declared.name);
                left_out.push(told);
            }
            continue;
        }
        parameters.push(Parameter {
            name: declared.name.clone(),
            value: value.clone(),
            of: Origin::Input,
        });
        declared.default = Some(value);
    }
    for (name, value) in &bundle.inputs {
        let is_declared = workflow.inputs.iter().any(|it| it.name == *name)
            || workflow.file_names().any(|(its, _)| its == *name);
        if !is_declared {
            left_out.push(format!(
                "the variable {name} of that run, {value}: give it with `--set`"
            ));
        }
    }
    let mut literal = Vec::new();
    if !bundle.targets.is_empty() {
        let targets = bundle.targets.join(", ");
        literal.push(format!("the targets {targets}; `--targets` gives others"));
    }
    put_targets(&mut workflow, bundle);
    put_agents(&mut workflow, bundle);
    Saved {
        workflow,
        parameters,
        literal,
        left_out,
    }
}

fn put_targets(workflow: &mut Workflow, bundle: &Bundle) {
    if bundle.targets.is_empty() {
        return;
    }
    let first = workflow.iterations.iter_mut();
    let first = first.filter(|it| it.dependencies.is_empty());
    let entries = first.flat_map(|it| &mut it.entries);
    for entry in entries.filter(|entry| !entry.targets.is_empty()) {
        entry.targets = bundle.targets.iter().map(|it| targets(it)).collect();
    }
}

/// Targets as they were given. Of a file that was given as such, variables are its name: that takes a
/// pattern that binds something, which a filter holds to the file.
fn targets(given: &str) -> Targets {
    if !pattern::is_literal(given) {
        return Targets {
            pattern: given.to_owned(),
            filter: None,
        };
    }
    let stem = pattern::stem(given);
    let name = given.rfind('/').map_or(0, |at| at + 1);
    let ending = &given[name + stem.len()..];
    let quoted = serde_json::Value::from(given);
    Targets {
        pattern: format!("{}*{ending}", &given[..name]),
        filter: Some(format!("path == {quoted}")),
    }
}

fn put_agents(workflow: &mut Workflow, bundle: &Bundle) {
    let entries = workflow
        .iterations
        .iter_mut()
        .flat_map(|it| &mut it.entries);
    for entry in entries {
        let role = entry.role.as_deref().map(canonical);
        let role = role.and_then(|name| bundle.roles.get(&name));
        let agent = role.and_then(|role| bundle.agents.get(&role.id));
        if let Some(agent) = agent {
            entry.settings.agent = Some(agent.clone());
        }
    }
}
