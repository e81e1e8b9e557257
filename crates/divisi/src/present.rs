//! The coding agents of this machine, for a run that is about to be created: which one `auto`
//! stands for, and whether those that its tasks name are there.
//!
//! Whatever is missing is told at once, with the tasks that would wait for it in vain, instead of
//! failing one attempt after the other.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use divisi_agents::Figures;
use divisi_agents::adapter::{PRODUCTS, Product, product, program};
use divisi_core::diagnostic::Severity;
use divisi_core::run::{AGENT_AUTO, AGENT_PERSON, Budget, Settings, agent_of, asks_model, name_of};
use divisi_core::{Diagnostic, TaskSpec};

use crate::exit::Exit;
use crate::library::has_error;
use crate::printer::{Failure, Printer};

/// So many tasks are named where an agent is missing.
const NAMES_MAX: usize = 3;

/// The variables of this process, as agents may be given them.
pub(crate) fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Which coding agents are on `PATH`, looked up once.
pub(crate) struct Present(BTreeMap<&'static str, bool>);

impl Present {
    /// Looks for all that are known.
    pub(crate) fn look() -> Present {
        let path = std::env::var_os("PATH");
        let one = |product: &'static Product| {
            let is_there = program(product, path.as_deref()).is_some();
            (product.name, is_there)
        };
        Present(PRODUCTS.iter().map(one).collect())
    }

    /// Whether an agent is there. All but coding agents always are.
    fn has(&self, agent: &str) -> bool {
        self.0.get(agent).is_none_or(|is_there| *is_there)
    }

    /// The first of these that is there.
    pub(crate) fn first<'p>(&self, preferred: &'p [String]) -> Option<&'p str> {
        let mut names = preferred.iter().map(String::as_str);
        names.find(|name| self.has(name))
    }
}

/// Whether a task is for the agent that `auto` stands for.
pub(crate) fn is_left_open(task: &TaskSpec, settings: &Settings) -> bool {
    name_of(task, settings) == AGENT_AUTO && agent_of(task, settings) == settings.agent_auto
}

/// Tasks by id, as far as they are named.
#[derive(Debug, Default)]
struct Tasks {
    first: Vec<String>,
    many: usize,
}

impl Tasks {
    fn add(&mut self, task: &TaskSpec) {
        if self.first.len() < NAMES_MAX {
            self.first.push(format!("`{}`", task.id));
        }
        self.many += 1;
    }

    fn said(&self) -> String {
        let names = self.first.join(", ");
        match self.many - self.first.len() {
            0 if self.many == 1 => format!("the task {names}"),
            0 => format!("the tasks {names}"),
            more => format!("the tasks {names} and {more} more"),
        }
    }
}

/// Settles who does the tasks of a run.
pub(crate) struct Settling<'s> {
    present: &'s Present,
    preferred: &'s [String],
    settings: Settings,
    /// Whether money is bounded that all runs of a day use together.
    money_of_day: bool,
    unpriced: BTreeMap<String, Tasks>,
    open: Tasks,
    missing: BTreeMap<&'static str, Tasks>,
    missing_later: BTreeMap<&'static str, Tasks>,
}

