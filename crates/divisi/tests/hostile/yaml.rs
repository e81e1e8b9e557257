//! Files of workflows, roles and configuration that are meant to do harm: each ends in a typed
//! error, with little memory.

use std::process::{Command, Stdio};

use crate::stage::{Ran, Stage, write};

/// All that a process may take: address space, so that what is only reserved counts as well.
const MEMORY_KIB_MAX: u64 = 300 * 1024;

/// Nobody reads more of what is wrong with one file.
const TOLD_BYTES_MAX: usize = 256 << 10;

/// Where a text is put, and the command that reads it.
const READERS: [(&str, &[&str]); 4] = [
    ("workflows/bad.yaml", &["workflow", "check", "bad"]),
    ("roles/bad.yaml", &["roles"]),
    ("roles/bad.yaml", &["workflow", "check", "code-review"]),
    ("divisi.yaml", &["config", "show"]),
];

/// Runs the binary with no more memory than it may take.
fn bounded(stage: &Stage, args: &[&str]) -> Ran {
    let bounds = format!("ulimit -v {MEMORY_KIB_MAX} && exec \"$0\" \"$@\"");
    let plain = stage.command(args);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &bounds])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(stage.project())
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Every reader refuses this with the code, within bounds.
fn refused(what: &str, bytes: &[u8], code: &str) {
    for (path, args) in READERS {
        let stage = Stage::folder(&[(path, "")]);
        std::fs::write(stage.path(path), bytes).unwrap();
        let ran = bounded(&stage, args);
        let head: String = ran.stderr.chars().take(2_000).collect();
        assert_eq!(ran.code, 2, "{what}, {args:?}: {head}");
        let told = format!("error[{code}]");
        assert!(ran.stderr.contains(&told), "{what}, {args:?}: {head}");
        assert!(ran.stderr.len() < TOLD_BYTES_MAX, "{what}, {args:?}");
        assert!(!stage.path(".divisi").exists(), "{what}, {args:?}");
    }
}

/// Nine levels of nine references each: 387 million texts.
fn laughs() -> String {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    text
}

#[test]
fn anchors_and_tags_are_refused_and_never_followed() {
    refused("a bomb", laughs().as_bytes(), "yaml-anchor");
    refused("an alias of itself", b"a: &a [*a, *a]", "yaml-anchor");
    refused("a merge", b"a: &a {b: 1}\nc: {<<: *a}", "yaml-anchor");
    let many = "- &a x\n- *a\n".repeat(20_000);
    refused("many aliases", many.as_bytes(), "yaml-anchor");
    refused(
        "a tag",
        b"a: !!python/object/apply:os.system [id]",
        "yaml-tag",
    );
    refused("a binary", b"a: !!binary aGk=", "yaml-tag");
    refused(
        "a directive",
        b"%TAG ! tag:x,2000:\n---\na: !b c",
        "text-syntax",
    );
}

#[test]
fn several_documents_and_no_document_are_refused() {
    refused("a second document", b"a: 1\n---\nb: 2\n", "yaml-documents");
    refused(
        "many documents",
        "--- a\n".repeat(10_000).as_bytes(),
        "yaml-documents",
    );
    refused("a list", b"- a\n- b\n", "text-type");
    refused("a text", b"just words", "text-type");
}

