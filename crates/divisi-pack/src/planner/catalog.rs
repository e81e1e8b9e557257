//! Requests that a workflow of the built-in catalog answers: reviews, incidents, user stories.

use divisi_core::plan::{Deliverable, Template, Work};
use divisi_core::{Criterion, Plan, TaskId, TaskKind, TaskSpec, WorkspaceKind};

use super::naming::slug;
use super::{Facts, Pattern, Planned, Reason, Reviewers, making};
use crate::assess::says;
use crate::bundle;
use crate::plan_file::CRITERIA_MAX;
use crate::request::{Change, Part, Request, Shape};
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

/// The workflow that answers an incident.
const INCIDENT: &str = "incident-response";

/// The workflow that refines user stories.
const STORIES: &str = "user-story-refinement";

/// What a review of everything is called.
const REVIEWS: &[&[&str]] = &[
    &["comprehensive", "complete", "full", "in-depth", "thorough"],
    &["code review", "review of the code", "review of this change"],
];

/// How a request to review everything begins; what else is done with a code review, such as to build
/// a tool for it, is something else.
const REVIEWING: &[&str] = &[
    "a",
    "carry",
    "complete",
    "comprehensive",
    "conduct",
    "do",
    "full",
    "give",
    "in-depth",
    "make",
    "perform",
    "please",
    "review",
    "run",
    "thorough",
];

/// What is called an incident.
const INCIDENTS: &[&str] = &["incident", "outage"];

/// How a request to answer one begins.
const ANSWERING: &[&str] = &[
    "coordinate",
    "handle",
    "investigate",
    "mitigate",
    "resolve",
    "respond",
    "triage",
];

/// What answering one comes to, one of which is said.
const ANSWERS: &[&str] = &["respond", "response", "postmortem", "post-mortem"];

/// What refining is called, as the beginning of what is asked for.
const REFINING: &[&str] = &["refine", "flesh out", "detail", "elaborate"];

/// What may stand between such a verb and what it is about.
const BETWEEN: &[&str] = &[
    "a", "all", "an", "for", "last", "of", "on", "our", "raw", "response", "the", "their", "them",
    "these", "this", "to", "user",
];

/// What may follow what a verb is about, if that is all that is meant: behind `incident page` only a
/// page is.
const FOLLOWING: &[&str] = &[
    "and", "at", "by", "down", "for", "from", "in", "into", "of", "on", "that", "this", "to", "we",
    "which", "with",
];

/// A workflow of the catalog, by what a request says that means it.
enum Meant {
    /// These stages of a review.
    Review(Vec<&'static str>),
    /// The incident of this name.
    Incident(String),
    /// The user stories that there are.
    Stories,
}

/// The workflow that does just what a request asks for, if one does: the assessment says so, and the
/// planner takes it.
pub(crate) fn known(request: &Request) -> Option<&'static str> {
    Some(match meant(request)? {
        // One stage of it is one task like any other.
        Meant::Review(stages) if stages.len() < 2 => return None,
        Meant::Review(_) => REVIEW,
        Meant::Incident(_) => INCIDENT,
        Meant::Stories => STORIES,
    })
}

fn meant(request: &Request) -> Option<Meant> {
    let review = || review(request).map(Meant::Review);
    let incident = || incident(request).map(Meant::Incident);
    let stories = || is_refinement(request).then_some(Meant::Stories);
    review().or_else(incident).or_else(stories)
}

/// The plan of the workflow that answers the request; `None` if none does.
pub(super) fn plan(request: &Request, facts: &Facts<'_>) -> Option<Result<Planned, Reason>> {
    Some(match meant(request)? {
        Meant::Review(stages) => of_review(request, facts, &stages),
        Meant::Incident(id) => {
            let inputs = vec![
                ("id".to_owned(), id),
                ("summary".to_owned(), making::title(request)),
            ];
            of_workflow(request, facts, INCIDENT, inputs)
        }
        Meant::Stories => of_workflow(request, facts, STORIES, Vec::new()),
    })
}

/// Whether the request says one phrase of each list.
fn says_all(request: &Request, lists: &[&[&str]]) -> bool {
    let text = request.wanted().to_lowercase();
    let text: Vec<&str> = text.split_whitespace().collect();
    let text = text.join(" ");
    let mut lists = lists.iter();
    lists.all(|list| list.iter().any(|phrase| says(&text, phrase)))
}

