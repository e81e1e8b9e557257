//! A plan beside the request that it answers: all that was asked, nothing that was excluded.
//!
//! What a part names to the letter (files, symbols, numbers, quotations; see `named`) some task has to
//! name, and somebody's work that it names (tests, an audit) some task has to do. The rest is a
//! comparison of words: it is a fault of rules, which take the request's own, and otherwise advice to
//! look. Whether a task that covers a part does so well is not judged.

use std::collections::BTreeSet;

use divisi_core::criterion::of_scope;
use divisi_core::{Criterion, TaskKind, TaskSpec};

use super::named::Said;
use super::{Author, Linter, is_agents, is_handed_over, meet};
use crate::codes;
use crate::faults::{Faults, shown};
use crate::planner::ALSO_SAID;
use crate::request::{Aim, Exclusion, Mention, Part, Request, Span, Standing, is_label, restraint};
use crate::role::{Library, Role};
use crate::stated::{self, Stated};

/// So many comparisons of parts with tasks are made: a hundred parts, and more tasks than a planner
/// may propose. A plan beyond it is judged by its first tasks only.
const TASKS_COMPARED_MAX: usize = 1_000;

/// Words that say nothing of what a task is about.
const EMPTY_WORDS: &[&str] = &[
    "about", "after", "all", "also", "and", "any", "are", "before", "both", "but", "can", "done",
    "each", "every", "finished", "first", "for", "from", "has", "have", "into", "its", "just",
    "last", "make", "must", "need", "needs", "new", "next", "not", "now", "once", "only", "our",
    "parallel", "please", "shall", "should", "some", "than", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "those", "use", "using", "want", "when", "where",
    "which", "while", "will", "with", "you", "your",
];

/// Words that say an order and nothing else.
const ORDER_WORDS: &str = "afterwards beside between both finally lastly meanwhile once parallel second \
    sequence side simultaneously step third time";

/// Where the files of some work lie, where the request excludes the work as a whole.
const FILES_OF_WORK: &[(Family, &[&str])] = &[
    (
        Family::Documentation,
        &["docs/**", "doc/**", "README*", "CHANGELOG*"],
    ),
    (
        Family::Tests,
        &["tests/**", "test/**", "**/*.test.*", "**/*_test.*"],
    ),
];

pub(super) fn check(linter: &Linter<'_>, faults: &mut Faults<'_>) {
    let Some(request) = linter.given.request else {
        return;
    };
    let built_in;
    let roles = match linter.given.roles {
        Some(roles) => roles,
        None => {
            built_in = Library::built_in();
            &built_in
        }
    };
    let asked = Asked {
        linter,
        request,
        roles,
        families: request.parts.iter().map(|part| family(part.role)).collect(),
    };
    asked.covered(faults);
    asked.changed(faults);
    asked.approved(faults);
    for (at, task) in linter
        .plan
        .tasks
        .iter()
        .take(TASKS_COMPARED_MAX)
        .enumerate()
    {
        asked.unasked(at, task, faults);
        asked.beyond(at, task, faults);
        for exclusion in &request.exclusions {
            if asked.excluded(at, task, exclusion, faults) {
                break;
            }
        }
    }
}

/// Roles that do one kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Development,
    Tests,
    Documentation,
    Security,
    Operations,
    Other,
}

fn family(role: &str) -> Family {
    match role {
        "architect" | "data_architect" | "debugger" | "developer" | "development"
        | "frontend_developer" | "tech_lead" => Family::Development,
        "qa" => Family::Tests,
        "documentation" | "tech_writer" => Family::Documentation,
        "security" | "security_analyst" => Family::Security,
        "cicd" | "devops" | "sre" => Family::Operations,
        _ => Family::Other,
    }
}

struct Asked<'a> {
    linter: &'a Linter<'a>,
    request: &'a Request,
    roles: &'a Library,
    families: BTreeSet<Family>,
}

