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
