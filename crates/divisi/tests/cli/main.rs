//! The binary from outside: streams, colors, exit codes, and that every command is wired.
//!
//! What views say is tested beside them; here only what a process can show.

mod assess;
mod generate;
mod given;
mod library;
mod plan;
mod told;
mod validate;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use divisi_core::journal::Stream;
use divisi_core::run::{self, Budget, Command as Ask};
use divisi_core::{Criterion, RunId, Verdict};
use divisi_store::{Durability, Options, Store, Upcasters, Versions};
use serde_json::{Value, json};

use given::{Given, approval, plan, task, written};

/// No part of it may reach an output raw.
const HOSTILE: &str = "\x1b[31mred\x07\u{202e}\u{9b}2J";

fn divisi(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_divisi"));
    command
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("TZ", "UTC")
        .env("XDG_CONFIG_HOME", folder.join("no-such-folder"))
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE");
    command
}

fn output(folder: &Path, args: &[&str]) -> Output {
    divisi(folder, args).output().expect("the binary runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it is text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it is text")
}

/// What a command prints; it must succeed.
fn printed(folder: &Path, args: &[&str]) -> String {
    let output = output(folder, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", err(&output));
    assert_eq!(err(&output), "", "{args:?}");
    out(&output)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    let object = value.as_object().expect("it is an object");
    object.keys().map(String::as_str).collect()
}

/// A run whose one task was refused for a hostile reason and awaits a second opinion.
fn hostile() -> Given {
    let criteria = vec![Criterion::Plain {
        text: format!("nice {HOSTILE}"),
    }];
    let mut draft = written("draft", "scripted", criteria);
    draft.title = format!("draft {HOSTILE}");
    let mut given = Given::run_of(plan(&format!("Ship {HOSTILE}"), vec![draft]));
    given.ends("draft", 0).collected("draft");
    given.checked("draft", vec![Verdict::fail(0, format!("saw\n{HOSTILE}"))]);
    let attempt = given.attempt("draft");
    given.ask(Ask::Find {
        attempt,
        finding: divisi_core::run::Finding::Suspected(HOSTILE.to_owned()),
    });
    given
}

/// Two commands, both done.
fn done() -> Given {
    let mut given = Given::run_of(plan("Ship it", vec![task("a", &[]), task("b", &["a"])]));
    given.ends("a", 0).ends("b", 0);
    assert!(given.run().ended.is_some());
    given
}

#[test]
fn nothing_hostile_reaches_an_output() {
    let given = hostile();
    let log = given.folder().join(".divisi/runs/run-1/logs");
    std::fs::create_dir_all(&log).unwrap();
    std::fs::write(
        log.join("draft.1.log"),
        format!("a\n{HOSTILE}\n\r\x08\tb\n"),
    )
    .unwrap();
    let views: [&[&str]; 9] = [
        &["status"],
        &["status", "1"],
        &["show", "1"],
        &["show", "1", "draft"],
        &["explain", "1", "draft"],
        &["explain"],
        &["report"],
        &["logs", "1", "draft", "--attempt", "1"],
        &["doctor"],
    ];
    for args in views {
        for more in [&[][..], &["--json"]] {
            let args: Vec<&str> = args.iter().chain(more).copied().collect();
            let text = printed(given.folder(), &args);
            assert_eq!(
                divisi_pack::printable(&text.replace('\n', "")),
                text.replace('\n', ""),
                "{args:?}"
            );
            assert!(!text.is_empty(), "{args:?}");
        }
    }
    let output = output(given.folder(), &["show", "1", HOSTILE]);
    assert_eq!(output.status.code(), Some(7));
    let told = err(&output).replace('\n', "");
    assert_eq!(divisi_pack::printable(&told), told);
}

#[test]
fn json_documents_parse_and_keep_their_keys() {
    let given = done();
    let document = |args: &[&str]| -> Value {
        let args: Vec<&str> = args.iter().chain(&["--json"]).copied().collect();
        serde_json::from_str(&printed(given.folder(), &args)).expect("it is JSON")
    };
    let has = |value: &Value, expected: &[&str]| {
        assert_eq!(keys(value), expected.iter().copied().collect());
    };
    let runs = document(&["status"]);
    has(&runs, &["runs"]);
    has(
        &runs["runs"][0],
        &[
            "run",
            "title",
            "status",
            "paused",
            "created_at",
            "last_at",
            "tasks",
            "command",
        ],
    );
    let run = document(&["status", "run-1"]);
    has(
        &run,
        &[
            "run",
            "title",
            "status",
            "paused",
            "engine",
            "revision",
            "created_at",
            "last_at",
            "ended_at",
            "counts",
            "explanation",
            "tasks",
        ],
    );
    assert_eq!(run["tasks"][0]["scripted"], false);
    let explained = document(&["explain"]);
    has(&explained, &["subject", "status", "causes", "commands"]);
    let shown = document(&["show", "1", "a"]);
    for key in [
        "spec",
        "state",
        "endings",
        "waits_for",
        "explanation",
        "files",
    ] {
        assert!(keys(&shown).contains(&key), "{key}");
    }
    let report = document(&["report"]);
    assert_eq!(report["answers"].as_array().map(Vec::len), Some(5));
    for key in [
        "base",
        "tasks",
        "use_of_time",
        "assumptions",
        "unverified",
        "unconfined",
    ] {
        assert!(keys(&report).contains(&key), "{key}");
    }
    has(&document(&["doctor"]), &["project", "state", "findings"]);
}

#[test]
fn a_report_names_what_was_made_and_when_it_ended() {
    let criteria = vec![Criterion::ExitStatus];
    let mut given = Given::run_of(plan(
        "Ship it",
        vec![written("draft", "scripted", criteria)],
    ));
    given.ends("draft", 0).collected("draft");
    given.checked("draft", vec![Verdict::pass(0)]).integrated();
    let head = given.run().integration.head;
    given.ask(Ask::FinalChecked {
        head,
        verdicts: Vec::new(),
        tasks: Vec::new(),
    });
    let report = printed(given.folder(), &["report", "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["ended_at"], given.now().0);
    assert_eq!(report["head"], "3".repeat(40));
    assert_eq!(report["tasks"][0]["artifacts"][0]["path"], "draft.md");
    assert_eq!(report["scripted"], true);
    let text = printed(given.folder(), &["report"]);
    assert!(
        text.contains("**succeeded**, ended 2023-11-14 22:13:22"),
        "{text}"
    );
    assert!(text.contains("no real agent did it"), "{text}");
}

#[test]
fn color_is_for_terminals_unless_asked_for() {
    let given = done();
    let colored = |args: &[&str], variable: Option<&str>| {
        let mut command = divisi(given.folder(), args);
        if let Some(name) = variable {
            command.env(name, "1");
        }
        out(&command.output().unwrap()).contains("\x1b[")
    };
    assert!(!colored(&["status", "1"], None), "a pipe is no terminal");
    assert!(colored(&["status", "1", "--color", "always"], None));
    assert!(colored(&["status", "1"], Some("CLICOLOR_FORCE")));
    assert!(!colored(&["status", "1"], Some("NO_COLOR")));
    assert!(!colored(
        &["status", "1", "--color", "never"],
        Some("CLICOLOR_FORCE")
    ));
}

#[test]
fn nobody_reading_is_no_error() {
    let given = done();
    let mut child = divisi(given.folder(), &["schema", "plan"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(told, "");
}

#[test]
fn what_is_not_there_is_told_with_code_place_and_hint() {
    let given = done();
    let nothing = tempfile::tempdir().unwrap();
    let refusals: [(&Path, &[&str], i32, &str); 9] = [
        (nothing.path(), &["status"], 7, "error[project-unknown]"),
        (given.folder(), &["status", "7"], 7, "error[run-unknown]"),
        (
            given.folder(),
            &["show", "1", "bb"],
            7,
            "error[task-unknown]",
        ),
        (
            given.folder(),
            &["logs", "1", "a", "--attempt", "9"],
            7,
            "error[attempt-unknown]",
        ),
        (
            given.folder(),
            &["status", "--project", "none"],
            7,
            "error[project-folder]",
        ),
        (
            given.folder(),
            &["simulate", "none.json"],
            2,
            "error[file-unreadable]",
        ),
        (given.folder(), &["status", "latest"], 2, "run-3"),
        (
            given.folder(),
            &["run", "p.json", "--limit", "x"],
            2,
            "command=4",
        ),
        (given.folder(), &[], 2, "Usage"),
    ];
    for (folder, args, code, words) in refusals {
        let output = output(folder, args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            err(&output)
        );
        assert!(err(&output).contains(words), "{args:?}: {}", err(&output));
        assert_eq!(out(&output), "", "{args:?}");
    }
    assert!(
        !nothing.path().join(".divisi").exists(),
        "looking makes nothing"
    );
    let output = output(given.folder(), &["show", "1", "bb", "--json"]);
    let told: Value = serde_json::from_str(&err(&output)).unwrap();
    assert_eq!(told["code"], "task-unknown");
}

#[test]
fn who_approves_nothing_in_particular_is_told_what_awaits_it() {
    let tasks = (1..=7).map(|at| approval(&format!("a{at}"), &[]));
    let asks = Given::run_of(plan("T", tasks.collect()));
    let refused = |given: &Given| {
        let output = output(given.folder(), &["approve"]);
        assert_eq!(output.status.code(), Some(6));
        err(&output)
    };
    let told = refused(&asks);
    assert!(told.starts_with("error[whole-not-held]"), "{told}");
    for at in 1..=5 {
        let hint = format!("hint: a task awaits it: divisi approve run-1 a{at}\n");
        assert!(told.contains(&hint), "{told}");
    }
    assert!(
        told.ends_with("hint: 2 more tasks await it: divisi status run-1\n"),
        "{told}"
    );
    let works = Given::run_of(plan("T", vec![task("a", &[])]));
    let told = refused(&works);
    assert!(told.contains("`divisi explain run-1` says"), "{told}");
}

#[test]
fn a_plan_in_yaml_is_refused_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("p.yaml"),
        "task_title: T\nsubtasks: []\n",
    )
    .unwrap();
    let told = |args: &[&str]| {
        let output = output(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        err(&output)
    };
    for args in [
        &["run", "p.yaml"][..],
        &["run", "./p.yaml", "--dry-run"],
        &["workflow", "check", "p.yaml"],
    ] {
        let told = told(args);
        assert!(told.contains("error[workflow-plan]"), "{args:?}: {told}");
        assert!(!told.contains("text-unknown-key"), "{args:?}: {told}");
    }
    let told = told(&["simulate", "p.yaml"]);
    assert!(
        told.starts_with("error[file-yaml]: p.yaml is no plan"),
        "{told}"
    );
}

#[test]
fn quiet_leaves_data_errors_and_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    // Not read, since it is misnamed: a warning.
    std::fs::write(folder.path().join("divisi.yml"), "").unwrap();
    let told = |args: &[&str]| err(&output(folder.path(), args));
    assert!(told(&["config", "show"]).contains("warning[config-name]"));
    assert_eq!(told(&["config", "show", "-q"]), "");
    assert_eq!(told(&["config", "show", "-q", "--json"]), "");
    assert!(told(&["simulate", "none.json", "-q"]).starts_with("error[file-unreadable]"));
    // To find it is what a check is for.
    let flow = "workflow: {name: other, iterations: [{name: i, agents: [{role: qa}]}]}";
    std::fs::create_dir(folder.path().join("workflows")).unwrap();
    std::fs::write(folder.path().join("workflows/mine.yaml"), flow).unwrap();
    let check = told(&["workflow", "check", "mine", "-q"]);
    assert!(check.starts_with("warning[library-name]"), "{check}");
}

#[test]
fn a_faulty_plan_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("plan.json"),
        "{\n  \"task_title\": 3\n}\n",
    )
    .unwrap();
    let output = output(folder.path(), &["simulate", "plan.json"]);
    assert_eq!(output.status.code(), Some(2));
    let told = err(&output);
    assert!(
        told.contains("error[text-type]") && told.contains("plan.json:2:17"),
        "{told}"
    );
}

#[test]
fn a_plan_is_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let subtask = |id: &str, after: &str| {
        format!(
            r#"{{"subtask_id":"{id}","title":"{id}","command":["true"],
                "dependencies":[{after}],"estimated_duration_minutes":1}}"#
        )
    };
    let subtasks = [
        subtask("a", ""),
        subtask("b", ""),
        subtask("c", "\"a\",\"b\""),
    ]
    .join(",");
    let text = format!(r#"{{"task_title":"T","subtasks":[{subtasks}]}}"#);
    std::fs::write(folder.path().join("plan.json"), text).unwrap();
    let schedule = printed(
        folder.path(),
        &["simulate", "plan.json", "-j", "2", "--json"],
    );
    let schedule: Value = serde_json::from_str(&schedule).unwrap();
    assert_eq!(schedule["makespan_ms"], 120_000);
    assert_eq!(schedule["critical_path_ms"], 120_000);
    let text = printed(folder.path(), &["simulate", "plan.json", "-j", "1"]);
    assert!(text.contains("makespan        3 min\n"), "{text}");
    assert!(!text.contains("assumed"), "{text}");
    let subtask = |id: &str| json!({"subtask_id": id, "command": ["true"]});
    let mut plan = json!({"task_title": "T", "subtasks": [subtask("a"), subtask("b")]});
    let mut simulated = || {
        std::fs::write(folder.path().join("plan.json"), plan.to_string()).unwrap();
        plan["subtasks"][0]["estimated_duration_minutes"] = json!(3);
        printed(folder.path(), &["simulate", "plan.json"])
    };
    let text = simulated();
    let expected = "assumed         1 min  no task has an estimate\n  for           a, b\n";
    assert!(text.contains(expected), "{text}");
    let text = simulated();
    let expected = "assumed         3 min  the mean of the others\n  for           b\n";
    assert!(text.contains(expected), "{text}");
    let schedule = printed(folder.path(), &["simulate", "plan.json", "--json"]);
    let schedule: Value = serde_json::from_str(&schedule).unwrap();
    assert_eq!(
        (&schedule["without_estimate"], &schedule["assumed_ms"]),
        (&json!(["b"]), &json!(180_000))
    );
}

