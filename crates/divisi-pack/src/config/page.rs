//! What is made of the table: the JSON Schema, the reference page, and the example file.

use divisi_core::ledger::Measure;
use divisi_core::run::{AGENT_AUTO, AGENT_MODEL, AGENT_PERSON, AGENTS, AGENTS_INSTALLABLE};
use schemars::SchemaGenerator;
use serde_json::{Map, Value as Json, json};

use super::defined;
use super::read::decimal;
use super::rules;
use super::table::SECTIONS;
use super::{Config, Consent, ENTRIES_MAX, Kind, LIST_MAX, SETTINGS, Section, Setting, Value};
use crate::budget;
use crate::plan_file::form::{CriterionForm, SetupForm};
use crate::role::form::{TextForm, TextsForm};

/// A comment of the example file is broken at this width.
const COMMENT_WIDTH: usize = 96;

fn settings_of(section: &Section) -> Vec<&'static Setting> {
    let settings = SETTINGS.iter();
    settings.filter(|it| it.split().0 == section.key).collect()
}

/// A setting's default, as a file says it; `None` if there is none.
fn default_of(setting: &Setting) -> Option<Json> {
    let values = (setting.get)(&Config::default());
    match values.first() {
        Some((Some(_), _)) => {
            let named = |(name, value): &(Option<String>, Value)| {
                Some((name.clone()?, value.json(setting.kind)))
            };
            let entries: Map<String, Json> = values.iter().filter_map(named).collect();
            Some(Json::Object(entries))
        }
        Some((None, value)) => Some(value.json(setting.kind)),
        None => setting.kind.is_map().then(|| json!({})),
    }
}

/// The JSON Schema of files of configuration.
#[must_use]
pub fn schema() -> Json {
    let mut generator = SchemaGenerator::default();
    let mut properties = Map::new();
    for section in SECTIONS {
        let mut leaves = Map::new();
        for setting in settings_of(section) {
            let mut schema = schema_of(setting, &mut generator);
            schema["description"] = json!(setting.says);
            if let Some(default) = default_of(setting) {
                schema["default"] = default;
            }
            match setting.split().1 {
                Some(leaf) => _ = leaves.insert(leaf.to_owned(), schema),
                None => _ = properties.insert(section.key.to_owned(), schema),
            }
        }
        if !leaves.is_empty() {
            let object = json!({
                "type": ["object", "null"],
                "description": section.says,
                "properties": leaves,
                "additionalProperties": false,
            });
            properties.insert(section.key.to_owned(), object);
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Divisi configuration",
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false,
        "$defs": generator.take_definitions(true),
    })
}

