//! What the assessment knows: of the repository, which is given, and of the request, which is read.

use serde::{Deserialize, Serialize};

use super::signals::Score;
use super::stakes::Stakes;
use crate::request::{Amount, Domain, Request, Scale, Unit};

/// What somebody found out about the repository. Everything may be empty: then only the request
/// speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// How many files it tracks.
    pub files: u64,
    /// Languages by how many files they have, the most first.
    pub languages: Vec<Count>,
    /// Files of code, tests, documents and builds: where the domains lie.
    pub areas: Vec<Count>,
    /// For each path or pattern that the request names, how many files it means.
    pub named: Vec<Count>,
    /// The longest of the files that are named, in bytes.
    pub largest_named_bytes: u64,
    /// Earlier changes whose titles share rare words with the request.
    pub similar: Vec<Similar>,
    /// How many earlier changes were looked through.
    pub commits_seen: u64,
}

/// How many of something there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Of what.
    pub name: String,
    /// How many.
    pub files: u64,
}

/// An earlier change that was about the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Similar {
    /// Its title.
    pub title: String,
    /// How many files it changed.
    pub files: u64,
    /// The words that it shares.
    pub words: Vec<String>,
}

/// Similar changes are a sign from so many on; fewer are chance.
const SIMILAR_MIN: usize = 3;

/// The facts on which the rules look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    /// How many parts the request has.
    pub parts: usize,
    /// The domains whose work it names.
    pub domains: Vec<Domain>,
    /// The roles that its parts are for, each once, in their order.
    pub roles: Vec<&'static str>,
    /// How many files it means where it says so: by names, by patterns, by a number.
    pub files_named: Option<u64>,
    /// The largest system that it is to build or to change as a whole.
    pub system: Option<Scale>,
    /// Things that the request lists as belonging to what it wants: `with auth, billing, admin`.
    pub components: Vec<String>,
    /// Whether parts wait for others.
    pub is_sequence: bool,
    /// Minutes of work that the request itself states.
    pub minutes_stated: Option<u64>,
    /// Tokens that the request itself states.
    pub tokens_stated: Option<u64>,
    /// Lines of a change that the request itself states.
    pub lines_stated: Option<u64>,
    /// How many files similar changes touched: the median.
    pub similar_files: Option<u64>,
    /// How probable it is by the words alone that it is large.
    pub by_words: Score,
    /// The costs of an error, what is new, what presses, what is known.
    pub stakes: Stakes,
    /// What was found out about the repository.
    pub repository: Repository,
}

/// Before or behind an amount of time, these say that it is the work's.
const WORK: &[&str] = &[
    "budget",
    "effort",
    "estimate",
    "estimated",
    "expect",
    "expected",
    "need",
    "needs",
    "spend",
    "take",
    "takes",
    "work",
];

/// So far around an amount they are looked for, in bytes.
const WORK_REACH: usize = 40;

pub(super) fn facts(request: &Request, repository: &Repository, by_words: Score) -> Facts {
    let mut roles = Vec::new();
    for part in &request.parts {
        if !roles.contains(&part.role) {
            roles.push(part.role);
        }
    }
    Facts {
        parts: request.parts.len(),
        domains: request.domains(),
        roles,
        files_named: files_named(request, repository),
        system: system(request),
        components: super::components::components(request),
        is_sequence: request.parts.iter().any(|part| !part.after.is_empty()),
        minutes_stated: stated(request, Unit::Minutes),
        tokens_stated: stated(request, Unit::Tokens),
        lines_stated: lines_stated(request),
        similar_files: median(repository),
        by_words,
        stakes: super::stakes::stakes(&request.text),
        repository: repository.clone(),
    }
}

fn files_named(request: &Request, repository: &Repository) -> Option<u64> {
    let of = |name: &str| {
        let named = repository.named.iter().find(|count| count.name == name);
        named.map_or(1, |count| count.files.max(1))
    };
    let by_name: u64 = request.files.iter().map(|file| of(&file.text)).sum();
    let by_number =
        request
            .quantities
            .iter()
            .filter_map(|quantity| match (quantity.unit, quantity.amount) {
                (Unit::Files, Amount::Exact(count)) => Some(count),
                _ => None,
            });
    let most = by_number.max().unwrap_or(0).max(by_name);
    (most > 0).then_some(most)
}

