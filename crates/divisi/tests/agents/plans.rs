//! What an agent plans, at first with a fault.

pub(crate) const INTENT: &str = "Add limits on the requests of a client, with docs";

/// The docs that the request asks for are missing.
pub(crate) const PARTIAL: &str = r#"{"task_title": "Limits", "subtasks": [
  {"subtask_id": "limit", "title": "Add limits on the requests of a client", "description": "TASK-limit: write limit.txt.",
   "assigned_to": "development", "worker_type": "implementation", "deliverables": ["limit.txt"]}
 ], "criteria": [{"file": "limit.txt"}]}"#;

pub(crate) const GOOD: &str = r#"{"task_title": "Limits", "subtasks": [
  {"subtask_id": "limit", "title": "Add limits on the requests of a client", "description": "TASK-limit: write limit.txt.",
   "assigned_to": "development", "worker_type": "implementation", "deliverables": ["limit.txt"],
   "criteria": [{"contains": "ten", "in": "limit.txt"}]},
  {"subtask_id": "docs", "title": "Document the limits of requests", "description": "TASK-docs: write limits.md.",
   "assigned_to": "documentation", "deliverables": ["limits.md"],
   "criteria": [{"section": "Limits", "in": "limits.md"}]}
 ], "criteria": [{"contains": "ten", "in": "limit.txt"}, {"contains": "ten", "in": "limits.md"}]}"#;
