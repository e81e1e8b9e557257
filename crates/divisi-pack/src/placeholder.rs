//! `{name}` in paths, patterns and arguments, replaced by values that are never looked at again.

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// As it stands.
    Text(&'t str),
    /// A variable's name.
    Name(&'t str),
}

/// Whether a text is a variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// The text's parts. Braces that hold no name are text.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(open) = rest[from..].find('{').map(|at| from + at) {
        let name = rest[open + 1..]
            .find('}')
            .map(|end| &rest[open + 1..open + 1 + end]);
        match name.filter(|name| is_name(name)) {
            Some(name) => {
                if open > 0 {
                    pieces.push(Piece::Text(&rest[..open]));
                }
                pieces.push(Piece::Name(name));
                rest = &rest[open + name.len() + 2..];
                from = 0;
            }
            None => from = open + 1,
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The names of a text's variables.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Text(_) => None,
    })
}

/// The text with its variables' values; what has none stays as it stands.
pub(crate) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => match value(name) {
                Some(value) => filled.push_str(&value),
                None => {
                    filled.push('{');
                    filled.push_str(name);
                    filled.push('}');
                }
            },
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_other_braces_are_text() {
        use Piece::{Name, Text};
        for (text, expected) in [
            ("", vec![]),
            ("a", vec![Text("a")]),
            ("{a}", vec![Name("a")]),
            (
                "x/{a_id}/{b2}.md",
                vec![Text("x/"), Name("a_id"), Text("/"), Name("b2"), Text(".md")],
            ),
            ("{a,b}", vec![Text("{a,b}")]),
            ("{}{{a}}", vec![Text("{}{"), Name("a"), Text("}")]),
            ("{2a}{-}", vec![Text("{2a}{-}")]),
            ("{a", vec![Text("{a")]),
            ("}{", vec![Text("}{")]),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn values_are_not_looked_at_again() {
        let value = |name: &str| match name {
            "a" => Some("{b}".to_owned()),
            "b" => Some("never".to_owned()),
            _ => None,
        };
        assert_eq!(fill("{a}/{c}/{a}", value), "{b}/{c}/{b}");
    }
}
