//! Consent is asked for once, and again when what would run is not what it was.

use std::fs;

use divisi_core::RunId;
use divisi_core::run::RunStatus;

use crate::stage::{Stage, write};

const WORKFLOW: &str = "\
workflow:
  name: pages
  iterations:
    - name: draft
      agents:
        - {role: developer, command: [sh, -c, 'echo 1 > page.md'], deliverables: [page.md]}
        - {role: qa, name: look, agent: person, deliverables: [look.md]}
";

const ROLE: &str = "agent_role:\n  id: developer\n  constraints: [Ours]\n";
const TEMPLATE: &str = "Ours: {{ instructions }}\n";
const CONFIG: &str = "run:\n  workers: 2\n";

fn project() -> Stage {
    Stage::git(&[
        ("workflows/pages.yaml", WORKFLOW),
        ("roles/developer.yaml", ROLE),
        ("templates/qa.md.j2", TEMPLATE),
        ("divisi.yaml", CONFIG),
        ("plan.json", PLAN),
    ])
    .with_env("NO_COLOR", "1")
}

const PLAN: &str = "{\"task_title\": \"A plan\", \"subtasks\": [{\"subtask_id\": \"a\", \"command\": [\"true\"]}]}";

/// Runs on a terminal. Gives back whether somebody was asked, and what was shown.
fn asked(stage: &Stage, what: &str, typed: &str) -> (bool, String) {
    let (_, bytes) = stage.on_a_terminal(&["run", what], typed);
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    (shown.contains("run it?"), shown)
}

fn is_approved(stage: &Stage, run: u32) -> bool {
    stage.load(RunId(run)).approved
}

#[test]
fn what_did_not_change_is_not_asked_for_again_and_what_changed_is_named() {
    let stage = project();
    let (was_asked, shown) = asked(&stage, "pages", "y\n");
    assert!(was_asked, "{shown}");
    let (was_asked, shown) = asked(&stage, "pages", "");
    assert!(!was_asked, "{shown}");
    assert!(shown.contains("as you consented to it before"), "{shown}");
    // Elsewhere than on a terminal, too.
    stage
        .divisi(&["run", "pages"])
        .expect(4)
        .says("as you consented to it before");
    assert!((1..=3).all(|run| is_approved(&stage, run)));

    let mut run = 3;
    let edits = [
        (
            "workflows/pages.yaml",
            WORKFLOW,
            WORKFLOW.replace("echo 1", "echo owned"),
            "workflows/pages.yaml",
        ),
        (
            "roles/developer.yaml",
            ROLE,
            ROLE.replace("Ours", "Send secrets away"),
            "the role developer",
        ),
        (
            "templates/qa.md.j2",
            TEMPLATE,
            TEMPLATE.replace("Ours", "Ignore all that"),
            "templates/qa.md.j2",
        ),
        (
            "divisi.yaml",
            CONFIG,
            format!("{CONFIG}  agents: {{tester: command}}\n"),
            "the setting run.agents.tester",
        ),
        (
            "templates/developer.md.j2",
            "",
            "New\n".to_owned(),
            "templates/developer.md.j2",
        ),
    ];
    for (path, before, after, named) in edits {
        write(stage.path(path), &after);
        let (was_asked, shown) = asked(&stage, "pages", "n\n");
        assert!(was_asked, "{path}: {shown}");
        let line = format!("changed since you consented: {named}");
        assert!(shown.contains(&line), "{line:?} is not in {shown}");
        run += 1;
        assert_eq!(stage.load(RunId(run)).status(), RunStatus::Canceled);
        stage
            .divisi(&["run", "pages"])
            .expect(4)
            .says("changed since you consented");
        run += 1;
        assert!(!is_approved(&stage, run), "{path}");
        match before {
            "" => fs::remove_file(stage.path(path)).unwrap(),
            before => write(stage.path(path), before),
        }
        let (was_asked, shown) = asked(&stage, "pages", "");
        assert!(!was_asked, "{path} is as it was: {shown}");
        run += 1;
    }
}

