//! From steps to tasks: an id, words, a role, what it may change, when it is done, what it takes.

use divisi_core::plan::{Deliverable, Estimate, Input, Work};
use divisi_core::{Criterion, Plan, TaskId, TaskKind, TaskSpec, WorkspaceKind};

use super::approvals;
use super::naming::{Ids, capital, line, line_with, slug, without_article, without_verb};
use super::order::{Order, reaches};
use super::steps::{Kind, Step, is_made_of};
use super::{Facts, Pattern, Planned, changed, each, results, spared, suite, whole};
use divisi_core::run::Sizes;

use crate::pattern::is_literal;
use crate::plan_file::CHECK_TIMEOUT_MS;
use crate::request::{self, Change, Exclusion, File, Part, Request, Scale, Shape, Standing};
use crate::stated::Stated;

/// With this, a task is told what is in no part.
pub(crate) const ALSO_SAID: &str = "Also said: ";

/// Verbs of which something new comes: to `bring` or `connect` something, it is there.
const MAKING: &[&str] = &[
    "add",
    "build",
    "create",
    "develop",
    "draft",
    "generate",
    "include",
    "introduce",
    "make",
    "prepare",
    "provide",
    "write",
];

/// What documents are called that have no name.
const GENERIC: &[&str] = &["doc", "docs", "documentation", "guide", "manual"];

/// Documents that have forms and places of their own, which no rule knows.
const ELSEWHERE: &[&str] = &[
    "man page",
    "man pages",
    "manpage",
    "manpages",
    "wiki",
    "wiki page",
];

/// Documents that stand in the code.
const IN_CODE: &[&str] = &[
    "docstring",
    "docstrings",
    "godoc",
    "javadoc",
    "jsdoc",
    "rustdoc",
];

/// Behind these, a file is only referred to.
const REFERRING: &[&str] = &[
    "against",
    "as",
    "by",
    "following",
    "from",
    "like",
    "of",
    "per",
    "see",
    "than",
    "to",
    "using",
    "via",
];

/// The least size of a document that somebody asked for, in bytes: some sentences.
const DOCUMENT_BYTES_MIN: u64 = 200;

/// The plan of steps in their order.
pub(super) fn plan(
    request: &Request,
    facts: &Facts<'_>,
    stated: &[Stated],
    steps: &[Step<'_>],
    order: &Order,
) -> Planned {
    let mut ids = Ids::default();
    let named: Vec<TaskId> = steps.iter().map(|step| ids.of(&short(step))).collect();
    let mut maker = Maker {
        request,
        facts,
        steps,
        is_open: says_more(request, steps),
        red: match facts.tests {
            Some(_) => suite::red(steps, order),
            None => vec![None; steps.len()],
        },
        tasks: Vec::with_capacity(steps.len()),
    };
    for (at, step) in steps.iter().enumerate() {
        let task = maker.task(at, step, named[at].clone());
        maker.tasks.push(task);
    }
    let groups = maker.groups(order);
    maker.join(&groups, order);
    for (at, waits) in order.iter().enumerate() {
        for &on in waits {
            maker.wait(groups[at], groups[on]);
        }
    }
    // A group stands where its first step does.
    let firsts: Vec<usize> = (0..steps.len()).filter(|&at| groups[at] == at).collect();
    let mut tasks: Vec<TaskSpec> = firsts.iter().map(|&at| maker.tasks[at].clone()).collect();
    whole::owe(&mut tasks, stated);
    let parts = 0..request.parts.len();
    let covers = parts.map(|part| {
        let of =
            (0..steps.len()).filter(|&at| steps[at].part == part || steps[at].runs.contains(&part));
        let places = of.filter_map(|at| firsts.binary_search(&groups[at]).ok());
        let mut places: Vec<usize> = places.collect();
        places.dedup();
        places
    });
    let mut covers: Vec<Vec<usize>> = covers.collect();
    let pattern = match tasks.len() {
        1 if steps.len() > 1 => Pattern::Inseparable(named),
        1 => Pattern::One,
        _ => Pattern::Structure,
    };
    let criteria = whole::criteria_of_intent(request, facts, stated, &tasks, steps);
    let tasks = approvals::put(request, tasks, &mut covers, &mut ids);
    Planned {
        covers,
        plan: Plan {
            title: title(request),
            criteria,
            tasks,
            ..Plan::default()
        },
        pattern,
        advice: Vec::new(),
    }
}

/// The intent in one line.
pub(super) fn title(request: &Request) -> String {
    let goal = request.goal.as_ref().map(|goal| goal.text.as_str());
    // "Please do the following" is no goal.
    let goal = goal.filter(|goal| !goal.ends_with("following"));
    let first = request.parts.first();
    let is_listed = first.is_some_and(|part| matches!(part.shape, Shape::Numbered | Shape::Item));
    let text = match (goal, first) {
        (Some(goal), _) => goal.to_owned(),
        (None, Some(part)) if is_listed => match request.parts.len() - 1 {
            0 => capital(&part.text),
            more => format!("{}, and {more} more", capital(&part.text)),
        },
        (None, _) => request.text.lines().next().unwrap_or_default().to_owned(),
    };
    match line(&text) {
        empty if empty.is_empty() => "Nothing".to_owned(),
        line => line,
    }
}

/// What a task is told that does one part of a request.
pub(super) fn part_of(request: &Request, part: &str) -> String {
    format!(
        "This task's part of the request: {part}\nThe whole request, of which the rest is other \
         tasks':\n{}",
        request.quoted()
    )
}

/// The command by which the project tests itself, as a criterion.
pub(super) fn tested(facts: &Facts<'_>) -> Option<Criterion> {
    let argv = facts.tests?.to_vec();
    Some(Criterion::Command {
        argv,
        timeout_ms: CHECK_TIMEOUT_MS,
    })
}

struct Maker<'m> {
    request: &'m Request,
    facts: &'m Facts<'m>,
    steps: &'m [Step<'m>],
    /// Whether more is said that other files may have to change for.
    is_open: bool,
    /// For each step, until which later one the project's tests may fail.
    red: Vec<Option<usize>>,
    tasks: Vec<TaskSpec>,
}

