//! Words that name a role's work: `tests`, `audit`, `docs`, `deploy`.

use serde::Serialize;

use super::Span;
use super::token::{Kind, Token};
use super::verbs::{Change, Verb};

/// The domains by which the assessment counts: who would be asked, not where files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Code, its design and its tests.
    Development,
    /// Audits, scans, threats.
    Security,
    /// Documents.
    Documentation,
    /// Builds, deployment, operations.
    Cicd,
    /// What there is, and whose.
    Inventory,
    /// What is wanted.
    Product,
}

impl Domain {
    /// Every domain.
    pub const ALL: [Domain; 6] = [
        Domain::Development,
        Domain::Security,
        Domain::Documentation,
        Domain::Cicd,
        Domain::Inventory,
        Domain::Product,
    ];

    /// Its word, which is also the domain (`assigned_to`) of its general role.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Domain::Development => "development",
            Domain::Security => "security",
            Domain::Documentation => "documentation",
            Domain::Cicd => "cicd",
            Domain::Inventory => "inventory",
            Domain::Product => "product",
        }
    }
}

/// Words that name the work of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// Where they stand.
    pub span: Span,
    /// The words in lower case.
    pub word: String,
    /// The canonical id of the role in the built-in library.
    pub role: &'static str,
    /// The domain of its work.
    pub domain: Domain,
    /// How they stand to the verb.
    pub standing: Standing,
}

/// How words stand to the verb of their part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is about them: `write tests`.
    Object,
    /// It is about something that lies there: `a section in the docs`.
    Place,
    /// They only come up: `so that tests pass`, or between parentheses.
    Aside,
}

/// Who does what nobody else is named for.
pub(super) const DEVELOPER: &str = "developer";

/// Phrases by role. A word matches its plural too; where several phrases match, the longest counts.
const PHRASES: &[(&str, &[&str])] = &[
    (
        "architect",
        &[
            "adr",
            "architectural design",
            "architecture",
            "design",
            "design document",
            "rfc",
            "system design",
            "technical design",
        ],
    ),
    (
        "data_architect",
        &[
            "data model",
            "data schema",
            "database schema",
            "schema migration",
        ],
    ),
    (
        "data_scientist",
        &[
            "feature engineering",
            "machine learning",
            "ml model",
            "training data",
        ],
    ),
    ("debugger", &["memory leak", "root cause"]),
    (
        DEVELOPER,
        &[
            "algorithm",
            "back-end",
            "backend",
            "code",
            "correctness",
            "edge case",
            "endpoint",
            "implementation",
            "logic",
            "prototype",
        ],
    ),
    (
        "devops",
        &[
            "bucket policies",
            "bucket policy",
            "build job",
            "build matrix",
            "build pipeline",
            "cd",
            "ci",
            "ci cache",
            "ci job",
            "ci matrix",
            "ci runner",
            "deployment manifest",
            "e2e job",
            "github runner",
            "iam policy",
            "kubernetes manifest",
            "lint job",
            "test job",
            "test matrix",
            "ci pipeline",
            "ci/cd",
            "continuous integration",
            "deploy",
            "deployment",
            "deployment pipeline",
            "docker image",
            "dockerfile",
            "github action",
            "github workflow",
            "helm chart",
            "kubernetes",
            "release pipeline",
            "rollout",
            "terraform",
            "travis",
        ],
    ),
    (
        "frontend_developer",
        &[
            "css",
            "front-end",
            "frontend",
            "login page",
            "signup page",
            "ui",
            "ui component",
            "ux",
            "web page",
        ],
    ),
    (
        "inventory",
        &[
            "inventory",
            "inventories",
            "portfolio",
            "repositories",
            "repository list",
        ],
    ),
    (
        "performance_engineer",
        &[
            "benchmark",
            "bottleneck",
            "latency",
            "load test",
            "performance",
            "profiling",
        ],
    ),
    (
        "product_analyst",
        &[
            "acceptance criteria",
            "business rule",
            "product requirement",
            "requirement",
            "user story",
            "user stories",
        ],
    ),
    (
        "qa",
        &[
            "coverage",
            "e2e",
            "end-to-end test",
            "integration test",
            "qa",
            "regression test",
            "test",
            "test case",
            "test coverage",
            "test plan",
            "test suite",
            "testing",
            "unit test",
        ],
    ),
    (
        "security_analyst",
        &[
            "audit",
            "cve",
            "penetration test",
            "pentest",
            "security",
            "security audit",
            "security review",
            "security scan",
            "threat model",
            "vulnerabilities",
            "vulnerability",
        ],
    ),
    (
        "sre",
        &[
            "alerting",
            "grafana dashboard",
            "incident",
            "monitoring",
            "observability",
            "on-call",
            "runbook",
            "slo",
            "triage",
        ],
    ),
    (
        "tech_writer",
        &[
            "api doc",
            "api reference",
            "blog post",
            "changelog",
            "doc",
            "docstring",
            "documentation",
            "faq",
            "getting started page",
            "glossary",
            "godoc",
            "guide",
            "handbook",
            "incident report",
            "javadoc",
            "jsdoc",
            "man page",
            "manpage",
            "manual",
            "press kit",
            "press kit page",
            "press release",
            "readme",
            "reference manual",
            "reference page",
            "release note",
            "rustdoc",
            "tutorial",
            "upgrade note",
            "user guide",
            "wiki",
            "wiki page",
        ],
    ),
];

