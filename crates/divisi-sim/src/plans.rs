//! Random plans and settings.

use std::collections::BTreeMap;

use divisi_core::assign::Capacity;
use divisi_core::criterion::Criterion;
use divisi_core::ids::{Commit, Digest, TaskId};
use divisi_core::ledger::{Bound, Credential, LimitThen, QuietHours};
use divisi_core::permission::Permissions;
use divisi_core::plan::{
    Candidate, Candidates, Estimate, Expansion, Input, Parts, Plan, Preference, Priority, Stage,
    TaskKind, TaskSpec, Template, Want, Work, WorkspaceKind,
};
use divisi_core::run::{AGENT_COMMAND, Base, Budget, Create, Settings};

use crate::rng::Rng;

/// Agents that are processes: what `agent` may name.
const AGENTS: [&str; 2] = ["coder", "fixer"];

/// What they log in with, in the order in which they look. Programs share the first key of one of
/// them, as if they asked a model too.
#[must_use]
pub(crate) fn credentials() -> BTreeMap<String, Vec<Credential>> {
    let key = |name: &&str| Credential::Variable((*name).to_owned());
    let keys = |names: &[&str]| names.iter().map(key).collect();
    BTreeMap::from([
        (AGENTS[0].to_owned(), keys(&["FIRST", "SECOND"])),
        (AGENTS[1].to_owned(), keys(&["ONLY"])),
        (AGENT_COMMAND.to_owned(), keys(&["FIRST"])),
    ])
}

/// A task's name by its place.
fn id(prefix: &str, at: u64) -> TaskId {
    TaskId::new(format!("{prefix}{at}")).expect("a letter and a number make an id")
}

/// What all runs may use up in a day; mostly nobody says.
#[must_use]
pub(crate) fn day(rng: &mut Rng) -> Budget {
    match rng.below(6) {
        0 => Budget::default().with(Bound::Tokens(rng.within(50_000, 900_000))),
        1 => Budget::default().with(Bound::Attempts(rng.within(5, 60))),
        _ => Budget::default(),
    }
}

/// What the machine offers to all runs.
#[must_use]
pub(crate) fn capacity(rng: &mut Rng) -> Capacity {
    Capacity {
        workers: rng.within(1, 5) as u32,
    }
}

/// A run on a base commit.
#[must_use]
pub(crate) fn create(rng: &mut Rng, base: Commit) -> Create {
    let mut plan = plan(rng);
    let mut settings = settings(rng);
    if rng.chance(60) {
        plan = to_be_planned(rng);
        settings.approves_plans = true;
    }
    if rng.chance(120) && !settings.barriers {
        stages(&mut plan);
    }
    Create {
        plan: plan.into(),
        settings,
        base: Base {
            commit: Some(base),
            described: "main".to_owned(),
            ..Base::default()
        },
        approved: rng.chance(800),
        intent: None,
    }
}

