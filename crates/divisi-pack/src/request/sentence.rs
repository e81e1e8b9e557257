//! Where sentences and items of lists begin and end, and into which segments a sentence falls.

mod phrases;

use phrases::{caused, compound};

use super::clauses::is_approved;
use super::order;
use super::token::{Kind, Token};
use super::verbs::{Aim, Form, is_also_noun, verb};

/// A sentence with more tokens is taken for several, so that work on one is bounded.
const SENTENCE_TOKENS_MAX: usize = 400;

/// A sentence, a step or an item, by its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether it is an item of a list, and of one with numbers.
    pub(super) item: Option<Item>,
    /// Whether a list follows.
    pub(super) is_before_list: bool,
    pub(super) standing: Standing,
}

/// What a sentence is beside what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Plain,
    Heading,
    /// An item that only says of what those below it are: `- docs`, with items of its own.
    Group,
    /// An item of a group.
    Grouped,
    /// It is what somebody else said.
    Quoted,
}

/// The name of a group of items has at most so many words.
const GROUP_WORDS_MAX: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Bullet,
    Number,
}

/// Words after which a full stop does not end a sentence.
const SHORT: &[&str] = &[
    "approx", "cf", "e.g", "eg", "etc", "i.e", "ie", "incl", "resp", "vs",
];

/// Whether a word is shortened, so that a full stop behind it ends no sentence.
pub(super) fn is_short(token: &Token) -> bool {
    token.is_any(SHORT)
}

/// The sentences of a request. A single item is no list: it is read as prose.
pub(super) fn sentences(tokens: &[Token], text: &str) -> Vec<Sentence> {
    let is_top = |token: &&Token| matches!(token.kind, Kind::Item { nested: false, .. });
    let is_list = tokens.iter().filter(is_top).count() > 1;
    let mut found: Vec<Sentence> = Vec::new();
    let mut item = None;
    let mut from = 0;
    let mut standing = Standing::Plain;
    let push = |found: &mut Vec<Sentence>, (from, to), item, standing| {
        push(found, tokens, (from, to), item, standing);
    };
    for at in 0..=tokens.len() {
        let Some(token) = tokens.get(at) else {
            push(&mut found, (from, at), item, standing);
            break;
        };
        match token.kind {
            Kind::Item { nested: true, .. } if item.is_some() => {
                let begins = standing == Standing::Plain && names_group(&tokens[from..at]);
                if begins || standing == Standing::Grouped {
                    let own = if begins { Standing::Group } else { standing };
                    push(&mut found, (from, at), item, own);
                    standing = Standing::Grouped;
                    from = at + 1;
                }
            }
            Kind::Heading | Kind::Quote => {
                push(&mut found, (from, at), item, standing);
                standing = match token.kind {
                    Kind::Quote => Standing::Quoted,
                    _ => Standing::Heading,
                };
                item = None;
                from = at + 1;
            }
            Kind::Item { numbered, .. } => {
                push(&mut found, (from, at), item, standing);
                standing = Standing::Plain;
                let kind = if numbered { Item::Number } else { Item::Bullet };
                if is_list
                    && item.is_none()
                    && let Some(before) = found.last_mut()
                {
                    before.is_before_list = true;
                }
                item = is_list.then_some(kind);
                from = at + 1;
            }
            Kind::Blank => {
                let goes_on = item.is_some() && is_nested_next(tokens, at);
                if !goes_on {
                    push(&mut found, (from, at), item, standing);
                    standing = Standing::Plain;
                    from = at + 1;
                    if !is_item_next(tokens, at) {
                        item = None;
                    }
                }
            }
            Kind::Line if item.is_some() && leaves_item(tokens, (from, at), text) => {
                push(&mut found, (from, at), item, standing);
                standing = Standing::Plain;
                item = None;
                from = at + 1;
            }
            Kind::Line if item.is_some() => {}
            Kind::Line if begins_anew(tokens, at, text) => {
                push(&mut found, (from, at), item, standing);
                from = at + 1;
            }
            Kind::Mark('.' | '!' | '?' | ';') if item.is_none() && !token.is_aside => {
                let before = at.checked_sub(1).map(|before| &tokens[before]);
                if !before.is_some_and(is_short) {
                    push(&mut found, (from, at), item, standing);
                    from = at + 1;
                }
            }
            _ if item.is_none() && at - from >= SENTENCE_TOKENS_MAX => {
                push(&mut found, (from, at), item, standing);
                from = at;
            }
            _ => {}
        }
    }
    found
}

