//! What Divisi adds to a coding agent: a run of one task beside the same command line tool started by
//! hand, both against the scripted model of the tests with real agents.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::measure::{self, Memory, Usage, median};
use super::project::{Bench, Folder, run_arguments};
use super::report::Section;
use crate::Result;

#[path = "../../../crates/divisi/tests/agents/model/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "shared with tests, which need more"
)]
#[expect(
    clippy::unwrap_used,
    reason = "it is a test's code, which may fail the test"
)]
mod model;

use model::{Call, Model, Rule, Turn};

/// What a task may take beside its agent.
const WALL_LIMIT_MS: f64 = 150.0;
const MEMORY_LIMIT_MIB: f64 = 30.0;

/// The tools' own times vary by more than what is measured: as many more pairs as of other parts.
const PAIRS: usize = 3;

/// What is asked, in both runs.
const WORDS: &str = "TASK-part: write part.md.";

/// A tool, and how it is started by hand to do the same: with leave to do all that it is asked, where
/// Divisi answers it.
struct Tool {
    name: &'static str,
    /// Its arguments where its writes are not confined.
    arguments: &'static [&'static str],
    /// Variables that it is given in both runs; `ADDRESS` stands for the model's address.
    variables: &'static [(&'static str, &'static str)],
    /// Variables that name folders of its own below the home, which a run gives each attempt.
    folders: &'static [(&'static str, &'static str)],
    /// A file of configuration below the home, with its text.
    file: Option<(&'static str, &'static str)>,
}

const TOOLS: [Tool; 3] = [
    Tool {
        name: "claude",
        arguments: &[
            "-p",
            "--output-format",
            "stream-json",
            "--verbose",
            "--permission-mode",
            "acceptEdits",
            "--allowedTools",
            "Bash",
        ],
        variables: &[
            ("ANTHROPIC_API_KEY", "scripted"),
            ("ANTHROPIC_BASE_URL", "ADDRESS"),
            ("CLAUDE_CODE_DISABLE_CLAUDE_MDS", "1"),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
            ("DISABLE_ERROR_REPORTING", "1"),
            ("DISABLE_TELEMETRY", "1"),
            ("MCP_CONNECTION_NONBLOCKING", "0"),
        ],
        folders: &[("CLAUDE_CONFIG_DIR", ".claude")],
        file: None,
    },
    Tool {
        name: "codex",
        arguments: &[
            "exec",
            "--json",
            "--sandbox",
            "danger-full-access",
            "--skip-git-repo-check",
            "-",
        ],
        variables: &[("OPENAI_API_KEY", "scripted")],
        folders: &[("CODEX_HOME", ".codex")],
        file: Some((
            ".codex/config.toml",
            "model = \"scripted\"\nmodel_provider = \"scripted\"\n\
             check_for_update_on_startup = false\n[analytics]\nenabled = false\n\
             [model_providers.scripted]\nname = \"scripted\"\nbase_url = \"ADDRESS/v1\"\n\
             env_key = \"OPENAI_API_KEY\"\nwire_api = \"responses\"\n",
        )),
    },
    Tool {
        name: "opencode",
        arguments: &["run", "--format", "json"],
        variables: &[
            ("OPENAI_API_KEY", "scripted"),
            ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
        ],
        folders: &[
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_STATE_HOME", ".local/state"),
            ("npm_config_cache", ".cache/npm"),
        ],
        file: Some((
            ".config/opencode/opencode.json",
            "{\"model\": \"scripted/scripted\", \"autoupdate\": false, \
             \"permission\": {\"edit\": \"allow\", \"bash\": \"allow\"}, \
             \"provider\": {\"scripted\": {\"npm\": \"@ai-sdk/openai-compatible\", \
             \"name\": \"scripted\", \"options\": {\"baseURL\": \"ADDRESS/v1\", \
             \"apiKey\": \"{env:OPENAI_API_KEY}\"}, \
             \"models\": {\"scripted\": {\"name\": \"scripted\"}}}}}",
        )),
    },
];

