//! Journals as earlier versions wrote them: forms of version 1, the same small run as it was
//! recorded before and after each change of a form, pauses in both of their forms, and whole tables
//! from before each migration. They must load forever: never edit a file, add one for the next
//! version.

use std::collections::BTreeMap;

use divisi_core::intent::Planner;
use divisi_core::journal::{Batch, Entry, Journal, Stream};
use divisi_core::ledger::{self, Account, Bound, Credential, Exhausted, Ledger};
use divisi_core::receipt::Receipt;
use divisi_core::run::{
    self, AttemptEnd, Budget, Event, Failure, PauseReason, Run, RunStatus, TaskState, stored,
};
use divisi_core::{RunId, TaskId, TaskNo, Time, Tree};
use divisi_store::{Options, Store, Upcasters, Versions};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::given::{divisi, folder, options};

const KINDS: &[(&str, u32)] = &[
    ("account_opened", 1),
    ("attempt_integrated", 1),
    ("attempt_leased", 1),
    ("attempt_submitted", 1),
    ("reservation_settled", 1),
    ("run_created", 1),
    ("run_ended", 1),
];

fn golden(text: &str) -> Vec<Entry> {
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        Entry {
            stream: match line["stream"].as_str().unwrap() {
                "ledger" => Stream::Ledger,
                run => Stream::Run(RunId::parse(run).unwrap()),
            },
            seq: line["seq"].as_u64().unwrap(),
            kind: line["kind"].as_str().unwrap().to_owned(),
            version: u32::try_from(line["version"].as_u64().unwrap()).unwrap(),
            at: Time(line["at"].as_u64().unwrap()),
            body: line["body"].to_string(),
        }
    };
    text.lines().map(read).collect()
}

/// A store that another process wrote these entries to.
fn written(entries: &[Entry], kinds: &'static [(&'static str, u32)]) -> (TempDir, Store) {
    let folder = folder();
    let options = Options {
        versions: Versions::new(kinds, Upcasters::current(), 1),
        ..options()
    };
    let mut store = Store::open(&divisi(&folder), options.clone()).unwrap();
    for entry in entries {
        let batch = Batch {
            entries: vec![entry.clone()],
            ..Batch::default()
        };
        store.append(&batch).unwrap();
    }
    drop(store);
    let store = Store::open(&divisi(&folder), options).unwrap();
    (folder, store)
}

