//! Tokens and money, end to end: what is reserved, who is ended for it, what is told, and how one
//! goes on. The agents play scripts, or are small programs that speak as Claude Code does.

use divisi_core::ledger::Bound;
use divisi_core::run::{AttemptEnd, PauseReason, RunStatus};
use serde_json::{Value, json};

use crate::feedback::satisfies;
use crate::found::{program, working};
use crate::stage::{Stage, endings, stands, task, write};

/// A task whose scripted agent writes its file after it used so many tokens, as told step by step.
fn played(id: &str, steps: &[u64]) -> Value {
    let used = steps
        .iter()
        .map(|tokens| json!({"usage": {"tokens": tokens}}));
    let written = json!({"write": {"path": format!("{id}.md"), "text": "whole"}});
    let steps: Vec<Value> = used.chain([written]).collect();
    json!({
        "subtask_id": id, "agent": "scripted", "script": json!({"attempts": [steps]}).to_string(),
        "deliverables": [format!("{id}.md")],
    })
}

fn plan(tasks: &[Value]) -> Value {
    json!({"task_title": "tokens", "subtasks": tasks})
}

/// What `divisi budget` tells of an account.
fn account(stage: &Stage, name: &str) -> Value {
    let told = satisfies(stage, "budget", &["budget"]);
    let accounts = told["accounts"].as_array().unwrap().iter();
    let mut found = accounts.filter(|it| it["name"].as_str().unwrap().contains(name));
    found
        .next()
        .unwrap_or_else(|| panic!("{name}: {told}"))
        .clone()
}

fn ends<'r>(run: &'r divisi_core::run::Run, id: &str) -> Vec<&'r AttemptEnd> {
    endings(run, id).iter().map(|one| &one.end).collect()
}

/// A developer and a tester by different agents, within tokens and money.
#[test]
fn roles_have_their_agents_and_a_run_has_bounds_of_both_kinds() {
    let stage = Stage::git(&[("x", "1\n")]);
    write(
        stage.path("divisi.yaml"),
        "prices: {codex: {input: 1, output: 4}}\n",
    );
    program(
        &stage,
        "codex",
        "case \"$1\" in --version) echo 'codex-cli 0.169.0'; exit;; esac\n\
         cat > /dev/null; echo tested > tests.md\n\
         echo '{\"type\":\"thread.started\",\"thread_id\":\"one\"}'\n\
         echo '{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":900,\"output_tokens\":100}}'",
    );
    let path = working(&stage, "head -n 1 > /dev/null; echo made > code.md");
    let stage = stage.with_env("PATH", &path);
    let part = |id: &str, function: &str, file: &str| {
        json!({"subtask_id": id, "title": id, "description": format!("Write {file}."),
               "assigned_to": "development", "worker_type": function, "deliverables": [file]})
    };
    let plan = plan(&[
        part("code", "implementation", "code.md"),
        part("tests", "test", "tests.md"),
    ]);
    let agents = ["--agent", "developer=claude", "--agent", "tester=codex"];
    let bounds = ["--budget", "2M-tokens", "--budget", "$20"];
    stage.run(&plan, &[agents, bounds].concat()).expect(0);
    let run = stage.only();
    for (id, agent) in [("code", "claude"), ("tests", "codex")] {
        assert_eq!(endings(&run, id)[0].agent, agent, "{id}");
    }
    // Nothing goes on, so it is the latest run's, which nobody raises any more.
    let told = satisfies(&stage, "budget", &["budget"]);
    let of_run = &told["accounts"][0];
    assert_eq!(of_run["raise"], json!([]), "{told}");
    let of = |what: &str, kind: &str| of_run[what][kind].as_u64().unwrap();
    assert_eq!(of("budget", "tokens"), 2_000_000, "{told}");
    assert_eq!(of("budget", "usd_micros"), 20_000_000, "{told}");
    // What Codex used, for which alone there is a price of ours, and what Claude Code said of itself.
    assert!(of("used", "tokens") > 1_000, "{told}");
    assert!(of("used", "usd_micros") > 1_300, "{told}");
}

