//! `divisi run --dry-run`: what a run would do and take. Nothing is started, and nothing is kept.
//!
//! Iterations of a workflow are foreseen: each is expanded against the files of the base and those
//! that are promised by the iterations it waits for. What cannot be foreseen is said to be unknown.

use divisi_core::diagnostic::Severity;
use divisi_core::run::{Base, Settings, agent_of};
use divisi_core::{Plan, TaskSpec};
use divisi_pack::allocation::{Share, suggests_split};
use divisi_pack::bundle::{Expanded, Expansion, Rate};
use divisi_pack::estimate::Estimate;
use divisi_pack::role::Library as Roles;
use serde_json::{Value, json};

use super::base::on;
use super::ordered::{Ordered, Workflow};
use crate::cli::RunArgs;
use crate::config::Configuration;
use crate::exit::Exit;
use crate::outline::outline;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::words::{self, plural, span};

/// Of a longer list of tasks, so many are printed; the document has all.
const TASKS_MAX: usize = 50;

/// Prints it.
///
/// # Errors
/// The configuration does not fit the plan, or nothing can be printed.
pub(super) fn print(
    args: &RunArgs,
    ordered: &Ordered<'_>,
    (roles, configuration): (&Roles, &Configuration),
    base: &Base,
    printer: &Printer,
) -> Outcome {
    // Somebody may want to know what a run takes before there is an agent.
    let settings = Settings {
        agents: configuration.agents(roles),
        approves_plans: ordered.is_planned_by_agent() && !args.yes,
        ..configuration.settings()
    };
    let given = (configuration, roles, settings);
    let settled = |plan: &Plan| ordered.settle(plan, given, Severity::Warning, printer);
    let has_prompts = args.dry_run.prompts;
    match ordered {
        Ordered::Plan { plan, .. } => {
            let mut plan = (*plan).clone();
            configuration.apply(roles, &mut plan, printer)?;
            of_plan(&plan, &settled(&plan)?, base, printer)?;
        }
        Ordered::Workflow(workflow) => {
            let foreseen = Foreseen {
                workflow,
                settings: &settled(&Plan::default())?,
                has_prompts,
            };
            if printer.is_json() {
                printer.document(&foreseen.document(base))?;
            } else {
                printer.lines(&foreseen.lines(base))?;
            }
        }
    }
    Ok(Exit::Success)
}

fn of_plan(
    plan: &Plan,
    settings: &Settings,
    base: &Base,
    printer: &Printer,
) -> Result<(), Failure> {
    let estimate = Estimate::of(plan, Some(settings.workers_max));
    if printer.is_json() {
        let tasks = plan.tasks.iter();
        let tasks: Vec<Value> = tasks.map(|task| of_task(task, settings)).collect();
        return printer.document(&json!({
            "title": plan.title,
            "base": base,
            "tasks": tasks,
            "estimate": estimate.to_request_form(),
            "resource_estimate": estimate.to_plan_form(),
        }));
    }
    let mut lines = outline(plan, settings);
    lines.insert(1, on(base));
    lines.extend(of_estimate(&estimate, settings));
    printer.lines(&lines)
}

fn of_task(task: &TaskSpec, settings: &Settings) -> Value {
    json!({
        "id": task.id,
        "title": task.title,
        "kind": task.kind,
        "agent": agent_of(task, settings),
        "dependencies": task.dependencies,
        "deliverables": task.deliverables.iter().map(|it| &it.path).collect::<Vec<_>>(),
        "estimate": task.estimate,
    })
}

/// A workflow before its run.
struct Foreseen<'f> {
    workflow: &'f Workflow<'f>,
    settings: &'f Settings,
    has_prompts: bool,
}

