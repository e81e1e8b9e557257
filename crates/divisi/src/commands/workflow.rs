//! `divisi workflow`: which workflows there are, what they say, and what is wrong with them.

mod save;

use divisi_core::Diagnostic;
use divisi_pack::bundle::{self, Bundle, Given};
use divisi_pack::config::Values;
use divisi_pack::role::Role;
use divisi_pack::template::Templates;
use divisi_pack::workflow::{Declared, InputKind};
use serde_json::{Value, json};

use crate::cli::{self, Global, WorkflowCommand};
use crate::config::Configuration;
use crate::exit::Exit;
use crate::library::{Found, Layer, Library, LoadedRoles, LoadedTemplates, Origin, has_error};
use crate::printer::{Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words::{self, plural};

mod usage;

/// So much of a description is listed.
const DESCRIPTION_CHARS_MAX: usize = 72;

/// `divisi workflow`.
pub(crate) fn run(args: &cli::Workflow, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let library = Library::of(&project);
    match &args.command {
        WorkflowCommand::List => list(&library, printer),
        WorkflowCommand::Show { name } => show(&library.find_workflow(name)?, printer),
        WorkflowCommand::Check { name } => {
            let found = library.find_workflow(name)?;
            let configuration = Configuration::load(&project, Values::default(), printer)?;
            check(&library, &found, configuration.given(), printer)
        }
        WorkflowCommand::Save(args) => save::run(args, &project, printer),
    }
}

fn list(library: &Library, printer: &Printer) -> Outcome {
    let (all, faults) = library.workflows();
    for fault in &faults {
        printer.diagnostic(fault, None);
    }
    if printer.is_json() {
        let workflows: Vec<Value> = all.iter().map(listed).collect();
        printer.document(&json!({ "workflows": workflows }))?;
    } else {
        let width = all.iter().map(|it| it.name.chars().count()).max();
        let width = width.unwrap_or(0) + 2;
        for found in &all {
            printer.lines(&list_lines(found, width))?;
        }
    }
    match has_error(&faults) {
        true => Ok(Exit::Usage),
        false => Ok(Exit::Success),
    }
}

fn list_lines(found: &Found, width: usize) -> Vec<Line> {
    let read = found.workflow();
    let said = match &read.workflow {
        Some(workflow) => Line::of(words::cut(&workflow.description, DESCRIPTION_CHARS_MAX)),
        None => Line::styled(Style::Bad, "it has faults: ")
            .with(Style::Note, format!("divisi workflow check {}", found.name)),
    };
    let mut lines = vec![
        Line::styled(Style::Bold, found.name.as_str())
            .padded(width)
            .then(found.origin.layer.word())
            .padded(width + 10)
            .join(said),
    ];
    if found.origin.layer != Layer::BuiltIn {
        let indent = Line::default().padded(width);
        lines.push(indent.join(stands(&found.origin, &found.hides)));
    }
    lines
}

/// Where something stands, and what it is seen instead of.
pub(super) fn stands(origin: &Origin, hides: &[Origin]) -> Line {
    let line = Line::styled(Style::Dim, origin.path.as_str());
    if hides.is_empty() {
        return line;
    }
    let paths: Vec<&str> = hides.iter().map(|it| it.path.as_str()).collect();
    line.with(Style::Dim, format!(", over {}", paths.join(", ")))
}

fn listed(found: &Found) -> Value {
    let read = found.workflow();
    let workflow = read.workflow.as_ref();
    json!({
        "name": found.name,
        "layer": found.origin.layer,
        "path": found.origin.path,
        "hides": found.hides,
        "sound": workflow.is_some(),
        "description": workflow.map(|it| it.description.as_str()),
    })
}

/// The text to standard output, so that it can be the beginning of an own workflow. Beside it, whence
/// it is, and what it takes to run it.
fn show(found: &Found, printer: &Printer) -> Outcome {
    let text = String::from_utf8_lossy(&found.bytes);
    if printer.is_json() {
        let read = found.workflow();
        let mut document = listed(found);
        document["text"] = json!(text);
        document["workflow"] = json!(read.workflow);
        printer.document(&document)?;
        return Ok(Exit::Success);
    }
    let of = Line::styled(Style::Bold, found.name.as_str()).then(": ");
    printer.note(&of.join(stands(&found.origin, &found.hides)));
    printer.text(&text)?;
    match found.workflow().workflow {
        Some(workflow) => {
            let lines = usage::lines(&found.name, &workflow);
            lines.iter().for_each(|line| printer.note(line));
        }
        None => {
            let check = format!(
                "divisi workflow check {}",
                divisi_core::shell::word(&found.name)
            );
            printer.note(&Line::styled(Style::Bad, "it has faults: ").with(Style::Note, check));
        }
    }
    Ok(Exit::Success)
}

/// What a workflow uses, once nothing is wrong with it.
struct Used {
    bundle: Bundle,
    /// By id of the role, the name of its prompts' template if it has one to be prompted with.
    roles: Vec<(String, Option<String>)>,
}

fn check(library: &Library, found: &Found, given: Given, printer: &Printer) -> Outcome {
    let (roles, templates) = (library.roles(), library.templates());
    let mut diagnostics = Vec::new();
    let used = checked(found, &roles, &templates, given, &mut diagnostics);
    let is_sound = used.is_some() && !has_error(&diagnostics);
    if printer.is_json() {
        let mut document = listed(found);
        document["sound"] = json!(is_sound);
        document["diagnostics"] = json!(diagnostics);
        document["roles"] = json!(used.as_ref().map(|used| roles_of(used, &roles, &templates)));
        document["calibration"] = json!(used.as_ref().map(|used| &used.bundle.calibration));
        document["lead"] = json!(
            used.as_ref()
                .and_then(|used| used.bundle.workflow.lead.as_ref())
        );
        printer.document(&document)?;
    } else {
        for diagnostic in &diagnostics {
            printer.finding(diagnostic, found.text_for(diagnostic, &roles));
        }
        if let Some(used) = used.filter(|_| is_sound) {
            printer.lines(&sound_lines(found, &used, &roles, &templates))?;
        }
    }
    match is_sound {
        true => Ok(Exit::Success),
        false => Ok(Exit::Usage),
    }
}

fn checked(
    found: &Found,
    roles: &LoadedRoles,
    templates: &LoadedTemplates,
    given: Given,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Used> {
    let read = found.workflow();
    let missing = roles.missing(&read);
    diagnostics.extend(read.diagnostics);
    diagnostics.extend(missing);
    diagnostics.extend(roles.diagnostics.iter().cloned());
    diagnostics.extend(templates.diagnostics.iter().cloned());
    let (workflow, library) = (read.workflow?, roles.roles.as_ref()?);
    let given = Given {
        inputs: workflow.inputs.iter().filter_map(example).collect(),
        ..given
    };
    let assembled = bundle::assemble(&workflow, library, &templates.layers(), &given);
    diagnostics.extend(assembled.diagnostics);
    let bundle = assembled.bundle?;
    diagnostics.extend(template_faults(&bundle));
    Some(used(bundle))
}

/// A value for an input that a run would have to be given.
fn example(declared: &Declared) -> Option<(String, String)> {
    if declared.default.is_some() {
        return None;
    }
    let value = match (declared.choices.first(), declared.kind) {
        (Some(choice), _) => choice,
        (None, InputKind::String | InputKind::Path) => "example",
        (None, InputKind::Integer) => "1",
        (None, InputKind::Boolean) => "true",
        (None, InputKind::Fork) => "",
    };
    Some((declared.name.clone(), value.to_owned()))
}

/// The templates of prompts that cannot be filled, whatever with.
fn template_faults(bundle: &Bundle) -> Vec<Diagnostic> {
    let all = bundle.templates.iter();
    let templates = Templates::new(all.map(|(name, text)| (&**name, &**text)));
    let names: std::collections::BTreeSet<&String> = bundle.prompts.values().collect();
    let faults = names.into_iter().filter_map(|name| templates.fault(name));
    let told = |fault: &divisi_pack::template::Fault| {
        let cause = format!("a template cannot be filled: {fault}");
        Diagnostic::error("workflow-template", cause).at(bundle.workflow.place.clone())
    };
    faults.map(told).collect()
}

fn used(bundle: Bundle) -> Used {
    let of = |id: &String| (id.clone(), bundle.prompts.get(id).cloned());
    let ids: std::collections::BTreeSet<&String> =
        bundle.roles.values().map(|role| &role.id).collect();
    Used {
        roles: ids.into_iter().map(of).collect(),
        bundle,
    }
}

fn roles_of(used: &Used, roles: &LoadedRoles, templates: &LoadedTemplates) -> Vec<Value> {
    let one = |(id, template): &(String, Option<String>)| {
        let origins = template.as_ref().and_then(|it| templates.origins.get(it));
        json!({
            "role": id,
            "origins": roles.origins.get(id),
            "template": template,
            "template_origins": origins,
            "targets_max": role_of(used, id).and_then(|role| role.targets_max),
            "budget_tokens": role_of(used, id).and_then(|role| role.budget_tokens),
        })
    };
    used.roles.iter().map(one).collect()
}

fn role_of<'u>(used: &'u Used, id: &str) -> Option<&'u Role> {
    used.bundle.roles.values().find(|role| role.id == id)
}

fn sound_lines(
    found: &Found,
    used: &Used,
    roles: &LoadedRoles,
    templates: &LoadedTemplates,
) -> Vec<Line> {
    let counts = format!(
        " is sound: {}, {}",
        plural(used.bundle.workflow.iterations.len() as u64, "iteration"),
        plural(used.roles.len() as u64, "role")
    );
    let mut lines = vec![Line::styled(Style::Bold, found.name.as_str()).then(counts)];
    let width = used.roles.iter().map(|(id, _)| id.chars().count()).max();
    let width = width.unwrap_or(0) + 4;
    let standing = |origins: Option<&Vec<Origin>>| match origins.and_then(|it| it.split_first()) {
        Some((first, hidden)) => stands(first, hidden),
        None => Line::styled(Style::Dim, found.origin.path.as_str()),
    };
    for (id, template) in &used.roles {
        let line = Line::of("  ").then(id.as_str()).padded(width);
        lines.push(line.join(standing(roles.origins.get(id))));
        if let Some(name) = template {
            let line = Line::default().padded(width).then("prompt ");
            lines.push(line.join(standing(templates.origins.get(name))));
        }
    }
    lines
}