fn push(
    found: &mut Vec<Sentence>,
    tokens: &[Token],
    (from, to): (usize, usize),
    item: Option<Item>,
    standing: Standing,
) {
    let to = to.min(from + SENTENCE_TOKENS_MAX);
    if from < to && tokens[from..to].iter().any(Token::is_word) {
        found.push(Sentence {
            from,
            to,
            item,
            is_before_list: false,
            standing,
        });
    }
}

/// Whether an item only names what the items below it are of.
fn names_group(item: &[Token]) -> bool {
    let words = item.iter().filter(|token| token.is_word());
    let asks = |token: &Token| {
        verb(&token.lower).is_some_and(|(base, _, form)| form == Form::Base && !is_also_noun(base))
    };
    let count = words.clone().count();
    (1..=GROUP_WORDS_MAX).contains(&count)
        && !words.clone().next().is_some_and(asks)
        && !item.iter().any(|token| token.kind == Kind::Path)
}

fn next_kind(tokens: &[Token], at: usize) -> Option<Kind> {
    let mut rest = tokens.get(at + 1..).unwrap_or_default().iter();
    rest.find(|token| token.kind != Kind::Blank && token.kind != Kind::Line)
        .map(|token| token.kind)
}

fn is_nested_next(tokens: &[Token], at: usize) -> bool {
    matches!(next_kind(tokens, at), Some(Kind::Item { nested: true, .. }))
}

fn is_item_next(tokens: &[Token], at: usize) -> bool {
    matches!(next_kind(tokens, at), Some(Kind::Item { .. }))
}

/// A line of so many characters may be broken because it is full; a shorter one ends where it ends.
const FULL_LINE_CHARS: usize = 60;

/// Words with which a sentence begins, also in lower case, that is of all items or of none.
const OF_ALL_ITEMS: &[&[&str]] = &[
    &["all", "of"],
    &["all", "must"],
    &["all", "need"],
    &["all", "should"],
    &["all", "with"],
    &["both", "need"],
    &["both", "with"],
    &["do", "not"],
    &["don't"],
    &["each", "must"],
    &["each", "needs"],
    &["each", "of"],
    &["each", "should"],
    &["each", "with"],
    &["every", "one"],
];

/// Whether the line after this one is no more of the item: it stands no deeper than the item's
/// marker and begins a sentence. Whoever breaks a full line goes on as it comes, capital or not.
fn leaves_item(tokens: &[Token], (from, at): (usize, usize), text: &str) -> bool {
    let rest = tokens.get(at + 1..).unwrap_or_default();
    let (Some(next), Some(item)) = (rest.first(), from.checked_sub(1)) else {
        return false;
    };
    let line = |place: usize| text[..place].rfind('\n').map_or(0, |end| end + 1);
    let indent = |place: usize| {
        let line = &text[line(place)..];
        line.len() - line.trim_start_matches([' ', '\t']).len()
    };
    if !next.is_word() || indent(next.span.start) > indent(tokens[item].span.start) {
        return false;
    }
    let end = tokens[at].span.start;
    let is_full = text[line(end)..end].chars().count() >= FULL_LINE_CHARS;
    let is_ended = matches!(tokens[at - 1].kind, Kind::Mark('.' | '!' | '?'));
    let begins = |words: &&[&str]| {
        words.len() <= rest.len() && words.iter().zip(rest).all(|(word, it)| it.is(word))
    };
    let is_of_all = OF_ALL_ITEMS.iter().any(begins);
    let mut head = rest.iter().take(LABEL_WORDS_MAX + 1);
    let is_label = head.any(|token| token.is_mark(':'));
    let is_capital = begins_anew(tokens, at, text);
    let is_cut = is_full && !is_ended;
    !is_cut && (is_capital || is_of_all) || is_capital && (is_of_all || is_label)
}

