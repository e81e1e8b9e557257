//! engine

pub mod supervisor;
