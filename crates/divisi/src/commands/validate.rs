//! `divisi validate`: what holds of the files as they stand, by the criteria of a folder or a run.
//!
//! Nothing is journaled and nothing changes. A waiver holds for this report only: what is to be
//! required no longer is deleted from the folder's criteria, or waived in the run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use divisi_core::criterion::Cost;
use divisi_core::run::Run;
use divisi_core::{Criterion, Diagnostic, Outcome as Verdict, RunId, shell};
use divisi_engine::checks::{CheckError, Programs};
use divisi_engine::engine::wall_now;
use divisi_engine::failpoint;
use divisi_engine::files::Files;
use divisi_engine::repo::{Repo, WorkingTree};
use divisi_engine::validation::{self, Apart, Found, Judged, Stated, Understood};
use divisi_pack::nearest;
use serde_json::{Value, json};

use crate::cli::{self, Global};
use crate::consent;
use crate::exit::Exit;
use crate::folder;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::report;
use crate::words::plural;

/// The schema of what `--json` prints.
const SCHEMA: &str = include_str!("validation.schema.json");

/// So many criteria of a statement are shown that do not hold.
const SHOWN_MAX: usize = 5;

/// `divisi validate`.
pub(crate) fn run(args: &cli::Validate, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let path = PathBuf::from(&args.of);
    let validated = match RunId::parse(&args.of).filter(|_| !path.exists()) {
        Some(run) => of_run(args, &project, run, printer)?,
        None => of_folder(args, &project, &path, printer)?,
    };
    match printer.is_json() {
        true => printer.document(&validated.document())?,
        false => validated.print(printer)?,
    }
    Ok(match validated.worst() {
        Found::Pass | Found::Waived => Exit::Success,
        Found::Unverified => Exit::Judgment,
        Found::Missing | Found::Fail => Exit::Failed,
    })
}

/// What `divisi schema validation` prints.
pub(crate) fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema of validations is JSON")
}

/// What was judged, and on what.
struct Validated {
    /// The folder or the run.
    of: String,
    /// What the files are, in words.
    on: String,
    /// Files of the folder that somebody edited.
    edited: Vec<String>,
    stated: Vec<Stated>,
}

fn of_folder(
    args: &cli::Validate,
    project: &Project,
    path: &Path,
    printer: &Printer,
) -> Result<Validated, Failure> {
    let stage = folder::read(path, printer)?;
    let mut tree = WorkingTree::open(project.folder())
        .map_err(|fault| Failure::told(fault.diagnostic(), Exit::Environment))?;
    tree.leave_out(path).map_err(|error| {
        let cause = format!("reading {}: {error}", tree.root().display());
        Failure::told(
            Diagnostic::error("validate-failed", cause),
            Exit::Environment,
        )
    })?;
    let statements = stage.statements();
    let texts: Vec<&str> = statements
        .iter()
        .map(|statement| &*statement.text)
        .collect();
    let waived = waived(&args.waive, &texts)?;
    let commands = statements.iter().flat_map(|statement| {
        let criteria = statement.compiled.clone().criteria(&statement.text);
        criteria.into_iter().filter_map(command)
    });
    let apart = consented(args, commands, printer)?
        .then(|| apart(&tree))
        .transpose()?;
    let programs = apart.as_ref().map(|apart| apart as &dyn Programs);
    let is_waived = |number: usize, _: &str| waived.contains(&number);
    let stated = validation::judge(&statements, &tree, programs, &is_waived).map_err(failed)?;
    Ok(Validated {
        of: args.of.trim_end_matches('/').to_owned(),
        on: "the working tree".to_owned(),
        edited: stage.edited,
        stated,
    })
}

fn of_run(
    args: &cli::Validate,
    project: &Project,
    id: RunId,
    printer: &Printer,
) -> Result<Validated, Failure> {
    let run = crate::follow::run(project, id)?;
    let told =
        |fault: divisi_engine::repo::Fault| Failure::told(fault.diagnostic(), Exit::Environment);
    let repo =
        Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit).map_err(told)?;
    let Some(head) = run.integration.head.as_ref().or(run.base.commit.as_ref()) else {
        let cause = format!("{id} has no files");
        return Err(Failure::told(
            Diagnostic::error("validate-failed", cause),
            Exit::Refused,
        ));
    };
    let tree = repo.tree_of(head).map_err(told)?;
    let base = run
        .base
        .commit
        .as_ref()
        .map(|base| repo.tree_of(base))
        .transpose()
        .map_err(told)?;
    let files = repo.files(&tree, base.as_ref()).map_err(told)?;
    let wanted = wanted(&run);
    let texts: Vec<&str> = wanted.iter().map(|wanted| &*wanted.text).collect();
    let waived = waived(&args.waive, &texts)?;
    let commands = wanted
        .iter()
        .filter_map(|wanted| command(wanted.criterion.clone()));
    let apart = consented(args, commands, printer)?
        .then(|| apart(&files))
        .transpose()?;
    let programs = apart.as_ref().map(|apart| apart as &dyn Programs);
    let mut stated = Vec::with_capacity(wanted.len());
    for (at, wanted) in wanted.iter().enumerate() {
        let judged = wanted.judged(&files, programs).map_err(failed)?;
        stated.push(Stated {
            statement: wanted.text.clone(),
            outcome: match judged.outcome > Found::Waived && waived.contains(&(at + 1)) {
                true => Found::Waived,
                false => judged.outcome,
            },
            understood: Understood::By(wanted.whose.clone()),
            criteria: vec![judged],
        });
    }
    Ok(Validated {
        of: id.to_string(),
        on: format!("what is integrated, {}", head.short()),
        edited: Vec::new(),
        stated,
    })
}

