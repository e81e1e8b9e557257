//! An assessment as a run keeps it: its own words, which are told and not computed with.

use divisi_core::intent;

use super::facts::Facts;
use super::{Assessment, Fired};

/// So many languages are named.
const LANGUAGES_MAX: usize = 3;

impl Assessment {
    /// The same for a run that is created of it.
    #[must_use]
    pub fn kept(&self) -> intent::Assessed {
        let fired = |fired: &Fired| intent::Fired {
            rule: fired.rule.to_owned(),
            points: fired.points.word().to_owned(),
            because: fired.because.clone(),
        };
        intent::Assessed {
            approach: self.approach.word().to_owned(),
            executed_as: self.executed_as.word().to_owned(),
            certainty: self.certainty.word().to_owned(),
            reasons: self.reasons.clone(),
            rules: self.rules.iter().map(fired).collect(),
            facts: sentences(&self.facts),
            pattern_selection: self.pattern_selection.clone(),
        }
    }
}

fn counted(many: u64, what: &str) -> String {
    match many {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

fn sentences(facts: &Facts) -> Vec<String> {
    let mut said = vec![match facts.roles.as_slice() {
        [] => counted(facts.parts as u64, "part"),
        roles => format!(
            "{} for {}",
            counted(facts.parts as u64, "part"),
            roles.join(", ")
        ),
    }];
    if !facts.domains.is_empty() {
        let domains: Vec<&str> = facts.domains.iter().map(|it| it.word()).collect();
        said.push(format!("domains: {}", domains.join(", ")));
    }
    if let Some(files) = facts.files_named {
        // A long file may have a small change: it is told, and no rule reads it.
        let longest = match facts.repository.largest_named_bytes {
            0 => String::new(),
            bytes => format!(", the longest of {} KiB", bytes.div_ceil(1 << 10)),
        };
        said.push(format!("it names {}{longest}", counted(files, "file")));
    }
    if !facts.components.is_empty() {
        said.push(format!("it lists {}", facts.components.join(", ")));
    }
    if facts.is_sequence {
        said.push("parts wait for others".to_owned());
    }
    if let Some(minutes) = facts.minutes_stated {
        said.push(format!("it says {}", counted(minutes, "minute")));
    }
    if let Some(tokens) = facts.tokens_stated {
        said.push(format!("it says {}", counted(tokens, "token")));
    }
    if let Some(lines) = facts.lines_stated {
        said.push(format!("it says {}", counted(lines, "line")));
    }
    let repository = &facts.repository;
    if repository.files > 0 {
        let languages = repository.languages.iter().take(LANGUAGES_MAX);
        let languages: Vec<&str> = languages.map(|it| it.name.as_str()).collect();
        let files = counted(repository.files, "file");
        said.push(match languages.as_slice() {
            [] => format!("the repository has {files}"),
            languages => format!(
                "the repository has {files}, mostly {}",
                languages.join(", ")
            ),
        });
    }
    if let Some(files) = facts.similar_files {
        said.push(format!(
            "{} of its last {} are similar, and touched {}, half of them more or as many",
            repository.similar.len(),
            counted(repository.commits_seen, "change"),
            counted(files, "file")
        ));
    }
    said
}
