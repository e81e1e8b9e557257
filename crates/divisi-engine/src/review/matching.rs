//! Where a pattern counts in a source.

use regex::Captures;

use super::rule::{Inside, Pattern, Use, Where};
use super::source::{Part, Source, View};

/// More places of one rule in one file are not told apart: who has as many needs no list.
pub(crate) const HITS_MAX: usize = 200;

/// A place that a rule found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    /// The line to look at, from 1.
    pub(crate) line: u32,
    /// The first line of what was found.
    pub(crate) first: u32,
    /// The last line of what was found.
    pub(crate) last: u32,
    /// What exactly is the matter, where the rule's words do not say.
    pub(crate) what: String,
    /// What must be so in the whole repository for it to count.
    pub(crate) condition: Condition,
    /// Whether it counts although its lines did not change: the change is elsewhere.
    pub(crate) regardless: bool,
}

/// What a place depends on beside its own file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// No test names this.
    NoTestNames(String),
    /// None of these asserts.
    NothingCalledAsserts(Vec<String>),
    /// No code knows a flag of this name.
    NoCodeKnows(String),
    /// The path is not one that is made later and kept out of version control.
    NotIgnored(String),
}

impl Hit {
    /// A place of one line.
    pub(crate) fn at(line: u32, what: impl Into<String>) -> Hit {
        Hit {
            line,
            first: line,
            last: line,
            what: what.into(),
            condition: Condition::Always,
            regardless: false,
        }
    }
}

/// Pairs of groups that `equal` compares.
const PAIRS: &[(&str, &str)] = &[
    ("left", "right"),
    ("left2", "right2"),
    ("left3", "right3"),
    ("left4", "right4"),
];

/// The places where a pattern counts, one a line.
pub(crate) fn hits(pattern: &Pattern, source: &Source) -> Vec<Hit> {
    let text = source.view(View::Text);
    let is_met = |regex: &Option<regex::Regex>, expected: bool| {
        regex
            .as_ref()
            .is_none_or(|regex| regex.is_match(text) == expected)
    };
    let path_fits = pattern
        .paths
        .as_ref()
        .is_none_or(|paths| paths.is_match(&source.path));
    if !path_fits || !is_met(&pattern.only_file, true) || !is_met(&pattern.unless_file, false) {
        return Vec::new();
    }
    let mut hits: Vec<Hit> = Vec::new();
    for found in pattern.regex.captures_iter(source.view(pattern.view)) {
        if hits.len() >= HITS_MAX {
            break;
        }
        if let Some(hit) = hit(pattern, source, &found)
            && hits.last().is_none_or(|last| last.line != hit.line)
        {
            hits.push(hit);
        }
    }
    hits
}

fn hit(pattern: &Pattern, source: &Source, found: &Captures<'_>) -> Option<Hit> {
    let whole = found.get(0)?;
    // Line breaks and spaces before it belong to the lines before.
    let matched = whole.as_str();
    let start = whole.start() + (matched.len() - matched.trim_start().len());
    let end = (whole.start() + matched.trim_end().len()).max(start);
    let (first, last) = (
        source.line_of(start),
        source.line_of(end.saturating_sub(1).max(start)),
    );
    // What is said in strings belongs to code; comments speak only to who looks at comments.
    let view = match pattern.view {
        View::Code | View::Live => View::Live,
        view @ (View::Text | View::Comments) => view,
    };
    let lines = &source.view(view)[source.lines(first, last)];
    let counts = is_in_part(pattern.part, source, start)
        && is_inside(pattern, source, start, lines)
        && pattern
            .needs
            .as_ref()
            .is_none_or(|needs| needs.is_match(lines))
        && !pattern
            .unless
            .as_ref()
            .is_some_and(|unless| unless.is_match(lines))
        && !pattern.unless_near.as_ref().is_some_and(|near| {
            let around = source.lines(
                first.saturating_sub(near.above).max(1),
                last.saturating_add(near.below),
            );
            let text = &source.view(View::Text)[around];
            text.lines().any(|line| near.regex.is_match(line))
        })
        && (!pattern.equal || is_equal(found));
    counts.then(|| Hit {
        last,
        ..Hit::at(first, "")
    })
}

fn is_in_part(part: Where, source: &Source, at: usize) -> bool {
    match part {
        Where::Anywhere => true,
        Where::Code => source.part(at) == Part::Code,
        Where::Tests => source.part(at) == Part::Test,
    }
}

fn is_inside(pattern: &Pattern, source: &Source, at: usize, lines: &str) -> bool {
    match pattern.inside {
        None => true,
        Some(Inside::Async) => source.is_async(at),
        Some(Inside::Loop) => source.loop_around(at).is_some_and(|around| {
            let header = &source.view(View::Code)[around.start..around.open];
            let form_fits = pattern
                .only_loop
                .as_ref()
                .is_none_or(|form| form.is_match(header));
            let is_named = || {
                around
                    .bound()
                    .iter()
                    .any(|variable| has_word(lines, variable))
            };
            form_fits
                && match pattern.loop_variable {
                    None => true,
                    Some(Use::Used) => is_named(),
                    Some(Use::Unused) => !is_named(),
                }
        }),
    }
}

fn is_equal(found: &Captures<'_>) -> bool {
    PAIRS.iter().any(|(left, right)| {
        match (found.name(left), found.name(right)) {
            // A call may answer differently the second time.
            (Some(left), Some(right)) => {
                left.as_str() == right.as_str() && !left.as_str().ends_with(')')
            }
            // An empty place for a value is filled by what follows, which is not looked at.
            _ => false,
        }
    })
}

/// Whether a text holds a word, not only as a part of another.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whole() {
        assert!(has_word("f(url)", "url"));
        assert!(has_word("urls url", "url"));
        assert!(!has_word("urls my_url curl", "url"));
    }
}
