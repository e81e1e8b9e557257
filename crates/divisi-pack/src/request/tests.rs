use super::*;
use crate::dice::Dice;

/// A request in short: `goal …`, `prefix …`, its parts as `index verb/role [after …] [beside]:
/// text`, and `not: …`.
fn shown(text: &str) -> Vec<String> {
    let request = read(text);
    let mut lines = Vec::new();
    lines.extend(request.goal.map(|goal| format!("goal {}", goal.text)));
    lines.extend(
        request
            .prefix
            .map(|prefix| format!("prefix {}", prefix.text)),
    );
    for (at, part) in request.parts.iter().enumerate() {
        let verb = part.verb.as_ref().map_or("-", |verb| verb.word);
        let after = match part.after.as_slice() {
            [] => String::new(),
            after => format!(" after {after:?}"),
        };
        let beside = if part.is_beside { " beside" } else { "" };
        lines.push(format!(
            "{at} {verb}/{}{after}{beside}: {}",
            part.role, part.text
        ));
    }
    lines.extend(
        request
            .exclusions
            .iter()
            .map(|exclusion| format!("not: {}", exclusion.text)),
    );
    lines
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(shown(text), expected, "{text}");
}

/// What people say every day, each in one part whose verb is known.
#[test]
fn everyday_verbs_say_what_is_to_be_done() {
    for (verb, text) in [
        ("limit", "Limit the number of open connections"),
        ("cap", "Cap the upload size at 10 MB"),
        ("throttle", "Throttle login attempts per address"),
        ("rotate", "Rotate the signing keys every night"),
        ("encrypt", "Encrypt the backups at rest"),
        ("hide", "Hide the beta banner from anonymous visitors"),
        ("cache", "Cache the rendered pages for an hour"),
        ("log", "Log every failed payment"),
        ("escape", "Escape user names in the footer"),
        ("sanitize", "Sanitize the file names of uploads"),
        ("sort", "Sort the orders by date"),
        ("group", "Group the settings by topic"),
        ("retry", "Retry failed webhooks three times"),
        ("paginate", "Paginate the list of orders"),
        ("compress", "Compress the responses of the API"),
        ("turn", "Turn off telemetry by default"),
        ("bring", "Bring back the dark theme"),
        ("connect", "Connect the form to the mailing list"),
        ("store", "Store sessions in Redis"),
        ("send", "Send an email when a payment fails"),
        ("warn", "Warn about unsaved changes"),
        ("trim", "Trim whitespace in the parser"),
        ("pin", "Pin the versions of all dependencies"),
        ("protect", "Protect the admin pages with two-factor login"),
        ("parallelize", "Parallelize the image resizing"),
        ("expire", "Expire idle sessions within a day"),
        ("rate-limit", "Rate-limit the public API"),
        ("deduplicate", "Deduplicate the incoming events"),
        ("normalize", "Normalize phone numbers on import"),
        ("tighten", "Tighten the permissions of the config file"),
        ("skip", "Skip empty rows in the importer"),
        ("display", "Display the version in the footer"),
    ] {
        check(text, &[&format!("0 {verb}/developer: {text}")]);
    }
}

/// In other forms, and in the middle of a sentence, the same words name things.
#[test]
fn what_everyday_verbs_name_is_no_part() {
    for text in [
        "Add a client with caching and logging",
        "Fix the cached pages and the sorted list",
        "Add rate limiting to the API",
        "Fix the cache and log rotation",
    ] {
        let verb = text.split(' ').next().unwrap().to_lowercase();
        check(text, &[&format!("0 {verb}/developer: {text}")]);
    }
    check(
        "Fix the parser and log every error",
        &[
            "0 fix/developer: Fix the parser",
            "1 log/developer: log every error",
        ],
    );
}

