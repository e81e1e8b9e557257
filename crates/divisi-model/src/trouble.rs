//! Requests that came to nothing: which are made again, and what is claimed in the end.

use std::time::Duration;

use divisi_agents::Claim;
use divisi_core::criterion::truncate;

/// So often is a request made before it is given up.
const REQUESTS_MAX: u32 = 4;

/// The first wait before a request is made again; doubled each time.
const WAIT: Duration = Duration::from_millis(500);

/// The longest wait that is waited for. A server that names a longer one is believed: the task waits
/// then, and holds no worker.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// What is kept of a server's words.
const WORDS_BYTES_MAX: usize = 1_000;

/// Statuses with which a server says: not now.
const LIMITED: [u16; 2] = [429, 529];

/// Statuses besides that may pass: a time-out, a conflict, too early.
const PASSING: [u16; 3] = [408, 409, 425];

/// A request that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What happened.
    pub(crate) kind: Kind,
    /// In the server's words, or ours.
    pub(crate) words: String,
}

/// What happened to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server refused it.
    Status(u16, Option<Duration>),
    /// No server was reached, or the connection broke, or what came was no answer.
    Broken,
    /// Nothing came for too long.
    Silent,
    /// It cannot even be made.
    Unmade,
}

impl Trouble {
    pub(crate) fn new(kind: Kind, words: impl Into<String>) -> Trouble {
        let mut words = words.into();
        truncate(&mut words, WORDS_BYTES_MAX);
        Trouble { kind, words }
    }

    /// How long to wait before the request is made again; `None` if it is given up. `made` says how
    /// often it was made.
    pub(crate) fn wait(&self, made: u32) -> Option<Duration> {
        if made >= REQUESTS_MAX {
            return None;
        }
        let usual = WAIT * 2_u32.saturating_pow(made.saturating_sub(1));
        let named = match self.kind {
            Kind::Status(status, _) if !may_pass(status) => return None,
            Kind::Unmade => return None,
            Kind::Status(_, named) => named,
            Kind::Broken | Kind::Silent => None,
        };
        let wait = named.unwrap_or(usual);
        (wait <= WAIT_MAX).then_some(wait)
    }

    /// What is claimed of it. `key` is the variable that holds the key.
    pub(crate) fn claim(&self, key: Option<&str>) -> Claim {
        let cause = self.said(key);
        match self.kind {
            Kind::Status(status, named) if LIMITED.contains(&status) => Claim::Limited {
                cause,
                wait_ms: named.map(|wait| wait.as_millis().try_into().unwrap_or(u64::MAX)),
            },
            // What its answers before that used tells whether it began.
            Kind::Status(401, _) => Claim::Unable { cause },
            _ => Claim::Failed { cause },
        }
    }

    /// In words.
    pub(crate) fn said(&self, key: Option<&str>) -> String {
        let words = &self.words;
        match (self.kind, key) {
            (Kind::Status(status @ (401 | 403), _), Some(key)) => format!(
                "the model's server refused the key in the variable {key} (status {status}): {words}"
            ),
            (Kind::Status(status, _), _) => {
                format!("the model's server answered with status {status}: {words}")
            }
            (Kind::Broken, _) => format!("the model's answer broke off: {words}"),
            (Kind::Silent | Kind::Unmade, _) => words.clone(),
        }
    }
}

fn may_pass(status: u16) -> bool {
    LIMITED.contains(&status) || PASSING.contains(&status) || (500..600).contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, named: Option<u64>) -> Trouble {
        Trouble::new(
            Kind::Status(status, named.map(Duration::from_secs)),
            "words",
        )
    }

    #[test]
    fn what_may_pass_is_asked_again_a_few_times_ever_more_rarely() {
        for trouble in [
            status(500, None),
            status(529, None),
            Trouble::new(Kind::Broken, "x"),
            Trouble::new(Kind::Silent, "x"),
        ] {
            let waits: Vec<Option<u128>> = (1..6)
                .map(|made| trouble.wait(made).map(|wait| wait.as_millis()))
                .collect();
            let expected = [Some(500), Some(1_000), Some(2_000), None, None];
            assert_eq!(waits, expected, "{trouble:?}");
        }
    }

    #[test]
    fn a_wait_that_the_server_names_is_waited_for_if_it_is_short() {
        assert_eq!(status(429, Some(7)).wait(1), Some(Duration::from_secs(7)));
        assert_eq!(status(429, Some(3_600)).wait(1), None);
        assert_eq!(
            status(429, Some(3_600)).claim(None),
            Claim::Limited {
                cause: "the model's server answered with status 429: words".to_owned(),
                wait_ms: Some(3_600_000),
            }
        );
    }

    #[test]
    fn what_will_repeat_is_not_asked_again() {
        for refused in [400, 401, 403, 404, 413, 422] {
            assert_eq!(status(refused, None).wait(1), None, "{refused}");
            let claim = status(refused, None).claim(Some("MY_KEY"));
            let repeats = matches!(claim, Claim::Unable { .. });
            assert_eq!(repeats, refused == 401, "{claim:?}");
            assert!(
                repeats || matches!(claim, Claim::Failed { .. }),
                "{claim:?}"
            );
        }
        assert_eq!(Trouble::new(Kind::Unmade, "x").wait(1), None);
    }

    #[test]
    fn a_refused_key_is_told_with_its_variable() {
        for refused in [401, 403] {
            let said = status(refused, None).said(Some("MY_KEY"));
            assert!(said.contains("the variable MY_KEY"), "{said}");
        }
        assert!(!status(500, None).said(Some("MY_KEY")).contains("MY_KEY"));
    }
}
