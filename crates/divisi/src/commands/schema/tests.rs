//! The schema of events is held to the code: an event of every kind, with every field given and
//! every field left out, satisfies it, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use divisi_core::criterion::Program;
use divisi_core::figure::Figure;
use divisi_core::ids::{AttemptId, Epoch};
use divisi_core::ledger::{self, Account, Amount, Bound, Credential, Exhausted, Limit};
use divisi_core::permission::{Decider, Decision, Deed, Permissions, Request, Rule, Ruling};
use divisi_core::plan::{
    Candidate, Candidates, Deliverable, Estimate, Expansion, Input, Plan, Preference, Priority,
    Stage, TaskKind, Template, Want, Work, WorkspaceKind,
};
use divisi_core::preparation::{Preparation, Setup};
use divisi_core::receipt::{Artifact, Exit, Measured, Output, Receipt, Snapshot, Usage};
use divisi_core::run::{
    AttemptEnd, Base, Budget, Defined, DefinedModel, DefinedProgram, Event, Failure, Grants,
    ModelBounds, PauseReason, PreparedCommit, Price, Provider, RunStatus, Settings, Sizes, Speaks,
    StopReason, Subject, Then,
};
use divisi_core::{
    Commit, Criterion, Digest, Format, Outcome, RunId, TaskId, TaskNo, TaskSpec, Time, Tree,
    Verdict, run,
};
use serde_json::{Value, json};

use super::{EVENTS, written};

fn hash<T>(of: impl Fn(&str) -> Option<T>) -> T {
    of(&"0123456789abcdef0123456789abcdef01234567"[..40]).expect("it is a hash")
}

fn commit() -> Commit {
    hash(Commit::new)
}

fn attempt() -> AttemptId {
    AttemptId {
        run: RunId(3),
        task: TaskNo(1),
        number: 2,
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        commit: commit(),
        tree: hash(Tree::new),
        base: commit(),
    }
}

fn verdicts() -> Vec<Verdict> {
    let outcomes = [
        Outcome::Pass,
        Outcome::Fail,
        Outcome::Unverified,
        Outcome::Waived,
    ];
    let full = outcomes.into_iter().map(|outcome| Verdict {
        criterion: 1,
        outcome,
        evidence: "seen".into(),
        proves_nothing: true,
        program: Some(Box::new(Program {
            command: "cargo test".into(),
            exit: Exit::Status(0),
            output: Some(Output {
                digest: hash(Digest::new),
                bytes: 3,
                capped: false,
            }),
        })),
    });
    full.chain([Verdict::pass(0)]).collect()
}

fn criteria() -> Vec<Criterion> {
    let path = || "a.md".to_owned();
    let mut all = vec![
        Criterion::ExitStatus,
        Criterion::File {
            path: path(),
            min_bytes: 1,
        },
        Criterion::Contains {
            text: "x".into(),
            path: path(),
        },
        Criterion::Lacks {
            text: "x".into(),
            path: path(),
        },
        Criterion::Matches {
            pattern: "x".into(),
            path: path(),
        },
        Criterion::Section {
            heading: "x".into(),
            path: path(),
        },
        Criterion::Schema {
            schema: "s.json".into(),
            path: path(),
        },
        Criterion::Command {
            argv: vec!["true".into()],
            timeout_ms: 1,
        },
        Criterion::Scope {
            patterns: vec!["**".into()],
        },
        Criterion::Changed {
            pattern: "src/**".into(),
        },
        Criterion::Count {
            pattern: "*".into(),
            min: 1,
            max: None,
        },
        Criterion::Count {
            pattern: "*".into(),
            min: 1,
            max: Some(2),
        },
        Criterion::Cites { path: path() },
        Criterion::Plain {
            text: "nice".into(),
        },
    ];
    for format in [Format::Json, Format::Yaml, Format::Toml, Format::Markdown] {
        all.push(Criterion::Format {
            format,
            path: path(),
        });
    }
    all
}

