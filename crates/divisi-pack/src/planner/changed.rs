//! Which of the files that a request names are to be changed, without any doubt: an agent that leaves
//! them as they are has not done what was asked, whatever tests pass.
//!
//! A refusal of work that is right costs its owner an attempt. So a file counts only where the
//! request's words put the change into it: it is what a verb of changes is about (`update
//! README.md`), or where something is put or taken away (`add multiply to calc.js`). A bug that shows
//! in a file may be mended in another one; what is named with a condition, a choice or a negation may
//! be left alone.

use divisi_core::Criterion;

use super::Facts;
use super::making::{is_there, pattern_of};
use super::steps::{Kind, Step, must_change};
use crate::pattern::is_literal;
use crate::request::{Change, File, Part, Request, Standing};

/// Verbs whose object is another one afterwards.
const ALTERING: &[&str] = &[
    "adjust",
    "change",
    "clean",
    "edit",
    "enhance",
    "extend",
    "improve",
    "modernize",
    "modify",
    "overhaul",
    "polish",
    "redesign",
    "refactor",
    "refine",
    "reorganize",
    "restructure",
    "rework",
    "rewrite",
    "simplify",
    "tweak",
    "update",
];

/// Verbs that put something new into a file.
const PUTTING: &[&str] = &[
    "add",
    "create",
    "describe",
    "document",
    "explain",
    "implement",
    "include",
    "introduce",
    "mention",
    "put",
    "write",
];

/// Verbs that take something away in a file, or give it another form there.
const TAKING: &[&str] = &[
    "delete", "drop", "move", "remove", "rename", "replace", "strip",
];

/// Words between what stands before a file and its name.
const BETWEEN: &[&str] = &[
    "both", "existing", "file", "files", "module", "my", "our", "the", "this", "your",
];

/// Behind these, a file may be one that is only spoken of: `a parser for the dates in a.js`, `an
/// option to write to b.js`.
const SPEAKING: &[&str] = &[
    "according",
    "as",
    "by",
    "for",
    "how",
    "like",
    "of",
    "on",
    "so",
    "that",
    "to",
    "what",
    "when",
    "which",
    "with",
];

/// What leads to a file instead of being put into it: `a link to README.md`.
const LEADING: &[&str] = &[
    "alias",
    "call",
    "calls",
    "import",
    "link",
    "links",
    "path",
    "pointer",
    "redirect",
    "reference",
    "references",
    "route",
    "symlink",
];

/// Endings of what programs write and read.
const DATA: &[&str] = &[
    ".csv", ".db", ".lock", ".log", ".out", ".pdf", ".sqlite", ".tsv", ".txt",
];

/// Endings of documents, in which something is described.
const DOCUMENTS: &[&str] = &[".adoc", ".md", ".mdx", ".rst"];

/// Words that leave it open whether a file is changed, or which.
const OPEN: &[&str] = &[
    "can",
    "could",
    "either",
    "except",
    "if",
    "likely",
    "may",
    "maybe",
    "might",
    "needed",
    "necessary",
    "neither",
    "never",
    "no",
    "nor",
    "not",
    "optionally",
    "or",
    "perhaps",
    "possible",
    "possibly",
    "probably",
    "should",
    "unless",
    "where",
    "whether",
    "without",
];

