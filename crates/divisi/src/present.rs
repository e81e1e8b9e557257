//! The coding agents of this machine, for a run that is about to be created: which one `auto`
//! stands for, and whether those that its tasks name are there.
//!
//! Whatever is missing is told at once, with the tasks that would wait for it in vain, instead of
//! failing one attempt after the other.

mod unasked;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use divisi_agents::adapter::{PRODUCTS, has_credential, is_priced, product, program};
use divisi_core::diagnostic::{Place, Severity};
use divisi_core::ledger::LimitThen;
use divisi_core::plan::Work;
use divisi_core::run::{
    AGENT_AUTO, AGENT_MODEL, AGENT_PERSON, Budget, Defined, DefinedProgram, Settings, Speaks,
    agent_of, asks_model, is_definable, name_of,
};
use divisi_core::{Criterion, Diagnostic, TaskKind, TaskSpec};
use divisi_pack::role::Library as Roles;

use self::unasked::Unasked;
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

/// How an agent stands, without asking it anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Its program is not on `PATH`.
    Absent,
    /// It has nothing to log in with that is known of here.
    There,
    /// It is there, with what it may need to log in.
    Ready,
}

impl Standing {
    fn of(is_there: bool, has_credential: bool) -> Standing {
        match (is_there, has_credential) {
            (false, _) => Standing::Absent,
            (true, false) => Standing::There,
            (true, true) => Standing::Ready,
        }
    }
}

/// How the coding agents stand, looked up once, and those that are defined.
pub(crate) struct Present(BTreeMap<String, Standing>);

impl Present {
    /// Looks for all that are known, and for those that configuration defines.
    pub(crate) fn look(defined: &BTreeMap<String, Defined>) -> Present {
        let variables = variables();
        let path = std::env::var_os("PATH");
        let is_on_path = |name: &str| program(name, path.as_deref()).is_some();
        let known = PRODUCTS.iter().map(|product| {
            let can_log_in = has_credential(product, &variables);
            let standing = Standing::of(is_on_path(product.program), can_log_in);
            (product.name.to_owned(), standing)
        });
        let is_set = |name: &str| variables.get(name).is_some_and(|key| !key.is_empty());
        let defined = defined.iter().map(|(name, agent)| {
            let standing = match agent {
                Defined::Model(model) => Standing::of(true, model.key().is_none_or(is_set)),
                Defined::Program(it) => Standing::of(is_on_path(&it.command[0]), true),
            };
            (name.clone(), standing)
        });
        Present(known.chain(defined).collect())
    }

    /// All that are neither coding agents nor to be defined are always ready.
    fn standing(&self, agent: &str) -> Standing {
        let found = self.0.get(agent).copied();
        found.unwrap_or_else(|| Standing::of(!is_definable(agent), true))
    }

    /// Of those that are to judge, which are there and which are not. A person judges anyway; whom
    /// `auto` stands for, nobody misses.
    pub(crate) fn reviewers(
        &self,
        named: &[String],
        preferred: &[String],
    ) -> (Vec<String>, Vec<String>) {
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for name in named.iter().filter(|name| *name != AGENT_PERSON) {
            match name.as_str() {
                AGENT_AUTO => there.extend(self.all(preferred)),
                name if self.has(name) => there.push(name),
                name => missing.push(name.to_owned()),
            }
        }
        let mut seen = BTreeSet::new();
        there.retain(|name| seen.insert(*name));
        (there.into_iter().map(str::to_owned).collect(), missing)
    }

    /// Whether an agent is there.
    fn has(&self, agent: &str) -> bool {
        self.standing(agent) > Standing::Absent
    }

    /// Whether an agent is there and has what it may need to log in.
    pub(crate) fn is_ready(&self, agent: &str) -> bool {
        self.standing(agent) == Standing::Ready
    }

