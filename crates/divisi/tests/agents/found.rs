//! The real tools are found in the versions that they were installed in, and pass their tests.

use serde_json::{Value, json};

use crate::model::{Call, Model, Rule, Turn};
use crate::tool::{ACP, TOOLS, stage};

/// A model that does the task of a test.
fn model() -> Model {
    let call = Call::Write {
        path: "answer.md".to_owned(),
        content: "divisi agents test\n".to_owned(),
    };
    let turn = |say: &str, call: Option<Call>| Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    };
    Model::start(vec![Rule {
        words: vec!["answer.md".to_owned()],
        turns: vec![
            turn("I write it.", Some(call)),
            turn("It is written.", None),
        ],
    }])
}

#[test]
fn each_tool_is_found_in_the_version_that_is_tested() {
    for tool in TOOLS.into_iter().chain(ACP) {
        let stage = stage(tool, &model());
        let listed = stage.divisi(&["agents", "--json"]).expect(0).stdout;
        let document: Value = serde_json::from_str(&listed).unwrap();
        let agents = document["agents"].as_array().unwrap();
        let standing = |standing: &str| {
            let those = agents.iter().filter(|agent| agent["standing"] == standing);
            those
                .map(|agent| agent["name"].as_str().unwrap())
                .collect::<Vec<_>>()
        };
        // The others are not installed here, and would be unverified if they were.
        let tested: Vec<&str> = TOOLS.into_iter().chain(ACP).collect();
        assert_eq!(standing("tested"), tested, "{document:#}");
        for agent in agents
            .iter()
            .filter(|agent| ACP.iter().any(|name| agent["name"] == *name))
        {
            assert_eq!(agent["protocol"], json!(1), "{document:#}");
            assert_eq!(agent["resumes"], json!(true), "{document:#}");
        }
        let this = agents.iter().find(|agent| agent["name"] == tool).unwrap();
        assert!(this["credential"]["variable"].is_string(), "{document:#}");
    }
}

fn passes_its_test(tool: &str) {
    let model = model();
    let stage = stage(tool, &model);
    let ran = stage.divisi(&["agents", "test", tool, "--json"]);
    let log = || format!("{}\n{}\n{:#?}", ran.stdout, ran.stderr, model.seen());
    assert_eq!(ran.code, 0, "{}", log());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["done"], json!(true), "{}", log());
    let read = document["usage"]["input_tokens"].as_u64();
    assert!(read.is_some_and(|read| read > 0), "{}", log());
    assert!(!stage.path(".divisi").exists(), "{}", log());
}

#[test]
fn claude_passes_its_test() {
    passes_its_test(TOOLS[0]);
}

#[test]
fn codex_passes_its_test() {
    passes_its_test(TOOLS[1]);
}

#[test]
fn opencode_passes_its_test() {
    passes_its_test(TOOLS[2]);
}

#[test]
fn claude_passes_its_test_over_acp() {
    passes_its_test(ACP[0]);
}

#[test]
fn opencode_passes_its_test_over_acp() {
    passes_its_test(ACP[1]);
}