/// A criterion of a run, with what the run itself found.
struct Wanted {
    text: String,
    whose: String,
    criterion: Criterion,
    known: Option<Verdict>,
    evidence: String,
}

/// All criteria of a run: its own, then those of its tasks. What several ask of the files, as a task
/// and the review of its stage do, is listed once.
fn wanted(run: &Run) -> Vec<Wanted> {
    let report = report::gather(run, wall_now());
    let own = (
        String::new(),
        "a criterion of the run".to_owned(),
        &run.criteria,
        report.whole,
    );
    let tasks = run.tasks().iter().zip(report.tasks).map(|(task, done)| {
        let id = &task.spec.id;
        (
            format!("{id}: "),
            format!("a criterion of {id}"),
            &task.spec.criteria,
            done.verdicts,
        )
    });
    let mut all: Vec<Wanted> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (before, whose, criteria, known) in std::iter::once(own).chain(tasks) {
        let mut known = known.into_iter();
        for criterion in criteria {
            let known = known.next();
            if is_of_files(criterion) {
                let at = *places.entry(criterion.to_string()).or_insert(all.len());
                if let Some(twin) = all.get_mut(at).filter(|it| it.criterion == *criterion) {
                    twin.is_also(&whose, known);
                    continue;
                }
            }
            all.push(Wanted {
                text: format!("{before}{criterion}"),
                whose: whose.clone(),
                criterion: criterion.clone(),
                known: known.as_ref().and_then(|known| known.outcome),
                evidence: known.map(|known| known.evidence).unwrap_or_default(),
            });
        }
    }
    all
}

/// Whether a criterion asks the same of the files whoever has it.
fn is_of_files(criterion: &Criterion) -> bool {
    match criterion.cost() {
        Cost::Cheap => !criterion.is_of_change(),
        Cost::Program => true,
        Cost::Known | Cost::Person => false,
    }
}

impl Wanted {
    /// Somebody else has the same criterion; the later one's finding is the one that stands.
    fn is_also(&mut self, whose: &str, known: Option<report::Judged>) {
        let of = whose.strip_prefix("a criterion ").unwrap_or(whose);
        self.whose = format!("{}, and {of}", self.whose);
        if let Some(known) = known.filter(|known| known.outcome.is_some()) {
            (self.known, self.evidence) = (known.outcome, known.evidence);
        }
    }

    /// Files tell again what they can on the whole; the rest is as the run found it.
    fn judged(
        &self,
        files: &dyn Files,
        programs: Option<&dyn Programs>,
    ) -> Result<Judged, CheckError> {
        let is_program = self.criterion.cost() == Cost::Program;
        let is_again = is_of_files(&self.criterion) && (!is_program || programs.is_some());
        if is_again {
            return validation::one(&self.criterion, files, programs);
        }
        let (outcome, evidence) = match self.known {
            Some(Verdict::Pass) => (Found::Pass, self.evidence.clone()),
            Some(Verdict::Waived) => (Found::Waived, self.evidence.clone()),
            Some(Verdict::Fail) => (Found::Fail, self.evidence.clone()),
            Some(Verdict::Unverified) => (Found::Unverified, self.evidence.clone()),
            None => (
                Found::Unverified,
                "the run has not judged it yet".to_owned(),
            ),
        };
        Ok(Judged {
            criterion: self.criterion.to_string(),
            outcome,
            evidence,
            program: None,
        })
    }
}

fn failed(error: CheckError) -> Failure {
    let mut cause = error.to_string();
    if let Some(source) = std::error::Error::source(&error) {
        cause = format!("{cause}: {source}");
    }
    let told = Diagnostic::error("validate-failed", cause).hint("nothing was decided; try again");
    Failure::told(told, Exit::Environment)
}

fn command(criterion: Criterion) -> Option<Vec<String>> {
    match criterion {
        Criterion::Command { argv, .. } => Some(argv),
        _ => None,
    }
}

