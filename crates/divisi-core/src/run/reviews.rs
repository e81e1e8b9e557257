//! Reviews by agents: who judges what no rule can tell, and what follows (F6, T14).
//!
//! A review is a task of its own that is opened for one held attempt, or for the whole at one head. It
//! is not part of the plan. Its last step is that its evidence is weighed; what holds moves what was
//! reviewed. A review that nobody needs any more is closed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::agents::product;
use super::attempt::{AttemptEnd, Ending, Failure, Phase, StopReason};
use super::candidates::TAKEN;
use super::command::Rejection;
use super::decide::Draft;
use super::division::free_names;
use super::event::Event;
use super::parts::bounded;
use super::state::{Final, Run};
use super::task::{Task, TaskState, TaskStatus};
use crate::criterion::{Criterion, Outcome, Verdict};
use crate::ids::{AttemptId, Commit, TaskId, TaskNo};
use crate::plan::{Deliverable, Priority, TaskKind, TaskSpec, Work, WorkspaceKind};
use crate::receipt::Receipt;
use crate::shell;

/// The file that holds a review's verdict.
pub const VERDICT_FILE: &str = "divisi-verdict.json";

/// The role in which a review is done: its function.
const REVIEWER: &str = "reviewer";

/// What a review judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// What an attempt made.
    Attempt(AttemptId),
    /// All that is integrated, at this head.
    Whole(Commit),
}

impl Run {
    /// What a review judges that nobody has judged yet: the criteria, and the verdicts as they stand.
    /// `None` if somebody has, or it has changed.
    #[must_use]
    pub fn under_review(&self, subject: &Subject) -> Option<(&[Criterion], &[Verdict])> {
        match subject {
            Subject::Attempt(attempt) => {
                let task = self.task(attempt.task)?;
                let live = task.live().filter(|live| live.number == attempt.number)?;
                match &live.phase {
                    Phase::Held { verdicts } => Some((&task.spec.criteria, verdicts)),
                    _ => None,
                }
            }
            Subject::Whole(head) => match &self.finally {
                Final::Held { verdicts, .. } if self.integration.head.as_ref() == Some(head) => {
                    let open = verdicts.iter().any(|it| it.outcome == Outcome::Unverified);
                    open.then_some((&self.criteria[..], &verdicts[..]))
                }
                _ => None,
            },
        }
    }

