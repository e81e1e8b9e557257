//! Coding agents are found when a run is created: what `auto` stands for, what is missing, what is
//! listed, and a test of one. The agents are small programs that speak as Claude Code does.

use std::path::Path;
use std::process::Command;

use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::stage::{Stage, endings, git, stands, task, write};

/// What a tool prints that has done its turn.
pub(crate) const DONE: &str = r#"{"type":"result","subtype":"success","is_error":false,"result":"Written.","session_id":"s","total_cost_usd":0.5,"usage":{"input_tokens":1200,"output_tokens":30},"modelUsage":{"m":{"inputTokens":1200,"outputTokens":30,"cacheReadInputTokens":0,"cacheCreationInputTokens":0,"costUSD":0.5}},"permission_denials":[]}"#;

/// A program in the place of an agent's, and the `PATH` on which it is.
pub(crate) fn program(stage: &Stage, name: &str, script: &str) -> String {
    let from = stage.beside("program");
    write(&from, &format!("#!/bin/sh\n{script}\n"));
    let bin = stage.beside("bin");
    std::fs::create_dir_all(&bin).unwrap();
    // Another process writes it: one that this process had open could not be executed meanwhile.
    let to = bin.join(name);
    let mut install = Command::new("install");
    install.args(["-m", "755"]).args([from, to]);
    assert!(install.status().unwrap().success());
    format!("{}:{}", bin.display(), without_agents())
}

/// The tests' own `PATH`, on which no agent is.
fn without_agents() -> String {
    let path = std::env::var("PATH").unwrap();
    let folders = path.split(':').filter(|folder| {
        let has = |name: &&str| Path::new(folder).join(name).exists();
        !["claude", "codex", "opencode"].iter().any(has)
    });
    folders.collect::<Vec<_>>().join(":")
}

/// The `PATH` on which these agents are. They say a version, and do nothing.
pub(crate) fn installed(stage: &Stage, names: &[&str]) -> String {
    for name in names {
        program(stage, name, "echo 1.2.3");
    }
    let bin = stage.beside("bin");
    format!("{}:{}", bin.display(), without_agents())
}

/// One that says its version, and otherwise does this and says that it is done.
pub(crate) fn working(stage: &Stage, work: &str) -> String {
    let script = format!(
        "case \"$1\" in --version) echo '2.1.197 (Claude Code)'; exit;; esac\n{work}\necho '{DONE}'"
    );
    program(stage, "claude", &script)
}

fn written(agent: &Value) -> Value {
    json!({"task_title": "One file", "subtasks": [{
        "subtask_id": "a", "title": "Write a.md", "agent": agent, "deliverables": ["a.md"],
        "criteria": [{"contains": "here", "in": "a.md"}],
    }]})
}

#[test]
fn an_agent_that_goes_away_before_its_turn_is_tried_once_and_named() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = working(&stage, "echo here > a.md");
    let stage = stage.with_env("PATH", &path);
    let bin = stage.beside("bin").display().to_string();
    let mut plan = written(&json!("claude"));
    plan["subtasks"][0]["dependencies"] = json!(["first"]);
    plan["subtasks"][0]["retries"] = json!(5);
    let first = json!({"subtask_id": "first", "command": ["rm", format!("{bin}/claude")]});
    plan["subtasks"].as_array_mut().unwrap().push(first);
    stage.run(&plan, &["--allow-write", &bin]).expect(3);
    let run = stage.only();
    assert_eq!(task(&run, "first").status().word(), "done");
    assert_eq!(task(&run, "a").attempts(), 1);
    stage
        .divisi(&["show", "run-1", "a"])
        .expect(0)
        .says("npm install --global @anthropic-ai/claude-code");
}

/// The names of variables that an agent's program is given.
#[test]
fn an_agent_is_given_the_keys_that_it_declares_and_no_others() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = working(&stage, "env | cut -d = -f 1 > names; echo here > a.md");
    let mut stage = stage.with_env("PATH", &path);
    let keys = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GITHUB_TOKEN"];
    for key in keys {
        stage = stage.with_env(key, &format!("planted-{key}-5b0e77c1d2a94f38"));
    }
    stage.run(&written(&json!("claude")), &[]).expect(0);
    let names = stage.result("names").expect("the agent kept them");
    let given = keys.map(|key| names.lines().any(|name| name == key));
    assert_eq!(given, [true, false, false], "{names}");
}

