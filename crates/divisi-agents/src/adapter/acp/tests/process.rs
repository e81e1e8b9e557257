//! A small shell script in the place of an agent, for what only a process can do wrong.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::super::super::permission::Broker;
use super::super::super::process::{Surroundings, converse_in};
use super::super::super::product::{Product, Writes, product};
use super::super::super::stop::Stop;
use super::super::super::{Closing, Nobody};
use super::super::drive::Patience;
use super::*;
use crate::adapter::Reservation;

/// Far more than any of these scripts takes, and far less than whoever waits for them has.
const LONG: Duration = Duration::from_secs(600);

/// As good as none.
const SHORT: Duration = Duration::from_millis(50);

/// Introduces itself, makes a session, and reads the prompt.
const BEGINS: &str = r#"
read -r _; echo '{"id":0,"result":{"protocolVersion":1}}'
read -r _; echo '{"id":1,"result":{"sessionId":"s"}}'
read -r prompt
"#;

const DONE: &str = r#"echo '{"id":3,"result":{"stopReason":"end_turn"}}'; read -r _"#;

struct Place {
    folder: tempfile::TempDir,
    product: &'static Product,
    here: Surroundings,
    broker: Arc<dyn Broker>,
}

impl Place {
    fn with(script: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text");
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        // Another process writes the program: one that this one had open for writing could be
        // inherited by what another test starts, and not be executed meanwhile.
        let installed = Command::new("install")
            .args(["-m", "755"])
            .args([&text, &folder.path().join("tool")])
            .status();
        assert!(installed.unwrap().success());
        let handoff = json!({
            "handoff_id": "to-x-subtask-a", "from": "orchestrator", "to": "x", "subtask_id": "a",
            "parent_orchestration": "run-1", "priority": "medium", "created_at": "now",
            "title": "The title",
        });
        fs::write(folder.path().join("handoff.json"), handoff.to_string()).unwrap();
        let product = Box::leak(Box::new(Product {
            program: "tool",
            ..product("claude-acp").unwrap().clone()
        }));
        let here = Surroundings {
            reservation: Reservation::default(),
            handoff: folder.path().join("handoff.json"),
            tmp: folder.path().join("tmp"),
            home: folder.path().join("home"),
            workspace: folder.path().to_owned(),
            variables: ["HOME", "PATH"]
                .map(|name| (name.to_owned(), folder.path().display().to_string()))
                .into(),
            writes: Writes::Free,
            masked: vec!["a-secret-value".to_owned()],
            stop: Stop::default(),
            patience: Patience {
                initialize: LONG,
                open: LONG,
                cancel: LONG,
                end: LONG,
            },
        };
        Place {
            folder,
            product,
            here,
            broker: Arc::new(Nobody),
        }
    }

