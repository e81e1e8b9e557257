//! `divisi plan`: a plan for a request, by rule; and what is done with plans before they run.
//!
//! Nothing is started and nothing is kept but the file that is asked for.

mod diff;
mod edit;
pub(crate) mod given;
mod kept;
mod lint;
mod present;

use std::io::Read as _;

use divisi_core::Diagnostic;
use divisi_pack::config::Values;
use divisi_pack::planner::{self, Answer};
use divisi_pack::request::{self, REQUEST_BYTES_MAX, Request};

use crate::cli::{self, Global, PlanCommand};
use crate::config::Configuration;
use crate::exit::Exit;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;

use super::run::intent::{self, Foretold, beside, foretold, read};
use given::Gathered;
use present::Answered;

/// `divisi plan`.
pub(crate) fn run(args: &cli::Plan, global: &Global, printer: &Printer) -> Outcome {
    match &args.command {
        None => make(args, global, printer),
        Some(PlanCommand::Lint(args)) => lint::run(args, global, printer),
        Some(PlanCommand::Diff(args)) => diff::run(args, global, printer),
        Some(PlanCommand::Edit(args)) => edit::run(args, global, printer),
    }
}

fn make(args: &cli::Plan, global: &Global, printer: &Printer) -> Outcome {
    let request = request::read(&text(&args.request)?);
    let project = Project::find(global)?;
    // What is divided here, `divisi run` divides only where that pays.
    let is_foretold = !args.making.one && !request.text.is_empty() && !request.is_cut;
    let configuration = Configuration::load(&project, Values::default(), printer)?;
    let sizes = configuration.config.sizes();
    let look = || Gathered::with(configuration, &project, printer);
    let assess = || is_foretold.then(|| read(&request.text, &project, &sizes));
    let (gathered, assessed) = beside(look, assess);
    let gathered = gathered?;
    let facts = gathered.facts();
    let answer = match args.making.one {
        true => planner::as_one(&request, &facts),
        false => planner::by_rule(&request, &facts),
    };
    let foretold = assessed.map(|assessed| foretold(assessed, answer.clone(), &gathered, &project));
    let answered = match answer {
        Answer::Planned(mut planned) => {
            gathered.for_agents(&mut planned.plan);
            if !args.making.one {
                // What is said points at the lines of what is kept.
                let name = args.making.save.as_deref();
                let name = name.map_or("the plan".into(), std::path::Path::to_string_lossy);
                planned.advise(&name, &request, &facts);
            }
            Answered::Planned(planned)
        }
        Answer::Declined(declined) => Answered::Declined(declined),
    };
    if let (Answered::Planned(planned), Some(path)) = (&answered, &args.making.save) {
        kept::save(path, &planned.plan)?;
    }
    match printer.is_json() {
        true => printer.document(&answered.document(&request, &gathered, foretold.as_ref()))?,
        false => {
            let told = foretold.iter().flat_map(Foretold::lines);
            told.for_each(|line| printer.note(&line));
            printer.lines(&answered.lines(&request, &gathered))?;
        }
    }
    match &answered {
        Answered::Planned(planned) => {
            // With `--json` the advice stands in the document.
            if !printer.is_json() {
                let text = divisi_pack::plan_file::write(&planned.plan);
                planned
                    .advice
                    .iter()
                    .for_each(|advice| printer.diagnostic(advice, Some(&text)));
            }
            printer.note(&go_on(args, &request));
            Ok(Exit::Success)
        }
        Answered::Declined(_) => {
            if !request.text.is_empty() {
                let command = intent::repeated(&request);
                let command = format!("divisi plan --one --save plan.json {command}");
                printer.note(&Line::of("as one task: ").with(Style::Note, command));
            }
            Ok(Exit::Refused)
        }
    }
}

/// Which command goes on.
fn go_on(args: &cli::Plan, request: &Request) -> Line {
    if request.text.is_empty() {
        return Line::default();
    }
    match &args.making.save {
        Some(path) => {
            let path = divisi_core::shell::word(&path.to_string_lossy());
            Line::of("run it: ").with(Style::Note, format!("divisi run {path}"))
        }
        None => Line::of("keep it: ").with(Style::Note, "--save plan.json"),
    }
}

/// The request as it was typed, or standard input.
fn text(words: &[String]) -> Result<String, Failure> {
    if words != ["-"] {
        return Ok(words.join(" "));
    }
    let mut bytes = Vec::new();
    // One byte more says that it is longer than is read.
    let most = REQUEST_BYTES_MAX as u64 + 1;
    let read = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
    let refused =
        |cause: String| Failure::told(Diagnostic::error("file-unreadable", cause), Exit::Usage);
    read.map_err(|error| refused(format!("reading the request: {error}")))?;
    if bytes.len() as u64 == most {
        // A cut character at the end is no fault of the text's.
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|_| refused("the request is not in UTF-8".to_owned()))
}
