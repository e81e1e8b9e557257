//! Programs of others that look at the code: which there are, when they apply, and how they are
//! run.
//!
//! Each is an entry in `data/tools.yaml`. A program that is missing, fails, takes too long or says
//! something else than expected is not a review without findings: it is named as not having
//! reviewed. What would execute the code under review, or ask other machines, runs only if that was
//! asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use divisi_core::shell;
use globset::{Glob, GlobSet, GlobSetBuilder};
use regex::Regex;
use serde::Deserialize;

use super::output::{Output, Place};
use super::perspective::Perspective;
use super::rule::Severity;
use super::words::bounded;
use crate::repo::pipes::{exchange, kill, wait};

/// What a program may print: more is no list that anybody reads.
const OUTPUT_BYTES_MAX: usize = 32 << 20;

/// Files named to one process: their names must fit a command line.
const FILES_MAX: usize = 400;

/// Processes for single files: each costs its start.
const PROCESSES_MAX: usize = 200;

/// What is said of a failure.
const CAUSE_CHARS_MAX: usize = 300;

/// A program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name here.
    pub id: String,
    /// For whom it looks.
    pub perspective: Perspective,
    /// The program.
    pub program: String,
    /// What it looks for, as a fragment.
    pub sees: String,
    /// How to get it.
    pub install: String,
    /// Patterns of files that it looks at.
    applies: Vec<String>,
    /// Files at the top without which it cannot work.
    #[serde(default)]
    needs: Vec<String>,
    /// Files at the top of which it needs one.
    #[serde(default)]
    needs_one: Vec<String>,
    command: Vec<String>,
    /// What a person types to see a finding again, if not the command itself.
    shown: Option<Vec<String>>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Whether it executes code of what is reviewed.
    #[serde(default)]
    pub executes: bool,
    /// Whether it asks other machines.
    #[serde(default)]
    pub network: bool,
    minutes: u64,
    /// Exit statuses of a run that worked.
    statuses: Vec<i32>,
    /// What in a message says that nothing was found, only not understood.
    ignores: Option<String>,
    /// What the output of a run that worked holds.
    must_hold: Option<String>,
    #[serde(default = "warning")]
    severity: Severity,
    output: Output,
}

fn warning() -> Severity {
    Severity::Warning
}

/// All programs that are known, in the order of their file.
#[must_use]
pub fn tools() -> Vec<Tool> {
    serde_saphyr::from_str(include_str!("data/tools.yaml"))
        .expect("the tools of this program are well-formed")
}

/// What tools may do, and where.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    /// The top of the working tree.
    pub(crate) root: &'a Path,
    /// A folder that is thrown away.
    pub(crate) temp: &'a Path,
    /// The files under review.
    pub(crate) reviewed: &'a BTreeSet<String>,
    /// All files under version control.
    pub(crate) tracked: &'a BTreeSet<String>,
    /// Whether code of what is reviewed may be executed.
    pub(crate) trusted: bool,
    /// Whether other machines may be asked.
    pub(crate) online: bool,
    /// Where programs are looked for.
    pub(crate) path: &'a [PathBuf],
    /// The variables that they get.
    pub(crate) env: &'a BTreeMap<String, String>,
}

/// What came of a tool.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// There is nothing for it here.
    NothingToDo,
    /// It looked.
    Ran {
        /// The command, as a person would type it.
        command: String,
        /// What it said.
        said: Vec<Said>,
        /// What it did not get to.
        left: Option<String>,
    },
    /// It did not look, and why.
    NotRun(String),
}

/// A place with the command that shows it again.
#[derive(Debug)]
pub(crate) struct Said {
    /// What was said.
    pub(crate) place: Place,
    /// How much it weighs.
    pub(crate) severity: Severity,
    /// The command, as a person would type it.
    pub(crate) command: String,
}