fn schema_of(setting: &Setting, generator: &mut SchemaGenerator) -> Json {
    let strings = |items: Json| {
        let list = json!({"type": "array", "maxItems": LIST_MAX, "items": items});
        json!({"anyOf": [list, items, {"type": "null"}]})
    };
    let named = json!({"type": "string", "pattern": defined::name_pattern()});
    let preferred = |more: &[&'static str]| {
        let names = AGENTS_INSTALLABLE
            .iter()
            .chain([&AGENT_MODEL, &AGENT_PERSON])
            .chain(more);
        strings(json!({"anyOf": [{"enum": names.collect::<Vec<_>>()}, named]}))
    };
    let number = |least: u64, most: u64, each: u64| {
        json!({
            "type": ["number", "null"],
            "minimum": least as f64 / each as f64,
            "maximum": most,
        })
    };
    let line = json!({"type": "string", "minLength": 1});
    let agents = AGENTS.iter().chain([&AGENT_AUTO]);
    let agents = json!({"enum": agents.collect::<Vec<_>>()});
    match setting.kind {
        Kind::Integer { least, most } => {
            json!({"type": ["integer", "null"], "minimum": least, "maximum": most})
        }
        Kind::Minutes { least_ms, most } => number(least_ms, most, 60_000),
        Kind::Seconds { most } => number(0, most, 1_000),
        Kind::Flag => json!({"type": ["boolean", "null"]}),
        Kind::Word(words) => {
            let words = words.iter().map(|word| json!(word)).chain([Json::Null]);
            json!({"enum": words.collect::<Vec<Json>>()})
        }
        Kind::Agent => json!({"anyOf": [agents, named, {"type": "null"}]}),
        Kind::Preferred => preferred(&[]),
        Kind::Judges => preferred(&[AGENT_AUTO]),
        Kind::Text => or_null(generator.subschema_for::<TextForm>().to_value()),
        Kind::Texts => or_null(generator.subschema_for::<TextsForm>().to_value()),
        Kind::Variables => {
            strings(json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}))
        }
        Kind::Paths | Kind::Patterns => strings(line),
        Kind::Counts { most } => json!({
            "type": ["object", "null"],
            "maxProperties": ENTRIES_MAX,
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": most},
        }),
        Kind::Agents => json!({
            "type": ["object", "null"],
            "maxProperties": ENTRIES_MAX,
            "additionalProperties": {"anyOf": [agents, named]},
        }),
        Kind::Model => or_null(defined::model_schema()),
        Kind::Defined => {
            let mut schema = defined::schema();
            schema["maxProperties"] = json!(ENTRIES_MAX);
            schema
        }
        Kind::PreferredByRole => json!({
            "type": ["object", "null"],
            "maxProperties": ENTRIES_MAX,
            "additionalProperties": preferred(&[]),
        }),
        Kind::Substitutes => json!({
            "type": ["object", "null"],
            "propertyNames": {"anyOf": [{"enum": AGENTS_INSTALLABLE}, named]},
            "additionalProperties": {"anyOf": [{"enum": AGENTS_INSTALLABLE}, named]},
        }),
        Kind::MinutesByAgent { least_ms, most } => json!({
            "type": ["object", "null"],
            "propertyNames": {"anyOf": [{"enum": AGENTS}, named]},
            "additionalProperties": {
                "type": "number",
                "minimum": least_ms as f64 / 60_000.0,
                "maximum": most,
            },
        }),
        Kind::Hours => json!({
            "type": ["string", "null"],
            "pattern": "^ *[0-9]{1,2}:[0-9]{1,2} *- *[0-9]{1,2}:[0-9]{1,2} *$",
        }),
        Kind::Budget(measures) => {
            let named = |it: &Measure| (budget::key(*it).to_owned(), budget::schema(*it));
            let properties: Map<String, Json> = measures.iter().map(named).collect();
            json!({
                "type": ["object", "null"],
                "properties": properties,
                "additionalProperties": false,
            })
        }
        Kind::Prices => {
            let dollars = json!({"type": "number", "minimum": 0, "maximum": 1_000_000});
            let properties = json!({"input": dollars, "output": dollars, "cached": dollars});
            json!({
                "type": ["object", "null"],
                "maxProperties": ENTRIES_MAX,
                "additionalProperties": {
                    "type": "object",
                    "properties": properties,
                    "required": ["input", "output"],
                    "additionalProperties": false,
                },
            })
        }
        Kind::Setups => list_of(generator.subschema_for::<SetupForm>().to_value()),
        Kind::Checks => list_of(generator.subschema_for::<CriterionForm>().to_value()),
        Kind::Rules => list_of(rule_schema()),
    }
}

/// The schema of one rule.
fn rule_schema() -> Json {
    let words = |words: Vec<&str>| json!({"enum": words});
    let line = |says: &str| json!({"type": "string", "minLength": 1, "description": says});
    let deeds = rules::DEEDS.iter().map(|(word, _)| *word).collect();
    let rulings = rules::RULINGS.iter().map(|(word, _)| *word).collect();
    let properties = json!({
        "role": line("The role of the task: `domain/function`, or either alone."),
        "deed": words(deeds),
        "path": line("A pattern of paths beneath the workspace, or of absolute ones."),
        "command": line("What the command line begins with, or the title where there is none."),
        "then": words(rulings),
    });
    json!({
        "type": "object",
        "properties": properties,
        "required": ["then"],
        "additionalProperties": false,
    })
}