/// Whether programs may be run: they stand in a file of the project, whoever wrote it.
fn consented(
    args: &cli::Validate,
    commands: impl Iterator<Item = Vec<String>>,
    printer: &Printer,
) -> Result<bool, Failure> {
    let lines: BTreeSet<String> = commands.map(|argv| shell::line(&argv)).collect();
    if lines.is_empty() || args.yes {
        return Ok(args.yes);
    }
    if consent::can_be_asked() {
        let mut shown = vec![Line::of("the criteria name these programs:")];
        shown.extend(lines.iter().map(|line| Line::of(format!("  {line}"))));
        printer.question(&shown);
        return consent::asks("run them?");
    }
    let count = plural(lines.len() as u64, "program");
    printer.note(&Line::of(format!(
        "{count} of the criteria not run; `--yes` runs them"
    )));
    Ok(false)
}

fn apart(files: &dyn Files) -> Result<Apart<'_>, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        let cause = format!("finding this program: {error}");
        Failure::told(
            Diagnostic::error("validate-failed", cause),
            Exit::Environment,
        )
    })?;
    let parent = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Apart::new(
        files,
        program,
        parent.collect::<BTreeMap<String, String>>(),
    ))
}

/// The numbers of the statements that are waived, each by its number or by words with which it
/// alone begins.
fn waived(names: &[String], texts: &[&str]) -> Result<BTreeSet<usize>, Failure> {
    let mut waived = BTreeSet::new();
    for name in names {
        let begins = |text: &&str| {
            let start = text.get(..name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        let exact = texts.iter().position(|text| *text == name);
        let numbered = name
            .parse()
            .ok()
            .filter(|number| (1..=texts.len()).contains(number));
        let numbers: Vec<usize> = match (exact, numbered) {
            (Some(at), _) => vec![at + 1],
            (None, Some(number)) => vec![number],
            (None, None) => {
                let found = (1..).zip(texts).filter(|(_, text)| begins(text));
                found.map(|(number, _)| number).collect()
            }
        };
        let cause = match numbers[..] {
            [one] => {
                waived.insert(one);
                continue;
            }
            [] => format!("no criterion is called `{name}`"),
            _ => format!("{} criteria begin with `{name}`", numbers.len()),
        };
        let mut told = Diagnostic::error("validate-waiver", cause);
        if let Some(meant) = nearest(name, texts.iter().copied()) {
            told = told.hint(format!("did you mean `{meant}`?"));
        }
        let hint = "name it by its number, or by the words with which it alone begins";
        return Err(Failure::told(told.hint(hint), Exit::Usage));
    }
    Ok(waived)
}

impl Validated {
    fn worst(&self) -> Found {
        let outcomes = self.stated.iter().map(|stated| stated.outcome);
        // Where nothing is required, nothing was shown.
        outcomes.max().unwrap_or(Found::Unverified)
    }

    fn count(&self, found: Found) -> usize {
        self.stated
            .iter()
            .filter(|stated| stated.outcome == found)
            .count()
    }

    fn counts(&self) -> Vec<(Found, usize)> {
        let all = [
            Found::Pass,
            Found::Fail,
            Found::Missing,
            Found::Unverified,
            Found::Waived,
        ];
        all.into_iter()
            .map(|found| (found, self.count(found)))
            .collect()
    }

    fn document(&self) -> Value {
        let counts: BTreeMap<&str, usize> = self
            .counts()
            .into_iter()
            .map(|(found, count)| (found.word(), count))
            .collect();
        json!({
            "of": self.of,
            "on": self.on,
            "edited": self.edited,
            "outcome": self.worst(),
            "counts": counts,
            "statements": self.stated,
        })
    }

    fn print(&self, printer: &Printer) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for (number, stated) in (1..).zip(&self.stated) {
            let style = match stated.outcome {
                Found::Pass => Style::Good,
                Found::Fail => Style::Bad,
                Found::Missing | Found::Unverified | Found::Waived => Style::Warn,
            };
            lines.push(
                Line::styled(style, stated.outcome.word())
                    .padded(12)
                    .with(Style::Dim, format!("{number:>3} "))
                    .then(stated.statement.as_str()),
            );
            let open: Vec<&Judged> = stated
                .criteria
                .iter()
                .filter(|judged| judged.outcome > Found::Waived)
                .collect();
            for judged in open.iter().take(SHOWN_MAX) {
                let said = match judged.evidence.is_empty() {
                    true => judged.criterion.as_str(),
                    false => judged.evidence.as_str(),
                };
                lines.extend(
                    said.lines()
                        .map(|line| Line::of(format!("                {line}"))),
                );
            }
            if open.len() > SHOWN_MAX {
                let more = open.len() - SHOWN_MAX;
                lines.push(Line::styled(
                    Style::Dim,
                    format!("                and {more} more"),
                ));
            }
        }
        printer.lines(&lines)?;
        let counts = self.counts().into_iter().filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(found, count)| format!("{count} {}", found.word()))
            .collect();
        let counts = match counts.is_empty() {
            true => "nothing is required".to_owned(),
            false => counts.join(", "),
        };
        printer.line(
            &Line::styled(Style::Bold, self.of.as_str()).then(format!(" on {}: {counts}", self.on)),
        )?;
        if !self.edited.is_empty() {
            printer.note(&Line::of(format!(
                "edited by hand: {}",
                self.edited.join(", ")
            )));
        }
        Ok(())
    }
}
