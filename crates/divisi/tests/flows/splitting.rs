//! A task that fails as a whole becomes smaller ones, unprompted, and these are done.

use divisi_core::ledger::Bound;
use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Event, Failure, RunStatus, TaskState};
use serde_json::{Value, json};

use crate::found::working;
use crate::stage::{Stage, endings, stands, task, write};

/// ```text
/// before ── whole ── after      whole promises a.md and b.md
/// ```
fn plan() -> Value {
    json!({"task_title": "Two pages", "subtasks": [
        {"subtask_id": "before", "script": "echo given > given.md", "deliverables": ["given.md"]},
        {"subtask_id": "whole", "title": "Write two pages", "agent": "scripted",
         "inputs": ["before"], "deliverables": ["a.md", "b.md"],
         "criteria": [{"contains": "first", "in": "a.md"}, {"contains": "second", "in": "b.md"}]},
        {"subtask_id": "after", "script": "cat a.md b.md > all; test -e notes.md",
         "deliverables": ["all"], "dependencies": ["whole"]},
    ]})
}

/// Of the whole, the first page is made each time, and notes beside it; the first part makes nothing.
const RULES: &str = r#"
rules:
  - task: whole
    attempts:
      - - make: {path: a.md, text: "the first page\n"}
        - write: {path: notes.md, text: "what was found out\n"}
        - write: {path: b.md, text: "half\n"}
  - task: whole-part1
    attempts: [[{print: "it stands already"}]]
  - task: whole-part2
    attempts: [[{make: {path: b.md, text: "the second page\n"}}]]
"#;

fn stage(rules: &str) -> Stage {
    let stage = Stage::git(&[("x", "1\n")]);
    write(stage.beside("rules.yaml"), rules);
    stage
}

fn rehearse(stage: &Stage, plan: &Value) -> crate::stage::Ran {
    let rules = stage.beside("rules.yaml").display().to_string();
    stage.run(plan, &["--rehearsal", &rules])
}

fn handoff(stage: &Stage, id: &str) -> Value {
    let path = format!(".divisi/runs/run-1/handoffs/scripted/to-scripted-subtask-{id}.json");
    serde_json::from_slice(&std::fs::read(stage.path(&path)).unwrap()).unwrap()
}

#[test]
fn what_fails_whole_passes_in_halves_which_begin_with_what_was_made() {
    let stage = stage(RULES);
    let ran = rehearse(&stage, &plan());
    ran.expect(0)
        .says("smaller tasks take its place")
        .says("whole becomes whole-part1, whole-part2");
    let run = stage.only();
    let tasks = [
        ("before", "done"),
        ("whole", "split"),
        ("after", "done"),
        ("whole-part1", "done"),
        ("whole-part2", "done"),
    ];
    stands(&run, RunStatus::Succeeded, &tasks);
    assert_eq!(endings(&run, "whole").len(), 3);
    assert_eq!(endings(&run, "whole-part1").len(), 1);
    let all = stage.result("all");
    assert_eq!(all.as_deref(), Some("the first page\nthe second page\n"));
    // The first part has what is nobody's; what was refused of the second is where it belongs.
    assert_eq!(
        stage.result("notes.md").as_deref(),
        Some("what was found out\n")
    );
    let one = handoff(&stage, "whole-part1");
    assert_eq!(one["already"], json!(["a.md", "notes.md"]));
    assert_eq!(one["inputs"][0]["task"], "before");
    let two = handoff(&stage, "whole-part2");
    assert_eq!(two["already"], json!(["b.md"]));
    let told = two["description"].as_str().unwrap();
    for said in ["part 2 of 2 of task whole", "b.md contains \"second\": "] {
        assert!(told.contains(said), "{said:?} is not in {told}");
    }
    // One transaction, one revision: the end of the attempt and the parts.
    let events = stage.timed_events();
    let at = |is: fn(&Event) -> bool| events.iter().position(|(_, event)| is(event)).unwrap();
    let split = at(|event| matches!(event, Event::TaskSplit { .. }));
    assert!(matches!(&events[split - 1].1, Event::AttemptEnded { .. }));
    assert_eq!(events[split].0, events[split - 1].0);
    assert_eq!(run.revision, 2);
    for (args, words) in [
        (&["show", "1", "whole-part2"][..], "part of     whole"),
        (&["explain", "1", "whole"], "its part whole-part1 is done"),
        (
            &["watch", "1", "--from-start"],
            "whole split into whole-part1, whole-part2",
        ),
        (&["report", "1"], "all tasks completed: yes (4 of 4 done)"),
    ] {
        stage.divisi(args).expect(0).says(words);
    }
}

