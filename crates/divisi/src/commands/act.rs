//! What people ask of a run while it goes on, or while nobody works on it.
//!
//! The answer comes when it is durable. Where no engine runs, this process holds it for a moment;
//! nothing is started by that: `divisi resume` goes on.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use divisi_core::diagnostic::Severity;
use divisi_core::run::explain::{Shared, explain, explain_run};
use divisi_core::run::stored::summary;
use divisi_core::run::{Attempt, Ending, Final, Run, RunStatus, Task, TaskStatus, holds_slot};
use divisi_core::{Diagnostic, RunId, TaskNo, TaskSpec, Tree};
use divisi_engine::control::{Action, Ask, Response};
use divisi_engine::failpoint;
use divisi_engine::files::Files;
use divisi_engine::repo::{Fault, Repo};

use super::run::approval;
use crate::cli;
use crate::consent;
use crate::exit::Exit;
use crate::happened;
use crate::hold::{Holder, Holding, Tries, is_attended, reach, request, silent};
use crate::present::{Present, Settling};
use crate::printer::{Failure, Line, Outcome, Printer};
use crate::project::Project;
use crate::projection;
use crate::report;
use crate::words;

/// So many tasks that await a judgment are named.
const JUDGMENTS_MAX: usize = 5;

/// Has an action done on a run.
pub(crate) fn act(project: &Project, run: RunId, action: Action, printer: &Printer) -> Outcome {
    // Before anything is held: a run that is not there is no reason to begin an epoch.
    project.row(&project.view()?, Some(run))?;
    let whole = matches!(action, Action::Approve { task: None, .. });
    let (response, by_other) = answered(project, Ask::Act { run, action })?;
    let goes_on = by_other && is_attended(project, run);
    match response {
        Response::Refused(diagnostic) => {
            let exit = match diagnostic.code.as_str() {
                "run-unknown" | "task-unknown" | "permission-unknown" => Exit::NotFound,
                _ => Exit::Refused,
            };
            let told = match whole {
                _ if diagnostic.code == "run-ended" => has_ended(diagnostic, project, run)?,
                true => with_judgments(diagnostic, project, run),
                false => diagnostic,
            };
            Err(Failure::told(told, exit))
        }
        Response::Accepted | Response::Started(_) | Response::Attended(_) => {
            let row = project.row(&project.view()?, Some(run))?;
            let ended = summary(&row).ok().filter(|summary| summary.ended.is_some());
            if ended.is_some() {
                // Nobody else may be there who would write how it ended.
                let run = crate::follow::run(project, run)?;
                projection::keep(
                    project,
                    &run,
                    &report::with_changed(project, &run, words::now()),
                );
            }
            if printer.is_json() {
                printer.document(&serde_json::json!({"accepted": true, "run": run.to_string()}))?;
            } else {
                let told = match ended {
                    Some(ended) => {
                        let state = words::run_status(ended.status.word());
                        vec![format!("{run}: accepted; the run is over: {state}")]
                    }
                    None if goes_on => vec![format!("{run}: accepted")],
                    None => what_goes_on(&crate::follow::run(project, run)?),
                };
                for line in told {
                    printer.note(&Line::of(line));
                }
            }
            Ok(Exit::Success)
        }
    }
}

/// What goes on with a run that was asked for something and on which nobody works: an engine, or
/// nobody but people.
fn what_goes_on(run: &Run) -> Vec<String> {
    let id = run.id;
    if run.status() != RunStatus::Blocked || run.paused.is_some() || !run.rests() {
        return vec![format!(
            "{id}: accepted; nobody works on it now: divisi resume {id}"
        )];
    }
    let told = explain_run(run, words::now(), &Shared::default());
    let commands = told.commands.iter().map(|command| format!("  → {command}"));
    std::iter::once(format!("{id}: accepted; it waits for people:"))
        .chain(commands)
        .collect()
}

/// `divisi reject`: the reason is what makes the next attempt, or the next plan, another; and later
/// nobody could say it any more.
pub(crate) fn reject(args: &cli::Reject, project: &Project, printer: &Printer) -> Outcome {
    let mut reason = args.reason.trim().to_owned();
    if reason.is_empty()
        && let Some(told) = unreasoned(args, project)?
    {
        let said = match consent::can_be_asked() {
            true => consent::asks_for_words(&format!("{}; why?", told.cause))?,
            false => None,
        };
        reason = said.ok_or_else(|| Failure::told(told, Exit::Usage))?;
    }
    let action = Action::Reject {
        task: args.task.clone(),
        reason,
    };
    act(project, args.run, action, printer)
}

