//! The loop against models that are lists of answers.

use std::collections::VecDeque;

use divisi_agents::adapter::{Reservation, Tokens};
use divisi_core::ledger::Bound;
use divisi_core::run::Budget;
use serde_json::json;

use super::*;
use crate::trouble::Kind;

/// What comes of a session, and what happened in it.
struct Held {
    claim: Claim,
    usage: Option<Tokens>,
    entries: Vec<Entry>,
    waited: Vec<u128>,
    asked: usize,
    left: usize,
}

fn answer(text: &str, functions: &[&str]) -> Answer {
    let call = |function: &&str| Call {
        id: "1".to_owned(),
        function: (*function).to_owned(),
        arguments: json!({}),
    };
    Answer {
        text: text.to_owned(),
        calls: functions.iter().map(call).collect(),
        usage: Some(Tokens {
            input_tokens: 10,
            output_tokens: 1,
            ..Tokens::default()
        }),
        is_cut_off: false,
        own: genai::chat::MessageContent::default(),
    }
}

fn cut_off(mut answer: Answer) -> Answer {
    answer.is_cut_off = true;
    answer
}

fn trouble(kind: Kind) -> Trouble {
    Trouble::new(kind, "words")
}

const BOUNDS: ModelBounds = ModelBounds {
    answers: 20,
    answer_tokens: 1_000,
    context_tokens: 10_000,
    silence_seconds: 1,
};

/// Has a model that gives these answers do a task. Its functions do what they are called.
fn held(answers: Vec<Result<Answer, Trouble>>) -> Held {
    within(Budget::default(), answers)
}

/// The same with so much reserved.
fn within(budget: Budget, answers: Vec<Result<Answer, Trouble>>) -> Held {
    let reservation = Reservation {
        budget,
        ..Reservation::default()
    };
    let mut answers = VecDeque::from(answers);
    let (mut entries, mut waited, mut asked) = (Vec::new(), Vec::new(), 0);
    let closing = Loop {
        ask: &mut |_| {
            asked += 1;
            let none = || Err(trouble(Kind::Unmade));
            answers.pop_front().unwrap_or_else(none)
        },
        call: &mut |call| match call.function.as_str() {
            "done" => Outcome::Done("it is done".to_owned()),
            "long" => Outcome::Done("x".repeat(16_000)),
            "failed" => Outcome::Failed("it failed".to_owned()),
            "denied" => Outcome::Denied {
                what: "write x".to_owned(),
                reason: "a rule".to_owned(),
            },
            other => Outcome::Faulty(format!("there is no {other}")),
        },
        wait: &mut |time| waited.push(time.as_millis()),
        tell: &mut |entry| {
            entries.push(entry);
            Ok(())
        },
        bounds: BOUNDS,
        meter: Meter::of_answers("model", None, reservation),
        key: Some("THE_KEY"),
    }
    .hold("do it".to_owned())
    .unwrap();
    Held {
        claim: closing.claim,
        usage: closing.usage,
        left: answers.len(),
        entries,
        waited,
        asked,
    }
}

