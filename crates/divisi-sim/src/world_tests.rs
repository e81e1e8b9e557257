//! The world on the simulator's disk: what seeds found, each as one small case.

use std::collections::BTreeSet;
use std::sync::Arc;

use divisi_core::assign::Capacity;
use divisi_core::criterion::Criterion;
use divisi_core::ids::{CommandId, RunId, TaskId, TaskNo, Time};
use divisi_core::journal::{Journal, Stream};
use divisi_core::ledger::{self, Account};
use divisi_core::plan::{Plan, TaskSpec, Work};
use divisi_core::receipt::Exit;
use divisi_core::run::{
    Base, Budget, Command, Create, Defined, DefinedProgram, Finding, PauseReason, Rejection, Said,
    Settings, Speaks, TaskStatus,
};
use divisi_core::worker::Ended;
use divisi_engine::world::{Answer, Ask, Crossing, Delivery, Directive, Leasing, World};

use crate::journal::{Disk, FaultyJournal};
use crate::truth::same;

pub(crate) fn create(tasks: &[&str], settings: Settings) -> Ask {
    let spec = |name: &&str| TaskSpec::command(TaskId::new(*name).unwrap(), &["true"]);
    let plan = Plan {
        title: "t".to_owned(),
        tasks: tasks.iter().map(spec).collect(),
        ..Plan::default()
    };
    Ask::Create(Box::new(Create {
        plan: plan.into(),
        settings,
        base: Base::default(),
        approved: true,
        intent: None,
    }))
}

pub(crate) fn open(journal: &FaultyJournal) -> World<FaultyJournal> {
    let capacity = Capacity { workers: 9 };
    World::open(journal.clone(), capacity, Time(1)).unwrap()
}

pub(crate) fn unnamed(ask: Ask) -> Vec<Directive> {
    vec![Directive { id: None, ask }]
}

#[test]
fn a_command_repeated_within_one_step_takes_effect_once() {
    let mut world = open(&FaultyJournal::default());
    let directive = Directive {
        id: Some(CommandId::new("c1").unwrap()),
        ask: create(&["a"], Settings::default()),
    };
    let stepped = world
        .step(vec![directive.clone(), directive], Time(2))
        .unwrap();
    let first = Answer::Created(RunId(1));
    assert_eq!(
        stepped.answers,
        [first, Answer::Repeated("run-1".to_owned())]
    );
    assert_eq!(world.runs().count(), 1);
}

#[test]
fn a_runs_own_budget_binds_from_its_first_lease() {
    let mut world = open(&FaultyJournal::default());
    let settings = Settings {
        budget: Budget {
            attempts: Some(1),
            ..Budget::default()
        },
        ..Settings::default()
    };
    let directives = unnamed(create(&["a", "b"], settings));
    // The word to the ledger is late: nothing is leased before it arrives.
    let mut late = |crossing| match crossing {
        Crossing::Open(_) => Delivery::Later,
        _ => Delivery::Now,
    };
    world.step_with(directives, Time(2), &mut late).unwrap();
    assert_eq!(world.run(RunId(1)).unwrap().slots(), 0);
    world.step(Vec::new(), Time(3)).unwrap();
    assert_eq!(world.run(RunId(1)).unwrap().slots(), 1);
}

#[test]
fn dropped_rows_are_rebuilt_whole() {
    let journal = FaultyJournal::default();
    let mut world = open(&journal);
    let directives = unnamed(create(&["a", "b"], Settings::default()));
    world.step(directives, Time(2)).unwrap();
    // A task that was never leased, with what its owner told it.
    let ask = |command| unnamed(Ask::Run(RunId(1), command));
    let pause = Command::Pause {
        reason: PauseReason::Owner,
        stop: false,
    };
    world.step(ask(pause), Time(3)).unwrap();
    let told = world.run(RunId(1)).unwrap().clone();
    journal.disk(Disk::drop_rows);
    assert_eq!(same(&told, open(&journal).run(RunId(1)).unwrap()), Ok(()));
    // Now from the rows.
    assert_eq!(same(&told, open(&journal).run(RunId(1)).unwrap()), Ok(()));
}

