use std::collections::BTreeSet;

use super::super::read;
use super::{one, rendered};
use crate::CODES;

fn codes(text: &[u8]) -> Vec<String> {
    let found = read("p", text).diagnostics.into_iter();
    let mut codes: Vec<String> = found.map(|d| d.code).collect();
    codes.dedup();
    codes
}

fn of_one(fields: &str) -> Vec<String> {
    codes(one(fields).as_bytes())
}

#[test]
fn an_agent_that_there_is_not_is_a_fault_with_the_nearest_name() {
    let text = r#"{"task_title": "T", "subtasks": [
  {"subtask_id": "a", "agent": "presno", "agents_else": ["person", "quill"]}
]}"#;
    assert_eq!(
        rendered(text),
        r#"error[plan-agent]: there is no agent `presno`
 --> plan.json:2:32
  |
2 |   {"subtask_id": "a", "agent": "presno", "agents_else": ["person", "quill"]}
  |                                ^
hint: did you mean `person`?
hint: there are command, person, scripted, claude, codex, opencode, gemini, qwen, copilot, claude-acp, opencode-acp, gemini-acp, copilot-acp, qwen-acp, model, auto
error[plan-agent]: there is no agent `quill`
 --> plan.json:2:68
  |
2 |   {"subtask_id": "a", "agent": "presno", "agents_else": ["person", "quill"]}
  |                                                                    ^
hint: there are command, person, scripted, claude, codex, opencode, gemini, qwen, copilot, claude-acp, opencode-acp, gemini-acp, copilot-acp, qwen-acp, model
"#
    );
}

#[test]
fn only_who_does_a_task_first_can_be_left_open() {
    let text = r#"{"task_title": "T", "subtasks": [
  {"subtask_id": "a", "agent": "auto", "agents_else": ["auto"]}
]}"#;
    let told = rendered(text);
    let cause = "error[plan-agent]: the agent `auto` cannot stand in `agents_else`";
    assert!(told.starts_with(cause), "{told}");
    assert_eq!(told.matches("error[").count(), 1, "{told}");
}

#[test]
fn all_faults_are_shown_at_once_with_place_and_nearest_name() {
    let text = r#"{
  "task_titel": "Ship it",
  "subtasks": [
    {"subtask_id": "desgin", "command": ["true"], "dependencies": ["review"]},
    {"subtask_id": "build", "command": [], "dependencies": ["design"], "timeout_minutes": -1},
    {"subtask_id": "review", "kind": "reveiw", "dependencies": ["desgin"], "deliverables": ["../x"]},
    {"subtask_id": "build", "script": "x", "criteria": [{"contians": "x", "in": "a"}]}
  ]
}"#;
    assert_eq!(
        rendered(text),
        r#"error[text-missing]: the plan lacks the key `task_title`
 --> plan.json:1:1
  |
1 | {
  | ^
error[text-unknown-key]: the plan has no key `task_titel`
 --> plan.json:2:3
  |
2 |   "task_titel": "Ship it",
  |   ^
hint: did you mean `task_title`?
error[plan-cycle]: tasks wait for each other: desgin → review → desgin
 --> plan.json:4:68
  |
4 |     {"subtask_id": "desgin", "command": ["true"], "dependencies": ["review"]},
  |                                                                    ^
hint: take one of these dependencies out
error[text-command]: `command` names no program
 --> plan.json:5:40
  |
5 |     {"subtask_id": "build", "command": [], "dependencies": ["design"], "timeout_minutes": -1},
  |                                        ^
error[plan-unknown-id]: no task has the id `design`
 --> plan.json:5:61
  |
5 |     {"subtask_id": "build", "command": [], "dependencies": ["design"], "timeout_minutes": -1},
  |                                                             ^
hint: did you mean `desgin`?
error[text-number]: `timeout_minutes` is `-1`, not a number from 0 to 525600
 --> plan.json:5:91
  |
5 |     {"subtask_id": "build", "command": [], "dependencies": ["design"], "timeout_minutes": -1},
  |                                                                                           ^
error[text-unknown-word]: `kind` is `reveiw`, not one of work, research, compose, plan, review, external, approval
 --> plan.json:6:38
  |
6 |     {"subtask_id": "review", "kind": "reveiw", "dependencies": ["desgin"], "deliverables": ["../x"]}…
  |                                      ^
hint: did you mean `review`?
error[text-path]: the path `../x` has the component `..`, which leads out of the tree
 --> plan.json:6:93
  |
6 | …nd": "reveiw", "dependencies": ["desgin"], "deliverables": ["../x"]},
  |                                                              ^
error[plan-duplicate-id]: two tasks have the id `build`
 --> plan.json:7:20
  |
7 |     {"subtask_id": "build", "script": "x", "criteria": [{"contians": "x", "in": "a"}]}
  |                    ^
hint: the first one stands in line 5
error[text-criterion]: the criterion has none of the keys file, contains, matches, lacks, section, format, schema, command, scope, changed, count, cites, each
 --> plan.json:7:57
  |
7 |     {"subtask_id": "build", "script": "x", "criteria": [{"contians": "x", "in": "a"}]}
  |                                                         ^
hint: did you mean `contains`?
"#
    );
}

