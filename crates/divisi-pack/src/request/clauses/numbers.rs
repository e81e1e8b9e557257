//! An order that is said by the numbers of a list: `Do 3 first, then 2, and 1 only when 2 is done`.

use std::collections::BTreeMap;

use super::super::order;
use super::super::token::{Kind, Token};
use super::Reader;

/// Words of which such a sentence consists, beside numbers.
const WORDS: &[&str] = &[
    "after",
    "afterwards",
    "and",
    "are",
    "at",
    "before",
    "begin",
    "comes",
    "do",
    "done",
    "end",
    "finally",
    "finished",
    "first",
    "goes",
    "in",
    "is",
    "item",
    "items",
    "last",
    "lastly",
    "next",
    "number",
    "numbers",
    "once",
    "only",
    "order",
    "please",
    "ready",
    "start",
    "step",
    "steps",
    "task",
    "tasks",
    "that",
    "the",
    "then",
    "this",
    "when",
    "with",
];

/// Words of which at least one says an order.
const OF_ORDER: &[&str] = &[
    "after",
    "afterwards",
    "before",
    "finally",
    "first",
    "last",
    "lastly",
    "next",
    "once",
    "order",
    "then",
    "when",
];

/// Words by which a sentence may say an order of numbers, or that one of them is not done yet or at
/// all, beside those.
const OF_SOME_ORDER: &[&str] = &[
    "begin", "defer", "delay", "drop", "earlier", "later", "omit", "postpone", "prior", "priority",
    "skip", "start", "until", "urgent", "wait", "waits", "yet",
];

/// Words that may stand behind the number of an item: of `3 retries` it is no item's.
const BEHIND: &[&str] = &[
    "as", "be", "because", "can", "cannot", "could", "for", "has", "if", "isn't", "may", "might",
    "must", "needs", "nor", "or", "should", "though", "too", "until", "waits", "while", "will",
    "yet",
];

/// The items of lists by their numbers, and the sentences that say an order of them.
#[derive(Default)]
pub(super) struct ByNumber {
    /// The part of each number; none, if several items have it.
    parts: BTreeMap<usize, Option<usize>>,
    /// By their tokens.
    pub(super) sentences: Vec<(usize, usize)>,
    /// Other sentences that may say one, by their tokens.
    doubtful: Vec<(usize, usize)>,
}

/// What a sentence says of numbers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// The first of two comes before the second.
    pairs: Vec<(usize, usize)>,
    firsts: Vec<usize>,
    lasts: Vec<usize>,
}

impl ByNumber {
    /// Keeps the number by which an item is marked.
    pub(super) fn add(&mut self, marker: &str, part: usize) {
        let digits: String = marker.chars().filter(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse() {
            let known = self.parts.entry(number);
            known.and_modify(|it| *it = None).or_insert(Some(part));
        }
    }

    /// Whether a sentence says nothing but an order of numbers.
    pub(super) fn is_said(&self, tokens: &[Token]) -> bool {
        let fits = |it: &Token| !it.is_word() || number(it).is_some() || it.is_any(WORDS);
        tokens.iter().any(|it| number(it).is_some())
            && tokens.iter().any(|it| it.is_any(OF_ORDER))
            && tokens.iter().all(fits)
    }

    /// Keeps a sentence that may say an order of numbers in words that are not known.
    pub(super) fn doubt(&mut self, tokens: &[Token], (from, to): (usize, usize)) {
        let says = |it: &Token| it.is_any(OF_ORDER) || it.is_any(OF_SOME_ORDER);
        let sentence = &tokens[from..to];
        if sentence.iter().any(says) && items(sentence).next().is_some() {
            self.doubtful.push((from, to));
        }
    }
}

impl Reader<'_> {
    /// The order that sentences say by the numbers of items. What is not understood of it may be
    /// any, so that nothing is divided.
    pub(super) fn settle_numbers(&mut self) {
        for (from, to) in std::mem::take(&mut self.by_number.sentences) {
            let said = said(&self.tokens[from..to]);
            let Some(said) = said.and_then(|it| self.of_parts(&it)) else {
                self.asking.push((from, to));
                continue;
            };
            for (before, then) in said.pairs {
                order::add(&mut self.request.parts, before, then);
            }
            self.firsts.extend(said.firsts);
            let count = self.request.parts.len();
            for last in said.lasts {
                for other in 0..count {
                    order::add(&mut self.request.parts, other, last);
                }
            }
            let phrase = self.phrase(from, to);
            self.request.order_words.push(phrase);
            self.told.push((from, to));
        }
        for (from, to) in std::mem::take(&mut self.by_number.doubtful) {
            let mut items = items(&self.tokens[from..to]);
            if items.any(|it| self.by_number.parts.contains_key(&it)) {
                self.asking.push((from, to));
            }
        }
    }

    /// The same of parts, if each number is one's.
    fn of_parts(&self, said: &Said) -> Option<Said> {
        let part = |number: &usize| self.by_number.parts.get(number).copied().flatten();
        let pair = |(before, then): &(usize, usize)| Some((part(before)?, part(then)?));
        Some(Said {
            pairs: said.pairs.iter().map(pair).collect::<Option<_>>()?,
            firsts: said.firsts.iter().map(part).collect::<Option<_>>()?,
            lasts: said.lasts.iter().map(part).collect::<Option<_>>()?,
        })
    }
}