impl Tool {
    /// Runs it, if it applies and may.
    pub(crate) fn run(&self, ground: &Ground<'_>) -> Outcome {
        let files = self.files(ground.reviewed);
        let has = |path: &String| ground.tracked.contains(path);
        if files.is_empty() || !self.needs.iter().all(has) {
            return Outcome::NothingToDo;
        }
        if !self.needs_one.is_empty() && !self.needs_one.iter().any(has) {
            return Outcome::NothingToDo;
        }
        if self.executes && !ground.trusted {
            return Outcome::NotRun(
                "it executes code of what is reviewed; if you trust that, ask for it with \
                 `--trusted`"
                    .into(),
            );
        }
        if self.network && !ground.online {
            return Outcome::NotRun("it asks other machines; ask for it with `--online`".into());
        }
        let Some(program) = self.find(ground) else {
            return Outcome::NotRun(format!(
                "`{}` is not installed; to get it: `{}`",
                self.program, self.install
            ));
        };
        match self.look(ground, &program, &files) {
            Ok(outcome) => outcome,
            Err(cause) => {
                Outcome::NotRun(format!("it failed: {}", bounded(&cause, CAUSE_CHARS_MAX)))
            }
        }
    }

    /// Those of the files that it looks at.
    fn files<'a>(&self, files: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        let globs = globs(&self.applies);
        let matching = files.into_iter().filter(|path| globs.is_match(path));
        matching.cloned().collect()
    }

    /// The program among the folders of `PATH`. A folder that is named relatively may belong to
    /// what is reviewed, and is not looked into; a project's own programs are executed only if
    /// they may be.
    fn find(&self, ground: &Ground<'_>) -> Option<PathBuf> {
        let own = ground.root.join("node_modules/.bin");
        let own = (self.executes && ground.trusted).then_some(&own);
        own.into_iter()
            .chain(ground.path.iter().filter(|folder| folder.is_absolute()))
            .map(|folder| folder.join(&self.program))
            .find(|program| program.is_file())
    }

    fn look(
        &self,
        ground: &Ground<'_>,
        program: &Path,
        files: &[String],
    ) -> Result<Outcome, String> {
        let deadline = Instant::now() + Duration::from_secs(self.minutes * 60);
        let single = self.command.iter().any(|word| word == "{file}");
        let batch = if single { 1 } else { FILES_MAX };
        let takes_files = single || self.command.iter().any(|word| word == "{files}");
        let batches: Vec<&[String]> = match takes_files {
            true => files.chunks(batch).take(PROCESSES_MAX).collect(),
            false => vec![&[]],
        };
        let looked_at: usize = batches.iter().map(|batch| batch.len()).sum();
        let mut said = Vec::new();
        for batch in batches {
            for place in self.places(ground, program, batch, deadline)? {
                let file = relative(&place.file, ground.root, batch);
                let command = match &self.shown {
                    Some(shown) => self.words(shown, std::slice::from_ref(&file), ground),
                    None if takes_files => {
                        self.words(&self.command, std::slice::from_ref(&file), ground)
                    }
                    None => self.words(&self.command, &[], ground),
                };
                let severity = place.severity.unwrap_or(self.severity);
                said.push(Said {
                    place: Place { file, ..place },
                    severity,
                    command: shell::line(&command),
                });
            }
        }
        let left = (takes_files && looked_at < files.len())
            .then(|| format!("{} more files", files.len() - looked_at));
        let shown = self.shown.as_ref().unwrap_or(&self.command);
        Ok(Outcome::Ran {
            command: shell::line(shown),
            said,
            left,
        })
    }

    /// Runs one process.
    fn places(
        &self,
        ground: &Ground<'_>,
        program: &Path,
        files: &[String],
        deadline: Instant,
    ) -> Result<Vec<Place>, String> {
        let words = self.words(&self.command, files, ground);
        let temp = ground.temp.to_string_lossy();
        let mut command = Command::new(program);
        command
            .args(&words[1..])
            .env_clear()
            .envs(ground.env)
            .env("TMPDIR", ground.temp)
            .envs(
                self.env
                    .iter()
                    .map(|(name, value)| (name, value.replace("{temp}", &temp))),
            )
            .current_dir(ground.root)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let result = exchange(&mut child, &[], OUTPUT_BYTES_MAX, deadline)
            .and_then(|(out, err)| Ok((wait(&mut child, deadline)?, out, err)));
        let (status, out, err) = result.map_err(|error| {
            kill(&mut child);
            error.to_string()
        })?;
        let worked = status
            .code()
            .is_some_and(|code| self.statuses.contains(&code));
        let holds = self
            .must_hold
            .as_deref()
            .is_none_or(|text| contains(&out, text));
        if !worked || !holds {
            let words = String::from_utf8_lossy(if err.is_empty() { &out } else { &err });
            let last = words.lines().rev().find(|line| !line.trim().is_empty());
            return Err(format!(
                "{status}: {}",
                last.unwrap_or("it said nothing").trim()
            ));
        }
        let mut places = self.output.read(&out, &err)?;
        if places.is_empty() && !status.success() {
            return Err(format!("{status}, and it named no place"));
        }
        if let Some(ignores) = &self.ignores {
            let ignores = Regex::new(ignores).map_err(|error| error.to_string())?;
            places.retain(|place| !ignores.is_match(&place.message));
        }
        Ok(places)
    }

    /// A command with what its placeholders stand for.
    fn words(&self, command: &[String], files: &[String], ground: &Ground<'_>) -> Vec<String> {
        let named = || {
            files.iter().map(|file| match file.starts_with('-') {
                true => format!("./{file}"),
                false => file.clone(),
            })
        };
        let temp = ground.temp.to_string_lossy();
        let mut words = Vec::new();
        for word in command {
            match word.as_str() {
                "{files}" | "{file}" => words.extend(named()),
                word => words.push(word.replace("{temp}", &temp)),
            }
        }
        words
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

fn globs(patterns: &[String]) -> GlobSet {
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        globs.add(Glob::new(pattern).expect("the patterns of the tools are well-formed"));
    }
    globs
        .build()
        .expect("the patterns of the tools are well-formed")
}

