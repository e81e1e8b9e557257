//! Ambiguities that would change the plan, as questions with a default each.
//!
//! They are few: what an agent can find out by looking, and what would change no task, is not asked.
//!
//! An answer is put into the text where the ambiguity stands ([`settle`]). The text is then read
//! anew, so that an answer changes the plan as if it had been said at first.

use divisi_core::intent::Settled;
use serde::Serialize;

use super::facts::Facts;
use super::stakes::says;
use crate::request::{Change, File, Part, Request, Span};

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
    /// Where an answer goes in the request's text.
    #[serde(skip)]
    place: Place,
    /// What is put there if nobody answers: the text stays as it is unless told.
    #[serde(skip)]
    assumed: Option<(Place, String)>,
}

/// Where something goes in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the place of these words.
    Of(Span),
    /// At this point, behind this word.
    At(usize, &'static str),
    /// Nowhere: the words were not found again, and whoever does the work is told.
    Nowhere,
}

/// The question where something is to be deployed.
const DESTINATION: &str = "destination";

/// The question where a list is left open.
const OPEN_LIST: &str = "open-list";

/// The question what a mistake would cost.
const STAKES: &str = "stakes";

/// How an answer begins that says yes.
const YES: &[&str] = &["y", "yes", "yeah", "yep", "sure", "indeed", "it does"];

/// Answers to where to deploy that name no place.
const NOWHERE: &[&str] = &["no", "none", "not yet", "nothing", "nowhere"];

/// A longer answer is another request.
pub const ANSWER_CHARS_MAX: usize = 500;

/// Puts answers into a request's text, `None` for the default, and says what was settled. The
/// questions are those of this request.
#[must_use]
pub fn settle(
    request: &Request,
    answered: &[(Question, Option<String>)],
) -> (String, Vec<Settled>) {
    let mut edits: Vec<(Place, String)> = Vec::new();
    let mut settled = Vec::new();
    for (question, answer) in answered {
        let answer = answer.as_deref().map(in_one_line);
        let answer = answer.filter(|answer| !answer.is_empty());
        // Who answers "Where to?" with no wants what is assumed.
        let is_no =
            |answer: &String| NOWHERE.contains(&answer.to_lowercase().trim_end_matches('.'));
        let answer = answer.filter(|answer| question.name != DESTINATION || !is_no(answer));
        match &answer {
            Some(answer) if question.name == STAKES && !is_yes(answer) => {}
            Some(answer) => edits.push((question.place, in_its_clause(question, answer))),
            None => edits.extend(question.assumed.clone()),
        }
        settled.push(Settled {
            name: question.name.to_owned(),
            asks: question.asks.clone(),
            is_assumed: answer.is_none(),
            answer: answer.unwrap_or_else(|| question.default.clone()),
        });
    }
    settled.extend(committed(request));
    // From the last place on, so that those before it stay where they are.
    edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.start()));
    let mut text = request.text.clone();
    let mut free_until = text.len();
    for (place, words) in edits {
        match place {
            // Two answers about the same words: the first one counts, both are told.
            Place::Of(span) if span.end <= free_until => {
                text.replace_range(span.start..span.end, &words);
                free_until = span.start;
            }
            Place::At(at, word) if at <= free_until => {
                // `To staging` answers `Where to?` as well as `staging` does.
                let mut said = words.split_inclusive(' ');
                let first = said.next().unwrap_or_default();
                let is_said = !word.is_empty() && first.trim().eq_ignore_ascii_case(word.trim());
                let words = if is_said {
                    &words[first.len()..]
                } else {
                    &words
                };
                text.insert_str(at, &format!("{word}{words}"));
                free_until = at;
            }
            Place::Of(_) | Place::At(..) | Place::Nowhere => {}
        }
    }
    (text, settled)
}

impl Place {
    fn start(self) -> usize {
        match self {
            Place::Of(span) => span.start,
            Place::At(at, _) => at,
            Place::Nowhere => 0,
        }
    }
}

