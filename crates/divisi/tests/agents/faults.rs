//! What goes wrong at the model's side, with each tool: nothing of it is a success, no attempt is
//! spent on a usage limit, none goes on for ever, and no process is left.

use divisi_core::receipt::{Exit, Receipt};
use divisi_core::run::{AttemptEnd, Failure, Run, RunStatus, StopReason};
use serde_json::{Value, json};

use crate::left::{LIVES, starts, unique_sleep};
use crate::model::{ALWAYS, Call, Fault, Model, Rule, Seen, Turn};
use crate::stage::{Stage, endings, task, with_argument, write};
use crate::tool::{KEY, TOOLS, stage};

/// One task, tried once, with little time.
pub(crate) fn plan(tool: &str, timeout_minutes: f64) -> Value {
    json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md.",
        "agent": tool,
        "deliverables": ["part.md"],
        "retries": 0,
        "timeout_minutes": timeout_minutes,
    }]})
}

/// The file is written, if it comes to that.
pub(crate) fn rule(fault: Option<(Fault, u32)>) -> Rule {
    let call = Call::Write {
        path: "part.md".to_owned(),
        content: "# Part\n".to_owned(),
    };
    let first = Turn {
        say: "I write it.".to_owned(),
        call: Some(call),
        fault,
        ..Turn::default()
    };
    let last = Turn {
        say: "It is written.".to_owned(),
        ..Turn::default()
    };
    Rule {
        words: vec!["TASK-part".to_owned()],
        turns: vec![first, last],
    }
}

/// Runs the plan against a model with this fault. Nothing may be left of it, and the key nowhere.
fn with(tool: &str, fault: (Fault, u32), timeout_minutes: f64) -> (Stage, Run) {
    let (stage, run, _) = of(tool, rule(Some(fault)), timeout_minutes);
    (stage, run)
}

/// The same with any rule, and what the model was asked.
fn of(tool: &str, rule: Rule, timeout_minutes: f64) -> (Stage, Run, Vec<Seen>) {
    of_plan(tool, vec![rule], &plan(tool, timeout_minutes))
}

/// The same with any plan, whose tasks are done side by side.
fn of_plan(tool: &str, rules: Vec<Rule>, plan: &Value) -> (Stage, Run, Vec<Seen>) {
    let model = Model::start(rules);
    let stage = stage(tool, &model);
    // A usage limit is waited for in no time.
    write(stage.path("divisi.yaml"), "limits:\n  delay_seconds: 0\n");
    stage.run(plan, &["-j", "2"]);
    let seen = model.seen();
    let faults = seen.iter().filter(|seen| seen.is_fault).count();
    assert!(faults > 0, "{tool}: nothing went wrong");
    assert_eq!(stage.jobs(), [0; 0], "{tool}: no process is left");
    let found = std::process::Command::new("grep")
        .args(["-rlF", KEY])
        .arg(stage.path(".divisi"))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&found.stdout),
        "",
        "{tool}: the key stands somewhere"
    );
    let run = stage.only();
    (stage, run, seen)
}

/// In minutes: long enough to begin and to meet a fault, on a machine with other work too.
const TIME_BOX: f64 = 2.0;

/// The same for one that asks again until it is over: two of it take up to half a minute to start.
const TIME_BOX_OF_OPENCODE: f64 = 1.2;

fn log(stage: &Stage) -> String {
    stage.divisi(&["logs", "run-1", "part"]).stdout
}

/// What the only attempt came to, as its adapter heard it.
fn closing(stage: &Stage) -> Value {
    let log = log(stage);
    let mut entries = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    entries
        .find(|entry| entry["entry"] == "closed")
        .unwrap_or_else(|| panic!("it has no end: {log}"))
}

