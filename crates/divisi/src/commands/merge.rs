//! `divisi merge`: shows what merging a result would do to the project as it stands now, and with
//! consent does it.
//!
//! Merging is the only thing that writes to the user's repository. What is shown is what is done:
//! if the project has moved since it was shown, nothing is.

use std::io::IsTerminal as _;

use divisi_core::RunId;
use divisi_core::run::{Final, Run, RunStatus, TaskStatus};
use divisi_core::{Outcome as Found, Verdict};
use divisi_engine::engine::wall_now;
use divisi_engine::failpoint;
use divisi_engine::repo::{
    ChangeKind, DeliverError, Delivery, FileChange, MergeOptions, Onto, Preview, Repo, Target, Way,
};
use serde_json::{Value, json};

use crate::changed::{of_task, told, whole};
use crate::cli;
use crate::consent;
use crate::exit::Exit;
use crate::happened;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words::{self, plural};

/// So many characters are shown of what does not hold on the whole.
const UNMET_CHARS_MAX: usize = 300;

/// So many files are shown; `--json` lists all.
const FILES_MAX: usize = 50;

/// `divisi merge`.
pub(crate) fn merge(args: &cli::Merge, id: RunId, project: &Project, printer: &Printer) -> Outcome {
    let run = crate::follow::run(project, id)?;
    let repo = Repo::open_with_hook(&project.divisi(), project.folder(), failpoint::hit)
        .map_err(|fault| told(&fault))?;
    let all = whole(&run)?;
    let part = match &args.task {
        None => None,
        Some(task) => Some(of_task(&run, &repo, task)?),
    };
    let changed = part.as_ref().unwrap_or(&all);
    if changed.from == changed.to {
        printer.note(&Line::of(format!(
            "{id} {}; there is nothing to merge",
            match run.ended {
                Some(_) => "changed no files",
                None => "has not ended, and has integrated no changed file yet",
            }
        )));
        return Ok(Exit::Success);
    }
    let message = match &args.task {
        None => format!("{}\n\nDivisi-Run: {id}", run.title),
        Some(task) => format!("{}: {task}\n\nDivisi-Run: {id}", run.title),
    };
    let options = MergeOptions {
        run: id,
        base: &all.from,
        included: run.base.included,
        head: &all.to,
        task: part.as_ref().map(|range| (&range.from, &range.to)),
        squash: args.squash,
        target: args.branch.clone().map_or(Target::Current, Target::Branch),
        message: &message,
        at: wall_now(),
    };
    let preview = repo
        .preview(&options)
        .map_err(|error| refused(error, printer))?;
    let consented = match args.yes || preview.way == Way::Nothing {
        true => true,
        false => consents(&run, args, &preview, printer)?,
    };
    if !consented {
        return Ok(Exit::Waiting);
    }
    let delivery = repo
        .carry_out(&preview)
        .map_err(|error| refused(error, printer))?;
    if printer.is_json() {
        printer.document(&document(&run, args, &preview, Some(&delivery)))?;
    }
    // Whoever is not asked has seen no preview.
    if args.yes {
        printer.note(&Line::of(format!("{id} {}", onto_words(&preview))));
        unsound(&run).iter().for_each(|line| printer.note(line));
    }
    printer.note(&Line::of(done(&delivery, args)));
    Ok(Exit::Success)
}

/// Shows what a merge would do. On a terminal somebody is asked; elsewhere the command that does it
/// is named.
fn consents(
    run: &Run,
    args: &cli::Merge,
    preview: &Preview,
    printer: &Printer,
) -> Result<bool, Failure> {
    if printer.is_json() {
        printer.document(&document(run, args, preview, None))?;
        return Ok(false);
    }
    printer.lines(&lines(run, preview))?;
    // Who redirected the preview has not seen it.
    let is_seen = std::io::stdout().is_terminal();
    if is_seen && consent::can_be_asked() && consent::asks("merge it?")? {
        return Ok(true);
    }
    let again = command(run.id, args);
    printer.note(&Line::of(format!("nothing was merged; to do it: {again}")));
    Ok(false)
}

/// Lists all paths that stand against a merge, since the words for a person name only some.
fn refused(error: DeliverError, printer: &Printer) -> Failure {
    let refusal = match error {
        DeliverError::Refused(refusal) => refusal,
        DeliverError::Fault(fault) => return told(&fault),
    };
    let paths = refusal.paths();
    let listed = match printer.is_json() {
        true => printer.document(&json!({ "refused": refusal.code(), "paths": paths })),
        false => printer.lines(&paths.iter().map(Line::of).collect::<Vec<Line>>()),
    };
    match listed {
        Ok(()) => Failure::told(refusal.diagnostic(), Exit::Refused),
        Err(failure) => failure,
    }
}

