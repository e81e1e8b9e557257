//! Criteria that a request states: `README.md contains a section "Health"`, `make sure that
//! \`cargo test\` passes`.

use divisi_core::Criterion;

use crate::request::{Part, Request, Span};
use crate::words::{self, Compiled, Context};

/// What stands before a statement that must hold.
const BEFORE: &[&str] = &[
    "make sure that ",
    "make sure ",
    "ensure that ",
    "ensure ",
    "check that ",
    "verify that ",
    "it is done when ",
    "it's done when ",
    "done when ",
    "done when: ",
    "done if ",
    "acceptance criteria: ",
    "acceptance: ",
    "criteria: ",
    "criterion: ",
    "also, ",
    "and ",
];

/// So many of these stand before one another at most.
const BEFORE_MAX: usize = 4;

/// A sentence that states what must hold, in checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    /// Where it stands.
    pub(crate) span: Span,
    /// The checks.
    pub(crate) criteria: Vec<Criterion>,
}

/// All sentences of a request that are criteria, each understood as a whole.
pub(crate) fn of(request: &Request) -> Vec<Stated> {
    let context = Context::default();
    let spans = request.sentences.iter().enumerate();
    spans
        .filter_map(|(at, span)| {
            // A closing quotation mark stands after the last word.
            let next = request.sentences.get(at + 1);
            let end = next.map_or(request.text.len(), |next| next.start);
            let text = request.text.get(span.start..end.max(span.end))?;
            let (span, text) = (*span, statement(text));
            match words::compile(text, &context) {
                Compiled::Checks(understood) => Some(Stated {
                    span,
                    criteria: understood.criteria,
                }),
                Compiled::Unverified(_) => None,
            }
        })
        .collect()
}

/// The statement that covers a part, if one does.
pub(crate) fn covering<'s>(stated: &'s [Stated], part: &Part) -> Option<&'s Stated> {
    stated.iter().find(|stated| stated.span.holds(part.span))
}

fn statement(text: &str) -> &str {
    let mut text = text.trim_end();
    // A list's next marker may follow.
    text = text.trim_end_matches(['-', '*', '•', '\n', ' ']);
    for _ in 0..BEFORE_MAX {
        let cut = BEFORE.iter().find_map(|before| {
            let head = text.get(..before.len())?;
            head.eq_ignore_ascii_case(before)
                .then(|| text[before.len()..].trim_start())
        });
        match cut {
            Some(rest) => text = rest,
            None => break,
        }
    }
    text
}
