//! What a request forbids: `do not touch the docs`, `without tests`, `leave the API alone`.
//!
//! Two kinds of words exclude. *Strong* ones do whatever follows (`do not change`, `except`).
//! *Weak* ones do only where what follows is a role's work or a file (`without tests`), since
//! `without blocking` says how, and `no` may be part of what is wanted.
//!
//! Sentences that tell of something that it is not wanted are in `unwanted`, those that say beyond
//! which files nothing may change in `bound`, clauses that only forbid changes in `prohibited`, and which
//! files must stay as they are tells `kept`, whole areas of them `areas`, in other languages than English
//! `foreign`.

mod areas;
mod bound;
mod foreign;
mod kept;
mod prohibited;
mod unwanted;

use super::token::{Kind, Token};
use super::verbs::{Form, verb};
use super::{roles, sentence};

pub(super) use areas::areas;
pub(super) use foreign::foreign;
pub(super) use kept::{files, kept, kept_in_section, usual_file};

/// An exclusion among the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Excluded {
    /// The first token, one that excludes.
    pub(super) from: usize,
    /// The token after its last.
    pub(super) to: usize,
    pub(super) says: Says,
}

/// What an exclusion says of the files that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// What becomes of them hangs on its other words.
    Excludes,
    /// All of them must stay as they are.
    Spares,
    /// They alone may change; without any, only what is asked for.
    Bounds,
}

impl Excluded {
    fn new(from: usize, to: usize) -> Excluded {
        Excluded {
            from,
            to,
            says: Says::Excludes,
        }
    }
}

/// After `do not` and its like: what one does to things that shall stay.
const TOUCHING: &[&str] = &[
    "add", "alter", "bother", "break", "change", "commit", "create", "delete", "deploy",
    "document", "edit", "include", "modify", "move", "publish", "push", "refactor", "release",
    "remove", "rename", "rewrite", "test", "touch", "update", "write",
];

/// The same with what follows behind `with`: `do not bother with CI`.
const TOUCHING_WITH: &[&str] = &["bother", "fiddle", "mess", "tinker", "worry"];

/// After a negation these say an order: `don't start until it is there`.
const UNTIL: &[&str] = &["before", "unless", "until"];

const NEGATING: &[&str] = &[
    "cannot",
    "don't",
    "dont",
    "mustn't",
    "never",
    "shouldn't",
    "won't",
];

const STRONG: &[&str] = &["except", "excluding", "excepting"];

const WEAK: &[&str] = &[
    "no", "not", "nothing", "omit", "omitting", "skip", "skipping", "without",
];

/// Verbs that, denied, say how something is to be.
const NOT_DONE: &[&str] = &["allow", "log", "return", "run", "show", "start", "use"];

/// Before `not`, these tell how something is.
const STATING: &[&str] = &[
    "are", "be", "been", "did", "does", "had", "has", "have", "is", "was", "were",
];

/// With one of these, `no new messages are shown` tells how it is.
const TELLING: &[&str] = &[
    "appear", "are", "arrive", "can", "come", "get", "has", "have", "is", "was", "were", "will",
];

/// So far a weak word looks for what it excludes.
const WEAK_REACH: usize = 5;

/// The exclusions of one sentence, in order and apart from each other.
pub(super) fn exclusions(tokens: &[Token]) -> Vec<Excluded> {
    let mut found: Vec<Excluded> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let floor = found.last().map_or(0, |last| last.to);
        let excluded = bound::bound(tokens, at)
            .or_else(|| prohibited::prohibited(tokens, at))
            .or_else(|| unwanted::unwanted(tokens, at, floor))
            .or_else(|| exclusion(tokens, at));
        match excluded {
            Some(mut excluded) => {
                excluded.from = without_ensuring(tokens, excluded.from.max(floor), floor);
                at = excluded.to.max(at + 1);
                found.push(excluded);
            }
            None => at += 1,
        }
    }
    found
}

