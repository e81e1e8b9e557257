//! Making and changing files.

use std::io::Read as _;

use divisi_agents::adapter::Deed;
use divisi_agents::beneath::{self, Place};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Function, Hands, Outcome, arguments, reached, shown};

/// Files that are changed are held whole, and answers are bounded anyway.
const FILE_BYTES_MAX: usize = 8 << 20;

/// So many places of a text that stands several times are named.
const PLACES_MAX: usize = 5;

pub(super) const WRITE: Function = Function {
    name: "write",
    says: "Write a text file whole, with the folders on its way. What was in it is gone.",
    schema: || {
        json!({
            "type": "object",
            "properties": {
                "path": { "type": "string", "description": "The file." },
                "text": { "type": "string", "description": "Its whole content." },
            },
            "required": ["path", "text"],
        })
    },
    call: |hands, given| write(hands, given).unwrap_or_else(|outcome| outcome),
};

pub(super) const EDIT: Function = Function {
    name: "edit",
    says: "Replace a text in a file by another. `old` must stand in it exactly as given, and once.",
    schema: || {
        json!({
            "type": "object",
            "properties": {
                "path": { "type": "string", "description": "The file." },
                "old": { "type": "string", "description": "What stands there, with enough around it to be found once." },
                "new": { "type": "string", "description": "What is to stand there." },
                "all": { "type": "boolean", "description": "Whether to replace it wherever it stands." },
            },
            "required": ["path", "old", "new"],
        })
    },
    call: |hands, given| edit(hands, given).unwrap_or_else(|outcome| outcome),
};

#[derive(Deserialize)]
struct Written {
    path: String,
    text: String,
}

fn write(hands: &mut Hands<'_>, given: &Value) -> Result<Outcome, Outcome> {
    let given: Written = arguments(given)?;
    put(hands, "write", &given.path, &given.text)?;
    let bytes = given.text.len();
    Ok(Outcome::Done(format!(
        "wrote {bytes} bytes to {}",
        shown(&given.path)
    )))
}

/// Asks for leave, and writes.
fn put(hands: &mut Hands<'_>, verb: &str, path: &str, text: &str) -> Result<(), Outcome> {
    if text.len() > FILE_BYTES_MAX {
        let cause = format!("{}: more than {FILE_BYTES_MAX} bytes", shown(path));
        return Err(Outcome::Failed(cause));
    }
    let within = hands.within(path).to_owned();
    // What cannot be written anyway is nobody's to allow.
    divisi_core::path::beneath(&within)
        .map_err(|fault| Outcome::Failed(format!("{}: the path {fault}", shown(path))))?;
    hands.permission(
        Deed::Edit,
        &format!("{verb} {}", shown(&within)),
        Some(&within),
    )?;
    beneath::write(&hands.root, &within, text.as_bytes(), Place::Whole)
        .map_err(|fault| reached(path, &fault))
}

#[derive(Deserialize)]
struct Edited {
    path: String,
    old: String,
    new: String,
    #[serde(default)]
    all: bool,
}

fn edit(hands: &mut Hands<'_>, given: &Value) -> Result<Outcome, Outcome> {
    let given: Edited = arguments(given)?;
    if given.old.is_empty() {
        let cause = "`old` is empty; write the file whole with `write`";
        return Err(Outcome::Faulty(cause.to_owned()));
    }
    if given.old == given.new {
        return Err(Outcome::Faulty("`old` and `new` are the same".to_owned()));
    }
    let before = content(hands, &given.path)?;
    let places = before.matches(&given.old).count();
    match places {
        0 => return Err(absent(&given, &before)),
        1 => {}
        _ if given.all => {}
        _ => return Err(several(&given, &before, places)),
    }
    let after = match given.all {
        true => before.replace(&given.old, &given.new),
        false => before.replacen(&given.old, &given.new, 1),
    };
    put(hands, "edit", &given.path, &after)?;
    let times = match places {
        1 => "once".to_owned(),
        many => format!("{many} times"),
    };
    Ok(Outcome::Done(format!(
        "replaced it {times} in {}",
        shown(&given.path)
    )))
}

/// A file's whole text.
fn content(hands: &Hands<'_>, path: &str) -> Result<String, Outcome> {
    let file =
        beneath::open(&hands.root, hands.within(path)).map_err(|fault| reached(path, &fault))?;
    let failed = |cause: String| Outcome::Failed(format!("{}: {cause}", shown(path)));
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(error.to_string()))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(failed(format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| failed("it is no text in UTF-8".to_owned()))
}

/// That a text does not stand in a file, and what may be meant.
fn absent(given: &Edited, before: &str) -> Outcome {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let hint = match squeezed(before).contains(&squeezed(&given.old)) {
        true => "; it does with other spaces or line ends: read the file, and copy it exactly",
        false => "; read the file first",
    };
    let path = shown(&given.path);
    Outcome::Failed(format!("`old` does not stand in {path}{hint}"))
}

/// That a text stands in a file several times, and where.
fn several(given: &Edited, before: &str, places: usize) -> Outcome {
    let found = before.match_indices(&given.old).take(PLACES_MAX);
    let lines = found.map(|(at, _)| {
        let line = 1 + before[..at].bytes().filter(|byte| *byte == b'\n').count();
        line.to_string()
    });
    let lines: Vec<String> = lines.collect();
    let more = if places > PLACES_MAX { ", …" } else { "" };
    Outcome::Failed(format!(
        "`old` stands {places} times in {}, in the lines {}{more}; give more of what is around it, \
         or `all`",
        shown(&given.path),
        lines.join(", ")
    ))
}
