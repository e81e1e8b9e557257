//! What all parts share: the built binary, fresh project folders, and the commands that run there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::measure::{self, Usage};
use super::{Options, machine};
use crate::Result;

/// Slots in every measured run, and make's `-j`.
pub(super) const SLOTS: usize = 8;

/// The prepared benchmark.
pub(super) struct Bench {
    /// The binary, copied to a place of its own: its processes are known by it.
    pub(super) divisi: PathBuf,
    /// This program as a release build, for the bare comparison.
    pub(super) xtask: PathBuf,
    /// One line about machine, commit and disk.
    pub(super) machine: String,
    /// Small graphs, few runs.
    pub(super) quick: bool,
    /// The workspace's root.
    pub(super) root: PathBuf,
    scratch: TempDir,
}

impl Bench {
    /// Builds the release binaries and looks at the machine.
    pub(super) fn prepare(root: &Path, options: &Options) -> Result<Bench> {
        let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
        let scratch = TempDir::with_prefix_in("divisi-bench-", parent)?;
        let folder = scratch.path().join("bin");
        fs::create_dir(&folder)?;
        // One by one: built together, features that only one needs would be in both.
        let built = [
            build_release(root, "divisi")?,
            build_release(root, "xtask")?,
        ];
        let [divisi, xtask] = ["divisi", "xtask"].map(|name| folder.join(name));
        fs::copy(&built[0], &divisi)?;
        fs::copy(&built[1], &xtask)?;
        Ok(Bench {
            divisi: divisi.canonicalize()?,
            xtask,
            machine: machine::describe(root, scratch.path())?,
            quick: options.quick,
            root: root.to_owned(),
            scratch,
        })
    }

    /// How often each program is run and counted.
    pub(super) fn runs(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// How many tasks the graphs have.
    pub(super) fn sizes(&self) -> &'static [usize] {
        if self.quick {
            &[1_000]
        } else {
            &[1_000, 10_000]
        }
    }

    /// A fresh folder that is deleted with the value.
    pub(super) fn folder(&self) -> Result<Folder> {
        let folder = TempDir::with_prefix_in("project-", self.scratch.path())?;
        Ok(Folder { folder })
    }
}

/// A project folder.
pub(super) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into it.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.path().join(name), text)?)
    }

    /// A command that works in it, without input, its output in a file.
    pub(super) fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Result<Command> {
        let log = File::create(self.path().join("bench.log"))?;
        let mut command = Command::new(program.as_ref());
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(command)
    }

    /// Runs a command in it and measures; on failure the error shows the end of its output.
    pub(super) fn measure(&self, program: &Path, arguments: &[&str]) -> Result<Usage> {
        measure::run(&mut self.command(program, arguments)?).map_err(|e| self.with_log(&e))
    }

    /// The error with the end of what the command printed.
    pub(super) fn with_log(&self, error: &crate::Error) -> crate::Error {
        let log = fs::read(self.path().join("bench.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n");
        format!("{error}\n{end}").into()
    }
}

/// `divisi run plan.json` with the given durability and the benchmark's slots.
pub(super) fn run_arguments(durability: &'static str) -> [&'static str; 7] {
    const { assert!(SLOTS == 8) };
    [
        "run",
        "plan.json",
        "-j",
        "8",
        "--yes",
        "--durability",
        durability,
    ]
}

/// Builds a package and gives the path of its executable, as cargo tells it.
fn build_release(root: &Path, package: &str) -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args([
            "build",
            "--release",
            "--message-format=json-render-diagnostics",
            "-p",
            package,
        ])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo build --release -p {package} failed").into());
    }
    executable(&String::from_utf8(output.stdout)?)
        .ok_or_else(|| format!("cargo names no executable of {package}").into())
}

fn executable(messages: &str) -> Option<PathBuf> {
    let of_message = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    };
    messages.lines().filter_map(of_message).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_the_last_one_that_cargo_names() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\nnoise\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"target/release/divisi\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some("target/release/divisi".into()));
        assert_eq!(executable("{}"), None);
    }
}