impl<'s> Settling<'s> {
    /// Finds out what `auto` stands for.
    pub(crate) fn begin(
        present: &'s Present,
        preferred: &'s [String],
        settings: Settings,
    ) -> Settling<'s> {
        let agent_auto = present.first(preferred).unwrap_or(AGENT_AUTO).to_owned();
        let settings = Settings {
            agent_auto,
            ..settings
        };
        Settling {
            preferred,
            ..Settling::go_on(present, settings)
        }
    }

    /// What `auto` stands for was found out before.
    pub(crate) fn go_on(present: &'s Present, settings: Settings) -> Settling<'s> {
        Settling {
            present,
            preferred: &[],
            settings,
            money_of_day: false,
            unpriced: BTreeMap::new(),
            open: Tasks::default(),
            missing: BTreeMap::new(),
            missing_later: BTreeMap::new(),
        }
    }

    /// Beside its own budget, the run is bounded by that of its day.
    pub(crate) fn within(self, day: &Budget) -> Settling<'s> {
        Settling {
            money_of_day: day.usd_micros.is_some(),
            ..self
        }
    }

    /// Looks at one of the tasks.
    pub(crate) fn see(&mut self, task: &TaskSpec) {
        let agent = agent_of(task, &self.settings);
        if self.lacks_price(task, agent) {
            self.unpriced.entry(agent.to_owned()).or_default().add(task);
        }
        if agent == AGENT_AUTO {
            self.open.add(task);
        } else if let Some(name) = self.lacks(task, agent) {
            self.missing.entry(name).or_default().add(task);
        }
        for agent in &task.agents_else {
            if let Some(name) = self.lacks(task, agent) {
                self.missing_later.entry(name).or_default().add(task);
            }
        }
    }

    /// Whether money is bounded and nobody could say what this agent costs.
    fn lacks_price(&self, task: &TaskSpec, agent: &str) -> bool {
        let is_bounded = self.money_of_day
            || self.settings.budget.usd_micros.is_some()
            || task.budget.usd_micros.is_some();
        let figures = product(agent).map_or_else(Figures::default, |product| product.figures);
        is_bounded && asks_model(agent) && !figures.are_priced(agent, &self.settings.prices)
    }

    /// The agent, if it is not where the task would look for it.
    fn lacks(&self, task: &TaskSpec, agent: &str) -> Option<&'static str> {
        let known = product(agent)?;
        let is_there = match task.env.get("PATH") {
            Some(own) => program(known, Some(OsStr::new(own))).is_some(),
            None => self.present.has(agent),
        };
        (!is_there).then_some(known.name)
    }

    /// The settings with what was found out. What is missing is told, with this severity.
    ///
    /// # Errors
    /// Something is missing, and that is an error.
    pub(crate) fn end(self, severity: Severity, printer: &Printer) -> Result<Settings, Failure> {
        let (settings, told) = self.told(severity);
        for diagnostic in &told {
            printer.diagnostic(diagnostic, None);
        }
        match has_error(&told) {
            true => Err(Failure::Reported(Exit::Usage)),
            false => Ok(settings),
        }
    }

    fn told(mut self, severity: Severity) -> (Settings, Vec<Diagnostic>) {
        let mut told = Vec::new();
        let refused = |cause: String| Diagnostic {
            severity,
            ..Diagnostic::error("agent-missing", cause)
        };
        if self.open.many > 0 {
            told.push(nobody(self.preferred, &self.open, refused));
        }
        if self.settings.agent_auto == AGENT_AUTO {
            // No task asks for it; what a plan task brings later is for people then.
            AGENT_PERSON.clone_into(&mut self.settings.agent_auto);
        }
        for (name, tasks) in &self.missing {
            let cause = format!("`{name}` is to do {}, and is not installed", tasks.said());
            told.push(
                installing(name, refused(cause)).hint("`divisi agents` lists those there are"),
            );
        }
        for (name, tasks) in &self.missing_later {
            let cause = format!(
                "`{name}` is to take over {} after failures, and is not installed",
                tasks.said()
            );
            let warning = Diagnostic::warning("agent-missing", cause);
            told.push(installing(name, warning));
        }
        for (name, tasks) in &self.unpriced {
            let cause = format!(
                "money is bounded, and nobody says what `{name}` costs, which is to do {}",
                tasks.said()
            );
            let refused = Diagnostic {
                severity,
                ..Diagnostic::error("price-none", cause)
            };
            told.push(refused.hint(format!(
                "say it in the configuration, in dollars for a million tokens: `prices: {{{name}: \
                 {{input: 3, output: 15}}}}`"
            )));
        }
        (self.settings, told)
    }
}

fn installing(name: &str, told: Diagnostic) -> Diagnostic {
    match product(name) {
        Some(product) => told.hint(format!("install it: `{}`", product.install)),
        None => told,
    }
}

/// That none of those that `auto` may stand for is there.
fn nobody(
    preferred: &[String],
    tasks: &Tasks,
    refused: impl Fn(String) -> Diagnostic,
) -> Diagnostic {
    let which = match preferred {
        [] => "`agents.prefer` names no agent".to_owned(),
        [one] => format!("`{one}` is not installed"),
        all => format!("none of {} is installed", all.join(", ")),
    };
    let who = match tasks.many {
        1 => "is",
        _ => "are",
    };
    let cause = format!("{which}, and {} {who} left to `auto`", tasks.said());
    let products = preferred.iter().filter_map(|name| product(name));
    let mut told = refused(cause);
    for product in products {
        told = told.hint(format!("install {}: `{}`", product.title, product.install));
    }
    told.hint("or let a person do it: `agents: {prefer: [person]}` in `divisi.yaml`")
        .hint("or give the work to a program: `command` in the plan")
}

#[cfg(test)]
mod tests;