/// A run whose task failed, and so did its halves and theirs.
fn failed_in_halves_of_halves() -> Stage {
    let stage = stage("rules:\n  - task: '*'\n    attempts: [[{print: 'no idea'}]]\n");
    let files = ["1", "2", "3", "4", "5", "6", "7", "8"];
    let plan = json!({"task_title": "Eight", "subtasks": [
        {"subtask_id": "whole", "title": "Write eight pages", "agent": "scripted", "retries": 0,
         "deliverables": files, "budget": {"attempts": 20}},
    ]});
    rehearse(&stage, &plan).expect(3);
    stage
}

#[test]
fn what_fails_in_halves_of_halves_is_a_persons_with_all_that_it_takes() {
    let stage = failed_in_halves_of_halves();
    let run = stage.only();
    let escalated = run
        .tasks()
        .iter()
        .filter(|it| matches!(it.state, TaskState::Escalated(_)));
    assert_eq!(escalated.count(), 4);
    let id = "whole-part1-part2";
    let TaskState::Escalated(why) = &task(&run, id).state else {
        panic!("{:?}", task(&run, id).state);
    };
    assert!(
        why.ends_with("; it was not split: it stands 2 splits deep already"),
        "{why}"
    );
    let shown = stage.divisi(&["show", "1", id]).expect(0);
    for said in [
        "it failed once; the last time",
        "it is a part of whole-part1, which is a part of whole",
        "divisi retry run-1 whole-part1-part2 --note HINT",
        "divisi reject run-1 whole-part1-part2 --reason WHY",
        "budget      4 attempts, 1 used or reserved",
        "criterion   3 is not empty",
    ] {
        assert!(
            shown.stdout.contains(said),
            "{said:?} is not in:\n{}",
            shown.stdout
        );
    }
    let parts = stage.beside("parts.json").display().to_string();
    let each =
        ["3", "4"].map(|file| json!({"subtask_id": format!("page-{file}"), "script": "true"}));
    write(
        &parts,
        &json!({"task_title": "Parts", "subtasks": each}).to_string(),
    );
    stage
        .divisi(&["split", "1", id, &parts])
        .expect(6)
        .says("already stands 2 splits deep");
}

/// Each command that the screen of an escalation offers is one that can be given.
#[test]
fn the_commands_of_an_escalation_are_answers_to_it() {
    const ID: &str = "whole-part1-part2";
    let offered = |stage: &Stage| -> Vec<String> {
        let shown = stage.divisi(&["show", "1", ID]).expect(0).stdout;
        let commands = shown
            .lines()
            .filter_map(|line| line.split_once("→ divisi "));
        commands
            .map(|(_, command)| command.trim().to_owned())
            .collect()
    };
    let first = offered(&failed_in_halves_of_halves());
    for verb in ["show", "retry", "reject"] {
        let mut offered = first.iter();
        assert!(offered.any(|it| it.starts_with(verb)), "{verb}: {first:?}");
    }
    for command in first {
        let stage = failed_in_halves_of_halves();
        let words = command.split_whitespace().map(|word| match word {
            "HINT" => "look at page 3 again",
            "WHY" => "nobody needs it",
            "SEEN" => "read",
            word => word,
        });
        let words: Vec<&str> = words.collect();
        let ran = stage.divisi(&words);
        // Not: how it is written, refused, or not there.
        assert!(![2, 6, 7].contains(&ran.code), "{command}: {}", ran.stderr);
        // Of what a script says there is no log.
        assert!(!ran.stderr.contains("nothing that is kept"), "{command}");
    }
}

/// An agent that finds two tasks in one says so; then it plans them, the first time badly, and does
/// them.
const OUTGROWN: &str = r#"case "$DIVISI_TASK" in
whole) echo 'the first page' > a.md; echo 'a page each' > "$DIVISI_TOO_LARGE" ;;
whole-plan)
  head -n 1 > /dev/null
  if [ "$DIVISI_ATTEMPT" = 1 ]; then extra='"script": "true",'; fi
  cat > divisi-plan.json <<PLAN
{"task_title": "Two pages", "subtasks": [
  {"subtask_id": "one", "title": "Write the first page", $extra "deliverables": ["a.md"]},
  {"subtask_id": "two", "title": "Write the second page", "deliverables": ["b.md"]}]}
