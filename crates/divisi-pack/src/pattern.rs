//! Patterns of target paths: what they match, and what their variables are bound to.
//!
//! The language is that of other patterns (`*` within a folder, `**` across folders, `?`, `[…]`,
//! `{a,b}`), and `{name}`: a value where one is given, otherwise a component's part that is bound
//! to the name. Nothing of a value or a path is ever read as a pattern.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::paths;
use crate::placeholder;

/// The deepest nesting of `{a,{b,c}}`.
const NESTING_MAX: usize = 8;

/// The most variables of one pattern.
const VARIABLES_MAX: usize = 16;

/// A compiled pattern may take so many bytes, as a compiled expression may.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A pattern, ready to match.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// What each group of the expression binds, in order.
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Group {
    Wildcard,
    Name(String),
}

/// What a path bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bound {
    /// What the pattern's last wildcard matched, without extension; without a wildcard, what its
    /// last variable matched.
    pub(crate) last: Option<String>,
    /// What its variables matched.
    pub(crate) named: BTreeMap<String, String>,
}

impl Pattern {
    /// Compiles a pattern in which some variables have values.
    ///
    /// # Errors
    /// Why it does not parse, as a fragment.
    pub(crate) fn new(
        pattern: &str,
        value: impl Fn(&str) -> Option<String>,
    ) -> Result<Pattern, String> {
        let mut writer = Writer {
            regex: String::from("^"),
            groups: Vec::new(),
            value: &value,
        };
        writer.components(pattern)?;
        writer.regex.push('$');
        let regex = RegexBuilder::new(&writer.regex)
            .dot_matches_new_line(true)
            .size_limit(COMPILED_BYTES_MAX)
            .build()
            .map_err(|_| "takes too much memory when compiled".to_owned())?;
        Ok(Pattern {
            regex,
            groups: writer.groups,
        })
    }

    /// What a path binds; `None` if it does not match.
    pub(crate) fn bind(&self, path: &str) -> Option<Bound> {
        let captures = self.regex.captures(path)?;
        let mut bound = Bound::default();
        let has_wildcard = self.groups.contains(&Group::Wildcard);
        for (group, found) in self.groups.iter().zip(captures.iter().skip(1)) {
            let (text, end) = found.map_or(("", 0), |found| (found.as_str(), found.end()));
            let text = if end == path.len() {
                without_extension(text)
            } else {
                text
            };
            match group {
                Group::Wildcard => bound.last = Some(text.to_owned()),
                Group::Name(name) => {
                    if !has_wildcard {
                        bound.last = Some(text.to_owned());
                    }
                    bound.named.insert(name.clone(), text.to_owned());
                }
            }
        }
        Some(bound)
    }

    /// Whether a path matches.
    pub(crate) fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }
}

/// Whether a pattern matches nothing but the path that it is.
pub(crate) fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', '{', '\\'])
}

/// The names of a pattern's variables, and why it does not parse if it does not.
pub(crate) fn check(pattern: &str) -> Result<Vec<String>, String> {
    if let Some(fault) = paths::fault(pattern) {
        return Err(fault);
    }
    if pattern.len() > paths::PATTERN_BYTES_MAX {
        return Err(format!("is longer than {} bytes", paths::PATTERN_BYTES_MAX));
    }
    let compiled = Pattern::new(pattern, |_| None)?;
    let names = compiled.groups.into_iter().filter_map(|group| match group {
        Group::Name(name) => Some(name),
        Group::Wildcard => None,
    });
    let names: Vec<String> = names.collect();
    if names.len() > VARIABLES_MAX {
        return Err(format!("has more than {VARIABLES_MAX} variables"));
    }
    Ok(names)
}

/// The name of a file without its extension.
pub(crate) fn stem(path: &str) -> &str {
    without_extension(path.rsplit('/').next().unwrap_or(path))
}

/// The text without the extension of its last component.
fn without_extension(text: &str) -> &str {
    let component = text.rfind('/').map_or(0, |at| at + 1);
    match text[component..].rfind('.') {
        Some(dot) if dot > 0 => &text[..component + dot],
        _ => text,
    }
}

/// Writes a pattern as an expression.
struct Writer<'v, V> {
    regex: String,
    groups: Vec<Group>,
    value: &'v V,
}

