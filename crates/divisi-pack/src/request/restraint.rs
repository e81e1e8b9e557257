//! What a request holds back in plain words: a person's word that work is to wait for, and files that
//! are to stay as they are.
//!
//! Rules know some ways to say so, and people know more. What is said and not understood costs more
//! here than anywhere else, so the words themselves are looked for, apart from all structure. What
//! becomes of them stands in docs/design/shown.md.

use super::{Exclusion, Request, Span};

/// Words that ask for a person's word, as they stand one after the other.
const WORD: &[&str] = &[
    "my ok",
    "my okay",
    "my go-ahead",
    "my go ahead",
    "my approval",
    "my consent",
    "my permission",
    "my sign-off",
    "my say-so",
    "check with me",
    "wait for me",
    "let me review",
    "let me see",
    "let me check",
    "let me look",
    "let me decide",
    "let me choose",
    "let me approve",
    "let me confirm",
    "i will choose",
    "i'll choose",
    "i choose",
    "i will decide",
    "i'll decide",
    "i decide",
    "i pick",
    "i will pick",
    "i'll pick",
    "i approve",
    "i have approved",
    "i've approved",
    "i agree",
    "i have agreed",
    "i say so",
    "i say go",
    "i said so",
    "i confirm",
    "i have confirmed",
    "i sign off",
    "i have signed",
    "i've signed",
    "i signed",
    "i give my",
    "i have reviewed",
    "i've reviewed",
    "meiner freigabe",
    "meine freigabe",
    "meiner zustimmung",
    "meine zustimmung",
    "mein ok",
    "mein okay",
    "frag mich",
    "frage mich",
    "mon accord",
    "mon approbation",
    "mon feu vert",
];

/// The same where they begin a sentence, or follow one of [`JOINTS`]: `the dialog should ask me` asks
/// for none.
const ASKED: &[&str] = &["ask me", "show me", "demande-moi", "demandez-moi"];
const JOINTS: &[&str] = &[
    "and", "but", "first", "please", "then", "und", "et", "always",
];

/// Beside [`ASKED`]: that something waits. `Show me how it works` does not.
const WAITS: &[&str] = &["before", "first", "until", "bevor", "avant", "then"];

/// Words that say that files are to stay as they are.
const UNCHANGED: &[&str] = &[
    "nothing else",
    "anything else",
    "everything else",
    "no other file",
    "no other files",
    "any other file",
    "any other files",
    "only this file",
    "as it is",
    "as they are",
    "as is",
    "off limits",
    "off-limits",
    "untouched",
    "unchanged",
    "no changes",
    "no change to",
    "hands off",
    "unverändert",
    "unberührt",
    "inchangé",
    "inchangés",
    "intact",
    "must stay",
    "should stay",
    "has to stay",
    "have to stay",
    "stay out",
    "keep out",
    "only edit",
    "only touch",
    "only change",
    "only modify",
];

/// The same in statements, too: `the tests are read-only`.
const HELD: &[&str] = &["keep the existing", "read-only", "read only"];

/// Words that deny, and what is done to files: `must not be changed`, `don't touch`.
const DENIALS: &[&str] = &[
    "not",
    "never",
    "don't",
    "dont",
    "cannot",
    "can't",
    "mustn't",
    "without",
    "forbidden",
    "nobody",
    "nicht",
    "ohne",
    "ne",
    "sans",
    "no",
    "nothing",
    "neither",
];
const CHANGES: &[&str] = &[
    "change",
    "changed",
    "changes",
    "changing",
    "modify",
    "modified",
    "modifying",
    "touch",
    "touched",
    "touching",
    "edit",
    "edited",
    "editing",
    "alter",
    "altered",
    "delete",
    "deleted",
    "deleting",
    "overwrite",
    "overwritten",
    "ändern",
    "ändere",
    "ändert",
    "geändert",
    "verändern",
    "verändert",
    "anfassen",
    "angefasst",
    "löschen",
    "gelöscht",
    "modifier",
    "modifie",
    "modifié",
    "changer",
    "toucher",
    "touche",
];