#[test]
fn a_watched_run_tells_its_events_in_the_form_of_the_schema() {
    let given = done();
    let schema: Value =
        serde_json::from_str(&printed(given.folder(), &["schema", "events"])).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let lines = printed(given.folder(), &["watch", "--from-start", "--json"]);
    let mut kinds = Vec::new();
    for line in lines.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&event), "{line}");
        kinds.push(event["kind"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds.first().map(String::as_str), Some("run_created"));
    assert_eq!(kinds.last().map(String::as_str), Some("run_ended"));
    let text = printed(given.folder(), &["watch", "--from-start"]);
    assert!(
        text.starts_with("22:13:20  the run begins: Ship it, 2 tasks\n"),
        "{text}"
    );
    assert!(text.ends_with("  the run succeeded\n"), "{text}");
}

#[test]
fn events_are_written_in_the_version_that_their_table_says() {
    let criteria = vec![Criterion::ExitStatus];
    let mut given = Given::run_of(plan("Ship it", vec![written("draft", "command", criteria)]));
    given.ends("draft", 0).collected("draft");
    given.checked("draft", vec![Verdict::pass(0)]).integrated();
    // Without a step from any older version, only today's can be read.
    let versions = Versions::new(run::KINDS, Upcasters::default(), run::stored::VERSION);
    let view = Store::open_read_only(&given.folder().join(".divisi"), versions).unwrap();
    let events = view.events(Stream::Run(RunId(1)), 0, 100).unwrap();
    let prepared = events.iter().find(|entry| entry.kind == "batch_prepared");
    assert_eq!(prepared.unwrap().version, 2);
}

