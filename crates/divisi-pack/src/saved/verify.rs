//! Whether a saved workflow makes the tasks that its run had.

use divisi_core::plan::Work;
use divisi_core::{Criterion, Plan, TaskKind, TaskSpec};

use super::layers;
use crate::bundle::{Bundle, predict};

/// Where the tasks that a workflow makes with its defaults are not those of the plan that it was made
/// of, in words. Ids, and how agents are told, are the workflow's own.
#[must_use]
pub fn differences(plan: &Plan, bundle: &Bundle, files: &[String]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut made: Vec<TaskSpec> = Vec::new();
    for (id, expanded) in predict(bundle, files).iterations {
        match expanded.expansion {
            Some(expansion) => made.extend(expansion.tasks),
            None => {
                let causes = expanded.diagnostics.iter().map(|told| told.cause.as_str());
                let causes: Vec<&str> = causes.collect();
                differences.push(format!("the iteration {id}: {}", causes.join("; ")));
            }
        }
    }
    if !differences.is_empty() {
        return differences;
    }
    let entries = plan.tasks.iter().filter(|task| !layers::is_ending(task));
    // Entries keep the order of the plan within an iteration, and titles are kept whole.
    let mut left: Vec<TaskSpec> = { made.into_iter() }
        .filter(|task| !(layers::is_ending(task) && task.id.as_str().ends_with(".review")))
        .collect();
    for task in entries {
        let found = left
            .iter()
            .position(|other| other.title == task.title && same_files(task, other));
        match found {
            Some(at) => {
                let other = left.remove(at);
                let parts = parts(task, &other);
                if !parts.is_empty() {
                    differences.push(format!("of {}: {}", task.id, parts.join(", ")));
                }
            }
            None => differences.push(format!("the title or the files of {}", task.id)),
        }
    }
    differences
}

fn same_files(one: &TaskSpec, other: &TaskSpec) -> bool {
    one.deliverables == other.deliverables
}

/// The parts in which two tasks differ.
fn parts(one: &TaskSpec, other: &TaskSpec) -> Vec<&'static str> {
    // An entry that promises a file for which the iteration has criteria is given those, too.
    let has_all = one.criteria.iter().all(|criterion| {
        let mut others = other.criteria.iter();
        others.any(|other| match (criterion, other) {
            (
                Criterion::File { path, min_bytes },
                Criterion::File {
                    path: same,
                    min_bytes: most,
                },
            ) => path == same && min_bytes <= most,
            (one, other) => one == other,
        })
    });
    let env = { one.env.iter() }.all(|(name, text)| other.env.get(name) == Some(text));
    let all = [
        ("what it executes", same_work(one, other)),
        ("its criteria", has_all || one.kind == TaskKind::Approval),
        ("its environment", env),
        ("its workspace", one.workspace == other.workspace),
        (
            "its agent",
            one.agent == other.agent && one.agents_else == other.agents_else,
        ),
        ("its time box", one.timeout_ms == other.timeout_ms),
        ("its retries", one.retries == other.retries),
        ("its exit statuses", one.ok_exit == other.ok_exit),
        ("its priority", one.priority == other.priority),
        ("its kind", one.kind == other.kind),
        ("what it may change", one.scope == other.scope),
    ];
    all.into_iter()
        .filter(|(_, same)| !same)
        .map(|(part, _)| part)
        .collect()
}

/// Scripts are compared by their shell's words: values stand in their environment.
fn same_work(one: &TaskSpec, other: &TaskSpec) -> bool {
    let text = |work: &Work, task: &TaskSpec| match work {
        Work::Script(script) => Some(shell_text(script, task)),
        // With targets, a script is given them as arguments.
        Work::Command(argv)
            if argv.len() > 3 && argv[..2] == ["/bin/sh", "-euc"] && argv[3] == "script" =>
        {
            Some(shell_text(&argv[2], task))
        }
        _ => None,
    };
    match (text(&one.work, one), text(&other.work, other)) {
        (Some(one), Some(other)) => one == other,
        _ => match (&one.work, &other.work) {
            (Work::Command(one), Work::Command(two)) => {
                let put = |argv: &[String], task: &TaskSpec| -> Vec<String> {
                    { argv.iter() }.map(|part| shell_text(part, task)).collect()
                };
                one == two || put(one, other) == put(two, other)
            }
            (Work::Template(one), Work::Template(two)) => one.output == two.output,
            (one, two) => one == two,
        },
    }
}

/// A script with the values of its entry's variables, quotes around them left out.
fn shell_text(script: &str, task: &TaskSpec) -> String {
    let mut text = script.to_owned();
    for (name, value) in task
        .env
        .iter()
        .filter(|(name, _)| name.starts_with("INPUT_"))
    {
        let variable = format!("${{{name}}}");
        for quoted in [
            format!("'\"{variable}\"'"),
            format!("\"{variable}\""),
            variable,
        ] {
            text = text.replace(&quoted, value);
        }
    }
    text
}
