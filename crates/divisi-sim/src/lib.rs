//! Plays the core, the world and the reconciler under a virtual clock, with faults.
//!
//! What is real: every aggregate, `World` with its step, `Reconcile`. What is a model: the
//! journal's disk, the repository, the supervisor with its agents, and people. What is drawn from
//! the seed: the plan, everything that goes wrong, and the order of all that happens. A seed and a
//! commit reproduce a run.
//!
//! - [`run_seed`] plays one seed to its end, or to the first violation of an [`Oracle`].
//! - [`Break`] names variants that are broken on purpose; each must be caught.
//! - [`Coverage`] counts faults and transitions, so that what was never reached is known.
//!
//! What it deliberately does not do: real processes, real git, real SQLite. Those have tests of
//! their own; here their promises are taken for granted and their failures are thrown in.

mod agents;
mod awaiting;
mod books;
mod breaks;
#[cfg(test)]
mod budget_tests;
mod candidates;
mod clock;
mod coverage;
mod divisions;
mod effects;
mod engine;
mod expansions;
mod journal;
mod judge;
mod limits;
mod needs;
mod people;
mod permissions;
mod plans;
mod repo;
mod rng;
mod sim;
mod supervisor;
mod truth;
mod weighings;
mod witness;
mod words;
#[cfg(test)]
mod world_tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use breaks::{Break, Oracle};
pub use coverage::{Coverage, Fault};
pub use sim::Violation;

/// Plays one seed to its end, with a sound engine or with one that is broken.
///
/// # Errors
/// The first violation; a panic of the code under test is one.
pub fn run_seed(seed: u64, broken: Option<Break>) -> Result<Coverage, Violation> {
    let play = AssertUnwindSafe(|| sim::Sim::new(seed, broken).play());
    catch_unwind(play).unwrap_or_else(|cause| {
        let words = cause.downcast_ref::<String>().cloned();
        let words = words.or_else(|| cause.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Err(Violation {
            oracle: Oracle::Panic,
            what: words.unwrap_or_else(|| "a panic without words".to_owned()),
        })
    })
}
