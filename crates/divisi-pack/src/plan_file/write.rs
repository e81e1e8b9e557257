//! Writes a plan in its file form: what follows from the rest is left out.

use std::collections::HashSet;

use divisi_core::plan::{
    Candidate, Candidates, Estimate, Input, Preference, Priority, TaskSpec, Want, Work,
};
use divisi_core::preparation::{Preparation, Setup};
use divisi_core::{Criterion, Format, Holds, Plan, TaskId, TaskKind, WorkspaceKind};

use super::compile::Promise;
use super::form::{
    BudgetForm, CandidateForm, CandidatesForm, CriterionForm, DeliverableForm, EachForm,
    FormatForm, InputForm, KindForm, MinutesForm, NumberForm, PlanForm, PreferenceForm,
    PreparationForm, PriorityForm, SetupForm, SubtaskForm, TemplateForm, WantForm, WordsForm,
    WorkspaceForm,
};
use super::{CHECK_TIMEOUT_MS, top};

/// The plan as the text of a plan file, with a line break at its end.
///
/// Reading it gives the same plan, for every plan that was read from a file. Of other plans, what
/// files cannot say is lost: the rules by which a task of kind `Plan` expands, and the names of
/// stages whose numbers contradict their order.
#[must_use]
pub fn write(plan: &Plan) -> String {
    text_of(&form(plan))
}

pub(super) fn text_of(form: &PlanForm) -> String {
    let mut text = serde_json::to_string_pretty(form).expect(KEYS_ARE_TEXT);
    text.push('\n');
    text
}

const KEYS_ARE_TEXT: &str = "the form has only string keys";

/// The same within another text.
pub(crate) fn to_value(plan: &Plan) -> serde_json::Value {
    serde_json::to_value(form(plan)).expect(KEYS_ARE_TEXT)
}

pub(super) fn form(plan: &Plan) -> PlanForm {
    let names: HashSet<&str> = plan.tasks.iter().map(|task| task.id.as_str()).collect();
    PlanForm {
        task_title: plan.title.clone(),
        subtasks: plan
            .tasks
            .iter()
            .map(|task| subtask(task, &names))
            .collect(),
        execution_plan: stages(plan),
        criteria: some_list(plan.criteria.iter().filter_map(criterion)),
        workspace: preparation(&plan.preparation),
        ..PlanForm::default()
    }
}

fn preparation(preparation: &Preparation) -> Option<PreparationForm> {
    let setup = |setup: &Setup| match setup {
        Setup::Command(argv) => SetupForm::Command(argv.clone()),
        Setup::Script(script) => SetupForm::Script(script.clone()),
    };
    (*preparation != Preparation::default()).then(|| PreparationForm {
        copy: some_list(preparation.copy.iter().cloned()),
        setup: some_list(preparation.setup.iter().map(setup)),
        inputs: preparation.inputs.clone(),
        timeout_minutes: preparation.timeout_ms.map(minutes_of),
    })
}

fn some_list<T>(list: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let list: Vec<T> = list.collect();
    (!list.is_empty()).then_some(list)
}

fn ids(ids: &[TaskId]) -> impl Iterator<Item = String> {
    ids.iter().map(TaskId::to_string)
}

fn stages(plan: &Plan) -> Vec<(String, Vec<String>)> {
    let numbers: Vec<Option<u32>> = plan.stages.iter().map(|s| top::number(&s.name)).collect();
    let rising = numbers.windows(2).all(|pair| pair[0] < pair[1]);
    let names: HashSet<&str> = plan.stages.iter().map(|stage| &*stage.name).collect();
    let keeps_order = match numbers.iter().all(Option::is_none) {
        true => names.len() == plan.stages.len(),
        false => numbers.iter().all(Option::is_some) && rising,
    };
    let named = plan.stages.iter().enumerate().map(|(at, stage)| {
        let name = match keeps_order {
            true => stage.name.clone(),
            false => format!("stage_{}", at + 1),
        };
        (name, ids(&stage.tasks).collect())
    });
    named.collect()
}

