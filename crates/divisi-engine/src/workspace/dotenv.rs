//! Files of variables, as `.env` is: they hold secrets whose values nothing else tells.

use divisi_agents::environment::MASKED_BYTES_MIN;
use divisi_core::secret::looks_secret;

/// Nobody writes more variables into one file.
pub(crate) const BYTES_MAX: u64 = 1 << 20;

/// Whether a file of this name holds variables: `.env`, `.env.local`, `test.env`.
pub(crate) fn is_named_so(name: &[u8]) -> bool {
    name == b".env" || name.starts_with(b".env.") || name.ends_with(b".env")
}

/// The first variable whose name looks like that of a secret, and which has a value.
pub(crate) fn secret_set(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().find_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        let name = name.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = !name.is_empty() && name.chars().all(plain) && looks_secret(name);
        let value = value.trim().trim_matches(['"', '\'']);
        (named && value.len() >= MASKED_BYTES_MIN).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_with_a_value_count() {
        let of = |text: &str| secret_set(text.as_bytes());
        assert_eq!(of("A=1\nexport API_KEY='abc123'\n"), Some("API_KEY".into()));
        assert_eq!(
            of("  DB_PASSWORD = hunter2hunter2"),
            Some("DB_PASSWORD".into())
        );
        assert_eq!(of("# API_KEY=abcdefgh\n#API_KEY=abcdefgh"), None);
        assert_eq!(of("API_KEY=\nAPI_KEY=\"\"\nAPI_KEY=short"), None);
        assert_eq!(of("LOG_LEVEL=debugdebug\nno line of variables"), None);
    }

    #[test]
    fn names_of_such_files() {
        for name in [".env", ".env.local", ".env.example", "test.env"] {
            assert!(is_named_so(name.as_bytes()), "{name}");
        }
        for name in [".envrc", "environment", "env", "a.env.md"] {
            assert!(!is_named_so(name.as_bytes()), "{name}");
        }
    }
}
