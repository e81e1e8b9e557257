//! Fifty requests that were written down after the planner, from the wordings of orchestrators'
//! documents and of everyday work, with what a person expects of their plans. The planner was not
//! fitted to them: where one showed a fault, the fault was mended where it was, and what is merely
//! declined stays so. Each plan has no fault; its roles are among those that the request asks for;
//! each thing that was asked for stands in a task or a criterion; nothing that was excluded does.

use std::collections::BTreeSet;

use super::*;

/// A request and what its plan must be like.
struct Asked {
    request: &'static str,
    /// Roles whose work it asks for.
    roles: &'static [&'static str],
    /// Each stands in the title, the files or the criteria of some task, or of the whole.
    covers: &'static [&'static str],
    /// None stands in the id, the title, the files or the role of any task.
    without: &'static [&'static str],
    /// Tasks of which the one, named by a word of its title, ends before the other begins.
    order: &'static [(&'static str, &'static str)],
}

macro_rules! asked {
    ($request:literal, [$($role:literal),*], [$($covers:literal),*]
        $(, without [$($without:literal),*])? $(, order [$($order:expr),*])?) => {
        Asked {
            request: $request,
            roles: &[$($role),*],
            covers: &[$($covers),*],
            without: &[$($($without),*)?],
            order: &[$($($order),*)?],
        }
    };
}

