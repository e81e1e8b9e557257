//! `divisi watch RUN TASK`: what a task's agent says and does, as it happens, from attempt to
//! attempt.
//!
//! It reads the journal and the attempts' logs, not the engine, so it works from any terminal. It ends
//! when the task has ended, with a code that says how; or as watching the run does, when nothing
//! about the run goes on by itself.

use std::collections::VecDeque;
use std::thread;

use divisi_agents::adapter::printed_at;
use divisi_core::journal::RunRow;
use divisi_core::run::{AGENT_COMMAND, Event, Run, Subject, TaskStatus};
use divisi_core::{Diagnostic, RunId, TaskNo, Time};

use super::spoken::{Heard, Speaker};
use crate::cli::Watched;
use crate::exit::Exit;
use crate::follow::{Follower, LOOK, News, Vigil};
use crate::happened;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::tail::Tail;
use crate::words;

/// Rows looked at together.
const PAGE_ROWS: u32 = 500;

/// The task that is meant.
///
/// # Errors
/// There is none, or there are several.
pub(super) fn find(
    project: &Project,
    watched: &Watched,
    task: Option<&str>,
) -> Result<(RunId, TaskNo), Failure> {
    let view = project.view()?;
    match (watched, task) {
        (Watched::Run(run), task) => {
            let run = loaded::load(&view, project.row(&view, Some(*run))?.run)?;
            let no = loaded::task(&run, task.unwrap_or_default())?;
            Ok((run.id, no))
        }
        (Watched::Task(name), None) => {
            let mut found: Vec<(RunId, TaskNo)> = Vec::new();
            for row in open_runs(project)? {
                let run = loaded::load(&view, row.run)?;
                let no = loaded::task(&run, name).ok();
                found.extend(no.map(|no| (run.id, no)));
            }
            match found[..] {
                [one] => Ok(one),
                _ => Err(not_one(name, &found)),
            }
        }
        (Watched::Task(name), Some(task)) => {
            let cause = format!("{name:?} is no run, of which {task:?} could be a task");
            let told = Diagnostic::error("run-unknown", cause);
            let told = told.hint("a run is named `run-3`, or `3`; `divisi status` lists the runs");
            Err(Failure::told(told, Exit::NotFound))
        }
    }
}

/// Runs that have not ended.
fn open_runs(project: &Project) -> Result<Vec<RunRow>, Failure> {
    let view = project.view()?;
    let mut open = Vec::new();
    let mut after = None;
    loop {
        let page = view.runs(after, PAGE_ROWS)?;
        let Some(last) = page.last() else {
            return Ok(open);
        };
        after = Some(last.run);
        open.extend(page.into_iter().filter(loaded::is_open));
    }
}

fn not_one(name: &str, found: &[(RunId, TaskNo)]) -> Failure {
    let told = match found {
        [] => {
            let cause = format!("no run that has not ended has a task {name:?}");
            Diagnostic::error("task-unknown", cause)
                .hint("name the run too, as in `divisi watch run-3 build`")
                .hint("`divisi status` lists the runs")
        }
        found => {
            let runs: Vec<String> = found.iter().map(|(run, _)| run.to_string()).collect();
            let cause = format!("several runs have a task {name:?}: {}", runs.join(", "));
            let commands = { found.iter() }.map(|(run, _)| format!("divisi watch {run} {name}"));
            let told = Diagnostic::error("task-several", cause);
            commands.fold(told, |told, command| told.hint(format!("`{command}`")))
        }
    };
    Failure::told(told, Exit::NotFound)
}

/// Follows it.
pub(super) fn watch(
    project: &Project,
    run: RunId,
    no: TaskNo,
    from_start: bool,
    printer: &Printer,
) -> Outcome {
    let mut follower = Follower::of(project, run, from_start.then_some(0))?;
    let mut watching = Watching::of(project, no, printer);
    if !from_start {
        watching.begin_latest(follower.run())?;
    }
    let mut vigil = Vigil::default();
    loop {
        let is_news = follower.look(&mut |news| watching.on(&news))?;
        let has_more = watching.take()?;
        if is_news || has_more {
            vigil.on_news();
        } else {
            let run = follower.run();
            let status = run.tasks()[no.index()].status();
            if status.is_terminal() || follower.rests() {
                watching.finish()?;
                return Ok(watching.end(run));
            }
            if vigil.is_in_vain(project, run.id) {
                watching.finish()?;
                printer.note(&super::unattended(run.id));
                return Ok(Exit::of_run(run));
            }
        }
        thread::sleep(LOOK);
    }
}

