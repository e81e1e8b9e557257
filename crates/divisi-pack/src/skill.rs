//! Skills that a repository has for agents: what the head of a `SKILL.md` says.
//!
//! The head is YAML between two lines of `---`. Of it only the name and the description count here;
//! the rest, and the text below, is for the agent that opens the file.

use divisi_core::criterion::truncate;
use jsonc_parser::ast::Value;

use crate::faults::Faults;
use crate::render::printable;
use crate::yaml;

/// The longest name of a skill, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The longest description, in bytes: every agent is told every one.
const DESCRIPTION_BYTES_MAX: usize = 500;

/// What a skill says of itself, each in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name, if it says one.
    pub name: Option<String>,
    /// What it is for.
    pub description: String,
}

/// Reads the head of a `SKILL.md`; `None` if it has none, or one that says nothing of what the
/// skill is for. `text` may be cut after it.
#[must_use]
pub fn read(text: &str) -> Option<Head> {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = rest.strip_prefix("---")?.trim_start_matches('\r');
    let rest = rest.strip_prefix('\n')?;
    let end = rest.match_indices("\n---").map(|(at, _)| at).find(|at| {
        let after = rest[at + "\n---".len()..].lines().next();
        after.is_none_or(|after| after.trim().is_empty())
    })?;
    let head = &rest[..end];
    let mut faults = Faults::new("SKILL.md", head);
    let Some(Value::Object(head)) = yaml::parse(head, &mut faults) else {
        return None;
    };
    let said = |key: &str, bytes_max: usize| {
        let value = head.get(key)?;
        let Value::StringLit(text) = &value.value else {
            return None;
        };
        let words: Vec<&str> = text.value.split_whitespace().collect();
        let mut text = printable(&words.join(" "));
        truncate(&mut text, bytes_max);
        (!text.is_empty()).then_some(text)
    };
    Some(Head {
        name: said("name", NAME_BYTES_MAX),
        description: said("description", DESCRIPTION_BYTES_MAX)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: Option<&str>, description: &str) -> Option<Head> {
        Some(Head {
            name: name.map(str::to_owned),
            description: description.to_owned(),
        })
    }

    #[test]
    fn name_and_description_are_read_from_the_head() {
        for (text, expected) in [
            (
                "---\nname: release\ndescription: How to release.\nallowed-tools: [Bash]\n---\n# Text\n",
                head(Some("release"), "How to release."),
            ),
            (
                "---\r\ndescription: >\r\n  How to\r\n  release.\r\n---\r\n",
                head(None, "How to release."),
            ),
            (
                "---\ndescription: \"a\\tb\\u001b[2J\"\n---",
                head(None, "a b\u{fffd}[2J"),
            ),
            ("---\nname: release\n---\n", None),
            ("---\nname: release\ndescription: [1]\n---\n", None),
            ("---\ndescription: not closed\n", None),
            ("---\n: : :\n---\n", None),
            ("---\ndescription: &a x\n---\n", None),
            ("# No head\n---\ndescription: x\n---\n", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn both_are_bounded() {
        let text = format!(
            "---\nname: {}\ndescription: {}\n---\n",
            "n".repeat(1_000),
            "é".repeat(10_000)
        );
        let head = read(&text).unwrap();
        assert_eq!(head.name.unwrap().len(), NAME_BYTES_MAX);
        assert!(head.description.len() <= DESCRIPTION_BYTES_MAX);
    }
}
