//! A model of the private repository and of workspaces.
//!
//! A tree is abstracted to contributions: which attempt's work stands in it for each task, and of
//! what quality that is. A task that stands twice in a tree was integrated twice. Commits are
//! named by their content, so that every step can be repeated; updating a reference compares with
//! the old value, as git does.

use std::collections::BTreeMap;

use divisi_core::ids::{AttemptId, Commit, RunId, TaskNo, Tree};
use divisi_core::receipt::Snapshot;

use crate::rng::hash;

/// How good an attempt's work is; only the model knows, checks find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quality {
    /// Nothing was made.
    Nothing,
    /// Half of what was asked.
    Half,
    /// All of it.
    Right,
}

/// One task's work in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contribution {
    /// Whose.
    pub(crate) attempt: AttemptId,
    /// How good.
    pub(crate) quality: Quality,
}

/// What a tree holds.
pub(crate) type Content = Vec<Contribution>;

/// Where an attempt works.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// What it was made from.
    pub(crate) base: Commit,
    /// What its latest writer made.
    pub(crate) made: Option<Contribution>,
}

/// A workspace is named by run, task and its number.
pub(crate) type WorkspaceKey = (RunId, TaskNo, u32);

/// All commits, branches and workspaces. It survives engines and power losses: nothing of it is
/// named by an event before it is durable.
#[derive(Debug, Default)]
pub(crate) struct Repo {
    commits: BTreeMap<Commit, Content>,
    branches: BTreeMap<RunId, Commit>,
    workspaces: BTreeMap<WorkspaceKey, Workspace>,
    /// Pairs of tasks contradict each other by this seed.
    seed: u64,
    /// Once faults stop, nothing contradicts any more.
    calm: bool,
}

/// What a merge gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    /// Commits and trees of those that merged, in order.
    pub(crate) merged: Vec<(AttemptId, Commit, Tree)>,
    /// The one after them that does not merge.
    pub(crate) conflict: Option<AttemptId>,
    /// Whether the whole fails its checks.
    pub(crate) refused: bool,
}

impl Repo {
    /// An empty repository.
    #[must_use]
    pub(crate) fn new(seed: u64) -> Repo {
        Repo {
            seed,
            ..Repo::default()
        }
    }

    /// Nothing contradicts from now on.
    pub(crate) fn calm(&mut self) {
        self.calm = true;
    }

    /// Makes a run's first commit and its branch.
    pub(crate) fn base(&mut self, seed: u64) -> Commit {
        self.commit(&[seed], Vec::new())
    }

    fn commit(&mut self, parts: &[u64], content: Content) -> Commit {
        let name = name(parts);
        self.commits.insert(name.clone(), content);
        name
    }

    /// What a commit holds; `None` if it is not there.
    #[must_use]
    pub(crate) fn content(&self, commit: &Commit) -> Option<&Content> {
        self.commits.get(commit)
    }

    /// How good an attempt's work in a commit is.
    #[must_use]
    pub(crate) fn quality_in(&self, commit: &Commit, attempt: AttemptId) -> Quality {
        let content = self.commits.get(commit);
        let made = content.and_then(|content| content.iter().find(|made| made.attempt == attempt));
        made.map_or(Quality::Nothing, |made| made.quality)
    }

    /// Where a run's branch stands.
    #[must_use]
    pub(crate) fn branch(&self, run: RunId) -> Option<&Commit> {
        self.branches.get(&run)
    }

    /// At the engine's start: the journal is right about where a branch stands or is about to
    /// stand, since a power loss may have torn away what moved it.
    pub(crate) fn settle_branch(&mut self, run: RunId, head: &Commit, prepared: Option<&Commit>) {
        let at = self.branches.get(&run);
        if at != Some(head) && (prepared.is_none() || at != prepared) {
            self.branches.insert(run, head.clone());
        }
    }

    /// Moves a branch from `old` to `new`; repeating it changes nothing. False if it stands
    /// elsewhere.
    pub(crate) fn update_ref(&mut self, run: RunId, old: &Commit, new: &Commit) -> bool {
        let at = self.branches.entry(run).or_insert_with(|| old.clone());
        if at == new {
            return true;
        }
        let moves = at == old;
        if moves {
            *at = new.clone();
        }
        moves
    }

    /// A workspace, made from `head` if it is not there yet.
    pub(crate) fn workspace(&mut self, key: WorkspaceKey, head: &Commit) -> &mut Workspace {
        self.workspaces.entry(key).or_insert_with(|| Workspace {
            base: head.clone(),
            made: None,
        })
    }

    /// A workspace that exists.
    #[must_use]
    pub(crate) fn existing(&self, key: WorkspaceKey) -> Option<&Workspace> {
        self.workspaces.get(&key)
    }

    /// An agent writes.
    pub(crate) fn write(&mut self, key: WorkspaceKey, made: Contribution) {
        if let Some(workspace) = self.workspaces.get_mut(&key) {
            workspace.made = Some(made);
        }
    }