#[test]
fn what_hangs_on_a_clause_is_a_part_where_another_role_does_it() {
    check(
        "Add rate limiting to the API, with tests, a security audit and docs",
        &[
            "0 add/developer: Add rate limiting to the API",
            "1 -/qa: tests",
            "2 -/security_analyst: a security audit",
            "3 -/tech_writer: docs",
        ],
    );
    check(
        "Create an entire platform with auth, billing, admin, analytics",
        &["0 create/developer: Create an entire platform with auth, billing, admin, analytics"],
    );
    check(
        "Update the tests and docs",
        &[
            "0 update/qa: Update the tests",
            "1 update/tech_writer: docs",
        ],
    );
    check(
        "Fix the problem with CI",
        &["0 fix/devops: Fix the problem with CI"],
    );
    check(
        "We need rate limiting for the API, tests, and docs",
        &[
            "0 add/developer: We need rate limiting for the API",
            "1 add/qa: tests",
            "2 add/tech_writer: docs",
        ],
    );
}

#[test]
fn a_clause_with_a_verb_of_its_own_is_a_part() {
    check(
        "Refactor API layer, update tests, and deploy",
        &[
            "0 refactor/developer: Refactor API layer",
            "1 update/qa: update tests",
            "2 deploy/devops: deploy",
        ],
    );
    check(
        "Could you please add a flag `--json` to the CLI and document it?",
        &[
            "0 add/developer: Could you please add a flag `--json` to the CLI",
            "1 document/tech_writer: document it",
        ],
    );
    check(
        "Users complain that search is slow. Make it faster and add a benchmark.",
        &[
            "0 make/developer: Make it faster",
            "1 add/performance_engineer: add a benchmark",
        ],
    );
    // Nouns that look like verbs are none without an object.
    check(
        "Add search and list pages",
        &["0 add/developer: Add search and list pages"],
    );
}

#[test]
fn arrows_are_steps_where_they_join_work() {
    let steps = [
        "0 design/architect: design",
        "1 implement/developer after [0]: implement",
        "2 test/qa after [1]: test",
        "3 audit/security_analyst after [2]: audit",
        "4 document/tech_writer after [3]: document",
    ];
    let text = "Build new feature: design → implement → test → audit → document";
    check(text, &[&["goal Build new feature"], &steps[..]].concat());
    check("design -> implement -> test -> audit -> document", &steps);
    check(
        "query_params -> params",
        &["0 -/developer: query_params -> params"],
    );
    check(
        "upgrade bootstrap 3 -> 4",
        &["0 upgrade/developer: upgrade bootstrap 3 -> 4"],
    );
}

#[test]
fn items_of_a_list_are_parts() {
    check(
        "Please:\n1. Design the schema\n2. Implement the endpoints\n   - with validation\n3. Write tests\n\nLeave the frontend alone.",
        &[
            "0 design/architect: Design the schema",
            "1 implement/developer: Implement the endpoints with validation",
            "2 write/qa: Write tests",
            "not: Leave the frontend alone",
        ],
    );
    check(
        "Rework the parser:\n- drop the old grammar\n- docs",
        &[
            "goal Rework the parser",
            "0 drop/developer: drop the old grammar",
            "1 -/tech_writer: docs",
        ],
    );
    check(
        "Review this repository: correctness, security, tests and documentation",
        &[
            "goal Review this repository",
            "0 review/developer: correctness",
            "1 review/security_analyst: security",
            "2 review/qa: tests",
            "3 review/tech_writer: documentation",
        ],
    );
}

#[test]
fn a_box_alone_marks_an_item() {
    check(
        "Todo:\n[ ] screenshot tests\n[ ] note in the user guide",
        &[
            "0 -/qa: screenshot tests",
            "1 -/tech_writer: note in the user guide",
        ],
    );
}

#[test]
fn what_is_marked_as_done_is_not_asked_for() {
    for done in [
        "[x] note in the user guide",
        "- [X] update the user guide",
        "- ~~update the user guide~~",
        "2. ~~delete the benches~~",
    ] {
        let text = format!("Todo:\n- [ ] screenshot tests\n{done}");
        check(&text, &["0 -/qa: screenshot tests"]);
    }
    // It is what the line says, not a mark around all of it.
    check(
        "- add ~~old~~ new flags\n- update README.md",
        &[
            "0 add/developer: add ~~old~~ new flags",
            "1 update/tech_writer: update README.md",
        ],
    );
}

