use divisi_core::plan::{Candidate, Candidates, Preference, Want};

use super::super::{read, write};
use super::{one, plan, rendered};
use crate::estimate::Estimate;

fn of(fields: &str) -> Option<Candidates> {
    let text = one(&format!(r#""deliverables": ["a.md"], {fields}"#));
    plan(&text).tasks.remove(0).candidates
}

fn by(agent: &str) -> Candidate {
    Candidate {
        agent: Some(agent.to_owned()),
    }
}

#[test]
fn a_task_is_solved_so_often_or_once_by_each() {
    assert_eq!(of(r#""retries": 1"#), None);
    let three = Candidates {
        of: vec![Candidate::default(); 3],
        prefer: None,
    };
    assert_eq!(of(r#""candidates": 3"#), Some(three));
    let prefer = Preference {
        argv: vec!["wc".to_owned(), "a.md".to_owned()],
        timeout_ms: 30_000,
        want: Want::Highest,
    };
    let two = Candidates {
        of: vec![by("claude"), Candidate::default()],
        prefer: Some(prefer),
    };
    let text = r#""candidates": [{"agent": "claude"}, {}],
        "prefer": {"command": ["wc", "a.md"], "want": "highest", "timeout_minutes": 0.5}"#;
    assert_eq!(of(text), Some(two));
    let usual = of(r#""candidates": 2, "prefer": {"command": ["x"], "want": "lowest"}"#);
    let usual = usual.and_then(|it| it.prefer).unwrap();
    assert_eq!((usual.timeout_ms, usual.want), (600_000, Want::Lowest));
}

#[test]
fn what_is_written_is_read_again() {
    for fields in [
        r#""candidates": 5"#,
        r#""candidates": [{"agent": "claude"}, {"agent": "codex"}]"#,
        r#""candidates": [{}, {"agent": "person"}], "prefer": {"command": ["x", "ü"], "want": "lowest"}"#,
        r#""candidates": 2, "prefer": {"command": ["x"], "want": "highest", "timeout_minutes": 1}"#,
    ] {
        let text = one(&format!(r#""deliverables": ["a.md"], {fields}"#));
        let before = plan(&text);
        assert_eq!(plan(&write(&before)), before, "{fields}");
    }
}

#[test]
fn whatever_else_is_given_is_a_fault_with_its_place() {
    for (fields, cause) in [
        (
            r#""candidates": 1"#,
            "[text-number]: `candidates` is `1`, not a whole number from 2 to 5",
        ),
        (r#""candidates": 6"#, "[text-number]"),
        (r#""candidates": 2.5"#, "[text-number]"),
        (r#""candidates": -2"#, "[text-number]"),
        (r#""candidates": 1e300"#, "[text-number]"),
        (r#""candidates": "3""#, "[text-type]"),
        (r#""candidates": {"of": 3}"#, "[text-type]"),
        (
            r#""candidates": []"#,
            "[text-number]: `candidates` has 0 entries, not 2 to 5",
        ),
        (r#""candidates": [{}]"#, "[text-number]"),
        (r#""candidates": [{}, {}, {}, {}, {}, {}]"#, "[text-number]"),
        (r#""candidates": ["claude", "codex"]"#, "[text-type]"),
        (
            r#""candidates": [{"agent": "claud"}, {}]"#,
            "did you mean `claude`?",
        ),
        (
            r#""candidates": [{"agents": "claude"}, {}]"#,
            "[text-unknown-key]",
        ),
        (r#""candidates": [null, {}]"#, "[text-type]"),
        (
            r#""prefer": {"command": ["x"], "want": "lowest"}"#,
            "without `candidates` to choose from",
        ),
        (
            r#""candidates": 2, "prefer": {"command": ["x"]}"#,
            "lacks the key `want`",
        ),
        (
            r#""candidates": 2, "prefer": {"want": "lowest"}"#,
            "lacks the key `command`",
        ),
        (
            r#""candidates": 2, "prefer": {"command": ["x"], "want": "least"}"#,
            "[text-unknown-word]",
        ),
        (
            r#""candidates": 2, "prefer": {"command": [], "want": "lowest"}"#,
            "[text-command]",
        ),
        (
            r#""candidates": 2, "prefer": {"command": "x", "want": "lowest"}"#,
            "[text-type]",
        ),
        (
            r#""candidates": 2, "prefer": {"command": ["a\u0000"], "want": "lowest"}"#,
            "[text-command]",
        ),
        (
            r#""candidates": 2, "prefer": {"command": ["x"], "want": "lowest", "timeout_minutes": 0}"#,
            "[text-number]",
        ),
        (r#""candidates": 2, "prefer": "fewest""#, "[text-type]"),
        (
            r#""candidates": 2, "command": ["true"]"#,
            "[text-conflict]: `candidates` are of work",
        ),
        (
            r#""candidates": 2, "script": "true""#,
            "[text-conflict]: `candidates` are of work",
        ),
        (
            r#""candidates": 2, "kind": "approval""#,
            "[text-conflict]: `candidates` are of work",
        ),
        (
            r#""candidates": 2, "kind": "plan", "deliverables": ["p.json"]"#,
            "[text-conflict]: `candidates` are of work",
        ),
        (
            r#""candidates": 2, "workspace": "shared""#,
            "[text-conflict]: `candidates` work apart",
        ),
    ] {
        let text = one(fields);
        let told = rendered(&text);
        assert!(told.contains(cause), "{fields}: {told}");
        assert!(read("p", text.as_bytes()).plan.is_none(), "{fields}");
    }
}

#[test]
fn candidates_cost_so_many_times_as_much() {
    let text = |candidates: &str| {
        format!(
            r#"{{"task_title": "T", "subtasks": [
                {{"subtask_id": "a", "agent": "claude", "deliverables": ["a.md"]{candidates},
                  "estimated_duration_minutes": 10, "estimated_tokens": 1000}},
                {{"subtask_id": "b", "agent": "claude", "deliverables": ["b.md"], "dependencies": ["a"],
                  "estimated_duration_minutes": 5, "estimated_tokens": 1000}}]}}"#
        )
    };
    let of = |candidates: &str, slots| {
        let estimate = Estimate::of(&plan(&text(candidates)), slots);
        (
            estimate.tokens,
            estimate.workers,
            estimate.parallel_max,
            estimate.low_ms / 60_000,
        )
    };
    assert_eq!(of("", None), (2_000, 2, 1, 15));
    let three = r#", "candidates": 3"#;
    // Side by side they take the time of one.
    assert_eq!(of(three, None), (4_000, 4, 3, 15));
    assert_eq!(of(three, Some(1)), (4_000, 4, 3, 35));
}