    /// The commit on which a review judges, and the one that it came from; `None` if there is none, or
    /// no more.
    #[must_use]
    pub fn reviewed_commits<'r>(
        &'r self,
        subject: &'r Subject,
    ) -> Option<(&'r Commit, &'r Commit)> {
        let head = self.integration.head.as_ref()?;
        match subject {
            Subject::Attempt(attempt) => {
                let live = self.task(attempt.task)?.live();
                let live = live.filter(|live| live.number == attempt.number)?;
                Some(match live.snapshot() {
                    Some(snapshot) => (&snapshot.commit, &snapshot.base),
                    None => (head, head),
                })
            }
            Subject::Whole(head) => Some((head, self.base.commit.as_ref()?)),
        }
    }

    /// The open review of a task's attempt.
    #[must_use]
    pub fn review_of(&self, no: TaskNo) -> Option<&Task> {
        self.open_review(|of| matches!(of, Subject::Attempt(attempt) if attempt.task == no))
    }

    /// The open review of all that is integrated.
    #[must_use]
    pub fn review_of_whole(&self) -> Option<&Task> {
        self.open_review(|of| matches!(of, Subject::Whole(_)))
    }

    fn open_review(&self, is: impl Fn(&Subject) -> bool) -> Option<&Task> {
        let mut reviews = self.open_reviews.iter().map(|no| &self.tasks[no.index()]);
        reviews.find(|review| review.reviews.as_ref().is_some_and(&is))
    }

    /// The agent that is to judge what a task's attempt made, or all that is integrated; `None` where
    /// a person is to.
    #[must_use]
    pub fn reviewer(&self, of: Option<TaskNo>) -> Option<&str> {
        let review = match of {
            Some(no) => self.review_of(no),
            None => self.review_of_whole(),
        };
        let review = review.filter(|it| it.status() != TaskStatus::Blocked)?;
        Some(match review.live() {
            Some(live) => &live.agent,
            None => review.agent(&self.settings),
        })
    }

    /// The agents that did what a review judges, or what that was begun with.
    #[must_use]
    pub fn authors(&self, subject: &Subject) -> BTreeSet<&str> {
        match subject {
            Subject::Attempt(attempt) => self.workers(attempt.task, attempt.number),
            // What was compared and not chosen, judged, or planned stands nowhere in it.
            Subject::Whole(_) => { self.numbers() }
                .flat_map(|no| self.integrated(no).map(move |it| (no, it.number)))
                .flat_map(|(no, number)| self.workers(no, number))
                .collect(),
        }
    }

    /// The attempts at a task that are part of the run's result.
    fn integrated(&self, no: TaskNo) -> impl Iterator<Item = &Ending> {
        let endings = self.tasks[no.index()].endings.iter();
        endings.filter(|ending| ending.end == AttemptEnd::Integrated)
    }

    /// The agents whose work stands in what an attempt made: those that were in its workspace until
    /// then, or in one that it was copied from, those of the tasks in whose place it stands, and those
    /// of the candidate that it was taken from.
    fn workers(&self, no: TaskNo, number: u32) -> BTreeSet<&str> {
        let task = &self.tasks[no.index()];
        let live = task.live().filter(|live| live.number == number);
        let mut workers: BTreeSet<&str> = { live.into_iter() }
            .map(|live| live.agent.as_str())
            .collect();
        let ended = task.ending(number).map(|ending| ending.workspace);
        let workspace = live.map(|live| live.workspace).or(ended);
        let there = |ending: &&Ending| {
            let is_same = Some(ending.workspace) == workspace;
            ending.number <= number && (is_same || matches!(ending.end, AttemptEnd::Lost(_)))
        };
        let own = task.endings.iter().filter(there);
        let before = { self.replaced(no) }
            .map(|no| &self.tasks[no.index()])
            .filter(|task| task.spec.kind != TaskKind::Plan)
            .flat_map(|task| &task.endings);
        workers.extend(own.chain(before).map(|ending| ending.agent.as_str()));
        let taken = task.taken().filter(|_| number == TAKEN);
        workers.extend(
            taken
                .into_iter()
                .flat_map(|it| self.workers(it.task, it.number)),
        );
        workers
    }

    /// Whether an agent did what a review judges, under whatever name.
    #[must_use]
    pub fn is_author(&self, subject: &Subject, agent: &str) -> bool {
        let product = |agent| product(agent, &self.settings);
        let of = product(agent);
        { self.authors(subject).into_iter() }.any(|author| product(author) == of)
    }

    /// Who judges: somebody who did not do the work where there is one, and then the others.
    pub(super) fn reviewers(&self, subject: &Subject) -> Vec<String> {
        let all = &self.settings.reviewers;
        let (same, other): (Vec<&String>, Vec<&String>) =
            all.iter().partition(|it| self.is_author(subject, it));
        let chosen = if other.is_empty() { same } else { other };
        chosen.into_iter().cloned().collect()
    }

    /// The graph's part of a review's beginning: a task that nothing waits for.
    pub(super) fn add_review(&mut self, review: &TaskSpec, of: &Subject) -> TaskNo {
        // What it makes is no part of the result.
        let has_files = self.has_files;
        let no = self.add_task(review.clone());
        self.has_files = has_files;
        self.tasks[no.index()].reviews = Some(of.clone());
        no
    }

    pub(super) fn apply_review_opened(&mut self, review: &TaskSpec, of: &Subject) {
        let no = self.add_review(review, of);
        self.derive_alone(no);
        self.release(no);
        self.changed.insert(no);
    }
}