#[test]
fn watching_ends_with_the_code_of_its_run() {
    let watch = |given: &Given| output(given.folder(), &["watch", "-q"]).status.code();
    assert_eq!(watch(&done()), Some(0));
    let asks = Given::run_of(plan("T", vec![approval("consent", &[])]));
    assert_eq!(watch(&asks), Some(4));
    let mut failed = Given::run_of(plan("T", vec![task("a", &[])]));
    failed.ends("a", 1).ends("a", 1).ends("a", 1);
    assert_eq!(watch(&failed), Some(3));
    let task = failed.attempt("a").task;
    failed.ask(Ask::Reject {
        task: Some(task),
        reason: "no use".into(),
    });
    assert_eq!(watch(&failed), Some(1));
    let mut canceled = Given::run_of(plan("T", vec![approval("consent", &[])]));
    canceled.ask(Ask::Cancel { task: None });
    assert_eq!(watch(&canceled), Some(5));
}

#[test]
fn a_run_that_has_ended_tells_its_events_to_programs_from_the_first_on() {
    let given = done();
    let all = printed(given.folder(), &["watch", "--from-start", "--json"]);
    assert_eq!(printed(given.folder(), &["watch", "--json"]), all);
    // A person is told how it stands.
    let text = printed(given.folder(), &["watch"]);
    assert!(text.starts_with("run-1  Ship it  succeeded"), "{text}");
    // The same of one that rests in somebody's hands.
    let asks = Given::run_of(plan("T", vec![approval("consent", &[])]));
    let told = |args: &[&str]| {
        let output = output(asks.folder(), args);
        (output.status.code(), out(&output))
    };
    let rests = told(&["watch", "--json"]);
    assert_eq!(rests, told(&["watch", "--from-start", "--json"]));
    assert_eq!(rests.0, Some(4));
    assert!(rests.1.contains("run_created"), "{}", rests.1);
}

