//! The base of a run: the commit of the user's project that its tasks start from.
//!
//! With git it is a commit of the user's repository, or, if asked, one on top of it that holds
//! the uncommitted work. Without git it is a commit of the folder as it is. Both are made
//! without a trace in the user's repository: its index is copied, its objects are linked.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use divisi_core::{Commit, Diagnostic, Time, Tree};

use super::copied::Copied;
use super::fault::Fault;
use super::git::Call;
use super::objects::{Item, Mode};
use super::prune::InUse;
use super::store::Repo;
use super::tree::lossy;
use super::user::{Project, Settings, UserRepo, default_excludes};

/// So many uncommitted paths are named; a person reads no more.
pub const UNCOMMITTED_NAMED_MAX: usize = 100;

/// Uncommitted work, or a folder without git, beyond this is probably not meant: a data set, a
/// home folder.
const TAKEN_BYTES_MAX: u64 = 2 << 30;

/// The same, in files.
const TAKEN_FILES_MAX: usize = 200_000;

/// What a run wants to stand on.
#[derive(Clone, Debug, Default)]
pub struct BaseOptions {
    /// A revision of the user's repository; HEAD unless told.
    pub rev: Option<String>,
    /// Whether uncommitted work is part of it.
    pub include_dirty: bool,
}

/// What a run stands on.
#[derive(Clone, Debug)]
pub struct Base {
    /// The commit, present in the private repository with all its files.
    pub commit: Commit,
    /// For people: a branch and a commit, or what else it is.
    pub described: String,
    /// Uncommitted paths, sorted, at most [`UNCOMMITTED_NAMED_MAX`]; empty without git.
    pub uncommitted: Vec<String>,
    /// How many there are.
    pub uncommitted_count: usize,
    /// Whether they are part of the base.
    pub included: bool,
    /// What the user should know: submodules, large files kept elsewhere, a cut history.
    pub warnings: Vec<Diagnostic>,
    /// Nothing names the commit yet: until a run does, its objects must not be cleaned up.
    pub in_use: InUse,
}

impl Repo {
    /// Brings the base of a run into the private repository.
    ///
    /// # Errors
    /// There is no such revision, its objects are missing, or there is too much to take in.
    pub fn base(&self, options: &BaseOptions) -> Result<Base, Fault> {
        self.hook("base.before");
        let in_use = self.in_use()?;
        let base = match &self.project {
            Project::Folder(root) => match &options.rev {
                Some(rev) => Err(Fault::NoRevision { rev: rev.clone() }),
                None => self.folder_base(root, in_use),
            },
            Project::Git(user) => self.git_base(user, options, in_use),
        }?;
        self.hook("base.after");
        Ok(base)
    }

    /// The commit at which a base that was brought in left a revision of the user's repository.
    ///
    /// It stands in the base's own history, and so is kept as long as that is.
    ///
    /// # Errors
    /// There is no such revision, or the two have no commit in common.
    pub fn fork(&self, rev: &str, base: &Commit) -> Result<Commit, Fault> {
        let unknown = || Fault::NoRevision {
            rev: rev.to_owned(),
        };
        let Project::Git(user) = &self.project else {
            return Err(unknown());
        };
        let tip = user.resolve(&self.git, rev)?.ok_or_else(unknown)?;
        user.import_objects(&self.git_dir.join("objects"))?;
        let done = self
            .call("find where the base left a revision")?
            .args(["merge-base", &tip, base.as_str()])
            .run()?;
        let found = String::from_utf8_lossy(&done.out).trim().to_owned();
        match (done.status, Commit::new(&found)) {
            (0, Some(commit)) => Ok(commit),
            _ => Err(Fault::Unrelated {
                rev: rev.to_owned(),
                base: base.clone(),
            }),
        }
    }

