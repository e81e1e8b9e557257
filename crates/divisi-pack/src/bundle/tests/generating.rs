//! An iteration as a folder, and the folder as tasks again: unedited, edited, faulty.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::{Criterion, Plan, TaskSpec};

use super::super::prompt::CONTEXT_BESIDE;
use super::super::{Given, assemble, generate, predict};
use super::{Bundle, SOURCE, STORIES, bundle, bundle_with, given, lines, one, templates, workflow};
use crate::folder::stage::{self, Planned, Stage};
use crate::role::Library;
use crate::workflow::BUILT_IN;

type Files = BTreeMap<String, String>;

fn folder(bundle: &Bundle, iteration: &str, paths: &[&str]) -> Files {
    let generated = generate(bundle, iteration, paths, "iterations/one");
    let diagnostics = generated.diagnostics;
    let written = generated
        .folder
        .unwrap_or_else(|| panic!("{diagnostics:#?}"));
    assert_eq!(stage(&written.files).manifest, written.manifest);
    written.files
}

fn read(files: &Files) -> stage::Read {
    stage::read("iterations/one/", |path| {
        files.get(path).map(|text| text.clone().into_bytes())
    })
}

fn stage(files: &Files) -> Stage {
    let read = read(files);
    read.stage
        .unwrap_or_else(|| panic!("{:#?}", read.diagnostics))
}

