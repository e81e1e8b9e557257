//! Forty requests with files that must stay, lists in one line, tests that come first, choices and
//! words that look like negations. They were written down before the rules that read them were, so
//! they show what was mended and prove nothing of others. The design note has the figures.

use divisi_core::Criterion;

use super::*;

/// A request and what is to be read of it. Each must be planned.
struct Wanted {
    request: &'static str,
    parts: usize,
    /// What must not change, on the whole.
    spares: &'static [&'static str],
    /// Beyond what nothing may change, on the whole.
    bounds: &'static [&'static str],
    /// How much is excluded, files or not, if that is told.
    forbids: Option<usize>,
    /// Words of two parts of which the first comes before the second.
    order: Option<(&'static str, &'static str)>,
}

const fn wanted(request: &'static str, parts: usize) -> Wanted {
    Wanted {
        request,
        parts,
        spares: &[],
        bounds: &[],
        forbids: None,
        order: None,
    }
}

impl Wanted {
    const fn spares(self, spares: &'static [&'static str]) -> Wanted {
        Wanted { spares, ..self }
    }

    const fn bounds(self, bounds: &'static [&'static str]) -> Wanted {
        Wanted { bounds, ..self }
    }

    const fn forbids(self, count: usize) -> Wanted {
        Wanted {
            forbids: Some(count),
            ..self
        }
    }

    const fn order(self, before: &'static str, then: &'static str) -> Wanted {
        Wanted {
            order: Some((before, then)),
            ..self
        }
    }
}

const WANTED: &[Wanted] = &[
    // Files that must stay.
    wanted(
        "Add a health endpoint to src/api/mod.rs, don't touch README.md",
        1,
    )
    .spares(&["README.md"]),
    wanted("Fix the off-by-one in the pager and leave src/api alone", 1).spares(&["src/api/**"]),
    wanted("Speed up the importer, no changes outside web/", 1).bounds(&["web/**"]),
    wanted(
        "Fix the crash on empty input, touch nothing except src/main.rs",
        1,
    )
    .bounds(&["src/main.rs"]),
    wanted("Add a --json flag. Only change src/main.rs.", 1).bounds(&["src/main.rs"]),
    wanted(
        "Add logging everywhere but leave Cargo.toml and README.md untouched",
        1,
    )
    .spares(&["Cargo.toml", "README.md"]),
    wanted("Rework the login, and do not modify anything in web/", 1).spares(&["web/**"]),
    wanted(
        "Write the tests for the scanner without changing src/main.rs",
        1,
    )
    .spares(&["src/main.rs"]),
    wanted(
        "Update all files except src/old.rs to the new error type",
        1,
    )
    .spares(&["src/old.rs"]),
    wanted(
        "Do not delete src/old.rs; move its scanner to src/main.rs",
        1,
    )
    .forbids(1),
    wanted(
        "src/api/ must stay as it is. Cache the lookups in src/main.rs.",
        1,
    )
    .spares(&["src/api/**"]),
    wanted("Change only web/index.ts: sort the imports", 1).bounds(&["web/index.ts"]),
    wanted(
        "Keep your hands off Cargo.toml while you replace the date library",
        1,
    )
    .spares(&["Cargo.toml"]),
    // Reading is no change.
    wanted(
        "Write down in NOTES.md what src/main.rs does, but leave src/main.rs alone",
        1,
    )
    .spares(&["src/main.rs"]),
    wanted(
        "Summarize src/api/mod.rs in docs/api.md and don't touch src/api/mod.rs",
        1,
    )
    .spares(&["src/api/mod.rs"]),
    wanted(
        "Add tests for src/main.rs, but do not change src/main.rs",
        1,
    )
    .spares(&["src/main.rs"]),
    wanted("Change everything but the tests to the new naming", 1).forbids(1),
    wanted("Review src/api/mod.rs, but leave src/api/mod.rs alone", 1).spares(&["src/api/mod.rs"]),
    wanted(
        "Copy the parser from src/old.rs to src/main.rs, and leave src/old.rs as it is",
        1,
    )
    .spares(&["src/old.rs"]),
    // Lists in one line.
    wanted(
        "1. add a --version flag 2. add tests for it 3. document it in README.md",
        3,
    )
    .order("flag", "document"),
    wanted(
        "1) rename the crate 2) publish release notes 3) write a migration guide",
        3,
    )
    .order("rename", "guide"),
    wanted(
        "(a) add paging to the list (b) write a user guide for it",
        2,
    ),
    wanted(
        "Please do the following: a) fix the login form in web/index.ts b) audit src/api/mod.rs for injection",
        2,
    ),
    wanted(
        "I need (1) a benchmark of the parser, (2) a faster parser, and (3) release notes",
        3,
    )
    .order("benchmark", "release notes"),
    wanted("Update the parser to version 2. Then add tests.", 2).order("parser", "tests"),
    // Tests that come first.
    wanted(
        "First write a failing test, then fix the bug in src/main.rs",
        1,
    ),
    wanted("Write a test that reproduces the crash and then fix it", 1),
    wanted(
        "Add a failing regression test for the pager, fix the pager, and update README.md",
        2,
    ),
    // What looks like a negation, choices, conditions.
    wanted("Add a search box and do not forget to add tests", 2).forbids(0),
    wanted("Rework the cache, make sure not to break the API", 1).forbids(1),
    wanted(
        "Be careful not to change README.md when you bump the version",
        1,
    )
    .spares(&["README.md"]),
    wanted("Don't just add tests, also update the docs", 2).forbids(0),
    wanted("Either add tests or docs for the parser", 1).forbids(0),
    wanted("Add bye only after hello works", 1).forbids(0),
    wanted("Add hello, and add bye only after hello works", 2)
        .forbids(0)
        .order("hello", "bye"),
    wanted("Never forget to run the linter, and fix what it finds", 2).forbids(0),
    // What is one task, and what is gone.
    wanted(
        "Rename foo to bar everywhere, in the code, the tests and the docs",
        1,
    ),
    wanted("Rename load to fetch in src/ and tests/", 1),
    wanted("Delete web/", 1),
    wanted("Fix the typo in README.md and commit", 1).forbids(0),
];

