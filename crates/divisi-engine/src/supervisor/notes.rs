//! What a supervisor writes down so that its successor knows what it held.
//!
//! One JSON object a line, appended and never changed: a process was started, a job ended, a
//! result was forgotten. A line is written before the word that rests on it is sent. The notes
//! need not survive the machine, only the supervisor: after a new boot all processes are gone,
//! so they are not synced. A torn last line is an ordinary thing.
//!
//! The lines are a stored format of their own ([`VERSION`]); they borrow the protocol's
//! [`Ended`] because a result is handed on as it was.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use divisi_core::worker::{Ended, Job};
use serde::{Deserialize, Serialize};

use crate::failpoint;

/// Version of the lines. Lines of another version are not read: what they tell of is then
/// found by the marks in the environment, and results in them are lost.
const VERSION: u32 = 1;

/// Notes longer than this are written anew with only what is still held.
const COMPACT_AT_BYTES: u64 = 256 << 10;

/// No more is read at a start; longer notes were not written by a supervisor.
const READ_BYTES_MAX: u64 = 256 << 20;

/// Lines that could not be written (the disk is full) are kept to be tried again, up to this.
const UNWRITTEN_BYTES_MAX: usize = 1 << 20;

/// The name of the notes in the folder.
const FILE: &str = "supervisor.notes";

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
enum Note {
    Opened { version: u32 },
    Started(Started),
    Ended { job: Job, ended: Ended },
    Forgotten { job: Job },
}

/// A process that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Started {
    pub(super) job: Job,
    pub(super) pid: i32,
    pub(super) start_time: u64,
    pub(super) boot_id: String,
}

/// What the notes of an earlier supervisor tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Started, and nothing was noted of their end.
    pub(super) live: BTreeMap<Job, Started>,
    /// Ended, and not forgotten.
    pub(super) ended: BTreeMap<Job, Ended>,
}

/// The notes, open for appending.
pub(super) struct Notes {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// The size right after the last rewriting: the next one waits until it has paid off.
    compacted_bytes: u64,
    unwritten: Vec<u8>,
}

impl Notes {
    /// Reads the notes in a folder.
    pub(super) fn read(dir: &Path) -> io::Result<Told> {
        let mut text = Vec::new();
        match open(&dir.join(FILE), OpenOptions::new().read(true)) {
            Ok(file) => file.take(READ_BYTES_MAX).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(tell(&text))
    }

    /// Begins notes anew with these results, in place of what was there.
    pub(super) fn begin(dir: &Path, ended: &BTreeMap<Job, Ended>) -> io::Result<Notes> {
        let path = dir.join(FILE);
        let (file, bytes) = rewrite(&path, ended.iter())?;
        Ok(Notes {
            path,
            file,
            bytes,
            compacted_bytes: bytes,
            unwritten: Vec::new(),
        })
    }

    pub(super) fn started(&mut self, started: Started) {
        self.add(&Note::Started(started));
    }

    pub(super) fn ended(&mut self, job: Job, ended: &Ended) {
        let ended = ended.clone();
        self.add(&Note::Ended { job, ended });
    }

    pub(super) fn forgotten(&mut self, job: Job) {
        self.add(&Note::Forgotten { job });
    }

    fn add(&mut self, note: &Note) {
        serde_json::to_writer(&mut self.unwritten, note).expect("a note is JSON");
        self.unwritten.push(b'\n');
    }

    /// Writes what was added since the last time, in one go.
    ///
    /// # Errors
    /// The disk is full. What was not written is tried again with the next lines; a job that is
    /// missing in the notes is still found by the mark in its environment.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        failpoint::hit("supervisor.notes.write.before");
        let written = self.file.write(&self.unwritten);
        failpoint::hit("supervisor.notes.write.after");
        match written {
            Ok(written) => {
                self.bytes += written as u64;
                self.unwritten.drain(..written);
                if self.unwritten.is_empty() {
                    return Ok(());
                }
            }
            Err(error) if self.unwritten.len() <= UNWRITTEN_BYTES_MAX => return Err(error),
            Err(_) => self.unwritten.clear(),
        }
        Err(io::ErrorKind::StorageFull.into())
    }

    /// Whether the notes have grown so much that they should be rewritten, given how many jobs
    /// there are to be noted.
    pub(super) fn wants_compaction(&self) -> bool {
        self.bytes > COMPACT_AT_BYTES && self.bytes / 4 > self.compacted_bytes
    }

    /// Writes the notes anew with only these, in one step.
    pub(super) fn compact<'a>(
        &mut self,
        live: impl Iterator<Item = Started>,
        ended: impl Iterator<Item = (&'a Job, &'a Ended)>,
    ) -> io::Result<()> {
        let (file, bytes) = rewrite(&self.path, ended)?;
        self.file = file;
        self.bytes = bytes;
        self.unwritten.clear();
        for started in live {
            self.started(started);
        }
        self.compacted_bytes = bytes + self.unwritten.len() as u64;
        self.flush()
    }
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

