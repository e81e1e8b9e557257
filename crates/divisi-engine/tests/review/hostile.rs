//! Everything in a repository is hostile: it is bounded, made harmless, never followed.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use divisi_engine::review::{Fault, Request, Review, markdown, review};
use divisi_pack::printable;

use super::stage::{Repository, found, set};

/// The review that found this rule's places.
fn of<'a>(reviews: &'a [Review], rule: &str) -> &'a Review {
    let has = |review: &&Review| review.findings.iter().any(|finding| finding.rule == rule);
    reviews.iter().find(has).unwrap()
}

fn all_words(reviews: &[Review]) -> String {
    let sentences = reviews
        .iter()
        .flat_map(|review| review.not_reviewed.clone());
    sentences.collect::<Vec<String>>().join("\n")
}

#[test]
fn what_is_no_text_or_too_large_is_said_not_to_be_reviewed() {
    let repository = Repository::of(&[("ok.py", "x = 1\n")]);
    repository.write("binary.py", b"x = eval(y)\n\0\x01");
    repository.write("large.py", "x = eval(y)\n".repeat(900_000).as_bytes());
    repository.write(
        "long.py",
        format!("x = eval('{}' + y)\n", "a".repeat(30_000)).as_bytes(),
    );
    repository.write("vendor/a.py", b"x = eval(y)\n");
    repository.write("made.py", b"# @generated\nx = eval(y)\n");
    repository.commit();
    repository.write("untracked.py", b"x = eval(y)\n");
    let reviews = repository.reviews();
    assert!(found(&reviews).is_empty());
    let words = all_words(&reviews);
    for expected in [
        "Files that are no text: `binary.py`.",
        "Files larger than a mebibyte: `large.py`.",
        "Files with lines that nobody reads: `long.py`.",
        "Files that came from elsewhere: `vendor/a.py`.",
        "Files that a program wrote: `made.py`.",
        "1 file not under version control.",
    ] {
        assert!(words.contains(expected), "{expected} is not in {words}");
    }
}

#[test]
fn bytes_that_are_no_text_hide_no_defect() {
    let repository = Repository::new();
    repository.write("a.py", b"# \xff\xfe\xc3\nname = '\xf0\x28'\nx = eval(y)\n");
    repository.commit();
    assert_eq!(found(&repository.reviews()), set(&["a.py:3 py-eval"]));
}

#[test]
fn nothing_in_a_line_is_markup_or_steers_a_terminal() {
    let line = "x = eval(y) # \u{1b}[2J\u{202e} ``` <img src=x> | [a](http://b) ## Not reviewed";
    let repository = Repository::of(&[("a.py", &format!("{line}\n"))]);
    let reviews = repository.reviews();
    let text = markdown(of(&reviews, "py-eval"));
    assert_eq!(printable(&text.replace('\n', "")), text.replace('\n', ""));
    assert_eq!(text.matches("\n## Not reviewed").count(), 1, "{text}");
    let shown = text.lines().find(|line| line.contains("there:")).unwrap();
    // One more than stand in a row in it begins the span and ends it, and nothing in it does.
    assert_eq!(shown.matches("````").count(), 2, "{shown}");
    assert!(shown.ends_with("````"), "{shown}");
}

#[test]
fn names_of_files_are_as_harmless_as_their_content() {
    let repository = Repository::new();
    let names = ["a`\n# b`.py", "-rf.py", "c d;rm.py", "\u{1b}[31m.py"];
    for name in names {
        repository.write(name, b"x = eval(y)\n");
    }
    let bytes = repository
        .path()
        .join(std::ffi::OsStr::from_bytes(b"\xff.py"));
    fs::write(bytes, "x = eval(y)\n").unwrap();
    repository.commit();
    let reviews = repository.reviews();
    assert_eq!(found(&reviews).len(), names.len());
    let review = of(&reviews, "py-eval");
    let text = markdown(review);
    assert!(
        !text.contains('\u{1b}') && !text.contains("\n# b"),
        "{text}"
    );
    assert!(all_words(&reviews).contains("1 file whose names are not UTF-8."));
    let commands: Vec<&str> = review.findings.iter().map(|f| f.command.as_str()).collect();
    assert_eq!(
        commands,
        [
            "divisi review --only py-eval",
            "divisi review --only py-eval -- -rf.py",
            "divisi review --only py-eval",
            "divisi review --only py-eval 'c d;rm.py'",
        ]
    );
}

#[test]
fn no_link_is_followed_and_no_pipe_is_waited_for() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.py"), "x = eval(y)\n").unwrap();
    let repository = Repository::of(&[
        ("pipe.py", "x = 1\n"),
        ("gone.py", "x = 1\n"),
        ("folder/b.py", "x = 1\n"),
    ]);
    symlink(
        outside.path().join("a.py"),
        repository.path().join("link.py"),
    )
    .unwrap();
    repository.commit();
    fs::remove_dir_all(repository.path().join("folder")).unwrap();
    symlink(outside.path(), repository.path().join("folder")).unwrap();
    fs::rename(outside.path().join("a.py"), outside.path().join("b.py")).unwrap();
    fs::remove_file(repository.path().join("gone.py")).unwrap();
    let pipe = repository.path().join("pipe.py");
    fs::remove_file(&pipe).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    let reviews = repository.reviews();
    assert!(found(&reviews).is_empty());
    let words = all_words(&reviews);
    for expected in [
        "Links, which are not followed: `folder/b.py`, `link.py`.",
        "What is no file (submodules, pipes): `pipe.py`.",
        "Files that are not there any more: `gone.py`.",
    ] {
        assert!(words.contains(expected), "{expected} is not in {words}");
    }
}

#[test]
fn findings_without_end_are_counted_and_not_listed() {
    let repository = Repository::of(&[("a.py", &"x = eval(y)\n".repeat(300))]);
    let reviews = repository.reviews();
    let review = of(&reviews, "py-eval");
    assert_eq!(review.findings_count, 200, "one rule in one file");
    let text = markdown(review);
    assert!(text.contains("- and 150 more"), "{text}");
    assert_eq!(text.matches("  - there:").count(), 50);
}

#[test]
fn depth_without_end_is_bounded() {
    let repository = Repository::of(&[
        (
            "a.rs",
            &format!("fn f() {{ {}", "if a { ( [ ".repeat(1_800)),
        ),
        ("a.js", &"`${".repeat(6_000)),
        ("a.py", &"if a:\n ".repeat(5_000)),
        ("a.sh", &"\"$(".repeat(6_000)),
        ("a.md", &"[".repeat(15_000)),
    ]);
    let reviews = repository.reviews();
    assert_eq!(reviews.len(), 5);
}

#[test]
fn what_is_asked_for_wrongly_is_refused_with_its_name() {
    let repository = Repository::of(&[("a.py", "x = 1\n")]);
    let with = |only: &str, path: &str| {
        let request = Request {
            only: vec![only.to_owned()],
            paths: vec![path.into()],
            ..repository.request()
        };
        review(&request).unwrap_err()
    };
    let fault = with("py-evil", "a.py");
    assert_eq!(fault.code(), "review-unknown-rule");
    assert_eq!(fault.diagnostic().hints, ["did you mean `py-eval`?"]);
    for path in ["b.py", "../a.py", "/etc/passwd", "a.p"] {
        assert_eq!(with("py-eval", path).code(), "review-no-path", "{path}");
    }
    let outside = tempfile::tempdir().unwrap();
    let request = Request {
        folder: outside.path(),
        ..repository.request()
    };
    assert!(matches!(review(&request), Err(Fault::NoRepository(_))));
}
