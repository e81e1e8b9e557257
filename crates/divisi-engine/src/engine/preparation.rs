//! What workspaces and checkouts get beside their tree, as the plan says.
//!
//! Files are copied from the user's folder each time. A setup runs once for all that it depends on,
//! in a checkout of its own; what it leaves is kept as a layer, and laid into every workspace and
//! every checkout of checks. So there is one place where setups run, and no workspace that a setup
//! was cut off in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use divisi_core::preparation::Setup;
use divisi_core::receipt::Exit;
use divisi_core::run::Run;
use divisi_core::{AttemptId, Commit, Digest, Preparation, RunId, Tree};

use super::input::Failed;
use super::programs::{Program, TAIL_BYTES, tail};
use super::shell::{Shell, lock};
use crate::checks::ProgramEnd;
use crate::failpoint;
use crate::repo::Fault;
use crate::workspace::{Chosen, Given, KeepError, Layer, Pool, Provision};
use divisi_core::diagnostic::chain;

/// So much of what a setup printed last is told with the reason.
const LAST_LINE_CHARS_MAX: usize = 200;

/// How the workspaces of a run are prepared.
#[derive(Clone)]
pub(super) struct Preparing {
    what: Arc<Preparation>,
    timeout_ms: u64,
}

impl Preparing {
    pub(super) fn of(run: &Run) -> Preparing {
        let what = Arc::clone(&run.preparation);
        let timeout_ms = what.timeout_ms.unwrap_or(run.settings.timeout_ms);
        Preparing { what, timeout_ms }
    }

    /// Whether a checkout serves as it is.
    pub(super) fn is_nothing(&self) -> bool {
        self.what.is_empty()
    }

    /// The layer that a tree needs, by name; `None` without a setup.
    pub(super) fn key(&self, pool: &Pool, tree: &Tree) -> Result<Option<Digest>, Failed> {
        if self.what.setup.is_empty() {
            return Ok(None);
        }
        let chosen = Chosen::new(&self.what.copy).map_err(failed)?;
        let key = pool.layer_key(tree, &self.what, &chosen);
        key.map(Some).map_err(failed)
    }
}

/// What one workspace is given.
pub(super) struct Provided {
    what: What,
    secrets: Vec<String>,
}

enum What {
    Nothing,
    Chosen(Chosen),
    Layer(Layer),
}

impl Provided {
    pub(super) const NOTHING: Provided = Provided {
        what: What::Nothing,
        secrets: Vec::new(),
    };

    pub(super) fn given(&self) -> Given<'_> {
        let provision = match &self.what {
            What::Nothing => Provision::Nothing,
            What::Chosen(chosen) => Provision::Chosen(chosen),
            What::Layer(layer) => Provision::Layer(layer),
        };
        Given {
            provision,
            secrets: &self.secrets,
        }
    }
}

/// Setups of this life of the engine.
#[derive(Default)]
pub(super) struct Setups {
    /// Held while one runs: whoever needs the same waits for it, and two at once would only
    /// disturb each other.
    running: Mutex<()>,
    /// Those that failed, with the reason, until somebody resumes: others that need the same need
    /// not find out for themselves.
    failed: Mutex<HashMap<Digest, String>>,
}

impl Setups {
    /// Somebody resumes, and so has seen to what failed.
    pub(super) fn forget_failures(&self) {
        lock(&self.failed).clear();
    }

    pub(super) fn forget_failure(&self, key: &Digest) {
        lock(&self.failed).remove(key);
    }
}

/// A fault of the private repository or the pool, as an effect tells it. More of it than a
/// workspace may have is not less the next time.
pub(super) fn failed(fault: Fault) -> Failed {
    match fault {
        Fault::TooMuch { .. } => Failed::Setup(format!("workspaces cannot be prepared: {fault}")),
        other => Failed::Ours(chain(&other)),
    }
}

impl Shell {
    /// What a checkout of a tree is given. Runs the setup if what it leaves is not kept yet; its
    /// programs are jobs of `attempt`.
    pub(super) fn provide(
        &self,
        preparing: &Preparing,
        attempt: AttemptId,
        tree: &Tree,
        head: Option<&Commit>,
    ) -> Result<Provided, Failed> {
        if preparing.is_nothing() {
            return Ok(Provided::NOTHING);
        }
        let secrets = self.secrets();
        let pool = self.pool()?;
        let chosen = Chosen::new(&preparing.what.copy).map_err(failed)?;
        let Some(key) = preparing.key(&pool, tree)? else {
            let what = What::Chosen(chosen);
            return Ok(Provided { what, secrets });
        };
        let setting_up = SettingUp {
            shell: self,
            pool: &pool,
            preparing,
            attempt,
            key: &key,
        };
        let given = Given {
            provision: Provision::Chosen(&chosen),
            secrets: &secrets,
        };
        let layer = match pool.layer(&key) {
            Some(layer) => layer,
            None => setting_up.set_up_once(tree, head, given)?,
        };
        let what = What::Layer(layer);
        Ok(Provided { what, secrets })
    }