/// A task with every field given. A new field does not compile until it is given here.
fn full_task(work: Work, workspace: WorkspaceKind, kind: TaskKind, priority: Priority) -> TaskSpec {
    let id = |text: &str| TaskId::new(text).expect("it is an id");
    TaskSpec {
        id: id("a"),
        title: "A".into(),
        description: "more".into(),
        kind,
        domain: Some("dev".into()),
        function: Some("build".into()),
        agent: Some("command".into()),
        agents_else: vec!["person".into()],
        work,
        dependencies: vec![id("b")],
        inputs: vec![Input::Task(id("b")), Input::Path("in.md".into())],
        deliverables: vec![Deliverable {
            path: "a.md".into(),
        }],
        scope: vec!["src/**".into()],
        criteria: criteria(),
        workspace,
        env: BTreeMap::from([("A".to_owned(), "b".to_owned())]),
        timeout_ms: Some(1),
        retries: Some(2),
        ok_exit: vec![0, -1],
        priority,
        estimate: Estimate {
            duration_ms: Some(1),
            duration_max_ms: Some(2),
            tokens: Some(2),
        },
        budget: Budget::default().with(Bound::Tokens(1)),
        candidates: Some(Candidates {
            of: vec![
                Candidate::default(),
                Candidate {
                    agent: Some("person".into()),
                },
            ],
            prefer: Some(Preference {
                argv: vec!["true".into()],
                timeout_ms: 1,
                want: match priority {
                    Priority::Low => Want::Lowest,
                    _ => Want::Highest,
                },
            }),
        }),
    }
}

fn tasks() -> Vec<TaskSpec> {
    let template = |text: Option<&str>, path: Option<&str>| {
        Work::Template(Template {
            text: text.map(str::to_owned),
            path: path.map(str::to_owned),
            output: "out.md".into(),
        })
    };
    let expansion = Expansion {
        bundle: hash(Digest::new),
        stage: "second".into(),
    };
    use {Priority as P, TaskKind as K, WorkspaceKind as W};
    vec![
        full_task(
            Work::Command(vec!["true".into()]),
            W::Worktree,
            K::Work,
            P::Low,
        ),
        full_task(
            Work::Script("true".into()),
            W::Shared,
            K::Research,
            P::Medium,
        ),
        full_task(Work::Handoff, W::Scratch, K::Compose, P::High),
        full_task(template(Some("t"), None), W::Scratch, K::Plan, P::Critical),
        full_task(template(None, Some("t.md")), W::Scratch, K::Review, P::High),
        full_task(Work::Nothing, W::Shared, K::External, P::High),
        full_task(Work::Nothing, W::Shared, K::Approval, P::High),
        full_task(Work::Expand(expansion), W::Shared, K::Plan, P::High),
        TaskSpec::command(TaskId::new("b").expect("it is an id"), &["true"]),
    ]
}

fn receipts() -> Vec<Receipt> {
    let at = Time(7);
    let submitted = |exit: Exit, output| Receipt::Submitted {
        at,
        command: match exit {
            Exit::NoProcess => String::new(),
            Exit::Status(_) | Exit::Signal(_) => "cargo build".into(),
        },
        confined: (exit != Exit::NoProcess).then_some(true),
        usage: (exit == Exit::NoProcess).then_some(Usage {
            tokens: 5,
            usd_micros: Some(6),
        }),
        claimed_failure: matches!(exit, Exit::Signal(_)).then(|| "no idea".into()),
        too_large: matches!(exit, Exit::Signal(_)),
        used_up: matches!(exit, Exit::Signal(_)).then_some(Bound::Tokens(7)),
        exit,
        output,
        wall_ms: 9,
    };
    let output = |capped| {
        Some(Output {
            digest: hash(Digest::new),
            bytes: 3,
            capped,
        })
    };
    let artifact = Artifact {
        path: "a.md".into(),
        digest: hash(Digest::new),
        bytes: 3,
    };
    vec![
        submitted(Exit::Status(-1), output(true)),
        submitted(Exit::Signal(9), output(false)),
        submitted(Exit::NoProcess, None),
        Receipt::Collected {
            at,
            snapshot: Some(snapshot()),
            artifacts: vec![artifact],
        },
        Receipt::Collected {
            at,
            snapshot: None,
            artifacts: Vec::new(),
        },
        Receipt::Verified {
            at,
            tree: Some(hash(Tree::new)),
            verdicts: verdicts(),
        },
        Receipt::Verified {
            at,
            tree: None,
            verdicts: Vec::new(),
        },
        Receipt::Integrated {
            at,
            commit: Some(commit()),
            tree: Some(hash(Tree::new)),
        },
        Receipt::Integrated {
            at,
            commit: None,
            tree: None,
        },
        expanded(Some(commit())),
        expanded(None),
        Receipt::Reviewed {
            at,
            verdicts: verdicts(),
        },
        Receipt::Measured {
            at,
            measured: Measured {
                lines: 3,
                figure: Some(Figure(-1)),
                lacking: None,
            },
        },
        Receipt::Measured {
            at,
            measured: Measured {
                lines: 3,
                figure: None,
                lacking: Some("x".into()),
            },
        },
    ]
}

