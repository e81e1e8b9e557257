use divisi_core::plan::{Deliverable, Estimate, Input, Priority, Template, Work};
use divisi_core::preparation::{Preparation, Setup};
use divisi_core::{Criterion, Format, Holds, TaskId, TaskKind, TaskSpec, WorkspaceKind};

use super::super::read_parts;
use super::{one, plan, plan_with_warnings, rendered};

/// A plan as another orchestrator writes it, with every field that it knows.
pub(super) const SOURCE: &str = r#"{
  "orchestration_id": "orch-task-1762342920",
  "parent_task_id": "task-1762342920",
  "task_title": "Add authentication system with security audit",
  "complexity": "high",
  "created_at": "2025-11-05T18:00:00Z",
  "status": "planning",

  "subtasks": [
    {
      "subtask_id": "auth-001-design",
      "parent_task_id": "task-1762342920",
      "title": "Design authentication architecture",
      "description": "Create architectural design for JWT-based auth system with role-based access control",
      "assigned_to": "development",
      "worker_type": "planner",
      "dependencies": [],
      "estimated_duration_minutes": 15,
      "estimated_tokens": 5000,
      "files_affected": ["docs/auth-architecture.md"],
      "success_criteria": "Architecture document created with API endpoints, database schema, and security considerations",
      "status": "pending",
      "created_at": "2025-11-05T18:00:00Z"
    },
    {
      "subtask_id": "auth-002-backend",
      "dependencies": ["auth-001-design"],
      "retry_count": 1,
      "retry_reason": "Worker zombie detected, reassigning",
      "retry_modifications": "Breaking into 2 smaller subtasks: auth endpoints and middleware separately"
    },
    {"subtask_id": "auth-003-frontend", "dependencies": ["auth-001-design"]},
    {"subtask_id": "auth-004-tests", "dependencies": ["auth-002-backend", "auth-003-frontend"]},
    {"subtask_id": "auth-005-security", "dependencies": ["auth-004-tests"]},
    {"subtask_id": "auth-006-docs", "dependencies": ["auth-005-security"]}
  ],

  "execution_plan": {
    "stage_1": ["auth-001-design"],
    "stage_2": ["auth-002-backend", "auth-003-frontend"],
    "stage_3": ["auth-004-tests"],
    "stage_4": ["auth-005-security"],
    "stage_5": ["auth-006-docs"]
  },

  "resource_estimate": {
    "total_subtasks": 6,
    "duration_estimate": "90-120 minutes",
    "token_estimate": 75000,
    "masters": ["development", "security"],
    "workers": 8
  },

  "progress": {
    "current_stage": 1,
    "completed_subtasks": [],
    "active_subtasks": [],
    "failed_subtasks": [],
    "zombie_subtasks": []
  },

  "orchestration_status": "blocked",
  "blocking_subtask": "auth-002-backend",
  "failure_reason": "Implementation worker failed 3 times",
  "escalation": "Notifying user for manual intervention"
}
"#;

/// A plan with every field and criterion of Divisi's own.
pub(super) const EVERYTHING: &str = r#"{
  "$schema": "plan.schema.json",
  "task_title": "everything",
  "criteria": [{"command": ["cargo", "test"], "timeout_minutes": 5}],
  "workspace": {
    "copy": [".env.local", "node_modules/**"],
    "setup": [["npm", "ci"], "npm run build\nnpm test"],
    "inputs": ["package*.json"],
    "timeout_minutes": 5
  },
  "resource_estimate": {
    "total_subtasks": 6,
    "total_estimated_duration": "90-120 minutes",
    "total_estimated_tokens": 75000,
    "masters_involved": ["development"],
    "workers_to_spawn": 8,
    "parallelization_possible": true,
    "bottlenecks": ["stage_3: security audit must wait for implementation"]
  },
  "subtasks": [
    {"subtask_id": "brief", "kind": "external", "inputs": ["incoming/brief.md"], "deliverables": ["brief.md"]},
    {"subtask_id": "ask", "kind": "approval", "title": "May we?", "dependencies": ["brief"]},
    {
      "subtask_id": "look",
      "kind": "research",
      "agent": "scripted",
      "agents_else": ["command", "person"],
      "inputs": ["brief", {"path": "docs/ask"}, {"task": "ask"}],
      "deliverables": ["look.md", {"path": "look.json"}],
      "criteria": [
        {"file": "look.md", "min_bytes": 100},
        {"contains": "\u00a7 API", "in": "look.md"},
        {"matches": "^## .*$", "in": "look.md"},
        {"lacks": "TBD", "in": "look.md"},
        {"section": "API", "in": "look.md"},
        {"format": "markdown", "in": "look.md"},
        {"cites": "look.md"},
        {"schema": "s.json", "in": "look.json"},
        {"command": ["cargo", "test"]},
        {"scope": ["look.*"]},
        {"changed": "look.md"},
        {"count": "reviews/*.md", "min": 5},
        {"count": "*.tmp", "max": 0},
        {"each": "src/**", "lacks": "TODO"},
        {"each": "**/*.json", "format": "json"},
        {"each": "docs/*.md", "min_bytes": 0},
        {"each": "docs/*.md", "contains": "a"},
        {"each": "docs/*.md", "section": "b"},
        "it helps"
      ],
      "success_criteria": ["it is short", "it is true"],
      "timeout_minutes": 0.5,
      "retries": 3,
      "priority": "critical",
      "estimated_seconds": 0.25
    },
    {"subtask_id": "try", "script": "make\nmake test", "ok_exit": [0, 3], "env": {"CC": "clang"}, "workspace": "scratch"},
    {"subtask_id": "sum", "kind": "compose", "inputs": ["look", "try"], "template": {"text": "{{ x }}", "output": "sum.md"}},
    {"subtask_id": "join", "kind": "compose", "dependencies": ["sum"], "criteria": [{"file": "sum.md"}]},
    {"subtask_id": "judge", "kind": "review", "assigned_to": "security", "dependencies": ["join"], "deliverables": ["verdict.json"]}
  ]
}
"#;