const ASKED: &[Asked] = &[
    // Prose with things that hang on it.
    asked!(
        "Implement token generation and validation, with integration tests and API documentation",
        ["developer", "qa", "tech_writer"],
        ["token generation", "integration tests", "API documentation"],
        order[("token", "integration tests")]
    ),
    asked!(
        "Build authentication logic and endpoints, write security tests, and create setup and usage documentation",
        ["developer", "qa", "security_analyst", "tech_writer"],
        [
            "authentication logic",
            "security tests",
            "usage documentation"
        ]
    ),
    asked!(
        "Add two-factor login with unit tests, a threat model and a user guide",
        ["developer", "qa", "security_analyst", "tech_writer"],
        [
            "two-factor login",
            "unit tests",
            "threat model",
            "user guide"
        ]
    ),
    asked!(
        "Extract the mailer into its own module and cover it with tests",
        ["developer", "qa"],
        ["mailer", "tests"],
        order[("mailer", "tests")]
    ),
    asked!(
        "Speed up the search page, and document what was done in the changelog",
        [
            "developer",
            "frontend_developer",
            "performance_engineer",
            "tech_writer"
        ],
        ["search page", "changelog"]
    ),
    asked!(
        "Implement pagination for the orders endpoint plus tests plus docs",
        ["developer", "qa", "tech_writer"],
        ["pagination", "tests", "docs"]
    ),
    asked!(
        "We need a retry policy for webhooks, tested and documented",
        ["developer", "qa", "tech_writer"],
        ["retry policy"]
    ),
    asked!(
        "Replace the homegrown logger by `tracing`; also update the README and the tests",
        ["developer", "qa", "tech_writer"],
        ["logger", "README", "tests"]
    ),
    // One thing.
    asked!(
        "Fix typo in README.md",
        ["tech_writer", "developer"],
        ["README.md"]
    ),
    asked!(
        "Bump serde to 1.0.200 in Cargo.toml",
        ["developer"],
        ["serde"]
    ),
    asked!(
        "Make the retry delay configurable",
        ["developer"],
        ["retry delay"]
    ),
    asked!(
        "Correct the off-by-one error in src/api/mod.rs",
        ["developer"],
        ["src/api/mod.rs"]
    ),
    asked!(
        "Find out why the nightly build takes forty minutes",
        [
            "architect",
            "debugger",
            "developer",
            "devops",
            "performance_engineer"
        ],
        ["nightly build"]
    ),
    asked!(
        "Compare encryption libraries and recommend one",
        ["architect", "developer", "security_analyst"],
        ["encryption libraries"]
    ),
    asked!(
        "Design a caching strategy for the product catalog",
        ["architect", "developer"],
        ["caching strategy"]
    ),
    asked!(
        "Write a runbook for database failover",
        ["sre", "tech_writer"],
        ["runbook"]
    ),
    asked!(
        "Audit the dependencies for known vulnerabilities",
        ["security_analyst"],
        ["dependencies"]
    ),
    asked!("Delete src/old.rs", ["developer"], ["src/old.rs"]),
    // Arrows.
    asked!("requirements -> design -> implementation -> tests -> release notes",
        ["architect", "developer", "product_analyst", "qa", "tech_writer"],
        ["requirements", "design", "implementation", "tests", "release notes"],
        order [("Requirements", "Design"), ("Design", "Implementation"), ("Implementation", "Tests"), ("Tests", "Release notes")]),
    asked!("Payment refunds: specify → implement → test → deploy",
        ["architect", "developer", "devops", "qa"], ["Specify", "Implement", "Test", "Deploy"],
        order [("Specify", "Implement"), ("Implement", "Test"), ("Test", "Deploy")]),
    asked!("reproduce the crash -> fix it -> add a regression test",
        ["debugger", "developer", "qa"], ["crash", "fix it", "regression test"],
        order [("crash", "Fix it"), ("Fix it", "regression test")]),
    asked!("Triage => investigate => mitigate", ["architect", "developer", "devops", "sre"], ["Triage", "Investigate", "Mitigate"],
        order [("Triage", "Investigate"), ("Investigate", "Mitigate")]),
    // Lists.
    asked!(
        "Implement OAuth2 authentication for the API:\n- Define OAuth2 flow and endpoints\n- Implement token generation and validation\n- Add integration tests\n- Document API endpoints\n- Create operational runbook",
        ["architect", "developer", "qa", "sre", "tech_writer"],
        [
            "OAuth2 flow",
            "token generation",
            "integration tests",
            "API endpoints",
            "runbook"
        ],
        order[("token generation", "integration tests")]
    ),
    asked!("1. Write the failing test\n2. Fix the parser in src/main.rs\n3. Update CHANGELOG.md",
        ["developer", "qa", "tech_writer"], ["failing test", "src/main.rs", "CHANGELOG.md"],
        order [("failing test", "parser"), ("parser", "CHANGELOG")]),
    asked!(
        "* rename `fetch` to `load` in src/api/mod.rs\n* remove the unused import in src/main.rs\n* run the tests",
        ["developer", "qa"],
        ["src/api/mod.rs", "src/main.rs", "tests"]
    ),
    asked!(
        "Todo:\n[ ] dark theme for the settings page\n[ ] screenshot tests\n[ ] note in the user guide",
        ["developer", "frontend_developer", "qa", "tech_writer"],
        ["dark theme", "screenshot tests", "user guide"]
    ),
    asked!("1) Create the table in db/004.sql\n2) Backfill it\n3) Drop the old column",
        ["data_architect", "developer"], ["db/004.sql", "Backfill", "old column"],
        order [("table", "Backfill"), ("Backfill", "old column")]),
    asked!(
        "Please:\n\n- translate the error messages to German\n- keep the English ones as a fallback\n\nDon't touch the log messages.",
        ["developer", "tech_writer"],
        ["translate the error messages"],
        without["log messages"]
    ),
    // Order in words.
    asked!("First sketch the schema, then write the importer, and finally load the sample data",
        ["architect", "data_architect", "developer"], ["schema", "importer", "sample data"],
        order [("schema", "importer"), ("importer", "sample data")]),
    asked!(
        "Refactor the billing module after adding characterization tests",
        ["developer", "qa"],
        ["billing module", "characterization tests"],
        order[("characterization tests", "billing module")]
    ),
    asked!(
        "Once the API is versioned, update the client and the docs",
        ["developer", "tech_writer"],
        ["client", "docs"]
    ),
    asked!(
        "Write the unit tests and the user guide in parallel, after implementing CSV import",
        ["developer", "qa", "tech_writer"],
        ["unit tests", "CSV import"],
        order[("CSV import", "unit tests")]
    ),
    asked!(
        "Before you change anything, read the code and describe how sessions expire; then shorten the timeout",
        ["developer", "tech_writer", "architect"],
        ["sessions expire", "timeout"]
    ),
    asked!(
        "Upgrade the ORM. When that works, remove the compatibility layer.",
        ["developer"],
        ["ORM", "compatibility layer"],
        order[("ORM", "compatibility layer")]
    ),
    // Negations.
    asked!(
        "Add an export button but leave the backend alone",
        ["developer", "frontend_developer"],
        ["export button"],
        without["backend"]
    ),
    asked!(
        "Fix the flaky test in tests/login.rs without changing production code",
        ["qa", "developer"],
        ["tests/login.rs"],
        without["src/"]
    ),
    asked!("Implement search. No docs, no deployment.", ["developer"], ["search"], without ["docs", "documentation", "deploy"]),
    asked!(
        "Add rate limits to src/api/mod.rs, don't touch src/main.rs",
        ["developer"],
        ["src/api/mod.rs"],
        without["src/main.rs"]
    ),
    asked!(
        "Improve error handling except in the web client under web/",
        ["developer"],
        ["error handling"],
        without["web/"]
    ),
    asked!("Add a health check and tests for it, but do not write documentation", ["developer", "qa"], ["health check", "tests"], without ["docs", "documentation"]),
    asked!(
        "Review the code for bugs, not for style",
        ["developer", "qa"],
        ["review"]
    ),
    asked!("Clean up the build scripts, never mind the tests", ["developer", "devops"], ["build scripts"], without ["qa", "tests"]),
    // Reviews and the catalog.
    asked!("Review this repository for security and performance", ["performance_engineer", "security_analyst"], ["security", "performance"],
        without ["docs-review", "test-review"]),
    asked!(
        "Do a full code review of the current branch",
        [
            "developer",
            "performance_engineer",
            "qa",
            "security_analyst",
            "tech_writer"
        ],
        ["review"]
    ),
    asked!(
        "Investigate incident INC-7 in the payment service",
        ["developer", "devops", "sre", "tech_writer", "architect"],
        ["inc"]
    ),
    // Stated criteria.
    asked!(
        "Add a LICENSE file. LICENSE exists. Make sure that `cargo deny check` passes.",
        ["developer"],
        ["LICENSE", "cargo deny check"]
    ),
    asked!(
        "Write docs/setup.md. docs/setup.md contains a section \"Prerequisites\".",
        ["tech_writer"],
        ["docs/setup.md", "Prerequisites"]
    ),
    // What no rule can tell apart.
    asked!("Build an online shop", ["developer", "architect"], ["shop"]),
    asked!("Make everything better", ["developer"], ["better"]),
    asked!("asdf", [], []),
];

