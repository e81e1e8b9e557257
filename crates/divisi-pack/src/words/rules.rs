//! The rules: what a sentence may say, in which phrases, and the checks that say the same.
//!
//! A rule is added where its checks say exactly what its words say: they pass where the words are
//! true and fail where they are false. Where people could mean less or more, there is no phrase.

use divisi_core::{Criterion, Format, Holds};

use super::context::Context;
use super::held::{
    bytes_of, find, format_of, matching, of_each, of_texts, pattern_of, places_of, said, searched,
    subject_of, texts_of,
};
use super::slot::{Place, Value};
use super::subject::{self, Subject};
use super::why::Why;
use crate::plan_file::{self, CHECK_TIMEOUT_MS};

/// One rule.
pub(super) struct Rule {
    /// Its name, as shown beside what was understood.
    pub(super) name: &'static str,
    /// What is checked, in one line.
    pub(super) checks: &'static str,
    /// How a sentence must read; see [`super::phrase`].
    pub(super) phrases: &'static [&'static str],
    /// A sentence that it understands.
    pub(super) example: &'static str,
    /// The checks, from what the slots hold.
    pub(super) build: fn(&[Value], &Context) -> Result<Vec<Criterion>, Why>,
}

/// All rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "exists",
        checks: "the file is there; an empty one will do, unless it is promised",
        phrases: &[
            "{files} (exists|exist|(must|shall|should) exist)",
            "{files} (is|are|(must|shall|should) be) (present|there)",
        ],
        example: "docs/api.md and docs/usage.md exist",
        build: |values, _| match subject_of(values)? {
            Subject::Each { .. } => Err(Why::Unfit(
                "a pattern names the files that are there; say how many must match it",
            )),
            Subject::Files { paths, promised } => {
                let min_bytes = u64::from(promised);
                Ok(of_each(&paths, &Holds::Size { min_bytes }))
            }
        },
    },
    Rule {
        name: "is not empty",
        checks: "the file is there and has at least one byte",
        phrases: &[
            "{files} (exists|exist) and (is|are) (not empty|non-empty)",
            "{files} (is|are|(must|shall|should) be) non-empty",
            // "All are not empty" may mean that some are.
            "{named files} (is|are) not empty",
            "{named files} (must|shall|should) not be empty",
        ],
        example: "CHANGELOG.md is not empty",
        build: |values, _| Ok(said(&subject_of(values)?, &Holds::Size { min_bytes: 1 })),
    },
    Rule {
        name: "has a size",
        checks: "the file is there and at least so large; 1 KB is 1024 bytes",
        phrases: &[
            "{files} [(exists|exist) and] (is|are|has|have) at least {size} [long|large|in size|each]",
            "{files} (must|shall|should) (be|have) at least {size} [long|large|in size|each]",
            "{files} [is|are] ≥ {size}",
        ],
        example: "docs/api.md is at least 1 KB",
        build: |values, _| {
            let min_bytes = bytes_of(values)?;
            Ok(said(&subject_of(values)?, &Holds::Size { min_bytes }))
        },
    },
    Rule {
        name: "is larger",
        checks: "the file is there and has more bytes than that",
        phrases: &[
            "{files} (is|are) (more|larger|bigger|greater) than {size} [long|in size|each]",
            "{files} (has|have) more than {size} [each]",
            "{files} (must|shall|should) be (more|larger|bigger|greater) than {size} [long|in size|each]",
            "{files} [is|are] > {size}",
        ],
        example: "docs/api.md is larger than 1 KB",
        build: |values, _| {
            let min_bytes = bytes_of(values)? + 1;
            Ok(said(&subject_of(values)?, &Holds::Size { min_bytes }))
        },
    },
    Rule {
        name: "each target has its file",
        checks: "the file that is promised for each target is there and not empty",
        phrases: &[
            "{every target} (has|have|(must|shall|should) have) {names} [file|files]",
            "{names} (exists|exist|is present|are present|(must|shall|should) exist) for {every target}",
            "there (is|are|(must|shall|should) be) {names} for {every target}",
        ],
        example: "All user stories have requirements.md",
        build: |values, context| {
            let found = values.iter().find_map(|value| match value {
                Value::Every(entity) => context.entities.get(*entity),
                _ => None,
            });
            let entity = found.ok_or(Why::NoRule)?;
            let names = find(values, |value| match value {
                Value::Names(names) => Some(names.clone()),
                _ => None,
            })?;
            let paths = subject::promised_for(entity, &names, context)?;
            Ok(of_each(&paths, &Holds::Size { min_bytes: 1 }))
        },
    },
    Rule {
        name: "has a section",
        checks: "the Markdown file has a heading of exactly this text with something beneath it",
        phrases: &[
            "{files} (has|have|contains|contain|includes|include|(must|shall|should) (have|contain|include)) (a|the) section [called|named|titled] {quoted}",
            "{files} (has|have|contains|contain|includes|include|(must|shall|should) (have|contain|include)) (a|the) {quoted} section",
            "{files} (has|have|contains|contain|includes|include|(must|shall|should) (have|contain|include)) [the] sections {quoted list}",
        ],
        example: "README.md contains a section \"Usage\"",
        build: |values, _| {
            let subject = subject_of(values)?;
            let is_markdown = |path: &String| subject::format_of(path) == Some(Format::Markdown);
            let markdown = match &subject {
                Subject::Files { paths, .. } => paths.iter().all(is_markdown),
                Subject::Each { pattern, .. } => is_markdown(pattern),
            };
            // With its marks, a heading's level would matter, which the check does not look at.
            let marked = texts_of(values)?.iter().any(|text| text.starts_with('#'));
            match markdown {
                true if marked => Err(Why::Unfit("a section is named without its `#`")),
                true => of_texts(&subject, values, |heading| Holds::Section { heading }),
                false => Err(Why::Unfit("sections are looked for in Markdown files only")),
            }
        },
    },
    Rule {
        name: "contains a text",
        checks: "the text stands in the file, to the letter",
        phrases: &[
            "{files} (contains|contain|includes|include|(must|shall|should) (contain|include)) [the (text|texts|string|strings|phrase|phrases)] {quoted list}",
        ],
        example: "docs/api.md contains \"GET /users\"",
        build: |values, _| {
            let subject = searched(values)?;
            of_texts(&subject, values, |text| Holds::Contains { text })
        },
    },
    Rule {
        name: "contains a word",
        checks: "the word stands in the file by itself, not only as a part of another one",
        phrases: &[
            "{files} (contains|contain|includes|include|(must|shall|should) (contain|include)) the word {quoted}",
        ],
        example: "docs/api.md contains the word \"deprecated\"",
        build: |values, _| {
            let [word] = &texts_of(values)?[..] else {
                return Err(Why::NoRule);
            };
            if !word.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(Why::Unfit(
                    "a word has only letters and digits; say \"the text\"",
                ));
            }
            matching(&searched(values)?, &format!(r"\b{word}\b"))
        },
    },
    Rule {
        name: "contains a line",
        checks: "the file has a line with exactly this text",
        phrases: &[
            "{files} (contains|contain|includes|include|has|have|(must|shall|should) (contain|include|have)) the line {quoted}",
        ],
        example: "Cargo.toml contains the line `edition = \"2024\"`",
        build: |values, _| {
            let [line] = &texts_of(values)?[..] else {
                return Err(Why::NoRule);
            };
            let line = regex::escape(line);
            matching(&searched(values)?, &format!(r"^{line}\r?$"))
        },
    },
    Rule {
        name: "contains a match",
        checks: "the regular expression matches somewhere; `^` and `$` are ends of lines",
        phrases: &[
            // Not "matches the pattern", which a file's name may do.
            "{files} (contains|contain|has|have|(must|shall|should) (contain|have)) a match (of|for) [the] (regex|regular expression) {quoted}",
        ],
        example: "VERSION.txt contains a match of the regular expression `^[0-9]+$`",
        build: |values, _| {
            let [pattern] = &texts_of(values)?[..] else {
                return Err(Why::NoRule);
            };
            if let Some(fault) = plan_file::expression_fault(pattern) {
                let path = pattern.clone();
                return Err(Why::Path { path, fault });
            }
            matching(&searched(values)?, pattern)
        },
    },
    Rule {
        name: "lacks a text",
        checks: "the file is there and the text is not in it",
        phrases: &[
            "{files} (contains|contain) no {markers}",
            "{files} (is|are) free of {markers}",
            "{named files} (does|do|must|shall|should) not contain [the (text|string|phrase)] {quoted}",
        ],
        example: "README.md does not contain \"lorem ipsum\"",
        build: |values, _| {
            let subject = searched(values)?;
            of_texts(&subject, values, |text| Holds::Lacks { text })
        },
    },
    Rule {
        name: "nothing remains",
        checks: "there is at least one such file, and the text stands in none of them",
        phrases: &[
            "no {markers} (remains|remain|is left|are left|is|are|left|remaining) (in|under) {places}",
            "there (is|are|(must|shall|should) be) no {markers} [left|remaining] (in|under) {places}",
            "no (file|files) (matching|that matches|that match) {pattern} (contains|contain) {markers}",
            "no (file|files) (in|under) {folders} (contains|contain) {markers}",
        ],
        example: "No TODO remains in src/**",
        build: |values, _| {
            let texts = texts_of(values)?;
            let places = match places_of(values) {
                Ok(places) => places,
                Err(_) => vec![Place::Pattern(pattern_of(values)?)],
            };
            let lacks = |place: &Place| {
                let lacks = |text: &String| {
                    let holds = Holds::Lacks { text: text.clone() };
                    match place.clone() {
                        Place::File(path) => holds.of(&path),
                        Place::Pattern(pattern) => Criterion::Each { pattern, holds },
                    }
                };
                texts.iter().map(lacks).collect::<Vec<Criterion>>()
            };
            Ok(places.iter().flat_map(lacks).collect())
        },
    },
    Rule {
        name: "has a format",
        checks: "the file parses; of patterns, at least one file matches and all parse",
        phrases: &[
            "{files} (is|are|(must|shall|should) be) (valid|well-formed) {format}",
            "{files} (parses|parse|(must|shall|should) parse) as [valid|well-formed] {format}",
            "{files} (parses|parse|(must|shall|should) parse)",
        ],
        example: "All JSON files parse",
        build: |values, _| {
            let subject = subject_of(values)?;
            let named = find(values, |value| match value {
                Value::Format(format) => Some(*format),
                _ => None,
            });
            let format = named.ok().or_else(|| format_of(&subject));
            let format = format.ok_or(Why::Unfit("as which format they parse is not said"))?;
            Ok(said(&subject, &Holds::Format { format }))
        },
    },
    Rule {
        name: "matches a schema",
        checks: "the JSON or YAML file satisfies the JSON Schema in the other file",
        phrases: &[
            "{files} (matches|match|satisfies|satisfy|conforms to|conform to|follows|follow) the [json] schema [in] {path}",
            "{files} (must|shall|should) (match|satisfy|conform to|follow) the [json] schema [in] {path}",
            "{files} (validates|validate|is valid|are valid|must validate) against [the] [json] [schema] [in] {path}",
        ],
        example: "config.json matches the schema schemas/config.json",
        build: |values, _| {
            let schema = find(values, |value| match value {
                Value::Path(path) => Some(path.clone()),
                _ => None,
            })?;
            let Subject::Files { paths, .. } = subject_of(values)? else {
                return Err(Why::Unfit("a schema is checked on files that are named"));
            };
            let has_values = |path: &String| {
                matches!(subject::format_of(path), Some(Format::Json | Format::Yaml))
            };
            if !paths.iter().chain([&schema]).all(has_values) {
                return Err(Why::Unfit("a JSON Schema is one of JSON and YAML files"));
            }
            let schema_of = |path: String| Criterion::Schema {
                schema: schema.clone(),
                path,
            };
            Ok(paths.into_iter().map(schema_of).collect())
        },
    },
    Rule {
        name: "stays in scope",
        checks: "nothing outside these places was changed",
        phrases: &[
            "only [files] (in|under|inside|within) {folders} (is|are|was|were|may be) (changed|modified|touched)",
            "only {places} (is|are|was|were|may be) (changed|modified|touched)",
            "changes are (limited|restricted|confined) to {places}",
            "(nothing|no file|no files) outside [of] {places} [is|are|was|were|may be] (changed|modified|touched)",
        ],
        example: "Only files under src/ are changed",
        build: |values, _| {
            let pattern = |place: Place| match place {
                Place::File(path) => globset::escape(&path),
                Place::Pattern(pattern) => pattern,
            };
            let patterns = places_of(values)?.into_iter().map(pattern).collect();
            Ok(vec![Criterion::Scope { patterns }])
        },
    },
    Rule {
        name: "so many files match",
        checks: "so many files match the pattern",
        phrases: &[
            "{how many} (file|files) (matches|match|(must|shall|should) match) {pattern}",
            "there (is|are|(must|shall|should) be) {how many} (file|files) (matching|that match|that matches) {pattern}",
            "there (is|are|(must|shall|should) be) {how many} {pattern} (file|files)",
        ],
        example: "At least five files match reviews/*-review.md",
        build: |values, _| {
            let pattern = pattern_of(values)?;
            let count = |value: &Value| match value {
                Value::Amount { min, max } => Some((*min, *max)),
                _ => None,
            };
            let (min, max) = find(values, count)?;
            if (min, max) == (0, None) {
                return Err(Why::Unfit("any number of files would do"));
            }
            Ok(vec![Criterion::Count { pattern, min, max }])
        },
    },
    Rule {
        name: "does not exist",
        checks: "no file is there, and none beneath it",
        phrases: &[
            "{named files} (does|do) not exist",
            "{named files} (must|shall|should) not exist",
            "{named files} no longer (exists|exist)",
        ],
        example: "src/legacy.rs no longer exists",
        build: |values, _| {
            let Subject::Files { paths, .. } = subject_of(values)? else {
                return Err(Why::NoRule);
            };
            let none = |pattern: String| Criterion::Count {
                pattern,
                min: 0,
                max: Some(0),
            };
            let both = |path: &String| {
                let path = globset::escape(path);
                [none(format!("{path}/**")), none(path)]
            };
            Ok(paths.iter().flat_map(both).collect())
        },
    },
    Rule {
        name: "a command succeeds",
        checks: "the command ends with 0 in a clean checkout, within ten minutes unless told",
        phrases: &[
            "{commands} (passes|pass|succeeds|succeed|(must|shall|should) (pass|succeed)) [within {duration}]",
            "{commands} (runs|run|completes|complete) successfully [within {duration}]",
            "{commands} (exits|exit|returns|return|(must|shall|should) (exit|return)) [with] [code|status|exit code|exit status] {zero} [within {duration}]",
            "the command {command} (passes|succeeds|runs successfully|(must|shall|should) (pass|succeed)|exits with [code|status] {zero}) [within {duration}]",
            "run [:] {command}",
        ],
        example: "`cargo test` passes",
        build: |values, _| {
            let commands = find(values, |value| match value {
                Value::Commands(commands) => Some(commands.clone()),
                _ => None,
            })?;
            let told = find(values, |value| match value {
                Value::Duration(ms) => Some(*ms),
                _ => None,
            });
            let timeout_ms = told.unwrap_or(CHECK_TIMEOUT_MS);
            let command = |argv| Criterion::Command { argv, timeout_ms };
            Ok(commands.into_iter().map(command).collect())
        },
    },
    Rule {
        name: "a criterion in JSON",
        checks: "what the criterion says, in the form that plan files have",
        phrases: &["{json}"],
        example: "`{\"count\": \"*.tmp\", \"max\": 0}`",
        build: |values, _| {
            let json = find(values, |value| match value {
                Value::Json(json) => Some(json.clone()),
                _ => None,
            })?;
            let criterion = plan_file::criterion_of(&json).map_err(Why::Json)?;
            Ok(vec![criterion])
        },
    },
];