/// All that is asked for.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    WANTED.iter().map(|it| it.request)
}

#[test]
fn forty_requests_are_read_and_planned_as_they_are_meant() {
    assert_eq!(WANTED.len(), 40);
    let wrong = WANTED.iter().filter_map(|wanted| {
        let why = wrong(wanted)?;
        Some(format!("{}: {why}", wanted.request))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(
        wrong.is_empty(),
        "{} of 40 are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What is wrong about the reading or the plan, if something is.
fn wrong(wanted: &Wanted) -> Option<String> {
    let request = request::read(wanted.request);
    let planned = match answer(wanted.request) {
        Answer::Planned(planned) => planned,
        Answer::Declined(declined) => {
            let reasons: Vec<String> = declined.reasons.iter().map(ToString::to_string).collect();
            return Some(format!("declined: {}", reasons.join("; ")));
        }
    };
    let parts: Vec<&str> = request.parts.iter().map(|it| it.text.as_str()).collect();
    if parts.len() != wanted.parts {
        return Some(format!("parts {parts:?}"));
    }
    let forbids = request.exclusions.len() + request.bounds.len();
    if wanted.forbids.is_some_and(|count| count != forbids) {
        return Some(format!("{forbids} exclusions: {:?}", request.exclusions));
    }
    if let Some((before, then)) = wanted.order {
        let of = |word: &str| parts.iter().position(|part| part.contains(word));
        let (Some(before), Some(then)) = (of(before), of(then)) else {
            return Some(format!("parts {parts:?}"));
        };
        if !comes_after(&planned, before, then) {
            return Some("the order is lost".to_owned());
        }
    }
    let patterns = planned.plan.criteria.iter().filter_map(|it| match it {
        Criterion::Scope { patterns } => Some(patterns),
        _ => None,
    });
    let (mut spares, mut bounds) = (Vec::new(), Vec::new());
    for pattern in patterns.flatten() {
        match pattern.strip_prefix('!') {
            Some(spared) => spares.push(spared),
            None => bounds.push(pattern.as_str()),
        }
    }
    (spares != wanted.spares || bounds != wanted.bounds)
        .then(|| format!("spares {spares:?}, bounds {bounds:?}"))
}

/// Whether the tasks of one part come before those of another, or are one task.
fn comes_after(planned: &Planned, before: usize, then: usize) -> bool {
    let tasks = &planned.plan.tasks;
    let (before, then) = (&planned.covers[before], &planned.covers[then]);
    let mut open = then.clone();
    let mut met = vec![false; tasks.len()];
    while let Some(at) = open.pop() {
        if before.contains(&at) {
            return true;
        }
        if std::mem::replace(&mut met[at], true) {
            continue;
        }
        let line = outline(&tasks[at]);
        let waits = line.split_once(" < ").map_or("", |(_, waits)| waits);
        open.extend(waits.split(' ').filter_map(|id| {
            let mut ids = tasks.iter();
            ids.position(|task| task.id.as_str() == id)
        }));
    }
    false
}
