//! What effects need to be carried out: folders, the repository, the supervisor, the agents.
//!
//! Shared by the loop and the threads that carry effects out. It holds no state of a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use divisi_agents::adapter::{
    AdapterAgent, DefinedAgent, PRODUCTS, Product, alternatives, login_secrets,
};
use divisi_agents::environment::variable_of;
use divisi_agents::handoff::Skill;
use divisi_agents::{Agent, CommandAgent, PersonAgent, ScriptedAgent, environment, mask};
use divisi_core::criterion::{Outcome, Verdict};
use divisi_core::journal::Artifacts;
use divisi_core::ledger::Credential;
use divisi_core::run::{Defined, Grants, Settings};
use divisi_core::worker::{Confinement, Limits};
use divisi_core::{AttemptId, Commit, Criterion, Digest, RunId, TaskId, TaskNo, Tree};
use divisi_pack::rehearsal::Rehearsal;

use super::Options;
use super::homes::{HomeState, Homes};
use super::input::Failed;
use super::launch::COLLECT_BYTES_MAX;
use super::preparation::{Preparing, Provided, Setups, failed};
use super::programs::Checks;
use super::temporary::Temporary;
use crate::files::{Files, FolderFiles};
use crate::guides;
use crate::repo::Repo;
use crate::supervisor::Client;
use crate::workspace::{Pool, PoolOptions, walk};
use divisi_core::diagnostic::chain;

/// How a plan names this program.
pub(crate) const OWN_NAME: &str = "divisi";

/// What a run's processes are granted, and what follows from it.
struct Granted {
    grants: Grants,
    /// The environment of agents that declare and are given nothing of their own. Working it out
    /// looks at every variable of ours, and most tasks need just this one.
    usual: (BTreeMap<String, String>, Vec<String>),
    /// The agents that its configuration defined.
    agents: BTreeMap<String, Arc<dyn Agent>>,
}

/// The agents that configuration defines, by name.
fn defined(agents: &BTreeMap<String, Defined>) -> BTreeMap<String, Arc<dyn Agent>> {
    let one = |(name, defined): (&String, &Defined)| {
        let agent = DefinedAgent {
            program: OWN_NAME.to_owned(),
            name: name.clone(),
            defined: defined.clone(),
        };
        (name.clone(), Arc::new(agent) as Arc<dyn Agent>)
    };
    agents.iter().map(one).collect()
}

/// All agents that need no configuration, by name.
fn agents() -> BTreeMap<String, Arc<dyn Agent>> {
    let own: [Arc<dyn Agent>; 3] = [
        Arc::new(CommandAgent),
        Arc::new(PersonAgent),
        Arc::new(ScriptedAgent),
    ];
    let spoken_to = PRODUCTS.iter().map(|product| {
        let program = OWN_NAME.to_owned();
        Arc::new(AdapterAgent { program, product }) as Arc<dyn Agent>
    });
    own.into_iter()
        .chain(spoken_to)
        .map(|agent| (agent.description().name, agent))
        .collect()
}

/// What each agent can log in with in an environment, by name, in the order in which it looks.
#[must_use]
pub fn credentials(variables: &BTreeMap<String, String>) -> BTreeMap<String, Vec<Credential>> {
    let of = |product: &Product| (product.name.to_owned(), alternatives(product, variables));
    PRODUCTS.iter().map(of).collect()
}

/// What effects share.
pub struct Shell {
    pub(crate) options: Options,
    pub(super) artifacts: Box<dyn Artifacts + Send + Sync>,
    pub(super) checks: Checks,
    pub(super) setups: Setups,
    pub(super) parent: BTreeMap<String, String>,
    granted: Mutex<BTreeMap<RunId, Arc<Granted>>>,
    agents: BTreeMap<String, Arc<dyn Agent>>,
    pool: OnceLock<Arc<Pool>>,
    opening: Mutex<()>,
    supervisor: Mutex<Option<Arc<Client>>>,
    shared: Mutex<HashMap<(RunId, Commit), PathBuf>>,
    pub(super) temporary: Temporary,
    pub(super) homes: Homes,
    verdicts: Mutex<HashMap<(Tree, String), Verdict>>,
    rehearsals: Mutex<BTreeMap<Digest, Arc<Rehearsal>>>,
    skills: Mutex<HashMap<Commit, Arc<[Skill]>>>,
    /// Secrets of the user's logins, those among them that were renewed since.
    logins: Mutex<BTreeSet<String>>,
    started: Instant,
}

