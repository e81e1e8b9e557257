//! Verbs that only several words are: `load test it`, `have it audited`, `start by finding out`.

use super::super::Change;
use super::super::token::{Kind, Token};
use super::super::verbs::{Form, verb};
use super::{has_object, work_done};

/// What kind of test or review something is, before its verb.
const KINDS: &[&str] = &[
    "acceptance",
    "code",
    "cross",
    "double",
    "e2e",
    "end-to-end",
    "fuzz",
    "integration",
    "load",
    "peer",
    "performance",
    "property",
    "regression",
    "security",
    "smoke",
    "snapshot",
    "stress",
    "unit",
];

/// `load test the endpoint`, and `look into why it is slow`, which is no review.
pub(super) fn compound(words: &[Token], at: usize) -> Option<(usize, &'static str, Change)> {
    let is = |at: usize, all: &[&str]| words.get(at).is_some_and(|it| it.is_any(all));
    if is(at, &["look", "looking"]) {
        let asks = ["how", "what", "whether", "which", "why"];
        let is_search = is(at + 1, &["into"]) || is(at + 1, &["at"]) && is(at + 2, &asks);
        return is_search.then_some((at, "investigate", Change::Research));
    }
    if is(at, &["begin", "start"]) {
        return begun(words, at);
    }
    let next = words.get(at + 1).filter(|it| it.kind == Kind::Word)?;
    let (base, change, form) = verb(&next.lower)?;
    let judges = matches!(change, Change::Test | Change::Review);
    let fits = is(at, KINDS) && form == Form::Base && judges && has_object(&words[at + 2..]);
    (fits && words.len() > at + 2).then_some((at + 1, base, change))
}

/// `start by finding out why`, `begin with the question whether it is used`: what is begun with is to be
/// done.
fn begun(words: &[Token], at: usize) -> Option<(usize, &'static str, Change)> {
    const ASKING: &[&str] = &[
        "how", "what", "when", "where", "whether", "which", "who", "why",
    ];
    let how = words.get(at + 1)?;
    let next = words.get(at + 2)?;
    let asks = |pair: &[Token]| pair[0].is("question") && pair[1].is_any(ASKING);
    if how.is("with") && words[at + 2..].windows(2).take(2).any(asks) {
        return Some((at, "investigate", Change::Research));
    }
    let (base, change, form) = verb(&next.lower).filter(|_| next.kind == Kind::Word)?;
    (how.is_any(&["by", "with"]) && form == Form::Gerund).then_some((at + 2, base, change))
}

/// So many words stand at most for who is to do something.
const WHO_WORDS_MAX: usize = 4;

/// `have someone review it`, `get a reviewer to check the names`, `take a look`.
pub(super) fn caused(words: &[Token], at: usize) -> Option<(usize, &'static str, Change)> {
    const WHO: &[&str] = &[
        "colleague",
        "engineer",
        "expert",
        "people",
        "person",
        "qa",
        "reviewer",
        "somebody",
        "someone",
        "team",
    ];
    if let Some(found) = done_to_it(words, at) {
        return Some(found);
    }
    let before = at.checked_sub(1).and_then(|before| words.get(before));
    let from = match () {
        () if words.get(at)?.is_any(&["ask", "get", "take"]) => at + 1,
        () if before?.is_any(&["have", "let"]) => at,
        () => return None,
    };
    let near = &words[from.min(words.len())..words.len().min(from + WHO_WORDS_MAX)];
    let look = near.iter().position(|it| it.is("look"));
    if let Some(look) = look.filter(|_| near[0].is_any(&["a", "another"])) {
        return Some((from + look, "look", Change::Review));
    }
    let who = near.iter().position(|it| it.is_any(WHO))?;
    let next = from + who + 1;
    let verb_at = next + usize::from(words.get(next)?.is("to"));
    let token = words.get(verb_at).filter(|it| it.kind == Kind::Word)?;
    let (base, change, form) = verb(&token.lower)?;
    (form == Form::Base).then_some((verb_at, base, change))
}

/// `have it audited`, `get them tested`.
fn done_to_it(words: &[Token], at: usize) -> Option<(usize, &'static str, Change)> {
    let at = at + if words.get(at)?.is("get") { 2 } else { 0 };
    let [.., has, it] = words.get(..at)? else {
        return None;
    };
    let is_had = has.is_any(&["get", "have"]) && it.is_any(&["it", "that", "them", "this"]);
    let done = work_done(words.get(at)?).filter(|_| is_had)?;
    Some((at, done.0, done.1))
}
