//! Puts a workflow together with roles, templates and inputs.

use std::collections::{BTreeMap, BTreeSet};

use divisi_core::Diagnostic;
use divisi_core::diagnostic::{Place, Severity};
use divisi_core::plan::Work;

use super::{Assembled, Bundle, FORMAT, Given, Usual};
use crate::codes;
use crate::config::unknown_agent;
use crate::faults::shown;
use crate::nearest::nearest;
use crate::role::{Library, Role, canonical};
use crate::template::{BUILT_IN, GENERIC};
use crate::workflow::{InputKind, InputValue, Workflow};
use crate::{pattern, placeholder};

/// The folder that a workflow may name before a template, since that is where templates are.
const TEMPLATES_FOLDER: &str = "templates/";

/// Puts a workflow together. `templates` are layers of templates by name (their path beneath the
/// layer's folder of templates), the strongest first; the built-in ones come last.
#[must_use]
pub fn assemble(
    workflow: &Workflow,
    library: &Library,
    templates: &[&BTreeMap<String, String>],
    given: &Given,
) -> Assembled {
    let mut found = Found {
        workflow,
        diagnostics: Vec::new(),
    };
    let mut roles = found.roles(library);
    for role in roles.values_mut() {
        role.targets_max = role.targets_max.or(given.usual.targets_max);
    }
    let templates = layered(templates);
    let bundle = Bundle {
        format: FORMAT,
        prompts: found.prompts(&roles, &templates),
        inputs: found.inputs(given),
        agents: found.agents(&roles, given),
        targets: found.targets(given),
        workflow: with_usual(workflow, &roles, &given.usual),
        roles,
        templates,
        calibration: given.calibration.clone(),
    };
    let refused = found
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error);
    Assembled {
        bundle: (!refused).then_some(bundle),
        diagnostics: found.diagnostics,
    }
}

/// The roles that a workflow uses and that there are not: all that can be said of a
/// [draft](crate::workflow::Read::draft) beyond its own faults.
#[must_use]
pub fn missing_roles(workflow: &Workflow, library: &Library) -> Vec<Diagnostic> {
    let mut found = Found {
        workflow,
        diagnostics: Vec::new(),
    };
    found.roles(library);
    found.diagnostics
}

/// The role of this canonical name: that under which the workflow uses it, an id, or an alias.
pub(super) fn role_named<'r>(roles: &'r BTreeMap<String, Role>, name: &str) -> Option<&'r Role> {
    let is_it = |role: &&Role| role.id == name || role.aliases.iter().any(|it| it == name);
    roles.get(name).or_else(|| roles.values().find(is_it))
}

/// The workflow with what it leaves open: who leads, and the agents of its roles.
fn with_usual(workflow: &Workflow, roles: &BTreeMap<String, Role>, usual: &Usual) -> Workflow {
    let mut workflow = workflow.clone();
    workflow.lead = workflow.lead.or_else(|| usual.lead.clone());
    let entries = workflow
        .iterations
        .iter_mut()
        .flat_map(|it| &mut it.entries);
    for entry in entries.filter(|entry| entry.work == Work::Handoff) {
        if entry.settings.agent.is_some() {
            continue;
        }
        let name = entry.role.as_deref().map(canonical).unwrap_or_default();
        let Some(role) = roles.get(&name) else {
            continue;
        };
        let is_named = |name: &str| name == role.id || role.aliases.iter().any(|its| its == name);
        let mut agents = usual.agents.iter();
        let found = agents.find(|(name, _)| is_named(&canonical(name)));
        entry.settings.agent = found.map(|(_, agent)| agent.clone());
    }
    workflow
}

/// The input that is the target of an iteration that waits for none, if there is one: `--targets`
/// then gives that input, so that paths and texts speak of one file.
fn target_input(workflow: &Workflow) -> Option<&str> {
    let first = { workflow.iterations.iter() }.filter(|it| it.dependencies.is_empty());
    let mut targets = first.flat_map(|it| &it.entries).flat_map(|it| &it.targets);
    let paths: Vec<(String, &str)> = { workflow.inputs.iter() }
        .filter(|input| input.kind == InputKind::Path)
        .map(|input| (format!("{{{}}}", input.name), &*input.name))
        .collect();
    targets.find_map(|targets| {
        let input = paths
            .iter()
            .find(|(variable, _)| *variable == targets.pattern);
        input.map(|(_, name)| *name)
    })
}

fn layered(layers: &[&BTreeMap<String, String>]) -> BTreeMap<String, String> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    let mut templates: BTreeMap<String, String> = BUILT_IN.iter().map(owned).collect();
    for layer in layers.iter().rev() {
        for (name, text) in *layer {
            templates.insert(name.clone(), text.clone());
        }
    }
    templates
}

