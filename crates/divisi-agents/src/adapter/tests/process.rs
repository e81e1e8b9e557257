//! The process with a tool that is a small script.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use divisi_core::ledger::Bound;
use divisi_core::run::{Budget, DefinedProgram, Speaks};

use super::super::meter::{RESERVATION_VARIABLE, Reservation};
use super::super::plain;
use super::super::process::{Fault, Surroundings, converse_in, told};
use super::super::product::{Asks, PRODUCTS, Product, Writes};
use super::super::{Broker, Decision, Nobody, Request};
use super::*;
use crate::environment::in_all_forms;

/// Claude Code with another program: its stream is what the script prints. It is told as one
/// that cannot ask.
fn tool(folder: &Path, script: &str) -> &'static Product {
    tool_that(Asks::Never, folder, script)
}

fn tool_that(asks: Asks, folder: &Path, script: &str) -> &'static Product {
    let product = Product {
        asks,
        ..PRODUCTS[0].clone()
    };
    tool_like(product, folder, script)
}

fn tool_like(product: Product, folder: &Path, script: &str) -> &'static Product {
    let path = folder.join("tool");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let program = "tool";
    Box::leak(Box::new(Product { program, ..product }))
}

fn here(folder: &Path) -> Surroundings {
    let handoff = serde_json::json!({
        "handoff_id": "to-x-subtask-a", "from": "orchestrator", "to": "x", "subtask_id": "a",
        "parent_orchestration": "run-1", "priority": "medium", "created_at": "now",
        "title": "The title", "description": "What is to be done.",
        "deliverables": ["out.md"], "attempt": 2,
        "feedback": [{"attempt": 1, "reason": "1 of 1 criteria were not met",
            "claimed_failure": "no time",
            "unmet": [{"criterion": "out.md is not empty", "evidence": "it is\nempty"}]}],
    });
    fs::write(folder.join("handoff.json"), handoff.to_string()).unwrap();
    fs::create_dir_all(folder.join("home")).unwrap();
    Surroundings {
        handoff: folder.join("handoff.json"),
        tmp: folder.join("tmp"),
        home: folder.join("home"),
        workspace: folder.to_owned(),
        stop: Stop::default(),
        patience: Patience::default(),
        variables: ["HOME", "PATH"]
            .map(|name| (name.to_owned(), folder.display().to_string()))
            .into(),
        writes: Writes::Free,
        reservation: Reservation::default(),
        masked: vec!["a-secret-value".to_owned()],
    }
}

fn nobody() -> Arc<dyn Broker> {
    Arc::new(Nobody)
}

/// Allows what is not said to be secret, and keeps what it was asked.
#[derive(Default)]
struct Keeper(Mutex<Vec<Request>>);

impl Broker for Keeper {
    fn decide(&self, request: &Request) -> Decision {
        self.0.lock().unwrap().push(request.clone());
        match request.paths.iter().any(|path| path.contains("secret")) {
            true => Decision::Deny {
                reason: "it is secret".to_owned(),
            },
            false => Decision::Allow,
        }
    }
}

const DONE: &str = r#"echo '{"type":"result","is_error":false,"result":"ok"}'"#;

fn converse(script: &str) -> (Result<Closing, Fault>, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let product = tool(folder.path(), script);
    let mut out = Vec::new();
    let closing = converse_in(product, &here(folder.path()), &nobody(), &mut out);
    (closing, String::from_utf8(out).unwrap(), folder)
}

