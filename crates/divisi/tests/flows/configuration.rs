//! What files, variables and flags say reaches the run, the stronger over the weaker.

use divisi_core::run::{RunStatus, Settings};
use divisi_pack::config::SETTINGS;
use serde_json::{Value, json};

use crate::found::installed;
use crate::stage::{Stage, write};

/// Says every setting that a run is given, none as it is by default.
const FILE: &str = "run:
  workers: 2
  timeout_minutes: 7
  barriers: true
  agent: scripted
  agents: {developer: person}
  limits: {command: 3, development: 5}
  failures_max: 4
  reassign_after: 1
  split_after: 19
  split_depth_max: 3
  split_minutes_min: 22
  losses_max: 6
  conflicts_max: 7
  loss_delay_seconds: 2
  batch_max: 9
  used_up_max: 18
  budget: {attempts: 11, minutes: 12, tokens: 2000000, usd: 20}
  rehearsal: rules.yaml
assessment:
  files_max: 31
  minutes_max: 32
  tokens_max: 33000
  lines_advised: 340
  split_lines_min: 35
planning:
  task_minutes_advised: 36
  task_minutes_max: 37
  task_tokens_max: 38000
  task_files_max: 39
  tasks_min: 4
  tasks_max: 41
  stages_max: 42
agents:
  prefer: [codex, person]
  prefer_by_role: {tester: [claude]}
  model: {provider: ollama, model: small}
  custom: {mine: {command: [mine], speaks: text}}
review:
  agents: [codex, model]
  awaiting_max: 21
limits:
  wait_max_minutes: 17
  then: escalate
  agents: {claude: codex}
  delay_seconds: 16
  times_max: 15
  quiet_hours: 03:00-03:01
monitoring:
  progress_minutes: {claude: 1.5}
budget:
  attempt: {tokens: 1000, usd: 0.5}
  day: {attempts: 99}
prices: {codex: {input: 2, output: 8, cached: 0.5}, scripted: {input: 0, output: 0}}
handoff:
  tokens: 18000
  agents: {claude: 19000}
grants:
  allow_write: [cache]
  pass_env: [PASSED]
  unconfined: true
  memory_mib: 4000
  cpu_seconds: 14
permissions:
  rules: [{deed: fetch, then: deny}]
  deadline_seconds: 18
workspace:
  copy: [copied]
  setup: ['touch installed']
  inputs: [tracked]
  timeout_minutes: 3
checks: [{file: tracked}]
";

/// Those that no run is given: figures of workflows, words, how the journal is kept, and what all
/// runs of a day share.
const OF_NO_RUN: [&str; 4] = ["allocation.", "orchestrator.", "journal.", "budget.day"];

fn project() -> Stage {
    let ignored = "installed\ncopied\ncache\n";
    let rules = ("rules.yaml", "rules: [{task: none}]");
    let stage = Stage::git(&[("tracked", "1\n"), (".gitignore", ignored), rules]);
    write(stage.path("copied"), "mine\n");
    std::fs::create_dir(stage.path("cache")).unwrap();
    let path = installed(&stage, &["claude", "codex"]);
    stage.with_env("PATH", &path)
}

/// A command, and work for a developer that waits for it.
fn plan() -> Value {
    json!({"task_title": "small", "subtasks": [
        {"subtask_id": "a", "command": ["true"]},
        {"subtask_id": "b", "title": "later", "assigned_to": "development",
            "worker_type": "implementer", "deliverables": ["b.md"], "dependencies": ["a"]},
    ]})
}

fn settings(stage: &Stage) -> Settings {
    let run = stage.only();
    run.settings.clone()
}

