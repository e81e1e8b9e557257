//! Flags as the strongest values of the configuration.

use std::path::PathBuf;

use clap::ValueEnum as _;
use divisi_core::diagnostic::Place;
use divisi_pack::budget;
use divisi_pack::config::{Setting, Value, Values};

use crate::cli::{Durability, Permitted, Resume, RunArgs, Running, Simulate};

/// Those of `divisi run`, with the agents of roles that are settings; without a role, of all others.
pub(super) fn of_run(args: &RunArgs, agents: &[(String, String)]) -> Values {
    let mut flags = Flags::default();
    flags.running(&args.running);
    flags.permitted(&args.permitted);
    flags.durability(args.durability);
    flags.put("run.barriers", args.barriers.map(Value::Flag));
    flags.put("run.rehearsal", args.rehearsal.clone().map(Value::Text));
    for (role, agent) in agents {
        let agent = Some(Value::Text(agent.clone()));
        match role.as_str() {
            "" => flags.put("run.agent", agent),
            role => flags.put(&format!("run.agents.{role}"), agent),
        }
    }
    let timeout_ms = args.timeout_ms;
    flags.put("run.timeout_minutes", timeout_ms.map(Value::Integer));
    for (name, many) in &args.limits {
        flags.put(
            &format!("run.limits.{name}"),
            Some(Value::Integer(u64::from(*many))),
        );
    }
    flags.0
}

/// Those of `divisi resume`. What a run may use is no setting there: it is said to the run.
pub(super) fn of_resume(args: &Resume) -> Values {
    let mut flags = Flags::default();
    flags.durability(args.durability);
    flags.0
}

/// Those of `divisi simulate`.
pub(super) fn of_simulate(args: &Simulate) -> Values {
    let mut flags = Flags::default();
    flags.jobs(args.jobs);
    flags.put("run.barriers", args.barriers.map(Value::Flag));
    flags.0
}

#[derive(Default)]
struct Flags(Values);

impl Flags {
    fn put(&mut self, key: &str, value: Option<Value>) {
        let Some(value) = value else {
            return;
        };
        let flag = Setting::of(key).and_then(|setting| setting.flag);
        let place = Place {
            source: flag.unwrap_or("command line").to_owned(),
            line: 0,
            column: 0,
        };
        self.0.put(key, value, place);
    }

    fn jobs(&mut self, jobs: Option<u32>) {
        self.put(
            "run.workers",
            jobs.map(|jobs| Value::Integer(u64::from(jobs))),
        );
    }

    fn running(&mut self, running: &Running) {
        let texts = |texts: Vec<String>| (!texts.is_empty()).then_some(Value::Texts(texts));
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let writes = running.allow_write.iter().map(path).collect();
        self.jobs(running.jobs);
        self.put("grants.allow_write", texts(writes));
        self.put("grants.pass_env", texts(running.pass_env.clone()));
        self.put("grants.unconfined", running.unconfined.map(Value::Flag));
        self.put("grants.memory_mib", running.memory.map(Value::Integer));
        self.put(
            "grants.cpu_seconds",
            running.cpu_seconds.map(Value::Integer),
        );
    }

    fn permitted(&mut self, permitted: &Permitted) {
        for bound in permitted.budget().bounds() {
            let key = budget::key(bound.measure());
            self.put(&format!("run.budget.{key}"), Some(Value::Bound(bound)));
        }
    }

    fn durability(&mut self, durability: Option<Durability>) {
        let word = durability.and_then(|it| it.to_possible_value());
        let word = word.map(|word| Value::Text(word.get_name().to_owned()));
        self.put("journal.durability", word);
    }
}
