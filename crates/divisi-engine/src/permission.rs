//! What a run's rules say of a request for leave.
//!
//! The first rule that fits counts, for each file of a request by itself; of several files the
//! strictest ruling counts. Without a rule, [`usual`] says what holds.
//!
//! A request is written by an agent, so what it names is not what it seems. Each path is looked at
//! twice: as it reads, and as the system would follow it through links and `..`; the stricter
//! counts. A command line that allows something must be a plain one: what a shell would make of it
//! is not guessed. None of this is a wall: what an agent's program does is bounded by the kernel
//! alone. It says what an agent that asks is told.

use std::path::{Component, Path, PathBuf};

use divisi_core::permission::{Deed, PATH_BYTES_MAX, Request, Rule, Ruled, Ruling};
use globset::{GlobBuilder, GlobMatcher};

/// A path that leads deeper is not followed: looking costs a call of the system for each folder.
const COMPONENTS_MAX: usize = 256;

/// What a shell gives a meaning of its own. In quotes it would have none, but that is the shell's
/// to say.
const SHELL_SIGNS: [char; 12] = [
    ';', '&', '|', '<', '>', '$', '`', '(', ')', '\n', '\r', '\0',
];

/// Whose request it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    /// The role of its task.
    pub(crate) role: Option<&'a str>,
    /// The folder that it works in.
    pub(crate) workspace: &'a Path,
    /// Other folders that it may write to.
    pub(crate) granted: &'a [PathBuf],
    /// Whether its writes are not confined.
    pub(crate) unconfined: bool,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Beneath the workspace, relative to it; the workspace itself is `.`.
    Within(String),
    /// Beneath another folder that it may write to.
    Granted(String),
    /// Elsewhere.
    Beyond(String),
    /// That cannot be told.
    Unclear,
}

/// What the rules say of a request. Its paths are put as the rules see them.
pub(crate) fn ruled<'r>(
    request: &mut Request,
    rules: impl Iterator<Item = &'r Rule>,
    asker: Asker<'_>,
) -> Ruled {
    let rules: Vec<(&Rule, Option<GlobMatcher>)> = rules
        .filter(|rule| concerns(rule, request, asker.role))
        .map(|rule| (rule, rule.path.as_deref().and_then(matcher)))
        .collect();
    let mut places = Vec::new();
    for path in &mut request.paths {
        let (read, followed) = (as_it_reads(path, asker), as_followed(path, asker));
        if let Place::Within(it) | Place::Granted(it) | Place::Beyond(it) = &followed {
            path.clone_from(it);
        }
        places.extend([Some(read), Some(followed)]);
    }
    if places.is_empty() {
        places.push(None);
    }
    let each = places.iter().map(|place| {
        let fits = |(rule, glob): &&(&Rule, Option<GlobMatcher>)| {
            rule.path.is_none() || fits(rule, glob.as_ref(), place.as_ref())
        };
        let rule = rules.iter().find(fits);
        match rule {
            Some((rule, _)) => Ruled {
                ruling: rule.then,
                because: format!("the rule {rule}"),
            },
            None => usual(request.deed, place.as_ref(), asker.unconfined),
        }
    });
    let strictest = each.reduce(|one, other| match other.ruling > one.ruling {
        true => other,
        false => one,
    });
    strictest.expect("there is at least one place")
}

/// What holds where no rule says anything.
fn usual(deed: Deed, place: Option<&Place>, unconfined: bool) -> Ruled {
    let (ruling, because) = match (deed, place) {
        // A program that it runs may do all of this, within what the kernel allows.
        (Deed::Execute | Deed::Fetch, _) => (Ruling::Allow, "usual: nothing forbids it"),
        (Deed::Other, _) => (Ruling::Ask, "usual: what is unknown is asked"),
        (_, Some(Place::Within(_))) => (Ruling::Allow, "usual: within its workspace"),
        (_, Some(Place::Granted(_))) => (Ruling::Allow, "usual: within what is granted"),
        (Deed::Read, Some(Place::Beyond(_))) => (Ruling::Ask, "usual: beyond its workspace"),
        (_, Some(Place::Beyond(_))) if unconfined => (Ruling::Ask, "usual: beyond its workspace"),
        (_, Some(Place::Beyond(_))) => (
            Ruling::Deny,
            "usual: it may write only in its workspace and where grants.allow_write says",
        ),
        (_, None | Some(Place::Unclear)) => (Ruling::Ask, "usual: its path cannot be told"),
    };
    Ruled {
        ruling,
        because: because.to_owned(),
    }
}

/// Whether a rule is about such a request at all, whatever its files.
fn concerns(rule: &Rule, request: &Request, role: Option<&str>) -> bool {
    let words = request.command.as_deref().unwrap_or(&request.title);
    let begins = |with: &String| match rule.then {
        Ruling::Allow if rule.exact => words == with,
        // An address is no line for a shell.
        Ruling::Allow if request.deed == Deed::Fetch => is_below(words, with),
        Ruling::Allow => is_plainly(words, with),
        Ruling::Ask | Ruling::Deny => any_begins(words, with),
    };
    rule.is_of(role)
        && rule.deed.is_none_or(|deed| deed == request.deed)
        && rule.command.as_ref().is_none_or(begins)
        && (rule.path.is_none() || request.deed.is_of_files() || !request.paths.is_empty())
}

