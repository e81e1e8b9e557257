//! `cargo xtask agents`: the coding agents that the tests run, in versions that never change by
//! themselves, from npm; and by hand more of them, from npm and PyPI.

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
    if !all {
        return Ok(());
    }
    install(root, MORE, "more-agents")?;
    PYTHON
        .iter()
        .try_for_each(|named| install_python(root, named))
}

/// Those of the others that come from PyPI, each in an environment of its own: what they need does
/// not go together.
const PYTHON: [(&str, &str); 2] = [
    ("aider", "aider-chat==0.86.2"),
    ("mini", "mini-swe-agent==2.4.6"),
];

fn install_python(root: &Path, (program, package): &(&str, &str)) -> Result<()> {
    let folder = target(root).join("more-agents/python").join(program);
    finish(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let pip = folder.join("bin/pip");
    finish(Command::new(pip).args(["install", "--quiet", package]))
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from)
}

fn install(root: &Path, manifest: &str, name: &str) -> Result<()> {
    let folder = target(root).join(name);
    fs::create_dir_all(&folder)?;
    fs::copy(root.join(manifest), folder.join("package.json"))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error"]);
    finish(npm.current_dir(&folder))
}

fn finish(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .map_err(|error| format!("start {program}: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {status}").into()),
    }
}
