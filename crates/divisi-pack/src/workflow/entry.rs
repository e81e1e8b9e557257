//! Reads the entries of `agents`: a role, its targets and deliverables, and how they are shared.

use std::collections::BTreeSet;

use divisi_core::TaskKind;
use divisi_core::plan::Work;
use jsonc_parser::ast::Value;

use super::structure::{Names, slug};
use super::{
    Allocation, Entry, PATTERNS_MAX, POINTS_MAX, Promised, Settings, Statement, Strategy, Targets,
    criteria,
};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::fields::{self, Fields, mistyped, start};
use crate::plan_file::criteria as plan_criteria;
use crate::plan_file::{self, values};
use crate::role::TARGETS_MAX;
use crate::{paths, pattern, placeholder};

/// All keys of an entry.
pub(crate) const KEYS: &[&str] = &[
    "role",
    "name",
    "title",
    "description",
    "targets",
    "inputs",
    "deliverables",
    "complexity_per_target",
    "allocation",
    "criteria",
    "kind",
    "command",
    "script",
    "template",
    "agent",
    "agents_else",
    "dependencies",
    "files_affected",
    "workspace",
    "env",
    "timeout_minutes",
    "retries",
    "ok_exit",
    "priority",
];

pub(crate) const ALLOCATION_KEYS: &[&str] = &[
    "strategy",
    "criterion",
    "max_per_agent",
    "complexity_per_item",
];

pub(crate) const TARGET_KEYS: &[&str] = &["pattern", "filter", "task"];
pub(crate) const DELIVERABLE_KEYS: &[&str] = &["path", "template", "description"];

/// What an entry's tasks may be for: nothing enters a workflow from outside.
pub(crate) const KINDS: &[(&str, TaskKind)] = &[
    ("work", TaskKind::Work),
    ("research", TaskKind::Research),
    ("compose", TaskKind::Compose),
    ("review", TaskKind::Review),
    ("approval", TaskKind::Approval),
];

/// Strategies that stand alone; `by_NAME` names a variable.
pub(crate) const STRATEGIES: &[(&str, Strategy)] = &[
    ("even", Strategy::Even),
    ("round_robin", Strategy::RoundRobin),
    ("single", Strategy::Single),
];

/// Where an entry's names stand.
pub(crate) struct Spans {
    pub(crate) at: usize,
    pub(crate) takes: Vec<(String, usize)>,
    pub(crate) dependencies: Vec<(String, usize)>,
}

/// What all entries of a workflow are read with.
pub(crate) struct Shared<'s> {
    /// The names of declared inputs.
    pub(crate) inputs: &'s BTreeSet<String>,
    /// How many patterns were compiled.
    pub(crate) patterns: &'s mut usize,
    pub(crate) criteria: &'s mut plan_criteria::Reader,
}

/// The entries of one iteration.
pub(crate) struct Entries {
    names: Names,
    pub(crate) list: Vec<Entry>,
    pub(crate) spans: Vec<Spans>,
}

impl Default for Entries {
    fn default() -> Entries {
        let mut names = Names::default();
        // The task that ends the iteration has this name.
        names.unique("review".to_owned());
        Entries {
            names,
            list: Vec::new(),
            spans: Vec::new(),
        }
    }
}

