//! `cargo xtask agents`: the coding agents that the tests run, in versions that never change by
//! themselves, from npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// What is installed, as npm reads it. Each of them brings nothing but its own program for each
/// platform, in a version that it names exactly; a lock file would hold the same.
const MANIFEST: &str = "crates/divisi/tests/agents/package.json";

/// Those that are tried by hand.
const MORE: &str = "crates/divisi/tests/more_agents/package.json";

/// Installs them under `target/agents`, and `all` the others under `target/more-agents`.
///
/// # Errors
/// npm is not there, or fails.
pub(crate) fn run(root: &Path, all: bool) -> Result<()> {
    install(root, MANIFEST, "agents")?;
    match all {
        true => install(root, MORE, "more-agents"),
        false => Ok(()),
    }
}

fn install(root: &Path, manifest: &str, name: &str) -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = target.join(name);
    fs::create_dir_all(&folder)?;
    fs::copy(root.join(manifest), folder.join("package.json"))?;
    let status = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--loglevel", "error"])
        .current_dir(&folder)
        .status()
        .map_err(|error| format!("start npm, which comes with Node.js: {error}"))?;
    if !status.success() {
        return Err(format!("npm install in {}: {status}", folder.display()).into());
    }
    Ok(())
}
