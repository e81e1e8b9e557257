//! What workspaces need beside the tree: files that git does not track, and setups.

use divisi_core::run::{AttemptEnd, Event, Failure, PauseReason, RunStatus};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, kill, stands, task, until, with_argument, write};

/// A project whose dependencies are made by copying `lock`.
fn project() -> Stage {
    Stage::git(&[("lock", "one\n"), (".gitignore", "deps/\n.env*\n")])
}

/// A setup that counts its runs beside the project, and fails where `lock` says so.
fn workspace(stage: &Stage) -> Value {
    let count = stage.beside("counted").display().to_string();
    let install = format!(
        "echo run >> {count}; mkdir deps; if grep -q broken lock; then echo 'lock is broken'; exit 7; fi; cp lock deps/installed"
    );
    json!({"setup": [install, ["test", "-s", "deps/installed"]], "inputs": ["lock"]})
}

fn times(stage: &Stage) -> usize {
    let text = std::fs::read_to_string(stage.beside("counted")).unwrap_or_default();
    text.lines().count()
}

/// Where the setup may count.
fn allowed(stage: &Stage) -> String {
    write(stage.beside("counted"), "");
    stage.beside("counted").display().to_string()
}

/// What is installed is what `lock` asks for, wherever this runs.
const INSTALLED: [&str; 3] = ["cmp", "lock", "deps/installed"];

#[test]
fn a_setup_runs_once_for_six_tasks_their_checks_and_the_whole() {
    let stage = project();
    let made = |id: &str, on: &[&str]| {
        json!({"subtask_id": id, "script": format!("cmp lock deps/installed; echo spoiled > deps/installed; echo {id} > {id}.md"),
            "deliverables": [format!("{id}.md")], "dependencies": on, "criteria": [{"command": INSTALLED}]})
    };
    let plan = json!({"task_title": "six", "workspace": workspace(&stage), "subtasks": [
        made("a", &[]), made("b", &[]), made("c", &["a", "b"]), made("d", &["c"]),
        {"subtask_id": "e", "command": INSTALLED, "dependencies": ["a"]},
        {"subtask_id": "f", "command": INSTALLED, "dependencies": ["d"]},
    ], "criteria": [{"command": INSTALLED}]});
    let allowed = allowed(&stage);
    stage
        .run(&plan, &["-j", "4", "--allow-write", &allowed])
        .expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert!(run.tasks().iter().all(|task| task.attempts() == 1));
    assert_eq!(times(&stage), 1);
    assert_eq!(stage.result("d.md").as_deref(), Some("d\n"));
    assert_eq!(stage.result("deps/installed"), None);
    // The next run finds it too, and `gc` forgets it.
    stage.run(&plan, &["--allow-write", &allowed]).expect(0);
    assert_eq!(times(&stage), 1);
    stage
        .divisi(&["gc", "--yes"])
        .expect(0)
        .says("made again when it is needed");
    stage.run(&plan, &["--allow-write", &allowed]).expect(0);
    assert_eq!(times(&stage), 2);
    assert!(!stage.path("deps").exists());
}

#[test]
fn what_a_setup_reads_has_it_run_again_where_it_changed() {
    let stage = project();
    let plan = json!({"task_title": "upgrade", "workspace": workspace(&stage), "subtasks": [
        {"subtask_id": "upgrade", "script": "echo two > lock", "deliverables": ["lock"], "criteria": [{"command": INSTALLED}]},
        {"subtask_id": "use", "script": "cp deps/installed used.md", "dependencies": ["upgrade"],
         "criteria": [{"contains": "two", "in": "used.md"}, {"command": INSTALLED}]},
    ]});
    let allowed = allowed(&stage);
    stage.run(&plan, &["--allow-write", &allowed]).expect(0);
    assert_eq!(stage.result("used.md").as_deref(), Some("two\n"));
    assert_eq!(times(&stage), 2);
}

#[test]
fn a_setup_that_fails_pauses_the_run_and_costs_no_attempt() {
    let stage = project();
    let mended = stage.beside("mended").display().to_string();
    let count = allowed(&stage);
    let setup = format!(
        "echo run >> {count}; mkdir deps; test -e {mended} || {{ echo 'no network'; exit 9; }}; cp lock deps/installed"
    );
    let work = |id: &str| json!({"subtask_id": id, "script": format!("cp deps/installed {id}.md"), "deliverables": [format!("{id}.md")]});
    let plan = json!({"task_title": "offline", "workspace": {"setup": [setup]}, "subtasks": [
        work("a"), work("b"), work("c"), {"subtask_id": "plain", "command": ["true"]},
    ]});
    let args = ["-j", "4", "--budget", "4-attempts", "--allow-write", &count];
    let paused = stage.run(&plan, &args).expect(3);
    let paused = paused.says("no network").says("exit status 9");
    let place = paused
        .stderr
        .find(".divisi/runs/run-1/logs/setup-")
        .unwrap();
    let place: String = paused.stderr[place..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "./-".contains(*c))
        .collect();
    let log = std::fs::read_to_string(stage.path(&place)).unwrap();
    assert_eq!(log, "no network\n");
    stage
        .divisi(&["explain", "1"])
        .says("no network")
        .says("divisi resume run-1");
    assert_eq!(times(&stage), 1, "all four needed the same");
    let run = stage.only();
    assert!(matches!(&run.paused, Some(PauseReason::Fault(cause)) if cause.contains("no network")));
    for id in ["a", "b", "c", "plain"] {
        let ends = endings(&run, id);
        assert!(
            ends.iter()
                .all(|ending| matches!(ending.end, AttemptEnd::Errored(Failure::Preparation(_))))
        );
        assert_eq!((task(&run, id).failures, task(&run, id).losses), (0, 0));
    }
    write(&mended, "");
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(times(&stage), 2);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    // The budget of four attempts was enough, and no agent is told of anything.
    for text in handoffs(&stage) {
        assert!(!text.contains("no network"), "{text}");
    }
}

