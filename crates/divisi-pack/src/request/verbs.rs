//! Verbs of change, and what kind of change each means.

use serde::Serialize;

use super::Span;

/// What kind of change a verb asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Something new.
    Add,
    /// Something wrong becomes right.
    Fix,
    /// Something becomes different.
    Update,
    /// Something goes.
    Remove,
    /// Something gets another name.
    Rename,
    /// Something gets another place.
    Move,
    /// Something keeps what it does and changes its form.
    Restructure,
    /// Something moves to another technology or version.
    Migrate,
    /// Tests are written or run.
    Test,
    /// Documents are written.
    Document,
    /// Something is judged.
    Review,
    /// Something is found out.
    Research,
    /// Something is listed.
    List,
    /// Something is designed.
    Design,
    /// Something is put into use.
    Deploy,
}

/// What a kind of change asks for, where it does not matter in which way something is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The product is to be another.
    Alteration,
    /// Tests.
    Tests,
    /// Documents.
    Documents,
    /// A judgment.
    Judgment,
    /// Something that is not known, or a list of what is there.
    Finding,
    /// A design.
    Design,
    /// That something is put into use.
    Use,
}

impl Change {
    /// What it asks for.
    #[must_use]
    pub fn aim(self) -> Aim {
        match self {
            Change::Add
            | Change::Fix
            | Change::Update
            | Change::Remove
            | Change::Rename
            | Change::Move
            | Change::Restructure
            | Change::Migrate => Aim::Alteration,
            Change::Test => Aim::Tests,
            Change::Document => Aim::Documents,
            Change::Review => Aim::Judgment,
            Change::Research | Change::List => Aim::Finding,
            Change::Design => Aim::Design,
            Change::Deploy => Aim::Use,
        }
    }
}

/// A verb of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verb {
    /// Where it stands.
    pub span: Span,
    /// Its base form.
    pub word: &'static str,
    /// What it asks for.
    pub change: Change,
}

/// In which form a verb stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `add`.
    Base,
    /// `adds`.
    Third,
    /// `added`.
    Past,
    /// `adding`.
    Gerund,
}

/// Base forms by what they ask for. Among homonyms the more usual meaning in requests counts.
const VERBS: &[(Change, &[&str])] = &[
    (
        Change::Add,
        &[
            "add",
            "equip",
            "give",
            "allow",
            "build",
            "create",
            "develop",
            "enable",
            "expose",
            "extend",
            "generate",
            "implement",
            "program",
            "include",
            "install",
            "integrate",
            "introduce",
            "make",
            "draw",
            "provide",
            "rebuild",
            "prepare",
            "prototype",
            "put",
            "set",
            "setup",
            "support",
            "wire",
            "write",
        ],
    ),
    (
        Change::Fix,
        &[
            "address",
            "avoid",
            "correct",
            "debug",
            "ensure",
            "fix",
            "handle",
            "hotfix",
            "patch",
            "prevent",
            "stabilize",
            "repair",
            "resolve",
            "troubleshoot",
            "mitigate",
        ],
    ),
    (
        Change::Update,
        &[
            "adapt",
            "adjust",
            "bump",
            "configure",
            "change",
            "clarify",
            "clean",
            "edit",
            "enhance",
            "execute",
            "format",
            "harden",
            "improve",
            "increase",
            "lower",
            "modify",
            "optimize",
            "polish",
            "raise",
            "refresh",
            "reduce",
            "refine",
            "run",
            "speed",
            "switch",
            "translate",
            "tweak",
            "update",
            "use",
        ],
    ),
    (
        Change::Remove,
        &[
            "delete",
            "deprecate",
            "disable",
            "drop",
            "remove",
            "revert",
            "strip",
        ],
    ),
    (Change::Rename, &["rename"]),
    (
        Change::Move,
        &["combine", "extract", "merge", "move", "relocate", "split"],
    ),
    (
        Change::Restructure,
        &[
            "consolidate",
            "convert",
            "decouple",
            "modernize",
            "overhaul",
            "redesign",
            "refactor",
            "reorganize",
            "replace",
            "restructure",
            "rework",
            "rewrite",
            "simplify",
            "unify",
        ],
    ),
    (
        Change::Migrate,
        &["migrate", "port", "transition", "upgrade"],
    ),
    (
        Change::Test,
        &["benchmark", "cover", "test", "validate", "verify"],
    ),
    (Change::Document, &["describe", "document", "explain"]),
    (
        Change::Review,
        &[
            "analyze",
            "conduct",
            "look",
            "perform",
            "assess",
            "audit",
            "check",
            "inspect",
            "measure",
            "profile",
            "proofread",
            "review",
            "scan",
        ],
    ),
    (
        Change::Research,
        &[
            "choose",
            "compare",
            "decide",
            "evaluate",
            "explore",
            "investigate",
            "read",
            "research",
        ],
    ),
    (
        Change::List,
        &[
            "count",
            "enumerate",
            "find",
            "list",
            "report",
            "search",
            "show",
            "summarize",
        ],
    ),
    (
        Change::Design,
        &[
            "define", "design", "model", "plan", "propose", "sketch", "spec", "specify",
        ],
    ),
    (
        Change::Deploy,
        &["deploy", "launch", "publish", "release", "roll", "ship"],
    ),
];

