//! A run that succeeded, saved as a workflow and run again.

use divisi_core::RunId;
use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::stage::{Stage, git, write};

const STORIES: &[(&str, &str)] = &[
    ("stories/S1.md", "# First\nOne.\n"),
    ("stories/S2.md", "# Second\nTwo.\n"),
    ("out/.keep", ""),
];

/// A draft by a script, a page by a command from the draft, and a list by a composition.
fn plan() -> Value {
    json!({"task_title": "A page of a story", "subtasks": [
        {"subtask_id": "draft", "title": "Draft of stories/S1.md", "inputs": ["stories/S1.md"],
         "script": "mkdir -p drafts\nhead -n 1 stories/S1.md > drafts/S1.txt\necho \"from stories/S1.md, $WHO\" >> drafts/S1.txt",
         "env": {"WHO": "me"}, "deliverables": ["drafts/S1.txt"], "assigned_to": "documentation",
         "criteria": [{"matches": "^# ", "in": "drafts/S1.txt"}]},
        {"subtask_id": "page", "command": ["cp", "drafts/S1.txt", "out/S1.md"], "inputs": ["draft"],
         "deliverables": ["out/S1.md"], "workspace": "worktree", "retries": 0, "timeout_minutes": 1},
        {"subtask_id": "all", "kind": "compose", "template": {"text": "{% for input in inputs %}{{ input.title }}: {{ input.artifacts[0].text }}{% endfor %}", "output": "out/S1-all.md"}, "inputs": ["draft", "page"]}],
      "criteria": [{"contains": "from stories", "in": "out/S1.md"}]})
}

/// A file of a run's result.
fn result(stage: &Stage, run: u32, path: &str) -> String {
    let head = stage.load(RunId(run)).integration.head.unwrap();
    git(
        &stage.path(".divisi/repo.git"),
        &["cat-file", "blob", &format!("{head}:{path}")],
    )
}

/// The files of a run's result.
fn files(stage: &Stage, run: u32) -> String {
    let head = stage.load(RunId(run)).integration.head.unwrap();
    let repo = stage.path(".divisi/repo.git");
    git(&repo, &["ls-tree", "-r", "--full-tree", &head.to_string()])
}

fn again(stage: &Stage, name: &str, args: &[&str]) {
    let all = [&["run", name, "--yes", "--durability", "normal"], args].concat();
    stage.divisi(&all).expect(0);
}

#[test]
fn a_plan_run_again_as_a_workflow_gives_its_files_and_with_another_target_those_of_that() {
    let stage = Stage::git(STORIES);
    stage.run(&plan(), &[]).expect(0);
    let saved = stage.divisi(&["workflow", "save", "1"]).expect(0);
    let saved = saved.says("a-page-of-a-story saved from run-1: workflows/a-page-of-a-story.yaml");
    let saved = saved.says("parameter story (target): stories/S1.md");
    assert!(
        !saved.stdout.contains("kept as it stands"),
        "{}",
        saved.stdout
    );
    assert!(
        !saved.stdout.contains("not carried over"),
        "{}",
        saved.stdout
    );
    let name = "a-page-of-a-story";
    stage.divisi(&["workflow", "check", name]).expect(0);

    again(&stage, name, &[]);
    assert_eq!(files(&stage, 2), files(&stage, 1));
    let run = stage.load(RunId(2));
    let page = run
        .tasks()
        .iter()
        .find(|it| it.spec.id.as_str() == "work.page");
    let spec = &page.unwrap().spec;
    assert_eq!((spec.retries, spec.timeout_ms), (Some(0), Some(60_000)));
    let draft = run
        .tasks()
        .iter()
        .find(|it| it.spec.id.as_str() == "work.draft.1");
    assert_eq!(draft.unwrap().spec.domain.as_deref(), Some("documentation"));

    for (run, args) in [
        (3, ["--set", "story=stories/S2.md"]),
        (4, ["--targets", "stories/S2.md"]),
    ] {
        again(&stage, name, &args);
        let made = files(&stage, run);
        assert!(
            !made.contains("S1.txt") && !made.contains("out/S1"),
            "{made}"
        );
        let text = "# Second\nfrom stories/S2.md, me\n";
        assert_eq!(result(&stage, run, "out/S2.md"), text);
        let all = format!("Draft of stories/S2.md: {text}page: {text}");
        assert_eq!(result(&stage, run, "out/S2-all.md"), all);
    }
    stage
        .divisi(&["run", name, "--yes", "--targets", "stories/*.md"])
        .expect(2)
        .says("the workflow works on one file, its input `story`");
}

