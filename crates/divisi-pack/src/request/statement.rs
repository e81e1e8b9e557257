//! Whether a clause asks for something or tells something. Only what asks is ever a task.
//!
//! A clause that begins with a verb in its base form asks. One with a subject of its own (`I`, `the
//! docs`) and a finite verb is a statement: of the past, of how things are, or of what others will
//! do it only tells; of what is needed it may ask (`the API needs docs`), and then nobody can say
//! whether that is a piece of work of its own.

use super::roles;
use super::sentence::{is_preface, leads_in};
use super::token::{Kind, Token};
use super::verbs::{Aim, Form, is_also_noun, verb};

/// What a clause does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// It begins with what is to be done.
    Asks,
    /// It tells of the past, of how things are or are to be done, or of what others do.
    Tells,
    /// It tells of what is needed, which may be work.
    MayAsk,
    /// It has no verb that says so.
    Names,
}

/// So far a statement's verb stands from its beginning, in tokens.
const REACH: usize = 16;

/// Words before what a clause says.
const LEADS: &[&str] = &[
    "also",
    "and",
    "anyway",
    "btw",
    "but",
    "currently",
    "fyi",
    "hello",
    "hey",
    "hi",
    "however",
    "just",
    "now",
    "ok",
    "okay",
    "please",
    "pls",
    "plz",
    "so",
    "then",
    "today",
    "unfortunately",
    "well",
];

/// What speaks or is spoken to.
const PERSONS: &[&str] = &["i", "we", "you"];

/// What else stands for a subject.
const OTHERS: &[&str] = &[
    "anybody",
    "everybody",
    "everyone",
    "everything",
    "he",
    "it",
    "nobody",
    "nothing",
    "one",
    "she",
    "somebody",
    "someone",
    "that",
    "there",
    "these",
    "they",
    "this",
    "those",
];

const ADVERBS: &[&str] = &[
    "actually",
    "already",
    "also",
    "always",
    "currently",
    "ever",
    "even",
    "generally",
    "just",
    "kindly",
    "mostly",
    "never",
    "now",
    "often",
    "only",
    "probably",
    "rarely",
    "really",
    "recently",
    "simply",
    "sometimes",
    "still",
    "then",
    "usually",
];

/// Verbs with which who speaks says what he wants.
const WANTING: &[&str] = &[
    "appreciate",
    "can",
    "could",
    "expect",
    "have to",
    "like",
    "love",
    "may",
    "might",
    "must",
    "need",
    "ought",
    "shall",
    "should",
    "want",
    "would",
];

/// Verbs with which who speaks may ask for something.
const ASKING: &[&str] = &[
    "ask",
    "believe",
    "expect",
    "guess",
    "hope",
    "look",
    "looking",
    "propose",
    "recommend",
    "request",
    "suggest",
    "think",
    "wish",
    "wonder",
    "wondering",
];

/// What makes of a statement one of what is needed.
const NEEDING: &[&str] = &[
    "lack", "lacks", "must", "need", "needs", "ought", "require", "requires", "shall", "should",
];

const BEING: &[&str] = &[
    "am", "are", "aren't", "did", "didn't", "do", "does", "doesn't", "don't", "had", "hadn't",
    "has", "hasn't", "have", "haven't", "is", "isn't", "was", "wasn't", "were", "weren't",
];

const MODAL: &[&str] = &[
    "can",
    "can't",
    "cannot",
    "could",
    "couldn't",
    "may",
    "might",
    "mustn't",
    "shouldn't",
    "will",
    "won't",
    "would",
    "wouldn't",
];

/// Verbs of statements, as one thing does them.
const ONE_DOES: &[&str] = &[
    "begins",
    "belongs",
    "breaks",
    "comes",
    "complains",
    "consists",
    "contains",
    "costs",
    "crashes",
    "depends",
    "exists",
    "fails",
    "follows",
    "gets",
    "gives",
    "goes",
    "hangs",
    "happens",
    "keeps",
    "lets",
    "lives",
    "looks",
    "loses",
    "makes",
    "means",
    "remains",
    "returns",
    "says",
    "seems",
    "sits",
    "stays",
    "takes",
    "tells",
    "thinks",
    "throws",
    "uses",
    "wants",
    "works",
];

