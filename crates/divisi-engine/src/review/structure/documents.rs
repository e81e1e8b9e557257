//! Documents: where their links lead.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::review::facts::Facts;
use crate::review::language::Language;
use crate::review::markdown::{Document, Link};
use crate::review::matching::{Condition, Hit};
use crate::review::source::{Source, View};

macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is well-formed"));
    };
}

pattern!(SCHEME, r"^[A-Za-z][A-Za-z0-9+.-]*:");
pattern!(
    UNFINISHED,
    r"^\W*(?:TODO|TBD|FIXME|XXX)\b|\b(?:TODO|FIXME|XXX)\s*:|\bTBD\b|(?i)^\W*(?:coming soon|to be written|lorem ipsum)\b"
);
pattern!(HTML_ANCHOR, r#"(?i)\b(?:id|name)\s*=\s*["']([^"']+)["']"#);
pattern!(OWN_ANCHOR, r"\{#([^}\s]+)[^}]*\}\s*$");

/// A document, if the source is one.
pub(super) fn document(source: &Source) -> Option<Document> {
    (source.language == Language::Markdown).then(|| Document::parse(source.view(View::Text)))
}

fn hit(source: &Source, at: usize, what: String) -> Hit {
    Hit::at(source.line_of(at), what)
}

/// Links to files that are not there.
pub(super) fn broken_links(source: &Source, facts: &Facts) -> Vec<Hit> {
    let links = document(source).unwrap_or_default().links;
    links
        .iter()
        .filter_map(|link| {
            let path = resolve(&source.path, file_part(link)?)?;
            let is_there = candidates(&path).iter().any(|path| facts.has(path));
            (!is_there).then(|| Hit {
                regardless: facts.removed.contains(&path),
                condition: Condition::NotIgnored(path.clone()),
                ..hit(source, link.at, format!("`{path}`"))
            })
        })
        .collect()
}

/// The part of a link's target that names a file of the repository.
fn file_part(link: &Link) -> Option<&str> {
    let target = link.target.as_str();
    let is_elsewhere = SCHEME.is_match(target)
        || target.starts_with(['#', '/', '?', '@'])
        || target.contains(['{', '}', '<', '>', '$', '*']);
    let end = target.find(['#', '?']).unwrap_or(target.len());
    (!is_elsewhere && end > 0).then_some(&target[..end])
}

/// Where a relative path leads from a document; none if it leads out of the repository.
pub(super) fn resolve(document: &str, target: &str) -> Option<String> {
    let target = percent_decoded(target);
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What a link may mean: generators of sites leave out or change endings.
fn candidates(path: &str) -> Vec<String> {
    let mut paths = vec![path.to_owned()];
    for ending in [".md", ".mdx", "/index.md", "/README.md"] {
        paths.push(format!("{path}{ending}"));
    }
    if let Some(stem) = path.strip_suffix(".html") {
        paths.extend([".md", ".rst", ".adoc"].map(|ending| format!("{stem}{ending}")));
    }
    paths
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%')
            .then(|| std::str::from_utf8(after.get(..2)?).ok())
            .flatten()
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Links to sections of the same document that are not there.
pub(super) fn broken_anchors(source: &Source) -> Vec<Hit> {
    let document = document(source).unwrap_or_default();
    let mut anchors: BTreeSet<String> = BTreeSet::new();
    for heading in &document.headings {
        let slug = slug(heading);
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let mut names = std::iter::once(slug.clone()).chain(numbered);
        anchors.extend(names.find(|name| !anchors.contains(name)));
        if let Some(own) = OWN_ANCHOR.captures(heading) {
            anchors.insert(own[1].to_lowercase());
        }
    }
    for html in &document.html {
        let ids = HTML_ANCHOR.captures_iter(&html.text);
        anchors.extend(ids.map(|found| found[1].to_lowercase()));
    }
    document
        .links
        .iter()
        .filter_map(|link| {
            let wanted = percent_decoded(link.target.strip_prefix('#')?).to_lowercase();
            let is_top = wanted.is_empty() || wanted == "top";
            // Notes are made by whoever shows the page.
            let is_made = wanted.starts_with("fn");
            let is_there = anchors.contains(&wanted) || is_made;
            (!is_top && !is_there).then(|| hit(source, link.at, format!("`#{wanted}`")))
        })
        .collect()
}

/// The name that a heading gets as an anchor.
fn slug(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c if c.is_alphanumeric() => Some(c),
            _ => None,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Links to nothing.
pub(super) fn empty_links(source: &Source) -> Vec<Hit> {
    let links = document(source).unwrap_or_default().links;
    links
        .iter()
        .filter(|link| link.target.trim().is_empty())
        .map(|link| hit(source, link.at, String::new()))
        .collect()
}

/// Images that say nothing to who cannot see them.
pub(super) fn images_without_words(source: &Source) -> Vec<Hit> {
    let links = document(source).unwrap_or_default().links;
    links
        .iter()
        .filter(|link| link.is_image && link.words.trim().is_empty())
        .map(|link| hit(source, link.at, String::new()))
        .collect()
}

/// Prose that says that it is not written yet.
pub(super) fn unfinished(source: &Source) -> Vec<Hit> {
    let prose = document(source).unwrap_or_default().prose;
    prose
        .iter()
        .filter(|piece| UNFINISHED.is_match(&piece.text))
        .map(|piece| hit(source, piece.at, String::new()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved_beneath_the_root() {
        for (document, target, expected) in [
            ("README.md", "docs/a.md", Some("docs/a.md")),
            ("docs/a/b.md", "../c%20d.md", Some("docs/c d.md")),
            ("docs/a.md", "./", Some("docs")),
            ("docs/a.md", "../../x", None),
            ("a.md", "100%.md", Some("100%.md")),
        ] {
            assert_eq!(resolve(document, target).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(slug("Set up, then `run`!"), "set-up-then-run");
        assert_eq!(slug("Größe_1 & x"), "größe_1--x");
    }
}