impl Draft<'_> {
    /// Opens a review of what was just held, if an agent is to judge it.
    pub(super) fn open_review(&mut self, of: Subject) {
        let run = &*self.run;
        let Some((criteria, verdicts)) = run.under_review(&of) else {
            return;
        };
        let Some(Ok(reviewers)) = run.reviewable(&of) else {
            return;
        };
        let Some((agent, others)) = reviewers.split_first() else {
            return;
        };
        let spec = match &of {
            Subject::Attempt(attempt) => Some(&run.tasks()[attempt.task.index()].spec),
            Subject::Whole(_) => None,
        };
        let name = match spec {
            Some(spec) => spec.id.clone(),
            None => TaskId::new("whole").expect("it is a word"),
        };
        let id = free_names(run, &name, "review", 1).remove(0);
        let asked = match spec {
            Some(spec) => Asked {
                what: format!("task {}", spec.id),
                title: &spec.title,
                description: &spec.description,
            },
            None => Asked {
                what: "the whole run".to_owned(),
                title: &run.title,
                description: "",
            },
        };
        let review = TaskSpec {
            kind: TaskKind::Review,
            title: format!("Review {}", asked.what),
            description: description(run, &asked, criteria, verdicts),
            function: Some(REVIEWER.to_owned()),
            agent: Some(agent.clone()),
            agents_else: others.to_vec(),
            work: Work::Handoff,
            workspace: WorkspaceKind::Worktree,
            deliverables: vec![Deliverable {
                path: VERDICT_FILE.to_owned(),
            }],
            criteria: vec![Criterion::File {
                path: VERDICT_FILE.to_owned(),
                min_bytes: 1,
            }],
            priority: spec.map_or_else(Priority::default, |spec| spec.priority),
            ..TaskSpec::command(id, &[])
        };
        self.push(Event::ReviewOpened {
            review: Box::new(review),
            of,
        });
    }

    /// The evidence of a review was weighed, and holds.
    pub(super) fn on_weighed(
        &mut self,
        attempt: AttemptId,
        verdicts: Vec<Verdict>,
    ) -> Result<(), Rejection> {
        let subject = self.weighed(attempt)?;
        let receipt = Receipt::Reviewed {
            at: self.at,
            verdicts: verdicts.clone(),
        };
        self.push(Event::AttemptAdvanced {
            attempt,
            receipts: vec![receipt],
        });
        // A person was quicker, or what it judged is no more: then it is only kept.
        let Some((_, present)) = self.run.under_review(&subject) else {
            return Ok(());
        };
        let merged = merged(present, &verdicts);
        let any = |outcome| merged.iter().any(|verdict| verdict.outcome == outcome);
        match subject {
            Subject::Attempt(of) if any(Outcome::Fail) => {
                let end = AttemptEnd::Refused(Failure::Checks(merged));
                self.end(of, end, Vec::new(), true);
            }
            Subject::Attempt(of) if !any(Outcome::Unverified) => self.verified(of, merged),
            Subject::Attempt(_) => {}
            Subject::Whole(_) if any(Outcome::Fail) || any(Outcome::Unverified) => {
                self.push(Event::FinalHeld {
                    verdicts: merged,
                    tasks: Vec::new(),
                });
            }
            Subject::Whole(_) => self.push(Event::FinalPassed { verdicts: merged }),
        }
        Ok(())
    }

    /// It cannot be read, or its evidence does not hold.
    pub(super) fn on_weigh_refused(
        &mut self,
        attempt: AttemptId,
        faults: Vec<String>,
    ) -> Result<(), Rejection> {
        self.weighed(attempt)?;
        let end = AttemptEnd::Refused(Failure::Review(bounded(faults)));
        self.end(attempt, end, Vec::new(), true);
        Ok(())
    }

    /// What the review judges whose live attempt has passed its checks.
    fn weighed(&self, attempt: AttemptId) -> Result<Subject, Rejection> {
        let verified = self.live(attempt)?.phase == Phase::Verified;
        match &self.known(attempt.task)?.reviews {
            Some(subject) if verified => Ok(subject.clone()),
            _ => Self::superseded(attempt),
        }
    }

    /// Reviews that nobody needs any more: those at work are ended, the others are closed.
    pub(super) fn close_reviews(&mut self) {
        let needed = |no: &TaskNo| {
            let subject = self.run.tasks()[no.index()].reviews.as_ref();
            subject.is_some_and(|it| self.run.under_review(it).is_some())
        };
        let open = self.run.open_reviews.iter().copied();
        let moot: Vec<TaskNo> = open.filter(|no| !needed(no)).collect();
        for no in moot {
            let task = &self.run.tasks()[no.index()];
            match &task.state {
                TaskState::Active(live) => {
                    let works = matches!(live.phase, Phase::Leased | Phase::Working);
                    if works && live.stopping.is_none() {
                        let attempt = self.run.attempt_id(no, live.number);
                        self.push(Event::AttemptStopping {
                            attempt,
                            reason: StopReason::Interrupted,
                        });
                    }
                }
                _ => self.push(Event::ReviewClosed { task: no }),
            }
        }
    }
}

