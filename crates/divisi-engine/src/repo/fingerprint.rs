//! What a project looks like to its user, to prove that it looks the same afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustix::fs::FileType;

use super::fault::Fault;
use super::git::Git;
use super::user::Project;
use crate::workspace::walk::{self, Next};

/// Status, index, references, hooks, configuration and files of a project. Two of them can be
/// compared; what differs is seen in their debug form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// What `git status` says, ignored files included; empty without git.
    pub status: String,
    /// Every file's path and digest: of the working tree, and of the git directory without
    /// objects. `.divisi` is left out.
    pub files: BTreeMap<String, String>,
}

/// Takes the fingerprint of the project in a folder, without writing anything.
///
/// # Errors
/// It cannot be read.
pub fn user_fingerprint(project: &Path) -> Result<Fingerprint, Fault> {
    let git = Git::find()?;
    let project = project.canonicalize().map_err(Fault::io("open", project))?;
    let mut files = BTreeMap::new();
    let status = match Project::discover(&git, &project)? {
        Project::Folder(root) => {
            add_files(&root, "", &mut files)?;
            String::new()
        }
        Project::Git(user) => {
            add_files(&user.root, "", &mut files)?;
            add_files(&user.common_dir, "git:", &mut files)?;
            if user.git_dir != user.common_dir {
                add_files(&user.git_dir, "worktree:", &mut files)?;
            }
            user.ask(&git, "read the status")
                .work_tree(&user.root)
                .args([
                    "status",
                    "--porcelain=v2",
                    "--branch",
                    "--untracked-files=all",
                ])
                .text()?
        }
    };
    Ok(Fingerprint { status, files })
}

fn add_files(root: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<(), Fault> {
    let open = walk::open_root(root).map_err(Fault::io("open", root))?;
    let mut found = Vec::new();
    let walked = walk::walk(&open, &mut |met| {
        // A git directory is looked at apart; objects may be linked, and are never changed.
        let apart = prefix.is_empty() && met.path == b".git"
            || !prefix.is_empty() && met.path == b"objects"
            || met.at.1.to_bytes() == b".divisi";
        if apart {
            return Next::Past;
        }
        found.push((String::from_utf8_lossy(met.path).into_owned(), met.kind));
        Next::Into
    });
    if let Err(walk::Ended::Io(error)) = walked {
        return Err(Fault::io("look through", root)(error));
    }
    for (path, kind) in found {
        let place = root.join(&path);
        let read = || Fault::io("read", &place);
        let digest = match kind {
            FileType::RegularFile => {
                let mut hasher = blake3::Hasher::new();
                let mut file = fs::File::open(&place).map_err(read())?;
                std::io::copy(&mut file, &mut hasher).map_err(read())?;
                hasher.finalize().to_hex().to_string()
            }
            FileType::Symlink => {
                format!("-> {}", fs::read_link(&place).map_err(read())?.display())
            }
            kind => format!("{kind:?}"),
        };
        files.insert(format!("{prefix}{path}"), digest);
    }
    Ok(())
}
