use std::collections::BTreeMap;

use divisi_core::Plan;

use super::*;
use crate::bundle::{self, Bundle, Given};
use crate::role::Library;
use crate::{plan_file, workflow};

fn plan(text: &str) -> Plan {
    let read = plan_file::read("plan.json", text.as_bytes());
    read.plan
        .unwrap_or_else(|| panic!("{:#?}", read.diagnostics))
}

fn files(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

fn save(plan: &Plan, paths: &[&str]) -> Saved {
    let known = Known {
        roles: &Library::built_in(),
        files: &files(paths),
        preparation: &Default::default(),
    };
    of_plan("again", plan, &known).unwrap()
}

/// The bundle of a saved workflow, read back from its file.
fn read_back(saved: &Saved, given: &[(&str, &str)]) -> Bundle {
    let text = text(saved, "run-1");
    let read = workflow::read("again.yaml", text.as_bytes());
    let workflow = read
        .workflow
        .unwrap_or_else(|| panic!("{:#?}\n{text}", read.diagnostics));
    let inputs = given.iter();
    let given = Given {
        inputs: inputs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Given::default()
    };
    let assembled = bundle::assemble(&workflow, &Library::built_in(), &[], &given);
    { assembled.bundle }.unwrap_or_else(|| panic!("{:#?}\n{text}", assembled.diagnostics))
}

const STORY: &str = r##"{"task_title": "Refine the story of the day", "subtasks": [
    {"subtask_id": "Draft", "title": "Draft of stories/S1.md", "description": "Refine the story of the day.\nIt stands in stories/S1.md, its draft in drafts/S1.txt.",
     "assigned_to": "development", "script": "mkdir -p drafts\nhead -n 1 stories/S1.md > drafts/S1.txt\necho 'see stories/S1.md' >> drafts/S1.txt",
     "inputs": ["stories/S1.md"], "deliverables": ["drafts/S1.txt"], "criteria": [{"matches": "^# ", "in": "drafts/S1.txt"}],
     "env": {"LANG": "C"}, "timeout_minutes": 2, "retries": 1, "priority": "high"},
    {"subtask_id": "out", "command": ["cp", "drafts/S1.txt", "out/S1.md"], "inputs": ["Draft"],
     "deliverables": ["out/S1.md"], "dependencies": ["ok"], "workspace": "scratch"},
    {"subtask_id": "ok", "kind": "approval", "dependencies": ["Draft"]}],
  "criteria": [{"file": "out/S1.md", "min_bytes": 4}]}"##;

#[test]
fn a_plan_becomes_a_workflow_whose_target_is_an_input() {
    let plan = plan(STORY);
    let saved = save(&plan, &["stories/S1.md", "stories/S2.md"]);
    let named: Vec<(&str, &str)> = { saved.parameters.iter() }
        .map(|it| (it.name.as_str(), it.value.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("story", "stories/S1.md"),
            ("goal", "Refine the story of the day")
        ]
    );
    assert_eq!(
        (saved.literal.len(), saved.left_out.len()),
        (0, 0),
        "{saved:?}"
    );
    insta::assert_snapshot!(text(&saved, "run-1"), @r##"
    # Saved from run-1.
    workflow:
      name: again
      description: Refine the story of the day
      inputs:
        story:
          type: path
          description: The file that it works on
          default: stories/S1.md
        goal:
          description: What it is to reach
          default: Refine the story of the day
      iterations:
        - name: work
          goal: Refine the story of the day
          agents:
            - role: development
              name: draft
              title: "Draft of {story}"
              description: |-
                {goal}.
                It stands in {story}, its draft in drafts/{story_id}.txt.
              targets: ["{story}"]
              script: |-
                mkdir -p drafts
                head -n 1 "${INPUT_STORY}" > drafts/"${INPUT_STORY_ID}".txt
                echo 'see '"${INPUT_STORY}"'' >> drafts/"${INPUT_STORY_ID}".txt
              deliverables: ["drafts/{story_id}.txt"]
              allocation:
                strategy: single
              criteria:
                - matches: "^# "
                  in: "drafts/{story_id}.txt"
              env:
                INPUT_STORY: "{story}"
                INPUT_STORY_ID: "{story_id}"
                LANG: C
              timeout_minutes: 2
              retries: 1
              priority: high
            - name: out
              title: out
              inputs:
                - task: draft
              dependencies: [ok]
              command: [cp, "drafts/{story_id}.txt", "out/{story_id}.md"]
              deliverables: ["out/{story_id}.md"]
              workspace: scratch
            - name: ok
              title: ok
              kind: approval
              dependencies: [draft]
          completion_criteria:
            - file: "out/{story_id}.md"
              min_bytes: 4
    "##);
    let paths = files(&["stories/S1.md", "stories/S2.md"]);
    assert_eq!(differences(&plan, &read_back(&saved, &[]), &paths), [""; 0]);

    let other = bundle::expand(
        &read_back(&saved, &[("story", "stories/S2.md")]),
        "work",
        &paths,
    );
    let tasks = other.expansion.unwrap().tasks;
    let made: Vec<&str> = { tasks.iter() }
        .flat_map(|task| &task.deliverables)
        .map(|made| made.path.as_str())
        .collect();
    assert_eq!(made, ["drafts/S2.txt", "out/S2.md"]);
    assert_eq!(tasks[0].env["INPUT_STORY"], "stories/S2.md");
    assert_eq!(tasks[0].title, "Draft of stories/S2.md");
    assert_eq!(
        tasks[1].work,
        divisi_core::plan::Work::Command(files(&["cp", "drafts/S2.txt", "out/S2.md"]))
    );
    assert!(!format!("{tasks:?}").contains("S1"), "{tasks:#?}");
}

fn layered(stages: &str) -> (Saved, Vec<(String, Vec<String>)>) {
    let text = r#"{"task_title": "Two steps", "subtasks": [
        {"subtask_id": "a", "script": "echo 1 > page.md", "deliverables": ["page.md"]},
        {"subtask_id": "b", "script": "echo 2 >> page.md", "deliverables": ["page.md"], "dependencies": ["a"]},
        {"subtask_id": "c", "agent": "person", "description": "Look at {page}.", "inputs": ["b"], "deliverables": ["c.md"]},
        {"subtask_id": "d", "kind": "compose", "template": {"output": "all.md"}, "inputs": ["c", "b"]}]STAGES}"#;
    let plan = plan(&text.replace("STAGES", stages));
    let saved = save(&plan, &["x"]);
    let again = read_back(&saved, &[]);
    assert_eq!(differences(&plan, &again, &files(&["x"])), [""; 0]);
    let iterations = saved.workflow.iterations.iter();
    let iterations = iterations.map(|it| {
        let labels = it.entries.iter().map(|entry| entry.label.clone());
        (it.id.clone(), labels.collect())
    });
    let iterations = iterations.collect();
    (saved, iterations)
}

