//! What the slots of a reading hold, by kind, and the checks that rules make of it.

use divisi_core::{Criterion, Format, Holds};

use super::slot::{Place, Value};
use super::subject::{self, Subject};
use super::token::ending;
use super::why::Why;

pub(super) fn find<T>(values: &[Value], of_kind: impl Fn(&Value) -> Option<T>) -> Result<T, Why> {
    values.iter().find_map(of_kind).ok_or(Why::NoRule)
}

pub(super) fn subject_of(values: &[Value]) -> Result<Subject, Why> {
    find(values, |value| match value {
        Value::Subject(subject) => Some(subject.clone()),
        _ => None,
    })
}

pub(super) fn bytes_of(values: &[Value]) -> Result<u64, Why> {
    find(values, |value| match value {
        Value::Bytes(bytes) => Some(*bytes),
        _ => None,
    })
}

pub(super) fn texts_of(values: &[Value]) -> Result<Vec<String>, Why> {
    find(values, |value| match value {
        Value::Texts(texts) => Some(texts.clone()),
        _ => None,
    })
}

pub(super) fn places_of(values: &[Value]) -> Result<Vec<Place>, Why> {
    find(values, |value| match value {
        Value::Places(places) => Some(places.clone()),
        _ => None,
    })
}

pub(super) fn pattern_of(values: &[Value]) -> Result<String, Why> {
    find(values, |value| match value {
        Value::Pattern(pattern) => Some(pattern.clone()),
        _ => None,
    })
}

/// Archives hold files; what stands in their bytes says little about those.
const ARCHIVES: &[&str] = &["7z", "gz", "jar", "tar", "tgz", "zip"];

/// The subject, of files in which text can be looked for.
pub(super) fn searched(values: &[Value]) -> Result<Subject, Why> {
    let subject = subject_of(values)?;
    let is_archive = |path: &String| ending(path).is_some_and(|end| ARCHIVES.contains(&end));
    match &subject {
        Subject::Files { paths, .. } if paths.iter().any(is_archive) => {
            Err(Why::Unfit("the files in an archive are not looked at"))
        }
        _ => Ok(subject),
    }
}

/// The statement of each path.
pub(super) fn of_each(paths: &[String], holds: &Holds) -> Vec<Criterion> {
    paths.iter().map(|path| holds.of(path)).collect()
}

/// The statement of the subject.
pub(super) fn said(subject: &Subject, holds: &Holds) -> Vec<Criterion> {
    match subject {
        Subject::Files { paths, .. } => of_each(paths, holds),
        Subject::Each { pattern, .. } => vec![Criterion::Each {
            pattern: pattern.clone(),
            holds: holds.clone(),
        }],
    }
}

/// A statement for each of the texts.
pub(super) fn of_texts(
    subject: &Subject,
    values: &[Value],
    holds: impl Fn(String) -> Holds,
) -> Result<Vec<Criterion>, Why> {
    let texts = texts_of(values)?;
    let of_text = |text| said(subject, &holds(text));
    Ok(texts.into_iter().flat_map(of_text).collect())
}

/// The expression of each path.
pub(super) fn matching(subject: &Subject, pattern: &str) -> Result<Vec<Criterion>, Why> {
    let Subject::Files { paths, .. } = subject else {
        return Err(Why::Unfit(
            "this is checked on files that are named, not on a pattern",
        ));
    };
    let of = |path: &String| Criterion::Matches {
        pattern: pattern.to_owned(),
        path: path.clone(),
    };
    Ok(paths.iter().map(of).collect())
}

/// The format that all files are called by, or have by their endings.
pub(super) fn format_of(subject: &Subject) -> Option<Format> {
    match subject {
        Subject::Each { pattern, format } => format.or_else(|| subject::format_of(pattern)),
        Subject::Files { paths, .. } => {
            let mut formats = paths.iter().map(|path| subject::format_of(path));
            let first = formats.next()??;
            formats.all(|format| format == Some(first)).then_some(first)
        }
    }
}
