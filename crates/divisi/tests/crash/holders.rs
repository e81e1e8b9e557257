//! One holder, many hands: other processes are served, and the next one takes over.

use divisi_core::RunId;
use divisi_core::run::{PauseReason, RunStatus, TaskStatus};

use crate::outcome::{FIRST, assert_same_end, assert_sound, finish, run_now};
use crate::stage::{Failpoint, Process, Stage, signal, texts, until};

const SECOND: RunId = RunId(2);

/// Works until the file `SIDE.NAME` is there.
fn waiting(name: &str) -> String {
    format!(
        r#"{{"task_title": "{name}", "subtasks": [
  {{"subtask_id": "{name}", "script": "echo {name} $DIVISI_JOB >> SIDE; while ! test -e SIDE.{name}; do sleep 0.02; done; echo x > {name}.md",
   "deliverables": ["{name}.md"]}},
  {{"subtask_id": "after", "script": "echo after-{name} > after.md", "deliverables": ["after.md"], "dependencies": ["{name}"]}}
]}}"#
    )
}

fn go(stage: &Stage, name: &str) {
    std::fs::write(stage.path(&format!("side/counts.{name}")), "").unwrap();
}

fn counted(stage: &Stage, name: &str) -> bool {
    stage.counts().iter().any(|line| line.starts_with(name))
}

/// Two runs at work: the first holds the engine, the second is served by it.
fn two_terminals(stage: &Stage) -> (Process, Process) {
    let start = |name: &str| {
        let plan = stage.write_plan(&format!("{name}.json"), &waiting(name));
        let process = stage.start(&texts(&stage.run_args(&plan)), None);
        until("it begins", || counted(stage, name));
        process
    };
    (start("one"), start("two"))
}

#[test]
fn a_second_run_is_served_by_the_holder_and_taken_over_when_it_is_killed() {
    let stage = Stage::new();
    let (first, second) = two_terminals(&stage);
    first.kill();
    // The second takes over; its agents, and those of the first run, lived on and are adopted. The
    // first run goes on when its owner asks for it.
    let third = stage.start(&texts(&stage.resume_args(FIRST.0)), None);
    go(&stage, "one");
    until("the first run ends", || {
        run_now(&stage, FIRST).is_some_and(|run| run.ended.is_some())
    });
    third.end().assert_code(0);
    go(&stage, "two");
    second.end().assert_code(0);
    for id in [FIRST, SECOND] {
        let run = assert_sound(&stage, id);
        assert_eq!(run.status(), RunStatus::Succeeded);
        assert_eq!(run.tasks()[0].attempts(), 1, "{id} lost nothing");
    }
    assert_eq!(stage.counts().len(), 2);
    stage.assert_no_process_left();
    stage.assert_untouched();
}

#[test]
fn a_run_that_is_followed_from_one_holder_to_the_next_has_each_line_once() {
    let stage = Stage::new();
    let (first, second) = two_terminals(&stage);
    let three = stage.write_plan("three.json", &waiting("three"));
    let third = stage.start(&texts(&stage.run_args(&three)), None);
    until("the third begins", || counted(&stage, "three"));
    let follows = |process: &Process, name: &str| {
        let line = format!("> {name} by command");
        until("it is followed", || process.output().contains(&line));
    };
    follows(&second, "two");
    follows(&third, "three");
    // One of the two takes over, and the other follows its run through that one, too.
    first.kill();
    go(&stage, "two");
    go(&stage, "three");
    for (process, name) in [(second, "two"), (third, "three")] {
        let ended = process.end();
        ended.assert_code(0);
        let lines = |begin: &str| {
            let of_name = |line: &&str| line.starts_with(begin);
            ended.output.lines().filter(of_name).count()
        };
        let begins = [
            format!("> {name} by "),
            format!("+ {name} "),
            "> after by ".to_owned(),
            "+ after ".to_owned(),
        ];
        let counts = begins.each_ref().map(|begin| lines(begin));
        assert_eq!(counts, [1; 4], "{}", ended.output);
    }
    go(&stage, "one");
    finish(&stage, &stage.path("one.json"));
    stage.assert_no_process_left();
}

