//! An agent's own session is taken up where the attempt was lost, or asked and was answered; where
//! it cannot be, a new one is told what stands there already.

use divisi_core::run::{AttemptEnd, Run, RunStatus};
use serde_json::{Value, json};

use crate::model::{ALWAYS, Call, Fault, Model, Rule, Turn};
use crate::stage::{Stage, endings, kill, task, until, with_argument, write};
use crate::tool::{ACP, KEY, TOOLS, stage};

fn plan(tool: &str) -> Value {
    json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md and end.md.",
        "agent": tool,
        "deliverables": ["part.md", "end.md"],
        "retries": 0,
    }]})
}

fn shell(say: &str, command: &str) -> Turn {
    Turn {
        say: say.to_owned(),
        call: Some(Call::Shell(command.to_owned())),
        ..Turn::default()
    }
}

fn words(say: &str) -> Turn {
    Turn {
        say: say.to_owned(),
        ..Turn::default()
    }
}

fn rule(words: &[&str], turns: Vec<Turn>) -> Rule {
    Rule {
        words: words.iter().map(|&words| words.to_owned()).collect(),
        turns,
    }
}

/// The lines of an attempt's transcript that say how its session began.
fn began(stage: &Stage, attempt: &str) -> Vec<Value> {
    let log = stage.divisi(&["logs", "run-1", "part", "--attempt", attempt]);
    let entries = log
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    entries
        .filter(|entry: &Value| entry["entry"] == "began")
        .collect()
}

/// What dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// The machine, and with it all processes.
    Machine,
    /// All processes, on a machine that goes on: one that hid could still be there.
    Processes,
    /// The engine; the supervisor then ends the agents.
    Engine,
}

/// It wrote something, and then it was lost.
fn after(loss: Loss, tool: &str) {
    let hangs = Turn {
        fault: Some((Fault::Hang, ALWAYS)),
        ..Turn::default()
    };
    let model = Model::start(vec![
        rule(
            &["TASK-part", "already did in this folder"],
            vec![shell("I go on.", "echo end > end.md"), words("It is done.")],
        ),
        rule(
            &["TASK-part"],
            vec![shell("I begin.", "echo part > part.md"), hangs],
        ),
    ]);
    let stage = stage(tool, &model);
    let running = stage.start_plan(&plan(tool), &[]);
    until("the model hangs", || {
        model.seen().iter().any(|seen| seen.is_fault)
    });
    let mut victims = vec![running.pid()];
    if loss != Loss::Engine {
        victims.extend(with_argument(&stage.path(".divisi").display().to_string()));
        victims.extend(stage.jobs());
    }
    for pid in victims {
        kill(pid, libc::SIGKILL);
    }
    running.wait();
    until("nothing is left", || stage.jobs().is_empty());
    if loss == Loss::Machine {
        let notes = stage.path(".divisi/supervisor.notes");
        let text = std::fs::read_to_string(&notes).unwrap();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert!(text.contains(boot.trim()), "{text}");
        write(&notes, &text.replace(boot.trim(), "of-an-earlier-boot"));
    }
    let ran = stage.divisi(&["resume", "run-1"]);
    let log = || {
        let logs = stage.divisi(&["logs", "run-1", "part"]).stdout;
        format!("{tool}: {}\n{logs}\n{:#?}", ran.stderr, model.seen())
    };
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", log());
    let lost = &endings(&run, "part")[0].end;
    assert!(matches!(lost, AttemptEnd::Lost(_)), "{lost:?}");
    assert_eq!(task(&run, "part").attempts(), 2, "{}", log());
    let (first, second) = (began(&stage, "1"), began(&stage, "2"));
    assert_eq!(first[0]["resumed"], false, "{}", log());
    let is_taken_up = loss != Loss::Processes;
    assert_eq!(second[0]["resumed"], is_taken_up, "{}", log());
    let is_same = first[0]["session"] == second[0]["session"];
    assert_eq!(is_same, is_taken_up, "{}", log());
    let seen = model.seen();
    let last = seen.last().unwrap();
    let tasks = last.users.iter().filter(|text| text.contains("TASK-part"));
    let knows_what_was_before = tasks.count() >= 2;
    assert_eq!(knows_what_was_before, is_taken_up, "{}", log());
    // Either way it is told what stands there.
    assert!(last.user.contains("`part.md`"), "{}", last.user);
    nothing_is_kept(&stage, &run);
}

/// What only served to take a session up is gone with the run, and the key stands nowhere.
fn nothing_is_kept(stage: &Stage, run: &Run) {
    assert!(run.ended.is_some());
    let homes = std::fs::read_dir(stage.path(".divisi/homes")).unwrap();
    assert_eq!(homes.count(), 0);
    is_without_key(stage);
}