/// Puts a new file in the place of the old, so that there is always a whole one.
fn rewrite<'a>(
    path: &Path,
    ended: impl Iterator<Item = (&'a Job, &'a Ended)>,
) -> io::Result<(File, u64)> {
    let fresh = path.with_extension("notes.new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = open(&fresh, OpenOptions::new().append(true).create_new(true))?;
    let mut text = Vec::new();
    let opened = Note::Opened { version: VERSION };
    let ended = ended.map(|(job, ended)| Note::Ended {
        job: *job,
        ended: ended.clone(),
    });
    for note in std::iter::once(opened).chain(ended) {
        serde_json::to_writer(&mut text, &note)?;
        text.push(b'\n');
    }
    file.write_all(&text)?;
    failpoint::hit("supervisor.notes.rename.before");
    std::fs::rename(&fresh, path)?;
    failpoint::hit("supervisor.notes.rename.after");
    Ok((file, text.len() as u64))
}

/// Replays lines; what cannot be read is passed over, since a line stands for itself.
fn tell(text: &[u8]) -> Told {
    let mut told = Told::default();
    for line in text.split(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(Note::Opened { version }) if version != VERSION => return Told::default(),
            Ok(Note::Started(started)) => {
                told.live.insert(started.job, started);
            }
            Ok(Note::Ended { job, ended }) => {
                told.live.remove(&job);
                told.ended.insert(job, ended);
            }
            Ok(Note::Forgotten { job }) => {
                told.ended.remove(&job);
            }
            Ok(Note::Opened { .. }) | Err(_) => {}
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use divisi_core::receipt::Exit;

    fn job(text: &str) -> Job {
        Job::parse(text).unwrap()
    }

    fn ended(status: i32) -> Ended {
        Ended {
            wall_ms: 3,
            ..Ended::of(Exit::Status(status))
        }
    }

    fn started(text: &str) -> Started {
        Started {
            job: job(text),
            pid: 17,
            start_time: 99,
            boot_id: "b".to_owned(),
        }
    }

    #[test]
    fn notes_are_told_as_they_were_taken_also_with_a_torn_end() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Notes::read(dir.path()).unwrap(), Told::default());
        let mut notes = Notes::begin(dir.path(), &BTreeMap::new()).unwrap();
        notes.started(started("1/0.1"));
        notes.started(started("1/1.1"));
        notes.started(started("1/2.1"));
        notes.ended(job("1/1.1"), &ended(4));
        notes.ended(job("1/2.1"), &ended(0));
        notes.forgotten(job("1/2.1"));
        notes.flush().unwrap();
        let expected = Told {
            live: BTreeMap::from([(job("1/0.1"), started("1/0.1"))]),
            ended: BTreeMap::from([(job("1/1.1"), ended(4))]),
        };
        assert_eq!(Notes::read(dir.path()).unwrap(), expected);

        let path = dir.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        let mut torn = whole.clone();
        torn.extend_from_slice(b"{\"note\":\"ended\",\"job\":{\"attempt\":{\"run\":1,\"ta");
        assert_eq!(tell(&torn), expected);
        for cut in 0..whole.len() {
            // Whatever was torn off, the first lines tell what they tell.
            let told = tell(&whole[..cut]);
            assert!(told.live.len() + told.ended.len() <= 3, "cut at {cut}");
        }
        assert_eq!(tell(b"{\"note\":\"opened\",\"version\":2}\n").live.len(), 0);
    }

    #[test]
    fn notes_stay_bounded_however_many_jobs_pass() {
        let dir = tempfile::tempdir().unwrap();
        let mut notes = Notes::begin(dir.path(), &BTreeMap::new()).unwrap();
        let kept = BTreeMap::from([(job("2/0.1"), ended(1))]);
        notes.ended(job("2/0.1"), &ended(1));
        for n in 0..20_000 {
            let passing = job(&format!("1/{n}.1"));
            notes.ended(passing, &ended(0));
            notes.forgotten(passing);
            notes.flush().unwrap();
            if notes.wants_compaction() {
                let live = std::iter::once(started("2/1.1"));
                notes.compact(live, kept.iter()).unwrap();
            }
        }
        let size = std::fs::metadata(dir.path().join(FILE)).unwrap().len();
        assert!(size <= COMPACT_AT_BYTES + 1024, "{size} bytes");
        let told = Notes::read(dir.path()).unwrap();
        assert_eq!(told.ended.get(&job("2/0.1")), Some(&ended(1)));
        assert_eq!(told.live.get(&job("2/1.1")), Some(&started("2/1.1")));
    }
}
