//! Limits and what follows from them: how long, for whom, and what is used instead.

use super::*;
use crate::ids::{RunId, TaskNo};
use crate::ledger::{Command, Refusal};
use crate::run::{Defined, DefinedModel, ModelBounds, Provider};

fn attempt(number: u32) -> AttemptId {
    AttemptId {
        run: RunId(1),
        task: TaskNo(0),
        number,
    }
}

fn key(name: &str) -> Credential {
    Credential::Variable(name.to_owned())
}

/// An attempt of one credential, leased at a time, that is told to wait or not.
fn met(number: u32, leased_at: u64, wait_ms: Option<u64>) -> Command {
    Command::Limit(Box::new(Met {
        attempt: attempt(number),
        leased_at: Time(leased_at),
        credential: key("KEY"),
        cause: "429".to_owned(),
        wait_ms,
        delay_ms: 1_000,
    }))
}

fn ends_at(ledger: &Ledger) -> (u64, u32) {
    let limit = &ledger.limits[&key("KEY")];
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
    let lift_of = |name: &str, keys: &[&str]| Command::Lift {
        name: name.to_owned(),
        credentials: keys.iter().map(|name| key(name)).collect(),
    };
    let lift = || lift_of("claude", &["TOKEN", "KEY"]);
    let refused = Err(Refusal::NotLimited("claude".to_owned()));
    assert_eq!(ledger.decide(lift(), Time(0)), refused);
    ledger.decide(met(1, 0, Some(5_000)), Time(100)).unwrap();
    let row = super::super::stored::ledger_row(&ledger, 1);
    let restored = super::super::stored::restore(&row, &[]).unwrap();
    assert_eq!(restored.limits, ledger.limits);
    let other = ledger.decide(lift_of("codex", &["OTHER"]), Time(150));
    assert_eq!(other, Err(Refusal::NotLimited("codex".to_owned())));
    let lifted = |command, now| ledger.clone().decide(command, Time(now));
    let expected = Event::LimitLifted {
        credentials: vec![key("KEY")],
    };
    assert_eq!(lifted(lift_of("KEY", &[]), 200), Ok(Some(expected.clone())));
    assert_eq!(ledger.decide(lift(), Time(200)), Ok(Some(expected)));
    assert_eq!(ledger.limited_at(Time(200)).count(), 0);
    assert_eq!(ledger.decide(lift(), Time(300)), refused);
    // One that is over is not waited for.
    ledger.decide(met(2, 300, Some(1)), Time(400)).unwrap();
    assert_eq!(ledger.decide(lift(), Time(500)), refused);
}

/// Agents as configuration defines them: one with the key of another, one with a key of its own, and
/// one without.
fn defined() -> BTreeMap<String, Defined> {
    let model = |provider, key: Option<&str>| {
        Defined::Model(DefinedModel {
            provider,
            model: "m".to_owned(),
            url: None,
            key: key.map(str::to_owned),
            bounds: ModelBounds::default(),
        })
    };
    BTreeMap::from([
        ("model".to_owned(), model(Provider::Openai, Some("A_KEY"))),
        ("custom.own".to_owned(), model(Provider::Openai, Some("M"))),
        ("custom.local".to_owned(), model(Provider::Ollama, None)),
    ])
}

/// Limits until these times, at time 100. `claude` and `claude-acp` have `A_KEY` and their login, `codex`
/// has a key of its own.
fn choose(limits: &[(Credential, u64)], settings: &Settings, agent: &str) -> Choice {
    choose_for(limits, settings, Wanted::agent(agent))
}

/// The same for who is wanted.
fn choose_for(limits: &[(Credential, u64)], settings: &Settings, wanted: Wanted<'_>) -> Choice {
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
        .map(|(credential, until)| (credential.clone(), limit(*until)))
        .collect();
    let credentials = BTreeMap::from([
        ("claude".to_owned(), vec![key("A_KEY"), login()]),
        ("claude-acp".to_owned(), vec![key("A_KEY"), login()]),
        ("codex".to_owned(), vec![key("C_KEY")]),
    ]);
    let access = Access {
        limits: &limits,
        credentials: &credentials,
        offset_ms: 0,
    };
    access.choose(settings, wanted, Time(100))
}

fn login() -> Credential {
    Credential::Login("claude".to_owned())
}

