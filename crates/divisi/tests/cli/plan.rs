//! Plans made for requests, linted, compared and edited, from outside.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::given::{Given, task};
use crate::{divisi, err, out};

const REQUEST: &str = "Add rate limiting to the API, with tests, a security audit and docs";

/// A project folder, and a folder of programs that holds git alone.
struct Folder {
    folder: tempfile::TempDir,
    programs: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let programs = tempfile::tempdir().expect("a folder can be made");
        let path = std::env::var_os("PATH").expect("there is a path");
        let mut gits = std::env::split_paths(&path).map(|folder| folder.join("git"));
        let git = gits.find(|git| git.exists()).expect("git is there");
        symlink(git, programs.path().join("git")).expect("it can be linked");
        let folder = Folder { folder, programs };
        folder.write("Cargo.toml", "[package]\nname = \"a\"\n");
        folder.write("src/api.rs", "");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it is there")
    }

    /// Runs it with an editor, which is a line of shell that is given the file.
    fn plan_with(&self, editor: &str, args: &[&str]) -> Output {
        self.at(self.folder.path(), editor, args)
    }

    fn at(&self, folder: &Path, editor: &str, args: &[&str]) -> Output {
        let args = [&["plan"], args].concat();
        let mut command = divisi(folder, &args);
        command.env("PATH", self.programs.path());
        command.env_remove("VISUAL").env("EDITOR", editor);
        command.output().expect("the binary runs")
    }

    fn plan(&self, args: &[&str]) -> Output {
        self.plan_with("", args)
    }

    fn document(&self, args: &[&str]) -> Value {
        serde_json::from_str(&out(&self.plan(args))).expect("it is JSON")
    }
}

#[track_caller]
fn ends(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        out(output),
        err(output)
    );
}

#[test]
fn a_request_becomes_a_plan_that_is_shown_and_kept() {
    let folder = Folder::new();
    let made = folder.plan(&[REQUEST, "--save", "plan.json"]);
    ends(&made, 0);
    let shown = out(&made);
    let lines: Vec<&str> = shown.lines().take(5).collect();
    assert_eq!(lines[0], REQUEST);
    assert_eq!(
        lines[1],
        "by the request's own words: 4 tasks, 4 roles, 40-65 minutes, 45000 tokens"
    );
    assert_eq!(
        lines[2],
        "  1  add-rate-limiting-api  Add rate limiting to the API"
    );
    assert_eq!(lines[3].trim(), "role development/implementation");
    assert!(shown.contains("after tests"), "{shown}");
    assert!(shown.contains("`cargo test` exits with 0"), "{shown}");
    let told = err(&made);
    assert!(told.ends_with("run it: divisi run plan.json\n"), "{told}");
    assert!(
        told.starts_with("`divisi run` would do it as a plan, planned by rule, as its own words divide it (plan, "),
        "{told}"
    );
    assert!(told.contains("\n  since: "), "{told}");

    let linted = folder.plan(&["lint", "plan.json", "--request", REQUEST]);
    ends(&linted, 0);
    assert_eq!(out(&linted), "nothing is wrong with it\n");

    let again = folder.plan(&[REQUEST, "--save", "plan.json"]);
    ends(&again, 6);
    assert!(
        err(&again).contains("error[planning-exists]"),
        "{}",
        err(&again)
    );
}

#[test]
fn the_document_says_which_tasks_do_which_part() {
    let folder = Folder::new();
    let document = folder.document(&["Fix the login bug, add a test, but no docs", "--json"]);
    assert_eq!(document["planned"], true);
    assert_eq!(document["by"]["pattern"], "structure");
    assert_eq!(document["covers"][1]["role"], "qa");
    assert_eq!(document["covers"][1]["tasks"][0], "add-test");
    assert_eq!(document["excluded"][0], "no docs");
    assert_eq!(document["estimate"]["total_subtasks"], 2);
    // What the words divide is not advised to be divided otherwise.
    assert_eq!(document["findings"], Value::Array(Vec::new()));
    assert_eq!(document["run"]["planner"], "one");
    assert_eq!(document["run"]["approach"], "direct");
    assert_eq!(
        document["plan"]["subtasks"][0]["worker_type"],
        "implementation"
    );
}

#[test]
fn what_no_rule_can_plan_is_declined_and_can_be_one_task() {
    const WHOLE: &str = "Build an entire platform";
    let folder = Folder::new();
    let declined = folder.plan(&[WHOLE, "--save", "plan.json"]);
    ends(&declined, 6);
    assert!(
        out(&declined).contains("`platform` is a whole system"),
        "{}",
        out(&declined)
    );
    assert!(!folder.path("plan.json").exists());
    let document = folder.document(&[WHOLE, "--json"]);
    assert_eq!(document["planned"], false);
    assert_eq!(document["proposal"]["subtasks"][0]["title"], WHOLE);
    ends(&folder.plan(&[WHOLE, "--one", "--save", "plan.json"]), 0);
    assert!(folder.read("plan.json").contains(WHOLE));
}