#[test]
fn status_and_doctor_agree_on_runs_that_nobody_works_on() {
    let says = |given: &Given| {
        let says = |args: &[&str]| printed(given.folder(), args).contains("divisi resume run-1");
        [says(&["doctor"]), says(&["status", "1"])]
    };
    let mut given = Given::run_of(plan("T", vec![task("a", &[])]));
    let status = || printed(given.folder(), &["status", "1"]);
    assert!(status().contains("no engine works on it"), "{}", status());
    let report = printed(given.folder(), &["report", "1"]);
    assert!(
        report.contains("- run-1: **left by its engine**, not ended"),
        "{report}"
    );
    assert!(!report.contains("the run goes on"), "{report}");
    for (of, whose) in [
        (&["explain", "1"][..], "it"),
        (&["explain", "1", "a"], "its run"),
    ] {
        let told = printed(given.folder(), of);
        let is_left = told.contains(&format!(
            "is left by its engine\n  no engine works on {whose}"
        ));
        assert!(is_left, "{told}");
    }
    assert_eq!(says(&given), [true, true]);
    // Its owner paused it: nobody is missed, and the status says how it goes on.
    given.ask(Ask::Pause {
        reason: run::PauseReason::Owner,
        stop: false,
    });
    let status = printed(given.folder(), &["status", "1"]);
    assert!(!status.contains("no engine works on it"), "{status}");
    assert_eq!(says(&given), [false, true]);
    assert_eq!(says(&done()), [false, false]);
}

