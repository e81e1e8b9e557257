//! A run before it is created: its plan, and of a workflow the bundle and what is expected of it.

use std::collections::BTreeMap;

use divisi_core::diagnostic::Severity;
use divisi_core::intent::Planner;
use divisi_core::journal::Artifacts as _;
use divisi_core::run::{Base, Settings};
use divisi_core::{Diagnostic, Intent, Plan, TaskSpec};
use divisi_engine::failpoint;
use divisi_engine::files::Files as _;
use divisi_engine::repo::Repo;
use divisi_pack::bundle::{self, Bundle, Given, Prediction};
use divisi_pack::role::{Library as Roles, Role};
use divisi_store::ArtifactFiles;

use super::chosen::{self, Chosen};
use super::{intent, told};
use crate::authored::Authored;
use crate::cli::RunArgs;
use crate::config::Configuration;
use crate::exit::Exit;
use crate::library::Layer;
use crate::outline::outline;
use crate::present::{Present, Settling, auto_of};
use crate::printer::{Failure, Line, Printer, Style};
use crate::project::Project;
use crate::trust::Subject;

/// What is to be run, put together.
pub(super) enum Ordered<'c> {
    /// A plan as its file has it, or as it was made.
    Plan {
        /// The plan, until the run is given it: a large one is in memory once.
        plan: Box<Plan>,
        /// The file as it was named; of an intent its words.
        path: String,
        /// What it was made of, if it was made.
        intent: Option<Box<Intent>>,
    },
    /// A workflow.
    Workflow(Box<Workflow<'c>>),
}

/// A workflow with all that its run reads, and what is expected of it.
pub(super) struct Workflow<'c> {
    pub(super) authored: &'c Authored,
    pub(super) bundle: Bundle,
    pub(super) prediction: Prediction,
}

impl<'c> Ordered<'c> {
    /// Puts it together for a run on this base.
    ///
    /// # Errors
    /// It does not fit together, or an iteration that waits for none has no targets: that would not
    /// change by waiting. It was told.
    pub(super) fn of(
        chosen: &'c mut Chosen,
        args: &RunArgs,
        (project, configuration): (&Project, &Configuration),
        (repo, base): (&Repo, &Base),
        printer: &Printer,
    ) -> Result<Ordered<'c>, Failure> {
        let authored = match chosen {
            Chosen::Plan(plan) => {
                let path = args.plan.display().to_string();
                let plan = std::mem::take(plan);
                return Ok(Ordered::Plan {
                    plan,
                    path,
                    intent: None,
                });
            }
            Chosen::Planned(plan, intent) => {
                return Ok(Ordered::Plan {
                    plan: std::mem::take(plan),
                    path: intent.request().to_owned(),
                    intent: Some(intent.clone()),
                });
            }
            Chosen::Intent(_) => unreachable!("an intent is planned before it is ordered"),
            Chosen::Workflow(authored) => authored,
        };
        let commit = base.commit.as_ref().expect("a base was brought in");
        let calibration = crate::history::calibration(project, configuration);
        let said = chosen::said(&authored.workflow, args);
        let (inputs, faults) = authored.inputs(said, |rev| repo.fork(rev, commit));
        let given = Given {
            inputs,
            targets: args.of_workflow.targets.clone(),
            agents: args.of_workflow.agent.clone(),
            calibration,
            ..configuration.given()
        };
        let bundle = authored.bundle(&given, faults, printer)?;
        let tree = repo.tree_of(commit).map_err(|fault| told(&fault))?;
        let files = repo.files(&tree, None).map_err(|fault| told(&fault))?;
        let paths = files.list().map_err(|error| {
            let cause = format!("listing the files of {}: {error}", base.described);
            let told = Diagnostic::error("repo-io", cause);
            Failure::told(told, Exit::Environment)
        })?;
        let prediction = bundle::predict(&bundle, &paths);
        let workflow = Workflow {
            authored,
            bundle,
            prediction,
        };
        workflow.check(printer)?;
        Ok(Ordered::Workflow(Box::new(workflow)))
    }

    /// The plan that the run starts with; it is given once. What it names is kept before.
    ///
    /// # Errors
    /// The bundle cannot be stored.
    pub(super) fn plan(&mut self, project: &Project) -> Result<Plan, Failure> {
        match self {
            Ordered::Plan { plan, .. } => Ok(*std::mem::take(plan)),
            Ordered::Workflow(workflow) => {
                let artifacts = ArtifactFiles::with_hook(&project.divisi(), failpoint::hit);
                let kept = artifacts.put(&workflow.bundle.to_json());
                let digest = kept.map_err(|fault| {
                    Failure::told(divisi_store::diagnostic(&fault), Exit::Environment)
                })?;
                Ok(bundle::plan(&workflow.bundle, &digest))
            }
        }
    }

    /// What the run is for, where a request became its plan.
    pub(super) fn intent(&self) -> Option<&Intent> {
        match self {
            Ordered::Plan { intent, .. } => intent.as_deref(),
            Ordered::Workflow(_) => None,
        }
    }

    /// Whether an agent makes its plan.
    pub(super) fn is_planned_by_agent(&self) -> bool {
        let planner = self.intent().map(|intent| &intent.planner);
        planner == Some(&Planner::Agent)
    }

    /// The role of a name in the workflow that is run.
    pub(super) fn role(&self, name: &str) -> Option<&Role> {
        match self {
            Ordered::Plan { .. } => None,
            Ordered::Workflow(workflow) => workflow.bundle.role_named(name),
        }
    }

    /// What the run would do, for whoever has to consent to it.
    pub(super) fn outline(&self, plan: &Plan, settings: &Settings) -> Vec<Line> {
        match self {
            Ordered::Plan { intent, .. } => {
                let mut lines = outline(plan, settings);
                let said = intent.iter().flat_map(|intent| intent::lines(intent, "  "));
                lines.splice(1..1, said);
                lines
            }
            Ordered::Workflow(workflow) => workflow.outline(plan, settings),
        }
    }

    /// What somebody consents to.
    pub(super) fn subject(
        &self,
        plan: &Plan,
        configuration: &Configuration,
        settings: &Settings,
    ) -> Subject {
        let mut open = BTreeMap::new();
        self.each(plan, &mut |task| {
            if let Some(agent) = auto_of(task, settings) {
                open.insert(task.role(), agent.to_owned());
            }
        });
        let subject = match self {
            Ordered::Plan { path, .. } => Subject::of_plan(path, plan, configuration),
            Ordered::Workflow(workflow) => {
                let found = &workflow.authored.found;
                let bundle = &workflow.bundle;
                Subject::of_workflow(&found.origin.path, &found.bytes, bundle, configuration)
            }
        };
        open.into_iter().fold(subject, |subject, (role, agent)| {
            subject.by(role.as_deref(), &agent)
        })
    }

    /// The settings of its run: who does the tasks is settled, as far as they can be foreseen.
    /// `plan` is what the run starts with. Whatever is missing was told, with this severity.
    ///
    /// # Errors
    /// An agent is missing, and that is an error.
    pub(super) fn settle(
        &self,
        plan: &Plan,
        (configuration, roles, settings): (&Configuration, &Roles, Settings),
        severity: Severity,
        printer: &Printer,
    ) -> Result<Settings, Failure> {
        let present = Present::look(&settings.defined);
        let preferred = configuration.preferred(roles);
        let settling = Settling::begin(&present, preferred, settings);
        let settling = settling.within(&configuration.config.day);
        let mut settling = settling.ruled_at(configuration.place("permissions.rules").cloned());
        settling.judges(&plan.criteria);
        self.each(plan, &mut |task| settling.see(task));
        settling.end(severity, printer)
    }

    /// Shows all its tasks, as far as they can be foreseen. `plan` is what the run starts with.
    fn each(&self, plan: &Plan, see: &mut dyn FnMut(&TaskSpec)) {
        let workflow = match self {
            Ordered::Plan { .. } => return plan.tasks.iter().for_each(see),
            Ordered::Workflow(workflow) => workflow,
        };
        for (id, expanded) in &workflow.prediction.iterations {
            match &expanded.expansion {
                Some(expansion) => expansion.tasks.iter().for_each(&mut *see),
                None => bundle::rough(&workflow.bundle, id)
                    .iter()
                    .for_each(&mut *see),
            }
        }
    }

    /// Where it comes from, in words.
    pub(super) fn said(&self) -> String {
        match self {
            Ordered::Plan {
                intent: Some(intent),
                ..
            } => format!("it is planned {}", intent.planner),
            Ordered::Plan { path, .. } => format!("its plan is {path}"),
            Ordered::Workflow(workflow) => {
                let found = &workflow.authored.found;
                format!("its workflow is {}", found.origin.path)
            }
        }
    }
}