fn expanded(from: Option<Commit>) -> Receipt {
    Receipt::Expanded {
        at: Time(7),
        from,
        tasks: 3,
    }
}

fn stage() -> Stage {
    Stage {
        name: "one".into(),
        tasks: vec![TaskId::new("a").expect("it is an id")],
    }
}

fn permission() -> Request {
    Request {
        id: "1".into(),
        deed: Deed::Execute,
        title: "make".into(),
        paths: vec!["a".into()],
        command: Some("make".into()),
    }
}

fn rule() -> Rule {
    Rule {
        role: Some("web".into()),
        deed: Some(Deed::Edit),
        path: Some("docs/**".into()),
        command: Some("make".into()),
        exact: true,
        then: Ruling::Ask,
    }
}

fn deny() -> Decision {
    Decision::Deny { reason: "r".into() }
}

fn policy() -> Decider {
    Decider::Policy {
        because: "b".into(),
    }
}

fn decided(request: Option<Request>, decision: Decision, by: Decider, rules: Vec<Rule>) -> Event {
    Event::PermissionDecided {
        attempt: attempt(),
        no: 1,
        request,
        decision,
        by,
        rules,
    }
}

fn advice_of<T>(planned: &Option<T>) -> Vec<String> {
    planned
        .iter()
        .map(|_| "[lint-task-long] x".to_owned())
        .collect()
}

fn split(planned: Option<(AttemptId, Receipt)>, stages: Vec<Stage>, stage_context: &str) -> Event {
    Event::TaskSplit {
        task: TaskNo(1),
        parts: tasks(),
        stages,
        stage_context: stage_context.into(),
        criteria: criteria(),
        reason: "large".into(),
        advice: advice_of(&planned),
        planned,
    }
}

fn created(full: bool) -> Event {
    let stages = vec![stage()];
    let limits = BTreeMap::from([("dev".to_owned(), 2)]);
    let budget = Budget {
        attempts: Some(1),
        time_ms: Some(2),
        tokens: Some(3),
        usd_micros: Some(4),
    };
    let price = Price {
        input: 1,
        output: 2,
        cached: 0,
    };
    let settings = Settings {
        role_limits: limits.clone(),
        agent_limits: limits,
        agent_auto: "claude".into(),
        budget,
        prices: [("claude".to_owned(), price)].into(),
        permissions: Permissions {
            rules: vec![rule()],
            deadline_ms: 1,
        },
        grants: Grants {
            writes: vec!["/tmp/x".into()],
            passes: vec!["TOKEN".into()],
            unconfined: true,
            memory_bytes_max: Some(1),
            cpu_s_max: None,
        },
        agents: [("development".to_owned(), "person".to_owned())].into(),
        awaiting_max: 1,
        sizes: Sizes {
            files_max: 4,
            ..Sizes::USUAL
        },
        agents_auto: [("development".to_owned(), "codex".to_owned())].into(),
        rehearsal: Some(hash(Digest::new)),
        defined: [
            (
                "model".to_owned(),
                Defined::Model(DefinedModel {
                    provider: Provider::OpenaiResponses,
                    model: "large".to_owned(),
                    url: Some("http://localhost:1/v1".to_owned()),
                    key: Some("MY_KEY".to_owned()),
                    bounds: ModelBounds::default(),
                }),
            ),
            (
                "custom.other".to_owned(),
                Defined::Program(DefinedProgram {
                    command: vec!["other".to_owned()],
                    speaks: Speaks::Acp,
                    variables: vec!["A_KEY".to_owned()],
                }),
            ),
        ]
        .into(),
        ..Settings::default()
    };
    let base = Base {
        commit: Some(commit()),
        described: "main".into(),
        uncommitted: vec!["a".into()],
        included: true,
    };
    let plan = Plan {
        title: "T".into(),
        tasks: tasks(),
        stages,
        criteria: criteria(),
        preparation: Preparation {
            copy: vec![".env".into()],
            setup: vec![
                Setup::Command(vec!["npm".into(), "ci".into()]),
                Setup::Script("npm ci".into()),
            ],
            inputs: Some(vec!["package.json".into()]),
            timeout_ms: Some(1),
        },
        roles: [("development".to_owned(), "You are a developer.".to_owned())].into(),
    };
    if full {
        return Event::RunCreated {
            plan: Arc::new(plan),
            settings: Box::new(settings),
            base,
            approved: true,
            intent: Some(Box::new(crate::scenes::intent())),
        };
    }
    Event::RunCreated {
        plan: Arc::new(Plan {
            stages: Vec::new(),
            criteria: Vec::new(),
            preparation: Preparation::default(),
            roles: BTreeMap::new(),
            ..plan
        }),
        settings: Box::default(),
        base: Base::default(),
        approved: false,
        intent: None,
    }
}

