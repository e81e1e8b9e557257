use std::path::Path;

use super::*;

fn configuration(text: &str, source: Source) -> Configuration {
    let read = config::read("a file", text.as_bytes());
    assert_eq!(read.diagnostics, [], "{text}");
    let values = read.values.unwrap();
    let keys = values.iter().map(|(key, _)| (key.to_owned(), source));
    Configuration {
        config: Config::of(&values),
        sources: keys.collect(),
        values,
        project: PathBuf::from("/project"),
    }
}

#[test]
fn where_nothing_is_said_a_run_has_the_cores_own_settings() {
    let nothing = configuration("", Source::Project);
    // A journal of a time without this limit has none.
    let usual = Settings {
        awaiting_max: 10,
        // Who that is, is found out when a run begins.
        reviewers: vec!["auto".to_owned()],
        ..Settings::default()
    };
    assert_eq!(nothing.settings(), usual);
    assert_eq!(nothing.durability(), divisi_store::Durability::Full);
    assert_eq!(
        configuration("journal: {durability: normal}", Source::User).durability(),
        divisi_store::Durability::Normal
    );
    let default = |one: &InForce<'_>| one.source == Source::Default && one.place.is_none();
    assert!(nothing.in_force().iter().all(default));
}

#[test]
fn a_path_of_a_file_is_beneath_the_project_and_a_typed_one_beneath_the_working_folder() {
    let text = "grants: {allow_write: [cache, /var/cache]}";
    let said = |source| configuration(text, source).settings().grants.writes;
    let here = std::env::current_dir().unwrap().join("cache");
    let here = here.to_string_lossy().into_owned();
    let below = Path::new("/project/cache").to_string_lossy().into_owned();
    let absolute = "/var/cache".to_owned();
    for source in [Source::User, Source::Project] {
        assert_eq!(said(source), [below.clone(), absolute.clone()]);
    }
    for source in [Source::Environment, Source::Flag] {
        assert_eq!(said(source), [here.clone(), absolute.clone()]);
    }
}

#[test]
fn only_what_the_projects_own_file_says_and_counts_is_shown_for_consent() {
    let text = "run: {workers: 2, agent: scripted}\ngrants: {unconfined: true}\nworkspace: {setup: [make]}";
    let shown = |source, plan: &Plan| -> Vec<String> {
        let lines = configuration(text, source).consent_lines(plan);
        lines.iter().map(|line| line.render(false)).collect()
    };
    let mut plan = Plan::default();
    assert_eq!(
        shown(Source::Project, &plan),
        [
            "  said by the project's configuration",
            "    divisi.yaml:2 grants.unconfined: true",
            "    divisi.yaml:1 run.agent: \"scripted\""
        ],
        "the plan has a preparation of its own"
    );
    plan.preparation.setup = configuration(text, Source::Project).config.setup;
    assert_eq!(
        shown(Source::Project, &plan)[3],
        "    divisi.yaml:3 workspace.setup: [\"make\"]"
    );
    assert_eq!(shown(Source::User, &plan), [""; 0]);
}

#[test]
fn nothing_that_is_consented_to_is_cut_off() {
    let rule =
        |command: &str| format!("    - {{deed: execute, command: {command}, then: allow}}\n");
    let commands = ["cargo test", "cargo fmt", "git status", "rm -rf /"];
    let rules: String = commands.into_iter().map(rule).collect();
    let text = format!("permissions:\n  rules:\n{rules}");
    let lines = configuration(&text, Source::Project).consent_lines(&Plan::default());
    let lines: Vec<String> = lines.iter().map(|line| line.render(false)).collect();
    assert_eq!(lines.len(), 2 + commands.len(), "{lines:#?}");
    for (line, command) in lines[2..].iter().zip(commands) {
        assert!(
            line.starts_with("      - {") && line.contains(command),
            "{line}"
        );
    }
}

#[test]
fn what_agents_are_told_by_variables_is_not_taken_for_a_misspelt_setting() {
    let names: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
    let meant = |name| nearest(name, names.iter().map(String::as_str));
    for name in [
        "DIVISI_ATTEMPT",
        "DIVISI_DIR",
        "DIVISI_FAILPOINT",
        "DIVISI_HANDOFF",
        "DIVISI_JOB",
        "DIVISI_QUESTION",
        "DIVISI_TASK",
    ] {
        assert_eq!(meant(name), None, "{name}");
    }
    assert_eq!(meant("DIVISI_RUN_WORKRS"), Some("DIVISI_RUN_WORKERS"));
}
