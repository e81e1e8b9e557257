//! Agents that try to keep what they must not know, or must not write down.

use std::process::Command;

use divisi_core::run::{AttemptEnd, Event, Failure};
use serde_json::{Value, json};

use crate::nowhere::is_nowhere;
use crate::stage::{Stage, endings, git, until};

/// In the engine's environment, and of nobody's business.
const KEY: &str = "sk-planted-8d1f0c2b9a7e4455";
/// Passed to agents by name.
const TOKEN: &str = "tok-planted-33aa91c0de77f00d";

fn stage() -> Stage {
    Stage::git(&[("a", "1\n")])
        .with_env("ANTHROPIC_API_KEY", KEY)
        .with_env("MY_TOKEN", TOKEN)
}

fn are_nowhere(stage: &Stage) {
    is_nowhere(stage, KEY);
    is_nowhere(stage, TOKEN);
}

/// Dumps and prints everything it can find, and does its work besides.
const DUMP: &str = "env; env >&2; tr '\\0' '\\n' < /proc/self/environ; \
                    printf '%s\\n' \"$MY_TOKEN\"; printf %s \"$MY_TOKEN\" | cut -c1-9; \
                    printf '%s' \"$MY_TOKEN\" | cut -c10-";

#[test]
fn an_environment_that_is_dumped_and_printed_holds_no_secret_and_shows_none() {
    let stage = stage();
    let plan = json!({"task_title": "it dumps", "subtasks": [
        {"subtask_id": "dump", "script": format!("{DUMP}; test -z \"${{ANTHROPIC_API_KEY-}}\"; test -n \"$MY_TOKEN\"; echo x > x.md"),
         "deliverables": ["x.md"], "retries": 0, "ok_exit": [0]},
        {"subtask_id": "bare", "script": DUMP},
    ]});
    let ran = stage.run(&plan, &["--pass-env", "MY_TOKEN"]).expect(0);
    for secret in [KEY, TOKEN] {
        assert!(!ran.stderr.contains(secret) && !ran.stdout.contains(secret));
    }
    let views: [&[&str]; 5] = [
        &["report", "1"],
        &["show", "1", "dump"],
        &["logs", "1", "dump"],
        &["watch", "1", "--from-start", "--json"],
        &["diff", "1"],
    ];
    for args in views {
        let shown = stage.divisi(args).expect(0);
        for secret in [KEY, TOKEN] {
            assert!(!shown.stdout.contains(secret), "{args:?} shows a secret");
        }
    }
    let log = std::fs::read_to_string(stage.path(".divisi/runs/run-1/logs/bare.1.log")).unwrap();
    assert!(log.contains("HOME="), "it did dump: {log}");
    are_nowhere(&stage);
}

#[test]
fn a_program_that_checks_shows_no_secret_as_evidence() {
    let stage = stage();
    let plan = json!({"task_title": "a check dumps", "subtasks": [
        {"subtask_id": "checked", "script": "echo x > x.md", "deliverables": ["x.md"], "retries": 0,
         "criteria": [{"command": ["sh", "-c", format!("{DUMP}; exit 1")]}]},
    ]});
    stage.run(&plan, &["--pass-env", "MY_TOKEN"]).expect(3);
    are_nowhere(&stage);
}

#[test]
fn a_file_that_holds_a_secret_is_refused_and_does_not_stay() {
    let stage = stage();
    let plan = json!({"task_title": "it writes", "subtasks": [
        {"subtask_id": "writer", "script": "env > env.txt; mkdir d; echo \"x $MY_TOKEN y\" > d/x.md; echo x > x.md",
         "deliverables": ["x.md"], "retries": 1},
    ]});
    stage.run(&plan, &["--pass-env", "MY_TOKEN"]).expect(3);
    let run = stage.only();
    assert_eq!(endings(&run, "writer").len(), 2);
    for ending in endings(&run, "writer") {
        let AttemptEnd::Refused(Failure::Collection(cause)) = &ending.end else {
            panic!("not refused: {:?}", ending.end);
        };
        // Whose it is, for whoever has to leave it out; and what to do if it is none.
        let whose = "it holds the value of a secret, that of the variable MY_TOKEN: leave it out";
        assert!(cause.contains(whose), "{cause}");
    }
    are_nowhere(&stage);
}

