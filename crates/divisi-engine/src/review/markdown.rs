//! What a Markdown document links to, shows and says.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// More of any kind is not looked at.
const ITEMS_MAX: usize = 20_000;

/// A piece of a document and where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it starts in the text.
    pub(crate) at: usize,
    /// What it says.
    pub(crate) text: String,
}

/// A link or an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Where it starts in the text.
    pub(crate) at: usize,
    /// Where it leads.
    pub(crate) target: String,
    /// What it shows.
    pub(crate) words: String,
    /// Whether it is an image.
    pub(crate) is_image: bool,
}

/// A block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// Where its first line starts.
    pub(crate) at: usize,
    /// What it says it is written in, in small letters.
    pub(crate) language: String,
    /// Its lines.
    pub(crate) text: String,
}

/// The pieces of a document that rules look at.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Links and images.
    pub(crate) links: Vec<Link>,
    /// The text of headings.
    pub(crate) headings: Vec<String>,
    /// Code within lines.
    pub(crate) spans: Vec<Piece>,
    /// Blocks of code.
    pub(crate) blocks: Vec<Code>,
    /// Text outside code.
    pub(crate) prose: Vec<Piece>,
    /// Markup of HTML.
    pub(crate) html: Vec<Piece>,
}

impl Document {
    /// Reads a document.
    pub(crate) fn parse(text: &str) -> Document {
        let mut document = Document::default();
        let mut open: Vec<Link> = Vec::new();
        let mut heading: Option<String> = None;
        let mut code: Option<Code> = None;
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
        let events = Parser::new_ext(text, options).into_offset_iter();
        for (event, range) in events.take(ITEMS_MAX * 10) {
            match event {
                Event::Start(Tag::Link { dest_url, .. }) => {
                    open.push(link(range.start, &dest_url, false));
                }
                Event::Start(Tag::Image { dest_url, .. }) => {
                    open.push(link(range.start, &dest_url, true));
                }
                Event::End(TagEnd::Link | TagEnd::Image) => document.links.extend(open.pop()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => document.headings.extend(heading.take()),
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(info) => language_of(&info),
                        CodeBlockKind::Indented => String::new(),
                    };
                    code = Some(Code {
                        at: 0,
                        language,
                        text: String::new(),
                    });
                }
                Event::End(TagEnd::CodeBlock) => document.blocks.extend(code.take()),
                Event::Text(words) => {
                    if let Some(code) = &mut code {
                        if code.text.is_empty() {
                            code.at = range.start;
                        }
                        code.text.push_str(&words);
                        continue;
                    }
                    hear(&mut open, &mut heading, &words);
                    let text = words.into_string();
                    document.prose.push(Piece {
                        at: range.start,
                        text,
                    });
                }
                Event::Code(words) => {
                    hear(&mut open, &mut heading, &words);
                    let text = words.into_string();
                    document.spans.push(Piece {
                        at: range.start,
                        text,
                    });
                }
                Event::Html(words) | Event::InlineHtml(words) => document.html.push(Piece {
                    at: range.start,
                    text: words.into_string(),
                }),
                Event::SoftBreak | Event::HardBreak => hear(&mut open, &mut heading, " "),
                _ => {}
            }
        }
        document
    }
}

fn link(at: usize, target: &str, is_image: bool) -> Link {
    Link {
        at,
        target: target.to_owned(),
        words: String::new(),
        is_image,
    }
}

/// Text within links and a heading is theirs too.
fn hear(open: &mut [Link], heading: &mut Option<String>, words: &str) {
    for link in open {
        link.words.push_str(words);
    }
    if let Some(heading) = heading {
        heading.push_str(words);
    }
}

fn language_of(info: &str) -> String {
    let end = info.find(|c: char| c == ',' || c == '{' || c.is_whitespace());
    info[..end.unwrap_or(info.len())].to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_told_apart() {
        let text = "# A `b`\n\nSee [c *d*](e.md) and ![](f.png).\n\n```sh {x}\n$ make\n```\n\n<a id=\"g\"></a> TODO `x/y`\n";
        let document = Document::parse(text);
        assert_eq!(document.headings, ["A b"]);
        let links: Vec<(&str, &str, bool)> = document
            .links
            .iter()
            .map(|link| (link.target.as_str(), link.words.as_str(), link.is_image))
            .collect();
        assert_eq!(links, [("e.md", "c d", false), ("f.png", "", true)]);
        assert_eq!(document.blocks.len(), 1);
        assert_eq!(document.blocks[0].language, "sh");
        assert_eq!(&text[document.blocks[0].at..][..6], "$ make");
        assert_eq!(document.spans[1].text, "x/y");
        assert!(
            document
                .prose
                .iter()
                .any(|piece| piece.text.contains("TODO"))
        );
        assert_eq!(document.html.len(), 2);
    }
}
