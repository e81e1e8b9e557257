//! Every kind of criterion: passing, failing, hostile. Each row is data: files, a criterion, and
//! the evidence; an empty evidence is a pass.

mod cited;
mod forms;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use divisi_core::criterion::{Criterion, Format, Holds, Outcome, Verdict};
use divisi_core::receipt::Exit;

use super::*;
use crate::files::FolderFiles;

fn put(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn one(root: &Path, changed: &[&str], criterion: Criterion) -> Verdict {
    let changed = changed.iter().map(|&path| path.to_owned()).collect();
    let files = FolderFiles::open(root, Some(changed)).unwrap();
    cheap(&[criterion], &files).unwrap().remove(0)
}

/// Checks rows against one folder: each criterion and what its evidence must hold.
fn table(root: &Path, rows: &[(Criterion, &str)]) {
    for (criterion, expected) in rows {
        let verdict = one(root, &[], criterion.clone());
        if expected.is_empty() {
            assert_eq!(verdict, Verdict::pass(0), "{criterion}");
        } else {
            assert_eq!(verdict.outcome, Outcome::Fail, "{criterion}");
            let evidence = &verdict.evidence;
            assert!(evidence.contains(expected), "{criterion}: {evidence}");
        }
    }
}

fn file(path: &str, min_bytes: u64) -> Criterion {
    Criterion::File {
        path: path.into(),
        min_bytes,
    }
}

fn contains(text: &str, path: &str) -> Criterion {
    let (text, path) = (text.into(), path.into());
    Criterion::Contains { text, path }
}

fn lacks(text: &str, path: &str) -> Criterion {
    let (text, path) = (text.into(), path.into());
    Criterion::Lacks { text, path }
}

fn matches(pattern: &str, path: &str) -> Criterion {
    let (pattern, path) = (pattern.into(), path.into());
    Criterion::Matches { pattern, path }
}

fn section(heading: &str, path: &str) -> Criterion {
    let (heading, path) = (heading.into(), path.into());
    Criterion::Section { heading, path }
}

fn format(format: Format, path: &str) -> Criterion {
    let path = path.into();
    Criterion::Format { format, path }
}

fn schema(schema: &str, path: &str) -> Criterion {
    let (schema, path) = (schema.into(), path.into());
    Criterion::Schema { schema, path }
}

fn cites(path: &str) -> Criterion {
    let path = path.into();
    Criterion::Cites { path }
}

fn count(pattern: &str, min: u64, max: Option<u64>) -> Criterion {
    let pattern = pattern.into();
    Criterion::Count { pattern, min, max }
}

#[test]
fn files_and_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "reports/a.md", "twelve bytes");
    table(
        root,
        &[
            (file("reports/a.md", 12), ""),
            (file("./reports/a.md", 1), ""),
            (
                file("reports/a.md", 100),
                "reports/a.md has 12 bytes, at least 100 are expected",
            ),
            (file("b.md", 1), "b.md is missing"),
            (file("reports", 1), "reports is a folder"),
            (file("../x", 1), "the path ../x leads outside the tree"),
            (file("/etc/passwd", 1), "the path /etc/passwd is absolute"),
            (file(".git/config", 1), "leads into a .git folder"),
        ],
    );
}

#[test]
fn links_fifos_and_giants_are_refused_unopened() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    symlink("/etc/passwd", root.join("link")).unwrap();
    symlink("/etc", root.join("way")).unwrap();
    let fifo = Command::new("mkfifo").arg(root.join("fifo")).status();
    assert!(fifo.unwrap().success());
    let giant = std::fs::File::create(root.join("giant")).unwrap();
    giant.set_len(1 << 40).unwrap();
    put(root, "ok.json", "{}");
    for (path, evidence) in [
        ("link", "link is a symbolic link"),
        (
            "way/passwd",
            "way/passwd is a symbolic link or leads through one",
        ),
        ("fifo", "fifo is neither file nor folder"),
        (
            "giant",
            "giant has 1099511627776 bytes; this check reads files of at most",
        ),
    ] {
        table(
            root,
            &[
                (contains("root", path), evidence),
                (lacks("root", path), evidence),
                (matches("root", path), evidence),
                (section("root", path), evidence),
                (format(Format::Json, path), evidence),
                (format(Format::Yaml, path), evidence),
                (format(Format::Toml, path), evidence),
                (format(Format::Markdown, path), evidence),
                (schema("ok.json", path), evidence),
                (schema(path, "ok.json"), evidence),
            ],
        );
    }
    table(
        root,
        &[
            (file("link", 1), "symbolic link"),
            (file("fifo", 0), "neither"),
        ],
    );
    assert_eq!(one(root, &[], count("*", 2, Some(2))), Verdict::pass(0));
}