#[test]
fn nothing_is_read_as_code_that_a_target_is_called() {
    let hostile = "stories/S2; touch owned; $(touch owned) '.md";
    let stage = Stage::git(&[STORIES, &[(hostile, "# Hostile\n")]].concat());
    stage.run(&plan(), &[]).expect(0);
    stage
        .divisi(&["workflow", "save", "1", "--name", "mine"])
        .expect(0);
    again(&stage, "mine", &["--set", &format!("story={hostile}")]);
    let made = files(&stage, 2);
    assert!(!made.lines().any(|line| line.ends_with("owned")), "{made}");
    let page = result(&stage, 2, &hostile.replace("stories/", "out/"));
    assert_eq!(page, format!("# Hostile\nfrom {hostile}, me\n"));
}

#[test]
fn the_run_of_a_workflow_is_saved_with_its_values() {
    let workflow = "\
workflow:
  name: notes
  inputs: {id: {description: The number}}
  iterations:
    - name: copies
      agents:
        - {name: copy, targets: ['stories/*.md'], deliverables: ['copies/{id}/{story_id}.md'], command: [cp, '{targets}', '{deliverables}'], allocation: {max_per_agent: 1}}
      completion_criteria: ['Each file in copies/ has a heading']
    - name: list
      agents:
        - {name: list, targets: ['copies/{id}/*.md'], deliverables: ['list-{id}.txt'], allocation: {strategy: single}, script: 'ls \"$@\" > list-7.txt'}
";
    let folders = [("copies/7/.keep", ""), ("copies/8/.keep", "")];
    let stage = Stage::git(&[STORIES, &folders, &[("workflows/notes.yaml", workflow)]].concat());
    let given = ["--set", "id=7", "--targets", "stories/S1.md"];
    let start = [
        &["run", "notes", "--yes", "--durability", "normal"],
        &given[..],
    ]
    .concat();
    let code = stage.divisi(&start).code;
    if code == 9 {
        stage
            .divisi(&["approve", "1", "copies.review", "--waive"])
            .expect(0);
        stage.divisi(&["resume", "1"]).expect(0);
    }
    let saved = stage
        .divisi(&["workflow", "save", "run-1", "--json"])
        .expect(0);
    let saved: Value = serde_json::from_str(&saved.stdout).unwrap();
    assert_eq!(saved["workflow"], "notes-run-1", "the name is taken");
    assert_eq!(
        saved["parameters"],
        json!([{"name": "id", "value": "7", "of": "input"}])
    );
    assert_eq!(saved["left_out"], json!([]));
    let kept = "the targets stories/S1.md; `--targets` gives others";
    assert_eq!(saved["kept_literal"], json!([kept]));
    stage
        .divisi(&["workflow", "check", "notes-run-1"])
        .expect(0);
    let run = stage.divisi(&["run", "notes-run-1", "--yes", "--durability", "normal"]);
    assert_eq!(run.code, code, "{}", run.stderr);
    let made = files(&stage, 2);
    assert!(
        made.contains("copies/7/S1.md") && !made.contains("S2.md\tcopies"),
        "{made}"
    );
}

#[test]
fn the_run_of_a_generated_folder_is_saved_as_it_was_edited() {
    let stage = Stage::git(&[
        ("workflows/notes.yaml", FOLDER),
        ("notes/a.md", "# A note\n"),
        ("notes/b.md", "# Another\n"),
        ("summaries/.keep", ""),
    ]);
    stage
        .divisi(&["generate", "--workflow", "notes", "--output", "one"])
        .expect(0);
    let criteria = stage.path("one/COMPLETION_CRITERIA.md");
    let text = std::fs::read_to_string(&criteria).unwrap();
    let edited = text.replace(
        "`summaries/b.md`, not empty",
        "`summaries/b.md`, at least 5 bytes",
    );
    assert_ne!(edited, text);
    write(&criteria, &edited);
    stage
        .divisi(&["run", "one", "--yes", "--durability", "normal"])
        .expect(0);
    let saved = stage
        .divisi(&["workflow", "save", "1", "--name", "sum"])
        .expect(0);
    let saved = saved.says("parameter note (target): notes/a.md");
    saved.says("parameter note_2 (target): notes/b.md");
    let text = std::fs::read_to_string(stage.path("workflows/sum.yaml")).unwrap();
    assert!(text.contains("min_bytes: 5"), "{text}");
    again(&stage, "sum", &[]);
    assert_eq!(files(&stage, 2), files(&stage, 1));
}

