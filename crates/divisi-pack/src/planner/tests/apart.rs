//! Fifty requests of many shapes, written by somebody who knows neither the code nor its rules, and
//! run once against it before anything was mended by them. Since the rules were mended by what they
//! showed, they prove nothing of others any more; the design note has the figures of the first run.
//!
//! Each may be declined with reasons. A plan of it has no fault, no role beside those that are asked
//! for, no task that is not about what is asked for, nothing lost, nothing that must stay among what
//! is changed, and the order that is said. One task is always right, several only where several are
//! asked for.

use std::collections::BTreeSet;

use divisi_core::{Criterion, TaskKind, TaskSpec};

use self::Field::{Audit, Ci, Code, Design, Docs, Research, Review, Tests};
use super::*;

/// In which field something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Research,
    Design,
    Code,
    Tests,
    Audit,
    Review,
    Docs,
    Ci,
}

impl Field {
    /// Whether a task of this role is of it.
    fn is_of(self, role: &str, task: &TaskSpec) -> bool {
        let roles: &[&str] = match self {
            Code => &[
                "data_scientist",
                "debugger",
                "developer",
                "frontend_developer",
                "performance_engineer",
            ],
            Tests => &["qa"],
            Docs => &["documentation", "sre", "tech_writer"],
            Audit => &["security_analyst"],
            Design => &["architect", "data_architect"],
            Ci => &["cicd", "devops", "sre"],
            // Anybody may find something out, or judge it: that changes nothing.
            Research => return task.kind == TaskKind::Research,
            Review => return task.kind == TaskKind::Review,
        };
        // Load tests are measured by who knows of load.
        roles.contains(&role) || self == Tests && role == "performance_engineer"
    }
}

/// A request and what its plan must be like.
struct Apart {
    request: &'static str,
    works: &'static [Field],
    /// What is asked for, each in words of the request.
    parts: &'static [&'static str],
    /// Whether dividing it is wrong.
    is_one: bool,
    untouched: &'static [&'static str],
    order: &'static [(&'static str, &'static str)],
}

const fn apart(
    request: &'static str,
    works: &'static [Field],
    parts: &'static [&'static str],
) -> Apart {
    Apart {
        request,
        works,
        parts,
        is_one: false,
        untouched: &[],
        order: &[],
    }
}

impl Apart {
    const fn one(self) -> Apart {
        Apart {
            is_one: true,
            ..self
        }
    }

    const fn untouched(self, untouched: &'static [&'static str]) -> Apart {
        Apart { untouched, ..self }
    }

    const fn order(self, order: &'static [(&'static str, &'static str)]) -> Apart {
        Apart { order, ..self }
    }
}