impl Asked<'_> {
    fn role(&self, task: &TaskSpec) -> Option<&Role> {
        self.roles
            .of_task(task.domain.as_deref(), task.function.as_deref())
    }

    fn family(&self, task: &TaskSpec) -> Option<Family> {
        self.role(task).map(|role| family(&role.id))
    }

    /// Each part has a task.
    fn covered(&self, faults: &mut Faults<'_>) {
        let tasks = self.linter.plan.tasks.iter().take(TASKS_COMPARED_MAX);
        let told: Vec<(Option<&Role>, BTreeSet<String>)> = tasks
            .map(|task| (self.role(task), self.told(task)))
            .collect();
        let all = Said::of(self.linter.plan, self.request, TASKS_COMPARED_MAX);
        let mut reported: Vec<Span> = Vec::new();
        let stated = stated::of(self.request);
        for part in &self.request.parts {
            if let Some(stated) = stated::covering(&stated, part) {
                self.checked(part, stated, faults);
                continue;
            }
            let missing = all.lacks(part, self.request);
            for name in &missing {
                faults
                    .error(codes::LINT_UNCOVERED, self.linter.at, || {
                        let (name, part) = (shown(name), shown(&part.text));
                        format!("no task names {name} of {part}")
                    })
                    .hint(
                        "name it in the task that does it: whoever does that knows only its text",
                    );
            }
            let covers = |(role, words): &(Option<&Role>, BTreeSet<String>)| {
                let is_its_role = role.is_some_and(|role| role.id == part.role);
                covers(part, words, is_its_role)
            };
            let is_covered = told.iter().any(covers);
            if !missing.is_empty() || !is_covered {
                reported.push(part.span);
            }
            if !missing.is_empty() || is_covered {
                continue;
            }
            let cause = || format!("no task does {}", shown(&part.text));
            // Rules take the request's words. Others say it in their own, and whether that is the
            // same no rule can tell, unless it is somebody's work.
            let is_by_rule = self.linter.given.author == Author::Rule;
            let told = match is_by_rule || names_work(part) {
                true => faults.error(codes::LINT_UNCOVERED, self.linter.at, cause),
                false => faults.warning(codes::LINT_UNCOVERED, self.linter.at, || {
                    format!("no task says that it does {}", shown(&part.text))
                }),
            };
            told.hint("add a task for it, or say in one that it does this, too");
        }
        self.taken_up(&told, reported, faults);
    }

    /// Each clause of the text is spoken of somewhere, whatever parts the reader sees in it.
    fn taken_up(
        &self,
        told: &[(Option<&Role>, BTreeSet<String>)],
        reported: Vec<Span>,
        faults: &mut Faults<'_>,
    ) {
        let plan = self.linter.plan;
        let checked = plan.criteria.iter().map(ToString::to_string);
        let checked: BTreeSet<String> = checked.flat_map(|text| words(&text)).collect();
        let request = self.request;
        let forbidden = request.exclusions.iter().chain(&request.bounds);
        let heads = request.goal.iter().chain(&request.prefix);
        let left = reported
            .into_iter()
            .chain(forbidden.map(|it| it.span))
            .chain(heads.map(|it| it.span));
        // Plans by rule tell each task what only tells something; of another nobody knows.
        let is_by_rule = self.linter.given.author == Author::Rule;
        let told_to_all = request.loose.iter();
        let told_to_all = told_to_all.filter(|it| is_by_rule && it.only_tells());
        let left: Vec<Span> = left.chain(told_to_all.map(|it| it.span)).collect();
        let stated = stated::of(request);
        for clause in clauses(&request.text) {
            let meets = |it: &Span| it.start < clause.end && clause.start < it.end;
            let text = request.text[clause.start..clause.end].trim();
            let asked = words(text);
            let is_stated = request
                .parts
                .iter()
                .any(|part| meets(&part.span) && stated::covering(&stated, part).is_some());
            // What only says an order asks for nothing.
            let asked = &asked - &words(ORDER_WORDS);
            let is_read = left.iter().any(meets) || is_label(text);
            if asked.is_empty() || is_stated || is_read {
                continue;
            }
            let is_told = told.iter().any(|(_, told)| !asked.is_disjoint(told));
            if !is_told && asked.is_disjoint(&checked) {
                faults
                    .warning(codes::LINT_UNCOVERED, self.linter.at, || {
                        format!("no task takes up {}", shown(text))
                    })
                    .hint("if it asks for something, add a task or a criterion for it");
            }
        }
    }

    /// What a task speaks of.
    fn told(&self, task: &TaskSpec) -> BTreeSet<String> {
        let handed = self.linter.plan.tasks.iter();
        let is_alone = handed.filter(|task| is_handed_over(task)).count() == 1;
        told(task, self.request, is_alone)
    }

    /// What the request states is checked: on the whole, or by the tasks.
    fn checked(&self, part: &Part, stated: &Stated, faults: &mut Faults<'_>) {
        let plan = self.linter.plan;
        let of_tasks = plan.tasks.iter().take(TASKS_COMPARED_MAX);
        let all = plan
            .criteria
            .iter()
            .chain(of_tasks.flat_map(|task| &task.criteria));
        let all: Vec<&Criterion> = all.collect();
        if stated.criteria.iter().any(|stated| !all.contains(&stated)) {
            faults
                .error(codes::LINT_UNCOVERED, self.linter.at, || {
                    format!("nothing checks {}", shown(&part.text))
                })
                .hint("add it to the plan's own `criteria`");
        }
    }

    /// Where something is to change, a task changes it.
    fn changed(&self, faults: &mut Faults<'_>) {
        let mut parts = self.request.parts.iter();
        let Some(part) = parts.find(|part| asks_for_change(part)) else {
            return;
        };
        let changes = |task: &TaskSpec| {
            let develops = self.family(task).is_none_or(|it| it == Family::Development);
            task.kind == TaskKind::Work && (develops || !is_handed_over(task))
        };
        if !self.linter.plan.tasks.iter().any(changes) {
            faults
                .error(codes::LINT_NO_CHANGE, self.linter.at, || {
                    format!(
                        "{} asks for a change, and no task makes one",
                        shown(&part.text)
                    )
                })
                .hint("add a task of kind `work` that implements it");
        }
    }

    /// A person is asked where the request says so. Somebody who wrote the plan has been.
    fn approved(&self, faults: &mut Faults<'_>) {
        let Some(said) = restraint::word_asked(self.request) else {
            return;
        };
        let tasks = &self.linter.plan.tasks;
        if tasks.iter().any(|task| task.kind == TaskKind::Approval) {
            return;
        }
        let cause = || {
            let said = shown(said);
            format!("the request asks for a person's word, and no task waits for it: {said}")
        };
        let at = self.linter.at;
        let found = match self.linter.given.author {
            Author::Person => faults.warning(codes::LINT_APPROVAL, at, cause),
            Author::Rule | Author::Agent => faults.error(codes::LINT_APPROVAL, at, cause),
        };
        found.hint("add a task of kind `approval`, on which those that are to wait depend");
    }

    /// Each task is of a kind that was asked for.
    fn unasked(&self, at: usize, task: &TaskSpec, faults: &mut Faults<'_>) {
        let Some(role) = self.role(task).filter(|_| is_agents(task)) else {
            return;
        };
        if stated::is_all(self.request, &stated::of(self.request)) {
            // Whose work it is to make it true is not said.
            return;
        }
        let family = family(&role.id);
        let named = self.request.parts.iter().any(|part| part.role == role.id);
        if named || (family != Family::Other && self.families.contains(&family)) {
            return;
        }
        let (id, name) = (shown(task.id.as_str()), shown(&role.id));
        faults
            .warning(codes::LINT_UNASKED, self.linter.spans[at].id, || {
                format!("{id} is for the role {name}, whose work the request does not ask for")
            })
            .hint("leave it out, or ask for it");
    }

    /// Tells of what a task does although the request excludes it.
    fn excluded(
        &self,
        at: usize,
        task: &TaskSpec,
        exclusion: &Exclusion,
        faults: &mut Faults<'_>,
    ) -> bool {
        let Some(what) = self.violation(task, exclusion) else {
            return false;
        };
        let (id, said) = (shown(task.id.as_str()), shown(&exclusion.text));
        faults
            .error(codes::LINT_FORBIDDEN, self.linter.spans[at].id, || {
                format!("{id} {what}, and the request says {said}")
            })
            .hint("leave it out of the plan");
        true
    }

    /// No task is to change what lies beyond the files that the request says `only` of. New files may
    /// be promised wherever they lie.
    fn beyond(&self, at: usize, task: &TaskSpec, faults: &mut Faults<'_>) {
        let bounds = &self.request.bounds;
        let named = bounds.iter().flat_map(|it| &it.files);
        let within: Vec<String> = named.flat_map(|file| self.meant(&file.text)).collect();
        if within.is_empty() || !is_handed_over(task) {
            return;
        }
        let files = self.linter.given.files.unwrap_or_default();
        let promised = task.deliverables.iter().map(|it| &it.path);
        let there = promised.filter(|path| files.binary_search(path).is_ok());
        let mut touched = task.scope.iter().chain(there).chain(to_change(task));
        let lies_beyond = |path: &&String| !within.iter().any(|it| meet::may_meet(it, path));
        let Some(path) = touched.find(lies_beyond) else {
            return;
        };
        let (id, path) = (shown(task.id.as_str()), shown(path));
        let said: Vec<String> = bounds.iter().map(|it| shown(&it.text)).collect();
        faults
            .error(codes::LINT_FORBIDDEN, self.linter.spans[at].id, || {
                format!(
                    "{id} may change {path}, and the request says {}",
                    said.join(", ")
                )
            })
            .hint("leave it out of the plan");
    }

    /// The patterns of what a path in the request means: itself, what lies in it, and of a mere name
    /// every file of that name.
    fn meant(&self, path: &str) -> Vec<String> {
        let mut all = with_contents(path.trim_end_matches('/')).to_vec();
        if !path.contains('/') {
            let in_a_folder = format!("/{path}");
            match self.linter.given.files {
                Some(files) => all.extend(
                    files
                        .iter()
                        .filter(|it| it.ends_with(&in_a_folder))
                        .cloned(),
                ),
                None => all.push(format!("**{in_a_folder}")),
            }
        }
        all
    }

    fn violation(&self, task: &TaskSpec, exclusion: &Exclusion) -> Option<String> {
        let excluded: BTreeSet<Family> = exclusion
            .mentions
            .iter()
            .map(|mention| family(mention.role))
            .filter(|it| !self.families.contains(it))
            .collect();
        if is_handed_over(task)
            && let Some(role) = self.role(task)
            && (excluded.contains(&family(&role.id)) && family(&role.id) != Family::Other
                || exclusion
                    .mentions
                    .iter()
                    .any(|it| it.role == role.id && !self.asks_for(&role.id)))
        {
            return Some(format!("is work of {}", shown(&role.id)));
        }
        let of_work = FILES_OF_WORK.iter().filter(|(it, _)| excluded.contains(it));
        let of_work = of_work.flat_map(|(_, patterns)| patterns.iter().map(|it| (*it).to_owned()));
        // What a criterion of the task spares may lie among what it changes, but cannot be all.
        let (spared, open): (Vec<&str>, Vec<&str>) = exclusion
            .files
            .iter()
            .map(|file| file.text.trim_end_matches('/'))
            .partition(|path| spares(task, path));
        let named = open.into_iter().flat_map(with_contents);
        let patterns: Vec<String> = of_work.chain(named).collect();
        let promised = task.deliverables.iter().map(|it| &it.path);
        let mut touched = task.scope.iter().chain(promised).chain(to_change(task));
        let meets = |path: &&String| {
            let lies_in = |spared: &&str| {
                let rest = path.strip_prefix(spared);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            spared.iter().any(lies_in)
                || patterns.iter().any(|pattern| meet::may_meet(pattern, path))
        };
        if let Some(path) = touched.find(meets) {
            return Some(format!("may change {}", shown(path)));
        }
        let verb = exclusion.verb.as_ref()?;
        let object = words(&exclusion.text);
        // A title that is the request itself says what must not be done, too.
        let request = self.request.text.split_whitespace();
        let request: Vec<&str> = request.collect();
        let is_request = { request.join(" ") }.starts_with(task.title.trim_end_matches('…'));
        let title = match is_request {
            true => words(&self.request.wanted()),
            false => words(&task.title),
        };
        let does = title.contains(&stem(verb.word));
        let object: Vec<&String> = object.iter().filter(|it| **it != stem(verb.word)).collect();
        let same = !object.is_empty() && object.iter().all(|it| title.contains(*it));
        (does && same).then(|| format!("is to {}", verb.word))
    }

    fn asks_for(&self, role: &str) -> bool {
        self.request.parts.iter().any(|part| part.role == role)
    }
}

