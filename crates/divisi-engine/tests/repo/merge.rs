//! Integration into a run's head.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use divisi_core::receipt::Snapshot;
use divisi_core::{Commit, TaskNo, Time};
use divisi_engine::repo::{DiffForm, Fault, Merged};
use divisi_engine::workspace::Pool;

use crate::project::{Project, RUN, base, collect, list, text, write};

const AT: Time = Time(1_700_000_000_000);

/// Two tasks that start from the same files and change them side by side.
struct Pair {
    _project: Project,
    pool: Arc<Pool>,
    one: Snapshot,
    two: Snapshot,
}

fn pair(files: &[(&str, &str)], one: impl FnOnce(&Path), two: impl FnOnce(&Path)) -> Pair {
    let project = Project::git(files);
    let pool = project.pool();
    let base = base(&pool).commit;
    let make = |task, change: &mut dyn FnMut(&Path)| {
        let workspace = pool.worktree(RUN, TaskNo(task), 1, &base).unwrap();
        change(&workspace.path);
        let snapshot = collect(&pool, &workspace).snapshot;
        pool.release(&workspace).unwrap();
        snapshot
    };
    let (mut change_one, mut change_two) = (Some(one), Some(two));
    let one = make(1, &mut |path| change_one.take().unwrap()(path));
    let two = make(2, &mut |path| change_two.take().unwrap()(path));
    Pair {
        _project: project,
        pool,
        one,
        two,
    }
}

impl Pair {
    fn merge(&self) -> Merged {
        let merged = self
            .pool
            .repo()
            .merge(&self.one.commit, &self.two, "two\n", AT)
            .unwrap();
        // Doing it again yields the same.
        let again = self
            .pool
            .repo()
            .merge(&self.one.commit, &self.two, "two\n", AT)
            .unwrap();
        assert_eq!(merged, again);
        merged
    }

    fn conflict(&self) -> Vec<String> {
        match self.merge() {
            Merged::Conflict { paths } => paths,
            clean => panic!("not a conflict: {clean:?}"),
        }
    }

    fn clean(&self) -> Commit {
        match self.merge() {
            Merged::Clean { commit, tree } => {
                assert_eq!(self.pool.repo().tree_of(&commit).unwrap(), tree);
                commit
            }
            conflict => panic!("not clean: {conflict:?}"),
        }
    }
}

#[test]
fn on_its_own_base_a_snapshot_is_the_result() {
    let pair = pair(&[("a", "1")], |path| write(path.join("b"), "2"), |_| {});
    let merged = pair
        .pool
        .repo()
        .merge(&pair.one.base, &pair.one, "one\n", AT)
        .unwrap();
    let Merged::Clean { commit, tree } = merged else {
        panic!()
    };
    assert_eq!(
        (commit, tree),
        (pair.one.commit.clone(), pair.one.tree.clone())
    );
    // Who changed nothing adds no commit.
    assert_eq!(pair.clean(), pair.one.commit);
}

#[test]
fn changes_side_by_side_are_both_there() {
    let lines = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let pair = pair(
        &[("a", lines), ("b", "b\n"), ("c", "c\n")],
        |path| {
            write(path.join("a"), &lines.replace('1', "one"));
            std::fs::remove_file(path.join("b")).unwrap();
            write(path.join("x"), "x");
        },
        |path| {
            write(path.join("a"), &lines.replace('9', "nine"));
            std::fs::set_permissions(path.join("c"), PermissionsExt::from_mode(0o755)).unwrap();
            write(path.join("y"), "y");
        },
    );
    let commit = pair.clean();
    let repo = pair.pool.repo();
    assert_eq!(list(repo, &commit), ["a", "c", "x", "y"]);
    assert_eq!(
        text(repo, &commit, "a"),
        lines.replace('1', "one").replace('9', "nine")
    );
    let diff = repo
        .diff(&pair.one.commit, &commit, &[], DiffForm::Stat)
        .unwrap();
    assert!(String::from_utf8_lossy(&diff).contains("3 files changed"));
}

#[test]
fn an_edit_follows_a_rename() {
    let lines = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let pair = pair(
        &[("old", lines)],
        |path| write(path.join("old"), &lines.replace('5', "five")),
        |path| std::fs::rename(path.join("old"), path.join("new")).unwrap(),
    );
    let commit = pair.clean();
    assert_eq!(list(pair.pool.repo(), &commit), ["new"]);
    assert_eq!(
        text(pair.pool.repo(), &commit, "new"),
        lines.replace('5', "five")
    );
}