fn cause(held: &Held) -> &str {
    match &held.claim {
        Claim::Failed { cause } => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_asked_in_vain_is_counted_and_what_was_refused_is_not() {
    let used = |answers| held(answers).usage.map(Tokens::tokens);
    let asked = messages_tokens();
    assert!(asked > 0);
    let broken = || Err(trouble(Kind::Broken));
    let silent = || Err(trouble(Kind::Silent));
    assert_eq!(used(vec![Ok(answer("", &[]))]), Some(11));
    assert_eq!(
        used(vec![broken(), silent(), Ok(answer("", &[]))]),
        Some(11 + 2 * asked)
    );
    assert_eq!(
        used(vec![
            Err(trouble(Kind::Status(500, None))),
            Ok(answer("", &[]))
        ]),
        Some(11)
    );
    // Refused for good, it used nothing; and that is known.
    assert_eq!(used(vec![Err(trouble(Kind::Status(401, None)))]), Some(0));
    // An answer that nobody measured is estimated.
    let unmeasured = Answer {
        usage: None,
        ..answer("12345678", &[])
    };
    assert_eq!(used(vec![Ok(unmeasured)]), Some(asked + 2));
}

fn messages_tokens() -> u64 {
    Messages::begin("do it".to_owned()).tokens() as u64
}

#[test]
fn nothing_is_asked_or_done_after_the_answer_that_uses_its_reservation_up() {
    let bound = Bound::Tokens(21);
    let budget = Budget::default().with(bound);
    let answers = || {
        vec![
            Ok(answer("first", &["done"])),
            Ok(answer("second", &["failed"])),
            Ok(answer("the end", &[])),
        ]
    };
    let ended = within(budget, answers());
    assert_eq!(ended.claim, Claim::UsedUp { bound });
    assert_eq!(
        (ended.asked, ended.usage.map(Tokens::tokens)),
        (2, Some(22))
    );
    let called = ended
        .entries
        .iter()
        .filter(|it| matches!(it, Entry::Called { .. }));
    assert_eq!(called.count(), 1);
    // The last answer of all may go beyond.
    let budget = Budget::default().with(Bound::Tokens(32));
    let ended = within(budget, answers());
    assert_eq!((ended.claim, ended.asked), (Claim::Done, 3));
}

#[test]
fn words_alone_end_it_and_nothing_is_asked_after_them() {
    let held = held(vec![
        Ok(answer("first", &["done", "failed"])),
        Ok(answer("the end", &[])),
        Ok(answer("never asked", &[])),
    ]);
    assert_eq!(held.claim, Claim::Done);
    assert_eq!((held.asked, held.left), (2, 1));
    let usage = held.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (20, 2));
    let words: Vec<&str> = (held.entries.iter())
        .map(|entry| match entry {
            Entry::Said { text } | Entry::Finished { text } => text,
            Entry::Called { function, .. } => function,
            Entry::Returned { output, .. } => output,
            Entry::Used { .. } => "used",
            Entry::UsedSoFar { .. } => "used so far",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        words,
        [
            "used",
            "used so far",
            "first",
            "done",
            "it is done",
            "failed",
            "it failed",
            "used",
            "used so far",
            "the end",
            "the end"
        ]
    );
}

#[test]
fn faulty_answers_in_a_row_end_it_and_one_that_is_none_begins_the_count_anew() {
    let faulty = || Ok(answer("", &["nonsense"]));
    let mut answers: Vec<_> = (0..4).map(|_| faulty()).collect();
    answers.push(Ok(answer("", &["nonsense", "done"])));
    answers.extend((0..4).map(|_| faulty()));
    answers.push(Ok(answer("the end", &[])));
    assert_eq!(held(answers).claim, Claim::Done);

    let held = held((0..9).map(|_| faulty()).collect());
    assert_eq!(held.asked, 5);
    let expected = "5 answers in a row could not be used; the last: there is no nonsense";
    assert_eq!(cause(&held), expected);
}

#[test]
fn an_answer_that_was_cut_off_is_not_the_end() {
    let held = held(vec![
        Ok(cut_off(answer("much", &[]))),
        Ok(cut_off(answer("more", &["nonsense"]))),
        Ok(answer("the end", &[])),
    ]);
    assert_eq!(held.claim, Claim::Done);
    let told = held.entries.iter().find_map(|entry| match entry {
        Entry::Returned { output, .. } => Some(output),
        _ => None,
    });
    assert!(
        told.is_some_and(|told| told.contains("cut off")),
        "{told:?}"
    );
}

#[test]
fn answers_are_bounded_and_so_are_the_calls_of_one() {
    let endless = held((0..50).map(|_| Ok(answer("", &["done"]))).collect());
    assert_eq!(endless.asked, 20);
    assert_eq!(
        cause(&endless),
        "it had 20 answers and did not come to an end"
    );

    let held = held(vec![
        Ok(answer("", &["done"; 70])),
        Ok(answer("the end", &[])),
    ]);
    let done = held.entries.iter().filter(|entry| {
        matches!(
            entry,
            Entry::Returned {
                succeeded: true,
                ..
            }
        )
    });
    assert_eq!(done.count(), 64);
}

#[test]
fn older_results_are_left_out_before_it_becomes_too_long() {
    let mut answers: Vec<_> = (0..10).map(|_| Ok(answer("", &["long"]))).collect();
    answers.push(Ok(answer("the end", &[])));
    let whole = held(answers);
    assert_eq!(whole.claim, Claim::Done);
    let notes = whole.entries.iter().filter(|entry| {
        matches!(entry, Entry::Noted { text } if text.contains("older results were left out"))
    });
    assert!(notes.count() > 0);

    let held = held(vec![Ok(answer(&"x".repeat(100_000), &["done"]))]);
    assert_eq!(held.asked, 1);
    assert!(
        cause(&held).contains("more than 10000 tokens"),
        "{}",
        cause(&held)
    );
}

#[test]
fn that_something_was_denied_is_no_failure_by_itself() {
    let held = held(vec![
        Ok(answer("", &["denied"])),
        Ok(answer("I wrote it.", &[])),
    ]);
    assert_eq!(held.claim, Claim::Done);
    let is_denied =
        |entry: &Entry| matches!(entry, Entry::Denied { what, .. } if what == "write x");
    assert!(held.entries.iter().any(is_denied));
}

#[test]
fn troubles_are_waited_for_and_then_claimed() {
    let broken = || Err(trouble(Kind::Broken));
    let passing = held(vec![
        broken(),
        Err(trouble(Kind::Silent)),
        Ok(answer("", &["done"])),
        broken(),
        Ok(answer("the end", &[])),
    ]);
    assert_eq!(passing.claim, Claim::Done);
    assert_eq!(passing.waited, [500, 1_000, 500]);

    let held = held((0..9).map(|_| broken()).collect());
    assert_eq!(
        (held.asked, &held.waited[..]),
        (4, &[500, 1_000, 2_000][..])
    );
    assert_eq!(cause(&held), "the model's answer broke off: words");
    assert!(matches!(held.entries.last(), Some(Entry::Broke { .. })));
}

#[test]
fn a_limit_is_claimed_with_its_wait_and_what_was_used_before() {
    let limit = Kind::Status(429, Some(Duration::from_secs(60)));
    let held = held(vec![Ok(answer("", &["done"])), Err(trouble(limit))]);
    assert_eq!((held.asked, held.waited.len()), (2, 0));
    let Claim::Limited { wait_ms, .. } = held.claim else {
        panic!("{:?}", held.claim);
    };
    assert_eq!(wait_ms, Some(60_000));
    assert_eq!(held.usage.map(Tokens::tokens), Some(11));
}
