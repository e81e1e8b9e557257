//! `divisi assess` from outside: its outputs, its table, its faults.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::{divisi, err, out, output, printed};

fn schema() -> jsonschema::Validator {
    let text = include_str!("../../src/commands/assessment.schema.json");
    let schema: Value = serde_json::from_str(text).expect("a schema is JSON");
    jsonschema::validator_for(&schema).expect("it is a schema")
}

/// A repository of one file, with one change that resembles a request.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("README.md"), "x").expect("it is written");
    for args in [
        &["init", "-q"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-qm",
            "Start rate limiting",
        ],
    ] {
        let mut git = std::process::Command::new("git");
        let done = git.args(args).current_dir(folder.path()).status();
        assert!(done.expect("git runs").success(), "{args:?}");
    }
    folder
}

/// Each approach, each kind of fact, in and out of a repository.
#[test]
fn assessments_have_the_form_of_their_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = repository();
    let schema = schema();
    for (request, approach) in [
        ("Fix the typo in README.md", "direct"),
        (
            "Add rate limiting to the API, with tests, a security audit and docs",
            "plan",
        ),
        (
            "Create a chatbot and a nightly job that exports its questions",
            "pack",
        ),
        (
            "Create an entire platform with auth, billing, admin, analytics",
            "multi_pass",
        ),
        (
            "Migrate the database by tomorrow; it takes 90 minutes and 30k tokens, etc.",
            "plan",
        ),
        ("Write a throwaway script as usual", "direct"),
    ] {
        for place in [folder.path(), repository.path()] {
            let json = printed(place, &["assess", request, "--json"]);
            let assessment: Value = serde_json::from_str(&json).expect("it is JSON");
            let faults: Vec<String> = schema
                .iter_errors(&assessment)
                .map(|e| e.to_string())
                .collect();
            assert!(faults.is_empty(), "{request}: {faults:?}");
            assert_eq!(assessment["approach"], approach, "{request}");
            let files = assessment["facts"]["repository"]["files"].as_u64();
            assert_eq!(
                files,
                Some(u64::from(place == repository.path())),
                "{request}"
            );
        }
    }
    // A field more is no assessment.
    let mut json: Value =
        serde_json::from_str(&printed(folder.path(), &["assess", "Fix it", "--json"]))
            .expect("it is JSON");
    json["more"] = Value::Null;
    assert!(!schema.is_valid(&json));
}

#[test]
fn an_assessment_is_shown_with_its_reasons_and_what_is_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let request = "Add rate limiting to the API, with tests, a security audit and docs, then deploy. \
                   Do not touch the frontend.";
    insta::assert_snapshot!(printed(folder.path(), &["assess", request]), @r"
    plan, sure

      It names the work of several domains (development: Add rate limiting to the API, security: a security audit, documentation: docs, cicd: deploy).
      One thing has to be done before another (`Add rate limiting to the API` before `deploy`, then).
      It has four parts or more (5 parts).
      What it is about usually reaches through a system (rate limiting).

    parts
      developer             Add rate limiting to the API
      qa                    tests
      security_analyst      a security audit
      tech_writer           docs
      devops                deploy
      not                   Do not touch the frontend

    rules that fired
      several-domains       plan       development: Add rate limiting to the API, security: a security audit, documentation: docs, cicd: deploy
      sequence              plan       `Add rate limiting to the API` before `deploy`, then
      several-parts         plan       5 parts
      reaches-far           plan       rate limiting

    open questions
      Where to? (deploy)
        assumed: nothing is deployed; what is needed for it is described
    ");
    let passes = printed(
        folder.path(),
        &["assess", "Build me a SaaS with auth, billing and admin"],
    );
    assert!(passes.contains("executed as: plan"), "{passes}");
    assert!(passes.contains("does not run yet"), "{passes}");
}

#[test]
fn a_table_is_assessed_row_by_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = "more,body,id,title\n\
                 x,,1,Fix typo in readme\n\
                 ,\"* Rename modules\n\n* Update tests, and docs\",\"a,b\",Refactor and support new options\n\
                 short,row\n";
    std::fs::write(folder.path().join("t.csv"), table).expect("it is written");
    let printed_table = printed(folder.path(), &["assess", "--csv", "t.csv"]);
    insta::assert_snapshot!(printed_table, @r#"
    id,approach,complex,multi_domain,score
    1,direct,0,0,0.120
    "a,b",plan,1,1,0.925
    ,direct,0,0,0.465
    "#);
    let mut child = divisi(folder.path(), &["assess", "--csv", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("it has a stdin");
    stdin
        .write_all(b"id,title,body\n7,Fix typo,\n")
        .expect("it is read");
    drop(stdin);
    let done = child.wait_with_output().expect("it ends");
    let line: Value = serde_json::from_slice(&done.stdout).expect("it is JSON");
    assert_eq!(
        (&line["id"], &line["complex"]),
        (&"7".into(), &false.into())
    );
}

#[test]
fn what_cannot_be_assessed_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.csv"), "id,title\n1,x\n").expect("it is written");
    std::fs::write(folder.path().join("b.csv"), b"id,title,body\n1,\xff,x\n")
        .expect("it is written");
    for (args, code, says) in [
        (&["assess", " \n"][..], "assess-empty", "says nothing"),
        (&["assess", "--csv", "none.csv"], "assess-table", "none.csv"),
        (
            &["assess", "--csv", "t.csv"],
            "assess-table",
            "no column `body`",
        ),
        (&["assess", "--csv", "b.csv"], "assess-table", "UTF-8"),
    ] {
        let done = output(folder.path(), args);
        assert_eq!(done.status.code(), Some(2), "{args:?}");
        assert!(
            err(&done).contains(&format!("error[{code}]")),
            "{}",
            err(&done)
        );
        assert!(err(&done).contains(says), "{}", err(&done));
    }
    let both = output(folder.path(), &["assess", "x", "--csv", "t.csv"]);
    assert_eq!((both.status.code(), out(&both).as_str()), (Some(2), ""));
}