/// A table with a row for each tool.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let mut section = Section::default();
    let mut rows = Vec::new();
    for tool in &TOOLS {
        let measured = measure_tool(bench, tool)?;
        let (with, bare) = (measured.with_ms(), measured.bare_ms());
        let (wall, memory) = (measured.added_ms(), measured.together_mib());
        rows.push(vec![
            tool.name.to_owned(),
            format!("{with:.0}"),
            format!("{bare:.0}"),
            section.limit(wall, WALL_LIMIT_MS, format!("{wall:.0}")),
            WALL_LIMIT_MS.to_string(),
            section.limit(memory, MEMORY_LIMIT_MIB, format!("{memory:.1}")),
            MEMORY_LIMIT_MIB.to_string(),
            format!("{:.1}", measured.peaks_mib()),
        ]);
    }
    let text = format!(
        "Medians of {} pairs of runs after one uncounted, in turn; what is added is the median of \
         the pairs' differences. Memory is the most that engine, supervisor and adapter hold at one \
         time, pages that they share counted once (`Pss`); beside it the sum of their peaks \
         (`VmHWM`), such pages counted for each; medians of {} runs more, since to look takes time.",
        pairs(bench),
        bench.runs()
    );
    section.paragraph(&text);
    let head = [
        "agent",
        "with Divisi, ms",
        "by hand, ms",
        "added, ms",
        "limit",
        "memory, MiB",
        "limit",
        "sum of peaks, MiB",
    ];
    section.table(&head, &rows);
    Ok(section)
}

/// Runs of one tool, in pairs, and others whose memory was looked at: to look takes time.
#[derive(Default)]
struct Measured {
    with: Vec<Usage>,
    bare: Vec<Usage>,
    memory: Vec<Memory>,
}

fn ms(usage: &Usage) -> f64 {
    usage.wall.as_secs_f64() * 1e3
}

impl Measured {
    fn with_ms(&self) -> f64 {
        let all: Vec<f64> = self.with.iter().map(ms).collect();
        median(&all)
    }

    fn bare_ms(&self) -> f64 {
        let all: Vec<f64> = self.bare.iter().map(ms).collect();
        median(&all)
    }

    fn added_ms(&self) -> f64 {
        let pairs = self.with.iter().zip(&self.bare);
        let all: Vec<f64> = pairs.map(|(with, bare)| ms(with) - ms(bare)).collect();
        median(&all)
    }

    fn together_mib(&self) -> f64 {
        self.mib(|memory| memory.together_kib)
    }

    fn peaks_mib(&self) -> f64 {
        self.mib(|memory| memory.peak_kib)
    }

    fn mib(&self, kib: impl Fn(&Memory) -> u64) -> f64 {
        let all = self.memory.iter();
        let all: Vec<f64> = all.map(|memory| kib(memory) as f64 / 1024.0).collect();
        median(&all)
    }
}

fn pairs(bench: &Bench) -> usize {
    PAIRS * bench.runs()
}

fn measure_tool(bench: &Bench, tool: &Tool) -> Result<Measured> {
    let model = scripted();
    let mut measured = Measured::default();
    for counted in 0..=pairs(bench) {
        let with = with_divisi(bench, tool, &model.url(), measure::run)?;
        let bare = by_hand(bench, tool, &model.url())?;
        if counted > 0 {
            measured.with.push(with);
            measured.bare.push(bare);
        }
    }
    for _ in 0..bench.runs() {
        let looked_at = |command: &mut Command| measure::run_with_memory(command, &bench.divisi);
        let (_, memory) = with_divisi(bench, tool, &model.url(), looked_at)?;
        measured.memory.push(memory);
    }
    Ok(measured)
}

/// A model that has the file written, and then says that it is.
fn scripted() -> Model {
    let call = Call::Write {
        path: "part.md".to_owned(),
        content: "# Part\n".to_owned(),
    };
    let turn = |call: Option<Call>| Turn {
        say: "I write it.".to_owned(),
        call,
        ..Turn::default()
    };
    Model::start(vec![Rule {
        words: vec!["TASK-part".to_owned()],
        turns: vec![turn(Some(call)), turn(None)],
    }])
}

