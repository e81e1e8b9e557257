//! How a task that keeps failing is divided, by rule (T7).
//!
//! What can be checked is what can be divided: files that deliverables and criteria name, or else the
//! criteria themselves, are halved in the plan's order. All of it follows from the run, so that the
//! same journal gives the same parts. What cannot be halved is left to a person, with the reason.

use std::collections::BTreeSet;

use super::agents::holds_slot;
use super::attempt::{AttemptEnd, Ending, Failure};
use super::command::Rejection;
use super::decide::Draft;
use super::remedy::evidence_line;
use super::settings::Budget;
use super::spending;
use super::state::Run;
use super::task::Task;
use crate::criterion::{Criterion, Outcome, Verdict, truncate};
use crate::ids::{TaskId, TaskNo};
use crate::ledger::{Amount, Bound};
use crate::plan::{Deliverable, Estimate, Input, Parts, TaskKind, TaskSpec, Work};

/// Into so many parts a task is divided. Splits nest, so that its work becomes four pieces at most.
const HALVES: usize = 2;

/// The words of why a task failed, in bytes, as its parts are told them.
pub(super) const SPLIT_WHY_BYTES_MAX: usize = 1_000;

/// So much of what was seen the last time is told of a part: lines, and bytes of each.
const SEEN_MAX: usize = 10;
const SEEN_BYTES_MAX: usize = 400;

/// Why a task is not divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Undivided {
    /// It is none that could be: no agent does in words what it says.
    NoWork,
    /// It could be, but for this.
    Because(String),
}

/// What one part has of a task.
#[derive(Default)]
struct Half {
    /// What it is about, for people and agents.
    about: Vec<String>,
    deliverables: Vec<Deliverable>,
    criteria: Vec<Criterion>,
}

struct Halves {
    of: [Half; HALVES],
    /// Whether each waits for the one before.
    in_turn: bool,
}

impl Halves {
    /// The half that is to make a change: the one with a file of which the pattern may be, otherwise
    /// the first, which goes on with what was made of the whole.
    fn changing(&self, criterion: &Criterion) -> usize {
        let Criterion::Changed { pattern } = criterion else {
            return 0;
        };
        let open = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
        let is_of = |file: &str| match open == pattern.len() {
            true => file == pattern,
            false => file.starts_with(&pattern[..open]),
        };
        let has = |half: &Half| {
            let promised = half.deliverables.iter().map(|it| it.path.as_str());
            let mut files = promised.chain(half.criteria.iter().filter_map(Criterion::file));
            files.any(is_of)
        };
        self.of.iter().position(has).unwrap_or(0)
    }
}

/// Why a task failed the last time.
pub(super) struct Failed<'a> {
    /// In words, after its name.
    pub(super) why: &'a str,
    /// What the checks said of it then, if they were asked.
    pub(super) verdicts: &'a [Verdict],
}

impl Failed<'_> {
    /// What was seen of those of a task's criteria that are among some, a line each.
    fn seen(&self, spec: &TaskSpec, among: &[Criterion]) -> Vec<String> {
        let failed = { self.verdicts.iter() }.filter(|it| it.outcome == Outcome::Fail);
        let line = |verdict: &Verdict| {
            let criterion = spec.criteria.get(usize::from(verdict.criterion))?;
            let mut evidence = evidence_line(&verdict.evidence);
            truncate(&mut evidence, SEEN_BYTES_MAX);
            let is_among = among.contains(criterion) && !evidence.is_empty();
            is_among.then(|| format!("{criterion}: {evidence}"))
        };
        failed.filter_map(line).take(SEEN_MAX).collect()
    }
}

impl Draft<'_> {
    /// Its owner wants a task divided as if it kept failing.
    pub(super) fn divide(&mut self, no: TaskNo, reason: String) -> Result<(), Rejection> {
        let task = self.splittable(no)?;
        let last = task.endings.last();
        let why = match (reason.as_str(), last) {
            ("", Some(last)) => format!("the last time {}", last.words()),
            ("", None) => "its owner split it before it was begun".to_owned(),
            (reason, _) => format!("its owner split it: {reason}"),
        };
        let verdicts = match last.map(|last| &last.end) {
            Some(AttemptEnd::Refused(Failure::Checks(verdicts))) => &verdicts[..],
            _ => &[],
        };
        let failed = Failed {
            why: &why,
            verdicts,
        };
        let used = spending::used(&self.run.settings, task);
        match divide(self.run, no, used, &failed) {
            Ok(parts) => {
                self.take_place(no, parts, reason, None, Vec::new());
                Ok(())
            }
            Err(undivided) => Err(Rejection::Undivided {
                task: task.spec.id.clone(),
                cause: match undivided {
                    Undivided::NoWork => {
                        "only what an agent does in words is divided by rule".to_owned()
                    }
                    Undivided::Because(cause) => cause,
                },
            }),
        }
    }
}

