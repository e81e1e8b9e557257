//! What varies in a phrase: each slot takes tokens from a place on, in every way it can.
//!
//! A slot that takes tokens but cannot make sense of them holds the reason instead of a value, so
//! that the sentence stays unverified with a better one than "no rule".

use divisi_core::Format;

use super::argv;
use super::context::Context;
use super::quantity;
use super::subject::{self, Subject};
use super::token::{Token, ending, is_path, is_pattern};
use super::why::Why;
use crate::paths;

/// The kinds of slots, by their names in phrases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    /// Files: paths, promised files by what they are called, or all that match a pattern.
    Subject,
    /// Paths, one by one.
    NamedFiles,
    /// One path, for a schema.
    Path,
    /// Names of promised files: `requirements.md`.
    Names,
    /// All targets of a kind: `every story`.
    Every,
    /// A quoted text.
    Quoted,
    /// Quoted texts, joined by "and".
    Quoteds,
    /// A size: `1 KB`.
    Bytes,
    /// How many: `at least five`.
    Amount,
    /// A pattern of paths.
    Pattern,
    /// Files, folders and patterns.
    Places,
    /// Folders.
    Folders,
    /// Quoted texts or `TODO`, `FIXME` and the like, joined by "or".
    Markers,
    /// Command lines in backquotes that can be nothing else.
    Commands,
    /// A quoted command line.
    Command,
    /// A format's name.
    Format,
    /// A duration: `5 minutes`.
    Duration,
    /// The number 0.
    Zero,
    /// A criterion in JSON, in backquotes.
    Json,
}

impl Slot {
    /// # Panics
    /// No slot has the name; a test reads the whole table.
    pub(super) fn named(name: &str) -> Slot {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.expect("a phrase's slots are known").1
    }
}

const NAMES: &[(&str, Slot)] = &[
    ("files", Slot::Subject),
    ("named files", Slot::NamedFiles),
    ("path", Slot::Path),
    ("names", Slot::Names),
    ("every target", Slot::Every),
    ("quoted", Slot::Quoted),
    ("quoted list", Slot::Quoteds),
    ("size", Slot::Bytes),
    ("how many", Slot::Amount),
    ("pattern", Slot::Pattern),
    ("places", Slot::Places),
    ("folders", Slot::Folders),
    ("markers", Slot::Markers),
    ("commands", Slot::Commands),
    ("command", Slot::Command),
    ("format", Slot::Format),
    ("duration", Slot::Duration),
    ("zero", Slot::Zero),
    ("json", Slot::Json),
];

/// What a slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Subject(Subject),
    Path(String),
    Names(Vec<String>),
    /// An index into [`Context::entities`].
    Every(usize),
    Texts(Vec<String>),
    Bytes(u64),
    Amount {
        min: u64,
        max: Option<u64>,
    },
    Pattern(String),
    Places(Vec<Place>),
    Commands(Vec<Vec<String>>),
    Format(Format),
    Duration(u64),
    Zero,
    Json(String),
}

/// Where something is looked for or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(String),
    Pattern(String),
}

/// One way in which a slot can hold the next tokens, and how many it takes.
pub(super) type Candidate = (Result<Value, Why>, usize);