/// How it ended, and what the model was asked.
fn is_given_up(tool: &str, rule: Rule, timeout_minutes: f64) -> (AttemptEnd, Vec<Seen>) {
    let (stage, run, seen) = of(tool, rule, timeout_minutes);
    assert_eq!(run.status(), RunStatus::Blocked, "{tool}: {}", log(&stage));
    let [ending] = endings(&run, "part") else {
        panic!("{tool}: {}", log(&stage));
    };
    (ending.end.clone(), seen)
}

/// Its model says that it is written, and called for nothing.
#[test]
fn a_turn_that_did_nothing_and_ends_with_0_is_refused() {
    for tool in TOOLS {
        let mut nothing = rule(None);
        nothing.turns.remove(0);
        let model = Model::start(vec![nothing]);
        let stage = stage(tool, &model);
        let ran = stage.run(&plan(tool, TIME_BOX), &[]);
        let what = || format!("{tool}: {}\n{}", ran.stderr, log(&stage));
        assert_eq!(ran.code, 3, "{}", what());
        let run = stage.only();
        assert_eq!(run.status(), RunStatus::Blocked, "{}", what());
        let [ending] = endings(&run, "part") else {
            panic!("{}", what());
        };
        let is_missed = match &ending.end {
            AttemptEnd::Refused(Failure::Checks(verdicts)) => {
                verdicts.iter().any(|it| it.evidence.contains("part.md"))
            }
            _ => false,
        };
        assert!(is_missed, "{:?}, {}", ending.end, what());
        // Its status was 0, and it believes that it succeeded.
        let is_success = |receipt: &Receipt| {
            let exit = match receipt {
                Receipt::Submitted { exit, .. } => Some(exit),
                _ => None,
            };
            exit == Some(&Exit::Status(0)) && receipt.claimed_failure().is_none()
        };
        assert!(ending.receipts.iter().any(is_success), "{}", what());
        assert_eq!(closing(&stage)["claim"], "done", "{}", what());
        assert_eq!(stage.result("part.md"), None, "{}", what());
        assert_eq!(stage.jobs(), [0; 0], "{tool}: no process is left");
    }
}

#[test]
fn a_refused_key_is_no_success() {
    for tool in TOOLS {
        let refused = rule(Some((Fault::Status(401, None), ALWAYS)));
        let (end, _) = is_given_up(tool, refused, TIME_BOX);
        let repeats = matches!(
            &end,
            AttemptEnd::Errored(Failure::Start { permanent: true, cause }) if cause.contains("login")
        );
        assert!(repeats, "{tool}: {end:?}");
    }
}

/// So does what its tools started before, also in sessions of their own.
#[test]
fn an_error_for_ever_ends() {
    for tool in BY_THEMSELVES {
        let (rule, sleep) = failing();
        let (end, seen) = is_given_up(tool, rule, TIME_BOX);
        is_ended_with_all(tool, &seen, &sleep);
        assert!(matches!(end, AttemptEnd::Refused(_)), "{tool}: {end:?}");
    }
}

/// Those that give up at some time; opencode asks again for longer than anybody waits.
const BY_THEMSELVES: [&str; 2] = ["claude", "codex"];

/// Something is started, and then the model fails for ever.
fn failing() -> (Rule, String) {
    let sleep = unique_sleep();
    let mut failing = rule(Some((Fault::Status(500, None), ALWAYS)));
    failing.turns.insert(0, starts(&sleep));
    (failing, sleep)
}

/// What was started lived, and lives no more.
fn is_ended_with_all(tool: &str, seen: &[Seen], sleep: &str) {
    let results = seen.iter().flat_map(|seen| &seen.results);
    let lived = { results }.any(|result| result.contains(LIVES));
    assert!(lived, "{tool}: nothing was started: {seen:#?}");
    assert_eq!(with_argument(sleep), [0; 0], "{tool}: it is left");
}

