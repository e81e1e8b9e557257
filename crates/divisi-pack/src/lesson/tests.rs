use divisi_core::Criterion;

use super::*;
use crate::role::{BUILT_IN, Layer, Library, Role};
use crate::{config, template};

const WORDS: &str = "Before you are done, see to this: `a \"b\": {c}` is there # always";

fn layered(text: &str) -> Library {
    let files = [("roles/mine.yaml".to_owned(), text.as_bytes().to_vec())];
    let loaded = Library::load(&[Layer { files: &files }]);
    assert_eq!(loaded.diagnostics, []);
    loaded.library.unwrap()
}

fn role(text: &str, id: &str) -> Role {
    layered(text).get(id).unwrap().clone()
}

#[test]
fn every_built_in_role_can_be_bound_by_more_words_and_by_nothing_else() {
    let library = Library::built_in();
    for (path, text) in BUILT_IN {
        let before = library
            .iter()
            .find(|role| role.place.source == *path)
            .unwrap();
        let bound = bind_role(text, before, WORDS).unwrap_or_else(|| panic!("{path}"));
        let after = role(&bound, &before.id);
        let mut meant = before.clone();
        meant.constraints.push(WORDS.to_owned());
        meant.place = after.place.clone();
        assert_eq!(after, meant);
        assert_eq!(
            bind_role(&bound, &after, WORDS),
            None,
            "said once is enough"
        );
    }
}

#[test]
fn comments_and_other_roles_stay_as_they_were() {
    let text = "# ours\nagent_roles:\n  qa:\n    name: QA\n    constraints:\n    - One thing,\n      over two lines\n    # why\n  developer:\n    constraints:\n      - Another\n\n    focus: Speed\n";
    let bound = bind_role(text, &role(text, "developer"), "More").unwrap();
    assert_eq!(
        bound,
        text.replace("- Another\n", "- Another\n      - \"More\"\n")
    );
    let bound = bind_role(text, &role(text, "qa"), "More").unwrap();
    assert_eq!(
        bound,
        text.replace("two lines\n", "two lines\n    - \"More\"\n")
    );
}

#[test]
fn a_role_that_took_what_binds_it_from_elsewhere_keeps_that() {
    let text = "agent_role:\n  id: developer\n  perspective: Ours\n";
    let before = role(text, "developer");
    let after = role(&bind_role(text, &before, "More").unwrap(), "developer");
    let mut meant = before.constraints.clone();
    assert!(!meant.is_empty());
    meant.push("More".to_owned());
    assert_eq!((after.constraints, &*after.perspective), (meant, "Ours"));
}

#[test]
fn what_cannot_be_edited_line_by_line_is_left_alone() {
    for text in [
        "agent_role: {id: developer, constraints: [One]}\n",
        "agent_role:\n  id: developer\n  constraints: [One]\n",
        "agent_role:\n  id: developer\n  constraints:\n    Other: 3\n",
        "agent_role:\n  id: developer\n  constraints: One thing\n",
    ] {
        let files = [("mine".to_owned(), text.as_bytes().to_vec())];
        let Some(library) = Library::load(&[Layer { files: &files }]).library else {
            panic!("{text}");
        };
        let bound = bind_role(text, library.get("developer").unwrap(), "More");
        assert_eq!(bound, None, "{text}");
    }
}

fn put(text: &str) -> Option<String> {
    put_setting(text, "run", "timeout_minutes", "60")
}

#[test]
fn a_setting_is_changed_or_added_where_it_belongs() {
    let with = |text: &str| put(text).unwrap();
    assert_eq!(with(""), "run:\n  timeout_minutes: 60\n");
    assert_eq!(with("# mine\n"), "# mine\nrun:\n  timeout_minutes: 60\n");
    assert_eq!(
        with("run:\n    workers: 2\nchecks: []\n"),
        "run:\n    timeout_minutes: 60\n    workers: 2\nchecks: []\n"
    );
    assert_eq!(
        with("workspace:\n  timeout_minutes: 3\nrun:\n  # why\n\n  timeout_minutes: 5 # short\n"),
        "workspace:\n  timeout_minutes: 3\nrun:\n  # why\n\n  timeout_minutes: 60 # short\n"
    );
    let read = config::read("f", with("budget:\n  day: {attempts: 9}\n").as_bytes());
    assert_eq!(read.values.unwrap().iter().count(), 2);
}

