//! Limits and what follows from them: how long, for whom, and what is used instead.

use super::*;
use crate::ids::{RunId, TaskNo};
use crate::ledger::{Command, Refusal};

fn attempt(number: u32) -> AttemptId {
    AttemptId {
        run: RunId(1),
        task: TaskNo(0),
        number,
    }
}

fn of(agent: &str, name: &str) -> Credential {
    Credential {
        agent: agent.to_owned(),
        name: (!name.is_empty()).then(|| name.to_owned()),
    }
}

/// An attempt of one credential, leased at a time, that is told to wait or not.
fn met(number: u32, leased_at: u64, wait_ms: Option<u64>) -> Command {
    Command::Limit(Box::new(Met {
        attempt: attempt(number),
        leased_at: Time(leased_at),
        credential: of("claude", "KEY"),
        cause: "429".to_owned(),
        wait_ms,
        delay_ms: 1_000,
    }))
}

fn ends_at(ledger: &Ledger) -> (u64, u32) {
    let limit = &ledger.limits[&of("claude", "KEY")];
    (limit.ends_at.0, limit.times)
}

#[test]
fn a_limit_ends_when_it_was_said_or_is_guessed_longer_each_time_in_a_row() {
    let mut ledger = Ledger::default();
    let mut at = |number, leased_at, wait_ms, now| {
        let event = ledger
            .decide(met(number, leased_at, wait_ms), Time(now))
            .unwrap();
        assert!(event.is_some());
        ends_at(&ledger)
    };
    assert_eq!(at(1, 0, Some(5_000), 100), (5_100, 1));
    assert_eq!(at(2, 5_100, None, 5_200), (7_200, 2), "in a row");
    assert_eq!(at(3, 7_200, None, 7_300), (11_300, 3));
    assert_eq!(
        at(4, 11_300, Some(1_000), 11_400),
        (12_400, 4),
        "said is said"
    );
    assert_eq!(
        at(5, 99_000, None, 100_000),
        (101_000, 1),
        "that was long ago"
    );
    let most = 200_000 + LIMIT_MS_MAX;
    assert_eq!(
        at(6, 199_000, Some(u64::MAX), 200_000),
        (most, 1),
        "and is bounded"
    );
}

#[test]
fn a_wait_of_nothing_is_believed_once_and_not_in_a_row() {
    let mut ledger = Ledger::default();
    let (mut now, mut waited) = (100, Vec::new());
    for number in 1..=6 {
        ledger.decide(met(number, now, Some(0)), Time(now)).unwrap();
        let (until, times) = ends_at(&ledger);
        assert_eq!(times, number);
        waited.push(until - now);
        now = until + 1;
    }
    assert_eq!(waited, [0, 2_000, 4_000, 8_000, 16_000, 32_000]);
}

#[test]
fn those_that_began_before_it_was_met_met_the_same_limit() {
    let mut ledger = Ledger::default();
    let mut at = |number, leased_at, wait_ms, now| {
        let event = ledger
            .decide(met(number, leased_at, wait_ms), Time(now))
            .unwrap();
        (event.is_some(), ends_at(&ledger))
    };
    assert_eq!(at(1, 0, None, 100), (true, (1_100, 1)));
    assert_eq!(at(2, 50, None, 200), (true, (1_100, 1)), "not doubled");
    assert_eq!(
        at(3, 60, Some(9_000), 300),
        (true, (9_300, 1)),
        "but known better"
    );
    assert_eq!(at(4, 70, Some(1), 400), (true, (9_300, 1)), "never shorter");
    assert_eq!(
        at(4, 70, Some(60_000), 500),
        (false, (9_300, 1)),
        "heard before"
    );
    assert_eq!(
        at(5, 80, None, 9_300),
        (true, (11_300, 2)),
        "what is over is not the same"
    );
}

#[test]
fn a_limit_is_lifted_by_hand_and_outlives_a_life() {
    let mut ledger = Ledger::default();
    let lift = || Command::Lift {
        agent: "claude".to_owned(),
    };
    let refused = Err(Refusal::NotLimited("claude".to_owned()));
    assert_eq!(ledger.decide(lift(), Time(0)), refused);
    ledger.decide(met(1, 0, Some(5_000)), Time(100)).unwrap();
    let row = super::super::stored::ledger_row(&ledger, 1);
    let restored = super::super::stored::restore(&row, &[]).unwrap();
    assert_eq!(restored.limits, ledger.limits);
    assert!(ledger.decide(lift(), Time(200)).unwrap().is_some());
    assert_eq!(ledger.limited_at(Time(200)).count(), 0);
    assert_eq!(ledger.decide(lift(), Time(300)), refused);
    // One that is over is not waited for.
    ledger.decide(met(2, 300, Some(1)), Time(400)).unwrap();
    assert_eq!(ledger.decide(lift(), Time(500)), refused);
}

/// Limits until these times, of agents whose credentials are `a` and `b`, at time 100.
fn choose(limits: &[(&str, &str, u64)], settings: &Settings, agent: &str) -> Choice {
    let limit = |until: u64| Limit {
        met_at: Time(0),
        ends_at: Time(until),
        said: true,
        times: 1,
        cause: "429".to_owned(),
        attempts: BTreeSet::new(),
    };
    let limits = limits
        .iter()
        .map(|(agent, name, until)| (of(agent, name), limit(*until)))
        .collect();
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let credentials = BTreeMap::from([
        ("claude".to_owned(), names()),
        ("codex".to_owned(), names()),
    ]);
    let access = Access {
        limits: &limits,
        credentials: &credentials,
        offset_ms: 0,
    };
    access.choose(settings, agent, Time(100))
}

