//! How to handle a request: at once by one role, as a plan, as several workflows, or in passes.
//!
//! [`assess`] looks at what the request says ([`crate::request`]) and at facts of the repository,
//! which somebody else has gathered ([`Repository`]). Named rules ([`RULES`]) fire or do not; each
//! has the words that made it fire. From what fired follows the approach, by an order of precedence
//! that stands in `decide`. The same request and facts give the same assessment.
//!
//! The default is one task for one agent: splitting has to pay. Only one thing here is fitted to
//! data, the weights of words in [`signals`], and the rule that uses them is the weakest.

mod components;
mod facts;
mod halves;
mod kept;
mod questions;
mod rules;
pub mod signals;
mod stakes;
pub mod survey;
#[cfg(test)]
mod tests;
mod workflows;

use divisi_core::intent::PatternSelection;
use divisi_core::run::Sizes;
use serde::Serialize;

pub(crate) use components::listed_whole;
pub use facts::{Count, Facts, Repository, Similar};
pub(crate) use halves::halves;
pub use questions::{ANSWER_CHARS_MAX, QUESTIONS_MAX, Question, settle};
pub use rules::{BY_WORDS_MIN, Fired, PARTS_MANY, RULES, Rule, Weight};
pub use stakes::Stakes;
pub(crate) use stakes::says;
#[cfg(test)]
pub(crate) use tests::sources::texts as texts_of_the_sources;
pub use workflows::PATTERNS;

use crate::request::{self, Domain, Request};

/// How a request is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    /// One task, one role.
    Direct,
    /// A plan of several tasks.
    Plan,
    /// Several workflows with gates between them.
    Pack,
    /// Several passes, each of which makes a workflow.
    MultiPass,
}

impl Approach {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Approach::Direct => "direct",
            Approach::Plan => "plan",
            Approach::Pack => "pack",
            Approach::MultiPass => "multi_pass",
        }
    }
}

/// How sure an assessment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Firm rules say so, and none says otherwise.
    Sure,
    /// Only leaning rules say so, or the default does.
    Likely,
    /// Rules point in different directions.
    Unsure,
}

impl Certainty {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Certainty::Sure => "sure",
            Certainty::Likely => "likely",
            Certainty::Unsure => "unsure",
        }
    }
}

/// The recorded decision how to handle a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    /// The request's text.
    pub request: String,
    /// The approach.
    pub approach: Approach,
    /// What is done as long as packs and passes do not exist: the approach, or a plan, or one task
    /// where the words of a pack do not tell its parts apart.
    pub executed_as: Approach,
    /// The domain of the role that does it, where one does it all.
    pub assigned_to: Option<Domain>,
    /// How sure it is.
    pub certainty: Certainty,
    /// The reasons, in sentences.
    pub reasons: Vec<String>,
    /// The rules that fired.
    pub rules: Vec<Fired>,
    /// The facts.
    pub facts: Facts,
    /// Which workflows are meant, where several are.
    pub pattern_selection: Option<PatternSelection>,
    /// What the request leaves open.
    pub questions: Vec<Question>,
}

impl Assessment {
    /// Whether it probably touches four files or more, as the words alone have it.
    #[must_use]
    pub fn is_complex_by_words(&self) -> bool {
        self.facts.by_words.files >= 0.5
    }

    /// Whether it probably touches several domains of files, as the words alone have it.
    #[must_use]
    pub fn is_multi_domain_by_words(&self) -> bool {
        self.facts.by_words.domains >= 0.5
    }
}

/// Assesses a request that was read, with what is known of the repository, by these figures.
#[must_use]
pub fn assess(request: &Request, repository: &Repository, sizes: &Sizes) -> Assessment {
    // What is not to be done makes nothing larger.
    let wanted = request.wanted();
    let signals = signals::signals(&wanted);
    let facts = facts::facts(request, repository, signals::score(&signals));
    let lower = wanted.to_lowercase().replace('’', "'");
    let lower: String = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    let case = rules::Case {
        request,
        facts: &facts,
        lower: &lower,
        signals: &signals,
        sizes,
    };
    let rules = rules::fired(&case);
    let approach = decide(&rules);
    let certainty = certainty(approach, &rules, &facts);
    let is_told_apart = || {
        let names = halves::of(request, &rules).is_some() || listed_whole(request).is_some();
        let is_clear = crate::planner::doubtful(request).is_none();
        is_clear && (names || request.parts.len() > 1)
    };
    let executed_as = match approach {
        Approach::Direct => Approach::Direct,
        Approach::Pack if !is_told_apart() => Approach::Direct,
        Approach::Pack | Approach::Plan | Approach::MultiPass => Approach::Plan,
    };
    let assigned_to = (approach == Approach::Direct).then(|| {
        let first = facts.domains.first();
        first.copied().unwrap_or(Domain::Development)
    });
    let mut questions = questions::questions(request, &facts, &lower);
    let is_doubtful = approach == Approach::Direct && certainty == Certainty::Unsure;
    if is_doubtful && questions.is_empty() && !rules.iter().any(|rule| rule.weight == Weight::Firm)
    {
        questions.extend(questions::stakes(request, &facts));
    }
    Assessment {
        request: request.text.clone(),
        approach,
        executed_as,
        assigned_to,
        certainty,
        reasons: reasons((approach, executed_as), &rules, &facts),
        pattern_selection: workflows::selection(request, approach, &rules, &facts.components),
        questions,
        rules,
        facts,
    }
}