/// The most words of a phrase.
const PHRASE_WORDS: usize = 3;

/// The domain of a role's work. Tests and design are development's, as in the sources.
fn domain(role: &str) -> Domain {
    match role {
        "devops" | "sre" => Domain::Cicd,
        "inventory" => Domain::Inventory,
        "product_analyst" => Domain::Product,
        "security_analyst" => Domain::Security,
        "tech_writer" => Domain::Documentation,
        _ => Domain::Development,
    }
}

/// The mention that begins at the first of these tokens, and how many it takes.
pub(super) fn mention(tokens: &[Token]) -> Option<(Mention, usize)> {
    let lengths = (1..=PHRASE_WORDS.min(tokens.len())).rev();
    lengths.into_iter().find_map(|length| {
        let window = &tokens[..length];
        // What stands between quotation marks is a name.
        if !window
            .iter()
            .all(|it| it.is_word() && it.kind != Kind::Quoted)
        {
            return None;
        }
        let span = Span {
            start: window[0].span.start,
            end: window[length - 1].span.end,
        };
        let words: Vec<&str> = window.iter().map(|token| token.lower.as_str()).collect();
        let words = words.join(" ");
        let written = || is_written(&words, &tokens[length..]).then_some("tech_writer");
        let role = role_of(&words)
            .or_else(|| role_of_file(&words, length))
            .or_else(written)?;
        let names_another = |next: &Token| is_named_for(role, next);
        if tokens.get(length).is_some_and(names_another) {
            return None;
        }
        let mention = Mention {
            span,
            word: words,
            role,
            domain: domain(role),
            standing: Standing::Aside,
        };
        Some((mention, length))
    })
}

/// Whether these words name a page that is read: `a page on pagination`, but not `on the left`.
fn is_written(words: &str, behind: &[Token]) -> bool {
    const SHOWN: &[&str] = &[
        "a", "an", "desktop", "every", "load", "mobile", "our", "the", "their", "this",
    ];
    let is_next = |token: &Token| token.is_word() && !token.is_any(SHOWN);
    matches!(words, "page" | "pages")
        && behind.first().is_some_and(|it| it.is("on"))
        && behind.get(1).is_some_and(is_next)
}

/// Words of CI and of what runs elsewhere that name as much else: of them alone nobody can say whose
/// work it is.
const AMBIGUOUS: &[&str] = &[
    "access", "bucket", "buckets", "job", "jobs", "matrix", "policies", "policy", "runner",
    "runners", "shard", "shards",
];

