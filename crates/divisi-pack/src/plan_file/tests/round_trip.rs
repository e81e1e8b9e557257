use std::collections::BTreeMap;

use divisi_core::ledger::Bound;
use divisi_core::plan::{
    Candidate, Candidates, Deliverable, Estimate, Input, Plan, Preference, Priority, Stage,
    TaskSpec, Template, Want, Work,
};
use divisi_core::preparation::{Preparation, Setup};
use divisi_core::run::Budget;
use divisi_core::{Criterion, Format, Holds, TaskId, TaskKind, WorkspaceKind};

use super::super::compile::Promise;
use super::super::{ESTIMATE_MINUTES_MAX, TIMEOUT_MINUTES_MAX, read, write};
use super::meaning::{EVERYTHING, SOURCE};
use super::plan_with_warnings;
use crate::dice::Dice;

/// How many plans are generated. The n-th is generated from the seed n.
const PLANS: u64 = 600;

impl Dice {
    fn text(&mut self) -> String {
        self.pick(&[
            "plain",
            "with \"quotes\"",
            "back\\slash",
            "ü → 𝄞",
            " spaced ",
            "{\"a\": 1}",
        ])
        .to_owned()
    }

    fn path(&mut self) -> String {
        self.pick(&[
            "a.md",
            "src/b.rs",
            "docs/ä b/c.json",
            "t0",
            "t1",
            "t2",
            ".github/x",
        ])
        .to_owned()
    }

    fn pattern(&mut self) -> String {
        self.pick(&["**", "src/**/*.rs", "reviews/{a,b}-*.md"])
            .to_owned()
    }

    fn timeout_ms(&mut self) -> u64 {
        self.duration_ms().min(TIMEOUT_MINUTES_MAX * 60_000)
    }

    fn duration_ms(&mut self) -> u64 {
        let exponent = self.roll(45);
        (1 + self.roll(1 << exponent)).min(ESTIMATE_MINUTES_MAX * 60_000)
    }

    /// A criterion of any kind that plan files have, plain words apart.
    pub(crate) fn criterion(&mut self) -> Criterion {
        let path = self.path();
        match self.roll(14) {
            0 | 1 => Criterion::File {
                path,
                min_bytes: self.pick(&[0, 1, 1, 100, 1 << 40]),
            },
            2 => Criterion::Contains {
                text: self.text(),
                path,
            },
            3 => Criterion::Lacks {
                text: self.text(),
                path,
            },
            4 => Criterion::Matches {
                pattern: "^# [A-Z]\\w+$".into(),
                path,
            },
            5 => Criterion::Section {
                heading: self.text(),
                path,
            },
            6 => Criterion::Format {
                format: self.pick(&[Format::Json, Format::Yaml, Format::Toml, Format::Markdown]),
                path,
            },
            7 => Criterion::Schema {
                schema: self.path(),
                path,
            },
            8 => Criterion::Command {
                argv: vec!["cargo".into(), self.text(), String::new()],
                timeout_ms: self.pick(&[600_000, 1, 90_500, 31_536_000_000]),
            },
            9 => Criterion::Scope {
                patterns: vec![self.pattern(), self.pattern()],
            },
            10 => Criterion::Each {
                pattern: self.pattern(),
                holds: self.holds(),
            },
            11 => Criterion::Cites { path },
            12 => Criterion::Changed {
                pattern: self.pattern(),
            },
            _ => {
                let min = self.roll(3);
                let max = self.some(|dice| min + dice.roll(3));
                Criterion::Count {
                    pattern: self.pattern(),
                    min,
                    max,
                }
            }
        }
    }

    fn holds(&mut self) -> Holds {
        match self.roll(5) {
            0 => Holds::Size {
                min_bytes: self.pick(&[0, 1, 1 << 40]),
            },
            1 => Holds::Contains { text: self.text() },
            2 => Holds::Lacks { text: self.text() },
            3 => Holds::Section {
                heading: self.text(),
            },
            _ => Holds::Format {
                format: self.pick(&[Format::Json, Format::Yaml, Format::Toml, Format::Markdown]),
            },
        }
    }

    fn work(&mut self, kind: TaskKind, by_somebody: bool) -> Work {
        match (kind, self.roll(4)) {
            (TaskKind::Approval | TaskKind::External, _) => Work::Nothing,
            (_, 0) => Work::Command(vec!["sh".into(), self.text(), String::new()]),
            (_, 1) => Work::Script(format!("echo {}\nexit 1", self.text())),
            (TaskKind::Compose, 2) => Work::Template(Template {
                text: self.some(Dice::text),
                path: None,
                output: self.path(),
            }),
            (TaskKind::Compose, _) if !by_somebody => Work::Nothing,
            _ => Work::Handoff,
        }
    }