#[test]
fn who_reviews_depends_on_who_is_there() {
    let folder = Folder::new();
    let works = |folder: &Folder| {
        let document = folder.document(&["Review this repository: security", "--json"]);
        document["plan"]["subtasks"][0].clone()
    };
    assert_eq!(works(&folder)["command"][1], "review");
    let agent = folder.programs.path().join("claude");
    fs::write(&agent, "#!/bin/sh\n").expect("it can be written");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&agent, executable).expect("it can be set");
    let task = works(&folder);
    assert_eq!(task["agent"], "auto");
    assert_eq!(task["command"], Value::Null);
    folder.write("divisi.yaml", "run: {agent: codex}\n");
    assert_eq!(works(&folder)["agent"], Value::Null);
}

#[test]
fn a_linted_plan_has_its_faults_at_their_lines() {
    let folder = Folder::new();
    folder.write(
        "plan.json",
        "{\"task_title\": \"t\", \"subtasks\": [\n  {\"subtask_id\": \"a\", \"deliverables\": [\"a.md\"]}\n]}",
    );
    let linted = folder.plan(&["lint", "plan.json"]);
    ends(&linted, 1);
    assert_eq!(out(&linted), "2 faults, 0 warnings\n");
    let told = err(&linted);
    assert!(
        told.contains("error[lint-role-none]: `a` has no role\n --> plan.json:2:18"),
        "{told}"
    );
    assert!(told.contains("error[lint-intent]"), "{told}");
    let document = folder.document(&["lint", "plan.json", "--json"]);
    assert_eq!(document["faults"], 2);
    assert_eq!(document["findings"][1]["code"], "lint-role-none");
    assert_eq!(document["findings"][1]["place"]["line"], 2);
}

#[test]
fn an_edited_plan_is_taken_only_without_a_fault() {
    let folder = Folder::new();
    ends(&folder.plan(&[REQUEST, "--save", "plan.json"]), 0);
    let before = folder.read("plan.json");
    let sed = |script: &str| format!("/bin/sed -i '{script}'");

    let broken = folder.plan_with(
        &sed("s/: \"security\"/: \"nobody\"/"),
        &["edit", "plan.json"],
    );
    ends(&broken, 2);
    let told = err(&broken);
    assert!(
        told.contains("error[planning-faulty]: plan.json stays as it was"),
        "{told}"
    );
    assert_eq!(folder.read("plan.json"), before);
    let kept = told
        .split("kept in ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let kept = Path::new(kept.expect("it is named"));
    assert!(kept.exists());
    fs::remove_dir_all(kept.parent().expect("a folder")).expect("it can be removed");

    let edited = folder.plan_with(&sed("s/security-audit/audit/"), &["edit", "plan.json"]);
    ends(&edited, 0);
    assert!(
        out(&edited).contains("+ audit  Security audit"),
        "{}",
        out(&edited)
    );
    folder.write("before.json", &before);
    let compared = folder.document(&["diff", "before.json", "plan.json", "--json"]);
    assert_eq!(compared["added"][0]["subtask_id"], "audit");
    assert_eq!(compared["removed"][0]["subtask_id"], "security-audit");
    assert_eq!(compared["changed"][0]["fields"][0]["field"], "inputs");

    ends(&folder.plan_with("/bin/true", &["edit", "plan.json"]), 0);
    ends(&folder.plan_with("/bin/false", &["edit", "plan.json"]), 8);
    ends(&folder.plan(&["edit", "plan.json"]), 8);
    assert!(folder.read("plan.json").contains("\"audit\""));
}

#[test]
fn the_plan_of_a_run_is_compared_linted_and_copied() {
    let given = Given::run_of(crate::given::plan("Ship it", vec![task("a", &[])]));
    let folder = Folder::new();
    let plan = |editor: &str, args: &[&str]| folder.at(given.folder(), editor, args);
    let linted = plan("", &["lint", "run-1"]);
    ends(&linted, 1);
    assert!(
        err(&linted).contains("error[lint-intent]"),
        "{}",
        err(&linted)
    );
    let refused = plan("/bin/true", &["edit", "run-1"]);
    ends(&refused, 6);
    assert!(
        err(&refused).contains("divisi plan edit run-1 --save plan.json"),
        "{}",
        err(&refused)
    );
    let criteria =
        r#"/bin/sed -i 's/"task_title"/"criteria": [{"command": ["true"]}], "task_title"/'"#;
    ends(&plan(criteria, &["edit", "1", "--save", "copy.json"]), 0);
    let compared = plan("", &["diff", "run-1", "copy.json"]);
    ends(&compared, 0);
    assert_eq!(out(&compared), "criteria\n  + {\"command\":[\"true\"]}\n");
    ends(
        &plan("/bin/true", &["edit", "run-1", "--save", "copy.json"]),
        6,
    );
    ends(&plan("", &["diff", "run-1", "run-1"]), 0);
    ends(&plan("", &["diff", "run-1", "run-7"]), 7);
}