#[test]
fn a_note_to_a_task_that_never_ran_survives_dropped_rows() {
    let journal = FaultyJournal::default();
    let mut world = open(&journal);
    let settings = Settings {
        workers_max: 1,
        ..Settings::default()
    };
    world
        .step(unnamed(create(&["a", "b"], settings)), Time(2))
        .unwrap();
    let task = TaskNo(1);
    let note = "mind the gap".to_owned();
    let cancel = Command::Cancel { task: Some(task) };
    for command in [cancel, Command::Retry { task, note }] {
        let ask = unnamed(Ask::Run(RunId(1), command));
        world.step(ask, Time(3)).unwrap();
    }
    let told = world.run(RunId(1)).unwrap().clone();
    assert_eq!(told.tasks()[1].answers.len(), 1);
    journal.disk(Disk::drop_rows);
    drop(open(&journal));
    assert_eq!(same(&told, open(&journal).run(RunId(1)).unwrap()), Ok(()));
}

#[test]
fn a_run_that_ended_is_not_read_when_an_engine_starts() {
    let journal = FaultyJournal::default();
    let mut world = open(&journal);
    for tasks in [["a"], ["b"]] {
        let create = unnamed(create(&tasks, Settings::default()));
        world.step(create, Time(2)).unwrap();
    }
    let cancel = |run| unnamed(Ask::Run(RunId(run), Command::Cancel { task: None }));
    // Its task works: what is to be stopped is owed, also by a run that is being canceled.
    world.step(cancel(1), Time(3)).unwrap();
    let attempt = world.run(RunId(1)).unwrap().attempt_id(TaskNo(0), 1);
    drop(world);
    let mut world = open(&journal);
    assert!(world.run(RunId(1)).is_some());
    let finding = Finding::Lost("gone".to_owned());
    let lost = Command::Find { attempt, finding };
    world
        .step(unnamed(Ask::Run(RunId(1), lost)), Time(4))
        .unwrap();
    assert!(world.run(RunId(1)).is_none(), "it has ended");
    journal.disk(|disk| disk.spoil(Stream::Run(RunId(1))));
    let mut world = open(&journal);
    assert!(world.run(RunId(2)).is_some());
    let third = create(&["c"], Settings::default());
    let stepped = world.step(unnamed(third), Time(5)).unwrap();
    assert_eq!(stepped.answers, [Answer::Created(RunId(3))]);
}

#[test]
fn a_task_that_waits_for_a_slot_is_not_due_by_the_clock() {
    let mut world = open(&FaultyJournal::default());
    world.capacity.workers = 1;
    let directives = unnamed(create(&["a", "b"], Settings::default()));
    world.step(directives, Time(2)).unwrap();
    let attempt = world.run(RunId(1)).unwrap().attempt_id(TaskNo(0), 1);
    let finding = Finding::Lost("silent".to_owned());
    let lost = Ask::Run(RunId(1), Command::Find { attempt, finding });
    world.step(unnamed(lost), Time(10)).unwrap();
    assert_eq!(world.due_at(), Some(Time(1_010)));
    // The other task has the only slot: waking again and again would not help.
    world.step(Vec::new(), Time(1_010)).unwrap();
    assert_eq!(world.due_at(), None);
}

fn bounded(attempts: u64) -> Settings {
    Settings {
        budget: Budget {
            attempts: Some(attempts),
            ..Budget::default()
        },
        ..Settings::default()
    }
}

fn permit(run: u32, attempts: u64) -> Ask {
    let budget = Budget {
        attempts: Some(attempts),
        ..Budget::default()
    };
    Ask::Budget(Account::Run(RunId(run)), budget)
}

