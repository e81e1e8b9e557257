//! How an attempt is started: its workspace, its handoff, its agent.
//!
//! A command in a shared workspace that has nothing to be told is started at once, on the loop's
//! thread. Everything else is prepared by another thread first; what was found while preparing is
//! made durable before anything is launched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agents::adapter::{HOME_VARIABLE, RESERVATION_VARIABLE, Reservation, is_priced};
use divisi_agents::{Agent, Assignment, Handoff, InProcess, Kind, Launch};
use divisi_core::criterion::{Cost, Outcome};
use divisi_core::ledger::Credential;
use divisi_core::plan::Work;
use divisi_core::receipt::{Exit, Receipt, Snapshot};
use divisi_core::run::{
    AGENT_COMPOSE, AGENT_EXTERNAL, AGENTS, AttemptEnd, Beginning, Budget, Command, Ending, Run,
    Settings, VERDICT_FILE, asks_model, is_scripted,
};
use divisi_core::secret::looks_secret;
use divisi_core::worker::{Ended, Limits, ProcessSpec};
use divisi_core::{
    AttemptId, Commit, Criterion, Digest, TaskId, TaskKind, TaskSpec, Time, Tree, WorkspaceKind,
};

use super::composing::{self, Unread};
use super::homes::home_name;
use super::input::{Failed, Finished};
use super::preparation::{Preparing, Provided, failed};
use super::shell::{OWN_NAME, Shell, log_path};
use super::telling::Told;
use crate::compose;
use crate::failpoint;
use crate::files::{Files, FolderFiles};
use crate::guides;
use crate::handoff;
use crate::repo::{Fault, Ground};
use crate::workspace::{CollectOptions, Given, Pool, SuccessorFrom, Workspace};
use divisi_core::diagnostic::chain;

/// The file in an attempt's temporary folder that holds its question, if it has one.
const QUESTION_FILE: &str = "question.txt";

/// The one beside it that says why the work is more than one task, if it is.
const TOO_LARGE_FILE: &str = "too-large.txt";

/// A question is shown on a terminal.
const QUESTION_BYTES_MAX: u64 = 4_000;

/// All that starting one attempt needs, taken from the state.
pub(super) struct Starting {
    pub(super) attempt: AttemptId,
    pub(super) spec: Arc<TaskSpec>,
    pub(super) agent: String,
    /// What it logs in with.
    pub(super) credential: Credential,
    pub(super) workspace: u32,
    pub(super) base: Option<Commit>,
    pub(super) head: Option<Commit>,
    pub(super) handoff: Handoff,
    pub(super) told: Told,
    /// The workspace of a lost attempt that is not proven empty of writers.
    pub(super) lost: Option<(u32, Commit)>,
    /// What it begins with of a task in whose place it stands.
    pub(super) beginning: Option<Beginning>,
    /// The change that it judges, if it is a review: from where, to where.
    pub(super) change: Option<(Commit, Commit)>,
    /// Whether the agent's own session is taken up.
    pub(super) is_taken_up: bool,
    /// Artifacts of inputs, for compositions.
    pub(super) inputs: Vec<compose::Input>,
    pub(super) facts: compose::Facts,
    /// Of a task that is done again, the criteria that held before it was done the last time.
    pub(super) held_before: Option<Vec<u16>>,
    pub(super) preparing: Preparing,
    /// What was reserved for it of that which is bounded, and what that costs.
    pub(super) reservation: Reservation,
    /// Whether somebody says what its agent costs.
    pub(super) is_priced: bool,
    /// The artifact with the rules by which scripted agents do handoffs.
    pub(super) rehearsal: Option<Digest>,
    pub(super) at: Time,
}

/// A prepared attempt.
#[derive(Debug)]
pub struct Prepared {
    /// Which.
    pub attempt: AttemptId,
    /// What its workspace was made from.
    pub base: Option<Commit>,
    /// Cheap criteria that already pass.
    pub passed_before: Vec<u16>,
    /// What was to be copied into its workspace and was not, with the reasons.
    pub left_out: Vec<String>,
    /// How it is launched.
    pub launched: Launched,
}

/// How a prepared attempt is launched.
#[derive(Debug)]
pub enum Launched {
    /// By the supervisor.
    Process(Box<ProcessSpec>),
    /// Inside this process.
    InProcess(Box<InProcess>, PathBuf),
    /// It is done already: nothing was to be executed.
    Instant,
    /// Somebody will submit, or its files will come.
    Person,
}

