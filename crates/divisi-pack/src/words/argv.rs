//! A command line as program and arguments, without a shell.
//!
//! Only what means the same with and without a shell is taken: words, and quotation marks around
//! text in which a shell would replace nothing. Whatever a shell would act upon is refused, since
//! leaving the act out would run something else.

/// Commands that are part of a shell and change only the shell.
const BUILT_IN: &[&str] = &[
    ".", "alias", "cd", "eval", "exec", "exit", "export", "set", "source", "trap", "ulimit",
    "umask", "unset",
];

/// Program and arguments of a command line; the error is a fragment after the command's name.
pub(crate) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut argv: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => argv.extend(word.take()),
            '\'' => quoted(&mut chars, '\'', word.get_or_insert_default())?,
            '"' => quoted(&mut chars, '"', word.get_or_insert_default())?,
            c if acts(c, word.as_deref(), argv.is_empty()) => {
                return Err(format!(
                    "needs a shell for {c:?}; quote it, or write `sh -c '…'`"
                ));
            }
            c if c.is_control() => return Err("holds a control character".to_owned()),
            c => word.get_or_insert_default().push(c),
        }
    }
    argv.extend(word);
    match argv.first().map(String::as_str) {
        None | Some("") => Err("names no program".to_owned()),
        Some("!") => Err("is a negation of the shell's".to_owned()),
        Some(first) if BUILT_IN.contains(&first) => Err("is a part of the shell".to_owned()),
        Some(_) => Ok(argv),
    }
}

fn quoted(chars: &mut std::str::Chars<'_>, mark: char, word: &mut String) -> Result<(), String> {
    for c in chars {
        match c {
            c if c == mark => return Ok(()),
            '$' | '`' | '\\' if mark == '"' => {
                return Err(format!("has {c:?} between double quotation marks"));
            }
            c if c.is_control() => return Err("holds a control character".to_owned()),
            c => word.push(c),
        }
    }
    Err("has a quotation that does not end".to_owned())
}

/// Whether a shell would act upon the character outside quotation marks.
fn acts(c: char, word: Option<&str>, is_first_word: bool) -> bool {
    match c {
        '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '\\' | '*' | '?' | '{' | '}' => true,
        '[' | ']' => word.is_some(),
        '#' | '~' => word.is_none(),
        '=' => is_first_word,
        _ => false,
    }
}

/// The command line that [`split`] takes apart into exactly these; `None` where there is none.
pub(crate) fn join(argv: &[String]) -> Option<String> {
    let words: Option<Vec<String>> = argv.iter().map(|word| quote(word)).collect();
    let line = words?.join(" ");
    (split(&line).as_deref() == Ok(argv)).then_some(line)
}

fn quote(word: &str) -> Option<String> {
    if word.chars().any(char::is_control) {
        return None;
    }
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '.' | '_' | '-' | '/' | '+' | ',' | ':' | '@' | '%')
    };
    if !word.is_empty() && word.chars().all(plain) {
        return Some(word.to_owned());
    }
    Some(format!("'{}'", word.replace('\'', r#"'"'"'"#)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_come_apart_as_a_shell_would_take_them_apart() {
        for (line, expected) in [
            ("cargo test", &["cargo", "test"][..]),
            ("  a  b ", &["a", "b"]),
            (
                "cargo clippy -- -D warnings",
                &["cargo", "clippy", "--", "-D", "warnings"],
            ),
            ("sh -c 'a | b'", &["sh", "-c", "a | b"]),
            ("grep \"a b\" c=d", &["grep", "a b", "c=d"]),
            ("a'b'\"c\"d ''", &["abcd", ""]),
            ("[ -f a ]", &["[", "-f", "a", "]"]),
            ("it isn't", &[]),
            ("", &[]),
            ("''", &[]),
            ("a | b", &[]),
            ("a && b", &[]),
            ("a; b", &[]),
            ("a > b", &[]),
            ("a $HOME", &[]),
            ("a \"$HOME\"", &[]),
            ("a `b`", &[]),
            ("a \\n", &[]),
            ("eslint src/*.js", &[]),
            ("ls a?", &[]),
            ("ls a[1]", &[]),
            ("ls {a,b}", &[]),
            ("ls ~", &[]),
            ("a # b", &[]),
            ("! a", &[]),
            ("A=b c", &[]),
            ("cd a", &[]),
            ("a\nb", &[]),
        ] {
            let split = split(line).unwrap_or_default();
            assert_eq!(split, expected, "{line}");
        }
    }

    #[test]
    fn what_is_joined_comes_apart_again() {
        for argv in [
            &["cargo", "test"][..],
            &["sh", "-c", "a | b; echo 'it''s' \"$x\" `y` \\"],
            &["a", "", " ", "'", "\"", "*", "~", "#", "ü"],
            &["a b", "c"],
        ] {
            let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(split(&join(&argv).unwrap()), Ok(argv));
        }
        for argv in [&["a", "b\nc"][..], &[""], &[], &["cd", "x"], &["!"]] {
            let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(join(&argv), None, "{argv:?}");
        }
    }
}