    /// The first of these that is ready, or at least there: who is not known to have a credential may
    /// have one of a kind that is not known. Nobody is preferred who stands after a person, who is
    /// always there.
    pub(crate) fn first<'p>(&self, preferred: &'p [String]) -> Option<&'p str> {
        let mut people = preferred.iter().map(String::as_str);
        let first = self.all(preferred).into_iter().next();
        first.or_else(|| people.find(|name| *name == AGENT_PERSON))
    }

    /// All of these that are ready, or else all that are there, before a person.
    fn all<'p>(&self, preferred: &'p [String]) -> Vec<&'p str> {
        let agents = preferred.iter().map(String::as_str);
        let agents = agents.take_while(|name| *name != AGENT_PERSON);
        let there: Vec<&str> = agents.filter(|name| self.has(name)).collect();
        let is_any_ready = there.iter().any(|name| self.is_ready(name));
        let counts = |name: &&str| !is_any_ready || self.is_ready(name);
        there.into_iter().filter(counts).collect()
    }
}

/// The agent that does a task which is left to `auto`; `None` if it is not.
pub(crate) fn auto_of<'s>(task: &'s TaskSpec, settings: &'s Settings) -> Option<&'s str> {
    let agent = agent_of(task, settings);
    let is_open = name_of(task, settings) == AGENT_AUTO
        && agent == settings.meant(AGENT_AUTO, task.role().as_deref());
    is_open.then_some(agent)
}

/// Which agents `auto` may stand for, the best first.
#[derive(Clone, Debug)]
pub(crate) struct Preferred<'s> {
    /// For all tasks.
    pub(crate) usual: &'s [String],
    /// For those of roles, by their names as tasks have them.
    pub(crate) by_role: BTreeMap<String, Vec<String>>,
    /// What tasks call roles is looked up here.
    pub(crate) roles: &'s Roles,
}

impl Preferred<'_> {
    /// For a task; `None` if its role has no others than all have.
    fn of_role(&self, task: &TaskSpec) -> Option<&[String]> {
        let (domain, function) = (task.domain.as_deref(), task.function.as_deref());
        let role = self.roles.of_task(domain, function)?;
        let named = self.by_role.get(&role.name_of_tasks()?)?;
        Some(named)
    }
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
    preferred: Option<Preferred<'s>>,
    settings: Settings,
    /// Whether money is bounded that all runs of a day use together.
    money_of_day: bool,
    unpriced: BTreeMap<String, Tasks>,
    /// Tasks that are left to `auto`, by those that it may stand for.
    open: BTreeMap<Vec<String>, Tasks>,
    missing: BTreeMap<String, Tasks>,
    missing_later: BTreeMap<String, Tasks>,
    /// Agents that nothing is known of to log in with.
    logged_out: BTreeMap<String, Tasks>,
    /// Whether something may be to be judged that no rule can tell.
    has_words: bool,
    /// Whether an agent that asks a model does some of the work.
    has_agents: bool,
    /// What is denied in vain, where that is of interest.
    unasked: Option<Unasked>,
}

