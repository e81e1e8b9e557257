//! The file in which a reviewer writes its verdicts: JSON, read whole or not at all.
//!
//! Here it is only read. Whether its evidence holds is looked up by whoever has the files.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

/// A longer file is not read.
pub const VERDICT_BYTES_MAX: u64 = 256 << 10;

/// So many pieces of evidence are looked up for one verdict: each may be a program.
pub const EVIDENCE_MAX: usize = 20;

/// A reviewer's verdict on one criterion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgment {
    /// The criterion's number among those of what is reviewed.
    pub criterion: u16,
    /// Whether it holds.
    pub holds: bool,
    /// Why, in words.
    pub why: String,
    /// What shows it; never empty.
    pub evidence: Vec<Evidence>,
}

/// What can be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A text stands in a line of a file, or begins there.
    File {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The text, to the letter.
        text: String,
    },
    /// A command ends with this exit status.
    Command {
        /// Program and arguments.
        argv: Vec<String>,
        /// The exit status.
        exit: i32,
    },
}

/// A reviewer's verdicts: one on each criterion that it was asked about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Divisi verdict")]
struct FileForm {
    /// One on each criterion.
    verdicts: Vec<JudgmentForm>,
}

/// A verdict on one criterion.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Verdict")]
struct JudgmentForm {
    /// Its number, as it was asked about.
    criterion: u16,
    /// Whether it holds.
    holds: bool,
    /// Why, in words.
    #[schemars(regex(pattern = r"\S"))]
    why: String,
    /// What shows it; all of it is looked up, and one piece that does not hold makes the verdict void.
    #[schemars(with = "Vec<EvidenceDescribed>", length(min = 1, max = EVIDENCE_MAX))]
    evidence: Vec<EvidenceForm>,
}

