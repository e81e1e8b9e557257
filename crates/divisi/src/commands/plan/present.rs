//! A plan, or why there is none, for people and for programs.

use divisi_core::TaskSpec;
use divisi_core::plan::{Input, Work};
use divisi_core::{Criterion, Plan, TaskId, shell};
use divisi_pack::estimate::Estimate;
use divisi_pack::plan_file::write;
use divisi_pack::planner::{Declined, Pattern, Planned};
use divisi_pack::request::Request;
use serde_json::{Value, json};

use super::given::Gathered;
use crate::commands::run::intent::Foretold;
use crate::printer::{Line, Style};
use crate::words::{cut, heading, plural};

/// So many criteria of one task are shown; the file has all.
const CRITERIA_MAX: usize = 6;

/// So many characters of a line are shown.
const LINE_CHARS_MAX: usize = 120;

/// What the planner answered.
pub(super) enum Answered {
    Planned(Box<Planned>),
    Declined(Box<Declined>),
}

impl Answered {
    /// For programs.
    pub(super) fn document(
        &self,
        request: &Request,
        gathered: &Gathered,
        foretold: Option<&Foretold>,
    ) -> Value {
        let mut document = self.of_plan(request, gathered);
        if let Some(foretold) = foretold {
            document["run"] = json!({
                "would": foretold.would,
                "planner": foretold.planner,
                "approach": foretold.assessment.approach,
                "certainty": foretold.assessment.certainty,
                "reasons": foretold.assessment.reasons,
            });
        }
        document
    }

    fn of_plan(&self, request: &Request, gathered: &Gathered) -> Value {
        match self {
            Answered::Planned(planned) => {
                let plan = &planned.plan;
                let parts = request
                    .parts
                    .iter()
                    .zip(&planned.covers)
                    .map(|(part, tasks)| {
                        let ids = tasks.iter().filter_map(|task| plan.tasks.get(*task));
                        let ids: Vec<&str> = ids.map(|task| task.id.as_str()).collect();
                        json!({"part": part.text, "role": part.role, "tasks": ids})
                    });
                let parts: Vec<Value> = parts.collect();
                json!({
                    "request": request.text,
                    "planned": true,
                    "by": by(&planned.pattern),
                    "plan": plan_value(plan),
                    "covers": parts,
                    "excluded": excluded(request),
                    "estimate": Estimate::of(plan, Some(gathered.workers())).to_request_form(),
                    "findings": planned.advice,
                })
            }
            Answered::Declined(declined) => {
                let reasons: Vec<String> =
                    declined.reasons.iter().map(ToString::to_string).collect();
                json!({
                    "request": request.text,
                    "planned": false,
                    "reasons": reasons,
                    "proposal": plan_value(&declined.proposal),
                })
            }
        }
    }

    /// For people.
    pub(super) fn lines(&self, request: &Request, gathered: &Gathered) -> Vec<Line> {
        match self {
            Answered::Planned(planned) => planned_lines(planned, request, gathered),
            Answered::Declined(declined) => {
                let mut lines = vec![Line::styled(Style::Warn, "no plan by rule")];
                lines.extend(declined.reasons.iter().map(|reason| {
                    Line::of(format!("  {}", cut(&reason.to_string(), LINE_CHARS_MAX)))
                }));
                lines.push(heading("proposed instead, as one task"));
                let mut tasks = declined.proposal.tasks.iter();
                lines.extend(tasks.by_ref().flat_map(|task| task_lines(0, task)));
                lines
            }
        }
    }
}

/// The plan as it stands in a file.
fn plan_value(plan: &Plan) -> Value {
    serde_json::from_str(&write(plan)).expect("a plan file is JSON")
}

fn excluded(request: &Request) -> Vec<&str> {
    request
        .exclusions
        .iter()
        .map(|it| it.text.as_str())
        .collect()
}

fn by(pattern: &Pattern) -> Value {
    match pattern {
        Pattern::One => json!({"pattern": "one"}),
        Pattern::Structure => json!({"pattern": "structure"}),
        Pattern::Joined(tasks) => {
            json!({"pattern": "joined", "tasks": tasks.len(), "joined": tasks})
        }
        Pattern::Inseparable(tasks) => {
            json!({"pattern": "inseparable", "tasks": tasks.len(), "joined": tasks})
        }
        Pattern::Workflow(name) => json!({"pattern": "workflow", "workflow": name}),
    }
}

/// Ids, one after the other.
fn said(ids: &[TaskId]) -> String {
    let ids: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
    ids.join(", ")
}

