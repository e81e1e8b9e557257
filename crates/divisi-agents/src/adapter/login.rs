//! What logins hold that must stand nowhere.
//!
//! A tool reads its login through a link, and so can whatever it starts: an agent may print the
//! file, and a model may be told of it. So its secrets are masked and refused like those of the
//! environment. The same holds for the tool's file of configuration, where a key may stand, too.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use divisi_core::secret::looks_secret;
use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde_json::Value;

use super::home::source_of;
use super::product::PRODUCTS;
use crate::environment::{MASKED_BYTES_MIN, in_all_forms};

/// No such file is longer.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Names of secrets that only a login calls so.
const NAMES: [&str; 2] = ["access", "refresh"];

/// The secrets of all logins and files of configuration of the user whose environment this is. What
/// cannot be read cannot be printed by an agent either.
#[must_use]
pub fn login_secrets(variables: &BTreeMap<String, String>) -> Vec<String> {
    let files = PRODUCTS.iter().flat_map(|product| product.home.files);
    let sources = files.filter_map(|lent| source_of(lent, variables));
    let mut secrets = Vec::new();
    for source in sources {
        if let Some(held) = read(&source) {
            collect(&held, &mut secrets);
        }
    }
    in_all_forms(secrets)
}

/// Codex's configuration is TOML; all else is JSON, into which a person may write comments.
fn read(path: &Path) -> Option<Value> {
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    match path.extension() {
        Some(toml) if toml == "toml" => toml::from_str(&text).ok(),
        _ => parse_to_serde_value(&text, &ParseOptions::default()).ok(),
    }
}

fn collect(value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let is_secret = looks_secret(name) || NAMES.contains(&name.as_str());
                match value {
                    Value::String(text) if is_secret && is_literal(text) => {
                        secrets.push(text.clone());
                    }
                    value => collect(value, secrets),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|value| collect(value, secrets)),
        _ => {}
    }
}

/// Whether it is a secret itself, and not the name of a variable or a file that holds it.
fn is_literal(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_reference = text.starts_with(['$', '{', '/', '~']) || text.chars().all(is_name);
    text.len() >= MASKED_BYTES_MIN && !is_reference
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn secrets(root: &Path, more: &[(&str, &str)]) -> Vec<String> {
        let home = ("HOME".to_owned(), root.display().to_string());
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        login_secrets(&more.chain([home]).collect())
    }

    #[test]
    fn secrets_of_each_login_and_configuration_are_known_and_nothing_else_of_them() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        assert_eq!(secrets(root, &[]), [""; 0]);
        put(
            root,
            ".claude/.credentials.json",
            r#"{"claudeAiOauth": {"accessToken": "sk-ant-oat-1", "refreshToken": "sk-ant-ort-22",
                "expiresAt": 1790000000000, "scopes": ["user:inference"], "subscriptionType": "max"}}"#,
        );
        put(
            root,
            ".codex/auth.json",
            r#"{"OPENAI_API_KEY": null, "tokens": {"id_token": "eyJ.id.333", "access_token": "short",
                "account_id": "0af1-33"}, "last_refresh": "2026-11-26T00:00:00Z"}"#,
        );
        put(
            root,
            ".local/share/opencode/auth.json",
            r#"{"one": {"type": "oauth", "refresh": "refresh-4444", "access": "access-55555"},
                "other": [{"type": "api", "key": "key-666666"}]}"#,
        );
        put(
            root,
            ".codex/config.toml",
            "[model_providers.own]\nenv_key = \"OPENAI_API_KEY\"\n\
             experimental_bearer_token = \"bearer-88888888\"\n\
             [mcp_servers.docs.env]\nDOCS_TOKEN = \"docs-7777777\"\n",
        );
        put(
            root,
            ".config/opencode/opencode.json",
            r#"{"model": "own/one", // mine
                "provider": {"own": {"options": {"apiKey": "key-in-settings-1", "name": "own"}},
                "two": {"options": {"apiKey": "{env:OPENAI_API_KEY}"}},
                "three": {"options": {"apiKey": "{file:~/.three-key}"}}}}"#,
        );
        let expected = [
            "key-in-settings-1",
            "bearer-88888888",
            "sk-ant-ort-22",
            "access-55555",
            "docs-7777777",
            "refresh-4444",
            "sk-ant-oat-1",
            "eyJ.id.333",
            "key-666666",
        ];
        assert_eq!(secrets(root, &[]), expected);
        let elsewhere = tempfile::tempdir().unwrap();
        put(elsewhere.path(), "auth.json", "no JSON");
        let at = elsewhere.path().display().to_string();
        let left = secrets(root, &[("CODEX_HOME", &at)]);
        assert!(!left.contains(&"eyJ.id.333".to_owned()), "{left:?}");
    }
}