/// The same for both faults after which it asks again: one after the other would take a time box each.
#[test]
fn opencode_asks_again_after_errors_and_broken_answers_until_its_time_is_over() {
    let tool = TOOLS[2];
    let (failing, sleep) = failing();
    let broken = of_other(rule(Some((Fault::Cut, ALWAYS))));
    let plan = plan_of_two(tool, TIME_BOX_OF_OPENCODE);
    let (stage, run, seen) = of_plan(tool, vec![failing, broken], &plan);
    assert_eq!(run.status(), RunStatus::Blocked);
    is_ended_with_all(tool, &seen, &sleep);
    for id in ["part", "other"] {
        let log = stage.divisi(&["logs", "run-1", id]).stdout;
        let words = format!("TASK-{id}");
        let met = seen
            .iter()
            .any(|seen| seen.is_fault && seen.user.contains(&words));
        assert!(met, "{id}: nothing went wrong: {log}");
        let [ending] = endings(&run, id) else {
            panic!("{id}: {log}");
        };
        assert_eq!(
            ending.end,
            AttemptEnd::Stopped(StopReason::Overdue),
            "{id}: {log}"
        );
        assert_eq!(stage.result(&format!("{id}.md")), None, "{id}: {log}");
    }
}

/// Its timer is ours: the tools would wait for far longer, or for ever.
#[test]
fn a_model_that_hangs_is_found_long_before_the_time_box_and_its_task_tried_again() {
    for tool in TOOLS {
        let model = Model::start(vec![rule(Some((Fault::Hang, 1)))]);
        let stage = stage(tool, &model);
        // Longer than each takes to begin, on a machine with other work too.
        let minutes = match tool {
            // After a minute it would ask again by itself.
            "opencode" => 0.7,
            _ => 0.4,
        };
        let monitoring = format!("monitoring:\n  progress_minutes: {{{tool}: {minutes}}}\n");
        write(stage.path("divisi.yaml"), &monitoring);
        let mut plan = plan(tool, 20.0);
        plan["subtasks"][0]["retries"] = json!(1);
        stage.run(&plan, &[]);
        let run = stage.only();
        let what = || format!("{tool}: {}", log(&stage));
        assert_eq!(run.status(), RunStatus::Succeeded, "{}", what());
        let [hung, done] = endings(&run, "part") else {
            panic!("{}", what());
        };
        let AttemptEnd::Stopped(StopReason::Stalled(evidence)) = &hung.end else {
            panic!("{:?}, {}", hung.end, what());
        };
        // One of them tells of its calls only afterwards.
        let said = match tool {
            "opencode" => "no output, file, process or CPU time",
            _ => "no word of its model",
        };
        assert!(evidence.contains(said), "{tool}: {evidence}");
        assert_eq!(done.end, AttemptEnd::Integrated, "{}", what());
        assert_eq!(task(&run, "part").failures, 1, "{}", what());
        assert_eq!(stage.jobs(), [0; 0], "{tool}: no process is left");
    }
}

#[test]
fn a_usage_limit_spends_no_attempt() {
    for tool in TOOLS {
        // So often that two of them give up in between.
        let (stage, run) = with(tool, (Fault::Status(429, Some(1)), 5), TIME_BOX);
        assert_eq!(
            run.status(),
            RunStatus::Succeeded,
            "{tool}: {}",
            log(&stage)
        );
        assert_eq!(task(&run, "part").failures, 0, "{tool}: {}", log(&stage));
        let ends: Vec<&AttemptEnd> = endings(&run, "part").iter().map(|e| &e.end).collect();
        let (last, before) = ends.split_last().unwrap();
        assert_eq!(**last, AttemptEnd::Integrated, "{tool}");
        let are_limits = before
            .iter()
            .all(|end| matches!(end, AttemptEnd::Limited { .. }));
        assert!(are_limits, "{tool}: {before:?}");
        // One of them asks again by itself, as soon as it was told to.
        assert_eq!(before.is_empty(), tool == "opencode", "{tool}: {before:?}");
    }
}