/// `divisi approve`: of a plan, on a terminal what is approved is shown, with every program that it
/// would run.
pub(crate) fn approve(
    args: &cli::Approve,
    project: &Project,
    id: RunId,
    printer: &Printer,
) -> Outcome {
    if args.task.is_none() && consent::can_be_asked() {
        project.row(&project.view()?, Some(id))?;
        let run = crate::follow::run(project, id)?;
        if run.status() == RunStatus::AwaitingApproval {
            printer.question(&approval::waiting(&run));
        }
    }
    let action = Action::Approve {
        task: args.task.clone(),
        note: args.note.clone(),
        waive: args.waive,
    };
    act(project, id, action, printer)
}

/// `divisi answer`: with nothing said, whoever asked would be asked to go on as before.
pub(crate) fn answer(args: &cli::Answer, project: &Project, printer: &Printer) -> Outcome {
    let (run, task) = (args.of.run, &args.of.task);
    let text = args.text.join(" ").trim().to_owned();
    if text.is_empty() {
        let told = Diagnostic::error("answer-empty", "the answer says nothing").hint(format!(
            "say it in words: `divisi answer {run} {task} TEXT`"
        ));
        return Err(Failure::told(told, Exit::Usage));
    }
    let action = Action::Answer {
        task: task.clone(),
        text,
    };
    act(project, run, action, printer)
}

/// What is refused for no reason, if it is there to be refused at all.
fn unreasoned(args: &cli::Reject, project: &Project) -> Result<Option<Diagnostic>, Failure> {
    let id = args.run;
    project.row(&project.view()?, Some(id))?;
    let run = crate::follow::run(project, id)?;
    let nothing_says = |what: &str| format!("nothing says why {what} of {id} is refused");
    Ok(match &args.task {
        Some(name) => {
            crate::loaded::task(&run, name)?;
            let told = Diagnostic::error("reject-reason", nothing_says(&format!("task {name}")));
            Some(told.hint(format!(
                "say it to whoever tries next, or reads the report: \
                 `divisi reject {id} {name} --reason WHY`"
            )))
        }
        None if run.approved && matches!(run.finally, Final::Held { .. }) => {
            let told = Diagnostic::error("reject-reason", nothing_says("the whole"));
            Some(told.hint(format!(
                "say it to whoever mends it: `divisi reject {id} --reason WHY`"
            )))
        }
        None if run.planner().is_some() && !run.approved => {
            let told = Diagnostic::error("planning-reason", nothing_says("the plan"));
            Some(told.hint(format!(
                "say what the next plan is to do otherwise: `divisi reject {id} --reason WHY`"
            )))
        }
        None => None,
    })
}

/// Asks whoever holds the engine, or holds it for that moment. Says whether another process does.
///
/// # Errors
/// Nobody can hold it.
pub(crate) fn answered(project: &Project, ask: Ask) -> Result<(Response, bool), Failure> {
    let holding = Holding::of(project);
    let request = request(ask);
    let unreachable = |told| Failure::told(told, Exit::Environment);
    let tries = Tries::begin();
    loop {
        match reach(&holding, silent).map_err(unreachable)? {
            Holder::Us(mut held) => return Ok((held.ask(request)?, false)),
            Holder::Other(mut client) => {
                // A holder that went away before it answered: somebody else will.
                if let Ok(response) = client.ask(&request) {
                    return Ok((response, true));
                }
                tries.wait().map_err(unreachable)?;
            }
        }
    }
}

/// Says how a run ended that is asked for something, and what is left to do.
fn has_ended(diagnostic: Diagnostic, project: &Project, run: RunId) -> Result<Diagnostic, Failure> {
    let row = project.row(&project.view()?, Some(run))?;
    let ended = summary(&row).ok().and_then(|summary| summary.ended);
    Ok(match ended {
        None => diagnostic,
        Some((status, _)) => {
            let how = happened::ended_words(status);
            Diagnostic::error("run-ended", format!("{run} has ended: it {how}"))
                .hint("nothing of it is tried again; `divisi run` begins another run")
                .hint(format!("`divisi report {run}` says what became of it"))
        }
    })
}

