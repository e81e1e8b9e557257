//! What makes an ordinary process a supervisor: its lock, its signals, its socket, its wait.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use divisi_core::worker::{Ended, Job};

use super::error::{ServeError, system};
use super::notes::Notes;
use super::serve::ServeOptions;
use super::{paths, recover};
use crate::failpoint;

/// Said on standard output when the socket listens.
pub(super) const READY: &str = "divisi-supervisor: ready";
/// Begins what is said there when it will never listen.
pub(super) const FAILED: &str = "divisi-supervisor: failed to ";

/// A supervisor that is about to exit still holds the lock for a moment.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// How much sooner the kernel ends a job than other programs when memory runs out, from -1000 to 1000:
/// as if it had three tenths of all memory more.
const OOM_SCORE_ADJ: &str = "300";

/// What a supervisor stands on while it lives.
pub(super) struct Ground {
    pub(super) mark: String,
    /// Held until the process ends.
    _lock: File,
}

/// Turns this process into the supervisor of a folder.
pub(super) fn begin(options: &ServeOptions) -> Result<Ground, ServeError> {
    let folder = || ServeError::Folder {
        path: options.dir.clone(),
    };
    if !options.dir.is_absolute() || !options.socket.is_absolute() {
        return Err(folder());
    }
    let mark = paths::folder_mark(&options.dir).map_err(|_| folder())?;
    if let Some(parent) = options.socket.parent() {
        paths::prepare_socket_folder(parent)?;
    }
    close_inherited();
    std::env::set_current_dir(&options.dir).map_err(|_| folder())?;
    let lock = lock(&options.dir)?;
    // SAFETY: these take numbers and pointers to live values. That setsid fails where the
    // process leads a group already is no harm; the others fail on no Linux that has pidfds.
    unsafe {
        libc::setsid();
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // Inherited by every job: a core would be written where no cap applies.
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
    }
    // Inherited by every job, too: where memory runs out for the whole machine, the largest of them
    // goes before anything of the user's. A system that does not allow it keeps its own order.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE_ADJ);
    Ok(Ground { mark, _lock: lock })
}

/// Whatever the engine had open without meaning to hand it on would stay open as long as this
/// process lives: a terminal, the pipe to a pager.
fn close_inherited() {
    // SAFETY: the caller promised that this is first thing in the process: nobody uses
    // descriptors beyond the standard ones.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
}

fn lock(dir: &Path) -> Result<File, ServeError> {
    let path = dir.join("supervisor.lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(&path)
        .map_err(system(format!("open {}", path.display())))?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        // SAFETY: the descriptor is open.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
            return Ok(file);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::WouldBlock {
            return Err(system(format!("lock {}", path.display()))(error));
        }
        if Instant::now() > deadline {
            return Err(ServeError::Held {
                dir: dir.to_owned(),
            });
        }
        std::thread::sleep(LOCK_PAUSE);
    }
}

/// Ends what an earlier supervisor left, and begins notes with the results it left.
pub(super) fn recover(dir: &Path, mark: &str) -> Result<(Notes, BTreeMap<Job, Ended>), ServeError> {
    let doing = || format!("read the notes in {}", dir.display());
    failpoint::hit("supervisor.recover.before");
    let mut told = Notes::read(dir).map_err(system(doing()))?;
    recover::end_leftovers(&told, mark)?;
    told.ended.extend(recover::ended_with_machine(&told));
    let notes = Notes::begin(dir, &told.ended)
        .map_err(system(format!("write notes in {}", dir.display())))?;
    failpoint::hit("supervisor.recover.after");
    Ok((notes, told.ended))
}

pub(super) fn null() -> Result<File, ServeError> {
    File::open("/dev/null").map_err(system("open /dev/null"))
}

