//! The world on the simulator's disk: what seeds found, each as one small case.

use divisi_core::assign::Capacity;
use divisi_core::ids::{CommandId, RunId, TaskId, TaskNo, Time};
use divisi_core::journal::Stream;
use divisi_core::plan::{Plan, TaskSpec};
use divisi_core::run::{Base, Budget, Command, Create, Finding, PauseReason, Settings};
use divisi_engine::world::{Answer, Ask, Crossing, Delivery, Directive, World};

use crate::journal::{Disk, FaultyJournal};
use crate::truth::same;

fn create(tasks: &[&str], settings: Settings) -> Ask {
    let spec = |name: &&str| TaskSpec::command(TaskId::new(*name).unwrap(), &["true"]);
    let plan = Plan {
        title: "t".to_owned(),
        tasks: tasks.iter().map(spec).collect(),
        ..Plan::default()
    };
    Ask::Create(Box::new(Create {
        plan,
        settings,
        base: Base::default(),
        approved: true,
    }))
}

fn open(journal: &FaultyJournal) -> World<FaultyJournal> {
    let capacity = Capacity {
        workers: 9,
        agents: std::collections::BTreeMap::new(),
    };
    World::open(journal.clone(), capacity, Time(1)).unwrap()
}

fn unnamed(ask: Ask) -> Vec<Directive> {
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
            time_ms: None,
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