impl Workflow<'_> {
    /// Tells what is wrong with iterations that can start at once, and warnings of all. What waits
    /// for others may yet find what it needs.
    fn check(&self, printer: &Printer) -> Result<(), Failure> {
        let mut is_refused = false;
        for (id, expanded) in &self.prediction.iterations {
            let iteration = self.bundle.workflow.iteration(id);
            let waits = iteration.is_some_and(|it| !it.dependencies.is_empty());
            for diagnostic in &expanded.diagnostics {
                let is_error = diagnostic.severity == Severity::Error;
                if !is_error || !waits {
                    self.authored.tell(diagnostic, printer);
                }
                is_refused |= is_error && !waits;
            }
        }
        match is_refused {
            true => Err(Failure::Reported(Exit::Usage)),
            false => Ok(()),
        }
    }

    /// The tasks as far as they can be foreseen, with all programs that the workflow names.
    fn outline(&self, plan: &Plan, settings: &Settings) -> Vec<Line> {
        let tasks = self
            .prediction
            .iterations
            .iter()
            .flat_map(|(id, expanded)| match &expanded.expansion {
                Some(expansion) => expansion.tasks.clone(),
                None => bundle::rough(&self.bundle, id),
            });
        let foreseen = Plan {
            tasks: tasks.collect(),
            ..plan.clone()
        };
        let mut lines = outline(&foreseen, settings);
        let origin = &self.authored.found.origin;
        let style = match origin.layer {
            Layer::Project => Style::Warn,
            Layer::User | Layer::BuiltIn => Style::Dim,
        };
        let where_it_stands = format!("  {} workflow: ", origin.layer.word());
        let line = Line::styled(style, where_it_stands).then(origin.path.as_str());
        lines.insert(1, line);
        lines.push(Line::styled(
            Style::Dim,
            "  foreseen; later iterations work on what those before them make, by the same rules",
        ));
        lines
    }
}
