//! `divisi explain`: why a run or a task is not further, and which command changes it.

use divisi_core::run::explain::{Explanation, explain, explain_run};

use crate::cli::{Global, OptionalRunTask};
use crate::commands::status;
use crate::exit::Exit;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::unfinished::Attended;
use crate::words;

/// Explains a run or a task.
pub(crate) fn run(args: &OptionalRunTask, global: &Global, printer: &Printer) -> Outcome {
    let (project, run) = loaded::open(global, args.run)?;
    let now = words::now();
    let mut told = match &args.task {
        None => explain_run(&run, now),
        Some(id) => {
            let no = loaded::task(&run, id)?;
            let shared = loaded::shared(&project.view()?, run.id)?;
            explain(&run, no, now, &shared).expect("the task was found in this run")
        }
    };
    if status::attended(&project, &run) == Attended::No && waits_for_engine(&told) {
        told.causes
            .insert(0, "no engine works on its run".to_owned());
        told.commands.insert(0, format!("divisi resume {}", run.id));
    }
    print(&told, printer)?;
    Ok(Exit::Success)
}

/// Whether what is explained would go on by itself if an engine ran. What is over, or waits for a
/// person, would not.
fn waits_for_engine(told: &Explanation) -> bool {
    let words = ["waiting", "ready", "running", "verifying", "integrating"];
    words.contains(&told.status.as_str())
}

fn print(told: &Explanation, printer: &Printer) -> Result<(), Failure> {
    if printer.is_json() {
        return printer.document(told);
    }
    printer.lines(&lines(told))
}

/// The explanation as lines.
pub(crate) fn lines(told: &Explanation) -> Vec<Line> {
    let head = Line::styled(Style::Bold, &told.subject)
        .then(format!(" is {}", words::run_status(&told.status)));
    let causes = told
        .causes
        .iter()
        .map(|cause| Line::of(format!("  {cause}")));
    let commands = told
        .commands
        .iter()
        .map(|command| Line::styled(Style::Dim, "  → ").with(Style::Note, command));
    std::iter::once(head)
        .chain(causes)
        .chain(commands)
        .collect()
}

#[cfg(test)]
mod tests;
