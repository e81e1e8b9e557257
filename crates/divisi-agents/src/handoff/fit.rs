//! Makes a handoff fit a budget of tokens.
//!
//! What can be looked up in the workspace goes first, what nobody can look up last, and what the
//! task is about never: the essentials. Each step of the order is taken only as far as is needed,
//! and what went is said in the handoff. Nothing is weighed by what it says, so the same handoff and the
//! same budget give the same bytes.

use std::collections::BTreeMap;

use divisi_core::criterion::truncate;

use super::{HANDOFF_BYTES_MAX, Handoff, tokens};
use crate::adapter::prompt;

/// Names kept in each list of the context.
const CONTEXT_NAMES_MAX: usize = 20;

/// Evidence kept of each verdict, in bytes: an essential.
pub(super) const EVIDENCE_BYTES_KEPT: usize = 500;

/// Paths named of what earlier attempts changed.
const ALREADY_KEPT: usize = 20;

/// Files named of each input.
pub(super) const INPUT_FILES_KEPT: usize = 100;

/// What is kept of the stage context, in bytes: its beginning.
pub(super) const STAGE_CONTEXT_BYTES_KEPT: usize = 8 << 10;

/// A handoff is too big though everything that may be left out was. Will repeat.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooBig {
    /// For the agent.
    #[error(
        "write a handoff: what must be told takes about {tokens} tokens, at most {tokens_max} are \
         handed on; say it in fewer words, or raise `handoff.tokens`. It is {}",
        listed(essentials)
    )]
    Tokens {
        /// The estimate of what is left.
        tokens: u64,
        /// The budget.
        tokens_max: u64,
        /// Each essential with its estimate.
        essentials: BTreeMap<&'static str, u64>,
    },
    /// For anybody.
    #[error("write a handoff: it has {bytes} bytes, at most {HANDOFF_BYTES_MAX} are handed on")]
    Bytes {
        /// Its size in bytes.
        bytes: usize,
    },
}

fn listed(essentials: &BTreeMap<&'static str, u64>) -> String {
    let each: Vec<String> = (essentials.iter())
        .filter(|(_, tokens)| **tokens > 0)
        .map(|(name, tokens)| format!("{name} {tokens}"))
        .collect();
    each.join(", ")
}

/// Leaves one thing out, and notes it. Whether there was one.
type Step = fn(&mut Handoff, &mut Left) -> bool;

/// What is left out, the first first. `docs/guide/agents.md` tells it.
const ORDER: [Step; 14] = [
    beginnings,
    names_beyond_some,
    files_beyond_some,
    already_beyond_some,
    contents,
    skills,
    older_feedback,
    long_evidence,
    guides,
    rest_of_stage_context,
    names,
    files,
    already,
    stage_context,
];

/// What was left out so far.
#[derive(Debug, Default)]
struct Left {
    beginnings: usize,
    names: usize,
    files: usize,
    already: usize,
    contents: usize,
    skills: usize,
    feedback_up_to: Option<u32>,
    evidence: usize,
    guides: Vec<String>,
    stage_context: Option<&'static str>,
}

impl Handoff {
    /// The handoff with as much left out as is needed for it to be about `tokens_max` tokens
    /// [in words](prompt), if there is such a bound, and [`HANDOFF_BYTES_MAX`] bytes. What was left
    /// out is said in it.
    ///
    /// # Errors
    /// What must be told is too much.
    pub fn within(mut self, tokens_max: Option<u64>) -> Result<Handoff, TooBig> {
        let before = self.left_out.clone();
        let mut left = Left::default();
        for step in ORDER {
            loop {
                if self.excess(tokens_max).is_none() {
                    return Ok(self);
                }
                if !step(&mut self, &mut left) {
                    break;
                }
                self.left_out = before.iter().cloned().chain(left.words()).collect();
            }
        }
        match self.excess(tokens_max) {
            None => Ok(self),
            Some(too_big) => Err(too_big),
        }
    }

