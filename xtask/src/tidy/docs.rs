//! Documents in step with the code: a page for each error code and the other way round, a front
//! page whose commands are the tested ones, and a changelog that is not forgotten.
//!
//! An error code is recognized where it is given: as the literal first argument of
//! `Diagnostic::error` or `Diagnostic::warning`, as a literal in the body of a function named `code`
//! that maps an error to its code, or as a literal in a module named `codes` that lists them. A call
//! may then pass `….code()`, a variable `code`, or `codes::NAME`.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::{Placed, Source, Token, closing};
use super::tree::Tree;

const PAGES: &str = "docs/errors/";

/// Blocks of the front page that `.ci/run` executes.
const COMMANDS: &[&str] = &["first-command", "test-command"];

/// Every error code has a page, and every page an error code.
pub(crate) fn error_pages(tree: &Tree, sources: &[Source]) -> Vec<Finding> {
    const RULE: &str = "error-page";
    let mut findings = Vec::new();
    let mut codes: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    let mut literals = BTreeSet::new();
    for source in sources.iter().filter(|s| s.path.starts_with("crates/")) {
        for at in 0..source.tokens.len() {
            let line = source.tokens[at].line;
            if source.is_test(line) {
                continue;
            }
            literals.extend(source.tokens[at].token.string());
            let listed = source.tokens[at].token.string();
            let listed = listed.filter(|_| source.path.ends_with("/codes.rs"));
            let mapped = mapped_codes(&source.tokens, at).into_iter();
            for code in mapped.chain(listed).filter(|text| has_code_form(text)) {
                codes.entry(code).or_insert((&source.path, line));
            }
            match given_code(&source.tokens, at) {
                Given::No | Given::Elsewhere => {}
                Given::Code(code) => _ = codes.entry(code).or_insert((&source.path, line)),
                Given::Hidden => {
                    let text = "the code of a diagnostic is neither a literal nor `….code()`, so \
                                nobody can tell whether it has a page";
                    findings.push(Finding::fault(RULE, &source.path, line, text.into()));
                }
            }
        }
    }
    for (code, (path, line)) in &codes {
        if tree.text(&format!("{PAGES}{code}.md")).is_none() {
            let text = format!("`{code}` has no page {PAGES}{code}.md: cause, fix, example");
            findings.push(Finding::fault(RULE, path, *line, text));
        }
    }
    for (path, _) in tree.under(PAGES, ".md") {
        let code = path[PAGES.len()..].trim_end_matches(".md");
        if code != "README" && !literals.contains(code) {
            let text = format!("no code in crates/ gives `{code}`; delete or rename the page");
            findings.push(Finding::fault(RULE, path, 1, text));
        }
    }
    findings
}

/// The front page has the two commands that `.ci/run` reads from it.
pub(crate) fn front_page(tree: &Tree, _: &[Source]) -> Vec<Finding> {
    let readme = tree.text("README.md").unwrap_or_default();
    let mut findings = Vec::new();
    let mut fault = |path, text| findings.push(Finding::fault("front-page", path, 1, text));
    let script = tree.text(".ci/run").unwrap_or_default();
    for name in COMMANDS {
        if block(readme, name).is_none_or(|command| !command.starts_with("cargo ")) {
            let text = format!(
                "between <!-- {name} --> and <!-- /{name} --> a block with one cargo command is expected"
            );
            fault("README.md", text);
        }
        if !script.contains(&format!("readme_command {name}")) {
            let text = format!("the README's {name} is not what `.ci/run` executes");
            fault(".ci/run", text);
        }
    }
    findings
}

/// There is at least one entry for the next release.
pub(crate) fn changelog(tree: &Tree, _: &[Source]) -> Vec<Finding> {
    let mut entries = tree.under("changelog.d/", ".md").map(|(path, _)| path);
    if entries.any(|path| path != "changelog.d/README.md") {
        return Vec::new();
    }
    let text = "no entry: a change that a user can see adds a file here".to_owned();
    vec![Finding::fault(
        "changelog",
        "changelog.d/README.md",
        1,
        text,
    )]
}

/// The only command between two markers, without the fence around it.
fn block<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<!-- {name} -->\n"))?;
    let (inside, _) = rest.split_once(&format!("<!-- /{name} -->\n"))?;
    let mut lines = inside
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("```"));
    let only = lines.next()?;
    lines.next().is_none().then_some(only)
}

/// What the tokens at a place say about a diagnostic's code.
enum Given {
    /// They make no diagnostic.
    No,
    /// This one.
    Code(String),
    /// The one that a function `code` maps to.
    Elsewhere,
    /// One that cannot be seen.
    Hidden,
}

fn given_code(tokens: &[Placed], at: usize) -> Given {
    let [kind, a, b, maker, open, first, ..] = &tokens[at..] else {
        return Given::No;
    };
    let is_call = kind.token.is("Diagnostic")
        && a.token == Token::Punct(':')
        && b.token == Token::Punct(':')
        && (maker.token.is("error") || maker.token.is("warning"))
        && open.token == Token::Open('(');
    if !is_call {
        return Given::No;
    }
    if let Some(code) = first.token.string() {
        return Given::Code(code);
    }
    let end = closing(tokens, at + 4);
    let argument = tokens[at + 5..end]
        .iter()
        .take_while(|placed| placed.token != Token::Punct(','));
    let is_known = |placed: &Placed| placed.token.is("code") || placed.token.is("codes");
    if argument.into_iter().any(is_known) {
        Given::Elsewhere
    } else {
        Given::Hidden
    }
}

