//! Work that waits for a person's word: `once I approve it`, `not until the design is approved`.

use super::super::sentence::{self, Lead, Segment};
use super::super::token::{Kind, Token};
use super::super::verbs::{Change, Form, verb};
use super::super::{Approval, PARTS_MAX, Shape, order, roles};
use super::{Condition, Reader};

/// What a person gives, behind `my` or `our`.
const WORDS: &[&str] = &[
    "agreement",
    "approval",
    "blessing",
    "consent",
    "go-ahead",
    "ok",
    "okay",
    "sign-off",
    "signoff",
];

/// What a person does, in any form.
const DOING: &[&str] = &[
    "agree",
    "agreed",
    "approve",
    "approved",
    "confirmed",
    "confirm",
    "okay",
    "say",
    "said",
    "sign",
    "signed",
];

/// What is approved in this work rather than in the product.
const APPROVED: &[&str] = &[
    "concept", "design", "draft", "plan", "proposal", "rfc", "spec",
];

/// Behind what must not be done, these say until when.
const UNTIL: &[&str] = &["before", "unless", "until"];

/// Whether a condition is that who asks approves something. `The order is approved` may be of the
/// product.
pub(super) fn is_approval(tokens: &[Token]) -> bool {
    let words: Vec<&Token> = tokens.iter().take_while(|it| it.is_word()).collect();
    let by_nobody = !words.iter().any(|it| it.is("by"));
    let of_work = by_nobody && words.iter().take(3).any(|it| it.is_any(APPROVED));
    is_own(tokens) || of_work && words.windows(2).any(is_passive)
}

/// Whether it says by whom: by who asks.
fn is_own(tokens: &[Token]) -> bool {
    let words: Vec<&Token> = tokens.iter().take_while(|it| it.is_word()).collect();
    let pairs = || words.windows(2);
    let is_given = pairs().any(|it| {
        it[0].is_any(&["my", "our"]) && it[1].is_any(WORDS)
            || it[0].is("my") && it[1].is_any(&["feedback", "review", "word"])
    });
    let own = ["i", "i've", "we", "we've"];
    let by_own = words.first().is_some_and(|it| it.is_any(&own));
    let near = words.iter().skip(1).take(3);
    let is_done = by_own && near.into_iter().any(|it| it.is_any(DOING));
    let of_own = pairs().any(|it| it[0].is("by") && it[1].is_any(&["me", "us"]));
    is_given || is_done || is_asked(&words) || of_own && pairs().any(is_passive)
}

/// `Is approved`.
fn is_passive(pair: &[&Token]) -> bool {
    pair[0].is_any(&["be", "been", "gets", "got", "is", "are", "was"])
        && pair[1].is_any(&["approved", "confirmed", "signed"])
}

/// `Ask me`, `wait for me`.
fn is_asked(words: &[&Token]) -> bool {
    const ASKING: &[&[&str]] = &[
        &["ask", "me"],
        &["ask", "us"],
        &["check", "with", "me"],
        &["check", "with", "us"],
        &["wait", "for", "me"],
        &["wait", "for", "us"],
    ];
    let begins = |phrase: &&[&str]| {
        phrase.len() == words.len() && phrase.iter().zip(words).all(|(word, it)| it.is(word))
    };
    ASKING.iter().any(begins)
}

/// Where `before` stands in `wait for my ok before you delete it`.
fn asks_first(tokens: &[Token]) -> Option<usize> {
    let before = tokens.iter().position(|it| it.is("before"))?;
    let is_asked = tokens[0].is_any(&["ask", "check", "get", "wait"]);
    (is_asked && is_approval(&tokens[..before])).then_some(before)
}

/// `When I have approved it`, of what was said before: `when I approve an invoice` is of the product.
pub(in super::super) fn is_when(tokens: &[Token]) -> bool {
    let words: Vec<&Token> = tokens.iter().take_while(|it| it.is_word()).collect();
    let ends = |last: &&Token| [IT, WORDS, DOING].iter().any(|of| last.is_any(of));
    words.last().is_some_and(ends) && is_own(tokens)
}

/// A condition by its tokens, and whether the rest comes before it.
pub(super) type When = ((usize, usize), bool);

/// Words at which `after I approve it build it` is cut, besides what is approved or given.
const IT: &[&str] = &["it", "that", "them", "this"];

/// A person's word is said in so few words that nothing stands between it and what follows.
const WORDS_MAX: usize = 6;

