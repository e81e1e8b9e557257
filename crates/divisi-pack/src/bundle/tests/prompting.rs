use super::super::Given;
use super::{assemble, bundle, bundle_with, expansion, given, one, templates, told, workflow};
use crate::role::Library;
use crate::workflow::BUILT_IN;

const ATTACK: &str = "{{ 7 * 7 }}{% include 'secret' %}{id}";

fn with(project: &[(&str, &str)], text: &str) -> super::Bundle {
    let project = templates(project);
    let assembled = assemble(
        &workflow(text),
        &Library::built_in(),
        &[&project],
        &Given::default(),
    );
    assembled
        .bundle
        .unwrap_or_else(|| panic!("{:?}", assembled.diagnostics))
}

#[test]
fn nothing_of_a_value_is_rendered() {
    let text = format!(
        "workflow:
  name: \"{ATTACK}\"
  inputs: {{id: }}
  context: \"{ATTACK}\"
  iterations:
    - name: \"i {ATTACK}\"
      goal: \"{ATTACK}\"
      agents:
        - role: qa
          title: \"{ATTACK}\"
          description: \"{ATTACK}\"
          targets: ['s/*.md']
          deliverables: [{{path: 'o/{{s_id}}', description: \"{ATTACK}\"}}]
agent_roles: {{qa: {{perspective: \"{ATTACK}\", focus: [\"{ATTACK}\"]}}}}
"
    );
    let bundle = bundle_with(&text, &given(&[("id", ATTACK)]));
    let path = format!("s/{}.md", ATTACK.replace('/', ""));
    let id = &bundle.workflow.iterations[0].id;
    let expansion = expansion(&bundle, id, &[&path]);
    let task = &expansion.tasks[0];
    // The title's variable has its value, in which the same variable is text.
    assert_eq!(task.title, ATTACK.replace("{id}", ATTACK));
    let made = &task.deliverables[0].path;
    assert_eq!(*made, format!("o/{}", ATTACK.replace('/', "")));
    assert!(!task.description.contains("49"), "{}", task.description);
    for literal in [&*path, made, ATTACK] {
        assert!(
            task.description.contains(literal),
            "{literal}: {}",
            task.description
        );
    }
    // Role, goal, instructions, input and deliverable, and the iteration's name.
    assert!(
        task.description.matches(ATTACK).count() >= 6,
        "{}",
        task.description
    );
    assert!(expansion.context.contains(ATTACK));
}

#[test]
fn a_prompt_has_everything_that_an_agent_needs() {
    let (_, _, text) = BUILT_IN
        .iter()
        .find(|(name, ..)| *name == "user-story-refinement")
        .unwrap();
    let bundle = bundle(text);
    let expansion = expansion(
        &bundle,
        "requirements-analysis",
        &["stories/S1.md", "stories/S2.md"],
    );
    assert_eq!(
        expansion.tasks[0].description,
        r#"# Product Analyst: requirements-analysis

You are the Product Analyst. You see things as: Product Owner + Business Analyst.

You answer for:

- Extract functional requirements
- Define acceptance criteria
- Validate business rules

You are good at:

- Requirements elicitation
- User story refinement
- Acceptance criteria definition

You look at Requirements, Acceptance criteria, Business rules first.

You ask yourself:

- Who needs this, and what for?
- How will we know that it works?
- What is not asked for?

You are bound by:

- What a story does not say becomes an open question, not a guess

## What is to be done

The goal of this iteration: Extract and validate requirements from user stories.

You work on 2 targets:

1. `stories/S1.md`
2. `stories/S2.md`

You deliver exactly these files:

- `stories/S1/requirements.md`: Functional requirements and acceptance criteria
- `stories/S2/requirements.md`: Functional requirements and acceptance criteria

Your form of delivery: Requirements with acceptance criteria.

## Standards

- Number requirements and acceptance criteria, so that others can refer to them.
- Write acceptance criteria as given, when, then; each must be able to fail.
- Every requirement is specific, measurable, achievable, relevant and bound in time.
- Name open questions, with the answer that you assumed.

## When the iteration is complete

- All user stories have requirements.md
- stories/{story_id}/requirements.md has a section "Functional requirements"
- stories/{story_id}/requirements.md has a section "Acceptance criteria"

What all tasks of this iteration are told stands in your handoff as its stage context.

Your budget is 30000 tokens; this work is expected to take 6000 (risk: low).
"#
    );
}

#[test]
fn the_context_stands_once_beside_all_prompts_of_an_iteration() {
    let text = "workflow: {name: w, context: {standards: [Be brief]}, iterations: [{name: i, \
                context: {non_goals: [No code]}, agents: [{role: qa, deliverables: [a]}, \
                {role: sre, deliverables: [b]}]}]}";
    let expansion = expansion(&bundle(text), "i", &[]);
    assert_eq!(
        expansion.context,
        "# Context of `i`\n\n## Goal and scope\n\nNone.\n\n## Reference documents and examples\n\nNone.\n\n## Standards and conventions\n\n- Be brief\n\n## Domain knowledge\n\nNone.\n\n## Constraints and non-goals\n\n- Not a goal: No code"
    );
    for task in &expansion.tasks[..2] {
        let prompt = &task.description;
        assert!(!prompt.contains("Be brief"), "{prompt}");
        assert!(prompt.contains("stands in your handoff as its stage context"));
    }
}

#[test]
fn prompts_of_one_iteration_are_bounded_together() {
    let text = one("{role: qa, targets: ['t/*'], deliverables: ['d/{t_id}'], \
                    allocation: {max_per_agent: 1}}");
    let long = "x".repeat(200 << 10);
    let bundle = with(&[("qa.md.j2", &*long)], &text);
    let paths: Vec<String> = (0..200).map(|n| format!("t/{n}")).collect();
    let fits: Vec<&str> = paths.iter().take(160).map(String::as_str).collect();
    assert_eq!(expansion(&bundle, "i", &fits).tasks.len(), 161);
    let all: Vec<&str> = paths.iter().map(String::as_str).collect();
    let told = told(&bundle, "i", &all);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("[text-too-large]"), "{}", told[0]);
    assert!(
        told[0].contains("the prompts of the iteration have more than 33554432 bytes together"),
        "{}",
        told[0]
    );
}

#[test]
fn a_project_replaces_what_templates_include() {
    let text = one("{role: qa, deliverables: [a]}");
    let bundle = with(
        &[(
            "_base.md.j2",
            "{{ role.name }}: {% block standards %}{% endblock %}",
        )],
        &text,
    );
    let expansion = expansion(&bundle, "i", &[]);
    assert!(
        expansion.tasks[0]
            .description
            .starts_with("QA Lead: ## Standards")
    );
}

#[test]
fn a_template_that_cannot_be_filled_is_told_once() {
    let text = one(
        "{role: qa, targets: ['*'], deliverables: ['{s_id}.o'], allocation: {max_per_agent: 1}}",
    );
    let paths = ["a", "b", "c"];
    for (template, fault) in [
        ("{{ nobody }}", "qa.md.j2, line 1: undefined value"),
        ("{% include 'other' %}", "template not found"),
        ("\n{% if %}", "qa.md.j2, line 2: syntax error"),
        (
            "{% for x in range(100000) %}{% for y in range(100000) %}{% endfor %}{% endfor %}",
            "it takes more than 5000000 steps",
        ),
        (
            "{% for x in range(100000) %}xxx{% endfor %}",
            "the output has more than 262144 bytes",
        ),
    ] {
        let told = told(&with(&[("qa.md.j2", template)], &text), "i", &paths);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("[workflow-template]") && told[0].contains(fault),
            "{told:?}"
        );
    }
}

#[test]
fn every_built_in_template_is_filled_strictly() {
    let library = Library::built_in();
    for role in library.iter() {
        let entry = format!(
            "{{role: {}, deliverables: [a], complexity_per_target: 1}}",
            role.id
        );
        let bundle = bundle(&one(&entry));
        let task = &expansion(&bundle, "i", &[]).tasks[0];
        assert!(task.description.contains(&role.name), "{}", role.id);
        assert!(!task.description.contains("\n\n\n"), "{}", task.description);
    }
}