#[test]
fn it_is_told_on_its_input_what_to_do_and_why_it_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("prompt.md");
    let product = tool(folder.path(), &format!("cat > {}; {DONE}", told.display()));
    converse_in(product, &here(folder.path()), &nobody(), &mut Vec::new()).unwrap();
    let told = fs::read_to_string(told).unwrap();
    for words in [
        "# The title",
        "What is to be done.",
        "- `out.md`",
        "## Attempt 1 was refused",
        "- you said of it:\n  > no time",
        "- not met: out.md is not empty\n  > it is\n  > empty",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_tool_that_reads_nothing_or_ends_at_once_hangs_nobody() {
    let (closing, ..) = converse(DONE);
    assert_eq!(closing.unwrap().claim, Claim::Done);
    let (closing, ..) = converse("exit 3");
    let claim = closing.unwrap().claim;
    assert!(
        matches!(&claim, Claim::Failed { cause } if cause.contains("status 3")),
        "{claim:?}"
    );
}

/// Something that outlives the script which starts it and holds its pipes, until it is told to
/// end by a line in the file `held`.
fn outliving(folder: &Path) -> String {
    let path = std::env::var("PATH").unwrap();
    let at = folder.join("held").display().to_string();
    format!("PATH={path}; mkfifo {at}; (exec 3<>{at}; read -r _ <&3) & ")
}

fn let_go(folder: &Path) {
    fs::write(folder.join("held"), "\n").unwrap();
}

#[test]
fn a_tool_that_has_ended_is_not_waited_for_whoever_holds_its_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let product = tool(
        folder.path(),
        &format!("{}{DONE}", outliving(folder.path())),
    );
    let mut out = Vec::new();
    let closing = converse_in(product, &here(folder.path()), &nobody(), &mut out).unwrap();
    let_go(folder.path());
    assert_eq!(closing.claim, Claim::Done);

    let folder = tempfile::tempdir().unwrap();
    let script = format!("{}echo done", outliving(folder.path()));
    let (closing, out) = plainly_in(folder.path(), &script, &[]);
    let_go(folder.path());
    assert_eq!(closing.unwrap().claim, Claim::Done);
    assert!(out.contains("done"), "{out}");
}

#[test]
fn what_is_printed_beside_without_an_end_swallows_no_entry_and_no_closing() {
    let beside = "printf 'rate limited, a-secret-value' >&2";
    let told = |closing: Result<Closing, Fault>, out: &str| {
        assert_eq!(Closing::last_in(out), Some(closing.unwrap()), "{out}");
        for line in out.lines() {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(entry["entry"].is_string(), "{out}");
        }
        let noted = r#"{"entry":"noted","text":"rate limited, [masked]""#;
        assert!(out.contains(noted), "{out}");
    };
    let (closing, out, _folder) = converse(&format!("{beside}; {DONE}"));
    told(closing, &out);
    let (closing, out) = plainly(&format!("{beside}; echo done"), &[]);
    told(closing, &out);
}

#[test]
fn a_secret_in_a_long_line_of_words_is_masked_wherever_it_stands() {
    let path = std::env::var("PATH").unwrap();
    for before in [8 << 10, 64 << 10] {
        let words = format!("head -c {} /dev/zero | tr '\\0' x", before - 7);
        let script = format!("PATH={path}; {words}; echo a-secret-value; exit 1");
        let (closing, out) = plainly(&script, &[]);
        let (told, closing) = (out.as_str(), closing.unwrap().to_line());
        for part in ["a-secr", "-value"] {
            assert!(!told.contains(part) && !closing.contains(part), "{before}");
        }
    }
}

