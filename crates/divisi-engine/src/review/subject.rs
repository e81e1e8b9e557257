//! What is under review: a working tree, all of it or what a change touched.
//!
//! Git answers what is under version control and what changed; contents are read by
//! `Files`, never through a link. No setting of the repository has a say,
//! and nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::change::{Changed, of_patch};
use super::{Fault, Perspective};
use crate::repo::{self, Call, Git};

/// Files of one question about lines: their names must fit a command line.
const BATCH_FILES_MAX: usize = 300;

/// A working tree.
#[derive(Debug)]
pub(crate) struct Subject {
    git: Git,
    git_dir: PathBuf,
    /// The top of the working tree.
    pub(crate) root: PathBuf,
    /// Where in it one stands, with a separator at the end unless it is the top.
    prefix: String,
    /// All files under version control whose names are UTF-8.
    pub(crate) tracked: BTreeSet<String>,
    /// How many names are not.
    pub(crate) unnamed: usize,
    /// How many files are neither under version control nor kept out of it.
    pub(crate) untracked: usize,
    /// The change, if only one is under review.
    pub(crate) change: Option<Change>,
}

/// What changed since a base, up to the files as they are.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The commit that it is compared with.
    pub(crate) base: String,
    /// What was touched, by path.
    pub(crate) touched: BTreeMap<String, Changed>,
    /// Files that are gone.
    pub(crate) removed: BTreeSet<String>,
    /// Files of which only is known that they changed.
    pub(crate) unclear: BTreeSet<String>,
}

impl Subject {
    /// Looks at the working tree that a folder is in; only at what changed since the point where
    /// it left `base`, if one is given.
    ///
    /// # Errors
    /// The folder is in no working tree, git cannot answer, or the base is none.
    pub(crate) fn open(folder: &Path, base: Option<&str>) -> Result<Subject, Fault> {
        let git = Git::find()?;
        let outside = || Fault::NoRepository(folder.to_owned());
        let done = git
            .discover("look for a repository", folder)
            .args(["rev-parse", "--path-format=absolute", "--show-toplevel"])
            .args(["--absolute-git-dir", "--show-prefix"])
            .run()?;
        let out = String::from_utf8(done.out).map_err(|_| outside())?;
        let lines: Vec<&str> = out.split('\n').collect();
        let [root, git_dir, prefix, ..] = lines[..] else {
            return Err(outside());
        };
        if done.status != 0 {
            return Err(outside());
        }
        let mut subject = Subject {
            git,
            git_dir: git_dir.into(),
            root: root.into(),
            prefix: prefix.to_owned(),
            tracked: BTreeSet::new(),
            unnamed: 0,
            untracked: 0,
            change: None,
        };
        let listed = subject.call("list files").args(["ls-files", "-z"]).ok()?;
        for name in names(&listed) {
            match std::str::from_utf8(name) {
                Ok(name) => _ = subject.tracked.insert(name.to_owned()),
                Err(_) => subject.unnamed += 1,
            }
        }
        let others = subject
            .call("list other files")
            .args(["ls-files", "-z", "--others", "--exclude-standard"])
            .ok()?;
        let is_review = |name: &&[u8]| {
            let mut perspectives = Perspective::ALL.into_iter();
            perspectives.any(|perspective| name.ends_with(perspective.file_name().as_bytes()))
        };
        subject.untracked = names(&others).filter(|name| !is_review(name)).count();
        if let Some(base) = base {
            subject.change = Some(subject.changed_since(base)?);
        }
        Ok(subject)
    }

    fn call(&self, operation: &str) -> Call {
        self.git
            .call(operation, &self.git_dir)
            .work_tree(&self.root)
    }

