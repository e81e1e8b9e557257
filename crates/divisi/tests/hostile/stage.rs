//! What tests of the binary share: a project in a folder of its own, the binary run on it, and
//! what it left in the journal.
//!
//! Everything that is judged is read as another process would read it: exit code, what was
//! printed, the database through the store's read-only view, files under `.divisi`, `/proc`.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use divisi_core::journal::{Entry, RunRow, Stream, TaskRow};
use divisi_core::run::{
    self, Effect, Ending, Event, KINDS_OF_STRUCTURE, Run, RunStatus, Task, stored,
};
use divisi_core::{RunId, TaskNo, Time};
use divisi_store::{PAGE_ROWS_MAX, Store, Upcasters, Versions, View};
use serde_json::Value;

/// Nothing in these tests takes so long; what does has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// The run of a stage on which only one was started.
pub(crate) const FIRST: RunId = RunId(1);

/// A project folder, and a home of its own for everything around it.
pub(crate) struct Stage {
    around: tempfile::TempDir,
    project: PathBuf,
    env: Vec<(String, String)>,
}

/// How a process of the binary ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A process of the binary that goes on while a test looks.
pub(crate) struct Running {
    child: Option<Child>,
}

/// Waits until something holds; polling, since other processes do not tell.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs git as a user would, with no configuration of the machine.
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(["AUTHOR", "COMMITTER"].iter().flat_map(|who| {
            [
                (format!("GIT_{who}_NAME"), "user".to_owned()),
                (format!("GIT_{who}_EMAIL"), "user@example.org".to_owned()),
                (format!("GIT_{who}_DATE"), "1700000000 +0000".to_owned()),
            ]
        }))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn write(path: impl AsRef<Path>, text: &str) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

impl Stage {
    /// A folder without git, with these files.
    pub(crate) fn folder(files: &[(&str, &str)]) -> Stage {
        let around = tempfile::tempdir().unwrap();
        let root = around.path().canonicalize().unwrap();
        let project = root.join("project");
        for folder in ["project", "home", "run", "plans"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        for (path, text) in files {
            write(project.join(path), text);
        }
        Stage {
            around,
            project,
            env: Vec::new(),
        }
    }

    /// A repository with these files in one commit.
    pub(crate) fn git(files: &[(&str, &str)]) -> Stage {
        let stage = Stage::folder(files);
        stage.become_repository();
        stage
    }

    /// Makes the folder a repository, with one commit of what is in it.
    pub(crate) fn become_repository(&self) {
        git(&self.project, &["init", "-q", "--initial-branch=main"]);
        git(&self.project, &["add", "--all"]);
        git(&self.project, &["commit", "-q", "-m", "first"]);
    }

    /// The same with a variable in the environment of every process of the binary.
    pub(crate) fn with_env(mut self, name: &str, value: &str) -> Stage {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The project's folder.
    pub(crate) fn project(&self) -> &Path {
        &self.project
    }

    /// A path in the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.project.join(name)
    }

    /// A path beside the project, where nothing of Divisi lies.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.around.path().canonicalize().unwrap().join(name)
    }

    /// Writes a plan beside the project, and says where.
    pub(crate) fn plan(&self, plan: &Value) -> String {
        let path = self.beside("plans/plan.json");
        write(&path, &serde_json::to_string_pretty(plan).unwrap());
        path.display().to_string()
    }

