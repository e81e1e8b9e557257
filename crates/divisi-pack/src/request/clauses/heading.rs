//! What stands apart from the parts: steps with arrows, the goal before a colon, a commit's prefix.

use super::super::sentence::{self, Segment};
use super::super::token::{Kind, Token};
use super::super::verbs::{Change, verb};
use super::super::{Part, Phrase, Shape, roles};
use super::{Reader, Stands};

/// A heading that says of which area a commit is has at most so many words.
const PREFIX_WORDS_MAX: usize = 2;

/// Prefixes by which commits say what they do, and the verb that each stands for.
const PREFIXES: &[(&str, &str, Change)] = &[
    ("bugfix", "fix", Change::Fix),
    ("build", "update", Change::Update),
    ("change", "change", Change::Update),
    ("chore", "update", Change::Update),
    ("ci", "update", Change::Update),
    ("deps", "update", Change::Update),
    ("doc", "document", Change::Document),
    ("docs", "document", Change::Document),
    ("documentation", "document", Change::Document),
    ("enhancement", "add", Change::Add),
    ("feat", "add", Change::Add),
    ("feature", "add", Change::Add),
    ("fix", "fix", Change::Fix),
    ("perf", "improve", Change::Update),
    ("refactor", "refactor", Change::Restructure),
    ("revert", "revert", Change::Remove),
    ("style", "format", Change::Update),
    ("test", "test", Change::Test),
    ("tests", "test", Change::Test),
];

