//! Layers of roles put together: which role a name means.

use std::collections::BTreeMap;

use divisi_core::Diagnostic;
use divisi_core::diagnostic::{Place, Severity};

use super::{BUILT_IN, Patch, ROLES_MAX, Role, canonical, read};
use crate::codes;
use crate::faults::{DIAGNOSTICS_MAX, shown};
use crate::nearest::nearest;

/// The role files of one layer: `(source name, bytes)` each.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'l> {
    /// Role files in any order.
    pub files: &'l [(String, Vec<u8>)],
}

/// All roles by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Library {
    roles: Vec<Role>,
    /// Ids and aliases.
    names: BTreeMap<String, usize>,
}

/// A library and what is wrong with its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The library; `None` exactly if an error is among the diagnostics.
    pub library: Option<Library>,
    /// Errors and warnings, file by file.
    pub diagnostics: Vec<Diagnostic>,
    /// For each role's id, the names of the sources that say something of it, the strongest first.
    pub sources: BTreeMap<String, Vec<String>>,
}

impl Library {
    /// The roles that Divisi ships.
    #[must_use]
    pub fn built_in() -> Library {
        Library::load(&[])
            .library
            .expect("the built-in roles have no fault; a test holds it")
    }

    /// The built-in roles, and those that these names of tasks (`domain`, `domain/function`) mean
    /// besides: what is known where no file of a role is read any more.
    pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Library {
        let mut library = Library::built_in();
        for name in names {
            let (domain, function) = match name.split_once('/') {
                Some((domain, function)) => (domain, Some(function)),
                None => (name, None),
            };
            if library.of_task(Some(domain), function).is_some() {
                continue;
            }
            let place = Place {
                source: "the run".to_owned(),
                line: 0,
                column: 0,
            };
            let id = canonical(name);
            let role = Patch::of_task(&id, Some(domain), function, place).over(None);
            library.names.insert(role.id.clone(), library.roles.len());
            library.roles.push(role);
        }
        library
    }

    /// Puts layers over the built-in roles, the strongest first: the project's, then the user's. A
    /// role of a stronger layer changes what it gives and keeps the rest of the weaker one's.
    ///
    /// Two roles of one layer with one id are an error, and so are two roles that share a name or
    /// a pair of domain and function, whatever their layers.
    #[must_use]
    pub fn load(layers: &[Layer<'_>]) -> Loaded {
        let mut diagnostics = Vec::new();
        let mut roles: Vec<Role> = Vec::new();
        let mut sources = BTreeMap::new();
        let built_in = BUILT_IN.iter().map(|(name, text)| (*name, text.as_bytes()));
        add(built_in, &mut roles, &mut sources, &mut diagnostics);
        for layer in layers.iter().rev() {
            let files = layer.files.iter();
            let files = files.map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
            add(files, &mut roles, &mut sources, &mut diagnostics);
        }
        let names = names(&roles, &mut diagnostics);
        check_pairs(&roles, &mut diagnostics);
        let refused = diagnostics.iter().any(|d| d.severity == Severity::Error);
        Loaded {
            library: (!refused).then_some(Library { roles, names }),
            diagnostics,
            sources,
        }
    }

    /// The role of this id or alias, however it is written.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Role> {
        let at = self.names.get(&canonical(name))?;
        self.roles.get(*at)
    }

    /// The one role of a domain and function, as tasks name it. Without a function it is the
    /// domain's general role.
    #[must_use]
    pub fn pair(&self, domain: &str, function: Option<&str>) -> Option<&Role> {
        let found = |role: &&Role| {
            role.domain.as_deref() == Some(domain) && role.function.as_deref() == function
        };
        self.roles.iter().find(found)
    }

    /// The role that a task names: by its pair, or by a name of the role in place of its function.
    #[must_use]
    pub fn of_task(&self, domain: Option<&str>, function: Option<&str>) -> Option<&Role> {
        let Some(domain) = domain else {
            return self.get(function?);
        };
        let by_name = || {
            let role = self.get(function?)?;
            (role.domain.as_deref() == Some(domain)).then_some(role)
        };
        self.pair(domain, function).or_else(by_name)
    }