    /// By what it is too big, if it is.
    fn excess(&self, tokens_max: Option<u64>) -> Option<TooBig> {
        let bytes = self.to_json().len();
        if bytes > HANDOFF_BYTES_MAX {
            return Some(TooBig::Bytes { bytes });
        }
        let tokens_max = tokens_max?;
        let tokens = tokens(&prompt(self));
        (tokens > tokens_max).then(|| TooBig::Tokens {
            tokens,
            tokens_max,
            essentials: self.essentials(),
        })
    }

    /// What is never left out, each with its estimate.
    fn essentials(&self) -> BTreeMap<&'static str, u64> {
        let all = |texts: &[String]| texts.iter().map(|text| tokens(text)).sum();
        let criteria = self.criteria.iter().map(|one| tokens(&one.to_string()));
        let answers = self.answers.iter();
        let answers = answers.map(|one| tokens(&one.question) + tokens(&one.answer));
        let refusal = self.feedback.last().map_or(0, |last| {
            let unmet = last.unmet.iter();
            let unmet = unmet.map(|one| tokens(&one.criterion) + tokens(&one.evidence));
            let claimed = last.claimed_failure.as_deref().map_or(0, tokens);
            let told = all(&last.denied) + all(&last.advice);
            tokens(&last.reason) + claimed + told + unmet.sum::<u64>()
        });
        BTreeMap::from([
            ("the intent", tokens(&self.context.orchestration_context)),
            ("the title", tokens(&self.title)),
            ("the description", tokens(&self.description)),
            ("the role", tokens(&self.role)),
            ("the deliverables", all(&self.deliverables)),
            ("the criteria", criteria.sum()),
            ("the scope", all(&self.scope)),
            ("the files that it takes", all(&self.takes)),
            ("the answers", answers.sum()),
            ("why the last attempt was refused", refusal),
        ])
    }

    fn lists_of_names(&mut self) -> [&mut Vec<String>; 3] {
        let context = &mut self.context;
        [
            &mut context.dependencies_completed,
            &mut context.next_subtasks,
            &mut context.related_subtasks,
        ]
    }
}

impl Left {
    fn words(&self) -> Vec<String> {
        let many = |many: usize, what: &str| (many > 0).then(|| format!("{many} {what}"));
        let guides = self.guides.iter().map(|path| format!("`{path}`"));
        let guides: Vec<String> = guides.collect();
        let all = [
            many(self.beginnings, "beginnings of large files of inputs"),
            many(self.names, "names of tasks around this one"),
            many(
                self.files,
                "more files of inputs; they stand in the workspace",
            ),
            many(
                self.already,
                "paths that earlier attempts changed; the workspace shows them",
            ),
            many(
                self.contents,
                "contents of files of inputs; they stand in the workspace",
            ),
            many(self.skills, "skills of this repository"),
            (self.feedback_up_to)
                .map(|number| format!("why attempts up to number {number} were refused")),
            many(self.evidence, "ends of what was seen of criteria"),
            (!guides.is_empty()).then(|| {
                let guides = guides.join(", ");
                format!("what this repository asks of you in {guides}: read it there")
            }),
            self.stage_context.map(str::to_owned),
        ];
        all.into_iter().flatten().collect()
    }
}

/// How large files begin.
fn beginnings(handoff: &mut Handoff, left: &mut Left) -> bool {
    let mut went = 0;
    for input in &mut handoff.inputs {
        let before = input.contents.len();
        input.contents.retain(|content| content.left_out_bytes == 0);
        went += before - input.contents.len();
    }
    left.beginnings += went;
    went > 0
}

fn names_beyond_some(handoff: &mut Handoff, left: &mut Left) -> bool {
    let mut went = 0;
    for names in handoff.lists_of_names() {
        let more = names.len().saturating_sub(CONTEXT_NAMES_MAX);
        let is_cut = names.last().is_some_and(|last| is_mark(last));
        if more > 0 && !is_cut {
            names.truncate(CONTEXT_NAMES_MAX);
            names.push(format!("(and {more} more)"));
            went += more;
        }
    }
    left.names += went;
    went > 0
}

/// Whether an entry stands for names that were left out. No id begins so.
fn is_mark(name: &str) -> bool {
    name.starts_with('(')
}