#[test]
fn what_is_permitted_outlives_a_new_life_and_dropped_rows() {
    let journal = FaultyJournal::default();
    let mut world = open(&journal);
    let directives = unnamed(create(&["a", "b"], bounded(1)));
    world.step(directives, Time(2)).unwrap();
    let id = Some(CommandId::new("more").unwrap());
    let ask = permit(1, 2);
    let raise = Directive { id, ask };
    let stepped = world.step(vec![raise.clone()], Time(3)).unwrap();
    assert_eq!(stepped.answers, [Answer::Accepted]);
    // The same step leases what the budget held back.
    assert_eq!(world.run(RunId(1)).unwrap().slots(), 2);
    journal.disk(Disk::drop_rows);
    drop(world);
    let mut world = open(&journal);
    let balance = world.ledger().accounts[&Account::Run(RunId(1))];
    assert_eq!(balance.budget.attempts, Some(2));
    let stepped = world.step(vec![raise], Time(4)).unwrap();
    assert!(matches!(stepped.answers[..], [Answer::Repeated(_)]));
}

#[test]
fn the_word_of_the_creation_may_come_after_what_the_owner_said() {
    let mut world = open(&FaultyJournal::default());
    let directives = unnamed(create(&["a", "b"], bounded(1)));
    let mut late = |crossing| match crossing {
        Crossing::Open(_) => Delivery::Later,
        _ => Delivery::Now,
    };
    world.step_with(directives, Time(2), &mut late).unwrap();
    // There is no account yet: what its owner says opens it first.
    let stepped = world
        .step_with(unnamed(permit(1, 2)), Time(3), &mut late)
        .unwrap();
    assert_eq!(stepped.answers, [Answer::Accepted]);
    world
        .step_with(Vec::new(), Time(4), &mut |_| Delivery::Twice)
        .unwrap();
    assert_eq!(world.run(RunId(1)).unwrap().slots(), 2);
}

#[test]
fn no_more_is_permitted_to_a_run_that_is_not_there_or_has_ended() {
    let mut world = open(&FaultyJournal::default());
    let stepped = world.step(unnamed(permit(1, 2)), Time(2)).unwrap();
    assert_eq!(stepped.answers, [Answer::NoSuchRun(RunId(1))]);
    let directives = unnamed(create(&["a"], bounded(1)));
    world.step(directives, Time(3)).unwrap();
    let cancel = Ask::Run(RunId(1), Command::Cancel { task: None });
    world.step(unnamed(cancel), Time(4)).unwrap();
    let attempt = world.run(RunId(1)).unwrap().attempt_id(TaskNo(0), 1);
    let finding = Finding::Lost("silent".to_owned());
    let lost = Ask::Run(RunId(1), Command::Find { attempt, finding });
    world.step(unnamed(lost), Time(5)).unwrap();
    let stepped = world.step(unnamed(permit(1, 2)), Time(6)).unwrap();
    assert_eq!(stepped.answers, [Answer::Rejected(Rejection::RunEnded)]);
}

fn bounded_time(time_ms: u64) -> Settings {
    Settings {
        timeout_ms: 60_000,
        budget: Budget {
            attempts: None,
            time_ms: Some(time_ms),
            ..Budget::default()
        },
        ..Settings::default()
    }
}

fn used(world: &World<FaultyJournal>) -> ledger::Amount {
    world.ledger().accounts[&Account::Run(RunId(1))].used
}

#[test]
fn a_person_takes_no_agents_time_however_long_it_takes() {
    let mut world = open(&FaultyJournal::default());
    let Ask::Create(mut create) = create(&["a"], bounded_time(60_000)) else {
        unreachable!("it creates");
    };
    let spec = &mut Arc::make_mut(&mut create.plan).tasks[0];
    spec.work = Work::Handoff;
    spec.criteria.clear();
    let directives = unnamed(Ask::Create(create));
    world.step(directives, Time(2)).unwrap();
    let submit = Ask::Run(RunId(1), Command::Submit { task: TaskNo(0) });
    world.step(unnamed(submit), Time(10_000_000)).unwrap();
    world.step(Vec::new(), Time(10_000_001)).unwrap();
    assert_eq!((used(&world).attempts, used(&world).time_ms), (1, 0));
}

