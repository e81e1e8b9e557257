//! One iteration as a folder: documents for people, prompts for agents, a manifest for programs.
//!
//! The folder says what [`super::expand()`] says, in a form that can be edited before it is run:
//! unedited, it gives the same tasks with the same prompts. What stands in its criteria is what
//! counts, so every criterion of the iteration and of its entries is written there, as its author
//! said it or in words that are understood as exactly the same check. What would mean something
//! else on the whole than on one agent's work, such as its scope, stays in the manifest.

use std::collections::{BTreeMap, HashMap, HashSet};

use divisi_core::diagnostic::Severity;
use divisi_core::plan::Work;
use divisi_core::{Criterion, Diagnostic, Plan, TaskSpec};

use super::criteria::{self, Subject};
use super::expand::{shared, tasks};
use super::prompt::{Standing, templates, unfilled};
use super::shared::{Given, Shared};
use super::told::Told;
use super::{Bundle, Expansion};
use crate::allocation::Share;
use crate::codes;
use crate::folder::criteria::{CriteriaFile, Deliverable, Line, Program};
use crate::folder::manifest::{self, Agent, Manifest};
use crate::folder::{self, PROMPTS, context, one_line, readme, stage};
use crate::plan_file;
use crate::plan_file::compile::Promise;
use crate::words::{self, Compiled, Context};
use crate::workflow::{Iteration, Statement};

/// A folder that was made, and what is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The folder; `None` exactly if an error is among the diagnostics.
    pub folder: Option<Written>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// A folder as it is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The files by their paths in it.
    pub files: BTreeMap<String, String>,
    /// Its manifest, which is one of them.
    pub manifest: Manifest,
}

/// Makes the folder of an iteration, by id or name, against the paths of the tree. `folder` is its
/// path as commands take it, for its guide. The same bundle and paths give the same bytes.
#[must_use]
pub fn generate<S: AsRef<str>>(
    bundle: &Bundle,
    iteration: &str,
    paths: &[S],
    folder: &str,
) -> Generated {
    let Some(iteration) = bundle.workflow.iteration(iteration) else {
        return Generated {
            folder: None,
            diagnostics: vec![super::expand::unknown(bundle, iteration)],
        };
    };
    let mut told = Told::default();
    let entries = shared(bundle, iteration, paths, &mut told);
    let mut made = None;
    if !told.refuses() {
        let expansion = tasks(bundle, iteration, &entries, Standing::Beside, &mut told);
        if !told.refuses() {
            let making = Folder {
                bundle,
                iteration,
                entries: &entries,
                expansion: &expansion,
            };
            made = Some(making.written(folder, &mut told));
        }
    }
    Generated {
        folder: made.filter(|_| !told.refuses()),
        diagnostics: told.finish(),
    }
}

struct Folder<'f> {
    bundle: &'f Bundle,
    iteration: &'f Iteration,
    entries: &'f [Shared<'f>],
    expansion: &'f Expansion,
}

/// An agent's task with what is said of it.
struct Agents<'f> {
    shared: &'f Shared<'f>,
    given: &'f Given,
    task: &'f TaskSpec,
    share: &'f Share,
}

