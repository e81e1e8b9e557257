//! What the platform gives: confinement, ownership of processes, kinds of file systems.

use std::path::Path;

use super::{Finding, State};

/// The system, and what is weaker on it than on Linux.
pub(super) fn system() -> Finding {
    let name = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    if cfg!(target_os = "linux") {
        return Finding::new("system", State::Good, name);
    }
    let weaker = "agents' writes are not confined, and a process that leaves its session and its \
                  parent may outlive its attempt";
    Finding::new("system", State::Weak, format!("{name}: {weaker}"))
}

/// Whether agents' writes can be confined.
#[cfg(target_os = "linux")]
pub(super) fn confinement() -> Finding {
    /// Asks for the version instead of making a rule set.
    const CREATE_RULESET_VERSION: libc::c_ulong = 1;
    // SAFETY: with this flag the kernel reads no memory and only returns a number.
    let abi = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            CREATE_RULESET_VERSION,
        )
    };
    match abi {
        1.. => {
            let found = format!("Landlock, version {abi}: agents write only to their workspaces");
            Finding::new("confinement", State::Good, found)
        }
        _ => Finding::new(
            "confinement",
            State::Weak,
            "the kernel has no Landlock: agents' writes are unconfined, and reports say so",
        )
        .hint("run agents that you do not trust as another user"),
    }
}

/// Whether agents' writes can be confined.
#[cfg(not(target_os = "linux"))]
pub(super) fn confinement() -> Finding {
    let found = "none on this system: agents' writes are unconfined, and reports say so";
    Finding::new("confinement", State::Weak, found)
}

/// Whether every descendant of an agent can be found and ended.
pub(super) fn processes() -> Vec<Finding> {
    let mut findings = Vec::new();
    if cfg!(target_os = "linux") {
        findings.push(if Path::new("/proc/self/stat").exists() {
            Finding::new(
                "processes",
                State::Good,
                "/proc is there; the supervisor adopts orphans",
            )
        } else {
            Finding::new("processes", State::Bad, "/proc is not mounted")
                .hint("mount it: agents' processes cannot be found without it")
        });
    }
    findings
}

/// The file system that holds a folder, and whether a journal is safe on it.
#[cfg(target_os = "linux")]
pub(super) fn file_system(folder: &Path) -> Finding {
    let kind = match rustix::fs::statfs(folder) {
        Ok(found) => found.f_type,
        Err(error) => {
            let found = format!("asking about {}: {error}", folder.display());
            return Finding::new("file system", State::Bad, found);
        }
    };
    let (name, state) = file_system_name(kind as u64 & 0xffff_ffff);
    match state {
        State::Good => Finding::new("file system", state, name),
        _ => Finding::new(
            "file system",
            state,
            format!("{name}: no place for a journal"),
        )
        .hint("keep the project on a disk of this machine"),
    }
}

/// The file system that holds a folder.
#[cfg(not(target_os = "linux"))]
pub(super) fn file_system(folder: &Path) -> Finding {
    let found = format!("{}: its kind is not known here", folder.display());
    Finding::new("file system", State::Good, found)
}

/// The process that holds a lock on a file, as far as the system tells.
pub(super) fn lock_holder(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let inode = std::fs::metadata(path).ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| holder_of(line, inode))
}

/// The process in a line of `/proc/locks`, if it is about this inode and held, not waited for.
fn holder_of(line: &str, inode: u64) -> Option<u32> {
    let mut words = line.split_whitespace().skip(1);
    let (kind, _, _) = (words.next()?, words.next()?, words.next()?);
    let pid = words.next()?.parse().ok()?;
    let file = words.next()?.rsplit(':').next()?;
    (kind == "FLOCK" && file.parse() == Ok(inode)).then_some(pid)
}

/// Numbers from `statfs(2)`. What shares memory between machines badly loses a journal.
#[cfg(target_os = "linux")]
fn file_system_name(kind: u64) -> (String, State) {
    let (name, state) = match kind {
        0xef53 => ("ext4", State::Good),
        0x9123_683e => ("btrfs", State::Good),
        0x5846_5342 => ("xfs", State::Good),
        0x2fc1_2fc1 => ("zfs", State::Good),
        0xf2f5_2010 => ("f2fs", State::Good),
        0x794c_7630 => ("overlay", State::Good),
        0x0102_1994 => ("tmpfs: gone when the machine stops", State::Good),
        0x6969 => ("nfs", State::Bad),
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => ("smb", State::Bad),
        0x0102_1997 => ("9p", State::Weak),
        0x6573_5546 => ("fuse", State::Weak),
        _ => return (format!("kind {kind:#x}"), State::Good),
    };
    (name.to_owned(), state)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_locks_holder_is_read_from_its_line() {
        let line = "4: FLOCK  ADVISORY  WRITE 4242 fe:01:1835041 0 EOF";
        assert_eq!(holder_of(line, 1_835_041), Some(4242));
        assert_eq!(holder_of(line, 7), None);
        assert_eq!(
            holder_of(
                "4: -> FLOCK ADVISORY WRITE 1 fe:01:1835041 0 EOF",
                1_835_041
            ),
            None
        );
        assert_eq!(holder_of("", 7), None);
    }

    #[test]
    fn network_file_systems_are_no_place_for_a_journal() {
        assert_eq!(file_system_name(0x6969).1, State::Bad);
        assert_eq!(file_system_name(0xef53), ("ext4".to_owned(), State::Good));
        assert_eq!(
            file_system_name(0x1234),
            ("kind 0x1234".to_owned(), State::Good)
        );
        assert_eq!(file_system(Path::new("/nowhere-at-all")).state, State::Bad);
    }
}
