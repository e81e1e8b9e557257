//! `divisi plan diff`: what differs between two plans.

use divisi_core::{Diagnostic, Plan, RunId, TaskKind};
use divisi_pack::plan_file::{Differences, FieldChange, compare};
use serde_json::Value;

use super::kept::{Named, of_revision};
use crate::cli::Global;
use crate::cli::plan::Diff;
use crate::exit::Exit;
use crate::loaded;
use crate::plan_record;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::words::cut;

/// So many characters of a value are shown.
const VALUE_CHARS_MAX: usize = 100;

/// Compares them.
pub(super) fn run(args: &Diff, global: &Global, printer: &Printer) -> Outcome {
    let named = Named::of(&args.before);
    let (before, after) = match (&args.after, &named) {
        (Some(after), _) => (
            named.plan(global, printer)?,
            Named::of(after).plan(global, printer)?,
        ),
        (None, Named::Run(run)) => revisions(*run, global)?,
        (None, Named::Revision(run, _)) => (
            named.plan(global, printer)?,
            Named::Run(*run).plan(global, printer)?,
        ),
        (None, Named::File(path)) => {
            let cause = format!("nothing to compare {} with", path.display());
            let told = Diagnostic::error("planning-one", cause)
                .hint("name another plan, or a run whose plan was revised");
            return Err(Failure::told(told, Exit::Usage));
        }
    };
    let differences = compare(&before, &after);
    match printer.is_json() {
        true => printer.document(&differences)?,
        false if differences.is_empty() => printer.line(&Line::of("they say the same"))?,
        false => printer.lines(&lines(&differences))?,
    }
    Ok(Exit::Success)
}

/// The plan of a run before its last revision, and as it is in force. That a plan is to be made is no
/// plan to compare one with, if there was another: who rejected one asks what is another in the next.
fn revisions(run: RunId, global: &Global) -> Result<(Plan, Plan), Failure> {
    let (_, now) = loaded::open(global, Some(run))?;
    let before = now.revision.checked_sub(1).filter(|it| *it > 0);
    let Some(before) = before else {
        let told = Diagnostic::error(
            "planning-one",
            format!("the plan of {run} was never revised"),
        )
        .hint("compare it with another plan: `divisi plan diff RUN FILE`");
        return Err(Failure::told(told, Exit::Refused));
    };
    let is_made = |plan: &Plan| plan.tasks.iter().any(|it| it.kind != TaskKind::Plan);
    let now = plan_record::in_force(&now);
    let last = of_revision(run, before, global)?;
    if is_made(&last) || !is_made(&now) {
        return Ok((last, now));
    }
    for number in (1..before).rev() {
        let earlier = of_revision(run, number, global)?;
        if is_made(&earlier) {
            return Ok((earlier, now));
        }
    }
    Ok((last, now))
}

/// What differs, in lines.
pub(super) fn lines(differences: &Differences) -> Vec<Line> {
    let mut lines: Vec<Line> = differences
        .plan
        .iter()
        .flat_map(|it| field(it, ""))
        .collect();
    let task = |mark: &str, style: Style, task: &Value| {
        let text = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
        let title = cut(&text("title"), VALUE_CHARS_MAX);
        let line = Line::styled(style, format!("{mark} {}", text("subtask_id")));
        line.then(match title.is_empty() {
            true => title,
            false => format!("  {title}"),
        })
    };
    lines.extend(
        differences
            .removed
            .iter()
            .map(|it| task("-", Style::Bad, it)),
    );
    lines.extend(
        differences
            .added
            .iter()
            .map(|it| task("+", Style::Good, it)),
    );
    for changed in &differences.changed {
        lines.push(Line::styled(Style::Warn, format!("~ {}", changed.id)));
        lines.extend(changed.fields.iter().flat_map(|it| field(it, "    ")));
    }
    lines
}

/// A field: of lists what was taken out and added, otherwise both values.
fn field(change: &FieldChange, indent: &str) -> Vec<Line> {
    let name = Line::of(format!("{indent}{}", change.field));
    let list = |value: &Option<Value>| match value {
        None => Some(Vec::new()),
        Some(Value::Array(list)) => Some(list.clone()),
        Some(_) => None,
    };
    let (before, after) = (&change.before, &change.after);
    let lists = list(before).zip(list(after));
    let entries = lists.map(|(before, after)| {
        let gone: Vec<Value> = before
            .iter()
            .filter(|it| !after.contains(it))
            .cloned()
            .collect();
        let new: Vec<Value> = after
            .iter()
            .filter(|it| !before.contains(it))
            .cloned()
            .collect();
        (gone, new)
    });
    match entries {
        // The same entries in another order.
        Some((gone, new)) if gone.is_empty() && new.is_empty() => {
            vec![name.then(": in another order")]
        }
        Some((gone, new)) => {
            let entry = |mark: &str, style: Style, value: &Value| {
                Line::styled(style, format!("{indent}  {mark} {}", said(value)))
            };
            let gone = gone.iter().map(|it| entry("-", Style::Bad, it));
            let new = new.iter().map(|it| entry("+", Style::Good, it));
            std::iter::once(name).chain(gone).chain(new).collect()
        }
        None => {
            let said = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), said);
            vec![
                name.then(": ")
                    .with(Style::Bad, said(before))
                    .then(" → ")
                    .with(Style::Good, said(after)),
            ]
        }
    }
}

fn said(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    cut(&text, VALUE_CHARS_MAX)
}
