//! What the wording of a request says about how much it will touch: signals, and their weights.
//!
//! A signal is a number that can be read off any request, between 0 and about 2. The weights were
//! fitted, by logistic regression, on the titles and bodies of 240 commits of four public
//! repositories, half of which changed four files or more; `docs/design/assessment.md` has the
//! repositories, the figures on repositories that were not fitted on, and how to repeat it. They are
//! hundredths of log-odds, so that a sum is exact, and a reader sees what weighs how much.
//!
//! Words predict weakly. So no rule of the assessment rests on them alone unless they are very sure.

use serde::Serialize;

/// How many signals there are.
pub const SIGNALS: usize = 15;

/// A signal with its weights.
pub struct Signal {
    /// Its name.
    pub name: &'static str,
    /// What it looks for.
    pub says: &'static str,
    /// What it adds to the log-odds of four files or more, in hundredths.
    pub files: i32,
    /// What it adds to the log-odds of several domains, in hundredths.
    pub domains: i32,
}

/// Where the log-odds begin, in hundredths: of four files or more, and of several domains.
pub const BASE: (i32, i32) = (-17, -54);

/// The table. It is data: `cargo run -p divisi-pack --example fit` writes it anew.
pub const TABLE: [Signal; SIGNALS] = [
    signal(
        "small-matter",
        "a typo, a link, a comment, a version, an example",
        -74,
        -80,
    ),
    signal("documents", "documents in the first line", -63, -63),
    signal("fix", "`fix` in the first line", -57, 10),
    signal(
        "bump",
        "`bump`, `pin`, `update`, `upgrade` in the first line",
        -63,
        -51,
    ),
    signal(
        "new-ability",
        "`support`, `feature`, `allow`, `option`, or an option such as `--json`",
        84,
        85,
    ),
    signal("add", "`add` in the first line", 31, 35),
    signal(
        "reshape",
        "`refactor`, `rename`, `move`, `rewrite`, `convert` in the first line",
        41,
        24,
    ),
    signal(
        "code-named",
        "something of the code by its name in the first line",
        -37,
        -19,
    ),
    signal("builds", "builds and deployment in the first line", -19, -9),
    signal(
        "items",
        "items of a list behind the first line; a third each, two at most",
        16,
        51,
    ),
    signal(
        "length",
        "words behind the first line; a fortieth each, two at most",
        12,
        60,
    ),
    signal("issue", "an issue that it closes", 2, 45),
    signal("tests", "tests, anywhere", 46, 20),
    signal(
        "title-length",
        "words of the first line; a seventh each, two at most",
        20,
        26,
    ),
    signal("several", "`and`, `&` or a comma in the first line", 71, 0),
];

const fn signal(name: &'static str, says: &'static str, files: i32, domains: i32) -> Signal {
    Signal {
        name,
        says,
        files,
        domains,
    }
}

/// How probable it is that the change is large, by its words alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Of four files or more, from 0 to 1.
    pub files: f64,
    /// Of several domains among code, tests and documents, from 0 to 1.
    pub domains: f64,
}

/// The score of a request's signals.
#[must_use]
pub fn score(signals: &[f64; SIGNALS]) -> Score {
    let (mut files, mut domains) = (f64::from(BASE.0), f64::from(BASE.1));
    for (value, signal) in signals.iter().zip(&TABLE) {
        files += value * f64::from(signal.files);
        domains += value * f64::from(signal.domains);
    }
    Score {
        files: probability(files),
        domains: probability(domains),
    }
}

/// From hundredths of log-odds, in thousandths: more digits would only look exact.
fn probability(log_odds: f64) -> f64 {
    let exact = 1.0 / (1.0 + (-log_odds / 100.0).exp());
    (exact * 1_000.0).round() / 1_000.0
}

const SMALL: &[&str] = &[
    "alignment",
    "badge",
    "badges",
    "blurb",
    "changelog",
    "comment",
    "comments",
    "example",
    "examples",
    "formatting",
    "link",
    "links",
    "lint",
    "logo",
    "missing",
    "note",
    "readme",
    "spacing",
    "spelling",
    "sponsor",
    "sponsors",
    "style",
    "typo",
    "typos",
    "unused",
    "url",
    "version",
    "whitespace",
    "wording",
];

