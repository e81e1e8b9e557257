//! The table as a whole, and what its reader takes and refuses.

use std::collections::BTreeSet;

use divisi_core::diagnostic::Severity;
use divisi_core::plan::{Deliverable, Work};
use divisi_core::preparation::Setup;
use divisi_core::{Criterion, Plan, TaskId, TaskSpec};
use serde_json::{Value as Json, json};

use super::*;
use crate::bundle::{Bundle, assemble, expand};
use crate::render;
use crate::role::Library;

/// A value of each kind that is no default, as a file says it.
fn sample(kind: Kind) -> Json {
    match kind {
        Kind::Integer { .. } => json!(7),
        Kind::Minutes { .. } | Kind::Seconds { .. } => json!(7.5),
        Kind::Flag => json!(true),
        Kind::Word(words) => json!(words[words.len() - 1]),
        Kind::Agent => json!("scripted"),
        Kind::Preferred => json!(["codex", "person"]),
        Kind::Judges => json!(["codex", "auto"]),
        Kind::Text => json!("somebody"),
        Kind::Texts => json!(["one", "other"]),
        Kind::Variables => json!(["CARGO_HOME", "LANG"]),
        Kind::Paths => json!(["/var/cache", "build"]),
        Kind::Patterns => json!(["src/**/*.rs"]),
        Kind::Counts { .. } => json!({"developer": 7}),
        Kind::Agents => json!({"developer": "scripted"}),
        Kind::Budget(_) => json!({"tokens": 7, "usd": 7.25}),
        Kind::Prices => json!({"gpt-4.1": {"input": 2, "output": 8.5, "cached": 0.25}}),
        Kind::Model => {
            json!({"provider": "openai-responses", "model": "m", "key": "MY_KEY", "answers": 9,
            "url": "http://[::1]:8080/v1"})
        }
        Kind::Defined => json!({
            "big": {"model": {"provider": "anthropic", "model": "m"}},
            "other": {"command": ["other", "--acp"], "speaks": "acp", "variables": ["A_KEY"]},
        }),
        Kind::PreferredByRole => json!({"developer": ["codex", "person"]}),
        Kind::Setups => json!(["make deps", ["npm", "ci"]]),
        Kind::Checks => json!([{"command": ["make", "test"]}, {"file": "README.md"}]),
        Kind::Rules => json!([
            {"role": "developer", "deed": "edit", "path": "docs/**", "then": "allow"},
            {"deed": "execute", "command": "git push", "then": "deny"},
            {"path": "/etc/*", "then": "ask"},
            {"then": "deny"},
        ]),
        Kind::Substitutes => json!({"claude": "codex"}),
        Kind::MinutesByAgent { .. } => json!({"claude": 1.5, "command": 20}),
        Kind::Hours => json!("22:00-07:30"),
    }
}

/// A file that says one setting.
fn file(setting: &Setting, value: &Json) -> String {
    let document = match setting.key.split_once('.') {
        Some((section, leaf)) => json!({ section: { leaf: value } }),
        None => json!({ setting.key: value }),
    };
    document.to_string()
}

fn values(text: &str) -> Values {
    let read = read("divisi.yaml", text.as_bytes());
    assert_eq!(read.diagnostics, [], "{text}");
    read.values.expect("it has no fault")
}

/// Everything that is wrong, as a terminal shows it.
fn told(text: &str) -> String {
    let read = read("divisi.yaml", text.as_bytes());
    assert_eq!(
        read.values.is_none(),
        read.diagnostics
            .iter()
            .any(|it| it.severity == Severity::Error)
    );
    let told = read.diagnostics.iter();
    told.map(|it| render(it, Some(text), false)).collect()
}

/// The value of a setting in a configuration, as a file says it.
fn of(config: &Config, setting: &Setting) -> Json {
    let found = config.values().into_iter();
    let found = found.filter(|(its, ..)| its.key == setting.key);
    let mut entries = serde_json::Map::new();
    for (_, key, value) in found {
        let value = value.map_or(Json::Null, |value| value.json(setting.kind));
        match key.strip_prefix(&format!("{}.", setting.key)) {
            Some(name) => _ = entries.insert(name.to_owned(), value),
            None => return value,
        }
    }
    Json::Object(entries)
}