/// What a run has of a setting.
fn of(stage: &Stage, key: &str) -> Value {
    let settings = settings(stage);
    let run = stage.only();
    let prepared = &run.preparation;
    let grants = &settings.grants;
    match key {
        "run.workers" => json!(settings.workers_max),
        "run.timeout_minutes" => json!(settings.timeout_ms / 60_000),
        "run.barriers" => json!(settings.barriers),
        "run.agent" => json!(settings.agent_default),
        "run.agents" => json!(run.tasks()[1].spec.agent),
        "run.rehearsal" => json!(settings.rehearsal.is_some()),
        "run.limits" => json!([settings.agent_limits, settings.role_limits]),
        "run.failures_max" => json!(settings.failures_max),
        "run.reassign_after" => json!(settings.reassign_after),
        "run.split_after" => json!(settings.split_after),
        "run.split_depth_max" => json!(settings.sizes.split_depth_max),
        "run.split_minutes_min" => json!(settings.sizes.split_ms_min / 60_000),
        "assessment.files_max" => json!(settings.sizes.files_max),
        "assessment.minutes_max" => json!(settings.sizes.ms_max / 60_000),
        "assessment.tokens_max" => json!(settings.sizes.tokens_max),
        "assessment.lines_advised" => json!(settings.sizes.lines_advised),
        "assessment.split_lines_min" => json!(settings.sizes.split_lines_min),
        "planning.task_minutes_advised" => json!(settings.sizes.task_advised_ms / 60_000),
        "planning.task_minutes_max" => json!(settings.sizes.task_ms_max / 60_000),
        "planning.task_tokens_max" => json!(settings.sizes.task_tokens_max),
        "planning.task_files_max" => json!(settings.sizes.task_files_max),
        "planning.tasks_min" => json!(settings.sizes.tasks_min),
        "planning.tasks_max" => json!(settings.sizes.tasks_max),
        "planning.stages_max" => json!(settings.sizes.stages_max),
        "review.agents" => json!(settings.reviewers),
        "review.awaiting_max" => json!(settings.awaiting_max),
        "run.losses_max" => json!(settings.losses_max),
        "run.conflicts_max" => json!(settings.conflicts_max),
        "run.loss_delay_seconds" => json!(settings.loss_delay_ms / 1_000),
        "limits.wait_max_minutes" => json!(settings.limit_wait_max_ms / 60_000),
        "limits.then" => json!(settings.limit_then),
        "limits.agents" => json!(settings.limit_agents),
        "limits.delay_seconds" => json!(settings.limit_delay_ms / 1_000),
        "limits.times_max" => json!(settings.limits_max),
        "limits.quiet_hours" => json!(settings.quiet_hours.map(|hours| hours.to_string())),
        "monitoring.progress_minutes" => json!(settings.progress_ms),
        "run.batch_max" => json!(settings.batch_max),
        "agents.prefer" => json!(settings.agent_auto),
        "run.used_up_max" => json!(settings.used_up_max),
        "run.budget" => json!(settings.budget),
        "budget.attempt" => json!([settings.attempt_tokens, settings.attempt_usd_micros]),
        "prices" => json!(settings.prices),
        "agents.prefer_by_role" => json!(settings.agents_auto),
        "agents.model" => json!(settings.defined.get("model"))["model"]["provider"].clone(),
        "agents.custom" => json!(settings.defined.get("custom.mine")),
        "handoff.tokens" => json!(settings.handoffs.tokens_max),
        "handoff.agents" => json!(settings.handoffs.agents),
        "grants.allow_write" => json!(grants.writes),
        "grants.pass_env" => json!(grants.passes),
        "grants.unconfined" => json!(grants.unconfined),
        "grants.memory_mib" => json!(grants.memory_bytes_max.map(|bytes| bytes >> 20)),
        "grants.cpu_seconds" => json!(grants.cpu_s_max),
        "permissions.rules" => json!(settings.permissions.rules),
        "permissions.deadline_seconds" => json!(settings.permissions.deadline_ms / 1_000),
        "workspace.copy" => json!(prepared.copy),
        "workspace.setup" => json!(prepared.setup.len()),
        "workspace.inputs" => json!(prepared.inputs),
        "workspace.timeout_minutes" => json!(prepared.timeout_ms.map(|ms| ms / 60_000)),
        "checks" => json!(run.criteria.len()),
        other => panic!("say here what a run has of {other}"),
    }
}