impl Shell {
    pub(super) fn new(options: Options, artifacts: Box<dyn Artifacts + Send + Sync>) -> Shell {
        Shell {
            temporary: Temporary::new(&options.dir),
            homes: Homes::new(&options.dir),
            options,
            artifacts,
            checks: Checks::default(),
            setups: Setups::default(),
            parent: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            granted: Mutex::new(BTreeMap::new()),
            agents: agents(),
            pool: OnceLock::new(),
            opening: Mutex::new(()),
            supervisor: Mutex::new(None),
            shared: Mutex::new(HashMap::new()),
            verdicts: Mutex::new(HashMap::new()),
            rehearsals: Mutex::new(BTreeMap::new()),
            skills: Mutex::new(HashMap::new()),
            logins: Mutex::new(BTreeSet::new()),
            started: Instant::now(),
        }
    }

    /// Milliseconds on a monotonic clock.
    pub(super) fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// What each agent can log in with here, in the order in which it looks.
    pub(super) fn credentials(&self) -> BTreeMap<String, Vec<Credential>> {
        credentials(&self.parent)
    }

    pub(super) fn agent(&self, run: RunId, name: &str) -> Option<Arc<dyn Agent>> {
        let own = self.agents.get(name).cloned();
        own.or_else(|| self.granted(run).agents.get(name).cloned())
    }

    /// The rules by which scripted agents do handoffs.
    ///
    /// # Errors
    /// The artifact cannot be read now; what it holds was looked at when the run was created.
    pub(super) fn rehearsal(&self, digest: Option<&Digest>) -> Result<Arc<Rehearsal>, String> {
        let Some(digest) = digest else {
            return Ok(Arc::new(Rehearsal::built_in()));
        };
        if let Some(known) = lock(&self.rehearsals).get(digest) {
            return Ok(Arc::clone(known));
        }
        let bytes = self.artifacts.get(digest);
        let bytes = bytes.map_err(|fault| format!("read the rehearsal {digest}: {fault}"))?;
        let bytes = bytes.ok_or_else(|| format!("the rehearsal {digest} is not there"))?;
        let rehearsal = Arc::new(Rehearsal::from_json(&bytes)?);
        lock(&self.rehearsals).insert(digest.clone(), Arc::clone(&rehearsal));
        Ok(rehearsal)
    }

    /// The skills of a tree: many attempts stand on one.
    pub(super) fn skills(&self, base: &Commit, files: &dyn Files) -> io::Result<Arc<[Skill]>> {
        if let Some(known) = lock(&self.skills).get(base) {
            return Ok(Arc::clone(known));
        }
        let skills: Arc<[Skill]> = guides::skills(files)?.into();
        lock(&self.skills).insert(base.clone(), Arc::clone(&skills));
        Ok(skills)
    }

    pub(super) fn supervisor(&self) -> Option<Arc<Client>> {
        lock(&self.supervisor).clone()
    }

    pub(super) fn set_supervisor(&self, client: Option<Arc<Client>>) {
        // The old one is dropped outside the lock: it joins its thread.
        let old = std::mem::replace(&mut *lock(&self.supervisor), client);
        drop(old);
    }

    /// The workspaces, and the private repository behind them; opened when first needed.
    pub(super) fn pool(&self) -> Result<Arc<Pool>, String> {
        if let Some(pool) = self.pool.get() {
            return Ok(Arc::clone(pool));
        }
        let _opening = lock(&self.opening);
        if let Some(pool) = self.pool.get() {
            return Ok(Arc::clone(pool));
        }
        let repo = match &self.options.repo {
            Some(repo) => Arc::clone(repo),
            None => {
                let (dir, project) = (&self.options.dir, &self.options.project);
                let opened = Repo::open_with_hook(dir, project, crate::failpoint::hit);
                Arc::new(opened.map_err(|error| chain(&error))?)
            }
        };
        let kept = PoolOptions {
            kept: self.options.capacity.workers as usize,
        };
        let pool = Arc::new(Pool::open(repo, kept).map_err(|error| chain(&error))?);
        Ok(Arc::clone(self.pool.get_or_init(|| pool)))
    }

    /// A command line as it is executed: `divisi` is this program, whatever else of its name, or
    /// nothing, may be on `PATH`.
    pub(super) fn resolved(&self, mut argv: Vec<String>) -> Vec<String> {
        if let Some(program) = argv.first_mut()
            && program == OWN_NAME
        {
            *program = self.options.program.to_string_lossy().into_owned();
        }
        argv
    }

    /// The shared checkout of a commit, if it is prepared.
    pub(super) fn shared_if_ready(&self, run: RunId, commit: &Commit) -> Option<PathBuf> {
        lock(&self.shared).get(&(run, commit.clone())).cloned()
    }