#[test]
fn notes_of_a_release_release_nothing() {
    check(
        "implement -> release notes",
        &[
            "0 implement/developer: implement",
            "1 release/tech_writer after [0]: release notes",
        ],
    );
}

#[test]
fn what_is_not_minded_is_excluded() {
    check(
        "Clean up the build scripts, never mind the tests",
        &[
            "0 clean/developer: Clean up the build scripts",
            "not: never mind the tests",
        ],
    );
}

#[test]
fn order_is_kept_as_said() {
    for (text, expected) in [
        (
            "First write the tests, then refactor the parser, and finally update the changelog.",
            vec![
                "0 write/qa: write the tests",
                "1 refactor/developer after [0]: refactor the parser",
                "2 update/tech_writer after [0, 1]: update the changelog",
            ],
        ),
        (
            "Write tests before refactoring the parser",
            vec![
                "0 write/qa: Write tests",
                "1 refactor/developer after [0]: refactoring the parser",
            ],
        ),
        (
            "After migrating the database, update the docs",
            vec![
                "0 migrate/developer: migrating the database",
                "1 update/tech_writer after [0]: update the docs",
            ],
        ),
        (
            "Once the tests pass, deploy. Add rate limiting and write tests for it.",
            vec![
                "0 deploy/devops after [2]: deploy",
                "1 add/developer: Add rate limiting",
                "2 write/qa: write tests for it",
            ],
        ),
        (
            "Build the frontend and the backend in parallel, then write end-to-end tests",
            vec![
                "0 build/frontend_developer beside: Build the frontend",
                "1 build/developer beside: the backend",
                "2 write/qa after [0, 1]: write end-to-end tests",
            ],
        ),
    ] {
        check(text, &expected);
    }
}

#[test]
fn what_is_excluded_is_in_no_part() {
    for (text, part, exclusion) in [
        (
            "Add pagination to the list endpoint. Do not touch the docs.",
            "0 add/developer: Add pagination to the list endpoint",
            "not: Do not touch the docs",
        ),
        (
            "Add pagination, but without tests or docs",
            "0 add/developer: Add pagination",
            "not: without tests or docs",
        ),
        (
            "Migrate from MySQL to Postgres without downtime, no docs needed",
            "0 migrate/developer: Migrate from MySQL to Postgres without downtime",
            "not: no docs needed",
        ),
        (
            "Rename the flag everywhere except in src/legacy/",
            "0 rename/developer: Rename the flag everywhere",
            "not: except in src/legacy/",
        ),
    ] {
        check(text, &[part, exclusion]);
    }
    check(
        "Add rate limiting, without tests, to all endpoints in src/api/",
        &[
            "0 add/developer: Add rate limiting to all endpoints in src/api/",
            "not: without tests",
        ],
    );
    let request = read("Add pagination, but without tests or docs");
    assert!(request.excludes_role("qa").is_some());
    assert!(request.excludes_role("tech_writer").is_some());
    assert!(request.excludes_role("developer").is_none());
}

#[test]
fn a_denial_that_tells_of_a_fault_excludes_nothing() {
    for text in [
        "Fix the crash when users do not write a config",
        "Fix: the flag is not in the docs",
        "Don't union inner literals of repetitions.",
    ] {
        assert!(
            read(text).exclusions.is_empty(),
            "{text}: {:?}",
            shown(text)
        );
        assert_eq!(read(text).parts.len(), 1, "{text}");
    }
}

#[test]
fn a_commits_prefix_is_apart() {
    check(
        "fix(fetch): capitalize HTTP method names",
        &[
            "prefix fix(fetch)",
            "0 fix/developer: capitalize HTTP method names",
        ],
    );
    check(
        "ignore/types: add postscript",
        &["prefix ignore/types", "0 add/developer: add postscript"],
    );
}