PLAN
  ;;
two) echo 'the second page' > b.md ;;
esac"#;

#[test]
fn work_that_outgrows_its_task_is_planned_and_done_in_parts_that_meet_all_it_had_to() {
    let stage = Stage::git(&[("x", "1\n")]);
    let path = working(&stage, OUTGROWN);
    let stage = stage.with_env("PATH", &path);
    let mut plan = plan();
    plan["subtasks"][1]["agent"] = json!("claude");
    plan["subtasks"][2]["script"] = json!("cat a.md b.md > all");
    let why = "its agent found it to be more than one task: a page each";
    stage
        .run(&plan, &[])
        .expect(0)
        .says("whole becomes whole-plan")
        .says("whole-plan planned 2 tasks");
    let run = stage.only();
    let tasks = [
        ("before", "done"),
        ("whole", "split"),
        ("after", "done"),
        ("whole-plan", "split"),
        ("one", "done"),
        ("two", "done"),
    ];
    stands(&run, RunStatus::Succeeded, &tasks);
    let all = stage.result("all");
    assert_eq!(all.as_deref(), Some("the first page\nthe second page\n"));
    let AttemptEnd::Refused(Failure::Plan(faults)) = &endings(&run, "whole-plan")[0].end else {
        panic!("{:?}", endings(&run, "whole-plan"));
    };
    assert!(faults[0].contains("it is not work in words"), "{faults:?}");
    let criteria = |id: &str| -> Vec<String> {
        let criteria = task(&run, id).spec.criteria.iter();
        criteria.map(ToString::to_string).collect()
    };
    assert!(criteria("two").contains(&"b.md contains \"second\"".to_owned()));
    for (args, words) in [
        (&["show", "1", "one"][..], "part of     whole-plan"),
        (&["explain", "1", "whole"], "its part whole-plan is split"),
        (
            &["watch", "1", "--from-start"],
            "whole is more than one task, and planned by whole-plan",
        ),
        (&["watch", "1", "--from-start"], why),
        (&["report", "1"], "all tasks completed: yes (4 of 4 done)"),
    ] {
        stage.divisi(args).expect(0).says(words);
    }
}

const FIRST: &str = r#"{make: {path: a.md, text: "the first page\n"}}"#;

const SECOND: &str = r#"{make: {path: b.md, text: "the second page\n"}}"#;

/// It is ended there: no more was reserved for it.
const USES_ALL: &str = "{usage: {tokens: 9000}}";

/// The rules of a rehearsal in which the whole makes these moves, and what is planned in its place goes
/// on with the first page.
fn moves(whole: &[&str]) -> String {
    let whole = whole.join(", ");
    let plan = r#"{"task_title": "Two pages", "subtasks": [
      {"subtask_id": "one", "title": "Write the first page", "deliverables": ["a.md"]},
      {"subtask_id": "two", "title": "Write the second page", "deliverables": ["b.md"]}]}"#;
    let plan = json!({"write": {"path": "divisi-plan.json", "text": plan}});
    format!(
        "rules:\n  - {{task: whole, attempts: [[{whole}]]}}\n\
         \x20 - {{task: whole-plan, attempts: [[{plan}]]}}\n\
         \x20 - {{task: one, attempts: [[{{print: it stands already}}]]}}\n\
         \x20 - {{task: two, attempts: [[{SECOND}]]}}\n"
    )
}

