use divisi_pack::words::Context;

use super::*;
use crate::files::FolderFiles;

struct Status(i32);

impl Programs for Status {
    fn run(&self, _: u16, _: &[String], _: u64) -> ProgramEnd {
        ProgramEnd::Ended {
            exit: divisi_core::receipt::Exit::Status(self.0),
            tail: "seen".to_owned(),
            output: None,
        }
    }
}

/// Statements on a tree with `a.md` alone, as `outcome: statement`.
fn check(text: &str, programs: Option<&dyn Programs>, waived: &[usize]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.md"), "# A\n\nTODO\n").unwrap();
    let files = FolderFiles::open(folder.path(), Some(vec!["a.md".to_owned()])).unwrap();
    let text = format!("## Quality standards\n\n{text}\n");
    let read = divisi_pack::folder::criteria::read("C.md", text.as_bytes());
    let statements = read.file.unwrap().statements(&Context::default());
    let is_waived = |number: usize, _: &str| waived.contains(&number);
    let judged = judge(&statements, &files, programs, &is_waived).unwrap();
    let line = |it: &Stated| format!("{}: {}", it.outcome.word(), it.statement);
    judged.iter().map(line).collect()
}

#[test]
fn what_is_not_there_yet_is_missing_and_what_is_there_is_judged() {
    let statements = "\
- `a.md` exists
- `a.md` is at least 1 KB
- `b.md` exists
- `a.md` and `b.md` are at least 1 KB
- `b.md` contains \"x\"
- No TODO remains in *.md
- No TODO remains in src/**
- Every file matching docs/*.md is at least 1 KB
- At least two files match *.md
- Exactly one file matches *.md
- No files match *.md
- It is clear
- `make test` passes
- Only `a.md` is changed";
    assert_eq!(
        check(statements, None, &[]),
        [
            "pass: `a.md` exists",
            "fail: `a.md` is at least 1 KB",
            "missing: `b.md` exists",
            "fail: `a.md` and `b.md` are at least 1 KB",
            "missing: `b.md` contains \"x\"",
            "fail: No TODO remains in *.md",
            "missing: No TODO remains in src/**",
            "missing: Every file matching docs/*.md is at least 1 KB",
            "missing: At least two files match *.md",
            "pass: Exactly one file matches *.md",
            "fail: No files match *.md",
            "unverified: It is clear",
            "unverified: `make test` passes",
            "pass: Only `a.md` is changed",
        ]
    );
}

#[test]
fn programs_decide_where_they_may_run() {
    let statement = "- `make test` passes";
    assert_eq!(
        check(statement, Some(&Status(0)), &[]),
        ["pass: `make test` passes"]
    );
    assert_eq!(
        check(statement, Some(&Status(2)), &[]),
        ["fail: `make test` passes"]
    );
}

#[test]
fn only_what_does_not_hold_is_waived() {
    let statements = "- `a.md` exists\n- `b.md` exists\n- It is clear";
    assert_eq!(
        check(statements, None, &[1, 2]),
        [
            "pass: `a.md` exists",
            "waived: `b.md` exists",
            "unverified: It is clear"
        ]
    );
}