/// The ways in which a slot can hold what the tokens begin with.
pub(super) fn candidates(slot: Slot, tokens: &[Token], context: &Context) -> Vec<Candidate> {
    match slot {
        Slot::Subject => subject::candidates(tokens, context),
        Slot::NamedFiles => subject::named_files(tokens, context).into_iter().collect(),
        Slot::Every => subject::every(tokens, context)
            .into_iter()
            .map(|(entity, taken)| (entity.map(Value::Every), taken))
            .collect(),
        Slot::Path => one(tokens, |token| {
            Some(path(&plain_path(token)?).map(Value::Path))
        }),
        Slot::Names => listed(list(tokens, &["and"], name), Value::Names),
        Slot::Quoted => one(tokens, |token| Some(Ok(Value::Texts(vec![quoted(token)?])))),
        Slot::Quoteds => {
            let element = |tokens: &[Token]| Some((Ok(quoted(tokens.first()?)?), 1));
            listed(list(tokens, &["and"], element), Value::Texts)
        }
        Slot::Bytes => quantity::bytes(tokens).into_iter().collect(),
        Slot::Amount => quantity::amount(tokens).into_iter().collect(),
        Slot::Pattern => one(tokens, |token| {
            Some(pattern(&any_path(token)?).map(Value::Pattern))
        }),
        Slot::Places => listed(list(tokens, &["and", "or"], place), Value::Places),
        Slot::Folders => listed(list(tokens, &["and", "or"], folder_place), Value::Places),
        Slot::Markers => listed(list(tokens, &["or"], marker), Value::Texts),
        Slot::Commands => listed(list(tokens, &["and"], command), Value::Commands),
        Slot::Command => one(tokens, |token| {
            let line = quoted(token)?;
            Some(argv_of(&line).map(|argv| Value::Commands(vec![argv])))
        }),
        Slot::Format => one(tokens, |token| Some(Ok(Value::Format(format(token)?)))),
        Slot::Duration => quantity::duration(tokens).into_iter().collect(),
        Slot::Zero => one(tokens, |token| {
            (quantity::number(token)? == 0).then_some(Ok(Value::Zero))
        }),
        Slot::Json => one(tokens, |token| match token {
            Token::Back(text) if text.starts_with('{') => Some(Ok(Value::Json(text.clone()))),
            _ => None,
        }),
    }
}

fn one(
    tokens: &[Token],
    read: impl FnOnce(&Token) -> Option<Result<Value, Why>>,
) -> Vec<Candidate> {
    let value = tokens.first().and_then(read);
    value.map(|value| (value, 1)).into_iter().collect()
}

/// One element of a list, and how many tokens it takes.
pub(super) type Element<T> = Option<(Result<T, Why>, usize)>;

/// The longest list that the tokens begin with: one element, or several of which the last is
/// joined by one of the words. What only looks like a list, as in "a, b exist", gives its first
/// element, so that the rest is left over and the sentence not understood.
pub(super) fn list<T>(
    tokens: &[Token],
    words: &[&str],
    element: impl Fn(&[Token]) -> Element<T>,
) -> Element<Vec<T>> {
    let (first, taken) = element(tokens)?;
    let word_at = |at: usize| {
        let token = tokens.get(at)?;
        words.iter().find(|word| token.is(word))
    };
    let mut elements = vec![first];
    let mut at = taken;
    let mut ends = None;
    let mut joined = None;
    loop {
        let comma = usize::from(tokens.get(at) == Some(&Token::Mark(',')));
        let word = word_at(at + comma);
        let begins = at + comma + usize::from(word.is_some());
        // After "and" no comma goes on, and no "or": "a and b, c" is no list.
        let goes_on = match joined {
            None => begins > at,
            Some(_) => comma == 0 && word == joined,
        };
        let next = element(tokens.get(begins..).unwrap_or_default());
        let (Some((next, more)), true) = (next, goes_on) else {
            break;
        };
        elements.push(next);
        at = begins + more;
        if word.is_some() {
            joined = word;
            ends = Some((elements.len(), at));
        }
    }
    let (count, end) = ends.unwrap_or((1, taken));
    elements.truncate(count);
    Some((elements.into_iter().collect(), end))
}

fn listed<T>(list: Element<Vec<T>>, value: impl Fn(Vec<T>) -> Value) -> Vec<Candidate> {
    let list = list.map(|(list, taken)| (list.map(value), taken));
    list.into_iter().collect()
}