/// The same of one that nobody wants divided but policy: what is small is done whole.
pub(super) fn divide_large(
    run: &Run,
    no: TaskNo,
    used: Amount,
    failed: &Failed<'_>,
) -> Result<Parts, Undivided> {
    let task = &run.tasks()[no.index()];
    let parts = divide(run, no, used, failed)?;
    match below_floor(run, [&*task.spec]).filter(|_| !has_taken_long(run, task)) {
        Some(small) => Err(Undivided::Because(format!("it is {small}"))),
        None => Ok(parts),
    }
}

/// The parts of a task whose attempts used so much.
pub(super) fn divide(
    run: &Run,
    no: TaskNo,
    used: Amount,
    failed: &Failed<'_>,
) -> Result<Parts, Undivided> {
    let task = &run.tasks()[no.index()];
    if !is_work(run, task) {
        return Err(Undivided::NoWork);
    }
    let because = |cause: String| Err(Undivided::Because(cause));
    let depth_max = run.settings.sizes.split_depth_max;
    if task.depth >= depth_max {
        return because(format!("it stands {depth_max} splits deep already"));
    }
    let Some(halves) = halves(&task.spec) else {
        return because("nothing of what it must do can be checked apart from the rest".to_owned());
    };
    let shares = match shares(task.spec.budget, used, HALVES as u64) {
        Ok(shares) => shares,
        Err(bound) => return because(format!("its budget of {bound} leaves too little for parts")),
    };
    let ids = free_names(run, &task.spec.id, "part", HALVES);
    let tasks = specs(&task.spec, halves, &ids, &shares, failed);
    let parts = Parts {
        tasks,
        ..Parts::default()
    };
    run.fitting(no, parts, task.nesting)
        .map_err(|faults| Undivided::Because(faults.join("; ")))
}

/// Whether a task can be divided as it stands, if its owner wants it.
pub(super) fn can_divide(run: &Run, no: TaskNo) -> bool {
    let used = spending::used(&run.settings, &run.tasks()[no.index()]);
    let failed = Failed {
        why: "",
        verdicts: &[],
    };
    divide(run, no, used, &failed).is_ok()
}

/// That work is expected to take less than is split, if it is and all of it says so.
pub(super) fn below_floor<'s>(
    run: &Run,
    tasks: impl IntoIterator<Item = &'s TaskSpec>,
) -> Option<String> {
    let least_ms = run.settings.sizes.split_ms_min;
    let most = |spec: &TaskSpec| spec.estimate.duration_max_ms.or(spec.estimate.duration_ms);
    let sum = |sum: u64, spec: &'s TaskSpec| Some(sum.saturating_add(most(spec)?));
    let ms = tasks.into_iter().try_fold(0, sum)?;
    (ms < least_ms).then(|| {
        let (minutes, least) = (ms.div_ceil(60_000), least_ms.div_ceil(60_000));
        format!(
            "expected to take {minutes} minutes, and what takes less than {least} is done whole"
        )
    })
}

/// Whether an attempt took as long as what is split: then what was expected was wrong.
fn has_taken_long(run: &Run, task: &Task) -> bool {
    let took = |ending: &Ending| ending.ended_at.ms_since(ending.leased_at);
    let takes = task.live().map(|live| run.last_at.ms_since(live.leased_at));
    { task.endings.iter().map(took) }
        .chain(takes)
        .any(|ms| ms >= run.settings.sizes.split_ms_min)
}

/// Whether an agent does what title and description say. A program would do the same in each part.
pub(super) fn is_work(run: &Run, task: &Task) -> bool {
    task.spec.work == Work::Handoff
        && matches!(task.spec.kind, TaskKind::Work | TaskKind::Research)
        && task.candidate_of.is_none()
        && holds_slot(task.agent(&run.settings))
}

/// What bounds every attempt, however little it is to do.
pub(super) fn bounds_all(criterion: &Criterion) -> bool {
    matches!(criterion, Criterion::ExitStatus | Criterion::Scope { .. })
}