    /// Makes what stands in a workspace durable. Only `store` tells whether that really happens.
    pub(crate) fn snapshot(
        &mut self,
        key: WorkspaceKey,
        attempt: AttemptId,
        store: bool,
    ) -> Snapshot {
        let workspace = self.workspaces.get(&key).cloned();
        let base = workspace
            .as_ref()
            .map_or_else(|| name(&[0]), |w| w.base.clone());
        let made = workspace
            .and_then(|w| w.made)
            .filter(|made| made.attempt == attempt);
        let made = made.unwrap_or(Contribution {
            attempt,
            quality: Quality::Nothing,
        });
        let mut content = self.commits.get(&base).cloned().unwrap_or_default();
        put(&mut content, made);
        let parts = [
            text_hash(base.as_str()),
            id_hash(attempt),
            made.quality as u64,
        ];
        let commit = match store {
            true => self.commit(&parts, content),
            false => name(&parts),
        };
        Snapshot {
            tree: tree_name(&commit),
            commit,
            base,
        }
    }

    /// Merges snapshots onto a head, in order, up to the first that contradicts what it did not
    /// know. The result depends on nothing but the arguments, so that it can be repeated. What was made
    /// by a task that has an owner stands in that one's place.
    pub(crate) fn merge(
        &mut self,
        onto: &Commit,
        batch: &[(AttemptId, Snapshot)],
        owners: &BTreeMap<TaskNo, TaskNo>,
    ) -> Option<Merge> {
        let owner = |made: &Contribution| {
            let task = made.attempt.task;
            owners.get(&task).copied().unwrap_or(task)
        };
        let mut head = onto.clone();
        let mut content = self.commits.get(onto)?.clone();
        let mut merge = Merge {
            merged: Vec::new(),
            conflict: None,
            refused: false,
        };
        for (attempt, snapshot) in batch {
            let own = self.commits.get(&snapshot.commit)?;
            let base = self.commits.get(&snapshot.base)?;
            // It may be another attempt's work that this one took, and earlier work may be there.
            let is_own = |made: &&Contribution| owner(made) == attempt.task;
            let made = *own.iter().rfind(is_own)?;
            let news = |there: &&Contribution| !base.contains(there);
            let clashes = |kind: u64, per_mille: u64| {
                let mut others = content.iter().filter(news);
                others.any(|other| self.contradict(kind, made.attempt, other.attempt, per_mille))
            };
            if clashes(1, 120) {
                merge.conflict = Some(*attempt);
                break;
            }
            merge.refused |= clashes(2, 60);
            content.retain(|other| owner(other) != attempt.task);
            content.push(made);
            let parts = [text_hash(head.as_str()), id_hash(*attempt)];
            head = name(&parts);
            self.commits.insert(head.clone(), content.clone());
            merge
                .merged
                .push((*attempt, head.clone(), tree_name(&head)));
        }
        Some(merge)
    }

    /// What a broken engine does: the same work stands in the tree once more.
    pub(crate) fn merge_again(&mut self, head: &Commit) {
        if let Some(content) = self.commits.get_mut(head)
            && let Some(first) = content.first().copied()
        {
            content.push(first);
        }
    }

    fn contradict(&self, kind: u64, a: AttemptId, b: AttemptId, per_mille: u64) -> bool {
        let (a, b) = (a.task.0.min(b.task.0), a.task.0.max(b.task.0));
        let chance = hash(&[self.seed, kind, u64::from(a), u64::from(b)]) % 1000;
        !self.calm && a != b && chance < per_mille
    }
}

/// Puts a task's work into a tree, in the place of its earlier work.
fn put(content: &mut Content, made: Contribution) {
    content.retain(|other| other.attempt.task != made.attempt.task);
    content.push(made);
}

fn id_hash(attempt: AttemptId) -> u64 {
    hash(&[
        u64::from(attempt.run.0),
        u64::from(attempt.task.0),
        u64::from(attempt.number),
    ])
}

fn text_hash(text: &str) -> u64 {
    text.bytes()
        .fold(7, |sum, byte| hash(&[sum, u64::from(byte)]))
}

fn hex(parts: &[u64]) -> String {
    let (a, b) = (hash(parts), hash(&[hash(parts), 1]));
    format!("{a:016x}{b:016x}{:08x}", a >> 32)
}

fn name(parts: &[u64]) -> Commit {
    Commit::new(&hex(parts)).expect("forty hexadecimal digits")
}

/// The tree of a commit.
pub(crate) fn tree_name(commit: &Commit) -> Tree {
    Tree::new(&hex(&[text_hash(commit.as_str()), 2])).expect("forty hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_moves_only_from_where_it_is_expected() {
        let mut repo = Repo::new(1);
        let (a, b, c) = (name(&[1]), name(&[2]), name(&[3]));
        let run = RunId(1);
        assert!(repo.update_ref(run, &a, &b));
        assert!(repo.update_ref(run, &a, &b), "repeated");
        assert!(!repo.update_ref(run, &a, &c));
        assert_eq!(repo.branch(run), Some(&b));
    }

    #[test]
    fn a_merge_can_be_repeated() {
        let mut repo = Repo::new(1);
        repo.calm();
        let base = repo.base(9);
        let attempt = AttemptId {
            run: RunId(1),
            task: TaskNo(0),
            number: 1,
        };
        let key = (RunId(1), TaskNo(0), 1);
        repo.workspace(key, &base);
        let quality = Quality::Right;
        repo.write(key, Contribution { attempt, quality });
        let snapshot = repo.snapshot(key, attempt, true);
        let owners = BTreeMap::new();
        let once = repo.merge(&base, &[(attempt, snapshot.clone())], &owners);
        assert_eq!(repo.merge(&base, &[(attempt, snapshot)], &owners), once);
        let head = once.unwrap().merged[0].1.clone();
        assert_eq!(repo.content(&head).unwrap().len(), 1);
    }
}