/// Lower-case words with hyphens, at least two: lists and mappings may hold explanations too.
fn has_code_form(text: &str) -> bool {
    let is_word = |word: &str| {
        let mut characters = word.chars();
        !word.is_empty() && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    text.contains('-') && text.split('-').all(is_word)
}

/// The literals in the body of the `fn code` or `mod codes` that starts at a place.
fn mapped_codes(tokens: &[Placed], at: usize) -> Vec<String> {
    let [keyword, name, ..] = &tokens[at..] else {
        return Vec::new();
    };
    let is_function = keyword.token.is("fn") && name.token.is("code");
    let is_list = keyword.token.is("mod") && name.token.is("codes");
    if !(is_function || is_list) {
        return Vec::new();
    }
    let is_body = |placed: &Placed| matches!(placed.token, Token::Open('{') | Token::Punct(';'));
    let Some(body) = tokens[at..]
        .iter()
        .position(is_body)
        .map(|offset| at + offset)
    else {
        return Vec::new();
    };
    if tokens[body].token == Token::Punct(';') {
        return Vec::new();
    }
    tokens[body..closing(tokens, body)]
        .iter()
        .filter_map(|placed| placed.token.string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    fn pages(code: &str, page: &str) -> Vec<String> {
        let page = format!("docs/errors/{page}.md");
        found(
            error_pages,
            &[("crates/a/src/lib.rs", code), (&page, "# Cause\n")],
        )
    }

    #[test]
    fn a_code_with_its_page_is_no_fault() {
        for code in [
            "fn f() { Diagnostic::error(\"plan-cycle\", g()); }",
            "fn f() { core::Diagnostic::warning(\n\"plan-cycle\", g()); }",
            "impl E { fn code(&self) -> &'static str { match self { E::A => \"plan-cycle\" } } }\nfn f(e: E) { Diagnostic::error(e.code(), e.to_string()); }",
        ] {
            assert!(pages(code, "plan-cycle").is_empty(), "{code}");
        }
        assert!(pages("", "README").is_empty());
    }

    #[test]
    fn a_code_without_a_page_is_a_fault() {
        for code in [
            "fn f() { Diagnostic::error(\"plan-empty\", \"plan-cycle\"); }",
            "fn code(e: &E) -> &'static str { g(\"plan-cycle\"); \"plan-empty\" }",
            "mod codes { const CYCLE: &str = \"plan-cycle\"; const EMPTY: &str = \"plan-empty\"; }",
        ] {
            let findings = pages(code, "plan-cycle");
            assert!(
                findings.contains(&"crates/a/src/lib.rs:1: fault[error-page]: `plan-empty` has no page docs/errors/plan-empty.md: cause, fix, example".to_owned()),
                "{code}: {findings:?}"
            );
        }
    }

    #[test]
    fn a_file_of_codes_is_a_list_too() {
        let list = "/// Empty.\npub(crate) const EMPTY: &str = \"plan-empty\";\nconst WHY: &str = \"a plan\";\n";
        let user = "mod codes;\nfn f() { Diagnostic::error(codes::EMPTY, g()); }\n";
        let files = [
            ("crates/a/src/codes.rs", list),
            ("crates/a/src/lib.rs", user),
        ];
        assert_eq!(
            found(error_pages, &files),
            [
                "crates/a/src/codes.rs:2: fault[error-page]: `plan-empty` has no page docs/errors/plan-empty.md: cause, fix, example"
            ]
        );
    }

    #[test]
    fn a_page_without_a_code_is_a_fault() {
        let gone = "/// \"plan-cycle\"\nfn f() {}\n#[test]\nfn t() { g(\"plan-cycle\"); }\n";
        assert_eq!(
            pages(gone, "plan-cycle"),
            [
                "docs/errors/plan-cycle.md:1: fault[error-page]: no code in crates/ gives `plan-cycle`; delete or rename the page"
            ]
        );
    }

    #[test]
    fn a_code_that_cannot_be_seen_is_a_fault() {
        let findings = pages("fn f(x: &str) { Diagnostic::error(x, g()); }", "README");
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains("neither a literal"), "{findings:?}");
    }

    #[test]
    fn the_front_page_has_the_tested_commands() {
        let command = |name: &str, line: &str| {
            format!("<!-- {name} -->\n\n```sh\n{line}\n```\n\n<!-- /{name} -->\n")
        };
        let script = "readme_command first-command\nreadme_command test-command\n";
        let good = command("first-command", "cargo run") + &command("test-command", "cargo test");
        let check =
            |readme: &str, script| found(front_page, &[("README.md", readme), (".ci/run", script)]);
        assert!(check(&good, script).is_empty());
        assert_eq!(check(&good, "cargo test").len(), 2);
        assert_eq!(
            check(&command("first-command", "cargo run"), script).len(),
            1
        );
        assert_eq!(
            check(&good.replace("cargo test", "cargo test\nrm -r x"), script).len(),
            1
        );
    }

    #[test]
    fn a_changelog_without_entries_is_a_fault() {
        let only_rules = [("changelog.d/README.md", "# Rules\n")];
        assert_eq!(found(changelog, &only_rules).len(), 1);
        let entry = [("changelog.d/a.md", "# A\n")];
        assert!(found(changelog, &entry).is_empty());
    }
}
