//! A project with a plan, the binary run in it, and the processes that come of it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use divisi_engine::repo::{Fingerprint, user_fingerprint};
use tempfile::TempDir;

/// The binary under test.
const DIVISI: &str = env!("CARGO_BIN_EXE_divisi");

/// A process that takes longer hangs; the whole scenario takes about a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long between two looks at something that another process brings about.
pub(crate) const LOOK: Duration = Duration::from_millis(5);

/// The scenario's plan. `SIDE` stands for the file in which every attempt counts itself.
///
/// `left` and `right` change the same line, so that whichever comes second conflicts and is done
/// again on the new base; both sort its words, so that the end is the same either way. `flaky`
/// fails where it finds that it runs for the first time, and so does `planner`, whose tasks take its
/// place.
const PLAN: &str = r##"{
  "task_title": "Everything once",
  "workspace": {"copy": ["local.txt"], "setup": ["mkdir made; cp local.txt words.sh made"],
    "inputs": ["words.sh"]},
  "criteria": [
    {"contains": "words: left right", "in": "shared.txt"},
    {"command": ["grep", "-q", "whole", "flaky.md"]}
  ],
  "subtasks": [
    {"subtask_id": "a", "script": "echo a $DIVISI_JOB >> SIDE; cmp words.sh made/words.sh; cmp local.txt made/local.txt; echo alpha > a.md",
     "deliverables": ["a.md"], "criteria": [{"contains": "alpha", "in": "a.md"}]},
    {"subtask_id": "b", "script": "echo b $DIVISI_JOB >> SIDE; echo beta > b.md; mkdir -p deep/er; echo x > deep/er/x",
     "deliverables": ["b.md"], "criteria": [{"command": ["grep", "-q", "beta", "b.md"]}, {"command": ["cmp", "local.txt", "made/local.txt"]}]},
    {"subtask_id": "flaky",
     "script": "echo flaky $DIVISI_JOB >> SIDE; n=$(grep -c '^flaky ' SIDE); if [ $n = 1 ]; then echo half > flaky.md; else echo whole > flaky.md; fi",
     "deliverables": ["flaky.md"], "criteria": [{"contains": "whole", "in": "flaky.md"}]},
    {"subtask_id": "left", "script": "echo left $DIVISI_JOB >> SIDE; sh words.sh left",
     "deliverables": ["shared.txt"], "criteria": [{"contains": "left", "in": "shared.txt"}]},
    {"subtask_id": "right", "script": "echo right $DIVISI_JOB >> SIDE; sh words.sh right",
     "deliverables": ["shared.txt"], "criteria": [{"contains": "right", "in": "shared.txt"}]},
    {"subtask_id": "planner", "kind": "plan", "deliverables": ["plan.json"],
     "script": "echo planner $DIVISI_JOB >> SIDE; n=$(grep -c '^planner ' SIDE); if [ $n = 1 ]; then echo '[]' > plan.json; else sed 's|@|SIDE|' planned.txt > plan.json; fi"},
    {"subtask_id": "tell", "command": ["sh", "-c", "echo tell $DIVISI_JOB >> SIDE"],
     "dependencies": ["a"], "workspace": "shared"},
    {"subtask_id": "sum", "kind": "compose", "inputs": ["a", "b", "flaky"],
     "template": {"text": "{% for input in inputs %}{{ input.id }}: {{ input.status }}\n{% endfor %}", "output": "sum.md"},
     "criteria": [{"contains": "flaky: done", "in": "sum.md"}]},
    {"subtask_id": "outside", "kind": "external", "inputs": ["data/in.csv"],
     "deliverables": ["in.csv"], "criteria": [{"contains": "brought", "in": "in.csv"}]},
    {"subtask_id": "last", "script": "echo last $DIVISI_JOB >> SIDE; cat sum.md shared.txt a.md b.md in.csv > last.md",
     "deliverables": ["last.md"], "dependencies": ["sum", "left", "right", "tell", "outside", "planner"]}
  ]
}"##;

/// What `planner` plans. `@` stands for the file in which every attempt counts itself.
const PLANNED: &str = r#"{"stage_context": "two of a kind", "subtasks": [
  {"subtask_id": "p1", "script": "echo p1 $DIVISI_JOB >> @; echo one > p1.md", "deliverables": ["p1.md"]},
  {"subtask_id": "p2", "script": "echo p2 $DIVISI_JOB >> @; cat p1.md > p2.md", "deliverables": ["p2.md"], "inputs": ["p1"]}
]}
"#;

