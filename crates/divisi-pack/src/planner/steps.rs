//! From the parts of a request to steps: what kind of work each is, and which parts are too large.

use super::{Reason, ran};
use divisi_core::run::Sizes;

use crate::paths;
use crate::request::{
    Aim, Change, Exclusion, File, Mention, Part, Request, Scale, Shape, Span, Standing, Verb,
};
use crate::role::canonical;
use crate::stated::{self, Stated};

/// A request with more steps than this is a project: its plan belongs into a file.
const STEPS_MAX: usize = 50;

/// What kind of work a step is. The order is that in which kinds follow each other where the request
/// does not say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A question is answered.
    Answer,
    /// Something is found out or listed.
    Research,
    /// Something is designed.
    Design,
    /// Something is changed.
    Change,
    /// Tests are written.
    Test,
    /// Something is judged.
    Review,
    /// Documents are written.
    Document,
    /// Something is put into use.
    Deploy,
}

/// A step of the plan to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step<'r> {
    /// The part that it does, by its index.
    pub(super) part: usize,
    pub(super) of: &'r Part,
    pub(super) kind: Kind,
    /// Files that it may change, at most as many as one task may.
    pub(super) files: Vec<String>,
    /// Which of the steps that share its part's files it is, and of how many.
    pub(super) share: (usize, usize),
    /// Parts that only say to run the tests afterwards, by their index.
    pub(super) runs: Vec<usize>,
}

/// The steps of a request, statements of what must hold left out.
pub(super) fn of<'r>(
    request: &'r Request,
    stated: &[Stated],
    sizes: &Sizes,
) -> Result<Vec<Step<'r>>, Vec<Reason>> {
    let mut steps = Vec::new();
    let mut reasons = Vec::new();
    for (at, part) in request.parts.iter().enumerate() {
        if stated::covering(stated, part).is_some() {
            continue;
        }
        match kind(request, part) {
            Some(kind) => steps.extend(shares(request, at, kind, sizes)),
            None => reasons.push(Reason::NothingToDo(part.text.clone())),
        }
    }
    reasons.extend(unread(request));
    if let Some(whole) = whole(request, steps.len()) {
        reasons.push(whole);
    }
    if steps.len() > STEPS_MAX {
        reasons.push(Reason::TooLong);
    }
    if steps.is_empty() && reasons.is_empty() {
        reasons.push(Reason::NothingToDo(request.text.clone()));
    }
    match reasons.is_empty() {
        true => Ok(steps),
        false => Err(reasons),
    }
}

/// Parts that the request asks for and excludes.
pub(super) fn contradictions(request: &Request) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for part in &request.parts {
        let forbids = |it: &Exclusion| it.span.holds(part.span);
        if request.exclusions.iter().any(forbids) {
            // It only says what is not to be done.
            reasons.push(Reason::NothingToDo(part.text.clone()));
            continue;
        }
        let contradicts = request.exclusions.iter().find(|exclusion| {
            let mut files = exclusion.files.iter();
            let same_file = files.any(|file| {
                let mut own = part.files.iter();
                own.any(|it| holds(&file.text, &it.text) && must_change(request, part, it))
            });
            // A file is compared as one, not by whose work it is.
            let mentions = exclusion.mentions.iter();
            let mut mentions = mentions
                .filter(|it| it.standing == Standing::Object && !it.word.contains(['.', '/']));
            let same_work = mentions.any(|mention| {
                let is_same = |it: &Mention| it.role == mention.role && it.word == mention.word;
                part.mentions.iter().any(is_same)
                    && !is_another(request, exclusion, mention, part)
                    && is_of_files(exclusion, part, mention)
            });
            same_file || same_work
        });
        if let Some(exclusion) = contradicts {
            reasons.push(Reason::Contradiction {
                part: part.text.clone(),
                exclusion: exclusion.text.clone(),
            });
        }
    }
    reasons
}

/// Whether a part does what an exclusion says of what both name. Where only files are excluded, that is to
/// change them: `fix it until its tests pass` does not, nor does who adds tests to those that exist, or
/// mends what a test shows.
fn is_of_files(excluded: &Exclusion, part: &Part, mention: &Mention) -> bool {
    let fixes = |verb: &Verb| verb.change == Change::Fix;
    let fixes = part.verb.as_ref().is_some_and(fixes);
    let mut areas = excluded.areas.iter();
    match excluded.areas.is_empty() {
        true => !fixes || mention.role != "qa",
        false => !fixes && part.role == mention.role && areas.any(|it| !it.is_existing),
    }
}

