//! Documents and examples in step with the program: what they promise is tried.
//!
//! Every example and every plan in a document is read without a word of complaint, every `divisi`
//! command in a fenced block names a command and flags that exist, and the page with the
//! transition table is the table.

#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot read")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use divisi_core::diagnostic::Severity;
use divisi_core::run::transition::{EventName, Next, StateName, next};
use divisi_engine::review;
use divisi_pack::lint::{self, Given};
use divisi_pack::plan_file;
use divisi_pack::role::Library as Roles;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The documents that show commands and plans, by path.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md")];
    for folder in ["docs", "docs/guide", "docs/design"] {
        paths.extend(files(&root().join(folder), "md"));
    }
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect();
    paths.sort();
    paths
}

/// The fenced blocks of a document with their language.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, content))) => {
                content.push_str(line);
                content.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// Reads a plan that must be without fault and without warning, and in which the linter finds no
/// fault: what is shown is what one should write. Small as it is, it may be advised to be one task.
fn reads(name: &str, text: &str) {
    let read = plan_file::read(name, text.as_bytes());
    assert_eq!(read.diagnostics, [], "{name}");
    assert!(read.plan.is_some(), "{name}");
    let roles = Roles::built_in();
    let given = Given {
        roles: Some(&roles),
        ..Given::default()
    };
    let linted = lint::read(name, text.as_bytes(), &given);
    let faults = linted.diagnostics.iter();
    let faults: Vec<_> = faults.filter(|it| it.severity == Severity::Error).collect();
    assert!(faults.is_empty(), "{name}: {faults:#?}");
}

#[test]
fn every_example_is_a_plan_without_a_warning() {
    let examples = files(&root().join("examples"), "json");
    assert!(examples.len() >= 4, "only {examples:?}");
    let listed = fs::read_to_string(root().join("examples/README.md")).unwrap();
    for path in examples {
        let name = path.file_name().unwrap().to_str().unwrap();
        reads(name, &fs::read_to_string(&path).unwrap());
        assert!(listed.contains(&format!("`{name}`")), "{name} has no line");
    }
}

#[test]
fn every_file_that_an_example_runs_is_there() {
    let path = root().join("examples/review-this-repository.json");
    let text = fs::read_to_string(path).unwrap();
    let named: Vec<&str> = text
        .split('"')
        .filter(|part| part.starts_with("examples/"))
        .collect();
    assert!(named.len() > 10, "only {named:?}");
    for name in named {
        assert!(root().join(name).is_file(), "{name} is not there");
    }
}

#[test]
fn every_plan_in_a_document_is_read() {
    let mut count = 0;
    for (path, text) in documents() {
        let name = path.display().to_string();
        for (language, block) in blocks(&text) {
            let plans: Vec<&str> = match language.as_str() {
                "json" => vec![block.as_str()],
                "sh" => block
                    .split("<<'END'\n")
                    .skip(1)
                    .filter_map(|rest| Some(rest.split_once("\nEND\n")?.0))
                    .collect(),
                _ => Vec::new(),
            };
            for plan in plans.iter().filter(|plan| plan.contains("task_title")) {
                reads(&name, plan);
                count += 1;
            }
        }
    }
    assert!(count >= 3, "only {count} plans were found");
}

/// What `divisi NAMES --help` prints.
fn help(names: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_divisi"))
        .args(names)
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success(), "divisi {names:?} --help");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help lists; none where it lists none.
fn commands(help: &str) -> Vec<String> {
    let Some((_, listed)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        // What is said of one may take several lines.
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_in_a_document_exists_with_its_flags() {
    // The help of a command and of each of its own commands.
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for name in commands(&help(&[])) {
        let own = help(&[&name]);
        let of_parts = commands(&own)
            .iter()
            .map(|part| help(&[&name, part]))
            .collect::<String>();
        known.insert(name, own + &of_parts);
    }
    let mut count = 0;
    for (path, text) in documents() {
        for (_, block) in blocks(&text).iter().filter(|(lang, _)| lang == "sh") {
            for line in block.lines().filter(|line| line.starts_with("divisi ")) {
                let line = line.split(" #").next().unwrap();
                let unquoted: String = line.split('"').step_by(2).collect();
                let mut words = unquoted.split_whitespace().skip(1);
                let name = words.next().unwrap();
                let place = format!("{}: `{line}`", path.display());
                let help = known
                    .get(name)
                    .unwrap_or_else(|| panic!("{place}: there is no such command"));
                for flag in words.filter(|word| word.starts_with('-')) {
                    let exists = help
                        .split(|c: char| c.is_whitespace() || ",[]".contains(c))
                        .any(|word| word == flag);
                    assert!(exists, "{place}: there is no flag {flag}");
                }
                count += 1;
            }
        }
    }
    assert!(count >= 30, "only {count} commands were found");
}

/// The page's part between its markers: for each state, what each event does to it.
fn transition_table() -> String {
    let mut table =
        String::from("| in this state | on this event | the task is then |\n|---|---|---|\n");
    for state in StateName::ALL {
        for event in EventName::ALL {
            let then = match next(state, event) {
                Next::To(to) => format!("{to:?}"),
                Next::Stays => "as before".to_owned(),
                Next::Refused => continue,
            };
            writeln!(table, "| {state:?} | {event:?} | {then} |").unwrap();
        }
    }
    table
}

/// The page's part between its markers: what each rule and tool of a perspective finds.
fn review_rules() -> String {
    let mut text = String::new();
    for perspective in review::Perspective::ALL {
        write!(
            text,
            "## {}\n\n| rule | weight | finds |\n|---|---|---|\n",
            perspective.title()
        )
        .unwrap();
        for rule in review::rules()
            .iter()
            .filter(|rule| rule.perspective == perspective)
        {
            let (id, severity) = (&rule.id, rule.severity.word());
            writeln!(
                text,
                "| `{id}` | {severity} | {}. {} |",
                capital(&rule.says),
                rule.why
            )
            .unwrap();
        }
        for tool in review::tools()
            .iter()
            .filter(|tool| tool.perspective == perspective)
        {
            let asks = match (tool.executes, tool.network) {
                (true, _) => " Only with `--trusted`.",
                (_, true) => " Only with `--online`.",
                _ => "",
            };
            writeln!(
                text,
                "| `{}` | tool | {}.{asks} |",
                tool.id,
                capital(&tool.sees)
            )
            .unwrap();
        }
        text.push('\n');
    }
    text.trim_end().replace(" || ", " \\|\\| ") + "\n"
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().unwrap().to_uppercase();
    first.chain(characters).collect()
}

#[test]
fn the_page_of_review_rules_holds_them_all() {
    let path = root().join("docs/reference/review-rules.md");
    let page = fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once("<!-- review-rules -->\n\n").unwrap();
    let (inside, _) = rest.split_once("\n<!-- /review-rules -->").unwrap();
    let rules = review_rules();
    assert!(
        inside == rules,
        "put this between the markers of docs/reference/review-rules.md:\n{rules}"
    );
}

#[test]
fn the_page_of_transitions_is_the_table() {
    let path = root().join("docs/reference/transitions.md");
    let page = fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once("<!-- transitions -->\n\n").unwrap();
    let (inside, _) = rest.split_once("\n<!-- /transitions -->").unwrap();
    let table = transition_table();
    assert!(
        inside == table,
        "put this between the markers of docs/reference/transitions.md:\n{table}"
    );
}