#[test]
fn numbers_say_what_they_count() {
    let units = |text: &str| -> Vec<(Amount, Unit)> {
        let quantities = read(text).quantities;
        quantities
            .iter()
            .map(|quantity| (quantity.amount, quantity.unit))
            .collect()
    };
    for (text, expected) in [
        ("rename it in 12 files", (Amount::Exact(12), Unit::Files)),
        ("line 42 of index.js", (Amount::Exact(42), Unit::Place)),
        ("it takes two hours", (Amount::Exact(120), Unit::Minutes)),
        ("at most 20k tokens", (Amount::Exact(20_000), Unit::Tokens)),
        ("about 90min of work", (Amount::Exact(90), Unit::Minutes)),
        ("all modules", (Amount::All, Unit::Files)),
        ("several callers", (Amount::Many, Unit::Files)),
    ] {
        assert_eq!(units(text), [expected], "{text}");
    }
}

#[test]
fn systems_are_what_is_changed_or_where_something_lies() {
    for (text, word, change) in [
        (
            "Build a user authentication system",
            "system",
            Some(Change::Add),
        ),
        ("Fix the button in the login system", "system", None),
        ("Refactor API layer", "layer", Some(Change::Restructure)),
        ("Build me a SaaS company", "company", Some(Change::Add)),
    ] {
        let systems = read(text).systems;
        let system = systems.last().unwrap_or_else(|| panic!("{text}: none"));
        assert_eq!(
            (system.word.as_str(), system.change),
            (word, change),
            "{text}"
        );
    }
    assert!(read("Fix the application form").systems.is_empty());
}

#[test]
fn files_are_named_by_path_or_pattern() {
    let request =
        read("Fix bug in dashboard/server/index.js line 42 and in `src/**/*.rs`, not in docs/a.md");
    let files: Vec<&str> = request
        .files
        .iter()
        .map(|file| file.text.as_str())
        .collect();
    assert_eq!(files, ["dashboard/server/index.js", "src/**/*.rs"]);
    assert_eq!(request.exclusions[0].files[0].text, "docs/a.md");
}