#[test]
fn an_interruption_stops_the_run_of_its_terminal_and_no_other() {
    let stage = Stage::new();
    let (first, second) = two_terminals(&stage);
    signal(first.pid(), libc::SIGINT);
    first.end().assert_code(130);
    go(&stage, "two");
    second.end().assert_code(0);
    let interrupted = assert_sound(&stage, FIRST);
    assert_eq!(interrupted.paused, Some(PauseReason::Interrupted));
    let other = assert_sound(&stage, SECOND);
    assert_eq!(other.status(), RunStatus::Succeeded);
    assert_eq!(other.tasks()[0].attempts(), 1, "its agent was adopted");
    go(&stage, "one");
    finish(&stage, &stage.path("one.json"));
    stage.assert_no_process_left();
}

#[test]
fn a_second_interruption_takes_nothing_from_people() {
    let stage = Stage::new();
    let plan = r#"{"task_title": "both", "subtasks": [
      {"subtask_id": "person", "title": "yours", "deliverables": ["p.md"]},
      {"subtask_id": "stubborn", "retries": 0,
       "script": "trap '' TERM INT; echo begun >> SIDE; while :; do sleep 0.05; done"}]}"#;
    let plan = stage.write_plan("both.json", plan);
    let process = stage.start(&texts(&stage.run_args(&plan)), None);
    let works = |run: &divisi_core::run::Run| run.counts().of(TaskStatus::Running) == 2;
    until("both are at work", || {
        counted(&stage, "begun") && run_now(&stage, FIRST).is_some_and(|run| works(&run))
    });
    signal(process.pid(), libc::SIGINT);
    until("it says that it ends its agents", || {
        process.output().contains("ending agents")
    });
    signal(process.pid(), libc::SIGINT);
    process.end().assert_code(130);
    let run = assert_sound(&stage, FIRST);
    let person = &run.tasks()[0];
    assert!(person.endings.is_empty(), "{:?}", person.endings);
    assert!(person.live().is_some());
    stage.assert_no_process_left();
}

#[test]
fn a_run_ends_while_the_holder_works_on_its_own() {
    let stage = Stage::new();
    let whole = stage.start(&texts(&stage.run_args(&stage.plan())), None);
    until("the first run is there", || {
        run_now(&stage, FIRST).is_some()
    });
    let one = stage.write_plan("one.json", &waiting("one"));
    go(&stage, "one");
    let other = stage.start(&texts(&stage.run_args(&one)), None);
    whole.end().assert_code(0);
    other.end().assert_code(0);
    let run = assert_sound(&stage, SECOND);
    assert_eq!(run.status(), RunStatus::Succeeded);
    let lines = std::fs::read_to_string(stage.side()).unwrap();
    let own: String = lines
        .lines()
        .filter(|line| !line.starts_with("one "))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(stage.side(), own).unwrap();
    assert_same_end(&stage);
}

#[test]
fn a_run_is_paused_and_resumed_from_other_processes() {
    let stage = Stage::new();
    let plan = stage.write_plan("one.json", &waiting("one"));
    let holder = stage.start(&texts(&stage.run_args(&plan)), None);
    until("it begins", || counted(&stage, "one"));
    let tell = |args: &[&str]| stage.start(args, None);
    tell(&["pause", "run-1"]).end().assert_code(0);
    let run = run_now(&stage, FIRST).unwrap();
    assert_eq!(run.paused, Some(PauseReason::Owner));
    // Several at once, which all are answered.
    let many: Vec<_> = (0..6).map(|_| tell(&["pause", "run-1"])).collect();
    many.into_iter().for_each(|one| one.end().assert_code(0));
    go(&stage, "one");
    // What runs goes on; nothing new is started, and the holder leaves with a code of its own.
    holder.end().assert_code(4);
    let run = run_now(&stage, FIRST).unwrap();
    assert_eq!(run.ended, None);
    assert_eq!(run.tasks()[1].attempts(), 0);
    finish(&stage, &plan);
    assert_eq!(assert_sound(&stage, FIRST).status(), RunStatus::Succeeded);
    stage.assert_no_process_left();
}

