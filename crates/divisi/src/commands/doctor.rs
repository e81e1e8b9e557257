//! `divisi doctor`: what Divisi needs from this machine and this folder, and what of it is weaker.
//!
//! It changes nothing: the only thing it writes is a probe beside an existing journal, to measure
//! how long the disk takes, and it removes that. Nothing of the project is executed: git and coding
//! agents are asked for their versions only, and the repository is looked at as files.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use divisi_core::Time;
use divisi_core::journal::Fault;
use divisi_store::{NotOpened, Store, View};
use serde::Serialize;

use crate::cli::Global;
use crate::exit::Exit;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::{Project, is_locked, versions};
use crate::unfinished::{self, Attended};
use crate::words;

mod platform;

/// Divisi's own git calls need this version.
const GIT_MIN: (u32, u32) = (2, 41);

/// With less room, a run would soon pause; with hardly any, it cannot begin.
const ROOM_LOW: u64 = 512 << 20;
const ROOM_MIN: u64 = 32 << 20;

/// So many writes are measured.
const PROBES: usize = 9;

/// A disk that takes longer bounds the work that can be recorded to some tens of steps a second.
const FSYNC_SLOW_US: u128 = 20_000;

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Good,
    /// Divisi works, with less safety or speed.
    Weak,
    /// Divisi does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Finding {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Finding {
        Finding {
            name,
            state,
            found: found.into(),
            hint: None,
        }
    }

    fn hint(self, hint: impl Into<String>) -> Finding {
        Finding {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// Looks, and prints what was found.
pub(crate) fn run(global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let mut findings = vec![platform::system(), git(), platform::confinement()];
    findings.extend(platform::processes());
    findings.push(agents()?);
    findings.push(kind(project.folder()));
    findings.extend(disk(&project));
    findings.extend(journal(&project));
    let worst = findings
        .iter()
        .map(|finding| finding.state)
        .max()
        .unwrap_or(State::Good);
    if printer.is_json() {
        let document = serde_json::json!({
            "project": project.folder(),
            "state": worst,
            "findings": findings,
        });
        printer.document(&document)?;
    } else {
        printer.line(&Line::styled(
            Style::Bold,
            project.folder().display().to_string(),
        ))?;
        for finding in &findings {
            printer.lines(&lines(finding))?;
        }
    }
    Ok(if worst == State::Bad {
        Exit::Environment
    } else {
        Exit::Success
    })
}

/// Which coding agents are there. A run needs none of them.
fn agents() -> Result<Finding, Failure> {
    let (has_some, found) = super::agents::summary(&super::agents::look()?);
    let finding = Finding::new("agents", State::Good, found);
    Ok(match has_some {
        true => finding,
        false => finding.hint("divisi agents"),
    })
}

fn lines(finding: &Finding) -> Vec<Line> {
    let (style, word) = match finding.state {
        State::Good => (Style::Good, "good"),
        State::Weak => (Style::Warn, "weak"),
        State::Bad => (Style::Bad, "bad "),
    };
    let head = Line::styled(style, word)
        .then(format!("  {:<14}", finding.name))
        .then(&finding.found);
    let hint = finding
        .hint
        .iter()
        .map(|hint| Line::styled(Style::Dim, format!("{:22}→ ", "")).with(Style::Note, hint));
    std::iter::once(head).chain(hint).collect()
}

fn git() -> Finding {
    let asked = Command::new("git")
        .arg("version")
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let told = match asked {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        Ok(_) | Err(_) => {
            return Finding::new("git", State::Bad, "there is no `git` that can be run")
                .hint("install git 2.41 or newer");
        }
    };
    match version(&told) {
        Some(found) if found >= GIT_MIN => Finding::new("git", State::Good, told),
        _ => Finding::new("git", State::Bad, format!("{told}, which is too old"))
            .hint("install git 2.41 or newer"),
    }
}

/// Major and minor version in `git version 2.47.3`.
fn version(told: &str) -> Option<(u32, u32)> {
    let mut numbers = told.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// What kind of project it is, as far as files tell.
fn kind(folder: &Path) -> Finding {
    if !folder.join(".git").exists() {
        return Finding::new(
            "project",
            State::Good,
            "no git: its files are tracked privately",
        );
    }
    let mut facts = vec!["a git repository; uncommitted work is named when a run starts"];
    if folder.join(".gitmodules").exists() {
        facts.push("it has submodules: they are not checked out in workspaces");
    }
    let attributes = fs::read(folder.join(".gitattributes")).unwrap_or_default();
    let has_lfs = String::from_utf8_lossy(&attributes).contains("filter=lfs");
    if has_lfs {
        facts.push("it uses LFS: workspaces hold the pointers");
    }
    let state = if facts.len() > 1 {
        State::Weak
    } else {
        State::Good
    };
    Finding::new("project", state, facts.join("; "))
}

fn disk(project: &Project) -> Vec<Finding> {
    let divisi = project.divisi();
    let there = if divisi.is_dir() {
        divisi.as_path()
    } else {
        project.folder()
    };
    let mut findings = vec![platform::file_system(there)];
    if let Ok(room) = rustix::fs::statvfs(there) {
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        let state = match free {
            0..ROOM_MIN => State::Bad,
            ROOM_MIN..ROOM_LOW => State::Weak,
            _ => State::Good,
        };
        let finding = Finding::new("room", state, format!("{} free", words::size(free)));
        findings.push(match state {
            State::Good => finding,
            _ => finding.hint("divisi gc"),
        });
    }
    if divisi.is_dir() {
        findings.push(speed(&divisi));
    }
    findings
}

/// How long the disk takes to make a small write durable: the median of a few.
fn speed(folder: &Path) -> Finding {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let measured = File::create_new(&path).and_then(|mut file| {
        let mut took = Vec::with_capacity(PROBES);
        for _ in 0..PROBES {
            let begun = Instant::now();
            file.write_all(&[0x5a; 4_096])?;
            file.sync_data()?;
            took.push(begun.elapsed().as_micros());
        }
        took.sort_unstable();
        Ok(took[PROBES / 2])
    });
    // A probe that stays behind is small, hidden in `.divisi`, and harmless.
    let _ = fs::remove_file(&path);
    match measured {
        Ok(us) => {
            let ms = format!("{}.{:02} ms", us / 1_000, us % 1_000 / 10);
            let state = if us > FSYNC_SLOW_US {
                State::Weak
            } else {
                State::Good
            };
            let finding = Finding::new("durability", state, format!("a synced write takes {ms}"));
            match state {
                State::Good => finding,
                _ => finding.hint("divisi run --durability normal PLAN"),
            }
        }
        Err(error) => Finding::new(
            "durability",
            State::Bad,
            format!("writing in {}: {error}", folder.display()),
        )
        .hint("check the folder's owner, its permissions and its disk"),
    }
}

fn journal(project: &Project) -> Vec<Finding> {
    let view = match Store::open_read_only(&project.divisi(), versions()) {
        Ok(view) => view,
        Err(NotOpened::NotThere(_)) => {
            return vec![Finding::new(
                "journal",
                State::Good,
                "none yet: nothing was run here",
            )];
        }
        Err(NotOpened::Fault(fault)) => return vec![faulty(&fault)],
    };
    let mut findings = vec![sound(&view)];
    findings.push(holder(project, project.is_held()));
    match unattended(project, &view) {
        Ok(more) => findings.extend(more),
        Err(fault) => findings.push(faulty(&fault)),
    }
    findings
}

/// Who works in this folder: an engine, or a supervisor that is still ending agents.
fn holder(project: &Project, held: bool) -> Finding {
    let pid = |name: &str| {
        platform::lock_holder(&project.divisi().join(name))
            .map_or_else(String::new, |pid| format!(", process {pid}"))
    };
    if held {
        let found = format!("works in this folder{}", pid("engine.lock"));
        return Finding::new("engine", State::Good, found);
    }
    if is_locked(&project.divisi().join("supervisor.lock")) {
        let supervisor = pid("supervisor.lock");
        let found = format!("none; its supervisor{supervisor} is still ending agents");
        return Finding::new("engine", State::Good, found);
    }
    Finding::new("engine", State::Good, "none works in this folder")
}

fn faulty(fault: &Fault) -> Finding {
    let told = divisi_store::diagnostic(fault);
    let finding = Finding::new(
        "journal",
        State::Bad,
        format!("[{}] {}", told.code, told.cause),
    );
    match told.hints.into_iter().next() {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

fn sound(view: &View) -> Finding {
    match view.faults() {
        Err(fault) => faulty(&fault),
        Ok(faults) if faults.is_empty() => Finding::new("journal", State::Good, "sound"),
        Ok(faults) => Finding::new(
            "journal",
            State::Bad,
            format!("damaged: {}", faults.join("; ")),
        )
        .hint("copy `.divisi` aside, then restore a copy from before the damage"),
    }
}

/// Runs that nobody works on although they could go on, as `divisi status` judges it, and a clock
/// that went back.
fn unattended(project: &Project, view: &View) -> Result<Vec<Finding>, Fault> {
    let is_attended = unfinished::attendance(project);
    let summaries = unfinished::summaries(view)?;
    let left = summaries.iter().filter(|(row, summary)| {
        let asked = || is_attended(row.run);
        Attended::of(summary.status, summary.paused.as_ref(), asked) == Attended::No
    });
    let mut findings: Vec<Finding> = left
        .map(|(row, _)| {
            let found = format!("{} could go on, and no engine works on it", row.run);
            let hint = format!("divisi resume {}", row.run);
            Finding::new("run", State::Weak, found).hint(hint)
        })
        .collect();
    let times = summaries.iter().map(|(_, summary)| summary.last_at);
    let ahead = times.max().unwrap_or(Time(0)).ms_since(words::now());
    findings.push(match ahead {
        0..60_000 => Finding::new("clock", State::Good, words::moment(words::now())),
        _ => {
            let found = format!(
                "it is {} behind the journal's last event",
                words::span(ahead)
            );
            Finding::new("clock", State::Weak, found).hint("set the machine's clock")
        }
    });
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_git_are_read() {
        assert_eq!(version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("hub version 1"), None);
        assert!((2, 39) < GIT_MIN && (3, 0) > GIT_MIN);
    }

    #[test]
    fn a_projects_kind_is_told_from_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let state = || kind(folder.path()).state;
        assert!(kind(folder.path()).found.starts_with("no git"));
        fs::create_dir(folder.path().join(".git")).unwrap();
        assert_eq!(state(), State::Good);
        fs::write(folder.path().join(".gitattributes"), "*.bin filter=lfs\n").unwrap();
        assert_eq!(state(), State::Weak);
        assert!(kind(folder.path()).found.contains("LFS"));
    }

    #[test]
    fn the_speed_of_a_folder_is_measured_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let found = speed(folder.path());
        assert!(found.found.starts_with("a synced write takes"), "{found:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let gone = speed(&folder.path().join("none"));
        assert_eq!(gone.state, State::Bad);
    }
}
