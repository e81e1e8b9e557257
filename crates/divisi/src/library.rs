//! Where workflows, roles and templates are found: the project's, then the user's, then those that
//! Divisi ships.
//!
//! A workflow is found by the name of its file; the strongest layer that has one counts whole. A
//! template likewise. A role of a stronger layer changes what it gives and keeps the rest. Nothing
//! here judges what a file says: its reader does that, and whoever shows it has the bytes.
//!
//! | layer | where |
//! |---|---|
//! | project | `workflows/`, `roles/` and `templates/` of its folder |
//! | user | the same beneath `divisi` in the folder of the user's configuration |
//! | built in | in the program |

pub(crate) mod files;
mod templates;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use divisi_core::diagnostic::{Place, Severity};
use divisi_core::{Diagnostic, Plan, TaskKind, TaskSpec};
use divisi_pack::role::{self, Library as Roles};
use divisi_pack::{TEXT_BYTES_MAX, bundle, nearest, workflow};
use serde::Serialize;

use self::files::{Folder, Links, resolved, unreadable};
use crate::exit::Exit;
use crate::printer::{Failure, Printer};
use crate::project::Project;
pub(crate) use templates::LoadedTemplates;

/// How a file of YAML ends.
const YAML: &[&str] = &[".yaml", ".yml"];

/// The most bytes of all roles, and of all templates, of one layer. They are held in memory.
const LAYER_BYTES_MAX: usize = 8 << 20;

/// Who says something: the earlier counts more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Layer {
    /// The project's folder, or a file that was named.
    Project,
    /// The user's own folder.
    User,
    /// Divisi itself.
    BuiltIn,
}

impl Layer {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Layer::Project => "project",
            Layer::User => "user",
            Layer::BuiltIn => "built in",
        }
    }
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Origin {
    /// In which layer.
    pub(crate) layer: Layer,
    /// The file as it is shown; the project's are relative to its folder.
    pub(crate) path: String,
}

/// A text that was found, and those of weaker layers that it hides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Under which name.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) origin: Origin,
    /// What stands there. It may be no text at all.
    pub(crate) bytes: Vec<u8>,
    /// Where others of this name stand, the strongest first.
    pub(crate) hides: Vec<Origin>,
}

impl Found {
    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        str::from_utf8(&self.bytes).ok()
    }

    /// The text that a diagnostic points into: its own, or that of a role's file.
    pub(crate) fn text_for<'a>(
        &'a self,
        diagnostic: &Diagnostic,
        roles: &'a LoadedRoles,
    ) -> Option<&'a str> {
        let place = diagnostic.place.as_ref();
        match place.is_some_and(|place| place.source == self.origin.path) {
            true => self.text(),
            false => roles.text_of(diagnostic),
        }
    }

    /// The workflow that it says, and what is wrong with it.
    pub(crate) fn workflow(&self) -> workflow::Read {
        let mut read = workflow::read(&self.origin.path, &self.bytes);
        if let Some(workflow) = &read.workflow
            && workflow.name != self.name
        {
            let cause = format!(
                "the workflow calls itself `{}` and is found as `{}`",
                workflow.name, self.name
            );
            let told = Diagnostic::warning("library-name", cause)
                .at(workflow.place.clone())
                .hint("let the name and the name of the file be the same");
            read.diagnostics.push(told);
        }
        read
    }
}

/// All roles, and where each was said something of.
#[derive(Clone, Debug)]
pub(crate) struct LoadedRoles {
    /// The roles; `None` exactly if an error is among the diagnostics.
    pub(crate) roles: Option<Roles>,
    /// Errors and warnings, file by file.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// By id of the role, the strongest first.
    pub(crate) origins: BTreeMap<String, Vec<Origin>>,
    /// The texts by the paths that diagnostics name.
    texts: BTreeMap<String, String>,
}

/// The role files of one layer, each by its path.
type RoleFiles = Vec<(String, Vec<u8>)>;