#[test]
fn two_processes_that_begin_in_a_fresh_project_at_once_both_come_to_their_end() {
    let stage = Stage::new();
    let plans = ["one", "two"].map(|name| stage.write_plan(name, &waiting(name)));
    go(&stage, "one");
    go(&stage, "two");
    let both = plans.map(|plan| stage.start(&texts(&stage.run_args(&plan)), None));
    both.into_iter().for_each(|one| one.end().assert_code(0));
    for id in [FIRST, SECOND] {
        assert_eq!(assert_sound(&stage, id).status(), RunStatus::Succeeded);
    }
    stage.assert_no_process_left();
    stage.assert_untouched();
}

#[test]
fn two_processes_that_resume_a_run_at_once_both_see_its_end() {
    let stage = Stage::new();
    let plan = stage.plan();
    let process = stage.start(&texts(&stage.run_args(&plan)), None);
    until("something is done", || counted(&stage, "tell"));
    process.kill();
    let args = stage.resume_args(1);
    let both = [0, 1].map(|_| stage.start(&texts(&args), None));
    both.into_iter().for_each(|one| one.end().assert_code(0));
    assert_same_end(&stage);
}

#[test]
fn agents_of_a_killed_engine_are_ended_when_nobody_takes_over() {
    let stage = Stage::new();
    let plan = stage.write_plan("one.json", &waiting("one"));
    let process = stage.start(&texts(&stage.run_args(&plan)), None);
    until("it begins", || counted(&stage, "one"));
    process.kill();
    stage.assert_no_process_left();
    go(&stage, "one");
    finish(&stage, &plan);
    let run = assert_sound(&stage, FIRST);
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(run.tasks()[0].attempts(), 2);
    stage.assert_no_process_left();
}

#[test]
fn a_run_whose_supervisor_cannot_be_started_is_paused_with_the_reason() {
    let stage = Stage::new();
    let plan = stage.plan();
    let in_the_way = stage.divisi().join("supervisor.lock");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let ended = stage.start(&texts(&stage.run_args(&plan)), None).end();
    ended.assert_code(3);
    let run = run_now(&stage, FIRST).unwrap();
    assert!(
        matches!(&run.paused, Some(PauseReason::Fault(cause)) if cause.contains("supervisor")),
        "{:?}",
        run.paused
    );
    std::fs::remove_dir(in_the_way).unwrap();
    finish(&stage, &plan);
    assert_same_end(&stage);
}

#[test]
fn files_are_submitted_while_a_check_of_another_task_runs() {
    let stage = Stage::new();
    let plan = stage.write_plan(
        "both.json",
        r#"{"task_title": "Both", "subtasks": [
  {"subtask_id": "words", "agent": "person", "deliverables": ["words.md"]},
  {"subtask_id": "made", "script": "echo x > made.md", "deliverables": ["made.md"],
   "criteria": [{"command": ["sh", "-c", "echo checking >> SIDE; while ! test -e SIDE.go; do sleep 0.02; done; test -e made.md && cd $PWD"]}]}
]}"#,
    );
    let file = stage.path("home/words.md");
    std::fs::write(&file, "By hand.\n").unwrap();
    let process = stage.start(&texts(&stage.run_args(&plan)), None);
    until("the check begins", || counted(&stage, "checking"));
    until("the workspace is there", || {
        let run = run_now(&stage, FIRST).unwrap();
        run.tasks()[0]
            .live()
            .is_some_and(|live| live.base.is_some())
    });
    let submit = ["submit", "run-1", "words", &file.to_string_lossy()];
    stage.start(&submit, None).end().assert_code(0);
    go(&stage, "go");
    process.end().assert_code(0);
    let run = assert_sound(&stage, FIRST);
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert_eq!(run.tasks()[1].attempts(), 1);
}

