//! The private repository, workspaces and integration, with real git in temporary folders.

mod base;
mod collect;
mod hostile;
mod merge;
mod project;
mod workspaces;
