//! Requests that a workflow of the built-in catalog answers: reviews, incidents, user stories.

use divisi_core::plan::{Deliverable, Template, Work};
use divisi_core::{Criterion, Plan, TaskId, TaskKind, TaskSpec, WorkspaceKind};

use super::{Facts, Pattern, Planned, Reason, Reviewers, making};
use crate::bundle;
use crate::plan_file::CRITERIA_MAX;
use crate::request::{Change, Request};
use crate::role::canonical;
use crate::workflow::{self, Workflow};

/// What a whole project or change is called in a request to review it.
const REVIEWED: &[&str] = &[
    "branch",
    "change",
    "changes",
    "code",
    "codebase",
    "diff",
    "patch",
    "pr",
    "project",
    "pull",
    "repo",
    "repository",
];

/// The perspectives of a review: the role that takes each, and its stage in the workflow.
const PERSPECTIVES: &[(&str, &str)] = &[
    ("developer", "functional-review"),
    ("security_analyst", "security-review"),
    ("performance_engineer", "performance-review"),
    ("qa", "test-review"),
    ("tech_writer", "documentation-review"),
];

/// The workflow that reviews a change or a whole project.
pub const REVIEW: &str = "code-review";

/// The plan of the workflow that answers the request; `None` if none does.
pub(super) fn plan(request: &Request, facts: &Facts<'_>) -> Option<Result<Planned, Reason>> {
    if let Some(stages) = review(request) {
        return Some(of_review(request, facts, &stages));
    }
    if let Some(id) = incident(request) {
        let inputs = vec![
            ("id".to_owned(), id),
            ("summary".to_owned(), making::title(request)),
        ];
        return Some(of_workflow(request, facts, "incident-response", inputs));
    }
    if is_refinement(request) {
        return Some(of_workflow(
            request,
            facts,
            "user-story-refinement",
            Vec::new(),
        ));
    }
    None
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    let words = parts.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The stages of a review that are asked for, if nothing but a review of the whole is.
fn review(request: &Request) -> Option<Vec<&'static str>> {
    let judges = |change: Change| change == Change::Review;
    let only = request.parts.iter().all(|part| {
        part.files.is_empty() && part.verb.as_ref().is_some_and(|verb| judges(verb.change))
    });
    let of = request.goal.as_ref().map(|goal| goal.text.as_str());
    let of = of.or(request.parts.first().map(|part| part.text.as_str()))?;
    let verb = request.parts.first()?.verb.as_ref()?.word;
    let whole = words(of)
        .iter()
        .any(|word| REVIEWED.contains(&word.as_str()));
    if !only || !whole || verb != "review" {
        return None;
    }
    let mentioned = request.parts.iter().any(|part| !part.mentions.is_empty());
    let asked = |role: &str| {
        let mut parts = request.parts.iter();
        match mentioned {
            true => parts.any(|part| {
                part.role == role || part.mentions.iter().any(|mention| mention.role == role)
            }),
            false => true,
        }
    };
    let stages = PERSPECTIVES.iter().filter(|(role, _)| asked(role));
    let stages = stages.filter(|(role, _)| request.excludes_role(role).is_none());
    let stages: Vec<&str> = stages.map(|(_, stage)| *stage).collect();
    let perspectives = request.parts.iter().flat_map(|part| &part.mentions);
    let known = perspectives
        .into_iter()
        .all(|mention| PERSPECTIVES.iter().any(|(role, _)| *role == mention.role));
    (known && !stages.is_empty()).then_some(stages)
}

/// The incident that a request asks to handle.
fn incident(request: &Request) -> Option<String> {
    let words = words(&request.text);
    let handles = [
        "handle",
        "investigate",
        "mitigate",
        "resolve",
        "respond",
        "triage",
    ];
    let at = words.iter().position(|word| word == "incident")?;
    let verb = words[..at]
        .iter()
        .any(|word| handles.contains(&word.as_str()));
    let next = words.get(at + 1)?;
    let is_name = next.chars().any(|c| c.is_ascii_digit());
    let is_all = request.parts.len() <= 1;
    (verb && is_name && is_all).then(|| next.clone())
}

fn is_refinement(request: &Request) -> bool {
    let words = words(&request.text);
    let pairs = words.windows(2);
    let mut stories = pairs.filter(|pair| pair[0] == "user" && pair[1] == "stories");
    let refines = words.iter().any(|word| word == "refine");
    request.parts.len() == 1 && refines && stories.next().is_some()
}

fn built_in(name: &str) -> Workflow {
    let found = workflow::BUILT_IN.iter().find(|(known, ..)| *known == name);
    let (_, source, text) = found.expect("the catalog has it");
    let read = workflow::read(source, text.as_bytes());
    read.workflow
        .expect("a built-in workflow has no fault; a test holds it")
}