#[test]
fn what_is_too_much_is_refused_before_it_is_taken() {
    let scalar = format!("a: \"{}\"", "x".repeat(10 << 20));
    refused("a scalar of 10 MB", scalar.as_bytes(), "text-too-large");
    let block = format!(
        "a: |\n{}",
        format!("  {}\n", "x".repeat(98)).repeat(100_000)
    );
    refused("a block of 10 MB", block.as_bytes(), "text-too-large");
    refused(
        "open lists",
        "[".repeat(1 << 20).as_bytes(),
        "text-too-deep",
    );
    refused(
        "open maps",
        "{a: ".repeat(1 << 19).as_bytes(),
        "text-too-deep",
    );
    let mut stairs = String::new();
    for depth in 0..2_000 {
        stairs.push_str(&format!("{}a:\n", " ".repeat(depth)));
    }
    refused("stairs", stairs.as_bytes(), "text-too-deep");
    refused("dashes", "- ".repeat(1 << 16).as_bytes(), "text-too-deep");
    let values = format!("a: [{}]", "1,".repeat(260_000));
    refused(
        "a quarter of a million values",
        values.as_bytes(),
        "text-too-large",
    );
    let keys: String = (0..30_000).map(|at| format!("k{at}: 1\n")).collect();
    refused("keys that nobody knows", keys.as_bytes(), "text-more");
    let same = "a: 1\n".repeat(30_000);
    refused(
        "one key again and again",
        same.as_bytes(),
        "text-unknown-key",
    );
    let long = format!("{}: 1", "k".repeat(1 << 20));
    refused("a long key", long.as_bytes(), "text-syntax");
}

#[test]
fn what_is_no_text_is_refused() {
    refused("a bad byte", b"a: \xff\n", "text-encoding");
    refused("half a character", b"a: \xe2\x82", "text-encoding");
    refused("UTF-16", b"\xff\xfea\0:\0", "text-encoding");
    refused("a NUL", b"a: \0\n", "text-syntax");
    refused("an escape code", b"a: \x1b[2J\n", "text-syntax");
}

#[test]
fn a_word_of_yamls_past_is_the_text_that_was_written() {
    // In Norway `no` is a country, not `false`; so are 1e3 or 012 what they look like.
    let stage = Stage::folder(&[
        (
            "roles/no.yaml",
            "agent_role: {id: no, name: Norway, domain: off, function: y}",
        ),
        (
            "workflows/w.yaml",
            "workflow: {name: w, iterations: [{name: on, agents: [{role: NO}]}]}",
        ),
        ("divisi.yaml", "run: {agents: {no: person}}"),
    ]);
    let ran = bounded(&stage, &["roles", "show", "no", "--json"]).expect(0);
    let role: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(role["id"], "no");
    assert_eq!(role["role"]["domain"], "off");
    assert_eq!(role["role"]["function"], "y");
    let ran = bounded(&stage, &["workflow", "check", "w"]).expect(0);
    assert!(ran.stdout.contains("no"), "{}", ran.stdout);
    let ran = bounded(&stage, &["config", "show", "--json"]).expect(0);
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let settings = shown["settings"].as_array().unwrap();
    let agent = settings
        .iter()
        .find(|it| it["key"] == "run.agents.no")
        .unwrap();
    assert_eq!(agent["value"], "person");

    write(stage.path("divisi.yaml"), "grants: {unconfined: no}");
    let ran = bounded(&stage, &["config", "show"]).expect(2);
    assert!(ran.stderr.contains("error[text-type]"), "{}", ran.stderr);
    write(stage.path("roles/no.yaml"), "agent_role: {name: false}");
    let ran = bounded(&stage, &["roles"]).expect(2);
    assert!(ran.stderr.contains("error[text-type]"), "{}", ran.stderr);
}

#[test]
fn a_thousand_files_are_bounded_together() {
    let stage = Stage::folder(&[]);
    let text = format!(
        "agent_role: {{name: a, perspective: {}}}",
        "x".repeat(100_000)
    );
    for at in 0..200 {
        write(stage.path(&format!("roles/r{at}.yaml")), &text);
        write(stage.path(&format!("templates/t{at}.j2")), &text);
    }
    let ran = bounded(&stage, &["roles"]).expect(2);
    assert!(
        ran.stderr.contains("error[library-unreadable]"),
        "{}",
        ran.stderr
    );
    std::fs::remove_dir_all(stage.path("roles")).unwrap();
    let ran = bounded(&stage, &["workflow", "check", "code-review"]).expect(2);
    assert!(
        ran.stderr.contains("error[library-unreadable]"),
        "{}",
        ran.stderr
    );
}
