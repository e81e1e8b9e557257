//! JSON Schema: a file satisfies a schema that stands in another file of the same tree.
//!
//! Both may be hostile. A schema is a small program: references can loop for ever, or double the
//! work with every step. So before the validator sees either, [`Walk`] follows the schema along
//! the instance, doing no more than counting, and refuses pairs that would take too many steps.
//! Only references within the schema are followed; nothing is ever fetched. Patterns run on a
//! linear engine with a small limit, so look-around is not available in them.

use serde_json::Value;

use super::evaluate::{CheckError, Checked, Stop, fails};
use super::evidence::{short, shown};
use super::format::{PARSED_BYTES_MAX, value};
use crate::files::Files;

/// A schema is written by hand or generated from types; this is ten times a large one.
pub const SCHEMA_BYTES_MAX: u64 = 256 << 10;

/// References in one schema; their chains are followed recursively.
pub const SCHEMA_REFERENCES_MAX: usize = 1_000;

/// Applications of a sub-schema to a value. Bounds time and the number of faults held.
pub const SCHEMA_STEPS_MAX: u32 = 200_000;

/// What each pattern of a schema may compile to.
const PATTERN_PROGRAM_BYTES_MAX: usize = 256 << 10;

/// How deep sub-schemas may be applied within each other.
const DEPTH_MAX: u32 = 500;

/// Faults listed as evidence.
const FAULTS_MAX: usize = 10;

/// The validator recurses along schema and instance; unused stack costs nothing.
const STACK_BYTES: usize = 128 << 20;

pub(super) fn check(files: &dyn Files, path: &str, schema_path: &str) -> Checked {
    let schema = value(files, schema_path, SCHEMA_BYTES_MAX)?;
    let instance = value(files, path, PARSED_BYTES_MAX)?;
    let work = move || found(&schema, &instance);
    let spawned = std::thread::Builder::new()
        .name("schema".into())
        .stack_size(STACK_BYTES)
        .spawn(work);
    let thread = spawned.map_err(|source| Stop::Error(CheckError::Thread { source }))?;
    let found = thread
        .join()
        .unwrap_or_else(|_| Err("the validator gave up on it".into()));
    let (path, schema_path) = (short(path, 200), short(schema_path, 200));
    match found {
        Ok(faults) if faults.is_empty() => Ok(()),
        Ok(faults) => fails(format!(
            "{path} does not satisfy {schema_path}: {}",
            faults.join("; ")
        )),
        Err(fault) => fails(format!(
            "{schema_path} cannot be applied to {path}: {fault}"
        )),
    }
}

/// The first faults of the instance, or why the schema cannot be applied to it.
fn found(schema: &Value, instance: &Value) -> Result<Vec<String>, String> {
    let references = references(schema)?;
    if references > SCHEMA_REFERENCES_MAX {
        return Err(format!(
            "it has {references} references, at most {SCHEMA_REFERENCES_MAX} are followed"
        ));
    }
    Walk {
        root: schema,
        steps: 0,
    }
    .apply(schema, instance, 0)?;
    let validator = jsonschema::options()
        .offline()
        .with_pattern_options(
            jsonschema::PatternOptions::regex().size_limit(PATTERN_PROGRAM_BYTES_MAX),
        )
        .build(schema)
        .map_err(|fault| shown(&fault, 500))?;
    let mut faults = validator.iter_errors(instance);
    let mut listed: Vec<String> = Vec::new();
    for fault in faults.by_ref().take(FAULTS_MAX) {
        let at = match fault.instance_path().as_str() {
            "" => "at the root".to_owned(),
            pointer => format!("at {}", short(pointer, 200)),
        };
        listed.push(format!("{at}: {}", shown(&fault, 250)));
    }
    let more = faults.count();
    if more > 0 {
        listed.push(format!("and {more} more"));
    }
    Ok(listed)
}

/// Counts references, and refuses those that lead out of the schema or are resolved by rules
/// that [`Walk`] does not follow.
fn references(schema: &Value) -> Result<usize, String> {
    match schema {
        Value::Object(members) => {
            let mut count = 0;
            for (key, member) in members {
                count += match (key.as_str(), member) {
                    ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(to)) => {
                        let within = to == "#" || to.starts_with("#/");
                        if key != "$ref" || !within {
                            return Err(format!(
                                "the reference {key} to {} is not followed; only a $ref to \
                                 \"#/…\" in the same file is",
                                short(to, 200)
                            ));
                        }
                        1
                    }
                    _ => references(member)?,
                };
            }
            Ok(count)
        }
        Value::Array(items) => items.iter().map(references).sum(),
        _ => Ok(0),
    }
}

/// Counts what applying a schema to an instance costs, by doing just that without looking at the
/// assertions. Where the validator may skip a sub-schema, this counts it.
struct Walk<'s> {
    root: &'s Value,
    steps: u32,
}

impl<'s> Walk<'s> {
    fn apply(&mut self, schema: &'s Value, instance: &Value, depth: u32) -> Result<(), String> {
        self.steps += 1;
        if self.steps > SCHEMA_STEPS_MAX {
            return Err(format!("it would take more than {SCHEMA_STEPS_MAX} steps"));
        }
        if depth > DEPTH_MAX {
            return Err(format!(
                "its references lead more than {DEPTH_MAX} levels deep"
            ));
        }
        let Value::Object(members) = schema else {
            return Ok(());
        };
        for (key, member) in members {
            self.keyword(key, member, instance, depth + 1)?;
        }
        Ok(())
    }

    fn keyword(
        &mut self,
        key: &str,
        member: &'s Value,
        instance: &Value,
        depth: u32,
    ) -> Result<(), String> {
        match (key, member) {
            ("$ref", Value::String(to)) => match self.root.pointer(&to[1..]) {
                Some(target) => self.apply(target, instance, depth),
                // The validator names what is missing, or has decoded the pointer otherwise.
                None => Err(format!("nothing stands at {}", short(to, 200))),
            },
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts
                .iter()
                .try_for_each(|part| self.apply(part, instance, depth)),
            ("not" | "if" | "then" | "else", part) => self.apply(part, instance, depth),
            ("dependentSchemas" | "dependencies", Value::Object(parts)) => parts
                .values()
                .try_for_each(|part| self.apply(part, instance, depth)),
            ("properties", Value::Object(parts)) => match instance {
                Value::Object(values) => parts
                    .iter()
                    .filter_map(|(name, part)| values.get(name).map(|value| (part, value)))
                    .try_for_each(|(part, value)| self.apply(part, value, depth)),
                _ => Ok(()),
            },
            ("patternProperties", Value::Object(parts)) => parts
                .values()
                .try_for_each(|part| self.children(part, instance, depth)),
            ("prefixItems" | "items", Value::Array(parts)) => match instance {
                Value::Array(values) => parts
                    .iter()
                    .zip(values)
                    .try_for_each(|(part, value)| self.apply(part, value, depth)),
                _ => Ok(()),
            },
            (
                "items"
                | "additionalItems"
                | "contains"
                | "additionalProperties"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                part,
            ) => self.children(part, instance, depth),
            ("propertyNames", part) => match instance {
                Value::Object(values) => values
                    .keys()
                    .try_for_each(|_| self.apply(part, &Value::Null, depth)),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn children(&mut self, part: &'s Value, instance: &Value, depth: u32) -> Result<(), String> {
        match instance {
            Value::Object(values) => values
                .values()
                .try_for_each(|value| self.apply(part, value, depth)),
            Value::Array(values) => values
                .iter()
                .try_for_each(|value| self.apply(part, value, depth)),
            _ => Ok(()),
        }
    }
}