/// Brings a word into the line of words, sorted.
const WORDS: &str = r#"have=$(sed -n 's/^words: *//p' shared.txt)
all=$(printf '%s\n' $have "$1" | sort -u | tr '\n' ' ' | sed 's/ *$//')
sed -i "s/^words:.*/words: $all/" shared.txt
"#;

/// Tasks of the scenario that count themselves.
pub(crate) const COUNTED: [&str; 9] = [
    "a", "b", "flaky", "left", "right", "tell", "last", "p1", "p2",
];

/// A project of its own with all that belongs to it.
pub(crate) struct Stage {
    root: TempDir,
    pub(crate) project: PathBuf,
    before: Fingerprint,
    /// What the processes printed, in order.
    outputs: std::cell::Cell<u32>,
}

/// What a process of the binary is told beside its arguments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failpoint<'a> {
    /// A place, perhaps with a count.
    pub(crate) at: &'a str,
}

impl Stage {
    /// A git repository with a few files, some of them uncommitted, and the scenario's plan.
    pub(crate) fn new() -> Stage {
        let root = tempfile::Builder::new().prefix("dv").tempdir().unwrap();
        let project = root.path().join("project");
        for folder in ["project/docs", "project/data", "side", "run", "home"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::set_permissions(root.path().join("run"), fs::Permissions::from_mode(0o700)).unwrap();
        let write = |path: &str, text: &str| fs::write(project.join(path), text).unwrap();
        write("README.md", "# A project\n");
        write("docs/guide.md", "How to.\n");
        write("shared.txt", "first\nwords:\nlast\n");
        write("words.sh", WORDS);
        write("planned.txt", PLANNED);
        write("data/in.csv", "brought\n");
        // It was brought long ago: nobody need look twice whether it is whole.
        let brought = File::options()
            .write(true)
            .open(project.join("data/in.csv"))
            .unwrap();
        brought.set_modified(UNIX_EPOCH).unwrap();
        write(".gitignore", "made/\nlocal.txt\n");
        write("local.txt", "Of this machine.\n");
        git(&project, &["init", "--quiet", "--initial-branch=main"]);
        git(&project, &["config", "user.name", "Somebody"]);
        git(&project, &["config", "user.email", "somebody@example.org"]);
        git(&project, &["add", "."]);
        git(&project, &["commit", "--quiet", "--message=first"]);
        write("docs/guide.md", "How to, changed.\n");
        write("docs/new.md", "Not tracked.\n");
        let before = user_fingerprint(&project).unwrap();
        let stage = Stage {
            root,
            project,
            before,
            outputs: std::cell::Cell::new(0),
        };
        let plan = PLAN.replace("SIDE", &stage.side().to_string_lossy());
        fs::write(stage.plan(), plan).unwrap();
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The plan of the scenario.
    pub(crate) fn plan(&self) -> PathBuf {
        self.path("plan.json")
    }

    /// Writes another plan.
    pub(crate) fn write_plan(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text.replace("SIDE", &self.side().to_string_lossy())).unwrap();
        path
    }

    /// The file outside of all workspaces in which attempts count themselves.
    pub(crate) fn side(&self) -> PathBuf {
        self.path("side/counts")
    }

    /// The lines in it.
    pub(crate) fn counts(&self) -> Vec<String> {
        let text = fs::read_to_string(self.side()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn divisi(&self) -> PathBuf {
        self.project.join(".divisi")
    }

    /// The user's repository is as it was.
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(user_fingerprint(&self.project).unwrap(), self.before);
        let status = git(&self.project, &["status", "--porcelain"]);
        assert_eq!(status, " M docs/guide.md\n?? docs/new.md\n");
    }

    /// A process of the binary in this project.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(DIVISI);
        command
            .arg("--project")
            .arg(&self.project)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("EDITOR", "sed -i 's/echo one/echo two/'")
            .stdin(Stdio::null());
        command
    }

    /// Starts it; what it prints goes into a file.
    pub(crate) fn start(&self, args: &[&str], failpoint: Option<Failpoint<'_>>) -> Process {
        let number = self.outputs.get() + 1;
        self.outputs.set(number);
        let output = self.path(&format!("output-{number}"));
        let file = File::create(&output).unwrap();
        let mut command = self.command(args);
        if let Some(failpoint) = failpoint {
            command.env("DIVISI_FAILPOINT", failpoint.at);
            command.env("DIVISI_FAILPOINT_ONCE", self.died());
        }
        let child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let what = args.join(" ");
        Process {
            child,
            output,
            what,
        }
    }

    /// The file that a process makes when it dies at a failpoint.
    pub(crate) fn died(&self) -> PathBuf {
        self.path("died")
    }

    /// The user's own file of configuration: what it says needs no consent.
    pub(crate) fn settings_of_the_user(&self, text: &str) {
        let folder = self.path("home/.config/divisi");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.yaml"), text).unwrap();
    }

    /// The arguments of `run` for a plan of this stage.
    pub(crate) fn run_args(&self, plan: &Path) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut args = vec!["run".to_owned(), text(plan), "--yes".to_owned()];
        let side = text(&self.path("side"));
        // Enough for all that is ready at first, so that the two that conflict begin on one base.
        args.extend(["-j", "6", "--allow-write", &side].map(str::to_owned));
        args
    }

