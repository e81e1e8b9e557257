use std::collections::BTreeSet;

use serde_json::Value;

use super::read::{FILE_KEYS, KEYS};
use super::*;
use crate::plan_file;

fn patch(text: &str) -> Patch {
    let Read { roles, diagnostics } = read("r.yaml", text.as_bytes());
    assert_eq!(diagnostics, [], "{text}");
    let mut roles = roles.unwrap();
    assert_eq!(roles.len(), 1, "{text}");
    roles.remove(0)
}

fn role(text: &str) -> Role {
    patch(text).over(None)
}

/// The diagnostics of a role file, in one line each.
fn faults(text: &str) -> Vec<String> {
    let Read { roles, diagnostics } = read("r.yaml", text.as_bytes());
    assert!(roles.is_none(), "{text}");
    diagnostics.iter().map(ToString::to_string).collect()
}

fn files(files: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let file = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
    files.iter().map(file).collect()
}

fn load(project: &[(&str, &str)], user: &[(&str, &str)]) -> Loaded {
    let (project, user) = (files(project), files(user));
    let layers = [Layer { files: &project }, Layer { files: &user }];
    Library::load(&layers)
}

/// The template of a generic role file, as the format is described, word for word.
const GENERIC: &str = "agent_role:
  name: <role_name>
  perspective: <viewpoint>
  responsibilities:
    - <responsibility_1>
    - <responsibility_2>
  capabilities:
    - <capability_1>
    - <capability_2>
  constraints:
    - Token budget: <estimate>
    - Complexity threshold: <max_files_or_tasks>
    - Dependencies: [<other_roles>]
  output_format:
    - <deliverable_type>
";

#[test]
fn the_generic_form_is_read_word_for_word() {
    let role = role(GENERIC);
    assert_eq!((&*role.id, &*role.name), ("role_name", "<role_name>"));
    assert_eq!(role.responsibilities.len(), 2);
    assert_eq!(
        role.constraints,
        [
            "Token budget: <estimate>",
            "Complexity threshold: <max_files_or_tasks>",
            "Dependencies: <other_roles>",
        ]
    );
    assert_eq!((role.budget_tokens, role.targets_max), (None, None));
}

#[test]
fn limits_among_the_constraints_are_lifted() {
    let as_list = role(
        "agent_role: {name: A, constraints: [Token budget: 30000, Complexity threshold: 10, \
         Dependencies: [qa, sre], Be brief]}",
    );
    assert_eq!(
        (as_list.budget_tokens, as_list.targets_max),
        (Some(30_000), Some(10))
    );
    assert_eq!(as_list.constraints, ["Dependencies: qa, sre", "Be brief"]);
    let as_map = role(
        "agent_role: {role_id: a, constraints: {token_budget: 60000, max_items: 8, \
         complexity_threshold: high}}",
    );
    assert_eq!(
        (as_map.budget_tokens, as_map.targets_max),
        (Some(60_000), Some(8))
    );
    assert_eq!(as_map.constraints, ["complexity_threshold: high"]);
    let own = role("agent_role: {id: a, token_budget: 5, constraints: {token_budget: 6}}");
    assert_eq!(own.budget_tokens, Some(5));
}

#[test]
fn texts_stay_the_texts_that_were_written() {
    let role = role(
        "agent_role:\n  id: a\n  perspective: 42\n  focus: one\n  questions: [no, 1.50, true]\n  \
         capabilities:\n    - Testing: units, flows\n",
    );
    assert_eq!(role.perspective, "42");
    assert_eq!(role.focus, ["one"]);
    assert_eq!(role.questions, ["no", "1.50", "true"]);
    assert_eq!(role.capabilities, ["Testing: units, flows"]);
    assert_eq!(role.name, "A");
}

