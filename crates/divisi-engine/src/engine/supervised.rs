//! The engine's end of the supervisor: joined when first needed, joined anew when it is gone.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;

use divisi_core::Epoch;
use divisi_core::diagnostic::chain;
use divisi_core::worker::{FromWorker, ToWorker};

use super::input::Input;
use super::shell::Shell;
use crate::failpoint;
use crate::supervisor::{Client, JoinOptions, Words};

/// The connection, if there is one.
pub(super) struct Supervised {
    shell: Arc<Shell>,
    words: Option<Words>,
}

impl Supervised {
    pub(super) fn new(shell: Arc<Shell>) -> Supervised {
        Supervised { shell, words: None }
    }

    pub(super) fn is_joined(&self) -> bool {
        self.shell.supervisor().is_some()
    }

    /// What becomes readable when the supervisor has said something, or is gone.
    pub(super) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.words.as_ref().map(Words::as_fd)
    }

    /// Joins the supervisor, started if there is none. What it holds is the first input returned.
    ///
    /// # Errors
    /// There is none and none can be started, in words.
    pub(super) fn join(&mut self, epoch: Epoch) -> Result<Vec<Input>, String> {
        let options = &self.shell.options;
        let socket = options.sockets.join("supervisor.sock");
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let args = [
            "supervisor",
            "--dir",
            &text(&options.dir),
            "--socket",
            &text(&socket),
        ];
        let join = JoinOptions {
            program: options.program.clone(),
            args: args.map(str::to_owned).to_vec(),
            dir: options.dir.clone(),
            socket,
            epoch,
            orphan_grace_ms: options.orphan_grace_ms,
        };
        failpoint::hit("join.before");
        let joined = Client::join(&join).map_err(|error| chain(&error))?;
        failpoint::hit("join.after");
        self.words = Some(joined.words);
        self.shell.set_supervisor(Some(Arc::new(joined.client)));
        let mut inputs = vec![Input::Word(joined.word)];
        inputs.extend(self.inputs(joined.more));
        Ok(inputs)
    }

    /// Takes what the supervisor has said. Programs of checks are waited for by other threads;
    /// everything else is the loop's.
    pub(super) fn hear(&mut self) -> Vec<Input> {
        let Some(words) = &mut self.words else {
            return Vec::new();
        };
        let Ok(words) = words.take() else {
            self.words = None;
            self.shell.checks.on_gone();
            return vec![Input::SupervisorGone];
        };
        self.inputs(words)
    }

    fn inputs(&self, words: Vec<FromWorker>) -> Vec<Input> {
        let ours = |word: FromWorker| self.shell.checks.hear(word).map(Input::Word);
        words.into_iter().filter_map(ours).collect()
    }

    /// Says words at one stroke. A supervisor that cannot hear them is about to be found gone.
    pub(super) fn say(&self, words: &[ToWorker]) {
        if let Some(client) = self.shell.supervisor() {
            let _ = client.send_all(words);
        }
    }

    /// It is gone.
    pub(super) fn on_gone(&self) {
        self.shell.set_supervisor(None);
    }
}
