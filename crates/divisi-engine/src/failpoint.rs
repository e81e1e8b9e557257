//! Places at which the crash tests kill the process.
//!
//! In a debug build `DIVISI_FAILPOINT=name` kills the process with SIGKILL when it passes the
//! place of that name, or with `name:n` when it passes it for the n-th time. Where
//! `DIVISI_FAILPOINT_ONCE` names a file, the process makes it before it dies, and no process that
//! finds it there dies any more: a supervisor inherits its engine's environment and is started
//! again by an engine that lives on. In a release build nothing is left of all this.
//!
//! Every place lies on one side of something durable or of an effect; [`NAMES`] lists them all, and
//! the crash tests kill the binary at each.

/// All places, by process and in the order in which a run passes them. Those that begin with
/// `supervisor.` lie in the supervisor, all others in the engine.
pub const NAMES: &[&str] = &[
    "base.before",
    "base.after",
    "artifact.write.before",
    "artifact.rename.before",
    "artifact.rename.after",
    "journal.epoch.before",
    "journal.epoch.after_commit",
    "journal.append.before",
    "journal.append.after_commit",
    "answers.before",
    "answers.reply.before",
    "answers.after",
    "reconcile.before",
    "reconcile.after",
    "join.before",
    "join.after",
    "start.before",
    "workspace.prepare.before",
    "setup.before",
    "program.start.before",
    "program.start.after",
    "setup.after",
    "prepared.move.before",
    "prepared.move.after",
    "prepared.rename.before",
    "prepared.rename.after",
    "workspace.slot.before",
    "workspace.slot.after",
    "workspace.rename.before",
    "workspace.rename.after",
    "workspace.lay.before",
    "workspace.lay.after",
    "workspace.prepare.after",
    "handoff.write.before",
    "handoff.write.after",
    "start.after",
    "fetch.before",
    "fetch.after",
    "words.send.before",
    "words.send.after",
    "collect.before",
    "collect.after",
    "check.before",
    "checkout.before",
    "check.after",
    "expand.before",
    "expand.after",
    "weigh.before",
    "weigh.after",
    "measure.before",
    "measure.after",
    "merge.before",
    "merge.after",
    "ref.update.before",
    "ref.update.after",
    "final.check.before",
    "final.check.after",
    "deliver.write.before",
    "deliver.file.after",
    "deliver.write.after",
    "deliver.ref.after",
    "supervisor.recover.before",
    "supervisor.notes.rename.before",
    "supervisor.notes.rename.after",
    "supervisor.recover.after",
    "supervisor.spawn.before",
    "supervisor.spawn.after",
    "supervisor.notes.write.before",
    "supervisor.notes.write.after",
    "supervisor.words.send.before",
    "supervisor.words.send.after",
];

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
        && is_first()
    {
        // SAFETY: raising a signal has no precondition; this one cannot be caught.
        unsafe { libc::raise(libc::SIGKILL) };
    }
}

/// Whether nobody died here before, as far as that is to be remembered.
#[cfg(debug_assertions)]
fn is_first() -> bool {
    std::env::var_os("DIVISI_FAILPOINT_ONCE")
        .is_none_or(|path| std::fs::File::create_new(path).is_ok())
}

/// Passes a place.
#[cfg(not(debug_assertions))]
pub fn hit(_name: &'static str) {}
