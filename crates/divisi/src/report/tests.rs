use divisi_core::plan::Parts;
use divisi_core::receipt::Exit;
use divisi_core::run::{Budget, Command, PauseReason, Run, Said};
use divisi_core::worker::Ended;
use divisi_core::{Criterion, TaskSpec, Time, Verdict};
use insta::assert_snapshot;

use super::*;
use crate::given::Given;
use crate::scenes;

/// The report without the line that holds local times.
fn written(given: &Given) -> String {
    let report = markdown(&gather(&given.run(), given.now()));
    let is_dated = |line: &&str| line.starts_with("- run-1: ") && line.contains("ended 2023");
    let lines = report.lines().filter(|line| !is_dated(line));
    lines.map(|line| line.to_owned() + "\n").collect()
}

#[test]
fn a_run_that_succeeded_says_what_proves_it_and_what_does_not() {
    assert_snapshot!(written(&scenes::succeeded()), @r###"
    # Report: Ship it

    - asked: Ship it, 2 tasks
    - started from main at 111111111111, without 1 uncommitted path
      - `notes.txt`
    - result: commit `3333333333333333333333333333333333333333`; `divisi merge run-1` takes it over

    ## In short

    1. all tasks completed: yes (2 of 2 done)
    2. all stages executed in order: yes (no task started before what it depends on was done)
    3. no task failed or was left without anyone working on it: yes (0 failed, 0 skipped, 0 suspected)
    4. the original request is satisfied: yes (1 of 1 criteria of the whole pass, 0 waived)
    5. the results are put together and reported: yes (this report; the result is commit 333333333333)

    ## The whole

    - pass: \`make test\` exits with 0

    ## Tasks

    | task | status | by | attempts (1 expected) | agent's time | expected |
    |---|---|---|---|---|---|
    | `lint` | done | command | 2 | 4.0 s | 1 min |
    | `draft` | done | writer | 1 | 2.0 s | none |

    ## Verdicts

    - `lint`: the lint work, done
      - pass: exit status
    - `draft`: the draft work, done
      - pass, proves nothing: draft.md contains "## API"
      - **waived** by the owner: it reads well
        > fine for now
      - integrated as `333333333333`, tree `888888888888`

    ## Artifacts

    | file | size | digest | by |
    |---|---|---|---|
    | `draft.md` | 2.0 KiB | `aaaaaaaaaaaa` | `draft` |

    ## Attempts and time

    - 3 attempts: 1 failed, 0 lost
    - 7.0 s from start to end, 6.0 s of agents' time
    - of the time from start to end, 1.0 s waited for people
    - estimated 1 min, took 4.0 s (tasks with an estimate)
    - expected from start to end 1 minute on 4 workers, took 6.0 s
    - tokens and money: not counted, since no agent reported them

    ## What was not verified

    - draft: draft.md contains "## API" (its check passed before the work too, so it proves nothing)
    - draft: it reads well (waived by the owner)
    - 1 task: only an exit status says that the work was done
    - 1 attempt: its agent did not say what it used: of a budget, all that was reserved is charged

    ## Assumptions

    - 2 tasks: no time box of their own, so 30 min
    - 1 task: no estimate, so their place in the order was guessed
    - 1 task: no criterion but the exit status of their command
    - no stages: a task started as soon as what it depends on was done
    - the base is what was committed, without 1 uncommitted path
    - no budget: attempts and time were bounded by each task's limits

    ## Attempts whose writes were not confined

    - draft

    ## Not copied into workspaces

    - .env: it holds the value of a secret
    "###);
}

#[test]
fn a_busy_run_claims_nothing() {
    let given = scenes::busy();
    let report = gather(&given.run(), given.now());
    assert!(
        report
            .answers
            .iter()
            .all(|answered| answered.holds != Some(true))
    );
    assert!(report.scripted);
    assert_snapshot!(written(&given), @r###"
    # Report: Ship it

    - run-1: **running**, not ended, after 10 s
    - asked: Ship it, 7 tasks
    - started from main at 111111111111, without 1 uncommitted path
      - `notes.txt`
    - **scripted**: part of this work was played from a script; no real agent did it

    ## In short

    1. all tasks completed: open (1 of 7 done)
    2. all stages executed in order: open (no task started before what it depends on was done)
    3. no task failed or was left without anyone working on it: **no** (0 failed, 0 skipped, 1 suspected)
    4. the original request is satisfied: open (the whole was not judged yet)
    5. the results are put together and reported: open (this report; no files were to be integrated)

    ## Tasks

    | task | status | by | attempts (1 expected) | agent's time | expected |
    |---|---|---|---|---|---|
    | `build` | blocked | command | 3 | 6.0 s | none |
    | `deploy` | waiting | nobody | 0 | 0 ms | none |
    | `lint` | done | command | 1 | 2.0 s | none |
    | `consent` | blocked | nobody | 0 | 0 ms | none |
    | `draft` | blocked | scripted (no real agent) | 1 | 2.0 s | none |
    | `scan` | running | command | 1 | 0 ms | none |
    | `paint` | running | person | 1 | 0 ms | none |

    ## Verdicts

    - `build`: the build work, blocked
      - why: it failed 3 times; the last time checks refused it: the command ended with exit status 3, expected 0
      - **fail**: exit status
        > the command ended with exit status 3, expected 0
    - `deploy`: the deploy work, waiting
      - why: build is blocked; consent is blocked
      - not evaluated: exit status
    - `lint`: the lint work, done
      - pass: exit status
    - `consent`: the consent work, blocked
      - why: it is an approval: a person consents or refuses; refusing it is for good: the run fails, and deploy is skipped
    - `draft`: the draft work, blocked
      - why: no rule can tell whether this holds: it reads well
      - pass, proves nothing: draft.md contains "## API"
      - **unverified**: it reads well
        > line one
        > �\[31mred���2J
    - `scan`: the scan work, running
      - why: attempt 1 by command has worked for 10 s; it is suspected: no output �\[31mred���2J
      - not evaluated: exit status
    - `paint`: the paint work, running
      - why: a person does it; it has waited for 10 s
      - not evaluated: exit status

    ## Attempts and time

    - 7 attempts: 3 failed, 0 lost
    - 10 s from start to end, 10 s of agents' time
    - no task had an estimate
    - tokens and money: not counted, since no agent reported them
    - the run goes on; this is how it stood when the report was written

    ## What was not verified

    - 1 task: only an exit status says that the work was done
    - 1 task: played from a script; no real agent worked on them
    - the whole: the plan states no criteria of its own for it

    ## Assumptions

    - 7 tasks: no time box of their own, so 30 min
    - 7 tasks: no estimate, so their place in the order was guessed
    - 5 tasks: no criterion but the exit status of their command
    - no stages: a task started as soon as what it depends on was done
    - the base is what was committed, without 1 uncommitted path
    - no budget: attempts and time were bounded by each task's limits
    "###);
}

#[test]
fn a_paused_run_is_not_said_to_run() {
    let mut given = scenes::busy();
    given.ask(Command::Pause {
        reason: PauseReason::Interrupted,
        stop: false,
    });
    let text = written(&given);
    assert!(text.contains("- run-1: **paused**, not ended"), "{text}");
    assert!(!text.contains("the run goes on"), "{text}");
}

/// The claims that are told of an agent's only attempt, which says that it failed as it ends: after
/// this, and before that.
fn claimed(before: impl FnOnce(&mut Given), after: impl FnOnce(&mut Given)) -> Vec<String> {
    let task = crate::given::written("draft", "writer", vec![file(1)]);
    let mut given = Given::run_of(crate::given::plan("Write it", vec![task]));
    before(&mut given);
    let attempt = given.attempt("draft");
    given.ask(Command::Ended {
        attempt,
        ended: Ended::of(Exit::Signal(15)),
        said: Some(Said::Failure("it ended without a closing".to_owned())),
    });
    after(&mut given);
    gather(&given.run(), given.now()).claimed_failures
}

#[test]
fn who_was_interrupted_did_not_fail_by_its_own_account() {
    let interrupt = |given: &mut Given| {
        given.ask(Command::Pause {
            reason: PauseReason::Interrupted,
            stop: true,
        });
    };
    assert_eq!(claimed(interrupt, |_| ()), [] as [&str; 0]);
    let refuse = |given: &mut Given| {
        let fails = Verdict {
            outcome: Outcome::Fail,
            ..Verdict::pass(0)
        };
        given.collected("draft").checked("draft", vec![fails]);
    };
    let told = claimed(|_| (), refuse);
    assert_eq!(told, ["draft: it ended without a closing"]);
}

#[test]
fn what_was_found_before_a_task_was_canceled_is_told() {
    let mut given = scenes::busy();
    let task = given.run().find(&crate::given::id("draft"));
    given.ask(Command::Cancel { task });
    let report = gather(&given.run(), given.now());
    let mut tasks = report.tasks.iter();
    let draft = tasks.find(|it| it.id == "draft").expect("it is there");
    assert_eq!(draft.status, TaskStatus::Canceled);
    let found: Vec<_> = draft.verdicts.iter().map(|it| it.outcome).collect();
    assert_eq!(found, [Some(Outcome::Pass), Some(Outcome::Unverified)]);
}

#[test]
fn nothing_from_outside_passes_for_a_heading_or_steers_a_terminal() {
    let text = written(&scenes::busy());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    let headings = text.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(headings, text.matches("\n#").count() + 1);
}

#[test]
fn a_report_says_what_was_asked_assumed_and_left_out() {
    let report = written(&scenes::meant());
    let section = |title: &str| {
        let from = report
            .split_once(&format!("## {title}\n"))
            .expect("it is there")
            .1;
        from.split("\n## ")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    assert_snapshot!(section("How it was planned"), @r"
    > Migrate the database, with docs

    - understood as: Migrate the database to Postgres, with docs
    - assessed as **pack**, sure
      - It names several domains (docs).
    - executed as: plan
    - planned by rule, as the workflow code-review has it
    - To what? Postgres
    - known: 2 parts for developer, tech\_writer
    ");
    assert!(section("Assumptions").contains("What else belongs to it? only what is named"));
    assert!(section("What was not verified").contains("nobody looked at the manual"));
}

/// The report of a request that one agent's task of this criterion, which passes, fulfilled; and of
/// the whole, this was judged.
fn requested(criterion: Criterion, whole: Criterion) -> Report {
    let mut intent = scenes::intent();
    intent.left_out.clear();
    let task = crate::given::written("draft", "writer", vec![criterion]);
    let mut plan = crate::given::plan("Write it", vec![task]);
    plan.criteria = vec![whole];
    let mut given = Given::created(plan, Budget::default(), Some(Box::new(intent)));
    given.ends("draft", 0).collected("draft");
    given.checked("draft", vec![Verdict::pass(0)]).integrated();
    let head = given.run().integration.head;
    given.ask(Command::FinalChecked {
        head,
        verdicts: vec![Verdict::pass(0)],
        tasks: Vec::new(),
    });
    gather(&given.run(), given.now())
}

fn file(min_bytes: u64) -> Criterion {
    Criterion::File {
        path: "draft.md".to_owned(),
        min_bytes,
    }
}

#[test]
fn that_something_was_written_does_not_show_what() {
    let reads_well = Criterion::Plain {
        text: "it reads well".to_owned(),
    };
    let section = Criterion::Section {
        heading: "Use".to_owned(),
        path: "draft.md".to_owned(),
    };
    let count = |min, max| Criterion::Count {
        pattern: "draft.*".to_owned(),
        min,
        max,
    };
    let said = |path: &str| format!("draft: what {path} says: nobody judged it");
    for (criterion, whole, unread) in [
        (file(1), file(1), Some(said("draft.md"))),
        (file(200), section.clone(), Some(said("draft.md"))),
        (count(1, None), file(1), Some(said("draft.*"))),
        // Somebody looked at it.
        (file(200), reads_well.clone(), None),
        (reads_well, file(1), None),
        (section, file(1), None),
        // It is to be there, or gone, and no more.
        (file(0), file(0), None),
        (count(0, Some(0)), count(0, Some(0)), None),
    ] {
        let told = format!("{criterion:?}, {whole:?}");
        let report = requested(criterion, whole);
        let satisfied = &report.answers[3];
        let expected = unread.is_none().then_some(true);
        assert_eq!(satisfied.holds, expected, "{told}: {}", satisfied.evidence);
        let mut unverified = report.unverified.into_iter();
        let named = unverified.find(|it| it.contains("nobody judged it"));
        assert_eq!(named, unread, "{told}");
    }
}

/// Two runs with one title: the first of these tasks, which end well.
fn pair(direct: &[&str], split: &[&str]) -> [Run; 2] {
    pair_by(None, direct, split)
}

/// The same, done by this agent instead of by programs.
fn pair_by(agent: Option<&str>, direct: &[&str], split: &[&str]) -> [Run; 2] {
    let mut no = 0;
    [direct, split].map(|names| {
        no += 1;
        let tasks = names.iter().map(|name| TaskSpec {
            agent: agent.map(str::to_owned),
            ..crate::given::task(name, &[])
        });
        let mut given = Given::run_of(crate::given::plan("Ship it", tasks.collect()));
        for name in names {
            given.ends(name, 0);
        }
        let mut run = given.run();
        run.id = divisi_core::RunId(no);
        run
    })
}

#[test]
fn a_direct_and_a_split_run_stand_side_by_side_in_whichever_order() {
    let [direct, split] = pair(&["all"], &["a", "b"]);
    let now = Time(u64::MAX);
    let told = compared(&compare([&split, &direct], now).unwrap());
    assert_eq!(told, compared(&compare([&direct, &split], now).unwrap()));
    assert_snapshot!(told, @r###"
    # Direct or split: Ship it

    Both started from main at 111111111111, without 1 uncommitted path.

    - Split, it took 2.00 of the time from start to end without waiting for people.
    - These are two runs, not a measurement: chance has a part in both.

    | | direct: run-1 | split: run-2 | split/direct |
    |---|---|---|---|
    | ended | succeeded | succeeded |  |
    | criteria of the whole that pass | 0 of 0 | 0 of 0 |  |
    | tasks | 1 | 2 |  |
    | attempts | 1: 0 failed, 0 lost | 2: 0 failed, 0 lost |  |
    | from start to end, without waiting for people | 2.0 s | 4.0 s | 2.00 |
    | waiting for people | 0 ms | 0 ms |  |
    | agents' time | 2.0 s | 4.0 s | 2.00 |
    | tokens | not told | not told |  |
    | money | not told | not told |  |

    ## Predicted and actual: run-1

    | task | attempts, 1 predicted | time predicted | actual | tokens predicted | actual |
    |---|---|---|---|---|---|
    | `all` | 1 | none | 2.0 s | none | none |

    ## Predicted and actual: run-2

    | task | attempts, 1 predicted | time predicted | actual | tokens predicted | actual |
    |---|---|---|---|---|---|
    | `a` | 1 | none | 2.0 s | none | none |
    | `b` | 1 | none | 2.0 s | none | none |
    "###);
}

#[test]
fn what_cannot_be_compared_is_refused_with_all_that_is_in_the_way() {
    let [direct, split] = pair(&["all"], &["a", "b"]);
    let now = Time(u64::MAX);
    let refused = |one: &Run, other: &Run| {
        let fault = compare([one, other], now).unwrap_err();
        assert_eq!(fault.code, "compare-refused");
        fault.cause.clone()
    };
    assert!(refused(&direct, &direct).contains("run-1 is one run"));
    let mut second = direct.clone();
    second.id = divisi_core::RunId(3);
    let text = refused(&direct, &second);
    assert!(text.contains("neither was split"), "{text}");
    second = split.clone();
    second.id = divisi_core::RunId(3);
    let text = refused(&split, &second);
    assert!(text.contains("both were split"), "{text}");
    second.title = "Sink it".to_owned();
    second.base.commit = Some(crate::given::commit(9));
    second.ended = None;
    let text = refused(&direct, &second);
    for part in [
        "they were asked different things: \"Ship it\" and \"Sink it\"",
        "they started from different states",
        "run-3 has not ended",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A commit says it all: what was not committed and not taken in makes no difference.
    let mut third = split.clone();
    third.base.uncommitted.clear();
    assert!(compare([&direct, &third], now).is_ok());
}

#[test]
fn runs_of_intents_are_compared_by_what_was_understood_and_answered() {
    let [mut direct, mut split] = pair(&["all"], &["a", "b"]);
    let now = Time(u64::MAX);
    let intent = scenes::meant().run().intent.expect("it has one");
    direct.intent = Some(intent.clone());
    let refused = |split: &Run| compare([&direct, split], now).unwrap_err().cause.clone();
    let text = refused(&split);
    assert!(text.contains("the other is a plan file's"), "{text}");
    split.intent = Some(intent.clone());
    assert!(compare([&direct, &split], now).is_ok());
    let mut other = (*intent).clone();
    other.understood = Some("Migrate the database to SQLite, with docs".to_owned());
    split.intent = Some(std::sync::Arc::new(other));
    let text = refused(&split);
    assert!(text.contains("they were asked different things"), "{text}");
    let mut other = (*intent).clone();
    other.settled[0].answer = "SQLite".to_owned();
    split.intent = Some(std::sync::Arc::new(other));
    let text = refused(&split);
    assert!(
        text.contains("questions about the request were answered differently"),
        "{text}"
    );
}

#[test]
fn wholes_that_were_judged_by_as_many_other_criteria_are_told_apart() {
    let [mut direct, mut split] = pair(&["all"], &["a", "b"]);
    let file = |path: &str| divisi_core::Criterion::File {
        path: path.to_owned(),
        min_bytes: 1,
    };
    direct.criteria = vec![file("a.md")];
    split.criteria = vec![file("b.md")];
    let comparison = compare([&direct, &split], Time(u64::MAX)).unwrap();
    let says = comparison.says.join("\n");
    for part in [
        "only run-1 by \"a.md is not empty\"",
        "only run-2 by \"b.md is not empty\"",
    ] {
        assert!(says.contains(part), "{part}: {says}");
    }
}

#[test]
fn what_was_kept_back_is_not_compared() {
    let [direct, split] = pair_by(Some("claude"), &["all"], &["a", "b"]);
    let comparison = compare([&direct, &split], Time(u64::MAX)).unwrap();
    assert_eq!(comparison.ratios.tokens, None);
    let says = comparison.says.join("\n");
    assert!(
        says.contains("run-2: 2 tasks did not say what they used"),
        "{says}"
    );
}

#[test]
fn what_is_expected_of_a_split_task_is_expected_of_its_parts_alone() {
    let lasting = |name: &str, minutes: u64| {
        let mut task = crate::given::task(name, &[]);
        task.estimate.duration_ms = Some(minutes * 60_000);
        task
    };
    let mut given = Given::run_of(crate::given::plan(
        "Pages",
        vec![lasting("pages", 25), lasting("index", 5)],
    ));
    for _ in 0..3 {
        given.ends("pages", 1);
    }
    let task = given.run().find(&crate::given::id("pages")).unwrap();
    given.ask(Command::Split {
        task,
        parts: Parts {
            tasks: vec![lasting("one", 12), lasting("two", 13)],
            ..Parts::default()
        },
        reason: String::new(),
    });
    let told = "- asked: Pages\n- the plan was revised once: 3 tasks now\n";
    let text = written(&given);
    assert!(text.contains(told), "{text}");
    let report = gather(&given.run(), given.now());
    assert_eq!(report.use_of_time.estimate_ms, Some(30 * 60_000));
    // What its attempts took was for the same work.
    assert_eq!(
        report.use_of_time.estimated_agent_ms,
        report.use_of_time.agent_ms
    );
}

#[test]
fn what_failed_before_it_was_canceled_is_not_forgotten() {
    let tasks = vec![crate::given::task("a", &[]), crate::given::task("b", &[])];
    let mut given = Given::run_of(crate::given::plan("Two", tasks));
    given.ends("a", 1).ends("a", 1).ends("a", 1);
    let canceled = |given: &Given| gather(&given.run(), given.now()).answers.swap_remove(2);
    given.ask(Command::Cancel { task: None });
    let answered = canceled(&given);
    assert_eq!(answered.holds, Some(false), "{}", answered.evidence);
    assert!(
        answered.evidence.contains("; 1 canceled after they failed"),
        "{}",
        answered.evidence
    );
    let mut given = Given::run_of(crate::given::plan(
        "One",
        vec![crate::given::task("a", &[])],
    ));
    given.ask(Command::Cancel { task: None });
    if given.run().ended.is_none() {
        given.ends("a", 143);
    }
    assert_eq!(canceled(&given).holds, Some(true));
}
