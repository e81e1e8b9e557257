//! One Rust file as the rules see it: tokens with lines, test code apart, defined names.
//!
//! Tokens come from `proc-macro2`, so that comments are gone, strings are literals, and the inside
//! of a macro call is seen as well. Names and functions come from `syn`.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::Finding;
use super::tree::Tree;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or keyword.
    Ident(String),
    /// One character of punctuation.
    Punct(char),
    /// A literal as it is written.
    Literal(String),
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
}

impl Token {
    /// Whether it is this name or keyword.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Token::Ident(ident) if ident == name)
    }

    /// The value of a string literal.
    pub(crate) fn string(&self) -> Option<String> {
        match self {
            Token::Literal(text) => syn::parse_str::<syn::LitStr>(text).ok().map(|s| s.value()),
            _ => None,
        }
    }
}

/// A token and the line where it starts.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// The token.
    pub(crate) token: Token,
    /// Its line from 1.
    pub(crate) line: usize,
}

/// A function's name, its line, and how many lines it spans.
pub(crate) struct Function {
    /// The name.
    pub(crate) name: String,
    /// The line of its signature.
    pub(crate) line: usize,
    /// From the signature to the closing brace.
    pub(crate) lines: usize,
}

/// A parsed Rust file.
pub(crate) struct Source {
    /// Relative to the root.
    pub(crate) path: String,
    /// All tokens without documentation comments, groups flattened.
    pub(crate) tokens: Vec<Placed>,
    /// Names of types, functions, fields, variants, modules, constants, with their lines.
    pub(crate) names: Vec<(String, usize)>,
    /// Functions with a body.
    pub(crate) functions: Vec<Function>,
    /// How many lines the file has.
    pub(crate) lines: usize,
    tests: Tests,
}

/// Which part of a file is test code.
enum Tests {
    Whole,
    Lines(Vec<RangeInclusive<usize>>),
}

impl Source {
    /// Parses a file.
    ///
    /// # Errors
    /// Where it is not Rust.
    fn parse(path: &str, text: &str) -> Result<Source, syn::Error> {
        let file: syn::File = syn::parse_str(text)?;
        // A shebang is not a token; `syn` has accepted the rest.
        let stream = TokenStream::from_str(text).unwrap_or_default();
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let mut defined = Defined::default();
        defined.visit_file(&file);
        let whole = path.contains("/tests/") || path.ends_with("/tests.rs");
        let tests = if whole {
            Tests::Whole
        } else {
            Tests::Lines(test_ranges(&tokens))
        };
        Ok(Source {
            path: path.to_owned(),
            tokens,
            names: defined.names,
            functions: defined.functions,
            lines: text.lines().count(),
            tests,
        })
    }

    /// Whether a line belongs to test code.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        match &self.tests {
            Tests::Whole => true,
            Tests::Lines(ranges) => ranges.iter().any(|range| range.contains(&line)),
        }
    }

    /// Lines that are not test code.
    pub(crate) fn lines_without_tests(&self) -> usize {
        (1..=self.lines).filter(|&line| !self.is_test(line)).count()
    }

    /// Every path that the code names, with `use a::{b, c}` spelled out.
    pub(crate) fn paths(&self) -> Vec<(String, usize)> {
        let mut paths = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            at = match self.tokens[at].token {
                Token::Ident(_) => path_at(&self.tokens, at, "", &mut paths),
                _ => at + 1,
            };
        }
        paths
    }
}

/// Parses every Rust file of ours; what does not parse becomes a finding.
pub(crate) fn all(tree: &Tree, findings: &mut Vec<Finding>) -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in ["crates/", "xtask/"] {
        for (path, text) in tree.under(folder, ".rs") {
            match Source::parse(path, text) {
                Ok(source) => sources.push(source),
                Err(error) => {
                    let line = error.span().start().line;
                    findings.push(Finding::fault("syntax", path, line, error.to_string()));
                }
            }
        }
    }
    mark_test_modules(&mut sources);
    sources
}

