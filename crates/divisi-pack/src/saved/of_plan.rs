//! The tasks of a plan as entries of iterations.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::diagnostic::Place;
use divisi_core::plan::{Input, Template, Work};
use divisi_core::{Criterion, Plan, TaskKind, TaskSpec};

use super::parameters::Parameters;
use super::{Origin, Saved, layers, script};
use crate::pattern;
use crate::plan_file::Stated;
use crate::role::{self, Library, Patch};
use crate::template::AS_IS;
use crate::workflow::{
    Allocation, Context, Declared, ENTRIES_MAX, Entry, InputKind, Iteration, Names, Promised,
    Settings, Statement, Strategy, Targets, Workflow, slug,
};

/// The role of tasks that name none: somebody does them.
const SOMEBODY: &str = "agent";

/// What a plan does not say itself.
pub struct Known<'k> {
    /// The roles that there are.
    pub roles: &'k Library,
    /// The files of the tree that the run began with.
    pub files: &'k [String],
    /// What workspaces are given anyway, by the configuration.
    pub preparation: &'k divisi_core::preparation::Preparation,
}

/// The workflow of a plan.
///
/// # Errors
/// Why it cannot be one, as a fragment.
pub fn of_plan(name: &str, plan: &Plan, known: &Known<'_>) -> Result<Saved, String> {
    if plan.tasks.is_empty() {
        return Err("nothing that it did can be done again".to_owned());
    }
    if plan.tasks.len() > ENTRIES_MAX {
        let many = plan.tasks.len();
        return Err(format!(
            "it has {many} tasks, more than the {ENTRIES_MAX} of an iteration"
        ));
    }
    let files: BTreeSet<&str> = known.files.iter().map(String::as_str).collect();
    let mut saving = Saving {
        plan,
        parameters: Parameters::of(plan, &files),
        layers: layers::of(plan),
        labels: Vec::new(),
        files,
        library: known.roles,
        roles: BTreeMap::new(),
        templates: BTreeMap::new(),
        literal: Vec::new(),
        left_out: Vec::new(),
    };
    saving.name_entries();
    let iterations = saving.iterations();
    if !plan.preparation.is_empty() && plan.preparation != *known.preparation {
        saving.left_out.push(
            "what the plan copies into workspaces and sets up in them; `workspace` of divisi.yaml says it for workflows"
                .to_owned(),
        );
    }
    let names_run = |task: &TaskSpec| match &task.work {
        Work::Template(template) => match &template.text {
            Some(text) => text.contains("run."),
            None => template.path.is_none(),
        },
        _ => false,
    };
    for task in plan.tasks.iter().filter(|task| names_run(task)) {
        saving.left_out.push(format!(
            "the title of the run in what {} composes; it is the workflow's name",
            task.id
        ));
    }
    let is_estimated = |task: &TaskSpec| task.estimate != divisi_core::plan::Estimate::default();
    if plan.tasks.iter().any(is_estimated) {
        let told = "the tasks' own estimates; those of workflows are made of points";
        saving.left_out.push(told.to_owned());
    }
    Ok(Saved {
        workflow: Workflow {
            name: name.to_owned(),
            version: None,
            description: plan.title.clone(),
            inputs: saving.inputs(),
            context: Context::default(),
            iterations,
            roles: saving.roles.into_values().collect(),
            templates: saving.templates,
            lead: None,
            place: place(),
        },
        parameters: saving.parameters.list,
        literal: saving.literal,
        left_out: saving.left_out,
    })
}

/// What is made stands in no text.
fn place() -> Place {
    Place {
        source: String::new(),
        line: 0,
        column: 0,
    }
}

struct Saving<'s> {
    plan: &'s Plan,
    parameters: Parameters,
    /// The iteration of each task.
    layers: Vec<usize>,
    /// The label of each task's entry.
    labels: Vec<String>,
    files: BTreeSet<&'s str>,
    library: &'s Library,
    /// What the workflow itself says of roles, by id.
    roles: BTreeMap<String, Patch>,
    templates: BTreeMap<String, String>,
    literal: Vec<String>,
    left_out: Vec<String>,
}