fn ends() -> Vec<AttemptEnd> {
    let failures = [
        Failure::Checks(verdicts()),
        Failure::Collection("x".into()),
        Failure::Conflict(vec!["a".into()]),
        Failure::Integration(verdicts()),
        Failure::Start {
            cause: "x".into(),
            permanent: true,
        },
        Failure::Person("x".into()),
        Failure::Composition("x".into()),
        Failure::Preparation("x".into()),
        Failure::Plan(vec!["plan.json:1:1: x".into()]),
        Failure::Review(vec!["x".into()]),
    ];
    let mut ends: Vec<AttemptEnd> = failures.into_iter().map(AttemptEnd::Refused).collect();
    ends.extend(stops().into_iter().map(AttemptEnd::Stopped));
    ends.extend([
        AttemptEnd::Integrated,
        AttemptEnd::Expanded,
        AttemptEnd::Reviewed,
        AttemptEnd::Measured,
        AttemptEnd::Errored(Failure::Person("x".into())),
        AttemptEnd::Lost("x".into()),
        AttemptEnd::Asked("x".into()),
        AttemptEnd::UsedUp(Bound::Tokens(1)),
        AttemptEnd::UsedUp(Bound::UsdMicros(1)),
        AttemptEnd::Limited {
            cause: "x".into(),
            wait_ms: None,
            ends_at: None,
        },
        AttemptEnd::Limited {
            cause: "x".into(),
            wait_ms: Some(1),
            ends_at: Some(Time(1)),
        },
    ]);
    ends
}

fn stops() -> Vec<StopReason> {
    vec![
        StopReason::Stalled("x".into()),
        StopReason::Overdue,
        StopReason::OverBudget(1),
        StopReason::Canceled,
        StopReason::Interrupted,
    ]
}

fn of_runs() -> Vec<Event> {
    let task = TaskNo(1);
    let mut all = vec![
        created(true),
        created(false),
        Event::RunApproved,
        Event::PlanReplaced {
            plan: Arc::new(Plan {
                title: "T".into(),
                tasks: tasks(),
                ..Plan::default()
            }),
        },
        Event::PlanRefused {
            task: TaskNo(0),
            reason: "x".into(),
            then: Then::Retry {
                not_before: Time(0),
            },
        },
        Event::RunResumed,
        Event::CancelAsked,
        Event::FinalHeld {
            verdicts: verdicts(),
            tasks: vec![(task, verdicts())],
        },
        Event::FinalPassed {
            verdicts: verdicts(),
        },
        Event::BatchNarrowed { batch: 2 },
        Event::ReviewOpened {
            review: Box::new(tasks().remove(0)),
            of: Subject::Attempt(attempt()),
        },
        Event::ReviewOpened {
            review: Box::new(tasks().remove(0)),
            of: Subject::Whole(commit()),
        },
        Event::ReviewClosed { task },
        split(None, Vec::new(), ""),
        split(
            Some((attempt(), expanded(Some(commit())))),
            vec![stage()],
            "all",
        ),
        Event::ApprovalGiven {
            task,
            note: "n".into(),
        },
        Event::TaskFailed {
            task,
            reason: "r".into(),
        },
        Event::TaskCanceled { task },
        Event::TaskSkipped {
            task,
            because: TaskNo(0),
        },
        Event::TaskRetried {
            task,
            note: "n".into(),
        },
        Event::QuestionAnswered {
            task,
            answer: "a".into(),
        },
    ];
    let exhausted = |account, bound| {
        PauseReason::Budget(Exhausted {
            account,
            bound,
            task: matches!(account, Account::Task(..)).then(|| TaskId::new("a").unwrap()),
        })
    };
    let pauses = [
        PauseReason::Owner,
        PauseReason::Interrupted,
        PauseReason::DiskFull,
        exhausted(Account::Day(1), None),
        exhausted(Account::Run(RunId(3)), Some(Bound::Attempts(1))),
        exhausted(Account::Run(RunId(3)), Some(Bound::TimeMs(1))),
        exhausted(Account::Task(RunId(3), task), Some(Bound::Tokens(1))),
        PauseReason::Fault("x".into()),
    ];
    all.extend(pauses.map(|reason| Event::RunPaused { reason }));
    let ended = [RunStatus::Succeeded, RunStatus::Failed, RunStatus::Canceled];
    all.extend(ended.map(|status| Event::RunEnded { status }));
    all
}

