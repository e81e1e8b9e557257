//! Iterations of a workflow: Divisi itself makes their tasks, from rules and from what is
//! integrated by then.

use divisi_core::journal::Artifacts as _;
use divisi_core::run::{AttemptEnd, RunStatus};
use divisi_core::{CommandId, Digest, TaskSpec};
use divisi_engine::control::{Ask, Client, Request, Response};
use serde_json::json;

use crate::bundled::{create, expands};
use crate::stage::{Running, Stage, endings, stands, statuses, task, until, versions, write};

/// Each topic becomes a page, and each page that is there then is proofread.
const WORKFLOW: &str = r#"
workflow:
  name: pages
  iterations:
    - name: draft
      goal: A page for each topic.
      agents:
        - name: write
          targets: ['topics/*.md']
          deliverables: ['pages/{file_id}.md']
          command: [sh, -c, 'mkdir -p pages; cp "$0" "$1"; echo "and more" > pages/more-${0##*/}', '{targets}', '{deliverables}']
          allocation: {max_per_agent: 1}
    - name: proof
      dependencies: [draft]
      agents:
        - name: read
          targets: ['pages/*.md']
          deliverables: ['proofs/{file_id}.txt']
          command: [sh, -c, 'mkdir -p proofs; wc -c < "$0" > "$1"', '{targets}', '{deliverables}']
          allocation: {max_per_agent: 1}
"#;

fn two_stages(digest: &Digest) -> Vec<TaskSpec> {
    vec![
        expands(digest, "draft", &[]),
        expands(digest, "proof", &["draft"]),
    ]
}

fn resume(stage: &Stage) -> crate::stage::Ran {
    stage.divisi(&["resume", "1", "--durability", "normal"])
}

#[test]
fn each_stage_is_expanded_against_what_the_one_before_really_made() {
    let stage = Stage::git(&[("topics/a.md", "a\n"), ("topics/b.md", "bb\n")]);
    create(stage.project(), versions(), WORKFLOW, two_stages);
    let status = stage.divisi(&["status", "1"]).expect(0);
    status.says("0 of 2 done, and what 2 tasks will plan");
    resume(&stage).expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    let names: Vec<String> = statuses(&run)
        .into_iter()
        .map(|(name, status)| format!("{name} {status}"))
        .collect();
    assert_eq!(
        names,
        [
            "draft split",
            "proof split",
            "draft.write.1 done",
            "draft.write.2 done",
            "draft.review done",
            // Twice as many as were promised.
            "proof.read.1 done",
            "proof.read.2 done",
            "proof.read.3 done",
            "proof.read.4 done",
            "proof.review done",
        ]
    );
    assert_eq!(stage.result("proofs/b.txt").as_deref(), Some("3\n"));
    assert!(stage.result("proofs/more-a.txt").is_some());
    let [ending] = endings(&run, "proof") else {
        panic!("expanded at once");
    };
    assert_eq!(
        (&ending.end, &*ending.agent),
        (&AttemptEnd::Expanded, "expand")
    );
    let context = task(&run, "proof.read.1").stage_context.as_deref();
    let shared = task(&run, "proof.review").stage_context.as_deref();
    assert_eq!(context, shared);
    // What a review judges was made by others: that it held before is no reproach.
    let report = stage.divisi(&["report", "1"]).expect(0);
    assert!(
        !report.stdout.contains("draft.review: "),
        "{}",
        report.stdout
    );
    stage
        .divisi(&["show", "1", "draft"])
        .expect(0)
        .says("draft of bundle ");
}

