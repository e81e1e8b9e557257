use insta::assert_snapshot;

use divisi_core::run::Budget;
use divisi_core::run::explain::Shared;
use divisi_core::{Criterion, Verdict};

use super::*;
use crate::given::{Given, id, plan, task, written};
use crate::scenes;

/// A task as it is shown; the project's folder is written `PROJECT`.
fn shown(given: &Given, name: &str) -> String {
    let project = project(given);
    let run = given.run();
    let no = run.find(&id(name)).expect("it is a task");
    let told = explain(&run, no, given.now(), &Shared::default()).expect("it is a task");
    text(
        &project,
        &task_lines(&project, &run, no, &told, None, given.now()),
    )
}

fn project(given: &Given) -> Project {
    let global = Global {
        project: Some(given.folder().to_owned()),
        ..Global::default()
    };
    Project::find(&global).expect("the folder is there")
}

fn text(project: &Project, lines: &[Line]) -> String {
    let text: String = lines.iter().map(|line| line.render(false) + "\n").collect();
    text.replace(&project.folder().display().to_string(), "PROJECT")
}

#[test]
fn a_task_that_failed_shows_each_attempt() {
    assert_snapshot!(shown(&scenes::busy(), "build"), @"
    build  the build work  blocked
      it failed 3 times; the last time checks refused it: the command ended with exit status 3, expected 0
      → divisi show run-1 build
      → divisi logs run-1 build
      → divisi retry run-1 build --note HINT
      → divisi reject run-1 build --reason WHY

    kind        work
    agent       command
    command     true
    criterion   exit status
    workspace   shared
    time box    30 min

    attempt 1 by command, 4.0 s: checks refused it: the command ended with exit status 3, expected 0
      submitted   exit status 3 after 2.0 s, printed 4.0 KiB
      collected   nothing to collect
      fail  exit status
          the command ended with exit status 3, expected 0

    attempt 2 by command, 2.0 s: checks refused it: the command ended with exit status 3, expected 0
      submitted   exit status 3 after 2.0 s, printed 4.0 KiB
      collected   nothing to collect
      fail  exit status
          the command ended with exit status 3, expected 0

    attempt 3 by command, 2.0 s: checks refused it: the command ended with exit status 3, expected 0
      submitted   exit status 3 after 2.0 s, printed 4.0 KiB
      collected   nothing to collect
      fail  exit status
          the command ended with exit status 3, expected 0
    ");
}

#[test]
fn a_task_that_awaits_judgment_shows_its_verdicts_and_evidence() {
    assert_snapshot!(shown(&scenes::busy(), "draft"), @r###"
    draft  the draft work  blocked
      no rule can tell whether this holds: it reads well
      → divisi diff run-1 draft
      → divisi approve run-1 draft --note SEEN
      → divisi reject run-1 draft --reason WHY

    kind        work
    agent       scripted (no real agent)
    deliverable draft.md
    criterion   draft.md contains "## API"
    criterion   it reads well
    workspace   worktree
    time box    30 min

    attempt 1 by scripted (no real agent), for 10 s: awaits a person's judgment
      submitted   exit status 0 after 2.0 s, printed 4.0 KiB
      collected   snapshot 222222222222
        draft.md  2.0 KiB, aaaaaaaaaaaa
      pass, proves nothing  draft.md contains "## API"
      unverified  it reads well
          line one
          �[31mred���2J
    "###);
}

#[test]
fn a_done_task_shows_its_receipts() {
    assert_snapshot!(shown(&scenes::succeeded(), "draft"), @r###"
    draft  the draft work  done
      it is done

    kind        work
    agent       writer
    deliverable draft.md
    criterion   draft.md contains "## API"
    criterion   it reads well
    workspace   worktree
    time box    30 min

    attempt 1 by writer, 7.0 s: it was integrated
      submitted   exit status 0 after 2.0 s, printed 4.0 KiB
        it did not say what it used: of a budget, all that was reserved is charged
      collected   snapshot 222222222222
        draft.md  2.0 KiB, aaaaaaaaaaaa
      verified    tree 777777777777
        pass, proves nothing  draft.md contains "## API"
        waived  it reads well
            fine for now
      integrated  as 333333333333, tree 888888888888
      its writes were not confined
      not copied into its workspace: .env: it holds the value of a secret
    "###);
}

#[test]
fn log_and_workspace_are_named_where_they_are() {
    let given = scenes::succeeded();
    let project = project(&given);
    let log = project.log(given.run().id, &id("draft"), 1);
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    std::fs::write(&log, "x").unwrap();
    let shown = shown(&given, "draft");
    assert!(
        shown.contains("PROJECT/.divisi/runs/run-1/logs/draft.1.log"),
        "{shown}"
    );
    assert!(!shown.contains("worktrees"), "{shown}");
}

#[test]
fn what_a_failed_program_printed_last_is_shown_and_a_good_ones_is_not() {
    for (status, told) in [(7, true), (0, false)] {
        let criteria = vec![Criterion::File {
            path: "a.md".to_owned(),
            min_bytes: 1,
        }];
        let mut given = Given::run_of(plan("Ship it", vec![written("a", "command", criteria)]));
        let missing = Verdict::fail(0, "a.md is missing");
        given
            .ends("a", status)
            .collected("a")
            .checked("a", vec![missing]);
        let project = project(&given);
        let log = project.log(given.run().id, &id("a"), 1);
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        std::fs::write(&log, "begun\ncannot open foo\n").unwrap();
        let shown = shown(&given, "a");
        let line = "  last line   cannot open foo";
        assert_eq!(shown.contains(line), told, "exit status {status}:\n{shown}");
    }
}

#[test]
fn a_budget_is_shown_as_its_account_has_it() {
    let mut given = Given::bounded(
        plan("Ship it", vec![task("a", &[]), task("b", &["a"])]),
        Budget {
            attempts: Some(1),
            ..Budget::default()
        },
    );
    given.ends("a", 0);
    let project = project(&given);
    let shown = |given: &Given| {
        let run = given.run();
        let balance = (loaded::shared(&project.view().unwrap(), run.id).unwrap())
            .balance(run.id)
            .copied();
        let document = run_document(&project, &run, balance, &[]);
        let text = text(&project, &run_lines(&project, &run, balance, &[]));
        let lines = text.lines().filter(|line| {
            line.starts_with("budget") || line.starts_with("paused") || line.contains('→')
        });
        (lines.collect::<Vec<_>>().join("\n"), document)
    };
    let (lines, document) = shown(&given);
    assert_snapshot!(lines, @"
    paused      the budget of run-1 is used up: 1 attempt
                → divisi resume run-1 --budget N-attempts
    budget      1 attempt, 1 used or reserved
    ");
    assert_eq!(document["budget"]["budget"]["attempts"], 1);
    assert_eq!(document["settings"].get("budget"), None, "a second truth");
    given.permit(Budget {
        attempts: Some(4),
        time_ms: Some(60_000),
        ..Budget::default()
    });
    let (lines, document) = shown(&given);
    assert_snapshot!(lines, @"
    paused      the budget of run-1 is used up: 1 attempt
                → divisi resume run-1 --budget N-attempts
    budget      4 attempts, 1 used or reserved
    budget      1 min of agents' time, 2.0 s used or reserved
    ");
    assert_eq!(document["budget"]["budget"]["attempts"], 4);
}

#[test]
fn a_paused_run_is_not_said_to_run_and_a_command_can_be_pasted() {
    let mut one = task("a", &[]);
    one.work = Work::Command(["sh", "-c", "echo it"].map(str::to_owned).to_vec());
    let mut given = Given::run_of(plan("Ship it", vec![one]));
    assert!(shown(&given, "a").contains("command     sh -c 'echo it'"));
    given.ask(divisi_core::run::Command::Pause {
        reason: divisi_core::run::PauseReason::Owner,
        stop: false,
    });
    let lines = run_lines(&project(&given), &given.run(), None, &[]);
    assert_eq!(lines[0].render(false), "run-1  Ship it  paused");
}

#[test]
fn a_run_shows_its_base_its_numbers_and_its_tasks() {
    let given = scenes::succeeded();
    let project = project(&given);
    let lines = run_lines(&project, &given.run(), None, &[]);
    let dated = |line: &&Line| {
        let line = line.render(false);
        line.starts_with("created") || line.starts_with("ended")
    };
    let undated: Vec<Line> = lines.iter().filter(|line| !dated(line)).cloned().collect();
    assert_eq!(
        lines.len() - undated.len(),
        2,
        "the two lines that hold local times"
    );
    assert_snapshot!(text(&project, &undated), @"
    run-1  Ship it  succeeded
    progress    2 of 2 done
    base        main at 111111111111, without 1 uncommitted path
                  notes.txt
    workers     4
    time box    30 min
    plan        revision 1
    head        333333333333
    folder      PROJECT/.divisi/runs/run-1

    criteria of the whole
      pass  `make test` exits with 0

    tasks
      done        lint  the lint work
      done        draft  the draft work
    ");
}

#[test]
fn a_run_shows_what_it_is_for_and_how_its_plan_came_of_it() {
    let given = scenes::meant();
    let lines = intent_lines(given.run().intent.as_deref().expect("it has one"));
    assert_snapshot!(text(&project(&given), &lines), @"
    asked       Migrate the database, with docs
    understood  Migrate the database to Postgres, with docs
    assessed    pack, sure
                It names several domains (docs).
    rules       several-domains (docs) for plan
    facts       2 parts for developer, tech_writer
    answered    To what? Postgres
    assumed     What else belongs to it? only what is named
    planned     by rule, as the workflow code-review has it
    left out    nobody looked at the manual
    ");
    let document = run_document(&project(&given), &given.run(), None, &[]);
    assert_eq!(document["intent"]["planner"]["workflow"], "code-review");
}