impl Maker<'_> {
    fn task(&self, at: usize, step: &Step<'_>, id: TaskId) -> TaskSpec {
        let title = self.title(step);
        let runs = step.runs.iter().map(|&part| &self.request.parts[part].text);
        let title = runs.fold(title, |title, run| {
            let first = run.chars().next().into_iter().flat_map(char::to_lowercase);
            let run: String = first.chain(run.chars().skip(1)).collect();
            line(&format!("{title}, then {run}"))
        });
        let role = self.facts.roles.get(step.of.role);
        let (domain, function) = role
            .map(crate::role::Role::names_of_tasks)
            .unwrap_or_default();
        let touches = self.touches(step, id.as_str());
        let criteria = self.criteria(step, self.red[at].is_none(), &title, &touches);
        let kind = match step.kind {
            Kind::Answer | Kind::Research | Kind::Design => TaskKind::Research,
            Kind::Review => TaskKind::Review,
            Kind::Change | Kind::Test | Kind::Document | Kind::Deploy => TaskKind::Work,
        };
        TaskSpec {
            description: self.description(&[step], &title),
            title,
            kind,
            domain,
            function,
            work: Work::Handoff,
            deliverables: touches
                .makes
                .into_iter()
                .map(|path| Deliverable { path })
                .collect(),
            scope: touches.scope,
            criteria,
            workspace: WorkspaceKind::Worktree,
            estimate: estimate(self.request, step),
            ..TaskSpec::command(id, &[])
        }
    }

    /// A step between arrows or a thing that hangs on a clause says what it is for.
    fn title(&self, step: &Step<'_>) -> String {
        let verb = step.of.verb.as_ref();
        let object = step.of.text.split_once(' ').map(|(_, object)| object);
        let is_empty = |object| ["both", "it", "that", "them", "this"].contains(&object);
        if self.steps.len() == 1 && object.is_some_and(is_empty) {
            // `Fix it` says nothing of what.
            return title(self.request);
        }
        if let (Shape::Attachment, Some(verb)) = (step.of.shape, verb) {
            // One more object of the clause's verb.
            let behind = self.request.text.get(verb.span.end..).unwrap_or_default();
            let particle = behind.split_whitespace().next();
            let particle = particle.filter(|it| ["down", "off", "out", "up"].contains(it));
            let verb: Vec<&str> = std::iter::once(verb.word).chain(particle).collect();
            return line(&format!("{} {}", capital(&verb.join(" ")), step.of.text));
        }
        if let Some(prefix) = self.prefix_of(step.of) {
            return line(&format!("{}: {}", capital(prefix), step.of.text));
        }
        if let Some(heading) = self.heading_of(step.of) {
            return line(&format!("{heading}: {}", step.of.text));
        }
        let text = match self.exception_of(step.of) {
            Some(exception) => format!("{} {exception}", step.of.text),
            None => step.of.text.clone(),
        };
        let text = capital(&line(without_article(&in_base_form(step.of, text))));
        let of = match step.of.shape {
            Shape::Step | Shape::Attachment => self.clause_of(step),
            Shape::Numbered | Shape::Item | Shape::Clause => None,
        };
        let text = match of {
            Some(of) => line(&format!("{text}: {of}")),
            None => text,
        };
        match step.share {
            (_, 1) => text,
            (share, count) => line_with(&text, &format!(" ({} of {count})", share + 1)),
        }
    }

    /// What an attachment hangs on: the clause before it, or the goal.
    fn clause_of(&self, step: &Step<'_>) -> Option<&str> {
        let before = self.request.parts[..step.part].iter().rev();
        let goal = self.request.goal.as_ref().map(|goal| goal.text.as_str());
        if step.of.shape == Shape::Step {
            return goal;
        }
        let mut before = before;
        let clause = before.find(|part| part.shape != Shape::Attachment);
        // Of `tests and docs for it` neither hangs on the other.
        let clause = clause.filter(|part| part.verb.is_some() || part.shape != Shape::Clause);
        clause.map(|part| part.text.as_str()).or(goal)
    }

    /// The heading of a list whose verb an item has.
    fn heading_of(&self, part: &Part) -> Option<&str> {
        let goal = self.request.goal.as_ref()?;
        let is_its = goal.span.holds(part.verb.as_ref()?.span);
        let is_item = matches!(part.shape, Shape::Item | Shape::Numbered);
        (is_its && is_item).then(|| goal.text.trim_end_matches(':'))
    }

    /// What stands directly behind a part and is none of it, its files that must stay aside.
    fn excluded_behind(&self, part: &Part) -> Option<&Exclusion> {
        let text = &self.request.text;
        self.request.exclusions.iter().find(|it| {
            let between = text.get(part.span.end..it.span.start);
            !it.keeps() && between.is_some_and(|it| it.trim().is_empty())
        })
    }

    /// Whether a file stands in what a part is not of: of `the functions excluding div in docs/x.md`
    /// nobody knows whether that is where `div` lies or where they are described.
    fn excepts_in_file(&self, part: &Part) -> bool {
        let excluded = self.excluded_behind(part);
        excluded.is_some_and(|it| !it.files.is_empty())
    }

    /// What a part is not of, behind it: `tests for everything except div`. What files it names a
    /// criterion of its own says, or where it lies.
    fn exception_of(&self, part: &Part) -> Option<&str> {
        const BEFORE: &[&str] = &["except ", "excepting ", "excluding ", "but ", "apart from "];
        const PLACING: &[&str] = &[" in", " of", " from", " inside", " under", " within"];
        let text = &self.request.text;
        let excluded = self.excluded_behind(part)?;
        let file = excluded.files.iter().map(|it| it.span.start).min();
        let end = file.unwrap_or(excluded.span.end);
        let said = text.get(excluded.span.start..end)?.trim_end();
        let place = PLACING.iter().find_map(|place| said.strip_suffix(place));
        let said = place.filter(|_| file.is_some()).unwrap_or(said);
        let excepts = |before: &&&str| said.starts_with(**before) && said.len() > before.len();
        BEFORE.iter().find(excepts).map(|_| said)
    }

    /// The commit's prefix whose verb a part has.
    fn prefix_of(&self, part: &Part) -> Option<&str> {
        let prefix = self.request.prefix.as_ref()?;
        let is_its = part.verb.as_ref()?.span.start < part.span.start;
        (is_its && prefix.span.end <= part.span.start).then_some(prefix.text.as_str())
    }

    /// What the task must know beyond its title: the request's own words, of its part and whole.
    fn description(&self, steps: &[&Step<'_>], title: &str) -> String {
        let mut lines = Vec::new();
        let request = self.request;
        if self.steps.len() > steps.len() {
            let words = |step: &&Step<'_>| {
                let span = step.of.span;
                request.text.get(span.start..span.end).unwrap_or_default()
            };
            let runs = steps.iter().flat_map(|step| &step.runs);
            let runs = runs.map(|&part| request.parts[part].text.as_str());
            let parts: Vec<&str> = steps.iter().map(words).chain(runs).collect();
            lines.push(part_of(request, &parts.join("; ")));
        } else if !title.eq_ignore_ascii_case(request.text.trim_end_matches(['.', ':'])) {
            lines.push("The request:".to_owned());
            lines.push(request.quoted());
        }
        if !request.loose.is_empty() {
            let said = request.loose.iter().map(|it| format!("\"{}\"", it.text));
            let said: Vec<String> = said.collect();
            lines.push(format!("{ALSO_SAID}{}", said.join("; ")));
        }
        if !request.bounds.is_empty() {
            let said = request.bounds.iter().map(|it| format!("\"{}\"", it.text));
            let said: Vec<String> = said.collect();
            lines.push(format!("Nothing else may change: {}", said.join("; ")));
        }
        if !self.request.exclusions.is_empty() {
            let said = self
                .request
                .exclusions
                .iter()
                .map(|it| format!("\"{}\"", it.text));
            let said: Vec<String> = said.collect();
            lines.push(format!("The request says: {}", said.join("; ")));
        }
        lines.join("\n")
    }

    fn touches(&self, step: &Step<'_>, id: &str) -> Touches {
        let mut touches = Touches::default();
        let folder = match step.kind {
            Kind::Answer | Kind::Research => Some("research"),
            Kind::Design => Some("design"),
            Kind::Review => Some("review"),
            Kind::Change | Kind::Test | Kind::Document | Kind::Deploy => None,
        };
        if let Some(folder) = folder {
            // A named document is where the result goes; other files are what it is about.
            let named = step
                .files
                .iter()
                .find(|file| is_literal(file) && file.ends_with(".md") && !self.is_there(file));
            // What is read is not what is written.
            let is_read = |path: &&String| {
                let mut files = step.of.files.iter();
                files.any(|file| file.text == **path && file.is_direct)
            };
            let reads = step.of.verb.as_ref().is_some_and(|it| it.word == "read");
            let named = named.filter(|path| !reads && !is_read(path));
            let result =
                results::beside(self.request, self.facts, step).find(|path| path.ends_with(".md"));
            let path = results::said(self.request, step)
                .or(named.cloned())
                .or(result)
                .unwrap_or_else(|| format!("{folder}/{id}.md"));
            touches.makes.push(path);
            return touches;
        }
        let is_new = |file: &str| {
            let writes = step.kind == Kind::Document;
            // A clause without a known verb may mean any change of one whose name is mistyped.
            let adds = step
                .of
                .verb
                .as_ref()
                .map_or(step.of.shape != Shape::Clause || writes, |it| {
                    matches!(it.change, Change::Add | Change::Document | Change::Test)
                });
            adds && is_literal(file)
                && has_ending(file)
                && self.facts.files.is_some()
                && !self.is_there(file)
        };
        // What several make, the first one makes.
        let is_made = |file: &String| {
            let mut made = self.tasks.iter().flat_map(|task| &task.deliverables);
            made.any(|it| it.path == *file)
        };
        for file in &step.files {
            match is_new(file) && !is_made(file) {
                true => touches.makes.push(file.clone()),
                false => touches.scope.push(pattern_of(file, self.facts)),
            }
        }
        for path in results::beside(self.request, self.facts, step) {
            let count = touches.makes.len() + touches.scope.len();
            if (count as u64) < self.facts.sizes.task_files_max && !is_made(&path) {
                touches.makes.push(path);
            }
        }
        if touches.scope.is_empty() && touches.makes.is_empty() {
            touches.scope = spared::bounds(self.request, self.facts);
        }
        if !touches.scope.is_empty() {
            return touches;
        }
        let is_named = !step.files.is_empty() || !touches.makes.is_empty();
        let is_open = is_named || self.excepts_in_file(step.of);
        if step.kind == Kind::Document && !is_open && !is_made_of(step.of) {
            self.document(step, id, &mut touches);
        }
        touches
    }

    /// Where documents go that name no file.
    fn document(&self, step: &Step<'_>, id: &str, touches: &mut Touches) {
        let mut words = step.of.mentions.iter().map(|mention| mention.word.as_str());
        let is_elsewhere = |word: &str| IN_CODE.contains(&word) || ELSEWHERE.contains(&word);
        if words.clone().any(is_elsewhere) {
            return;
        }
        let is_generic = words.clone().any(|word| GENERIC.contains(&word));
        let usual = words.find_map(|word| match word {
            "readme" | "readmes" => Some("README.md"),
            "changelog" | "changelogs" => Some("CHANGELOG.md"),
            _ => None,
        });
        match usual {
            Some(path) if self.is_there(path) => touches.scope.push(path.to_owned()),
            Some(path) => touches.makes.push(path.to_owned()),
            None if self.is_new(step) => touches
                .makes
                .push(format!("docs/{}.md", self.topic(step, id))),
            // A document that is named stays what is changed, even if only its place is.
            None if !step.of.files.is_empty() => {}
            None if is_generic => touches.scope.extend(self.documents()),
            // Nobody knows where it lies.
            None => {}
        }
    }

    /// Whether a document is to be written, rather than one that is there to be changed.
    fn is_new(&self, step: &Step<'_>) -> bool {
        let is_attached = step.of.shape == Shape::Attachment;
        match &step.of.verb {
            Some(verb) if is_attached => matches!(verb.change, Change::Add | Change::Document),
            Some(verb) => verb.change == Change::Document || MAKING.contains(&verb.word),
            // A clause without a known verb may mean any change of those that are there.
            None => step.of.shape != Shape::Clause,
        }
    }

    /// Where a project's documents lie.
    fn documents(&self) -> Vec<String> {
        let files = self.facts.files.unwrap_or_default();
        let places = [
            ("docs/", "docs/**"),
            ("doc/", "doc/**"),
            ("README", "README*"),
        ];
        // `The docs but not the README`
        let excluded = self.request.exclusions.iter();
        let mut excluded = excluded.flat_map(|it| it.text.split_whitespace());
        let has_readme = !excluded.any(|word| word.to_lowercase().starts_with("readme"));
        let there = { places.iter() }
            .filter(|(start, _)| has_readme || *start != "README")
            .filter(|(start, _)| files.iter().any(|file| file.starts_with(start)));
        there.map(|(_, pattern)| (*pattern).to_owned()).collect()
    }

    /// What a document is about, as the name of its file: what it hangs on, unless it has a name of
    /// its own.
    fn topic(&self, step: &Step<'_>, id: &str) -> String {
        let has_verb = step.of.verb.is_some();
        let of = match step.of.shape {
            Shape::Step => self.clause_of(step),
            Shape::Attachment if !has_verb || GENERIC.contains(&id) => self.clause_of(step),
            Shape::Numbered | Shape::Item if GENERIC.contains(&id) => {
                self.request.goal.as_ref().map(|goal| goal.text.as_str())
            }
            Shape::Attachment | Shape::Numbered | Shape::Item | Shape::Clause => None,
        };
        let topic = of.map(|of| slug(without_verb(of)));
        let topic = topic.filter(|slug| !slug.is_empty());
        topic.unwrap_or_else(|| id.to_owned())
    }

    fn is_there(&self, path: &str) -> bool {
        is_there(path, self.facts)
    }

    fn criteria(
        &self,
        step: &Step<'_>,
        is_green: bool,
        title: &str,
        touches: &Touches,
    ) -> Vec<Criterion> {
        let mut criteria = Vec::new();
        for path in &touches.makes {
            // An answer may be a word.
            let min_bytes = match path.ends_with(".md") && step.kind != Kind::Answer {
                true => DOCUMENT_BYTES_MIN,
                false => 1,
            };
            criteria.push(Criterion::File {
                path: path.clone(),
                min_bytes,
            });
            criteria.extend(
                sections(step.kind)
                    .iter()
                    .map(|heading| Criterion::Section {
                        heading: (*heading).to_owned(),
                        path: path.clone(),
                    }),
            );
        }
        let is_looked_for = !matches!(step.kind, Kind::Change | Kind::Test | Kind::Document);
        let there = touches.makes.iter().filter(|path| self.is_there(path));
        criteria.extend(
            there
                .filter(|_| is_looked_for)
                .map(|path| Criterion::Changed {
                    pattern: path.clone(),
                }),
        );
        criteria.extend(each::of(self.request, step));
        if let Some(verb) = &step.of.verb {
            criteria.extend(gone(verb.change, &step.of.files, self.facts));
        }
        if matches!(step.kind, Kind::Change | Kind::Test) && is_green {
            criteria.extend(tested(self.facts));
        }
        // That something was changed says not that it is right.
        let is_judged = criteria.is_empty();
        if !criteria.iter().any(is_gone) {
            let changed = changed::of(self.request, self.facts, step);
            criteria.splice(0..0, changed);
        }
        let changes = matches!(step.kind, Kind::Change | Kind::Test | Kind::Document);
        let mut bounds = self.request.bounds.iter();
        let is_bounded = changes && bounds.all(|it| it.files.is_empty()) && !self.is_open;
        if is_judged && is_bounded && !touches.scope.is_empty() && !self.is_unsure(step) {
            // Who names the files wants no others changed.
            criteria.push(Criterion::Scope {
                patterns: touches.scope.clone(),
            });
        }
        if is_judged {
            criteria.push(whole::as_asked(title));
        }
        if step.kind == Kind::Document && !step.runs.is_empty() {
            criteria.extend(tested(self.facts));
        }
        criteria
    }

    /// Whether other files than those that a step names for it may have to change: a file is not there,
    /// so that another one may be meant, or one comes up beside that is more than referred to.
    fn is_unsure(&self, step: &Step<'_>) -> bool {
        let is_missing = |path: &String| {
            let is_one = is_literal(path) && has_ending(path);
            is_one && self.facts.files.is_some() && !self.is_there(path)
        };
        let kept = self.request.kept();
        let comes_up = |file: &File| {
            let before = self.request.text.get(step.of.span.start..file.span.start);
            let before = before.unwrap_or_default().split_whitespace().next_back();
            let is_referred = before.is_none_or(|word| REFERRING.contains(&word));
            !step.files.contains(&file.text) && !kept.contains(&file.text.as_str()) && !is_referred
        };
        // `Each with a test`, said of all items, is in files that nobody knows.
        let mut mentions = step.of.mentions.iter();
        let is_of_all =
            mentions.any(|it| it.standing == Standing::Aside && !step.of.span.holds(it.span));
        // `Read it from a config file`, `replace a.sh by a.py`
        let words: Vec<&str> = step.of.text.split_whitespace().collect();
        let is_some = |at: &usize| ["a", "an", "another"].contains(&words[*at]);
        let is_unnamed = (0..words.len()).filter(is_some).any(|at| {
            let mut near = words[at + 1..].iter().take(3);
            near.any(|word| word.trim_end_matches(['.', ',']) == "file")
        });
        let replaces = step.of.verb.as_ref().is_some_and(|it| it.word == "replace");
        is_of_all
            || is_unnamed
            || replaces && step.of.files.len() > 1
            || step.files.iter().any(is_missing)
            || step.of.files.iter().any(comes_up)
    }

    /// For each step the first of those that one task does together, itself if it has one of its own.
    ///
    /// A step after which the project's tests need not pass yet and of which nothing else can be
    /// found violated is done by one task with the step after which they must, and with all between.
    fn groups(&self, order: &Order) -> Vec<usize> {
        let mut groups: Vec<usize> = (0..self.steps.len()).collect();
        let is_checked = |task: &TaskSpec| {
            task.criteria
                .iter()
                .any(|it| it.is_falsifiable() && !it.is_of_change())
        };
        for at in 0..self.steps.len() {
            let Some(until) = self.red[at].filter(|_| !is_checked(&self.tasks[at])) else {
                continue;
            };
            let lies_between =
                |it: &usize| reaches(order, until, *it) && reaches(order, *it, at) || *it == at;
            let together = (0..self.steps.len()).filter(|it| *it == until || lies_between(it));
            let together: Vec<usize> = together.map(|it| groups[it]).collect();
            let first = together.iter().copied().min().unwrap_or(at);
            for group in &mut groups {
                if together.contains(group) {
                    *group = first;
                }
            }
        }
        groups
    }

    /// Makes one task of each group, in the place of its first step.
    fn join(&mut self, groups: &[usize], order: &Order) {
        for first in 0..groups.len() {
            let mut of: Vec<usize> = (0..groups.len())
                .filter(|&at| groups[at] == first)
                .collect();
            // Each comes after all that it waits for.
            let all = of.clone();
            of.sort_by_key(|&at| all.iter().filter(|&&on| reaches(order, at, on)).count());
            if of.len() < 2 {
                continue;
            }
            let steps: Vec<&Step<'_>> = of.iter().map(|&at| &self.steps[at]).collect();
            let chief = of.iter().find(|&&at| self.steps[at].kind == Kind::Change);
            let chief = &self.tasks[*chief.unwrap_or(&first)];
            let titles: Vec<String> = of.iter().map(|&at| self.tasks[at].title.clone()).collect();
            let title = line(&titles.join("; "));
            let mut one = TaskSpec {
                id: self.tasks[first].id.clone(),
                description: self.description(&steps, &title),
                title,
                estimate: sum(
                    of.iter().map(|&at| self.tasks[at].estimate),
                    &self.facts.sizes,
                ),
                deliverables: Vec::new(),
                scope: Vec::new(),
                criteria: Vec::new(),
                ..chief.clone()
            };
            let scoped = of.iter().map(|&at| self.tasks[at].scope.len());
            // More files than a task is to change bound nothing either: they are told in its words.
            let is_bounded = scoped.clone().all(|files| files > 0)
                && scoped.sum::<usize>() as u64 <= self.facts.sizes.task_files_max;
            for task in of.iter().map(|&at| &self.tasks[at]) {
                one.deliverables.extend(task.deliverables.iter().cloned());
                one.scope
                    .extend(task.scope.iter().filter(|_| is_bounded).cloned());
                // What bounds one of them, or stands for a check, is not what bounds and judges all.
                let criteria = task
                    .criteria
                    .iter()
                    .filter(|it| it.is_falsifiable() && !matches!(it, Criterion::Scope { .. }));
                one.criteria.extend(criteria.cloned());
            }
            let mut seen = Vec::new();
            one.criteria.retain(|it| {
                let is_new = !seen.contains(it);
                seen.push(it.clone());
                is_new
            });
            self.tasks[first] = one;
        }
    }

    /// Lets a task wait: for what the other found out, or for the other to be done.
    fn wait(&mut self, at: usize, on: usize) {
        let id = self.tasks[on].id.clone();
        let task = &self.tasks[at];
        let waits =
            task.dependencies.contains(&id) || task.inputs.contains(&Input::Task(id.clone()));
        if at == on || waits {
            return;
        }
        let informs = matches!(self.tasks[on].kind, TaskKind::Research | TaskKind::Review);
        match informs {
            true => self.tasks[at].inputs.push(Input::Task(id)),
            false => self.tasks[at].dependencies.push(id),
        }
    }
}