#[test]
fn auto_is_settled_when_the_run_is_created_and_stays_so() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = working(&stage, "echo here > a.md");
    let stage = stage.with_env("PATH", &path);
    let plan = stage.plan(&written(&json!("auto")));
    // Nobody consents, so nothing is started.
    let created = stage.divisi(&["run", &plan]).expect(4);
    assert!(created.stderr.contains("claude"), "{}", created.stderr);
    let run = stage.only();
    assert_eq!(run.settings.agent_auto, "claude");
    assert_eq!(task(&run, "a").spec.agent.as_deref(), Some("auto"));
    // By now another one is preferred, and is there.
    installed(&stage, &["codex"]);
    write(stage.path("divisi.yaml"), "agents: {prefer: [codex]}\n");
    stage.divisi(&["approve", "1"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    let run = stage.only();
    stands(&run, RunStatus::Succeeded, &[("a", "done")]);
    assert_eq!(endings(&run, "a")[0].agent, "claude");
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    assert!(
        report.contains("the agent left open, so claude"),
        "{report}"
    );
}

#[test]
fn a_role_and_the_default_may_be_auto_by_the_projects_preference() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = installed(&stage, &["claude", "codex"]);
    let stage = stage.with_env("PATH", &path);
    write(
        stage.path("divisi.yaml"),
        "run: {agent: auto, agents: {qa: person, developer: auto}}\nagents: {prefer: [opencode, codex]}\n",
    );
    let plan = json!({"task_title": "Three", "subtasks": [
        {"subtask_id": "open", "title": "By the default"},
        {"subtask_id": "role", "title": "By the role", "assigned_to": "development",
            "worker_type": "implementer"},
        {"subtask_id": "own", "title": "By hand", "agent": "person"},
    ]});
    let plan = stage.plan(&plan);
    stage.divisi(&["run", &plan]).expect(4);
    let run = stage.only();
    let agents = ["open", "role", "own"].map(|id| task(&run, id).agent(&run.settings).to_owned());
    assert_eq!(agents, ["codex", "codex", "person"]);
}

#[test]
fn a_consent_holds_for_the_agent_that_was_shown() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    let path = installed(&stage, &["codex"]);
    let stage = stage.with_env("PATH", &path);
    let plan = stage.plan(&written(&json!("auto")));
    write(stage.path("divisi.yaml"), "run: {failures_max: 1}\n");
    let asked = |typed: &str| {
        let (_, shown) = stage.on_a_terminal(&["run", &plan], typed);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        (shown.contains("run it?"), shown)
    };
    let (was_asked, shown) = asked("y\n");
    assert!(was_asked && shown.contains("codex"), "{shown}");
    let (was_asked, shown) = asked("");
    assert!(!was_asked, "{shown}");
    // By now another one is there, which is preferred.
    installed(&stage, &["claude"]);
    let (was_asked, shown) = asked("n\n");
    let changed = shown
        .lines()
        .find(|line| line.contains("changed since you consented"));
    let changed = changed.unwrap_or_else(|| panic!("nothing changed: {shown}"));
    assert!(was_asked, "{shown}");
    assert!(
        changed.contains("the agent that `auto` stands for"),
        "{changed}"
    );
}