/// Whether what is excluded says of what it is, and the part says that of something else: `deploy to
/// staging, do not deploy to production`.
fn is_another(request: &Request, excluded: &Exclusion, mention: &Mention, part: &Part) -> bool {
    let behind = request.text.get(mention.span.end..excluded.span.end);
    let mut words = behind.unwrap_or_default().split_whitespace();
    let is_of = words.next().is_some_and(|it| IS_OF.contains(&it));
    let part = part.text.to_lowercase();
    is_of && !words.all(|word| part.contains(&word.to_lowercase()))
}

/// Words behind which stands of what something is, or which of it.
const IS_OF: &[&str] = &[
    "for", "from", "in", "of", "on", "that", "to", "which", "whose",
];

/// Whether a part cannot be done without a change of a file that it names. Who reviews or describes
/// a file, writes tests of it or takes something from it may leave it as it is.
pub(super) fn must_change(request: &Request, part: &Part, file: &File) -> bool {
    let Some(kind) = kind(request, part) else {
        return false;
    };
    let before = request.text.get(part.span.start..file.span.start);
    let before = before.unwrap_or_default().split_whitespace().next_back();
    let is = |word: &str, words: &[&str]| words.contains(&word.to_lowercase().as_str());
    let takes = part.verb.as_ref().is_none_or(|it| it.change == Change::Add)
        && before.is_some_and(|word| is(word, &["from", "copy", "clone", "duplicate"]));
    let is_its_own = match kind {
        Kind::Change | Kind::Deploy => true,
        Kind::Test => is_test(&file.text),
        Kind::Document => is_text(&file.text),
        Kind::Answer | Kind::Research | Kind::Design | Kind::Review => false,
    };
    is_its_own && !takes && is_to_change(part, kind, file)
}

/// Whether a file is a document, by its path.
pub(super) fn is_text(path: &str) -> bool {
    let path = path.to_lowercase();
    let ends = [".md", ".mdx", ".rst", ".adoc", ".txt"];
    ends.iter().any(|end| path.ends_with(end)) || path.starts_with("doc")
}

/// Whether an excluded path is the other one, or a folder in which it lies.
fn holds(excluded: &str, path: &str) -> bool {
    let (excluded, path) = (excluded.trim_end_matches('/'), path.trim_end_matches('/'));
    let rest = path.strip_prefix(excluded);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Words with which a sentence says that one more thing is to be done.
const GOES_ON: &[&str] = &[
    "afterwards",
    "finally",
    "lastly",
    "next",
    "then",
    "second",
    "third",
];

/// Sentences that go on with what is to be done, of which nothing became a part.
fn unread(request: &Request) -> impl Iterator<Item = Reason> + '_ {
    let of = |span: Span| {
        let parts = request.parts.iter().map(|part| part.span);
        let exclusions = request.exclusions.iter().map(|exclusion| exclusion.span);
        let goal = request.goal.iter().map(|goal| goal.span);
        let loose = request.loose.iter();
        let told = loose.filter(|it| it.is_told);
        let mut read = parts
            .chain(exclusions)
            .chain(goal)
            .chain(told.map(|it| it.span));
        read.any(|read| read.start < span.end && span.start < read.end)
    };
    let unread = request.sentences.iter().filter(move |span| !of(**span));
    unread.filter_map(|span| {
        let text = request.text.get(span.start..span.end)?;
        let first = text.split(|c: char| !c.is_alphabetic()).next()?;
        let goes_on = GOES_ON.contains(&first.to_lowercase().as_str());
        goes_on.then(|| Reason::NothingToDo(text.to_owned()))
    })
}

/// Why a request is not divided, although its words say parts: something in it may be a part that
/// was not understood, or may take back what is one. Who does all of it reads all of it.
pub(super) fn undivided(request: &Request) -> Option<&str> {
    let spared = || request.parts.iter().find(|part| may_spare(request, part));
    let stated = stated::of(request);
    let is_stated = |span: Span| stated.iter().any(|it| it.span.holds(span));
    let mut loose = request.loose.iter();
    let loose = loose.find(|it| it.may_be_work && !is_stated(it.span));
    let loose = loose.map(|it| it.text.as_str());
    let negated = || {
        let mut parts = request.parts.iter();
        parts.find(|part| request.parts.len() > 1 && is_negated(request, part))
    };
    let taken_back = || {
        let text = &request.text;
        TAKING_BACK.iter().find_map(|said| find_words(text, said))
    };
    let chosen = || request.parts.iter().find(|part| is_choice(part));
    let of_parts = || negated().or_else(spared).or_else(chosen);
    let dropped = || crate::lint::dropped(request).filter(|_| request.parts.len() > 1);
    loose
        .or_else(|| of_parts().map(|part| part.text.as_str()))
        .or_else(taken_back)
        .or_else(dropped)
}