#[test]
fn an_answer_that_is_lost_is_given_again_whatever_the_run_has_become() {
    let stage = Stage::new();
    let question = r#"{"task_title": "Question", "subtasks": [
  {"subtask_id": "may-we", "kind": "approval", "title": "May we?"}
]}"#;
    let question = stage.write_plan("question.json", question);
    let args = stage.run_args(&question);
    stage.start(&texts(&args), None).end().assert_code(4);
    // The holder dies when the second one who asks it is to be answered: the first is its own run.
    let two = stage.write_plan("two.json", &waiting("two"));
    let at = "answers.reply.before:2";
    let args = stage.run_args(&two);
    let holder = stage.start(&texts(&args), Some(Failpoint { at }));
    until("its task begins", || counted(&stage, "two"));
    let reject = ["reject", "run-1", "may-we", "--reason", "no"];
    let rejecting = stage.start(&reject, None).end();
    let holder = holder.end();
    assert!(holder.was_killed(), "{holder:?}");
    rejecting.assert_code(0);
    let run = run_now(&stage, FIRST).unwrap();
    assert_eq!(run.status(), RunStatus::Failed);
    go(&stage, "two");
    std::fs::remove_file(stage.died()).unwrap();
    let resume = stage.start(&texts(&stage.resume_args(SECOND.0)), None);
    resume.end().assert_code(0);
    stage.assert_no_process_left();
}

#[test]
fn a_run_that_the_holder_does_not_go_on_with_is_told_apart() {
    let stage = Stage::new();
    let one = stage.write_plan("one.json", &waiting("one"));
    let two = stage.write_plan("two.json", &waiting("two"));
    let first = stage.start(&texts(&stage.run_args(&one)), None);
    until("the first begins", || counted(&stage, "one"));
    first.kill();
    let second = stage.start(&texts(&stage.run_args(&two)), None);
    until("the second begins", || counted(&stage, "two"));
    let says = |args: &[&str], text: &str| {
        let ended = stage.start(args, None).end();
        assert!(ended.output.contains(text), "{args:?}: {}", ended.output);
    };
    says(&["status", "run-1"], "no engine works on it");
    says(&["explain", "run-1", "one"], "divisi resume run-1");
    says(&["watch", "run-1"], "divisi resume run-1");
    says(&["logs", "run-1", "one", "--follow"], "divisi resume run-1");
    says(&["doctor"], "run-1 could go on, and no engine works on it");
    let status = stage.start(&["status", "run-2"], None).end();
    assert!(
        !status.output.contains("no engine works"),
        "{}",
        status.output
    );
    let pause = ["pause", "run-1"];
    says(&pause, "nobody works on it now: divisi resume run-1");
    go(&stage, "one");
    go(&stage, "two");
    second.end().assert_code(0);
    finish(&stage, &stage.path("one.json"));
    stage.assert_no_process_left();
}

#[test]
fn what_a_run_grants_holds_whoever_serves_it() {
    let stage = Stage::new();
    let one = stage.write_plan("one.json", &waiting("one"));
    let two = stage.write_plan("two.json", &waiting("two"));
    // The holder grants its own run nothing but one folder; the second wants more for its own.
    let holder = stage.start(&texts(&stage.run_args(&one)), None);
    until("the first begins", || counted(&stage, "one"));
    let mut args = stage.run_args(&two);
    args.push("--unconfined".to_owned());
    let second = stage.start(&texts(&args), None);
    until("the second begins", || counted(&stage, "two"));
    go(&stage, "one");
    go(&stage, "two");
    holder.end().assert_code(0);
    second.end().assert_code(0);
    let confined = |run| {
        let run = run_now(&stage, run).unwrap();
        run.tasks()[0].endings[0].confined
    };
    assert_eq!(confined(SECOND), Some(false));
    // Where the machine cannot confine, neither is.
    let report = stage.start(&["doctor"], None).end();
    if !report.output.contains("unconfined") {
        assert_eq!(confined(FIRST), Some(true));
    }
    stage
        .start(&["resume", "run-1", "-j", "2"], None)
        .end()
        .assert_code(2);
}
