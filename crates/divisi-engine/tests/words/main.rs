//! Criteria in plain words, evaluated by the real checks.
//!
//! Three tables: every criterion that the documents contain from which Divisi was made
//! (`sources.toml`), sentences of all rules (`understood.toml`), and paraphrases that must not be
//! understood as something else (`near_misses.toml`). Of each sentence that is understood, the
//! table has file trees on which it is true and trees on which it is false, and the checks must
//! say the same of all of them.

#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot do")]

mod contexts;
mod table;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use divisi_core::Criterion;
use divisi_core::criterion::Outcome;
use divisi_core::receipt::Exit;
use divisi_engine::checks::{ProgramEnd, Programs, evaluate};
use divisi_engine::files::FolderFiles;
use divisi_pack::folder::criteria::{self, CriteriaFile, Deliverable, Line, Statement};
use divisi_pack::template::{BUILT_IN, Templates};
use divisi_pack::words::{Compiled, Context, compile};

use table::{Row, Tree, rows};

const SOURCES: &str = include_str!("sources.toml");
const UNDERSTOOD: &str = include_str!("understood.toml");
const NEAR_MISSES: &str = include_str!("near_misses.toml");

/// Runs a command criterion's program in the folder.
struct InFolder<'f>(&'f Path);

impl Programs for InFolder<'_> {
    fn run(&self, _: u16, argv: &[String], _: u64) -> ProgramEnd {
        let output = Command::new(&argv[0])
            .args(&argv[1..])
            .current_dir(self.0)
            .output();
        match output {
            Ok(output) => ProgramEnd::Ended {
                exit: Exit::Status(output.status.code().unwrap_or(-1)),
                tail: String::from_utf8_lossy(&output.stdout).into_owned(),
                output: None,
            },
            Err(error) => ProgramEnd::NotStarted {
                cause: error.to_string(),
                permanent: true,
            },
        }
    }
}

/// Whether all criteria hold on a tree, in which every file counts as changed.
fn holds(criteria: &[Criterion], tree: &Tree) -> Result<bool, String> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in tree {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let changed = tree.keys().cloned().collect();
    let files = FolderFiles::open(folder.path(), Some(changed)).unwrap();
    let verdicts = evaluate(criteria, None, &files, &InFolder(folder.path()), &[]).unwrap();
    let unverified = verdicts.iter().find(|v| v.outcome == Outcome::Unverified);
    match unverified {
        Some(verdict) => Err(format!("unverified: {}", verdict.evidence)),
        None => Ok(verdicts.iter().all(|v| v.outcome == Outcome::Pass)),
    }
}

/// What is wrong with a row, if anything.
fn fault(row: &Row) -> Option<String> {
    let context = contexts::named(row.context.as_deref());
    let understood = match (compile(&row.text, &context), &row.why, &row.rule) {
        (Compiled::Unverified(why), Some(expected), None) => {
            let found = format!("{why:?}");
            let found = found.split(['(', ' ', '{']).next().unwrap_or_default();
            return (found != expected).then(|| format!("unverified: {why:?} ({why})"));
        }
        (Compiled::Checks(understood), None, Some(_)) => understood,
        (Compiled::Checks(understood), ..) => {
            return Some(format!("{}: {understood}", understood.rule));
        }
        (Compiled::Unverified(why), ..) => return Some(format!("unverified: {why:?} ({why})")),
    };
    let found: Vec<String> = understood
        .criteria
        .iter()
        .map(ToString::to_string)
        .collect();
    if row.rule.as_deref() != Some(understood.rule) || row.checks != found {
        return Some(format!("{}: {found:?}", understood.rule));
    }
    if row.holds.is_empty() || row.fails.is_empty() {
        return Some("an example and a counterexample are expected".to_owned());
    }
    let trees = row.holds.iter().map(|tree| (tree, true));
    let trees = trees.chain(row.fails.iter().map(|tree| (tree, false)));
    trees.into_iter().find_map(|(tree, expected)| {
        let found = holds(&understood.criteria, tree);
        (found != Ok(expected)).then(|| format!("{found:?} on {tree:?}"))
    })
}