impl Entries {
    /// Reads one entry; it is left out only if it is no object.
    pub(crate) fn read(
        &mut self,
        value: &Value<'_>,
        shared: &mut Shared<'_>,
        faults: &mut Faults<'_>,
    ) {
        let Some(object) = fields::object(value, "the entry of `agents`", faults) else {
            return;
        };
        let fields = Fields::open(object, "the entry of `agents`", KEYS, faults);
        let kind = fields.word("kind", KINDS, faults).unwrap_or_default();
        let (work, output) = values::work(&fields, kind, faults);
        if work == Work::Handoff && fields.required("role", faults).is_some() {
            fields.line("role", faults);
        }
        let role = fields.get("role").and_then(fields::written);
        let mut takes = Taken::default();
        takes.read(&fields, shared.patterns, faults);
        let mut deliverables = deliverables(&fields, faults);
        let promised = |path: &String| deliverables.iter().any(|(made, _)| made.path == *path);
        if let Some(path) = output.filter(|path| !promised(path)) {
            let at = fields.get("template").map_or(fields.at, start);
            let made = Promised {
                path,
                template: None,
                description: None,
            };
            deliverables.push((made, at));
        }
        let criteria = match fields.get("criteria") {
            Some(value) => criteria::list(value, "criteria", shared.criteria, faults),
            None => Vec::new(),
        };
        let bound = Variables::of(shared.inputs, &takes.names);
        for (promised, at) in &deliverables {
            bound.check_path(&promised.path, *at, faults);
        }
        for statement in &criteria {
            if let Statement::Check(check) = statement {
                let at = fields.get("criteria").map_or(fields.at, start);
                for name in criteria::names(check) {
                    bound.check_name(&name, at, faults);
                }
            }
        }
        if kind == TaskKind::Approval {
            let keys = ["criteria", "deliverables", "inputs", "targets"];
            plan_file::task::check_approval(&fields, &keys, faults);
        }
        let promises_files = !deliverables.is_empty();
        let (allocation, per_item) = allocation(&fields, &bound, faults);
        let label = fields.line("name", faults);
        let at = fields
            .get("name")
            .or(fields.get("role"))
            .map_or(fields.at, start);
        self.spans.push(Spans {
            at,
            takes: takes.labels,
            dependencies: super::read::named(&fields, "dependencies", faults),
        });
        let number = self.list.len() + 1;
        let shown = label.as_deref().or(role).unwrap_or_default();
        self.list.push(Entry {
            label: self.names.unique(slug(shown, &format!("task-{number}"))),
            role: role.map(str::to_owned),
            targets: takes.targets,
            takes: Vec::new(),
            dependencies: Vec::new(),
            deliverables: deliverables.into_iter().map(|(made, _)| made).collect(),
            points: points(&fields, per_item, faults),
            allocation,
            criteria,
            title: fields.line("title", faults),
            description: fields.text("description", faults).unwrap_or_default(),
            settings: settings(&fields, &work, promises_files, faults),
            kind,
            work,
            place: faults.place(at),
        });
    }
}

fn settings(
    fields: &Fields<'_, '_>,
    work: &Work,
    promises_files: bool,
    faults: &mut Faults<'_>,
) -> Settings {
    Settings {
        agent: values::agent(fields, faults),
        agents_else: values::agents_else(fields, faults),
        scope: values::patterns(fields, "files_affected", faults),
        workspace: plan_file::task::given_workspace(fields, promises_files, faults),
        env: values::env(fields, faults),
        timeout_ms: plan_criteria::timeout_ms(fields, faults),
        retries: fields
            .integer("retries", (0, plan_file::RETRIES_MAX), faults)
            .map(|retries| retries as u32),
        ok_exit: values::ok_exit(fields, work, faults),
        priority: fields
            .word("priority", plan_file::task::PRIORITIES, faults)
            .unwrap_or_default(),
    }
}

fn points(fields: &Fields<'_, '_>, per_item: Option<u64>, faults: &mut Faults<'_>) -> Option<u32> {
    let own = fields.integer("complexity_per_target", (0, POINTS_MAX), faults);
    if let (Some(value), Some(_)) = (fields.get("complexity_per_target"), per_item) {
        let cause = "both `complexity_per_target` and `complexity_per_item` are given";
        values::conflict(start(value), cause, faults);
    }
    own.or(per_item).map(|points| points as u32)
}

/// What `targets` and `inputs` say.
#[derive(Default)]
struct Taken {
    targets: Vec<Targets>,
    labels: Vec<(String, usize)>,
    /// For each pattern: the names it binds, and whether it has a wildcard or a name at all.
    names: Vec<(Vec<String>, bool)>,
}