impl<'f> Folder<'f> {
    /// The agents in the order of their tasks.
    fn agents(&self) -> impl Iterator<Item = Agents<'f>> {
        let given = self
            .entries
            .iter()
            .flat_map(|shared| shared.agents.iter().map(move |given| (shared, given)));
        let tasks = self.expansion.tasks.iter().zip(&self.expansion.shares);
        given
            .zip(tasks)
            .map(|((shared, given), (task, share))| Agents {
                shared,
                given,
                task,
                share,
            })
    }

    fn written(&self, folder: &str, told: &mut Told) -> Written {
        let place = &self.iteration.place;
        let templates = templates(self.bundle);
        let mut written = Criteria::of(self);
        let owns = written.statements(self);
        let mut files = BTreeMap::new();
        let context = context::write(&self.bundle.context_file(self.iteration), &templates);
        files.insert(
            context::NAME.to_owned(),
            unfilled(context, place, context::NAME, told),
        );
        let text = folder::criteria::write(&written.file, &templates);
        let text = unfilled(text, place, folder::criteria::NAME, told);
        self.check_readable(&text, told);
        files.insert(folder::criteria::NAME.to_owned(), text);
        let mut prompts = Vec::new();
        let mut agents = Vec::new();
        for (agent, own) in self.agents().zip(owns) {
            let path = (agent.task.work == Work::Handoff).then(|| prompt_path(agent.share, &files));
            if let Some(path) = &path {
                let mut text = agent.task.description.trim_end().to_owned();
                text.push('\n');
                files.insert(path.clone(), text);
                prompts.push(readme::Prompt {
                    path: path.clone(),
                    role: agent
                        .shared
                        .role
                        .map_or_else(|| agent.share.entry.clone(), |role| role.name.clone()),
                    targets: agent.share.targets.clone(),
                });
            }
            agents.push(self.agent(&agent, path, own));
        }
        let outputs = written
            .file
            .deliverables
            .iter()
            .filter_map(|line| match line {
                Line::Form(deliverable) => Some(deliverable.clone()),
                Line::Words(_) => None,
            });
        let guide = readme::Readme {
            title: self.iteration.name.clone(),
            goal: self.iteration.goal.clone(),
            folder: folder.to_owned(),
            prompts,
            outputs: outputs.collect(),
        };
        let guide = readme::write(&guide, &templates);
        files.insert(
            readme::NAME.to_owned(),
            unfilled(guide, place, readme::NAME, told),
        );
        let manifest = self.manifest(agents, &files);
        files.insert(manifest::NAME.to_owned(), manifest.to_json());
        Written { files, manifest }
    }

    /// Whether the criteria are understood as they are written: their template may be a project's.
    fn check_readable(&self, text: &str, told: &mut Told) {
        let read = folder::criteria::read(folder::criteria::NAME, text.as_bytes());
        let errors = read
            .diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error);
        for error in errors {
            told.error(codes::WORKFLOW_TEMPLATE, &self.iteration.place, &[], || {
                format!(
                    "{} could not be read again: {error}",
                    folder::criteria::NAME
                )
            });
        }
    }

    fn agent(&self, agent: &Agents<'_>, prompt: Option<String>, own: Own) -> AgentTask {
        let (task, share) = (agent.task, agent.share);
        let exit_status = task.criteria.contains(&Criterion::ExitStatus);
        let promise = Promise {
            kind: task.kind,
            work: &task.work,
            deliverables: &task.deliverables,
            ok_exit_given: exit_status,
        };
        let kept = TaskSpec {
            description: match prompt {
                Some(_) => String::new(),
                None => task.description.clone(),
            },
            criteria: promise.criteria(&own.kept, &[]),
            ..task.clone()
        };
        let agent = Agent {
            subtask_id: task.id.clone(),
            role: share.role.clone(),
            prompt,
            targets: share.targets.clone(),
            deliverables: criteria::outputs(self.bundle, agent.shared, agent.given).collect(),
            points: share.points,
            estimated_tokens: share.tokens,
            budget_tokens: share.budget_tokens,
            risk_level: share.risk,
            statements: own.statements,
            exit_status,
        };
        (agent, kept)
    }

    fn manifest(&self, agents: Vec<AgentTask>, files: &BTreeMap<String, String>) -> Manifest {
        let (agents, tasks): (Vec<Agent>, Vec<TaskSpec>) = agents.into_iter().unzip();
        let plan = Plan {
            title: self.iteration.name.clone(),
            tasks,
            ..Plan::default()
        };
        let digests = files
            .iter()
            .map(|(path, text)| (path.clone(), stage::digest(text.as_bytes())));
        Manifest {
            format: manifest::FORMAT,
            workflow: self.bundle.workflow.name.clone(),
            iteration: self.iteration.id.clone(),
            name: self.iteration.name.clone(),
            goal: self.iteration.goal.clone(),
            inputs: self.bundle.inputs.clone(),
            agents,
            resource_estimate: self.expansion.estimate.to_plan_form(),
            files: digests.collect(),
            plan: plan_file::to_value(&plan),
        }
    }
}