#[test]
fn what_was_reserved_comes_back_when_the_agent_has_ended_not_when_its_work_is_judged() {
    let mut world = open(&FaultyJournal::default());
    let Ask::Create(mut create) = create(&["a", "b"], bounded_time(60_000)) else {
        unreachable!("it creates");
    };
    Arc::make_mut(&mut create.plan).tasks[0].criteria = vec![Criterion::Plain {
        text: "nice".to_owned(),
    }];
    let directives = unnamed(Ask::Create(create));
    world.step(directives, Time(2)).unwrap();
    // One has reserved all, the other waits for what comes back of it.
    let run = world.run(RunId(1)).unwrap();
    assert_eq!((run.slots(), &run.paused), (1, &None));
    let attempt = run.attempt_id(TaskNo(0), 1);
    let ended = Ended {
        wall_ms: 10_000,
        ..Ended::of(Exit::Status(0))
    };
    let command = Command::Ended {
        attempt,
        ended,
        said: None,
    };
    let ended = Ask::Run(RunId(1), command);
    world.step(unnamed(ended), Time(10_002)).unwrap();
    let run = world.run(RunId(1)).unwrap();
    assert!(run.tasks()[0].live().is_some(), "it is being judged");
    let live = run.tasks()[1].live().expect("the other one is leased");
    assert_eq!(live.timeout_ms, Some(50_000));
    assert_eq!(used(&world).time_ms, 10_000);
}

#[test]
fn what_could_not_be_started_has_used_no_time() {
    let mut world = open(&FaultyJournal::default());
    let directives = unnamed(create(&["a"], bounded_time(90_000)));
    world.step(directives, Time(2)).unwrap();
    let attempt = world.run(RunId(1)).unwrap().attempt_id(TaskNo(0), 1);
    let command = Command::NotStarted {
        attempt,
        cause: "no such program".to_owned(),
        permanent: false,
    };
    let failed = Ask::Run(RunId(1), command);
    world.step(unnamed(failed), Time(3)).unwrap();
    assert_eq!((used(&world).attempts, used(&world).time_ms), (1, 0));
    // Of an attempt that nobody holds any more, nobody knows what it used.
    let attempt = world.run(RunId(1)).unwrap().attempt_id(TaskNo(0), 2);
    let finding = Finding::Lost("silent".to_owned());
    let lost = Ask::Run(RunId(1), Command::Find { attempt, finding });
    world.step(unnamed(lost), Time(4)).unwrap();
    assert_eq!((used(&world).attempts, used(&world).time_ms), (2, 60_000));
}

/// The finding that the first attempt at a run's first task is lost.
fn lost(world: &World<FaultyJournal>, run: u32) -> Ask {
    let attempt = world.run(RunId(run)).unwrap().attempt_id(TaskNo(0), 1);
    let finding = Finding::Lost("silent".to_owned());
    Ask::Run(RunId(run), Command::Find { attempt, finding })
}

