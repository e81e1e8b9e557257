//! Bench: measures the release build from outside, as a user would run it.
//!
//! Each part measures one promise and writes a table between its markers in `docs/benchmarks.md`,
//! so that parts can be measured again one by one. What is compared runs in turn (A B A B) in one
//! go, each time in a fresh project folder, and the ratio is the median of the pairs' ratios: a
//! machine that slows down half-way slows both. A limit that is missed is printed as missed and
//! makes the command fail; nothing is measured twice until it fits.
//!
//! What is *not* here: anything that looks into the process. The journal's rows are counted after
//! it has ended; memory is what the kernel says.

mod agents;
mod assess;
pub(crate) mod bare;
mod build;
mod generate;
mod graph;
mod hostile;
mod large;
mod machine;
mod make;
mod measure;
mod plan;
mod project;
mod report;
mod schedules;
mod scripted;
mod size;
mod traces;
mod wal;
mod worktree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::Result;
use project::Bench;
use report::Section;

/// What `cargo xtask bench` is told.
#[derive(Args)]
pub(crate) struct Options {
    /// Small graphs and few runs; prints the tables and leaves docs/benchmarks.md as it is
    #[arg(long)]
    quick: bool,
    /// Only this part (may be repeated); otherwise all but agents, build and schedules
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Also time a cold release build
    #[arg(long)]
    cold: bool,
    /// Plans with exact schedules or WfFormat 1.5 traces, for the part `schedules`
    #[arg(long, num_args = 1..)]
    traces: Vec<PathBuf>,
    /// Where project folders are made; the disk under it is what is measured
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Graphs of /bin/true beside make, durability normal
    Make,
    /// The same with durability full, beside a bare program
    Full,
    /// Scripted in-process agents: the engine alone
    Scripted,
    /// Tasks that change files in worktrees of their own
    Worktree,
    /// Peak memory, and the time of commands that run nothing
    Size,
    /// A folder of a thousand targets with five deliverables each
    Generate,
    /// A request assessed in a repository of ten thousand files
    Assess,
    /// Requests planned by rule in a repository of ten thousand files
    Plan,
    /// Agents that do not want to end, and deliverables that must not be opened
    Hostile,
    /// Coding agents beside a bare run of the same; `cargo xtask agents` installs them
    Agents,
    /// A cold release build
    Build,
    /// Simulated schedules of the given traces
    Schedules,
}

impl Part {
    /// The name of its markers.
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

impl Options {
    fn parts(&self) -> Vec<Part> {
        let mut parts = self.only.clone();
        if parts.is_empty() {
            parts = vec![
                Part::Make,
                Part::Full,
                Part::Scripted,
                Part::Size,
                Part::Generate,
                Part::Assess,
                Part::Plan,
                Part::Hostile,
                Part::Worktree,
            ];
            if !self.traces.is_empty() {
                parts.push(Part::Schedules);
            }
        }
        if self.cold && !parts.contains(&Part::Build) {
            parts.push(Part::Build);
        }
        parts
    }

    /// The command line that measures one part again, for the document. Traces are named without
    /// their folders.
    fn command(&self, part: Part) -> String {
        let mut command = format!("cargo xtask bench --only {}", part.name());
        if part == Part::Schedules {
            command.push_str(" --traces");
            for name in self.traces.iter().filter_map(|path| path.file_name()) {
                command.push(' ');
                command.push_str(&name.to_string_lossy());
            }
        }
        command
    }
}

/// Measures the chosen parts, prints their tables, and writes them into the document.
///
/// # Errors
/// What could not be built, run or written.
pub(crate) fn run(root: &Path, options: &Options) -> Result<ExitCode> {
    if options.only.contains(&Part::Schedules) && options.traces.is_empty() {
        return Err("the part `schedules` needs --traces FILE...".into());
    }
    let bench = Bench::prepare(root, options)?;
    let mut missed = 0;
    for part in options.parts() {
        let section = measure_part(&bench, part, options)?;
        let text = format!(
            "{}\n\n`{}`\n\n{}",
            bench.machine,
            options.command(part),
            section.markdown()
        );
        println!("\n## {}\n\n{text}", part.name());
        missed += section.missed();
        if !options.quick {
            report::write(&root.join("docs/benchmarks.md"), &part.name(), &text)?;
        }
    }
    println!("\nbench: {missed} limits missed");
    Ok(ExitCode::from(u8::from(missed > 0)))
}

fn measure_part(bench: &Bench, part: Part, options: &Options) -> Result<Section> {
    eprintln!("bench: measuring {}", part.name());
    match part {
        Part::Make => make::normal(bench),
        Part::Full => make::full(bench),
        Part::Scripted => scripted::section(bench),
        Part::Worktree => worktree::section(bench),
        Part::Size => size::section(bench),
        Part::Generate => generate::section(bench),
        Part::Assess => assess::section(bench),
        Part::Plan => plan::section(bench),
        Part::Hostile => hostile::section(bench),
        Part::Agents => agents::section(bench),
        Part::Build => build::section(bench),
        Part::Schedules => schedules::section(bench, &options.traces),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parts(line: &[&str]) -> Vec<Part> {
        Line::try_parse_from([&["bench"], line].concat())
            .unwrap()
            .options
            .parts()
    }

    #[test]
    fn slow_and_external_parts_are_measured_on_demand() {
        use Part::{
            Assess, Build, Full, Generate, Hostile, Make, Plan, Schedules, Scripted, Size, Worktree,
        };
        let usual = [
            Make, Full, Scripted, Size, Generate, Assess, Plan, Hostile, Worktree,
        ];
        assert_eq!(parts(&[]), usual);
        assert_eq!(parts(&["--only", "size", "--cold"]), [Size, Build]);
        assert_eq!(
            parts(&["--traces", "a.json", "b.json"]),
            [&usual[..], &[Schedules]].concat()
        );
    }

    #[test]
    fn the_documented_command_names_no_folder() {
        let line = [
            "bench",
            "--only",
            "schedules",
            "--traces",
            "data/a.json",
            "b.json",
        ];
        let options = Line::try_parse_from(line).unwrap().options;
        assert_eq!(
            options.command(Part::Schedules),
            "cargo xtask bench --only schedules --traces a.json b.json"
        );
    }

    #[test]
    fn every_part_has_its_place_in_the_document() {
        let path = crate::root().join("docs/benchmarks.md");
        let document = std::fs::read_to_string(path).unwrap();
        for part in Part::value_variants() {
            let name = part.name();
            report::replace(&document, &name, "x")
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
