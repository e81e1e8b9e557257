//! Ids, titles and names of files, from a request's words.

use std::collections::BTreeSet;

use divisi_core::TaskId;

/// The words that ids leave out.
const ID_LEAVES_OUT: &[&str] = &[
    "a", "an", "and", "all", "for", "from", "in", "into", "it", "its", "of", "on", "our", "the",
    "their", "them", "this", "to", "with",
];

/// The longest id, in characters.
const ID_CHARS_MAX: usize = 40;

/// The longest title, in characters.
const TITLE_CHARS_MAX: usize = 100;

/// Ids that are not taken yet.
#[derive(Default)]
pub(super) struct Ids(BTreeSet<String>);

impl Ids {
    pub(super) fn of(&mut self, text: &str) -> TaskId {
        let slug = slug(text);
        let slug = match slug.is_empty() {
            true => "task".to_owned(),
            false => slug,
        };
        let numbered = (2..).map(|number| format!("{slug}-{number}"));
        let mut all = std::iter::once(slug.clone()).chain(numbered);
        let id = all.find(|id| !self.0.contains(id)).unwrap_or(slug);
        self.0.insert(id.clone());
        TaskId::new(id).expect("a slug of ASCII letters is an id")
    }
}

/// The words that matter, in lower case with hyphens, cut between words.
pub(super) fn slug(text: &str) -> String {
    // A word that stands alone is left out, and not the `a` of `src/a.py`.
    let matters = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        !ID_LEAVES_OUT.contains(&bare.to_ascii_lowercase().as_str())
    };
    let words = text.split_whitespace().filter(matters);
    let words = words.flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric()));
    let words = words.filter(|word| !word.is_empty());
    let words = words.map(str::to_ascii_lowercase);
    let mut slug = String::new();
    for word in words {
        if slug.len() + word.len() + 1 > ID_CHARS_MAX {
            if slug.is_empty() {
                slug.extend(word.chars().take(ID_CHARS_MAX));
            }
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word);
    }
    slug
}

pub(super) fn without_article(text: &str) -> &str {
    let articles = ["a ", "an ", "the ", "A ", "An ", "The "];
    let cut = articles
        .iter()
        .find_map(|article| text.strip_prefix(article));
    cut.unwrap_or(text)
}

/// A clause without its first word, which is the verb.
pub(super) fn without_verb(text: &str) -> &str {
    text.split_once(' ').map_or(text, |(_, rest)| rest)
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// A text in one line that can be a title.
pub(super) fn line(text: &str) -> String {
    line_with(text, "")
}

/// The same with something behind it that is not cut off.
pub(super) fn line_with(text: &str, behind: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    let text = text.trim_end_matches([':', ',', ';', '.']);
    let most = TITLE_CHARS_MAX - behind.chars().count();
    let mut cut: String = text.chars().take(most).collect();
    if cut.len() < text.len() {
        if let Some(open) = open_parenthesis(&cut).filter(|open| *open > 0) {
            cut.truncate(open);
            cut.truncate(cut.trim_end().len());
        }
        cut.push('…');
    }
    // The end of a quotation may stand after the last word.
    for mark in ['`', '"'] {
        if cut.matches(mark).count() % 2 == 1 {
            cut.push(mark);
        }
    }
    cut + behind
}

/// Where a parenthesis begins that does not end.
fn open_parenthesis(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (at, mark) in text.char_indices() {
        match mark {
            '(' => open.push(at),
            ')' => {
                open.pop();
            }
            _ => {}
        }
    }
    open.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_the_letters_of_names_and_leave_out_small_words() {
        for (text, id) in [
            ("Fix a bug in src/a.py", "fix-bug-src-a-py"),
            ("(the) API, of it", "api"),
            ("Add in.txt to the list", "add-in-txt-list"),
        ] {
            assert_eq!(slug(text), id);
        }
    }
}