/// A path that is excluded, and all in it if it is a folder.
fn with_contents(path: &str) -> [String; 2] {
    [path.to_owned(), format!("{path}/**")]
}

/// What a task's criteria want changed.
fn to_change(task: &TaskSpec) -> impl Iterator<Item = &String> {
    task.criteria.iter().filter_map(|it| match it {
        Criterion::Changed { pattern } => Some(pattern),
        _ => None,
    })
}

/// Whether a task's criteria have it that what is excluded stays as it is.
fn spares(task: &TaskSpec, path: &str) -> bool {
    let all = with_contents(path);
    task.criteria.iter().any(|it| match it {
        Criterion::Scope { patterns } => {
            let (_, spared) = of_scope(patterns);
            spared
                .iter()
                .any(|pattern| all.iter().any(|it| it == pattern))
        }
        _ => false,
    })
}

/// Whether a part asks developers for a change.
fn asks_for_change(part: &Part) -> bool {
    let verb = part.verb.as_ref();
    let changes = verb.is_some_and(|verb| verb.change.aim() == Aim::Alteration);
    changes && family(part.role) == Family::Development
}

/// Whether a task of these words does the part: it speaks of half of what the part speaks of, or of
/// some of it in the role that the part names.
fn covers(part: &Part, told: &BTreeSet<String>, is_its_role: bool) -> bool {
    let mut asked = words(&part.text);
    let verb = { part.verb.as_ref() }.filter(|it| it.change.aim() == Aim::Alteration);
    let verb = verb.map(|verb| stem(verb.word));
    if asked.len() > 1
        && let Some(verb) = &verb
    {
        // That something is added says nothing of what.
        asked.remove(verb);
    }
    let common = asked.intersection(told).count();
    let names_role = !part.mentions.is_empty();
    asked.is_empty() || common * 2 >= asked.len() || (is_its_role && (common > 0 || names_role))
}

