//! What a report cites is there: each place of the tree that it names as code, wherever that stands,
//! and what it says to stand there.
//!
//! ```text
//! - `src/parser.py:2`: whatever is parsed is executed
//!   - there: `return eval(text)`
//! ```
//!
//! A report that cites nothing shows nothing, so one place at least is expected; and none may be in
//! the report itself, which would show whatever it says. What is written in another way, say without
//! code, is not looked up: a report that says no more than that it read something is not refused.

use std::collections::BTreeMap;
use std::mem::take;

use divisi_core::path::beneath;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::evaluate::{Checked, Stop, cannot, content, fails, utf8};
use super::evidence::{names, short};
use super::markdown::MARKDOWN_BYTES_MAX;
use crate::files::{Entry, Files};

/// Places and quotes that are looked up; a report with more is a log.
pub const CITED_PLACES_MAX: usize = 2_000;

/// A place is no longer than a function: of a whole file, nobody could look up what is meant.
pub const CITED_LINES_MAX: usize = 200;

/// A cited file is read whole.
pub const CITED_FILE_BYTES_MAX: u64 = 8 << 20;

/// So many bytes are read for one report: some seconds from a slow disk.
pub const CITED_BYTES_MAX: u64 = 256 << 20;

/// What goes before code that is said to stand in the line, with a colon.
const THERE: &str = "there";

/// Ends of the names of hosts that hardly any file has: `example.com:443` is a port.
const HOSTS: [&str; 8] = [
    ".com",
    ".org",
    ".net",
    ".io",
    ".dev",
    ".local",
    ".internal",
    ".example",
];

/// What paths that are cited do not have: values, patterns, and names of modules.
const NO_PATH: [char; 9] = [':', '"', '\'', '<', '>', '|', '*', '?', '='];

/// A place, and what is said to stand there.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    path: String,
    first: usize,
    last: usize,
    there: Vec<String>,
}

pub(super) fn check(files: &dyn Files, path: &str) -> Checked {
    let text = utf8(files, path, MARKDOWN_BYTES_MAX)?;
    let places = places(files, &text)?;
    let shown = short(path, 200);
    if places.is_empty() {
        return fails(format!(
            "{shown} cites no place; at least one `path:line` as code is expected"
        ));
    }
    let many = places
        .iter()
        .map(|place| 1 + place.there.len().saturating_sub(1));
    let many: usize = many.sum();
    if many > CITED_PLACES_MAX {
        return fails(format!(
            "{shown} cites {many} places and quotes; this check looks up no more than \
             {CITED_PLACES_MAX}"
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
        "of {} places that {shown} cites, {} do not hold: {}; whatever is `path:line` as code was \
         looked up",
        places.len(),
        faults.len(),
        names(faults.iter().map(String::as_str))
    ))
}

impl Place {
    /// A place as it is written: `path:line`, `path:line-line`, `path:line:column`, or `path#Lline`.
    fn of(word: &str) -> Option<Place> {
        let (before, lines) = split(word)?;
        // With a column, the line is before it.
        let (path, (first, last)) = split(before).unwrap_or((before, lines));
        (!path.is_empty()).then(|| Place {
            path: path.to_owned(),
            first,
            last,
            there: Vec::new(),
        })
    }

    /// Why it does not hold in a file of these lines, if it does not.
    fn fault(&self, lines: &[&str]) -> Option<String> {
        let (path, first, last) = (&self.path, self.first, self.last);
        let cited = first.checked_sub(1).and_then(|at| lines.get(at..last));
        let Some(cited) = cited.filter(|cited| !cited.is_empty()) else {
            let (line, many) = (if first == 0 { 0 } else { last }, lines.len());
            return Some(format!("{path} has no line {line}, it has {many}"));
        };
        if cited.len() > CITED_LINES_MAX {
            return Some(format!(
                "{path}:{first}-{last} are {} lines; a place has {CITED_LINES_MAX} at most",
                cited.len()
            ));
        }
        let stands = |said: &String| cited.iter().any(|line| line.contains(said.as_str()));
        let says = || short(cited[0].trim(), 60);
        let absent = self.there.iter().find(|said| !stands(said))?;
        let absent = short(absent, 60);
        Some(format!(
            "{path}:{first} says {:?}, and {absent:?} is not there",
            says()
        ))
    }
}

/// What is before the last number or range of lines, and these.
fn split(word: &str) -> Option<(&str, (usize, usize))> {
    let (before, lines) = word.rsplit_once("#L").or_else(|| word.rsplit_once(':'))?;
    let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
    Some((before, (number(first)?, number(last)?)))
}

/// The number of a line. One that no file has is one, too.
fn number(said: &str) -> Option<usize> {
    let digits = said.strip_prefix('L').unwrap_or(said);
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(usize::MAX))
}

/// Whether it is written like a path of the tree: ports, times and versions are not.
fn is_path(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_number = name.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let host = path.split('/').next().unwrap_or(path).to_lowercase();
    let is_host = HOSTS.iter().any(|end| host.ends_with(end));
    path.contains(['.', '/']) && !path.contains(NO_PATH) && !is_number && !is_host
}