fn exclusion(tokens: &[Token], at: usize) -> Option<Excluded> {
    let word = |n: usize| tokens.get(at + n).map_or("", |token| token.lower.as_str());
    if tokens[at].kind != Kind::Word {
        return None;
    }
    let first = word(0);
    // `leave the docs alone`, `keep the API as it is`.
    if matches!(first, "leave" | "keep" | "leaving" | "keeping") {
        let left = left_end(tokens, at).or_else(|| left_to_others(tokens, at));
        if let Some(end) = left {
            return Some(Excluded::new(at, end));
        }
    }
    if matches!((first, word(1)), ("never", "mind") | ("forget", "about")) {
        let end = segment_end(tokens, at + 2).min(at + 2 + WEAK_REACH);
        return names_something(&tokens[at + 2..end])
            .then(|| Excluded::new(at, list_end(tokens, at + 2)));
    }
    if let Some(excluded) = shunned(tokens, at) {
        return Some(excluded);
    }
    // `Write no tests`, but `create no more than three files`.
    let counts = matches!(
        word(2),
        "earlier" | "fewer" | "later" | "less" | "longer" | "more"
    );
    let is_done = TOUCHING.contains(&first) && first != "test";
    if is_done && word(1) == "no" && !counts && begins(tokens, at) {
        return Some(Excluded::new(at, list_end(tokens, at + 2)));
    }
    if sentence::leads_in(&tokens[at..]) > 0 {
        return None;
    }
    let negated = match (first, word(1)) {
        // `be careful not to change it`
        ("not" | "never", "to") if is_touching(word(2)) => Some(2),
        ("do" | "must" | "should" | "shall" | "may" | "can" | "will", "not") => Some(2),
        // `I cannot remove an item` complains.
        ("cannot" | "won't", _) if at > 0 && tokens[at - 1].is_any(&["i", "we"]) => None,
        _ if NEGATING.contains(&first) => Some(1),
        ("not" | "without", next) if is_touching(next) && verb_form(next) == Some(Form::Gerund) => {
            Some(1)
        }
        _ => None,
    };
    if let Some(skip) = negated.filter(|_| first == "must" || begins(tokens, at)) {
        let skip = skip + fillers(tokens, at + skip);
        let from = before_subject(tokens, at, word(0));
        let with = TOUCHING_WITH.contains(&word(skip))
            && matches!(word(skip + 1), "with" | "about" | "to");
        let to = list_end(tokens, at + skip + 1 + usize::from(with));
        if matches!(word(skip), "want" | "need" | "require" | "expect") {
            let is_ours = at > 0 && tokens[at - 1].is_any(&["i", "we", "you"]);
            let end = segment_end(tokens, at + skip + 1).min(at + skip + 1 + WEAK_REACH);
            let object = &tokens[at + skip + 1..end];
            // `Tests that are slow` are not all tests: that says how they are to be.
            let is_of_some = tokens[at + skip + 1..to.max(end)]
                .iter()
                .any(|it| it.is_any(&["that", "which", "who", "whose"]));
            return (names_something(object) && !is_of_some)
                .then(|| Excluded::new(at - usize::from(is_ours), to));
        }
        let is_order = tokens.get(to).is_some_and(|it| it.is_any(UNTIL));
        // `Users do not fix it` is no command, and `do not start` says when.
        let is_command = from == at
            && matches!(first, "do" | "don't" | "dont" | "never")
            && verb(word(skip)).is_some_and(|it| it.2 == Form::Base && !NOT_DONE.contains(&it.0));
        let is_excluded = is_touching(word(skip)) || with || is_command && !is_order;
        return is_excluded.then(|| Excluded::new(from, to));
    }
    let is_but = first == "but" && is_of_all(tokens, at);
    if STRONG.contains(&first) || first == "apart" && word(1) == "from" || is_but {
        return Some(Excluded::new(at, list_end(tokens, at + 1)));
    }
    // `without new dependencies` bounds the work, whatever it is of.
    let is_more = matches!(word(1), "new" | "additional" | "extra" | "further");
    let tells = |from: usize, to: usize| tokens[from..to].iter().any(|it| it.is_any(TELLING));
    let is_none = || begins(tokens, at) && !tells(at, segment_end(tokens, at + 1));
    if is_more && (first == "without" || first == "no" && is_none()) {
        return Some(Excluded::new(at, list_end(tokens, at + 1)));
    }
    if !WEAK.contains(&first) {
        return None;
    }
    // `not only` and `no longer` do not exclude, and `is not documented` tells of a fault.
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    // `… and if not add it`
    let is_told = before.is_some_and(|before| before.is_any(STATING) || before.is("if"));
    let is_of_manner = first == "no" && matches!(word(1), "rush" | "hurry" | "worries" | "problem");
    if is_told || is_of_manner || matches!(word(1), "only" | "just" | "longer" | "more") {
        return None;
    }
    let end = segment_end(tokens, at + 1).min(at + 1 + WEAK_REACH);
    names_something(&tokens[at + 1..end]).then(|| Excluded::new(at, list_end(tokens, at + 1)))
}

