//! `cargo xtask repositories`: other people's projects, as their registries publish them, on which
//! tests try the first minute. One for each of three languages, in versions that never change by
//! themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;

/// JavaScript, from npm.
const NPM: (&str, &str) = ("qs", "6.14.0");

/// Python, from PyPI.
const PYPI: (&str, &str) = ("itsdangerous", "2.2.0");

/// Rust: one of our own dependencies, so cargo has its files.
const CARGO: &str = "diffy";

/// Puts each into a folder of its own name under `target/repositories`.
///
/// # Errors
/// npm, pip, tar or cargo is not there, or fails.
pub(crate) fn run(root: &Path) -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = target.join("repositories");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let (name, version) = NPM;
    let archive = folder.join(format!("{name}-{version}.tgz"));
    let package = format!("{name}@{version}");
    done(
        Command::new("npm")
            .args(["pack", "--loglevel", "error", &package])
            .current_dir(&folder),
    )?;
    unpack(&archive, &folder.join(name))?;
    let (name, version) = PYPI;
    let archive = folder.join(format!("{name}-{version}.tar.gz"));
    let package = format!("{name}=={version}");
    done(
        Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--no-binary", ":all:"])
            .arg(package)
            .current_dir(&folder),
    )?;
    unpack(&archive, &folder.join(name))?;
    let from = dependency(root, CARGO)?;
    done(
        Command::new("cp")
            .arg("-R")
            .args([&from, &folder.join(CARGO)]),
    )
}

/// An archive's only folder, as this one.
fn unpack(archive: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    done(
        Command::new("tar")
            .arg("--extract")
            .arg("--strip-components=1")
            .arg("--file")
            .arg(archive)
            .arg("--directory")
            .arg(to),
    )?;
    Ok(fs::remove_file(archive)?)
}

/// Where cargo keeps the files of a dependency.
fn dependency(root: &Path, name: &str) -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array();
    let mut packages = packages.into_iter().flatten();
    let manifest = packages
        .find(|it| it["name"] == name)
        .and_then(|it| it["manifest_path"].as_str())
        .ok_or_else(|| format!("cargo metadata names no package {name}"))?;
    let folder = Path::new(manifest).parent();
    Ok(folder.ok_or("a manifest stands in a folder")?.to_owned())
}

fn done(command: &mut Command) -> Result<()> {
    let status = command
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(|error| format!("start {command:?}: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {status}").into()),
    }
}
