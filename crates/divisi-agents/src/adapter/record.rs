//! What is kept of a session for whoever takes it up.
//!
//! It stands in the private folder of the tool, which a next attempt in the same workspace finds.
//! The tool may write there: what is read is checked like anything from outside.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::transcript::Tokens;

const FILE: &str = "session.json";

/// A record has one line.
const BYTES_MAX: u64 = 4 << 10;

/// Names that are seen have some forty.
const NAME_BYTES_MAX: usize = 200;

/// A session by its tool's own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Whose.
    pub(super) agent: String,
    /// Its name.
    pub(super) session: String,
    /// What it has used so far, where the tool counts from its beginning.
    #[serde(default)]
    pub(super) used: Tokens,
}

impl Record {
    /// What an agent's session in this folder was, if there is one that can be named to its tool.
    pub(super) fn read(home: &Path, agent: &str) -> Option<Record> {
        let mut text = String::new();
        let file = fs::File::open(home.join(FILE)).ok()?;
        file.take(BYTES_MAX).read_to_string(&mut text).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        (record.agent == agent && is_name(&record.session)).then_some(record)
    }

    /// Keeps it, whole or not at all.
    pub(super) fn write(&self, home: &Path) -> io::Result<()> {
        let new = home.join("session.json.new");
        fs::write(&new, serde_json::to_vec(self)?)?;
        fs::rename(new, home.join(FILE))
    }
}

/// Whether it can stand on a command line: it is no flag, and no path.
fn is_name(session: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    session.len() <= NAME_BYTES_MAX
        && session.starts_with(|c: char| c.is_ascii_alphanumeric())
        && session.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(session: &str) -> Record {
        Record {
            agent: "claude".to_owned(),
            session: session.to_owned(),
            used: Tokens::default(),
        }
    }

    #[test]
    fn the_next_attempt_of_the_same_agent_finds_it_and_no_other_does() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(home.path(), "claude"), None);
        let kept = record("0c9cf409-4a87");
        kept.write(home.path()).unwrap();
        assert_eq!(Record::read(home.path(), "claude"), Some(kept));
        assert_eq!(Record::read(home.path(), "codex"), None);
    }

    #[test]
    fn what_a_tool_forged_is_no_argument() {
        let home = tempfile::tempdir().unwrap();
        for session in [
            "",
            "--dangerously",
            "a b",
            "../../x",
            "a\nb",
            &"x".repeat(201),
        ] {
            record(session).write(home.path()).unwrap();
            assert_eq!(Record::read(home.path(), "claude"), None, "{session}");
        }
        fs::write(home.path().join(FILE), "{\"agent\":7}").unwrap();
        assert_eq!(Record::read(home.path(), "claude"), None);
    }
}
