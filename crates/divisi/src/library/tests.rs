//! What each layer gives, and what stands in the way.

use std::fs;
use std::os::unix::fs::symlink;

use divisi_pack::template;
use tempfile::TempDir;

use super::*;

const FLOW: &str = "workflow: {name: NAME, iterations: [{name: a, agents: [{role: qa}]}]}";

/// A project and a user's folder with these files.
fn library(project: &[(&str, &str)], user: &[(&str, &str)]) -> (TempDir, Library) {
    let folder = tempfile::tempdir().unwrap();
    let library = Library {
        project: folder.path().join("project"),
        user: Some(folder.path().join("user")),
    };
    for (root, files) in [("project", project), ("user", user)] {
        fs::create_dir(folder.path().join(root)).unwrap();
        for (path, text) in files {
            let path = folder.path().join(root).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    (folder, library)
}

fn code_of(failure: Failure) -> (String, Exit, Vec<String>) {
    let Failure::Told(told, exit) = failure else {
        panic!("it is told");
    };
    (told.code.clone(), exit, told.hints)
}

#[test]
fn the_strongest_layer_that_has_a_workflow_counts_and_says_what_it_hides() {
    let text = FLOW.replace("NAME", "code-review");
    let (folder, library) = library(
        &[("workflows/code-review.yaml", &text)],
        &[
            ("workflows/code-review.yml", "user: 1"),
            ("workflows/mine.yml", "mine: 1"),
        ],
    );
    let found = library.find_workflow("code-review").unwrap();
    assert_eq!(found.text(), Some(text.as_str()));
    assert_eq!(found.origin.layer, Layer::Project);
    assert_eq!(found.origin.path, "workflows/code-review.yaml");
    let user = folder.path().join("user/workflows/code-review.yml");
    let hidden: Vec<(Layer, &str)> = found.hides.iter().map(|it| (it.layer, &*it.path)).collect();
    assert_eq!(
        hidden,
        [
            (Layer::User, user.to_str().unwrap()),
            (Layer::BuiltIn, "built-in workflows/code-review.yaml")
        ]
    );
    let found = library.find_workflow("mine").unwrap();
    assert_eq!((found.origin.layer, found.hides.len()), (Layer::User, 0));
    let found = library.find_workflow("incident-response").unwrap();
    assert_eq!(found.origin.layer, Layer::BuiltIn);
    assert!(found.workflow().workflow.is_some());

    let (all, faults) = library.workflows();
    let names: Vec<&str> = all.iter().map(|it| &*it.name).collect();
    assert_eq!(
        names,
        [
            "code-review",
            "incident-response",
            "mine",
            "task-execution",
            "user-story-refinement"
        ]
    );
    assert_eq!(faults, []);
}

#[test]
fn a_path_is_read_as_it_is_and_an_unknown_name_names_the_nearest() {
    let (folder, library) = library(&[("other/w.yaml", "a: 1")], &[]);
    let path = folder.path().join("project/other/w.yaml");
    let found = library.find_workflow(path.to_str().unwrap()).unwrap();
    assert_eq!((found.name.as_str(), found.text()), ("w", Some("a: 1")));

    let (code, exit, hints) = code_of(library.find_workflow("code-revew").unwrap_err());
    assert_eq!((code.as_str(), exit), ("library-unknown", Exit::NotFound));
    assert_eq!(hints[0], "did you mean `code-review`?");
    let (code, exit, _) = code_of(library.find_workflow("./none.yaml").unwrap_err());
    assert_eq!((code.as_str(), exit), ("file-unreadable", Exit::Usage));
}

#[test]
fn two_files_of_one_name_are_an_error_for_that_name_only() {
    let (_folder, library) = library(
        &[
            ("workflows/a.yaml", ""),
            ("workflows/a.yml", ""),
            ("workflows/b.yaml", ""),
        ],
        &[],
    );
    let (code, exit, _) = code_of(library.find_workflow("a").unwrap_err());
    assert_eq!((code.as_str(), exit), ("library-twice", Exit::Usage));
    assert!(library.find_workflow("b").is_ok());
    let (_, faults) = library.workflows();
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        ["[library-twice] workflows/a.yml: two files of one folder are the workflow `a`"]
    );
}

#[test]
fn a_name_that_is_not_the_files_is_a_warning() {
    let (_folder, library) = library(&[("workflows/a.yaml", &FLOW.replace("NAME", "b"))], &[]);
    let read = library.find_workflow("a").unwrap().workflow();
    assert!(read.workflow.is_some());
    assert_eq!(read.diagnostics[0].code, "library-name");
    assert!(!has_error(&read.diagnostics));
}

#[test]
fn a_role_keeps_what_a_stronger_layer_does_not_say() {
    let (folder, library) = library(
        &[("roles/mine.yaml", "agent_role: {id: qa, token_budget: 7}")],
        &[(
            "roles/all.yml",
            "agent_roles: {qa: {perspective: Mine, token_budget: 9}, watch: {name: Watch}}",
        )],
    );
    let loaded = library.roles();
    assert_eq!(loaded.diagnostics, []);
    let roles = loaded.roles.as_ref().unwrap();
    let qa = roles.get("tester").unwrap();
    assert_eq!(
        (qa.budget_tokens, qa.perspective.as_str()),
        (Some(7), "Mine")
    );
    assert!(!qa.responsibilities.is_empty());
    assert!(roles.get("watch").is_some());
    let origins: Vec<&str> = loaded.origins["qa"].iter().map(|it| &*it.path).collect();
    let user = folder.path().join("user/roles/all.yml");
    assert_eq!(
        origins,
        [
            "roles/mine.yaml",
            user.to_str().unwrap(),
            "built-in roles/qa.yaml"
        ]
    );
}

#[test]
fn templates_of_all_layers_are_there_by_their_paths() {
    let (_folder, library) = library(
        &[
            ("templates/qa.md.j2", "project"),
            ("templates/README.md", "none"),
        ],
        &[
            ("templates/qa.md.j2", "user"),
            ("templates/deep/a.md.j2", "deep"),
        ],
    );
    let loaded = library.templates();
    let [project, user] = loaded.layers();
    assert_eq!(project["qa.md.j2"], "project");
    assert_eq!(project.len(), 1);
    assert_eq!(user["qa.md.j2"], "user");
    assert_eq!(user["deep/a.md.j2"], "deep");
    let layers: Vec<Layer> = loaded.origins["qa.md.j2"]
        .iter()
        .map(|it| it.layer)
        .collect();
    assert_eq!(layers, [Layer::Project, Layer::User, Layer::BuiltIn]);
    assert_eq!(loaded.diagnostics, []);
}

#[test]
fn in_the_project_no_link_is_followed_and_nothing_odd_is_opened() {
    let (folder, library) = library(
        &[("secret", "agent_role: {name: Secret}"), ("roles/x", "")],
        &[("secret", "agent_role: {name: Mine}"), ("roles/x", "")],
    );
    let project = folder.path().join("project");
    symlink("../secret", project.join("roles/link.yaml")).unwrap();
    symlink("../secret", folder.path().join("user/roles/mine.yaml")).unwrap();
    symlink("..", project.join("templates")).unwrap();
    fs::create_dir(project.join("workflows")).unwrap();
    let fifo = project.join("workflows/fifo.yaml");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let loaded = library.roles();
    assert!(loaded.roles.is_none());
    assert!(
        loaded.origins.contains_key("mine"),
        "the user's links are the user's"
    );
    assert!(!loaded.origins.contains_key("secret"));
    assert_eq!(loaded.diagnostics[0].code, "library-unreadable");
    assert_eq!(
        library.templates().diagnostics[0].cause,
        "reading templates: it is a link"
    );
    let (code, ..) = code_of(library.find_workflow("fifo").unwrap_err());
    assert_eq!(code, "library-unreadable");
}

#[test]
fn what_is_too_much_is_refused_by_name() {
    let large = "x".repeat(template::TEMPLATE_BYTES_MAX + 1);
    let (_folder, found) = library(
        &[("templates/large.j2", &large)],
        &[("templates/small.j2", "small")],
    );
    let loaded = found.templates();
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["[library-unreadable] reading templates/large.j2: a template has at most 256 KiB"]
    );
    assert_eq!(loaded.layers()[1].len(), 1);

    let role = format!("@{}", "x".repeat(TEXT_BYTES_MAX - 1));
    let files: Vec<(String, &str)> = (0..4)
        .map(|at| (format!("roles/{at}.yaml"), role.as_str()))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, *text)).collect();
    let (_folder, found) = library(&files, &[]);
    let loaded = found.roles();
    let too_much =
        |it: &Diagnostic| it.cause == "reading roles: it holds more than 1000 files, or 8 MiB";
    assert!(loaded.diagnostics.iter().any(too_much));
}
