//! When a usage limit ends, from the words in which a tool tells it.
//!
//! Each product lists the words that stand before it, and in which form it follows. What cannot be
//! read is no fault: then nobody said it.

use divisi_core::Time;
use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// In which form the end of a limit follows certain words, which are given in lower case.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reset {
    /// How long it takes: `3 days 4 hours`, `11.054s`, `1h2m`; plain numbers are seconds.
    In(&'static str),
    /// A time of the day, perhaps with a day and a place: `3pm`, `3:05 PM`, `Nov 28th, 2026 3:05 PM`,
    /// `3pm (Europe/Berlin)`. In the local time unless a place is named. Or a moment by RFC 3339.
    At(&'static str),
    /// Seconds since the Unix epoch.
    Epoch(&'static str),
}

/// The words of those of whom no others are known. They are looked for only in what is a usage limit
/// by other words.
pub(super) const COMMON: [Reset; 13] = [
    Reset::In("try again in "),
    Reset::In("try again after "),
    Reset::In("retry in "),
    Reset::In("retry after "),
    Reset::In("retry-after"),
    Reset::In("resets in "),
    Reset::In("reset in "),
    Reset::In("reset after "),
    Reset::At("try again at "),
    Reset::At("try again after "),
    Reset::At("resets at "),
    Reset::At("reset at "),
    Reset::At("resets "),
];

/// The clock, to which times of the day are related.
pub(super) fn now() -> Time {
    Time(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0))
}

/// How far a text is looked into behind such words.
const REST_BYTES_MAX: usize = 80;

/// How long is to be waited from now on, as a text says it; the first form that can be read counts.
pub(super) fn wait_ms(text: &str, resets: &[Reset], now: Time) -> Option<u64> {
    let lower = text.to_lowercase();
    let behind = |at: usize| {
        let end = { at..=(at + REST_BYTES_MAX).min(lower.len()) }
            .rfind(|end| lower.is_char_boundary(*end));
        lower[at..end.unwrap_or(at)].trim_start_matches([' ', ':', '=', '"'])
    };
    resets.iter().find_map(|reset| {
        let places = lower.match_indices(reset.words());
        let mut rests = places.map(|(at, words)| behind(at + words.len()));
        rests.find_map(|rest| match reset {
            Reset::In(_) => duration_ms(rest),
            Reset::At(_) => Some(moment(rest, now)?.ms_since(now)),
            Reset::Epoch(_) => Some(epoch(rest)?.ms_since(now)),
        })
    })
}

impl Reset {
    /// The words before it.
    fn words(self) -> &'static str {
        match self {
            Reset::In(words) | Reset::At(words) | Reset::Epoch(words) => words,
        }
    }
}

/// A number at the beginning of a text, and what follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let digits = text[..end].trim_end_matches('.');
    let number: f64 = digits.parse().ok()?;
    Some((number, &text[digits.len()..]))
}

/// A number at the beginning of a text, or the word for one of something.
fn count(text: &str) -> Option<(f64, &str)> {
    let one = { ["an ", "a "].into_iter() }.find_map(|one| text.strip_prefix(one));
    one.map(|rest| (1.0, rest)).or_else(|| number(text))
}

