//! Code that no way leads to.

use std::sync::LazyLock;

use regex::Regex;

use crate::review::blocks::statements;
use crate::review::language::Language;
use crate::review::matching::Hit;
use crate::review::source::{Source, View};

/// The places of code that stands after a jump in the same block.
pub(super) fn unreachable(source: &Source) -> Vec<Hit> {
    match source.language {
        Language::Python => by_indentation(source),
        Language::Rust | Language::JavaScript => by_braces(source),
        _ => Vec::new(),
    }
}

fn hit(source: &Source, jump: usize, code: usize) -> Hit {
    let (first, line) = (source.line_of(jump), source.line_of(code));
    Hit {
        first,
        ..Hit::at(line, "")
    }
}

fn by_indentation(source: &Source) -> Vec<Hit> {
    let code = source.view(View::Code);
    let statements = statements(code);
    let first_word = |at: usize| {
        let rest = &code[at..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    };
    let after_jump = |pair: &&[crate::review::blocks::Statement]| {
        let [jump, next] = pair else { return false };
        matches!(first_word(jump.start), "return" | "raise" | "break" | "continue")
            && next.indent == jump.indent
            // A `yield` that is never reached makes a function a generator.
            && !matches!(first_word(next.start), "yield" | "elif" | "else" | "except" | "finally" | "case")
            // A string that stands alone says something to readers.
            && !code[next.start..].starts_with(['"', '\''])
            && !code[jump.start..jump.end].contains(';')
    };
    statements
        .windows(2)
        .filter(after_jump)
        .map(|pair| hit(source, pair[0].start, pair[1].start))
        .collect()
}

static JUMP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:return|throw|break|continue)\b").expect("the pattern is well-formed")
});

/// What may stand after a jump: definitions, labels, other branches.
const NO_STATEMENT: &[&str] = &[
    "case",
    "default",
    "else",
    "function",
    "async",
    "fn",
    "const",
    "use",
    "static",
    "struct",
    "enum",
    "impl",
    "type",
    "mod",
    "trait",
    "unsafe",
    "macro_rules",
    "var",
    "class",
];

fn by_braces(source: &Source) -> Vec<Hit> {
    let code = source.view(View::Code);
    let mut hits = Vec::new();
    for jump in JUMP.find_iter(code) {
        // Only a statement of its own: what stands behind a condition may well be skipped.
        let before = code[..jump.start()].trim_end();
        if !before.ends_with(['{', '}', ';']) {
            continue;
        }
        let Some(end) = end_of_statement(source.language, code, jump.end()) else {
            continue;
        };
        let rest = code[end..].trim_start();
        let at = code.len() - rest.len();
        let word_end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '!');
        let word = rest[..word_end.unwrap_or(rest.len())].trim_end_matches('!');
        let is_label = rest[word.len()..].trim_start().starts_with(':');
        let is_code = !rest.is_empty() && !rest.starts_with(['}', '#', '@', ';']);
        if is_code && !is_label && !NO_STATEMENT.contains(&word) {
            hits.push(hit(source, jump.start(), at));
        }
    }
    hits
}

/// A statement of more bytes is not followed to its end.
const STATEMENT_BYTES_MAX: usize = 4_000;

/// Where a statement ends that is ended by a semicolon; none if its block ends before, or if it is
/// not certain whether its line ended it.
fn end_of_statement(language: Language, code: &str, from: usize) -> Option<usize> {
    let mut depth = 0i32;
    for (at, byte) in code
        .bytes()
        .enumerate()
        .skip(from)
        .take(STATEMENT_BYTES_MAX)
    {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return None,
            b')' | b']' | b'}' => depth -= 1,
            b';' if depth == 0 => return Some(at + 1),
            b'\n' if depth == 0 && language == Language::JavaScript => return None,
            _ => {}
        }
    }
    None
}
