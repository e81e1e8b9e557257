//! What the words of a criterion may speak of.

use std::collections::BTreeMap;

use super::token::Token;

/// What a criterion's words may speak of: the targets, and the files that are promised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The kinds of targets, such as stories.
    pub entities: Vec<Entity>,
    /// Files that are promised once, not for each target.
    pub promises: Vec<Promise>,
}

/// A kind of target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What one of them is called, in the singular and in lower case: `story`, `user story`.
    pub names: Vec<String>,
    /// All of them: "every story" means these and no others.
    pub targets: Vec<Target>,
}

/// One target, and what is promised for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name, such as what `{story_id}` is bound to.
    pub name: String,
    /// The files that are promised for it.
    pub promises: Vec<Promise>,
}

/// A file that is promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its path.
    pub path: String,
    /// The path as the workflow has it, such as `stories/{story_id}/requirements.md`; the path
    /// itself where nothing varies.
    pub template: String,
    /// What else it is called, in the singular and in lower case, such as `test plan`. A name
    /// must mean the document, not what it is about: `requirement` would not.
    pub names: Vec<String>,
}

/// Names that people use for what a variable of a workflow calls otherwise.
const SYNONYMS: &[(&str, &[&str])] = &[("story", &["user story"])];

impl Entity {
    /// The kind of target that a variable such as `story_id` stands for.
    #[must_use]
    pub fn of_variable(variable: &str, targets: Vec<Target>) -> Entity {
        let stem = ["_id", "_name", "_key", "_no"]
            .into_iter()
            .find_map(|end| variable.strip_suffix(end))
            .unwrap_or(variable);
        let name = stem.replace('_', " ").to_ascii_lowercase();
        let synonyms = SYNONYMS.iter().filter(|(known, _)| *known == name);
        let synonyms = synonyms.flat_map(|(_, others)| others.iter().copied().map(str::to_owned));
        let names = std::iter::once(name.clone()).chain(synonyms).collect();
        Entity { names, targets }
    }
}

impl Promise {
    /// A promise without variables and other names.
    #[must_use]
    pub fn of_path(path: &str) -> Promise {
        Promise {
            path: path.to_owned(),
            template: path.to_owned(),
            names: Vec::new(),
        }
    }

    /// Whether a name such as `requirements.md` or `docs/api.md` is its path's end.
    pub(super) fn ends_with(&self, name: &str) -> bool {
        let before = self.path.strip_suffix(name);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }

    /// Its file's name.
    pub(super) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether what it is called may begin with this token: looked at before names are made, since
    /// thousands of promises are asked at each place of a sentence.
    pub(super) fn may_begin_with(&self, token: &Token) -> bool {
        let name = self.file_name();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let end = stem.find(['-', '_', ' ']).unwrap_or(stem.len());
        !self.names.is_empty() || token.is_in_any_case(&stem[..end])
    }

    /// Its file's name without its ending, as words: `technical design`.
    pub(super) fn stem(&self) -> String {
        let name = self.file_name();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        stem.replace(['-', '_'], " ").to_ascii_lowercase()
    }
}

impl Context {
    /// All promises; a path may stand in several.
    pub(super) fn each(&self) -> impl Iterator<Item = &Promise> {
        let of_targets = self.entities.iter().flat_map(|entity| &entity.targets);
        let of_targets = of_targets.flat_map(|target| &target.promises);
        self.promises.iter().chain(of_targets)
    }

    /// All promises, each path once, in the order of their paths.
    pub(super) fn all(&self) -> Vec<&Promise> {
        let mut once: BTreeMap<&str, &Promise> = BTreeMap::new();
        for promise in self.each() {
            once.entry(&promise.path).or_insert(promise);
        }
        once.into_values().collect()
    }

    /// The paths of all promises that a path with variables, such as `stories/{story_id}/a.md`,
    /// stands for; none where it is not such a one.
    pub(crate) fn of_template(&self, template: &str) -> Vec<String> {
        // There are thousands of deliverables, and nearly all of them are plain paths.
        if !template.contains('{') {
            return Vec::new();
        }
        let all = self.all().into_iter();
        let of = all.filter(|promise| promise.template == template && promise.path != template);
        of.map(|promise| promise.path.clone()).collect()
    }

    /// The names of all promised files, for suggestions.
    pub(super) fn file_names(&self) -> impl Iterator<Item = &str> {
        self.all().into_iter().map(Promise::file_name)
    }
}

/// The plural of an English noun, by the regular rules; of several words, that of the last.
pub(super) fn plural(noun: &str) -> String {
    let consonant_y = noun
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    if let Some(stem) = consonant_y {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"]
        .iter()
        .any(|end| noun.ends_with(end));
    format!("{noun}{}", if hisses { "es" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_called_as_their_variables() {
        let names = |variable| Entity::of_variable(variable, Vec::new()).names;
        assert_eq!(names("story_id"), ["story", "user story"]);
        assert_eq!(names("pull_request"), ["pull request"]);
        assert_eq!(names("incident_id"), ["incident"]);
    }

    #[test]
    fn plurals_are_regular() {
        for (one, many) in [
            ("story", "stories"),
            ("user story", "user stories"),
            ("key", "keys"),
            ("box", "boxes"),
            ("test plan", "test plans"),
        ] {
            assert_eq!(plural(one), many);
        }
    }
}
