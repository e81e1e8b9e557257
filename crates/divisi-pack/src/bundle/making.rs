//! The second half of an expansion: one agent's share becomes a task.

use std::collections::BTreeMap;

use divisi_core::plan::{Deliverable, Estimate, Input, Template, Work};
use divisi_core::{Criterion, TaskId, TaskKind, TaskSpec};

use super::prompt::{Prompts, Said};
use super::shared::{Given, Shared, uses_tokens};
use super::targets::{Target, Values};
use super::told::Told;
use super::{Bundle, SLACK_PERCENT, assemble};
use crate::allocation::{Risk, Share};
use crate::codes;
use crate::faults::shown;
use crate::placeholder;
use crate::plan_file::CRITERIA_MAX;
use crate::plan_file::compile::Promise;
use crate::role::Role;
use crate::workflow::{Iteration, Promised};

/// One agent's share on its way to a task.
pub(super) struct Making<'m> {
    pub(super) bundle: &'m Bundle,
    pub(super) iteration: &'m Iteration,
    pub(super) shared: &'m Shared<'m>,
    /// Which of its agents.
    pub(super) agent: usize,
    /// The ids of all tasks, by the labels of their entries.
    pub(super) ids: &'m BTreeMap<&'m str, Vec<TaskId>>,
}

