//! Starts processes by `posix_spawn`, each in a session of its own.
//!
//! `posix_spawn` shares memory with its caller until the program runs, so that its cost does not
//! grow with the caller's size. It is called directly, not through `std::process::Command`:
//! that has no stable way to give a child its own session on this path, and a session is what
//! keeps a job's processes from joining the group of another job. The child gets default signal
//! actions and an empty signal mask, whatever this process does with signals.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

/// Everything that a process is started with.
pub(super) struct Launch<'a> {
    /// Resolved: it holds a slash.
    pub(super) program: &'a CStr,
    pub(super) argv: &'a [CString],
    pub(super) env: &'a [CString],
    pub(super) cwd: &'a CStr,
    pub(super) stdin: BorrowedFd<'a>,
    pub(super) stdout: BorrowedFd<'a>,
    pub(super) stderr: BorrowedFd<'a>,
}

/// Starts a process and gives its id. When this returns, the program is running.
pub(super) fn launch(launch: &Launch<'_>) -> io::Result<i32> {
    let argv = pointers(launch.argv);
    let env = pointers(launch.env);
    let mut actions = Actions::new()?;
    actions.dup(launch.stdin, libc::STDIN_FILENO)?;
    actions.dup(launch.stdout, libc::STDOUT_FILENO)?;
    actions.dup(launch.stderr, libc::STDERR_FILENO)?;
    actions.chdir(launch.cwd)?;
    let attributes = Attributes::new()?;
    let mut pid = 0;
    // SAFETY: all pointers are to live values that end in a null pointer or zero where the
    // function expects it; it keeps none of them.
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            launch.program.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            argv.as_ptr(),
            env.as_ptr(),
        )
    })?;
    Ok(pid)
}

fn pointers(texts: &[CString]) -> Vec<*mut libc::c_char> {
    texts
        .iter()
        .map(|text| text.as_ptr().cast_mut())
        .chain(std::iter::once(std::ptr::null_mut()))
        .collect()
}

fn check(code: libc::c_int) -> io::Result<()> {
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Actions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: init writes the whole value, which is then initialized.
        unsafe {
            check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            Ok(Actions(actions.assume_init()))
        }
    }

    fn dup(&mut self, from: BorrowedFd<'_>, to: libc::c_int) -> io::Result<()> {
        let from = from.as_raw_fd();
        // SAFETY: the value is initialized, the rest are numbers.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut self.0, from, to) })
    }

    fn chdir(&mut self, to: &CStr) -> io::Result<()> {
        // SAFETY: the value is initialized; the path is copied.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&raw mut self.0, to.as_ptr()) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: the value is initialized and not used again.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// Signals that a process may have been started with as ignored, by a shell, `nohup` or a language's
/// runtime. What is caught goes back to its default by itself; each one listed costs a call.
const IGNORABLE: [libc::c_int; 14] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGPIPE,
    libc::SIGALRM,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGCHLD,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    /// Own session, every signal as by default, none blocked.
    fn new() -> io::Result<Attributes> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: init writes the whole value, which is then initialized.
        let mut attributes = unsafe {
            check(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
            Attributes(attributes.assume_init())
        };
        let mut ignored = MaybeUninit::uninit();
        let mut none = MaybeUninit::uninit();
        let flags = libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        let flags = libc::c_short::try_from(flags).expect("the flags fit their own type")
            | libc::POSIX_SPAWN_SETSID;
        // SAFETY: the sets are initialized by the calls that fill them, before they are read.
        unsafe {
            libc::sigemptyset(ignored.as_mut_ptr());
            for signal in IGNORABLE {
                libc::sigaddset(ignored.as_mut_ptr(), signal);
            }
            libc::sigemptyset(none.as_mut_ptr());
            let to = &raw mut attributes.0;
            check(libc::posix_spawnattr_setsigdefault(to, ignored.as_ptr()))?;
            check(libc::posix_spawnattr_setsigmask(to, none.as_ptr()))?;
            check(libc::posix_spawnattr_setflags(to, flags))?;
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: the value is initialized and not used again.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

/// Why a program cannot be named for [`launch`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The argument list is empty.
    NoProgram,
    /// No folder of `PATH` holds it.
    NotOnPath,
    /// A text holds a zero byte.
    ZeroByte,
}

/// Finds a program on a `PATH` as a shell does, except that folders that are not absolute are
/// passed over: they would depend on where the agent happens to stand.
pub(super) fn resolve(program: &str, env: &BTreeMap<String, String>) -> Result<CString, Missing> {
    if program.is_empty() {
        return Err(Missing::NoProgram);
    }
    let zero = |_| Missing::ZeroByte;
    if program.contains('/') {
        return CString::new(program).map_err(zero);
    }
    let path = env.get("PATH").map_or("", String::as_str);
    for folder in path.split(':').filter(|folder| folder.starts_with('/')) {
        let candidate = Path::new(folder).join(program);
        let text = candidate.to_str().expect("joined from two strings");
        let text = CString::new(text).map_err(zero)?;
        // SAFETY: the path ends in a zero and is only read.
        let executable = unsafe { libc::access(text.as_ptr(), libc::X_OK) } == 0;
        if executable && candidate.is_file() {
            return Ok(text);
        }
    }
    Err(Missing::NotOnPath)
}

/// Whether starting exactly this again will fail again.
pub(super) fn is_permanent(error: &io::Error) -> bool {
    !matches!(
        error.raw_os_error(),
        Some(
            libc::EAGAIN
                | libc::ENOMEM
                | libc::EMFILE
                | libc::ENFILE
                | libc::ETXTBSY
                | libc::ENOSPC
                | libc::EIO
                | libc::EINTR
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn programs_are_found_on_the_path_that_is_given_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let tool = dir.path().join("tool");
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        let path = |text: String| BTreeMap::from([("PATH".to_owned(), text)]);
        let here = path(format!(".::/nowhere:{}", dir.path().display()));

        assert_eq!(
            resolve("tool", &here),
            Err(Missing::NotOnPath),
            "not executable"
        );
        std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).unwrap();
        let found = resolve("tool", &here).unwrap();
        assert_eq!(found.to_str().unwrap(), tool.to_str().unwrap());
        assert_eq!(resolve("folder", &here), Err(Missing::NotOnPath));
        assert_eq!(resolve("sh", &here), Err(Missing::NotOnPath));
        assert_eq!(resolve("sh", &BTreeMap::new()), Err(Missing::NotOnPath));
        assert_eq!(resolve("", &here), Err(Missing::NoProgram));
        assert_eq!(resolve("a\0/b", &here), Err(Missing::ZeroByte));
        assert_eq!(resolve("./x", &here).unwrap().to_str().unwrap(), "./x");
    }
}