#[test]
fn a_step_writes_the_accounts_that_it_changed_however_many_there_are() {
    const OLDER: u32 = 100;
    let journal = FaultyJournal::default();
    let mut world = open(&journal);
    world.leasing = Leasing::These(BTreeSet::from([RunId(OLDER + 1)]));
    let older = (0..OLDER).flat_map(|_| unnamed(create(&["a"], bounded(1))));
    world.step(older.collect(), Time(2)).unwrap();
    let written = || -> (Vec<Account>, bool) {
        journal.disk(|disk| {
            let batch = disk.last_batch();
            let accounts = batch.accounts.iter().map(|row| row.account);
            (accounts.collect(), batch.ledger.is_some())
        })
    };
    assert_eq!(written().0.len(), OLDER as usize);
    let account = |run| Account::Run(RunId(run));

    // Opened, and reserved from.
    let another = unnamed(create(&["a"], bounded(2)));
    world.step(another, Time(3)).unwrap();
    assert_eq!(world.ledger().held.len(), 1);
    assert_eq!(written(), (vec![account(OLDER + 1)], true));
    // Permitted.
    world.step(unnamed(permit(7, 2)), Time(4)).unwrap();
    assert_eq!(written(), (vec![account(7)], true));
    // Settled.
    let lost = unnamed(lost(&world, OLDER + 1));
    world.step(lost, Time(5)).unwrap();
    assert_eq!(world.ledger().held.len(), 0);
    assert_eq!(written(), (vec![account(OLDER + 1)], true));
    // None of the ledger's business.
    let cancel = Ask::Run(RunId(7), Command::Cancel { task: None });
    world.step(unnamed(cancel), Time(6)).unwrap();
    assert_eq!(written(), (vec![], false));

    let told = world.ledger().clone();
    assert_eq!(open(&journal).ledger(), &told);
    // Rebuilt from events, and then read from the rows that this wrote.
    journal.disk(Disk::drop_rows);
    for _ in 0..2 {
        assert_eq!(open(&journal).ledger(), &told);
    }
    assert_eq!(journal.accounts().unwrap().len(), OLDER as usize + 1);
}

#[test]
fn a_run_that_ended_is_read_without_reading_all_runs() {
    let journal = FaultyJournal::default();
    let mut world = open(&journal);
    for _ in 0..2 {
        let create = create(&["a"], bounded(1));
        world.step(unnamed(create), Time(2)).unwrap();
    }
    let cancel = || Ask::Run(RunId(1), Command::Cancel { task: None });
    world.step(unnamed(cancel()), Time(3)).unwrap();
    let before = journal.disk(|disk| disk.listings());
    let lost = unnamed(lost(&world, 1));
    world.step(lost, Time(4)).unwrap();
    assert!(world.run(RunId(1)).is_none(), "it has ended");
    let stepped = world.step(unnamed(cancel()), Time(5)).unwrap();
    assert_eq!(stepped.answers, [Answer::Rejected(Rejection::RunEnded)]);
    let stepped = world.step(unnamed(permit(1, 2)), Time(6)).unwrap();
    assert_eq!(stepped.answers, [Answer::Rejected(Rejection::RunEnded)]);
    assert_eq!(journal.disk(|disk| disk.listings()), before);
}

#[test]
fn what_an_ended_run_reserved_is_settled_by_the_next_life_without_reading_all_runs() {
    let journal = FaultyJournal::default();
    let mut world = open(&journal);
    let create = create(&["a"], bounded(1));
    world.step(unnamed(create), Time(2)).unwrap();
    let cancel = Ask::Run(RunId(1), Command::Cancel { task: None });
    world.step(unnamed(cancel), Time(3)).unwrap();
    let mut late = |crossing| match crossing {
        Crossing::Settle(_) => Delivery::Later,
        _ => Delivery::Now,
    };
    let lost = unnamed(lost(&world, 1));
    world.step_with(lost, Time(4), &mut late).unwrap();
    let mut world = open(&journal);
    assert!(world.run(RunId(1)).is_none(), "it has ended");
    assert_eq!(world.ledger().held.len(), 1);
    let before = journal.disk(|disk| disk.listings());
    world.step(Vec::new(), Time(5)).unwrap();
    assert_eq!(world.ledger().held.len(), 0);
    assert_eq!(used(&world).attempts, 1);
    assert_eq!(journal.disk(|disk| disk.listings()), before);
}

/// The claim of the live attempt at a task of a run: a usage limit, with or without its end.
fn limited(world: &World<FaultyJournal>, run: u32, wait_ms: Option<u64>) -> Vec<Directive> {
    let run = world.run(RunId(run)).unwrap();
    let number = run.tasks()[0].attempts();
    let command = Command::Ended {
        attempt: run.attempt_id(TaskNo(0), number),
        ended: ended(),
        said: Some(Said::UsageLimit {
            cause: "429".to_owned(),
            wait_ms,
            ends_at: None,
        }),
    };
    unnamed(Ask::Run(run.id, command))
}

