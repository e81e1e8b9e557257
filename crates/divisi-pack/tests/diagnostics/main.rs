//! Every diagnostic of workflow, role and configuration files, as a terminal shows it.
//!
//! One test walks the table of codes: a code without a snapshot here fails it.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::Diagnostic;
use divisi_core::plan::{Deliverable, Work};
use divisi_core::{Plan, TaskId, TaskSpec};
use divisi_pack::bundle::{self, Given};
use divisi_pack::config::{self, Config};
use divisi_pack::role::{Layer, Library};
use divisi_pack::{CODES, TEXT_BYTES_MAX, render, workflow};

/// Codes of what this test does not read: plan files, files of criteria, folders of stages, and what
/// the linter finds in plans, each of which has a plan of its own beside the rule.
const OTHERS: [&str; 4] = ["plan-", "criteria-", "folder-", "lint-"];

/// The tree that workflows are expanded against.
const PATHS: [&str; 3] = ["stories/S1.md", "stories/S1.txt", "stories/S2.md"];

/// Codes that were shown.
type Seen = BTreeSet<String>;

/// What a reader told.
struct Told {
    codes: BTreeSet<String>,
    text: String,
}

impl Told {
    fn of(diagnostics: &[Diagnostic], texts: &BTreeMap<&str, &str>) -> Told {
        let shown = diagnostics.iter().map(|it| {
            let source = it.place.as_ref().map_or("", |place| place.source.as_str());
            render(it, texts.get(source).copied(), false)
        });
        Told {
            codes: diagnostics.iter().map(|it| it.code.clone()).collect(),
            text: shown.collect(),
        }
    }

    fn of_bytes(diagnostics: &[Diagnostic]) -> Told {
        Told::of(diagnostics, &BTreeMap::new())
    }
}

/// Shows what was told, and notes its codes; the code that is meant is among them.
macro_rules! told {
    ($seen:ident, $code:literal, $told:expr, @$snapshot:literal) => {
        let told: Told = $told;
        assert!(told.codes.contains($code), "{}: {}", $code, told.text);
        $seen.extend(told.codes);
        insta::assert_snapshot!(told.text, @$snapshot);
    };
}

/// Reads a workflow, puts it together, and expands it: as far as that goes.
fn of_workflow(text: &str) -> Told {
    let texts = BTreeMap::from([("w.yaml", text)]);
    let read = workflow::read("w.yaml", text.as_bytes());
    let mut diagnostics = read.diagnostics;
    let assembled = read.workflow.map(|workflow| {
        let library = Library::built_in();
        bundle::assemble(&workflow, &library, &[], &Given::default())
    });
    if let Some(assembled) = assembled {
        diagnostics.extend(assembled.diagnostics);
        if let Some(bundle) = assembled.bundle {
            let first = &bundle.workflow.iterations[0].id;
            diagnostics.extend(bundle::expand(&bundle, first, &PATHS).diagnostics);
        }
    }
    Told::of(&diagnostics, &texts)
}

/// Loads role files of one layer.
fn of_roles(files: &[(&str, &str)]) -> Told {
    let owned = files.iter();
    let owned = owned.map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let owned: Vec<(String, Vec<u8>)> = owned.collect();
    let loaded = Library::load(&[Layer { files: &owned }]);
    Told::of(&loaded.diagnostics, &files.iter().copied().collect())
}

fn of_config(text: &str) -> Told {
    let texts = BTreeMap::from([("divisi.yaml", text)]);
    Told::of(
        &config::read("divisi.yaml", text.as_bytes()).diagnostics,
        &texts,
    )
}

/// Gives a plan what a file of configuration says.
fn of_applied(text: &str) -> Told {
    let texts = BTreeMap::from([("divisi.yaml", text)]);
    let read = config::read("divisi.yaml", text.as_bytes());
    let values = read.values.expect("it has no fault");
    let task = TaskSpec {
        work: Work::Handoff,
        deliverables: vec![Deliverable {
            path: "dist/a.md".to_owned(),
        }],
        ..TaskSpec::command(TaskId::new("a").expect("it is an id"), &["true"])
    };
    let mut plan = Plan {
        tasks: vec![task],
        ..Plan::default()
    };
    let library = Library::built_in();
    let told = config::apply(&Config::of(&values), &values, &library, &mut plan);
    Told::of(&told, &texts)
}

