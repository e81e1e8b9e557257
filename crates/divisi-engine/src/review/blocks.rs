//! The blocks of a program: its loops, functions, closures and tests.
//!
//! Found by braces, or by indentation, in the view of the code, without a parser. A block that is
//! not understood is *other*: rules that ask for a loop or a test do not fire in it.

use std::sync::LazyLock;

use regex::Regex;

use super::language::Language;

/// More blocks than this are not told apart: what comes after is in no block.
const BLOCKS_MAX: usize = 100_000;

/// A header is not read further back than this.
const HEADER_BYTES_MAX: usize = 2_000;

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BlockKind {
    /// It is repeated.
    Loop {
        /// The names that each turn binds anew.
        variables: Vec<String>,
    },
    /// A function.
    Function(Function),
    /// A function without a name, or a block that is executed later.
    Closure {
        /// Whether it may wait.
        is_async: bool,
    },
    /// A group of tests.
    Tests,
    /// Anything else.
    Other,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name; empty if it has none.
    pub(crate) name: String,
    /// Whether it may wait.
    pub(crate) is_async: bool,
    /// Whether it is a test.
    pub(crate) is_test: bool,
}

/// A block with its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// What it is.
    pub(crate) kind: BlockKind,
    /// Where its header starts.
    pub(crate) start: usize,
    /// Where its body starts.
    pub(crate) open: usize,
    /// Where its body ends.
    pub(crate) close: usize,
    /// The block around it.
    pub(crate) parent: Option<usize>,
}

impl Block {
    /// The function that it is.
    pub(crate) fn function(&self) -> Option<&Function> {
        match &self.kind {
            BlockKind::Function(function) => Some(function),
            _ => None,
        }
    }

    /// Whether it is a test or a group of tests.
    pub(crate) fn is_test(&self) -> bool {
        match &self.kind {
            BlockKind::Tests => true,
            BlockKind::Function(function) => function.is_test,
            BlockKind::Loop { .. } | BlockKind::Closure { .. } | BlockKind::Other => false,
        }
    }

    /// The names that each turn of a loop binds anew.
    pub(crate) fn bound(&self) -> &[String] {
        match &self.kind {
            BlockKind::Loop { variables } => variables,
            _ => &[],
        }
    }
}

/// All blocks in a view of code, by where they open.
pub(crate) fn of(language: Language, code: &str) -> Vec<Block> {
    match language {
        Language::Rust => by_braces(code, Ends::Semicolons, rust),
        Language::JavaScript => by_braces(code, Ends::Lines, javascript),
        Language::Go => by_braces(code, Ends::Lines, go),
        Language::Python => by_indentation(code),
        _ => Vec::new(),
    }
}

/// What ends a statement outside parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Semicolons only.
    Semicolons,
    /// Lines too.
    Lines,
}

fn by_braces(code: &str, ends: Ends, kind_of: fn(&str) -> BlockKind) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    // Open blocks, each with the depth of parentheses around it and the start of its statement.
    let mut open: Vec<(usize, u32, usize)> = Vec::new();
    let depth_of = |open: &[(usize, u32, usize)]| open.last().map_or(0, |(_, depth, _)| *depth);
    // Where the statement starts, and the one before, should this one be empty.
    let (mut depth, mut header, mut earlier) = (0u32, 0, 0);
    for (at, byte) in code.bytes().enumerate() {
        let is_outside = depth == depth_of(&open);
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b';' if is_outside => header = at + 1,
            b'\n' if is_outside && ends == Ends::Lines => {
                if code[header..at].contains(|c: char| !c.is_whitespace()) {
                    earlier = header;
                }
                header = at + 1;
            }
            b'{' if blocks.len() < BLOCKS_MAX => {
                let mut text = header_text(code, header, at);
                if text.is_empty() {
                    text = header_text(code, earlier, at);
                }
                let parent = open.last().map(|(block, ..)| *block);
                open.push((blocks.len(), depth, header));
                blocks.push(Block {
                    kind: kind_of(text.trim()),
                    start: at - text.len(),
                    open: at,
                    close: code.len(),
                    parent,
                });
                (header, earlier) = (at + 1, at + 1);
            }
            b'}' => {
                (header, earlier) = (at + 1, at + 1);
                if let Some((block, around, start)) = open.pop() {
                    blocks[block].close = at;
                    depth = around;
                    // Within parentheses the statement around it goes on.
                    if around > depth_of(&open) {
                        header = start;
                    }
                }
            }
            _ => {}
        }
    }
    blocks
}