fn task(fields: &str) -> TaskSpec {
    plan_with_warnings(&one(fields)).tasks.remove(0)
}

fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

fn file(path: &str, min_bytes: u64) -> Criterion {
    Criterion::File {
        path: path.to_owned(),
        min_bytes,
    }
}

#[test]
fn the_sources_own_form_is_taken_as_it_is() {
    let plan = plan_with_warnings(SOURCE);
    assert_eq!(plan.title, "Add authentication system with security audit");
    let stages: Vec<usize> = plan.stages.iter().map(|stage| stage.tasks.len()).collect();
    assert_eq!(stages, [1, 2, 1, 1, 1]);
    let design = &plan.tasks[0];
    assert_eq!(design.role().as_deref(), Some("development/planner"));
    assert_eq!(design.work, Work::Handoff);
    assert_eq!(design.workspace, WorkspaceKind::Worktree);
    assert_eq!(design.scope, ["docs/auth-architecture.md"]);
    assert_eq!(design.deliverables, []);
    let estimate = Estimate {
        duration_ms: Some(900_000),
        duration_max_ms: None,
        tokens: Some(5_000),
    };
    assert_eq!(design.estimate, estimate);
    let words = "Architecture document created with API endpoints, database schema, and security considerations";
    assert_eq!(design.criteria, [Criterion::Plain { text: words.into() }]);
    assert_eq!(
        plan.tasks[3].dependencies,
        [id("auth-002-backend"), id("auth-003-frontend")]
    );
}