/// A file as the repository names it.
fn relative(file: &str, root: &Path, batch: &[String]) -> String {
    let below = Path::new(file)
        .strip_prefix(root)
        .ok()
        .and_then(Path::to_str);
    let file = below.unwrap_or(file).trim_start_matches("./");
    match batch {
        // A program that was given one file may name it by its last part.
        [only] if only.ends_with(file) => only.clone(),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_well_formed() {
        let mut ids = BTreeSet::new();
        for tool in tools() {
            assert!(ids.insert(tool.id.clone()), "{} twice", tool.id);
            assert_eq!(tool.command.first(), Some(&tool.program), "{}", tool.id);
            let none = "no ending that a tool knows".to_owned();
            assert!(tool.files([&none]).is_empty(), "{}", tool.id);
            assert!(tool.output.read(b"", b"").is_ok() || tool.output.read(b"[]", b"").is_ok());
        }
    }

    /// What each program printed once, and the places in it.
    #[test]
    fn transcripts_are_read() {
        let clippy = r#"{"reason":"compiler-artifact","package_id":"a"}
{"reason":"compiler-message","message":{"code":{"code":"clippy::needless_return","explanation":null},"level":"warning","message":"unneeded `return` statement","spans":[{"file_name":"src/lib.rs","is_primary":false,"line_start":1,"label":null},{"file_name":"src/lib.rs","is_primary":true,"line_start":3,"label":null}]}}
{"reason":"compiler-message","message":{"code":null,"level":"warning","message":"1 warning emitted","spans":[]}}
{"reason":"build-finished","success":true}"#;
        let doc = r#"{"reason":"compiler-message","message":{"code":{"code":"rustdoc::broken_intra_doc_links","explanation":null},"level":"warning","message":"unresolved link to `X`","spans":[{"file_name":"src/lib.rs","is_primary":true,"line_start":2}]}}
{"reason":"compiler-message","message":{"code":{"code":"unused_variables","explanation":null},"level":"warning","message":"unused variable: `x`","spans":[{"file_name":"src/lib.rs","is_primary":true,"line_start":9}]}}"#;
        let eslint = r#"[{"filePath":"/p/c.js","messages":[{"ruleId":"no-undef","severity":2,"message":"'y' is not defined.","line":2,"column":23}],"errorCount":1}]"#;
        let audit = r#"{"database":{"advisory-count":1},"lockfile":{"dependency-count":2},"vulnerabilities":{"found":true,"count":1,"list":[{"advisory":{"id":"RUSTSEC-2020-0071","package":"time","title":"Potential segfault in the time crate"},"package":{"name":"time","version":"0.1.43"}}]},"warnings":{}}"#;
        let npm = r#"{"auditReportVersion":2,"vulnerabilities":{"left":{"name":"left","severity":"high","via":[{"source":1,"name":"left","title":"Prototype pollution","url":"https://a/1","severity":"moderate"},"other"]}}}"#;
        let ruff = r#"[{"cell":null,"code":"F821","filename":"/p/a.py","location":{"column":5,"row":2},"message":"Undefined name `x`","severity":"error"}]"#;
        let node = "/p/bad.js:2\nfunction ( {\n^^^^^^^^\n\nSyntaxError: Function statements require a function name\n    at wrapSafe (node:internal/modules/cjs/loader:1464:18)\n";
        for (id, out, err, expected) in [
            (
                "cargo-clippy",
                clippy,
                "",
                "src/lib.rs:3 clippy::needless_return warning unneeded `return` statement",
            ),
            (
                "cargo-doc",
                doc,
                "",
                "src/lib.rs:2 rustdoc::broken_intra_doc_links warning unresolved link to `X`",
            ),
            (
                "cargo-audit",
                audit,
                "",
                "Cargo.lock:0 RUSTSEC-2020-0071  Potential segfault in the time crate",
            ),
            ("ruff", ruff, "", "/p/a.py:2 F821  Undefined name `x`"),
            (
                "python-syntax",
                "a.py:2: SyntaxError: invalid syntax\n",
                "",
                "a.py:2   SyntaxError: invalid syntax",
            ),
            (
                "mypy",
                "m.py:2: error: Incompatible return value type  [return-value]\n",
                "",
                "m.py:2 return-value error Incompatible return value type",
            ),
            (
                "shellcheck",
                "b.sh:2:6: warning: a is referenced but not assigned. [SC2154]\n",
                "",
                "b.sh:2 SC2154 warning a is referenced but not assigned.",
            ),
            (
                "node-syntax",
                "",
                node,
                "bad.js:2   SyntaxError: Function statements require a function name",
            ),
            (
                "eslint",
                eslint,
                "",
                "/p/c.js:2 no-undef error 'y' is not defined.",
            ),
            (
                "go-vet",
                "",
                "# a\nvet: ./b.go:3:9: expected ')', found '{'\n",
                "./b.go:3   expected ')', found '{'",
            ),
            (
                "npm-audit",
                npm,
                "",
                "package-lock.json:0 https://a/1 warning Prototype pollution",
            ),
        ] {
            let tool = tools().into_iter().find(|tool| tool.id == id).unwrap();
            let places = tool.output.read(out.as_bytes(), err.as_bytes()).unwrap();
            let shown: Vec<String> = places
                .iter()
                .map(|place| {
                    let severity = place.severity.map_or("", Severity::word);
                    format!(
                        "{}:{} {} {severity} {}",
                        place.file, place.line, place.rule, place.message
                    )
                })
                .collect();
            assert_eq!(shown, [expected], "{id}");
        }
        let searched = |id: &str, out: &str| {
            let tool = tools().into_iter().find(|tool| tool.id == id).unwrap();
            tool.output.read(out.as_bytes(), b"").unwrap()[0]
                .search
                .clone()
        };
        assert_eq!(
            searched("npm-audit", npm).as_deref(),
            Some("\"node_modules/left\"")
        );
        assert_eq!(
            searched("cargo-audit", audit).as_deref(),
            Some("name = \"time\"")
        );
    }

    #[test]
    fn a_tool_that_does_not_end_is_ended() {
        let text = "{id: a, perspective: docs, program: sleep, sees: b, install: c, applies: ['*'], \
                    command: [sleep, '600'], minutes: 0, statuses: [0], output: {lines: {pattern: d}}}";
        let tool: Tool = serde_saphyr::from_str(text).unwrap();
        let files = BTreeSet::from(["a".to_owned()]);
        let ground = Ground {
            root: Path::new("/"),
            temp: Path::new("/"),
            reviewed: &files,
            tracked: &files,
            trusted: false,
            online: false,
            path: &["/bin".into(), "/usr/bin".into()],
            env: &BTreeMap::new(),
        };
        match tool.run(&ground) {
            Outcome::NotRun(why) => assert_eq!(why, "it failed: it did not end in time"),
            other => panic!("{other:?}"),
        }
    }
}
