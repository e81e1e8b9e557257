//! What a run does, live: plain lines, and on a terminal a line of what runs and what waits.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use divisi_core::receipt::Receipt;
use divisi_core::run::{
    AttemptEnd, Ending, Event, Run, RunStatus, Subject, TaskStatus, Then, Unreviewed, explain,
    is_scripted,
};
use divisi_core::{AttemptId, Outcome, RunId, TaskNo, Time};
use divisi_engine::engine::wall_now;
use divisi_pack::printable;
use indicatif::{ProgressBar, ProgressStyle};

use crate::last_printed;

/// Names of running tasks on the live line; more are counted.
const RUNNING_NAMED_MAX: usize = 4;

/// A cause on the live line is a hint; `explain` tells the whole.
const CAUSE_CHARS_MAX: usize = 80;

/// The live line is redrawn at most so often.
const REDRAW: Duration = Duration::from_millis(100);

/// Shows one run.
pub(crate) struct Progress {
    run: RunId,
    quiet: bool,
    color: bool,
    live: Option<ProgressBar>,
    drawn: Instant,
    /// Lines are written in one piece, to standard error.
    lines: String,
    /// The `.divisi` folder, for what failed programs printed.
    divisi: PathBuf,
}

impl Progress {
    pub(crate) fn new(
        divisi: PathBuf,
        run: RunId,
        quiet: bool,
        color: bool,
        terminal: bool,
    ) -> Progress {
        let live = (terminal && !quiet).then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}");
            bar.set_style(style.expect("the template is well-formed"));
            bar
        });
        Progress {
            run,
            quiet,
            color,
            live,
            drawn: Instant::now(),
            lines: String::new(),
            divisi,
        }
    }

    /// The run it shows.
    pub(crate) fn run(&self) -> RunId {
        self.run
    }

    /// Takes in an event of any run; `state` is the run after it.
    pub(crate) fn event(&mut self, run: RunId, at: Time, event: &Event, state: Option<&Run>) {
        if run != self.run || self.quiet {
            return;
        }
        let Some(state) = state else { return };
        self.line_of(at, event, state);
    }

    /// Writes what has come together, and redraws.
    pub(crate) fn flush(&mut self, state: Option<&Run>) {
        let lines = std::mem::take(&mut self.lines);
        match &self.live {
            None => {
                // Nobody reads any more if this fails; the run goes on.
                let _ = std::io::stderr().write_all(lines.as_bytes());
            }
            Some(bar) => {
                for line in lines.lines() {
                    bar.println(line);
                }
                if let Some(state) = state
                    && (self.drawn.elapsed() >= REDRAW || !lines.is_empty())
                {
                    self.drawn = Instant::now();
                    self.redraw(state);
                }
            }
        }
    }

    pub(crate) fn trouble(&mut self, cause: &str) {
        let line = format!("{} {}\n", self.paint("33", "!"), printable(cause));
        self.lines.push_str(&line);
    }

    /// The live line goes; what was printed stays.
    pub(crate) fn finish(&mut self) {
        self.flush(None);
        if let Some(bar) = self.live.take() {
            bar.finish_and_clear();
        }
    }

    fn redraw(&self, state: &Run) {
        let Some(bar) = &self.live else { return };
        let replaced = u64::from(state.counts().of(TaskStatus::Split));
        bar.set_length(state.tasks().len() as u64 - replaced);
        bar.set_position(u64::from(state.counts().of(TaskStatus::Done)));
        bar.set_message(printable(&live_line(state, wall_now())));
        bar.tick();
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn say(&mut self, code: &str, mark: &str, text: &str) {
        let line = format!("{} {}\n", self.paint(code, mark), printable(text));
        self.lines.push_str(&line);
    }

    fn line_of(&mut self, at: Time, event: &Event, state: &Run) {
        let id = |no: TaskNo| {
            state
                .task(no)
                .map_or_else(String::new, |task| task.spec.id.to_string())
        };
        match event {
            Event::AttemptLeased { attempt, agent, .. } => {
                // The live line names what runs; elsewhere a long first attempt would be silence.
                if attempt.number > 1 {
                    let text =
                        format!("{} attempt {} by {agent}", id(attempt.task), attempt.number);
                    self.say("36", ">", &text);
                } else if self.live.is_none() {
                    self.say("36", ">", &format!("{} by {agent}", id(attempt.task)));
                }
            }
            Event::AttemptAdvanced { attempt, receipts } => {
                let done = receipts
                    .iter()
                    .any(|receipt| matches!(receipt, Receipt::Integrated { .. }));
                let held_back =
                    { receipts.iter() }.any(|receipt| matches!(receipt, Receipt::Measured { .. }));
                if done || held_back {
                    self.done(at, *attempt, state);
                }
            }
            Event::BatchIntegrated { attempts, .. } => {
                for (attempt, _) in attempts {
                    self.done(at, *attempt, state);
                }
            }
            Event::AttemptEnded {
                attempt, end, then, ..
            } => {
                if *end == AttemptEnd::Integrated {
                    return;
                }
                let next = match then {
                    Then::Retry { .. } if state.paused.is_some() => {
                        format!("it is tried again once {} goes on", self.run)
                    }
                    Then::Retry { not_before } => {
                        crate::words::again(state, *attempt, end, *not_before, at)
                    }
                    Then::Reassign { agent } => format!("{agent} takes over"),
                    Then::Split(_) => "smaller tasks take its place".to_owned(),
                    Then::Escalate(_) if state.candidate_of(attempt.task).is_some() => {
                        "it is given up".to_owned()
                    }
                    Then::Escalate(_) => format!(
                        "a person decides: divisi explain {} {}",
                        self.run,
                        id(attempt.task)
                    ),
                    Then::Ask(_) => format!(
                        "answer it: divisi answer {} {} TEXT",
                        self.run,
                        id(attempt.task)
                    ),
                    Then::Cancel => "it is not tried again".to_owned(),
                };
                self.say(
                    "31",
                    "x",
                    &format!(
                        "{} attempt {}: {}; {next}",
                        id(attempt.task),
                        attempt.number,
                        crate::words::ended(state, *attempt, end)
                    ),
                );
                let ending = { state.task(attempt.task) }.and_then(|it| it.ending(attempt.number));
                if ending.is_some_and(Ending::went_unanswered) {
                    let list = format!("divisi permissions list {}", self.run);
                    self.say("2", " ", &format!("nobody answered what it asked: {list}"));
                }
                if let Some(line) = last_printed::of_failed(&self.divisi, state, *attempt) {
                    self.say("2", " ", &format!("it last printed: {line}"));
                }
            }
            Event::TaskFailed { task, reason } if is_between_attempts(state, *task, reason) => {
                self.say("31", "x", &format!("{} is given up: {reason}", id(*task)));
            }
            Event::CandidateChosen { attempt, why, .. } => {
                self.say("36", "=", &format!("{}: {why}", id(attempt.task)));
            }
            Event::CandidatesRefused { task, why } => {
                let task = id(*task);
                let next = format!("a person decides: divisi explain {} {task}", self.run);
                self.say("31", "x", &format!("{task}: {why}; {next}"));
            }
            Event::TaskSplit {
                parts,
                planned: Some((attempt, _)),
                advice,
                ..
            } => {
                let (seconds, label) = took(at, *attempt, state);
                let many = crate::words::plural(parts.len() as u64, "task");
                let advised = crate::happened::advised(advice);
                let text = format!(
                    "{} planned {many} ({seconds:.1} s{label}){advised}",
                    id(attempt.task)
                );
                self.say("32", "+", &text);
            }
            Event::TaskSplit {
                task,
                parts,
                planned: None,
                ..
            } => {
                let parts = crate::happened::some_of(parts);
                self.say("2", " ", &format!("{} becomes {parts}", id(*task)));
            }
            // Which agent is to judge comes with its review.
            Event::ReviewAwaited { attempt, .. } if is_reviewed(state, *attempt) => {}
            Event::ReviewOpened { review, of } => {
                let what = match of {
                    Subject::Attempt(attempt) => id(attempt.task),
                    Subject::Whole(_) => "the whole".to_owned(),
                };
                let by = crate::words::agent(review.agent.as_deref().unwrap_or_default());
                let text = format!(
                    "{what} awaits a review by {by}: divisi explain {} {}",
                    self.run, review.id
                );
                self.say("2", "?", &text);
            }
            Event::ReviewAwaited { attempt, .. } => {
                let text = format!(
                    "{} awaits a person: divisi explain {} {}{}",
                    id(attempt.task),
                    self.run,
                    id(attempt.task),
                    since(state.unreviewed(Some(attempt.task)))
                );
                self.say("33", "?", &text);
            }
            Event::PermissionAsked {
                attempt,
                no,
                request,
                deadline_at,
            } => {
                let (run, what) = (self.run, request.words());
                let left = crate::words::span(deadline_at.ms_since(at));
                let task = id(attempt.task);
                self.say(
                    "33",
                    "?",
                    &format!(
                        "{task} asks leave to {what}: divisi permissions allow {run} {no} \
                         (or deny; denied in {left})"
                    ),
                );
            }
            Event::PermissionDecided {
                attempt,
                no,
                request,
                decision,
                by,
                ..
            } if !decision.allows() || request.is_none() => {
                let known = state.permission(*no).map(|(_, known)| &known.request);
                let what = request.as_ref().or(known);
                let what = what.map_or_else(|| format!("request {no}"), |it| it.words());
                let task = id(attempt.task);
                let text = format!("{task} was {}: {what} (by {})", decision.word(), by.words());
                self.say("33", "-", &text);
            }
            Event::AttemptSuspected { attempt, evidence } => {
                self.say(
                    "33",
                    "?",
                    &format!("{} is suspected: {evidence}", id(attempt.task)),
                );
            }
            Event::AttemptCleared { attempt } => {
                self.say(
                    "32",
                    "-",
                    &format!("{} is cleared of suspicion", id(attempt.task)),
                );
            }
            Event::TaskSkipped { task, because } => {
                self.say(
                    "33",
                    "-",
                    &format!("{} is skipped because of {}", id(*task), id(*because)),
                );
            }
            Event::RunPaused { reason } => {
                let commands = reason.commands(self.run).join(", or ");
                let text = format!("{} is paused: {}; {commands}", self.run, reason.words());
                self.say("33", "!", &text);
            }
            Event::RunResumed => self.say("32", "-", &format!("{} goes on", self.run)),
            Event::FinalHeld { verdicts, tasks }
                if tasks.is_empty()
                    && verdicts.iter().all(|it| it.outcome != Outcome::Fail)
                    && state.review_of_whole().is_some() => {}
            Event::FinalHeld { verdicts, tasks } => {
                let fails = verdicts.iter().any(|it| it.outcome == Outcome::Fail);
                let (code, mark, what) = match fails || !tasks.is_empty() {
                    true => ("31", "x", "checks on the whole did not all pass"),
                    false => ("33", "?", "the whole awaits a person's judgment"),
                };
                let since = since(state.unreviewed(None));
                self.say(
                    code,
                    mark,
                    &format!("{what}: divisi explain {}{since}", self.run),
                );
            }
            _ => {}
        }
    }

    fn done(&mut self, at: Time, attempt: AttemptId, state: &Run) {
        let (seconds, label) = took(at, attempt, state);
        let Some(task) = state.task(attempt.task) else {
            return;
        };
        let text = format!(
            "{} {} ({seconds:.1} s{label})",
            task.spec.id, task.spec.title
        );
        self.say("32", "+", &text);
    }
}

