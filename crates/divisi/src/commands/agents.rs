//! `divisi agents`: the coding agents that are known, and how each stands on this machine.
//!
//! Each is looked for on `PATH`, asked for its version, and looked at for a credential, of which
//! only the variable's name or the file's place is ever told.

mod defined;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use divisi_agents::adapter::{
    Credential as LogIn, Detected, Driven, NoVersion, PRODUCTS, Product, Standing,
    VERSION_PATIENCE, detect,
};
use divisi_core::Diagnostic;
use divisi_core::ledger::{Credential, Limit};
use divisi_core::run::{AGENT_MODEL, AGENTS, Defined, is_definable};
use divisi_engine::control::{Ask, Response};
use divisi_engine::engine::credentials;
use divisi_pack::config::Values;
use divisi_pack::nearest;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::{self, AgentsCommand, Global};
use crate::commands::act;
use crate::config::Configuration;
use crate::exit::Exit;
use crate::loaded;
use crate::present::{Present, variables};
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words;
use divisi_core::diagnostic::chain;

use self::defined::Listed;

/// Where labels end.
const LABEL_WIDTH: usize = 15;

/// `divisi agents`.
pub(crate) fn run(args: &cli::Agents, global: &Global, printer: &Printer) -> Outcome {
    match &args.command {
        None | Some(AgentsCommand::List) => list(global, printer),
        Some(AgentsCommand::Test(args)) if is_definable(&args.name) => {
            trial::run_defined(&args.name, global, printer)
        }
        Some(AgentsCommand::Test(args)) => trial::run(known(&args.name)?, printer),
        Some(AgentsCommand::Resume(args)) => resume(&args.name, global, printer),
    }
}

/// The agent of a name that somebody typed.
fn known(name: &str) -> Result<&'static Product, Failure> {
    let found = PRODUCTS.iter().find(|product| product.name == name);
    let names = PRODUCTS.iter().map(|product| product.name);
    found.ok_or_else(|| unknown(name, names))
}

fn unknown<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let cause = format!("no coding agent is known as {name:?}");
    let told = Diagnostic::error("agent-unknown", cause);
    let told = match nearest(name, names) {
        Some(meant) => told.hint(format!("did you mean `{meant}`?")),
        None => told,
    };
    Failure::told(told.hint("`divisi agents` lists them"), Exit::NotFound)
}

/// `divisi agents resume`: the ends of the usage limits of an agent, or of a credential by its name,
/// are not waited for any longer.
fn resume(name: &str, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    if !AGENTS.contains(&name) && !is_definable(name) {
        let known = named(&project, printer)?;
        if !known.contains(name) {
            let known = known.iter().map(String::as_str);
            return Err(unknown(name, AGENTS.into_iter().chain(known)));
        }
    }
    // Before anything is held: where nothing was ever run, nothing waits.
    project.view()?;
    match act::answered(&project, Ask::Lift(name.to_owned()))?.0 {
        Response::Refused(told) => Err(Failure::told(told, Exit::Refused)),
        Response::Accepted | Response::Started(_) | Response::Attended(_) => {
            if printer.is_json() {
                printer.document(&json!({ "accepted": true, "agent": name }))?;
            } else {
                printer.note(&Line::of(format!(
                    "{name}: accepted; tasks begin with it again"
                )));
            }
            Ok(Exit::Success)
        }
    }
}

/// The credentials that can be limited here, by name: the keys of the agents that are known or defined,
/// and whatever is limited now. Rehearsed limits are limits, too.
fn named(project: &Project, printer: &Printer) -> Result<BTreeSet<String>, Failure> {
    let configuration = Configuration::load(project, Values::default(), printer)?;
    let defined = configuration.defined();
    let own = defined
        .iter()
        .map(|(name, it)| it.credential(name).name().to_owned());
    let keys = PRODUCTS.iter().flat_map(Product::keys).map(str::to_owned);
    let limits = limits(project)?;
    let limited = limits.keys().map(|it| it.name().to_owned());
    Ok(keys.chain(own).chain(limited).collect())
}

/// The usage limits of a project that are waited for, where anything was ever run.
fn limits(project: &Project) -> Result<BTreeMap<Credential, Limit>, Failure> {
    let Some(view) = project.view_if_any()? else {
        return Ok(BTreeMap::new());
    };
    let now = words::now();
    let mut limits = loaded::limits(&view)?;
    limits.retain(|_, limit| limit.ends_at > now);
    Ok(limits)
}

/// The usage limits that are waited for, by the agents that they hold back.
#[derive(Default)]
struct Limits {
    all: BTreeMap<Credential, Limit>,
    /// What each agent can log in with here.
    credentials: BTreeMap<String, Vec<Credential>>,
}

impl Limits {
    fn of(&self, agent: &str) -> Vec<(&Credential, &Limit)> {
        let credentials = self.credentials.get(agent).into_iter().flatten();
        let limited = credentials.filter_map(|it| self.all.get_key_value(it));
        limited.collect()
    }
}

