//! Memory that was needed for a moment, and is not needed any more.

/// Returns free pages to the system.
///
/// Reading, creating or loading a run takes several times what it then needs; a run lasts for
/// hours, and what follows one peak must not be stacked upon it.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it has no precondition; it only returns free pages to the system.
    unsafe {
        libc::malloc_trim(0);
    }
}