    /// All roles in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        let mut roles: Vec<&Role> = self.roles.iter().collect();
        roles.sort_by(|one, other| one.id.cmp(&other.id));
        roles.into_iter()
    }

    /// The name of a role nearest to one that is not known, if one may have been meant.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(&canonical(name), self.names.keys().map(String::as_str))
    }

    /// What a workflow's own words make of a role.
    #[must_use]
    pub fn patched(&self, patch: &Patch) -> Role {
        let mut role = patch.over(self.get(&patch.id));
        // An alias that is defined anew stays the role that it named.
        if let Some(base) = self.get(&patch.id) {
            role.id.clone_from(&base.id);
        }
        role
    }
}

fn add<'f>(
    files: impl Iterator<Item = (&'f str, &'f [u8])>,
    roles: &mut Vec<Role>,
    sources: &mut BTreeMap<String, Vec<String>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut layer: Vec<Patch> = Vec::new();
    for (name, bytes) in files {
        if diagnostics.len() > DIAGNOSTICS_MAX {
            let cause = format!("{name} and the files after it were not read");
            let told = Diagnostic::error(codes::MORE, cause);
            diagnostics.push(told.hint("mend those shown first"));
            break;
        }
        let read = read(name, bytes);
        diagnostics.extend(read.diagnostics);
        for patch in read.roles.unwrap_or_default() {
            match layer.iter().find(|before| before.id == patch.id) {
                Some(before) => diagnostics.push(duplicate(&patch, before)),
                // One beyond the limit is enough to be told of it.
                None if layer.len() > ROLES_MAX => break,
                None => layer.push(patch),
            }
        }
    }
    for patch in layer {
        let said = sources.entry(patch.id.clone()).or_default();
        said.insert(0, patch.place.source.clone());
        if let Some(role) = roles.iter_mut().find(|role| role.id == patch.id) {
            *role = patch.over(Some(role));
        } else if roles.len() < ROLES_MAX {
            roles.push(patch.over(None));
        } else {
            let cause = format!("more than {ROLES_MAX} roles");
            diagnostics.push(Diagnostic::error(codes::TOO_LARGE, cause).at(patch.place));
            return;
        }
    }
}

fn duplicate(patch: &Patch, before: &Patch) -> Diagnostic {
    let cause = format!("two roles have the id {}", shown(&patch.id));
    Diagnostic::error(codes::ROLE_DUPLICATE, cause)
        .at(patch.place.clone())
        .hint(format!("the other one stands at {}", before.place))
}

fn names(roles: &[Role], diagnostics: &mut Vec<Diagnostic>) -> BTreeMap<String, usize> {
    let ids = roles.iter().enumerate();
    let mut names: BTreeMap<String, usize> = ids.map(|(at, role)| (role.id.clone(), at)).collect();
    for (at, role) in roles.iter().enumerate() {
        for alias in &role.aliases {
            let other = *names.entry(alias.clone()).or_insert(at);
            if other == at {
                continue;
            }
            let other = &roles[other];
            let cause = format!(
                "the alias {} of {} is a name of {}, too",
                shown(alias),
                shown(&role.id),
                shown(&other.id)
            );
            diagnostics.push(
                Diagnostic::error(codes::ROLE_ALIAS, cause)
                    .at(role.place.clone())
                    .hint(format!("{} stands at {}", shown(&other.id), other.place))
                    .hint("to change a role, write one of the same `id`"),
            );
        }
    }
    names
}

fn check_pairs(roles: &[Role], diagnostics: &mut Vec<Diagnostic>) {
    let mut pairs: BTreeMap<(&str, Option<&str>), &Role> = BTreeMap::new();
    for role in roles {
        let Some(domain) = role.domain.as_deref() else {
            continue;
        };
        let function = role.function.as_deref();
        let Some(other) = pairs.insert((domain, function), role) else {
            continue;
        };
        let pair = match function {
            Some(function) => format!("{domain}/{function}"),
            None => domain.to_owned(),
        };
        let cause = format!(
            "{} and {} are both {}",
            shown(&other.id),
            shown(&role.id),
            shown(&pair)
        );
        diagnostics.push(
            Diagnostic::error(codes::ROLE_PAIR, cause)
                .at(role.place.clone())
                .hint(format!("{} stands at {}", shown(&other.id), other.place))
                .hint("tasks name a role by `domain` and `function`; give one another `function`"),
        );
    }
}
