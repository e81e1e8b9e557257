//! `divisi agents test NAME`: one small real task, done by an agent from beginning to end.
//!
//! It is a run like any other, in a folder of its own: handoff, workspace, process, checks,
//! integration. What the agent says of itself counts for nothing; the file that it was to write
//! does. Afterwards nothing of it is left.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use divisi_agents::adapter::{Closing, Entry, Product, Standing, Tokens, VERSION_PATIENCE};
use divisi_core::run::{Run, RunStatus, Settings};
use divisi_core::{Diagnostic, Plan, RunId};
use divisi_engine::control::{Ask, Response};
use divisi_engine::repo::{BaseOptions, Repo};
use divisi_engine::supervisor::socket_folder;
use divisi_pack::config::Values;
use divisi_pack::plan_file;
use divisi_store::Durability;
use serde_json::json;
use tempfile::TempDir;

use super::defined::Listed;
use super::{Found, Limits, no_folder, one, version};
use crate::cli::Global;
use crate::commands::run::{Driver, named, unexpected};
use crate::config::{Configuration, user_file};
use crate::exit::Exit;
use crate::follow;
use crate::hold::Holding;
use crate::present::{definition, variables};
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::{Project, is_locked};
use crate::words::{cut, plural, span};

/// What is written, if the agent works.
const FILE: &str = "answer.md";

/// What stands in it then.
const WORDS: &str = "divisi agents test";

/// How long the agent may take: a start, and two or three answers of a model.
const TIMEOUT_MINUTES: u64 = 5;

/// So much of what the agent printed is looked at.
const LOG_BYTES_MAX: u64 = 1 << 20;

/// So many things that it did are shown, each in a line of so many characters.
const SEEN_MAX: usize = 40;
const SEEN_CHARS_MAX: usize = 100;

/// How long a supervisor may take to be gone once its engine is.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(10);

/// How the test of an agent went.
struct Trial {
    run: Run,
    exit: Exit,
    seen: Vec<Entry>,
    closing: Option<Closing>,
}

/// The agent that is tested.
struct Subject {
    name: String,
    title: String,
    /// As it was found, for programs.
    found: serde_json::Value,
}

/// Has an agent do it that configuration defines, and says how it went. A repository's configuration
/// does not count: nobody has consented to it.
pub(super) fn run_defined(name: &str, global: &Global, printer: &Printer) -> Outcome {
    let (folder, configuration) = folder(printer)?;
    let defined = configuration.defined();
    let Some(agent) = defined.get(name) else {
        return Err(undefined(name, global, printer));
    };
    let listed = Listed::of(name, agent, &Limits::default());
    if let Some(lack) = listed.lack() {
        return Err(Failure::told(lack, Exit::Environment));
    }
    let subject = Subject {
        name: name.to_owned(),
        title: listed.title(),
        found: json!(listed),
    };
    printer.note(&Line::styled(Style::Bold, &subject.title));
    go(&subject, &folder, &configuration, printer)
}

/// That nobody but perhaps the project's own file defines an agent, and where to do it.
fn undefined(name: &str, global: &Global, printer: &Printer) -> Failure {
    let here = Project::find(global)
        .and_then(|project| Configuration::load(&project, Values::default(), printer));
    let only_here = here.is_ok_and(|here| here.defined().contains_key(name));
    let cause = match only_here {
        true => format!("only this project defines `{name}`, and nobody has consented to that"),
        false => format!("`{name}` is not defined, so there is nothing to test"),
    };
    let file = match user_file() {
        Some(path) => format!("your own `{}`", path.display()),
        None => "a file of yours, `divisi/config.yaml` in `XDG_CONFIG_HOME`".to_owned(),
    };
    let hint = match only_here {
        true => format!("define it in {file}, which is what is tested"),
        false => format!("define it in {file}, for example: `{}`", definition(name)),
    };
    Failure::told(
        Diagnostic::error("agent-missing", cause).hint(hint),
        Exit::Environment,
    )
}

/// Has an agent do it, and says how it went.
pub(super) fn run(product: &'static Product, printer: &Printer) -> Outcome {
    let detected =
        one(product, &variables(), VERSION_PATIENCE).map_err(|error| no_folder(&error))?;
    if detected.standing() == Standing::Missing {
        let cause = format!(
            "`{}` is not installed, so there is nothing to test",
            product.name
        );
        let told = Diagnostic::error("agent-missing", cause)
            .hint(format!("install it: `{}`", product.install));
        return Err(Failure::told(told, Exit::Environment));
    }
    let version = version(&detected);
    printer.note(&Line::styled(Style::Bold, product.title).then(format!(" {version}")));
    let subject = Subject {
        name: product.name.to_owned(),
        title: product.title.to_owned(),
        found: json!(Found::of(&detected, &Limits::default())),
    };
    let (folder, configuration) = folder(printer)?;
    go(&subject, &folder, &configuration, printer)
}

