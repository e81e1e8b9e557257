use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use divisi_core::TaskId;
use divisi_core::ledger::Bound;
use divisi_core::permission::{Deed, Permissions, Rule, Ruling};
use divisi_core::plan::Work;
use divisi_core::run::{DefinedModel, DefinedProgram, ModelBounds, Price, Provider, Speaks};

use super::*;

/// A machine with these agents, and no others.
fn with(names: &[&str]) -> Present {
    Present(
        PRODUCTS
            .iter()
            .map(|product| {
                let standing = Standing::of(names.contains(&product.name), true);
                (product.name.to_owned(), standing)
            })
            .collect(),
    )
}

fn task(id: &str, agent: Option<&str>) -> TaskSpec {
    TaskSpec {
        agent: agent.map(str::to_owned),
        work: Work::Handoff,
        ..TaskSpec::command(TaskId::new(id).unwrap(), &["true"])
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn roles() -> Roles {
    Roles::built_in()
}

fn preferred<'s>(
    usual: &'s [String],
    by_role: &[(&str, &[&str])],
    roles: &'s Roles,
) -> Preferred<'s> {
    let by_role = by_role
        .iter()
        .map(|(role, agents)| ((*role).to_owned(), names(agents)));
    Preferred {
        usual,
        by_role: by_role.collect(),
        roles,
    }
}

/// What `auto` stands for in a run of these tasks, and what is told.
fn settled(present: &Present, prefer: &[&str], tasks: &[TaskSpec]) -> (String, Vec<Diagnostic>) {
    let (prefer, roles) = (names(prefer), roles());
    let preferred = preferred(&prefer, &[], &roles);
    let mut settling = Settling::begin(present, preferred, Settings::default());
    tasks.iter().for_each(|task| settling.see(task));
    let (settings, told) = settling.told(Severity::Error);
    (settings.agent_auto, told)
}

#[test]
fn auto_is_the_first_of_the_preferred_that_is_there() {
    let tasks = [task("a", Some("auto"))];
    for (there, prefer, found) in [
        (&["claude", "codex"][..], &["claude", "codex"][..], "claude"),
        (&["claude", "codex"], &["codex", "claude"], "codex"),
        (&["opencode"], &["claude", "codex", "opencode"], "opencode"),
        (&["opencode"], &["claude", "person"], "person"),
        (&["claude"], &["person", "claude"], "person"),
    ] {
        let (auto, told) = settled(&with(there), prefer, &tasks);
        assert_eq!((auto.as_str(), told), (found, vec![]), "{there:?}");
    }
}

#[test]
fn where_nobody_is_there_it_is_said_what_to_install_and_how_to_go_on() {
    let tasks: Vec<TaskSpec> = ["a", "b", "c", "d", "e"]
        .map(|id| task(id, Some("auto")))
        .into();
    let (_, told) = settled(&with(&[]), &["claude", "codex"], &tasks);
    let [told] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(told.code, "agent-missing");
    assert_eq!(
        told.cause,
        "none of claude, codex is there, and the tasks `a`, `b`, `c` and 2 more are left to \
         `auto`"
    );
    let hints = told.hints.join("\n");
    for product in &PRODUCTS[..2] {
        assert!(hints.contains(product.install), "{hints}");
    }
    assert!(!hints.contains(PRODUCTS[2].install), "{hints}");
    assert!(
        hints.contains("person") && hints.contains("command"),
        "{hints}"
    );
    let (_, told) = settled(&with(&["claude"]), &["codex"], &tasks[..1]);
    assert_eq!(
        told[0].cause,
        "`codex` is not installed, and the task `a` is left to `auto`"
    );
    let (_, told) = settled(&with(&["claude"]), &[], &tasks[..1]);
    assert!(told[0].cause.contains("no agent is preferred"), "{told:?}");
}

#[test]
fn who_needs_nobody_is_not_told_that_nobody_is_there() {
    let executed = TaskSpec {
        agent: Some("auto".to_owned()),
        ..TaskSpec::command(TaskId::new("a").unwrap(), &["true"])
    };
    let tasks = [executed, task("b", Some("person")), task("c", None)];
    let (auto, told) = settled(&with(&[]), &["claude"], &tasks);
    assert_eq!((auto.as_str(), told), ("person", vec![]));
}

