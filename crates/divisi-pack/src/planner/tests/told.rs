//! Requests that are made at random: what they tell and what they exclude changes no task.

use super::*;
use crate::dice::Dice;

/// What is asked for.
const ASKED: &[&str] = &[
    "Add paging to the order list",
    "Write unit tests for the pager",
    "Audit the login for injection",
    "Design the retry queue",
    "Fix the crash of the importer in src/main.rs",
    "Update the changelog",
    "Deploy the worker",
    "Refactor the scheduler",
    "Investigate why startup takes a minute",
    "Then rename the flag everywhere",
    "Please write a migration guide",
];

/// What is told beside: of the past, of how things are, of others, of manner.
const TOLD: &[&str] = &[
    "We use cobra for the command parsing.",
    "I tested it in Firefox and in Chrome.",
    "The docs say it should scale.",
    "It used to work before we upgraded Electron in March.",
    "We already deployed a fix last year, and rolled it back.",
    "Our users complain that search is slow.",
    "The nightly job that reads the stations fails silently when one is down.",
    "Marketing will announce it next week.",
    "The security team audited the login in May.",
    "Existing tests must keep passing.",
    "It should stay fast.",
    "We'll write the release notes ourselves.",
    "They deploy on Fridays.",
    "The tests are flaky.",
    "Keep it boring.",
    "Thanks a lot!",
];

/// How two things are excluded.
const EXCLUDED: &[&str] = &[
    "Do not touch the {one} or the {other}.",
    "Please don't change the {one}, the {other} or the readings.",
    "Never edit the {one} and the {other}.",
    "Leave the {one} and the {other} alone.",
    "Don't bother with the {one} or the {other}.",
    "Do not migrate the {one}, which is owned by the {other}.",
    "The {one} and the {other} are out of scope: leave the {one}, the {other} alone.",
    "Avoid touching the {one} or the {other}.",
    "Make sure not to break the {one} or the {other}.",
];

const THINGS: &[&str] = &[
    "public API",
    "seed data",
    "legacy exporter",
    "billing tables",
    "mobile client",
    "docs site",
    "inventory module",
    "German texts",
];

/// So many requests of each kind are made.
const SEEDS: u64 = 100;

/// Sentences that ask for something, each once.
fn asked(dice: &mut Dice) -> Vec<String> {
    let mut asked: Vec<String> = Vec::new();
    for _ in 0..2 + dice.roll(3) {
        let one = dice.pick(ASKED);
        let is_new = !asked.iter().any(|it| it.starts_with(one));
        // Nothing comes before what is said first.
        if is_new && !(asked.is_empty() && one.starts_with("Then")) {
            asked.push(format!("{one}."));
        }
    }
    asked
}

/// The tasks of a request that is planned, each in one line with its title.
fn tasks(text: &str) -> Option<Vec<String>> {
    match answer(text) {
        Answer::Planned(planned) => {
            let tasks = planned.plan.tasks.iter();
            Some(
                tasks
                    .map(|it| format!("{}: {}", outline(it), it.title))
                    .collect(),
            )
        }
        Answer::Declined(_) => None,
    }
}

#[test]
fn what_is_told_is_no_task_and_changes_none() {
    let mut divided = 0;
    for seed in 0..SEEDS {
        let dice = &mut Dice(seed);
        let mut sentences = asked(dice);
        let alone = tasks(&sentences.join(" "));
        for _ in 0..=dice.roll(3) {
            let at = dice.roll(sentences.len() as u64 + 1) as usize;
            sentences.insert(at, dice.pick(TOLD).to_owned());
        }
        let text = sentences.join(" ");
        let told = tasks(&text);
        // A title of all of it is the text's own.
        if alone.as_ref().is_some_and(|it| it.len() > 1) {
            divided += 1;
            assert_eq!(told, alone, "seed {seed}: {text}");
        } else {
            let count = told.map(|it| it.len());
            assert_eq!(count, alone.map(|it| it.len()), "seed {seed}: {text}");
        }
    }
    assert!(divided * 2 > SEEDS, "{divided}");
}

#[test]
fn what_is_excluded_is_in_no_task() {
    let mut divided = 0;
    for seed in 0..SEEDS {
        let dice = &mut Dice(seed);
        let mut sentences = asked(dice);
        let alone = tasks(&sentences.join(" "));
        // The title of what is one task is all that is said, with what is excluded.
        let Some(alone) = alone.filter(|it| it.len() > 1) else {
            continue;
        };
        divided += 1;
        let (one, other) = (dice.pick(THINGS), dice.pick(THINGS));
        let excluded = dice.pick(EXCLUDED).replace("{one}", one);
        let excluded = excluded.replace("{other}", other);
        let at = 1 + dice.roll(sentences.len() as u64) as usize;
        sentences.insert(at, excluded);
        let text = sentences.join(" ");
        assert_eq!(tasks(&text), Some(alone), "seed {seed}: {text}");
        let Answer::Planned(planned) = answer(&text) else {
            panic!("seed {seed}: {text}: declined");
        };
        for task in &planned.plan.tasks {
            let made = task.deliverables.iter().map(|it| it.path.as_str());
            let scope = task.scope.iter().map(String::as_str);
            let mut does = made.chain(scope).chain([task.title.as_str()]);
            let found = does.find(|it| it.contains(one) || it.contains(other));
            assert_eq!(found, None, "seed {seed}: {text}");
        }
    }
    assert!(divided * 2 > SEEDS, "{divided}");
}
