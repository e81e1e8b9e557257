use std::io;

use divisi_core::criterion::EVIDENCE_BYTES_MAX;

use super::*;

/// A tree of two files and a link.
#[derive(Debug)]
struct Tree;

const TEXT: &str = "one\n  two: three\r\nfour\nfive";

impl Files for Tree {
    fn entry(&self, path: &str) -> io::Result<Entry> {
        Ok(match path {
            "a.md" => Entry::File {
                bytes: TEXT.len() as u64,
                executable: false,
            },
            "large" => Entry::File {
                bytes: CITED_BYTES_MAX + 1,
                executable: false,
            },
            "link" => Entry::Link,
            "../out" => return Err(io::ErrorKind::InvalidInput.into()),
            _ => Entry::Missing,
        })
    }

    fn read(&self, _: &str, _: u64) -> io::Result<Vec<u8>> {
        Ok(TEXT.as_bytes().to_vec())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(vec!["a.md".to_owned()])
    }

    fn changed(&self) -> io::Result<Option<Vec<String>>> {
        self.list().map(Some)
    }
}

fn cited(path: &str, line: u64, text: &str) -> Result<(), String> {
    match stands(&Tree, path, line, text) {
        Ok(held) => held,
        Err(_) => panic!("the tree can be read"),
    }
}

#[test]
fn a_text_stands_where_it_is_said_to_stand_or_is_no_evidence() {
    for (line, text) in [
        (1, "one"),
        (2, "two: three"),
        (2, "three\nfour"),
        (3, "four\nfive\n"),
        (2, "  two: three\r\nfour"),
    ] {
        assert_eq!(cited("a.md", line, text), Ok(()), "{line}: {text:?}");
    }
    for (path, line, text, cause) in [
        ("a.md", 1, "two", "the text does not stand in a.md:1"),
        ("a.md", 2, "Two", "the text does not stand in a.md:2"),
        ("a.md", 2, "three four", "the text does not stand in a.md:2"),
        ("a.md", 5, "five", "a.md has no line 5, it has 4"),
        (
            "a.md",
            u64::MAX,
            "five",
            &format!("a.md has no line {}, it has 4", u64::MAX),
        ),
        ("b.md", 1, "one", "b.md is no file"),
        ("link", 1, "one", "link is no file"),
        ("../out", 1, "one", "\"../out\" is no path in the tree"),
    ] {
        assert_eq!(
            cited(path, line, text),
            Err(cause.to_owned()),
            "{path}:{line}"
        );
    }
    assert!(
        cited("large", 1, "one")
            .unwrap_err()
            .contains("are looked at")
    );
}

#[test]
fn who_judged_and_what_shows_it_stand_there_however_long_it_says_why() {
    let by = "custom.judge, which did the work itself";
    assert_eq!(
        told("So.".to_owned(), "a.md:1: one".to_owned(), "other"),
        "So. (a.md:1: one; judged by other)"
    );
    let long = "é".repeat(100_000);
    let evidence = told(long.clone(), "a.md:1: one".to_owned(), by);
    assert!(evidence.ends_with(&format!("(a.md:1: one; judged by {by})")));
    let evidence = told(long.clone(), format!("a.md:1: one; {long}"), by);
    assert!(evidence.contains("(a.md:1: one; é"));
    assert!(evidence.ends_with(&format!("; judged by {by})")));
    assert!(evidence.len() <= EVIDENCE_BYTES_MAX);
}

#[test]
fn a_command_is_run_once_however_often_it_is_cited() {
    let argv = |name: &str| vec![name.to_owned()];
    let (good, bad, other) = (argv("good"), argv("bad"), argv("other"));
    let (mut ends, mut ran) = (Ends::default(), Vec::new());
    let mut told = Vec::new();
    for (argv, exit) in [
        (&good, 0),
        (&bad, 1),
        (&good, 0),
        (&good, 3),
        (&bad, 1),
        (&other, 0),
    ] {
        let run = || {
            ran.push(argv[0].clone());
            Ok(match argv[0].as_str() {
                "good" => Ok(Exit::Status(0)),
                "bad" => Ok(Exit::Status(1)),
                _ => Err("it is none".to_owned()),
            })
        };
        match ends.compare(argv, exit, run) {
            Ok(held) => told.push(held.err().unwrap_or_default()),
            Err(_) => panic!("nothing failed"),
        }
    }
    assert_eq!(ran, ["good", "bad", "other"]);
    let differs = "`good` ended with exit status 0, not 3";
    assert_eq!(told, ["", "", "", differs, "", "it is none"]);
}