/// Why an attempt is not launched.
pub(super) enum Unlaunched {
    /// It would fail again in the same way.
    Never(String),
    /// For a reason of ours, worth another try.
    NotNow(String),
}

/// The criteria that held before work that was integrated, if any was.
fn held_before(endings: &[Ending]) -> Option<Vec<u16>> {
    let is_integrated = |it: &&Ending| it.end == AttemptEnd::Integrated;
    let last = endings.iter().rev().find(is_integrated)?;
    let verdicts = last.receipts.iter().flat_map(|receipt| match receipt {
        Receipt::Verified { verdicts, .. } => verdicts.as_slice(),
        _ => &[],
    });
    let held = verdicts.filter(|verdict| verdict.proves_nothing);
    Some(held.map(|verdict| verdict.criterion).collect())
}

impl Starting {
    pub(super) fn of(
        run: &Run,
        attempt: AttemptId,
        reserved: Budget,
        day: String,
        at: Time,
    ) -> Option<Starting> {
        let task = run.task(attempt.task)?;
        let live = task.live()?;
        // An attempt that was never started knows no base, and no agent was in its workspace.
        let worked = |ending: &&Ending| ending.base.is_some();
        let worked = task.endings.iter().rev().find(worked);
        let same = worked.filter(|ending| ending.workspace == live.workspace);
        let lost = worked.filter(|ending| {
            ending.workspace < live.workspace && matches!(ending.end, AttemptEnd::Lost(_))
        });
        let reviewed = task.reviews.as_ref();
        let reviewed = reviewed.and_then(|subject| run.reviewed_commits(subject));
        let reviewed = reviewed.map(|(made, from)| (from.clone(), made.clone()));
        Some(Starting {
            attempt,
            spec: Arc::clone(&task.spec),
            agent: live.agent.clone(),
            credential: live.means().credential,
            workspace: live.workspace,
            base: same.and_then(|last| last.base.clone()),
            head: match &reviewed {
                Some((_, made)) => Some(made.clone()),
                None => run.integration.head.clone(),
            },
            change: reviewed,
            handoff: handoff::of(run, attempt.task, at),
            beginning: match worked {
                None => run.beginning(attempt.task),
                Some(_) => None,
            },
            is_taken_up: same.is_some_and(|last| last.leaves_session() && last.agent == live.agent),
            told: Told::of(run),
            lost: lost.and_then(|last| Some((last.workspace, last.base.clone()?))),
            inputs: match live.agent == AGENT_COMPOSE {
                true => handoff::compose_inputs(run, attempt.task),
                false => Vec::new(),
            },
            facts: compose::Facts {
                id: run.id.to_string(),
                title: run.title.clone(),
                date: day,
            },
            held_before: held_before(&task.endings),
            preparing: Preparing::of(run),
            reservation: Reservation {
                budget: reserved,
                prices: run.settings.prices.clone(),
            },
            is_priced: is_priced(&live.agent, &run.settings),
            rehearsal: run.settings.rehearsal.clone(),
            at,
        })
    }

    /// Whether nothing is to be started at all: what Divisi does comes once it is verified.
    pub(super) fn needs_nothing(&self) -> bool {
        matches!(self.spec.work, Work::Expand(_))
    }

    /// Whether it can be started at once: nothing to prepare, nothing to tell.
    pub(super) fn is_bare(&self) -> bool {
        let cheap = self
            .spec
            .criteria
            .iter()
            .any(|criterion| criterion.cost() == Cost::Cheap);
        self.spec.workspace == WorkspaceKind::Shared
            && !cheap
            && !matches!(self.spec.kind, TaskKind::External | TaskKind::Compose)
            && !self.is_told()
    }

    /// The launch of a bare one in its shared checkout.
    pub(super) fn launch_bare(
        &self,
        shell: &Shell,
        workspace: &Path,
    ) -> Result<Launched, Unlaunched> {
        self.launch(shell, workspace, None)
    }