fn subtask(task: &TaskSpec, names: &HashSet<&str>) -> SubtaskForm {
    let stated = Stated::of(task);
    let (minutes, seconds) = duration(&task.estimate);
    SubtaskForm {
        subtask_id: task.id.to_string(),
        title: (task.title != task.id.as_str()).then(|| task.title.clone()),
        description: (!task.description.is_empty()).then(|| task.description.clone()),
        kind: (task.kind != TaskKind::Work).then(|| kind(task.kind)),
        assigned_to: task.domain.clone(),
        worker_type: task.function.clone(),
        agent: task.agent.clone(),
        agents_else: some_list(task.agents_else.iter().cloned()),
        candidates: task.candidates.as_ref().map(candidates),
        prefer: { task.candidates.as_ref() }
            .and_then(|it| it.prefer.as_ref())
            .map(preference),
        command: match &task.work {
            Work::Command(argv) => Some(argv.clone()),
            _ => None,
        },
        script: match &task.work {
            Work::Script(script) => Some(script.clone()),
            _ => None,
        },
        template: match &task.work {
            Work::Template(template) => Some(TemplateForm {
                text: template.text.clone(),
                path: template.path.clone(),
                output: template.output.clone(),
            }),
            _ => None,
        },
        dependencies: some_list(ids(&task.dependencies)),
        inputs: some_list(task.inputs.iter().map(|i| input(i, task.kind, names))),
        deliverables: some_list(
            task.deliverables
                .iter()
                .map(|deliverable| DeliverableForm::Text(deliverable.path.clone())),
        ),
        files_affected: some_list(task.scope.iter().cloned()),
        success_criteria: match &stated.words[..] {
            [] => None,
            [one] => Some(WordsForm::One(one.clone())),
            several => Some(WordsForm::Several(several.to_vec())),
        },
        criteria: some_list(stated.listed.iter().filter_map(criterion)),
        workspace: workspace(task, &stated),
        env: (!task.env.is_empty()).then(|| task.env.clone()),
        timeout_minutes: task.timeout_ms.map(minutes_of),
        retries: task.retries,
        ok_exit: stated.ok_exit_given.then(|| task.ok_exit.clone()),
        priority: (task.priority != Priority::Medium).then(|| priority(task.priority)),
        estimated_duration_minutes: minutes,
        estimated_seconds: seconds,
        estimated_tokens: task.estimate.tokens,
        budget: BudgetForm::of(&task.budget),
        ..SubtaskForm::default()
    }
}

/// What must be written about criteria so that reading compiles the same ones.
pub(crate) struct Stated {
    pub(crate) listed: Vec<Criterion>,
    pub(crate) words: Vec<String>,
    pub(crate) ok_exit_given: bool,
}

impl Stated {
    /// The shortest form that compiles to the task's criteria; else all of them, as listed.
    pub(crate) fn of(task: &TaskSpec) -> Stated {
        let exit_given = task.ok_exit != [0];
        let forms = [
            Stated::short(task, exit_given),
            Stated::long(task, exit_given),
            Stated::short(task, true),
            Stated::long(task, true),
        ];
        let same = |form: &Stated| form.compile(task) == task.criteria;
        let found = forms.into_iter().find(same);
        found.unwrap_or_else(|| Stated::long(task, task.criteria.contains(&Criterion::ExitStatus)))
    }

    fn short(task: &TaskSpec, ok_exit_given: bool) -> Stated {
        let promised: HashSet<&str> = task.deliverables.iter().map(|d| &*d.path).collect();
        let follows = |criterion: &Criterion| match criterion {
            Criterion::ExitStatus | Criterion::Plain { .. } => true,
            Criterion::File { path, min_bytes } => *min_bytes == 1 && promised.contains(&**path),
            _ => false,
        };
        let words = task
            .criteria
            .iter()
            .filter_map(|criterion| match criterion {
                Criterion::Plain { text } => Some(text.clone()),
                _ => None,
            });
        Stated {
            listed: task
                .criteria
                .iter()
                .filter(|c| !follows(c))
                .cloned()
                .collect(),
            words: words.collect(),
            ok_exit_given,
        }
    }

