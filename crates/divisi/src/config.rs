//! The configuration in force: flags over the environment, over the project's file, over the
//! user's, over the defaults.
//!
//! The project's file belongs to the repository. What it says is shown to whoever has to consent
//! to a plan, as what the plan itself says; nothing here executes anything.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};

use divisi_core::diagnostic::Place;
use divisi_core::ledger::{LimitThen, QuietHours};
use divisi_core::permission::Permissions;
use divisi_core::run::{
    AGENT_COMPOSE, AGENT_EXPAND, AGENT_EXTERNAL, AGENT_MODEL, AGENT_PERSON, AGENTS, DEFINED_PREFIX,
    Defined, Grants, Settings, Telling, is_definable,
};
use divisi_core::{Diagnostic, Plan};
use divisi_pack::bundle::Given;
use divisi_pack::config::{self, Config, Consent, Kind, Read, SETTINGS, Setting, Value, Values};
use divisi_pack::role::Library as Roles;
use divisi_pack::{TEXT_BYTES_MAX, nearest};
use serde::Serialize;

use crate::exit::Exit;
use crate::hold::Holding;
use crate::library::files::{beneath, resolved};
use crate::library::{Library, has_error, user_folder};
use crate::present::Preferred;
use crate::printer::{Failure, Line, Printer, Style};
use crate::project::{CONFIG, Project};

/// The user's own file, in the folder of the user's configuration of Divisi.
const USER_FILE: &str = "config.yaml";

/// What the project's file is called by people who know other programs. It is not read.
const MISNAMED: &str = "divisi.yml";

/// What variables of the environment begin with that mean Divisi.
const PREFIX: &str = "DIVISI_";

/// Who said a value, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// Nobody: it is the default.
    Default,
    /// The user's own file.
    User,
    /// The project's file.
    Project,
    /// A variable of the environment.
    Environment,
    /// The command line.
    Flag,
}

impl Source {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Source::Default => "default",
            Source::User => "user",
            Source::Project => "project",
            Source::Environment => "environment",
            Source::Flag => "flag",
        }
    }
}

/// The configuration in force.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// All settings, typed.
    pub(crate) config: Config,
    values: Values,
    sources: BTreeMap<String, Source>,
    project: PathBuf,
}

/// A value in force, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct InForce<'c> {
    /// Its setting.
    pub(crate) setting: &'static Setting,
    /// Its key; of a map, that of the entry.
    pub(crate) key: String,
    /// The value; none where there is none by default.
    pub(crate) value: Option<Value>,
    /// Who said it.
    pub(crate) source: Source,
    /// Where, unless it is the default.
    pub(crate) place: Option<&'c Place>,
}

impl Configuration {
    /// Reads all sources and puts them over each other. Faults of all of them are told at once.
    ///
    /// # Errors
    /// A source cannot be read, or says what does not fit.
    pub(crate) fn load(
        project: &Project,
        flags: Values,
        printer: &Printer,
    ) -> Result<Configuration, Failure> {
        let mut reading = Reading {
            printer,
            layers: Vec::new(),
            is_faulty: false,
        };
        if let Some(path) = user_file() {
            let shown = path.to_string_lossy().into_owned();
            reading.file(Source::User, &shown, read_user_file(&path));
        }
        let file = beneath(project.folder(), CONFIG, TEXT_BYTES_MAX as u64 + 1);
        reading.file(Source::Project, CONFIG, file);
        if project.folder().join(MISNAMED).exists() {
            let told = Diagnostic::warning("config-name", format!("{MISNAMED} is not read"));
            printer.diagnostic(&told.hint(format!("call it {CONFIG}")), None);
        }
        reading.environment();
        reading.layers.push((Source::Flag, flags));
        if reading.is_faulty {
            return Err(Failure::Reported(Exit::Usage));
        }
        let (mut values, mut sources) = (Values::default(), BTreeMap::new());
        for (source, layer) in reading.layers {
            sources.extend(layer.iter().map(|(key, _)| (key.to_owned(), source)));
            values = layer.over(values);
        }
        Ok(Configuration {
            config: Config::of(&values),
            values,
            sources,
            project: project.folder().to_owned(),
        })
    }