const FOLDER: &str = "\
workflow:
  name: notes
  iterations:
    - name: summaries
      agents:
        - name: summarize
          targets: [\"notes/*.md\"]
          deliverables: [\"summaries/{note_id}.md\"]
          command: [cp, \"{targets}\", summaries/]
          allocation: {max_per_agent: 1}
";

#[test]
fn only_what_succeeded_is_saved_and_nothing_is_written_over() {
    let stage = Stage::git(STORIES);
    let fails = json!({"task_title": "Fails", "subtasks": [{"subtask_id": "a", "command": ["false"], "retries": 0}]});
    stage.run(&fails, &[]).expect(3);
    let refused = stage.divisi(&["workflow", "save", "1"]).expect(6);
    refused
        .says("save-unsuccessful")
        .says("run-1 is blocked; only a run that succeeded is saved")
        .says("divisi explain run-1");
    assert!(!stage.path("workflows").exists());

    let works =
        json!({"task_title": "Works", "subtasks": [{"subtask_id": "a", "command": ["true"]}]});
    stage.run(&works, &[]).expect(0);
    let save = |more: &[&str]| stage.divisi(&[&["workflow", "save", "2"], more].concat());
    let ours = "# Ours\n";
    write(stage.path("workflows/works.yaml"), ours);
    let text = || std::fs::read_to_string(stage.path("workflows/works.yaml")).unwrap();
    save(&["--name", "works"]).expect(6).says("save-exists");
    assert_eq!(text(), ours);
    save(&["--name", "works", "--force"]).expect(0);
    assert!(text().starts_with("# Saved from run-2"), "{}", text());
    for name in [
        "../works", "a/b", "", "x.yaml", ".x", "-x", "a b", "works\n",
    ] {
        save(&["--name", name]).expect(2);
    }
    let elsewhere = stage.beside("elsewhere.yaml");
    save(&["--output", elsewhere.to_str().unwrap()]).expect(0);
    let check = ["workflow", "check", elsewhere.to_str().unwrap()];
    assert_eq!(stage.divisi(&check).code, 0);
    std::fs::remove_file(stage.path("workflows/works.yaml")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, stage.path("workflows/works.yaml")).unwrap();
    let before = std::fs::read_to_string(&elsewhere).unwrap();
    save(&["--name", "works", "--force"])
        .expect(8)
        .says("save-io");
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), before);
    assert_eq!(stage.load(RunId(2)).status(), RunStatus::Succeeded);
}

#[test]
fn what_may_be_a_secret_is_not_saved() {
    let workflow = "\
workflow:
  name: notes
  inputs: {api_token: {description: The token}, id: {description: The number}}
  iterations:
    - name: copies
      agents:
        - {name: copy, deliverables: ['{id}.md'], script: 'echo 1 > 7.md'}
";
    let stage = Stage::git(&[("workflows/notes.yaml", workflow)]);
    let planted = "planted-value-of-a-secret";
    let token = format!("api_token={planted}");
    let given = ["--set", "id=7", "--set", &token];
    let run = ["run", "notes", "--yes", "--durability", "normal"];
    stage.divisi(&[&run[..], &given].concat()).expect(0);
    let plan = json!({"task_title": "Asks a service", "subtasks": [
        {"subtask_id": "ask", "script": "echo \"$WHO\" > who.md", "deliverables": ["who.md"],
         "env": {"API_TOKEN": planted, "WHO": "me"}}]});
    stage.run(&plan, &[]).expect(0);
    let told = [
        (
            "1",
            "not carried over: the value of api_token, which may be a secret",
        ),
        (
            "2",
            "not carried over: the variable API_TOKEN of ask, which may be a secret",
        ),
    ];
    for (run, line) in told {
        let name = format!("again-{run}");
        let saved = stage.divisi(&["workflow", "save", run, "--name", &name]);
        let saved = saved.expect(0).says(line);
        assert!(!saved.stdout.contains(planted), "{}", saved.stdout);
        let path = stage.path(&format!("workflows/{name}.yaml"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains(planted), "{text}");
        assert!(
            text.contains("me") || text.contains("'7'") || text.contains("\"7\""),
            "{text}"
        );
    }
}
