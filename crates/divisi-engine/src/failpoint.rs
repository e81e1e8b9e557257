//! Places at which the crash tests kill the process.
//!
//! In a debug build `DIVISI_FAILPOINT=name` kills the process with SIGKILL when it passes the
//! place of that name, or with `name:n` when it passes it for the n-th time. In a release build
//! nothing is left of it.

/// Passes a place.
#[cfg(debug_assertions)]
pub fn hit(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static ARMED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var("DIVISI_FAILPOINT").ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), times.parse().ok()?))
    });
    if let Some((armed, times)) = armed
        && armed == name
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times
    {
        // SAFETY: raising a signal has no precondition; this one cannot be caught.
        unsafe { libc::raise(libc::SIGKILL) };
    }
}

/// Passes a place.
#[cfg(not(debug_assertions))]
pub fn hit(_name: &'static str) {}