/// All that are known, as they are found here. They are asked side by side: one may hang.
///
/// # Errors
/// There is no place for what they leave behind.
pub(super) fn look() -> Result<Vec<Detected>, Failure> {
    let variables = variables();
    let looked: Result<Vec<Detected>, std::io::Error> = std::thread::scope(|scope| {
        let asked: Vec<_> = PRODUCTS
            .iter()
            .map(|product| scope.spawn(|| one(product, &variables, VERSION_PATIENCE)))
            .collect();
        let ends = asked.into_iter();
        ends.map(|one| one.join().expect("looking for an agent does not panic"))
            .collect()
    });
    looked.map_err(|error| no_folder(&error))
}

fn one(
    product: &'static Product,
    variables: &BTreeMap<String, String>,
    patience: Duration,
) -> std::io::Result<Detected> {
    let private = tempfile::Builder::new().prefix("divisi-").tempdir()?;
    Ok(detect(product, variables, private.path(), patience))
}

fn no_folder(error: &std::io::Error) -> Failure {
    let cause = format!("making a temporary folder: {error}");
    let told = Diagnostic::error("agent-folder", cause)
        .hint("let `TMPDIR` name a folder that you may write to");
    Failure::told(told, Exit::Environment)
}

/// An agent as it was found, for programs.
#[derive(Debug, Serialize)]
struct Found<'d> {
    name: &'static str,
    title: &'static str,
    driven: &'static str,
    protocol: Option<u64>,
    resumes: Option<bool>,
    standing: &'static str,
    program: Option<String>,
    version: Option<&'d str>,
    version_fault: Option<String>,
    version_tested: &'static str,
    credential: Value,
    limits: Vec<Value>,
    install: &'static str,
}