/// Looks things up in all layers.
#[derive(Clone, Debug)]
pub(crate) struct Library {
    project: PathBuf,
    user: Option<PathBuf>,
}

/// The folder of the user's own configuration of Divisi, if the environment tells one.
pub(crate) fn user_folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    Some(base?.join("divisi"))
}

impl Library {
    /// The library as it is seen from a project.
    pub(crate) fn of(project: &Project) -> Library {
        Library {
            project: project.folder().to_owned(),
            user: user_folder(),
        }
    }

    /// The folders of one kind, with their layers, the strongest first.
    fn folders(&self, name: &'static str) -> Vec<(Layer, Folder)> {
        let project = Folder {
            root: self.project.clone(),
            name,
            shown: String::new(),
            links: Links::Refused,
        };
        let mut folders = vec![(Layer::Project, project)];
        if let Some(root) = &self.user {
            let user = Folder {
                root: root.clone(),
                name,
                shown: format!("{}/", root.display()),
                links: Links::Followed,
            };
            folders.push((Layer::User, user));
        }
        folders
    }

    /// Where workflows stand, by name, the strongest first. A name that two files of one layer
    /// have, and what cannot be listed, is collected.
    fn places(&self, faults: &mut Vec<Diagnostic>) -> BTreeMap<String, Vec<Standing>> {
        let mut places: BTreeMap<String, Vec<Standing>> = BTreeMap::new();
        for (layer, folder) in self.folders("workflows") {
            for file in folder.list(YAML, false, faults) {
                let origin = Origin {
                    layer,
                    path: folder.path_of(&file),
                };
                let before = places.entry(stem(&file).to_owned()).or_default();
                if let Some(twin) = before.iter().find(|it| it.origin.layer == layer) {
                    faults.push(twins(stem(&file), &twin.origin, &origin));
                    continue;
                }
                let within = Some((folder.clone(), file));
                before.push(Standing { origin, within });
            }
        }
        for (name, path, _) in workflow::BUILT_IN {
            let origin = Origin {
                layer: Layer::BuiltIn,
                path: (*path).to_owned(),
            };
            let place = Standing {
                origin,
                within: None,
            };
            places.entry((*name).to_owned()).or_default().push(place);
        }
        places
    }

    /// The workflow of this name, or that a path names: one that holds a `/` or ends in `.yaml` or
    /// `.yml`.
    ///
    /// # Errors
    /// There is none, two files of one layer have the name, or it cannot be read.
    pub(crate) fn find_workflow(&self, name: &str) -> Result<Found, Failure> {
        if is_path(name) {
            return named_file(Path::new(name));
        }
        let mut faults = Vec::new();
        let mut places = self.places(&mut faults);
        let shadowing = faults.into_iter().find(|fault| concerns(fault, name));
        if let Some(fault) = shadowing {
            return Err(Failure::told(fault, Exit::Usage));
        }
        match places.remove(name) {
            Some(places) => found(name, places).map_err(|fault| Failure::Told(fault, Exit::Usage)),
            None => Err(unknown(
                "workflow",
                name,
                places.keys().map(String::as_str),
                "`divisi workflow list` lists them",
            )),
        }
    }

    /// The workflow whose name is this one or much like it.
    pub(crate) fn workflow_like(&self, name: &str) -> Option<String> {
        let places = self.places(&mut Vec::new());
        let names = places.keys().map(String::as_str);
        let near = divisi_pack::nearest(name, names.clone());
        let exact = names.into_iter().find(|known| *known == name);
        exact.or(near).map(str::to_owned)
    }

    /// Whether a workflow has this name, sound or not.
    pub(crate) fn has_workflow(&self, name: &str) -> bool {
        // What cannot be listed is told by whoever looks it up.
        self.places(&mut Vec::new()).contains_key(name)
    }

