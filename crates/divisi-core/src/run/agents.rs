//! The agents that a run knows by name: those a plan can name, and Divisi itself.

use super::settings::Settings;
use crate::plan::{TaskKind, TaskSpec, Work};

/// Runs a command or a script.
pub const AGENT_COMMAND: &str = "command";
/// A person, who answers with `submit`.
pub const AGENT_PERSON: &str = "person";
/// Nobody: a script of results is played, for trials and tests.
pub const AGENT_SCRIPTED: &str = "scripted";
/// The agents that a plan can name; the last ones are coding agents, each by its product's name.
pub const AGENTS: [&str; 6] = [
    AGENT_COMMAND,
    AGENT_PERSON,
    AGENT_SCRIPTED,
    "claude",
    "codex",
    "opencode",
];
/// Divisi itself, filling a template or integrating inputs.
pub const AGENT_COMPOSE: &str = "compose";
/// Divisi itself, making tasks by rule.
pub const AGENT_EXPAND: &str = "expand";
/// Something outside brings files that are already made.
pub const AGENT_EXTERNAL: &str = "external";

/// Whether an attempt by this agent takes up a worker's slot. People and external inputs do not.
#[must_use]
pub fn holds_slot(agent: &str) -> bool {
    !matches!(agent, AGENT_PERSON | AGENT_EXTERNAL)
}

/// Whether an agent only plays a script. Whatever it does is labelled so wherever it shows.
#[must_use]
pub fn is_scripted(agent: &str) -> bool {
    agent == AGENT_SCRIPTED
}

/// Who does a task first: the agent that the plan names, or the one that its work calls for.
#[must_use]
pub fn agent_of<'a>(spec: &'a TaskSpec, settings: &'a Settings) -> &'a str {
    match (&spec.agent, &spec.work, spec.kind) {
        (Some(agent), _, _) => agent,
        (None, _, TaskKind::External) => AGENT_EXTERNAL,
        (None, Work::Command(_) | Work::Script(_), _) => AGENT_COMMAND,
        (None, Work::Template(_) | Work::Nothing, _) => AGENT_COMPOSE,
        (None, Work::Expand(_), _) => AGENT_EXPAND,
        (None, Work::Handoff, _) => {
            let of_role = spec.role().and_then(|role| settings.agents.get(&role));
            of_role.unwrap_or(&settings.agent_default)
        }
    }
}
