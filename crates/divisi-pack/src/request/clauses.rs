//! From sentences to parts.
//!
//! A sentence falls into segments at commas, `and`, `with`, `then` and their like. A segment that
//! begins with a verb is a part; one that names another role's work hangs on the part before it; any
//! other only goes on with what was said. Sentences without anything to do are context.

mod approval;
mod criterion;
mod excluding;
mod heading;
mod item;
mod listed;
mod making;
mod numbers;
mod objects;
mod section;
mod telling;

pub(super) use approval::is_when as is_approved;
pub(crate) use section::is_label;

use listed::Listed;
use numbers::ByNumber;
use section::Sections;

use super::exclusion;
use super::sentence::{self, Item, Segment, Sentence};
use super::statement::Mood;
use super::token::Token;
use super::verbs::{Change, Verb};
use super::{Phrase, Request, Shape, Span, order, roles, statement};

/// A request that only forbids is taken for one part of at most so many words and marks.
const FORBIDDEN_TOKENS_MAX: usize = 100;

/// Reads one request.
pub(super) struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
    request: Request,
    /// Since which part `then` has not been said: those go side by side as far as the text says.
    group: usize,
    /// The parts before that.
    group_before: Vec<usize>,
    /// `once …` and `before …` that name no part of their own, to be resolved at the end.
    conditions: Vec<Condition>,
    firsts: Vec<usize>,
    lasts: Vec<usize>,
    /// The first sentence that asks for nothing, in case no other does.
    context: Option<(usize, usize)>,
    /// A condition at the beginning of a sentence, which holds for the part that follows.
    pending: Option<Pending>,
    /// What is read, though it is in no part, by its tokens: conditions that a part fulfills.
    read: Vec<(usize, usize)>,
    /// Parts that begin with a word which may be a verb that is not known, by their tokens.
    guessed: Vec<(usize, usize)>,
    /// Clauses that only tell something, by their tokens.
    told: Vec<(usize, usize)>,
    /// Clauses that may ask for something, by their tokens: in a part or in none.
    asking: Vec<(usize, usize)>,
    /// What may be a command of its own within a part, by its tokens.
    swallowed: Vec<(usize, usize)>,
    /// The heading of the list that is read.
    listed: Listed,
    /// A person's word that the next part waits for, by its tokens.
    waiting: Option<(usize, usize)>,
    /// Sentences that were given to all items of a list.
    said_of_all: u32,
    sections: Sections,
    by_number: ByNumber,
}

/// What was said to come before or after a part, by its tokens.
struct Condition {
    part: usize,
    words: (usize, usize),
    is_before: bool,
}

/// How a piece of prose stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Alone,
    BeforeList,
    /// Behind an exclusion, in the sentence of the parts before it.
    Behind,
}

/// Clauses that are said to come before or after one.
#[derive(Clone, Copy)]
struct Chain {
    anchor: Option<usize>,
    is_before: bool,
}

enum Pending {
    /// Of words that name no part of their own.
    Words((usize, usize), bool),
    /// Of parts.
    Parts(Vec<usize>, bool),
    /// Before anything else.
    First,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, tokens: &'t [Token]) -> Reader<'t> {
        Reader {
            text,
            tokens,
            request: Request {
                text: text.to_owned(),
                is_cut: false,
                left_out_bytes: 0,
                goal: None,
                prefix: None,
                sentences: Vec::new(),
                parts: Vec::new(),
                exclusions: Vec::new(),
                bounds: Vec::new(),
                approvals: Vec::new(),
                criteria: Vec::new(),
                loose: Vec::new(),
                files: Vec::new(),
                quantities: Vec::new(),
                systems: Vec::new(),
                order_words: Vec::new(),
                is_question: false,
            },
            group: 0,
            group_before: Vec::new(),
            conditions: Vec::new(),
            firsts: Vec::new(),
            lasts: Vec::new(),
            context: None,
            pending: None,
            read: Vec::new(),
            guessed: Vec::new(),
            told: Vec::new(),
            asking: Vec::new(),
            swallowed: Vec::new(),
            listed: Listed::default(),
            waiting: None,
            said_of_all: 0,
            sections: Sections::default(),
            by_number: ByNumber::default(),
        }
    }