/// The label of a line has at most so many words.
const LABEL_WORDS_MAX: usize = 2;

/// Whether the line after this one begins a sentence: with a capital letter.
fn begins_anew(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at + 1).is_some_and(|next| {
        let first = text[next.span.start..].chars().next();
        first.is_some_and(char::is_uppercase)
    })
}

/// What joins a segment to what stands before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lead {
    pub(super) is_list: bool,
    pub(super) is_and: bool,
    pub(super) is_with: bool,
    pub(super) is_colon: bool,
    /// `then`, `next`, `followed by`.
    pub(super) is_then: bool,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    pub(super) is_beside: bool,
    /// `before …`: what was said comes before this.
    pub(super) is_before: bool,
    /// `after …`, `once …`: this comes before what was said, or will be.
    pub(super) is_after: bool,
}

/// A segment of a sentence, without what joins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) lead: Lead,
}

/// After these, `with` says what is wrong, not what shall be beside.
const BEFORE_WITH: &[&str] = &[
    "bug",
    "bugs",
    "compatible",
    "conflict",
    "conflicts",
    "consistent",
    "deal",
    "error",
    "errors",
    "inconsistent",
    "issue",
    "issues",
    "problem",
    "problems",
    "starts",
    "trouble",
    "work",
    "works",
];

/// The segments between two tokens, and the words that say an order, by their tokens.
pub(super) fn segments(
    tokens: &[Token],
    (from, to): (usize, usize),
) -> (Vec<Segment>, Vec<(usize, usize)>) {
    let mut segments: Vec<Segment> = Vec::new();
    let mut order_words = Vec::new();
    let mut lead = Lead::default();
    let mut begin = from;
    let mut at = from;
    while at < to {
        let is_start = begin == at;
        let joint = joins(&tokens[at..to], is_start, from < at);
        match joint.filter(|it| !is_of_phrase(it.words, &tokens[begin..to], at - begin)) {
            Some(joint) => {
                if begin < at {
                    segments.push(Segment {
                        from: begin,
                        to: at,
                        lead,
                    });
                    lead = Lead::default();
                }
                let is_wrong = at > from && tokens[at - 1].is_any(BEFORE_WITH);
                let mut own = lead;
                (joint.sets)(&mut own);
                own.is_with &= !is_wrong;
                let is_trailing = own.is_beside && !own.is_with && !lead.is_beside && begin < at;
                match segments.last_mut().filter(|_| is_trailing) {
                    // `build both in parallel`: said of what stands before.
                    Some(last) => last.lead.is_beside = true,
                    None => lead = own,
                }
                let length = joint.words.len();
                if joint.says_order {
                    order_words.push((at, at + length));
                }
                at += length;
                begin = at;
            }
            None => at += 1,
        }
    }
    if begin < to {
        segments.push(Segment {
            from: begin,
            to,
            lead,
        });
    } else if lead.is_beside || lead.is_first || lead.is_last {
        // Said at the end of the sentence: of the segment before.
        if let Some(last) = segments.last_mut() {
            last.lead.is_beside |= lead.is_beside;
            last.lead.is_first |= lead.is_first;
            last.lead.is_last |= lead.is_last;
        }
    }
    (segments, order_words)
}

/// Whether words belong to a phrase that has begun: `between a and b`, `start with the docs`.
fn is_of_phrase(words: &[&str], tokens: &[Token], at: usize) -> bool {
    let (before, behind) = tokens.split_at(at);
    let next = behind.get(words.len()).and_then(|it| verb(&it.lower));
    if next.is_some_and(|(base, _, form)| form == Form::Base && !is_also_noun(base)) {
        // `Fix the race between requests and add tests`
        return false;
    }
    let between = before.iter().rposition(|it| it.is("between"));
    let is_open = between.is_some_and(|at| !before[at..].iter().any(|it| it.is("and")));
    let starts = before
        .last()
        .is_some_and(|it| it.is_any(&["begin", "start"]));
    words == ["and"] && is_open || words == ["with"] && starts
}

