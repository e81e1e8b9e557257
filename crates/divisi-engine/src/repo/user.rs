//! The user's repository as it is found: where it is, what git there would do, its objects.
//!
//! Nothing here writes to it. Git is run *in* it only for questions that start no program
//! (`rev-parse`, `config`, `check-ignore`); whatever looks at files runs under the private
//! repository's git directory on a copy of the user's index, so that no setting of the user's
//! repository has a say. See `docs/design/workspaces.md`.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::git::{Call, Git};

/// Alternates of alternates are followed so far; git stops at the same depth.
const ALTERNATES_DEPTH_MAX: usize = 5;

/// A concurrent repack may take packs away while they are linked; then it is tried again.
const IMPORT_TRIES: usize = 5;

/// What a project is.
#[derive(Debug)]
pub(crate) enum Project {
    /// A folder without git.
    Folder(PathBuf),
    /// A working tree of a repository.
    Git(UserRepo),
}

/// The user's repository.
#[derive(Debug)]
pub(crate) struct UserRepo {
    /// The top of the working tree, which is the tree that tasks see.
    pub(crate) root: PathBuf,
    /// The working tree's own git directory.
    pub(crate) git_dir: PathBuf,
    /// The git directory that all its working trees share.
    pub(crate) common_dir: PathBuf,
    /// Whether its hashes are SHA-256.
    pub(crate) sha256: bool,
}

impl Project {
    /// The folder whose files are the tree.
    pub(crate) fn root(&self) -> &Path {
        match self {
            Project::Folder(root) => root,
            Project::Git(user) => &user.root,
        }
    }

    /// Looks at a folder.
    pub(crate) fn discover(git: &Git, folder: &Path) -> Result<Project, Fault> {
        if folder
            .components()
            .any(|part| part.as_os_str() == ".divisi")
        {
            return Err(Fault::InsideDivisi(folder.to_owned()));
        }
        let unreadable = |cause: String| Fault::Unreadable {
            path: folder.to_owned(),
            cause,
        };
        let done = git
            .discover("look for a repository", folder)
            .args(["rev-parse", "--is-bare-repository", "--is-inside-git-dir"])
            .args([
                "--show-object-format",
                "--path-format=absolute",
                "--git-dir",
            ])
            .args(["--git-common-dir", "--show-toplevel"])
            .run()?;
        // Where there is no top of a tree, the rest is answered all the same.
        let out =
            String::from_utf8(done.out).map_err(|_| unreadable("its path is not UTF-8".into()))?;
        let lines: Vec<&str> = out.lines().collect();
        if let ["true", ..] | [_, "true", ..] = lines[..] {
            return Err(Fault::Bare(folder.to_owned()));
        }
        if done.status != 0 {
            let found = folder
                .ancestors()
                .any(|above| above.join(".git").symlink_metadata().is_ok());
            return match found {
                true => Err(unreadable(done.err)),
                false => Ok(Project::Folder(folder.to_owned())),
            };
        }
        let [_, _, format, git_dir, common_dir, root] = lines[..] else {
            return Err(unreadable(format!("git answered {out:?}")));
        };
        let user = UserRepo {
            root: root.into(),
            git_dir: git_dir.into(),
            common_dir: common_dir.into(),
            sha256: format == "sha256",
        };
        // A folder that the repository around it ignores is not part of that repository.
        let same = user.root.canonicalize().ok() == folder.canonicalize().ok();
        if !same && user.ignores(git, folder)? {
            return Ok(Project::Folder(folder.to_owned()));
        }
        Ok(Project::Git(user))
    }
}

impl UserRepo {
    /// A question to the user's repository that starts no program.
    pub(crate) fn ask(&self, git: &Git, operation: &str) -> Call {
        git.call(operation, &self.git_dir)
    }

    fn ignores(&self, git: &Git, folder: &Path) -> Result<bool, Fault> {
        let done = self
            .ask(git, "ask whether the project is ignored")
            .work_tree(&self.root)
            .env("GIT_LITERAL_PATHSPECS", "0")
            .args(["check-ignore", "--quiet", "--"])
            .arg(folder)
            .run()?;
        Ok(done.status == 0)
    }

    /// The commit that a revision names; `None` if there is none.
    pub(crate) fn resolve(&self, git: &Git, rev: &str) -> Result<Option<String>, Fault> {
        let done = self
            .ask(git, "resolve a revision")
            .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
            .arg(format!("{rev}^{{commit}}"))
            .run()?;
        Ok((done.status == 0).then(|| String::from_utf8_lossy(&done.out).trim().to_owned()))
    }

    /// Reads what of the user's configuration changes how files are read and written.
    pub(crate) fn settings(&self, git: &Git) -> Result<Settings, Fault> {
        let done = self
            .ask(git, "read the user's configuration")
            .with_user_config()
            .args(["config", "--null", "--includes", "--show-scope", "--get-regexp"])
            .arg(r"^(core\.(autocrlf|eol|filemode|ignorecase|symlinks|excludesfile|sparsecheckout)|user\.(name|email))$")
            .run()?;
        let mut settings = Settings::default();
        let records: Vec<&[u8]> = done.out.split(|&byte| byte == 0).collect();
        for pair in records.chunks_exact(2) {
            // Divisi's own overrides are in the scope of the command.
            if pair[0] == b"command" {
                continue;
            }
            let record = String::from_utf8_lossy(pair[1]);
            let (key, value) = record.split_once('\n').unwrap_or((&record, "true"));
            match key {
                "core.excludesfile" => settings.excludes = Some(expand_home(value)),
                "core.sparsecheckout" => settings.sparse = is_true(value),
                "user.name" => settings.name = Some(value.to_owned()),
                "user.email" => settings.email = Some(value.to_owned()),
                key => settings.files.push((key.to_owned(), value.to_owned())),
            }
        }
        Ok(settings)
    }

