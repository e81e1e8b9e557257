//! The edits that lessons are made of: one line more, or one number changed.

use divisi_core::Criterion;

use crate::config::{self, Value};
use crate::role::{self, Role};

/// The text of a role's file with one more thing that binds the role. `role` is what all layers
/// make of it now; where the text says nothing of what binds it, it gets what bound it before, too.
///
/// `None` if the role is bound by those words already, or if the text is laid out so that this
/// cannot be done line by line.
#[must_use]
pub fn bind_role(text: &str, role: &Role, words: &str) -> Option<String> {
    if role.constraints.iter().any(|bound| bound == words) {
        return None;
    }
    let before = patches(text)?;
    let own = before.iter().find(|patch| patch.id == role.id)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let entry = |indent: usize, words: &str| format!("{}- {}", " ".repeat(indent), quoted(words));
    // Where the role begins; one that stands alone begins with the file.
    let from = match before.len() {
        1 => 0,
        _ => (own.place.line as usize).saturating_sub(1),
    };
    let key = (from..lines.len()).find(|at| lines[*at].trim() == "constraints:");
    match (&own.constraints, key) {
        (Some(_), Some(key)) => {
            let outer = indent(&lines[key]);
            let first = (key + 1..lines.len()).find(|at| !lines[*at].trim().is_empty())?;
            let inner = indent(&lines[first]);
            let is_entry = lines[first].trim_start().starts_with("- ") && inner >= outer;
            let belongs = |line: &String| {
                let is_more = indent(line) > inner;
                is_more || indent(line) == inner && line.trim_start().starts_with("- ")
            };
            let last = (first..lines.len())
                .take_while(|at| belongs(&lines[*at]))
                .last();
            lines.insert(last.filter(|_| is_entry)? + 1, entry(inner, words));
        }
        (None, None) if before.len() == 1 => {
            let first = lines.iter().find(|line| indent(line) > 0)?;
            let outer = indent(first);
            lines.push(format!("{}constraints:", " ".repeat(outer)));
            let bound = role.constraints.iter().map(String::as_str);
            lines.extend(bound.chain([words]).map(|words| entry(outer + 2, words)));
        }
        _ => return None,
    }
    let after = lines.join("\n") + "\n";
    let mut bound = role.constraints.clone();
    bound.push(words.to_owned());
    let mut meant = before.clone();
    for patch in &mut meant {
        if patch.id == role.id {
            patch.constraints = Some(bound.clone());
        }
    }
    let mut read = patches(&after)?;
    for (read, meant) in read.iter_mut().zip(&meant) {
        read.place = meant.place.clone();
    }
    (read == meant).then_some(after)
}

fn patches(text: &str) -> Option<Vec<role::Patch>> {
    role::read("role", text.as_bytes()).roles
}

/// How deep a line stands; a comment or an empty line stands nowhere.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Words as YAML takes them for nothing but words.
fn quoted(words: &str) -> String {
    serde_json::to_string(words).expect("a text can be written")
}

/// The text of a file of configuration with a number of a section changed, or added.
///
/// `None` if it says so already, or if the text is laid out so that this cannot be done line by
/// line.
#[must_use]
pub fn put_setting(text: &str, section: &str, leaf: &str, number: &str) -> Option<String> {
    let before = config::read("configuration", text.as_bytes()).values?;
    let key = format!("{section}.{leaf}");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let head = lines
        .iter()
        .position(|line| line.trim_end() == format!("{section}:"));
    match (before.get(&key), head) {
        (Some(_), Some(head)) => {
            let start = format!("{leaf}:");
            let rest = lines[head + 1..].iter();
            let within = rest.take_while(|line| line.trim().is_empty() || indent(line) > 0);
            let at = within
                .into_iter()
                .position(|line| line.trim_start().starts_with(&start))?;
            let line = &mut lines[head + 1 + at];
            let comment = line.find(" #").map_or("", |at| &line[at..]).to_owned();
            *line = format!("{}{start} {number}{comment}", " ".repeat(indent(line)));
        }
        (None, Some(head)) => {
            let next = lines.get(head + 1).map_or(0, |line| indent(line));
            let indent = if next == 0 { 2 } else { next };
            lines.insert(head + 1, format!("{}{leaf}: {number}", " ".repeat(indent)));
        }
        (None, None) => {
            lines.push(format!("{section}:"));
            lines.push(format!("  {leaf}: {number}"));
        }
        (Some(_), None) => return None,
    }
    let after = lines.join("\n") + "\n";
    let read = config::read("configuration", after.as_bytes()).values?;
    let alike = |key: &str, value: &Value| read.get(key).map(|given| &given.value) == Some(value);
    let others: Vec<_> = before.iter().filter(|(other, _)| *other != key).collect();
    let kept = { &others }
        .iter()
        .all(|(key, given)| alike(key, &given.value))
        && read.iter().count() == others.len() + 1;
    let changed = read.get(&key).map(|given| &given.value) != before.get(&key).map(|it| &it.value);
    (kept && changed).then_some(after)
}

/// The text of a role's template with a section named that what is delivered must have.
///
/// `None` if it is named already, if its name could be taken for a part of the template, or if the
/// template has no block at whose end it could stand.
#[must_use]
pub fn extend_template(text: &str, section: &Criterion) -> Option<String> {
    let Criterion::Section { heading, .. } = section else {
        return None;
    };
    let words = format!("- A section `{heading}` is there, with something beneath it.");
    let is_plain = |c: char| !c.is_control() && !"{}%#`".contains(c);
    if !heading.chars().all(is_plain) || text.contains(&words) {
        return None;
    }
    let mut lines: Vec<&str> = text.lines().collect();
    let end = lines
        .iter()
        .rposition(|line| line.trim() == "{% endblock %}")?;
    let last = (0..end).rev().find(|at| !lines[*at].trim().is_empty())?;
    lines.insert(last + 1, &words);
    Some(lines.join("\n") + "\n")
}
