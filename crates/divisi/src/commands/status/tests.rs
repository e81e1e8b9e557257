use divisi_core::TaskKind;
use divisi_core::plan::Parts;
use divisi_core::run::Command;
use insta::assert_snapshot;

use super::*;
use crate::given::{Given, commit, plan, task, written};
use crate::scenes;

fn shown(given: &Given, attended: Attended, color: bool) -> String {
    let global = Global {
        project: Some(given.folder().to_owned()),
        ..Global::default()
    };
    let project = Project::find(&global).expect("the folder is there");
    let lines = lines(
        &project,
        &given.run(),
        attended,
        &Shared::default(),
        given.now(),
    );
    lines.iter().map(|line| line.render(color) + "\n").collect()
}

#[test]
fn a_busy_run_says_what_runs_what_waits_and_why() {
    let given = scenes::busy();
    assert_snapshot!(shown(&given, Attended::Yes, false), @"
    run-1  Ship it  running · 1 of 7 done · 10 s

    blocked (3)
      build    it failed 3 times; the last time checks refused it: the command ended with exit status 3, expected 0
               → divisi show run-1 build
               → divisi logs run-1 build
               → divisi retry run-1 build --note HINT
               → divisi reject run-1 build --reason WHY
      consent  it is an approval: a person consents or refuses; refusing it is for good: the run fails, and deploy is skipped
               → divisi approve run-1 consent
               → divisi retry run-1 lint --note HINT
               → divisi reject run-1 consent --reason WHY
      draft    no rule can tell whether this holds: it reads well (scripted)
               → divisi diff run-1 draft
               → divisi approve run-1 draft --note SEEN
               → divisi reject run-1 draft --reason WHY

    running (2)
      scan   attempt 1 by command has worked for 10 s; it is suspected: no output �[31mred���2J
      paint  a person does it; it has waited for 10 s
             → divisi submit run-1 paint [FILE…]
             → divisi reject run-1 paint --reason WHY

    waiting (1)
      deploy  build is blocked; consent is blocked

    1 done
    ");
}

#[test]
fn color_only_adds() {
    let given = scenes::busy();
    let plain = shown(&given, Attended::No, false);
    let mut colored = shown(&given, Attended::No, true);
    for code in ["0", "1", "2", "31", "32", "33", "36"] {
        colored = colored.replace(&format!("\x1b[{code}m"), "");
    }
    assert_ne!(shown(&given, Attended::No, true), plain);
    // Spaces at the end of a colored piece stay before its end.
    let trimmed: String = colored
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect();
    assert_eq!(trimmed, plain);
}

#[test]
fn a_paused_and_an_unattended_run_name_the_command_that_goes_on() {
    let mut given = Given::run_of(plan("Short", vec![task("a", &[]), task("b", &["a"])]));
    assert_snapshot!(shown(&given, Attended::No, false), @"
    run-1  Short  running · 0 of 2 done · 0 ms
    no engine works on it  → divisi resume run-1

    running (1)
      a  attempt 1 by command has worked for 0 s

    waiting (1)
      b  a is running
    ");
    given.wait(90_000).ask(Command::Pause {
        reason: PauseReason::DiskFull,
        stop: false,
    });
    assert_snapshot!(shown(&given, Attended::Yes, false), @"
    run-1  Short  paused · 0 of 2 done · 1 min 30 s
    paused: the disk is full  → divisi resume run-1

    running (1)
      a  attempt 1 by command has worked for 90 s

    waiting (1)
      b  a is running
    ");
}

#[test]
fn a_large_run_is_shown_in_a_bounded_number_of_lines() {
    let name = |at: usize| format!("t{at}");
    let mut tasks = vec![task("first", &[])];
    tasks.extend((0..2_000).map(|at| task(&name(at), &["first"])));
    let given = Given::run_of(plan("Wide", tasks));
    let shown = shown(&given, Attended::Yes, false);
    assert!(shown.lines().count() < 30, "{shown}");
    assert!(shown.contains("… and 1988 more"), "{shown}");
}

#[test]
fn a_list_of_runs_is_a_table() {
    let given = scenes::busy();
    let project = Project::find(&Global {
        project: Some(given.folder().to_owned()),
        ..Global::default()
    });
    let view = project.unwrap().view().unwrap();
    let read = unfinished::summaries(&view).unwrap();
    let shown = |is_attended| -> Vec<String> {
        let lines = table(&read, &|_| is_attended);
        lines.iter().map(|line| line.render(false)).collect()
    };
    let line = "1 of 7 done  10 s  Ship it";
    assert_eq!(shown(true), [format!("run-1  running  {line}")]);
    let left = format!("run-1  left by its engine  {line}  → divisi resume run-1");
    assert_eq!(shown(false), [left]);
    assert_eq!(read[0].1.counts, *given.run().counts());
}

#[test]
fn what_is_yet_to_be_planned_is_said_and_what_was_planned_is_counted() {
    // p ── z, and p plans x and y
    let mut planner = written("p", "writer", Vec::new());
    planner.kind = TaskKind::Plan;
    let mut given = Given::run_of(plan("Grow", vec![planner, task("z", &["p"])]));
    given.ends("p", 0).collected("p").checked("p", Vec::new());
    assert_snapshot!(shown(&given, Attended::Yes, false), @"
    run-1  Grow  running · 0 of 2 done, and what 1 task will plan · 2.0 s

    integrating (1)
      p  tasks are being made of what attempt 1 by writer planned

    waiting (1)
      z  p is integrating
    ");
    let attempt = given.attempt("p");
    given.ask(Command::Expanded {
        attempt,
        from: Some(commit(2)),
        parts: Parts {
            tasks: vec![task("x", &[]), task("y", &["x"])],
            ..Parts::default()
        },
        advice: Vec::new(),
    });
    assert_snapshot!(shown(&given, Attended::Yes, false), @"
    run-1  Grow  running · 0 of 3 done · 2.0 s

    running (1)
      x  attempt 1 by command has worked for 0 s

    waiting (2)
      z  a barrier: parts of p is not complete; x is running; y is waiting
      y  x is running

    1 split
    ");
}
