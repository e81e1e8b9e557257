//! What stands in a workspace already, for whoever goes on in it.

use std::collections::BTreeSet;

use divisi_core::WorkspaceKind;

use super::pool::{Pool, Workspace};
use super::survey::{Scope, survey};
use crate::repo::{Fault, index, split};

impl Pool {
    /// The paths in a workspace that differ from its base, or of a shared checkout from its commit, or
    /// are new, and are not ignored, sorted.
    /// Of a scratch workspace, all that is in it. Nothing where it holds what git must not look at:
    /// that is told when the work is collected.
    ///
    /// # Errors
    /// Git or the file system refuses.
    pub fn changed(&self, workspace: &Workspace, bytes_max: u64) -> Result<Vec<String>, Fault> {
        let root = self.open_root(workspace)?;
        let is_tree = workspace.kind != WorkspaceKind::Scratch;
        let tracked = match is_tree {
            true => index::read(&self.index(workspace), self.repo().oid_len)?,
            false => Vec::new(),
        };
        let found = survey(&root, &tracked, Scope::All, bytes_max)?;
        if !found.refused.is_empty() {
            return Ok(Vec::new());
        }
        let mut paths: BTreeSet<Vec<u8>> = BTreeSet::new();
        if is_tree {
            let call = || self.call_in(workspace.slot, &workspace.path, "list changed files");
            let base = workspace.base.as_str();
            for args in [
                &[
                    "diff-index",
                    "--name-only",
                    "--no-renames",
                    "-z",
                    base,
                    "--",
                ][..],
                &["ls-files", "--others", "--exclude-standard", "-z"],
            ] {
                let out = call()?.args(args.iter().copied()).ok()?;
                paths.extend(split(&out).map(<[u8]>::to_vec));
            }
        } else {
            paths.extend(found.candidates.into_iter().map(|(path, _)| path));
        }
        let text = |path: Vec<u8>| String::from_utf8_lossy(&path).into_owned();
        Ok(paths.into_iter().map(text).collect())
    }
}
