//! What speaks for a plan.

use super::super::signals::TABLE;
use super::super::stakes::says;
use super::Case;
use super::{BY_WORDS_MIN, PARTS_MANY};
use crate::request::{Amount, Change, Domain, Part, Unit};

/// The change that a part asks for.
pub(super) fn change(part: &Part) -> Option<Change> {
    part.verb.as_ref().map(|verb| verb.change)
}

/// Documents that belong to any change and are no domain of their own.
const OWN_NOTES: &[&str] = &[
    "changelog",
    "docstring",
    "docstrings",
    "readme",
    "release notes",
];

pub(super) fn several_domains(case: &Case<'_>) -> Option<Vec<String>> {
    let facts = case.facts;
    if facts.domains.len() < 2 {
        return None;
    }
    let parts = &case.request.parts;
    let is_note = |part: &Part| {
        part.domain == Domain::Documentation
            && part
                .mentions
                .iter()
                .any(|mention| OWN_NOTES.contains(&mention.word.as_str()))
    };
    let notes = parts.iter().filter(|part| is_note(part)).count();
    let only_notes = facts.domains == [Domain::Development, Domain::Documentation]
        && parts.len() == 2
        && notes == 1;
    (!only_notes).then(|| {
        let of = |domain: &Domain| {
            let part = parts.iter().find(|part| part.domain == *domain);
            format!(
                "{}: {}",
                domain.word(),
                part.map_or("", |part| part.text.as_str())
            )
        };
        facts.domains.iter().map(of).collect()
    })
}

/// Whether a request changes something, and does not only look.
pub(super) fn changes(case: &Case<'_>) -> bool {
    let looks = |part: &Part| matches!(change(part), Some(Change::Review | Change::List));
    !case.request.parts.iter().all(looks)
}

pub(super) fn many_files(case: &Case<'_>) -> Option<Vec<String>> {
    let named = case.facts.files_named;
    if let Some(files) = named.filter(|files| *files > case.sizes.files_max) {
        return Some(vec![format!("{files} files")]);
    }
    if !changes(case) {
        return None;
    }
    let many = case.request.quantities.iter().find(|quantity| {
        quantity.unit == Unit::Files && matches!(quantity.amount, Amount::All | Amount::Many)
    });
    if let Some(many) = many {
        let word = &case.request.text[many.span.start..many.span.end];
        return Some(vec![format!("{word} {}", many.of)]);
    }
    let wide = [
        "across the codebase",
        "across the project",
        "across the repository",
        "everywhere",
        "project-wide",
        "repo-wide",
        "throughout",
    ];
    let found: Vec<String> = wide
        .iter()
        .filter(|phrase| says(case.lower, phrase))
        .map(|phrase| (*phrase).to_owned())
        .collect();
    (!found.is_empty()).then_some(found)
}

pub(super) fn entire_system(case: &Case<'_>) -> Option<Vec<String>> {
    let scale = case.facts.system?;
    let systems = case
        .request
        .systems
        .iter()
        .filter(|system| system.scale == scale);
    Some(systems.map(|system| system.word.clone()).collect())
}

pub(super) fn sequence(case: &Case<'_>) -> Option<Vec<String>> {
    let request = case.request;
    let later = request.parts.iter().find(|part| !part.after.is_empty())?;
    let before = &request.parts[*later.after.first()?];
    let mut because = vec![format!("`{}` before `{}`", before.text, later.text)];
    because.extend(request.order_words.first().map(|words| words.text.clone()));
    Some(because)
}

/// Minutes in milliseconds.
pub(super) fn ms(minutes: u64) -> u64 {
    minutes.saturating_mul(60_000)
}

pub(super) fn long_work(case: &Case<'_>) -> Option<Vec<String>> {
    let minutes = case
        .facts
        .minutes_stated
        .filter(|minutes| ms(*minutes) > case.sizes.ms_max);
    let tokens = case
        .facts
        .tokens_stated
        .filter(|tokens| *tokens > case.sizes.tokens_max);
    let minutes = minutes.map(|minutes| format!("{minutes} minutes"));
    let tokens = tokens.map(|tokens| format!("{tokens} tokens"));
    let because: Vec<String> = minutes.into_iter().chain(tokens).collect();
    (!because.is_empty()).then_some(because)
}

pub(super) fn many_lines(case: &Case<'_>) -> Option<Vec<String>> {
    let lines = case.facts.lines_stated?;
    (lines >= case.sizes.lines_advised).then(|| vec![format!("{lines} lines")])
}

const AGREEING: &[&str] = &[
    "across teams",
    "all roles",
    "all teams",
    "between teams",
    "coordinate",
    "coordinated with",
    "coordination between",
    "coordination with",
    "different perspectives",
    "from every angle",
    "from several angles",
    "hand it over to",
    "hand over to",
    "in agreement with",
    "multiple perspectives",
    "multiple specialists",
    "multiple teams",
    "several perspectives",
    "several roles",
    "several specialists",
    "several teams",
    "sign-off from",
    "specialized perspectives",
    "specialized roles",
];

pub(super) fn coordination(case: &Case<'_>) -> Option<Vec<String>> {
    said(case.lower, AGREEING)
}