#[test]
fn faults_of_the_workspace_are_shown_at_once() {
    let text = r#"{"task_title": "t", "subtasks": [
  {"subtask_id": "a", "script": "x", "deliverables": ["dist/app.js"]}
], "workspace": {
  "copy": ["/etc/passwd", "dist", "a/[b", ".git/config", "ok/**"],
  "setups": [],
  "inputs": ["package.json"]
}}"#;
    assert_eq!(
        rendered(text),
        r#"error[text-path]: the pattern `/etc/passwd` is absolute; paths are relative to the tree's root
 --> plan.json:4:12
  |
4 |   "copy": ["/etc/passwd", "dist", "a/[b", ".git/config", "ok/**"],
  |            ^
error[text-conflict]: `dist` would copy `dist/app.js`, which the task `a` promises
 --> plan.json:4:27
  |
4 |   "copy": ["/etc/passwd", "dist", "a/[b", ".git/config", "ok/**"],
  |                           ^
error[text-pattern]: the pattern `a/[b` does not parse: unclosed character class; missing ']'
 --> plan.json:4:35
  |
4 |   "copy": ["/etc/passwd", "dist", "a/[b", ".git/config", "ok/**"],
  |                                   ^
error[text-path]: the pattern `.git/config` leads into git's own folder
 --> plan.json:4:43
  |
4 |   "copy": ["/etc/passwd", "dist", "a/[b", ".git/config", "ok/**"],
  |                                           ^
error[text-unknown-key]: the workspace has no key `setups`
 --> plan.json:5:3
  |
5 |   "setups": [],
  |   ^
hint: did you mean `setup`?
error[text-conflict]: `inputs` is given, but nothing is in `setup`
 --> plan.json:6:13
  |
6 |   "inputs": ["package.json"]
  |             ^
"#
    );
}

