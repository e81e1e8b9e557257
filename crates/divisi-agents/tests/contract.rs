//! The contract suite on the agents that there are, and on some that are broken on purpose.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use divisi_agents::adapter::{AdapterAgent, Closing, DefinedAgent, PRODUCTS};
use divisi_agents::contract::{Case, Runner, violations};
use divisi_agents::{
    Agent, Assignment, Claim, CommandAgent, Description, Launch, LaunchFault, PersonAgent, Process,
    ScriptedAgent,
};
use divisi_core::ids::TaskId;
use divisi_core::plan::{TaskSpec, Work};
use divisi_core::receipt::Exit;
use divisi_core::run::{Defined, DefinedModel, DefinedProgram, ModelBounds, Provider, Speaks};
use divisi_core::script::Script;
use divisi_core::worker::Ended;

/// Starts plain processes.
struct Plain;

impl Runner for Plain {
    fn run(&self, process: &Process) -> (Ended, String) {
        let output = Command::new(&process.argv[0])
            .args(&process.argv[1..])
            .current_dir(&process.cwd)
            .env_clear()
            .envs(&process.env)
            .stdin(Stdio::null())
            .output()
            .expect("the program is there");
        let ended = Ended {
            wall_ms: 1,
            ..Ended::of(Exit::Status(
                output.status.code().expect("it ends by itself"),
            ))
        };
        (ended, String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn task(work: Work) -> TaskSpec {
    TaskSpec {
        work,
        ..TaskSpec::command(TaskId::new("a-task").expect("an id"), &[])
    }
}

fn found(agent: &dyn Agent, possible: Work, impossible: Work) -> Vec<String> {
    found_with(agent, possible, impossible, None)
}

fn found_with(
    agent: &dyn Agent,
    possible: Work,
    impossible: Work,
    script: Option<Script>,
) -> Vec<String> {
    let case = Case {
        possible: task(possible),
        impossible: task(impossible),
        script,
    };
    let folder = tempfile::tempdir().expect("a folder");
    violations(agent, &case, folder.path(), &Plain)
}

fn script(text: &str) -> Work {
    Work::Script(text.into())
}

const NONE: [&str; 0] = [];

#[test]
fn the_command_agent_keeps_the_contract() {
    let argv = ["sh", "-c", "echo \"$GIVEN $DIVISI_TASK\" > made.txt"];
    let command = Work::Command(argv.map(str::to_owned).to_vec());
    assert_eq!(found(&CommandAgent, command, Work::Handoff), NONE);
    let lines = script("test \"$DIVISI_ATTEMPT\" = 1\necho x > made.txt");
    assert_eq!(found(&CommandAgent, lines, Work::Command(Vec::new())), NONE);
}

#[test]
fn the_person_agent_keeps_the_contract() {
    assert_eq!(found(&PersonAgent, Work::Handoff, Work::Nothing), NONE);
}

#[test]
fn the_scripted_agent_keeps_the_contract() {
    let steps = r#"{"attempts": [[{"write": {"path": "made.txt", "text": "x"}}]]}"#;
    assert_eq!(found(&ScriptedAgent, script(steps), Work::Handoff), NONE);
    assert_eq!(found(&ScriptedAgent, script(steps), script("{}")), NONE);
    // A handoff is played by what comes with it; what is a command is nobody's to play.
    let brought = Script::parse(steps).expect("a script");
    let command = Work::Command(vec!["true".into()]);
    let seen = found_with(&ScriptedAgent, Work::Handoff, command, Some(brought));
    assert_eq!(seen, NONE);
}

/// Stands in for the adapter process: works, and closes its session as that does.
fn adapter(folder: &Path) -> String {
    let closing = Closing {
        claim: Claim::Done,
        usage: None,
        denied: Vec::new(),
    };
    let lines = format!(
        "#!/bin/sh\ntest \"$1\" = adapter && echo \"$2\" > made.txt\necho '{}'\n",
        closing.to_line()
    );
    let program = folder.join("adapter");
    fs::write(&program, lines).expect("a file");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("a program");
    program.display().to_string()
}

#[test]
fn every_coding_agent_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = adapter(folder.path());
    for product in &PRODUCTS {
        let agent = AdapterAgent {
            program: program.clone(),
            product,
        };
        let seen = found(&agent, Work::Handoff, script("true"));
        assert_eq!(seen, NONE, "{}", product.name);
    }
}

#[test]
fn agents_that_are_defined_keep_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = adapter(folder.path());
    let model = Defined::Model(DefinedModel {
        provider: Provider::Ollama,
        model: "small".to_owned(),
        url: None,
        key: None,
        bounds: ModelBounds::default(),
    });
    let speaks = |speaks| {
        Defined::Program(DefinedProgram {
            command: vec!["mine".to_owned()],
            speaks,
            variables: Vec::new(),
        })
    };
    for (name, defined) in [
        ("model", model),
        ("custom.text", speaks(Speaks::Text)),
        ("custom.acp", speaks(Speaks::Acp)),
    ] {
        let agent = DefinedAgent {
            program: program.clone(),
            name: name.to_owned(),
            defined,
        };
        assert_eq!(found(&agent, Work::Handoff, script("true")), NONE, "{name}");
    }
}

#[test]
fn command_lines_that_no_process_can_be_given_are_refused() {
    let cause = |work: Work| {
        let seen = found(&CommandAgent, work, Work::Nothing);
        seen.into_iter().next().unwrap()
    };
    let argv = |parts: &[&str]| Work::Command(parts.iter().map(|&s| s.to_owned()).collect());
    assert!(cause(argv(&[])).contains("it names no program"));
    assert!(cause(argv(&[""])).contains("the program's name is empty"));
    assert!(cause(argv(&["a", "b\0"])).contains("argument 1 holds a NUL"));
    assert!(cause(script(&"x".repeat(200_000))).contains("argument 3 has 200000 bytes"));
    let many = vec!["x".repeat(100_000); 11];
    assert!(cause(Work::Command(many)).contains("1100000 bytes"));
}

/// A command agent with one thing wrong.
struct Broken {
    describe: fn(&mut Description),
    process: fn(&mut Process),
    claim: Option<Claim>,
}

impl Agent for Broken {
    fn description(&self) -> Description {
        let mut description = CommandAgent.description();
        (self.describe)(&mut description);
        description
    }