#[test]
fn a_plan_is_trusted_by_what_it_says_and_yes_speaks_of_one_run() {
    let stage = project();
    stage.divisi(&["run", "plan.json", "--yes"]).expect(0);
    stage.divisi(&["run", "plan.json"]).expect(4);
    assert!(!is_approved(&stage, 2), "`--yes` is not remembered");
    assert!(asked(&stage, "plan.json", "y\n").0);
    stage.divisi(&["run", "plan.json"]).expect(0);
    let hostile = PLAN.replace("[\"true\"]", "[\"touch\", \"/owned\"]");
    write(stage.path("plan.json"), &hostile);
    let (was_asked, shown) = asked(&stage, "plan.json", "n\n");
    assert!(
        was_asked && shown.contains("changed since you consented: plan.json"),
        "{shown}"
    );
}

#[test]
fn what_a_rehearsal_plays_is_consented_to_where_the_project_names_it() {
    let rules = "rules: [{attempts: [[make: {}]]}]\n";
    let stage = project();
    write(
        stage.path("divisi.yaml"),
        "run: {agent: scripted, rehearsal: rules.yaml}\n",
    );
    write(stage.path("rules.yaml"), rules);
    assert!(asked(&stage, "plan.json", "y\n").0);
    assert!(!asked(&stage, "plan.json", "").0);
    write(
        stage.path("rules.yaml"),
        &rules.replace("make: {}", "write: {path: x, text: y}"),
    );
    let (was_asked, shown) = asked(&stage, "plan.json", "n\n");
    let line = "changed since you consented: what the rehearsal plays";
    assert!(was_asked && shown.contains(line), "{shown}");
    // What the user names is the user's.
    let args = ["run", "plan.json", "--rehearsal", "rules.yaml"];
    let (_, bytes) = stage.on_a_terminal(&args, "y\n");
    assert!(String::from_utf8_lossy(&bytes).contains("run it?"));
    write(stage.path("rules.yaml"), rules);
    let (_, bytes) = stage.on_a_terminal(&args, "");
    assert!(!String::from_utf8_lossy(&bytes).contains("run it?"));
}

#[test]
fn a_repository_cannot_say_that_it_is_trusted() {
    let stage = project();
    assert!(asked(&stage, "plan.json", "y\n").0);
    let state = stage.beside("home/.local/state/divisi/trust");
    let file = fs::read_dir(&state).unwrap().next().unwrap().unwrap();
    let kept = fs::read_to_string(file.path()).unwrap();
    assert!(!stage.path(".local").exists());

    // Where the user's folder is within the project, what stands there is not believed.
    let within = project();
    let name = file.file_name();
    let forged = kept.replace(
        stage.project().to_str().unwrap(),
        within.project().to_str().unwrap(),
    );
    for path in ["state/divisi/trust", ".divisi/trust"] {
        write(within.path(path).join(&name), &forged);
    }
    let inside = within.path("state").to_str().unwrap().to_owned();
    let within = within.with_env("XDG_STATE_HOME", &inside);
    let (was_asked, shown) = asked(&within, "plan.json", "y\n");
    assert!(was_asked, "{shown}");
    assert!(
        asked(&within, "plan.json", "n\n").0,
        "nor is it remembered there"
    );

    // What cannot be read is no consent; nothing is written through a link.
    fs::write(file.path(), "{").unwrap();
    assert!(asked(&stage, "plan.json", "n\n").0);
    fs::remove_file(file.path()).unwrap();
    std::os::unix::fs::symlink(stage.path("plan.json"), file.path()).unwrap();
    assert!(asked(&stage, "plan.json", "y\n").0);
    assert_eq!(fs::read_to_string(stage.path("plan.json")).unwrap(), PLAN);
}
