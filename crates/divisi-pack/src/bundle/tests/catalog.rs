use std::collections::BTreeSet;

use divisi_core::plan::Work;
use divisi_core::{Plan, TaskKind};

use super::super::{Given, Prediction, predict};
use super::{bundle_with, given, promised};
use crate::workflow::BUILT_IN;

/// A built-in workflow as it would run.
fn predicted(name: &str, given: &Given, paths: &[&str]) -> Prediction {
    let (_, _, text) = BUILT_IN.iter().find(|(known, ..)| *known == name).unwrap();
    let assembled = super::assembled(text, given);
    assert_eq!(assembled.diagnostics, [], "{name}");
    predict(&assembled.bundle.unwrap(), paths)
}

fn files(prediction: &Prediction) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (id, expanded) in &prediction.iterations {
        let told: Vec<&str> = expanded.diagnostics.iter().map(|d| &*d.code).collect();
        assert_eq!(told, [""; 0], "{id}: {:?}", expanded.diagnostics);
        let tasks = &expanded.expansion.as_ref().unwrap().tasks;
        files.extend(promised(tasks).into_iter().map(str::to_owned));
        let plan = Plan {
            tasks: tasks.clone(),
            ..Plan::default()
        };
        assert!(plan.graph().is_ok(), "{id}");
    }
    files
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|&path| path.to_owned()).collect()
}

#[test]
fn user_story_refinement_makes_five_files_for_each_story() {
    let none = Given::default();
    let prediction = predicted(
        "user-story-refinement",
        &none,
        &["stories/A.md", "stories/B.md"],
    );
    let expected: BTreeSet<String> = ["A", "B"]
        .iter()
        .flat_map(|id| {
            [
                "requirements",
                "technical-design",
                "test-plan",
                "security-review",
                "estimation",
            ]
            .map(|file| format!("stories/{id}/{file}.md"))
        })
        .collect();
    assert_eq!(files(&prediction), expected);
    let order: Vec<&str> = prediction.iterations.iter().map(|(id, _)| &**id).collect();
    assert_eq!(order[0], "requirements-analysis");
    assert_eq!(order[4], "estimation");
}

#[test]
fn task_execution_makes_the_five_described_files() {
    let paths = |topic: &str, area: &str| {
        [
            format!("{topic}-design.md"),
            format!("src/{area}/{topic}.ts"),
            format!("tests/{area}/{topic}.test.ts"),
            format!("docs/api/{topic}.md"),
            format!("runbooks/{topic}-incidents.md"),
        ]
        .into_iter()
        .collect::<BTreeSet<String>>()
    };
    let prediction = predicted("task-execution", &Given::default(), &[]);
    assert_eq!(files(&prediction), paths("oauth2", "auth"));
    let (_, expanded) = &prediction.iterations[0];
    let tasks = &expanded.expansion.as_ref().unwrap().tasks;
    assert!(
        tasks[0]
            .description
            .contains("Implement OAuth2 authentication for the API")
    );
    let other = given(&[
        ("topic", "sso"),
        ("area", "login"),
        ("task", "Add single sign-on"),
    ]);
    let prediction = predicted("task-execution", &other, &[]);
    assert_eq!(files(&prediction), paths("sso", "login"));
}

#[test]
fn code_review_makes_five_reviews() {
    let prediction = predicted("code-review", &Given::default(), &[]);
    assert_eq!(
        files(&prediction),
        set(&[
            "reviews/functional-review.md",
            "reviews/security-review.md",
            "reviews/performance-review.md",
            "reviews/test-review.md",
            "reviews/docs-review.md",
        ])
    );
}

#[test]
fn incident_response_composes_the_postmortem_of_one_contribution_per_role() {
    let prediction = predicted("incident-response", &given(&[("id", "42")]), &[]);
    assert_eq!(
        files(&prediction),
        set(&[
            "incidents/42/triage.md",
            "incidents/42/investigation.md",
            "incidents/42/mitigation.md",
            "incidents/42/incident-report.md",
            "incidents/42/contributions/sre.md",
            "incidents/42/contributions/developer.md",
            "incidents/42/contributions/devops.md",
            "incidents/42/contributions/tech-writer.md",
            "incidents/42/postmortem.md",
        ])
    );
    let (_, expanded) = prediction.iterations.last().unwrap();
    let tasks = &expanded.expansion.as_ref().unwrap().tasks;
    let compose = tasks
        .iter()
        .find(|task| task.kind == TaskKind::Compose)
        .unwrap();
    assert_eq!(compose.id.as_str(), "postmortem.postmortem");
    let needs: Vec<&str> = compose.needs().map(|id| id.as_str()).collect();
    assert_eq!(
        needs,
        [
            "postmortem.sre",
            "postmortem.developer",
            "postmortem.devops",
            "postmortem.tech_writer"
        ]
    );
    let Work::Template(template) = &compose.work else {
        panic!("{:?}", compose.work);
    };
    assert_eq!(template.output, "incidents/42/postmortem.md");
    assert!(template.text.as_ref().unwrap().starts_with("# Postmortem"));
    assert_eq!(template.path, None);
    let no_id = super::assembled(BUILT_IN[1].2, &Given::default());
    assert!(no_id.bundle.is_none());
    let hostile = bundle_with(BUILT_IN[1].2, &given(&[("id", "../../etc")]));
    let expanded = super::expand(&hostile, "triage", &[""; 0]);
    assert_eq!(expanded.diagnostics[0].code, "text-path");
}
#[test]
fn programs_can_check_all_that_built_in_workflows_ask_for() {
    for (name, given, paths) in [
        (
            "user-story-refinement",
            Given::default(),
            &["stories/A.md"][..],
        ),
        ("task-execution", Given::default(), &[]),
        ("code-review", Given::default(), &[]),
        ("incident-response", given(&[("id", "42")]), &[]),
    ] {
        let prediction = predicted(name, &given, paths);
        for (id, expanded) in &prediction.iterations {
            let tasks = &expanded.expansion.as_ref().unwrap().tasks;
            let review = tasks.last().unwrap();
            assert_eq!(review.kind, TaskKind::Review, "{id}");
            let criteria = tasks.iter().flat_map(|task| &task.criteria);
            for criterion in criteria {
                assert!(criterion.is_falsifiable(), "{id}: {criterion}");
            }
        }
    }
}