/// What is no YAML that is taken, whatever it is to say.
fn of_yaml(seen: &mut Seen) {
    told!(seen, "text-syntax", of_workflow("workflow: {"), @r"
    error[text-syntax]: unclosed bracket '{'
     --> w.yaml:1:11
      |
    1 | workflow: {
      |           ^
    ");
    told!(seen, "text-syntax", of_workflow(""), @r"
    error[text-syntax]: the text is empty
     --> w.yaml:1:1
      |
    1 | 
      | ^
    ");
    told!(seen, "text-syntax", of_workflow("a: b: c"), @r"
    error[text-syntax]: mapping values are not allowed in this context
     --> w.yaml:1:5
      |
    1 | a: b: c
      |     ^
    ");
    told!(seen, "yaml-anchor", of_workflow(r"workflow: &a {name: w}
again: *a"), @r"
    error[yaml-anchor]: the value has an anchor
     --> w.yaml:1:14
      |
    1 | workflow: &a {name: w}
      |              ^
    hint: delete the anchor; aliases are not taken either
    error[yaml-anchor]: `*a` refers to an anchor
     --> w.yaml:2:8
      |
    2 | again: *a
      |        ^
    hint: write the value where it is meant
    ");
    told!(seen, "yaml-tag", of_workflow("workflow: !!python/object:os.system {name: !!str w}"), @r"
    error[yaml-tag]: the value has the tag `tag:yaml.org,2002:python/object:os.system`
     --> w.yaml:1:37
      |
    1 | workflow: !!python/object:os.system {name: !!str w}
      |                                     ^
    hint: delete the tag; a number or word that is meant as text goes in quotes
    error[yaml-tag]: the value has the tag `tag:yaml.org,2002:str`
     --> w.yaml:1:50
      |
    1 | workflow: !!python/object:os.system {name: !!str w}
      |                                                  ^
    hint: delete the tag; a number or word that is meant as text goes in quotes
    ");
    told!(seen, "yaml-documents", of_workflow(r"workflow: {name: w}
---
workflow: {name: v}"), @r"
    error[yaml-documents]: a second document begins
     --> w.yaml:2:1
      |
    2 | ---
      | ^
    hint: write one document; each further one belongs in a file of its own
    ");
}

/// What is too much or no text, whatever it is to say.
fn of_bytes(seen: &mut Seen) {
    let read = |bytes: &[u8]| Told::of_bytes(&workflow::read("w.yaml", bytes).diagnostics);
    told!(seen, "text-encoding", read(b"workflow: \xff"), @r"
    error[text-encoding]: byte 0xff at offset 10 is not UTF-8
     --> w.yaml:1:11
    hint: save the file as UTF-8
    ");
    told!(seen, "text-encoding", read(b"\xff\xfew\0"), @r"
    error[text-encoding]: the text is in UTF-16, not in UTF-8
     --> w.yaml
    hint: save it as UTF-8
    ");
    told!(seen, "text-too-large", read(&vec![b'#'; TEXT_BYTES_MAX + 1]), @r"
    error[text-too-large]: the text has 4194305 bytes, more than 4194304
     --> w.yaml
    ");
    told!(seen, "text-too-deep", read("[".repeat(10_000).as_bytes()), @r"
    error[text-too-deep]: nested deeper than 64 levels
     --> w.yaml:1:65
    ");
    let many = format!("[{}]", "1,".repeat(250_001));
    told!(seen, "text-too-large", read(many.as_bytes()), @r"
    error[text-too-large]: more than 250000 values
     --> w.yaml:1:500003
    ");
    let faults = "{a: 1}, ".repeat(101);
    let text = format!("workflow: {{name: w, iterations: [{faults}]}}");
    let all = workflow::read("w.yaml", text.as_bytes()).diagnostics;
    told!(seen, "text-more", Told::of_bytes(&all[all.len() - 1..]), @r"
    error[text-more]: 203 more errors
    hint: mend those shown first
    ");
    let long = format!("checks: [{}]", "a, ".repeat(101));
    let read = config::read("divisi.yaml", long.as_bytes());
    told!(seen, "text-too-large", Told::of_bytes(&read.diagnostics), @r"
    error[text-too-large]: `checks` has more than 100 elements
     --> divisi.yaml:1:9
    ");
}

/// What is wrong with workflows.
fn of_workflows(seen: &mut Seen) {
    told!(seen, "text-missing", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{targets: [x]}]}]}"), @r"
    error[text-missing]: the entry of `agents` lacks the key `role`
     --> w.yaml:1:53
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{targets: [x]}]}]}
      |                                                     ^
    ");
    told!(seen, "text-missing", of_workflow("agent_roles: {}"), @r"
    error[text-missing]: the workflow file lacks the key `workflow`
     --> w.yaml:1:1
      |
    1 | agent_roles: {}
      | ^
    ");
    told!(seen, "text-conflict", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, command: [a], script: a}]}]}"), @r"
    error[text-conflict]: both `command` and `script` are given
     --> w.yaml:1:53
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, command: [a], script: a}]}]}
      |                                                     ^
    ");
    told!(seen, "text-conflict", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, inputs: [{pattern: a, task: b}]}]}]}"), @r"
    error[text-conflict]: both `pattern` and `task` are given
     --> w.yaml:1:92
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, inputs: [{pattern: a, task: b}]}]}]}
      |                                                                                            ^
    ");
    told!(seen, "text-command", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, command: []}]}]}"), @r"
    error[text-command]: `command` names no program
     --> w.yaml:1:73
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, command: []}]}]}
      |                                                                         ^
    ");
    told!(seen, "text-content", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, title: ''}]}]}"), @r"
    error[text-content]: `title` is empty
     --> w.yaml:1:71
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, title: ''}]}]}
      |                                                                       ^
    ");
    told!(seen, "text-criterion", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, criteria: [{contians: x, in: a}]}]}]}"), @r"
    error[text-criterion]: the criterion has none of the keys file, contains, matches, lacks, section, format, schema, command, scope, changed, count, cites, each
     --> w.yaml:1:75
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, criteria: [{contians: x, in: a}]}]}]}
      |                                                                           ^
    hint: did you mean `contains`?
    ");
    told!(seen, "text-env", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, command: [a], env: {DIVISI_X: a}}]}]}"), @r"
    error[text-env]: `DIVISI_X` is reserved; names starting with `DIVISI_` are set by Divisi
     --> w.yaml:1:84
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, command: [a], env: {DIVISI_X: a}}]}]}
      |                                                                                    ^
    ");
    told!(seen, "text-id", of_workflow("workflow: {name: w, inputs: {a-b: }, iterations: [{name: i, agents: [{role: qa}]}]}"), @r"
    error[text-id]: `a-b` is no name for an input
     --> w.yaml:1:30
      |
    1 | workflow: {name: w, inputs: {a-b: }, iterations: [{name: i, agents: [{role: qa}]}]}
      |                              ^
    ");
    told!(seen, "text-number", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, complexity_per_target: -3}]}]}"), @r"
    error[text-number]: `complexity_per_target` is `-3`, not a whole number from 0 to 1000000
     --> w.yaml:1:87
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, complexity_per_target: -3}]}]}
      |                                                                                       ^
    ");
    told!(seen, "text-path", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, deliverables: [/x, ../x, .git/x]}]}]}"), @r"
    error[text-path]: the path `/x` is absolute; paths are relative to the tree's root
     --> w.yaml:1:79
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, deliverables: [/x, ../x, .git/x]}]}]}
      |                                                                               ^
    error[text-path]: the path `../x` has the component `..`, which leads out of the tree
     --> w.yaml:1:83
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, deliverables: [/x, ../x, .git/x]}]}]}
      |                                                                                   ^
    error[text-path]: the path `.git/x` leads into git's own folder
     --> w.yaml:1:89
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, deliverables: [/x, ../x, .git/x]}]}]}
      |                                                                                         ^
    ");
    told!(seen, "text-pattern", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, targets: ['../x', '[a']}]}]}"), @r"
    error[text-pattern]: the pattern `../x` has the component `..`, which leads out of the tree
     --> w.yaml:1:74
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, targets: ['../x', '[a']}]}]}
      |                                                                          ^
    error[text-pattern]: the pattern `[a` has a `[` without `]` in one component
     --> w.yaml:1:82
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, targets: ['../x', '[a']}]}]}
      |                                                                                  ^
    ");
    told!(seen, "text-type", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: [qa], targets: stories}]}]}"), @r"
    error[text-type]: `role` is a list, not a string
     --> w.yaml:1:60
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: [qa], targets: stories}]}]}
      |                                                            ^
    error[text-type]: `targets` is a string, not a list
     --> w.yaml:1:75
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: [qa], targets: stories}]}]}
      |                                                                           ^
    ");
    told!(seen, "text-unknown-key", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, deliverbles: [a]}]}]}"), @r"
    error[text-unknown-key]: the entry of `agents` has no key `deliverbles`
     --> w.yaml:1:64
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, deliverbles: [a]}]}]}
      |                                                                ^
    hint: did you mean `deliverables`?
    ");
    told!(seen, "text-unknown-word", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, kind: revew}]}]}"), @r"
    error[text-unknown-word]: `kind` is `revew`, not one of work, research, compose, review, approval
     --> w.yaml:1:70
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, kind: revew}]}]}
      |                                                                      ^
    hint: did you mean `review`?
    ");
    told!(seen, "text-duplicate-key", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, role: sre}]}]}"), @r"
    error[text-duplicate-key]: the key `role` stands twice in one object
     --> w.yaml:1:64
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, role: sre}]}]}
      |                                                                ^
    hint: keep one of the two; parsers disagree which one counts
    ");
    told!(seen, "workflow-empty", of_workflow("workflow: {name: w, iterations: [{name: i, agents: []}]}"), @r"
    error[workflow-empty]: the iteration has no agents
     --> w.yaml:1:52
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: []}]}
      |                                                    ^
    ");
    told!(seen, "workflow-plan", of_workflow("task_title: t\nsubtasks: []\n"), @r"
    error[workflow-plan]: this is a plan, and a workflow is expected here
     --> w.yaml:1:1
      |
    1 | task_title: t
      | ^
    hint: a plan is JSON in a file that ends in `.json`: write it so, then run that
    hint: a workflow begins with `workflow:`; `divisi workflow show NAME` prints one
    ");
    told!(seen, "workflow-duplicate", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa}]}, {name: i, agents: [{role: qa}]}]}"), @r"
    error[workflow-duplicate]: two iterations have the name `i`
     --> w.yaml:1:74
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa}]}, {name: i, agents: [{role: qa}]}]}
      |                                                                          ^
    hint: the first one stands in line 1
    ");
    told!(seen, "workflow-unknown", of_workflow(r"workflow:
  name: w
  iterations:
    - {name: analysis, agents: [{role: qa}]}
    - {name: design, dependencies: [analsis], agents: [{role: qa}]}
"), @r"
    error[workflow-unknown]: no iteration has the name `analsis`
     --> w.yaml:5:37
      |
    5 |     - {name: design, dependencies: [analsis], agents: [{role: qa}]}
      |                                     ^
    hint: did you mean `analysis`?
    ");
    told!(seen, "workflow-cycle", of_workflow(r"workflow:
  name: w
  iterations:
    - {name: i, dependencies: [j], agents: [{role: qa}]}
    - {name: j, dependencies: [i], agents: [{role: qa}]}
"), @r"
    error[workflow-cycle]: iterations wait for each other: `i` → `j` → `i`
     --> w.yaml:4:14
      |
    4 |     - {name: i, dependencies: [j], agents: [{role: qa}]}
      |              ^
    hint: an iteration also waits for one before it whose deliverables it targets
    ");
    told!(seen, "workflow-variable", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, targets: ['stories/*.md'], deliverables: ['{stroy}.md']}]}]}"), @r"
    error[workflow-variable]: nothing says what `{stroy}` is
     --> w.yaml:1:106
      |
    1 | …ents: [{role: qa, targets: ['stories/*.md'], deliverables: ['{stroy}.md']}]}]}
      |                                                              ^
    hint: declare `stroy` under `inputs`, or use `{stroy}` in every pattern of the entry
    ");
    told!(seen, "workflow-role", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: develper}]}]}"), @r"
    error[workflow-role]: there is no role `develper`
     --> w.yaml:1:60
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: develper}]}]}
      |                                                            ^
    hint: did you mean `developer`?
    hint: describe it under `agent_roles`, or in a file of its own in `roles/`
    ");
    told!(seen, "role-duplicate", of_workflow(r"workflow: {name: w, iterations: [{name: i, agents: [{role: qa}]}]}
agent_roles: {qa: {}, tester: {}}"), @r"
    error[role-duplicate]: two roles have the id `qa`
     --> w.yaml:2:23
      |
    2 | agent_roles: {qa: {}, tester: {}}
      |                       ^
    hint: the other one stands at w.yaml:2:15
    ");
    told!(seen, "workflow-input", of_workflow("workflow: {name: w, inputs: {id: {type: integer, description: The number}}, iterations: [{name: i, agents: [{role: qa, deliverables: ['{id}.md']}]}]}"), @r"
    error[workflow-input]: the input `id` has no value: The number
     --> w.yaml:1:11
      |
    1 | workflow: {name: w, inputs: {id: {type: integer, description: The number}}, iterations: [{name: i, a…
      |           ^
    hint: give it with `--set id=…`
    ");
    told!(seen, "workflow-template", of_workflow(r"workflow: {name: w, iterations: [{name: i, agents: [{role: pilot, deliverables: [a]}]}]}
agent_roles: {pilot: {}}
templates: {pilot: templates/pilot.md.j2}"), @r"
    warning[workflow-template]: there is no template `templates/pilot.md.j2` for `Pilot`; the generic one is used
     --> w.yaml:1:11
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: pilot, deliverables: [a]}]}]}
      |           ^
    hint: write it to `templates/pilot.md.j2`
    ");
    told!(seen, "workflow-no-match", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, targets: ['none/*.md'], deliverables: ['{none_id}.md']}]}]}"), @r"
    error[workflow-no-match]: no file matches `none/*.md`, the targets of `qa` in `i`
     --> w.yaml:1:60
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, targets: ['none/*.md'], deliverables:…
      |                                                            ^
    hint: 3 paths were looked at; `*` stays within a folder, `**` does not
    ");
    told!(seen, "workflow-same-file", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, targets: ['stories/*.*'], deliverables: ['{story_id}.md']}]}]}"), @r"
    error[workflow-same-file]: `stories/S1.md` and `stories/S2.md` both promise `md.md`
     --> w.yaml:1:60
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, targets: ['stories/*.*'], deliverable…
      |                                                            ^
    hint: use a variable such as `{file_id}` in the path, or, for one file about all targets, `allocation: {strategy: single}`
    ");
    told!(seen, "workflow-filter", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: qa, inputs: [{pattern: 'stories/*.md', filter: 'name + 1 > 2'}], deliverables: ['{story_id}.md']}]}]}"), @r"
    error[workflow-filter]: the filter `name + 1 > 2` fails: `invalid operation: tried to use + operator on unsupported ty…`
     --> w.yaml:1:60
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: qa, inputs: [{pattern: 'stories/*.md', fi…
      |                                                            ^
    ");
    told!(seen, "workflow-budget", of_workflow("workflow: {name: w, iterations: [{name: i, agents: [{role: developer, targets: ['stories/*.md'], complexity_per_target: 51, deliverables: ['{story_id}.md']}]}]}"), @r"
    error[workflow-budget]: one of its targets at once would take `Developer` 51000 tokens of 50000
     --> w.yaml:1:60
      |
    1 | workflow: {name: w, iterations: [{name: i, agents: [{role: developer, targets: ['stories/*.md'], com…
      |                                                            ^
    hint: split the work, give fewer points, or raise the role's `token_budget`
    ");
}

/// What is wrong with roles.
fn of_role_files(seen: &mut Seen) {
    told!(seen, "text-missing", of_roles(&[("roles/a.yaml", "agent_role: {perspective: Mine}")]), @r"
    error[text-missing]: the role lacks the key `name`
     --> roles/a.yaml:1:13
      |
    1 | agent_role: {perspective: Mine}
      |             ^
    ");
    told!(seen, "text-conflict", of_roles(&[("roles/a.yaml", r"agent_role: {name: A}
agent_roles: {}")]), @r"
    error[text-conflict]: both `agent_role` and `agent_roles` are given
     --> roles/a.yaml:2:14
      |
    2 | agent_roles: {}
      |              ^
    ");
    told!(seen, "text-type", of_roles(&[("roles/a.yaml", "agent_role: {name: [A], responsibilities: {a: b, c: d}}")]), @r"
    error[text-type]: `name` is a list, not a string
     --> roles/a.yaml:1:20
      |
    1 | agent_role: {name: [A], responsibilities: {a: b, c: d}}
      |                    ^
    error[text-type]: `responsibilities` is an object, not a text
     --> roles/a.yaml:1:43
      |
    1 | agent_role: {name: [A], responsibilities: {a: b, c: d}}
      |                                           ^
    ");
    told!(seen, "text-number", of_roles(&[("roles/a.yaml", "agent_role: {name: A, token_budget: 0, complexity_threshold: few}")]), @r"
    error[text-number]: `token_budget` is `0`, not a whole number from 1 to 1000000000
     --> roles/a.yaml:1:37
      |
    1 | agent_role: {name: A, token_budget: 0, complexity_threshold: few}
      |                                     ^
    error[text-type]: `complexity_threshold` is a string, not a whole number
     --> roles/a.yaml:1:62
      |
    1 | agent_role: {name: A, token_budget: 0, complexity_threshold: few}
      |                                                              ^
    ");
    told!(seen, "text-unknown-key", of_roles(&[("roles/a.yaml", "agent_role: {name: A, perspectiv: Mine}")]), @r"
    error[text-unknown-key]: the role has no key `perspectiv`
     --> roles/a.yaml:1:23
      |
    1 | agent_role: {name: A, perspectiv: Mine}
      |                       ^
    hint: did you mean `perspective`?
    ");
    told!(seen, "text-duplicate-key", of_roles(&[("roles/a.yaml", "agent_role: {name: A, name: B}")]), @r"
    error[text-duplicate-key]: the key `name` stands twice in one object
     --> roles/a.yaml:1:23
      |
    1 | agent_role: {name: A, name: B}
      |                       ^
    hint: keep one of the two; parsers disagree which one counts
    ");
    told!(seen, "text-content", of_roles(&[("roles/a.yaml", "agent_role: {name: '', capabilities: ['']}")]), @r"
    error[text-content]: `name` is empty
     --> roles/a.yaml:1:20
      |
    1 | agent_role: {name: '', capabilities: ['']}
      |                    ^
    error[text-content]: a text of `capabilities` is empty or holds a NUL character
     --> roles/a.yaml:1:39
      |
    1 | agent_role: {name: '', capabilities: ['']}
      |                                       ^
    ");
    told!(seen, "text-id", of_roles(&[("roles/a.yaml", "agent_role: {id: роль, name: A, aliases: ['!']}")]), @r"
    error[text-id]: `роль` gives a role no id
     --> roles/a.yaml:1:18
      |
    1 | agent_role: {id: роль, name: A, aliases: ['!']}
      |                  ^
    hint: give it an `id` of letters, digits and `_`
    error[text-id]: the alias `!` has neither letter nor digit
     --> roles/a.yaml:1:42
      |
    1 | agent_role: {id: роль, name: A, aliases: ['!']}
      |                                          ^
    ");
    told!(seen, "role-duplicate", of_roles(&[("roles/a.yaml", "agent_role: {id: x}"), ("roles/b.yaml", r"agent_role:
  id: X")]), @r"
    error[role-duplicate]: two roles have the id `x`
     --> roles/b.yaml:2:7
      |
    2 |   id: X
      |       ^
    hint: the other one stands at roles/a.yaml:1:18
    ");
    told!(seen, "role-alias", of_roles(&[("roles/a.yaml", "agent_role: {id: x, aliases: [tester]}")]), @r"
    error[role-alias]: the alias `tester` of `x` is a name of `qa`, too
     --> roles/a.yaml:1:18
      |
    1 | agent_role: {id: x, aliases: [tester]}
      |                  ^
    hint: `qa` stands at built-in roles/qa.yaml:2:7
    hint: to change a role, write one of the same `id`
    ");
    told!(seen, "role-pair", of_roles(&[("roles/a.yaml", "agent_role: {id: x, domain: security, function: audit}")]), @r"
    error[role-pair]: `security_analyst` and `x` are both `security/audit`
     --> roles/a.yaml:1:18
      |
    1 | agent_role: {id: x, domain: security, function: audit}
      |                  ^
    hint: `security_analyst` stands at built-in roles/security_analyst.yaml:2:7
    hint: tasks name a role by `domain` and `function`; give one another `function`
    ");
}

/// What is wrong with configuration.
fn of_configurations(seen: &mut Seen) {
    told!(seen, "text-type", of_config(r"run: {workers: four, limits: [a]}
grants: {unconfined: no}
checks: make"), @r"
    error[text-type]: `workers` is a string, not a whole number
     --> divisi.yaml:1:16
      |
    1 | run: {workers: four, limits: [a]}
      |                ^
    error[text-type]: `limits` is a list, not an object
     --> divisi.yaml:1:30
      |
    1 | run: {workers: four, limits: [a]}
      |                              ^
    error[text-type]: `unconfined` is a string, not true or false
     --> divisi.yaml:2:22
      |
    2 | grants: {unconfined: no}
      |                      ^
    error[text-type]: `checks` is a string, not a list
     --> divisi.yaml:3:9
      |
    3 | checks: make
      |         ^
    ");
    told!(seen, "text-number", of_config(r"run: {workers: 0, timeout_minutes: 0, limits: {qa: 0}}
budget: {day: {minutes: 0.001}}"), @r"
    error[text-number]: `workers` is `0`, not a whole number from 1 to 256
     --> divisi.yaml:1:16
      |
    1 | run: {workers: 0, timeout_minutes: 0, limits: {qa: 0}}
      |                ^
    error[text-number]: `timeout_minutes` is `0`, not a number from 0.001 to 525600
     --> divisi.yaml:1:36
      |
    1 | run: {workers: 0, timeout_minutes: 0, limits: {qa: 0}}
      |                                    ^
    error[text-number]: `qa` is `0`, not a whole number from 1 to 256
     --> divisi.yaml:1:52
      |
    1 | run: {workers: 0, timeout_minutes: 0, limits: {qa: 0}}
      |                                                    ^
    error[text-number]: `minutes` is `0.001`, not a number from 0.017 to 52560000
     --> divisi.yaml:2:25
      |
    2 | budget: {day: {minutes: 0.001}}
      |                         ^
    ");
    told!(seen, "text-unknown-key", of_config(r"run: {workrs: 4}
bugdet: {attempts: 3}"), @r"
    error[text-unknown-key]: `run` has no key `workrs`
     --> divisi.yaml:1:7
      |
    1 | run: {workrs: 4}
      |       ^
    hint: did you mean `workers`?
    error[text-unknown-key]: the configuration has no key `bugdet`
     --> divisi.yaml:2:1
      |
    2 | bugdet: {attempts: 3}
      | ^
    hint: did you mean `budget`?
    ");
    told!(seen, "plan-agent", of_config("run: {agent: persn, agents: {qa: robot}}"), @r"
    error[plan-agent]: there is no agent `persn`
     --> divisi.yaml:1:14
      |
    1 | run: {agent: persn, agents: {qa: robot}}
      |              ^
    hint: did you mean `person`?
    hint: there are command, person, scripted, claude, codex, opencode, gemini, qwen, copilot, claude-acp, opencode-acp, gemini-acp, copilot-acp, qwen-acp, model, auto
    error[plan-agent]: there is no agent `robot`
     --> divisi.yaml:1:34
      |
    1 | run: {agent: persn, agents: {qa: robot}}
      |                                  ^
    hint: there are command, person, scripted, claude, codex, opencode, gemini, qwen, copilot, claude-acp, opencode-acp, gemini-acp, copilot-acp, qwen-acp, model, auto
    ");
    told!(seen, "plan-agent", of_config("agents: {prefer: [claud, command]}"), @r"
    error[plan-agent]: there is no agent `claud`
     --> divisi.yaml:1:19
      |
    1 | agents: {prefer: [claud, command]}
      |                   ^
    hint: did you mean `claude`?
    hint: there are claude, codex, opencode, gemini, qwen, copilot, claude-acp, opencode-acp, gemini-acp, copilot-acp, qwen-acp, model, person
    error[plan-agent]: the agent `command` cannot stand in `prefer`
     --> divisi.yaml:1:26
      |
    1 | agents: {prefer: [claud, command]}
      |                          ^
    hint: there are claude, codex, opencode, gemini, qwen, copilot, claude-acp, opencode-acp, gemini-acp, copilot-acp, qwen-acp, model, person
    ");
    told!(seen, "text-unknown-word", of_config("journal: {durability: ful}"), @r"
    error[text-unknown-word]: `durability` is `ful`, not one of full, normal
     --> divisi.yaml:1:23
      |
    1 | journal: {durability: ful}
      |                       ^
    hint: did you mean `full`?
    ");
    told!(seen, "text-content", of_config(r"run: {agent: '', agents: {'': person}}
grants: {allow_write: ['']}"), @r"
    error[text-content]: `agent` is empty
     --> divisi.yaml:1:14
      |
    1 | run: {agent: '', agents: {'': person}}
      |              ^
    error[text-content]: a name in `agents` is empty or not one line of text
     --> divisi.yaml:1:27
      |
    1 | run: {agent: '', agents: {'': person}}
      |                           ^
    error[text-content]: `allow_write` is empty
     --> divisi.yaml:2:24
      |
    2 | grants: {allow_write: ['']}
      |                        ^
    ");
    told!(seen, "text-path", of_config(r"grants: {allow_write: [~/.cargo]}
workspace: {copy: [../secrets, /etc]}"), @r"
    error[text-path]: `~/.cargo` in `allow_write` begins with `~`, which nobody expands
     --> divisi.yaml:1:24
      |
    1 | grants: {allow_write: [~/.cargo]}
      |                        ^
    hint: write the whole path
    error[text-path]: the pattern `../secrets` has the component `..`, which leads out of the tree
     --> divisi.yaml:2:20
      |
    2 | workspace: {copy: [../secrets, /etc]}
      |                    ^
    error[text-path]: the pattern `/etc` is absolute; paths are relative to the tree's root
     --> divisi.yaml:2:32
      |
    2 | workspace: {copy: [../secrets, /etc]}
      |                                ^
    ");
    told!(seen, "text-pattern", of_config("workspace: {inputs: ['[a']}"), @r"
    error[text-pattern]: the pattern `[a` does not parse: unclosed character class; missing ']'
     --> divisi.yaml:1:22
      |
    1 | workspace: {inputs: ['[a']}
      |                      ^
    ");
    told!(seen, "text-env", of_config("grants: {pass_env: [A=B]}"), @r"
    error[text-env]: `A=B` in `pass_env` is no name of a variable
     --> divisi.yaml:1:21
      |
    1 | grants: {pass_env: [A=B]}
      |                     ^
    ");
    told!(seen, "text-command", of_config("workspace: {setup: [[]]}"), @r"
    error[text-command]: `setup` names no program
     --> divisi.yaml:1:21
      |
    1 | workspace: {setup: [[]]}
      |                     ^
    ");
    told!(seen, "text-criterion", of_config("checks: [{flie: a}]"), @r"
    error[text-criterion]: the criterion has none of the keys file, contains, matches, lacks, section, format, schema, command, scope, changed, count, cites, each
     --> divisi.yaml:1:10
      |
    1 | checks: [{flie: a}]
      |          ^
    hint: did you mean `file`?
    ");
    told!(seen, "text-duplicate-key", of_config("run: {workers: 1, workers: 2, limits: {a: 1, a: 2}}"), @r"
    error[text-duplicate-key]: the key `workers` stands twice in one object
     --> divisi.yaml:1:19
      |
    1 | run: {workers: 1, workers: 2, limits: {a: 1, a: 2}}
      |                   ^
    hint: keep one of the two; parsers disagree which one counts
    error[text-duplicate-key]: the key `a` stands twice in one object
     --> divisi.yaml:1:46
      |
    1 | run: {workers: 1, workers: 2, limits: {a: 1, a: 2}}
      |                                              ^
    hint: keep one of the two; parsers disagree which one counts
    ");
    told!(seen, "yaml-anchor", of_config(r"run: &a {workers: 1}
budget: *a"), @r"
    error[yaml-anchor]: the value has an anchor
     --> divisi.yaml:1:9
      |
    1 | run: &a {workers: 1}
      |         ^
    hint: delete the anchor; aliases are not taken either
    error[yaml-anchor]: `*a` refers to an anchor
     --> divisi.yaml:2:9
      |
    2 | budget: *a
      |         ^
    hint: write the value where it is meant
    ");
    told!(seen, "text-missing", of_config("checks: [{contains: a}]"), @r"
    error[text-missing]: the criterion lacks the key `in`
     --> divisi.yaml:1:10
      |
    1 | checks: [{contains: a}]
      |          ^
    ");
}

/// What of a configuration does not fit a plan.
fn of_plans(seen: &mut Seen) {
    told!(seen, "text-conflict", of_applied("workspace: {copy: [dist]}"), @r"
    error[text-conflict]: `dist` would copy `dist/a.md`, which the task `a` promises
     --> divisi.yaml:1:13
      |
    1 | workspace: {copy: [dist]}
      |             ^
    ");
    told!(seen, "workflow-role", of_applied("run: {agents: {testr: person}}"), @r"
    warning[workflow-role]: there is no role `testr`
     --> divisi.yaml:1:16
      |
    1 | run: {agents: {testr: person}}
      |                ^
    hint: did you mean `tester`?
    ");
}

#[test]
fn every_code_is_shown_as_a_terminal_shows_it() {
    let mut seen = Seen::new();
    of_yaml(&mut seen);
    of_bytes(&mut seen);
    of_workflows(&mut seen);
    of_role_files(&mut seen);
    of_configurations(&mut seen);
    of_plans(&mut seen);
    let is_ours = |code: &&str| !OTHERS.iter().any(|family| code.starts_with(family));
    let codes = CODES.iter().map(|(code, _)| *code).filter(is_ours);
    let unseen: Vec<&str> = codes.filter(|code| !seen.contains(*code)).collect();
    assert_eq!(unseen, [""; 0], "each of these needs a snapshot above");
}