#[test]
fn a_task_that_only_a_person_can_judge_is_warned_about() {
    assert_eq!(
        rendered(&one(r#""success_criteria": "it is good""#)),
        r#"warning[plan-unfalsifiable]: no program can find `a` not done; it will wait for a person
 --> plan.json:1:49
  |
1 | {"task_title": "t", "subtasks": [{"subtask_id": "a", "success_criteria": "it is good"}]}
  |                                                 ^
hint: promise `deliverables`, or add to `criteria` what a program can check
"#
    );
    let unstated = Criterion::Plain {
        text: "the result is what was asked for".into(),
    };
    assert_eq!(task(r#""title": "x""#).criteria, [unstated]);
}

#[test]
fn every_field_reaches_the_plan() {
    let plan = plan(EVERYTHING);
    let preparation = Preparation {
        copy: vec![".env.local".into(), "node_modules/**".into()],
        setup: vec![
            Setup::Command(vec!["npm".into(), "ci".into()]),
            Setup::Script("npm run build\nnpm test".into()),
        ],
        inputs: Some(vec!["package*.json".into()]),
        timeout_ms: Some(300_000),
    };
    assert_eq!(plan.preparation, preparation);
    let look = &plan.tasks[2];
    assert_eq!(look.kind, TaskKind::Research);
    assert_eq!(look.agent.as_deref(), Some("scripted"));
    assert_eq!(look.agents_else, ["command", "person"]);
    let inputs = [
        Input::Task(id("brief")),
        Input::Path("docs/ask".into()),
        Input::Task(id("ask")),
    ];
    assert_eq!(look.inputs, inputs);
    let text_in = |text: &str| (text.to_owned(), "look.md".to_owned());
    let (text, path) = text_in("§ API");
    let (pattern, _) = text_in("^## .*$");
    let plain = |text: &str| Criterion::Plain { text: text.into() };
    let each = |pattern: &str, holds| Criterion::Each {
        pattern: pattern.into(),
        holds,
    };
    let expected = [
        file("look.md", 100),
        Criterion::Contains {
            text,
            path: path.clone(),
        },
        Criterion::Matches {
            pattern,
            path: path.clone(),
        },
        Criterion::Lacks {
            text: "TBD".into(),
            path: path.clone(),
        },
        Criterion::Section {
            heading: "API".into(),
            path: path.clone(),
        },
        Criterion::Format {
            format: Format::Markdown,
            path: path.clone(),
        },
        Criterion::Cites { path },
        Criterion::Schema {
            schema: "s.json".into(),
            path: "look.json".into(),
        },
        Criterion::Command {
            argv: vec!["cargo".into(), "test".into()],
            timeout_ms: 600_000,
        },
        Criterion::Scope {
            patterns: vec!["look.*".into()],
        },
        Criterion::Changed {
            pattern: "look.md".into(),
        },
        Criterion::Count {
            pattern: "reviews/*.md".into(),
            min: 5,
            max: None,
        },
        Criterion::Count {
            pattern: "*.tmp".into(),
            min: 0,
            max: Some(0),
        },
        each(
            "src/**",
            Holds::Lacks {
                text: "TODO".into(),
            },
        ),
        each(
            "**/*.json",
            Holds::Format {
                format: Format::Json,
            },
        ),
        each("docs/*.md", Holds::Size { min_bytes: 0 }),
        each("docs/*.md", Holds::Contains { text: "a".into() }),
        each(
            "docs/*.md",
            Holds::Section {
                heading: "b".into(),
            },
        ),
        plain("it helps"),
        plain("it is short"),
        plain("it is true"),
        file("look.json", 1),
    ];
    assert_eq!(look.criteria, expected);
    assert_eq!(look.timeout_ms, Some(30_000));
    assert_eq!(look.retries, Some(3));
    assert_eq!(look.priority, Priority::Critical);
    assert_eq!(look.estimate.duration_ms, Some(250));
    let attempt = &plan.tasks[3];
    assert_eq!(attempt.work, Work::Script("make\nmake test".into()));
    assert_eq!(attempt.ok_exit, [0, 3]);
    assert_eq!(attempt.env["CC"], "clang");
    assert_eq!(attempt.workspace, WorkspaceKind::Scratch);
    let argv = vec!["cargo".into(), "test".into()];
    assert_eq!(
        plan.criteria,
        [Criterion::Command {
            argv,
            timeout_ms: 300_000
        }]
    );
}

#[test]
fn criteria_follow_from_what_is_executed_and_promised() {
    let criteria = |fields: &str| task(fields).criteria;
    let exit = Criterion::ExitStatus;
    let plain = Criterion::Plain {
        text: "good".into(),
    };
    assert_eq!(criteria(r#""command": ["true"]"#), [Criterion::ExitStatus]);
    assert_eq!(criteria(r#""script": "true""#), [Criterion::ExitStatus]);
    assert_eq!(
        criteria(r#""command": ["true"], "deliverables": ["a.md"]"#),
        [file("a.md", 1)]
    );
    assert_eq!(
        criteria(r#""command": ["true"], "deliverables": ["a.md"], "ok_exit": [0]"#),
        [file("a.md", 1), exit.clone()]
    );
    assert_eq!(
        criteria(
            r#""command": ["true"], "deliverables": ["a.md"], "criteria": [{"file": "a.md", "min_bytes": 9}]"#
        ),
        [file("a.md", 9)]
    );
    assert_eq!(
        criteria(r#""command": ["true"], "success_criteria": "good""#),
        [plain, exit]
    );
    assert_eq!(criteria(r#""kind": "approval""#), []);
}

#[test]
fn workspaces_follow_from_what_is_promised() {
    let workspace = |fields: &str| task(fields).workspace;
    let (worktree, shared) = (WorkspaceKind::Worktree, WorkspaceKind::Shared);
    assert_eq!(workspace(r#""command": ["true"]"#), shared);
    assert_eq!(
        workspace(r#""command": ["true"], "criteria": [{"command": ["true"]}]"#),
        shared
    );
    assert_eq!(workspace(r#""kind": "approval""#), shared);
    assert_eq!(
        workspace(r#""command": ["true"], "deliverables": ["a"]"#),
        worktree
    );
    assert_eq!(
        workspace(r#""command": ["true"], "criteria": [{"scope": ["a"]}]"#),
        worktree
    );
    assert_eq!(
        workspace(r#""script": "x", "criteria": [{"file": "a"}]"#),
        worktree
    );
    assert_eq!(workspace(r#""title": "x""#), worktree);
    assert_eq!(workspace(r#""title": "x", "workspace": "shared""#), shared);
    let composed = r#""kind": "compose", "command": ["true"], "inputs": ["b"]"#;
    assert_eq!(workspace(composed), worktree);
}

#[test]
fn a_templates_output_is_promised() {
    let composed = task(
        r#""kind": "compose", "inputs": ["b"], "template": {"path": "t.md", "output": "o.md"}"#,
    );
    let template = Template {
        text: None,
        path: Some("t.md".into()),
        output: "o.md".into(),
    };
    assert_eq!(composed.work, Work::Template(template));
    assert_eq!(
        composed.deliverables,
        [Deliverable {
            path: "o.md".into()
        }]
    );
    assert_eq!(composed.criteria, [file("o.md", 1)]);
    let merged = task(r#""kind": "compose", "inputs": ["b"], "criteria": [{"file": "x"}]"#);
    assert_eq!(merged.work, Work::Nothing);
}

#[test]
fn what_somebody_composes_is_handed_over() {
    for by in [
        r#""agent": "claude""#,
        r#""assigned_to": "documentation""#,
        r#""worker_type": "documentation""#,
    ] {
        let composed = task(&format!(
            r#""kind": "compose", "inputs": ["b"], "deliverables": ["all.md"], {by}"#
        ));
        assert_eq!(
            (composed.kind, &composed.work),
            (TaskKind::Compose, &Work::Handoff)
        );
        assert_eq!(composed.criteria, [file("all.md", 1)]);
    }
}

#[test]
fn null_means_not_given_and_whole_numbers_may_have_a_point() {
    let spec =
        task(r#""command": ["true"], "agent": null, "estimated_tokens": 5e3, "retries": 2.0"#);
    assert_eq!(spec.agent, None);
    assert_eq!(spec.estimate.tokens, Some(5_000));
    assert_eq!(spec.retries, Some(2));
}

#[test]
fn stages_go_by_their_numbers_or_by_their_place() {
    let names = |stages: &str| -> Vec<String> {
        let text = format!(
            r#"{{"task_title": "t", "execution_plan": {stages}, "subtasks": [
                {{"subtask_id": "a", "command": ["true"]}},
                {{"subtask_id": "b", "command": ["true"]}}]}}"#
        );
        plan(&text)
            .stages
            .into_iter()
            .map(|stage| stage.name)
            .collect()
    };
    assert_eq!(
        names(r#"{"stage_10": ["a"], "stage_9": ["b"]}"#),
        ["stage_9", "stage_10"]
    );
    assert_eq!(
        names(r#"{"zeta": ["a"], "alpha": ["b"]}"#),
        ["zeta", "alpha"]
    );
    assert_eq!(names("{}"), [""; 0]);
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let text = format!("\u{feff}{}", one(r#""command": ["true"]"#));
    assert_eq!(plan(&text).tasks.len(), 1);
}

#[test]
fn parts_are_read_as_a_list_or_as_subtasks() {
    let list = r#"[{"subtask_id": "a", "command": ["true"]},
                   {"subtask_id": "b", "command": ["true"], "dependencies": ["a"]}]"#;
    let object = format!(r#"{{"subtasks": {list}}}"#);
    let parts = read_parts("p", list.as_bytes()).parts.unwrap();
    assert_eq!(parts.tasks[1].dependencies, [id("a")]);
    assert_eq!(read_parts("p", object.as_bytes()).parts, Some(parts));
    let faults = |text: &str| -> Vec<String> {
        let read = read_parts("p", text.as_bytes());
        assert_eq!(read.parts, None);
        read.diagnostics.into_iter().map(|d| d.code).collect()
    };
    assert_eq!(faults("[]"), ["plan-empty"]);
    assert_eq!(faults("7"), ["text-type"]);
    assert_eq!(faults("{}"), ["text-missing"]);
    let twice = r#"[{"subtask_id": "a", "command": ["x"]}, {"subtask_id": "a", "command": ["x"]}]"#;
    assert_eq!(faults(twice), ["plan-duplicate-id"]);
    let outside = r#"[{"subtask_id": "a", "command": ["x"], "dependencies": ["z"]}]"#;
    assert_eq!(faults(outside), ["plan-unknown-id"]);
}

#[test]
fn parts_may_share_a_stage_context() {
    let text = r#"{"stage_context": "All of one shop.\nIts currency is the euro.",
                   "subtasks": [{"subtask_id": "a", "command": ["true"]}]}"#;
    let parts = read_parts("p", text.as_bytes()).parts.unwrap();
    assert_eq!(
        parts.stage_context,
        "All of one shop.\nIts currency is the euro."
    );
    assert_eq!((parts.tasks.len(), parts.stages.len()), (1, 0));
}

#[test]
fn a_whole_plan_is_read_as_parts_with_its_stages() {
    let plan = |more: &str| {
        format!(
            r#"{{"task_title": "t", "complexity": "high",
                "subtasks": [{{"subtask_id": "a", "command": ["true"]}},
                             {{"subtask_id": "b", "command": ["true"]}}],
                "execution_plan": {{"stage_1": ["b"], "stage_2": ["a"]}}{more}}}"#
        )
    };
    let parts = read_parts("p", plan("").as_bytes()).parts.unwrap();
    assert_eq!(parts.stages[0].tasks, [id("b")]);
    assert_eq!(parts.stages[1].tasks, [id("a")]);
    // What it says of the whole would be lost.
    let read = read_parts("p", plan(r#", "criteria": ["it is fine"]"#).as_bytes());
    assert_eq!(read.parts, None);
    let [fault] = &read.diagnostics[..] else {
        panic!("one fault: {:?}", read.diagnostics);
    };
    assert_eq!(
        fault.to_string(),
        "[text-conflict] p:4:73: a plan that takes a task's place has `criteria` of its own"
    );
}

#[test]
fn a_plan_task_promises_its_plan_and_nothing_else() {
    let task = &plan(&one(
        r#""kind": "plan", "agent": "scripted", "script": "{}", "deliverables": ["plan.json"]"#,
    ))
    .tasks[0];
    assert_eq!(task.kind, TaskKind::Plan);
    assert_eq!(task.workspace, WorkspaceKind::Worktree);
    let file = Criterion::File {
        path: "plan.json".into(),
        min_bytes: 1,
    };
    assert_eq!(task.criteria, [file]);
    for (rest, fault) in [
        (r#""kind": "plan""#, "text-missing"),
        (r#""kind": "plan", "deliverables": []"#, "text-missing"),
        (
            r#""kind": "plan", "deliverables": ["a.json", "b.md"]"#,
            "text-conflict",
        ),
        (
            r#""kind": "plan", "deliverables": ["a.json"], "workspace": "shared""#,
            "text-conflict",
        ),
        (
            r#""kind": "plan", "deliverables": ["a.json"], "template": {"output": "a.json"}"#,
            "text-conflict",
        ),
    ] {
        let read = super::super::read("p", one(rest).as_bytes());
        assert_eq!(read.plan, None, "{rest}");
        assert_eq!(read.diagnostics[0].code, fault, "{rest}");
    }
}

#[test]
fn an_estimate_may_be_longer_than_any_time_box() {
    let thousand_years_ms = 1_000 * 365 * 24 * 60 * 60 * 1_000;
    for fields in [
        r#""command": ["a"], "estimated_duration_minutes": 525600000"#,
        r#""command": ["a"], "estimated_seconds": 31536000000"#,
    ] {
        assert_eq!(task(fields).estimate.duration_ms, Some(thousand_years_ms));
    }
    // To the millisecond, however long.
    let precise = task(r#""command": ["a"], "estimated_seconds": 31535999999.999"#);
    assert_eq!(precise.estimate.duration_ms, Some(thousand_years_ms - 1));
    let boxed = task(r#""command": ["a"], "timeout_minutes": 525600"#);
    assert_eq!(boxed.timeout_ms, Some(thousand_years_ms / 1_000));
}

#[test]
fn a_person_is_given_no_program() {
    for program in [r#""script": "echo 1 > 1.md""#, r#""command": ["make"]"#] {
        let text = one(&format!(r#"{program}, "agent": "person""#));
        let read = super::super::read("p", text.as_bytes());
        assert_eq!(read.plan, None, "{program}");
        let fault = read.diagnostics[0].to_string();
        assert!(fault.contains("[text-conflict]"), "{fault}");
        assert!(fault.contains("a person does no `"), "{fault}");
    }
    let text = one(r#""description": "Make 1.md", "agent": "person""#);
    assert!(super::super::read("p", text.as_bytes()).plan.is_some());
}
