//! The form of the tables.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A small file tree: texts by path.
pub(crate) type Tree = BTreeMap<String, String>;

/// A sentence, and what must become of it: a rule with its checks, or why it is unverified.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) text: String,
    /// Where it stands: document and part.
    pub(crate) source: Option<String>,
    /// What it may speak of; see `contexts`.
    pub(crate) context: Option<String>,
    pub(crate) rule: Option<String>,
    /// The checks, in words.
    #[serde(default)]
    pub(crate) checks: Vec<String>,
    /// Trees on which it is true.
    #[serde(default)]
    pub(crate) holds: Vec<Tree>,
    /// Trees on which it is false.
    #[serde(default)]
    pub(crate) fails: Vec<Tree>,
    /// The kind of reason.
    pub(crate) why: Option<String>,
    /// The reason in words, for readers.
    pub(crate) note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    criterion: Vec<Row>,
}

pub(crate) fn rows(text: &str) -> Vec<Row> {
    let table: Table = toml::from_str(text).unwrap();
    table.criterion
}
