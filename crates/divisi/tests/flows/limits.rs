//! What a run does where a usage limit lasts longer than it waits, end to end. The agents are small
//! programs that speak as Claude Code and Codex do.

use divisi_core::run::{AttemptEnd, RunStatus};
use jiff::{Span, Zoned, tz::TimeZone};
use serde_json::{Value, json};

use crate::found::{program, working};
use crate::stage::{Stage, endings, stands, until};

/// What a tool prints that met a limit until the year 2100.
const LIMITED: &str = r#"{"type":"result","subtype":"success","is_error":true,"session_id":"s","result":"Claude AI usage limit reached|4102444800","modelUsage":{}}"#;

fn plan() -> Value {
    json!({"task_title": "limited", "subtasks": [
        {"subtask_id": "a", "title": "Write a.md", "agent": "claude", "deliverables": ["a.md"]},
        {"subtask_id": "b", "command": ["true"]},
    ]})
}

/// A project whose Claude Code does this, and what is done at a limit.
fn stage(work: &str, then: &str) -> Stage {
    let stage = Stage::git(&[("x", "1\n")]);
    let path = working(&stage, work);
    stage
        .with_env("PATH", &path)
        .with_env("DIVISI_LIMITS_WAIT_MAX_MINUTES", "60")
        .with_env("DIVISI_LIMITS_THEN", then)
}

/// By whom each attempt at `a` was made, and whether it met a limit.
fn tried(stage: &Stage) -> Vec<(String, bool)> {
    let run = stage.only();
    let all = endings(&run, "a").iter();
    let limited = |end: &AttemptEnd| matches!(end, AttemptEnd::Limited { .. });
    all.map(|one| (one.agent.clone(), limited(&one.end)))
        .collect()
}

fn by(agent: &str, is_limited: bool) -> (String, bool) {
    (agent.to_owned(), is_limited)
}

#[test]
fn with_another_credential_the_process_gets_that_key_and_not_the_one_before_it() {
    // It takes the first key that it is given, as Claude Code does.
    let work = format!(
        "if test -n \"${{ANTHROPIC_AUTH_TOKEN-}}\"; then echo '{LIMITED}'; exit 1; fi\n\
         test -n \"${{ANTHROPIC_API_KEY-}}\" && echo whole > a.md"
    );
    let stage = stage(&work, "other_credential")
        .with_env("ANTHROPIC_AUTH_TOKEN", "the-first-of-two-secrets")
        .with_env("ANTHROPIC_API_KEY", "the-second-of-two-secrets");
    stage.run(&plan(), &[]).expect(0);
    assert_eq!(tried(&stage), [by("claude", true), by("claude", false)]);
    assert_eq!(stage.result("a.md").as_deref(), Some("whole\n"));
    stage
        .divisi(&["agents"])
        .expect(0)
        .says("ANTHROPIC_AUTH_TOKEN");
}

#[test]
fn with_another_agent_that_one_does_the_work() {
    let work = format!("echo '{LIMITED}'; exit 1");
    let stage = stage(&work, "other_agent").with_env("DIVISI_LIMITS_AGENTS", "{claude: codex}");
    let codex = r#"echo '{"type":"thread.started","thread_id":"t"}'
echo whole > a.md
echo '{"type":"turn.completed","usage":{"input_tokens":7,"output_tokens":1}}'"#;
    program(&stage, "codex", codex);
    stage.run(&plan(), &[]).expect(0);
    assert_eq!(tried(&stage), [by("claude", true), by("codex", false)]);
    assert_eq!(stage.result("a.md").as_deref(), Some("whole\n"));
}

#[test]
fn where_a_person_is_asked_the_run_does_what_else_there_is() {
    let work = format!("echo '{LIMITED}'; exit 1");
    let stage = stage(&work, "escalate");
    stage.run(&plan(), &[]).expect(3);
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &[("a", "blocked"), ("b", "done")]);
    assert_eq!(tried(&stage), [by("claude", true)]);
}

#[test]
fn a_wait_is_ended_by_the_name_of_the_key_or_of_any_agent_that_has_it() {
    let work = format!("echo '{LIMITED}'; exit 1");
    let stage = stage(&work, "pause")
        .with_env("ANTHROPIC_API_KEY", "the-only-one-of-the-secrets")
        .with_env(
            "DIVISI_AGENTS_MODEL",
            r#"{"provider": "anthropic", "model": "m"}"#,
        );
    stage.run(&plan(), &[]).expect(3);
    let listed = stage.divisi(&["agents", "--json"]).expect(0).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let waits = |list: &str, name: &str| {
        let agents = listed[list].as_array().unwrap().iter();
        let mut named = agents.filter(|agent| agent["name"] == name);
        named.next().unwrap()["limits"][0]["credential"].clone()
    };
    for (list, name) in [
        ("agents", "claude"),
        ("agents", "claude-acp"),
        ("defined", "model"),
    ] {
        assert_eq!(waits(list, name), "ANTHROPIC_API_KEY", "{name}");
    }
    assert_eq!(waits("agents", "codex"), Value::Null);
    let resume = |name: &str| stage.divisi(&["agents", "resume", name]);
    resume("ANTHROPIC_API_KEI")
        .expect(7)
        .says("did you mean `ANTHROPIC_API_KEY`?");
    resume("codex").expect(6).says("agent-not-limited");
    resume("ANTHROPIC_API_KEY").expect(0);
    resume("claude").expect(6).says("agent-not-limited");
    // It is met again, and ended by the name of an agent that did not meet it.
    stage.divisi(&["resume", "run-1"]).expect(3);
    resume("model").expect(0);
    // It is known, and not limited.
    for key in ["ANTHROPIC_API_KEY", "CODEX_API_KEY"] {
        let said = format!("no usage limit of {key} is waited for");
        resume(key).expect(6).says("agent-not-limited").says(&said);
    }
}

#[test]
fn in_quiet_hours_nothing_is_started() {
    let now = Zoned::now().with_time_zone(TimeZone::UTC);
    let at = |span: Span| now.checked_add(span).unwrap().strftime("%H:%M").to_string();
    let hours = format!("{}-{}", at(Span::new().hours(-2)), at(Span::new().hours(2)));
    let stage = stage("echo whole > a.md", "pause")
        .with_env("TZ", "UTC")
        .with_env("DIVISI_LIMITS_QUIET_HOURS", &hours);
    let running = stage.start_plan(&plan(), &[]);
    for task in ["a", "b"] {
        until("it says why nothing is started", || {
            let told = stage.divisi(&["explain", "run-1", task]);
            told.stdout
                .contains("nothing is started in the quiet hours")
        });
    }
    stage.divisi(&["cancel", "run-1"]).expect(0);
    running.wait();
    let run = stage.only();
    assert!(run.tasks().iter().all(|task| task.attempts() == 0));
}
