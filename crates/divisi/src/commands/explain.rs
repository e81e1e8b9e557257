//! `divisi explain`: why a run or a task is not further, and which command changes it.

use divisi_core::run::explain::{Explanation, explain, explain_run};

use crate::cli::{Global, OptionalRunTask};
use crate::exit::Exit;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::words;

/// Explains a run or a task.
pub(crate) fn run(args: &OptionalRunTask, global: &Global, printer: &Printer) -> Outcome {
    let (_, run) = loaded::open(global, args.run)?;
    let now = words::now();
    let told = match &args.task {
        None => explain_run(&run, now),
        Some(id) => {
            let no = loaded::task(&run, id)?;
            explain(&run, no, now).expect("the task was found in this run")
        }
    };
    print(&told, printer)?;
    Ok(Exit::Success)
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
