//! What a part of a request names to the letter: files, symbols, numbers and quotations. Whoever says
//! the request in other words keeps these, so a plan in which one of them stands nowhere has lost it.

use divisi_core::plan::{Input, Work};
use divisi_core::{Criterion, Plan, TaskSpec};

use super::asked::own_words;
use super::{is_handed_over, meet};
use crate::request::{Part, Request, Span, Standing};

/// A longer quotation, in characters, is a text that is told, not a name.
const QUOTED_CHARS_MAX: usize = 60;

/// Small numbers as words.
const NUMBERS: &[&str] = &[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// What the tasks and criteria of a plan name.
pub(super) struct Said<'p> {
    /// All their words, in lower case.
    text: String,
    /// What they may change.
    scopes: Vec<&'p str>,
}

impl<'p> Said<'p> {
    pub(super) fn of(plan: &'p Plan, request: &Request, tasks_max: usize) -> Said<'p> {
        let tasks = || plan.tasks.iter().take(tasks_max);
        let is_alone = tasks().filter(|task| is_handed_over(task)).count() == 1;
        let mut texts: Vec<String> = { tasks() }
            .flat_map(|task| words_of(task, request, is_alone))
            .collect();
        texts.extend(plan.criteria.iter().map(Criterion::to_string));
        let text: Vec<String> = { texts.iter() }
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        Said {
            text: text.join("\n").to_lowercase(),
            scopes: tasks()
                .flat_map(|task| &task.scope)
                .map(String::as_str)
                .collect(),
        }
    }

    /// What a part names and no task does.
    pub(super) fn lacks(&self, part: &Part, request: &Request) -> Vec<String> {
        let needed = part
            .files
            .iter()
            .filter(|it| it.standing != Standing::Aside);
        let files = needed.filter(|file| !self.has_file(&file.text));
        let mut missing: Vec<String> = files.map(|file| file.text.clone()).collect();
        let is_path = |word: &str| {
            word.contains('/') || part.files.iter().any(|file| file.text.contains(word))
        };
        // Marks at the end of a part are not in its text.
        let is_of_part = |at: usize| {
            let excluded = request.exclusions.iter().chain(&request.bounds);
            let holds = |span: Span| span.start <= at && at <= span.end;
            holds(part.span) && !excluded.map(|it| it.span).any(holds)
        };
        let quoted = quoted(&request.text).into_iter();
        let quoted = quoted.filter(|(at, _)| is_of_part(*at));
        let names = quoted.map(|(_, name)| name).chain(symbols(&part.text));
        for name in names {
            if !is_path(&name) && !self.has(&name) && !missing.contains(&name) {
                missing.push(name);
            }
        }
        missing
    }

    /// A file by its path, by its name alone, or by a pattern in which it lies.
    fn has_file(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let all = format!("{path}/**");
        let mut scopes = self.scopes.iter();
        self.text.contains(&name)
            || scopes.any(|scope| meet::may_meet(scope, path) || meet::may_meet(scope, &all))
    }

    fn has(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let digits = |c: char| c.is_ascii_digit();
        if name.starts_with(digits) {
            // A number whatever it counts: `50ms` is `50 ms`.
            let end = name.find(|c: char| !digits(c) && !matches!(c, '.' | ','));
            let number = name[..end.unwrap_or(name.len())].trim_end_matches(['.', ',']);
            let word = { number.parse::<usize>().ok() }.and_then(|it| NUMBERS.get(it));
            return stands(&self.text, number, digits)
                || word.is_some_and(|word| stands(&self.text, word, char::is_alphanumeric));
        }
        stands(&self.text, &name, char::is_alphanumeric)
    }
}

/// All that a task says.
fn words_of(task: &TaskSpec, request: &Request, is_alone: bool) -> Vec<String> {
    let mut texts = vec![own_words(task, request, is_alone)];
    texts.extend(task.deliverables.iter().map(|it| it.path.clone()));
    texts.extend(task.scope.iter().cloned());
    texts.extend(task.inputs.iter().filter_map(|input| match input {
        Input::Path(path) => Some(path.clone()),
        Input::Task(_) => None,
    }));
    texts.extend(task.criteria.iter().map(Criterion::to_string));
    if let Work::Command(argv) = &task.work {
        texts.extend(argv.iter().cloned());
    }
    texts
}

/// Whether a name stands in a text, and is there no piece of a longer one.
fn stands(text: &str, name: &str, goes_on: impl Fn(char) -> bool) -> bool {
    let ends = |beside: Option<char>, own: Option<char>| {
        !(beside.is_some_and(&goes_on) && own.is_some_and(&goes_on))
    };
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (
            text[..at].chars().next_back(),
            text[at + name.len()..].chars().next(),
        );
        ends(before, name.chars().next()) && ends(after, name.chars().next_back())
    })
}

/// What stands between backquotes or quotation marks, with its place.
fn quoted(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for mark in ['`', '"'] {
        let mut at = 0;
        let pieces: Vec<&str> = text.split(mark).collect();
        for (number, piece) in pieces.iter().enumerate() {
            // Every second piece stands between two marks, unless the last one is never closed.
            let is_inner = number % 2 == 1 && number + 1 < pieces.len();
            let words = piece.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_name = !words.is_empty() && words.chars().count() <= QUOTED_CHARS_MAX;
            if is_inner && is_name {
                found.push((at, words));
            }
            at += piece.len() + mark.len_utf8();
        }
    }
    found
}

/// Words that are names in code, options, or numbers.
fn symbols(text: &str) -> impl Iterator<Item = String> + '_ {
    let bare = |word: &str| {
        let word = word
            .trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '(' | ')'));
        let word = word
            .trim_start_matches('(')
            .trim_end_matches([')', '(', '-']);
        word.to_owned()
    };
    let is_symbol = |word: &str, whole: &str| {
        let chars: Vec<char> = word.chars().collect();
        let is_camel =
            |at: &[char]| at[0].is_lowercase() && at[1].is_uppercase() && at[2].is_lowercase();
        let inner = word.trim_matches('_');
        let has = |c: fn(char) -> bool| word.contains(c);
        has(|c| c.is_ascii_digit())
            || inner.contains('_')
            || word.contains("::")
            || whole.contains("()")
            || word.starts_with("--") && has(char::is_alphabetic)
            || chars.first().is_some_and(|c| c.is_lowercase()) && chars.windows(3).any(is_camel)
    };
    text.split_whitespace().filter_map(move |whole| {
        let word = bare(whole);
        is_symbol(&word, whole).then_some(word)
    })
}