/// Cuts `after my approval build it` and `once I approve it, build it` written without the comma in
/// two.
pub(super) fn cut(tokens: &[Token], segments: &mut Vec<Segment>) {
    let mut at = 0;
    while let Some(&segment) = segments.get(at) {
        at += 1;
        if !segment.lead.is_after {
            continue;
        }
        let ends = segment.from + 2..segment.to.min(segment.from + WORDS_MAX + 1);
        let closes = |it: &Token| [IT, WORDS, DOING, APPROVED].iter().any(|of| it.is_any(of));
        let is_end = |end: &usize| {
            closes(&tokens[end - 1])
                && is_approval(&tokens[segment.from..*end])
                && verb(&tokens[*end].lower).is_some_and(|(.., form)| form == Form::Base)
        };
        let Some(end) = { ends }.find(is_end) else {
            continue;
        };
        let lead = Lead {
            is_then: true,
            ..Lead::default()
        };
        // It is said of what follows, not of what stands before.
        segments[at - 1].lead.is_then = true;
        segments[at - 1].to = end;
        segments.insert(
            at,
            Segment {
                from: end,
                to: segment.to,
                lead,
            },
        );
    }
}

impl Reader<'_> {
    /// Whether some segments only say that a person's word is waited for, `wait for my approval`: what
    /// follows waits for it.
    pub(super) fn is_wait(&self, segments: &[Segment]) -> bool {
        let [segment] = segments else {
            return false;
        };
        let tokens = &self.tokens[segment.from..segment.to];
        let mut words = tokens.iter().filter(|it| it.is_word());
        let waits = words
            .next()
            .is_some_and(|it| it.is_any(&["ask", "get", "wait"]));
        waits && is_own(tokens) && tokens.iter().filter(|it| it.is_word()).count() <= WORDS_MAX
    }

    /// The condition with which an item begins, `once I say so, release it`, by its tokens and whether the
    /// rest comes before it, and the segments of what is to be done.
    pub(super) fn apart_from_when(&self, segments: &[Segment]) -> (Option<When>, Vec<Segment>) {
        let all = || (None, segments.to_vec());
        let Some(first) = segments.first() else {
            return all();
        };
        let lead = first.lead;
        let goes_on = |it: &Segment| it.lead.is_list && !it.lead.is_and || it.lead.is_then;
        let behind = segments.iter().skip(1).position(goes_on).map(|at| at + 1);
        let Some(behind) = behind.filter(|_| lead.is_after || lead.is_before) else {
            return all();
        };
        let mut rest = segments[behind..].to_vec();
        let to = segments[behind - 1].to;
        rest[0].lead = Lead::default();
        (Some(((first.from, to), lead.is_before)), rest)
    }

    /// `Do not deploy it until I approve it` asks for it, behind an approval. What is to be approved and
    /// named nowhere else is asked for, too.
    pub(super) fn is_after_approval(&mut self, (from, to): (usize, usize)) -> bool {
        let is_lead = |it: &&Token| it.is_any(&["also", "and", "but", "please", "so"]);
        let from = from + self.tokens[from..to].iter().take_while(is_lead).count();
        let tokens = &self.tokens[from..to];
        if let Some(before) = asks_first(tokens) {
            let you = usize::from(tokens.get(before + 1).is_some_and(|it| it.is("you")));
            let segment = Segment {
                from: from + before + 1 + you,
                to,
                lead: Lead::default(),
            };
            let found = sentence::verb_at(self.tokens, segment, true);
            let object = self.tokens.get(segment.from + 1);
            let is_any = object.is_some_and(|it| it.is_any(&["any", "anything", "something"]));
            if let Some(found) = found.filter(|(at, ..)| *at == segment.from) {
                if is_any {
                    // It says no work, but of which work a person is asked: the whole plan waits.
                    self.told.push((from, to));
                    return true;
                }
                self.ask_approval(segment, found, (from, from + before));
                return true;
            }
        }
        let negated = match tokens {
            [one, two, ..] if one.is("do") && two.is("not") => 2,
            [one, ..] if one.is_any(&["don't", "dont", "never"]) => 1,
            _ => return false,
        };
        let until = tokens.iter().position(|it| it.is_any(UNTIL));
        let Some(until) = until.filter(|at| *at > negated) else {
            return false;
        };
        let condition = &tokens[until + 1..];
        let is_whole = condition
            .iter()
            .all(|it| it.is_word() || it.kind == Kind::Line);
        let known = verb(&tokens[negated].lower).filter(|it| it.2 == Form::Base);
        // `Do not change it until then` says nothing of what is to be done with it.
        let known = known.filter(|it| !["alter", "change", "edit", "modify"].contains(&it.0));
        let is_persons = self.is_persons((from + until + 1, to));
        if known.is_none() || !is_whole || !is_persons {
            return false;
        }
        let condition = (from + until + 1, to);
        self.ask_for_approved(condition);
        let segment = Segment {
            from: from + negated,
            to: from + until,
            lead: Lead::default(),
        };
        let found = sentence::verb_at(self.tokens, segment, true);
        self.read.push((from, from + negated));
        match found {
            Some(found) => self.ask_approval(segment, found, condition),
            None => self.asking.push((from, to)),
        }
        true
    }

    /// Whether a condition is a person's word for which what follows waits: `design it, and after my
    /// approval build it`, `draft it, after I have signed it off, write the code`.
    pub(super) fn is_of_next(&self, segments: &[Segment]) -> bool {
        let [condition, behind @ ..] = segments else {
            return false;
        };
        let lead = condition.lead;
        let does = |next: &Segment| sentence::verb_at(self.tokens, *next, true).is_some();
        let goes_on = lead.is_list && behind.first().is_some_and(does);
        lead.is_after
            && (lead.is_and || lead.is_then || goes_on)
            && is_approval(&self.tokens[condition.from..condition.to])
    }

    /// Whether a condition is a person's word on this work: who asks gives it, or what is approved is
    /// somebody's work or a part. `The proposal is approved` may be of the product.
    pub(super) fn is_persons(&self, (from, to): (usize, usize)) -> bool {
        let tokens = &self.tokens[from..to];
        let is_work = || self.approved((from, to)).is_some() || self.meant((from, to)).is_some();
        is_approval(tokens) && (is_own(tokens) || is_work())
    }

    /// The part that words speak of.
    fn meant(&self, (from, to): (usize, usize)) -> Option<usize> {
        let words = self.tokens[from..to].iter();
        let words: Vec<&str> = words.map(|token| token.lower.as_str()).collect();
        order::meant(&self.request.parts, &words, usize::MAX)
    }

    /// Whose work is approved, and where it is named.
    fn approved(&self, (from, to): (usize, usize)) -> Option<(&'static str, usize)> {
        let being = ["are", "be", "been", "gets", "has", "have", "is", "was"];
        let tokens = &self.tokens[from..to];
        let end = from + tokens.iter().position(|it| it.is_any(&being))?;
        let mut named = (from..end).filter_map(|at| roles::mention(&self.tokens[at..end]));
        named.next().map(|(mention, _)| (mention.role, end))
    }

    /// A part that waits for what a condition says.
    fn ask_approval(
        &mut self,
        segment: Segment,
        found: (usize, &'static str, Change),
        words: (usize, usize),
    ) {
        self.clause(segment, Some(self.verb(found)), None);
        self.conditions.push(Condition {
            part: self.request.parts.len() - 1,
            words,
            is_before: false,
        });
    }

    /// Makes a part of what is approved, if it is somebody's work and no part is of it.
    fn ask_for_approved(&mut self, (from, to): (usize, usize)) {
        let Some((role, end)) = self.approved((from, to)) else {
            return;
        };
        if !self.request.parts.iter().any(|part| part.role == role) {
            self.push(from, end, Shape::Clause, None, &[(from, end)]);
            self.place(self.request.parts.len() - 1, false, Lead::default());
        }
    }

    /// A part waits for a person's word on the one that is meant, or on the one before it.
    pub(super) fn approve(&mut self, part: usize, (from, to): (usize, usize)) {
        let words = self.tokens[from..to].iter();
        let words: Vec<&str> = words.map(|token| token.lower.as_str()).collect();
        let parts = &mut self.request.parts;
        // The last one before it, in the order that is said.
        let is_before = |at: &usize| !order::reaches(parts, *at, part);
        let all: Vec<usize> = (0..part).filter(is_before).collect();
        let is_last = |at: &usize| {
            let mut others = all.iter().filter(|other| *other != at);
            !others.any(|other| order::reaches(parts, *other, *at))
        };
        let before = all.iter().copied().rev().find(is_last);
        let of = order::meant(parts, &words, part).or(before);
        if let Some(of) = of {
            order::add(parts, of, part);
        }
        self.read.push((from, to));
        let phrase = self.phrase(from, to);
        if self.request.approvals.len() < PARTS_MAX {
            self.request.approvals.push(Approval {
                span: phrase.span,
                text: phrase.text,
                of,
                before: part,
            });
        }
    }
}
