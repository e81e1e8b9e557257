//! Whether a text is in the language that is read by rule, which is English.
//!
//! Of any other, single words look like English ones: `ohne Tests` asks for none. Where most words are
//! unknown, nobody's work is guessed from one that is.

use super::sentence::is_preface;
use super::token::{Kind, Token};
use super::{roles, verbs};

/// A text of fewer words is too short to tell.
const WORDS_MIN: usize = 4;

/// Of so many words at least one is known in English text.
const WORDS_PER_KNOWN: usize = 3;

/// Small words that most English sentences have some of.
const SMALL: &[&str] = &[
    "a",
    "about",
    "after",
    "all",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "because",
    "before",
    "both",
    "but",
    "by",
    "do",
    "don't",
    "each",
    "every",
    "everything",
    "first",
    "for",
    "from",
    "has",
    "have",
    "how",
    "if",
    "in",
    "into",
    "is",
    "its",
    "it's",
    "like",
    "more",
    "new",
    "no",
    "not",
    "now",
    "of",
    "off",
    "old",
    "on",
    "once",
    "only",
    "or",
    "other",
    "our",
    "out",
    "over",
    "same",
    "so",
    "some",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "too",
    "under",
    "until",
    "up",
    "use",
    "via",
    "was",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "why",
    "with",
    "without",
    "your",
];

/// Small words of other languages: of a text without any, unknown words may be names.
const FOREIGN: &[&str] = &[
    "au", "aux", "avec", "bitte", "con", "das", "dans", "de", "del", "dem", "den", "der", "des",
    "die", "du", "een", "ein", "eine", "einen", "einer", "el", "en", "et", "für", "het", "il",
    "im", "ist", "la", "las", "le", "les", "los", "met", "mit", "nicht", "ohne", "oder", "para",
    "per", "por", "pour", "sans", "senza", "sin", "un", "una", "und", "une", "voor", "von", "zu",
    "zum", "zur",
];

/// Whether most words of a text are unknown, and some are of another language.
pub(super) fn is_unknown(tokens: &[Token]) -> bool {
    let is_word =
        |token: &Token| token.kind == Kind::Word && token.lower.chars().any(char::is_alphabetic);
    let is_foreign = |token: &Token| {
        let has_others = || {
            token
                .lower
                .chars()
                .any(|c| c.is_alphabetic() && !c.is_ascii())
        };
        is_word(token) && (token.is_any(FOREIGN) || has_others())
    };
    let (mut count, mut known) = (0, 0);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let work = roles::mention(&tokens[at..]).map_or(0, |(_, length)| length);
        let words = tokens[at..at + work.max(1)]
            .iter()
            .filter(|it| is_word(it))
            .count();
        let is_known = work > 0
            || token.is_any(SMALL)
            || is_preface(token)
            || verbs::verb(&token.lower).is_some();
        count += words;
        known += if is_known { words } else { 0 };
        at += work.max(1);
    }
    count >= WORDS_MIN && tokens.iter().any(is_foreign) && known * WORDS_PER_KNOWN < count
}

#[cfg(test)]
mod tests {
    use super::super::token::scan;
    use super::*;

    #[test]
    fn most_words_of_other_languages_are_unknown() {
        for (text, expected) in [
            ("Füge eine Funktion unslug hinzu, ohne Tests", true),
            ("Refactor den Parser und ergänze Tests dafür", true),
            (
                "Ajoute une option pour le séparateur, sans documentation",
                true,
            ),
            (
                "Write the German translation of `Füge eine Funktion hinzu`",
                false,
            ),
            ("Paginate the orders", false),
            ("CSV export, tests", false),
            ("fix(fetch): capitalize HTTP method names", false),
            ("Retry failed webhooks three times", false),
            ("Dark mode", false),
        ] {
            assert_eq!(is_unknown(&scan(text)), expected, "{text}");
        }
    }
}
