//! A sentence as tokens: words, paths, quotations, numbers, marks.
//!
//! What is not certainly one of these becomes [`Token::Other`], which no rule takes. So a letter
//! from another alphabet, a domain, or a name such as `Node.js` makes a sentence not understood
//! instead of differently understood.

/// One piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, with hyphens and apostrophes between them.
    Word {
        /// In lower case.
        lower: String,
        /// As written.
        raw: String,
    },
    /// A path or a pattern of paths without quotation marks.
    Path(String),
    /// What stands between backquotes.
    Back(String),
    /// What stands between double quotation marks.
    Double(String),
    /// Digits, perhaps with a comma or a dot among them.
    Number(String),
    /// A mark of its own: `,`, `:`, `.`, `>` and others; `≥` also for `>=`.
    Mark(char),
    /// Anything else.
    Other(String),
}

impl Token {
    /// Whether it is this word, whatever its letters' case.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word { lower, .. } if lower == word)
    }

    /// Whether it is this word, whatever the case of either.
    pub(super) fn is_in_any_case(&self, word: &str) -> bool {
        matches!(self, Token::Word { lower, .. } if lower.eq_ignore_ascii_case(word))
    }

    /// Whether a check could look at what it names.
    pub(super) fn is_concrete(&self) -> bool {
        matches!(self, Token::Path(_) | Token::Back(_) | Token::Double(_))
    }
}

/// A quotation that does not end.
pub(super) struct Unclosed;

/// Endings by which a name without a folder is taken for a file's. Others, as in `user.name`, may
/// well be something else; in backquotes after "the file" any name is one.
const ENDINGS: &[&str] = &[
    "adoc", "bat", "c", "cfg", "conf", "cpp", "cs", "css", "csv", "diff", "env", "go", "gql",
    "graphql", "h", "hpp", "html", "ini", "ipynb", "java", "jpg", "js", "json", "jsonl", "jsx",
    "kt", "lock", "log", "lua", "md", "mdx", "mjs", "patch", "pdf", "php", "png", "proto", "ps1",
    "py", "rb", "rs", "rst", "scala", "scss", "sh", "sql", "svelte", "svg", "swift", "tex", "toml",
    "ts", "tsv", "tsx", "txt", "vue", "xml", "yaml", "yml",
];

/// Names of products that look like files.
const PRODUCTS: &[&str] = &[
    "alpine.js",
    "angular.js",
    "backbone.js",
    "chart.js",
    "d3.js",
    "ember.js",
    "express.js",
    "moment.js",
    "next.js",
    "node.js",
    "nuxt.js",
    "p5.js",
    "react.js",
    "socket.js",
    "three.js",
    "vue.js",
];

/// Endings of domains, which begin addresses, not paths.
const DOMAINS: &[&str] = &["app", "com", "dev", "edu", "gov", "io", "net", "org"];

/// The tokens of a text that has one line and no control characters.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Unclosed> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '`' => back(rest, &mut tokens)?,
            '"' => double(&rest[1..], '"', &mut tokens)?,
            '“' => double(&rest['“'.len_utf8()..], '”', &mut tokens)?,
            ',' | ';' | ':' | '(' | ')' | '<' | '≤' | '≥' | '=' => {
                tokens.push(Token::Mark(first));
                &rest[first.len_utf8()..]
            }
            '>' if rest[1..].starts_with('=') => {
                tokens.push(Token::Mark('≥'));
                &rest[2..]
            }
            '>' => {
                tokens.push(Token::Mark('>'));
                &rest[1..]
            }
            _ => plain(rest, &mut tokens),
        };
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// A code span, as Markdown has it: closed by as many backquotes as opened it, and one space at
/// both ends belongs to the marks.
fn back<'t>(text: &'t str, tokens: &mut Vec<Token>) -> Result<&'t str, Unclosed> {
    let (content, rest) = code_span(text).ok_or(Unclosed)?;
    tokens.push(Token::Back(content.to_owned()));
    Ok(separated(rest, tokens))
}

