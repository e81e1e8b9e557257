//! Looks at everything in a workspace before git does, without opening any of it.
//!
//! Git would wait on a FIFO named `.gitignore`, read a file of a terabyte to its end, and take a
//! repository within as a submodule. What is suspicious here is refused unless the workspace's
//! own rules ignore it: then it does not become part of a snapshot anyway.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType};

use super::refusal::Refusal;
use super::secrets::parent;
use super::walk::{self, DEPTH_MAX, Ended, Met, Next};
use crate::repo::Fault;
use crate::repo::index::{Entry, Stat};
use crate::repo::objects::Mode;

/// More entries are not looked at: half a million take about a second. Dependencies and build
/// results count, ignored or not.
const ENTRIES_MAX: usize = 500_000;

/// Refusals that are told; an agent can make any number.
pub(crate) const REFUSALS_MAX: usize = 20;

/// Which part of a workspace matters.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// All of it.
    All,
    /// Deliverables and what is in them.
    Deliverables(&'a [Vec<u8>]),
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Refused whatever is ignored.
    pub(crate) refused: Vec<Refusal>,
    /// Refused unless this path is ignored.
    pub(crate) suspects: Vec<(Vec<u8>, Refusal)>,
    /// Files that may have changed, with their sizes.
    pub(crate) candidates: Vec<(Vec<u8>, u64)>,
}

impl Survey {
    /// The sizes of all that may have changed.
    pub(crate) fn bytes(&self) -> u64 {
        self.candidates
            .iter()
            .fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }
}

/// Looks at a workspace. `tracked` is its private index: files that look as they did there are
/// not candidates.
pub(crate) fn survey(
    root: &OwnedFd,
    tracked: &[Entry],
    scope: Scope<'_>,
    bytes_max: u64,
) -> Result<Survey, Fault> {
    let by_path: HashMap<&[u8], &Entry> = tracked
        .iter()
        .map(|entry| (entry.path.as_slice(), entry))
        .collect();
    let submodules: Vec<&[u8]> = tracked
        .iter()
        .filter(|entry| entry.item.mode == Mode::Gitlink)
        .map(|entry| entry.path.as_slice())
        .collect();
    let mut found = Survey::default();
    let mut entries = 0;
    let walked = walk::walk(root, &mut |met| {
        entries += 1;
        if entries > ENTRIES_MAX {
            found.refused.push(Refusal::TooMany { max: ENTRIES_MAX });
            return Next::Stop;
        }
        if found.refused.len() + found.suspects.len() >= REFUSALS_MAX * 50 {
            return Next::Stop;
        }
        if met.path == b".git" || !concerns(scope, met.path) {
            return Next::Past;
        }
        if submodules.iter().any(|module| is_beneath(met.path, module)) {
            found.refused.push(Refusal::Submodule {
                path: text(met.path),
            });
            return Next::Past;
        }
        look(met, by_path.get(met.path).copied(), bytes_max, &mut found)
    });
    match walked {
        Ok(()) | Err(Ended::Stopped) => {}
        Err(Ended::TooDeep(path)) => {
            let mut path = text(&path);
            path.truncate(path.floor_char_boundary(100));
            found.refused.push(Refusal::TooDeep {
                path,
                max: DEPTH_MAX,
            });
        }
        Err(Ended::Io(error)) => {
            let place = std::path::Path::new("the workspace");
            return Err(Fault::io("look through", place)(error));
        }
    }
    Ok(found)
}

