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
    // It is counted as one task that was solved by one of three attempts.
    let told = stage
        .divisi(&["feedback", "1", "--json"])
        .expect(0)
        .stdout
        .clone();
    let told: Value = serde_json::from_str(&told).unwrap();
    let figures = &told["stages"][0];
    let counts = ["tasks", "attempts", "retries", "failed"].map(|it| figures[it].as_u64());
    assert_eq!(counts, [2, 4, 0, 1].map(Some), "{figures}");
    // What the others made is still there after whatever can go is gone, in no folder of its own.
    stage.divisi(&["gc", "--yes"]).expect(0);
    assert_eq!(folders(&stage), Vec::<String>::new());
    stage
        .divisi(&["diff", "1", "page.2"])
        .expect(0)
        .says("+aside");
    assert_eq!(
        git(stage.project(), &["status", "--porcelain", "page.md"]),
        ""
    );
}

/// The folders of workspaces that are there.
fn folders(stage: &Stage) -> Vec<String> {
    let all = std::fs::read_dir(stage.path(".divisi/worktrees")).unwrap();
    let mut names: Vec<String> = all
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("run-"))
        .collect();
    names.sort();
    names
}

#[test]
fn the_folders_of_candidates_go_when_their_task_is_integrated_and_not_before() {
    let stage = stage();
    let agents = json!([{"agent": "custom.large"}, {"agent": "custom.good"}, {"agent": "person"}]);
    let mut plan = page(|page| page["candidates"] = agents);
    // It keeps the run open.
    plan["subtasks"][1] =
        json!({"subtask_id": "open", "agent": "person", "deliverables": ["o.md"]});
    stage.run(&plan, &["-j", "3"]).expect(4);
    let cleaned = stage.divisi(&["gc", "--yes"]).expect(0).stdout.clone();
    assert!(cleaned.contains("kept: run-1-t2-1"), "{cleaned}");
    assert!(cleaned.contains("kept: run-1-t3-1"), "{cleaned}");
    stage.divisi(&["cancel", "1", "page.3"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(4);
    assert_eq!(task(&stage.only(), "page").status(), TaskStatus::Done);
    stage.divisi(&["gc", "--yes"]).expect(0);
    let left = folders(&stage);
    let gone = ["run-1-t2-1", "run-1-t3-1"].map(str::to_owned);
    assert!(gone.iter().all(|it| !left.contains(it)), "{left:?}");
    stage
        .divisi(&["diff", "1", "page.1"])
        .expect(0)
        .says("+aside");
}

#[test]
fn a_candidate_whose_budget_is_used_up_is_given_up_and_the_others_go_on() {
    let stage = stage();
    let plan = page(|page| {
        page["retries"] = json!(2);
        page["budget"] = json!({"attempts": 1});
    });
    let used_up = "the budget of task page.1 of run-1 is used up: 1 attempt";
    stage
        .run(&plan, &["-j", "3"])
        .expect(0)
        .says(&format!("page.1 is given up: {used_up}"));
    let run = stage.only();
    let tasks = [
        ("page", "done"),
        ("after", "done"),
        ("page.1", "failed"),
        ("page.2", "done"),
        ("page.3", "done"),
    ];
    stands(&run, RunStatus::Succeeded, &tasks);
    let paused = |event: &Event| matches!(event, Event::RunPaused { .. });
    assert!(!stage.timed_events().iter().any(|(_, event)| paused(event)));
    let told = stage
        .divisi(&["explain", "1", "page.1"])
        .expect(0)
        .stdout
        .clone();
    assert!(
        told.contains(&format!("it was given up: {used_up}")),
        "{told}"
    );
    assert!(told.contains("the last time checks refused it"), "{told}");
    // Where that leaves none, a person decides.
    let plan = page(|page| {
        page["candidates"] = json!([{"agent": "custom.wrong"}, {"agent": "custom.wrong"}]);
        page["retries"] = json!(2);
        page["budget"] = json!({"attempts": 1});
    });
    stage
        .run(&plan, &["-j", "3"])
        .expect(3)
        .says("none of its 2 candidates passed: page.1: the budget of task page.1 of run-2");
}

#[test]
fn what_did_not_hold_on_the_whole_is_told_to_whoever_does_it_again() {
    let stage = stage();
    let mut plan = page(|page| {
        page["candidates"] = json!([{"agent": "custom.large"}, {"agent": "custom.good"}])
    });
    plan["criteria"] = json!([{"contains": "never said", "in": "page.md"}]);
    stage.run(&plan, &["-j", "3"]).expect(3);
    stage
        .divisi(&["explain", "1", "page.2"])
        .expect(0)
        .says("it is the candidate that was chosen for page\n");
    stage.divisi(&["retry", "1", "page"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(3);
    assert_eq!(task(&stage.only(), "page").attempts(), 2);
    let told = handoffs(&stage);
    let second = told.iter().find(|(path, _)| path.ends_with("page@2.json"));
    let (_, second) = second.unwrap_or_else(|| panic!("{told:?}"));
    for words in ["on the whole checks refused it", "never said"] {
        assert!(second.contains(words), "{words}: {second}");
    }
    for (args, words) in [
        (
            &["explain", "1", "page"][..],
            "; attempt 2 by custom.good came after that",
        ),
        (
            &["explain", "1", "page.2"],
            "for page first, and what was done since is not its work",
        ),
        (&["show", "1", "page"], "(done, chosen first)"),
        (
            &["report", "1"],
            "; attempt 2 by custom.good came after that",
        ),
    ] {
        stage.divisi(args).expect(0).says(words);
    }
}

#[test]
fn parts_are_told_of_no_candidate_that_failed_as_if_it_were_done() {
    let stage = stage();
    let plan = page(|page| {
        page["candidates"] = json!([{"agent": "custom.wrong"}, {"agent": "custom.wrong"}]);
    });
    stage.run(&plan, &["-j", "3"]).expect(3);
    let parts = json!([
        {"subtask_id": "one", "title": "Write page.md", "agent": "custom.good",
         "deliverables": ["page.md"]},
        {"subtask_id": "two", "command": ["true"], "dependencies": ["one"]},
    ]);
    write(stage.path("parts.json"), &parts.to_string());
    stage
        .divisi(&["split", "1", "page", "parts.json"])
        .expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let told = handoffs(&stage);
    let one = told.iter().find(|(path, _)| path.ends_with("-one.json"));
    let (_, one) = one.unwrap_or_else(|| panic!("{told:?}"));
    assert!(!one.contains("page.1") && !one.contains("page.2"), "{one}");
}

/// What attempts of the first run were told.
fn handoffs(stage: &Stage) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in std::fs::read_dir(stage.path(".divisi/runs/run-1/handoffs")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            all.push((
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    all
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
