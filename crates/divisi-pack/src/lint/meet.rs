//! Whether two patterns of paths may match one path.
//!
//! The patterns are those of scopes: `*` and `?` within a folder, `**` across folders, `[…]`,
//! `{a,b}`. A class counts as any character, so the answer errs towards *yes*, never towards *no*.

/// Alternatives in braces become so many patterns at most; what has more may meet anything.
const ALTERNATIVES_MAX: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    One(char),
    Any,
    Run,
}

#[derive(Clone, PartialEq, Eq)]
enum Component {
    Tokens(Vec<Token>),
    Folders,
}

/// A pattern, ready to be compared with others.
pub(super) struct Paths {
    /// Once for each way to choose in its braces; `None` if there are too many.
    alternatives: Option<Vec<Vec<Component>>>,
}

impl Paths {
    pub(super) fn of(pattern: &str) -> Paths {
        let all = alternatives(pattern);
        let components = |all: Vec<String>| all.iter().map(|it| components(it)).collect();
        Paths {
            alternatives: all.map(components),
        }
    }

    /// Whether some path matches both.
    pub(super) fn may_meet(&self, other: &Paths) -> bool {
        let (Some(ones), Some(others)) = (&self.alternatives, &other.alternatives) else {
            return true;
        };
        ones.iter()
            .any(|one| others.iter().any(|other| meet(one, other)))
    }
}

/// Whether some path matches both.
pub(crate) fn may_meet(one: &str, other: &str) -> bool {
    Paths::of(one).may_meet(&Paths::of(other))
}

/// The pattern once for each way to choose in its braces; `None` if there are too many.
fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let mut open = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(pattern) = open.pop() {
        if open.len() + done.len() >= ALTERNATIVES_MAX {
            return None;
        }
        let Some((before, choices, after)) = braces(&pattern) else {
            done.push(pattern);
            continue;
        };
        for choice in choices {
            open.push(format!("{before}{choice}{after}"));
            if open.len() > ALTERNATIVES_MAX {
                return None;
            }
        }
    }
    Some(done)
}

/// What stands before the first brace, its choices, and what stands after it.
fn braces(pattern: &str) -> Option<(&str, Vec<&str>, &str)> {
    let start = pattern.find('{')?;
    let mut depth = 0;
    let mut choices = Vec::new();
    let mut from = start + 1;
    for (at, c) in pattern.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                choices.push(&pattern[from..at]);
                from = at + 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    choices.push(&pattern[from..at]);
                    return Some((&pattern[..start], choices, &pattern[at + 1..]));
                }
            }
            _ => {}
        }
    }
    None
}

fn components(pattern: &str) -> Vec<Component> {
    let mut components = Vec::new();
    let mut parts = pattern.split('/').peekable();
    while let Some(part) = parts.next() {
        if part != "**" {
            components.push(Component::Tokens(tokens(part)));
            continue;
        }
        components.push(Component::Folders);
        // At the end it matches what is in a folder, not the folder.
        if parts.peek().is_none() {
            components.push(Component::Tokens(vec![Token::Run]));
        }
    }
    components
}

fn tokens(part: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => tokens.push(Token::Run),
            '?' => tokens.push(Token::Any),
            '[' => {
                tokens.push(Token::Any);
                // A `]` that stands first belongs to the class.
                let mut first = true;
                for c in chars.by_ref() {
                    if c == ']' && !first {
                        break;
                    }
                    first = first && c == '!';
                }
            }
            '\\' => tokens.extend(chars.next().map(Token::One)),
            c => tokens.push(Token::One(c)),
        }
    }
    tokens
}

fn meet(one: &[Component], other: &[Component]) -> bool {
    // Most pairs differ in their first folder.
    if let (Some(Component::Tokens(one)), Some(Component::Tokens(other))) =
        (one.first(), other.first())
        && let (Some(Token::One(one)), Some(Token::One(other))) = (one.first(), other.first())
        && one != other
    {
        return false;
    }
    walk(
        one,
        other,
        |it| matches!(it, Component::Folders),
        |one, other| match (one, other) {
            (Component::Tokens(one), Component::Tokens(other)) => walk(
                one,
                other,
                |it| *it == Token::Run,
                |one, other| match (one, other) {
                    (Token::One(one), Token::One(other)) => one == other,
                    _ => true,
                },
            ),
            _ => true,
        },
    )
}

/// Whether two sequences may be the same, where some elements stand for any number of others.
fn walk<T>(
    one: &[T],
    other: &[T],
    is_run: impl Fn(&T) -> bool,
    fits: impl Fn(&T, &T) -> bool,
) -> bool {
    // reach[j]: what was looked at of `one` can be the same as the first j of `other`.
    let mut reach = vec![false; other.len() + 1];
    reach[0] = true;
    for (at, element) in other.iter().enumerate() {
        reach[at + 1] = reach[at] && is_run(element);
    }
    for element in one {
        let mut next = vec![false; other.len() + 1];
        next[0] = reach[0] && is_run(element);
        for (at, with) in other.iter().enumerate() {
            let both = reach[at] && !is_run(element) && !is_run(with) && fits(element, with);
            let runs = is_run(element) && (reach[at + 1] || next[at]);
            let with_runs = is_run(with) && (next[at] || reach[at + 1]);
            next[at + 1] = both || runs || with_runs;
        }
        reach = next;
    }
    reach[other.len()]
}

#[cfg(test)]
mod tests {
    use super::may_meet;

    #[test]
    fn patterns_meet_where_one_path_matches_both() {
        for (one, other, expected) in [
            ("src/a.rs", "src/a.rs", true),
            ("src/a.rs", "src/b.rs", false),
            ("src/*.rs", "src/a.rs", true),
            ("src/*.rs", "src/a/b.rs", false),
            ("src/**", "src/a/b.rs", true),
            ("src/**", "src", false),
            ("src/**", "docs/**", false),
            ("**/*.md", "docs/a.md", true),
            ("**/*.md", "docs/**", true),
            ("**/*.md", "src/**/*.rs", false),
            ("src/{api,db}/*.rs", "src/db/**", true),
            ("src/{api,db}/*.rs", "src/ui/**", false),
            ("src/[ab].rs", "src/a.rs", true),
            ("src/?.rs", "src/ab.rs", false),
            ("a*c", "ab*", true),
            ("a*c", "b*", false),
            ("*a*", "*b*", true),
            ("**", "x", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/c/b", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
        ] {
            assert_eq!(may_meet(one, other), expected, "{one} {other}");
            assert_eq!(may_meet(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn hostile_patterns_end_and_may_meet_anything() {
        let braces = "{a,b}".repeat(40);
        assert!(may_meet(&braces, "x"));
        let stars = "*a".repeat(400);
        assert!(!may_meet(&stars, &"b".repeat(800)));
        assert!(may_meet("{a", "{a"));
    }
}