fn settings(rng: &mut Rng) -> Settings {
    let mut agent_limits = BTreeMap::new();
    if rng.chance(300) {
        agent_limits.insert("command".to_owned(), rng.within(1, 2) as u32);
    }
    let mut role_limits = BTreeMap::new();
    if rng.chance(300) {
        role_limits.insert("docs".to_owned(), 1);
    }
    let bounds: &[Bound] = match rng.below(14) {
        0 => &[Bound::Attempts(rng.within(1, 12))],
        1 => &[Bound::TimeMs(rng.within(15_000, 300_000))],
        2 => &[
            Bound::Attempts(rng.within(8, 40)),
            Bound::TimeMs(rng.within(300_000, 3_000_000)),
        ],
        3 => &[Bound::Tokens(rng.within(20_000, 400_000))],
        4 => &[Bound::UsdMicros(rng.within(100_000, 3_000_000))],
        5 => &[
            Bound::Tokens(rng.within(100_000, 900_000)),
            Bound::UsdMicros(rng.within(500_000, 5_000_000)),
            Bound::TimeMs(rng.within(300_000, 3_000_000)),
        ],
        _ => &[],
    };
    let budget = bounds.iter().copied().fold(Budget::default(), Budget::with);
    Settings {
        workers_max: rng.within(1, 4) as u32,
        role_limits,
        agent_limits,
        failures_max: rng.within(1, 3) as u32,
        reassign_after: rng.within(1, 2) as u32,
        split_after: rng.below(4) as u32,
        reviewers: AGENTS[..rng.below(3) as usize]
            .iter()
            .map(|&name| name.to_owned())
            .collect(),
        awaiting_max: rng.below(3) as u32,
        losses_max: rng.within(2, 5) as u32,
        conflicts_max: rng.within(1, 3) as u32,
        loss_delay_ms: rng.pick(&[0, 1_000, 5_000]),
        limits_max: rng.within(2, 5) as u32,
        limit_delay_ms: rng.pick(&[0, 1_000, 5_000]),
        limit_wait_max_ms: rng.pick(&[0, 10_000]),
        limit_then: rng.pick(&[
            LimitThen::Pause,
            LimitThen::Escalate,
            LimitThen::OtherCredential,
            LimitThen::OtherAgent,
        ]),
        limit_agents: BTreeMap::from([(AGENTS[0].to_owned(), AGENTS[1].to_owned())]),
        // The clock begins in the seventeenth minute of its first day.
        quiet_hours: rng.chance(60).then_some(QuietHours { from: 17, to: 19 }),
        permissions: Permissions {
            rules: Vec::new(),
            deadline_ms: rng.pick(&[100, 2_000, 10_000]),
        },
        timeout_ms: rng.pick(&[30_000, 60_000, 90_000]),
        barriers: rng.chance(150),
        batch_max: rng.within(1, 6) as u32,
        budget,
        attempt_tokens: rng.within(10_000, 80_000),
        attempt_usd_micros: rng.within(50_000, 600_000),
        used_up_max: rng.within(1, 4) as u32,
        ..Settings::default()
    }
}

/// A plan that a person wants instead of the one that awaits approval.
pub(crate) fn another(rng: &mut Rng) -> Plan {
    plan(rng)
}

/// A plan whose one task is an agent's, who plans the whole.
fn to_be_planned(rng: &mut Rng) -> Plan {
    let mut spec = TaskSpec::command(id("p", 0), &["true"]);
    spec.kind = TaskKind::Plan;
    spec.workspace = WorkspaceKind::Worktree;
    spec.work = Work::Handoff;
    spec.agent = Some(rng.pick(&AGENTS).to_owned());
    Plan {
        title: "to be planned".to_owned(),
        tasks: vec![spec],
        ..Plan::default()
    }
}

fn plan(rng: &mut Rng) -> Plan {
    // Small plans reach most states; a few large ones reach the rest.
    let count = match rng.below(10) {
        0..=5 => rng.within(1, 5),
        6..=8 => rng.within(4, 10),
        _ => rng.within(10, 20),
    };
    let mut tasks = Vec::new();
    for at in 0..count {
        let mut spec = task(rng, id("t", at));
        for on in 0..at {
            if rng.chance(1_400 / (at + 2)) {
                spec.dependencies.push(id("t", on));
            }
        }
        tasks.push(spec);
    }
    let criteria = match rng.below(10) {
        0 | 1 => vec![plain()],
        2 => vec![program()],
        3 | 4 => vec![program(), plain()],
        _ => Vec::new(),
    };
    Plan {
        title: "a random plan".to_owned(),
        tasks,
        stages: Vec::new(),
        criteria,
        ..Plan::default()
    }
}

/// Writes a plan's levels down as authored stages.
fn stages(plan: &mut Plan) {
    let Ok(graph) = plan.graph() else { return };
    let last = graph.stage.iter().copied().max().unwrap_or(0);
    for stage in 0..=last {
        let of = plan.tasks.iter().zip(&graph.stage);
        let tasks = of
            .filter(|(_, at)| **at == stage)
            .map(|(task, _)| task.id.clone())
            .collect();
        plan.stages.push(Stage {
            name: format!("stage {stage}"),
            tasks,
        });
    }
}