const DOCUMENTS: &[&str] = &["changelog", "doc", "docs", "documentation", "readme"];

const BUMP: &[&str] = &["pin", "update", "updates", "updating", "upgrade"];

const NEW_ABILITY: &[&str] = &[
    "allow",
    "allows",
    "enhancement",
    "feature",
    "flag",
    "option",
    "options",
    "support",
    "supporting",
    "supports",
];

const RESHAPE: &[&str] = &[
    "clean-up",
    "cleanup",
    "convert",
    "migrate",
    "move",
    "moved",
    "moving",
    "refactor",
    "refactored",
    "refactoring",
    "rename",
    "renamed",
    "reorganize",
    "restructure",
    "rewrite",
    "rework",
    "switch",
];

const BUILDS: &[&str] = &[
    "build",
    "builds",
    "ci",
    "dependabot",
    "docker",
    "github",
    "pipeline",
    "travis",
    "workflow",
    "workflows",
];

/// So many bytes behind the first line are looked at; the rest says nothing more.
const BODY_BYTES_MAX: usize = 8 << 10;

/// The signals of a request, in the order of [`TABLE`].
#[must_use]
pub fn signals(text: &str) -> [f64; SIGNALS] {
    let text = text.trim();
    let (title, body) = text.split_once('\n').unwrap_or((text, ""));
    let title = &title[..title.floor_char_boundary(BODY_BYTES_MAX)];
    let body = &body[..body.floor_char_boundary(BODY_BYTES_MAX)];
    let words = words(title);
    let body_words = self::words(body);
    let has = |list: &[&str]| is(words.iter().any(|word| list.contains(&word.as_str())));
    let begins = |stem: &str| is(words.iter().any(|word| word.starts_with(stem)));
    let named = |word: &str| word.contains("--") && word.len() > 3;
    let flag = title
        .split_whitespace()
        .any(|word| named(word.trim_start_matches('`')));
    let is_item =
        |line: &&str| line.trim_start().starts_with(['-', '*']) && line.trim().contains(' ');
    let items = body.lines().filter(is_item).count();
    let tests = |word: &String| matches!(word.as_str(), "test" | "tests");
    let least = |count: usize, each: f64| (count as f64 / each).min(2.0);
    [
        has(SMALL),
        has(DOCUMENTS),
        begins("fix"),
        begins("bump").max(has(BUMP)),
        has(NEW_ABILITY).max(is(flag)),
        begins("add"),
        has(RESHAPE),
        is(code_name(title).is_some()),
        has(BUILDS),
        least(items, 3.0),
        least(body_words.len(), 40.0),
        is(closes_issue(text)),
        is(words.iter().chain(&body_words).any(tests)),
        least(words.len(), 7.0),
        is(words.iter().any(|word| word == "and") || title.contains([',', '&'])),
    ]
}

fn is(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

/// Runs of letters in lower case, with hyphens and apostrophes within.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '\''));
    let words = parts.map(|word| word.trim_matches(['-', '\'']).to_lowercase());
    words
        .filter(|word| word.starts_with(char::is_alphabetic))
        .collect()
}

/// The first word that names something of the code: in backquotes, with an underscore, with
/// parentheses, in camel case, or a file.
pub(super) fn code_name(text: &str) -> Option<&str> {
    let is_name = |written: &&str| {
        let word = written.trim_matches(|c: char| !c.is_alphanumeric());
        let mut camel = word.chars().zip(word.chars().skip(1));
        written.contains(['`', '_'])
            || written.contains("()")
            || camel.any(|(a, b)| a.is_lowercase() && b.is_uppercase())
            || crate::words::is_path(word)
    };
    text.split_whitespace().find(is_name)
}

/// Whether the text says `closes #12` or the like.
fn closes_issue(text: &str) -> bool {
    let lower = text
        .get(..text.floor_char_boundary(BODY_BYTES_MAX))
        .unwrap_or_default()
        .to_lowercase();
    let mut words = lower.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let closing = ["clos", "fix", "resolv"]
            .iter()
            .any(|stem| word.starts_with(stem));
        let is_number = |next: &&str| {
            next.strip_prefix('#')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        if closing && words.peek().is_some_and(is_number) {
            return true;
        }
    }
    false
}
