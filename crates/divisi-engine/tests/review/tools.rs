//! Programs of others: what they say is a finding, and without them nothing is called reviewed.
//!
//! The programs here are stand-ins that print what the real ones printed once.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use divisi_engine::review::{Perspective, Request, Review, Severity, review};

use super::stage::Repository;

/// A folder of stand-ins.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Machine {
        Machine(tempfile::tempdir().unwrap())
    }

    /// A program that executes this script.
    fn program(&self, name: &str, script: &str) -> &Machine {
        let path = self.0.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// A program that prints this and ends with a status.
    fn prints(&self, name: &str, text: &str, status: u8) -> &Machine {
        let output = self.0.path().join(format!("{name}.out"));
        fs::write(&output, text).unwrap();
        let script = format!("cat '{}'\nexit {status}", output.display());
        self.program(name, &script)
    }

    /// A request of one perspective on this machine.
    fn request<'a>(&self, repository: &'a Repository, perspective: Perspective) -> Request<'a> {
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let mut variables = BTreeMap::from([("PATH".to_owned(), path)]);
        variables.insert("API_TOKEN".to_owned(), "hidden".to_owned());
        Request {
            perspectives: vec![perspective],
            variables,
            ..repository.request()
        }
    }
}

fn one(request: &Request<'_>) -> Review {
    review(request).unwrap().remove(0)
}

fn by<'a>(review: &'a Review, tool: &str) -> Vec<(&'a str, u32, Severity, &'a str, &'a str)> {
    let findings = review
        .findings
        .iter()
        .filter(|finding| finding.tool == tool);
    findings
        .map(|f| {
            (
                f.file.as_str(),
                f.line,
                f.severity,
                f.rule.as_str(),
                f.says.as_str(),
            )
        })
        .collect()
}

fn says(review: &Review, part: &str) -> bool {
    review
        .not_reviewed
        .iter()
        .any(|sentence| sentence.contains(part))
}

#[test]
fn a_missing_tool_is_not_a_clean_bill() {
    let repository = Repository::of(&[("a.py", "x = 1\n"), ("b.sh", "echo\n")]);
    let functional = &repository.reviews()[0];
    assert!(functional.reviewed.tools.is_empty());
    for expected in [
        "What `ruff` looks for (undefined names and likely bugs in Python): `ruff` is not installed; to get it: `pip install ruff`.",
        "`shellcheck` is not installed; to get it: `apt install shellcheck`.",
    ] {
        assert!(says(functional, expected), "{:#?}", functional.not_reviewed);
    }
    // Where there is nothing for a tool, it is not missed.
    assert!(!says(functional, "go-vet") && !says(functional, "eslint"));
}

#[test]
fn what_a_tool_says_is_a_finding_with_the_command_that_shows_it() {
    let repository = Repository::of(&[("app/a.py", "import os\nx = undefined\n")]);
    let file = repository.path().join("app/a.py");
    let machine = Machine::new();
    machine.prints(
        "ruff",
        &format!(
            r#"[{{"cell":null,"code":"F821","end_location":{{"column":14,"row":2}},"filename":"{}","fix":null,"location":{{"column":5,"row":2}},"message":"Undefined name `undefined`","noqa_row":2,"url":"https://docs.astral.sh/ruff/rules/undefined-name"}}]"#,
            file.display()
        ),
        1,
    );
    let review = one(&machine.request(&repository, Perspective::Functional));
    assert_eq!(
        by(&review, "ruff"),
        [(
            "app/a.py",
            2,
            Severity::Warning,
            "F821",
            "Undefined name `undefined`"
        )]
    );
    let finding = review.findings.iter().find(|f| f.tool == "ruff").unwrap();
    assert_eq!(
        finding.command,
        "ruff check --isolated --no-cache --output-format=json --select=E9,F,B,PLE -- app/a.py"
    );
    assert_eq!(finding.excerpt, "x = undefined");
    assert_eq!(review.reviewed.tools[0].tool, "ruff");
    assert!(!says(&review, "`ruff`"));
}

#[test]
fn a_tool_that_fails_or_says_something_else_has_not_reviewed() {
    let repository = Repository::of(&[("a.py", "x = 1\n")]);
    for (text, status, expected) in [
        (
            "ruff failed: no such option",
            2,
            "it failed: exit status: 2: ruff failed: no such option",
        ),
        ("All checks passed!", 0, "it failed: its output is no JSON"),
        ("", 0, "it failed: its output is no JSON"),
        ("[]", 1, "it failed: exit status: 1, and it named no place"),
    ] {
        let machine = Machine::new();
        machine.prints("ruff", text, status);
        let review = one(&machine.request(&repository, Perspective::Functional));
        assert!(says(&review, expected), "{:#?}", review.not_reviewed);
        assert!(by(&review, "ruff").is_empty());
    }
}