fn unknown(agent: &str) -> Credential {
    Credential::Agent(agent.to_owned())
}

fn begin(agent: &str, credential: Credential) -> Choice {
    Choice::Begin {
        with: Means {
            agent: agent.to_owned(),
            credential,
        },
    }
}

fn wait(credential: Credential, until: u64) -> Choice {
    Choice::Wait {
        on: Waiting::Limit(credential),
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
        credential: key("A_KEY"),
        until: Time(until),
    };
    let pause = settings(LimitThen::Pause);
    let other = settings(LimitThen::OtherCredential);
    let agent = settings(LimitThen::OtherAgent);
    let short = || (key("A_KEY"), 1_100);
    let long = || (key("A_KEY"), 9_000);
    let codex = || (key("C_KEY"), 9_000);
    let opencode = |until| (unknown("opencode"), until);
    for (limits, settings, expected) in [
        (&[][..], &pause, begin("claude", key("A_KEY"))),
        (
            &[(key("A_KEY"), 100)],
            &pause,
            begin("claude", key("A_KEY")),
        ),
        (&[short()], &pause, wait(key("A_KEY"), 1_100)),
        (&[(key("A_KEY"), 1_101)], &pause, beyond(1_101)),
        (&[(login(), 9_000)], &pause, begin("claude", key("A_KEY"))),
        // A short wait is no reason to pay from another pocket.
        (&[short()], &other, wait(key("A_KEY"), 1_100)),
        (&[long()], &other, begin("claude", login())),
        (&[long(), (login(), 500)], &other, wait(login(), 500)),
        (&[long(), (login(), 9_000)], &other, beyond(9_000)),
        (&[long()], &agent, begin("codex", key("C_KEY"))),
        (
            &[long(), codex()],
            &agent,
            begin("opencode", unknown("opencode")),
        ),
        (
            &[long(), codex(), opencode(700)],
            &agent,
            wait(unknown("opencode"), 700),
        ),
        (&[long(), codex(), opencode(9_000)], &agent, beyond(9_000)),
    ] {
        assert_eq!(choose(limits, settings, "claude"), expected, "{limits:?}");
    }
    // Where only some may take its place, no other does.
    let instead = ["claude".to_owned(), "opencode".to_owned()];
    let only = |many: usize| Wanted {
        agent: "claude",
        instead: Some(&instead[..many]),
    };
    for (limits, many, expected) in [
        (&[long()][..], 1, beyond(9_000)),
        (&[long()], 2, begin("opencode", unknown("opencode"))),
        (&[long(), opencode(700)], 2, wait(unknown("opencode"), 700)),
        (&[short()], 2, wait(key("A_KEY"), 1_100)),
    ] {
        assert_eq!(
            choose_for(limits, &agent, only(many)),
            expected,
            "{limits:?}"
        );
    }
    // Nobody waits in a person's place.
    assert_eq!(
        choose(&[(unknown("person"), 9_000)], &pause, "person"),
        begin("person", unknown("person"))
    );
}

#[test]
fn all_agents_that_use_a_credential_wait_for_its_limit_and_no_other_does() {
    let settings = Settings {
        limit_wait_max_ms: 1_000,
        defined: defined(),
        ..Settings::default()
    };
    let limits = [(key("A_KEY"), 500)];
    for agent in ["claude", "claude-acp", "model"] {
        let choice = choose(&limits, &settings, agent);
        assert_eq!(choice, wait(key("A_KEY"), 500), "{agent}");
    }
    for (agent, credential) in [
        ("codex", key("C_KEY")),
        ("custom.own", key("M")),
        ("custom.local", unknown("custom.local")),
        ("command", unknown("command")),
    ] {
        let choice = choose(&limits, &settings, agent);
        assert_eq!(choice, begin(agent, credential), "{agent}");
    }
    // Another agent is none to change to where it would use the same.
    let settings = Settings {
        limit_wait_max_ms: 100,
        limit_then: LimitThen::OtherAgent,
        limit_agents: BTreeMap::from([
            ("claude".to_owned(), "model".to_owned()),
            ("model".to_owned(), "custom.own".to_owned()),
        ]),
        ..settings
    };
    let choice = choose(&limits, &settings, "claude");
    assert_eq!(choice, begin("custom.own", key("M")));
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
    assert_eq!(
        choose(&[], &quiet, "person"),
        begin("person", unknown("person"))
    );
}
