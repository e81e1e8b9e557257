//! `divisi run` and `divisi resume`: have a run's tasks done, here or by whoever holds the engine.

pub(crate) mod approval;
mod base;
mod chosen;
mod dry;
pub(crate) mod intent;
mod leaving;
mod left_out;
mod ordered;

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use divisi_core::diagnostic::Severity;
use divisi_core::journal::Fault;
use divisi_core::run::{AGENT_AUTO, Run};
use divisi_core::{Diagnostic, Plan, RunId};
use divisi_engine::control::{Action, Ask, Client, Response, Whose};
use divisi_engine::engine::{Input, Notice, Observer, Rest, Until};
use divisi_engine::failpoint;
use divisi_engine::memory;
use divisi_engine::repo::Repo;

pub(crate) use self::base::named;
use self::base::{base, on};
use self::chosen::Chosen;
use self::ordered::Ordered;
use super::flags;
use crate::cli::{Resume, RunArgs, of_bounds};
use crate::config::Configuration;
use crate::consent;
use crate::exit::Exit;
use crate::feedback::{Bell, Keeper};
use crate::follow::{Follower, LOOK, News};
use crate::hold::{Held, Holder, Holding, Tries, bring_up_to_date, reach, request};
use crate::library::Library;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::progress::Progress;
use crate::project::Project;
use crate::rehearsal;
use crate::signals;
use crate::trust::{self, Subject};
use crate::unfinished;

/// `divisi run`.
pub(crate) fn run(args: &RunArgs, project: &Project, printer: &Printer) -> Outcome {
    let library = Library::of(project);
    let mut chosen = Chosen::find(args, &library, printer)?;
    let flags = flags::of_run(args, chosen.agents(args));
    let mut configuration = Configuration::load(project, flags, printer)?;
    let roles = configuration.roles(&library, printer)?;
    if let Chosen::Intent(text) = &chosen {
        chosen = intent::planned(text, args, (project, &configuration), printer)?;
    }
    for offer in unfinished::offers(project) {
        printer.note(&offer);
    }
    let repo = Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit)
        .map_err(|fault| told(&fault))?;
    let repo = Arc::new(repo);
    let read_here = left_out::read_here(project, &chosen.file(args, project));
    let (base, in_use) = base(args, chosen.start(args), &read_here, &repo, printer)?;
    let mut ordered = Ordered::of(
        &mut chosen,
        args,
        (project, &configuration),
        (&repo, &base),
        printer,
    )?;
    let of_workflow = |name: &str| ordered.role(name);
    let rehearsal = rehearsal::read((project, &configuration), of_workflow, &roles, printer)?;
    if args.dry_run.dry_run {
        return dry::print(args, &ordered, (&roles, &configuration), &base, printer);
    }
    let mut plan = ordered.plan(project)?;
    configuration.apply(&roles, &mut plan, printer)?;
    // The prompts of workflows and of generated folders hold what their roles tell.
    if matches!(ordered, Ordered::Plan { .. }) && !args.plan.is_dir() {
        library.tell(&mut plan, printer)?;
    }
    let mut settings = configuration.settings();
    settings.agents = configuration.agents(&roles);
    if ordered.is_planned_by_agent() {
        // Whoever says `--yes` consents to what will be planned, too.
        settings.approves_plans = !args.yes;
        if leaves_agent_open(&plan) {
            AGENT_AUTO.clone_into(&mut settings.agent_default);
        }
    }
    if let Some(rehearsal) = &rehearsal {
        settings.rehearsal = Some(rehearsal::keep(project, rehearsal)?);
    }
    let settings = ordered.settle(
        &plan,
        (&configuration, &roles, settings),
        Severity::Error,
        printer,
    )?;
    let outline = || {
        let mut lines = ordered.outline(&plan, &settings);
        lines.insert(1, on(&base));
        lines.extend(configuration.consent_lines(&plan));
        lines
    };
    // Whoever says `--yes` speaks of this run, and of none to come.
    let subject = ordered.subject(&plan, &configuration, &settings);
    let subject = subject.with(rehearsal.as_ref(), &configuration);
    let consent = match args.yes {
        true => Consent::Given,
        false => consents(project, subject, outline, printer)?,
    };
    let approved = consent == Consent::Given;
    let holding = Holding {
        repo: Some(Arc::clone(&repo)),
        ..configuration.holding(project)
    };
    let mut driver = Driver::new(project, holding, printer)?;
    let ask = Ask::Start {
        plan: Arc::new(plan),
        settings: Box::new(settings),
        base,
        approved,
        intent: ordered.intent().cloned().map(Box::new),
    };
    let run = match driver.ask(ask)? {
        Response::Started(run) => run,
        Response::Refused(diagnostic) => return Err(Failure::told(diagnostic, Exit::Refused)),
        other => return Err(unexpected(&other)),
    };
    // From here on the run names its base.
    drop(in_use);
    // Without consent nothing of it is started.
    let begun = if approved { "started" } else { "created" };
    printer.note(
        &Line::styled(Style::Bold, run.to_string()).then(format!(" {begun}; {}", ordered.said())),
    );
    let next = match consent {
        Consent::Given => None,
        Consent::Awaited => Some(format!("who does not want it: divisi cancel {run}")),
        // Nobody is reminded of what they said no to.
        Consent::Refused => {
            driver.have_accepted(Ask::Act {
                run,
                action: Action::Cancel { task: None },
            })?;
            Some("you said no, so it is canceled; `divisi run` begins another".to_owned())
        }
    };
    if let Some(words) = next {
        printer.note(&Line::styled(Style::Dim, words));
    }
    let exit = driver.drive(run, 0)?;
    match approved {
        true => approval::ask_and_go_on(&mut driver, (project, run), exit, printer),
        false => Ok(exit),
    }
}