#[test]
fn each_file_of_a_pattern_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "src/a.rs", "fn a() {}");
    put(root, "src/deep/b.rs", "fn b() {} // TODO");
    put(root, "x/good.json", "{}");
    put(root, "y/bad.json", "{");
    put(root, "docs/a.md", "# A\ntext\n");
    put(root, "docs/b.md", "# B\n");
    for n in 0..9 {
        put(root, &format!("many/{n}"), "x");
    }
    let giant = std::fs::File::create(root.join("giant")).unwrap();
    giant.set_len(1 << 40).unwrap();
    let lacks = |text: &str| Holds::Lacks { text: text.into() };
    let contains = |text: &str| Holds::Contains { text: text.into() };
    let json = || Holds::Format {
        format: Format::Json,
    };
    let section = |heading: &str| Holds::Section {
        heading: heading.into(),
    };
    let each = |pattern: &str, holds| Criterion::Each {
        pattern: pattern.into(),
        holds,
    };
    table(
        root,
        &[
            (each("src/*.rs", lacks("TODO")), ""),
            (
                each("src/**", lacks("TODO")),
                "1 of 2 files that match src/** fail: src/deep/b.rs contains \"TODO\" in line 1",
            ),
            (each("src/**", contains("fn ")), ""),
            (
                each("src/**", contains("fn a")),
                "1 of 2 files that match src/** fail: src/deep/b.rs (17 bytes) does not contain",
            ),
            (each("x/**/*.json", json()), ""),
            (
                each("**/*.json", json()),
                "1 of 2 files that match **/*.json fail: y/bad.json is not JSON",
            ),
            (each("docs/a.*", section("A")), ""),
            (
                each("docs/*.md", section("A")),
                "1 of 2 files that match docs/*.md fail: no heading \"A\" in docs/b.md",
            ),
            (each("docs/*.md", Holds::Size { min_bytes: 4 }), ""),
            (
                each("docs/*.md", Holds::Size { min_bytes: 5 }),
                "docs/b.md has 4 bytes, at least 5 are expected",
            ),
            (
                each("many/*", lacks("x")),
                "many/4 contains \"x\" in line 1; and 4 more",
            ),
            (each("none/**", lacks("x")), "no file matches none/**"),
            (each("g*", lacks("x")), "have 1099511627776 bytes together"),
            (each("[", lacks("x")), "[ is not a pattern"),
        ],
    );
}

#[test]
fn text_is_found_to_the_letter() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "a.md", "# A\n## API\ntext\n");
    put(root, "raw", b"\xff\xfe## API\x1b[2J");
    table(
        root,
        &[
            (contains("## API", "a.md"), ""),
            (contains("## API", "raw"), ""),
            (
                contains("## Api\x1b", "a.md"),
                "a.md (16 bytes) does not contain \"## Api\\u{1b}\"",
            ),
            (lacks("TODO", "a.md"), ""),
            (lacks("text", "a.md"), "a.md contains \"text\" in line 3"),
            (lacks("text", "b.md"), "b.md is missing"),
            (matches("^## [A-Z]+$", "a.md"), ""),
            (matches("(?s)# A.*text", "a.md"), ""),
            (
                matches("^API", "a.md"),
                "nothing in a.md (16 bytes) matches /^API/",
            ),
            (matches("(", "a.md"), "/(/ is not a usable pattern"),
            (
                matches(r"((((\w{50}){50}){50}){50})", "a.md"),
                "is not a usable pattern",
            ),
        ],
    );
}

