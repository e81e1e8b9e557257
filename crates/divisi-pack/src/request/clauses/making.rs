//! How parts are made: from which words, with which verb, for which role.

use super::super::roles::{self, Mention, Standing};
use super::super::sentence::Segment;
use super::super::token::{Kind, Token};
use super::super::verbs::{Change, Form, Verb};
use super::super::{File, PARTS_MAX, Part, Shape};
use super::{Condition, Reader};

/// Words between a verb and a file that is itself what the verb is about.
const BARE: &[&str] = &[
    "all",
    "and",
    "both",
    "dead",
    "directory",
    "empty",
    "entire",
    "file",
    "files",
    "folder",
    "legacy",
    "module",
    "obsolete",
    "old",
    "stale",
    "the",
    "this",
    "unused",
    "whole",
];

/// Whether a word says what was done with something elsewhere: `described`, `found`.
fn is_participle(token: &Token) -> bool {
    let form = super::super::verbs::verb(&token.lower).map(|(.., form)| form);
    let word = token.lower.as_str();
    token.kind == Kind::Word
        && (form == Some(Form::Past)
            || word.len() > 4 && word.ends_with("ed") && !word.ends_with("eed")
            || matches!(word, "given" | "shown" | "known" | "seen"))
}

/// With these begins an item that only says what is to be told: `how to cut a release`.
const TOLD: &[&str] = &[
    "how", "what", "when", "where", "which", "who", "whom", "why",
];

/// An attachment has at most so many words; more are a sentence's other half.
const ATTACHMENT_WORDS_MAX: usize = 7;

/// A sentence without a verb is a part only if it is as short as a note.
const NOTE_WORDS_MAX: usize = 6;

