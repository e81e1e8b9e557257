//! A text made ready for rules: its lines, its views, its blocks.

use super::blocks::{self, Block, BlockKind};
use super::language::{self, Language};
use super::lexer::{self, Class};

/// What a rule looks at. All views have the length of the text: what is left out is spaces, so
/// that a place in one is the same place in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum View {
    /// Everything.
    Text,
    /// Code without comments and without the contents of strings.
    Code,
    /// Code with strings, without comments.
    Live,
    /// Comments only.
    Comments,
}

/// What kind of code a place is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What ships.
    Code,
    /// Tests, and what only they use.
    Test,
    /// Examples for readers.
    Example,
}

/// A file's text, ready for rules.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path in the repository.
    pub(crate) path: String,
    /// What it is written in.
    pub(crate) language: Language,
    /// Its blocks, by their start.
    pub(crate) blocks: Vec<Block>,
    text: String,
    code: String,
    live: String,
    comments: String,
    line_starts: Vec<usize>,
    part: Part,
}

impl Source {
    /// Of a file.
    pub(crate) fn new(path: &str, text: String) -> Source {
        let language = Language::of(path, &text);
        let classes = lexer::classes(language, &text);
        let view = |shows: fn(Class) -> bool| blanked(&text, &classes, shows);
        let code = view(|class| class == Class::Code);
        let live = view(|class| class != Class::Comment);
        let comments = view(|class| class == Class::Comment);
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        let part = if language::is_test_path(path) {
            Part::Test
        } else if path.split('/').any(|part| part == "examples") {
            Part::Example
        } else {
            Part::Code
        };
        Source {
            path: path.to_owned(),
            language,
            blocks: blocks::of(language, &code),
            line_starts: std::iter::once(0).chain(starts).collect(),
            text,
            code,
            live,
            comments,
            part,
        }
    }

    /// One of its views.
    pub(crate) fn view(&self, view: View) -> &str {
        match view {
            View::Text => &self.text,
            View::Code => &self.code,
            View::Live => &self.live,
            View::Comments => &self.comments,
        }
    }

    /// The line, from 1, that holds a place.
    pub(crate) fn line_of(&self, at: usize) -> u32 {
        let line = self.line_starts.partition_point(|&start| start <= at);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// How many lines it has.
    pub(crate) fn line_count(&self) -> usize {
        match self.text.ends_with('\n') || self.text.is_empty() {
            true => self.line_starts.len() - 1,
            false => self.line_starts.len(),
        }
    }

    /// A line, from 1, in a view, without its end.
    pub(crate) fn line(&self, view: View, line: u32) -> &str {
        let span = self.lines(line, line);
        self.view(view)[span].trim_end_matches(['\n', '\r'])
    }

    /// Where lines lie, both from 1 and included; an empty place where there are none.
    pub(crate) fn lines(&self, first: u32, last: u32) -> std::ops::Range<usize> {
        let start_of = |line: u32| {
            let at = usize::try_from(line)
                .unwrap_or(usize::MAX)
                .saturating_sub(1);
            self.line_starts.get(at).copied().unwrap_or(self.text.len())
        };
        let (start, end) = (start_of(first), start_of(last.saturating_add(1)));
        start..end.max(start)
    }

    /// The innermost block around a place.
    fn innermost(&self, at: usize) -> Option<&Block> {
        let after = self.blocks.partition_point(|block| block.open < at);
        let mut block = self.blocks.get(after.checked_sub(1)?);
        while let Some(found) = block {
            if found.close > at {
                return Some(found);
            }
            block = found.parent.map(|parent| &self.blocks[parent]);
        }
        None
    }

    /// The blocks around a place, from the innermost outwards.
    pub(crate) fn around(&self, at: usize) -> impl Iterator<Item = &Block> {
        let outer = |block: &&Block| block.parent.map(|parent| &self.blocks[parent]);
        std::iter::successors(self.innermost(at), outer)
    }

    /// The loop that a place is repeated by, within its function.
    pub(crate) fn loop_around(&self, at: usize) -> Option<&Block> {
        let relevant = |block: &&Block| block.kind != BlockKind::Other;
        self.around(at)
            .find(relevant)
            .filter(|block| matches!(block.kind, BlockKind::Loop { .. }))
    }

    /// Whether a place is executed by an asynchronous function itself.
    pub(crate) fn is_async(&self, at: usize) -> bool {
        self.around(at).find_map(|block| match &block.kind {
            BlockKind::Function(function) => Some(function.is_async),
            BlockKind::Closure { is_async } => Some(*is_async),
            BlockKind::Loop { .. } | BlockKind::Tests | BlockKind::Other => None,
        }) == Some(true)
    }

    /// What kind of code a place is in.
    pub(crate) fn part(&self, at: usize) -> Part {
        // An attribute or a header stands before its block.
        let after = self.blocks.partition_point(|block| block.open < at);
        let starts_here = self
            .blocks
            .get(after)
            .is_some_and(|block| block.start <= at && block.is_test());
        match self.part {
            Part::Code if starts_here || self.around(at).any(Block::is_test) => Part::Test,
            part => part,
        }
    }
}

/// The text with everything replaced by spaces that is not shown; lines stay.
fn blanked(text: &str, classes: &[Class], shows: impl Fn(Class) -> bool) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (byte, &class) in bytes.iter_mut().zip(classes) {
        if !shows(class) && !matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    String::from_utf8(bytes).expect("all bytes of a character have one class")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_leave_out_and_places_stay() {
        let source = Source::new("a.rs", "let a = \"ü\"; // b\nc();\n".to_owned());
        assert_eq!(source.view(View::Code), "let a = \"  \";     \nc();\n");
        assert_eq!(source.view(View::Live), "let a = \"ü\";     \nc();\n");
        assert_eq!(source.view(View::Comments), "              // b\n    \n");
        assert_eq!(
            source.line_of(source.view(View::Code).find('c').unwrap_or(0)),
            2
        );
        assert_eq!(source.line(View::Text, 2), "c();");
        assert_eq!(source.line(View::Text, 9), "");
        assert_eq!(source.line_count(), 2);
    }

    #[test]
    fn a_loop_counts_only_within_its_function() {
        let text = "fn f() {\n for a in b {\n  here();\n  spawn(async move { there() });\n }\n}\n";
        let source = Source::new("src/a.rs", text.to_owned());
        let at = |word: &str| text.find(word).unwrap_or(0);
        assert!(source.loop_around(at("here")).is_some());
        assert!(source.loop_around(at("there")).is_none());
        assert!(source.is_async(at("there")));
        assert!(!source.is_async(at("here")));
        assert!(source.loop_around(at("for")).is_none());
    }

    #[test]
    fn tests_among_code_are_told_apart() {
        let text = "fn f() { a() }\n#[cfg(test)]\nmod tests {\n #[test]\n fn g() { b() }\n}\n";
        let source = Source::new("src/a.rs", text.to_owned());
        let part = |word: &str| source.part(text.find(word).unwrap_or(0));
        assert_eq!(part("a()"), Part::Code);
        assert_eq!(part("b()"), Part::Test);
        assert_eq!(part("#[test]"), Part::Test);
        let example = Source::new("examples/a.rs", text.to_owned());
        assert_eq!(example.part(0), Part::Example);
    }
}
