//! Layering: which crate may import which, as the table in `ARCHITECTURE.md` says.
//!
//! The table is parsed, not repeated here, so that the document cannot drift from what is enforced.
//! Only what ships counts: `[dependencies]`, `[build-dependencies]` and their `[target]` forms.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::Source;
use super::tree::Tree;

const RULE: &str = "layering";
const DOCUMENT: &str = "ARCHITECTURE.md";

/// What the core may depend on from outside: to give its types a stored form, no more.
const CORE_DEPENDENCIES: &[&str] = &["serde", "serde_json"];

/// What the core must not name: everything that waits, looks outside, or differs between two
/// replays of one journal.
const CORE_ABSENCES: &[&str] = &[
    "rand",
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
];

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    line: usize,
    may_import: BTreeSet<String>,
}

/// Every crate imports only what its row permits, and every crate has a row.
pub(crate) fn imports(tree: &Tree, _: &[Source]) -> Vec<Finding> {
    let fault = |path: &str, line, text| Finding::fault(RULE, path, line, text);
    let rows = match table(tree.text(DOCUMENT).unwrap_or_default()) {
        Ok(rows) => rows,
        Err((line, text)) => return vec![fault(DOCUMENT, line, text)],
    };
    let mut findings = Vec::new();
    let mut manifests = BTreeMap::new();
    for (path, text) in tree.under("", "/Cargo.toml") {
        match manifest(text) {
            Ok((name, dependencies)) => _ = manifests.insert(name, (path, dependencies)),
            Err(text) => findings.push(fault(path, 1, text)),
        }
    }
    for row in &rows {
        let Some((path, dependencies)) = manifests.get(&row.name) else {
            let text = format!("the table names `{}`, which is no crate", row.name);
            findings.push(fault(DOCUMENT, row.line, text));
            continue;
        };
        for dependency in dependencies {
            if manifests.contains_key(dependency) && !row.may_import.contains(dependency) {
                let text = format!(
                    "`{}` must not import `{dependency}`; the table of {DOCUMENT} permits {:?}",
                    row.name, row.may_import
                );
                findings.push(fault(path, 1, text));
            }
        }
    }
    for (name, (path, _)) in &manifests {
        if !rows.iter().any(|row| row.name == *name) {
            let text = format!("`{name}` has no row in the crate table of {DOCUMENT}");
            findings.push(fault(path, 1, text));
        }
    }
    findings
}

/// The core depends on next to nothing, and names nothing that would make it impure.
pub(crate) fn core(tree: &Tree, sources: &[Source]) -> Vec<Finding> {
    const RULE: &str = "core";
    let mut findings = Vec::new();
    let path = "crates/divisi-core/Cargo.toml";
    if let Some(Ok((_, dependencies))) = tree.text(path).map(manifest) {
        for dependency in dependencies {
            if !CORE_DEPENDENCIES.contains(&dependency.as_str()) {
                let text = format!(
                    "the core must not depend on `{dependency}`, only on {CORE_DEPENDENCIES:?}"
                );
                findings.push(Finding::fault(RULE, path, 1, text));
            }
        }
    }
    let of_core = |source: &&Source| source.path.starts_with("crates/divisi-core/src/");
    for source in sources.iter().filter(of_core) {
        for (named, line) in source.paths() {
            let named = named.replacen("core::", "std::", usize::from(named.starts_with("core::")));
            let is_beneath = |absent: &&&str| {
                named.strip_prefix(**absent).is_some_and(|rest| {
                    rest.starts_with("::") || (rest.is_empty() && absent.contains("::"))
                })
            };
            if let Some(absent) = CORE_ABSENCES.iter().find(is_beneath) {
                let text = format!(
                    "the core must not name `{absent}`: time, ids and facts arrive in commands"
                );
                findings.push(Finding::fault(RULE, &source.path, line, text));
            }
        }
    }
    findings
}

