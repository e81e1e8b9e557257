//! Killed at every place in turn.

use std::collections::BTreeSet;
use std::sync::Mutex;

use divisi_engine::failpoint::NAMES;

use crate::outcome::{assert_same_end, final_tree, finish, go_on};
use crate::stage::{Failpoint, Stage, git, side_by_side};

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    /// The one that passes the place; whoever else lives goes on.
    One,
    /// The engine at the place, and then its supervisor.
    Both,
}

/// One scenario killed once. Whether the place was passed at all.
fn kill_at(at: &str, killed: Killed) -> bool {
    let stage = Stage::new();
    let plan = stage.plan();
    let of_supervisor = at.starts_with("supervisor.");
    let process = go_on(&stage, &plan, Some(Failpoint { at })).expect("nothing has ended yet");
    let ended = process.end();
    let died = stage.died().exists();
    match (died, of_supervisor) {
        // The engine goes on with another supervisor.
        (_, true) | (false, false) => ended.assert_code(0),
        (true, false) => assert!(ended.was_killed(), "{at}: {ended:?}"),
    }
    if killed == Killed::Both {
        stage.kill_supervisor();
    }
    finish(&stage, &plan);
    assert_same_end(&stage);
    died
}

/// Places that a run does not pass, only `divisi merge` after it.
fn is_of_delivery(name: &str) -> bool {
    name.starts_with("deliver.")
}

/// Places that the run of a plan does not pass, only that of a workflow.
pub(crate) fn is_of_workflow(name: &str) -> bool {
    name.starts_with("artifact.")
}

/// Places that only a run with a review by an agent passes.
fn is_of_review(name: &str) -> bool {
    name.starts_with("weigh.")
}

/// Places that only a run with candidates passes.
fn is_of_candidates(name: &str) -> bool {
    name.starts_with("measure.")
}

/// Kills at all these places, several scenarios side by side; gives those that were never passed.
fn kill_at_all(places: &[(String, Killed)]) -> BTreeSet<String> {
    let never = Mutex::new(BTreeSet::new());
    side_by_side(places, |(at, killed)| {
        if !kill_at(at, *killed) {
            never.lock().unwrap().insert(at.clone());
        }
    });
    never.into_inner().unwrap()
}

#[test]
fn killed_at_every_failpoint_a_run_comes_to_the_same_end() {
    let mut places = Vec::new();
    let is_passed = |name: &str| {
        let is_elsewhere = is_of_delivery(name) || is_of_workflow(name);
        !is_elsewhere && !is_of_review(name) && !is_of_candidates(name)
    };
    for name in NAMES.iter().filter(|name| is_passed(name)) {
        places.push(((*name).to_owned(), Killed::One));
        if !name.starts_with("supervisor.") {
            places.push(((*name).to_owned(), Killed::Both));
        }
    }
    let never = kill_at_all(&places);
    assert!(
        never.is_empty(),
        "failpoints that are never passed: {never:?}"
    );
}

#[test]
fn killed_beside_every_journal_write_and_every_word_a_run_comes_to_the_same_end() {
    let names = [
        ("journal.append.before", 28),
        ("journal.append.after_commit", 28),
        ("words.send.after", 8),
        ("supervisor.spawn.after", 8),
        ("supervisor.words.send.before", 8),
        ("supervisor.notes.write.after", 8),
    ];
    let place = |name: &str, times: u32| (format!("{name}:{times}"), Killed::One);
    let places: Vec<(String, Killed)> = names
        .iter()
        .flat_map(|(name, most)| (2..=*most).map(|times| place(name, times)))
        .collect();
    let never = kill_at_all(&places);
    // How many writes a run needs depends on what happens to come together in one.
    assert!(never.len() * 2 < places.len(), "{never:?}");
}

#[test]
fn killed_while_it_delivers_a_merge_is_whole_when_it_is_repeated() {
    let places: Vec<&str> = NAMES
        .iter()
        .copied()
        .filter(|n| is_of_delivery(n))
        .collect();
    assert!(!places.is_empty());
    side_by_side(&places, |at| {
        let stage = Stage::new();
        finish(&stage, &stage.plan());
        assert_same_end(&stage);
        let merge = ["merge", "run-1", "--yes"];
        let ended = stage.start(&merge, Some(Failpoint { at })).end();
        assert!(ended.was_killed(), "{at}: {ended:?}");
        stage.start(&merge, None).end().assert_code(0);
        let tree = git(&stage.project, &["rev-parse", "HEAD^{tree}"]);
        assert_eq!(tree, final_tree(&stage));
        // What the user had not committed is as it was, and nothing else differs from the commit.
        let status = git(&stage.project, &["status", "--porcelain"]);
        assert_eq!(status, " M docs/guide.md\n?? docs/new.md\n");
        let text = std::fs::read_to_string(stage.project.join("docs/guide.md")).unwrap();
        assert_eq!(text, "How to, changed.\n");
        git(&stage.project, &["fsck", "--strict", "--no-dangling"]);
    });
}
