//! Documents: whether the files, commands and flags that they name exist.

use std::sync::LazyLock;

use regex::Regex;

use super::documents::{document, resolve};
use crate::review::facts::Facts;
use crate::review::matching::{Condition, Hit};
use crate::review::source::Source;

macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is well-formed"));
    };
}

pattern!(PATH, r"^(?:\./)?[\w@-][\w.@-]*(?:/[\w.@-]+)+$");
pattern!(ENDING, r"\.[A-Za-z][A-Za-z0-9]{0,5}$");
pattern!(TARGET, r"^[a-z][\w-]*$");
pattern!(FLAG, r"^--([a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?:=.*)?$");

/// Languages of blocks that are typed into a shell.
const SHELLS: &[&str] = &[
    "sh",
    "bash",
    "shell",
    "console",
    "zsh",
    "terminal",
    "shell-session",
];

/// Endings of files that are executed by name.
const SCRIPTS: &[&str] = &["sh", "bash", "py", "js", "mjs", "rb", "pl", "ts"];

/// Flags that libraries give every program.
const COMMON_FLAGS: &[&str] = &["help", "version"];

/// Files named in code spans of documents that are not there.
pub(super) fn missing_files(source: &Source, facts: &Facts) -> Vec<Hit> {
    let spans = document(source).unwrap_or_default().spans;
    spans
        .iter()
        .filter_map(|span| missing(source, facts, span.text.trim(), span.at))
        .collect()
}

/// The place of a path, if it looks like one of this repository and nothing stands there.
fn missing(source: &Source, facts: &Facts, text: &str, at: usize) -> Option<Hit> {
    if !PATH.is_match(text) || !ENDING.is_match(text) {
        return None;
    }
    let path = text.trim_start_matches("./");
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    let is_placeholder = stem.chars().all(|c| c.is_uppercase() || !c.is_alphabetic())
        || [
            "foo", "bar", "example", "my", "your", "some", "x", "a", "b", "name",
        ]
        .contains(&stem);
    let nearby = resolve(&source.path, path);
    let nearby = nearby.as_deref().unwrap_or(path);
    let first = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let parent = |path: &str| {
        path.rsplit_once('/')
            .map_or(String::new(), |(parent, _)| parent.to_owned())
    };
    // A path whose folder is not here is somebody else's, or an example.
    let is_ours = facts.folders.contains(&first(path))
        && (facts.folders.contains(&parent(path)) || facts.folders.contains(&parent(nearby)));
    let is_there = facts.has(path) || facts.has(nearby) || facts.has_ending(path);
    (is_ours && !is_there && !is_placeholder).then(|| Hit {
        regardless: facts.removed.contains(path),
        condition: Condition::NotIgnored(path.to_owned()),
        ..Hit::at(source.line_of(at), format!("`{path}`"))
    })
}

/// A command of a document: its words, and where it stands.
struct Command {
    words: Vec<String>,
    at: usize,
}

/// The commands in blocks that are typed into a shell, until one changes the folder.
fn commands(source: &Source) -> Vec<Command> {
    let mut commands = Vec::new();
    for block in document(source).unwrap_or_default().blocks {
        let is_shell = SHELLS.contains(&block.language.as_str());
        let has_prompts = block.text.lines().any(|line| line.starts_with("$ "));
        if !(is_shell || (block.language.is_empty() && has_prompts)) {
            continue;
        }
        let mut at = block.at;
        'block: for line in block.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let typed = match line.strip_prefix("$ ") {
                Some(typed) => typed,
                None if has_prompts => continue,
                None => line,
            };
            let typed = typed.split(" #").next().unwrap_or_default();
            for part in typed.split(['|', ';', '&']) {
                let words: Vec<String> = part.split_whitespace().map(str::to_owned).collect();
                let word = |at: usize| words.get(at).map_or("", String::as_str);
                let leaves =
                    matches!(word(0), "cd" | "pushd") || (word(0), word(1)) == ("git", "clone");
                if leaves {
                    break 'block;
                }
                if !word(0).is_empty() && !word(0).starts_with('#') {
                    commands.push(Command { words, at: start });
                }
            }
        }
    }
    commands
}

/// Commands that run what is not there.
pub(super) fn missing_commands(source: &Source, facts: &Facts) -> Vec<Hit> {
    let mut hits = Vec::new();
    for Command { words, at } in commands(source) {
        let line = source.line_of(at);
        let rest = &words[1..];
        match words[0].as_str() {
            "make" => {
                if let Some(targets) = &facts.make_targets
                    && !rest
                        .iter()
                        .any(|word| word.starts_with("-C") || word.starts_with("-f"))
                {
                    let unknown = rest
                        .iter()
                        .filter(|word| TARGET.is_match(word) && !targets.contains(*word));
                    hits.extend(unknown.map(|word| Hit::at(line, format!("`make {word}`"))));
                }
            }
            "npm" | "yarn" | "pnpm" => {
                if let Some(scripts) = &facts.npm_scripts
                    && let [run, script, ..] = rest
                    && run == "run"
                    && script.starts_with(|c: char| c.is_alphabetic())
                    && !scripts.contains(script)
                {
                    hits.push(Hit::at(line, format!("`{} run {script}`", words[0])));
                }
            }
            "sh" | "bash" | "python" | "python3" | "node" => {
                let script = rest.iter().find(|word| !word.starts_with('-'));
                let is_plain = rest.first() == script;
                hits.extend(
                    script
                        .filter(|_| is_plain)
                        .and_then(|script| missing_script(source, facts, script, at)),
                );
            }
            first if first.starts_with("./") => {
                hits.extend(missing_script(source, facts, first, at));
            }
            _ => {}
        }
    }
    hits
}

fn missing_script(source: &Source, facts: &Facts, script: &str, at: usize) -> Option<Hit> {
    let ending = script.rsplit_once('.').map(|(_, ending)| ending)?;
    if !SCRIPTS.contains(&ending) {
        return None;
    }
    missing(source, facts, script, at)
}

/// Flags of this repository's programs that no code knows.
pub(super) fn missing_flags(source: &Source, facts: &Facts) -> Vec<Hit> {
    let mut hits = Vec::new();
    let is_own = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or(word);
        facts.programs.contains(name)
    };
    for Command { words, at } in commands(source) {
        if !is_own(&words[0]) {
            continue;
        }
        for word in words[1..].iter().take_while(|word| *word != "--") {
            if let Some(found) = FLAG.captures(word)
                && !COMMON_FLAGS.contains(&&found[1])
            {
                hits.push(Hit {
                    condition: Condition::NoCodeKnows(found[1].to_owned()),
                    ..Hit::at(source.line_of(at), format!("`--{}`", &found[1]))
                });
            }
        }
    }
    hits
}
