//! Objects that a clause has beside its first one: what stands behind a colon and only says for what the
//! one thing is done, the next file that is made, and pieces of a document that is written.

use super::super::roles::{self, Standing};
use super::super::sentence::Segment;
use super::super::token::{Kind, Token};
use super::super::verbs::{Change, Form, Verb, is_also_noun, verb};
use super::Reader;

/// Before what a list is of, these hang it on what stands before: `an entry for each of these`.
const BEFORE: &[&str] = &["about", "covering", "describing", "for", "in", "of", "on"];

/// What stands for a list that follows.
const LIST: &[&str] = &["following", "these", "those"];

/// Words around that.
const AROUND: &[&str] = &["all", "any", "both", "each", "every", "of", "the"];

/// Verbs whose object stands in a document afterwards.
const WRITING: &[&str] = &[
    "describe", "document", "explain", "include", "list", "mention", "note", "record",
];

/// So many words may say of what kind the listed things are: `for each of these new topics`.
const KIND_WORDS_MAX: usize = 3;

impl Reader<'_> {
    /// Takes the list from the segments behind a colon that only says of what the clause before it is, and
    /// gives it to that clause. Where the colon stands then.
    pub(super) fn without_what(
        &self,
        segments: &mut Vec<Segment>,
        (from, to): (usize, usize),
    ) -> Option<usize> {
        let colon = segments.iter().position(|it| it.lead.is_colon)?;
        let end = segments.get(colon.checked_sub(1)?)?.to;
        let asks = |it: &Segment| self.begins_with_verb(it.from, it.to);
        if !self.says_of_what((from, end)) || segments[colon..].iter().any(asks) {
            return None;
        }
        segments.truncate(colon);
        segments.last_mut()?.to = to;
        Some(end)
    }

    /// What of the parts stands behind a colon that only says of what they are is nobody's work.
    pub(super) fn set_aside(&mut self, first_part: usize, colon: Option<usize>) {
        let Some(colon) = colon.map(|at| self.tokens[at].span.start) else {
            return;
        };
        for part in &mut self.request.parts[first_part..] {
            for mention in &mut part.mentions {
                if mention.span.start > colon {
                    mention.standing = Standing::Aside;
                }
            }
            part.role = roles::role(part.verb.as_ref(), &part.mentions);
            part.domain = roles::domain_of(part.role);
        }
    }

    /// Whether a clause before a colon has all that it needs to be done, but of what it is: `add an entry
    /// to a.md for each of these`, `mention the following in a.md`.
    pub(super) fn says_of_what(&self, (from, to): (usize, usize)) -> bool {
        let words = self.tokens[from..to].iter().filter(|it| it.is_word());
        let words: Vec<&Token> = words.collect();
        let asks = |it: &&Token| verb(&it.lower).is_some_and(|(.., form)| form == Form::Base);
        let Some(verb_at) = words.iter().position(asks) else {
            return false;
        };
        let Some(list) = words.iter().rposition(|it| it.is_any(LIST)) else {
            return false;
        };
        let around = words[..list].iter().rev();
        let around = around
            .take_while(|it| it.is_any(AROUND) && !it.is("of"))
            .count();
        let before = (list - around).checked_sub(1);
        let of = before.filter(|&at| words[at].is("of") && at > 0 && words[at - 1].is_any(AROUND));
        let before = match of {
            // `For each of these`
            Some(of) => {
                let each = words[..of].iter().rev();
                (of - each.take_while(|it| it.is_any(AROUND)).count()).checked_sub(1)
            }
            None => before,
        };
        let is_written = words[verb_at].is_any(WRITING);
        let is_named = is_written && words.iter().any(|it| it.kind == Kind::Path);
        let is_last = words.len() - list <= KIND_WORDS_MAX + 1;
        let hangs = before.is_some_and(|at| words[at].is_any(BEFORE) && at > verb_at + 1);
        list > verb_at && (is_last && hangs || is_named)
    }

    /// Whether an item of a list only says of what that is done which stands before the list.
    pub(super) fn is_of_what(&self, (from, to): (usize, usize)) -> bool {
        self.listed.is_of_what && !self.begins_with_verb(from, to)
    }

    fn begins_with_verb(&self, from: usize, to: usize) -> bool {
        let mut words = self.tokens[from..to].iter().filter(|it| it.is_word());
        let first = words.next().filter(|it| it.kind == Kind::Word);
        let found = first.and_then(|it| verb(&it.lower));
        found.is_some_and(|(base, _, form)| {
            form == Form::Base && (!is_also_noun(base) || words.next().is_some())
        })
    }

    /// Whether a segment names one more file to be made, after those before it: `write a.md and b.md, and
    /// then an index c.md`; then with which verb.
    pub(super) fn makes_next(&self, segment: Segment, head: Option<usize>) -> Option<Verb> {
        let part = self.request.parts.get(head?)?;
        let made = part.verb.clone().filter(|it| it.change == Change::Add)?;
        let tokens = &self.tokens[segment.from..segment.to];
        let begins = tokens
            .first()?
            .is_any(&["a", "an", "another", "one", "the"]);
        let mut paths = tokens.iter().filter(|it| it.kind == Kind::Path);
        let is_other = |path: &Token| {
            let text = &self.text[path.span.start..path.span.end];
            part.files.iter().all(|file| file.text != text)
        };
        let is_next = segment.lead.is_then && !segment.lead.is_with && begins;
        (is_next && paths.next().is_some_and(is_other)).then_some(made)
    }

    /// Whether a segment adds something that only a document has to one that is written: `document it in
    /// a.md, add an example`.
    pub(super) fn is_piece_of(
        &self,
        segment: Segment,
        (at, _, change): (usize, &'static str, Change),
        head: Option<usize>,
    ) -> bool {
        let lead = segment.lead;
        let is_joined = (lead.is_and || lead.is_list) && !lead.is_then && !lead.is_colon;
        let is_timed = lead.is_before || lead.is_after || lead.is_first || lead.is_last;
        let part = head.and_then(|head| self.request.parts.get(head));
        let is_written = part.is_some_and(|it| it.role == "tech_writer" && !it.files.is_empty());
        let object = Segment {
            from: at + 1,
            ..segment
        };
        let mut tokens = self.tokens[segment.from..segment.to].iter();
        change == Change::Add
            && is_joined
            && !is_timed
            && is_written
            && self.is_piece_of_text(object)
            && !tokens.any(|it| it.kind == Kind::Path)
    }
}