impl<'s> Settling<'s> {
    /// Finds out what `auto` stands for.
    pub(crate) fn begin(
        present: &'s Present,
        preferred: Preferred<'s>,
        settings: Settings,
    ) -> Settling<'s> {
        let found = |names: &[String]| present.first(names).unwrap_or(AGENT_AUTO).to_owned();
        let by_role = preferred.by_role.iter();
        let agents_auto = by_role.map(|(role, names)| (role.clone(), found(names)));
        let settings = Settings {
            agent_auto: found(preferred.usual),
            agents_auto: agents_auto.collect(),
            ..settings
        };
        Settling {
            preferred: Some(preferred),
            ..Settling::go_on(present, settings)
        }
    }

    /// What `auto` stands for was found out before.
    pub(crate) fn go_on(present: &'s Present, settings: Settings) -> Settling<'s> {
        Settling {
            present,
            preferred: None,
            settings,
            money_of_day: false,
            unpriced: BTreeMap::new(),
            open: BTreeMap::new(),
            missing: BTreeMap::new(),
            missing_later: BTreeMap::new(),
            logged_out: BTreeMap::new(),
            has_words: false,
            has_agents: false,
            unasked: None,
        }
    }

    /// Beside its own budget, the run is bounded by that of its day.
    pub(crate) fn within(self, day: &Budget) -> Settling<'s> {
        Settling {
            money_of_day: day.usd_micros.is_some(),
            ..self
        }
    }

    /// Its rules of what agents may do stand at this place; whom they mean nothing to is told of.
    pub(crate) fn ruled_at(self, place: Option<Place>) -> Settling<'s> {
        Settling {
            unasked: Some(Unasked::of(&self.settings, place)),
            ..self
        }
    }

    /// Looks at what must hold on the whole.
    pub(crate) fn judges(&mut self, criteria: &[Criterion]) {
        self.has_words |= criteria.iter().any(is_in_words);
    }

    /// Looks at one of the tasks.
    pub(crate) fn see(&mut self, task: &TaskSpec) {
        if let Some(candidates) = &task.candidates {
            // All that does it, does it as one of them.
            let ids = vec![task.id.clone(); candidates.of.len()];
            task.candidates_as(&ids).for_each(|one| self.see(&one));
            return;
        }
        // What will be planned may be to satisfy words.
        let is_planned = task.kind == TaskKind::Plan && task.work == Work::Handoff;
        self.has_words |= is_planned || task.criteria.iter().any(is_in_words);
        let preferred = self.preferred.as_ref();
        let of_role = preferred.and_then(|preferred| preferred.of_role(task));
        if let (Some(names), Some(role)) = (of_role, task.role()) {
            // However the task calls its role.
            let found = self.present.first(names).unwrap_or(AGENT_AUTO);
            self.settings.agents_auto.insert(role, found.to_owned());
        }
        let agent = agent_of(task, &self.settings);
        let later = self.later(task, agent);
        let mut all = later.iter().map(String::as_str).chain([agent]);
        self.has_agents |= all.any(asks_model);
        for agent in later.iter().chain([&agent.to_owned()]) {
            if self.lacks_price(task, agent) {
                self.unpriced.entry(agent.clone()).or_default().add(task);
            }
        }
        if agent == AGENT_AUTO {
            let usual = preferred.map(|preferred| preferred.usual);
            let names = of_role.or(usual).unwrap_or_default().to_vec();
            self.open.entry(names).or_default().add(task);
        } else if let Some(name) = self.lacks(task, agent) {
            self.missing.entry(name).or_default().add(task);
        } else if self.present.standing(agent) == Standing::There {
            let logged_out = self.logged_out.entry(agent.to_owned());
            logged_out.or_default().add(task);
        }
        if let Some(unasked) = &mut self.unasked {
            let agents = std::iter::once(agent).chain(later.iter().map(String::as_str));
            unasked.see(task, agents, &self.settings);
        }
        for agent in &later {
            if let Some(name) = self.lacks(task, agent) {
                self.missing_later.entry(name).or_default().add(task);
            }
        }
    }

    /// Who may do a task after its agent: after failures, or during its usage limits.
    fn later(&self, task: &TaskSpec, agent: &str) -> BTreeSet<String> {
        let mut later: BTreeSet<String> = task.agents_else.iter().cloned().collect();
        if self.settings.limit_then == LimitThen::OtherAgent {
            let first = later.iter().map(String::as_str).chain([agent]);
            let mut seen: BTreeSet<String> = first.map(str::to_owned).collect();
            let mut open: Vec<String> = seen.iter().cloned().collect();
            while let Some(next) = open.pop() {
                let other = self.settings.limit_agents.get(&next);
                if let Some(other) = other.filter(|other| seen.insert((*other).clone())) {
                    open.push(other.clone());
                }
            }
            later = seen;
        }
        later.remove(agent);
        later
    }

    /// Whether money is bounded and nobody could say what this agent costs.
    fn lacks_price(&self, task: &TaskSpec, agent: &str) -> bool {
        let is_bounded = self.bounds_money() || task.budget.usd_micros.is_some();
        is_bounded && asks_model(agent) && !is_priced(agent, &self.settings)
    }

    /// The agent, if it is not where the task would look for it.
    fn lacks(&self, task: &TaskSpec, agent: &str) -> Option<String> {
        let started = match self.settings.defined.get(agent) {
            Some(Defined::Program(program)) => Some(program.command[0].as_str()),
            Some(Defined::Model(_)) => None,
            None => product(agent).map(|product| product.program),
        };
        let is_there = match (task.env.get("PATH"), started) {
            (Some(own), Some(name)) => program(name, Some(OsStr::new(own))).is_some(),
            _ => self.present.has(agent),
        };
        (!is_there).then(|| agent.to_owned())
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
        for (names, tasks) in &self.open {
            told.push(nobody(names, tasks, refused));
        }
        let by_role = self.settings.agents_auto.values_mut();
        for auto in by_role.chain([&mut self.settings.agent_auto]) {
            if auto == AGENT_AUTO {
                // No task asks for it; what a plan task brings later is for people then.
                AGENT_PERSON.clone_into(auto);
            }
        }
        for (name, tasks) in &self.missing {
            let cause = format!(
                "`{name}` is to do {}, and is {}",
                tasks.said(),
                self.lack(name)
            );
            told.push(
                self.installing(name, refused(cause))
                    .hint("`divisi agents` lists those there are"),
            );
        }
        for (name, tasks) in &self.missing_later {
            let cause = format!(
                "`{name}` is to take over {} after failures or at usage limits, and is {}",
                tasks.said(),
                self.lack(name)
            );
            let warning = Diagnostic::warning("agent-missing", cause);
            told.push(self.installing(name, warning));
        }
        self.settle_reviewers();
        told.extend(self.nobody_reviews());
        for name in self.unpriced_reviewers() {
            let cause = format!(
                "money is bounded, and nobody says what `{name}` costs, which may judge what no \
                 rule can"
            );
            let refused = Diagnostic {
                severity,
                ..Diagnostic::error("price-none", cause)
            };
            told.push(refused.hint(self.pricing(name)));
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
            told.push(refused.hint(self.pricing(name)));
        }
        told.extend(self.logged_out.iter().map(logged_out));
        told.extend(self.unasked.and_then(Unasked::told));
        (self.settings, told)
    }

    /// Finds out which of those are there that are to judge. Where no agent does any of the work,
    /// none is begun to judge it, unless it is named; nor where money is bounded and nobody could say
    /// what it costs.
    fn settle_reviewers(&mut self) {
        let Some(preferred) = &self.preferred else {
            return;
        };
        let mut named = std::mem::take(&mut self.settings.reviewers);
        named.retain(|name| self.has_agents || name != AGENT_AUTO);
        let mut usual = preferred.usual.to_vec();
        let counts = |name: &String| name == AGENT_PERSON || is_priced(name, &self.settings);
        let is_bounded = self.bounds_money();
        usual.retain(|name| !is_bounded || counts(name));
        (self.settings.reviewers, self.settings.reviewers_missing) =
            self.present.reviewers(&named, &usual);
    }

    /// Whether money is bounded, of the run or of its day.
    fn bounds_money(&self) -> bool {
        self.money_of_day || self.settings.budget.usd_micros.is_some()
    }

    /// Those that were named to judge and that nobody could say the price of, where money is bounded.
    fn unpriced_reviewers(&self) -> impl Iterator<Item = &str> {
        let counts = self.bounds_money() && self.has_words;
        let named = self.settings.reviewers.iter().map(String::as_str);
        named.filter(move |name| counts && asks_model(name) && !is_priced(name, &self.settings))
    }

    /// That a person judges what agents were to.
    fn nobody_reviews(&self) -> Option<Diagnostic> {
        let missing = &self.settings.reviewers_missing;
        let by_person = self.settings.reviewers.is_empty() && !missing.is_empty();
        if !by_person || !self.has_words {
            return None;
        }
        let lacking = missing.iter();
        let lacking: Vec<String> = lacking
            .map(|name| format!("`{name}` is {}", self.lack(name)))
            .collect();
        let cause = format!(
            "no agent that `review.agents` names is there to judge what no rule can, so a person is \
             to: {}",
            lacking.join(", ")
        );
        let told = Diagnostic::warning("agent-missing", cause);
        let told = missing
            .iter()
            .fold(told, |told, name| self.installing(name, told));
        Some(told.hint("`divisi agents` lists those there are"))
    }

    /// How to go on with an agent that nobody says the price of.
    fn pricing(&self, name: &str) -> String {
        if let Some(Defined::Program(DefinedProgram {
            speaks: Speaks::Text,
            ..
        })) = self.settings.defined.get(name)
        {
            // A price of what nobody counts would bound nothing.
            return format!(
                "`{name}` does not say what it uses, so money cannot bound it: bound time and \
                 attempts in its place, for example `--budget 2h --budget 5-attempts`, and keep \
                 money to other agents' tasks with their `budget`"
            );
        }
        format!(
            "say it in the configuration, in dollars for a million tokens: `prices: {{{name}: \
             {{input: 3, output: 15}}}}`"
        )
    }

    /// What an agent is not.
    fn lack(&self, name: &str) -> &'static str {
        match is_definable(name) && !self.settings.defined.contains_key(name) {
            true => "not defined",
            false => "not installed",
        }
    }

    fn installing(&self, name: &str, told: Diagnostic) -> Diagnostic {
        match (product(name), self.settings.defined.get(name)) {
            (Some(product), _) => told.hint(format!("install it: `{}`", product.install)),
            (None, Some(Defined::Program(it))) => {
                told.hint(format!("no folder of `PATH` holds `{}`", it.command[0]))
            }
            (None, Some(Defined::Model(_))) => told,
            (None, None) => told.hint(defining(name)),
        }
    }
}

