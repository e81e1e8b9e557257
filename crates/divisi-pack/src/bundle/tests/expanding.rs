use divisi_core::plan::{Input, Work};
use divisi_core::{Criterion, TaskKind, WorkspaceKind};

use super::super::predict;
use super::{SOURCE, STORIES, bundle, bundle_with, expansion, given, ids, one, promised, told};

#[test]
fn three_stories_in_two_iterations_give_nine_deliverables_with_the_same_ids() {
    let bundle = bundle(SOURCE);
    let analysis = expansion(&bundle, "requirements-analysis", STORIES);
    assert_eq!(
        promised(&analysis.tasks),
        [
            "stories/S1/requirements.md",
            "stories/S2/requirements.md",
            "stories/S3/requirements.md",
        ]
    );
    let mut paths = STORIES.to_vec();
    paths.extend(promised(&analysis.tasks));
    let design = expansion(&bundle, "technical-design", &paths);
    assert_eq!(
        promised(&design.tasks),
        [
            "stories/S1/technical-design.md",
            "stories/S2/technical-design.md",
            "stories/S3/technical-design.md",
            "stories/S1/test-plan.md",
            "stories/S2/test-plan.md",
            "stories/S3/test-plan.md",
        ]
    );
    assert_eq!(
        ids(&analysis.tasks),
        [
            "requirements-analysis.product_analyst.1",
            "requirements-analysis.review"
        ]
    );
    let prediction = predict(&bundle, STORIES);
    let all: usize = prediction
        .iterations
        .iter()
        .map(|(_, expanded)| promised(&expanded.expansion.as_ref().unwrap().tasks).len())
        .sum();
    assert_eq!(all, 9);
    // 3 stories: 3 × 3 points, then 3 × 5 points, a thousand tokens and a minute each.
    let estimate = prediction.estimate(None).unwrap();
    assert_eq!((estimate.tokens, estimate.tasks), (24_000, 4));
    assert_eq!(estimate.duration(), "24-36 minutes");
    assert!(prediction.plan.unwrap().graph().is_ok());
    let nothing = predict(&bundle, &["README.md"]);
    assert_eq!(nothing.plan, None);
    let refused = |at: usize| nothing.iterations[at].1.expansion.is_none();
    assert!(refused(0) && refused(1));
}

#[test]
fn a_task_is_what_its_entry_says() {
    let bundle = bundle(SOURCE);
    let expansion = expansion(&bundle, "requirements-analysis", STORIES);
    let [task, review] = &expansion.tasks[..] else {
        panic!("one task and a review are expected");
    };
    assert_eq!(task.title, "Product Analyst: requirements-analysis");
    assert_eq!(
        (task.domain.as_deref(), task.function.as_deref()),
        (Some("product"), Some("requirements"))
    );
    assert_eq!((task.kind, &task.work), (TaskKind::Work, &Work::Handoff));
    assert_eq!(task.workspace, WorkspaceKind::Worktree);
    let targets: Vec<Input> = STORIES[1..]
        .iter()
        .map(|&path| Input::Path(path.into()))
        .collect();
    assert_eq!(task.inputs, targets);
    let files: Vec<Criterion> = (1..4)
        .map(|n| Criterion::File {
            path: format!("stories/S{n}/requirements.md"),
            min_bytes: 1,
        })
        .collect();
    assert_eq!(task.criteria, files);
    assert_eq!(task.estimate.tokens, Some(9_000));
    assert!(task.description.contains("`stories/S2.md`"));
    assert_eq!(
        (review.kind, &review.work),
        (TaskKind::Review, &Work::Nothing)
    );
    assert_eq!(review.dependencies, std::slice::from_ref(&task.id));
    assert_eq!(review.deliverables, []);
    let words = |text: &str| Criterion::Plain { text: text.into() };
    // The first statement is understood; what no rule understands waits for a reviewer.
    let smart = words("Requirements follow SMART criteria");
    let testable = words("Acceptance criteria are testable");
    assert_eq!(review.criteria, [files, vec![smart, testable]].concat());
}

#[test]
fn the_same_bundle_and_paths_give_the_same_tasks() {
    let bundle = bundle(SOURCE);
    let first = expansion(&bundle, "requirements-analysis", STORIES);
    let mut turned = STORIES.to_vec();
    turned.reverse();
    assert_eq!(expansion(&bundle, "requirements-analysis", &turned), first);
    let stored = super::Bundle::from_json(&bundle.to_json()).unwrap();
    assert_eq!(expansion(&stored, "requirements-analysis", STORIES), first);
}

