use divisi_core::plan::{Expansion, Parts, Work};
use divisi_core::run::{Command, Finding, StopReason};
use divisi_core::{Criterion, TaskKind, TaskSpec, Verdict};

use super::*;
use crate::given::{Given, approval, id, plan, task, written};

fn developers(mut spec: TaskSpec) -> TaskSpec {
    spec.domain = Some("development".to_owned());
    spec
}

/// A developer's task that must hold a text, and a section.
fn draft(name: &str) -> TaskSpec {
    let path = format!("{name}.md");
    let heading = "Risks".to_owned();
    let text = "## API".to_owned();
    let criteria = vec![
        Criterion::Contains {
            text,
            path: "same.md".to_owned(),
        },
        Criterion::Section { heading, path },
    ];
    developers(written(name, "writer", criteria))
}

fn refused(given: &mut Given, name: &str, criterion: u16) {
    given.ends(name, 0).collected(name);
    let verdicts = (0..2).map(|at| match at == criterion {
        true => Verdict::fail(at, "it is not there"),
        false => Verdict::pass(at),
    });
    given.checked(name, verdicts.collect());
}

fn of(given: &Given) -> Feedback {
    gather(&given.run(), &Notes::new())
}

fn rules(given: &Given) -> Vec<(&'static str, Change)> {
    let found = of(given).patterns.into_iter();
    found
        .map(|pattern| (pattern.rule, pattern.change))
        .collect()
}

#[test]
fn a_criterion_that_refuses_a_role_twice_binds_the_role_by_its_words() {
    let tasks = vec![
        draft("a"),
        draft("b"),
        written("c", "writer", draft("c").criteria),
    ];
    let mut given = Given::run_of(plan("Pages", tasks));
    refused(&mut given, "a", 0);
    refused(&mut given, "a", 1);
    // Tasks of no role teach none.
    refused(&mut given, "c", 0);
    refused(&mut given, "c", 0);
    assert_eq!(rules(&given), [], "once is a slip");
    refused(&mut given, "b", 0);
    let words = "Before you are done, see to this: same.md contains \"## API\"".to_owned();
    let (domain, function) = (Some("development".to_owned()), None);
    let change = Change::Bind {
        domain,
        function,
        words,
    };
    assert_eq!(rules(&given), [("criterion-refused", change)]);
    let [figures] = &of(&given).stages[..] else {
        panic!("a run without plan tasks is one stage");
    };
    let first = &figures.refusals[0];
    assert_eq!((first.times, first.tasks.len()), (4, 3));
    assert_eq!(first.roles, [("development".to_owned(), 2)].into());
    assert_eq!(
        (figures.failed, figures.attempts, figures.retries),
        (5, 8, 5)
    );
    assert_eq!(figures.tokens, None, "unknown is not zero");
}

#[test]
fn an_exit_status_that_fails_teaches_nothing() {
    let mut given = Given::run_of(plan("Build", vec![developers(task("a", &[]))]));
    given.ends("a", 3).ends("a", 3).ends("a", 3);
    assert_eq!(rules(&given), []);
    let feedback = of(&given);
    assert_eq!(feedback.stages[0].refusals[0].criterion, "exit status");
    assert_eq!(feedback.stages[0].left_to_people, ["a"]);
}

/// A run whose plan task was expanded by rules to these tasks.
fn expanded(tasks: Vec<TaskSpec>) -> Given {
    let bundle = divisi_core::Digest::new(&"b".repeat(64)).unwrap();
    let stage = "pages".to_owned();
    let plans = TaskSpec {
        kind: TaskKind::Plan,
        work: Work::Expand(Expansion { bundle, stage }),
        criteria: Vec::new(),
        ..task("pages", &["go"])
    };
    // Until somebody consents, no attempt is in the way.
    let tasks_around = vec![approval("go", &[]), plans, task("after", &["pages"])];
    let mut given = Given::run_of(plan("Pages", tasks_around));
    let parts = Parts {
        tasks,
        ..Parts::default()
    };
    let task = given.run().find(&id("pages")).unwrap();
    let reason = "by rules".to_owned();
    given.ask(Command::Split {
        task,
        parts,
        reason,
    });
    let go = given.run().find(&id("go"));
    given.ask(Command::Approve {
        task: go,
        note: String::new(),
        waive: false,
    });
    given
}