    pub(super) fn read(mut self) -> Request {
        let mut sentences = sentence::sentences(self.tokens, self.text);
        self.without_list(&mut sentences);
        self.sections.is_listed = sentences.iter().any(|it| it.item.is_some());
        for sentence in sentences {
            self.request
                .sentences
                .push(self.span(sentence.from, sentence.to));
            self.sentence(sentence);
        }
        self.settle_sections();
        // Nothing waits for it.
        self.told.extend(self.waiting.take());
        if self.request.parts.is_empty() {
            self.without_parts();
        }
        self.settle_order();
        self.doubt_whose();
        self.title();
        self.leave_loose();
        self.request
    }

    /// What is in another language: one part that says nothing which is known, but its files, and
    /// which must stay.
    pub(super) fn read_unknown(mut self) -> Request {
        for sentence in sentence::sentences(self.tokens, self.text) {
            let span = self.span(sentence.from, sentence.to);
            self.request.sentences.push(span);
        }
        let to = self.tokens.len();
        let pieces = self.without_foreign();
        self.push(0, to, Shape::Clause, None, &pieces);
        for part in &mut self.request.parts {
            part.mentions.clear();
            part.role = roles::DEVELOPER;
            part.domain = roles::domain_of(part.role);
            for file in &mut part.files {
                (file.standing, file.is_direct) = (roles::Standing::Aside, false);
            }
        }
        self.request
    }

    fn span(&self, from: usize, to: usize) -> Span {
        let words = self.tokens[from..to].iter().filter(|token| token.is_word());
        let (mut start, mut end) = (usize::MAX, 0);
        for token in words {
            start = start.min(token.span.start);
            end = end.max(token.span.end);
        }
        Span {
            start: start.min(end),
            end,
        }
    }

    fn phrase(&self, from: usize, to: usize) -> Phrase {
        let span = self.span(from, to);
        let text = &self.text[span.start..span.end];
        // The end of a parenthesis may stand behind the last word, and behind the end of a quotation.
        let is_open = text.matches('(').count() > text.matches(')').count();
        let behind = &self.text[span.end..];
        let quote = usize::from(behind.starts_with(['"', '`', '\'']));
        let closes = is_open && behind[quote..].starts_with(')');
        let length = if closes { quote + 1 } else { 0 };
        Phrase {
            span,
            text: squeezed(&self.text[span.start..span.end + length]),
        }
    }

    fn sentence(&mut self, sentence: Sentence) {
        let Sentence { from, to, .. } = sentence;
        let read = self.in_section(sentence, (from, to));
        let is_prose = sentence.item.is_none() && sentence.standing != sentence::Standing::Heading;
        if is_prose && read.is_some() && self.by_number.is_said(&self.tokens[from..to]) {
            self.by_number.sentences.push((from, to));
            return;
        }
        if is_prose {
            self.by_number.doubt(self.tokens, (from, to));
        }
        if self.is_criterion(sentence, read.is_some()) {
            return;
        }
        let Some((from, to)) = read else {
            return;
        };
        if sentence.item.is_none() {
            self.listed = Listed::default();
        } else if self.is_done((from, to)) {
            self.told.push((from, to));
            return;
        }
        if is_prose && self.is_of_all_items((from, to)) {
            self.told.push((from, to));
            return;
        }
        if is_prose && self.is_after_approval((from, to)) {
            return;
        }
        let excluded = exclusion::exclusions(&self.tokens[from..to]);
        for one in &excluded {
            self.exclude(from + one.from, from + one.to, one.says);
        }
        let pieces = rest(from, to, excluded.iter().map(|it| (it.from, it.to)));
        let count = self.request.parts.len();
        if self.is_context(sentence, &pieces) {
            self.told.extend(&pieces);
            return;
        }
        match sentence.item {
            Some(item) => {
                self.item(&pieces, item, sentence.standing);
                if item == Item::Number && self.request.parts.len() > count {
                    self.by_number.add(self.marker(sentence.from), count);
                }
            }
            None if self.arrows(&pieces) => {}
            None => {
                for &(begin, end) in &pieces {
                    let before = self.request.parts.len();
                    let begin = match before > count {
                        true => begin,
                        false => self.without_when(from, begin, end),
                    };
                    let stands = match () {
                        () if before > count => Stands::Behind,
                        () if sentence.is_before_list => Stands::BeforeList,
                        () => Stands::Alone,
                    };
                    let told = self.told.len();
                    self.prose((begin, end), stands);
                    let is_part = self.request.parts.len() > before || self.told.len() > told;
                    if stands == Stands::Behind && !is_part {
                        self.append(begin, end);
                    }
                }
            }
        }
        if self.request.parts.len() == count && self.context.is_none() && !pieces.is_empty() {
            self.context = Some((from, to));
        }
    }

