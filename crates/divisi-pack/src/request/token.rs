//! A request as words, paths, quotations, numbers, marks, arrows and beginnings of lines.
//!
//! Unlike criteria, a request has to make sense only roughly: whatever is nothing else is a word.

mod inline;

use super::Span;
use crate::words::is_path;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// A file, a folder or a pattern.
    Path,
    /// Between quotation marks or backquotes.
    Quoted,
    Number,
    Mark(char),
    /// `->`, `→`, `=>`.
    Arrow,
    /// A line ends, and the next one may go on with the sentence.
    Line,
    /// A line without words, a heading's end, or the edge of quoted code.
    Blank,
    /// A heading begins, which ends at the next `Blank`.
    Heading,
    /// What somebody else said begins, `> like this`, which ends at the next `Blank`.
    Quote,
    /// An item of a list begins.
    Item {
        numbered: bool,
        /// Whether it stands deeper than the first item of its list.
        nested: bool,
    },
}

/// A token with its place.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) span: Span,
    pub(super) kind: Kind,
    /// Its text in lower case, without the marks around it.
    pub(super) lower: String,
    /// Whether it stands between parentheses.
    pub(super) is_aside: bool,
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word) && self.lower == word
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        matches!(self.kind, Kind::Word) && words.contains(&self.lower.as_str())
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// Whether it is something that could stand in a sentence.
    pub(super) fn is_word(&self) -> bool {
        matches!(
            self.kind,
            Kind::Word | Kind::Path | Kind::Quoted | Kind::Number
        )
    }
}

const BULLETS: &[char] = &['-', '*', '•', '+', '–'];

const OPENING: &[char] = &['(', '[', '{', '"', '\'', '“', '‘', '«', '*', '_'];

const CLOSING: &[char] = &[
    ')', ']', '}', '"', '\'', '”', '’', '»', ',', '.', ';', ':', '!', '?', '…', '*', '_',
];

/// Words as they are typed in haste.
const SHORTENED: &[(&str, &str)] = &[("b4", "before")];

/// The tokens of a text.
pub(super) fn scan(text: &str) -> Vec<Token> {
    let mut scanner = Scanner {
        text,
        tokens: Vec::new(),
        depth: 0,
        list_indent: None,
    };
    let mut is_code = false;
    // A request that is quoted as a whole is one all the same.
    let mut lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    let has_own = lines.any(|line| quoted(line).is_none());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let bare = line.trim();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            is_code = !is_code;
            scanner.push(Kind::Blank, start, start);
            continue;
        }
        if is_code {
            continue;
        }
        match quoted(line.trim()) {
            Some(said) if has_own => scanner.quote(line, start, said),
            Some(_) => {
                let said = line.trim_start().trim_start_matches(['>', ' ']);
                scanner.line(said, at - said.len());
            }
            None => scanner.line(line, start),
        }
    }
    scanner.tokens
}

/// What stands in a line that quotes somebody.
fn quoted(line: &str) -> Option<&str> {
    let said = line.strip_prefix('>')?;
    (!said.starts_with('=')).then(|| said.trim_start_matches(['>', ' ']))
}

/// What stands in a line that is bold as a whole, and no sentence: a heading.
fn bold(line: &str) -> Option<&str> {
    let inner = line.strip_prefix("**")?.strip_suffix("**")?;
    let is_name = !inner.contains("**") && !inner.ends_with(['.', '!', '?', ':', ',']);
    (is_name && !inner.trim().is_empty()).then_some(inner)
}

struct Scanner<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    depth: usize,
    /// How far the first item of the list stands from the left.
    list_indent: Option<usize>,
}