    /// The arguments of `resume` for a run.
    pub(crate) fn resume_args(&self, run: u32) -> Vec<String> {
        vec!["resume".to_owned(), format!("run-{run}")]
    }

    /// All processes that belong to this stage, by their environment or arguments.
    pub(crate) fn processes(&self) -> Vec<(i32, String)> {
        let needle = self.root.path().as_os_str().as_encoded_bytes().to_vec();
        let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
                continue;
            };
            let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
            let (cmdline, environ) = (read("cmdline"), read("environ"));
            // One that has ended shows neither.
            if holds(&cmdline) || holds(&environ) {
                let words = String::from_utf8_lossy(&cmdline).replace('\0', " ");
                found.push((pid, words));
            }
        }
        found
    }

    /// The supervisor of this project, if one lives.
    pub(crate) fn supervisor(&self) -> Option<i32> {
        let is = |words: &String| words.contains(" supervisor --dir ");
        let found = self.processes();
        found
            .into_iter()
            .find_map(|(pid, words)| is(&words).then_some(pid))
    }

    /// Kills the supervisor, if one lives.
    pub(crate) fn kill_supervisor(&self) {
        if let Some(pid) = self.supervisor() {
            signal(pid, libc::SIGKILL);
        }
    }

    /// Waits until no process of this stage is left.
    pub(crate) fn assert_no_process_left(&self) {
        until("no process is left", || self.processes().is_empty());
    }
}

impl Drop for Stage {
    /// A test that failed must not leave its agents behind.
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            signal(pid, libc::SIGKILL);
        }
        if std::thread::panicking() {
            let kept = self.root.path().to_owned();
            self.root.disable_cleanup(true);
            eprintln!("kept for a look: {}", kept.display());
        }
    }
}

/// A process of the binary.
pub(crate) struct Process {
    child: Child,
    output: PathBuf,
    what: String,
}

impl Process {
    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                let output = self.output();
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("divisi {} hangs; it printed:\n{output}", self.what);
            }
            look_again();
        };
        Ended {
            status,
            output: self.output(),
            what: self.what,
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it and waits for its end.
    pub(crate) fn kill(mut self) -> Ended {
        match self.child.kill() {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}"),
        }
        let status = self.child.wait().unwrap();
        Ended {
            status,
            output: self.output(),
            what: self.what,
        }
    }

    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    what: String,
}

impl Ended {
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal() == Some(libc::SIGKILL)
    }

    /// It ended by itself with this code.
    pub(crate) fn assert_code(&self, code: i32) {
        assert_eq!(
            self.status.code(),
            Some(code),
            "divisi {} printed:\n{}",
            self.what,
            self.output
        );
    }
}

/// Sends a signal; a process that is gone needs none.
pub(crate) fn signal(pid: i32, signal: i32) {
    // SAFETY: the call takes two numbers.
    unsafe { libc::kill(pid, signal) };
}

/// Looks until something is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "never: {what}");
        look_again();
    }
}

/// Another process says nothing when it has done something; it is looked at again.
fn look_again() {
    std::thread::sleep(LOOK);
}

/// What git prints in a repository.
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let done = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .args(args)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

/// Arguments as the standard library wants them.
pub(crate) fn texts(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// Scenarios that run side by side: they wait more than they compute.
const SIDE_BY_SIDE: usize = 4;

/// Plays one scenario for each case, several side by side. All are played, whichever fails.
pub(crate) fn side_by_side<T: Sync + std::fmt::Debug>(cases: &[T], play: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let played = catch_unwind(AssertUnwindSafe(|| play(case)));
                    if played.is_err() {
                        eprintln!("failed: {case:?}");
                        failed.lock().unwrap().push(format!("{case:?}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {} failed: {failed:#?}",
        failed.len(),
        cases.len()
    );
}