/// A quoted text that is not empty.
pub(super) fn quoted(token: &Token) -> Option<String> {
    match token {
        Token::Back(text) | Token::Double(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// A path or pattern, in backquotes or certainly one without.
fn any_path(token: &Token) -> Option<String> {
    match token {
        Token::Path(path) => Some(path.clone()),
        Token::Back(text) if is_path(text) || is_pattern(text) => Some(text.clone()),
        _ => None,
    }
}

/// A path that is no pattern and no folder.
pub(super) fn plain_path(token: &Token) -> Option<String> {
    any_path(token).filter(|path| !is_pattern(path) && !path.ends_with('/'))
}

/// A path of the tree.
pub(super) fn path(raw: &str) -> Result<String, Why> {
    let path = raw.strip_prefix("./").unwrap_or(raw);
    match paths::fault(path) {
        None => Ok(path.to_owned()),
        Some(fault) => Err(Why::Path {
            path: raw.to_owned(),
            fault,
        }),
    }
}

/// A pattern of paths of the tree.
pub(super) fn pattern(raw: &str) -> Result<String, Why> {
    let pattern = path(raw)?;
    let fault = match has_variable(&pattern) {
        true => Some("holds a variable; no pattern knows its values".to_owned()),
        false => paths::pattern_fault(&pattern),
    };
    fault.map_or(Ok(pattern), |fault| {
        Err(Why::Path {
            path: raw.to_owned(),
            fault,
        })
    })
}

/// Whether it holds braces without alternatives, as templates of paths do.
pub(super) fn has_variable(path: &str) -> bool {
    let mut groups = path.split('{').skip(1);
    groups.any(|group| !group.split('}').next().unwrap_or_default().contains(','))
}

/// A name such as `requirements.md`, perhaps with an article.
pub(super) fn name(tokens: &[Token]) -> Element<String> {
    let articles = ["a", "an", "its", "their", "own"];
    let is_article = |token: &&Token| articles.iter().any(|article| token.is(article));
    let before = tokens.iter().take(2).take_while(is_article).count();
    let name = plain_or_template(tokens.get(before)?)?;
    Some((path(&name), before + 1))
}

fn plain_or_template(token: &Token) -> Option<String> {
    any_path(token).filter(|path| {
        !path.ends_with('/') && (!is_pattern(path) || (has_variable(path) && !path.contains('*')))
    })
}

fn place(tokens: &[Token]) -> Element<Place> {
    let raw = any_path(tokens.first()?)?;
    if let Some(folder) = raw.strip_suffix('/') {
        return Some((beneath(folder).map(Place::Pattern), 1));
    }
    let place = match is_pattern(&raw) {
        true => pattern(&raw).map(Place::Pattern),
        false => path(&raw).map(Place::File),
    };
    Some((place, 1))
}

/// A folder: with a slash at its end, or in backquotes without an ending.
fn folder_place(tokens: &[Token]) -> Element<Place> {
    Some((beneath(&folder(tokens.first()?)?).map(Place::Pattern), 1))
}

/// A folder's path, without the slash at its end.
pub(super) fn folder(token: &Token) -> Option<String> {
    let raw = match token {
        Token::Path(path) => path.strip_suffix('/')?,
        Token::Back(text) if ending(text).is_none() || text.ends_with('/') => {
            text.strip_suffix('/').unwrap_or(text)
        }
        _ => return None,
    };
    let fits = !is_pattern(raw) && !raw.contains(char::is_whitespace);
    fits.then(|| raw.to_owned())
}

/// The pattern of all files beneath a folder.
pub(super) fn beneath(folder: &str) -> Result<String, Why> {
    pattern(&format!("{folder}/**"))
}

/// A text that must not remain somewhere.
fn marker(tokens: &[Token]) -> Element<String> {
    let marker = match tokens.first()? {
        Token::Word { raw, .. } => {
            let stem = raw.strip_suffix('s').unwrap_or(raw);
            ["TODO", "FIXME", "XXX", "TBD"]
                .contains(&stem)
                .then(|| stem.to_owned())?
        }
        token => quoted(token)?,
    };
    Some((Ok(marker), 1))
}

/// A command line in backquotes that is certainly one: a single word may be a test's name, and
/// something with a capital letter a title.
fn command(tokens: &[Token]) -> Element<Vec<String>> {
    let Token::Back(line) = tokens.first()? else {
        return None;
    };
    let argv = argv_of(line).and_then(|argv| {
        let program = argv.first().map_or("", String::as_str);
        let small = |c: char| !c.is_uppercase();
        match (argv.len() > 1 || program.contains('/')) && program.chars().all(small) {
            true => Ok(argv),
            false => Err(Why::Command {
                command: line.clone(),
                fault: "may be something else; write \"the command\" before it".to_owned(),
            }),
        }
    });
    Some((argv, 1))
}

fn argv_of(line: &str) -> Result<Vec<String>, Why> {
    argv::split(line).map_err(|fault| Why::Command {
        command: line.to_owned(),
        fault,
    })
}

/// A format by its name.
pub(super) fn format(token: &Token) -> Option<Format> {
    let formats = [
        ("json", Format::Json),
        ("yaml", Format::Yaml),
        ("toml", Format::Toml),
        ("markdown", Format::Markdown),
    ];
    formats
        .into_iter()
        .find(|(word, _)| token.is(word))
        .map(|(_, format)| format)
}
