//! What the request says that each of the files has which a task makes: `a.md and b.md, each with a section
//! "Example"`. Only what the rules for criteria understand whole becomes one.

use divisi_core::Criterion;

use super::steps::Step;
use crate::request::Request;
use crate::stated;

/// Words that stand for all files before them.
const EACH: &[&str] = &["all", "both", "each"];

/// Words behind which stands what a file has.
const HAVING: &[&str] = &["containing", "having", "with"];

/// Where what is said of a file may end.
const ENDS: &[&str] = &[", and ", ", then ", ", ", " and ", " (", "; "];

/// The criteria of the files that a step makes or changes.
pub(super) fn of(request: &Request, step: &Step<'_>) -> Vec<Criterion> {
    let span = step.of.span;
    let rest = request.text.get(span.end..).unwrap_or_default();
    let quote = usize::from(rest.starts_with(['"', '`']));
    let Some(text) = request.text.get(span.start..span.end + quote) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (at, word) in words(text) {
        if !HAVING.contains(&word) {
            continue;
        }
        let before = words(&text[..at]).last();
        let Some((start, before)) = before else {
            continue;
        };
        let is_said_of = |file: &&String| match EACH.contains(&before) {
            true => text[..start].contains(file.as_str()),
            false => before == file.as_str(),
        };
        let files = step.files.iter().filter(is_said_of);
        let said = text[at + word.len()..].trim();
        found.extend(files.flat_map(|file| has(file, said)));
    }
    found
}

/// The words of a text with their places, without marks around them.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split_inclusive(char::is_whitespace);
    let words = words.scan(0, |at, word| {
        let start = *at;
        *at += word.len();
        Some((start, word.trim_end()))
    });
    let bare = words.map(|(at, word)| {
        let core = word.trim_start_matches(['`', '"', '(']);
        let start = at + word.len() - core.len();
        (start, core.trim_end_matches(['`', '"', ')', ',', ';', ':']))
    });
    bare.filter(|(_, word)| !word.is_empty())
}

/// What a file has, as far as that is understood: all that is said, otherwise the first of it.
fn has(file: &str, said: &str) -> Vec<Criterion> {
    let ends = ENDS.iter().filter_map(|end| said.find(end));
    let first = ends.min().map(|end| &said[..end]);
    let texts = std::iter::once(said).chain(first);
    let statements = texts.flat_map(|text| {
        [
            format!("{file} has {text}"),
            format!("{file} contains {text}"),
        ]
    });
    let mut understood = statements.filter_map(|text| stated::compiled(&text));
    understood.next().unwrap_or_default()
}
