//! Ambiguities that would change the plan, as questions with a default each.
//!
//! They are few: what an agent can find out by looking, and what would change no task, is not asked.

use serde::Serialize;

use super::facts::Facts;
use super::stakes::says;
use crate::request::{Change, Part, Request};

/// The most questions of one request; who is asked more answers none.
pub const QUESTIONS_MAX: usize = 3;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Which ambiguity it is.
    pub name: &'static str,
    /// What is asked.
    pub asks: String,
    /// The words that are ambiguous.
    pub because: String,
    /// What is assumed if nobody answers.
    pub default: String,
}

/// The questions that a request leaves open, those that change the plan most first.
pub(super) fn questions(request: &Request, facts: &Facts, lower: &str) -> Vec<Question> {
    let mut questions = Vec::new();
    questions.extend(referent(request));
    questions.extend(missing_file(request, facts));
    questions.extend(request.parts.iter().find_map(target));
    questions.extend(request.parts.iter().find_map(alternative));
    questions.extend(request.parts.iter().find_map(destination));
    questions.extend(open_list(lower));
    questions.extend(measure(request, lower));
    questions.truncate(QUESTIONS_MAX);
    questions
}

/// `Fix it`, `make this faster`, before anything was named.
fn referent(request: &Request) -> Option<Question> {
    let part = request.parts.first()?;
    let verb = part.verb.as_ref()?;
    let behind = request.text.get(verb.span.end..part.span.end)?;
    let first = behind.split_whitespace().next()?;
    let first = first.trim_matches(|c: char| !c.is_alphanumeric());
    let is_first = request
        .sentences
        .first()
        .is_some_and(|first| first.holds(part.span));
    let words = behind.split_whitespace().count();
    (is_first && words < 3 && matches!(first, "it" | "this" | "that" | "them" | "these")).then(
        || Question {
            name: "referent",
            asks: format!("What is meant by `{first}`?"),
            because: part.text.clone(),
            default: "the whole repository".to_owned(),
        },
    )
}

/// A file is named that is not there, and is not to be made.
fn missing_file(request: &Request, facts: &Facts) -> Option<Question> {
    let is_known = facts.repository.files > 0;
    let missing = |name: &str| {
        let mut named = facts.repository.named.iter();
        named.any(|count| count.name == name && count.files == 0)
    };
    let part = request.parts.iter().find(|part| {
        let makes = matches!(
            part.verb.as_ref().map(|verb| verb.change),
            Some(Change::Add | Change::Document | Change::Test | Change::Design)
        );
        is_known && !makes && part.files.iter().any(|file| missing(&file.text))
    })?;
    let file = part.files.iter().find(|file| missing(&file.text))?;
    Some(Question {
        name: "missing-file",
        asks: format!(
            "`{}` is not in the repository: which file is meant?",
            file.text
        ),
        because: part.text.clone(),
        default: "the file whose name is most like it, or a new one if none is".to_owned(),
    })
}

/// A migration without a target.
fn target(part: &Part) -> Option<Question> {
    let verb = part
        .verb
        .as_ref()
        .filter(|verb| verb.change == Change::Migrate)?;
    let text = part.text.to_lowercase();
    let has_target = [" to ", " into ", " onto "]
        .iter()
        .any(|word| text.contains(word));
    (!has_target && verb.word != "upgrade").then(|| Question {
        name: "target",
        asks: "To what?".to_owned(),
        because: part.text.clone(),
        default: "a research task compares what there is and decides".to_owned(),
    })
}

/// `Redis or Memcached`.
fn alternative(part: &Part) -> Option<Question> {
    let words: Vec<&str> = part.text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "or")?;
    let (first, second) = (words.get(at.checked_sub(1)?)?, words.get(at + 1)?);
    let is_name = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.starts_with(char::is_uppercase) || word.contains(['_', '/', '.'])
    };
    (is_name(first) && is_name(second)).then(|| {
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        Question {
            name: "alternative",
            asks: format!("{} or {}?", bare(first), bare(second)),
            because: part.text.clone(),
            default: format!("{}, which is named first", bare(first)),
        }
    })
}

/// `deploy`, without where to.
fn destination(part: &Part) -> Option<Question> {
    let verb = part
        .verb
        .as_ref()
        .filter(|verb| verb.change == Change::Deploy)?;
    let text = part.text.to_lowercase();
    let says_where = [" to ", " on ", " into "]
        .iter()
        .any(|word| text.contains(word));
    let deploys = matches!(verb.word, "deploy" | "launch" | "roll" | "ship");
    (deploys && !says_where).then(|| Question {
        name: "destination",
        asks: "Where to, and may it be done without asking again?".to_owned(),
        because: part.text.clone(),
        default: "nothing is deployed; what is needed for it is prepared and described".to_owned(),
    })
}

/// `and so on`.
fn open_list(lower: &str) -> Option<Question> {
    let open = [
        "and so on",
        "and so forth",
        "etc",
        "and more",
        "and the like",
        "among others",
    ];
    let said = open.iter().find(|phrase| says(lower, phrase))?;
    Some(Question {
        name: "open-list",
        asks: "What else belongs to it?".to_owned(),
        because: (*said).to_owned(),
        default: "only what is named".to_owned(),
    })
}

/// `faster`, without how it will be known.
fn measure(request: &Request, lower: &str) -> Option<Question> {
    let vague = [
        "better",
        "faster",
        "improve performance",
        "improve the performance",
        "more robust",
        "more scalable",
        "more secure",
        "more stable",
        "more user-friendly",
        "nicer",
    ];
    let said = vague.iter().find(|phrase| says(lower, phrase))?;
    let has_number = request
        .quantities
        .iter()
        .any(|quantity| matches!(quantity.amount, crate::request::Amount::Exact(_)));
    (!has_number).then(|| Question {
        name: "measure",
        asks: format!(
            "How will it be known that it is {said}?",
            said = said.trim_start_matches("improve ")
        ),
        because: (*said).to_owned(),
        default: "it is measured before and after, and must not be worse anywhere".to_owned(),
    })
}