fn planned(files: &Files) -> Plan {
    let Planned { plan, diagnostics } = stage(files).plan();
    plan.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

fn told(files: &Files) -> Vec<String> {
    let read = read(files);
    let mut told = lines(&read.diagnostics);
    if let Some(stage) = read.stage {
        told.extend(lines(&stage.plan().diagnostics));
    }
    told
}

fn edited(files: &Files, path: &str, from: &str, to: &str) -> Files {
    let mut files = files.clone();
    let text = &files[path];
    assert!(text.contains(from), "{from}\n{text}");
    files.insert(path.to_owned(), text.replace(from, to));
    files
}

const CRITERIA: &str = "COMPLETION_CRITERIA.md";

fn source() -> Files {
    folder(&bundle(SOURCE), "requirements-analysis", STORIES)
}

/// A task whose criteria are compared as a set. Of several sizes of one file, the largest counts.
fn comparable(task: &TaskSpec) -> (TaskSpec, BTreeSet<String>) {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for criterion in &task.criteria {
        if let Criterion::File { path, min_bytes } = criterion {
            let size = sizes.entry(path).or_default();
            *size = (*size).max(*min_bytes);
        }
    }
    let counts = |criterion: &&Criterion| match criterion {
        Criterion::File { path, min_bytes } => sizes[&**path] == *min_bytes,
        _ => true,
    };
    let criteria = task.criteria.iter().filter(counts);
    let criteria = criteria.map(|criterion| format!("{criterion:?}")).collect();
    let bare = TaskSpec {
        criteria: Vec::new(),
        // Neither agents nor files are made of what a prompt ends with.
        description: task.description.trim_end().to_owned(),
        ..task.clone()
    };
    (bare, criteria)
}

/// The folder of every iteration gives the tasks that expanding it gives.
fn check_same(bundle: &Bundle, base: &[&str]) {
    let prediction = predict(bundle, base);
    let mut there: BTreeSet<String> = base.iter().map(|&path| path.to_owned()).collect();
    for (id, expanded) in prediction.iterations {
        let expansion = expanded.expansion.unwrap();
        let paths: Vec<&str> = there.iter().map(String::as_str).collect();
        let plan = planned(&folder(bundle, &id, &paths));
        let (review, work) = plan.tasks.split_last().unwrap();
        let (expected, tasks) = expansion.tasks.split_last().unwrap();
        assert_eq!(work.len(), tasks.len(), "{id}");
        for (work, task) in work.iter().zip(tasks) {
            // A plan's handoffs have no stage context: there it stands in the prompt.
            let task = TaskSpec {
                description: task
                    .description
                    .replacen(CONTEXT_BESIDE, &expansion.context, 1),
                ..task.clone()
            };
            let ((work, has), (task, needs)) = (comparable(work), comparable(&task));
            assert_eq!(work, task);
            assert_eq!(has, needs, "{}", task.id);
        }
        assert_eq!(comparable(review).0, comparable(expected).0);
        // The whole is looked at for all of it, and for each deliverable.
        let says = |has: &Criterion, needs: &Criterion| match (has, needs) {
            (
                Criterion::File { path, min_bytes },
                Criterion::File {
                    path: of,
                    min_bytes: least,
                },
            ) => path == of && min_bytes >= least,
            (has, needs) => has == needs,
        };
        for needs in &expected.criteria {
            let is_said = review.criteria.iter().any(|has| says(has, needs));
            assert!(is_said, "{id}: {needs}");
        }
        let made = tasks.iter().flat_map(|task| &task.deliverables);
        there.extend(made.map(|made| made.path.clone()));
    }
}

#[test]
fn an_unedited_folder_gives_the_tasks_of_its_iteration() {
    check_same(&bundle(SOURCE), STORIES);
    for (name, _, text) in BUILT_IN {
        let given = match *name {
            "incident-response" => given(&[("id", "42")]),
            _ => Given::default(),
        };
        check_same(&bundle_with(text, &given), STORIES);
    }
}

#[test]
fn statements_of_entries_mean_what_they_mean_there() {
    let entries = "\
        {role: qa, targets: ['stories/*.md'], deliverables: ['a/{story_id}.md', 'b/{story_id}.md'], \
          criteria: ['All deliverables contain a section \"Risks\"', 'Risks are real', \
            '`make qa` passes', {scope: ['a/**', 'b/**']}, {count: 'a/*.md', min: 3}], \
          files_affected: ['a/**'], allocation: {max_per_agent: 2}}, \
        {role: developer, deliverables: [c.md], \
          criteria: ['All deliverables are at least 2 KB', {file: c.md, min_bytes: 4096}, \
            {command: [make, c]}, {lacks: TODO, in: README.md}]}, \
        {name: lint, command: [make, lint], ok_exit: [0, 3]}, \
        {name: format, command: [make, format], criteria: [{lacks: TABS, in: README.md}]}";
    let text = one(entries).replace(
        "goal: G,",
        "goal: G, completion_criteria: [{scope: ['*.md']}, {scope: ['**']}, Nobody objects, \
         '`c.md` contains the word \"GET\"', {file: c.md, min_bytes: 100}],",
    );
    check_same(&bundle(&text), STORIES);
    let text = &folder(&bundle(&text), "i", STORIES)[CRITERIA];
    for line in [
        "- `c.md`, at least 4096 bytes",
        "- Risks are real",
        "- `make qa` passes",
        "- `make c`",
        "- `*.md`",
        "- only `**` is changed",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(source(), source());
}

#[test]
fn the_folder_of_the_described_iteration_is_as_described() {
    let files = source();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "COMPLETION_CRITERIA.md",
            "CONTEXT.md",
            "README.md",
            "agent-prompts/product-analyst-agent-prompt.md",
            "manifest.json",
        ]
    );
    assert_eq!(
        files[CRITERIA],
        "\
# Completion criteria of `requirements-analysis`

What must hold before this stage is complete. Edit it by hand: each entry counts as it stands, in \
its form or in plain words; text outside of lists does not count.

## Required deliverables

- `stories/S1/requirements.md`, not empty
- `stories/S2/requirements.md`, not empty
- `stories/S3/requirements.md`, not empty

## Quality standards

- All user stories have requirements.md
- Requirements follow SMART criteria
- Acceptance criteria are testable

## Scope compliance

None.

## Validation commands

None.
"
    );
    let headings = |path: &str| {
        let lines = files[path]
            .lines()
            .filter_map(|line| line.strip_prefix("## "));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(
        headings("CONTEXT.md"),
        [
            "Goal and scope",
            "Reference documents and examples",
            "Standards and conventions",
            "Domain knowledge",
            "Constraints and non-goals",
        ]
    );
    assert_eq!(
        headings("README.md"),
        [
            "Overview",
            "Execution options",
            "Expected outputs",
            "Troubleshooting"
        ]
    );
    let stage = stage(&files);
    assert_eq!(stage.edited, [""; 0]);
    let agent = &stage.manifest.agents[0];
    assert_eq!(
        agent.targets,
        ["stories/S1.md", "stories/S2.md", "stories/S3.md"]
    );
    assert_eq!((agent.points, agent.estimated_tokens), (9, 9_000));
    assert_eq!(agent.budget_tokens, Some(30_000));
    assert_eq!(agent.risk_level.map(|risk| risk.word()), Some("low"));
}

#[test]
fn what_is_edited_counts() {
    let files = source();
    let prompt = "agent-prompts/product-analyst-agent-prompt.md";
    let sized = edited(
        &files,
        CRITERIA,
        "`stories/S2/requirements.md`, not empty",
        "`stories/S2/requirements.md`, at least 2 KB",
    );
    let size = Criterion::File {
        path: "stories/S2/requirements.md".into(),
        min_bytes: 2_048,
    };
    let has = |files: &Files, wanted: &Criterion| {
        let plan = planned(files);
        let of = |task: &TaskSpec| task.criteria.contains(wanted);
        (of(&plan.tasks[0]), of(plan.tasks.last().unwrap()))
    };
    assert_eq!(has(&files, &size), (false, false));
    assert_eq!(has(&sized, &size), (true, true));
    assert_eq!(stage(&sized).edited, [CRITERIA]);

    let added = edited(
        &files,
        CRITERIA,
        "- Acceptance criteria are testable",
        "- `stories/S1/requirements.md` has a section \"Scope\"",
    );
    let section = Criterion::Section {
        heading: "Scope".into(),
        path: "stories/S1/requirements.md".into(),
    };
    assert_eq!(has(&added, &section), (true, true));

    let context = edited(&files, "CONTEXT.md", "None.", "A story is a week of work.");
    let context = edited(&context, prompt, "You are", "Today you are");
    let description = &planned(&context).tasks[0].description;
    assert!(description.contains("A story is a week of work."));
    assert!(description.contains("Today you are the"), "{description}");
    assert!(!description.contains(stage::CONTEXT_BESIDE));

    let mut fewer = edited(
        &files,
        CRITERIA,
        "- `stories/S3/requirements.md`, not empty\n",
        "",
    );
    fewer = edited(
        &fewer,
        CRITERIA,
        "- All user stories have requirements.md\n",
        "",
    );
    let promised = planned(&fewer).tasks[0].deliverables.len();
    assert_eq!(promised, 2);

    let more = edited(
        &files,
        CRITERIA,
        "- `stories/S1",
        "- `glossary.md`\n- `stories/S1",
    );
    let told = told(&more);
    assert!(told[0].starts_with("[folder-unpromised]"), "{told:?}");
}

#[test]
fn what_is_missing_or_strange_is_told() {
    let files = source();
    for (path, code) in [
        ("manifest.json", Some("folder-missing")),
        (CRITERIA, Some("folder-missing")),
        (
            "agent-prompts/product-analyst-agent-prompt.md",
            Some("folder-missing"),
        ),
        ("CONTEXT.md", None),
        ("README.md", None),
    ] {
        let mut fewer = files.clone();
        fewer.remove(path);
        let told = told(&fewer);
        match code {
            Some(code) => assert!(told[0].contains(code), "{path}: {told:?}"),
            None => {
                assert_eq!(told, [""; 0], "{path}");
                assert_eq!(stage(&fewer).edited, [path]);
            }
        }
    }
    for (from, to, expected) in [
        ("\"format\": 1", "\"format\": 9", "folder-manifest"),
        ("\"points\": 9", "\"points\": -9", "folder-manifest"),
        (
            "\"agent-prompts/product",
            "\"agent-prompts/../../product",
            "folder-manifest",
        ),
        (
            "\"agent-prompts/product",
            "\"/etc/product",
            "folder-manifest",
        ),
        (
            "\"path\": \"stories/S1",
            "\"path\": \"../stories/S1",
            "folder-manifest",
        ),
        (
            "\"deliverables\": [\n          \"stories/S1",
            "\"deliverables\": [\n          \"../S1",
            "text-path",
        ),
        (
            "\"plan\": {",
            "\"plan\": {\"command\": 1,",
            "text-unknown-key",
        ),
        ("{", "[", "text-syntax"),
    ] {
        let told = told(&edited(&files, "manifest.json", from, to));
        assert!(
            told.first().is_some_and(|told| told.contains(expected)),
            "{to}: {told:?}"
        );
    }
    let unread = edited(&files, CRITERIA, "not empty", "at least 2 parsecs");
    assert!(told(&unread)[0].contains("criteria-entry"));
}

#[test]
fn a_project_replaces_documents_by_templates_of_its_own() {
    let with = |own: &[(&str, &str)]| {
        let own = templates(own);
        let library = Library::built_in();
        let assembled = assemble(&workflow(SOURCE), &library, &[&own], &Given::default());
        assembled.bundle.unwrap()
    };
    let own = with(&[
        ("README.md.j2", "Ask {{ title }}.\n"),
        ("CONTEXT.md.j2", "{{ goal }}\n\nWe write British English.\n"),
    ]);
    let files = folder(&own, "requirements-analysis", STORIES);
    assert_eq!(files["README.md"], "Ask `requirements-analysis`.\n");
    assert!(
        planned(&files).tasks[0]
            .description
            .contains("We write British English.")
    );
    check_same(&own, STORIES);

    for (text, cause) in [
        ("## Quality\n", "could not be read again"),
        ("{{ nothing }}", "cannot be written"),
    ] {
        let bundle = with(&[("COMPLETION_CRITERIA.md.j2", text)]);
        let generated = generate(&bundle, "requirements-analysis", STORIES, "f");
        assert_eq!(generated.folder, None);
        let told = lines(&generated.diagnostics);
        assert!(
            told[0].contains("workflow-template") && told[0].contains(cause),
            "{told:?}"
        );
    }
}

#[test]
fn names_of_targets_act_neither_in_documents_nor_in_prompts() {
    let hostile = ["stories/`x` {{ 7 * 7 }} <!-- .md", "stories/- [ ] a.md"];
    let bundle = bundle(SOURCE);
    check_same(&bundle, &hostile);
    let files = folder(&bundle, "requirements-analysis", &hostile);
    assert!(
        files[CRITERIA].contains("{{ 7 * 7 }}"),
        "{}",
        files[CRITERIA]
    );
    assert_eq!(planned(&files).tasks[0].deliverables.len(), 2);
}

#[test]
fn an_iteration_that_cannot_be_expanded_has_no_folder() {
    let bundle = bundle(SOURCE);
    for (iteration, code) in [
        ("technical-design", "workflow-no-match"),
        ("x", "workflow-unknown"),
    ] {
        let generated = generate(&bundle, iteration, STORIES, "f");
        assert_eq!(generated.folder, None);
        assert_eq!(generated.diagnostics[0].code, code);
    }
}