/// Words of a beginning as they stand within a sentence.
fn within(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Whether an answer says yes.
fn is_yes(answer: &str) -> bool {
    let answer = answer.to_lowercase();
    YES.iter().any(|yes| {
        let rest = answer.strip_prefix(yes);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

fn in_one_line(answer: &str) -> String {
    let words: Vec<&str> = answer.split_whitespace().collect();
    words.join(" ").chars().take(ANSWER_CHARS_MAX).collect()
}

/// What a text says of which a mistake would be dear.
const DEAR: &str = "It must be right.";

/// Words that would join an answer to what stands behind or before it, as parts.
const JOINING: &[&str] = &[
    "&",
    "after",
    "also",
    "and",
    "before",
    "but",
    "finally",
    "including",
    "once",
    "plus",
    "then",
    "with",
];

/// An answer as it stands in the request: between quotation marks where its own words would divide the
/// clause that it is put into. Files stay files, and what goes on with a list goes on with it.
fn in_its_clause(question: &Question, answer: &str) -> String {
    let mut words = answer.split_whitespace();
    let divides = |word: &str| {
        let word = word.to_lowercase();
        JOINING.contains(&word.as_str())
            || word.ends_with([',', ';', ':', '.', '!', '?'])
            || word.contains(['→', '>'])
    };
    let is_path = |word: &str| {
        let bare = word.trim_end_matches([',', ';', '.']);
        crate::words::is_path(bare) || JOINING.contains(&bare)
    };
    let is_apart = question.name == OPEN_LIST || answer.split_whitespace().all(is_path);
    match !is_apart && words.any(divides) {
        // What makes a rule fire, and not the words of whoever says yes.
        _ if question.name == STAKES => DEAR.to_owned(),
        true => format!("\"{}\"", answer.replace('"', "'")),
        false => answer.to_owned(),
    }
}

/// Behind `commit`, these say that it is what is asked for, and no name such as `commit hook`.
const COMMITTED: &[&str] = &[
    "all",
    "and",
    "everything",
    "it",
    "that",
    "the",
    "them",
    "then",
    "this",
    "to",
    "when",
    "with",
    "your",
];

/// That nobody commits, where the request says so: what a run made is committed when it is merged.
fn committed(request: &Request) -> Option<Settled> {
    let wanted = request.wanted().to_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let is_asked = |at: usize| {
        let before = at.checked_sub(1).map(|before| words[before]);
        let leads = ["also", "and", "finally", "please", "then"];
        let begins = before.is_none_or(|before| {
            before.ends_with([',', ';', '.', ':', '!', ')']) || leads.contains(&before)
        });
        let ends = !words[at].ends_with(char::is_alphanumeric);
        let next = words.get(at + 1);
        let is_all = ends || next.is_none_or(|next| COMMITTED.contains(&bare(next).as_str()));
        bare(words[at]) == "commit" && begins && is_all
    };
    (0..words.len()).any(is_asked).then(|| Settled {
        name: "commit".to_owned(),
        asks: "Who commits it?".to_owned(),
        answer: "`divisi merge`, once the run succeeded; no task has to".to_owned(),
        is_assumed: true,
    })
}

/// Where a part's words end, before the mark that ends its sentence.
fn end_of(request: &Request, part: &Part) -> usize {
    let said = request.text.get(..part.span.end).unwrap_or_default();
    said.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '!' | ',' | ';'))
        .len()
}

/// Where some words stand in a part.
fn words_of(request: &Request, part: &Part, words: &str) -> Place {
    let said = request.text.get(part.span.start..part.span.end);
    let found = said.and_then(|said| last_of(said, words));
    found.map_or(Place::Nowhere, |found| {
        Place::Of(Span {
            start: part.span.start + found.start,
            end: part.span.start + found.end,
        })
    })
}

/// Where a phrase stands last in a text as whole words, whatever its case and the white space in it.
fn last_of(text: &str, phrase: &str) -> Option<Span> {
    let is_within = |c: char| c.is_alphanumeric() || c == '_';
    let ends = |at: usize| !text[at..].starts_with(is_within);
    let begins = |at: usize| !text[..at].ends_with(is_within);
    let first = phrase.chars().next()?;
    let starts = text.char_indices().rev();
    let mut starts = starts.filter(|(at, c)| c.eq_ignore_ascii_case(&first) && begins(*at));
    starts.find_map(|(start, _)| {
        let end = phrase_end(text, start, phrase)?;
        ends(end).then_some(Span { start, end })
    })
}

/// Where a phrase ends that begins there, if it does.
fn phrase_end(text: &str, start: usize, phrase: &str) -> Option<usize> {
    let mut at = start;
    for (number, word) in phrase.split(' ').enumerate() {
        let rest = text.get(at..)?;
        let bare = rest.trim_start();
        if number > 0 && bare.len() == rest.len() {
            return None;
        }
        at += rest.len() - bare.len();
        let found = text.get(at..at + word.len())?;
        if !found.eq_ignore_ascii_case(word) {
            return None;
        }
        at += word.len();
    }
    Some(at)
}

/// The questions that a request leaves open, those that change the plan most first.
pub(super) fn questions(request: &Request, facts: &Facts, lower: &str) -> Vec<Question> {
    let mut questions = Vec::new();
    questions.extend(referent(request));
    questions.extend(missing_file(request, facts));
    let parts = request.parts.iter();
    questions.extend(parts.clone().find_map(|part| target(request, part)));
    questions.extend(parts.clone().find_map(|part| alternative(request, part)));
    questions.extend(parts.clone().find_map(|part| destination(request, part)));
    questions.extend(open_list(request, lower));
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
    let is_open = matches!(first, "it" | "this" | "that" | "them" | "these");
    (is_first && words < 3 && is_open).then(|| {
        let start = verb.span.end + behind.find(first).unwrap_or_default();
        let end = start + first.len();
        let place = Place::Of(Span { start, end });
        let default = "the whole repository".to_owned();
        Question {
            name: "referent",
            asks: format!("What is meant by `{first}`?"),
            because: part.text.clone(),
            assumed: Some((place, default.clone())),
            default,
            place,
        }
    })
}

/// A file is named that is not there, and is not to be made.
fn missing_file(request: &Request, facts: &Facts) -> Option<Question> {
    let is_known = facts.repository.files > 0;
    let missing = |name: &str| {
        let mut named = facts.repository.named.iter();
        named.any(|count| count.name == name && count.files == 0)
    };
    let needed = |part: &Part| {
        let mut files = part.files.iter();
        files.position(|file| {
            missing(&file.text) && is_needed(request, part, file) && !is_made(request, file)
        })
    };
    let mut parts = request.parts.iter().filter(|part| is_known && !makes(part));
    let (part, file) = parts.find_map(|part| Some((part, &part.files[needed(part)?])))?;
    Some(Question {
        name: "missing-file",
        asks: format!(
            "`{}` is not in the repository: which file is meant?",
            file.text
        ),
        because: part.text.clone(),
        default: "the file whose name is most like it, or a new one if none is".to_owned(),
        place: Place::Of(file.span),
        assumed: None,
    })
}

/// Whether a part makes something, or does not say what it does.
fn makes(part: &Part) -> bool {
    matches!(
        part.verb.as_ref().map(|verb| verb.change),
        None | Some(Change::Add | Change::Document | Change::Test | Change::Design)
    )
}

/// Whether a part of the request makes a file, or it is stated how it shall be.
fn is_made(request: &Request, file: &File) -> bool {
    let mut parts = request.parts.iter().filter(|part| makes(part));
    let stated = crate::stated::of(request);
    parts.any(|part| part.files.iter().any(|it| it.text == file.text))
        || stated.iter().any(|it| it.span.holds(file.span))
}

/// Whether a file has to be there for a part: it is not where something is moved to, or where goes
/// what is found.
fn is_needed(request: &Request, part: &Part, file: &File) -> bool {
    let change = part.verb.as_ref().map(|verb| verb.change);
    let goes = matches!(
        change,
        Some(Change::Move | Change::Rename | Change::Migrate | Change::Restructure)
    );
    let finds = matches!(
        change,
        Some(Change::Research | Change::Review | Change::List)
    );
    let before = request.text.get(part.span.start..file.span.start);
    let before = before.unwrap_or_default().trim_end_matches('`');
    let before = before.split_whitespace().next_back().unwrap_or_default();
    let is_target = matches!(before, "to" | "into" | "as");
    !((goes || finds) && is_target || finds && before == "in")
}

/// A migration without a target.
fn target(request: &Request, part: &Part) -> Option<Question> {
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
        place: Place::At(end_of(request, part), " to "),
        assumed: Some((
            Place::At(part.span.start, ""),
            format!("research what to {}, then ", within(&part.text)),
        )),
    })
}

