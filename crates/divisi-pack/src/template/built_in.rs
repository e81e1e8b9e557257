//! The templates that Divisi ships.

/// The template of prompts for roles that have none of their own.
pub const GENERIC: &str = "generic.md.j2";

/// The template of prompts that are what is to be done and nothing else.
pub const AS_IS: &str = "as-is.md.j2";

/// `(name, text)` of each template, in the order of their names.
pub const BUILT_IN: &[(&str, &str)] = &[
    (
        "COMPLETION_CRITERIA.md.j2",
        include_str!("../../library/templates/COMPLETION_CRITERIA.md.j2"),
    ),
    (
        "CONTEXT.md.j2",
        include_str!("../../library/templates/CONTEXT.md.j2"),
    ),
    (
        "README.md.j2",
        include_str!("../../library/templates/README.md.j2"),
    ),
    (
        "_base.md.j2",
        include_str!("../../library/templates/_base.md.j2"),
    ),
    (
        "_section.md.j2",
        include_str!("../../library/templates/_section.md.j2"),
    ),
    (
        "architect.md.j2",
        include_str!("../../library/templates/architect.md.j2"),
    ),
    (
        "as-is.md.j2",
        include_str!("../../library/templates/as-is.md.j2"),
    ),
    (
        "developer.md.j2",
        include_str!("../../library/templates/developer.md.j2"),
    ),
    (
        "devops.md.j2",
        include_str!("../../library/templates/devops.md.j2"),
    ),
    (
        "generic.md.j2",
        include_str!("../../library/templates/generic.md.j2"),
    ),
    (
        "performance-engineer.md.j2",
        include_str!("../../library/templates/performance-engineer.md.j2"),
    ),
    (
        "postmortem.md.j2",
        include_str!("../../library/templates/postmortem.md.j2"),
    ),
    (
        "product-analyst.md.j2",
        include_str!("../../library/templates/product-analyst.md.j2"),
    ),
    ("qa.md.j2", include_str!("../../library/templates/qa.md.j2")),
    (
        "security-analyst.md.j2",
        include_str!("../../library/templates/security-analyst.md.j2"),
    ),
    (
        "sre.md.j2",
        include_str!("../../library/templates/sre.md.j2"),
    ),
    (
        "tech-lead.md.j2",
        include_str!("../../library/templates/tech-lead.md.j2"),
    ),
    (
        "tech-writer.md.j2",
        include_str!("../../library/templates/tech-writer.md.j2"),
    ),
];
