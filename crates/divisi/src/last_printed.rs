//! The last line that a program printed before it failed: mostly, it says why.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use divisi_agents::adapter::Closing;
use divisi_core::criterion::truncate;
use divisi_core::receipt::{Exit, Receipt};
use divisi_core::run::Run;
use divisi_core::{AttemptId, RunId, TaskId};
use divisi_engine::engine::log_path;
use divisi_pack::printable;

/// So much of a log's end is looked at.
const LOOKED_AT_BYTES: u64 = 4 << 10;

/// It is a hint; the log holds the whole.
const LINE_BYTES_MAX: usize = 200;

/// What the program of an attempt printed last, if it ended badly and was no adapter, which says
/// why in its claim.
pub(crate) fn of_failed(divisi: &Path, run: &Run, attempt: AttemptId) -> Option<String> {
    let task = run.task(attempt.task)?;
    let ending = task.ending(attempt.number)?;
    let failed = |receipt: &Receipt| match receipt {
        Receipt::Submitted { exit, .. } => !matches!(exit, Exit::Status(0) | Exit::NoProcess),
        _ => false,
    };
    match ending.receipts.iter().any(failed) {
        true => of(divisi, run.id, &task.spec.id, attempt.number),
        false => None,
    }
}

fn of(divisi: &Path, run: RunId, task: &TaskId, number: u32) -> Option<String> {
    // Logs are given up by time; that nothing is there is no trouble.
    let mut log = File::open(log_path(divisi, run, task, number)).ok()?;
    let length = log.metadata().ok()?.len();
    let begin = length.saturating_sub(LOOKED_AT_BYTES);
    log.seek(SeekFrom::Start(begin)).ok()?;
    let mut end = Vec::new();
    log.take(LOOKED_AT_BYTES).read_to_end(&mut end).ok()?;
    last_line(&String::from_utf8_lossy(&end))
}

fn last_line(text: &str) -> Option<String> {
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    if Closing::last_in(line).is_some() {
        return None;
    }
    let mut line = printable(line.trim());
    truncate(&mut line, LINE_BYTES_MAX);
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_with_something_in_it_is_told_as_it_can_be_printed() {
        let told = last_line("one\n  cannot \x1b[31mopen\x1b[0m foo  \n\n");
        assert_eq!(
            told.as_deref(),
            Some("cannot \u{fffd}[31mopen\u{fffd}[0m foo")
        );
        assert_eq!(last_line(" \n\n"), None);
    }

    #[test]
    fn a_long_line_is_cut() {
        let told = last_line(&"é".repeat(1_000)).unwrap();
        assert!(told.len() <= LINE_BYTES_MAX + "…".len(), "{}", told.len());
    }

    #[test]
    fn an_adapters_closing_is_not_repeated() {
        let line = r#"{"entry":"closed","claim":{"failed":{"cause":"no key"}}}"#;
        assert_eq!(last_line(line), None);
    }
}