/// The same of many, and of the past: behind a subject that is many or has an article.
const MANY_DO: &[&str] = &[
    "belong", "break", "broke", "came", "come", "complain", "contain", "crash", "depend", "exist",
    "fail", "follow", "get", "give", "go", "got", "happen", "keep", "kept", "live", "look", "lost",
    "mean", "need", "remain", "run", "said", "say", "seem", "stay", "take", "tell", "think",
    "throw", "told", "took", "use", "want", "went", "work",
];

/// What stands for something that was said.
const SAID: &[&str] = &["it", "so", "that", "them", "these", "this", "those"];

const PAST: &[&str] = &[
    "broke", "came", "did", "didn't", "got", "had", "hadn't", "kept", "lost", "said", "told",
    "took", "was", "wasn't", "went", "were", "weren't",
];

/// Behind these a clause stands that says more of something.
const RELATIVE: &[&str] = &["that", "which", "who", "whose"];

/// Words that begin another clause, or a condition.
const SUBORDINATE: &[&str] = &[
    "although", "as", "because", "how", "if", "since", "so", "unless", "until", "what", "when",
    "whenever", "where", "wherever", "whether", "while", "why",
];

/// What goes on holds already.
const GOING_ON: &[&str] = &[
    "compile", "continue", "keep", "pass", "passing", "remain", "remains", "stay", "stays",
    "still", "succeed",
];

const ARTICLES: &[&str] = &[
    "a", "all", "an", "any", "each", "every", "her", "his", "its", "my", "our", "some", "the",
    "their", "these", "this", "those", "your",
];

/// Words of order that, in a statement of work, may ask for it.
const ORDER: &[&str] = &[
    "after",
    "afterwards",
    "before",
    "finally",
    "first",
    "last",
    "later",
    "next",
    "until",
];

/// What a clause does; the tokens go as far as the clause may.
pub(super) fn mood(tokens: &[Token]) -> Mood {
    let is_lead = |token: &Token| !token.is_word() || token.is_any(LEADS);
    let from = tokens.iter().take_while(|token| is_lead(token)).count();
    let clause = &tokens[from..];
    let words = clause.iter().take_while(|token| token.is_word());
    let words: Vec<&Token> = words.take(2 * REACH).collect();
    if words.is_empty() {
        return Mood::Names;
    }
    let mood = of_words(clause, &words);
    // `Also the link is broken` follows on what is to be done.
    let is_one_more = tokens[..from].iter().any(|it| it.is("also"))
        && contracted(words[0]).is_none_or(|(who, _)| !PERSONS.contains(&who));
    match mood == Mood::Tells && (is_one_more || asks_within(&words)) {
        true => Mood::MayAsk,
        false => mood,
    }
}

/// Whether a statement ends with what is to be done: `it is broken so fix it`.
fn asks_within(words: &[&Token]) -> bool {
    words.iter().enumerate().skip(1).any(|(at, word)| {
        let rest = words[at + 1..].iter();
        let mut rest = rest.copied();
        let does = rest.find(|it| !is_preface(it) && !it.is_any(LEADS));
        let base = does
            .and_then(|it| verb(&it.lower))
            .filter(|it| it.2 == Form::Base);
        word.is("so") && base.is_some()
    })
}