#[test]
fn what_is_missing_is_told_before_anything_is_created() {
    let stage = Stage::git(&[("README.md", "# A project\n")]).with_env("PATH", &without_agents());
    for (agent, said) in [
        (
            json!("codex"),
            "`codex` is to do the task `a`, and is not installed",
        ),
        (
            json!("auto"),
            "none of claude, codex, opencode, model is there, and the task `a` is left to `auto`",
        ),
    ] {
        let told = stage.run(&written(&agent), &[]).expect(2).stderr;
        assert!(told.contains("error[agent-missing]"), "{told}");
        assert!(told.contains(said), "{told}");
        assert!(
            told.contains("npm install --global @openai/codex"),
            "{told}"
        );
        assert!(stage.try_view().is_none(), "a run was created");
    }
    // Who only wants to know what it would take is told the same, and that.
    let plan = stage.plan(&written(&json!("codex")));
    let dry = stage.divisi(&["run", &plan, "--dry-run"]).expect(0);
    assert!(
        dry.stderr.contains("warning[agent-missing]"),
        "{}",
        dry.stderr
    );
    assert!(dry.stdout.contains("estimate"), "{}", dry.stdout);
    // Or a person does it, where the settings say so.
    write(
        stage.path("divisi.yaml"),
        "agents: {prefer: [claude, person]}\n",
    );
    stage.run(&written(&json!("auto")), &[]).expect(4);
    assert_eq!(stage.only().settings.agent_auto, "person");
}

#[test]
fn a_workflow_is_settled_like_a_plan_and_the_flag_still_wins() {
    let text = "workflow:\n  name: two\n  iterations:\n    - name: write\n      agents:\n        \
                - {role: developer, agent: auto, deliverables: [a.md]}\n";
    let stage = Stage::git(&[("workflows/two.yaml", text)]).with_env("PATH", &without_agents());
    let told = stage.divisi(&["run", "two", "--yes"]).expect(2).stderr;
    assert!(told.contains("is left to `auto`"), "{told}");
    let told = stage.divisi(&["run", "two", "--yes", "--agent", "developer=codex"]);
    let told = told.expect(2).stderr;
    assert!(told.contains("`codex` is to do the task"), "{told}");
    assert!(stage.try_view().is_none(), "a run was created");
    stage
        .divisi(&["run", "two", "--yes", "--agent", "developer=person"])
        .expect(4);
    let run = stage.only();
    let agents: Vec<&str> = run
        .tasks()
        .iter()
        .map(|it| it.agent(&run.settings))
        .collect();
    assert!(agents.contains(&"person"), "{agents:?}");
}

#[test]
fn a_split_among_agents_that_are_missing_is_refused() {
    let stage = Stage::git(&[("README.md", "# A project\n")]).with_env("PATH", &without_agents());
    stage.run(&written(&json!("person")), &[]).expect(4);
    let parts = json!({"subtasks": [{"subtask_id": "b", "title": "b", "agent": "codex"}]});
    write(stage.beside("parts.json"), &parts.to_string());
    let parts = stage.beside("parts.json").display().to_string();
    let told = stage.divisi(&["split", "1", "a", &parts]).expect(2).stderr;
    assert!(told.contains("`codex` is to do the task `b`"), "{told}");
    assert_eq!(stage.only().tasks().len(), 1);
}

/// The folders in which Divisi leaves things: what is not the project's stays as it is.
fn around(stage: &Stage) -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["tmp", "run/divisi", "home"] {
        let read = std::fs::read_dir(stage.beside(folder));
        for entry in read.into_iter().flatten() {
            names.push(format!("{folder}/{}", entry.unwrap().file_name().display()));
        }
    }
    names
}

fn tried(work: &str) -> Stage {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    std::fs::create_dir(stage.beside("tmp")).unwrap();
    let path = working(&stage, work);
    let tmp = stage.beside("tmp").display().to_string();
    stage
        .with_env("PATH", &path)
        .with_env("TMPDIR", &tmp)
        .with_env("ANTHROPIC_API_KEY", "sk-planted-123")
}

#[test]
fn an_agent_that_works_passes_its_test_and_leaves_nothing() {
    let stage = tried("echo 'divisi agents test' > answer.md");
    let ran = stage.divisi(&["agents", "test", "claude"]).expect(0);
    assert!(ran.stdout.contains("claude works"), "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("1200 tokens read, 30 written, 0.5 $ by its own count"),
        "{}",
        ran.stdout
    );
    assert_eq!(around(&stage), [""; 0]);
    assert!(!stage.path(".divisi").exists());
    assert_eq!(git(stage.project(), &["status", "--porcelain"]), "");
    let document = stage
        .divisi(&["agents", "test", "claude", "--json"])
        .expect(0);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    assert_eq!(document["done"], json!(true), "{document:#}");
    assert_eq!(
        document["usage"]["output_tokens"],
        json!(30),
        "{document:#}"
    );
    assert_eq!(
        document["agent"]["standing"],
        json!("tested"),
        "{document:#}"
    );
    sound(&stage, &document);
}