/// Words that take back what was said before them.
const TAKING_BACK: &[&str] = &["no wait", "no, wait", "on second thought", "scratch that"];

/// Words that negate.
const NEGATIONS: &[&str] = &[
    "ain't",
    "aren't",
    "cannot",
    "can't",
    "doesn't",
    "don't",
    "dont",
    "isn't",
    "neither",
    "never",
    "no",
    "none",
    "nor",
    "not",
    "shouldn't",
    "unneeded",
    "without",
    "won't",
];

/// Whether a part that is for somebody else than who builds has a negation, outside of what is
/// excluded: the work may not be wanted.
fn is_negated(request: &Request, part: &Part) -> bool {
    let names = part.role != "developer" || !part.files.is_empty();
    let words = part.text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    let negations = words.filter(|word| {
        let word = word.to_lowercase();
        NEGATIONS.contains(&word.as_str())
    });
    let excluded = request.exclusions.iter().chain(&request.bounds);
    let is_excluded = excluded
        .into_iter()
        .any(|it| part.span.holds(it.span) && part.text.contains(&it.text));
    let only = [
        "not only",
        "not just",
        "don't just",
        "don't only",
        "no longer",
    ];
    let is_said = only.iter().any(|it| part.text.to_lowercase().contains(it));
    names && negations.count() > 0 && !is_excluded && !is_said
}

/// Whether a part is a choice, `either tests or docs`: who does all of it chooses.
fn is_choice(part: &Part) -> bool {
    let text = part.text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| word == "either") && words.any(|word| word == "or")
}

/// Whether a file stands behind a `but`, so that it may be one that shall stay.
fn may_spare(request: &Request, part: &Part) -> bool {
    part.files.iter().any(|file| {
        let before = request.text.get(part.span.start..file.span.start);
        before.is_some_and(|before| before.split_whitespace().any(|word| word == "but"))
    })
}

/// Where words stand in a text, whatever their case.
fn find_words<'t>(text: &'t str, words: &str) -> Option<&'t str> {
    let at = text.to_ascii_lowercase().find(words)?;
    text.get(at..at + words.len())
}

/// A whole system whose parts are not told apart.
fn whole(request: &Request, steps: usize) -> Option<Reason> {
    let made = |change: Option<Change>| {
        matches!(
            change,
            Some(Change::Add | Change::Restructure | Change::Migrate)
        )
    };
    let mut systems = request.systems.iter().filter(|system| made(system.change));
    let is_whole = |scale: Scale, is_whole: bool| scale >= Scale::Platform || is_whole;
    let system = systems.find(|system| is_whole(system.scale, system.is_whole))?;
    (steps < 2).then(|| Reason::Whole(system.word.clone()))
}

/// What kind of work a part is; `None` if nothing says what is to be done.
fn kind(request: &Request, part: &Part) -> Option<Kind> {
    if request.is_question || request.parts.len() == 1 && ran::is_run(part) {
        // What the tests say is an answer, too.
        return Some(Kind::Answer);
    }
    if is_judgment(part) {
        return Some(Kind::Review);
    }
    let Some(verb) = &part.verb else {
        return kind_without_verb(request, part);
    };
    Some(match verb.change.aim() {
        // `List these in CHANGELOG.md: …` finds nothing out.
        Aim::Finding if part.role == "tech_writer" && lists_what_is_said(part) => Kind::Document,
        Aim::Finding => Kind::Research,
        Aim::Design => Kind::Design,
        Aim::Judgment => Kind::Review,
        Aim::Tests => Kind::Test,
        Aim::Documents => Kind::Document,
        Aim::Use => match of_role(part.role) {
            Kind::Change => Kind::Deploy,
            // `Release notes` are a document.
            other => other,
        },
        Aim::Alteration if is_document(part) => Kind::Document,
        Aim::Alteration => of_role(part.role),
    })
}

fn lists_what_is_said(part: &Part) -> bool {
    let text = part.text.to_lowercase();
    let lists = ["list these", "list the following"];
    lists.iter().any(|it| text.starts_with(it)) && part.files.len() == 1
}

fn is_document(part: &Part) -> bool {
    names(part, DOCUMENTS)
}

/// Whether one of these words is what the part is about.
fn names(part: &Part, words: &[&str]) -> bool {
    let mut mentions = part.mentions.iter();
    mentions.any(|mention| {
        let word = canonical(&mention.word);
        let one = word.strip_suffix('s').unwrap_or(&word);
        mention.standing == Standing::Object && words.contains(&one)
    })
}