    fn hold(&self) -> (Closing, String) {
        let mut out = Vec::new();
        let closing = converse_in(self.product, &self.here, &self.broker, &mut out).unwrap();
        (closing, String::from_utf8(out).unwrap())
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn is_failed(claim: &Claim, words: &str) -> bool {
    matches!(claim, Claim::Failed { cause } if cause.contains(words))
}

#[test]
fn it_is_told_what_to_do_and_its_session_is_kept() {
    // The script works where this test does; it writes beside itself.
    let script = format!("{BEGINS}printf '%s' \"$prompt\" > \"${{0%/*}}/told\"; {DONE}");
    let place = Place::with(&script);
    let (closing, out) = place.hold();
    assert_eq!(closing.claim, Claim::Done, "{out}");
    let told = fs::read_to_string(place.path().join("told")).unwrap();
    assert!(
        told.contains("session/prompt") && told.contains("# The title"),
        "{told}"
    );
    let record = Record::read(&place.here.home, "claude-acp").unwrap();
    assert_eq!(record.session, "s");
}

#[test]
fn one_that_never_introduces_itself_is_named_and_ended() {
    let mut place = Place::with("while read -r _; do :; done");
    place.here.patience.initialize = SHORT;
    let (closing, _) = place.hold();
    let claim = closing.claim;
    assert!(
        matches!(&claim, Claim::Unable { cause } if cause.contains("initialize")),
        "{claim:?}"
    );
}

#[test]
fn one_that_opens_no_session_has_failed() {
    let mut place = Place::with(
        r#"read -r _; echo '{"id":0,"result":{"protocolVersion":1}}'; while read -r _; do :; done"#,
    );
    place.here.patience.open = SHORT;
    let claim = place.hold().0.claim;
    assert!(is_failed(&claim, "opened no session"), "{claim:?}");
}

#[test]
fn one_that_goes_away_in_the_middle_claims_nothing_whatever_its_status() {
    for (status, words) in [(0, "without a word"), (3, "status 3")] {
        let place = Place::with(&format!("{BEGINS}exit {status}"));
        let claim = place.hold().0.claim;
        assert!(is_failed(&claim, words), "{claim:?}");
    }
}

#[test]
fn one_that_goes_away_is_missed_whoever_holds_its_pipes() {
    let path = std::env::var("PATH").unwrap();
    let outlives = "at=${0%/*}/held; mkfifo \"$at\"; (exec 3<>\"$at\"; read -r _ <&3) &";
    let beside = "printf 'no more' >&2";
    let place = Place::with(&format!(
        "PATH={path}\n{BEGINS}{outlives}\n{beside}; exit 3"
    ));
    let (closing, out) = place.hold();
    fs::write(place.path().join("held"), "\n").unwrap();
    assert!(is_failed(&closing.claim, "status 3"), "{closing:?}");
    let noted = r#"{"entry":"noted","text":"no more""#;
    assert!(out.contains(noted), "{out}");
}

/// Nothing but a closing can be written to it.
struct Closed(Vec<u8>);

impl std::io::Write for Closed {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        match self.0.is_empty() && text.starts_with(br#"{"entry":"began""#) {
            true => Err(std::io::Error::other("no room")),
            false => self.0.write(text),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_fault_of_ours_in_mid_session_is_no_start_that_failed() {
    let place = Place::with(&format!("{BEGINS}while read -r _; do :; done"));
    let mut out = Closed(Vec::new());
    let closing = converse_in(place.product, &place.here, &place.broker, &mut out).unwrap();
    assert!(is_failed(&closing.claim, "no room"), "{closing:?}");
}

#[test]
fn a_line_that_is_too_long_and_garbage_are_left_out() {
    let flood = "head -c 17000000 /dev/zero | tr '\\0' x; echo; echo '{no json';";
    let path = std::env::var("PATH").unwrap();
    let place = Place::with(&format!("export PATH={path}\n{BEGINS}{flood}{DONE}"));
    let (closing, out) = place.hold();
    assert_eq!(closing.claim, Claim::Done, "{} bytes", out.len());
    assert!(out.contains("too long") && out.contains("{no json"));
    assert!(out.len() < 10_000, "{} bytes", out.len());
}

#[test]
fn a_secret_is_masked_before_it_is_read() {
    let said = r#"echo '{"method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"it is a-secret-value"}}}}'"#;
    let (_, out) = Place::with(&format!("{BEGINS}{said}\n{DONE}")).hold();
    assert!(
        out.contains("it is [masked]") && !out.contains("a-secret"),
        "{out}"
    );
}

/// Stops a session as soon as it is asked for leave, and never answers in time.
struct Stopping(Stop, Sender<()>);

impl Broker for Stopping {
    fn decide(&self, _: &Request) -> Decision {
        self.0.say();
        let _ = self.1.send(());
        Decision::Allow
    }
}

const ASKS: &str = r#"echo '{"id":7,"method":"session/request_permission","params":{"sessionId":"s","toolCall":{"toolCallId":"c","title":"Write","kind":"edit"},"options":[]}}'
"#;

fn stopped(script: &str, patience: Duration) -> Claim {
    let mut place = Place::with(&format!("{BEGINS}{ASKS}{script}"));
    let (sender, asked) = channel();
    place.broker = Arc::new(Stopping(place.here.stop.clone(), sender));
    place.here.patience.cancel = patience;
    place.here.patience.end = patience;
    let claim = place.hold().0.claim;
    asked.recv().unwrap();
    claim
}

#[test]
fn a_session_that_is_stopped_is_canceled_first() {
    let obeys = r#"
while read -r line; do
    case $line in *session/cancel*)
        echo '{"id":3,"result":{"stopReason":"cancelled"}}';;
    esac
done"#;
    let cause = "it was canceled".to_owned();
    assert_eq!(stopped(obeys, LONG), Claim::Failed { cause });
}

#[test]
fn one_that_ignores_all_it_is_told_is_ended_all_the_same() {
    let claim = stopped("trap '' TERM; while :; do read -r _; done", SHORT);
    assert!(is_failed(&claim, "did not end its turn"), "{claim:?}");
}

#[test]
fn one_that_is_stopped_before_it_began_is_not_waited_for() {
    let place = Place::with("while read -r _; do :; done");
    place.here.stop.say();
    let claim = place.hold().0.claim;
    assert!(is_failed(&claim, "canceled"), "{claim:?}");
}