/// The texts of all handoffs.
fn handoffs(stage: &Stage) -> Vec<String> {
    let entries = |folder: std::path::PathBuf| {
        let read = std::fs::read_dir(folder).into_iter().flatten();
        let paths = read.map(|entry| entry.unwrap().path());
        paths.collect::<Vec<std::path::PathBuf>>()
    };
    let folders = entries(stage.path(".divisi/runs/run-1/handoffs")).into_iter();
    let files = folders.flat_map(entries);
    files
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

#[test]
fn a_setup_that_an_agents_own_change_breaks_is_a_failed_check() {
    let stage = project();
    let plan = json!({"task_title": "break", "workspace": workspace(&stage), "subtasks": [
        {"subtask_id": "break", "script": "echo broken > lock", "deliverables": ["lock"], "retries": 1, "criteria": [{"command": INSTALLED}]},
        {"subtask_id": "other", "script": "cp deps/installed other.md", "deliverables": ["other.md"],
         "criteria": [{"command": INSTALLED}]},
    ]});
    let allowed = allowed(&stage);
    stage.run(&plan, &["--allow-write", &allowed]).expect(3);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Blocked,
        &[("break", "blocked"), ("other", "done")],
    );
    assert_eq!(run.paused, None);
    for ending in endings(&run, "break") {
        let AttemptEnd::Refused(Failure::Checks(verdicts)) = &ending.end else {
            panic!("{:?}", ending.end);
        };
        assert!(
            verdicts[0].evidence.contains("lock is broken"),
            "{verdicts:?}"
        );
    }
    // For each attempt it was tried on its work, and then on the base, to see whose fault it is.
    assert_eq!(times(&stage), 1 + 2 * 2);
}

#[test]
fn a_setup_that_fails_on_the_base_too_is_not_blamed_on_an_agents_change() {
    let stage = project();
    let down = stage.beside("down").display().to_string();
    let setup = format!(
        "test ! -e {down} || {{ echo 'no network'; exit 9; }}; mkdir deps; cp lock deps/installed"
    );
    let plan = json!({"task_title": "outage", "workspace": {"setup": [setup], "inputs": ["lock"]}, "subtasks": [
        {"subtask_id": "a", "script": format!("echo two > lock; echo > {down}"), "deliverables": ["lock"],
         "criteria": [{"command": INSTALLED}]},
    ]});
    let around = stage.beside("").display().to_string();
    stage
        .run(&plan, &["--allow-write", &around])
        .expect(3)
        .says("no network");
    let run = stage.only();
    assert!(
        matches!(&run.paused, Some(PauseReason::Fault(_))),
        "{:?}",
        run.paused
    );
    assert_eq!(endings(&run, "a"), []);
    std::fs::remove_file(&down).unwrap();
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(endings(&stage.only(), "a").len(), 1);
    assert_eq!(stage.result("lock").as_deref(), Some("two\n"));
}

#[test]
fn a_setup_that_changes_tracked_files_is_refused_with_their_names() {
    let stage = project();
    let plan = json!({"task_title": "unclean", "workspace": {"setup": ["echo x >> lock; echo y > new"]},
        "subtasks": [{"subtask_id": "a", "command": ["true"]}]});
    let path = stage.plan(&plan);
    let asked = stage.divisi(&["run", &path]).expect(4);
    asked
        .says("before, in every workspace")
        .says("setup: sh -eu");
    stage.divisi(&["approve", "1"]).expect(0);
    let paused = stage.divisi(&["resume", "1"]).expect(3);
    paused.says("lock, new").says(".gitignore");
    assert_eq!(task(&stage.only(), "a").failures, 0);
}

