//! Files that a step makes although its verb is not about them: `write your findings into audit.md`, `a
//! translation (README.de.md)`, `split a.sh into b.sh and c.sh`.

use super::Facts;
use super::making::{has_ending, is_there};
use super::steps::{Kind, Step, is_made_of, is_text};
use crate::paths;
use crate::pattern::is_literal;
use crate::request::{Change, File, Request, Standing};

/// Words between which and a file stands what it is to hold.
const KEPT: &[&str] = &[
    "answer",
    "answers",
    "assessment",
    "audit",
    "bugs",
    "conclusion",
    "conclusions",
    "describe",
    "document",
    "explain",
    "finding",
    "findings",
    "issues",
    "list",
    "note",
    "notes",
    "observations",
    "opinion",
    "problems",
    "recommend",
    "recommendation",
    "recommendations",
    "record",
    "report",
    "result",
    "results",
    "review",
    "save",
    "summarize",
    "summary",
    "write",
];

/// Behind these stands where something goes.
const PLACING: &[&str] = &["as", "at", "file", "in", "into", "named", "to", "under"];

/// So far before the file it says what goes there, in words.
const REACH: usize = 12;

/// The file that a step's words give to what somebody finds, whether it is there or not.
pub(super) fn said(request: &Request, step: &Step<'_>) -> Option<String> {
    let kept = request.kept();
    let is_said = |path: &str, start: usize| {
        let before = request.text.get(step.of.span.start..start);
        let before = before.unwrap_or_default().to_lowercase();
        let sentence = before
            .rsplit(['.', '?', '!', ';'])
            .find(|it| it.contains(' '));
        let words = sentence.unwrap_or_default().split_whitespace();
        let words = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let is_put = words.last().is_some_and(|word| PLACING.contains(word));
        let mut near = words.iter().rev().take(REACH);
        let is_kept = near.any(|word| KEPT.contains(word)) || before.contains("what you f");
        is_text(path) && is_literal(path) && is_put && is_kept && !kept.contains(&path)
    };
    let mut files = step.of.files.iter().rev();
    let file = files.find(|file| is_said(&file.text, file.span.start))?;
    Some(file.text.clone())
}

/// Files that are not there and only come up in a step's words, as where its result goes: `a design for
/// the cache in docs/cache.md`, `a translation (README.de.md)`.
pub(super) fn beside<'a>(
    request: &'a Request,
    facts: &'a Facts<'_>,
    step: &'a Step<'_>,
) -> impl Iterator<Item = String> + use<'a> {
    let verb = step.of.verb.as_ref().map(|it| it.change);
    let writes = matches!(
        step.kind,
        Kind::Answer | Kind::Research | Kind::Design | Kind::Review | Kind::Document
    );
    let adds = matches!(
        verb,
        Some(Change::Add | Change::Design | Change::Document | Change::Test)
    );
    let kept = request.kept();
    let is_result = move |file: &&File| {
        let path = file.text.as_str();
        let text = |from: usize, to: usize| request.text.get(from..to).unwrap_or_default();
        let before = text(step.of.span.start, file.span.start);
        let before = before.trim_end_matches(['`', '"']);
        let behind = text(file.span.end, request.text.len());
        let aside = before.rsplit_once('(').zip(behind.split_once(')'));
        let is_alone = aside.is_some_and(|((_, before), (behind, _))| {
            let mut words = before.split_whitespace().chain(behind.split_whitespace());
            words.all(|word| {
                let word = word.trim_matches(['`', '"', ',']);
                let mut files = step.of.files.iter();
                matches!(word, "" | "and") || files.any(|file| file.text == word)
            })
        });
        let word = before.split_whitespace().next_back().unwrap_or_default();
        let is_put = writes && is_text(path) && ["as", "in", "into"].contains(&word);
        let is_one = is_literal(path) && has_ending(path) && paths::fault(path).is_none();
        let is_missing = facts.files.is_some() && !is_there(path, facts);
        let is_aside = file.standing == Standing::Aside && (is_put || adds && is_alone);
        // `Translate a.md as b.md`
        let is_first = { step.of.files.first() }.is_some_and(|first| first.span == file.span);
        let is_made = ["and", "as", "in", "into", "to"].contains(&word);
        let is_made = is_made_of(step.of) && !is_first && is_made;
        (is_aside || is_made) && is_one && is_missing && !kept.contains(&path)
    };
    let results = step.of.files.iter().filter(is_result);
    results.map(|file| file.text.clone())
}
