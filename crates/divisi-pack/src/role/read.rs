//! Reads role files, and the map of roles that a workflow may hold.

use jsonc_parser::ast::Value;

use super::{BUDGET_TOKENS_MAX, Patch, ROLES_MAX, Read, TARGETS_MAX, canonical};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, start};
use crate::{text, yaml};

/// The keys of a role file, of which one is given.
pub(crate) const FILE_KEYS: &[&str] = &["agent_role", "agent_roles"];

/// All keys of a role.
pub(crate) const KEYS: &[&str] = &[
    "id",
    "role_id",
    "name",
    "aliases",
    "domain",
    "function",
    "perspective",
    "responsibilities",
    "capabilities",
    "constraints",
    "output_format",
    "focus",
    "questions",
    "perfect_for",
    "token_budget",
    "complexity_threshold",
];

/// Reads a role file. `source_name` stands in the diagnostics' places, as the user gave it.
#[must_use]
pub fn read(source_name: &str, bytes: &[u8]) -> Read {
    let (roles, diagnostics) =
        text::read(source_name, bytes, yaml::TEXT_BYTES_MAX, |text, faults| {
            yaml::parse(text, faults).and_then(|value| file(&value, faults))
        });
    Read { roles, diagnostics }
}

fn file(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Vec<Patch>> {
    let object = fields::object(value, "the role file", faults)?;
    let fields = Fields::open(object, "the role file", FILE_KEYS, faults);
    match (fields.get("agent_role"), fields.get("agent_roles")) {
        (Some(role), None) => one(role, None, faults).map(|role| vec![role]),
        (None, Some(roles)) => Some(map(roles, faults)),
        (Some(_), Some(roles)) => {
            faults.error(codes::CONFLICT, start(roles), || {
                "both `agent_role` and `agent_roles` are given".to_owned()
            });
            None
        }
        (None, None) => {
            fields.required("agent_role", faults);
            None
        }
    }
}

/// The roles of a map, each under its id.
pub(crate) fn map(value: &Value<'_>, faults: &mut Faults<'_>) -> Vec<Patch> {
    let Some(object) = fields::object(value, "`agent_roles`", faults) else {
        return Vec::new();
    };
    let mut roles: Vec<Patch> = Vec::new();
    for (key, at, value) in fields::pairs(object, faults) {
        if roles.len() >= ROLES_MAX {
            faults.error(codes::TOO_LARGE, at, || {
                format!("more than {ROLES_MAX} roles")
            });
            break;
        }
        let Some(role) = one(value, Some((key, at)), faults) else {
            continue;
        };
        let before = roles.iter().find(|before| before.id == role.id);
        if let Some(before) = before {
            let line = before.place.line;
            faults
                .error(codes::ROLE_DUPLICATE, at, || {
                    format!("two roles have the id {}", shown(&role.id))
                })
                .hint(format!("the first one stands in line {line}"));
            continue;
        }
        roles.push(role);
    }
    roles
}

/// One role, under the key of a map or with an id or name of its own.
fn one(value: &Value<'_>, key: Option<(&str, usize)>, faults: &mut Faults<'_>) -> Option<Patch> {
    let object = fields::object(value, "the role", faults)?;
    let fields = Fields::open(object, "the role", KEYS, faults);
    let name = fields.line("name", faults);
    // Without an id, too, the rest is read: no fault hides another.
    let id = id(&fields, key, name.as_deref(), faults);
    let constraints = constraints(&fields, faults);
    let list = |key, faults: &mut Faults<'_>| fields.texts(key, faults);
    let budget = fields.integer("token_budget", (1, BUDGET_TOKENS_MAX), faults);
    let targets = fields.integer("complexity_threshold", (1, TARGETS_MAX), faults);
    let (id, at) = id.unwrap_or((String::new(), fields.at));
    let patch = Patch {
        id,
        name,
        aliases: list("aliases", faults).map(|names| aliases(&names, &fields, faults)),
        domain: fields.line("domain", faults),
        function: fields.line("function", faults),
        perspective: fields.text("perspective", faults),
        responsibilities: list("responsibilities", faults),
        capabilities: list("capabilities", faults),
        output_format: list("output_format", faults),
        focus: list("focus", faults),
        questions: list("questions", faults),
        suited_for: list("perfect_for", faults),
        budget_tokens: budget.or(constraints.budget_tokens),
        targets_max: targets
            .or(constraints.items_max)
            .or(constraints.complexity_max)
            .map(|targets| targets as u32),
        constraints: fields.get("constraints").map(|_| constraints.texts),
        place: faults.place(at),
    };
    (!patch.id.is_empty()).then_some(patch)
}

fn id(
    fields: &Fields<'_, '_>,
    key: Option<(&str, usize)>,
    name: Option<&str>,
    faults: &mut Faults<'_>,
) -> Option<(String, usize)> {
    let own = ["id", "role_id", "name"]
        .into_iter()
        .find_map(|key| fields.get(key).map(|value| (key, value)));
    let (text, at) = match (key, own) {
        (Some((key, at)), _) => (key.to_owned(), at),
        // What is wrong with the name was told when it was read.
        (None, Some(("name", value))) => (name?.to_owned(), start(value)),
        (None, Some((key, value))) => (fields::line(value, key, faults)?, start(value)),
        (None, None) => {
            fields.required("name", faults);
            return None;
        }
    };
    let id = canonical(&text);
    let fits = !id.is_empty() && id.len() <= divisi_core::ids::ID_BYTES_MAX && id.is_ascii();
    if !fits {
        faults
            .error(codes::ID, at, || {
                format!("{} gives a role no id", shown(&text))
            })
            .hint("give it an `id` of letters, digits and `_`");
        return None;
    }
    Some((id, at))
}

fn aliases(names: &[String], fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Vec<String> {
    let mut aliases = Vec::with_capacity(names.len());
    for name in names {
        let alias = canonical(name);
        if alias.is_empty() {
            let at = fields.get("aliases").map_or(fields.at, start);
            faults.error(codes::ID, at, || {
                format!("the alias {} has neither letter nor digit", shown(name))
            });
        } else if !aliases.contains(&alias) {
            aliases.push(alias);
        }
    }
    aliases
}

/// What `constraints` says: limits that Divisi uses itself, and the rest in words.
#[derive(Default)]
struct Constraints {
    texts: Vec<String>,
    budget_tokens: Option<u64>,
    items_max: Option<u64>,
    complexity_max: Option<u64>,
}

/// A map, a list of maps with one entry each, or a list of texts.
fn constraints(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Constraints {
    let mut found = Constraints::default();
    match fields.get("constraints") {
        None => {}
        Some(Value::Object(object)) => {
            for (key, _, value) in fields::pairs(object, faults) {
                constraint(key, value, &mut found, faults);
            }
        }
        Some(Value::Array(array)) => {
            for element in &array.elements {
                let Value::Object(object) = element else {
                    found
                        .texts
                        .extend(fields::loose_text(element, "constraints", faults));
                    continue;
                };
                for (key, _, value) in fields::pairs(object, faults) {
                    constraint(key, value, &mut found, faults);
                }
            }
        }
        Some(value) => {
            let text = fields::loose_text(value, "constraints", faults);
            found.texts.extend(text);
        }
    }
    found
}

fn constraint(key: &str, value: &Value<'_>, found: &mut Constraints, faults: &mut Faults<'_>) {
    let number = fields::written(value).and_then(|text| text.parse().ok());
    let limit = match &*canonical(key) {
        "token_budget" => Some((&mut found.budget_tokens, BUDGET_TOKENS_MAX)),
        "max_items" => Some((&mut found.items_max, TARGETS_MAX)),
        "complexity_threshold" => Some((&mut found.complexity_max, TARGETS_MAX)),
        _ => None,
    };
    if let (Some((limit, most)), Some(number)) = (limit, number)
        && (1..=most).contains(&number)
    {
        *limit = Some(number);
        return;
    }
    // Anything else, such as `<estimate>` or `high`, binds the agent in words.
    if let Some(value) = fields::joined(value, "constraints", faults) {
        found.texts.push(format!("{key}: {value}"));
    }
}