/// What a run has once the file says all.
fn said(stage: &Stage, key: &str) -> Value {
    match key {
        "run.workers" => json!(2),
        "run.timeout_minutes" => json!(7),
        "run.barriers" | "run.rehearsal" | "grants.unconfined" => json!(true),
        "run.agent" => json!("scripted"),
        "run.agents" => json!("person"),
        "run.limits" => json!([{"command": 3}, {"development": 5}]),
        "run.failures_max" => json!(4),
        "run.reassign_after" | "workspace.setup" | "checks" => json!(1),
        "run.split_after" => json!(19),
        "run.split_depth_max" => json!(3),
        "run.split_minutes_min" => json!(22),
        "assessment.files_max" => json!(31),
        "assessment.minutes_max" => json!(32),
        "assessment.tokens_max" => json!(33_000),
        "assessment.lines_advised" => json!(340),
        "assessment.split_lines_min" => json!(35),
        "planning.task_minutes_advised" => json!(36),
        "planning.task_minutes_max" => json!(37),
        "planning.task_tokens_max" => json!(38_000),
        "planning.task_files_max" => json!(39),
        "planning.tasks_min" => json!(4),
        "planning.tasks_max" => json!(41),
        "planning.stages_max" => json!(42),
        "review.agents" => json!(["codex", "model"]),
        "review.awaiting_max" => json!(21),
        "run.losses_max" => json!(6),
        "run.conflicts_max" => json!(7),
        "run.loss_delay_seconds" => json!(2),
        "limits.wait_max_minutes" => json!(17),
        "limits.then" => json!("escalate"),
        "limits.agents" => json!({"claude": "codex"}),
        "limits.delay_seconds" => json!(16),
        "limits.times_max" => json!(15),
        "limits.quiet_hours" => json!("03:00-03:01"),
        "monitoring.progress_minutes" => json!({"claude": 90_000}),
        "run.batch_max" => json!(9),
        "agents.prefer" => json!("codex"),
        "run.used_up_max" => json!(18),
        "run.budget" => budget(11, 12),
        "budget.attempt" => json!([1_000, 500_000]),
        "prices" => json!({
            "codex": {"input": 2_000_000, "output": 8_000_000, "cached": 500_000},
            "scripted": {"input": 0, "output": 0, "cached": 0},
        }),
        "agents.prefer_by_role" => json!({"development/test": "claude"}),
        "agents.model" => json!("ollama"),
        "agents.custom" => json!({"program": {"command": ["mine"], "speaks": "text"}}),
        "handoff.tokens" => json!(18_000),
        "handoff.agents" => json!({"claude": 19_000}),
        "grants.allow_write" => json!([stage.path("cache")]),
        "grants.pass_env" => json!(["PASSED"]),
        "grants.memory_mib" => json!(4_000),
        "grants.cpu_seconds" => json!(14),
        "permissions.rules" => json!([{"deed": "fetch", "then": "deny"}]),
        "permissions.deadline_seconds" => json!(18),
        "workspace.copy" => json!(["copied"]),
        "workspace.inputs" => json!(["tracked"]),
        "workspace.timeout_minutes" => json!(3),
        other => panic!("say here what the file says of {other}"),
    }
}

/// The budget of the file, with so many attempts and minutes.
fn budget(attempts: u64, minutes: u64) -> Value {
    json!({
        "attempts": attempts, "time_ms": minutes * 60_000,
        "tokens": 2_000_000, "usd_micros": 20_000_000,
    })
}

fn of_runs() -> impl Iterator<Item = &'static str> {
    let keys = SETTINGS.iter().map(|setting| setting.key);
    keys.filter(|key| !OF_NO_RUN.iter().any(|section| key.starts_with(section)))
}

#[test]
fn every_setting_of_the_projects_file_reaches_the_run() {
    let stage = project();
    let untold = stage.run(&plan(), &[]);
    untold.expect(4);
    let default: Vec<Value> = of_runs().map(|key| of(&stage, key)).collect();

    let stage = project();
    write(stage.path("divisi.yaml"), FILE);
    let path = stage.plan(&plan());
    stage.divisi(&["run", &path, "--yes"]).expect(4);
    for (key, default) in of_runs().zip(default) {
        assert_eq!(of(&stage, key), said(&stage, key), "{key}");
        assert_ne!(of(&stage, key), default, "{key}");
    }
}

#[test]
fn every_setting_of_the_environment_beats_the_files() {
    let mut stage = project();
    write(stage.path("divisi.yaml"), FILE);
    for (name, value) in [
        ("DIVISI_RUN_WORKERS", "8"),
        ("DIVISI_RUN_AGENT", "person"),
        ("DIVISI_RUN_LIMITS", "{command: 1}"),
        ("DIVISI_GRANTS_PASS_ENV", "[OTHER, MORE]"),
        ("DIVISI_GRANTS_UNCONFINED", "false"),
        ("DIVISI_CHECKS", "[]"),
        ("DIVISI_WORKSPACE_SETUP", "[]"),
        ("DIVISI_WORKSPACE_INPUTS", ""),
    ] {
        stage = stage.with_env(name, value);
    }
    stage.run(&plan(), &[]).expect(4);
    assert_eq!(of(&stage, "run.workers"), json!(8));
    assert_eq!(of(&stage, "run.agent"), json!("person"));
    assert_eq!(
        of(&stage, "run.limits"),
        json!([{"command": 1}, {"development": 5}]),
        "maps are put over each other entry by entry"
    );
    assert_eq!(of(&stage, "grants.pass_env"), json!(["OTHER", "MORE"]));
    assert_eq!(of(&stage, "grants.unconfined"), json!(false));
    assert_eq!(of(&stage, "checks"), json!(0));
    assert_eq!(of(&stage, "workspace.setup"), json!(0));
    assert_eq!(of(&stage, "workspace.inputs"), json!(["tracked"]));
}