/// `Redis or Memcached`.
fn alternative(request: &Request, part: &Part) -> Option<Question> {
    let words: Vec<&str> = part.text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "or")?;
    let (first, second) = (words.get(at.checked_sub(1)?)?, words.get(at + 1)?);
    let is_name = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.starts_with(char::is_uppercase) || word.contains(['_', '/', '.'])
    };
    (is_name(first) && is_name(second)).then(|| {
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let (first, second) = (bare(first), bare(second));
        let place = words_of(request, part, &format!("{first} or {second}"));
        Question {
            name: "alternative",
            asks: format!("{first} or {second}?"),
            because: part.text.clone(),
            default: format!("{first}, which is named first"),
            place,
            assumed: Some((place, first)),
        }
    })
}

/// `deploy`, without where to.
fn destination(request: &Request, part: &Part) -> Option<Question> {
    let verb = part
        .verb
        .as_ref()
        .filter(|verb| verb.change == Change::Deploy)?;
    let text = part.text.to_lowercase();
    let says_where = [" to ", " on ", " into "]
        .iter()
        .any(|word| text.contains(word));
    let deploys = matches!(verb.word, "deploy" | "launch" | "roll" | "ship");
    let has_object = request.text.get(verb.span.end..part.span.end);
    let has_object = has_object.is_some_and(|rest| rest.contains(char::is_alphanumeric));
    let instead = match has_object {
        true => "describe the deployment of",
        false => "describe the deployment",
    };
    (deploys && !says_where).then(|| Question {
        name: DESTINATION,
        asks: "Where to?".to_owned(),
        because: part.text.clone(),
        default: "nothing is deployed; what is needed for it is described".to_owned(),
        place: Place::At(end_of(request, part), " to "),
        assumed: Some((Place::Of(verb.span), instead.to_owned())),
    })
}

