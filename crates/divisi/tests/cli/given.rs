//! What the tests of views start from: a project folder whose journal was written by the real
//! world and store, without any process. Also included by the unit tests of the binary.

use std::path::Path;

use divisi_core::assign::Capacity;
use divisi_core::ids::AttemptId;
use divisi_core::plan::{Deliverable, Plan, TaskKind, Work, WorkspaceKind};
use divisi_core::receipt::{Artifact, Exit, Output, Snapshot};
use divisi_core::run::{self, Base, Budget, Command, Create, Merged, Run, Settings};
use divisi_core::worker::Ended;
use divisi_core::{
    Commit, Criterion, Digest, Intent, RunId, TaskId, TaskSpec, Time, Tree, Verdict, ledger,
};
use divisi_engine::world::{self, Answer, Ask, Directive, World};
use divisi_store::{Durability, Options, Store, Upcasters, Versions};
use tempfile::TempDir;

/// When every given run begins: 2023-11-14 22:13:20 UTC.
pub(crate) const BEGIN: u64 = 1_700_000_000_000;

/// A project with one run.
pub(crate) struct Given {
    folder: TempDir,
    world: World<Store>,
    id: RunId,
    now: u64,
}

fn versions() -> Versions {
    let kinds: Vec<(&'static str, u32)> = run::KINDS.iter().chain(ledger::KINDS).copied().collect();
    Versions::new(kinds.leak(), Upcasters::current(), run::stored::VERSION)
}

/// A hash whose first digit tells which.
pub(crate) fn commit(which: u8) -> Commit {
    Commit::new(&format!("{which:x}").repeat(40)).expect("it is a hash")
}

/// An id.
pub(crate) fn id(text: &str) -> TaskId {
    TaskId::new(text).expect("it is an id")
}

/// A command that runs `true`, after others.
pub(crate) fn task(name: &str, after: &[&str]) -> TaskSpec {
    TaskSpec {
        title: format!("the {name} work"),
        dependencies: after.iter().map(|on| id(on)).collect(),
        ..TaskSpec::command(id(name), &["true"])
    }
}

/// A task of an agent in a worktree that promises `NAME.md`, with these criteria.
pub(crate) fn written(name: &str, agent: &str, criteria: Vec<Criterion>) -> TaskSpec {
    TaskSpec {
        agent: Some(agent.to_owned()),
        work: Work::Handoff,
        workspace: WorkspaceKind::Worktree,
        deliverables: vec![Deliverable {
            path: format!("{name}.md"),
        }],
        criteria,
        ..task(name, &[])
    }
}

/// An approval after others.
pub(crate) fn approval(name: &str, after: &[&str]) -> TaskSpec {
    TaskSpec {
        kind: TaskKind::Approval,
        work: Work::Nothing,
        criteria: Vec::new(),
        ..task(name, after)
    }
}

/// A plan with these tasks.
pub(crate) fn plan(title: &str, tasks: Vec<TaskSpec>) -> Plan {
    Plan {
        title: title.to_owned(),
        tasks,
        ..Plan::default()
    }
}

impl Given {
    /// A run of the plan, approved, on commit 1 with an uncommitted file left out.
    pub(crate) fn run_of(plan: Plan) -> Given {
        Given::bounded(plan, Budget::default())
    }

    /// The same with a budget.
    pub(crate) fn bounded(plan: Plan, budget: Budget) -> Given {
        Given::created(plan, budget, None)
    }

    /// The same, perhaps made of an intent.
    pub(crate) fn created(plan: Plan, budget: Budget, intent: Option<Box<Intent>>) -> Given {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let options = Options {
            durability: Durability::Normal,
            versions: versions(),
            hook: None,
        };
        let store = Store::open(&folder.path().join(".divisi"), options).expect("it opens");
        let capacity = Capacity { workers: 8 };
        let world = World::open(store, capacity, Time(BEGIN)).expect("it opens");
        let mut given = Given {
            folder,
            world,
            id: RunId(1),
            now: BEGIN,
        };
        let base = Base {
            commit: Some(commit(1)),
            described: "main".to_owned(),
            uncommitted: vec!["notes.txt".to_owned()],
            included: false,
        };
        let create = Create {
            plan: plan.into(),
            settings: Settings {
                budget,
                ..Settings::default()
            },
            base,
            approved: true,
            intent,
        };
        let answer = given.step(Ask::Create(Box::new(create)));
        assert_eq!(answer, Answer::Created(RunId(1)));
        given
    }

    /// The project's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The moment at which everything was done so far.
    pub(crate) fn now(&self) -> Time {
        Time(self.now)
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, ms: u64) -> &mut Given {
        self.now += ms;
        self
    }

    fn step(&mut self, ask: Ask) -> Answer {
        let directive = Directive { id: None, ask };
        let stepped = self
            .world
            .step(vec![directive], Time(self.now))
            .expect("it is durable");
        stepped
            .answers
            .into_iter()
            .next()
            .expect("a directive has an answer")
    }

    /// Asks the run for something that it accepts.
    pub(crate) fn ask(&mut self, command: Command) -> &mut Given {
        let told = format!("{command:?}");
        assert_eq!(
            self.step(Ask::Run(self.id, command)),
            Answer::Accepted,
            "{told}"
        );
        self
    }

    /// Its owner permits more.
    pub(crate) fn permit(&mut self, budget: Budget) -> &mut Given {
        let account = ledger::Account::Run(self.id);
        assert_eq!(self.step(Ask::Budget(account, budget)), Answer::Accepted);
        self
    }

    /// The run as it was last made durable.
    pub(crate) fn run(&self) -> Run {
        use divisi_core::journal::Journal as _;
        let rows = self.world.journal.runs().expect("it reads");
        world::load(&self.world.journal, &rows[0])
            .expect("it loads")
            .run
    }

    /// The live attempt at a task.
    pub(crate) fn attempt(&self, name: &str) -> AttemptId {
        let run = self.run();
        let no = run.find(&id(name)).expect("it is a task");
        run.attempt_id(no, run.tasks()[no.index()].attempts())
    }

    /// The live attempt's agent ends with this status after two seconds.
    pub(crate) fn ends(&mut self, name: &str, status: i32) -> &mut Given {
        let attempt = self.attempt(name);
        let digest = Digest::new(&"d".repeat(64)).expect("it is a hash");
        let ended = Ended {
            output: Some(Output {
                digest,
                bytes: 4_096,
                capped: false,
            }),
            wall_ms: 2_000,
            ..Ended::of(Exit::Status(status))
        };
        self.wait(2_000).ask(Command::Ended {
            attempt,
            ended,
            said: None,
        })
    }

    /// What the live attempt made is collected: `NAME.md` in a snapshot.
    pub(crate) fn collected(&mut self, name: &str) -> &mut Given {
        let attempt = self.attempt(name);
        let artifact = Artifact {
            path: format!("{name}.md"),
            digest: Digest::new(&"a".repeat(64)).expect("it is a hash"),
            bytes: 2_048,
        };
        let tree = Tree::new(&"7".repeat(40)).expect("it is a hash");
        let snapshot = Snapshot {
            commit: commit(2),
            tree,
            base: commit(1),
        };
        let (snapshot, artifacts) = (Some(snapshot), vec![artifact]);
        self.ask(Command::Collected {
            attempt,
            snapshot,
            artifacts,
        })
    }

    /// What the live attempt made is checked.
    pub(crate) fn checked(&mut self, name: &str, verdicts: Vec<Verdict>) -> &mut Given {
        let attempt = self.attempt(name);
        self.ask(Command::Checked { attempt, verdicts })
    }

    /// All verified attempts are integrated as commit 3.
    pub(crate) fn integrated(&mut self) -> &mut Given {
        let run = self.run();
        let (batch, onto) = run.batch();
        let onto = onto.expect("the run has a base").clone();
        let tree = Tree::new(&"8".repeat(40)).expect("it is a hash");
        let one = |attempt| Merged {
            attempt,
            commit: commit(3),
            tree: tree.clone(),
        };
        let merged = batch.into_iter().map(one).collect();
        self.ask(Command::BatchMerged {
            onto,
            merged,
            conflict: None,
            refused: Vec::new(),
        });
        self.ask(Command::HeadMoved { head: commit(3) })
    }
}
