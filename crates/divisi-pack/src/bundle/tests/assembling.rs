use super::super::{Bundle, Calibration, Given, Rate, Took};
use super::{
    SOURCE, assemble, assembled, bundle, bundle_with, given, lines, one, templates, workflow,
};
use crate::role::{Layer, Library};

fn refused(text: &str, given: &Given) -> Vec<String> {
    let assembled = assembled(text, given);
    assert!(assembled.bundle.is_none());
    let shown = |d: &divisi_core::Diagnostic| format!("{d} ({})", d.hints.join("; "));
    assembled.diagnostics.iter().map(shown).collect()
}

#[test]
fn roles_are_the_workflows_over_the_librarys() {
    let bundle = bundle(SOURCE);
    let developer = bundle.role(Some("developer")).unwrap();
    assert_eq!(developer.perspective, "Senior Backend Engineer");
    assert_eq!(
        (developer.budget_tokens, developer.targets_max),
        (Some(50_000), Some(5))
    );
    assert_eq!(developer.function.as_deref(), Some("implementation"));
    // What the workflow does not say stays the library's.
    assert!(
        developer
            .questions
            .contains(&"What edge cases exist?".to_owned())
    );
    let files = [(
        "roles/qa.yaml".to_owned(),
        b"agent_role: {id: qa, token_budget: 1234}".to_vec(),
    )];
    let library = Library::load(&[Layer { files: &files }]).library.unwrap();
    let text = one("{role: Tester, deliverables: [a]}");
    let assembled = assemble(&workflow(&text), &library, &[], &Given::default());
    let role = assembled.bundle.unwrap();
    let role = role.role(Some("Tester")).unwrap();
    assert_eq!((&*role.id, role.budget_tokens), ("qa", Some(1234)));
}

#[test]
fn a_role_that_is_not_there_is_told_with_the_nearest() {
    let found = refused(&one("{role: develper}"), &Given::default());
    assert_eq!(
        found,
        [
            "[workflow-role] w.yaml:1:69: there is no role `develper` (did you mean `developer`?; \
             describe it under `agent_roles`, or in a file of its own in `roles/`)"
        ]
    );
    let twice = format!(
        "{}\nagent_roles: {{qa: {{}}, tester: {{}}}}",
        one("{role: qa}")
    );
    let found = refused(&twice, &Given::default());
    assert!(
        found[0].starts_with("[role-duplicate] w.yaml:2:"),
        "{found:?}"
    );
}

#[test]
fn inputs_are_checked_before_anything_is_expanded() {
    let text = "workflow: {name: w, inputs: {id: {type: integer, description: The number}, \
                level: {choices: [a, b], default: a}}, \
                iterations: [{name: i, agents: [{role: qa, deliverables: ['{id}.md']}]}]}";
    let bundle = bundle_with(text, &given(&[("id", "1"), ("id", "42")]));
    assert_eq!(bundle.inputs["id"].to_string(), "42");
    assert_eq!(bundle.inputs["level"].to_string(), "a");
    assert_eq!(
        refused(text, &Given::default()),
        [
            "[workflow-input] w.yaml:1:11: the input `id` has no value: The number (give it with `--set id=…`)"
        ]
    );
    assert_eq!(
        refused(text, &given(&[("id", "x"), ("level", "c"), ("lvel", "a")])),
        [
            "[workflow-input] w.yaml:1:11: the input `id` is `x`, not a whole number ()",
            "[workflow-input] w.yaml:1:11: the input `level` is `c`, not one of a, b ()",
            "[workflow-input] w.yaml:1:11: the workflow has no input `lvel` (did you mean `level`?)",
        ]
    );
}

#[test]
fn templates_are_found_in_layers_and_fall_back_to_the_generic_one() {
    let source = workflow(SOURCE);
    let library = Library::built_in();
    let project = templates(&[("developer.md.j2", "mine")]);
    let user = templates(&[
        ("developer.md.j2", "yours"),
        ("product-analyst.md.j2", "theirs"),
    ]);
    let assembled = assemble(&source, &library, &[&project, &user], &Given::default());
    assert_eq!(assembled.diagnostics, []);
    let bundle = assembled.bundle.unwrap();
    assert_eq!(bundle.prompts["developer"], "developer.md.j2");
    assert_eq!(bundle.templates["developer.md.j2"], "mine");
    assert_eq!(bundle.templates["product-analyst.md.j2"], "theirs");
    let text = format!(
        "{}\ntemplates: {{sre: templates/on-call.md.j2}}\nagent_roles: {{pilot: {{}}}}",
        one(
            "{role: sre, deliverables: [a]}, {role: pilot, deliverables: [b]}, \
             {role: pilot, name: run, command: [a]}"
        )
    );
    let assembled = super::assembled(&text, &Given::default());
    assert_eq!(
        lines(&assembled.diagnostics),
        [
            "[workflow-template] w.yaml:1:11: there is no template for `Pilot`; the generic one is used",
            "[workflow-template] w.yaml:1:11: there is no template `templates/on-call.md.j2` for \
             `SRE`; the generic one is used",
        ]
    );
    let bundle = assembled.bundle.unwrap();
    assert_eq!(bundle.prompts["sre"], "generic.md.j2");
}

