//! Signals as ordinary events: no handler runs in the middle of anything.

use std::io;

/// Calls `on_signal` on a thread of its own for every SIGINT, SIGTERM and SIGHUP.
///
/// To be called before any other thread is started: they inherit the blocked signals, and child
/// processes are started with none blocked.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn on_interrupt(mut on_signal: impl FnMut() + Send + 'static) -> io::Result<()> {
    // SAFETY: the set is initialized by sigemptyset before any other use.
    let set = unsafe {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        let mut set = set.assume_init();
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        set
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            loop {
                let mut signal = 0;
                // SAFETY: both pointers are to live values of the right types.
                if unsafe { libc::sigwait(&raw const set, &raw mut signal) } == 0 {
                    on_signal();
                }
            }
        })?;
    Ok(())
}
