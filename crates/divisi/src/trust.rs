//! Consent that was given before: what a project's configuration would run is remembered by digest,
//! for its user, outside the project.
//!
//! A run is made of parts: the workflow or the plan, roles, templates, and what the project's own
//! settings say. Their digests are taken of what was read and will be run, not of files that are
//! read once more. As long as all of them are what somebody consented to, nobody is asked again;
//! otherwise the parts that changed are named. What the programs of a workflow do is not known
//! here: a consent to `make test` is one to whatever the tree's makefile says.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use divisi_core::Plan;
use divisi_pack::TEXT_BYTES_MAX;
use divisi_pack::bundle::Bundle;
use divisi_pack::folder::stage::digest;
use divisi_pack::template::BUILT_IN;
use serde::{Deserialize, Serialize};

use crate::config::Configuration;
use crate::library::files::{beneath, put};
use crate::project::Project;

/// The form of the file.
const VERSION: u32 = 1;

/// So many consents are remembered of a project; the oldest is forgotten.
const CONSENTS_MAX: usize = 100;

/// What would be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// What was asked for.
    key: String,
    /// The digest of each part, by the part's name for people.
    parts: BTreeMap<String, String>,
}

impl Subject {
    /// A workflow with what it was put together with.
    pub(crate) fn of_workflow(
        path: &str,
        text: &[u8],
        bundle: &Bundle,
        configuration: &Configuration,
    ) -> Subject {
        let mut parts = configured(configuration);
        parts.insert(path.to_owned(), digest(text));
        for (name, role) in &bundle.roles {
            let role = serde_json::to_vec(role).expect("a role is plain data");
            parts.insert(format!("the role {name}"), digest(&role));
        }
        // What Divisi ships is as trusted as Divisi.
        let is_own = |name: &str, text: &str| !BUILT_IN.contains(&(name, text));
        for (name, text) in &bundle.templates {
            if is_own(name, text) {
                parts.insert(format!("templates/{name}"), digest(text.as_bytes()));
            }
        }
        Subject {
            key: format!("workflow {path}"),
            parts,
        }
    }

    /// A plan, with all that it was given.
    pub(crate) fn of_plan(path: &str, plan: &Plan, configuration: &Configuration) -> Subject {
        let mut parts = configured(configuration);
        let text = serde_json::to_vec(plan).expect("a plan has only text keys");
        parts.insert(path.to_owned(), digest(&text));
        Subject {
            key: format!("plan {path}"),
            parts,
        }
    }

    /// The same where tasks are left to `auto`, which stands for this agent now.
    pub(crate) fn by(mut self, agent: &str) -> Subject {
        let part = "the agent that `auto` stands for".to_owned();
        self.parts.insert(part, digest(agent.as_bytes()));
        self
    }
}

/// What the project's own file says, setting by setting.
fn configured(configuration: &Configuration) -> BTreeMap<String, String> {
    let said = configuration.said_by_project();
    said.map(|(key, value)| (format!("the setting {key}"), digest(value.as_bytes())))
        .collect()
}

/// How a subject stands to what somebody consented to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody did.
    Unknown,
    /// It is the same.
    Unchanged,
    /// It is not; these parts are new, gone or other than they were.
    Changed(Vec<String>),
}

/// The consents of a project's user.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Consents {
    version: u32,
    /// The folder of the project.
    project: String,
    /// What was consented to, the latest last.
    consents: Vec<Consent>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Consent {
    key: String,
    parts: BTreeMap<String, String>,
}

/// Where consents are remembered: the folder, and the file of one project in it. `None` where the
/// user has no folder for such things, or has it within the project, whose content must not say what
/// is trusted.
fn place(project: &Project) -> Option<(PathBuf, String)> {
    let absolute = |name: &str| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let root = base?.join("divisi");
    let folder = project.folder().canonicalize().ok()?;
    if root.starts_with(&folder) || root.starts_with(project.folder()) {
        return None;
    }
    let name = digest(folder.as_os_str().as_encoded_bytes());
    Some((root, format!("trust/{}.json", &name[..32])))
}

/// What is remembered; nothing where it cannot be read, so that somebody is asked.
fn read(project: &Project) -> Consents {
    let read = || {
        let (root, file) = place(project)?;
        let bytes = beneath(&root, &file, TEXT_BYTES_MAX as u64 + 1).ok()??;
        let consents: Consents = serde_json::from_slice(&bytes).ok()?;
        let is_its = consents.project == project.folder().to_string_lossy();
        (consents.version == VERSION && is_its).then_some(consents)
    };
    read().unwrap_or_default()
}

/// How what would be run stands to what was consented to.
pub(crate) fn standing(project: &Project, subject: &Subject) -> Standing {
    let consents = read(project).consents;
    let Some(before) = consents.iter().find(|it| it.key == subject.key) else {
        return Standing::Unknown;
    };
    let names = before.parts.keys().chain(subject.parts.keys());
    let mut changed: Vec<String> = names
        .filter(|name| before.parts.get(*name) != subject.parts.get(*name))
        .cloned()
        .collect();
    changed.sort_unstable();
    changed.dedup();
    match changed.is_empty() {
        true => Standing::Unchanged,
        false => Standing::Changed(changed),
    }
}

/// Remembers a consent. Where that cannot be done, somebody is asked again.
pub(crate) fn remember(project: &Project, subject: Subject) {
    let Some((root, file)) = place(project) else {
        return;
    };
    let mut consents = read(project);
    consents.version = VERSION;
    consents.project = project.folder().to_string_lossy().into_owned();
    consents.consents.retain(|it| it.key != subject.key);
    let Subject { key, parts } = subject;
    consents.consents.push(Consent { key, parts });
    let many = consents.consents.len();
    consents.consents.drain(..many.saturating_sub(CONSENTS_MAX));
    let text = serde_json::to_string_pretty(&consents).expect("consents are plain data");
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&root);
    let _ = made.and_then(|()| put(&root, &file, text.as_bytes()));
}