/// All that is asked for.
pub(super) fn texts_of_all() -> impl Iterator<Item = &'static str> {
    ASKED.iter().map(|asked| asked.request)
}

fn texts(task: &TaskSpec) -> String {
    let promised = task.deliverables.iter().map(|it| it.path.as_str());
    let scope = task.scope.iter().map(String::as_str);
    let role = task.role().unwrap_or_default();
    let own = [task.id.as_str(), task.title.as_str(), role.as_str()];
    let all: Vec<&str> = own.into_iter().chain(promised).chain(scope).collect();
    all.join("\n").to_lowercase()
}

/// Whether one task waits for another, through others, too.
fn waits(plan: &Plan, task: usize, on: usize) -> bool {
    let graph = plan.graph().expect("it is sound");
    let mut open = vec![task as u32];
    let mut met = BTreeSet::new();
    while let Some(next) = open.pop() {
        for &before in &graph.dependencies[next as usize] {
            if before as usize == on {
                return true;
            }
            if met.insert(before) {
                open.push(before);
            }
        }
    }
    false
}

/// What tasks of a part's role are called.
fn role_of(part: &request::Part) -> Option<String> {
    let roles = Library::built_in();
    let (domain, function) = roles.get(part.role)?.names_of_tasks();
    Some(format!("{}/{}", domain?, function?))
}