impl<V: Fn(&str) -> Option<String>> Writer<'_, V> {
    fn components(&mut self, pattern: &str) -> Result<(), String> {
        let components: Vec<&str> = split(pattern)?;
        let last = components.len() - 1;
        for (at, component) in components.iter().enumerate() {
            if *component == "**" {
                self.groups.push(Group::Wildcard);
                let text = match (at == last, at == 0) {
                    (true, true) => "(.*)",
                    (true, false) => "(.+)",
                    (false, _) => "(?:(.*)/)?",
                };
                self.regex.push_str(text);
                continue;
            }
            self.component(component, 0)?;
            if at < last {
                self.regex.push('/');
            }
        }
        Ok(())
    }

    fn component(&mut self, text: &str, nesting: usize) -> Result<(), String> {
        let mut rest = text;
        // Wildcards side by side are one: `S??` binds both characters.
        let mut open = false;
        while let Some(c) = rest.chars().next() {
            let (expression, length) = match c {
                '*' => {
                    let stars = rest.len() - rest.trim_start_matches('*').len();
                    (Some("[^/]*".to_owned()), stars)
                }
                '?' => (Some("[^/]".to_owned()), 1),
                '[' => {
                    let end = class_end(rest).ok_or("has a `[` without `]`")?;
                    (Some(class(&rest[1..end])?), end + 1)
                }
                _ => (None, 0),
            };
            if let Some(expression) = expression {
                if !open && nesting == 0 {
                    self.groups.push(Group::Wildcard);
                    self.regex.push('(');
                    open = true;
                }
                self.regex.push_str(&expression);
                rest = &rest[length..];
                continue;
            }
            if open {
                self.regex.push(')');
                open = false;
            }
            rest = match c {
                '{' => self.braces(rest, nesting)?,
                c => {
                    self.regex
                        .push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
                    &rest[c.len_utf8()..]
                }
            };
        }
        if open {
            self.regex.push(')');
        }
        Ok(())
    }

    /// `{a,b}` or `{name}`; returns what follows.
    fn braces<'p>(&mut self, text: &'p str, nesting: usize) -> Result<&'p str, String> {
        if nesting >= NESTING_MAX {
            return Err(format!("nests braces deeper than {NESTING_MAX}"));
        }
        let end = braces_end(text).ok_or("has a `{` without `}`")?;
        let inside = &text[1..end];
        let rest = &text[end + 1..];
        let alternatives = alternatives(inside);
        if let [name] = alternatives[..] {
            if !placeholder::is_name(name) {
                return Err(format!("has `{{{name}}}`, which is no variable"));
            }
            if nesting > 0 {
                return Err(format!("has the variable `{{{name}}}` among alternatives"));
            }
            match (self.value)(name) {
                Some(value) => self.regex.push_str(&regex::escape(&value)),
                None => {
                    self.groups.push(Group::Name(name.to_owned()));
                    self.regex.push_str("([^/]+)");
                }
            }
            return Ok(rest);
        }
        // Other patterns leave out alternatives that are empty.
        let alternatives = alternatives.into_iter().filter(|text| !text.is_empty());
        for (at, alternative) in alternatives.enumerate() {
            self.regex.push_str(if at == 0 { "(?:" } else { "|" });
            self.component(alternative, nesting + 1)?;
        }
        if inside.chars().any(|c| c != ',') {
            self.regex.push(')');
        }
        Ok(rest)
    }
}

/// The pattern's components; braces and classes may hold no separator.
fn split(pattern: &str) -> Result<Vec<&str>, String> {
    let components: Vec<&str> = pattern.split('/').collect();
    for component in &components {
        let mut rest = *component;
        while let Some(at) = rest.find(['{', '[', '}']) {
            let end = match rest.as_bytes()[at] {
                b'{' => braces_end(&rest[at..]).ok_or("has a `{` without `}` in one component")?,
                b'[' => class_end(&rest[at..]).ok_or("has a `[` without `]` in one component")?,
                _ => return Err("has a `}` without `{`".to_owned()),
            };
            rest = &rest[at + end + 1..];
        }
    }
    Ok(components)
}

/// Where the braces that open a text close.
fn braces_end(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Where the class that opens a text closes; its first character may be a `]`.
fn class_end(text: &str) -> Option<usize> {
    let negation = usize::from(text[1..].starts_with(['!', '^']));
    let from = 1 + negation;
    let first = text[from..].chars().next()?.len_utf8();
    text[from + first..].find(']').map(|at| from + first + at)
}

fn class(inside: &str) -> Result<String, String> {
    let (negated, inside) = match inside.strip_prefix(['!', '^']) {
        Some(rest) => ("^", rest),
        None => ("", inside),
    };
    let chars: Vec<char> = inside.chars().collect();
    let mut text = format!("[[{negated}");
    let mut at = 0;
    while at < chars.len() {
        let is_range = chars.get(at + 1) == Some(&'-') && at + 2 < chars.len();
        let (from, to) = (chars[at], if is_range { chars[at + 2] } else { chars[at] });
        if from > to {
            return Err(format!("has the empty range `{from}-{to}`"));
        }
        let (low, high) = (u32::from(from), u32::from(to));
        text.push_str(&format!("\\x{{{low:x}}}-\\x{{{high:x}}}"));
        at += if is_range { 3 } else { 1 };
    }
    text.push_str("]&&[^/]]");
    Ok(text)
}

/// The text at its commas outside braces.
fn alternatives(inside: &str) -> Vec<&str> {
    let (mut depth, mut from) = (0usize, 0);
    let mut found = Vec::new();
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&inside[from..]);
    found
}

#[cfg(test)]
mod tests {
    use globset::GlobBuilder;

    use super::*;