/// `3` or `#3`.
fn number(token: &Token) -> Option<usize> {
    let digits = match token.kind {
        Kind::Number => &token.lower,
        Kind::Word => token.lower.strip_prefix('#')?,
        _ => return None,
    };
    digits.parse().ok()
}

/// Numbers that count nothing, so that they may be those of items.
fn items(tokens: &[Token]) -> impl Iterator<Item = usize> + '_ {
    let may_follow = |it: &Token| !it.is_word() || it.is_any(WORDS) || it.is_any(BEHIND);
    let is_alone = move |at: usize| tokens.get(at + 1).is_none_or(may_follow);
    let numbers = tokens.iter().enumerate();
    numbers.filter_map(move |(at, it)| number(it).filter(|_| is_alone(at)))
}

/// What a sentence says of numbers, if all of it is understood.
fn said(tokens: &[Token]) -> Option<Said> {
    let is_break = |it: &Token| {
        matches!(it.kind, Kind::Mark(',' | ';' | ':') | Kind::Line) || it.is_any(&["next", "then"])
    };
    let is_listed = tokens.iter().any(|it| it.is("order"));
    let mut said = Said::default();
    let mut previous: Vec<usize> = Vec::new();
    let mut from = 0;
    let mut is_then = false;
    for at in 0..=tokens.len() {
        if tokens.get(at).is_some_and(|it| !is_break(it)) {
            continue;
        }
        let clause = &tokens[from..at];
        if clause.iter().any(|it| number(it).is_some()) {
            previous = of_clause(&mut said, clause, &previous, is_then || is_listed)?;
            is_then = false;
        }
        is_then |= tokens
            .get(at)
            .is_some_and(|it| it.is_any(&["next", "then"]));
        from = at + 1;
    }
    Some(said)
}

/// What one clause says, and of which numbers.
fn of_clause(
    said: &mut Said,
    clause: &[Token],
    previous: &[usize],
    is_then: bool,
) -> Option<Vec<usize>> {
    const AFTER: &[&str] = &["after", "once", "when"];
    let is_relation = |it: &Token| it.is("before") || it.is_any(AFTER);
    let has = |words: &[&str]| clause.iter().any(|it| it.is_any(words));
    let relations = clause.iter().filter(|it| is_relation(it)).count();
    let middle = clause.iter().position(is_relation);
    let (own, other) = clause.split_at(middle.unwrap_or(clause.len()));
    let numbers = |tokens: &[Token]| tokens.iter().filter_map(number).collect::<Vec<usize>>();
    let (own, other) = (numbers(own), numbers(other));
    if own.is_empty() || relations > 1 || relations == 1 && other.is_empty() {
        return None;
    }
    let is_before = has(&["before"]);
    for &one in &own {
        said.pairs
            .extend(other.iter().map(|&other| match is_before {
                true => (one, other),
                false => (other, one),
            }));
    }
    let ends = has(&["end", "finally", "last", "lastly"]);
    match () {
        () if has(&["first"]) => said.firsts.extend(&own),
        () if ends => said.lasts.extend(&own),
        () if relations == 1 => {}
        () if previous.is_empty() => {}
        () if is_then || has(&["afterwards"]) => {
            for &one in &own {
                said.pairs
                    .extend(previous.iter().map(|&before| (before, one)));
            }
        }
        () => return None,
    }
    Some(own)
}

#[cfg(test)]
mod tests {
    use super::super::super::token::scan;
    use super::*;

    #[test]
    fn an_order_is_said_by_numbers() {
        for (text, pairs, firsts, lasts) in [
            (
                "Do 3 first, then 2, and 1 only when 2 is done",
                &[(3, 2), (2, 1)][..],
                &[3][..],
                &[][..],
            ),
            ("1 after 2, 4 before 3", &[(2, 1), (4, 3)], &[], &[]),
            ("In this order: 2, 3, 1", &[(2, 3), (3, 1)], &[], &[]),
            ("Start with 2 and 3, then do 1", &[(2, 1), (3, 1)], &[], &[]),
            ("Do 1 last", &[], &[], &[1]),
        ] {
            let expected = Said {
                pairs: pairs.to_vec(),
                firsts: firsts.to_vec(),
                lasts: lasts.to_vec(),
            };
            assert_eq!(said(&scan(text)), Some(expected), "{text}");
        }
    }

    #[test]
    fn numbers_that_count_are_no_items() {
        for (text, expected) in [
            ("Do #3 first", &[3][..]),
            ("2 can wait until 3 is done", &[2, 3]),
            ("After 3 retries it first gives up", &[]),
            ("Then wait 20 ms", &[]),
        ] {
            let tokens = scan(text);
            assert_eq!(items(&tokens).collect::<Vec<usize>>(), expected, "{text}");
        }
    }

    #[test]
    fn what_says_no_order_wholly_is_not_understood() {
        for text in [
            "Do 3 first, 2",
            "after 2 is done then 1",
            "1 after 2 before 3",
        ] {
            assert_eq!(said(&scan(text)), None, "{text}");
        }
    }
}