    /// All workflows in the order of their names, and what is wrong with the layers. One that
    /// cannot be read is among the faults alone.
    pub(crate) fn workflows(&self) -> (Vec<Found>, Vec<Diagnostic>) {
        let mut faults = Vec::new();
        let places = self.places(&mut faults);
        let mut all = Vec::with_capacity(places.len());
        for (name, places) in places {
            match found(&name, places) {
                Ok(found) => all.push(found),
                Err(fault) => faults.push(*fault),
            }
        }
        (all, faults)
    }

    /// The roles of all layers put together.
    pub(crate) fn roles(&self) -> LoadedRoles {
        let mut diagnostics = Vec::new();
        let mut layers: Vec<(Layer, RoleFiles)> = Vec::new();
        for (layer, folder) in self.folders("roles") {
            let (mut files, mut bytes_read) = (Vec::new(), 0);
            for file in folder.list(YAML, false, &mut diagnostics) {
                if files.len() >= role::ROLES_MAX || bytes_read > LAYER_BYTES_MAX {
                    diagnostics.push(too_much(&folder, role::ROLES_MAX));
                    break;
                }
                match folder.read(&file, TEXT_BYTES_MAX) {
                    Ok(bytes) => {
                        bytes_read += bytes.len();
                        files.push((folder.path_of(&file), bytes));
                    }
                    Err(fault) => diagnostics.push(*fault),
                }
            }
            layers.push((layer, files));
        }
        let mut texts = BTreeMap::new();
        for (path, bytes) in layers.iter().flat_map(|(_, files)| files) {
            if let Ok(text) = str::from_utf8(bytes) {
                texts.insert(path.clone(), text.to_owned());
            }
        }
        let files: Vec<role::Layer<'_>> = layers
            .iter()
            .map(|(_, files)| role::Layer { files })
            .collect();
        let loaded = Roles::load(&files);
        diagnostics.extend(loaded.diagnostics);
        let origin = |path: String| Origin {
            layer: layer_of(&layers, &path),
            path,
        };
        let origins = loaded.sources.into_iter();
        let origins = origins.map(|(id, paths)| (id, paths.into_iter().map(origin).collect()));
        LoadedRoles {
            roles: loaded.library.filter(|_| !has_error(&diagnostics)),
            diagnostics,
            origins: origins.collect(),
            texts,
        }
    }

    /// Gives a plan what the roles of its tasks tell.
    ///
    /// # Errors
    /// A role cannot be read; it was told.
    pub(crate) fn tell(&self, plan: &mut Plan, printer: &Printer) -> Result<(), Failure> {
        let names = |task: &TaskSpec| task.role().is_some() || task.kind == TaskKind::Plan;
        if plan.tasks.iter().any(names) {
            plan.roles = role::told(self.roles().told(printer)?, plan);
        }
        Ok(())
    }
}

impl LoadedRoles {
    /// Tells what is wrong, each with its line. The roles, if nothing is.
    ///
    /// # Errors
    /// There is an error among the diagnostics; it was told.
    pub(crate) fn told(&self, printer: &Printer) -> Result<&Roles, Failure> {
        for diagnostic in &self.diagnostics {
            printer.diagnostic(diagnostic, self.text_of(diagnostic));
        }
        self.roles.as_ref().ok_or(Failure::Reported(Exit::Usage))
    }

    /// What a workflow with faults uses and there is not, so that all of its faults are told at once.
    pub(crate) fn missing(&self, read: &workflow::Read) -> Vec<Diagnostic> {
        let (Some(draft), Some(roles)) = (&read.draft, &self.roles) else {
            return Vec::new();
        };
        let mut missing = bundle::missing_roles(draft, roles);
        // What stands there is wrong in another way already.
        missing.retain(|it| read.diagnostics.iter().all(|told| told.place != it.place));
        missing
    }

    /// The text of a role's file by the path of its origin.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// The text that a diagnostic points into.
    pub(crate) fn text_of(&self, diagnostic: &Diagnostic) -> Option<&str> {
        let place = diagnostic.place.as_ref()?;
        self.texts.get(&place.source).map(String::as_str)
    }
}

/// Where a workflow stands, and how it is read from there.
#[derive(Clone, Debug)]
struct Standing {
    origin: Origin,
    /// The folder and the file in it; none of what is built in.
    within: Option<(Folder, String)>,
}