/// An agent of the manifest, and its task without what the documents say.
type AgentTask = (Agent, TaskSpec);

/// The path of an agent's prompt, with dashes as files are named, unless another entry's is called
/// so.
fn prompt_path(share: &Share, files: &BTreeMap<String, String>) -> String {
    let number = match share.agents {
        1 => String::new(),
        _ => format!("-{}", share.number),
    };
    let path = |label: &str| format!("{PROMPTS}/{label}-agent-prompt{number}.md");
    let dashed = path(&share.entry.replace('_', "-"));
    match files.contains_key(&dashed) {
        true => path(&share.entry),
        false => dashed,
    }
}

/// What holds for one agent's task alone.
#[derive(Default)]
struct Own {
    /// Statements of the file.
    statements: Vec<String>,
    /// Criteria that no statement of the file says.
    kept: Vec<Criterion>,
}

/// The criteria's file on its way.
struct Criteria {
    file: CriteriaFile,
    /// Where each deliverable stands in it.
    places: HashMap<String, usize>,
    /// The statements that it has.
    seen: HashSet<String>,
    /// What its words may speak of.
    context: Context,
}

impl Criteria {
    fn of(folder: &Folder<'_>) -> Criteria {
        let mut written = Criteria {
            file: CriteriaFile {
                title: folder.iteration.name.clone(),
                ..CriteriaFile::default()
            },
            places: HashMap::new(),
            seen: HashSet::new(),
            context: Subject::of(folder.bundle, folder.entries).context(),
        };
        for agent in folder.agents() {
            for made in &agent.given.made {
                let about = &agent.shared.entry.deliverables[made.promised].description;
                let lines = &mut written.file.deliverables;
                written.places.insert(made.path.clone(), lines.len());
                lines.push(Line::Form(Deliverable {
                    path: made.path.clone(),
                    min_bytes: 1,
                    about: one_line(about.as_deref().unwrap_or_default()),
                }));
            }
        }
        written
    }

    /// Writes all statements; gives what holds for each agent alone.
    fn statements(&mut self, folder: &Folder<'_>) -> Vec<Own> {
        let (bundle, iteration) = (folder.bundle, folder.iteration);
        let all = Subject::of(bundle, folder.entries);
        for statement in &iteration.criteria {
            match criteria::said(statement, bundle) {
                Some(text) => _ = self.words(&text),
                None => {
                    for criterion in criteria::compile(std::slice::from_ref(statement), &all) {
                        self.of_iteration(&criterion);
                    }
                }
            }
        }
        let mut owns = Vec::new();
        for shared in folder.entries {
            let mut of_entry: Vec<Own> = shared.agents.iter().map(|_| Own::default()).collect();
            for statement in &shared.entry.criteria {
                self.of_entry(folder, shared, statement, &mut of_entry);
            }
            owns.extend(of_entry);
        }
        owns
    }

    /// A check of the iteration. The first scope is the section's own; another one has to hold
    /// beside it and is written in words. What no words say is left to a person.
    fn of_iteration(&mut self, criterion: &Criterion) {
        if let Criterion::Scope { patterns } = criterion
            && self.file.scope.is_empty()
        {
            let patterns = patterns.iter().cloned().map(Line::Form);
            self.file.scope.extend(patterns);
            return;
        }
        if self.check(criterion).is_none() && !self.is_size(criterion) {
            self.words(&criterion.to_string());
        }
    }