/// A folder of its own, and the configuration that holds in it: the user's.
fn folder(printer: &Printer) -> Result<(TempDir, Configuration), Failure> {
    let folder = tempfile::Builder::new()
        .prefix("divisi-")
        .tempdir()
        .map_err(|error| no_folder(&error))?;
    let configuration = Configuration::load(&project(&folder)?, Values::default(), printer)?;
    Ok((folder, configuration))
}

fn project(folder: &TempDir) -> Result<Project, Failure> {
    Project::find(&Global {
        project: Some(folder.path().to_owned()),
        ..Global::default()
    })
}

fn go(
    subject: &Subject,
    folder: &TempDir,
    configuration: &Configuration,
    printer: &Printer,
) -> Outcome {
    let tried = in_folder(subject, folder, configuration);
    leave(folder);
    let trial = tried?;
    if printer.is_json() {
        printer.document(&trial.document(subject))?;
    } else {
        printer.lines(&trial.lines(subject))?;
    }
    Ok(trial.exit())
}

/// The task.
fn plan(subject: &Subject) -> Plan {
    let text = json!({
        "task_title": format!("Test {}", subject.title),
        "subtasks": [{
            "subtask_id": "answer",
            "title": "Write a file",
            "description": format!(
                "Write the file {FILE} in the working folder. Its only line is: {WORDS}"
            ),
            "agent": subject.name,
            "deliverables": [FILE],
            "criteria": [{ "contains": WORDS, "in": FILE }],
            "timeout_minutes": TIMEOUT_MINUTES,
            "retries": 0,
        }],
    });
    let read = plan_file::read("plan", text.to_string().as_bytes());
    read.plan.expect("the plan of a test has no fault")
}

/// What the run is given: what is configured, and one attempt, whatever happens.
fn settings(configuration: &Configuration) -> Settings {
    Settings {
        failures_max: 1,
        losses_max: 1,
        conflicts_max: 1,
        limits_max: 1,
        ..configuration.settings()
    }
}

/// Runs it in a folder that holds nothing else.
fn in_folder(
    subject: &Subject,
    folder: &TempDir,
    configuration: &Configuration,
) -> Result<Trial, Failure> {
    let project = project(folder)?;
    fs::write(project.folder().join("README.md"), "# A test of an agent\n")
        .map_err(|error| no_folder(&error))?;
    let environment =
        |fault: divisi_engine::repo::Fault| Failure::told(fault.diagnostic(), Exit::Environment);
    let repo = Repo::open(&project.divisi(), project.folder()).map_err(environment)?;
    let base = repo.base(&BaseOptions::default()).map_err(environment)?;
    // Of its report, only what is printed below is of interest.
    let quiet = Printer::silent();
    let holding = Holding {
        durability: Durability::Normal,
        ..Holding::of(&project)
    };
    let mut driver = Driver::new(&project, holding, &quiet)?;
    let ask = Ask::Start {
        plan: Arc::new(plan(subject)),
        settings: Box::new(settings(configuration)),
        base: named(&base),
        approved: true,
        intent: None,
    };
    let id = match driver.ask(ask)? {
        Response::Started(id) => id,
        Response::Refused(told) => return Err(Failure::told(told, Exit::Refused)),
        other => return Err(unexpected(&other)),
    };
    let exit = driver.drive(id, 0)?;
    Trial::of(&project, id, exit)
}

/// Waits until nobody works in the folder any more, and removes what lies elsewhere; the folder
/// itself goes with its owner.
fn leave(folder: &TempDir) {
    let lock = folder.path().join(".divisi/supervisor.lock");
    let until = Instant::now() + SUPERVISOR_PATIENCE;
    while is_locked(&lock) && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    if let Ok(path) = folder.path().canonicalize() {
        // What cannot be removed is an empty folder under a name that nobody will have again.
        let _ = fs::remove_dir_all(socket_folder(&path));
    }
}

impl Trial {
    fn of(project: &Project, id: RunId, exit: Exit) -> Result<Trial, Failure> {
        let run = follow::run(project, id)?;
        let log = project.log(id, &run.tasks()[0].spec.id, 1);
        // An attempt that was never started has printed nothing.
        let text = read(&log).unwrap_or_default();
        let mut seen: Vec<Entry> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        seen.truncate(SEEN_MAX);
        Ok(Trial {
            run,
            exit,
            seen,
            closing: Closing::last_in(&text),
        })
    }

    fn is_done(&self) -> bool {
        self.run.status() == RunStatus::Succeeded
    }