/// `and so on`.
fn open_list(request: &Request, lower: &str) -> Option<Question> {
    let open = [
        "and so on",
        "and so forth",
        "etc",
        "and more",
        "and the like",
        "among others",
    ];
    let said = open.iter().find(|phrase| says(lower, phrase))?;
    let place = last_of(&request.text, said).map_or(Place::Nowhere, Place::Of);
    Some(Question {
        name: OPEN_LIST,
        asks: "What else belongs to it?".to_owned(),
        because: (*said).to_owned(),
        default: "only what is named".to_owned(),
        place,
        assumed: None,
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
    let mut parts = request.parts.iter();
    let part = parts.find(|part| part.text.to_lowercase().contains(said))?;
    let end = end_of(request, part);
    (!has_number).then(|| Question {
        name: "measure",
        asks: format!(
            "How will it be known that it is {said}?",
            said = said.trim_start_matches("improve ")
        ),
        because: (*said).to_owned(),
        default: "it is measured before and after, and must not be worse anywhere".to_owned(),
        place: Place::At(end, ", measured by "),
        assumed: None,
    })
}

/// What a mistake would cost, where nothing decides whether it is one task and nothing is said of it.
pub(super) fn stakes(request: &Request, facts: &Facts) -> Option<Question> {
    let is_told = facts.stakes != super::Stakes::default();
    let because = request.parts.first().map(|part| part.text.clone());
    because.filter(|_| !is_told).map(|because| Question {
        name: STAKES,
        asks: "If this goes wrong, will it cost more to mend than to plan it?".to_owned(),
        because,
        default: "no, so it is one task".to_owned(),
        place: Place::At(request.text.len(), "\n\n"),
        assumed: None,
    })
}