    /// A task as reading compiles it, depending on earlier ones only.
    fn task(&mut self, number: u64) -> TaskSpec {
        let kinds = [
            TaskKind::Work,
            TaskKind::Research,
            TaskKind::Compose,
            TaskKind::Plan,
            TaskKind::Review,
            TaskKind::External,
            TaskKind::Approval,
        ];
        let mut kind = self.pick(&kinds);
        if kind == TaskKind::Compose && number == 0 {
            kind = TaskKind::Work;
        }
        let approval = kind == TaskKind::Approval;
        let id = |n: u64| TaskId::new(format!("t{n}")).unwrap();
        // Tasks that do not wait for each other must not promise one file.
        let own = |path: String| format!("of {number}/{path}");
        let domain = self.some(|_| "development".to_owned());
        let function = self.some(|_| "planner".to_owned());
        let agent = self.some(|_| "codex".to_owned());
        let by_somebody = domain.is_some() || function.is_some() || agent.is_some();
        let mut work = self.work(kind, by_somebody);
        if let Work::Template(template) = &mut work {
            template.output = own(std::mem::take(&mut template.output));
        }
        let promised = |dice: &mut Dice| Deliverable {
            path: own(dice.path()),
        };
        let mut dependencies = match number {
            0 => Vec::new(),
            _ => self.list(3, |dice| id(dice.roll(number))),
        };
        if kind == TaskKind::Compose && dependencies.is_empty() {
            dependencies.push(id(0));
        }
        let mut deliverables = match approval {
            true => Vec::new(),
            false if kind == TaskKind::Plan => vec![promised(self)],
            false => self.list(2, promised),
        };
        if let Work::Template(template) = &work
            && !deliverables.iter().any(|d| d.path == template.output)
        {
            deliverables.push(Deliverable {
                path: template.output.clone(),
            });
        }
        let mut inputs = match approval {
            true => Vec::new(),
            false => self.list(2, |dice| match number > 0 && dice.one_in(2) {
                true => Input::Task(id(dice.roll(number))),
                false => Input::Path(dice.path()),
            }),
        };
        if kind == TaskKind::External {
            inputs.push(Input::Path(self.path()));
            deliverables.push(promised(self));
        }
        let executes = !matches!(work, Work::Nothing | Work::Template(_));
        let ok_exit = match executes && self.one_in(3) {
            true => Some(self.pick(&[vec![0], vec![0, 1], vec![255]])),
            false => None,
        };
        let promise = Promise {
            kind,
            work: &work,
            deliverables: &deliverables,
            ok_exit_given: ok_exit.is_some(),
        };
        let mut listed = self.list(3, Dice::criterion);
        if self.one_in(6) {
            listed.insert(0, Criterion::Plain { text: self.text() });
        }
        let plain = self.list(2, |dice| Criterion::Plain { text: dice.text() });
        let criteria = promise.criteria(&listed, &plain);
        let workspace = match self.roll(4) {
            0 => WorkspaceKind::Worktree,
            1 => WorkspaceKind::Scratch,
            2 if deliverables.is_empty() => WorkspaceKind::Shared,
            _ => promise.workspace(&criteria),
        };
        let candidates = self.candidates(kind, &work, workspace);
        TaskSpec {
            candidates,
            id: id(number),
            title: self.pick(&["t0", "Title → \"x\""]).to_owned(),
            description: self.pick(&["", "several\nlines\t\u{1}"]).to_owned(),
            domain,
            function,
            agent,
            agents_else: self.list(2, |_| "scripted".to_owned()),
            scope: self.list(2, Dice::pattern),
            env: match self.one_in(3) {
                true => BTreeMap::from([("A_1".to_owned(), self.text())]),
                false => BTreeMap::new(),
            },
            timeout_ms: self.some(Dice::timeout_ms),
            retries: self.some(|dice| dice.roll(101) as u32),
            ok_exit: ok_exit.unwrap_or_else(|| vec![0]),
            priority: self.pick(&[
                Priority::Low,
                Priority::Medium,
                Priority::High,
                Priority::Critical,
            ]),
            estimate: self.estimate(),
            budget: self.budget(),
            kind,
            work,
            dependencies,
            inputs,
            deliverables,
            criteria,
            workspace,
        }
    }

    fn candidates(
        &mut self,
        kind: TaskKind,
        work: &Work,
        workspace: WorkspaceKind,
    ) -> Option<Candidates> {
        let in_words = matches!(kind, TaskKind::Work | TaskKind::Research);
        let fits = in_words && *work == Work::Handoff && workspace != WorkspaceKind::Shared;
        let of = (0..2 + self.roll(4))
            .map(|_| Candidate {
                agent: self.some(|_| "claude".to_owned()),
            })
            .collect();
        let prefer = self.some(|dice| Preference {
            argv: vec![dice.text()],
            timeout_ms: dice.timeout_ms(),
            want: dice.pick(&[Want::Lowest, Want::Highest]),
        });
        (fits && self.one_in(2)).then_some(Candidates { of, prefer })
    }

