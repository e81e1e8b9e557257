//! What an agent puts together, in levels: it is given all that its inputs made, and judged like any
//! other. Beside it the same is done by rule.

use divisi_core::TaskKind;
use divisi_core::plan::Work;
use divisi_core::run::{AttemptEnd, Failure, RunStatus};
use serde_json::{Value, json};

use crate::found::working;
use crate::reviewing::{handoff, install};
use crate::stage::{Stage, endings, stands, task, write};

/// It puts the files together that it is told of, in its own words; of the whole at first only one.
const COMPOSER: &str = r##"#!/bin/sh
told=$(cat)
to=$(printf '%s\n' "$told" | sed -n 's/^- `\(out\/[a-z]*.md\)`$/\1/p' | head -n 1)
from=$(printf '%s\n' "$told" | sed -n 's/^- from [a-z]*: `\([^`]*\)`.*/\1/p')
case $told in
  *"was refused"*) ;;
  *"# The whole"*) from=$(echo "$from" | head -n 1);;
esac
mkdir -p out
echo "# As I see it" > "$to"
for file in $from; do cut -c 1-80 "$file" | grep -v '^#'; done >> "$to"
"##;

/// More than is told of a file in words.
const LONG: usize = 20_000;

/// ```text
/// a ── b (names no input) ─┐
/// a, b ── front (agent) ───┤
/// c, d ── back (agent) ────┴ whole (agent), all (by rule)
/// ```
fn plan() -> Value {
    let part = |id: &str, script: &str| json!({"subtask_id": id, "script": script, "deliverables": [format!("{id}.md")]});
    let long = format!("echo delta > d.md; head -c {LONG} /dev/zero | tr '\\0' 'x' >> d.md");
    json!({"task_title": "A manual", "subtasks": [
        part("a", "echo alpha > a.md"), part("b", "echo beta > b.md"),
        part("c", "echo gamma > c.md"), part("d", &long),
        {"subtask_id": "front", "kind": "compose", "title": "The front", "assigned_to": "documentation",
         "inputs": ["head.md", "a", "b"], "deliverables": ["out/front.md"],
         "criteria": [{"contains": "alpha", "in": "out/front.md"}, {"contains": "beta", "in": "out/front.md"}]},
        // What it waits for is what it is made of.
        {"subtask_id": "back", "kind": "compose", "title": "The back", "assigned_to": "documentation",
         "dependencies": ["c", "d"], "deliverables": ["out/back.md"],
         "criteria": [{"contains": "gamma", "in": "out/back.md"}, {"contains": "delta", "in": "out/back.md"}]},
        {"subtask_id": "whole", "kind": "compose", "title": "The whole", "assigned_to": "documentation",
         "inputs": ["front", "back"], "deliverables": ["out/whole.md"],
         "criteria": [{"contains": "alpha", "in": "out/whole.md"}, {"contains": "delta", "in": "out/whole.md"}]},
        {"subtask_id": "all", "kind": "compose", "inputs": ["front", "back"],
         "template": {"output": "all.md"}},
    ], "criteria": [{"contains": "delta", "in": "out/whole.md"}, {"contains": "delta", "in": "all.md"}]})
}

/// The files of each input, as a handoff names them.
fn given(handoff: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let files = |given: &Value| {
        list(&given["artifacts"])
            .iter()
            .map(|it| text(&it["path"]))
            .collect()
    };
    let inputs = list(&handoff["inputs"]);
    inputs
        .iter()
        .map(|it| (text(&it["task"]), files(it)))
        .collect()
}

#[test]
fn an_agent_composes_in_two_levels_beside_what_is_composed_by_rule() {
    let stage = Stage::git(&[("head.md", "Head\n")]);
    let composer = json!({"command": [install(&stage, "composer", COMPOSER)], "speaks": "text"});
    let config =
        json!({"agents": {"custom": {"composer": composer}}, "run": {"agent": "custom.composer"}});
    write(stage.path("divisi.yaml"), &config.to_string());
    stage.run(&plan(), &["-j", "4"]).expect(0);
    let run = stage.only();
    let done = ["a", "b", "c", "d", "front", "back", "whole", "all"].map(|id| (id, "done"));
    stands(&run, RunStatus::Succeeded, &done);
    for (id, agent) in [
        ("front", "custom.composer"),
        ("whole", "custom.composer"),
        ("all", "compose"),
    ] {
        let made = task(&run, id);
        assert_eq!(made.spec.kind, TaskKind::Compose, "{id}");
        assert_eq!(endings(&run, id)[0].agent, agent, "{id}");
    }
    // All that its inputs made is in its handoff: by name and digest, small ones with their words.
    let told = |id: &str| -> Value { serde_json::from_str(&handoff(&stage, id)).unwrap() };
    let of = |name: &str, file: &str| (name.to_owned(), vec![file.to_owned()]);
    let front = told("front");
    assert_eq!(given(&front), [of("a", "a.md"), of("b", "b.md")]);
    assert_eq!(front["takes"], json!(["head.md"]));
    assert_eq!(front["inputs"][1]["contents"][0]["text"], json!("beta\n"));
    let back = told("back");
    assert_eq!(given(&back), [of("c", "c.md"), of("d", "d.md")]);
    let long = &back["inputs"][1]["artifacts"][0];
    assert_eq!(long["bytes"], json!(LONG + "delta\n".len()));
    assert!(long["digest"].is_string(), "{long}");
    let whole = told("whole");
    assert_eq!(
        given(&whole),
        [of("front", "out/front.md"), of("back", "out/back.md")]
    );
    // What it makes is verified: the first whole had the front alone.
    let [first, second] = endings(&run, "whole") else {
        panic!("two attempts: {:?}", endings(&run, "whole"));
    };
    let AttemptEnd::Refused(Failure::Checks(verdicts)) = &first.end else {
        panic!("{:?}", first.end);
    };
    assert!(
        verdicts
            .iter()
            .any(|it| it.evidence.contains("does not contain \"delta\"")),
        "{verdicts:?}"
    );
    assert_eq!(second.end, AttemptEnd::Integrated);
    let text = stage.result("out/whole.md").expect("it was made");
    assert!(text.starts_with("# As I see it\n"), "{text}");
    assert!(text.contains("alpha") && text.contains("delta"), "{text}");
    let all = stage.result("all.md").expect("it was composed");
    assert!(
        all.contains("## The front\n") && all.contains("## The back\n"),
        "{all}"
    );
}