#[test]
fn an_agent_that_only_says_so_fails_its_test() {
    let stage = tried("true");
    let ran = stage.divisi(&["agents", "test", "claude"]).expect(1);
    assert!(
        ran.stdout.contains("claude did not do it"),
        "{}",
        ran.stdout
    );
    assert_eq!(around(&stage), [""; 0]);
    let document = stage
        .divisi(&["agents", "test", "claude", "--json"])
        .expect(1);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    assert_eq!(document["done"], json!(false), "{document:#}");
    sound(&stage, &document);
}

#[test]
fn a_test_of_nobody_says_why() {
    let stage = Stage::git(&[("README.md", "# A project\n")]).with_env("PATH", &without_agents());
    let told = stage.divisi(&["agents", "test", "codx"]).expect(7).stderr;
    assert!(told.contains("did you mean `codex`?"), "{told}");
    let told = stage.divisi(&["agents", "test", "codex"]).expect(8).stderr;
    assert!(
        told.contains("npm install --global @openai/codex"),
        "{told}"
    );
}

/// What is printed satisfies the schema.
fn sound(stage: &Stage, document: &Value) {
    let schema = stage.divisi(&["schema", "agents"]).expect(0).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(document)
        .map(|fault| fault.to_string())
        .collect();
    assert_eq!(faults, [""; 0], "{document:#}");
}

#[test]
fn the_list_says_how_each_agent_stands() {
    let stage = Stage::git(&[("README.md", "# A project\n")]);
    working(&stage, "true");
    let path = program(&stage, "codex", "echo garbage");
    let stage = stage
        .with_env("PATH", &path)
        .with_env("ANTHROPIC_API_KEY", "sk-planted-123");
    write(
        stage.beside("home/.codex/auth.json"),
        "{\"key\": \"sk-planted-456\"}",
    );
    let text = stage.divisi(&["agents"]).expect(0);
    for said in [
        "claude: Claude Code, tested",
        "the variable ANTHROPIC_API_KEY",
        "codex: Codex, unverified",
        "unknown: nothing that it printed is a version; tested is 0.169.0",
        "home/.codex/auth.json",
        "opencode: opencode, missing",
        "npm install --global opencode-ai",
        "`agent: auto` is claude",
    ] {
        assert!(text.stdout.contains(said), "{said}: {}", text.stdout);
    }
    let listed = stage.divisi(&["agents", "list", "--json"]).expect(0);
    assert!(!format!("{}{}", text.stdout, listed.stdout).contains("sk-planted"));
    let document: Value = serde_json::from_str(&listed.stdout).unwrap();
    sound(&stage, &document);
    assert_eq!(document["auto"], json!("claude"));
    let standings: Vec<&Value> = (0..3)
        .map(|at| &document["agents"][at]["standing"])
        .collect();
    assert_eq!(standings, ["tested", "unverified", "missing"]);
    assert_eq!(
        document["agents"][0]["credential"],
        json!({"variable": "ANTHROPIC_API_KEY"})
    );
    let doctor = stage.divisi(&["doctor"]).expect(0).stdout;
    assert!(
        doctor.contains("claude 2.1.197 (tested), codex (version unknown)"),
        "{doctor}"
    );
}

#[test]
fn where_there_is_none_it_is_said_how_to_go_on() {
    let stage = Stage::git(&[("README.md", "# A project\n")]).with_env("PATH", &without_agents());
    let listed = stage.divisi(&["agents"]).expect(0);
    assert!(
        listed.stdout.contains("`agent: auto` is nobody"),
        "{}",
        listed.stdout
    );
    assert!(listed.stderr.contains("divisi submit"), "{}", listed.stderr);
    let doctor = stage.divisi(&["doctor"]).expect(0).stdout;
    assert!(
        doctor.contains("no coding agent: programs and people"),
        "{doctor}"
    );
}