/// Where `leave the UI to the other team` ends. `Leave a note to the team` asks for a note, and `leave
/// the header to the left` says where.
fn left_to_others(tokens: &[Token], at: usize) -> Option<usize> {
    const OTHERS: &[&str] = &["me", "others", "somebody", "someone", "them", "us"];
    let end = segment_end(tokens, at + 1);
    let mut near = (at + 2..end).filter(|&to| tokens[to].is("to"));
    let to = near.next()?;
    let is_left = tokens[at].is_any(&["leave", "leaving"]);
    let is_new = tokens[at + 1].is_any(&["a", "an", "another", "some"]);
    let whom = &tokens[to + 1..end];
    let is_of_people = match whom.first()? {
        who if who.is_any(&["our", "the", "their", "your"]) => {
            let mut near = whom.iter().skip(1).take(PEOPLE_REACH);
            near.any(|it| it.is_any(PEOPLE))
        }
        who => who.is_any(OTHERS),
    };
    (is_left && !is_new && is_of_people).then_some(end)
}

/// Words of people who do work that is left to them. Users are none: they are left notes.
const PEOPLE: &[&str] = &[
    "colleagues",
    "contractor",
    "contractors",
    "crew",
    "department",
    "designers",
    "developers",
    "engineers",
    "group",
    "maintainer",
    "maintainers",
    "others",
    "owner",
    "owners",
    "people",
    "squad",
    "team",
    "teams",
    "vendor",
];

/// How many words behind `the` one of people may stand.
const PEOPLE_REACH: usize = 3;

/// Where `leave a.rs and the docs alone` ends, if that is what is said.
fn left_end(tokens: &[Token], at: usize) -> Option<usize> {
    let mut end = segment_end(tokens, at + 1);
    loop {
        let left = &tokens[at..end];
        let last = left.last()?;
        let as_it_is = last.is_any(&["is", "are"]) && left.iter().any(|it| it.is("as"));
        let stays = ["alone", "as-is", "out", "unchanged", "untouched"];
        if last.is_any(&stays) || as_it_is {
            return Some(end);
        }
        // Of a list, the last one says it.
        let joins = |it: &&Token| it.is_mark(',') || it.is_any(&["and", "nor", "or"]);
        let next = end + tokens[end..].iter().take_while(joins).count();
        let stop = segment_end(tokens, next);
        let goes_on = next > end && stop > next && stop - next <= WEAK_REACH;
        if !goes_on || !begins_no_verb(&tokens[next..stop]) {
            return None;
        }
        end = stop;
    }
}

/// `avoid touching web/`, `refrain from editing the API`, `stay away from the docs`; `ignore the
/// docs`, but not files: programs are told to ignore those.
fn shunned(tokens: &[Token], at: usize) -> Option<Excluded> {
    let word = |n: usize| tokens.get(at + n).map_or("", |token| token.lower.as_str());
    let skip = match (word(0), word(1), word(2)) {
        ("keep" | "take", "your" | "the", "hands") if tokens.get(at + 3)?.is("off") => 4,
        ("hands", "off", _) => 2,
        ("keep" | "stay", "out", "of") => 3,
        ("avoid" | "avoiding", ..) => 1,
        ("refrain" | "refraining", "from", _) => 2,
        ("stay" | "keep" | "steer", "away" | "clear", "from" | "of") => 3,
        ("ignore", ..) => {
            let end = segment_end(tokens, at + 1);
            let object = &tokens[at + 1..end];
            let is_work = !object.iter().any(|it| it.kind == Kind::Path)
                && object.len() <= 2
                && names_something(object);
            let is_told = at > 0 && tokens[at - 1].is_any(&["can", "may", "please"]);
            return (is_work && (is_told || begins(tokens, at))).then(|| {
                let is_ours = at > 1 && tokens[at - 2].is_any(&["you", "we"]);
                let before = usize::from(is_told) + usize::from(is_told && is_ours);
                Excluded::new(at - before, list_end(tokens, at + 1))
            });
        }
        _ => return None,
    };
    let touches = is_touching(word(skip)) && verb_form(word(skip)) == Some(Form::Gerund);
    let end = segment_end(tokens, at + skip).min(at + skip + WEAK_REACH);
    let named = &tokens[at + skip..end.max(at + skip)];
    let is_shunned = touches || skip > 1 && names_something(named) || is_file(named);
    (begins(tokens, at) && is_shunned).then(|| Excluded::new(at, list_end(tokens, at + skip)))
}

