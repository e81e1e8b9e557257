//! Thirty requests of many shapes, written down before the reading of requests was reworked and
//! run once after it; the two that were wrong then led to mended rules. Each may be declined, or
//! planned with nothing lost and nothing forbidden. The design note has the figures.

use std::collections::BTreeSet;

use super::*;

/// A request, the roles whose work it asks for, and what no task may be, name or change.
struct Apart {
    request: &'static str,
    roles: &'static [&'static str],
    without: &'static [&'static str],
}

const fn apart(
    request: &'static str,
    roles: &'static [&'static str],
    without: &'static [&'static str],
) -> Apart {
    Apart {
        request,
        roles,
        without,
    }
}

const DEVELOPS: &[&str] = &["developer"];

const APART: &[Apart] = &[
    apart(
        "Get the avatar upload working again on Safari and write a test that would have caught it",
        &["developer", "qa", "frontend_developer"],
        &[],
    ),
    apart(
        "hey, could u add a --quiet flag, mention it in the readme, thats all",
        &["developer", "tech_writer"],
        &["qa"],
    ),
    apart(
        "Take the retry logic out of src/main.rs and put it into src/retry.rs",
        DEVELOPS,
        &[],
    ),
    apart("Remove every unwrap from src/api/mod.rs", DEVELOPS, &[]),
    apart(
        "Delete src/old.rs and all references to it in src/main.rs",
        DEVELOPS,
        &[],
    ),
    apart(
        "Implement the protocol that stories/login.md specifies",
        DEVELOPS,
        &["stories/login.md"],
    ),
    apart(
        "Follow the style of src/api/mod.rs when adding the orders handler; unit tests belong to it",
        &["developer", "qa"],
        &["tech_writer"],
    ),
    apart(
        "Add caching to the client. Documentation isn't necessary at this point.",
        DEVELOPS,
        &["tech_writer", "docs"],
    ),
    apart(
        "Fix the race in the scheduler; there is no need for tests",
        DEVELOPS,
        &["qa"],
    ),
    apart(
        "Make the CLI faster, but keep your hands off web/",
        &["developer", "performance_engineer"],
        &["web"],
    ),
    apart(
        "Nothing outside src/api/ may change: give every handler a timeout",
        DEVELOPS,
        &["web", "readme.md"],
    ),
    apart(
        "Upgrade serde everywhere apart from web/index.ts and tell me what broke",
        &["developer", "architect", "tech_writer"],
        &["web/index.ts"],
    ),
    apart(
        "Never edit generated files. Rename the crate to `porter` and adapt the README.",
        &["developer", "tech_writer"],
        &["generated"],
    ),
    apart(
        "Before shipping, make sure the migration is covered by tests and documented",
        &["developer", "qa", "tech_writer"],
        &["devops"],
    ),
    apart(
        "Once we have deployed 2.0, drop support for the old config format",
        DEVELOPS,
        &["devops"],
    ),
    apart(
        "Profile the importer, then act on the three worst findings",
        &["developer", "performance_engineer"],
        &[],
    ),
    apart(
        "Audit src/main.rs for injection bugs; mend whatever turns up",
        &["developer", "security_analyst"],
        &[],
    ),
    apart(
        "We should write the tests first and only afterwards the validator",
        &["developer", "qa"],
        &["tech_writer"],
    ),
    apart(
        "1. sketch the API 2. implement it 3. have it reviewed for security",
        &["architect", "developer", "security_analyst"],
        &[],
    ),
    apart(
        "a) bump the MSRV, b) fix the new lints, c) note it in CHANGELOG.md",
        &["developer", "tech_writer"],
        &["qa"],
    ),
    apart(
        "bug: totals are off by one cent when the discount is 100 %. Expected: 0.00. Got: 0.01.",
        DEVELOPS,
        &["tech_writer"],
    ),
    apart(
        "As a customer I want to cancel an order so that I am not charged. Acceptance: a canceled order is refunded, and an email is sent.",
        &["developer", "product_analyst"],
        &["qa", "devops"],
    ),
    apart(
        "Bring the docs up to date with the new flags",
        &["tech_writer"],
        &["qa", "docs/bring"],
    ),
    apart(
        "Translate docs/setup.md into Spanish",
        &["tech_writer", "developer"],
        &["qa"],
    ),
    apart(
        "Port web/index.ts to Rust",
        &["developer", "frontend_developer"],
        &["qa"],
    ),
    apart(
        "- dark mode\n- tests\n- no docs\n- leave web/index.ts as it is",
        &["developer", "frontend_developer", "qa"],
        &["tech_writer", "web/index.ts"],
    ),
    apart(
        "Rework the login form: the labels overlap on phones, the button is hard to hit, and errors vanish too soon. It must keep working without JavaScript. Screenshots are in the ticket.",
        &["developer", "frontend_developer"],
        &["qa"],
    ),
    apart(
        "Either cache the lookups or batch them, whichever is simpler, and add a benchmark",
        &["developer", "performance_engineer"],
        &["tech_writer"],
    ),
    apart(
        "Refactor the parser - actually no, leave it, just add comments",
        &["developer", "tech_writer"],
        &["qa"],
    ),
    apart(
        "Check whether the cache is ever invalidated and, if it is not, fix that and add a regression test",
        &["developer", "qa", "architect"],
        &["tech_writer"],
    ),
];

