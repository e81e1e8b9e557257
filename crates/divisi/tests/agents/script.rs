//! What the scripted model does, in words that several tests share.

use serde_json::{Value, json};

use crate::model::{Call, Rule, Turn};

/// Whoever is asked for these words has this written by a shell, and ends with these.
pub(crate) fn writes(words: &[&str], files: &[(&str, &str)], last: &str) -> Rule {
    let write = |(path, text): &(&str, &str)| {
        format!("mkdir -p \"$(dirname {path})\"\ncat > {path} <<'TEXT'\n{text}\nTEXT\n")
    };
    let turn = |say: &str, call: Option<Call>| Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    };
    let command = files.iter().map(write).collect();
    Rule {
        words: words.iter().map(|&word| word.to_owned()).collect(),
        turns: vec![
            turn("I write it.", Some(Call::Shell(command))),
            turn(last, None),
        ],
    }
}

/// The same, of which nothing is answered before somebody asked in other words, too.
pub(crate) fn writes_after(
    other: &str,
    words: &[&str],
    files: &[(&str, &str)],
    last: &str,
) -> Rule {
    let mut rule = writes(words, files, last);
    rule.turns[0].after = Some(other.to_owned());
    rule
}

/// A verdict on each of these criteria, with what shows it.
pub(crate) fn judges(words: &[&str], verdicts: &[(u16, bool, Value)]) -> Rule {
    let verdict = |(criterion, holds, evidence): &(u16, bool, Value)| {
        let why = format!("It stands there, {holds}.");
        json!({"criterion": criterion, "holds": holds, "why": why, "evidence": [evidence]})
    };
    let all: Vec<Value> = verdicts.iter().map(verdict).collect();
    let file = json!({ "verdicts": all }).to_string();
    writes(words, &[("divisi-verdict.json", &file)], "I judged it.")
}

/// Evidence that a text stands there.
pub(crate) fn at(file: &str, line: u64, text: &str) -> Value {
    json!({"file": file, "line": line, "text": text})
}