fn planned_lines(planned: &Planned, request: &Request, gathered: &Gathered) -> Vec<Line> {
    let plan = &planned.plan;
    let estimate = Estimate::of(plan, Some(gathered.workers()));
    let how = match &planned.pattern {
        Pattern::One => "one task".to_owned(),
        Pattern::Structure => "by the request's own words".to_owned(),
        Pattern::Joined(tasks) => {
            let (many, of) = (tasks.len(), said(tasks));
            format!("{many} tasks by the request's own words ({of}), joined since they are trivial")
        }
        Pattern::Inseparable(tasks) => {
            let (many, of) = (tasks.len(), said(tasks));
            format!(
                "one task of the {many} that the request's own words say ({of}), since the tests need \
                 not pass before all are done"
            )
        }
        Pattern::Workflow(name) => format!("by the workflow {name}"),
    };
    let mut lines = vec![
        heading(cut(&plan.title, LINE_CHARS_MAX)),
        Line::of(format!(
            "{how}: {}, {}, {}, {}",
            plural(plan.tasks.len() as u64, "task"),
            plural(estimate.roles.len() as u64, "role"),
            estimate.duration(),
            estimate.tokens_said(),
        )),
    ];
    for (at, task) in plan.tasks.iter().enumerate() {
        lines.extend(task_lines(at, task));
    }
    if !plan.criteria.is_empty() {
        lines.push(heading("at the end, on the whole"));
        lines.extend(criteria(&plan.criteria, "  "));
    }
    for exclusion in excluded(request) {
        lines.push(
            Line::styled(Style::Warn, "not to be done: ").then(cut(exclusion, LINE_CHARS_MAX)),
        );
    }
    lines
}

fn task_lines(at: usize, task: &TaskSpec) -> Vec<Line> {
    let indent = "      ";
    let title = cut(&task.title, LINE_CHARS_MAX);
    let mut lines = vec![
        Line::styled(Style::Dim, format!("{:>3}  ", at + 1))
            .with(Style::Bold, task.id.as_str())
            .then(format!("  {title}")),
    ];
    let row = |what: &str, said: String| {
        Line::styled(Style::Dim, format!("{indent}{what} ")).then(cut(&said, LINE_CHARS_MAX))
    };
    let role = task.role().map(|role| row("role", role));
    let work = match &task.work {
        Work::Command(argv) => Some(row("runs", shell::line(argv))),
        _ => task.agent.clone().map(|agent| row("agent", agent)),
    };
    lines.extend(role.into_iter().chain(work));
    let inputs = task.inputs.iter().map(|input| match input {
        Input::Task(id) => id.to_string(),
        Input::Path(path) => path.clone(),
    });
    let inputs: Vec<String> = inputs.collect();
    let made: Vec<&str> = task
        .deliverables
        .iter()
        .map(|it| it.path.as_str())
        .collect();
    for (what, said) in [
        ("after", said(&task.dependencies)),
        ("takes", inputs.join(", ")),
        ("makes", made.join(", ")),
        ("may change", task.scope.join(", ")),
        ("expected", expected(task)),
    ] {
        if !said.is_empty() {
            lines.push(row(what, said));
        }
    }
    lines.push(Line::styled(Style::Dim, format!("{indent}done when")));
    lines.extend(criteria(&task.criteria, "        "));
    lines
}

fn expected(task: &TaskSpec) -> String {
    let minutes = |ms: u64| ms.div_ceil(60_000);
    let time = match (task.estimate.duration_ms, task.estimate.duration_max_ms) {
        (Some(low), Some(high)) => Some(format!("{}-{} minutes", minutes(low), minutes(high))),
        (Some(ms), None) => Some(plural(minutes(ms), "minute")),
        (None, _) => None,
    };
    let tokens = task.estimate.tokens.map(|tokens| plural(tokens, "token"));
    let said: Vec<String> = time.into_iter().chain(tokens).collect();
    said.join(", ")
}

fn criteria(criteria: &[Criterion], indent: &str) -> Vec<Line> {
    let shown = criteria.iter().take(CRITERIA_MAX);
    let mut lines: Vec<Line> = shown
        .map(|it| Line::of(format!("{indent}{}", cut(&it.to_string(), LINE_CHARS_MAX))))
        .collect();
    if criteria.len() > CRITERIA_MAX {
        let more = criteria.len() - CRITERIA_MAX;
        lines.push(Line::styled(
            Style::Dim,
            format!("{indent}… and {more} more"),
        ));
    }
    lines
}