/// Names the tasks that await somebody's judgment, where the whole was judged and does not.
fn with_judgments(diagnostic: Diagnostic, project: &Project, id: RunId) -> Diagnostic {
    let Ok(run) = crate::follow::run(project, id) else {
        return diagnostic;
    };
    let now = words::now();
    let blocked = (0..)
        .map(TaskNo)
        .zip(run.tasks())
        .filter(|(_, task)| task.status() == TaskStatus::Blocked);
    let approve = format!("divisi approve {id} ");
    let commands: Vec<String> = blocked
        .filter_map(|(no, _)| explain(&run, no, now, &Shared::default()))
        .flat_map(|told| told.commands)
        .filter(|command| command.starts_with(&approve))
        .collect();
    let hints = commands.iter().take(JUDGMENTS_MAX);
    let told = hints.fold(diagnostic, |told, command| {
        told.hint(format!("a task awaits it: {command}"))
    });
    match commands.len() {
        0 => told.hint(format!("`divisi explain {id}` says what the run waits for")),
        many if many > JUDGMENTS_MAX => {
            let more = words::plural((many - JUDGMENTS_MAX) as u64, "more task");
            told.hint(format!("{more} await it: divisi status {id}"))
        }
        _ => told,
    }
}

/// `divisi submit`: takes files over into the task's workspace, then says that they are there.
pub(crate) fn submit(args: &cli::Submit, project: &Project, printer: &Printer) -> Outcome {
    let run = args.of.run;
    if !args.files.is_empty() {
        take_over(args, project)?;
    }
    act(
        project,
        run,
        Action::Submit {
            task: args.of.task.clone(),
        },
        printer,
    )
}

/// Copies files into the workspace of a task's live attempt, at the promised path where one of
/// that name is promised, otherwise at its root.
fn take_over(args: &cli::Submit, project: &Project) -> Result<(), Failure> {
    let run = crate::follow::run(project, args.of.run)?;
    let refused = |cause: String| {
        let diagnostic = Diagnostic::error("submit-files", cause).hint(format!(
            "`divisi explain {} {}` says what the task waits for",
            args.of.run, args.of.task
        ));
        Failure::told(diagnostic, Exit::Refused)
    };
    let no = crate::loaded::task(&run, &args.of.task)?;
    let task = &run.tasks()[no.index()];
    let live = task
        .live()
        .ok_or_else(|| refused(format!("task {} has no live attempt", args.of.task)))?;
    // What an agent works on is the agent's.
    if !live.awaits_submission() {
        return Err(refused(match holds_slot(&live.agent) {
            true => format!("task {} is not done by a person", args.of.task),
            false => format!(
                "task {} was submitted already and is {} now",
                args.of.task,
                task.status()
            ),
        }));
    }
    // The engine owns its workspaces: this one is found, never made.
    let workspace = project.workspace(run.id, no, live.workspace);
    let is_folder = workspace.symlink_metadata().is_ok_and(|at| at.is_dir());
    if live.base.is_none() || !is_folder {
        return Err(refused("its workspace is not prepared yet".to_owned()));
    }
    // All or nothing: no file is written before each has its place.
    let mut contents: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for file in &args.files {
        let target = place(file, &task.spec, args.files.len()).map_err(refused)?;
        let bytes = std::fs::read(file)
            .map_err(|error| refused(format!("cannot read {}: {error}", file.display())))?;
        if contents.insert(target, bytes).is_some() {
            return Err(refused(format!("two of the files are {target}")));
        }
    }
    if let Some(changed) = changed_there(project, task, live, &workspace, &contents)? {
        return Err(refused(format!(
            "{changed} was changed in the workspace and differs from the file that is given; submit \
             without a file to take it as it is there, or remove it from {} first",
            workspace.display()
        )));
    }
    for (target, bytes) in &contents {
        divisi_agents::beneath::write(
            &workspace,
            target,
            bytes,
            divisi_agents::beneath::Place::Whole,
        )
        .map_err(|error| refused(format!("cannot write {target}: {error}")))?;
    }
    Ok(())
}

