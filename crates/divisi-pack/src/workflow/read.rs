//! Reads a whole workflow file: its inputs, iterations, roles and templates.

use std::collections::{BTreeMap, BTreeSet};

use jsonc_parser::ast::Value;

use super::entry::{self, Entries};
use super::structure::{self, Names, slug};
use super::{
    Context, Declared, ENTRIES_MAX, INPUTS_MAX, ITERATIONS_MAX, InputKind, Iteration, Lead,
    PHASES_MAX, Read, Workflow, criteria,
};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, start};
use crate::plan_file::{criteria as plan_criteria, is_plan};
use crate::{placeholder, role, text, yaml};

/// The keys of a workflow file.
pub(crate) const FILE_KEYS: &[&str] = &["workflow", "agent_roles", "templates", "orchestrator"];

/// All keys of the workflow itself.
pub(crate) const KEYS: &[&str] = &[
    "name",
    "version",
    "description",
    "inputs",
    "context",
    "iterations",
    "phases",
];

pub(crate) const PHASE_KEYS: &[&str] = &["phase", "name", "goal", "dependencies", "iterations"];

pub(crate) const ITERATION_KEYS: &[&str] = &[
    "name",
    "goal",
    "dependencies",
    "agents",
    "completion_criteria",
    "context",
];

pub(crate) const CONTEXT_KEYS: &[&str] = &[
    "scope",
    "references",
    "standards",
    "knowledge",
    "constraints",
    "non_goals",
];

pub(crate) const INPUT_KEYS: &[&str] = &["type", "description", "default", "choices"];

pub(crate) const LEAD_KEYS: &[&str] =
    &["role", "perspective", "capabilities", "decision_framework"];

pub(crate) const INPUT_KINDS: &[(&str, InputKind)] = &[
    ("string", InputKind::String),
    ("integer", InputKind::Integer),
    ("boolean", InputKind::Boolean),
    ("path", InputKind::Path),
    ("fork", InputKind::Fork),
];

/// Reads a workflow file. `source_name` stands in the diagnostics' places, as the user gave it.
#[must_use]
pub fn read(source_name: &str, bytes: &[u8]) -> Read {
    let mut draft = None;
    let (workflow, diagnostics) =
        text::read(source_name, bytes, yaml::TEXT_BYTES_MAX, |text, faults| {
            let value = yaml::parse(text, faults)?;
            let (workflow, roles) = file(&value, faults)?;
            // A role that could not be read would seem to be missing.
            draft = (faults.errors() > 0 && roles == Roles::Whole).then(|| workflow.clone());
            Some(workflow)
        });
    Read {
        workflow,
        draft,
        diagnostics,
    }
}

/// Whether all roles that a file describes could be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Roles {
    Whole,
    Faulty,
}

fn file(value: &Value<'_>, faults: &mut Faults<'_>) -> Option<(Workflow, Roles)> {
    let object = fields::object(value, "the workflow file", faults)?;
    if is_plan(object) {
        faults
            .error(codes::WORKFLOW_PLAN, start(value), || {
                "this is a plan, and a workflow is expected here".to_owned()
            })
            .hint("a plan is JSON in a file that ends in `.json`: write it so, then run that")
            .hint("a workflow begins with `workflow:`; `divisi workflow show NAME` prints one");
        return None;
    }
    let file = Fields::open(object, "the workflow file", FILE_KEYS, faults);
    let before = faults.errors();
    let roles = match file.get("agent_roles") {
        Some(value) => role::map(value, faults),
        None => Vec::new(),
    };
    let are_whole = match faults.errors() == before {
        true => Roles::Whole,
        false => Roles::Faulty,
    };
    let templates = templates(&file, faults);
    let lead = lead(&file, faults);
    let value = file.required("workflow", faults)?;
    let object = fields::object(value, "the workflow", faults)?;
    let fields = Fields::open(object, "the workflow", KEYS, faults);
    fields.required("name", faults);
    let inputs = inputs(&fields, faults);
    let (iterations, spans) = iterations(&fields, &inputs, faults);
    let mut workflow = Workflow {
        name: fields.line("name", faults).unwrap_or_default(),
        version: fields.text("version", faults),
        description: fields.text("description", faults).unwrap_or_default(),
        context: context(&fields, faults),
        inputs,
        iterations,
        roles,
        templates,
        lead,
        place: faults.place(fields.at),
    };
    structure::link(&mut workflow, &spans, faults);
    Some((workflow, are_whole))
}