/// A phrase that joins a segment to what stands before it.
struct Joint {
    words: &'static [&'static str],
    sets: fn(&mut Lead),
    says_order: bool,
    /// Whether it joins only at the beginning of a segment, and else is part of what is said.
    is_leading: bool,
}

const fn joint(words: &'static [&'static str], sets: fn(&mut Lead)) -> Joint {
    Joint {
        words,
        sets,
        says_order: false,
        is_leading: false,
    }
}

impl Joint {
    const fn in_order(self) -> Joint {
        Joint {
            says_order: true,
            ..self
        }
    }

    const fn leading(self) -> Joint {
        Joint {
            is_leading: true,
            ..self
        }
    }
}

fn beside_with(lead: &mut Lead) {
    lead.is_beside = true;
    lead.is_with = true;
}

/// The longer ones first.
const JOINTS: &[Joint] = &[
    joint(&["at", "the", "same", "time", "as"], beside_with).in_order(),
    joint(&["in", "parallel", "with"], beside_with).in_order(),
    joint(&["in", "parallel", "to"], beside_with).in_order(),
    joint(&["at", "the", "same", "time"], |lead| lead.is_beside = true).in_order(),
    joint(&["as", "soon", "as"], |lead| lead.is_after = true).in_order(),
    joint(&["once", "that", "is", "done"], |lead| lead.is_then = true)
        .in_order()
        .leading(),
    joint(&["as", "well", "as"], |lead| lead.is_with = true),
    joint(&["side", "by", "side"], |lead| lead.is_beside = true).in_order(),
    joint(&["at", "the", "end"], |lead| lead.is_last = true).in_order(),
    joint(&["only", "then"], |lead| lead.is_then = true).in_order(),
    joint(&["only", "after"], |lead| lead.is_after = true).in_order(),
    joint(&["only", "once"], |lead| lead.is_after = true).in_order(),
    joint(&["along", "with"], |lead| lead.is_with = true),
    joint(&["together", "with"], |lead| lead.is_with = true),
    joint(&["in", "addition"], |lead| lead.is_and = true),
    joint(&["followed", "by"], |lead| lead.is_then = true).in_order(),
    joint(&["in", "parallel"], |lead| lead.is_beside = true).in_order(),
    joint(&["after", "that"], |lead| lead.is_then = true)
        .in_order()
        .leading(),
    joint(&["after", "this"], |lead| lead.is_then = true)
        .in_order()
        .leading(),
    joint(&["before", "that"], |lead| lead.is_first = true)
        .in_order()
        .leading(),
    joint(&["before", "this"], |lead| lead.is_first = true)
        .in_order()
        .leading(),
    joint(&["beforehand"], |lead| lead.is_first = true)
        .in_order()
        .leading(),
    joint(&["and"], |lead| lead.is_and = true),
    joint(&["&"], |lead| lead.is_and = true),
    joint(&["plus"], |lead| lead.is_with = true),
    joint(&["+"], |lead| lead.is_with = true),
    joint(&["with"], |lead| lead.is_with = true),
    joint(&["w/"], |lead| lead.is_with = true),
    joint(&["including"], |lead| lead.is_with = true),
    joint(&["but"], |lead| lead.is_list = true),
    joint(&["then"], |lead| lead.is_then = true).in_order(),
    joint(&["afterwards"], |lead| lead.is_then = true).in_order(),
    joint(&["afterward"], |lead| lead.is_then = true).in_order(),
    joint(&["subsequently"], |lead| lead.is_then = true).in_order(),
    joint(&["before"], |lead| lead.is_before = true).in_order(),
    joint(&["after"], |lead| lead.is_after = true).in_order(),
    joint(&["once"], |lead| lead.is_after = true).in_order(),
    joint(&["next"], |lead| lead.is_then = true)
        .in_order()
        .leading(),
    joint(&["finally"], |lead| lead.is_last = true)
        .in_order()
        .leading(),
    joint(&["lastly"], |lead| lead.is_last = true)
        .in_order()
        .leading(),
    joint(&["last"], |lead| lead.is_last = true)
        .in_order()
        .leading(),
    joint(&["first"], |lead| lead.is_first = true)
        .in_order()
        .leading(),
    joint(&["firstly"], |lead| lead.is_first = true)
        .in_order()
        .leading(),
    joint(&["second"], |lead| lead.is_then = true)
        .in_order()
        .leading(),
    joint(&["secondly"], |lead| lead.is_then = true)
        .in_order()
        .leading(),
    joint(&["third"], |lead| lead.is_then = true)
        .in_order()
        .leading(),
    joint(&["thirdly"], |lead| lead.is_then = true)
        .in_order()
        .leading(),
    joint(&["concurrently"], |lead| lead.is_beside = true).in_order(),
    joint(&["simultaneously"], |lead| lead.is_beside = true).in_order(),
    joint(&["meanwhile"], |lead| lead.is_beside = true).in_order(),
    joint(&["also"], |lead| lead.is_and = true).leading(),
    joint(&["please"], |_| {}).leading(),
];

