//! What an assessment is told of a repository: its files, and how large similar changes were.
//!
//! Three questions to git, two of them at once: which files are tracked, which titles the last
//! changes had, and which files those changed that resemble the request. What is read is bounded,
//! no setting of the repository has a say, and no program of it is started. Where git cannot answer,
//! or there is no repository, nothing is known, and that is no fault: the request speaks alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use divisi_pack::assess::{Repository, Similar, survey};
use divisi_pack::request::Request;

use crate::repo::{Call, Git};

/// So many of the last changes are looked through: about a year of a busy repository. Their titles
/// take git about ten milliseconds.
const COMMITS_MAX: usize = 1_000;

/// Facts are worth no long wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of the repository that a folder is in.
#[must_use]
pub fn gather(folder: &Path, request: &Request) -> Repository {
    known(folder, request).unwrap_or_default()
}

/// A repository, as questions find it.
struct Asked {
    git: Git,
    git_dir: PathBuf,
    root: PathBuf,
}

impl Asked {
    fn call(&self, operation: &str) -> Call {
        let call = self.git.call(operation, &self.git_dir);
        call.work_tree(&self.root).patience(PATIENCE)
    }

    fn files(&self) -> Option<Vec<u8>> {
        self.call("list files").args(["ls-files", "-z"]).ok().ok()
    }

    /// The last changes: `commit ID`, and a line with the title, in turn.
    fn titles(&self) -> Option<Vec<u8>> {
        let count = COMMITS_MAX.to_string();
        let args = [
            "rev-list",
            "--no-merges",
            "--format=%s",
            "-n",
            &count,
            "HEAD",
            "--",
        ];
        self.call("list changes").args(args).ok().ok()
    }

    /// How many files each of these commits changed, in their order.
    fn sizes(&self, commits: &[&str]) -> Option<Vec<u64>> {
        let list: String = commits.iter().map(|commit| format!("{commit}\n")).collect();
        let args = [
            "diff-tree",
            "--stdin",
            "-r",
            "--root",
            "--no-renames",
            "--name-only",
        ];
        let call = self.call("list changed files").args(args);
        let out = call.stdin(list.into_bytes()).ok().ok()?;
        let mut sizes: Vec<u64> = Vec::new();
        for line in String::from_utf8_lossy(&out).lines() {
            match commits.get(sizes.len()) {
                Some(commit) if *commit == line => sizes.push(0),
                _ => *sizes.last_mut()? += 1,
            }
        }
        (sizes.len() == commits.len()).then_some(sizes)
    }
}

fn known(folder: &Path, request: &Request) -> Option<Repository> {
    let git = Git::find().ok()?;
    let found = git
        .discover("look for a repository", folder)
        .args(["rev-parse", "--path-format=absolute", "--show-toplevel"])
        .arg("--absolute-git-dir")
        .patience(PATIENCE)
        .text()
        .ok()?;
    let (root, git_dir) = found.split_once('\n')?;
    let asked = Asked {
        root: root.into(),
        git_dir: git_dir.into(),
        git,
    };
    // Titles take git longest: the files are surveyed meanwhile.
    let (surveyed, titles) = std::thread::scope(|scope| {
        let surveyed = scope.spawn(|| Some(surveyed(request, &asked.files()?)));
        let titles = asked.titles();
        (surveyed.join().ok().flatten(), titles)
    });
    let mut repository = surveyed?;
    repository.largest_named_bytes = largest(&asked.root, request);
    // A repository without a commit has no titles.
    let titles = titles.unwrap_or_default();
    history(
        &asked,
        request,
        &String::from_utf8_lossy(&titles),
        &mut repository,
    );
    Some(repository)
}

fn surveyed(request: &Request, files: &[u8]) -> Repository {
    let paths: Vec<&str> = files
        .split(|byte| *byte == 0)
        .filter_map(|path| std::str::from_utf8(path).ok())
        .filter(|path| !path.is_empty())
        .collect();
    survey::of_paths(request, &paths)
}

