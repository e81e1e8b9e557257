//! Gives a plan, or a workflow, what it leaves open.

use std::collections::BTreeMap;

use divisi_core::plan::Work;
use divisi_core::preparation::Preparation;
use divisi_core::run::{
    AGENT_AUTO, AGENT_COMPOSE, AGENT_EXPAND, AGENT_EXTERNAL, AGENTS, is_definable,
};
use divisi_core::{Diagnostic, Plan, TaskKind};

use super::{Config, Values};
use crate::bundle::{Calibration, Given, Rate, Usual};
use crate::codes;
use crate::faults::shown;
use crate::nearest::nearest;
use crate::plan_file::workspace;
use crate::role::Library;
use crate::workflow::Lead;

/// Gives a plan what it leaves open: the preparation of its workspaces if it says nothing of it,
/// the agents of roles where its tasks name none, and criteria after its own. `values` are those
/// that the configuration was made of; they say where something stands that does not fit.
///
/// Nothing is executed by this: it is the plan that is shown to whoever has to consent to it.
pub fn apply(
    config: &Config,
    values: &Values,
    library: &Library,
    plan: &mut Plan,
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if plan.preparation.is_empty() {
        plan.preparation = preparation(config);
        diagnostics.extend(copied(plan, values));
    }
    plan.criteria.extend(config.checks.iter().cloned());
    diagnostics.extend(agents(config, values, library, plan));
    diagnostics.extend(limits(config, values, library, plan));
    diagnostics.extend(handoffs(config, values));
    diagnostics
}

/// Limits of what nothing is called: they would hold nobody back.
fn limits(config: &Config, values: &Values, library: &Library, plan: &Plan) -> Vec<Diagnostic> {
    let ours = [AGENT_COMPOSE, AGENT_EXTERNAL, AGENT_EXPAND];
    let is_part = |role: Option<String>, name: &str| {
        role.is_some_and(|role| role == name || role.split('/').any(|part| part == name))
    };
    let is_known = |name: &str| {
        AGENTS.contains(&name)
            || is_definable(name)
            || ours.contains(&name)
            || { library.iter() }.any(|role| is_part(role.name_of_tasks(), name))
            || { plan.tasks.iter() }.any(|task| is_part(task.role(), name))
    };
    let unknown = config.limits.keys().filter(|name| !is_known(name));
    let told = |name: &String| {
        // A workflow may describe it.
        let told = Diagnostic::warning(
            codes::WORKFLOW_ROLE,
            format!("no agent and no role is called {}", shown(name)),
        )
        .hint("a role is named as tasks do, by its domain, its function, or `domain/function`");
        match values.get(&format!("run.limits.{name}")) {
            Some(given) => told.at(given.place.clone()),
            None => told,
        }
    };
    unknown.map(told).collect()
}

/// What nobody may be told: there is no such agent.
fn handoffs(config: &Config, values: &Values) -> Vec<Diagnostic> {
    let told = |name: &String| {
        let told = unknown_agent(name)?;
        Some(match values.get(&format!("handoff.agents.{name}")) {
            Some(given) => told.at(given.place.clone()),
            None => told,
        })
    };
    config.handoff_agents.keys().filter_map(told).collect()
}

fn preparation(config: &Config) -> Preparation {
    Preparation {
        copy: config.copy.clone(),
        setup: config.setup.clone(),
        inputs: config.setup_inputs.clone(),
        timeout_ms: config.setup_timeout_ms,
    }
}

/// What is copied and promised at once, as a plan that said it itself would be refused for.
fn copied(plan: &Plan, values: &Values) -> Option<Diagnostic> {
    let (pattern, task, path) = workspace::copied_promise(&plan.preparation.copy, &plan.tasks)?;
    let cause = format!(
        "{} would copy {}, which the task {} promises",
        shown(pattern),
        shown(path),
        shown(task.as_str())
    );
    let told = Diagnostic::error(codes::CONFLICT, cause);
    Some(match values.get("workspace.copy") {
        Some(given) => told.at(given.place.clone()),
        None => told,
    })
}

