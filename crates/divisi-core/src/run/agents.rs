//! The agents that a run knows by name: those a plan can name, and Divisi itself.

use super::defined::Defined;
use super::settings::Settings;
use crate::plan::{TaskKind, TaskSpec, Work};
use crate::receipt::Receipt;

/// Runs a command or a script.
pub const AGENT_COMMAND: &str = "command";
/// A person, who answers with `submit`.
pub const AGENT_PERSON: &str = "person";
/// Nobody: a script of results is played, for trials and tests.
pub const AGENT_SCRIPTED: &str = "scripted";
/// Agents that somebody may have installed, each by its product's name.
pub const AGENTS_INSTALLABLE: [&str; 11] = [
    "claude",
    "codex",
    "opencode",
    "gemini",
    "qwen",
    "copilot",
    "claude-acp",
    "opencode-acp",
    "gemini-acp",
    "copilot-acp",
    "qwen-acp",
];
/// A model that Divisi itself asks over its API; it is there once configuration says which.
pub const AGENT_MODEL: &str = "model";
/// The agents that `auto` may stand for unless told, the best first.
pub const AGENTS_PREFERRED: [&str; 4] = [
    AGENTS_INSTALLABLE[0],
    AGENTS_INSTALLABLE[1],
    AGENTS_INSTALLABLE[2],
    AGENT_MODEL,
];
/// The agents that a plan can name, beside those that configuration names.
pub const AGENTS: [&str; 15] = [
    AGENT_COMMAND,
    AGENT_PERSON,
    AGENT_SCRIPTED,
    AGENTS_INSTALLABLE[0],
    AGENTS_INSTALLABLE[1],
    AGENTS_INSTALLABLE[2],
    AGENTS_INSTALLABLE[3],
    AGENTS_INSTALLABLE[4],
    AGENTS_INSTALLABLE[5],
    AGENTS_INSTALLABLE[6],
    AGENTS_INSTALLABLE[7],
    AGENTS_INSTALLABLE[8],
    AGENTS_INSTALLABLE[9],
    AGENTS_INSTALLABLE[10],
    AGENT_MODEL,
];
/// Stands for an agent where one is named: the one that was found when the run was created.
pub const AGENT_AUTO: &str = "auto";
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

/// Whether an agent asks a model, or plays one that does: tokens and money are reserved for it. A
/// program of the plan's that asks one by itself does so unseen.
#[must_use]
pub fn asks_model(agent: &str) -> bool {
    let ours = [AGENT_COMPOSE, AGENT_EXPAND];
    holds_slot(agent) && agent != AGENT_COMMAND && !ours.contains(&agent)
}

/// What works under an agent's name: several names may stand for one product.
pub(super) fn product(agent: &str, settings: &Settings) -> String {
    match settings.defined.get(agent) {
        Some(Defined::Model(model)) => format!("{} {}", model.provider.word(), model.model),
        Some(Defined::Program(program)) => {
            let path = program.command.first().map_or("", String::as_str);
            let name = path.rsplit('/').next().unwrap_or(path);
            match AGENTS_INSTALLABLE.contains(&name) {
                true => name.to_owned(),
                false => program.command.join(" "),
            }
        }
        None => agent.strip_suffix("-acp").unwrap_or(agent).to_owned(),
    }
}

/// Whether an agent works as a process, which somebody sees end.
#[must_use]
pub fn is_process(agent: &str) -> bool {
    agent == AGENT_COMMAND || (asks_model(agent) && !is_scripted(agent))
}

/// What an agent says of what it uses of a model, whenever its attempt ends in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// All of it. Who uses none has nothing to say.
    All,
    /// Less than it uses.
    Part,
    /// Nothing.
    Nothing,
}

/// What an agent of this name says of what it uses. Who is not known is expected to say all: what it
/// then keeps back is charged as it was reserved.
#[must_use]
pub fn reports(agent: &str, settings: &Settings) -> Reports {
    match (agent, settings.defined.get(agent)) {
        // It tells of its last request only.
        ("opencode-acp", _) => Reports::Part,
        ("copilot", _) | (_, Some(Defined::Program(_))) => Reports::Nothing,
        _ => Reports::All,
    }
}

