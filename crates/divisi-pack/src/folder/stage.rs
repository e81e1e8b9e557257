//! A folder as it stands, edited or not: its criteria for whoever validates, its tasks for whoever
//! runs it.
//!
//! What counts is what the documents say when they are read: a prompt, the context and every entry
//! of the criteria. The manifest only adds what no document says.

use std::collections::{BTreeMap, HashMap, HashSet};

use divisi_core::diagnostic::{Place, Severity};
use divisi_core::{Criterion, Diagnostic, Plan, TaskSpec};

use super::criteria::{CriteriaFile, Statement};
use super::manifest::{self, Agent, Manifest};
use super::{PROMPTS, context, criteria};
use crate::bundle::{Ends, PROMPT_BYTES_MAX};
use crate::faults::shown;
use crate::plan_file::CRITERIA_MAX;
use crate::plan_file::compile::{Promise, UNSTATED};
use crate::words::Context;
use crate::{codes, paths};

/// What stands in the prompts of a folder for its context. A plan has the context in its place.
pub const CONTEXT_BESIDE: &str =
    "What all of this stage have to know stands in `CONTEXT.md`, which belongs to this prompt.";

/// The largest file of a folder that is read, in bytes; what the documents may have is less.
pub const FILE_BYTES_MAX: usize = 128 << 20;

/// A folder as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// What it was made from, and who is given what.
    pub manifest: Manifest,
    /// When it is complete.
    pub criteria: CriteriaFile,
    /// Files that are not as they were written, by their paths in the folder; those that are gone
    /// included.
    pub edited: Vec<String>,
    folder: String,
    tasks: Vec<TaskSpec>,
    context: String,
    /// The prompts that are there, by their paths.
    prompts: BTreeMap<String, Vec<u8>>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The folder; `None` exactly if an error is among the diagnostics.
    pub stage: Option<Stage>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The tasks of a folder as a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The plan; `None` exactly if an error is among the diagnostics.
    pub plan: Option<Plan>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The digest of a file's bytes, as manifests hold it.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Reads a folder. `name` stands in the diagnostics' places; `file` gives the bytes of a file by its
/// path in the folder, of at most [`FILE_BYTES_MAX`] and one byte more where it is larger.
#[must_use]
pub fn read(name: &str, file: impl Fn(&str) -> Option<Vec<u8>>) -> Read {
    let mut diagnostics = Vec::new();
    let stage = stage(name, file, &mut diagnostics);
    let refused = diagnostics.iter().any(|d| d.severity == Severity::Error);
    Read {
        stage: stage.filter(|_| !refused),
        diagnostics,
    }
}

fn stage(
    name: &str,
    file: impl Fn(&str) -> Option<Vec<u8>>,
    told: &mut Vec<Diagnostic>,
) -> Option<Stage> {
    let folder = name.trim_end_matches('/');
    let source = |path: &str| format!("{folder}/{path}");
    let missing = |path: &str| {
        let cause = format!("there is no {path} in {}", shown(folder));
        Diagnostic::error(codes::FOLDER_MISSING, cause).at(whole(&source(path)))
    };
    let Some(bytes) = file(manifest::NAME) else {
        let hint = "name a folder that `divisi generate` wrote";
        told.push(missing(manifest::NAME).hint(hint));
        return None;
    };
    let (manifest, tasks) = match manifest::read(&source(manifest::NAME), &bytes) {
        Ok(read) => read,
        Err(faults) => {
            told.extend(faults);
            return None;
        }
    };
    told.extend(misfit(&manifest, &tasks, &source(manifest::NAME)));
    let mut edited = Vec::new();
    let mut taken = |path: &str| {
        let bytes = file(path);
        let is_as_written = match (manifest.files.get(path), &bytes) {
            (Some(known), Some(bytes)) => *known == digest(bytes),
            (known, bytes) => known.is_none() && bytes.is_none(),
        };
        if !is_as_written {
            edited.push(path.to_owned());
        }
        bytes
    };
    let context = match taken(context::NAME) {
        Some(bytes) => match context::read(&source(context::NAME), &bytes) {
            Ok(text) => text,
            Err(fault) => {
                told.push(*fault);
                String::new()
            }
        },
        None => String::new(),
    };
    let criteria = match taken(criteria::NAME) {
        Some(bytes) => {
            let read = criteria::read(&source(criteria::NAME), &bytes);
            told.extend(read.diagnostics);
            read.file
        }
        None => {
            told.push(missing(criteria::NAME).hint("write it again, or generate the folder anew"));
            None
        }
    };
    taken(super::readme::NAME);
    let named = manifest
        .agents
        .iter()
        .filter_map(|agent| agent.prompt.as_deref());
    let named = named.filter(|path| is_prompt(path));
    let prompts = named.filter_map(|path| Some((path.to_owned(), taken(path)?)));
    let prompts: BTreeMap<String, Vec<u8>> = prompts.collect();
    Some(Stage {
        criteria: criteria?,
        edited,
        folder: folder.to_owned(),
        tasks,
        context,
        prompts,
        manifest,
    })
}