#[test]
fn agents_are_given_by_role() {
    let given = Given {
        agents: vec![("Implementer".into(), "scripted".into())],
        ..Given::default()
    };
    let text = one("{role: backend-developer, deliverables: [a], agent: person}");
    let bundle = bundle_with(&text, &given);
    let task = &super::expansion(&bundle, "i", &[]).tasks[0];
    assert_eq!(task.agent.as_deref(), Some("scripted"));
    let found = refused(&one("{role: qa}"), &given);
    assert!(found[0].starts_with("[workflow-role]"), "{found:?}");
    assert!(found[0].contains("the workflow has no role `Implementer`"));
}

#[test]
fn a_stored_bundle_is_read_again_and_another_format_refused() {
    let bundle = bundle(SOURCE);
    let stored = bundle.to_json();
    assert_eq!(Bundle::from_json(&stored), Ok(bundle));
    let text = String::from_utf8(stored).unwrap();
    let other = text.replacen("\"format\":1", "\"format\":2", 1);
    assert_eq!(
        Bundle::from_json(other.as_bytes()).unwrap_err(),
        "the bundle has format 2, not 1"
    );
    assert!(
        Bundle::from_json(b"{")
            .unwrap_err()
            .starts_with("the bundle does not parse")
    );
}

#[test]
fn a_bad_pattern_of_the_caller_is_refused() {
    let given = Given {
        targets: vec!["[a".into(), "../*".into()],
        ..Given::default()
    };
    assert_eq!(refused(SOURCE, &given).len(), 2);
}

#[test]
fn a_point_takes_what_history_says_of_its_role_then_of_all_and_then_the_default() {
    let unless = Rate {
        tokens_per_point: 7,
        ms_per_point: 60_000,
        is_learned: false,
    };
    let took = |role: &str, points, ms| Took {
        role: role.to_owned(),
        points,
        ms: Some(ms),
        tokens: None,
        is_scripted: false,
    };
    assert_eq!(
        Calibration::learned(unless, &[]),
        Calibration {
            rate: unless,
            ..Calibration::default()
        }
    );
    let history = [
        took("qa", 3, 30_000),
        took("qa", 1, 50_000),
        took("sre", 6, 20_000),
        took("architect", 0, 9_000),
        took("tech_writer", 5, 0),
    ];
    let learned = Calibration::learned(unless, &history);
    let ms: Vec<(&str, u64)> = learned
        .roles
        .iter()
        .map(|(role, rate)| (role.as_str(), rate.ms_per_point))
        .collect();
    // What took no points says nothing, and nothing takes no time at all.
    assert_eq!(ms, [("qa", 20_000), ("sre", 3_333), ("tech_writer", 1)]);
    assert_eq!(learned.rate.ms_per_point, 100_000 / 15);
    assert_eq!(learned.rate.tokens_per_point, 7);
    assert!(!learned.rate.is_learned, "nobody reported any");
}

#[test]
fn tokens_that_a_script_reports_count_until_an_agent_reports_some() {
    let unless = Rate {
        tokens_per_point: 7,
        ms_per_point: 60_000,
        is_learned: false,
    };
    let reported = |role: &str, points, tokens, is_scripted: bool| Took {
        role: role.to_owned(),
        points,
        ms: (!is_scripted).then_some(points * 1_000),
        tokens,
        is_scripted,
    };
    let rates = |history: &[Took]| {
        let learned = Calibration::learned(unless, history);
        let all = learned.roles.into_iter();
        let mut all: Vec<(String, u64, u64)> = all
            .map(|(role, rate)| (role, rate.tokens_per_point, rate.ms_per_point))
            .collect();
        let rate = learned.rate;
        all.push(("all".to_owned(), rate.tokens_per_point, rate.ms_per_point));
        all
    };
    let entry = |role: &str, tokens, ms| (role.to_owned(), tokens, ms);
    let played = [
        reported("qa", 2, Some(600), true),
        reported("qa", 2, Some(200), true),
        reported("sre", 4, None, true),
    ];
    // A script takes no time, and one that reports nothing tells nothing of its role.
    assert_eq!(
        rates(&played),
        [
            entry("qa", 200, 60_000),
            entry("sre", 200, 60_000),
            entry("all", 200, 60_000)
        ]
    );
    let mut history = played.to_vec();
    history.push(reported("qa", 1, Some(5_000), false));
    history.push(reported("sre", 1, None, false));
    assert_eq!(
        rates(&history),
        [
            entry("qa", 5_000, 1_000),
            entry("sre", 5_000, 1_000),
            entry("all", 5_000, 1_000)
        ]
    );
}

#[test]
fn the_points_of_a_task_are_known_again_from_its_estimate() {
    let given = Given {
        calibration: Calibration {
            rate: Rate {
                ms_per_point: 1_234,
                ..Rate::default()
            },
            ..Calibration::default()
        },
        ..Given::default()
    };
    let text = one("{role: qa, deliverables: [a], complexity_per_target: 8}, \
                    {role: architect, deliverables: [b], complexity_per_target: 5}, \
                    {name: run, command: ['true'], complexity_per_target: 3}");
    let bundle = bundle_with(&text, &given);
    let tasks = super::expansion(&bundle, "i", &[]).tasks;
    let points = |at: usize| {
        let (role, points) = bundle.points(&tasks[at])?;
        Some((role.id.as_str(), points))
    };
    assert_eq!(points(0), Some(("qa", 8)));
    assert_eq!(points(1), Some(("architect", 5)));
    // A program has no role whose points it could take.
    assert_eq!((points(2), points(3)), (None, None));
}
