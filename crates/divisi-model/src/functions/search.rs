//! Searching in files.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _};
use std::time::{Duration, Instant};

use divisi_agents::beneath;
use regex::bytes::{Regex, RegexBuilder};
use rustix::fs::{Dir, FileType};
use serde::Deserialize;
use serde_json::{Value, json};

use super::look::{LOOKED_BYTES, is_binary, name_of};
use super::{Function, Hands, Outcome, arguments, reached, shown};

/// So many lines are found at the most.
const LINES_MAX: usize = 200;

/// So much of each is shown.
const LINE_BYTES_MAX: usize = 300;

/// What is read of a file.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// So many files and folders are looked at.
const ENTRIES_MAX: usize = 50_000;

/// So long is looked.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most memory that a pattern may take, as its program.
const PATTERN_BYTES_MAX: usize = 1 << 20;

pub(super) const SEARCH: Function = Function {
    name: "search",
    says: "Find lines in text files of the folder and those beneath it. Returns `path:line: text`.",
    schema: || {
        json!({
            "type": "object",
            "properties": {
                "pattern": { "type": "string", "description": "A regular expression." },
                "path": { "type": "string", "description": "A file, or a folder; `.` unless told." },
            },
            "required": ["pattern"],
        })
    },
    call: |hands, given| search(hands, given).unwrap_or_else(|outcome| outcome),
};

#[derive(Deserialize)]
struct Searched {
    pattern: String,
    #[serde(default)]
    path: Option<String>,
}

struct Found {
    lines: Vec<String>,
    looked_at: usize,
    until: Instant,
}

impl Found {
    /// Whether enough was looked at.
    fn stop(&self) -> Option<&'static str> {
        if self.lines.len() >= LINES_MAX {
            return Some("there may be more lines");
        }
        if self.looked_at >= ENTRIES_MAX || Instant::now() >= self.until {
            return Some("there are too many files to look at all; name a path");
        }
        None
    }
}

fn search(hands: &mut Hands<'_>, given: &Value) -> Result<Outcome, Outcome> {
    let given: Searched = arguments(given)?;
    let pattern = RegexBuilder::new(&given.pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| Outcome::Faulty(format!("`pattern` is no regular expression: {error}")))?;
    let path = given.path.unwrap_or_default();
    let within = hands.within(&path).to_owned();
    let mut found = Found {
        lines: Vec::new(),
        looked_at: 0,
        until: Instant::now() + PATIENCE,
    };
    if beneath::open(&hands.root, &within).is_ok() {
        file(hands, &within, &pattern, &mut found);
    } else {
        beneath::folder(&hands.root, &within).map_err(|fault| reached(&path, &fault))?;
        folders(hands, within, &pattern, &mut found);
    }
    let stopped = found.stop();
    if found.lines.is_empty() {
        found
            .lines
            .push(format!("[no line matches {}]", shown(&given.pattern)));
    }
    if let Some(why) = stopped {
        found.lines.push(format!("[{why}]"));
    }
    Ok(Outcome::Done(found.lines.join("\n")))
}

/// Looks in a folder, and in those beneath it after it.
fn folders(hands: &Hands<'_>, first: String, pattern: &Regex, found: &mut Found) {
    let mut waiting = VecDeque::from([first]);
    while let Some(folder) = waiting.pop_front() {
        // What vanished or may not be read holds nothing for us.
        let Ok(open) = beneath::folder(&hands.root, &folder) else {
            continue;
        };
        let Ok(entries) = Dir::read_from(&open) else {
            continue;
        };
        let mut names: Vec<(String, FileType)> = entries
            .take(ENTRIES_MAX)
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((name_of(&entry)?, entry.file_type()))
            })
            .filter(|(name, _)| !matches!(name.as_str(), "." | ".." | ".git"))
            .collect();
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (name, kind) in names {
            if found.stop().is_some() {
                return;
            }
            found.looked_at += 1;
            let path = match folder.as_str() {
                "" | "." => name,
                folder => format!("{}/{name}", folder.trim_end_matches('/')),
            };
            match kind {
                FileType::Directory => waiting.push_back(path),
                FileType::RegularFile => file(hands, &path, pattern, found),
                _ => {}
            }
        }
    }
}

fn file(hands: &Hands<'_>, path: &str, pattern: &Regex, found: &mut Found) {
    let Ok(file) = beneath::open(&hands.root, path) else {
        return;
    };
    let mut stream = BufReader::with_capacity(LOOKED_BYTES, file.take(FILE_BYTES_MAX));
    if stream.fill_buf().is_ok_and(is_binary) {
        return;
    }
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        match stream.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => number += 1,
        }
        let text = line.trim_ascii_end();
        if pattern.is_match(text) {
            let mut shown = String::from_utf8_lossy(text).into_owned();
            divisi_core::criterion::truncate(&mut shown, LINE_BYTES_MAX);
            found.lines.push(format!("{path}:{number}: {shown}"));
        }
        if found.stop().is_some() {
            return;
        }
    }
}