/// Whether a criterion is for somebody to judge.
fn is_in_words(criterion: &Criterion) -> bool {
    matches!(criterion, Criterion::Plain { .. })
}

/// That an agent will most likely be refused. It may have a login of a kind that is not known here.
fn logged_out((name, tasks): (&String, &Tasks)) -> Diagnostic {
    let cause = format!(
        "`{name}` is to do {}, and has nothing to log in with that is known of",
        tasks.said()
    );
    let keys = product(name).map(|product| product.keys().collect::<Vec<_>>().join(" or "));
    let how = match keys {
        Some(keys) if !keys.is_empty() => format!("log in with its own program, or set {keys}"),
        _ => "set the variable of its key".to_owned(),
    };
    Diagnostic::warning("agent-credential", cause)
        .hint(how)
        .hint("`divisi agents` says what each has; `divisi agents test` tries one")
}

/// How an agent is defined.
pub(crate) fn defining(name: &str) -> String {
    format!(
        "define it in `divisi.yaml`, for example: `{}`",
        definition(name)
    )
}

/// A definition of an agent, as configuration has it.
pub(crate) fn definition(name: &str) -> String {
    let of = match name.split_once('.') {
        Some((_, own)) => {
            format!("{{custom: {{{own}: {{model: {{provider: ollama, model: NAME}}}}}}}}")
        }
        None => "{model: {provider: ollama, model: NAME}}".to_owned(),
    };
    format!("agents: {of}")
}

/// That none of those that `auto` may stand for is there.
fn nobody(
    preferred: &[String],
    tasks: &Tasks,
    refused: impl Fn(String) -> Diagnostic,
) -> Diagnostic {
    let which = match preferred {
        [] => "no agent is preferred for it".to_owned(),
        [one] if is_definable(one) => format!("`{one}` is not defined"),
        [one] => format!("`{one}` is not installed"),
        all => format!("none of {} is there", all.join(", ")),
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
    if preferred.iter().any(|name| name == AGENT_MODEL) {
        told = told.hint(format!("or have a model asked: {}", defining(AGENT_MODEL)));
    }
    told.hint("or let a person do it: `agents: {prefer: [person]}` in `divisi.yaml`")
        .hint("or give the work to a program: `command` in the plan")
}

#[cfg(test)]
mod tests;
