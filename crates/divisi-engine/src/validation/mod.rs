//! Validation by hand: statements judged on files as they stand, whoever made them (F5, F6).
//!
//! The verdicts are those of [`crate::checks`], as for tasks. What is added is what a person asks
//! before the work is complete: a criterion on a file that is not there yet is *missing*, not
//! failed, and one that the person lets pass by name is *waived*. Nothing is journaled.
//!
//! Programs are run as those of tasks are: by a supervisor, in a copy of the files, confined; see
//! [`Apart`]. They run only for whoever consented to them.

mod apart;

use divisi_core::criterion::{Cost, Program};
use divisi_core::{Criterion, Outcome, Verdict};
use divisi_pack::folder::criteria::Statement;
use divisi_pack::words::Compiled;
use serde::Serialize;

pub use apart::Apart;

use crate::checks::{CheckError, ProgramEnd, Programs, evaluate};
use crate::files::{Entry, Files};

/// What was found, the worse the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It holds.
    Pass,
    /// It was let pass by name.
    Waived,
    /// No program can tell, or none was run: a person must judge.
    Unverified,
    /// The file that it speaks of is not there yet.
    Missing,
    /// It does not hold.
    Fail,
}

impl Found {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Found::Pass => "pass",
            Found::Waived => "waived",
            Found::Unverified => "unverified",
            Found::Missing => "missing",
            Found::Fail => "fail",
        }
    }
}

/// A criterion that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// In one line, for people.
    pub criterion: String,
    /// What was found.
    pub outcome: Found,
    /// What was seen; empty where it holds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub evidence: String,
    /// The program that judged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<Box<Program>>,
}

/// A statement that was judged by all of its criteria.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// As it was written.
    pub statement: String,
    /// The worst of what was found.
    pub outcome: Found,
    /// The name of the rule that understood it, or why none did.
    pub understood: Understood,
    /// Its criteria.
    pub criteria: Vec<Judged>,
}

/// How a statement became criteria.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Understood {
    /// By this rule.
    By(String),
    /// By none, for this reason.
    Not(String),
}

/// Judges statements on files; without `programs`, what only a program can tell is unverified.
/// `is_waived` says which ones are let pass, by their number from 1 and their text; what holds is
/// not waived.
///
/// # Errors
/// The files cannot be read, or a program could not be started for a reason that may pass.
pub fn judge(
    statements: &[Statement],
    files: &dyn Files,
    programs: Option<&dyn Programs>,
    is_waived: &dyn Fn(usize, &str) -> bool,
) -> Result<Vec<Stated>, CheckError> {
    let mut all = Vec::with_capacity(statements.len());
    for (at, statement) in statements.iter().enumerate() {
        let understood = match &statement.compiled {
            Compiled::Checks(understood) => Understood::By(understood.rule.to_owned()),
            Compiled::Unverified(why) => Understood::Not(why.to_string()),
        };
        let criteria = statement.compiled.clone().criteria(&statement.text);
        let judged: Result<Vec<Judged>, CheckError> = criteria
            .iter()
            .map(|criterion| one(criterion, files, programs))
            .collect();
        let mut judged = judged?;
        if let (Understood::Not(why), [only]) = (&understood, &mut judged[..]) {
            only.evidence.clone_from(why);
        }
        let worst = judged.iter().map(|it| it.outcome).max();
        let worst = worst.unwrap_or(Found::Unverified);
        let outcome = match worst > Found::Waived && is_waived(at + 1, &statement.text) {
            true => Found::Waived,
            false => worst,
        };
        all.push(Stated {
            statement: statement.text.clone(),
            outcome,
            understood,
            criteria: judged,
        });
    }
    Ok(all)
}

/// Judges one criterion.
///
/// # Errors
/// As [`judge`].
pub fn one(
    criterion: &Criterion,
    files: &dyn Files,
    programs: Option<&dyn Programs>,
) -> Result<Judged, CheckError> {
    let alone = std::slice::from_ref(criterion);
    let verdict = match (criterion.cost(), programs) {
        (Cost::Program, None) => Verdict {
            outcome: Outcome::Unverified,
            ..Verdict::fail(0, "its program was not run")
        },
        (_, Some(programs)) => evaluated(alone, files, programs)?,
        (_, None) => evaluated(alone, files, &Nobody)?,
    };
    let outcome = match verdict.outcome {
        Outcome::Pass => Found::Pass,
        Outcome::Waived => Found::Waived,
        Outcome::Unverified => Found::Unverified,
        Outcome::Fail if is_missing(criterion, files)? => Found::Missing,
        Outcome::Fail => Found::Fail,
    };
    Ok(Judged {
        criterion: criterion.to_string(),
        outcome,
        evidence: verdict.evidence,
        program: verdict.program,
    })
}

fn evaluated(
    alone: &[Criterion],
    files: &dyn Files,
    programs: &dyn Programs,
) -> Result<Verdict, CheckError> {
    let verdicts = evaluate(alone, None, files, programs, &[])?;
    Ok(verdicts
        .into_iter()
        .next()
        .expect("each criterion has a verdict"))
}

/// Whether a criterion that does not hold fails only because a file is not there yet.
fn is_missing(criterion: &Criterion, files: &dyn Files) -> Result<bool, CheckError> {
    let too_few = |pattern: &str, max: Option<u64>, min: u64| {
        let count = |min, max| Criterion::Count {
            pattern: pattern.to_owned(),
            min,
            max,
        };
        let holds = |criterion| {
            let verdict = evaluated(&[criterion], files, &Nobody)?;
            Ok(verdict.outcome == Outcome::Pass)
        };
        Ok::<bool, CheckError>(!holds(count(min, None))? && holds(count(0, max))?)
    };
    match criterion {
        Criterion::Each { pattern, .. } => too_few(pattern, None, 1),
        Criterion::Count { pattern, min, max } => too_few(pattern, *max, *min),
        criterion => {
            let Some(path) = criterion.file() else {
                return Ok(false);
            };
            let entry = files.entry(path);
            // A path that no tree can have fails its check with that reason.
            Ok(entry.is_ok_and(|entry| entry == Entry::Missing))
        }
    }
}

/// Runs nothing: for criteria that need no program.
struct Nobody;

impl Programs for Nobody {
    fn run(&self, _: u16, _: &[String], _: u64) -> ProgramEnd {
        ProgramEnd::NotStarted {
            cause: "no program may be run".to_owned(),
            permanent: true,
        }
    }
}

#[cfg(test)]
mod tests;