impl Scanner<'_> {
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let lower = self.text[start..end].replace('’', "'").to_lowercase();
        let shortened = SHORTENED.iter().find(|(short, _)| *short == lower);
        self.tokens.push(Token {
            span: Span { start, end },
            kind,
            lower: shortened.map_or(lower, |(_, word)| (*word).to_owned()),
            is_aside: self.depth > 0,
        });
    }

    fn quote(&mut self, line: &str, start: usize, said: &str) {
        self.depth = 0;
        self.list_indent = None;
        let end = start + line.trim_end().len();
        self.push(Kind::Quote, start, start);
        self.words(end - said.len(), end);
        self.push(Kind::Blank, end, end);
    }

    fn line(&mut self, line: &str, start: usize) {
        let content = line.trim_end();
        let bare = content.trim_start();
        let indent = content.len() - bare.len();
        let is_rule = bare.len() > 2 && bare.chars().all(|c| matches!(c, '-' | '=' | '_' | '*'));
        if bare.is_empty() || is_rule {
            self.depth = 0;
            if bare.is_empty() && indent == 0 {
                self.list_indent = self.list_indent.filter(|_| !is_rule);
            }
            self.push(Kind::Blank, start, start);
            return;
        }
        let mut from = start + indent;
        if let Some(rest) = self.inline(bare, from) {
            self.list_indent.get_or_insert(indent);
            self.push(Kind::Line, rest, rest);
            return;
        }
        let heading = bare.trim_start_matches('#');
        let is_marked = heading.len() < bare.len() && heading.starts_with(' ');
        let is_heading = is_marked || bold(bare).is_some();
        if is_heading {
            self.push(Kind::Heading, from, from);
            from += bare.len() - heading.len();
        } else if let Some((length, numbered)) = marker(bare) {
            self.depth = 0;
            let first = *self.list_indent.get_or_insert(indent);
            let nested = indent > first + 1;
            self.push(Kind::Item { numbered, nested }, from, from + length);
            from += length;
        } else if indent == 0 {
            self.list_indent = None;
        }
        self.words(from, start + content.len());
        let end = start + content.len();
        let kind = if is_heading { Kind::Blank } else { Kind::Line };
        self.push(kind, end, end);
    }

    /// A list in one line; then where the line ends.
    fn inline(&mut self, line: &str, start: usize) -> Option<usize> {
        let marks = inline::marks(line);
        let first = marks.first()?;
        self.words(start, start + first.start);
        for mark in marks {
            self.depth = 0;
            let kind = Kind::Item {
                numbered: mark.numbered,
                nested: false,
            };
            self.push(kind, start + mark.start, start + mark.end);
            self.words(start + mark.end, start + mark.until);
        }
        Some(start + line.len())
    }

    /// The words between two places of one line.
    fn words(&mut self, mut at: usize, end: usize) {
        while at < end {
            let rest = &self.text[at..end];
            let Some(first) = rest.chars().next() else {
                return;
            };
            if first.is_whitespace() || first.is_control() {
                at += first.len_utf8();
                continue;
            }
            at = match quotation(rest) {
                Some((skip, length)) => {
                    let (start, end) = (at + skip, at + skip + length);
                    let is_file = is_path(&self.text[start..end]);
                    let kind = if is_file { Kind::Path } else { Kind::Quoted };
                    self.push(kind, start, end);
                    at + length + 2 * skip
                }
                None => {
                    let ends = |c: char| c.is_whitespace() || matches!(c, '`' | '→' | '⟶' | '➔');
                    let length = rest.find(ends).unwrap_or(rest.len()).max(first.len_utf8());
                    self.run(at, at + length);
                    at + length
                }
            };
        }
    }

    /// A run of characters without white space.
    fn run(&mut self, start: usize, end: usize) {
        let run = &self.text[start..end];
        if matches!(run, "->" | "=>" | "-->" | "→" | "⟶" | "➔" | ">") {
            self.push(Kind::Arrow, start, end);
            return;
        }
        let (opens, closes) = (run.starts_with("**"), run.ends_with("**"));
        let is_bold = opens && closes || (opens || closes) && !run.contains('/');
        if run.eq_ignore_ascii_case("w/") || run == "+" {
            // `with`, shortly.
            self.push(Kind::Word, start, end);
            return;
        }
        // What asks is no pattern, and neither is what stands out.
        if is_path(run) && !run.ends_with('?') && !is_bold {
            self.push(Kind::Path, start, end);
            return;
        }
        let left = run.trim_start_matches(OPENING);
        let from = start + (run.len() - left.len());
        self.depth += run[..from - start].matches('(').count();
        let core = left.trim_end_matches(CLOSING);
        // `fix(parser):` keeps its parenthesis.
        let keeps = core.contains('(') && left[core.len()..].starts_with(')');
        let to = from + core.len() + usize::from(keeps);
        if to > from {
            let core = &self.text[from..to];
            let kind = match () {
                () if is_path(core) => Kind::Path,
                () if core.starts_with(|c: char| c.is_ascii_digit()) => Kind::Number,
                () if core.chars().any(char::is_alphanumeric) || core == "&" => Kind::Word,
                () => Kind::Mark('-'),
            };
            self.push(kind, from, to);
        }
        let mut place = to;
        for c in self.text[to..end].chars() {
            if c == ')' {
                self.depth = self.depth.saturating_sub(1);
            } else if matches!(c, ',' | '.' | ';' | ':' | '!' | '?') {
                self.push(Kind::Mark(c), place, place + c.len_utf8());
            }
            place += c.len_utf8();
        }
    }
}

/// How many bytes the marker of an item takes, and whether it is a number.
fn marker(line: &str) -> Option<(usize, bool)> {
    let first = line.chars().next()?;
    let length = |rest: &str| line.len() - rest.trim_start().len();
    if BULLETS.contains(&first) {
        let rest = line[first.len_utf8()..].strip_prefix(' ')?.trim_start();
        let boxed = ["[ ] ", "[x] ", "[X] "];
        let rest = boxed
            .iter()
            .find_map(|b| rest.strip_prefix(b))
            .unwrap_or(rest);
        return (!rest.is_empty()).then(|| (length(rest), false));
    }
    let boxed = ["[ ] ", "[x] ", "[X] "];
    if let Some(rest) = boxed.iter().find_map(|b| line.strip_prefix(b)) {
        return (!rest.trim().is_empty()).then(|| (length(rest), false));
    }
    let named = line.strip_prefix("Step ").or(line.strip_prefix("step "));
    let of = named.unwrap_or(line);
    let rest = of.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = of.len() - rest.len();
    if !(1..=3).contains(&digits) {
        return None;
    }
    let rest = match named {
        Some(_) => rest.strip_prefix([':', '.', ')', ' '])?,
        None => rest
            .strip_prefix(". ")
            .or_else(|| rest.strip_prefix(") "))?,
    };
    (!rest.trim().is_empty()).then(|| (length(rest), true))
}

/// Where a quotation's content begins, and how long it is: of one that ends on its line.
fn quotation(text: &str) -> Option<(usize, usize)> {
    let (open, close) = match text.chars().next()? {
        '`' => ('`', '`'),
        '"' => ('"', '"'),
        '“' => ('“', '”'),
        _ => return None,
    };
    let skip = open.len_utf8();
    let length = text[skip..].find(close)?;
    // The closing mark is as long as the opening one.
    (length > 0).then_some((skip, length))
}
