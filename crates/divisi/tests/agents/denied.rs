//! What a tool may not write and its model calls a success: it is found, in the record, and the next
//! attempt is told.

use divisi_core::run::RunStatus;
use serde_json::json;

use crate::faults::{plan, rule};
use crate::model::{Call, Model};
use crate::stage::{endings, task};
use crate::tool::stage;

/// A file outside of the workspace, and not in the system's temporary folder: a sandbox may leave that
/// open, and stages and this project's own folder may be in it.
fn outside(tool: &str) -> (String, String) {
    let name = format!("denied-{tool}-{}.md", std::process::id());
    let path = format!("/var/tmp/{name}");
    (name, path)
}

/// Runs a task that first does this, and what it promises when it was told why that was refused. The
/// file's name stands in the record, in what is shown of it, and in what the next attempt is told.
fn is_found_and_told(tool: &str, does: impl Fn(&str) -> Call, args: &[&str]) {
    let (name, target) = outside(tool);
    let mut first = rule(None);
    first.turns[0].call = Some(does(&target));
    let mut second = rule(None);
    second.words.push("was refused".to_owned());
    let model = Model::start(vec![second, first]);
    let stage = stage(tool, &model);
    let mut plan = plan(tool, 2.0);
    plan["subtasks"][0]["retries"] = json!(1);
    let ran = stage.run(&plan, args);
    let what = || {
        let first = stage.divisi(&["logs", "run-1", "part", "--attempt", "1"]);
        format!("{tool}: {}\n{}", ran.stderr, first.stdout)
    };
    assert!(!std::path::Path::new(&target).exists(), "{}", what());
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", what());
    assert_eq!(task(&run, "part").attempts(), 2, "{}", what());
    let [denied] = &endings(&run, "part")[0].permissions[..] else {
        panic!("{}", what());
    };
    assert!(denied.request.title.contains(&name), "{denied:?}");
    let decision = denied.decision();
    assert!(decision.is_some_and(|it| !it.allows()), "{denied:?}");
    for shown in [
        stage.divisi(&["show", "run-1", "part"]),
        stage.divisi(&["permissions", "list", "run-1"]),
    ] {
        assert!(shown.stdout.contains(&name), "{tool}: {}", shown.stdout);
    }
    let seen = model.seen();
    let told = { seen.iter() }.find(|seen| seen.user.contains("was refused"));
    let told = &told.expect("the retry was told why").user;
    assert!(
        told.contains("not met: part.md") && told.contains("not allowed") && told.contains(&name),
        "{told}"
    );
    assert_eq!(stage.jobs(), [0; 0], "{tool}: no process is left");
}

fn written(path: &str) -> Call {
    Call::Write {
        path: path.to_owned(),
        content: "# Part\n".to_owned(),
    }
}

/// Of a command that fails at once Codex's stream sometimes holds nothing: then only the checks know.
/// Of this one it tells.
fn written_after_a_while(path: &str) -> Call {
    Call::Shell(format!("sleep 1; echo part > {path}"))
}

#[test]
fn a_denied_write_that_is_called_a_success_is_found_and_told() {
    is_found_and_told("claude", written, &[]);
}

#[test]
fn what_the_rules_of_opencode_refused_is_found_and_told() {
    is_found_and_told("opencode", written, &[]);
}

/// Where writes are confined Codex is told to use no sandbox, and the kernel refuses.
#[test]
fn what_the_kernel_refused_to_codex_is_found_and_told() {
    is_found_and_told("codex", written_after_a_while, &[]);
}

#[test]
fn what_the_walls_of_codex_refused_is_found_and_told() {
    is_found_and_told("codex", written_after_a_while, &["--unconfined"]);
}