fn ended() -> Ended {
    Ended {
        wall_ms: 5,
        ..Ended::of(Exit::Status(1))
    }
}

fn slots(world: &World<FaultyJournal>, run: u32) -> u32 {
    world.run(RunId(run)).unwrap().slots()
}

#[test]
fn a_limit_that_one_run_met_holds_every_runs_tasks_back_until_it_ends() {
    let journal = FaultyJournal::default();
    let mut world = open(&journal);
    world.capacity.workers = 1;
    for tasks in [["a"], ["b"]] {
        let create = unnamed(create(&tasks, Settings::default()));
        world.step(create, Time(2)).unwrap();
    }
    assert_eq!((slots(&world, 1), slots(&world, 2)), (1, 0));
    let met = limited(&world, 1, Some(5_000));
    world.step(met, Time(1_000)).unwrap();
    // The slot is free, and nobody takes it.
    assert_eq!((slots(&world, 1), slots(&world, 2)), (0, 0));
    assert_eq!(world.due_at(), Some(Time(6_000)));
    // Nor does another life of the engine.
    drop(world);
    let mut world = open(&journal);
    world.step(Vec::new(), Time(5_999)).unwrap();
    assert_eq!((slots(&world, 1), slots(&world, 2)), (0, 0));
    assert_eq!(world.due_at(), Some(Time(6_000)));
    // Nor one that finds no rows.
    drop(world);
    journal.disk(Disk::drop_rows);
    let mut world = open(&journal);
    world.step(Vec::new(), Time(5_999)).unwrap();
    assert_eq!((slots(&world, 1), slots(&world, 2)), (0, 0));
    world.step(Vec::new(), Time(6_000)).unwrap();
    assert_eq!((slots(&world, 1), slots(&world, 2)), (1, 1));
    let task = &world.run(RunId(1)).unwrap().tasks()[0];
    assert_eq!((task.failures, task.losses, task.limits), (0, 0, 1));
}

#[test]
fn a_wait_is_ended_by_hand_and_only_one_that_lasts() {
    let mut world = open(&FaultyJournal::default());
    let lift = || unnamed(Ask::Lift("command".to_owned()));
    let directives = unnamed(create(&["a"], Settings::default()));
    world.step(directives, Time(2)).unwrap();
    let stepped = world.step(lift(), Time(3)).unwrap();
    let refusal = ledger::Refusal::NotLimited("command".to_owned());
    assert_eq!(stepped.answers, [Answer::NotPermitted(refusal)]);
    let met = limited(&world, 1, Some(u64::MAX));
    world.step(met, Time(4)).unwrap();
    let paused = world.run(RunId(1)).unwrap().paused.clone();
    assert!(
        matches!(&paused, Some(PauseReason::UsageLimit { credential, .. })
            if credential.name() == "command"),
        "it would wait for too long: {paused:?}"
    );
    assert_eq!(
        world.step(lift(), Time(5)).unwrap().answers,
        [Answer::Accepted]
    );
    let resume = unnamed(Ask::Run(RunId(1), Command::Resume));
    world.step(resume, Time(6)).unwrap();
    assert_eq!(slots(&world, 1), 1);
}

#[test]
fn who_is_known_by_configuration_alone_keeps_a_run_waiting_no_longer_than_it_waits() {
    let text = DefinedProgram {
        command: vec!["mine".to_owned()],
        speaks: Speaks::Text,
        variables: Vec::new(),
    };
    let plan = Plan {
        title: "t".to_owned(),
        tasks: vec![TaskSpec {
            agent: Some("custom.text".to_owned()),
            work: Work::Handoff,
            ..TaskSpec::command(TaskId::new("a").unwrap(), &[])
        }],
        ..Plan::default()
    };
    let settings = Settings {
        limit_wait_max_ms: 9_000,
        defined: [("custom.text".to_owned(), Defined::Program(text))].into(),
        ..Settings::default()
    };
    for (said_ms, until) in [(5_000, 6_000), (u64::MAX, 10_000)] {
        let mut world = open(&FaultyJournal::default());
        let ask = Ask::Create(Box::new(Create {
            plan: plan.clone().into(),
            settings: settings.clone(),
            base: Base::default(),
            approved: true,
            intent: None,
        }));
        world.step(unnamed(ask), Time(2)).unwrap();
        let met = limited(&world, 1, Some(said_ms));
        world.step(met, Time(1_000)).unwrap();
        assert_eq!(world.run(RunId(1)).unwrap().paused, None);
        assert_eq!(world.due_at(), Some(Time(until)), "{said_ms}");
    }
}

