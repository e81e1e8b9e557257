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
        // A log that keeps no more, or cannot be read, tells nothing.
        let is_read = heard.read(&log, &progress).unwrap_or(false);
        let is_capped = seen.output_bytes > heard.offset.saturating_add(LOOK_BYTES_MAX);
        self.heard.insert(attempt, heard);
        (is_read && !is_capped).then_some(Stream {
            entries: heard.told.entries,
            calling: heard.told.called > heard.told.returned,
        })
    }
}

impl Heard {
    /// Reads on, whole lines only. Whether there is a log.
    fn read(
        &mut self,
        log: &Path,
        progress: &dyn Fn(&str) -> Option<Progress>,
    ) -> io::Result<bool> {
        let mut file = match File::open(log) {
            Ok(file) => file,
            // It is there from the first byte on.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
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
        Ok(true)
    }
}