/// Whether it is told by what was there before, which is another thing for who goes on with what the
/// first half made: it is the half's that is to make the change.
fn is_begun_from(criterion: &Criterion) -> bool {
    matches!(criterion, Criterion::Changed { .. })
}

/// Whether it is some half's, by its file or by itself.
fn is_apart(criterion: &Criterion) -> bool {
    !bounds_all(criterion) && !is_begun_from(criterion)
}

/// Whether several things of what it must do can be checked apart.
pub(super) fn has_parts(spec: &TaskSpec) -> bool {
    halves(spec).is_some()
}

fn halves(spec: &TaskSpec) -> Option<Halves> {
    let mut halves = by_file(spec).or_else(|| by_criterion(spec))?;
    for criterion in spec.criteria.iter().filter(|it| is_begun_from(it)) {
        let half = halves.changing(criterion);
        halves.of[half].criteria.push(criterion.clone());
    }
    let everywhere: Vec<&Criterion> = spec.criteria.iter().filter(|it| bounds_all(it)).collect();
    for half in &mut halves.of {
        half.criteria
            .extend(everywhere.iter().map(|&it| it.clone()));
    }
    Some(halves)
}

/// Each half has the criteria of its files; what speaks of no single one comes last.
fn by_file(spec: &TaskSpec) -> Option<Halves> {
    let promised = spec.deliverables.iter().map(|it| it.path.as_str());
    let judged = spec.criteria.iter().filter_map(Criterion::file);
    let mut known = BTreeSet::new();
    let mut files: Vec<&str> = { promised.chain(judged) }
        .filter(|file| known.insert(*file))
        .collect();
    if files.len() < HALVES {
        return None;
    }
    let late = files.split_off(files.len().div_ceil(HALVES));
    let second: BTreeSet<&str> = late.iter().copied().collect();
    let of = |file: &str| usize::from(second.contains(file));
    let mut halves = Halves {
        of: Default::default(),
        in_turn: false,
    };
    for deliverable in &spec.deliverables {
        let half = &mut halves.of[of(&deliverable.path)];
        half.deliverables.push(deliverable.clone());
    }
    for criterion in spec.criteria.iter().filter(|it| is_apart(it)) {
        let of_file = criterion.file().map(of);
        let of_schema = match criterion {
            Criterion::Schema { schema, .. } if known.contains(schema.as_str()) => Some(of(schema)),
            _ => of_file,
        };
        // What needs both halves, or nobody knows what, is judged when both are there.
        let needs_both = of_file.is_none() || of_file != of_schema;
        halves.in_turn |= needs_both;
        let at = match of_file {
            Some(at) if !needs_both => at,
            _ => 1,
        };
        halves.of[at].criteria.push(criterion.clone());
    }
    for (half, files) in halves.of.iter_mut().zip([files, late]) {
        half.about = files.into_iter().map(str::to_owned).collect();
        if !half.criteria.iter().any(Criterion::is_falsifiable) {
            let there = |it: &Deliverable| Criterion::File {
                path: it.path.clone(),
                min_bytes: 1,
            };
            half.criteria.extend(half.deliverables.iter().map(there));
        }
    }
    let can_fail = |half: &Half| half.criteria.iter().any(Criterion::is_falsifiable);
    halves.of.iter().all(can_fail).then_some(halves)
}

/// Whether another criterion of a task says this already: where a file is to hold something, it is
/// there.
fn is_implied(spec: &TaskSpec, criterion: &Criterion) -> bool {
    let Criterion::File { path, min_bytes } = criterion else {
        return false;
    };
    let says_more = |other: &&Criterion| {
        let of_it = other.file() == Some(path.as_str());
        of_it && other.is_falsifiable() && !matches!(other, Criterion::File { .. })
    };
    *min_bytes <= 1 && spec.criteria.iter().any(|other| says_more(&other))
}

/// Where one file is all there is: some of the criteria first, then the others.
fn by_criterion(spec: &TaskSpec) -> Option<Halves> {
    let (mut first, rest): (Vec<&Criterion>, Vec<&Criterion>) = { spec.criteria.iter() }
        .filter(|it| is_apart(it))
        .partition(|it| it.is_falsifiable() && !is_implied(spec, it));
    if first.len() < HALVES {
        return None;
    }
    let mut second = first.split_off(first.len().div_ceil(HALVES));
    second.extend(rest);
    let half = |criteria: Vec<&Criterion>, deliverables: &[Deliverable]| Half {
        about: criteria.iter().map(ToString::to_string).collect(),
        deliverables: deliverables.to_vec(),
        criteria: criteria.into_iter().cloned().collect(),
    };
    Some(Halves {
        of: [half(first, &[]), half(second, &spec.deliverables)],
        in_turn: true,
    })
}