/// Whether a phrase is a file or folder, with an article at most.
fn is_file(tokens: &[Token]) -> bool {
    let mut words = tokens.iter().skip_while(|token| token.is("the"));
    words.next().is_some_and(is_place)
}

/// Whether a token is a file or a folder, where only those are meant: `src/api` is one, too.
pub(super) fn is_place(token: &Token) -> bool {
    let within = |c: char| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    let mut parts = token.lower.split('/');
    let is_folder = token.kind == Kind::Word
        && token.lower.contains('/')
        && token.lower.chars().all(within)
        && parts.all(|part| part.chars().count() > 1);
    token.kind == Kind::Path || is_folder && !token.is_any(&["and/or", "he/she"])
}

/// Words between `do not` and its verb: `under any circumstances`.
fn fillers(tokens: &[Token], at: usize) -> usize {
    const FILLERS: &[&str] = &[
        "accidentally",
        "any",
        "at",
        "case",
        "circumstance",
        "circumstances",
        "ever",
        "in",
        "no",
        "please",
        "point",
        "under",
        "way",
        "yet",
    ];
    let words = tokens.get(at..).unwrap_or_default().iter();
    words
        .take_while(|token| token.is_any(FILLERS) || token.is_mark(','))
        .count()
}

/// `all files but web/app.ts`.
fn is_of_all(tokens: &[Token], but: usize) -> bool {
    let all = [
        "all",
        "any",
        "anything",
        "each",
        "every",
        "everything",
        "everywhere",
    ];
    let is_all = tokens[but.saturating_sub(4)..but]
        .iter()
        .any(|it| it.is_any(&all));
    let end = segment_end(tokens, but + 1).min(but + 1 + WEAK_REACH);
    let named = &tokens[(but + 1).min(end)..end];
    is_all && (is_file(named) || names_something(named) && begins_no_verb(named))
}

/// `make sure that no file changes`: what ensures it belongs to it.
fn without_ensuring(tokens: &[Token], from: usize, floor: usize) -> usize {
    const ENSURING: &[&[&str]] = &[
        &["make", "sure", "that", "you"],
        &["make", "sure", "you"],
        &["make", "sure", "that"],
        &["make", "sure"],
        &["be", "sure", "that"],
        &["ensure", "that"],
        &["ensure"],
        &["be", "careful"],
        &["take", "care"],
        &["careful"],
        &["in", "order"],
        &["try"],
    ];
    let before = &tokens[floor..from];
    let phrase = ENSURING.iter().find(|phrase| {
        let begin = before.len().checked_sub(phrase.len());
        begin.is_some_and(|begin| {
            let words = &before[begin..];
            words
                .iter()
                .zip(**phrase)
                .all(|(token, word)| token.is(word))
        })
    });
    from - phrase.map_or(0, |phrase| phrase.len())
}

/// Whether a command could begin here: `users do not update it` is none.
fn begins(tokens: &[Token], at: usize) -> bool {
    let leads = [
        "also", "and", "but", "i", "just", "please", "so", "then", "we", "you",
    ];
    at.checked_sub(1)
        .is_none_or(|before| !tokens[before].is_word() || tokens[before].is_any(&leads))
        || tokens[at].is_any(&[
            "must", "should", "shall", "may", "can", "will", "not", "without",
        ])
}

fn is_touching(word: &str) -> bool {
    let base = match verb(word) {
        Some((base, ..)) => base,
        None => word.strip_suffix("ing").unwrap_or(word),
    };
    TOUCHING.contains(&base)
}

fn verb_form(word: &str) -> Option<Form> {
    match verb(word) {
        Some((.., form)) => Some(form),
        None => word.ends_with("ing").then_some(Form::Gerund),
    }
}

/// `the docs must not be changed`: the subject belongs to it.
fn before_subject(tokens: &[Token], at: usize, first: &str) -> usize {
    if !matches!(first, "must" | "should" | "shall" | "may" | "can" | "will") {
        return at;
    }
    let mut from = at;
    while from > 0
        && tokens[from - 1].is_word()
        && !tokens[from - 1].is_any(&["and", "but", "then"])
    {
        from -= 1;
    }
    from
}