#[test]
fn a_log_is_printed_and_its_absence_is_noted() {
    let given = done();
    let output = output(given.folder(), &["logs", "1", "a"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), ""));
    assert!(err(&output).contains("printed nothing"), "{}", err(&output));
    let logs = given.folder().join(".divisi/runs/run-1/logs");
    std::fs::create_dir_all(&logs).unwrap();
    let long = "x".repeat(200_000);
    std::fs::write(logs.join("a.1.log"), format!("one\ntwo\n{long}\nlast")).unwrap();
    let text = printed(given.folder(), &["logs", "1", "a", "--follow"]);
    assert!(
        text.starts_with("one\ntwo\nxxx") && text.ends_with("\nlast\n"),
        "{}",
        text.len()
    );
    assert_eq!(text.matches('x').count(), 200_000);
    let text = printed(given.folder(), &["logs", "1", "a", "--json"]);
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    let line = |at: usize| &lines[at];
    let first = json!({"run": "run-1", "task": "a", "attempt": 1, "line": "one"});
    assert_eq!((line(0), &line(1)["line"]), (&first, &json!("two")));
    assert_eq!(line(lines.len() - 1)["line"], "last");
    std::os::unix::fs::symlink("/etc/passwd", logs.join("b.1.log")).unwrap();
    let output = self::output(given.folder(), &["logs", "1", "b"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(8), ""));
}

