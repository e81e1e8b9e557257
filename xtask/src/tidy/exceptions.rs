//! Exceptions from the rules: `xtask/tidy.toml`, each for one rule at one path, with its reason.

use serde::Deserialize;

use super::Finding;
use super::tree::Tree;

const FILE: &str = "xtask/tidy.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exceptions {
    #[serde(default)]
    exception: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    rule: String,
    path: String,
    reason: String,
}

/// Drops what is excepted; an exception that excepts nothing or has no reason is a fault itself.
pub(super) fn apply(tree: &Tree, findings: Vec<Finding>) -> Vec<Finding> {
    let fault = |text| Finding::fault("exception", FILE, 1, text);
    let Exceptions { exception } = match toml::from_str(tree.text(FILE).unwrap_or_default()) {
        Ok(exceptions) => exceptions,
        Err(error) => {
            let mut findings = findings;
            findings.push(fault(error.to_string()));
            return findings;
        }
    };
    let covers = |e: &Exception, f: &Finding| e.rule == f.rule && e.path == f.path;
    let mut kept: Vec<Finding> = Vec::new();
    for e in &exception {
        let place = format!("the exception from `{}` for {}", e.rule, e.path);
        if e.reason.trim().is_empty() {
            kept.push(fault(format!("{place} has no reason")));
        }
        if !findings.iter().any(|f| covers(e, f)) {
            kept.push(fault(format!("{place} excepts nothing; delete it")));
        }
    }
    let is_kept = |f: &Finding| !exception.iter().any(|e| covers(e, f));
    kept.extend(findings.into_iter().filter(is_kept));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(exceptions: &str) -> Vec<String> {
        let tree = Tree::of(&[(FILE, exceptions)]);
        let finding = Finding::fault("sleep", "crates/a/tests/a.rs", 3, "sleeps".into());
        apply(&tree, vec![finding])
            .into_iter()
            .map(|f| f.text)
            .collect()
    }

    #[test]
    fn an_exception_with_a_reason_excepts() {
        let text = "[[exception]]\nrule = \"sleep\"\npath = \"crates/a/tests/a.rs\"\nreason = \"waits for a kernel without notice\"\n";
        assert!(check(text).is_empty());
        assert_eq!(
            check(&text.replace("waits for a kernel without notice", " ")),
            ["the exception from `sleep` for crates/a/tests/a.rs has no reason"]
        );
        assert_eq!(
            check(&text.replace("\"sleep\"", "\"unwrap\"")),
            [
                "the exception from `unwrap` for crates/a/tests/a.rs excepts nothing; delete it",
                "sleeps"
            ]
        );
    }

    #[test]
    fn an_unreadable_list_excepts_nothing() {
        assert_eq!(check("[[exception]]\nrule = 1\n").len(), 2);
        assert_eq!(check(""), ["sleeps"]);
    }
}
