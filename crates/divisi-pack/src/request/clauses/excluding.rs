//! What a sentence excludes, and the words around it that only lead in what is to be done.

use super::super::exclusion::{self, Says};
use super::super::roles::Standing;
use super::super::sentence::{self, Segment};
use super::super::token::{Kind, Token};
use super::super::verbs::{Form, Verb, verb};
use super::super::{Exclusion, File, KeptArea, PARTS_MAX, Phrase};
use super::Reader;

impl<'t> Reader<'t> {
    /// Keeps what some tokens exclude.
    pub(super) fn exclude(&mut self, from: usize, to: usize, says: Says) {
        let tokens = &self.tokens[from..to];
        // `Do not touch the tests unless they are wrong`: nobody but who looks can tell.
        let behind = self.tokens.get(to);
        let depends = behind.is_some_and(|it| it.is_any(&["except", "if", "unless"]));
        let (kept, areas) = match says {
            _ if depends => (Vec::new(), Vec::new()),
            Says::Bounds => (Vec::new(), Vec::new()),
            Says::Spares => (exclusion::files(tokens), exclusion::areas(tokens, true)),
            Says::Excludes => (exclusion::kept(tokens), exclusion::areas(tokens, false)),
        };
        let kept = self.paths(from, kept);
        self.put((from, to), says == Says::Bounds, (kept, areas));
    }

    /// The same of what stands in a section of such, behind its label, if that stands there, too.
    pub(super) fn exclude_in_section(&mut self, (from, to): (usize, usize), begin: usize) {
        let kept = exclusion::kept_in_section(&self.tokens[begin..to]);
        let kept = self.paths(begin, kept);
        let areas = exclusion::areas(&self.tokens[begin..to], true);
        self.put((from, to), false, (kept, areas));
    }

    /// Keeps what a request in another language excludes. What of it is left, if anything is: who only
    /// forbids asks for nothing that is known.
    pub(super) fn without_foreign(&mut self) -> Vec<(usize, usize)> {
        let all = (0, self.tokens.len());
        let found = exclusion::foreign(self.tokens);
        let spans = found.iter().map(|&((from, to), _)| (from, to));
        let pieces = super::rest(all.0, all.1, spans);
        let says = |&(from, to): &(usize, usize)| self.tokens[from..to].iter().any(Token::is_word);
        if !pieces.iter().any(says) {
            return vec![all];
        }
        for (span, files) in found {
            let kept = self.paths(0, files);
            self.put(span, false, (kept, Vec::new()));
        }
        for excluded in &mut self.request.exclusions {
            excluded.mentions.clear();
            excluded.verb = None;
        }
        pieces
    }

    fn put(
        &mut self,
        (from, to): (usize, usize),
        is_bound: bool,
        (kept, areas): (Vec<String>, Vec<KeptArea>),
    ) {
        let Phrase { span, text } = self.phrase(from, to);
        let found = self.tokens[from..to].iter().find_map(|token| {
            let (word, change, _) = verb(&token.lower).filter(|_| token.kind == Kind::Word)?;
            Some(Verb {
                span: token.span,
                word,
                change,
            })
        });
        let (mentions, mut files) = self.named(from, to, 0);
        if is_bound {
            files.extend(self.folders(from, to));
        }
        let list = match is_bound {
            true => &mut self.request.bounds,
            false => &mut self.request.exclusions,
        };
        if list.len() < PARTS_MAX {
            list.push(Exclusion {
                span,
                text,
                verb: found,
                mentions,
                files,
                kept,
                areas,
            });
        }
    }

    /// The files at some places behind a token, as written or as the pattern of a usual one.
    fn paths(&self, from: usize, places: Vec<usize>) -> Vec<String> {
        let paths = places.into_iter().map(|at| {
            let token = &self.tokens[from + at];
            match exclusion::usual_file(token) {
                Some(pattern) => pattern.to_owned(),
                None => self.text[token.span.start..token.span.end].to_owned(),
            }
        });
        paths.collect()
    }

    /// Folders that are named without a mark of one, where only files and folders are meant.
    fn folders(&self, from: usize, to: usize) -> impl Iterator<Item = File> + use<'_, 't> {
        let tokens = self.tokens[from..to].iter();
        let folders = tokens.filter(|it| it.kind == Kind::Word && exclusion::is_place(it));
        folders.map(|it| File {
            span: it.span,
            text: self.text[it.span.start..it.span.end].to_owned(),
            standing: Standing::Object,
            is_direct: true,
        })
    }

    /// Behind an exclusion, `when you bump it` asks for it: where it begins without its `when`.
    pub(super) fn without_when(&mut self, from: usize, begin: usize, end: usize) -> usize {
        let is_command = match &self.tokens[begin..end] {
            [when, who, what, ..] if begin > from => {
                when.is_any(&["as", "when", "while"])
                    && who.is_any(&["i", "we", "you"])
                    && verb(&what.lower).is_some_and(|(.., form)| form == Form::Base)
            }
            _ => false,
        };
        if is_command {
            self.read.push((begin, begin + 1));
        }
        begin + usize::from(is_command)
    }

    /// Takes `don't forget to` and its like from a segment: what follows is to be done.
    pub(super) fn skip_lead_in(&mut self, segment: &mut Segment) {
        let length = sentence::leads_in(&self.tokens[segment.from..segment.to]);
        if length > 0 {
            self.read.push((segment.from, segment.from + length));
            segment.from += length;
        }
    }
}