/// `#[cfg(test)] mod name;` makes the file of that module (and those beneath it) test code.
fn mark_test_modules(sources: &mut [Source]) {
    let mut marked = BTreeSet::new();
    for source in sources.iter() {
        let folder = match source.path.rsplit_once('/') {
            Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder.to_owned(),
            _ => source.path.trim_end_matches(".rs").to_owned(),
        };
        for window in source.tokens.windows(3) {
            if let [a, b, c] = window
                && a.token.is("mod")
                && let Token::Ident(name) = &b.token
                && c.token == Token::Punct(';')
                && source.is_test(a.line)
            {
                marked.insert(format!("{folder}/{name}"));
            }
        }
    }
    for source in sources {
        let is_marked = |module: &String| {
            source.path == format!("{module}.rs") || source.path.starts_with(&format!("{module}/"))
        };
        if marked.iter().any(is_marked) {
            source.tests = Tests::Whole;
        }
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Placed>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        let mut push = |token| tokens.push(Placed { token, line });
        match tree {
            TokenTree::Ident(ident) => push(Token::Ident(ident.to_string())),
            TokenTree::Literal(literal) => push(Token::Literal(literal.to_string())),
            TokenTree::Punct(punct) => {
                if punct.as_char() == '#' {
                    let mut ahead = trees.clone();
                    if matches!(ahead.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!') {
                        ahead.next();
                    }
                    if matches!(ahead.peek(), Some(TokenTree::Group(g)) if is_documentation(g)) {
                        ahead.next();
                        trees = ahead;
                        continue;
                    }
                }
                push(Token::Punct(punct.as_char()));
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ('(', ')'),
                    Delimiter::Bracket => ('[', ']'),
                    Delimiter::Brace => ('{', '}'),
                    Delimiter::None => {
                        flatten(group.stream(), tokens);
                        continue;
                    }
                };
                push(Token::Open(open));
                flatten(group.stream(), tokens);
                let line = group.span_close().start().line;
                tokens.push(Placed {
                    token: Token::Close(close),
                    line,
                });
            }
        }
    }
}

/// Whether the group is the `[doc = "…"]` that a documentation comment becomes.
fn is_documentation(group: &proc_macro2::Group) -> bool {
    let mut trees = group.stream().into_iter();
    matches!(trees.next(), Some(TokenTree::Ident(ident)) if ident == "doc")
        && matches!(trees.next(), Some(TokenTree::Punct(p)) if p.as_char() == '=')
}