/// Whether what is in no step names other files or somebody's work, as what is to be true in the end
/// does: whoever sees to it must not be refused for that.
fn says_more(request: &Request, steps: &[Step<'_>]) -> bool {
    let is_known = |file: &File| {
        let mut steps = steps.iter();
        steps.any(|step| step.files.contains(&file.text))
    };
    let mut loose = request.loose.iter();
    loose.any(|it| {
        let said = request::read(&it.text);
        let mut mentions = said.parts.iter().flat_map(|part| &part.mentions);
        !said.files.iter().all(is_known)
            || mentions.any(|it| it.standing == Standing::Object && !it.word.contains(['.', '/']))
    })
}

pub(super) fn is_there(path: &str, facts: &Facts<'_>) -> bool {
    let files = facts.files.unwrap_or_default();
    files
        .binary_search_by(|file| file.as_str().cmp(path))
        .is_ok()
}

/// A path as a pattern: a folder stands for all in it.
pub(super) fn pattern_of(path: &str, facts: &Facts<'_>) -> String {
    let bare = path.trim_end_matches('/');
    let is_folder =
        path.ends_with('/') || (is_literal(path) && !has_ending(path) && !is_there(path, facts));
    match is_folder {
        true => format!("{bare}/**"),
        false => bare.to_owned(),
    }
}

/// What a task makes, and what it may change beside.
#[derive(Default)]
struct Touches {
    makes: Vec<String>,
    scope: Vec<String>,
}

/// What a document of each kind says, in sections.
fn sections(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Research => &["Findings"],
        Kind::Design => &["Decisions"],
        Kind::Review => &["Findings", "Reviewed", "Not reviewed"],
        Kind::Answer | Kind::Change | Kind::Test | Kind::Document | Kind::Deploy => &[],
    }
}

