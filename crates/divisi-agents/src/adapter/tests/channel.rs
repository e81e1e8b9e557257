//! The way to the run's rules and its owner.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;

use super::super::{Broker, Channel, Decision, Deed, Request};
use super::*;

fn request(title: &str) -> Request {
    Request {
        id: "the tool's own".to_owned(),
        deed: Deed::Execute,
        title: title.to_owned(),
        paths: Vec::new(),
        command: Some("make a-secret-value".to_owned()),
    }
}

#[test]
fn answers_find_whoever_asked_in_whatever_order_they_come() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let channel = Channel::over(theirs, &["a-secret-value".to_owned()]).unwrap();
    let channel = Arc::new(channel);
    let ask = |title: &'static str| {
        let channel = Arc::clone(&channel);
        std::thread::spawn(move || channel.decide(&request(title)))
    };
    let mut lines = BufReader::new(ours.try_clone().unwrap()).lines();
    let mut hear = || -> Request { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let one = ask("one");
    let first = hear();
    let other = ask("other");
    let second = hear();
    assert_eq!(
        (first.title.as_str(), second.title.as_str()),
        ("one", "other")
    );
    assert_ne!(first.id, second.id);
    assert_eq!(first.command.as_deref(), Some("make [masked]"));
    let say = |id: &str, decision: &str| {
        writeln!(&ours, r#"{{"id":"{id}","decision":{decision}}}"#).unwrap();
    };
    say("none of these", r#""allow""#);
    say(&second.id, r#"{"deny":{"reason":"no"}}"#);
    let reason = "no".to_owned();
    assert_eq!(other.join().unwrap(), Decision::Deny { reason });
    say(&first.id, r#""allow""#);
    assert_eq!(one.join().unwrap(), Decision::Allow);
}

#[test]
fn when_the_other_end_is_gone_everything_is_denied() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let channel = Arc::new(Channel::over(theirs, &[]).unwrap());
    let asking = Arc::clone(&channel);
    let waits = std::thread::spawn(move || asking.decide(&request("one")));
    let mut line = String::new();
    BufReader::new(ours.try_clone().unwrap())
        .read_line(&mut line)
        .unwrap();
    drop(ours);
    assert!(!waits.join().unwrap().allows());
    assert!(!channel.decide(&request("later")).allows());
}

#[test]
fn what_nobody_could_look_at_is_denied_without_asking() {
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let channel = Channel::over(theirs, &[]).unwrap();
    let long = Request {
        command: Some("x".repeat(1 << 20)),
        ..request("long")
    };
    assert!(!channel.decide(&long).allows());
    // As it is sent, each of these takes six bytes.
    let escaped = Request {
        command: Some("\u{1}".repeat(60 << 10)),
        ..request("escaped")
    };
    assert!(!channel.decide(&escaped).allows());
    let called = Request {
        command: None,
        ..request(&"x".repeat(1 << 20))
    };
    assert!(!channel.decide(&called).allows());
    let many = Request {
        paths: vec!["a".to_owned(); 65],
        ..request("many")
    };
    assert!(!channel.decide(&many).allows());
}

#[test]
fn what_rules_look_at_is_not_cut() {
    let title = format!("{} git push", "x".repeat(20_000));
    for (command, whole) in [(None, true), (Some("make".to_owned()), false)] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let channel = Channel::over(theirs, &[]).unwrap();
        let asked = Request {
            command,
            ..request(&title)
        };
        let waits = std::thread::spawn(move || channel.decide(&asked));
        let mut line = String::new();
        let mut lines = BufReader::new(ours);
        lines.read_line(&mut line).unwrap();
        drop(lines);
        let heard: Request = serde_json::from_str(&line).unwrap();
        assert_eq!(heard.title == title, whole);
        assert!(!waits.join().unwrap().allows());
    }
}
