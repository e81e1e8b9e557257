//! Real tools that use more than was reserved for them: each is ended after the answer that goes
//! beyond, nothing of it is left, and the next attempt goes on from there.

use divisi_core::ledger::Bound;
use divisi_core::run::{AttemptEnd, RunStatus};
use serde_json::{Value, json};

use crate::model::{Call, Model, Rule, TOKENS, Turn};
use crate::stage::{endings, task};
use crate::tool::{TOOLS, stage};

/// One that writes its file with its third answer.
fn rule() -> Rule {
    let call = |call| Turn {
        say: "Go on.".to_owned(),
        call: Some(call),
        ..Turn::default()
    };
    let written = Call::Write {
        path: "part.md".to_owned(),
        content: "# Part\n".to_owned(),
    };
    Rule {
        words: vec!["TASK-part".to_owned()],
        turns: vec![
            call(Call::Shell("echo one >> steps".to_owned())),
            call(Call::Shell("echo two >> steps".to_owned())),
            call(written),
        ],
    }
}

fn plan(tool: &str) -> Value {
    json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part", "agent": tool, "description": "TASK-part: write part.md.",
        "deliverables": ["part.md"],
    }]})
}

/// An attempt with so much reserved that its first answer fits, and its second goes beyond.
fn is_ended(tool: &str) {
    let model = Model::start(vec![rule()]);
    let reserved = TOKENS + TOKENS / 2;
    let attempt = format!("{{tokens: {reserved}}}");
    let stage = stage(tool, &model).with_env("DIVISI_BUDGET_ATTEMPT", &attempt);
    let ran = stage.run(&plan(tool), &["--budget", "1M-tokens"]);
    let run = stage.only();
    let log = || {
        let log = stage.divisi(&["logs", "run-1", "part", "--attempt", "1"]);
        format!("{tool}: {}\n{}", ran.stderr, log.stdout)
    };
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", log());
    let ends = endings(&run, "part");
    let used_up = AttemptEnd::UsedUp(Bound::Tokens(reserved));
    assert_eq!(ends[0].end, used_up, "{}", log());
    let used = ends[0].receipts.iter().find_map(|receipt| receipt.usage());
    let used = used.map(|usage| usage.tokens).unwrap_or(0);
    // Its reservation, and one answer more.
    assert!(
        used > reserved && used <= reserved + TOKENS,
        "{used}: {}",
        log()
    );
    assert_eq!(task(&run, "part").failures, 0, "it is not its failure");
    assert_eq!(stage.jobs(), [0; 0], "{tool}: no process is left");
}

#[test]
fn claude_is_ended_after_the_answer_that_goes_beyond() {
    is_ended(TOOLS[0]);
}

#[test]
fn opencode_is_ended_after_the_answer_that_goes_beyond() {
    is_ended(TOOLS[2]);
}

/// Claude Code holds a bound of money by itself, and names its price.
#[test]
fn claude_ends_at_the_bound_of_money_that_it_is_given() {
    let model = Model::start(vec![rule()]);
    let stage = stage(TOOLS[0], &model).with_env("DIVISI_BUDGET_ATTEMPT", "{usd: 0.002}");
    stage.run(&plan(TOOLS[0]), &["--budget", "$20"]);
    let run = stage.only();
    let ends = endings(&run, "part");
    let used_up = AttemptEnd::UsedUp(Bound::UsdMicros(2_000));
    assert_eq!(ends[0].end, used_up);
    let used = ends[0].receipts.iter().find_map(|receipt| receipt.usage());
    let micros = used.and_then(|usage| usage.usd_micros).unwrap_or(0);
    assert!(micros > 2_000, "{used:?}");
}
