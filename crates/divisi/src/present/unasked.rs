//! Agents that ask nobody for leave, though rules of the run would deny them something or have a person
//! asked: to them such a rule means nothing, which whoever wrote it should know before the run.

use std::collections::BTreeSet;

use divisi_agents::adapter::{Asks, product};
use divisi_core::diagnostic::Place;
use divisi_core::permission::{Rule, Ruling};
use divisi_core::run::{Defined, Settings, Speaks};
use divisi_core::{Diagnostic, TaskSpec};

use super::{NAMES_MAX, Tasks};

/// What of the rules means nothing to whom.
#[derive(Debug)]
pub(super) struct Unasked {
    /// Those that deny, or have somebody asked.
    rules: Vec<Rule>,
    /// Where they stand.
    place: Option<Place>,
    in_vain: BTreeSet<usize>,
    agents: BTreeSet<String>,
    tasks: Tasks,
}

impl Unasked {
    /// The rules that do more than allow, all of which stand at one place.
    pub(super) fn of(settings: &Settings, place: Option<Place>) -> Unasked {
        let rules = settings.permissions.rules.iter();
        let bounding = rules.filter(|rule| rule.then != Ruling::Allow);
        Unasked {
            rules: bounding.cloned().collect(),
            place,
            in_vain: BTreeSet::new(),
            agents: BTreeSet::new(),
            tasks: Tasks::default(),
        }
    }

    /// Looks at a task, which one of these agents is to do, or to take over.
    pub(super) fn see<'a>(
        &mut self,
        task: &TaskSpec,
        agents: impl Iterator<Item = &'a str>,
        settings: &Settings,
    ) {
        if self.rules.is_empty() {
            return;
        }
        let agents: Vec<&str> = agents
            .filter(|agent| asks_nobody(agent, settings))
            .collect();
        let role = task.role();
        let rules = (0..).zip(&self.rules);
        let concern = rules.filter(|(_, rule)| rule.is_of(role.as_deref()));
        let concern: Vec<usize> = concern.map(|(index, _)| index).collect();
        if agents.is_empty() || concern.is_empty() {
            return;
        }
        self.in_vain.extend(concern);
        self.agents.extend(agents.into_iter().map(str::to_owned));
        self.tasks.add(task);
    }

    /// What is to be said of it, once for all.
    pub(super) fn told(self) -> Option<Diagnostic> {
        if self.agents.is_empty() {
            return None;
        }
        let rules = self.in_vain.iter().map(|index| &self.rules[*index]);
        let ask = match self.agents.len() {
            1 => "asks",
            _ => "ask",
        };
        let cause = format!(
            "{} {ask} nobody for leave, so for {} nothing comes of {}",
            some_of(self.agents.iter()),
            self.tasks.said(),
            some_of(rules),
        );
        let told = Diagnostic::warning("permission-unasked", cause)
            .hint("what has to be asked or denied is done by an agent that asks: `claude`, or one over ACP");
        Some(match self.place {
            Some(place) => told.at(place),
            None => told,
        })
    }
}

/// Whether an agent does whatever its own rules allow. Programs of plans are no agents.
fn asks_nobody(agent: &str, settings: &Settings) -> bool {
    match settings.defined.get(agent) {
        Some(Defined::Program(program)) => program.speaks == Speaks::Text,
        Some(Defined::Model(_)) => false,
        None => product(agent).is_some_and(|product| product.asks == Asks::Never),
    }
}

/// The first of them, and how many more there are.
fn some_of(all: impl ExactSizeIterator<Item = impl std::fmt::Display>) -> String {
    let more = all.len().saturating_sub(NAMES_MAX);
    let named: Vec<String> = all.take(NAMES_MAX).map(|it| format!("`{it}`")).collect();
    match more {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