    /// A path that was given where one stands, from the top.
    pub(crate) fn path_at_top(&self, path: &Path) -> Option<String> {
        let path = path.to_str()?;
        let joined = match path.strip_prefix('/') {
            Some(_) => {
                let below = Path::new(path).strip_prefix(&self.root).ok()?;
                below.to_str()?.to_owned()
            }
            None => format!("{}{path}", self.prefix),
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in joined.split('/') {
            match part {
                "" | "." => {}
                ".." => _ = parts.pop()?,
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }

    /// Which of these paths are kept out of version control.
    pub(crate) fn ignored(&self, paths: &BTreeSet<String>) -> BTreeSet<String> {
        let list: String = paths.iter().map(|path| format!("{path}\0")).collect();
        let done = self
            .call("ask what is ignored")
            .env("GIT_LITERAL_PATHSPECS", "0")
            .args(["check-ignore", "--stdin", "-z", "--no-index"])
            .stdin(list.into_bytes())
            .run();
        // Without an answer nothing is ignored: too much is said rather than too little.
        let out = done.map(|done| done.out).unwrap_or_default();
        let name = |name: &[u8]| String::from_utf8(name.to_vec()).ok();
        names(&out).filter_map(name).collect()
    }

    fn changed_since(&self, base: &str) -> Result<Change, Fault> {
        let resolve = |rev: &str| -> Result<Option<String>, Fault> {
            let done = self
                .call("resolve a revision")
                .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
                .arg(format!("{rev}^{{commit}}"))
                .run()?;
            let name = String::from_utf8_lossy(&done.out).trim().to_owned();
            Ok((done.status == 0).then_some(name))
        };
        let unknown = |rev: &str| repo::Fault::NoRevision {
            rev: rev.to_owned(),
        };
        let tip = resolve(base)?.ok_or_else(|| unknown(base))?;
        let head = resolve("HEAD")?.ok_or_else(|| unknown("HEAD"))?;
        let done = self
            .call("find where the change starts")
            .args(["merge-base", &tip, &head])
            .run()?;
        if done.status != 0 {
            return Err(Fault::Unrelated {
                base: base.to_owned(),
            });
        }
        let start = String::from_utf8_lossy(&done.out).trim().to_owned();
        self.change_from(start)
    }

    fn change_from(&self, start: String) -> Result<Change, Fault> {
        // Attributes choose filters, and filters are programs: none are read.
        let no_attributes = self
            .call("name the empty tree")
            .args(["hash-object", "-t", "tree", "/dev/null"])
            .text()?;
        let diff = || {
            self.call("compare with the base")
                .env("GIT_ATTR_SOURCE", &no_attributes)
                .args(["diff", "-M", "--no-ext-diff", "--no-textconv", "--no-color"])
                .args(["--ignore-cr-at-eol", "--src-prefix=a/", "--dst-prefix=b/"])
        };
        let raw = diff().args(["--raw", "-z", &start, "--"]).ok()?;
        let mut change = Change {
            base: start.clone(),
            ..Change::default()
        };
        // Names as git has them, old and new, of files whose lines are to be asked for.
        let mut asked: Vec<Vec<String>> = Vec::new();
        let mut fields = names(&raw).map(|name| String::from_utf8_lossy(name).into_owned());
        while let Some(status) = fields.next() {
            let letter = status.rsplit(' ').next().unwrap_or_default().to_owned();
            let Some(first) = fields.next() else { break };
            match letter.chars().next() {
                Some('D') => _ = change.removed.insert(first),
                Some('A') => _ = change.touched.insert(first, Changed::All),
                Some('R' | 'C') => {
                    let Some(second) = fields.next() else { break };
                    if letter.starts_with('R') {
                        change.removed.insert(first.clone());
                    }
                    asked.push(vec![first, second]);
                }
                _ => asked.push(vec![first]),
            }
        }
        for batch in asked.chunks(BATCH_FILES_MAX) {
            let patch = diff()
                .args(["--patch", "--unified=0", &start, "--"])
                .args(batch.iter().flatten())
                .ok();
            match patch {
                Ok(patch) => {
                    let files = of_patch(&patch).into_iter();
                    change
                        .touched
                        .extend(files.map(|(path, lines)| (path, Changed::Lines(lines))));
                }
                Err(_) => change
                    .unclear
                    .extend(batch.iter().filter_map(|names| names.last().cloned())),
            }
        }
        Ok(change)
    }

    /// The files at or beneath a path.
    pub(crate) fn reviewable<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a String> {
        self.tracked.iter().filter(move |path| {
            path.strip_prefix(wanted)
                .is_some_and(|rest| wanted.is_empty() || rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The files under review at or beneath these paths, with what of each is.
    pub(crate) fn reviewed(&self, paths: &[String]) -> BTreeMap<String, Changed> {
        let wanted: BTreeSet<&String> = match paths.is_empty() {
            true => self.tracked.iter().collect(),
            false => paths
                .iter()
                .flat_map(|path| self.reviewable(path))
                .collect(),
        };
        // A removed file can break what did not change: links are looked at everywhere.
        let elsewhere = |change: &Change, path: &str| {
            let is_document = path.ends_with(".md") || path.ends_with(".markdown");
            (is_document && !change.removed.is_empty())
                .then(|| Changed::Lines(super::change::Lines::default()))
        };
        let of = |path: &String| match &self.change {
            None => Some(Changed::All),
            Some(change) => match change.touched.get(path) {
                Some(changed) => Some(changed.clone()),
                None => elsewhere(change, path),
            },
        };
        wanted
            .into_iter()
            .filter_map(|path| Some((path.clone(), of(path)?)))
            .collect()
    }
}

/// The parts of a list that are ended by NUL.
fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
}