impl Taken {
    fn read(&mut self, fields: &Fields<'_, '_>, patterns: &mut usize, faults: &mut Faults<'_>) {
        if let (Some(_), Some(value)) = (fields.get("targets"), fields.get("inputs")) {
            let list = fields.list("inputs", faults).unwrap_or_default();
            let is_pattern = |value: &Value<'_>| match value {
                Value::Object(object) => object.get("task").is_none(),
                _ => true,
            };
            if list.iter().any(is_pattern) {
                let cause = "patterns are given in both `targets` and `inputs`";
                values::conflict(start(value), cause, faults);
            }
        }
        for key in ["targets", "inputs"] {
            for value in fields.list(key, faults).unwrap_or_default() {
                self.one(key, value, patterns, faults);
            }
        }
    }

    fn one(
        &mut self,
        key: &'static str,
        value: &Value<'_>,
        patterns: &mut usize,
        faults: &mut Faults<'_>,
    ) {
        let object = match value {
            Value::StringLit(_) => {
                self.pattern(value, key, None, patterns, faults);
                return;
            }
            Value::Object(object) => object,
            _ => {
                mistyped("a target", "a pattern or an object", value, faults);
                return;
            }
        };
        let fields = Fields::open(object, "the target", TARGET_KEYS, faults);
        match (fields.get("pattern"), fields.get("task")) {
            (Some(_), Some(task)) => {
                values::conflict(start(task), "both `pattern` and `task` are given", faults);
            }
            (None, Some(task)) => {
                let label = fields.text("task", faults);
                self.labels.extend(label.map(|label| (label, start(task))));
            }
            (_, None) => {
                let filter = fields.text("filter", faults);
                if let Some(value) = fields.required("pattern", faults) {
                    self.pattern(value, "pattern", filter, patterns, faults);
                }
            }
        }
    }

    fn pattern(
        &mut self,
        value: &Value<'_>,
        key: &str,
        filter: Option<String>,
        patterns: &mut usize,
        faults: &mut Faults<'_>,
    ) {
        let Some(text) = fields::string(value, key, faults) else {
            return;
        };
        *patterns += 1;
        if *patterns > PATTERNS_MAX {
            faults.error(codes::TOO_LARGE, start(value), || {
                format!("the workflow has more than {PATTERNS_MAX} patterns")
            });
            return;
        }
        match pattern::check(text) {
            Ok(names) => {
                let binds = !names.is_empty() || text.contains(['*', '?', '[']);
                self.names.push((names, binds));
                self.targets.push(Targets {
                    pattern: text.to_owned(),
                    filter,
                });
            }
            Err(fault) => {
                faults.error(codes::PATTERN, start(value), || {
                    format!("the pattern {} {fault}", shown(text))
                });
            }
        }
    }
}

fn deliverables(fields: &Fields<'_, '_>, faults: &mut Faults<'_>) -> Vec<(Promised, usize)> {
    let list = fields.list("deliverables", faults).unwrap_or_default();
    let mut deliverables = Vec::with_capacity(list.len());
    for value in list {
        let promised = match value {
            Value::StringLit(literal) => Promised {
                path: literal.value.clone().into_owned(),
                template: None,
                description: None,
            },
            Value::Object(object) => {
                let fields = Fields::open(object, "the deliverable", DELIVERABLE_KEYS, faults);
                let path = fields.required("path", faults);
                let path = path.and_then(|value| fields::string(value, "path", faults));
                Promised {
                    path: path.unwrap_or("missing").to_owned(),
                    template: fields.text("template", faults),
                    description: fields.text("description", faults),
                }
            }
            _ => {
                mistyped("a deliverable", "a path or an object", value, faults);
                continue;
            }
        };
        deliverables.push((promised, start(value)));
    }
    deliverables
}

fn allocation(
    fields: &Fields<'_, '_>,
    bound: &Variables<'_>,
    faults: &mut Faults<'_>,
) -> (Allocation, Option<u64>) {
    let mut allocation = Allocation::default();
    let Some(value) = fields.get("allocation") else {
        return (allocation, None);
    };
    let Some(object) = fields::object(value, "`allocation`", faults) else {
        return (allocation, None);
    };
    let fields = Fields::open(object, "the allocation", ALLOCATION_KEYS, faults);
    let most = fields.integer("max_per_agent", (1, TARGETS_MAX), faults);
    allocation.max_per_agent = most.map(|most| most as u32);
    if let Some(value) = fields.get("strategy") {
        allocation.strategy = strategy(value, &fields, bound, faults);
    }
    (
        allocation,
        fields.integer("complexity_per_item", (0, POINTS_MAX), faults),
    )
}