fn look(met: &Met<'_>, tracked: Option<&Entry>, bytes_max: u64, found: &mut Survey) -> Next {
    let name = met.at.1.to_bytes();
    if name == b".git" {
        let folder = &met.path[..met.path.len() - b"/.git".len()];
        let refusal = Refusal::Repository { path: text(folder) };
        found.suspects.push((folder.to_vec(), refusal));
        return Next::Past;
    }
    if name.eq_ignore_ascii_case(b".git") || name.eq_ignore_ascii_case(b"git~1") {
        let why = "means .git on other systems";
        found.suspects.push((
            met.path.to_vec(),
            Refusal::Name {
                path: text(met.path),
                why,
            },
        ));
        return Next::Past;
    }
    let unchanged = tracked.is_some_and(|entry| looks_the_same(&entry.stat, met));
    match met.kind {
        FileType::Directory => {}
        _ if unchanged => {}
        FileType::RegularFile => {
            found.candidates.push((met.path.to_vec(), met.bytes));
            if met.bytes > bytes_max {
                let (path, bytes) = (text(met.path), met.bytes);
                let refusal = Refusal::TooLarge {
                    path,
                    bytes,
                    max: bytes_max,
                };
                found.suspects.push((met.path.to_vec(), refusal));
            }
        }
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(met.at.0, met.at.1, Vec::new());
            let target = target
                .map(std::ffi::CString::into_bytes)
                .unwrap_or_default();
            if leads_outside(met.path, &target) {
                let (path, target) = (text(met.path), text(&target));
                let refusal = Refusal::LinkOutside { path, target };
                found.suspects.push((met.path.to_vec(), refusal));
            }
        }
        other => {
            let refusal = Refusal::Special {
                path: text(met.path),
                kind: kind_name(other),
            };
            // Git would open these before it could say whether they are ignored.
            match name.starts_with(b".git") {
                true => found.refused.push(refusal),
                false => found.suspects.push((met.path.to_vec(), refusal)),
            }
        }
    }
    Next::Into
}

/// Whether a file is the one that was tracked. The time of its last change cannot be set by its
/// owner, and is exact to the nanosecond here.
pub(crate) fn looks_the_same(stat: &Stat, met: &Met<'_>) -> bool {
    let now = Stat {
        ctime: met.ctime,
        mtime: met.mtime,
        inode: met.inode,
        bytes: met.bytes as u32,
    };
    *stat == now
}

/// A link may go up from its own folder, and then down; it must not go up again, since what it
/// went down through may be a link itself.
pub(crate) fn leads_outside(path: &[u8], target: &[u8]) -> bool {
    if target.is_empty() || target.starts_with(b"/") {
        return true;
    }
    let mut depth = path.iter().filter(|&&byte| byte == b'/').count();
    let mut down = false;
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if down || depth == 0 => return true,
            b".." => depth -= 1,
            part if part.eq_ignore_ascii_case(b".git") => return true,
            _ => down = true,
        }
    }
    false
}

fn concerns(scope: Scope<'_>, path: &[u8]) -> bool {
    match scope {
        Scope::All => true,
        Scope::Deliverables(wanted) => wanted
            .iter()
            .any(|wanted| path == wanted || is_beneath(path, wanted) || is_beneath(wanted, path)),
    }
}

fn is_beneath(path: &[u8], folder: &[u8]) -> bool {
    path.len() > folder.len() && path.starts_with(folder) && path[folder.len()] == b'/'
}

fn kind_name(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "FIFO",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        FileType::Symlink => "link",
        _ => "thing of unknown kind",
    }
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// A deliverable's path as git knows it; refused if it leads elsewhere.
pub(crate) fn deliverable_path(path: &str) -> Result<Vec<u8>, Refusal> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let outside = path.starts_with('/')
        || parts.is_empty()
        || path.len() > 4_096
        || path.contains('\0')
        || parts
            .iter()
            .any(|part| *part == ".." || part.eq_ignore_ascii_case(".git"));
    match outside {
        true => Err(Refusal::Outside {
            path: path.to_owned(),
        }),
        false => Ok(parts.join("/").into_bytes()),
    }
}

/// What stands where a deliverable is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Nothing,
    FileOrFolder,
}