#[test]
fn all_faults_of_a_file_are_named_at_once() {
    let text = "agent_roles:\n  qa:\n    perspectiv: x\n    token_budget: 0\n    focus: [{}]\n  \
                '!': {}\n  Q A: {aliases: ['-']}\n  q-a: {}\n  b: [1]\n";
    assert_eq!(
        faults(text),
        [
            "[text-unknown-key] r.yaml:3:5: the role has no key `perspectiv`",
            "[text-number] r.yaml:4:19: `token_budget` is `0`, not a whole number from 1 to 1000000000",
            "[text-type] r.yaml:5:13: `focus` is an object, not a text",
            "[text-id] r.yaml:6:3: `!` gives a role no id",
            "[text-id] r.yaml:7:18: the alias `-` has neither letter nor digit",
            "[role-duplicate] r.yaml:8:3: two roles have the id `q_a`",
            "[text-type] r.yaml:9:6: the role is a list, not an object",
        ]
    );
    for (text, code) in [
        ("{}", "[text-missing]"),
        ("agent_role: {}", "[text-missing]"),
        ("agent_role: {id: a}\nagent_roles: {}", "[text-conflict]"),
        ("agent_role: x", "[text-type]"),
        ("agent_rol: {}", "[text-unknown-key]"),
        ("agent_role: {id: роль}", "[text-id]"),
        ("agent_role: {id: a, id: b}", "[text-duplicate-key]"),
    ] {
        assert!(
            faults(text)[0].starts_with(code),
            "{text}: {:?}",
            faults(text)
        );
    }
}

#[test]
fn built_in_roles_are_found_by_their_ids_and_aliases() {
    let library = Library::built_in();
    for (name, id) in [
        ("Tech Lead", "tech_lead"),
        ("QA Lead", "qa"),
        ("QA", "qa"),
        ("SRE", "sre"),
        ("Tech Writer", "tech_writer"),
        ("Architect", "architect"),
        ("Data Architect", "data_architect"),
        ("Developer", "developer"),
        ("Product Analyst", "product_analyst"),
        ("product-analyst", "product_analyst"),
        ("Security Analyst", "security_analyst"),
        ("Data Scientist", "data_scientist"),
        ("Frontend Developer", "frontend_developer"),
        ("Performance Engineer", "performance_engineer"),
        ("DevOps", "devops"),
        ("Implementer", "developer"),
        ("Tester", "qa"),
        ("Documenter", "tech_writer"),
        ("Debugger", "debugger"),
        ("Maintenance Coordinator", "maintenance_coordinator"),
        ("development", "development"),
        ("security", "security"),
        ("inventory", "inventory"),
        ("CI/CD", "cicd"),
        ("documentation", "documentation"),
    ] {
        assert_eq!(library.get(name).map(|role| &*role.id), Some(id), "{name}");
    }
    assert_eq!(library.get("nobody"), None);
    assert_eq!(library.nearest("developr"), Some("developer"));
    for role in library.iter() {
        let texts = [
            &role.responsibilities,
            &role.capabilities,
            &role.constraints,
            &role.output_format,
            &role.focus,
            &role.questions,
        ];
        assert!(texts.iter().all(|list| !list.is_empty()), "{}", role.id);
        assert!(!role.perspective.is_empty() && role.budget_tokens.is_some());
        let place = format!("built-in roles/{}.yaml", role.id);
        assert_eq!(role.place.source, place);
    }
}

#[test]
fn a_pair_names_one_role_and_survives_a_round_trip() {
    let library = Library::built_in();
    for role in library.iter() {
        let domain = role
            .domain
            .as_deref()
            .expect("a built-in role has a domain");
        let found = library.pair(domain, role.function.as_deref());
        assert_eq!(found, Some(role));
        let stored = serde_json::to_string(role).unwrap();
        assert_eq!(&serde_json::from_str::<Role>(&stored).unwrap(), role);
    }
    let id = |domain, function| library.pair(domain, function).map(|role| &*role.id);
    assert_eq!(id("development", Some("planner")), Some("architect"));
    assert_eq!(id("development", None), Some("development"));
    assert_eq!(id("development", Some("nothing")), None);
    assert_eq!(id("inventory", None), Some("inventory"));
}