#[test]
fn the_journal_of_version_1_loads() {
    let entries = golden(include_str!("../golden/v1.jsonl"));
    assert_eq!(entries.len(), 7);
    assert!(entries.iter().all(|entry| entry.version == 1));
    let (_folder, store) = written(&entries, KINDS);
    for stream in [Stream::Ledger, Stream::Run(RunId(1))] {
        let expected: Vec<_> = entries.iter().filter(|e| e.stream == stream).collect();
        let loaded = store.events(stream, 0).unwrap();
        assert_eq!(loaded.iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn pauses_of_all_versions_are_read_as_those_of_today() {
    let entries = golden(include_str!("../golden/v2-pauses.jsonl"));
    let kinds: Vec<(&str, u32)> = run::KINDS.iter().chain(ledger::KINDS).copied().collect();
    let (_folder, store) = written(&entries, kinds.leak());
    let loaded = store.events(Stream::Run(RunId(1)), 0).unwrap();
    let pauses = loaded.iter().filter(|entry| entry.kind == "run_paused");
    assert!(pauses.clone().all(|entry| entry.version == 3));
    let reasons: Vec<PauseReason> = pauses
        .map(|entry| match serde_json::from_str(&entry.body).unwrap() {
            Event::RunPaused { reason } => reason,
            other => panic!("{other:?}"),
        })
        .collect();
    let budget = |account, bound| {
        PauseReason::Budget(Exhausted {
            account,
            bound,
            task: None,
        })
    };
    let account = Account::Run(RunId(1));
    let expected = [
        budget(account, None),
        PauseReason::Owner,
        budget(Account::Day(0), None),
        PauseReason::Fault("git fails".to_owned()),
        budget(account, Some(Bound::Attempts(9))),
        PauseReason::DiskFull,
    ];
    assert_eq!(reasons, expected);
    let ledger = store.events(Stream::Ledger, 0).unwrap();
    let budget = Budget {
        attempts: Some(9),
        time_ms: Some(60_000),
        ..Budget::default()
    };
    assert_eq!(
        serde_json::from_str::<ledger::Event>(&ledger[1].body).unwrap(),
        ledger::Event::BudgetChanged { account, budget }
    );
}

#[test]
fn limits_of_when_each_agent_had_its_own_credentials_are_read_as_what_agents_share() {
    let entries = golden(include_str!("../golden/v3-limits.jsonl"));
    let kinds: Vec<(&str, u32)> = run::KINDS.iter().chain(ledger::KINDS).copied().collect();
    let (_folder, store) = written(&entries, kinds.leak());
    let mut ledger = Ledger::default();
    for entry in store.events(Stream::Ledger, 0).unwrap() {
        ledger.apply(&serde_json::from_str(&entry.body).unwrap());
    }
    let limited: Vec<String> = ledger.limits.keys().map(Credential::to_string).collect();
    let expected = ["the login of claude", "the login of codex", "opencode"];
    assert_eq!(limited, expected, "what was lifted is gone");
    let told = |entry: &Entry| match serde_json::from_str(&entry.body).unwrap() {
        Event::AttemptLeased {
            agent, credential, ..
        } => match credential {
            Some(credential) => format!("{agent} with {credential}"),
            None => agent,
        },
        Event::RunPaused { reason } => reason.words(),
        other => panic!("{other:?}"),
    };
    let entries = store.events(Stream::Run(RunId(1)), 0).unwrap();
    let told: Vec<String> = entries.iter().map(told).collect();
    let expected = [
        "claude with ANTHROPIC_API_KEY",
        "claude-acp with the login of claude",
        "command",
        "the login of claude met a usage limit that ends at 1970-01-01 02:30:00 UTC",
        "asked by its owner",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_ledger_of_tokens_and_money_of_tasks_and_children_is_read() {
    let entries = golden(include_str!("../golden/v3-budgets.jsonl"));
    let (_folder, store) = written(&entries, ledger::KINDS);
    let mut ledger = Ledger::default();
    for entry in store.events(Stream::Ledger, 0).unwrap() {
        ledger.apply(&serde_json::from_str(&entry.body).unwrap());
    }
    ledger.check().unwrap();
    let used = |account| {
        let balance = &ledger.accounts[&account];
        (
            balance.used.tokens,
            balance.used.usd_micros,
            balance.unreported,
        )
    };
    let task = Account::Task(RunId(1), TaskNo(0));
    assert_eq!(used(task), (41_000, 2_100_000, 1));
    assert_eq!(used(Account::Run(RunId(1))), (41_000, 2_100_000, 1));
    assert_eq!(used(Account::Run(RunId(2))), (41_000, 2_100_000, 0));
    // What is written today is just that.
    for entry in &entries {
        let event: ledger::Event = serde_json::from_str(&entry.body).unwrap();
        let mut written = serde_json::to_value(&event).unwrap();
        let mut read: Value = serde_json::from_str(&entry.body).unwrap();
        // Amounts of before tokens were counted have none.
        if let Some(amount) = read.get_mut("amount") {
            amount["tokens"]
                .is_null()
                .then(|| amount["tokens"] = 0.into());
            amount["usd_micros"]
                .is_null()
                .then(|| amount["usd_micros"] = 0.into());
        }
        assert_eq!(written.take(), read);
    }
}

/// The run that a recorded journal holds, as far as its first entries go: appended as they are,
/// read back in today's form, and replayed.
fn recorded(text: &str, first: usize) -> Run {
    let folder = folder();
    let options = Options {
        versions: Versions::new(run::KINDS, Upcasters::current(), stored::VERSION),
        ..options()
    };
    let mut store = Store::open(&divisi(&folder), options).unwrap();
    let entries = golden(text).into_iter().take(first).collect();
    store
        .append(&Batch {
            entries,
            ..Batch::default()
        })
        .unwrap();
    let entries = store.events(Stream::Run(RunId(1)), 0).unwrap();
    let read =
        |entry: &Entry| -> (Time, Event) { (entry.at, serde_json::from_str(&entry.body).unwrap()) };
    let events: Vec<(Time, Event)> = entries.iter().map(read).collect();
    stored::replay(RunId(1), &events).unwrap()
}

/// Which tree each task was integrated with.
fn trees(run: &Run) -> Vec<Option<Tree>> {
    let receipts = run
        .tasks()
        .iter()
        .flat_map(|task| &task.endings[0].receipts);
    let tree = |receipt: &Receipt| match receipt {
        Receipt::Integrated { tree, .. } => Some(tree.clone()),
        _ => None,
    };
    receipts.filter_map(tree).collect()
}

#[test]
fn a_run_recorded_before_commits_were_prepared_with_their_trees_loads() {
    let text = include_str!("../golden/v1-run.jsonl");
    let run = recorded(text, usize::MAX);
    assert_eq!(
        run.ended.map(|(status, _)| status),
        Some(RunStatus::Succeeded)
    );
    assert_eq!(trees(&run), [None, None]);
    // Cut off where the second batch is prepared and the branch has not moved yet.
    let run = recorded(text, 14);
    let about_to = "fcacac9723e4220804bd53973acfaf4b525f3098";
    assert_eq!(run.prepared_head().unwrap().as_str(), about_to);
}

#[test]
fn a_run_recorded_with_the_trees_of_its_commits_loads() {
    let run = recorded(include_str!("../golden/v2-run.jsonl"), usize::MAX);
    assert_eq!(
        run.ended.map(|(status, _)| status),
        Some(RunStatus::Succeeded)
    );
    let tree = |text: &str| Tree::new(text);
    assert_eq!(
        trees(&run),
        [
            tree("34987373d934782f57efa85ef6f7943dd96913e6"),
            tree("1918e13fa0bca4fe02d2035afe45b43556f17acb")
        ]
    );
}

#[test]
fn a_run_recorded_before_plans_were_expanded_loads() {
    let run = recorded(include_str!("../golden/v1-split.jsonl"), usize::MAX);
    assert_eq!(
        run.ended.map(|(status, _)| status),
        Some(RunStatus::Succeeded)
    );
    assert_eq!(run.revision, 2);
    let told = |task: &run::Task| format!("{} {} {}", task.spec.id, task.status(), task.attempts());
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    let expected = [
        "a done 1",
        "flaky done 2",
        "asks done 2",
        "large split 1",
        "consent done 0",
        "sum done 1",
        "tell done 1",
        "unwanted done 1",
        "large-1 done 1",
        "large-2 done 1",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_run_recorded_when_plans_were_first_expanded_loads() {
    let run = recorded(include_str!("../golden/v2-expanded.jsonl"), usize::MAX);
    assert_eq!(
        run.ended.map(|(status, _)| status),
        Some(RunStatus::Succeeded)
    );
    assert_eq!(run.revision, 3);
    let told = |task: &run::Task| {
        let context = task.stage_context.as_deref().unwrap_or("-");
        let (id, status, attempts) = (&task.spec.id, task.status(), task.attempts());
        let (nesting, depth) = (task.nesting, task.depth);
        format!("{id} {status} {attempts} {nesting} {depth} {context}")
    };
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    let expected = [
        "a done 1 0 0 -",
        "first split 2 0 0 -",
        // No plan of its agent could be read: a person said the tasks.
        "second split 3 0 0 -",
        "sum done 1 0 0 -",
        "b done 1 1 0 -",
        "c done 1 1 0 -",
        "d done 1 0 1 All of one house.",
        "e done 1 0 1 All of one house.",
    ];
    assert_eq!(told, expected);
    let [refused, expanded] = &run.tasks()[1].endings[..] else {
        panic!("it was tried twice");
    };
    assert!(matches!(
        &refused.end,
        AttemptEnd::Refused(Failure::Plan(faults)) if faults.len() == 1
    ));
    assert_eq!(expanded.end, AttemptEnd::Expanded);
    assert!(matches!(
        expanded.receipts.last(),
        Some(Receipt::Expanded { tasks: 2, .. })
    ));
    // It waits for what its plan waited for, and at the barrier between the stages of that.
    let no = |id: &str| run.find(&TaskId::new(id).unwrap()).unwrap();
    assert_eq!(run.dependencies(no("c")), [no("a"), no("b")]);
}

#[test]
fn a_run_recorded_when_a_failed_task_was_first_split_by_rule_loads() {
    let run = recorded(include_str!("../golden/v2-divided.jsonl"), usize::MAX);
    let ended = run.ended.map(|(status, _)| status);
    assert_eq!((ended, run.revision), (Some(RunStatus::Succeeded), 2));
    let told = |task: &run::Task| {
        let (id, status, depth) = (&task.spec.id, task.status(), task.depth);
        let of = task
            .replaces
            .map_or("-", |no| run.tasks()[no.index()].spec.id.as_str());
        let attempts = task.spec.budget.attempts.unwrap_or_default();
        format!(
            "{id} {status} {} of {attempts} {depth} {of}",
            task.attempts()
        )
    };
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    let expected = [
        "whole split 3 of 9 0 -",
        "after done 1 of 0 0 -",
        "whole-part1 done 1 of 3 1 whole",
        "whole-part2 done 1 of 3 1 whole",
    ];
    assert_eq!(told, expected);
    let no = |id: &str| run.find(&TaskId::new(id).unwrap()).unwrap();
    let begun = run.beginning(no("whole-part1")).unwrap();
    assert!(begun.has("a.md") && !begun.has("b.md"));
}

#[test]
fn a_run_recorded_when_agents_first_reviewed_loads() {
    let run = recorded(include_str!("../golden/v2-reviewed.jsonl"), usize::MAX);
    let ended = run.ended.map(|(status, _)| status);
    assert_eq!((ended, run.revision), (Some(RunStatus::Succeeded), 1));
    let told = |task: &run::Task| {
        let ends: Vec<String> = task
            .endings
            .iter()
            .map(|it| run::end_words(&it.end))
            .collect();
        format!("{} {}: {}", task.spec.id, task.status(), ends.join(", "))
    };
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    let void = "its verdict is none: the verdict on criterion 0 is void: the text does not stand in \
                page.md:1";
    let expected = [
        "page done: it was integrated".to_owned(),
        format!("page-review1 done: {void}, its verdict was taken"),
        format!("whole-review1 done: {void}, its verdict was taken"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_run_recorded_when_advice_about_plans_was_first_kept_loads() {
    let journal = include_str!("../golden/v2-advised.jsonl");
    let codes = |advice: &[String]| -> Vec<String> {
        { advice.iter() }
            .filter_map(|it| Some(it.split(['[', ']']).nth(1)?.to_owned()))
            .collect()
    };
    // One plan was refused for its fault, one by its owner, and the third one is done.
    let run = recorded(journal, usize::MAX);
    assert_eq!(run.status(), RunStatus::Succeeded);
    assert!(run.advice().is_empty());
    let told = |ending: &run::Ending| (run::end_words(&ending.end), codes(&ending.advice));
    let told: Vec<_> = run.tasks()[0].endings.iter().map(told).collect();
    let advised = vec!["plan-unfalsifiable".to_owned()];
    let [(fault, beside), refused, expanded] = &told[..] else {
        panic!("it was planned three times: {told:?}");
    };
    assert!(fault.contains("[lint-intent]"), "{fault}");
    assert_eq!(*beside, advised);
    let words = "a person refused it: nobody deploys it".to_owned();
    assert_eq!(*refused, (words, advised.clone()));
    assert_eq!(*expanded, ("its tasks took its place".to_owned(), vec![]));
    // While the second one awaited approval, its advice stood beside it.
    let entries = golden(journal);
    let mut kinds = entries.iter().map(|entry| entry.kind.as_str());
    let accepted = kinds.position(|kind| kind == "task_split").unwrap();
    let waiting = recorded(journal, accepted + 1);
    assert_eq!(waiting.status(), RunStatus::AwaitingApproval);
    assert_eq!(codes(waiting.advice()), advised);
}

#[test]
fn a_run_recorded_when_candidates_were_first_compared_loads() {
    let run = recorded(include_str!("../golden/v2-chosen.jsonl"), usize::MAX);
    let told = |task: &run::Task| format!("{} {}", task.spec.id, task.status());
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    assert_eq!(
        told,
        ["page done", "page.1 failed", "page.2 done", "page.3 done"]
    );
    assert_eq!(run.status(), RunStatus::Succeeded);
    let chosen = run.tasks()[0].chosen.as_ref().unwrap();
    assert_eq!(chosen.from.map(|from| from.task), Some(TaskNo(3)));
    assert!(
        chosen.why.contains("page.3 with 12 (1 line)"),
        "{}",
        chosen.why
    );
    let measured = |receipt: &Receipt| match receipt {
        Receipt::Measured { measured, .. } => measured.figure.map(|it| it.to_string()),
        _ => None,
    };
    let last = &run.tasks()[3].endings[0];
    assert_eq!(last.end, AttemptEnd::Measured);
    assert_eq!(
        last.receipts.iter().find_map(measured).as_deref(),
        Some("12")
    );
}

/// The folder of a journal with these tables.
fn with_tables(sql: &str) -> TempDir {
    let folder = folder();
    let dir = divisi(&folder);
    std::fs::create_dir(&dir).unwrap();
    let conn = Connection::open(dir.join("divisi.db")).unwrap();
    conn.execute_batch(sql).unwrap();
    folder
}

/// The version of the rows in those tables.
const ROWS: u32 = 3;

#[test]
fn tables_from_before_accounts_had_rows_are_brought_up_to_date_by_the_writer() {
    let kinds: Vec<(&str, u32)> = run::KINDS.iter().chain(ledger::KINDS).copied().collect();
    let options = Options {
        versions: Versions::new(kinds.leak(), Upcasters::current(), ROWS),
        ..options()
    };
    let folder = with_tables(include_str!("../golden/tables-1.sql"));
    let dir = divisi(&folder);
    let view = || Store::open_read_only(&dir, options.versions.clone());
    let refused = view().map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("older Divisi"), "{refused}");
    let is_current = || Store::is_current(&dir, options.versions.clone());
    assert_eq!(is_current(), Ok(false));

    let mut store = Store::open(&dir, options.clone()).unwrap();
    assert_eq!(is_current(), Ok(true));
    // The rows of runs stay; the ledger has none, which is how whoever loads knows to replay it.
    assert_eq!(store.runs().unwrap().len(), 3);
    assert_eq!(store.run(RunId(3)).unwrap().unwrap().seq, 5);
    assert_eq!(store.tasks(RunId(1)).unwrap().len(), 2);
    assert_eq!(
        (store.ledger().unwrap(), store.accounts().unwrap()),
        (None, vec![])
    );
    let entries = store.events(Stream::Ledger, 0).unwrap();
    let mut ledger = Ledger::default();
    for entry in &entries {
        ledger.apply(&serde_json::from_str(&entry.body).unwrap());
    }
    let changed = ledger.take_changed();
    let batch = Batch {
        accounts: ledger::stored::account_rows(&ledger, changed),
        ledger: Some(ledger::stored::ledger_row(&ledger, entries.len() as u64)),
        ..Batch::default()
    };
    store.append(&batch).unwrap();
    drop(store);

    let view = view().unwrap();
    let balance = |run| {
        let row = view.account(Account::Run(RunId(run))).unwrap();
        row.map(|row| ledger::stored::balance(&row).unwrap())
    };
    let first = balance(1).unwrap();
    assert_eq!((first.used.attempts, first.used.time_ms), (2, 14));
    assert_eq!(first.budget.time_ms, Some(600_000));
    assert_eq!(balance(2), None);
    assert_eq!(balance(3).unwrap().budget.attempts, Some(1));
    assert_eq!(view.faults().unwrap(), Vec::<String>::new());
}

#[test]
fn a_run_of_an_intent_whose_plan_was_made_and_replaced_loads() {
    let run = recorded(include_str!("../golden/v1-intent.jsonl"), usize::MAX);
    let intent = run.intent.as_deref().unwrap();
    assert_eq!(
        intent.text,
        "Add limits on the requests of a client, with docs"
    );
    assert_eq!(intent.planner, Planner::Agent);
    assert_eq!(intent.assessment.approach, "plan");
    assert_eq!((run.revision, run.approved), (3, true));
    assert_eq!(run.planner(), Some(TaskNo(0)));
    let told = |task: &run::Task| format!("{} {}", task.spec.id, task.status());
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    assert_eq!(told, ["plan split", "limit ready", "docs waiting"]);
    assert_eq!(run.tasks()[0].endings[0].end, AttemptEnd::Expanded);
    assert_eq!(run.criteria.len(), 1);
    // Before it was replaced and approved.
    let planned = recorded(include_str!("../golden/v1-intent.jsonl"), 8);
    assert_eq!((planned.revision, planned.approved), (2, false));
}

#[test]
fn a_run_whose_plan_was_refused_and_whose_work_outgrew_its_task_loads() {
    let run = recorded(include_str!("../golden/v1-revised.jsonl"), usize::MAX);
    let told = |task: &run::Task| format!("{} {}", task.spec.id, task.status());
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    let expected = [
        "plan split",
        "limit split",
        "docs done",
        "limit-plan split",
        "one done",
        "two done",
    ];
    assert_eq!(told, expected);
    assert_eq!((run.revision, run.approved), (6, true));
    let planner = &run.tasks()[0];
    let refused = AttemptEnd::Refused(run::Failure::Person("smaller".to_owned()));
    assert_eq!(planner.endings[0].end, refused);
    assert_eq!((planner.failures, planner.attempts()), (1, 2));
    let mut receipts = run.tasks()[1].endings[0].receipts.iter();
    let said = receipts.find_map(divisi_core::receipt::Receipt::too_large);
    assert_eq!(said, Some("two files"));
    assert_eq!(run.outgrew(TaskNo(3)), Some(TaskNo(1)));
}

#[test]
fn a_run_whose_attempt_was_ended_and_looked_at_loads() {
    let text = include_str!("../golden/v2-broken-off.jsonl");
    let run = recorded(text, usize::MAX);
    let told = |task: &run::Task| format!("{} {}", task.spec.id, task.status());
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    assert_eq!(
        told,
        ["pages split", "pages-plan split", "one done", "two done"]
    );
    let ending = &run.tasks()[0].endings[0];
    assert_eq!(ending.end, AttemptEnd::UsedUp(Bound::Tokens(1_000)));
    let was_ended = |it: &Receipt| {
        matches!(
            it,
            Receipt::Submitted {
                used_up: Some(Bound::Tokens(1_000)),
                ..
            }
        )
    };
    assert!(ending.receipts.iter().any(was_ended), "{ending:?}");
    let begins_with = run.beginning(TaskNo(2)).map(|it| it.snapshot);
    let made = ending.receipts.iter().find_map(|it| match it {
        Receipt::Collected { snapshot, .. } => snapshot.clone(),
        _ => None,
    });
    assert!(made.is_some() && begins_with == made, "{ending:?}");
    // Before a person judged the whole, since nobody else was there.
    let held = recorded(text, text.lines().count() - 2);
    let why = held.unreviewed(None).map(|why| why.words());
    assert!(why.is_some_and(|it| it.contains("custom.judge")));
}

#[test]
fn a_run_of_which_one_candidate_s_budget_was_used_up_loads() {
    let run = recorded(include_str!("../golden/v3-given-up.jsonl"), usize::MAX);
    let told = |task: &run::Task| format!("{} {}", task.spec.id, task.status());
    let told: Vec<String> = run.tasks().iter().map(told).collect();
    assert_eq!(
        told,
        ["page done", "page.1 failed", "page.2 done", "page.3 done"]
    );
    assert_eq!((run.status(), &run.paused), (RunStatus::Succeeded, &None));
    let TaskState::Failed(reason) = &run.tasks()[1].state else {
        panic!("{:?}", run.tasks()[1].state);
    };
    assert!(
        reason.contains("the budget of task page.1 of run-1 is used up"),
        "{reason}"
    );
    assert_eq!(
        run.tasks()[0].stands_on().map(|it| it.task),
        Some(TaskNo(3))
    );
}

#[test]
fn a_program_from_before_candidates_refuses_what_it_would_read_wrongly() {
    let entries = golden(include_str!("../golden/v3-given-up.jsonl"));
    // It knows these forms, of which none says that a task is solved several times.
    let before: Vec<(&str, u32)> = { run::KINDS.iter() }
        .filter(|(kind, _)| !kind.starts_with("candidate"))
        .map(|(kind, version)| match *kind {
            "run_created" | "plan_replaced" | "task_failed" => (*kind, 1),
            "task_split" => (*kind, 2),
            _ => (*kind, *version),
        })
        .collect();
    let before = Versions::new(before.leak(), Upcasters::default(), 1);
    let refused = |kind: &str| {
        let entry = entries.iter().find(|entry| entry.kind == kind).unwrap();
        before.lift(entry.clone()).unwrap_err().to_string()
    };
    for kind in ["run_created", "task_failed"] {
        let told = refused(kind);
        assert!(
            told.contains("up to version 1; a newer one wrote it"),
            "{told}"
        );
    }
    assert!(refused("candidate_chosen").contains("does not know the kind"));
    // The form in which parts and plans are written is a newer one, too.
    let today: BTreeMap<&str, u32> = run::KINDS.iter().copied().collect();
    assert_eq!((today["plan_replaced"], today["task_split"]), (2, 3));
}