const APART: &[Apart] = &[
    apart(
        "design the webhook retry schema -> implement it in the delivery worker -> test -> write the runbook",
        &[Design, Code, Tests, Docs],
        &["retry schema", "delivery worker", "test", "runbook"],
    )
    .order(&[("design the webhook retry schema", "implement it in the delivery worker"), ("implement it in the delivery worker", "test"), ("test", "write the runbook")]),
    apart(
        "Offline sync for the iOS app: research → design → code → review",
        &[Research, Design, Code, Review],
        &["Offline sync", "research", "design", "code", "review"],
    )
    .order(&[("research", "design"), ("design", "code"), ("code", "review")]),
    apart(
        "Write a nightly job that moves the event files: S3 bucket -> Parquet -> Snowflake",
        &[Code],
        &["nightly job", "S3", "Parquet", "Snowflake"],
    ),
    apart(
        "spec the plugin api => build the loader => unit tests => changelog entry. keep it boring pls",
        &[Design, Code, Tests, Docs],
        &["plugin api", "loader", "unit tests", "changelog"],
    )
    .order(&[("spec the plugin api", "build the loader"), ("build the loader", "unit tests"), ("unit tests", "changelog entry")]),
    apart(
        "1. Extract the tax calculation out of CheckoutController into its own module\n2. Write unit tests covering the rounding edge cases\n3. Update docs/checkout.md with the new module layout",
        &[Code, Tests, Docs],
        &["tax calculation", "rounding", "docs/checkout.md"],
    ),
    apart(
        "For the next release of the mobile app:\n- add biometric login on Android\n- fix the crash when rotating the photo viewer\n- bump the minimum SDK to 26\n- write the release notes",
        &[Code, Docs],
        &["biometric login", "photo viewer", "minimum SDK", "release notes"],
    ),
    apart(
        "## Goal\nMake `pgsnap` usable for teams.\n\n## Tasks\n* Add a `restore` subcommand\n* Support S3 and GCS as backup targets\n* Set up GitHub Actions to publish binaries for linux and mac\n* Write a getting started guide\n\n## Notes\nWe use cobra for the command parsing.",
        &[Code, Ci, Docs],
        &["restore", "GCS", "GitHub Actions", "getting started guide"],
    ),
    apart(
        "todo: 1) paginate /orders 2) add an index on orders.created_at 3) load test the endpoint 4) document the cursor format",
        &[Code, Tests, Docs],
        &["paginate", "created_at", "load test", "cursor format"],
    ),
    apart(
        "Three things please: (a) migrate the settings page to Svelte 5, (b) write component tests for it, (c) have someone review the accessibility.",
        &[Code, Tests, Review],
        &["Svelte 5", "component tests", "accessibility"],
    ),
    apart(
        "### Billing cleanup\n\n- [ ] design the ledger table\n- [ ] implement double-entry postings in `ledger/postings.py`\n- [ ] property tests for the postings\n- [ ] security audit of the refund path\n- [ ] README section",
        &[Design, Code, Tests, Audit, Docs],
        &["ledger table", "ledger/postings.py", "property tests", "refund path", "README"],
    ),
    apart(
        "Infra week:\n- terraform\n  - split the prod and staging state files\n  - add a module for the redis cluster\n- kubernetes\n  - write a helm chart for the mailer\n- docs\n  - describe the rollback procedure in RUNBOOK.md",
        &[Ci, Docs],
        &["state files", "redis", "helm chart", "RUNBOOK.md"],
    ),
    apart(
        "tests and docs for lexer.py",
        &[Tests, Docs],
        &["tests", "docs", "lexer.py"],
    ),
    apart(
        "add dark mode to the docs site and also fix the broken search box",
        &[Code],
        &["dark mode", "search box"],
    ),
    apart(
        "Write a parser for the GEDCOM format with fuzz tests and rustdoc on every public fn",
        &[Code, Tests, Docs],
        &["GEDCOM", "fuzz tests", "rustdoc"],
    ),
    apart(
        "Implement the inventory module, the supplier module and the pricing module in parallel, each with its own tests.",
        &[Code, Tests],
        &["inventory", "supplier", "pricing", "tests"],
    ),
    apart(
        "Review the payment gateway client for security, performance and error handling.",
        &[Review, Audit],
        &["security", "performance", "error handling"],
    ),
    apart(
        "In src/auth/session.ts rotate the token on login; in src/auth/middleware.ts reject expired tokens; in tests/auth.spec.ts cover both",
        &[Code, Tests],
        &["src/auth/session.ts", "src/auth/middleware.ts", "tests/auth.spec.ts"],
    ),
    apart(
        "refactor utils/date.js, add types to utils/money.js and delete the dead helpers in utils/legacy.js",
        &[Code],
        &["utils/date.js", "utils/money.js", "utils/legacy.js"],
    ),
    apart(
        "add a --json flag; make exit codes consistent; update man page; tests for both pls",
        &[Code, Tests, Docs],
        &["--json", "exit codes", "man page", "tests"],
    ),
    apart(
        "The nightly job that ingests weather station readings fails silently when one station is down. Make it skip the broken station and log a warning. Write an integration test that simulates a dead station. And put a short note in the ops handbook about what the warning means.",
        &[Code, Tests, Docs],
        &["skip the broken station", "integration test", "ops handbook"],
    ),
    apart(
        "First look into which queue library suits us (BullMQ, pg-boss or plain SQS), then write a short design for the email dispatcher, then implement it, and finally set up a CI job that runs the worker suite against localstack.",
        &[Research, Design, Code, Ci],
        &["queue library", "email dispatcher", "implement", "CI job"],
    )
    .order(&[("look into which queue library", "design for the email dispatcher"), ("design for the email dispatcher", "implement it"), ("implement it", "set up a CI job")]),
    apart(
        "Hi! We've outgrown the single-tenant setup of our booking API. I'd like a design document that explains how tenants are isolated in Postgres (row level security vs. schema per tenant). Then the tenant resolver needs to be implemented in `internal/tenant`, and every repository under `internal/store` has to take the tenant id. The existing integration tests only ever use one tenant, so please extend them so that a leak between two tenants is caught. I also want a security audit of the new code, because the last time we did something like this we exposed invoices of another customer. When all of that is finished, update the onboarding guide in docs/onboarding.md. Thanks a lot, no rush on the guide.",
        &[Design, Code, Tests, Audit, Docs],
        &["design document", "internal/tenant", "internal/store", "integration tests", "security audit", "docs/onboarding.md"],
    )
    .order(&[("design document", "tenant resolver"), ("tenant resolver", "onboarding guide"), ("security audit", "onboarding guide")]),
    apart(
        "pls add google sign in to the flutter app, also teh push notifcations are broken on android 14 so fix that, and write some widget tests for the login screan",
        &[Code, Tests],
        &["google sign in", "android 14", "widget tests"],
    ),
    apart(
        "Our Terraform provider needs a data source for DNS zones. Acceptance tests should cover the empty zone. The registry docs need an example. Get a reviewer to check the schema naming.",
        &[Code, Tests, Docs, Review],
        &["data source", "Acceptance tests", "registry docs", "schema naming"],
    ),
    apart(
        "Compare Polars and DuckDB for our clickstream aggregation, record the results in docs/adr/0007.md, and prototype the winner in jobs/aggregate.py",
        &[Research, Docs, Code],
        &["Polars", "DuckDB", "docs/adr/0007.md", "jobs/aggregate.py"],
    ),
    apart(
        "Speed up the image resizer but do not touch the public API or the tests.",
        &[Code],
        &["image resizer"],
    )
    .one()
    .untouched(&["public API", "tests"]),
    apart(
        "Add a retry policy to the HTTP client and unit tests for it. No documentation, we'll write that ourselves.",
        &[Code, Tests],
        &["retry policy", "unit tests"],
    )
    .untouched(&["documentation"]),
    apart(
        "## UI kit\nOnly change files under packages/ui.\n\n1. Tooltip component\n2. Popover component\n3. Storybook stories for both\n\n**Out of scope:** packages/core and the root package.json",
        &[Code],
        &["Tooltip", "Popover", "Storybook stories"],
    )
    .untouched(&["packages/core", "root package.json"]),
    apart(
        "Audit the file upload handler for path traversal. Report only, don't fix anything.",
        &[Audit],
        &["file upload handler", "path traversal"],
    )
    .one()
    .untouched(&["file upload handler"]),
    apart(
        "- migrate the scheduler from cron to Temporal\n- don't change the job payloads\n- keep the old cron files in place until I remove them\n- add an end to end test for the daily report job",
        &[Code, Tests],
        &["Temporal", "end to end test", "daily report"],
    )
    .untouched(&["job payloads", "old cron files"]),
    apart(
        "write docs for the plugin hooks and an example for each of them, without modifying any code in src/",
        &[Docs],
        &["plugin hooks", "example"],
    )
    .untouched(&["src/"]),
    apart(
        "Implement passwordless login and test it. Skip the security review this time, and don't bother with CI changes.",
        &[Code, Tests],
        &["passwordless login", "test"],
    ),
    apart(
        "dont add tests. just rewrite the argument parser with clap and update the README",
        &[Code, Docs],
        &["argument parser", "clap", "README"],
    ),
    apart(
        "Refactor the ETL loader and the validator, but never edit schema.sql, and don't add new dependencies. Existing tests must keep passing.",
        &[Code],
        &["loader", "validator"],
    )
    .untouched(&["schema.sql"]),
    apart(
        "Add Portuguese and Turkish translations to the mobile app, except for the legal texts, which stay in English. Add a snapshot test for each language. The strings in legal/*.json must stay exactly as they are.",
        &[Code, Tests],
        &["Portuguese", "Turkish", "snapshot test"],
    )
    .untouched(&["legal/*.json", "legal texts"]),
    apart(
        "Before you write any code, draw up a design for the cache invalidation. Implement it in cache/ once the design is approved.",
        &[Design, Code],
        &["cache invalidation", "cache/"],
    )
    .order(&[("draw up a design", "Implement it in cache/")]),
    apart(
        "Write characterization tests for InvoiceMapper before refactoring it.",
        &[Tests, Code],
        &["characterization tests", "InvoiceMapper", "refactoring"],
    )
    .order(&[("characterization tests", "refactoring")]),
    apart(
        "Upgrade the app to Postgres 16. Once that is done, drop the compatibility shims in db/compat.go, and after that refresh the upgrade notes.",
        &[Code, Docs],
        &["Postgres 16", "db/compat.go", "upgrade notes"],
    )
    .order(&[("Upgrade the app to Postgres 16", "compatibility shims"), ("compatibility shims", "upgrade notes")]),
    apart(
        "I want CI to publish the docker image, but only after there are smoke tests for it. So write the smoke tests, then add the publish job.",
        &[Tests, Ci],
        &["smoke tests", "publish job"],
    )
    .order(&[("write the smoke tests", "add the publish job")]),
    apart(
        "Update the API reference after adding the /v2/search endpoint and writing its contract tests.",
        &[Docs, Code, Tests],
        &["API reference", "/v2/search", "contract tests"],
    )
    .order(&[("adding the /v2/search endpoint", "Update the API reference"), ("contract tests", "Update the API reference")]),
    apart(
        "The release notes come last. Before them I need the changelog generator fixed, and before that a review of the commit parsing in lib/parse.rb.",
        &[Docs, Code, Review],
        &["release notes", "changelog generator", "lib/parse.rb"],
    )
    .order(&[("review of the commit parsing", "changelog generator fixed"), ("changelog generator fixed", "release notes")]),
    apart(
        "add a feature flag for the new checkout to the flag service and write tests for the flag. then switch the react native app over to it, but dont start on the app until the tests are there",
        &[Code, Tests],
        &["feature flag", "tests for the flag", "react native app"],
    )
    .order(&[("add a feature flag", "switch the react native app"), ("write tests for the flag", "switch the react native app")]),
    apart(
        "We want to split the monolith's notification code out into a library. Start by researching how the other teams consume it today. Design the interface when the research is done. The library itself must not be implemented until the interface has been designed. Tests can be written in parallel with the implementation. The migration guide is written last, when the library is stable.",
        &[Research, Design, Code, Tests, Docs],
        &["other teams", "interface", "library", "Tests", "migration guide"],
    )
    .order(&[("researching how the other teams", "Design the interface"), ("Design the interface", "The library itself"), ("The library itself", "migration guide")]),
    apart(
        "fix typo in footer",
        &[Code],
        &["typo", "footer"],
    )
    .one(),
    apart(
        "Rename `userId` to `accountId` across src/models.ts, src/routes.ts and src/jobs.ts",
        &[Code],
        &["userId", "accountId", "src/models.ts", "src/routes.ts", "src/jobs.ts"],
    )
    .one(),
    apart(
        "make the app nicer and faster somehow",
        &[Code],
        &["nicer", "faster"],
    )
    .one(),
    apart(
        "Rewrite the exporter in Go and add tests, but do not change any code and don't write tests.",
        &[],
        &["exporter"],
    )
    .one(),
    apart(
        "Build me a complete clone of Shopify, web and mobile, production ready",
        &[Code],
        &["Shopify", "web", "mobile"],
    )
    .one(),
    apart(
        "When I open the settings dialog on a 4k monitor the close button is cut off. I tested it in Firefox and in Chrome. The docs say it should scale. It used to work before we upgraded Electron in March. Please fix it.",
        &[Code],
        &["settings dialog", "close button"],
    )
    .one(),
    apart(
        "can you look at why the nightly build got so slow",
        &[Research],
        &["nightly build", "slow"],
    )
    .one(),
];

