//! What is told of configuration and of the library beside what its readers say, as a terminal
//! shows it. A page of an error of these families without a snapshot here fails the test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::library::given;
use crate::{divisi, err};

/// The families of codes that the binary itself gives for these files.
const FAMILIES: [&str; 3] = ["config-", "library-", "init-"];

/// What a command tells, with this variable in its environment.
fn told(folder: &Path, args: &[&str], (name, value): (&str, &str)) -> String {
    let output = divisi(folder, args).env(name, value).output();
    err(&output.expect("the binary runs"))
}

/// Shows what was told, which has the code, and notes the code.
macro_rules! shown {
    ($seen:ident, $code:literal, $told:expr, @$snapshot:literal) => {
        let told: String = $told;
        assert!(told.contains(&format!("[{}]", $code)), "{}: {told}", $code);
        $seen.insert($code);
        insta::assert_snapshot!(told, @$snapshot);
    };
}

#[test]
fn every_page_of_these_families_has_a_snapshot() {
    let mut seen = BTreeSet::new();
    let flow = "workflow: {name: other, iterations: [{name: i, agents: [{role: qa}]}]}";
    let folder = given(&[
        ("workflows/mine.yaml", flow),
        ("workflows/twice.yaml", flow),
        ("workflows/twice.yml", flow),
        ("templates/deep/bytes.j2", ""),
    ]);
    let folder = folder.path();
    let run = |args: &[&str]| told(folder, args, ("UNUSED", ""));
    shown!(seen, "library-unknown", run(&["workflow", "show", "code-revew"]), @r"
    error[library-unknown]: there is no workflow `code-revew`
    hint: did you mean `code-review`?
    hint: `divisi workflow list` lists them
    ");
    shown!(seen, "library-unknown", run(&["roles", "show", "develper"]), @r"
    error[library-unknown]: there is no role `develper`
    hint: did you mean `developer`?
    hint: `divisi roles` lists them
    ");
    shown!(seen, "library-twice", run(&["workflow", "show", "twice"]), @r"
    error[library-twice]: two files of one folder are the workflow `twice`
     --> workflows/twice.yml
    hint: the other one is workflows/twice.yaml; delete or rename one
    ");
    shown!(seen, "library-name", run(&["workflow", "check", "mine"]), @r"
    warning[library-name]: the workflow calls itself `other` and is found as `mine`
     --> workflows/mine.yaml:1:11
      |
    1 | workflow: {name: other, iterations: [{name: i, agents: [{role: qa}]}]}
      |           ^
    hint: let the name and the name of the file be the same
    ");
    fs::write(folder.join("templates/deep/bytes.j2"), b"\xff").unwrap();
    shown!(seen, "library-unreadable", run(&["workflow", "check", "code-review"]), @r"
    error[library-unreadable]: reading templates/deep/bytes.j2: it is not in UTF-8
    hint: let it be a regular file that you may read, or move it away
    ");
    fs::write(folder.join("divisi.yml"), "").unwrap();
    shown!(seen, "config-name", run(&["config", "show"]), @r"
    warning[config-name]: divisi.yml is not read
    hint: call it divisi.yaml
    ");
    fs::remove_file(folder.join("divisi.yml")).unwrap();
    let misspelt = ("DIVISI_RUN_WORKRS", "2");
    shown!(seen, "config-variable", told(folder, &["config", "show"], misspelt), @r"
    warning[config-variable]: no setting has the variable `DIVISI_RUN_WORKRS`
    hint: did you mean `DIVISI_RUN_WORKERS`?
    ");
    let wrong = ("DIVISI_RUN_WORKERS", "many");
    let read = told(folder, &["config", "show"], wrong);
    insta::assert_snapshot!(read, @r"
    error[text-type]: `workers` is a string, not a whole number
     --> DIVISI_RUN_WORKERS:1:1
      |
    1 | many
      | ^
    ");
    fs::create_dir(folder.join("divisi.yaml")).unwrap();
    shown!(seen, "config-unreadable", run(&["config", "show"]), @r"
    error[config-unreadable]: reading divisi.yaml: divisi.yaml is not a regular file
    hint: let it be a regular file that you may read, or move it away
    ");
    let nowhere = Path::new("/proc/self");
    let made = told(
        nowhere,
        &["--project", "/proc/self", "init"],
        ("UNUSED", ""),
    );
    shown!(seen, "init-io", made, @r"
    error[init-io]: making divisi.yaml: No such file or directory (os error 2)
    hint: check the folder's owner, its permissions and the room on its disk
    ");

    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let pages = fs::read_dir(pages).unwrap();
    let names = pages.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_ours = |name: &String| FAMILIES.iter().any(|family| name.starts_with(family));
    let unseen: Vec<String> = names
        .filter(is_ours)
        .filter(|name| !seen.contains(name.trim_end_matches(".md")))
        .collect();
    assert_eq!(unseen, [""; 0], "each of these needs a snapshot above");
}