#[test]
fn a_pattern_that_is_slow_elsewhere_ends_here() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "a", "a".repeat(1 << 20));
    // Every state of the automaton is new: the sequence never repeats within the pattern's span.
    let mut seed = 12_345_u32;
    let mut coin = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        if seed & 1 == 0 { 'a' } else { 'b' }
    };
    let mixed: String = (0..1 << 20).map(|_| coin()).collect();
    put(root, "small", &mixed[..1_000]);
    put(root, "mixed", mixed);
    put(root, "words", format!("{} ü end", "word ".repeat(100)));
    let nothing = "nothing in ";
    table(
        root,
        &[
            (matches("^(a+)+$b", "a"), nothing),
            (matches("(a|aa)*c", "a"), nothing),
            (matches("(x+x+)+y", "a"), nothing),
            (
                matches("(a|b)*a(a|b){500}c", "mixed"),
                "takes too long on mixed",
            ),
            (matches("(a|b)*a(a|b){500}c", "small"), nothing),
            (matches("(a|b)*a(a|b){5}", "small"), ""),
            (matches(r"\bend\b", "words"), ""),
            (matches(r"\w+@\w+\.\w{2,6}", "words"), nothing),
        ],
    );
}

#[test]
fn counts_do_not_cross_separators() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in [
        "reviews/a.md",
        "reviews/b.md",
        "reviews/c.txt",
        "reviews/deep/d.md",
    ] {
        put(root, path, "x");
    }
    put(root, ".git/reviews/e.md", "x");
    table(
        root,
        &[
            (count("reviews/*.md", 2, None), ""),
            (count("**/*.md", 3, Some(3)), ""),
            (count("./reviews/{a,c}.*", 2, Some(2)), ""),
            (
                count("reviews/*.md", 5, None),
                "2 files match reviews/*.md (reviews/a.md, reviews/b.md); at least 5 are expected",
            ),
            (
                count("*.md", 1, None),
                "0 files match *.md; at least 1 are expected",
            ),
            (count("**", 0, Some(3)), "0 to 3 are expected"),
            (count("[", 1, None), "[ is not a pattern"),
            (
                count(&"{a,b}".repeat(500), 1, None),
                "at most 1024 are expected",
            ),
        ],
    );
}

#[test]
fn a_scope_names_what_lies_outside() {
    let folder = tempfile::tempdir().unwrap();
    let scope = Criterion::Scope {
        patterns: vec!["src/**".into(), "docs/*.md".into()],
    };
    let check = |changed: &[&str]| one(folder.path(), changed, scope.clone());
    assert_eq!(check(&["src/a/b.rs", "docs/a.md"]), Verdict::pass(0));
    assert_eq!(check(&[]), Verdict::pass(0));
    assert_eq!(
        check(&["src/a.rs", "docs/a/b.md", "srcx\x1b", "Cargo.toml"]).evidence,
        "changed outside the scope (src/**, docs/*.md): Cargo.toml, docs/a/b.md, srcx\\u{1b}"
    );
}

#[test]
fn of_what_is_to_be_changed_one_file_is() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "calc.js", "as before");
    let of = |pattern: &str| Criterion::Changed {
        pattern: pattern.into(),
    };
    let check = |pattern: &str, changed: &[&str]| one(folder.path(), changed, of(pattern));
    assert_eq!(check("calc.js", &["calc.js", "junk.txt"]), Verdict::pass(0));
    // What was removed is changed.
    assert_eq!(check("src/**", &["src/a/gone.js"]), Verdict::pass(0));
    for (pattern, changed, evidence) in [
        (
            "calc.js",
            &[][..],
            "no file that matches calc.js was changed; nothing was",
        ),
        (
            "calc.js",
            &["junk.txt", "src/calc.js"],
            "no file that matches calc.js was changed; changed was junk.txt, src/calc.js",
        ),
        (
            "*.js",
            &["src/a.js"],
            "no file that matches *.js was changed; changed was src/a.js",
        ),
    ] {
        let verdict = check(pattern, changed);
        assert_eq!(verdict.outcome, Outcome::Fail, "{pattern}");
        assert_eq!(verdict.evidence, evidence);
    }
    let many: Vec<String> = (0..5_000).map(|at| format!("{at}.txt")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let listed = check("calc.js", &many).evidence;
    assert!(listed.ends_with("and 4992 more"), "{listed}");
    assert_eq!(check("[", &["a"]).outcome, Outcome::Fail);

    let unknown = FolderFiles::open(folder.path(), None).unwrap();
    let verdict = cheap(&[of("calc.js")], &unknown).unwrap().remove(0);
    assert_eq!(verdict.outcome, Outcome::Unverified);
    assert!(verdict.evidence.contains("not known"), "{verdict:?}");
}