    fn exit(&self) -> Exit {
        match (self.is_done(), self.exit) {
            (true, _) => Exit::Success,
            (false, exit @ (Exit::Interrupted | Exit::Environment)) => exit,
            (false, _) => Exit::Failed,
        }
    }

    /// How the one attempt ended.
    fn ended(&self) -> String {
        let task = &self.run.tasks()[0];
        match task.endings.last() {
            Some(ending) => ending.words(),
            None => "it was not tried".to_owned(),
        }
    }

    fn usage(&self) -> Option<Tokens> {
        self.closing.as_ref().and_then(|closing| closing.usage)
    }

    /// How long the agent had it.
    fn took_ms(&self) -> u64 {
        self.run.tasks()[0].agent_ms()
    }

    fn document(&self, subject: &Subject) -> serde_json::Value {
        json!({
            "agent": subject.found,
            "done": self.is_done(),
            "ended": self.ended(),
            "seen": self.seen,
            "claim": self.closing.as_ref().map(|closing| &closing.claim),
            "usage": self.usage(),
            "agent_ms": self.took_ms(),
        })
    }

    fn lines(&self, subject: &Subject) -> Vec<Line> {
        let mut lines: Vec<Line> = self.seen.iter().filter_map(shown).collect();
        if let Some(usage) = self.usage() {
            lines.push(used(&usage));
        } else {
            lines.push(Line::styled(
                Style::Dim,
                "  it said nothing of what it used",
            ));
        }
        let took = span(self.took_ms());
        lines.push(match self.is_done() {
            true => Line::styled(Style::Good, format!("{} works", subject.name))
                .then(format!(": it wrote what it was told to, in {took}")),
            false => Line::styled(Style::Bad, format!("{} did not do it", subject.name))
                .then(format!(" in {took}: {}", self.ended())),
        });
        lines
    }
}

/// The first part of a log.
fn read(log: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    let file = BufReader::new(File::open(log)?.take(LOG_BYTES_MAX));
    for line in file.split(b'\n') {
        text.extend(line?);
        text.push(b'\n');
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// One thing that the agent did, in a line; what is only of use to programs is left out.
fn shown(entry: &Entry) -> Option<Line> {
    let (word, text) = match entry {
        Entry::Said { text } => ("said", text.clone()),
        Entry::Called { function, input } => ("called", format!("{function} {input}")),
        Entry::Returned { succeeded, output } => match succeeded {
            true => ("returned", output.clone()),
            false => ("failed", output.clone()),
        },
        Entry::Asked { what } => ("asked", what.clone()),
        Entry::Answered { what, decision } => (decision.word(), what.clone()),
        Entry::Denied { what, .. } => ("denied", what.clone()),
        Entry::Retried { cause } => ("retried", cause.clone()),
        Entry::Limited { wait_ms } => ("limited", format!("for {}", span(*wait_ms))),
        Entry::Broke { cause, .. } => ("broke", cause.clone()),
        Entry::Noted { text } => ("noted", text.clone()),
        Entry::Bounded => (
            "ended",
            "at the bound of money that it was given".to_owned(),
        ),
        Entry::Began { .. }
        | Entry::Read { .. }
        | Entry::Responded { .. }
        | Entry::Used { .. }
        | Entry::UsedSoFar { .. }
        | Entry::Finished { .. } => return None,
    };
    let text: Vec<&str> = text.split_whitespace().collect();
    let label = Line::styled(Style::Dim, format!("  {word}")).padded(super::LABEL_WIDTH);
    Some(label.then(cut(&text.join(" "), SEEN_CHARS_MAX)))
}

fn used(usage: &Tokens) -> Line {
    let read = usage
        .input_tokens
        .saturating_add(usage.cache_read_tokens)
        .saturating_add(usage.cache_write_tokens);
    let tokens = format!(
        "{} read, {} written",
        plural(read, "token"),
        usage.output_tokens
    );
    let price = match usage.cost_usd_micros {
        Some(micros) => format!(", {} $ by its own count", micros as f64 / 1e6),
        None => String::new(),
    };
    let label = Line::styled(Style::Dim, "  used").padded(super::LABEL_WIDTH);
    label.then(format!("{tokens}{price}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_of_a_test_is_sound_for_each_agent() {
        for product in &divisi_agents::adapter::PRODUCTS {
            let plan = plan(&Subject {
                name: product.name.to_owned(),
                title: product.title.to_owned(),
                found: serde_json::Value::Null,
            });
            assert_eq!(plan.tasks.len(), 1);
            assert_eq!(plan.tasks[0].agent.as_deref(), Some(product.name));
            assert_eq!(plan.tasks[0].deliverables[0].path, FILE);
            assert_eq!(
                plan.tasks[0].criteria.len(),
                2,
                "{:?}",
                plan.tasks[0].criteria
            );
        }
    }
}