/// Listens on a fresh socket; an old one there is a dead supervisor's, since the lock is ours.
pub(super) fn listen(socket: &Path) -> Result<UnixListener, ServeError> {
    let failed = |source| ServeError::System {
        doing: format!("listen on {}", socket.display()),
        source,
    };
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(socket).map_err(failed)?;
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(socket, private).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Tells who waits on standard output that the socket listens, and lets go of the output.
pub(super) fn say_ready() {
    say(READY);
}

/// Tells who waits on standard output that there will be no socket, and why.
pub(super) fn say_failed(error: &ServeError) {
    let cause = error.diagnostic().cause;
    say(&format!("{FAILED}{cause}"));
}

fn say(line: &str) {
    // SAFETY: the descriptor is this process's standard output; the copy is owned here.
    let copy = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_DUPFD_CLOEXEC, 3) };
    if copy >= 0 {
        // SAFETY: the descriptor is new and owned by nobody else.
        let mut output = File::from(unsafe { OwnedFd::from_raw_fd(copy) });
        // Nobody may be listening.
        let _ = output.write_all(format!("{line}\n").as_bytes());
    }
    if let Ok(null) = OpenOptions::new().write(true).open("/dev/null") {
        // SAFETY: both descriptors are open.
        unsafe { libc::dup2(null.as_raw_fd(), libc::STDOUT_FILENO) };
    }
}

/// Where the handler of SIGCHLD rings. One process has one supervisor.
static BELL: AtomicI32 = AtomicI32::new(-1);

/// Becomes readable when a child has ended.
pub(super) struct Alarm {
    bell: File,
}

impl Alarm {
    /// Takes over this process's signals.
    ///
    /// SIGCHLD rings. All others that would end the process are caught and change nothing: an
    /// agent that signals its parent's group must not end the supervisor where the kernel cannot
    /// prevent the signal itself. The supervisor is ended by its engine, or by KILL. They are
    /// caught, not ignored, because ignoring would be inherited by the agents.
    pub(super) fn set() -> Result<Alarm, ServeError> {
        let failed = || system("take over signals")(io::Error::last_os_error());
        // SAFETY: the call takes numbers and gives a new descriptor or a negative number.
        let bell = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if bell < 0 {
            return Err(failed());
        }
        BELL.store(bell, Ordering::SeqCst);
        // SAFETY: the descriptor is new. It is never closed while the handler may run, since the
        // alarm lives as long as the process's only supervisor.
        let bell = File::from(unsafe { OwnedFd::from_raw_fd(bell) });
        catch(libc::SIGCHLD, ring).map_err(|_| failed())?;
        let ending = [
            libc::SIGHUP,
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGTERM,
            libc::SIGUSR1,
            libc::SIGUSR2,
            libc::SIGALRM,
            libc::SIGVTALRM,
            libc::SIGPROF,
            libc::SIGXCPU,
            libc::SIGIO,
            libc::SIGPWR,
            libc::SIGSTKFLT,
            libc::SIGTSTP,
            libc::SIGTTIN,
            libc::SIGTTOU,
        ];
        for signal in ending
            .into_iter()
            .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
        {
            catch(signal, disregard).map_err(|_| failed())?;
        }
        Ok(Alarm { bell })
    }

    pub(super) fn fd(&self) -> i32 {
        self.bell.as_raw_fd()
    }

    /// Makes the alarm silent until the next child ends.
    pub(super) fn hush(&self) {
        let mut count = [0_u8; 8];
        // Nothing to read is fine, too.
        let _ = io::Read::read(&mut &self.bell, &mut count);
    }
}

extern "C" fn ring(_signal: libc::c_int) {
    let one = 1_u64;
    // SAFETY: write is allowed in handlers; the eight bytes are live. The error number of what
    // was interrupted is put back.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(BELL.load(Ordering::SeqCst), (&raw const one).cast(), 8);
        *libc::__errno_location() = errno;
    }
}

extern "C" fn disregard(_signal: libc::c_int) {}

fn catch(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) -> Result<(), ()> {
    // SAFETY: an action of zeros is valid, and the handlers only do what handlers may.
    let code = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut())
    };
    if code == 0 { Ok(()) } else { Err(()) }
}

/// Waits until something is ready or the time is over.
pub(super) fn poll(fds: &mut [libc::pollfd], sleep: Option<Duration>) -> Result<(), ServeError> {
    let time = sleep.map(|sleep| libc::timespec {
        tv_sec: libc::time_t::try_from(sleep.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: sleep.subsec_nanos().into(),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let count = libc::nfds_t::try_from(fds.len()).unwrap_or(libc::nfds_t::MAX);
    // SAFETY: the array is live and as long as said; the time is live or null.
    let code = unsafe { libc::ppoll(fds.as_mut_ptr(), count, time, std::ptr::null()) };
    if code >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    for fd in fds {
        fd.revents = 0;
    }
    if error.kind() == io::ErrorKind::Interrupted {
        return Ok(());
    }
    Err(system("wait for processes")(error))
}
