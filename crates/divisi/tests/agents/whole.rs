//! From words to work that was verified, whole: an intent, its question and the answer, a plan by an
//! agent that is told what is wrong with it, consent, work side by side, reviews by another product, a
//! task that is too large, the intent's own criteria, the report; and the same if everything is killed
//! seven times on the way.

use divisi_core::criterion::Verdict;
use divisi_core::run::{AttemptEnd, Event, Failure, Run, RunStatus, Subject};
use serde_json::{Value, json};

use crate::beside::side_by_side;
use crate::model::Model;
use crate::script::{at, judges, writes, writes_after};
use crate::stage::{Ran, Stage, endings, kill, statuses, task, until, with_argument, write};
use crate::tool::{TOOLS, stage_of};

const INTENT: &str = "Migrate the limits, with docs";

/// What is answered to the question where to.
const ANSWER: &str = "text files";

/// The docs that the request asks for are missing.
const PARTIAL: &str = r#"{"task_title": "Limits", "subtasks": [
  {"subtask_id": "research", "title": "Research which text files there are to be", "description": "TASK-research: write decision.md.",
   "kind": "research", "assigned_to": "development", "worker_type": "planner", "deliverables": ["decision.md"]},
  {"subtask_id": "limit", "title": "Migrate the limits to text files", "description": "TASK-limit: write limit.txt.",
   "assigned_to": "development", "worker_type": "implementation", "deliverables": ["limit.txt"]}
 ], "criteria": [{"file": "limit.txt"}]}"#;

/// `tables` is too much for one attempt; `limit` and `docs` have what no rule can judge.
const GOOD: &str = r#"{"task_title": "Limits", "subtasks": [
  {"subtask_id": "research", "title": "Research which text files there are to be", "description": "TASK-research: write decision.md.",
   "kind": "research", "assigned_to": "development", "worker_type": "planner", "deliverables": ["decision.md"],
   "criteria": [{"contains": "text", "in": "decision.md"}]},
  {"subtask_id": "limit", "title": "Migrate the limits to text files", "description": "TASK-limit: write limit.txt.",
   "assigned_to": "development", "worker_type": "implementation", "dependencies": ["research"], "deliverables": ["limit.txt"],
   "criteria": [{"contains": "ten", "in": "limit.txt"}, "Each limit says for which time it counts."]},
  {"subtask_id": "tables", "title": "Migrate the tables of limits", "description": "TASK-tables: write reads.csv and writes.csv.",
   "assigned_to": "development", "worker_type": "implementation", "dependencies": ["research"], "deliverables": ["reads.csv", "writes.csv"],
   "criteria": [{"contains": "read,10", "in": "reads.csv"}, {"contains": "write,10", "in": "writes.csv"}]},
  {"subtask_id": "docs", "title": "Document the limits", "description": "TASK-docs: write limits.md.",
   "assigned_to": "documentation", "dependencies": ["research"], "deliverables": ["limits.md"],
   "criteria": [{"section": "Limits", "in": "limits.md"}, "The example stays within the limit."]}
 ], "criteria": [{"contains": "ten", "in": "limit.txt"}, {"contains": "ten", "in": "limits.md"}, "A reader learns how much is too much."]}"#;

/// What the authors say whenever they end.
const CLAIM: &str = "BELIEVE-ME: each limit says for which time, and the example was tried.";

const OF_LIMIT: &str = "Judge what was made for task limit.";
const OF_DOCS: &str = "Judge what was made for task docs.";
const OF_WHOLE: &str = "Judge what was made for the whole run.";

/// What research decides.
const DECISION: &str = "One text file for each kind of limit.";

/// The page is right but for its example: it asks for more than is let in.
const WRONG_EXAMPLE: &str = "Ask eleven times a second.";
const RIGHT_EXAMPLE: &str = "Ask nine times a second.";

