use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::files::FolderFiles;

/// A folder in the place of the tree.
fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, FolderFiles) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(folder.path(), path, text);
    }
    let files = FolderFiles::open(folder.path(), None).unwrap();
    (folder, files)
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn told(files: &dyn Files, patterns: &[&str], reads: &[&str]) -> Vec<(String, String)> {
    let reads: Vec<String> = reads.iter().map(|&path| path.to_owned()).collect();
    let guides = guides(files, patterns.iter().copied(), &[], &reads).unwrap();
    let told = guides.into_iter().map(|guide| (guide.path, guide.text));
    told.collect()
}

fn paths(files: &dyn Files, patterns: &[&str], reads: &[&str]) -> Vec<String> {
    let told = told(files, patterns, reads).into_iter();
    told.map(|(path, _)| path).collect()
}

#[test]
fn the_root_is_told_first_and_the_nearest_last() {
    let (_folder, files) = tree(&[
        ("AGENTS.md", "root"),
        ("CLAUDE.md", "not told beside the other"),
        ("app/CLAUDE.md", "app"),
        ("app/web/AGENTS.md", "web"),
        ("lib/AGENTS.md", "lib"),
        ("app/empty/AGENTS.md", ""),
    ]);
    for (patterns, expected) in [
        (&[][..], &["AGENTS.md"][..]),
        (&["README.md"], &["AGENTS.md"]),
        (&["app/**"], &["AGENTS.md", "app/CLAUDE.md"]),
        (&["app"], &["AGENTS.md", "app/CLAUDE.md"]),
        (&["./app//x.md"], &["AGENTS.md", "app/CLAUDE.md"]),
        (&["*/web/x"], &["AGENTS.md"]),
        (&["app/empty/x"], &["AGENTS.md", "app/CLAUDE.md"]),
        (
            &["app/web/*.ts", "lib/a.rs"],
            &[
                "AGENTS.md",
                "app/CLAUDE.md",
                "lib/AGENTS.md",
                "app/web/AGENTS.md",
            ],
        ),
        (&["../lib/a.rs", "/lib/a.rs", ""], &["AGENTS.md"]),
    ] {
        assert_eq!(paths(&files, patterns, &[]), expected, "{patterns:?}");
    }
}

#[test]
fn what_an_agent_reads_itself_is_not_told_twice_and_its_own_file_is() {
    let (folder, files) = tree(&[("AGENTS.md", "root"), ("a/AGENTS.md", "a")]);
    assert_eq!(paths(&files, &["a/x"], &["AGENTS.md"]), ["a/AGENTS.md"]);
    put(folder.path(), "CLAUDE.md", "own");
    assert_eq!(paths(&files, &[], &["AGENTS.md"]), [""; 0]);
    let own = ["CLAUDE.md".to_owned()];
    let paths_of = |patterns: &[&str]| {
        let guides = guides(&files, patterns.iter().copied(), &own, &[]).unwrap();
        let paths = guides.into_iter().map(|guide| guide.path);
        paths.collect::<Vec<_>>()
    };
    assert_eq!(
        paths_of(&["a/x"]),
        ["AGENTS.md", "CLAUDE.md", "a/AGENTS.md"]
    );
    std::fs::remove_file(folder.path().join("AGENTS.md")).unwrap();
    assert_eq!(paths_of(&[]), ["CLAUDE.md"]);
    assert_eq!(paths(&files, &[], &["AGENTS.md"]), ["CLAUDE.md"]);
}

#[test]
fn links_are_not_followed() {
    let (folder, files) = tree(&[("real/AGENTS.md", "elsewhere"), ("b/AGENTS.md", "b")]);
    let root = folder.path();
    symlink("/etc/passwd", root.join("AGENTS.md")).unwrap();
    symlink("real", root.join("a")).unwrap();
    symlink("AGENTS.md", root.join("b/CLAUDE.md")).unwrap();
    let own = ["CLAUDE.md".to_owned()];
    let guides = guides(&files, ["a/x", "b/x"].into_iter(), &own, &[]).unwrap();
    let paths: Vec<&str> = guides.iter().map(|guide| guide.path.as_str()).collect();
    assert_eq!(paths, ["b/AGENTS.md"]);
}

#[test]
fn the_nearest_has_the_room_and_what_is_no_text_is_left() {
    let near = "n".repeat(GUIDES_BYTES_MAX - 10);
    let (folder, files) = tree(&[("a/AGENTS.md", &near), ("AGENTS.md", "é0123456789")]);
    let all = told(&files, &["a/x"], &[]);
    assert_eq!(all[0], ("AGENTS.md".to_owned(), "é01234567".to_owned()));
    assert_eq!(all[1].1, near);
    std::fs::write(folder.path().join("AGENTS.md"), [0xff, 0xfe]).unwrap();
    assert_eq!(paths(&files, &["a/x"], &[]), ["a/AGENTS.md"]);
    let near = "n".repeat(GUIDES_BYTES_MAX + 10);
    put(folder.path(), "a/AGENTS.md", &near);
    put(folder.path(), "AGENTS.md", "no room");
    let guides = guides(&files, ["a/x"].into_iter(), &[], &[]).unwrap();
    let told = guides.iter().map(|guide| {
        let (path, left_out) = (guide.path.as_str(), guide.left_out_bytes);
        (path, guide.text.len(), left_out)
    });
    let told: Vec<(&str, usize, u64)> = told.collect();
    // That there is one is told all the same.
    let expected = [("AGENTS.md", 0, 7), ("a/AGENTS.md", GUIDES_BYTES_MAX, 10)];
    assert_eq!(told, expected);
}

#[test]
fn skills_are_listed_by_name_and_place() {
    let head =
        |name: &str, what: &str| format!("---\nname: {name}\ndescription: {what}\n---\ntext");
    let (_folder, files) = tree(&[
        (
            ".claude/skills/release/SKILL.md",
            &head("release", "second"),
        ),
        (".agents/skills/release/SKILL.md", &head("release", "first")),
        (
            "skills/a/SKILL.md",
            "---\ndescription: by its folder\n---\n",
        ),
        ("skills/a/deep/SKILL.md", &head("deep", "too deep")),
        ("skills/b/SKILL.md", "no head"),
        ("other/c/SKILL.md", &head("other", "elsewhere")),
    ]);
    let all = skills(&files).unwrap();
    let names: Vec<(&str, &str, &str)> = all
        .iter()
        .map(|skill| {
            (
                skill.name.as_str(),
                skill.description.as_str(),
                skill.path.as_str(),
            )
        })
        .collect();
    let expected = [
        ("release", "first", ".agents/skills/release/SKILL.md"),
        ("a", "by its folder", "skills/a/SKILL.md"),
    ];
    assert_eq!(names, expected);
    let reads = [".agents/skills".to_owned(), "skill".to_owned()];
    let unread = unread(&all, &reads);
    assert_eq!(unread, [all[1].clone()]);
}

#[test]
fn there_is_a_bound_to_skills() {
    let head = "---\ndescription: one of many\n---\n";
    let many: Vec<String> = (0..SKILLS_MAX + 5)
        .map(|n| format!("skills/s{n:03}/SKILL.md"))
        .collect();
    let files: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), head)).collect();
    let (_folder, files) = tree(&files);
    assert_eq!(skills(&files).unwrap().len(), SKILLS_MAX);
}
