//! Agents ask leave, and are answered: by the rules, by a person, by the deadline, and by an engine
//! that came after the one that heard them. The agent is a small program that asks as Claude Code
//! does.

use divisi_core::permission::{Decider, Decision, Permission, Standing};
use divisi_core::run::{Event, Run, RunStatus};
use serde_json::{Value, json};

use crate::feedback::satisfies;
use crate::found::{DONE, installed, program};
use crate::stage::{Running, Stage, endings, kill, stands, task, write};

/// What the agent does: `leave ID TOOL INPUT` asks, and succeeds if it may.
const LEAVE: &str = r#"
case "$1" in --version) echo '2.1.197 (Claude Code)'; exit;; esac
read -r prompt
leave() {
    printf '%s\n' "{\"type\":\"control_request\",\"request_id\":\"$1\",\"request\":{\"subtype\":\"can_use_tool\",\"tool_name\":\"$2\",\"input\":$3,\"tool_use_id\":\"call-$1\"}}"
    read -r answer
    case "$answer" in *'"behavior":"allow"'*) return 0;; *) return 1;; esac
}
"#;

/// A project in which the agent does this, with these settings.
fn stage(work: &str, settings: &Value) -> Stage {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = program(&stage, "claude", &format!("{LEAVE}\n{work}\necho '{DONE}'"));
    write(stage.path("divisi.yaml"), &settings.to_string());
    stage.with_env("PATH", &path)
}

fn plan() -> Value {
    json!({"task_title": "One file", "subtasks": [{
        "subtask_id": "a", "title": "Write a.md", "agent": "claude", "deliverables": ["a.md"],
        "assigned_to": "web", "worker_type": "developer",
        "criteria": [{"contains": "here", "in": "a.md"}],
    }]})
}

/// Asks to write a.md, and writes it if it may.
const WRITES: &str = r#"leave 1 Write '{"file_path":"a.md","content":"x"}' && echo here > a.md"#;

/// A person is asked about every edit.
fn asking() -> Value {
    json!({"permissions": {"rules": [{"deed": "edit", "then": "ask"}]}})
}

fn asked(event: &Event) -> bool {
    matches!(event, Event::PermissionAsked { .. })
}

/// What was asked of the only run, and what became of it.
fn kept(run: &Run) -> Vec<&Permission> {
    run.permissions()
        .map(|(_, permission)| permission)
        .collect()
}

fn decided(permission: &Permission) -> (&'static str, &Decider) {
    match &permission.standing {
        Standing::Decided { decision, by, .. } => (decision.word(), by),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_rules_allow_nobody_is_asked_and_what_they_deny_is_told_to_the_next_attempt() {
    // Denied once: told that it was, it asks for something else.
    let work = r#"
        case "$prompt" in
        *'was refused'*)
            case "$prompt" in *'not allowed to do this: edit: Write docs/a.md'*) ;; *) exit 9;; esac
            leave 1 Write '{"file_path":"a.md","content":"x"}' && echo here > a.md;;
        *) leave 1 Write '{"file_path":"docs/a.md","content":"x"}' && echo here > docs/a.md;;
        esac"#;
    let rule = json!({"role": "developer", "deed": "edit", "path": "docs/**", "then": "deny"});
    let stage = stage(work, &json!({"permissions": {"rules": [rule]}}));
    stage.run(&plan(), &[]).expect(0);
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("a", "done")]);
    assert_eq!(task(&run, "a").attempts(), 2);
    let all: Vec<(&str, &Decider)> = kept(&run).into_iter().map(decided).collect();
    let policy = |because: &str| Decider::Policy {
        because: because.to_owned(),
    };
    let by_rule = policy("the rule role: developer, deed: edit, path: \"docs/**\", then: deny");
    let usual = policy("usual: within its workspace");
    assert_eq!(all, [("denied", &by_rule), ("allowed", &usual)]);
    // It is in the report, and nobody waits.
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    assert!(report.contains("docs/a.md"), "{report}");
    stage.divisi(&["permissions"]).expect(0);
}

