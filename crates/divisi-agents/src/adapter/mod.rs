//! The adapter process: one session with a coding agent's command line tool.
//!
//! `divisi adapter NAME` is started by the supervisor like any program. It reads the handoff, turns
//! it into a [`prompt()`], starts the tool in the workspace, and reads its stream of JSON. What every
//! tool says in a form of its own becomes one transcript of [`Entry`]s, printed as it happens: it is in
//! the attempt's log, capped and masked as any output. The last line says how the session
//! closed: the [`Closing`]. [`detect`] says which tools there are.
//!
//! What a tool asks leave for goes to a [`Broker`]: over the [`Channel`] to the run's rules and its
//! owner. Not every tool can ask ([`Asks`]).
//!
//! What differs between tools is data (a [`Product`]) and a pure reading of their lines
//! (`claude`, `codex`, `opencode`), each tested on recorded streams. A tool's exit status and
//! its word of success prove nothing; what is reported here is a claim.

mod acp;
mod agent;
mod channel;
mod claude;
mod closing;
mod codex;
mod control;
mod copilot;
mod detection;
mod gemini;
mod home;
mod login;
mod meter;
mod opencode;
mod others;
mod permission;
mod pipes;
mod plain;
mod process;
mod product;
mod prompt;
mod qwen;
mod record;
mod reset;
mod session;
mod stop;
mod transcript;
mod walls;

#[cfg(test)]
mod tests;

pub use acp::{Introduction, Quirks, Usage, Verb};
pub use agent::{AdapterAgent, DefinedAgent};
pub use channel::{Channel, Nobody};
pub use closing::Closing;
pub use detection::{
    Credential, Detected, NoVersion, Standing, VERSION_PATIENCE, alternatives, detect,
    has_credential, program,
};
pub use divisi_core::permission::{Decision, Deed, Request};
pub use home::take_logins;
pub use login::login_secrets;
pub use meter::{Meter, RESERVATION_VARIABLE, Reservation};
pub use permission::{Broker, is_unrecorded};
pub use plain::converse as converse_plainly;
pub use process::{
    Fault, HOME_VARIABLE, Surroundings, converse, converse_over_acp, print, print_closing,
    read_handoff, told,
};
pub use product::{Asks, Driven, PRODUCTS, Product, is_priced, product};
pub use prompt::prompt;
pub use session::Session;
pub use stop::Stop;
pub use transcript::{Entry, Tokens, printed_at};