/// What stands before a brace since the statement's start.
fn header_text(code: &str, start: usize, brace: usize) -> &str {
    let earliest = brace.saturating_sub(HEADER_BYTES_MAX).max(start);
    let from = (earliest..=brace).find(|&from| code.is_char_boundary(from));
    code[from.unwrap_or(brace)..brace].trim_start()
}

/// A pattern that is part of this program.
macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is well-formed"));
    };
}

pattern!(RUST_TESTS, r"(?s)#\[cfg\((all\(\s*)?test\b.*\bmod\s+\w+$");
pattern!(RUST_TEST, r"#\[(\w+::)*(test|rstest|test_case|bench)\b");
pattern!(
    RUST_FUNCTION,
    r"(?s)(\basync\s+(?:unsafe\s+)?)?(?:extern\s*\S*\s*)?\bfn\s+(\w+)"
);
pattern!(
    RUST_LOOP,
    r"(?s)^(?:'\w+\s*:\s*)?(?:for\s+(.*?)\s+in\b|while\b|loop$)"
);
pattern!(RUST_LATE_LOOP, r"=\s*(?:'\w+\s*:\s*)?loop$");
pattern!(
    RUST_CLOSURE,
    r"(?s)(\basync\b\s*)?(?:\bmove\b\s*)?\|[^|]*\|\s*(?:->[^=]*)?$"
);
pattern!(RUST_ASYNC, r"\basync(\s+move)?$");

fn rust(header: &str) -> BlockKind {
    if RUST_TESTS.is_match(header) {
        return BlockKind::Tests;
    }
    if let Some(found) = RUST_FUNCTION.captures(header) {
        return BlockKind::Function(Function {
            name: found[2].to_owned(),
            is_async: found.get(1).is_some(),
            is_test: RUST_TEST.is_match(header),
        });
    }
    if let Some(found) = RUST_LOOP.captures(header) {
        let variables = words(found.get(1).map_or("", |bound| bound.as_str()));
        return BlockKind::Loop { variables };
    }
    if RUST_LATE_LOOP.is_match(header) {
        let variables = Vec::new();
        return BlockKind::Loop { variables };
    }
    if RUST_ASYNC.is_match(header) {
        return BlockKind::Closure { is_async: true };
    }
    match RUST_CLOSURE.captures(header) {
        Some(found) => BlockKind::Closure {
            is_async: found.get(1).is_some(),
        },
        None => BlockKind::Other,
    }
}

pattern!(
    JS_LOOP,
    r"(?s)^(?:\w+\s*:\s*)?(?:(?:for|while)\b\s*(?:await\s*)?\(.*\)$|do$)"
);
pattern!(
    JS_LOOP_BINDS,
    r"^\s*for\s*(?:await\s*)?\(\s*(?:const|let|var)\s+([^=]*?)\s*(?:=|\bof\b|\bin\b)"
);
pattern!(
    JS_TEST,
    r"(?:^|[^.\w$])(describe|suite|it|test|specify)(?:\.\w+)*\s*\("
);
pattern!(
    JS_FUNCTION,
    r"(?s)(\basync\s+)?\bfunction\b\s*\*?\s*([\w$]*)\s*(?:<[^()]*>\s*)?\(.*\)\s*(?::[^;]*)?$"
);
pattern!(
    JS_ARROW,
    r"(?s)(?:\b(?:const|let|var)\s+([\w$]+)\s*(?::[^=]*)?=\s*)?(\basync\s*)?(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|[\w$]+)\s*(?::[^=]*)?=>$"
);
pattern!(
    JS_METHOD,
    r"(?s)^(?:(?:public|private|protected|static|override|readonly|get|set|(async))\s+)*\*?\s*([\w$#]+)\s*\(.*\)\s*(?::[^=]+)?$"
);

/// What stands before parentheses and a block without being a method.
const JS_STATEMENTS: &[&str] = &["if", "for", "while", "switch", "catch", "with"];