/// Whether what follows this is said to stand in the line.
fn says_there(said: &str) -> bool {
    let before = said.trim_end().strip_suffix(':').unwrap_or_default();
    let last = before.trim_end().rsplit(|it: char| !it.is_alphanumeric());
    last.take(1).any(|word| word.eq_ignore_ascii_case(THERE))
}

/// Whether what follows this goes on with what was said to stand in the line.
fn goes_on(said: &str) -> bool {
    let mut words = said.split_whitespace();
    words.all(|word| word == "and" || !word.contains(char::is_alphanumeric))
}

/// What was read of a report so far.
struct Reader<'a> {
    files: &'a dyn Files,
    found: Vec<Place>,
    /// For each open item the place that quotes in it are of, by its index, and whether it stands in
    /// the item itself: the first one there, else that of the item around it.
    items: Vec<(Option<usize>, bool)>,
    /// The last place under this heading: what quotes are of where no item around them has one.
    last: Option<usize>,
    /// The text since the last code.
    said: String,
    /// The last code was a quote.
    quotes: bool,
    /// Within a block of code, whether it is a quote.
    block: Option<bool>,
}

/// All places in the order of the text.
fn places(files: &dyn Files, text: &str) -> Result<Vec<Place>, Stop> {
    let mut reader = Reader {
        files,
        found: Vec::new(),
        items: Vec::new(),
        last: None,
        said: String::new(),
        quotes: false,
        block: None,
    };
    for event in Parser::new(text) {
        reader.on_event(&event)?;
    }
    Ok(reader.found)
}

impl Reader<'_> {
    fn on_event(&mut self, event: &Event<'_>) -> Result<(), Stop> {
        match event {
            Event::Start(Tag::Item) => {
                let around = self.items.last().and_then(|(place, _)| *place);
                self.items.push((around, false));
                self.breaks_off();
            }
            Event::End(TagEnd::Item) => {
                self.items.pop();
                self.breaks_off();
            }
            Event::Start(Tag::Heading { .. }) => {
                self.last = None;
                self.breaks_off();
            }
            Event::Start(Tag::Paragraph) => {
                self.said.push(' ');
                self.quotes = false;
            }
            Event::Start(Tag::CodeBlock(_)) => {
                self.block = Some(says_there(&take(&mut self.said)));
            }
            Event::End(TagEnd::CodeBlock) => self.block = None,
            Event::Text(text) => match self.block {
                Some(true) => text.lines().for_each(|line| self.quote(line)),
                Some(false) => {}
                None => self.said.push_str(text),
            },
            Event::SoftBreak | Event::HardBreak => self.said.push(' '),
            Event::Code(code) => self.on_code(code)?,
            _ => {}
        }
        Ok(())
    }

    /// What comes next has nothing to do with what was said last.
    fn breaks_off(&mut self) {
        self.said.clear();
        self.quotes = false;
    }

    fn on_code(&mut self, code: &str) -> Result<(), Stop> {
        let said = take(&mut self.said);
        if says_there(&said) && self.quoted().is_some() {
            self.quote(code);
            self.quotes = true;
            return Ok(());
        }
        let places = self.cited(code)?;
        self.quotes = self.quotes && places.is_empty() && goes_on(&said);
        if self.quotes {
            self.quote(code);
        }
        for place in places {
            let at = self.found.len();
            self.last = Some(at);
            if let Some((first, is_own)) = self.items.last_mut()
                && !*is_own
            {
                (*first, *is_own) = (Some(at), true);
            }
            self.found.push(place);
        }
        Ok(())
    }

    /// The place that a quote would be of.
    fn quoted(&self) -> Option<usize> {
        let around = self.items.last().and_then(|(place, _)| *place);
        around.or(self.last)
    }

    fn quote(&mut self, said: &str) {
        let said = said.trim();
        if let Some(place) = self.quoted()
            && !said.is_empty()
        {
            self.found[place].there.push(said.to_owned());
        }
    }

    /// The places in one piece of code: it is one, or words of it are.
    fn cited(&self, code: &str) -> Result<Vec<Place>, Stop> {
        if let Some(place) = Place::of(code.trim())
            && self.stands(&place.path)?
        {
            return Ok(vec![place]);
        }
        let mut found = Vec::new();
        let words = code.split(|it: char| it.is_whitespace() || matches!(it, ',' | ';'));
        for word in words {
            if let Some(place) = Place::of(word.trim_end_matches([':', '.']))
                && (is_path(&place.path) || self.stands(&place.path)?)
            {
                found.push(place);
            }
        }
        Ok(found)
    }

    /// Whether something of the tree is so named.
    fn stands(&self, path: &str) -> Result<bool, Stop> {
        if beneath(path).is_err() {
            return Ok(false);
        }
        let entry = self.files.entry(path);
        let entry = entry.map_err(|source| cannot(path, source))?;
        Ok(entry != Entry::Missing)
    }
}
