//! Budgets over several runs and tasks, on the simulator's disk.

use divisi_core::ids::{AttemptId, RunId, TaskNo, Time};
use divisi_core::ledger::{Account, Amount, Bound, Measure};
use divisi_core::plan::Work;
use divisi_core::receipt::{Exit, Usage};
use divisi_core::run::{
    Budget, Command, Defined, DefinedProgram, PauseReason, Said, Settings, Speaks,
};
use divisi_core::worker::Ended;
use divisi_engine::world::{Ask, World};

use crate::journal::FaultyJournal;
use crate::world_tests::{create, open, unnamed};

/// An end in good order.
fn instant() -> Ended {
    Ended {
        wall_ms: 10,
        ..Ended::of(Exit::Status(0))
    }
}

fn tokens(many: u64) -> Budget {
    Budget::default().with(Bound::Tokens(many))
}

/// Tasks that ask a model, with a reservation of so many tokens each.
fn asking(ids: &[&str], each: u64) -> Ask {
    let settings = Settings {
        attempt_tokens: each,
        ..Settings::default()
    };
    let mut ask = create(ids, settings);
    if let Ask::Create(create) = &mut ask {
        let mut plan = (*create.plan).clone();
        for task in &mut plan.tasks {
            task.agent = Some("coder".to_owned());
            task.work = Work::Handoff;
        }
        create.plan = plan.into();
    }
    ask
}

/// An attempt ends, and its agent says to have used so much.
fn ended(run: u32, task: u32, tokens: u64) -> Ask {
    let attempt = AttemptId {
        run: RunId(run),
        task: TaskNo(task),
        number: 1,
    };
    let usage = Usage {
        tokens,
        usd_micros: None,
    };
    let ended = Ended {
        usage: Some(usage),
        ..instant()
    };
    Ask::Run(
        attempt.run,
        Command::Ended {
            attempt,
            ended,
            said: None,
        },
    )
}

#[test]
fn two_runs_race_for_the_rest_of_the_day() {
    let mut world = open(&FaultyJournal::default());
    world.day = tokens(100_000);
    let mut directives = unnamed(asking(&["a"], 80_000));
    directives.extend(unnamed(asking(&["b"], 80_000)));
    world.step(directives, Time(2)).unwrap();
    let slots = |world: &World<FaultyJournal>, run| world.run(RunId(run)).unwrap().slots();
    // The first takes what it asks for; of that some may come back, so the second waits.
    assert_eq!((slots(&world, 1), slots(&world, 2)), (1, 0));
    let day = |world: &World<FaultyJournal>| world.ledger().accounts[&Account::Day(0)];
    assert_eq!(day(&world).taken().tokens, 80_000);
    assert_eq!(
        world.run(RunId(2)).unwrap().paused,
        None,
        "it waits for that"
    );
    world.step(unnamed(ended(1, 0, 30_000)), Time(3)).unwrap();
    // What came back is the rest of the day, and the second gets no more than that.
    let held: Vec<u64> = world
        .ledger()
        .held
        .values()
        .map(|it| it.amount.tokens)
        .collect();
    assert_eq!(held, [70_000]);
    assert_eq!(day(&world).taken().tokens, 100_000);
    // It overshoots by its last answer, and then nothing is left for anybody.
    world.step(unnamed(ended(2, 0, 75_000)), Time(4)).unwrap();
    assert_eq!(day(&world).used.tokens, 105_000);
    world
        .step(unnamed(asking(&["c"], 80_000)), Time(5))
        .unwrap();
    let paused = world.run(RunId(3)).unwrap().paused.clone();
    let Some(PauseReason::Budget(exhausted)) = paused else {
        panic!("{paused:?}");
    };
    assert_eq!(exhausted.account, Account::Day(0));
    // Another day has another account, by what is configured then.
    world.day = tokens(500_000);
    let tomorrow = Time(24 * 60 * 60 * 1_000);
    world
        .step(unnamed(asking(&["c"], 80_000)), tomorrow)
        .unwrap();
    let next = world.ledger().accounts[&Account::Day(1)];
    assert_eq!(
        (next.held.tokens, next.left(Measure::Tokens)),
        (80_000, Some(420_000))
    );
    assert_eq!(day(&world).taken().tokens, 105_000);
}

/// What a day is charged for the attempt of one of these agents, of what was reserved, and whether
/// that is flagged.
fn charged(agent: &str, usage: Option<Usage>) -> (u64, u64, bool) {
    let program = DefinedProgram {
        command: vec!["words".to_owned()],
        speaks: Speaks::Text,
        variables: Vec::new(),
    };
    let mut world = open(&FaultyJournal::default());
    world.day = tokens(100_000).with(Bound::UsdMicros(9_000_000));
    let mut ask = asking(&["a"], 80_000);
    if let Ask::Create(create) = &mut ask {
        let defined = &mut create.settings.defined;
        defined.insert("custom.words".to_owned(), Defined::Program(program));
        let mut plan = (*create.plan).clone();
        plan.tasks[0].agent = Some(agent.to_owned());
        create.plan = plan.into();
    }
    world.step(unnamed(ask), Time(2)).unwrap();
    let mut end = ended(1, 0, 0);
    if let Ask::Run(_, Command::Ended { ended, .. }) = &mut end {
        ended.usage = usage;
    }
    world.step(unnamed(end), Time(3)).unwrap();
    let day = world.ledger().accounts[&Account::Day(0)];
    assert_eq!(day.held, Amount::default());
    (day.used.tokens, day.used.usd_micros, day.unreported == 1)
}