    /// A piece of prose: parts, attachments, conditions, or context.
    fn prose(&mut self, (from, to): (usize, usize), stands: Stands) {
        let (mut segments, order_words) = sentence::segments(self.tokens, (from, to));
        let first_part = self.request.parts.len();
        approval::cut(self.tokens, &mut segments);
        let prefix = self.prefix(&segments);
        if prefix.is_some() {
            segments.remove(0);
            segments[0].lead.is_colon = false;
        }
        let of_what = self.without_what(&mut segments, (from, to));
        let colon = segments.iter().position(|segment| segment.lead.is_colon);
        // What goes on behind an exclusion may hang on what stands before it.
        let mut head = first_part
            .checked_sub(1)
            .filter(|_| stands == Stands::Behind);
        let mut listed_from = head.unwrap_or(first_part);
        let mut is_with = false;
        let mut is_telling = false;
        let mut chain: Option<Chain> = None;
        let mut condition = None;
        for number in 0..segments.len() {
            self.skip_lead_in(&mut segments[number]);
            chain = chain.filter(|_| self.goes_on_in_time(segments[number]));
            if let Some(chain) = &chain {
                let lead = &mut segments[number].lead;
                (lead.is_before, lead.is_after) = (chain.is_before, !chain.is_before);
            }
            let segment = segments[number];
            if self.is_wait(&segments[number..=number]) {
                let before = self.waiting.replace((segment.from, segment.to));
                self.told.extend(before);
                continue;
            }
            self.doubt_condition(segment);
            if head.is_some() && self.is_condition_of_next(&segments[number..]) {
                condition = Some(segment.from);
                continue;
            }
            // `Audit it. Write your findings into audit.md.`
            let before = first_part.checked_sub(1).filter(|_| number == 0);
            let judged = head.or(before);
            if self.keeps_findings(segment, judged) {
                self.extend(segment);
                is_telling = false;
                continue;
            }
            let mood = match number == 0 && prefix.is_some() {
                true => Mood::Names,
                false => self.mood(segment, to),
            };
            if self.is_told(mood, segment, is_telling) {
                self.tell(segment, is_telling);
                is_telling = true;
                continue;
            }
            let is_behind_told = std::mem::take(&mut is_telling);
            if mood == Mood::MayAsk {
                self.asking.push((segment.from, segment.to));
                let is_part = number == 0 && stands != Stands::Behind;
                if is_part {
                    self.clause(segment, None, None);
                    head = Some(self.request.parts.len() - 1);
                }
                // What goes on with it says more of it, too.
                is_telling = !is_part;
                continue;
            }
            let first = self.tokens[segment.from..segment.to].first();
            if first.is_some_and(|it| it.is_any(&["omit", "skip"])) {
                // `Skip billing`: nobody can say what of the rest that takes back.
                self.asking.push((segment.from, segment.to));
            }
            let begins = number == 0 || self.request.parts.len() == first_part && number == 1;
            let begins = begins || segment.lead.is_colon;
            let found = sentence::verb_at(self.tokens, segment, begins)
                .filter(|found| number == 0 || !self.is_past(segment, *found))
                .or_else(|| self.is_had_too(segment, head))
                .or_else(|| self.is_of_verbs(&segments[..=number], first_part))
                .or(prefix.filter(|_| number == 0).flatten());
            let lead = segment.lead;
            // `When you add it` asks to add it.
            let is_you = (lead.is_before || lead.is_after)
                && self.tokens[segment.from].is("you")
                && found.is_some_and(|(at, ..)| at == segment.from + 1);
            let segment = Segment {
                from: segment.from + usize::from(is_you),
                ..segment
            };
            if lead.is_colon {
                listed_from = self.request.parts.len();
            }
            // All that follows `with` hangs on the clause, not on its verb.
            is_with = (is_with || lead.is_with) && found.is_none();
            let is_deployed = found.is_some_and(|(.., change)| change == Change::Deploy);
            let is_timed = lead.is_before || lead.is_after;
            if found.is_some() && self.is_caused_too(segment, head)
                || found.is_some_and(|found| self.is_of_judgment(segment, found, head))
                || self.is_of_each(segment, head)
                || found.is_some_and(|found| self.is_piece_of(segment, found, head))
            {
                self.extend(segment);
                continue;
            }
            let before_it = head.filter(|_| !self.is_of_next(&segments[number..]));
            if is_timed && (is_deployed || self.is_done_anyway(segment)) {
                // `Before you deploy, …` asks for no deployment.
                self.condition(segment, before_it);
            } else if let Some(found) = found {
                let doubts = self.guessed.len();
                self.doubt(segment, found, number);
                let is_sure = self.guessed.len() == doubts;
                let segment = match condition.take() {
                    Some(from) => Segment { from, ..segment },
                    None if is_behind_told && is_sure => self.with_told(segment, found),
                    None => segment,
                };
                self.clause(segment, Some(self.verb(found)), chain.map(|it| it.anchor));
                let at = self.request.parts.len() - 1;
                if is_timed && chain.is_none() {
                    chain = Some(Chain {
                        anchor: head.filter(|_| at > first_part),
                        is_before: lead.is_before,
                    });
                }
                head = Some(at);
            } else if lead.is_before || lead.is_after {
                self.condition(segment, before_it);
            } else if let Some(verb) = self.is_beside(&segments, number, head) {
                self.attach(segment, Some(verb));
            } else if let Some(verb) = self.makes_next(segment, head) {
                self.attach(segment, Some(verb));
            } else if let Some(verb) = self.attaches(&segments[number..], head, listed_from) {
                self.attach(segment, verb.filter(|_| !is_with));
                self.share_object(segment);
            } else if self.request.parts.len() > first_part {
                if self.may_be_command(segment) || self.is_work_in_order(segment) {
                    self.swallowed.push((segment.from, segment.to));
                }
                self.extend(segment);
            } else if number == 0
                && stands != Stands::Behind
                && (self.is_command(segment) || self.is_note(segment, segments.len()))
            {
                if self.is_command(segment) || !self.begins_with_work(segment) && segments.len() > 1
                {
                    self.guessed.push((segment.from, segment.to));
                }
                self.clause(segment, None, None);
                head = Some(self.request.parts.len() - 1);
            } else if number > 0 && stands != Stands::Behind && self.is_command(segment) {
                // `Before anything else, back it up`
                self.guessed.push((segment.from, segment.to));
                self.clause(segment, None, None);
                head = Some(self.request.parts.len() - 1);
            } else if mood == Mood::Asks {
                self.asking.push((segment.from, segment.to));
            }
        }
        if let Some(Pending::Words(words, _)) = &self.pending
            && self.request.parts.len() == first_part
        {
            // It is a condition of nothing: `Before them I need it`.
            self.asking.push(*words);
            self.pending = None;
        }
        self.share_last_object(first_part);
        self.set_aside(first_part, of_what);
        self.heading(
            colon.map(|at| &segments[..at]),
            first_part,
            stands,
            (from, to),
        );
        if self.request.parts.len() > first_part {
            for (from, to) in order_words {
                self.request.order_words.push(self.phrase(from, to));
            }
        }
    }

