//! The way back: a criterion as a sentence that is understood as exactly this criterion.

use divisi_core::criterion::of_scope;
use divisi_core::{Criterion, Format, Holds};

use super::context::Context;
use super::{Compiled, argv, compile};
use crate::plan_file::{self, CHECK_TIMEOUT_MS};
use crate::render::is_unprintable;

/// A statement that [`compile()`] understands as this one criterion: a sentence where there is
/// one, otherwise the criterion in JSON between backquotes. Plain words are as they are. `None` for
/// the exit status, of which only a task can speak, and for what no file can hold, such as NUL.
#[must_use]
pub fn say(criterion: &Criterion) -> Option<String> {
    if let Criterion::Plain { text } = criterion {
        return Some(text.clone());
    }
    let is_understood = |text: &String| match compile(text, &Context::default()) {
        Compiled::Checks(understood) => understood.criteria == [criterion.clone()],
        Compiled::Unverified(_) => false,
    };
    let sentence = sentence(criterion).filter(is_understood);
    let json = || plan_file::criterion_json(criterion).and_then(|json| code(&visible(&json)));
    sentence.or_else(|| json().filter(is_understood))
}

/// The text as a code span; `None` where a code span cannot hold it.
pub(crate) fn code(text: &str) -> Option<String> {
    if text.trim().is_empty() || text.chars().any(is_unprintable) {
        return None;
    }
    let runs = text.split(|c| c != '`').map(str::len);
    let mark = "`".repeat(runs.max().unwrap_or_default() + 1);
    let pads = text.starts_with('`')
        || text.ends_with('`')
        || (text.starts_with(' ') && text.ends_with(' '));
    let pad = if pads { " " } else { "" };
    Some(format!("{mark}{pad}{text}{pad}{mark}"))
}

/// The JSON with every character escaped that does not show.
fn visible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn sentence(criterion: &Criterion) -> Option<String> {
    let file = |path: &str| Some(format!("the file {}", code(path)?));
    Some(match criterion {
        Criterion::File { path, min_bytes: 0 } => format!("{} exists", file(path)?),
        Criterion::File { path, min_bytes } => predicate(
            file(path)?,
            &Holds::Size {
                min_bytes: *min_bytes,
            },
        )?,
        Criterion::Contains { text, path } => {
            predicate(file(path)?, &Holds::Contains { text: text.clone() })?
        }
        Criterion::Lacks { text, path } => {
            predicate(file(path)?, &Holds::Lacks { text: text.clone() })?
        }
        Criterion::Section { heading, path } => predicate(
            file(path)?,
            &Holds::Section {
                heading: heading.clone(),
            },
        )?,
        Criterion::Format { format, path } => {
            predicate(file(path)?, &Holds::Format { format: *format })?
        }
        Criterion::Matches { pattern, path } => {
            format!(
                "{} contains a match of the regular expression {}",
                file(path)?,
                code(pattern)?
            )
        }
        Criterion::Schema { schema, path } => {
            format!("{} matches the schema {}", file(path)?, code(schema)?)
        }
        Criterion::Command { argv, timeout_ms } => {
            let within = match *timeout_ms {
                CHECK_TIMEOUT_MS => String::new(),
                ms => format!(" within {}", duration(ms)),
            };
            format!("the command {} succeeds{within}", code(&argv::join(argv)?)?)
        }
        // No rule of words reads what is spared.
        Criterion::Scope { patterns } if !of_scope(patterns).1.is_empty() => return None,
        Criterion::Scope { patterns } => {
            let patterns: Option<Vec<String>> = patterns.iter().map(|p| code(p)).collect();
            let patterns = patterns?;
            let are = if patterns.len() == 1 { "is" } else { "are" };
            format!("only {} {are} changed", listed(&patterns))
        }
        Criterion::Count { pattern, min, max } => {
            let amount = match (min, max) {
                (0, Some(0)) => "no".to_owned(),
                (min, None) => format!("at least {min}"),
                (0, Some(max)) => format!("at most {max}"),
                (min, Some(max)) if min == max => format!("exactly {min}"),
                (min, Some(max)) => format!("between {min} and {max}"),
            };
            format!("{amount} files match {}", code(pattern)?)
        }
        Criterion::Each { pattern, holds } => {
            predicate(format!("every file matching {}", code(pattern)?), holds)?
        }
        // No rule of words reads what is to be changed, or what is cited.
        Criterion::Changed { .. }
        | Criterion::Cites { .. }
        | Criterion::ExitStatus
        | Criterion::Plain { .. } => return None,
    })
}

fn predicate(subject: String, holds: &Holds) -> Option<String> {
    Some(match holds {
        Holds::Size { min_bytes: 1 } => format!("{subject} is non-empty"),
        Holds::Size { min_bytes } => format!("{subject} has at least {min_bytes} bytes"),
        Holds::Contains { text } => format!("{subject} contains the text {}", code(text)?),
        Holds::Lacks { text } => format!("{subject} contains no {}", code(text)?),
        Holds::Section { heading } => format!("{subject} has a section {}", code(heading)?),
        Holds::Format { format } => {
            let format = match format {
                Format::Json => "JSON",
                Format::Yaml => "YAML",
                Format::Toml => "TOML",
                Format::Markdown => "Markdown",
            };
            format!("{subject} is valid {format}")
        }
    })
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A duration in the largest unit in which it is whole.
pub(crate) fn duration(ms: u64) -> String {
    let (count, unit) = match ms {
        ms if ms % 60_000 == 0 => (ms / 60_000, "minute"),
        ms if ms % 1_000 == 0 => (ms / 1_000, "second"),
        ms => (ms, "millisecond"),
    };
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{end}")
}