impl<'d> Found<'d> {
    fn of(detected: &'d Detected, limits: &Limits) -> Found<'d> {
        let product = detected.product;
        let (version, fault) = match &detected.version {
            Some(Ok(version)) => (Some(version.as_str()), None),
            Some(Err(fault)) => (None, Some(chain(fault))),
            None => (None, None),
        };
        Found {
            name: product.name,
            title: product.title,
            driven: match product.driven() {
                Driven::CommandLine => "cli",
                Driven::Acp => "acp",
            },
            protocol: detected.introduction.as_ref().map(|said| said.protocol),
            resumes: detected.introduction.as_ref().map(|said| said.resumes),
            standing: word(detected.standing()),
            program: detected
                .program
                .as_ref()
                .map(|path| path.display().to_string()),
            version,
            version_fault: fault,
            version_tested: product.tried,
            credential: match &detected.credential {
                Some(LogIn::Variable(name)) => json!({ "variable": name }),
                Some(LogIn::File(path)) => json!({ "file": path.display().to_string() }),
                None => Value::Null,
            },
            limits: limits_of(&limits.of(product.name)),
            install: product.install,
        }
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Tested => "tested",
        Standing::Unverified => "unverified",
        Standing::Missing => "missing",
    }
}

fn found_style(standing: &str) -> Style {
    match standing {
        "tested" => Style::Good,
        "unverified" => Style::Warn,
        _ => Style::Dim,
    }
}

fn list(global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let configuration = Configuration::load(&project, Values::default(), printer)?;
    let prefer = &configuration.config.prefer;
    let defined = configuration.defined();
    let present = Present::look(&defined);
    let auto = present.first(prefer);
    let (reviewers, missing) = present.reviewers(&configuration.config.reviewers, prefer);
    let all = look()?;
    let mut limits = Limits {
        all: limits(&project)?,
        credentials: credentials(&variables()),
    };
    let with = |(name, it): (&String, &Defined)| (name.clone(), vec![it.credential(name)]);
    limits.credentials.extend(defined.iter().map(with));
    let listed: Vec<Listed> = defined
        .iter()
        .map(|(name, it)| Listed::of(name, it, &limits))
        .collect();
    if printer.is_json() {
        let agents: Vec<Found<'_>> = all.iter().map(|it| Found::of(it, &limits)).collect();
        printer.document(&json!({
            "agents": agents, "defined": listed, "prefer": prefer, "auto": auto,
            "reviewers": { "there": reviewers, "missing": missing },
        }))?;
        return Ok(Exit::Success);
    }
    for detected in &all {
        printer.lines(&lines(detected, &limits))?;
    }
    for agent in &listed {
        printer.lines(&agent.lines(&limits))?;
    }
    if !defined.contains_key(AGENT_MODEL) {
        printer.lines(&defined::how())?;
    }
    let auto = match auto {
        Some(name) => format!(
            "`agent: auto` is {name}, the first that {} of {}",
            match present.is_ready(name) {
                true => "is there and can log in",
                false => "is there",
            },
            prefer.join(", ")
        ),
        None => "`agent: auto` is nobody: none that `agents.prefer` names is there".to_owned(),
    };
    printer.line(&Line::of(auto))?;
    if let Some(line) = reviewing(&reviewers, &missing) {
        printer.line(&line)?;
    }
    if listed.is_empty() && all.iter().all(|it| it.standing() == Standing::Missing) {
        printer.note(&Line::styled(
            Style::Dim,
            "without one, give tasks a `command` or `script`, or do them by hand: `divisi submit`",
        ));
    }
    Ok(Exit::Success)
}

/// Who judges what no rule can, where configuration names somebody.
fn reviewing(there: &[String], missing: &[String]) -> Option<Line> {
    let lacking = match missing {
        [] => String::new(),
        missing => format!("; not there: {}", missing.join(", ")),
    };
    match (there, missing) {
        ([], []) => None,
        ([], _) => {
            let told = format!("`review.agents` is nobody, so a person judges{lacking}");
            Some(Line::styled(Style::Warn, told))
        }
        (there, _) => Some(Line::of(format!(
            "`review.agents` has {} judge, the first that did not do the work{lacking}",
            there.join(", ")
        ))),
    }
}

fn lines(detected: &Detected, limits: &Limits) -> Vec<Line> {
    let product = detected.product;
    let label = |label: &str| Line::styled(Style::Dim, format!("  {label}")).padded(LABEL_WIDTH);
    let standing = detected.standing();
    let style = found_style(word(standing));
    let head = Line::styled(Style::Bold, product.name)
        .then(format!(": {}, ", product.title))
        .with(style, word(standing));
    let Some(program) = &detected.program else {
        let install = label("install it").with(Style::Note, product.install);
        return vec![head, install];
    };
    let mut lines = vec![
        head,
        label("program").then(program.display().to_string()),
        label("version").then(version(detected)),
        label("driven by").then(driven(detected)),
        label("credential").join(credential(detected)),
    ];
    lines.extend(limited(&limits.of(product.name)));
    lines
}

/// The usage limits of an agent, for programs.
fn limits_of(its: &[(&Credential, &Limit)]) -> Vec<Value> {
    let limit = |(credential, limit): &(&Credential, &Limit)| {
        json!({
            "credential": match credential {
                Credential::Variable(name) => Some(name.as_str()),
                Credential::Login(_) => Some("login"),
                Credential::Agent(_) => None,
            },
            "met_at": limit.met_at,
            "ends_at": limit.ends_at,
            "said": limit.said,
            "cause": limit.cause,
        })
    };
    its.iter().map(limit).collect()
}

/// The same for people.
fn limited(its: &[(&Credential, &Limit)]) -> Vec<Line> {
    let label = |label: &str| Line::styled(Style::Dim, format!("  {label}")).padded(LABEL_WIDTH);
    let lines = its.iter().flat_map(|(credential, limit)| {
        let left = words::span(limit.ends_at.ms_since(words::now()));
        let until = words::moment(limit.ends_at);
        let told = format!(
            "{credential} is not used before {until}, in {left}: {}",
            limit.cause
        );
        let resume = format!("divisi agents resume {}", credential.name());
        [
            label("limited").with(Style::Warn, told),
            label("").with(Style::Dim, "→ ").with(Style::Note, resume),
        ]
    });
    lines.collect()
}

/// How it is driven, and what it said of that.
fn driven(detected: &Detected) -> String {
    match (detected.product.driven(), &detected.introduction) {
        (Driven::CommandLine, _) => "its command line".to_owned(),
        (Driven::Acp, None) => "ACP".to_owned(),
        (Driven::Acp, Some(said)) => format!(
            "ACP, version {} of the protocol; {}",
            said.protocol,
            match said.resumes {
                true => "takes up its sessions",
                false => "takes up no session",
            }
        ),
    }
}

/// Its version, and how that stands to the one that is tested.
fn version(detected: &Detected) -> String {
    let tried = detected.product.tried;
    match &detected.version {
        Some(Ok(version)) if detected.standing() == Standing::Tested => version.clone(),
        Some(Ok(version)) => format!("{version}; tested is {tried}"),
        Some(Err(fault)) => format!("unknown: {}; tested is {tried}", chain(fault)),
        None => String::new(),
    }
}

fn credential(detected: &Detected) -> Line {
    match &detected.credential {
        Some(LogIn::Variable(name)) => Line::of(format!("the variable {name}")),
        Some(LogIn::File(path)) => Line::of(format!("the login {}", path.display())),
        None => {
            let keys = detected.product.keys().collect::<Vec<_>>();
            let hint = format!(
                "none found: log in with its program, or set {}",
                keys.join(" or ")
            );
            Line::styled(Style::Warn, hint)
        }
    }
}

/// All that are there, in one line: name and version, or why there is none.
pub(super) fn summary(all: &[Detected]) -> (bool, String) {
    let said = |detected: &Detected| match &detected.version {
        Some(Ok(version)) => {
            let standing = word(detected.standing());
            format!("{} {version} ({standing})", detected.product.name)
        }
        Some(Err(NoVersion::Overdue(_))) => format!("{} (hangs)", detected.product.name),
        Some(Err(_)) => format!("{} (version unknown)", detected.product.name),
        None => String::new(),
    };
    let is_there = |it: &&Detected| it.standing() != Standing::Missing;
    let there: Vec<String> = all.iter().filter(is_there).map(said).collect();
    match there.is_empty() {
        true => (
            false,
            "no coding agent: programs and people do all tasks".to_owned(),
        ),
        false => (true, there.join(", ")),
    }
}