/// Whether a rule with a pattern fits a place. Where it is not known which file is meant, what
/// allows something does not fit, and what forbids it does.
fn fits(rule: &Rule, glob: Option<&GlobMatcher>, place: Option<&Place>) -> bool {
    let is_strict = rule.then != Ruling::Allow;
    let is_absolute = rule
        .path
        .as_deref()
        .is_some_and(|path| path.starts_with('/'));
    let matches = |path: &str| {
        let Some(glob) = glob else { return is_strict };
        // Who removes or moves a folder does so to all that is in it.
        glob.is_match(path) || (is_strict && glob.is_match(Path::new(path).join("it")))
    };
    match place {
        None | Some(Place::Unclear) => is_strict,
        Some(Place::Within(path)) => !is_absolute && matches(path),
        Some(Place::Granted(path) | Place::Beyond(path)) => is_absolute && matches(path),
    }
}

/// The pattern, as those of criteria are read. One that does not parse was refused where it was
/// said; whoever said it otherwise forbade more than was meant, and allowed nothing.
fn matcher(pattern: &str) -> Option<GlobMatcher> {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    let built = GlobBuilder::new(pattern).literal_separator(true).build();
    built.ok().map(|glob| glob.compile_matcher())
}

/// Whether words are these, or begin with them and hold nothing that a shell would read.
fn is_plainly(words: &str, with: &str) -> bool {
    words == with || (begins(words, with) && !words.contains(SHELL_SIGNS))
}

/// Whether an address is this one, or one below it: what follows belongs neither to its host nor to
/// a name in its path, and leads nowhere else.
fn is_below(address: &str, with: &str) -> bool {
    /// Nothing else ends a host: all else may stand in a name before `@`, or in the host's own.
    const HOST_ENDS: &[char] = &['/', '?', '#'];
    const PATH_ENDS: &[char] = &['/', '?', '#', '&', ' '];
    let Some(rest) = address.strip_prefix(with) else {
        return false;
    };
    let named = with.split_once("//").map_or(with, |(_, named)| named);
    let ends = if named.contains('/') {
        PATH_ENDS
    } else {
        HOST_ENDS
    };
    let is_apart = with.ends_with(ends) || rest.starts_with(ends);
    rest.is_empty() || (is_apart && !leads_up(rest))
}

/// Whether a path in an address leads above where it begins, as whoever fetches it may read it:
/// dots may be escaped, `\` is `/` to many, and signs that are not seen are left out.
fn leads_up(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_up = |name: &str| name.to_ascii_lowercase().replace("%2e", ".") == "..";
    path.contains(char::is_control) || path.split(['/', '\\']).any(is_up)
}

/// Whether any command of a line begins with these words, as far as that can be seen.
fn any_begins(words: &str, with: &str) -> bool {
    let commands = words.split(SHELL_SIGNS).map(without_variables);
    begins(words, with) || commands.into_iter().any(|command| begins(command, with))
}

fn begins(words: &str, with: &str) -> bool {
    let Some(rest) = words.trim_start().strip_prefix(with) else {
        return false;
    };
    // `git push` is not the beginning of `git pushed`.
    let ends_in_word = with.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
    !ends_in_word || !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

/// A command without the variables that are set for it alone.
fn without_variables(command: &str) -> &str {
    let mut command = command.trim_start();
    while let Some((word, rest)) = command.split_once(char::is_whitespace)
        && word.contains('=')
        && !word.starts_with('-')
    {
        command = rest.trim_start();
    }
    command
}

/// Where a path leads if nothing on its way is a link.
fn as_it_reads(told: &str, asker: Asker<'_>) -> Place {
    let Some(path) = joined(told, asker.workspace) else {
        return Place::Unclear;
    };
    let mut at = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => at.push(name),
            Component::ParentDir => _ = at.pop(),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    placed(&at, asker)
}

/// Where the system would follow a path to. What is not there yet is no link.
fn as_followed(told: &str, asker: Asker<'_>) -> Place {
    let Some(path) = joined(told, asker.workspace) else {
        return Place::Unclear;
    };
    let mut at = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                at.push(name);
                if std::fs::symlink_metadata(&at).is_ok_and(|it| it.file_type().is_symlink()) {
                    match at.canonicalize() {
                        Ok(leads_to) => at = leads_to,
                        Err(_) => return Place::Unclear,
                    }
                }
            }
            Component::ParentDir => _ = at.pop(),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    placed(&at, asker)
}

/// The whole path, where it is one that can be followed. A shell's `~` is not for us to read.
fn joined(told: &str, workspace: &Path) -> Option<PathBuf> {
    let path = workspace.join(told);
    let fits = told.len() <= PATH_BYTES_MAX
        && !told.contains('\0')
        && !told.starts_with('~')
        && path.components().count() <= COMPONENTS_MAX;
    fits.then_some(path)
}

/// What a path without links is: the folders may be told through links themselves.
fn placed(path: &Path, asker: Asker<'_>) -> Place {
    let beneath = |folder: &Path| {
        let real = folder.canonicalize();
        let real = real.as_deref().unwrap_or(folder);
        let rest = path
            .strip_prefix(folder)
            .or_else(|_| path.strip_prefix(real));
        rest.ok().map(Path::to_owned)
    };
    let text = |path: &Path| path.to_str().map(str::to_owned);
    let (place, path): (fn(String) -> Place, _) = match beneath(asker.workspace) {
        Some(rest) if rest.as_os_str().is_empty() => return Place::Within(".".to_owned()),
        Some(rest) => (Place::Within, text(&rest)),
        None if asker.granted.iter().any(|it| beneath(it).is_some()) => {
            (Place::Granted, text(path))
        }
        None => (Place::Beyond, text(path)),
    };
    path.map_or(Place::Unclear, place)
}

#[cfg(test)]
mod tests;