#[test]
fn every_setting_is_read_from_a_file_and_from_its_variable() {
    let schema = schema();
    let sound = jsonschema::validator_for(&schema).expect("it is a schema");
    for setting in SETTINGS {
        let value = sample(setting.kind);
        let text = file(setting, &value);
        let config = Config::of(&values(&text));
        assert_ne!(config, Config::default(), "{}", setting.key);
        assert_eq!(of(&config, setting), value, "{}", setting.key);
        let document: Json = serde_json::from_str(&text).unwrap();
        assert!(sound.is_valid(&document), "{text}");

        let text = match &value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let read = read_variable(setting, &text);
        assert_eq!(read.diagnostics, [], "{}", setting.key);
        let read = read.values.expect("it has no fault");
        assert_eq!(Config::of(&read), config, "{}", setting.key);
        let (_, given) = read.iter().next().expect("it is given");
        assert_eq!(given.place.to_string(), setting.variable());
    }
}

#[test]
fn what_does_not_fit_is_refused_by_reader_and_schema_alike() {
    let schema = schema();
    let sound = jsonschema::validator_for(&schema).expect("it is a schema");
    for setting in SETTINGS {
        let wrong = match setting.kind {
            Kind::Integer { .. } | Kind::Minutes { .. } | Kind::Seconds { .. } => {
                vec![json!("seven"), json!(-1), json!([1]), json!(true)]
            }
            Kind::Flag => vec![json!("no"), json!(0), json!([true])],
            Kind::Word(_) => vec![json!("halfway"), json!(1)],
            Kind::Agent => vec![json!("robot"), json!(1), json!(["person"])],
            Kind::Preferred => vec![json!("auto"), json!(["robot"]), json!(["command"])],
            Kind::Judges => vec![json!(["robot"]), json!(["command"]), json!(1)],
            Kind::Text => vec![json!({"a": "b", "c": "d"})],
            Kind::Texts => vec![json!([["a"]])],
            Kind::Variables => vec![json!("A=B"), json!([1]), json!(["1A"])],
            Kind::Paths | Kind::Patterns => vec![json!([""]), json!([1]), json!({"a": 1})],
            Kind::Counts { .. } => vec![json!({"a": 0}), json!({"a": "b"}), json!([1])],
            Kind::Agents => vec![json!({"a": 0}), json!({"a": "robot"}), json!("person")],
            Kind::Budget(_) => vec![
                json!({"tokens": 0}),
                json!({"usd": "20"}),
                json!({"points": 1}),
                json!([1]),
            ],
            Kind::Prices => vec![
                json!({"claude": {"input": 1}}),
                json!({"claude": {"input": -1, "output": 1}}),
                json!({"claude": {"input": 1, "output": 1, "read": 1}}),
                json!({"claude": 1}),
            ],
            Kind::Model => vec![
                json!("m"),
                json!({"provider": "anthropic"}),
                json!({"provider": "somebody", "model": "m"}),
                json!({"provider": "ollama", "model": "m", "url": "http://me:word@host/"}),
                json!({"provider": "ollama", "model": "m", "url": "host:1"}),
                json!({"provider": "openai", "model": "m", "key": "sk-ant 1"}),
                json!({"provider": "openai", "model": "m", "answers": 0}),
            ],
            Kind::Defined => vec![
                json!({"Big": {"command": ["x"], "speaks": "text"}}),
                json!({"a": {"command": ["x"]}}),
                json!({"a": {"command": ["x"], "speaks": "text", "variables": ["A=B"]}}),
                json!({"a": {"command": [], "speaks": "text"}}),
                json!({"a": {"command": ["x"], "speaks": "html"}}),
                json!({"a": {"model": {"provider": "ollama", "model": "m"}, "speaks": "text"}}),
                json!([1]),
            ],
            Kind::PreferredByRole => {
                vec![json!({"a": ["auto"]}), json!({"a": 0}), json!(["codex"])]
            }
            Kind::Setups => vec![json!("make"), json!([1]), json!([[]])],
            Kind::Checks => vec![json!("make"), json!([1]), json!([{"file": 1}])],
            Kind::Rules => vec![
                json!("allow"),
                json!([1]),
                json!([{"deed": "edit"}]),
                json!([{"then": "maybe"}]),
                json!([{"then": "allow", "deed": "write"}]),
                json!([{"then": "allow", "file": "a.md"}]),
                json!([{"then": "allow", "path": ""}]),
            ],
            Kind::Substitutes => vec![json!({"claude": "person"}), json!({"command": "codex"})],
            Kind::MinutesByAgent { .. } => vec![json!({"claude": 0}), json!({"nobody": 1})],
            Kind::Hours => vec![json!("22-7"), json!("7:00"), json!(7)],
        };
        for value in wrong {
            let text = file(setting, &value);
            let read = read("divisi.yaml", text.as_bytes());
            assert!(read.values.is_none(), "{text}");
            let document: Json = serde_json::from_str(&text).unwrap();
            assert!(!sound.is_valid(&document), "{text}");
        }
        // What is null is not given.
        let text = file(setting, &Json::Null);
        assert_eq!(values(&text), Values::default(), "{text}");
        let document: Json = serde_json::from_str(&text).unwrap();
        assert!(sound.is_valid(&document), "{text}");
    }
}

