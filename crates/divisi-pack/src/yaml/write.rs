//! Writes YAML that our own reader takes back as it was: block style, no anchors, no tags, and
//! quotes wherever a plain scalar could be read as something else.

use std::fmt::Write as _;

use crate::render::is_unprintable;

/// A list of short texts stands in one line of at most so many characters.
const LINE_CHARS_MAX: usize = 90;

/// Plain scalars that some reader of YAML takes for something other than a text.
const WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// A value to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text(String),
    /// A number or a boolean, as it is written.
    Bare(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn text(text: &str) -> Node {
        Node::Text(text.to_owned())
    }

    pub(crate) fn texts(texts: &[String]) -> Node {
        Node::List(texts.iter().map(|text| Node::text(text)).collect())
    }

    fn is_empty(&self) -> bool {
        match self {
            Node::List(list) => list.is_empty(),
            Node::Map(map) => map.is_empty(),
            Node::Text(_) | Node::Bare(_) => false,
        }
    }
}

/// What JSON says, in YAML. JSON's `null` is left out of maps.
impl From<serde_json::Value> for Node {
    fn from(value: serde_json::Value) -> Node {
        match value {
            serde_json::Value::String(text) => Node::Text(text),
            serde_json::Value::Array(list) => {
                Node::List(list.into_iter().map(Node::from).collect())
            }
            serde_json::Value::Object(map) => {
                let given = map.into_iter().filter(|(_, value)| !value.is_null());
                Node::Map(given.map(|(key, value)| (key, value.into())).collect())
            }
            other => Node::Bare(other.to_string()),
        }
    }
}

/// The text of a document.
pub(crate) fn write(node: &Node) -> String {
    let mut text = String::new();
    block(node, 0, &mut text);
    text
}

/// A node in lines of its own.
fn block(node: &Node, indent: usize, text: &mut String) {
    match node {
        Node::Map(map) => {
            for (key, value) in map {
                pad(indent, text);
                text.push_str(&scalar(key));
                text.push(':');
                after(value, indent + 2, text);
            }
        }
        Node::List(list) => {
            for value in list {
                pad(indent, text);
                text.push('-');
                item(value, indent + 2, text);
            }
        }
        Node::Text(_) | Node::Bare(_) => after(node, indent, text),
    }
}

/// What follows a key, or a dash.
fn after(value: &Node, indent: usize, text: &mut String) {
    match in_line(value) {
        Some(line) => _ = writeln!(text, " {line}"),
        None => match value {
            Node::Text(lines) => literal(lines, indent, text),
            nested => {
                text.push('\n');
                block(nested, indent, text);
            }
        },
    }
}

/// An element of a list: a map begins in the line of its dash.
fn item(value: &Node, indent: usize, text: &mut String) {
    match value {
        Node::Map(map) if !map.is_empty() => {
            let mut lines = String::new();
            block(value, indent, &mut lines);
            text.push(' ');
            text.push_str(lines.trim_start_matches(' '));
        }
        value => after(value, indent, text),
    }
}

fn pad(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// A value that stands in the line of its key.
fn in_line(value: &Node) -> Option<String> {
    match value {
        Node::Text(text) if is_literal(text) => None,
        Node::Text(text) => Some(scalar(text)),
        Node::Bare(text) => Some(text.clone()),
        Node::List(list) if list.is_empty() => Some("[]".to_owned()),
        Node::Map(map) if map.is_empty() => Some("{}".to_owned()),
        Node::List(list) => {
            let elements: Option<Vec<String>> = list
                .iter()
                .map(|element| match element {
                    Node::List(_) | Node::Map(_) if !element.is_empty() => None,
                    element => in_line(element),
                })
                .collect();
            let line = format!("[{}]", elements?.join(", "));
            (line.chars().count() <= LINE_CHARS_MAX).then_some(line)
        }
        Node::Map(_) => None,
    }
}

/// Whether a text is written as a block of its lines.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let is_plain = |c: char| c == '\n' || !is_unprintable(c);
    let begins_plain = body.starts_with(|c: char| !c.is_whitespace());
    body.contains('\n') && begins_plain && !body.ends_with('\n') && body.chars().all(is_plain)
}

fn literal(lines: &str, indent: usize, text: &mut String) {
    text.push_str(if lines.ends_with('\n') {
        " |\n"
    } else {
        " |-\n"
    });
    for line in lines.lines() {
        if !line.is_empty() {
            pad(indent, text);
            text.push_str(line);
        }
        text.push('\n');
    }
}

/// A text in one line: plain where nobody can take it for something else, quoted otherwise.
fn scalar(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .split(' ')
            .all(|part| !part.is_empty() && part.chars().all(is_word))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_unprintable(c) => _ = write!(quoted, "\\U{:08x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> serde_json::Value {
        serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let hostile = [
            "",
            " ",
            "plain text",
            "no",
            "Yes",
            "1",
            "1e3",
            "~",
            "- a",
            "a: b",
            "# c",
            "{a}",
            "[b]",
            "&a",
            "*a",
            "!t",
            "a\nb",
            "a\nb\n",
            "a\n\n  b\n",
            " a\nb",
            "a\nb\n\n",
            "\n",
            "\ta",
            "a\t\nb",
            "\u{1b}[31m",
            "\u{feff}x\ny",
            "\u{2028}",
            "quote\"d\\",
            "'",
            "é",
            "a ",
            "---",
            "a\n# no comment\n",
            "%",
            "@",
            "`",
            "key:\n  - x\n",
        ];
        let texts: Vec<String> = hostile.iter().map(|text| (*text).to_owned()).collect();
        let map = Node::Map(
            hostile
                .iter()
                .enumerate()
                .map(|(at, text)| (format!("k{at}"), Node::text(text)))
                .collect(),
        );
        let nested = Node::List(vec![
            map.clone(),
            Node::texts(&texts),
            Node::List(vec![map]),
        ]);
        let all = Node::Map(vec![
            ("list".to_owned(), nested),
            ("a: b".to_owned(), Node::Bare("12".to_owned())),
            ("none".to_owned(), Node::List(Vec::new())),
            ("map".to_owned(), Node::Map(Vec::new())),
        ]);
        let found = read(&write(&all));
        assert_eq!(found["a: b"], 12);
        for (at, text) in hostile.iter().enumerate() {
            assert_eq!(found["list"][0][format!("k{at}")], *text);
            assert_eq!(found["list"][1][at], *text);
            assert_eq!(found["list"][2][0][format!("k{at}")], *text);
        }
        assert_eq!(found["none"], serde_json::json!([]));
    }
}