fn with_divisi<M>(
    bench: &Bench,
    tool: &Tool,
    url: &str,
    measure: impl FnOnce(&mut Command) -> Result<M>,
) -> Result<M> {
    let folder = project(bench, tool, url)?;
    let plan = json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part", "description": WORDS, "agent": tool.name,
        "deliverables": ["part.md"],
    }]});
    folder.write("plan.json", &plan.to_string())?;
    let mut command = folder.command(&bench.divisi, &run_arguments("normal"))?;
    set(&mut command, bench, tool, url, folder.path())?;
    measure(&mut command).map_err(|error| folder.with_log(&error))
}

fn by_hand(bench: &Bench, tool: &Tool, url: &str) -> Result<Usage> {
    let folder = project(bench, tool, url)?;
    folder.write("words", WORDS)?;
    let program = installed(bench)?.join(tool.name);
    let mut command = folder.command(program, tool.arguments)?;
    set(&mut command, bench, tool, url, folder.path())?;
    let home = folder.path().join("home");
    let folders = tool.folders.iter();
    command.envs(folders.map(|(name, below)| (name, home.join(below))));
    command.stdin(Stdio::from(std::fs::File::open(
        folder.path().join("words"),
    )?));
    let usage = measure::run(&mut command).map_err(|error| folder.with_log(&error))?;
    match folder.path().join("part.md").exists() {
        true => Ok(usage),
        false => Err(folder.with_log(&format!("{} wrote nothing", tool.name).into())),
    }
}

/// A repository with one commit, and a home with what the tool needs to be told.
fn project(bench: &Bench, tool: &Tool, url: &str) -> Result<Folder> {
    let folder = bench.folder()?;
    let home = folder.path().join("home");
    std::fs::create_dir(&home)?;
    if let Some((path, text)) = tool.file {
        let path = home.join(path);
        std::fs::create_dir_all(path.parent().ok_or("a file has a folder")?)?;
        std::fs::write(path, text.replace("ADDRESS", url))?;
    }
    folder.write("README.md", "# A project\n")?;
    folder.write(".gitignore", "home\nbench.log\nplan.json\nwords\n")?;
    let identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--no-gpg-sign", "--message", "first"],
    ] {
        let git = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(folder.path())
            .status()?;
        if !git.success() {
            return Err(format!("git {} failed", arguments[0]).into());
        }
    }
    Ok(folder)
}

/// The environment of both runs, and nothing else.
fn set(command: &mut Command, bench: &Bench, tool: &Tool, url: &str, project: &Path) -> Result<()> {
    let path = std::env::var("PATH")?;
    command
        .env_clear()
        .env("PATH", format!("{}:{path}", installed(bench)?.display()))
        .env("HOME", project.join("home"))
        .env("XDG_RUNTIME_DIR", project.join("home"));
    for (name, value) in tool.variables {
        command.env(name, value.replace("ADDRESS", url));
    }
    Ok(())
}

/// Where `cargo xtask agents` puts the tools.
fn installed(bench: &Bench) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or(bench.root.join("target"), PathBuf::from);
    let bin = target.join("agents/node_modules/.bin");
    match bin.is_dir() {
        true => Ok(bin),
        false => Err("install the coding agents first: `cargo xtask agents`".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_added_is_the_median_of_differences() {
        let usage = |ms| Usage {
            wall: Duration::from_millis(ms),
            cpu: Duration::ZERO,
        };
        let memory = |together_kib| Memory {
            processes: 3,
            peak_kib: 3 * together_kib,
            together_kib,
        };
        let measured = Measured {
            with: vec![usage(1_100), usage(2_130), usage(900)],
            bare: vec![usage(1_000), usage(2_000), usage(500)],
            memory: vec![memory(1_024), memory(2_048), memory(4_096)],
        };
        assert_eq!(measured.added_ms().round(), 130.0);
        assert_eq!((measured.together_mib(), measured.peaks_mib()), (2.0, 6.0));
        assert_eq!((measured.with_ms(), measured.bare_ms()), (1_100.0, 1_000.0));
    }
}
