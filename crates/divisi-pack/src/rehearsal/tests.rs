use std::collections::BTreeSet;

use divisi_core::plan::{Deliverable, Work};
use divisi_core::receipt::Usage;
use divisi_core::script::{Question, Step};
use divisi_core::{Criterion, Format, TaskId, TaskKind, TaskSpec};
use serde_json::{Value, json};

use super::{Rehearsal, Role, read, schema};
use crate::role::Library;

const TEXT: &str = r#"
rules:
  - task: design.*
    role: qa
    attempts:
      - - print: no idea
        - take_ms: 90000
        - usage: {tokens: 700}
        - exit: 1
      - - make:
            path: "stories/{story_id}/test-plan.md"
            text: |
              # {story_id} by {task}

              {sections}
        - append: {path: notes/log.txt, text: "x\n"}
        - delete: {path: notes/old.txt}
        - ask: {text: "Which?", default: a}
        - limit: {wait_ms: 5}
        - signal: 9
        - too_large: three pages
        - fail: too hard
  - deliverable: "**/*.json"
    attempts: [[write: {path: out.json, text: "{}"}]]
  - {}
"#;

fn rehearsal(text: &str) -> Rehearsal {
    let read = read("rehearsal.yaml", text.as_bytes());
    assert_eq!(read.diagnostics, []);
    let mut rehearsal = read.rehearsal.unwrap();
    let library = Library::built_in();
    assert_eq!(rehearsal.resolve(|name| library.get(name), &[]), []);
    // What is stored plays the same.
    assert_eq!(
        Rehearsal::from_json(&rehearsal.to_json()).unwrap(),
        rehearsal
    );
    rehearsal
}

fn causes(text: &str) -> Vec<String> {
    let read = read("r.yaml", text.as_bytes());
    assert_eq!(read.rehearsal, None);
    read.diagnostics.iter().map(ToString::to_string).collect()
}

/// A handoff of this role that promises these files and asks for a section of each.
fn task(id: &str, role: Option<&Role>, promised: &[&str]) -> TaskSpec {
    let (domain, function) = role.map(Role::names_of_tasks).unwrap_or_default();
    let deliverables = promised.iter().map(|path| Deliverable {
        path: (*path).to_owned(),
    });
    let section = |path: &&str| Criterion::Section {
        heading: "Risks".to_owned(),
        path: (*path).to_owned(),
    };
    TaskSpec {
        domain,
        function,
        work: Work::Handoff,
        deliverables: deliverables.collect(),
        criteria: promised.iter().map(section).collect(),
        ..TaskSpec::command(TaskId::new(id).unwrap(), &[])
    }
}