impl Foreseen<'_> {
    fn estimate(&self) -> Option<Estimate> {
        let slots = Some(self.settings.workers_max);
        self.workflow.prediction.estimate(slots)
    }

    /// Iterations by id, with what they wait for.
    fn stages(&self) -> impl Iterator<Item = (&str, &[String], &Expanded)> {
        let workflow = &self.workflow.bundle.workflow;
        let all = self.workflow.prediction.iterations.iter();
        all.map(|(id, expanded)| {
            let iteration = workflow.iteration(id);
            let waits = iteration.map_or(&[][..], |it| &it.dependencies);
            (id.as_str(), waits, expanded)
        })
    }

    fn document(&self, base: &Base) -> Value {
        let bundle = &self.workflow.bundle;
        let found = &self.workflow.authored.found;
        let estimate = self.estimate();
        let iterations = self.stages();
        let iterations: Vec<Value> = iterations
            .map(|(id, waits, expanded)| {
                let made = expanded.expansion.as_ref();
                json!({
                    "id": id,
                    "dependencies": waits,
                    "foreseen": made.is_some(),
                    "tasks": made.map(|made| self.tasks(made)),
                    "estimate": made.map(|made| made.estimate.to_request_form()),
                    "stage_context": made.filter(|_| self.has_prompts).map(|made| &made.context),
                    "diagnostics": expanded.diagnostics,
                })
            })
            .collect();
        json!({
            "workflow": bundle.workflow.name,
            "layer": found.origin.layer,
            "path": found.origin.path,
            "base": base,
            "inputs": bundle.inputs,
            "calibration": bundle.calibration,
            "iterations": iterations,
            "estimate": estimate.as_ref().map(Estimate::to_request_form),
            "resource_estimate": estimate.as_ref().map(Estimate::to_plan_form),
        })
    }

    fn tasks(&self, made: &Expansion) -> Vec<Value> {
        let shares = made.shares.iter().map(Some).chain(std::iter::repeat(None));
        let tasks = made.tasks.iter().zip(shares);
        let one = |(task, share): (&TaskSpec, Option<&Share>)| {
            let mut value = of_task(task, self.settings);
            if let Some(share) = share {
                value["share"] = json!(share);
                value["share"]["suggests_split"] = json!(splits(share));
            }
            if self.has_prompts && task.work == divisi_core::plan::Work::Handoff {
                value["prompt"] = json!(task.description);
            }
            value
        };
        tasks.map(one).collect()
    }

    fn lines(&self, base: &Base) -> Vec<Line> {
        let name = self.workflow.bundle.workflow.name.as_str();
        let origin = &self.workflow.authored.found.origin;
        let counted = self.stages().filter_map(|(.., it)| it.expansion.as_ref());
        let tasks: usize = counted.map(|made| made.tasks.len()).sum();
        let many = self.workflow.prediction.iterations.len() as u64;
        let counts = format!(
            ": {}, {} foreseen",
            plural(many, "iteration"),
            plural(tasks as u64, "task")
        );
        let mut lines = vec![
            Line::styled(Style::Bold, name).then(counts),
            Line::of(format!(
                "  {} workflow: {}",
                origin.layer.word(),
                origin.path
            )),
            on(base),
        ];
        for (name, value) in &self.workflow.bundle.inputs {
            let line = Line::of(format!("  {name}: "));
            lines.push(match value.to_string().as_str() {
                "" => line.with(Style::Dim, "empty"),
                value => line.then(value),
            });
        }
        for (id, waits, expanded) in self.stages() {
            lines.extend(self.of_stage(id, waits, expanded));
        }
        lines.push(Line::default());
        match self.estimate() {
            Some(estimate) => lines.extend(of_estimate(&estimate, self.settings)),
            None => lines.push(Line::of(
                "estimate: unknown, since not all iterations can be foreseen",
            )),
        }
        lines.push(self.of_calibration());
        lines.push(Line::styled(
            Style::Dim,
            "what later iterations work on is what those before them make: here, what is promised",
        ));
        lines
    }

    fn of_stage(&self, id: &str, waits: &[String], expanded: &Expanded) -> Vec<Line> {
        let after = match waits {
            [] => String::new(),
            waits => format!(", after {}", waits.join(", ")),
        };
        let mut lines = vec![
            Line::default(),
            Line::styled(Style::Bold, id).with(Style::Dim, after),
        ];
        let Some(made) = &expanded.expansion else {
            lines.push(Line::styled(Style::Warn, "  not known yet"));
            let causes = expanded.diagnostics.iter();
            lines.extend(causes.map(|told| Line::of(format!("    {}", told.cause))));
            return lines;
        };
        let shares = made.shares.iter().map(Some).chain(std::iter::repeat(None));
        for (task, share) in made.tasks.iter().zip(shares).take(TASKS_MAX) {
            let agent = words::agent(agent_of(task, self.settings));
            let head = Line::of("  ").with(Style::Note, task.id.as_str());
            lines.push(head.then(format!("  {agent}")));
            if let Some(share) = share {
                lines.extend(of_share(share, task));
            }
            if self.has_prompts && task.work == divisi_core::plan::Work::Handoff {
                lines.extend(quoted(&task.description));
            }
        }
        if made.tasks.len() > TASKS_MAX {
            let more = plural((made.tasks.len() - TASKS_MAX) as u64, "more task");
            lines.push(Line::styled(
                Style::Dim,
                format!("  … {more}; `--json` has all"),
            ));
        }
        if self.has_prompts {
            lines.push(Line::of("  what all of them are told:"));
            lines.extend(quoted(&made.context));
        }
        lines
    }

    fn of_calibration(&self) -> Line {
        let calibration = &self.workflow.bundle.calibration;
        let told = |rate: &Rate| {
            let tokens = plural(rate.tokens_per_point, "token");
            format!("{tokens} and {}", span(rate.ms_per_point))
        };
        let roles: Vec<String> = calibration
            .roles
            .iter()
            .map(|(role, rate)| format!("{role} {}", told(rate)))
            .collect();
        let line = Line::of(format!("a point takes {}", told(&calibration.rate)));
        match &roles[..] {
            [] => line.then("; this project's history says nothing else yet"),
            roles => line.then(format!("; by this project's history {}", roles.join(", "))),
        }
    }
}

