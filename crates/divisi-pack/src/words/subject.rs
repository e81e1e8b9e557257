//! The subject of a sentence: which files it speaks of.
//!
//! Paths are meant as written, from the tree's root. Files that are promised may be called by
//! what the context calls them. "All" and "every" mean all; a subject that could be fewer, such as
//! "most" or "the first", is none.

use divisi_core::Format;

use super::context::{Context, Entity, Promise, plural};
use super::slot::{self, Candidate, Element, Value, has_variable};
use super::token::{Token, ending, is_pattern};
use super::why::Why;
use crate::nearest::nearest;

/// The files that a sentence speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// These.
    Files {
        paths: Vec<String>,
        /// Whether they were named as promises: then they are not empty.
        promised: bool,
    },
    /// All that match a pattern.
    Each {
        pattern: String,
        /// The format that they were called by.
        format: Option<Format>,
    },
}

/// What all promised files are called, whatever they are.
const PROMISED: &[&str] = &[
    "deliverable",
    "required deliverable",
    "promised file",
    "required file",
];

/// In which number the noun after a quantifier stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Noun {
    Singular,
    Plural,
}

pub(super) fn candidates(tokens: &[Token], context: &Context) -> Vec<Candidate> {
    let mut found: Vec<Element<Subject>> = vec![
        paths(tokens, context),
        possessive(tokens, context),
        of_every(tokens, context),
    ];
    for (noun, taken, is_the) in quantifiers(tokens) {
        let rest = &tokens[taken..];
        let mut of_quantifier = vec![promised(rest, noun, context)];
        // "The JSON files" may be some that were spoken of before.
        if !is_the {
            of_quantifier.push(called_by_file(rest, noun, context));
            of_quantifier.push(matching(rest, noun));
        }
        let after = |element: Element<Subject>| element.map(|(what, more)| (what, taken + more));
        found.extend(of_quantifier.into_iter().map(after));
    }
    let values = found.into_iter().flatten();
    values
        .map(|(subject, taken)| (subject.map(Value::Subject), taken))
        .collect()
}

/// Paths only, without quantifiers.
pub(super) fn named_files(tokens: &[Token], context: &Context) -> Option<Candidate> {
    let (subject, taken) = paths(tokens, context)?;
    Some((subject.map(Value::Subject), taken))
}

/// The quantifiers that the tokens begin with: the number of the noun that follows, how many
/// tokens, and whether it is a mere "the". Without a quantifier, "stories have …" and
/// "deliverables exist" may mean most or some.
fn quantifiers(tokens: &[Token]) -> Vec<(Noun, usize, bool)> {
    let begins = |words: &[&str]| {
        let fits = words
            .iter()
            .zip(tokens)
            .filter(|(word, token)| token.is(word));
        fits.count() == words.len()
    };
    let all: &[(&[&str], Noun, bool)] = &[
        (&["every"], Noun::Singular, false),
        (&["each"], Noun::Singular, false),
        (&["each", "of", "the"], Noun::Plural, false),
        (&["all"], Noun::Plural, false),
        (&["all", "the"], Noun::Plural, false),
        (&["all", "of", "the"], Noun::Plural, false),
        (&["the"], Noun::Plural, true),
    ];
    let fitting = all.iter().filter(|(words, _, _)| begins(words));
    fitting
        .map(|(words, noun, is_the)| (*noun, words.len(), *is_the))
        .collect()
}

/// How many tokens the noun takes, if the tokens begin with it.
fn noun(tokens: &[Token], name: &str, number: Noun) -> Option<usize> {
    let name = match number {
        Noun::Singular => name.to_owned(),
        Noun::Plural => plural(name),
    };
    let words: Vec<&str> = name.split(' ').collect();
    let fits = words.iter().zip(tokens).all(|(word, token)| token.is(word));
    (fits && !name.is_empty() && tokens.len() >= words.len()).then_some(words.len())
}

/// All targets of a kind: "every story", "all of the user stories", "the stories".
pub(super) fn every(tokens: &[Token], context: &Context) -> Vec<(Result<usize, Why>, usize)> {
    let mut found = Vec::new();
    for (number, before, _) in quantifiers(tokens) {
        for (at, entity) in context.entities.iter().enumerate() {
            let names = entity.names.iter();
            let taken = names
                .filter_map(|name| noun(&tokens[before..], name, number))
                .max();
            if let Some(taken) = taken {
                let known = match entity.targets.is_empty() {
                    true => Err(Why::NoTargets),
                    false => Ok(at),
                };
                found.push((known, before + taken));
            }
        }
    }
    found
}