    fn long(task: &TaskSpec, ok_exit_given: bool) -> Stated {
        let listed = task
            .criteria
            .iter()
            .filter(|c| **c != Criterion::ExitStatus);
        Stated {
            listed: listed.cloned().collect(),
            words: Vec::new(),
            ok_exit_given,
        }
    }

    fn promise<'t>(&self, task: &'t TaskSpec) -> Promise<'t> {
        Promise {
            kind: task.kind,
            work: &task.work,
            deliverables: &task.deliverables,
            ok_exit_given: self.ok_exit_given,
        }
    }

    /// Where the task works, if that does not follow from the rest.
    pub(crate) fn workspace(&self, task: &TaskSpec) -> Option<WorkspaceKind> {
        let follows = self.promise(task).workspace(&task.criteria);
        (task.workspace != follows).then_some(task.workspace)
    }

    fn compile(&self, task: &TaskSpec) -> Vec<Criterion> {
        let plain = |text: &String| Criterion::Plain { text: text.clone() };
        let plain: Vec<Criterion> = self.words.iter().map(plain).collect();
        self.promise(task).criteria(&self.listed, &plain)
    }
}

fn workspace(task: &TaskSpec, stated: &Stated) -> Option<WorkspaceForm> {
    let form = match stated.workspace(task)? {
        WorkspaceKind::Worktree => WorkspaceForm::Worktree,
        WorkspaceKind::Shared => WorkspaceForm::Shared,
        WorkspaceKind::Scratch => WorkspaceForm::Scratch,
    };
    Some(form)
}

fn candidates(candidates: &Candidates) -> CandidatesForm {
    let own = |it: &Candidate| it.agent.is_none();
    match candidates.of.iter().all(own) {
        true => CandidatesForm::Number(candidates.of.len() as u64),
        false => {
            let one = |it: &Candidate| CandidateForm {
                agent: it.agent.clone(),
            };
            CandidatesForm::List(candidates.of.iter().map(one).collect())
        }
    }
}

fn preference(prefer: &Preference) -> PreferenceForm {
    PreferenceForm {
        command: prefer.argv.clone(),
        want: match prefer.want {
            Want::Lowest => WantForm::Lowest,
            Want::Highest => WantForm::Highest,
        },
        timeout_minutes: (prefer.timeout_ms != CHECK_TIMEOUT_MS)
            .then(|| minutes_of(prefer.timeout_ms)),
    }
}

fn input(input: &Input, kind: TaskKind, names: &HashSet<&str>) -> InputForm {
    let external = kind == TaskKind::External;
    match input {
        Input::Task(id) if external => InputForm::Task {
            task: id.to_string(),
        },
        Input::Task(id) => InputForm::Text(id.to_string()),
        Input::Path(path) if !external && names.contains(&**path) => {
            InputForm::Path { path: path.clone() }
        }
        Input::Path(path) => InputForm::Text(path.clone()),
    }
}

fn kind(kind: TaskKind) -> KindForm {
    match kind {
        TaskKind::Work => KindForm::Work,
        TaskKind::Plan => KindForm::Plan,
        TaskKind::Research => KindForm::Research,
        TaskKind::Compose => KindForm::Compose,
        TaskKind::Review => KindForm::Review,
        TaskKind::External => KindForm::External,
        TaskKind::Approval => KindForm::Approval,
    }
}

fn priority(priority: Priority) -> PriorityForm {
    match priority {
        Priority::Low => PriorityForm::Low,
        Priority::Medium => PriorityForm::Medium,
        Priority::High => PriorityForm::High,
        Priority::Critical => PriorityForm::Critical,
    }
}

fn minutes_of(ms: u64) -> NumberForm {
    NumberForm(ms as f64 / 60_000.0)
}