#[test]
fn a_stage_that_matches_nothing_waits_for_its_owner_and_a_changed_tree() {
    let stage = Stage::git(&[("x", "1\n")]);
    create(stage.project(), versions(), WORKFLOW, |digest| {
        let plan = json!({"task_title": "t", "subtasks": [
            {"subtask_id": "topic", "agent": "person", "deliverables": ["topics/new.md"]}]});
        let read = divisi_pack::plan_file::read("p", plan.to_string().as_bytes());
        let mut tasks = read.plan.unwrap().tasks;
        tasks.extend(two_stages(digest));
        tasks
    });
    resume(&stage).expect(3).says("divisi retry run-1 draft");
    let tasks = [
        ("topic", "running"),
        ("draft", "blocked"),
        ("proof", "waiting"),
    ];
    stands(&stage.only(), RunStatus::Blocked, &tasks);
    stage
        .divisi(&["explain", "1", "draft"])
        .expect(0)
        .says("topics/*.md");
    assert_eq!(
        task(&stage.only(), "draft").attempts(),
        1,
        "not again by itself"
    );
    // The tree changes, and its owner has it tried again.
    let file = stage.beside("new.md");
    write(&file, "new\n");
    let file = file.display().to_string();
    stage.divisi(&["submit", "1", "topic", &file]).expect(0);
    resume(&stage).expect(3);
    stage.divisi(&["retry", "1", "draft"]).expect(0);
    resume(&stage).expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(endings(&run, "draft").len(), 2);
    assert_eq!(stage.result("proofs/new.txt").as_deref(), Some("4\n"));
}

/// A run that holds the engine until its test has written the file `go`, and a connection to it.
fn held(stage: &Stage) -> (Running, Client) {
    let gate = stage.beside("go").display().to_string();
    let wait = format!("until test -e {gate}; do sleep 0.01; done");
    let plan = json!({"task_title": "holds the engine", "subtasks": [
        {"subtask_id": "wait", "script": wait}]});
    let running = stage.start_plan(&plan, &[]);
    let socket = || {
        let folders = std::fs::read_dir(stage.beside("run")).ok()?.flatten();
        let inner = folders.flat_map(|folder| std::fs::read_dir(folder.path()));
        let sockets = inner.flatten().flatten().map(|entry| entry.path());
        let mut all = sockets.flat_map(|path| match path.is_dir() {
            true => vec![path.join("control.sock")],
            false => vec![path],
        });
        all.find(|path| path.ends_with("control.sock") && path.exists())
    };
    let mut client = None;
    until("the engine listens", || {
        client = socket().and_then(|path| Client::connect(&path));
        client.is_some()
    });
    (running, client.unwrap())
}

/// Asks for a run that nobody has approved and that names this bundle.
fn start(client: &mut Client, id: &str, digest: &Digest) -> Response {
    let plan = divisi_core::Plan {
        title: "by rules".to_owned(),
        tasks: two_stages(digest),
        ..divisi_core::Plan::default()
    };
    let ask = Ask::Start {
        plan: plan.into(),
        settings: Box::default(),
        base: divisi_core::run::Base::default(),
        approved: false,
        intent: None,
    };
    let id = Some(CommandId::new(id).unwrap());
    client.ask(&Request { id, ask }).unwrap()
}

#[test]
fn a_run_that_names_a_bundle_which_is_not_there_is_not_created() {
    let stage = Stage::git(&[("x", "1\n")]);
    let (running, mut client) = held(&stage);
    let digest = Digest::new(&"c".repeat(64)).unwrap();
    let response = start(&mut client, "one", &digest);
    let Response::Refused(told) = response else {
        panic!("refused: {response:?}");
    };
    assert_eq!(told.code, "bundle-missing");
    write(stage.beside("go"), "");
    running.wait().expect(0);
    assert_eq!(stage.only().title, "holds the engine");
}

#[test]
fn a_run_that_was_created_stays_so_when_it_is_asked_for_again_without_its_bundle() {
    let stage = Stage::git(&[("x", "1\n")]);
    let (running, mut client) = held(&stage);
    let artifacts = stage.view().artifacts();
    let digest = artifacts.put(b"rules").unwrap();
    let created = start(&mut client, "one", &digest);
    assert!(matches!(created, Response::Started(_)), "{created:?}");
    std::fs::remove_file(artifacts.path(&digest).unwrap()).unwrap();
    let again = start(&mut client, "one", &digest);
    assert_eq!(again, created);
    let another = start(&mut client, "another", &digest);
    assert!(matches!(another, Response::Refused(_)), "{another:?}");
    write(stage.beside("go"), "");
    running.wait().expect(0);
}
