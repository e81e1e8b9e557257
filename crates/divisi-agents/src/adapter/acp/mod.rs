//! The Agent Client Protocol over an agent's standard input and output.
//!
//! One session: `initialize`, its name, new or taken up, one prompt, and whatever the
//! agent reports and asks for until its turn is over. [`client`] decides, and knows no
//! process; [`drive`] acts. Agents differ in what their figures count, how they take up a session,
//! and what ends them: that is data, in [`Quirks`].
//!
//! The protocol is JSON-RPC in lines, of which we need six methods. So there is no library and no
//! runtime beneath it; `docs/design/agents.md` says what that would have cost.

mod client;
mod drive;
mod quirks;
mod updates;
mod wire;

#[cfg(test)]
mod tests;

pub use client::Introduction;
pub(super) use client::{Client, introduced};
pub(super) use drive::{Drive, Patience, drive};
pub use quirks::{Quirks, Usage, Verb};
