//! Reads how a task is solved several times.

use divisi_core::plan::{
    CANDIDATES_MAX, CANDIDATES_MIN, Candidate, Candidates, Preference, Want, Work,
};
use divisi_core::{TaskKind, WorkspaceKind};
use jsonc_parser::ast::Value;

use super::values::{agent, conflict};
use super::{CHECK_TIMEOUT_MS, criteria};
use crate::codes;
use crate::faults::Faults;
use crate::fields::{self, Fields, integer, mistyped, start};

pub(crate) const CANDIDATE_KEYS: &[&str] = &["agent"];
pub(crate) const PREFERENCE_KEYS: &[&str] = &["command", "want", "timeout_minutes"];

pub(crate) const WANTS: &[(&str, Want)] = &[("lowest", Want::Lowest), ("highest", Want::Highest)];

/// How a task of this kind is solved several times, if it is.
pub(crate) fn candidates(
    fields: &Fields<'_, '_>,
    (kind, work, workspace): (TaskKind, &Work, WorkspaceKind),
    faults: &mut Faults<'_>,
) -> Option<Candidates> {
    let prefer = fields.get("prefer");
    let Some(value) = fields.get("candidates") else {
        if let Some(prefer) = prefer {
            let cause = "`prefer` is given without `candidates` to choose from";
            conflict(start(prefer), cause, faults);
        }
        return None;
    };
    let in_words = matches!(kind, TaskKind::Work | TaskKind::Research) && *work == Work::Handoff;
    if !in_words {
        let cause = "`candidates` are of work that somebody does in words: a program, a template or \
                     a person's consent comes out the same each time";
        conflict(start(value), cause, faults);
    }
    if workspace == WorkspaceKind::Shared {
        let cause = "`candidates` work apart from each other, and in a shared workspace nothing could \
                     be held back";
        conflict(start(value), cause, faults);
    }
    let of = all(value, faults);
    let prefer = prefer.and_then(|value| preference(value, faults));
    Some(Candidates { of: of?, prefer })
}

/// A number of them, or one for each entry.
fn all(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Vec<Candidate>> {
    let bounds = (CANDIDATES_MIN as u64, CANDIDATES_MAX as u64);
    match value {
        Value::NumberLit(_) => {
            let many = integer(value, "candidates", bounds, faults)?;
            Some(vec![Candidate::default(); many as usize])
        }
        Value::Array(array) => {
            let many = array.elements.len();
            if !(CANDIDATES_MIN..=CANDIDATES_MAX).contains(&many) {
                faults.error(codes::NUMBER, start(value), || {
                    format!(
                        "`candidates` has {many} entries, not {CANDIDATES_MIN} to {CANDIDATES_MAX}"
                    )
                });
                return None;
            }
            let read = array.elements.iter().map(|one| candidate(one, faults));
            Some(read.collect())
        }
        _ => {
            mistyped("`candidates`", "a number or a list", value, faults);
            None
        }
    }
}

fn candidate(value: &Value<'_>, faults: &mut Faults<'_>) -> Candidate {
    let object = fields::object(value, "a candidate", faults);
    let agent = object.and_then(|object| {
        let fields = Fields::open(object, "the candidate", CANDIDATE_KEYS, faults);
        agent(&fields, faults)
    });
    Candidate { agent }
}

fn preference(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Preference> {
    let object = fields::object(value, "`prefer`", faults)?;
    let fields = Fields::open(object, "the preference", PREFERENCE_KEYS, faults);
    let argv = { fields.required("command", faults) }
        .and_then(|value| criteria::argv(value, "command", faults));
    fields.required("want", faults);
    let want = fields.word("want", WANTS, faults);
    let timeout_ms = criteria::timeout_ms(&fields, faults).unwrap_or(CHECK_TIMEOUT_MS);
    Some(Preference {
        argv: argv?,
        timeout_ms,
        want: want?,
    })
}