#[test]
fn every_flag_beats_the_environment_and_the_files() {
    let stage = project().with_env("DIVISI_RUN_WORKERS", "8");
    write(stage.path("divisi.yaml"), FILE);
    let flags = "--jobs 3 --timeout 21 --barriers=false --limit command=13 --budget 22-attempts \
                 --budget 23min --allow-write /tmp --pass-env FLAG --unconfined=false \
                 --memory 4001 --cpu-seconds 25 --agent person --agent implementer=scripted";
    let rules = stage.beside("other.yaml");
    write(rules.clone(), "rules: [{task: b}]");
    let rules = rules.display().to_string();
    let mut flags: Vec<&str> = flags.split_whitespace().collect();
    flags.extend(["--rehearsal", &rules]);
    // By the project's own rules nothing could be played.
    stage.run(&plan(), &flags).expect(0);
    for (key, expected) in [
        ("run.workers", json!(3)),
        ("run.timeout_minutes", json!(21)),
        ("run.barriers", json!(false)),
        ("run.agent", json!("person")),
        ("run.agents", json!("scripted")),
        ("run.limits", json!([{"command": 13}, {"development": 5}])),
        ("run.budget", budget(22, 23)),
        ("grants.allow_write", json!(["/tmp"])),
        ("grants.pass_env", json!(["FLAG"])),
        ("grants.unconfined", json!(false)),
        ("grants.memory_mib", json!(4_001)),
        ("grants.cpu_seconds", json!(25)),
    ] {
        assert_eq!(of(&stage, key), expected, "{key}");
    }
    let told = SETTINGS.iter().filter_map(|setting| setting.flag);
    for flag in told.filter(|flag| *flag != "--durability") {
        let is_given = |given: &&str| given.split('=').next() == Some(flag);
        assert!(flags.iter().any(is_given), "{flag}");
    }
}

