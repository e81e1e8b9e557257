//! What a report cites is there: each place of the tree that an item of it begins with, and what the
//! item says to stand there.
//!
//! ```text
//! - `src/parser.py:2`: whatever is parsed is executed
//!   - there: `return eval(text)`
//! ```
//!
//! A report that cites nothing shows nothing, so one place at least is expected; and none may be in
//! the report itself, which would show whatever it says.

use std::collections::BTreeMap;

use divisi_core::path::beneath;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::evaluate::{Checked, Stop, content, fails, utf8};
use super::evidence::{names, short};
use super::markdown::MARKDOWN_BYTES_MAX;
use crate::files::Files;

/// Places that are looked up; a report with more is a log.
pub const CITED_PLACES_MAX: usize = 2_000;

/// A cited file is read whole.
pub const CITED_FILE_BYTES_MAX: u64 = 8 << 20;

/// So many bytes are read for one report: some seconds from a slow disk.
pub const CITED_BYTES_MAX: u64 = 256 << 20;

/// What an item says to stand in the line.
const THERE: &str = "there:";

/// A place, and what is said to stand there.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    path: String,
    first: usize,
    last: usize,
    there: Option<String>,
}

pub(super) fn check(files: &dyn Files, path: &str) -> Checked {
    let text = utf8(files, path, MARKDOWN_BYTES_MAX)?;
    let places = places(&text);
    let shown = short(path, 200);
    if places.is_empty() {
        return fails(format!(
            "{shown} cites no place; at least one list item that begins with `path:line` as code is \
             expected"
        ));
    }
    if places.len() > CITED_PLACES_MAX {
        return fails(format!(
            "{shown} cites {} places; this check looks up no more than {CITED_PLACES_MAX}",
            places.len()
        ));
    }
    // Each file is read once, and one at a time.
    let mut by_file: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in &places {
        by_file.entry(&place.path).or_default().push(place);
    }
    let (mut bytes, mut faults) = (0, Vec::new());
    for (cited, places) in by_file {
        if beneath(cited) == beneath(path) {
            faults.push(format!("{cited}: the report is no evidence of itself"));
            continue;
        }
        let read = match content(files, cited, CITED_FILE_BYTES_MAX) {
            Ok(read) => read,
            Err(Stop::Fails(cause)) => {
                faults.push(format!("{cited}:{}: {cause}", places[0].first));
                continue;
            }
            Err(other) => return Err(other),
        };
        bytes += read.len() as u64;
        if bytes > CITED_BYTES_MAX {
            return fails(format!(
                "the files that {shown} cites have more than {CITED_BYTES_MAX} bytes together"
            ));
        }
        let read = String::from_utf8_lossy(&read);
        let lines: Vec<&str> = read.lines().collect();
        faults.extend(places.iter().filter_map(|place| place.fault(&lines)));
    }
    if faults.is_empty() {
        return Ok(());
    }
    fails(format!(
        "of {} places that {shown} cites, {} do not hold: {}",
        places.len(),
        faults.len(),
        names(faults.iter().map(String::as_str))
    ))
}

impl Place {
    /// A place as it is written: `path:line`, or `path:line-line`.
    fn of(code: &str) -> Option<Place> {
        let (path, lines) = code.trim().rsplit_once(':')?;
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        let number = |digits: &str| digits.parse().ok().filter(|number| *number > 0);
        let (first, last) = (number(first)?, number(last)?);
        (!path.is_empty() && first <= last).then(|| Place {
            path: path.to_owned(),
            first,
            last,
            there: None,
        })
    }

    /// Why it does not hold in a file of these lines, if it does not.
    fn fault(&self, lines: &[&str]) -> Option<String> {
        let Some(cited) = lines.get(self.first - 1..self.last) else {
            let (path, last, many) = (&self.path, self.last, lines.len());
            return Some(format!("{path} has no line {last}, it has {many}"));
        };
        let said = self.there.as_deref()?.trim();
        let stands = cited.iter().any(|line| line.contains(said));
        let says = || short(cited[0].trim(), 60);
        (!stands).then(|| format!("{}:{} says {:?}", self.path, self.first, says()))
    }
}

/// All places in the order of the text.
fn places(text: &str) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    // For each open item, the place that it begins with, by its index.
    let mut items: Vec<Option<usize>> = Vec::new();
    let mut begins = false;
    let mut says_there = false;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Item) => {
                items.push(None);
                begins = true;
                continue;
            }
            Event::End(TagEnd::Item) => {
                items.pop();
            }
            Event::Start(Tag::Paragraph) if begins => continue,
            Event::Code(code) if begins => {
                if let (Some(place), Some(item)) = (Place::of(&code), items.last_mut()) {
                    *item = Some(found.len());
                    found.push(place);
                }
            }
            Event::Text(said) if begins => {
                says_there = said.trim() == THERE;
                begins = false;
                continue;
            }
            Event::Code(code) if says_there => {
                // Of the item around it.
                let around = items.iter().rev().nth(1).copied().flatten();
                if let Some(place) = around {
                    found[place].there = Some(code.into_string());
                }
            }
            _ => {}
        }
        begins = false;
        says_there = false;
    }
    found
}