fn system(request: &Request) -> Option<Scale> {
    use crate::request::Change::{Add, Deploy, Migrate, Remove, Restructure, Update};
    let is_meant = |system: &&crate::request::System| match system.change {
        // To design a system makes a document, whatever its size.
        Some(Add | Migrate | Remove | Restructure) => true,
        // To improve a layer is no more than to improve something in it, unless all of it is meant.
        Some(Update | Deploy) => system.is_whole,
        _ => false,
    };
    let meant = request.systems.iter().filter(is_meant);
    meant.map(|system| system.scale).max()
}

fn stated(request: &Request, unit: Unit) -> Option<u64> {
    // Of the same length, so that places stay true.
    let text = request.text.to_ascii_lowercase();
    let is_works = |start: usize, end: usize| {
        let from = text.floor_char_boundary(start.saturating_sub(WORK_REACH).min(text.len()));
        let to = text.floor_char_boundary((end + WORK_REACH).min(text.len()));
        let mut words = text[from..to.max(from)].split(|c: char| !c.is_alphanumeric());
        words.any(|word| WORK.contains(&word))
    };
    let amounts = request
        .quantities
        .iter()
        .filter_map(|quantity| match quantity.amount {
            Amount::Exact(amount) if quantity.unit == unit => {
                is_works(quantity.span.start, quantity.span.end).then_some(amount)
            }
            _ => None,
        });
    amounts.max()
}

/// Before a number of lines, these say that it is a guess at how much there will be.
const GUESSED: &[&str] = &[
    "about",
    "approximately",
    "around",
    "at most",
    "circa",
    "maybe",
    "probably",
    "roughly",
    "some",
];

/// Behind a number of lines, these say that it is of a change.
const OF_CHANGE: &[&str] = &[
    "change",
    "changed",
    "changes",
    "diff",
    "of change",
    "of changes",
    "of code",
    "of diff",
    "of new code",
    "patch",
];

/// How many lines the work is said to come to. Most numbers of lines are of something else, such as
/// the file that it is about.
fn lines_stated(request: &Request) -> Option<u64> {
    // Of the same length, so that places stay true.
    let text = request.text.to_ascii_lowercase();
    let of_work = request.quantities.iter().filter_map(|quantity| {
        let Amount::Exact(lines) = quantity.amount else {
            return None;
        };
        let (start, end) = (quantity.span.start, quantity.span.end);
        let (before, behind) = (text.get(..start)?, text.get(end..)?);
        let behind = behind.trim_start();
        // The unit stands apart from the number, or is a part of it.
        let behind = behind.strip_prefix(quantity.of.as_str()).unwrap_or(behind);
        let is_works = quantity.of.ends_with("loc")
            || OF_CHANGE.iter().any(|words| begins_with(behind, words))
            || is_remark(before);
        (quantity.unit == Unit::Lines && is_works).then_some(lines)
    });
    of_work.max()
}

fn begins_with(text: &str, words: &str) -> bool {
    let rest = text.trim_start().strip_prefix(words);
    rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Whether a text ends with a remark that begins: `…, about`, `… (roughly`, `it is some`.
fn is_remark(text: &str) -> bool {
    let mut rest = text.trim_end();
    let mut is_guess = false;
    while let Some(word) = GUESSED.iter().find(|word| ends_with(rest, word)) {
        rest = rest[..rest.len() - word.len()].trim_end();
        is_guess = true;
    }
    let begins = rest.is_empty() || rest.ends_with([',', ';', ':', '.', '(', '-', '–', '—']);
    let is_said = [
        "is", "be", "are", "it's", "takes", "take", "needs", "expect",
    ];
    is_guess && (begins || is_said.iter().any(|word| ends_with(rest, word)))
}

fn ends_with(text: &str, words: &str) -> bool {
    let rest = text.strip_suffix(words);
    rest.is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
}

fn median(repository: &Repository) -> Option<u64> {
    let mut files: Vec<u64> = repository
        .similar
        .iter()
        .map(|similar| similar.files)
        .collect();
    files.sort_unstable();
    (files.len() >= SIMILAR_MIN).then(|| files[files.len() / 2])
}