/// The tasks of a workflow against the files that are there and those that it promises itself.
fn tasks(
    workflow: &Workflow,
    facts: &Facts<'_>,
    inputs: Vec<(String, String)>,
) -> Result<Vec<TaskSpec>, Reason> {
    let refused = |why: String| Reason::Workflow {
        name: workflow.name.clone(),
        why,
    };
    let given = bundle::Given {
        inputs,
        ..bundle::Given::default()
    };
    let assembled = bundle::assemble(workflow, facts.roles, &[], &given);
    let first = |told: &[divisi_core::Diagnostic]| {
        let errors = told
            .iter()
            .filter(|it| it.severity == divisi_core::diagnostic::Severity::Error);
        errors.map(|it| it.cause.clone()).next()
    };
    let Some(bundle) = assembled.bundle else {
        return Err(refused(first(&assembled.diagnostics).unwrap_or_default()));
    };
    let prediction = bundle::predict(&bundle, facts.files.unwrap_or_default());
    match prediction.plan {
        Some(plan) => Ok(plan.tasks),
        None => {
            let mut told = prediction
                .iterations
                .iter()
                .map(|(_, it)| first(&it.diagnostics));
            Err(refused(told.find_map(|cause| cause).unwrap_or_default()))
        }
    }
}

fn of_workflow(
    request: &Request,
    facts: &Facts<'_>,
    name: &str,
    inputs: Vec<(String, String)>,
) -> Result<Planned, Reason> {
    let tasks = folded(tasks(&built_in(name), facts, inputs)?);
    let all: Vec<usize> = (0..tasks.len()).collect();
    Ok(planned(request, name, tasks, |_| all.clone()))
}

/// The tasks without those that only judge a stage: what a stage must hold is judged where the file
/// is made of which it speaks, and who waited for the judgment waits for what was judged.
fn folded(tasks: Vec<TaskSpec>) -> Vec<TaskSpec> {
    let is_stage_end = |task: &TaskSpec| task.work == Work::Nothing;
    let (ends, mut tasks): (Vec<TaskSpec>, Vec<TaskSpec>) =
        tasks.into_iter().partition(is_stage_end);
    for task in &mut tasks {
        let waits = std::mem::take(&mut task.dependencies);
        for on in waits {
            match ends.iter().find(|end| end.id == on) {
                Some(end) => task.dependencies.extend(end.dependencies.iter().cloned()),
                None => task.dependencies.push(on),
            }
        }
        let of_stage = ends
            .iter()
            .filter(|end| end.dependencies.contains(&task.id));
        for criterion in of_stage.flat_map(|end| &end.criteria) {
            let is_own = task
                .deliverables
                .iter()
                .any(|it| criterion.file() == Some(&it.path));
            if is_own && !task.criteria.contains(criterion) {
                task.criteria.push(criterion.clone());
            }
        }
    }
    tasks
}

fn of_review(request: &Request, facts: &Facts<'_>, stages: &[&str]) -> Result<Planned, Reason> {
    let mut workflow = built_in(REVIEW);
    workflow
        .iterations
        .retain(|it| stages.contains(&it.name.as_str()));
    let inputs = vec![("base".to_owned(), String::new())];
    let mut tasks = folded(tasks(&workflow, facts, inputs)?);
    for (task, stage) in tasks.iter_mut().zip(&workflow.iterations) {
        task.title.clone_from(&stage.goal);
        if facts.reviewers == Reviewers::Agents {
            task.work = Work::Handoff;
            task.criteria
                .retain(|criterion| *criterion != Criterion::ExitStatus);
        }
    }
    let roles: Vec<Option<String>> = tasks.iter().map(|task| role_of(task, facts)).collect();
    if tasks.len() > 1 {
        tasks.push(report(&tasks));
    }
    let covers = |part: usize| {
        let part = &request.parts[part];
        let of: Vec<usize> = (0..roles.len())
            .filter(|at| roles[*at].as_deref() == Some(part.role))
            .collect();
        match of.is_empty() || part.mentions.is_empty() {
            true => (0..roles.len()).collect(),
            false => of,
        }
    };
    Ok(planned(request, REVIEW, tasks, covers))
}

fn role_of(task: &TaskSpec, facts: &Facts<'_>) -> Option<String> {
    let role = facts
        .roles
        .of_task(task.domain.as_deref(), task.function.as_deref())?;
    Some(canonical(&role.id))
}

/// One report of all reviews.
fn report(reviews: &[TaskSpec]) -> TaskSpec {
    const OUTPUT: &str = "reviews/report.md";
    let inputs = reviews
        .iter()
        .map(|task| divisi_core::plan::Input::Task(task.id.clone()));
    let file = Criterion::File {
        path: OUTPUT.to_owned(),
        min_bytes: 1,
    };
    TaskSpec {
        title: "One report of all reviews".to_owned(),
        kind: TaskKind::Compose,
        inputs: inputs.collect(),
        work: Work::Template(Template {
            text: None,
            path: None,
            output: OUTPUT.to_owned(),
        }),
        deliverables: vec![Deliverable {
            path: OUTPUT.to_owned(),
        }],
        criteria: vec![file],
        workspace: WorkspaceKind::Worktree,
        ..TaskSpec::command(TaskId::new("report").expect("a word is an id"), &[])
    }
}

fn planned(
    request: &Request,
    name: &str,
    tasks: Vec<TaskSpec>,
    covers: impl Fn(usize) -> Vec<usize>,
) -> Planned {
    let promised = tasks.iter().flat_map(|task| &task.deliverables);
    let criteria = promised.map(|deliverable| Criterion::File {
        path: deliverable.path.clone(),
        min_bytes: 1,
    });
    Planned {
        covers: (0..request.parts.len()).map(covers).collect(),
        plan: Plan {
            title: making::title(request),
            criteria: criteria.take(CRITERIA_MAX).collect(),
            tasks,
            ..Plan::default()
        },
        pattern: Pattern::Workflow(name.to_owned()),
        advice: Vec::new(),
    }
}