#[test]
fn all_that_is_wrong_with_rules_is_told_at_once_with_its_place() {
    let text = "permissions:\n  rules:\n\
                \x20   - {deed: edit, command: make, then: allow}\n\
                \x20   - {deed: execute, path: src/**, then: deny}\n\
                \x20   - {path: a, command: b, then: ask}\n\
                \x20   - {path: ../x, then: deny}\n\
                \x20   - {path: /etc/../x, then: deny}\n\
                \x20   - {path: 'src/', then: deny}\n\
                \x20   - {path: 'src/[', then: deny}\n\
                \x20   - {dead: edit, then: denied}\n";
    let read = read("divisi.yaml", text.as_bytes());
    assert!(read.values.is_none());
    let told: Vec<(usize, &str)> = (read.diagnostics.iter())
        .map(|told| {
            (
                told.place.as_ref().map_or(0, |it| it.line as usize),
                told.code.as_str(),
            )
        })
        .collect();
    let expected = [
        (3, "text-conflict"),
        (4, "text-conflict"),
        (5, "text-conflict"),
        (6, "text-path"),
        (7, "text-path"),
        (8, "text-path"),
        (9, "text-pattern"),
        (10, "text-unknown-key"),
        (10, "text-unknown-word"),
    ];
    assert_eq!(told, expected, "{:#?}", read.diagnostics);
}

#[test]
fn keys_and_variables_are_unique_and_every_setting_is_in_a_section() {
    let keys: BTreeSet<&str> = SETTINGS.iter().map(|it| it.key).collect();
    assert_eq!(keys.len(), SETTINGS.len());
    let variables: BTreeSet<String> = SETTINGS.iter().map(Setting::variable).collect();
    assert_eq!(variables.len(), SETTINGS.len());
    for setting in SETTINGS {
        let (section, _) = setting.split();
        assert!(
            table::SECTIONS.iter().any(|it| it.key == section),
            "{section}"
        );
        assert_eq!(Setting::of(setting.key).map(|it| it.key), Some(setting.key));
    }
    assert_eq!(
        Setting::of("run.limits.a.b").map(|it| it.key),
        Some("run.limits")
    );
    assert!(Setting::of("run.workers.a").is_none());
}

#[test]
fn the_example_says_nothing_and_shows_every_default() {
    let text = example();
    assert_eq!(values(&text), Values::default());
    // Taking the comments away from the settings, and only from them, gives the defaults.
    let is_setting = |line: &str| {
        let key = line
            .trim_start()
            .strip_prefix("# ")
            .and_then(|it| it.split_once(": "));
        key.is_some_and(|(key, _)| {
            SETTINGS
                .iter()
                .any(|it| it.split().1.unwrap_or(it.key) == key)
        })
    };
    let lines = text.lines().map(|line| match is_setting(line) {
        true => line.replacen("# ", "", 1),
        false => line.to_owned(),
    });
    let said = lines.collect::<Vec<String>>().join("\n");
    let read = values(&said);
    assert_eq!(Config::of(&read), Config::default());
    let without = [
        "grants.memory",
        "grants.cpu",
        "workspace.",
        "allocation.comp",
        "run.rehearsal",
        "limits.quiet_hours",
        "agents.model",
    ];
    for setting in SETTINGS {
        let is_said = read.iter().any(|(key, _)| key == setting.key);
        let has_none = without.iter().any(|it| setting.key.starts_with(it))
            || setting.key.starts_with("orchestrator.")
            || setting.kind.is_map();
        assert!(is_said || has_none, "{}", setting.key);
        let key = setting.split().1.unwrap_or(setting.key);
        assert!(text.contains(&format!("# {key}: ")), "{}", setting.key);
    }
}