fn of_words(clause: &[Token], words: &[&Token]) -> Mood {
    let first = words[0];
    let is_relative = first.is_any(RELATIVE) && !is_pronoun(words);
    match () {
        () if leads_in(clause) > 0 => Mood::Asks,
        () if first.is_any(SUBORDINATE) || is_relative => Mood::Names,
        () if is_of_manner(words) => Mood::Tells,
        () if contracted(first).is_some_and(|(who, _)| PERSONS.contains(&who)) => of_person(words),
        // `Do this after that` is of what was said.
        () if first.is("do") && words.get(1).is_some_and(|it| it.is_any(SAID)) => Mood::MayAsk,
        () if is_pronoun(words) => of_thing(words, 1),
        () if is_preface(first) => Mood::Asks,
        () => imperative(words).unwrap_or_else(|| {
            let predicate = predicate(words);
            predicate.map_or(Mood::Names, |at| of_thing(words, at))
        }),
    }
}

/// A pronoun, and what hangs on it: `we` and `'ll`.
fn contracted(token: &Token) -> Option<(&str, &str)> {
    if token.kind != Kind::Word {
        return None;
    }
    let (who, rest) = token.lower.split_once('\'').unwrap_or((&token.lower, ""));
    (PERSONS.contains(&who) || OTHERS.contains(&who)).then_some((who, rest))
}

/// Whether a pronoun stands alone: of `this module` it does not.
fn is_pronoun(words: &[&Token]) -> bool {
    let Some((who, rest)) = contracted(words[0]) else {
        return false;
    };
    let points = ["one", "that", "these", "this", "those"].contains(&who);
    let follows = words.get(1).is_some_and(|next| is_finite(words, 1, next));
    !rest.is_empty() || !points || follows
}

/// What `I`, `we` and `you` do.
fn of_person(words: &[&Token]) -> Mood {
    let (who, rest) = contracted(words[0]).unwrap_or_default();
    let mut at = 1;
    while words.get(at).is_some_and(|it| it.is_any(ADVERBS)) {
        at += 1;
    }
    let Some(next) = words.get(at) else {
        return Mood::Names;
    };
    let then = words.get(at + 1);
    let to = then.is_some_and(|it| it.is("to"));
    let own = ["myself", "ourselves"];
    let needs = |it: &Token| it.is_any(&["have", "need", "want"]);
    match () {
        () if words.iter().any(|it| it.is_any(&own)) => Mood::Tells,
        // `You can skip it` permits.
        () if next.is_any(&["can", "may"]) && then.is_some_and(|it| it.is_any(PERMITTED)) => {
            Mood::Tells
        }
        () if rest == "ll" => match needs(next) {
            true => Mood::Asks,
            false => Mood::Tells,
        },
        () if next.is("will") => match then.is_some_and(|it| needs(it)) {
            true => Mood::Asks,
            false => Mood::Tells,
        },
        // `I'd like`, and `you'd better`
        () if rest == "d" => match next.is_any(WANTING) || next.is("better") {
            true => Mood::Asks,
            false => Mood::Tells,
        },
        () if !rest.is_empty() && !next.is_any(ASKING) => Mood::Tells,
        () if next.is_any(&["have", "had"]) && to => Mood::Asks,
        () if who == "you" && verb(&next.lower).is_some_and(|it| it.2 == Form::Base) => Mood::Asks,
        () if next.is_any(WANTING) => Mood::Asks,
        () if who != "you" && words[at..].iter().take(2).any(|it| it.is_any(ASKING)) => {
            Mood::MayAsk
        }
        () => Mood::Tells,
    }
}

/// What one may do without being asked to.
const PERMITTED: &[&str] = &[
    "assume", "expect", "find", "ignore", "leave", "omit", "see", "skip",
];

