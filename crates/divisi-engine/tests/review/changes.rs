//! Only what changed is reviewed, where a base is given.

use std::collections::BTreeSet;

use divisi_engine::review::{Fault, Request, markdown, review};

use super::stage::{Repository, found, set};

const OLD: &str =
    "\"\"\"A.\"\"\"\n\n\ndef _f(x):\n    if x == None:\n        return eval(x)\n    return x\n";

fn branched() -> Repository {
    let repository = Repository::of(&[
        ("a.py", OLD),
        (
            "tests/test_a.py",
            "def test_f():\n    x = _f(1)\n    assert x == 1\n",
        ),
        ("docs/a.md", "# A\n\nSee [b](b.md).\n"),
        ("docs/b.md", "# B\n"),
    ]);
    repository.git(&["switch", "--quiet", "--create", "topic"]);
    repository
}

#[test]
fn only_added_lines_are_found() {
    let repository = branched();
    assert_eq!(repository.changed_since("main"), BTreeSet::new());
    let new = OLD.replace(
        "    return x\n",
        "    if x != None:\n        x = exec(x)\n    return x\n",
    );
    repository.write("a.py", new.as_bytes());
    repository.commit();
    let expected = set(&["a.py:7 py-none-equality", "a.py:8 py-eval"]);
    assert_eq!(repository.changed_since("main"), expected);
    assert_eq!(found(&repository.reviews()).len(), 4);
}

#[test]
fn what_is_not_committed_yet_counts_and_what_main_did_since_does_not() {
    let repository = branched();
    repository.git(&["switch", "--quiet", "main"]);
    repository.write("c.py", b"x = eval(y)\n");
    repository.commit();
    repository.git(&["switch", "--quiet", "topic"]);
    repository.write("a.py", (OLD.to_owned() + "Z = eval(OLD)\n").as_bytes());
    assert_eq!(repository.changed_since("main"), set(&["a.py:8 py-eval"]));
}

#[test]
fn a_new_file_is_reviewed_whole_and_a_renamed_one_where_it_changed() {
    let repository = branched();
    repository.write("new.py", b"x = eval(y)\n");
    repository.git(&["mv", "a.py", "moved.py"]);
    repository.write("moved.py", (OLD.to_owned() + "Z = exec(OLD)\n").as_bytes());
    repository.commit();
    let expected = set(&["moved.py:8 py-eval", "new.py:1 py-eval"]);
    assert_eq!(repository.changed_since("main"), expected);
}

#[test]
fn what_a_removal_breaks_is_found_although_its_line_did_not_change() {
    let repository = branched();
    repository.git(&["rm", "--quiet", "docs/b.md"]);
    repository.write("tests/test_a.py", b"def test_f():\n    x = _f(1)\n");
    repository.commit();
    let expected = set(&[
        "docs/a.md:3 broken-link",
        "tests/test_a.py:1 test-without-assertion",
    ]);
    assert_eq!(repository.changed_since("main"), expected);
}

#[test]
fn a_changed_public_item_owes_a_note_where_there_is_a_change_log() {
    let repository = Repository::of(&[
        ("CHANGELOG.md", "# Changes\n"),
        ("src/lib.rs", "//! A.\n\n/// F.\npub fn f() {}\n"),
        (
            "tests/a.rs",
            "#[test]\nfn f_is() { assert_eq!(a::f(), ()) }\n",
        ),
    ]);
    repository.write("src/lib.rs", b"//! A.\n\n/// F.\npub fn f(x: u8) {}\n");
    let expected = set(&["src/lib.rs:4 missing-change-note"]);
    assert_eq!(repository.changed_since("HEAD"), expected);
    repository.write("CHANGELOG.md", b"# Changes\n\n- `f` takes a number.\n");
    assert_eq!(repository.changed_since("HEAD"), BTreeSet::new());
}

#[test]
fn the_review_says_what_it_was_compared_with() {
    let repository = branched();
    repository.write("new.py", b"x = 1\n");
    repository.commit();
    let request = Request {
        base: Some("main".to_owned()),
        ..repository.request()
    };
    let reviews = review(&request).unwrap();
    let main = repository.git(&["rev-parse", "main"]);
    assert_eq!(reviews[0].base.as_deref(), Some(main.as_str()));
    let text = markdown(&reviews[0]);
    assert!(
        text.contains(&format!("What changed since `{}`", &main[..12])),
        "{text}"
    );
    assert_eq!(reviews[0].reviewed.files.len(), 1);
    assert_eq!(
        reviews[0].reviewed.files[0].files, 1,
        "only the new file was looked at"
    );
    let left = format!("What did not change since `{}`.", &main[..12]);
    assert!(reviews[0].not_reviewed.contains(&left), "{text}");
}

#[test]
fn names_that_git_quotes_are_found_too() {
    let repository = Repository::of(&[("a \"b\"\\ \u{fc}.py", "x = 1\n")]);
    repository.write("a \"b\"\\ \u{fc}.py", b"x = 1\ny = eval(x)\n");
    let expected = set(&["a \"b\"\\ \u{fc}.py:2 py-eval"]);
    assert_eq!(repository.changed_since("HEAD"), expected);
}

#[test]
fn filters_of_the_repository_are_not_executed() {
    let repository = branched();
    let mark = repository.path().join("executed");
    let filter = format!("touch {}", mark.display());
    for key in [
        "filter.x.clean",
        "filter.x.smudge",
        "diff.x.textconv",
        "diff.x.command",
        "core.fsmonitor",
    ] {
        repository.git(&["config", key, &filter]);
    }
    repository.write(".gitattributes", b"*.py filter=x diff=x\n");
    repository.write("a.py", (OLD.to_owned() + "Z = eval(OLD)\n").as_bytes());
    assert!(repository.changed_since("main").contains("a.py:8 py-eval"));
    assert!(!mark.exists());
}

#[test]
fn a_base_that_is_none_is_refused() {
    let repository = branched();
    let of = |base: &str| {
        let request = Request {
            base: Some(base.to_owned()),
            ..repository.request()
        };
        review(&request).unwrap_err()
    };
    assert_eq!(of("mian").code(), "repo-no-revision");
    assert_eq!(of("--output=x").code(), "repo-no-revision");
    repository.git(&["switch", "--quiet", "--orphan", "other"]);
    repository.write("a.py", b"x = 1\n");
    repository.commit();
    assert!(matches!(of("main"), Fault::Unrelated { .. }));
}
