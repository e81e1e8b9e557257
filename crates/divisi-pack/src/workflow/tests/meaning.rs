use divisi_core::plan::Work;
use divisi_core::{Criterion, TaskKind};

use super::super::{
    Allocation, BUILT_IN, InputKind, InputValue, Statement, Strategy, Targets, Workflow,
};
use super::{LEAD, SOURCE, one, workflow};

fn words(text: &str) -> Statement {
    Statement::Words(text.to_owned())
}

fn paths(workflow: &Workflow, iteration: usize, entry: usize) -> Vec<&str> {
    let entry = &workflow.iterations[iteration].entries[entry];
    entry.deliverables.iter().map(|made| &*made.path).collect()
}

#[test]
fn the_described_form_is_read_unchanged() {
    let workflow = workflow(&format!("{SOURCE}\n{LEAD}"));
    assert_eq!(workflow.name, "user-story-refinement");
    let [analysis, design] = &workflow.iterations[..] else {
        panic!("two iterations are expected");
    };
    assert_eq!(analysis.id, "requirements-analysis");
    assert_eq!(
        analysis.goal,
        "Extract and validate requirements from user stories"
    );
    assert_eq!(design.dependencies, ["requirements-analysis"]);
    assert_eq!(
        analysis.criteria,
        [
            words("All user stories have requirements.md"),
            words("Requirements follow SMART criteria"),
            words("Acceptance criteria are testable"),
        ]
    );
    let entry = &analysis.entries[0];
    assert_eq!(entry.role.as_deref(), Some("product_analyst"));
    assert_eq!(entry.points, Some(3));
    assert_eq!(entry.work, Work::Handoff);
    let targets = Targets {
        pattern: "stories/*.md".to_owned(),
        filter: None,
    };
    assert_eq!(entry.targets, [targets]);
    assert_eq!(
        paths(&workflow, 0, 0),
        ["stories/{story_id}/requirements.md"]
    );
    assert_eq!(
        paths(&workflow, 1, 0),
        [
            "stories/{story_id}/technical-design.md",
            "stories/{story_id}/test-plan.md"
        ]
    );
    let [analyst, developer] = &workflow.roles[..] else {
        panic!("two roles are expected");
    };
    assert_eq!(
        (&*analyst.id, analyst.budget_tokens, analyst.targets_max),
        ("product_analyst", Some(30_000), Some(10))
    );
    assert_eq!(
        (
            &*developer.id,
            developer.budget_tokens,
            developer.targets_max
        ),
        ("developer", Some(50_000), Some(5))
    );
    assert_eq!(
        workflow.templates["product_analyst"],
        "templates/product-analyst.md.j2"
    );
    let lead = workflow.lead.as_ref().unwrap();
    assert_eq!(lead.role.as_deref(), Some("Master Orchestrator"));
    assert_eq!(
        lead.decision_framework,
        ["Assess → Decide → Delegate → Monitor → Validate → Learn"]
    );
    let stored = serde_json::to_string(&workflow).unwrap();
    assert_eq!(serde_json::from_str::<Workflow>(&stored).unwrap(), workflow);
}

/// Variants that are in use, in one file.
pub(super) const VARIANT: &str = r#"
workflow:
  name: user-story-refinement
  version: 1.0
  description: Multi-phase refinement
  phases:
    - phase: 1-definition
      name: Requirements Definition
      goal: Extract and validate functional requirements
      iterations:
        - name: requirements-extraction
          agents:
            - role: product_analyst
              allocation:
                strategy: round_robin  # Distribute stories evenly
                max_per_agent: 10
                complexity_per_item: 3
              inputs:
                - pattern: "work_items/{epic}/US-*.md"
                  filter: "status != 'refined'"
              deliverables:
                - path: "work_items/{epic}/{story_id}/REQUIREMENTS.md"
                  template: "requirements-template.md"
          completion_criteria:
            files:
              - All matching stories have REQUIREMENTS.md
              - File size > 1KB
              - work_items/README.md
              - "work_items/*/x.md"
            content:
              - Contains "Functional Requirements" section
              - "Coverage: at least 80 %"
              - {lacks: TODO, in: work_items/README.md}
            commands:
              - npm test
              - [npm, run, lint]
    - phase: 3-technical
      name: Technical Design
      goal: Design
      dependencies: [1-definition]
      iterations:
        - name: api-design
          goal: APIs
          agents:
            - role: backend_developer
              allocation: {strategy: by_criterion, criterion: epic}
              inputs: ["work_items/{epic}/{story_id}/REQUIREMENTS.md"]
              deliverables:
                - path: "work_items/{epic}/{story_id}/TECHNICAL_DESIGN.md"
        - name: test-planning
          agents:
            - role: qa_engineer
              allocation: {strategy: single}
              inputs: [{pattern: "work_items/{epic}/{story_id}/TECHNICAL_DESIGN.md"}]
              deliverables: [all-tests.md]
agent_roles:
  backend_developer:
    name: Backend Developer
    constraints:
      token_budget: 50000
      max_items: 5
      complexity_threshold: 40
