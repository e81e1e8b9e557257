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

/// So much is said of a step's files at most; a request that says more is a plan.
const SAID_MAX: usize = 8;

/// What is said of a file in more bytes is no criterion.
const SAID_BYTES_MAX: usize = 500;

/// The criteria of the files that a step makes or changes.
pub(super) fn of(request: &Request, step: &Step<'_>) -> Vec<Criterion> {
    let span = step.of.span;
    let rest = request.text.get(span.end..).unwrap_or_default();
    let quote = usize::from(rest.starts_with(['"', '`']));
    let Some(text) = request.text.get(span.start..span.end + quote) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut before: Option<(usize, &str)> = None;
    let mut said = 0;
    for (at, word) in words(text) {
        let last = before.replace((at, word));
        let Some((start, last)) = last.filter(|_| HAVING.contains(&word)) else {
            continue;
        };
        let is_said_of = |file: &&String| match EACH.contains(&last) {
            true => text[..start].contains(file.as_str()),
            false => last == file.as_str(),
        };
        let files: Vec<&String> = step.files.iter().filter(is_said_of).collect();
        said += usize::from(!files.is_empty());
        if said > SAID_MAX {
            break;
        }
        let what = text[at + word.len()..].trim();
        found.extend(files.into_iter().flat_map(|file| has(file, what)));
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
    let texts = texts.filter(|text| text.len() <= SAID_BYTES_MAX);
    let statements = texts.flat_map(|text| {
        [
            format!("{file} has {text}"),
            format!("{file} contains {text}"),
        ]
    });
    let mut understood = statements.filter_map(|text| stated::compiled(&text));
    understood.next().unwrap_or_default()
}