#[test]
fn what_does_not_match_or_is_promised_twice_names_both() {
    let source = bundle(SOURCE);
    assert_eq!(
        told(&source, "technical-design", STORIES),
        [
            "[workflow-no-match] w.yaml:23:17: no file matches `stories/*/requirements.md`, the \
             targets of `developer` in `technical-design`"
        ]
    );
    for (entries, paths, expected) in [
        (
            "{role: qa, targets: ['s/*'], deliverables: ['{s_id}.out']}",
            &["s/a.md", "s/a.txt"][..],
            "[workflow-same-file] w.yaml:1:69: `s/a.md` and `s/a.txt` both promise `a.out`",
        ),
        (
            "{role: qa, targets: ['s/*'], deliverables: [out]}",
            &["s/a", "s/b"],
            "[workflow-same-file] w.yaml:1:69: `s/a` and `s/b` both promise `out`",
        ),
        (
            "{role: qa, targets: ['s/*'], deliverables: ['{s_id}.out'], \
             allocation: {max_per_agent: 1}}",
            &["s/a.md", "s/a.txt"],
            "[workflow-same-file] w.yaml:1:69: `s/a.md` and `s/a.txt` both promise `a.out`",
        ),
        (
            "{role: qa, deliverables: [out]}, {role: sre, deliverables: [out]}",
            &[],
            "[workflow-same-file] w.yaml:1:102: `qa` and `sre` both promise `out`",
        ),
        (
            "{role: qa, targets: ['s/*'], deliverables: ['{s_id}/x']}",
            &["s/.git"],
            "[text-path] w.yaml:1:69: the deliverable `.git/x` of `s/.git` leads into git's own folder",
        ),
        (
            "{role: qa, targets: ['**/a'], deliverables: ['x/{s_id}/y']}",
            &["a"],
            "[text-path] w.yaml:1:69: the deliverable `x//y` of `a` has an empty component",
        ),
    ] {
        assert_eq!(
            told(&bundle(&one(entries)), "i", paths),
            [expected],
            "{entries}"
        );
    }
    assert_eq!(
        told(&source, "design", STORIES),
        ["[workflow-unknown] the workflow `user-story-refinement` has no iteration `design`"]
    );
}

#[test]
fn one_agent_may_speak_of_all_targets_in_one_file() {
    let entry = "{role: qa, targets: ['s/*'], deliverables: [all.md, '{s_id}.md'], \
                 allocation: {strategy: single}}";
    let expansion = expansion(&bundle(&one(entry)), "i", &["s/a", "s/b"]);
    assert_eq!(promised(&expansion.tasks), ["all.md", "a.md", "b.md"]);
    let by = "{role: qa, targets: ['src/{service}/*.yaml'], deliverables: ['docs/{service}.md'], \
              allocation: {strategy: by_service}}";
    let paths = ["src/a/x.yaml", "src/a/y.yaml", "src/b/x.yaml"];
    let expansion = super::expansion(&bundle(&one(by)), "i", &paths);
    assert_eq!(promised(&expansion.tasks), ["docs/a.md", "docs/b.md"]);
    assert_eq!(
        expansion.shares[0].targets,
        ["src/a/x.yaml", "src/a/y.yaml"]
    );
}

#[test]
fn variables_carry_through_iterations() {
    let text = "workflow:
  name: w
  iterations:
    - name: first
      agents:
        - role: product_analyst
          inputs: [{pattern: 'work/{epic}/US-*.md'}]
          deliverables: ['work/{epic}/{story_id}/REQUIREMENTS.md']
    - name: second
      agents:
        - role: developer
          inputs: [{pattern: 'work/{epic}/{story_id}/REQUIREMENTS.md'}]
          deliverables: ['work/{epic}/{story_id}/DESIGN.md']
";
    let bundle = bundle(text);
    let paths = [
        "work/E01/US-010.md",
        "work/E01/US-020.md",
        "work/E02/US-010.md",
        "work/E01/x.md",
    ];
    let first = expansion(&bundle, "first", &paths);
    assert_eq!(
        promised(&first.tasks),
        [
            "work/E01/010/REQUIREMENTS.md",
            "work/E01/020/REQUIREMENTS.md",
            "work/E02/010/REQUIREMENTS.md",
        ]
    );
    let second = expansion(&bundle, "second", &promised(&first.tasks));
    assert_eq!(
        promised(&second.tasks),
        [
            "work/E01/010/DESIGN.md",
            "work/E01/020/DESIGN.md",
            "work/E02/010/DESIGN.md"
        ]
    );
    let only = bundle_with(text, &given(&[("epic", "E02")]));
    let first = expansion(&only, "first", &paths);
    assert_eq!(promised(&first.tasks), ["work/E02/010/REQUIREMENTS.md"]);
}

