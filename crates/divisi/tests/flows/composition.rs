//! Results composed in levels, from templates, and from what comes from outside.

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Event, Failure, RunStatus};
use serde_json::{Value, json};

use crate::stage::{FIRST, Stage, endings, git, stands, statuses, task, until, write};

const EXAMPLE: &str = include_str!("../../../../examples/composition-in-levels.json");
const MEASUREMENTS: &str = include_str!("../../../../examples/data/measurements.csv");

/// ```text
/// research-needs ──────┐           measurements (from outside)
/// research-prior-work ─┴ findings ─┬─ parser ──┐        │
///                                  │     └──────────────┘
///                                  ├─ planner ─┴ front ─┐
///                                  └─ writer ─── back ──┴ system ─┐
/// notes ──────────────────────────────────────────────────────────┴ result
/// ```
#[test]
fn three_levels_of_composition_run_as_one_plan() {
    let stage = Stage::git(&[("examples/data/measurements.csv", MEASUREMENTS)]);
    let plan: Value = serde_json::from_str(EXAMPLE).unwrap();
    stage.run(&plan, &["-j", "4"]).expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(run.tasks().len(), 12);
    assert!(statuses(&run).iter().all(|(_, status)| *status == "done"));
    for task in run.tasks() {
        let id = task.spec.id.as_str();
        let [ending] = &task.endings[..] else {
            panic!("{id} took more than one attempt");
        };
        assert_eq!(ending.end, AttemptEnd::Integrated, "{id}");
        let steps = &ending.receipts;
        let verified = steps
            .iter()
            .position(|r| matches!(r, Receipt::Verified { .. }));
        let integrated = steps
            .iter()
            .position(|r| matches!(r, Receipt::Integrated { .. }));
        assert!(
            verified.is_some() && verified < integrated,
            "{id} was verified before"
        );
    }
    let text = |path: &str| stage.result(path).unwrap();
    assert_eq!(
        text("system.json"),
        "{\"system\": [{\"module\": \"front\", \"parts\": [\
         {\"measured_rows\": 4, \"name\": \"parser\"}, \
         {\"measured_rows\": 0, \"name\": \"planner\"}]}, \
         {\"module\": \"back\", \"parts\": [{\"measured_rows\": 0, \"name\": \"writer\"}]}]}\n"
    );
    assert!(text("research/findings.md").contains("# What there is\n\n## Prior work\n"));
    assert_eq!(text("data/measurements.csv"), MEASUREMENTS);
    assert!(text("RESULT.md").contains("- The system: done, system.json ("));
    // The whole was validated again, after everything was integrated.
    let events = stage.timed_events();
    let place = |is: &dyn Fn(&Event) -> bool| events.iter().rposition(|(_, event)| is(event));
    let integrated = place(&|event| matches!(event, Event::BatchIntegrated { .. }));
    let passed = place(&|event| matches!(event, Event::FinalPassed { .. }));
    assert!(integrated.is_some() && integrated < passed);
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    assert!(stage.path("RESULT.md").exists());
}

#[test]
fn inputs_follow_each_other_where_there_is_no_template() {
    let stage = Stage::git(&[
        ("head.txt", "of the tree\n"),
        ("t.md", "{{ inputs[0].id }}!\n"),
    ]);
    let plan = json!({"task_title": "put together", "subtasks": [
        {"subtask_id": "a", "script": "echo one > a.md", "deliverables": ["a.md"]},
        {"subtask_id": "b", "script": "echo two > b.md", "deliverables": ["b.md"]},
        {"subtask_id": "all", "kind": "compose", "inputs": ["head.txt", "b", "a"],
         "template": {"output": "all.md"}},
        {"subtask_id": "from-file", "kind": "compose", "inputs": ["a"],
         "template": {"path": "t.md", "output": "filled.md"}},
        {"subtask_id": "tree", "kind": "compose", "inputs": ["a", "b"],
         "criteria": [{"count": "*.md", "min": 3}]},
    ]});
    stage.run(&plan, &[]).expect(0);
    let all = stage.result("all.md").unwrap();
    let places: Vec<usize> = ["of the tree", "two", "one"]
        .iter()
        .map(|text| {
            all.find(text)
                .unwrap_or_else(|| panic!("{text} is in {all}"))
        })
        .collect();
    assert!(places.is_sorted(), "{all}");
    assert_eq!(stage.result("filled.md").as_deref(), Some("a!\n"));
    let run = stage.only();
    assert_eq!(endings(&run, "tree")[0].end, AttemptEnd::Integrated);
}

/// A plan whose composition has these inputs and this template; a task stands beside it.
fn composing(inputs: &Value, template: &Value) -> Value {
    json!({"task_title": "bad composition", "subtasks": [
        {"subtask_id": "a", "script": "echo one > a.md", "deliverables": ["a.md"]},
        {"subtask_id": "takes", "script": "git rm -q --cached a.md; rm a.md", "dependencies": ["a"],
         "workspace": "worktree", "criteria": [{"count": "a.md", "max": 0}]},
        {"subtask_id": "bad", "kind": "compose", "inputs": inputs, "template": template,
         "dependencies": ["takes"]},
        {"subtask_id": "beside", "script": "echo two > b.md", "deliverables": ["b.md"],
         "dependencies": ["takes"]},
    ]})
}