/// With one of these a statement is a wish.
const MODALS: &[&str] = &[
    "may", "must", "shall", "should", "can", "darf", "dürfen", "soll", "muss",
];

/// So many words may stand between a denial and what it denies.
const REACH: usize = 4;

/// A request's sentence in small letters, word by word.
struct Sentence<'r> {
    span: Span,
    text: &'r str,
    words: Vec<String>,
}

/// The text's sentences, as marks end them: what the request's parts are does not matter here.
fn sentences(request: &Request) -> impl Iterator<Item = Sentence<'_>> {
    let text = request.text.as_str();
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = end_of_sentence(rest);
        let span = Span {
            start,
            end: start + length,
        };
        start = span.end;
        Some(Sentence::of(span, &rest[..length]))
    })
}

fn end_of_sentence(text: &str) -> usize {
    let ends = text.char_indices().find(|(at, mark)| match mark {
        '\n' => true,
        '.' | '!' | '?' | ';' => text[at + 1..].starts_with(char::is_whitespace),
        _ => false,
    });
    ends.map_or(text.len(), |(at, mark)| at + mark.len_utf8())
}

/// What is only told of how things are holds nothing back: `the file is not changed when I save`.
fn is_told(request: &Request, sentence: &Sentence<'_>) -> bool {
    let mut told = request.loose.iter().filter(|it| it.is_told);
    let indent = sentence.text.len() - sentence.text.trim_start().len();
    let is_told = told.any(|it| it.span.start == sentence.span.start + indent);
    is_told && sentence.places(MODALS).next().is_none()
}

impl<'r> Sentence<'r> {
    fn of(span: Span, text: &'r str) -> Sentence<'r> {
        let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '-');
        let small = text.replace('’', "'").to_lowercase();
        let words = small.split(|c: char| !is_of_word(c));
        let words = words.filter(|word| !word.is_empty()).map(str::to_owned);
        Sentence {
            span,
            text,
            words: words.collect(),
        }
    }

    /// Where one of these stands, by the place of its first word.
    fn places<'s>(&'s self, phrases: &'s [&str]) -> impl Iterator<Item = usize> + 's {
        (0..self.words.len()).filter(move |&at| {
            let stands = |phrase: &&str| {
                let words = phrase.split(' ');
                let here = self.words[at..].iter().map(String::as_str);
                let many = words.clone().count();
                here.take(many).eq(words)
            };
            phrases.iter().any(stands)
        })
    }

    fn asks_for_a_word(&self) -> bool {
        let begins = |at: usize| at == 0 || JOINTS.contains(&self.words[at - 1].as_str());
        let waits = || self.places(WAITS).next().is_some();
        self.places(WORD).next().is_some() || (self.places(ASKED).any(begins) && waits())
    }

    fn holds_files_back(&self) -> bool {
        let denies = |at: usize| {
            let reach = self.words[at + 1..].iter().take(REACH);
            reach.clone().any(|word| CHANGES.contains(&word.as_str()))
        };
        // In German the verb may come before: `ändere README.md nicht`.
        let is_turned = |at: usize| {
            let before = self.words[..at].iter().rev().take(REACH);
            self.words[at] == "nicht" && before.clone().any(|it| CHANGES.contains(&it.as_str()))
        };
        let is_left_alone = self.places(&["leave", "leaving"]).any(|at| {
            let behind = self.words[at..].iter();
            behind.skip(1).any(|word| word == "alone")
        });
        is_left_alone
            || self.places(UNCHANGED).next().is_some()
            || self.places(DENIALS).any(|at| denies(at) || is_turned(at))
    }
}

/// The words that ask for a person's word, if some do: those that were read, otherwise a sentence.
#[must_use]
pub fn word_asked(request: &Request) -> Option<&str> {
    let read = request.approvals.first();
    read.map(|it| it.text.as_str()).or_else(|| {
        let asks = sentences(request).find(Sentence::asks_for_a_word);
        asks.map(|sentence| sentence.text.trim())
    })
}