#[test]
fn filters_decide_by_what_a_path_tells() {
    let entry = |filter: &str| {
        let target = format!("{{pattern: 's/{{kind}}/*.md', filter: \"{filter}\"}}");
        one(&format!(
            "{{role: qa, inputs: [{target}], deliverables: ['o/{{kind}}/{{s_id}}']}}"
        ))
    };
    let paths = ["s/a/x.md", "s/b/x.md", "s/b/y.md"];
    for (filter, expected) in [
        ("kind == 'b'", &["o/b/x", "o/b/y"][..]),
        ("id != 'x'", &["o/b/y"]),
        (
            "name is endingwith 'y.md' or kind == 'a'",
            &["o/a/x", "o/b/y"],
        ),
        ("'b' in path", &["o/b/x", "o/b/y"]),
    ] {
        let expansion = expansion(&bundle(&entry(filter)), "i", &paths);
        assert_eq!(promised(&expansion.tasks), expected, "{filter}");
    }
    for (filter, why) in [
        ("status != 'refined'", "no path tells `status`"),
        ("security_sensitive", "no path tells `security_sensitive`"),
        ("only the large ones", "it is no expression"),
    ] {
        let bundle = bundle(&entry(filter));
        let told = told(&bundle, "i", &paths);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("[workflow-filter]") && told[0].contains(why),
            "{told:?}"
        );
        let task = &expansion(&bundle, "i", &paths).tasks[0];
        assert!(
            task.description.contains(&format!("- {filter}")),
            "{}",
            task.description
        );
        assert_eq!(task.deliverables.len(), 3);
    }
    let fails = told(&bundle(&entry("path + 1 == 2")), "i", &paths);
    assert!(fails[0].starts_with("[workflow-filter]"), "{fails:?}");
    let none = told(&bundle(&entry("kind == 'z'")), "i", &paths);
    assert!(none[0].starts_with("[workflow-no-match]"), "{none:?}");
}

#[test]
fn commands_are_told_their_files_as_arguments() {
    let text = one(
        "{name: lint, command: [lint, '{targets}', '--out', '{deliverables}', 'x{id}y', '{print}', \
         '{file_id}'], targets: ['*.c'], deliverables: ['{file_id}.txt'], \
         allocation: {max_per_agent: 1}}, \
         {name: run, script: 'echo {id}', workspace: shared}, \
         {name: each, script: 'cat -- \"$@\"', targets: ['*.c'], workspace: shared}",
    )
    .replace("name: w,", "name: w, inputs: {id: },");
    let bundle = bundle_with(&text, &given(&[("id", "$(reboot) {targets}")]));
    let expansion = expansion(&bundle, "i", &["a b.c", "c.c"]);
    let argv = |at: usize| match &expansion.tasks[at].work {
        Work::Command(argv) => argv.iter().map(String::as_str).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        argv(0),
        [
            "lint",
            "a b.c",
            "--out",
            "a b.txt",
            "x$(reboot) {targets}y",
            "{print}",
            "a b"
        ]
    );
    assert_eq!(argv(1)[1], "c.c");
    assert_eq!(
        ids(&expansion.tasks),
        ["i.lint.1", "i.lint.2", "i.run", "i.each.1", "i.review"]
    );
    assert_eq!(
        argv(3),
        ["/bin/sh", "-euc", "cat -- \"$@\"", "script", "a b.c", "c.c"]
    );
    // A shell would read the value, so a script is left as it is.
    assert_eq!(expansion.tasks[2].work, Work::Script("echo {id}".into()));
    assert_eq!(expansion.tasks[2].workspace, WorkspaceKind::Shared);
    assert_eq!(expansion.tasks[2].criteria, [Criterion::ExitStatus]);
    assert!(
        expansion
            .shares
            .iter()
            .all(|share| share.tokens == 0 && share.risk.is_none())
    );
}

