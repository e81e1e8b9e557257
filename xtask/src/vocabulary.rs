//! One word for one concept: the words that are rejected, and the right one for each.
//!
//! Names that Rust code defines are split into words (`PlanRevision`, `plan_revision` → plan,
//! revision) and matched, in singular and plural. Uses are not matched: a name is wrong where it is
//! given. Prose is matched against fewer words, outside code spans and blocks, since a sentence may
//! need a word that a name must not have.

use crate::tidy::Finding;
use crate::tidy::Tree;
use crate::tidy::source::Source;

/// A rejected word, or several in a row.
struct Rejected {
    words: &'static str,
    right: &'static str,
    /// Whether prose is held to it too.
    in_prose: bool,
    /// Where the word belongs to a format or to the field itself: prefixes of paths.
    except: &'static [&'static str],
}

/// Where the source's file formats are read, written and explained, in their own words: plan files,
/// the form of handoffs, and the pages on what is wrong with such a text.
const FORMATS: &[&str] = &[
    "crates/divisi-pack/",
    "crates/divisi-agents/src/handoff",
    "docs/errors/plan-",
    "docs/errors/text-",
    "docs/plan",
];

const fn name(words: &'static str, right: &'static str) -> Rejected {
    Rejected {
        words,
        right,
        in_prose: false,
        except: &[],
    }
}

const fn everywhere(words: &'static str, right: &'static str) -> Rejected {
    Rejected {
        in_prose: true,
        ..name(words, right)
    }
}

const fn in_formats(rejected: Rejected) -> Rejected {
    Rejected {
        except: FORMATS,
        ..rejected
    }
}

/// The table. `work item` matches the names `WorkItem`, `work_items` and the prose "work item".
const REJECTED: &[Rejected] = &[
    in_formats(everywhere("subtask", "task")),
    everywhere("sub task", "task"),
    everywhere("work item", "task"),
    name("epic", "task"),
    name(
        "orchestrator",
        "engine (the product is an orchestrator in prose only)",
    ),
    in_formats(name("orchestration", "run")),
    in_formats(everywhere("orchestration plan", "plan")),
    in_formats(everywhere("execution plan", "plan")),
    name("executor", "agent"),
    name("coding agent", "agent"),
    name("specialist", "role"),
    in_formats(name("master", "role")),
    in_formats(name("worker type", "function (of a role)")),
    in_formats(name("assigned to", "domain (of a role)")),
    name("sandbox", "workspace"),
    everywhere("worker run", "attempt"),
    Rejected {
        // A process that ended and was not yet waited for is the kernel's zombie; a plan file may
        // hold the source's.
        except: &["crates/divisi-engine/src/supervisor", "crates/divisi-pack/"],
        ..name("zombie", "lost or stalled")
    },
    name("hung", "stalled"),
    in_formats(name("last heartbeat", "heartbeat")),
    in_formats(everywhere("success criteria", "criteria")),
    in_formats(everywhere("completion criteria", "criteria")),
    in_formats(everywhere("acceptance criteria", "criteria")),
    everywhere("quality gate", "criterion (a gate is before the start)"),
    name("prerequisite", "dependency or gate"),
    in_formats(name("required deliverable", "deliverable")),
    in_formats(name("files affected", "scope")),
    in_formats(name("iteration", "stage")),
    everywhere("handoff file", "handoff"),
    everywhere("hand off", "handoff"),
    name("synthesis", "compose"),
    name("synthesize", "compose"),
    name("chat", "session"),
    name("formula", "workflow"),
    name("wizard", "journey"),
    name("hitl", "escalation or question"),
    name("human in the loop", "escalation or question"),
    name("token budget", "budget"),
    name("completion report", "report"),
    everywhere("cancelled", "canceled"),
    everywhere("cancelling", "canceling"),
    everywhere("behaviour", "behavior"),
    everywhere("colour", "color"),
    everywhere("utilisation", "utilization"),
    everywhere("recognised", "recognized"),
    everywhere("neutralised", "neutralized"),
    everywhere("initialised", "initialized"),
];

const RULE: &str = "vocabulary";

/// Names in code.
pub(crate) fn in_code(_: &Tree, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for (name, line) in &source.names {
            let words = words_of_name(name);
            for rejected in matches(&words, &source.path, |_| true) {
                let text = format!("`{name}`: say {}, not {}", rejected.right, rejected.words);
                findings.push(Finding::fault(RULE, &source.path, *line, text));
            }
        }
    }
    findings
}