fn whole(source: &str) -> Place {
    Place {
        source: source.to_owned(),
        line: 0,
        column: 0,
    }
}

fn is_prompt(path: &str) -> bool {
    let name = path
        .strip_prefix(PROMPTS)
        .and_then(|rest| rest.strip_prefix('/'));
    name.is_some() && paths::fault(path).is_none()
}

/// Where what a manifest says of its agents does not fit its tasks.
fn misfit(manifest: &Manifest, tasks: &[TaskSpec], source: &str) -> Option<Diagnostic> {
    let ids = |agent: &Agent| agent.subtask_id.clone();
    let same = manifest
        .agents
        .iter()
        .map(ids)
        .eq(tasks.iter().map(|task| task.id.clone()));
    let prompts = manifest
        .agents
        .iter()
        .filter_map(|agent| agent.prompt.as_deref());
    let strange = { prompts }.find(|path| !is_prompt(path));
    let made = manifest.agents.iter().flat_map(|agent| &agent.deliverables);
    let outside = { made }.find_map(|made| Some((&made.path, paths::fault(&made.path)?)));
    let cause = match (same, strange, outside) {
        (false, ..) => "its agents are not those of its tasks".to_owned(),
        (true, Some(path), _) => format!("the prompt {} does not stand in {PROMPTS}", shown(path)),
        (true, None, Some((path, fault))) => format!("the deliverable {} {fault}", shown(path)),
        (true, None, None) => return None,
    };
    let diagnostic = Diagnostic::error(codes::FOLDER_MANIFEST, cause).at(whole(source));
    Some(diagnostic.hint("generate the folder anew: `divisi generate`"))
}

impl Stage {
    /// What the words of its criteria may speak of.
    #[must_use]
    pub fn words(&self) -> Context {
        let agents = self.manifest.agents.iter();
        manifest::context(agents.flat_map(|agent| agent.deliverables.iter().cloned()))
    }