/// What is not known of the use of an attempt that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// Anything: its agent never says it.
    Ever,
    /// Anything, though its agent says it mostly.
    ThisTime,
    /// More than a part.
    Rest,
}

/// What an agent did not say of what its attempt used of a model, if it asks one. Whoever plays a
/// script uses nothing.
#[must_use]
pub fn unsaid(agent: &str, settings: &Settings, receipt: &Receipt) -> Option<Unsaid> {
    let Receipt::Submitted { usage, .. } = receipt else {
        return None;
    };
    if !asks_model(agent) || is_scripted(agent) {
        return None;
    }
    match (usage, reports(agent, settings)) {
        (None, Reports::Nothing) => Some(Unsaid::Ever),
        (None, _) => Some(Unsaid::ThisTime),
        (Some(usage), Reports::Part) if usage.tokens > 0 => Some(Unsaid::Rest),
        (Some(_), _) => None,
    }
}

impl std::fmt::Display for Unsaid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unsaid::Ever => "did not say what it used: only time and attempts count",
            Unsaid::ThisTime => {
                "did not say what it used: of a budget, all that was reserved is charged"
            }
            Unsaid::Rest => {
                "says less than it used: of a budget, at least what was reserved is charged"
            }
        })
    }
}

/// Whether an agent only plays a script. Whatever it does is labelled so wherever it shows.
#[must_use]
pub fn is_scripted(agent: &str) -> bool {
    agent == AGENT_SCRIPTED
}

/// Who does a task first: the agent that the plan names, or the one that its work calls for. What
/// there is to execute needs no agent that is found.
#[must_use]
pub fn agent_of<'a>(spec: &'a TaskSpec, settings: &'a Settings) -> &'a str {
    let named = spec.agent.as_deref();
    match (
        named.filter(|agent| *agent != AGENT_AUTO),
        &spec.work,
        spec.kind,
    ) {
        (Some(agent), _, _) => agent,
        (None, _, TaskKind::External) => AGENT_EXTERNAL,
        (None, Work::Command(_) | Work::Script(_), _) => AGENT_COMMAND,
        (None, Work::Template(_) | Work::Nothing, _) => AGENT_COMPOSE,
        (None, Work::Expand(_), _) => AGENT_EXPAND,
        (None, Work::Handoff, _) => settings.meant(name_of(spec, settings), spec.role().as_deref()),
    }
}

/// How the agent of a task that is handed over is named: by the plan, for its role, or for all.
#[must_use]
pub fn name_of<'a>(spec: &'a TaskSpec, settings: &'a Settings) -> &'a str {
    if let Some(named) = &spec.agent {
        return named;
    }
    let of_role = spec.role().and_then(|role| settings.agents.get(&role));
    of_role.unwrap_or(&settings.agent_default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TaskId;

    #[test]
    fn auto_is_whoever_was_found_and_what_is_executed_needs_nobody() {
        let settings = Settings {
            agent_auto: "codex".to_owned(),
            ..Settings::default()
        };
        let open = Settings {
            agent_default: AGENT_AUTO.to_owned(),
            ..settings.clone()
        };
        let auto = Some(AGENT_AUTO);
        for (agent, work, kind, settings, expected) in [
            (auto, Work::Handoff, TaskKind::Work, &settings, "codex"),
            (None, Work::Handoff, TaskKind::Work, &settings, AGENT_PERSON),
            (None, Work::Handoff, TaskKind::Work, &open, "codex"),
            (
                Some("claude"),
                Work::Handoff,
                TaskKind::Work,
                &open,
                "claude",
            ),
            (
                auto,
                Work::Script("true".into()),
                TaskKind::Work,
                &settings,
                AGENT_COMMAND,
            ),
            (
                auto,
                Work::Nothing,
                TaskKind::Approval,
                &settings,
                AGENT_COMPOSE,
            ),
            (
                auto,
                Work::Handoff,
                TaskKind::External,
                &settings,
                AGENT_EXTERNAL,
            ),
        ] {
            let spec = TaskSpec {
                agent: agent.map(str::to_owned),
                work,
                kind,
                ..TaskSpec::command(TaskId::new("a").unwrap(), &[])
            };
            assert_eq!(agent_of(&spec, settings), expected, "{spec:?}");
        }
    }
}
