//! `README.md`: how the folder is executed, for whoever opens it. Nothing reads it back.

use super::criteria::Deliverable;
use super::markdown::{self, NONE, one_line, paragraph, span};

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

/// The file's text.
#[must_use]
pub fn write(readme: &Readme) -> String {
    let folder = shell_word(&readme.folder);
    let mut out = format!("# {}\n\n## Overview\n\n", span(&readme.title));
    let goal = paragraph(&readme.goal);
    out.push_str(if goal.is_empty() { NONE } else { &goal });
    out.push('\n');
    if !readme.prompts.is_empty() {
        out.push_str("\nThe work is shared out to:\n\n");
        for prompt in &readme.prompts {
            out.push_str(&format!("- {}\n", prompt_line(prompt)));
        }
    }
    out.push_str(&format!(
        "
## Execution options

Automated: Divisi starts the agents, checks what they made and integrates what holds. The files of \
         this folder are taken as they are then.

```sh
divisi run {folder}
```

By hand: give each agent its prompt together with `CONTEXT.md`, then check what they made.

```sh
divisi validate {folder}
```
"
    ));
    let outputs: Vec<String> = readme.outputs.iter().map(output_line).collect();
    markdown::section(&mut out, "Expected outputs", &outputs);
    out.push_str(TROUBLESHOOTING);
    out
}

const TROUBLESHOOTING: &str = "
## Troubleshooting

- A criterion fails that should not: edit `COMPLETION_CRITERIA.md`. Each entry counts as it stands.
- A criterion is unverified: no check says what its words say. A person judges with `divisi approve`, or rewrite it so that a check can.
- An agent lacks something: write it into `CONTEXT.md`, which all of them are given, or into its prompt.
- A run does not go on: `divisi status` says what it waits for, `divisi explain` which command moves it.
- A run was interrupted: `divisi resume` goes on with it.
";

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

/// A path as one word of a shell's command line.
fn shell_word(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '+');
    let path = crate::render::printable(path);
    match !path.is_empty() && path.chars().all(plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
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
        let text = write(&readme);
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
}
