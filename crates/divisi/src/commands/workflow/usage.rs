//! What a workflow takes and does, in a few lines: enough to run it.

use divisi_pack::workflow::{Declared, Entry, InputKind, Iteration, Workflow};

use crate::printer::{Line, Style};
use crate::words::{cut, plural};

/// So many iterations, and so many agents of one, are listed.
const LISTED_MAX: usize = 20;

/// So many characters of a description, or of a list of patterns, are shown.
const CHARS_MAX: usize = 100;

/// The command that runs it, its inputs, and its iterations with their roles.
pub(super) fn lines(name: &str, workflow: &Workflow) -> Vec<Line> {
    let mut lines = vec![Line::of("to run it: ").with(Style::Note, command(name, workflow))];
    if !workflow.inputs.is_empty() {
        lines.push(Line::of("inputs:"));
    }
    let names = workflow.inputs.iter().map(|it| it.name.chars().count());
    let width = names.max().unwrap_or(0) + 4;
    for declared in &workflow.inputs {
        let name = Line::of("  ").with(Style::Bold, declared.name.as_str());
        lines.push(name.padded(width).then(input(declared)));
    }
    lines.push(Line::of("iterations:"));
    for iteration in workflow.iterations.iter().take(LISTED_MAX) {
        lines.extend(stage_lines(iteration));
    }
    lines.extend(more(workflow.iterations.len(), "more iteration", "  "));
    if is_targeted(workflow) {
        lines.push(Line::of(
            "`--targets PATTERN` takes the place of the targets of iterations that wait for none",
        ));
    }
    lines
}

/// The shortest command line that runs it.
fn command(name: &str, workflow: &Workflow) -> String {
    let mut command = format!("divisi run {}", divisi_core::shell::word(name));
    for declared in workflow.inputs.iter().filter(|it| is_required(it)) {
        command.push_str(&format!(" --set {}=…", declared.name));
    }
    command
}

fn is_required(declared: &Declared) -> bool {
    declared.default.is_none() && declared.kind != InputKind::Fork
}

fn input(declared: &Declared) -> String {
    let kind = match (&declared.choices[..], declared.kind) {
        ([_, ..], _) => format!("one of {}", declared.choices.join(", ")),
        ([], InputKind::String) => "a line of text".to_owned(),
        ([], InputKind::Integer) => "a whole number".to_owned(),
        ([], InputKind::Boolean) => "`true` or `false`".to_owned(),
        ([], InputKind::Path) => "a path".to_owned(),
        ([], InputKind::Fork) => "a revision".to_owned(),
    };
    let unless = match &declared.default {
        Some(default) => format!("{} unless given", divisi_core::shell::word(default)),
        None if is_required(declared) => "must be given".to_owned(),
        None => "may be left out".to_owned(),
    };
    let said = match declared.description.as_str() {
        "" => String::new(),
        text => format!(": {}", cut(text, CHARS_MAX)),
    };
    format!("{kind}, {unless}{said}")
}

fn stage_lines(iteration: &Iteration) -> Vec<Line> {
    let after = match &iteration.dependencies[..] {
        [] => String::new(),
        waits => format!(", after {}", waits.join(", ")),
    };
    let goal = match iteration.goal.as_str() {
        "" => String::new(),
        goal => format!(": {}", cut(goal, CHARS_MAX)),
    };
    let head = Line::of("  ").with(Style::Bold, iteration.id.as_str());
    let mut lines = vec![head.with(Style::Dim, after).then(goal)];
    let entries = iteration.entries.iter().take(LISTED_MAX);
    lines.extend(entries.map(entry_line));
    lines.extend(more(iteration.entries.len(), "more agent", "    "));
    let of_entries = iteration.entries.iter().map(|entry| entry.criteria.len());
    let criteria = iteration.criteria.len() + of_entries.sum::<usize>();
    lines.push(Line::of(match criteria {
        0 => "    no criteria of its own".to_owned(),
        1 => "    1 criterion".to_owned(),
        many => format!("    {many} criteria"),
    }));
    lines
}

fn entry_line(entry: &Entry) -> Line {
    let mut facts = Vec::new();
    let mut list = |what: &str, all: Vec<&str>| {
        if !all.is_empty() {
            facts.push(format!("{what} {}", cut(&all.join(", "), CHARS_MAX)));
        }
    };
    let targets = entry.targets.iter().map(|it| it.pattern.as_str());
    list("on", targets.collect());
    let promised = entry.deliverables.iter().map(|it| it.path.as_str());
    list("makes", promised.collect());
    let line = Line::of("    ").with(Style::Note, entry.label.as_str());
    match &facts[..] {
        [] => line,
        facts => line.then(format!(": {}", facts.join("; "))),
    }
}

/// Whether targets of an iteration that waits for none can be given.
fn is_targeted(workflow: &Workflow) -> bool {
    let first = workflow
        .iterations
        .iter()
        .filter(|it| it.dependencies.is_empty());
    first
        .flat_map(|it| &it.entries)
        .any(|entry| !entry.targets.is_empty())
}

fn more(all: usize, what: &str, indent: &str) -> Option<Line> {
    let more = all.checked_sub(LISTED_MAX).filter(|more| *more > 0)?;
    let text = format!("{indent}… {}", plural(more as u64, what));
    Some(Line::styled(Style::Dim, text))
}
