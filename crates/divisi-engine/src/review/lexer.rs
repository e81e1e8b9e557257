//! Which bytes of a text are code, which are in a string, which are in a comment.
//!
//! No parser: enough of each language's lexical rules that a rule about code does not fire on prose
//! and the reverse. A file that does not follow its language's rules is classified somehow, in
//! linear time, and never refused.

use super::language::Language;

/// What a byte belongs to. The delimiters of a string are code; those of a comment are comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Code.
    Code,
    /// The content of a string, a character or a regular expression.
    Content,
    /// A comment.
    Comment,
}

/// The class of each byte of the text.
pub(crate) fn classes(language: Language, text: &str) -> Vec<Class> {
    let mut lexer = Lexer {
        bytes: text.as_bytes(),
        at: 0,
        classes: vec![Class::Code; text.len()],
    };
    match language {
        Language::Rust | Language::JavaScript | Language::Go => lexer.braces(language),
        Language::Python => lexer.python(),
        Language::Shell => lexer.shell(),
        Language::Sql => lexer.sql(),
        Language::Config | Language::Docker => lexer.hashes(),
        Language::Markdown | Language::Other => {}
    }
    lexer.classes
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    classes: Vec<Class>,
}

/// Whether a string may go on in the next line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn before(&self) -> u8 {
        match self.at {
            0 => b'\n',
            at => self.bytes[at - 1],
        }
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(text)
    }

    fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Goes on by so many bytes, which are of this class.
    fn take(&mut self, count: usize, class: Class) {
        let end = (self.at + count).min(self.bytes.len());
        self.classes[self.at..end].fill(class);
        self.at = end;
    }

    fn take_line(&mut self, class: Class) {
        let rest = &self.bytes[self.at..];
        let count = rest.iter().position(|&byte| byte == b'\n');
        self.take(count.unwrap_or(rest.len()), class);
    }

    /// A comment up to its end mark, or the end of the text.
    fn take_block(&mut self, open: &[u8], close: &[u8], nests: bool) {
        let mut depth = 0;
        while !self.is_done() {
            if self.starts_with(close) {
                self.take(close.len(), Class::Comment);
                depth -= 1;
                if depth <= 0 {
                    return;
                }
            } else if self.starts_with(open) && (nests || depth == 0) {
                self.take(open.len(), Class::Comment);
                depth += 1;
            } else {
                self.take(1, Class::Comment);
            }
        }
    }

    /// A string whose opening quote stands here; a backslash keeps what follows in it.
    fn take_string(&mut self, quote: &[u8], lines: Lines) {
        self.take(quote.len(), Class::Code);
        while !self.is_done() {
            if self.starts_with(quote) {
                return self.take(quote.len(), Class::Code);
            }
            match self.peek(0) {
                b'\\' => self.take(2, Class::Content),
                b'\n' if lines == Lines::One => return,
                _ => self.take(1, Class::Content),
            }
        }
    }

    /// A string without escapes.
    fn take_raw(&mut self, open: usize, close: &[u8]) {
        self.take(open, Class::Code);
        while !self.is_done() && !self.starts_with(close) {
            self.take(1, Class::Content);
        }
        self.take(close.len(), Class::Code);
    }

    fn braces(&mut self, language: Language) {
        // Template literals that are open, each with the depth of braces within its `${`.
        let mut templates: Vec<u32> = Vec::new();
        while !self.is_done() {
            match self.peek(0) {
                b'/' if self.peek(1) == b'/' => self.take_line(Class::Comment),
                b'/' if self.peek(1) == b'*' => {
                    self.take_block(b"/*", b"*/", language == Language::Rust);
                }
                b'/' if language == Language::JavaScript && self.expects_value() => {
                    self.take_regex();
                }
                b'"' if language == Language::Rust => self.take_string(b"\"", Lines::Many),
                b'"' => self.take_string(b"\"", Lines::One),
                b'r' if language == Language::Rust && self.raw_hashes().is_some() => {
                    let hashes = self.raw_hashes().unwrap_or(0);
                    let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
                    self.take_raw(hashes + 2, &close);
                }
                b'\'' if language == Language::Rust => self.take_character_or_lifetime(),
                b'\'' => self.take_string(b"'", Lines::One),
                b'`' if language == Language::Go => self.take_raw(1, b"`"),
                b'`' if language == Language::JavaScript => {
                    self.take(1, Class::Code);
                    self.take_template(&mut templates);
                }
                b'{' if !templates.is_empty() => {
                    *templates.last_mut().expect("it is not empty") += 1;
                    self.take(1, Class::Code);
                }
                b'}' if templates.last() == Some(&0) => {
                    templates.pop();
                    self.take(1, Class::Code);
                    self.take_template(&mut templates);
                }
                b'}' if !templates.is_empty() => {
                    *templates.last_mut().expect("it is not empty") -= 1;
                    self.take(1, Class::Code);
                }
                _ => self.take(1, Class::Code),
            }
        }
    }

    /// The text of a template literal up to its end, or up to the code within `${`.
    fn take_template(&mut self, templates: &mut Vec<u32>) {
        while !self.is_done() {
            match self.peek(0) {
                b'`' => return self.take(1, Class::Code),
                b'$' if self.peek(1) == b'{' => {
                    self.take(2, Class::Code);
                    return templates.push(0);
                }
                b'\\' => self.take(2, Class::Content),
                _ => self.take(1, Class::Content),
            }
        }
    }

    /// How many hashes a raw string has that starts here, if one does.
    fn raw_hashes(&self) -> Option<usize> {
        let before = self.before();
        let is_prefixed =
            matches!(before, b'b' | b'c') && !(self.at >= 2 && is_word(self.bytes[self.at - 2]));
        if is_word(before) && !is_prefixed {
            return None;
        }
        let rest = &self.bytes[self.at + 1..];
        let hashes = rest.iter().take_while(|&&byte| byte == b'#').count();
        (rest.get(hashes) == Some(&b'"')).then_some(hashes)
    }

    fn take_character_or_lifetime(&mut self) {
        let rest = &self.bytes[self.at + 1..];
        let is_character = match rest {
            [b'\\', ..] => true,
            [first, ..] => {
                let width = match first {
                    0xf0.. => 4,
                    0xe0.. => 3,
                    0xc0.. => 2,
                    _ => 1,
                };
                rest.get(width) == Some(&b'\'')
            }
            [] => false,
        };
        match is_character {
            true => self.take_string(b"'", Lines::One),
            false => self.take(1, Class::Code),
        }
    }

    /// Whether a value may start here, so that a slash is the start of a regular expression.
    fn expects_value(&self) -> bool {
        let mut at = self.at;
        while at > 0 && (self.bytes[at - 1].is_ascii_whitespace() || !self.is_code(at - 1)) {
            if self.bytes[at - 1] == b'\n' && self.is_code(at - 1) {
                // A division does not start a line.
                return true;
            }
            at -= 1;
        }
        let Some(&last) = self.bytes[..at].last() else {
            return true;
        };
        if !is_word(last) {
            return !matches!(last, b')' | b']' | b'}' | b'$' | b'"' | b'\'' | b'`');
        }
        let start = self.bytes[..at].iter().rposition(|&byte| !is_word(byte));
        let word = &self.bytes[start.map_or(0, |start| start + 1)..at];
        let keywords: [&[u8]; 8] = [
            b"return", b"typeof", b"case", b"in", b"of", b"void", b"throw", b"else",
        ];
        keywords.contains(&word)
    }

    fn is_code(&self, at: usize) -> bool {
        self.classes[at] == Class::Code
    }

    fn take_regex(&mut self) {
        self.take(1, Class::Code);
        let mut in_set = false;
        while !self.is_done() {
            match self.peek(0) {
                b'\n' => return,
                b'/' if !in_set => return self.take(1, Class::Code),
                b'\\' => {
                    self.take(2, Class::Content);
                    continue;
                }
                b'[' => in_set = true,
                b']' => in_set = false,
                _ => {}
            }
            self.take(1, Class::Content);
        }
    }

    fn python(&mut self) {
        while !self.is_done() {
            match self.peek(0) {
                b'#' => self.take_line(Class::Comment),
                b'"' if self.starts_with(b"\"\"\"") => self.take_string(b"\"\"\"", Lines::Many),
                b'\'' if self.starts_with(b"'''") => self.take_string(b"'''", Lines::Many),
                b'"' => self.take_string(b"\"", Lines::One),
                b'\'' => self.take_string(b"'", Lines::One),
                _ => self.take(1, Class::Code),
            }
        }
    }

    fn hashes(&mut self) {
        while !self.is_done() {
            match self.peek(0) {
                b'#' if self.before().is_ascii_whitespace() => self.take_line(Class::Comment),
                b'"' => self.take_string(b"\"", Lines::One),
                _ => self.take(1, Class::Code),
            }
        }
    }

    fn sql(&mut self) {
        while !self.is_done() {
            match self.peek(0) {
                b'-' if self.peek(1) == b'-' => self.take_line(Class::Comment),
                b'/' if self.peek(1) == b'*' => self.take_block(b"/*", b"*/", false),
                b'\'' => self.take_raw(1, b"'"),
                _ => self.take(1, Class::Code),
            }
        }
    }

    fn shell(&mut self) {
        let mut inside: Vec<InShell> = Vec::new();
        let mut waiting: Vec<HereDocument> = Vec::new();
        while !self.is_done() {
            if let Some(InShell::Quotes) = inside.last() {
                self.in_quotes(&mut inside);
                continue;
            }
            match self.peek(0) {
                b'\\' => self.take(2, Class::Code),
                b'#' if self.before().is_ascii_whitespace() || b";(".contains(&self.before()) => {
                    self.take_line(Class::Comment);
                }
                b'\'' if self.before() == b'$' => self.take_string(b"'", Lines::Many),
                b'\'' => self.take_raw(1, b"'"),
                b'"' => {
                    self.take(1, Class::Code);
                    inside.push(InShell::Quotes);
                }
                b'(' => {
                    self.take(1, Class::Code);
                    inside.push(InShell::Parentheses);
                }
                b')' => {
                    self.take(1, Class::Code);
                    inside.pop();
                }
                b'<' if self.starts_with(b"<<<") => self.take(3, Class::Code),
                b'<' if self.starts_with(b"<<") => {
                    self.take(2, Class::Code);
                    waiting.extend(self.here_document());
                }
                b'\n' => {
                    self.take(1, Class::Code);
                    for document in waiting.drain(..) {
                        self.take_here_document(&document);
                    }
                }
                _ => self.take(1, Class::Code),
            }
        }
    }

    fn in_quotes(&mut self, inside: &mut Vec<InShell>) {
        match self.peek(0) {
            b'"' => {
                self.take(1, Class::Code);
                inside.pop();
            }
            b'\\' => self.take(2, Class::Content),
            b'$' if self.peek(1) == b'(' => {
                self.take(2, Class::Code);
                inside.push(InShell::Parentheses);
            }
            _ => self.take(1, Class::Content),
        }
    }

    /// What follows `<<`, if it is the name of a here-document.
    fn here_document(&mut self) -> Option<HereDocument> {
        let tabs = self.peek(0) == b'-';
        let mut at = self.at + usize::from(tabs);
        while matches!(self.bytes.get(at), Some(b' ')) {
            at += 1;
        }
        let quoted = matches!(self.bytes.get(at), Some(b'\'' | b'"' | b'\\'));
        at += usize::from(quoted);
        let rest = &self.bytes[at..];
        let length = rest.iter().take_while(|&&byte| is_word(byte)).count();
        let name = rest[..length].to_vec();
        let starts_well = name.first().is_some_and(|byte| !byte.is_ascii_digit());
        starts_well.then(|| {
            let closing = usize::from(matches!(rest.get(length), Some(b'\'' | b'"')));
            self.take(at + length + closing - self.at, Class::Code);
            HereDocument { name, tabs }
        })
    }

    fn take_here_document(&mut self, document: &HereDocument) {
        while !self.is_done() {
            let rest = &self.bytes[self.at..];
            let length = rest.iter().position(|&byte| byte == b'\n');
            let mut line = &rest[..length.unwrap_or(rest.len())];
            while document.tabs && line.first() == Some(&b'\t') {
                line = &line[1..];
            }
            if line == document.name {
                return;
            }
            self.take_line(Class::Content);
            self.take(1, Class::Code);
        }
    }
}