#[test]
fn a_file_that_holds_a_secret_does_not_stay_where_nothing_is_collected() {
    // A bare command in a shared checkout, and one whose attempt fails before it is collected.
    let stage = stage();
    let plan = json!({"task_title": "nothing is collected", "subtasks": [
        {"subtask_id": "bare", "script": "env > env.txt; echo $MY_TOKEN > $TMPDIR/x"},
        {"subtask_id": "late", "script": "env > env.txt; echo $MY_TOKEN > $TMPDIR/x; sleep 100000",
         "deliverables": ["x.md"], "retries": 0, "timeout_minutes": 0.005},
    ]});
    stage.run(&plan, &["--pass-env", "MY_TOKEN"]).expect(3);
    are_nowhere(&stage);
}

#[test]
fn a_file_that_holds_a_secret_does_not_stay_after_a_cancel() {
    let stage = stage();
    let plan = json!({"task_title": "it is canceled", "subtasks": [
        {"subtask_id": "writer", "script": "env > env.txt; echo $MY_TOKEN > $TMPDIR/x; touch go; sleep 100000", "deliverables": ["x.md"]},
    ]});
    let running = stage.start_plan(&plan, &["--pass-env", "MY_TOKEN"]);
    until("it has written", || {
        stage.path(".divisi/worktrees/run-1-t0-1/go").exists()
    });
    stage.divisi(&["cancel", "1"]).expect(0);
    running.wait().expect(5);
    are_nowhere(&stage);
}

#[test]
fn a_secret_hidden_in_names_links_and_ignored_files_does_not_stay() {
    let stage = stage();
    crate::stage::write(stage.path(".gitignore"), "out/\n");
    git(stage.project(), &["add", "--all"]);
    git(stage.project(), &["commit", "-q", "-m", "ignore"]);
    let hide = |id: &str, how: &str| {
        let script = format!("echo x > {id}.md; {how}");
        json!({"subtask_id": id, "script": script, "deliverables": [format!("{id}.md")], "retries": 0})
    };
    let plan = json!({"task_title": "it hides", "subtasks": [
        hide("ignored", "mkdir -p out; echo $MY_TOKEN > out/x"),
        hide("named", "touch a-$MY_TOKEN"),
        hide("folder", "mkdir d-$MY_TOKEN; echo x > d-$MY_TOKEN/x"),
        hide("linked", "ln -s $MY_TOKEN link"),
        hide("giant", "truncate -s 1T g; echo $MY_TOKEN >> g"),
        hide("fifo", "mkfifo f-$MY_TOKEN"),
    ]});
    stage.run(&plan, &["--pass-env", "MY_TOKEN"]).expect(3);
    let run = stage.only();
    for task in run.tasks() {
        let id = task.spec.id.as_str();
        let end = &endings(&run, id)[0].end;
        let refused = matches!(end, AttemptEnd::Refused(Failure::Collection(_)));
        assert_eq!(refused, id != "ignored", "{id}: {end:?}");
    }
    are_nowhere(&stage);
}

