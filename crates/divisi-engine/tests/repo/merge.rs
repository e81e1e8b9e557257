//! Integration into a run's head.
