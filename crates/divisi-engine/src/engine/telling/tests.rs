use std::path::Path;

use divisi_core::receipt::Artifact;
use divisi_core::{Digest, TaskId};

use super::*;
use crate::files::FolderFiles;

fn given(paths: &[&str]) -> Given {
    let artifact = |path: &&str| Artifact {
        path: (*path).to_owned(),
        digest: Digest::new(&"d".repeat(64)).unwrap(),
        bytes: 1,
    };
    Given {
        task: TaskId::new("before").unwrap(),
        artifacts: paths.iter().map(artifact).collect(),
        contents: Vec::new(),
    }
}

/// What is told of these files of a folder: path, how much of the text, how much is left out.
fn told(root: &Path, paths: &[&str]) -> Vec<(String, usize, u64)> {
    let files = FolderFiles::open(root, None).unwrap();
    let mut inputs = [given(paths)];
    contents(&mut inputs, &files).unwrap();
    let told = inputs[0].contents.iter();
    told.map(|content| {
        (
            content.path.clone(),
            content.text.len(),
            content.left_out_bytes,
        )
    })
    .collect()
}

#[test]
fn small_files_are_told_whole_and_large_ones_by_their_first_lines() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("small"), "one\ntwo").unwrap();
    std::fs::write(at.join("most"), "é".repeat(CONTENT_BYTES_MAX as usize / 2)).unwrap();
    std::fs::write(at.join("lines"), "0123456789\n".repeat(1_000)).unwrap();
    std::fs::write(at.join("line"), format!("x{}", "é".repeat(5_000))).unwrap();
    std::fs::write(at.join("empty"), "").unwrap();
    std::fs::write(at.join("binary"), [0xff, 1, 2]).unwrap();
    std::fs::write(at.join("nul"), "a\0b").unwrap();
    std::fs::create_dir(at.join("folder")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", at.join("link")).unwrap();
    let paths = [
        "small", "most", "lines", "line", "empty", "binary", "nul", "folder", "link", "missing",
    ];
    let expected = [
        ("small".to_owned(), 7, 0),
        ("most".to_owned(), 8_192, 0),
        ("lines".to_owned(), 1_023, 11_000 - 1_023),
        // Whole letters.
        ("line".to_owned(), 1_023, 10_001 - 1_023),
    ];
    assert_eq!(told(at, &paths), expected);
}

#[test]
fn together_they_are_bounded_in_bytes_and_in_number() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let names: Vec<String> = (0..30).map(|n| format!("f{n:02}")).collect();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &paths {
        std::fs::write(at.join(name), "x".repeat(7_000)).unwrap();
    }
    let all: usize = told(at, &paths).iter().map(|(_, bytes, _)| bytes).sum();
    assert_eq!(all, 7_000 * (CONTENTS_BYTES_MAX / 7_000));
    for name in &paths {
        std::fs::write(at.join(name), "x").unwrap();
    }
    assert_eq!(told(at, &paths).len(), CONTENTS_MAX);
}
