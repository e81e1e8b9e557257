//! What people decide while no engine runs is durable, and `resume` goes on with it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use divisi_core::ledger::{Account, Ledger, stored};
use divisi_core::run::{RunStatus, TaskStatus};
use serde_json::json;

use crate::outcome::{FIRST, assert_sound, finish, run_now, view};
use crate::stage::{Failpoint, Stage, side_by_side, texts};

/// The exit code of a run that waits for people.
const WAITING: i32 = 4;

const PLAN: &str = r#"{"task_title": "People", "subtasks": [
  {"subtask_id": "may-we", "kind": "approval", "title": "May we?"},
  {"subtask_id": "words", "agent": "person", "title": "Write something", "deliverables": ["words.md"]},
  {"subtask_id": "ask", "deliverables": ["ask.md"],
   "script": "if test -e SIDE.asked; then echo told > ask.md; else touch SIDE.asked; echo 'Which one?' > $DIVISI_QUESTION; fi"},
  {"subtask_id": "all", "script": "cat words.md ask.md > all.md", "deliverables": ["all.md"],
   "dependencies": ["may-we", "words", "ask"]}
]}"#;

/// Has a command done with no engine running: killed right before it is
/// durable, and then, once more, right after: then it holds.
fn tell(stage: &Stage, args: &[&str]) {
    for at in ["journal.append.before", "journal.append.after_commit"] {
        let ended = stage.start(args, Some(Failpoint { at })).end();
        assert!(ended.was_killed(), "{at}: {ended:?}");
        std::fs::remove_file(stage.died()).unwrap();
    }
}

#[test]
fn what_people_say_while_no_engine_runs_holds() {
    let stage = Stage::new();
    let plan = stage.write_plan("people.json", PLAN);
    let file = stage.path("home/words.md");
    std::fs::write(&file, "By hand.\n").unwrap();
    let args = stage.run_args(&plan);
    stage.start(&texts(&args), None).end().assert_code(WAITING);
    stage.assert_no_process_left();
    let run = run_now(&stage, FIRST).unwrap();
    assert_eq!(run.tasks()[3].status(), TaskStatus::Waiting);

    tell(&stage, &["approve", "run-1", "may-we"]);
    tell(&stage, &["answer", "run-1", "ask", "the", "second"]);
    tell(
        &stage,
        &["submit", "run-1", "words", &file.to_string_lossy()],
    );
    finish(&stage, &plan);
    let run = assert_sound(&stage, FIRST);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let attempts: Vec<u32> = run.tasks().iter().map(|task| task.attempts()).collect();
    assert_eq!(attempts[1..], [1, 2, 1]);
    let all = crate::stage::git(
        &stage.divisi().join("repo.git"),
        &["show", "refs/divisi/run-1/head:all.md"],
    );
    assert_eq!(all, "By hand.\ntold\n");
    stage.assert_no_process_left();
    stage.assert_untouched();
}

/// The exit code of a run whose budget is used up.
const BLOCKED: i32 = 3;

const BOUNDED: &str = r#"{"task_title": "Bounded", "subtasks": [
  {"subtask_id": "a", "command": ["true"]},
  {"subtask_id": "b", "command": ["true"], "dependencies": ["a"]},
  {"subtask_id": "c", "command": ["true"], "dependencies": ["b"]}
]}"#;

/// The ledger as its rows have it: the first run's account is its only one.
fn ledger(stage: &Stage) -> Ledger {
    let view = view(stage).unwrap();
    let row = view.ledger().unwrap().unwrap();
    let account = view.account(Account::Run(FIRST)).unwrap();
    stored::restore(&row, account.as_slice()).unwrap()
}

/// Each attempt uses what is reserved for it, and one answer more.
const OVERSHOOTING: &str = r#"{"task_title": "Tokens", "subtasks": [
  {"subtask_id": "a", "agent": "scripted", "deliverables": ["a.md"],
   "script": "{\"attempts\": [[{\"usage\": {\"tokens\": 1200}}, {\"write\": {\"path\": \"a.md\", \"text\": \"a\"}}]]}"},
  {"subtask_id": "b", "agent": "scripted", "deliverables": ["b.md"], "dependencies": ["a"],
   "script": "{\"attempts\": [[{\"write\": {\"path\": \"b.md\", \"text\": \"b\"}}, {\"usage\": {\"tokens\": 1200}}]]}"}
]}"#;

#[test]
fn a_crash_between_reservation_and_launch_leaves_the_stated_bound() {
    for at in [
        // The step that creates the run reserves for its first attempt, too.
        "journal.append.after_commit:1",
        "start.before:1",
        "start.after:1",
    ] {
        let stage = Stage::new();
        let plan = stage.write_plan("tokens.json", OVERSHOOTING);
        std::fs::write(
            stage.project.join("divisi.yaml"),
            "budget: {attempt: {tokens: 1000}}\n",
        )
        .unwrap();
        let mut args = stage.run_args(&plan);
        args.extend(["--budget", "5000-tokens"].map(str::to_owned));
        stage.start(&texts(&args), Some(Failpoint { at })).end();
        assert!(stage.died().exists(), "{at}: it did not die there");
        std::fs::remove_file(stage.died()).unwrap();
        finish(&stage, &plan);
        let ledger = ledger(&stage);
        let balance = ledger.accounts[&Account::Run(FIRST)];
        assert_eq!(ledger.held.len(), 0, "{at}: nothing stays reserved");
        // Two attempts at the first, one at the second, and at the most one that was lost on the way
        // and stays charged as it was reserved.
        let overshoot = 3 * 200;
        assert!(
            balance.used.tokens <= 5_000 + overshoot && balance.used.tokens >= 3_600,
            "{at}: {balance:?}"
        );
    }
}