/// The command that does what was shown.
fn command(id: RunId, args: &cli::Merge) -> String {
    let mut again = format!("divisi merge {id} --yes");
    if args.squash {
        again.push_str(" --squash");
    }
    for (flag, value) in [("--branch", &args.branch), ("--task", &args.task)] {
        if let Some(value) = value {
            again.push_str(&format!(" {flag} {}", divisi_core::shell::word(value)));
        }
    }
    again
}

/// A preview as lines: where it goes, how, and what changes.
fn lines(run: &Run, preview: &Preview) -> Vec<Line> {
    let mut lines = vec![
        Line::styled(Style::Bold, run.id.to_string())
            .then(format!(" {}: ", onto_words(preview)))
            .with(Style::Note, way_words(preview.way)),
    ];
    lines.extend(unsound(run));
    if run.base.included && preview.way == Way::OneCommit {
        lines.push(Line::of(
            "  without the uncommitted work that the run stood on",
        ));
    }
    let shown = preview.files.iter().take(FILES_MAX);
    lines.extend(shown.map(file_line));
    if let Some(more) = preview.files.len().checked_sub(FILES_MAX + 1) {
        let more = format!("  … and {} more; `--json` lists all", more + 1);
        lines.push(Line::styled(Style::Dim, more));
    }
    let counts = preview.files.iter().filter_map(|file| file.lines);
    let (added, removed) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    lines.push(Line::of(format!(
        "{}, {} added, {} removed",
        plural(preview.files.len() as u64, "file"),
        plural(added, "line"),
        plural(removed, "line"),
    )));
    lines
}

/// What speaks against taking a run's result for the whole of what was asked.
fn unsound(run: &Run) -> Vec<Line> {
    let how = match (run.status(), run.ended) {
        (RunStatus::Succeeded, _) => return Vec::new(),
        (_, None) => "has not ended".to_owned(),
        (status, Some(_)) => happened::ended_words(status).to_owned(),
    };
    let far = words::progress_of(run);
    let failed = match run.counts().of(TaskStatus::Failed) {
        0 => String::new(),
        many => format!(", {} failed", plural(u64::from(many), "task")),
    };
    let mut told = vec![format!("  the run {how}: {far}{failed}")];
    if let Final::Held { verdicts, .. } = &run.finally {
        told.extend(verdicts.iter().filter_map(|it| unmet(run, it)));
    }
    let lines = told.into_iter();
    lines.map(|it| Line::styled(Style::Warn, it)).collect()
}

/// What does not hold on the whole, or nobody has judged.
fn unmet(run: &Run, verdict: &Verdict) -> Option<String> {
    let how = match verdict.outcome {
        Found::Pass | Found::Waived => return None,
        Found::Fail => format!("does not hold: {}", verdict.evidence),
        Found::Unverified => "is not judged".to_owned(),
    };
    let criterion = run.criteria.get(usize::from(verdict.criterion))?;
    let told = format!("  on the whole, `{criterion}` {how}");
    Some(words::cut(&told, UNMET_CHARS_MAX))
}

fn onto_words(preview: &Preview) -> String {
    let at = match &preview.onto {
        Onto::Branch(name, Some(commit)) => format!("{name} at {}", commit.short()),
        Onto::Branch(name, None) => format!("{name}, which has no commit yet"),
        Onto::Detached(commit) => format!("the detached HEAD at {}", commit.short()),
        Onto::Folder => "the folder".to_owned(),
    };
    match (&preview.branch, &preview.onto) {
        (Some(branch), _) => format!("to the new branch {branch} from {at}"),
        (None, Onto::Folder) => format!("into {at}"),
        (None, _) => format!("onto {at}"),
    }
}

fn way_words(way: Way) -> &'static str {
    match way {
        Way::Nothing => "all of it is there already",
        Way::FastForward => "the branch takes the run's own commits (fast-forward)",
        Way::MergeCommit => "a merge commit joins both",
        Way::OneCommit => "one commit with the change",
        Way::Uncommitted => "files change beside your uncommitted work, and nothing is committed",
        Way::Files => "files are written",
    }
}

