//! The workflows that Divisi ships, and the described one as it is written, by scripted agents that
//! do as they are told. What they leave is compared file by file.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::Criterion;
use divisi_core::run::RunStatus;

use super::team::{Handoff, latest, made, rehearse};
use crate::stage::{Stage, task, write};

/// The form as its description gives it, word for word.
const SOURCE: &str = include_str!("../../../../divisi-pack/tests/data/user-story-refinement.yaml");

const STORIES: [&str; 3] = ["S1", "S2", "S3"];

fn stories() -> Stage {
    Stage::git(&[
        ("stories/S1.md", "As a guest I log in.\n"),
        ("stories/S2.md", "As a guest I log out.\n"),
        ("stories/S3.md", "As a guest I stay.\n"),
    ])
}

/// Asserts that exactly what was promised in handoffs was made, byte by byte, beside what programs
/// made.
fn made_as_told(made: &BTreeMap<String, String>, handoffs: &[Handoff], by_programs: &[&str]) {
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    for handoff in handoffs {
        for path in handoff.deliverables() {
            let twin = expected.insert(path.to_owned(), handoff.file(path));
            assert_eq!(twin, None, "{path} is promised twice");
        }
    }
    let mut others = made.clone();
    others.retain(|path, _| !by_programs.contains(&path.as_str()));
    assert_eq!(others, expected);
    assert_eq!(made.len(), expected.len() + by_programs.len());
}

fn paths(made: &BTreeMap<String, String>) -> BTreeSet<&str> {
    made.keys().map(String::as_str).collect()
}

/// Two iterations, three stories, three files each; what no program can check, somebody judges.
#[test]
fn the_described_workflow_makes_nine_files_of_three_stories() {
    let stage = stories();
    write(stage.path("workflows/user-story-refinement.yaml"), SOURCE);
    let played = rehearse(&stage, &["user-story-refinement"]);
    played.ran.expect(0);
    let run = latest(&stage);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let made = made(&stage, &run);
    made_as_told(&made, &played.handoffs, &[]);
    let names = ["requirements", "technical-design", "test-plan"];
    assert_eq!(
        paths(&made),
        of_each_story(&names).iter().map(String::as_str).collect()
    );
    assert_eq!(made.len(), 9);
    // The same three ids in both iterations: the second one's targets are what the first one made.
    let of = |index: usize| played.handoffs[index].prompt();
    for story in STORIES {
        assert!(
            of(0).contains(&format!("`stories/{story}.md`")),
            "{}",
            of(0)
        );
        let target = format!("`stories/{story}/requirements.md`");
        assert!(of(1).contains(&target), "{}", of(1));
    }
    let reviews = ["requirements-analysis.review", "technical-design.review"];
    assert_eq!(played.judged, reviews);
    for review in reviews {
        let criteria = &task(&run, review).spec.criteria;
        assert!(!criteria.iter().all(Criterion::is_falsifiable), "{review}");
    }
}

fn of_each_story(names: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for story in STORIES {
        all.extend(
            names
                .iter()
                .map(|name| format!("stories/{story}/{name}.md")),
        );
    }
    all
}

#[test]
fn user_story_refinement_makes_five_files_for_each_story() {
    let stage = stories();
    let played = rehearse(&stage, &["user-story-refinement"]);
    played.ran.expect(0);
    let run = latest(&stage);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let made = made(&stage, &run);
    made_as_told(&made, &played.handoffs, &[]);
    let names = [
        "requirements",
        "technical-design",
        "test-plan",
        "security-review",
        "estimation",
    ];
    assert_eq!(
        paths(&made),
        of_each_story(&names).iter().map(String::as_str).collect()
    );
    // Each was told what all of its iteration are told, beside its prompt and once.
    for handoff in &played.handoffs {
        let context = handoff.told["stage_context"].as_str().unwrap();
        assert!(context.contains("Nothing is implemented"), "{context}");
        assert!(!handoff.prompt().contains("Nothing is implemented"));
    }
}

#[test]
fn task_execution_makes_the_five_described_files() {
    let stage = Stage::git(&[("README.md", "# API\n")]);
    let played = rehearse(&stage, &["task-execution"]);
    played.ran.expect(0);
    let run = latest(&stage);
    let made = made(&stage, &run);
    made_as_told(&made, &played.handoffs, &[]);
    let expected = [
        "oauth2-design.md",
        "src/auth/oauth2.ts",
        "tests/auth/oauth2.test.ts",
        "docs/api/oauth2.md",
        "runbooks/oauth2-incidents.md",
    ];
    assert_eq!(paths(&made), BTreeSet::from(expected));
    for handoff in &played.handoffs {
        let task = "task: Implement OAuth2 authentication for the API";
        assert!(handoff.prompt().contains(task), "{}", handoff.prompt());
    }
}

#[test]
fn incident_response_composes_a_postmortem_of_one_contribution_per_role() {
    let stage = Stage::git(&[("README.md", "# Shop\n")]);
    let args = ["incident-response", "--set", "id=42"];
    let played = rehearse(&stage, &args);
    played.ran.expect(0);
    let run = latest(&stage);
    let made = made(&stage, &run);
    made_as_told(&made, &played.handoffs, &["incidents/42/postmortem.md"]);
    let expected = [
        "incidents/42/triage.md",
        "incidents/42/investigation.md",
        "incidents/42/mitigation.md",
        "incidents/42/incident-report.md",
        "incidents/42/contributions/sre.md",
        "incidents/42/contributions/developer.md",
        "incidents/42/contributions/devops.md",
        "incidents/42/contributions/tech-writer.md",
        "incidents/42/postmortem.md",
    ];
    assert_eq!(paths(&made), BTreeSet::from(expected));
    let postmortem = &made["incidents/42/postmortem.md"];
    for role in ["sre", "developer", "devops", "tech-writer"] {
        let path = format!("incidents/42/contributions/{role}.md");
        let lessons = format!("Lessons learned of {path}.");
        assert_eq!(postmortem.matches(&lessons).count(), 1, "{postmortem}");
    }
}
