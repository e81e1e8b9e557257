//! What an attempt is told, taken from the run's state.

use divisi_agents::handoff::{Context, Given, Unmet, created_at, handoff_id};
use divisi_agents::{Answer, Feedback, Handoff};
use divisi_core::permission::Permission;
use divisi_core::plan::{Input, Work};
use divisi_core::receipt::{Artifact, Receipt};
use divisi_core::run::{
    AttemptEnd, Ending, Failure, Run, StopReason, Subject, Task, TaskState, TaskStatus, Unheld,
    VERDICT_FILE,
};
use divisi_core::{TaskId, TaskKind, TaskNo, TaskSpec, Time};
use divisi_pack::planner::by_agent;
use divisi_pack::verdict_file;

use crate::compose;

/// Neighbors named in a handoff; a stage of thousands tells an agent nothing.
const NEIGHBORS_MAX: usize = 20;

/// The handoff of a task's live attempt, without what files say.
pub(crate) fn of(run: &Run, no: TaskNo, at: Time) -> Handoff {
    let task = &run.tasks()[no.index()];
    let spec = &task.spec;
    let is_told =
        !matches!(spec.work, Work::Command(_) | Work::Nothing) || !spec.description.is_empty();
    let to = spec
        .domain
        .clone()
        .unwrap_or_else(|| task.agent(&run.settings).to_owned());
    let mut handoff = Handoff {
        handoff_id: handoff_id(&to, &spec.id),
        from: "orchestrator".to_owned(),
        to,
        subtask_id: spec.id.clone(),
        parent_orchestration: run.id.to_string(),
        priority: spec.priority,
        context: if is_told {
            context(run, no)
        } else {
            Context::default()
        },
        created_at: created_at(at),
        title: spec.title.clone(),
        description: description(run, no),
        role: if is_told {
            role(run, task)
        } else {
            String::new()
        },
        stage_context: task.stage_context.as_deref().unwrap_or_default().to_owned(),
        inputs: inputs(run, no),
        takes: Vec::new(),
        guides: Vec::new(),
        skills: Vec::new(),
        deliverables: spec
            .deliverables
            .iter()
            .map(|deliverable| deliverable.path.clone())
            .collect(),
        criteria: spec.criteria.clone(),
        scope: spec.scope.clone(),
        attempt: task.attempts(),
        feedback: feedback(task),
        already: Vec::new(),
        answers: answers(task),
        left_out: Vec::new(),
    };
    handoff.take_files(takes(spec));
    handoff
}

/// What is to be done; of a task that plans in the place of another, also how, and of a review, how a
/// verdict is written.
fn description(run: &Run, no: TaskNo) -> String {
    let task = &run.tasks()[no.index()];
    let told = &task.spec.description;
    if task.reviews.is_some() {
        return format!(
            "{told}\nThe JSON Schema of {VERDICT_FILE}:\n\n{}\n",
            verdict_file::schema()
        );
    }
    match run.outgrew(no) {
        None => told.clone(),
        Some(_) => format!(
            "{told}\n{}",
            by_agent::how_to_plan_parts(&run.settings.sizes)
        ),
    }
}

/// What the task's role tells. A task that was planned by rules has it in its prompt.
fn role(run: &Run, task: &Task) -> String {
    let told = task.spec.role().and_then(|role| run.roles.get(&role));
    told.cloned().unwrap_or_default()
}

fn context(run: &Run, no: TaskNo) -> Context {
    let id = |no: TaskNo| run.tasks()[no.index()].spec.id.to_string();
    // A candidate is told what its task would be, and nothing of those that it is compared with. Nor
    // does anybody else depend on one: what was taken of it is its task's.
    let whole = run.candidate_of(no).unwrap_or(no);
    let is_other = |on: &TaskNo| run.candidate_of(*on) != Some(whole);
    let is_none = |on: &TaskNo| run.candidate_of(*on).is_none();
    let next = run.dependents(whole).into_iter().take(NEIGHBORS_MAX);
    let beside = run.live().filter(|(other, task)| {
        let works = matches!(task.status(), TaskStatus::Running | TaskStatus::Verifying);
        *other != no && works && is_other(other)
    });
    Context {
        orchestration_context: run.title.clone(),
        dependencies_completed: run
            .dependencies(no)
            .into_iter()
            .filter(is_none)
            .take(NEIGHBORS_MAX)
            .map(id)
            .collect(),
        next_subtasks: next
            .map(|no| format!("{} (waits for this)", id(no)))
            .collect(),
        related_subtasks: beside
            .take(NEIGHBORS_MAX)
            .map(|(_, task)| format!("{} (parallel)", task.spec.id))
            .collect(),
    }
}

