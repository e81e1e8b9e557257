//! Lists in one line: `1. do this 2. do that`, `(a) … (b) …`, `a) … b) …`.
//!
//! Marks count only in their order from the first on, and where each has something to do behind it:
//! `version 2.` is none, and neither is `see (1) and (2)`.

/// A list in one line has at most so many items.
const ITEMS_MAX: u32 = 26;

/// Before a number with a full stop, these say that it is a name's.
const NAMES: &[&str] = &[
    "#", "chapter", "issue", "no", "number", "part", "phase", "python", "section", "stage", "step",
    "to", "v", "version",
];

/// A mark of an item, by its place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where what the item says ends, without a joining `and`.
    pub(super) until: usize,
    pub(super) numbered: bool,
}

/// How marks look; those of one list look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `1.`
    Dot,
    /// `1)`
    Number,
    /// `a)`
    Letter,
    /// `(1)`
    NumberBetween,
    /// `(a)`
    LetterBetween,
}

const STYLES: &[Style] = &[
    Style::Dot,
    Style::Number,
    Style::Letter,
    Style::NumberBetween,
    Style::LetterBetween,
];

/// The marks of the line's list; none if it has no list of at least two items.
pub(super) fn marks(line: &str) -> Vec<Mark> {
    let found = STYLES.iter().map(|style| of_style(line, *style));
    // Of several styles the first list counts; another one may stand within its items.
    let found = found.filter(|marks| marks.len() > 1 && marks.iter().all(|it| says(line, *it)));
    found.min_by_key(|marks| marks[0].start).unwrap_or_default()
}

fn of_style(line: &str, style: Style) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut before = "";
    for (start, word) in words(line) {
        let number = 1 + u32::try_from(marks.len()).unwrap_or(ITEMS_MAX);
        if number <= ITEMS_MAX
            && value(word, style) == Some(number)
            && may_stand(before, style, number)
        {
            if let Some(last) = marks.last_mut() {
                last.until = start;
            }
            marks.push(Mark {
                start,
                end: start + word.len(),
                until: line.len(),
                numbered: !matches!(style, Style::Letter | Style::LetterBetween),
            });
        }
        before = word;
    }
    let last = marks.len().saturating_sub(1);
    for mark in marks.iter_mut().take(last) {
        mark.until = without_joint(line, *mark);
    }
    marks
}

/// The words between white space, with their places.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let pieces = line.split_inclusive(char::is_whitespace);
    let placed = pieces.map(move |piece| {
        let start = at;
        at += piece.len();
        (start, piece.trim_end())
    });
    placed.filter(|(_, word)| !word.is_empty())
}

/// Which item a word marks.
fn value(word: &str, style: Style) -> Option<u32> {
    let inner = match style {
        Style::Dot => word.strip_suffix('.')?,
        Style::Number | Style::Letter => word.strip_suffix(')')?,
        Style::NumberBetween | Style::LetterBetween => word.strip_prefix('(')?.strip_suffix(')')?,
    };
    match style {
        Style::Letter | Style::LetterBetween => {
            let mut chars = inner.chars();
            let letter = chars.next().filter(char::is_ascii_lowercase)?;
            let is_one = chars.next().is_none();
            is_one.then(|| u32::from(letter) - u32::from('a') + 1)
        }
        _ if inner.len() > 2 || !inner.bytes().all(|it| it.is_ascii_digit()) => None,
        _ => inner.parse().ok(),
    }
}

/// Whether a mark may stand behind this word. A number with a full stop may end a sentence: the first
/// one begins the line or follows a mark of its own.
fn may_stand(before: &str, style: Style, number: u32) -> bool {
    if style != Style::Dot {
        return true;
    }
    let bare = before.trim_matches(|c: char| !c.is_alphanumeric() && c != '#');
    let is_named = NAMES.contains(&bare.to_lowercase().as_str());
    let begins = before.is_empty() || before.ends_with([':', ',', ';', '.', '-', '–', '—']);
    !is_named && (number > 1 || begins)
}

/// Where an item ends, without `and`, `then` and marks before the next one.
fn without_joint(line: &str, mark: Mark) -> usize {
    let mut text = &line[mark.end..mark.until];
    loop {
        let bare = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        let joint = ["and", "or", "then"].iter().find_map(|joint| {
            let rest = bare.strip_suffix(joint)?;
            rest.ends_with(char::is_whitespace).then_some(rest)
        });
        match joint {
            Some(rest) => text = rest,
            None => return mark.end + bare.len(),
        }
    }
}

/// Whether something stands behind a mark that is more than a joint.
fn says(line: &str, mark: Mark) -> bool {
    let mut words = line[mark.end..mark.until].split(|c: char| !c.is_alphanumeric());
    words.any(|word| !word.is_empty() && !["and", "or", "then"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(line: &str) -> Vec<&str> {
        let marks = marks(line);
        let items = marks.iter().map(|it| line[it.end..it.until].trim());
        items.collect()
    }

    #[test]
    fn a_list_in_one_line_has_its_items_in_order() {
        assert_eq!(items("1. do a 2. do b 3. do c"), ["do a", "do b", "do c"]);
        assert_eq!(items("I need 1) a, 2) b, and 3) c."), ["a", "b", "c."]);
        assert_eq!(items("(a) do x; then (b) do y"), ["do x", "do y"]);
        assert_eq!(items("Please: a) x b) y"), ["x", "y"]);
        assert_eq!(items("(1) x (2) use a) and b)"), ["x", "use a) and b)"]);
    }

    #[test]
    fn numbers_that_end_sentences_and_references_mark_no_items() {
        for line in [
            "Update to version 2. Then add tests",
            "Fix issue 1. Then fix issue 2. Then rest",
            "see (1) and (2)",
            "1. only one",
            "call f(a) and g(b)",
            "Add 2) before 1) here",
            "Bump it to 1. and then to 2. at once",
            "",
        ] {
            assert_eq!(items(line), [] as [&str; 0], "{line}");
        }
    }
}