fn agents(config: &Config, values: &Values, library: &Library, plan: &mut Plan) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut agents = Vec::with_capacity(config.agents.len());
    for (name, agent) in &config.agents {
        if let Some(role) = library.get(name) {
            agents.push((role.id.as_str(), agent));
            continue;
        }
        diagnostics.push(no_role("run.agents", name, values, library));
    }
    let preferred = config.prefer_by_role.keys();
    let unknown = preferred.filter(|name| library.get(name).is_none());
    diagnostics.extend(unknown.map(|name| no_role("agents.prefer_by_role", name, values, library)));
    for task in &mut plan.tasks {
        let is_open = task.agent.is_none()
            && task.work == Work::Handoff
            && !matches!(task.kind, TaskKind::External | TaskKind::Approval);
        let domain = task.domain.as_deref().filter(|_| is_open);
        let Some(domain) = domain else {
            continue;
        };
        let role = library.of_task(Some(domain), task.function.as_deref());
        let found = role.and_then(|role| agents.iter().find(|(id, _)| *id == role.id));
        task.agent = found.map(|(_, agent)| (*agent).clone());
    }
    diagnostics
}

/// That a setting by role names one that is not there. A workflow may describe it.
fn no_role(setting: &str, name: &str, values: &Values, library: &Library) -> Diagnostic {
    let mut told = Diagnostic::warning(
        codes::WORKFLOW_ROLE,
        format!("there is no role {}", shown(name)),
    );
    if let Some(meant) = library.nearest(name) {
        told = told.hint(format!("did you mean {}?", shown(meant)));
    }
    match values.get(&format!("{setting}.{name}")) {
        Some(given) => told.at(given.place.clone()),
        None => told,
    }
}

/// That there is no such agent; `None` if there is.
#[must_use]
pub fn unknown_agent(agent: &str) -> Option<Diagnostic> {
    let all: Vec<&str> = AGENTS.into_iter().chain([AGENT_AUTO]).collect();
    if all.contains(&agent) || is_definable(agent) {
        return None;
    }
    let told = Diagnostic::error(codes::AGENT, format!("there is no agent {}", shown(agent)));
    let told = match nearest(agent, all.iter().copied()) {
        Some(meant) => told.hint(format!("did you mean {}?", shown(meant))),
        None => told,
    };
    Some(told.hint(format!("there are {}", all.join(", "))))
}

/// The agents of roles as tasks name them (`domain/function`), for tasks that are planned later. A
/// role that is not found was told of by [`apply`].
#[must_use]
pub fn agents_by_role(config: &Config, library: &Library) -> BTreeMap<String, String> {
    let configured = config.agents.iter();
    let found = configured.filter_map(|(name, agent)| Some((library.get(name)?, agent)));
    found
        .filter_map(|(role, agent)| Some((role.name_of_tasks()?, agent.clone())))
        .collect()
}

/// The agents that are preferred for roles, by their names as tasks have them.
#[must_use]
pub fn preferred_by_role(config: &Config, library: &Library) -> BTreeMap<String, Vec<String>> {
    let configured = config.prefer_by_role.iter();
    let found = configured.filter_map(|(name, agents)| Some((library.get(name)?, agents)));
    found
        .filter_map(|(role, agents)| Some((role.name_of_tasks()?, agents.clone())))
        .collect()
}

/// What a workflow is given: what it leaves open, and what a point takes.
#[must_use]
pub fn given(config: &Config) -> Given {
    let lead = Lead {
        role: config.lead_role.clone(),
        perspective: config.lead_perspective.clone(),
        capabilities: config.lead_capabilities.clone(),
        decision_framework: config.lead_decisions.clone(),
    };
    let agents = config.agents.clone();
    Given {
        calibration: Calibration {
            rate: Rate {
                tokens_per_point: config.tokens_per_point,
                ms_per_point: config.ms_per_point,
                is_learned: false,
            },
            ..Calibration::default()
        },
        usual: Usual {
            agents: agents.into_iter().collect(),
            targets_max: config.complexity_threshold,
            lead: (lead != Lead::default()).then_some(lead),
        },
        ..Given::default()
    }
}