fn javascript(header: &str) -> BlockKind {
    if JS_LOOP.is_match(header) {
        let variables = JS_LOOP_BINDS
            .captures(header)
            .map_or_else(Vec::new, |found| words(&found[1]));
        return BlockKind::Loop { variables };
    }
    let function = |name: &str, is_async: bool| {
        // What is passed to a test's call has no name of its own.
        let test = JS_TEST.captures(header).filter(|_| name.is_empty());
        match test.as_ref().map(|found| &found[1]) {
            Some("describe" | "suite") => BlockKind::Tests,
            test => BlockKind::Function(Function {
                name: name.to_owned(),
                is_async,
                is_test: test.is_some(),
            }),
        }
    };
    if let Some(found) = JS_FUNCTION.captures(header) {
        return function(&found[2], found.get(1).is_some());
    }
    if header.ends_with("=>") {
        return match JS_ARROW.captures(header) {
            Some(found) => {
                let name = found.get(1).map_or("", |name| name.as_str());
                function(name, found.get(2).is_some())
            }
            None => BlockKind::Closure { is_async: false },
        };
    }
    match JS_METHOD.captures(header) {
        Some(found) if !JS_STATEMENTS.contains(&&found[2]) => BlockKind::Function(Function {
            name: found[2].to_owned(),
            is_async: found.get(1).is_some(),
            is_test: false,
        }),
        _ => BlockKind::Other,
    }
}

pattern!(GO_LOOP, r"^(?:\w+\s*:\s*)?for\b\s*(?:([^=]*?):=)?");
pattern!(GO_FUNCTION, r"^func\s*(?:\([^)]*\)\s*)?(\w+)");
pattern!(GO_CLOSURE, r"(?s)\bfunc\s*\([^()]*\)[^{;]*$");

fn go(header: &str) -> BlockKind {
    if let Some(found) = GO_LOOP.captures(header) {
        let variables = words(found.get(1).map_or("", |bound| bound.as_str()));
        return BlockKind::Loop { variables };
    }
    if let Some(found) = GO_FUNCTION.captures(header) {
        return BlockKind::Function(Function {
            name: found[1].to_owned(),
            is_async: false,
            is_test: found[1].starts_with("Test") || found[1].starts_with("Benchmark"),
        });
    }
    match GO_CLOSURE.is_match(header) {
        true => BlockKind::Closure { is_async: false },
        false => BlockKind::Other,
    }
}

pattern!(PY_BLOCK, r"^(async\s+)?(def|for|while|class)\b\s*(\w*)");
pattern!(PY_TEST, r"^test(?:_|[A-Z]|$)");
pattern!(PY_LOOP_BINDS, r"(?s)^(?:async\s+)?for\s+(.*?)\s+in\b");

/// A logical line: where it starts, how far it is indented, where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Where its first word starts.
    pub(crate) start: usize,
    /// How far it is indented.
    pub(crate) indent: usize,
    /// Where it ends, the end of its last line not included.
    pub(crate) end: usize,
}

/// The logical lines of a view of Python code.
pub(crate) fn statements(code: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    let (mut depth, mut start) = (0u32, 0);
    let (mut goes_on, mut in_string) = (false, false);
    for line in code.split_inclusive('\n') {
        let text = line.trim_end();
        let indent = text.len() - text.trim_start().len();
        let end = start + text.len();
        if goes_on {
            if let Some(last) = statements.last_mut() {
                last.end = end.max(last.end);
            }
        } else if !text.is_empty() {
            statements.push(Statement {
                start: start + indent,
                indent,
                end,
            });
        }
        for byte in text.bytes() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        // The view holds no contents of strings: all triple quotes in it open or close one.
        let quotes = text.matches("\"\"\"").count() + text.matches("'''").count();
        in_string ^= quotes % 2 == 1;
        goes_on = depth > 0 || in_string || text.ends_with('\\');
        start += line.len();
    }
    statements
}

fn by_indentation(code: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut last_end = 0;
    for statement in statements(code) {
        while let Some(&(block, indent)) = open.last()
            && statement.indent <= indent
        {
            blocks[block].close = last_end;
            open.pop();
        }
        last_end = statement.end;
        let text = &code[statement.start..statement.end];
        if blocks.len() < BLOCKS_MAX
            && let Some(kind) = python(text)
        {
            let parent = open.last().map(|(block, _)| *block);
            open.push((blocks.len(), statement.indent));
            blocks.push(Block {
                kind,
                start: statement.start,
                open: statement.end - 1,
                close: code.len(),
                parent,
            });
        }
    }
    blocks
}