"#;

#[test]
fn variants_in_use_are_read() {
    let workflow = workflow(VARIANT);
    assert_eq!(workflow.version.as_deref(), Some("1.0"));
    let [extraction, design, planning] = &workflow.iterations[..] else {
        panic!("three iterations are expected");
    };
    assert_eq!(extraction.phase.as_deref(), Some("Requirements Definition"));
    assert_eq!(
        extraction.goal,
        "Extract and validate functional requirements"
    );
    assert_eq!(design.goal, "APIs");
    assert_eq!(design.dependencies, ["requirements-extraction"]);
    // By its phase, and since it targets what the one before promises.
    assert_eq!(
        planning.dependencies,
        ["requirements-extraction", "api-design"]
    );
    let entry = &extraction.entries[0];
    assert_eq!(entry.points, Some(3));
    let round_robin = Allocation {
        strategy: Strategy::RoundRobin,
        max_per_agent: Some(10),
    };
    assert_eq!(entry.allocation, round_robin);
    assert_eq!(
        entry.targets[0].filter.as_deref(),
        Some("status != 'refined'")
    );
    assert_eq!(
        entry.deliverables[0].template.as_deref(),
        Some("requirements-template.md")
    );
    assert_eq!(
        design.entries[0].allocation.strategy,
        Strategy::By("epic".into())
    );
    assert_eq!(planning.entries[0].allocation.strategy, Strategy::Single);
    let command = |argv: &[&str]| {
        Statement::Check(Criterion::Command {
            argv: argv.iter().map(|&part| part.to_owned()).collect(),
            timeout_ms: 600_000,
        })
    };
    assert_eq!(
        extraction.criteria,
        [
            words("All matching stories have REQUIREMENTS.md"),
            words("File size > 1KB"),
            Statement::Check(Criterion::File {
                path: "work_items/README.md".into(),
                min_bytes: 1
            }),
            Statement::Check(Criterion::Count {
                pattern: "work_items/*/x.md".into(),
                min: 1,
                max: None
            }),
            words("Contains \"Functional Requirements\" section"),
            words("Coverage: at least 80 %"),
            Statement::Check(Criterion::Lacks {
                text: "TODO".into(),
                path: "work_items/README.md".into()
            }),
            command(&["/bin/sh", "-euc", "npm test"]),
            command(&["npm", "run", "lint"]),
        ]
    );
    assert_eq!(workflow.roles[0].targets_max, Some(5));
}

#[test]
fn entries_execute_what_tasks_of_a_plan_do() {
    let text = one(
        "role: QA, command: [make, '{targets}'], targets: ['*.c'], deliverables: [out.txt], \
         ok_exit: [0, 1], retries: 0, timeout_minutes: 2, env: {CC: cc}, priority: high, \
         workspace: scratch, files_affected: ['src/**'], agent: command, agents_else: [person], \
         title: Compile, description: All of it, criteria: [{contains: ok, in: out.txt}], \
         allocation: {strategy: single}",
    );
    let workflow = workflow(&text);
    let entry = &workflow.iterations[0].entries[0];
    assert_eq!(entry.label, "qa");
    assert_eq!(
        entry.work,
        Work::Command(vec!["make".into(), "{targets}".into()])
    );
    let settings = &entry.settings;
    assert_eq!(settings.ok_exit.as_deref(), Some(&[0, 1][..]));
    assert_eq!(
        (settings.retries, settings.timeout_ms),
        (Some(0), Some(120_000))
    );
    assert_eq!(settings.env["CC"], "cc");
    assert_eq!(settings.scope, ["src/**"]);
    assert_eq!(settings.agent.as_deref(), Some("command"));
    assert_eq!(entry.criteria.len(), 1);
    let stored = serde_json::to_string(&workflow).unwrap();
    assert_eq!(serde_json::from_str::<Workflow>(&stored).unwrap(), workflow);
}

#[test]
fn a_composition_takes_what_the_others_make() {
    let text = "workflow:
  name: w
  iterations:
    - name: i
      agents:
        - {role: sre, deliverables: [a.md]}
        - {role: QA Lead, deliverables: [b.md]}
        - {name: consent, kind: approval}
        - {name: all, kind: compose, template: {output: all.md}, dependencies: [consent]}
        - {name: some, kind: compose, template: {output: some.md}, inputs: [{task: qa_lead}]}
        - {name: third, role: sre, deliverables: [c.md], inputs: [{task: some}], dependencies: [sre]}
";
    let workflow = workflow(text);
    let entries = &workflow.iterations[0].entries;
    let labels: Vec<&str> = entries.iter().map(|entry| &*entry.label).collect();
    assert_eq!(
        labels,
        ["sre", "qa-lead", "consent", "all", "some", "third"]
    );
    assert_eq!(entries[3].takes, ["sre", "qa-lead", "third"]);
    assert_eq!(entries[3].dependencies, ["consent"]);
    assert_eq!(entries[4].takes, ["qa-lead"]);
    assert_eq!(entries[5].takes, ["some"]);
    assert_eq!(entries[3].deliverables[0].path, "all.md");
    assert_eq!(entries[2].kind, TaskKind::Approval);
}