    /// When it is complete: every statement with its checks, or why there are none.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        self.criteria.statements(&self.words())
    }

    /// Its tasks as a plan, with prompts, context and criteria as they stand. Whoever may mend a
    /// file hears of the criteria on it; the task at the end carries all of them.
    #[must_use]
    pub fn plan(&self) -> Planned {
        let mut told = Vec::new();
        let statements: Vec<(String, Vec<Criterion>)> = self
            .statements()
            .into_iter()
            .map(|statement| {
                let criteria = statement.compiled.criteria(&statement.text);
                (statement.text, criteria)
            })
            .collect();
        let all = Judged::of(&statements);
        let agents = self.manifest.agents.iter();
        let mut tasks: Vec<TaskSpec> = self
            .tasks
            .iter()
            .zip(agents)
            .map(|(task, agent)| self.task(task, agent, &all, &mut told))
            .collect();
        self.check_promised(&all, &tasks, &mut told);
        let mut seen = HashSet::new();
        let every = statements.iter().flat_map(|(_, criteria)| criteria);
        let every = every.filter(|criterion| seen.insert(format!("{criterion:?}")));
        let every: Vec<Criterion> = every.cloned().collect();
        if every.len() > usize::from(u16::MAX) {
            let cause = format!("{} criteria, more than {}", every.len(), u16::MAX);
            told.push(Diagnostic::error(codes::TOO_LARGE, cause).at(self.place(criteria::NAME)));
        }
        let manifest = &self.manifest;
        let ends = Ends {
            id: &manifest.iteration,
            name: &manifest.name,
            goal: &manifest.goal,
        };
        tasks.extend(ends.review(&tasks, every));
        let plan = Plan {
            title: format!("{}: {}", manifest.workflow, manifest.name),
            tasks,
            ..Plan::default()
        };
        let refused = told.iter().any(|d| d.severity == Severity::Error);
        Planned {
            plan: (!refused).then_some(plan),
            diagnostics: told,
        }
    }

    fn place(&self, path: &str) -> Place {
        whole(&format!("{}/{path}", self.folder))
    }

    fn task(
        &self,
        task: &TaskSpec,
        agent: &Agent,
        all: &Judged<'_>,
        told: &mut Vec<Diagnostic>,
    ) -> TaskSpec {
        let mut task = task.clone();
        if let Some(path) = &agent.prompt {
            task.description = self.prompt(path, told);
        }
        task.deliverables
            .retain(|made| all.required.contains(&*made.path));
        // What follows from the rest is worked out anew below.
        let is_kept = |criterion: &&Criterion| match criterion {
            Criterion::Plain { text } => text != UNSTATED,
            Criterion::ExitStatus | Criterion::File { .. } => false,
            _ => true,
        };
        let kept = task.criteria.iter().filter(is_kept);
        let own = agent
            .statements
            .iter()
            .flat_map(|text| all.by_text.get(&**text));
        let of_files = task
            .deliverables
            .iter()
            .flat_map(|made| all.by_file.get(&*made.path));
        let mut listed: Vec<Criterion> = Vec::new();
        let mut seen = HashSet::new();
        for criterion in kept
            .chain(own.flat_map(|criteria| criteria.iter()))
            .chain(of_files.flat_map(|criteria| criteria.iter().copied()))
        {
            if seen.insert(format!("{criterion:?}")) {
                listed.push(criterion.clone());
            }
        }
        let promise = Promise {
            kind: task.kind,
            work: &task.work,
            deliverables: &task.deliverables,
            ok_exit_given: agent.exit_status,
        };
        let criteria = promise.criteria(&listed, &[]);
        if criteria.len() > CRITERIA_MAX {
            let count = criteria.len();
            let id = shown(task.id.as_str());
            let cause = format!("the task {id} has {count} criteria, more than {CRITERIA_MAX}");
            told.push(Diagnostic::error(codes::TOO_LARGE, cause).at(self.place(criteria::NAME)));
        }
        task.criteria = criteria;
        task
    }

    /// The prompt with the context in its place.
    fn prompt(&self, path: &str, told: &mut Vec<Diagnostic>) -> String {
        let Some(bytes) = self.prompts.get(path) else {
            let cause = format!("there is no {path} in {}", shown(&self.folder));
            let diagnostic = Diagnostic::error(codes::FOLDER_MISSING, cause).at(self.place(path));
            told.push(diagnostic.hint("write it again, or generate the folder anew"));
            return String::new();
        };
        let source = format!("{}/{path}", self.folder);
        match crate::text::text(&source, bytes, PROMPT_BYTES_MAX) {
            Ok(text) => {
                let whole = text.replacen(CONTEXT_BESIDE, self.context.trim_end(), 1);
                if whole.len() > PROMPT_BYTES_MAX {
                    let bytes = whole.len();
                    let cause =
                        format!("the prompt has {bytes} bytes, more than {PROMPT_BYTES_MAX}");
                    told.push(Diagnostic::error(codes::TOO_LARGE, cause).at(self.place(path)));
                }
                whole
            }
            Err(fault) => {
                told.push(*fault);
                String::new()
            }
        }
    }

    /// Files that are required and that nobody promises.
    fn check_promised(&self, all: &Judged<'_>, tasks: &[TaskSpec], told: &mut Vec<Diagnostic>) {
        let promised: HashSet<&str> = tasks
            .iter()
            .flat_map(|task| task.deliverables.iter().map(|made| &*made.path))
            .collect();
        let mut unpromised: Vec<&str> = all.required.difference(&promised).copied().collect();
        unpromised.sort_unstable();
        if let Some(first) = unpromised.first() {
            let more = match unpromised.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let cause = format!("no agent promises {}{more}", shown(first));
            let diagnostic = Diagnostic::warning(codes::FOLDER_UNPROMISED, cause);
            let hint = "say in the prompt of an agent that it makes it, if it is not there already";
            told.push(diagnostic.at(self.place(criteria::NAME)).hint(hint));
        }
    }
}

/// All criteria of a folder, by what they are looked for.
struct Judged<'s> {
    by_text: HashMap<&'s str, &'s Vec<Criterion>>,
    by_file: HashMap<&'s str, Vec<&'s Criterion>>,
    /// Files that must be there.
    required: HashSet<&'s str>,
}

impl<'s> Judged<'s> {
    fn of(statements: &'s [(String, Vec<Criterion>)]) -> Judged<'s> {
        let mut all = Judged {
            by_text: HashMap::new(),
            by_file: HashMap::new(),
            required: HashSet::new(),
        };
        for (text, criteria) in statements {
            all.by_text.insert(text, criteria);
            for criterion in criteria {
                if let Criterion::File { path, .. } = criterion {
                    all.required.insert(path);
                }
                if let Some(file) = criterion.file() {
                    all.by_file.entry(file).or_default().push(criterion);
                }
            }
        }
        all
    }
}
