//! What patterns of the plan choose of the user's own folder.
//!
//! Only what may be given is chosen: files of a bearable size, folders, links. Nothing is opened but
//! folders, and nothing is read through a link.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};
use rustix::fs::{Access, AtFlags, FileType};

use super::walk::{self, Ended, Met, Next};
use crate::repo::Fault;

/// A larger file is left out: most often it is sparse, or nobody thought of it.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// So many entries of the user's folder are looked at for matches.
const MET_MAX: usize = 500_000;

/// So much that was left out is told; a person reads no more.
const TOLD_MAX: usize = 20;

/// Patterns that choose files of the user's own folder. What lies in a folder that matches is
/// chosen with it.
#[derive(Debug)]
pub struct Chosen {
    patterns: Vec<String>,
    globs: GlobSet,
}

/// What was asked for and not given, in words.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    told: Vec<String>,
    more: usize,
}

impl LeftOut {
    pub(crate) fn add(&mut self, path: &[u8], why: &str) {
        match self.told.len() < TOLD_MAX {
            true => self.told.push(format!("{}: {why}", shown(path))),
            false => self.more += 1,
        }
    }

    pub(crate) fn into_words(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("and {} more", self.more));
        }
        self.told
    }
}

/// Patterns whose `*` stays within a folder, as everywhere in plans.
pub(crate) fn globs(patterns: &[String]) -> Result<GlobSet, Fault> {
    let bad = |fault: globset::Error| Fault::odd("read the plan's patterns", &fault.to_string());
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        globs.add(glob.map_err(bad)?);
    }
    globs.build().map_err(bad)
}

/// A path on one line.
fn shown(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

impl Chosen {
    /// Takes patterns that the plan's reader has accepted.
    ///
    /// # Errors
    /// One does not parse after all.
    pub fn new(patterns: &[String]) -> Result<Chosen, Fault> {
        Ok(Chosen {
            patterns: patterns.to_vec(),
            globs: globs(patterns)?,
        })
    }

    /// Whether something beneath a folder can match that itself does not.
    fn reaches_into(&self, folder: &[u8]) -> bool {
        let parts: Vec<&[u8]> = folder.split(|&byte| byte == b'/').collect();
        self.patterns.iter().any(|pattern| {
            let wanted: Vec<&str> = pattern.split('/').collect();
            if !pattern.contains("**") && parts.len() >= wanted.len() {
                return false;
            }
            let literal = wanted
                .iter()
                .take_while(|part| !part.contains(['*', '?', '[', '{', '\\']));
            literal
                .zip(&parts)
                .all(|(wanted, part)| wanted.as_bytes() == *part)
        })
    }

    /// Visits what is chosen, folders before what is in them; what cannot be given is left out
    /// with the reason.
    pub(crate) fn visit(
        &self,
        root: &OwnedFd,
        left_out: &mut LeftOut,
        visit: &mut dyn FnMut(&Met<'_>, &mut LeftOut) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut matched = vec![false; self.patterns.len()];
        let mut hits = Vec::new();
        // The chosen folder that is being looked through, with a slash.
        let mut within: Option<Vec<u8>> = None;
        let (mut met_count, mut failed) = (0, None);
        let walked = walk::walk(root, &mut |met| {
            met_count += 1;
            if met_count > MET_MAX {
                failed = Some(too_much(
                    "the folder to look for files to copy",
                    met_count,
                    MET_MAX,
                ));
                return Next::Stop;
            }
            // A repository's own folder is nobody's to copy, and Divisi's holds the copies.
            if met.at.1.to_bytes() == b".git" || met.path == b".divisi" {
                return Next::Past;
            }
            let inside = within
                .as_ref()
                .is_some_and(|folder| met.path.starts_with(folder));
            if !inside {
                within = None;
                let candidate = Candidate::new(Path::new(OsStr::from_bytes(met.path)));
                self.globs.matches_candidate_into(&candidate, &mut hits);
                hits.iter().for_each(|&hit| matched[hit] = true);
                if hits.is_empty() {
                    let folder = met.kind == FileType::Directory && self.reaches_into(met.path);
                    return match folder && can_be_read(met) {
                        true => Next::Into,
                        false => Next::Past,
                    };
                }
            }
            match met.kind {
                FileType::Directory if !can_be_read(met) => {
                    left_out.add(met.path, "the folder cannot be read");
                    return Next::Past;
                }
                FileType::Directory if !inside => within = Some([met.path, b"/"].concat()),
                FileType::RegularFile if met.bytes > FILE_BYTES_MAX => {
                    let why = format!("{} bytes, at most {FILE_BYTES_MAX}", met.bytes);
                    left_out.add(met.path, &why);
                    return Next::Past;
                }
                FileType::Directory | FileType::RegularFile | FileType::Symlink => {}
                _ => {
                    left_out.add(met.path, "it is no file, folder or link");
                    return Next::Past;
                }
            }
            match visit(met, left_out) {
                Ok(()) => Next::Into,
                Err(fault) => {
                    failed = Some(fault);
                    Next::Stop
                }
            }
        });
        ended(walked, failed)?;
        let unmatched = self.patterns.iter().zip(matched).filter(|(_, hit)| !hit);
        for (pattern, _) in unmatched {
            left_out.add(pattern.as_bytes(), "nothing matches");
        }
        Ok(())
    }

    /// A digest that changes when what is chosen does. Contents are not read: a file that was
    /// written has another time.
    pub(crate) fn stamp(&self, root: &Path) -> Result<[u8; 32], Fault> {
        let folder = walk::open_root(root).map_err(Fault::io("open", root))?;
        let mut stamp = [0; 32];
        self.visit(&folder, &mut LeftOut::default(), &mut |met, _| {
            let mut hash = blake3::Hasher::new();
            hash.update(met.path);
            hash.update(&[0, u8::from(met.kind == FileType::Directory)]);
            if met.kind != FileType::Directory {
                let (mtime, ctime) = (met.mtime, met.ctime);
                for number in [mtime.0, mtime.1, ctime.0, ctime.1, met.inode] {
                    hash.update(&number.to_le_bytes());
                }
                hash.update(&met.bytes.to_le_bytes());
            }
            // Folders are read in no order that could be relied on.
            let one = hash.finalize();
            stamp
                .iter_mut()
                .zip(one.as_bytes())
                .for_each(|(a, b)| *a ^= b);
            Ok(())
        })?;
        Ok(stamp)
    }
}

fn can_be_read(met: &Met<'_>) -> bool {
    let access = Access::READ_OK | Access::EXEC_OK;
    rustix::fs::accessat(met.at.0, met.at.1, access, AtFlags::EACCESS).is_ok()
}

pub(crate) fn too_much(what: &'static str, found: usize, max: usize) -> Fault {
    Fault::TooMuch {
        what,
        found: format!("{found} entries"),
        max: max.to_string(),
    }
}

/// How a walk came out, whose visitor may have stopped it.
pub(crate) fn ended(walked: Result<(), Ended>, failed: Option<Fault>) -> Result<(), Fault> {
    match (failed, walked) {
        (Some(fault), _) => Err(fault),
        (None, Ok(()) | Err(Ended::Stopped)) => Ok(()),
        (None, Err(Ended::TooDeep(_))) => Err(too_much(
            "folders within each other",
            walk::DEPTH_MAX + 1,
            walk::DEPTH_MAX,
        )),
        (None, Err(Ended::Io(error))) => {
            Err(Fault::io("look through", Path::new("a folder"))(error))
        }
    }
}