#[track_caller]
fn holds(asked: &Asked, planned: &Planned) {
    let plan = &planned.plan;
    let request = asked.request;
    let roles = Library::built_in();
    let shown: Vec<String> = plan.tasks.iter().map(texts).collect();
    for task in &plan.tasks {
        let role = roles.of_task(task.domain.as_deref(), task.function.as_deref());
        // Who does all of it develops.
        let is_whole = |role: &str| plan.tasks.len() == 1 && role == "development";
        let is_asked =
            role.is_none_or(|role| asked.roles.contains(&role.id.as_str()) || is_whole(&role.id));
        assert!(is_asked, "{request}: {:?} is not asked for", task.role());
        assert!(
            role.is_some() || task.kind == TaskKind::Compose,
            "{request}: {task:?}"
        );
    }
    let checks: Vec<String> = plan.criteria.iter().map(ToString::to_string).collect();
    let all = format!("{}\n{}", shown.join("\n"), checks.join("\n")).to_lowercase();
    for word in asked.covers {
        assert!(
            all.contains(&word.to_lowercase()),
            "{request}: {word} is not in\n{all}"
        );
    }
    for word in asked.without {
        let found = shown
            .iter()
            .find(|text| text.contains(&word.to_lowercase()));
        assert_eq!(found, None, "{request}: {word}");
    }
    let of = |word: &str| {
        let mut titles = plan.tasks.iter();
        let found =
            titles.position(|task| task.title.to_lowercase().contains(&word.to_lowercase()));
        found.unwrap_or_else(|| panic!("{request}: no task {word}"))
    };
    for (before, after) in asked.order {
        // What is one task is done in the order that its title says.
        let (before_at, after_at) = (of(before), of(after));
        let follows = before_at == after_at || waits(plan, after_at, before_at);
        assert!(follows, "{request}: {before}, then {after}\n{all}");
    }
    // Each part is some task's, whose own words it has, or a criterion.
    let read = request::read(request);
    let stated = crate::stated::of(&read);
    assert_eq!(planned.covers.len(), read.parts.len(), "{request}");
    for (part, tasks) in read.parts.iter().zip(&planned.covers) {
        let said = &read.text[part.span.start..part.span.end];
        let is_told = |task: &usize| {
            let task = &plan.tasks[*task];
            let told = format!("{} {}", task.title, task.description).to_lowercase();
            told.contains(&said.to_lowercase()) || task.role() == role_of(part)
        };
        let is_stated = crate::stated::covering(&stated, part).is_some();
        assert!(
            is_stated || tasks.iter().any(is_told),
            "{request}: {said}: {plan:#?}"
        );
    }
}

#[test]
fn fifty_requests_are_planned_as_asked_or_declined() {
    let (files, library) = (files(), Library::built_in());
    let mut declined = Vec::new();
    for asked in ASKED {
        match answer(asked.request) {
            Answer::Planned(planned) => {
                holds(asked, &planned);
                let request = request::read(asked.request);
                let given = lint::Given {
                    request: Some(&request),
                    roles: Some(&library),
                    files: Some(&files),
                    ..lint::Given::default()
                };
                let found = lint::plan("plan", &planned.plan, &given);
                assert!(
                    !found.is_faulty(),
                    "{}: {:#?}",
                    asked.request,
                    found.diagnostics
                );
            }
            Answer::Declined(reasons) => {
                assert!(!reasons.reasons.is_empty(), "{}", asked.request);
                declined.push(asked.request);
            }
        }
    }
    assert_eq!(ASKED.len(), 50);
    // What says nothing is no request; of a verb that is not known, who does all of it may know more.
    assert_eq!(declined, ["asdf"]);
}
