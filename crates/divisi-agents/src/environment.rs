//! The environment of an agent's process: an allow-list, and what must not appear in its log.
//!
//! Nothing is inherited but what is listed here, what the plan or the agent's description
//! declares, and what the task sets. A variable that looks like a secret never passes unless it is
//! declared by name. A process can still read secrets elsewhere, for instance its user's files, so
//! the values of all secret-looking variables of the parent are returned to be masked in logs.

use std::collections::BTreeMap;

use divisi_core::secret::looks_secret;
use serde_json::Value;

/// What passes: who and where one is, language and time, and where tools keep what they need to
/// work without a network. No build folders, which several agents would share; no session sockets, no proxies (their addresses hold passwords), no
/// variables that inject code into other programs.
pub const PASSED: &[&str] = &[
    "HOME",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TMPDIR",
    "TZ",
    "USER",
    // Toolchains: their homes and caches.
    "BUN_INSTALL",
    "CARGO_HOME",
    "CONDA_PREFIX",
    "GEM_HOME",
    "GOCACHE",
    "GOMODCACHE",
    "GOPATH",
    "GOROOT",
    "GRADLE_USER_HOME",
    "JAVA_HOME",
    "NODE_PATH",
    "NVM_DIR",
    "PNPM_HOME",
    "PYENV_ROOT",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "VIRTUAL_ENV",
    "VOLTA_HOME",
    // Where the platform keeps headers, libraries, certificates, user folders.
    "DEVELOPER_DIR",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "NIX_SSL_CERT_FILE",
    "PKG_CONFIG_PATH",
    "SDKROOT",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
];

/// Prefixes of what passes besides.
pub const PASSED_PREFIXES: &[&str] = &["LC_"];

/// Set for every agent unless the task says otherwise: there is no terminal, so nothing may wait
/// for one.
pub const SET: &[(&str, &str)] = &[
    ("GIT_TERMINAL_PROMPT", "0"),
    ("PAGER", "cat"),
    ("TERM", "dumb"),
];

/// Shorter values are not masked: `1` or `main` would blacken every log and reveal themselves.
pub const MASKED_BYTES_MIN: usize = 6;

/// Shorter values that are letters alone, or digits alone, are words and numbers that stand in many
/// files by chance: `postgres`, `20240131`.
const PLAIN_BYTES_MIN: usize = 16;

/// Stands in the place of a secret.
const MASK: &str = "[masked]";

/// What a process gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// All its variables.
    pub vars: BTreeMap<String, String>,
    /// Values that must not appear in its log, longest first, so that a secret that contains
    /// another is masked whole.
    pub masked: Vec<String>,
    /// Names in `spec_env` that no process can be given, because they are empty or hold `=`, or
    /// they or their value hold a NUL. Left out of `vars`.
    pub refused: Vec<String>,
}

/// Builds the environment of an agent's process.
///
/// `parent` is Divisi's own; `passes` names what the settings and the agent's description
/// declare, secrets included; `spec_env` is the task's own and wins over everything.
#[must_use]
pub fn environment(
    parent: &BTreeMap<String, String>,
    passes: &[String],
    spec_env: &BTreeMap<String, String>,
) -> Environment {
    let mut vars: BTreeMap<String, String> = parent
        .iter()
        .filter(|(name, _)| is_passed(name) || passes.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, value) in SET {
        vars.insert((*name).to_owned(), (*value).to_owned());
    }
    let mut refused = Vec::new();
    for (name, value) in spec_env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            refused.push(name.clone());
        } else {
            vars.insert(name.clone(), value.clone());
        }
    }
    let masked = masked(parent.iter().chain(spec_env), &vars);
    Environment {
        vars,
        masked,
        refused,
    }
}

/// The text with every one of these values replaced, as [`Environment::masked`] lists them.
#[must_use]
pub fn mask(text: String, values: &[String]) -> String {
    values
        .iter()
        .fold(text, |text, value| match text.contains(value.as_str()) {
            true => text.replace(value.as_str(), MASK),
            false => text,
        })
}

/// A line of JSON with every one of these values replaced in its texts: as it stands, escapes may hide
/// them. A line that is none is masked as it stands.
#[must_use]
pub fn mask_decoded(line: &str, values: &[String]) -> String {
    match serde_json::from_str(line) {
        Ok(value) => masked_in(value, values).to_string(),
        Err(_) => mask(line.to_owned(), values),
    }
}

fn masked_in(value: Value, values: &[String]) -> Value {
    match value {
        Value::String(text) => Value::String(mask(text, values)),
        Value::Array(all) => all.into_iter().map(|one| masked_in(one, values)).collect(),
        Value::Object(all) => (all.into_iter())
            .map(|(name, one)| (mask(name, values), masked_in(one, values)))
            .collect(),
        other => other,
    }
}

/// Values that must not appear, in each form that they have: as they are, and as they stand in JSON.
/// The longest first, so that one that contains another is masked whole.
#[must_use]
pub fn in_all_forms(mut values: Vec<String>) -> Vec<String> {
    let escaped = |value: &String| {
        let quoted = Value::from(value.as_str()).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let more: Vec<String> = values.iter().map(escaped).collect();
    values.extend(more);
    values.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    values.dedup();
    values
}

/// The variable whose value, or the password in whose value, this is, in any form.
pub fn variable_of<'v>(
    value: &str,
    mut variables: impl Iterator<Item = (&'v String, &'v String)>,
) -> Option<&'v str> {
    let is_form = |known: &str| {
        in_all_forms(vec![known.to_owned()])
            .iter()
            .any(|it| it == value)
    };
    let found = variables.find(|(name, known)| {
        (looks_secret(name) && is_form(known)) || password_in(known).is_some_and(is_form)
    });
    found.map(|(name, _)| name.as_str())
}

