//! Files that a workspace gets beside those of its tree.
//!
//! They come from the user's own folder, where patterns of the plan choose them ([`Chosen`]), or
//! from what a setup left ([`super::layers`]). They are never part of an attempt's contribution: the
//! tree's own rules ignore them, or Divisi has git ignore them in this workspace. What the tree
//! has itself is not overwritten, and nothing is read or written through a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::chosen::{Chosen, LeftOut, ended, too_much};
use super::dotenv;
use super::layers::Layer;
use super::pool::Pool;
use super::secrets::Secrets;
use super::survey::leads_outside;
use super::walk::{self, Met, Next};
use crate::repo::{Fault, remove_if_there, split};

/// So many files, links and folders are given to one workspace: with more, looking through a
/// workspace after every attempt would take seconds.
pub(crate) const ENTRIES_MAX: usize = 200_000;

/// The same by apparent size: each workspace has a copy.
pub(crate) const BYTES_MAX: u64 = 4 << 30;

/// Files that git does not ignore by itself are named one by one, and git compares each name with
/// all of them.
const EXCLUDED_MAX: usize = 1_000;

/// What more than that is told of.
const GIVEN: &str = "what workspaces are given";

/// What a workspace gets beside its tree.
#[derive(Clone, Copy, Debug)]
pub enum Provision<'a> {
    /// Nothing.
    Nothing,
    /// What the plan's patterns choose of the user's own folder.
    Chosen(&'a Chosen),
    /// What a setup left, and what it was given.
    Layer(&'a Layer),
}

/// A provision, and the values that must stand in none of its files.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// What is given.
    pub provision: Provision<'a>,
    /// Values of secrets.
    pub secrets: &'a [String],
}

impl Given<'_> {
    /// Nothing.
    pub const NOTHING: Given<'static> = Given {
        provision: Provision::Nothing,
        secrets: &[],
    };
}

impl Pool {
    /// Puts a provision into a folder that holds exactly its tree; says what was left out. Whoever
    /// prepares the folder calls this before anybody sees it.
    pub(crate) fn lay(
        &self,
        slot: u32,
        path: &Path,
        given: Given<'_>,
    ) -> Result<Vec<String>, Fault> {
        let provision = given.provision;
        let from = match provision {
            Provision::Nothing => return Ok(Vec::new()),
            Provision::Chosen(_) => self.repo().root().to_owned(),
            Provision::Layer(layer) => layer.path.clone(),
        };
        self.repo().hook("workspace.lay.before");
        // A layer that is dropped meanwhile would be copied in part.
        let _in_use = self.layers_in_use();
        let root = walk::open_root(&from).map_err(Fault::io("open", &from))?;
        let mut laying = Laying {
            to: walk::open_root(path).map_err(Fault::io("open", path))?,
            path,
            secrets: Secrets::new(given.secrets),
            foreign_links: matches!(provision, Provision::Layer(_)),
            parent: None,
            entries: 0,
            bytes: 0,
        };
        let mut left_out = LeftOut::default();
        match provision {
            Provision::Nothing => {}
            Provision::Chosen(chosen) => {
                chosen.visit(&root, &mut left_out, &mut |met, out| laying.lay(met, out))?;
            }
            Provision::Layer(_) => {
                let mut failed = None;
                let walked = walk::walk(&root, &mut |met| match laying.lay(met, &mut left_out) {
                    Ok(()) => Next::Into,
                    Err(fault) => {
                        failed = Some(fault);
                        Next::Stop
                    }
                });
                ended(walked, failed)?;
            }
        }
        self.exclude_laid(slot, path)?;
        self.repo().hook("workspace.lay.after");
        Ok(left_out.into_words())
    }

    /// Has git ignore in this workspace what it does not ignore by itself of all that was laid in.
    fn exclude_laid(&self, slot: u32, path: &Path) -> Result<(), Fault> {
        let call = self
            .repo()
            .call("look for files that git does not ignore")?
            .work_tree(path)
            .index(&self.index_of(slot));
        let out = call
            .args(["ls-files", "--others", "--exclude-standard", "-z"])
            .ok()?;
        let found: Vec<&[u8]> = split(&out).collect();
        if found.is_empty() {
            return Ok(());
        }
        if found.len() > EXCLUDED_MAX {
            return Err(Fault::TooMuch {
                what: "copied files that git does not ignore",
                found: format!("{} files", found.len()),
                max: EXCLUDED_MAX.to_string(),
            });
        }
        let common = self.repo().excludes_file();
        let mut text = std::fs::read(&common).unwrap_or_default();
        text.push(b'\n');
        for path in found {
            text.extend(excluding(path));
        }
        let place = self.excludes_of(slot);
        std::fs::write(&place, &text).map_err(Fault::io("write", &place))
    }

    /// What git ignores in a workspace besides what its tree says, if it is not what it ignores in
    /// all of them.
    pub(crate) fn excludes_of(&self, slot: u32) -> PathBuf {
        self.index_of(slot).with_file_name("excludes")
    }

    /// Forgets what was laid into a folder before.
    pub(crate) fn forget_excludes(&self, slot: u32) -> Result<(), Fault> {
        let place = self.excludes_of(slot);
        remove_if_there(&place).map_err(Fault::io("remove", &place))
    }
}

/// The line that has git ignore exactly this path.
fn excluding(path: &[u8]) -> Vec<u8> {
    let mut line = vec![b'/'];
    for &byte in path {
        if matches!(byte, b'\\' | b'*' | b'?' | b'[' | b']' | b' ') {
            line.push(b'\\');
        }
        line.push(byte);
    }
    line.push(b'\n');
    line
}

