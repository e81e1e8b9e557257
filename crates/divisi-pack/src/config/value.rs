//! Values of settings: what a text gives, what a typed field takes, and how they are shown.

use std::collections::BTreeMap;

use divisi_core::Criterion;
use divisi_core::ledger::Bound;
use divisi_core::permission::Rule;
use divisi_core::preparation::Setup;
use divisi_core::run::{Budget, Defined, DefinedModel, Price};
use serde_json::json;

use super::{Kind, defined, rules};
use crate::budget;
use crate::plan_file;

/// The value of a setting, or of an entry of one that is a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number; of minutes and seconds, the milliseconds.
    Integer(u64),
    /// `true` or `false`.
    Flag(bool),
    /// A word, a name, or words for people.
    Text(String),
    /// Several of them.
    Texts(Vec<String>),
    /// Steps that prepare a workspace.
    Setups(Vec<Setup>),
    /// Criteria.
    Checks(Vec<Criterion>),
    /// What agents may do without asking.
    Rules(Vec<Rule>),
    /// One bound of a budget.
    Bound(Bound),
    /// What a million tokens cost.
    Price(Price),
    /// An agent that is defined.
    Defined(Defined),
}

impl Value {
    /// The value as a file of configuration says it.
    #[must_use]
    pub fn json(&self, kind: Kind) -> serde_json::Value {
        match (self, kind) {
            (Value::Integer(ms), Kind::Minutes { .. } | Kind::MinutesByAgent { .. }) => {
                parts(*ms, 60_000)
            }
            (Value::Integer(ms), Kind::Seconds { .. }) => parts(*ms, 1_000),
            (Value::Integer(number), _) => json!(number),
            (Value::Flag(flag), _) => json!(flag),
            (Value::Text(text), _) => json!(text),
            (Value::Texts(texts), _) => json!(texts),
            (Value::Setups(setups), _) => setups.iter().map(setup).collect(),
            (Value::Bound(bound), _) => budget::json(*bound),
            (Value::Price(price), _) => budget::price_json(price),
            (Value::Defined(Defined::Model(model)), Kind::Model) => defined::model_json(model),
            (Value::Defined(agent), _) => defined::json(agent),
            (Value::Checks(checks), _) => checks.iter().filter_map(check).collect(),
            (Value::Rules(rules), _) => rules.iter().map(rules::json).collect(),
        }
    }
}

/// A whole number where it is one.
fn parts(ms: u64, whole: u64) -> serde_json::Value {
    match ms % whole {
        0 => json!(ms / whole),
        _ => json!(ms as f64 / whole as f64),
    }
}

fn setup(setup: &Setup) -> serde_json::Value {
    match setup {
        Setup::Command(argv) => json!(argv),
        Setup::Script(script) => json!(script),
    }
}

fn check(check: &Criterion) -> Option<serde_json::Value> {
    if let Criterion::Plain { text } = check {
        return Some(json!(text));
    }
    let text = plan_file::criterion_json(check)?;
    serde_json::from_str(&text).ok()
}

/// What a field holds: nothing, one value, or entries by name.
pub(super) type Held = Vec<(Option<String>, Value)>;

/// A typed field of the configuration.
pub(super) trait Field {
    /// Takes a value; `name` is that of an entry, where the field is a map. A value of another type
    /// is never read for it.
    fn put(&mut self, name: Option<&str>, value: &Value);

    /// What it holds.
    fn held(&self) -> Held;
}

macro_rules! fields {
    ($($type:ty, $variant:ident, $take:expr, $give:expr;)*) => {$(
        impl Field for $type {
            fn put(&mut self, _: Option<&str>, value: &Value) {
                if let Value::$variant(value) = value {
                    *self = $take(value);
                }
            }

            fn held(&self) -> Held {
                vec![(None, Value::$variant($give(self)))]
            }
        }

        impl Field for Option<$type> {
            fn put(&mut self, name: Option<&str>, value: &Value) {
                let mut one = self.take().unwrap_or_default();
                one.put(name, value);
                *self = Some(one);
            }

            fn held(&self) -> Held {
                self.as_ref().map_or_else(Vec::new, Field::held)
            }
        }
    )*};
}

fields! {
    u64, Integer, |value: &u64| *value, |value: &u64| *value;
    u32, Integer, |value: &u64| u32::try_from(*value).unwrap_or(u32::MAX), |value: &u32| u64::from(*value);
    bool, Flag, |value: &bool| *value, |value: &bool| *value;
    String, Text, String::clone, String::clone;
    Vec<String>, Texts, |value: &Vec<String>| value.clone(), |value: &Vec<String>| value.clone();
    Vec<Setup>, Setups, |value: &Vec<Setup>| value.clone(), |value: &Vec<Setup>| value.clone();
    Price, Price, |value: &Price| *value, |value: &Price| *value;
    Vec<Criterion>, Checks, |value: &Vec<Criterion>| value.clone(), |value: &Vec<Criterion>| value.clone();
    Vec<Rule>, Rules, |value: &Vec<Rule>| value.clone(), |value: &Vec<Rule>| value.clone();
}

impl Field for Budget {
    fn put(&mut self, _: Option<&str>, value: &Value) {
        if let Value::Bound(bound) = value {
            *self = self.with(*bound);
        }
    }

    fn held(&self) -> Held {
        let named = |bound: Bound| {
            let name = budget::key(bound.measure()).to_owned();
            (Some(name), Value::Bound(bound))
        };
        self.bounds().map(named).collect()
    }
}

impl<T: Field + Default> Field for BTreeMap<String, T> {
    fn put(&mut self, name: Option<&str>, value: &Value) {
        if let Some(name) = name {
            self.entry(name.to_owned()).or_default().put(None, value);
        }
    }

    fn held(&self) -> Held {
        let entries = self.iter().flat_map(|(name, entry)| {
            let values = entry.held().into_iter();
            values.map(|(_, value)| (Some(name.clone()), value))
        });
        entries.collect()
    }
}

impl Field for Option<DefinedModel> {
    fn put(&mut self, _: Option<&str>, value: &Value) {
        if let Value::Defined(Defined::Model(model)) = value {
            *self = Some(model.clone());
        }
    }

    fn held(&self) -> Held {
        let model = self.iter().cloned().map(Defined::Model);
        model.map(|model| (None, Value::Defined(model))).collect()
    }
}

impl Field for BTreeMap<String, Defined> {
    fn put(&mut self, name: Option<&str>, value: &Value) {
        if let (Some(name), Value::Defined(agent)) = (name, value) {
            self.insert(name.to_owned(), agent.clone());
        }
    }

    fn held(&self) -> Held {
        let agents = self.iter();
        let held = agents.map(|(name, it)| (Some(name.clone()), Value::Defined(it.clone())));
        held.collect()
    }
}