#[test]
fn the_reference_page_is_that_of_the_table() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/configuration.md"
    );
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == reference(),
        "write this to {path}:\n{}",
        reference()
    );
}

#[test]
fn stronger_values_replace_lists_and_add_to_maps() {
    let strong = values("run: {limits: {a: 1}, workers: 2}\nchecks: [{file: a}]");
    let weak = values("run: {limits: {a: 5, b: 6}, timeout_minutes: 7}\nchecks: [{file: b}]");
    let all = strong.over(weak);
    let config = Config::of(&all);
    assert_eq!((config.workers, config.timeout_ms), (2, 7 * 60_000));
    assert_eq!(config.limits["a"], 1);
    assert_eq!(config.limits["b"], 6);
    assert_eq!(config.checks.len(), 1);
    assert_eq!(all.get("run.limits.a").unwrap().value, Value::Integer(1));
}

#[test]
fn a_place_is_that_of_the_key() {
    let text = "run:\n  workers: 2\nworkspace:\n  setup:\n    - make\n  copy: [a]\n";
    let read = values(text);
    let places: Vec<String> = read
        .iter()
        .map(|(key, it)| format!("{key} {}", it.place))
        .collect();
    assert_eq!(
        places,
        [
            "run.workers divisi.yaml:2:3",
            "workspace.copy divisi.yaml:6:3",
            "workspace.setup divisi.yaml:4:3"
        ]
    );
}

#[test]
fn the_sources_own_block_is_taken_as_it_is() {
    let text = "orchestrator:
  role: Master Orchestrator
  perspective: Project Manager + System Architect
  capabilities:
    - Task decomposition
    - Agent selection and allocation
    - Risk assessment
    - Progress monitoring
    - Feedback synthesis
  decision_framework:
    - Assess → Decide → Delegate → Monitor → Validate → Learn
";
    let config = Config::of(&values(text));
    assert_eq!(config.lead_role.as_deref(), Some("Master Orchestrator"));
    assert_eq!(config.lead_capabilities.len(), 5);
    assert_eq!(
        config.lead_decisions,
        ["Assess → Decide → Delegate → Monitor → Validate → Learn"]
    );
}