#[test]
fn what_a_repository_says_executes_nothing_before_somebody_consents() {
    let stage = project();
    let side = stage.beside("executed");
    let text = format!(
        "workspace: {{setup: ['touch {}']}}\ngrants: {{allow_write: [..]}}\n",
        side.display()
    );
    write(stage.path("divisi.yaml"), &text);
    let plan =
        json!({"task_title": "small", "subtasks": [{"subtask_id": "a", "command": ["true"]}]});
    let path = stage.plan(&plan);

    let ran = stage.divisi(&["run", &path]).expect(4);
    assert!(
        ran.stderr.contains("divisi.yaml:2 grants.allow_write"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("divisi.yaml:1 workspace.setup"),
        "{}",
        ran.stderr
    );
    assert!(!side.exists());

    let (code, shown) = stage.on_a_terminal(&["run", &path], "n\n");
    assert_eq!(code, 5);
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(shown.contains("workspace.setup"), "{shown}");
    assert!(!side.exists());
    // A slip is asked once more, and refuses nothing.
    let (code, shown) = stage.on_a_terminal(&["run", &path], "yy\n?\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_eq!(code, 4, "{shown}");
    assert!(shown.contains("yes or no? [Y/n]"), "{shown}");
    let (code, _) = stage.on_a_terminal(&["run", &path], "noo\nn\n");
    assert_eq!(code, 5);
    assert!(!side.exists());

    stage.divisi(&["run", &path, "--yes"]).expect(0);
    assert!(side.exists());
}

#[test]
fn faults_of_all_sources_are_told_at_once_and_nothing_is_started() {
    let stage = project()
        .with_env("DIVISI_RUN_BATCH_MAX", "many")
        .with_env("DIVISI_RUN_WORKRS", "2");
    write(
        stage.path("divisi.yaml"),
        "run:\n  workrs: 3\n  workers: none\n",
    );
    write(
        stage.beside("home/.config/divisi/config.yaml"),
        "grants: {unconfined: yes}\n",
    );
    let ran = stage.run(&plan(), &[]).expect(2);
    for told in [
        "divisi.yaml:2:3",
        "did you mean `workers`?",
        "divisi.yaml:3:12",
        "config.yaml:1:22",
        "DIVISI_RUN_BATCH_MAX:1:1",
        "warning[config-variable]",
        "did you mean `DIVISI_RUN_WORKERS`?",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    assert!(!stage.path(".divisi").exists());
}

#[test]
fn settings_in_force_are_shown_with_layer_file_and_line() {
    let stage = project()
        .with_env("DIVISI_RUN_BATCH_MAX", "2")
        .with_env("DIVISI_RUN_LIMITS", "{qa: 1}");
    write(
        stage.path("divisi.yaml"),
        "run:\n  workers: 3\n  limits: {command: 2}\n",
    );
    write(
        stage.beside("home/.config/divisi/config.yaml"),
        "run: {workers: 9, failures_max: 5}\n",
    );
    let ran = stage.divisi(&["config", "show", "--origin"]).expect(0);
    let user = stage.beside("home/.config/divisi/config.yaml");
    let lines: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<&str>>().join(" "))
        .collect();
    for expected in [
        "workers: 3 # project, divisi.yaml:2",
        "timeout_minutes: 30 # default",
        "\"command\": 2 # project, divisi.yaml:3",
        "\"qa\": 1 # environment, DIVISI_RUN_LIMITS",
        "batch_max: 2 # environment, DIVISI_RUN_BATCH_MAX",
        &format!("failures_max: 5 # user, {}:1", user.display()),
        "memory_mib: null # default",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}: {}",
            ran.stdout
        );
    }
    // What is printed is a file of configuration that says the same.
    let printed = stage.divisi(&["config", "show"]).stdout;
    let read = divisi_pack::config::read("printed", printed.as_bytes());
    assert_eq!(read.diagnostics, [], "{printed}");
    let config = divisi_pack::config::Config::of(&read.values.unwrap());
    assert_eq!(
        (config.workers, config.failures_max, config.batch_max),
        (3, 5, 2)
    );

    let document: Value =
        serde_json::from_str(&stage.divisi(&["config", "show", "--json"]).stdout).unwrap();
    let settings = document["settings"].as_array().unwrap();
    let workers = settings
        .iter()
        .find(|it| it["key"] == "run.workers")
        .unwrap();
    assert_eq!(
        *workers,
        json!({"key": "run.workers", "value": 3, "layer": "project", "source": "divisi.yaml",
            "line": 2})
    );
}