#[test]
fn a_tool_is_ended_after_the_answer_that_uses_its_reservation_up() {
    let folder = tempfile::tempdir().unwrap();
    let part = |event: &str| format!(r#"echo '{{"type":"stream_event","event":{event}}}'"#);
    let begins = part(r#"{"type":"message_start","message":{"usage":{"input_tokens":900}}}"#);
    let ends = part(
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":200}}"#,
    );
    // It would go on for ever, and so would what it started, which holds its output open.
    let held = folder.path().join("held");
    let held_words = held.display();
    let script = format!("mkfifo {held_words}; {begins}; cat {held_words} & {ends}; wait; {DONE}");
    let product = tool(folder.path(), &script);
    let mut here = here(folder.path());
    here.variables.insert("PATH".to_owned(), {
        let path = std::env::var("PATH").unwrap();
        format!("{}:{path}", folder.path().display())
    });
    let bound = Bound::Tokens(1_000);
    here.reservation.budget = Budget::default().with(bound);
    let mut out = Vec::new();
    let closing = converse_in(product, &here, &nobody(), &mut out).unwrap();
    // Nobody sweeps here: what it started ends with this.
    fs::write(held, "").unwrap();
    assert_eq!(closing.claim, Claim::UsedUp { bound });
    assert_eq!(closing.usage.unwrap().tokens(), 1_100);
    let out = String::from_utf8(out).unwrap();
    assert_eq!(Closing::last_in(&out), Some(closing));
    // Whoever is ended before there is a closing has said so, too.
    let cut = out.lines().filter(|line| !line.contains("closed"));
    let cut: Vec<&str> = cut.collect();
    let usage = Closing::usage_in(&cut.join("\n")).unwrap();
    assert_eq!(usage.tokens(), 1_100);
}

#[test]
fn a_secret_is_masked_before_anything_is_cut() {
    let line = r#"echo '{"type":"assistant","message":{"content":[{"type":"text","text":"it is a-secret-value"}]}}'"#;
    let (_, out, _folder) = converse(&format!("{line}; {DONE}"));
    assert!(
        out.contains("it is [masked]") && !out.contains("a-secret"),
        "{out}"
    );
}

/// What is printed of an answer that holds a secret, which is written in JSON as `written`.
fn printed_of(secret: &str, before: usize, written: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}{written}", "x".repeat(before));
    let line = format!(
        r#"{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{text}"}},{{"type":"tool_use","name":"Write","input":{{"content":"{text}"}}}}]}}}}"#
    );
    fs::write(folder.path().join("line"), line + "\n").unwrap();
    let path = std::env::var("PATH").unwrap();
    let script = format!("PATH={path}; cat \"${{0%/*}}/line\"; {DONE}");
    let product = tool(folder.path(), &script);
    let mut here = here(folder.path());
    here.masked = in_all_forms(vec![secret.to_owned()]);
    let mut out = Vec::new();
    converse_in(product, &here, &nobody(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_secret_is_masked_however_json_writes_it_and_wherever_it_is_cut() {
    let key = "-----BEGIN KEY-----\nab\"cd\n-----END KEY-----";
    let escaped = r#"-----BEGIN KEY-----\nab\"cd\n-----END KEY-----"#;
    let out = printed_of(key, 0, escaped);
    assert!(out.contains(r#""text":"[masked]""#), "{out}");
    assert!(out.contains(r#"{\"content\":\"[masked]\"}"#), "{out}");
    assert!(!out.contains("BEGIN") && !out.contains("cd"), "{out}");
    for before in [0, 8_150, 8_180, 8_190] {
        let out = printed_of("a-secret-value", before, r"\u0061-secret-value");
        assert!(!out.contains("a-sec") && !out.contains("u0061"), "{before}");
    }
}

#[test]
fn the_users_login_is_linked_and_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".claude")).unwrap();
    let login = folder.path().join(".claude/.credentials.json");
    fs::write(&login, "{}").unwrap();
    let script = format!(
        "ls -la \"$CLAUDE_CONFIG_DIR\" > {}/seen; {DONE}",
        folder.path().display()
    );
    let product = tool(folder.path(), &script);
    converse_in(product, &here(folder.path()), &nobody(), &mut Vec::new()).unwrap();
    let seen = fs::read_to_string(folder.path().join("seen")).unwrap();
    let link = format!(".credentials.json -> {}", login.display());
    assert!(seen.contains(&link), "{seen}");
    // Neither it nor what a tool wrote in its place stays there.
    let script = format!(
        "cp --remove-destination {} \"$CLAUDE_CONFIG_DIR\"/.credentials.json; {DONE}",
        login.display()
    );
    let product = tool(folder.path(), &script);
    converse_in(product, &here(folder.path()), &nobody(), &mut Vec::new()).unwrap();
    let left = folder.path().join("home/claude/.credentials.json");
    assert!(left.symlink_metadata().is_err());
    assert!(login.exists());
}

/// What a tool takes from no variable and no argument it finds in a file, whatever an earlier
/// attempt left in its place.
#[test]
fn a_file_that_a_tool_is_given_is_named_to_it_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "cat \"$QWEN_CODE_SYSTEM_DEFAULTS_PATH\" > {}/seen",
        folder.path().display()
    );
    let qwen = || tool_like(product("qwen").unwrap().clone(), folder.path(), &script);
    let here = here(folder.path());
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "as it was").unwrap();
    symlink(&elsewhere, folder.path().join("home/qwen-defaults.json")).unwrap();
    converse_in(qwen(), &here, &nobody(), &mut Vec::new()).unwrap();
    let seen = fs::read_to_string(folder.path().join("seen")).unwrap();
    assert!(seen.contains(r#""enableInteractiveShell":false"#), "{seen}");
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "as it was");
}

#[test]
fn a_folder_that_is_named_relative_to_the_workspace_lends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let product = tool(folder.path(), DONE);
    let mut here = here(folder.path());
    // A file that is there wherever tests run.
    let relative = ("CLAUDE_CONFIG_DIR".to_owned(), "src".to_owned());
    here.variables.extend([relative]);
    converse_in(product, &here, &nobody(), &mut Vec::new()).unwrap();
    let home = fs::read_dir(folder.path().join("home/claude")).unwrap();
    assert_eq!(home.count(), 0);
}

#[test]
fn a_tool_that_is_not_there_is_named_with_what_installs_it() {
    let folder = tempfile::tempdir().unwrap();
    let product = Box::leak(Box::new(Product {
        program: "no-such-tool-anywhere",
        ..PRODUCTS[0].clone()
    }));
    let told = converse_in(product, &here(folder.path()), &nobody(), &mut Vec::new()).unwrap_err();
    let told = told.to_string();
    assert!(
        told.contains("npm install --global @anthropic-ai/claude-code"),
        "{told}"
    );
}

/// What a script comes to that is told in words, and what was printed.
fn plainly(script: &str, arguments: &[&str]) -> (Result<Closing, Fault>, String) {
    let folder = tempfile::tempdir().unwrap();
    plainly_in(folder.path(), script, arguments)
}

fn plainly_in(folder: &Path, script: &str, arguments: &[&str]) -> (Result<Closing, Fault>, String) {
    tool(folder, script);
    let own = folder.join("tool").display().to_string();
    let command = [own.as_str()].into_iter().chain(arguments.iter().copied());
    let defined = DefinedProgram {
        command: command.map(str::to_owned).collect(),
        speaks: Speaks::Text,
        variables: Vec::new(),
    };
    let mut out = Vec::new();
    let closing = plain::converse_in(&defined, &here(folder), &mut out);
    (closing, String::from_utf8(out).unwrap())
}

#[test]
fn a_program_that_speaks_text_is_told_on_its_input_or_in_an_argument() {
    let (closing, out) = plainly("cat; echo; echo 'a-secret-value'", &[]);
    assert_eq!(closing.unwrap().claim, Claim::Done);
    assert!(out.contains("What is to be done."), "{out}");
    assert!(
        out.contains("[masked]") && !out.contains("a-secret"),
        "{out}"
    );
    let (closing, out) = plainly("cat; echo \"$1: $2\"", &["-m", "do: {prompt}"]);
    assert_eq!(closing.unwrap().claim, Claim::Done);
    assert!(out.contains("-m: do: # The title"), "{out}");
}

#[test]
fn a_program_that_speaks_text_claims_by_its_status_and_by_words_for_a_limit() {
    let claim = |script: &str| plainly(script, &[]).0.unwrap().claim;
    let failed = claim("echo first; echo; echo 'no such model'; exit 3");
    let Claim::Failed { cause } = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(cause, "it ended with status 3:\nfirst\nno such model");
    let complained = claim("echo 'there is no such key' >&2; exit 3");
    let Claim::Failed { cause } = complained else {
        panic!("{complained:?}");
    };
    assert_eq!(cause, "it ended with status 3:\nthere is no such key");
    let limited = claim("echo 'Error code: 429 - slow down'; exit 1");
    assert!(matches!(limited, Claim::Limited { .. }), "{limited:?}");
    // Words of a task, or of a test that failed, are none of the server's.
    for words in ["test rate limit ... FAILED", "a usage limit", "line 429"] {
        let failed = claim(&format!("echo '{words}'; exit 1"));
        assert!(matches!(failed, Claim::Failed { .. }), "{failed:?}");
    }
    // Words of a model that did its work are none of the server's.
    assert_eq!(claim("echo 'about the rate limit'"), Claim::Done);
    assert!(matches!(claim("kill -9 $$"), Claim::Failed { .. }));
    let many = claim("seq 1 100; exit 1");
    assert!(matches!(many, Claim::Failed { cause } if cause.ends_with("96\n97\n98\n99\n100")));
}

#[test]
fn no_tool_is_told_what_was_reserved() {
    // Whoever starts the adapter tells it in its environment, which tools inherit.
    let test = std::env::current_exe().unwrap();
    let child = std::process::Command::new(test)
        .args([
            "--exact",
            "adapter::tests::process::tools_print_their_environment",
        ])
        .env(RESERVATION_VARIABLE, "{}")
        .env(IS_CHILD, "1")
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && out.contains("1 passed"), "{out}");
}

const IS_CHILD: &str = "DIVISI_TEST_PRINTS_ENVIRONMENT";

/// Of the one above, in a process of its own.
#[test]
fn tools_print_their_environment() {
    let is_told = std::env::var_os(RESERVATION_VARIABLE).is_some();
    assert_eq!(is_told, std::env::var_os(IS_CHILD).is_some());
    let path = std::env::var("PATH").unwrap();
    let (closing, out) = plainly(&format!("PATH={path}; env"), &[]);
    assert_eq!(closing.unwrap().claim, Claim::Done);
    assert!(
        out.contains("PATH=") && !out.contains(RESERVATION_VARIABLE),
        "{out}"
    );
    let folder = tempfile::tempdir().unwrap();
    let product = tool(folder.path(), &format!("PATH={path}; env; {DONE}"));
    let mut out = Vec::new();
    converse_in(product, &here(folder.path()), &nobody(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.contains("PATH=") && !out.contains(RESERVATION_VARIABLE),
        "{out}"
    );
}

#[test]
fn a_program_that_is_not_there_or_cannot_be_told_is_named() {
    let defined = |command: &[&str]| DefinedProgram {
        command: command.iter().map(|&part| part.to_owned()).collect(),
        speaks: Speaks::Text,
        variables: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let here = here(folder.path());
    let fault = |command: &[&str]| {
        let held = plain::converse_in(&defined(command), &here, &mut Vec::new());
        held.unwrap_err().to_string()
    };
    assert_eq!(
        fault(&["no-such-tool-anywhere"]),
        "start no-such-tool-anywhere"
    );
    assert_eq!(fault(&[]), "start a program: none is named");
    let long = "x".repeat(crate::command::ARGUMENT_BYTES_MAX);
    let told = fault(&["/bin/true", &format!("{long}{{prompt}}")]);
    assert!(told.contains("too long"), "{told}");
}

/// Cannot be written once: when a line holds these words.
struct Stumbling(&'static str, Vec<u8>);

impl std::io::Write for Stumbling {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        let is_it = String::from_utf8_lossy(text).contains(self.0);
        match is_it {
            true => {
                self.0 = "nothing is this";
                Err(std::io::Error::other("no room"))
            }
            false => self.1.write(text),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_fault_of_ours_in_mid_session_is_no_start_that_failed() {
    let is_failed = |closing: &Closing, out: Stumbling| {
        let is_told =
            matches!(&closing.claim, Claim::Failed { cause } if cause.contains("no room"));
        assert!(is_told, "{closing:?}");
        let out = String::from_utf8(out.1).unwrap();
        assert_eq!(Closing::last_in(&out).as_ref(), Some(closing));
    };
    // It would go on for ever.
    let used =
        r#"echo '{"type":"result","total_cost_usd":0.02,"modelUsage":{"m":{"inputTokens":900}}}'"#;
    let said =
        r#"echo '{"type":"assistant","message":{"content":[{"type":"text","text":"stumble"}]}}'"#;
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{used}; {said}; while :; do :; done");
    let product = tool(folder.path(), &script);
    let here = here(folder.path());
    let mut out = Stumbling("stumble", Vec::new());
    let closing = converse_in(product, &here, &nobody(), &mut out).unwrap();
    is_failed(&closing, out);
    assert_eq!(closing.usage.unwrap().tokens(), 900);

    let own = folder.path().join("tool").display().to_string();
    tool(folder.path(), "echo stumble; while :; do :; done");
    let defined = DefinedProgram {
        command: vec![own],
        speaks: Speaks::Text,
        variables: Vec::new(),
    };
    let mut out = Stumbling("stumble", Vec::new());
    let closing = plain::converse_in(&defined, &here, &mut out).unwrap();
    is_failed(&closing, out);

    // Whatever else goes wrong with what it says or is told.
    let mut out = Vec::new();
    let fault = Fault::Stream(std::io::Error::other("no room"));
    told(Err(fault), &mut out).unwrap_err();
    let closing = Closing::last_in(&String::from_utf8(out).unwrap());
    assert!(matches!(closing.unwrap().claim, Claim::Failed { .. }));
}

/// A line with which the tool asks about a call.
fn asking(id: &str, tool: &str, input: &str) -> String {
    format!(
        r#"echo '{{"type":"control_request","request_id":"{id}","request":{{"subtype":"can_use_tool","tool_name":"{tool}","input":{input},"tool_use_id":"call-{id}"}}}}'"#
    )
}

#[test]
fn what_a_tool_asks_is_answered_on_its_input_which_ends_with_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    // Two side by side, before it reads any answer; the end names again what was denied.
    let script = format!(
        "read -r prompt; printf '%s' \"$prompt\" > {at}/prompt\n\
         {}\n{}\nread -r one; read -r other; printf '%s\\n' \"$one\" \"$other\" > {at}/answers\n\
         echo '{{\"type\":\"result\",\"is_error\":false,\"result\":\"ok\",\"permission_denials\":[\
         {{\"tool_name\":\"Write\",\"tool_use_id\":\"call-2\",\"tool_input\":{{}}}},\
         {{\"tool_name\":\"Other\",\"tool_use_id\":\"call-9\",\"tool_input\":{{}}}}]}}'\n\
         cat > /dev/null",
        asking("1", "Bash", r#"{"command":"make a-secret-value"}"#),
        asking(
            "2",
            "Write",
            r#"{"file_path":"/w/secret.env","content":"x"}"#
        ),
    );
    let product = tool_that(Asks::OnStream, folder.path(), &script);
    let keeper = Arc::new(Keeper::default());
    let broker: Arc<dyn Broker> = Arc::clone(&keeper) as Arc<dyn Broker>;
    let mut out = Vec::new();
    let closing = converse_in(product, &here(folder.path()), &broker, &mut out).unwrap();

    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let prompt: serde_json::Value = serde_json::from_str(&read("prompt")).unwrap();
    assert_eq!(prompt["type"], "user");
    let told = prompt["message"]["content"].as_str().unwrap();
    assert!(told.contains("# The title"), "{told}");
    // What may be done is given back as it was; what may not, with the reason.
    let answers = read("answers");
    let allowed = r#""behavior":"allow","updatedInput":{"command":"make a-secret-value"}"#;
    assert!(answers.contains(allowed), "{answers}");
    let denied = r#""behavior":"deny","message":"it is secret""#;
    assert!(answers.contains(denied), "{answers}");

    let mut asked = keeper.0.lock().unwrap().clone();
    asked.sort_by_key(|request| request.deed);
    let seen: Vec<(&str, &str)> = (asked.iter())
        .map(|request| (request.deed.word(), request.title.as_str()))
        .collect();
    let expected = [
        ("edit", "Write /w/secret.env"),
        ("execute", "Bash make a-secret-value"),
    ];
    assert_eq!(seen, expected);
    // What its own rules denied is told apart from what was denied here.
    assert_eq!(closing.denied, ["Other {}"]);
    assert_eq!(closing.claim, Claim::Done);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(r#""entry":"asked""#), "{out}");
    assert!(out.contains(r#""decision":"allow""#), "{out}");
    assert!(!out.contains("a-secret-value"), "{out}");
}

#[test]
fn whatever_else_a_tool_asks_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let asks = |id: &str, request: &str| {
        format!(r#"echo '{{"type":"control_request","request_id":"{id}","request":{request}}}'"#)
    };
    // It waits for each answer.
    let script = format!(
        "read -r prompt; {}\nread -r one; {}\nread -r other\n\
         printf '%s\\n' \"$one\" \"$other\" > {at}/answers; {DONE}",
        asks("1", r#"{"subtype":"hook_callback"}"#),
        asks("2", r#"{"subtype":"can_use_tool"}"#),
    );
    let product = tool_that(Asks::OnStream, folder.path(), &script);
    let mut out = Vec::new();
    let closing = converse_in(product, &here(folder.path()), &nobody(), &mut out).unwrap();
    assert_eq!(closing.claim, Claim::Done);
    let answers = fs::read_to_string(folder.path().join("answers")).unwrap();
    for (id, answer) in ["1", "2"].into_iter().zip(answers.lines()) {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        assert_eq!(answer["type"], "control_response");
        assert_eq!(answer["response"]["subtype"], "error");
        assert_eq!(answer["response"]["request_id"], id);
    }
    assert_eq!(answers.lines().count(), 2);
}

/// Never answers.
struct Silent(Mutex<Receiver<()>>);

impl Broker for Silent {
    fn decide(&self, _: &Request) -> Decision {
        // It ends with the test.
        let _ = self.0.lock().unwrap().recv();
        Decision::Allow
    }
}

#[test]
fn a_tool_that_ends_without_its_answer_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{}\nexit 3", asking("1", "Bash", r#"{"command":"make"}"#));
    let product = tool_that(Asks::OnStream, folder.path(), &script);
    let (_held, waits) = channel();
    let broker: Arc<dyn Broker> = Arc::new(Silent(Mutex::new(waits)));
    let mut out = Vec::new();
    let closing = converse_in(product, &here(folder.path()), &broker, &mut out).unwrap();
    assert!(
        matches!(&closing.claim, Claim::Failed { cause } if cause.contains("status 3")),
        "{:?}",
        closing.claim
    );
}
