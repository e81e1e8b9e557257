//! A team that plays all roles of a workflow: it does exactly what its handoffs say.
//!
//! Either scripted agents do, by one rule, or people. What each was told is read from the file of
//! its handoff; a person then writes the files that it must deliver where it works, and says that
//! it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use divisi_core::run::{Phase, Run, Task};
use serde_json::Value;

use crate::stage::{Ran, Stage, git, write};

/// A handoff as its agent sees it.
pub(crate) struct Handoff {
    pub(crate) task: String,
    pub(crate) told: Value,
}

impl Handoff {
    pub(crate) fn prompt(&self) -> &str {
        self.told["description"].as_str().unwrap()
    }

    /// The files that it must deliver.
    pub(crate) fn deliverables(&self) -> Vec<&str> {
        let all = self.told["deliverables"].as_array().unwrap();
        all.iter().map(|path| path.as_str().unwrap()).collect()
    }

    /// A file with every heading that some criterion asks for in it.
    pub(crate) fn file(&self, path: &str) -> String {
        let mut sections: Vec<String> = Vec::new();
        for criterion in self.told["criteria"].as_array().unwrap() {
            let section = &criterion["section"];
            if section["path"] == path {
                let heading = section["heading"].as_str().unwrap();
                sections.push(format!("## {heading}\n\n{heading} of {path}.\n"));
            }
        }
        format!("# {path}\n\nBy {}.\n\n{}", self.task, sections.join("\n"))
    }
}

/// The rule by which scripted agents make files: [`Handoff::file`] says the same in other words.
const REHEARSAL: &str = r##"
rules:
  - attempts:
      - - make: {text: "# {path}\n\nBy {task}.\n\n{sections}"}
"##;

/// What a team did.
pub(crate) struct Played {
    /// How the last command ended.
    pub(crate) ran: Ran,
    /// All handoffs, in the order in which they were given.
    pub(crate) handoffs: Vec<Handoff>,
    /// The tasks of which the team judged what no rule can.
    pub(crate) judged: Vec<String>,
}

/// Runs a workflow, approved, until it rests; whenever it waits for people, they do as they are
/// told, and judge what no rule can.
pub(crate) fn play(stage: &Stage, args: &[&str]) -> Played {
    let mut all = vec!["run"];
    all.extend_from_slice(args);
    all.extend_from_slice(&["--yes", "--durability", "normal"]);
    let mut ran = stage.divisi(&all);
    let mut done: BTreeSet<String> = BTreeSet::new();
    let (mut handoffs, mut judged) = (Vec::new(), Vec::new());
    while matches!(ran.code, 4 | 9) {
        let run = latest(stage);
        let before = handoffs.len();
        for id in held(&run) {
            let run = run.id.to_string();
            stage.divisi(&["approve", &run, &id]).expect(0);
            judged.push(id);
        }
        for handoff in asked(stage, &run) {
            assert!(done.insert(handoff.task.clone()), "{} again", handoff.task);
            work(stage, &run, &handoff);
            handoffs.push(handoff);
        }
        let goes_on = handoffs.len() > before || !held(&run).is_empty();
        assert!(goes_on, "{}\n{}", ran.stdout, ran.stderr);
        let id = run.id.to_string();
        ran = stage.divisi(&["resume", &id, "--durability", "normal"]);
    }
    Played {
        ran,
        handoffs,
        judged,
    }
}

/// Runs a workflow with scripted agents until it rests; what no rule can judge, somebody does. The
/// command and all it starts work by themselves in between: nobody submits anything.
pub(crate) fn rehearse(stage: &Stage, args: &[&str]) -> Played {
    let rules = stage.beside("rehearsal.yaml");
    std::fs::write(&rules, REHEARSAL).unwrap();
    let rules = rules.display().to_string();
    let mut all = vec!["run"];
    all.extend_from_slice(args);
    all.extend_from_slice(&["--agent", "scripted", "--rehearsal", &rules]);
    all.extend_from_slice(&["--yes", "--durability", "normal"]);
    let mut ran = stage.divisi(&all);
    let mut judged = Vec::new();
    while matches!(ran.code, 4 | 9) {
        let run = latest(stage);
        let held = held(&run);
        assert!(!held.is_empty(), "{}\n{}", ran.stdout, ran.stderr);
        let name = run.id.to_string();
        for id in held {
            stage.divisi(&["approve", &name, &id]).expect(0);
            judged.push(id);
        }
        ran = stage.divisi(&["resume", &name, "--durability", "normal"]);
    }
    Played {
        ran,
        handoffs: handed(stage, &latest(stage)),
        judged,
    }
}

