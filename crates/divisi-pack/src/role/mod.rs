//! Roles: who does a task, as a perspective with responsibilities, abilities and limits.
//!
//! A role is text that is put into a prompt, and four things that Divisi itself uses: the pair of
//! domain and function under which tasks name it, how many targets it takes at once, how many
//! tokens it may use, and the names under which it is found.
//!
//! [`read`] reads a role file: one `agent_role:`, or a map `agent_roles:`. What a file gives is a
//! [`Patch`]: what it leaves out is taken from the role of the same id in a weaker layer. A
//! [`Library`] is the layers put together; [`Library::built_in`] is the one that Divisi ships.
//!
//! Names are compared loosely: `Product Analyst`, `product-analyst` and `product_analyst` are one.

mod built_in;
pub(crate) mod form;
mod library;
mod read;
#[cfg(test)]
mod tests;
mod told;

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Place;
use serde::{Deserialize, Serialize};

pub use built_in::BUILT_IN;
pub use form::schema;
pub use library::{Layer, Library, Loaded};
pub(crate) use read::map;
pub use read::read;
pub use told::{TOLD_BYTES_MAX, told};

/// The most roles of one file, and of one library.
pub const ROLES_MAX: usize = 1_000;

/// The most targets that one agent may be given at once.
pub const TARGETS_MAX: u64 = 100_000;

/// The largest budget of tokens of one agent.
pub const BUDGET_TOKENS_MAX: u64 = 1_000_000_000;

/// A role with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The canonical id, such as `product_analyst`.
    pub id: String,
    /// The name for people, such as `Product Analyst`.
    pub name: String,
    /// Other names under which it is found.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The domain (`assigned_to`), such as `development`.
    #[serde(default)]
    pub domain: Option<String>,
    /// The function (`worker_type`), such as `planner`.
    #[serde(default)]
    pub function: Option<String>,
    /// From whose point of view it works.
    #[serde(default)]
    pub perspective: String,
    /// What it answers for.
    #[serde(default)]
    pub responsibilities: Vec<String>,
    /// What it is good at.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// What binds it, in words. Limits that Divisi uses itself are not repeated here.
    #[serde(default)]
    pub constraints: Vec<String>,
    /// What it delivers, in words.
    #[serde(default)]
    pub output_format: Vec<String>,
    /// What it looks at first.
    #[serde(default)]
    pub focus: Vec<String>,
    /// What it asks itself.
    #[serde(default)]
    pub questions: Vec<String>,
    /// What it is the right one for.
    #[serde(default)]
    pub suited_for: Vec<String>,
    /// Tokens that one agent of this role may use for what it is given at once (`token_budget`).
    #[serde(default)]
    pub budget_tokens: Option<u64>,
    /// How many targets one agent is given at most (`complexity_threshold`).
    #[serde(default)]
    pub targets_max: Option<u32>,
    /// Where the role was read: the strongest layer that says something of it.
    pub place: Place,
}

impl Role {
    /// The domain and function under which tasks name it: a role without a domain is named by its
    /// id.
    #[must_use]
    pub fn names_of_tasks(&self) -> (Option<String>, Option<String>) {
        let function = match self.domain {
            Some(_) => self.function.clone(),
            None => Some(self.function.clone().unwrap_or_else(|| self.id.clone())),
        };
        (self.domain.clone(), function)
    }

    /// The same in one, as limits name it: see [`divisi_core::TaskSpec::role`].
    #[must_use]
    pub fn name_of_tasks(&self) -> Option<String> {
        let (domain, function) = self.names_of_tasks();
        let parts: Vec<String> = domain.into_iter().chain(function).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }
}

/// What one text says of a role; what it leaves out stays as it was. Its fields are the role's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// The canonical id.
    pub id: String,
    pub(crate) name: Option<String>,
    pub(crate) aliases: Option<Vec<String>>,
    pub(crate) domain: Option<String>,
    pub(crate) function: Option<String>,
    pub(crate) perspective: Option<String>,
    pub(crate) responsibilities: Option<Vec<String>>,
    pub(crate) capabilities: Option<Vec<String>>,
    pub(crate) constraints: Option<Vec<String>>,
    pub(crate) output_format: Option<Vec<String>>,
    pub(crate) focus: Option<Vec<String>>,
    pub(crate) questions: Option<Vec<String>>,
    pub(crate) suited_for: Option<Vec<String>>,
    pub(crate) budget_tokens: Option<u64>,
    pub(crate) targets_max: Option<u32>,
    /// Where it stands.
    pub place: Place,
}

impl Patch {
    /// What a task that names a role says of it.
    pub(crate) fn of_task(
        id: &str,
        domain: Option<&str>,
        function: Option<&str>,
        place: Place,
    ) -> Patch {
        Patch {
            id: id.to_owned(),
            name: None,
            aliases: None,
            domain: domain.map(str::to_owned),
            function: function.map(str::to_owned),
            perspective: None,
            responsibilities: None,
            capabilities: None,
            constraints: None,
            output_format: None,
            focus: None,
            questions: None,
            suited_for: None,
            budget_tokens: None,
            targets_max: None,
            place,
        }
    }

    /// The role that this patch makes of another, or of nothing.
    #[must_use]
    pub fn over(&self, base: Option<&Role>) -> Role {
        fn pick<T: Clone>(own: &Option<T>, base: Option<&T>) -> Option<T> {
            own.as_ref().or(base).cloned()
        }
        let list =
            |own: &Option<Vec<String>>, base: fn(&Role) -> &Vec<String>, under: Option<&Role>| {
                pick(own, under.map(base)).unwrap_or_default()
            };
        Role {
            id: self.id.clone(),
            name: pick(&self.name, base.map(|role| &role.name)).unwrap_or_else(|| titled(&self.id)),
            aliases: list(&self.aliases, |role| &role.aliases, base),
            domain: pick(&self.domain, base.and_then(|role| role.domain.as_ref())),
            function: pick(&self.function, base.and_then(|role| role.function.as_ref())),
            perspective: pick(&self.perspective, base.map(|role| &role.perspective))
                .unwrap_or_default(),
            responsibilities: list(&self.responsibilities, |role| &role.responsibilities, base),
            capabilities: list(&self.capabilities, |role| &role.capabilities, base),
            constraints: list(&self.constraints, |role| &role.constraints, base),
            output_format: list(&self.output_format, |role| &role.output_format, base),
            focus: list(&self.focus, |role| &role.focus, base),
            questions: list(&self.questions, |role| &role.questions, base),
            suited_for: list(&self.suited_for, |role| &role.suited_for, base),
            budget_tokens: self
                .budget_tokens
                .or(base.and_then(|role| role.budget_tokens)),
            targets_max: self.targets_max.or(base.and_then(|role| role.targets_max)),
            place: self.place.clone(),
        }
    }
}

/// The form in which names are compared: lower case, with `_` for everything that is neither a
/// letter nor a digit. Empty if there is neither.
#[must_use]
pub fn canonical(name: &str) -> String {
    let mut id = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() {
            id.extend(c.to_lowercase());
        } else if !id.is_empty() && !id.ends_with('_') {
            id.push('_');
        }
    }
    id.truncate(id.trim_end_matches('_').len());
    id
}

/// A name for people from an id: `product_analyst` → `Product Analyst`.
fn titled(id: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().into_iter().flat_map(char::to_uppercase);
        first.chain(chars).collect::<String>()
    };
    let words: Vec<String> = id.split('_').map(word).collect();
    words.join(" ")
}

/// What was read from a role file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The roles; `None` exactly if an error is among the diagnostics.
    pub roles: Option<Vec<Patch>>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}
