//! Which names are those of secrets.

/// Whether a variable's name suggests that its value is a secret. Errs on that side.
#[must_use]
pub fn looks_secret(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "APIKEY",
    ];
    const WORDS: &[&str] = &[
        "KEY",
        "KEYS",
        "PASS",
        "PAT",
        "PWD",
        "AUTH",
        "AUTHORIZATION",
        "COOKIE",
        "DSN",
        "JWT",
    ];
    let name = name.to_ascii_uppercase();
    // The working folders are the two best-known names that would look so.
    if matches!(name.as_str(), "PWD" | "OLDPWD") {
        return false;
    }
    PARTS.iter().any(|part| name.contains(part))
        || name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| WORDS.contains(&word) || (word.len() > 4 && word.ends_with("KEY")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_secret() {
        for name in [
            "API_KEY",
            "apikey",
            "OPENAI_API_KEY",
            "SECRETS",
            "DB_PASSWORD",
            "MY_PAT",
            "PGPASSWORD",
            "AWS_SECRET_ACCESS_KEY",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "NPM_TOKEN",
            "SIGNINGKEY",
            "HTTP_AUTH",
            "Session-Cookie",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            "PATH", "PWD", "OLDPWD", "KEYBOARD", "PATTERN", "AUTHOR", "MONKEYS", "HOME",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }
}