#[test]
fn a_run_that_would_wait_for_too_long_does_what_else_there_is_before_it_pauses() {
    let mut world = open(&FaultyJournal::default());
    let other = |name: &str, agent: &str| TaskSpec {
        agent: Some(agent.to_owned()),
        ..TaskSpec::command(TaskId::new(name).unwrap(), &["true"])
    };
    let plan = Plan {
        title: "t".to_owned(),
        tasks: vec![
            other("a", "command"),
            other("b", "command"),
            other("c", "other"),
        ],
        ..Plan::default()
    };
    let settings = Settings {
        limit_then: ledger::LimitThen::Escalate,
        agent_limits: [("command".to_owned(), 1)].into(),
        ..Settings::default()
    };
    let ask = Ask::Create(Box::new(Create {
        plan: plan.into(),
        settings,
        base: Base::default(),
        approved: true,
        intent: None,
    }));
    world.step(unnamed(ask), Time(2)).unwrap();
    assert_eq!(slots(&world, 1), 2);
    let met = limited(&world, 1, Some(u64::MAX));
    world.step(met, Time(3)).unwrap();
    let run = world.run(RunId(1)).unwrap();
    assert_eq!(
        run.tasks()[0].status(),
        TaskStatus::Blocked,
        "a person decides"
    );
    assert_eq!((run.slots(), &run.paused), (1, &None));
    let done = Command::Ended {
        attempt: run.attempt_id(TaskNo(2), 1),
        ended: Ended {
            exit: Exit::Status(0),
            ..ended()
        },
        said: None,
    };
    world
        .step(unnamed(Ask::Run(RunId(1), done)), Time(4))
        .unwrap();
    let run = world.run(RunId(1)).unwrap();
    assert_eq!(run.tasks()[2].status(), TaskStatus::Done);
    assert!(matches!(run.paused, Some(PauseReason::UsageLimit { .. })));
}

#[test]
fn nothing_is_started_in_quiet_hours_and_they_are_due_to_end() {
    let mut world = open(&FaultyJournal::default());
    let settings = Settings {
        quiet_hours: ledger::QuietHours::parse("00:01-00:02"),
        ..Settings::default()
    };
    let directives = unnamed(create(&["a"], settings));
    world.step(directives, Time(60_000)).unwrap();
    assert_eq!(slots(&world, 1), 0);
    assert_eq!(world.due_at(), Some(Time(120_000)));
    // Where it is an hour later, they are over.
    world.offset_ms = 60 * 60_000;
    world.step(Vec::new(), Time(60_001)).unwrap();
    assert_eq!(slots(&world, 1), 1);
}

#[test]
fn a_usage_limit_costs_no_attempt_of_a_budget() {
    let mut world = open(&FaultyJournal::default());
    let directives = unnamed(create(&["a"], bounded(1)));
    world.step(directives, Time(2)).unwrap();
    assert_eq!(slots(&world, 1), 1);
    let met = limited(&world, 1, Some(1_000));
    world.step(met, Time(3)).unwrap();
    let account = &world.ledger().accounts[&Account::Run(RunId(1))];
    assert_eq!((account.used.attempts, account.held.attempts), (0, 0));
    world.step(Vec::new(), Time(1_003)).unwrap();
    assert_eq!(
        slots(&world, 1),
        1,
        "the one attempt is still there to be had"
    );
}