/// The sentences that say that something is to stay as it is, of which nothing that can be checked was
/// read. `is_bounded` says that all is checked which is not asked for, `is_held` that an exclusion is.
#[must_use]
pub fn unread(
    request: &Request,
    is_bounded: bool,
    is_held: impl Fn(&Exclusion) -> bool,
) -> Vec<&str> {
    let meets = |span: Span, sentence: &Sentence<'_>| {
        span.start < sentence.span.end && sentence.span.start < span.end
    };
    let of_all_else = |sentence: &Sentence<'_>| {
        let mut bounds = request.bounds.iter().filter(|it| it.files.is_empty());
        bounds.any(|it| meets(it.span, sentence))
    };
    let is_read = |sentence: &Sentence<'_>| {
        let exclusions = request.exclusions.iter().filter(|it| is_held(it));
        let bounds = { request.bounds.iter() }.filter(|it| is_bounded || !it.files.is_empty());
        let spans = exclusions.chain(bounds).map(|it| it.span);
        // What waits for a person's word is not held back otherwise.
        let mut spans = spans.chain(request.approvals.iter().map(|it| it.span));
        spans.any(|it| meets(it, sentence))
    };
    if request.is_question && is_bounded {
        // What is answered changes its file alone.
        return Vec::new();
    }
    let holds_back = |sentence: &Sentence<'_>| {
        let is_told = is_told(request, sentence);
        let is_held = sentence.places(HELD).next().is_some();
        sentence.holds_files_back() && !is_told || is_held || of_all_else(sentence)
    };
    sentences(request)
        .filter(|sentence| holds_back(sentence) && !is_read(sentence))
        .map(|sentence| sentence.text.trim())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request;

    #[test]
    fn a_person_is_asked_whose_word_is_asked_for() {
        for text in [
            "Ask me before you delete anything. Delete src/parser.py.",
            "Get my OK before changing package.json; add a lint script to it",
            "Update README.md. Wait for my approval, then delete src/format.js.",
            "Refactor src/cart.js, but let me review it before you touch the tests",
            "Show me a plan first, then implement vat() in src/cart.js",
            "Propose three names in docs/names.md, I will choose one, then implement it",
            "1. Add src/csvio.py. 2. Add tests. 3. Once I say so, release 0.2.0.",
            "Audit the code, fix it, but show me the findings before fixing anything",
            "Nach meiner Freigabe soll bin/count.sh gelöscht werden",
        ] {
            assert!(word_asked(&request::read(text)).is_some(), "{text}");
        }
        for text in [
            "The dialog should ask me for a password before it deletes the file. Fix it.",
            "Add an endpoint that approves invoices, with tests",
            "Show the user what I chose in src/form.js",
            "Document how approvals work in docs/people.md",
            "Show me how the parser works",
        ] {
            assert_eq!(word_asked(&request::read(text)), None, "{text}");
        }
    }

    #[test]
    fn what_is_to_stay_and_is_not_checked_is_told() {
        for text in [
            "Create bin/sum.sh. Nothing else may change.",
            "Add bin/sum.sh and leave everything else as it is",
            "Create bin/sum.sh; don't change any other file.",
            "Review src/cart.js and write the findings to audit.md, change nothing else",
            "Don't change anything, just tell me what bin/count.sh does",
            "Fix the parser. The API must not be changed.",
        ] {
            let request = request::read(text);
            let is_bound = request.bounds.iter().any(|it| !it.files.is_empty());
            assert!(
                is_bound || !unread(&request, false, Exclusion::keeps).is_empty(),
                "{text}"
            );
        }
        for text in [
            "Fix src/a.py. Do not touch README.md.",
            "Fix the parser, only touch src/parser.py",
            "Add a command `touch` to bin/tool.sh",
            "Change the port to 8080 in config.toml",
            "The cache is not changed when I save a file. Fix src/cache.py.",
        ] {
            assert_eq!(
                unread(&request::read(text), false, Exclusion::keeps),
                [""; 0],
                "{text}"
            );
        }
    }
}
