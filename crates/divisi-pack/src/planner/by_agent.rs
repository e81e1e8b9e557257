//! Planning by agent: the task whose result is the plan.
//!
//! The agent is handed the request, what was settled about it, the roles that there are and the form
//! of a plan. What it writes is read and linted like any plan ([`crate::lint::read_whole`]); faults
//! go back to it with their places.

use std::fmt::Write as _;

use divisi_core::intent::Settled;
use divisi_core::plan::{Deliverable, Estimate, PLAN_PATH, Work};
use divisi_core::{Criterion, Plan, TaskId, TaskKind, TaskSpec, WorkspaceKind};

use super::asked::{self, Asked};
use super::{Facts, making, spared};
use divisi_core::run::Sizes;

use crate::request::Request;

/// Adds a line. Writing to a string cannot fail.
macro_rules! line {
    ($out:expr, $($text:tt)*) => {
        writeln!($out, $($text)*).expect("writing to a string cannot fail")
    };
}
/// So often an agent may write a plan that cannot be used; then a person is asked.
pub const ANSWERS_MAX: u32 = 3;

/// So many files of the project are named to it; it can look for itself.
const FILES_NAMED_MAX: usize = 60;

/// A plan whose one task plans the request.
#[must_use]
pub fn plan(request: &Request, facts: &Facts<'_>, settled: &[Settled]) -> Plan {
    let task = TaskSpec {
        title: format!("Plan: {}", making::title(request)),
        description: told(request, facts, settled),
        kind: TaskKind::Plan,
        work: Work::Handoff,
        deliverables: vec![Deliverable {
            path: PLAN_PATH.to_owned(),
        }],
        criteria: vec![Criterion::File {
            path: PLAN_PATH.to_owned(),
            min_bytes: 1,
        }],
        workspace: WorkspaceKind::Worktree,
        retries: Some(ANSWERS_MAX - 1),
        estimate: Estimate {
            duration_ms: Some(5 * 60_000),
            duration_max_ms: Some(10 * 60_000),
            tokens: Some(15_000),
        },
        ..TaskSpec::command(TaskId::new("plan").expect("a word is an id"), &[])
    };
    let mut plan = Plan {
        title: making::title(request),
        tasks: vec![task],
        ..Plan::default()
    };
    // Whatever it plans: the whole is held against what the request wants left as it is.
    spared::hold(&mut plan, request, facts);
    plan
}