/// The files of these names that are promised for each target.
pub(super) fn promised_for(
    entity: &Entity,
    names: &[String],
    context: &Context,
) -> Result<Vec<String>, Why> {
    let mut paths = Vec::new();
    for name in names {
        for target in &entity.targets {
            let fits = |promise: &&Promise| promise.template == *name || promise.ends_with(name);
            let mut found = target.promises.iter().filter(fits);
            match (found.next(), found.next()) {
                (Some(promise), None) => paths.push(promise.path.clone()),
                (Some(first), Some(second)) => {
                    return Err(Why::Ambiguous {
                        first: first.path.clone(),
                        second: second.path.clone(),
                    });
                }
                (None, _) => return Err(unknown(name, context)),
            }
        }
    }
    Ok(paths)
}

fn unknown(name: &str, context: &Context) -> Why {
    Why::Unknown {
        name: name.to_owned(),
        nearest: nearest(name, context.file_names()).map(str::to_owned),
    }
}

/// Paths: "a.md", "a.md and b.md", "the file `a`", "both a.md and b.md".
fn paths(tokens: &[Token], context: &Context) -> Element<Subject> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let article = usize::from(is(0, "the"));
    if is(article, "file") {
        let (path, taken) = exact(tokens.get(article + 1..)?, context)?;
        return Some((path.map(files), article + 1 + taken));
    }
    let is_files = is(article, "files");
    let (before, element): (usize, fn(&[Token], &Context) -> _) = match is_files {
        true => (article + 1, exact),
        false => (usize::from(is(0, "both")), named),
    };
    let listed = |tokens: &[Token]| element(tokens, context);
    let (listed, taken) = slot::list(tokens.get(before..)?, &["and"], listed)?;
    let fits = match (is_files, before) {
        (false, 0) => true,
        // "the files a.md", "both a.md": one is too few.
        _ => listed.as_ref().is_ok_and(|all| all.len() > 1),
    };
    fits.then(|| (listed.map(|all| files(all.concat())), before + taken))
}

fn files(paths: Vec<String>) -> Subject {
    Subject::Files {
        paths,
        promised: false,
    }
}

/// A path after "the file": in quotation marks it is taken to the letter, whatever its ending, and
/// from the tree's root even where a promised file ends so.
fn exact(tokens: &[Token], context: &Context) -> Element<Vec<String>> {
    let first = tokens.first()?;
    match slot::quoted(first) {
        Some(raw) if !is_pattern(&raw) => {
            let path = crate::paths::fault(&raw).map_or(Ok(vec![raw.clone()]), |fault| {
                Err(Why::Path { path: raw, fault })
            });
            Some((path, 1))
        }
        _ => named(tokens, context),
    }
}

/// A path that is certainly one. A template of promised files means all of them.
fn named(tokens: &[Token], context: &Context) -> Element<Vec<String>> {
    let first = tokens.first()?;
    if let Token::Path(raw) | Token::Back(raw) = first
        && has_variable(raw)
    {
        let paths = context.of_template(raw);
        let known = match paths.is_empty() {
            true => Err(unknown(raw, context)),
            false => Ok(paths),
        };
        return Some((known, 1));
    }
    let path = slot::path(&slot::plain_path(first)?).and_then(|path| {
        let is_promised = context.each().any(|promise| promise.path == path);
        let elsewhere = context.each().filter(|promise| promise.ends_with(&path));
        let elsewhere = elsewhere.min_by(|one, other| one.path.cmp(&other.path));
        match elsewhere {
            Some(promise) if !is_promised => Err(Why::Ambiguous {
                second: promise.path.clone(),
                first: path,
            }),
            _ => Ok(vec![path]),
        }
    });
    Some((path, 1))
}

/// "every story's requirements.md".
fn possessive(tokens: &[Token], context: &Context) -> Element<Subject> {
    if !matches!(tokens.first(), Some(first) if first.is("every") || first.is("each")) {
        return None;
    }
    for entity in &context.entities {
        for name in &entity.names {
            let owner = format!("{name}'s");
            let Some(taken) = noun(&tokens[1..], &owner, Noun::Singular) else {
                continue;
            };
            let (names, more) = slot::list(&tokens[1 + taken..], &["and"], slot::name)?;
            let of = names.and_then(|names| for_each(entity, &names, context));
            return Some((of, 1 + taken + more));
        }
    }
    None
}

/// "the requirements.md of every story".
fn of_every(tokens: &[Token], context: &Context) -> Element<Subject> {
    let before = usize::from(tokens.first()?.is("the"));
    let (names, taken) = slot::list(&tokens[before..], &["and"], slot::name)?;
    let at = before + taken;
    let is_of = |token: &Token| token.is("of") || token.is("for");
    tokens.get(at).filter(|token| is_of(token))?;
    let (entity, more) = every(&tokens[at + 1..], context).into_iter().next()?;
    let of = entity.and_then(|entity| for_each(&context.entities[entity], &names?, context));
    Some((of, at + 1 + more))
}

fn for_each(entity: &Entity, names: &[String], context: &Context) -> Result<Subject, Why> {
    if entity.targets.is_empty() {
        return Err(Why::NoTargets);
    }
    let paths = promised_for(entity, names, context)?;
    Ok(Subject::Files {
        paths,
        promised: true,
    })
}

