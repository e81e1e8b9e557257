//! Writes a workflow as a file. Reading it gives the same workflow, its places apart.

use std::collections::BTreeMap;

use divisi_core::plan::{Priority, Work};
use divisi_core::{Criterion, TaskKind};

use super::read::INPUT_KINDS;
use super::structure::slug;
use super::{
    Allocation, Context, Declared, Entry, InputKind, Iteration, Lead, Promised, Settings,
    Statement, Strategy, Targets, Workflow,
};
use crate::plan_file;
use crate::plan_file::task::{KINDS, PRIORITIES, WORKSPACES};
use crate::plan_file::values::word_of;
use crate::role::Patch;
use crate::yaml::write::{self, Node};

/// The workflow as the text of its file.
#[must_use]
pub fn write(workflow: &Workflow) -> String {
    write::write(&file(workflow))
}

/// The fields of a map that are given.
#[derive(Default)]
struct Given(Vec<(String, Node)>);

impl Given {
    fn put(&mut self, key: &str, value: Node) {
        self.0.push((key.to_owned(), value));
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.put(key, Node::text(text));
        }
    }

    fn some(&mut self, key: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.put(key, Node::text(text));
        }
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.put(key, Node::texts(texts));
        }
    }

    fn number(&mut self, key: &str, number: Option<impl ToString>) {
        if let Some(number) = number {
            self.put(key, Node::Bare(number.to_string()));
        }
    }

    fn list(&mut self, key: &str, list: impl Iterator<Item = Node>) {
        let list: Vec<Node> = list.collect();
        if !list.is_empty() {
            self.put(key, Node::List(list));
        }
    }

    fn map(&mut self, key: &str, map: Given) {
        if !map.0.is_empty() {
            self.put(key, map.into());
        }
    }
}

impl From<Given> for Node {
    fn from(given: Given) -> Node {
        Node::Map(given.0)
    }
}

fn file(workflow: &Workflow) -> Node {
    let mut own = Given::default();
    own.put("name", Node::text(&workflow.name));
    own.some("version", workflow.version.as_ref());
    own.text("description", &workflow.description);
    let mut inputs = Given::default();
    for declared in &workflow.inputs {
        inputs.put(&declared.name, input(declared));
    }
    own.map("inputs", inputs);
    own.map("context", context(&workflow.context));
    iterations(workflow, &mut own);
    let mut file = Given::default();
    file.map("workflow", own);
    let mut roles = Given::default();
    for patch in &workflow.roles {
        roles.put(&patch.id, role(patch).into());
    }
    file.map("agent_roles", roles);
    file.map("templates", pairs(&workflow.templates));
    if let Some(lead) = &workflow.lead {
        file.put("orchestrator", self::lead(lead).into());
    }
    file.into()
}

fn pairs(texts: &BTreeMap<String, String>) -> Given {
    let pair = |(key, text): (&String, &String)| (key.clone(), Node::text(text));
    Given(texts.iter().map(pair).collect())
}

fn input(declared: &Declared) -> Node {
    let mut given = Given::default();
    if declared.kind != InputKind::String {
        given.put("type", Node::text(word_of(INPUT_KINDS, declared.kind)));
    }
    given.text("description", &declared.description);
    given.some("default", declared.default.as_ref());
    given.texts("choices", &declared.choices);
    given.into()
}

fn context(context: &Context) -> Given {
    let mut given = Given::default();
    given.texts("scope", &context.scope);
    given.texts("references", &context.references);
    given.texts("standards", &context.standards);
    given.texts("knowledge", &context.knowledge);
    given.texts("constraints", &context.constraints);
    given.texts("non_goals", &context.non_goals);
    given
}

/// The iterations, within phases if they are in some: all of them are or none is.
fn iterations(workflow: &Workflow, own: &mut Given) {
    let phased = workflow
        .iterations
        .chunk_by(|one, next| one.phase == next.phase);
    let phases = phased.map(|within| {
        let mut phase = Given::default();
        phase.some("name", within[0].phase.as_ref());
        phase.list("iterations", within.iter().map(iteration));
        phase.into()
    });
    match workflow.iterations.iter().all(|it| it.phase.is_some()) {
        true => own.list("phases", phases),
        false => own.list("iterations", workflow.iterations.iter().map(iteration)),
    }
}

fn iteration(iteration: &Iteration) -> Node {
    let mut given = Given::default();
    given.put("name", Node::text(&iteration.name));
    given.text("goal", &iteration.goal);
    given.texts("dependencies", &iteration.dependencies);
    given.map("context", context(&iteration.context));
    given.list("agents", iteration.entries.iter().map(entry));
    let criteria = iteration.criteria.iter().filter_map(statement);
    given.list("completion_criteria", criteria);
    given.into()
}

fn statement(statement: &Statement) -> Option<Node> {
    match statement {
        Statement::Words(text) => Some(Node::text(text)),
        Statement::Check(check) => criterion(check),
    }
}