    fn budget(&mut self) -> Budget {
        let bounds = [
            self.some(|dice| Bound::Attempts(1 + dice.roll(9))),
            self.some(|dice| Bound::TimeMs(1_000 + dice.roll(10_000_000))),
            self.some(|dice| Bound::Tokens(1 + dice.roll(2_000_000))),
            self.some(|dice| Bound::UsdMicros(1_000 + dice.roll(99_000_000))),
        ];
        let bounds = bounds.into_iter().flatten();
        bounds.fold(Budget::default(), Budget::with)
    }

    fn estimate(&mut self) -> Estimate {
        let duration_ms = self.some(Dice::duration_ms);
        let longer = self.some(Dice::duration_ms).filter(|&more| more > 0);
        let longer = duration_ms.zip(longer).map(|(ms, more)| ms + more);
        Estimate {
            duration_ms,
            duration_max_ms: longer.filter(|&ms| ms <= ESTIMATE_MINUTES_MAX * 60_000),
            tokens: self.some(|dice| dice.roll(1_000_000_000_001)),
        }
    }

    pub(super) fn plan(&mut self) -> Plan {
        let tasks: Vec<TaskSpec> = (0..1 + self.roll(5)).map(|n| self.task(n)).collect();
        let names = self.pick(&["stage_", "phase "]);
        // Tasks only depend on earlier ones, so a stage for each is a sound order.
        let stages = match self.one_in(3) {
            true => tasks
                .iter()
                .enumerate()
                .map(|(n, task)| Stage {
                    name: format!("{names}{}", n * 3),
                    tasks: vec![task.id.clone()],
                })
                .collect(),
            false => Vec::new(),
        };
        Plan {
            title: "a plan".to_owned(),
            tasks,
            stages,
            criteria: self.list(2, Dice::criterion),
            preparation: self.preparation(),
            roles: std::collections::BTreeMap::new(),
        }
    }

    fn preparation(&mut self) -> Preparation {
        let copy = self.list(2, |dice| dice.pick(&[".env", "node_modules/**"]).to_owned());
        let setup = self.list(2, |dice| match dice.one_in(2) {
            true => Setup::Command(vec!["npm".into(), dice.text(), String::new()]),
            false => Setup::Script(format!("npm ci\n{}", dice.text())),
        });
        match setup.is_empty() {
            true => Preparation {
                copy,
                ..Preparation::default()
            },
            false => Preparation {
                copy,
                setup,
                inputs: self.some(|dice| dice.list(2, Dice::pattern)),
                timeout_ms: self.some(Dice::timeout_ms),
            },
        }
    }
}

#[test]
fn every_plan_survives_its_file() {
    for seed in 0..PLANS {
        let plan = Dice(seed).plan();
        let text = write(&plan);
        let read = read("plan.json", text.as_bytes());
        assert_eq!(
            read.plan,
            Some(plan),
            "seed {seed}: {text}\n{:#?}",
            read.diagnostics
        );
    }
}

#[test]
fn writing_again_changes_nothing() {
    for text in [SOURCE, EVERYTHING] {
        let plan = plan_with_warnings(text);
        let written = write(&plan);
        let again = plan_with_warnings(&written);
        assert_eq!(again, plan);
        assert_eq!(write(&again), written);
    }
}

#[test]
fn what_follows_from_the_rest_is_not_written() {
    let text = "\
{
  \"task_title\": \"t\",
  \"subtasks\": [
    {
      \"subtask_id\": \"a\",
      \"command\": [
        \"true\"
      ]
    },
    {
      \"subtask_id\": \"b\",
      \"title\": \"Write the report\",
      \"dependencies\": [
        \"a\"
      ],
      \"deliverables\": [
        \"report.md\"
      ],
      \"success_criteria\": \"it reads well\",
      \"estimated_seconds\": 1.5
    }
  ],
  \"execution_plan\": {
    \"stage_1\": [
      \"a\"
    ],
    \"stage_2\": [
      \"b\"
    ]
  }
}
";
    assert_eq!(write(&plan_with_warnings(text)), text);
}

#[test]
fn stages_whose_numbers_contradict_their_order_are_renamed() {
    let mut plan = plan_with_warnings(SOURCE);
    plan.stages
        .iter_mut()
        .for_each(|stage| stage.name = "stage_9".to_owned());
    let names: Vec<String> = plan_with_warnings(&write(&plan))
        .stages
        .into_iter()
        .map(|stage| stage.name)
        .collect();
    assert_eq!(
        names,
        ["stage_1", "stage_2", "stage_3", "stage_4", "stage_5"]
    );
}
