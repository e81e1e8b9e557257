//! Who answers what an agent asks leave for.
//!
//! An adapter that hears such a request passes it to a [`Broker`] and gives the agent the answer.
//! The broker always answers in bounded time: what nobody decides is denied.

use divisi_core::permission::{Decision, Request};

/// Who answers an agent's requests.
pub trait Broker: Send + Sync {
    /// The answer. May wait for a person, but not for ever.
    fn decide(&self, request: &Request) -> Decision;
}

/// Why something is denied before whoever records it was asked, or though they allowed it.
pub(super) const TOO_LONG: &str = "it is too long to be looked at";
pub(super) const TOO_MUCH: &str = "too much is asked at once";
pub(super) const NOBODY: &str = "nobody is there to answer";
pub(super) const FOR_EVER: &str = "it can be allowed for ever only";

/// Whether the run does not know what was denied for this reason.
#[must_use]
pub fn is_unrecorded(reason: &str) -> bool {
    [TOO_LONG, TOO_MUCH, NOBODY, FOR_EVER].contains(&reason)
}
