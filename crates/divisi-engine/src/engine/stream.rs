//! What sessions with models tell of their progress, read from their logs as they grow.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use divisi_agents::Progress;
use divisi_core::AttemptId;
use divisi_core::journal::Journal;
use divisi_core::worker::Observation;

use super::Engine;
use crate::monitor::Stream;
use crate::supervisor;

/// So much of a log is read at a look. What is printed faster than that is progress, whatever it is.
const LOOK_BYTES_MAX: u64 = 1 << 20;

/// How far a log was read, and what it told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    offset: u64,
    told: Progress,
}

impl<J: Journal> Engine<J> {
    /// What an attempt's session tells of its progress; `None` where all that it prints and does is.
    pub(super) fn stream_of(&mut self, attempt: AttemptId, seen: &Observation) -> Option<Stream> {
        let live = self.world.live(attempt)?;
        let agent = self.shell.agent(attempt.run, &live.agent)?;
        agent.progress("")?;
        let log = self.log_of(attempt)?;
        let mut heard = self.heard.get(&attempt).copied().unwrap_or_default();
        let progress = |printed: &str| agent.progress(printed);
        let grows_to = supervisor::log_grows_to(self.shell.limits(attempt.run).log_bytes_max);
        let tells = heard.look(&log, seen.output_bytes, grows_to, &progress);
        self.heard.insert(attempt, heard);
        tells.then_some(Stream {
            entries: heard.told.entries,
            calling: heard.told.called > heard.told.returned,
        })
    }
}

impl Heard {
    /// Reads on. Whether the log still tells what is printed: one that has grown as far as it grows
    /// while its job lives, or that cannot be read or written, does not.
    fn look(
        &mut self,
        log: &Path,
        printed_bytes: u64,
        grows_to: u64,
        progress: &dyn Fn(&str) -> Option<Progress>,
    ) -> bool {
        let Ok(length) = self.read(log, progress) else {
            return false;
        };
        let is_behind = printed_bytes > self.offset.saturating_add(LOOK_BYTES_MAX);
        length < grows_to && !is_behind
    }

    /// Reads on, whole lines only. How long the log is.
    fn read(&mut self, log: &Path, progress: &dyn Fn(&str) -> Option<Progress>) -> io::Result<u64> {
        let mut file = match File::open(log) {
            Ok(file) => file,
            // It is there from the first byte on.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(LOOK_BYTES_MAX).read_to_end(&mut bytes)?;
        let is_full = bytes.len() as u64 == LOOK_BYTES_MAX;
        let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            // A line without an end is passed over in pieces.
            None if is_full => bytes.len(),
            None => 0,
        };
        bytes.truncate(whole);
        self.offset += whole as u64;
        if let Some(more) = progress(&String::from_utf8_lossy(&bytes)) {
            self.told.entries += more.entries;
            self.told.called += more.called;
            self.told.returned += more.returned;
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a log of so many lines, of which each has 8 bytes, tells anything, and how many lines
    /// were heard.
    fn looked(heard: &mut Heard, log: &Path, lines: u64, printed: u64) -> (bool, u64) {
        std::fs::write(log, "one two\n".repeat(usize::try_from(lines).unwrap())).unwrap();
        let progress = |printed: &str| {
            let entries = printed.lines().count() as u64;
            Some(Progress {
                entries,
                ..Progress::default()
            })
        };
        let tells = heard.look(log, printed * 8, 8_000, &progress);
        (tells, heard.told.entries)
    }

    #[test]
    fn a_log_that_has_grown_as_far_as_it_grows_tells_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        let mut heard = Heard::default();
        assert!(heard.look(&log, 0, 8_000, &|_| None));
        assert_eq!(looked(&mut heard, &log, 10, 10), (true, 10));
        // A little is printed that is not written yet.
        assert_eq!(looked(&mut heard, &log, 999, 1_010), (true, 999));
        assert_eq!(looked(&mut heard, &log, 1_000, 1_000), (false, 1_000));
        assert_eq!(looked(&mut heard, &log, 1_000, 1_001), (false, 1_000));
    }

    #[test]
    fn a_log_that_cannot_be_written_or_read_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        let mut heard = Heard::default();
        assert_eq!(
            looked(&mut heard, &log, 10, 10 + LOOK_BYTES_MAX),
            (false, 10)
        );
        assert!(!heard.look(folder.path(), 0, 8_000, &|_| None));
    }
}