/// Words that stand at a segment's beginning and, said at its end, mean the same.
const TRAILING: &[&[&str]] = &[
    &["before", "that"],
    &["before", "this"],
    &["beforehand"],
    &["first"],
    &["last"],
];

/// `When you add it to a.js` asks for that as `once` does.
const WHEN: Joint = joint(&["when"], |lead| lead.is_after = true).in_order();

/// Whether behind `when` something is asked for: of who is asked, with a file in which it is done.
/// Without one, `you` may be anybody, as in `warn when you delete a label`.
fn asks_when(tokens: &[Token]) -> bool {
    let clause = tokens.iter().take_while(|it| it.is_word());
    let is_base = |it: &&Token| {
        it.kind == Kind::Word && verb(&it.lower).is_some_and(|(.., form)| form == Form::Base)
    };
    // `When you change a.rs` says of nothing what is to be changed.
    let is_mere = tokens
        .get(1)
        .is_some_and(|it| it.is_any(&["change", "edit", "modify"]));
    // Of `when you add it update a.md` the file is of the other verb.
    let mut object = clause.skip(2).take_while(|it| !is_base(it));
    does_work(tokens, &["you"]) && !is_mere && object.any(|it| it.kind == Kind::Path)
}

/// Whether some words have one of these persons change something.
pub(super) fn does_work(tokens: &[Token], persons: &[&str]) -> bool {
    let [who, does, ..] = tokens else {
        return false;
    };
    let aim = verb(&does.lower).filter(|(.., form)| *form == Form::Base);
    let aim = aim.map(|(_, change, _)| change.aim());
    let is_work = |aim| matches!(aim, Aim::Alteration | Aim::Tests | Aim::Documents);
    does.kind == Kind::Word && who.is_any(persons) && aim.is_some_and(is_work)
}

/// A line's end between words.
const LINE: Joint = joint(&["\n"], |_| {});
const COMMA: Joint = joint(&[","], |lead| lead.is_list = true);
const COLON: Joint = joint(&[":"], |lead| lead.is_colon = true);