    fn git_base(
        &self,
        user: &UserRepo,
        options: &BaseOptions,
        in_use: InUse,
    ) -> Result<Base, Fault> {
        let rev = options.rev.as_deref().unwrap_or("HEAD");
        let head = user.resolve(&self.git, "HEAD")?;
        let found = match rev {
            "HEAD" => head.clone(),
            _ => user.resolve(&self.git, rev)?,
        };
        let (commit, described) = match found {
            Some(found) => {
                let commit = Commit::new(&found).ok_or_else(|| Fault::odd("resolve", &found))?;
                self.import(user, &commit)?;
                let described = self.describe(user, rev, &commit)?;
                (commit, described)
            }
            None if rev == "HEAD" && head.is_none() => {
                user.import_objects(&self.git_dir.join("objects"))?;
                let tree = self.empty_tree();
                let message = "A repository without commits\n";
                let commit = self.commit_tree(&tree, &[], message, Time(0))?;
                (commit, "an empty repository".to_owned())
            }
            None => {
                return Err(Fault::NoRevision {
                    rev: rev.to_owned(),
                });
            }
        };
        let settings = user.settings(&self.git)?;
        self.write_excludes(&settings, Some(user))?;
        let mut warnings = self.warnings(user, &commit)?;
        let of_head = head.as_deref().is_none_or(|head| head == commit.as_str());
        if options.include_dirty && !of_head {
            return Err(Fault::DirtyElsewhere {
                rev: rev.to_owned(),
            });
        }
        let on = match head.as_deref().and_then(Commit::new) {
            Some(head) if !of_head => {
                self.import(user, &head)?;
                head
            }
            _ => commit.clone(),
        };
        let index = Copied::of(self, user, &on)?;
        let dirty = self.uncommitted(user, &settings, &index.path, &on)?;
        let included = options.include_dirty && !dirty.is_empty();
        let commit = if included {
            // What was staged since the commit was brought in is in the user's repository only.
            user.import_objects(&self.git_dir.join("objects"))?;
            self.include(user, &settings, &index.path, &dirty, &commit, &mut warnings)?
        } else {
            commit
        };
        let named = dirty.iter().take(UNCOMMITTED_NAMED_MAX);
        Ok(Base {
            commit,
            described,
            uncommitted: named.map(|path| lossy(path)).collect(),
            uncommitted_count: dirty.len(),
            included,
            warnings,
            in_use,
        })
    }

    /// Makes sure that a commit of the user's repository is in the private one, whole.
    pub(crate) fn import(&self, user: &UserRepo, commit: &Commit) -> Result<(), Fault> {
        let reference = format!("refs/divisi/base/{commit}");
        if self.ref_at(&reference)?.is_some() {
            return Ok(());
        }
        user.import_objects(&self.git_dir.join("objects"))?;
        // Its own files only: the history before it is not needed, and may be cut off.
        let whole = self
            .call("look for missing objects")?
            .args([
                "rev-list",
                "--objects",
                "--quiet",
                "--max-count=1",
                commit.as_str(),
            ])
            .run()?;
        if whole.status != 0 {
            return Err(Fault::Incomplete {
                commit: commit.clone(),
            });
        }
        self.durable_call("note an imported commit")?
            .args(["update-ref", &reference, commit.as_str()])
            .ok()?;
        Ok(())
    }

    fn describe(&self, user: &UserRepo, rev: &str, commit: &Commit) -> Result<String, Fault> {
        let short = commit.short();
        if rev != "HEAD" {
            return Ok(format!("{rev} ({short})"));
        }
        let done = user
            .ask(&self.git, "read the current branch")
            .args(["symbolic-ref", "--quiet", "--short", "HEAD"])
            .run()?;
        let branch = String::from_utf8_lossy(&done.out);
        Ok(match done.status {
            0 => format!("{} ({short})", branch.trim()),
            _ => format!("detached HEAD ({short})"),
        })
    }

    fn warnings(&self, user: &UserRepo, commit: &Commit) -> Result<Vec<Diagnostic>, Fault> {
        let tree = self.tree_of(commit)?;
        let read = || Fault::io("read a tree of", &self.git_dir);
        let items = self
            .objects
            .list(self.oid(tree.as_str())?)
            .map_err(read())?;
        let mut warnings = Vec::new();
        let submodules: Vec<String> = items
            .iter()
            .filter(|(_, item)| item.mode == Mode::Gitlink)
            .map(|(path, _)| lossy(path))
            .collect();
        if !submodules.is_empty() {
            let cause = format!("submodules are empty in workspaces: {}", some(&submodules));
            warnings.push(Diagnostic::warning("repo-submodules", cause));
        }
        let attributes = items.iter().filter(|(path, item)| {
            item.mode.is_file() && (path == b".gitattributes" || path.ends_with(b"/.gitattributes"))
        });
        // More files of attributes than this are not looked at for a warning.
        for (path, item) in attributes.take(100) {
            let (text, _) = self.objects.blob(item.oid, 64 << 10).map_err(read())?;
            if memchr::memmem::find(&text, b"filter=").is_some() {
                let cause = format!(
                    "filters named in {} do not run: large files (LFS) stay pointers",
                    lossy(path)
                );
                warnings.push(Diagnostic::warning("repo-filters", cause));
                break;
            }
        }
        if user.is_shallow() {
            let cause = "the repository's history is cut off; workspaces have what it has";
            warnings.push(Diagnostic::warning("repo-shallow", cause));
        }
        Ok(warnings)
    }