impl Reader<'_> {
    /// Steps with arrows between them, if they are steps and not something that becomes another.
    pub(super) fn arrows(&mut self, pieces: &[(usize, usize)]) -> bool {
        let [(from, to)] = *pieces else {
            return false;
        };
        let tokens = &self.tokens[from..to];
        let is_arrow = |token: &&Token| token.kind == Kind::Arrow && !token.is_aside;
        let arrows = tokens.iter().filter(is_arrow).count();
        if arrows == 0 {
            return false;
        }
        let colon = tokens.iter().position(|token| token.is_mark(':'));
        let first_arrow = tokens.iter().position(|token| token.kind == Kind::Arrow);
        let head = colon.filter(|colon| first_arrow.is_some_and(|arrow| *colon < arrow));
        let begin = head.map_or(from, |colon| from + colon + 1);
        let mut steps = Vec::new();
        let mut start = begin;
        for at in begin..=to {
            let ends = at == to || self.tokens[at].kind == Kind::Arrow && !self.tokens[at].is_aside;
            if ends {
                if self.tokens[start..at].iter().any(Token::is_word) {
                    steps.push((start, at));
                }
                start = at + 1;
            }
        }
        let says_work = |&&(from, to): &&(usize, usize)| {
            let tokens = &self.tokens[from..to];
            let mut words = tokens.iter().filter(|token| token.is_word());
            words
                .next()
                .is_some_and(|token| verb(&token.lower).is_some())
                || (0..tokens.len()).any(|at| roles::mention(&tokens[at..]).is_some())
        };
        // `Rename the state a -> b` says what becomes of what.
        let first = steps.first().and_then(|step| self.tokens.get(step.0));
        let renames = first.is_some_and(|it| it.is("rename"));
        if steps.len() == 2 && renames {
            return false;
        }
        let working = steps.iter().filter(says_work).count();
        let are_steps = steps.len() > 1
            && if steps.len() > 2 {
                working * 2 >= steps.len()
            } else {
                working == steps.len()
            };
        if !are_steps {
            return false;
        }
        if let Some(colon) = head {
            self.request.goal = Some(self.phrase(from, from + colon));
        }
        for (number, &(from, to)) in steps.iter().enumerate() {
            let segment = Segment {
                from,
                to,
                lead: sentence::Lead::default(),
            };
            let found = sentence::verb_at(self.tokens, segment, true);
            self.push(
                from,
                to,
                Shape::Step,
                found.map(|found| self.verb(found)),
                &[(from, to)],
            );
            let at = self.request.parts.len() - 1;
            self.place(at, number > 0, segment.lead);
        }
        self.note_arrows(begin, to);
        true
    }

    pub(super) fn note_arrows(&mut self, from: usize, to: usize) {
        for token in &self.tokens[from..to] {
            if token.kind == Kind::Arrow {
                self.request.order_words.push(Phrase {
                    span: token.span,
                    text: self.text[token.span.start..token.span.end].to_owned(),
                });
            }
        }
    }

    /// What stands before a colon: the goal of what follows, or the prefix of a commit.
    pub(super) fn heading(
        &mut self,
        before: Option<&[Segment]>,
        first_part: usize,
        stands: Stands,
        (from, to): (usize, usize),
    ) {
        let ends_open = self.tokens[from..to]
            .iter()
            .rev()
            .find(|token| token.kind != Kind::Line)
            .is_some_and(|token| token.is_mark(':'));
        let is_part = self.request.parts.len() == first_part + 1;
        if stands == Stands::BeforeList && ends_open && is_part && self.says_of_what((from, to)) {
            self.listed.is_of_what = true;
            return;
        }
        if stands == Stands::BeforeList && ends_open {
            let says: Vec<&Token> = { self.tokens[from..to].iter() }
                .filter(|token| token.is_word())
                .collect();
            // `Please:` is no goal, and `Lobby:` is one.
            let names = |it: &Token| !sentence::is_preface(it) && verb(&it.lower).is_none();
            let is_name = says.iter().any(|it| names(it)) && !self.names_section((from, to));
            let is_goal = says.len() > 1 || is_name;
            self.request.goal = is_goal.then(|| self.phrase(from, to));
            self.begin_list(first_part, (from, to));
            self.drop_parts(first_part, usize::MAX);
            return;
        }
        let Some(before) = before.filter(|before| !before.is_empty()) else {
            return;
        };
        let end = before.last().map_or(from, |segment| segment.to);
        let head = self.span(from, end);
        let inside = |part: &Part| part.span.start < head.end;
        let of_head = self.request.parts[first_part..]
            .iter()
            .filter(|part| inside(part))
            .count();
        let behind = self.request.parts.len() - first_part - of_head;
        if behind > 1 {
            self.request.goal = Some(self.phrase(from, end));
            self.drop_parts(first_part, first_part + of_head);
        }
    }

    /// Whether the first sentence begins with a commit's prefix; then with which verb, if it says
    /// one. `Review: security, tests` begins with what is to be done instead.
    pub(super) fn prefix(
        &mut self,
        segments: &[Segment],
    ) -> Option<Option<(usize, &'static str, Change)>> {
        let [head, behind, ..] = segments else {
            return None;
        };
        let words = self.words(*head);
        // `Just a small fix: …`
        let is_small = |it: &&&Token| it.is_any(&["a", "just", "minor", "quick", "small", "tiny"]);
        let small = words.iter().take_while(is_small).count();
        let words = &words[small..];
        let is_first = self.request.sentences.len() == 1;
        if !is_first || !behind.lead.is_colon || words.len() > PREFIX_WORDS_MAX {
            return None;
        }
        let word = words
            .first()?
            .lower
            .split(['(', '!', '/'])
            .next()
            .unwrap_or_default();
        let kind = PREFIXES.iter().find(|(prefix, ..)| *prefix == word);
        if kind.is_none() && words.iter().any(|token| verb(&token.lower).is_some()) {
            return None;
        }
        self.request.prefix = Some(self.phrase(head.from, head.to));
        Some(kind.map(|(_, word, change)| (head.from, *word, *change)))
    }

    /// Takes parts back that turned out to be a heading.
    pub(super) fn drop_parts(&mut self, from: usize, to: usize) {
        let to = to.min(self.request.parts.len());
        if from >= to {
            return;
        }
        let count = to - from;
        self.request.parts.drain(from..to);
        let moved = |at: &mut usize| {
            if *at >= to {
                *at -= count;
            }
        };
        let gone = |at: usize| (from..to).contains(&at);
        for part in &mut self.request.parts {
            part.after.retain(|at| !gone(*at));
            part.after.iter_mut().for_each(moved);
        }
        for list in [&mut self.firsts, &mut self.lasts, &mut self.group_before] {
            list.retain(|at| !gone(*at));
            list.iter_mut().for_each(moved);
        }
        self.conditions.retain(|condition| !gone(condition.part));
        for condition in &mut self.conditions {
            moved(&mut condition.part);
        }
        self.group = if self.group >= to {
            self.group - count
        } else {
            self.group.min(from)
        };
    }
}