fn python(text: &str) -> Option<BlockKind> {
    if !text.ends_with(':') {
        return None;
    }
    let found = PY_BLOCK.captures(text)?;
    Some(match &found[2] {
        "def" => BlockKind::Function(Function {
            name: found[3].to_owned(),
            is_async: found.get(1).is_some(),
            is_test: PY_TEST.is_match(&found[3]),
        }),
        "class" => BlockKind::Other,
        _ => BlockKind::Loop {
            variables: PY_LOOP_BINDS
                .captures(text)
                .map_or_else(Vec::new, |found| words(&found[1])),
        },
    })
}

/// The names in a pattern.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$'))
        .filter(|word| !matches!(*word, "mut" | "ref" | "_"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::source::{Source, View};

    /// The blocks of a file that are not *other*, as words.
    fn check(path: &str, text: &str, expected: &[&str]) {
        let source = Source::new(path, text.to_owned());
        let shown: Vec<String> = source
            .blocks
            .iter()
            .filter_map(|block| {
                assert!(block.start <= block.open && block.open <= block.close);
                Some(match &block.kind {
                    BlockKind::Loop { variables } => format!("loop {}", variables.join(" ")),
                    BlockKind::Function(function) => format!(
                        "{}{}fn {}",
                        if function.is_test { "test " } else { "" },
                        if function.is_async { "async " } else { "" },
                        function.name
                    ),
                    BlockKind::Closure { is_async: true } => "async".to_owned(),
                    BlockKind::Closure { is_async: false } => "closure".to_owned(),
                    BlockKind::Tests => "tests".to_owned(),
                    BlockKind::Other => return None,
                })
            })
            .collect();
        let shown: Vec<&str> = shown.iter().map(|text| text.trim_end()).collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn rust_blocks() {
        check(
            "a.rs",
            "impl A for B {\n pub async fn f(&self) -> [u8; 4] {\n  let x = 'a: loop { };\n  'b: for (i, mut v) in [0; 4] { match v { 1 => { } } }\n  while x { g(|a| { b }); h(async move { c }); }\n }\n}",
            &["async fn f", "loop", "loop i v", "loop", "closure", "async"],
        );
        check(
            "a.rs",
            "#[cfg(test)]\nmod tests {\n #[tokio::test]\n async fn f()\n where\n  A: B,\n {\n  if a | b { }\n }\n}",
            &["tests", "test async fn f"],
        );
    }

    #[test]
    fn javascript_blocks() {
        check(
            "a.ts",
            "const a = 1\nfor (const [k, v] of b) {\n}\nexport const f = async (a, { b }) => {\n  while (x) { }\n}\nclass A {\n  async g(a): Promise<B> { if (a) { } }\n}\nfunction h()\n{\n}\nx.map(y => re.test(y)).filter(z => { })",
            &["loop k v", "async fn f", "loop", "async fn g", "fn h", "fn"],
        );
        check(
            "a.test.js",
            "describe('a', () => {\n  it('b', async () => {\n    expect(1)\n  })\n  test.each([1])('c', function (x) { })\n})",
            &["tests", "test async fn", "test fn"],
        );
    }

    #[test]
    fn go_blocks() {
        check(
            "a_test.go",
            "func (s *S) Name(a int) (x int, err error) {\n\tfor i, v := range a {\n\t\tgo func() {\n\t\t}()\n\t}\n}\nfunc TestA(t *testing.T) {\n}",
            &["fn Name", "loop i v", "closure", "test fn TestA"],
        );
    }

    #[test]
    fn python_blocks_end_with_their_indentation() {
        let text = "async def f(\n    a,\n):\n    x = \"\"\"\nb\n\"\"\"\n    for a, b in c:  # d\n        y()\n    z()\n\nclass T:\n    def test_a(self): pass\n    def test_b(self):\n        while True:\n            pass\n";
        check(
            "a.py",
            text,
            &["async fn f", "loop a b", "test fn test_b", "loop"],
        );
        let source = Source::new("a.py", text.to_owned());
        let at = |word: &str| text.find(word).unwrap_or(0);
        assert!(source.loop_around(at("y()")).is_some());
        assert!(source.loop_around(at("z()")).is_none());
        assert!(source.is_async(at("z()")));
        assert_eq!(source.view(View::Code).len(), text.len());
    }

    #[test]
    fn unbalanced_braces_are_bounded() {
        check("a.rs", "}}}} fn f() { ((( } fn g() {", &["fn f", "fn g"]);
    }
}