fn splits(share: &Share) -> bool {
    let budget = share.budget_tokens;
    budget.is_some_and(|budget| suggests_split(share.tokens, budget))
}

/// What an agent is given, and how much of its budget that takes.
fn of_share(share: &Share, task: &TaskSpec) -> Vec<Line> {
    let mut lines = Vec::new();
    if !share.targets.is_empty() {
        let targets = words::cut(&share.targets.join(", "), 120);
        let many = plural(share.targets.len() as u64, "target");
        lines.push(Line::of(format!("    {many}: {targets}")));
    }
    if !share.deliverables.is_empty() {
        let files = words::cut(&share.deliverables.join(", "), 120);
        lines.push(Line::of(format!("    makes {files}")));
    }
    if let (Some(budget), Some(risk)) = (share.budget_tokens, share.risk) {
        let percent = u128::from(share.tokens) * 100 / u128::from(budget.max(1));
        let points = plural(share.points, "point");
        let text = format!(
            "    {points}, {} of {budget} tokens ({percent} %), risk {}",
            share.tokens,
            risk.word()
        );
        let style = match splits(share) {
            true => Style::Warn,
            false => Style::Plain,
        };
        let line = Line::styled(style, text);
        lines.push(match splits(share) {
            true => line.then("; give it fewer targets: `allocation: {max_per_agent: …}`"),
            false => line,
        });
    }
    if let (Some(low), Some(high)) = (task.estimate.duration_ms, task.estimate.duration_max_ms) {
        lines.push(Line::of(format!("    {} to {}", span(low), span(high))));
    }
    lines
}

fn quoted(text: &str) -> impl Iterator<Item = Line> {
    text.lines()
        .map(|line| Line::of("    | ").with(Style::Dim, line))
}

fn of_estimate(estimate: &Estimate, settings: &Settings) -> Vec<Line> {
    let unknown = match estimate.unestimated {
        0 => String::new(),
        many => format!("; {} without an estimate", plural(many as u64, "task")),
    };
    let mut lines = vec![
        Line::of("estimate: ")
            .with(Style::Bold, estimate.duration())
            .then(format!(
                ", {} on {}, at most {} at once{unknown}",
                estimate.tokens_said(),
                plural(u64::from(settings.workers_max), "worker"),
                estimate.parallel_max
            )),
    ];
    if !estimate.domains.is_empty() {
        lines.push(Line::of(format!(
            "domains: {}",
            estimate.domains.join(", ")
        )));
    }
    let held_up = estimate.bottlenecks.iter();
    lines.extend(held_up.map(|it| Line::of(format!("bottleneck: {it}"))));
    lines
}