#[test]
fn a_reservation_that_is_used_up_is_no_failure_and_the_next_attempt_has_more() {
    let stage = Stage::git(&[("x", "1\n")]).with_env("DIVISI_BUDGET_ATTEMPT", "{tokens: 1000}");
    let plan = plan(&[played("a", &[900, 900]), played("b", &[100])]);
    stage.run(&plan, &["--budget", "1M-tokens"]).expect(0);
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("a", "done"), ("b", "done")]);
    let used_up = AttemptEnd::UsedUp(Bound::Tokens(1_000));
    assert_eq!(ends(&run, "a"), [&used_up, &AttemptEnd::Integrated]);
    let a = task(&run, "a");
    assert_eq!((a.failures, a.used_up), (0, 1));
    stage
        .divisi(&["show", "1", "a"])
        .expect(0)
        .says("its reservation of 1000 tokens was used up");
    stage
        .divisi(&["budget", "1"])
        .expect(0)
        .says("1000000 permitted, 3700 used, 996300 left");
}

#[test]
fn what_is_used_up_again_and_again_is_for_a_person() {
    let stage = Stage::git(&[("x", "1\n")]).with_env("DIVISI_BUDGET_ATTEMPT", "{tokens: 1000}");
    let plan = plan(&[played("a", &[9_000, 9_000])]);
    stage
        .run(&plan, &["--budget", "1M-tokens"])
        .expect(3)
        .says("`budget.attempt` in the configuration, reserves more");
    let run = stage.only();
    stands(&run, RunStatus::Blocked, &[("a", "blocked")]);
    let bounds = [1_000, 2_000, 4_000].map(|many| AttemptEnd::UsedUp(Bound::Tokens(many)));
    assert_eq!(ends(&run, "a"), bounds.iter().collect::<Vec<_>>());
    // Whoever has it tried again has it tried with more, until that is enough.
    stage.divisi(&["retry", "1", "a"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(task(&stage.only(), "a").used_up, 5);
}

#[test]
fn a_used_up_budget_of_tokens_pauses_the_run_and_one_command_goes_on() {
    let stage = Stage::git(&[("x", "1\n")]).with_env("DIVISI_BUDGET_ATTEMPT", "{tokens: 5000}");
    let plan = plan(&[played("a", &[3_000]), played("b", &[3_000])]);
    let ran = stage.run(&plan, &["-j", "1", "--budget", "3500-tokens"]);
    ran.expect(3).says("divisi resume run-1 --budget N-tokens");
    let run = stage.only();
    assert!(
        matches!(run.paused, Some(PauseReason::Budget(_))),
        "{:?}",
        run.paused
    );
    let of_run = account(&stage, "run-1");
    assert_eq!(of_run["used"]["tokens"], 3_000);
    assert_eq!(of_run["left"]["tokens"], 500);
    assert_eq!(
        of_run["raise"],
        json!(["divisi resume run-1 --budget N-tokens"])
    );
    stage
        .divisi(&["explain", "1", "b"])
        .expect(0)
        .says("the budget of run-1 is used up: 3500 tokens");
    stage
        .divisi(&["resume", "1", "--budget", "9k-tokens"])
        .expect(0);
    stage
        .divisi(&["budget", "1"])
        .expect(0)
        .says("9000 permitted, 6000 used, 3000 left");
}

#[test]
fn a_task_has_a_budget_of_its_own_and_the_others_go_on_without_it() {
    let stage = Stage::git(&[("x", "1\n")]);
    let mut first = played("a", &[900, 900]);
    first["budget"] = json!({"tokens": 1_500});
    let plan = plan(&[first, played("b", &[100]), played("c", &[100])]);
    stage
        .run(&plan, &["-j", "1"])
        .expect(3)
        .says("the budget of task a of run-1 is used up: 1500 tokens")
        .says("divisi resume run-1 --task a --budget N-tokens");
    let run = stage.only();
    stands(
        &run,
        RunStatus::Running,
        &[("a", "ready"), ("b", "done"), ("c", "done")],
    );
    assert_eq!(account(&stage, "run-1 a")["used"]["tokens"], 1_800);
    stage
        .divisi(&["resume", "1", "--task", "a", "--budget", "1600-tokens"])
        .expect(6)
        .says("budget-taken");
    stage
        .divisi(&["resume", "1", "--task", "b", "--budget", "9k-tokens"])
        .expect(6)
        .says("budget-none");
    stage
        .divisi(&["resume", "1", "--task", "a", "--budget", "9k-tokens"])
        .expect(0);
    stands(
        &stage.only(),
        RunStatus::Succeeded,
        &[("a", "done"), ("b", "done"), ("c", "done")],
    );
}

#[test]
fn all_runs_of_a_day_share_its_budget() {
    let stage = Stage::git(&[("x", "1\n")])
        .with_env("DIVISI_BUDGET_ATTEMPT", "{tokens: 3000}")
        .with_env("DIVISI_BUDGET_DAY", "{tokens: 4000}");
    stage.run(&plan(&[played("a", &[2_900])]), &[]).expect(0);
    // Of the day's rest it gets less than is usual, and uses that up.
    stage
        .run(&plan(&[played("b", &[1_200, 100])]), &[])
        .expect(3)
        .says("the budget of the day is used up: 4000 tokens")
        .says("divisi resume run-2 --day-budget N-tokens");
    let run = stage.load(divisi_core::RunId(2));
    let used_up = AttemptEnd::UsedUp(Bound::Tokens(1_100));
    assert_eq!(ends(&run, "b"), [&used_up]);
    let day = account(&stage, "(UTC)");
    assert_eq!(day["used"]["tokens"], 4_100);
    stage
        .divisi(&["budget"])
        .expect(0)
        .says("4000 permitted, 4100 used, 100 beyond it");
    stage
        .divisi(&["resume", "2", "--day-budget", "20k-tokens"])
        .expect(0);
}

#[test]
fn where_money_is_bounded_nothing_is_launched_of_which_nobody_knows_the_price() {
    let mut stage = Stage::git(&[("x", "1\n")]);
    let plan = plan(&[played("a", &[1_000_000])]);
    stage
        .run(&plan, &["--budget", "$20"])
        .expect(2)
        .says("price-none")
        .says("prices: {scripted: {input: 3, output: 15}}");
    stage.divisi(&["status"]).expect(7);
    stage = stage.with_env("DIVISI_PRICES", "{scripted: {input: 3, output: 15}}");
    stage.run(&plan, &["--budget", "$20"]).expect(0);
    // What is not told apart costs as much as it may.
    stage
        .divisi(&["budget", "1"])
        .expect(0)
        .says("$20.00 permitted, $15.00 used, $5.00 left");
}

#[test]
fn without_a_budget_it_is_said_how_one_is_set() {
    let stage = Stage::git(&[("x", "1\n")]);
    stage.run(&plan(&[played("a", &[5])]), &[]).expect(0);
    stage
        .divisi(&["budget"])
        .expect(0)
        .says("divisi run PLAN --budget 2M-tokens --budget 20-usd");
    stage
        .run(&plan(&[played("b", &[5])]), &["--budget", "many"])
        .expect(2)
        .says("a budget is written `2M-tokens`, `$20`, `90min` or `40-attempts`");
}

/// An answer of a model that calls something, as parts of Claude Code's stream.
fn answer(input: u64, output: u64) -> String {
    let part = |event: Value| {
        let line = json!({"type": "stream_event", "event": event});
        format!("echo '{line}'")
    };
    let usage = json!({"input_tokens": input});
    let begin = part(json!({"type": "message_start", "message": {"usage": usage}}));
    let end = part(json!({
        "type": "message_delta", "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": output},
    }));
    format!("{begin}\n{end}\n")
}

/// A task for the agent that is a small program.
fn asked(id: &str) -> Value {
    json!({
        "subtask_id": id, "title": format!("Write {id}.md"), "agent": "claude",
        "deliverables": [format!("{id}.md")],
    })
}

#[test]
fn eight_agents_side_by_side_that_all_overshoot_stay_within_the_stated_bound() {
    let stage = Stage::git(&[("x", "1\n")]).with_env("DIVISI_BUDGET_ATTEMPT", "{tokens: 100000}");
    // Each would go on for ever with what it started.
    let work = format!("{}sleep 100000 & sleep 100000", answer(120_000, 10_000));
    let path = working(&stage, &work);
    let stage = stage.with_env("PATH", &path);
    let ids: Vec<String> = (0..8).map(|number| format!("t{number}")).collect();
    let tasks: Vec<Value> = ids.iter().map(|id| asked(id)).collect();
    stage
        .run(&plan(&tasks), &["-j", "8", "--budget", "800k-tokens"])
        .expect(3)
        .says("divisi resume run-1 --budget N-tokens");
    let run = stage.only();
    let used_up = AttemptEnd::UsedUp(Bound::Tokens(100_000));
    for id in &ids {
        assert_eq!(ends(&run, id), [&used_up], "{id}");
    }
    // The sum of the reservations, and one answer each.
    let of_run = account(&stage, "run-1");
    assert_eq!(of_run["used"]["tokens"], 8 * 130_000);
    assert_eq!(of_run["held"]["tokens"], 0);
    assert_eq!(of_run["unreported"], 0);
    assert_eq!(stage.jobs(), Vec::<i32>::new(), "nothing of them is left");
}

#[test]
fn an_agent_that_was_ended_goes_on_where_it_was() {
    let stage = Stage::git(&[("x", "1\n")]).with_env("DIVISI_BUDGET_ATTEMPT", "{tokens: 1000}");
    let work = format!(
        "test -z \"${{DIVISI_RESERVATION-}}\" && echo it sees nothing of it\n\
         if test -e half; then mv half a.md; else echo half > half\n{}sleep 100000; fi",
        answer(1_500, 20)
    );
    let path = working(&stage, &work);
    let stage = stage.with_env("PATH", &path);
    stage
        .run(&plan(&[asked("a")]), &["--budget", "1M-tokens"])
        .expect(0);
    let run = stage.only();
    let used_up = AttemptEnd::UsedUp(Bound::Tokens(1_000));
    assert_eq!(ends(&run, "a"), [&used_up, &AttemptEnd::Integrated]);
    assert_eq!(stage.result("a.md").as_deref(), Some("half\n"));
    // 1520 heard of the first, and 1230 that the tool says of the second.
    assert_eq!(account_of(&stage, "1")["used"]["tokens"], 2_750);
    // What is reserved is the adapter's to know, not the tool's.
    let log = stage
        .divisi(&["logs", "1", "a", "--attempt", "1"])
        .expect(0);
    assert!(
        log.stdout.contains("it sees nothing of it"),
        "{}",
        log.stdout
    );
}

/// The same of a run that has ended.
fn account_of(stage: &Stage, run: &str) -> Value {
    let told = satisfies(stage, "budget", &["budget", run]);
    let accounts = told["accounts"].as_array().unwrap();
    let of_run = accounts
        .iter()
        .find(|it| it["account"].get("run").is_some());
    of_run.unwrap().clone()
}

#[test]
fn an_agent_that_does_not_say_what_it_used_is_flagged() {
    let stage = Stage::git(&[("x", "1\n")]);
    let path = working(&stage, "echo whole > a.md; exit 0");
    let stage = stage.with_env("PATH", &path);
    stage
        .run(&plan(&[asked("a")]), &["--budget", "1M-tokens"])
        .expect(0);
    stage
        .divisi(&["budget", "1"])
        .expect(0)
        .says("1000000 permitted, 500000 used, 500000 left")
        .says("1 attempt did not say all that was used");
    stage
        .divisi(&["show", "1"])
        .expect(0)
        .says("1 attempt did not report all that was used");
    let unsaid = "did not say what it used: of a budget, all that was reserved is charged";
    stage.divisi(&["show", "1", "a"]).expect(0).says(unsaid);
    stage.divisi(&["report", "1"]).expect(0).says(unsaid);
}