/// Reads and assesses a text, by the usual figures.
#[must_use]
pub fn assess_text(text: &str, repository: &Repository) -> Assessment {
    assess(&request::read(text), repository, &Sizes::USUAL)
}

/// The approach that follows from what fired.
///
/// Passes come before packs, and packs before plans. What is too small to be split is not. A request that calls itself small outranks
/// broad rules; a firm rule for one task outranks leaning ones for a plan. Otherwise a plan is made
/// if any rule says so, and one task if none does.
fn decide(fired: &[Fired]) -> Approach {
    let points = |approach: Approach| fired.iter().filter(move |rule| rule.points == approach);
    if points(Approach::MultiPass).next().is_some() {
        return Approach::MultiPass;
    }
    if points(Approach::Pack).next().is_some() {
        return Approach::Pack;
    }
    if fired.iter().any(|rule| rule.rule == rules::TOO_SMALL) {
        return Approach::Direct;
    }
    let is_small = fired
        .iter()
        .any(|rule| matches!(rule.rule, "quick" | "throwaway" | "familiar"));
    let is_direct = points(Approach::Direct).any(|rule| rule.weight == Weight::Firm);
    let least = match (is_small, is_direct) {
        (true, _) => Weight::Firm,
        (false, true) => Weight::Broad,
        (false, false) => Weight::Leaning,
    };
    match points(Approach::Plan).any(|rule| rule.weight >= least) {
        true => Approach::Plan,
        false => Approach::Direct,
    }
}

/// From this probability of a large change on, words make one task a doubtful choice.
const DOUBT_MIN: f64 = 0.65;

fn certainty(approach: Approach, fired: &[Fired], facts: &Facts) -> Certainty {
    let is_for = |rule: &&Fired| rule.points == approach;
    let firm_for = fired
        .iter()
        .filter(is_for)
        .any(|rule| rule.weight > Weight::Leaning);
    let firm_against = fired.iter().any(|rule| {
        rule.points != approach && rule.weight == Weight::Firm && is_rival(approach, rule)
    });
    let leaning_against = fired.iter().any(|rule| speaks_against(approach, rule));
    let is_split =
        approach == Approach::Pack && fired.iter().any(|rule| rule.weight == Weight::Narrowing);
    match (firm_for, firm_against) {
        _ if is_split => Certainty::Unsure,
        (true, true) => Certainty::Unsure,
        (true, false) if leaning_against => Certainty::Likely,
        (true, false) => Certainty::Sure,
        (false, _) if leaning_against || are_words_against(approach, facts) => Certainty::Unsure,
        (false, _) => Certainty::Likely,
    }
}

/// Whether the words alone make one task doubtful.
fn are_words_against(approach: Approach, facts: &Facts) -> bool {
    approach == Approach::Direct && facts.by_words.files >= DOUBT_MIN
}

/// Whether a rule speaks against an approach: one that asks for a plan does not speak against a
/// pack, which is more of it.
fn is_rival(approach: Approach, rule: &Fired) -> bool {
    match rule.weight {
        Weight::Narrowing => matches!(approach, Approach::Pack | Approach::MultiPass),
        _ => (approach == Approach::Direct) != (rule.points == Approach::Direct),
    }
}

/// Whether a rule that fired is told as a reason against an approach. One task is the default, and what
/// only leans towards it speaks against nothing.
fn speaks_against(approach: Approach, rule: &Fired) -> bool {
    let leans = rule.points == Approach::Direct && rule.weight == Weight::Leaning;
    rule.points != approach && is_rival(approach, rule) && !leans
}

fn reasons(
    (approach, executed_as): (Approach, Approach),
    fired: &[Fired],
    facts: &Facts,
) -> Vec<String> {
    let sentence = |rule: &Fired| {
        let mut says = rule.says.clone();
        if let Some(first) = says.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        format!("{says} ({}).", rule.because.join(", "))
    };
    let is_narrowing = |rule: &&Fired| rule.weight == Weight::Narrowing;
    let is_for = |rule: &&Fired| rule.points == approach && !is_narrowing(rule);
    let mut reasons: Vec<String> = fired.iter().filter(is_for).map(sentence).collect();
    if reasons.is_empty() {
        reasons.push("Nothing speaks for splitting it, and one task is the default.".to_owned());
    }
    for rule in fired.iter().filter(|rule| speaks_against(approach, rule)) {
        reasons.push(format!(
            "Against it: {} ({}).",
            rule.says,
            rule.because.join(", ")
        ));
    }
    if are_words_against(approach, facts) {
        reasons.push(format!(
            "Against it: it is worded like large changes ({:.0} of 100 such; fitted to commits of \
             the past, and a weak sign).",
            facts.by_words.files * 100.0
        ));
    }
    match approach {
        Approach::Pack if executed_as == Approach::Direct => reasons.push(
            "Packs of workflows do not run yet, and its words do not tell the parts of one apart: \
             unless an agent plans it, it is executed as one task instead."
                .to_owned(),
        ),
        Approach::Pack => reasons.push(
            "Packs of workflows do not run yet: it is executed as a plan instead.".to_owned(),
        ),
        Approach::MultiPass => reasons.push(
            "Generation in several passes does not run yet: it is executed as a plan instead."
                .to_owned(),
        ),
        Approach::Direct | Approach::Plan => {
            reasons.extend(fired.iter().filter(is_narrowing).map(sentence));
        }
    }
    reasons
}