#[test]
fn stronger_layers_change_what_they_give() {
    let project = [(
        "roles/dev.yaml",
        "agent_role: {id: developer, token_budget: 9}",
    )];
    let user = [(
        "~/roles/dev.yaml",
        "agent_roles: {developer: {token_budget: 8, perspective: mine}, pilot: {domain: air}}",
    )];
    let Loaded {
        library,
        diagnostics,
        sources,
    } = load(&project, &user);
    assert_eq!(diagnostics, []);
    let library = library.unwrap();
    let developer = library.get("implementer").unwrap();
    assert_eq!(developer.budget_tokens, Some(9));
    assert_eq!(developer.perspective, "mine");
    assert_eq!(developer.targets_max, Some(5));
    assert_eq!(developer.place.source, "roles/dev.yaml");
    assert_eq!(library.pair("air", None).unwrap().name, "Pilot");
    let built_in = "built-in roles/developer.yaml";
    assert_eq!(
        sources["developer"],
        ["roles/dev.yaml", "~/roles/dev.yaml", built_in]
    );
    assert_eq!(sources["pilot"], ["~/roles/dev.yaml"]);
}

#[test]
fn many_faulty_files_are_told_of_as_far_as_anybody_reads() {
    let files: Vec<(String, Vec<u8>)> = (0..1_000)
        .map(|at| (format!("r{at}"), b"agent_role: {a: 1, b: 2, c: 3}".to_vec()))
        .collect();
    let loaded = Library::load(&[Layer { files: &files }]);
    assert!(loaded.library.is_none());
    assert_eq!(loaded.diagnostics.len(), 105);
    let last = loaded.diagnostics.last().unwrap().to_string();
    assert_eq!(last, "[text-more] r26 and the files after it were not read");
}

#[test]
fn clashes_name_both_sides() {
    let found = |project: &[(&str, &str)], user: &[(&str, &str)]| -> Vec<String> {
        let loaded = load(project, user);
        assert!(loaded.library.is_none());
        let shown = |d: &Diagnostic| format!("{d} ({})", d.hints.join("; "));
        loaded.diagnostics.iter().map(shown).collect()
    };
    assert_eq!(
        found(
            &[("a", "agent_role: {id: x}"), ("b", "agent_role:\n  id: X")],
            &[]
        ),
        ["[role-duplicate] b:2:7: two roles have the id `x` (the other one stands at a:1:18)"]
    );
    assert_eq!(
        found(
            &[("a", "agent_role: {id: x, aliases: [tester]}")],
            &[("b", "agent_role: {id: y, aliases: [x]}")]
        ),
        [
            "[role-alias] b:1:18: the alias `x` of `y` is a name of `x`, too \
             (`x` stands at a:1:18; to change a role, write one of the same `id`)",
            "[role-alias] a:1:18: the alias `tester` of `x` is a name of `qa`, too \
             (`qa` stands at built-in roles/qa.yaml:2:7; to change a role, write one of the same `id`)",
        ]
    );
    assert_eq!(
        found(
            &[(
                "a",
                "agent_role: {id: x, domain: security, function: audit}"
            )],
            &[]
        ),
        [
            "[role-pair] a:1:18: `security_analyst` and `x` are both `security/audit` \
             (`security_analyst` stands at built-in roles/security_analyst.yaml:2:7; \
             tasks name a role by `domain` and `function`; give one another `function`)"
        ]
    );
}

#[test]
fn a_workflows_own_words_change_the_role_that_they_name() {
    let library = Library::built_in();
    let own = patch("agent_roles: {Implementer: {perspective: p, token_budget: 7}}");
    let role = library.patched(&own);
    assert_eq!((&*role.id, &*role.perspective), ("developer", "p"));
    assert_eq!(role.budget_tokens, Some(7));
    assert_eq!(role.function.as_deref(), Some("implementation"));
    let new = library.patched(&patch("agent_role: {name: Night Watch}"));
    assert_eq!((&*new.id, &*new.name), ("night_watch", "Night Watch"));
}