#[test]
fn a_person_allows_and_denies_and_answers_once() {
    let work = format!(
        "{WRITES}\nleave 2 Write '{{\"file_path\":\"b.md\",\"content\":\"x\"}}' && echo b > b.md"
    );
    let stage = stage(&work, &asking());
    let running = stage.start_plan(&plan(), &[]);
    stage.until_event("it asks", asked);
    let listed = satisfies(&stage, "permissions", &["permissions"]);
    let first = &listed["requests"][0];
    assert_eq!(first["request"], 1, "{listed}");
    assert_eq!(first["task"], "a");
    assert_eq!(first["deed"], "edit");
    assert_eq!(first["paths"], json!(["a.md"]));
    assert_eq!(first["standing"], "asked");
    for command in [
        &["status", "run-1"][..],
        &["explain", "run-1"],
        &["show", "run-1", "a"],
    ] {
        let said = stage.divisi(command).expect(0);
        said.says("divisi permissions allow run-1 1");
    }
    stage
        .divisi(&["permissions", "allow", "run-1", "7"])
        .expect(7)
        .says("permission-unknown");
    stage
        .divisi(&["permissions", "allow", "run-1", "1"])
        .expect(0);
    stage.until_event("it asks again", |event| {
        matches!(event, Event::PermissionAsked { no: 2, .. })
    });
    stage
        .divisi(&["permissions", "deny", "1", "1"])
        .expect(6)
        .says("permission-decided");
    stage
        .divisi(&["permissions", "deny", "1", "2", "--reason", "b.md is mine"])
        .expect(0);
    running.wait().expect(0);
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("a", "done")]);
    let shown = stage.divisi(&["show", "run-1", "a"]).expect(0);
    shown
        .says("asked       1, edit: Write a.md: allowed by a person")
        .says("asked       2, edit: Write b.md: denied by a person: b.md is mine");
    let report = satisfies(&stage, "report", &["report", "run-1"]);
    let denied = json!(["edit: Write b.md, denied by a person: b.md is mine"]);
    assert_eq!(report["tasks"][0]["denied"], denied, "{report:#}");
    let report = stage.divisi(&["report", "run-1"]).expect(0);
    report.says("denied to its agent: edit: Write b.md, denied by a person: b.md is mine");
    let all: Vec<(&str, &Decider)> = kept(&run).into_iter().map(decided).collect();
    assert_eq!(
        all,
        [("allowed", &Decider::Person), ("denied", &Decider::Person)]
    );
    assert_eq!(stage.result("b.md"), None);
    stage
        .divisi(&["permissions", "list", "1"])
        .expect(0)
        .says("b.md is mine");
}

#[test]
fn an_answer_for_always_is_not_asked_for_again() {
    let work = format!(
        "{WRITES}\nleave 2 Write '{{\"file_path\":\"./a.md\",\"content\":\"y\"}}' && echo twice >> a.md"
    );
    let stage = stage(&work, &asking());
    let running = stage.start_plan(&plan(), &[]);
    stage.until_event("it asks", asked);
    // What it is about is said before and after.
    let covers = "edit a.md, asked by the role web/developer";
    let listed = stage.divisi(&["permissions"]).expect(0).stdout;
    assert!(
        listed.contains(&format!("with --always: {covers}")),
        "{listed}"
    );
    let told = stage
        .divisi(&["permissions", "allow", "1", "1", "--always"])
        .expect(0)
        .stderr;
    assert!(
        told.contains(&format!("from now on the same for {covers}")),
        "{told}"
    );
    running.wait().expect(0);
    let run = stage.only();
    assert_eq!(stage.result("a.md").as_deref(), Some("here\ntwice\n"));
    let all: Vec<(&str, &str)> = (kept(&run).into_iter())
        .map(|it| (decided(it).0, decided(it).1.word()))
        .collect();
    assert_eq!(all, [("allowed", "person"), ("allowed", "policy")]);
    assert_eq!(run.rules.len(), 1);
}