#[test]
fn the_default_may_be_auto() {
    let prefer = names(&["claude"]);
    let open = Settings {
        agent_default: AGENT_AUTO.to_owned(),
        ..Settings::default()
    };
    let present = with(&["claude"]);
    let roles = roles();
    let preferred = preferred(&prefer, &[], &roles);
    let mut settling = Settling::begin(&present, preferred.clone(), open.clone());
    settling.see(&task("a", None));
    let (settings, told) = settling.told(Severity::Error);
    assert_eq!(told, []);
    assert_eq!(agent_of(&task("a", None), &settings), "claude");
    let present = with(&[]);
    let mut settling = Settling::begin(&present, preferred, open);
    settling.see(&task("a", None));
    assert_eq!(settling.told(Severity::Error).1.len(), 1);
}

#[test]
fn a_role_may_prefer_others_however_its_tasks_call_it() {
    let of = |id: &str, domain: Option<&str>, function: Option<&str>| TaskSpec {
        domain: domain.map(str::to_owned),
        function: function.map(str::to_owned),
        ..task(id, Some("auto"))
    };
    let tasks = [
        of("canonical", Some("development"), Some("tester")),
        of("alias", None, Some("qa")),
        of("other", Some("development"), Some("implementer")),
    ];
    let (prefer, roles) = (names(&["claude"]), roles());
    let key = roles.get("tester").unwrap().name_of_tasks().unwrap();
    let settled = |there: &[&str]| {
        let by_role: &[(&str, &[&str])] = &[(&key, &["codex", "opencode"])];
        let preferred = preferred(&prefer, by_role, &roles);
        let present = with(there);
        let mut settling = Settling::begin(&present, preferred, Settings::default());
        tasks.iter().for_each(|task| settling.see(task));
        let (settings, told) = settling.told(Severity::Error);
        let agents = tasks
            .each_ref()
            .map(|task| agent_of(task, &settings).to_owned());
        (agents, told)
    };
    let (agents, told) = settled(&["claude", "opencode"]);
    assert_eq!(
        (agents, told),
        (
            ["opencode", "opencode", "claude"].map(str::to_owned),
            vec![]
        )
    );
    let (_, told) = settled(&["claude"]);
    let causes: Vec<&str> = told.iter().map(|told| told.cause.as_str()).collect();
    assert_eq!(
        causes,
        ["none of codex, opencode is there, and the tasks `canonical`, `alias` are left to `auto`"]
    );
}

#[test]
fn an_agent_that_is_named_and_missing_is_told_once_with_its_tasks() {
    let mut last = task("c", Some("claude"));
    last.agents_else = names(&["opencode", "person"]);
    let tasks = [task("a", Some("codex")), task("b", Some("codex")), last];
    let (_, told) = settled(&with(&["claude"]), &["claude"], &tasks);
    let said: Vec<(Severity, &str)> = told
        .iter()
        .map(|told| (told.severity, told.cause.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (
                Severity::Error,
                "`codex` is to do the tasks `a`, `b`, and is not installed"
            ),
            (
                Severity::Warning,
                "`opencode` is to take over the task `c` after failures or at usage limits, and is not \
                 installed"
            ),
        ]
    );
    assert!(
        told.iter()
            .all(|told| told.hints[0].contains("npm install"))
    );
}

#[test]
fn a_task_with_a_path_of_its_own_is_looked_up_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claude");
    fs::write(&path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let mut own = task("a", Some("claude"));
    own.env
        .insert("PATH".to_owned(), folder.path().display().to_string());
    let (_, told) = settled(&with(&[]), &["person"], &[own.clone()]);
    assert_eq!(told, []);
    own.env.insert("PATH".to_owned(), "/nowhere".to_owned());
    let (_, told) = settled(&with(&["claude"]), &["person"], &[own]);
    assert_eq!(told.len(), 1);
}