/// All that is asked for.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    APART.iter().map(|it| it.request)
}

#[test]
fn thirty_requests_have_plans_without_faults_or_reasons() {
    assert_eq!(APART.len(), 30);
    let mut counts = [0; 3];
    let mut found = Vec::new();
    for apart in APART {
        match answer(apart.request) {
            Answer::Planned(planned) => {
                found.extend(wrong(apart, &planned).map(|why| (apart.request, why)));
                counts[usize::from(planned.plan.tasks.len() > 1)] += 1;
            }
            Answer::Declined(declined) => {
                assert_ne!(declined.reasons, [], "{}", apart.request);
                counts[2] += 1;
            }
        }
    }
    // As one task, as several, and declined: see `docs/design/planner.md`.
    assert_eq!((found, counts), (Vec::new(), [24, 6, 0]));
}

/// Words that say nothing of what is asked for.
const EMPTY: &[&str] = &[
    "actually", "and", "but", "can", "could", "for", "hey", "into", "just", "not", "out", "please",
    "should", "that", "thats", "the", "then", "this", "what", "when", "whatever", "whether",
    "with", "would",
];

/// The words of a text that are at least three letters long, in lower case.
fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| word.chars().count() > 2);
    words.map(str::to_lowercase).collect()
}

/// What the tasks of a plan are told, without the whole request where several quote it.
fn told(request: &Request, plan: &Plan) -> BTreeSet<String> {
    let quoted = request.quoted();
    let tasks = plan.tasks.iter().map(|task| {
        let own = match plan.tasks.len() {
            1 => task.description.clone(),
            _ => task.description.replace(&quoted, ""),
        };
        format!("{}\n{own}", task.title)
    });
    let checked = plan.criteria.iter().map(ToString::to_string);
    tasks.chain(checked).flat_map(|text| words(&text)).collect()
}

/// What is wrong with a plan, in one line.
fn wrong(apart: &Apart, planned: &Planned) -> Option<String> {
    let roles = Library::built_in();
    let request = request::read(apart.request);
    let told = told(&request, &planned.plan);
    let asked = words(apart.request);
    let mut lost = asked
        .difference(&told)
        .filter(|word| !EMPTY.contains(&word.as_str()));
    if let Some(word) = lost.next() {
        return Some(format!("{word} is in no task"));
    }
    let mut tasks = planned.plan.tasks.iter();
    tasks.find_map(|task| {
        let role = roles.of_task(task.domain.as_deref(), task.function.as_deref());
        let role = role.map(|role| role.id.as_str()).unwrap_or_default();
        let is_whole = planned.pattern == Pattern::One && role == "development";
        if !is_whole && !apart.roles.contains(&role) || apart.without.contains(&role) {
            return Some(format!("{role} is not asked for"));
        }
        let promised = task.deliverables.iter().map(|it| it.path.as_str());
        let mut may = promised.chain(task.scope.iter().map(String::as_str));
        let forbidden = may.find(|path| {
            let path = path.to_lowercase();
            apart
                .without
                .iter()
                .any(|without| path.starts_with(without))
        });
        forbidden.map(|path| format!("{path} may change"))
    })
}