#[test]
fn files_made_twice_and_stages_are_iterations_of_their_own() {
    let of = |name: &str, labels: &[&str]| (name.to_owned(), files(labels));
    let (saved, iterations) = layered("");
    assert_eq!(
        iterations,
        [of("step-1", &["a"]), of("step-2", &["b", "c", "d"])]
    );
    let last = &saved.workflow.iterations[1].entries;
    assert_eq!(last[1].role.as_deref(), Some("agent"), "somebody does it");
    assert_eq!(last[2].takes, ["c", "b"]);
    let stages =
        r#", "execution_plan": {"one": ["a"], "two": ["b"], "three": ["c"], "four": ["d"]}"#;
    let (saved, iterations) = layered(stages);
    let names: Vec<&str> = iterations.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["one", "two", "three", "four"]);
    let last = &saved.workflow.iterations[3];
    assert_eq!(last.dependencies, ["three"]);
    let targets: Vec<&str> = { last.entries[0].targets.iter() }
        .map(|it| it.pattern.as_str())
        .collect();
    assert_eq!(targets, ["c.md", "page.md"]);
}

#[test]
fn what_stays_as_it_is_is_said() {
    let plan = plan(
        r#"{"task_title": "Literal", "subtasks": [
        {"subtask_id": "a", "script": "awk 'out/S1.md' in/S1.md > out/S1.md\nbash -c 'cat out/S1.md'", "inputs": ["in/S1.md", "gone.md"],
         "deliverables": ["out/S1.md"], "criteria": [{"command": ["grep", "-q", "x", "out/S1.md"]}], "estimated_seconds": 3},
        {"subtask_id": "b", "command": ["python3", "-c", "open('in/S1.md')"], "assigned_to": "poetry", "worker_type": "sonnet"}],
        "workspace": {"setup": [["true"]]}}"#,
    );
    let saved = save(&plan, &["in/S1.md"]);
    assert_eq!(
        saved.literal,
        [
            "a path in the script of a",
            "a path in the command of b",
            "a check of a: `grep -q x out/S1.md` exits with 0"
        ]
    );
    assert_eq!(saved.left_out.len(), 3, "{:?}", saved.left_out);
    assert_eq!(
        differences(&plan, &read_back(&saved, &[]), &files(&["in/S1.md"])),
        [""; 0]
    );
    let roles: Vec<&str> = saved.workflow.roles.iter().map(|it| &*it.id).collect();
    assert_eq!(roles, ["sonnet"]);
    let head = text(&saved, "run-1\nx");
    assert!(head.starts_with("# Saved from run-1"), "{head}");
    assert_eq!(head.matches("# Kept as it stands: ").count(), 3);
    assert_eq!(head.matches("# Not carried over: ").count(), 3);
}