#[test]
fn faults_of_setup_are_told() {
    let of = |workspace: &str| {
        codes(format!(
            r#"{{"task_title": "t", "subtasks": [{{"subtask_id": "a", "command": ["true"]}}], "workspace": {workspace}}}"#
        ).as_bytes())
    };
    assert_eq!(of(r#"{"setup": [["true"], "true"]}"#), [""; 0]);
    assert_eq!(of("[]"), ["text-type"]);
    assert_eq!(of(r#"{"setup": ["  "]}"#), ["text-command"]);
    assert_eq!(of(r#"{"setup": [[]]}"#), ["text-command"]);
    assert_eq!(of(r#"{"setup": [{"command": ["true"]}]}"#), ["text-type"]);
    assert_eq!(
        of(r#"{"setup": ["x"], "timeout_minutes": 0}"#),
        ["text-number"]
    );
    let many = vec![r#""x""#; 101].join(",");
    assert_eq!(of(&format!(r#"{{"setup": [{many}]}}"#)), ["text-too-large"]);
    assert_eq!(of(&format!(r#"{{"copy": [{many}]}}"#)), ["text-too-large"]);
}

#[test]
fn faults_of_stages_are_shown_at_once() {
    let text = r#"{"task_title": "t",
"execution_plan": {
  "stage_2": ["a", "x"],
  "stage_1": ["b", "c", "c"],
  "later": [],
  "stage_02": ["a"]
},
"subtasks": [
  {"subtask_id": "a", "command": ["true"]},
  {"subtask_id": "b", "command": ["true"], "dependencies": ["a"]},
  {"subtask_id": "c", "command": ["true"], "dependencies": ["b"]},
  {"subtask_id": "d", "command": ["true"], "inputs": ["d"]}
]}"#;
    let found = read("p", text.as_bytes()).diagnostics;
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "[plan-unknown-id] p:3:20: no task has the id `x`",
            "[plan-stage-twice] p:4:25: the task `c` already stands in a stage",
            "[plan-stage-empty] p:5:3: the stage `later` has no task",
            "[plan-stage-names] p:5:3: the stage `later` has no number, but others have",
            "[plan-stage-twice] p:6:16: the task `a` already stands in a stage",
            "[plan-stage-order] p:11:61: `c` depends on `b`, which stands in its own stage",
            "[plan-stage-missing] p:12:18: the task `d` stands in no stage",
            "[plan-cycle] p:12:55: a task waits for itself: d → d",
        ]
    );
    let input = text.replace("\"dependencies\": [\"b\"]", "\"inputs\": [\"b\"]");
    let found = read("p", input.as_bytes()).diagnostics;
    assert_eq!(
        found[5].to_string(),
        "[plan-stage-order] p:11:55: `c` depends on `b`, which stands in its own stage"
    );
    let later = r#"{"task_title": "t", "execution_plan": {"stage_1": ["b"], "stage_2": ["a"]},
        "subtasks": [{"subtask_id": "a", "command": ["true"]},
        {"subtask_id": "b", "command": ["true"], "dependencies": ["a"]}]}"#;
    let found = read("p", later.as_bytes()).diagnostics;
    assert_eq!(
        found[0].cause,
        "`b` depends on `a`, which stands in a later stage"
    );
    assert_eq!(found[0].hints, ["move `b` to a stage after that of `a`"]);
}

#[test]
fn hostile_ids_and_paths_are_refused_wherever_they_stand() {
    for id in [
        "",
        "../x",
        "a b",
        ".git",
        "-rf",
        "a\\u0000",
        "a.lock",
        "\\u001b[2J",
    ] {
        let text = format!(r#"[{{"subtask_id": "{id}", "command": ["true"]}}]"#);
        let parts = super::super::read_parts("p", text.as_bytes());
        assert_eq!(parts.diagnostics.len(), 1, "{id}");
        assert_eq!(parts.diagnostics[0].code, "text-id", "{id}");
    }
    let places = [
        r#""deliverables": ["P"]"#,
        r#""deliverables": [{"path": "P"}]"#,
        r#""inputs": ["P"]"#,
        r#""inputs": [{"path": "P"}]"#,
        r#""files_affected": ["P"]"#,
        r#""criteria": [{"file": "P"}]"#,
        r#""criteria": [{"contains": "x", "in": "P"}]"#,
        r#""criteria": [{"matches": "x", "in": "P"}]"#,
        r#""criteria": [{"lacks": "x", "in": "P"}]"#,
        r#""criteria": [{"section": "x", "in": "P"}]"#,
        r#""criteria": [{"format": "json", "in": "P"}]"#,
        r#""criteria": [{"schema": "a", "in": "P"}]"#,
        r#""criteria": [{"schema": "P", "in": "a"}]"#,
        r#""criteria": [{"scope": ["P"]}]"#,
        r#""criteria": [{"count": "P", "min": 1}]"#,
        r#""criteria": [{"each": "P", "lacks": "x"}]"#,
        r#""kind": "compose", "template": {"path": "P", "output": "a"}"#,
        r#""kind": "compose", "template": {"output": "P"}"#,
    ];
    for place in places {
        for path in [
            "/etc/passwd",
            "../x",
            "a//b",
            ".git/hooks/x",
            "a\\\\b",
            "a\\u0000",
        ] {
            let fields = place.replace('P', path);
            let found = of_one(&format!(r#""command": ["true"], {fields}"#));
            assert!(
                found.contains(&"text-path".to_owned()),
                "{fields}: {found:?}"
            );
        }
    }
}

/// The smallest files of each fault.
fn examples() -> Vec<(&'static str, Vec<u8>)> {
    let many_stages: Vec<String> = (0..11).map(|n| format!("\"s{n}\": [\"t{n}\"]")).collect();
    let many_tasks: Vec<String> = (0..11)
        .map(|n| format!("{{\"subtask_id\": \"t{n}\", \"command\": [\"true\"]}}"))
        .collect();
    let many_faults: Vec<String> = (0..101).map(|n| format!("\"x{n}\": 1")).collect();
    let many_criteria = vec!["\"x\""; 1001].join(",");
    let staged = |stages: &str| {
        let task = r#"{"subtask_id": "a", "command": ["true"]}"#;
        format!(r#"{{"task_title": "t", "subtasks": [{task}], "execution_plan": {stages}}}"#)
    };
    let texts: Vec<(&str, String)> = vec![
        ("text-command", one(r#""command": [""]"#)),
        ("text-command", one(r#""command": ["a\u0000"]"#)),
        ("text-command", one(r#""script": " ""#)),
        ("text-conflict", one(r#""command": ["a"], "script": "a""#)),
        (
            "text-conflict",
            one(r#""kind": "approval", "command": ["a"]"#),
        ),
        (
            "text-conflict",
            one(r#""kind": "approval", "criteria": ["a"]"#),
        ),
        ("text-conflict", one(r#""template": {"output": "a"}"#)),
        (
            "text-conflict",
            one(r#""command": ["a"], "criteria": [{"file": "a", "lacks": "b"}]"#),
        ),
        (
            "text-conflict",
            one(r#""command": ["a"], "workspace": "shared", "deliverables": ["a"]"#),
        ),
        (
            "text-conflict",
            one(r#""kind": "approval", "ok_exit": [0]"#),
        ),
        (
            "text-conflict",
            one(r#""command": ["a"], "estimated_seconds": 1, "estimated_duration_minutes": 1"#),
        ),
        (
            "text-criterion",
            one(r#""command": ["a"], "criteria": [{}]"#),
        ),
        (
            "plan-cycle",
            one(r#""command": ["a"], "dependencies": ["a"]"#),
        ),
        ("plan-same-file", promising("", "")),
        (
            "text-duplicate-key",
            one(r#""command": ["a"], "command": ["b"]"#),
        ),
        (
            "text-duplicate-key",
            one(r#""command": ["a"], "env": {"A": "1", "A": "2"}"#),
        ),
        (
            "plan-empty",
            r#"{"task_title": "t", "subtasks": []}"#.into(),
        ),
        ("text-env", one(r#""command": ["a"], "env": {"1A": ""}"#)),
        (
            "text-env",
            one(r#""command": ["a"], "env": {"DIVISI_ATTEMPT": "1/1.1"}"#),
        ),
        (
            "text-env",
            one(r#""command": ["a"], "env": {"A": "\u0000"}"#),
        ),
        ("plan-agent", one(r#""agent": "nobody""#)),
        (
            "plan-input",
            r#"{"task_title": "t", "subtasks": [{"subtask_id": "design", "command": ["a"]},
            {"subtask_id": "b", "command": ["a"], "inputs": ["desing"]}]}"#
                .into(),
        ),
        (
            "text-missing",
            r#"{"subtasks": [{"subtask_id": "a", "command": ["a"]}]}"#.into(),
        ),
        ("text-missing", r#"{"task_title": "t"}"#.into()),
        (
            "text-missing",
            r#"{"task_title": "t", "subtasks": [{"command": ["a"]}]}"#.into(),
        ),
        (
            "text-missing",
            one(r#""command": ["a"], "criteria": [{"contains": "a"}]"#),
        ),
        (
            "text-missing",
            one(r#""command": ["a"], "criteria": [{"count": "a"}]"#),
        ),
        (
            "text-missing",
            one(r#""command": ["a"], "criteria": [{"each": "a"}]"#),
        ),
        (
            "text-conflict",
            one(r#""command": ["a"], "criteria": [{"each": "a", "lacks": "b", "contains": "c"}]"#),
        ),
        (
            "text-unknown-key",
            one(r#""command": ["a"], "criteria": [{"each": "a", "lacks": "b", "in": "c"}]"#),
        ),
        (
            "text-missing",
            one(r#""kind": "external", "deliverables": ["a"]"#),
        ),
        (
            "text-missing",
            one(r#""kind": "external", "inputs": ["a"], "deliverables": []"#),
        ),
        (
            "text-missing",
            one(r#""kind": "compose", "criteria": [{"file": "a"}]"#),
        ),
        ("text-number", one(r#""command": ["a"], "retries": 1e9"#)),
        ("text-number", one(r#""command": ["a"], "retries": 1.5"#)),
        (
            "text-number",
            one(r#""command": ["a"], "timeout_minutes": 0"#),
        ),
        (
            "text-number",
            one(r#""command": ["a"], "timeout_minutes": 1e999"#),
        ),
        (
            "text-number",
            one(r#""command": ["a"], "timeout_minutes": 525601"#),
        ),
        (
            "text-number",
            one(r#""command": ["a"], "estimated_duration_minutes": 525600001"#),
        ),
        (
            "text-number",
            one(r#""command": ["a"], "estimated_seconds": 31536000001"#),
        ),
        (
            "text-number",
            one(r#""command": ["a"], "estimated_tokens": -1"#),
        ),
        ("text-number", one(r#""command": ["a"], "ok_exit": [256]"#)),
        ("text-number", one(r#""command": ["a"], "ok_exit": []"#)),
        (
            "text-number",
            one(r#""command": ["a"], "criteria": [{"count": "a", "min": 2, "max": 1}]"#),
        ),
        (
            "text-pattern",
            one(r#""command": ["a"], "criteria": [{"matches": "(", "in": "a"}]"#),
        ),
        (
            "text-pattern",
            one(r#""command": ["a"], "criteria": [{"matches": "\\w{9999}", "in": "a"}]"#),
        ),
        (
            "text-pattern",
            one(r#""command": ["a"], "criteria": [{"scope": ["[a"]}]"#),
        ),
        (
            "text-path",
            one(r#""command": ["a"], "files_affected": ["src/"]"#),
        ),
        ("plan-stage-empty", staged(r#"{"x": ["a"], "y": []}"#)),
        ("plan-stage-missing", staged(r#"{"x": ["b"]}"#)),
        (
            "plan-stage-names",
            staged(r#"{"stage_1": ["a"], "stage_01": ["a"]}"#),
        ),
        (
            "plan-stage-order",
            staged(r#"{"x": ["a"]}"#)
                .replace("\"command\"", "\"dependencies\": [\"a\"], \"command\""),
        ),
        ("plan-stage-twice", staged(r#"{"x": ["a"], "y": ["a"]}"#)),
        (
            "plan-stages-many",
            format!(
                "{{\"task_title\": \"t\", \"subtasks\": [{}], \"execution_plan\": {{{}}}}}",
                many_tasks.join(","),
                many_stages.join(",")
            ),
        ),
        ("text-syntax", "{\"task_title\": }".into()),
        ("text-content", one(r#""command": ["a"], "title": """#)),
        ("text-content", one(r#""command": ["a"], "title": "a\nb""#)),
        (
            "text-content",
            one(r#""command": ["a"], "success_criteria": """#),
        ),
        ("text-too-deep", "[".repeat(100)),
        (
            "text-too-large",
            one(&format!(
                r#""command": ["a"], "criteria": [{many_criteria}]"#
            )),
        ),
        ("text-type", "[]".into()),
        ("text-type", one(r#""command": "cargo test""#)),
        ("text-type", one(r#""command": ["a"], "dependencies": "b""#)),
        ("text-type", one(r#""command": ["a"], "dependencies": [1]"#)),
        ("text-type", one(r#""command": ["a"], "status": 1"#)),
        (
            "text-type",
            r#"{"task_title": "t", "subtasks": [1]}"#.into(),
        ),
        ("plan-unfalsifiable", one(r#""title": "x""#)),
        (
            "plan-unknown-id",
            one(r#""command": ["a"], "dependencies": ["b"]"#),
        ),
        (
            "plan-unknown-id",
            one(r#""command": ["a"], "inputs": [{"task": "b"}]"#),
        ),
        ("text-unknown-key", one(r#""comand": ["a"]"#)),
        (
            "text-unknown-word",
            one(r#""command": ["a"], "priority": "urgent""#),
        ),
        (
            "plan-duplicate-id",
            r#"{"task_title": "t", "subtasks": [
            {"subtask_id": "a", "command": ["a"]}, {"subtask_id": "a", "command": ["a"]}]}"#
                .into(),
        ),
        (
            "text-id",
            r#"{"task_title": "t", "subtasks": [{"subtask_id": "a/b", "command": ["a"]}]}"#.into(),
        ),
        ("text-more", one(&many_faults.join(","))),
    ];
    let texts = texts
        .into_iter()
        .map(|(code, text)| (code, text.into_bytes()));
    texts
        .chain([("text-encoding", b"{\"task_title\": \"\xff\"}".to_vec())])
        .collect()
}

#[test]
fn every_code_is_emitted_by_an_example() {
    let mut emitted = BTreeSet::new();
    for (code, text) in examples() {
        let found = codes(&text);
        let shown = String::from_utf8_lossy(&text[..text.len().min(300)]);
        assert!(
            found.iter().any(|c| c == code),
            "{code}: {found:?}: {shown}"
        );
        emitted.extend(found);
    }
    let known = CODES.iter().map(|(code, _)| (*code).to_owned());
    let known: BTreeSet<String> = known
        .filter(|code| code.starts_with("text-") || code.starts_with("plan-"))
        .collect();
    assert_eq!(emitted, known);
}

#[test]
fn one_fault_is_not_reported_as_several() {
    // These cannot be shown without a second fault, or follow from it.
    let beside = |code: &str| match code {
        "text-more" => "text-unknown-key",
        "plan-stage-missing" => "plan-unknown-id",
        "plan-stage-names" => "plan-stage-twice",
        "plan-stage-order" => "plan-cycle",
        _ => "plan-unfalsifiable",
    };
    for (code, text) in examples() {
        for other in codes(&text) {
            let shown = String::from_utf8_lossy(&text);
            assert!(
                other == code || other == beside(code),
                "{code}: also {other}: {shown}"
            );
        }
    }
}

#[test]
fn every_prefix_and_every_broken_byte_of_a_plan_is_survived() {
    let text = super::meaning::SOURCE.as_bytes();
    for end in (0..text.len()).step_by(7) {
        let read = read("p", &text[..end]);
        assert!(read.plan.is_none() && !read.diagnostics.is_empty(), "{end}");
    }
    for at in (0..text.len()).step_by(3) {
        for byte in [b'"', b'{', b'[', b',', b'\\', 0, 0xff] {
            let mut broken = text.to_vec();
            broken[at] = byte;
            let read = read("p", &broken);
            assert!(
                read.plan.is_some() || !read.diagnostics.is_empty(),
                "{at} {byte}"
            );
        }
    }
}

/// Two tasks that promise `same`, with a third that `b` may wait for; of `a`, the third waits.
fn promising(b: &str, top: &str) -> String {
    format!(
        r#"{{"task_title": "t", {top} "subtasks": [
        {{"subtask_id": "b", "script": "x", "deliverables": ["same"] {b}}},
        {{"subtask_id": "between", "command": ["true"], "dependencies": ["a"]}},
        {{"subtask_id": "a", "script": "x", "deliverables": ["same"]}}]}}"#
    )
}

#[test]
fn whoever_promises_one_file_without_waiting_is_warned() {
    let told = |text: &str| -> Vec<String> {
        let found = read("p", text.as_bytes()).diagnostics;
        found.iter().map(ToString::to_string).collect()
    };
    let fault = "[plan-same-file] p:4:24: `b` and `a` both promise `same`";
    assert_eq!(told(&promising("", "")), [fault]);
    // A task may rewrite what one before it made, however far before.
    for b in ["a", "between"] {
        let waits = format!(r#", "dependencies": ["{b}"]"#);
        assert!(told(&promising(&waits, "")).is_empty(), "{b}");
    }
    let staged = r#""execution_plan": {"stage_1": ["a"], "stage_2": ["between", "b"]},"#;
    assert!(told(&promising("", staged)).is_empty());
    let parts = br#"[{"subtask_id": "a", "script": "x", "deliverables": ["same"]},
        {"subtask_id": "b", "script": "x", "deliverables": ["same"]}]"#;
    let found = crate::plan_file::read_parts("p", parts);
    assert_eq!(found.diagnostics.len(), 1);
    // Changes of different lines are merged.
    assert!(found.parts.is_some());
}

#[test]
fn who_gives_another_file_is_told_that_a_plan_is_json() {
    let told = |text: &str| read("p", text.as_bytes()).diagnostics[0].hints.clone();
    let hint = "it is read as JSON, which begins with `{` or `[`";
    assert_eq!(told("# The plan\n\n- first\n"), [hint]);
    assert!(told("{\"task_title\": nothing}").is_empty());
}