/// Whether an error is among diagnostics.
pub(crate) fn has_error(diagnostics: &[Diagnostic]) -> bool {
    let is_error = |it: &Diagnostic| it.severity == Severity::Error;
    diagnostics.iter().any(is_error)
}

/// That nothing has the name that was asked for.
pub(crate) fn unknown<'n>(
    what: &str,
    name: &str,
    names: impl IntoIterator<Item = &'n str>,
    hint: &str,
) -> Failure {
    let mut told = Diagnostic::error("library-unknown", format!("there is no {what} `{name}`"));
    if let Some(meant) = nearest(name, names) {
        told = told.hint(format!("did you mean `{meant}`?"));
    }
    Failure::told(told.hint(hint), Exit::NotFound)
}

/// Whether what names a workflow is the path of a file rather than a name.
pub(crate) fn is_path(name: &str) -> bool {
    name.contains('/') || is_yaml(Path::new(name))
}

/// Whether a file is YAML by the end of its name.
pub(crate) fn is_yaml(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    YAML.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

fn stem(file: &str) -> &str {
    let file = file.rsplit('/').next().unwrap_or(file);
    let without = YAML.iter().find_map(|ending| file.strip_suffix(ending));
    without.unwrap_or(file)
}

fn twins(name: &str, one: &Origin, other: &Origin) -> Diagnostic {
    let cause = format!("two files of one folder are the workflow `{name}`");
    Diagnostic::error("library-twice", cause)
        .at(Place {
            source: other.path.clone(),
            line: 0,
            column: 0,
        })
        .hint(format!(
            "the other one is {}; delete or rename one",
            one.path
        ))
}

/// Whether a fault of the layers stands in the way of this name: its file is there twice, or a
/// whole folder cannot be looked into.
fn concerns(fault: &Diagnostic, name: &str) -> bool {
    match &fault.place {
        Some(place) => stem(&place.source) == name,
        None => true,
    }
}

fn found(name: &str, places: Vec<Standing>) -> Result<Found, Box<Diagnostic>> {
    let mut places = places.into_iter();
    let first = places.next().expect("a name has a place");
    let bytes = match &first.within {
        Some((folder, file)) => folder.read(file, TEXT_BYTES_MAX)?,
        None => {
            let text = workflow::BUILT_IN.iter().find(|(its, ..)| *its == name);
            text.map_or("", |(.., text)| text).into()
        }
    };
    Ok(Found {
        name: name.to_owned(),
        origin: first.origin,
        bytes,
        hides: places.map(|place| place.origin).collect(),
    })
}

/// The file that a person named, wherever it is.
fn named_file(path: &Path) -> Result<Found, Failure> {
    let shown = path.to_string_lossy().into_owned();
    let bytes = resolved(path, TEXT_BYTES_MAX as u64 + 1).map_err(|error| {
        let told = Diagnostic::error("file-unreadable", format!("reading {shown}: {error}"))
            .hint("name a workflow file, or a workflow; `divisi workflow list` lists them");
        Failure::told(told, Exit::Usage)
    })?;
    Ok(Found {
        name: stem(&shown).to_owned(),
        origin: Origin {
            layer: Layer::Project,
            path: shown,
        },
        bytes,
        hides: Vec::new(),
    })
}

/// The layer of a role file.
fn layer_of(layers: &[(Layer, RoleFiles)], path: &str) -> Layer {
    let has = |files: &RoleFiles| files.iter().any(|(its, _)| its == path);
    let found = layers.iter().find(|(_, files)| has(files));
    found.map_or(Layer::BuiltIn, |(layer, _)| *layer)
}

fn too_much(folder: &Folder, files_max: usize) -> Diagnostic {
    let most = LAYER_BYTES_MAX >> 20;
    let cause = format!("it holds more than {files_max} files, or {most} MiB");
    unreadable(folder.path_of("").trim_end_matches('/'), &cause)
}
