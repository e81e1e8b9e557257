//! `divisi permissions`: what agents ask leave for, in one queue over all runs.

use divisi_core::permission::{Decider, Decision, Permission, Request, Rule, Ruling, Standing};
use divisi_core::run::Run;
use divisi_core::{AttemptId, RunId, Time};
use divisi_engine::control::Action;
use serde::Serialize;

use crate::cli::{self, Global, PermissionsCommand};
use crate::commands::act::act;
use crate::exit::Exit;
use crate::follow;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::unfinished;
use crate::words;

/// `divisi permissions`.
pub(crate) fn run(args: &cli::Permissions, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let decide = |of: &cli::Answered, decision: Decision| {
        let action = Action::Decide {
            request: of.request,
            decision,
            always: of.always,
        };
        let exit = act(&project, of.run, action, printer)?;
        if of.always && !printer.is_json() {
            let run = follow::run(&project, of.run)?;
            let known = run.permission(of.request);
            let told = known.and_then(|(attempt, known)| always(&run, attempt, known));
            let told = told.map(|covers| Line::of(format!("from now on the same for {covers}")));
            told.iter().for_each(|line| printer.note(line));
        }
        Ok(exit)
    };
    match &args.command {
        None => list(&waiting(&project)?, None, printer),
        Some(PermissionsCommand::List(of)) => match of.run {
            None => list(&waiting(&project)?, None, printer),
            Some(run) => list(&[follow::run(&project, run)?], Some(run), printer),
        },
        Some(PermissionsCommand::Allow(of)) => decide(of, Decision::Allow),
        Some(PermissionsCommand::Deny(of)) => {
            let reason = of.reason.clone();
            decide(&of.answered, Decision::Deny { reason })
        }
    }
}

/// The runs in which something waits for an answer.
fn waiting(project: &Project) -> Result<Vec<Run>, Failure> {
    let view = project.view()?;
    let asking = unfinished::summaries(&view)?;
    let asking = asking.into_iter().filter(|(_, it)| it.asking > 0);
    let runs = asking.map(|(row, _)| loaded::load(&view, row.run));
    Ok(runs.collect::<Result<Vec<Run>, _>>()?)
}

/// A request in a list.
#[derive(Serialize)]
pub(crate) struct Listed<'r> {
    run: String,
    request: u32,
    task: &'r str,
    attempt: u32,
    agent: &'r str,
    deed: &'static str,
    title: &'r str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    paths: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'r str>,
    /// `asked`, `allowed`, `denied` or `withdrawn`.
    standing: &'static str,
    /// When it was asked, or answered.
    at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'r str>,
    /// What an answer for all like it would be about, where it waits for one.
    #[serde(skip)]
    always: Option<String>,
}

/// What an answer with `--always` is about; `None` if this one can only be answered once.
fn always(run: &Run, attempt: AttemptId, permission: &Permission) -> Option<String> {
    let role = run.task(attempt.task)?.spec.role();
    // What it says then is no matter here.
    let rules = Rule::like(&permission.request, role.as_deref(), Ruling::Deny);
    let covers: Vec<String> = rules.iter().map(Rule::covers).collect();
    (!covers.is_empty()).then(|| covers.join("; "))
}

/// The requests of a run that are kept, oldest first.
pub(crate) fn listed(run: &Run) -> Vec<Listed<'_>> {
    let mut all: Vec<Listed<'_>> = (run.permissions())
        .map(|(attempt, permission)| one(run, attempt, permission))
        .collect();
    all.sort_by_key(|listed| listed.request);
    all
}

