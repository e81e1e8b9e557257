//! Items of lists: each is one part, or says that there is none.

use super::super::Shape;
use super::super::sentence::{self, Item, is_short, verb_at};
use super::super::statement::{self, Mood};
use super::super::token::{Kind, Token};
use super::{Condition, Reader, approval};

/// The title of an item, in a line of its own, has at most so many words.
const TITLE_WORDS_MAX: usize = 4;

/// With these, a question is answered that asks for nothing then.
const DENYING: &[&str] = &["nah", "no", "nope"];

impl<'t> Reader<'t> {
    /// How the item is marked that begins here.
    pub(super) fn marker(&self, from: usize) -> &'t str {
        let before = from.checked_sub(1).map(|at| &self.tokens[at]);
        let marker = before.filter(|it| matches!(it.kind, Kind::Item { .. }));
        marker.map_or("", |it| &self.text[it.span.start..it.span.end])
    }

    /// Whether an item is marked as done already: `- [x] docs`, `1. ~~docs~~`.
    pub(super) fn is_done(&self, (from, to): (usize, usize)) -> bool {
        let marker = self.marker(from).to_ascii_lowercase();
        let span = self.span(from, to);
        let line = self.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let before = self.text[line..span.start].trim_end();
        let struck = before.ends_with("~~") || self.text[span.start..].starts_with("~~");
        let behind = self.text[span.start..].lines().next().unwrap_or_default();
        marker.contains("[x]") || struck && behind.trim_end().ends_with("~~")
    }

    /// An item of a list is one part, whatever it consists of.
    pub(super) fn item(
        &mut self,
        pieces: &[(usize, usize)],
        item: Item,
        standing: sentence::Standing,
    ) {
        let (title, pieces) = self.without_told(pieces);
        let (Some(&(from, _)), Some(&(_, to))) = (pieces.first(), pieces.last()) else {
            return;
        };
        let shape = match item {
            Item::Bullet => Shape::Item,
            Item::Number => Shape::Numbered,
        };
        let (mut segments, _) = sentence::segments(self.tokens, (from, to));
        let Some(first) = segments.first_mut() else {
            return;
        };
        self.skip_lead_in(first);
        approval::cut(self.tokens, &mut segments);
        if self.is_of_what((from, to)) {
            self.append(from, to);
            return;
        }
        if self.is_wait(&segments) {
            self.told.extend(self.waiting.replace((from, to)));
            return;
        }
        let (when, segments) = self.apart_from_when(&segments);
        let Some(&first) = segments.first() else {
            return;
        };
        match statement::mood(&self.tokens[first.from..to]) {
            Mood::Tells if self.is_of_who_asks(first.from, to) => {
                self.told.push((from, to));
                return;
            }
            Mood::Tells | Mood::MayAsk => self.asking.push((first.from, to)),
            Mood::Asks | Mood::Names => {}
        }
        // `Backend: add the endpoint` has its verb behind the colon.
        let found = segments.iter().take(2).find_map(|segment| {
            let is_head = *segment == first || segment.lead.is_colon;
            let found = verb_at(self.tokens, *segment, true);
            found.filter(|_| is_head)
        });
        let label = segments.get(1).is_some_and(|it| it.lead.is_colon);
        let lead = first.lead;
        self.push(
            first.from,
            to,
            shape,
            found.map(|found| self.verb(found)),
            &pieces,
        );
        let at = self.request.parts.len() - 1;
        if let Some(title) = title {
            let part = &mut self.request.parts[at];
            let behind = part.text.strip_prefix(title.as_str()).map(str::trim_start);
            if let Some(behind) = behind.filter(|it| !it.is_empty()) {
                part.text = format!("{title}: {behind}");
            }
        }
        self.place(at, lead.is_then, lead);
        self.conditions
            .extend(when.map(|(words, is_before)| Condition {
                part: at,
                words,
                is_before,
            }));
        if label {
            self.of_label(at, first);
        }
        self.of_list(at);
        self.of_group(at, standing);
    }

    /// The pieces of an item without its sentences that only tell something, and its title, if it has one
    /// in a line of its own. Where nothing else is left, it says nothing.
    fn without_told(&mut self, pieces: &[(usize, usize)]) -> (Option<String>, Vec<(usize, usize)>) {
        let title = pieces.first().and_then(|&piece| self.titled(piece));
        let mut sentences: Vec<(usize, usize)> = Vec::new();
        for (number, &(from, to)) in pieces.iter().enumerate() {
            let begin = match title.filter(|_| number == 0) {
                Some(end) => {
                    sentences.push((from, end));
                    end + 1
                }
                None => from,
            };
            sentences.extend(self.split((begin, to)));
        }
        if sentences.len() < 2 {
            return (None, pieces.to_vec());
        }
        let name = title.map(|_| self.phrase(sentences[0].0, sentences[0].1).text);
        let first = usize::from(title.is_some());
        let moods: Vec<Mood> = { sentences.iter() }
            .map(|&(from, to)| statement::mood(&self.tokens[from..to]))
            .collect();
        // Under a title, what stands before the first command says why.
        let command = moods[first..].iter().position(|it| *it == Mood::Asks);
        let command = command.map_or(first, |at| first + at);
        let mut kept: Vec<(usize, usize)> = Vec::new();
        let mut at = 0;
        while let Some(&(from, to)) = sentences.get(at) {
            let next = sentences.get(at + 1).copied();
            if let Some((begin, end)) = next.filter(|next| self.is_denied(to, next.0)) {
                let asks = self.asks_behind((begin, end));
                let list = if asks {
                    &mut self.asking
                } else {
                    &mut self.told
                };
                list.push((from, end));
                at += 2;
                continue;
            }
            let is_told = match title {
                Some(_) => (first..command).contains(&at) && moods[at] != Mood::MayAsk,
                None => {
                    let is_own = self.is_of_who_asks(from, to);
                    kept.is_empty() && moods[at] == Mood::Tells && is_own && next.is_some()
                }
            };
            match kept.last_mut() {
                _ if is_told => self.told.push((from, to)),
                // What was not cut stays in one piece, a title aside.
                Some(last) if last.1 + 1 >= from && !(title.is_some() && at == first) => {
                    last.1 = to;
                }
                _ => kept.push((from, to)),
            }
            at += 1;
        }
        (name, kept)
    }

    /// Where the title of an item ends that says more in the lines below.
    fn titled(&self, (from, to): (usize, usize)) -> Option<usize> {
        let line = (from..to).find(|&at| self.tokens[at].kind == Kind::Line)?;
        let title = &self.tokens[from..line];
        let is_name = title.iter().all(Token::is_word)
            && (1..=TITLE_WORDS_MAX).contains(&title.len())
            && statement::mood(title) == Mood::Names;
        let next = self.tokens[line + 1..to]
            .first()
            .filter(|it| it.is_word())?;
        let begins = self.text[next.span.start..].starts_with(char::is_uppercase);
        (is_name && begins).then_some(line)
    }

    /// The sentences of an item, without what ends them.
    fn split(&self, (from, to): (usize, usize)) -> Vec<(usize, usize)> {
        let ends = |at: &usize| {
            let token = &self.tokens[*at];
            let before = at.checked_sub(1).map(|before| &self.tokens[before]);
            matches!(token.kind, Kind::Mark('.' | '!' | '?'))
                && !token.is_aside
                && !before.is_some_and(is_short)
        };
        let mut found = Vec::new();
        let mut begin = from;
        for end in (from..to).filter(ends).chain([to]) {
            if self.tokens[begin..end].iter().any(Token::is_word) {
                found.push((begin, end));
            }
            begin = (end + 1).min(to);
        }
        found
    }

    /// Whether a sentence asks something that the next one denies: `Tell them? No, support does.`
    fn is_denied(&self, end: usize, next: usize) -> bool {
        let asks = self.tokens.get(end).is_some_and(|it| it.is_mark('?'));
        let mut words = self.tokens[next..].iter().skip_while(|it| !it.is_word());
        let denies = words.next().is_some_and(|it| it.is_any(DENYING));
        // `No rush` denies nothing.
        let is_alone = words.next().is_none_or(|it| !it.is_word());
        asks && denies && is_alone
    }

    /// Whether behind such an answer something else is asked for: `No, tell the owner.`
    fn asks_behind(&self, (from, to): (usize, usize)) -> bool {
        let mut clauses = self.tokens[from + 1..to].split(|it| !it.is_word());
        clauses.any(|clause| statement::mood(clause) == Mood::Asks)
    }
}