    /// Links all objects into the private repository; copies where links do not reach.
    ///
    /// Object files never change, and a link keeps one alive when the user's repository prunes
    /// it, which borrowing it by alternates would not.
    pub(crate) fn import_objects(&self, private: &Path) -> Result<(), Fault> {
        let objects = self.common_dir.join("objects");
        let mut stores = vec![(objects, 0)];
        let mut seen = HashSet::new();
        while let Some((store, depth)) = stores.pop() {
            if !seen.insert(store.clone()) {
                continue;
            }
            for tried in 1.. {
                match link_store(&store, private) {
                    Ok(()) => break,
                    // Packed anew meanwhile: what vanished here stands in a pack not yet seen.
                    Err(error)
                        if error.kind() == io::ErrorKind::NotFound && tried < IMPORT_TRIES => {}
                    Err(error) => return Err(Fault::io("link the objects of", &store)(error)),
                }
            }
            if depth < ALTERNATES_DEPTH_MAX {
                stores.extend(
                    alternates(&store)
                        .into_iter()
                        .map(|store| (store, depth + 1)),
                );
            }
        }
        let (from, to) = (
            self.common_dir.join("shallow"),
            private.with_file_name("shallow"),
        );
        let result = match fs::read(&from) {
            Ok(bytes) => fs::write(&to, bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => remove_if_there(&to),
            Err(error) => Err(error),
        };
        result.map_err(Fault::io("note the shallow commits in", &to))
    }

    /// The names of its packs, and of those that it borrows, as far as they can be read.
    pub(crate) fn packs(&self) -> BTreeSet<OsString> {
        let mut names = BTreeSet::new();
        let mut stores = vec![(self.common_dir.join("objects"), 0)];
        while let Some((store, depth)) = stores.pop() {
            let entries = fs::read_dir(store.join("pack")).into_iter().flatten();
            names.extend(entries.flatten().map(|entry| entry.file_name()));
            if depth < ALTERNATES_DEPTH_MAX {
                let more = alternates(&store).into_iter();
                stores.extend(more.map(|store| (store, depth + 1)));
            }
        }
        names
    }

    /// Whether its history is cut off.
    pub(crate) fn is_shallow(&self) -> bool {
        self.common_dir
            .join("shallow")
            .metadata()
            .is_ok_and(|file| file.len() > 0)
    }
}

/// Settings of the user that only change bytes and names.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Line ends, the executable bit, letter case, links: harmless, and status depends on them.
    pub(crate) files: Vec<(String, String)>,
    /// The user's own file of ignored names.
    pub(crate) excludes: Option<PathBuf>,
    /// Whether only a part of the tree is checked out.
    pub(crate) sparse: bool,
    /// Who the user is in commits.
    pub(crate) name: Option<String>,
    /// The same.
    pub(crate) email: Option<String>,
}

fn is_true(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "true" | "yes" | "on" | "1"
    )
}

fn expand_home(value: &str) -> PathBuf {
    match (value.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => value.into(),
    }
}

/// Where git looks for ignored names if no setting says otherwise.
pub(crate) fn default_excludes() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty());
    Some(config.map(PathBuf::from).or_else(home)?.join("git/ignore"))
}

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn alternates(store: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(store.join("info/alternates")).unwrap_or_default();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| store.join(line)).collect()
}

/// Links loose objects before packs, and a pack's index last: at no moment does the private
/// repository see a half of anything, and what is packed meanwhile is found in its pack.
fn link_store(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let loose = name.len() == 2
            && name
                .to_string_lossy()
                .bytes()
                .all(|b| b.is_ascii_hexdigit());
        if loose && entry.file_type()?.is_dir() {
            let mut names = Vec::new();
            for object in fs::read_dir(entry.path())? {
                let object = object?;
                let name = object.file_name();
                let hash = name
                    .to_string_lossy()
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit());
                if hash && object.file_type()?.is_file() {
                    names.push(name);
                }
            }
            link_files(&entry.path(), &to.join(&name), &names)?;
        }
    }
    let packs = from.join("pack");
    let mut names = Vec::new();
    for entry in fs::read_dir(&packs)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let wanted = [".pack", ".rev", ".idx"]
            .iter()
            .any(|end| text.ends_with(end));
        if text.starts_with("pack-") && wanted && entry.file_type()?.is_file() {
            names.push(name);
        }
    }
    let rank = |name: &std::ffi::OsString| match Path::new(name).extension() {
        Some(end) if end == "pack" => 0,
        Some(end) if end == "rev" => 1,
        _ => 2,
    };
    names.sort_by_key(rank);
    link_files(&packs, &to.join("pack"), &names)
}

fn link_files(from: &Path, to: &Path, names: &[std::ffi::OsString]) -> io::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    let mut new = false;
    for name in names {
        let (from, to) = (from.join(name), to.join(name));
        match fs::hard_link(&from, &to) {
            Ok(()) => new = true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            Err(_) => {
                copy_file(&from, &to)?;
                new = true;
            }
        }
    }
    if new {
        fs::File::open(to)?.sync_all()?;
    }
    Ok(())
}

/// For file systems that refuse links. The name appears with the whole content.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let temporary = to.with_extension("divisi-tmp");
    remove_if_there(&temporary)?;
    fs::copy(from, &temporary)?;
    fs::File::open(&temporary)?.sync_all()?;
    fs::rename(&temporary, to)
}
