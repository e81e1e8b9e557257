//! A large repository with a history, in which requests are assessed and planned.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::{Command, Stdio};

use super::project::{Bench, Folder};
use crate::Result;

/// Files of the repository.
const FILES: usize = 10_000;

/// Its commits: more than are looked through.
pub(super) const COMMITS: usize = 2_000;

/// What a commit changes.
pub(super) const FILES_OF_COMMIT: usize = 5;

/// What commits are about, in turn: of each so few that its word is rare.
const TOPICS: usize = 50;

/// Makes it in one call, from a stream of commits, and says how many files it has; a quick round has
/// fewer.
pub(super) fn write_repository(bench: &Bench, folder: &Folder) -> Result<usize> {
    let files = if bench.quick { FILES / 10 } else { FILES };
    let mut stream =
        String::from("feature done\nblob\nmark :1\ndata 2\na\n\nblob\nmark :2\ndata 2\nb\n\n");
    let manifest = "[package]\nname = \"bench\"\n";
    write!(
        stream,
        "blob\nmark :3\ndata {}\n{manifest}\n",
        manifest.len()
    )?;
    for commit in 0..COMMITS {
        let title = format!("Change {commit} of topic{}", commit % TOPICS);
        write!(
            stream,
            "commit refs/heads/main\ncommitter a <a@example.org> {} +0000\ndata {}\n{title}\n",
            1_700_000_000 + commit,
            title.len()
        )?;
        let changed = match commit {
            0 => 0..files,
            _ => commit * FILES_OF_COMMIT..(commit + 1) * FILES_OF_COMMIT,
        };
        let mark = 1 + commit % 2;
        for file in changed {
            let file = file % files;
            writeln!(stream, "M 100644 :{mark} part{}/file{file}.rs", file % 100)?;
        }
        if commit == 0 {
            stream.push_str("M 100644 :3 Cargo.toml\n");
        }
        stream.push('\n');
    }
    stream.push_str("done\n");
    let path = folder.path().with_extension("stream");
    fs::write(&path, stream)?;
    let git = |arguments: &[&str], input: Stdio| -> Result<()> {
        let mut command = Command::new("git");
        let command = command
            .args(arguments)
            .current_dir(folder.path())
            .stdin(input);
        match command.status()?.success() {
            true => Ok(()),
            false => Err(format!("git {} failed", arguments.join(" ")).into()),
        }
    };
    git(&["init", "-q", "-b", "main"], Stdio::null())?;
    git(&["fast-import", "--quiet"], File::open(&path)?.into())?;
    git(&["reset", "-q", "--hard"], Stdio::null())?;
    fs::remove_file(&path)?;
    Ok(files)
}