/// Whether the agent that plans is left to `auto`: then that does what it plans, too.
fn leaves_agent_open(plan: &Plan) -> bool {
    let mut agents = plan.tasks.iter().map(|task| task.agent.as_deref());
    agents.all(|agent| agent == Some(AGENT_AUTO))
}

fn told(fault: &divisi_engine::repo::Fault) -> Failure {
    Failure::told(fault.diagnostic(), Exit::Environment)
}

/// `divisi resume`.
pub(crate) fn resume(args: &Resume, project: &Project, printer: &Printer) -> Outcome {
    if !project.is_current()? {
        bring_up_to_date(project).map_err(|told| Failure::told(told, Exit::Environment))?;
    }
    // What happened before is told by `divisi status` and `divisi watch --from-start`.
    let row = project.row(&project.view()?, args.run)?;
    let (run, before) = (row.run, row.seq);
    let configuration = Configuration::load(project, flags::of_resume(args), printer)?;
    let mut driver = Driver::new(project, configuration.holding(project), printer)?;
    let whose = args.task.clone().map_or(Whose::Run, Whose::Task);
    let permitted = [
        (whose, args.permitted.budget()),
        (Whose::Day, of_bounds(&args.day)),
    ];
    for (whose, budget) in permitted {
        if budget.is_bounded() {
            // The ledger's, and the run's below: if only the first is done, resuming again does both.
            driver.have_accepted(Ask::Permit { run, whose, budget })?;
        }
    }
    driver.have_accepted(Ask::Act {
        run,
        action: Action::Resume,
    })?;
    let exit = driver.drive(run, before)?;
    approval::ask_and_go_on(&mut driver, (project, run), exit, printer)
}

/// Whether somebody consents to what would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consent {
    /// Somebody did.
    Given,
    /// Somebody was asked, and does not.
    Refused,
    /// Nobody was asked, or answered: `divisi approve` may yet.
    Awaited,
}

/// Whether somebody consents, or did so before to just that. On a terminal it is shown what would
/// run, and somebody is asked; elsewhere it waits for `divisi approve`.
fn consents(
    project: &Project,
    subject: Subject,
    outline: impl Fn() -> Vec<Line>,
    printer: &Printer,
) -> Result<Consent, Failure> {
    let standing = trust::standing(project, &subject);
    if standing == trust::Standing::Unchanged {
        printer.note(&Line::styled(
            Style::Dim,
            "what it runs is as you consented to it before",
        ));
        return Ok(Consent::Given);
    }
    let mut outline = outline();
    if let trust::Standing::Changed(parts) = standing {
        let changed = Line::styled(Style::Warn, "  changed since you consented: ");
        outline.push(changed.then(parts.join(", ")));
    }
    if !consent::can_be_asked() {
        outline.iter().for_each(|line| printer.note(line));
        return Ok(Consent::Awaited);
    }
    printer.question(&outline);
    Ok(match consent::answer_to("run it?")? {
        Some(true) => {
            trust::remember(project, subject);
            Consent::Given
        }
        Some(false) => Consent::Refused,
        None => Consent::Awaited,
    })
}

/// That the engine answered what was not asked.
pub(crate) fn unexpected(response: &Response) -> Failure {
    let diagnostic = Diagnostic::error(
        "internal",
        format!("the engine answered {response:?} to another question"),
    );
    Failure::told(diagnostic, Exit::Internal)
}

/// What the signal thread does with an interruption: to our own engine, or to another's run.
type OnInterrupt = Arc<Mutex<Option<Box<dyn FnMut() + Send>>>>;