#[test]
fn parts_of_a_task_keep_what_auto_stood_for() {
    let present = with(&[]);
    let mut settling = Settling::go_on(&present, Settings::default());
    settling.see(&task("a", Some("auto")));
    settling.see(&task("b", Some("codex")));
    let (settings, told) = settling.told(Severity::Error);
    assert_eq!(settings, Settings::default());
    assert_eq!(told.len(), 1);
    assert!(told[0].cause.contains("`codex`"), "{told:?}");
}

fn model() -> Defined {
    Defined::Model(DefinedModel {
        provider: Provider::Ollama,
        model: "m".to_owned(),
        url: None,
        key: None,
        bounds: ModelBounds::default(),
    })
}

#[test]
fn where_money_is_bounded_each_agent_that_may_work_needs_a_price() {
    let price = Price {
        input: 1,
        output: 1,
        cached: 1,
    };
    let unpriced = |agent: &str, of: &[&str]| {
        let names = [("model", model()), ("custom.large", model())];
        let settings = Settings {
            budget: Budget::default().with(Bound::UsdMicros(1)),
            defined: names.map(|(name, it)| (name.to_owned(), it)).into(),
            prices: of.iter().map(|of| ((*of).to_owned(), price)).collect(),
            limit_then: LimitThen::OtherAgent,
            limit_agents: [
                ("claude", "codex"),
                ("codex", "gemini"),
                ("gemini", "claude"),
            ]
            .map(|(of, other)| (of.to_owned(), other.to_owned()))
            .into(),
            ..Settings::default()
        };
        let present = with(&["claude", "codex", "gemini", "opencode"]);
        let mut settling = Settling::go_on(&present, settings);
        settling.see(&task("a", Some(agent)));
        settling.unpriced.into_keys().collect::<Vec<_>>()
    };
    for (agent, prices, missing) in [
        // By the model's name or by the agent's own, and by no other.
        ("model", &["m"][..], &[][..]),
        ("model", &["model"], &[]),
        ("model", &["other"], &["model"]),
        ("custom.large", &["m"], &[]),
        ("custom.large", &["model"], &["custom.large"]),
        // It names prices of nothing.
        ("opencode", &[], &["opencode"]),
        ("opencode", &["opencode"], &[]),
        // It names its price; those that may take its place do not.
        ("claude", &["codex"], &["gemini"]),
        ("claude", &["codex", "gemini"], &[]),
    ] {
        assert_eq!(unpriced(agent, prices), missing, "{agent} {prices:?}");
    }
}

#[test]
fn who_says_nothing_of_its_use_is_to_be_bounded_otherwise_and_not_priced() {
    let plain = Defined::Program(DefinedProgram {
        command: vec!["mine".to_owned()],
        speaks: Speaks::Text,
        variables: Vec::new(),
    });
    let settings = Settings {
        budget: Budget::default().with(Bound::UsdMicros(1)),
        defined: [("custom.mine".to_owned(), plain)].into(),
        ..Settings::default()
    };
    let present = Present([("custom.mine".to_owned(), Standing::Ready)].into());
    let mut settling = Settling::go_on(&present, settings);
    settling.see(&task("a", Some("custom.mine")));
    let (_, told) = settling.told(Severity::Error);
    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    let hint = &told.hints[0];
    assert!(hint.contains("`--budget 2h --budget 5-attempts`"), "{hint}");
    assert!(!hint.contains("prices"), "{hint}");
}

#[test]
fn who_is_to_work_at_usage_limits_is_looked_for() {
    let settings = Settings {
        limit_then: LimitThen::OtherAgent,
        limit_agents: [("claude".to_owned(), "codex".to_owned())].into(),
        ..Settings::default()
    };
    let present = with(&["claude"]);
    let mut settling = Settling::go_on(&present, settings);
    settling.see(&task("a", Some("claude")));
    let (_, told) = settling.told(Severity::Error);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].severity, Severity::Warning);
    assert!(
        told[0].cause.contains("`codex` is to take over"),
        "{told:?}"
    );
}