/// What a step takes, by its kind.
pub(super) fn estimate(request: &Request, step: &Step<'_>) -> Estimate {
    let large = request.systems.iter().any(|system| {
        system.scale >= Scale::Layer && step.of.span.holds(system.span) && system.change.is_some()
    });
    let (low, high, tokens) = match (step.kind, large) {
        (Kind::Answer | Kind::Research, _) => (10, 15, 8_000),
        (Kind::Design, _) => (10, 15, 5_000),
        (Kind::Change, false) => (10, 20, 15_000),
        (Kind::Change, true) => (20, 30, 20_000),
        (Kind::Test, _) => (15, 20, 15_000),
        (Kind::Review, _) => (10, 15, 8_000),
        (Kind::Document, _) => (5, 10, 7_000),
        (Kind::Deploy, _) => (5, 10, 4_000),
    };
    Estimate {
        duration_ms: Some(low * 60_000),
        duration_max_ms: Some(high * 60_000),
        tokens: Some(tokens),
    }
}

/// What several steps take together, as far as one task may.
pub(super) fn sum(estimates: impl Iterator<Item = Estimate>, sizes: &Sizes) -> Estimate {
    let add = |sum: Option<u64>, more: Option<u64>, max: u64| {
        let together = sum.unwrap_or(0).saturating_add(more?).min(max);
        Some(together)
    };
    estimates.fold(Estimate::default(), |sum, it| Estimate {
        duration_ms: add(sum.duration_ms, it.duration_ms, sizes.task_advised_ms),
        duration_max_ms: add(sum.duration_max_ms, it.duration_max_ms, sizes.task_ms_max),
        tokens: add(sum.tokens, it.tokens, sizes.task_tokens_max),
    })
}