/// Whether a part is work of somebody who is named by it: tests, an audit, documents.
fn names_work(part: &Part) -> bool {
    let mut mentions = part.mentions.iter();
    let is_its_own = |it: &Mention| {
        it.standing == Standing::Object && it.role == part.role && it.role != "developer"
    };
    mentions.any(is_its_own)
}

/// A clause of a request that is in no part of it, and nothing else that is read.
pub(crate) fn dropped(request: &Request) -> Option<&str> {
    let parts = request.parts.iter();
    let forbidden = request.exclusions.iter().chain(&request.bounds);
    let heads = request.goal.iter().chain(&request.prefix);
    let told = request.loose.iter().filter(|it| it.only_tells());
    let read = { heads.map(|it| it.span) }
        .chain(forbidden.map(|it| it.span))
        .chain(request.approvals.iter().map(|it| it.span))
        .chain(told.map(|it| it.span));
    let read: Vec<Span> = read.collect();
    let done: BTreeSet<String> = parts.flat_map(|part| words(&part.text)).collect();
    let orders = words(ORDER_WORDS);
    let stated = stated::of(request);
    let is_dropped = |clause: &Span| {
        let meets = |it: &Span| it.start < clause.end && clause.start < it.end;
        let text = request.text[clause.start..clause.end].trim();
        let asked = &words(text) - &orders;
        !asked.is_empty()
            && asked.is_disjoint(&done)
            && !read.iter().any(meets)
            && !stated.iter().any(|it| meets(&it.span))
            && !is_label(text)
    };
    let clause = clauses(&request.text).into_iter().find(is_dropped)?;
    let text = request.text[clause.start..clause.end].trim();
    Some(text.trim_end_matches([',', ';', ':', '.', '!', '?']))
}