#[test]
fn who_is_to_judge_is_looked_for_where_something_is_to_be_judged() {
    let settled = |there: &[&str], reviewers: &[&str], tasks: &[TaskSpec]| {
        let (present, roles, prefer) = (with(there), roles(), names(&["person"]));
        let settings = Settings {
            reviewers: names(reviewers),
            ..Settings::default()
        };
        let preferred = preferred(&prefer, &[], &roles);
        let mut settling = Settling::begin(&present, preferred, settings);
        tasks.iter().for_each(|task| settling.see(task));
        let (settings, told) = settling.told(Severity::Error);
        (settings.reviewers, settings.reviewers_missing, told)
    };
    let in_words = TaskSpec {
        criteria: vec![Criterion::Plain {
            text: "it reads well".to_owned(),
        }],
        ..task("a", None)
    };
    let tasks = [in_words];
    let both = ["codex", "claude", "person"];
    let (there, missing, told) = settled(&["claude"], &both, &tasks);
    assert_eq!((there, missing), (names(&["claude"]), names(&["codex"])));
    assert_eq!(told, []);
    let (there, missing, told) = settled(&[], &both, &tasks);
    assert_eq!((there, missing), (vec![], names(&["codex", "claude"])));
    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(told.severity, Severity::Warning);
    let said = "so a person is to: `codex` is not installed, `claude` is not installed";
    assert!(told.cause.ends_with(said), "{told:?}");
    assert_eq!(told.hints.len(), 3, "{told:?}");
    // A person was named, or nothing is to be judged.
    assert_eq!(settled(&[], &["person"], &tasks).2, []);
    assert_eq!(settled(&[], &both, &[task("a", None)]).2, []);
}

#[test]
fn auto_judges_where_agents_do_the_work_and_nobody_misses_it() {
    let settled = |there: &[&str], reviewers: &[&str], agent: &str| {
        let (present, roles, prefer) = (with(there), roles(), names(&["codex", "claude"]));
        let settings = Settings {
            reviewers: names(reviewers),
            ..Settings::default()
        };
        let preferred = preferred(&prefer, &[], &roles);
        let mut settling = Settling::begin(&present, preferred, settings);
        settling.see(&task("a", Some(agent)));
        let (settings, told) = settling.told(Severity::Error);
        assert_eq!(told, []);
        (settings.reviewers, settings.reviewers_missing)
    };
    let both = ["claude", "codex"];
    let nobody = (vec![], vec![]);
    let preferred_first = (names(&["codex", "claude"]), vec![]);
    assert_eq!(settled(&both, &["auto"], "claude"), preferred_first);
    let named_first = (names(&["claude", "codex"]), vec![]);
    assert_eq!(
        settled(&both, &["claude", "auto"], "claude"),
        named_first,
        "each is asked once"
    );
    // Where persons and programs do it, no agent is begun to judge it that nobody named.
    for agent in ["person", "command"] {
        assert_eq!(settled(&both, &["auto"], agent), nobody, "{agent}");
    }
    let named = (names(&["claude"]), vec![]);
    assert_eq!(settled(&both, &["claude", "auto"], "person"), named);
    assert_eq!(settled(&[], &["auto"], "scripted"), nobody);
}

#[test]
fn auto_judges_where_an_agent_may_take_over_and_only_what_money_can_be_bounded_of() {
    let (present, roles, prefer) = (
        with(&["claude", "codex"]),
        roles(),
        names(&["codex", "claude"]),
    );
    let settled = |usd_micros: Option<u64>, task: &TaskSpec| {
        let settings = Settings {
            reviewers: names(&["auto"]),
            budget: Budget {
                usd_micros,
                ..Budget::default()
            },
            ..Settings::default()
        };
        let preferred = preferred(&prefer, &[], &roles);
        let mut settling = Settling::begin(&present, preferred, settings);
        settling.see(task);
        settling.told(Severity::Error).0.reviewers
    };
    let work = task("a", Some("claude"));
    assert_eq!(settled(None, &work), prefer);
    // Codex does not say what it costs.
    assert_eq!(settled(Some(5_000_000), &work), names(&["claude"]));
    // One that is named is refused, as for work.
    let in_words = TaskSpec {
        criteria: vec![Criterion::Plain {
            text: "it reads well".to_owned(),
        }],
        ..task("a", Some("claude"))
    };
    let settings = Settings {
        reviewers: names(&["codex"]),
        budget: Budget {
            usd_micros: Some(5_000_000),
            ..Budget::default()
        },
        ..Settings::default()
    };
    let mut settling = Settling::begin(&present, preferred(&prefer, &[], &roles), settings);
    settling.see(&in_words);
    let (_, told) = settling.told(Severity::Error);
    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (told.code.as_str(), told.severity),
        ("price-none", Severity::Error)
    );
    assert!(
        told.cause.contains("`codex` costs, which may judge"),
        "{told:?}"
    );
    let handed_on = TaskSpec {
        agents_else: names(&["claude"]),
        ..task("a", Some("person"))
    };
    assert_eq!(settled(None, &handed_on), prefer);
}