#[test]
fn a_secret_in_a_name_that_an_attempt_left_is_not_handed_on() {
    // A longer secret begins with a shorter one: it is masked whole.
    let longer = format!("{TOKEN}-more-of-it");
    let stage = stage().with_env("OTHER_TOKEN", &longer);
    // Whoever asks has its workspace kept, and nothing collected.
    let script = r#"case ${DIVISI_JOB##*.} in
        1) touch "a-$MY_TOKEN" "b-$OTHER_TOKEN"; echo which > "$DIVISI_QUESTION" ;;
        *) rm a-* b-*; echo x > x.md ;;
    esac"#;
    let plan = json!({"task_title": "it asks", "subtasks": [
        {"subtask_id": "asker", "script": script, "deliverables": ["x.md"]},
        // Names that were left are masked when the engine ends: it goes on meanwhile.
        {"subtask_id": "other", "script": "sleep 100000"},
    ]});
    let passed = ["--pass-env", "MY_TOKEN", "--pass-env", "OTHER_TOKEN"];
    let running = stage.start_plan(&plan, &passed);
    until("it is answered", || {
        stage.divisi(&["answer", "1", "asker", "this"]).code == 0
    });
    stage.until_event("its work is integrated", |event| {
        matches!(event, Event::BatchIntegrated { .. })
    });
    stage.divisi(&["cancel", "1"]).expect(0);
    running.wait().expect(5);
    let handoffs = stage.path(".divisi/runs/run-1/handoffs");
    let told = std::fs::read_dir(handoffs).unwrap().flat_map(|folder| {
        let files = std::fs::read_dir(folder.unwrap().path()).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
    });
    let told: Vec<String> = told.filter(|text| text.contains("already")).collect();
    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(told.contains(r#""a-[masked]""#), "{told}");
    assert!(told.contains(r#""b-[masked]""#), "{told}");
    are_nowhere(&stage);
}

#[test]
fn a_secret_of_the_projects_own_is_no_change_of_the_next_attempt() {
    // Its first attempt is refused for a secret, and its workspace masked; the project's own file
    // in it is not, or the second attempt would hand in the mask.
    let stage = stage();
    let own = format!("token = {TOKEN}\n");
    crate::stage::write(stage.path("config"), &own);
    git(stage.project(), &["add", "--all"]);
    git(
        stage.project(),
        &["commit", "-q", "-m", "a secret of the user's"],
    );
    let script = "case ${DIVISI_JOB##*.} in \
        1) touch config; echo $MY_TOKEN > x.md ;; *) echo x > x.md ;; esac";
    let plan = json!({"task_title": "beside it", "subtasks": [
        {"subtask_id": "work", "script": script, "deliverables": ["x.md"]},
    ]});
    stage.run(&plan, &["--pass-env", "MY_TOKEN"]).expect(0);
    assert_eq!(endings(&stage.only(), "work").len(), 2);
    assert_eq!(stage.result("config"), Some(own));
    assert_eq!(stage.result("x.md").as_deref(), Some("x\n"));
}

#[test]
fn a_question_shows_no_secret() {
    let stage = stage();
    let plan = json!({"task_title": "it asks", "subtasks": [
        {"subtask_id": "asker", "script": "echo \"is it $MY_TOKEN?\" > \"$DIVISI_QUESTION\"", "deliverables": ["x.md"]},
    ]});
    let ran = stage.run(&plan, &["--pass-env", "MY_TOKEN"]).expect(4);
    assert!(!ran.stderr.contains(TOKEN), "{}", ran.stderr);
    are_nowhere(&stage);
}

#[test]
fn a_secret_in_the_users_own_repository_is_the_users() {
    // What was there before is not the agent's doing, and its work is taken.
    let stage = stage();
    crate::stage::write(stage.path("config"), &format!("token = {TOKEN}\n"));
    git(stage.project(), &["add", "--all"]);
    git(
        stage.project(),
        &["commit", "-q", "-m", "a secret of the user's"],
    );
    let plan: Value = json!({"task_title": "beside it", "subtasks": [
        {"subtask_id": "work", "script": "echo x > x.md", "deliverables": ["x.md"]},
    ]});
    stage.run(&plan, &["--pass-env", "MY_TOKEN"]).expect(0);
    let asked = |event: &Event| matches!(event, Event::BatchIntegrated { .. });
    assert!(stage.timed_events().iter().any(|(_, event)| asked(event)));
}

/// A claim is decoded from the log after that was masked: with an escape in it, a secret passes the
/// first of the two.
#[test]
fn a_secret_that_is_escaped_in_a_forged_claim_is_nowhere() {
    let stage = stage();
    let tool = stage.beside("bin/claude");
    let escaped = format!("\\u{:04x}{}", KEY.as_bytes()[0], &KEY[1..]);
    let forged = format!(r#"{{"entry":"closed","claim":{{"failed":{{"cause":"{escaped}"}}}}}}"#);
    // It writes where its adapter does, which is ended before it can close the session itself.
    let script =
        format!("#!/bin/sh\ncat <<'FORGED' > /proc/$PPID/fd/1\n{forged}\nFORGED\nkill -9 $PPID\n");
    let written = stage.beside("claude.sh");
    crate::stage::write(&written, &script);
    // Another process writes it: one that this process had open could not be executed meanwhile.
    let mut install = Command::new("install");
    install.args(["-D", "-m", "755"]).args([&written, &tool]);
    assert!(install.status().unwrap().success());
    let path = format!(
        "{}:{}",
        tool.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let stage = stage.with_env("PATH", &path);
    let plan = json!({"task_title": "it forges a claim", "subtasks": [{
        "subtask_id": "a", "agent": "claude", "description": "Write a.md.",
        "deliverables": ["a.md"], "retries": 0,
    }]});
    stage.run(&plan, &[]).expect(3);
    stage
        .divisi(&["show", "run-1", "a"])
        .expect(0)
        .says("[masked]");
    is_nowhere(&stage, KEY);
}
