//! What of files an attempt is told: what stands in those that others made for it, and what the
//! repository asks of agents.
//!
//! Contents come from the tree that its workspace is made of. Small files are told whole, of large
//! ones how they begin; beyond the bounds, and for what is no text, path, size and digest are all that
//! is told. Nothing here judges what stands in them.

use std::io;

use divisi_agents::handoff::{Content, Given, TooBig};
use divisi_agents::{Description, Handoff, Kind};
use divisi_core::plan::Work;
use divisi_core::run::{Run, Telling};
use divisi_core::{Commit, WorkspaceKind};

use super::launch::Starting;
use super::shell::Shell;
use crate::files::{Entry, Files};
use crate::guides;
use crate::repo::DiffForm;
use divisi_core::diagnostic::chain;

/// A file of at most so many bytes is told whole.
const CONTENT_BYTES_MAX: u64 = 8 << 10;

/// Told of all files together, in bytes.
const CONTENTS_BYTES_MAX: usize = 48 << 10;

/// So much of a change is told to whoever judges it, in bytes: the files are there in any case.
const CHANGE_BYTES_MAX: usize = 64 << 10;

/// Files of which something is told.
const CONTENTS_MAX: usize = 20;

/// How much of a large file is told: whole lines of its first bytes.
const BEGINNING_BYTES_MAX: u64 = 1 << 10;

/// How much an agent is told at once.
#[derive(Clone, Debug)]
pub(super) struct Told {
    telling: Telling,
    /// What the run stands on.
    base: Option<Commit>,
}

impl Told {
    pub(super) fn of(run: &Run) -> Told {
        Told {
            telling: run.settings.handoffs.clone(),
            base: run.base.commit.clone(),
        }
    }

    /// What the run stands on.
    pub(super) fn base(&self) -> Option<&Commit> {
        self.base.as_ref()
    }
}

impl Starting {
    /// Adds what files say to the handoff of somebody who is told in words, and makes it fit. `stands`
    /// is what the workspace is made of.
    ///
    /// # Errors
    /// The repository cannot be read now; or, inside, what must be told is too much.
    pub(super) fn tell(
        &mut self,
        shell: &Shell,
        stands: &Commit,
    ) -> Result<Result<(), TooBig>, String> {
        let description = shell
            .agent(self.attempt.run, &self.agent)
            .map(|agent| agent.description());
        let kind = description.as_ref().map(|description| description.kind);
        let asks_a_model = kind == Some(Kind::Adapter);
        let reads_words = asks_a_model || kind == Some(Kind::Person);
        if let Some(description) = description.filter(|_| reads_words)
            && self.spec.work == Work::Handoff
        {
            self.add(shell, stands, &description)?;
        }
        self.add_change(shell)?;
        let own = self.told.telling.agents.get(&self.agent).copied();
        let usual = asks_a_model.then_some(self.told.telling.tokens_max);
        let fitted = self.handoff.clone().within(own.or(usual));
        Ok(fitted.map(|fitted| self.handoff = fitted))
    }

    /// Adds the change that is to be judged.
    fn add_change(&mut self, shell: &Shell) -> Result<(), String> {
        let Some((from, made)) = &self.change else {
            return Ok(());
        };
        let pool = shell.pool()?;
        let (_, differ) = self.judged(&pool, made).map_err(|error| chain(&error))?;
        let change = pool.repo().diff(from, made, &[], DiffForm::Patch);
        let change = change.map_err(|error| chain(&error))?;
        let change = shell.masked(String::from_utf8_lossy(&change).into_owned());
        let Some(given) = self.handoff.inputs.first_mut() else {
            return Ok(());
        };
        if !differ.is_empty() {
            given.contents.insert(0, steering(differ, shell));
        }
        if !change.is_empty() {
            given.contents.insert(0, beginning("the change", change));
        }
        Ok(())
    }

