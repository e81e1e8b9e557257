use divisi_core::Verdict;
use divisi_core::run::Command;
use divisi_core::run::explain::Shared;
use insta::assert_snapshot;

use super::*;
use crate::given::{Given, plan, task, written};
use crate::scenes;

#[test]
fn every_task_of_a_busy_run_is_explained() {
    let given = scenes::busy();
    let run = given.run();
    let mut shown = String::new();
    for no in 0..run.tasks().len() as u32 {
        let told = explain(&run, TaskNo(no), given.now(), &Shared::default()).unwrap();
        for line in lines(&told) {
            shown.push_str(&line.render(false));
            shown.push('\n');
        }
    }
    assert_snapshot!(shown, @"
    build is blocked
      it failed 3 times; the last time checks refused it: the command ended with exit status 3, expected 0
      → divisi show run-1 build
      → divisi logs run-1 build
      → divisi retry run-1 build --note HINT
      → divisi reject run-1 build --reason WHY
    deploy is waiting
      build is blocked
      consent is blocked
      → divisi explain run-1 consent
      → divisi explain run-1 build
    lint is done
      it is done
    consent is blocked
      it is an approval: a person consents or refuses
      refusing it is for good: the run fails, and deploy is skipped
      → divisi approve run-1 consent
      → divisi retry run-1 lint --note HINT
      → divisi reject run-1 consent --reason WHY
    draft is blocked
      no rule can tell whether this holds: it reads well
      → divisi diff run-1 draft
      → divisi approve run-1 draft --note SEEN
      → divisi reject run-1 draft --reason WHY
    scan is running
      attempt 1 by command has worked for 10 s
      it is suspected: no output �[31mred���2J
      → divisi logs run-1 scan
      → divisi cancel run-1 scan
    paint is running
      a person does it; it has waited for 10 s
      → divisi submit run-1 paint [FILE…]
      → divisi reject run-1 paint --reason WHY
    ");
}

#[test]
fn a_persons_task_says_what_is_wanted_where_and_why_the_last_try_was_refused() {
    let criteria = vec![Criterion::File {
        path: "news.md".into(),
        min_bytes: 400,
    }];
    let mut news = written("news", "person", criteria);
    news.deliverables[0].path = "news.md".into();
    let mut given = Given::run_of(plan("Ship it", vec![news, task("other", &[])]));
    let project = Project::find(&Global {
        project: Some(given.folder().to_owned()),
        ..Global::default()
    });
    let project = project.expect("the folder is there");
    let no = TaskNo(0);
    let run = given.run();
    let at = project.workspace(run.id, no, 1);
    let asked = [
        "it is to be done: the news work".to_owned(),
        "it is to deliver news.md".to_owned(),
        "it must hold: news.md has at least 400 bytes".to_owned(),
        format!("its workspace is {}", at.display()),
    ];
    assert_eq!(wanted(&project, &run, no), asked);
    assert_eq!(wanted(&project, &run, TaskNo(1)), [""; 0]);
    let short = Verdict::fail(0, "news.md has 7 bytes, at least 400 are expected");
    given.ask(Command::Submit { task: no });
    given.collected("news").checked("news", vec![short]);
    let told = wanted(&project, &given.run(), no);
    assert_eq!(
        told.last().map(String::as_str),
        Some("the last time checks refused it: news.md has 7 bytes, at least 400 are expected")
    );
}

#[test]
fn a_run_is_explained_by_what_awaits_a_person() {
    let given = scenes::busy();
    let told = explain_run(&given.run(), given.now(), &Shared::default());
    let shown: String = lines(&told)
        .iter()
        .map(|line| line.render(false) + "\n")
        .collect();
    assert_snapshot!(shown, @"
    run-1 is running
      build: it failed 3 times; the last time checks refused it: the command ended with exit status 3, expected 0
      consent: it is an approval: a person consents or refuses
      consent: refusing it is for good: the run fails, and deploy is skipped
      draft: no rule can tell whether this holds: it reads well
      paint: a person does it; it has waited for 10 s
      → divisi show run-1 build
      → divisi logs run-1 build
      → divisi retry run-1 build --note HINT
      → divisi reject run-1 build --reason WHY
      → divisi approve run-1 consent
      → divisi retry run-1 lint --note HINT
      → divisi reject run-1 consent --reason WHY
      → divisi diff run-1 draft
      → divisi approve run-1 draft --note SEEN
      → divisi reject run-1 draft --reason WHY
      → divisi submit run-1 paint [FILE…]
      → divisi reject run-1 paint --reason WHY
    ");
}

#[test]
fn only_what_would_go_on_by_itself_waits_for_an_engine() {
    let given = scenes::busy();
    let run = given.run();
    let waits = |name: &str| {
        let no = run.find(&crate::given::id(name)).unwrap();
        waits_for_engine(&explain(&run, no, given.now(), &Shared::default()).unwrap())
    };
    assert!(waits("scan") && waits("deploy"));
    assert!(!waits("lint") && !waits("consent") && !waits("build"));
}

#[test]
fn how_a_plan_came_of_what_was_asked_is_explained() {
    assert_snapshot!(planned(&scenes::meant().run()).join("\n"), @"
    it was assessed as pack and planned by rule, as the workflow code-review has it
    It names several domains (docs).
    assumed: What else belongs to it? only what is named
    left out: nobody looked at the manual
    ");
    assert!(planned(&scenes::busy().run()).is_empty());
}