/// How things are to be done, and what is said beside: `keep it boring`, `report only`, `thanks`.
fn is_of_manner(words: &[&Token]) -> bool {
    let is = |at: usize, all: &[&str]| words.get(at).is_some_and(|it| it.is_any(all));
    let says = |phrase: &[&str]| phrase.iter().enumerate().all(|(at, word)| is(at, &[word]));
    let is_kept = is(0, &["keep", "keeping"])
        && !words
            .iter()
            .any(|it| it.is_any(&["date", "sync", "updated"]));
    let is_only = words.len() == 2
        && is(1, &["only"])
        && verb(&words[0].lower)
            .is_some_and(|it| matches!(it.1.aim(), Aim::Finding | Aim::Judgment));
    let is_being = is(0, &["be"])
        && words
            .get(1)
            .is_some_and(|it| verb(&it.lower).is_none() && !it.is("sure"));
    is_kept
        || is_only
        || is_being
        || is(
            0,
            &["assume", "cheers", "imagine", "thank", "thanks", "thx"],
        )
        || says(&["note", "that"])
        || says(&["no", "rush"])
        || says(&["no", "hurry"])
        || says(&["no", "worries"])
        || says(&["let", "me"])
        || says(&["take", "your", "time"])
        || is(0, &["ask", "ping", "tell"]) && is(1, &["me", "us"])
}

/// Of what begins with a verb: that asks, unless the verb is a noun and another one follows it, as
/// in `search is slow`.
fn imperative(words: &[&Token]) -> Option<Mood> {
    let first = words[0];
    let (base, ..) =
        verb(&first.lower).filter(|it| it.2 == Form::Base && first.kind == Kind::Word)?;
    let checks = ["check", "document", "log", "report", "show", "test"];
    let names_more = roles::mention_of(words).is_some_and(|length| length > 1);
    if is_also_noun(base) && (!checks.contains(&base) || names_more) {
        let is_bare =
            |it: &&&Token| it.kind == Kind::Word && !it.is_any(ARTICLES) && !it.is_any(SUBORDINATE);
        let bare = 1 + words[1..].iter().take_while(is_bare).count();
        let near = bare.min(4).min(words.len());
        let finite = (1..near).find(|&at| is_certain(words[at]));
        if let Some(at) = finite {
            return Some(of_thing(words, at));
        }
    }
    Some(Mood::Asks)
}

/// Verbs that are no noun.
fn is_certain(token: &Token) -> bool {
    token.is_any(BEING)
        || token.is_any(MODAL)
        || token.is_any(ONE_DOES)
        || token.is_any(&["must", "need", "needs", "should", "come", "take"])
}

