//! Confines what a process may write, by Landlock.
//!
//! A rule set binds the thread that takes it on and everything that thread starts, for ever. So
//! a confined process is started on a thread of its own that ends right afterwards.
//!
//! Reads stay free. Writes are allowed beneath the paths given and to the devices that only
//! swallow or give bytes ([`DEVICES`]). Not allowed, unless named: `/dev/shm`, `/tmp`, and
//! `/dev/tty` and `/dev/pts`, through which an agent could write to a user's terminal. Where the
//! kernel can, signals and abstract sockets reach no process outside either: an agent can end
//! neither the supervisor nor the engine nor its siblings.

use std::io;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::spawn::{Launch, launch};

/// Programs write to these without a second thought.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// The newest interface whose rights were tried here; an older kernel gets fewer of them.
const TRIED: ABI = ABI::V6;

/// Whether this kernel confines writes.
pub(super) fn works() -> bool {
    /// `LANDLOCK_CREATE_RULESET_VERSION`
    const VERSION: u32 = 1;
    // SAFETY: with this flag the pointer must be null and the size zero; nothing is made.
    let abi = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            VERSION,
        )
    };
    abi > 0
}

/// Starts a process that may write only beneath these paths; a path that is not there gives no
/// right. Says whether the kernel enforces it.
pub(super) fn launch_confined(what: &Launch<'_>, writes: &[String]) -> io::Result<(i32, bool)> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("confined-spawn".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || {
                let confined = confine_this_thread(writes).map_err(io::Error::other)?;
                Ok((launch(what)?, confined))
            })?;
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the spawning thread panicked")))
    })
}

/// The thread only builds a rule set and spawns.
const STACK_BYTES: usize = 256 << 10;

fn confine_this_thread(writes: &[String]) -> Result<bool, RulesetError> {
    let access = AccessFs::from_write(TRIED);
    let paths = writes.iter().map(String::as_str).chain(DEVICES);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(access)?
        .scope(Scope::from_all(TRIED))?
        .create()?
        .add_rules(path_beneath_rules(paths, access))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}