fn is_without_key(stage: &Stage) {
    let found = std::process::Command::new("grep")
        .args(["-rlF", KEY])
        .arg(stage.path(".divisi"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[test]
fn each_takes_its_session_up_when_the_machine_is_there_again() {
    for tool in TOOLS.into_iter().chain(ACP) {
        after(Loss::Machine, tool);
    }
}

#[test]
fn a_session_is_taken_up_when_the_engine_is_there_again() {
    after(Loss::Engine, TOOLS[0]);
}

#[test]
fn where_a_writer_may_be_left_a_new_session_is_told_what_stands_there() {
    after(Loss::Processes, TOOLS[0]);
}

/// It begins, asks by this command, and goes on when it is answered.
fn asking(asks: &str) -> Model {
    Model::start(vec![
        rule(
            &["TASK-part", "questions were answered"],
            vec![shell("I go on.", "echo end > end.md"), words("It is done.")],
        ),
        rule(
            &["TASK-part"],
            vec![shell("I ask.", asks), words("I wait.")],
        ),
    ])
}

/// It asked, and goes on with the answer. While it waits, no secret stands in what is kept of it.
fn is_taken_up_with_the_answer(tool: &str) -> (Stage, Run) {
    let asks = format!(
        "echo part > part.md; echo {KEY} > /dev/null; echo 'Which end?' > \"$DIVISI_QUESTION\""
    );
    let model = asking(&asks);
    let stage = stage(tool, &model);
    stage.run(&plan(tool), &[]);
    assert_eq!(stage.only().status(), RunStatus::Blocked, "{tool}");
    is_without_key(&stage);
    stage.divisi(&["answer", "run-1", "part", "The far one."]);
    stage.divisi(&["resume", "run-1"]);
    let run = stage.only();
    let log = stage.divisi(&["logs", "run-1", "part"]).stdout;
    assert_eq!(run.status(), RunStatus::Succeeded, "{tool}: {log}");
    assert_eq!(began(&stage, "2")[0]["resumed"], true, "{tool}: {log}");
    let seen = model.seen();
    let told = seen.iter().find(|seen| seen.user.contains("The far one."));
    assert!(told.is_some(), "{tool}: {seen:#?}");
    nothing_is_kept(&stage, &run);
    (stage, run)
}

#[test]
fn whoever_asked_goes_on_with_the_answer() {
    for tool in ["claude", "claude-acp"] {
        is_taken_up_with_the_answer(tool);
    }
}

/// What it counts over the whole conversation is not counted twice.
#[test]
fn codex_is_charged_for_what_the_second_attempt_used_alone() {
    let (_, run) = is_taken_up_with_the_answer("codex");
    let used: Vec<u64> = (endings(&run, "part").iter())
        .filter_map(|ending| ending.receipts.iter().find_map(|r| r.usage()))
        .map(|used| used.tokens)
        .collect();
    let [first, second] = used[..] else {
        panic!("{used:?}");
    };
    assert!(second < first + first / 2, "{used:?}");
}

/// A session of which nothing is left.
#[test]
fn a_new_session_begins_where_the_old_one_is_gone() {
    for tool in ["claude", "claude-acp", "codex"] {
        let model = asking("echo part > part.md; echo 'Which end?' > \"$DIVISI_QUESTION\"");
        let stage = stage(tool, &model);
        stage.run(&plan(tool), &[]);
        let homes = std::fs::read_dir(stage.path(".divisi/homes")).unwrap();
        for home in homes.flatten() {
            for folder in ["claude", "codex"] {
                let _ = std::fs::remove_dir_all(home.path().join(folder));
            }
        }
        stage.divisi(&["answer", "run-1", "part", "The far one."]);
        stage.divisi(&["resume", "run-1"]);
        let log = stage.divisi(&["logs", "run-1", "part"]).stdout;
        assert_eq!(stage.only().status(), RunStatus::Succeeded, "{tool}: {log}");
        assert_eq!(began(&stage, "2")[0]["resumed"], false, "{tool}: {log}");
        let second = stage.divisi(&["logs", "run-1", "part", "--attempt", "2"]);
        assert!(second.stdout.contains("a new one begins"), "{tool}: {log}");
        let seen = model.seen();
        let told = seen.iter().rfind(|seen| seen.user.contains("The far one."));
        let told = &told.unwrap_or_else(|| panic!("{tool}: {log}")).user;
        assert!(told.contains("`part.md`"), "{tool}: {told}");
    }
}
