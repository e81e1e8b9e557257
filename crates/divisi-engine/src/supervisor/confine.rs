//! Confines what a process may write, by Landlock.
//!
//! A rule set binds the thread that takes it on and everything that thread starts, for ever. So
//! a confined process is started on a thread that does nothing else. Making a rule set costs more
//! than starting a small program, and the tasks of a shared workspace have the same folders again
//! and again: the last few of these threads are kept, each for exactly the folders it was made
//! with, whatever their names are by now.
//!
//! Reads stay free. Writes are allowed beneath the paths given and to the devices that only
//! swallow or give bytes ([`DEVICES`]). Not allowed, unless named: `/dev/shm`, `/tmp`, and
//! `/dev/tty` and `/dev/pts`, through which an agent could write to a user's terminal. Where the
//! kernel can, signals and abstract sockets reach no process outside either: an agent can end
//! neither the supervisor nor the engine nor its siblings.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

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

/// Threads kept at the most; as many attempts as usually are busy at once, each of which has a
/// folder of its own. An idle one costs a few pages and a file descriptor a folder.
const THREADS_MAX: usize = 64;

/// Starts confined processes.
#[derive(Default)]
pub(super) struct Confiner {
    /// The most recently used last.
    threads: RefCell<Vec<Spawner>>,
}

/// A thread that is confined to some folders.
struct Spawner {
    folders: Vec<Folder>,
    /// Keeps the folders' identities from being given to others while the thread lives.
    _held: Vec<File>,
    requests: SyncSender<Request>,
    replies: Receiver<io::Result<Started>>,
}

/// A folder as a rule knows it. One that was made anew under the same name is another; one that
/// was given another name is the same.
#[derive(PartialEq, Eq)]
enum Folder {
    /// By device and number.
    There(u64, u64),
    /// It gives no right, whatever is made under this name later.
    Missing(String),
}

impl Folder {
    fn of(path: &String) -> Folder {
        match std::fs::metadata(path) {
            Ok(metadata) => Folder::There(metadata.dev(), metadata.ino()),
            Err(_) => Folder::Missing(path.clone()),
        }
    }
}

/// Opens what is there, for no other use than to hold it.
fn hold(paths: &[String]) -> Vec<File> {
    let open = |path: &String| {
        let mut options = File::options();
        options.read(true).custom_flags(libc::O_PATH).open(path)
    };
    paths.iter().filter_map(|path| open(path).ok()).collect()
}

/// What is to be started. The one who asks waits for the reply, so the pointer stays valid.
struct Request(*const Launch<'static>);

// SAFETY: the launch is only read, and only while the thread that owns it waits for the reply.
unsafe impl Send for Request {}

/// How many programs are started at once. Starting one is mostly waiting for the kernel to load
/// it; more than there are usually processors gains nothing.
pub(super) const AT_ONCE_MAX: usize = 4;

/// A started process, and whether the kernel enforces its confinement.
pub(super) type Started = (i32, bool);

impl Confiner {
    /// Starts processes, several at once; each may write only beneath its paths. A path that is
    /// not there gives no right. The results are in the order of what was asked.
    pub(super) fn launch_all(&self, asked: &[(Launch<'_>, &[String])]) -> Vec<io::Result<Started>> {
        let mut results = Vec::with_capacity(asked.len());
        for at_once in asked.chunks(AT_ONCE_MAX) {
            let begun: Vec<io::Result<Spawner>> = at_once
                .iter()
                .map(|(what, writes)| {
                    let spawner = self.take(writes)?;
                    spawner.begin(what)?;
                    Ok(spawner)
                })
                .collect();
            // Whatever failed, all that began is waited for: its launch is borrowed.
            for spawner in begun {
                results.push(spawner.and_then(|spawner| {
                    let result = spawner.wait();
                    self.give_back(spawner);
                    result
                }));
            }
        }
        results
    }

    /// A thread that is confined to these paths and has nothing to do.
    fn take(&self, writes: &[String]) -> io::Result<Spawner> {
        let folders: Vec<Folder> = writes.iter().map(Folder::of).collect();
        let mut threads = self.threads.borrow_mut();
        match threads.iter().rposition(|idle| idle.folders == folders) {
            Some(at) => Ok(threads.remove(at)),
            None => Spawner::start(writes),
        }
    }

    fn give_back(&self, spawner: Spawner) {
        let mut threads = self.threads.borrow_mut();
        if threads.len() >= THREADS_MAX {
            threads.remove(0);
        }
        threads.push(spawner);
    }
}

impl Spawner {
    fn start(writes: &[String]) -> io::Result<Spawner> {
        let held = hold(writes);
        let folders = writes.iter().map(Folder::of).collect();
        let (requests, asked) = sync_channel::<Request>(1);
        let (answer, replies) = sync_channel(1);
        let writes = writes.to_vec();
        std::thread::Builder::new()
            .name("confined-spawn".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let confined = confine_this_thread(&writes).map_err(|error| error.to_string());
                while let Ok(Request(what)) = asked.recv() {
                    let result = match &confined {
                        // SAFETY: see `Request`.
                        Ok(confined) => launch(unsafe { &*what }).map(|pid| (pid, *confined)),
                        Err(cause) => Err(io::Error::other(cause.clone())),
                    };
                    if answer.send(result).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Spawner {
            folders,
            _held: held,
            requests,
            replies,
        })
    }

    /// Hands a launch over, which must stay where it is until [`Spawner::wait`] returns.
    fn begin(&self, what: &Launch<'_>) -> io::Result<()> {
        self.requests
            .send(Request(std::ptr::from_ref(what).cast()))
            .map_err(|_| gone())
    }

    /// What came of it.
    fn wait(&self) -> io::Result<Started> {
        self.replies.recv().unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> io::Error {
    io::Error::other("the spawning thread is gone")
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