#[test]
fn a_setting_that_stands_or_cannot_be_reached_makes_no_edit() {
    assert_eq!(put("run:\n  timeout_minutes: 60\n"), None);
    assert_eq!(put("run: {timeout_minutes: 5}\n"), None);
    assert_eq!(put("run: {workers: 2}\n"), None);
    assert_eq!(put("run:\n  - no\n"), None);
    assert_eq!(put_setting("", "run", "timeout_minutes", "many"), None);
}

#[test]
fn a_template_names_the_section_in_its_last_block() {
    let section = |heading: &str| Criterion::Section {
        path: "a.md".into(),
        heading: heading.into(),
    };
    let (_, text) = { template::BUILT_IN }
        .iter()
        .find(|(name, _)| *name == "developer.md.j2")
        .unwrap();
    let after = extend_template(text, &section("Risks")).unwrap();
    let added = "- A section `Risks` is there, with something beneath it.\n";
    assert!(
        after.contains(&format!("{added}\n{{% endblock %}}\n")),
        "{after}"
    );
    assert_eq!(after.replace(added, ""), *text);
    assert_eq!(extend_template(&after, &section("Risks")), None);
    for hostile in ["{{ secrets }}", "{% include 'x' %}", "a\nb", "{# x #}"] {
        assert_eq!(extend_template(text, &section(hostile)), None);
    }
    assert_eq!(extend_template("no block\n", &section("Risks")), None);
    assert_eq!(extend_template(text, &Criterion::ExitStatus), None);
}

const BEFORE: &str = "a\nb\nc\nd\ne\nf\n";

#[test]
fn a_diff_is_applied_once_and_only_to_what_it_was_made_of() {
    let after = "a\nb\nc\nd\ne\nf\nmore\n";
    let made = diff("roles/x.yaml", BEFORE, after);
    assert!(
        made.starts_with("--- a/roles/x.yaml\n+++ b/roles/x.yaml\n@@"),
        "{made}"
    );
    assert_eq!(apply(&made, BEFORE), Applied::Changed(after.to_owned()));
    // The context of what was added at the end stands there still.
    assert_eq!(apply(&made, after), Applied::Already);
    let moved = format!("new\n{BEFORE}");
    assert_eq!(
        apply(&made, &moved),
        Applied::Changed(format!("new\n{after}"))
    );
    let other = BEFORE.replace('e', "other");
    assert!(matches!(apply(&made, &other), Applied::Stale(_)));
    assert!(matches!(apply("@@ no diff", BEFORE), Applied::Stale(_)));
}

#[test]
fn a_new_file_is_made_of_nothing_once() {
    let made = diff("divisi.yaml", "", "run:\n  workers: 2\n");
    let after = "run:\n  workers: 2\n".to_owned();
    assert_eq!(apply(&made, ""), Applied::Changed(after.clone()));
    assert_eq!(apply(&made, &after), Applied::Already);
    assert!(matches!(apply(&made, "budget:\n"), Applied::Stale(_)));
}

#[test]
fn the_same_lesson_has_the_same_name() {
    let name = id("criterion-refused", "roles/qa.yaml", "words");
    assert_eq!(name, id("criterion-refused", "roles/qa.yaml", "words"));
    assert_ne!(
        name,
        id("criterion-refused", "roles/qa.yaml", "other words")
    );
    assert_eq!(name.len(), "lesson-".len() + 8);
}

#[test]
fn notes_are_sections_of_that_name_and_files_of_that_name() {
    let text = "# Title\nintro\n## Lessons learned\nUse *b*.\n### Why\nIt is so.\n## Next\nx\n## Notes:\n\n```\n# Feedback\n```\n";
    assert_eq!(
        notes("docs/a.md", text),
        ["Use *b*.\n### Why\nIt is so.", "```\n# Feedback\n```"]
    );
    assert_eq!(
        notes("out/Lessons-Learned.md", "all of it\n"),
        ["all of it"]
    );
    assert!(notes("a.md", "# A\nlessons\n## Notes\n\n").is_empty());
    let long = notes("notes.md", &"x".repeat(10_000));
    assert_eq!(long[0].len(), NOTE_BYTES_MAX);
}
