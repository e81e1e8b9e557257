//! The file form of roles, as the JSON Schema describes it to editors.
//!
//! The reader does not use these types, since it must find every fault with its place; a test holds
//! its keys and those of the schema together.

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// The JSON Schema of role files.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RoleFileForm).to_value()
}

/// A role file: one role, or several by their ids.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(title = "Divisi role", deny_unknown_fields)]
struct RoleFileForm {
    /// One role, which has an `id` or at least a `name`.
    agent_role: Option<RoleForm>,
    /// Several roles by their ids.
    agent_roles: Option<BTreeMap<String, RoleForm>>,
}

/// A role; what is left out is taken from the role of the same id that it changes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Role", deny_unknown_fields)]
pub(crate) struct RoleForm {
    /// The id; made from the name unless told.
    id: Option<String>,
    /// The same under another name.
    role_id: Option<String>,
    /// The name for people.
    name: Option<String>,
    /// Other names under which the role is found.
    aliases: Option<TextsForm>,
    /// The domain under which tasks name the role (`assigned_to`), such as `development`.
    domain: Option<String>,
    /// The function under which tasks name it (`worker_type`), such as `planner`.
    function: Option<String>,
    /// From whose point of view the role works.
    perspective: Option<TextForm>,
    /// What it answers for.
    responsibilities: Option<TextsForm>,
    /// What it is good at.
    capabilities: Option<TextsForm>,
    /// What binds it: words, or limits by name.
    constraints: Option<ConstraintsForm>,
    /// What it delivers.
    output_format: Option<TextsForm>,
    /// What it looks at first.
    focus: Option<TextsForm>,
    /// What it asks itself.
    questions: Option<TextsForm>,
    /// What it is the right one for.
    perfect_for: Option<TextsForm>,
    /// How many tokens one agent may use for what it is given at once.
    #[schemars(rename = "token_budget", range(min = 1, max = 1_000_000_000))]
    budget_tokens: Option<u64>,
    /// How many targets one agent is given at most.
    #[schemars(range(min = 1, max = 100_000))]
    complexity_threshold: Option<u32>,
}

/// A text; YAML may take it for a number.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Text", untagged)]
pub(crate) enum TextForm {
    /// A text.
    Text(String),
    /// A text that looks like a number.
    Number(f64),
    /// A text that looks like a word of YAML's.
    Flag(bool),
}

/// One text, or a list of them.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Texts", untagged)]
pub(crate) enum TextsForm {
    /// One text.
    One(PairForm),
    /// Several.
    Several(Vec<PairForm>),
}

/// A text, which YAML takes for a pair where it holds a colon.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Pair", untagged)]
pub(crate) enum PairForm {
    /// A text.
    Text(TextForm),
    /// A text with a colon.
    Pair(BTreeMap<String, JoinedForm>),
}

/// A value, or several.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Joined", untagged)]
pub(crate) enum JoinedForm {
    /// One value.
    One(TextForm),
    /// Several, which are joined by commas.
    Several(Vec<TextForm>),
}

/// What binds a role.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described, never made")]
#[schemars(rename = "Constraints", untagged)]
pub(crate) enum ConstraintsForm {
    /// Words, or limits such as `Token budget: 30000`.
    Texts(TextsForm),
    /// Limits by name.
    Limits(BTreeMap<String, JoinedForm>),
}