/// The second of two tasks, which would log in with the same.
fn plan_of_two(tool: &str, timeout_minutes: f64) -> Value {
    let mut plan = plan(tool, timeout_minutes);
    let mut other = plan["subtasks"][0].clone();
    other["subtask_id"] = json!("other");
    other["description"] = json!("TASK-other: write other.md.");
    other["deliverables"] = json!(["other.md"]);
    plan["subtasks"].as_array_mut().unwrap().push(other);
    plan
}

/// The same rule for the second.
fn of_other(mut rule: Rule) -> Rule {
    rule.words = vec!["TASK-other".to_owned()];
    rule.turns[0].call = Some(Call::Write {
        path: "other.md".to_owned(),
        content: "# Other\n".to_owned(),
    });
    rule
}

#[test]
fn what_is_limited_is_not_tried_by_another_task_before_that_ends() {
    for tool in TOOLS {
        let other = of_other(rule(None));
        let limited = rule(Some((Fault::Status(429, Some(2)), ALWAYS)));
        let model = Model::start(vec![limited, other]);
        let stage = stage(tool, &model);
        // One that tells nobody what the server said is tried again after three seconds.
        write(
            stage.path("divisi.yaml"),
            "limits:\n  delay_seconds: 3\n  times_max: 1\n",
        );
        stage.run(&plan_of_two(tool, TIME_BOX), &["-j", "1"]);
        let run = stage.only();
        let both = || {
            let logs = ["part", "other"].map(|id| stage.divisi(&["logs", "run-1", id]).stdout);
            format!("{tool}: {}", logs.join("\n"))
        };
        let [met] = endings(&run, "part") else {
            panic!("{}", both());
        };
        let AttemptEnd::Limited {
            wait_ms, ends_at, ..
        } = met.end
        else {
            panic!("{}", both());
        };
        assert_eq!(task(&run, "part").failures, 0, "{}", both());
        let said = (tool != "codex").then_some(2_000);
        assert_eq!(wait_ms, said, "{}", both());
        let [done] = endings(&run, "other") else {
            panic!("{}", both());
        };
        assert_eq!(done.end, AttemptEnd::Integrated, "{}", both());
        assert!(Some(done.leased_at) >= ends_at, "{}", both());
        // The server saw nothing of it before.
        let seen = model.seen();
        let last = seen
            .iter()
            .filter(|seen| seen.is_fault)
            .map(|seen| seen.at)
            .max();
        let first = { seen.iter() }.find(|seen| seen.user.contains("TASK-other"));
        let waited = first.unwrap().at.duration_since(last.unwrap());
        assert!(waited.as_millis() >= 2_000, "{waited:?}, {}", both());
        assert_eq!(stage.jobs(), [0; 0], "{tool}: no process is left");
    }
}

