//! What a scripted agent plays: a deterministic list of steps for each attempt.
//!
//! These are the types alone: texts that hold scripts are read by more than one crate, and played
//! by another.

use serde::{Deserialize, Serialize};

use crate::receipt::Usage;

/// A script stands in a plan file beside everything else.
pub const SCRIPT_BYTES_MAX: usize = 1 << 20;

/// Steps of one attempt; a play holds up the engine while it lasts.
pub const STEPS_MAX: usize = 1_000;

/// What attempts do, by their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Each attempt's steps; the last list repeats. Never empty in a parsed script.
    pub attempts: Vec<Vec<Step>>,
}

/// One step of a script. [`Step::Exit`], [`Step::Signal`], [`Step::Limit`] and [`Step::Fail`] end
/// the attempt; so does [`Step::Ask`] until its question is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Writes a file, with its folders, over whatever file stood there.
    Write {
        /// Beneath the workspace.
        path: String,
        /// Its whole content.
        text: String,
    },
    /// Appends to a file, or creates it.
    Append {
        /// Beneath the workspace.
        path: String,
        /// What is added.
        text: String,
    },
    /// Removes a file; that it is not there is no fault.
    Delete {
        /// Beneath the workspace.
        path: String,
    },
    /// Prints.
    Print(String),
    /// Takes so much virtual time, in milliseconds. Nothing waits.
    TakeMs(u64),
    /// Reports to have used so much; several of one attempt add up.
    Usage(Usage),
    /// Asks, unless the handoff has the answer, which is then printed.
    Ask(Question),
    /// Ends with this status.
    Exit(i32),
    /// Ends as if by this signal.
    Signal(i32),
    /// Ends at a usage limit.
    Limit {
        /// How long to wait, if told.
        #[serde(default)]
        wait_ms: Option<u64>,
    },
    /// Ends like one that is done, and says that the work is more than one task, and why.
    TooLarge(String),
    /// Ends like one that is done, and says that it failed, and why.
    Fail(String),
}

/// A question that an agent needs answered before it can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The question.
    pub text: String,
    /// What is taken without an answer, if the agent named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// What about the text is no script, as a lower-case fragment with line and column.
    pub fn parse(text: &str) -> Result<Script, String> {
        if text.len() > SCRIPT_BYTES_MAX {
            let bytes = text.len();
            return Err(format!(
                "it has {bytes} bytes, at most {SCRIPT_BYTES_MAX} are read"
            ));
        }
        let script: Script = serde_json::from_str(text).map_err(|fault| fault.to_string())?;
        if script.attempts.is_empty() {
            return Err("`attempts` is empty".into());
        }
        if let Some(at) = script.attempts.iter().position(|a| a.len() > STEPS_MAX) {
            let steps = script.attempts[at].len();
            return Err(format!(
                "attempt {} has {steps} steps, at most {STEPS_MAX} are played",
                at + 1
            ));
        }
        Ok(script)
    }

    /// The steps of an attempt, from 1.
    #[must_use]
    pub fn steps(&self, attempt: u32) -> &[Step] {
        let at = (attempt.max(1) as usize - 1).min(self.attempts.len().saturating_sub(1));
        self.attempts.get(at).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_script_is_refused_with_its_place() {
        let fault = |text: &str| Script::parse(text).unwrap_err();
        assert_eq!(fault(r#"{"attempts": []}"#), "`attempts` is empty");
        let unknown = fault(r#"{"attempts": [[{"fly": 1}]]}"#);
        assert!(unknown.starts_with("unknown variant `fly`") && unknown.contains("line 1 column "));
        assert!(fault("{\"attempts\": [[]], \"x\": 1}").starts_with("unknown field `x`"));
        let long = format!(
            r#"{{"attempts": [[{}{{"exit": 0}}]]}}"#,
            r#"{"exit": 0},"#.repeat(1000)
        );
        assert_eq!(
            fault(&long),
            "attempt 1 has 1001 steps, at most 1000 are played"
        );
        assert!(fault(&" ".repeat(2 << 20)).starts_with("it has 2097152 bytes"));
    }
}