/// Promised files by what they are called: "deliverables", "test plans", "requirements documents".
fn promised(tokens: &[Token], number: Noun, context: &Context) -> Element<Subject> {
    let everything = PROMISED.iter().find_map(|name| noun(tokens, name, number));
    let first = tokens.first()?;
    if everything.is_none() && !context.each().any(|promise| promise.may_begin_with(first)) {
        return None;
    }
    let all = context.all();
    let mut best: Option<(usize, Vec<String>)> = None;
    if let Some(taken) = everything {
        best = Some((
            taken,
            all.iter().map(|promise| promise.path.clone()).collect(),
        ));
    }
    for promise in all {
        let stem = promise.stem();
        let documents = ["document", "file"].map(|kind| format!("{stem} {kind}"));
        let names = promise.names.iter().chain(&documents);
        let taken = names.filter_map(|name| noun(tokens, name, number)).max();
        match (taken, &mut best) {
            (Some(taken), Some((most, paths))) if taken == *most && everything.is_none() => {
                paths.push(promise.path.clone());
            }
            (Some(taken), best) if best.as_ref().is_none_or(|(most, _)| taken > *most) => {
                *best = Some((taken, vec![promise.path.clone()]));
            }
            _ => {}
        }
    }
    let (taken, paths) = best?;
    let subject = match paths.is_empty() {
        true => Err(Why::NoTargets),
        false => Ok(Subject::Files {
            paths,
            promised: true,
        }),
    };
    Some((subject, taken))
}

/// "every requirements.md", "all requirements.md files".
fn called_by_file(tokens: &[Token], number: Noun, context: &Context) -> Element<Subject> {
    let name = slot::plain_path(tokens.first()?)?;
    let kind = |word: &str| usize::from(tokens.get(1).is_some_and(|token| token.is(word)));
    let taken = match number {
        Noun::Singular => 1 + kind("file"),
        Noun::Plural if kind("files") == 1 => 2,
        Noun::Plural => return None,
    };
    let all = context.all().into_iter();
    let paths = all.filter(|promise| promise.ends_with(&name));
    let paths: Vec<String> = paths.map(|promise| promise.path.clone()).collect();
    let subject = match paths.is_empty() {
        true => Err(unknown(&name, context)),
        false => Ok(Subject::Files {
            paths,
            promised: true,
        }),
    };
    Some((subject, taken))
}

/// All files that match: "files matching docs/*.md", "JSON files", "YAML files in config/".
fn matching(tokens: &[Token], number: Noun) -> Element<Subject> {
    let is = |at: usize, words: &[&str]| {
        let token = tokens.get(at)?;
        words.iter().any(|word| token.is(word)).then_some(())
    };
    let file = match number {
        Noun::Singular => "file",
        Noun::Plural => "files",
    };
    let each = |pattern: Result<String, Why>, format| {
        pattern.map(|pattern| Subject::Each { pattern, format })
    };
    if let Some(format) = slot::format(tokens.first()?) {
        is(1, &[file])?;
        let folder = is(2, &["in", "under"]).and_then(|()| slot::folder(tokens.get(3)?));
        let (before, taken) = match folder {
            Some(folder) => (format!("{folder}/"), 4),
            None => (String::new(), 2),
        };
        let pattern = slot::pattern(&format!("{before}**/*.{}", endings(format)));
        return Some((each(pattern, Some(format)), taken));
    }
    if let Token::Path(raw) | Token::Back(raw) = tokens.first()?
        && is_pattern(raw)
        && !has_variable(raw)
    {
        let taken = match (is(1, &[file]), number) {
            (Some(()), _) => 2,
            (None, Noun::Singular) => 1,
            (None, Noun::Plural) => return None,
        };
        return Some((each(slot::pattern(raw), None), taken));
    }
    is(0, &[file])?;
    if is(1, &["in", "under"]).is_some() {
        let folder = slot::folder(tokens.get(2)?)?;
        return Some((each(slot::beneath(&folder), None), 3));
    }
    let words = match (is(1, &["matching"]), is(1, &["that"])) {
        (Some(()), _) => 2,
        (None, Some(())) => is(2, &["match", "matches"]).map(|()| 3)?,
        (None, None) => return None,
    };
    let (Token::Path(raw) | Token::Back(raw)) = tokens.get(words)? else {
        return None;
    };
    Some((each(slot::pattern(raw), None), words + 1))
}

/// The endings of a format's files, as the end of a pattern.
fn endings(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Yaml => "{yaml,yml}",
        Format::Toml => "toml",
        Format::Markdown => "md",
    }
}

/// The format that a path's ending stands for.
pub(super) fn format_of(path: &str) -> Option<Format> {
    match ending(path)? {
        "json" => Some(Format::Json),
        "yaml" | "yml" => Some(Format::Yaml),
        "toml" => Some(Format::Toml),
        "md" | "markdown" => Some(Format::Markdown),
        _ => None,
    }
}
