//! The consent to a plan that waits for it, on the terminal on which its run is started or resumed.

use divisi_core::RunId;
use divisi_core::run::explain::{Shared, explain_run};
use divisi_core::run::{Run, RunStatus};
use divisi_engine::control::{Action, Ask};

use super::Driver;
use crate::consent;
use crate::exit::Exit;
use crate::loaded;
use crate::outline::outline;
use crate::plan_record;
use crate::printer::{Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words;

/// The plan that awaits approval, with every program that it would run, and what there is to say
/// about it.
pub(crate) fn waiting(run: &Run) -> Vec<Line> {
    let mut lines = outline(&plan_record::in_force(run), &run.settings);
    let advised = |it| Line::styled(Style::Warn, "  advised: ").then(it);
    lines.extend(run.advice().iter().map(advised));
    lines
}

/// Shows the plan that awaits approval, asks, and goes on if it is given. Elsewhere than on a terminal
/// the run waits for `divisi approve`.
pub(super) fn ask_and_go_on(
    driver: &mut Driver<'_>,
    (project, run): (&Project, RunId),
    exit: Exit,
    printer: &Printer,
) -> Outcome {
    if exit != Exit::Waiting || !consent::can_be_asked() {
        return Ok(exit);
    }
    let (state, seq) = loaded::load_with_seq(&project.view()?, run)?;
    if state.status() != RunStatus::AwaitingApproval {
        return Ok(exit);
    }
    printer.question(&waiting(&state));
    if !consent::asks("run it?")? {
        let told = explain_run(&state, words::now(), &Shared::default());
        for command in &told.commands {
            printer.note(&Line::of(format!("  → {command}")));
        }
        printer.note(&Line::of(format!("  → divisi cancel {run}")));
        return Ok(exit);
    }
    let action = Action::Approve {
        task: None,
        note: String::new(),
        waive: false,
    };
    driver.have_accepted(Ask::Act { run, action })?;
    driver.drive(run, seq)
}
