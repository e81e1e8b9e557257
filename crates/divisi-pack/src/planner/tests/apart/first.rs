//! The first fifty, by which the rules were mended.

use super::Field::{Audit, Ci, Code, Design, Docs, Research, Review, Tests};
use super::{Apart, apart};

pub(super) const FIRST: &[Apart] = &[
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