/// The same of verbs that count in their base form alone: in the others they name what there is or is
/// to be, as in `with caching` or `the sorted list`. Most of them are nouns, too.
const BASE_ONLY: &[(Change, &[&str])] = &[
    (
        Change::Add,
        &[
            "bring",
            "cache",
            "calculate",
            "compute",
            "connect",
            "display",
            "draft",
            "embed",
            "encrypt",
            "expire",
            "highlight",
            "link",
            "mention",
            "load",
            "log",
            "note",
            "notify",
            "paginate",
            "record",
            "redirect",
            "register",
            "send",
            "start",
            "store",
            "track",
            "warn",
        ],
    ),
    (
        Change::Fix,
        &["deduplicate", "escape", "protect", "sanitize", "stop"],
    ),
    (
        Change::Update,
        &[
            "block",
            "cap",
            "close",
            "compress",
            "enforce",
            "expand",
            "filter",
            "group",
            "hide",
            "inline",
            "limit",
            "normalize",
            "parallelize",
            "pin",
            "rate-limit",
            "render",
            "restrict",
            "retry",
            "return",
            "rotate",
            "silence",
            "skip",
            "sort",
            "swap",
            "sync",
            "throttle",
            "tighten",
            "trim",
            "turn",
            "wrap",
        ],
    ),
];

/// British spellings and irregular forms.
const IRREGULAR: &[(&str, &str, Form)] = &[
    ("analyse", "analyze", Form::Base),
    ("analysing", "analyze", Form::Gerund),
    ("built", "build", Form::Past),
    ("found", "find", Form::Past),
    ("made", "make", Form::Past),
    ("modernise", "modernize", Form::Base),
    ("optimise", "optimize", Form::Base),
    ("reorganise", "reorganize", Form::Base),
    ("ran", "run", Form::Past),
    ("rewritten", "rewrite", Form::Past),
    ("rewrote", "rewrite", Form::Past),
    ("summarise", "summarize", Form::Base),
    ("written", "write", Form::Past),
    ("wrote", "write", Form::Past),
];

/// Base forms that are nouns as often: they count as verbs in the middle of a sentence only where
/// an object follows.
const ALSO_NOUNS: &[&str] = &[
    "address",
    "audit",
    "benchmark",
    "build",
    "change",
    "check",
    "count",
    "cover",
    "design",
    "document",
    "format",
    "list",
    "model",
    "patch",
    "plan",
    "port",
    "profile",
    "prototype",
    "release",
    "report",
    "research",
    "review",
    "run",
    "scan",
    "search",
    "set",
    "setup",
    "show",
    "spec",
    "split",
    "support",
    "test",
    "update",
    "use",
    "merge",
    "install",
    "launch",
];

/// The verb that a word in lower case is, and its form.
pub(super) fn verb(word: &str) -> Option<(&'static str, Change, Form)> {
    if let Some((_, base, form)) = IRREGULAR.iter().find(|(irregular, ..)| *irregular == word) {
        return base_of(base).map(|(base, change)| (base, change, *form));
    }
    if let Some((base, change)) = base_of(word).or_else(|| of(BASE_ONLY, word)) {
        return Some((base, change, Form::Base));
    }
    for (ending, form) in [
        ("ing", Form::Gerund),
        ("ed", Form::Past),
        ("s", Form::Third),
    ] {
        if let Some(stem) = word.strip_suffix(ending)
            && let Some((base, change)) = of_stem(stem, form)
        {
            return Some((base, change, form));
        }
    }
    None
}

/// Whether a verb's base form is as often a noun.
pub(super) fn is_also_noun(base: &str) -> bool {
    ALSO_NOUNS.contains(&base) || names_its_object(base)
}

/// Whether a verb says by itself what the work is about.
pub(super) fn names_its_object(base: &str) -> bool {
    of(BASE_ONLY, base).is_some()
}

fn base_of(word: &str) -> Option<(&'static str, Change)> {
    of(VERBS, word)
}

/// The verb of a table whose base form a word is.
fn of(verbs: &[(Change, &'static [&'static str])], word: &str) -> Option<(&'static str, Change)> {
    verbs.iter().find_map(|(change, words)| {
        let base = words.iter().find(|base| **base == word)?;
        Some((*base, *change))
    })
}

/// `add` of `add(ing)`, `move` of `mov(ing)`, `drop` of `dropp(ing)`, `fix` of `fixe(s)`, `modify`
/// of `modifi(ed)`.
fn of_stem(stem: &str, form: Form) -> Option<(&'static str, Change)> {
    if !stem.is_ascii() || stem.len() < 3 {
        return None;
    }
    if let Some(found) = base_of(stem) {
        return Some(found);
    }
    let short = &stem[..stem.len() - 1];
    let doubled = stem.as_bytes()[stem.len() - 1] == stem.as_bytes()[stem.len() - 2];
    match form {
        Form::Third => stem.ends_with('e').then(|| base_of(short)).flatten(),
        Form::Past if stem.ends_with('i') => base_of(&format!("{short}y")),
        _ if doubled => base_of(short),
        _ => base_of(&format!("{stem}e")),
    }
}
