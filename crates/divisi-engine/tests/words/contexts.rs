//! What the sentences of the tables may speak of.

use divisi_pack::words::{Context, Entity, Promise, Target};

/// The context of a name; none knows nothing.
pub(crate) fn named(name: Option<&str>) -> Context {
    match name {
        None => Context::default(),
        Some("requirements") => of_stories(&["requirements.md"]),
        Some("design") => of_stories(&["technical-design.md", "test-plan.md"]),
        Some("no stories") => of_entity("story_id", &[], &[]),
        Some("incident") => promised(
            &[
                "triage",
                "investigation",
                "mitigation",
                "incident-report",
                "postmortem",
            ]
            .map(|name| format!("incidents/42/{name}.md")),
        ),
        Some("reviews") => promised(
            &["functional", "security", "performance", "test", "docs"]
                .map(|name| format!("reviews/{name}-review.md")),
        ),
        Some("oauth2") => promised(
            &[
                "oauth2-design.md",
                "src/auth/oauth2.ts",
                "tests/auth/oauth2.test.ts",
                "docs/api/oauth2.md",
                "runbooks/oauth2-incidents.md",
            ]
            .map(str::to_owned),
        ),
        Some(other) => panic!("no context is called {other}"),
    }
}

/// Two stories, for each of which these files are promised.
fn of_stories(files: &[&str]) -> Context {
    of_entity("story_id", &["S1", "S2"], files)
}

fn of_entity(variable: &str, targets: &[&str], files: &[&str]) -> Context {
    let target = |name: &&str| Target {
        name: (*name).to_owned(),
        promises: files
            .iter()
            .map(|file| Promise {
                path: format!("stories/{name}/{file}"),
                template: format!("stories/{{{variable}}}/{file}"),
                names: names(file),
            })
            .collect(),
    };
    let targets = targets.iter().map(target).collect();
    Context {
        entities: vec![Entity::of_variable(variable, targets)],
        promises: Vec::new(),
    }
}

fn names(file: &str) -> Vec<String> {
    match file {
        "test-plan.md" => vec!["test plan".to_owned()],
        _ => Vec::new(),
    }
}

fn promised(paths: &[String]) -> Context {
    Context {
        entities: Vec::new(),
        promises: paths.iter().map(|path| Promise::of_path(path)).collect(),
    }
}