#[test]
fn whatever_cannot_be_kept_of_both_is_a_conflict() {
    let same_line = pair(
        &[("a", "1\n")],
        |path| write(path.join("a"), "one\n"),
        |path| write(path.join("a"), "eins\n"),
    );
    assert_eq!(same_line.conflict(), ["a"]);

    let edit_and_delete = pair(
        &[("a", "1\n")],
        |path| write(path.join("a"), "one\n"),
        |path| std::fs::remove_file(path.join("a")).unwrap(),
    );
    assert_eq!(edit_and_delete.conflict(), ["a"]);

    let binary = pair(
        &[("a", "\0one\n\n\n\n\n\n\n\nlast")],
        |path| write(path.join("a"), "\0ONE\n\n\n\n\n\n\n\nlast"),
        |path| write(path.join("a"), "\0one\n\n\n\n\n\n\n\nLAST"),
    );
    assert_eq!(binary.conflict(), ["a"]);

    let both_add = pair(
        &[("a", "1\n")],
        |path| write(path.join("new"), "one\n"),
        |path| write(path.join("new"), "two\n"),
    );
    assert_eq!(both_add.conflict(), ["new"]);

    let file_and_folder = pair(
        &[("a", "1\n")],
        |path| write(path.join("new"), "one\n"),
        |path| write(path.join("new/inner"), "two\n"),
    );
    assert!(!file_and_folder.conflict().is_empty());

    let two_renames = pair(
        &[("a", "1\n2\n3\n4\n5\n")],
        |path| std::fs::rename(path.join("a"), path.join("b")).unwrap(),
        |path| std::fs::rename(path.join("a"), path.join("c")).unwrap(),
    );
    assert!(!two_renames.conflict().is_empty());
}

#[test]
fn attributes_that_an_agent_wrote_do_not_merge_for_it() {
    let pair = pair(
        &[("a", "1\n"), (".gitattributes", "* merge=union\n")],
        |path| write(path.join("a"), "one\n"),
        |path| write(path.join("a"), "eins\n"),
    );
    assert_eq!(pair.conflict(), ["a"]);
}

#[test]
fn a_conflict_is_redone_on_the_new_base() {
    let pair = pair(
        &[("a", "1\n")],
        |path| write(path.join("a"), "one\n"),
        |path| write(path.join("a"), "eins\n"),
    );
    let onto = &pair.one.commit;
    let again = pair.pool.worktree(RUN, TaskNo(2), 1, onto).unwrap();
    assert_eq!(
        std::fs::read_to_string(again.path.join("a")).unwrap(),
        "one\n"
    );
    write(again.path.join("a"), "one und eins\n");
    let snapshot = collect(&pair.pool, &again).snapshot;
    let merged = pair
        .pool
        .repo()
        .merge(onto, &snapshot, "two\n", AT)
        .unwrap();
    assert!(matches!(merged, Merged::Clean { .. }));
}

#[test]
fn a_head_moves_only_from_where_it_was_believed() {
    let pair = pair(
        &[("a", "1")],
        |path| write(path.join("b"), "2"),
        |path| write(path.join("c"), "3"),
    );
    let repo = pair.pool.repo();
    let (one, two) = (&pair.one.commit, &pair.two.commit);
    assert_eq!(repo.head(RUN).unwrap(), None);
    repo.update_ref(RUN, None, one).unwrap();
    repo.update_ref(RUN, None, one).unwrap();
    let moved = repo.update_ref(RUN, None, two).unwrap_err();
    assert!(matches!(moved, Fault::RefMoved { .. }), "{moved}");
    let moved = repo.update_ref(RUN, Some(two), &pair.one.base).unwrap_err();
    assert!(matches!(moved, Fault::RefMoved { .. }), "{moved}");
    repo.update_ref(RUN, Some(one), two).unwrap();
    repo.update_ref(RUN, Some(one), two).unwrap();
    assert_eq!(repo.head(RUN).unwrap().as_ref(), Some(two));
}

/// A small generator; the seed stands in the assertion's message.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Marks lines of files, each mark once: a clean merge has every mark of both sides.
fn mark(path: &Path, side: &str, state: &mut u64) -> Vec<String> {
    let mut marks = Vec::new();
    for file in 0..4 {
        let place = path.join(format!("f{file}"));
        let text = std::fs::read_to_string(&place).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for line in &mut lines {
            if next(state).is_multiple_of(9) {
                let mark = format!("{side}-{file}-{line}");
                line.clone_from(&mark);
                marks.push(mark);
            }
        }
        write(&place, &(lines.join("\n") + "\n"));
    }
    marks
}

#[test]
fn no_hunk_is_ever_lost() {
    let files: Vec<(String, String)> = (0..4)
        .map(|file| {
            let lines = (0..12).map(|line| format!("{file}.{line}\n")).collect();
            (format!("f{file}"), lines)
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(p, t)| (p.as_str(), t.as_str()))
        .collect();
    let (mut clean, mut conflicts) = (0, 0);
    for seed in 1..=12u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (mut ones, mut twos) = (Vec::new(), Vec::new());
        let mut other = next(&mut state);
        let pair = pair(
            &files,
            |path| ones = mark(path, "one", &mut state),
            |path| {
                twos = mark(path, "two", &mut other);
                // Half of them move a file as well.
                if seed.is_multiple_of(2) {
                    std::fs::rename(path.join("f0"), path.join("moved")).unwrap();
                }
            },
        );
        match pair.merge() {
            Merged::Conflict { paths } => {
                assert!(!paths.is_empty(), "seed {seed}");
                conflicts += 1;
            }
            Merged::Clean { commit, .. } => {
                clean += 1;
                let repo = pair.pool.repo();
                let all: String = list(repo, &commit)
                    .iter()
                    .map(|path| text(repo, &commit, path))
                    .collect();
                for mark in ones.iter().chain(&twos) {
                    assert!(all.contains(mark.as_str()), "seed {seed}: {mark} is lost");
                }
            }
        }
    }
    assert!(
        clean > 0 && conflicts > 0,
        "{clean} clean, {conflicts} conflicts"
    );
}