/// `None` for the exit status, which `ok_exit` says.
fn criterion(check: &Criterion) -> Option<Node> {
    let mut node = Node::from(plan_file::criterion_value(check)?);
    if let Node::Map(map) = &mut node {
        // What is said comes before where.
        map.sort_by_key(|(key, _)| key == "in");
    }
    Some(node)
}

fn entry(entry: &Entry) -> Node {
    let mut given = Given::default();
    given.some("role", entry.role.as_ref());
    let usual = entry.role.as_deref().map(|role| slug(role, ""));
    if usual.as_deref() != Some(&*entry.label) {
        given.put("name", Node::text(&entry.label));
    }
    given.some("title", entry.title.as_ref());
    given.text("description", &entry.description);
    if entry.kind != TaskKind::Work {
        given.put("kind", Node::text(word_of(KINDS, entry.kind)));
    }
    given.list("targets", entry.targets.iter().map(targets));
    let takes = entry.takes.iter();
    given.list(
        "inputs",
        takes.map(|label| Node::Map(vec![("task".to_owned(), Node::text(label))])),
    );
    given.texts("dependencies", &entry.dependencies);
    work(&entry.work, &mut given);
    given.list("deliverables", entry.deliverables.iter().map(promised));
    given.number("complexity_per_target", entry.points);
    given.map("allocation", allocation(&entry.allocation));
    given.list("criteria", entry.criteria.iter().filter_map(statement));
    settings(&entry.settings, &mut given);
    given.into()
}

fn targets(targets: &Targets) -> Node {
    match &targets.filter {
        None => Node::text(&targets.pattern),
        Some(filter) => Node::Map(vec![
            ("pattern".to_owned(), Node::text(&targets.pattern)),
            ("filter".to_owned(), Node::text(filter)),
        ]),
    }
}

fn work(work: &Work, given: &mut Given) {
    match work {
        Work::Command(argv) => given.put("command", Node::texts(argv)),
        Work::Script(script) => given.put("script", Node::text(script)),
        Work::Template(template) => {
            let mut own = Given::default();
            own.some("path", template.path.as_ref());
            own.some("text", template.text.as_ref());
            own.put("output", Node::text(&template.output));
            given.map("template", own);
        }
        Work::Handoff | Work::Expand(_) | Work::Nothing => {}
    }
}

fn promised(promised: &Promised) -> Node {
    if promised.template.is_none() && promised.description.is_none() {
        return Node::text(&promised.path);
    }
    let mut given = Given::default();
    given.put("path", Node::text(&promised.path));
    given.some("template", promised.template.as_ref());
    given.some("description", promised.description.as_ref());
    given.into()
}

fn allocation(allocation: &Allocation) -> Given {
    let mut given = Given::default();
    match &allocation.strategy {
        Strategy::Even => {}
        Strategy::RoundRobin => given.put("strategy", Node::text("round_robin")),
        Strategy::Single => given.put("strategy", Node::text("single")),
        Strategy::By(name) => {
            given.put("strategy", Node::text("by_criterion"));
            given.put("criterion", Node::text(name));
        }
    }
    given.number("max_per_agent", allocation.max_per_agent);
    given
}

fn settings(settings: &Settings, given: &mut Given) {
    given.some("agent", settings.agent.as_ref());
    given.texts("agents_else", &settings.agents_else);
    given.texts("files_affected", &settings.scope);
    if let Some(kind) = settings.workspace {
        given.put("workspace", Node::text(word_of(WORKSPACES, kind)));
    }
    given.map("env", pairs(&settings.env));
    given.number(
        "timeout_minutes",
        settings.timeout_ms.map(|ms| ms as f64 / 60_000.0),
    );
    given.number("retries", settings.retries);
    let statuses = settings.ok_exit.iter().flatten();
    given.list(
        "ok_exit",
        statuses.map(|status| Node::Bare(status.to_string())),
    );
    if settings.priority != Priority::Medium {
        given.put(
            "priority",
            Node::text(word_of(PRIORITIES, settings.priority)),
        );
    }
}

fn role(patch: &Patch) -> Given {
    let mut given = Given::default();
    given.some("name", patch.name.as_ref());
    let mut texts = |key: &str, texts: &Option<Vec<String>>| {
        if let Some(texts) = texts {
            given.put(key, Node::texts(texts));
        }
    };
    texts("aliases", &patch.aliases);
    texts("responsibilities", &patch.responsibilities);
    texts("capabilities", &patch.capabilities);
    texts("constraints", &patch.constraints);
    texts("output_format", &patch.output_format);
    texts("focus", &patch.focus);
    texts("questions", &patch.questions);
    texts("perfect_for", &patch.suited_for);
    given.some("domain", patch.domain.as_ref());
    given.some("function", patch.function.as_ref());
    given.some("perspective", patch.perspective.as_ref());
    given.number("token_budget", patch.budget_tokens);
    given.number("complexity_threshold", patch.targets_max);
    given
}

fn lead(lead: &Lead) -> Given {
    let mut given = Given::default();
    given.some("role", lead.role.as_ref());
    given.some("perspective", lead.perspective.as_ref());
    given.texts("capabilities", &lead.capabilities);
    given.texts("decision_framework", &lead.decision_framework);
    given
}