#[test]
fn a_section_that_templates_do_not_name_is_the_templates() {
    let mut given = expanded(vec![draft("a"), draft("b")]);
    refused(&mut given, "a", 1);
    assert_eq!(rules(&given), []);
    refused(&mut given, "a", 1);
    let found = rules(&given);
    let [("section-missing", Change::Extend { section, .. })] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(*section, draft("a").criteria[1]);
    let stages: Vec<String> = of(&given).stages.into_iter().map(|it| it.stage).collect();
    assert_eq!(stages, ["Pages", "pages"]);
}

fn estimated(name: &str, ms: u64) -> TaskSpec {
    let mut spec = developers(task(name, &[]));
    spec.estimate.duration_ms = Some(ms);
    spec
}

/// Each of these tasks takes two seconds.
fn done(mut given: Given, names: &[&str]) -> Given {
    for name in names {
        given.ends(name, 0);
    }
    given
}

#[test]
fn estimates_are_off_where_several_tasks_say_so() {
    let of = |estimates: &[u64]| {
        let names = ["a", "b", "c", "d"];
        let tasks = { estimates }
            .iter()
            .zip(names)
            .map(|(ms, name)| estimated(name, *ms));
        let tasks: Vec<TaskSpec> = tasks.collect();
        let by_hand = Given::run_of(plan("Estimates", tasks.clone()));
        let by_hand = rules(&done(by_hand, &names[..tasks.len()]));
        let by_rules = expanded(tasks.clone());
        (by_hand, rules(&done(by_rules, &names[..tasks.len()])))
    };
    let off = |change: Change| vec![("estimate-off", change)];
    let twice = of(&[1_000, 1_000, 1_000]);
    assert_eq!(twice, (off(Change::Nothing), off(Change::Points(2.0))));
    let half = of(&[4_000, 4_000, 4_000, 4_000]);
    assert_eq!(half, (off(Change::Nothing), off(Change::Points(0.5))));
    for sound in [
        &[1_000, 1_000][..],
        &[1_500, 2_000, 2_500],
        &[2_900, 2_900, 3_000],
    ] {
        assert_eq!(of(sound), (Vec::new(), Vec::new()), "{sound:?}");
    }
}

fn past_its_time_box(given: &mut Given, name: &str) {
    let attempt = given.attempt(name);
    given.ask(Command::Find {
        attempt,
        finding: Finding::Overdue,
    });
    given.ends(name, 0);
}

#[test]
fn a_role_that_is_overdue_twice_gets_a_longer_time_box() {
    let mut boxed = developers(task("c", &[]));
    boxed.timeout_ms = Some(1_000);
    let tasks = vec![
        developers(task("a", &[])),
        developers(task("b", &[])),
        boxed,
    ];
    let mut given = Given::run_of(plan("Slow", tasks));
    past_its_time_box(&mut given, "a");
    past_its_time_box(&mut given, "c");
    assert_eq!(rules(&given), []);
    past_its_time_box(&mut given, "b");
    let usual_ms = given.run().settings.timeout_ms;
    let longer = ("role-overdue", Change::TimeBox(2 * usual_ms));
    assert_eq!(rules(&given), std::slice::from_ref(&longer));
    // A time box that its plan gave is the plan's to change.
    past_its_time_box(&mut given, "c");
    assert_eq!(rules(&given), [("role-overdue", Change::Nothing), longer]);
    assert_eq!(of(&given).stages[0].overdue, 4);
    let is_overdue = |end: &divisi_core::run::AttemptEnd| {
        *end == divisi_core::run::AttemptEnd::Stopped(StopReason::Overdue)
    };
    let run = given.run();
    assert!(is_overdue(&run.tasks()[0].endings[0].end));
}

#[test]
fn what_was_written_is_quoted_from_documents_that_are_integrated() {
    let mut given = Given::run_of(plan("Pages", vec![draft("a")]));
    assert_eq!(documents(&given.run(), &[None]), []);
    given.ends("a", 0).collected("a");
    given.checked("a", vec![Verdict::pass(0), Verdict::pass(1)]);
    given.integrated();
    let run = given.run();
    let [document] = &documents(&run, &[None])[..] else {
        panic!("it made one");
    };
    assert_eq!(document.path, "a.md");
    let note = "{{ not rendered }}".to_owned();
    let key = (document.commit.clone(), document.path.clone());
    let feedback = gather(&run, &[(key, vec![note])].into());
    let said = Said {
        task: "a".to_owned(),
        place: "a.md".to_owned(),
        text: "{{ not rendered }}".to_owned(),
    };
    assert_eq!(feedback.stages[0].said, [said]);
}
