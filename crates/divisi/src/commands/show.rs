//! `divisi show`: everything about a run, or about one task of it.
//!
//! Of a task: what it was to do, where it stands and why, and each attempt with its receipts, its
//! verdicts with what was seen, its log and its workspace.

use divisi_core::ledger::{Account, Balance, Bound};
use divisi_core::plan::{Input, TaskSpec, Work};
use divisi_core::run::explain::{Explanation, explain};
use divisi_core::run::{Base, Event, Final, Run, Task, is_scripted};
use divisi_core::{Intent, TaskNo, Time, WorkspaceKind, shell};
use serde_json::{Value, json};

use crate::cli::{Global, RunTask};
use crate::exit::Exit;
use crate::last_printed;
use crate::loaded;
use crate::printer::{Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::so_far;
use crate::words::{self, cut, heading, moment, plural, span};

mod attempts;

use attempts::{early_lines, ending_lines, live_lines, verdict_lines};

/// So many tasks of a run are listed; `--json` lists all.
const TASKS_MAX: usize = 100;

/// So many revisions of a plan are listed; `--json` lists all.
const REVISIONS_MAX: usize = 10;

/// So many characters are shown of how one came about.
const HOW_CHARS_MAX: usize = 100;

/// So many lines of one text are shown; `--json` has all of it.
const TEXT_LINES_MAX: usize = 30;

/// Shows a run or a task.
pub(crate) fn run(args: &RunTask, global: &Global, printer: &Printer) -> Outcome {
    let (project, run) = loaded::open(global, Some(args.run))?;
    let now = words::now();
    let view = project.view()?;
    let shared = loaded::shared(&view, run.id)?;
    match &args.task {
        None => {
            let revisions = loaded::revisions(&view, run.id)?;
            let balance = shared.balance(run.id).copied();
            match printer.is_json() {
                true => printer.document(&run_document(&project, &run, balance, &revisions))?,
                false => printer.lines(&run_lines(&project, &run, balance, &revisions))?,
            }
        }
        Some(id) => {
            let no = loaded::task(&run, id)?;
            let told = explain(&run, no, now, &shared);
            let told = told.expect("the task is one of the run's");
            let account = Account::Task(run.id, no);
            let balance = shared.accounts.get(&account).copied();
            match printer.is_json() {
                true => printer.document(&task_document(&project, &run, no, &told, balance))?,
                false => printer.lines(&task_lines(&project, &run, no, &told, balance, now))?,
            }
        }
    }
    Ok(Exit::Success)
}

/// How a revision of a plan came about, in words.
fn how_revised(event: &Event) -> String {
    let named = |parts: &[TaskSpec]| {
        let ids = parts.iter().map(|part| part.id.as_str());
        ids.collect::<Vec<&str>>().join(", ")
    };
    match event {
        Event::RunCreated { .. } => "as the run was created".to_owned(),
        Event::PlanReplaced { .. } => "its owner edited it".to_owned(),
        Event::PlanRefused { reason, .. } => format!("its owner refused it: {reason}"),
        Event::TaskSplit {
            parts,
            planned: Some(_),
            ..
        } => format!("planned: {}", named(parts)),
        Event::TaskSplit { parts, reason, .. } => {
            format!("a task became {}: {reason}", named(parts))
        }
        other => other.kind().to_owned(),
    }
}

fn run_document(
    project: &Project,
    run: &Run,
    balance: Option<Balance>,
    revisions: &[(Time, Event)],
) -> Value {
    let tasks: Vec<Value> = run
        .tasks()
        .iter()
        .map(
            |task| json!({ "id": task.spec.id, "title": task.spec.title, "status": task.status() }),
        )
        .collect();
    let mut settings = json!(run.settings);
    // What it may use is its account's to say; the settings hold how that was opened.
    if let Some(fields) = settings.as_object_mut() {
        fields.remove("budget");
    }
    let revisions = (1_u32..).zip(revisions).map(
        |(number, (at, event))| json!({ "revision": number, "at": at, "how": how_revised(event) }),
    );
    let revisions: Vec<Value> = revisions.collect();
    json!({
        "run": run.id.to_string(),
        "title": run.title,
        "status": run.status(),
        "revision": run.revision,
        "revisions": revisions,
        "advice": run.advice(),
        "created_at": run.created_at,
        "ended_at": run.ended.map(|(_, at)| at),
        "paused": run.paused,
        "base": run.base,
        "intent": run.intent,
        "settings": settings,
        "budget": balance,
        "criteria": run.criteria,
        "final": run.finally,
        "head": run.integration.head,
        "folder": project.run_folder(run.id),
        "tasks": tasks,
    })
}

/// A name and a value, aligned.
fn row(name: &str, value: impl Into<String>) -> Line {
    Line::styled(Style::Dim, format!("{name:<12}")).then(value)
}

/// What a run stands on, in words.
pub(crate) fn base_words(base: &Base) -> String {
    let at = match (&base.commit, base.described.as_str()) {
        (Some(commit), "") => commit.short().to_owned(),
        (Some(commit), described) if described.contains(commit.short()) => described.to_owned(),
        (Some(commit), described) => format!("{described} at {}", commit.short()),
        (None, "") => "no files".to_owned(),
        (None, described) => described.to_owned(),
    };
    let many = plural(base.uncommitted.len() as u64, "uncommitted path");
    match (base.uncommitted.is_empty(), base.included) {
        (true, _) => at,
        (false, true) => format!("{at}, with {many}"),
        (false, false) => format!("{at}, without {many}"),
    }
}

fn run_lines(
    project: &Project,
    run: &Run,
    balance: Option<Balance>,
    revisions: &[(Time, Event)],
) -> Vec<Line> {
    let status = run.status();
    let mut lines = vec![
        heading(run.id.to_string())
            .then(format!("  {}  ", run.title))
            .with(words::run_style(status), words::standing(run)),
        row("progress", words::progress_of(run)),
        row("created", moment(run.created_at)),
    ];
    if let Some((_, at)) = run.ended {
        let took = span(at.ms_since(run.created_at));
        lines.push(row("ended", format!("{}, after {took}", moment(at))));
    }
    if let Some(reason) = &run.paused {
        lines.push(row("paused", reason.words()));
        let commands = reason.commands(run.id).into_iter();
        lines.extend(commands.map(|command| row("", format!("→ {command}"))));
    }
    lines.extend(run.intent.iter().flat_map(|it| intent_lines(it)));
    lines.push(row("base", base_words(&run.base)));
    for path in run.base.uncommitted.iter().take(TEXT_LINES_MAX) {
        lines.push(row("", format!("  {path}")));
    }
    let settings = &run.settings;
    lines.push(row("workers", settings.workers_max.to_string()));
    for (name, many) in settings.role_limits.iter().chain(&settings.agent_limits) {
        lines.push(row("limit", format!("{name}: {many}")));
    }
    lines.push(row("time box", span(settings.timeout_ms)));
    lines.extend(balance.iter().flat_map(balance_lines));
    lines.push(row("plan", format!("revision {}", run.revision)));
    if revisions.len() > 1 {
        let numbered: Vec<_> = (1_u32..).zip(revisions).collect();
        let last = numbered.len().saturating_sub(REVISIONS_MAX);
        lines.extend(numbered[last..].iter().map(|(number, (at, event))| {
            let how = cut(&how_revised(event), HOW_CHARS_MAX);
            row("", format!("  {number}  {}  {how}", moment(*at)))
        }));
        let command = format!("divisi plan diff {}@1 {}", run.id, run.id);
        lines.push(row("", format!("→ {command}")));
    }
    for (at, advice) in run.advice().iter().enumerate() {
        lines.push(row(if at == 0 { "advised" } else { "" }, advice));
    }
    if let Some(head) = &run.integration.head {
        lines.push(row("head", head.short()));
    }
    lines.push(row(
        "folder",
        project.run_folder(run.id).display().to_string(),
    ));
    if !run.criteria.is_empty() {
        lines.push(Line::default());
        lines.push(heading("criteria of the whole"));
        lines.extend(final_lines(run));
    }
    lines.push(Line::default());
    lines.push(heading("tasks"));
    for task in run.tasks().iter().take(TASKS_MAX) {
        let status = task.status();
        lines.push(
            Line::of("  ")
                .with(words::task_style(status), format!("{status:<12}"))
                .with(Style::Bold, task.spec.id.as_str())
                .then(format!("  {}", task.spec.title)),
        );
    }
    if run.tasks().len() > TASKS_MAX {
        let more = run.tasks().len() - TASKS_MAX;
        lines.push(Line::styled(
            Style::Dim,
            format!("  … and {more} more; `--json` lists all"),
        ));
    }
    lines
}

/// What it is for, and how its plan came of it.
fn intent_lines(intent: &Intent) -> Vec<Line> {
    let assessed = &intent.assessment;
    let mut lines: Vec<Line> = Vec::new();
    let mut rows = |name: &str, said: &mut dyn Iterator<Item = String>| {
        for (at, said) in said.enumerate() {
            lines.push(row(if at == 0 { name } else { "" }, said));
        }
    };
    rows(
        "asked",
        &mut intent.text.lines().take(TEXT_LINES_MAX).map(str::to_owned),
    );
    let understood = intent.understood.iter().flat_map(|text| text.lines());
    rows(
        "understood",
        &mut understood.take(TEXT_LINES_MAX).map(str::to_owned),
    );
    let head = format!("{}, {}", assessed.approach, assessed.certainty);
    rows(
        "assessed",
        &mut std::iter::once(head).chain(assessed.reasons.iter().cloned()),
    );
    let rules = assessed.rules.iter();
    let rules =
        rules.map(|it| format!("{} ({}) for {}", it.rule, it.because.join(", "), it.points));
    rows("rules", &mut rules.into_iter());
    rows("facts", &mut assessed.facts.iter().cloned());
    let answers = intent.settled.iter().filter(|it| !it.is_assumed);
    rows(
        "answered",
        &mut answers.map(|it| format!("{} {}", it.asks, it.answer)),
    );
    rows("assumed", &mut intent.assumptions());
    rows("planned", &mut std::iter::once(intent.planner.to_string()));
    rows("left out", &mut intent.left_out.iter().cloned());
    lines
}

fn balance_lines(balance: &Balance) -> Vec<Line> {
    let line = |bound: Bound| {
        let taken = balance.taken().of(bound.measure());
        row(
            "budget",
            format!("{bound}, {} used or reserved", taken_words(bound, taken)),
        )
    };
    let mut lines: Vec<Line> = balance.budget.bounds().map(line).collect();
    let counts = balance.budget.tokens.is_some() || balance.budget.usd_micros.is_some();
    if counts && balance.unreported > 0 {
        let many = plural(balance.unreported, "attempt");
        lines.push(row("", format!("{many} did not report all that was used")));
    }
    lines
}

/// So much, where the bound beside it says of what.
fn taken_words(bound: Bound, taken: u64) -> String {
    match bound {
        Bound::Attempts(_) | Bound::Tokens(_) => taken.to_string(),
        Bound::TimeMs(_) => span(taken),
        Bound::UsdMicros(_) => Bound::UsdMicros(taken).to_string(),
    }
}

fn final_lines(run: &Run) -> Vec<Line> {
    match &run.finally {
        Final::Open => run
            .criteria
            .iter()
            .map(|criterion| Line::styled(Style::Dim, "  not yet  ").then(criterion.to_string()))
            .collect(),
        Final::Held { verdicts, .. } | Final::Passed(verdicts) => {
            verdict_lines(&run.criteria, verdicts, "  ")
        }
    }
}

/// A text of several lines, indented and bounded.
fn block(text: &str, indent: &str) -> Vec<Line> {
    let all = text.lines().count();
    let shown = text.lines().take(TEXT_LINES_MAX);
    let mut lines: Vec<Line> = shown
        .map(|line| Line::of(indent).with(Style::Dim, line))
        .collect();
    if all > TEXT_LINES_MAX {
        let more = plural((all - TEXT_LINES_MAX) as u64, "more line");
        lines.push(Line::of(indent).with(Style::Dim, format!("… {more}")));
    }
    lines
}

fn task_document(
    project: &Project,
    run: &Run,
    no: TaskNo,
    told: &Explanation,
    balance: Option<Balance>,
) -> Value {
    let task = &run.tasks()[no.index()];
    let id = &task.spec.id;
    let ids = |numbers: Vec<TaskNo>| -> Vec<String> {
        numbers
            .iter()
            .map(|no| run.tasks()[no.index()].spec.id.to_string())
            .collect()
    };
    let files = |number: u32, workspace: u32| {
        json!({
            "number": number,
            "log": project.log(run.id, id, number),
            "workspace": workspace_path(project, run, no, task, workspace),
        })
    };
    let attempts = task
        .endings
        .iter()
        .map(|ending| files(ending.number, ending.workspace))
        .chain(task.live().map(|live| files(live.number, live.workspace)));
    json!({
        "run": run.id.to_string(),
        "no": no.0,
        "status": task.status(),
        "spec": *task.spec,
        "stage_context": task.stage_context.as_deref(),
        "state": task.state,
        "scripted": is_scripted(words::who(run, task)),
        "so_far": so_far::verdicts(project, run, no, task),
        "waits_for": ids(run.dependencies(no)),
        "feeds": ids(run.dependents(no)),
        "part_of": ids(run.replaced(no).collect()),
        "candidate_of": ids(run.candidate_of(no).into_iter().collect()).pop(),
        "candidates": ids(run.candidates(no).collect()),
        "chosen": task.chosen,
        "stands_on": task.stands_on().map(|it| it.to_string()),
        "budget": balance,
        "failures": task.failures,
        "losses": task.losses,
        "usage_limits": task.limits,
        "conflicts": task.conflicts,
        "answers": task.answers,
        "explanation": told,
        "endings": task.endings,
        "files": attempts.collect::<Vec<Value>>(),
    })
}

fn workspace_path(
    project: &Project,
    run: &Run,
    no: TaskNo,
    task: &Task,
    workspace: u32,
) -> Option<std::path::PathBuf> {
    let has_own = matches!(
        task.spec.workspace,
        WorkspaceKind::Worktree | WorkspaceKind::Scratch
    );
    has_own.then(|| project.workspace(run.id, no, workspace))
}

fn task_lines(
    project: &Project,
    run: &Run,
    no: TaskNo,
    told: &Explanation,
    balance: Option<Balance>,
    now: Time,
) -> Vec<Line> {
    let task = &run.tasks()[no.index()];
    let mut lines = vec![
        heading(task.spec.id.as_str())
            .then(format!("  {}  ", task.spec.title))
            .with(words::task_style(task.status()), task.status().word()),
    ];
    lines.extend(
        told.causes
            .iter()
            .map(|cause| Line::of(format!("  {cause}"))),
    );
    lines.extend(
        told.commands
            .iter()
            .map(|command| Line::styled(Style::Dim, "  → ").with(Style::Note, command)),
    );
    lines.push(Line::default());
    lines.extend(spec_lines(run, no, task));
    lines.extend(balance.iter().flat_map(balance_lines));
    for ending in &task.endings {
        lines.push(Line::default());
        lines.extend(ending_lines(run, task, ending));
        lines.extend(file_lines(
            project,
            run,
            no,
            task,
            ending.number,
            ending.workspace,
        ));
    }
    if let Some(live) = task.live() {
        lines.push(Line::default());
        lines.extend(live_lines(run, task, live, now));
        lines.extend(early_lines(task, &so_far::verdicts(project, run, no, task)));
        lines.extend(file_lines(
            project,
            run,
            no,
            task,
            live.number,
            live.workspace,
        ));
    }
    lines
}

fn spec_lines(run: &Run, no: TaskNo, task: &Task) -> Vec<Line> {
    let spec: &TaskSpec = &task.spec;
    let mut lines = vec![row("kind", lower(&format!("{:?}", spec.kind)))];
    let names = run
        .replaced(no)
        .map(|no| run.tasks()[no.index()].spec.id.as_str());
    let wholes: Vec<&str> = names.collect();
    if !wholes.is_empty() {
        lines.push(row("part of", wholes.join(", a part of ")));
    }
    if let Some(of) = run.candidate_of(no) {
        let of = &run.tasks()[of.index()].spec.id;
        lines.push(row("candidate", format!("of {of}")));
    }
    lines.extend(candidate_lines(run, no));
    if let Some(role) = spec.role() {
        lines.push(row("role", role));
    }
    lines.push(row("agent", words::agent(task.agent(&run.settings))));
    lines.extend(work_lines(&spec.work));
    if !spec.description.is_empty() {
        lines.push(row("description", ""));
        lines.extend(block(&spec.description, "    "));
    }
    if let Some(context) = &task.stage_context {
        lines.push(row("context", "of its stage"));
        lines.extend(block(context, "    "));
    }
    for on in run.dependencies(no).into_iter().take(TEXT_LINES_MAX) {
        let on = &run.tasks()[on.index()];
        lines.push(row("after", format!("{} ({})", on.spec.id, on.status())));
    }
    for input in &spec.inputs {
        lines.push(row(
            "input",
            match input {
                Input::Task(id) => format!("what {id} made"),
                Input::Path(path) => path.clone(),
            },
        ));
    }
    for deliverable in &spec.deliverables {
        lines.push(row("deliverable", &deliverable.path));
    }
    for criterion in &spec.criteria {
        lines.push(row("criterion", criterion.to_string()));
    }
    lines.push(row("workspace", lower(&format!("{:?}", spec.workspace))));
    lines.push(row("time box", span(task.timeout_ms(&run.settings))));
    if let Some(ms) = spec.estimate.duration_ms {
        lines.push(row("estimate", span(ms)));
    }
    for answer in &task.answers {
        lines.push(row("told", &answer.text));
    }
    lines
}

/// The solutions that are compared for a task, each with where it stands.
fn candidate_lines(run: &Run, no: TaskNo) -> Vec<Line> {
    let of = &run.tasks()[no.index()];
    let (taken, stands) = (of.taken().map(|it| it.task), of.stands_on().is_some());
    let line = |no: TaskNo| {
        let task = &run.tasks()[no.index()];
        let agent = words::agent(task.agent(&run.settings));
        let taken = match taken == Some(no) {
            true if stands => ", chosen",
            true => ", chosen first",
            false => "",
        };
        row(
            "candidate",
            format!("{} by {agent} ({}{taken})", task.spec.id, task.status()),
        )
    };
    let mut lines: Vec<Line> = run.candidates(no).map(line).collect();
    lines.extend(of.chosen_words().map(|words| row("", words)));
    lines
}

fn lower(word: &str) -> String {
    word.to_lowercase()
}

fn work_lines(work: &Work) -> Vec<Line> {
    match work {
        Work::Command(argv) => vec![row("command", shell::line(argv))],
        Work::Script(script) => {
            let mut lines = vec![row("script", "")];
            lines.extend(block(script, "    "));
            lines
        }
        Work::Template(template) => vec![row("composes", &template.output)],
        Work::Expand(expansion) => {
            let bundle = expansion.bundle.short();
            vec![row(
                "expands",
                format!("{} of bundle {bundle}", expansion.stage),
            )]
        }
        Work::Handoff | Work::Nothing => Vec::new(),
    }
}

fn file_lines(
    project: &Project,
    run: &Run,
    no: TaskNo,
    task: &Task,
    number: u32,
    workspace: u32,
) -> Vec<Line> {
    let log = Some(project.log(run.id, &task.spec.id, number));
    let workspace = workspace_path(project, run, no, task, workspace);
    let printed = last_printed::of_failed(&project.divisi(), run, run.attempt_id(no, number));
    let printed = printed.map(|line| ("  last line ", line));
    let paths = [("  log       ", log), ("  workspace ", workspace)]
        .into_iter()
        .filter_map(|(name, path)| Some((name, path.filter(|path| path.exists())?)))
        .map(|(name, path)| (name, path.display().to_string()));
    let rows = printed.into_iter().chain(paths);
    rows.map(|(name, what)| Line::styled(Style::Dim, name).then(format!("  {what}")))
        .collect()
}

#[cfg(test)]
mod tests;