fn model() -> Model {
    let plan = "divisi-plan.json";
    let page = |example: &str| format!("# Limits\n\nAt most ten a second.\n\n{example}");
    let (wrong, right) = (page(WRONG_EXAMPLE), page(RIGHT_EXAMPLE));
    let made = |words: &[&str], path: &str, text: &str| writes(words, &[(path, text)], CLAIM);
    let judged = |words: &[&str], no: u16, holds: bool, evidence: Value| {
        judges(words, &[(no, holds, evidence)])
    };
    Model::start(vec![
        judged(
            &[OF_WHOLE],
            2,
            true,
            at("limits.md", 3, "At most ten a second."),
        ),
        judged(
            &[OF_LIMIT, "ten a second"],
            1,
            true,
            at("limit.txt", 1, "ten a second"),
        ),
        judged(&[OF_LIMIT], 1, false, at("limit.txt", 1, "ten")),
        judged(
            &[OF_DOCS, RIGHT_EXAMPLE],
            1,
            true,
            at("limits.md", 5, RIGHT_EXAMPLE),
        ),
        judged(&[OF_DOCS], 1, false, at("limits.md", 5, WRONG_EXAMPLE)),
        made(&["Make a plan", "lint-uncovered"], plan, GOOD),
        made(&["Make a plan"], plan, PARTIAL),
        made(&["TASK-research"], "decision.md", DECISION),
        made(&["TASK-limit", "judged by"], "limit.txt", "ten a second"),
        // Neither goes on before the other one is at work.
        writes_after(
            "TASK-tables",
            &["TASK-limit"],
            &[("limit.txt", "ten")],
            CLAIM,
        ),
        made(&["TASK-tables", "part 1 of 2"], "reads.csv", "read,10"),
        made(&["TASK-tables", "part 2 of 2"], "writes.csv", "write,10"),
        // Too much at once: it loses sight of what it was asked for.
        writes_after(
            "TASK-limit",
            &["TASK-tables"],
            &[("reads.csv", "to do")],
            CLAIM,
        ),
        made(&["TASK-docs", "judged by"], "limits.md", &right),
        made(&["TASK-docs"], "limits.md", &wrong),
    ])
}

/// Claude Code and opencode, each of which reviews what the other one made.
fn both(model: &Model) -> Stage {
    let [claude, _, opencode] = TOOLS;
    let stage = stage_of(&[claude, opencode], model);
    let settings = json!({
        "run": {"agent": claude, "agents": {"documentation": opencode}, "split_after": 2},
        "review": {"agents": [opencode, claude]},
    });
    write(stage.path("divisi.yaml"), &settings.to_string());
    stage
}

/// Begins or goes on, and kills every process of it as soon as this is in the journal.
fn killed(stage: &Stage, args: &[&str], when: &str, is: impl Fn(&Event) -> bool) {
    let running = stage.start(args);
    stage.until_event(when, is);
    let mut victims = vec![running.pid()];
    victims.extend(with_argument(&stage.path(".divisi").display().to_string()));
    victims.extend(stage.jobs());
    for pid in victims {
        kill(pid, libc::SIGKILL);
    }
    running.wait();
    until("nothing is left", || stage.jobs().is_empty());
    assert!(
        !stage.only().status().is_terminal(),
        "killed in time: {when}"
    );
}

/// Asks for the work on a terminal, answers the question, and nothing else.
fn asked(stage: &Stage) {
    let run = ["run", INTENT, "--planner", "agent"];
    let (_, shown) = stage.on_a_terminal(&run, &format!("{ANSWER}\n"));
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("To what? (Migrate the limits)"), "{shown}");
    let run = stage.only();
    let intent = run.intent.as_ref().expect("it was asked for in words");
    assert_eq!(intent.settled[0].answer, ANSWER);
    assert!(!intent.settled[0].is_assumed && !run.approved);
}