    /// All values in the order of the table.
    pub(crate) fn in_force(&self) -> Vec<InForce<'_>> {
        let all = self.config.values().into_iter();
        let all = all.map(|(setting, key, value)| InForce {
            setting,
            value,
            source: self.source(&key),
            place: self.place(&key),
            key,
        });
        all.collect()
    }

    /// Who said a key's value.
    pub(crate) fn source(&self, key: &str) -> Source {
        self.sources.get(key).copied().unwrap_or(Source::Default)
    }

    /// Where a key's value stands, unless it is the default.
    pub(crate) fn place(&self, key: &str) -> Option<&Place> {
        self.values.get(key).map(|given| &given.place)
    }

    /// What a run is given, journaled with its creation.
    pub(crate) fn settings(&self) -> Settings {
        let config = &self.config;
        // Roles and agents share one map: a name that is no agent's is a role's.
        let ours = [AGENT_COMPOSE, AGENT_EXTERNAL, AGENT_EXPAND];
        let is_agent =
            |name: &str| AGENTS.contains(&name) || is_definable(name) || ours.contains(&name);
        let limits = config.limits.clone().into_iter();
        let (agents, roles) = limits.partition(|(name, _)| is_agent(name));
        let (usual, defaults) = (config.attempt, Settings::default());
        Settings {
            workers_max: config.workers,
            role_limits: roles,
            agent_limits: agents,
            agent_default: config.agent.clone(),
            // Until it is known which agents there are.
            agent_auto: AGENT_PERSON.to_owned(),
            agents_auto: BTreeMap::new(),
            agents: BTreeMap::new(),
            failures_max: config.failures_max,
            reassign_after: config.reassign_after,
            split_after: config.split_after,
            sizes: config.sizes(),
            reviewers: config.reviewers.clone(),
            reviewers_missing: Vec::new(),
            awaiting_max: config.awaiting_max,
            losses_max: config.losses_max,
            conflicts_max: config.conflicts_max,
            loss_delay_ms: config.loss_delay_ms,
            limits_max: config.limits_max,
            limit_delay_ms: config.limit_delay_ms,
            limit_wait_max_ms: config.limit_wait_max_ms,
            limit_then: match config.limit_then.as_str() {
                "escalate" => LimitThen::Escalate,
                "other_credential" => LimitThen::OtherCredential,
                "other_agent" => LimitThen::OtherAgent,
                _ => LimitThen::Pause,
            },
            limit_agents: config.limit_agents.clone(),
            quiet_hours: config.quiet_hours.as_deref().and_then(QuietHours::parse),
            progress_ms: config.progress_ms.clone(),
            timeout_ms: config.timeout_ms,
            barriers: config.barriers,
            // Said by whoever starts a run of an intent.
            approves_plans: false,
            batch_max: config.batch_max,
            budget: config.budget,
            attempt_tokens: usual.tokens.unwrap_or(defaults.attempt_tokens),
            attempt_usd_micros: usual.usd_micros.unwrap_or(defaults.attempt_usd_micros),
            used_up_max: config.used_up_max,
            prices: config.prices.clone(),
            handoffs: Telling {
                tokens_max: config.handoff_tokens,
                agents: config.handoff_agents.clone(),
            },
            grants: Grants {
                writes: self.writes(),
                passes: config.pass_env.clone(),
                unconfined: config.unconfined,
                memory_bytes_max: config.memory_mib.map(|mib| mib << 20),
                cpu_s_max: config.cpu_seconds,
            },
            permissions: Permissions {
                rules: config.permission_rules.clone(),
                deadline_ms: config.permission_deadline_ms,
            },
            rehearsal: None,
            defined: self.defined(),
        }
    }

    /// The agents that are defined, by the names by which tasks name them.
    pub(crate) fn defined(&self) -> BTreeMap<String, Defined> {
        let model = self.config.model.iter();
        let model = model.map(|it| (AGENT_MODEL.to_owned(), Defined::Model(it.clone())));
        let custom = self.config.custom.iter();
        let custom = custom.map(|(name, it)| (format!("{DEFINED_PREFIX}{name}"), it.clone()));
        model.chain(custom).collect()
    }

    /// The agents of roles as tasks name them, for tasks that are planned while a run goes on.
    pub(crate) fn agents(&self, roles: &Roles) -> BTreeMap<String, String> {
        config::agents_by_role(&self.config, roles)
    }

    /// The agents that `auto` may stand for.
    pub(crate) fn preferred<'c>(&'c self, roles: &'c Roles) -> Preferred<'c> {
        Preferred {
            usual: &self.config.prefer,
            by_role: config::preferred_by_role(&self.config, roles),
            roles,
        }
    }

    /// Paths that agents may write to: relative ones of a file beneath the project's folder, those
    /// that were typed beneath the working folder.
    fn writes(&self) -> Vec<String> {
        let typed = matches!(
            self.source("grants.allow_write"),
            Source::Flag | Source::Environment
        );
        let absolute = |path: &String| match typed {
            true => std::path::absolute(path).ok(),
            false => std::path::absolute(self.project.join(path)).ok(),
        };
        let paths = self.config.allow_write.iter().filter_map(absolute);
        paths
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }

    /// What a workflow is given.
    pub(crate) fn given(&self) -> Given {
        config::given(&self.config)
    }

    fn durability(&self) -> divisi_store::Durability {
        match self.config.durability.as_str() {
            "normal" => divisi_store::Durability::Normal,
            _ => divisi_store::Durability::Full,
        }
    }

    /// How the project's engine is held.
    pub(crate) fn holding(&self, project: &Project) -> Holding {
        Holding {
            durability: self.durability(),
            day: self.config.day,
            ..Holding::of(project)
        }
    }

    /// Gives a plan what it leaves open.
    ///
    /// # Errors
    /// Something does not fit it; it was told.
    pub(crate) fn apply(
        &self,
        roles: &Roles,
        plan: &mut Plan,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let told = config::apply(&self.config, &self.values, roles, plan);
        for diagnostic in &told {
            printer.diagnostic(diagnostic, None);
        }
        match has_error(&told) {
            true => Err(Failure::Reported(Exit::Usage)),
            false => Ok(()),
        }
    }

    /// The roles, where something that is configured names any. Of several agents that are said for
    /// one role under its different names, the one that was said most strongly is kept.
    ///
    /// # Errors
    /// One cannot be read; it was told.
    pub(crate) fn roles(&mut self, library: &Library, printer: &Printer) -> Result<Roles, Failure> {
        if self.config.agents.is_empty() && self.config.rehearsal.is_none() {
            return Ok(Roles::default());
        }
        let roles = library.roles().told(printer)?.clone();
        let said = std::mem::take(&mut self.config.agents);
        let mut said: Vec<(String, String)> = said.into_iter().collect();
        said.sort_by_key(|(name, _)| self.source(&format!("run.agents.{name}")));
        for (name, agent) in said {
            let id = roles.get(&name).map(|role| role.id.clone());
            self.config.agents.insert(id.unwrap_or(name), agent);
        }
        Ok(roles)
    }

    /// All that the project's own file says, by key.
    pub(crate) fn said_by_project(&self) -> impl Iterator<Item = (String, String)> {
        let said = self
            .values
            .iter()
            .filter(|(key, _)| self.source(key) == Source::Project);
        said.map(|(key, given)| (key.to_owned(), format!("{:?}", given.value)))
    }

    /// What the project's own file says that needs consent, for whoever is asked for it.
    pub(crate) fn consent_lines(&self, plan: &Plan) -> Vec<Line> {
        let is_own = plan.preparation.setup == self.config.setup
            && plan.preparation.copy == self.config.copy;
        let said = self.values.iter().filter(|(key, _)| {
            let needed = Setting::of(key).is_some_and(|it| it.consent == Consent::Needed);
            let counts = is_own || !key.starts_with("workspace.");
            needed && counts && self.source(key) == Source::Project
        });
        let shown = |(key, given): (&str, &config::Given)| {
            let setting = Setting::of(key).map_or(Kind::Flag, |it| it.kind);
            let place = Line::styled(Style::Warn, format!("    {CONFIG}:{}", given.place.line));
            let value = given.value.shown(setting);
            if value.chars().count() <= VALUE_CHARS_MAX {
                return vec![place.then(format!(" {key}: {value}"))];
            }
            // Nobody consents to what is cut off.
            let mut lines = vec![place.then(format!(" {key}:"))];
            lines.extend(elements(&value).map(|it| Line::of(format!("      {it}"))));
            lines
        };
        let mut lines: Vec<Line> = said.flat_map(shown).collect();
        if !lines.is_empty() {
            lines.insert(0, Line::of("  said by the project's configuration"));
        }
        lines
    }
}

