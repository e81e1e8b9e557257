//! The time of the day where this machine stands.

use divisi_core::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What is added to UTC at a moment, in milliseconds.
#[must_use]
pub fn offset_ms(at: Time) -> i64 {
    let at = i64::try_from(at.0)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let offset = at.map_or(0, |at| TimeZone::system().to_offset(at).seconds());
    i64::from(offset) * 1_000
}
