//! Agents that go on after they were declared lost.

use divisi_core::receipt::{Receipt, Snapshot};
use divisi_core::run::{AttemptEnd, Event, RunStatus};
use divisi_engine::engine::{Rest, boot_now};
use divisi_engine::monitor::Patience;
use serde_json::{Value, json};

use crate::impatient::Impatient;
use crate::processes::{supervisor, unique_sleep};
use crate::stage::{Stage, endings, git, kill, stands, task, until};

/// What the first attempt does late, and what the second does meanwhile. Each waits for a gate.
fn plan(stage: &Stage, first: &str) -> Value {
    let gate = |name: &str| stage.beside(name).display().to_string();
    let script = format!(
        "case ${{DIVISI_JOB##*.}} in
            1) echo early > early.md; {first} ;;
            *) test ! -e late.md
               until test -e {second}; do sleep 0.01; done
               echo right > a.md ;;
        esac",
        second = gate("second"),
    );
    json!({"task_title": "a late one", "subtasks": [
        {"subtask_id": "late", "script": script, "deliverables": ["a.md"]},
        {"subtask_id": "after", "script": "cat a.md > b.md", "deliverables": ["b.md"], "dependencies": ["late"]},
    ]})
}

fn late_writes(stage: &Stage) -> String {
    let gate = stage.beside("first").display().to_string();
    format!("until test -e {gate}; do sleep 0.01; done; echo ruined > a.md; echo late > late.md")
}

/// Asserts that the result is the second attempt's, and says how the first ended.
fn second_is_unaffected(stage: &Stage) {
    let run = stage.only();
    stands(
        &run,
        RunStatus::Succeeded,
        &[("late", "done"), ("after", "done")],
    );
    let [first, second] = endings(&run, "late") else {
        panic!("two attempts: {:?}", endings(&run, "late"));
    };
    assert!(matches!(first.end, AttemptEnd::Lost(_)), "{:?}", first.end);
    assert_eq!((first.workspace, first.workspace_kept), (1, false));
    assert_eq!(
        (&second.end, second.workspace),
        (&AttemptEnd::Integrated, 2)
    );
    assert_eq!(stage.result("b.md").as_deref(), Some("right\n"));
    assert_eq!(stage.result("late.md"), None);
    // What the lost one had made by then was handed on.
    assert_eq!(stage.result("early.md").as_deref(), Some("early\n"));
}

#[test]
fn one_that_outlived_its_supervisor_in_hiding_disturbs_nobody() {
    let stage = Stage::git(&[("x", "1\n")]);
    // Another session, no mark in its environment, and its parent is gone.
    let (hidden, sleep) = (late_writes(&stage), unique_sleep());
    let first = format!("(env -i PATH=\"$PATH\" setsid sh -c '{hidden}' &); sleep {sleep}");
    let running = stage.start_plan(&plan(&stage, &first), &[]);
    until("the first attempt works", || {
        crate::stage::with_argument(&sleep).len() == 1
            && stage.path(".divisi/worktrees/run-1-t0-1/early.md").exists()
    });
    kill(supervisor(&stage), libc::SIGKILL);
    stage.until_event(
        "there is a second attempt",
        |event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.number == 2),
    );
    let late = stage.path(".divisi/worktrees/run-1-t0-1/late.md");
    std::fs::write(stage.beside("first"), "").unwrap();
    until("the first attempt has written late", || late.exists());
    std::fs::write(stage.beside("second"), "").unwrap();
    running.wait().expect(0);
    second_is_unaffected(&stage);
    // Nobody told of it, so it is no offer; but nothing of it was thrown away either.
    assert_eq!(endings(&stage.only(), "late")[0].offer, None);
    assert!(late.exists());
}

/// Plays a plan whose first attempt is lost and comes back with what it made meanwhile. The second one
/// waits for its gate.
fn back_from_loss(stage: &Stage, plan: &Value) -> (Impatient, Snapshot) {
    let patience = Patience {
        look_ms: 100,
        heartbeat_ms: 3_000,
        second_look_ms: 500,
        ..Patience::default()
    };
    let engine = Impatient::begin(stage, plan, patience, boot_now);
    let early = stage.path(".divisi/worktrees/run-1-t0-1/early.md");
    until("the first attempt works", || early.exists());
    // A supervisor that says nothing looks like one that is gone; its agents live on.
    let held_by = supervisor(stage);
    kill(held_by, libc::SIGSTOP);
    engine.until("the first attempt is suspected", |event| {
        matches!(event, Event::AttemptSuspected { evidence, .. } if evidence.contains("no sign of life"))
    });
    engine.until("the first attempt is lost", |event| {
        matches!(
            event,
            Event::AttemptEnded {
                end: AttemptEnd::Lost(_),
                ..
            }
        )
    });
    kill(held_by, libc::SIGCONT);
    engine.until(
        "there is a second attempt",
        |event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.number == 2),
    );
    std::fs::write(stage.beside("first"), "").unwrap();
    let kept = engine.until("its work is kept", |event| {
        matches!(event, Event::OfferKept { .. })
    });
    let Event::OfferKept { snapshot, .. } = kept else {
        panic!("it was waited for");
    };
    (engine, snapshot.expect("there was work to keep"))
}