fn strategy(
    value: &Value<'_>,
    fields: &Fields<'_, '_>,
    bound: &Variables<'_>,
    faults: &mut Faults<'_>,
) -> Strategy {
    let Some(word) = fields::string(value, "strategy", faults) else {
        return Strategy::default();
    };
    if let Some((_, strategy)) = STRATEGIES.iter().find(|(known, _)| *known == word) {
        return strategy.clone();
    }
    let by = match word {
        "by_criteria" | "by_criterion" => {
            let named = fields.required("criterion", faults);
            named.and_then(|value| fields::string(value, "criterion", faults))
        }
        word => word.strip_prefix("by_"),
    };
    let Some(name) = by else {
        if !matches!(word, "by_criteria" | "by_criterion") {
            let known = STRATEGIES.iter().map(|(word, _)| *word);
            let meant = faults.nearest(word, known.chain(["by_criterion"]));
            faults
                .error(codes::UNKNOWN_WORD, start(value), || {
                    let word = shown(word);
                    format!("`strategy` is {word}, not even, round_robin, single, or by_NAME")
                })
                .meant(meant);
        }
        return Strategy::default();
    };
    bound.check_name(name, start(value), faults);
    Strategy::By(name.to_owned())
}

/// The names that an entry's texts may use.
pub(crate) struct Variables<'i> {
    inputs: &'i BTreeSet<String>,
    /// Names that some pattern binds.
    some: BTreeSet<&'i str>,
    /// Names that every pattern binds.
    all: BTreeSet<&'i str>,
    /// Whether every pattern binds something, and there is one.
    binds: bool,
}

impl<'i> Variables<'i> {
    fn of(inputs: &'i BTreeSet<String>, names: &'i [(Vec<String>, bool)]) -> Variables<'i> {
        let sets = names
            .iter()
            .map(|(names, _)| names.iter().map(String::as_str));
        let some = sets.clone().flatten().collect();
        let all = sets.map(Iterator::collect::<BTreeSet<&str>>);
        let all = all.reduce(|one, other| &one & &other).unwrap_or_default();
        Variables {
            inputs,
            some,
            all,
            binds: !names.is_empty() && names.iter().all(|(_, binds)| *binds),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.inputs.contains(name) || self.all.contains(name) || (self.binds && is_id(name))
    }

    fn check_name(&self, name: &str, at: usize, faults: &mut Faults<'_>) {
        if self.has(name) {
            return;
        }
        let inputs = self.inputs.iter().map(String::as_str);
        let known = inputs.chain(self.some.iter().copied());
        let meant = faults.nearest(name, known);
        faults
            .error(codes::WORKFLOW_VARIABLE, at, || {
                format!("nothing says what {} is", shown(&format!("{{{name}}}")))
            })
            .meant(meant)
            .hint(format!(
                "declare {} under `inputs`, or use {} in every pattern of the entry",
                shown(name),
                shown(&format!("{{{name}}}"))
            ));
    }

    fn check_path(&self, path: &str, at: usize, faults: &mut Faults<'_>) {
        for name in placeholder::names(path) {
            self.check_name(name, at, faults);
        }
        let filled = placeholder::fill(path, |_| Some("x".to_owned()));
        let fault = paths::fault(&filled).or_else(|| {
            let brace = filled.find(['{', '}', '*', '?'])?;
            let c = filled[brace..].chars().next()?;
            Some(format!("holds {c:?}; a variable is written `{{name}}`"))
        });
        if let Some(fault) = fault {
            faults.error(codes::PATH, at, || {
                format!("the path {} {fault}", shown(path))
            });
        }
    }
}

/// Whether a variable is bound to what the last wildcard matched, unless it has another value.
pub(crate) fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("_id")
}
