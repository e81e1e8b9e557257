//! `divisi report`: the report of a run, at any time.

use divisi_core::RunId;
use divisi_core::run::Run;

use crate::cli::{self, Global};
use crate::commands::status;
use crate::exit::Exit;
use crate::loaded;
use crate::plan_record;
use crate::printer::{Failure, Outcome, Printer};
use crate::project::Project;
use crate::report::{compare, compared, markdown, with_changed};
use crate::unfinished::{Attended, LEFT};
use crate::words;

/// Prints the report, as Markdown or JSON; or the plan with its progress, which is JSON always; or two
/// runs side by side.
pub(crate) fn run(args: &cli::Report, global: &Global, printer: &Printer) -> Outcome {
    if let [one, other] = args.compare[..] {
        return side_by_side([one, other], global, printer);
    }
    let (project, run) = loaded::open(global, args.run)?;
    if args.plan {
        let text = plan_record::text(&run, words::now());
        let plan: serde_json::Value = serde_json::from_str(&text).expect("a plan file is JSON");
        printer.document(&plan)?;
        return Ok(Exit::Success);
    }
    let mut report = with_changed(&project, &run, words::now());
    // The run alone cannot tell.
    if status::attended(&project, &run) == Attended::No {
        LEFT.clone_into(&mut report.standing);
    }
    match printer.is_json() {
        true => printer.document(&report)?,
        false => printer.text(&markdown(&report))?,
    }
    Ok(Exit::Success)
}

fn side_by_side(runs: [RunId; 2], global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let view = project.view()?;
    let load = |run| -> Result<Run, Failure> {
        let id = project.row(&view, Some(run))?.run;
        Ok(loaded::load(&view, id)?)
    };
    let [one, other] = [load(runs[0])?, load(runs[1])?];
    let comparison = compare([&one, &other], words::now())
        .map_err(|refused| Failure::Told(refused, Exit::Refused))?;
    match printer.is_json() {
        true => printer.document(&comparison)?,
        false => printer.text(&compared(&comparison))?,
    }
    Ok(Exit::Success)
}