/// The phrase that begins at the first of these tokens and joins, if one does.
fn joins(tokens: &[Token], is_start: bool, is_within: bool) -> Option<&'static Joint> {
    let first = tokens.first()?;
    if first.is_aside {
        return None;
    }
    match first.kind {
        Kind::Line => return is_start.then_some(&LINE),
        Kind::Mark(',') => return Some(&COMMA),
        Kind::Mark(':') => return Some(&COLON),
        Kind::Word => {}
        _ => return None,
    }
    let is_when = first.is_any(&["when", "whenever"]);
    let waits = |behind: &[Token]| order::is_done(behind) || is_approved(behind);
    if is_when && (asks_when(&tokens[1..]) || waits(&tokens[1..])) {
        return Some(&WHEN);
    }
    JOINTS.iter().find(|joint| {
        let words = joint.words;
        let fits = tokens.len() >= words.len()
            && words.iter().zip(tokens).all(|(word, token)| token.is(word));
        let ends = |behind: &[Token]| !behind.iter().any(Token::is_word);
        let is_last = fits && ends(&tokens[words.len()..]) && TRAILING.contains(&words);
        if !fits || joint.is_leading && !is_start && !is_last {
            return false;
        }
        // `next page` and `second attempt` are no words of order.
        let is_adjective = matches!(words[0], "last" | "second" | "third" | "next")
            && !is_last
            && !tokens.get(1).is_some_and(|next| {
                next.is_mark(',') || verb(&next.lower).is_some_and(|(.., form)| form == Form::Base)
            });
        let is_with = words
            .last()
            .is_some_and(|last| ["as", "to", "with"].contains(last));
        let is_with = is_with && words[0] != "as";
        !is_adjective && (is_within || !is_with)
    })
}

/// What stands before the verb of a polite request.
const PREFACE: &[&str] = &[
    "able",
    "be",
    "can",
    "could",
    "going",
    "have",
    "help",
    "i",
    "i'd",
    "it",
    "just",
    "kindly",
    "let",
    "let's",
    "lets",
    "like",
    "me",
    "must",
    "need",
    "needs",
    "now",
    "please",
    "shall",
    "should",
    "supposed",
    "to",
    "us",
    "want",
    "wants",
    "also",
    "so",
    "we",
    "we'd",
    "we'll",
    "we've",
    "will",
    "would",
    "you",
    "you'd",
    "actually",
    "really",
    "simply",
    "been",
    "i've",
    "pls",
    "plz",
    "they've",
    "u",
    "you've",
    "either",
    "automatically",
    "carefully",
    "gracefully",
    "properly",
    "quietly",
    "safely",
    "silently",
    "temporarily",
];

/// Whether a word may stand before the verb of a polite request.
pub(super) fn is_preface(token: &Token) -> bool {
    token.is_any(PREFACE)
}

/// How many of these words only lead in what is to be done all the same: `don't just`, `do not forget
/// to`, `be sure to`.
pub(super) fn leads_in(tokens: &[Token]) -> usize {
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|word| word.is_any(words));
    let negation = match () {
        () if is(0, &["don't", "dont", "never", "not"]) => 1,
        () if is(0, &["do"]) && is(1, &["not"]) => 2,
        () => 0,
    };
    let does = |token: &Token| {
        is_preface(token) || verb(&token.lower).is_some_and(|(.., form)| form == Form::Base)
    };
    let with_to = |length: usize| length + usize::from(is(length, &["to"]));
    match () {
        // `So write it`, but `so that it is written`.
        () if is(0, &["so"]) && tokens.get(1).is_some_and(does) => 1,
        () if negation > 0 && is(negation, &["just", "merely", "only", "simply"]) => negation + 1,
        () if negation > 0 && is(negation, &["forget"]) => with_to(negation + 1),
        () if is(0, &["be", "make"]) && is(1, &["sure"]) && is(2, &["to"]) => 3,
        () if is(0, &["remember"]) && is(1, &["to"]) => 2,
        () => 0,
    }
}