/// Whether a role's work or a file is among the tokens.
fn names_something(tokens: &[Token]) -> bool {
    let is_file = |token: &Token| token.kind == Kind::Path;
    tokens.iter().any(is_file)
        || (0..tokens.len()).any(|at| roles::mention(&tokens[at..]).is_some())
}

/// Where the phrase ends: at a mark, or at a word that begins something else.
fn segment_end(tokens: &[Token], from: usize) -> usize {
    let ends = |token: &Token| {
        !token.is_word()
            || token.is_any(&[
                "and", "but", "then", "or", "nor", "with", "before", "after", "&", "plus", "while",
                "because", "since", "unless", "until", "when",
            ])
    };
    let length = tokens.get(from..).unwrap_or_default().iter();
    from + length.take_while(|token| !ends(token)).count()
}

/// Where a list of excluded things ends, with what says more of them. `or` and `nor` go on with it,
/// and so do `and` and commas while what follows is short, names something and does not begin with a
/// verb.
fn list_end(tokens: &[Token], from: usize) -> usize {
    with_relative(tokens, objects_end(tokens, from))
}

fn objects_end(tokens: &[Token], from: usize) -> usize {
    let mut end = segment_end(tokens, from);
    // `except auth, and docs for it`: what follows is of another kind, and may be wanted.
    let mut names = tokens.get(from..end).is_some_and(names_something);
    loop {
        let mut next = end;
        let joins = |token: &Token| token.is_mark(',') || token.is_any(&["or", "nor", "and", "&"]);
        while tokens.get(next).is_some_and(joins) {
            next += 1;
        }
        let stop = segment_end(tokens, next);
        let joint = tokens.get(end..next).unwrap_or_default();
        let is_choice = joint.iter().any(|it| it.is_any(&["or", "nor"]));
        let is_and = joint.len() == 1 && joint[0].is_any(&["and", "&"]);
        let object = tokens.get(next..stop).unwrap_or_default();
        let is_of_list =
            is_choice || is_and && is_phrase(object) || names && names_something(object);
        let goes_on = next > end
            && stop > next
            && stop - next <= WEAK_REACH
            && begins_no_verb(object)
            && (is_of_list || joint[0].is_mark(',') && is_listed_choice(tokens, stop));
        if !goes_on {
            return end;
        }
        names |= names_something(object);
        end = stop;
    }
}

/// Whether a phrase is a thing by its article: `the tests`.
fn is_phrase(tokens: &[Token]) -> bool {
    let first = tokens.first();
    first.is_some_and(|it| it.is_any(&["any", "its", "my", "our", "the", "their", "your"]))
}

/// Whether a list of short phrases goes on here that ends with `or`.
fn is_listed_choice(tokens: &[Token], mut at: usize) -> bool {
    for _ in 0..WEAK_REACH {
        let rest = tokens.get(at..).unwrap_or_default();
        let joint = rest
            .iter()
            .take_while(|it| it.is_mark(',') || it.is_any(&["or", "nor"]));
        let joint: Vec<&Token> = joint.collect();
        if joint.iter().any(|it| it.is_any(&["or", "nor"])) {
            return true;
        }
        let next = at + joint.len();
        let stop = segment_end(tokens, next);
        if joint.is_empty() || stop <= next || stop - next > WEAK_REACH {
            return false;
        }
        at = stop;
    }
    false
}

/// What says more of the last object belongs to it: `except the legal texts, which stay`.
fn with_relative(tokens: &[Token], end: usize) -> usize {
    let comma = usize::from(tokens.get(end).is_some_and(|it| it.is_mark(',')));
    let is_relative = |it: &Token| it.is_any(&["because", "since", "which", "who", "whose"]);
    match tokens.get(end + comma).is_some_and(is_relative) {
        true => {
            let more = tokens[end + comma..].iter();
            end + comma + more.take_while(|it| it.is_word()).count()
        }
        false => end,
    }
}

fn begins_no_verb(tokens: &[Token]) -> bool {
    let first = tokens.first().map_or("", |token| token.lower.as_str());
    let is_noun = |base: &str| super::verbs::is_also_noun(base) && tokens.len() == 1;
    let leads = ["as", "by", "for", "from", "in", "on", "so", "to", "with"];
    match verb(first) {
        _ if leads.contains(&first) => false,
        Some((base, _, Form::Base)) => is_noun(base),
        _ => true,
    }
}