/// Verdicts with those of a review in the place of what no rule could tell.
fn merged(present: &[Verdict], reviewed: &[Verdict]) -> Vec<Verdict> {
    let judged = |verdict: &Verdict| {
        let of = { reviewed.iter() }.find(|it| it.criterion == verdict.criterion);
        match of {
            Some(of) if verdict.outcome == Outcome::Unverified => of.clone(),
            _ => verdict.clone(),
        }
    };
    present.iter().map(judged).collect()
}

/// What was asked for.
struct Asked<'a> {
    what: String,
    title: &'a str,
    description: &'a str,
}

/// What a reviewer is told: what was asked for and what is to be judged; nothing of what its author
/// says about it.
fn description(
    run: &Run,
    asked: &Asked<'_>,
    criteria: &[Criterion],
    verdicts: &[Verdict],
) -> String {
    let open = { verdicts.iter() }.filter(|it| it.outcome == Outcome::Unverified);
    let open: Vec<(u16, &Criterion)> = open
        .filter_map(|it| Some((it.criterion, criteria.get(usize::from(it.criterion))?)))
        .collect();
    let lines: Vec<String> = { open.iter() }
        .map(|(no, criterion)| format!("- {no}: {criterion}\n"))
        .collect();
    // Models copy the number that they see.
    let example = example(open.first().map_or(0, |(no, _)| *no));
    let commands: Vec<String> = citable(run, criteria)
        .filter_map(|criterion| match criterion {
            Criterion::Command { argv, .. } => Some(argv),
            _ => None,
        })
        .map(|argv| format!("- {} (`{}`)\n", serde_json::json!(argv), shell::line(argv)))
        .collect();
    let commands = match commands.is_empty() {
        true => String::new(),
        false => format!(
            "\nA command with its exit status is evidence, too, if it is one of these, to the \
             letter:\n{}",
            commands.concat()
        ),
    };
    let (what, title) = (&asked.what, asked.title);
    let more = match asked.description {
        "" => String::new(),
        more => format!("\n\n{more}"),
    };
    format!(
        "Judge what was made for {what}. This was asked for:\n\n{title}{more}\n\n\
         Your folder holds the files as they are with what was made. Change none of them. Judge each \
         of these, by its number, from what stands in the files, however good it looks:\n{}\n\
         Write your verdicts into {VERDICT_FILE}, as JSON in this form:\n\n\
         {example}\n\n\
         `holds` says whether it holds. Each verdict needs evidence: a file, the number of a line in \
         it, and text that stands in that line, to the letter. All evidence is looked up; a verdict \
         of which any does not hold is void.\n{commands}",
        lines.concat()
    )
}

/// The form of a verdict, as it is told, for a criterion that is asked about.
fn example(criterion: u16) -> String {
    format!(
        r#"{{"verdicts": [{{"criterion": {criterion}, "holds": false, "why": "It says nothing of limits.",
  "evidence": [{{"file": "docs/api.md", "line": 12, "text": "There are no limits."}}]}}]}}"#
    )
}

/// The commands that a review of these criteria may cite: those that the plan names.
pub fn citable<'r>(run: &'r Run, criteria: &'r [Criterion]) -> impl Iterator<Item = &'r Criterion> {
    // Those of the whole may be what is judged.
    let of_whole = { run.criteria.iter() }.filter(|it| !criteria.contains(it));
    let all = criteria.iter().chain(of_whole);
    all.filter(|criterion| matches!(criterion, Criterion::Command { .. }))
}
