//! What a repository asks of agents reaches each of them, and none of them twice.

use serde_json::json;

use crate::model::{Call, Model, Rule, Turn};
use crate::stage::{Stage, git, write};
use crate::tool::{TOOLS, stage};

/// Files of the repository, each with words that stand nowhere else.
const FILES: [(&str, &str); 6] = [
    ("AGENTS.md", "WORDS-OF-AGENTS\n"),
    ("CLAUDE.md", "WORDS-OF-CLAUDE\n"),
    ("app/AGENTS.md", "WORDS-OF-APP\n"),
    (
        ".agents/skills/one/SKILL.md",
        "---\nname: one\ndescription: WORDS-OF-ONE\n---\n",
    ),
    (
        ".claude/skills/two/SKILL.md",
        "---\nname: two\ndescription: WORDS-OF-TWO\n---\n",
    ),
    (
        "skills/three/SKILL.md",
        "---\nname: three\ndescription: WORDS-OF-THREE\n---\n",
    ),
];

fn model() -> Model {
    let call = Call::Write {
        path: "app/part.md".to_owned(),
        content: "# Part\n".to_owned(),
    };
    let turn = |say: &str, call: Option<Call>| Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    };
    Model::start(vec![Rule {
        words: vec!["TASK-part".to_owned()],
        turns: vec![
            turn("I write it.", Some(call)),
            turn("It is written.", None),
        ],
    }])
}

/// The first request of the task, with all that its agent sent with it.
fn first(tool: &str) -> String {
    let model = model();
    let stage = stage(tool, &model);
    commit(&stage);
    let plan = json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write app/part.md.",
        "agent": tool,
        "files_affected": ["app/**"],
        "deliverables": ["app/part.md"],
    }]});
    stage.run(&plan, &[]).expect(0);
    // One of them asks for a title first, which no functions are a part of.
    let is_of_task = |sent: &String| sent.contains("WORDS-OF-APP") && sent.contains("\"tools\"");
    let seen = model.seen().into_iter();
    let first = seen.map(|seen| seen.sent).find(is_of_task);
    first.unwrap_or_else(|| panic!("{tool} was not told: {:#?}", model.seen()))
}

fn commit(stage: &Stage) {
    for (path, text) in FILES {
        write(stage.path(path), text);
    }
    git(stage.project(), &["add", "--all"]);
    git(
        stage.project(),
        &["commit", "-q", "-m", "what is asked of agents"],
    );
}

#[test]
fn each_is_told_once_what_the_repository_asks() {
    for tool in TOOLS {
        let sent = first(tool);
        for (path, text) in FILES {
            let words = text
                .split_whitespace()
                .find(|word| word.starts_with("WORDS"));
            let times = sent.matches(words.unwrap()).count();
            // It stands in for what is there, but for the one whose own it is.
            let expected = usize::from(path != "CLAUDE.md" || tool == "claude");
            assert_eq!(times, expected, "{tool}, {path}: {sent}");
        }
    }
}