/// The criteria of a step, one for each file.
pub(super) fn of(request: &Request, facts: &Facts<'_>, step: &Step<'_>) -> Vec<Criterion> {
    if matches!(
        step.kind,
        Kind::Answer | Kind::Research | Kind::Design | Kind::Review | Kind::Deploy
    ) {
        return Vec::new();
    }
    let is_meant = |file: &&File| {
        step.files.contains(&file.text)
            && is_known(&file.text, facts)
            && must_change(request, step.of, file)
            && is_put_into(request, step.of, file)
    };
    let mut patterns: Vec<String> = Vec::new();
    for file in step.of.files.iter().filter(is_meant) {
        let pattern = pattern_of(&file.text, facts);
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    if places(request, step.of) > 1 {
        // What is to be done in several folders need not be in each.
        patterns.retain(|pattern| is_literal(pattern));
    }
    let changed = patterns.into_iter();
    changed
        .map(|pattern| Criterion::Changed { pattern })
        .collect()
}

/// How many files and folders the sentence of a part names, whichever parts they stand in.
fn places(request: &Request, part: &Part) -> usize {
    let sentence = request.sentences.iter().find(|it| it.holds(part.span));
    let span = sentence.copied().unwrap_or(part.span);
    let named = request.files.iter().filter(|file| span.holds(file.span));
    named.count()
}

/// Whether it is a file, or a folder with files, of the project. Another one may be meant by a name
/// that is nowhere, and a new one is promised.
fn is_known(path: &str, facts: &Facts<'_>) -> bool {
    let folder = format!("{}/", path.trim_end_matches('/'));
    let files = facts.files.unwrap_or_default();
    is_literal(path)
        && (is_there(path, facts) || files.iter().any(|file| file.starts_with(&folder)))
}

fn is_put_into(request: &Request, part: &Part, file: &File) -> bool {
    let Some(verb) = &part.verb else {
        return false;
    };
    let is = |endings: &[&str]| endings.iter().any(|end| file.text.ends_with(end));
    if is(DATA) || is_open(request, part, file) {
        return false;
    }
    let alters = ALTERING.contains(&verb.word);
    if file.is_direct {
        return alters;
    }
    let Some(behind) = Behind::of(request, part, file).filter(|_| file.standing == Standing::Place)
    else {
        return false;
    };
    let (puts, takes) = (PUTTING.contains(&verb.word), TAKING.contains(&verb.word));
    let mends = verb.change == Change::Fix && is(DOCUMENTS);
    match behind.word.as_str() {
        "to" | "into" => {
            (puts || verb.word == "move") && !behind.leads && !behind.speaks(verb.word)
        }
        "from" => takes,
        "in" | "inside" | "within" => {
            // `Implement the interface in a.ts`, `add the features in TODO.md`: they are there.
            let describes = verb.change == Change::Document;
            let is_new = describes || !behind.is_of_known && !is(DOCUMENTS);
            let can = alters || takes || mends || puts && is_new;
            can && !behind.is_followed && !behind.speaks(verb.word)
        }
        _ => false,
    }
}

/// What stands between a verb and a file. Of `to a.js and b.js` it is the same.
struct Behind {
    /// The word right before.
    word: String,
    /// What stands before that, from the verb on.
    before: Vec<String>,
    /// Whether something leads there.
    leads: bool,
    /// Whether what is put there is one that is known.
    is_of_known: bool,
    /// Whether another place follows, so that this one may be that of a thing.
    is_followed: bool,
}

impl Behind {
    fn of(request: &Request, part: &Part, file: &File) -> Option<Behind> {
        let verb = part.verb.as_ref()?;
        let words = |from: usize, to: usize| -> Option<Vec<String>> {
            let words = request.text.get(from..to)?.split_whitespace();
            let bare = words.map(|word| word.trim_matches(['`', '"', '\'', ',', '(', ')']));
            Some(bare.map(str::to_lowercase).collect())
        };
        let is_passed = |word: &String| {
            let mut files = part.files.iter();
            let is_file = files.any(|it| it.text.eq_ignore_ascii_case(word));
            word.is_empty() || word == "and" || is_file || BETWEEN.contains(&word.as_str())
        };
        let mut before = words(verb.span.end, file.span.start)?;
        while before.last().is_some_and(is_passed) {
            before.pop();
        }
        let word = before.pop()?;
        let last = before.last().map(String::as_str).unwrap_or_default();
        let is_said =
            last.ends_with("ed") || ["thrown", "shown", "written", "given"].contains(&last);
        let mut places = part
            .files
            .iter()
            .filter(|it| it.standing == Standing::Place);
        let next = places.find(|it| it.span.start > file.span.start);
        let between = next.and_then(|next| words(file.span.end, next.span.start));
        let first = before.first().map(String::as_str).unwrap_or_default();
        let leads = LEADING.contains(&last);
        let is_of_known = ["all", "every", "the", "these", "those"].contains(&first);
        (!is_said).then(|| Behind {
            leads,
            is_of_known,
            is_followed: between.is_some_and(|it| !it.iter().all(is_passed)),
            word,
            before,
        })
    }

    /// Whether the file may only be spoken of. Something is renamed `to` something, and replaced `by`
    /// or `with` it.
    fn speaks(&self, verb: &str) -> bool {
        let exchanges = ["change", "move", "rename", "replace"].contains(&verb);
        let is_part = |word: &str| exchanges && ["by", "to", "with"].contains(&word);
        let mut words = self.before.iter().map(String::as_str);
        words.any(|word| SPEAKING.contains(&word) && !is_part(word))
    }
}

/// Whether the sentence leaves it open whether the file is changed. What it excludes beside is no
/// word of that.
fn is_open(request: &Request, part: &Part, file: &File) -> bool {
    let sentence = request.sentences.iter().find(|it| it.holds(file.span));
    let span = sentence.copied().unwrap_or(part.span);
    let text = |from: usize, to: usize| request.text.get(from..to).unwrap_or_default();
    let mut at = span.start;
    let mut said = String::new();
    let excluded = request.exclusions.iter().chain(&request.bounds);
    for exclusion in excluded.filter(|it| span.holds(it.span)) {
        said.push_str(text(at, exclusion.span.start));
        said.push(' ');
        at = at.max(exclusion.span.end);
    }
    said.push_str(text(at, span.end));
    let words = said.split(|c: char| !c.is_alphanumeric() && c != '\'');
    words
        .map(str::to_lowercase)
        .any(|word| OPEN.contains(&word.as_str()) || word.ends_with("n't"))
}