#[test]
fn code_of_the_repository_is_executed_only_if_it_is_trusted() {
    let repository = Repository::of(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("Cargo.lock", "version = 4\n"),
        ("src/lib.rs", "//! A.\n\nfn f() -> u8 { return 1; }\n"),
    ]);
    let message = r#"{"reason":"compiler-message","message":{"code":{"code":"clippy::needless_return","explanation":null},"level":"warning","message":"unneeded `return` statement","spans":[{"file_name":"src/lib.rs","is_primary":false,"line_start":1},{"file_name":"src/lib.rs","is_primary":true,"line_start":3}]}}"#;
    let machine = Machine::new();
    let mark = machine.0.path().join("executed");
    machine.program(
        "cargo",
        &format!("touch '{}'\necho '{message}'\necho '{{\"reason\":\"build-finished\",\"success\":true}}'", mark.display()),
    );
    let request = machine.request(&repository, Perspective::Functional);
    let review = one(&request);
    assert!(says(
        &review,
        "`cargo-clippy` looks for (likely mistakes in Rust): it executes code of what is reviewed"
    ));
    assert!(!mark.exists());
    let review = one(&Request {
        trusted: true,
        ..request
    });
    assert!(mark.exists());
    assert_eq!(
        by(&review, "cargo-clippy"),
        [(
            "src/lib.rs",
            3,
            Severity::Warning,
            "clippy::needless_return",
            "unneeded `return` statement"
        )]
    );
}

#[test]
fn other_machines_are_asked_only_if_that_is_asked_for() {
    let lock =
        "{\n  \"packages\": {\n    \"node_modules/left\": {\"version\": \"1.0.0\"}\n  }\n}\n";
    let repository = Repository::of(&[("package-lock.json", lock), ("package.json", "{}\n")]);
    let machine = Machine::new();
    let report = r#"{"auditReportVersion":2,"vulnerabilities":{"left":{"name":"left","severity":"high","via":[{"source":1,"name":"left","title":"Prototype pollution in left","url":"https://example/GHSA-1","severity":"high","range":"<2"},"other"],"range":"<2"}}}"#;
    machine.prints("npm", report, 1);
    let request = machine.request(&repository, Perspective::Security);
    assert!(says(
        &one(&request),
        "`npm-audit` looks for (known vulnerabilities of JavaScript dependencies): it asks other machines"
    ));
    let review = one(&Request {
        online: true,
        ..request
    });
    assert_eq!(
        by(&review, "npm-audit"),
        [(
            "package-lock.json",
            3,
            Severity::Error,
            "https://example/GHSA-1",
            "Prototype pollution in left"
        )]
    );
}

#[test]
fn a_tool_sees_what_changed_and_its_words_about_the_rest_do_not_count() {
    let repository = Repository::of(&[("a.sh", "echo $a\n"), ("b.sh", "echo $b\n")]);
    repository.write("a.sh", b"echo $a\necho $c\n");
    let machine = Machine::new();
    let calls = machine.0.path().join("calls");
    machine.program(
        "shellcheck",
        &format!("echo \"$@\" >>'{}'\necho 'a.sh:1:6: note: Double quote. [SC2086]'\necho 'a.sh:2:6: warning: c is referenced but not assigned. [SC2154]'\necho 'b.sh:1:6: warning: x [SC1]'\necho '../x.sh:1:6: warning: x [SC1]'\nexit 1", calls.display()),
    );
    let review = one(&Request {
        base: Some("HEAD".to_owned()),
        ..machine.request(&repository, Perspective::Functional)
    });
    assert_eq!(
        by(&review, "shellcheck"),
        [(
            "a.sh",
            2,
            Severity::Warning,
            "SC2154",
            "c is referenced but not assigned."
        )]
    );
    let calls = fs::read_to_string(calls).unwrap();
    assert_eq!(calls, "--norc --format=gcc --severity=warning -- a.sh\n");
}

#[test]
fn a_tool_gets_no_secret_and_none_of_the_repositorys_programs_is_taken_for_one() {
    let repository =
        Repository::of(&[("a.py", "x = 1\n"), ("ruff", "#!/bin/sh\ntouch executed\n")]);
    let own = repository.path().join("ruff");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    let machine = Machine::new();
    let seen = machine.0.path().join("seen");
    machine.program("python3", &format!("env >'{}'", seen.display()));
    let mut request = machine.request(&repository, Perspective::Functional);
    let path = format!(".:{}", request.variables["PATH"]);
    request.variables.insert("PATH".to_owned(), path);
    let review = one(&request);
    assert!(says(&review, "`ruff` is not installed"));
    assert!(!repository.path().join("executed").exists());
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("PATH=") && !seen.contains("hidden"), "{seen}");
}

#[test]
fn python_and_node_parse_what_they_are_given_and_execute_nothing() {
    let has = |program: &str| {
        let path = std::env::var("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    };
    let repository = Repository::of(&[
        ("good.py", "open('executed', 'w')\n"),
        ("bad.py", "x = 1\ndef f(:\n"),
        ("good.js", "require('fs').writeFileSync('executed', '')\n"),
        ("bad.js", "const x = 1;\nfunction ( {\n"),
    ]);
    let request = Request {
        perspectives: vec![Perspective::Functional],
        variables: std::env::vars().collect(),
        only: vec!["python-syntax".to_owned(), "node-syntax".to_owned()],
        ..repository.request()
    };
    let review = one(&request);
    assert!(!Path::new(&repository.path().join("executed")).exists());
    let places = |tool: &str| -> Vec<(String, u32)> {
        let found = by(&review, tool).into_iter();
        found
            .map(|(file, line, ..)| (file.to_owned(), line))
            .collect()
    };
    for (program, tool, file) in [
        ("python3", "python-syntax", "bad.py"),
        ("node", "node-syntax", "bad.js"),
    ] {
        match has(program) {
            true => assert_eq!(
                places(tool),
                [(file.to_owned(), 2)],
                "{:#?}",
                review.not_reviewed
            ),
            false => assert!(says(&review, "is not installed")),
        }
    }
}