/// Where a segment's verb stands, and which it is.
pub(super) fn verb_at(
    tokens: &[Token],
    segment: Segment,
    begins: bool,
) -> Option<(usize, &'static str, super::Change)> {
    let words = &tokens[segment.from..segment.to];
    let polite = words.iter().take_while(|token| is_preface(token));
    let mut skipped = polite.count();
    let is_gerund = |token: &Token| verb(&token.lower).is_some_and(|it| it.2 == Form::Gerund);
    // `While adding it, …`
    let is_while = begins && words.get(skipped).is_some_and(|token| token.is("while"));
    skipped += usize::from(is_while && words.get(skipped + 1).is_some_and(is_gerund));
    let token = words.get(skipped)?;
    if begins || skipped > 0 || segment.lead.is_then {
        let special = compound(words, skipped).or_else(|| caused(words, skipped));
        if let Some((at, base, change)) = special {
            return Some((segment.from + at, base, change));
        }
    }
    let found = verb(&token.lower).filter(|_| token.kind == Kind::Word);
    let is_had = skipped > 1
        && words[skipped - 1].is("have")
        && words[..skipped]
            .iter()
            .any(|it| it.is_any(&["like", "need", "want"]));
    let wants = is_had
        || skipped > 0 && words[skipped - 1].is_any(&["need", "needs", "want", "wants", "like"]);
    let Some((base, change, form)) = found else {
        if let Some((at, base, change)) = wanted_done(&words[skipped..]).filter(|_| wants) {
            return Some((segment.from + skipped + at, base, change));
        }
        // `We need rate limiting`.
        let at = (segment.from + skipped).checked_sub(1).filter(|_| wants)?;
        return Some((at, "add", super::Change::Add));
    };
    // `Load test with 200 rooms` names one, and loads nothing.
    let work = super::roles::mention(&words[skipped..]);
    if super::verbs::names_its_object(base) && work.is_some_and(|(_, length)| length > 1) {
        return None;
    }
    let lead = segment.lead;
    let fits = match form {
        // `Note in the guide` is one, `note it in the guide` says to.
        Form::Base if base == "note" => has_object(&words[skipped + 1..]),
        Form::Base if begins || skipped > 0 || lead.is_colon => true,
        Form::Base if lead.is_then || lead.is_first || lead.is_last => true,
        Form::Base => !is_also_noun(base) || has_object(&words[skipped + 1..]),
        Form::Gerund => begins || lead.is_with || lead.is_before || lead.is_after,
        Form::Past => begins || lead.is_after,
        Form::Third => begins && !is_also_noun(base),
    };
    fits.then_some((segment.from + skipped, base, change))
}

/// `a preview deployed for each branch`: what is wanted is what is to be done with it, if that says
/// whose work it is.
fn wanted_done(words: &[Token]) -> Option<(usize, &'static str, super::Change)> {
    let done = |at: usize| {
        let token = words.get(at).filter(|it| it.kind == Kind::Word)?;
        let (base, change, form) = verb(&token.lower)?;
        let is_whose = matches!(change, super::Change::Deploy | super::Change::Document)
            || base == "audit"
            || base == "test";
        let ends = words.get(at + 1).is_none_or(|next| {
            !next.is_word()
                || next.is_any(&[
                    "after", "as", "at", "before", "by", "for", "from", "in", "on", "once", "to",
                    "too", "when",
                ])
        });
        (form == Form::Past && is_whose && ends).then_some((at, base, change))
    };
    (1..words.len().min(WANTED_WORDS_MAX)).find_map(done)
}

/// So far behind `want` it stands what is to be done, in tokens.
const WANTED_WORDS_MAX: usize = 8;

/// The verb of somebody's work that is said to be done with something: `audited`, `documented`.
pub(super) fn work_done(token: &Token) -> Option<(&'static str, super::Change)> {
    let (base, change, form) = verb(&token.lower).filter(|_| token.kind == Kind::Word)?;
    let is_work = matches!(
        change.aim(),
        Aim::Judgment | Aim::Tests | Aim::Documents | Aim::Use
    );
    (form == Form::Past && is_work).then_some((base, change))
}

/// Whether an object follows, or nothing: so a homonym is a verb.
fn has_object(rest: &[Token]) -> bool {
    let Some(next) = rest.first() else {
        return true;
    };
    let is_particle = next.is_any(&["down", "off", "out", "over", "up"]);
    is_particle && has_object(&rest[1..])
        || next.kind == Kind::Path
        || next.kind == Kind::Quoted
        || next.is_any(&[
            "a",
            "all",
            "an",
            "any",
            "both",
            "each",
            "every",
            "everything",
            "for",
            "how",
            "its",
            "it",
            "my",
            "our",
            "that",
            "the",
            "their",
            "them",
            "these",
            "this",
            "those",
            "what",
            "whether",
            "which",
            "your",
        ])
        || super::roles::mention(rest).is_some()
}
