//! Real coding agents, end to end: the real binary and the real command line tools, and a model
//! that answers from a script on loopback.
//!
//! `cargo xtask agents` installs the tools; then `cargo test -p divisi --test agents`. They are not
//! part of `cargo test`, which needs nothing from the network. Without the tools these tests fail.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod acp;
mod beside;
mod budgets;
mod denied;
mod faults;
mod first_minute;
mod fix;
mod found;
mod idle;
mod kept;
mod left;
mod logged;
#[expect(dead_code, reason = "shared with other suites")]
mod model;
#[path = "../hostile/nowhere.rs"]
mod nowhere;
mod planned;
mod plans;
mod reviewed;
mod script;
mod sessions;
#[path = "../hostile/stage.rs"]
mod stage;
mod told;
mod tool;
mod whole;
mod work;
