//! Clauses that tell something rather than ask for it, and those of which that is not known.

use super::super::loose;
use super::super::roles;
use super::super::sentence::{self, Segment, is_preface};
use super::super::statement::{self, Mood};
use super::super::token::{Kind, Token};
use super::super::verbs::{Aim, Change, Form, verb};
use super::super::{Loose, PARTS_MAX, Part, Phrase, Span};
use super::Reader;

/// Verbs that say how other work is done as often as they ask for some.
const OF_MANNER: &[&str] = &["use"];

/// First words of what only says how a part is done, though something follows them as a verb.
const NO_COMMANDS: &[&str] = &[
    "even", "except", "keep", "keeping", "leave", "like", "maybe", "namely", "not", "perhaps",
    "plus", "say", "see", "such", "than", "unlike", "via",
];

/// What somebody who looked has to say.
pub(super) const FINDINGS: &[&str] = &[
    "answer",
    "answers",
    "assessment",
    "bugs",
    "conclusion",
    "conclusions",
    "finding",
    "findings",
    "issues",
    "notes",
    "observations",
    "problems",
    "recommendation",
    "recommendations",
    "report",
    "result",
    "results",
    "review",
    "summary",
];

/// What joins two clauses has at most so many words and marks.
const JOINT_TOKENS_MAX: usize = 3;

/// The title of a request has at most so many words.
const TITLE_WORDS_MAX: usize = 6;