#[test]
fn reader_and_schema_know_the_same_keys() {
    let schema = schema();
    let keys = |of: &Value| -> BTreeSet<String> {
        assert_eq!(of["additionalProperties"], Value::Bool(false));
        of["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let set = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect();
    assert_eq!(keys(&schema), set(FILE_KEYS));
    assert_eq!(keys(&schema["$defs"]["Role"]), set(KEYS));
}

#[test]
fn what_is_read_satisfies_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let texts = BUILT_IN.iter().map(|(_, text)| *text).chain([
        GENERIC,
        "agent_role: {id: a, constraints: {max_items: 8, complexity_threshold: high}}",
        "agent_roles: {a: {focus: one, questions: [no, 1.5, true]}, b: {constraints: [a: [1, b]]}}",
    ]);
    for text in texts {
        let value: Value = serde_saphyr::from_str(text).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(faults, [""; 0], "{text}");
    }
    let misspelt = serde_json::json!({"agent_role": {"nam": "x"}});
    assert!(!validator.is_valid(&misspelt));
}

#[test]
fn every_prefix_and_every_broken_byte_is_survived() {
    let (_, text) = BUILT_IN[0];
    for end in 0..text.len() {
        let found = read("r", &text.as_bytes()[..end]);
        assert!(
            found.roles.is_some() || !found.diagnostics.is_empty(),
            "{end}"
        );
    }
    for at in (0..text.len()).step_by(7) {
        for byte in [b'"', b'{', b'[', b':', b'-', b'\t', b'&', b'!', 0, 0xff] {
            let mut broken = text.as_bytes().to_vec();
            broken[at] = byte;
            let found = read("r", &broken);
            assert!(
                found.roles.is_some() || !found.diagnostics.is_empty(),
                "{at} {byte}"
            );
        }
    }
}

#[test]
fn limits_bound_a_library() {
    let roles: Vec<String> = (0..=ROLES_MAX).map(|n| format!("r{n}: {{}}")).collect();
    let text = format!("agent_roles: {{{}}}", roles.join(", "));
    assert_eq!(
        faults(&text),
        ["[text-too-large] r.yaml:1:9905: more than 1000 roles"]
    );
    let text = format!("agent_roles: {{{}}}", roles[..ROLES_MAX].join(", "));
    let loaded = load(&[("a", &text)], &[]);
    assert!(loaded.library.is_none());
    assert_eq!(loaded.diagnostics[0].cause, "more than 1000 roles");
}

#[test]
fn a_plan_is_told_of_the_roles_that_its_tasks_have_or_may_get() {
    let read = |text: &str| plan_file::read("p", text.as_bytes()).plan.unwrap();
    let plan = |more: &str| {
        let tasks = r#"{"subtask_id": "a", "assigned_to": "development", "worker_type": "implementer", "deliverables": ["a.md"]},
            {"subtask_id": "b", "assigned_to": "nobody", "deliverables": ["b.md"]}"#;
        read(&format!(
            r#"{{"task_title": "t", "subtasks": [{tasks}{more}]}}"#
        ))
    };
    let library = Library::built_in();
    let told = super::told(&library, &plan(""));
    assert_eq!(told.keys().collect::<Vec<_>>(), ["development/implementer"]);
    let text = &told["development/implementer"];
    let bound = "You are bound by:\n- Change what the task names and nothing else\n";
    assert!(
        text.starts_with("You are the Developer.") && text.contains(bound),
        "{text}"
    );

    // What an agent plans may name any role.
    let plans =
        r#", {"subtask_id": "c", "kind": "plan", "agent": "person", "deliverables": ["p.json"]}"#;
    let told = super::told(&library, &plan(plans));
    let pairs = library.iter().filter(|role| role.domain.is_some());
    assert_eq!(told.len(), pairs.count() + 1);

    let mut long = library.get("qa").unwrap().clone();
    long.focus = vec!["x".repeat(TOLD_BYTES_MAX)];
    assert_eq!(long.told().len(), TOLD_BYTES_MAX);
}