#[test]
fn what_was_made_until_it_was_ended_is_checked_and_else_gone_on_with() {
    let runs = |whole: &[&str]| {
        let stage = stage(&moves(whole))
            .with_env("DIVISI_BUDGET_ATTEMPT", "{tokens: 1000}")
            .with_env("DIVISI_RUN_USED_UP_MAX", "1");
        let mut plan = plan();
        plan["subtasks"][2]["script"] = json!("cat a.md b.md > all");
        let rules = stage.beside("rules.yaml").display().to_string();
        let args = ["--rehearsal", &rules, "--budget", "1M-tokens"];
        stage.run(&plan, &args).expect(0);
        let all = stage.result("all");
        assert_eq!(all.as_deref(), Some("the first page\nthe second page\n"));
        stage.only()
    };
    let run = runs(&[FIRST, USES_ALL, SECOND]);
    let tasks = [
        ("before", "done"),
        ("whole", "split"),
        ("after", "done"),
        ("whole-plan", "split"),
        ("one", "done"),
        ("two", "done"),
    ];
    stands(&run, RunStatus::Succeeded, &tasks);
    let ending = &endings(&run, "whole")[0];
    assert_eq!(ending.end, AttemptEnd::UsedUp(Bound::Tokens(1_000)));
    // Where all was there, nothing is left to plan.
    let run = runs(&[FIRST, SECOND, USES_ALL, "{print: and more}"]);
    let tasks = [("before", "done"), ("whole", "done"), ("after", "done")];
    stands(&run, RunStatus::Succeeded, &tasks);
    let [ending] = endings(&run, "whole") else {
        panic!("{:?}", endings(&run, "whole"));
    };
    let was_ended = |it: &Receipt| {
        matches!(
            it,
            Receipt::Submitted {
                used_up: Some(_),
                ..
            }
        )
    };
    assert!(ending.receipts.iter().any(was_ended), "{ending:?}");
}

#[test]
fn a_project_that_does_not_want_it_asks_a_person() {
    let stage = stage(RULES);
    write(stage.path("divisi.yaml"), "run: {split_after: 0}\n");
    rehearse(&stage, &plan())
        .expect(3)
        .says("divisi explain run-1 whole");
    let run = stage.only();
    assert!(matches!(task(&run, "whole").state, TaskState::Escalated(_)));
    let told = stage.divisi(&["explain", "1", "whole"]).expect(0);
    told.says("divisi split run-1 whole\n");
}

#[test]
fn whoever_splits_by_hand_need_not_say_the_parts() {
    let stage = stage(RULES);
    write(stage.path("divisi.yaml"), "run: {split_after: 0}\n");
    rehearse(&stage, &plan()).expect(3);
    // What runs a program has no halves, and stays as it was.
    stage
        .divisi(&["split", "1", "after"])
        .expect(6)
        .says("error[split-undivided]: no rule can divide after: only what an agent does in words")
        .says("divisi split RUN TASK PARTS");
    stage
        .divisi(&["split", "1", "whole", "--reason", "they are two pages"])
        .expect(0);
    let run = stage.only();
    let tasks = [
        ("before", "done"),
        ("whole", "split"),
        ("after", "waiting"),
        ("whole-part1", "ready"),
        ("whole-part2", "ready"),
    ];
    stands(&run, RunStatus::Running, &tasks);
    stage.divisi(&["resume", "1"]).expect(0);
    let all = stage.result("all");
    assert_eq!(all.as_deref(), Some("the first page\nthe second page\n"));
    let told = handoff(&stage, "whole-part2")["description"].to_string();
    assert!(
        told.contains("its owner split it: they are two pages"),
        "{told}"
    );
    // Nothing is left to be halved of what is one page.
    stage
        .divisi(&["split", "1", "whole-part1"])
        .expect(6)
        .says("error[run-ended]");
}

/// ```text
/// go ── all ── after      all promises must.md, and a person is to write it
/// ```
#[test]
fn what_no_part_promises_stands_with_the_last_one_and_programs_are_run() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let plan = json!({"task_title": "Pages", "subtasks": [
        {"subtask_id": "go", "kind": "approval"},
        {"subtask_id": "all", "title": "Write must.md", "agent": "person",
         "dependencies": ["go"], "deliverables": ["must.md"], "criteria": [{"contains": "must", "in": "must.md"}]},
        {"subtask_id": "after", "script": "cp must.md copy.md", "deliverables": ["copy.md"],
         "dependencies": ["all"]},
    ]});
    stage.run(&plan, &[]).expect(4);
    let parts = json!([
        {"subtask_id": "one", "script": "echo 1 > one.md", "deliverables": ["one.md"]},
        {"subtask_id": "two", "script": "cat one.md > two.md; echo must > must.md"},
    ]);
    let file = stage.beside("parts.json");
    write(&file, &parts.to_string());
    stage
        .divisi(&["split", "1", "all", &file.display().to_string()])
        .expect(0)
        .says("two keeps what all promised and no part does: it makes must.md")
        .says("must.md contains \"must\"");
    stage.divisi(&["approve", "1", "go"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("copy.md").as_deref(), Some("must\n"));
    let run = stage.only();
    let ended = &endings(&run, "two")[0];
    assert_eq!(ended.end, AttemptEnd::Integrated);
    assert_eq!(ended.agent, "command");
}