/// The clauses of a text, by its marks and by words that join.
fn clauses(text: &str) -> Vec<Span> {
    const JOINING: &[&str] = &["and", "but", "plus", "then", "with"];
    let mut found = Vec::new();
    let mut from = 0;
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let (start, end) = (at, at + bare.len());
        at += word.len();
        let joins = JOINING.contains(&bare.to_lowercase().as_str());
        if joins && from < start {
            found.push(Span {
                start: from,
                end: start,
            });
            from = start;
        }
        if bare.ends_with([',', ';', ':', '.', '!', '?']) || word.ends_with('\n') {
            found.push(Span { start: from, end });
            from = at;
        }
    }
    found.push(Span {
        start: from,
        end: text.len(),
    });
    found
}

/// What a task speaks of.
fn told(task: &TaskSpec, request: &Request, is_alone: bool) -> BTreeSet<String> {
    let promised = task.deliverables.iter().map(|it| it.path.as_str());
    let scope = task.scope.iter().map(String::as_str);
    let own = own_words(task, request, is_alone);
    let texts = std::iter::once(own.as_str()).chain(promised).chain(scope);
    texts.flat_map(words).collect()
}

/// A task's own words. Who quotes the whole request does not do all of it, unless nobody else does
/// anything.
pub(super) fn own_words(task: &TaskSpec, request: &Request, is_alone: bool) -> String {
    let description = match is_alone {
        true => task.description.clone(),
        false => {
            let other = task.description.replace(&request.quoted(), "");
            let other = other.replace(&request.text, "");
            let lines = other.lines().filter(|line| !line.starts_with(ALSO_SAID));
            lines.collect::<Vec<&str>>().join("\n")
        }
    };
    format!("{}\n{}\n{description}", task.id, task.title)
}

/// The words of a text that say what it is about, in their stems.
pub(crate) fn words(text: &str) -> BTreeSet<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    let words = parts.map(str::to_lowercase);
    let words = words.filter(|word| word.chars().count() > 2);
    words
        .filter(|word| !EMPTY_WORDS.contains(&word.as_str()))
        .map(|word| stem(&word))
        .collect()
}

/// A word without the endings that only grammar asks for.
fn stem(word: &str) -> String {
    let endings = [
        "ations", "ation", "ings", "ing", "ies", "ed", "es", "s", "e", "y",
    ];
    let stems = endings
        .iter()
        .filter_map(|ending| word.strip_suffix(ending));
    let mut stems = stems.filter(|stem| stem.chars().count() > 2);
    let stem = stems.next().unwrap_or(word);
    stem.to_owned()
}
