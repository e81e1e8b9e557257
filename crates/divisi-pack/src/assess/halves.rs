//! The halves of what is several workflows, in the request's own words: `a chat for customers and a
//! nightly job that bills them`.
//!
//! A rule that keeps two things apart fired by a word of each. Where one joint stands between those
//! words, what stands on its sides are the halves. More is not guessed.

use divisi_core::run::Sizes;

use super::rules::Fired;
use super::{Approach, assess};
use crate::assess::Repository;
use crate::request::{Part, Request};

/// What joins two halves, the longer ones first.
const JOINTS: &[&str] = &[
    ", and ", ", plus ", ", while ", " and ", " plus ", " while ",
];

/// What joins them where none of those does.
const COMMA: &str = ", ";

/// The halves of a request that is assessed as a pack, if its only part tells them apart.
pub(crate) fn halves(request: &Request, sizes: &Sizes) -> Option<[String; 2]> {
    if request.parts.len() != 1 {
        return None;
    }
    let assessment = assess(request, &Repository::default(), sizes);
    let is_pack = assessment.approach == Approach::Pack;
    of(request, &assessment.rules).filter(|_| is_pack)
}

/// The same by the rules that fired.
pub(super) fn of(request: &Request, fired: &[Fired]) -> Option<[String; 2]> {
    let [part] = request.parts.as_slice() else {
        return None;
    };
    let mut rules = fired.iter().filter(|rule| rule.points == Approach::Pack);
    rules.find_map(|rule| of_part(part, &rule.because))
}

fn of_part(part: &Part, because: &[String]) -> Option<[String; 2]> {
    let text = part.text.as_str();
    let lower = text.to_ascii_lowercase();
    let (from, to) = match because {
        [one, other] => {
            let (one, other) = (lower.find(one.as_str())?, lower.find(other.as_str())?);
            (one.min(other), one.max(other))
        }
        // One word keeps them apart, wherever it stands.
        _ => (0, lower.len()),
    };
    let between = lower.get(from..to)?;
    let is_only = |joint: &str| (between.matches(joint).count() == 1).then(|| between.find(joint));
    let joint = JOINTS.iter().filter(|joint| between.contains(**joint));
    let joint = joint.copied().next().or_else(|| {
        let is_comma = between.contains(COMMA) && because.len() == 2;
        is_comma.then_some(COMMA)
    })?;
    let bare = joint.trim_start_matches(',');
    let is_one = between.matches(bare).count() == 1;
    let at = from + is_only(joint)??;
    let first = without_verb(part, &text[..at]);
    let second = text.get(at + joint.len()..)?.trim();
    let says = |half: &str| half.chars().any(char::is_alphanumeric);
    // Of `two bots, one for finance and one for marketing` the first would be two.
    let is_clear = because.len() == 2 || !first.contains(COMMA);
    (is_one && is_clear && says(first) && says(second))
        .then(|| [first.to_owned(), second.to_owned()])
}

/// What stands before the joint, without the verb with which the part begins.
fn without_verb<'t>(part: &Part, before: &'t str) -> &'t str {
    let end = { part.verb.as_ref() }.map_or(0, |it| it.span.end.saturating_sub(part.span.start));
    let rest = before.get(end..).unwrap_or(before).trim();
    rest.strip_prefix("up ").unwrap_or(rest)
}
