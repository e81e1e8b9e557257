//! `divisi config`: the settings in force.

use divisi_pack::config::Values;
use serde_json::{Value as Json, json};

use crate::cli::{self, ConfigCommand, Global};
use crate::config::{Configuration, InForce, Source};
use crate::exit::Exit;
use crate::printer::{Line, Outcome, Printer, Style};
use crate::project::Project;

/// Where the comment of a short line begins.
const COMMENT_COLUMN: usize = 36;

/// `divisi config`.
pub(crate) fn run(args: &cli::Config, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let configuration = Configuration::load(&project, Values::default(), printer)?;
    let ConfigCommand::Show { origin } = args.command;
    let all = configuration.in_force();
    if printer.is_json() {
        let settings: Vec<Json> = all.iter().map(document).collect();
        printer.document(&json!({ "settings": settings }))?;
    } else {
        printer.lines(&lines(&all, origin))?;
    }
    Ok(Exit::Success)
}

fn value(one: &InForce<'_>) -> Json {
    match &one.value {
        Some(value) => value.json(one.setting.kind),
        None if one.setting.kind.is_map() => json!({}),
        None => Json::Null,
    }
}

fn document(one: &InForce<'_>) -> Json {
    json!({
        "key": one.key,
        "value": value(one),
        "layer": one.source,
        "source": one.place.map(|place| place.source.as_str()),
        "line": one.place.map(|place| place.line).filter(|line| *line > 0),
    })
}

/// The settings as a file of configuration says them: what is printed can be read again.
fn lines(all: &[InForce<'_>], origin: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for one in all {
        let mut path: Vec<&str> = one.setting.key.split('.').collect();
        let entry = one.key.strip_prefix(one.setting.key);
        let entry = entry.and_then(|rest| rest.strip_prefix('.'));
        let leaf = match entry {
            Some(name) => json!(name).to_string(),
            None => path.pop().unwrap_or_default().to_owned(),
        };
        for (depth, key) in path.iter().enumerate() {
            if open.get(depth) != Some(key) {
                open.truncate(depth);
                open.push(key);
                lines.push(indented(depth).with(Style::Bold, format!("{key}:")));
            }
        }
        open.truncate(path.len());
        let line = indented(path.len()).then(format!("{leaf}: {}", value(one)));
        lines.push(match origin {
            true => line
                .padded(COMMENT_COLUMN)
                .with(Style::Dim, format!("  # {}", comes_from(one))),
            false => line,
        });
    }
    lines
}

fn indented(depth: usize) -> Line {
    Line::of("  ".repeat(depth))
}

fn comes_from(one: &InForce<'_>) -> String {
    match one.place {
        Some(place) if one.source != Source::Default => {
            let line = match place.line {
                0 => String::new(),
                line => format!(":{line}"),
            };
            format!("{}, {}{line}", one.source.word(), place.source)
        }
        _ => one.source.word().to_owned(),
    }
}