/// Whether an agent is to judge what an attempt made, or did. The run may be newer than what is told.
fn is_reviewed(state: &Run, attempt: AttemptId) -> bool {
    let of = Some(Subject::Attempt(attempt));
    state.tasks().iter().any(|task| task.reviews == of)
}

/// Why a person is to judge, though agents were to.
fn since(why: Option<Unreviewed>) -> String {
    why.map_or_else(String::new, |why| format!(" ({})", why.words()))
}

/// How long an attempt took, and that only a script was played if so.
fn took(at: Time, attempt: AttemptId, state: &Run) -> (f64, &'static str) {
    let task = state.task(attempt.task);
    let ending = task.and_then(|task| task.ending(attempt.number));
    let Some(ending) = ending else {
        return (0.0, "");
    };
    let label = if is_scripted(&ending.agent) {
        ", scripted"
    } else {
        ""
    };
    (at.ms_since(ending.leased_at) as f64 / 1000.0, label)
}

/// What runs, how many wait, and why one of them does.
fn live_line(state: &Run, now: Time) -> String {
    let counts = state.counts();
    let mut parts = Vec::new();
    let names: Vec<&str> = state
        .live()
        .take(RUNNING_NAMED_MAX)
        .map(|(_, task)| task.spec.id.as_str())
        .collect();
    if !names.is_empty() {
        let more = state.live().count() - names.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        parts.push(format!("running {}{more}", names.join(", ")));
    }
    for status in [TaskStatus::Ready, TaskStatus::Waiting, TaskStatus::Blocked] {
        match counts.of(status) {
            0 => {}
            count => parts.push(format!("{count} {status}")),
        }
    }
    if let Some(reason) = &state.paused {
        parts.push(format!("paused: {}", reason.words()));
    } else {
        parts.extend(waiting(state, now));
    }
    parts.join(" · ")
}