#[test]
fn every_shell_gets_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(folder.path(), &["completions", shell]);
        assert!(script.contains("simulate"), "{shell}");
    }
    let help = printed(folder.path(), &["--help"]);
    assert!(
        help.contains("Exit codes:") && !help.contains("supervisor"),
        "{help}"
    );
    assert!(printed(folder.path(), &["--version"]).starts_with("divisi "));
}

#[test]
fn a_template_that_cannot_be_filled_is_refused_once_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let plan = r#"{
        "task_title": "Compose",
        "subtasks": [{
            "subtask_id": "all", "title": "All", "kind": "compose",
            "template": {"text": "fine\n{{ nothing( }}", "output": "all.md"}
        }]
    }"#;
    std::fs::write(folder.path().join("plan.json"), plan).unwrap();
    let output = output(folder.path(), &["run", "plan.json", "--yes"]);
    let said = err(&output);
    assert!(said.contains("fill the template in line 2"), "{said}");
    assert!(!said.contains("attempt 2"), "{said}");
}

#[test]
fn resume_rebuilds_rows_of_another_version_and_an_ended_run_still_tells_its_budget() {
    let budget = Budget {
        attempts: Some(2),
        ..Budget::default()
    };
    let mut given = Given::bounded(plan("Ship it", vec![task("a", &[])]), budget);
    given.ends("a", 0);
    let show = ["show", "1", "--json"];
    let told = printed(given.folder(), &show);
    let document: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(document["status"], "succeeded");
    assert_eq!(document["budget"]["used"]["attempts"], 1);

    // Another version of Divisi wrote here: it dropped the rows, and wrote none yet.
    let options = Options {
        durability: Durability::Normal,
        versions: Versions::new(&[], Upcasters::current(), run::stored::VERSION + 1),
        hook: None,
    };
    drop(Store::open(&given.folder().join(".divisi"), options).unwrap());
    let refused = err(&output(given.folder(), &show));
    assert!(
        refused.contains("`divisi resume` rebuilds them"),
        "{refused}"
    );
    let resumed = err(&output(given.folder(), &["resume", "1"]));
    assert!(resumed.contains("error[run-ended]"), "{resumed}");
    assert_eq!(printed(given.folder(), &show), told);
}

#[test]
fn every_view_of_a_used_up_budget_names_the_command_that_raises_it() {
    let budget = |attempts| Budget {
        attempts: Some(attempts),
        ..Budget::default()
    };
    let tasks = vec![task("a", &[]), task("b", &["a"])];
    let mut given = Given::bounded(plan("Ship it", tasks), budget(1));
    given.ends("a", 0);
    let command = "divisi resume run-1 --budget N-attempts";
    for args in [
        &["status", "1"][..],
        &["explain", "1"],
        &["explain", "1", "b"],
        &["show", "1"],
        &["status", "1", "--json"],
        &["explain", "1", "--json"],
    ] {
        let text = printed(given.folder(), args);
        assert!(text.contains(command), "{args:?}: {text}");
    }
    given.permit(budget(4));
    let shown: Value =
        serde_json::from_str(&printed(given.folder(), &["show", "1", "--json"])).unwrap();
    assert_eq!(shown["budget"]["budget"]["attempts"], 4);
    assert_eq!(shown["budget"]["used"]["attempts"], 1);
}
