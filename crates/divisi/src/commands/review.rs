//! `divisi review`: what commands find in the working tree.
//!
//! Needs no project and no engine: a task in its workspace calls it like a person in a terminal.

use std::path::{Component, Path, PathBuf};

use divisi_agents::beneath::{self, Place};
use divisi_engine::review::{self, Fault, Perspective, Request, Review, Severity};
use serde_json::{Value, json};

use crate::cli::{self, Global, Weight};
use crate::exit::Exit;
use crate::printer::{Failure, Line, Outcome, Printer, Style};

/// The schema of what `--json` prints.
const SCHEMA: &str = include_str!("review.schema.json");

/// `divisi review`.
pub(crate) fn run(args: &cli::Review, global: &Global, printer: &Printer) -> Outcome {
    let perspectives = perspectives(&args.perspective);
    if args.rules {
        return list(&perspectives, printer);
    }
    let here = PathBuf::from(".");
    let folder = global.project.as_ref().unwrap_or(&here);
    let told = |fault: Fault| Failure::told(fault.diagnostic(), exit_of(&fault));
    let folder = folder.canonicalize().map_err(|source| {
        told(Fault::Io {
            operation: "open",
            path: folder.clone(),
            source,
        })
    })?;
    let request = Request {
        folder: &folder,
        perspectives: perspectives.clone(),
        // A workflow whose input is left empty has nothing to compare with.
        base: args.base.clone().filter(|base| !base.is_empty()),
        only: args.only.clone(),
        paths: args.paths.clone(),
        trusted: args.trusted,
        online: args.online,
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    let reviews = review::review(&request).map_err(told)?;
    let output = args.output.as_deref();
    for review in &reviews {
        let document = review::markdown(review);
        if let Some(output) = output {
            let path = match perspectives.len() {
                1 => output.to_owned(),
                _ => output.join(review.perspective.file_name()),
            };
            write(&folder, &path, &document).map_err(told)?;
            if !printer.is_json() {
                printer.line(&summary(review, &path))?;
            }
        } else if !printer.is_json() {
            printer.text(&document)?;
        }
    }
    if printer.is_json() {
        printer.document(&json!({ "reviews": reviews }))?;
    }
    let found = |least: Weight| {
        let mut findings = reviews.iter().flat_map(|review| &review.findings);
        findings.any(|finding| finding.severity >= severity(least))
    };
    match args.fail_on.is_some_and(found) {
        true => Ok(Exit::Failed),
        false => Ok(Exit::Success),
    }
}

/// What `divisi schema review` prints.
pub(crate) fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema of reviews is JSON")
}

fn perspectives(asked: &[cli::Perspective]) -> Vec<Perspective> {
    let of = |perspective: &Perspective| {
        asked.iter().any(|asked| match asked {
            cli::Perspective::All => true,
            cli::Perspective::Functional => *perspective == Perspective::Functional,
            cli::Perspective::Security => *perspective == Perspective::Security,
            cli::Perspective::Performance => *perspective == Perspective::Performance,
            cli::Perspective::Test => *perspective == Perspective::Test,
            cli::Perspective::Docs => *perspective == Perspective::Docs,
        })
    };
    Perspective::ALL.into_iter().filter(of).collect()
}

fn severity(weight: Weight) -> Severity {
    match weight {
        Weight::Note => Severity::Note,
        Weight::Warning => Severity::Warning,
        Weight::Error => Severity::Error,
    }
}

fn exit_of(fault: &Fault) -> Exit {
    match fault {
        Fault::UnknownRule { .. } => Exit::Usage,
        Fault::NoRepository(_) | Fault::NoPath(_) | Fault::Unrelated { .. } => Exit::NotFound,
        Fault::Io { .. } => Exit::Environment,
        Fault::Repo(fault) => match fault {
            divisi_engine::repo::Fault::NoRevision { .. } => Exit::NotFound,
            _ => Exit::Environment,
        },
    }
}

/// Writes a review. A path beneath the folder is not followed through a link: what is reviewed may
/// have put one there. Where else a path leads is its user's business.
fn write(folder: &Path, path: &Path, document: &str) -> Result<(), Fault> {
    let is_beneath = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let below: PathBuf = path
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    let path = folder.join(path);
    let wrote = match below.to_str().filter(|_| is_beneath) {
        Some(below) => beneath::write(folder, below, document.as_bytes(), Place::Whole)
            .map_err(std::io::Error::other),
        None => path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, document)),
    };
    wrote.map_err(|source| Fault::Io {
        operation: "write",
        path,
        source,
    })
}

fn summary(review: &Review, path: &Path) -> Line {
    let style = match review.findings.first().map(|finding| finding.severity) {
        Some(Severity::Error) => Style::Bad,
        Some(Severity::Warning | Severity::Note) => Style::Warn,
        None => Style::Plain,
    };
    Line::of(format!("{}: ", review.perspective.word()))
        .with(style, review.summary())
        .then(format!(", {}", path.display()))
}

/// Prints the rules and tools of these perspectives.
fn list(perspectives: &[Perspective], printer: &Printer) -> Outcome {
    let rules: Vec<_> = review::rules()
        .iter()
        .filter(|rule| perspectives.contains(&rule.perspective))
        .collect();
    let mut tools = review::tools();
    tools.retain(|tool| perspectives.contains(&tool.perspective));
    if printer.is_json() {
        let rules: Vec<Value> = rules
            .iter()
            .map(|rule| {
                json!({
                    "id": rule.id, "perspective": rule.perspective, "severity": rule.severity,
                    "says": rule.says, "why": rule.why,
                    "finds": rule.finds, "spares": rule.spares,
                })
            })
            .collect();
        let tools: Vec<Value> = tools
            .iter()
            .map(|tool| {
                json!({
                    "id": tool.id, "perspective": tool.perspective, "program": tool.program,
                    "sees": tool.sees, "install": tool.install,
                    "executes": tool.executes, "network": tool.network,
                })
            })
            .collect();
        printer.document(&json!({ "rules": rules, "tools": tools }))?;
        return Ok(Exit::Success);
    }
    for perspective in perspectives {
        printer.line(&Line::styled(Style::Bold, perspective.title()))?;
        for rule in rules.iter().filter(|rule| rule.perspective == *perspective) {
            let head = Line::of(format!("  {}", rule.id)).padded(34);
            printer.line(&head.then(format!("{:<9} {}", rule.severity.word(), rule.says)))?;
        }
        for tool in tools.iter().filter(|tool| tool.perspective == *perspective) {
            let head = Line::of(format!("  {}", tool.id)).padded(34);
            printer.line(&head.then(format!("{:<9} {}", "tool", tool.sees)))?;
        }
    }
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perspectives_are_reported_in_one_order() {
        let asked = [cli::Perspective::Docs, cli::Perspective::Security];
        assert_eq!(
            perspectives(&asked),
            [Perspective::Security, Perspective::Docs]
        );
        assert_eq!(perspectives(&[cli::Perspective::All]), Perspective::ALL);
    }

    #[test]
    fn a_review_is_not_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("reviews")).unwrap();
        let fault = write(folder.path(), Path::new("reviews/a.md"), "x").unwrap_err();
        assert_eq!(fault.code(), "review-io");
        assert!(!outside.path().join("a.md").exists());
        for path in ["other/a.md", "./b.md", "other/../c.md"] {
            write(folder.path(), Path::new(path), "x").unwrap();
            assert!(folder.path().join(path).exists(), "{path}");
        }
    }
}