/// One provision on its way into a workspace.
struct Laying<'a> {
    to: OwnedFd,
    path: &'a Path,
    secrets: Secrets<'a>,
    /// Whether links that lead out of the tree are kept, as a setup made them.
    foreign_links: bool,
    /// The folder that was last written to.
    parent: Option<(Vec<u8>, OwnedFd)>,
    entries: usize,
    bytes: u64,
}

impl Laying<'_> {
    fn lay(&mut self, met: &Met<'_>, left_out: &mut LeftOut) -> Result<(), Fault> {
        self.entries += 1;
        if met.kind == FileType::RegularFile {
            self.bytes = self.bytes.saturating_add(met.bytes);
        }
        if self.entries > ENTRIES_MAX {
            return Err(too_much(GIVEN, self.entries, ENTRIES_MAX));
        }
        if self.bytes > BYTES_MAX {
            return Err(Fault::TooMuch {
                what: GIVEN,
                found: format!("{} bytes", self.bytes),
                max: BYTES_MAX.to_string(),
            });
        }
        let place = || self.path.join(OsStr::from_bytes(met.path));
        match self.lay_one(met) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => {
                left_out.add(&self.secrets.masked(met.path.to_vec()), &why);
                Ok(())
            }
            Err(error) => Err(Fault::io("copy", &place())(error)),
        }
    }

    /// Lays one entry; a reason if it is left out.
    fn lay_one(&mut self, met: &Met<'_>) -> io::Result<Option<String>> {
        if met.path.contains(&b'\n') {
            return Ok(Some("its name has several lines".to_owned()));
        }
        if self.secrets.stand_in(met.path) {
            return Ok(Some("its name holds the value of a secret".to_owned()));
        }
        let (above, name) = match memchr::memrchr(b'/', met.path) {
            Some(at) => (&met.path[..at], &met.path[at + 1..]),
            None => (&met.path[..0], met.path),
        };
        if !self.go_to(above)? {
            // The tree has something else in its place, or this was said of the folder above.
            return Ok(None);
        }
        let (_, parent) = self.parent.as_ref().expect("it was gone to");
        match met.kind {
            FileType::Directory => make_folder(parent, name).map(|()| None),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(met.at.0, met.at.1, Vec::new())?;
                if !self.foreign_links && leads_outside(met.path, target.as_bytes()) {
                    return Ok(Some("it is a link that leads elsewhere".to_owned()));
                }
                if self.secrets.stand_in(target.as_bytes()) {
                    return Ok(Some("it holds the value of a secret".to_owned()));
                }
                match rustix::fs::symlinkat(&target, parent, name) {
                    Ok(()) | Err(Errno::EXIST) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            FileType::RegularFile => self.lay_file(met, parent, name),
            _ => Ok(Some("it is no file, folder or link".to_owned())),
        }
    }

    fn lay_file(&self, met: &Met<'_>, parent: &OwnedFd, name: &[u8]) -> io::Result<Option<String>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let from = match rustix::fs::openat(met.at.0, met.at.1, flags, Mode::empty()) {
            Ok(file) => file,
            // Removed or exchanged meanwhile.
            Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
            Err(Errno::ACCESS) => return Ok(Some("it cannot be read".to_owned())),
            Err(error) => return Err(error.into()),
        };
        let stat = rustix::fs::fstat(&from)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
        let mut from = File::from(from);
        if let Some(why) = self.secret_in(&mut from, met.at.1.to_bytes())? {
            return Ok(Some(why));
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(stat.st_mode & 0o777);
        let to = match rustix::fs::openat(parent, name, flags, mode) {
            Ok(file) => File::from(file),
            // The tree has it itself.
            Err(Errno::EXIST) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        copy_bytes(&mut from, &to, met.bytes)?;
        rustix::fs::fchmod(&to, mode)?;
        // Tools that build take a younger file for a changed one.
        to.set_modified(from.metadata()?.modified()?)?;
        Ok(None)
    }

    /// Why a file must not stand beneath `.divisi`, if it must not.
    fn secret_in(&self, file: &mut File, name: &[u8]) -> io::Result<Option<String>> {
        if !self.secrets.is_empty() {
            let held = self.secrets.stand_in_file(&mut *file)?;
            file.rewind()?;
            if held {
                return Ok(Some("it holds the value of a secret".to_owned()));
            }
        }
        if !dotenv::is_named_so(name) {
            return Ok(None);
        }
        let mut text = Vec::new();
        file.take(dotenv::BYTES_MAX).read_to_end(&mut text)?;
        file.rewind()?;
        let set = dotenv::secret_set(&text);
        Ok(set.map(|name| {
            format!("it sets {name}, which looks like a secret; `--pass-env {name}` gives it")
        }))
    }

    /// Opens the folder at a path of the workspace, and makes what is missing of it. `false` if
    /// something else stands in the way.
    fn go_to(&mut self, path: &[u8]) -> io::Result<bool> {
        if self.parent.as_ref().is_some_and(|(at, _)| at == path) {
            return Ok(true);
        }
        let mut folder = self.to.try_clone()?;
        for part in path
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
        {
            make_folder(&folder, part)?;
            match rustix::fs::openat(&folder, part, walk::FOLDER, Mode::empty()) {
                Ok(next) => folder = next,
                Err(Errno::NOTDIR | Errno::LOOP) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        self.parent = Some((path.to_vec(), folder));
        Ok(true)
    }
}

fn make_folder(parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o777)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Copies as many bytes as were met, sharing them with the original where the file system can.
fn copy_bytes(from: &mut File, mut to: &File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if rustix::fs::ioctl_ficlone(to, &*from).is_ok() {
        return Ok(());
    }
    io::copy(&mut from.take(bytes), &mut to)?;
    to.flush()
}