/// Whether a part may be work of operations, though no word says so that means nothing else.
pub(super) fn may_be_of_operations(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| AMBIGUOUS.contains(&word))
}

/// Whether these words name what else [`AMBIGUOUS`] ones may be of, and nothing beside it.
pub(super) fn is_of_operations(mention: &Mention) -> bool {
    const NAMING: &[&str] = &[
        "ci",
        "continuous",
        "github",
        "job",
        "jobs",
        "matrix",
        "policies",
        "policy",
        "runner",
        "runners",
    ];
    let mut words = mention.word.split([' ', '/']);
    mention.role == "devops" && words.any(|it| NAMING.contains(&it))
}

/// Whether somebody's work has files of its own.
pub(super) fn has_places(role: &str) -> bool {
    WITH_PLACES.contains(&role)
}

/// Things of the product that are called by what they are for: `the inventory module` is no
/// inventory, and `the docs site` no document.
const THINGS: &[&str] = &[
    "adapter",
    "app",
    "application",
    "backend",
    "button",
    "client",
    "command",
    "component",
    "controller",
    "crate",
    "dialog",
    "endpoint",
    "endpoints",
    "engine",
    "generator",
    "handler",
    "importer",
    "exporter",
    "library",
    "loader",
    "log",
    "logs",
    "manager",
    "menu",
    "microservice",
    "module",
    "package",
    "parser",
    "plugin",
    "renderer",
    "screen",
    "server",
    "service",
    "site",
    "system",
    "tab",
    "table",
    "tool",
    "trail",
    "view",
    "viewer",
    "website",
    "widget",
];

/// Roles whose words are names of such things as well.
const GIVING_NAMES: &[&str] = &[
    "inventory",
    "performance_engineer",
    "product_analyst",
    "security_analyst",
    "sre",
    "tech_writer",
    "qa",
    "architect",
];

/// Whether a role's word only says which thing the next one is.
fn is_named_for(role: &str, next: &Token) -> bool {
    GIVING_NAMES.contains(&role) && next.is_any(THINGS)
}

/// How many of these words name a role's work, from the first one on.
pub(super) fn mention_of(words: &[&Token]) -> Option<usize> {
    let lengths = (1..=PHRASE_WORDS.min(words.len())).rev();
    lengths.into_iter().find(|&length| {
        let said: Vec<&str> = words[..length].iter().map(|it| it.lower.as_str()).collect();
        let role = role_of(&said.join(" "));
        let next = words.get(length);
        role.is_some_and(|role| !next.is_some_and(|next| is_named_for(role, next)))
    })
}

fn role_of(words: &str) -> Option<&'static str> {
    let singular = words.strip_suffix('s').unwrap_or(words);
    PHRASES.iter().find_map(|(role, phrases)| {
        let fits = phrases.contains(&words) || phrases.contains(&singular);
        fits.then_some(*role)
    })
}

/// The role whose files these are, by their names.
fn role_of_file(path: &str, words: usize) -> Option<&'static str> {
    if words != 1 || !(path.contains('/') || path.contains('.')) {
        return None;
    }
    let mut folders = path.split('/').rev();
    let name = folders.next().unwrap_or_default();
    let is_in = |names: &[&str]| folders.clone().any(|folder| names.contains(&folder));
    if is_in(&[".github", ".gitlab", ".circleci", "ci"]) || name.starts_with("dockerfile") {
        return Some("devops");
    }
    if is_in(&["tests", "test", "__tests__", "spec"])
        || [".test.", ".spec.", "_test."]
            .iter()
            .any(|part| name.contains(part))
        || name.starts_with("test_")
    {
        return Some("qa");
    }
    let is_document = [".md", ".rst", ".adoc", ".mdx"]
        .iter()
        .any(|end| name.ends_with(end));
    // It describes an API, whatever else is made of it.
    let is_description = name.starts_with("openapi.") || name.starts_with("swagger.");
    (is_document || is_description || is_in(&["docs", "doc"])).then_some("tech_writer")
}

