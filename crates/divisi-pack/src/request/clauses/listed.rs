//! What is said of all items of a list: before it, `Add to src/calc.py:`, and behind it, `Each with
//! tests`.

use super::super::roles::{self, Standing};
use super::super::sentence::Sentence;
use super::super::statement::{self, Mood};
use super::super::token::{Kind, Token};
use super::super::verbs::{Verb, verb};
use super::super::{File, PARTS_MAX, Shape};
use super::{Reader, criterion};

/// What stands before a list.
#[derive(Default)]
pub(super) struct Listed {
    verb: Option<Verb>,
    files: Vec<File>,
    /// Whether it is itself what is to be done, and the items only say of what.
    pub(super) is_of_what: bool,
}

/// Before a file, these say that the items lie there.
const PLACING: &[&str] = &["file", "in", "inside", "into", "to", "within"];

/// A heading with one of these only refers to its files.
const REFERRING: &[&str] = &[
    "according",
    "as",
    "based",
    "described",
    "following",
    "from",
    "like",
    "listed",
    "per",
    "see",
];

/// Words that are said of all items, before what each of them has.
const OF_ALL: &[&str] = &[
    "all", "both", "each", "every", "item", "items", "of", "one", "them", "these", "those",
];

/// The same as verbs, the last of which what they have follows.
const HAVING: &[&str] = &[
    "be", "come", "comes", "done", "get", "gets", "has", "have", "must", "need", "needs", "shall",
    "should", "to", "with",
];

/// So many sentences of a request are given to all items; others are told.
const SAID_OF_ALL_MAX: u32 = 8;

impl Reader<'_> {
    /// Keeps what a heading says of the items below it: its verb, and the files in which they lie.
    pub(super) fn begin_list(&mut self, first_part: usize, (from, to): (usize, usize)) {
        let tokens = &self.tokens[from..to];
        if tokens.iter().any(|it| it.is_any(REFERRING)) {
            return;
        }
        let is_path = |at: usize| tokens[at].kind == Kind::Path;
        let is_place = |at: usize| {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            let joins = before.is_some_and(|it| it.is_mark(',') || it.is_any(&["and", "or"]));
            before.is_none_or(|it| it.is_any(PLACING) || verb(&it.lower).is_some())
                || joins && at > 1 && is_path(at - 2)
        };
        let paths: Vec<usize> = (0..tokens.len()).filter(|&at| is_path(at)).collect();
        if !paths.iter().all(|&at| is_place(at)) {
            return;
        }
        let file = |at: usize| File {
            span: tokens[at].span,
            text: self.text[tokens[at].span.start..tokens[at].span.end].to_owned(),
            standing: Standing::Place,
            is_direct: false,
        };
        self.listed.files = paths.into_iter().map(file).collect();
        let heading = self.request.parts.get(first_part);
        self.listed.verb = heading.and_then(|part| part.verb.clone());
    }

    /// An item of a list lies where the heading says, if it names neither files nor somebody's work of
    /// its own, and it is what the heading's verb is about, if it has none.
    pub(super) fn of_list(&mut self, at: usize) {
        let part = &mut self.request.parts[at];
        let is_own = !part.files.is_empty() || part.role != roles::DEVELOPER;
        if is_own || self.listed.files.is_empty() {
            return;
        }
        part.files.clone_from(&self.listed.files);
        if part.verb.is_none() {
            part.verb.clone_from(&self.listed.verb);
        }
    }

    /// A list of nothing but criteria has no work: what stands before it is that.
    pub(super) fn without_list(&self, sentences: &mut [Sentence]) {
        let is_criterion = |it: &Sentence| criterion::is_criterion(self.tokens, *it);
        for at in 0..sentences.len() {
            let items = sentences[at + 1..]
                .iter()
                .take_while(|it| it.item.is_some());
            if sentences[at].is_before_list && items.clone().all(is_criterion) {
                sentences[at].is_before_list = false;
            }
        }
    }

    /// Whether an item is a criterion, which is kept: it is in no part. It is told, unless it stands in a
    /// section of what is.
    pub(super) fn is_criterion(&mut self, sentence: Sentence, is_open: bool) -> bool {
        let Sentence { from, to, .. } = sentence;
        let is_one = sentence.item.is_some()
            && !self.sections.is_excluded()
            && criterion::is_criterion(self.tokens, sentence);
        if is_one && self.request.criteria.len() < PARTS_MAX {
            self.request.criteria.push(self.phrase(from, to));
            self.told.extend(is_open.then_some((from, to)));
        }
        is_one
    }

    /// Whether a sentence says what each item of the list before it has: then each has it. Whose work
    /// an item is does not change by it.
    pub(super) fn is_of_all_items(&mut self, (from, to): (usize, usize)) -> bool {
        let tokens = &self.tokens[from..to];
        let count = |words: &[&str], from: usize| {
            let rest = tokens[from..].iter();
            rest.take_while(|it| it.is_any(words)).count()
        };
        let all = count(OF_ALL, 0);
        let begin = all + count(HAVING, all);
        let items = self.request.parts.iter().rev();
        let is_item = |shape: Shape| matches!(shape, Shape::Item | Shape::Numbered);
        let items = items.take_while(|part| is_item(part.shape)).count();
        let has = tokens[..begin]
            .iter()
            .any(|it| it.is_any(&["get", "gets", "has", "have", "need", "needs", "with"]));
        let is_said = all > 0 && has && items > 1 && tokens[begin..].iter().any(Token::is_word);
        // `Each with tests, and update the docs` has more to do.
        let mut clauses = tokens[begin..].split(|it| !it.is_word() || it.is("and"));
        let asks = |clause: &[Token]| {
            statement::mood(clause) != Mood::Names && clause.iter().any(Token::is_word)
        };
        if !is_said || clauses.any(asks) || self.said_of_all == SAID_OF_ALL_MAX {
            return false;
        }
        self.said_of_all += 1;
        let more = self.phrase(from + begin, to).text;
        let (mentions, files) = self.named(from + begin, to, from + begin);
        let first = self.request.parts.len() - items;
        for part in &mut self.request.parts[first..] {
            part.text = format!("{}, with {more}", part.text);
            part.files.extend(files.iter().cloned());
            part.mentions
                .extend(mentions.iter().map(|it| roles::Mention {
                    standing: Standing::Aside,
                    ..it.clone()
                }));
        }
        true
    }
}
