use super::super::read;
use super::{SOURCE, lines, one, rendered};

#[test]
fn all_faults_are_shown_at_once_with_place_and_nearest_name() {
    let text = r#"workflow:
  nam: refinement
  iterations:
    - name: analysis
      goals: x
      agents:
        - role: qa
          targets: ["stories/*.md", "[a"]
          deliverables: ["stories/{stroy}/x.md", "../x", "a/*.md"]
          complexity_per_target: -3
    - name: design
      dependencies: [analsis]
      agents:
        - targets: [x]
          kind: revew
        - role: qa
          allocation: {strategy: round_robbin}
          criteria: [{contians: x, in: a}]
templates: {qa: /etc/x}
"#;
    assert_eq!(
        rendered(text),
        r#"error[text-unknown-key]: the workflow has no key `nam`
 --> w.yaml:2:3
  |
2 |   nam: refinement
  |   ^
hint: did you mean `name`?
error[text-missing]: the workflow lacks the key `name`
 --> w.yaml:2:3
  |
2 |   nam: refinement
  |   ^
error[text-unknown-key]: the iteration has no key `goals`
 --> w.yaml:5:7
  |
5 |       goals: x
  |       ^
hint: did you mean `goal`?
error[text-pattern]: the pattern `[a` has a `[` without `]` in one component
 --> w.yaml:8:37
  |
8 |           targets: ["stories/*.md", "[a"]
  |                                     ^
error[workflow-variable]: nothing says what `{stroy}` is
 --> w.yaml:9:26
  |
9 |           deliverables: ["stories/{stroy}/x.md", "../x", "a/*.md"]
  |                          ^
hint: declare `stroy` under `inputs`, or use `{stroy}` in every pattern of the entry
error[text-path]: the path `../x` has the component `..`, which leads out of the tree
 --> w.yaml:9:50
  |
9 |           deliverables: ["stories/{stroy}/x.md", "../x", "a/*.md"]
  |                                                  ^
error[text-path]: the path `a/*.md` holds '*'; a variable is written `{name}`
 --> w.yaml:9:58
  |
9 |           deliverables: ["stories/{stroy}/x.md", "../x", "a/*.md"]
  |                                                          ^
error[text-number]: `complexity_per_target` is `-3`, not a whole number from 0 to 1000000
  --> w.yaml:10:34
   |
10 |           complexity_per_target: -3
   |                                  ^
error[workflow-unknown]: no iteration has the name `analsis`
  --> w.yaml:12:22
   |
12 |       dependencies: [analsis]
   |                      ^
hint: did you mean `analysis`?
error[text-missing]: the entry of `agents` lacks the key `role`
  --> w.yaml:14:11
   |
14 |         - targets: [x]
   |           ^
error[text-unknown-word]: `kind` is `revew`, not one of work, research, compose, review, approval
  --> w.yaml:15:17
   |
15 |           kind: revew
   |                 ^
hint: did you mean `review`?
error[text-unknown-word]: `strategy` is `round_robbin`, not even, round_robin, single, or by_NAME
  --> w.yaml:17:34
   |
17 |           allocation: {strategy: round_robbin}
   |                                  ^
hint: did you mean `round_robin`?
error[text-criterion]: the criterion has none of the keys file, contains, matches, lacks, section, format, schema, command, scope, changed, count, cites, each
  --> w.yaml:18:22
   |
18 |           criteria: [{contians: x, in: a}]
   |                      ^
hint: did you mean `contains`?
error[text-path]: the path `/etc/x` is absolute; paths are relative to the tree's root
  --> w.yaml:19:17
   |
19 | templates: {qa: /etc/x}
   |                 ^
"#
    );
}

