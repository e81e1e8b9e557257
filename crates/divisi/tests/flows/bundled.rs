//! Runs whose iterations expand by rule, created as a command that knows workflows does it: the
//! bundle is an artifact before the run names it. Also included by the crash tests.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use divisi_core::assign::Capacity;
use divisi_core::journal::Artifacts as _;
use divisi_core::plan::{Expansion, Plan, Work};
use divisi_core::run::{Base, Create, Settings};
use divisi_core::{Digest, RunId, TaskId, TaskKind, TaskSpec};
use divisi_engine::engine::wall_now;
use divisi_engine::repo::{BaseOptions, Repo};
use divisi_engine::world::{Answer, Ask, Directive, Leasing, World};
use divisi_pack::{bundle, role::Library, workflow};
use divisi_store::{Options, Store, Versions};

/// A task that expands an iteration of a bundle, after others.
pub(crate) fn expands(digest: &Digest, iteration: &str, after: &[&str]) -> TaskSpec {
    let id = |text: &str| TaskId::new(text).unwrap();
    TaskSpec {
        kind: TaskKind::Plan,
        work: Work::Expand(Expansion {
            bundle: digest.clone(),
            stage: iteration.to_owned(),
        }),
        dependencies: after.iter().map(|on| id(on)).collect(),
        criteria: Vec::new(),
        ..TaskSpec::command(id(iteration), &[])
    }
}

/// Creates the first run of a project, approved, with no engine at work: `resume` goes on with it.
pub(crate) fn create(
    project: &Path,
    versions: Versions,
    workflow: &str,
    tasks: impl FnOnce(&Digest) -> Vec<TaskSpec>,
) {
    let read = workflow::read("w.yaml", workflow.as_bytes());
    let workflow = read
        .workflow
        .unwrap_or_else(|| panic!("{:#?}", read.diagnostics));
    let given = bundle::Given::default();
    let assembled = bundle::assemble(&workflow, &Library::built_in(), &[], &given);
    let bundle = assembled
        .bundle
        .unwrap_or_else(|| panic!("{:#?}", assembled.diagnostics));
    let dir = project.join(".divisi");
    let base = Repo::open(&dir, project)
        .unwrap()
        .base(&BaseOptions::default())
        .unwrap();
    let options = Options {
        durability: divisi_store::Durability::Full,
        versions,
        hook: None,
    };
    let store = Store::open(&dir, options).unwrap();
    let digest = store.artifacts().put(&bundle.to_json()).unwrap();
    let capacity = Capacity { workers: 8 };
    let mut world = World::open(store, capacity, wall_now()).unwrap();
    world.leasing = Leasing::These(BTreeSet::new());
    let create = Create {
        plan: Arc::new(Plan {
            title: workflow.name,
            tasks: tasks(&digest),
            ..Plan::default()
        }),
        settings: Settings::default(),
        base: Base {
            commit: Some(base.commit),
            described: base.described,
            ..Base::default()
        },
        approved: true,
        intent: None,
    };
    let directive = Directive {
        id: None,
        ask: Ask::Create(Box::new(create)),
    };
    let stepped = world.step(vec![directive], wall_now()).unwrap();
    assert_eq!(stepped.answers, [Answer::Created(RunId(1))]);
}
