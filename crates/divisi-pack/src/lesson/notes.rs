//! What agents noted for those who come after them, found in the documents that they made.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use divisi_core::criterion::truncate;

/// So much of a note is quoted, in bytes.
pub const NOTE_BYTES_MAX: usize = 2_000;

/// What such a section or file is called.
const NAMES: [&str; 4] = ["lessons", "lessons learned", "feedback", "notes"];

/// The notes of a document: all of it if its file is called so, otherwise its sections that are.
#[must_use]
pub fn notes(path: &str, text: &str) -> Vec<String> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut notes = match is_named(&stem.replace(['-', '_'], " ")) {
        true => vec![text.trim().to_owned()],
        false => sections(text),
    };
    notes.retain(|note| !note.is_empty());
    for note in &mut notes {
        truncate(note, NOTE_BYTES_MAX);
    }
    notes
}

fn is_named(name: &str) -> bool {
    let name = name.trim().trim_end_matches(':').to_lowercase();
    NAMES.contains(&&*name)
}

fn sections(text: &str) -> Vec<String> {
    // Each heading: its level, where it starts and ends, and its words.
    let mut headings = Vec::new();
    let mut words: Option<String> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => words = Some(String::new()),
            Event::Text(piece) | Event::Code(piece) => {
                if let Some(words) = &mut words {
                    words.push_str(&piece);
                }
            }
            Event::End(TagEnd::Heading(level)) => {
                headings.push((level, range, words.take().unwrap_or_default()));
            }
            _ => {}
        }
    }
    let named = headings
        .iter()
        .enumerate()
        .filter(|(_, (_, _, words))| is_named(words));
    let section = |(at, (level, range, _)): (usize, &(_, std::ops::Range<usize>, _))| {
        let next = headings[at + 1..]
            .iter()
            .find(|(other, _, _)| other <= level);
        let end = next.map_or(text.len(), |(_, range, _)| range.start);
        text[range.end.min(end)..end].trim().to_owned()
    };
    named.map(section).collect()
}