fn check(text: &str) -> Vec<Row> {
    let rows = rows(text);
    let faults: Vec<String> = rows
        .iter()
        .filter_map(|row| Some(format!("{}\n    {}", row.text, fault(row)?)))
        .collect();
    assert!(
        faults.is_empty(),
        "{} rows:\n{}",
        faults.len(),
        faults.join("\n")
    );
    let mut texts = BTreeSet::new();
    for row in &rows {
        let is_new = texts.insert((&row.text, &row.context, &row.source));
        assert!(is_new, "twice: {}", row.text);
    }
    rows
}

#[test]
fn every_criterion_of_the_sources_is_checked_or_unverified_with_the_reason() {
    let rows = check(SOURCES);
    assert!(rows.len() >= 100, "{}", rows.len());
    for row in rows {
        assert!(row.source.is_some(), "{}: without its source", row.text);
        let told = row.why.is_none() || row.note.is_some();
        assert!(told, "{}: unverified without a word why", row.text);
    }
}

#[test]
fn what_is_understood_is_true_and_false_with_its_checks() {
    let rows = check(UNDERSTOOD);
    let used: BTreeSet<String> = rows.into_iter().filter_map(|row| row.rule).collect();
    let reference = divisi_pack::words::reference();
    let rules = reference
        .lines()
        .filter_map(|line| line.strip_prefix("### "));
    let rules: BTreeSet<String> = rules.map(str::to_owned).collect();
    assert_eq!(used, rules, "every rule has sentences");
}

#[test]
fn paraphrases_are_never_understood_as_something_else() {
    let rows = check(NEAR_MISSES);
    assert!(rows.len() >= 150, "{}", rows.len());
}

#[test]
fn a_size_edited_by_hand_changes_the_verdict() {
    let deliverable = Deliverable {
        path: "docs/api.md".into(),
        min_bytes: 10,
        about: "the endpoints".into(),
    };
    let file = CriteriaFile {
        title: "api".into(),
        deliverables: vec![Line::Form(deliverable)],
        standards: vec!["docs/api.md contains \"GET\"".into()],
        ..CriteriaFile::default()
    };
    let templates = Templates::new(BUILT_IN.iter().copied());
    let text = criteria::write(&file, &templates).unwrap();
    let verdict = |text: &str| {
        let read = criteria::read("COMPLETION_CRITERIA.md", text.as_bytes());
        assert_eq!(read.diagnostics, []);
        let statements = read.file.unwrap().statements(&Context::default());
        let criteria = |s: Statement| s.compiled.criteria(&s.text);
        let criteria: Vec<Criterion> = statements.into_iter().flat_map(criteria).collect();
        let tree = Tree::from([("docs/api.md".to_owned(), "GET /users".to_owned())]);
        holds(&criteria, &tree)
    };
    assert_eq!(verdict(&text), Ok(true));
    assert_eq!(verdict(&text.replace("10 bytes", "11 bytes")), Ok(false));
    assert_eq!(verdict(&text.replace("\"GET\"", "\"POST\"")), Ok(false));
    let deleted = text.replace("- `docs/api.md`, at least 10 bytes: the endpoints\n", "");
    assert_eq!(verdict(&deleted), Ok(true));
    let added = text.replace("## Scope", "- They are short\n\n## Scope");
    assert!(verdict(&added).unwrap_err().starts_with("unverified: "));
}

#[test]
fn no_word_in_an_understood_sentence_is_passed_over() {
    let words = [
        "not", "no", "unless", "if", "except", "most", "some", "or", "maybe",
    ];
    for row in rows(UNDERSTOOD) {
        let context = contexts::named(row.context.as_deref());
        let spaces = row.text.match_indices(' ').map(|(at, _)| at);
        for at in spaces.chain([0, row.text.len()]) {
            let (before, after) = row.text.split_at(at);
            let is_quoted = |marks: &[char]| before.matches(marks).count() % 2 == 1;
            if is_quoted(&['"', '“', '”']) || is_quoted(&['`']) {
                continue;
            }
            for word in words {
                let text = format!("{before} {word} {after}");
                if let Compiled::Checks(found) = compile(&text, &context) {
                    let found: Vec<String> =
                        found.criteria.iter().map(ToString::to_string).collect();
                    assert_ne!(found, row.checks, "{text}");
                }
            }
        }
    }
}