    /// Prepares workspace and handoff.
    pub(super) fn prepare(mut self, shell: &Shell) -> Result<Finished, Failed> {
        failpoint::hit("start.before");
        let Some(head) = self.base.clone().or_else(|| self.head.clone()) else {
            return Err("the run has no base commit".to_owned().into());
        };
        let (path, base, left_out) = match self.spec.workspace {
            WorkspaceKind::Shared => {
                let (path, left_out) = shell.shared(&self.preparing, self.attempt, &head)?;
                (path, None, left_out)
            }
            kind => {
                let (workspace, left_out) = self.workspace(shell, kind, &head)?;
                let is_begun = self.base.is_some() || self.beginning.is_some();
                if self.is_told() && (is_begun || self.lost.is_some()) {
                    let pool = shell.pool()?;
                    let already = pool.changed(&workspace, COLLECT_BYTES_MAX);
                    let mut already = already.map_err(failed)?;
                    // What a review's workspace has otherwise than what is judged nobody changed there.
                    already.retain(|path| self.change.is_none() || !guides::steers(path));
                    let already = already.into_iter();
                    // Nobody has collected these: their names may hold anything.
                    let already = already.map(|path| shell.masked(path));
                    self.handoff.stands_already(already.collect());
                }
                (workspace.path, Some(workspace.base), left_out)
            }
        };
        let passed_before = self.passed_before(shell, &path, base.as_ref(), &head)?;
        if self.agent == AGENT_COMPOSE {
            match self.read_inputs(shell) {
                Ok(()) => {}
                Err(Unread::Fault(cause)) => return Err(cause.into()),
                Err(Unread::Refused(cause)) => {
                    let attempt = self.attempt;
                    return Ok(Finished::told(Command::NotComposed {
                        attempt,
                        cause,
                        ended: None,
                    }));
                }
            }
        }
        let handoff_path = match self.is_told() {
            true => match self.tell(shell, base.as_ref().unwrap_or(&head))? {
                Ok(()) => Some(self.write_handoff(shell)?),
                Err(too_big) => return Ok(self.not_started(chain(&too_big))),
            },
            false => None,
        };
        let launched = match self.launch(shell, &path, handoff_path.as_deref()) {
            Ok(launched) => launched,
            Err(Unlaunched::Never(cause)) => return Ok(self.not_started(cause)),
            Err(Unlaunched::NotNow(cause)) => return Err(cause.into()),
        };
        let prepared = Prepared {
            attempt: self.attempt,
            base,
            passed_before,
            left_out,
            launched,
        };
        failpoint::hit("start.after");
        Ok(Finished::Prepared(Box::new(prepared)))
    }

