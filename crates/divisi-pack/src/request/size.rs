//! Systems that a request names: from a component to a company.

use serde::Serialize;

use super::Span;
use super::token::{Kind, Token};
use super::verbs::{Change, verb};

/// How much is meant by a noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// A layer, a subsystem, a pipeline.
    Layer,
    /// A whole system, service or application.
    System,
    /// Several systems that are one product: a platform, a suite.
    Platform,
    /// A business with everything it needs.
    Company,
}

/// A system that is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct System {
    /// Where the noun stands.
    pub span: Span,
    /// The noun in lower case.
    pub word: String,
    /// How much it means.
    pub scale: Scale,
    /// What is to become of it; none where it is only the place of something else.
    pub change: Option<Change>,
    /// Whether it is meant as a whole: `entire`, `whole`, `complete`, `full`.
    pub is_whole: bool,
}

const NOUNS: &[(Scale, &[&str])] = &[
    (
        Scale::Layer,
        &[
            "architecture",
            "framework",
            "infrastructure",
            "layer",
            "pipeline",
            "stack",
            "subsystem",
        ],
    ),
    (
        Scale::System,
        &[
            "app",
            "application",
            "backend",
            "codebase",
            "frontend",
            "marketplace",
            "monolith",
            "monorepo",
            "project",
            "service",
            "shop",
            "site",
            "store",
            "system",
            "website",
        ],
    ),
    (Scale::Platform, &["ecosystem", "platform", "suite"]),
    (
        Scale::Company,
        &["business", "company", "enterprise", "saas", "startup"],
    ),
];

/// After these a noun is the place of something, not the thing itself.
const PLACING: &[&str] = &[
    "about", "across", "against", "as", "at", "between", "by", "for", "from", "in", "inside",
    "into", "of", "on", "onto", "over", "per", "to", "under", "via", "when", "where", "with",
    "within",
];

const WHOLE: &[&str] = &[
    "complete",
    "entire",
    "full",
    "full-stack",
    "whole",
    "end-to-end",
];

/// So many words may stand between a word for *whole* and its noun: `a complete multi-vendor
/// e-commerce marketplace`.
const WHOLE_DISTANCE: usize = 4;

/// The systems of a request.
pub(super) fn systems(tokens: &[Token]) -> Vec<System> {
    let mut found = Vec::new();
    let mut change = None;
    let mut whole_at = None;
    for (at, token) in tokens.iter().enumerate() {
        if !token.is_word() {
            let ends = match token.kind {
                Kind::Mark(mark) => matches!(mark, '.' | ';' | '!' | '?' | ':'),
                kind => kind != Kind::Line,
            };
            if ends {
                change = None;
            }
            continue;
        }
        if WHOLE.contains(&token.lower.as_str()) {
            whole_at = Some(at);
        }
        if PLACING.contains(&token.lower.as_str()) {
            change = None;
        }
        if let Some(scale) = scale(&token.lower)
            && token.kind == Kind::Word
            && !is_modifier(tokens.get(at + 1))
        {
            found.push(System {
                span: token.span,
                word: token.lower.clone(),
                scale,
                change,
                is_whole: whole_at.is_some_and(|whole| at - whole <= WHOLE_DISTANCE),
            });
        } else if token.is_any(&["need", "needs", "want", "wants"]) {
            // `We need a platform`; of `need to fix it` the verb that follows counts.
            let is_modal = tokens.get(at + 1).is_some_and(|next| next.is("to"));
            change = change.or((!is_modal).then_some(Change::Add));
        } else if let Some((_, next, _)) = verb(&token.lower)
            && change.is_none()
            && !follows_placing(tokens, at)
        {
            change = Some(next);
        }
    }
    found
}

fn scale(word: &str) -> Option<Scale> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    NOUNS.iter().find_map(|(scale, nouns)| {
        let fits = nouns.contains(&word) || nouns.contains(&singular);
        fits.then_some(*scale)
    })
}

/// Whether the noun before only describes this one: `application form`, `service worker`.
fn is_modifier(next: Option<&Token>) -> bool {
    next.is_some_and(|next| {
        next.kind == Kind::Word
            && !PLACING.contains(&next.lower.as_str())
            && scale(&next.lower).is_none()
            && !matches!(
                next.lower.as_str(),
                "and"
                    | "or"
                    | "that"
                    | "which"
                    | "so"
                    | "but"
                    | "then"
                    | "is"
                    | "are"
                    | "using"
                    | "called"
                    | "named"
                    | "plus"
                    | "including"
                    | "without"
                    | "end-to-end"
                    | "&"
                    | "must"
                    | "should"
                    | "we"
                    | "you"
                    | "i"
                    | "now"
                    | "first"
                    | "before"
                    | "after"
                    | "product"
                    | "business"
                    | "company"
            )
    })
}

fn follows_placing(tokens: &[Token], at: usize) -> bool {
    at.checked_sub(1)
        .is_some_and(|before| tokens[before].is_any(PLACING) && !tokens[before].is("to"))
}