/// What a place of a shell script is within.
enum InShell {
    /// Double quotes.
    Quotes,
    /// Parentheses, perhaps within quotes again.
    Parentheses,
}

struct HereDocument {
    name: Vec<u8>,
    /// Whether leading tabs do not count.
    tabs: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with strings' contents as `s` and comments as `c`.
    fn shown(language: Language, text: &str) -> String {
        let classes = classes(language, text);
        assert_eq!(classes.len(), text.len());
        text.char_indices()
            .map(|(at, c)| match (classes[at], c) {
                (_, '\n') => '\n',
                (Class::Code, c) => c,
                (Class::Content, _) => 's',
                (Class::Comment, _) => 'c',
            })
            .collect()
    }

    fn check(language: Language, text: &str, expected: &str) {
        assert_eq!(shown(language, text), expected, "{text}");
    }

    #[test]
    fn rust() {
        let check = |text, expected| check(Language::Rust, text, expected);
        check("a // b\nc", "a cccc\nc");
        check("/* a /* b */ c */ d", "ccccccccccccccccc d");
        check(r#"f("a\"b", 'c', '\'', 'd)"#, r#"f("ssss", 's', 'ss', 'd)"#);
        check(r##"r#"a"b"# x"##, r##"r#"sss"# x"##);
        check(r#"br"a\" x"#, r#"br"ss" x"#);
        check("for'a\" \n\"", "for'a\"s\n\"");
        check("'ü' 'a", "'s' 'a");
        check("\"never closed", "\"ssssssssssss");
    }

    #[test]
    fn javascript() {
        let check = |text, expected| check(Language::JavaScript, text, expected);
        check("a = /x\"[/]/g; b", "a = /sssss/g; b");
        check("a / b / c", "a / b / c");
        check("return /'/", "return /s/");
        check("`a${b + `c${d}`}e` f", "`s${b + `s${d}`}s` f");
        check("`${ {a: 1} }x`", "`${ {a: 1} }s`");
        check("'it\nx'", "'ss\nx'");
    }

    #[test]
    fn python() {
        let check = |text, expected| check(Language::Python, text, expected);
        check("f(\"a#b\") # c\nd", "f(\"sss\") ccc\nd");
        check("\"\"\"a\n\"b\" '\"\"\" c", "\"\"\"s\nsssss\"\"\" c");
        check("r'a\\'b' c", "r'ssss' c");
    }

    #[test]
    fn go() {
        check(Language::Go, "`a\\` \"b\" 'c' // d", "`ss` \"s\" 's' cccc");
    }

    #[test]
    fn shell() {
        let check = |text, expected| check(Language::Shell, text, expected);
        check("rm $a \"$b\" '$c' # d", "rm $a \"ss\" 'ss' ccc");
        check("\"$(rm \"$a\" $b)c\" d", "\"$(rm \"ss\" $b)s\" d");
        check("cat <<EOF $x\n$y\nEOF\n$z", "cat <<EOF $x\nss\nEOF\n$z");
        check("cat <<-'E'\n\ta\n\tE\nb", "cat <<-'E'\nss\n\tE\nb");
        check("echo $((1 << 2)) ${#a}", "echo $((1 << 2)) ${#a}");
        check("cat <<<'a' # b", "cat <<<'s' ccc");
    }

    #[test]
    fn sql_and_configuration() {
        check(Language::Sql, "a 'b--c' -- d", "a 'ssss' cccc");
        check(
            Language::Config,
            "a: \"b # c\" # d\nurl: x#y",
            "a: \"sssss\" ccc\nurl: x#y",
        );
    }

    #[test]
    fn any_text_is_classified_without_a_panic() {
        let hostile = "\"'`/*//r#\"${<<E\\\u{1f600}'\u{e9}\\".repeat(50);
        for language in [
            Language::Rust,
            Language::Python,
            Language::JavaScript,
            Language::Go,
            Language::Shell,
            Language::Sql,
            Language::Config,
        ] {
            for end in (0..hostile.len()).filter(|&at| hostile.is_char_boundary(at)) {
                assert_eq!(classes(language, &hostile[..end]).len(), end);
            }
        }
    }
}