/// The handoffs of all work that scripted agents did, in the order of the tasks.
fn handed(stage: &Stage, run: &Run) -> Vec<Handoff> {
    let folder = stage.path(&format!(".divisi/runs/{}/handoffs", run.id));
    let told: Vec<Value> = texts(&folder)
        .into_iter()
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect();
    let is_scripted = |task: &&Task| {
        let agents = task.endings.iter().map(|ending| ending.agent.as_str());
        agents.eq(["scripted"])
    };
    let scripted = run.tasks().iter().filter(is_scripted);
    let handoff = |task: &Task| {
        let id = task.spec.id.to_string();
        let mut of_it = told.iter().filter(|told| told["subtask_id"] == id.as_str());
        Handoff {
            told: of_it.next().unwrap().clone(),
            task: id,
        }
    };
    scripted.map(handoff).collect()
}

/// The latest run.
pub(crate) fn latest(stage: &Stage) -> Run {
    let row = stage.view().latest_run().unwrap();
    stage.load(row.unwrap().run)
}

/// Tasks whose work waits for somebody's judgment.
fn held(run: &Run) -> Vec<String> {
    let is_held = |task: &Task| {
        let phase = task.live().map(|live| &live.phase);
        matches!(phase, Some(Phase::Held { .. }))
    };
    let held = run.live().filter(|(_, task)| is_held(task));
    held.map(|(_, task)| task.spec.id.to_string()).collect()
}

/// The texts of all files beneath a folder.
fn texts(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => texts.extend(self::texts(&path)),
            false => texts.push(std::fs::read_to_string(path).unwrap()),
        }
    }
    texts
}

/// The handoffs of all work that waits for a person.
fn asked(stage: &Stage, run: &Run) -> Vec<Handoff> {
    let live = run.live().map(|(_, task)| task);
    let live = live.filter(|task| task.live().unwrap().agent == "person");
    let live = live.filter(|task| task.live().unwrap().phase == Phase::Working);
    let handoffs = live.map(|task| {
        let id = task.spec.id.to_string();
        let all = stage.path(&format!(".divisi/runs/{}/handoffs", run.id));
        let told = texts(&all)
            .into_iter()
            .map(|text| serde_json::from_str(&text).unwrap());
        let mut told = told.filter(|told: &Value| told["subtask_id"] == id.as_str());
        Handoff {
            told: told.next().unwrap(),
            task: id,
        }
    });
    handoffs.collect()
}

fn work(stage: &Stage, run: &Run, handoff: &Handoff) {
    let is_it = |task: &&Task| task.spec.id.as_str() == handoff.task;
    let (no, task) = run.live().find(|(_, task)| is_it(task)).unwrap();
    let number = task.live().unwrap().workspace;
    let folder = format!(".divisi/worktrees/{}-t{}-{number}", run.id, no.0);
    for path in handoff.deliverables() {
        write(stage.path(&folder).join(path), &handoff.file(path));
    }
    let id = run.id.to_string();
    stage.divisi(&["submit", &id, &handoff.task]).expect(0);
}

/// All files of a run's result that were not there before, by path.
pub(crate) fn made(stage: &Stage, run: &Run) -> BTreeMap<String, String> {
    let repository = stage.path(".divisi/repo.git");
    let repository = repository.to_str().unwrap();
    let (base, head) = (
        run.base.commit.as_ref().unwrap().to_string(),
        run.integration.head.as_ref().unwrap().to_string(),
    );
    let of = ["--git-dir", repository];
    let diff = ["diff", "--name-only", "--no-renames", &base, &head];
    let names = git(stage.project(), &[&of[..], &diff].concat());
    let text = |path: &str| {
        let blob = format!("{head}:{path}");
        git(
            stage.project(),
            &[&of[..], &["cat-file", "blob", &blob]].concat(),
        )
    };
    names
        .lines()
        .map(|path| (path.to_owned(), text(path)))
        .collect()
}