#[test]
fn a_composition_that_cannot_succeed_is_tried_once_and_says_what_to_change() {
    let long = format!("{}\n", "x".repeat(300_000));
    let stage = || {
        let stage = Stage::git(&[
            ("x", "1\n"),
            ("docs/y", "1\n"),
            ("long.md", &long),
            ("bad.md", "one\n{{ nobody }}"),
        ]);
        std::fs::write(stage.path("latin.md"), [b'a', 0xe4, b'\n']).unwrap();
        git(stage.project(), &["add", "latin.md"]);
        git(stage.project(), &["commit", "-q", "-m", "more"]);
        stage
    };
    let text = |text: &str| json!({"text": text, "output": "all.md"});
    let path = |path: &str| json!({"path": path, "output": "all.md"});
    for (inputs, template, cause) in [
        (
            json!(["x"]),
            text("one\n{{ nobody }}"),
            "fill the template in line 2: ",
        ),
        (
            json!(["x"]),
            text("{% for %}"),
            "fill the template in line 1: ",
        ),
        (
            json!(["x"]),
            text("{{ inputs[0].artifacts[0].text }}{% for i in range(9999999) %}{% endfor %}"),
            "fill the template",
        ),
        (
            json!(["x"]),
            path("bad.md"),
            "fill the template in line 2: ",
        ),
        (
            json!(["x"]),
            path("no.md"),
            "the template no.md is not in the run's tree; commit it",
        ),
        (
            json!(["x"]),
            path("docs"),
            "the template docs is a folder in the run's tree",
        ),
        (
            json!(["x"]),
            path("latin.md"),
            "the template latin.md is no UTF-8 text",
        ),
        (
            json!(["x"]),
            path("long.md"),
            "the template long.md has more than 262144 bytes",
        ),
        (
            json!(["no.md"]),
            text("t"),
            "the input no.md is not in the run's tree; commit it",
        ),
        (
            json!(["a"]),
            text("t"),
            "a.md, which a made, is not in the run's tree",
        ),
        (
            json!(["x"]),
            json!({"text": "t", "output": "docs"}),
            "write what was composed",
        ),
    ] {
        let stage = stage();
        stage
            .run(&composing(&inputs, &template), &["-j", "1"])
            .expect(3)
            .says(cause);
        let run = stage.only();
        assert_eq!(run.paused, None, "{cause}");
        stands(
            &run,
            RunStatus::Blocked,
            &[
                ("a", "done"),
                ("takes", "done"),
                ("bad", "blocked"),
                ("beside", "done"),
            ],
        );
        let [ending] = endings(&run, "bad") else {
            panic!("{cause}: it would fail again");
        };
        let AttemptEnd::Refused(Failure::Composition(told)) = &ending.end else {
            panic!("{cause}: {:?}", ending.end);
        };
        assert!(told.contains(cause), "{told}");
        stage
            .divisi(&["explain", "1", "bad"])
            .expect(0)
            .says(cause)
            .says("divisi retry run-1 bad");
    }
}

#[test]
fn an_input_from_outside_that_is_missing_is_waited_for_and_then_submitted() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "from outside", "subtasks": [
        {"subtask_id": "there", "kind": "external", "inputs": [{"path": "x"}], "deliverables": ["in/x"]},
        {"subtask_id": "missing", "kind": "external", "inputs": [{"path": "data/y.csv"}], "deliverables": ["in/y.csv"]},
        {"subtask_id": "use", "script": "cat in/x in/y.csv > used", "inputs": ["there", "missing"], "deliverables": ["used"]},
    ]});
    stage
        .run(&plan, &[])
        .expect(4)
        .says("divisi submit run-1 missing");
    let run = stage.only();
    stands(
        &run,
        RunStatus::Blocked,
        &[
            ("there", "done"),
            ("missing", "running"),
            ("use", "waiting"),
        ],
    );
    let file = stage.beside("y.csv");
    write(&file, "from outside\n");
    stage
        .divisi(&["submit", "1", "missing", &file.display().to_string()])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("used").as_deref(), Some("1\nfrom outside\n"));
    assert_eq!(task(&stage.only(), "missing").attempts(), 1);
}

/// ```text
/// missing ── use
/// keeps             (keeps an engine running until somebody lets it go)
/// ```
fn awaiting(stage: &Stage) -> Value {
    let go = stage.beside("go").display().to_string();
    let keeps = format!("until test -e {go}; do sleep 0.01; done");
    json!({"task_title": "from outside", "subtasks": [
        {"subtask_id": "missing", "kind": "external", "inputs": ["data/y.csv", "data/z.csv"],
         "deliverables": ["in/y.csv", "in/z.csv"]},
        {"subtask_id": "use", "script": "cat in/y.csv in/z.csv > used", "inputs": ["missing"],
         "deliverables": ["used"]},
        {"subtask_id": "keeps", "script": keeps},
    ]})
}