impl Making<'_> {
    pub(super) fn task(
        &self,
        criteria: &[Criterion],
        prompts: &mut Prompts<'_>,
        told: &mut Told,
    ) -> (TaskSpec, Share) {
        let (entry, role) = (self.shared.entry, self.shared.role);
        let share = self.share();
        let title = self.title();
        let work = self.work();
        let deliverables: Vec<Deliverable> = share
            .deliverables
            .iter()
            .map(|path| Deliverable { path: path.clone() })
            .collect();
        let promise = Promise {
            kind: entry.kind,
            work: &work,
            deliverables: &deliverables,
            ok_exit_given: entry.settings.ok_exit.is_some(),
        };
        let criteria = promise.criteria(criteria, &[]);
        self.check_criteria(&share, &criteria, told);
        let said = Said {
            share: &share,
            title: &title,
            made: self.made(),
            targets: self.targets(),
            conditions: &self.shared.matched.conditions,
        };
        let instructions = self.told(&entry.description);
        let description = match work {
            Work::Handoff => prompts.render(&instructions, role, &said, told),
            _ => instructions,
        };
        let settings = &entry.settings;
        let agents = &self.bundle.agents;
        let others = agents.get("").filter(|_| work == Work::Handoff);
        let own = role.and_then(|role| agents.get(&role.id)).or(others);
        let (domain, function) = role.map(Role::names_of_tasks).unwrap_or_default();
        let task = TaskSpec {
            workspace: settings
                .workspace
                .unwrap_or_else(|| promise.workspace(&criteria)),
            title,
            description,
            kind: entry.kind,
            domain,
            function,
            agent: own.or(settings.agent.as_ref()).cloned(),
            agents_else: settings.agents_else.clone(),
            dependencies: self.tasks_of(&entry.dependencies),
            inputs: self.inputs(),
            scope: settings.scope.iter().map(|it| self.filled(it)).collect(),
            env: self.env(),
            timeout_ms: settings.timeout_ms,
            retries: settings.retries,
            ok_exit: settings.ok_exit.clone().unwrap_or_else(|| vec![0]),
            priority: settings.priority,
            estimate: self.estimate(&share),
            work,
            deliverables,
            criteria,
            ..TaskSpec::command(share.task.clone(), &[])
        };
        (task, share)
    }

    fn check_criteria(&self, share: &Share, criteria: &[Criterion], told: &mut Told) {
        let entry = self.shared.entry;
        let task = shown(share.task.as_str());
        if criteria.len() > CRITERIA_MAX {
            let hints = ["give each agent fewer targets: `allocation: {max_per_agent: …}`"];
            told.error(codes::TOO_LARGE, &entry.place, &hints, || {
                let count = criteria.len();
                format!("the task {task} has {count} criteria, more than {CRITERIA_MAX}")
            });
        }
        let falsifiable = criteria.iter().any(Criterion::is_falsifiable);
        if !falsifiable && entry.kind != TaskKind::Approval {
            let hints = ["promise `deliverables`, or add `criteria` that a program can check"];
            told.warning(codes::UNFALSIFIABLE, &entry.place, &hints, || {
                format!("no program can find {task} not done; it will wait for a person")
            });
        }
    }

    fn given(&self) -> &Given {
        &self.shared.agents[self.agent]
    }

    fn targets(&self) -> Vec<&Target> {
        let positions = self.given().positions.iter();
        positions
            .map(|&at| &self.shared.matched.targets[at])
            .collect()
    }

    /// Paths with what the workflow says of them.
    fn made(&self) -> Vec<(&str, &Promised)> {
        let made = self.given().made.iter();
        let promised = &self.shared.entry.deliverables;
        made.map(|made| (&*made.path, &promised[made.promised]))
            .collect()
    }

    fn share(&self) -> Share {
        let (given, shared) = (self.given(), self.shared);
        let budget = shared.role.and_then(|role| role.budget_tokens);
        let budget = budget.filter(|_| uses_tokens(shared.entry));
        Share {
            task: self.ids[&*shared.entry.label][self.agent].clone(),
            entry: shared.entry.label.clone(),
            role: shared.role.map(|role| role.id.clone()),
            number: self.agent + 1,
            agents: shared.agents.len(),
            targets: self
                .targets()
                .iter()
                .map(|target| target.path.clone())
                .collect(),
            deliverables: given.made.iter().map(|made| made.path.clone()).collect(),
            points: given.points,
            tokens: given.tokens,
            budget_tokens: budget,
            risk: budget.map(|budget| Risk::of(given.tokens, budget)),
        }
    }

    fn title(&self) -> String {
        let (entry, role) = (self.shared.entry, self.shared.role);
        let title = entry.title.as_deref().map(|title| self.told(title));
        let title = title.unwrap_or_else(|| {
            let who = role.map_or(&entry.label, |role| &role.name);
            format!("{who}: {}", self.iteration.name)
        });
        match self.shared.agents.len() {
            1 => title,
            agents => format!("{title} ({} of {agents})", self.agent + 1),
        }
    }

    /// A text of the entry with the values of inputs.
    fn told(&self, text: &str) -> String {
        let values = Values {
            bundle: self.bundle,
            target: None,
        };
        placeholder::fill(text, |name| values.get(name))
    }

    /// A text with values in the places of variables: those of inputs, and of the target if there
    /// is just one.
    fn filled(&self, text: &str) -> String {
        let values = Values {
            bundle: self.bundle,
            target: match self.targets()[..] {
                [one] => Some(one),
                _ => None,
            },
        };
        placeholder::fill(text, |name| values.get(name))
    }

    /// The environment is how a script is told values: its text is left as it is.
    fn env(&self) -> BTreeMap<String, String> {
        let env = self.shared.entry.settings.env.iter();
        env.map(|(name, text)| (name.clone(), self.filled(text)))
            .collect()
    }

    /// What is executed, with values in the places of variables.
    fn work(&self) -> Work {
        let targets = self.targets();
        let fill = |text: &str| self.filled(text);
        match &self.shared.entry.work {
            Work::Command(argv) => {
                let mut filled = Vec::with_capacity(argv.len());
                for part in argv {
                    match &**part {
                        "{targets}" => filled.extend(targets.iter().map(|it| it.path.clone())),
                        "{deliverables}" => {
                            filled.extend(self.given().made.iter().map(|it| it.path.clone()));
                        }
                        part => filled.push(fill(part)),
                    }
                }
                Work::Command(filled)
            }
            // A script has its targets as "$@"; its text is left as it is, since a shell reads it.
            Work::Script(script) if !targets.is_empty() => {
                let shell = ["/bin/sh", "-euc", script, "script"].map(str::to_owned);
                let paths = targets.iter().map(|target| target.path.clone());
                Work::Command(shell.into_iter().chain(paths).collect())
            }
            Work::Template(template) => {
                let templates = &self.bundle.templates;
                let name = template
                    .path
                    .as_deref()
                    .and_then(|path| assemble::named(templates, path));
                let kept = name.and_then(|name| templates.get(name));
                Work::Template(Template {
                    text: kept.or(template.text.as_ref()).cloned(),
                    path: template.path.clone().filter(|_| kept.is_none()),
                    output: fill(&template.output),
                })
            }
            other => other.clone(),
        }
    }

    fn tasks_of(&self, labels: &[String]) -> Vec<TaskId> {
        let ids = labels.iter().filter_map(|label| self.ids.get(&**label));
        ids.flatten().cloned().collect()
    }

    fn inputs(&self) -> Vec<Input> {
        let takes = self.tasks_of(&self.shared.entry.takes);
        let targets = self.targets().into_iter();
        let targets = targets.map(|target| Input::Path(target.path.clone()));
        takes.into_iter().map(Input::Task).chain(targets).collect()
    }

    fn estimate(&self, share: &Share) -> Estimate {
        if self.shared.entry.work != Work::Handoff {
            return Estimate::default();
        }
        let rate = self.bundle.calibration.rate(self.shared.role);
        let ms = share.points.saturating_mul(rate.ms_per_point);
        Estimate {
            duration_ms: Some(ms),
            duration_max_ms: Some(ms.saturating_mul(SLACK_PERCENT) / 100),
            tokens: Some(share.tokens),
        }
    }
}