fn plain() -> Criterion {
    Criterion::Plain {
        text: "it reads well".to_owned(),
    }
}

fn program() -> Criterion {
    Criterion::Command {
        argv: vec!["make".to_owned(), "check".to_owned()],
        timeout_ms: 60_000,
    }
}

fn file() -> Criterion {
    there("out.md")
}

fn there(path: &str) -> Criterion {
    Criterion::File {
        path: path.to_owned(),
        min_bytes: 1,
    }
}

/// A random task without dependencies.
fn task(rng: &mut Rng, id: TaskId) -> TaskSpec {
    let mut spec = TaskSpec::command(id, &["true"]);
    match rng.below(115) {
        100..=109 => {
            spec.kind = TaskKind::Plan;
            spec.workspace = WorkspaceKind::Worktree;
            spec.work = Work::Handoff;
            spec.agent = Some(rng.pick(&AGENTS).to_owned());
        }
        110.. => {
            spec.kind = TaskKind::Plan;
            spec.work = Work::Expand(Expansion {
                bundle: Digest::new(&"b".repeat(64)).expect("64 digits are a digest"),
                stage: "second".to_owned(),
            });
            spec.criteria.clear();
            return spec;
        }
        0..=29 => {}
        30..=69 => {
            spec.workspace = WorkspaceKind::Worktree;
            spec.work = Work::Handoff;
            spec.agent = Some(rng.pick(&AGENTS).to_owned());
        }
        70..=77 => spec.workspace = WorkspaceKind::Scratch,
        78..=84 => {
            spec.kind = TaskKind::Approval;
            spec.work = Work::Nothing;
            spec.criteria.clear();
            return spec;
        }
        85..=90 => {
            spec.work = Work::Handoff;
            spec.workspace = rng.pick(&[WorkspaceKind::Worktree, WorkspaceKind::Shared]);
        }
        91..=94 => {
            spec.kind = TaskKind::External;
            spec.work = Work::Nothing;
            spec.workspace = WorkspaceKind::Scratch;
            if rng.chance(800) {
                spec.inputs = vec![Input::Path("data/in.csv".to_owned())];
            }
        }
        _ => {
            spec.kind = TaskKind::Compose;
            spec.workspace = WorkspaceKind::Worktree;
            spec.work = Work::Template(Template {
                text: None,
                path: None,
                output: "all.md".to_owned(),
            });
        }
    }
    spec.criteria = match (rng.below(10), spec.workspace) {
        (0..=3, WorkspaceKind::Shared) if !matches!(spec.work, Work::Handoff) => {
            vec![Criterion::ExitStatus]
        }
        (0..=3, _) => vec![file()],
        (4..=5, _) => ["1.md", "2.md", "3.md", "4.md"].map(there).into(),
        (6, _) => vec![Criterion::ExitStatus, file()],
        (7, _) => vec![program(), file()],
        (8, _) => vec![plain()],
        _ => vec![file(), plain()],
    };
    let in_words = spec.kind == TaskKind::Work && spec.work == Work::Handoff;
    if in_words && spec.workspace != WorkspaceKind::Shared && rng.chance(150) {
        spec.candidates = Some(candidates(rng));
    }
    if spec.agent.is_some() && rng.chance(500) {
        spec.agents_else = AGENTS.iter().map(|&agent| agent.to_owned()).collect();
    }
    if rng.chance(300) {
        spec.domain = Some("docs".to_owned());
        spec.function = rng.chance(500).then(|| "writer".to_owned());
    }
    spec.retries = rng.chance(200).then(|| rng.below(3) as u32);
    spec.timeout_ms = rng.chance(150).then(|| rng.within(20_000, 60_000));
    spec.priority = rng.pick(&[
        Priority::Low,
        Priority::Medium,
        Priority::High,
        Priority::Critical,
    ]);
    spec.budget = match rng.below(12) {
        0 => Budget::default().with(Bound::Tokens(rng.within(5_000, 60_000))),
        1 => Budget::default().with(Bound::Attempts(rng.within(1, 3))),
        _ => Budget::default(),
    };
    if spec.candidates.is_some() && rng.chance(300) {
        spec.budget = Budget::default().with(Bound::Attempts(1));
    }
    spec.estimate = Estimate {
        duration_ms: rng.chance(500).then(|| rng.within(1_000, 60_000)),
        tokens: rng.chance(300).then(|| rng.within(1_000, 60_000)),
        ..Estimate::default()
    };
    spec
}