/// One task as it is told.
struct Watching<'a> {
    project: &'a Project,
    no: TaskNo,
    printer: &'a Printer,
    /// The attempt whose words are told.
    attempt: Option<Spoken>,
}

/// The words of an attempt.
struct Spoken {
    tail: Tail,
    speaker: Speaker,
    /// Lines that were read and not yet told, with the time up to which they wait: that of the last
    /// line before them that has one. A log is bounded, and so are they.
    waiting: VecDeque<(Option<Time>, String)>,
    last_at: Option<Time>,
}

impl Spoken {
    /// Reads what is new. Whether there was anything.
    fn read(&mut self) -> Result<bool, Failure> {
        let Spoken {
            tail,
            waiting,
            last_at,
            ..
        } = self;
        tail.take(&mut |text| {
            for line in text.lines() {
                *last_at = printed_at(line).or(*last_at);
                waiting.push_back((*last_at, line.to_owned()));
            }
            Ok(())
        })
    }

    /// Tells what was said before something happened; of words without a time, only what was said
    /// before the agent's end can be told apart.
    fn tell_before(&mut self, news: &News<'_>, printer: &Printer) -> Result<(), Failure> {
        let is_over = !is_during_work(news.event);
        while let Some((at, _)) = self.waiting.front() {
            if !at.map_or(is_over, |at| at <= news.at) {
                return Ok(());
            }
            self.tell_first(printer)?;
        }
        Ok(())
    }

    fn tell_first(&mut self, printer: &Printer) -> Result<(), Failure> {
        match self.waiting.pop_front() {
            Some((_, line)) => self.speaker.say(&line, printer),
            None => Ok(()),
        }
    }

    /// Tells all that was said so far.
    fn tell(&mut self, printer: &Printer) -> Result<(), Failure> {
        while !self.waiting.is_empty() {
            self.tell_first(printer)?;
        }
        Ok(())
    }
}

/// Whether an agent may still have something to say after this.
fn is_during_work(event: &Event) -> bool {
    matches!(
        event,
        Event::AttemptStarted { .. }
            | Event::AttemptAdopted { .. }
            | Event::AttemptStopping { .. }
            | Event::AttemptSuspected { .. }
            | Event::AttemptCleared { .. }
            | Event::PermissionAsked { .. }
            | Event::PermissionDecided { .. }
    )
}