#[test]
fn a_link_in_the_projects_place_is_not_followed_and_a_misnamed_file_is_told() {
    let stage = project();
    write(stage.beside("elsewhere"), "run: {workers: 3}\n");
    std::os::unix::fs::symlink("../elsewhere", stage.path("divisi.yaml")).unwrap();
    let ran = stage.divisi(&["config", "show"]).expect(2);
    assert!(
        ran.stderr.contains("error[config-unreadable]"),
        "{}",
        ran.stderr
    );

    std::fs::rename(stage.path("divisi.yaml"), stage.path("divisi.yml")).unwrap();
    let ran = stage.divisi(&["config", "show"]).expect(0);
    assert!(
        ran.stderr.contains("warning[config-name]"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_simulation_is_played_with_the_same_settings() {
    let stage = project();
    write(stage.path("divisi.yaml"), "run: {workers: 3}\n");
    let path = stage.plan(&plan());
    let workers = |args: &[&str]| {
        let args: Vec<&str> = ["simulate", &path, "--json"]
            .iter()
            .chain(args)
            .copied()
            .collect();
        let document: Value = serde_json::from_str(&stage.divisi(&args).stdout).unwrap();
        document["workers"].clone()
    };
    assert_eq!(workers(&[]), json!(3));
    assert_eq!(workers(&["-j", "2"]), json!(2));
}

#[test]
fn a_run_succeeds_with_what_is_configured() {
    let stage = project();
    let text = "workspace: {copy: [copied], setup: ['touch installed']}\n\
                checks: [{command: [test, -e, installed]}]\n";
    write(stage.path("divisi.yaml"), text);
    let plan = json!({"task_title": "small", "subtasks": [
        {"subtask_id": "a", "workspace": "worktree", "script": "test -e installed\ncat copied > a.md",
            "deliverables": ["a.md"]}]});
    stage.run(&plan, &[]).expect(0);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
    assert_eq!(stage.result("a.md").as_deref(), Some("mine\n"));
}

#[test]
fn what_a_file_says_of_workflows_reaches_them() {
    let stage = project();
    let flow = "workflow: {name: w, iterations: [{name: i, agents: [{role: pilot}]}]}\n\
                agent_roles: {pilot: {}}\n";
    write(stage.path("workflows/w.yaml"), flow);
    let checked = || -> Value {
        let ran = stage
            .divisi(&["workflow", "check", "w", "--json"])
            .expect(0);
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let before = checked();
    let text = "allocation: {tokens_per_point: 10, minutes_per_point: 2, complexity_threshold: 3}\n\
                orchestrator: {role: Lead, perspective: Above, capabilities: [To see], \
                decision_framework: [Look]}\n";
    write(stage.path("divisi.yaml"), text);
    let after = checked();
    for (path, expected) in [
        ("/calibration/rate/tokens_per_point", json!(10)),
        ("/calibration/rate/ms_per_point", json!(120_000)),
        ("/roles/0/targets_max", json!(3)),
        ("/lead/role", json!("Lead")),
        ("/lead/perspective", json!("Above")),
        ("/lead/capabilities/0", json!("To see")),
        ("/lead/decision_framework/0", json!("Look")),
    ] {
        assert_eq!(after.pointer(path), Some(&expected), "{path}");
        assert_ne!(before.pointer(path), Some(&expected), "{path}");
    }
}

#[test]
fn a_generated_folder_is_shared_among_agents_as_configured() {
    let stage = Stage::git(&[("s/a.md", "a"), ("s/b.md", "b"), ("s/c.md", "c")]);
    let flow = "workflow: {name: w, iterations: [{name: i, agents: [{role: pilot, \
                targets: ['s/*.md'], deliverables: ['{s_id}.txt']}]}]}\n\
                agent_roles: {pilot: {}}\n";
    write(stage.path("workflows/w.yaml"), flow);
    let prompts = |output: &str| -> usize {
        stage
            .divisi(&["generate", "--workflow", "w", "--output", output])
            .expect(0);
        let folder = stage.path(output).join("agent-prompts");
        std::fs::read_dir(folder).unwrap().count()
    };
    assert_eq!(prompts("one"), 1);
    write(
        stage.path("divisi.yaml"),
        "allocation: {complexity_threshold: 1}\n",
    );
    assert_eq!(prompts("each"), 3);
}

/// What counts as large is said by the file: for an assessment, a plan that is looked at, and one that
/// rules make.
#[test]
fn what_the_file_calls_large_is_large() {
    let stage = project();
    let assessed = |stage: &Stage, text: &str| {
        let told = stage.divisi(&["assess", "--json", text]).expect(0);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        told["approach"].clone()
    };
    let linted = |stage: &Stage| {
        let plan = json!({"task_title": "small", "subtasks": [
            {"subtask_id": "a", "title": "Make it", "deliverables": ["a.md"],
                "estimated_duration_minutes": 25},
        ]});
        let path = stage.plan(&plan);
        stage.divisi(&["plan", "lint", &path]).stderr
    };
    let (files, long) = (
        "Rename it in 4 files",
        "Tune the cache; it takes 25 minutes",
    );
    assert_eq!(assessed(&stage, files), json!("plan"));
    assert_eq!(assessed(&stage, long), json!("direct"));
    assert!(linted(&stage).contains("more than the advised 20"));
    write(
        stage.path("divisi.yaml"),
        "assessment: {files_max: 4, minutes_max: 24}\nplanning: {task_minutes_advised: 25}\n",
    );
    assert_eq!(assessed(&stage, files), json!("direct"));
    assert_eq!(assessed(&stage, long), json!("plan"));
    let told = linted(&stage);
    assert!(!told.contains("advised"), "{told}");
    // No figure is nothing, and none is past what anybody means.
    for (says, key) in [
        ("assessment: {files_max: 0}", "files_max"),
        ("planning: {task_minutes_max: 0}", "task_minutes_max"),
        ("planning: {tasks_max: 100000}", "tasks_max"),
        ("run: {split_depth_max: 0}", "split_depth_max"),
        ("run: {split_depth_max: 11}", "split_depth_max"),
    ] {
        write(stage.path("divisi.yaml"), &format!("{says}\n"));
        let told = stage.divisi(&["assess", files]).expect(2);
        assert!(told.stderr.contains(key), "{}", told.stderr);
    }
}