fn of_attempts() -> Vec<Event> {
    let attempt = attempt();
    let mut all = vec![
        Event::AttemptLeased {
            attempt,
            agent: "command".into(),
            epoch: Epoch(1),
            workspace: 1,
            timeout_ms: Some(1),
            credential: Some(Credential::Variable("KEY".into())),
        },
        Event::AttemptLeased {
            attempt,
            agent: "command".into(),
            epoch: Epoch(1),
            workspace: 1,
            timeout_ms: None,
            credential: None,
        },
        Event::AttemptStarted {
            attempt,
            base: Some(commit()),
            passed_before: vec![1],
            confined: Some(false),
            left_out: vec!["x".into()],
        },
        Event::AttemptStarted {
            attempt,
            base: None,
            passed_before: Vec::new(),
            confined: None,
            left_out: Vec::new(),
        },
        Event::AttemptAdopted {
            attempt,
            epoch: Epoch(2),
        },
        Event::AttemptAdvanced {
            attempt,
            receipts: receipts(),
        },
        Event::AttemptSuspected {
            attempt,
            evidence: "e".into(),
        },
        Event::AttemptCleared { attempt },
        Event::PermissionAsked {
            attempt,
            no: 1,
            request: permission(),
            deadline_at: Time(9),
        },
        decided(None, Decision::Allow, Decider::Person, vec![rule()]),
        decided(Some(permission()), deny(), policy(), Vec::new()),
        decided(None, deny(), Decider::Deadline, Vec::new()),
        decided(Some(permission()), deny(), Decider::Agent, Vec::new()),
        Event::ReviewAwaited {
            attempt,
            verdicts: verdicts(),
        },
        Event::BatchPrepared {
            commits: vec![
                PreparedCommit {
                    attempt,
                    commit: commit(),
                    tree: Some(hash(Tree::new)),
                },
                PreparedCommit {
                    attempt,
                    commit: commit(),
                    tree: None,
                },
            ],
        },
        Event::BatchIntegrated {
            head: commit(),
            attempts: receipts()
                .into_iter()
                .map(|receipt| (attempt, receipt))
                .collect(),
        },
        Event::AttemptReturned {
            attempt,
            exit: None,
        },
        Event::AttemptReturned {
            attempt,
            exit: Some(Exit::Status(1)),
        },
        Event::OfferAdopted { attempt, from: 1 },
        Event::OfferDiscarded { attempt },
        Event::CandidateChosen {
            attempt,
            from: attempt,
            why: "x".into(),
        },
        Event::CandidatesRefused {
            task: attempt.task,
            why: "x".into(),
        },
        Event::OfferKept {
            attempt,
            snapshot: Some(snapshot()),
        },
        Event::OfferKept {
            attempt,
            snapshot: None,
        },
    ];
    all.extend(
        stops()
            .into_iter()
            .map(|reason| Event::AttemptStopping { attempt, reason }),
    );
    let ended = |end: AttemptEnd, then, receipts| Event::AttemptEnded {
        attempt,
        advice: match &end {
            AttemptEnd::Refused(Failure::Plan(_)) => vec!["[lint-task-long] x".into()],
            _ => Vec::new(),
        },
        end,
        receipts,
        workspace_kept: true,
        then,
    };
    all.extend(
        ends()
            .into_iter()
            .map(|end| ended(end, Then::Cancel, Vec::new())),
    );
    let thens = [
        Then::Retry {
            not_before: Time(0),
        },
        Then::Reassign {
            agent: "person".into(),
        },
        Then::Split("x".into()),
        Then::Escalate("x".into()),
        Then::Ask("x".into()),
    ];
    all.extend(thens.map(|then| ended(AttemptEnd::Lost("x".into()), then, receipts())));
    all
}