/// What stands in the code span at the text's beginning, and what follows it.
pub(crate) fn code_span(text: &str) -> Option<(&str, &str)> {
    let width = text.len() - text.trim_start_matches('`').len();
    let mark = &text[..width];
    let inside = &text[width..];
    let mut from = 0;
    loop {
        let at = from + inside.get(from..)?.find(mark)?;
        let run = inside[at..].len() - inside[at..].trim_start_matches('`').len();
        if run > width {
            from = at + run;
            continue;
        }
        let content = &inside[..at];
        let trimmed = content
            .strip_prefix(' ')
            .and_then(|content| content.strip_suffix(' '))
            .filter(|content| !content.trim().is_empty());
        return Some((trimmed.unwrap_or(content), &inside[at + width..]));
    }
}

fn double<'t>(inside: &'t str, end: char, tokens: &mut Vec<Token>) -> Result<&'t str, Unclosed> {
    let (content, rest) = inside.split_once(end).ok_or(Unclosed)?;
    tokens.push(Token::Double(content.to_owned()));
    Ok(separated(rest, tokens))
}

/// After a quotation only a space or a mark may follow; what is fused with it is something else.
fn separated<'t>(rest: &'t str, tokens: &mut Vec<Token>) -> &'t str {
    let is_apart =
        |c: char| c.is_whitespace() || matches!(c, ',' | '.' | ':' | ';' | ')' | '!' | '?');
    if !rest.is_empty() && !rest.starts_with(is_apart) {
        tokens.push(Token::Other(String::new()));
    }
    rest
}

/// A run of characters up to white space, with the marks that follow it.
fn plain<'t>(text: &'t str, tokens: &mut Vec<Token>) -> &'t str {
    let ends = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '“' | '”');
    let (run, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    if run.is_empty() {
        // A closing mark without an opening one.
        let length = text.chars().next().map_or(0, char::len_utf8);
        tokens.push(Token::Other(text[..length].to_owned()));
        return &text[length..];
    }
    let fused = rest.chars().next().is_some_and(|c| !c.is_whitespace());
    let core = run.trim_end_matches([',', '.', ':', ';', '!', '?', ')']);
    if core.is_empty() || fused {
        tokens.push(Token::Other(run.to_owned()));
        return rest;
    }
    classify(core, tokens);
    tokens.extend(run[core.len()..].chars().map(Token::Mark));
    rest
}

fn classify(run: &str, tokens: &mut Vec<Token>) {
    let digits = run.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
    {
        tokens.push(Token::Number(digits.to_owned()));
        if digits.len() < run.len() {
            tokens.push(word(&run[digits.len()..]));
        }
        return;
    }
    let unified = run.replace('’', "'");
    let inner = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '\'');
    let is_word = unified.chars().all(inner)
        && unified.starts_with(|c: char| c.is_ascii_alphabetic())
        && unified.ends_with(|c: char| c.is_ascii_alphabetic() || c == '\'');
    tokens.push(match () {
        () if is_word => word(&unified),
        () if is_path(run) => Token::Path(run.to_owned()),
        () => Token::Other(run.to_owned()),
    });
}

fn word(raw: &str) -> Token {
    Token::Word {
        lower: raw.to_ascii_lowercase(),
        raw: raw.to_owned(),
    }
}

/// Whether a run without quotation marks is certainly meant as a path or a pattern of paths.
pub(crate) fn is_path(run: &str) -> bool {
    let fits = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '.' | '_' | '-' | '/' | '@' | '+' | '*' | '?' | '[' | ']' | '{' | '}' | ','
            )
    };
    if !run.chars().all(fits) || (run.contains(',') && !run.contains('{')) {
        return false;
    }
    if is_pattern(run) || run.starts_with("./") {
        return !may_be_emphasis(run);
    }
    let Some((folder, name)) = run.rsplit_once('/') else {
        return is_file_name(run);
    };
    let first = folder.split('/').next().unwrap_or_default();
    let is_domain = first
        .rsplit_once('.')
        .is_some_and(|(_, end)| DOMAINS.contains(&end));
    let is_folder = name.is_empty() && !folder.is_empty();
    !is_domain && (is_folder || ending(name).is_some())
}