#[test]
fn what_nobody_answers_is_denied_and_the_run_goes_on() {
    let settings = json!({"permissions": {
        "rules": [{"deed": "edit", "then": "ask"}],
        "deadline_seconds": 0.3,
    }});
    let stage = stage(&format!("{WRITES} || echo here, denied > a.md"), &settings);
    stage
        .run(&plan(), &[])
        .expect(0)
        .says("divisi permissions allow run-1 1");
    let run = stage.only();
    let all: Vec<(&str, &Decider)> = kept(&run).into_iter().map(decided).collect();
    assert_eq!(all, [("denied", &Decider::Deadline)]);
    assert_eq!(stage.result("a.md").as_deref(), Some("here, denied\n"));
}

#[test]
fn what_nobody_answers_twice_is_not_tried_a_third_time() {
    let settings = json!({"permissions": {
        "rules": [{"deed": "edit", "then": "ask"}],
        "deadline_seconds": 0.3,
    }});
    let stage = stage(WRITES, &settings);
    stage
        .run(&plan(), &[])
        .expect(3)
        .says("nobody answered what it asked: divisi permissions list run-1")
        .says("since nobody answered in time: edit: ")
        .says("→ divisi permissions list run-1");
    assert_eq!(task(&stage.only(), "a").attempts(), 2);
}

/// The engine is killed while its agent waits, and another goes on.
fn killed_while_it_waits(answer: impl FnOnce(&Stage) -> Option<Running>) {
    let stage = stage(WRITES, &asking());
    let running = stage.start_plan(&plan(), &[]);
    stage.until_event("it asks", asked);
    kill(running.pid(), libc::SIGKILL);
    running.wait();
    let resumed = answer(&stage).unwrap_or_else(|| stage.start(&["resume", "1"]));
    resumed.wait().expect(0);
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("a", "done")]);
    assert_eq!(task(&run, "a").attempts(), 1, "it lost nothing");
    let all: Vec<(&str, &Decider)> = kept(&run).into_iter().map(decided).collect();
    assert_eq!(all, [("allowed", &Decider::Person)]);
    let asked_times = stage
        .timed_events()
        .iter()
        .filter(|(_, it)| asked(it))
        .count();
    assert_eq!(asked_times, 1, "it is one request, told twice");
}

#[test]
fn an_agent_whose_engine_was_killed_is_answered_by_the_next_one() {
    killed_while_it_waits(|stage| {
        let resumed = stage.start(&["resume", "1"]);
        stage.until_event("it is adopted", |event| {
            matches!(event, Event::AttemptAdopted { .. })
        });
        stage.divisi(&["permissions", "allow", "1", "1"]).expect(0);
        Some(resumed)
    });
}

#[test]
fn an_answer_that_was_given_while_no_engine_was_there_is_passed_on_by_the_next() {
    killed_while_it_waits(|stage| {
        stage
            .divisi(&["permissions", "allow", "1", "1"])
            .expect(0)
            .says("divisi resume run-1");
        None
    });
}

