//! `README.md`: how the folder is executed, for whoever opens it. Nothing reads it back.

use divisi_core::shell;
use minijinja::context;

use super::criteria::Deliverable;
use super::fill;
use super::markdown::{one_line, paragraph, span};
use crate::template::{Fault, Templates};

/// What the file is written from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readme {
    /// The stage's name.
    pub title: String,
    /// What the stage is for.
    pub goal: String,
    /// The folder's path, as commands take it.
    pub folder: String,
    /// The prompts in the folder, in their order.
    pub prompts: Vec<Prompt>,
    /// What is promised.
    pub outputs: Vec<Deliverable>,
}

/// A prompt in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The file's path within the folder.
    pub path: String,
    /// The role it is written for.
    pub role: String,
    /// The targets that it works on.
    pub targets: Vec<String>,
}

/// So many targets of a prompt are named; the rest is counted.
const TARGETS_SHOWN: usize = 5;

/// The file's name.
pub const NAME: &str = "README.md";

/// The file's text.
///
/// # Errors
/// Its template cannot be filled.
pub fn write(readme: &Readme, templates: &Templates<'_>) -> Result<String, Fault> {
    let values = context! {
        title => span(&readme.title),
        goal => paragraph(&readme.goal),
        folder => shell::word(&crate::render::printable(&readme.folder)),
        prompts => readme.prompts.iter().map(prompt_line).collect::<Vec<String>>(),
        outputs => readme.outputs.iter().map(output_line).collect::<Vec<String>>(),
    };
    fill(templates, NAME, values)
}

fn prompt_line(prompt: &Prompt) -> String {
    let role = one_line(&prompt.role);
    let mut targets: Vec<String> = prompt
        .targets
        .iter()
        .take(TARGETS_SHOWN)
        .map(|target| span(target))
        .collect();
    match prompt.targets.len().saturating_sub(TARGETS_SHOWN) {
        0 => {}
        more => targets.push(format!("and {more} more")),
    }
    let on = if targets.is_empty() { "" } else { ", on " };
    format!("{role}: {}{on}{}", span(&prompt.path), targets.join(", "))
}

fn output_line(output: &Deliverable) -> String {
    match one_line(&output.about) {
        about if about.is_empty() => span(&output.path),
        about => format!("{}: {about}", span(&output.path)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    #[test]
    fn the_readme_has_the_four_contents() {
        let readme = Readme {
            title: "requirements-analysis".into(),
            goal: "Extract requirements.".into(),
            folder: "iterations/it's 1".into(),
            prompts: vec![Prompt {
                path: "agent-prompts/product-analyst-1.md".into(),
                role: "product\nanalyst".into(),
                targets: (1..8).map(|n| format!("stories/`S{n}`.md")).collect(),
            }],
            outputs: vec![Deliverable {
                path: "stories/S1/requirements.md".into(),
                min_bytes: 1,
                about: String::new(),
            }],
        };
        let text = write(&readme, &built_in()).unwrap();
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(
            headings,
            [
                "# `requirements-analysis`",
                "## Overview",
                "## Execution options",
                "## Expected outputs",
                "## Troubleshooting",
            ]
        );
        for line in [
            "Extract requirements.",
            "- product analyst: `agent-prompts/product-analyst-1.md`, on ``stories/`S1`.md``, \
             ``stories/`S2`.md``, ``stories/`S3`.md``, ``stories/`S4`.md``, ``stories/`S5`.md``, \
             and 2 more",
            r"divisi run 'iterations/it'\''s 1'",
            r"divisi validate 'iterations/it'\''s 1'",
            "- `stories/S1/requirements.md`",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn who_works_without_prompts_is_not_told_of_any() {
        let written = |prompts: Vec<Prompt>| {
            let readme = Readme {
                prompts,
                ..Readme::default()
            };
            write(&readme, &built_in()).unwrap()
        };
        assert!(!written(Vec::new()).contains("prompt"));
        let prompt = Prompt {
            path: "agent-prompts/a.md".to_owned(),
            role: "developer".to_owned(),
            targets: Vec::new(),
        };
        assert!(written(vec![prompt]).contains("its prompt"));
    }
}