/// A range and whole minutes as minutes, anything else in seconds, which people read more easily.
fn duration(estimate: &Estimate) -> (Option<MinutesForm>, Option<NumberForm>) {
    let number = |ms: u64| ms as f64 / 60_000.0;
    match (estimate.duration_ms, estimate.duration_max_ms) {
        (None, _) => (None, None),
        (Some(low), Some(high)) => {
            let range = format!("{}-{}", number(low), number(high));
            (Some(MinutesForm::Range(range)), None)
        }
        (Some(ms), None) if ms % 60_000 == 0 => (Some(MinutesForm::Number(minutes_of(ms))), None),
        (Some(ms), None) => (None, Some(NumberForm(ms as f64 / 1_000.0))),
    }
}

/// A criterion as JSON in one line; `None` for the exit status, which `ok_exit` says.
pub(crate) fn criterion_json(one: &Criterion) -> Option<String> {
    let form = criterion(one)?;
    Some(serde_json::to_string(&form).expect(KEYS_ARE_TEXT))
}

/// The same within another text.
pub(crate) fn criterion_value(one: &Criterion) -> Option<serde_json::Value> {
    let form = criterion(one)?;
    Some(serde_json::to_value(form).expect(KEYS_ARE_TEXT))
}

/// A criterion's form; `None` for the exit status, which `ok_exit` says.
fn criterion(criterion: &Criterion) -> Option<CriterionForm> {
    let form = match criterion.clone() {
        Criterion::ExitStatus => return None,
        Criterion::File { path, min_bytes } => CriterionForm::File {
            file: path,
            min_bytes: (min_bytes != 1).then_some(min_bytes),
        },
        Criterion::Contains { text, path } => CriterionForm::Contains {
            contains: text,
            r#in: path,
        },
        Criterion::Lacks { text, path } => CriterionForm::Lacks {
            lacks: text,
            r#in: path,
        },
        Criterion::Matches { pattern, path } => CriterionForm::Matches {
            matches: pattern,
            r#in: path,
        },
        Criterion::Section { heading, path } => CriterionForm::Section {
            section: heading,
            r#in: path,
        },
        Criterion::Format { format, path } => CriterionForm::Format {
            format: format_form(format),
            r#in: path,
        },
        Criterion::Schema { schema, path } => CriterionForm::Schema { schema, r#in: path },
        Criterion::Command { argv, timeout_ms } => CriterionForm::Command {
            command: argv,
            timeout_minutes: (timeout_ms != CHECK_TIMEOUT_MS).then(|| minutes_of(timeout_ms)),
        },
        Criterion::Scope { patterns } => CriterionForm::Scope { scope: patterns },
        Criterion::Changed { pattern } => CriterionForm::Changed { changed: pattern },
        Criterion::Count { pattern, min, max } => CriterionForm::Count {
            count: pattern,
            min: (min != 0 || max.is_none()).then_some(min),
            max,
        },
        Criterion::Each { pattern, holds } => CriterionForm::Each(each(pattern, holds)),
        Criterion::Cites { path } => CriterionForm::Cites { cites: path },
        Criterion::Plain { text } => CriterionForm::Plain(text),
    };
    Some(form)
}

fn each(pattern: String, holds: Holds) -> EachForm {
    let mut form = EachForm {
        each: pattern,
        ..EachForm::default()
    };
    match holds {
        Holds::Size { min_bytes } => form.min_bytes = Some(min_bytes),
        Holds::Contains { text } => form.contains = Some(text),
        Holds::Lacks { text } => form.lacks = Some(text),
        Holds::Section { heading } => form.section = Some(heading),
        Holds::Format { format } => form.format = Some(format_form(format)),
    }
    form
}

fn format_form(format: Format) -> FormatForm {
    match format {
        Format::Json => FormatForm::Json,
        Format::Yaml => FormatForm::Yaml,
        Format::Toml => FormatForm::Toml,
        Format::Markdown => FormatForm::Markdown,
    }
}