    fn bind(pattern: &str, path: &str) -> Option<Bound> {
        Pattern::new(pattern, |_| None).unwrap().bind(path)
    }

    fn last(pattern: &str, path: &str) -> Option<String> {
        bind(pattern, path).unwrap().last
    }

    #[test]
    fn patterns_match_what_other_patterns_match() {
        let patterns = [
            "stories/*.md",
            "*",
            "**",
            "**/*.rs",
            "src/**",
            "src/**/*.rs",
            "a/**/b",
            "?.md",
            "[a-c].md",
            "[!a-c].md",
            "[]x].md",
            "x[-a]",
            "{a,b}.md",
            "*.{md,txt}",
            "{src,docs}/**/*.{rs,md}",
            "a{,b}",
            "ä/*.ö",
            "a.b+c(d)|$^",
            "US-*.md",
            "**/README.md",
        ];
        let paths = [
            "stories/S1.md",
            "stories/a/S1.md",
            "stories/.md",
            "a",
            "ab",
            "a.md",
            "d.md",
            "].md",
            "x.md",
            "x-",
            "xa",
            "src/main.rs",
            "src/a/b/main.rs",
            "docs/x.md",
            "main.rs",
            "a/b",
            "a/x/y/b",
            "src",
            "ä/x.ö",
            "a.b+c(d)|$^",
            "US-010.md",
            "README.md",
            "docs/api/README.md",
            "x\ny.rs",
            "b.txt",
        ];
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            let matcher = glob.unwrap().compile_matcher();
            for path in paths {
                let matched = bind(pattern, path).is_some();
                assert_eq!(matched, matcher.is_match(path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn the_last_wildcard_is_bound_without_extension() {
        for (pattern, path, bound) in [
            ("stories/*.md", "stories/S1.md", Some("S1")),
            ("stories/*.md", "stories/v1.2.md", Some("v1.2")),
            (
                "stories/*/requirements.md",
                "stories/S1/requirements.md",
                Some("S1"),
            ),
            (
                "stories/*/requirements.md",
                "stories/v1.2/requirements.md",
                Some("v1.2"),
            ),
            ("stories/*", "stories/S1.md", Some("S1")),
            ("stories/*", "stories/S1", Some("S1")),
            ("stories/*", "stories/.hidden", Some(".hidden")),
            ("stories/US-*.md", "stories/US-010.md", Some("010")),
            ("stories/S??.md", "stories/S07.md", Some("07")),
            ("*/*.{md,txt}", "a/b.txt", Some("b")),
            ("**/*.md", "a/b/c.md", Some("c")),
            ("docs/**", "docs/a/b.md", Some("a/b")),
            ("**/README.md", "a/b/README.md", Some("a/b")),
            ("one.md", "one.md", None),
        ] {
            assert_eq!(last(pattern, path).as_deref(), bound, "{pattern} {path}");
        }
    }

    #[test]
    fn variables_bind_or_stand_for_their_value() {
        let bound = bind("work/{epic}/US-*.md", "work/E01/US-010.md").unwrap();
        assert_eq!(bound.last.as_deref(), Some("010"));
        assert_eq!(bound.named["epic"], "E01");
        assert_eq!(bind("work/{epic}/x.md", "work/a/b/x.md"), None);
        let file = bind("stories/{story_id}", "stories/S1.md").unwrap();
        assert_eq!(file.named["story_id"], "S1");
        let hostile = |_: &str| Some("*[a](.*)".to_owned());
        let given = Pattern::new("in/{id}/*.md", hostile).unwrap();
        assert!(given.bind("in/*[a](.*)/x.md").is_some());
        assert!(!given.matches("in/abc/x.md"));
    }

    #[test]
    fn what_does_not_parse_says_why() {
        for (pattern, fault) in [
            ("a/{b", "has a `{` without `}` in one component"),
            ("a}", "has a `}` without `{`"),
            ("[a", "has a `[` without `]` in one component"),
            ("{a/b,c}", "has a `{` without `}` in one component"),
            ("{a b}", "has `{a b}`, which is no variable"),
            ("{}", "has `{}`, which is no variable"),
            ("{a,{b}}", "has the variable `{b}` among alternatives"),
            ("[z-a]", "has the empty range `z-a`"),
            (
                "../x",
                "has the component `..`, which leads out of the tree",
            ),
            ("", "is empty"),
        ] {
            assert_eq!(check(pattern).unwrap_err(), fault, "{pattern}");
        }
        let deep = format!("{}a{}", "{x,".repeat(20), "}".repeat(20));
        assert!(check(&deep).unwrap_err().contains("deeper than 8"));
        let wide = vec!["?".repeat(200); 20].join("/");
        assert_eq!(
            check(&wide).unwrap_err(),
            "takes too much memory when compiled"
        );
        let many = "{a}".repeat(17);
        assert_eq!(check(&many).unwrap_err(), "has more than 16 variables");
        assert_eq!(check("a/{x}/{y}/*"), Ok(vec!["x".into(), "y".into()]));
    }
}