impl Saving<'_> {
    fn layer_count(&self) -> usize {
        self.layers.iter().max().map_or(0, |last| last + 1)
    }

    fn name_entries(&mut self) {
        let mut names: Vec<Names> = Vec::new();
        for _ in 0..self.layer_count() {
            let mut taken = Names::default();
            // The task that ends the iteration has this name.
            taken.unique("review".to_owned());
            names.push(taken);
        }
        for (at, task) in self.plan.tasks.iter().enumerate() {
            let label = slug(task.id.as_str(), "task");
            self.labels.push(names[self.layers[at]].unique(label));
        }
    }

    fn position(&self, id: &divisi_core::TaskId) -> Option<usize> {
        self.plan.tasks.iter().position(|task| task.id == *id)
    }

    fn iterations(&mut self) -> Vec<Iteration> {
        let count = self.layer_count();
        let mut iterations: Vec<Iteration> = Vec::new();
        let mut names = Names::default();
        for layer in 0..count {
            let name = match (count, self.plan.stages.get(layer)) {
                (1, _) => "work".to_owned(),
                (count, Some(stage)) if self.plan.stages.len() == count => stage.name.clone(),
                _ => format!("step-{}", layer + 1),
            };
            let id = names.unique(slug(&name, &format!("iteration-{}", layer + 1)));
            let tasks: Vec<usize> = { 0..self.plan.tasks.len() }
                .filter(|&at| self.layers[at] == layer)
                .collect();
            let (endings, works): (Vec<usize>, Vec<usize>) =
                { tasks.into_iter() }.partition(|&at| layers::is_ending(&self.plan.tasks[at]));
            let mut criteria: Vec<Criterion> = { endings.iter() }
                .flat_map(|&at| self.plan.tasks[at].criteria.clone())
                .collect();
            if layer + 1 == count {
                criteria.extend(self.plan.criteria.iter().cloned());
            }
            let criteria = criteria.iter().map(|it| self.statement(it)).collect();
            let entries = works.into_iter().map(|at| self.entry(at)).collect();
            iterations.push(Iteration {
                dependencies: iterations
                    .last()
                    .map(|it| it.id.clone())
                    .into_iter()
                    .collect(),
                id: id.clone(),
                name: id,
                phase: None,
                goal: self.plan.title.clone(),
                entries,
                criteria,
                context: Context::default(),
                place: place(),
            });
        }
        self.note_literals();
        iterations
    }

    fn statement(&self, check: &Criterion) -> Statement {
        Statement::Check(self.parameters.put_check(check))
    }

    /// Says which checks name a value that stands where no variable may.
    fn note_literals(&mut self) {
        let tasks = self.plan.tasks.iter();
        let all = tasks.flat_map(|task| task.criteria.iter().map(|it| (task.id.as_str(), it)));
        let whole = self.plan.criteria.iter().map(|it| ("the whole", it));
        let mut noted = BTreeSet::new();
        for (of, check) in all.chain(whole) {
            let is_literal = match check {
                Criterion::Command { argv, .. } => argv.iter().any(|it| self.parameters.are_in(it)),
                Criterion::Plain { text } => self.parameters.are_in(text),
                _ => false,
            };
            if is_literal && noted.insert(check.to_string()) {
                self.literal.push(format!("a check of {of}: {check}"));
            }
        }
    }

    fn inputs(&self) -> Vec<Declared> {
        let declared = self.parameters.list.iter().map(|parameter| Declared {
            name: parameter.name.clone(),
            kind: match parameter.of {
                Origin::Target => InputKind::Path,
                Origin::Goal | Origin::Input => InputKind::String,
            },
            description: match parameter.of {
                Origin::Target => "The file that it works on".to_owned(),
                Origin::Goal => "What it is to reach".to_owned(),
                Origin::Input => String::new(),
            },
            default: Some(parameter.value.clone()),
            choices: Vec::new(),
        });
        declared.collect()
    }

    fn entry(&mut self, at: usize) -> Entry {
        let task = &self.plan.tasks[at];
        let stated = Stated::of(task);
        let mut env: BTreeMap<String, String> = { task.env.iter() }
            .map(|(name, text)| (name.clone(), self.parameters.put(text)))
            .collect();
        let work = self.work(task, &mut env);
        let (targets, takes) = self.taken(at);
        let words = stated.words.iter();
        let words = words.map(|text| Statement::Words(text.clone()));
        let checks: Vec<Statement> = { stated.listed.iter() }
            .map(|check| self.statement(check))
            .chain(words)
            .collect();
        if let Some(candidates) = &task.candidates {
            let many = candidates.of.len();
            self.left_out
                .push(format!("that {} is solved {many} times", task.id));
        }
        let is_approval = task.kind == TaskKind::Approval;
        let strategy = match targets.is_empty() {
            true => Strategy::Even,
            false => Strategy::Single,
        };
        Entry {
            label: self.labels[at].clone(),
            role: self.role(task),
            targets: if is_approval { Vec::new() } else { targets },
            dependencies: self.dependencies(at, &takes),
            takes: if is_approval { Vec::new() } else { takes },
            deliverables: { task.deliverables.iter() }
                .map(|made| Promised {
                    path: self.parameters.put(&made.path),
                    template: None,
                    description: None,
                })
                .collect(),
            points: None,
            allocation: Allocation {
                strategy,
                max_per_agent: None,
            },
            criteria: if is_approval { Vec::new() } else { checks },
            title: Some(self.parameters.put_words(&task.title)),
            description: self.parameters.put_words(&task.description),
            kind: task.kind,
            work,
            settings: Settings {
                agent: task.agent.clone(),
                agents_else: task.agents_else.clone(),
                scope: task
                    .scope
                    .iter()
                    .map(|it| self.parameters.put(it))
                    .collect(),
                workspace: stated.workspace(task).filter(|_| !is_approval),
                env,
                timeout_ms: task.timeout_ms,
                retries: task.retries,
                ok_exit: stated.ok_exit_given.then(|| task.ok_exit.clone()),
                priority: task.priority,
            },
            place: place(),
        }
    }

    /// Entries of the iteration that must be done before. What stands in an earlier one is.
    fn dependencies(&self, at: usize, takes: &[String]) -> Vec<String> {
        let before = self.plan.tasks[at].dependencies.iter();
        let before = before.filter_map(|id| self.position(id));
        let within = before.filter(|&on| self.layers[on] == self.layers[at]);
        let labels = within.map(|on| self.labels[on].clone());
        labels.filter(|label| !takes.contains(label)).collect()
    }

    /// What it takes: files by their paths, and entries of its iteration.
    fn taken(&mut self, at: usize) -> (Vec<Targets>, Vec<String>) {
        let task = &self.plan.tasks[at];
        let (mut patterns, mut takes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for input in &task.inputs {
            match input {
                Input::Path(path) => match self.pattern(at, path) {
                    Some(Taken::Pattern(pattern)) => patterns.push(pattern),
                    Some(Taken::Entry(label)) => takes.push(label),
                    None => self.left_out.push(format!(
                        "that {} is given {path}, which no task promised",
                        task.id
                    )),
                },
                Input::Task(id) => {
                    let Some(on) = self.position(id) else {
                        continue;
                    };
                    if self.layers[on] == self.layers[at] {
                        takes.push(self.labels[on].clone());
                        continue;
                    }
                    let made = self.plan.tasks[on].deliverables.iter();
                    patterns.extend(made.map(|made| self.parameters.put(&made.path)));
                }
            }
        }
        patterns.dedup();
        takes.dedup();
        let targets = patterns.into_iter().map(|pattern| Targets {
            pattern,
            filter: None,
        });
        (targets.collect(), takes)
    }

    /// How an entry names a file or folder that its task was given.
    fn pattern(&self, at: usize, path: &str) -> Option<Taken> {
        let maker = { self.plan.tasks.iter() }
            .position(|task| task.deliverables.iter().any(|made| made.path == path));
        match maker {
            Some(on) if on != at && self.layers[on] == self.layers[at] => {
                return Some(Taken::Entry(self.labels[on].clone()));
            }
            Some(on) if self.layers[on] < self.layers[at] => {
                return Some(Taken::Pattern(self.parameters.put(path)));
            }
            _ => {}
        }
        let beneath = format!("{}/", path.trim_end_matches('/'));
        let is_folder =
            { self.files.range(&*beneath..).next() }.is_some_and(|file| file.starts_with(&beneath));
        match (self.files.contains(path), is_folder) {
            (true, _) => Some(Taken::Pattern(self.parameters.put(path))),
            (false, true) => Some(Taken::Pattern(format!("{beneath}**"))),
            (false, false) => {
                let matches = pattern::Pattern::new(path, |_| None).ok()?;
                let is_pattern = !pattern::is_literal(path);
                let some = is_pattern && self.files.iter().any(|file| matches.matches(file));
                some.then(|| Taken::Pattern(path.to_owned()))
            }
        }
    }

    fn work(&mut self, task: &TaskSpec, env: &mut BTreeMap<String, String>) -> Work {
        let mut put_script = |text: &str, literal: &mut Vec<String>| {
            let script = script::put(text, &self.parameters);
            let variables = script.names.iter();
            env.extend(variables.map(|name| (script::variable(name), format!("{{{name}}}"))));
            if script.is_literal {
                literal.push(format!("a path in the script of {}", task.id));
            }
            script.text
        };
        match &task.work {
            Work::Script(text) => Work::Script(put_script(text, &mut self.literal)),
            Work::Command(argv) => {
                let shell = script::shell_script(argv);
                let part = |(at, part): (usize, &String)| {
                    if shell == Some(at) {
                        return put_script(part, &mut self.literal);
                    }
                    if script::follows_code_flag(argv, at) {
                        if self.parameters.are_in(part) {
                            let literal = format!("a path in the command of {}", task.id);
                            self.literal.push(literal);
                        }
                        return part.clone();
                    }
                    self.parameters.put(part)
                };
                Work::Command(argv.iter().enumerate().map(part).collect())
            }
            Work::Template(template) => Work::Template(Template {
                text: template.text.clone(),
                path: template.path.clone(),
                output: self.parameters.put(&template.output),
            }),
            other => other.clone(),
        }
    }

    /// The role under which the library knows the task's, or one that the workflow itself describes.
    fn role(&mut self, task: &TaskSpec) -> Option<String> {
        let (domain, function) = (task.domain.as_deref(), task.function.as_deref());
        let is_handoff = task.work == Work::Handoff;
        if task.role().is_none() {
            if !is_handoff {
                return None;
            }
            self.describe(SOMEBODY, None, None);
            self.templates.insert(SOMEBODY.to_owned(), AS_IS.to_owned());
            return Some(SOMEBODY.to_owned());
        }
        let id = match self.library.of_task(domain, function) {
            Some(role) => role.id.clone(),
            None => {
                let id = role::canonical(function.or(domain).unwrap_or(SOMEBODY));
                self.describe(&id, domain, function);
                id
            }
        };
        // A prompt that holds all that the role tells is not put into another one.
        if is_handoff && self.plan.roles.is_empty() {
            self.templates.insert(id.clone(), AS_IS.to_owned());
        }
        Some(id)
    }

    fn describe(&mut self, id: &str, domain: Option<&str>, function: Option<&str>) {
        let patch = Patch::of_task(id, domain, function, place());
        self.roles.entry(id.to_owned()).or_insert(patch);
    }
}

/// How an entry takes something.
enum Taken {
    /// By a pattern of paths.
    Pattern(String),
    /// From an entry of its iteration.
    Entry(String),
}