/// A longer value is shown in a line for each of its elements.
const VALUE_CHARS_MAX: usize = 100;

/// The elements of a value of configuration, as it shows them.
fn elements(shown: &str) -> impl Iterator<Item = String> + use<> {
    use serde_json::Value;
    let elements: Vec<String> = match serde_json::from_str(shown) {
        Ok(Value::Array(elements)) => elements.iter().map(|it| format!("- {it}")).collect(),
        Ok(Value::Object(members)) => {
            let member = |(name, it): (&String, &Value)| format!("{name}: {it}");
            members.iter().map(member).collect()
        }
        _ => vec![shown.to_owned()],
    };
    elements.into_iter()
}

/// The user's own file, if the environment tells where it is or would be.
pub(crate) fn user_file() -> Option<PathBuf> {
    user_folder().map(|folder| folder.join(USER_FILE))
}

fn read_user_file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match resolved(path, TEXT_BYTES_MAX as u64 + 1) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Sources as they are read, the weakest first.
struct Reading<'p> {
    printer: &'p Printer,
    layers: Vec<(Source, Values)>,
    is_faulty: bool,
}

impl Reading<'_> {
    fn file(&mut self, source: Source, shown: &str, bytes: io::Result<Option<Vec<u8>>>) {
        match bytes {
            Ok(None) => {}
            Ok(Some(bytes)) => {
                let read = config::read(shown, &bytes);
                self.take(source, read, str::from_utf8(&bytes).ok());
            }
            Err(error) => {
                let cause = format!("reading {shown}: {error}");
                let told = Diagnostic::error("config-unreadable", cause)
                    .hint("let it be a regular file that you may read, or move it away");
                self.printer.diagnostic(&told, None);
                self.is_faulty = true;
            }
        }
    }

    fn take(&mut self, source: Source, read: Read, text: Option<&str>) {
        for diagnostic in &read.diagnostics {
            self.printer.diagnostic(diagnostic, text);
        }
        match read.values {
            Some(values) => self.layers.push((source, values)),
            None => self.is_faulty = true,
        }
    }

    /// Variables that name a setting. An empty one says nothing.
    fn environment(&mut self) {
        let names: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
        let mut variables: Vec<(String, String)> = env::vars_os()
            .filter_map(|(name, value)| {
                let name = name.into_string().ok()?;
                let is_ours = name.starts_with(PREFIX) && !value.is_empty();
                is_ours.then(|| (name, value.to_string_lossy().into_owned()))
            })
            .collect();
        variables.sort();
        for (name, value) in variables {
            if let Some(at) = names.iter().position(|its| *its == name) {
                let read = config::read_variable(&SETTINGS[at], &value);
                self.take(Source::Environment, read, Some(&value));
            } else if let Some(meant) = nearest(&name, names.iter().map(String::as_str)) {
                let cause = format!("no setting has the variable `{name}`");
                let told = Diagnostic::warning("config-variable", cause)
                    .hint(format!("did you mean `{meant}`?"));
                self.printer.diagnostic(&told, None);
            }
        }
    }
}

#[cfg(test)]
mod tests;
