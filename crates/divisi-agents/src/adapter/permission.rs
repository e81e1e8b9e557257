//! What an agent asks leave for, and who answers.
//!
//! An adapter that hears such a request passes it to a [`Broker`] and gives the agent the answer.
//! The broker always answers in bounded time: what nobody decides is denied.

use serde::{Deserialize, Serialize};

/// What sort of thing an agent wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Read files, or search in them.
    Read,
    /// Make or change files, or move them.
    Edit,
    /// Remove files.
    Delete,
    /// Run a program.
    Execute,
    /// Get something from the network.
    Fetch,
    /// Anything else.
    Other,
}

/// One request of an agent, as its tool puts it. Untrusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The tool's own name for the request, unique within its session.
    pub id: String,
    /// What sort of thing.
    pub deed: Deed,
    /// It, in a line.
    pub title: String,
    /// The files it is about, as the tool names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The command line to be run, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Do it, this once.
    Allow,
    /// Do not.
    Deny {
        /// Why, in a line; the agent is told.
        reason: String,
    },
}

/// Who answers an agent's requests.
pub trait Broker: Send + Sync {
    /// The answer. May wait for a person, but not for ever.
    fn decide(&self, request: &Request) -> Decision;
}