/// What a session says at its end that used more than is reserved for it.
const ANSWER: u64 = 1_200;

/// The same with an agent that is a process, on the way to it: in the engine, and in the supervisor,
/// which dies alone then.
#[test]
fn a_crash_on_the_way_to_an_agents_process_leaves_the_stated_bound() {
    let places = [
        "words.send.before:1",
        "words.send.after:1",
        "supervisor.spawn.before:1",
        "supervisor.spawn.after:1",
    ];
    side_by_side(&places, |at| {
        let stage = Stage::new();
        let bin = stage.path("home/bin");
        std::fs::create_dir_all(&bin).unwrap();
        let said = format!(
            r#"{{"type":"result","subtype":"success","is_error":false,"result":"Written.","session_id":"s","usage":{{"input_tokens":{ANSWER},"output_tokens":0}},"modelUsage":{{"m":{{"inputTokens":{ANSWER},"outputTokens":0}}}},"permission_denials":[]}}"#
        );
        let program = bin.join("claude");
        std::fs::write(
            &program,
            format!("#!/bin/sh\nread -r told\necho made > \"$DIVISI_TASK.md\"\necho '{said}'\n"),
        )
        .unwrap();
        std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let task = |id: &str, on: &[&str]| {
            json!({"subtask_id": id, "agent": "claude", "title": id, "description": "Write it.",
                   "env": {"PATH": path}, "deliverables": [format!("{id}.md")], "dependencies": on})
        };
        let plan = json!({"task_title": "Tokens", "subtasks": [task("a", &[]), task("b", &["a"])]});
        let plan = stage.write_plan("tokens.json", &plan.to_string());
        std::fs::write(
            stage.project.join("divisi.yaml"),
            "budget: {attempt: {tokens: 1000}}\n",
        )
        .unwrap();
        let mut args = stage.run_args(&plan);
        args.extend(["--budget", "20k-tokens"].map(str::to_owned));
        stage.start(&texts(&args), Some(Failpoint { at })).end();
        assert!(stage.died().exists(), "{at}: it did not die there");
        std::fs::remove_file(stage.died()).unwrap();
        finish(&stage, &plan);
        let run = assert_sound(&stage, FIRST);
        assert_eq!(run.status(), RunStatus::Succeeded, "{at}");
        let ledger = ledger(&stage);
        ledger.check().unwrap();
        assert_eq!(ledger.held.len(), 0, "{at}: nothing stays reserved");
        // One of them may have been lost, and then stays charged as it was reserved.
        let attempts: u32 = run.tasks().iter().map(|task| task.attempts()).sum();
        let used = ledger.accounts[&Account::Run(FIRST)].used.tokens;
        let most = u64::from(attempts) * ANSWER;
        assert!(
            (2 * ANSWER..=most).contains(&used),
            "{at}: {used} of {attempts} attempts"
        );
        stage.assert_no_process_left();
    });
}

#[test]
fn a_raised_budget_holds_wherever_whoever_raised_it_was_killed() {
    let stage = Stage::new();
    let plan = stage.write_plan("bounded.json", BOUNDED);
    let mut args = stage.run_args(&plan);
    args.extend(["--budget", "1-attempts"].map(str::to_owned));
    stage.start(&texts(&args), None).end().assert_code(BLOCKED);
    let mut raise = stage.resume_args(FIRST.0);
    raise.extend(["--budget", "40-attempts"].map(str::to_owned));
    // Before and after the ledger's command, then the run's, then what follows from both.
    for number in 1..=4 {
        for side in ["before", "after_commit"] {
            let at = format!("journal.append.{side}:{number}");
            stage
                .start(&texts(&raise), Some(Failpoint { at: &at }))
                .end();
            if stage.died().exists() {
                std::fs::remove_file(stage.died()).unwrap();
            }
            let permitted = ledger(&stage).accounts[&Account::Run(FIRST)]
                .budget
                .attempts;
            let expected = match (number, side) {
                (1, "before") => 1,
                _ => 40,
            };
            assert_eq!(permitted, Some(expected), "{at}");
        }
    }
    finish(&stage, &plan);
    let run = assert_sound(&stage, FIRST);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let ledger = ledger(&stage);
    ledger.check().unwrap();
    assert!(ledger.held.is_empty(), "{:?}", ledger.held);
    let attempts: u32 = run.tasks().iter().map(|task| task.attempts()).sum();
    let used = ledger.accounts[&Account::Run(FIRST)].used.attempts;
    assert_eq!(used, u64::from(attempts), "each attempt is charged once");
    stage.assert_no_process_left();
}