/// What a change is for a role that does not develop.
fn of_role(role: &str) -> Kind {
    match role {
        "qa" => Kind::Test,
        "tech_writer" | "documentation" => Kind::Document,
        "architect" | "data_architect" | "product_analyst" => Kind::Design,
        _ => Kind::Change,
    }
}

/// Documents, whatever role writes them.
const DOCUMENTS: &[&str] = &["release_note", "runbook"];

/// Words that put something into use.
const DEPLOYMENTS: &[&str] = &["deploy", "deployment", "rollout"];

/// Words that make a judgment of what their part asks to `add` or `run`.
const JUDGMENTS: &[&str] = &[
    "audit",
    "pentest",
    "penetration_test",
    "security_audit",
    "security_review",
    "security_scan",
    "threat_model",
];

fn is_judgment(part: &Part) -> bool {
    let fixes = part
        .verb
        .as_ref()
        .is_some_and(|verb| verb.change == Change::Fix);
    names(part, JUDGMENTS) && !fixes
}

fn kind_without_verb(request: &Request, part: &Part) -> Option<Kind> {
    let after = request.text.get(part.span.end..).unwrap_or_default();
    if after.trim_start().starts_with('?') {
        return Some(Kind::Research);
    }
    let mut words = part.text.split(|c: char| !c.is_alphanumeric());
    if words.any(|word| word.eq_ignore_ascii_case("review")) {
        return Some(Kind::Review);
    }
    let statements = request.loose.iter();
    let mut needed = statements.filter(|it| it.is_told && it.may_be_work);
    if needed.any(|it| it.span.start == part.span.start) {
        // Nobody can say what it asks for; who does all of it reads it.
        return Some(of_role(part.role));
    }
    if part.mentions.is_empty() && part.files.is_empty() {
        // What an arrow or a list names is to be done, whatever it is.
        let is_listed = matches!(part.shape, Shape::Step | Shape::Numbered | Shape::Item);
        return is_listed.then_some(Kind::Change);
    }
    Some(match part.role {
        "security_analyst" | "security" | "performance_engineer" => Kind::Review,
        "inventory" => Kind::Research,
        "devops" | "cicd" | "sre" if names(part, DEPLOYMENTS) => Kind::Deploy,
        role => of_role(role),
    })
}

/// Whether a file that a part names is one that it changes. What is only referred to is not, and
/// what is translated, ported or tested stays, while others are made of it.
fn is_to_change(part: &Part, kind: Kind, file: &File) -> bool {
    let tests = part
        .verb
        .as_ref()
        .is_some_and(|verb| verb.change == Change::Test);
    let stays = is_made_of(part) || tests && !is_test(&file.text);
    let is_subject = stays && matches!(kind, Kind::Change | Kind::Test | Kind::Document);
    file.standing != Standing::Aside && !is_subject
}

/// Whether other files are made of those that a part is about.
pub(super) fn is_made_of(part: &Part) -> bool {
    let words = ["convert", "extract", "port", "split", "translate"];
    part.verb
        .as_ref()
        .is_some_and(|verb| words.contains(&verb.word))
}

/// Whether a file holds tests, by its path.
fn is_test(path: &str) -> bool {
    path.to_lowercase().contains("test") || path.to_lowercase().contains("spec")
}

/// The step of a part, or one for each share of its files if there are too many for one task.
fn shares<'r>(request: &'r Request, at: usize, kind: Kind, sizes: &Sizes) -> Vec<Step<'r>> {
    let part = &request.parts[at];
    let kept = request.kept();
    let named = part
        .files
        .iter()
        .filter(|file| is_to_change(part, kind, file));
    let mut files: Vec<String> = named.map(|file| file.text.clone()).collect();
    let mut seen = std::collections::HashSet::new();
    // Not all that looks like a path can be one of this tree.
    let is_path = |file: &str| {
        let file = file.trim_end_matches('/');
        let is_kept = kept.iter().any(|kept| holds(kept, file));
        !is_kept && paths::fault(file).is_none() && paths::pattern_fault(file).is_none()
    };
    files.retain(|file| is_path(file) && seen.insert(file.clone()));
    let changes = matches!(kind, Kind::Change | Kind::Test | Kind::Document);
    let most = usize::try_from(sizes.task_files_max).unwrap_or(usize::MAX);
    let chunks: Vec<Vec<String>> = match changes && files.len() > most {
        true => files.chunks(most).map(<[String]>::to_vec).collect(),
        false => vec![files],
    };
    let count = chunks.len();
    let steps = chunks.into_iter().enumerate().map(|(share, files)| Step {
        part: at,
        of: part,
        kind,
        files,
        share: (share, count),
        runs: Vec::new(),
    });
    steps.collect()
}