#[test]
fn places_are_in_the_text() {
    let corpus = [
        "Add rate limiting to the API, with tests, a security audit and docs",
        "Build new feature: design → implement → test → audit → document",
        "1. Design the schema\n2. Implement it, then test\n\n- a\n  - b\n* c: d",
        "Once the tests pass, deploy. Do not touch `docs/a.md`, but “this” (and that).",
        "fix(a): b before c, after d; first e, finally f in parallel ```\n# x",
    ];
    for seed in 0..3_000 {
        let text = Dice(seed).mutated(&corpus);
        let request = read(&text);
        let fits = |span: Span| request.text.get(span.start..span.end).is_some();
        let spans = request.parts.iter().map(|part| part.span);
        let spans = spans.chain(request.exclusions.iter().map(|exclusion| exclusion.span));
        assert!(
            spans.chain(request.sentences.clone()).all(fits),
            "seed {seed}: {text}"
        );
        let has_words = request.text.chars().any(char::is_alphanumeric);
        assert!(
            !has_words || !request.parts.is_empty() || text.contains("```"),
            "seed {seed}: {text:?}"
        );
        for (at, part) in request.parts.iter().enumerate() {
            assert!(!part.after.contains(&at), "seed {seed}: {text}");
            assert!(
                part.after.iter().all(|other| *other < request.parts.len()),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn hostile_requests_are_bounded() {
    let texts = [
        "leave ".repeat(1 << 14),
        "do not touch a, ".repeat(1 << 12),
        "add a and then ".repeat(1 << 12),
        "- x\n".repeat(1 << 14),
        "first a, finally b. ".repeat(1 << 12),
        "(".repeat(1 << 20),
        "a -> ".repeat(1 << 14),
        "ü".repeat(1 << 17),
    ];
    for text in texts {
        let request = read(&text);
        assert!(request.parts.len() <= PARTS_MAX);
        assert!(request.text.len() <= REQUEST_BYTES_MAX);
        assert!(
            !request.is_cut || text.len() > REQUEST_BYTES_MAX || request.parts.len() == PARTS_MAX
        );
    }
    assert_eq!(read("").parts.len(), 0);
    assert_eq!(read("```\nadd a\n```").parts.len(), 0);
}

#[test]
fn a_part_is_whose_its_words_say() {
    for (text, role) in [
        ("Split the e2e job in two", "devops"),
        ("Add Python 3.13 to the test matrix", "devops"),
        ("Rewrite the Getting Started page", "tech_writer"),
        ("Write a reference page for the config file", "tech_writer"),
        ("Add a page on pagination", "tech_writer"),
        ("Add a short page on how to deploy it", "tech_writer"),
        ("Add a page on the left", "developer"),
        ("Fix the page on Safari", "developer"),
        ("I want a preview deployed for every branch", "devops"),
        ("We need the endpoint documented", "tech_writer"),
        ("I want a list of deployed versions", "developer"),
    ] {
        assert_eq!(read(text).parts[0].role, role, "{text}");
    }
}

#[test]
fn a_label_says_whose_an_item_is_that_says_nothing_of_it() {
    check(
        "- glossary: merge both entries\n- CI: cache the store\n- backend: add a flag\n\
         - docs: add unit tests for the examples",
        &[
            "0 merge/tech_writer: glossary: merge both entries",
            "1 cache/devops: CI: cache the store",
            "2 add/developer: backend: add a flag",
            "3 add/qa: docs: add unit tests for the examples",
        ],
    );
}

#[test]
fn a_piece_of_a_document_is_the_documents() {
    check(
        "Add retries, unit tests, and a line in the changelog",
        &[
            "0 add/developer: Add retries",
            "1 add/qa: unit tests",
            "2 add/tech_writer: a line in the changelog",
        ],
    );
}

#[test]
fn who_judges_reports_and_nobody_designs_an_audit() {
    check(
        "Audit the policies and report what is public",
        &["0 audit/security_analyst: Audit the policies and report what is public"],
    );
    check(
        "Sketch the design, and a security audit b4 we merge",
        &[
            "0 sketch/architect: Sketch the design",
            "1 -/security_analyst: a security audit",
        ],
    );
}

#[test]
fn numbers_of_items_say_their_order() {
    let items = "1. document it\n2. implement it\n3. compare the libraries\n\n";
    let after = |order: &str| -> Vec<Vec<usize>> {
        let request = read(&format!("{items}{order}"));
        let parts = request.parts.into_iter();
        parts.map(|part| part.after).collect()
    };
    let said = after("Do 3 first, then 2, and 1 only when 2 is done.");
    assert_eq!(said, [vec![1, 2], vec![2], vec![]]);
    assert_eq!(after("1 last."), [vec![1, 2], vec![], vec![]]);
    for not_understood in ["Do 3 first, 2.", "Do 7 first."] {
        let request = read(&format!("{items}{not_understood}"));
        assert!(request.loose.iter().any(|it| it.may_be_work), "{request:?}");
    }
}

/// Where nobody can say whose work something is, or whether it is more work, who divides must know.
#[test]
fn what_may_be_anybodys_work_is_doubtful() {
    let doubtful = |text: &str| {
        let request = read(text);
        request.loose.iter().any(|it| it.may_be_work)
    };
    for text in [
        "- move the runners to 24.04\n- split the e2e job in two",
        "The bucket policies are old. Audit them, then block public access",
        "Fix the loader. A page on the cache would help.",
        "Sketch the design, code after that, and test it",
        "Write a page. The old one is fine, just link to it.",
    ] {
        assert!(doubtful(text), "{text}");
    }
    for text in [
        "Add a job queue. Write unit tests for it.",
        "Fix the loader. The cache is fine.",
        "Audit the policies, then block public access",
    ] {
        assert!(!doubtful(text), "{text}");
    }
}