#[test]
fn auto_is_one_that_can_log_in_before_one_that_is_only_there() {
    let mut present = with(&["claude", "codex"]);
    let prefer = names(&["gemini", "claude", "codex"]);
    assert_eq!(present.first(&prefer), Some("claude"));
    present.0.insert("claude".to_owned(), Standing::There);
    assert_eq!(present.first(&prefer), Some("codex"));
    // What it could log in with may not be known of here.
    present.0.insert("codex".to_owned(), Standing::There);
    assert_eq!(present.first(&prefer), Some("claude"));
    assert_eq!(present.first(&names(&["gemini"])), None);
    // A person does what no agent can, and all where a person comes first.
    assert_eq!(present.first(&names(&["codex", "person"])), Some("codex"));
    assert_eq!(present.first(&names(&["gemini", "person"])), Some("person"));
    assert_eq!(present.first(&names(&["person", "claude"])), Some("person"));
}

#[test]
fn an_agent_that_is_logged_out_is_told_of_before_it_is_refused() {
    let mut present = with(&["claude", "codex"]);
    present.0.insert("claude".to_owned(), Standing::There);
    let mut settling = Settling::go_on(&present, Settings::default());
    for (id, agent) in [("a", "claude"), ("b", "claude"), ("c", "codex")] {
        settling.see(&task(id, Some(agent)));
    }
    let (_, told) = settling.told(Severity::Error);
    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (told.code.as_str(), told.severity),
        ("agent-credential", Severity::Warning)
    );
    let words = "`claude` is to do the tasks `a`, `b`, and has nothing to log in with";
    assert!(told.cause.starts_with(words), "{told:?}");
    assert!(told.hints[0].contains("ANTHROPIC_API_KEY"), "{told:?}");
}

#[test]
fn a_model_is_there_once_it_is_defined() {
    let model = model();
    let program = Defined::Program(DefinedProgram {
        command: names(&["no-such-program-anywhere"]),
        speaks: Speaks::Text,
        variables: Vec::new(),
    });
    let defined = BTreeMap::from([
        ("model".to_owned(), model),
        ("custom.other".to_owned(), program),
    ]);
    let present = Present::look(&defined);
    let settings = Settings {
        defined,
        ..Settings::default()
    };
    let prefer = names(&["custom.other", "custom.big", "model", "person"]);
    let roles = roles();
    let preferred = preferred(&prefer, &[], &roles);
    let mut settling = Settling::begin(&present, preferred, settings.clone());
    settling.see(&task("a", Some("auto")));
    let (found, told) = settling.told(Severity::Error);
    assert_eq!((found.agent_auto.as_str(), told), ("model", vec![]));

    let mut settling = Settling::go_on(&present, settings);
    settling.see(&task("a", Some("custom.big")));
    settling.see(&task("b", Some("custom.other")));
    settling.see(&task("c", Some("model")));
    let (_, told) = settling.told(Severity::Error);
    let said: Vec<(&str, &str)> = told
        .iter()
        .map(|told| (told.cause.as_str(), told.hints[0].as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (
                "`custom.big` is to do the task `a`, and is not defined",
                "define it in `divisi.yaml`, for example: `agents: {custom: {big: {model: \
                 {provider: ollama, model: NAME}}}}`"
            ),
            (
                "`custom.other` is to do the task `b`, and is not installed",
                "no folder of `PATH` holds `no-such-program-anywhere`"
            ),
        ]
    );
    let (_, told) = settled(&with(&[]), &["claude", "model"], &[task("a", Some("auto"))]);
    assert!(
        told[0]
            .hints
            .iter()
            .any(|hint| hint.contains("a model asked"))
    );
}

