//! Workflows and roles as a person looks them up.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{err, out, output, printed};

/// A repository with these files.
pub(crate) fn given(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::create_dir(folder.path().join(".git")).expect("it can be made");
    for (path, text) in files {
        let path = folder.path().join(path);
        let parent = path.parent().expect("it is in a folder");
        fs::create_dir_all(parent).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    folder
}

fn document(folder: &Path, args: &[&str]) -> Value {
    let output = output(folder, args);
    serde_json::from_str(&out(&output)).expect("it is JSON")
}

#[test]
fn workflows_are_listed_with_who_hides_whom() {
    let text = "workflow:\n  name: code-review\n  description: Ours\n  iterations:\n    \
                - {name: read, agents: [{role: qa}]}\n";
    let folder = given(&[
        ("workflows/code-review.yaml", text),
        ("workflows/bad.yaml", "a: 1"),
    ]);
    let listed = printed(folder.path(), &["workflow", "list"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(
        lines[0],
        "bad                    project   it has faults: divisi workflow check bad"
    );
    assert_eq!(lines[2], "code-review            project   Ours");
    assert_eq!(
        lines[3].trim_start(),
        "workflows/code-review.yaml, over built-in workflows/code-review.yaml"
    );
    let listed = document(folder.path(), &["workflow", "list", "--json"]);
    let ours = &listed["workflows"][1];
    assert_eq!(ours["name"], "code-review");
    assert_eq!(ours["layer"], "project");
    assert_eq!(ours["hides"][0]["layer"], "built_in");
    assert_eq!(ours["sound"], true);

    let shown = output(folder.path(), &["workflow", "show", "code-review"]);
    assert_eq!(out(&shown), text);
    assert!(
        err(&shown).contains("over built-in workflows"),
        "{}",
        err(&shown)
    );
    let shown = document(
        folder.path(),
        &["workflow", "show", "task-execution", "--json"],
    );
    assert_eq!(shown["workflow"]["name"], "task-execution");
    let unknown = output(folder.path(), &["workflow", "show", "task-exectuion"]);
    assert_eq!(unknown.status.code(), Some(7));
    assert!(err(&unknown).contains("did you mean `task-execution`?"));
}

#[test]
fn beside_the_text_of_a_workflow_stands_what_it_takes_to_run_it() {
    let flow = "workflow:\n  name: mine\n  inputs: {id: {type: integer, description: Which}}\n  \
                iterations:\n    - name: read\n      agents: [{role: qa, targets: ['*.md'], \
                deliverables: [a.md]}]\n";
    let folder = given(&[("workflows/mine.yaml", flow)]);
    let shown = output(folder.path(), &["workflow", "show", "mine"]);
    let expected = "\
mine: workflows/mine.yaml
to run it: divisi run mine --set id=…
inputs:
  id  a whole number, must be given: Which
iterations:
  read
    qa: on *.md; makes a.md
    no criteria of its own
`--targets PATTERN` takes the place of the targets of iterations that wait for none
";
    assert_eq!(
        (out(&shown).as_str(), err(&shown).as_str()),
        (flow, expected)
    );
    let shown = err(&output(folder.path(), &["workflow", "show", "code-review"]));
    for expected in [
        "to run it: divisi run code-review\n",
        "  base  a revision, may be left out",
        "    developer: makes reviews/functional-review.md\n    3 criteria\n",
    ] {
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn a_check_tells_all_faults_at_once_with_place_and_nearest_name() {
    let text = "workflow:\n  name: mine\n  iterations:\n    - name: read\n      agnts: []\n      \
                agents:\n        - {role: 1}\n";
    let folder = given(&[("workflows/mine.yaml", text)]);
    let checked = output(folder.path(), &["workflow", "check", "mine"]);
    assert_eq!(checked.status.code(), Some(2));
    assert_eq!(out(&checked), "");
    let told = err(&checked);
    assert!(told.contains("workflows/mine.yaml:5:7"), "{told}");
    assert!(told.contains("did you mean `agents`?"), "{told}");
    assert!(told.contains("^"), "{told}");
    assert!(told.contains("workflows/mine.yaml:7:18"), "{told}");

    let checked = output(
        folder.path(),
        &["workflow", "check", "workflows/mine.yaml", "--json"],
    );
    assert_eq!(checked.status.code(), Some(2));
    let checked: Value = serde_json::from_str(&out(&checked)).unwrap();
    assert_eq!(checked["sound"], false);
    assert_eq!(checked["diagnostics"].as_array().unwrap().len(), 2);
}

#[test]
fn a_check_looks_at_roles_and_templates_too() {
    let text = "workflow:\n  name: mine\n  inputs: {id: integer}\n  iterations:\n    \
                - name: read\n      agents:\n        - {role: ROLE, deliverables: ['{id}.md']}\n";
    let folder = given(&[
        ("workflows/mine.yaml", &text.replace("ROLE", "tester")),
        (
            "workflows/typo.yaml",
            &text.replace("ROLE", "testr").replace("mine", "typo"),
        ),
        ("templates/qa.md.j2", "{{ role.name }}"),
    ]);
    let checked = printed(folder.path(), &["workflow", "check", "mine"]);
    insta::assert_snapshot!(checked, @r"
    mine is sound: 1 iteration, 1 role
      qa  built-in roles/qa.yaml
          prompt templates/qa.md.j2, over built-in templates/qa.md.j2
    ");
    let checked = output(folder.path(), &["workflow", "check", "typo"]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        err(&checked).contains("did you mean `tester`?"),
        "{}",
        err(&checked)
    );

    fs::write(folder.path().join("templates/qa.md.j2"), "{{ role").unwrap();
    let checked = output(folder.path(), &["workflow", "check", "mine"]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        err(&checked).contains("error[workflow-template]"),
        "{}",
        err(&checked)
    );

    fs::create_dir(folder.path().join("roles")).unwrap();
    fs::write(folder.path().join("roles/a.yaml"), "agent_role: {nam: A}").unwrap();
    let checked = output(folder.path(), &["workflow", "check", "code-review"]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        err(&checked).contains("roles/a.yaml:1:14"),
        "{}",
        err(&checked)
    );
    assert!(
        err(&checked).contains("agent_role: {nam: A}"),
        "{}",
        err(&checked)
    );
}

#[test]
fn roles_are_listed_and_shown_by_any_of_their_names() {
    let folder = given(&[("roles/qa.yaml", "agent_role: {id: qa, token_budget: 7}")]);
    let listed = printed(folder.path(), &["roles"]);
    let qa = listed.lines().find(|line| line.starts_with("qa ")).unwrap();
    assert!(qa.contains("project") && qa.contains("tester"), "{qa}");
    let shown = output(folder.path(), &["roles", "show", "Tester"]);
    assert!(out(&shown).contains("roles/qa.yaml, over built-in roles/qa.yaml"));
    assert!(
        out(&shown).contains("budget          7\n"),
        "{}",
        out(&shown)
    );
    let shown = document(folder.path(), &["roles", "show", "tester", "--json"]);
    assert_eq!(shown["id"], "qa");
    assert_eq!(shown["role"]["budget_tokens"], 7);
    assert_eq!(shown["over"][0]["layer"], "built_in");
    let all = document(folder.path(), &["roles", "--json"]);
    assert_eq!(all["roles"].as_array().unwrap().len(), 20);
    let unknown = output(folder.path(), &["roles", "show", "develper"]);
    assert_eq!(unknown.status.code(), Some(7));
    assert!(err(&unknown).contains("did you mean `developer`?"));
}

#[test]
fn what_a_project_begins_with_is_sound_and_made_once() {
    let folder = given(&[("roles/README.md", "mine")]);
    let made = output(folder.path(), &["init"]);
    assert_eq!(made.status.code(), Some(0));
    insta::assert_snapshot!(out(&made), @r"
    made  divisi.yaml
    made  workflows/README.md
    made  templates/README.md
    kept  roles/README.md
    ");
    insta::assert_snapshot!(err(&made), @r"
    → divisi config show --origin
    → divisi workflow list
    ");
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    assert_eq!(read("roles/README.md"), "mine");
    assert_eq!(read("divisi.yaml"), divisi_pack::config::example());
    let shown = printed(folder.path(), &["config", "show"]);
    let listed = printed(folder.path(), &["workflow", "list"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    printed(folder.path(), &["workflow", "check", "code-review"]);

    // What was written since stays, and what is missing is made.
    fs::write(folder.path().join("divisi.yaml"), "run: {workers: 2}").unwrap();
    fs::remove_file(folder.path().join("templates/README.md")).unwrap();
    let again = document(folder.path(), &["init", "--json"]);
    assert_eq!(again["made"], serde_json::json!(["templates/README.md"]));
    assert_eq!(again["kept"].as_array().unwrap().len(), 3);
    assert_eq!(read("divisi.yaml"), "run: {workers: 2}");
    assert_ne!(printed(folder.path(), &["config", "show"]), shown);
}

#[test]
fn what_a_project_begins_with_is_never_written_through_a_link() {
    let folder = given(&[("elsewhere/a", "")]);
    let link = |to: &str, at: &str| {
        std::os::unix::fs::symlink(to, folder.path().join(at)).unwrap();
    };
    link("elsewhere", "workflows");
    link("elsewhere/new.yaml", "divisi.yaml");
    let made = document(folder.path(), &["init", "--json"]);
    assert_eq!(
        made["kept"],
        serde_json::json!(["divisi.yaml", "workflows/README.md"])
    );
    let there: Vec<_> = fs::read_dir(folder.path().join("elsewhere"))
        .unwrap()
        .collect();
    assert_eq!(there.len(), 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = given(&[]);
    fs::write(folder.path().join("a"), "").unwrap();
    let missing = output(folder.path(), &["init", "--project", "a/b"]);
    assert_eq!(missing.status.code(), Some(7));
    // A name that cannot be made there stands for every reason of the system.
    let device = output(
        Path::new("/proc/self"),
        &["init", "--project", "/proc/self"],
    );
    assert_eq!(device.status.code(), Some(8), "{}", err(&device));
    assert!(err(&device).contains("error[init-io]"), "{}", err(&device));
}

#[test]
fn a_workflow_is_told_its_own_faults_and_what_it_uses_in_vain_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = "workflow:\n  name: w\n  iterations:\n    - name: i\n      agents:\n        \
        - {role: develper, agent: claud, deliverables: [a.md], retires: 2}\n";
    fs::create_dir(folder.path().join("workflows")).unwrap();
    fs::write(folder.path().join("workflows/w.yaml"), text).unwrap();
    for args in [&["workflow", "check", "w"][..], &["run", "w", "--yes"]] {
        let output = output(folder.path(), args);
        let told = out(&output) + &err(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        for words in [
            "there is no role `develper`",
            "there is no agent `claud`",
            "retires",
        ] {
            assert!(told.contains(words), "{args:?}: {words}: {told}");
        }
    }
    // A role that the file describes, with a fault of its own, is not said to be missing.
    let text = format!("agent_roles:\n  develper: {{targets_max: x}}\n{text}");
    fs::write(folder.path().join("workflows/w.yaml"), text).unwrap();
    let output = output(folder.path(), &["workflow", "check", "w"]);
    let told = out(&output) + &err(&output);
    assert!(!told.contains("there is no role"), "{told}");
}
