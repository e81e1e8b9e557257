//! Rules of what agents may do without asking, as a file of configuration has them.

use divisi_core::permission::{Deed, Rule, Ruling};
use jsonc_parser::ast::Value as Node;

use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, start};
use crate::paths;

/// The keys of a rule.
pub(super) const KEYS: [&str; 5] = ["role", "deed", "path", "command", "then"];

/// The words of deeds.
pub(super) const DEEDS: &[(&str, Deed)] = &[
    ("read", Deed::Read),
    ("edit", Deed::Edit),
    ("delete", Deed::Delete),
    ("execute", Deed::Execute),
    ("fetch", Deed::Fetch),
    ("other", Deed::Other),
];

/// The words of rulings.
pub(super) const RULINGS: &[(&str, Ruling)] = &[
    ("allow", Ruling::Allow),
    ("ask", Ruling::Ask),
    ("deny", Ruling::Deny),
];

/// A rule; `None` after collecting all that is wrong with it.
pub(super) fn one(value: &Node<'_>, faults: &mut Faults<'_>) -> Option<Rule> {
    let before = faults.errors();
    let object = fields::object(value, "a rule", faults)?;
    let fields = Fields::open(object, "a rule", &KEYS, faults);
    let rule = Rule {
        role: fields.line("role", faults),
        deed: fields.word("deed", DEEDS, faults),
        path: fields.get("path").and_then(|value| pattern(value, faults)),
        command: fields.line("command", faults),
        exact: false,
        then: match fields.required("then", faults) {
            Some(_) => fields.word("then", RULINGS, faults)?,
            None => return None,
        },
    };
    let mut excluded = |key: &'static str, cause: &str| {
        if let Some(value) = fields.get(key) {
            faults.error(codes::CONFLICT, start(value), || cause.to_owned());
        }
    };
    match rule.deed {
        Some(deed) if deed.is_of_files() => {
            excluded("command", "a rule about files names a `command`");
        }
        Some(_) => excluded("path", "a rule about no files names a `path`"),
        None if rule.path.is_some() => {
            excluded(
                "command",
                "a rule names a `path` and a `command`; no request has both",
            );
        }
        None => {}
    }
    (faults.errors() == before).then_some(rule)
}

/// A pattern of paths beneath the workspace, or of absolute ones.
fn pattern(value: &Node<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let pattern = fields::line(value, "path", faults)?;
    let relative = pattern.strip_prefix('/').unwrap_or(&pattern);
    // A backslash takes its meaning from what comes after it, and is in no path.
    let plain = relative.replace('\\', "");
    let fault = paths::fault(plain.trim_end_matches('/'));
    let (code, fault) = match (fault, paths::pattern_fault(&pattern)) {
        (Some(fault), _) => (codes::PATH, fault),
        (None, Some(fault)) => (codes::PATTERN, fault),
        (None, None) if relative.ends_with('/') => {
            faults
                .error(codes::PATH, start(value), || {
                    format!("the pattern {} names a folder", shown(&pattern))
                })
                .hint(format!(
                    "write {} for all that is in it",
                    shown(&format!("{pattern}**"))
                ));
            return None;
        }
        (None, None) => return Some(pattern),
    };
    faults.error(code, start(value), || {
        format!("the pattern {} {fault}", shown(&pattern))
    });
    None
}

/// A rule as a file of configuration says it.
pub(super) fn json(rule: &Rule) -> serde_json::Value {
    serde_json::to_value(rule).expect("a rule is plain data")
}
