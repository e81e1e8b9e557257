//! Each function on what a hostile model, or a hostile repository, may bring.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::json;

use super::*;

/// Allows what does not hold this word, and keeps what it was asked.
struct Allows {
    except: &'static str,
    asked: Mutex<Vec<Request>>,
}

impl Broker for Allows {
    fn decide(&self, request: &Request) -> Decision {
        self.asked.lock().unwrap().push(request.clone());
        match request.title.contains(self.except) {
            true => Decision::Deny {
                reason: "a rule says so".to_owned(),
            },
            false => Decision::Allow,
        }
    }
}

fn allows() -> Allows {
    Allows {
        except: "forbidden",
        asked: Mutex::default(),
    }
}

struct Place {
    around: tempfile::TempDir,
    broker: Allows,
    masked: Vec<String>,
}

impl Place {
    /// A workspace with some files, and one outside of it.
    fn new() -> Place {
        let around = tempfile::tempdir().unwrap();
        let root = around.path().join("workspace");
        fs::create_dir_all(root.join("src/deep")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        fs::write(root.join(".git/config"), "needle in git\n").unwrap();
        fs::write(root.join("src/one.rs"), "fn one() {}\nfn needle() {}\n").unwrap();
        fs::write(root.join("src/deep/two.rs"), "// needle\n").unwrap();
        fs::write(root.join("image"), b"needle\0\x01\x02").unwrap();
        fs::write(around.path().join("outside.txt"), "needle outside\n").unwrap();
        symlink("../outside.txt", root.join("link.txt")).unwrap();
        symlink("..", root.join("up")).unwrap();
        Place {
            around,
            broker: allows(),
            masked: vec!["secret-value".to_owned()],
        }
    }

    fn root(&self) -> PathBuf {
        self.around.path().join("workspace")
    }

    fn call(&self, function: &str, arguments: Value) -> Outcome {
        let withheld = Some("MODEL_TEST_KEY".to_owned());
        let mut hands = Hands::new(&self.root(), &self.broker, &self.masked, withheld);
        hands.call(&Call {
            id: "1".to_owned(),
            function: function.to_owned(),
            arguments,
        })
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }
}

fn done(outcome: Outcome) -> String {
    match outcome {
        Outcome::Done(text) => text,
        other => panic!("{other:?}"),
    }
}

fn failed(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(text) => text,
        other => panic!("{other:?}"),
    }
}

