//! The roles that Divisi ships, as the text of their files.

/// `(source name, text)` of each role file, in the order of their ids.
pub const BUILT_IN: &[(&str, &str)] = &[
    (
        "built-in roles/architect.yaml",
        include_str!("../../library/roles/architect.yaml"),
    ),
    (
        "built-in roles/cicd.yaml",
        include_str!("../../library/roles/cicd.yaml"),
    ),
    (
        "built-in roles/data_architect.yaml",
        include_str!("../../library/roles/data_architect.yaml"),
    ),
    (
        "built-in roles/data_scientist.yaml",
        include_str!("../../library/roles/data_scientist.yaml"),
    ),
    (
        "built-in roles/debugger.yaml",
        include_str!("../../library/roles/debugger.yaml"),
    ),
    (
        "built-in roles/developer.yaml",
        include_str!("../../library/roles/developer.yaml"),
    ),
    (
        "built-in roles/development.yaml",
        include_str!("../../library/roles/development.yaml"),
    ),
    (
        "built-in roles/devops.yaml",
        include_str!("../../library/roles/devops.yaml"),
    ),
    (
        "built-in roles/documentation.yaml",
        include_str!("../../library/roles/documentation.yaml"),
    ),
    (
        "built-in roles/frontend_developer.yaml",
        include_str!("../../library/roles/frontend_developer.yaml"),
    ),
    (
        "built-in roles/inventory.yaml",
        include_str!("../../library/roles/inventory.yaml"),
    ),
    (
        "built-in roles/maintenance_coordinator.yaml",
        include_str!("../../library/roles/maintenance_coordinator.yaml"),
    ),
    (
        "built-in roles/performance_engineer.yaml",
        include_str!("../../library/roles/performance_engineer.yaml"),
    ),
    (
        "built-in roles/product_analyst.yaml",
        include_str!("../../library/roles/product_analyst.yaml"),
    ),
    (
        "built-in roles/qa.yaml",
        include_str!("../../library/roles/qa.yaml"),
    ),
    (
        "built-in roles/security.yaml",
        include_str!("../../library/roles/security.yaml"),
    ),
    (
        "built-in roles/security_analyst.yaml",
        include_str!("../../library/roles/security_analyst.yaml"),
    ),
    (
        "built-in roles/sre.yaml",
        include_str!("../../library/roles/sre.yaml"),
    ),
    (
        "built-in roles/tech_lead.yaml",
        include_str!("../../library/roles/tech_lead.yaml"),
    ),
    (
        "built-in roles/tech_writer.yaml",
        include_str!("../../library/roles/tech_writer.yaml"),
    ),
];
