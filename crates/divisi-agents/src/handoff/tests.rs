use std::collections::BTreeSet;

use divisi_core::Digest;

use super::fit::{INPUT_FILES_KEPT, STAGE_CONTEXT_BYTES_KEPT};
use super::*;

const SOURCE: &str = r#"{
  "handoff_id": "to-development-subtask-auth-002",
  "from": "orchestrator",
  "to": "development",
  "subtask_id": "auth-002-backend",
  "parent_orchestration": "orch-task-1762342920",
  "priority": "high",
  "context": {
    "orchestration_context": "Part of larger auth system implementation",
    "dependencies_completed": [
      "auth-001-design"
    ],
    "next_subtasks": [
      "auth-004-tests (waits for this)"
    ],
    "related_subtasks": [
      "auth-003-frontend (parallel)"
    ]
  },
  "created_at": "2025-11-05T18:05:00Z"
}"#;

fn source() -> Handoff {
    serde_json::from_str(SOURCE).unwrap()
}

#[test]
fn the_sources_form_is_read_and_written_unchanged() {
    assert_eq!(source().to_json(), SOURCE);
    assert_eq!(created_at(Time(1_762_365_900_123)), "2025-11-05T18:05:00Z");
}

#[test]
fn only_what_tells_something_makes_a_file() {
    assert!(source().is_bare());
    let answer = Answer {
        question: "which?".into(),
        answer: "b".into(),
    };
    let told = Handoff {
        answers: vec![answer],
        ..source()
    };
    assert!(!told.is_bare());
}

#[test]
fn what_failed_is_told_with_what_was_seen() {
    let criteria = [
        Criterion::ExitStatus,
        Criterion::File {
            path: "a.md".into(),
            min_bytes: 100,
        },
    ];
    let verdicts = [Verdict::pass(0), Verdict::fail(1, "a.md has 12 bytes")];
    let unmet = Unmet {
        criterion: "a.md has at least 100 bytes".into(),
        evidence: "a.md has 12 bytes".into(),
    };
    assert_eq!(Unmet::of(&criteria, &verdicts), [unmet]);
}

#[test]
fn a_big_handoff_loses_names_before_feedback_and_never_its_words() {
    let names: Vec<String> = (0..40_000).map(|n| format!("task-{n}")).collect();
    let mut big = source();
    big.context.dependencies_completed = names;
    big.feedback = (1..4)
        .map(|attempt| Feedback {
            attempt,
            reason: "x".repeat(50_000),
            exit: None,
            claimed_failure: None,
            denied: Vec::new(),
            unmet: Vec::new(),
            advice: Vec::new(),
        })
        .collect();
    let fitted = big.clone().within(None).unwrap();
    let kept = &fitted.context.dependencies_completed;
    assert_eq!(kept.last().unwrap(), "(and 39980 more)");
    assert_eq!(fitted.feedback.len(), 3);
    big.feedback[2].reason = "x".repeat(200_000);
    let fitted = big.clone().within(None).unwrap();
    assert_eq!((fitted.feedback.len(), fitted.feedback[0].attempt), (1, 3));
    let said = [
        "39980 names of tasks around this one",
        "why attempts up to number 2 were refused",
    ];
    assert_eq!(fitted.left_out, said);
    big.description = "x".repeat(HANDOFF_BYTES_MAX);
    let refused = big.within(None).unwrap_err();
    assert!(
        matches!(refused, TooBig::Bytes { bytes } if bytes > HANDOFF_BYTES_MAX),
        "{refused:?}"
    );
}

#[test]
fn an_input_of_thousands_of_files_is_named_by_some_of_them() {
    let file = |n: usize| Artifact {
        path: format!("pages/{n}.md"),
        digest: Digest::new(&"d".repeat(64)).unwrap(),
        bytes: 7,
    };
    let mut big = source();
    big.inputs = vec![Given {
        task: TaskId::new("pages").unwrap(),
        artifacts: (0..5_000).map(file).collect(),
        contents: Vec::new(),
    }];
    let fitted = big.clone().within(None).unwrap();
    assert_eq!(fitted.inputs[0].artifacts.len(), INPUT_FILES_KEPT);
    let said = ["4900 more files of inputs; they stand in the workspace"];
    assert_eq!(fitted.left_out, said);
}

#[test]
fn a_stage_context_is_cut_last_and_its_beginning_stays() {
    let mut big = source();
    big.stage_context = format!("All of one shop. {}", "x".repeat(60_000));
    let whole = big.clone().within(None).unwrap();
    assert_eq!(whole, big, "there is room for it");
    assert!(!big.is_bare());
    big.description = "x".repeat(HANDOFF_BYTES_MAX - 40_000);
    big.feedback = vec![Feedback {
        attempt: 1,
        reason: "no".into(),
        exit: None,
        claimed_failure: None,
        denied: Vec::new(),
        unmet: vec![Unmet {
            criterion: "it is short".into(),
            evidence: "y".repeat(2_000),
        }],
        advice: Vec::new(),
    }];
    let fitted = big.clone().within(None).unwrap();
    assert_eq!(fitted.description, big.description);
    assert!(fitted.stage_context.starts_with("All of one shop. xxx"));
    assert_eq!(fitted.stage_context.len(), STAGE_CONTEXT_BYTES_KEPT);
    let said = [
        "1 ends of what was seen of criteria",
        "the rest of what all of this stage are told",
    ];
    assert_eq!(fitted.left_out, said);
}

#[test]
fn of_many_files_that_it_takes_the_first_are_named_and_the_rest_is_counted() {
    let mut handoff = source();
    handoff.take_files((0..103).map(|n| format!("data/{n}.csv")).collect());
    assert_eq!(handoff.takes.len(), 100);
    assert_eq!(handoff.left_out, ["3 more files that it takes"]);
    let told = crate::adapter::prompt(&handoff);
    assert!(told.contains("- `data/99.csv`\n"), "{told}");
    assert!(!told.contains("data/100.csv"), "{told}");
}

#[test]
fn no_two_attempts_share_a_path() {
    let path = |to: &str, task: &str, attempt: u32| {
        let handoff = Handoff {
            to: to.to_owned(),
            subtask_id: TaskId::new(task).unwrap(),
            attempt,
            ..source()
        };
        handoff.path()
    };
    assert_eq!(
        path("development", "auth-002", 1),
        "development/to-development-subtask-auth-002.json"
    );
    let all = [
        path("a", "b", 1),
        path("a", "b", 2),
        path("a", "b.2", 1),
        path("a-subtask-b", "c", 1),
        path("a", "b-subtask-c", 1),
    ];
    let different: BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:?}");
    assert_eq!(path("../..", "a", 1), "-----/to-------subtask-a.json");
    assert_eq!(path("", "a", 1), "nobody/to-nobody-subtask-a.json");
}

#[test]
fn an_id_is_a_file_name() {
    let task = TaskId::new("auth-002").unwrap();
    assert_eq!(
        handoff_id("development", &task),
        "to-development-subtask-auth-002"
    );
    assert_eq!(handoff_id("../ü", &task), "to------subtask-auth-002");
}
