//! The rules: each has a name, says which way it points, and fires with the words that made it.
//!
//! *Firm* rules decide. *Broad* ones do unless the request calls itself quick, familiar or
//! throwaway. *Leaning* ones do only if nothing firm points the other way. *Narrowing* ones keep
//! together what could be several workflows. What none of them says is one task.

mod direct;
mod plan;

use divisi_core::run::Sizes;
use serde::Serialize;

use super::Approach;
use super::facts::Facts;
use super::signals::SIGNALS;
use crate::request::Request;

/// From so many parts on a request is several tasks, whatever their size.
pub const PARTS_MANY: usize = 4;

/// Words alone count from this probability on. It is far above even odds: they predict weakly, half
/// of what they were fitted on was large, and most requests are not.
pub const BY_WORDS_MIN: f64 = 0.8;

/// How much a rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Speaks against several workflows, and decides nothing between one task and a plan.
    Narrowing,
    /// Only if nothing firm says otherwise.
    Leaning,
    /// Unless the request calls itself small.
    Broad,
    /// Always.
    Firm,
}

/// A rule of the assessment.
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// Which approach it points to.
    pub points: Approach,
    /// How much it decides.
    pub weight: Weight,
    /// What it says when it fires, as a clause: `it names several domains`. Figures of [`Sizes`]
    /// stand there by their names, in braces.
    pub says: &'static str,
    fires: fn(&Case<'_>) -> Option<Vec<String>>,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fired {
    /// The rule's name.
    pub rule: &'static str,
    /// Which approach it points to.
    pub points: Approach,
    /// How much it decides.
    pub weight: Weight,
    /// What it says.
    pub says: String,
    /// The words or facts that made it fire.
    pub because: Vec<String>,
}

/// What rules look at.
pub(super) struct Case<'a> {
    pub(super) request: &'a Request,
    pub(super) facts: &'a Facts,
    /// The text in lower case and in one line.
    pub(super) lower: &'a str,
    /// What the wording says of the size.
    pub(super) signals: &'a [f64; SIGNALS],
    pub(super) sizes: &'a Sizes,
}

/// The rule that outranks all that point to a plan.
pub(super) const TOO_SMALL: &str = "too-small";