/// What a review judges: the files that were promised, as far as they are there.
fn under_review(run: &Run, no: TaskNo) -> Option<Given> {
    let subject = run.tasks()[no.index()].reviews.as_ref()?;
    let (task, artifacts) = match subject {
        Subject::Attempt(attempt) => {
            let of = run.task(attempt.task)?;
            (of.spec.id.clone(), collected(&of.live()?.receipts))
        }
        Subject::Whole(_) => (TaskId::new("whole").ok()?, Vec::new()),
    };
    Some(Given {
        task,
        artifacts,
        contents: Vec::new(),
    })
}

/// What the tasks named as inputs made, also those of a task whose part this one is, and what research
/// found out that the task depends on: informing those is what it was done for. What is put together is
/// made of all that it depends on.
fn inputs(run: &Run, no: TaskNo) -> Vec<Given> {
    let is_split = |no: &TaskNo| {
        run.tasks()[no.index()].spec.kind != TaskKind::Plan || run.outgrew(*no).is_some()
    };
    let wholes = run.replaced(no).take_while(is_split);
    let specs = std::iter::once(no).chain(wholes);
    let specs = specs.map(|no| &run.tasks()[no.index()].spec);
    let named = specs.flat_map(|spec| &spec.inputs);
    let named = named.filter_map(|input| match input {
        Input::Task(id) => run.find(id),
        Input::Path(_) => None,
    });
    let mut all: Vec<TaskNo> = named.collect();
    let composes = run.tasks()[no.index()].spec.kind == TaskKind::Compose;
    for on in run.dependencies(no) {
        let informs = composes || run.tasks()[on.index()].spec.kind == TaskKind::Research;
        if informs && !all.contains(&on) {
            all.push(on);
        }
    }
    let given = |no: TaskNo| {
        let task = &run.tasks()[no.index()];
        let artifacts = made(run, task);
        (!artifacts.is_empty()).then(|| Given {
            task: task.spec.id.clone(),
            artifacts,
            contents: Vec::new(),
        })
    };
    let reviewed = under_review(run, no).into_iter();
    reviewed.chain(all.into_iter().filter_map(given)).collect()
}

/// The files of the tree that a task takes; those from outside are fetched for it.
fn takes(spec: &TaskSpec) -> Vec<String> {
    let path = |input: &Input| match input {
        Input::Path(path) if spec.kind != TaskKind::External => Some(path.clone()),
        _ => None,
    };
    spec.inputs.iter().filter_map(path).collect()
}

/// What a task made, or what those made that stand in its place.
fn made(run: &Run, task: &Task) -> Vec<Artifact> {
    match &task.state {
        TaskState::Split(parts) => parts
            .iter()
            .flat_map(|part| made(run, &run.tasks()[part.index()]))
            .collect(),
        _ => artifacts(task),
    }
}

/// The artifacts of a task's integrated attempt.
fn artifacts(task: &Task) -> Vec<Artifact> {
    let integrated = task
        .endings
        .iter()
        .rev()
        .find(|ending| ending.end == AttemptEnd::Integrated);
    integrated.map_or_else(Vec::new, |ending| collected(&ending.receipts))
}

/// The promised files that an attempt with these receipts made.
fn collected(receipts: &[Receipt]) -> Vec<Artifact> {
    let mut artifacts = receipts.iter().filter_map(|receipt| match receipt {
        Receipt::Collected { artifacts, .. } => Some(artifacts.clone()),
        _ => None,
    });
    artifacts.next_back().unwrap_or_default()
}

/// Refusals of earlier attempts since a person last intervened, and what a person said then.
fn feedback(task: &Task) -> Vec<Feedback> {
    let told = |ending: &Ending| {
        let told = |unmet: Vec<Unmet>| Some(told_of(ending, unmet));
        match &ending.end {
            AttemptEnd::Refused(Failure::Checks(verdicts) | Failure::Integration(verdicts)) => {
                told(Unmet::of(&task.spec.criteria, verdicts))
            }
            AttemptEnd::Refused(Failure::Plan(faults)) => {
                let unmet = |fault: &String| sound("the plan can be run", fault);
                told(faults.iter().map(unmet).collect())
            }
            AttemptEnd::Refused(Failure::Review(faults)) => {
                let unmet = |fault: &String| sound("each verdict is shown by what it cites", fault);
                told(faults.iter().map(unmet).collect())
            }
            // Nobody of whom it could be said that they did better next time.
            AttemptEnd::Errored(Failure::Preparation(_)) => None,
            AttemptEnd::Refused(_)
            | AttemptEnd::UsedUp(_)
            | AttemptEnd::Errored(_)
            | AttemptEnd::Lost(_)
            | AttemptEnd::Stopped(
                StopReason::Stalled(_) | StopReason::Overdue | StopReason::OverBudget(_),
            ) => told(Vec::new()),
            AttemptEnd::Integrated
            | AttemptEnd::Expanded
            | AttemptEnd::Reviewed
            | AttemptEnd::Measured
            | AttemptEnd::Stopped(StopReason::Canceled | StopReason::Interrupted)
            | AttemptEnd::Asked(_)
            | AttemptEnd::Limited { .. } => None,
        }
    };
    let all = task.endings.iter().filter_map(told).collect();
    in_turn(all, on_the_whole(task))
}