fn write(path: &str, text: &str) -> Step {
    Step::Write {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[test]
fn the_first_rule_that_fits_says_what_each_attempt_does() {
    let rehearsal = rehearsal(TEXT);
    let library = Library::built_in();
    let qa = library.get("QA");
    let of_qa = task("design.qa.1", qa, &["stories/S1/test-plan.md", "other.md"]);
    let script = rehearsal.script(&of_qa).unwrap();
    let first = [
        Step::Print("no idea".to_owned()),
        Step::TakeMs(90_000),
        Step::Usage(Usage {
            tokens: 700,
            usd_micros: None,
        }),
        Step::Exit(1),
    ];
    assert_eq!(script.attempts[0], first);
    let made = "# S1 by design.qa.1\n\n## Risks\n\nRisks of stories/S1/test-plan.md.\n\n";
    let second = [
        write("stories/S1/test-plan.md", made),
        Step::Append {
            path: "notes/log.txt".to_owned(),
            text: "x\n".to_owned(),
        },
        Step::Delete {
            path: "notes/old.txt".to_owned(),
        },
        Step::Ask(Question {
            text: "Which?".to_owned(),
            default: Some("a".to_owned()),
        }),
        Step::Limit { wait_ms: Some(5) },
        Step::Signal(9),
        Step::TooLarge("three pages".to_owned()),
        Step::Fail("too hard".to_owned()),
    ];
    assert_eq!(script.attempts[1], second);
    assert_eq!(script.attempts.len(), 2);
    // Another role, another task, another file: another rule.
    for other in [
        task("design.qa.1", library.get("developer"), &["a/b.json"]),
        task("build.qa.1", qa, &["b.json"]),
    ] {
        let script = rehearsal.script(&other).unwrap();
        assert_eq!(script.attempts, [[write("out.json", "{}")]]);
    }
    let usual = rehearsal.script(&task("t", None, &["a.md"])).unwrap();
    let text = "# a.md\n\nPlayed from a script for t: no agent made this.\n\n\
                ## Risks\n\nRisks of a.md.\n";
    assert_eq!(usual.attempts, [[write("a.md", text)]]);
}

#[test]
fn where_no_rule_fits_nothing_is_played() {
    let rehearsal = rehearsal("rules: [{task: a}]");
    assert!(rehearsal.script(&task("a", None, &["x"])).is_some());
    assert_eq!(rehearsal.script(&task("b", None, &["x"])), None);
}

/// What stands in names of files, titles and matched parts is data.
#[test]
fn values_are_not_looked_at_again() {
    let text = "rules: [{attempts: [[make: {path: '{name}.md', text: '{name} {title} {path}'}]]}]";
    let mut hostile = task("t", None, &["{title}.md"]);
    hostile.title = "{path}".to_owned();
    let script = rehearsal(text).script(&hostile).unwrap();
    assert_eq!(
        script.attempts,
        [[write("{title}.md", "{title} {path} {title}.md")]]
    );
}

#[test]
fn a_role_that_is_not_known_fits_tasks_that_name_it_so() {
    let read = read("r.yaml", b"rules: [{role: Night Watch}, {role: devloper}]");
    let mut rehearsal = read.rehearsal.unwrap();
    let told = rehearsal.resolve(|_| None, &["developer"]);
    let told: Vec<String> = told
        .iter()
        .map(|it| format!("{it} {:?}", it.hints))
        .collect();
    assert_eq!(
        told,
        [
            "[workflow-role] r.yaml:1:9: there is no role `Night Watch` []",
            "[workflow-role] r.yaml:1:30: there is no role `devloper` [\"did you mean `developer`?\"]",
        ]
    );
    let named = |domain: Option<&str>, function: Option<&str>| TaskSpec {
        domain: domain.map(str::to_owned),
        function: function.map(str::to_owned),
        ..task("t", None, &["a.md"])
    };
    for fits in [
        named(None, Some("night-watch")),
        named(Some("night_watch"), None),
        named(Some("night"), Some("watch")),
    ] {
        assert!(rehearsal.script(&fits).is_some(), "{:?}", fits.role());
    }
    assert_eq!(rehearsal.script(&named(Some("night"), None)), None);
}

/// The usual text has what the criteria ask for, so that a workflow can be rehearsed as it is.
#[test]
fn the_usual_text_has_what_criteria_ask_for() {
    let mut asked = task("t", None, &["a.md"]);
    asked.criteria.extend([
        Criterion::Contains {
            text: "a\\b".to_owned(),
            path: "a.md".to_owned(),
        },
        Criterion::File {
            path: "a.md".to_owned(),
            min_bytes: 1_000,
        },
        Criterion::Format {
            format: Format::Markdown,
            path: "a.md".to_owned(),
        },
    ]);
    let steps = &Rehearsal::built_in().script(&asked).unwrap().attempts[0];
    let [Step::Write { text, .. }] = &steps[..] else {
        panic!("{steps:?}");
    };
    assert!(text.contains("\na\\b\n") && text.contains("\n## Risks\n"));
    assert!((1_000..1_100).contains(&text.len()), "{}", text.len());
    // A file of data is data, and no size makes a rehearsal fill a disk.
    let mut asked = task("t", None, &["a.json"]);
    asked.criteria = vec![Criterion::Format {
        format: Format::Json,
        path: "a.json".to_owned(),
    }];
    let steps = &Rehearsal::built_in().script(&asked).unwrap().attempts[0];
    assert_eq!(steps[..], [write("a.json", "{\"scripted\": \"t\"}\n")]);
    let mut asked = task("t", None, &["a.md"]);
    asked.criteria = vec![Criterion::File {
        path: "a.md".to_owned(),
        min_bytes: u64::MAX,
    }];
    let steps = &Rehearsal::built_in().script(&asked).unwrap().attempts[0];
    assert!(matches!(&steps[..], [Step::Write { text, .. }] if text.len() < 2 << 20));
}

#[test]
fn all_faults_are_told_with_their_places() {
    let text = r#"rules:
  - tsk: a
  - task: "../x"
    attempts:
      - [{make: {pth: a}}, {wriite: {path: a, text: b}}, {print: a, exit: 1}]
      - [{write: {path: /etc/passwd, text: b}}, {exit: 256}, {usage: {}}]
      - print: a
  - attempts: []
"#;
    assert_eq!(
        causes(text),
        [
            "[text-unknown-key] r.yaml:2:5: the rule has no key `tsk`",
            "[text-pattern] r.yaml:3:11: the pattern `../x` has the component `..`, which leads \
             out of the tree",
            "[text-unknown-key] r.yaml:5:18: the move has no key `pth`",
            "[text-unknown-key] r.yaml:5:29: there is no move `wriite`",
            "[text-conflict] r.yaml:5:58: a move has 2 keys, not one",
            "[text-path] r.yaml:6:25: the path `/etc/passwd` is absolute; paths are relative to \
             the tree's root",
            "[text-number] r.yaml:6:56: `exit` is `256`, not a whole number from 0 to 255",
            "[text-missing] r.yaml:6:70: the move lacks the key `tokens`",
            "[text-type] r.yaml:7:9: an attempt is an object, not a list of moves",
            "[text-too-large] r.yaml:8:15: there are 0 attempts, not 1 to 100",
        ]
    );
    assert_eq!(
        causes("rules: []"),
        ["[text-too-large] r.yaml:1:8: there are 0 rules, not 1 to 1000"]
    );
    assert_eq!(
        causes("{}"),
        ["[text-missing] r.yaml:1:1: the rehearsal lacks the key `rules`"]
    );
    let many = format!("rules: [{}]", "{},".repeat(1_001));
    assert_eq!(
        causes(&many),
        ["[text-too-large] r.yaml:1:8: there are 1001 rules, not 1 to 1000"]
    );
}

#[test]
fn reader_and_schema_know_the_same_keys() {
    let schema = schema();
    let keys = |value: &Value| -> BTreeSet<String> {
        value["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let set =
        |keys: &[&str]| -> BTreeSet<String> { keys.iter().map(|key| (*key).to_owned()).collect() };
    let of = |name: &str| keys(&schema["$defs"][name]);
    use super::read as reader;
    assert_eq!(keys(&schema), set(reader::FILE_KEYS));
    assert_eq!(of("Rule"), set(reader::KEYS));
    assert_eq!(of("Make"), set(reader::MAKE_KEYS));
    assert_eq!(of("File"), set(reader::FILE_MOVE_KEYS));
    assert_eq!(of("Path"), set(reader::PATH_KEYS));
    assert_eq!(of("Usage"), set(reader::USAGE_KEYS));
    assert_eq!(of("Ask"), set(reader::ASK_KEYS));
    assert_eq!(of("Limit"), set(reader::LIMIT_KEYS));
    let moves = schema["$defs"]["Move"]["oneOf"].as_array().unwrap();
    let moves: BTreeSet<String> = moves.iter().flat_map(keys).collect();
    let verbs: Vec<&str> = reader::VERBS.iter().map(|(name, _)| *name).collect();
    assert_eq!(moves, set(&verbs));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: Value = serde_saphyr::from_str(TEXT).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&value)
        .map(|e| e.to_string())
        .collect();
    assert_eq!(faults, [""; 0]);
    assert!(!validator.is_valid(&json!({"rules": [{"tsk": "a"}]})));
}

/// An agent that changes nothing is refused where only a program checks its work.
#[test]
fn where_a_change_is_asked_for_and_no_file_one_is_made() {
    let played = |change: &dyn Fn(&mut TaskSpec)| {
        let mut task = task("a", None, &[]);
        task.criteria = vec![Criterion::Command {
            argv: vec!["make".into()],
            timeout_ms: 1_000,
        }];
        change(&mut task);
        Rehearsal::built_in().script(&task).unwrap().attempts[0].clone()
    };
    let within = |pattern: &str| {
        let patterns = vec!["!x.md".to_owned(), pattern.to_owned()];
        played(&|task| {
            task.criteria.push(Criterion::Scope {
                patterns: patterns.clone(),
            });
        })
    };
    let line = |path: &str| Step::Append {
        path: path.into(),
        text: "\n".into(),
    };
    let made = played(&|_| {});
    assert!(
        matches!(&made[..], [Step::Write { path, .. }] if path == "scripted/a.md"),
        "{made:?}"
    );
    assert_eq!(within("src/slug.js"), [line("src/slug.js")]);
    assert_eq!(within("src/**/*.js"), [line("src/a/a.js")]);
    assert_eq!(within("README*"), [line("READMEa")]);
    let changed = |task: &mut TaskSpec| {
        task.criteria.push(Criterion::Changed {
            pattern: "src/*.js".into(),
        });
    };
    assert_eq!(played(&changed), [line("src/a.js")]);
    // What else is asked for is made, or found out.
    assert_eq!(played(&|task| task.kind = TaskKind::Research), []);
    let of_files = Criterion::Lacks {
        text: "TODO".into(),
        path: "a.md".into(),
    };
    assert_eq!(played(&|task| task.criteria.push(of_files.clone())), []);
}