fn is(stage: &Stage, id: &str, status: &str) -> bool {
    let row = stage.try_view().and_then(|view| view.run(FIRST).ok()?);
    row.is_some() && task(&stage.only(), id).status().word() == status
}

#[test]
fn files_that_arrive_while_an_engine_runs_are_noticed_by_themselves() {
    let stage = Stage::git(&[("x", "1\n")]);
    let running = stage.start_plan(&awaiting(&stage), &["-j", "2"]);
    until("both are under way", || {
        is(&stage, "missing", "running") && is(&stage, "keeps", "running")
    });
    stage
        .divisi(&["explain", "1", "missing"])
        .expect(0)
        .says("data/y.csv, data/z.csv")
        .says("divisi submit run-1 missing [FILE…]");
    write(stage.path("data/y.csv"), "why\n");
    write(stage.path("data/z.csv"), "zed\n");
    until("it is used", || is(&stage, "use", "done"));
    write(stage.beside("go"), "");
    running.wait().expect(0);
    assert_eq!(stage.result("used").as_deref(), Some("why\nzed\n"));
    assert_eq!(task(&stage.only(), "missing").attempts(), 1);
}

#[test]
fn files_that_arrive_while_no_engine_runs_are_noticed_by_the_next_one() {
    let stage = Stage::git(&[("x", "1\n")]);
    write(stage.beside("go"), "");
    write(stage.path("data/y.csv"), "why\n");
    stage
        .run(&awaiting(&stage), &[])
        .expect(4)
        .says("data/z.csv")
        .says("divisi resume run-1");
    stage.divisi(&["resume", "1"]).expect(4);
    stage
        .divisi(&["status", "1"])
        .expect(0)
        .says("data/z.csv")
        .says("divisi submit run-1 missing [FILE…]");
    write(stage.path("data/z.csv"), "zed\n");
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("used").as_deref(), Some("why\nzed\n"));
    assert_eq!(task(&stage.only(), "missing").attempts(), 1);
}

#[test]
fn what_is_no_file_is_told_and_awaited() {
    let stage = Stage::git(&[("x", "1\n")]);
    write(stage.beside("go"), "");
    write(stage.path("data/y.csv"), "why\n");
    write(stage.path("data/z.csv/inner"), "a folder\n");
    stage
        .run(&awaiting(&stage), &[])
        .expect(4)
        .says("data/z.csv is a folder; only a file is taken");
}

#[test]
fn a_file_from_outside_that_is_too_large_is_refused_and_not_cut_off() {
    let stage = Stage::git(&[("x", "1\n")]);
    let file = std::fs::File::create(stage.path("giant")).unwrap();
    file.set_len((256 << 20) + 1).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let plan = json!({"task_title": "from outside", "subtasks": [
        {"subtask_id": "giant", "kind": "external", "inputs": ["giant"], "deliverables": ["in"]},
    ]});
    stage
        .run(&plan, &[])
        .expect(3)
        .says("the external input giant has more than 268435456 bytes");
    assert_eq!(
        endings(&stage.only(), "giant").len(),
        1,
        "it would fail again"
    );
}

#[test]
fn an_input_from_outside_never_follows_a_link_out_of_the_project() {
    let stage = Stage::git(&[("x", "1\n")]);
    std::os::unix::fs::symlink("/etc/passwd", stage.path("link")).unwrap();
    let plan = json!({"task_title": "from outside", "subtasks": [
        {"subtask_id": "linked", "kind": "external", "inputs": [{"path": "link"}], "deliverables": ["in"]},
    ]});
    let ran = stage.run(&plan, &[]);
    assert!([3, 4].contains(&ran.code), "{ran:?}");
    let objects = git(
        &stage.path(".divisi/repo.git"),
        &["cat-file", "--batch-all-objects", "--batch"],
    );
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    assert!(!objects.contains(passwd.lines().next().unwrap()));
}

#[test]
fn what_research_found_out_is_told_to_what_depends_on_it() {
    let stage = Stage::git(&[("x", "1\n")]);
    let plan = json!({"task_title": "informed", "subtasks": [
        {"subtask_id": "look", "kind": "research", "script": "echo 42 > found.md",
         "deliverables": ["found.md"]},
        {"subtask_id": "other", "script": "echo 1 > other.md", "deliverables": ["other.md"]},
        {"subtask_id": "use", "dependencies": ["look", "other"], "deliverables": ["told.json"],
         "script": "cp \"$DIVISI_HANDOFF\" told.json"},
    ]});
    stage.run(&plan, &[]).expect(0);
    let told = stage.result("told.json").unwrap();
    assert!(told.contains("found.md"), "{told}");
    // Work that is no research tells what follows it nothing, unless it is named as an input.
    assert!(!told.contains("other.md"), "{told}");
}