fn of_ledger() -> Vec<ledger::Event> {
    let attempt = attempt();
    let amount = Amount {
        attempts: 1,
        time_ms: 2,
        tokens: 3,
        usd_micros: 4,
    };
    let parent = ledger::TaskRef {
        run: RunId(1),
        task: TaskNo(0),
    };
    let account = Account::Run(RunId(3));
    let budgets = [
        Budget::default(),
        Budget {
            attempts: Some(1),
            time_ms: Some(1),
            tokens: Some(1),
            usd_micros: Some(1),
        },
    ];
    let mut all = Vec::new();
    for parent in [None, Some(parent)] {
        all.extend(budgets.map(|budget| ledger::Event::AccountOpened {
            account,
            budget,
            parent,
        }));
    }
    all.extend(budgets.map(|budget| ledger::Event::BudgetChanged { account, budget }));
    all.extend([
        ledger::Event::Reserved {
            attempt,
            amount,
            accounts: vec![account, Account::Day(1), Account::Task(RunId(3), TaskNo(1))],
        },
        ledger::Event::Settled {
            attempt,
            used: amount,
            unreported: false,
        },
        ledger::Event::Settled {
            attempt,
            used: amount,
            unreported: true,
        },
        ledger::Event::Released { attempt },
        ledger::Event::LimitLifted {
            credentials: vec![Credential::Agent("opencode".into())],
        },
    ]);
    let credentials = [
        Credential::Variable("ANTHROPIC_API_KEY".into()),
        Credential::Login("claude".into()),
    ];
    all.extend(
        credentials.map(|credential| ledger::Event::CredentialLimited {
            credential,
            limit: Limit {
                met_at: Time(1),
                ends_at: Time(2),
                said: true,
                times: 1,
                cause: "429".into(),
                attempts: [attempt].into(),
            },
        }),
    );
    all
}

/// All kinds with their versions today.
fn versions() -> BTreeMap<&'static str, u32> {
    run::KINDS.iter().chain(ledger::KINDS).copied().collect()
}

/// Every sample as a line of `divisi watch --json`.
fn lines() -> Vec<Value> {
    let of_runs = of_runs().into_iter().chain(of_attempts());
    let of_runs = of_runs.map(|event| (event.version(), json!(event)));
    let of_ledger = of_ledger().into_iter();
    let all = of_runs.chain(of_ledger.map(|event| (event.version(), json!(event))));
    all.map(|(version, body)| {
        let kind = body["event"].clone();
        json!({"stream": "run-3", "seq": 1, "at": 2, "kind": kind, "version": version, "body": body})
    })
    .collect()
}

#[test]
fn events_of_every_kind_satisfy_the_schema() {
    let validator = jsonschema::validator_for(&written(EVENTS)).unwrap();
    let mut kinds = BTreeSet::new();
    for line in lines() {
        let faults: Vec<String> = validator
            .iter_errors(&line)
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{line}: {faults:?}");
        kinds.insert(line["kind"].as_str().unwrap().to_owned());
    }
    let known = run::KINDS.iter().chain(ledger::KINDS);
    assert_eq!(kinds, known.map(|(kind, _)| (*kind).to_owned()).collect());
}

#[test]
fn the_schema_describes_no_other_kind() {
    let schema = written(EVENTS);
    let described: BTreeSet<&str> = schema["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["properties"]["kind"]["const"].as_str().unwrap())
        .collect();
    assert_eq!(described, versions().into_keys().collect());
}

#[test]
fn what_is_no_event_is_refused() {
    let validator = jsonschema::validator_for(&written(EVENTS)).unwrap();
    for line in lines() {
        let mut unknown = line.clone();
        unknown["body"]["unknown"] = json!(1);
        assert!(!validator.is_valid(&unknown), "{unknown}");
        let mut other = line.clone();
        other["kind"] = json!("eaten");
        assert!(!validator.is_valid(&other), "{other}");
        let fields: Vec<String> = line.as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let mut without = line.clone();
            without.as_object_mut().unwrap().remove(&field);
            assert!(!validator.is_valid(&without), "without {field}");
        }
    }
}