fn begin(agent: &str, name: &str) -> Choice {
    Choice::Begin {
        with: of(agent, name),
    }
}

fn wait(agent: &str, name: &str, until: u64) -> Choice {
    Choice::Wait {
        on: Waiting::Limit(of(agent, name)),
        until: Time(until),
    }
}

#[test]
fn a_limit_is_waited_for_as_long_as_the_run_permits_and_then_something_else_is_done() {
    let settings = |limit_then| Settings {
        limit_wait_max_ms: 1_000,
        limit_then,
        limit_agents: BTreeMap::from([
            ("claude".to_owned(), "codex".to_owned()),
            ("codex".to_owned(), "opencode".to_owned()),
            ("opencode".to_owned(), "claude".to_owned()),
        ]),
        ..Settings::default()
    };
    let beyond = |until| Choice::Beyond {
        credential: of("claude", "a"),
        until: Time(until),
    };
    let pause = settings(LimitThen::Pause);
    let credential = settings(LimitThen::OtherCredential);
    let agent = settings(LimitThen::OtherAgent);
    let long = ("claude", "a", 9_000);
    for (limits, settings, expected) in [
        (&[][..], &pause, begin("claude", "a")),
        (&[("claude", "a", 100)], &pause, begin("claude", "a")),
        (
            &[("claude", "a", 1_100)],
            &pause,
            wait("claude", "a", 1_100),
        ),
        (&[("claude", "a", 1_101)], &pause, beyond(1_101)),
        (&[("claude", "b", 9_000)], &pause, begin("claude", "a")),
        // A short wait is no reason to pay from another pocket.
        (
            &[("claude", "a", 1_100)],
            &credential,
            wait("claude", "a", 1_100),
        ),
        (&[long], &credential, begin("claude", "b")),
        (
            &[long, ("claude", "b", 500)],
            &credential,
            wait("claude", "b", 500),
        ),
        (&[long, ("claude", "b", 9_000)], &credential, beyond(9_000)),
        (&[long], &agent, begin("codex", "a")),
        (
            &[long, ("codex", "a", 9_000)],
            &agent,
            begin("opencode", ""),
        ),
        (
            &[long, ("codex", "a", 9_000), ("opencode", "", 700)],
            &agent,
            wait("opencode", "", 700),
        ),
        (
            &[long, ("codex", "a", 9_000), ("opencode", "", 9_000)],
            &agent,
            beyond(9_000),
        ),
    ] {
        assert_eq!(choose(limits, settings, "claude"), expected, "{limits:?}");
    }
    // Nobody waits in a person's place.
    assert_eq!(
        choose(&[("person", "", 9_000)], &pause, "person"),
        begin("person", "")
    );
}

#[test]
fn quiet_hours_are_read_and_end() {
    let hours = |text| QuietHours::parse(text).map(|hours| hours.to_string());
    assert_eq!(hours("22:00-07:30").as_deref(), Some("22:00-07:30"));
    assert_eq!(hours("9:05 - 24:00").as_deref(), Some("09:05-00:00"));
    for refused in [
        "",
        "22-7",
        "22:00",
        "25:00-07:00",
        "22:60-07:00",
        "24:01-1:00",
        "7:00-7:00",
        "-1:00-2:00",
    ] {
        assert_eq!(hours(refused), None, "{refused}");
    }
    const MINUTE: u64 = 60_000;
    let night = QuietHours::parse("22:00-07:00").unwrap();
    let day = 24 * 60 * MINUTE;
    let at = |hour: u64, minute: u64| Time(3 * day + (hour * 60 + minute) * MINUTE + 1);
    let morning = Time(3 * day + 7 * 60 * MINUTE);
    assert_eq!(night.end(at(6, 59), 0), Some(morning));
    assert_eq!(night.end(at(7, 0), 0), None);
    assert_eq!(night.end(at(21, 59), 0), None);
    assert_eq!(night.end(at(22, 0), 0), Some(Time(morning.0 + day)));
    // Two hours further east it is night earlier.
    let east = 2 * 60 * MINUTE as i64;
    assert_eq!(
        night.end(at(20, 0), east),
        Some(Time(morning.0 + day - east as u64))
    );
    assert_eq!(night.end(at(5, 0), east), None);
    let noon = QuietHours::parse("12:00-13:00").unwrap();
    assert_eq!(
        noon.end(at(12, 30), 0),
        Some(Time(3 * day + 13 * 60 * MINUTE))
    );
    let quiet = Settings {
        quiet_hours: QuietHours::parse("00:00-01:00"),
        ..Settings::default()
    };
    let until = Time(60 * MINUTE);
    let expected = Choice::Wait {
        on: Waiting::QuietHours,
        until,
    };
    assert_eq!(choose(&[], &quiet, "command"), expected);
    assert_eq!(choose(&[], &quiet, "person"), begin("person", ""));
}
