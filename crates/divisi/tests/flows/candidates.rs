//! A task that several agents solve side by side: the best that passes is integrated, and no other.

use divisi_core::run::{AttemptEnd, Event, RunStatus, TaskStatus};
use serde_json::{Value, json};

use crate::stage::{Stage, endings, git, stands, task, write};

/// What each of three agents makes of the same words: one misses what was asked, one says too much,
/// one does it.
const AGENTS: [(&str, &str); 3] = [
    ("wrong", "echo 'nothing to see' > page.md"),
    (
        "large",
        "{ echo limits; seq 1 2000; } > page.md; echo aside > aside.md",
    ),
    ("good", "echo 'limits: two' > page.md"),
];

fn stage() -> Stage {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let mut agents = serde_json::Map::new();
    for (name, script) in AGENTS {
        let path = stage.beside(name);
        write(&path, &format!("cat > told.txt\nrm told.txt\n{script}\n"));
        let command = json!(["sh", path.display().to_string()]);
        agents.insert(
            name.to_owned(),
            json!({"command": command, "speaks": "text"}),
        );
    }
    let settings = json!({"agents": {"custom": agents}});
    write(stage.path("divisi.yaml"), &settings.to_string());
    stage
}

fn page(change: impl FnOnce(&mut Value)) -> Value {
    let mut plan = json!({"task_title": "A page", "subtasks": [
        {"subtask_id": "page", "title": "Write page.md about limits", "retries": 0,
         "candidates": [{"agent": "custom.wrong"}, {"agent": "custom.large"},
                        {"agent": "custom.good"}],
         "prefer": {"command": ["sh", "-c", "wc -c < page.md"], "want": "lowest"},
         "deliverables": ["page.md"],
         "criteria": [{"contains": "limits", "in": "page.md"}]},
        {"subtask_id": "after", "script": "cat page.md > copy.md", "deliverables": ["copy.md"],
         "dependencies": ["page"]},
    ]});
    change(&mut plan["subtasks"][0]);
    plan
}

#[test]
fn of_three_agents_the_one_that_is_best_by_number_is_integrated() {
    let stage = stage();
    let ran = stage.run(&page(|_| {}), &["-j", "3"]);
    ran.expect(0)
        .says("page: page.3 was chosen of 3 candidates");
    let run = stage.only();
    let tasks = [
        ("page", "done"),
        ("after", "done"),
        ("page.1", "failed"),
        ("page.2", "done"),
        ("page.3", "done"),
    ];
    stands(&run, RunStatus::Succeeded, &tasks);
    assert_eq!(stage.result("copy.md").as_deref(), Some("limits: two\n"));
    assert_eq!(
        stage.result("aside.md"),
        None,
        "of another one nothing is integrated"
    );
    assert_eq!(endings(&run, "page.2")[0].end, AttemptEnd::Measured);
    let chosen = task(&run, "page").chosen.clone().unwrap();
    for said in [
        "page.3 was chosen of 3 candidates for the lowest `sh -c 'wc -c < page.md'`: page.3 with 12 (1 \
         line), page.2 with ",
        "; not passed: page.1: it failed once; the last time checks refused it",
    ] {
        assert!(
            chosen.why.contains(said),
            "{said:?} is not in {}",
            chosen.why
        );
    }
    for (args, words) in [
        (
            &["show", "1", "page"][..],
            "page.3 by custom.good (done, chosen)",
        ),
        (&["show", "1", "page.2"], "candidate   of page"),
        (&["show", "1", "page.2"], "measured    "),
        (
            &["explain", "1", "page"],
            "page.3 was chosen of 3 candidates",
        ),
        (
            &["explain", "1", "page.2"],
            "it is a candidate for page, and page.3 was chosen",
        ),
        (&["diff", "1", "page.2"], "+aside"),
        (&["diff", "1", "page"], "+limits: two"),
        (
            &["report", "1"],
            "candidates: page.3 was chosen of 3 candidates",
        ),
        (
            &["report", "1"],
            "all tasks completed: yes (4 of 5 done; 1 candidate given up)",
        ),
        (&["report", "1"], "`divisi diff run-1 page.2`"),
        (
            &["watch", "1", "--from-start"],
            "page chooses: page.3 was chosen of 3 candidates",
        ),
    ] {
        stage.divisi(args).expect(0).says(words);
    }
    // The checkout after a merge is the chosen one's work and what depends on it.
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    let read = |path: &str| std::fs::read_to_string(stage.path(path)).ok();
    assert_eq!(read("page.md").as_deref(), Some("limits: two\n"));
    assert_eq!(read("copy.md").as_deref(), Some("limits: two\n"));
    assert_eq!(read("aside.md"), None);
    // What the others made is still there after whatever can go is gone.
    stage.divisi(&["gc", "--yes"]).expect(0);
    stage
        .divisi(&["diff", "1", "page.2"])
        .expect(0)
        .says("+aside");
    assert_eq!(
        git(stage.project(), &["status", "--porcelain", "page.md"]),
        ""
    );
}

