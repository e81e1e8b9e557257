//! Every reader of texts, given texts that were broken at random: the n-th is the same each time.
//!
//! It is what a fuzzer does, on stable Rust and with every `cargo test`; `DIVISI_MUTATIONS=N` gives
//! each reader so many texts instead of a few hundred. Each must end, refuse with a place that is in the
//! text, and never read something while it tells of an error.

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Severity;
use minijinja::context;

use crate::dice::Dice;
use crate::template::Templates;
use crate::{
    config, folder, handoff, lint, plan_file, planner, rehearsal, request, role, template, workflow,
};

/// Texts for each reader unless the environment says otherwise.
const TEXTS: u64 = 400;

/// The largest output of a broken template.
const FILLED_BYTES_MAX: usize = 1 << 20;

const PLANS: &[&str] = &[
    include_str!("../../../examples/composition-in-levels.json"),
    include_str!("../../../examples/a-task-for-each-page.json"),
    r#"{"task_title": "t", "subtasks": [{"subtask_id": "a", "command": ["x"], "criteria": ["words",
        {"file": "a", "min_bytes": 1}, {"count": "*.md", "min": 5}]}], "execution_plan": {}}"#,
];

const CONFIGS: &[&str] = &[
    "run: {workers: 2, limits: {command: 3}, agents: {developer: person}}\nbudget: {day: {tokens: 3}}\nprices: {claude: {input: 3, output: 15}}\n",
    "grants:\n  allow_write: [cache]\n  pass_env: [A]\nworkspace:\n  setup: ['touch x']\n",
    "orchestrator:\n  monitoring: {interval: 30}\nchecks: [{file: a, min_bytes: 2}, words]\n",
];

const REHEARSALS: &[&str] = &[
    "rules:\n  - {task: 'a.*', role: qa, attempts: [[print: a, exit: 1], [make: {text: '{path}'}]]}\n",
    "rules: [{deliverable: '**/{x}.md', attempts: [[write: {path: a, text: b}, usage: {tokens: 4}]]}]\n",
];

const CRITERIA: &[&str] = &[
    "# Completion criteria\n\n## Required files\n\n- `a.md` (at least 100 bytes)\n",
    "## Content\n\n- [ ] `a.md` has a section \"API\"\n- it reads well\n\n## Scope\n\n- `src/**`\n",
];

const REQUESTS: &[&str] = &[
    "Add rate limiting to the API in `src/api/**`, with tests, a security audit and docs; don't deploy.",
    "Build it: design -> implement -> test -> audit\n\n1. Fix a.rs\n2. Then update b.rs, c.rs\n- without docs",
    "Review this repository: correctness, security. Make sure `cargo test` passes. Respond to incident 42.",
];

fn texts() -> u64 {
    let wanted = std::env::var("DIVISI_MUTATIONS").ok();
    wanted.and_then(|many| many.parse().ok()).unwrap_or(TEXTS)
}

/// Gives a reader broken texts. It tells whether something was read, and what is wrong.
fn every_broken_text(corpus: &[&str], read: impl Fn(&str) -> (bool, Vec<Diagnostic>)) {
    let mut refused = 0;
    for seed in 0..texts() {
        let text = Dice(seed).mutated(corpus);
        let (some, diagnostics) = read(&text);
        let errors = diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_ne!(some, errors, "seed {seed}: {diagnostics:?}\n{text}");
        // A text may end with the end of a line, and what it lacks is missing after that. Line 0 is
        // the whole text.
        let lines = text.lines().count() as u32 + 1;
        for diagnostic in &diagnostics {
            let line = diagnostic.place.as_ref().map_or(0, |place| place.line);
            assert!(line <= lines, "seed {seed}: {diagnostic:?}\n{text}");
            assert!(!crate::render(diagnostic, Some(&text), false).is_empty());
        }
        refused += u64::from(errors);
    }
    // Otherwise nothing was broken, or nothing is looked at.
    assert!(refused * 10 > texts(), "only {refused} were refused");
}

