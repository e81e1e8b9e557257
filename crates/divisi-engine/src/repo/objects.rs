//! Reading git objects through long-lived `git cat-file` processes.
//!
//! A process costs milliseconds, a question to a running one tens of microseconds; a task asks
//! dozens. Trees are parsed here and kept, since successive tasks share nearly all of them.
//! Objects are addressed by hash only: no name of a file or reference enters the protocol.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex, PoisonError};

use super::pipes::{Timed, kill};

/// A tree object beyond this is not one that people or agents make: 64 MiB is a million entries.
const TREE_BYTES_MAX: u64 = 64 << 20;

/// Kept tree entries, over all kept trees: about 100 bytes each.
const KEPT_ENTRIES_MAX: usize = 200_000;

/// Deeper folders are not followed; git itself stops at 2048.
const DEPTH_MAX: usize = 512;

/// Paths in one listing or comparison: they are held in memory.
pub(crate) const PATHS_MAX: usize = 1_000_000;

/// Idle readers are kept up to this many; each is a process with a few megabytes.
const READERS_KEPT: usize = 4;

/// The hash of an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Oid {
    bytes: [u8; 32],
    len: u8,
}

impl Oid {
    fn raw(raw: &[u8]) -> Oid {
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Oid {
            bytes,
            len: raw.len() as u8,
        }
    }

    /// Reads hexadecimal text.
    pub(crate) fn parse(text: &str) -> Option<Oid> {
        if !matches!(text.len(), 40 | 64) {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, pair) in text.as_bytes().chunks(2).enumerate() {
            bytes[at] = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Oid {
            bytes,
            len: (text.len() / 2) as u8,
        })
    }

    /// From the bytes as they stand in trees and index files.
    pub(crate) fn from_raw(raw: &[u8]) -> Option<Oid> {
        matches!(raw.len(), 20 | 32).then(|| Oid::raw(raw))
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes[..usize::from(self.len)]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a tree's entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A regular file.
    File,
    /// A regular file with the executable bit.
    Executable,
    /// A symbolic link; its content is the target.
    Link,
    /// A folder.
    Tree,
    /// A commit of another repository: a submodule.
    Gitlink,
}

impl Mode {
    pub(crate) fn from_bits(bits: u32) -> Mode {
        match bits & 0o170_000 {
            0o040_000 => Mode::Tree,
            0o120_000 => Mode::Link,
            0o160_000 => Mode::Gitlink,
            _ if bits & 0o100 != 0 => Mode::Executable,
            _ => Mode::File,
        }
    }

    /// Whether it has content of its own in the repository.
    pub(crate) fn is_file(self) -> bool {
        matches!(self, Mode::File | Mode::Executable)
    }
}

/// What stands at a path of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) mode: Mode,
    pub(crate) oid: Oid,
}

/// A parsed tree object, by name.
pub(crate) type Tree = Vec<(Vec<u8>, Item)>;

/// A difference between two trees at a path that is no folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: Vec<u8>,
    pub(crate) old: Option<Item>,
    pub(crate) new: Option<Item>,
}

/// Answers questions about objects from as many processes as are asked at once.
pub(crate) struct Objects {
    start: Box<dyn Fn() -> io::Result<Child> + Send + Sync>,
    readers: Mutex<Vec<Reader>>,
    trees: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    trees: HashMap<Oid, Arc<Tree>>,
    entries: usize,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Objects")
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is kept is valid after every single change, so a panic elsewhere spoils nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bad(cause: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause.into())
}

/// What is asked of one object.
enum Wanted {
    Info,
    /// The first so many bytes.
    Bytes(u64),
}

struct Answer {
    kind: String,
    size: u64,
    bytes: Vec<u8>,
}

impl Objects {
    /// `start` starts a `git cat-file --batch-command`.
    pub(crate) fn new(start: impl Fn() -> io::Result<Child> + Send + Sync + 'static) -> Objects {
        Objects {
            start: Box::new(start),
            readers: Mutex::default(),
            trees: Mutex::default(),
        }
    }

    fn ask(&self, oid: Oid, wanted: &Wanted) -> io::Result<Option<Answer>> {
        let idle = locked(&self.readers).pop();
        let (mut reader, fresh) = match idle {
            Some(reader) => (reader, false),
            None => (Reader::new((self.start)()?)?, true),
        };
        let answer = match reader.ask(oid, wanted) {
            // An idle process may have been ended by somebody else.
            Err(_) if !fresh => {
                reader = Reader::new((self.start)()?)?;
                reader.ask(oid, wanted)?
            }
            answer => answer?,
        };
        let mut readers = locked(&self.readers);
        if readers.len() < READERS_KEPT {
            readers.push(reader);
        }
        Ok(answer)
    }

    /// Kind and size of an object; `None` if it is not there.
    pub(crate) fn info(&self, oid: Oid) -> io::Result<Option<(String, u64)>> {
        let answer = self.ask(oid, &Wanted::Info)?;
        Ok(answer.map(|answer| (answer.kind, answer.size)))
    }