/// Whether it tells something that a value stands somewhere: no common word or number does.
fn is_telling(value: &str) -> bool {
    let is_plain = value.chars().all(char::is_alphabetic) || value.chars().all(char::is_numeric);
    value.len() >= MASKED_BYTES_MIN && (!is_plain || value.len() >= PLAIN_BYTES_MIN)
}

fn is_passed(name: &str) -> bool {
    let listed = PASSED.contains(&name) || PASSED_PREFIXES.iter().any(|p| name.starts_with(p));
    listed && !looks_secret(name)
}

fn masked<'a>(
    sources: impl Iterator<Item = (&'a String, &'a String)>,
    vars: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for (name, value) in sources {
        if looks_secret(name) {
            values.push(value.clone());
        }
        if let Some(password) = password_in(value) {
            values.push(password.to_owned());
        }
    }
    // A secret-looking name whose value is, say, the home folder would blacken every path.
    let open = |value: &String| {
        vars.iter()
            .any(|(name, known)| known == value && !looks_secret(name))
    };
    values.retain(|value| is_telling(value) && !open(value));
    in_all_forms(values)
}

/// The password in an address of the form `scheme://user:password@host`.
fn password_in(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let (account, _) = rest.split('/').next()?.rsplit_once('@')?;
    let (_, password) = account.split_once(':')?;
    Some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn only_what_is_listed_or_declared_passes() {
        let parent = map(&[
            ("PATH", "/bin"),
            ("HOME", "/home/u"),
            ("LC_ALL", "C"),
            ("TERM", "xterm"),
            ("RANDOM_THING", "x"),
            ("GITHUB_TOKEN", "ghp_abcdef"),
            ("MODEL_API_KEY", "sk-123456"),
            ("LC_SECRET", "lc-hidden"),
            ("HTTPS_PROXY", "http://me:hunter22@proxy:1/"),
            ("LD_PRELOAD", "/x.so"),
        ]);
        let spec = map(&[
            ("A", "1"),
            ("TERM", "ansi"),
            ("B=C", "x"),
            ("N", "\0"),
            ("", "x"),
        ]);
        let made = environment(&parent, &["MODEL_API_KEY".into()], &spec);
        let vars = map(&[
            ("A", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("HOME", "/home/u"),
            ("LC_ALL", "C"),
            ("MODEL_API_KEY", "sk-123456"),
            ("PAGER", "cat"),
            ("PATH", "/bin"),
            ("TERM", "ansi"),
        ]);
        assert_eq!(made.vars, vars);
        assert_eq!(
            made.masked,
            ["ghp_abcdef", "lc-hidden", "sk-123456", "hunter22"]
        );
        assert_eq!(made.refused, ["", "B=C", "N"]);
    }

    #[test]
    fn short_and_open_values_are_not_masked() {
        let parent = map(&[
            ("HOME", "/home/u"),
            ("KEY_DIR", "/home/u"),
            ("USE_TOKEN", "yes"),
            ("A_TOKEN", "abcdef-long"),
            ("B_TOKEN", "abcdef-long"),
        ]);
        let made = environment(&parent, &[], &BTreeMap::new());
        assert_eq!(made.masked, ["abcdef-long"]);
    }

    #[test]
    fn common_words_and_numbers_are_no_secrets() {
        let long = "abcdefghijklmnop";
        let parent = map(&[
            ("DB_PASSWORD", "postgres"),
            ("A_TOKEN", "20240131"),
            ("B_TOKEN", "hunter2"),
            ("C_TOKEN", long),
        ]);
        let made = environment(&parent, &[], &BTreeMap::new());
        assert_eq!(made.masked, [long, "hunter2"]);
    }

    #[test]
    fn whose_value_something_is_can_be_told() {
        let vars = map(&[
            ("HOME", "hunter2"),
            ("MY_TOKEN", "a\"b"),
            ("URL", "http://me:hunter22@host/"),
        ]);
        let of = |value: &str| variable_of(value, vars.iter());
        assert_eq!(of("a\\\"b"), Some("MY_TOKEN"));
        assert_eq!(of("hunter22"), Some("URL"));
        assert_eq!(of("hunter2"), None);
    }

    #[test]
    fn what_json_writes_otherwise_is_masked_in_that_form_too() {
        let key = "-----BEGIN KEY-----\nab\"cd\\ef\n-----END KEY-----\n";
        let made = environment(&map(&[("DEPLOY_KEY", key)]), &[], &BTreeMap::new());
        let escaped = r#"-----BEGIN KEY-----\nab\"cd\\ef\n-----END KEY-----\n"#;
        assert_eq!(made.masked, [escaped, key]);
        // A log that nobody reads as JSON, and a line that is read as such.
        let line = serde_json::json!({"a": [key, {key: key}, 1, null]}).to_string();
        let masked = r#"{"a":["[masked]",{"[masked]":"[masked]"},1,null]}"#;
        assert_eq!(mask(line.clone(), &made.masked), masked);
        assert_eq!(mask_decoded(&line, &made.masked), masked);
        // However it is written.
        let line = line.replace("BEGIN", r"\u0042\u0045GIN");
        assert_eq!(mask_decoded(&line, &made.masked), masked);
        assert_eq!(
            mask_decoded(&format!("no {key}"), &made.masked),
            "no [masked]"
        );
    }

    #[test]
    fn nothing_on_the_list_looks_secret() {
        assert!(PASSED.iter().all(|name| !looks_secret(name)));
    }
}