#[test]
fn fifty_requests_written_apart_are_planned_as_asked_or_declined() {
    assert_eq!(APART.len(), 50);
    let mut counts = [0; 3];
    let mut wrong = Vec::new();
    for apart in APART {
        // Without a command that tests it, a task is bounded by its files.
        match answer_with(apart.request, |facts| facts.tests = None) {
            Answer::Planned(planned) => {
                counts[usize::from(planned.plan.tasks.len() > 1)] += 1;
                let why = JUDGES.iter().find_map(|judge| judge(apart, &planned));
                wrong.extend(why.map(|why| format!("{}\n  {why}", apart.request)));
            }
            Answer::Declined(declined) => {
                assert_ne!(declined.reasons, [], "{}", apart.request);
                counts[2] += 1;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of 50 are wrong, {counts:?} are one task, several, declined:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // See `docs/design/planner.md`.
    assert_eq!(counts, [19, 30, 1]);
}

/// What each plan is judged by: what is wrong about it, in one line.
const JUDGES: &[fn(&Apart, &Planned) -> Option<String>] = &[
    fault,
    role_outside,
    field_without_role,
    task_of_nothing,
    lost,
    touched,
    out_of_order,
    bounded,
    divided,
];

fn is_undivided(planned: &Planned) -> bool {
    planned.plan.tasks.len() == 1
}

/// What a task is told of its own: in one of several, without the request that each quotes.
fn own(apart: &Apart, planned: &Planned, task: &TaskSpec) -> String {
    let quoted = request::read(apart.request).quoted();
    let description = match is_undivided(planned) {
        true => task.description.clone(),
        false => task.description.replace(&quoted, ""),
    };
    let made = task.deliverables.iter().map(|it| it.path.as_str());
    let made: Vec<&str> = made.collect();
    format!("{}\n{description}\n{}", task.title, made.join("\n")).to_lowercase()
}

/// What a task is about: its title and its part of the request, which of the only one is all.
fn about(task: &TaskSpec, planned: &Planned) -> String {
    let of = match is_undivided(planned) {
        true => task.description.as_str(),
        false => task.description.lines().next().unwrap_or_default(),
    };
    format!("{}\n{of}", task.title).to_lowercase()
}

fn fault(apart: &Apart, planned: &Planned) -> Option<String> {
    let (files, library) = (files(), Library::built_in());
    let request = request::read(apart.request);
    let given = lint::Given {
        request: Some(&request),
        roles: Some(&library),
        files: Some(&files),
        ..lint::Given::default()
    };
    let found = lint::plan("plan", &planned.plan, &given);
    found
        .is_faulty()
        .then(|| format!("{:?}", found.diagnostics))
}

fn role_outside(apart: &Apart, planned: &Planned) -> Option<String> {
    let roles = Library::built_in();
    planned.plan.tasks.iter().find_map(|task| {
        let role = roles.of_task(task.domain.as_deref(), task.function.as_deref());
        let role = role.map(|role| role.id.as_str()).unwrap_or_default();
        let is_whole = is_undivided(planned) && role == "development";
        let is_asked = apart.works.iter().any(|work| work.is_of(role, task));
        (!is_whole && !is_asked).then(|| format!("{}: {role} is not asked for", task.title))
    })
}

/// Where work is divided, each field has its own role in it.
fn field_without_role(apart: &Apart, planned: &Planned) -> Option<String> {
    let roles = Library::built_in();
    let is_of = |field: &Field, task: &TaskSpec| {
        let role = roles.of_task(task.domain.as_deref(), task.function.as_deref());
        role.is_some_and(|role| field.is_of(&role.id, task))
    };
    let has = |field: &Field| planned.plan.tasks.iter().any(|task| is_of(field, task));
    let missing = apart.works.iter().find(|field| !has(field))?;
    (!is_undivided(planned)).then(|| format!("no task is for who does {missing:?}"))
}

/// A task of background, of manner or of what is excluded is about nothing that is asked for.
fn task_of_nothing(apart: &Apart, planned: &Planned) -> Option<String> {
    let mut tasks = planned.plan.tasks.iter();
    let of_nothing = tasks.find(|task| {
        let about = about(task, planned);
        let mut parts = apart.parts.iter();
        !parts.any(|part| about.contains(&part.to_lowercase()))
    })?;
    Some(format!("{} is no task", of_nothing.title))
}

fn lost(apart: &Apart, planned: &Planned) -> Option<String> {
    let tasks = planned.plan.tasks.iter();
    let told: Vec<String> = tasks.map(|task| own(apart, planned, task)).collect();
    let is_told = |part: &str| told.iter().any(|told| told.contains(&part.to_lowercase()));
    let lost = apart.parts.iter().find(|part| !is_told(part))?;
    Some(format!("{lost} is in no task"))
}

/// What must stay is in no title, promise or scope of what changes something. A title that is the
/// request itself says that it must stay.
fn touched(apart: &Apart, planned: &Planned) -> Option<String> {
    let whole = naming::line(apart.request);
    let changing = planned.plan.tasks.iter();
    let mut changing = changing.filter(|task| task.kind == TaskKind::Work);
    changing.find_map(|task| {
        let title = Some(task.title.as_str()).filter(|title| *title != whole);
        let made = task.deliverables.iter().map(|it| it.path.as_str());
        let may = title
            .into_iter()
            .chain(made)
            .chain(task.scope.iter().map(String::as_str));
        let may: Vec<String> = may.map(str::to_lowercase).collect();
        let mut untouched = apart.untouched.iter();
        let found = untouched.find(|it| {
            let it = it.to_lowercase();
            may.iter().any(|may| may.contains(&it))
        })?;
        Some(format!("{} may change {found}", task.title))
    })
}

fn out_of_order(apart: &Apart, planned: &Planned) -> Option<String> {
    if is_undivided(planned) {
        return None;
    }
    let graph = planned.plan.graph().expect("it is sound");
    apart.order.iter().find_map(|&(before, then)| {
        let (Some(from), Some(to)) = (doing(planned, before), doing(planned, then)) else {
            return Some(format!("no task does {before}, or none does {then}"));
        };
        let mut open = vec![to];
        let mut met = BTreeSet::new();
        while let Some(at) = open.pop() {
            if at == from {
                return None;
            }
            let waits = graph.dependencies[at].iter().map(|&on| on as usize);
            open.extend(waits.filter(|&on| met.insert(on)));
        }
        Some(format!("{then} does not wait for {before}"))
    })
}

/// The task that does what these words say: the one that is about most of them.
fn doing(planned: &Planned, words: &str) -> Option<usize> {
    let words = words.to_lowercase();
    let tasks = planned.plan.tasks.iter();
    let tasks = tasks.map(|task| about(task, planned)).enumerate();
    let shared = tasks.map(|(at, about)| {
        let mut count = words.split(' ').filter(|it| about.contains(it)).count();
        if about.contains(&words) {
            count += words.len();
        }
        (count, at)
    });
    let best = shared.max_by_key(|&(count, at)| (count, usize::MAX - at))?;
    (best.0 > 0).then_some(best.1)
}

/// Who may change some files alone has not more to do, in others.
fn bounded(apart: &Apart, planned: &Planned) -> Option<String> {
    let request = request::read(apart.request);
    let is_bounded = |task: &&TaskSpec| {
        let mut criteria = task.criteria.iter();
        request.bounds.is_empty()
            && criteria.any(|it| match it {
                Criterion::Scope { patterns } => patterns.iter().any(|it| !it.starts_with('!')),
                _ => false,
            })
    };
    let mut tasks = planned.plan.tasks.iter().filter(is_bounded);
    let task = tasks.find(|task| {
        let about = about(task, planned);
        let says = |part: &str| about.contains(&part.to_lowercase());
        let title = task.title.to_lowercase();
        let is_all = |part: &&'static str| title.contains(&part.to_lowercase());
        apart
            .order
            .iter()
            .any(|(one, other)| says(one) && says(other))
            || is_undivided(planned) && !apart.parts.iter().all(is_all)
    })?;
    Some(format!("{} is bounded, and has more to do", task.title))
}

fn divided(apart: &Apart, planned: &Planned) -> Option<String> {
    let several = planned.plan.tasks.len() > 1;
    (apart.is_one && several).then(|| "one piece of work is several tasks".to_owned())
}
