//! Assessing a request in a large repository with a history.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::{Command, Stdio};

use super::measure::wall_s;
use super::project::{Bench, Folder};
use super::report::Section;
use crate::Result;

/// Files of the repository.
const FILES: usize = 10_000;

/// Its commits: more than are looked through.
const COMMITS: usize = 2_000;

/// What a commit changes.
const FILES_OF_COMMIT: usize = 5;

/// What commits are about, in turn: of each so few that its word is rare.
const TOPICS: usize = 50;

const LIMIT_S: f64 = 0.05;

/// Assesses a request that names files and resembles earlier changes.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let files = if bench.quick { FILES / 10 } else { FILES };
    let folder = bench.folder()?;
    write_repository(&folder, files)?;
    let request = "Paginate topic7 in part7/, with tests, a security audit and docs";
    folder.measure(&bench.divisi, &["assess", request])?;
    let measured: Result<Vec<_>> = (0..bench.runs())
        .map(|_| folder.measure(&bench.divisi, &["assess", request]))
        .collect();
    let measured = wall_s(&measured?);
    let mut section = Section::default();
    section.paragraph(&format!(
        "A repository of {files} files and {COMMITS} commits that changed {FILES_OF_COMMIT} files \
         each; the request names a folder and resembles earlier changes. From the start of the \
         process to its end, the median of {} runs after one uncounted.",
        bench.runs()
    ));
    let row = vec![
        "`divisi assess`, s".to_owned(),
        section.limit(measured, LIMIT_S, format!("{measured:.3}")),
        format!("{LIMIT_S:.2}"),
    ];
    section.table(&["what", "measured", "limit"], &[row]);
    Ok(section)
}

/// Makes the repository in one call, from a stream of commits.
fn write_repository(folder: &Folder, files: usize) -> Result<()> {
    let mut stream =
        String::from("feature done\nblob\nmark :1\ndata 2\na\n\nblob\nmark :2\ndata 2\nb\n\n");
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
    Ok(fs::remove_file(&path)?)
}