/// What the agent is told.
fn told(request: &Request, facts: &Facts<'_>, settled: &[Settled]) -> String {
    let mut text = format!(
        "Make a plan for the request below. Change nothing of the project and do none of the work: \
         look at the project as far as you need, and write the plan as one JSON document, without \
         anything around it, to `{PLAN_PATH}`. Other agents then do its tasks, each alone, side by \
         side where nothing orders them; each knows only its own task.\n\nThe request:\n\n"
    );
    for line in request.text.lines() {
        line!(text, "> {line}");
    }
    if !settled.is_empty() {
        text.push_str("\nSettled about it:\n");
        for it in settled {
            let how = match it.is_assumed {
                true => " (assumed)",
                false => "",
            };
            line!(text, "- {} {}{how}", it.asks, it.answer);
        }
    }
    if !request.exclusions.is_empty() {
        text.push_str("\nNot to be done or touched:\n");
        for exclusion in &request.exclusions {
            line!(text, "- {}", exclusion.text);
        }
    }
    if !request.bounds.is_empty() {
        text.push_str("\nNothing else may change:\n");
        for bound in &request.bounds {
            line!(text, "- {}", bound.text);
        }
    }
    text.push_str("\nRoles that tasks may have, as `assigned_to` and `worker_type`:\n");
    for role in facts.roles.iter() {
        if let Some(domain) = &role.domain {
            let function = role.function.as_deref().unwrap_or("(none)");
            line!(text, "- `{domain}`, `{function}`: {}", role.name);
        }
    }
    if let Some(tests) = facts.tests {
        let tests = serde_json::to_string(tests).expect("words are plain data");
        line!(text, "\nThe project tests itself by the command {tests}.");
    }
    if let Some(files) = facts.files {
        line!(text, "\nThe project has {} files, among them:", files.len());
        for file in files.iter().take(FILES_NAMED_MAX) {
            line!(text, "- {file}");
        }
    }
    let sizes = &facts.sizes;
    line!(
        text,
        "\nThe plan:\n\
         - Each part of the request has a task, and no task does what was not asked for. Each file, \
         symbol, number and quotation that the request names stands in the task that it is for, and \
         tests, audits and documents that it asks for have a task that says so. What it only describes \
         you may say in your own words.\n\
         - Each task has one role, stands alone, takes at most {} minutes and {} \
         tokens, and changes at most {} files. There are at most \
         {} tasks, and no more than it takes.\n\
         - Each task for an agent promises a file in `deliverables` or has a criterion that a program can \
         find violated. A criterion that holds before the work begins proves nothing.\n\
         - Tests that the project has are no criterion of a task after which they must fail until a later \
         one is done.\n\
         - Tasks that may change the same file depend on each other.\n\
         - The plan has criteria of its own for the whole, which do not hold before the work begins.\n\
         - Research and reviews promise a file in `deliverables`; what research finds out is told to \
         the tasks that depend on it.\n\
         - What several tasks make and somebody has to make one thing of is put together by a task of \
         kind `compose`, whose `inputs` are these tasks. With `\"template\": {{\"output\": PATH}}` \
         their files are put one after the other, without an agent; with a role, a description and a \
         file in `deliverables` an agent does it, which is given what they made. Much is put together \
         in levels.\n",
        sizes.task_ms_max.div_ceil(60_000),
        sizes.task_tokens_max,
        sizes.task_files_max,
        sizes.tasks_max,
    );
    text.push_str(&form(Asked::Whole, facts.tests));
    text
}

/// How the parts of a task are planned that turned out to be more than one: all of them are done in
/// words, by the task's own agent.
#[must_use]
pub fn how_to_plan_parts(sizes: &Sizes) -> String {
    let mut text = format!(
        "Of the plan:\n\
         - It has at least two tasks and no more than it takes, each smaller than the one it is a part \
         of: at most {} minutes, {} tokens and {} files.\n\
         - Each knows only its own text, and is done in words: each is of kind `work` or `research`, \
         none has a `command` or a `script`, and no criterion is a `command` but those that stand above.\n\
         - Each file that stands above is among the `deliverables` of one of them.\n\
         - Tasks that may change the same file depend on each other.\n\
         - It has no `criteria` of its own for the whole, and its tasks no `budget`.\n",
        sizes.task_ms_max.div_ceil(60_000),
        sizes.task_tokens_max,
        sizes.task_files_max,
    );
    text.push_str(&form(Asked::Parts, None));
    text
}