/// A way in `--json`.
fn way_name(way: Way) -> &'static str {
    match way {
        Way::Nothing => "nothing",
        Way::FastForward => "fast_forward",
        Way::MergeCommit => "merge_commit",
        Way::OneCommit => "one_commit",
        Way::Uncommitted => "uncommitted",
        Way::Files => "files",
    }
}

fn kind_name(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    }
}

fn file_line(file: &FileChange) -> Line {
    let style = match file.kind {
        ChangeKind::Added => Style::Good,
        ChangeKind::Removed => Style::Bad,
        ChangeKind::Changed => Style::Note,
    };
    let line = Line::of("  ")
        .with(style, format!("{:<8}", kind_name(file.kind)))
        .then(format!(" {}", file.path));
    match file.lines {
        Some((added, removed)) => line.with(Style::Dim, format!("  +{added} -{removed}")),
        None => line.with(Style::Dim, "  not text"),
    }
}

fn document(run: &Run, args: &cli::Merge, preview: &Preview, delivery: Option<&Delivery>) -> Value {
    let (branch, commit) = match &preview.onto {
        Onto::Branch(name, commit) => (Some(name), commit.as_ref()),
        Onto::Detached(commit) => (None, Some(commit)),
        Onto::Folder => (None, None),
    };
    let file = |file: &FileChange| {
        json!({
            "path": file.path,
            "change": kind_name(file.kind),
            "added": file.lines.map(|(added, _)| added),
            "removed": file.lines.map(|(_, removed)| removed),
        })
    };
    let made = delivery.and_then(|delivery| match delivery {
        Delivery::FastForward { commit }
        | Delivery::Committed { commit }
        | Delivery::Branch { commit } => Some(commit),
        Delivery::Nothing | Delivery::Uncommitted { .. } | Delivery::Folder { .. } => None,
    });
    json!({
        "run": run.id.to_string(),
        "task": args.task,
        "ended": run.ended.is_some(),
        "onto": { "branch": branch, "commit": commit },
        "new_branch": preview.branch,
        "way": way_name(preview.way),
        "files": preview.files.iter().map(file).collect::<Vec<Value>>(),
        "merged": delivery.is_some(),
        "commit": made,
        "command": command(run.id, args),
    })
}

fn done(delivery: &Delivery, args: &cli::Merge) -> String {
    match delivery {
        Delivery::Nothing => "all of it was there already".to_owned(),
        Delivery::FastForward { commit } => {
            format!("the current branch moved forward to {}", commit.short())
        }
        Delivery::Committed { commit } => {
            format!("committed {} on the current branch", commit.short())
        }
        Delivery::Branch { commit } => {
            let name = args.branch.as_deref().unwrap_or_default();
            format!("made branch {name} at {}", commit.short())
        }
        Delivery::Uncommitted { paths } => {
            let files = plural(paths.len() as u64, "file");
            format!("wrote {files} beside your uncommitted work; nothing was committed")
        }
        Delivery::Folder { paths } => {
            format!("wrote {}", plural(paths.len() as u64, "file"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;

    #[test]
    fn only_a_run_that_succeeded_is_merged_without_a_word() {
        assert!(unsound(&scenes::succeeded().run()).is_empty());
        let mut given = scenes::busy();
        let told = |run: &Run| -> Vec<String> {
            let lines = unsound(run).into_iter();
            lines.map(|line| line.render(false)).collect()
        };
        let open = "  the run has not ended: 1 of 7 done";
        assert_eq!(told(&given.run()), [open]);
        let task = given.run().find(&crate::given::id("build"));
        given.ask(divisi_core::run::Command::Reject {
            task: Some(task.unwrap()),
            reason: String::new(),
        });
        let failed = format!("{open}, 1 task failed");
        assert_eq!(told(&given.run()), [failed]);
    }

    #[test]
    fn the_command_that_merges_can_be_pasted_into_a_shell() {
        let args = |branch: &str| cli::Merge {
            run: None,
            yes: false,
            squash: true,
            branch: Some(branch.to_owned()),
            task: Some("a.b".to_owned()),
        };
        let told = |branch| command(RunId(3), &args(branch));
        let plain = "divisi merge run-3 --yes --squash --branch fix/1 --task a.b";
        assert_eq!(told("fix/1"), plain);
        assert_eq!(
            told("it's;rm"),
            "divisi merge run-3 --yes --squash --branch 'it'\\''s;rm' --task a.b"
        );
    }
}
