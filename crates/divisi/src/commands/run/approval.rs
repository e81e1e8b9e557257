//! The consent to a plan that an agent made, on the terminal on which its run was started.

use divisi_core::RunId;
use divisi_core::run::RunStatus;
use divisi_engine::control::{Action, Ask};

use super::Driver;
use crate::consent;
use crate::exit::Exit;
use crate::loaded;
use crate::outline::outline;
use crate::plan_record;
use crate::printer::{Line, Outcome, Printer, Style};
use crate::project::Project;

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
    printer.question(&outline(&plan_record::in_force(&state), &state.settings));
    let advised = |it| Line::styled(Style::Warn, "  advised: ").then(it);
    let advice: Vec<Line> = state.advice().iter().map(advised).collect();
    printer.question(&advice);
    if !consent::asks("run it?")? {
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