/// Parses the table between `<!-- crates -->` and `<!-- /crates -->`.
fn table(document: &str) -> Result<Vec<Row>, (usize, String)> {
    let mut lines = document.lines().zip(1..);
    if !lines.any(|(text, _)| text.trim() == "<!-- crates -->") {
        return Err((1, "the marker `<!-- crates -->` is missing".into()));
    }
    let mut cells = Vec::new();
    for (text, line) in lines.take_while(|(text, _)| text.trim() != "<!-- /crates -->") {
        let row: Vec<&str> = text.trim().split('|').map(str::trim).collect();
        if let ["", name, _, imports, ""] = row[..]
            && name.starts_with('`')
        {
            let short = name.trim_end_matches("(dev)").trim();
            cells.push((
                short.trim_matches('`'),
                name.ends_with("(dev)"),
                imports,
                line,
            ));
        }
    }
    let shipped = || cells.iter().filter(|(_, is_dev, ..)| !is_dev);
    let mut rows = Vec::new();
    for &(name, _, imports, line) in &cells {
        let mut may_import = BTreeSet::new();
        let first = imports.split(';').next().unwrap_or_default().trim();
        for word in first.split(',').map(str::trim) {
            let full = format!("divisi-{word}");
            match word {
                "nothing of ours" => {}
                "all" => may_import.extend(shipped().map(|(name, ..)| (*name).to_owned())),
                _ if cells.iter().any(|(name, ..)| *name == full) => _ = may_import.insert(full),
                _ => return Err((line, format!("`{word}` is no crate of the table"))),
            }
        }
        rows.push(Row {
            name: name.to_owned(),
            line,
            may_import,
        });
    }
    Ok(rows)
}