fn templates(file: &Fields<'_, '_>, faults: &mut Faults<'_>) -> BTreeMap<String, String> {
    let mut templates = BTreeMap::new();
    let Some(value) = file.get("templates") else {
        return templates;
    };
    let Some(object) = fields::object(value, "`templates`", faults) else {
        return templates;
    };
    for (role, at, value) in fields::pairs(object, faults) {
        let id = role::canonical(role);
        if id.is_empty() {
            faults.error(codes::ID, at, || format!("{} names no role", shown(role)));
        }
        if let Some(path) = plan_criteria::path_of(value, "templates", faults) {
            templates.insert(id, path);
        }
    }
    templates
}

fn lead(file: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Option<Lead> {
    let object = fields::object(file.get("orchestrator")?, "`orchestrator`", faults)?;
    let fields = Fields::open(object, "`orchestrator`", LEAD_KEYS, faults);
    let texts = |key, faults: &mut Faults<'_>| fields.texts(key, faults).unwrap_or_default();
    Some(Lead {
        role: fields.text("role", faults),
        perspective: fields.text("perspective", faults),
        capabilities: texts("capabilities", faults),
        decision_framework: texts("decision_framework", faults),
    })
}

/// Declared inputs: `id: integer`, or an object.
fn inputs(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Vec<Declared> {
    let Some(value) = fields.get("inputs") else {
        return Vec::new();
    };
    let Some(object) = fields::object(value, "`inputs`", faults) else {
        return Vec::new();
    };
    let pairs = fields::pairs(object, faults);
    if pairs.len() > INPUTS_MAX {
        faults.error(codes::TOO_LARGE, start(value), || {
            format!("{} inputs, more than {INPUTS_MAX}", pairs.len())
        });
    }
    let pairs = pairs.into_iter().take(INPUTS_MAX);
    pairs
        .filter_map(|(name, at, value)| input(name, at, value, faults))
        .collect()
}

fn input(name: &str, at: usize, value: &Value<'_>, faults: &mut Faults<'_>) -> Option<Declared> {
    if !placeholder::is_name(name) {
        faults.error(codes::ID, at, || {
            format!("{} is no name for an input", shown(name))
        });
        return None;
    }
    let mut declared = Declared {
        name: name.to_owned(),
        kind: InputKind::default(),
        description: String::new(),
        default: None,
        choices: Vec::new(),
    };
    match value {
        Value::NullKeyword(_) => {}
        Value::StringLit(_) => {
            declared.kind = fields::word_of(value, "type", INPUT_KINDS, faults)?;
        }
        value => {
            let object = fields::object(value, "the input", faults)?;
            let fields = Fields::open(object, "the input", INPUT_KEYS, faults);
            declared.kind = fields.word("type", INPUT_KINDS, faults).unwrap_or_default();
            declared.description = fields.text("description", faults).unwrap_or_default();
            declared.default = fields.text("default", faults);
            declared.choices = fields.texts("choices", faults).unwrap_or_default();
            for (key, texts) in [
                ("choices", declared.choices.as_slice()),
                ("default", declared.default.as_slice()),
            ] {
                let at = fields.get(key).map_or(at, start);
                for text in texts {
                    if let Err(fault) = declared.value(text) {
                        faults.error(codes::WORKFLOW_INPUT, at, || {
                            format!("`{key}` of the input {} is {fault}", shown(name))
                        });
                    }
                }
            }
        }
    }
    Some(declared)
}

/// A context: an object, or words, which are taken as knowledge.
fn context(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Context {
    let Some(value) = fields.get("context") else {
        return Context::default();
    };
    let Value::Object(object) = value else {
        let knowledge = fields.texts("context", faults).unwrap_or_default();
        return Context {
            knowledge,
            ..Context::default()
        };
    };
    let fields = Fields::open(object, "the context", CONTEXT_KEYS, faults);
    let texts = |key, faults: &mut Faults<'_>| fields.texts(key, faults).unwrap_or_default();
    Context {
        scope: texts("scope", faults),
        references: texts("references", faults),
        standards: texts("standards", faults),
        knowledge: texts("knowledge", faults),
        constraints: texts("constraints", faults),
        non_goals: texts("non_goals", faults),
    }
}

/// Where names stand that are looked up when all iterations are known.
#[derive(Default)]
pub(crate) struct Spans {
    /// For each iteration: where its name stands, and its dependencies as written.
    pub(crate) iterations: Vec<IterationSpans>,
    /// Phases in the order of the text.
    pub(crate) phases: Vec<PhaseSpans>,
}

pub(crate) struct IterationSpans {
    pub(crate) at: usize,
    pub(crate) dependencies: Vec<(String, usize)>,
    /// Where its entries stand.
    pub(crate) entries: Vec<entry::Spans>,
    /// The number of its phase.
    pub(crate) phase: Option<usize>,
}

pub(crate) struct PhaseSpans {
    pub(crate) names: Vec<String>,
    pub(crate) at: usize,
    pub(crate) dependencies: Vec<(String, usize)>,
}

/// The phase that iterations are in.
struct Phase {
    number: usize,
    name: String,
    goal: String,
}

/// The iterations, those of all phases in the order of the text.
fn iterations(
    fields: &Fields<'_, '_>,
    inputs: &[Declared],
    faults: &mut Faults<'_>,
) -> (Vec<Iteration>, Spans) {
    let declared = inputs.iter().map(|input| input.name.clone());
    let files = super::file_names(inputs).map(|(name, _)| name);
    let mut reader = Reader {
        inputs: declared.chain(files).collect(),
        patterns: 0,
        criteria: plan_criteria::Reader::new(),
        names: Names::default(),
        iterations: Vec::new(),
        spans: Spans::default(),
    };
    match (fields.get("iterations"), fields.get("phases")) {
        (Some(_), Some(phases)) => {
            faults.error(codes::CONFLICT, start(phases), || {
                "both `iterations` and `phases` are given".to_owned()
            });
        }
        (None, None) => {
            fields.required("iterations", faults);
        }
        (Some(_), None) => reader.list(fields, None, faults),
        (None, Some(phases)) => {
            let list = fields.list("phases", faults).unwrap_or_default();
            if list.len() > PHASES_MAX {
                faults.error(codes::TOO_LARGE, start(phases), || {
                    format!("{} phases, more than {PHASES_MAX}", list.len())
                });
            }
            for value in list.iter().take(PHASES_MAX) {
                reader.phase(value, faults);
            }
        }
    }
    (reader.iterations, reader.spans)
}

struct Reader {
    inputs: BTreeSet<String>,
    /// How many patterns were compiled.
    patterns: usize,
    criteria: plan_criteria::Reader,
    names: Names,
    iterations: Vec<Iteration>,
    spans: Spans,
}

impl Reader {
    fn phase(&mut self, value: &Value<'_>, faults: &mut Faults<'_>) {
        let Some(object) = fields::object(value, "the phase", faults) else {
            return;
        };
        let fields = Fields::open(object, "the phase", PHASE_KEYS, faults);
        let id = fields.text("phase", faults);
        let name = fields.text("name", faults);
        if fields.get("phase").is_none() && fields.get("name").is_none() {
            fields.required("name", faults);
        }
        let phase = Phase {
            number: self.spans.phases.len(),
            name: name.clone().or_else(|| id.clone()).unwrap_or_default(),
            goal: fields.text("goal", faults).unwrap_or_default(),
        };
        self.spans.phases.push(PhaseSpans {
            names: id.into_iter().chain(name).collect(),
            at: fields.at,
            dependencies: named(&fields, "dependencies", faults),
        });
        self.list(&fields, Some(&phase), faults);
    }

    fn list(&mut self, fields: &Fields<'_, '_>, phase: Option<&Phase>, faults: &mut Faults<'_>) {
        let Some(list) = fields.list("iterations", faults) else {
            if fields.get("iterations").is_none() {
                fields.required("iterations", faults);
            }
            return;
        };
        if list.is_empty() {
            let at = fields.get("iterations").map_or(fields.at, start);
            faults.error(codes::WORKFLOW_EMPTY, at, || {
                "there is no iteration".to_owned()
            });
        }
        for value in list {
            if self.iterations.len() >= ITERATIONS_MAX {
                faults.error(codes::TOO_LARGE, start(value), || {
                    format!("more than {ITERATIONS_MAX} iterations")
                });
                return;
            }
            self.iteration(value, phase, faults);
        }
    }

    fn iteration(&mut self, value: &Value<'_>, phase: Option<&Phase>, faults: &mut Faults<'_>) {
        let Some(object) = fields::object(value, "the iteration", faults) else {
            return;
        };
        let fields = Fields::open(object, "the iteration", ITERATION_KEYS, faults);
        let at = fields.required("name", faults).map_or(fields.at, start);
        let name = fields.line("name", faults).unwrap_or_default();
        let entries = self.entries(&fields, faults);
        let goal = fields.text("goal", faults);
        let criteria = match fields.get("completion_criteria") {
            Some(value) => criteria::completion(value, &mut self.criteria, faults),
            None => Vec::new(),
        };
        self.spans.iterations.push(IterationSpans {
            at,
            dependencies: named(&fields, "dependencies", faults),
            entries: entries.spans,
            phase: phase.map(|phase| phase.number),
        });
        let number = self.iterations.len() + 1;
        self.iterations.push(Iteration {
            id: self
                .names
                .unique(slug(&name, &format!("iteration-{number}"))),
            name,
            phase: phase.map(|phase| phase.name.clone()),
            goal: goal
                .or_else(|| phase.map(|phase| phase.goal.clone()))
                .unwrap_or_default(),
            dependencies: Vec::new(),
            entries: entries.list,
            criteria,
            context: context(&fields, faults),
            place: faults.place(at),
        });
    }

    fn entries(&mut self, fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Entries {
        let mut entries = Entries::default();
        if fields.required("agents", faults).is_none() {
            return entries;
        }
        let list = fields.list("agents", faults).unwrap_or_default();
        let at = fields.get("agents").map_or(fields.at, start);
        if list.is_empty() {
            faults.error(codes::WORKFLOW_EMPTY, at, || {
                "the iteration has no agents".to_owned()
            });
        }
        if list.len() > ENTRIES_MAX {
            faults.error(codes::TOO_LARGE, at, || {
                format!("{} agents, more than {ENTRIES_MAX}", list.len())
            });
            return entries;
        }
        for value in list {
            let mut shared = entry::Shared {
                inputs: &self.inputs,
                patterns: &mut self.patterns,
                criteria: &mut self.criteria,
            };
            entries.read(value, &mut shared, faults);
        }
        entries
    }
}

/// A list of names with their places.
pub(crate) fn named(
    fields: &Fields<'_, '_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Vec<(String, usize)> {
    let list = fields.list(key, faults).unwrap_or_default();
    let name = |value: &Value<'_>| Some((fields::loose_text(value, key, faults)?, start(value)));
    list.iter().filter_map(name).collect()
}