#[test]
fn without_a_number_the_smaller_change_is_taken() {
    let stage = stage();
    let plan = page(|page| {
        page.as_object_mut().unwrap().remove("prefer");
    });
    stage.run(&plan, &["-j", "3"]).expect(0);
    let run = stage.only();
    let chosen = task(&run, "page").chosen.clone().unwrap();
    assert!(
        chosen
            .why
            .contains("the fewest changed lines: page.3 with 1 line, page.2 with 2002 lines"),
        "{}",
        chosen.why
    );
}

#[test]
fn a_program_that_prints_no_number_decides_nothing() {
    let stage = stage();
    let plan = page(|page| {
        page["prefer"] = json!({"command": ["sh", "-c", "wc -c page.md"], "want": "lowest"});
    });
    stage.run(&plan, &["-j", "3"]).expect(0);
    let run = stage.only();
    let chosen = task(&run, "page").chosen.clone().unwrap();
    for said in [
        "page.3 was chosen",
        "printed no single number: \"12 page.md\"",
    ] {
        assert!(chosen.why.contains(said), "{}", chosen.why);
    }
}

#[test]
fn where_none_passes_a_person_is_told_of_each_and_nothing_is_integrated() {
    let stage = stage();
    let plan = page(|page| {
        page["candidates"] = json!([{"agent": "custom.wrong"}, {"agent": "custom.wrong"}]);
        page["agent"] = json!("custom.good");
    });
    stage.run(&plan, &["-j", "3"]).expect(3);
    let run = stage.only();
    assert_eq!(task(&run, "page").status(), TaskStatus::Blocked);
    assert_eq!(stage.result("page.md"), None);
    let told = stage.divisi(&["explain", "1", "page"]).expect(0);
    let told = told
        .says("none of its 2 candidates passed: page.1: it failed once")
        .says("; page.2: it failed once");
    told.says("divisi retry run-1 page");
    // The task's own agent is the last resort.
    stage.divisi(&["retry", "1", "page"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.result("page.md").as_deref(), Some("limits: two\n"));
    let candidates = stage.divisi(&["retry", "1", "page.1"]);
    assert_ne!(candidates.code, 0, "{}", candidates.stderr);
}

#[test]
fn each_candidate_is_reserved_for_before_it_is_launched() {
    let stage = stage();
    let plan = page(|_| {});
    // Two attempts are permitted, and three candidates want one each.
    stage.run(&plan, &["-j", "3", "--budget", "2-attempts"]);
    let leased = stage.timed_events();
    let leased = leased
        .iter()
        .filter(|(_, event)| matches!(event, Event::AttemptLeased { .. }));
    assert_eq!(leased.count(), 2);
    let run = stage.only();
    assert!(run.paused.is_some(), "{:?}", run.status());
}