/// A package's name and everything that it imports when it is built to ship.
fn manifest(text: &str) -> Result<(String, BTreeSet<String>), String> {
    let manifest: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name")?.as_str())
        .ok_or("the manifest has no package.name")?;
    let mut dependencies = BTreeSet::new();
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let sections = targets
        .into_iter()
        .flat_map(|t| t.values().filter_map(toml::Value::as_table));
    for section in sections.chain([&manifest]) {
        for key in ["dependencies", "build-dependencies"] {
            for (alias, value) in section
                .get(key)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten()
            {
                let renamed = value.get("package").and_then(toml::Value::as_str);
                dependencies.insert(renamed.unwrap_or(alias).to_owned());
            }
        }
    }
    Ok((name.to_owned(), dependencies))
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    const TABLE: &str = "# A\n<!-- crates -->\n| crate | one line | may import |\n|---|---|---|\n\
        | `divisi-core` | decides | nothing of ours; no fs |\n\
        | `divisi-pack` | reads | core |\n\
        | `divisi` | wires | all |\n\
        | `divisi-sim` (dev) | plays | core |\n<!-- /crates -->\n";

    fn package(name: &str, dependencies: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{dependencies}")
    }

    fn layers(core: &str, pack: &str, binary: &str) -> Vec<String> {
        found(
            imports,
            &[
                ("ARCHITECTURE.md", TABLE),
                (
                    "crates/divisi-core/Cargo.toml",
                    &package("divisi-core", core),
                ),
                (
                    "crates/divisi-pack/Cargo.toml",
                    &package("divisi-pack", pack),
                ),
                ("crates/divisi-sim/Cargo.toml", &package("divisi-sim", "")),
                ("crates/divisi/Cargo.toml", &package("divisi", binary)),
            ],
        )
    }

    #[test]
    fn permitted_imports_are_no_fault() {
        let all = "[dependencies]\ndivisi-core = {}\ndivisi-pack = {}\nserde = \"1\"\n[dev-dependencies]\ndivisi-sim = {}\n";
        assert!(layers("", "[dependencies]\ndivisi-core.workspace = true\n", all).is_empty());
    }

    #[test]
    fn an_import_against_the_table_is_a_fault() {
        let upward = layers("[dependencies]\ndivisi-pack = {}\n", "", "");
        assert_eq!(
            upward,
            [
                "crates/divisi-core/Cargo.toml:1: fault[layering]: `divisi-core` must not import \
              `divisi-pack`; the table of ARCHITECTURE.md permits {}"
            ]
        );
        let dev = layers("", "", "[dependencies]\ndivisi-sim = {}\n");
        assert_eq!(dev.len(), 1, "{dev:?}");
        let by_target = layers(
            "[target.'cfg(unix)'.dependencies]\ndivisi-pack = {}\n",
            "",
            "",
        );
        assert_eq!(by_target, upward);
        let renamed = layers(
            "[build-dependencies]\np = { package = \"divisi-pack\" }\n",
            "",
            "",
        );
        assert_eq!(renamed, upward);
    }

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_faults() {
        let files = [
            (
                "ARCHITECTURE.md",
                "<!-- crates -->\n| `divisi-core` | a | nothing of ours |\n<!-- /crates -->\n",
            ),
            (
                "crates/new/Cargo.toml",
                "[package]\nname = \"divisi-new\"\n",
            ),
        ];
        assert_eq!(
            found(imports, &files),
            [
                "ARCHITECTURE.md:2: fault[layering]: the table names `divisi-core`, which is no crate",
                "crates/new/Cargo.toml:1: fault[layering]: `divisi-new` has no row in the crate table of ARCHITECTURE.md",
            ]
        );
    }

    #[test]
    fn a_table_that_cannot_be_read_is_a_fault() {
        assert_eq!(
            found(imports, &[("ARCHITECTURE.md", "no table\n")]),
            ["ARCHITECTURE.md:1: fault[layering]: the marker `<!-- crates -->` is missing"]
        );
        let typo = "<!-- crates -->\n| `divisi-core` | a | cor |\n<!-- /crates -->\n";
        assert_eq!(
            found(imports, &[("ARCHITECTURE.md", typo)]),
            ["ARCHITECTURE.md:2: fault[layering]: `cor` is no crate of the table"]
        );
    }

    #[test]
    fn the_core_names_no_clock_file_or_thread() {
        for (code, absent) in [
            ("use std::fs;", "std::fs"),
            ("use std::{collections::HashMap, env::var};", "std::env"),
            ("use std::time::{Duration, Instant};", "std::time::Instant"),
            (
                "fn f() { ::std::time::SystemTime::now(); }",
                "std::time::SystemTime",
            ),
            ("fn f() { g!(std::thread::spawn(h)); }", "std::thread"),
            ("use std::{net, process as p};", "std::net"),
            ("use tokio::time;", "tokio"),
            ("fn f() -> u8 { rand::random() }", "rand"),
        ] {
            let findings = found(core, &[("crates/divisi-core/src/lib.rs", code)]);
            assert!(
                findings
                    .iter()
                    .any(|f| f.contains(&format!("must not name `{absent}`"))),
                "{code}: {findings:?}"
            );
        }
    }

    #[test]
    fn the_core_may_compute() {
        let code = "use std::time::Duration;\n/// See std::fs.\nfn f(rand: u8, tokio: u8) { let _ = \"std::env\"; }\n";
        assert!(found(core, &[("crates/divisi-core/src/lib.rs", code)]).is_empty());
        assert!(found(core, &[("crates/divisi-store/src/lib.rs", "use std::fs;")]).is_empty());
    }

    #[test]
    fn the_core_depends_on_serde_alone() {
        let manifest = package(
            "divisi-core",
            "[dependencies]\nserde = \"1\"\nuuid = \"1\"\n",
        );
        assert_eq!(
            found(core, &[("crates/divisi-core/Cargo.toml", &manifest)]),
            [
                "crates/divisi-core/Cargo.toml:1: fault[core]: the core must not depend on `uuid`, \
              only on [\"serde\", \"serde_json\"]"
            ]
        );
    }
}
