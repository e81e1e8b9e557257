//! Agents that fill the disk.
