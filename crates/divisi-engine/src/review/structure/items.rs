//! Public items: whether they are explained, tested, and announced.

use std::sync::LazyLock;

use regex::Regex;

use crate::review::blocks::statements;
use crate::review::facts::Facts;
use crate::review::language::Language;
use crate::review::matching::{Condition, Hit};
use crate::review::source::{Part, Source, View};

/// A declaration that others can use.
struct Item {
    name: String,
    /// Where its line starts.
    at: usize,
    is_function: bool,
}

/// How many lines above an item its comment may end.
const ATTRIBUTE_LINES_MAX: u32 = 30;

macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is well-formed"));
    };
}

pattern!(
    RUST,
    r#"(?m)^[ \t]*pub\s+(?:(?:const|async|unsafe|extern\s+"[^"]*")\s+)*(fn|struct|enum|trait|type|static|const|union)\s+(?:mut\s+)?(\w+)"#
);
pattern!(
    JAVASCRIPT,
    r"(?m)^export\s+(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(function|class|const|interface|type|enum)\b\s*\*?\s*([\w$]+)([^\n]*)"
);
pattern!(
    JS_FUNCTION,
    r"^[^=]*=\s*(?:async\s*)?(?:function\b|\(|[\w$]+\s*=>)"
);
pattern!(PYTHON, r"^(?:async\s+)?(def|class)\s+([A-Za-z]\w*)");
pattern!(GO, r"(?m)^(func|type)\s+(?:\([^)\n]*\)\s*)?([A-Z]\w*)");

/// The public items of a source that ship.
fn public(source: &Source) -> Vec<Item> {
    let code = source.view(View::Code);
    let mut items = match source.language {
        Language::Rust => by_pattern(code, &RUST, |kind, _| kind == "fn"),
        Language::JavaScript => by_pattern(code, &JAVASCRIPT, |kind, rest| {
            kind == "function" || (kind == "const" && JS_FUNCTION.is_match(rest))
        }),
        Language::Go => by_pattern(code, &GO, |kind, _| kind == "func"),
        Language::Python => python(code),
        _ => Vec::new(),
    };
    items.retain(|item| source.part(item.at) == Part::Code);
    items
}

fn by_pattern(code: &str, pattern: &Regex, is_function: fn(&str, &str) -> bool) -> Vec<Item> {
    pattern
        .captures_iter(code)
        .map(|found| {
            let rest = found.get(3).map_or("", |rest| rest.as_str());
            let whole = found.get(0).map_or(0..0, |whole| whole.range());
            let text = &code[whole.clone()];
            Item {
                name: found[2].to_owned(),
                at: whole.start + (text.len() - text.trim_start().len()),
                is_function: is_function(&found[1], rest),
            }
        })
        .collect()
}

fn python(code: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut is_overload = false;
    for statement in statements(code) {
        let text = &code[statement.start..statement.end];
        if text.starts_with('@') {
            is_overload |= text.contains("overload");
            continue;
        }
        if statement.indent == 0
            && !is_overload
            && let Some(found) = PYTHON.captures(text)
        {
            items.push(Item {
                name: found[2].to_owned(),
                at: statement.start,
                is_function: &found[1] == "def",
            });
        }
        is_overload = false;
    }
    items
}

/// Public functions, each with the condition that no test names it.
pub(super) fn untested(source: &Source) -> Vec<Hit> {
    if source.path.ends_with(".d.ts") || source.path.ends_with(".pyi") {
        return Vec::new();
    }
    public(source)
        .into_iter()
        .filter(|item| item.is_function && item.name != "main")
        .map(|item| Hit {
            condition: Condition::NoTestNames(item.name.clone()),
            ..Hit::at(source.line_of(item.at), format!("`{}`", item.name))
        })
        .collect()
}

/// Public items without a comment.
pub(super) fn undocumented(source: &Source) -> Vec<Hit> {
    if source.path.ends_with(".pyi") {
        return Vec::new();
    }
    public(source)
        .into_iter()
        .filter(|item| !is_documented(source, item))
        .map(|item| Hit::at(source.line_of(item.at), format!("`{}`", item.name)))
        .collect()
}

fn is_documented(source: &Source, item: &Item) -> bool {
    if source.language == Language::Python {
        let code = source.view(View::Code);
        let mut after = statements(&code[item.at..]).into_iter().skip(1);
        return after.next().is_some_and(|next| {
            code[item.at + next.start..]
                .trim_start_matches(['r', 'R', 'u'])
                .starts_with(['"', '\''])
        });
    }
    let line = source.line_of(item.at);
    // Attributes may span lines; they are walked from their end to their start.
    let mut in_attribute = false;
    for line in (1..line).rev().take(ATTRIBUTE_LINES_MAX as usize) {
        let text = source.line(View::Text, line).trim();
        let comment = source.line(View::Comments, line).trim();
        if explains(source.language, text, comment) {
            return true;
        }
        in_attribute |= text.ends_with(']');
        if text.contains("#[") {
            in_attribute = false;
        } else if !in_attribute && comment.is_empty() && !text.starts_with('@') {
            return false;
        }
    }
    false
}

/// Whether a line above an item is a comment for its users.
fn explains(language: Language, text: &str, comment: &str) -> bool {
    if language != Language::Rust {
        return !comment.is_empty();
    }
    let is_comment =
        comment.starts_with("///") || comment.starts_with("/**") || comment.ends_with("*/");
    is_comment
        || ["#[doc", "$(#", "#[$"]
            .iter()
            .any(|mark| text.contains(mark))
}

/// Changed public items of a repository whose change log did not change.
pub(super) fn without_change_note(source: &Source, facts: &Facts) -> Vec<Hit> {
    if !facts.owes_change_note() {
        return Vec::new();
    }
    public(source)
        .into_iter()
        .map(|item| Hit::at(source.line_of(item.at), format!("`{}`", item.name)))
        .collect()
}
