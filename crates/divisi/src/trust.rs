//! Consent that was given before: what a project's configuration would run is remembered by digest,
//! for its user, outside the project.
//!
//! A run is made of parts: the workflow or the plan, roles, templates, and what the project's own
//! settings say. Their digests are taken of what was read and will be run, not of files that are
//! read once more. As long as all of them are what somebody consented to, nobody is asked again;
//! otherwise the parts that changed are named. What the programs of a workflow do is not known
//! here: a consent to `make test` is one to whatever the tree's makefile says.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use divisi_core::Plan;
use divisi_pack::TEXT_BYTES_MAX;
use divisi_pack::bundle::Bundle;
use divisi_pack::folder::stage::digest;
use divisi_pack::rehearsal::Rehearsal;
use divisi_pack::template::BUILT_IN;
use serde::{Deserialize, Serialize};

use crate::config::{Configuration, Source};
use crate::library::files::{beneath, put};
use crate::project::Project;
use crate::rehearsal;

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

    /// The same where tasks, of a role if they have one, are left to `auto`, which stands for this
    /// agent now.
    pub(crate) fn by(mut self, role: Option<&str>, agent: &str) -> Subject {
        let part = match role {
            Some(role) => format!("the agent that `auto` stands for as {role}"),
            None => "the agent that `auto` stands for".to_owned(),
        };
        self.parts.insert(part, digest(agent.as_bytes()));
        self
    }
}

impl Subject {
    /// The same with what is played, if the project's own file names it. What the command line or
    /// the user's file names is the user's own.
    pub(crate) fn with(
        mut self,
        rehearsal: Option<&Rehearsal>,
        configuration: &Configuration,
    ) -> Subject {
        let is_projects = configuration.source(rehearsal::KEY) == Source::Project;
        if let Some(rehearsal) = rehearsal.filter(|_| is_projects) {
            let name = "what the rehearsal plays".to_owned();
            self.parts.insert(name, digest(&rehearsal.to_json()));
        }
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

/// Where the consents of a project's user are remembered.
struct Place {
    /// The user's folder for such things.
    root: PathBuf,
    /// The project's file in it.
    file: String,
    /// The project's folder, without links.
    project: String,
}

impl Place {
    /// `None` where the user has no folder for such things, or has it within the project, whose
    /// content must not say what is trusted.
    fn of(project: &Project) -> Option<Place> {
        let absolute = |name: &str| {
            let path = PathBuf::from(std::env::var_os(name)?);
            path.is_absolute().then_some(path)
        };
        let base =
            absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
        let root = base?.join("divisi");
        let folder = project.folder().canonicalize().ok()?;
        let is_within = root.starts_with(&folder) || root.starts_with(project.folder());
        (!is_within).then(|| Place::at(root, &folder))
    }

    fn at(root: PathBuf, folder: &Path) -> Place {
        let name = digest(folder.as_os_str().as_encoded_bytes());
        Place {
            root,
            file: format!("trust/{}.json", &name[..32]),
            project: folder.to_string_lossy().into_owned(),
        }
    }

    /// What is remembered; nothing where it cannot be read, so that somebody is asked.
    fn read(&self) -> Consents {
        let read = || {
            let bytes = beneath(&self.root, &self.file, TEXT_BYTES_MAX as u64 + 1).ok()??;
            let consents: Consents = serde_json::from_slice(&bytes).ok()?;
            let is_its = consents.project == self.project;
            (consents.version == VERSION && is_its).then_some(consents)
        };
        read().unwrap_or_default()
    }

    fn remember(&self, subject: Subject) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.root)?;
        // Somebody may consent on another terminal. It is released when it goes out of scope.
        let lock = File::create(self.root.join("trust.lock"))?;
        lock.lock()?;
        let mut consents = self.read();
        consents.version = VERSION;
        consents.project.clone_from(&self.project);
        consents.consents.retain(|it| it.key != subject.key);
        let Subject { key, parts } = subject;
        consents.consents.push(Consent { key, parts });
        let many = consents.consents.len();
        consents.consents.drain(..many.saturating_sub(CONSENTS_MAX));
        let text = serde_json::to_string_pretty(&consents).expect("consents are plain data");
        put(&self.root, &self.file, text.as_bytes())
    }
}

/// How what would be run stands to what was consented to.
pub(crate) fn standing(project: &Project, subject: &Subject) -> Standing {
    let consents = Place::of(project).map(|place| place.read().consents);
    let consents = consents.unwrap_or_default();
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
    let _ = Place::of(project).map(|place| place.remember(subject));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(key: &str) -> Subject {
        Subject {
            key: key.to_owned(),
            parts: BTreeMap::new(),
        }
    }

    #[test]
    fn consents_that_are_given_at_once_are_all_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let place = || Place::at(folder.path().join("divisi"), folder.path());
        let keys: Vec<String> = (0..12).map(|number| format!("plan {number}")).collect();
        std::thread::scope(|scope| {
            for key in &keys {
                scope.spawn(|| place().remember(subject(key)).unwrap());
            }
        });
        let mut known: Vec<String> = { place().read().consents.into_iter() }
            .map(|consent| consent.key)
            .collect();
        known.sort_by_key(|key| keys.iter().position(|it| it == key));
        assert_eq!(known, keys);
        let other = Place::at(folder.path().join("divisi"), &folder.path().join("other"));
        assert!(other.read().consents.is_empty());
    }
}
