//! Looking at folders and files.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::OsStrExt as _;

use divisi_agents::beneath;
use rustix::fs::{Dir, FileType};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Function, Hands, OUTPUT_BYTES_MAX, Outcome, arguments, reached, shown};

/// So many names of a folder are listed.
const NAMES_MAX: usize = 1_000;

/// So many names are looked at to find the first of them.
const LOOKED_MAX: usize = 100_000;

/// So many lines are read unless told.
const LINES: u64 = 2_000;

/// Lines beyond this part of a file are not found.
const SCANNED_BYTES_MAX: u64 = 256 << 20;

/// A file that has a NUL in so many bytes is no text.
pub(super) const LOOKED_BYTES: usize = 8 << 10;

pub(super) const LIST: Function = Function {
    name: "list",
    says: "List the files and folders in a folder. Folders end with `/`, links with `@`.",
    schema: || {
        json!({
            "type": "object",
            "properties": {
                "path": { "type": "string", "description": "The folder; `.` unless told." },
            },
            "required": [],
        })
    },
    call: |hands, given| list(hands, given).unwrap_or_else(|outcome| outcome),
};

pub(super) const READ: Function = Function {
    name: "read",
    says: "Read a text file, or some of its lines. Lines are returned as they are.",
    schema: || {
        json!({
            "type": "object",
            "properties": {
                "path": { "type": "string", "description": "The file." },
                "from": { "type": "integer", "minimum": 1, "description": "The first line; 1 unless told." },
                "lines": { "type": "integer", "minimum": 1, "description": "How many lines." },
            },
            "required": ["path"],
        })
    },
    call: |hands, given| read(hands, given).unwrap_or_else(|outcome| outcome),
};

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    path: Option<String>,
}

fn list(hands: &mut Hands<'_>, given: &Value) -> Result<Outcome, Outcome> {
    let given: Listed = arguments(given)?;
    let path = given.path.unwrap_or_default();
    let folder = beneath::folder(&hands.root, hands.within(&path))
        .map_err(|fault| reached(&path, &fault))?;
    let failed = |error: rustix::io::Errno| Outcome::Failed(format!("{}: {error}", shown(&path)));
    let mut names = Vec::new();
    let mut is_whole = true;
    for (at, entry) in Dir::read_from(&folder).map_err(failed)?.enumerate() {
        if at >= LOOKED_MAX {
            is_whole = false;
            break;
        }
        let entry = entry.map_err(failed)?;
        let name = String::from_utf8_lossy(entry.file_name().to_bytes()).into_owned();
        let mark = match entry.file_type() {
            FileType::Directory => "/",
            FileType::Symlink => "@",
            _ => "",
        };
        if !matches!(name.as_str(), "." | ".." | ".git") {
            names.push(format!("{}{mark}", name.escape_debug()));
        }
    }
    names.sort_unstable();
    let more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    if names.is_empty() {
        return Ok(Outcome::Done("[the folder is empty]".to_owned()));
    }
    match (is_whole, more) {
        (true, 0) => {}
        (true, more) => names.push(format!("[{more} more]")),
        (false, _) => names.push("[many more]".to_owned()),
    }
    Ok(Outcome::Done(names.join("\n")))
}

#[derive(Deserialize)]
struct Lines {
    path: String,
    #[serde(default)]
    from: Option<u64>,
    #[serde(default)]
    lines: Option<u64>,
}

fn read(hands: &mut Hands<'_>, given: &Value) -> Result<Outcome, Outcome> {
    let given: Lines = arguments(given)?;
    let path = &given.path;
    let file =
        beneath::open(&hands.root, hands.within(path)).map_err(|fault| reached(path, &fault))?;
    let failed = |error: std::io::Error| Outcome::Failed(format!("{}: {error}", shown(path)));
    let mut stream = BufReader::with_capacity(LOOKED_BYTES, file.take(SCANNED_BYTES_MAX));
    if is_binary(stream.fill_buf().map_err(failed)?) {
        let bytes = stream
            .get_ref()
            .get_ref()
            .metadata()
            .map_or(0, |it| it.len());
        let cause = format!("{} is no text: a binary file of {bytes} bytes", shown(path));
        return Err(Outcome::Failed(cause));
    }
    let first = given.from.unwrap_or(1).max(1);
    for _ in 1..first {
        if stream.skip_until(b'\n').map_err(failed)? == 0 {
            let cause = format!("{} has no line {first}", shown(path));
            return Err(Outcome::Failed(cause));
        }
    }
    let most = given.lines.unwrap_or(LINES).max(1);
    let (mut text, mut number) = (Vec::new(), 0);
    while number < most && text.len() < OUTPUT_BYTES_MAX {
        let room = (OUTPUT_BYTES_MAX - text.len()) as u64;
        let bytes = (&mut stream)
            .take(room)
            .read_until(b'\n', &mut text)
            .map_err(failed)?;
        if bytes == 0 {
            break;
        }
        number += 1;
    }
    let is_end = stream.fill_buf().map_err(failed)?.is_empty();
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if text.is_empty() {
        return Ok(Outcome::Done("[the file is empty]".to_owned()));
    }
    if !is_end {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let last = first + number - 1;
        text.push_str(&format!("[lines {first} to {last}; the file goes on]"));
    }
    // The notes are ours, and beyond the bound of what is read.
    text.shrink_to_fit();
    Ok(Outcome::Done(text))
}

/// Whether what a file begins with is no text.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(LOOKED_BYTES).any(|byte| *byte == 0)
}

/// A name in a folder, where it is text.
pub(super) fn name_of(entry: &rustix::fs::DirEntry) -> Option<String> {
    let name = std::ffi::OsStr::from_bytes(entry.file_name().to_bytes());
    name.to_str().map(str::to_owned)
}