impl Reader<'_> {
    /// What the clause that a segment begins does. A condition is none of its own.
    pub(super) fn mood(&self, segment: Segment, to: usize) -> Mood {
        let lead = segment.lead;
        match lead.is_before || lead.is_after || lead.is_with {
            true => Mood::Names,
            false => statement::mood(&self.tokens[segment.from..to]),
        }
    }

    /// Whether a segment tells something, or goes on with what does.
    pub(super) fn is_told(&self, mood: Mood, segment: Segment, is_telling: bool) -> bool {
        let lead = segment.lead;
        let before = segment.from.checked_sub(1).map(|at| &self.tokens[at]);
        let is_asked = before.is_some_and(|it| it.is_any(&["please", "pls", "plz", "so", "then"]));
        // `We use it and build on it`: the subject is the same.
        let has_subject = lead.is_and && !lead.is_list && !lead.is_then && !is_asked;
        match mood {
            Mood::Tells => true,
            Mood::Names => is_telling,
            Mood::Asks => is_telling && has_subject,
            Mood::MayAsk => false,
        }
    }

    /// Keeps a segment that only tells something, with the one before it if that does, too.
    pub(super) fn tell(&mut self, segment: Segment, is_telling: bool) {
        match self.told.last_mut().filter(|_| is_telling) {
            Some(last) => last.1 = segment.to,
            None => self.told.push((segment.from, segment.to)),
        }
    }

    /// Whether who asks tells of himself or others: in a list, anything else is one more item.
    pub(super) fn is_of_who_asks(&self, from: usize, to: usize) -> bool {
        let first = self.tokens[from..to].iter().find(|token| token.is_word());
        first.is_some_and(|first| {
            let who = first.lower.split('\'').next().unwrap_or_default();
            let persons = [
                "be", "i", "keep", "keeping", "no", "note", "thanks", "they", "we", "you",
            ];
            persons.contains(&who)
        })
    }

    /// Whether a segment names another thing that comes before or after what was said: `and writing
    /// its tests`.
    pub(super) fn goes_on_in_time(&self, segment: Segment) -> bool {
        let lead = segment.lead;
        let joined = (lead.is_and || lead.is_list) && !lead.is_before && !lead.is_after;
        let first = self.tokens.get(segment.from);
        let form = first.and_then(|it| verb(&it.lower)).map(|(.., form)| form);
        joined && form == Some(Form::Gerund)
    }

    /// Whether a condition is of what somebody does anyway: `before we upgraded it`. What `you` have
    /// done after which something comes is asked for.
    pub(super) fn is_done_anyway(&self, segment: Segment) -> bool {
        let tokens = &self.tokens[segment.from..segment.to];
        let is_you = tokens.first().is_some_and(|it| it.lower.starts_with("you"));
        let is_anything = segment.lead.is_before && statement::is_of_anything(tokens);
        is_anything || statement::has_subject(tokens) && !(segment.lead.is_after && is_you)
    }

    /// Whether a condition asks for what it names: `before you refactor the parser`.
    pub(super) fn asks_before(&self, (from, to): (usize, usize), is_before: bool) -> bool {
        let tokens = &self.tokens[from..to];
        let mut named = (0..tokens.len()).filter_map(|at| roles::mention(&tokens[at..]));
        let is_noun = is_before && !statement::has_subject(tokens);
        if is_noun && named.any(|(it, _)| it.role != "devops") {
            // `before the implementation of it`
            return true;
        }
        let [you, does, ..] = tokens else {
            return false;
        };
        // `Before it is documented`: nobody else says that it is.
        let is_passive =
            you.is_any(&["it", "that", "they", "this"]) && does.is_any(&["are", "gets", "is"]);
        let rest: Vec<&Token> = tokens[2..].iter().filter(|it| it.is_word()).collect();
        if let (true, true, [done]) = (is_before, is_passive, rest.as_slice()) {
            return sentence::work_done(done).is_some_and(|it| it.1 != Change::Deploy);
        }
        let known = verb(&does.lower).map(|it| it.1.aim());
        let then = self.tokens[from..to].get(2);
        let alters = match known {
            Some(aim) => aim == Aim::Alteration,
            None => then.is_some_and(|it| it.is_any(&["a", "an", "the", "your"])),
        };
        you.is("you") && alters
    }

    /// Whether a verb goes on with what the one before it makes something do: `make it skip it and
    /// log it`. What is a role's work is asked for.
    pub(super) fn is_caused_too(&self, segment: Segment, head: Option<usize>) -> bool {
        let lead = segment.lead;
        let is_joined = lead.is_and && !lead.is_list && !lead.is_then && !lead.is_colon;
        let part = head.and_then(|head| self.request.parts.get(head));
        let Some(part) = part.filter(|_| is_joined) else {
            return false;
        };
        let text = part.text.to_lowercase();
        let mut words = text
            .split(' ')
            .skip_while(|word| !["have", "let", "make"].contains(word));
        let does = words
            .nth(1)
            .is_some_and(|it| ["it", "them", "this"].contains(&it))
            && words
                .next()
                .and_then(verb)
                .is_some_and(|it| it.2 == Form::Base);
        let tokens = &self.tokens[segment.from..segment.to];
        does && !(0..tokens.len()).any(|at| roles::mention(&tokens[at..]).is_some())
    }

    /// The verb of one more thing that something is to have done with it: `have it reviewed by security
    /// and documented`.
    pub(super) fn is_had_too(
        &self,
        segment: Segment,
        head: Option<usize>,
    ) -> Option<(usize, &'static str, Change)> {
        let lead = segment.lead;
        let part = self.request.parts.get(head?)?;
        let own = part.verb.as_ref()?.span;
        let before = self.text.get(part.span.start..own.start)?.to_lowercase();
        let is_had = before.starts_with("have ") || before.starts_with("get ");
        let done = sentence::work_done(&self.tokens[segment.from])?;
        let is_joined = (lead.is_and || lead.is_list) && !lead.is_with && !lead.is_colon;
        (is_had && is_joined).then_some((segment.from, done.0, done.1))
    }

    /// The verb of a segment that may begin with a noun as well, where what stands before it in its
    /// list begins with verbs: `extract strings, translate to Spanish, test right-to-left layouts`.
    pub(super) fn is_of_verbs(
        &self,
        segments: &[Segment],
        first_part: usize,
    ) -> Option<(usize, &'static str, Change)> {
        let (segment, before) = segments.split_last()?;
        let is_joined = |it: &Segment| {
            let lead = it.lead;
            (lead.is_list || lead.is_and) && !lead.is_with && !lead.is_before && !lead.is_after
        };
        let [.., first, second] = before else {
            return None;
        };
        let begins = |it: &Segment| {
            let at = self.tokens[it.from].span;
            let mut parts = self.request.parts[first_part..].iter();
            parts.any(|part| part.verb.as_ref().is_some_and(|verb| verb.span == at))
        };
        let is_listed = is_joined(segment) && is_joined(second);
        if !is_listed || !begins(first) || !begins(second) || segment.to < segment.from + 2 {
            return None;
        }
        let tokens = &self.tokens[segment.from..segment.to];
        let names_more = roles::mention(tokens).is_some_and(|(_, length)| length > 1);
        let (base, change, form) = verb(&tokens[0].lower)?;
        let is_verb = form == Form::Base && tokens[0].kind == Kind::Word && !names_more;
        is_verb.then_some((segment.from, base, change))
    }

    /// Whether a segment says to report what is judged: `audit the policies and list what is open`. Who
    /// judges reports.
    pub(super) fn is_of_judgment(
        &self,
        segment: Segment,
        (_, word, _): (usize, &'static str, Change),
        head: Option<usize>,
    ) -> bool {
        let lead = segment.lead;
        let is_joined = lead.is_and && !lead.is_list && !lead.is_then && !lead.is_colon;
        let part = head.and_then(|head| self.request.parts.get(head));
        let judges = part.and_then(|it| it.verb.as_ref());
        let judges = judges.is_some_and(|it| it.change == Change::Review);
        let tokens = &self.tokens[segment.from..segment.to];
        let is_more = tokens
            .iter()
            .any(|it| it.is_any(&["that", "what", "which"]));
        // `And send me your remarks`
        let is_sent = ["give", "send", "show"].contains(&word)
            && tokens.iter().any(|it| it.is_any(&["me", "us"]));
        let reports = is_more && ["list", "report", "summarize"].contains(&word);
        is_joined && judges && (reports || is_sent)
    }

    /// Whether a segment says into which file that goes which a part judges or finds out.
    pub(super) fn keeps_findings(&self, segment: Segment, head: Option<usize>) -> bool {
        const KEEPING: &[&str] = &[
            "collect",
            "deliver",
            "document",
            "gather",
            "give",
            "list",
            "note",
            "provide",
            "put",
            "record",
            "report",
            "save",
            "store",
            "summarize",
            "write",
        ];
        let part = head.and_then(|head| self.request.parts.get(head));
        let finds = part.and_then(|it| it.verb.as_ref());
        let finds = finds.map(|it| it.change.aim());
        let tokens = &self.tokens[segment.from..segment.to];
        let mut words = tokens.iter().skip_while(|it| is_preface(it));
        let keeps = words.next().is_some_and(|it| it.is_any(KEEPING));
        let is_what =
            |pair: &[Token]| pair[0].is("what") && pair[1].is_any(&["i", "is", "we", "you"]);
        let is_found =
            tokens.iter().any(|it| it.is_any(FINDINGS)) || tokens.windows(2).any(is_what);
        // What is recorded of something found out is one more item of a list.
        let finds = match finds {
            Some(Aim::Judgment) => true,
            Some(Aim::Finding) => !segment.lead.is_list,
            _ => false,
        };
        finds
            && !segment.lead.is_colon
            && (keeps && is_found || self.findings_go(segment))
            && tokens.iter().any(|it| it.kind == Kind::Path)
    }

    /// `The findings go into audit.md`.
    fn findings_go(&self, segment: Segment) -> bool {
        let words = self.words(segment);
        let determiners = ["all", "any", "my", "the", "your"];
        let mut words = words.iter().skip_while(|it| it.is_any(&determiners));
        let is_found = words.next().is_some_and(|it| it.is_any(FINDINGS));
        let goes = [
            "are", "be", "belong", "go", "goes", "is", "must", "shall", "should",
        ];
        let is_going = words.next().is_some_and(|it| it.is_any(&goes));
        let is_put = words.any(|it| it.is_any(&["in", "into", "to", "under"]));
        is_found && is_going && is_put
    }

    /// Keeps parts of which nobody can say whether they are work of operations, where the request
    /// speaks of that.
    pub(super) fn doubt_whose(&mut self) {
        let parts = &self.request.parts;
        let mut mentions =
            (0..self.tokens.len()).filter_map(|at| roles::mention(&self.tokens[at..]));
        if !mentions.any(|(it, _)| roles::is_of_operations(&it)) {
            return;
        }
        let may_be =
            |part: &&Part| part.role == roles::DEVELOPER && roles::may_be_of_operations(&part.text);
        let doubtful = parts.iter().filter(may_be).map(|part| part.span);
        let doubtful = doubtful.map(|span| {
            let at = |place| self.tokens.partition_point(|it| it.span.start < place);
            (at(span.start), at(span.end))
        });
        let doubtful: Vec<(usize, usize)> = doubtful.collect();
        self.guessed.extend(doubtful);
    }

    /// Whether a segment says what each of several has: `each with its own tests`.
    pub(super) fn is_of_each(&self, segment: Segment, head: Option<usize>) -> bool {
        let [.., each, _] = &self.tokens[..segment.from] else {
            return false;
        };
        head.is_some() && segment.lead.is_with && each.is_any(&["both", "each"])
    }

    /// Whether a verb says what was done, as a condition goes on: `once it is written and tested`.
    pub(super) fn is_past(
        &self,
        segment: Segment,
        (at, ..): (usize, &'static str, Change),
    ) -> bool {
        let form = verb(&self.tokens[at].lower).map(|(.., form)| form);
        let lead = segment.lead;
        form == Some(Form::Past) && at == segment.from && !lead.is_after && !lead.is_colon
    }

    /// Whether a verb is about what was told before of somebody's work: `The guide is old. Rewrite it`.
    fn is_of_told(&self, at: usize) -> bool {
        let object = self.tokens.get(at + 1);
        let is_pronoun = object.is_some_and(|it| it.is_any(&["it", "them", "this", "these"]));
        let named = |&(from, to): &(usize, usize)| {
            let mut named = (from..to).filter_map(|at| roles::mention(&self.tokens[at..to]));
            named.any(|(it, _)| it.role != roles::DEVELOPER)
        };
        is_pronoun && self.request.parts.is_empty() && self.told.iter().any(named)
    }

    /// Keeps a part whose verb may tell something: how another one is done, what was done, or what
    /// was asked for before.
    pub(super) fn doubt(
        &mut self,
        segment: Segment,
        (at, word, _): (usize, &'static str, Change),
        number: usize,
    ) {
        let lead = segment.lead;
        let form = verb(&self.tokens[at].lower).map(|(.., form)| form);
        let is_first = number == 0 && at == segment.from && !lead.is_before && !lead.is_after;
        let is_told = matches!(form, Some(Form::Past | Form::Third));
        let is_of_manner = OF_MANNER.contains(&word) && !self.request.parts.is_empty();
        // `I want it published. So test it, then publish it`: both say the same.
        let before = segment.from.checked_sub(1).map(|at| &self.tokens[at]);
        let concludes = before.is_some_and(|it| it.is("so")) && !self.request.parts.is_empty();
        // `Fix it, but don't just add retries`
        let plays_down = |it: &Token| it.is_any(&["just", "merely", "only", "simply"]);
        // `The old one is fine, just link to it`
        let told = self.told.last().map(|&(_, to)| to);
        let is_behind_told = number > 0 && told.is_some_and(|to| to + 1 == segment.from);
        let lead_in = self.tokens.get(segment.from..at).unwrap_or_default();
        let is_just = (before.is_some_and(plays_down)
            || is_behind_told && lead_in.iter().any(plays_down))
            && !self.request.parts.is_empty();
        let is_doubtful = is_told || is_of_manner || concludes || self.is_of_told(at);
        if is_first && is_doubtful || is_just {
            self.guessed.push((segment.from, segment.to));
        }
    }

    /// What an `it` stands for belongs to what is to be done with it: `the icon is blurry, replace it`.
    pub(super) fn with_told(
        &mut self,
        segment: Segment,
        (at, ..): (usize, &'static str, Change),
    ) -> Segment {
        const NAMING_NONE: &[&str] = &[
            "i", "it", "that", "there", "these", "they", "this", "we", "you",
        ];
        let object = self.tokens.get(at + 1);
        let is_of_it = object.is_some_and(|it| it.is_any(&["it", "them"]));
        let told = self.told.last().copied();
        let told = told.filter(|&(from, to)| {
            let who = self.tokens[from].lower.split('\'').next();
            let is_near = to <= segment.from && segment.from - to <= JOINT_TOKENS_MAX;
            is_near && !who.is_some_and(|who| NAMING_NONE.contains(&who))
        });
        let Some((from, to)) = told.filter(|_| is_of_it) else {
            return segment;
        };
        self.told.pop();
        let leads = ["also", "and", "but", "oh", "ok", "so"];
        let lead = { self.tokens[from..to].iter() }.take_while(|it| it.is_any(&leads));
        let begin = from + lead.count();
        self.read.push((from, begin));
        Segment {
            from: begin,
            ..segment
        }
    }

    /// Whether a segment says when the next one is to be done: `and if it does, replace it`.
    pub(super) fn is_condition_of_next(&self, segments: &[Segment]) -> bool {
        let [segment, next, ..] = segments else {
            return false;
        };
        let is_if = self.tokens[segment.from].is("if") && segment.lead.is_and;
        let does = verb(&self.tokens[next.from].lower).map(|(.., form)| form);
        is_if && next.lead.is_list && !next.lead.is_and && does == Some(Form::Base)
    }

    /// Keeps a condition of what somebody changes: `if you change the flags` may ask for that, and
    /// what comes with it is not all that may change.
    pub(super) fn doubt_condition(&mut self, segment: Segment) {
        const CONDITIONS: &[&str] = &["if", "when", "whenever"];
        let tokens = &self.tokens[segment.from..segment.to];
        let mut places = (0..tokens.len()).filter(|&at| tokens[at].is_any(CONDITIONS));
        let does = |at: &usize| sentence::does_work(&tokens[at + 1..], &["i", "we", "you"]);
        if let Some(at) = places.find(does) {
            self.asking.push((segment.from + at, segment.to));
        }
    }

    /// Whether a segment may be a command with a verb that is not known, so that it is no part.
    pub(super) fn may_be_command(&self, segment: Segment) -> bool {
        let lead = segment.lead;
        let is_joined =
            lead.is_and || lead.is_list || lead.is_then || lead.is_last || lead.is_first;
        let first = self.tokens[segment.from..segment.to].first();
        let is_word = first.is_some_and(|it| !it.lower.ends_with("ly") && !it.is_any(NO_COMMANDS));
        is_joined && is_word && self.is_command(segment)
    }

    /// Whether a segment names work of which the next one says when: `code after that`.
    pub(super) fn is_work_in_order(&self, segment: Segment) -> bool {
        let lead = segment.lead;
        let next = self.tokens.get(segment.to);
        let is_ordered = next.is_some_and(|it| it.is_any(&["after", "afterward", "afterwards"]));
        (lead.is_list || lead.is_and) && is_ordered && self.begins_with_work(segment)
    }

    /// A first line that only names something is the title of what follows: `Docs site cleanup`.
    pub(super) fn title(&mut self) {
        let request = &self.request;
        let (Some(first), Some(part)) = (request.sentences.first(), request.parts.first()) else {
            return;
        };
        let between = self
            .text
            .get(first.end..part.span.start)
            .unwrap_or_default();
        let is_line = between.starts_with(['\n', ':']) && first.start == 0;
        let to = self.tokens.partition_point(|it| it.span.start < first.end);
        let tokens = &self.tokens[..to];
        let words = tokens.iter().filter(|it| it.is_word()).count();
        let names = statement::mood(tokens) == Mood::Names;
        if request.goal.is_none() && is_line && names && (2..=TITLE_WORDS_MAX).contains(&words) {
            self.request.goal = Some(self.phrase(0, to));
        }
    }

    /// Keeps what became nothing, so that it is told, or nothing is divided.
    pub(super) fn leave_loose(&mut self) {
        let request = &self.request;
        let parts = request.parts.iter().map(|part| part.span);
        let forbidden = request.exclusions.iter().chain(&request.bounds);
        let heads = request.goal.iter().chain(&request.prefix);
        let mut read: Vec<Span> = parts
            .chain(forbidden.map(|it| it.span))
            .chain(heads.map(|it| it.span))
            .chain(self.read.iter().map(|&(from, to)| self.span(from, to)))
            .collect();
        let begins = |span: Span| {
            request
                .parts
                .iter()
                .any(|part| part.span.start == span.start)
        };
        let mut said: Vec<(Span, bool)> = Vec::new();
        for (list, asks) in [(&self.told, false), (&self.asking, true)] {
            let spans = list.iter().map(|&(from, to)| (self.span(from, to), asks));
            said.extend(spans.filter(|(span, _)| span.start < span.end && !begins(*span)));
        }
        read.extend(said.iter().map(|(span, _)| *span));
        read.sort_unstable();
        let mut loose = loose::loose(self.text, self.tokens, &request.sentences, &read);
        said.sort_unstable();
        let told = said.into_iter().map(|(span, asks)| Loose {
            span,
            text: super::squeezed(&self.text[span.start..span.end]),
            may_be_work: asks,
            is_told: true,
        });
        loose.extend(told.take(PARTS_MAX));
        loose.sort_unstable_by_key(|it| it.span);
        let is_divided = request.parts.len() > 1;
        let has_files = |span: Span| {
            let mut parts = request.parts.iter();
            parts.any(|part| part.span.holds(span) && !part.files.is_empty())
        };
        let more = |&(from, to): &(usize, usize), is_told: bool| {
            let Phrase { span, text } = self.phrase(from, to);
            Loose {
                span,
                text,
                may_be_work: true,
                is_told,
            }
        };
        // A heading is no part any more.
        let guessed = self.guessed.iter().map(|it| more(it, false));
        let guessed = guessed.filter(|it| is_divided && begins(it.span));
        let asking = self.asking.iter().map(|it| more(it, true));
        let asking = asking.filter(|it| begins(it.span));
        let swallowed = self.swallowed.iter().map(|it| more(it, false));
        let swallowed = swallowed.filter(|it| is_divided || has_files(it.span));
        let more: Vec<Loose> = guessed.chain(asking).chain(swallowed).collect();
        loose.extend(more);
        self.request.loose = loose;
    }
}