#[test]
fn an_agent_does_not_answer_itself() {
    let binary = env!("CARGO_BIN_EXE_divisi");
    // It asks; and while it waits, a child of it answers in the place of a person.
    let work = format!(
        r#"(i=0; while [ $i -lt 50 ]; do
            {binary} --project "$PROJECT" permissions allow run-1 1 > "$TMPDIR/said" 2>&1
            grep -q control-agent "$TMPDIR/said" && break
            i=$((i+1)); sleep 0.1
        done; cat "$TMPDIR/said" >&2) < /dev/null > /dev/null &
        {WRITES} || echo here, denied > a.md
        wait"#
    );
    let settings = json!({
        "permissions": {"rules": [{"deed": "edit", "then": "ask"}]},
        // Confined, it could not even look for the engine.
        "grants": {"pass_env": ["PROJECT", "XDG_RUNTIME_DIR"], "unconfined": true},
    });
    let stage = stage(&work, &settings);
    let project = stage.project().display().to_string();
    let stage = stage.with_env("PROJECT", &project);
    let running = stage.start_plan(&plan(), &[]);
    stage.until_event("it asks", asked);
    crate::stage::until("it is refused", || {
        let logs = stage.divisi(&["logs", "1", "a"]).stdout;
        logs.contains("control-agent")
    });
    stage.divisi(&["permissions", "deny", "1", "1"]).expect(0);
    running.wait().expect(0);
    let run = stage.only();
    let all: Vec<(&str, &Decider)> = kept(&run).into_iter().map(decided).collect();
    assert_eq!(all, [("denied", &Decider::Person)]);
    assert_eq!(endings(&run, "a").len(), 1);
    assert_eq!(stage.result("a.md").as_deref(), Some("here, denied\n"));
}

#[test]
fn a_request_that_its_attempt_took_with_it_is_refused_by_name() {
    // It asks and ends without the answer; its task goes on.
    let work = r#"
        case "$prompt" in
        *'was refused'*) echo here > a.md; until test -e "$GO"; do sleep 0.02; done;;
        *) printf '%s\n' '{"type":"control_request","request_id":"1","request":{"subtype":"can_use_tool","tool_name":"Write","input":{"file_path":"a.md"}}}'
           until test -e "$GO.first"; do sleep 0.02; done; exit 3;;
        esac"#;
    let mut settings = asking();
    settings["grants"] = json!({"pass_env": ["GO"]});
    let stage = stage(work, &settings);
    let go = stage.beside("go").display().to_string();
    let stage = stage.with_env("GO", &go);
    let running = stage.start_plan(&plan(), &[]);
    stage.until_event("it asks", asked);
    write(format!("{go}.first"), "");
    stage.until_event(
        "the next attempt works",
        |event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.number == 2),
    );
    stage
        .divisi(&["permissions", "allow", "1", "1"])
        .expect(6)
        .says("permission-withdrawn");
    write(go, "");
    running.wait().expect(0);
    let run = stage.only();
    let all = kept(&run);
    assert!(
        matches!(all[0].standing, Standing::Withdrawn { .. }),
        "{all:?}"
    );
    let denied = |it: &&Permission| matches!(it.decision(), Some(Decision::Deny { .. }));
    assert_eq!(all.iter().filter(|it| denied(it)).count(), 0);
}

/// Codex cannot ask: that is said when the run is created, once, though two tasks are its.
#[test]
fn where_a_rule_denies_something_to_who_asks_nobody_that_is_said() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = installed(&stage, &["codex", "claude"]);
    let stage = stage.with_env("PATH", &path);
    let rules = "permissions:\n  rules:\n    - {deed: execute, command: git push, then: deny}\n";
    write(stage.path("divisi.yaml"), rules);
    // Nobody consents, so nothing is started.
    let created = |agent: &str| {
        let part = |id: &str| json!({"subtask_id": id, "title": "Write", "agent": agent, "deliverables": [format!("{id}.md")]});
        let plan = json!({"task_title": "Two files", "subtasks": [part("a"), part("b")]});
        stage.divisi(&["run", &stage.plan(&plan)]).expect(4).stderr
    };
    let by_codex = created("codex");
    let said = "warning[permission-unasked]: `codex` asks nobody for leave, so for the tasks `a`, `b` \
                nothing comes of `deed: execute, command: \"git push\", then: deny`\n --> \
                divisi.yaml:2:";
    assert!(by_codex.contains(said), "{by_codex}");
    assert_eq!(
        by_codex.matches("permission-unasked").count(),
        1,
        "{by_codex}"
    );
    // No rule is in vain with one that asks.
    let by_claude = created("claude");
    assert!(!by_claude.contains("permission-unasked"), "{by_claude}");
}