fn or_null(schema: Json) -> Json {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn list_of(items: Json) -> Json {
    json!({"type": ["array", "null"], "maxItems": LIST_MAX, "items": items})
}

/// What values a setting takes, in words.
fn takes(kind: Kind) -> String {
    let number = |least: u64, most: u64, each: u64| {
        format!("a number from {} to {most}", decimal(least, each))
    };
    match kind {
        Kind::Integer { least, most } if most > 1 << 40 => format!("a whole number from {least}"),
        Kind::Integer { least, most } => format!("a whole number from {least} to {most}"),
        Kind::Minutes { least_ms, most } => number(least_ms, most, 60_000),
        Kind::Seconds { most } => number(0, most, 1_000),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(" or ")
        }
        Kind::Agent => "an agent, or `auto`".to_owned(),
        Kind::Preferred => "coding agents, and `person`".to_owned(),
        Kind::Judges => "coding agents, `auto`, and `person`".to_owned(),
        Kind::Text => "a text".to_owned(),
        Kind::Texts => "texts".to_owned(),
        Kind::Variables => "names of variables".to_owned(),
        Kind::Paths => "paths".to_owned(),
        Kind::Patterns => "patterns".to_owned(),
        Kind::Counts { .. } => "whole numbers by name".to_owned(),
        Kind::Agents => "agents by role, or `auto`".to_owned(),
        Kind::Budget(measures) => {
            let names = measures.iter().map(|it| format!("`{}`", budget::key(*it)));
            format!("numbers by {}", names.collect::<Vec<_>>().join(", "))
        }
        Kind::Prices => "`input`, `output`, `cached` by model or agent".to_owned(),
        Kind::Model => "a `provider` and a `model`, perhaps a `url` and a `key`".to_owned(),
        Kind::Defined => "agents by name".to_owned(),
        Kind::PreferredByRole => "coding agents by role, and `person`".to_owned(),
        Kind::Substitutes => "coding agents by coding agent".to_owned(),
        Kind::MinutesByAgent { .. } => "numbers by agent".to_owned(),
        Kind::Hours => "hours of the day".to_owned(),
        Kind::Setups => "scripts and lists of arguments".to_owned(),
        Kind::Checks => "criteria, as in a plan".to_owned(),
        Kind::Rules => "rules, the first that fits counts".to_owned(),
    }
}

/// The reference page of all settings, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         <!-- Made from the table of settings in divisi-pack; a test holds the two together. -->\n\n\
         The guide [how to configure Divisi](../guide/configuration.md) says where they are \
         written and which counts. `divisi config show --origin` prints those in force, and \
         `divisi schema config` the schema for your editor. Those marked * execute something, \
         let agents do more or bound what they use: where a repository's own file says them, \
         somebody has to consent.\n",
    );
    for section in SECTIONS {
        page.push_str(&format!("\n## `{}`\n\n{}\n\n", section.key, section.says));
        page.push_str("| setting | takes | default | flag of `run` | |\n|---|---|---|---|---|\n");
        for setting in settings_of(section) {
            let mark = match setting.consent {
                Consent::Needed => " *",
                Consent::Unneeded => "",
            };
            let default = match default_of(setting) {
                Some(default) => format!("`{default}`"),
                None => "none".to_owned(),
            };
            let flag = setting
                .flag
                .map_or(String::new(), |flag| format!("`{flag}`"));
            page.push_str(&format!(
                "| `{}`{mark} | {} | {default} | {flag} | {} |\n",
                setting.key,
                takes(setting.kind),
                setting.says,
            ));
        }
    }
    page.push_str(
        "\n## Variables\n\n\
         Each setting has a variable of the environment: `DIVISI_`, then its name in capitals with \
         `_` for the dot. Lists and maps are written as in YAML, on one line.\n\n\
         ```console\n\
         $ DIVISI_RUN_WORKERS=2 DIVISI_GRANTS_PASS_ENV='[CARGO_HOME, LANG]' divisi run plan.json\n\
         ```\n",
    );
    page
}

/// A file of configuration in which nothing is said yet: every setting with its words, and its
/// default as a comment.
#[must_use]
pub fn example() -> String {
    let mut text = String::from(
        "# Configuration of Divisi. What stands here counts for this project, for everybody.\n\
         # Flags and variables (DIVISI_RUN_WORKERS=2) count more, your own ~/.config/divisi less.\n\
         # The values in comments are the defaults. `divisi config show --origin` prints those in\n\
         # force and where each comes from.\n",
    );
    for section in SECTIONS {
        text.push('\n');
        let settings = settings_of(section);
        let alone = settings.iter().all(|it| it.split().1.is_none());
        comment(&mut text, "", section.says);
        if !alone {
            text.push_str(&format!("{}:\n", section.key));
        }
        for setting in settings {
            let indent = if alone { "" } else { "  " };
            let key = setting.split().1.unwrap_or(setting.key);
            comment(&mut text, indent, setting.says);
            let default = default_of(setting).unwrap_or(Json::Null);
            text.push_str(&format!("{indent}# {key}: {default}\n"));
        }
    }
    text
}

fn comment(text: &mut String, indent: &str, says: &str) {
    let mut line = format!("{indent}#");
    for word in says.split_whitespace() {
        if line.len() + 1 + word.len() > COMMENT_WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = format!("{indent}#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

impl Value {
    /// The value on one line, as a file of configuration may say it.
    #[must_use]
    pub fn shown(&self, kind: Kind) -> String {
        self.json(kind).to_string()
    }
}