#[test]
fn late_work_of_a_lost_attempt_is_kept_as_an_offer() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = plan(&stage, &late_writes(&stage));
    let (engine, offer) = back_from_loss(&stage, &plan);
    std::fs::write(stage.beside("second"), "").unwrap();
    assert_eq!(engine.end(), Rest::Rested);
    second_is_unaffected(&stage);
    let run = stage.only();
    let first = &task(&run, "late").endings[0];
    assert_eq!(first.offer.as_ref(), Some(&offer));
    let show = |path: &str| {
        let repo = stage.path(".divisi/repo.git");
        git(
            &repo,
            &["cat-file", "blob", &format!("{}:{path}", offer.commit)],
        )
    };
    assert_eq!(
        (show("a.md"), show("late.md")),
        ("ruined\n".into(), "late\n".into())
    );
    // Its task is done by another one: nobody needs it, and its owner says so.
    let lost = stage.path(".divisi/worktrees/run-1-t0-1");
    stage.divisi(&["adopt", "run-1", "late"]).expect(6);
    let discard = "divisi discard run-1 late@1";
    stage.divisi(&["gc", "--yes"]).expect(0).says(discard);
    assert!(lost.exists());
    let kept = stage.divisi(&["show", "run-1", "late"]).expect(0);
    kept.says("came back late; its work is kept as")
        .says(discard);
    stage.divisi(&["discard", "run-1", "late@7"]).expect(6);
    stage.divisi(&["discard", "run-1", "late@1"]).expect(0);
    stage
        .divisi(&["gc", "--yes"])
        .expect(0)
        .says("removed: run-1-t0-1");
    assert!(!lost.exists());
    let kept = stage.only();
    assert!(!kept.commits_kept().contains(&offer.commit));
}

#[test]
fn late_work_is_adopted_and_goes_the_way_of_any_other_though_the_engine_dies_meanwhile() {
    let stage = Stage::git(&[("x", "1\n")]);
    let mut plan = plan(&stage, &late_writes(&stage));
    let late = &mut plan["subtasks"][0];
    let script = late["script"].as_str().unwrap();
    // The second attempt makes nothing, and a person is asked.
    late["script"] = json!(script.replace("echo right > a.md", "true"));
    late["retries"] = json!(0);
    let (engine, offer) = back_from_loss(&stage, &plan);
    std::fs::write(stage.beside("second"), "").unwrap();
    assert_eq!(engine.end(), Rest::Rested);
    stands(
        &stage.only(),
        RunStatus::Blocked,
        &[("late", "blocked"), ("after", "waiting")],
    );
    stage
        .divisi(&["show", "run-1", "late"])
        .expect(0)
        .says("came back late; its work is kept as")
        .says("divisi adopt run-1 late@1");
    stage
        .divisi(&["adopt", "run-1", "late@2"])
        .expect(6)
        .says("offer-none");
    stage.divisi(&["adopt", "run-1", "late"]).expect(0);
    for at in ["collect.before", "collect.after"] {
        let died = stage
            .command(&["resume", "run-1"])
            .env("DIVISI_FAILPOINT", at)
            .output()
            .unwrap();
        assert_eq!(died.status.code(), None, "{at}");
    }
    stage.divisi(&["resume", "run-1"]).expect(0);
    let run = stage.only();
    stands(
        &run,
        RunStatus::Succeeded,
        &[("late", "done"), ("after", "done")],
    );
    let [first, _, third] = endings(&run, "late") else {
        panic!("three attempts: {:?}", endings(&run, "late"));
    };
    assert_eq!(first.adopted_as, Some(3));
    assert_eq!(third.end, AttemptEnd::Integrated);
    let collected = third.receipts.iter().find_map(|receipt| match receipt {
        Receipt::Collected {
            snapshot,
            artifacts,
            ..
        } => Some((snapshot.clone(), artifacts.len())),
        _ => None,
    });
    assert_eq!(collected, Some((Some(offer), 1)));
    assert_eq!(stage.result("b.md").as_deref(), Some("ruined\n"));
    assert_eq!(stage.result("late.md").as_deref(), Some("late\n"));
    // Part of the result, nothing of it is kept beside that.
    stage.divisi(&["gc", "--yes"]).expect(0);
    assert!(!stage.path(".divisi/worktrees/run-1-t0-1").exists());
}
