//! How agents that speak ACP differ, as data.

/// What was measured of one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// What its figures of usage count.
    pub usage: Usage,
    /// How it takes up a session.
    pub resume: Verb,
    /// Whether it ends when nobody speaks to it any more.
    pub ends_on_close: bool,
    /// Whether it ends on SIGTERM.
    pub ends_on_term: bool,
    /// Words with which the last thing that it says is no answer but an error, at the beginning.
    pub error_words: &'static [&'static str],
}

/// What an agent's figures of usage count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// The whole turn.
    Turn,
    /// The last request to the model alone: less than was used.
    LastStep,
    /// The session from its beginning, earlier turns too.
    Session,
    /// The turn; they stand where the protocol has no place for them, in a quota.
    Quota,
    /// One request to the model each; they stand with the words that answered it.
    Steps,
}

/// How an agent takes up a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// By `session/resume`.
    Resume,
    /// By `session/load`, after which it tells all of it again.
    Load,
    /// As it advertises, the first before the second.
    Advertised,
    /// Not at all, whatever it advertises.
    None,
}

impl Quirks {
    /// Of an agent of which nothing is known.
    pub const UNKNOWN: Quirks = Quirks {
        usage: Usage::Turn,
        resume: Verb::Advertised,
        ends_on_close: true,
        ends_on_term: true,
        error_words: &[],
    };
}
