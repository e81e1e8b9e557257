//! Lines of a stream that nobody promised to be short.

use std::io::{self, BufRead};

/// A line of a tool's stream holds one message, with the files in it. What is longer is left out.
pub(super) const LINE_BYTES_MAX: u64 = 16 << 20;

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, perhaps the last without an end.
    Whole,
    /// One that was too long; it is skipped.
    TooLong,
    /// There are no more.
    None,
}

/// Reads the next line.
///
/// # Errors
/// The stream cannot be read.
pub(super) fn next(stream: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let read = io::Read::take(&mut *stream, LINE_BYTES_MAX).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(Line::None);
    }
    if read as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
        line.clear();
        // Its rest is no line of its own.
        stream.skip_until(b'\n')?;
        return Ok(Line::TooLong);
    }
    Ok(Line::Whole)
}