#[test]
fn what_a_scope_spares_must_stay_wherever_else_may_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let check = |patterns: &[&str], changed: &[&str]| {
        let patterns = patterns.iter().map(|it| (*it).to_owned()).collect();
        one(folder.path(), changed, Criterion::Scope { patterns })
    };
    let spared = ["!README.md", "!src/api/**"];
    assert_eq!(
        check(&spared, &["src/main.rs", "docs/README.md"]),
        Verdict::pass(0)
    );
    assert_eq!(
        check(&spared, &["README.md", "src/api/a/b.rs", "src/main.rs"]).evidence,
        "changed what must stay as it is (README.md, src/api/**): README.md, src/api/a/b.rs"
    );
    let both = ["src/**", "!src/api/**"];
    assert_eq!(check(&both, &["src/main.rs"]), Verdict::pass(0));
    assert_eq!(
        check(&both, &["src/api/mod.rs", "web/a.ts"]).evidence,
        "changed outside the scope (src/**): web/a.ts; \
         changed what must stay as it is (src/api/**): src/api/mod.rs"
    );
}

/// Runs real programs, as the supervisor does, with a deadline.
struct Real<'a>(&'a Path);

impl Programs for Real<'_> {
    fn run(&self, _criterion: u16, argv: &[String], timeout_ms: u64) -> ProgramEnd {
        let log = self.0.join("log");
        let out = std::fs::File::create(&log).unwrap();
        let started = Command::new(&argv[0])
            .args(&argv[1..])
            .stdin(Stdio::null())
            .stderr(out.try_clone().unwrap())
            .stdout(out)
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                let permanent = error.kind() == std::io::ErrorKind::NotFound;
                let cause = error.to_string();
                return ProgramEnd::NotStarted { cause, permanent };
            }
        };
        let deadline = Instant::now() + Duration::from_millis(timeout_ms);
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if Instant::now() > deadline => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    break None;
                }
                None => std::thread::yield_now(),
            }
        };
        let tail = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
        match status {
            None => ProgramEnd::TimedOut { tail },
            Some(status) => {
                let exit = Exit::Status(status.code().unwrap());
                ProgramEnd::Ended {
                    exit,
                    tail,
                    output: None,
                }
            }
        }
    }
}

fn command(argv: &[&str], timeout_ms: u64) -> Criterion {
    Criterion::Command {
        argv: argv.iter().map(|&part| part.to_owned()).collect(),
        timeout_ms,
    }
}

#[test]
fn programs_are_run_and_their_last_words_kept() {
    let folder = tempfile::tempdir().unwrap();
    let files = FolderFiles::open(folder.path(), None).unwrap();
    let programs = Real(folder.path());
    let criteria = [
        command(&["true"], 60_000),
        command(&["sh", "-c", "printf 'one\\033[2J'; exit 3"], 60_000),
        command(&["sh", "-c", "echo before; exec sleep 600"], 200),
        command(&["divisi-no-such-program"], 60_000),
        command(&["false"], 60_000),
    ];
    let verdicts = evaluate(&criteria, None, &files, &programs, &[0]).unwrap();
    let evidence: Vec<&str> = verdicts.iter().map(|v| v.evidence.as_str()).collect();
    let program = verdicts[0].program.as_ref().expect("it ran to its end");
    assert_eq!(program.command, "true");
    assert_eq!(program.exit, Exit::Status(0));
    assert_eq!(verdicts[0].outcome, Outcome::Pass);
    let ran: Vec<bool> = verdicts.iter().map(|v| v.program.is_some()).collect();
    assert_eq!(ran, [true, true, false, false, true]);
    assert_eq!(
        evidence[1],
        "`sh -c 'printf '\\''one\\033[2J'\\''; exit 3'` ended with exit status 3, expected exit status 0; \
         it printed:\none\\u{1b}[2J"
    );
    assert!(
        evidence[2].contains("was ended after 200 ms"),
        "{}",
        evidence[2]
    );
    assert!(evidence[3].starts_with("`divisi-no-such-program` did not start: "));
    assert!(evidence[4].ends_with("it printed nothing"));
}

