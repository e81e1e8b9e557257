//! Criteria that a request states: `README.md contains a section "Health"`, `make sure that
//! \`cargo test\` passes`.

use divisi_core::Criterion;

use crate::request::{File, Part, Request, Span, Standing};
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
    "please ",
    "that ",
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

/// All sentences of a request that are criteria, each understood as a whole, and clauses of others
/// that say what must hold.
pub(crate) fn of(request: &Request) -> Vec<Stated> {
    request
        .sentences
        .iter()
        .flat_map(|span| of_sentence(request, *span))
        .collect()
}

/// Whether a request states criteria and nothing else: then that they hold is what is asked for.
pub(crate) fn is_all(request: &Request, stated: &[Stated]) -> bool {
    let mut parts = request.parts.iter();
    let mut loose = request.loose.iter();
    !stated.is_empty()
        && parts.all(|part| covering(stated, part).is_some())
        && loose.all(|it| stated.iter().any(|stated| stated.span.holds(it.span)))
}

/// Words with which a condition begins.
const CONDITIONAL: &[&str] = &[
    "after", "as", "before", "if", "once", "unless", "until", "when", "whenever", "where", "while",
];

fn of_sentence(request: &Request, span: Span) -> Vec<Stated> {
    let text = &request.text;
    let quoted = quoted(text, span);
    if let Some(criteria) = compiled(&text[quoted.start..quoted.end]) {
        return vec![Stated { span, criteria }];
    }
    if let Some(criteria) = of_files_before(request, quoted) {
        return vec![Stated { span, criteria }];
    }
    let clauses = clauses(text, quoted);
    let subject = subject(&text[quoted.start..quoted.end]);
    let all = clauses.iter().map(|clause| {
        let said = &text[clause.start..clause.end];
        let of_subject = || compiled(&format!("{} {}", subject?, said.trim()));
        compiled(said).or_else(|| of_subject().filter(|_| goes_on(said)))
    });
    let all: Vec<Option<Vec<Criterion>>> = all.collect();
    if clauses.len() > 1 && all.iter().all(Option::is_some) {
        let criteria = all.into_iter().flatten().flatten().collect();
        return vec![Stated { span, criteria }];
    }
    // Part of what holds only under a condition is no criterion.
    let is_conditional = |clause: &Span| {
        let first = text[clause.start..clause.end].split_whitespace().next();
        first.is_some_and(|word| CONDITIONAL.contains(&word.to_lowercase().as_str()))
    };
    if clauses.iter().any(is_conditional) {
        return Vec::new();
    }
    // `Add it, README.md contains a section "It"`: a clause about a file says how that is to be.
    let must_hold = |clause: &Span| {
        let mut words = text[clause.start..clause.end].split_whitespace();
        let first = words.clone().next().unwrap_or_default();
        let is_file = first.trim_matches('`').contains('.');
        is_file || words.any(|word| ["must", "shall", "should"].contains(&word))
    };
    let stated = clauses.into_iter().zip(all);
    let stated = stated.filter(|(clause, _)| must_hold(clause));
    let stated = stated.filter_map(|(span, criteria)| {
        Some(Stated {
            span,
            criteria: criteria?,
        })
    });
    stated.collect()
}

/// The file with which a sentence begins.
fn subject(sentence: &str) -> Option<&str> {
    let first = sentence.split_whitespace().next()?;
    first.trim_matches('`').contains('.').then_some(first)
}

/// Whether a clause says more of the subject of the one before it: `and must not contain "TODO"`.
fn goes_on(clause: &str) -> bool {
    let first = clause.split_whitespace().next().unwrap_or_default();
    ["contains", "has", "lacks", "must", "shall", "should"].contains(&first)
}

/// Words that stand for the files that were named before.
const EACH: &[&str] = &[
    "all of them ",
    "all of these ",
    "both of them ",
    "both ",
    "each of them ",
    "each of these ",
    "each file ",
    "each one ",
    "each ",
    "every one ",
    "they ",
];

/// Of so many files at most something is said together.
const EACH_FILES_MAX: usize = 20;

/// `Each must have a section "Limits"`, of the files that the sentence before it makes.
fn of_files_before(request: &Request, span: Span) -> Option<Vec<Criterion>> {
    let text = request.text.get(span.start..span.end)?;
    let begins = |each: &&&str| {
        let head = text.get(..each.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(each))
    };
    let said = text[EACH.iter().find(begins)?.len()..].trim();
    let parts = request.parts.iter().rev();
    let mut before = parts.filter(|part| part.span.end <= span.start);
    let files = &before.next()?.files;
    let is_made = |file: &File| file.is_direct && file.standing == Standing::Object;
    if files.is_empty() || files.len() > EACH_FILES_MAX || !files.iter().all(is_made) {
        return None;
    }
    let each = files
        .iter()
        .map(|file| compiled(&format!("{} {said}", file.text)));
    let each: Option<Vec<Vec<Criterion>>> = each.collect();
    Some(each?.into_iter().flatten().collect())
}

/// A sentence with the quotation marks that stand before its first word and behind its last one.
fn quoted(text: &str, span: Span) -> Span {
    const MARKS: &[char] = &['`', '"', '“', '”'];
    let before = &text[..span.start];
    let opens = before.chars().next_back().filter(|it| MARKS.contains(it));
    let behind = &text[span.end..];
    let closes = behind.chars().next().filter(|it| MARKS.contains(it));
    Span {
        start: span.start - opens.map_or(0, char::len_utf8),
        end: span.end + closes.map_or(0, char::len_utf8),
    }
}

/// The clauses of a sentence at commas and `and`, those in quotation marks aside.
fn clauses(text: &str, sentence: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = sentence.start;
    let mut is_quoted = false;
    let mut at = sentence.start;
    while let Some(next) = text[at..sentence.end].chars().next() {
        let rest = &text[at..sentence.end];
        is_quoted ^= matches!(next, '`' | '"' | '“' | '”');
        let joint = JOINTS.iter().find(|joint| rest.starts_with(**joint));
        match joint.filter(|_| !is_quoted) {
            Some(joint) => {
                found.push(Span { start, end: at });
                at += joint.len();
                start = at;
            }
            None => at += next.len_utf8(),
        }
    }
    found.push(Span {
        start,
        end: sentence.end,
    });
    found.retain(|it| it.start < it.end);
    found
}

/// What joins clauses that state something, the longer ones first.
const JOINTS: &[&str] = &[", and ", ", ", " and "];

/// The checks of a statement that the rules for criteria understand whole.
pub(crate) fn compiled(text: &str) -> Option<Vec<Criterion>> {
    match words::compile(statement(text), &Context::default()) {
        Compiled::Checks(understood) => Some(understood.criteria),
        Compiled::Unverified(_) => None,
    }
}

/// The statement that covers a part, if one does.
pub(crate) fn covering<'s>(stated: &'s [Stated], part: &Part) -> Option<&'s Stated> {
    stated.iter().find(|stated| stated.span.holds(part.span))
}

fn statement(text: &str) -> &str {
    let mut text = text.trim();
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
