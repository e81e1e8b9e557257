//! Comments on parameters that their function does not have.

use std::sync::LazyLock;

use regex::Regex;

use crate::review::blocks::{Statement, statements};
use crate::review::language::Language;
use crate::review::matching::Hit;
use crate::review::source::{Source, View};

macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is well-formed"));
    };
}

pattern!(
    PY_FUNCTION,
    r"^(?:async\s+)?def\s+\w+\s*(?:\[[^\]]*\]\s*)?\("
);
pattern!(
    PY_FIELD,
    r"^\s*:param\s+(?:(\w+)\s+|[^\s:]+\s+)?\*{0,2}(\w+)\s*:"
);
pattern!(
    PY_SECTION,
    r"^(\s*)(?:Args|Arguments|Parameters|Keyword Args|Keyword Arguments):\s*$"
);
pattern!(
    PY_ENTRY,
    r"^(\s*)\*{0,2}([a-z_]\w*)\s*(?:\(([^)]*)\))?:(?:\s|$)"
);
pattern!(
    JS_FUNCTION,
    r"(?s)/\*\*((?:[^*]|\*+[^*/])*)\*+/\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\s*\*?\s*[\w$]+\s*(?:<[^>]*>)?\s*\(([^)]*)\)"
);
pattern!(JS_PARAMETER, r"@param\s+(?:\{[^}\n]*\}\s+)?\[?([\w$]+)");

/// The lines that describe a parameter that is not there.
pub(super) fn unknown(source: &Source) -> Vec<Hit> {
    match source.language {
        Language::Python => python(source),
        Language::JavaScript => javascript(source),
        _ => Vec::new(),
    }
}

fn hit(source: &Source, signature: usize, line: u32, name: &str) -> Hit {
    let other = source.line_of(signature);
    Hit {
        first: other.min(line),
        last: other.max(line),
        ..Hit::at(line, format!("`{name}`"))
    }
}

fn python(source: &Source) -> Vec<Hit> {
    let code = source.view(View::Code);
    let statements = statements(code);
    let mut hits = Vec::new();
    for pair in statements.windows(2) {
        let [function, string] = pair else { continue };
        let Some(parameters) = python_parameters(&code[function.start..function.end]) else {
            continue;
        };
        if !code[string.start..].starts_with(['"', '\'', 'r']) {
            continue;
        }
        for (line, name, other) in described(source, *string) {
            let is_there = |name: &str| parameters.contains(&name);
            if !is_there(&name) && !other.as_deref().is_some_and(is_there) {
                hits.push(hit(source, function.start, line, &name));
            }
        }
    }
    hits
}

/// The names of a function's parameters; none if it takes any name, or is no function.
fn python_parameters(text: &str) -> Option<Vec<&str>> {
    let open = PY_FUNCTION.find(text)?.end();
    let (mut depth, mut start) = (0i32, open);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            ')' if depth == 0 => {
                parts.push(&text[start..at]);
                break;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if parts.iter().any(|part| part.trim().starts_with("**")) {
        return None;
    }
    let name_of = |part: &&str| {
        let part = part.trim().trim_start_matches('*');
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_');
        end.map_or(part.len(), |end| end)
    };
    Some(
        parts
            .iter()
            .map(|part| &part.trim().trim_start_matches('*')[..name_of(part)])
            .collect(),
    )
}

/// The parameters that a docstring describes: the line, the name, and what may be the name too.
fn described(source: &Source, string: Statement) -> Vec<(u32, String, Option<String>)> {
    let (first, last) = (
        source.line_of(string.start),
        source.line_of(string.end.saturating_sub(1)),
    );
    let mut found = Vec::new();
    // The indentation of the section of parameters, and of its entries.
    let mut section: Option<(usize, Option<usize>)> = None;
    for line in first..=last {
        let text = source.line(View::Text, line);
        if let Some(field) = PY_FIELD.captures(text) {
            // Some write the type behind the name instead of before it.
            let other = field.get(1).map(|word| word.as_str().to_owned());
            found.push((line, field[2].to_owned(), other));
        }
        if let Some(head) = PY_SECTION.captures(text) {
            section = Some((head[1].len(), None));
            continue;
        }
        let Some((head, entries)) = &mut section else {
            continue;
        };
        let indent = text.len() - text.trim_start().len();
        if !text.trim().is_empty() && indent <= *head {
            section = None;
            continue;
        }
        if let Some(entry) = PY_ENTRY.captures(text)
            && *entries.get_or_insert(indent) == indent
        {
            let other = entry.get(3).map(|word| word.as_str().to_owned());
            found.push((line, entry[2].to_owned(), other));
        }
    }
    found
}

fn javascript(source: &Source) -> Vec<Hit> {
    let mut hits = Vec::new();
    for found in JS_FUNCTION.captures_iter(source.view(View::Text)) {
        let (Some(comment), Some(signature)) = (found.get(1), found.get(2)) else {
            continue;
        };
        let parameters = signature.as_str();
        // Without a list, or with a pattern in it, the names are elsewhere.
        if parameters.trim().is_empty() || parameters.contains(['{', '[', '.']) {
            continue;
        }
        let names: Vec<&str> = parameters
            .split(',')
            .map(|part| {
                let part = part.trim();
                let end = part.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
                &part[..end.unwrap_or(part.len())]
            })
            .collect();
        for described in JS_PARAMETER.captures_iter(comment.as_str()) {
            if let Some(name) = described.get(1)
                && !names.contains(&name.as_str())
            {
                let line = source.line_of(comment.start() + name.start());
                hits.push(hit(source, signature.start(), line, name.as_str()));
            }
        }
    }
    hits
}
