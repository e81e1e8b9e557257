//! A whole run: side by side, refused, told why, integrated.

use std::collections::BTreeSet;

use divisi_core::receipt::Receipt;
use divisi_core::run::RunStatus;
use serde_json::{Value, json};

use crate::beside::side_by_side;
use crate::model::{Call, Model, Rule, TOKENS, Turn};
use crate::stage::{Stage, endings, stands, task};
use crate::tool::{ACP, TOOLS, stage};

fn writes(words: &[&str], path: &str, content: &str) -> Rule {
    calls(
        words,
        Call::Write {
            path: path.to_owned(),
            content: content.to_owned(),
        },
    )
}

fn calls(words: &[&str], call: Call) -> Rule {
    Rule {
        words: words.iter().map(|&words| words.to_owned()).collect(),
        turns: vec![
            Turn {
                say: "I write it.".to_owned(),
                call: Some(call),
                ..Turn::default()
            },
            Turn {
                say: "It is written.".to_owned(),
                ..Turn::default()
            },
        ],
    }
}

fn plan(tool: &str) -> Value {
    let subtask = |id: &str| {
        json!({
            "subtask_id": id,
            "title": format!("Write {id}"),
            "description": format!("TASK-{id}: write {id}.md, which describes it."),
            "agent": tool,
            "deliverables": [format!("{id}.md")],
            "criteria": [{"contains": "## API", "in": format!("{id}.md")}],
        })
    };
    json!({"task_title": "Two parts", "subtasks": [subtask("alpha"), subtask("beta")]})
}

fn whole_run(tool: &str) {
    let model = Model::start(vec![
        writes(&["TASK-alpha"], "alpha.md", "# Alpha\n\n## API\n"),
        // Some tools overwrite no file that was not read before.
        calls(
            &["TASK-beta", "was refused"],
            Call::Shell("printf '\\n## API\\n' >> beta.md".to_owned()),
        ),
        writes(&["TASK-beta"], "beta.md", "# Beta\n"),
    ]);
    let stage = stage(tool, &model);
    let ran = stage.run(&plan(tool), &["-j", "2"]);
    let log = || {
        let logs = ["alpha", "beta"].map(|id| stage.divisi(&["logs", "run-1", id]).stdout);
        format!("{}\n{}\n{:#?}", ran.stderr, logs.join("\n"), model.seen())
    };
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", log());
    stands(
        &run,
        RunStatus::Succeeded,
        &[("alpha", "done"), ("beta", "done")],
    );
    let number = |name| run.find(&task(&run, name).spec.id).unwrap();
    side_by_side(&stage, ["alpha", "beta"].map(number));
    apart(&stage, &model, &log);
    assert_eq!(task(&run, "alpha").attempts(), 1, "{}", log());
    assert_eq!(task(&run, "beta").attempts(), 2, "{}", log());
    let receipts = &endings(&run, "alpha")[0].receipts;
    let used = receipts.iter().find_map(Receipt::usage);
    // Two answers, whatever each tool counts of them; one counts only the last.
    let least = match tool {
        "opencode-acp" => TOKENS,
        _ => 2 * TOKENS,
    };
    assert!(
        used.is_some_and(|used| used.tokens >= least),
        "{used:?}, {}",
        log()
    );
    let seen = model.seen();
    let told = seen.iter().find(|seen| seen.user.contains("was refused"));
    let told = told.unwrap_or_else(|| panic!("the retry was told nothing: {}", log()));
    assert!(
        told.user.contains("not met: beta.md contains"),
        "{}",
        told.user
    );
    for (path, text) in [
        ("alpha.md", "# Alpha\n\n## API\n"),
        ("beta.md", "# Beta\n\n## API\n"),
    ] {
        assert_eq!(stage.result(path).as_deref(), Some(text), "{}", log());
    }
}

/// Each works in a worktree of its own.
fn apart(stage: &Stage, model: &Model, log: &impl Fn() -> String) {
    // Each tool tells its model where it is.
    let worktrees = stage.path(".divisi/worktrees").display().to_string();
    let seen = model.seen();
    let folders = ["TASK-alpha", "TASK-beta"].map(|words| {
        let asked = seen.iter().filter(|seen| seen.user.contains(words));
        let told = asked.flat_map(|seen| seen.sent.split(&worktrees).skip(1));
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = |rest: &str| {
            let rest = rest.trim_start_matches('/');
            let name = rest.split(|c| !is_of_name(c)).next();
            name.map(str::to_owned)
        };
        let names: BTreeSet<String> = told.filter_map(name).collect();
        assert_eq!(names.len(), 1, "{words}: {names:?}, {}", log());
        names
    });
    assert_ne!(folders[0], folders[1], "{}", log());
}

#[test]
fn claude_does_two_tasks_and_repairs_what_was_refused() {
    whole_run(TOOLS[0]);
}

#[test]
fn codex_does_two_tasks_and_repairs_what_was_refused() {
    whole_run(TOOLS[1]);
}

#[test]
fn opencode_does_two_tasks_and_repairs_what_was_refused() {
    whole_run(TOOLS[2]);
}

#[test]
fn claude_does_two_tasks_over_acp_and_repairs_what_was_refused() {
    whole_run(ACP[0]);
}

#[test]
fn opencode_does_two_tasks_over_acp_and_repairs_what_was_refused() {
    whole_run(ACP[1]);
}