/// Looks at a deliverable itself; one that is neither file nor folder is refused, ignored or not.
pub(crate) fn deliverable(
    root: &OwnedFd,
    path: &[u8],
    bytes_max: u64,
) -> Result<Standing, Refusal> {
    let mut upto = 0;
    loop {
        let end = memchr::memchr(b'/', &path[upto..]).map_or(path.len(), |at| upto + at);
        let Ok(Some((folder, name))) = parent(root, &path[..end]) else {
            return Ok(Standing::Nothing);
        };
        let Ok(stat) = rustix::fs::statat(&folder, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)
        else {
            return Ok(Standing::Nothing);
        };
        let bytes = u64::try_from(stat.st_size).unwrap_or(0);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => return Err(Refusal::DeliverableLink { path: text(path) }),
            FileType::Directory if end < path.len() => upto = end + 1,
            _ if end < path.len() => return Ok(Standing::Nothing),
            FileType::RegularFile if bytes > bytes_max => {
                return Err(Refusal::TooLarge {
                    path: text(path),
                    bytes,
                    max: bytes_max,
                });
            }
            FileType::RegularFile | FileType::Directory => return Ok(Standing::FileOrFolder),
            kind => {
                return Err(Refusal::Special {
                    path: text(path),
                    kind: kind_name(kind),
                });
            }
        }
    }
}

/// What is wrong with names that a snapshot would bring in: `added` among all of `paths`.
pub(crate) fn names(added: &[&[u8]], paths: &[&[u8]]) -> Vec<Refusal> {
    let mut refused = Vec::new();
    if added.is_empty() {
        return refused;
    }
    for path in added {
        let why = match std::str::from_utf8(path) {
            Err(_) => "is not UTF-8",
            Ok(name) if name.chars().any(char::is_control) => "holds a control character",
            Ok(_) => continue,
        };
        refused.push(Refusal::Name {
            path: text(path),
            why,
        });
    }
    // Folders collide as files do.
    let mut exact: HashMap<Vec<u8>, &[u8]> = HashMap::new();
    let prefixes = |path: &'_ [u8]| -> Vec<usize> {
        let slashes = memchr::memchr_iter(b'/', path);
        slashes.chain([path.len()]).collect()
    };
    // What was there before comes first, so that the new name is the one that is refused.
    let new: std::collections::HashSet<&[u8]> = added.iter().copied().collect();
    let before = paths.iter().filter(|path| !new.contains(*path));
    for path in before.chain(added) {
        for end in prefixes(path) {
            let folded = fold(&path[..end]);
            exact.entry(folded).or_insert(&path[..end]);
        }
    }
    for path in added {
        for end in prefixes(path) {
            let there = exact.get(&fold(&path[..end]));
            if let Some(there) = there.filter(|there| **there != &path[..end]) {
                let (path, other) = (text(path), text(there));
                refused.push(Refusal::CaseCollision { path, other });
                break;
            }
        }
    }
    refused
}

fn fold(path: &[u8]) -> Vec<u8> {
    text(path).to_lowercase().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside() {
        let inside = |path: &str, target: &str| !leads_outside(path.as_bytes(), target.as_bytes());
        assert!(inside("a/link", "b"));
        assert!(inside("a/link", "../b"));
        assert!(inside("link", "./a/b"));
        assert!(!inside("link", "../b"));
        assert!(!inside("a/link", "../../b"));
        assert!(!inside("a/link", "/etc/passwd"));
        assert!(!inside("a/b/link", "c/../../../../x"));
        assert!(!inside("a/b/link", "c/../d"), "c may be a link itself");
        assert!(!inside("link", ".git/config"));
        assert!(!inside("link", "a/.GIT"));
        assert!(!inside("link", ""));
    }

    #[test]
    fn names_that_differ_by_case_collide_only_where_one_is_new() {
        let check = |added: &[&str], all: &[&str]| {
            let bytes = |names: &[&str]| names.iter().map(|n| n.as_bytes().to_vec()).collect();
            let (added, all): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (bytes(added), bytes(all));
            let added: Vec<&[u8]> = added.iter().map(Vec::as_slice).collect();
            let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
            names(&added, &all)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(check(&[], &["README", "readme"]), [""; 0]);
        assert_eq!(check(&["c"], &["README", "readme", "c"]), [""; 0]);
        assert_eq!(
            check(&["Src/b"], &["Src/b", "src/a"]).len()
                + check(&["src/b"], &["Src/a", "src/b"]).len(),
            1 + 1
        );
        assert_eq!(
            check(&["readme"], &["README", "readme"]),
            ["take readme: its name differs from README by letter case only"]
        );
        assert_eq!(check(&["a\u{1b}[2J"], &["a\u{1b}[2J"]).len(), 1);
    }
}