/// Prose in documents.
pub(crate) fn in_prose(tree: &Tree, _: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.documents() {
        let mut is_code = false;
        for (line, number) in text.lines().zip(1..) {
            if line.trim_start().starts_with("```") {
                is_code = !is_code;
                continue;
            }
            if is_code {
                continue;
            }
            let words = words_of_prose(line);
            for rejected in matches(&words, path, |rejected| rejected.in_prose) {
                let text = format!("say {}, not {}", rejected.right, rejected.words);
                findings.push(Finding::fault(RULE, path, number, text));
            }
        }
    }
    findings
}

fn matches(
    words: &[String],
    path: &str,
    applies: impl Fn(&Rejected) -> bool,
) -> impl Iterator<Item = &'static Rejected> {
    REJECTED.iter().filter(move |rejected| {
        let pattern: Vec<&str> = rejected.words.split(' ').collect();
        let is_here = |window: &[String]| window.iter().zip(&pattern).all(|(w, p)| is_word(w, p));
        applies(rejected)
            && !rejected
                .except
                .iter()
                .any(|prefix| path.starts_with(prefix))
            && words.windows(pattern.len()).any(is_here)
    })
}

/// The word itself or its plural.
fn is_word(word: &str, rejected: &str) -> bool {
    word.strip_prefix(rejected)
        .is_some_and(|rest| matches!(rest, "" | "s"))
}

/// `PlanRevision2`, `plan_revision2` → plan, revision2.
fn words_of_name(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut starts = true;
    let mut was_lower = false;
    for c in name.chars() {
        if c == '_' {
            starts = true;
            continue;
        }
        if starts || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        starts = false;
        was_lower = c.is_lowercase() || c.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// The words of a line outside code spans; a hyphen parts words.
fn words_of_prose(line: &str) -> Vec<String> {
    let outside = line.split('`').step_by(2);
    outside
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::found;

    fn names(path: &str, code: &str) -> Vec<String> {
        found(in_code, &[(path, code)])
    }

    #[test]
    fn rejected_names_are_told_the_right_word() {
        for (code, text) in [
            (
                "struct SubtaskQueue;",
                "`SubtaskQueue`: say task, not subtask",
            ),
            (
                "fn zombie_attempts() {}",
                "`zombie_attempts`: say lost or stalled, not zombie",
            ),
            (
                "struct A { worker_runs: u8 }",
                "`worker_runs`: say attempt, not worker run",
            ),
            ("enum E { WorkItem }", "`WorkItem`: say task, not work item"),
            (
                "trait TaskExecutor {}",
                "`TaskExecutor`: say agent, not executor",
            ),
            ("mod sandbox {}", "`sandbox`: say workspace, not sandbox"),
            ("const CHATS: u8 = 1;", "`CHATS`: say session, not chat"),
        ] {
            let expected = format!("crates/a/src/lib.rs:1: fault[vocabulary]: {text}");
            assert_eq!(names("crates/a/src/lib.rs", code), [expected], "{code}");
        }
    }

    #[test]
    fn a_formats_own_words_are_permitted_where_it_is_read() {
        let code = "struct File { subtasks: Vec<Subtask> }";
        assert!(names("crates/divisi-pack/src/plan.rs", code).is_empty());
        assert_eq!(names("crates/divisi-engine/src/plan.rs", code).len(), 1);
    }

    #[test]
    fn uses_and_parts_of_words_are_no_fault() {
        let code = "fn f(chatter: u8) { subtask(zombie) }\nstruct Changed { mastery: u8 }\n";
        assert!(names("crates/a/src/lib.rs", code).is_empty());
    }

    #[test]
    fn prose_is_checked_outside_code() {
        let text = "The key `subtasks` holds tasks.\nA Sub-task waits.\n```\nsubtask\n```\nThe orchestrator ran.\nIt was cancelled.\n";
        assert_eq!(
            found(in_prose, &[("docs/a.md", text)]),
            [
                "docs/a.md:2: fault[vocabulary]: say task, not sub task",
                "docs/a.md:7: fault[vocabulary]: say canceled, not cancelled",
            ]
        );
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(words_of_name("PlanRevision"), ["plan", "revision"]);
        assert_eq!(words_of_name("TASKS_MAX"), ["tasks", "max"]);
        assert_eq!(words_of_name("_on_lost"), ["on", "lost"]);
    }
}
