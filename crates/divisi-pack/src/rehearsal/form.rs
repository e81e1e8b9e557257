//! The file form of rehearsals, as the JSON Schema describes it to editors.
//!
//! The reader does not use these types, since it must find every fault with its place; a test holds
//! its keys and those of the schema together.

use schemars::JsonSchema;

/// The JSON Schema of rehearsals.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RehearsalForm).to_value()
}

/// A rehearsal: what scripted agents play instead of doing what they are handed.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(title = "Divisi rehearsal", deny_unknown_fields)]
struct RehearsalForm {
    /// The first rule that fits a task says what is played for it.
    rules: Vec<RuleForm>,
}

/// What is played for the tasks that it fits; one that names nothing fits every task.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Rule", deny_unknown_fields)]
struct RuleForm {
    /// A pattern of tasks' ids, such as `technical-design.*`.
    task: Option<String>,
    /// The id or an alias of a role.
    role: Option<String>,
    /// A pattern of paths: the task promises at least one file that matches.
    deliverable: Option<String>,
    /// What each attempt does; the last one repeats. One that makes all promised files unless told.
    attempts: Option<Vec<Vec<MoveForm>>>,
}

/// One move of an attempt.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Move", rename_all = "snake_case")]
enum MoveForm {
    /// Makes files that the task promises.
    Make(MakeForm),
    /// Writes a file over whatever stood there.
    Write(FileForm),
    /// Appends to a file, or creates it.
    Append(FileForm),
    /// Removes a file; that it is not there is no fault.
    Delete(PathForm),
    /// Prints.
    Print(String),
    /// Is taken to have lasted so many milliseconds; nothing waits.
    TakeMs(#[schemars(range(max = 31_536_000_000u64))] u64),
    /// Reports to have used so much.
    Usage(UsageForm),
    /// Asks, unless the handoff has the answer. Ends the attempt until somebody answers.
    Ask(AskForm),
    /// Ends with this status.
    Exit(#[schemars(range(max = 255))] u64),
    /// Ends as if by this signal.
    Signal(#[schemars(range(min = 1, max = 64))] u64),
    /// Ends at a usage limit.
    Limit(LimitForm),
    /// Ends like one that is done, and says that the work is more than one task, and why.
    TooLarge(String),
    /// Ends like one that is done, and says that it failed, and why.
    Fail(String),
}

/// Files that are made.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Make", deny_unknown_fields)]
struct MakeForm {
    /// Those that match; all unless told. What a variable such as `{story_id}` matches can stand in
    /// the text.
    path: Option<String>,
    /// Their text, with `{path}`, `{task}`, `{title}`, `{sections}` and what the pattern bound; one
    /// that has what the criteria ask for unless told.
    text: Option<String>,
}

/// A file's path and content.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "File", deny_unknown_fields)]
struct FileForm {
    /// Beneath the workspace.
    path: String,
    /// What is written.
    text: String,
}

/// A file's path.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Path", deny_unknown_fields)]
struct PathForm {
    /// Beneath the workspace.
    path: String,
}

/// What was used.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Usage", deny_unknown_fields)]
struct UsageForm {
    /// Tokens, read and written together.
    #[schemars(range(max = 1_000_000_000_000u64))]
    tokens: u64,
}

/// A question.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Ask", deny_unknown_fields)]
struct AskForm {
    /// The question.
    text: String,
    /// What is taken without an answer.
    default: Option<String>,
}

/// A usage limit.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Limit", deny_unknown_fields)]
struct LimitForm {
    /// How long to wait, if told.
    #[schemars(range(max = 31_536_000_000u64))]
    wait_ms: Option<u64>,
}
