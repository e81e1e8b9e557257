//! Commands as one types them into a shell, so that what is shown can be read and pasted.

/// A word as a shell reads it.
#[must_use]
pub fn word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A program with its arguments.
#[must_use]
pub fn line<S: AsRef<str>>(argv: &[S]) -> String {
    let words: Vec<String> = argv.iter().map(|one| word(one.as_ref())).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_keep_their_ends() {
        for (given, expected) in [
            ("a/b-c.d=1", "a/b-c.d=1"),
            ("", "''"),
            ("two words", "'two words'"),
            ("it's;rm", "'it'\\''s;rm'"),
        ] {
            assert_eq!(word(given), expected);
        }
        let argv = ["sh", "-c", "echo bad; exit 4"].map(str::to_owned);
        assert_eq!(line(&argv), "sh -c 'echo bad; exit 4'");
    }
}