pub(super) fn said(text: &str, phrases: &[&'static str]) -> Option<Vec<String>> {
    let found = phrases.iter().filter(|phrase| says(text, phrase));
    let found: Vec<String> = found.map(|phrase| (*phrase).to_owned()).collect();
    (!found.is_empty()).then_some(found)
}

pub(super) fn known_workflow(case: &Case<'_>) -> Option<Vec<String>> {
    let known = crate::planner::known_workflow(case.request)?;
    Some(vec![known.to_owned()])
}

pub(super) fn several_parts(case: &Case<'_>) -> Option<Vec<String>> {
    let parts = case.facts.parts;
    (parts >= PARTS_MANY).then(|| vec![format!("{parts} parts")])
}

pub(super) fn components(case: &Case<'_>) -> Option<Vec<String>> {
    let makes = |part: &Part| {
        matches!(
            change(part),
            Some(Change::Add | Change::Design | Change::Restructure | Change::Migrate)
        )
    };
    let is_making = case.request.parts.iter().any(makes);
    let found = &case.facts.components;
    (is_making && found.len() > 2).then(|| found.clone())
}

/// What usually reaches through a system: many callers, a place in each layer, a state of its own.
const FAR: &[&str] = &[
    "accessibility",
    "audit log",
    "audit trail",
    "auth",
    "authentication",
    "authorization",
    "billing",
    "caching layer",
    "checkout",
    "dark mode",
    "encryption at rest",
    "feature flags",
    "i18n",
    "internationalization",
    "localization",
    "multi-language",
    "multi-tenancy",
    "multi-tenant",
    "notifications",
    "oauth",
    "oauth2",
    "offline mode",
    "openid connect",
    "payments",
    "payment processing",
    "permissions",
    "plugin system",
    "rate limiting",
    "rbac",
    "real-time",
    "role-based access",
    "saml",
    "single sign-on",
    "sso",
    "two-factor",
    "undo",
    "user accounts",
    "user management",
    "versioning",
];

/// What may follow such a word if it is all that is meant: behind `authentication form` only a form
/// is.
const FOLLOWING: &[&str] = &[
    "across", "and", "as", "based", "by", "feature", "for", "in", "on", "or", "service",
    "services", "so", "support", "system", "that", "to", "using", "via", "where", "which", "with",
];

pub(super) fn reaches_far(case: &Case<'_>) -> Option<Vec<String>> {
    let makes = |part: &&Part| {
        matches!(
            change(part),
            Some(Change::Add | Change::Restructure | Change::Migrate)
        ) && part.files.is_empty()
    };
    let mut found = Vec::new();
    for part in case.request.parts.iter().filter(makes) {
        let text = part.text.to_lowercase();
        // What stands behind a preposition is only where something is added.
        let places = [
            " to the ",
            " in the ",
            " for the ",
            " of the ",
            " on the ",
            " from the ",
        ];
        let end = places.iter().filter_map(|word| text.find(word)).min();
        let object = &text[..end.unwrap_or(text.len())];
        let is_all = |phrase: &&&str| {
            object.match_indices(**phrase).any(|(at, _)| {
                let rest = object[at + phrase.len()..].trim_start();
                let next = rest
                    .split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or_default();
                next.is_empty() || FOLLOWING.contains(&next) || FAR.contains(&next)
            })
        };
        let far = FAR
            .iter()
            .filter(|phrase| says(object, phrase))
            .filter(is_all);
        found.extend(far.map(|phrase| (*phrase).to_owned()));
    }
    (!found.is_empty()).then_some(found)
}

const OUTSIDE: &[&str] = &[
    "external api",
    "external apis",
    "external dependencies",
    "external dependency",
    "external service",
    "external services",
    "external system",
    "external systems",
    "integrate with",
    "integration with",
    "third party",
    "third-party",
    "upstream team",
    "vendor's",
    "vendor api",
    "partner api",
];

pub(super) fn depends_on_others(case: &Case<'_>) -> Option<Vec<String>> {
    is_outside(case).filter(|_| changes(case))
}

/// The words that name something outside the repository.
pub(super) fn is_outside(case: &Case<'_>) -> Option<Vec<String>> {
    said(case.lower, OUTSIDE)
}

pub(super) fn similar_were_large(case: &Case<'_>) -> Option<Vec<String>> {
    let files = case
        .facts
        .similar_files
        .filter(|files| *files > case.sizes.files_max)?;
    let similar = &case.facts.repository.similar;
    let mut because = vec![format!(
        "a median of {files} files in {} changes",
        similar.len()
    )];
    let titles = similar
        .iter()
        .take(2)
        .map(|similar| format!("`{}`", similar.title));
    because.extend(titles);
    Some(because)
}

pub(super) fn worded_like_large(case: &Case<'_>) -> Option<Vec<String>> {
    let probability = case.facts.by_words.files;
    if probability < BY_WORDS_MIN {
        return None;
    }
    let mut because = vec![format!("{:.0} of 100", probability * 100.0)];
    let large = TABLE
        .iter()
        .zip(case.signals)
        .filter(|(signal, value)| signal.files > 0 && **value > 0.0);
    because.extend(large.map(|(signal, _)| signal.name.to_owned()));
    Some(because)
}