/// Numbers with their units, one after the other.
fn duration_ms(text: &str) -> Option<u64> {
    let (mut rest, mut sum, mut any) = (text, 0.0, false);
    while let Some((many, behind)) = count(rest) {
        let behind = behind.trim_start();
        let end = behind
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(behind.len());
        let each = match &behind[..end] {
            // It is a date, or a time of the day.
            "" if behind.starts_with(['-', ':', '/']) => break,
            "" | "s" | "sec" | "secs" | "second" | "seconds" => 1_000.0,
            "ms" | "millisecond" | "milliseconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000.0,
            "d" | "day" | "days" => 86_400_000.0,
            _ => break,
        };
        (sum, any) = (sum + many * each, true);
        rest = behind[end..].trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    // More than an integer can hold is more than anybody waits.
    any.then_some(sum as u64)
}

fn epoch(text: &str) -> Option<Time> {
    let (seconds, _) = number(text)?;
    // Anything else is another number.
    (1e9..1e11)
        .contains(&seconds)
        .then_some(Time((seconds * 1e3) as u64))
}

/// The next moment at which it is this time of the day, or the moment on the day that is named.
fn moment(text: &str, now: Time) -> Option<Time> {
    if let Some(at) = stamp(text) {
        return Some(at);
    }
    let zone = zone(text).unwrap_or_else(TimeZone::system);
    let at = Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
    let now = at.to_zoned(zone);
    let (day, text) = match day(text, &now) {
        Some((day, rest)) => (Some(day), rest),
        None => (None, text),
    };
    let time = time_of_day(
        text.trim_start_matches([' ', ','])
            .trim_start_matches("at "),
    )?;
    let of = |day: civil::Date| day.to_datetime(time).to_zoned(now.time_zone().clone()).ok();
    let then = match day {
        Some(day) => of(day)?,
        None => {
            let today = of(now.date())?;
            match today > now {
                true => today,
                false => of(now.date().tomorrow().ok()?)?,
            }
        }
    };
    u64::try_from(then.timestamp().as_millisecond())
        .ok()
        .map(Time)
}

/// A moment by RFC 3339 at the beginning of a text, of which the case is lost.
fn stamp(text: &str) -> Option<Time> {
    let of_it = |c: char| c.is_ascii_alphanumeric() || "-:+.".contains(c);
    let end = text.find(|c| !of_it(c)).unwrap_or(text.len());
    let word = text[..end].trim_end_matches(['.', ':']).to_uppercase();
    let at: Timestamp = word.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok().map(Time)
}

/// A place in brackets: `(America/Los_Angeles)`, of which the case is lost.
fn zone(text: &str) -> Option<TimeZone> {
    let (_, rest) = text.split_once('(')?;
    let (name, _) = rest.split_once(')')?;
    TimeZone::get(name).ok()
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// A day at the beginning of a text: `nov 28th, 2026`, `nov 28`. The next such one without a year.
fn day<'t>(text: &'t str, now: &Zoned) -> Option<(civil::Date, &'t str)> {
    let month = MONTHS.iter().position(|month| text.starts_with(month))? as i8 + 1;
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let (day, rest) = number(rest.trim_start_matches(['.', ' ']))?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let rest = rest.trim_start_matches([',', ' ']);
    let year = number(rest).filter(|(year, _)| (2000.0..10_000.0).contains(year));
    let date = |year: i16| civil::Date::new(year, month, day as i8).ok();
    match year {
        Some((year, rest)) => Some((date(year as i16)?, rest)),
        None => {
            let this = date(now.year())?;
            let next = || this.checked_add(Span::new().years(1)).ok();
            Some((if this >= now.date() { this } else { next()? }, rest))
        }
    }
}

/// `3pm`, `3:05 pm`, `15:05`.
fn time_of_day(text: &str) -> Option<civil::Time> {
    let (hour, rest) = number(text)?;
    let (minute, rest) = match rest.strip_prefix(':') {
        Some(rest) => number(rest)?,
        None => (0.0, rest),
    };
    let rest = rest.trim_start();
    let hour = match (hour as i8, rest.get(..2)) {
        (hour @ 1..=11, Some("pm")) => hour + 12,
        (12, Some("am")) => 0,
        (hour @ 1..=12, Some("am" | "pm")) => hour,
        // Without a colon it may be any number.
        (hour, _) if text.contains(':') => hour,
        _ => return None,
    };
    civil::Time::new(hour, minute as i8, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26 15:04:05 UTC.
    const NOW: Time = Time(1_795_705_445_000);

    const RESETS: [Reset; 5] = [
        Reset::Epoch("limit reached|"),
        Reset::In("try again in "),
        Reset::In("retry-after"),
        Reset::At("try again at "),
        Reset::At("resets "),
    ];

    fn seconds(text: &str) -> Option<f64> {
        wait_ms(text, &RESETS, NOW).map(|ms| ms as f64 / 1_000.0)
    }

    #[test]
    fn what_tools_say_of_the_end_of_a_limit_is_read() {
        for (text, expected) in [
            (
                "Rate limit reached. Please try again in 11.054s. Visit …",
                11.054,
            ),
            ("try again in 1h2m", 3_720.0),
            ("Try again in 3 days 4 hours 9 minutes.", 274_140.0),
            ("Try again in 1 hour, and 30 minutes", 5_400.0),
            ("try again in 250ms", 0.25),
            ("{\"retry-after\":\"7\"}", 7.0),
            ("Claude AI usage limit reached|1795709045", 3_600.0),
            ("limit reached ∙ resets 4pm (UTC)", 3_355.0),
            ("limit reached ∙ resets 3pm (UTC)", 86_155.0),
            ("You've hit your limit · resets 4:30pm (Etc/UTC)", 5_155.0),
            ("resets Nov 28, 3:04pm (UTC)", 172_795.0),
            ("resets 7am (America/Los_Angeles)", 86_155.0),
            ("Try again at Nov 28th, 2026 3:05 PM (UTC).", 172_855.0),
            ("resets Jan 2 at 12am (UTC)", 3_142_555.0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_others_say_of_it_is_read_in_the_common_words() {
        let seconds = |text| wait_ms(text, &COMMON, NOW).map(|ms| ms as f64 / 1_000.0);
        for (text, expected) in [
            ("HTTP 429. Try again in 2 hours.", 7_200.0),
            ("try again in 20 minutes, or pay", 1_200.0),
            ("Please try again in 3 days", 259_200.0),
            ("try again in an hour", 3_600.0),
            ("try again after 90 seconds", 90.0),
            ("Your quota will reset after 2h3m4s.", 7_384.0),
            ("Please retry in 12.5s.", 12.5),
            ("{\"Retry-After\": \"120\"}", 120.0),
            ("the limit resets in 45 min", 2_700.0),
            ("resets at 3pm (America/New_York)", 17_755.0),
            ("resets 16:04 (UTC)", 3_595.0),
            ("try again after 2026-11-26T16:04:05Z", 3_600.0),
            ("resets at \"2026-11-26T18:04:05.5+02:00\"", 3_600.5),
            ("try again at 2026-11-26T16:04:05Z.", 3_600.0),
            // The first that can be read counts.
            ("It resets by itself. It resets at 4:04pm (UTC)", 3_595.0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "try again in a while",
            "retry after 2026-11-26",
            "try again at 2026-11-26",
            "try again at 2026-13-26T16:04:05Z",
            "resets",
            "reset in é",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_says_nothing_of_it_is_not_read() {
        for text in [
            "",
            "429 too many requests",
            "try again in a while",
            "try again later",
            "try again at noon",
            "resets 99pm",
            "resets 3",
            "resets nov 99, 3pm",
            "limit reached|12",
            "resets ∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
        let endless = format!("try again in {}", "9".repeat(400));
        assert_eq!(wait_ms(&endless, &RESETS, NOW), Some(u64::MAX));
        // What has been is over.
        assert_eq!(seconds("limit reached|1795705000"), Some(0.0));
    }

    #[test]
    fn a_time_without_a_place_is_the_local_one() {
        let wait = wait_ms("resets 3pm", &RESETS, NOW).unwrap();
        assert!(wait <= 25 * 3_600_000, "{wait}");
        let then = Timestamp::from_millisecond((NOW.0 + wait) as i64).unwrap();
        let then = then.to_zoned(TimeZone::system());
        assert_eq!((then.hour(), then.minute()), (15, 0));
    }
}
