//! What a request says: its parts, and of each what is to be done, by which role, where and when.
//!
//! [`read`] takes a request as somebody types it — a line, prose, a list, steps with arrows — and
//! returns what stands in it, always with the words and their place. Nothing is guessed beyond the
//! text and nothing decided: the assessment and the planner do that with what is said here.
//!
//! - [`Part`] is a piece that could be a task of its own: an item of a list, a step between arrows,
//!   a clause with a verb of its own, or what hangs on one (`…, with tests and docs`).
//! - [`Exclusion`] is what must not be done or touched. What it names is in no part.
//! - [`Loose`] is what is in neither: context, or work that was not understood.
//! - Order is kept as said: [`Part::after`] holds the parts that the text puts before one.
//!
//! The text is anybody's: it is cut at [`REQUEST_BYTES_MAX`], parts at [`PARTS_MAX`], and each step
//! is linear in the text or in its parts.

mod answer;
mod clauses;
mod exclusion;
mod joined;
mod language;
mod loose;
mod order;
mod quantity;
pub mod restraint;
mod roles;
mod sentence;
mod size;
mod statement;
#[cfg(test)]
mod tests;
mod token;
mod verbs;

use serde::Serialize;

use crate::area::Area;

pub(crate) use clauses::is_label;
pub use quantity::{Amount, Quantity, Unit};
pub use roles::{Domain, Mention, Standing};
pub use size::{Scale, System};
pub use verbs::{Aim, Change, Verb};

/// The longest request that is read, in bytes; what follows is left out, and [`Request::is_cut`]
/// says so. A person's has a few hundred, a ticket some thousand.
pub const REQUEST_BYTES_MAX: usize = 64 << 10;

/// The most parts that are told apart; more belong into a plan file.
pub const PARTS_MAX: usize = 100;

/// A place in the request: bytes from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// A request with everything that was found in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The text, without white space around it, perhaps cut.
    pub text: String,
    /// Whether the text was longer than is read, or had more parts.
    pub is_cut: bool,
    /// How many bytes at its end were not read.
    pub left_out_bytes: usize,
    /// What the parts are for together, if the request says it apart: `Build it: design → test`.
    pub goal: Option<Phrase>,
    /// What stands before a colon at the beginning, as commits have it: `docs`, `fix(parser)`.
    pub prefix: Option<Phrase>,
    /// The sentences, steps and items.
    pub sentences: Vec<Span>,
    /// The parts in the order of the text; at least one unless the request is empty.
    pub parts: Vec<Part>,
    /// What must not be done or touched.
    pub exclusions: Vec<Exclusion>,
    /// Beyond which files nothing may change: `only touch src/`.
    pub bounds: Vec<Exclusion>,
    /// What a person is to approve before something else begins.
    pub approvals: Vec<Approval>,
    /// Items of lists that only say how the result is to be.
    pub criteria: Vec<Phrase>,
    /// What is in no part, and neither excluded nor a goal.
    pub loose: Vec<Loose>,
    /// Files, folders and patterns that are named, exclusions' aside.
    pub files: Vec<File>,
    /// Numbers with what they count, and words such as `all` or `several`.
    pub quantities: Vec<Quantity>,
    /// Systems that are named, and how large they are.
    pub systems: Vec<System>,
    /// Words that say an order, as they stand.
    pub order_words: Vec<Phrase>,
    /// Whether it wants an answer, and no change: then it is one part.
    pub is_question: bool,
}

/// Some words of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Phrase {
    /// Where.
    pub span: Span,
    /// The words as written.
    pub text: String,
}

/// A person's word for which something waits: `once I approve it`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// Where.
    pub span: Span,
    /// The words as written.
    pub text: String,
    /// The part that is approved, if one is, by its index.
    pub of: Option<usize>,
    /// The part that waits for it.
    pub before: usize,
}

/// A clause that became nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loose {
    /// Where.
    pub span: Span,
    /// The words as written.
    pub text: String,
    /// Whether it may ask for work that was not understood; else it only says more of the rest.
    pub may_be_work: bool,
    /// Whether it is a statement, of the past, of how things are or of what others do.
    pub is_told: bool,
}

/// A file, a folder or a pattern that is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// Where.
    pub span: Span,
    /// The path as written.
    pub text: String,
    /// How it stands to the verb.
    pub standing: Standing,
    /// Whether it is itself what the verb is about: `delete the file a.rs`, not `fix the bug a.rs
    /// has`.
    pub is_direct: bool,
}

/// How a part stands in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A step between arrows.
    Step,
    /// An item of a list with numbers.
    Numbered,
    /// An item of a list without.
    Item,
    /// A clause or a sentence.
    Clause,
    /// Something that hangs on the clause before it: `with tests`.
    Attachment,
}

/// A piece of the request that could be a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Where it stands. What is excluded within is in `text` no more.
    pub span: Span,
    /// Its words.
    pub text: String,
    /// How it stands there.
    pub shape: Shape,
    /// What is to be done. An attachment without a verb of its own has that of its clause where it
    /// is one more object of it.
    pub verb: Option<Verb>,
    /// Roles whose work it names, in the order of the text.
    pub mentions: Vec<Mention>,
    /// The canonical id of the role that it is for: what it names, otherwise the developer.
    pub role: &'static str,
    /// The domain of that role.
    pub domain: Domain,
    /// Files, folders and patterns that it names.
    pub files: Vec<File>,
    /// The parts that the request puts before this one, by their index.
    pub after: Vec<usize>,
    /// Whether it is said to be done side by side with others.
    pub is_beside: bool,
}