    /// The binary with these arguments, in this project, with nothing of this process's
    /// environment but the path. It has no terminal, and nothing to read.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_divisi"));
        command
            .args(args)
            .current_dir(&self.project)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.beside("home"))
            .env("XDG_RUNTIME_DIR", self.beside("run"))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What an agent does to its parent's group must not reach the tests.
            .process_group(0);
        command
    }

    /// Starts the binary.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running {
            child: Some(self.command(args).spawn().unwrap()),
        }
    }

    /// Runs the binary to its end.
    pub(crate) fn divisi(&self, args: &[&str]) -> Ran {
        self.start(args).wait()
    }

    /// Runs the binary on a terminal of its own, where somebody types this and then ends the input.
    /// Gives back every byte that arrived there.
    pub(crate) fn on_a_terminal(&self, args: &[&str], typed: &str) -> (i32, Vec<u8>) {
        let (mut master, mut slave) = (-1, -1);
        // SAFETY: the two numbers are live and written once; the rest may be null.
        let status = unsafe {
            libc::openpty(
                &raw mut master,
                &raw mut slave,
                std::ptr::null_mut(),
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        assert_eq!(status, 0, "a terminal can be made");
        // SAFETY: both were just opened and belong to nobody else.
        let (master, slave) =
            unsafe { (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
        let mut command = self.command(args);
        command
            .env("TERM", "xterm-256color")
            .stdin(Stdio::from(slave.try_clone().unwrap()))
            .stdout(Stdio::from(slave.try_clone().unwrap()))
            .stderr(Stdio::from(slave));
        let mut child = command.spawn().unwrap();
        // The command holds the terminal's other end open.
        drop(command);
        let mut master = std::fs::File::from(master);
        // Ctrl-D on an empty line: who asks for more than was typed is answered by nobody.
        master
            .write_all(format!("{typed}\u{4}").as_bytes())
            .unwrap();
        let mut bytes = Vec::new();
        // The end of a terminal is an error, when its last other end is closed.
        let _ = master.read_to_end(&mut bytes);
        (child.wait().unwrap().code().unwrap_or(-1), bytes)
    }

    /// Starts a plan, approved, with more arguments.
    pub(crate) fn start_plan(&self, plan: &Value, args: &[&str]) -> Running {
        let path = self.plan(plan);
        let mut all = vec!["run", &path, "--yes", "--durability", "normal"];
        all.extend_from_slice(args);
        self.start(&all)
    }

    /// Runs a plan, approved, with more arguments, until it rests.
    pub(crate) fn run(&self, plan: &Value, args: &[&str]) -> Ran {
        self.start_plan(plan, args).wait()
    }

    /// The journal as another process sees it; `None` while there is none.
    pub(crate) fn try_view(&self) -> Option<View> {
        Store::open_read_only(&self.path(".divisi"), versions()).ok()
    }

    pub(crate) fn view(&self) -> View {
        self.try_view().expect("something was run")
    }

    /// A run as its rows have it, checked against the replay of all its events.
    pub(crate) fn load(&self, id: RunId) -> Run {
        let view = self.view();
        let load = |view: &View| {
            let row = view.run(id)?.expect("the run is there");
            let mut rows: Vec<TaskRow> = Vec::new();
            loop {
                let page = view.tasks(id, rows.last().map(|row| row.no), PAGE_ROWS_MAX)?;
                if page.is_empty() {
                    break;
                }
                rows.extend(page);
            }
            let all = all_events(view, id);
            let structure: Vec<(Time, Event)> = all
                .iter()
                .filter(|(_, event)| KINDS_OF_STRUCTURE.contains(&event.kind()))
                .cloned()
                .collect();
            let restored = stored::restore(id, &structure, &row, &rows).unwrap();
            let replayed = stored::replay(id, &all).unwrap();
            assert_eq!(
                kept(&restored, row.seq),
                kept(&replayed, row.seq),
                "rows are what replaying gives"
            );
            Ok(replayed)
        };
        view.consistently(load).unwrap()
    }

    /// The only run.
    pub(crate) fn only(&self) -> Run {
        self.load(FIRST)
    }

    /// All events of the only run, with their times.
    pub(crate) fn timed_events(&self) -> Vec<(Time, Event)> {
        all_events(&self.view(), FIRST)
    }

    /// Waits until an event of the only run is durable.
    pub(crate) fn until_event(&self, what: &str, is: impl Fn(&Event) -> bool) {
        until(what, || {
            let Some(view) = self.try_view() else {
                return false;
            };
            all_events(&view, FIRST).iter().any(|(_, event)| is(event))
        });
    }

    /// Live processes that some job of this project left or has.
    pub(crate) fn jobs(&self) -> Vec<i32> {
        jobs_of(&self.path(".divisi"))
    }

    /// The text of a file in the result of the only run.
    pub(crate) fn result(&self, path: &str) -> Option<String> {
        let head = self.only().integration.head.expect("the run has files");
        let output = Command::new("git")
            .arg("--git-dir")
            .arg(self.path(".divisi/repo.git"))
            .args(["cat-file", "blob", &format!("{head}:{path}")])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }
}

impl Drop for Stage {
    /// A failed test leaves no processes behind either.
    fn drop(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::thread::panicking() && Instant::now() < deadline {
            let left = self.jobs();
            left.iter().for_each(|pid| kill(*pid, libc::SIGKILL));
            if left.is_empty() {
                return;
            }
        }
    }
}

impl Running {
    pub(crate) fn pid(&self) -> i32 {
        let child = self.child.as_ref().expect("it was not waited for");
        i32::try_from(child.id()).unwrap()
    }

    /// Waits for its end. What takes too long is killed, and its output shown.
    pub(crate) fn wait(mut self) -> Ran {
        let mut child = self.child.take().expect("it is waited for once");
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let stdout = std::thread::spawn(move || read_lossy(&mut out));
        let stderr = std::thread::spawn(move || read_lossy(&mut err));
        let deadline = Instant::now() + PATIENCE;
        let mut late = false;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline && !late {
                late = true;
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        assert!(!late, "it does not end\n{stdout}\n{stderr}");
        Ran {
            code: status.code().unwrap_or(-1),
            stdout,
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Ran {
    /// Asserts the exit code; shows what was printed otherwise.
    pub(crate) fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that something was said.
    pub(crate) fn says(self, text: &str) -> Ran {
        let mut all = String::new();
        let _ = write!(all, "{}{}", self.stdout, self.stderr);
        assert!(all.contains(text), "{text:?} is not in:\n{all}");
        self
    }
}

/// What today's code reads of a journal.
pub(crate) fn versions() -> Versions {
    static KINDS: OnceLock<Vec<(&str, u32)>> = OnceLock::new();
    let kinds = || [run::KINDS, divisi_core::ledger::KINDS].concat();
    Versions::new(
        KINDS.get_or_init(kinds),
        Upcasters::current(),
        stored::VERSION,
    )
}

/// All that a run is, as it is kept, and what it owes.
fn kept(run: &Run, seq: u64) -> (RunRow, Vec<TaskRow>, Vec<Effect>) {
    let rows = (0..)
        .zip(run.tasks())
        .map(|(no, _)| stored::task_row(run, TaskNo(no)));
    (
        stored::run_row(run, seq),
        rows.collect(),
        run.owed().collect(),
    )
}

fn read_lossy(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    // A process that is killed leaves what it said.
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn all_events(view: &View, id: RunId) -> Vec<(Time, Event)> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.seq);
        let page = view.events(Stream::Run(id), after, PAGE_ROWS_MAX).unwrap();
        if page.is_empty() {
            break;
        }
        entries.extend(page);
    }
    let read = |entry: Entry| (entry.at, serde_json::from_str(&entry.body).unwrap());
    entries.into_iter().map(read).collect()
}

/// A task of a run, by name.
pub(crate) fn task<'a>(run: &'a Run, name: &str) -> &'a Task {
    let found = run
        .tasks()
        .iter()
        .find(|task| task.spec.id.as_str() == name);
    found.unwrap_or_else(|| panic!("there is no task {name}"))
}

/// How the attempts of a task ended.
pub(crate) fn endings<'a>(run: &'a Run, name: &str) -> &'a [Ending] {
    &task(run, name).endings
}

/// Each task's name and status.
pub(crate) fn statuses(run: &Run) -> Vec<(String, &'static str)> {
    let tasks = run.tasks().iter();
    tasks
        .map(|task| (task.spec.id.to_string(), task.status().word()))
        .collect()
}

/// Asserts how a run and its tasks stand.
pub(crate) fn stands(run: &Run, status: RunStatus, tasks: &[(&str, &str)]) {
    let found = statuses(run);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(name, status)| (name.as_str(), *status))
        .collect();
    assert_eq!((run.status(), &found[..]), (status, tasks));
}

pub(crate) fn kill(pid: i32, signal: i32) {
    // SAFETY: kill takes two numbers and touches no memory.
    unsafe { libc::kill(pid, signal) };
}

/// All processes there are.
pub(crate) fn pids() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Live processes whose environment carries the mark of a job, and a path in this project's folder:
/// each job is given one for what it leaves behind.
fn jobs_of(folder: &Path) -> Vec<i32> {
    let within = format!("{}/", folder.display()).into_bytes();
    let is_job = |pid: &i32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut entries = environ.split(|byte| *byte == 0);
        entries.any(|entry| entry.starts_with(b"DIVISI_JOB="))
            && environ.windows(within.len()).any(|part| part == within)
    };
    pids().filter(is_job).collect()
}

/// Live processes with this text among their arguments.
pub(crate) fn with_argument(text: &str) -> Vec<i32> {
    let has = |pid: &i32| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command
            .split(|byte| *byte == 0)
            .any(|argument| argument == text.as_bytes())
    };
    pids().filter(has).collect()
}
