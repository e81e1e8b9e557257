//! Calls of the `git` command, in which nothing of anybody else's has a say.
//!
//! A repository can make git run programs: hooks, fsmonitor, filters, external diffs, pagers,
//! signing, credential helpers, editors. Agents and cloned repositories are not trusted with
//! that, so every call here clears the environment to an allow-list, reads neither the system's
//! nor the user's configuration, and overrides what a repository's own could set. No shell is
//! involved; output is bounded; a call that takes too long is killed with its whole group.
//!
//! Repositories are named by `GIT_DIR`, never discovered, with one exception: finding the user's
//! repository when a project is opened ([`Git::discover`]), which only reads where it is.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::pipes::{TIMEOUT, exchange, kill, wait};

/// Output beyond this is an error unless the caller says otherwise: it is held in memory.
const OUT_BYTES_MAX: usize = 64 << 20;

/// `merge-tree --merge-base` came with 2.40, `GIT_ATTR_SOURCE` with 2.41.
const VERSION_MIN: (u32, u32) = (2, 41);

/// What every call overrides, whatever a repository's configuration says.
const CONFIG: &[(&str, &str)] = &[
    // Programs that git would start.
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.pager", "cat"),
    ("core.editor", "false"),
    ("core.sshCommand", "false"),
    ("core.askPass", "false"),
    ("credential.helper", ""),
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("gpg.program", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
    ("diff.ignoreSubmodules", "all"),
    ("protocol.allow", "never"),
    ("protocol.ext.allow", "never"),
    // Whose repository it is was decided by the user who opened the project.
    ("safe.directory", "*"),
    // Names that mean `.git` on some file system are refused on all.
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    // The private index is read by Divisi itself: one file, one version.
    ("core.splitIndex", "false"),
    ("core.untrackedCache", "false"),
    ("core.sparseCheckout", "false"),
    ("index.version", "2"),
    ("index.sparse", "false"),
    ("index.skipHash", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.autocrlf", "false"),
    ("core.safecrlf", "false"),
    ("core.fileMode", "true"),
    ("core.symlinks", "true"),
    ("core.quotePath", "false"),
    ("core.logAllRefUpdates", "false"),
    ("merge.renames", "true"),
    ("merge.directoryRenames", "conflict"),
];

/// The git command of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Git {
    program: PathBuf,
    path: OsString,
}

impl Git {
    /// Finds git on the `PATH` of this process.
    ///
    /// # Errors
    /// There is none, or it is too old.
    pub(crate) fn find() -> Result<Git, Fault> {
        let path =
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let program = std::env::split_paths(&path)
            .map(|folder| folder.join("git"))
            .find(|program| program.is_file())
            .ok_or(Fault::NoGit)?;
        let git = Git { program, path };
        // Asked once in the life of a process: it costs as much as any other call.
        static KNOWN: Mutex<Option<PathBuf>> = Mutex::new(None);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref() == Some(&git.program) {
            return Ok(git);
        }
        let version = git
            .bare_call("version", Path::new("/"))
            .arg("version")
            .text()?;
        match parse_version(&version) {
            Some(found) if found >= VERSION_MIN => {
                *known = Some(git.program.clone());
                Ok(git)
            }
            _ => Err(Fault::GitTooOld { version }),
        }
    }

    /// A call that acts on the git directory `git_dir`.
    pub(crate) fn call(&self, operation: &str, git_dir: &Path) -> Call {
        let mut call = self.bare_call(operation, git_dir);
        call.command.env("GIT_DIR", git_dir);
        call
    }

    /// A call that looks for a repository from `folder` upwards.
    pub(crate) fn discover(&self, operation: &str, folder: &Path) -> Call {
        self.bare_call(operation, folder)
    }

    fn bare_call(&self, operation: &str, folder: &Path) -> Call {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", &self.path)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("GIT_PAGER", "cat")
            .env("GIT_EDITOR", "false")
            .env("GIT_ADVICE", "0")
            .current_dir(folder)
            .process_group(0);
        Call {
            command,
            operation: operation.to_owned(),
            config: Vec::new(),
            stdin: Input::Nothing,
            out_file: None,
            out_max: OUT_BYTES_MAX,
            timeout: TIMEOUT,
        }
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Whether a batch of new objects on this file system is durable after one flush of its journal.
///
/// ext4 and XFS commit all earlier changes of the file system with one `fsync`; others need one
/// for each object.
pub(crate) fn fsync_method(folder: &Path) -> &'static str {
    const EXT4: u64 = 0xEF53;
    const XFS: u64 = 0x5846_5342;
    #[cfg(target_os = "linux")]
    if let Ok(stat) = rustix::fs::statfs(folder)
        && matches!(u64::try_from(stat.f_type), Ok(EXT4 | XFS))
    {
        return "batch";
    }
    let _ = (folder, EXT4, XFS);
    "fsync"
}

enum Input {
    Nothing,
    Bytes(Vec<u8>),
    File(File),
}

/// One call of git that is being put together.
pub(crate) struct Call {
    command: Command,
    operation: String,
    config: Vec<(String, String)>,
    stdin: Input,
    out_file: Option<File>,
    out_max: usize,
    timeout: Duration,
}

/// What a call left.
#[derive(Debug)]
pub(crate) struct Done {
    /// The exit status.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) out: Vec<u8>,
    /// The beginning of standard error.
    pub(crate) err: String,
}

impl Call {
    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Call {
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Call {
        self.command.args(args);
        self
    }

    /// An environment variable.
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Call {
        self.command.env(key, value);
        self
    }

    /// A setting on top of the common ones.
    pub(crate) fn config(mut self, key: &str, value: &str) -> Call {
        self.config.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Reads the user's own configuration file too. Only for `git config`, which runs nothing.
    pub(crate) fn with_user_config(mut self) -> Call {
        self.command.env_remove("GIT_CONFIG_GLOBAL");
        for key in ["HOME", "XDG_CONFIG_HOME"] {
            if let Some(value) = std::env::var_os(key) {
                self.command.env(key, value);
            }
        }
        self
    }

    /// Acts on the files in `folder`; paths are relative to it.
    pub(crate) fn work_tree(mut self, folder: &Path) -> Call {
        self.command
            .env("GIT_WORK_TREE", folder)
            .current_dir(folder);
        self
    }

    /// Uses this index file.
    pub(crate) fn index(self, index: &Path) -> Call {
        self.env("GIT_INDEX_FILE", index)
    }

    /// What is written is durable when the call returns, the index excepted, which can be rebuilt.
    pub(crate) fn durable(self, method: &str) -> Call {
        self.config("core.fsync", "all,-index")
            .config("core.fsyncMethod", method)
    }

    /// What is written need not survive a crash of the machine.
    pub(crate) fn fleeting(self) -> Call {
        self.config("core.fsync", "none")
    }

    /// May take so long.
    pub(crate) fn patience(mut self, patience: Duration) -> Call {
        self.timeout = patience;
        self
    }

    /// Given on standard input.
    pub(crate) fn stdin(mut self, bytes: Vec<u8>) -> Call {
        self.stdin = Input::Bytes(bytes);
        self
    }

    /// A file given as standard input.
    pub(crate) fn stdin_file(mut self, file: File) -> Call {
        self.stdin = Input::File(file);
        self
    }

    /// A file that takes standard output.
    pub(crate) fn out_file(mut self, file: File) -> Call {
        self.out_file = Some(file);
        self
    }

    /// Runs it; its exit status is the caller's to judge.
    ///
    /// # Errors
    /// It could not be started, did not end in time, was killed, or said too much.
    pub(crate) fn run(mut self) -> Result<Done, Fault> {
        self.finish_command();
        let operation = self.operation.clone();
        let mut child = self.command.spawn().map_err(|source| Fault::Io {
            operation: "start git",
            path: PathBuf::from("git"),
            source,
        })?;
        let bytes = match self.stdin {
            Input::Bytes(bytes) => bytes,
            _ => Vec::new(),
        };
        let deadline = Instant::now() + self.timeout;
        let result = exchange(&mut child, &bytes, self.out_max, deadline)
            .and_then(|(out, err)| Ok((wait(&mut child, deadline)?, out, err)));
        let failed = |cause: String| Fault::Git { operation, cause };
        match result {
            Ok((status, out, err)) => match status.code() {
                Some(status) => Ok(Done {
                    status,
                    out,
                    err: String::from_utf8_lossy(&err).trim().to_owned(),
                }),
                None => Err(failed(format!("signal {}", status.signal().unwrap_or(0)))),
            },
            Err(error) => {
                kill(&mut child);
                Err(failed(error.to_string()))
            }
        }
    }

    /// Runs it; returns standard output.
    ///
    /// # Errors
    /// As [`Call::run`], or its exit status is not 0.
    pub(crate) fn ok(self) -> Result<Vec<u8>, Fault> {
        let operation = self.operation.clone();
        let done = self.run()?;
        done.ok(&operation)
    }

    /// Runs it; returns standard output as text, without the end of line.
    ///
    /// # Errors
    /// As [`Call::ok`].
    pub(crate) fn text(self) -> Result<String, Fault> {
        let out = self.ok()?;
        Ok(String::from_utf8_lossy(&out)
            .trim_end_matches('\n')
            .to_owned())
    }

    /// Starts it as a process that is spoken to through its pipes.
    ///
    /// # Errors
    /// It could not be started.
    pub(crate) fn start(mut self) -> io::Result<Child> {
        self.finish_command();
        self.command
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    }

    fn finish_command(&mut self) {
        let common = CONFIG.iter().map(|&(key, value)| (key, value));
        let own = self.config.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let mut count = 0;
        // One key for each setting would exceed a reasonable environment only with thousands.
        for (key, value) in common.chain(own) {
            self.command.env(format!("GIT_CONFIG_KEY_{count}"), key);
            self.command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        self.command.env("GIT_CONFIG_COUNT", count.to_string());
        let stdin = match &mut self.stdin {
            Input::Nothing => Stdio::null(),
            Input::Bytes(_) => Stdio::piped(),
            Input::File(file) => match file.try_clone() {
                Ok(file) => Stdio::from(file),
                Err(_) => Stdio::null(),
            },
        };
        let out = match self.out_file.take() {
            Some(file) => Stdio::from(file),
            None => Stdio::piped(),
        };
        self.command.stdin(stdin).stdout(out).stderr(Stdio::piped());
    }
}

impl Done {
    /// Standard output, if the exit status is 0.
    ///
    /// # Errors
    /// It is not; the fault holds what git said.
    pub(crate) fn ok(self, operation: &str) -> Result<Vec<u8>, Fault> {
        if self.status == 0 {
            return Ok(self.out);
        }
        if self.err.contains("No space left on device") || self.err.contains("Disk quota exceeded")
        {
            return Err(Fault::Full {
                operation: operation.to_owned(),
            });
        }
        let cause = match self.err.as_str() {
            "" => format!("exit status {}", self.status),
            err => err.to_owned(),
        };
        Err(Fault::Git {
            operation: operation.to_owned(),
            cause,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(
            parse_version("git version 2.9.0 (Apple Git-1)"),
            Some((2, 9))
        );
        assert!(parse_version("git version 2.9.0").unwrap() < VERSION_MIN);
        assert_eq!(parse_version("gitoxide 1"), None);
    }

    #[test]
    fn a_call_that_hangs_is_killed() {
        let git = Git::find().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut call = git
            .discover("wait", folder.path())
            .args(["hash-object", "--stdin"]);
        // Nobody ever writes to the pipe and nobody closes it.
        let (reader, _writer) = std::io::pipe().unwrap();
        call.stdin = Input::File(File::from(std::os::fd::OwnedFd::from(reader)));
        call.timeout = Duration::from_millis(50);
        let Fault::Git { cause, .. } = call.run().unwrap_err() else {
            panic!()
        };
        assert_eq!(cause, "it did not end in time");
    }

    #[test]
    fn output_is_bounded() {
        let git = Git::find().unwrap();
        let mut call = git.discover("help", Path::new("/")).args(["help", "-a"]);
        call.out_max = 100;
        let Fault::Git { cause, .. } = call.run().unwrap_err() else {
            panic!()
        };
        assert_eq!(cause, "it printed more than 100 bytes");
    }
}
