//! Files from outside: looked for while their attempt is under way, and taken once they are whole.
//!
//! Looking is an effect like any other: owed as long as the attempt waits, begun again at an
//! interval, repeated by the next life of the engine. A file may be seen while somebody still
//! writes it, and nothing tells when that ends. So it is taken only when two looks, one interval
//! apart, see the same, or when its last change lies so far back that nobody can be writing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agents::beneath;
use divisi_core::plan::WorkspaceKind;
use divisi_core::run::{Command, Run};
use divisi_core::{AttemptId, Commit, TaskSpec};

use super::input::{Failed, Finished};
use super::launch::instant;
use super::preparation::Preparing;
use super::shell::Shell;
use super::wall_now;
use crate::failpoint;
use crate::files::{Entry, Files, FolderFiles};
use divisi_core::diagnostic::chain;

/// An external input beyond this is better referenced than copied.
const EXTERNAL_BYTES_MAX: u64 = 256 << 20;

/// A file that has not changed for so long is whole. Longer than clocks of machines that share a
/// disk differ.
const WHOLE_AFTER_MS: u64 = 60_000;

/// What a look sees at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Missing,
    /// Something that is not taken, in words: a link, a folder.
    NoFile(&'static str),
    /// A file.
    File {
        /// Its size.
        bytes: u64,
        /// When it last changed, in nanoseconds since the Unix epoch.
        changed: i128,
    },
}

/// What a look sees, path by path.
pub(super) type Look = Vec<Seen>;

/// Whether everything is there, if perhaps not yet whole.
pub(super) fn is_arriving(look: &[Seen]) -> bool {
    look.iter().all(|seen| matches!(seen, Seen::File { .. }))
}

/// Whether everything is there and nobody writes it any more.
fn is_whole(look: &[Seen], before: Option<&Look>, now_ms: u64) -> bool {
    let at_rest = |seen: &Seen| match seen {
        Seen::File { changed, .. } => {
            let whole_from = changed / 1_000_000 + i128::from(WHOLE_AFTER_MS);
            whole_from <= i128::from(now_ms)
        }
        Seen::Missing | Seen::NoFile(_) => false,
    };
    let same = before.is_some_and(|before| before == look);
    is_arriving(look) && (same || look.iter().all(at_rest))
}

/// What looking for one attempt's files needs.
pub(super) struct Fetching {
    attempt: AttemptId,
    spec: Arc<TaskSpec>,
    workspace: u32,
    base: Option<Commit>,
    head: Option<Commit>,
    before: Option<Look>,
    preparing: Preparing,
}

impl Fetching {
    /// The live attempt's, with what the last look saw.
    pub(super) fn of(run: &Run, attempt: AttemptId, before: Option<Look>) -> Option<Fetching> {
        let task = run.task(attempt.task)?;
        let live = task.live()?;
        Some(Fetching {
            attempt,
            spec: Arc::clone(&task.spec),
            workspace: live.workspace,
            base: live.base.clone(),
            head: run.integration.head.clone(),
            before,
            preparing: Preparing::of(run),
        })
    }

    /// Looks, and takes what is whole. An error is a reason of ours, worth another try.
    pub(super) fn fetch(self, shell: &Shell) -> Result<Finished, Failed> {
        failpoint::hit("fetch.before");
        let project = FolderFiles::open(&shell.options.project, None)
            .map_err(|error| format!("open the project's folder: {error}"))?;
        let attempt = self.attempt;
        let look = self.look(&project)?;
        if !is_whole(&look, self.before.as_ref(), wall_now().0) {
            return Ok(Finished::Awaited { attempt, look });
        }
        if let Some((path, _)) = self.too_large(&look) {
            let cause = format!(
                "the external input {path} has more than {EXTERNAL_BYTES_MAX} bytes; name a \
                 smaller file, or let the tasks that need it read it where it is"
            );
            return Ok(Finished::told(Command::NotStarted {
                attempt,
                cause,
                permanent: true,
            }));
        }
        let workspace = self.workspace(shell)?;
        self.take(&project, &workspace)?;
        // Whoever began to write while it was read has it taken later.
        let after = self.look(&project)?;
        if after != look {
            return Ok(Finished::Awaited {
                attempt,
                look: after,
            });
        }
        failpoint::hit("fetch.after");
        Ok(Finished::told(Command::Ended {
            attempt,
            ended: instant(),
            said: None,
        }))
    }

