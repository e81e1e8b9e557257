//! That something stands nowhere that Divisi keeps.

use std::process::Command;

use crate::stage::Stage;

/// Asserts that a text stands in no file under `.divisi`, in no object of the private repository,
/// and in nothing that was kept or printed.
pub(crate) fn is_nowhere(stage: &Stage, text: &str) {
    let folder = stage.path(".divisi");
    // Names and targets of links, then what files hold; a giant that is all holes is not read.
    let names = Command::new("find")
        .arg(&folder)
        .args(["-printf", "%p %l\n"])
        .output()
        .unwrap();
    let names = String::from_utf8_lossy(&names.stdout).into_owned();
    assert!(
        !names.is_empty() && !names.contains(text),
        "{text} is a name: {names}"
    );
    let found = Command::new("find")
        .arg(&folder)
        .args([
            "-type", "f", "-size", "-1G", "-exec", "grep", "-laF", "-e", text, "{}", "+",
        ])
        .output()
        .unwrap();
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    assert_eq!(found, "", "{text} stands in files");
    let objects = Command::new("git")
        .arg("--git-dir")
        .arg(folder.join("repo.git"))
        .args(["cat-file", "--batch-all-objects", "--batch"])
        .output()
        .unwrap();
    assert!(objects.status.success(), "the objects can be listed");
    let holds = objects
        .stdout
        .windows(text.len())
        .any(|window| window == text.as_bytes());
    assert!(
        !holds,
        "{text} stands in an object of the private repository"
    );
}