/// Roles whose work has files of its own, so that what lies there is theirs too.
const WITH_PLACES: &[&str] = &[
    "data_architect",
    "data_scientist",
    "devops",
    "frontend_developer",
    "qa",
    "sre",
    "tech_writer",
];

/// Who a part is for: what its verb asks for decides before what it is about, and that before where
/// it lies.
pub(super) fn role(verb: Option<&Verb>, mentions: &[Mention]) -> &'static str {
    let standing = |standing: Standing| {
        let stand = move |mention: &&Mention| mention.standing == standing;
        mentions.iter().filter(stand).map(|mention| mention.role)
    };
    // What is mended about a page is how it looks.
    let is_shown = verb.is_some_and(|verb| verb.change == Change::Fix);
    let is_page = |mention: &Mention| matches!(mention.word.as_str(), "page" | "pages");
    let objects = mentions.iter().filter(|it| !(is_shown && is_page(it)));
    let mut objects = objects.filter(|it| it.standing == Standing::Object);
    let of_object = objects.next_back().map(|it| it.role);
    let is_file = |mention: &&Mention| mention.word.contains(['.', '/']);
    let of_file = mentions
        .iter()
        .filter(is_file)
        .map(|it| it.role)
        .next_back();
    let of_place = standing(Standing::Place).find(|role| WITH_PLACES.contains(role));
    let named = |roles: &[&str]| {
        let mut named = mentions.iter().map(|mention| mention.role);
        named.find(|role| roles.contains(role))
    };
    // Who does several people's work is none of them.
    let is_of_several = |role: &str| standing(Standing::Object).any(|it| it != role);
    let of_nobody = verb.is_none() && of_object.is_some_and(is_of_several);
    let is_verb = |word: &str| verb.is_some_and(|verb| verb.word == word);
    match verb.map(|verb| verb.change) {
        _ if of_nobody => DEVELOPER,
        Some(Change::Document) => "tech_writer",
        // `Release notes` release nothing.
        Some(Change::Deploy) => named_by_verb(verb, mentions).unwrap_or("devops"),
        Some(Change::Test) => named(&["performance_engineer", "security_analyst"]).unwrap_or("qa"),
        Some(Change::Design) => {
            named(&["data_architect", "qa", "frontend_developer"]).unwrap_or("architect")
        }
        Some(Change::Research) => of_object
            .filter(|role| *role != "qa")
            .unwrap_or("architect"),
        Some(Change::Review) if is_verb("audit") => "security_analyst",
        Some(Change::Review) => named(&["security_analyst", "performance_engineer"])
            .or(of_object)
            .unwrap_or(DEVELOPER),
        // Wherever a name stands it is changed by one, and what it means is nobody's work; a file is
        // whose it is.
        Some(Change::Rename) => of_file.unwrap_or(DEVELOPER),
        Some(Change::Fix) if is_verb("debug") => of_object.unwrap_or("debugger"),
        _ => of_object
            .filter(|role| *role != DEVELOPER)
            .or(of_place)
            .unwrap_or(DEVELOPER),
    }
}

/// The role whose work is named by words of which the verb is only one.
fn named_by_verb(verb: Option<&Verb>, mentions: &[Mention]) -> Option<&'static str> {
    let verb = verb?.span;
    let mut mentions = mentions.iter();
    let named = mentions.find(|mention| mention.span.holds(verb) && mention.span != verb)?;
    Some(named.role)
}

/// The domain of a part's role.
pub(super) fn domain_of(role: &str) -> Domain {
    domain(role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Library;

    #[test]
    fn every_role_is_in_the_library() {
        let library = Library::built_in();
        for (role, _) in PHRASES {
            assert!(library.get(role).is_some(), "{role}");
        }
    }
}