/// What is said of tasks under these rules, where all agents are there.
fn under(rules: &[Rule], tasks: &[TaskSpec]) -> Vec<Diagnostic> {
    let all: Vec<&str> = PRODUCTS.iter().map(|product| product.name).collect();
    let (prefer, roles) = (names(&["codex"]), roles());
    let text = DefinedProgram {
        command: vec!["true".to_owned()],
        speaks: Speaks::Text,
        variables: Vec::new(),
    };
    let settings = Settings {
        permissions: Permissions {
            rules: rules.to_vec(),
            ..Permissions::default()
        },
        defined: [("custom.text".to_owned(), Defined::Program(text))].into(),
        ..Settings::default()
    };
    let mut present = with(&all);
    present.0.insert("custom.text".to_owned(), Standing::Ready);
    let settling = Settling::begin(&present, preferred(&prefer, &[], &roles), settings);
    let mut settling = settling.ruled_at(Some(place()));
    tasks.iter().for_each(|task| settling.see(task));
    settling.told(Severity::Error).1
}

/// Where those rules stand.
fn place() -> Place {
    Place {
        source: "divisi.yaml".to_owned(),
        line: 3,
        column: 1,
    }
}

fn denies(role: Option<&str>, deed: Deed) -> Rule {
    Rule {
        role: role.map(str::to_owned),
        deed: Some(deed),
        path: None,
        command: None,
        exact: false,
        then: Ruling::Deny,
    }
}

#[test]
fn rules_that_deny_are_in_vain_where_nobody_asks_which_is_said_once() {
    let rules = [
        denies(None, Deed::Execute),
        denies(Some("tester"), Deed::Fetch),
    ];
    let taken_over = TaskSpec {
        agents_else: names(&["opencode"]),
        ..task("c", Some("claude"))
    };
    let tasks = [
        task("a", Some("codex")),
        task("b", Some("custom.text")),
        taken_over,
        task("d", Some("auto")),
        // These ask, or are no agents.
        task("e", Some("claude")),
        task("f", Some("opencode-acp")),
        task("g", Some("person")),
        TaskSpec::command(TaskId::new("h").unwrap(), &["true"]),
    ];
    let told = under(&rules, &tasks);
    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(told.code, "permission-unasked");
    assert_eq!(told.severity, Severity::Warning);
    assert_eq!(told.place, Some(place()));
    assert_eq!(
        told.cause,
        "`codex`, `custom.text`, `opencode` ask nobody for leave, so for the tasks `a`, `b`, `c` and 1 \
         more nothing comes of `deed: execute, then: deny`"
    );
    assert!(told.hints[0].contains("claude"), "{told:?}");
}

#[test]
fn rules_that_mean_nothing_in_vain_are_not_told_of() {
    let tester = TaskSpec {
        function: Some("tester".to_owned()),
        ..task("t", Some("codex"))
    };
    let of_testers = [denies(Some("tester"), Deed::Fetch)];
    let told = under(&of_testers, std::slice::from_ref(&tester));
    assert!(told[0].cause.starts_with("`codex` asks nobody"), "{told:?}");
    // Nor is a person asked, though a rule says so.
    let asks = Rule {
        then: Ruling::Ask,
        ..denies(None, Deed::Execute)
    };
    let told = under(&[asks], std::slice::from_ref(&tester));
    assert!(told[0].cause.ends_with("then: ask`"), "{told:?}");
    // Of another role, under rules that allow, and done by who asks.
    assert_eq!(under(&of_testers, &[task("a", Some("codex"))]), []);
    let allows = Rule {
        then: Ruling::Allow,
        ..denies(None, Deed::Execute)
    };
    assert_eq!(under(&[allows], &[tester]), []);
    let all = [denies(None, Deed::Execute)];
    assert_eq!(under(&all, &[task("a", Some("claude"))]), []);
}
