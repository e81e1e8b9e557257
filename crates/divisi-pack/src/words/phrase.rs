//! Phrases of rules: how a sentence must read, word for word, from its first to its last.
//!
//! `(a|b c)` is one of several, `[a|b]` the same or nothing, `{slot}` what varies. Phrases are
//! expanded into all their plain sequences once, and these merged into a tree along which a
//! sentence is read. There is no part that takes "the rest", so nothing in a sentence is ever
//! passed over.

use std::collections::HashMap;
use std::rc::Rc;

use super::context::Context;
use super::rules::Rule;
use super::slot::{self, Candidate, Slot, Value};
use super::token::Token;
use super::why::Why;

/// One place of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Word(&'static str),
    Mark(char),
    Slot(Slot),
}

/// All plain sequences of a phrase.
///
/// # Panics
/// The phrase is malformed; a test reads the whole table.
fn sequences(phrase: &'static str) -> Vec<Vec<Item>> {
    let (sequences, rest) = alternatives(phrase);
    assert!(
        rest.is_empty(),
        "the phrase `{phrase}` has an unopened end: {rest}"
    );
    sequences
}

/// Reads alternatives up to the end of the text or of the group; returns what follows.
fn alternatives(text: &'static str) -> (Vec<Vec<Item>>, &'static str) {
    let mut all = Vec::new();
    let mut open: Vec<Vec<Item>> = vec![Vec::new()];
    let mut rest = text.trim_start();
    loop {
        let Some(first) = rest.chars().next() else {
            all.extend(open);
            return (all, rest);
        };
        match first {
            ')' | ']' => {
                all.extend(open);
                return (all, rest);
            }
            '|' => {
                all.extend(std::mem::replace(&mut open, vec![Vec::new()]));
                rest = &rest[1..];
            }
            '(' | '[' => {
                let (mut group, after) = alternatives(&rest[1..]);
                let end = if first == '(' { ')' } else { ']' };
                rest = after.strip_prefix(end).expect("a phrase's group is closed");
                if first == '[' {
                    group.push(Vec::new());
                }
                open = product(&open, &group);
            }
            _ => {
                let (item, after) = item(rest);
                open.iter_mut().for_each(|sequence| sequence.push(item));
                rest = after;
            }
        }
        rest = rest.trim_start();
    }
}

fn product(before: &[Vec<Item>], group: &[Vec<Item>]) -> Vec<Vec<Item>> {
    let joined = |a: &Vec<Item>| {
        let a = a.clone();
        group.iter().map(move |b| [a.as_slice(), b].concat())
    };
    before.iter().flat_map(joined).collect()
}

fn item(text: &'static str) -> (Item, &'static str) {
    if let Some(inside) = text.strip_prefix('{') {
        let (name, rest) = inside.split_once('}').expect("a phrase's slot is closed");
        return (Item::Slot(Slot::named(name)), rest);
    }
    let is_word = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '\'');
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    if end == 0 {
        let mark = text.chars().next().expect("an item is not empty");
        return (Item::Mark(mark), &text[mark.len_utf8()..]);
    }
    (Item::Word(&text[..end]), &text[end..])
}

/// Sequences that begin alike, merged.
#[derive(Default)]
pub(super) struct Node {
    /// The rules of which a sequence ends here.
    rules: Vec<&'static Rule>,
    next: Vec<(Item, Node)>,
}

impl Node {
    /// The tree of all phrases of all rules.
    pub(super) fn of(rules: &'static [Rule]) -> Node {
        let mut root = Node::default();
        for rule in rules {
            for phrase in rule.phrases {
                sequences(phrase)
                    .iter()
                    .for_each(|sequence| root.add(sequence, rule));
            }
        }
        root
    }

    fn add(&mut self, sequence: &[Item], rule: &'static Rule) {
        let Some((first, rest)) = sequence.split_first() else {
            self.rules.push(rule);
            return;
        };
        let known = self.next.iter().position(|(item, _)| item == first);
        let at = known.unwrap_or_else(|| {
            self.next.push((*first, Node::default()));
            self.next.len() - 1
        });
        self.next[at].1.add(rest, rule);
    }
}

/// What the slots hold on the way to a place.
type Held = Vec<Result<Value, Why>>;

/// One way in which a whole sentence reads as a phrase of a rule.
pub(super) struct Reading {
    pub(super) rule: &'static Rule,
    pub(super) values: Result<Vec<Value>, Why>,
}

/// A sentence that is being read. What a slot may hold at a place is worked out once.
pub(super) struct Sentence<'s> {
    tokens: &'s [Token],
    context: &'s Context,
    known: HashMap<(Slot, usize), Rc<[Candidate]>>,
    found: Vec<Reading>,
}

impl<'s> Sentence<'s> {
    /// All ways in which the whole sentence reads as a phrase.
    pub(super) fn readings(
        tokens: &'s [Token],
        context: &'s Context,
        phrases: &Node,
    ) -> Vec<Reading> {
        let mut sentence = Sentence {
            tokens,
            context,
            known: HashMap::new(),
            found: Vec::new(),
        };
        sentence.read(phrases, 0, &mut Vec::new());
        sentence.found
    }

    fn read(&mut self, node: &Node, at: usize, held: &mut Held) {
        let Some(token) = self.tokens.get(at) else {
            let reading = |rule: &&'static Rule| Reading {
                rule,
                values: held.iter().cloned().collect(),
            };
            self.found.extend(node.rules.iter().map(reading));
            return;
        };
        for (item, next) in &node.next {
            match item {
                Item::Word(word) if token.is(word) => self.read(next, at + 1, held),
                Item::Mark(mark) if *token == Token::Mark(*mark) => self.read(next, at + 1, held),
                Item::Word(_) | Item::Mark(_) => {}
                Item::Slot(slot) => {
                    for (value, taken) in self.candidates(*slot, at).iter() {
                        held.push(value.clone());
                        self.read(next, at + taken, held);
                        held.pop();
                    }
                }
            }
        }
    }

    fn candidates(&mut self, slot: Slot, at: usize) -> Rc<[Candidate]> {
        let (tokens, context) = (&self.tokens[at..], self.context);
        let known = self.known.entry((slot, at));
        let found = known.or_insert_with(|| slot::candidates(slot, tokens, context).into());
        Rc::clone(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_expand_to_all_their_sequences() {
        let shown = |phrase: &'static str| -> Vec<String> {
            let words = |sequence: Vec<Item>| {
                let word = |item: Item| match item {
                    Item::Word(word) => word.to_owned(),
                    Item::Mark(mark) => mark.to_string(),
                    Item::Slot(slot) => format!("{slot:?}"),
                };
                sequence
                    .into_iter()
                    .map(word)
                    .collect::<Vec<String>>()
                    .join(" ")
            };
            sequences(phrase).into_iter().map(words).collect()
        };
        assert_eq!(shown("a b"), ["a b"]);
        assert_eq!(shown("(a|b c) d"), ["a d", "b c d"]);
        assert_eq!(shown("[a|b] : c"), ["a : c", "b : c", ": c"]);
        assert_eq!(shown("((a|b) c|d)"), ["a c", "b c", "d"]);
    }
}