/// The form of a plan: an example, with the command by which the project tests itself, and a schema.
fn form(of: Asked, tests: Option<&[String]>) -> String {
    let tests = tests.map(|argv| serde_json::to_string(argv).expect("words are plain data"));
    let tests = tests.as_deref().unwrap_or(r#"["PROGRAM", "ARGUMENT"]"#);
    let example = match of {
        Asked::Whole => FORM.replace("TESTS", tests),
        Asked::Parts => FORM.replace(COMMAND, "").replace(OF_WHOLE, ""),
    };
    format!("{example}{}\n", asked::schema(of))
}

/// What parts have not: a command that their task did not have, and criteria of a whole.
const COMMAND: &str = r#"{"command": TESTS},
        "#;
const OF_WHOLE: &str = r#",
  "criteria": [{"command": TESTS}]"#;

/// The form of a plan, by an example; `TESTS` is a command line. A test reads it.
const FORM: &str = r##"
Its form, by an example; other keys are refused:

```json
{
  "task_title": "The intent in one line",
  "subtasks": [
    {
      "subtask_id": "limit",
      "title": "Limit the requests of a client",
      "description": "All that whoever does it must know.",
      "assigned_to": "development",
      "worker_type": "implementation",
      "files_affected": ["src/limit.rs"],
      "deliverables": ["src/limit.rs"],
      "criteria": [
        {"command": TESTS},
        {"contains": "pub fn limit", "in": "src/limit.rs"}
      ],
      "estimated_duration_minutes": 15,
      "estimated_tokens": 15000
    },
    {
      "subtask_id": "limits-documented",
      "title": "Document the limits",
      "description": "Say what is limited, and how a client learns of it.",
      "assigned_to": "documentation",
      "dependencies": ["limit"],
      "deliverables": ["docs/limits.md"],
      "criteria": [{"section": "Limits", "in": "docs/limits.md"}]
    }
  ],
  "criteria": [{"command": TESTS}]
}
```

Its JSON Schema:

"##;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan_file;
    use crate::role::Library;
    use crate::{lint, request};

    fn facts(roles: &Library) -> Facts<'_> {
        Facts {
            files: None,
            roles,
            tests: None,
            reviewers: super::super::Reviewers::Agents,
            has_judges: false,
            budget: divisi_core::run::Budget::default(),
            sizes: divisi_core::run::Sizes::USUAL,
        }
    }

    fn given<'g>(request: &'g Request, facts: &Facts<'g>) -> lint::Given<'g> {
        lint::Given {
            author: lint::Author::Agent,
            ..super::super::given(request, facts)
        }
    }

    fn example() -> String {
        let tests = ["python3", "-m", "pytest"].map(str::to_owned);
        example_in(&form(Asked::Whole, Some(&tests))).to_owned()
    }

    fn example_in(told: &str) -> &str {
        let (_, rest) = told.split_once("```json\n").expect("it has an example");
        rest.split_once("\n```").expect("it ends").0
    }

    #[test]
    fn the_example_that_agents_are_shown_is_a_plan_without_a_fault() {
        let request = request::read("Limit the requests of a client, with docs");
        let roles = Library::built_in();
        let given = given(&request, &facts(&roles));
        let read = lint::read_whole("example", example().as_bytes(), &given);
        let errors = read.diagnostics.iter();
        let errors: Vec<_> = errors
            .filter(|it| it.severity == divisi_core::diagnostic::Severity::Error)
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let parts = read.parts.expect("it has no fault");
        assert_eq!((parts.tasks.len(), parts.criteria.len()), (2, 1));
    }

    #[test]
    fn the_example_of_parts_is_read_as_parts_and_has_no_command_of_its_own() {
        let told = how_to_plan_parts(&Sizes::USUAL);
        let example = example_in(&told);
        let read = plan_file::read_parts("example", example.as_bytes());
        assert_eq!(read.diagnostics, []);
        let parts = read.parts.expect("it has no fault");
        assert_eq!((parts.tasks.len(), parts.criteria.len()), (2, 0));
        // The whole's, by contrast, would be refused.
        let read = plan_file::read_parts("example", self::example().as_bytes());
        assert!(read.parts.is_none());
        for task in &parts.tasks {
            let mut criteria = task.criteria.iter();
            let is_command = |it: &Criterion| matches!(it, Criterion::Command { .. });
            assert!(!task.criteria.is_empty() && !criteria.any(is_command));
        }
    }

    #[test]
    fn each_example_satisfies_the_schema_that_stands_beside_it() {
        for of in [Asked::Whole, Asked::Parts] {
            let told = form(of, None);
            let (_, schema) = told.split_once("Its JSON Schema:\n\n").expect("it has one");
            let schema: serde_json::Value = serde_json::from_str(schema).expect("it is JSON");
            assert_eq!(schema, asked::schema(of));
            let schema = jsonschema::validator_for(&schema).expect("it is a schema");
            let example: serde_json::Value =
                serde_json::from_str(example_in(&told)).expect("it is JSON");
            let faults: Vec<_> = schema.iter_errors(&example).collect();
            assert!(faults.is_empty(), "{of:?}: {faults:?}");
        }
    }

    #[test]
    fn what_an_agent_is_told_has_the_request_what_was_settled_and_the_roles() {
        let request = request::read("Migrate the database to Postgres. Do not touch web/");
        let roles = Library::built_in();
        let settled = [Settled {
            name: "target".into(),
            asks: "To what?".into(),
            answer: "Postgres".into(),
            is_assumed: true,
        }];
        let plan = plan(&request, &facts(&roles), &settled);
        let [task] = &plan.tasks[..] else {
            panic!("one task plans");
        };
        for words in [
            "> Migrate the database to Postgres. Do not touch web/",
            "- To what? Postgres (assumed)",
            "- Do not touch web/",
            "- `development`, `implementation`: ",
            PLAN_PATH,
        ] {
            assert!(
                task.description.contains(words),
                "{words}: {}",
                task.description
            );
        }
        assert_eq!((task.kind, task.retries), (TaskKind::Plan, Some(2)));
        // It is a plan that can be run: a file could say it.
        let text = plan_file::write(&plan);
        let read = plan_file::read("plan", text.as_bytes());
        assert_eq!(read.diagnostics, []);
    }

    #[test]
    fn the_example_has_the_projects_own_test_command() {
        let request = request::read("Limit the requests of a client");
        let roles = Library::built_in();
        let tests = ["python3", "-m", "pytest"].map(str::to_owned);
        let told = |tests: Option<&[String]>| {
            let facts = Facts {
                tests,
                ..facts(&roles)
            };
            plan(&request, &facts, &[]).tasks[0].description.clone()
        };
        let python = told(Some(&tests));
        assert!(
            python.contains(r#"{"command": ["python3","-m","pytest"]}"#),
            "{python}"
        );
        for told in [python, told(None), how_to_plan_parts(&Sizes::USUAL)] {
            assert!(!told.contains("cargo") && !told.contains("TESTS"), "{told}");
        }
    }

    #[test]
    fn whatever_an_agent_plans_the_whole_is_held_against_what_must_stay() {
        let request = request::read("Limit the requests of a client, and leave web/ alone");
        let plan = plan(&request, &facts(&Library::built_in()), &[]);
        let spared = Criterion::Scope {
            patterns: vec!["!web/**".to_owned()],
        };
        assert_eq!(plan.criteria, [spared]);
    }

    #[test]
    fn a_plan_that_leaves_a_part_out_or_does_what_is_excluded_is_refused_with_its_place() {
        let request = request::read("Limit the requests of a client, with a security audit");
        let roles = Library::named(["development/implementation", "garden/mower"]);
        let given = given(&request, &facts(&roles));
        let read = lint::read_whole("divisi-plan.json", example().as_bytes(), &given);
        assert!(read.parts.is_none());
        let uncovered = read
            .diagnostics
            .iter()
            .find(|it| it.code == "lint-uncovered");
        let place = uncovered
            .and_then(|it| it.place.as_ref())
            .expect("it has a place");
        assert_eq!(place.source, "divisi-plan.json");
        // A role that only a run knows is one.
        let own = example().replace(
            "\"documentation\"",
            "\"garden\", \"worker_type\": \"mower\"",
        );
        let read = lint::read_whole("p", own.as_bytes(), &given);
        assert!(
            read.diagnostics
                .iter()
                .all(|it| it.code != "lint-role-unknown")
        );
        let other = own.replace("mower", "digger");
        let read = lint::read_whole("p", other.as_bytes(), &given);
        assert!(
            read.diagnostics
                .iter()
                .any(|it| it.code == "lint-role-unknown")
        );
        // What workspaces need is not the agent's to say.
        let own = example().replacen('{', "{\"workspace\": {\"setup\": [[\"true\"]]},", 1);
        let read = lint::read_whole("p", own.as_bytes(), &given);
        assert!(read.parts.is_none());
    }
}