fn faulty(outcome: Outcome) -> String {
    match outcome {
        Outcome::Faulty(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_path_leads_out_of_the_workspace() {
    let place = Place::new();
    let outside = place.around.path().join("outside.txt");
    let outside = outside.to_str().unwrap();
    for path in [
        "../outside.txt",
        "src/../../outside.txt",
        outside,
        "link.txt",
        "up/outside.txt",
        "up/workspace/src/one.rs",
        ".git/config",
        "src/.GIT/config",
        "",
        "a\0b",
    ] {
        for (function, arguments) in [
            ("read", json!({"path": path})),
            ("write", json!({"path": path, "text": "x"})),
            ("edit", json!({"path": path, "old": "needle", "new": "x"})),
        ] {
            let outcome = place.call(function, arguments);
            assert!(
                matches!(outcome, Outcome::Failed(_)),
                "{function} {path:?}: {outcome:?}"
            );
        }
        for (function, arguments) in [
            ("list", json!({"path": path})),
            ("search", json!({"pattern": "needle", "path": path})),
        ] {
            let outcome = place.call(function, arguments);
            // Nothing is the workspace itself.
            let is_refused = matches!(outcome, Outcome::Failed(_)) || path.is_empty();
            assert!(is_refused, "{function} {path:?}: {outcome:?}");
        }
    }
    assert_eq!(fs::read_to_string(outside).unwrap(), "needle outside\n");
    let told = failed(place.call("read", json!({"path": "link.txt"})));
    assert!(told.contains("links are not followed"), "{told}");
}

#[test]
fn an_absolute_path_within_the_workspace_is_that_path() {
    let place = Place::new();
    let path = place.root().join("src/one.rs");
    let read = done(place.call("read", json!({"path": path})));
    assert_eq!(read, "fn one() {}\nfn needle() {}\n");
    let listed = done(place.call("list", json!({"path": place.root()})));
    assert!(listed.contains("src/"), "{listed}");
    // Another folder whose name only begins like it.
    let beside = format!("{}-other", place.root().display());
    let told = failed(place.call("list", json!({"path": beside})));
    assert!(told.contains("is absolute"), "{told}");
}

#[test]
fn a_folder_is_listed_in_order_with_what_each_is() {
    let place = Place::new();
    fs::write(place.root().join("a\nb"), "").unwrap();
    let listed = done(place.call("list", json!({})));
    assert_eq!(listed, "a\\nb\nimage\nlink.txt@\nsrc/\nup@");
    for at in 0..1_010 {
        fs::write(place.root().join(format!("src/deep/{at:04}")), "").unwrap();
    }
    let listed = done(place.call("list", json!({"path": "src/deep"})));
    assert!(listed.ends_with("0999\n[11 more]"), "{listed}");
    fs::create_dir(place.root().join("empty")).unwrap();
    assert_eq!(
        done(place.call("list", json!({"path": "empty"}))),
        "[the folder is empty]"
    );
    let told = failed(place.call("list", json!({"path": "src/one.rs"})));
    assert!(told.contains("src/one.rs"), "{told}");
}

#[test]
fn a_file_is_read_as_it_is_and_in_parts() {
    let place = Place::new();
    let lines: String = (1..=5_000).map(|at| format!("line {at}\n")).collect();
    fs::write(place.root().join("long.txt"), &lines).unwrap();
    let read = done(place.call("read", json!({"path": "long.txt"})));
    assert!(read.starts_with("line 1\nline 2\n"), "{read}");
    assert!(read.ends_with("line 2000\n[lines 1 to 2000; the file goes on]"));
    let read = done(place.call(
        "read",
        json!({"path": "long.txt", "from": 4_999, "lines": 10}),
    ));
    assert_eq!(read, "line 4999\nline 5000\n");
    let told = failed(place.call("read", json!({"path": "long.txt", "from": 6_000})));
    assert!(told.contains("no line 6000"), "{told}");
    let told = failed(place.call("read", json!({"path": "image"})));
    assert!(told.contains("a binary file of 9 bytes"), "{told}");
    fs::write(place.root().join("none"), "").unwrap();
    assert_eq!(
        done(place.call("read", json!({"path": "none"}))),
        "[the file is empty]"
    );
    let told = failed(place.call("read", json!({"path": "src"})));
    assert!(told.to_lowercase().contains("directory"), "{told}");
    fs::write(place.root().join("wide"), "x".repeat(1 << 20)).unwrap();
    let read = done(place.call("read", json!({"path": "wide"})));
    assert!(read.len() < OUTPUT_BYTES_MAX + 200, "{} bytes", read.len());
}

#[test]
fn what_is_no_regular_file_hangs_nobody() {
    let place = Place::new();
    let pipe = place.root().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    failed(place.call("read", json!({"path": "pipe"})));
    failed(place.call("write", json!({"path": "pipe", "text": "x"})));
    done(place.call("search", json!({"pattern": "needle"})));
}

#[test]
fn lines_are_found_beneath_a_folder_and_in_text_files_only() {
    let place = Place::new();
    let found = done(place.call("search", json!({"pattern": "need.e"})));
    assert_eq!(
        found,
        "src/one.rs:2: fn needle() {}\nsrc/deep/two.rs:1: // needle"
    );
    let found = done(place.call("search", json!({"pattern": "needle", "path": "src/deep/"})));
    assert_eq!(found, "src/deep/two.rs:1: // needle");
    let found = done(place.call("search", json!({"pattern": "needle", "path": "src/one.rs"})));
    assert_eq!(found, "src/one.rs:2: fn needle() {}");
    let found = done(place.call("search", json!({"pattern": "absent"})));
    assert_eq!(found, "[no line matches absent]");
    let told = faulty(place.call("search", json!({"pattern": "("})));
    assert!(told.contains("no regular expression"), "{told}");
    faulty(place.call("search", json!({"pattern": "(a{1000}){1000}"})));
    let many: String = (0..1_000).map(|_| "needle\n").collect();
    fs::write(place.root().join("many"), many).unwrap();
    let found = done(place.call("search", json!({"pattern": "needle"})));
    assert_eq!(found.lines().count(), 201);
    assert!(found.ends_with("[there may be more lines]"), "{found}");
}

#[test]
fn a_text_is_replaced_only_where_it_is_clear_which() {
    let place = Place::new();
    let edit = |old: &str, new: &str, all: bool| {
        let arguments = json!({"path": "a.txt", "old": old, "new": new, "all": all});
        place.call("edit", arguments)
    };
    fs::write(place.root().join("a.txt"), "one\ntwo\none\n  three\n").unwrap();
    let told = failed(edit("one", "1", false));
    assert!(
        told.contains("stands 2 times in a.txt, in the lines 1, 3;"),
        "{told}"
    );
    let told = failed(edit("four", "4", false));
    assert_eq!(told, "`old` does not stand in a.txt; read the file first");
    let told = failed(edit("one\nthree", "x", false));
    assert!(told.contains("with other spaces or line ends"), "{told}");
    faulty(edit("", "x", false));
    faulty(edit("two", "two", false));
    assert_eq!(place.text("a.txt"), "one\ntwo\none\n  three\n");
    done(edit("two\none", "2\n1", false));
    assert_eq!(place.text("a.txt"), "one\n2\n1\n  three\n");
    fs::write(place.root().join("a.txt"), "one\none\n").unwrap();
    assert_eq!(done(edit("one", "1", true)), "replaced it 2 times in a.txt");
    assert_eq!(place.text("a.txt"), "1\n1\n");
    fs::write(place.root().join("a.txt"), b"one\xff").unwrap();
    let told = failed(edit("one", "1", false));
    assert!(told.contains("no text in UTF-8"), "{told}");
}

#[test]
fn a_file_is_written_with_its_folders() {
    let place = Place::new();
    let told = done(place.call("write", json!({"path": "new/deep/a.md", "text": "# A\n"})));
    assert_eq!(told, "wrote 4 bytes to new/deep/a.md");
    assert_eq!(place.text("new/deep/a.md"), "# A\n");
    let huge = "x".repeat(9 << 20);
    failed(place.call("write", json!({"path": "huge", "text": huge})));
    assert!(!place.root().join("huge").exists());
}

#[test]
fn changes_and_programs_are_asked_for_and_what_is_denied_is_not_done() {
    let place = Place::new();
    done(place.call("write", json!({"path": "a.md", "text": "x"})));
    done(place.call("edit", json!({"path": "a.md", "old": "x", "new": "y"})));
    done(place.call("run", json!({"command": "true"})));
    done(place.call("read", json!({"path": "a.md"})));
    for (function, arguments) in [
        ("write", json!({"path": "forbidden.md", "text": "x"})),
        ("run", json!({"command": "touch forbidden.md"})),
    ] {
        let Outcome::Denied { what, reason } = place.call(function, arguments) else {
            panic!("{function} is denied");
        };
        assert!(what.contains("forbidden.md"), "{what}");
        assert_eq!(reason, "a rule says so");
    }
    assert!(!place.root().join("forbidden.md").exists());
    let asked = place.broker.asked.lock().unwrap();
    let deeds: Vec<Deed> = asked.iter().map(|request| request.deed).collect();
    let (edit, execute) = (Deed::Edit, Deed::Execute);
    assert_eq!(deeds, [edit, edit, execute, edit, execute]);
    assert_eq!(asked[0].paths, ["a.md"]);
    assert_eq!(asked[2].command.as_deref(), Some("true"));
}

#[test]
fn a_command_prints_and_ends_as_it_did() {
    let place = Place::new();
    let ran = |command: &str| place.call("run", json!({"command": command}));
    let told = done(ran("pwd; echo to-error >&2"));
    let root = place.root().canonicalize().unwrap();
    assert_eq!(
        told,
        format!("{}\nto-error\n[exit status 0]", root.display())
    );
    let told = failed(ran("echo no; exit 3"));
    assert_eq!(told, "no\n[exit status: 3]");
    // It has no input, and is not given the key.
    assert_eq!(
        done(ran("cat; echo \"${MODEL_TEST_KEY-unset}\"")),
        "unset\n[exit status 0]"
    );
    faulty(ran("  "));
    let told = done(ran("yes | head -c 10000000; echo the-end"));
    assert!(told.len() < 40 << 10, "{} bytes", told.len());
    assert!(told.contains("bytes were left out]"), "{told}");
    assert!(told.ends_with("the-end\n[exit status 0]"), "{told}");
    assert_eq!(
        done(ran("echo is-secret-value")),
        "is-[masked]\n[exit status 0]"
    );
}

#[test]
fn a_call_that_does_not_fit_is_told_what_is_wrong() {
    let place = Place::new();
    for (function, arguments, words) in [
        (
            "delete",
            json!({}),
            "there is no function \"delete\"; there are list, search, read",
        ),
        ("read", json!({}), "missing field `path`"),
        (
            "read",
            json!({"path": 7}),
            "invalid type: integer `7`, expected a string",
        ),
        (
            "read",
            json!("{\"path\": "),
            "the arguments are no JSON: EOF",
        ),
        ("read", json!("[]"), "no JSON object"),
        ("read", json!([]), "no JSON object"),
        (
            "run",
            json!({"command": "true", "seconds": -1}),
            "invalid value: integer `-1`",
        ),
    ] {
        let told = faulty(place.call(function, arguments));
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn the_schemas_name_what_the_functions_take() {
    let names: Vec<&str> = all().map(|function| function.name).collect();
    assert_eq!(names, ["list", "search", "read", "edit", "write", "run"]);
    for function in all() {
        let schema = function.schema();
        let required = schema["required"].as_array().unwrap();
        let place = Place::new();
        let mut given = json!({});
        for name in required {
            // Without it, the call is faulty, and it is named.
            let told = faulty(place.call(function.name, given.clone()));
            assert!(
                told.contains(name.as_str().unwrap()),
                "{}: {told}",
                function.name
            );
            given[name.as_str().unwrap()] = name.clone();
        }
        let outcome = place.call(function.name, given);
        assert!(
            !matches!(outcome, Outcome::Faulty(_)),
            "{}: {outcome:?}",
            function.name
        );
    }
}

#[test]
fn all_that_a_command_started_is_ended_with_it() {
    let place = Place::new();
    // One that hides in a session of its own, and whose parent is gone.
    let hides = "setsid sh -c 'echo $$ > hidden; exec sleep 600' > /dev/null 2>&1 & \
                 while ! test -s hidden; do sleep 0.01; done";
    for (ends, seconds, expected) in [
        ("echo done", 600, "done\n[exit status 0]"),
        ("sleep 600", 1, "[it was ended after 1 s]"),
    ] {
        let command = format!("{hides}; {ends}");
        let outcome = place.call("run", json!({"command": command, "seconds": seconds}));
        let (Outcome::Done(told) | Outcome::Failed(told)) = outcome else {
            panic!("{outcome:?}");
        };
        // With only a second, it may not have come that far.
        let pid = fs::read_to_string(place.root().join("hidden")).unwrap_or_default();
        assert!(pid.is_empty() || !lives(pid.trim()), "{ends}");
        assert_eq!(told, expected);
        assert!(seconds == 1 || !pid.is_empty(), "it was started");
        let _ = fs::remove_file(place.root().join("hidden"));
    }
}

/// Whether a process is there, and no zombie.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}
