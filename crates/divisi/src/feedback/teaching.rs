//! Lessons of what was found: the change that a pattern asks for, as a diff of a text that the
//! project has, or of the one that it would get as its own.

use divisi_core::Criterion;
use divisi_pack::lesson::{self, Lesson, Status};
use divisi_pack::role::{self, Role};
use divisi_pack::{TEXT_BYTES_MAX, template};

use super::{Change, Feedback, Pattern};
use crate::config::Configuration;
use crate::lessons::{Kept, Lessons};
use crate::library::files::beneath;
use crate::library::{Layer, Library, LoadedRoles};
use crate::printer::{Failure, Printer};
use crate::project::{CONFIG, Project};

/// A text before and after a change.
struct Edit {
    /// The project's file.
    target: String,
    /// Where the text stands now.
    made_of: String,
    before: String,
    after: String,
    /// Whether the project has no such file yet and gets a copy.
    is_copied: bool,
}

/// Keeps a lesson for each pattern that has one, and names it there. Gives back those that are kept.
///
/// # Errors
/// Roles or configuration cannot be read, or lessons cannot be written.
pub(crate) fn teach(
    project: &Project,
    feedback: &mut Feedback,
    printer: &Printer,
) -> Result<Vec<Kept>, Failure> {
    let teaches = |pattern: &Pattern| pattern.change != Change::Nothing;
    if !feedback.patterns.iter().any(teaches) {
        return Ok(Vec::new());
    }
    let library = Library::of(project);
    let loaded = library.roles();
    let roles = loaded.told(printer)?;
    let configuration = Configuration::load(project, Default::default(), printer)?;
    let known = Known {
        project,
        library: &library,
        loaded: &loaded,
        roles,
        configuration: &configuration,
    };
    let lessons = Lessons::open(project)?;
    let mut all: Vec<Kept> = Vec::new();
    for pattern in &mut feedback.patterns {
        let Some((edit, words)) = known.edit(&pattern.change) else {
            continue;
        };
        let kept = Kept {
            lesson: Lesson {
                version: lesson::VERSION,
                id: lesson::id(pattern.rule, &edit.target, &words),
                status: Status::Proposed,
                run: feedback.run.clone(),
                rule: pattern.rule.to_owned(),
                seen: pattern.seen.clone(),
                diff: lesson::diff(&edit.target, &edit.before, &edit.after),
                target: edit.target,
                made_of: edit.made_of,
            },
            copy: edit.is_copied.then_some(edit.before),
        };
        let kept = lessons.propose(project, kept)?;
        pattern.lesson = Some(kept.lesson.id.clone());
        all.push(kept);
    }
    Ok(all)
}

/// What the project, its user and Divisi say now.
struct Known<'k> {
    project: &'k Project,
    library: &'k Library,
    loaded: &'k LoadedRoles,
    roles: &'k role::Library,
    configuration: &'k Configuration,
}

impl Known<'_> {
    /// The edit of a change, with what makes it this one; none if it is not to be made, or cannot
    /// be made line by line.
    fn edit(&self, change: &Change) -> Option<(Edit, String)> {
        let of_task = |domain: &Option<String>, function: &Option<String>| {
            self.roles.of_task(domain.as_deref(), function.as_deref())
        };
        match change {
            Change::Bind {
                domain,
                function,
                words,
            } => {
                let edit = self.role(of_task(domain, function)?, words)?;
                Some((edit, words.clone()))
            }
            Change::Extend {
                domain,
                function,
                section,
            } => {
                let edit = self.template(of_task(domain, function)?, section)?;
                Some((edit, section.to_string()))
            }
            Change::Points(ratio) => {
                let ms = self.configuration.config.ms_per_point as f64 * ratio;
                self.minutes("allocation", "minutes_per_point", ms)
            }
            Change::TimeBox(ms) => {
                let is_shorter = self.configuration.config.timeout_ms < *ms;
                is_shorter.then(|| self.minutes("run", "timeout_minutes", *ms as f64))?
            }
            Change::Nothing => None,
        }
    }

    fn role(&self, role: &Role, words: &str) -> Option<Edit> {
        let origin = self.loaded.origins.get(&role.id)?.first()?;
        let own = format!("roles/{}.yaml", role.id);
        let before = match origin.layer {
            Layer::Project | Layer::User => self.loaded.text(&origin.path)?.to_owned(),
            Layer::BuiltIn => {
                let found = role::BUILT_IN.iter().find(|(path, _)| *path == origin.path);
                found?.1.to_owned()
            }
        };
        let is_copied = origin.layer != Layer::Project;
        // A copy of a file of several roles would say those anew, too; and another role may stand
        // where the copy would.
        let is_alone = role::read(&own, before.as_bytes()).roles?.len() == 1;
        if is_copied && (!is_alone || self.project.folder().join(&own).exists()) {
            return None;
        }
        Some(Edit {
            target: if is_copied { own } else { origin.path.clone() },
            made_of: origin.path.clone(),
            after: lesson::bind_role(&before, role, words)?,
            before,
            is_copied,
        })
    }

    fn template(&self, role: &Role, section: &Criterion) -> Option<Edit> {
        let name = format!("{}.md.j2", role.id.replace('_', "-"));
        let loaded = self.library.templates();
        let origin = loaded.origins.get(&name)?.first()?.clone();
        let before = match origin.layer {
            Layer::Project => loaded.layers[0].get(&name)?.clone(),
            Layer::User => loaded.layers[1].get(&name)?.clone(),
            Layer::BuiltIn => {
                let found = template::BUILT_IN
                    .iter()
                    .find(|(built_in, _)| *built_in == name);
                found?.1.to_owned()
            }
        };
        Some(Edit {
            target: format!("templates/{name}"),
            made_of: origin.path,
            after: lesson::extend_template(&before, section)?,
            before,
            is_copied: origin.layer != Layer::Project,
        })
    }

    fn minutes(&self, section: &str, leaf: &str, ms: f64) -> Option<(Edit, String)> {
        let read = beneath(self.project.folder(), CONFIG, TEXT_BYTES_MAX as u64 + 1);
        let bytes = read.ok()?.unwrap_or_default();
        let before = String::from_utf8(bytes).ok()?;
        // A tenth of a minute is as much as an estimate knows.
        let minutes = ((ms / 6_000.0).round() / 10.0).max(0.1);
        let after = lesson::put_setting(&before, section, leaf, &minutes.to_string())?;
        let edit = Edit {
            target: CONFIG.to_owned(),
            made_of: CONFIG.to_owned(),
            before,
            after,
            is_copied: false,
        };
        Some((edit, format!("{section}.{leaf}: {minutes}")))
    }
}