#[test]
fn files_that_git_does_not_track_are_copied_and_secrets_are_not() {
    let stage = project().with_env("API_TOKEN", "hunter2hunter2");
    write(stage.path("deps/lib"), "library\n");
    write(stage.path("deps/token"), "hunter2hunter2\n");
    write(stage.path(".env"), "DB_PASSWORD=correct-horse\n");
    write(stage.path(".env.local"), "LOG_LEVEL=debug\n");
    write(stage.path("notes.txt"), "not ignored\n");
    let plan = json!({"task_title": "copied", "workspace": {"copy": ["deps/**", ".env*", "notes.txt", "nothing.cfg"]},
        "subtasks": [{"subtask_id": "a", "script": "cat deps/lib .env.local notes.txt > a.md; ls -a > list.md; echo more >> notes.txt; sleep 0",
            "deliverables": ["a.md", "list.md"], "criteria": [{"command": ["test", "-e", "deps/lib"]}]}]});
    stage.run(&plan, &[]).expect(0);
    assert_eq!(
        stage.result("a.md").as_deref(),
        Some("library\nLOG_LEVEL=debug\nnot ignored\n")
    );
    let list = stage.result("list.md").unwrap();
    assert!(!list.lines().any(|name| name == ".env"), "{list}");
    assert_eq!(stage.result("notes.txt"), None);
    for shown in [&["show", "1", "a"][..], &["report", "1"]] {
        let shown = stage.divisi(shown).expect(0);
        let shown = shown.says("deps/token: it holds the value of a secret");
        shown
            .says("which looks like a secret")
            .says("nothing.cfg: nothing matches");
    }
    for secret in ["hunter2hunter2", "correct-horse"] {
        assert_eq!(holding(&stage.path(".divisi"), secret), [""; 0]);
    }
}

/// Files beneath a folder that hold a text.
fn holding(folder: &std::path::Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(holding(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

/// ```text
/// first ── slow
/// breaks ── wait ── more ── last      (in scratch folders, which need no preparation)
/// ```
#[test]
fn an_adopted_attempt_is_not_prepared_again() {
    let stage = project();
    let at = |name: &str| stage.beside(name).display().to_string();
    let until_there = |name: &str| format!("until test -e {}; do sleep 0.01; done", at(name));
    // With the shared checkout there, and nothing to be told, the slow one starts unrecorded.
    let slow = format!("touch {}; {}", at("begun"), until_there("gate"));
    let breaks = format!("{}; echo broken > lock", until_there("begun"));
    let scratch = |id: &str, on: &str, script: &str| {
        json!({"subtask_id": id, "script": format!("{script}; echo > {id}.md"),
        "deliverables": [format!("{id}.md")], "dependencies": [on], "workspace": "scratch"})
    };
    let plan = json!({"task_title": "adopted", "workspace": workspace(&stage), "subtasks": [
        {"subtask_id": "first", "command": ["true"]},
        {"subtask_id": "slow", "script": slow, "dependencies": ["first"]},
        {"subtask_id": "breaks", "script": breaks, "deliverables": ["lock"]},
        scratch("wait", "breaks", &until_there("resumed")),
        scratch("more", "wait", "true"), scratch("last", "more", "true"),
    ]});
    write(at("counted"), "");
    let args = ["-j", "3", "--allow-write", &at("")];
    let running = stage.start_plan(&plan, &args);
    let integrated = |many: usize| {
        let is = |event: &Event| matches!(event, Event::BatchIntegrated { .. });
        until("so many are integrated", || {
            stage.try_view().is_some()
                && stage
                    .timed_events()
                    .iter()
                    .filter(|(_, event)| is(event))
                    .count()
                    == many
        });
    };
    integrated(1);
    kill(running.pid(), libc::SIGKILL);
    drop(running);
    // The slow one goes on; on the new head its workspace could not be prepared.
    let running = stage.start(&["resume", "1"]);
    stage.until_event("it is adopted", |event| {
        matches!(event, Event::AttemptAdopted { .. })
    });
    write(at("resumed"), "");
    integrated(4);
    write(at("gate"), "");
    running.wait().expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(endings(&run, "slow").len(), 1);
    assert_eq!(times(&stage), 1);
}

#[test]
fn a_setup_is_ended_with_the_run_that_wanted_it() {
    let stage = project();
    let plan = json!({"task_title": "slow", "workspace": {"setup": [["sleep", "100000.33"]]}, "subtasks": [
        {"subtask_id": "a", "script": "echo a > a.md", "deliverables": ["a.md"]},
    ]});
    let running = stage.start_plan(&plan, &[]);
    until("the setup runs", || !with_argument("100000.33").is_empty());
    stage.divisi(&["cancel", "1"]).expect(0);
    running.wait();
    assert_eq!(stage.only().status(), RunStatus::Canceled);
    until("the setup is gone", || stage.jobs().is_empty());
    assert_eq!(with_argument("100000.33"), [] as [i32; 0]);
}

#[test]
fn a_setup_past_its_time_box_is_ended() {
    let stage = project();
    let plan = json!({"task_title": "slow", "workspace": {"setup": [["sleep", "100000.34"]], "timeout_minutes": 0.003},
        "subtasks": [{"subtask_id": "a", "command": ["true"]}]});
    stage
        .run(&plan, &[])
        .expect(3)
        .says("was ended after 180 ms");
    assert_eq!(with_argument("100000.34"), [] as [i32; 0]);
    let is = |event: &Event| matches!(event, Event::AttemptStarted { .. });
    assert!(!stage.timed_events().iter().any(|(_, event)| is(event)));
}
