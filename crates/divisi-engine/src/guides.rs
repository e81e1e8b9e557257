//! What a repository asks of agents: its `AGENTS.md` files, and its skills.
//!
//! As the convention has it, the file nearest to what somebody changes counts most: so a task is
//! told that of the root and of every folder down to its scope, the nearest last. Where a folder has
//! none, its `CLAUDE.md` stands in; an agent that has a file of its own is told that too. All of it is read from the commit that the run stands on, which
//! its owner chose, and never from what an attempt wrote; a link is not followed.
//!
//! Agents that read some of it by themselves are not told it twice: `reads` names it.

use std::collections::BTreeSet;
use std::io;

use divisi_agents::handoff::{Guide, Skill};
use divisi_core::path::beneath;
use divisi_pack::skill;

use crate::files::{Entry, Files};

/// The file of a folder that asks something of all agents.
const OF_ALL: &str = "AGENTS.md";

/// The one that is taken where there is none.
const IN_ITS_PLACE: &str = "CLAUDE.md";

/// Files and folders by which the tools that work as agents are steered and which they read by
/// themselves, in whatever folder they stand.
const READ_BY_THEMSELVES: [&str; 18] = [
    OF_ALL,
    "AGENTS.override.md",
    IN_ITS_PLACE,
    "CLAUDE.local.md",
    "GEMINI.md",
    "QWEN.md",
    ".agents",
    ".claude",
    ".codex",
    ".copilot",
    ".gemini",
    ".github/copilot-instructions.md",
    ".github/instructions",
    ".mcp.json",
    ".opencode",
    ".qwen",
    "opencode.json",
    "opencode.jsonc",
];

/// Where skills are, each in a folder of its own; of two with one name the first counts.
const SKILL_FOLDERS: [&str; 3] = [".agents/skills", ".claude/skills", "skills"];

/// Folders that are looked at; a scope names few.
const FOLDERS_MAX: usize = 100;

/// Told of all files together, in bytes: what some of these tools read themselves at most. The
/// nearest come first.
const GUIDES_BYTES_MAX: usize = 32 << 10;

/// Skills that are told.
const SKILLS_MAX: usize = 50;

/// The head of a skill's file, in bytes.
const HEAD_BYTES_MAX: u64 = 8 << 10;

/// What stands in the files for those who change `patterns`, the nearest last; `own` are names of
/// files for this agent alone.
///
/// # Errors
/// The tree cannot be read.
pub(crate) fn guides<'p>(
    files: &dyn Files,
    patterns: impl Iterator<Item = &'p str>,
    own: &[String],
    reads: &[String],
) -> io::Result<Vec<Guide>> {
    let mut guides = Vec::new();
    let mut room = GUIDES_BYTES_MAX;
    // The nearest first, so that it has the room.
    for folder in folders(patterns).iter().rev() {
        for (path, bytes) in files_of(folder, files, own)?.into_iter().rev() {
            if reads.contains(&path) {
                continue;
            }
            let whole = usize::try_from(bytes).unwrap_or(usize::MAX);
            let Some(text) = text(&path, room.min(whole), files)? else {
                continue;
            };
            room -= text.len();
            guides.push(Guide {
                path,
                left_out_bytes: bytes - text.len() as u64,
                text,
            });
        }
    }
    guides.reverse();
    Ok(guides)
}

/// The root, and all folders on the ways to what the patterns name, those above first.
fn folders<'p>(patterns: impl Iterator<Item = &'p str>) -> Vec<String> {
    let mut all = BTreeSet::from([(0, String::new())]);
    for pattern in patterns {
        let Ok(parts) = beneath(pattern) else {
            continue;
        };
        let is_plain = |part: &&&str| !part.contains(['*', '?', '[', '{', '!']);
        let plain = parts.iter().take_while(is_plain).count();
        // The last part may be a file, in which nothing is found.
        all.extend((1..=plain).map(|depth| (depth, parts[..depth].join("/"))));
    }
    let folders = all.into_iter().map(|(_, folder)| folder);
    folders.take(FOLDERS_MAX).collect()
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// The files of a folder that ask something of an agent, with their sizes.
fn files_of(folder: &str, files: &dyn Files, own: &[String]) -> io::Result<Vec<(String, u64)>> {
    let file = |name: &str| -> io::Result<Option<(String, u64)>> {
        let path = join(folder, name);
        Ok(match files.entry(&path)? {
            Entry::File { bytes, .. } if bytes > 0 => Some((path, bytes)),
            _ => None,
        })
    };
    let of_all = match file(OF_ALL)? {
        Some(found) => Some(found),
        None => file(IN_ITS_PLACE)?,
    };
    let mut found: Vec<(String, u64)> = of_all.into_iter().collect();
    for name in own {
        let file = file(name)?;
        found.extend(file.filter(|file| !found.contains(file)));
    }
    Ok(found)
}

/// Whether an agent that works where this path is may be steered by it, whatever it was told.
pub(crate) fn steers(path: &str) -> bool {
    let stands = format!("/{path}/");
    { READ_BY_THEMSELVES.iter() }.any(|name| stands.contains(&format!("/{name}/")))
}

/// The beginning of a file, if it is text.
fn text(path: &str, bytes_max: usize, files: &dyn Files) -> io::Result<Option<String>> {
    let bytes = files.read(path, bytes_max as u64)?;
    Ok(whole_letters(bytes))
}

/// A text that may have been cut within a letter; `None` if it is none.
pub(crate) fn whole_letters(mut bytes: Vec<u8>) -> Option<String> {
    if let Err(error) = std::str::from_utf8(&bytes) {
        if error.error_len().is_some() {
            return None;
        }
        let end = error.valid_up_to();
        bytes.truncate(end);
    }
    String::from_utf8(bytes).ok()
}

/// The skills of a tree, by name, whoever reads them.
///
/// # Errors
/// The tree cannot be read, or has too many files.
pub(crate) fn skills(files: &dyn Files) -> io::Result<Vec<Skill>> {
    let all = files.list()?;
    let mut skills: Vec<Skill> = Vec::new();
    for folder in SKILL_FOLDERS {
        let of_folder = all.iter().filter_map(|path| {
            let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
            let name = rest.strip_suffix("/SKILL.md")?;
            (!name.contains('/')).then_some((path, name))
        });
        for (path, name) in of_folder {
            if skills.len() == SKILLS_MAX {
                return Ok(skills);
            }
            let bytes = files.read(path, HEAD_BYTES_MAX)?;
            let Some(head) = whole_letters(bytes).and_then(|text| skill::read(&text)) else {
                continue;
            };
            let name = head.name.unwrap_or_else(|| name.to_owned());
            if skills.iter().all(|known| known.name != name) {
                skills.push(Skill {
                    name,
                    description: head.description,
                    path: path.clone(),
                });
            }
        }
    }
    Ok(skills)
}

/// Those of the skills that an agent does not find by itself.
pub(crate) fn unread(skills: &[Skill], reads: &[String]) -> Vec<Skill> {
    let is_read = |skill: &&Skill| {
        let is_in = |folder: &String| {
            let rest = skill.path.strip_prefix(folder.as_str());
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        reads.iter().any(is_in)
    };
    skills
        .iter()
        .filter(|skill| !is_read(skill))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