/// The task that most needs to be known of, and the first cause why it is not further.
fn waiting(state: &Run, now: Time) -> Option<String> {
    let order = [TaskStatus::Blocked, TaskStatus::Ready, TaskStatus::Waiting];
    let status = order
        .into_iter()
        .find(|status| state.counts().of(*status) > 0)?;
    let at = state
        .tasks()
        .iter()
        .position(|task| task.status() == status)?;
    let told = explain::explain(state, TaskNo(at as u32), now, &explain::Shared::default())?;
    let cause: String = told.causes.first()?.chars().take(CAUSE_CHARS_MAX).collect();
    Some(format!("{}: {cause}", state.tasks()[at].spec.id))
}

/// Whether a candidate is given up for something else than how its last attempt ended, which was told:
/// its own budget was used up.
fn is_between_attempts(state: &Run, no: TaskNo, reason: &str) -> bool {
    let candidate = { state.task(no) }.filter(|it| it.candidate_of.is_some());
    candidate.is_some_and(|it| !it.endings.last().is_some_and(|it| it.is_told_in(reason)))
}

/// The last lines of a run that rests, for people: what it came to, why, and what to do.
pub(crate) fn closing(run: &Run, now: Time) -> Vec<String> {
    let counts = run.counts();
    let mut parts = Vec::new();
    for status in TaskStatus::ALL {
        match counts.of(status) {
            0 => {}
            count => parts.push(format!("{count} {status}")),
        }
    }
    let status = crate::words::standing(run);
    let mut lines = vec![format!("{} {status}: {}", run.id, parts.join(", "))];
    if run.status() == RunStatus::Succeeded {
        if run.integration.head != run.base.commit {
            lines.push(format!("  take the result over: divisi merge {}", run.id));
        }
        lines.push(format!("  read the report:      divisi report {}", run.id));
        return lines;
    }
    let told = explain::explain_run(run, now, &explain::Shared::default());
    lines.extend(
        told.causes
            .iter()
            .map(|cause| format!("  {}", printable(cause))),
    );
    lines.extend(told.commands.iter().map(|command| format!("  → {command}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{Given, plan, task, written};
    use divisi_core::Verdict;
    use divisi_core::ledger::LimitThen;
    use divisi_core::run::{Command, Final, PauseReason, StopReason};
    use divisi_engine::engine::log_path;

    #[test]
    fn an_attempt_that_another_engine_leased_shows_how_long_it_took() {
        let mut given = Given::run_of(plan("Ship it", vec![task("a", &[]), task("b", &[])]));
        given.ends("a", 0);
        let state = given.run();
        let ending = state.tasks()[0].endings.last().unwrap();
        let event = Event::AttemptAdvanced {
            attempt: state.attempt_id(TaskNo(0), 1),
            receipts: ending.receipts.clone(),
        };
        let mut progress = Progress::new(PathBuf::new(), state.id, false, false, false);
        progress.event(state.id, given.now(), &event, Some(&state));
        assert_eq!(progress.lines, "+ a the a work (2.0 s)\n");
    }

    #[test]
    fn the_live_line_says_what_runs_what_waits_and_why() {
        let given = Given::run_of(plan("Ship it", vec![task("a", &[]), task("b", &["a"])]));
        let line = live_line(&given.run(), given.now());
        let expected = "running a · 1 waiting · b: a is running";
        assert_eq!(line, expected);
    }

    #[test]
    fn without_a_live_line_a_first_attempt_has_a_line() {
        let given = Given::run_of(plan("Ship it", vec![task("a", &[])]));
        let state = given.run();
        let lease = Event::AttemptLeased {
            attempt: state.attempt_id(TaskNo(0), 1),
            agent: "command".to_owned(),
            epoch: divisi_core::Epoch(1),
            workspace: 1,
            timeout_ms: None,
            credential: None,
        };
        let mut progress = Progress::new(PathBuf::new(), state.id, false, false, false);
        progress.event(state.id, given.now(), &lease, Some(&state));
        assert_eq!(progress.lines, "> a by command\n");
    }

    #[test]
    fn an_attempt_that_waits_for_its_time_says_how_long() {
        let given = Given::run_of(plan("Ship it", vec![task("a", &[])]));
        let state = given.run();
        let line = |not_before: Time, ends_at: Option<Time>| {
            let ended = Event::AttemptEnded {
                attempt: state.attempt_id(TaskNo(0), 1),
                end: AttemptEnd::Limited {
                    cause: "429".to_owned(),
                    wait_ms: None,
                    ends_at,
                },
                receipts: Vec::new(),
                workspace_kept: true,
                then: Then::Retry { not_before },
                advice: Vec::new(),
            };
            let mut progress = Progress::new(PathBuf::new(), state.id, false, false, false);
            progress.event(state.id, given.now(), &ended, Some(&state));
            progress.lines
        };
        let met = "x a attempt 1: it met a usage limit: 429";
        let until = given.now().plus_ms(90_000);
        let again = "; it is tried again";
        assert_eq!(line(Time(0), None), format!("{met}{again}\n"));
        assert_eq!(line(until, None), format!("{met}{again} in 1 min 30 s\n"));
        let until_words = format!(" (until {})", until.utc());
        assert_eq!(
            line(Time(0), Some(until)),
            format!("{met}{until_words}{again} in 1 min 30 s\n")
        );
    }

    #[test]
    fn a_whole_that_is_to_be_judged_is_not_said_to_have_failed() {
        let state = Given::run_of(plan("Ship it", vec![task("a", &[])])).run();
        let said = |verdict: Verdict| {
            let held = Event::FinalHeld {
                verdicts: vec![verdict],
                tasks: Vec::new(),
            };
            let mut progress = Progress::new(PathBuf::new(), state.id, false, false, false);
            progress.event(state.id, Time(1), &held, Some(&state));
            progress.lines
        };
        let open = Verdict {
            outcome: Outcome::Unverified,
            ..Verdict::fail(0, "it reads well")
        };
        assert_eq!(
            said(open),
            "? the whole awaits a person's judgment: divisi explain run-1\n"
        );
        let fails = "x checks on the whole did not all pass: divisi explain run-1\n";
        assert_eq!(said(Verdict::fail(0, "no")), fails);
    }

    #[test]
    fn a_whole_that_no_agent_judges_awaits_a_person_for_a_reason() {
        let mut state = Given::run_of(plan("Ship it", vec![task("a", &[])])).run();
        let verdicts = vec![Verdict {
            outcome: Outcome::Unverified,
            ..Verdict::fail(0, "it reads well")
        }];
        let tasks = Vec::new();
        state.finally = Final::Held {
            verdicts: verdicts.clone(),
            tasks: tasks.clone(),
        };
        let held = Event::FinalHeld { verdicts, tasks };
        let said = |state: &Run| {
            let mut progress = Progress::new(PathBuf::new(), state.id, false, false, false);
            progress.event(state.id, Time(1), &held, Some(state));
            progress.lines
        };
        let awaits = "? the whole awaits a person's judgment: divisi explain run-1";
        state.settings.reviewers = vec!["other".to_owned()];
        assert_eq!(said(&state), format!("{awaits}\n"), "no review was opened");
        state.settings.reviewers_missing = std::mem::take(&mut state.settings.reviewers);
        let why = "no agent that `review.agents` names was installed when the run began: other";
        assert_eq!(said(&state), format!("{awaits} ({why})\n"));
    }

    #[test]
    fn what_follows_an_attempt_is_what_its_run_is_set_to_do() {
        let mut given = Given::run_of(plan("Ship it", vec![task("a", &[])]));
        given.ends("a", 7);
        let state = given.run();
        let next = |state: &Run, end: &AttemptEnd| {
            let then = Then::Retry {
                not_before: Time(0),
            };
            let ended = Event::AttemptEnded {
                attempt: state.attempt_id(TaskNo(0), 1),
                end: end.clone(),
                receipts: Vec::new(),
                workspace_kept: true,
                then,
                advice: Vec::new(),
            };
            let mut progress = Progress::new(PathBuf::new(), state.id, false, false, false);
            progress.event(state.id, given.now(), &ended, Some(state));
            let next = progress.lines.trim_end().rsplit_once("; ");
            next.unwrap().1.to_owned()
        };
        let over = AttemptEnd::Stopped(StopReason::OverBudget(1_000));
        assert_eq!(
            next(&state, &over),
            "it is tried again once its budget leaves something for it"
        );
        let interrupted = AttemptEnd::Stopped(StopReason::Interrupted);
        let goes_on = "it is tried again once run-1 goes on";
        assert_eq!(next(&state, &interrupted), goes_on);
        let limited = AttemptEnd::Limited {
            cause: "429".to_owned(),
            wait_ms: None,
            ends_at: Some(
                given
                    .now()
                    .plus_ms(state.settings.limit_wait_max_ms + 1_000),
            ),
        };
        assert!(
            next(&state, &limited).starts_with("run-1 pauses before the next"),
            "{}",
            next(&state, &limited)
        );
        let mut other = state.clone();
        other.settings.limit_then = LimitThen::OtherCredential;
        assert!(next(&other, &limited).contains("goes on with its next credential"));
        other.settings.limit_then = LimitThen::OtherAgent;
        other.settings.limit_agents = [("command".to_owned(), "codex".to_owned())].into();
        assert!(next(&other, &limited).starts_with("codex takes over until "));
        let mut paused = state.clone();
        paused.paused = Some(PauseReason::Owner);
        let lost = AttemptEnd::Lost("its process is gone".to_owned());
        assert_eq!(next(&state, &lost), "it is tried again");
        assert_eq!(next(&paused, &lost), goes_on);
    }

    #[test]
    fn an_attempt_that_broke_off_says_how_and_one_that_is_canceled_says_so_once() {
        let criteria = vec![divisi_core::Criterion::File {
            path: "a.md".to_owned(),
            min_bytes: 1,
        }];
        let tasks = vec![written("a", "command", criteria), task("b", &[])];
        let mut given = Given::run_of(plan("Ship it", tasks));
        let missing = Verdict::fail(0, "a.md is missing");
        given
            .ends("a", 7)
            .collected("a")
            .checked("a", vec![missing]);
        let state = given.run();
        let folder = tempfile::tempdir().unwrap();
        let log = log_path(folder.path(), state.id, &state.tasks()[0].spec.id, 1);
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        std::fs::write(log, "cannot open foo\n").unwrap();
        let line = |no: u32, end: AttemptEnd, then: Then| {
            let ended = Event::AttemptEnded {
                attempt: state.attempt_id(TaskNo(no), 1),
                end,
                receipts: Vec::new(),
                workspace_kept: true,
                then,
                advice: Vec::new(),
            };
            let mut progress =
                Progress::new(folder.path().to_owned(), state.id, false, false, false);
            progress.event(state.id, given.now(), &ended, Some(&state));
            progress.lines
        };
        let end = state.tasks()[0].endings[0].end.clone();
        let again = Then::Retry {
            not_before: Time(0),
        };
        assert_eq!(
            line(0, end, again),
            "x a attempt 1: its process ended with exit status 7; checks refused it: a.md is missing; \
             it is tried again\n  it last printed: cannot open foo\n"
        );
        let canceled = AttemptEnd::Stopped(divisi_core::run::StopReason::Canceled);
        assert_eq!(
            line(1, canceled, Then::Cancel),
            "x b attempt 1: it was canceled; it is not tried again\n"
        );
    }

    #[test]
    fn a_run_that_was_interrupted_is_not_said_to_be_running() {
        let mut given = Given::run_of(plan("Ship it", vec![task("a", &[])]));
        given.ask(Command::Pause {
            reason: PauseReason::Interrupted,
            stop: true,
        });
        let lines = closing(&given.run(), given.now());
        assert!(lines[0].starts_with("run-1 paused: "), "{lines:?}");
        let whys = lines.iter().filter(|line| line.contains("interrupted"));
        assert_eq!(whys.count(), 1, "why it is paused is said once: {lines:?}");
    }
}