    /// The first `bytes_max` bytes of a blob, and its whole size.
    pub(crate) fn blob(&self, oid: Oid, bytes_max: u64) -> io::Result<(Vec<u8>, u64)> {
        match self.ask(oid, &Wanted::Bytes(bytes_max))? {
            Some(answer) if answer.kind == "blob" => Ok((answer.bytes, answer.size)),
            Some(answer) => Err(bad(format!("object {oid} is a {}", answer.kind))),
            None => Err(bad(format!("object {oid} is missing"))),
        }
    }

    /// Writes a whole blob somewhere; returns its size.
    pub(crate) fn copy_blob(&self, oid: Oid, to: &mut dyn Write) -> io::Result<u64> {
        // Whether an idle process still lives is asked first: what was written cannot be unwritten.
        let size = match self.ask(oid, &Wanted::Info)? {
            Some(answer) if answer.kind == "blob" => answer.size,
            _ => return Err(bad(format!("blob {oid} is missing"))),
        };
        let idle = locked(&self.readers).pop();
        let mut reader = idle.map_or_else(|| Reader::new((self.start)()?), Ok)?;
        reader.copy(oid, to)?;
        locked(&self.readers).push(reader);
        Ok(size)
    }

    /// The tree and the parents of a commit.
    pub(crate) fn commit(&self, oid: Oid) -> io::Result<(Oid, Vec<Oid>)> {
        let answer = self.ask(oid, &Wanted::Bytes(64 << 10))?;
        let answer = answer.ok_or_else(|| bad(format!("commit {oid} is missing")))?;
        if answer.kind != "commit" {
            return Err(bad(format!("object {oid} is a {}", answer.kind)));
        }
        let text = String::from_utf8_lossy(&answer.bytes);
        let mut lines = text.lines();
        let tree = lines
            .next()
            .and_then(|line| Oid::parse(line.strip_prefix("tree ")?));
        let tree = tree.ok_or_else(|| bad(format!("commit {oid} has no tree")))?;
        let parents = lines.map_while(|line| Oid::parse(line.strip_prefix("parent ")?));
        Ok((tree, parents.collect()))
    }

    /// A tree object.
    pub(crate) fn tree(&self, oid: Oid) -> io::Result<Arc<Tree>> {
        if let Some(tree) = locked(&self.trees).trees.get(&oid) {
            return Ok(Arc::clone(tree));
        }
        let answer = self.ask(oid, &Wanted::Bytes(TREE_BYTES_MAX))?;
        let answer = answer.ok_or_else(|| bad(format!("tree {oid} is missing")))?;
        if answer.kind != "tree" || answer.size > TREE_BYTES_MAX {
            return Err(bad(format!(
                "object {oid} is a {} of {} bytes",
                answer.kind, answer.size
            )));
        }
        let tree = parse_tree(&answer.bytes, usize::from(oid.len))
            .ok_or_else(|| bad(format!("tree {oid} is damaged")))?;
        let tree = Arc::new(tree);
        let mut kept = locked(&self.trees);
        if kept.entries + tree.len() > KEPT_ENTRIES_MAX {
            *kept = Kept::default();
        }
        if kept.trees.insert(oid, Arc::clone(&tree)).is_none() {
            kept.entries += tree.len();
        }
        Ok(tree)
    }

    /// What stands at the end of a path's components.
    pub(crate) fn item(&self, root: Oid, path: &[&str]) -> io::Result<Walked> {
        let mut at = Item {
            mode: Mode::Tree,
            oid: root,
        };
        for name in path {
            match at.mode {
                Mode::Tree => {}
                Mode::Link => return Ok(Walked::Link),
                _ => return Ok(Walked::Missing),
            }
            let tree = self.tree(at.oid)?;
            match tree.iter().find(|(entry, _)| entry == name.as_bytes()) {
                Some((_, item)) => at = *item,
                None => return Ok(Walked::Missing),
            }
        }
        Ok(Walked::Item(at))
    }

    /// All that is no folder, by path.
    pub(crate) fn list(&self, root: Oid) -> io::Result<Vec<(Vec<u8>, Item)>> {
        let changes = self.compare(None, Some(root))?;
        let item = |change: Change| Some((change.path, change.new?));
        Ok(changes.into_iter().filter_map(item).collect())
    }