/// Drives a run to rest: as holder, or beside one, and as holder once that one is gone.
pub(crate) struct Driver<'a> {
    holding: Holding,
    project: &'a Project,
    printer: &'a Printer,
    holder: Option<Holder>,
    progress: Arc<Mutex<Option<Progress>>>,
    keeper: Keeper,
    on_interrupt: OnInterrupt,
    interrupted: Arc<AtomicBool>,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(
        project: &'a Project,
        holding: Holding,
        printer: &'a Printer,
    ) -> Result<Driver<'a>, Failure> {
        let on_interrupt: OnInterrupt = Arc::new(Mutex::new(None));
        let interrupted = Arc::new(AtomicBool::new(false));
        let (hear, flag) = (Arc::clone(&on_interrupt), Arc::clone(&interrupted));
        let listening = signals::on_interrupt(move || {
            let again = flag.swap(true, Ordering::SeqCst);
            match hear.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                Some(tell) => tell(),
                // Nothing has begun, or everything has ended: there is nothing to be graceful to.
                None => std::process::exit(i32::from(Exit::Interrupted.code())),
            }
            if !again {
                // Nobody may read it; the run ends all the same.
                let _ = writeln!(
                    std::io::stderr(),
                    "ending agents; press Ctrl-C again to end them at once"
                );
            }
        });
        listening.map_err(|error| {
            let diagnostic =
                Diagnostic::error("internal", format!("cannot listen for signals: {error}"));
            Failure::told(diagnostic, Exit::Environment)
        })?;
        let progress = Arc::new(Mutex::new(None));
        Ok(Driver {
            holding,
            project,
            printer,
            holder: None,
            progress,
            keeper: Keeper::start(project),
            on_interrupt,
            interrupted,
        })
    }

    fn observer(&self) -> Observer {
        let progress = Arc::clone(&self.progress);
        let mut bell = self.keeper.bell();
        Box::new(move |notices, view| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(progress) = progress.as_mut() else {
                return;
            };
            let state = view.run(progress.run());
            for notice in notices {
                match notice {
                    Notice::Event(id, at, event) => {
                        progress.event(*id, *at, event, view.run(*id));
                        if let Some(run) = state.filter(|run| run.id == *id) {
                            bell.hear(run, event);
                        }
                    }
                    Notice::Trouble(cause) => progress.trouble(cause),
                }
            }
            progress.flush(state);
        })
    }

    fn reach(&mut self) -> Result<(), Failure> {
        if self.holder.is_none() {
            let holder = reach(&self.holding, || self.observer());
            self.holder =
                Some(holder.map_err(|diagnostic| Failure::told(diagnostic, Exit::Environment))?);
        }
        Ok(())
    }

    /// Asks whoever holds the engine. An answer that was lost is asked for again.
    pub(crate) fn ask(&mut self, ask: Ask) -> Result<Response, Failure> {
        let request = request(ask);
        let tries = Tries::begin();
        loop {
            self.reach()?;
            match self.holder.as_mut().expect("it was reached") {
                Holder::Us(held) => return Ok(held.ask(request)?),
                Holder::Other(client) => match client.ask(&request) {
                    Ok(response) => return Ok(response),
                    Err(_) => {
                        self.holder = None;
                        let unreachable = |told| Failure::told(told, Exit::Environment);
                        tries.wait().map_err(unreachable)?;
                    }
                },
            }
        }
    }

    /// Asks, and fails if it is refused.
    pub(crate) fn have_accepted(&mut self, ask: Ask) -> Result<(), Failure> {
        match self.ask(ask)? {
            Response::Accepted => Ok(()),
            Response::Refused(diagnostic) => Err(Failure::told(diagnostic, Exit::Refused)),
            other => Err(unexpected(&other)),
        }
    }

    /// Goes with a run until it rests, and says what it came to. Its events are told after this one.
    pub(crate) fn drive(&mut self, run: RunId, after: u64) -> Outcome {
        let terminal = std::io::stderr().is_terminal();
        let progress = Progress::new(
            self.project.divisi(),
            run,
            self.printer.is_quiet(),
            self.printer.color_err(),
            terminal,
        );
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
        self.keeper.go_on(self.project);
        // Through one holder after the other, each event is told once.
        let mut follower: Option<Follower> = None;
        let mut bell = self.keeper.bell();
        let (rest, state) = loop {
            self.reach()?;
            let holder = self.holder.take().expect("it was reached");
            match holder {
                Holder::Us(held) => {
                    if let Some(mut follower) = follower.take() {
                        self.look(&mut follower, &mut bell)?;
                    }
                    break self.hold(*held, run)?;
                }
                Holder::Other(client) => {
                    let mut with = match follower.take() {
                        Some(follower) => follower,
                        None => Follower::of(self.project, run, Some(after))?,
                    };
                    if let Some(rest) = self.follow(client, &mut with, &mut bell)? {
                        break (rest, Some(with.into_run()));
                    }
                    follower = Some(with);
                }
            }
        };
        self.finish();
        drop(bell);
        self.keeper.finish();
        let state = match state {
            Some(state) => state,
            None => crate::follow::run(self.project, run)?,
        };
        self.close(&state, rest)
    }

    /// Works on it as the holder. Returns when it rests or was interrupted, with the run as it then
    /// stands.
    fn hold(&self, mut held: Held, run: RunId) -> Result<(Rest, Option<Run>), Failure> {
        let sender = held.sender();
        self.hear(Box::new(move || {
            // An engine that has ended has nothing left to interrupt.
            let _ = sender.send(Input::Interrupted);
        }));
        if self.interrupted.load(Ordering::SeqCst) {
            // The holder before went away with what it was asked.
            let _ = held.sender().send(Input::Interrupted);
        }
        let rest = held.engine.run(Until::Rests(run));
        self.hear_nothing();
        let state = held.engine.take(run);
        drop(held);
        memory::give_back();
        let rest = match rest {
            // What was asked was done, though nothing of it could be recorded.
            Err(fault @ Fault::Full(_)) if self.interrupted.load(Ordering::SeqCst) => {
                self.printer
                    .diagnostic(&divisi_store::diagnostic(&fault), None);
                Rest::Interrupted
            }
            rest => rest?,
        };
        Ok((rest, state))
    }

    /// Watches another process work on it. `None` once that process is gone and the run is not at
    /// rest: then somebody must take over.
    fn follow(
        &self,
        mut client: Client,
        follower: &mut Follower,
        bell: &mut Bell,
    ) -> Result<Option<Rest>, Failure> {
        let run = follower.run().id;
        // A holder that took over from another goes on only with what it is asked for. If it is
        // gone already, that shows below.
        let _ = client.ask(&request(Ask::Attend(run)));
        self.pass_interruptions_on(run);
        self.printer.note(&Line::styled(
            Style::Dim,
            format!(
                "another process works on {run}; Ctrl-C stops it here as there, and \
                 `divisi watch {run}` only looks on"
            ),
        ));
        let gone = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&gone);
        let waiting = std::thread::Builder::new()
            .name("holder".to_owned())
            .spawn(move || {
                client.wait_for_end();
                flag.store(true, Ordering::SeqCst);
            });
        drop(waiting);
        let rest = loop {
            let is_gone = gone.load(Ordering::SeqCst);
            self.look(follower, bell)?;
            if follower.rests() {
                let interrupted = self.interrupted.load(Ordering::SeqCst);
                break Some(if interrupted {
                    Rest::Interrupted
                } else {
                    Rest::Rested
                });
            }
            if is_gone {
                break None;
            }
            std::thread::sleep(LOOK);
        };
        self.hear_nothing();
        Ok(rest)
    }

    /// Shows what is new of a run that another process works on.
    fn look(&self, follower: &mut Follower, bell: &mut Bell) -> Result<(), Failure> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(progress) = progress.as_mut() else {
            return Ok(());
        };
        follower.look(&mut |news: News<'_>| {
            progress.event(news.run.id, news.at, news.event, Some(news.run));
            bell.hear(news.run, news.event);
            Ok(())
        })?;
        progress.flush(Some(follower.run()));
        Ok(())
    }

    /// Has an interruption reach whoever works on the run, and a second one with force.
    fn pass_interruptions_on(&self, run: RunId) {
        let holding = self.holding.clone();
        let mut how = Action::Interrupt;
        self.hear(Box::new(move || {
            let action = std::mem::replace(&mut how, Action::Force);
            if let Ok(Holder::Other(mut client)) = reach(&holding, || {
                Box::new(|_: &[Notice], _: &dyn divisi_engine::engine::View| {})
            }) {
                let ask = Ask::Act { run, action };
                // Whoever interrupts is heard again soon. If the holder does not answer, or goes
                // away first, this process interrupts once it holds the engine.
                let _ = client.ask_briefly(&request(ask));
            }
        }));
    }

    fn hear(&self, tell: Box<dyn FnMut() + Send>) {
        *self
            .on_interrupt
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(tell);
    }

    fn hear_nothing(&self) {
        *self
            .on_interrupt
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn finish(&self) {
        if let Some(mut progress) = self
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            progress.finish();
        }
    }
}