const MANUAL: &str = "Document the API and the CLI, then put both together in one manual";

/// What an agent plans: two pages, a manual that an agent makes of them, and all of them in one file.
const PLANNED: &str = r##"{"task_title": "A manual", "subtasks": [
  {"subtask_id": "api", "title": "Document the API", "assigned_to": "documentation",
   "description": "Describe the API in docs/api.md.", "deliverables": ["docs/api.md"],
   "criteria": [{"section": "API", "in": "docs/api.md"}]},
  {"subtask_id": "cli", "title": "Document the CLI", "assigned_to": "documentation",
   "description": "Describe the CLI in docs/cli.md.", "deliverables": ["docs/cli.md"],
   "criteria": [{"section": "CLI", "in": "docs/cli.md"}]},
  {"subtask_id": "manual", "kind": "compose", "title": "Put both together in one manual",
   "assigned_to": "documentation", "description": "Make one manual of both pages.",
   "inputs": ["api", "cli"], "deliverables": ["docs/manual.md"],
   "criteria": [{"section": "Manual", "in": "docs/manual.md"}, {"contains": "the API", "in": "docs/manual.md"}]},
  {"subtask_id": "pages", "kind": "compose", "title": "Both pages in one file", "inputs": ["api", "cli"],
   "template": {"output": "docs/pages.md"}}
 ], "criteria": [{"section": "Manual", "in": "docs/manual.md"}]}"##;

#[test]
fn an_agent_plans_what_agents_and_rules_put_together() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    write(stage.beside("planned.json"), PLANNED);
    let plan = stage.beside("planned.json").display().to_string();
    // It is one agent that plans, writes and composes, by what it is told.
    let path = working(
        &stage,
        &format!(
            r##"told=$(head -n 1); mkdir -p docs
case $told in
  *"Make a plan"*) rmdir docs; cp {plan} divisi-plan.json;;
  *docs/manual.md*) {{ printf '# Manual\n\nOf both.\n\n'; cat docs/api.md docs/cli.md; }} > docs/manual.md;;
  *docs/api.md*) printf '# API\n\nIt is the API.\n' > docs/api.md;;
  *) printf '# CLI\n\nIt is the CLI.\n' > docs/cli.md;;
esac"##
        ),
    );
    let stage = stage.with_env("PATH", &path);
    let args = ["run", MANUAL, "--planner", "agent", "--yes"];
    stage.divisi(&args).expect(0);
    let run = stage.only();
    let mut all = vec![("plan", "split")];
    all.extend(["api", "cli", "manual", "pages"].map(|id| (id, "done")));
    stands(&run, RunStatus::Succeeded, &all);
    assert_eq!(endings(&run, "plan").len(), 1);
    assert_eq!(task(&run, "manual").spec.work, Work::Handoff);
    assert_eq!(endings(&run, "manual")[0].agent, "claude");
    assert_eq!(endings(&run, "pages")[0].agent, "compose");
    let manual = stage.result("docs/manual.md").expect("it was made");
    assert!(
        manual.contains("It is the API.") && manual.contains("It is the CLI."),
        "{manual}"
    );
    let told: Value = serde_json::from_str(&handoff(&stage, "manual")).unwrap();
    assert_eq!(given(&told).len(), 2);
    // Whoever plans is told that it may.
    let told = handoff(&stage, "plan");
    assert!(told.contains("kind `compose`"), "{told}");
}

/// A decision of research informs whoever depends on it, whatever else they are given.
#[test]
fn what_an_agent_decided_stands_in_the_handoffs_of_those_that_depend_on_it() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = working(
        &stage,
        r##"told=$(head -n 1)
case $told in
  *"TASK-decide"*) printf '# Decision\n\nTokens live for ten minutes.\n' > decision.md;;
  *"Tokens live for ten minutes."*) echo ten > lifetime.txt;;
  *) echo guessed > lifetime.txt;;
esac"##,
    );
    let stage = stage.with_env("PATH", &path);
    let plan = json!({"task_title": "Tokens", "subtasks": [
        {"subtask_id": "decide", "kind": "research", "agent": "claude",
         "description": "TASK-decide: how long do tokens live?", "deliverables": ["decision.md"]},
        {"subtask_id": "limit", "agent": "claude", "dependencies": ["decide"],
         "description": "Write the lifetime into lifetime.txt.", "deliverables": ["lifetime.txt"],
         "criteria": [{"contains": "ten", "in": "lifetime.txt"}]},
    ]});
    stage.run(&plan, &[]).expect(0);
    assert_eq!(
        endings(&stage.only(), "limit").len(),
        1,
        "it was told at once"
    );
    assert_eq!(stage.result("lifetime.txt").as_deref(), Some("ten\n"));
    let told: Value = serde_json::from_str(&handoff(&stage, "limit")).unwrap();
    assert_eq!(
        given(&told),
        [("decide".to_owned(), vec!["decision.md".to_owned()])]
    );
}