/// The rules, in the order in which they are told.
pub const RULES: &[Rule] = &[
    rule(
        "compound-request",
        Approach::MultiPass,
        Weight::Firm,
        "it asks for a whole company or platform, which is several systems",
        super::workflows::compound,
    ),
    rule(
        "interaction-differs",
        Approach::Pack,
        Weight::Firm,
        "people take part in one half of it and a clock drives the other",
        super::workflows::interaction_differs,
    ),
    rule(
        "lifecycles-differ",
        Approach::Pack,
        Weight::Firm,
        "its halves are begun at different times and must be reachable on their own",
        super::workflows::lifecycles_differ,
    ),
    rule(
        "approval-differs",
        Approach::Pack,
        Weight::Firm,
        "one half of it waits for people's approval and the other must not",
        super::workflows::approval_differs,
    ),
    rule(
        "isolation",
        Approach::Pack,
        Weight::Firm,
        "its halves must not share what they know",
        super::workflows::isolation,
    ),
    rule(
        "one-goal",
        Approach::Plan,
        Weight::Narrowing,
        "one workflow is enough, since all of it serves one goal",
        super::workflows::one_goal,
    ),
    rule(
        "only-stages",
        Approach::Plan,
        Weight::Narrowing,
        "one workflow is enough, since its pieces are stages of one",
        super::workflows::only_stages,
    ),
    rule(
        "shared-state",
        Approach::Plan,
        Weight::Narrowing,
        "one workflow is enough, since its pieces share what they know",
        super::workflows::shared_state,
    ),
    rule(
        "one-pattern",
        Approach::Plan,
        Weight::Narrowing,
        "one workflow is enough, since one pattern fits all of it",
        super::workflows::one_pattern,
    ),
    rule(
        "several-domains",
        Approach::Plan,
        Weight::Firm,
        "it names the work of several domains",
        plan::several_domains,
    ),
    rule(
        "many-files",
        Approach::Plan,
        Weight::Firm,
        "it means more than {files_max} files",
        plan::many_files,
    ),
    rule(
        "entire-system",
        Approach::Plan,
        Weight::Broad,
        "it builds or changes a system as a whole",
        plan::entire_system,
    ),
    rule(
        "sequence",
        Approach::Plan,
        Weight::Firm,
        "one thing has to be done before another",
        plan::sequence,
    ),
    rule(
        "long-work",
        Approach::Plan,
        Weight::Firm,
        "it states more than {minutes_max} minutes or {tokens_max} tokens of work",
        plan::long_work,
    ),
    rule(
        "many-lines",
        Approach::Plan,
        Weight::Leaning,
        "it states {lines_advised} lines of change or more, which nobody judges in one piece",
        plan::many_lines,
    ),
    rule(
        "coordination",
        Approach::Plan,
        Weight::Firm,
        "several roles or teams have to work on it together",
        plan::coordination,
    ),
    rule(
        "known-workflow",
        Approach::Plan,
        Weight::Firm,
        "a workflow of the catalog does just that",
        plan::known_workflow,
    ),
    rule(
        "several-parts",
        Approach::Plan,
        Weight::Firm,
        "it has four parts or more",
        plan::several_parts,
    ),
    rule(
        "components",
        Approach::Plan,
        Weight::Broad,
        "it is to have several components",
        plan::components,
    ),
    rule(
        "error-is-dear",
        Approach::Plan,
        Weight::Firm,
        "a mistake would cost more than a plan",
        |case| phrases(&case.facts.stakes.cost_of_error),
    ),
    rule(
        "technology-is-new",
        Approach::Plan,
        Weight::Firm,
        "its technology is new to you",
        |case| phrases(&case.facts.stakes.novelty),
    ),
    rule(
        "domain-is-unfamiliar",
        Approach::Plan,
        Weight::Firm,
        "its domain is not yours",
        |case| phrases(&case.facts.stakes.unfamiliar),
    ),
    rule(
        "time-presses",
        Approach::Plan,
        Weight::Firm,
        "there is no time for a second try",
        |case| phrases(&case.facts.stakes.time_pressure),
    ),
    rule(
        "reaches-far",
        Approach::Plan,
        Weight::Leaning,
        "what it is about usually reaches through a system",
        plan::reaches_far,
    ),
    rule(
        "depends-on-others",
        Approach::Plan,
        Weight::Leaning,
        "it depends on something outside the repository",
        plan::depends_on_others,
    ),
    rule(
        "similar-were-large",
        Approach::Plan,
        Weight::Leaning,
        "similar changes of this repository touched more than {files_max} files",
        plan::similar_were_large,
    ),
    rule(
        "worded-like-large",
        Approach::Plan,
        Weight::Leaning,
        "requests worded like this mostly touched four files or more, as fitted to commits of the past",
        plan::worded_like_large,
    ),
    rule(
        "one-place",
        Approach::Direct,
        Weight::Firm,
        "it names the place, and no more than {files_max} files",
        direct::one_place,
    ),
    rule(
        TOO_SMALL,
        Approach::Direct,
        Weight::Firm,
        "it states less than {split_minutes_min} minutes of work or {split_lines_min} lines of change, which nothing is split below",
        direct::too_small,
    ),
    rule(
        "short-work",
        Approach::Direct,
        Weight::Firm,
        "it states no more than {minutes_max} minutes and {tokens_max} tokens of work",
        direct::short_work,
    ),
    rule(
        "one-look",
        Approach::Direct,
        Weight::Firm,
        "it only looks, in one domain",
        direct::one_look,
    ),
    rule(
        "small-matter",
        Approach::Direct,
        Weight::Firm,
        "it is about a trifle",
        direct::small_matter,
    ),
    rule(
        "quick",
        Approach::Direct,
        Weight::Firm,
        "you call it quick or simple",
        |case| phrases(&case.facts.stakes.quick),
    ),
    rule(
        "throwaway",
        Approach::Direct,
        Weight::Firm,
        "it will not be kept",
        |case| phrases(&case.facts.stakes.throwaway),
    ),
    rule(
        "familiar",
        Approach::Direct,
        Weight::Firm,
        "it has been done many times",
        |case| phrases(&case.facts.stakes.familiar),
    ),
    rule(
        "one-domain",
        Approach::Direct,
        Weight::Leaning,
        "it is one piece of work in one domain",
        direct::one_domain,
    ),
    rule(
        "self-contained",
        Approach::Direct,
        Weight::Leaning,
        "it depends on nothing outside the repository",
        direct::self_contained,
    ),
    rule(
        "clear-instruction",
        Approach::Direct,
        Weight::Leaning,
        "it says what to do with something that it names",
        direct::clear_instruction,
    ),
];

const fn rule(
    name: &'static str,
    points: Approach,
    weight: Weight,
    says: &'static str,
    fires: fn(&Case<'_>) -> Option<Vec<String>>,
) -> Rule {
    Rule {
        name,
        points,
        weight,
        says,
        fires,
    }
}

/// The rules that fire.
pub(super) fn fired(case: &Case<'_>) -> Vec<Fired> {
    let fired = RULES.iter().filter_map(|rule| {
        let because = (rule.fires)(case)?;
        Some(Fired {
            rule: rule.name,
            points: rule.points,
            weight: rule.weight,
            says: told(rule.says, case.sizes),
            because,
        })
    });
    fired.collect()
}

/// A sentence with the figures that it names in braces.
pub(super) fn told(says: &str, sizes: &Sizes) -> String {
    let figures = [
        ("{files_max}", sizes.files_max),
        ("{minutes_max}", sizes.ms_max.div_ceil(60_000)),
        ("{tokens_max}", sizes.tokens_max),
        ("{lines_advised}", sizes.lines_advised),
        ("{split_lines_min}", sizes.split_lines_min),
        ("{split_minutes_min}", sizes.split_ms_min.div_ceil(60_000)),
    ];
    let put = |told: String, (name, figure): &(&str, u64)| told.replace(name, &figure.to_string());
    figures.iter().fold(says.to_owned(), put)
}

fn phrases(found: &[&'static str]) -> Option<Vec<String>> {
    (!found.is_empty()).then(|| found.iter().map(|&phrase| phrase.to_owned()).collect())
}
