//! Configuration: what a run is given unless something stronger says otherwise.
//!
//! Every setting stands once, in the table of [`SETTINGS`]: its key, type, bounds, default, flag
//! and words. The reader, the JSON Schema, the reference page and the typed [`Config`] all come of
//! that table.
//!
//! [`read`] reads a file and [`read_variable`] a variable of the environment; each gives [`Values`]
//! with the place of every one. The caller puts them over each other in its order of strength with
//! [`Values::over`], and [`Config::of`] is what comes out. [`apply`] gives a plan what it leaves
//! open, and [`given`] a workflow.

mod apply;
mod defined;
mod page;
mod read;
mod rules;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Place;
use divisi_core::ledger::Measure;

pub use apply::{agents_by_role, apply, given, preferred_by_role, unknown_agent};
pub use page::{example, reference, schema};
pub use read::{read, read_variable};
pub use table::{Config, SETTINGS};
pub use value::Value;

/// The most elements of a list.
pub const LIST_MAX: usize = 100;

/// The most entries of a map.
pub const ENTRIES_MAX: usize = 1_000;

/// What values a setting takes, and between which bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A number of minutes, kept in milliseconds.
    Minutes {
        /// The least, in milliseconds.
        least_ms: u64,
        /// The most, in minutes.
        most: u64,
    },
    /// A number of seconds, kept in milliseconds.
    Seconds {
        /// The most, in seconds.
        most: u64,
    },
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of an agent.
    Agent,
    /// Names of agents that may be found, the best first.
    Preferred,
    /// Names of agents that may judge, the best first, or whoever is preferred.
    Judges,
    /// Words for people.
    Text,
    /// Several of them.
    Texts,
    /// Names of variables of the environment.
    Variables,
    /// Paths outside the workspaces.
    Paths,
    /// Patterns of paths beneath the project's folder.
    Patterns,
    /// Whole numbers by name, each at least 1.
    Counts {
        /// The most.
        most: u64,
    },
    /// Names of agents by role.
    Agents,
    /// Bounds by what they bound.
    Budget(&'static [Measure]),
    /// What a million tokens cost, by model or agent.
    Prices,
    /// A model, and where it answers.
    Model,
    /// Agents that are defined, by name.
    Defined,
    /// Names of agents that may be found, by role, the best first.
    PreferredByRole,
    /// Coding agents by the coding agent in whose place they stand.
    Substitutes,
    /// Numbers of minutes by agent, kept in milliseconds.
    MinutesByAgent {
        /// The least, in milliseconds.
        least_ms: u64,
        /// The most, in minutes.
        most: u64,
    },
    /// From one time of the day to another.
    Hours,
    /// Steps that prepare a workspace.
    Setups,
    /// Criteria.
    Checks,
    /// What agents may do without asking.
    Rules,
}

impl Kind {
    /// Whether it holds entries by name, each of which is said for itself.
    #[must_use]
    pub fn is_map(self) -> bool {
        matches!(
            self,
            Kind::Counts { .. }
                | Kind::Agents
                | Kind::Budget(_)
                | Kind::Prices
                | Kind::PreferredByRole
                | Kind::Substitutes
                | Kind::MinutesByAgent { .. }
                | Kind::Defined
        )
    }
}

/// Whether somebody has to consent before what a repository says takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// It executes nothing and opens nothing.
    Unneeded,
    /// It executes something, lets agents do more, or stands over a bound that the user set.
    Needed,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key, with a dot after the section: `run.workers`.
    pub key: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The flag that beats it, if there is one.
    pub flag: Option<&'static str>,
    /// Whether it needs consent.
    pub consent: Consent,
    /// What it is, in words.
    pub says: &'static str,
    put: fn(&mut Config, Option<&str>, &Value),
    get: fn(&Config) -> value::Held,
}

/// A part of a file of configuration: settings that belong together, or one of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    /// Its key.
    pub(crate) key: &'static str,
    /// How faults name it.
    pub(crate) what: &'static str,
    /// What it is about.
    pub(crate) says: &'static str,
}

/// A value, and where it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The value.
    pub value: Value,
    /// Its key's place in a file, or the name of a flag or a variable.
    pub place: Place,
}

/// Values by key. An entry of a map has a key of its own: `run.limits.developer`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Given>);

/// What was read from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The values; `None` exactly if an error is among the diagnostics.
    pub values: Option<Values>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Setting {
    /// The name of the variable of the environment that says it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("DIVISI_{}", self.key.replace('.', "_").to_uppercase())
    }

    /// The setting of a key, which may be that of an entry of a map.
    #[must_use]
    pub fn of(key: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|it| it.entry(key).is_some())
    }

    /// For a key of this setting: the name of the entry, where it is a map.
    fn entry<'k>(&self, key: &'k str) -> Option<Option<&'k str>> {
        if key == self.key {
            return Some(None);
        }
        let name = key.strip_prefix(self.key)?.strip_prefix('.')?;
        self.kind.is_map().then_some(Some(name))
    }

    /// The section's key, and that of the setting within it.
    pub(crate) fn split(&self) -> (&'static str, Option<&'static str>) {
        match self.key.split_once('.') {
            Some((section, leaf)) => (section, Some(leaf)),
            None => (self.key, None),
        }
    }
}

impl Values {
    /// Says a value, over one that was said before.
    pub fn put(&mut self, key: impl Into<String>, value: Value, place: Place) {
        self.0.insert(key.into(), Given { value, place });
    }

    /// What is given for a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Given> {
        self.0.get(key)
    }

    /// All of them in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Given)> {
        self.0.iter().map(|(key, given)| (key.as_str(), given))
    }

    /// These over weaker ones. Lists are replaced, maps entry by entry.
    pub fn over(self, weaker: Values) -> Values {
        let mut all = weaker.0;
        all.extend(self.0);
        Values(all)
    }
}

impl Config {
    /// The defaults with these values over them.
    #[must_use]
    pub fn of(values: &Values) -> Config {
        let mut config = Config::default();
        for (key, given) in values.iter() {
            let found = SETTINGS.iter().find_map(|it| Some((it, it.entry(key)?)));
            if let Some((setting, entry)) = found {
                (setting.put)(&mut config, entry, &given.value);
            }
        }
        config
    }

    /// All values by key, in the order of the table; `None` where there is none by default.
    #[must_use]
    pub fn values(&self) -> Vec<(&'static Setting, String, Option<Value>)> {
        let mut all = Vec::new();
        for setting in SETTINGS {
            let values = (setting.get)(self);
            if values.is_empty() {
                all.push((setting, setting.key.to_owned(), None));
            }
            for (entry, value) in values {
                let key = match entry {
                    Some(name) => format!("{}.{name}", setting.key),
                    None => setting.key.to_owned(),
                };
                all.push((setting, key, Some(value)));
            }
        }
        all
    }
}
