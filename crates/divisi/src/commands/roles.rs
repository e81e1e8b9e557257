//! `divisi roles`: who there is to do work, under which names, and where that is said.

use divisi_pack::role::Role;
use serde_json::{Value, json};

use super::workflow::stands;
use crate::cli::{self, Global, RolesCommand};
use crate::exit::Exit;
use crate::library::{Library, LoadedRoles, Origin, unknown};
use crate::printer::{Line, Outcome, Printer, Style};
use crate::project::Project;

/// Where labels end when a role is shown.
const LABEL_WIDTH: usize = 18;

/// `divisi roles`.
pub(crate) fn run(args: &cli::Roles, global: &Global, printer: &Printer) -> Outcome {
    let loaded = Library::of(&Project::find(global)?).roles();
    let roles = loaded.told(printer)?;
    match &args.command {
        None => list(roles.iter(), &loaded, printer),
        Some(RolesCommand::Show { role }) => {
            let Some(found) = roles.get(role) else {
                let names = roles.nearest(role);
                return Err(unknown("role", role, names, "`divisi roles` lists them"));
            };
            show(found, &loaded, printer)
        }
    }
}

fn list<'r>(
    roles: impl Iterator<Item = &'r Role>,
    loaded: &LoadedRoles,
    printer: &Printer,
) -> Outcome {
    let roles: Vec<&Role> = roles.collect();
    if printer.is_json() {
        let roles: Vec<Value> = roles.iter().map(|role| document(role, loaded)).collect();
        printer.document(&json!({ "roles": roles }))?;
        return Ok(Exit::Success);
    }
    let width = roles.iter().map(|role| role.id.chars().count()).max();
    let width = width.unwrap_or(0) + 2;
    for role in roles {
        let line = Line::styled(Style::Bold, role.id.as_str()).padded(width);
        let line = line
            .then(origins(role, loaded).0.layer.word())
            .padded(width + 10);
        printer.line(&line.then(role.aliases.join(", ")))?;
    }
    Ok(Exit::Success)
}

/// Where a role stands, and where else something is said of it.
fn origins<'l>(role: &Role, loaded: &'l LoadedRoles) -> (&'l Origin, &'l [Origin]) {
    let origins = loaded.origins.get(&role.id);
    let (first, rest) = origins
        .and_then(|origins| origins.split_first())
        .expect("a role was read somewhere");
    (first, rest)
}

fn document(role: &Role, loaded: &LoadedRoles) -> Value {
    let (origin, hides) = origins(role, loaded);
    json!({
        "id": role.id,
        "layer": origin.layer,
        "path": origin.path,
        "over": hides,
        "role": role,
    })
}

fn show(role: &Role, loaded: &LoadedRoles, printer: &Printer) -> Outcome {
    if printer.is_json() {
        printer.document(&document(role, loaded))?;
        return Ok(Exit::Success);
    }
    let (origin, hides) = origins(role, loaded);
    let name = Line::styled(Style::Bold, role.id.as_str()).then(format!(": {}", role.name));
    let mut lines = vec![name, stands(origin, hides)];
    let mut say = |label: &str, text: &str| {
        if !text.is_empty() {
            let label = Line::styled(Style::Dim, format!("  {label}"));
            lines.push(label.padded(LABEL_WIDTH).then(text));
        }
    };
    let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
    say("aliases", &role.aliases.join(", "));
    say("domain", role.domain.as_deref().unwrap_or_default());
    say("function", role.function.as_deref().unwrap_or_default());
    say("perspective", &role.perspective);
    say("budget", &number(role.budget_tokens));
    say("targets at once", &number(role.targets_max.map(u64::from)));
    for (label, texts) in [
        ("answers for", &role.responsibilities),
        ("is good at", &role.capabilities),
        ("is bound by", &role.constraints),
        ("delivers", &role.output_format),
        ("looks at", &role.focus),
        ("asks", &role.questions),
        ("is right for", &role.suited_for),
    ] {
        for (at, text) in texts.iter().enumerate() {
            say(if at == 0 { label } else { "" }, text);
        }
    }
    printer.lines(&lines)?;
    let hint = format!(
        "what `roles/{}.yaml` of the project says of it counts more",
        role.id
    );
    printer.note(&Line::styled(Style::Dim, hint));
    Ok(Exit::Success)
}