fn one<'r>(run: &'r Run, attempt: AttemptId, permission: &'r Permission) -> Listed<'r> {
    let task = &run.tasks()[attempt.task.index()];
    let live = task.live().filter(|live| live.number == attempt.number);
    let agent = live.map(|live| live.agent.as_str());
    let ended = task.ending(attempt.number);
    let agent = agent.or_else(|| ended.map(|ending| ending.agent.as_str()));
    let Request {
        deed,
        title,
        paths,
        command,
        ..
    } = &permission.request;
    let (standing, at, deadline_at, by, because) = match &permission.standing {
        Standing::Asked { at, deadline_at } => ("asked", *at, Some(*deadline_at), None, None),
        Standing::Decided { at, decision, by } => {
            let because = match (by, decision) {
                (Decider::Policy { because }, _) => Some(because.as_str()),
                (_, Decision::Deny { reason }) => Some(reason.as_str()),
                (_, Decision::Allow) => None,
            };
            (decision.word(), *at, None, Some(by.word()), because)
        }
        Standing::Withdrawn { at } => ("withdrawn", *at, None, None, None),
    };
    Listed {
        run: run.id.to_string(),
        request: permission.no,
        task: task.spec.id.as_str(),
        attempt: attempt.number,
        agent: agent.unwrap_or_default(),
        deed: deed.word(),
        title,
        paths,
        command: command.as_deref(),
        standing,
        at,
        deadline_at,
        by,
        because,
        always: always(run, attempt, permission),
    }
}

fn list(runs: &[Run], of: Option<RunId>, printer: &Printer) -> Outcome {
    // Of all runs what waits; of one run everything.
    let all = runs.iter().flat_map(listed);
    let all: Vec<Listed<'_>> = all
        .filter(|listed| of.is_some() || listed.standing == "asked")
        .collect();
    if printer.is_json() {
        printer.document(&serde_json::json!({ "requests": all }))?;
        return Ok(Exit::Success);
    }
    if all.is_empty() {
        printer.note(&Line::of(match of {
            None => "no agent waits for an answer".to_owned(),
            Some(run) => format!("no agent of {run} has asked for anything"),
        }));
    }
    let now = words::now();
    let lines: Vec<Line> = all.iter().flat_map(|listed| lines(listed, now)).collect();
    printer.lines(&lines)?;
    Ok(Exit::Success)
}

fn lines(listed: &Listed<'_>, now: Time) -> Vec<Line> {
    let style = match listed.standing {
        "asked" | "denied" => Style::Warn,
        _ => Style::Dim,
    };
    let by = listed.by.map_or_else(String::new, |by| format!(" by {by}"));
    let because = listed
        .because
        .map_or_else(String::new, |it| format!(": {it}"));
    let head = Line::styled(Style::Bold, format!("{} {}", listed.run, listed.request))
        .then(format!(
            "  {} ({})  ",
            listed.task,
            words::agent(listed.agent)
        ))
        .then(format!("{}: {}", listed.deed, listed.title))
        .then("  ")
        .with(style, listed.standing)
        .with(Style::Dim, format!("{by}{because}"));
    let mut lines = vec![head];
    let paths = listed
        .paths
        .iter()
        .filter(|path| !listed.title.contains(*path));
    lines.extend(paths.map(|path| Line::styled(Style::Dim, format!("  file {path}"))));
    if let Some(command) = listed
        .command
        .filter(|command| !listed.title.contains(command))
    {
        let shown = command.lines().map(|line| format!("  $ {line}"));
        lines.extend(shown.map(|line| Line::styled(Style::Dim, line)));
    }
    if let Some(deadline_at) = listed.deadline_at {
        let left = words::span(deadline_at.ms_since(now));
        let (run, no) = (&listed.run, listed.request);
        let command = |verb| format!("divisi permissions {verb} {run} {no}");
        lines.push(
            Line::styled(Style::Dim, format!("  denied in {left}  → "))
                .with(Style::Note, command("allow"))
                .with(Style::Dim, " or ")
                .with(Style::Note, command("deny")),
        );
        let always = match &listed.always {
            Some(covers) => format!("  with --always: {covers}"),
            None => "  it can only be answered once, not with --always".to_owned(),
        };
        lines.push(Line::styled(Style::Dim, always));
    }
    lines
}