/// What is gone when files are removed, renamed or moved, and what is there instead. Only a file
/// that is itself what the verb is about goes: `remove the prints from a.rs` leaves it.
fn gone(change: Change, files: &[File], facts: &Facts<'_>) -> Vec<Criterion> {
    let none = |path: &str| Criterion::Count {
        pattern: pattern_of(path, facts),
        min: 0,
        max: Some(0),
    };
    let is_one = |file: &File| is_literal(&file.text) && has_ending(&file.text);
    let is_folder = |file: &File| {
        let all = format!("{}/", file.text.trim_end_matches('/'));
        let mut files = facts.files.unwrap_or_default().iter();
        is_literal(&file.text) && (file.text == all || files.any(|path| path.starts_with(&all)))
    };
    match (change, files) {
        // `remove a.rs from b.toml` takes a mention away, not the file.
        (Change::Remove, files) if files.iter().all(|it| it.is_direct) => {
            let gone = files.iter().filter(|it| is_one(it) || is_folder(it));
            gone.map(|it| none(&it.text)).collect()
        }
        (Change::Rename | Change::Move, [from, to])
            if from.is_direct && to.standing == Standing::Place && is_one(from) && is_one(to) =>
        {
            let there = Criterion::File {
                path: to.text.clone(),
                min_bytes: 1,
            };
            vec![none(&from.text), there]
        }
        _ => Vec::new(),
    }
}

/// Whether it says that a file goes: then that is what changes.
fn is_gone(criterion: &Criterion) -> bool {
    matches!(criterion, Criterion::Count { max: Some(0), .. })
}

/// Whether a path is a file's by its name.
pub(super) fn has_ending(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.')
        .is_some_and(|(stem, ending)| !stem.is_empty() && !ending.is_empty())
}

/// A part's words with the verb that they begin with as one says what is to be done: `writing docs`.
fn in_base_form(part: &Part, text: String) -> String {
    let verb = part.verb.as_ref();
    let verb = verb.filter(|it| it.span.start == part.span.start);
    let rest = text
        .split_once(' ')
        .map(|(first, rest)| (first.ends_with("ing"), rest));
    match (verb, rest) {
        (Some(verb), Some((true, rest))) => format!("{} {rest}", verb.word),
        // `And have it reviewed and documented`
        (Some(verb), None) if text.ends_with("ed") => format!("{} it", verb.word),
        _ => text,
    }
}

/// What a task is called shortly: its part's words.
fn short(step: &Step<'_>) -> String {
    without_article(&step.of.text).to_owned()
}
