//! Tests themselves: whether they assert anything, and whether they are executed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::review::blocks::{Block, BlockKind};
use crate::review::language::Language;
use crate::review::matching::{Condition, Hit};
use crate::review::source::{Part, Source, View};

macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is well-formed"));
    };
}

// Words of anything that may make a test fail on purpose. Rather too many: a test that only looks
// as if it asserted is spared, a test that asserts in its own way must not be found.
pattern!(
    ASSERTS,
    r"(?i)assert|expect|should|panic|verif|check|ensure|raise|warns|fail|must|snapshot|unwrap|matches|require|compar|validat|\bt\.(?:error|log|run)|throw|\?\s*[;).\n,]|\beq\b|same|equal|reject|accept|approv|golden|fatal|\bis\.|ok\(|verdict"
);
pattern!(CALL, r"\b([A-Za-z_]\w*)!?\s*(?:::<[^;(){}]*>\s*)?[(\[{]");
pattern!(MACRO, r"\b([a-z_]\w*)!\s*[(\[{]");

// Names of tests that only ask whether something ends, or compiles, at all.
pattern!(
    NO_ASSERTION_MEANT,
    r"(?i)panic|crash|fuzz|regress|smoke|compile|import|issue|does_?not|hang|^bench"
);

// Names and attributes of functions among code that only tests use.
pattern!(
    HELPS_TESTS,
    r"#\[cfg\((?:all\(\s*)?test\b|\bfn\s+_?(?:test|check|assert|verify)"
);

/// Macros that assert nothing.
const SILENT_MACROS: &[&str] = &[
    "vec",
    "format",
    "print",
    "println",
    "eprint",
    "eprintln",
    "write",
    "writeln",
    "dbg",
    "concat",
    "stringify",
    "include_str",
    "include_bytes",
    "env",
    "option_env",
    "matches",
    "json",
];

/// A body of more calls is taken to assert somewhere.
const CALLS_MAX: usize = 200;

fn body<'a>(source: &'a Source, view: View, block: &Block) -> &'a str {
    &source.view(view)[block.start..block.close]
}

/// Tests that assert nothing themselves, each with the condition that nothing they call does.
pub(super) fn without_assertion(source: &Source) -> Vec<Hit> {
    let is_test_file = source.part(0) == Part::Test;
    let mut hits = Vec::new();
    for block in &source.blocks {
        let Some(function) = block.function().filter(|function| function.is_test) else {
            continue;
        };
        // What is defined within a function is that function's own business.
        let is_inner = || {
            source
                .around(block.start)
                .any(|outer| outer.function().is_some())
        };
        if source.language != Language::Rust && !is_test_file
            || source.language == Language::Python && is_inner()
        {
            continue;
        }
        let inside = &source.view(View::Live)[block.open..block.close];
        let calls: BTreeSet<String> = CALL
            .captures_iter(&source.view(View::Code)[block.open..block.close])
            .map(|found| found[1].to_owned())
            .collect();
        let has_own_macro = MACRO
            .captures_iter(inside)
            .any(|found| !SILENT_MACROS.contains(&&found[1]));
        if ASSERTS.is_match(inside)
            || header_asserts(source, block)
            || has_own_macro
            || NO_ASSERTION_MEANT.is_match(&function.name)
            || calls.len() > CALLS_MAX
        {
            continue;
        }
        let (first, last) = (
            source.line_of(block.start),
            source.line_of(block.close.saturating_sub(1)),
        );
        hits.push(Hit {
            first,
            last,
            condition: Condition::NothingCalledAsserts(calls.into_iter().collect()),
            ..Hit::at(source.line_of(block.open), "")
        });
    }
    hits
}

/// Whether attributes or decorators of a test say how it fails.
fn header_asserts(source: &Source, block: &Block) -> bool {
    let header = &source.view(View::Live)[block.start..block.open];
    ["should_panic", "raises", "expected", "-> "]
        .iter()
        .any(|word| header.contains(word))
}

/// The names of functions and macros among tests that assert, also by calling another of them.
pub(crate) fn asserting_functions(source: &Source) -> BTreeSet<String> {
    let mut functions: Vec<(&str, &Block)> = source
        .blocks
        .iter()
        .filter(|block| {
            let header = &source.view(View::Code)[block.start..block.open];
            source.part(block.open) == Part::Test || HELPS_TESTS.is_match(header)
        })
        .filter_map(|block| Some((block.function()?.name.as_str(), block)))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    let mut asserting: BTreeSet<String> = BTreeSet::new();
    functions.retain(|(name, block)| {
        // A helper that does nothing is called for its types: that it compiles is the assertion.
        let inside = source.view(View::Code)[block.open..block.close].trim_start_matches('{');
        let asserts = ASSERTS.is_match(body(source, View::Live, block)) || inside.trim().is_empty();
        if asserts {
            asserting.insert((*name).to_owned());
        }
        !asserts
    });
    // Helpers of helpers, not deeper: each round looks at what is left.
    for _ in 0..3 {
        functions.retain(|(name, block)| {
            let mut calls = CALL
                .captures_iter(body(source, View::Code, block))
                .take(CALLS_MAX);
            let asserts = calls.any(|found| &found[1] != *name && asserting.contains(&found[1]));
            if asserts {
                asserting.insert((*name).to_owned());
            }
            !asserts
        });
    }
    asserting
}

/// Tests whose name a later one takes.
pub(super) fn shadowed(source: &Source) -> Vec<Hit> {
    if source.language != Language::Python || source.part(0) != Part::Test {
        return Vec::new();
    }
    let column = |block: &Block| {
        let line = source.line_of(block.start);
        block.start - source.lines(line, line).start
    };
    // Directly in the module or in a class: elsewhere only one of the two may be defined.
    let is_direct = |block: &Block| match block.parent.map(|parent| &source.blocks[parent]) {
        None => column(block) == 0,
        Some(parent) => {
            let code = source.view(View::Code);
            let is_class = code[parent.start..parent.open].starts_with("class");
            let inside = &code[parent.open + 1..parent.close];
            let first = inside.len() - inside.trim_start().len();
            let first_line = source.line_of(parent.open + 1 + first);
            let first_column = parent.open + 1 + first - source.lines(first_line, first_line).start;
            is_class && parent.kind == BlockKind::Other && column(block) == first_column
        }
    };
    let mut hits = Vec::new();
    let tests: Vec<(&Block, &str)> = source
        .blocks
        .iter()
        .filter(|block| is_direct(block))
        .filter_map(|block| Some((block, block.function()?)))
        .filter(|(_, function)| function.is_test)
        .map(|(block, function)| (block, function.name.as_str()))
        .collect();
    let mut last: std::collections::HashMap<(Option<usize>, &str), &Block> =
        std::collections::HashMap::new();
    for (block, name) in tests {
        if let Some(earlier) = last.insert((block.parent, name), block) {
            let line = source.line_of(earlier.start);
            hits.push(Hit {
                last: source.line_of(block.start),
                ..Hit::at(line, format!("`{name}`"))
            });
        }
    }
    hits
}