/// Ends every program the same way.
struct Always(ProgramEnd);

impl Programs for Always {
    fn run(&self, _: u16, _: &[String], _: u64) -> ProgramEnd {
        self.0.clone()
    }
}

fn quiet() -> Always {
    Always(ProgramEnd::Ended {
        exit: Exit::Status(0),
        tail: String::new(),
        output: None,
    })
}

#[test]
fn an_error_of_ours_is_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let files = FolderFiles::open(folder.path(), None).unwrap();
    let programs = Always(ProgramEnd::NotStarted {
        cause: "too many open files".into(),
        permanent: false,
    });
    let error = evaluate(&[command(&["true"], 1)], None, &files, &programs, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "start `true` for a check: too many open files"
    );
}

#[test]
fn an_exit_status_is_one_of_those_that_are_good() {
    let folder = tempfile::tempdir().unwrap();
    let files = FolderFiles::open(folder.path(), None).unwrap();
    let check = |exit: Option<(&Exit, &[i32])>| {
        let criteria = [Criterion::ExitStatus];
        let verdict = evaluate(&criteria, exit, &files, &quiet(), &[])
            .unwrap()
            .remove(0);
        (verdict.outcome, verdict.evidence)
    };
    let fail = |evidence: &str| (Outcome::Fail, evidence.to_owned());
    assert_eq!(check(Some((&Exit::Status(1), &[0, 1]))).0, Outcome::Pass);
    assert_eq!(
        check(Some((&Exit::Status(2), &[0, 1]))),
        fail("exit status 2; expected 0 or 1")
    );
    assert_eq!(
        check(Some((&Exit::Signal(9), &[0]))),
        fail("signal 9; expected 0")
    );
    assert_eq!(check(Some((&Exit::NoProcess, &[0]))).0, Outcome::Unverified);
    assert_eq!(check(None).0, Outcome::Unverified);
}

#[test]
fn what_passed_before_the_work_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "old.md", "old");
    let criteria = [
        file("old.md", 1),
        file("new.md", 1),
        Criterion::Scope {
            patterns: vec!["*.md".into()],
        },
        Criterion::ExitStatus,
        contains("old", "old.md"),
        Criterion::Plain {
            text: "reads well".into(),
        },
    ];
    let before = FolderFiles::open(root, None).unwrap();
    let passed: Vec<u16> = cheap(&criteria, &before)
        .unwrap()
        .into_iter()
        .filter(|verdict| verdict.outcome == Outcome::Pass)
        .map(|verdict| verdict.criterion)
        .collect();
    assert_eq!(passed, [0, 2, 4]);
    put(root, "new.md", "new");
    put(root, "old.md", "changed");
    let after = FolderFiles::open(root, Some(vec!["new.md".into(), "old.md".into()])).unwrap();
    let exit = Exit::Status(0);
    let verdicts = evaluate(&criteria, Some((&exit, &[0])), &after, &quiet(), &passed).unwrap();
    let seen: Vec<(Outcome, bool)> = verdicts
        .iter()
        .map(|verdict| (verdict.outcome, verdict.proves_nothing))
        .collect();
    let expected = [
        (Outcome::Pass, true),
        (Outcome::Pass, false),
        (Outcome::Pass, false),
        (Outcome::Pass, false),
        (Outcome::Fail, false),
        (Outcome::Unverified, false),
    ];
    assert_eq!(seen, expected);
}