#[test]
fn each_fault_is_told_by_its_code() {
    let iteration = |text: &str| format!("workflow: {{name: w, iterations: [{text}]}}");
    for (code, text) in [
        ("text-missing", "{}".to_owned()),
        ("text-missing", "workflow: {name: w}".into()),
        ("text-missing", iteration("{name: i}")),
        ("text-missing", iteration("{agents: [{role: qa}]}")),
        ("text-missing", one("targets: [x]")),
        ("text-missing", one("role: qa, inputs: [{filter: x}]")),
        (
            "text-missing",
            one("role: qa, deliverables: [{template: x}]"),
        ),
        (
            "text-missing",
            one("role: qa, allocation: {strategy: by_criteria}"),
        ),
        (
            "text-conflict",
            "workflow: {name: w, iterations: [], phases: []}".into(),
        ),
        ("text-conflict", one("role: qa, command: [a], script: a")),
        ("text-conflict", one("role: qa, template: {output: a}")),
        ("text-conflict", one("role: qa, targets: [a], inputs: [b]")),
        (
            "text-conflict",
            one("role: qa, inputs: [{pattern: a, task: b}]"),
        ),
        (
            "text-conflict",
            one("role: qa, complexity_per_target: 1, allocation: {complexity_per_item: 2}"),
        ),
        ("text-command", one("role: qa, command: []")),
        (
            "text-criterion",
            one("role: qa, criteria: [{contians: x, in: a}]"),
        ),
        (
            "text-env",
            one("role: qa, command: [a], env: {DIVISI_X: a}"),
        ),
        (
            "text-id",
            "workflow: {name: w, inputs: {a-b: }, iterations: [{name: i, agents: [{role: a}]}]}"
                .into(),
        ),
        (
            "text-number",
            one("role: qa, allocation: {max_per_agent: 0}"),
        ),
        ("text-path", one("role: qa, deliverables: [/x]")),
        ("text-path", one("role: qa, deliverables: ['a{b']")),
        ("text-pattern", one("role: qa, targets: ['../x']")),
        ("text-type", one("role: [qa]")),
        ("text-type", one("role: qa, targets: stories")),
        ("text-type", "workflow: [a]".into()),
        ("text-unknown-word", one("role: qa, kind: external")),
        (
            "text-unknown-word",
            one("role: qa, allocation: {strategy: conditional}"),
        ),
        (
            "text-unknown-word",
            "workflow: {name: w, inputs: {a: int}, iterations: [{name: i, agents: [{role: a}]}]}"
                .into(),
        ),
        ("text-unknown-key", one("role: qa, complexity: 3")),
        ("text-duplicate-key", one("role: qa, role: sre")),
        ("text-syntax", "workflow: {".into()),
        ("yaml-anchor", one("role: &a qa")),
        (
            "role-duplicate",
            format!("{}\nagent_roles: {{a: {{}}, A: {{}}}}", one("role: qa")),
        ),
        ("workflow-plan", "task_title: t\nsubtasks: []".into()),
        (
            "workflow-plan",
            r#"{"task_title": "t", "subtasks": []}"#.into(),
        ),
        ("workflow-empty", iteration("")),
        ("workflow-empty", iteration("{name: i, agents: []}")),
        (
            "workflow-empty",
            "workflow: {name: w, phases: [{name: p, iterations: []}]}".into(),
        ),
        (
            "workflow-duplicate",
            iteration("{name: i, agents: [{role: a}]}, {name: i, agents: [{role: a}]}"),
        ),
        (
            "workflow-unknown",
            iteration("{name: i, dependencies: [j], agents: [{role: a}]}"),
        ),
        ("workflow-unknown", one("role: qa, inputs: [{task: b}]")),
        ("workflow-unknown", one("role: qa, dependencies: [b]")),
        (
            "workflow-unknown",
            "workflow: {name: w, phases: [{name: p, dependencies: [q], iterations: \
             [{name: i, agents: [{role: a}]}]}]}"
                .into(),
        ),
        (
            "workflow-cycle",
            iteration("{name: i, dependencies: [i], agents: [{role: a}]}"),
        ),
        (
            "workflow-cycle",
            iteration(
                "{name: i, dependencies: [j], agents: [{role: a}]}, \
                 {name: j, dependencies: [i], agents: [{role: a}]}",
            ),
        ),
        (
            "workflow-cycle",
            iteration(
                "{name: i, agents: [{role: a, dependencies: [b]}, {role: b, dependencies: [a]}]}",
            ),
        ),
        (
            "workflow-cycle",
            "workflow: {name: w, phases: [{name: p, dependencies: [p], iterations: \
             [{name: i, agents: [{role: a}]}]}]}"
                .into(),
        ),
        (
            "workflow-variable",
            one("role: qa, deliverables: ['{id}.md']"),
        ),
        (
            "workflow-variable",
            one("role: qa, targets: [a.md], deliverables: ['{a_id}.md']"),
        ),
        (
            "workflow-variable",
            one("role: qa, targets: ['{x}/a', b], deliverables: ['{x}.md']"),
        ),
        (
            "workflow-variable",
            one("role: qa, targets: ['*.c'], allocation: {strategy: by_service}"),
        ),
        (
            "workflow-variable",
            one("role: qa, criteria: [{file: '{x}.md'}]"),
        ),
        (
            "workflow-input",
            "workflow: {name: w, inputs: {a: {type: integer, default: x}}, iterations: \
             [{name: i, agents: [{role: a}]}]}"
                .into(),
        ),
    ] {
        let found = lines(&text);
        assert!(
            found[0].starts_with(&format!("[{code}]")),
            "{text}: {found:?}"
        );
        assert_eq!(found.len(), 1, "{text}: {found:?}");
    }
}

#[test]
fn limits_bound_what_is_read() {
    let many = |count: usize, one: &str| vec![one; count].join(", ");
    let iterations = |count| {
        let text = many(count, "{name: i, agents: [{role: a}]}");
        format!("workflow: {{name: w, iterations: [{text}]}}")
    };
    let too_large = |text: &str| {
        lines(text)
            .iter()
            .any(|line| line.starts_with("[text-too-large]"))
    };
    assert!(too_large(&iterations(1_001)));
    assert!(!too_large(&iterations(1_000)));
    let entries = many(1_001, "{role: a}");
    let text = format!("workflow: {{name: w, iterations: [{{name: i, agents: [{entries}]}}]}}");
    assert!(too_large(&text));
    assert!(too_large(&one(&format!(
        "role: a, targets: [{}]",
        many(301, "'*.x'")
    ))));
    assert!(too_large(&one(&format!(
        "role: a, deliverables: [{}]",
        many(10_001, "x")
    ))));
}

#[test]
fn every_prefix_and_every_broken_byte_is_survived() {
    for end in (0..SOURCE.len())
        .step_by(13)
        .filter(|&end| SOURCE.is_char_boundary(end))
    {
        let text = &SOURCE.as_bytes()[..end];
        let found = read("w", text);
        assert!(
            found.workflow.is_some() || !found.diagnostics.is_empty(),
            "{end}"
        );
    }
    for at in (0..SOURCE.len()).step_by(41) {
        for byte in [
            b'"', b'{', b'[', b':', b'-', b'\t', b'&', b'*', b'!', 0, 0xff,
        ] {
            let mut broken = SOURCE.as_bytes().to_vec();
            broken[at] = byte;
            let found = read("w", &broken);
            assert!(
                found.workflow.is_some() || !found.diagnostics.is_empty(),
                "{at} {byte}"
            );
        }
    }
}
