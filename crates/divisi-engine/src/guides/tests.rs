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
    let files = FolderFiles::open(folder.path(), Vec::new()).unwrap();
    (folder, files)
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn told(files: &dyn Files, patterns: &[&str], reads: &[&str]) -> Vec<(String, String)> {
    let reads: Vec<String> = reads.iter().map(|&path| path.to_owned()).collect();
    let guides = guides(files, patterns.iter().copied(), &reads).unwrap();
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
fn what_an_agent_reads_itself_is_not_told_twice() {
    let (folder, files) = tree(&[("AGENTS.md", "root"), ("a/AGENTS.md", "a")]);
    assert_eq!(paths(&files, &["a/x"], &["AGENTS.md"]), ["a/AGENTS.md"]);
    let claude = &["CLAUDE.md"];
    let both = ["AGENTS.md", "a/AGENTS.md"];
    assert_eq!(paths(&files, &["a/x"], claude), both);
    put(folder.path(), "CLAUDE.md", "Of its own.\nsee @AGENTS.md\n");
    assert_eq!(paths(&files, &["a/x"], claude), both);
    put(folder.path(), "CLAUDE.md", "# Mine\n@./AGENTS.md\n");
    assert_eq!(paths(&files, &["a/x"], claude), ["a/AGENTS.md"]);
    let (_folder, files) = tree(&[("CLAUDE.md", "root")]);
    assert_eq!(paths(&files, &[], claude), [""; 0]);
    assert_eq!(paths(&files, &[], &["AGENTS.md"]), ["CLAUDE.md"]);
}

/// A view that knows where links lead, as that of a tree in the repository does.
struct Linked<'a>(&'a FolderFiles, &'a str);

impl Files for Linked<'_> {
    fn entry(&self, path: &str) -> io::Result<Entry> {
        self.0.entry(path)
    }

    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
        self.0.read(path, bytes_max)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn changed(&self) -> io::Result<Vec<String>> {
        self.0.changed()
    }

    fn link(&self, _: &str) -> io::Result<Option<String>> {
        Ok(Some(self.1.to_owned()))
    }
}

#[test]
fn links_are_not_followed_but_one_beside_the_file_is_known_for_what_it_is() {
    let (folder, files) = tree(&[("real/AGENTS.md", "elsewhere"), ("b/AGENTS.md", "b")]);
    let root = folder.path();
    symlink("/etc/passwd", root.join("AGENTS.md")).unwrap();
    symlink("real", root.join("a")).unwrap();
    symlink("AGENTS.md", root.join("b/CLAUDE.md")).unwrap();
    assert_eq!(paths(&files, &["a/x", "b/x"], &[]), ["b/AGENTS.md"]);
    for (leads_to, told) in [("AGENTS.md", 0), ("./AGENTS.md", 0), ("../other.md", 1)] {
        let view = Linked(&files, leads_to);
        assert_eq!(
            paths(&view, &["b/x"], &["b/CLAUDE.md"]).len(),
            told,
            "{leads_to}"
        );
    }
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
    let guides = guides(&files, ["a/x"].into_iter(), &[]).unwrap();
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
