//! The workflows that Divisi ships, as the text of their files.

/// `(name, source name, text)` of each workflow, in the order of their names.
pub const BUILT_IN: &[(&str, &str, &str)] = &[
    (
        "code-review",
        "built-in workflows/code-review.yaml",
        include_str!("../../library/workflows/code-review.yaml"),
    ),
    (
        "incident-response",
        "built-in workflows/incident-response.yaml",
        include_str!("../../library/workflows/incident-response.yaml"),
    ),
    (
        "task-execution",
        "built-in workflows/task-execution.yaml",
        include_str!("../../library/workflows/task-execution.yaml"),
    ),
    (
        "user-story-refinement",
        "built-in workflows/user-story-refinement.yaml",
        include_str!("../../library/workflows/user-story-refinement.yaml"),
    ),
];