/// What is left of a budget, divided evenly: a bound that leaves too little, if one does.
pub(super) fn shares(budget: Budget, used: Amount, many: u64) -> Result<Vec<Budget>, Bound> {
    let mut shares = vec![Budget::default(); many as usize];
    for bound in budget.bounds() {
        let measure = bound.measure();
        let left = bound.much().saturating_sub(used.of(measure));
        let least = measure.useful_min().unwrap_or(1).max(1);
        if left / many < least {
            return Err(bound);
        }
        for (at, share) in (0..many).zip(&mut shares) {
            let more = u64::from(at < left % many);
            *share = share.with(Bound::of(measure, left / many + more));
        }
    }
    Ok(shares)
}

/// What the names begin with of those that take a task's place. A name has a hundred characters at the
/// most, and those a few more than the task's.
pub(super) fn stem(id: &TaskId) -> String {
    let stem = |long: usize| id.as_str().chars().take(long).collect::<String>();
    match id.as_str().len() {
        0..=90 => id.to_string(),
        _ => stem(90).trim_end_matches(['.', '-', '_']).to_owned(),
    }
}

/// Names that no other task of the run has.
pub(super) fn free_names(run: &Run, id: &TaskId, what: &str, many: usize) -> Vec<TaskId> {
    let stem = stem(id);
    let named = |no: u32| TaskId::new(format!("{stem}-{what}{no}")).ok();
    let free = |name: &TaskId| run.find(name).is_none();
    (1..).filter_map(named).filter(free).take(many).collect()
}

fn specs(
    spec: &TaskSpec,
    halves: Halves,
    ids: &[TaskId],
    shares: &[Budget],
    failed: &Failed<'_>,
) -> Vec<TaskSpec> {
    let half_of = |whole: Option<u64>| whole.map(|it| it / HALVES as u64);
    let estimate = Estimate {
        duration_ms: half_of(spec.estimate.duration_ms),
        duration_max_ms: half_of(spec.estimate.duration_max_ms),
        tokens: half_of(spec.estimate.tokens),
    };
    // What other tasks made, a part is given as its task was.
    let is_path = |input: &&Input| matches!(input, Input::Path(_));
    let inputs: Vec<Input> = spec.inputs.iter().filter(is_path).cloned().collect();
    let in_turn = halves.in_turn;
    let part = |(at, half): (usize, Half)| {
        let before = at.checked_sub(1).filter(|_| in_turn);
        TaskSpec {
            id: ids[at].clone(),
            title: format!("{} (part {} of {HALVES})", spec.title, at + 1),
            description: description(spec, at, &half, ids, failed),
            dependencies: before.map(|it| ids[it].clone()).into_iter().collect(),
            inputs: inputs.clone(),
            deliverables: half.deliverables,
            criteria: half.criteria,
            estimate,
            budget: shares[at],
            candidates: None,
            ..spec.clone()
        }
    };
    halves.of.into_iter().enumerate().map(part).collect()
}

fn description(
    spec: &TaskSpec,
    at: usize,
    half: &Half,
    ids: &[TaskId],
    failed: &Failed<'_>,
) -> String {
    let mut why = failed.why.to_owned();
    truncate(&mut why, SPLIT_WHY_BYTES_MAX);
    let others: Vec<&str> = { ids.iter().enumerate() }
        .filter(|(other, _)| *other != at)
        .map(|(_, id)| id.as_str())
        .collect();
    let what = match spec.description.as_str() {
        "" => &spec.title,
        description => description,
    };
    let mut text = format!(
        "{what}\n\nThis is part {} of {HALVES} of task {}, which was not done in one piece: {why}\n\n\
         Only this is yours; {} does the rest:\n{}",
        at + 1,
        spec.id,
        others.join(", "),
        listed(&half.about)
    );
    let seen = failed.seen(spec, &half.criteria);
    if !seen.is_empty() {
        text += &format!("\nOf it, this was seen the last time:\n{}", listed(&seen));
    }
    text
}

fn listed(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|it| format!("- {it}\n")).collect();
    lines.concat()
}