    /// A statement of an entry: its words where they mean the same on the whole, otherwise each of
    /// its checks.
    fn of_entry(
        &mut self,
        folder: &Folder<'_>,
        shared: &Shared<'_>,
        statement: &Statement,
        owns: &mut [Own],
    ) {
        let bundle = folder.bundle;
        let statements = std::slice::from_ref(statement);
        let of_agent =
            |given| criteria::compile(statements, &Subject::of_one(bundle, shared, given));
        let by_agent: Vec<Vec<Criterion>> = shared.agents.iter().map(of_agent).collect();
        let text = criteria::said(statement, bundle);
        let mine: HashSet<String> = by_agent
            .iter()
            .flatten()
            .map(|c| format!("{c:?}"))
            .collect();
        let whole = text.as_deref().map(|text| {
            let compiled = words::compile(text, &self.context).criteria(text);
            compiled
                .iter()
                .map(|c| format!("{c:?}"))
                .collect::<HashSet<String>>()
        });
        let stays = by_agent.iter().flatten().any(|c| self.stays(c));
        let text = text.filter(|_| whole == Some(mine) && !stays);
        let text = text.map(|text| self.words(&text));
        for ((own, given), criteria) in owns.iter_mut().zip(&shared.agents).zip(by_agent) {
            for criterion in criteria {
                let of_file = criterion
                    .file()
                    .is_some_and(|file| given.made.iter().any(|made| made.path == file));
                let said = match &text {
                    Some(text) => Some(text.clone()),
                    None if self.stays(&criterion) => None,
                    None => self.check(&criterion),
                };
                match said {
                    Some(_) if of_file => {}
                    Some(text) if own.statements.contains(&text) => {}
                    Some(text) => own.statements.push(text),
                    None if self.is_size(&criterion) => {}
                    None => own.kept.push(criterion),
                }
            }
        }
    }

    /// Writes words into the section of what they are understood as; gives the statement as it is
    /// read.
    fn words(&mut self, text: &str) -> String {
        let text = one_line(text);
        if !self.seen.insert(text.clone()) {
            return text;
        }
        let compiled = words::compile(&text, &self.context);
        let are = |is: fn(&Criterion) -> bool| match &compiled {
            Compiled::Checks(understood) => understood.criteria.iter().all(is),
            Compiled::Unverified(_) => false,
        };
        if are(|criterion| matches!(criterion, Criterion::Command { .. })) {
            self.file.commands.push(Line::Words(text.clone()));
        } else if are(|criterion| matches!(criterion, Criterion::Scope { .. })) {
            self.file.scope.push(Line::Words(text.clone()));
        } else {
            self.file.standards.push(text.clone());
        }
        text
    }

    /// Writes a check; gives the statement as it is read. `None` where it is the size of a required
    /// deliverable, which stands there, or where no words say it.
    fn check(&mut self, criterion: &Criterion) -> Option<String> {
        match criterion {
            Criterion::File { path, min_bytes } if self.places.contains_key(path) => {
                let line = &mut self.file.deliverables[self.places[path]];
                if let Line::Form(deliverable) = line {
                    deliverable.min_bytes = deliverable.min_bytes.max(*min_bytes);
                }
                None
            }
            Criterion::Command { argv, timeout_ms } => {
                let program = Program {
                    argv: argv.clone(),
                    timeout_ms: *timeout_ms,
                };
                let text = folder::criteria::program_line(&program);
                if self.seen.insert(text.clone()) {
                    self.file.commands.push(Line::Form(program));
                }
                Some(text)
            }
            Criterion::Scope { .. } | Criterion::Plain { .. } => {
                Some(self.words(&words::say(criterion)?))
            }
            criterion => {
                // It says this one check: it need not be understood to find its section.
                let text = one_line(&words::say(criterion)?);
                if self.seen.insert(text.clone()) {
                    self.file.standards.push(text.clone());
                }
                Some(text)
            }
        }
    }

    /// Whether a criterion of one agent's work means something else on the whole.
    fn stays(&self, criterion: &Criterion) -> bool {
        match criterion {
            Criterion::Scope { .. } | Criterion::Changed { .. } => true,
            Criterion::Plain { text } => {
                matches!(words::compile(text, &self.context), Compiled::Checks(_))
            }
            _ => false,
        }
    }

    /// Whether a check is said by the size of a required deliverable.
    fn is_size(&self, criterion: &Criterion) -> bool {
        matches!(criterion, Criterion::File { path, .. } if self.places.contains_key(path))
    }
}