    fn add(&mut self, shell: &Shell, stands: &Commit, agent: &Description) -> Result<(), String> {
        let pool = shell.pool()?;
        let repo = pool.repo();
        let handoff = &mut self.handoff;
        if !handoff.inputs.is_empty() {
            let tree = repo.tree_of(stands).map_err(|error| chain(&error))?;
            let files = repo.files(&tree, None).map_err(|error| chain(&error))?;
            let read = contents(&mut handoff.inputs, &files);
            read.map_err(|error| format!("read what was made before: {error}"))?;
        }
        // In an empty folder there is nothing to which it could apply.
        let in_tree = self.spec.workspace != WorkspaceKind::Scratch;
        if let Some(base) = self.told.base.as_ref().filter(|_| in_tree) {
            let tree = repo.tree_of(base).map_err(|error| chain(&error))?;
            let files = repo.files(&tree, None).map_err(|error| chain(&error))?;
            let touched = handoff.scope.iter().chain(&handoff.deliverables);
            let unreadable = |error| format!("read what the repository asks: {error}");
            handoff.guides = guides::guides(
                &files,
                touched.map(String::as_str),
                &agent.guides,
                &agent.reads,
            )
            .map_err(unreadable)?;
            let skills = shell.skills(base, &files).map_err(unreadable)?;
            handoff.skills = guides::unread(&skills, &agent.reads);
        }
        mask(handoff, shell);
        Ok(())
    }
}

/// The paths of a change that stand in its reviewer's folder as before it.
fn steering(paths: Vec<String>, shell: &Shell) -> Content {
    beginning(
        "what stands in your folder as before the change, since it steers whoever works there",
        shell.masked(paths.join("\n")),
    )
}

/// A text, or how it begins.
fn beginning(path: &str, mut text: String) -> Content {
    let whole = text.len();
    let end = { 0..=whole.min(CHANGE_BYTES_MAX) }.rfind(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or_default());
    Content {
        path: path.to_owned(),
        left_out_bytes: (whole - text.len()) as u64,
        text,
    }
}

/// What a secret is in a file is one in a handoff.
fn mask(handoff: &mut Handoff, shell: &Shell) {
    let contents = handoff
        .inputs
        .iter_mut()
        .flat_map(|input| &mut input.contents);
    let contents = contents.map(|content| &mut content.text);
    let guides = handoff.guides.iter_mut().map(|guide| &mut guide.text);
    let skills = handoff
        .skills
        .iter_mut()
        .map(|skill| &mut skill.description);
    for text in contents.chain(guides).chain(skills) {
        *text = shell.masked(std::mem::take(text));
    }
}

/// Fills in what stands in files.
fn contents(inputs: &mut [Given], files: &dyn Files) -> io::Result<()> {
    let (mut many, mut room) = (0, CONTENTS_BYTES_MAX);
    for given in inputs {
        for artifact in &given.artifacts {
            if many == CONTENTS_MAX {
                return Ok(());
            }
            let Some(content) = content(&artifact.path, room, files)? else {
                continue;
            };
            many += 1;
            room = room.saturating_sub(content.text.len());
            given.contents.push(content);
        }
    }
    Ok(())
}

/// What stands in a file, or how it begins; nothing of what is no text.
fn content(path: &str, room: usize, files: &dyn Files) -> io::Result<Option<Content>> {
    let Entry::File { bytes, .. } = files.entry(path)? else {
        return Ok(None);
    };
    let is_small = bytes <= CONTENT_BYTES_MAX;
    let told = if is_small { bytes } else { BEGINNING_BYTES_MAX };
    if bytes == 0 || told > room as u64 {
        return Ok(None);
    }
    let Some(mut text) = guides::whole_letters(files.read(path, told)?) else {
        return Ok(None);
    };
    if !is_small {
        let lines = text.rfind('\n').map_or(text.len(), |end| end + 1);
        text.truncate(lines);
    }
    Ok((!text.contains('\0')).then(|| Content {
        path: path.to_owned(),
        left_out_bytes: bytes.saturating_sub(text.len() as u64),
        text,
    }))
}

#[cfg(test)]
mod tests;