    fn launch(&self, assignment: &Assignment<'_>) -> Result<Launch, LaunchFault> {
        let mut launch = CommandAgent.launch(assignment)?;
        if let Launch::Process(process) = &mut launch {
            (self.process)(process);
        }
        Ok(launch)
    }

    fn interpret(&self, ended: &Ended, tail: &str) -> Claim {
        let claim = self.claim.clone();
        claim.unwrap_or_else(|| CommandAgent.interpret(ended, tail))
    }
}

#[test]
fn broken_agents_are_caught() {
    let sound = || Broken {
        describe: |_| {},
        process: |_| {},
        claim: None,
    };
    let check = |broken: Broken, expected: &str| {
        let seen = found(&broken, script("echo x > made.txt"), Work::Handoff);
        assert!(
            seen.iter().any(|v| v.contains(expected)),
            "{expected}: {seen:?}"
        );
    };
    let describe = |describe| Broken {
        describe,
        ..sound()
    };
    let process = |process| Broken { process, ..sound() };
    let claim = |claim| Broken {
        claim: Some(claim),
        ..sound()
    };
    assert_eq!(
        found(&sound(), script("echo x > made.txt"), Work::Handoff),
        NONE
    );
    check(describe(|d| d.name = "scripted".into()), "labelled so");
    check(describe(|d| d.name = "person".into()), "holds a slot");
    check(describe(|d| d.name = "../x".into()), "not an id");
    check(describe(|d| d.monitoring.look_ms = None), "nobody looks at");
    check(process(|p| p.masked.clear()), "must be masked");
    check(process(|p| p.cwd = "/".into()), "in its workspace");
    check(
        process(|p| p.argv.push("contract-secret-value".into())),
        "a secret stands",
    );
    check(process(|p| p.env.clear()), "drops a variable");
    check(
        process(|p| {
            p.env.insert("EXTRA".into(), "x".into());
        }),
        "nobody allowed",
    );
    check(claim(Claim::Done), "done after signal 9");
    let cause = "x".repeat(10_000);
    check(claim(Claim::Failed { cause }), "more than 4000 bytes");
}