/// A piece of evidence, as the schema describes it. Reading has a form of its own, which can say what
/// is wrong with a piece that is neither.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(untagged, rename = "Evidence", deny_unknown_fields)]
enum EvidenceDescribed {
    /// A text that stands in a line of a file, or begins there.
    File {
        /// The path of the file.
        file: String,
        /// The number of the line, from 1.
        #[schemars(range(min = 1))]
        line: u64,
        /// The text, to the letter.
        #[schemars(regex(pattern = r"\S"))]
        text: String,
    },
    /// The exit status with which a command ends that the plan names.
    Command {
        /// Program and arguments.
        #[schemars(length(min = 1))]
        command: Vec<String>,
        /// The exit status.
        exit: i32,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceForm {
    file: Option<String>,
    line: Option<u64>,
    text: Option<String>,
    command: Option<Vec<String>>,
    exit: Option<i32>,
}

/// The JSON Schema of the file.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(FileForm).to_value()
}

/// Reads verdicts on these criteria, each of which needs one.
///
/// # Errors
/// Everything that is wrong with the file, with where it stands.
pub fn read(text: &str, asked: &BTreeSet<u16>) -> Result<Vec<Judgment>, Vec<String>> {
    let form: FileForm = serde_json::from_str(text).map_err(|error| vec![error.to_string()])?;
    let (mut judged, mut faults) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for (at, one) in form.verdicts.into_iter().enumerate() {
        let place = format!("/verdicts/{at}");
        let no = one.criterion;
        if !asked.contains(&no) {
            faults.push(format!("{place}/criterion: nobody asked about {no}"));
        } else if !seen.insert(no) {
            faults.push(format!("{place}/criterion: {no} is judged twice"));
        }
        if one.why.trim().is_empty() {
            faults.push(format!("{place}/why: it does not say why"));
        }
        if one.evidence.is_empty() || one.evidence.len() > EVIDENCE_MAX {
            let many = one.evidence.len();
            faults.push(format!(
                "{place}/evidence: {many} pieces, it takes 1 to {EVIDENCE_MAX}"
            ));
        }
        let mut evidence = Vec::new();
        for (at, form) in one.evidence.into_iter().enumerate() {
            match piece(form) {
                Ok(piece) => evidence.push(piece),
                Err(cause) => faults.push(format!("{place}/evidence/{at}: {cause}")),
            }
        }
        judged.push(Judgment {
            criterion: no,
            holds: one.holds,
            why: one.why,
            evidence,
        });
    }
    let missing = asked.difference(&seen);
    faults.extend(missing.map(|no| format!("/verdicts: there is none on criterion {no}")));
    match faults.is_empty() {
        true => Ok(judged),
        false => Err(faults),
    }
}

fn piece(form: EvidenceForm) -> Result<Evidence, &'static str> {
    match form {
        EvidenceForm {
            file: Some(file),
            line: Some(line),
            text: Some(text),
            command: None,
            exit: None,
        } => match (line, text.trim()) {
            (0, _) => Err("lines are counted from 1"),
            (_, "") => Err("the text is empty, which stands everywhere"),
            _ => Ok(Evidence::File { file, line, text }),
        },
        EvidenceForm {
            command: Some(argv),
            exit: Some(exit),
            file: None,
            line: None,
            text: None,
        } if !argv.is_empty() => Ok(Evidence::Command { argv, exit }),
        _ => Err("it takes `file`, `line` and `text`, or `command` and `exit`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(text: &str, asked: &[u16]) -> Result<Vec<Judgment>, Vec<String>> {
        read(text, &asked.iter().copied().collect())
    }

    #[test]
    fn verdicts_are_read_with_what_shows_them() {
        let text = r#"{"verdicts": [
            {"criterion": 2, "holds": true, "why": "It says so.",
             "evidence": [{"file": "a.md", "line": 3, "text": "so"}]},
            {"criterion": 0, "holds": false, "why": "It fails.",
             "evidence": [{"command": ["make", "check"], "exit": 2}]}]}"#;
        let judged = read_of(text, &[0, 2]).unwrap();
        let holds: Vec<(u16, bool)> = judged.iter().map(|it| (it.criterion, it.holds)).collect();
        assert_eq!(holds, [(2, true), (0, false)]);
        let command = Evidence::Command {
            argv: vec!["make".into(), "check".into()],
            exit: 2,
        };
        assert_eq!(judged[1].evidence, [command]);
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place() {
        let text = r#"{"verdicts": [
            {"criterion": 1, "holds": true, "why": " ", "evidence": []},
            {"criterion": 7, "holds": true, "why": "x", "evidence": [
                {"file": "a", "line": 0, "text": "x"}, {"file": "a", "line": 1, "text": " "},
                {"file": "a", "line": 1, "text": "x", "exit": 0}, {"command": [], "exit": 0}]},
            {"criterion": 1, "holds": true, "why": "x", "evidence": [{"command": ["x"], "exit": 0}]}
        ]}"#;
        let both = "it takes `file`, `line` and `text`, or `command` and `exit`";
        assert_eq!(
            read_of(text, &[0, 1]).unwrap_err(),
            [
                "/verdicts/0/why: it does not say why",
                "/verdicts/0/evidence: 0 pieces, it takes 1 to 20",
                "/verdicts/1/criterion: nobody asked about 7",
                "/verdicts/1/evidence/0: lines are counted from 1",
                "/verdicts/1/evidence/1: the text is empty, which stands everywhere",
                &format!("/verdicts/1/evidence/2: {both}"),
                &format!("/verdicts/1/evidence/3: {both}"),
                "/verdicts/2/criterion: 1 is judged twice",
                "/verdicts: there is none on criterion 0",
            ]
        );
    }

    #[test]
    fn the_schema_takes_what_is_read_and_refuses_what_is_not() {
        let schema = jsonschema::validator_for(&schema()).unwrap();
        let holds = |evidence: &str, why: &str| {
            let text = format!(
                r#"{{"verdicts": [{{"criterion": 0, "holds": true, "why": "{why}", "evidence": {evidence}}}]}}"#
            );
            let value = serde_json::from_str(&text).unwrap();
            let is_read = read_of(&text, &[0]).is_ok();
            assert_eq!(schema.is_valid(&value), is_read, "{text}");
            is_read
        };
        let file = r#"{"file": "a", "line": 1, "text": "x"}"#;
        let command = r#"{"command": ["make"], "exit": 0}"#;
        for good in [file, command, &format!("{file}, {command}")] {
            assert!(holds(&format!("[{good}]"), "x"), "{good}");
        }
        let many = vec![file; EVIDENCE_MAX + 1].join(", ");
        for bad in [
            "",
            &many,
            "{}",
            r#"{"file": "a", "line": 0, "text": "x"}"#,
            r#"{"file": "a", "line": 1, "text": " "}"#,
            r#"{"file": "a", "line": 1}"#,
            r#"{"file": "a", "line": 1, "text": "x", "exit": 0}"#,
            r#"{"command": [], "exit": 0}"#,
            r#"{"command": ["make"]}"#,
        ] {
            assert!(!holds(&format!("[{bad}]"), "x"), "{bad}");
        }
        assert!(!holds(&format!("[{file}]"), " "));
    }

    #[test]
    fn what_is_no_verdict_is_refused_whole() {
        for text in [
            "",
            "Looks good to me!",
            "[]",
            "{}",
            r#"{"verdicts": [], "ok": true}"#,
        ] {
            assert_eq!(read_of(text, &[]).map_err(|it| it.len()), Err(1), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(read_of(&deep, &[]).is_err());
        assert_eq!(read_of(r#"{"verdicts": []}"#, &[]), Ok(Vec::new()));
    }
}