    /// How `new` differs from `old`, sorted by path. Equal folders are not looked into.
    pub(crate) fn compare(&self, old: Option<Oid>, new: Option<Oid>) -> io::Result<Vec<Change>> {
        let mut changes = Vec::new();
        let mut waiting = vec![(Vec::new(), 0, old, new)];
        while let Some((prefix, depth, old, new)) = waiting.pop() {
            if old == new {
                continue;
            }
            if depth > DEPTH_MAX || changes.len() > PATHS_MAX {
                let cause = "the tree is too deep or too large to be listed";
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, cause));
            }
            let load = |oid: Option<Oid>| oid.map_or(Ok(Arc::default()), |oid| self.tree(oid));
            let (old, new) = (load(old)?, load(new)?);
            let olds: HashMap<&[u8], Item> = old.iter().map(|(n, i)| (n.as_slice(), *i)).collect();
            let news: HashMap<&[u8], Item> = new.iter().map(|(n, i)| (n.as_slice(), *i)).collect();
            let gone = olds.iter().filter(|(name, _)| !news.contains_key(*name));
            let pairs = news
                .iter()
                .map(|(name, new)| (*name, olds.get(name).copied(), Some(*new)))
                .chain(gone.map(|(name, old)| (*name, Some(*old), None)));
            for (name, old, new) in pairs {
                if old == new {
                    continue;
                }
                let mut path = prefix.clone();
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                let folder = |item: Option<Item>| item.filter(|i| i.mode == Mode::Tree);
                let leaf = |item: Option<Item>| item.filter(|i| i.mode != Mode::Tree);
                let (old_folder, new_folder) = (folder(old), folder(new));
                let (old, new) = (leaf(old), leaf(new));
                if old_folder.is_some() || new_folder.is_some() {
                    let oid = |item: Option<Item>| item.map(|item| item.oid);
                    waiting.push((path.clone(), depth + 1, oid(old_folder), oid(new_folder)));
                }
                if old.is_some() || new.is_some() {
                    changes.push(Change { path, old, new });
                }
            }
        }
        changes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }
}

/// Where a path of a tree leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    Missing,
    /// A link stands on the way.
    Link,
    Item(Item),
}

fn parse_tree(mut bytes: &[u8], oid_len: usize) -> Option<Tree> {
    let mut tree = Vec::new();
    while !bytes.is_empty() {
        let space = memchr::memchr(b' ', bytes)?;
        let bits = u32::from_str_radix(std::str::from_utf8(&bytes[..space]).ok()?, 8).ok()?;
        bytes = &bytes[space + 1..];
        let nul = memchr::memchr(0, bytes)?;
        let name = bytes[..nul].to_vec();
        let oid = Oid::from_raw(bytes.get(nul + 1..nul + 1 + oid_len)?)?;
        tree.push((
            name,
            Item {
                mode: Mode::from_bits(bits),
                oid,
            },
        ));
        bytes = &bytes[nul + 1 + oid_len..];
    }
    Some(tree)
}

/// One `git cat-file --batch-command`.
struct Reader {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<Timed<ChildStdout>>,
}

impl Reader {
    fn new(mut child: Child) -> io::Result<Reader> {
        let pipes = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = pipes else {
            kill(&mut child);
            return Err(bad("git cat-file was started without pipes"));
        };
        let stdout = BufReader::with_capacity(64 << 10, Timed(stdout));
        Ok(Reader {
            child,
            stdin,
            stdout,
        })
    }

    fn ask(&mut self, oid: Oid, wanted: &Wanted) -> io::Result<Option<Answer>> {
        let word = match wanted {
            Wanted::Info => "info",
            Wanted::Bytes(_) => "contents",
        };
        let Some((kind, size)) = self.head(word, oid)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        if let Wanted::Bytes(bytes_max) = wanted {
            let kept = size.min(*bytes_max);
            (&mut self.stdout).take(kept).read_to_end(&mut bytes)?;
            // The rest must leave the pipe before the next answer; the line end belongs to it.
            let rest = size - kept + 1;
            let skipped = io::copy(&mut (&mut self.stdout).take(rest), &mut io::sink())?;
            if bytes.len() as u64 != kept || skipped != rest {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Some(Answer { kind, size, bytes }))
    }

    /// Asks, and reads an answer's first line: a hash, a kind and a size.
    fn head(&mut self, word: &str, oid: Oid) -> io::Result<Option<(String, u64)>> {
        self.stdin.write_all(format!("{word} {oid}\n").as_bytes())?;
        let mut line = String::new();
        (&mut self.stdout).take(1_000).read_line(&mut line)?;
        let mut words = line.split_ascii_whitespace().skip(1);
        match (words.next(), words.next().map(str::parse)) {
            (Some("missing"), None) => Ok(None),
            (Some(kind), Some(Ok(size))) => Ok(Some((kind.to_owned(), size))),
            _ => Err(bad(format!("git cat-file answered {line:?}"))),
        }
    }

    fn copy(&mut self, oid: Oid, to: &mut dyn Write) -> io::Result<()> {
        let head = self.head("contents", oid)?;
        let (_, size) = head.ok_or_else(|| bad(format!("object {oid} is missing")))?;
        let copied = io::copy(&mut (&mut self.stdout).take(size), to)?;
        let mut end = [0];
        self.stdout.read_exact(&mut end)?;
        match copied == size {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}