    fn look(&self, project: &FolderFiles) -> Result<Look, String> {
        let seen = |path: &str| match project.entry_changed(path) {
            Ok((Entry::File { bytes, .. }, changed)) => Ok(Seen::File { bytes, changed }),
            Ok((Entry::Missing, _)) => Ok(Seen::Missing),
            Ok((Entry::Link, _)) => Ok(Seen::NoFile("a link")),
            Ok((Entry::Folder, _)) => Ok(Seen::NoFile("a folder")),
            Ok((Entry::Other, _)) => Ok(Seen::NoFile("no regular file")),
            Err(error) => Err(format!("look at {path}: {error}")),
        };
        self.spec.paths().map(seen).collect()
    }

    fn too_large<'a>(&'a self, look: &'a [Seen]) -> Option<(&'a str, &'a Seen)> {
        let is_too_large =
            |seen: &Seen| matches!(seen, Seen::File { bytes, .. } if *bytes > EXTERNAL_BYTES_MAX);
        let mut seen = self.spec.paths().zip(look);
        seen.find(|(_, seen)| is_too_large(seen))
    }

    fn workspace(&self, shell: &Shell) -> Result<PathBuf, Failed> {
        let base = self.base.as_ref().or(self.head.as_ref());
        let base = base.ok_or_else(|| "the run has no base commit".to_owned())?;
        let (run, task) = (self.attempt.run, self.attempt.task);
        let made = match self.spec.workspace {
            WorkspaceKind::Shared => {
                let (path, _) = shell.shared(&self.preparing, self.attempt, base)?;
                return Ok(path);
            }
            WorkspaceKind::Scratch => shell.pool()?.scratch(run, task, self.workspace, base),
            WorkspaceKind::Worktree => shell.pool()?.worktree(run, task, self.workspace, base),
        };
        Ok(made.map_err(|error| chain(&error))?.path)
    }

    /// Copies each file to where the task promises it.
    fn take(&self, project: &FolderFiles, workspace: &Path) -> Result<(), String> {
        let paths: Vec<&str> = self.spec.paths().collect();
        let promised = &self.spec.deliverables;
        for (at, path) in paths.iter().enumerate() {
            let bytes = project
                .read(path, EXTERNAL_BYTES_MAX)
                .map_err(|error| format!("read the external input {path}: {error}"))?;
            let target = match promised.get(at) {
                Some(deliverable) if promised.len() == paths.len() => &deliverable.path,
                _ => *path,
            };
            beneath::write(workspace, target, &bytes, beneath::Place::Whole)
                .map_err(|error| format!("write {target}: {}", chain(&error)))?;
        }
        Ok(())
    }
}

/// What a look sees that will never be taken as it is, with its path.
pub(super) fn never_taken<'a>(
    spec: &'a TaskSpec,
    look: &'a [Seen],
) -> Vec<(&'a str, &'static str)> {
    let odd = |(path, seen): (&'a str, &'a Seen)| match seen {
        Seen::NoFile(what) => Some((path, *what)),
        Seen::Missing | Seen::File { .. } => None,
    };
    spec.paths().zip(look).filter_map(odd).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_000_000_000;

    /// A file that last changed so many milliseconds ago.
    fn file(bytes: u64, ago_ms: i128) -> Seen {
        let changed = (i128::from(NOW_MS) - ago_ms) * 1_000_000;
        Seen::File { bytes, changed }
    }

    #[test]
    fn a_file_is_whole_when_two_looks_see_the_same_or_its_last_change_lies_far_back() {
        let check = |before: Option<Look>, look: Look| is_whole(&look, before.as_ref(), NOW_MS);
        assert!(!check(None, vec![file(7, 10)]), "seen once");
        assert!(check(Some(vec![file(7, 10)]), vec![file(7, 10)]));
        assert!(
            !check(Some(vec![file(6, 10)]), vec![file(7, 10)]),
            "it grew"
        );
        assert!(
            !check(Some(vec![file(7, 2_010)]), vec![file(7, 10)]),
            "it was written"
        );
        assert!(check(None, vec![file(7, 60_000)]));
        assert!(!check(None, vec![file(7, 59_999)]));
        assert!(!check(None, vec![file(7, -90_000)]), "from the future");
        let same = vec![file(7, -90_000)];
        assert!(check(Some(same.clone()), same), "whatever its time says");
    }

    #[test]
    fn nothing_is_taken_before_everything_is_there() {
        let check = |look: Look| is_whole(&look, Some(&look.clone()), NOW_MS);
        assert!(check(vec![file(7, 90_000), file(0, 90_000)]));
        for lacking in [Seen::Missing, Seen::NoFile("a link")] {
            let look = vec![file(7, 90_000), lacking];
            assert!(!is_arriving(&look));
            assert!(!check(look));
        }
    }
}
