//! The engine's end of the supervisor: joined when first needed, joined anew when it is gone.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use divisi_core::Epoch;
use divisi_core::worker::{FromWorker, ToWorker};

use super::input::Input;
use super::shell::Shell;
use crate::failpoint;
use crate::supervisor::{Client, JoinOptions};

/// The connection, if there is one.
pub(super) struct Supervised {
    shell: Arc<Shell>,
    inputs: Sender<Input>,
}

impl Supervised {
    pub(super) fn new(shell: Arc<Shell>, inputs: Sender<Input>) -> Supervised {
        Supervised { shell, inputs }
    }

    pub(super) fn is_joined(&self) -> bool {
        self.shell.supervisor().is_some()
    }

    /// Joins the supervisor, started if there is none. What it holds arrives as an input.
    ///
    /// # Errors
    /// There is none and none can be started, in words.
    pub(super) fn join(&mut self, epoch: Epoch) -> Result<(), String> {
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
        let (words, shell) = (self.inputs.clone(), Arc::clone(&self.shell));
        let on_word = Box::new(move |word: FromWorker| {
            // Checks wait on threads of their own; everything else is the loop's.
            if let Some(word) = shell.checks.hear(word) {
                // A loop that has ended hears nothing more.
                let _ = words.send(Input::Word(word));
            }
        });
        let (gone, shell) = (self.inputs.clone(), Arc::clone(&self.shell));
        let on_gone = Box::new(move || {
            shell.checks.on_gone();
            let _ = gone.send(Input::SupervisorGone);
        });
        failpoint::hit("join.before");
        let client = Client::join(&join, on_word, on_gone).map_err(|error| chain(&error))?;
        failpoint::hit("join.after");
        self.shell.set_supervisor(Some(Arc::new(client)));
        Ok(())
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

/// An error with its causes, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