#[test]
fn broken_plans_and_requests_are_linted_and_planned() {
    let request = request::read("Add docs and tests, but do not touch a.md");
    let given = lint::Given {
        request: Some(&request),
        files: Some(&[]),
        ..lint::Given::default()
    };
    every_broken_text(PLANS, |text| {
        let read = lint::read("p", text.as_bytes(), &given);
        (read.plan.is_some(), read.diagnostics)
    });
    let roles = role::Library::built_in();
    let facts = planner::Facts {
        files: Some(&[]),
        roles: &roles,
        tests: None,
        reviewers: planner::Reviewers::Agents,
        has_judges: false,
        budget: divisi_core::run::Budget::default(),
        sizes: divisi_core::run::Sizes::USUAL,
    };
    for seed in 0..texts() {
        let text = Dice(seed).mutated(REQUESTS);
        let request = request::read(&text);
        match planner::by_rule(&request, &facts) {
            planner::Answer::Planned(planned) => {
                assert_eq!(
                    planned.covers.len(),
                    request.parts.len(),
                    "seed {seed}: {text}"
                );
            }
            planner::Answer::Declined(declined) => {
                assert!(!declined.reasons.is_empty(), "seed {seed}: {text}");
            }
        }
    }
}

#[test]
fn broken_plans_are_refused_where_they_are_broken() {
    every_broken_text(PLANS, |text| {
        let read = plan_file::read("p", text.as_bytes());
        (read.plan.is_some(), read.diagnostics)
    });
    every_broken_text(PLANS, |text| {
        let read = plan_file::read_parts("p", text.as_bytes());
        (read.parts.is_some(), read.diagnostics)
    });
}

#[test]
fn broken_workflows_are_refused_where_they_are_broken() {
    let corpus: Vec<&str> = workflow::BUILT_IN
        .iter()
        .map(|(_, _, text)| *text)
        .collect();
    every_broken_text(&corpus, |text| {
        let read = workflow::read("w", text.as_bytes());
        (read.workflow.is_some(), read.diagnostics)
    });
}

#[test]
fn broken_roles_are_refused_where_they_are_broken() {
    let corpus: Vec<&str> = role::BUILT_IN.iter().map(|(_, text)| *text).collect();
    every_broken_text(&corpus, |text| {
        let read = role::read("r", text.as_bytes());
        (read.roles.is_some(), read.diagnostics)
    });
}

#[test]
fn broken_configurations_are_refused_where_they_are_broken() {
    every_broken_text(CONFIGS, |text| {
        let read = config::read("c", text.as_bytes());
        (read.values.is_some(), read.diagnostics)
    });
}

#[test]
fn broken_rehearsals_are_refused_where_they_are_broken() {
    every_broken_text(REHEARSALS, |text| {
        let read = rehearsal::read("r", text.as_bytes());
        (read.rehearsal.is_some(), read.diagnostics)
    });
}

#[test]
fn broken_handoffs_are_refused_where_they_are_broken() {
    every_broken_text(&[include_str!("../tests/data/handoff.json")], |text| {
        let read = handoff::read("h", text.as_bytes());
        (read.handoff.is_some(), read.diagnostics)
    });
}

#[test]
fn broken_files_of_criteria_are_refused_where_they_are_broken() {
    every_broken_text(CRITERIA, |text| {
        let read = folder::criteria::read("C.md", text.as_bytes());
        (read.file.is_some(), read.diagnostics)
    });
}

#[test]
fn broken_templates_end_with_a_text_or_a_fault() {
    let corpus: Vec<&str> = template::BUILT_IN.iter().map(|(_, text)| *text).collect();
    let mut faults = 0;
    for seed in 0..texts() {
        let text = Dice(seed).mutated(&corpus);
        let all = template::BUILT_IN.iter().copied();
        let templates = Templates::new(all.chain([("broken.md.j2", text.as_str())]));
        let values = context! { title => "{{ title }}", targets => ["a", "b"], role => "r" };
        match templates.fill("broken.md.j2", values, FILLED_BYTES_MAX) {
            Ok(bytes) => assert!(bytes.len() <= FILLED_BYTES_MAX, "seed {seed}"),
            Err(fault) => {
                assert!(!fault.to_string().is_empty(), "seed {seed}");
                faults += 1;
            }
        }
    }
    assert!(faults * 10 > texts(), "only {faults} were refused");
}