/// The first of some places at which somebody wrote in the workspace what neither was there in the
/// beginning, nor was submitted before, nor is given now: it may be all that there is of it.
fn changed_there<'c>(
    project: &Project,
    task: &Task,
    live: &Attempt,
    workspace: &Path,
    contents: &BTreeMap<&'c str, Vec<u8>>,
) -> Result<Option<&'c str>, Failure> {
    let there = |(target, given): (&&'c str, &Vec<u8>)| {
        // Only a file can be overwritten: what else there is refuses to be.
        let mut file = divisi_agents::beneath::open(workspace, target).ok()?;
        let mut there = Vec::new();
        file.read_to_end(&mut there).ok()?;
        (there != *given).then_some((*target, there))
    };
    let others: Vec<(&str, Vec<u8>)> = contents.iter().filter_map(there).collect();
    if others.is_empty() {
        return Ok(None);
    }
    let told = |fault: Fault| Failure::told(fault.diagnostic(), Exit::Environment);
    let repo =
        Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit).map_err(told)?;
    let submitted = task.endings.iter().filter_map(Ending::snapshot);
    let mut trees: Vec<Tree> = submitted.map(|it| it.tree.clone()).collect();
    if let Some(base) = &live.base {
        trees.push(repo.tree_of(base).map_err(told)?);
    }
    for (target, there) in others {
        let mut is_known = false;
        for tree in &trees {
            let files = repo.files(tree, None).map_err(told)?;
            is_known |= files
                .read(target, there.len() as u64 + 1)
                .is_ok_and(|known| known == there);
        }
        if !is_known {
            return Ok(Some(target));
        }
    }
    Ok(None)
}

/// The place of a file in the workspace: the promised path that its own ends with, the only one if
/// it is the only file, or its name where nothing is promised.
fn place<'a>(file: &'a Path, spec: &'a TaskSpec, many: usize) -> Result<&'a str, String> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| format!("{} names no file", file.display()))?;
    let promised: Vec<&str> = spec
        .deliverables
        .iter()
        .map(|it| it.path.as_str())
        .collect();
    let last = |path: &&&str| Path::new(path).file_name() == file.file_name();
    let alike: Vec<&&str> = promised.iter().filter(last).collect();
    let whole = |path: &&&&str| file.ends_with(Path::new(path));
    let meant = alike.iter().find(whole);
    match (meant, &alike[..], &promised[..]) {
        (Some(path), _, _) | (None, [path], _) => Ok(path),
        (None, [], []) => Ok(name),
        (None, [], [only]) if many == 1 => Ok(only),
        (None, [], _) => Err(format!(
            "{} is none of the files that are promised: {}",
            file.display(),
            promised.join(", ")
        )),
        (None, [_, _, ..], _) => {
            let alike: Vec<&str> = alike.iter().map(|path| **path).collect();
            let alike = alike.join(" or ");
            Err(format!(
                "{} may be {alike}: give it with its folders",
                file.display()
            ))
        }
    }
}

/// `divisi split`.
pub(crate) fn split(args: &cli::Split, project: &Project, printer: &Printer) -> Outcome {
    let (task, reason) = (args.of.task.clone(), args.reason.clone());
    let Some(parts) = &args.parts else {
        let action = Action::Divide { task, reason };
        return act(project, args.of.run, action, printer);
    };
    let parts = crate::plan::read_parts(parts, printer)?;
    // What `auto` stands for was settled when the run was created.
    let settings = crate::follow::run(project, args.of.run)?.settings;
    let present = Present::look(&settings.defined);
    let mut settling = Settling::go_on(&present, settings);
    parts.tasks.iter().for_each(|task| settling.see(task));
    settling.end(Severity::Error, printer)?;
    let written = parts.tasks.clone();
    let action = Action::Split {
        task,
        parts,
        reason,
    };
    let outcome = act(project, args.of.run, action, printer)?;
    tell_kept(args, &written, project, printer)?;
    Ok(outcome)
}

/// Says what parts have of the task that was split beside what was written of them.
fn tell_kept(
    args: &cli::Split,
    written: &[TaskSpec],
    project: &Project,
    printer: &Printer,
) -> Result<(), Failure> {
    let run = crate::follow::run(project, args.of.run)?;
    for part in written {
        let Some(no) = run.find(&part.id) else {
            continue;
        };
        let is = &run.tasks()[no.index()].spec;
        let files = { is.deliverables.iter() }
            .filter(|it| !part.deliverables.contains(it))
            .map(|it| format!("it makes {}", it.path));
        let criteria = { is.criteria.iter() }
            .filter(|it| !part.criteria.contains(it))
            .map(ToString::to_string);
        let kept: Vec<String> = files.chain(criteria).collect();
        if !kept.is_empty() {
            printer.note(&Line::of(format!(
                "{} keeps what {} promised and no part does: {}",
                part.id,
                args.of.task,
                kept.join("; ")
            )));
        }
    }
    Ok(())
}