#[test]
fn faults_are_told_all_at_once_with_line_column_and_nearest_name() {
    let text = "run:
  workrs: 4
  workers: four
  timeout_minutes: 0
  limits: {developer: 0}
  agent: ''
grants:
  unconfined: no
  allow_write: [~/.cargo]
  pass_env: [A=B]
workspace:
  copy: [../secrets]
journal: {durability: ful}
bugdet: {attempts: 3}
";
    insta::assert_snapshot!(told(text), @r"
    error[text-unknown-key]: `run` has no key `workrs`
     --> divisi.yaml:2:3
      |
    2 |   workrs: 4
      |   ^
    hint: did you mean `workers`?
    error[text-type]: `workers` is a string, not a whole number
     --> divisi.yaml:3:12
      |
    3 |   workers: four
      |            ^
    error[text-number]: `timeout_minutes` is `0`, not a number from 0.001 to 525600
     --> divisi.yaml:4:20
      |
    4 |   timeout_minutes: 0
      |                    ^
    error[text-number]: `developer` is `0`, not a whole number from 1 to 256
     --> divisi.yaml:5:23
      |
    5 |   limits: {developer: 0}
      |                       ^
    error[text-content]: `agent` is empty
     --> divisi.yaml:6:10
      |
    6 |   agent: ''
      |          ^
    error[text-type]: `unconfined` is a string, not true or false
     --> divisi.yaml:8:15
      |
    8 |   unconfined: no
      |               ^
    error[text-path]: `~/.cargo` in `allow_write` begins with `~`, which nobody expands
     --> divisi.yaml:9:17
      |
    9 |   allow_write: [~/.cargo]
      |                 ^
    hint: write the whole path
    error[text-env]: `A=B` in `pass_env` is no name of a variable
      --> divisi.yaml:10:14
       |
    10 |   pass_env: [A=B]
       |              ^
    error[text-path]: the pattern `../secrets` has the component `..`, which leads out of the tree
      --> divisi.yaml:12:10
       |
    12 |   copy: [../secrets]
       |          ^
    error[text-unknown-word]: `durability` is `ful`, not one of full, normal
      --> divisi.yaml:13:23
       |
    13 | journal: {durability: ful}
       |                       ^
    hint: did you mean `full`?
    error[text-unknown-key]: the configuration has no key `bugdet`
      --> divisi.yaml:14:1
       |
    14 | bugdet: {attempts: 3}
       | ^
    hint: did you mean `budget`?
    ");
}

#[test]
fn a_variable_that_does_not_fit_is_told_by_its_name() {
    let workers = Setting::of("run.workers").unwrap();
    let read = read_variable(workers, "many");
    assert!(read.values.is_none());
    insta::assert_snapshot!(render(&read.diagnostics[0], Some("many"), false), @r"
    error[text-type]: `workers` is a string, not a whole number
     --> DIVISI_RUN_WORKERS:1:1
      |
    1 | many
      | ^
    ");
    let durability = Setting::of("journal.durability").unwrap();
    let read = read_variable(durability, "none");
    insta::assert_snapshot!(render(&read.diagnostics[0], Some("none"), false), @r"
    error[text-unknown-word]: `durability` is `none`, not one of full, normal
     --> DIVISI_JOURNAL_DURABILITY:1:1
      |
    1 | none
      | ^
    ");
}

fn qa_task(id: &str) -> TaskSpec {
    TaskSpec {
        work: Work::Handoff,
        domain: Some("development".to_owned()),
        function: Some("tester".to_owned()),
        ..TaskSpec::command(TaskId::new(id).unwrap(), &["true"])
    }
}

fn applied(text: &str, plan: Plan) -> (Plan, Vec<String>) {
    let (values, mut plan) = (values(text), plan);
    let told = apply(
        &Config::of(&values),
        &values,
        &Library::built_in(),
        &mut plan,
    );
    (plan, told.iter().map(ToString::to_string).collect())
}

#[test]
fn a_plan_gets_what_it_leaves_open_and_keeps_what_it_says() {
    let library = Library::built_in();
    let qa = library.get("tester").unwrap();
    let mut open = qa_task("a");
    (open.domain, open.function) = (qa.domain.clone(), qa.function.clone());
    let named = TaskSpec {
        agent: Some("person".to_owned()),
        ..open.clone()
    };
    let by_name = TaskSpec {
        function: Some("tester".to_owned()),
        ..open.clone()
    };
    let program = TaskSpec::command(TaskId::new("c").unwrap(), &["true"]);
    let own = Criterion::Plain {
        text: "own".to_owned(),
    };
    let plan = Plan {
        tasks: vec![open, named, program, by_name],
        criteria: vec![own.clone()],
        ..Plan::default()
    };
    let text = "run: {agents: {tester: scripted}}\nchecks: [{file: README.md}]\n\
                workspace: {copy: [.env], setup: [make], timeout_minutes: 2, inputs: [Makefile]}";
    let (plan, told) = applied(text, plan);
    assert_eq!(told, [""; 0]);
    let agents: Vec<Option<&str>> = plan.tasks.iter().map(|it| it.agent.as_deref()).collect();
    assert_eq!(
        agents,
        [Some("scripted"), Some("person"), None, Some("scripted")]
    );
    assert_eq!(plan.criteria.len(), 2);
    assert_eq!(plan.criteria[0], own);
    assert_eq!(plan.preparation.copy, [".env"]);
    assert_eq!(plan.preparation.setup, [Setup::Script("make".to_owned())]);
    assert_eq!(
        plan.preparation.inputs.as_deref(),
        Some(&["Makefile".to_owned()][..])
    );
    assert_eq!(plan.preparation.timeout_ms, Some(120_000));

    let mut own = plan;
    own.preparation.copy = vec!["data".to_owned()];
    own.preparation.setup.clear();
    let (plan, _) = applied(text, own);
    assert_eq!(plan.preparation.copy, ["data"]);
    assert!(plan.preparation.setup.is_empty(), "the plan's own is whole");
}

#[test]
fn what_does_not_fit_a_plan_is_told_where_it_stands() {
    let promising = TaskSpec {
        deliverables: vec![Deliverable {
            path: "dist/a.md".to_owned(),
        }],
        ..qa_task("a")
    };
    let plan = Plan {
        tasks: vec![promising],
        ..Plan::default()
    };
    let (_, told) = applied(
        "workspace:\n  copy: [dist]\nrun:\n  agents: {testr: scripted}\n  limits: {nosuch: 1, tester: 2, command: 1, compose: 1}\n\
         handoff:\n  agents: {command: 9, claud: 9}",
        plan,
    );
    assert_eq!(
        told,
        [
            "[text-conflict] divisi.yaml:2:3: `dist` would copy `dist/a.md`, which the task `a` promises",
            "[workflow-role] divisi.yaml:4:12: there is no role `testr`",
            "[workflow-role] divisi.yaml:5:12: no agent and no role is called `nosuch`",
            "[plan-agent] divisi.yaml:7:24: there is no agent `claud`"
        ]
    );
}

#[test]
fn a_workflow_gets_what_it_leaves_open_and_keeps_what_it_says() {
    let text = "run: {agents: {tester: scripted, nobody: person}}\n\
                allocation: {tokens_per_point: 10, minutes_per_point: 2, complexity_threshold: 2}\n\
                orchestrator: {role: Lead}";
    let given = given(&Config::of(&values(text)));
    let bundle = |text: &str| {
        let workflow = crate::workflow::read("w.yaml", text.as_bytes()).workflow;
        let workflow = workflow.expect("it is sound");
        let assembled = assemble(&workflow, &Library::built_in(), &[], &given);
        assembled.bundle.expect("it is sound")
    };
    let shares = |bundle: &Bundle| {
        let expanded = expand(bundle, "i", &["s/a", "s/b", "s/c"]);
        let expansion = expanded.expansion.expect("it is sound");
        let agents: Vec<Option<String>> = expansion
            .tasks
            .iter()
            .map(|task| task.agent.clone())
            .collect();
        (
            expansion.shares.len(),
            agents[0].clone(),
            expansion.shares[0].tokens,
        )
    };
    let entry =
        "role: pilot, complexity_per_target: 3, targets: ['s/*'], deliverables: ['{f_id}.md']";
    let open = bundle(&format!(
        "workflow: {{name: w, iterations: [{{name: i, agents: [{{{entry}}}]}}]}}\n\
         agent_roles: {{pilot: {{}}}}"
    ));
    assert_eq!(
        shares(&open),
        (2, None, 60),
        "two agents, of which one has two targets"
    );
    assert_eq!(
        open.workflow.lead.as_ref().unwrap().role.as_deref(),
        Some("Lead")
    );
    assert_eq!(open.calibration.rate.ms_per_point, 120_000);

    let entry = entry.replace("pilot", "qa");
    let own = bundle(&format!(
        "workflow: {{name: w, iterations: [{{name: i, agents: [{{{entry}}}]}}]}}\n\
         agent_roles: {{qa: {{complexity_threshold: 3}}}}\norchestrator: {{role: Own}}"
    ));
    assert_eq!(shares(&own), (1, Some("scripted".to_owned()), 90));
    assert_eq!(
        own.workflow.lead.as_ref().unwrap().role.as_deref(),
        Some("Own")
    );
    let named = entry.replace("role: qa", "role: qa, agent: person");
    let named = bundle(&format!(
        "workflow: {{name: w, iterations: [{{name: i, agents: [{{{named}}}]}}]}}"
    ));
    assert_eq!(shares(&named).1.as_deref(), Some("person"));
}