/// What must not be done or touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exclusion {
    /// Where it stands, with the words that exclude.
    pub span: Span,
    /// Its words.
    pub text: String,
    /// What must not be done, if that is said: `do not deploy`.
    pub verb: Option<Verb>,
    /// Roles whose work is excluded.
    pub mentions: Vec<Mention>,
    /// Files that are excluded.
    pub files: Vec<File>,
    /// Paths among them that must stay as they are, as written. Of what is only spoken of, such as
    /// the file of `do not touch the parser in a.rs`, the rest may change.
    pub kept: Vec<String>,
    /// What must stay as it is of the whole project, by what it is there for: `do not touch the docs`.
    pub areas: Vec<KeptArea>,
}

impl Exclusion {
    /// Whether it says of files that they must stay as they are.
    #[must_use]
    pub fn keeps(&self) -> bool {
        !self.kept.is_empty() || !self.areas.is_empty()
    }
}

/// All files of an area, which must stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KeptArea {
    /// What they are there for.
    pub area: Area,
    /// Only those that are there: others may be added.
    pub is_existing: bool,
}

/// Reads a request.
#[must_use]
pub fn read(text: &str) -> Request {
    let text = text.trim();
    let mut end = text.len().min(REQUEST_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = text[..end].trim_end();
    let tokens = token::scan(kept);
    let reader = clauses::Reader::new(kept, &tokens);
    let mut request = match language::is_unknown(&tokens) {
        true => reader.read_unknown(),
        false => reader.read(),
    };
    joined::join(&mut request);
    answer::join(&mut request, &tokens);
    request.is_cut |= end < text.len();
    request.left_out_bytes = text.len() - end;
    request.files = request
        .parts
        .iter()
        .flat_map(|part| part.files.iter().cloned())
        .collect();
    request.files.dedup();
    request.quantities = quantity::quantities(&tokens);
    request.systems = size::systems(&tokens);
    request
}

/// Whether a word in lower case says that something is done and nothing of what: `add`, `fixed`. Verbs
/// such as `paginate` and `encrypt` tell both.
pub(crate) fn is_mere_verb(word: &str) -> bool {
    verbs::verb(word).is_some_and(|(base, ..)| !verbs::names_its_object(base))
}

/// The words before an exclusion without `, but` and its like at their end.
fn without_joint(before: &str) -> &str {
    let mut text = before;
    loop {
        let bare = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        let joint = ["and", "but", "please", "so", "then"]
            .iter()
            .find_map(|joint| {
                let rest = bare.strip_suffix(joint)?;
                rest.ends_with(|c: char| !c.is_alphanumeric())
                    .then_some(rest)
            });
        match joint {
            Some(rest) => text = rest,
            None => return bare,
        }
    }
}

impl Span {
    /// Whether the other one lies within.
    #[must_use]
    pub fn holds(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

impl Request {
    /// Its words as a quotation: each line after `> `.
    #[must_use]
    pub fn quoted(&self) -> String {
        let lines = self.text.lines().map(|line| format!("> {line}"));
        let lines: Vec<String> = lines.collect();
        lines.join("\n")
    }

    /// The domains of its parts, each once, in the order of [`Domain`].
    #[must_use]
    pub fn domains(&self) -> Vec<Domain> {
        let mut domains: Vec<Domain> = self.parts.iter().map(|part| part.domain).collect();
        domains.sort_unstable();
        domains.dedup();
        domains
    }

    /// Its text without what it excludes, and without the words and marks that join that to the rest.
    #[must_use]
    pub fn wanted(&self) -> String {
        let excluded = self.exclusions.iter().chain(&self.bounds);
        let mut spans: Vec<Span> = excluded.map(|it| it.span).collect();
        spans.sort_unstable();
        let mut wanted = String::with_capacity(self.text.len());
        let mut at = 0;
        for span in spans {
            let before = self.text.get(at..span.start.max(at)).unwrap_or_default();
            wanted.push_str(without_joint(before));
            at = span.end.max(at);
        }
        wanted.push_str(self.text.get(at..).unwrap_or_default());
        wanted
    }

    /// Files, folders and patterns that must stay as they are, as written, each once.
    #[must_use]
    pub fn kept(&self) -> Vec<&str> {
        let mut kept: Vec<&str> = Vec::new();
        for path in self.exclusions.iter().flat_map(|it| &it.kept) {
            if !kept.contains(&path.as_str()) {
                kept.push(path);
            }
        }
        kept
    }

    /// The exclusion that forbids work of this role, if one does.
    #[must_use]
    pub fn excludes_role(&self, role: &str) -> Option<&Exclusion> {
        self.exclusions.iter().find(|exclusion| {
            let mut mentions = exclusion.mentions.iter();
            mentions.any(|mention| mention.role == role)
        })
    }
}