/// How a task is solved several times.
fn candidates(rng: &mut Rng) -> Candidates {
    let count = rng.within(2, 3);
    let of = (0..count).map(|_| Candidate {
        agent: rng.chance(400).then(|| rng.pick(&AGENTS).to_owned()),
    });
    let of = of.collect();
    let prefer = rng.chance(500).then(|| Preference {
        argv: vec!["measure".to_owned()],
        timeout_ms: 60_000,
        want: rng.pick(&[Want::Lowest, Want::Highest]),
    });
    Candidates { of, prefer }
}

/// Parts for a task that is split: some that work, some that are refused.
#[must_use]
pub(crate) fn parts(rng: &mut Rng, unique: u64) -> Parts {
    named(rng, &format!("s{unique}-"))
}

fn named(rng: &mut Rng, prefix: &str) -> Parts {
    let count = rng.within(1, 3);
    let mut tasks = Vec::new();
    for at in 0..count {
        let mut spec = task(rng, id(prefix, at));
        if at > 0 && rng.chance(400) {
            spec.dependencies.push(id(prefix, at - 1));
        }
        tasks.push(spec);
    }
    Parts {
        tasks,
        ..Parts::default()
    }
}

/// What is planned in the place of a task that outgrew itself: two tasks in words, or three, of which
/// the last makes what that one had to make.
#[must_use]
pub(crate) fn smaller(rng: &mut Rng, prefix: &str, outgrown: &TaskSpec) -> Parts {
    let count = rng.within(2, 3);
    let mut tasks = Vec::new();
    for at in 0..count {
        let mut spec = TaskSpec::command(id(prefix, at), &["true"]);
        spec.work = Work::Handoff;
        spec.criteria = vec![file()];
        if at > 0 && rng.chance(400) {
            spec.dependencies.push(id(prefix, at - 1));
        }
        tasks.push(spec);
    }
    if let Some(last) = tasks.last_mut() {
        last.deliverables.clone_from(&outgrown.deliverables);
    }
    Parts {
        tasks,
        ..Parts::default()
    }
}

/// What an attempt plans that does it well. Where no plan may nest any more, none of it plans.
#[must_use]
pub(crate) fn planned(rng: &mut Rng, prefix: &str, nests: bool) -> Parts {
    let mut parts = named(rng, prefix);
    for spec in &mut parts.tasks {
        if spec.kind == TaskKind::Plan && !nests {
            *spec = TaskSpec {
                dependencies: std::mem::take(&mut spec.dependencies),
                ..TaskSpec::command(spec.id.clone(), &["true"])
            };
        }
    }
    if rng.chance(300) {
        // One after the other, as their dependencies have it.
        let stage = |spec: &TaskSpec| Stage {
            name: format!("stage of {}", spec.id),
            tasks: vec![spec.id.clone()],
        };
        parts.stages = parts.tasks.iter().map(stage).collect();
    }
    if rng.chance(300) {
        parts.stage_context = "what all of them should know".to_owned();
    }
    parts
}

/// The same with something in it that cannot be run: an id that is taken, a task that waits for
/// itself or for nothing that is there, or no task at all.
pub(crate) fn spoil(rng: &mut Rng, parts: &mut Parts, taken: &TaskId) {
    let last = parts.tasks.len() - 1;
    let spec = &mut parts.tasks[last];
    match rng.below(4) {
        0 => spec.id = taken.clone(),
        1 => spec.dependencies.push(spec.id.clone()),
        2 => spec.dependencies.push(taken.clone()),
        _ => parts.tasks.clear(),
    }
}
