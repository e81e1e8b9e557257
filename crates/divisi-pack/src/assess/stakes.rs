//! What a mistake would cost, what is new, what presses, what is routine: told by phrases.
//!
//! The question behind it is the source's: if this goes wrong, will it cost more to repair than to
//! plan properly? Where the request says nothing of it, nothing is assumed.

use serde::Serialize;

/// What the request says of its circumstances: the phrases that say so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stakes {
    /// A mistake is dear.
    pub cost_of_error: Vec<&'static str>,
    /// The technology is new to those who ask.
    pub novelty: Vec<&'static str>,
    /// The domain is not theirs.
    pub unfamiliar: Vec<&'static str>,
    /// There is no time for a second try.
    pub time_pressure: Vec<&'static str>,
    /// It is done often, in the same way.
    pub familiar: Vec<&'static str>,
    /// It is small by their own words.
    pub quick: Vec<&'static str>,
    /// It will not be kept.
    pub throwaway: Vec<&'static str>,
}

const COST_OF_ERROR: &[&str] = &[
    "business-critical",
    "business critical",
    "can't go wrong",
    "cannot go wrong",
    "compliance",
    "critical for",
    "critical that",
    "data loss",
    "is critical",
    "mission-critical",
    "mission critical",
    "must be correct",
    "must be right",
    "must not break",
    "must not fail",
    "must not lose",
    "no mistakes",
    "quality is essential",
    "quality matters",
    "really matters",
    "safety-critical",
    "security-critical",
    "very important",
    "important project",
    "high stakes",
    "high-stakes",
    "get it right",
    "customers depend on",
    "regulated",
];

const NOVELTY: &[&str] = &[
    "first time using",
    "first time we",
    "for the first time",
    "have never used",
    "haven't used",
    "i am learning",
    "i'm learning",
    "learning as we go",
    "never used",
    "never worked with",
    "new technology",
    "new to me",
    "new to us",
    "new to the team",
    "we are learning",
    "we're learning",
    "while learning",
    "still learning",
    "nobody here has used",
    "a framework we don't know",
    "a technology we don't know",
];

const UNFAMILIAR: &[&str] = &[
    "don't know this domain",
    "no experience with",
    "no experience in",
    "not familiar with",
    "not my area",
    "not our area",
    "outside my expertise",
    "outside our expertise",
    "unfamiliar",
    "know nothing about",
    "know little about",
    "expert guidance",
    "need guidance",
];

const TIME_PRESSURE: &[&str] = &[
    "afford mistakes",
    "afford a mistake",
    "afford any mistakes",
    "before the launch",
    "by tomorrow",
    "by tonight",
    "deadline",
    "no second chance",
    "no time for mistakes",
    "one shot",
    "only one try",
    "time pressure",
    "under pressure",
    "tight schedule",
];

const FAMILIAR: &[&str] = &[
    "a hundred times",
    "as always",
    "as usual",
    "as we always do",
    "as we did for",
    "countless times",
    "done it before",
    "done many times",
    "done this before",
    "done this many times",
    "dozens of times",
    "exactly like the",
    "following the existing pattern",
    "just like the",
    "like all the others",
    "like the other",
    "like the others",
    "many times before",
    "our usual",
    "routine",
    "same as the",
    "same pattern as",
    "same way as",
    "very familiar",
    "well-known pattern",
    "we know well",
];

const QUICK: &[&str] = &[
    "hotfix",
    "just a small",
    "little script",
    "little tweak",
    "minor tweak",
    "one-line",
    "one-liner",
    "quick fix",
    "quick script",
    "quickly fix",
    "short script",
    "simple fix",
    "simple script",
    "small fix",
    "small script",
    "small tweak",
    "tiny fix",
    "tiny script",
    "trivial",
];

const THROWAWAY: &[&str] = &[
    "disposable",
    "experimental code",
    "experimental script",
    "for an experiment",
    "just an experiment",
    "just to see",
    "just to try",
    "one-off",
    "play around",
    "quick experiment",
    "throw away",
    "throw-away",
    "throwaway",
    "thrown away",
    "toy",
];

/// What a text says of its circumstances.
pub(super) fn stakes(text: &str) -> Stakes {
    let lower = text.to_lowercase().replace('’', "'");
    let lower: String = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = |phrases: &[&'static str]| -> Vec<&'static str> {
        let said = phrases.iter().filter(|phrase| says(&lower, phrase));
        said.copied().collect()
    };
    Stakes {
        cost_of_error: found(COST_OF_ERROR),
        novelty: found(NOVELTY),
        unfamiliar: found(UNFAMILIAR),
        time_pressure: found(TIME_PRESSURE),
        familiar: found(FAMILIAR),
        quick: found(QUICK),
        throwaway: found(THROWAWAY),
    }
}

/// Whether a text says a phrase, in whole words and not denied: `not trivial`.
pub(crate) fn says(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + phrase.len()..].chars().next();
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        let denied = ["not ", "not a ", "no ", "isn't ", "isn't a ", "n't a "];
        let denied = denied.iter().any(|denial| text[..at].ends_with(denial));
        ends(before) && ends(after) && !denied
    })
}