/// What did not hold on the whole, among the refusals of attempts before and after it: the last entry
/// is the newest, which is kept where a handoff must be cut.
fn in_turn(mut all: Vec<Feedback>, on_the_whole: Option<Feedback>) -> Vec<Feedback> {
    if let Some(told) = on_the_whole {
        let after = all.iter().position(|it| it.attempt > told.attempt);
        all.insert(after.unwrap_or(all.len()), told);
    }
    all
}

/// Why integrated work is done again: what did not hold on the whole.
fn on_the_whole(task: &Task) -> Option<Feedback> {
    let mut ended = task.endings.iter().rev();
    let integrated = ended.find(|it| it.end == AttemptEnd::Integrated)?;
    let unmet = |it: &Unheld| sound(&it.criterion, &it.evidence);
    (!task.unheld.is_empty()).then(|| Feedback {
        reason: "it was integrated, and on the whole checks refused it".to_owned(),
        ..told_of(integrated, task.unheld.iter().map(unmet).collect())
    })
}

/// What no criterion of a plan task, or of a review, says, since it holds for all of them.
fn sound(what: &str, fault: &str) -> Unmet {
    Unmet {
        criterion: what.to_owned(),
        evidence: fault.to_owned(),
    }
}

/// So much of what an attempt was denied is told to the next one; its kind is clear by then.
const DENIED_TOLD_MAX: usize = 10;

fn told_of(ending: &Ending, unmet: Vec<Unmet>) -> Feedback {
    let exit = ending.receipts.iter().find_map(|receipt| match receipt {
        Receipt::Submitted { exit, .. } => Some(exit.clone()),
        _ => None,
    });
    let mut claims = ending.receipts.iter().filter_map(Receipt::claimed_failure);
    let denied = ending.permissions.iter().filter_map(Permission::denial);
    Feedback {
        attempt: ending.number,
        reason: ending.end_words(),
        exit,
        claimed_failure: claims.next().map(str::to_owned),
        denied: denied.take(DENIED_TOLD_MAX).collect(),
        unmet,
        advice: ending.advice.clone(),
    }
}

/// Answers with their questions; what a person said unasked goes with an empty question.
fn answers(task: &Task) -> Vec<Answer> {
    task.answers
        .iter()
        .map(|told| Answer {
            question: told.question.clone().unwrap_or_default(),
            answer: told.text.clone(),
        })
        .collect()
}

/// Inputs of a composition with the paths of their artifacts; contents are read later.
pub(crate) fn compose_inputs(run: &Run, no: TaskNo) -> Vec<compose::Input> {
    let named = run.tasks()[no.index()].spec.inputs.iter();
    let of = |input: &Input| match input {
        Input::Path(path) => Some(compose::Input {
            id: path.clone(),
            title: path.clone(),
            status: "done".to_owned(),
            artifacts: vec![compose::Artifact {
                path: path.clone(),
                ..compose::Artifact::default()
            }],
            verdicts: Vec::new(),
        }),
        Input::Task(id) => {
            let task = &run.tasks()[run.find(id)?.index()];
            let artifact = |made: Artifact| compose::Artifact {
                path: made.path,
                ..compose::Artifact::default()
            };
            Some(compose::Input {
                id: id.to_string(),
                title: task.spec.title.clone(),
                status: task.status().word().to_owned(),
                artifacts: made(run, task).into_iter().map(artifact).collect(),
                verdicts: compose::Verdict::of(&task.spec.criteria, &verdicts(task)),
            })
        }
    };
    named.filter_map(of).collect()
}

fn verdicts(task: &Task) -> Vec<divisi_core::Verdict> {
    let receipts = task
        .endings
        .last()
        .into_iter()
        .flat_map(|ending| &ending.receipts);
    receipts
        .filter_map(|receipt| match receipt {
            Receipt::Verified { verdicts, .. } => Some(verdicts.clone()),
            _ => None,
        })
        .next_back()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_on_the_whole_comes_before_the_refusals_after_it() {
        let of = |attempt| Feedback {
            attempt,
            reason: String::new(),
            exit: None,
            claimed_failure: None,
            denied: Vec::new(),
            unmet: Vec::new(),
            advice: Vec::new(),
        };
        let turn = |refused: &[u32], whole: Option<u32>| {
            let all = refused.iter().copied().map(of).collect();
            let all = in_turn(all, whole.map(of));
            all.iter().map(|it| it.attempt).collect::<Vec<_>>()
        };
        assert_eq!(turn(&[1, 3, 4], Some(2)), [1, 2, 3, 4]);
        assert_eq!(turn(&[2], Some(1)), [1, 2]);
        assert_eq!(turn(&[1], Some(2)), [1, 2]);
        assert_eq!(turn(&[], Some(1)), [1]);
        assert_eq!(turn(&[1, 2], None), [1, 2]);
    }
}
