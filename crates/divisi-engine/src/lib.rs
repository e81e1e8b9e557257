//! Acts on what the core decides: workspaces, collection, integration.

pub mod repo;
pub mod workspace;
