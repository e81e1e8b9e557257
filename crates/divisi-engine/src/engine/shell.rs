//! What effects need to be carried out: folders, the repository, the supervisor, the agents.
//!
//! Shared by the loop and the threads that carry effects out. It holds no state of a run.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use divisi_agents::{Agent, CommandAgent, PersonAgent, ScriptedAgent, environment};
use divisi_core::criterion::Verdict;
use divisi_core::journal::Artifacts;
use divisi_core::worker::Confinement;
use divisi_core::{AttemptId, Commit, Criterion, RunId, TaskId, TaskNo, Tree};

use super::Options;
use super::launch::COLLECT_BYTES_MAX;
use super::programs::Checks;
use super::supervised::chain;
use crate::repo::Repo;
use crate::supervisor::Client;
use crate::workspace::{Pool, PoolOptions, walk};

/// Stands in the place of a secret.
const MASK: &str = "[masked]";

/// What effects share.
pub struct Shell {
    pub(crate) options: Options,
    pub(super) artifacts: Box<dyn Artifacts + Send + Sync>,
    pub(super) checks: Checks,
    pub(super) parent: BTreeMap<String, String>,
    agents: BTreeMap<String, Arc<dyn Agent>>,
    pool: OnceLock<Arc<Pool>>,
    opening: Mutex<()>,
    supervisor: Mutex<Option<Arc<Client>>>,
    shared: Mutex<HashMap<(RunId, Commit), PathBuf>>,
    verdicts: Mutex<HashMap<(Tree, String), Verdict>>,
    started: Instant,
}

impl Shell {
    pub(super) fn new(options: Options, artifacts: Box<dyn Artifacts + Send + Sync>) -> Shell {
        let all: [Arc<dyn Agent>; 3] = [
            Arc::new(CommandAgent),
            Arc::new(PersonAgent),
            Arc::new(ScriptedAgent),
        ];
        let agents = all
            .into_iter()
            .map(|agent| (agent.description().name, agent))
            .collect();
        Shell {
            options,
            artifacts,
            checks: Checks::default(),
            parent: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            agents,
            pool: OnceLock::new(),
            opening: Mutex::new(()),
            supervisor: Mutex::new(None),
            shared: Mutex::new(HashMap::new()),
            verdicts: Mutex::new(HashMap::new()),
            started: Instant::now(),
        }
    }

    /// Milliseconds on a monotonic clock.
    pub(super) fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    pub(super) fn agent(&self, name: &str) -> Option<&Arc<dyn Agent>> {
        self.agents.get(name)
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
        let repo = Repo::open_with_hook(
            &self.options.dir,
            &self.options.project,
            crate::failpoint::hit,
        )
        .map_err(|error| chain(&error))?;
        let kept = PoolOptions {
            kept: self.options.capacity.workers as usize,
        };
        let pool = Arc::new(Pool::open(Arc::new(repo), kept).map_err(|error| chain(&error))?);
        Ok(Arc::clone(self.pool.get_or_init(|| pool)))
    }

    /// The shared checkout of a commit, if it is prepared.
    pub(super) fn shared_if_ready(&self, run: RunId, commit: &Commit) -> Option<PathBuf> {
        lock(&self.shared).get(&(run, commit.clone())).cloned()
    }

    /// The shared checkout of a commit.
    pub(super) fn shared(&self, run: RunId, commit: &Commit) -> Result<PathBuf, String> {
        let workspace = self
            .pool()?
            .shared(run, commit)
            .map_err(|error| chain(&error))?;
        lock(&self.shared).insert((run, commit.clone()), workspace.path.clone());
        Ok(workspace.path)
    }

    /// An agent's environment and the values that are masked in its log.
    pub(super) fn environment(
        &self,
        own: &BTreeMap<String, String>,
        credentials: &[String],
    ) -> (BTreeMap<String, String>, Vec<String>) {
        let passes: Vec<String> = self
            .options
            .passes
            .iter()
            .chain(credentials)
            .cloned()
            .collect();
        let made = environment(&self.parent, &passes, own);
        (made.vars, made.masked)
    }

    /// Values that must stand nowhere beneath `.divisi`.
    fn secrets(&self) -> Vec<String> {
        self.environment(&BTreeMap::new(), &[]).1
    }

    /// A text from outside with every secret made unreadable.
    pub(super) fn masked(&self, text: String) -> String {
        let masked = |text: String, secret: &String| match text.contains(secret.as_str()) {
            true => text.replace(secret.as_str(), MASK),
            false => text,
        };
        self.secrets().iter().fold(text, masked)
    }

    /// Removes secrets from what agents left that nobody works with any more, and their temporary
    /// folders. `is_live` says which attempts are still under way, and `is_busy` which tasks.
    ///
    /// # Errors
    /// Something could not be cleaned, in words.
    pub(super) fn clean_up(
        &self,
        is_live: &dyn Fn(&str) -> bool,
        is_busy: &dyn Fn(RunId, Option<TaskNo>) -> bool,
    ) -> Result<(), String> {
        let tmp = self.options.dir.join("tmp");
        let entries = std::fs::read_dir(&tmp).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| !entry.file_name().to_str().is_some_and(is_live)) {
            let path = entry.path();
            walk::remove_all(&path)
                .map_err(|error| format!("remove {}: {error}", path.display()))?;
        }
        let secrets = self.secrets();
        // Without a pool, no agent has had a workspace.
        if secrets.is_empty() || !self.options.dir.join("worktrees").exists() {
            return Ok(());
        }
        self.pool()?
            .mask_left_secrets(&secrets, COLLECT_BYTES_MAX, is_busy)
            .map_err(|error| chain(&error))?;
        Ok(())
    }

    pub(super) fn confinement(&self, writes: Vec<String>) -> Confinement {
        if !self.options.confine {
            return Confinement::None;
        }
        Confinement::Writes(
            writes
                .into_iter()
                .chain(self.options.writable.iter().cloned())
                .collect(),
        )
    }

    /// A private temporary folder, made if it is not there.
    pub(super) fn tmp_folder(&self, name: &str) -> Option<PathBuf> {
        let folder = self.options.dir.join("tmp").join(name);
        std::fs::create_dir_all(&folder).ok()?;
        Some(folder)
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

    /// The verdict of a criterion on a tree, if it was evaluated in this life.
    pub(super) fn known_verdict(&self, tree: &Tree, criterion: &Criterion) -> Option<Verdict> {
        lock(&self.verdicts)
            .get(&(tree.clone(), key(criterion)))
            .cloned()
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