    /// The shared checkout of a commit, and what of its preparation was left out.
    pub(super) fn shared(
        &self,
        preparing: &Preparing,
        attempt: AttemptId,
        commit: &Commit,
    ) -> Result<(PathBuf, Vec<String>), Failed> {
        let run = attempt.run;
        let pool = self.pool()?;
        let provided = if preparing.is_nothing() || pool.is_shared_prepared(run, commit) {
            Provided::NOTHING
        } else {
            let tree = pool.repo().tree_of(commit).map_err(failed)?;
            self.provide(preparing, attempt, &tree, Some(commit))?
        };
        let (workspace, left_out) = pool
            .shared_with(run, commit, provided.given())
            .map_err(failed)?;
        lock(&self.shared).insert((run, commit.clone()), workspace.path.clone());
        Ok((workspace.path, left_out))
    }

    /// The files of a shared checkout. What was changed in it is looked for where a criterion asks: by
    /// whomever, since several tasks may work there.
    pub(super) fn shared_files(
        &self,
        run: RunId,
        commit: &Commit,
        path: &Path,
        criteria: &[Criterion],
    ) -> Result<FolderFiles, String> {
        let asks = |it: &Criterion| matches!(it, Criterion::Changed { .. });
        let changed = match criteria.iter().any(asks) {
            true => {
                let pool = self.pool()?;
                let shared = pool.shared(run, commit);
                let changed = shared.and_then(|it| pool.changed(&it, COLLECT_BYTES_MAX));
                Some(changed.map_err(|error| chain(&error))?)
            }
            false => None,
        };
        FolderFiles::open(path, changed).map_err(|error| error.to_string())
    }

    /// Takes in what a run's settings grant. They never change.
    pub(super) fn grant(&self, run: RunId, settings: &Settings) {
        let mut granted = lock(&self.granted);
        granted.entry(run).or_insert_with(|| {
            let grants = &settings.grants;
            let made = environment(&self.parent, &grants.passes, &BTreeMap::new());
            Arc::new(Granted {
                grants: grants.clone(),
                usual: (made.vars, self.with_logins(made.masked)),
                agents: defined(&settings.defined),
            })
        });
    }

    /// These values and the secrets of logins as they are now, which every process can read.
    fn with_logins(&self, mut masked: Vec<String>) -> Vec<String> {
        let mut logins = lock(&self.logins);
        logins.extend(login_secrets(&self.parent));
        masked.extend(logins.iter().cloned());
        // A secret that contains another is masked whole.
        masked.sort_by_key(|value| std::cmp::Reverse(value.len()));
        masked
    }

    /// What a run grants; only a run that is loaded has effects.
    fn granted(&self, run: RunId) -> Arc<Granted> {
        if let Some(granted) = lock(&self.granted).get(&run) {
            return Arc::clone(granted);
        }
        self.grant(run, &Settings::default());
        self.granted(run)
    }

    /// An agent's environment and the values that are masked in its log.
    pub(super) fn environment(
        &self,
        run: RunId,
        own: &BTreeMap<String, String>,
        credentials: &[String],
    ) -> (BTreeMap<String, String>, Vec<String>) {
        let granted = self.granted(run);
        if own.is_empty() && credentials.is_empty() {
            return granted.usual.clone();
        }
        let passes = granted.grants.passes.iter().chain(credentials);
        let passes: Vec<String> = passes.cloned().collect();
        let made = environment(&self.parent, &passes, own);
        (made.vars, self.with_logins(made.masked))
    }

    /// Whose value a secret is, and what can be done where it is none.
    pub(super) fn owner_of(&self, value: &str, own: &BTreeMap<String, String>) -> String {
        match variable_of(value, self.parent.iter().chain(own)) {
            Some(name) => format!(
                "that of the variable {name}: leave it out, or refer to it by that name; if it is \
                 no secret, start Divisi without the variable"
            ),
            None => "that of a login: leave it out".to_owned(),
        }
    }

    /// Values that must stand nowhere beneath `.divisi`, of all runs, the longest first.
    pub(super) fn secrets(&self) -> Vec<String> {
        let mut secrets: BTreeSet<String> = environment(&self.parent, &[], &BTreeMap::new())
            .masked
            .into_iter()
            .collect();
        secrets.extend(lock(&self.logins).iter().cloned());
        for granted in lock(&self.granted).values() {
            secrets.extend(granted.usual.1.iter().cloned());
        }
        let mut secrets: Vec<String> = secrets.into_iter().collect();
        secrets.sort_by_key(|value| std::cmp::Reverse(value.len()));
        secrets
    }

    /// A text from outside with every secret made unreadable.
    pub(super) fn masked(&self, text: String) -> String {
        mask(text, &self.secrets())
    }