#[test]
fn inputs_are_declared_with_a_type() {
    let text = "workflow:
  name: w
  inputs:
    id: integer
    title:
    flag: {type: boolean, default: false, description: Whether}
    level: {choices: [low, high], default: low}
    place: {type: path}
  iterations: [{name: i, agents: [{role: qa, deliverables: ['{id}/{title}.md']}]}]
";
    let workflow = workflow(text);
    let input = |name: &str| workflow.inputs.iter().find(|it| it.name == name).unwrap();
    assert_eq!(input("id").kind, InputKind::Integer);
    assert_eq!(input("title").kind, InputKind::String);
    assert_eq!(input("flag").default.as_deref(), Some("false"));
    let value = |name: &str, text: &str| input(name).value(text);
    assert_eq!(value("id", "42"), Ok(InputValue::Integer(42)));
    assert_eq!(value("flag", "true"), Ok(InputValue::Boolean(true)));
    assert_eq!(
        value("title", "{{ x }}"),
        Ok(InputValue::Text("{{ x }}".into()))
    );
    for (name, text, fault) in [
        ("id", "4x", "`4x`, not a whole number"),
        ("flag", "yes", "`yes`, not `true` or `false`"),
        ("title", " ", "empty"),
        ("title", "a\nb", "`a b`, not one line of text"),
        ("level", "mid", "`mid`, not one of low, high"),
        (
            "place",
            "../x",
            "`../x`, which has the component `..`, which leads out of the tree",
        ),
    ] {
        assert_eq!(value(name, text).unwrap_err(), fault, "{name} {text}");
    }
}

#[test]
fn ids_are_made_of_names() {
    let iterations: Vec<String> = ["Plan it!", "plan-it", "Анализ", "a/b", &"x".repeat(200)]
        .iter()
        .map(|name| format!("{{name: '{name}', agents: [{{role: qa}}, {{role: qa}}]}}"))
        .collect();
    let text = format!(
        "workflow: {{name: w, iterations: [{}]}}",
        iterations.join(", ")
    );
    let workflow = workflow(&text);
    let ids: Vec<&str> = workflow.iterations.iter().map(|it| &*it.id).collect();
    let long = "x".repeat(40);
    assert_eq!(ids, ["plan-it", "plan-it-2", "iteration-3", "a-b", &long]);
    let labels: Vec<&str> = workflow.iterations[0]
        .entries
        .iter()
        .map(|e| &*e.label)
        .collect();
    assert_eq!(labels, ["qa", "qa-2"]);
    assert_eq!(workflow.iteration("Анализ").unwrap().id, "iteration-3");
}

#[test]
fn context_is_told_by_what_it_speaks_of() {
    let text = "workflow:
  name: w
  context: {standards: [One, Two], non_goals: No code}
  iterations:
    - name: i
      context: Known facts
      agents: [{role: qa}]
";
    let workflow = workflow(text);
    let both = workflow.context.and(&workflow.iterations[0].context);
    assert_eq!(both.standards, ["One", "Two"]);
    assert_eq!(both.non_goals, ["No code"]);
    assert_eq!(both.knowledge, ["Known facts"]);
}

#[test]
fn built_in_workflows_promise_the_described_paths() {
    let all = |name: &str| -> Vec<String> {
        let (_, _, text) = BUILT_IN.iter().find(|(known, ..)| *known == name).unwrap();
        let workflow = workflow(text);
        assert_eq!(workflow.name, name);
        let entries = workflow.iterations.iter().flat_map(|it| &it.entries);
        let made = entries.flat_map(|entry| &entry.deliverables);
        made.map(|made| made.path.clone()).collect()
    };
    assert_eq!(
        all("user-story-refinement"),
        [
            "stories/{story_id}/requirements.md",
            "stories/{story_id}/technical-design.md",
            "stories/{story_id}/test-plan.md",
            "stories/{story_id}/security-review.md",
            "stories/{story_id}/estimation.md",
        ]
    );
    assert_eq!(
        all("code-review"),
        [
            "reviews/functional-review.md",
            "reviews/security-review.md",
            "reviews/performance-review.md",
            "reviews/test-review.md",
            "reviews/docs-review.md",
        ]
    );
    let incident: Vec<String> = all("incident-response")
        .into_iter()
        .filter(|path| !path.contains("/contributions/"))
        .collect();
    assert_eq!(
        incident,
        [
            "incidents/{id}/triage.md",
            "incidents/{id}/investigation.md",
            "incidents/{id}/mitigation.md",
            "incidents/{id}/incident-report.md",
            "incidents/{id}/postmortem.md",
        ]
    );
    let names: Vec<&str> = BUILT_IN.iter().map(|(name, ..)| *name).collect();
    assert!(names.is_sorted());
}