/// The files stand in the workspace, whether they are named or not.
fn files_beyond_some(handoff: &mut Handoff, left: &mut Left) -> bool {
    let mut went = 0;
    for input in &mut handoff.inputs {
        went += input.artifacts.len().saturating_sub(INPUT_FILES_KEPT);
        input.artifacts.truncate(INPUT_FILES_KEPT);
    }
    left.files += went;
    went > 0
}

/// What was changed stands in the workspace, whether it is named or not.
fn already_beyond_some(handoff: &mut Handoff, left: &mut Left) -> bool {
    let went = handoff.already.len().saturating_sub(ALREADY_KEPT);
    handoff.already.truncate(ALREADY_KEPT);
    left.already += went;
    went > 0
}

fn already(handoff: &mut Handoff, left: &mut Left) -> bool {
    let went = handoff.already.drain(..).count();
    left.already += went;
    went > 0
}

/// The longest content; of several, the last.
fn contents(handoff: &mut Handoff, left: &mut Left) -> bool {
    let inputs = handoff.inputs.iter().enumerate();
    let all = inputs.flat_map(|(no, input)| {
        let contents = input.contents.iter().enumerate();
        contents.map(move |(at, content)| (content.text.len(), no, at))
    });
    let longest = all.max();
    let Some((_, no, at)) = longest else {
        return false;
    };
    handoff.inputs[no].contents.remove(at);
    left.contents += 1;
    true
}

fn skills(handoff: &mut Handoff, left: &mut Left) -> bool {
    let went = handoff.skills.drain(..).count();
    left.skills += went;
    went > 0
}

fn older_feedback(handoff: &mut Handoff, left: &mut Left) -> bool {
    let older = handoff.feedback.len().saturating_sub(1);
    let went = handoff.feedback.drain(..older).next_back();
    left.feedback_up_to = went.map(|last| last.attempt).or(left.feedback_up_to);
    older > 0
}

fn long_evidence(handoff: &mut Handoff, left: &mut Left) -> bool {
    let mut went = 0;
    let mut shorten = |text: &mut String| {
        went += usize::from(text.len() > EVIDENCE_BYTES_KEPT);
        truncate(text, EVIDENCE_BYTES_KEPT);
    };
    for feedback in &mut handoff.feedback {
        feedback.claimed_failure.iter_mut().for_each(&mut shorten);
        let unmet = feedback.unmet.iter_mut();
        unmet
            .map(|unmet| &mut unmet.evidence)
            .for_each(&mut shorten);
        feedback.advice.iter_mut().for_each(&mut shorten);
    }
    left.evidence += went;
    went > 0
}

/// The one that is farthest from what the task changes.
fn guides(handoff: &mut Handoff, left: &mut Left) -> bool {
    let went = (!handoff.guides.is_empty()).then(|| handoff.guides.remove(0));
    let is_one = went.is_some();
    left.guides.extend(went.map(|guide| guide.path));
    is_one
}

fn rest_of_stage_context(handoff: &mut Handoff, left: &mut Left) -> bool {
    let context = &mut handoff.stage_context;
    let bytes = context.len();
    truncate(context, STAGE_CONTEXT_BYTES_KEPT);
    let went = context.len() < bytes;
    if went {
        left.stage_context = Some("the rest of what all of this stage are told");
    }
    went
}

fn names(handoff: &mut Handoff, left: &mut Left) -> bool {
    let is_name = |name: &&String| !is_mark(name);
    let mut went = 0;
    for names in handoff.lists_of_names() {
        went += names.iter().filter(is_name).count();
        names.clear();
    }
    left.names += went;
    went > 0
}

fn files(handoff: &mut Handoff, left: &mut Left) -> bool {
    let inputs = handoff.inputs.drain(..);
    let went: usize = inputs.map(|input| input.artifacts.len()).sum();
    left.files += went;
    went > 0
}

fn stage_context(handoff: &mut Handoff, left: &mut Left) -> bool {
    let went = !handoff.stage_context.is_empty();
    handoff.stage_context.clear();
    if went {
        left.stage_context = Some("what all of this stage are told");
    }
    went
}

#[cfg(test)]
mod tests;
