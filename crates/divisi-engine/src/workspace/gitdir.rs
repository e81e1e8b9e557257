//! The git directory that agents find in a workspace.
//!
//! It is a repository of its own that borrows the private one's objects. Agents may commit,
//! branch and configure in it; nothing that they do there reaches Divisi, which names its own
//! git directory in every call, and it is thrown away with the next use of the folder. It also
//! keeps git from finding the user's repository further up.

use std::fs;
use std::io;
use std::path::Path;

use divisi_core::Commit;

use super::walk;

/// What stands at HEAD.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Head<'a> {
    /// A commit, and the index that describes the files.
    At(&'a Commit, &'a Path),
    /// Nothing yet.
    Unborn,
}

/// Replaces whatever is in the workspace's `.git`.
pub(crate) fn write(
    workspace: &Path,
    objects: &Path,
    sha256: bool,
    head: Head<'_>,
) -> io::Result<()> {
    let git = workspace.join(".git");
    walk::remove_all(&git)?;
    fs::create_dir(&git)?;
    for folder in [
        "objects",
        "objects/info",
        "objects/pack",
        "refs",
        "refs/heads",
        "info",
    ] {
        fs::create_dir(git.join(folder))?;
    }
    let format = match sha256 {
        false => "\trepositoryformatversion = 0\n",
        true => "\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n[core]\n",
    };
    let config = format!(
        "[core]\n{format}\tbare = false\n[gc]\n\tauto = 0\n\
         [user]\n\tname = agent\n\temail = agent@localhost\n"
    );
    fs::write(git.join("config"), config)?;
    fs::write(
        git.join("objects/info/alternates"),
        format!("{}\n", objects.display()),
    )?;
    let text = match head {
        Head::At(commit, _) => format!("{commit}\n"),
        Head::Unborn => "ref: refs/heads/work\n".to_owned(),
    };
    if let Head::At(_, index) = head {
        crate::repo::index::copy(index, &git.join("index"))?;
    }
    // Last: without HEAD it is no git directory at all.
    fs::write(git.join("HEAD"), text)
}