    fn workspace(
        &self,
        shell: &Shell,
        kind: WorkspaceKind,
        base: &Commit,
    ) -> Result<(Workspace, Vec<String>), Failed> {
        let pool = shell.pool()?;
        let (run, task) = (self.attempt.run, self.attempt.task);
        if self.base.is_none() {
            // An attempt that was never started may have prepared it on an older head.
            pool.release_unused(run, task, self.workspace, base)
                .map_err(failed)?;
        }
        // What Divisi does by itself needs nothing beside the tree.
        let ours = matches!(self.agent.as_str(), AGENT_COMPOSE | AGENT_EXTERNAL);
        let prepares = kind == WorkspaceKind::Worktree && !ours && !self.preparing.is_nothing();
        let on = self.lost.as_ref().map_or(base, |(_, base)| base);
        let provided = if prepares && !pool.is_prepared(run, task, self.workspace, on) {
            let tree = pool.repo().tree_of(on).map_err(failed)?;
            shell.provide(&self.preparing, self.attempt, &tree, Some(on))?
        } else {
            Provided::NOTHING
        };
        let carried = match &self.change {
            Some((_, made)) => Some(self.judged(&pool, made).map_err(failed)?.0),
            None => self.carried(&pool, kind, base).map_err(failed)?,
        };
        let make = |number: u32, base: &Commit, given: Given<'_>| {
            match (kind, &carried) {
                (kind, Some(content)) => pool.begun(kind, run, task, number, base, content, given),
                (WorkspaceKind::Scratch, None) => pool
                    .scratch(run, task, number, base)
                    .map(|workspace| (workspace, Vec::new())),
                (_, None) => pool.worktree_with(run, task, number, base, given),
            }
            .map_err(failed)
        };
        let Some((number, lost_base)) = &self.lost else {
            return make(self.workspace, base, provided.given());
        };
        // What a lost attempt left is copied: whoever may still write there disturbs nobody.
        let (lost, _) = make(*number, lost_base, Given::NOTHING)?;
        let (_, secrets) = shell.environment(self.attempt.run, &self.spec.env, &[]);
        let options = CollectOptions {
            message: &format!("{}: left by a lost attempt", self.spec.id),
            at: self.at,
            deliverables: &[],
            bytes_max: COLLECT_BYTES_MAX,
            secrets: &secrets,
        };
        let successor = pool
            .successor(&lost, self.workspace, &options, provided.given())
            .map_err(failed)?;
        match successor.from {
            SuccessorFrom::Base(_) | SuccessorFrom::Snapshot(_) | SuccessorFrom::Same => {
                Ok((successor.workspace, successor.left_out))
            }
        }
    }

    /// The files of a workspace that begins with work of the task in whose place its own stands.
    fn carried(
        &self,
        pool: &Pool,
        kind: WorkspaceKind,
        base: &Commit,
    ) -> Result<Option<Tree>, Fault> {
        let Some(beginning) = &self.beginning else {
            return Ok(None);
        };
        let ground = match kind {
            WorkspaceKind::Scratch => Ground::Nothing,
            _ => Ground::Head,
        };
        let (repo, takes) = (pool.repo(), |path: &str| beginning.has(path));
        let head = repo.tree_of(base)?;
        repo.carried(&beginning.snapshot, &head, ground, &takes)
    }

    /// The files of a review's workspace: what was made, without a word of its author to whoever judges
    /// it. With the paths that stand otherwise for that.
    pub(super) fn judged(&self, pool: &Pool, made: &Commit) -> Result<(Tree, Vec<String>), Fault> {
        let repo = pool.repo();
        let made = repo.tree_of(made)?;
        let trusted = match self.told.base() {
            Some(base) => repo.tree_of(base)?,
            None => made.clone(),
        };
        repo.judged(&made, &trusted, &guides::steers, VERDICT_FILE)
    }

    /// Cheap criteria that hold before any work: their passing proves nothing later (X2). Where the
    /// task only judges what others made, they prove what they say.
    fn passed_before(
        &self,
        shell: &Shell,
        path: &Path,
        base: Option<&Commit>,
        head: &Commit,
    ) -> Result<Vec<u16>, String> {
        // By now the files are what the task itself made of them.
        if let Some(held_before) = &self.held_before {
            return Ok(held_before.clone());
        }
        let judges = self.spec.work == Work::Nothing && self.spec.kind != TaskKind::External;
        let is_told = |it: &Criterion| it.is_of_files() || matches!(it, Criterion::Changed { .. });
        if judges || !self.spec.criteria.iter().any(is_told) {
            return Ok(Vec::new());
        }
        let evaluate = |files: &dyn Files| {
            crate::checks::cheap(&self.spec.criteria, files).map_err(|error| chain(&error))
        };
        let verdicts = match base {
            Some(base) => {
                let pool = shell.pool()?;
                let repo = pool.repo();
                let tree = repo.tree_of(base).map_err(|error| chain(&error))?;
                let files = repo.files(&tree, Some(&tree));
                evaluate(&files.map_err(|error| chain(&error))?)?
            }
            None => {
                let (run, criteria) = (self.attempt.run, &self.spec.criteria);
                evaluate(&shell.shared_files(run, head, path, criteria)?)?
            }
        };
        let passed = verdicts
            .iter()
            .filter(|verdict| verdict.outcome == Outcome::Pass);
        Ok(passed.map(|verdict| verdict.criterion).collect())
    }

    /// Fills in the contents of a composition's inputs, from the run's head.
    fn read_inputs(&mut self, shell: &Shell) -> Result<(), Unread> {
        let Some(head) = &self.head else {
            return Ok(());
        };
        let fault = |cause: String| Unread::Fault(cause);
        let pool = shell.pool().map_err(fault)?;
        let repo = pool.repo();
        let tree = repo.tree_of(head).map_err(|error| fault(chain(&error)))?;
        let files = repo
            .files(&tree, None)
            .map_err(|error| fault(chain(&error)))?;
        composing::read(&mut self.spec, &mut self.inputs, &files)
    }

    /// Whether somebody reads the handoff: always where the title is all there is to go by. What
    /// Divisi does itself is told in other ways.
    fn is_told(&self) -> bool {
        let in_words = self.spec.work == Work::Handoff;
        (in_words || !self.handoff.is_bare()) && self.agent != AGENT_COMPOSE
    }

    fn write_handoff(&self, shell: &Shell) -> Result<String, String> {
        let handoffs = shell.run_folder(self.attempt.run).join("handoffs");
        let path = handoffs.join(self.handoff.path());
        let folder = path.parent().unwrap_or(&handoffs);
        failpoint::hit("handoff.write.before");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, self.handoff.to_json()))
            .map_err(|error| format!("write {}: {error}", path.display()))?;
        failpoint::hit("handoff.write.after");
        Ok(path.to_string_lossy().into_owned())
    }

    fn launch(
        &self,
        shell: &Shell,
        workspace: &Path,
        handoff_path: Option<&str>,
    ) -> Result<Launched, Unlaunched> {
        match self.agent.as_str() {
            AGENT_COMPOSE => return Ok(self.launch_compose(shell, workspace)),
            // Its files are fetched once they are there.
            AGENT_EXTERNAL => return Ok(Launched::Person),
            _ => {}
        }
        let Some(agent) = shell.agent(self.attempt.run, &self.agent) else {
            let cause = format!(
                "there is no agent {:?}; there are {}",
                self.agent,
                AGENTS.join(", ")
            );
            return Err(Unlaunched::Never(cause));
        };
        self.launch_agent(shell, agent.as_ref(), workspace, handoff_path)
    }

    fn launch_agent(
        &self,
        shell: &Shell,
        agent: &dyn Agent,
        workspace: &Path,
        handoff_path: Option<&str>,
    ) -> Result<Launched, Unlaunched> {
        let description = agent.description();
        self.can_be_counted()?;
        let (mut env, masked) =
            shell.environment(self.attempt.run, &self.spec.env, &description.credentials);
        env.retain(|name, _| !self.withholds(&description.credentials, name));
        let script = match is_scripted(&self.agent) && self.spec.work == Work::Handoff {
            true => {
                let rehearsal = shell.rehearsal(self.rehearsal.as_ref());
                rehearsal.map_err(Unlaunched::NotNow)?.script(&self.spec)
            }
            false => None,
        };
        let assignment = Assignment {
            attempt: self.attempt,
            task: &self.spec,
            handoff: &self.handoff,
            handoff_path,
            workspace: &workspace.to_string_lossy(),
            env: &env,
            masked: &masked,
            script: script.as_ref(),
        };
        match agent.launch(&assignment) {
            Err(fault) => Err(Unlaunched::Never(chain(&fault))),
            Ok(Launch::Person) => Ok(Launched::Person),
            Ok(Launch::InProcess(mut script)) => {
                script.reserved = self.reservation.budget;
                Ok(Launched::InProcess(script, workspace.to_owned()))
            }
            Ok(Launch::Process(mut process)) => {
                let tmp = shell
                    .temporary
                    .take(&tmp_name(self.attempt))
                    .map_err(|error| {
                        Unlaunched::NotNow(format!("make a temporary folder: {error}"))
                    })?;
                let mut writes = vec![text(workspace), text(&tmp)];
                if description.kind == Kind::Adapter {
                    let home = self.home(shell).map_err(|error| {
                        Unlaunched::NotNow(format!("make a private folder: {error}"))
                    })?;
                    writes.push(text(&home));
                    process.env.insert(HOME_VARIABLE.to_owned(), text(&home));
                }
                let question = tmp.join(QUESTION_FILE);
                process.env.extend([
                    ("TMPDIR".to_owned(), text(&tmp)),
                    ("DIVISI_QUESTION".to_owned(), text(&question)),
                    (
                        "DIVISI_TOO_LARGE".to_owned(),
                        text(&tmp.join(TOO_LARGE_FILE)),
                    ),
                ]);
                self.tell_reservation(&mut process.env);
                let limits = shell.limits(self.attempt.run);
                let confinement = shell.confinement(self.attempt.run, writes);
                let mut spec = process.into_spec(self.log(shell), confinement, limits);
                spec.argv = shell.resolved(spec.argv);
                // What speaks to an agent passes on what that one asks leave for.
                spec.asks = description.kind == Kind::Adapter;
                Ok(Launched::Process(Box::new(spec)))
            }
        }
    }

    /// Where money is bounded, nothing is launched of which nobody could say what it costs.
    fn can_be_counted(&self) -> Result<(), Unlaunched> {
        let is_bounded = self.reservation.budget.usd_micros.is_some() && asks_model(&self.agent);
        if !is_bounded || self.is_priced {
            return Ok(());
        }
        let cause = format!(
            "money is bounded, and nobody says what {} costs; `prices` of the configuration does",
            self.agent
        );
        Err(Unlaunched::Never(cause))
    }

    /// Tells a process what it may use. What anybody else set of that name does not count.
    fn tell_reservation(&self, env: &mut BTreeMap<String, String>) {
        env.remove(RESERVATION_VARIABLE);
        if asks_model(&self.agent) && self.reservation != Reservation::default() {
            let told = serde_json::to_string(&self.reservation).expect("it has only text keys");
            env.insert(RESERVATION_VARIABLE.to_owned(), told);
        }
    }

    /// The private folder of the agent, with its session where that is taken up.
    fn home(&self, shell: &Shell) -> std::io::Result<PathBuf> {
        let name = home_name(self.attempt.run, self.attempt.task, self.workspace);
        shell.homes.take(&name, self.is_taken_up)
    }

    /// Whether a variable is a key that stands before the one that is to be used: the agent would
    /// take it instead. What the plan sets itself counts more.
    fn withholds(&self, declared: &[String], name: &str) -> bool {
        let used = match &self.credential {
            Credential::Variable(used) => Some(used),
            // All of them stand before a login.
            Credential::Login(_) => None,
            Credential::Agent(_) => return false,
        };
        let before = declared.iter().take_while(|it| Some(*it) != used);
        let mut keys = before.filter(|declared| looks_secret(declared));
        keys.any(|key| key == name) && !self.spec.env.contains_key(name)
    }

    fn launch_compose(&self, shell: &Shell, workspace: &Path) -> Launched {
        let Work::Template(template) = &self.spec.work else {
            return Launched::Instant;
        };
        let request = compose::Request {
            template: template.text.clone(),
            output: template.output.clone(),
            inputs: self.inputs.clone(),
            run: self.facts.clone(),
        };
        let (env, masked) = shell.environment(self.attempt.run, &BTreeMap::new(), &[]);
        Launched::Process(Box::new(ProcessSpec {
            argv: shell.resolved(vec![OWN_NAME.to_owned(), "compose".to_owned()]),
            cwd: workspace.to_string_lossy().into_owned(),
            env,
            stdin: serde_json::to_string(&request).expect("a request is plain data"),
            asks: false,
            log: self.log(shell),
            masked,
            confinement: shell.confinement(self.attempt.run, vec![text(workspace)]),
            limits: Limits {
                memory_bytes_max: Some(compose::WORK_MEMORY_BYTES_MAX),
                ..shell.limits(self.attempt.run)
            },
        }))
    }

    fn log(&self, shell: &Shell) -> String {
        let path = log_path(
            &shell.options.dir,
            self.attempt.run,
            &self.spec.id,
            self.attempt.number,
        );
        path.to_string_lossy().into_owned()
    }

    pub(super) fn not_started(&self, cause: String) -> Finished {
        Finished::told(Command::NotStarted {
            attempt: self.attempt,
            cause,
            permanent: true,
        })
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The name of an attempt's temporary folder.
pub(super) fn tmp_name(attempt: AttemptId) -> String {
    format!("{}.{}.{}", attempt.run, attempt.task.0, attempt.number)
}

/// What an attempt asked before it ended, if it did.
pub(super) fn question(shell: &Shell, attempt: AttemptId) -> Option<String> {
    left(shell, attempt, QUESTION_FILE)
}

/// Why an attempt found its work to be more than one task, if it did.
pub(super) fn too_large(shell: &Shell, attempt: AttemptId) -> Option<String> {
    left(shell, attempt, TOO_LARGE_FILE)
}

/// What stands in a file of an attempt's temporary folder.
fn left(shell: &Shell, attempt: AttemptId, file: &str) -> Option<String> {
    let folder = shell.temporary.path(&tmp_name(attempt));
    let files = FolderFiles::open(&folder, None).ok()?;
    let bytes = files.read(file, QUESTION_BYTES_MAX).ok()?;
    let text = shell.masked(String::from_utf8_lossy(&bytes).trim().to_owned());
    (!text.is_empty()).then_some(text)
}

/// An end without a process.
pub(super) fn instant() -> Ended {
    Ended::of(Exit::NoProcess)
}

/// All changed files of one attempt together; more than this is not a contribution but a data set.
pub(super) const COLLECT_BYTES_MAX: u64 = 1 << 30;

/// The snapshot and the task behind a unit of integration.
pub(super) struct Merging {
    pub(super) attempt: AttemptId,
    pub(super) id: TaskId,
    pub(super) title: String,
    pub(super) snapshot: Snapshot,
    pub(super) criteria: Vec<Criterion>,
    pub(super) at: Time,
}

/// Settings that a thread needs beside the shell's.
pub(super) fn timeout_of(run: &Run, attempt: AttemptId) -> u64 {
    let settings: &Settings = &run.settings;
    run.task(attempt.task)
        .map_or(settings.timeout_ms, |task| task.live_timeout_ms(settings))
}
