//! What must not be kept: a key of the environment and a login, though the agent prints both and the
//! model repeats them.

use serde_json::{Value, json};

use crate::model::{Call, Model, Rule, Turn};
use crate::nowhere::is_nowhere;
use crate::stage::write;
use crate::tool::{ACP, KEY, TOOLS, stage};

/// Stands in a file of a login, and nowhere else.
const LOGIN: &str = "planted-login-5b0e77c1d2a94f38";

/// Where each tool has its login, beneath the user's home, and what stands in it. That is not what
/// the tool uses here: a key counts more.
fn login(tool: &str) -> (&'static str, Value) {
    match tool {
        "claude" | "claude-acp" => (
            ".claude/.credentials.json",
            json!({"claudeAiOauth": {"accessToken": LOGIN, "refreshToken": LOGIN,
                "expiresAt": 4_000_000_000_000_u64, "scopes": ["user:inference"]}}),
        ),
        "codex" => (".codex/auth.json", json!({"OPENAI_API_KEY": LOGIN})),
        "opencode" | "opencode-acp" => (
            ".local/share/opencode/auth.json",
            json!({"elsewhere": {"type": "api", "key": LOGIN}}),
        ),
        _ => unreachable!("all tools are named above"),
    }
}

/// Prints all that it can find, keeps it in a file that it is to make, and says it.
fn model(login: &str) -> Model {
    let leaks = format!(
        "cat \"{login}\"; env; printf 'The key is {KEY}.\\n' > notes.md; cat \"{login}\" >> part.md"
    );
    let says = |say: &str, call: Option<Call>| Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    };
    let told = format!("I have {KEY} and {LOGIN}, and {LOGIN}{KEY}.");
    let clean = Call::Shell("printf '# Part\\n' > part.md; rm -f notes.md".to_owned());
    let rule = |words: &[&str], call: Call| Rule {
        words: words.iter().map(|&words| words.to_owned()).collect(),
        turns: vec![says(&told, Some(call)), says(&told, None)],
    };
    Model::start(vec![
        rule(&["TASK-part", "was refused"], clean),
        rule(&["TASK-part"], Call::Shell(leaks)),
    ])
}

fn keeps_nothing(tool: &str) {
    let (path, content) = login(tool);
    let model = model(&format!("$HOME/{path}"));
    let stage = stage(tool, &model);
    write(stage.beside("home").join(path), &content.to_string());
    let plan = json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md.",
        "agent": tool,
        "deliverables": ["part.md"],
        "criteria": [{"contains": "# Part", "in": "part.md"}],
    }]});
    let ran = stage.run(&plan, &[]);
    let all = [
        vec!["report", "run-1"],
        vec!["show", "run-1", "part"],
        vec!["logs", "run-1", "part", "--attempt", "1"],
        vec!["watch", "run-1", "part", "--from-start"],
        vec!["watch", "run-1", "--from-start", "--json"],
        vec!["feedback", "run-1"],
    ];
    let mut printed = vec![ran.stdout, ran.stderr];
    for args in all {
        let ran = stage.divisi(&args);
        printed.extend([ran.stdout, ran.stderr]);
    }
    let printed = printed.join("\n");
    // It was all there to be kept.
    assert!(printed.contains("I have [masked]"), "{tool}: {printed}");
    let seen = model.seen();
    let repeated = seen.iter().any(|seen| seen.sent.contains(LOGIN));
    assert!(repeated, "{tool} printed no login: {printed}");
    for secret in [KEY, LOGIN] {
        assert!(!printed.contains(secret), "{tool}, {secret}: {printed}");
        is_nowhere(&stage, secret);
    }
}

#[test]
fn claude_leaves_no_secret_behind() {
    keeps_nothing(TOOLS[0]);
}

#[test]
fn codex_leaves_no_secret_behind() {
    keeps_nothing(TOOLS[1]);
}

#[test]
fn opencode_leaves_no_secret_behind() {
    keeps_nothing(TOOLS[2]);
}

#[test]
fn claude_leaves_no_secret_behind_over_acp() {
    keeps_nothing(ACP[0]);
}

#[test]
fn opencode_leaves_no_secret_behind_over_acp() {
    keeps_nothing(ACP[1]);
}
