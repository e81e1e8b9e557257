//! Programs of all kinds in the place of an agent's, on a `PATH` of their own.

use std::fs;

use tempfile::TempDir;

use super::super::{PRODUCTS, product};
use super::*;

/// A machine with only what a test puts there.
struct Machine {
    around: TempDir,
    variables: BTreeMap<String, String>,
}

impl Machine {
    /// With this script in the place of Claude Code's program.
    fn with(script: &str) -> Machine {
        let machine = Machine::bare();
        machine.install("claude", &format!("#!/bin/sh\n{script}\n"));
        machine
    }

    fn bare() -> Machine {
        let around = TempDir::new().unwrap();
        for folder in ["bin", "home", "private"] {
            fs::create_dir(around.path().join(folder)).unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", around.path().join("bin").display());
        let mut machine = Machine {
            around,
            variables: BTreeMap::new(),
        };
        let home = machine.at("home").display().to_string();
        machine.set("PATH", &path).set("HOME", &home);
        machine
    }

    /// Another process writes the program: one that this process had open for writing could be
    /// inherited by what another test starts, and not be executed meanwhile.
    fn install(&self, program: &str, text: &str) {
        let from = self.at("text");
        fs::write(&from, text).unwrap();
        let to = self.at("bin").join(program);
        let installed = Command::new("install")
            .args(["-m", "755"])
            .args([from, to])
            .status();
        assert!(installed.unwrap().success());
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Machine {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn at(&self, path: &str) -> PathBuf {
        self.around.path().join(path)
    }

    fn detect(&self, patience: Duration) -> Detected {
        let claude = product("claude").unwrap();
        detect(claude, &self.variables, &self.at("private"), patience)
    }

    /// What comes of asking for the version.
    fn version(&self) -> Result<String, NoVersion> {
        self.detect(VERSION_PATIENCE).version.unwrap()
    }
}

#[test]
fn an_agent_that_is_there_says_its_version() {
    let tried = product("claude").unwrap().tried;
    let machine = Machine::with(&format!("echo '{tried} (Claude Code)'"));
    let detected = machine.detect(VERSION_PATIENCE);
    assert_eq!(detected.program, Some(machine.at("bin/claude")));
    assert_eq!(
        detected.version.as_ref().unwrap().as_deref().unwrap(),
        tried
    );
    assert_eq!(detected.standing(), Standing::Tested);
    let other = Machine::with("echo claude v9.9.9-beta+1").detect(VERSION_PATIENCE);
    assert_eq!(other.standing(), Standing::Unverified);
    assert_eq!(other.version.unwrap().unwrap(), "9.9.9-beta+1");
}

/// Each says just what it was tried with. That proves something only of those that the tests are run
/// with whenever something changes.
#[test]
fn who_is_not_tested_with_every_change_is_unverified_in_whatever_version() {
    let tested = ["claude", "codex", "opencode", "claude-acp", "opencode-acp"];
    for product in &PRODUCTS {
        let machine = Machine::bare();
        let tried = product.tried;
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in --version) echo {tried}; exit;; esac\nread -r _\n\
             echo '{{\"id\":0,\"result\":{{\"protocolVersion\":1,\"agentInfo\":{{\"version\":\"{tried}\"}}}}}}'\n"
        );
        machine.install(product.program, &script);
        let private = machine.at("private");
        let detected = detect(product, &machine.variables, &private, VERSION_PATIENCE);
        let name = product.name;
        let version = detected.version.as_ref().unwrap().as_deref();
        assert_eq!(version.unwrap(), tried, "{name}");
        let expected = match tested.contains(&name) {
            true => Standing::Tested,
            false => Standing::Unverified,
        };
        assert_eq!(detected.standing(), expected, "{name}");
    }
}

#[test]
fn what_is_not_there_is_missing() {
    let mut machine = Machine::bare();
    let missing = machine.detect(VERSION_PATIENCE);
    assert_eq!(missing.standing(), Standing::Missing);
    assert!(missing.program.is_none() && missing.version.is_none());
    // Neither a file that nobody may execute, nor a folder, is a program.
    fs::write(machine.at("bin/claude"), "#!/bin/sh\necho 1.2.3\n").unwrap();
    assert_eq!(
        machine.detect(VERSION_PATIENCE).standing(),
        Standing::Missing
    );
    fs::create_dir(machine.at("home/claude")).unwrap();
    let path = machine.at("home").display().to_string();
    machine.set("PATH", &path);
    assert_eq!(
        machine.detect(VERSION_PATIENCE).standing(),
        Standing::Missing
    );
    machine.variables.remove("PATH");
    assert_eq!(
        machine.detect(VERSION_PATIENCE).standing(),
        Standing::Missing
    );
}

#[test]
fn a_folder_that_depends_on_where_one_is_counts_for_nothing() {
    let claude = product("claude").unwrap();
    for path in ["", ".", "bin", "../bin:."] {
        assert_eq!(
            program(claude.program, Some(OsStr::new(path))),
            None,
            "{path:?}"
        );
    }
    let machine = Machine::with("echo 1.2.3");
    let path = format!(".:{}", machine.at("bin").display());
    let found = program(claude.program, Some(OsStr::new(&path)));
    assert_eq!(found, Some(machine.at("bin/claude")));
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_started() {
    let machine = Machine::with("sleep 600 & echo $! > \"$TMPDIR/pid\"; echo 1.2.3; wait");
    let noted = machine.at("private/pid");
    // Long enough for the note, however slow the machine is.
    let mut patience = Duration::from_millis(100);
    let pid = loop {
        let version = machine.detect(patience).version.unwrap();
        assert!(matches!(version, Err(NoVersion::Overdue(_))), "{version:?}");
        let pid = fs::read_to_string(&noted).unwrap_or_default();
        if let Ok(pid) = pid.trim().parse::<i32>() {
            break Pid::from_raw(pid).unwrap();
        }
        patience *= 2;
    };
    // It was killed; whoever reaps orphans may take a moment.
    let is_alive = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        let state = stat.ok().and_then(|stat| {
            let (_, rest) = stat.rsplit_once(')')?;
            rest.trim().chars().next()
        });
        state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
    };
    let deadline = Instant::now() + VERSION_PATIENCE;
    while is_alive() {
        assert!(Instant::now() < deadline, "{pid:?} lives on");
        std::thread::yield_now();
    }
}

#[test]
fn one_whose_child_keeps_its_output_open_is_not_waited_for() {
    let machine = Machine::with("sleep 600 & echo 1.2.3");
    assert_eq!(machine.version().unwrap(), "1.2.3");
}

#[test]
fn input_is_closed() {
    let machine = Machine::with("read -r line && echo 1.1.1 || echo 2.2.2");
    assert_eq!(machine.version().unwrap(), "2.2.2");
}

#[test]
fn garbage_is_no_version() {
    for script in [
        "true",
        "echo hello",
        "echo 1.2",
        "echo 1..2",
        "printf '\\033[31m1.2.3\\007'",
        "printf '\\377\\376\\000'",
        "printf '1.2.%050d' 3",
    ] {
        let version = Machine::with(script).version();
        assert!(
            matches!(version, Err(NoVersion::Unread)),
            "{script}: {version:?}"
        );
    }
    let version = Machine::with("echo 1.2.3; exit 3").version();
    assert!(
        matches!(version, Err(NoVersion::Failed(Exit::Status(3)))),
        "{version:?}"
    );
}

#[test]
fn a_flood_is_not_read_to_its_end() {
    let version = Machine::with("exec yes 1.2.3").version();
    assert!(matches!(version, Err(NoVersion::Flooded(_))), "{version:?}");
}

#[test]
fn what_cannot_be_executed_is_there_and_unverified() {
    let machine = Machine::bare();
    machine.install("claude", "#!/no/such/interpreter\n");
    let detected = machine.detect(VERSION_PATIENCE);
    assert_eq!(detected.standing(), Standing::Unverified);
    let version = detected.version.unwrap();
    assert!(matches!(version, Err(NoVersion::Start(_))), "{version:?}");
}

#[test]
fn no_key_is_passed_and_nothing_is_left_in_the_home() {
    let mut machine = Machine::with(
        "env > \"$TMPDIR/env\"; pwd > \"$TMPDIR/pwd\"; echo 1.2.3; : > \"$CLAUDE_CONFIG_DIR/left\"",
    );
    machine.set("ANTHROPIC_API_KEY", "sk-planted-123");
    assert_eq!(machine.version().unwrap(), "1.2.3");
    let env = fs::read_to_string(machine.at("private/env")).unwrap();
    assert!(!env.contains("sk-planted-123"), "{env}");
    assert!(env.contains("DISABLE_AUTOUPDATER=1"), "{env}");
    let at = fs::read_to_string(machine.at("private/pwd")).unwrap();
    let private = machine.at("private").canonicalize().unwrap();
    assert_eq!(Path::new(at.trim()).canonicalize().unwrap(), private);
    assert_eq!(fs::read_dir(machine.at("home")).unwrap().count(), 0);
    assert!(machine.at("private/claude/left").exists());
}

#[test]
fn a_credential_is_a_variable_by_name_or_the_login() {
    let mut machine = Machine::bare();
    let found = |machine: &Machine| machine.detect(VERSION_PATIENCE).credential;
    assert_eq!(found(&machine), None);
    // Where to ask, and which model, is no credential.
    machine.set("ANTHROPIC_BASE_URL", "http://127.0.0.1:1");
    machine
        .set("ANTHROPIC_MODEL", "m")
        .set("ANTHROPIC_API_KEY", "");
    assert_eq!(found(&machine), None);
    let login = machine.at("home/.claude/.credentials.json");
    fs::create_dir(machine.at("home/.claude")).unwrap();
    fs::write(&login, "{}").unwrap();
    assert_eq!(found(&machine), Some(Credential::File(login)));
    machine.set("ANTHROPIC_AUTH_TOKEN", "t");
    assert_eq!(
        found(&machine),
        Some(Credential::Variable("ANTHROPIC_AUTH_TOKEN"))
    );
}

#[test]
fn each_agent_declares_a_key_and_a_login() {
    for product in &super::super::PRODUCTS {
        assert!(product.keys().count() > 0, "{}", product.name);
        let logins = product.home.files.iter().filter(|lent| lent.is_login);
        assert_eq!(logins.count(), 1, "{}", product.name);
        assert!(divisi_core::run::AGENTS_INSTALLABLE.contains(&product.name));
    }
    assert_eq!(
        super::super::PRODUCTS.len(),
        divisi_core::run::AGENTS_INSTALLABLE.len()
    );
}