/// Whether a text begins with one of these verbs, and one of these things is what it is about.
fn is_about(text: &str, verbs: &[&str], things: &[&str]) -> bool {
    let text = text.to_lowercase();
    let begins = |verb: &&&str| {
        let rest = text.strip_prefix(**verb);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let Some(verb) = verbs.iter().find(begins) else {
        return false;
    };
    let is_mark = |c: char| !c.is_alphanumeric() && c != '\'' && c != '-' && !c.is_whitespace();
    let rest = text[verb.len()..].replace(is_mark, " | ");
    let words: Vec<&str> = rest.split_whitespace().collect();
    let bare = |word: &str| word.strip_suffix("'s").unwrap_or(word).to_owned();
    let between = words.iter().take_while(|word| {
        let word = bare(word);
        BETWEEN.contains(&word.as_str()) || word == "night" || word == "yesterday"
    });
    let at = between.count();
    let is_thing = words.get(at).is_some_and(|word| things.contains(word));
    let is_response = words.get(at + 1) == Some(&"response");
    let next = words.get(at + 1 + usize::from(is_response));
    is_thing && next.is_none_or(|next| *next == "|" || FOLLOWING.contains(next))
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    let words = parts.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The stages of a review that are asked for, if nothing but a review of the whole is.
fn review(request: &Request) -> Option<Vec<&'static str>> {
    let judges = |change: Change| change == Change::Review;
    let asks_only = |part: &Part| {
        let change = part.verb.as_ref().map(|verb| verb.change);
        part.files.is_empty() && change.is_none_or(judges)
    };
    let first = words(&request.text).into_iter().next();
    let begins = first.is_some_and(|first| REVIEWING.contains(&first.as_str()));
    if begins && says_all(request, REVIEWS) && request.parts.iter().all(asks_only) {
        let wanted = PERSPECTIVES.iter();
        let wanted = wanted.filter(|(role, _)| request.excludes_role(role).is_none());
        return Some(wanted.map(|(_, stage)| *stage).collect());
    }
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
    if request.parts.len() > 1 || request.parts.iter().any(|part| !part.files.is_empty()) {
        return None;
    }
    let by_name = || named_incident(&words(&request.text));
    let is_meant = is_about(&request.text, ANSWERING, INCIDENTS)
        || is_about(&request.text, ANSWERING, &["response"]) && says_all(request, &[INCIDENTS]);
    let is_answered = is_meant && says_all(request, &[ANSWERS]);
    by_name().or_else(|| is_answered.then(|| slug(&request.wanted())))
}

/// The name that an incident has in a request to handle it.
fn named_incident(words: &[String]) -> Option<String> {
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
    (verb && is_name).then(|| next.clone())
}

fn is_refinement(request: &Request) -> bool {
    // `Take our stories and refine them`: the one only says of what the other is.
    let is_taking =
        |part: &Part| part.verb.is_none() && part.text.to_lowercase().starts_with("take ");
    let refines = |part: &Part| {
        let text = part.text.to_lowercase();
        let takes = request.parts.iter().any(is_taking);
        is_about(&part.text, REFINING, &["stories"])
            || takes && REFINING.iter().any(|verb| text.starts_with(verb))
    };
    let mut own =
        { request.parts.iter() }.filter(|part| part.shape != Shape::Attachment && !is_taking(part));
    let first = own.next();
    let is_only = own.next().is_none();
    is_only && first.is_some_and(refines) && says_all(request, &[&["stories"]])
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
            hand_over(task, request);
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

/// Has somebody read and judge in the place of programs: what they report is held against the files.
fn hand_over(task: &mut TaskSpec, request: &Request) {
    task.work = Work::Handoff;
    task.criteria
        .retain(|criterion| *criterion != Criterion::ExitStatus);
    let paths: Vec<String> = task.deliverables.iter().map(|it| it.path.clone()).collect();
    let cites = paths
        .iter()
        .map(|path| Criterion::Cites { path: path.clone() });
    task.criteria.extend(cites);
    task.description = format!(
        "{}. The whole request, of which the rest is other tasks':\n{}\n\n{}",
        task.title,
        request.quoted(),
        HOW_TO_REPORT.replace("REPORT", &paths.join("`, `"))
    );
    // Whoever reviews changes nothing of what it reviews.
    task.criteria.push(Criterion::Scope { patterns: paths });
}

/// What a report is to look like of which a program can tell whether what it cites is there.
const HOW_TO_REPORT: &str = "Read, and change nothing but `REPORT`, which has these sections:

- `Findings`: a list, the worst first. Each item begins with the place that shows it, as code, and \
says what is wrong there and what comes of it. An item beneath it quotes what stands there:

      - `src/limit.rs:12`: the tenth request is refused, though ten are allowed, so …
        - there: `if count >= LIMIT {`

  Where you found nothing, say so.
- `Reviewed`: what you read, with places in the same form that show it.
- `Not reviewed`: what you did not read, and what reading cannot tell.

The report cites one place at least. Each is looked up: one that is not there, or where something else \
stands than you say, refuses the whole report.
";

/// What a review leaves out of which somebody might believe that it was done; nothing of a plan that
/// is none.
pub(super) fn not_reviewed(plan: &Plan, by: Reviewers) -> Vec<String> {
    let of_stage = |stage: &str| {
        let mut tasks = plan.tasks.iter();
        tasks.any(|task| task.id.as_str().starts_with(stage))
    };
    let others = PERSPECTIVES.iter().filter(|(_, stage)| !of_stage(stage));
    let others: Vec<&str> = others
        .filter_map(|(_, stage)| stage.strip_suffix("-review"))
        .collect();
    let mut told = vec![
        match by {
            Reviewers::Agents => {
                "agents review: that what their reports cite stands there was checked, not whether \
                 it is a fault, nor whether there are others"
            }
            Reviewers::Programs => {
                "no coding agent is there, so programs review: what only reading and judgment find \
                 was not reviewed"
            }
        }
        .to_owned(),
        "what each of them did not look at stands in its report, under \"Not reviewed\"".to_owned(),
    ];
    if !others.is_empty() {
        told.push(format!(
            "not asked for, so not reviewed: {}",
            others.join(", ")
        ));
    }
    told
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