/// The tool and a model over its API have one key, another model has its own.
#[test]
fn a_limit_is_the_keys_whichever_agent_has_it() {
    let written = |id: &str, fault| {
        let mut rule = rule(fault);
        rule.words = vec![format!("TASK-{id}")];
        rule.turns[0].call = Some(Call::Write {
            path: format!("{id}.md"),
            content: "# It\n".to_owned(),
        });
        rule
    };
    let limited = Some((Fault::Status(429, Some(5)), ALWAYS));
    let model = Model::start(vec![
        written("part", limited),
        written("same", None),
        written("own", None),
    ]);
    let asked = |key: &str| {
        json!({"provider": "anthropic", "model": "scripted", "url": format!("{}/v1", model.url()),
               "key": key})
    };
    let stage = stage("claude", &model)
        .with_env("OWN_KEY", "another-scripted-key-91c2")
        .with_env(
            "DIVISI_AGENTS_MODEL",
            &asked("ANTHROPIC_API_KEY").to_string(),
        )
        .with_env(
            "DIVISI_AGENTS_CUSTOM",
            &json!({"own": {"model": asked("OWN_KEY")}}).to_string(),
        );
    write(
        stage.path("divisi.yaml"),
        "limits:\n  delay_seconds: 5\n  times_max: 1\n",
    );
    let task_of = |id: &str, agent: &str| {
        json!({"subtask_id": id, "description": format!("TASK-{id}: write {id}.md."),
               "agent": agent, "deliverables": [format!("{id}.md")]})
    };
    let plan = json!({"task_title": "Three", "subtasks": [
        task_of("part", "claude"), task_of("same", "model"), task_of("own", "custom.own"),
    ]});
    let ran = stage.run(&plan, &["-j", "1"]);
    let run = stage.only();
    let what = || {
        let logs = ["part", "same", "own"].map(|id| stage.divisi(&["logs", "run-1", id]).stdout);
        format!("{}\n{}", ran.stderr, logs.join("\n"))
    };
    let [met] = endings(&run, "part") else {
        panic!("{}", what());
    };
    let AttemptEnd::Limited {
        ends_at: Some(ends_at),
        ..
    } = met.end
    else {
        panic!("{}", what());
    };
    let leased_at = |id: &str| match endings(&run, id) {
        [one] if one.end == AttemptEnd::Integrated => one.leased_at,
        _ => panic!("{id}: {}", what()),
    };
    assert!(leased_at("own") < ends_at, "{}", what());
    assert!(leased_at("same") >= ends_at, "{}", what());
    // The server saw nothing with that key before.
    let seen = model.seen();
    let faults = seen.iter().filter(|seen| seen.is_fault);
    let last = faults.map(|seen| seen.at).max().unwrap();
    let first = { seen.iter() }.find(|seen| seen.user.contains("TASK-same"));
    let waited = first.unwrap().at.duration_since(last);
    assert!(waited.as_millis() >= 5_000, "{waited:?}, {}", what());
}

/// They ask again, but for two: opencode gives up an answer that cannot be read, and Claude Code now
/// and then one that breaks off in the middle. That is a failure, which it says, and no work.
#[test]
fn broken_answers_are_asked_for_again_or_refused() {
    for tool in TOOLS {
        for fault in [Fault::Cut, Fault::Malformed] {
            let (stage, run) = with(tool, (fault, 1), TIME_BOX);
            let what = || format!("{tool}, {fault:?}: {}", log(&stage));
            let gives_up = match (tool, fault) {
                ("opencode", Fault::Malformed) => true,
                ("claude", Fault::Cut) => run.status() == RunStatus::Blocked,
                _ => false,
            };
            let (status, claims, file) = match gives_up {
                true => (RunStatus::Blocked, 1, None),
                false => (RunStatus::Succeeded, 0, Some("# Part\n".to_owned())),
            };
            assert_eq!(run.status(), status, "{}", what());
            let receipts = task(&run, "part").receipts();
            let claimed = receipts.filter_map(Receipt::claimed_failure).count();
            assert_eq!(claimed, claims, "{}", what());
            assert_eq!(stage.result("part.md"), file, "{}", what());
        }
    }
}

/// A turn that is never answered as it should be.
fn is_never_answered(tool: &str, fault: Fault) {
    let (stage, run) = with(tool, (fault, ALWAYS), TIME_BOX);
    let what = || format!("{tool}, {fault:?}: {}", log(&stage));
    assert_eq!(run.status(), RunStatus::Blocked, "{}", what());
    let [ending] = endings(&run, "part") else {
        panic!("{}", what());
    };
    let is_ended = matches!(
        ending.end,
        AttemptEnd::Refused(_) | AttemptEnd::Stopped(StopReason::Overdue)
    );
    assert!(is_ended, "{:?}, {}", ending.end, what());
    assert_eq!(stage.result("part.md"), None, "{}", what());
}

#[test]
fn answers_that_break_off_for_ever_come_to_an_end() {
    for tool in BY_THEMSELVES {
        is_never_answered(tool, Fault::Cut);
    }
}

#[test]
fn answers_that_nobody_can_read_for_ever_come_to_an_end() {
    for tool in TOOLS {
        is_never_answered(tool, Fault::Malformed);
    }
}