#[test]
fn what_an_agent_does_not_say_this_time_stays_charged_as_it_was_reserved() {
    let said = |tokens, usd_micros| Some(Usage { tokens, usd_micros });
    for (agent, usage, expected) in [
        ("codex", said(500, Some(7)), (500, 7, false)),
        // A time box, a stall or a cancel is when it cannot say it.
        ("codex", None, (80_000, 2_000_000, true)),
        ("claude", None, (80_000, 2_000_000, true)),
        // Ended from outside, it did not come to name its price.
        ("claude", said(500, None), (500, 2_000_000, true)),
        // It tells of its last request only.
        (
            "opencode-acp",
            said(500, Some(7)),
            (80_000, 2_000_000, true),
        ),
        (
            "opencode-acp",
            said(81_000, None),
            (81_000, 2_000_000, true),
        ),
        ("opencode-acp", said(0, Some(0)), (0, 0, false)),
        // They never say anything.
        ("copilot", None, (0, 0, true)),
        ("custom.words", None, (0, 0, true)),
        ("command", None, (0, 0, false)),
        ("scripted", None, (0, 0, false)),
    ] {
        assert_eq!(charged(agent, usage), expected, "{agent} {usage:?}");
    }
}

#[test]
fn what_ended_with_its_machine_stays_charged_as_it_was_reserved() {
    let mut world = open(&FaultyJournal::default());
    let much = |measure| Bound::of(measure, 1_000_000_000);
    world.day = Measure::ALL
        .map(much)
        .into_iter()
        .fold(Budget::default(), Budget::with);
    world
        .step(unnamed(asking(&["a"], 80_000)), Time(2))
        .unwrap();
    let reserved = world.ledger().accounts[&Account::Day(0)].held;
    assert_eq!((reserved.attempts, reserved.tokens), (1, 80_000));
    // As the supervisor says it of those that it finds noted from before the machine started.
    let mut gone = ended(1, 0, 500);
    if let Ask::Run(_, Command::Ended { ended, .. }) = &mut gone {
        (ended.exit, ended.told, ended.wall_ms) = (Exit::NoProcess, true, 0);
    }
    world.step(unnamed(gone), Time(3)).unwrap();
    let day = world.ledger().accounts[&Account::Day(0)];
    assert_eq!((day.used, day.unreported), (reserved, 1));
}

#[test]
fn a_task_whose_own_budget_is_used_up_lets_the_others_go_on() {
    let mut world = open(&FaultyJournal::default());
    let mut ask = asking(&["a", "b", "c"], 80_000);
    if let Ask::Create(create) = &mut ask {
        create.settings.workers_max = 1;
        let mut plan = (*create.plan).clone();
        plan.tasks[0].budget = Budget::default().with(Bound::Attempts(1));
        create.plan = plan.into();
    }
    world.step(unnamed(ask), Time(2)).unwrap();
    let run = |world: &World<FaultyJournal>| world.run(RunId(1)).unwrap().clone();
    let asked = |task, number, said| {
        let attempt = AttemptId {
            run: RunId(1),
            task: TaskNo(task),
            number,
        };
        Ask::Run(
            RunId(1),
            Command::Ended {
                attempt,
                ended: instant(),
                said: Some(said),
            },
        )
    };
    // Its one attempt ends as it may, and would be followed by another one.
    let limit = || Said::UsedUp(Bound::Tokens(80_000));
    world.step(unnamed(asked(0, 1, limit())), Time(3)).unwrap();
    assert_eq!(run(&world).tasks()[0].attempts(), 1);
    assert_eq!(
        run(&world).tasks()[1].attempts(),
        1,
        "the next has the slot"
    );
    assert_eq!(run(&world).paused, None);
    // Nothing else goes on: now it is said what holds the run back, and of which task.
    for (task, at) in [(1, 4), (2, 5)] {
        let question = Said::Question("which?".to_owned());
        world
            .step(unnamed(asked(task, 1, question)), Time(at))
            .unwrap();
    }
    let Some(PauseReason::Budget(exhausted)) = run(&world).paused else {
        panic!("{:?}", run(&world).paused);
    };
    assert_eq!(exhausted.account, Account::Task(RunId(1), TaskNo(0)));
    assert_eq!(
        exhausted.commands(RunId(1)),
        ["divisi resume run-1 --task a --budget N-attempts"]
    );
    let more = Budget::default().with(Bound::Attempts(2));
    let mut directives = unnamed(Ask::Budget(exhausted.account, more));
    directives.extend(unnamed(Ask::Run(RunId(1), Command::Resume)));
    world.step(directives, Time(6)).unwrap();
    assert_eq!(run(&world).tasks()[0].attempts(), 2);
}