/// Whether the stars around a run may be Markdown's, as in `**src/**`: such a pattern would match
/// more than was meant.
fn may_be_emphasis(run: &str) -> bool {
    let begins = run.starts_with('*') && !["*/", "*.", "**/"].iter().any(|b| run.starts_with(b));
    let ends = run.ends_with('*') && !["/*", "/**"].iter().any(|end| run.ends_with(end));
    run.ends_with('*') && begins || run.starts_with('*') && ends
}

/// Whether a name without a folder is certainly a file's.
fn is_file_name(name: &str) -> bool {
    let is_product = PRODUCTS.contains(&name.to_ascii_lowercase().as_str());
    !is_product && ending(name).is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Whether it holds characters by which patterns match several paths.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// What stands after a name's last dot, if it can be an ending.
pub(super) fn ending(name: &str) -> Option<&str> {
    let name = name.rsplit('/').next().unwrap_or_default();
    let (stem, ending) = name.rsplit_once('.')?;
    let fits = (1..=10).contains(&ending.len())
        && ending.chars().all(|c| c.is_ascii_alphanumeric())
        && ending.starts_with(|c: char| c.is_ascii_alphabetic());
    (!stem.is_empty() && fits).then_some(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short form of the tokens: `w:` word, `p:` path, `b:` and `d:` quoted, `n:` number, `?:`.
    fn shown(text: &str) -> String {
        let Ok(tokens) = tokens(text) else {
            return "unclosed".into();
        };
        let shown = tokens.iter().map(|token| match token {
            Token::Word { lower, .. } => format!("w:{lower}"),
            Token::Path(path) => format!("p:{path}"),
            Token::Back(text) => format!("b:{text}"),
            Token::Double(text) => format!("d:{text}"),
            Token::Number(text) => format!("n:{text}"),
            Token::Mark(mark) => format!("{mark}"),
            Token::Other(text) => format!("?:{text}"),
        });
        shown.collect::<Vec<String>>().join(" ")
    }

    #[test]
    fn sentences_come_apart() {
        for (text, expected) in [
            (
                "All stories have requirements.md",
                "w:all w:stories w:have p:requirements.md",
            ),
            ("Run: `cargo test`", "w:run : b:cargo test"),
            ("a.md, b.md and c/", "p:a.md , p:b.md w:and p:c/"),
            ("`` a`b `` exists", "b:a`b w:exists"),
            ("README.md has “Usage”", "p:README.md w:has d:Usage"),
            ("docs/a.md >= 1KB", "p:docs/a.md ≥ n:1 w:kb"),
            ("1,024 bytes", "n:1,024 w:bytes"),
            ("src/**/*.{rs,toml} parse", "p:src/**/*.{rs,toml} w:parse"),
            ("the story’s own", "w:the w:story's w:own"),
            ("A exists. B", "w:a w:exists . w:b"),
            ("(e.g., 1)", "( ?:e.g . , n:1 )"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_path_is_something_else() {
        for text in [
            "Node.js",
            "user.name",
            "and/or",
            "CI/CD",
            "TCP/IP",
            "example.com/a.md",
            "v1.2",
            "3.x",
            "e.g",
            ".md",
            "https://x.y/a.md",
            "C:\\a.md",
            "а.txt\u{301}",
            "a=b.md",
            "~/.ssh/a.md",
            "(a.md",
            "a.md's",
            "`a.md`x",
            "x`a.md`",
            "😀",
            "/",
            "**src/**",
            "*src/*",
            "**README.md**",
            "*a.md*",
            "**a**",
        ] {
            let tokens = tokens(text).ok().unwrap();
            let sound = tokens
                .iter()
                .all(|token| matches!(token, Token::Path(_) | Token::Back(_)));
            assert!(!sound, "{text}: {tokens:?}");
        }
        for text in ["a.md", "docs/x", "`a", "\"a", "“a\""] {
            assert_ne!(shown(text), format!("p:{text}x"), "{text}");
        }
        assert_eq!(shown("`a"), "unclosed");
        assert_eq!(shown("“a\""), "unclosed");
    }
}