    /// Runs a setup whether what it leaves is kept or not: to find out whether it still can.
    pub(super) fn set_up_again(
        &self,
        preparing: &Preparing,
        attempt: AttemptId,
        tree: &Tree,
        head: Option<&Commit>,
    ) -> Result<(), Failed> {
        let pool = self.pool()?;
        let Some(key) = preparing.key(&pool, tree)? else {
            return Ok(());
        };
        let chosen = Chosen::new(&preparing.what.copy).map_err(failed)?;
        let setting_up = SettingUp {
            shell: self,
            pool: &pool,
            preparing,
            attempt,
            key: &key,
        };
        let given = Given {
            provision: Provision::Chosen(&chosen),
            secrets: &self.secrets(),
        };
        let _alone = lock(&self.setups.running);
        setting_up.set_up(tree, head, given).map(drop)
    }

    fn setup_log(&self, run: RunId, key: &Digest, at: usize) -> PathBuf {
        let name = format!("setup-{}.{}.log", key.short(), at + 1);
        self.run_folder(run).join("logs").join(name)
    }
}

/// One setup under way.
struct SettingUp<'a> {
    shell: &'a Shell,
    pool: &'a Arc<Pool>,
    preparing: &'a Preparing,
    attempt: AttemptId,
    key: &'a Digest,
}

impl SettingUp<'_> {
    /// Runs it, unless another did while this one waited for its turn, or found that it fails.
    fn set_up_once(
        &self,
        tree: &Tree,
        head: Option<&Commit>,
        given: Given<'_>,
    ) -> Result<Layer, Failed> {
        let setups = &self.shell.setups;
        let _alone = lock(&setups.running);
        if let Some(cause) = lock(&setups.failed).get(self.key) {
            return Err(Failed::Setup(cause.clone()));
        }
        let made = match self.pool.layer(self.key) {
            Some(layer) => Ok(layer),
            None => self.set_up(tree, head, given),
        };
        if let Err(Failed::Setup(cause)) = &made {
            lock(&setups.failed).insert(self.key.clone(), cause.clone());
        }
        made
    }

    fn set_up(
        &self,
        tree: &Tree,
        head: Option<&Commit>,
        given: Given<'_>,
    ) -> Result<Layer, Failed> {
        let checkout = self.pool.checkout_for_setup(tree, head, given);
        let checkout = checkout.map_err(failed)?;
        failpoint::hit("setup.before");
        for (at, setup) in self.preparing.what.setup.iter().enumerate() {
            self.run(at, setup, checkout.path())?;
        }
        failpoint::hit("setup.after");
        let kept = self.pool.keep_layer(checkout, self.key, given.secrets);
        kept.map_err(|error| match error {
            KeepError::Refused(why) => {
                Failed::Setup(self.shell.masked(format!("the setup is refused: {why}")))
            }
            KeepError::Fault(fault) => failed(fault),
        })
    }

    fn run(&self, at: usize, setup: &Setup, folder: &Path) -> Result<(), Failed> {
        let log = self.shell.setup_log(self.attempt.run, self.key, at);
        let program = Program {
            shell: self.shell,
            attempt: self.attempt,
            folder,
            log: &log,
        };
        let how = match program.run(&setup.argv(), self.preparing.timeout_ms) {
            ProgramEnd::Ended {
                exit: Exit::Status(0),
                ..
            } => return Ok(()),
            ProgramEnd::Ended { exit, .. } => format!("ended with {exit}"),
            ProgramEnd::TimedOut { .. } => {
                format!("was ended after {} ms", self.preparing.timeout_ms)
            }
            ProgramEnd::NotStarted {
                cause,
                permanent: true,
            } => format!("did not start: {cause}"),
            ProgramEnd::NotStarted {
                cause,
                permanent: false,
            } => return Err(Failed::Ours(cause)),
        };
        let told = match log.exists() {
            true => {
                let printed = tail(&log, TAIL_BYTES);
                let last = printed.trim_end().lines().next_back().unwrap_or_default();
                let last: String = last.chars().take(LAST_LINE_CHARS_MAX).collect();
                let project = &self.shell.options.project;
                let place = log.strip_prefix(project).unwrap_or(&log).display();
                format!("; it said {last:?}, and more in {place}")
            }
            false => "; it printed nothing".to_owned(),
        };
        let cause = format!("the setup `{setup}` {how}{told}");
        Err(Failed::Setup(self.shell.masked(cause)))
    }
}