    /// A part that hangs on the clause before it.
    fn attach(&mut self, segment: Segment, verb: Option<Verb>) {
        let lead = segment.lead;
        self.push(
            segment.from,
            segment.to,
            Shape::Attachment,
            verb,
            &[(segment.from, segment.to)],
        );
        let at = self.request.parts.len() - 1;
        self.place(at, lead.is_then || lead.is_last, lead);
    }

    /// A part; `anchor` is what it comes before or after as the ones before it do, if that is said.
    fn clause(&mut self, segment: Segment, verb: Option<Verb>, anchor: Option<Option<usize>>) {
        let lead = segment.lead;
        let pending = self.pending.take();
        self.push(
            segment.from,
            segment.to,
            Shape::Clause,
            verb,
            &[(segment.from, segment.to)],
        );
        let at = self.request.parts.len() - 1;
        if lead.is_before || lead.is_after {
            // `write tests before refactoring it`: the other one is the part before.
            let before = at.checked_sub(1).filter(|_| self.is_same_sentence(at));
            if let Some(other) = anchor.unwrap_or(before) {
                let (before, then) = match lead.is_before {
                    true => (other, at),
                    false => (at, other),
                };
                self.request.parts[at].after.clear();
                order::add(&mut self.request.parts, before, then);
            } else {
                let mut all = match pending {
                    Some(Pending::Parts(parts, is_before)) if is_before == lead.is_before => parts,
                    _ => Vec::new(),
                };
                all.push(at);
                self.pending = Some(Pending::Parts(all, lead.is_before));
                self.place(at, lead.is_then, lead);
            }
            return;
        }
        self.place(at, lead.is_then, lead);
        match pending {
            Some(Pending::Parts(others, is_before)) => {
                for other in others {
                    let (before, then) = if is_before { (at, other) } else { (other, at) };
                    order::add(&mut self.request.parts, before, then);
                }
            }
            Some(Pending::Words(words, is_before)) => self.conditions.push(Condition {
                part: at,
                words,
                is_before,
            }),
            Some(Pending::First) => self.firsts.push(at),
            None => {}
        }
    }