    /// A call that looks at the user's files, by the user's rules for line ends and names.
    pub(crate) fn files_call(
        &self,
        operation: &str,
        root: &Path,
        settings: &Settings,
    ) -> Result<Call, Fault> {
        let mut call = self.call(operation)?.work_tree(root);
        for (key, value) in &settings.files {
            call = call.config(key, value);
        }
        Ok(call)
    }

    /// Paths that differ from HEAD, in the index or in the files, and untracked ones.
    fn uncommitted(
        &self,
        user: &UserRepo,
        settings: &Settings,
        index: &Path,
        head: &Commit,
    ) -> Result<Vec<Vec<u8>>, Fault> {
        let staged = self
            .files_call("compare the index", &user.root, settings)?
            .index(index)
            .args([
                "diff-index",
                "--cached",
                "--name-only",
                "--no-renames",
                "-z",
                head.as_str(),
            ])
            .arg("--")
            .ok()?;
        let unstaged = self.loose_files(&user.root, settings, index)?;
        let mut paths: BTreeSet<Vec<u8>> = split(&staged).map(<[u8]>::to_vec).collect();
        paths.extend(unstaged);
        Ok(paths.into_iter().collect())
    }

    /// Files that are modified, deleted or untracked as against an index. Other repositories
    /// within end in `/`.
    pub(crate) fn loose_files(
        &self,
        root: &Path,
        settings: &Settings,
        index: &Path,
    ) -> Result<Vec<Vec<u8>>, Fault> {
        let out = self
            .files_call("look for uncommitted files", root, settings)?
            .index(index)
            .args([
                "ls-files",
                "--modified",
                "--deleted",
                "--others",
                "--exclude-standard",
                "-z",
            ])
            .ok()?;
        Ok(split(&out).map(<[u8]>::to_vec).collect())
    }

    /// The commit on top of HEAD that holds the uncommitted work.
    fn include(
        &self,
        user: &UserRepo,
        settings: &Settings,
        index: &Path,
        dirty: &[Vec<u8>],
        head: &Commit,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Commit, Fault> {
        let tracked: BTreeSet<Vec<u8>> = self.gitlinks(head)?;
        let (mut paths, mut left): (Vec<&Vec<u8>>, Vec<String>) = (Vec::new(), Vec::new());
        for path in dirty {
            match path.ends_with(b"/") || tracked.contains(path) {
                true => left.push(lossy(path)),
                false => paths.push(path),
            }
        }
        if !left.is_empty() {
            let cause = format!("repositories within are left out: {}", some(&left));
            warnings.push(Diagnostic::warning("repo-nested", cause));
        }
        let filtered = self.filtered(&user.root, settings, index, &paths)?;
        if !filtered.is_empty() {
            let names: Vec<String> = filtered.iter().map(|path| lossy(path)).collect();
            let cause = format!("changes to filtered files are left out: {}", some(&names));
            warnings.push(Diagnostic::warning("repo-filters", cause));
            paths.retain(|path| !filtered.contains(*path));
        }
        let tree = self.take_in(&user.root, settings, index, &paths)?;
        let at = self
            .call("read a date")?
            .args(["log", "-1", "--format=%ct", head.as_str(), "--"])
            .text()?;
        let at = Time(at.parse::<u64>().unwrap_or(0).saturating_mul(1000));
        self.commit_tree(&tree, &[head], "Uncommitted work\n", at)
    }

    fn gitlinks(&self, commit: &Commit) -> Result<BTreeSet<Vec<u8>>, Fault> {
        let tree = self.tree_of(commit)?;
        let items = self.objects.list(self.oid(tree.as_str())?);
        let items = items.map_err(Fault::io("read a tree of", &self.git_dir))?;
        let link = |(path, item): (Vec<u8>, Item)| (item.mode == Mode::Gitlink).then_some(path);
        Ok(items.into_iter().filter_map(link).collect())
    }

    /// Those of the paths that a filter would have to read: LFS and the like.
    fn filtered(
        &self,
        root: &Path,
        settings: &Settings,
        index: &Path,
        paths: &[&Vec<u8>],
    ) -> Result<BTreeSet<Vec<u8>>, Fault> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let out = self
            .files_call("look for filters", root, settings)?
            .index(index)
            .args(["check-attr", "-z", "--stdin", "filter"])
            .stdin(joined(paths))
            .ok()?;
        let words: Vec<&[u8]> = split(&out).collect();
        let named = |value: &[u8]| !matches!(value, b"unspecified" | b"unset" | b"set");
        let hits = words.chunks_exact(3).filter(|record| named(record[2]));
        Ok(hits.map(|record| record[0].to_vec()).collect())
    }

