//! Absences: what stands nowhere in the repository, each with what to do instead.

use super::Finding;
use super::source::{self, Placed, Source, Token};
use super::tree::Tree;

/// Macros for code that is not finished or not meant to stay.
const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Folders that are a place on the author's machine, not on the reader's. Spelled in two parts, so
/// that this file does not hold them.
const MACHINE_FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/tm", "p/")];

/// Finds what no Rust file holds. What is permitted in tests is told by its line.
pub(crate) fn in_code(_: &Tree, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for at in 0..source.tokens.len() {
            let line = source.tokens[at].line;
            if let Some((rule, text)) = unfinished(&source.tokens[at..]) {
                findings.push(Finding::fault(rule, &source.path, line, text));
            }
            if let Some((rule, text)) = silenced(&source.tokens, at) {
                findings.push(Finding::fault(rule, &source.path, line, text));
            }
            if !source.is_test(line) && is_unwrap(&source.tokens[at..]) {
                let text =
                    "`.unwrap()` outside tests: handle it, or state the invariant in `expect`";
                findings.push(Finding::fault("unwrap", &source.path, line, text.into()));
            }
        }
        for (path, line) in source.paths() {
            if source.is_test(line) && path.ends_with("thread::sleep") {
                let text = "a test sleeps: wait for the fact itself (a pipe, an exit, a channel)";
                findings.push(Finding::fault("sleep", &source.path, line, text.into()));
            }
        }
    }
    findings
}

/// Finds places of one machine in documents and examples.
pub(crate) fn in_texts(tree: &Tree, _: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let examples = ["json", "yaml", "toml", "sh"];
    let examples = examples
        .iter()
        .flat_map(|ending| tree.under("examples/", ending));
    for (path, text) in tree.documents().chain(examples) {
        for (content, line) in text.lines().zip(1..) {
            for folder in MACHINE_FOLDERS {
                let starts = content.match_indices(folder).any(|(at, _)| {
                    let before = content[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || "._-}*".contains(c))
                });
                if starts {
                    let text = format!("`{folder}` is a folder of one machine; say it relatively");
                    findings.push(Finding::fault("machine-path", path, line, text));
                }
            }
        }
    }
    findings
}

fn unfinished(tokens: &[Placed]) -> Option<(&'static str, String)> {
    let Token::Ident(name) = &tokens.first()?.token else {
        return None;
    };
    if tokens.get(1)?.token != Token::Punct('!') {
        return None;
    }
    if MACROS.contains(&name.as_str()) {
        return Some(("unfinished", format!("`{name}!` must not be committed")));
    }
    let [_, _, open, value, close, ..] = tokens else {
        return None;
    };
    let always = open.token == Token::Open('(')
        && value.token.is("true")
        && matches!(close.token, Token::Close(')') | Token::Punct(','));
    (always && matches!(name.as_str(), "assert" | "debug_assert")).then(|| {
        let text = format!("`{name}!(true)` cannot fail: assert something, or delete the test");
        ("vacuous", text)
    })
}

fn silenced(tokens: &[Placed], at: usize) -> Option<(&'static str, String)> {
    let (open, close) = source::attribute(tokens, at)?;
    let words = &tokens[open + 1..close];
    let first = words.first()?;
    let is_conditional = first.token.is("cfg_attr");
    let has = |name: &str| {
        first.token.is(name) || (is_conditional && words.iter().any(|word| word.token.is(name)))
    };
    if has("ignore") {
        let text = "an ignored test proves nothing: fix it or delete it";
        return Some(("ignore", text.into()));
    }
    has("allow").then(|| {
        let text = "`#[allow]` hides without a reason: use `#[expect(lint, reason = \"…\")]`";
        ("allow", text.into())
    })
}

fn is_unwrap(tokens: &[Placed]) -> bool {
    matches!(tokens, [dot, name, open, close, ..]
        if dot.token == Token::Punct('.')
            && name.token.is("unwrap")
            && open.token == Token::Open('(')
            && close.token == Token::Close(')'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    /// The rules that find something in a file with this code, with their lines.
    fn check(code: &str) -> Vec<String> {
        found(in_code, &[("crates/a/src/lib.rs", code)])
            .iter()
            .map(|f| {
                f.split("]: ")
                    .next()
                    .unwrap_or_default()
                    .replacen("crates/a/src/lib.rs:", "", 1)
            })
            .collect()
    }

    #[test]
    fn each_absence_is_found() {
        for (code, expected) in [
            ("fn f() {\n    todo!()\n}", "2: fault[unfinished"),
            (
                "fn f() { unimplemented!(\"later\") }",
                "1: fault[unfinished",
            ),
            ("fn f() { g(h!(dbg!(1))) }", "1: fault[unfinished"),
            (
                "#[test]\n#[ignore = \"slow\"]\nfn f() {}",
                "2: fault[ignore",
            ),
            ("#[cfg_attr(miri, ignore)]\nfn f() {}", "1: fault[ignore"),
            ("#[allow(dead_code)]\nfn f() {}", "1: fault[allow"),
            ("#![allow(dead_code)]", "1: fault[allow"),
            (
                "#[cfg_attr(test, allow(dead_code))]\nfn f() {}",
                "1: fault[allow",
            ),
            ("fn f() { g().unwrap(); }", "1: fault[unwrap"),
            (
                "#[test]\nfn f() { std::thread::sleep(d); }",
                "2: fault[sleep",
            ),
            (
                "#[cfg(test)]\nmod tests {\n    fn f() { thread::sleep(d); }\n}",
                "3: fault[sleep",
            ),
            ("#[test]\nfn f() { assert!(true); }", "2: fault[vacuous"),
            (
                "#[test]\nfn f() { assert!(true, \"fine\"); }",
                "2: fault[vacuous",
            ),
        ] {
            assert_eq!(check(code), [expected], "{code}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_no_fault() {
        for code in [
            "// todo!() and #[allow(x)]\nfn f() { g(\"dbg!(x).unwrap()\"); }",
            "fn f() { g().unwrap_or_default(); }",
            "#[test]\nfn f() { g().unwrap(); }",
            "#[expect(dead_code, reason = \"kept\")]\nfn f() {}",
            "fn f() { thread::sleep(pause); }",
            "#[test]\nfn f() { assert!(is_true(true)); }",
            "fn ignore() { allow(ignore) }",
        ] {
            assert!(check(code).is_empty(), "{code}: {:?}", check(code));
        }
    }

    #[test]
    fn a_machines_folders_stand_in_no_document() {
        let [work, tmp] = MACHINE_FOLDERS else {
            panic!("two folders are expected");
        };
        let text = format!("Fine: `src{work}x`.\nSee {work}x.\nOr `{tmp}y`.\n");
        assert_eq!(
            found(in_texts, &[("docs/a.md", &text)]),
            [
                format!(
                    "docs/a.md:2: fault[machine-path]: `{work}` is a folder of one machine; say it relatively"
                ),
                format!(
                    "docs/a.md:3: fault[machine-path]: `{tmp}` is a folder of one machine; say it relatively"
                ),
            ]
        );
    }
}