    fn is_same_sentence(&self, at: usize) -> bool {
        let sentence = self.request.sentences.last();
        sentence.is_some_and(|sentence| self.request.parts[at - 1].span.start >= sentence.start)
    }

    /// `once the tests pass`, which names no part itself.
    fn condition(&mut self, segment: Segment, head: Option<usize>) {
        let words = (segment.from, segment.to);
        let is_before = segment.lead.is_before;
        if is_before && statement::is_of_anything(&self.tokens[segment.from..segment.to]) {
            self.read.push(words);
            match head {
                Some(_) => self.firsts.push(self.request.parts.len() - 1),
                None => self.pending = Some(Pending::First),
            }
            return;
        }
        match head {
            Some(_) => self.conditions.push(Condition {
                part: self.request.parts.len() - 1,
                words,
                is_before,
            }),
            None => self.pending = Some(Pending::Words(words, is_before)),
        }
    }

    fn words(&self, segment: Segment) -> Vec<&'t Token> {
        let tokens = &self.tokens[segment.from..segment.to];
        tokens.iter().filter(|token| token.is_word()).collect()
    }

    fn verb(&self, (at, word, change): (usize, &'static str, Change)) -> Verb {
        Verb {
            span: self.tokens[at].span,
            word,
            change,
        }
    }

    /// Puts a part into the order that the text has said so far.
    fn place(&mut self, at: usize, is_then: bool, lead: sentence::Lead) {
        if is_then && at > 0 {
            self.group_before = (self.group..at).collect();
            self.group = at;
        }
        for before in self.group_before.clone() {
            if before < at {
                order::add(&mut self.request.parts, before, at);
            }
        }
        if lead.is_first {
            self.firsts.push(at);
        }
        if lead.is_last {
            self.lasts.push(at);
        }
        if lead.is_beside {
            self.beside();
        }
    }

    /// The parts since `then` was last said go side by side.
    fn beside(&mut self) {
        let group = self.group;
        for part in &mut self.request.parts[group..] {
            part.is_beside = true;
        }
    }

    /// A request that names nothing to do is one part: what is said first, or what is forbidden.
    fn without_parts(&mut self) {
        // A section's name says nothing.
        let says = |it: &&(usize, usize)| !self.names_section(**it);
        let told = self.told.iter().find(says).or(self.told.first());
        let first = self.context.or(told.copied());
        let Some((from, to)) = first else {
            if !self.request.exclusions.is_empty() || !self.request.bounds.is_empty() {
                self.request.exclusions.clear();
                let to = self.tokens.len().min(FORBIDDEN_TOKENS_MAX);
                self.push(0, to, Shape::Clause, None, &[(0, to)]);
            }
            return;
        };
        self.push(from, to, Shape::Clause, None, &[(from, to)]);
    }

    /// Conditions, `first` and `finally`, when all parts are known.
    fn settle_order(&mut self) {
        let (approvals, conditions): (Vec<_>, Vec<_>) = std::mem::take(&mut self.conditions)
            .into_iter()
            .partition(|it| !it.is_before && self.is_persons(it.words));
        for Condition {
            part,
            words: (from, to),
            is_before,
        } in conditions
        {
            let tokens = &self.tokens[from..to];
            let words: Vec<&str> = tokens.iter().map(|token| token.lower.as_str()).collect();
            let parts = &mut self.request.parts;
            if !is_before && order::is_done(tokens) && part > 0 {
                for other in order::all_before(tokens, part) {
                    order::add(parts, other, part);
                }
                self.read.push((from, to));
                continue;
            }
            if let Some(other) = order::meant(parts, &words, part) {
                let (before, then) = if is_before {
                    (part, other)
                } else {
                    (other, part)
                };
                order::add(parts, before, then);
                self.read.push((from, to));
            } else if self.asks_before((from, to), is_before) {
                self.asking.push((from, to));
            }
        }
        self.settle_numbers();
        let count = self.request.parts.len();
        for first in once_each(std::mem::take(&mut self.firsts)) {
            for other in 0..count {
                order::add(&mut self.request.parts, first, other);
            }
        }
        for last in once_each(std::mem::take(&mut self.lasts)) {
            for other in 0..last {
                order::add(&mut self.request.parts, other, last);
            }
        }
        // The order that is said otherwise tells on which part a person's word is.
        for Condition { part, words, .. } in approvals {
            self.approve(part, words);
        }
    }
}

/// The parts, each once: a long sentence says `first` of one part many times.
fn once_each(mut parts: Vec<usize>) -> Vec<usize> {
    let mut seen = std::collections::BTreeSet::new();
    parts.retain(|part| seen.insert(*part));
    parts
}

/// What is left between two tokens when the exclusions are taken out.
fn rest(
    from: usize,
    to: usize,
    excluded: impl IntoIterator<Item = (usize, usize)>,
) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut begin = from;
    for (start, end) in excluded {
        if from + start > begin {
            pieces.push((begin, from + start));
        }
        begin = from + end;
    }
    if begin < to {
        pieces.push((begin, to));
    }
    pieces
}

/// The text in one line, without the marks of lists.
pub(super) fn squeezed(text: &str) -> String {
    let is_marker = |word: &&str| matches!(*word, "-" | "*" | "•");
    let words = text
        .lines()
        .flat_map(|line| line.split_whitespace().skip_while(is_marker));
    let words: Vec<&str> = words.collect();
    words.join(" ")
}