/// The index of the token that closes the group opened at `open`.
pub(crate) fn closing(tokens: &[Placed], open: usize) -> usize {
    let mut depth = 0;
    for (at, placed) in tokens.iter().enumerate().skip(open) {
        match placed.token {
            Token::Open(_) => depth += 1,
            Token::Close(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

/// The attribute that starts at `at`: the indexes of its brackets.
pub(crate) fn attribute(tokens: &[Placed], at: usize) -> Option<(usize, usize)> {
    if tokens.get(at)?.token != Token::Punct('#') {
        return None;
    }
    let inner = tokens.get(at + 1)?.token == Token::Punct('!');
    let open = if inner { at + 2 } else { at + 1 };
    (tokens.get(open)?.token == Token::Open('[')).then(|| (open, closing(tokens, open)))
}

/// Lines of items behind `#[cfg(test)]` or `#[test]`.
fn test_ranges(tokens: &[Placed]) -> Vec<RangeInclusive<usize>> {
    let mut ranges = Vec::new();
    for at in 0..tokens.len() {
        let Some((open, close)) = attribute(tokens, at) else {
            continue;
        };
        let words = &tokens[open + 1..close];
        let has = |name: &str| words.iter().any(|w| w.token.is(name));
        let is_test = words.first().is_some_and(|w| w.token.is("test"));
        let is_cfg = words.first().is_some_and(|w| w.token.is("cfg"));
        if is_test || (is_cfg && has("test") && !has("not")) {
            let end = item_end(tokens, close + 1);
            ranges.push(tokens[at].line..=tokens[end].line);
        }
    }
    ranges
}

/// Where the item that starts at `at` ends: at its body's brace, or at a semicolon.
fn item_end(tokens: &[Placed], mut at: usize) -> usize {
    while at < tokens.len() {
        at = match tokens[at].token {
            Token::Punct(';') => return at,
            Token::Open('{') => return closing(tokens, at),
            Token::Open(_) => closing(tokens, at) + 1,
            _ => at + 1,
        };
    }
    tokens.len() - 1
}

/// Reads the path that starts at `at` and gives the index behind it.
fn path_at(
    tokens: &[Placed],
    mut at: usize,
    prefix: &str,
    paths: &mut Vec<(String, usize)>,
) -> usize {
    let line = tokens[at].line;
    let mut path = prefix.to_owned();
    let token = |at: usize| tokens.get(at).map(|placed| &placed.token);
    while let Some(Token::Ident(name)) = token(at) {
        path.push_str(name);
        at += 1;
        let colons = token(at) == Some(&Token::Punct(':'));
        if !(colons && token(at + 1) == Some(&Token::Punct(':'))) {
            break;
        }
        at += 2;
        path.push_str("::");
        if token(at) == Some(&Token::Open('{')) {
            let end = closing(tokens, at);
            at += 1;
            while at < end {
                at = match tokens[at].token {
                    Token::Ident(_) => path_at(tokens, at, &path, paths),
                    _ => at + 1,
                };
            }
            return end + 1;
        }
    }
    paths.push((path, line));
    at
}

#[derive(Default)]
struct Defined {
    names: Vec<(String, usize)>,
    functions: Vec<Function>,
}

impl Defined {
    fn name(&mut self, ident: &syn::Ident) {
        self.names
            .push((ident.to_string(), ident.span().start().line));
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        self.name(&signature.ident);
        let line = signature.ident.span().start().line;
        let end = block.brace_token.span.close().start().line;
        self.functions.push(Function {
            name: signature.ident.to_string(),
            line,
            lines: end + 1 - line,
        });
    }
}

impl<'ast> Visit<'ast> for Defined {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.name(&item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.name(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.name(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.name(&variant.ident);
        visit::visit_variant(self, variant);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if let Some(ident) = &field.ident {
            self.name(ident);
        }
        visit::visit_field(self, field);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.name(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.name(&item.ident);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.name(&item.ident);
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.name(&item.ident);
        visit::visit_item_static(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.name(&item.ident);
        visit::visit_item_mod(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::parse("crates/a/src/lib.rs", text).unwrap()
    }

    #[test]
    fn comments_and_documentation_are_no_tokens() {
        let source =
            source("//! one\n#![doc = \"two\"]\n/// three\nfn f() {} // four\n/* five */\n");
        let words: Vec<_> = source.tokens.iter().map(|p| p.token.clone()).collect();
        let ident = |s: &str| Token::Ident(s.into());
        let open_close = [Token::Open('('), Token::Close(')')];
        assert_eq!(words[..2], [ident("fn"), ident("f")]);
        assert_eq!(words[2..4], open_close);
        assert_eq!(words[4..], [Token::Open('{'), Token::Close('}')]);
    }

    #[test]
    fn use_trees_are_spelled_out() {
        let paths =
            source("use std::{fs, time::{Duration, Instant}};\nfn f() { ::std::env::var(x) }\n")
                .paths();
        for path in [
            ("std::fs", 1),
            ("std::time::Duration", 1),
            ("std::time::Instant", 1),
            ("std::env::var", 2),
        ] {
            assert!(
                paths.contains(&(path.0.to_owned(), path.1)),
                "{path:?} is not in {paths:?}"
            );
        }
    }

    #[test]
    fn test_code_is_told_apart() {
        let source = source(
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n#[cfg(not(test))]\nfn c() {}\n#[test]\nfn d() {\n}\n",
        );
        let tests: Vec<usize> = (1..=10).filter(|&line| source.is_test(line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 8, 9, 10]);
        assert_eq!(source.lines_without_tests(), 3);
    }

    #[test]
    fn the_file_of_a_test_module_is_test_code() {
        let tree = Tree::of(&[
            (
                "crates/a/src/lib.rs",
                "#[cfg(test)]\nmod table;\nmod real;\n",
            ),
            ("crates/a/src/table.rs", "fn f() {}\n"),
            ("crates/a/src/table/deep.rs", "fn f() {}\n"),
            ("crates/a/src/real.rs", "fn f() {}\n"),
        ]);
        let sources = all(&tree, &mut Vec::new());
        let tests: Vec<&str> = sources
            .iter()
            .filter(|s| s.is_test(1) && s.path != "crates/a/src/lib.rs")
            .map(|s| s.path.as_str())
            .collect();
        assert_eq!(
            tests,
            ["crates/a/src/table.rs", "crates/a/src/table/deep.rs"]
        );
    }

    #[test]
    fn names_and_lengths_of_functions_are_known() {
        let source = source(
            "struct Run { tasks: u8 }\nenum State { Ready { since_ms: u8 } }\ntrait Agent {\n    fn start();\n}\nimpl Run {\n    fn end(\n        self,\n    ) {\n    }\n}\n",
        );
        let names: Vec<&str> = source.names.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "Run", "tasks", "State", "Ready", "since_ms", "Agent", "start", "end"
            ]
        );
        assert_eq!(source.functions.len(), 1);
        assert_eq!(
            (source.functions[0].line, source.functions[0].lines),
            (7, 4)
        );
    }
}