    /// Removes secrets from what agents left that nobody works with any more, and their temporary
    /// folders. `is_live` says which attempts are still under way, `is_busy` which tasks, and `home`
    /// who needs a private folder. What cannot be cleaned keeps nothing else from being cleaned; it
    /// is returned in words.
    #[must_use]
    pub(super) fn clean_up(
        &self,
        is_live: &dyn Fn(&str) -> bool,
        is_busy: &dyn Fn(RunId, Option<TaskNo>) -> bool,
        home: &dyn Fn(&str) -> HomeState,
    ) -> Vec<String> {
        let secrets = self.secrets();
        let mut faults = self.homes.clean_up(&secrets, home);
        self.temporary.forget_free();
        let entries = std::fs::read_dir(self.temporary.folder())
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries.filter(|entry| !entry.file_name().to_str().is_some_and(is_live)) {
            let path = entry.path();
            if let Err(error) = walk::remove_all(&path) {
                faults.push(format!("remove {}: {error}", path.display()));
            }
        }
        // Without a pool, no agent has had a workspace.
        if !secrets.is_empty() && self.options.dir.join("worktrees").exists() {
            let masked = self.pool().and_then(|pool| {
                pool.mask_left_secrets(&secrets, COLLECT_BYTES_MAX, is_busy)
                    .map_err(|error| chain(&error))
            });
            faults.extend(masked.err());
        }
        faults
    }

    pub(super) fn confinement(&self, run: RunId, mut writes: Vec<String>) -> Confinement {
        let granted = self.granted(run);
        if granted.grants.unconfined {
            return Confinement::None;
        }
        writes.extend(granted.grants.writes.iter().cloned());
        Confinement::Writes(writes)
    }

    /// The limits of a run's processes.
    pub(super) fn limits(&self, run: RunId) -> Limits {
        let granted = self.granted(run);
        Limits {
            memory_bytes_max: granted.grants.memory_bytes_max,
            cpu_s_max: granted.grants.cpu_s_max,
            ..self.options.limits.clone()
        }
    }

    /// The folder of a run, for people.
    pub(super) fn run_folder(&self, run: RunId) -> PathBuf {
        run_folder(&self.options.dir, run)
    }

    pub(super) fn check_log(&self, attempt: AttemptId, criterion: u16) -> PathBuf {
        let name = format!(
            "{}.{}.check-{}.log",
            attempt.task.0,
            attempt.number,
            criterion + 1
        );
        self.run_folder(attempt.run).join("logs").join(name)
    }

    /// The verdict of a criterion on a tree, if it is known.
    pub(super) fn known_verdict(&self, tree: &Tree, criterion: &Criterion) -> Option<Verdict> {
        lock(&self.verdicts)
            .get(&(tree.clone(), key(criterion)))
            .cloned()
    }

    /// Keeps what a receipt says to have passed, perhaps in an earlier life of the engine. What a
    /// person let pass is not among it.
    pub(super) fn keep_passed(&self, tree: &Tree, criteria: &[Criterion], verdicts: &[Verdict]) {
        let passed = verdicts
            .iter()
            .filter(|verdict| verdict.outcome == Outcome::Pass);
        let passed: Vec<Verdict> = passed.cloned().collect();
        self.keep_verdicts(tree, criteria, &passed);
    }

    /// Keeps verdicts by tree and criterion, so that the same check runs once on the same tree.
    pub(super) fn keep_verdicts(&self, tree: &Tree, criteria: &[Criterion], verdicts: &[Verdict]) {
        let mut known = lock(&self.verdicts);
        if known.len() > VERDICTS_MAX {
            known.clear();
        }
        for verdict in verdicts {
            if let Some(criterion) = criteria.get(usize::from(verdict.criterion)) {
                known.insert((tree.clone(), key(criterion)), verdict.clone());
            }
        }
    }
}

/// Verdicts kept for reuse; beyond this they are evaluated again.
const VERDICTS_MAX: usize = 50_000;

fn key(criterion: &Criterion) -> String {
    serde_json::to_string(criterion).expect("criteria are plain data")
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder of a run beneath `.divisi`, for people.
#[must_use]
pub fn run_folder(dir: &Path, run: RunId) -> PathBuf {
    dir.join("runs").join(run.to_string())
}

/// Where an attempt's log stands.
#[must_use]
pub fn log_path(dir: &Path, run: RunId, task: &TaskId, number: u32) -> PathBuf {
    run_folder(dir, run)
        .join("logs")
        .join(format!("{task}.{number}.log"))
}

#[cfg(test)]
mod tests {
    use divisi_core::run::{AGENT_MODEL, AGENTS};

    use super::*;

    #[test]
    fn every_agent_that_a_plan_can_name_is_there() {
        let mut named = AGENTS.to_vec();
        // It is there once configuration says which.
        named.retain(|name| *name != AGENT_MODEL);
        named.sort_unstable();
        let agents = agents();
        let there: Vec<&str> = agents.keys().map(String::as_str).collect();
        assert_eq!(there, named);
    }
}