fn history(asked: &Asked, request: &Request, titles: &str, repository: &mut Repository) {
    let mut commits = Vec::new();
    let mut lines = titles.lines();
    while let (Some(commit), Some(title)) = (lines.next(), lines.next()) {
        let Some(commit) = commit.strip_prefix("commit ") else {
            return;
        };
        commits.push((commit, title));
    }
    repository.commits_seen = commits.len() as u64;
    let titles: Vec<&str> = commits.iter().map(|(_, title)| *title).collect();
    let shared = survey::similar(request, &titles);
    if shared.is_empty() {
        return;
    }
    let ids: Vec<&str> = shared.iter().map(|shared| commits[shared.at].0).collect();
    let sizes = asked.sizes(&ids).unwrap_or_default();
    let similar = shared
        .into_iter()
        .zip(sizes)
        .map(|(shared, files)| Similar {
            title: commits[shared.at].1.to_owned(),
            files,
            words: shared.words,
        });
    repository.similar = similar.collect();
}

/// The size of the largest file that the request names, links aside.
fn largest(root: &Path, request: &Request) -> u64 {
    let named = request.files.iter().take(survey::NAMED_MAX);
    let sizes = named.filter_map(|file| {
        let path = Path::new(&file.text);
        let is_beneath = path
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        let metadata = root.join(path).symlink_metadata().ok()?;
        (is_beneath && metadata.is_file()).then_some(metadata.len())
    });
    sizes.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use divisi_pack::request;

    use super::*;

    fn git(folder: &Path, args: &[&str]) {
        let mut command = Command::new("git");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap());
        for (key, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@example.org"),
            ("GIT_COMMITTER_NAME", "a"),
            ("GIT_COMMITTER_EMAIL", "a@example.org"),
        ] {
            command.env(key, value);
        }
        let done = command.current_dir(folder).args(args).output().unwrap();
        assert!(done.status.success(), "{args:?}: {done:?}");
    }

    fn commit(folder: &Path, title: &str, files: &[&str]) {
        for file in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, title).unwrap();
        }
        git(folder, &["add", "."]);
        git(folder, &["commit", "-q", "-m", title]);
    }

    #[test]
    fn files_and_similar_changes_are_found() {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q"]);
        commit(
            folder.path(),
            "Start",
            &["src/a.rs", "src/b.rs", "docs/a.md", "tests/a.rs"],
        );
        commit(
            folder.path(),
            "Paginate the users",
            &["src/a.rs", "src/b.rs", "tests/a.rs"],
        );
        commit(folder.path(), "Speed the build up", &["src/b.rs"]);
        let request = request::read("Paginate the orders in src/a.rs");
        let found = gather(&folder.path().join("src"), &request);
        assert_eq!(found.files, 4);
        assert_eq!(found.commits_seen, 3);
        assert_eq!(
            (found.named[0].name.as_str(), found.named[0].files),
            ("src/a.rs", 1)
        );
        assert_eq!(found.largest_named_bytes, "Paginate the users".len() as u64);
        assert_eq!(found.similar.len(), 1);
        assert_eq!(found.similar[0].title, "Paginate the users");
        assert_eq!(
            (found.similar[0].files, &found.similar[0].words),
            (3, &vec!["paginate".to_owned()])
        );
    }

    /// What a repository's settings would run, or where links lead, has no effect.
    #[test]
    fn a_repository_has_no_say() {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q"]);
        commit(folder.path(), "Start", &["a.rs"]);
        let ran = folder.path().join("ran");
        let program = format!("touch {}", ran.display());
        for key in [
            "core.fsmonitor",
            "core.pager",
            "diff.external",
            "gpg.program",
            "core.sshCommand",
        ] {
            git(folder.path(), &["config", key, &program]);
        }
        git(folder.path(), &["config", "log.showSignature", "true"]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let found = gather(
            folder.path(),
            &request::read("Fix Start in `a.rs` and link and /etc/passwd"),
        );
        assert_eq!((found.files, found.commits_seen), (1, 1));
        assert_eq!(found.largest_named_bytes, "Start".len() as u64);
        assert!(!ran.exists());
    }

    #[test]
    fn without_a_repository_nothing_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let request = request::read("Fix a.rs");
        assert_eq!(gather(folder.path(), &request), Repository::default());
        git(folder.path(), &["init", "-q"]);
        assert_eq!(gather(folder.path(), &request).commits_seen, 0);
    }
}