#[test]
fn criteria_on_a_deliverable_stand_at_its_task_too() {
    let text = "workflow:
  name: w
  iterations:
    - name: i
      agents:
        - role: qa
          targets: ['s/*.md']
          deliverables: ['s/{s_id}/plan.md']
          allocation: {max_per_agent: 1}
          criteria: [{section: Risks, in: 's/{s_id}/plan.md'}, Every risk has a number]
        - role: sre
          deliverables: [runbook.md]
      completion_criteria:
        - {file: 's/{s_id}/plan.md', min_bytes: 1024}
        - {file: runbook.md, min_bytes: 10}
        - {count: 's/*/plan.md', min: 2}
        - The whole is consistent
";
    let expansion = expansion(&bundle(text), "i", &["s/a.md", "s/b.md"]);
    let file = |path: &str, min_bytes| Criterion::File {
        path: path.into(),
        min_bytes,
    };
    let [a, b, runbook, review] = &expansion.tasks[..] else {
        panic!("four tasks are expected");
    };
    let section = |path: &str| Criterion::Section {
        heading: "Risks".into(),
        path: path.into(),
    };
    let words = |text: &str| Criterion::Plain { text: text.into() };
    let every = words("Every risk has a number");
    assert_eq!(
        a.criteria,
        [
            section("s/a/plan.md"),
            every.clone(),
            file("s/a/plan.md", 1024)
        ]
    );
    assert_eq!(
        b.criteria,
        [section("s/b/plan.md"), every, file("s/b/plan.md", 1024)]
    );
    assert_eq!(runbook.criteria, [file("runbook.md", 10)]);
    assert_eq!(
        review.criteria,
        [
            file("s/a/plan.md", 1024),
            file("s/b/plan.md", 1024),
            file("runbook.md", 10),
            Criterion::Count {
                pattern: "s/*/plan.md".into(),
                min: 2,
                max: None
            },
            words("The whole is consistent"),
        ]
    );
}

#[test]
fn an_iteration_without_criteria_is_complete_with_its_deliverables() {
    let expansion = expansion(&bundle(&one("{role: qa, deliverables: [a.md]}")), "i", &[]);
    let review = expansion.tasks.last().unwrap();
    assert_eq!(review.criteria.len(), 1);
    let silent = bundle(&one("{name: run, command: [make]}"));
    assert_eq!(ids(&super::expansion(&silent, "i", &[]).tasks), ["i.run"]);
}

#[test]
fn a_task_that_no_program_can_find_undone_is_warned_of() {
    let told = told(&bundle(&one("{role: qa, criteria: [Good]}")), "i", &[]);
    assert_eq!(
        told,
        [
            "[plan-unfalsifiable] w.yaml:1:69: no program can find `i.qa` not done; it will wait for a person"
        ]
    );
}

#[test]
fn targets_given_by_the_caller_replace_those_of_the_first_iterations() {
    let given = super::Given {
        targets: vec!["E01/*.md".into()],
        ..super::Given::default()
    };
    let bundle = bundle_with(SOURCE, &given);
    let expansion = expansion(
        &bundle,
        "requirements-analysis",
        &["E01/A.md", "stories/S1.md"],
    );
    assert_eq!(promised(&expansion.tasks), ["stories/A/requirements.md"]);
    let paths = ["E01/A.md", "stories/A/requirements.md"];
    let second = super::expansion(&bundle, "technical-design", &paths);
    assert_eq!(second.shares[0].targets, ["stories/A/requirements.md"]);
}

#[test]
fn many_faults_are_counted() {
    let entry = "{role: qa, targets: ['s/*'], deliverables: [out]}";
    let paths: Vec<String> = (0..500).map(|n| format!("s/{n}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let told = told(&bundle(&one(entry)), "i", &paths);
    assert_eq!(told.len(), 101);
    assert_eq!(told[100], "[text-more] 399 more errors");
}

#[test]
fn a_thousand_stories_expand_to_five_thousand_deliverables() {
    let text = "workflow: {name: w, iterations: [{name: i, agents: [{role: product_analyst, \
                targets: ['stories/*.md'], deliverables: ['o/{story_id}/a.md', 'o/{story_id}/b.md', \
                'o/{story_id}/c.md', 'o/{story_id}/d.md', 'o/{story_id}/e.md']}]}]}";
    let paths: Vec<String> = (0..1_000).map(|n| format!("stories/S{n:04}.md")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let expansion = expansion(&bundle(text), "i", &paths);
    assert_eq!(expansion.tasks.len(), 101);
    assert_eq!(promised(&expansion.tasks).len(), 5_000);
}

#[test]
fn an_iteration_that_only_asks_for_a_file_does_not_make_it_optional() {
    let text = "workflow:
  name: w
  iterations:
    - name: i
      agents: [{role: qa, deliverables: [a.md]}]
      completion_criteria: [a.md exists]
";
    let expansion = expansion(&bundle(text), "i", &[]);
    let file = |min_bytes| Criterion::File {
        path: "a.md".into(),
        min_bytes,
    };
    assert_eq!(expansion.tasks[0].criteria, [file(1)]);
    assert_eq!(expansion.tasks[1].criteria, [file(0)]);
}
