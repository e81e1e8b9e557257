//! Killed at any time.