/// What is left of a run when it is over, whatever happened on the way.
fn end(stage: &Stage, model: &Model, ran: &Ran) -> (Vec<(String, &'static str)>, Vec<String>) {
    let run = stage.only();
    let names = [
        "plan",
        "limit",
        "docs",
        "tables",
        "limit-review1",
        "docs-review1",
    ];
    let log = || {
        let logs = names.map(|name| stage.divisi(&["logs", "run-1", name]).stdout);
        format!("{}\n{}\n{:#?}", ran.stderr, logs.join("\n"), model.seen())
    };
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", log());
    told(&run, &log);
    for name in ["limit", "docs"] {
        let said = stage.divisi(&["logs", "run-1", name]).expect(0).stdout;
        assert!(said.contains(CLAIM), "{name} claims it: {said}");
    }
    claims_are_not_read(model);
    let report = stage.divisi(&["report", "1"]).expect(0);
    report
        .says("planned by an agent, as its first task")
        .says(&format!("To what? {ANSWER}"))
        .says("judged by opencode")
        .says("judged by claude")
        .says("3 of 3 criteria of the whole pass");
    let files = [
        "decision.md",
        "limit.txt",
        "limits.md",
        "reads.csv",
        "writes.csv",
    ];
    let read = |path: &str| {
        stage
            .result(path)
            .unwrap_or_else(|| panic!("{path}: {}", log()))
    };
    (statuses(&run), files.map(read).to_vec())
}

/// Each refusal was for what was there, and each is in the record.
fn told(run: &Run, log: &impl Fn() -> String) {
    let refused = |name: &str| {
        let mut ends = endings(run, name).iter().map(|it| &it.end);
        ends.find_map(|end| match end {
            AttemptEnd::Refused(failure) => Some(failure.clone()),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{name} was refused once: {}", log()))
    };
    let Failure::Plan(faults) = refused("plan") else {
        panic!("{}", log());
    };
    assert!(
        faults.join("\n").contains("divisi-plan.json:"),
        "{faults:?}"
    );
    for (name, shown) in [
        ("limit", "limit.txt:1: ten; judged by opencode"),
        (
            "docs",
            "limits.md:5: Ask eleven times a second.; judged by claude",
        ),
    ] {
        let Failure::Checks(verdicts) = refused(name) else {
            panic!("{}", log());
        };
        let shows = |it: &&Verdict| it.evidence.contains(shown);
        assert!(verdicts.iter().any(|it| shows(&it)), "{name}: {verdicts:?}");
    }
}

/// Whoever depends on research is told what it decided.
fn decision_is_told(model: &Model) {
    for words in ["TASK-limit", "TASK-docs", "TASK-tables"] {
        let seen = model.seen();
        let told = seen.iter().map(|it| it.user.as_str());
        // Whoever judges what came of it is asked otherwise.
        let does = |user: &&str| user.contains(words) && !user.contains("Judge what was made");
        let told: Vec<&str> = told.filter(does).collect();
        assert!(!told.is_empty(), "{words} was never asked");
        for user in told {
            assert!(user.contains(DECISION), "{words}: {user}");
        }
    }
}

/// Whoever reviews is told nothing of what the author says of itself.
fn claims_are_not_read(model: &Model) {
    for words in [OF_LIMIT, OF_DOCS, OF_WHOLE] {
        let seen = model.seen();
        let mut asked = seen
            .iter()
            .filter(|it| it.users.iter().any(|said| said.contains(words)))
            .peekable();
        assert!(asked.peek().is_some(), "{words:?} was never asked");
        for one in asked {
            assert!(!one.sent.contains("BELIEVE-ME"), "{}", one.sent);
        }
    }
}

#[test]
fn an_intent_becomes_verified_work_and_the_same_if_all_is_killed_seven_times() {
    let quiet = model();
    let stage = both(&quiet);
    let (approve, resume) = (["approve", "1"], ["resume", "1"]);
    asked(&stage);
    stage.divisi(&approve).expect(0);
    stage.divisi(&resume).expect(4);
    stage.divisi(&approve).expect(0);
    let ran = stage.divisi(&resume);
    let expected = end(&stage, &quiet, &ran);
    let done = stage.only();
    let number = |name| done.find(&task(&done, name).spec.id).unwrap();
    side_by_side(&stage, ["limit", "tables"].map(number));
    decision_is_told(&quiet);
    let names = expected.0.iter().map(|(name, _)| name.as_str());
    for name in ["tables-part1", "tables-part2", "whole-review1"] {
        assert!(
            names.clone().any(|it| it == name),
            "{name}: {:?}",
            expected.0
        );
    }

    let loud = model();
    let stage = both(&loud);
    asked(&stage);
    stage.divisi(&approve).expect(0);
    killed(&stage, &resume, "the planner works", |event| {
        matches!(event, Event::AttemptStarted { .. })
    });
    killed(&stage, &resume, "the first plan is refused", |event| {
        matches!(
            event,
            Event::AttemptEnded {
                end: AttemptEnd::Refused(Failure::Plan(_)),
                ..
            }
        )
    });
    stage.divisi(&resume).expect(4);
    stage.divisi(&approve).expect(0);
    let run = stage.only();
    let of_limit = run.find(&task(&run, "limit").spec.id).unwrap();
    killed(
        &stage,
        &resume,
        "the work is under way",
        |event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.task == of_limit),
    );
    killed(&stage, &resume, "a review is to be made", |event| {
        matches!(event, Event::ReviewOpened { .. })
    });
    killed(&stage, &resume, "a task became smaller ones", |event| {
        matches!(event, Event::TaskSplit { planned: None, .. })
    });
    let run = stage.only();
    let of_part = run.find(&task(&run, "tables-part1").spec.id).unwrap();
    killed(
        &stage,
        &resume,
        "a part is about to be integrated",
        |event| {
            let Event::BatchPrepared { commits } = event else {
                return false;
            };
            commits.iter().any(|it| it.attempt.task == of_part)
        },
    );
    killed(&stage, &resume, "the whole is to be judged", |event| {
        matches!(
            event,
            Event::ReviewOpened {
                of: Subject::Whole(_),
                ..
            }
        )
    });
    let ran = stage.divisi(&resume);
    let came = end(&stage, &loud, &ran);
    let sorted = |mut all: Vec<(String, &'static str)>| {
        all.sort();
        all
    };
    assert_eq!(sorted(came.0), sorted(expected.0), "{}", ran.stderr);
    assert_eq!(came.1, expected.1);
}