impl<'a> Watching<'a> {
    fn of(project: &'a Project, no: TaskNo, printer: &'a Printer) -> Watching<'a> {
        Watching {
            project,
            no,
            printer,
            attempt: None,
        }
    }

    /// Begins with the attempt that is under way, or was the last.
    fn begin_latest(&mut self, run: &Run) -> Result<(), Failure> {
        let task = &run.tasks()[self.no.index()];
        let live = task.live().map(|live| (live.number, live.agent.as_str()));
        let ended = task.endings.last();
        let ended = ended.map(|ending| (ending.number, ending.agent.as_str()));
        let id = &task.spec.id;
        let Some((number, agent)) = live.or(ended) else {
            let has_none = format!("{id} is {}; it has had no attempt yet", task.status());
            self.printer.note(&Line::styled(Style::Dim, has_none));
            return Ok(());
        };
        self.begin(run, number, agent);
        let head = format!("{id}, attempt {number}, by {}", words::agent(agent));
        self.tell(Line::styled(Style::Bold, head))
    }

    fn begin(&mut self, run: &Run, number: u32, agent: &str) {
        let id = &run.tasks()[self.no.index()].spec.id;
        let log = self.project.log(run.id, id, number);
        let heard = match agent {
            AGENT_COMMAND => Heard::Lines,
            _ => Heard::Entries,
        };
        let speaker = Speaker::new(run.id, id, number, heard);
        self.attempt = Some(Spoken {
            tail: Tail::of(log),
            speaker,
            waiting: VecDeque::new(),
            last_at: None,
        });
    }

    /// Tells an event of the task, after what its attempt said before.
    fn on(&mut self, news: &News<'_>) -> Result<(), Failure> {
        if !is_about(news.event, self.no) {
            return Ok(());
        }
        if let Some(spoken) = &mut self.attempt {
            spoken.read()?;
            spoken.tell_before(news, self.printer)?;
        }
        if let Event::AttemptLeased { attempt, agent, .. } = news.event {
            self.finish()?;
            self.begin(news.run, attempt.number, agent);
        }
        let time = format!("{}  ", words::time_of_day(news.at));
        let line = happened::line(news.run, news.at, news.event);
        self.tell(Line::styled(Style::Dim, time).join(line))
    }

    /// Says something of our own; JSON holds only what the agent's side said.
    fn tell(&self, line: Line) -> Result<(), Failure> {
        match self.printer.is_json() {
            true => Ok(()),
            false => self.printer.line(&line),
        }
    }

    /// Tells what is new in the log. Whether there was anything.
    fn take(&mut self) -> Result<bool, Failure> {
        let Some(spoken) = &mut self.attempt else {
            return Ok(false);
        };
        let has_more = spoken.read()?;
        spoken.tell(self.printer)?;
        Ok(has_more)
    }

    /// Tells what stands at the log's end.
    fn finish(&mut self) -> Result<(), Failure> {
        self.take()?;
        match &mut self.attempt {
            Some(Spoken { tail, speaker, .. }) => {
                tail.finish(&mut |text| speaker.say(text, self.printer))
            }
            None => Ok(()),
        }
    }

    /// Says where the task stands, now that nothing more is told.
    fn end(&self, run: &Run) -> Exit {
        let task = &run.tasks()[self.no.index()];
        let (id, status) = (&task.spec.id, task.status());
        let mut line = Line::of(format!("{id} is ")).with(words::task_style(status), status.word());
        if !matches!(status, TaskStatus::Done | TaskStatus::Split) {
            let why = format!("; `divisi explain {} {id}` says why", run.id);
            line = line.with(Style::Dim, why);
        }
        self.printer.note(&line);
        Exit::of_task(run, self.no)
    }
}

/// Whether something happened to this task.
fn is_about(event: &Event, no: TaskNo) -> bool {
    match event {
        Event::AttemptLeased { attempt, .. }
        | Event::AttemptStarted { attempt, .. }
        | Event::AttemptAdopted { attempt, .. }
        | Event::AttemptAdvanced { attempt, .. }
        | Event::AttemptStopping { attempt, .. }
        | Event::AttemptSuspected { attempt, .. }
        | Event::AttemptCleared { attempt, .. }
        | Event::PermissionAsked { attempt, .. }
        | Event::PermissionDecided { attempt, .. }
        | Event::ReviewAwaited { attempt, .. }
        | Event::AttemptEnded { attempt, .. }
        | Event::AttemptReturned { attempt, .. }
        | Event::OfferKept { attempt, .. }
        | Event::OfferAdopted { attempt, .. }
        | Event::CandidateChosen { attempt, .. }
        | Event::OfferDiscarded { attempt } => attempt.task == no,
        Event::TaskSplit { task, .. }
        | Event::CandidatesRefused { task, .. }
        | Event::PlanRefused { task, .. }
        | Event::ApprovalGiven { task, .. }
        | Event::TaskFailed { task, .. }
        | Event::TaskCanceled { task, .. }
        | Event::TaskSkipped { task, .. }
        | Event::TaskRetried { task, .. }
        | Event::QuestionAnswered { task, .. } => *task == no,
        Event::BatchPrepared { commits } => commits.iter().any(|one| one.attempt.task == no),
        Event::BatchIntegrated { attempts, .. } => attempts.iter().any(|(one, _)| one.task == no),
        Event::ReviewClosed { task } => *task == no,
        Event::ReviewOpened {
            of: Subject::Attempt(attempt),
            ..
        } => attempt.task == no,
        Event::ReviewOpened { .. }
        | Event::RunCreated { .. }
        | Event::PlanReplaced { .. }
        | Event::RunApproved
        | Event::RunPaused { .. }
        | Event::RunResumed
        | Event::CancelAsked
        | Event::RunEnded { .. }
        | Event::FinalHeld { .. }
        | Event::FinalPassed { .. }
        | Event::BatchNarrowed { .. } => false,
    }
}