impl Reader<'_> {
    pub(super) fn push(
        &mut self,
        from: usize,
        to: usize,
        shape: Shape,
        verb: Option<Verb>,
        pieces: &[(usize, usize)],
    ) {
        if self.request.parts.len() >= PARTS_MAX {
            self.request.is_cut = true;
            // The last one takes what is left, so that nothing said is lost.
            self.request.parts.pop();
        }
        let texts: Vec<String> = pieces
            .iter()
            .map(|&(begin, end)| {
                let (begin, end) = self.without_joints(begin.max(from), end.min(to));
                self.phrase(begin, end.max(begin)).text
            })
            .filter(|text| !text.is_empty())
            .collect();
        let object = self.object(verb.as_ref(), from);
        let (mut mentions, mut files) = (Vec::new(), Vec::new());
        for &(begin, end) in pieces {
            let (more, more_files) = self.named(begin.max(from), end.min(to), object);
            mentions.extend(more);
            files.extend(more_files);
        }
        // Who writes down findings looks for them.
        let verb = verb.map(|verb| match self.writes_findings(&verb, object, to) {
            true => Verb {
                change: Change::Review,
                ..verb
            },
            false if self.is_chosen_by(&verb, object, to) => Verb {
                change: Change::Update,
                ..verb
            },
            false if self.writes_down(&verb) => Verb {
                change: Change::Document,
                ..verb
            },
            false => verb,
        });
        let is_item = matches!(shape, Shape::Item | Shape::Numbered);
        if is_item && verb.is_none() && self.tokens[from].is_any(TOLD) {
            // Of a thing that the text around it says.
            self.guessed.push((from, to));
        }
        let role = match self.is_choice(from, to) {
            true => roles::DEVELOPER,
            false => roles::role(verb.as_ref(), &mentions),
        };
        // Who writes a design designs.
        let verb = verb.map(|verb| match (verb.change, role) {
            (Change::Add, "architect" | "data_architect") => Verb {
                change: Change::Design,
                ..verb
            },
            _ => verb,
        });
        self.request.parts.push(Part {
            span: self.span(from, to),
            text: texts.join(" "),
            shape,
            domain: roles::domain_of(role),
            role,
            verb,
            mentions,
            files,
            after: Vec::new(),
            is_beside: false,
        });
        let part = self.request.parts.len() - 1;
        self.conditions
            .extend(self.waiting.take().map(|words| Condition {
                part,
                words,
                is_before: false,
            }));
    }

    /// Whether something is written down or up: words, wherever they go.
    fn writes_down(&self, verb: &Verb) -> bool {
        let behind = { self.tokens }.partition_point(|it| it.span.start < verb.span.end);
        let particle = self.tokens.get(behind);
        verb.word == "write" && particle.is_some_and(|it| it.is_any(&["down", "up"]))
    }

    /// Whether it is the product that chooses: `choose the language by the user's country`.
    fn is_chosen_by(&self, verb: &Verb, object: usize, to: usize) -> bool {
        let tokens = self.tokens.get(object..to).unwrap_or_default();
        let how = ["automatically", "by", "depending"];
        verb.word == "choose" && tokens.iter().any(|it| it.is_any(&how))
    }

    /// Whether what is written says what somebody found: `write your findings about a.js into b.md`, `a
    /// review of a.js`.
    fn writes_findings(&self, verb: &Verb, object: usize, to: usize) -> bool {
        const BEFORE: &[&str] = &[
            "a", "all", "an", "any", "brief", "code", "detailed", "full", "my", "short", "the",
            "thorough", "your",
        ];
        let tokens = self.tokens.get(object..to).unwrap_or_default();
        let before = tokens.iter().take_while(|it| it.is_any(BEFORE)).count();
        let of = tokens.get(before + 1);
        let is_of = of.is_some_and(|it| it.is_any(&["about", "for", "of", "on"]));
        let is_found = tokens.get(before).is_some_and(|it| {
            it.is_any(&["finding", "findings"]) || it.is_any(&["review", "assessment"]) && is_of
        });
        let writes = [
            "collect", "draft", "give", "make", "note", "put", "record", "write",
        ];
        let has_file = tokens.iter().any(|it| it.kind == Kind::Path);
        is_found && has_file && writes.contains(&verb.word)
    }

    /// Whether words say a choice, `either tests or docs`: whose work it is, who does it chooses.
    fn is_choice(&self, from: usize, to: usize) -> bool {
        let tokens = &self.tokens[from..to];
        let either = tokens.iter().position(|token| token.is("either"));
        either.is_some_and(|at| tokens[at..].iter().any(|token| token.is("or")))
    }

    /// Where what a verb is about begins.
    fn object(&self, verb: Option<&Verb>, from: usize) -> usize {
        verb.map_or(from, |verb| {
            let at = self
                .tokens
                .partition_point(|token| token.span.start < verb.span.start);
            // An attachment may have the verb of the clause before it.
            if at < from { from } else { at + 1 }
        })
    }

    /// Goes on with the part before, behind an exclusion.
    pub(super) fn append(&mut self, from: usize, to: usize) {
        let (from, to) = self.without_joints(from, to);
        let more = self.phrase(from, to);
        let (_, files) = self.named(from, to, from);
        let part = self.request.parts.last_mut();
        if let Some(part) = part.filter(|_| !more.text.is_empty()) {
            part.span.end = more.span.end;
            part.text = format!("{} {}", part.text, more.text);
            part.files.extend(files);
        }
    }

    /// What the last of several says that they are of, the ones before it are of, too: `tests and docs
    /// for a.rs`.
    pub(super) fn share_object(&mut self, segment: Segment) {
        let tokens = &self.tokens[segment.from..segment.to];
        let Some((_, length)) = roles::mention(tokens) else {
            return;
        };
        let of = ["for", "in", "of", "on"];
        if !tokens.get(length).is_some_and(|it| it.is_any(&of)) {
            return;
        }
        let more = self.phrase(segment.from + length, segment.to).text;
        let files = self
            .named(segment.from + length, segment.to, segment.from)
            .1;
        let parts = self.request.parts.iter_mut().rev().skip(1);
        let bare = |part: &&mut Part| {
            let is_bare =
                part.mentions.len() == 1 && part.mentions[0].word.len() == part.text.len();
            part.verb.is_none() && is_bare
        };
        for part in parts.take_while(bare) {
            part.text = format!("{} {more}", part.text);
            part.files.extend(files.clone());
        }
    }

    /// Verbs without an object of their own have that of the last one: `design and build a pool`.
    pub(super) fn share_last_object(&mut self, from: usize) {
        let parts = &mut self.request.parts[from..];
        for at in (1..parts.len()).rev() {
            let (before, behind) = parts.split_at_mut(at);
            let (one, last) = (&mut before[at - 1], &behind[0]);
            let is_bare = |part: &Part| {
                let verb = part.verb.as_ref();
                part.shape == Shape::Clause && verb.is_some_and(|it| it.span == part.span)
            };
            let object = last
                .text
                .split_once(' ')
                .filter(|_| last.shape == Shape::Clause);
            if let Some((_, object)) = object.filter(|_| is_bare(one) && last.after.is_empty()) {
                let object = object.split(" in ").next().unwrap_or(object);
                one.text = format!("{} {object}", one.text);
            }
        }
    }

    /// Tokens without what only joins them to others, at their edges.
    fn without_joints(&self, mut from: usize, mut to: usize) -> (usize, usize) {
        let joins = |token: &Token| {
            !token.is_word() || token.is_any(&["and", "but", "or", "please", "so", "then"])
        };
        while from < to && joins(&self.tokens[from]) {
            from += 1;
        }
        while from < to && joins(&self.tokens[to - 1]) {
            to -= 1;
        }
        (from, to)
    }

    /// Goes on with the part before.
    pub(super) fn extend(&mut self, segment: Segment) {
        let Some(part) = self.request.parts.last() else {
            return;
        };
        let words = self.words(segment);
        if words.iter().all(|it| it.is_any(&["just", "not", "only"])) {
            return;
        }
        if segment.lead.is_beside && words.iter().all(|it| it.is_any(&["all", "both"])) {
            // `…, all in parallel`
            self.beside();
            return;
        }
        let start = part.span.start;
        let from = self
            .tokens
            .partition_point(|token| token.span.start < start);
        let end = self.span(segment.from, segment.to).end;
        let object = self.object(part.verb.as_ref(), from);
        let (mentions, files) = self.named(from, segment.to, object);
        let text = self.phrase(from, segment.to).text;
        let lead = segment.lead;
        let at = self.request.parts.len() - 1;
        let part = &mut self.request.parts[at];
        part.span.end = end;
        part.text = text;
        // What comes later in a clause does not say whose work it is.
        let known = part.mentions.len();
        part.mentions
            .extend(mentions.into_iter().skip(known).map(|mention| {
                let standing = match mention.standing {
                    Standing::Object if !lead.is_before && !lead.is_after && !lead.is_with => {
                        Standing::Place
                    }
                    _ => Standing::Aside,
                };
                Mention {
                    standing,
                    ..mention
                }
            }));
        part.role = roles::role(part.verb.as_ref(), &part.mentions);
        part.domain = roles::domain_of(part.role);
        part.files = files;
        if lead.is_beside {
            self.beside();
        }
        if lead.is_first {
            self.firsts.push(at);
        }
        if lead.is_last {
            self.lasts.push(at);
        }
    }

    /// Roles' work and files between two tokens; `object` is where what the verb is about begins.
    pub(super) fn named(&self, from: usize, to: usize, object: usize) -> (Vec<Mention>, Vec<File>) {
        const PLACING: &[&str] = &[
            "across", "at", "from", "in", "inside", "into", "of", "on", "onto", "to", "under",
            "within",
        ];
        const ASIDE: &[&str] = &[
            "about",
            "according",
            "against",
            "based",
            "because",
            "by",
            "following",
            "for",
            "if",
            "like",
            "per",
            "see",
            "so",
            "than",
            "that",
            "using",
            "via",
            "when",
            "where",
            "which",
            "while",
        ];
        let mut mentions = Vec::new();
        let mut files: Vec<File> = Vec::new();
        let mut standing = Standing::Object;
        let mut is_direct = true;
        // `what a.rs does` asks for no change of it.
        let mut is_told_of = false;
        let mut at = from;
        while at < to {
            let token = &self.tokens[at];
            let is_aside = at < object || token.is_aside;
            if token.kind == Kind::Path {
                let is_aside = is_aside || is_told_of || self.is_taken_as(at, to);
                files.push(File {
                    span: token.span,
                    text: self.text[token.span.start..token.span.end].to_owned(),
                    standing: if is_aside { Standing::Aside } else { standing },
                    is_direct: is_direct && !is_aside && standing == Standing::Object,
                });
            } else if at >= object && token.is_word() {
                is_direct &= token.is_any(BARE);
            }
            is_told_of |= at >= object && token.is_any(&["how", "what", "why"]);
            // `tests covering the edge cases` are no edge cases.
            let form = super::super::verbs::verb(&token.lower).map(|(.., form)| form);
            let is_of_it = form == Some(Form::Gerund)
                && token.kind == Kind::Word
                && !mentions.is_empty()
                && roles::mention(&self.tokens[at..to]).is_none();
            // `Mention the following in a.md`
            let is_list = token.is("following") && at > from && self.tokens[at - 1].is("the");
            // `Merge field by field`
            let is_way = token.is("by")
                && at > from
                && at + 1 < to
                && self.tokens[at - 1].lower == self.tokens[at + 1].lower;
            if at > object && (token.is_any(ASIDE) && !is_list && !is_way || is_of_it) {
                standing = Standing::Aside;
            } else if at > object && token.is_any(PLACING) && standing == Standing::Object {
                // `the format described in a.md` is not in question there.
                standing = match is_participle(&self.tokens[at - 1]) {
                    true => Standing::Aside,
                    false => Standing::Place,
                };
            }
            match roles::mention(&self.tokens[at..to]) {
                Some((mention, length)) => {
                    mentions.push(Mention {
                        standing: if is_aside { Standing::Aside } else { standing },
                        ..mention
                    });
                    at += length;
                }
                None => at += 1,
            }
        }
        (mentions, files)
    }

    /// Whether something is only used: `a.rs as an example`.
    fn is_taken_as(&self, at: usize, to: usize) -> bool {
        let articles = ["a", "an", "the", "our", "your", "its"];
        matches!(self.tokens.get(at + 1..to), Some([first, second, ..])
            if first.is("as") && second.is_any(&articles))
    }

    /// Whether a segment without a known verb begins with what is to be made, rather than with a
    /// word that may be a verb: `Tests too`, but not `Read the docs`.
    pub(super) fn begins_with_work(&self, segment: Segment) -> bool {
        let tokens = &self.tokens[segment.from..segment.to];
        let first = tokens.iter().position(|token| {
            token.is_word() && !token.is_any(&["a", "an", "the", "some", "more", "new", "also"])
        });
        first.is_none_or(|at| {
            let mut near = at..tokens.len().min(at + 2);
            near.any(|at| {
                roles::mention(&tokens[at..]).is_some_and(|(it, _)| !it.word.contains('.'))
            })
        })
    }

    /// Whether a segment is one more object of the verb before it that is said to be done beside, in a
    /// file of its own: `build the lexer in a.rs and the parser in b.rs in parallel`; then that verb.
    pub(super) fn is_beside(
        &self,
        segments: &[Segment],
        number: usize,
        head: Option<usize>,
    ) -> Option<Verb> {
        let segment = segments[number];
        let head = self.request.parts.get(head?)?;
        let joined = |it: &&Segment| {
            let lead = it.lead;
            (lead.is_and || lead.is_list) && !lead.is_with && !lead.is_then && !lead.is_colon
        };
        let before = segments[..number].iter().rev();
        let before = before.take_while(joined).count();
        let first = number.saturating_sub(before + 1);
        let behind = segments[number..].iter().take_while(joined).count();
        let mut all = segments[first..number + behind].iter();
        let is_said = joined(&&segment) && all.any(|it| it.lead.is_beside);
        let is_in_file = |it: Segment| {
            self.tokens[it.from..it.to]
                .iter()
                .any(|it| it.kind == Kind::Path)
        };
        let is_verb = |it: &Token| super::super::verbs::verb(&it.lower).is_some();
        let begins = self.tokens[segment.from..segment.to]
            .first()
            .is_some_and(is_verb);
        let is_one_more = is_said && !begins && is_in_file(segment) && !head.files.is_empty();
        head.verb.clone().filter(|_| is_one_more)
    }

    /// Whether a segment names the work of a role that the sentence has not named yet; then with
    /// which verb.
    pub(super) fn attaches(
        &self,
        segments: &[Segment],
        head: Option<usize>,
        listed_from: usize,
    ) -> Option<Option<Verb>> {
        let (segment, head) = (*segments.first()?, head?);
        let lead = segment.lead;
        // One thing behind a colon says more of what stands before; several are a list.
        if lead.is_colon && segments.len() < 2 {
            return None;
        }
        let mut words: Vec<&Token> = self.words(segment);
        // `A section on when to use which` says so of what it tells.
        let topic = |pair: &[&Token]| pair[0].is_any(&["about", "on"]) && pair[1].is_any(TOLD);
        let topic = words.windows(2).position(topic);
        words.truncate(topic.unwrap_or(words.len()));
        let is_finite = |token: &&Token| {
            token.is_any(&[
                "are", "has", "have", "is", "that", "was", "were", "when", "which", "while",
            ])
        };
        if words.len() > ATTACHMENT_WORDS_MAX || words.iter().any(is_finite) {
            return None;
        }
        let joined = lead.is_with || lead.is_list || lead.is_and || lead.is_colon || lead.is_then;
        let (mentions, _) = self.named(segment.from, segment.to, segment.from);
        let is_piece = self.is_piece_of_text(segment);
        let mention = mentions.iter().find(|mention| {
            let written = is_piece && mention.role == "tech_writer";
            mention.standing == Standing::Object || mention.standing == Standing::Place && written
        })?;
        let own = |part: &Part| part.role == mention.role;
        // Code belongs to whoever builds, unless halves are built or several views are listed.
        let is_built_there = mention.role == roles::DEVELOPER
            && !lead.is_then
            && listed_from <= head
            && self.request.parts[head].role != "frontend_developer";
        // `rebuild the docker image` is no more of what `update` is of.
        let is_command = self.is_command(segment) && !lead.is_with;
        // `Actions for lint and tests`
        let is_of_both =
            lead.is_and && !lead.is_list && self.is_behind_for(segment) && !self.is_judged(head);
        if !joined
            || is_of_both
            || is_built_there
            || is_command
            || self.describes(segment, mention, head)
        {
            return None;
        }
        if self.request.parts[listed_from..].iter().any(own) {
            return None;
        }
        let verb = self.request.parts[head].verb.clone();
        // A name is changed wherever it stands: in code, tests and documents at once.
        if verb.as_ref().is_some_and(|it| it.change == Change::Rename) && !lead.is_then {
            return None;
        }
        // An audit is not designed, whatever stands before it is.
        let is_judged = mention.role == "security_analyst";
        let is_designed = |verb: &Verb| verb.change == Change::Design;
        Some(verb.filter(|verb| !(lead.is_then || is_judged && is_designed(verb))))
    }

    /// Whether a segment begins with what only a document has: `a line in the changelog`.
    pub(super) fn is_piece_of_text(&self, segment: Segment) -> bool {
        const PIECES: &[&str] = &[
            "chapter",
            "entries",
            "entry",
            "example",
            "examples",
            "line",
            "lines",
            "note",
            "notes",
            "paragraph",
            "section",
            "sentence",
        ];
        let articles = ["a", "an", "another", "new", "one", "short", "some", "the"];
        let words = self.words(segment);
        let mut words = words.iter().skip_while(|it| it.is_any(&articles));
        words.next().is_some_and(|it| it.is_any(PIECES))
    }

    /// What stands before the colon of an item says whose it is, if nothing else does: `docs: merge
    /// the two pages`.
    pub(super) fn of_label(&mut self, at: usize, label: Segment) {
        let found = (label.from..label.to)
            .filter_map(|at| roles::mention(&self.tokens[at..label.to]))
            .find(|(it, _)| roles::has_places(it.role));
        let part = &mut self.request.parts[at];
        let (true, Some((label, _))) = (part.role == roles::DEVELOPER, found) else {
            return;
        };
        part.mentions.push(Mention {
            standing: Standing::Place,
            ..label
        });
        part.role = roles::role(part.verb.as_ref(), &part.mentions);
        part.domain = roles::domain_of(part.role);
    }

    /// Whether a segment goes on with one word behind `for`.
    fn is_behind_for(&self, segment: Segment) -> bool {
        let before = &self.tokens[..segment.from];
        matches!(before, [.., of, one, _] if of.is("for") && one.kind == Kind::Word)
    }

    /// Whether a part is judged, from as many views as it names.
    fn is_judged(&self, part: usize) -> bool {
        let verb = self.request.parts[part].verb.as_ref();
        verb.is_some_and(|it| it.change == Change::Review)
    }

    /// Whether `and` joins two descriptions of one thing: `setup and usage documentation`.
    fn describes(&self, segment: Segment, mention: &Mention, head: usize) -> bool {
        let part = &self.request.parts[head];
        let is_bare = part.mentions.is_empty() && part.text.split(' ').count() == 2;
        let words = self.words(segment);
        is_bare
            && segment.lead.is_and
            && words.len() == 2
            && words[1].span.start == mention.span.start
    }

    /// Whether a sentence begins like a command with a verb that is not known: `Paginate the list`.
    pub(super) fn is_command(&self, segment: Segment) -> bool {
        const NO_VERBS: &[&str] = &[
            "after", "all", "and", "any", "are", "as", "at", "because", "both", "but", "by", "for",
            "from", "given", "how", "if", "in", "is", "it", "like", "not", "of", "on", "or",
            "since", "so", "that", "there", "this", "to", "was", "what", "when", "where", "while",
            "with",
        ];
        const DETERMINERS: &[&str] = &[
            "a",
            "all",
            "an",
            "each",
            "every",
            "everything",
            "it",
            "its",
            "my",
            "our",
            "the",
            "their",
            "them",
            "these",
            "this",
            "those",
            "your",
        ];
        let words = self.words(segment);
        let [first, second, ..] = words.as_slice() else {
            return false;
        };
        let is_particle = second.is_any(&["down", "off", "out", "over", "up"]);
        let third = words.get(2).filter(|_| is_particle);
        first.kind == Kind::Word
            && !first.is_any(NO_VERBS)
            && (second.is_any(DETERMINERS) || third.is_some_and(|it| it.is_any(DETERMINERS)))
    }

    /// Whether a sentence without a verb asks for something: `Tests too.`, `The API must be fast.`
    pub(super) fn is_note(&self, segment: Segment, segments: usize) -> bool {
        let words = self.words(segment);
        // `If the tests fail` asks for none.
        let conditions = ["because", "if", "since", "unless", "until", "when", "while"];
        if words.first().is_some_and(|first| first.is_any(&conditions)) {
            return false;
        }
        let is_demand = words.windows(2).any(|pair| {
            pair[0].is_any(&["must", "should", "shall", "needs", "need"])
                && pair[1].is_any(&["be", "to", "have"])
        });
        let named = || {
            let tokens = &self.tokens[segment.from..segment.to];
            (0..tokens.len()).any(|at| roles::mention(&tokens[at..]).is_some())
        };
        let is_short = words.len() <= NOTE_WORDS_MAX && segments <= 3;
        let is_statement = words
            .iter()
            .any(|token| token.is_any(&["is", "are", "was", "were", "has"]));
        is_demand || is_short && !is_statement && named()
    }
}