/// The name of a template among those that there are, with or without its folder.
pub(super) fn named<'n>(templates: &BTreeMap<String, String>, path: &'n str) -> Option<&'n str> {
    let names = [Some(path), path.strip_prefix(TEMPLATES_FOLDER)];
    names
        .into_iter()
        .flatten()
        .find(|name| templates.contains_key(*name))
}

struct Found<'w> {
    workflow: &'w Workflow,
    diagnostics: Vec<Diagnostic>,
}

impl Found<'_> {
    fn error(&mut self, code: &'static str, cause: String) -> &mut Diagnostic {
        let diagnostic = Diagnostic::error(code, cause).at(self.workflow.place.clone());
        self.diagnostics.push(diagnostic);
        self.diagnostics.last_mut().expect("it was just pushed")
    }

    /// Of what it is given, which stands in no file.
    fn error_given(&mut self, cause: String) -> &mut Diagnostic {
        let diagnostic = self.error(codes::WORKFLOW_INPUT, cause);
        diagnostic.place = Some(Place {
            source: "--set".to_owned(),
            line: 0,
            column: 0,
        });
        diagnostic
    }

    /// The roles that the workflow uses and those that it says something of.
    fn roles(&mut self, library: &Library) -> BTreeMap<String, Role> {
        let mut own: BTreeMap<String, Role> = BTreeMap::new();
        for patch in &self.workflow.roles {
            let role = library.patched(patch);
            let place = patch.place.clone();
            if let Some(other) = own.insert(role.id.clone(), role) {
                let cause = format!("two roles have the id {}", shown(&other.id));
                let diagnostic = Diagnostic::error(codes::ROLE_DUPLICATE, cause)
                    .at(place)
                    .hint(format!("the other one stands at {}", other.place));
                self.diagnostics.push(diagnostic);
            }
        }
        let mut roles: BTreeMap<String, Role> = BTreeMap::new();
        for entry in self.workflow.iterations.iter().flat_map(|it| &it.entries) {
            let Some(name) = entry.role.as_deref() else {
                continue;
            };
            let key = canonical(name);
            let known = library.get(name);
            let id = known.map_or(&key, |role| &role.id);
            if let Some(role) = own.get(id).or(known) {
                roles.insert(key, role.clone());
                continue;
            }
            let cause = format!("there is no role {}", shown(name));
            let meant = nearest(&key, own.keys().map(String::as_str));
            let meant = meant.or_else(|| library.nearest(name));
            let mut diagnostic =
                Diagnostic::error(codes::WORKFLOW_ROLE, cause).at(entry.place.clone());
            if let Some(meant) = meant {
                diagnostic = diagnostic.hint(format!("did you mean {}?", shown(meant)));
            }
            let hint = "describe it under `agent_roles`, or in a file of its own in `roles/`";
            self.diagnostics.push(diagnostic.hint(hint));
        }
        for (id, role) in own {
            roles.entry(id).or_insert(role);
        }
        roles
    }

    /// The template of each role to which a prompt is given.
    fn prompts(
        &mut self,
        roles: &BTreeMap<String, Role>,
        templates: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut declared: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, path) in &self.workflow.templates {
            let id = roles.get(name).map_or(name.as_str(), |role| &role.id);
            declared.insert(id, path);
        }
        let entries = self.workflow.iterations.iter().flat_map(|it| &it.entries);
        let prompted = entries.filter(|entry| entry.work == Work::Handoff);
        let used: BTreeMap<&str, &Role> = prompted
            .filter_map(|entry| roles.get(&canonical(entry.role.as_deref()?)))
            .map(|role| (&*role.id, role))
            .collect();
        let mut prompts = BTreeMap::new();
        for (id, role) in used {
            let usual = format!("{}.md.j2", id.replace('_', "-"));
            let path = declared.get(id).copied();
            let name = match path {
                Some(path) => named(templates, path),
                None => named(templates, &usual),
            };
            if name.is_none() {
                let cause = match path {
                    Some(path) => format!(
                        "there is no template {} for {}; the generic one is used",
                        shown(path),
                        shown(&role.name)
                    ),
                    None => format!(
                        "there is no template for {}; the generic one is used",
                        shown(&role.name)
                    ),
                };
                let at = path.unwrap_or(&usual);
                let at = at.strip_prefix(TEMPLATES_FOLDER).unwrap_or(at);
                let diagnostic = Diagnostic::warning(codes::WORKFLOW_TEMPLATE, cause)
                    .at(self.workflow.place.clone())
                    .hint(format!("write it to {}", shown(&format!("templates/{at}"))));
                self.diagnostics.push(diagnostic);
            }
            prompts.insert(id.to_owned(), name.unwrap_or(GENERIC).to_owned());
        }
        prompts
    }

    fn inputs(&mut self, given: &Given) -> BTreeMap<String, InputValue> {
        let mut inputs = BTreeMap::new();
        let mut texts: BTreeMap<&str, &str> = given
            .inputs
            .iter()
            .map(|(name, text)| (&**name, &**text))
            .collect();
        if let (Some(name), [path]) = (target_input(self.workflow), &given.targets[..]) {
            texts.entry(name).or_insert(path);
        }
        for declared in &self.workflow.inputs {
            let name = &declared.name;
            let text = texts.get(&**name).copied().or(declared.default.as_deref());
            // Whoever compares with nothing looks at everything.
            let nothing = (declared.kind == InputKind::Fork).then_some("");
            let Some(text) = text.or(nothing) else {
                let what = match &*declared.description {
                    "" => String::new(),
                    text => format!(": {text}"),
                };
                self.error(
                    codes::WORKFLOW_INPUT,
                    format!("the input {} has no value{what}", shown(name)),
                )
                .hints
                .push(format!("give it with `--set {name}=…`"));
                continue;
            };
            match declared.value(text) {
                Ok(value) => _ = inputs.insert(name.clone(), value),
                Err(fault) => {
                    let cause = format!("the input {} is {fault}", shown(name));
                    self.error_given(cause);
                }
            }
        }
        self.names_of_files(&mut inputs);
        // A variable that patterns leave open may be given, too.
        let open = self.open_variables();
        for (name, text) in texts {
            if self
                .workflow
                .inputs
                .iter()
                .any(|declared| declared.name == name)
            {
                continue;
            }
            if open.contains(name) && !text.is_empty() && !text.contains(char::is_control) {
                inputs.insert(name.to_owned(), InputValue::Text(text.to_owned()));
                continue;
            }
            let known = self.workflow.inputs.iter().map(|declared| &*declared.name);
            let meant = nearest(name, known.chain(open.iter().map(String::as_str)));
            let hint = meant.map(|meant| format!("did you mean {}?", shown(meant)));
            let cause = format!("the workflow has no input {}", shown(name));
            self.error_given(cause).hints.extend(hint);
        }
        inputs
    }

    /// Of each path, the file's name without extension.
    fn names_of_files(&self, inputs: &mut BTreeMap<String, InputValue>) {
        for (name, path) in self.workflow.file_names() {
            let stem = inputs.get(path).map(|value| {
                let path = value.to_string();
                InputValue::Text(pattern::stem(&path).to_owned())
            });
            if let Some(stem) = stem {
                inputs.insert(name, stem);
            }
        }
    }

    /// The names that patterns bind.
    fn open_variables(&self) -> BTreeSet<String> {
        let entries = self.workflow.iterations.iter().flat_map(|it| &it.entries);
        let patterns = entries.flat_map(|entry| &entry.targets);
        let names = patterns.flat_map(|targets| placeholder::names(&targets.pattern));
        names.map(str::to_owned).collect()
    }

    fn agents(
        &mut self,
        roles: &BTreeMap<String, Role>,
        given: &Given,
    ) -> BTreeMap<String, String> {
        let mut agents = BTreeMap::new();
        for (name, agent) in &given.agents {
            self.diagnostics.extend(unknown_agent(agent));
            if name.is_empty() {
                agents.insert(String::new(), agent.clone());
                continue;
            }
            let id = canonical(name);
            if let Some(role) = role_named(roles, &id) {
                agents.insert(role.id.clone(), agent.clone());
                continue;
            }
            let meant = nearest(&id, roles.values().map(|role| &*role.id));
            let hint = meant.map(|meant| format!("did you mean {}?", shown(meant)));
            let cause = format!("the workflow has no role {}", shown(name));
            self.error(codes::WORKFLOW_ROLE, cause).hints.extend(hint);
        }
        agents
    }

    fn targets(&mut self, given: &Given) -> Vec<String> {
        if let Some(name) = target_input(self.workflow) {
            let is_file = |path: &String| pattern::is_literal(path);
            if given.targets.len() > 1 || !given.targets.iter().all(is_file) {
                let cause = format!("the workflow works on one file, its input {}", shown(name));
                let hint = format!("run it once for each: `--set {name}=FILE`");
                self.error(codes::WORKFLOW_INPUT, cause).hints.push(hint);
            }
            return Vec::new();
        }
        for text in &given.targets {
            if let Err(fault) = pattern::check(text) {
                let cause = format!("the pattern {} {fault}", shown(text));
                self.diagnostics
                    .push(Diagnostic::error(codes::PATTERN, cause));
            }
        }
        given.targets.clone()
    }
}
