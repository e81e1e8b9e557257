//! What planning knows of the project: its files, roles, agents, how it is tested, what is permitted.

use divisi_core::Plan;
use divisi_core::plan::Work;
use divisi_core::run::{AGENT_AUTO, AGENT_PERSON, Budget, Sizes, asks_model};
use divisi_engine::repo::Listed;
use divisi_pack::config::Values;
use divisi_pack::planner::{Facts, Reviewers, tested_by};
use divisi_pack::role::Library as Roles;

use crate::config::{Configuration, Source};
use crate::exit::Exit;
use crate::library::Library;
use crate::library::files::beneath;
use crate::present::Present;
use crate::printer::{Failure, Printer};
use crate::project::Project;

/// A larger manifest says nothing: those of people have some kilobytes.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// What was found.
pub(crate) struct Gathered {
    files: Vec<String>,
    roles: Roles,
    tests: Option<Vec<String>>,
    configuration: Configuration,
    /// A coding agent is installed.
    has_agent: bool,
    /// There are agents that judge what no rule can.
    has_judges: bool,
}

impl Gathered {
    /// Looks at the project.
    ///
    /// # Errors
    /// The folder, a role or the configuration cannot be read; it was told.
    pub(super) fn look(project: &Project, printer: &Printer) -> Result<Gathered, Failure> {
        let configuration = Configuration::load(project, Values::default(), printer)?;
        Gathered::with(configuration, project, printer)
    }

    /// The same where the configuration is known already.
    ///
    /// # Errors
    /// The folder or a role cannot be read; it was told.
    pub(crate) fn with(
        configuration: Configuration,
        project: &Project,
        printer: &Printer,
    ) -> Result<Gathered, Failure> {
        let roles = Library::of(project).roles().told(printer)?.clone();
        let Listed { root, files, .. } = Listed::look(project.folder())
            .map_err(|fault| Failure::told(fault.diagnostic(), Exit::Environment))?;
        let read = |path: &str| {
            files
                .binary_search_by(|file| file.as_str().cmp(path))
                .ok()?;
            let bytes = beneath(&root, path, MANIFEST_BYTES_MAX).ok()??;
            String::from_utf8(bytes).ok()
        };
        let tests = tested_by(read);
        let (preferred, judges) = (
            &configuration.config.prefer,
            &configuration.config.reviewers,
        );
        let present = Present::look(&configuration.defined());
        let has_agent = present.first(preferred).is_some();
        let (judges, _) = present.reviewers(judges, preferred);
        Ok(Gathered {
            tests,
            files,
            roles,
            configuration,
            has_agent,
            has_judges: !judges.is_empty(),
        })
    }

    /// The same for a planner.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            files: Some(&self.files),
            roles: &self.roles,
            tests: self.tests.as_deref(),
            reviewers: match self.has_workers() {
                true => Reviewers::Agents,
                false => Reviewers::Programs,
            },
            has_judges: self.has_judges && self.has_agents_at_work(),
            budget: self.budget(),
            sizes: self.sizes(),
        }
    }

    /// The roles that there are.
    pub(super) fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The project's files, sorted.
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// What a run may use up.
    pub(super) fn budget(&self) -> Budget {
        self.configuration.settings().budget
    }

    /// What counts as large, and what as small.
    pub(crate) fn sizes(&self) -> Sizes {
        self.configuration.config.sizes()
    }

    /// How many attempts run side by side.
    pub(super) fn workers(&self) -> u32 {
        self.configuration.config.workers
    }

    /// Whether somebody other than a person does what is handed over.
    pub(crate) fn has_workers(&self) -> bool {
        let config = &self.configuration.config;
        self.has_agent || !config.agents.is_empty() || config.agent != AGENT_PERSON
    }

    /// Whether agents, and not a person or programs, do what is handed over.
    fn has_agents_at_work(&self) -> bool {
        let config = &self.configuration.config;
        let mut named = config.agents.values().chain([&config.agent]);
        self.leaves_agent_open() || named.any(|it| asks_model(it))
    }

    /// Where a coding agent is there and nobody says who works, it does.
    pub(crate) fn for_agents(&self, plan: &mut Plan) {
        if !self.leaves_agent_open() {
            return;
        }
        for task in &mut plan.tasks {
            let open = task.work == Work::Handoff && task.agent.is_none();
            if open {
                task.agent = Some(AGENT_AUTO.to_owned());
            }
        }
    }

    /// Whether nothing says who works, and a coding agent is there.
    fn leaves_agent_open(&self) -> bool {
        let is_default = self.configuration.source("run.agent") == Source::Default;
        is_default && self.configuration.config.agents.is_empty() && self.has_agent
    }
}