#[test]
fn nothing_is_written_where_a_shell_reads_it_as_code() {
    let literal = |script: &str, saved: &str| {
        let script = serde_json::to_string(script).unwrap();
        let text = format!(
            r#"{{"task_title": "Shells", "subtasks": [
            {{"subtask_id": "a", "script": {script}, "inputs": ["stories/S1.md"]}}]}}"#
        );
        let made = save(&plan(&text), &["stories/S1.md"]);
        let divisi_core::plan::Work::Script(text) = &made.workflow.iterations[0].entries[0].work
        else {
            panic!("a script stays one: {made:?}");
        };
        assert_eq!(text, saved);
        !made.literal.is_empty()
    };
    for kept in [
        "eval cat stories/S1.md",
        "ssh host cat stories/S1.md",
        "trap 'exit 1' INT\ncat stories/S1.md",
        "sh -c stories/S1.md",
        "echo $'it\\'s'; cat stories/S1.md",
        "sed \"s,x,stories/S1.md,\" y",
    ] {
        assert!(literal(kept, kept), "{kept}");
    }
    // What only looks like one of these is none.
    assert!(!literal(
        "grep 'x$' stories/S1.md",
        "grep 'x$' \"${INPUT_STORY}\""
    ));
    assert!(!literal(
        "sed 's/a/b/' stories/S1.md",
        "sed 's/a/b/' \"${INPUT_STORY}\""
    ));
}

#[test]
fn a_difference_is_found() {
    let before = plan(STORY);
    let saved = save(&before, &["stories/S1.md"]);
    let bundle = read_back(&saved, &[]);
    let mut changed = before.clone();
    changed.tasks[0].retries = Some(7);
    changed.tasks[1].work = divisi_core::plan::Work::Command(files(&["cp", "a", "b"]));
    let found = differences(&changed, &bundle, &files(&["stories/S1.md"]));
    assert_eq!(found, ["of Draft: its retries", "of out: what it executes"]);
    assert_eq!(
        differences(&before, &bundle, &[]).len(),
        1,
        "without its target nothing is made"
    );
}

/// All that a reader takes is written, so that it is read again.
#[test]
fn workflows_are_written_as_they_are_read() {
    let texts = workflow::BUILT_IN.iter().map(|(_, _, text)| *text);
    let more = [
        include_str!("../../tests/data/user-story-refinement.yaml"),
        include_str!("../workflow/tests/everything.yaml"),
    ];
    for text in texts.chain(more) {
        let workflow = |text: &str| {
            let read = workflow::read("w.yaml", text.as_bytes());
            let read =
                { read.workflow }.unwrap_or_else(|| panic!("{:#?}\n{text}", read.diagnostics));
            without_places(serde_json::to_value(read).unwrap())
        };
        let read = workflow::read("w.yaml", text.as_bytes());
        let before = { read.workflow }.unwrap_or_else(|| panic!("{:#?}", read.diagnostics));
        assert_eq!(
            workflow(&workflow::write(&before)),
            workflow(text),
            "{}",
            workflow::write(&before)
        );
    }
}

fn without_places(mut value: serde_json::Value) -> serde_json::Value {
    let mut open = vec![&mut value];
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Object(map) => {
                map.remove("place");
                open.extend(map.values_mut());
            }
            serde_json::Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    value
}

#[test]
fn a_workflows_run_is_saved_with_what_it_was_given() {
    let text = "workflow:\n  name: w\n  inputs: {id: {description: N}, base: fork}\n  iterations:\n    - name: one\n      agents:\n        - {role: qa, targets: ['stories/*.md'], deliverables: ['out/{id}/{story_id}.md']}\n";
    let workflow = workflow::read("w.yaml", text.as_bytes()).workflow.unwrap();
    let given = Given {
        inputs: vec![
            ("id".to_owned(), "42".to_owned()),
            ("base".to_owned(), "abc".to_owned()),
        ],
        targets: vec!["stories/S*.md".to_owned()],
        agents: vec![("tester".to_owned(), "person".to_owned())],
        ..Given::default()
    };
    let assembled = bundle::assemble(&workflow, &Library::built_in(), &[], &given);
    let saved = of_bundle("mine", &assembled.bundle.unwrap());
    assert_eq!(saved.left_out, ["the input base of that run, abc"]);
    let paths = ["stories/S1.md", "stories/other.md"];
    let tasks = |given: &[(&str, &str)]| {
        let bundle = read_back(&saved, given);
        bundle::expand(&bundle, "one", &paths)
            .expansion
            .unwrap()
            .tasks
    };
    let task = &tasks(&[])[0];
    assert_eq!(task.deliverables[0].path, "out/42/1.md");
    assert_eq!(task.agent.as_deref(), Some("person"));
    assert_eq!(tasks(&[("id", "7")])[0].deliverables[0].path, "out/7/1.md");
    let names: BTreeMap<&str, &str> = { saved.parameters.iter() }
        .map(|it| (&*it.name, &*it.value))
        .collect();
    assert_eq!(names, [("id", "42")].into());
}