    /// Adds paths of a folder to an index and writes its tree.
    fn take_in(
        &self,
        root: &Path,
        settings: &Settings,
        index: &Path,
        paths: &[&Vec<u8>],
    ) -> Result<Tree, Fault> {
        let too_much = |found: String, max: String| Fault::TooMuch {
            what: "uncommitted files",
            found,
            max,
        };
        if paths.len() > TAKEN_FILES_MAX {
            let found = format!("{} files", paths.len());
            return Err(too_much(found, format!("{TAKEN_FILES_MAX} files")));
        }
        let size = |path: &&Vec<u8>| {
            let path = root.join(std::ffi::OsStr::from_bytes(path));
            path.symlink_metadata().map_or(0, |file| file.len())
        };
        let bytes: u64 = paths.iter().map(size).sum();
        if bytes > TAKEN_BYTES_MAX {
            let found = format!("{} MB", bytes >> 20);
            return Err(too_much(found, format!("{} MB", TAKEN_BYTES_MAX >> 20)));
        }
        self.files_call("take in uncommitted files", root, settings)?
            .durable(self.fsync)
            .index(index)
            .args(["update-index", "--add", "--remove", "-z", "--stdin"])
            .stdin(joined(paths))
            .ok()?;
        self.write_tree(index)
    }

    fn folder_base(&self, root: &Path, in_use: InUse) -> Result<Base, Fault> {
        let settings = Settings::default();
        self.write_excludes(&settings, None)?;
        let index = self.folder_index();
        let mut warnings = Vec::new();
        let found = match self.loose_files(root, &settings, &index) {
            Ok(found) => found,
            // Git listed them for too long, or printed too many.
            Err(Fault::Git { cause, .. })
                if cause.contains("more than") || cause.contains("in time") =>
            {
                return Err(Fault::TooMuch {
                    what: "the folder",
                    found: "too many files".into(),
                    max: format!("{TAKEN_FILES_MAX} files"),
                });
            }
            Err(fault) => return Err(fault),
        };
        let nested: Vec<String> = found
            .iter()
            .filter(|path| path.ends_with(b"/"))
            .map(|path| lossy(path))
            .collect();
        if !nested.is_empty() {
            let cause = format!("repositories within are left out: {}", some(&nested));
            warnings.push(Diagnostic::warning("repo-nested", cause));
        }
        let paths: Vec<&Vec<u8>> = found.iter().filter(|path| !path.ends_with(b"/")).collect();
        let tree = self.take_in(root, &settings, &index, &paths)?;
        let message = "The folder as it was\n";
        Ok(Base {
            commit: self.commit_tree(&tree, &[], message, Time(0))?,
            described: "a folder without git".to_owned(),
            uncommitted: Vec::new(),
            uncommitted_count: 0,
            included: false,
            warnings,
            in_use,
        })
    }

    /// Gathers what the user's git ignores, so that the private repository ignores the same.
    fn write_excludes(&self, settings: &Settings, user: Option<&UserRepo>) -> Result<(), Fault> {
        let mut text = b".divisi/\n".to_vec();
        let own = settings.excludes.clone().or_else(default_excludes);
        let shared = user.map(|user| user.common_dir.join("info/exclude"));
        for path in [own, shared].into_iter().flatten() {
            if let Ok(mut more) = fs::read(path) {
                text.append(&mut more);
                text.push(b'\n');
            }
        }
        let path = self.excludes_file();
        if fs::read(&path).ok().as_ref() == Some(&text) {
            return Ok(());
        }
        let temporary = self.temporary();
        let write = fs::File::create(&temporary).and_then(|mut file| file.write_all(&text));
        write
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(Fault::io("write", &path))
    }
}

pub(crate) fn split(records: &[u8]) -> impl Iterator<Item = &[u8]> {
    records
        .split(|&byte| byte == 0)
        .filter(|record| !record.is_empty())
}

pub(crate) fn joined(paths: &[&Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(paths.iter().map(|path| path.len() + 1).sum());
    for path in paths {
        bytes.extend_from_slice(path);
        bytes.push(0);
    }
    bytes
}

/// The first few of many names.
pub(crate) fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}