/// Where the verb stands of a clause whose subject is named.
fn predicate(words: &[&Token]) -> Option<usize> {
    // What a relative clause does is not what its subject does.
    let mut is_within = false;
    let mut at = 1;
    while let Some(word) = words.get(at).filter(|_| at < REACH) {
        if ends_subject(words, at) {
            return None;
        }
        if word.is_any(RELATIVE) {
            let next = words.get(at + 1);
            let does = next.is_some_and(|it| it.lower.ends_with('s') || it.lower.ends_with("ed"));
            is_within = !does;
            at += usize::from(does);
        } else if is_finite(words, at, word) && !std::mem::take(&mut is_within) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Whether another clause begins here before the first one had a verb.
fn ends_subject(words: &[&Token], at: usize) -> bool {
    let does = words.get(at + 1).is_some_and(|next| {
        let base = verb(&next.lower).filter(|it| it.2 == Form::Base);
        next.kind == Kind::Word && base.is_some_and(|it| !is_also_noun(it.0))
    });
    // `A page on how to add one would help`
    let is_infinitive = words.get(at + 1).is_some_and(|next| next.is("to"));
    words[at].is_any(SUBORDINATE) && !is_infinitive
        || words[at].is_any(&["after", "before", "but", "once", "then"])
        || words[at].is_any(&["and", "or"]) && does
}

fn is_finite(words: &[&Token], at: usize, word: &Token) -> bool {
    let before = words[at - 1];
    let is_many = before.lower.ends_with('s') && !before.lower.ends_with("ss")
        || before.is_any(OTHERS)
        || before.is_any(ADVERBS);
    let has_article = words[0].is_any(ARTICLES);
    let is_past = || {
        let form = verb(&word.lower).map(|(.., form)| form);
        let follows = words.get(at + 1);
        let goes_on = follows.is_none_or(|next| {
            next.is_any(ARTICLES) || next.is_any(&["it", "me", "that", "them", "us"])
        });
        word.kind == Kind::Word
            && (form == Some(Form::Past) || form.is_none() && word.lower.ends_with("ed"))
            && has_article
            && at > 1
            && goes_on
    };
    let is_third = || {
        word.kind == Kind::Word
            && verb(&word.lower).is_some_and(|it| it.2 == Form::Third && !is_also_noun(it.0))
    };
    word.is_any(BEING)
        || word.is_any(MODAL)
        || word.is_any(NEEDING) && !word.is("lack") && !word.is("need") && !word.is("require")
        || word.is_any(ONE_DOES)
        || (word.is_any(MANY_DO) || word.is_any(&["lack", "require"]))
            && (is_many || at == 1 && before.is("who"))
        || is_third()
        || is_past()
}

/// What a statement says of something, by its verb.
fn of_thing(words: &[&Token], at: usize) -> Mood {
    let is_pronoun = is_pronoun(words);
    let contraction = contracted(words[0]).map_or("", |(_, rest)| rest);
    let rest = words.get(at..).unwrap_or_default();
    let has = |all: &[&str]| rest.iter().any(|it| it.is_any(all));
    let names_work = || names_work(words, at, is_pronoun);
    let mut verbs = rest.iter().skip_while(|it| it.is_any(ADVERBS));
    let first = verbs.next();
    let second = verbs.next();
    let is_first = |all: &[&str]| first.is_some_and(|it| it.is_any(all));
    let is_second = |all: &[&str]| second.is_some_and(|it| it.is_any(all));
    let needs = is_first(NEEDING)
        || is_first(&["has", "have", "is", "are"]) && is_second(&["to"])
        || is_first(&["is", "are"]) && is_second(&["missing", "needed", "required", "wanted"])
        || is_first(&["will", "would"])
            && is_second(&["have", "need", "be"])
            && has(&["great", "need", "needed", "nice", "good", "required"])
        || is_first(&["would"]) && is_second(&["help"])
        || is_first(&["would"]) && is_second(&["make"]) && has(&["happy"])
        || contraction == "s" && has(&["missing", "needed"]);
    let is_denied = words[0].is_any(&["no", "none", "nothing", "nobody"])
        || has(&["not", "never"])
        || is_first(&["can't", "cannot", "couldn't", "mustn't", "shouldn't"]);
    if is_denied && (needs || is_first(MODAL)) {
        return match has(&["before", "unless", "until"]) {
            true => Mood::MayAsk,
            false => Mood::Tells,
        };
    }
    if needs {
        return match () {
            () if has(GOING_ON) => Mood::Tells,
            // `It should be fast` says more of what was asked for.
            () if is_pronoun && !names_work() => Mood::Tells,
            () => Mood::MayAsk,
        };
    }
    let form = first.and_then(|it| verb(&it.lower)).map(|(.., form)| form);
    let is_past = is_first(PAST)
        || form == Some(Form::Past)
        || first.is_some_and(|it| it.lower.ends_with("ed") && !it.is("need"));
    let may_be = is_first(&["can", "could", "may", "might"]) && is_second(&["be", "have", "then"]);
    let is_ordered = !is_past && has(ORDER) && !is_first(MODAL);
    let is_placed = is_first(&[
        "belong", "belongs", "come", "comes", "follow", "follows", "go", "goes",
    ]);
    match (may_be || is_ordered || is_placed) && names_work() {
        true => Mood::MayAsk,
        false => Mood::Tells,
    }
}

/// Whether a statement names a role's work, or says of something that it is tested, written and so
/// on. What a pronoun stands for was named before.
fn names_work(words: &[&Token], at: usize, is_pronoun: bool) -> bool {
    let is_work = |it: &&&Token| {
        let found = verb(&it.lower).filter(|it| it.2 == Form::Past);
        found.is_some_and(|it| !is_pronoun || it.1.aim() != Aim::Alteration)
    };
    let from = if is_pronoun { at } else { 0 };
    words.iter().skip(at).any(|it| is_work(&it))
        || (from..words.len()).any(|at| roles::mention_of(&words[at..]).is_some())
}

/// Whether words only say that nothing was begun yet: `before you write any code`.
pub(super) fn is_of_anything(tokens: &[Token]) -> bool {
    const ANYTHING: &[&str] = &[
        "anything",
        "begin",
        "beginning",
        "begins",
        "code",
        "coding",
        "else",
        "implementation",
        "start",
        "starting",
        "starts",
        "work",
        "all",
        "everything",
    ];
    const SAID: &[&str] = &[
        "that",
        "a",
        "all",
        "and",
        "any",
        "be",
        "change",
        "changing",
        "do",
        "doing",
        "i",
        "implementing",
        "implement",
        "is",
        "line",
        "make",
        "making",
        "of",
        "on",
        "single",
        "the",
        "to",
        "touch",
        "touching",
        "we",
        "with",
        "write",
        "writing",
        "you",
        "your",
    ];
    let mut words = tokens.iter().filter(|token| token.is_word());
    let is_any = tokens.iter().any(|token| token.is_any(ANYTHING));
    is_any && words.all(|token| token.is_any(ANYTHING) || token.is_any(SAID))
}

/// Whether a condition has somebody do something: `before we upgraded it`.
pub(super) fn has_subject(tokens: &[Token]) -> bool {
    let first = tokens.iter().find(|token| token.is_word());
    first.is_some_and(|first| {
        contracted(first).is_some() && !first.is_any(&["this", "that", "these", "those"])
    })
}

#[cfg(test)]
mod tests {
    use super::super::token::scan;
    use super::*;

    #[track_caller]
    fn check(expected: Mood, clauses: &[&str]) {
        for clause in clauses {
            assert_eq!(mood(&scan(clause)), expected, "{clause}");
        }
    }

    #[test]
    fn what_begins_with_a_verb_asks() {
        check(
            Mood::Asks,
            &[
                "fix the parser",
                "please also add a flag",
                "so write the tests",
                "we need rate limiting",
                "I'd like a design document",
                "can you look at it",
                "we should write the tests first",
                "you have to add a test",
                "we'll need a migration",
                "check the tests are green",
                "test that it works",
                "search the logs for it",
                "update the docs that are wrong",
            ],
        );
    }

    #[test]
    fn what_was_is_or_others_do_is_told() {
        check(
            Mood::Tells,
            &[
                "we use cobra for the command parsing",
                "I tested it in Firefox",
                "the docs say it should scale",
                "it used to work before the upgrade",
                "we'll write that ourselves",
                "I can test it myself",
                "existing tests must keep passing",
                "it should stay streaming",
                "it should be fast",
                "the nightly job that reads the stations fails silently",
                "users complain that search is slow",
                "search is slow",
                "test coverage is low",
                "our security team reviewed the code last week",
                "the ops team will deploy it",
                "we've outgrown the setup",
                "a customer reported a crash",
                "there is a bug in the pager",
                "keep it boring",
                "report only",
                "thanks a lot",
                "nothing else should change",
                "you can skip the rest",
            ],
        );
    }

    #[test]
    fn what_is_needed_may_be_asked_for() {
        check(
            Mood::MayAsk,
            &[
                "our provider needs a data source",
                "acceptance tests should cover the empty zone",
                "the registry docs need an example",
                "the library must not be implemented until the interface is designed",
                "tests can be written in parallel",
                "the migration guide is written last",
                "the release notes come last",
                "the resolver has to be implemented",
                "it must be documented, too",
                "I hope somebody adds tests",
                "the search is broken so fix it",
                "tests go to tests/cli",
                "also the link is broken",
            ],
        );
    }

    #[test]
    fn what_has_no_verb_of_its_own_names() {
        check(
            Mood::Names,
            &[
                "unit tests for the parser",
                "a page that shows the orders",
                "docs",
                "dark mode",
                "when the tests fail",
                "tooltip component",
            ],
        );
    }
}
