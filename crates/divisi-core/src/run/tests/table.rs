//! The transition table: each pair of state and event is accepted or refused by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::bench::{
    Bench, approval, commit, exited, files, merged, parts, plan, plans, request, ruled, snapshot,
    tree, with,
};
use crate::criterion::{Outcome, Verdict};
use crate::ids::{Epoch, Time};
use crate::permission::{Decider, Decision, Ruling};
use crate::receipt::{Exit, Measured, Receipt};
use crate::run::event::{PreparedCommit, Then};
use crate::run::transition::{EventName, Next, StateName, names, next};
use crate::run::{AttemptEnd, Command, Event, Finding, Said, Settings, StopReason};

/// What the events of an approval are about.
fn is_of_approval(event: EventName) -> bool {
    use EventName as E;
    matches!(
        event,
        E::ReleasedApproval | E::RetriedApproval | E::ApprovalGiven
    )
}

/// What happens only to the task that planned the whole.
fn is_of_plan(event: EventName) -> bool {
    matches!(
        event,
        EventName::PlanRefusedRetry | EventName::PlanRefusedEscalate
    )
}

/// A run in which the task `t` is in this state, for this event to happen to it:
/// `o` keeps the run open, and `z` stands before `t` where it has to wait.
fn given(state: StateName, event: EventName) -> Bench {
    use StateName as S;
    if state == S::Split && is_of_plan(event) {
        let settings = Settings {
            approves_plans: true,
            ..Settings::default()
        };
        let mut bench = Bench::with(with(plan("t"), "t", plans), settings);
        bench.verifies("t");
        bench.so(bench.expanded("t", parts("x; y")));
        return bench;
    }
    let waits = matches!(state, S::Waiting | S::Skipped) || event == EventName::RetriedWaiting;
    let graph = if waits { "z; t: z; o" } else { "t; o" };
    let of_approval = state == S::Approval || is_of_approval(event);
    let kind = match event {
        _ if of_approval => approval,
        // Their last step is another one.
        EventName::Expanded if !matches!(state, S::Prepared | S::Done) => plans,
        _ => files,
    };
    let mut bench = Bench::new(with(plan(graph), "t", kind));
    match state {
        S::Ready if event == EventName::OfferAdopted => {
            bench.so(bench.lease("t"));
            let lost = Finding::Lost("gone".to_owned());
            bench.so(find(&bench, lost));
        }
        S::Ready if event == EventName::CandidateChosen => bench.runs("o"),
        S::Approval if event == EventName::RetriedWaiting => {
            bench.runs("z");
            let again = Event::TaskRetried {
                task: bench.no("z"),
                note: String::new(),
            };
            bench.run.apply(bench.now, &again);
        }
        S::Waiting | S::Ready | S::Approval => {}
        S::Leased => bench.so(bench.lease("t")),
        S::Working => {
            bench.so(bench.lease("t"));
            bench.so(bench.started("t"));
        }
        S::Submitted => bench.runs("t"),
        S::Collected => {
            bench.runs("t");
            bench.so(bench.collected("t"));
        }
        S::Held => {
            bench.runs("t");
            bench.so(bench.collected("t"));
            bench.so(bench.checked("t", open()));
        }
        S::Verified => bench.verifies("t"),
        S::Prepared | S::Done if !of_approval => {
            bench.verifies("t");
            bench.so(merge(&bench));
            if state == S::Done {
                bench.so(Command::HeadMoved { head: commit(9) });
            }
        }
        S::Prepared | S::Done => bench.so(bench.approve("t")),
        S::Question => {
            bench.so(bench.lease("t"));
            bench.so(ask(&bench));
        }
        S::Escalated | S::Failed => {
            if !of_approval {
                bench.so(bench.lease("t"));
                bench.so(not_started(&bench));
            }
            if state == S::Failed {
                bench.so(bench.reject("t"));
            }
        }
        S::Canceled => bench.so(bench.cancel("t")),
        S::Skipped => bench.so(bench.cancel("z")),
        S::Split => bench.so(bench.split("t", "x; y")),
    }
    assert_eq!(bench.task("t").state_name(), state);
    bench
}

fn open() -> Verdict {
    Verdict {
        outcome: Outcome::Unverified,
        ..Verdict::pass(0)
    }
}

fn merge(bench: &Bench) -> Command {
    Command::BatchMerged {
        onto: commit(0),
        merged: vec![merged(bench.attempt("t"), 9)],
        conflict: None,
        refused: Vec::new(),
    }
}

fn find(bench: &Bench, finding: Finding) -> Command {
    let attempt = bench.attempt("t");
    Command::Find { attempt, finding }
}

fn ask(bench: &Bench) -> Command {
    Command::Ended {
        attempt: bench.attempt("t"),
        ended: exited(0),
        said: Some(Said::Question("which color?".to_owned())),
    }
}

fn asks(bench: &Bench, ruling: Ruling) -> Command {
    Command::AskPermission {
        attempt: bench.attempt("t"),
        request: request("1"),
        ruled: ruled(ruling),
    }
}

fn not_started(bench: &Bench) -> Command {
    Command::NotStarted {
        attempt: bench.attempt("t"),
        cause: "no such program".to_owned(),
        permanent: true,
    }
}

/// A real event of this name, about `t`. Releases have none: they follow from `z`.
fn event(bench: &Bench, name: EventName) -> Option<Event> {
    use EventName as E;
    let (task, attempt) = (bench.no("t"), bench.attempt("t"));
    let (at, verdicts) = (Time(2_000), vec![Verdict::pass(0)]);
    let advanced = |receipt| Event::AttemptAdvanced {
        attempt,
        receipts: vec![receipt],
    };
    let ended = |end, then| Event::AttemptEnded {
        attempt,
        end,
        receipts: Vec::new(),
        workspace_kept: true,
        then,
        advice: Vec::new(),
    };
    let canceled = || AttemptEnd::Stopped(StopReason::Canceled);
    let lost = || AttemptEnd::Lost("gone".to_owned());
    let (text, commit) = ("because".to_owned(), commit(9));
    Some(match name {
        E::Released | E::ReleasedApproval => return None,
        E::Leased => Event::AttemptLeased {
            attempt: bench.run.attempt_id(task, attempt.number + 1),
            agent: "command".to_owned(),
            epoch: Epoch(1),
            workspace: 1,
            timeout_ms: None,
            credential: None,
        },
        E::Started => Event::AttemptStarted {
            attempt,
            base: None,
            passed_before: Vec::new(),
            confined: None,
            left_out: Vec::new(),
        },
        E::Adopted => Event::AttemptAdopted {
            attempt,
            epoch: Epoch(2),
        },
        E::Stopping => Event::AttemptStopping {
            attempt,
            reason: StopReason::Overdue,
        },
        E::Suspected => Event::AttemptSuspected {
            attempt,
            evidence: text,
        },
        E::Cleared => Event::AttemptCleared { attempt },
        E::PermissionAsked => Event::PermissionAsked {
            attempt,
            no: 1,
            request: request("1"),
            deadline_at: at,
        },
        E::PermissionDecided => Event::PermissionDecided {
            attempt,
            no: 1,
            request: Some(request("1")),
            decision: Decision::Allow,
            by: Decider::Agent,
            rules: Vec::new(),
        },
        E::Submitted => advanced(Receipt::Submitted {
            at,
            command: "true".to_owned(),
            exit: Exit::Status(0),
            output: None,
            wall_ms: 1,
            confined: None,
            claimed_failure: None,
            too_large: false,
            used_up: None,
            usage: None,
        }),
        E::Collected => advanced(Receipt::Collected {
            at,
            snapshot: None,
            artifacts: Vec::new(),
        }),
        E::ReviewAwaited => Event::ReviewAwaited { attempt, verdicts },
        E::Verified => advanced(Receipt::Verified {
            at,
            tree: None,
            verdicts,
        }),
        E::IntegratedInPlace => advanced(Receipt::Integrated {
            at,
            commit: None,
            tree: None,
        }),
        E::Prepared => Event::BatchPrepared {
            commits: vec![PreparedCommit {
                attempt,
                commit,
                tree: Some(tree(9)),
            }],
        },
        E::Integrated => Event::BatchIntegrated {
            head: commit.clone(),
            attempts: vec![(
                attempt,
                Receipt::Integrated {
                    at,
                    commit: Some(commit),
                    tree: Some(tree(9)),
                },
            )],
        },
        E::EndedRetry => ended(
            lost(),
            Then::Retry {
                not_before: Time(0),
            },
        ),
        E::EndedEscalate => ended(lost(), Then::Escalate(text)),
        E::EndedAsk => ended(AttemptEnd::Asked(text.clone()), Then::Ask(text)),
        E::EndedCancel => ended(canceled(), Then::Cancel),
        E::ApprovalGiven => Event::ApprovalGiven { task, note: text },
        E::Failed => Event::TaskFailed { task, reason: text },
        E::Canceled => Event::TaskCanceled { task },
        E::Skipped => Event::TaskSkipped {
            task,
            because: bench.no("o"),
        },
        E::Retried | E::RetriedWaiting | E::RetriedApproval => {
            Event::TaskRetried { task, note: text }
        }
        E::Answered => Event::QuestionAnswered { task, answer: text },
        E::Split | E::Expanded => Event::TaskSplit {
            task,
            parts: plan("x; y").tasks,
            stages: Vec::new(),
            stage_context: String::new(),
            criteria: Vec::new(),
            reason: text,
            planned: (name == E::Expanded).then_some((
                attempt,
                Receipt::Expanded {
                    at,
                    from: Some(commit),
                    tasks: 2,
                },
            )),
            advice: Vec::new(),
        },
        E::PlanRefusedRetry => Event::PlanRefused {
            task,
            reason: text,
            then: Then::Retry {
                not_before: Time(0),
            },
        },
        E::PlanRefusedEscalate => Event::PlanRefused {
            task,
            reason: text.clone(),
            then: Then::Escalate(text),
        },
        E::Reviewed => advanced(Receipt::Reviewed { at, verdicts }),
        E::ReviewClosed => Event::ReviewClosed { task },
        E::Offer => Event::OfferKept {
            attempt,
            snapshot: Some(snapshot(1)),
        },
        E::Measured => advanced(Receipt::Measured {
            at,
            measured: Measured::default(),
        }),
        E::CandidateChosen => Event::CandidateChosen {
            attempt: bench.run.attempt_id(task, attempt.number + 1),
            from: bench.attempt("o"),
            why: text,
        },
        E::CandidatesRefused => Event::CandidatesRefused { task, why: text },
        E::OfferAdopted => Event::OfferAdopted {
            attempt: bench.run.attempt_id(task, attempt.number + 1),
            from: 1,
        },
    })
}

fn accepted() -> Vec<(StateName, EventName, StateName)> {
    let mut pairs = Vec::new();
    for name in EventName::ALL {
        for state in StateName::ALL {
            match next(state, name) {
                Next::To(to) => pairs.push((state, name, to)),
                Next::Stays => pairs.push((state, name, state)),
                Next::Refused => {}
            }
        }
    }
    pairs
}

#[test]
fn the_table_in_full() {
    let mut lines: BTreeMap<(EventName, StateName, bool), Vec<String>> = BTreeMap::new();
    for (state, name, to) in accepted() {
        let stays = state == to;
        let key = if stays { StateName::Waiting } else { to };
        lines
            .entry((name, key, stays))
            .or_default()
            .push(format!("{state:?}"));
    }
    let mut told = String::new();
    for ((name, to, stays), from) in lines {
        let to = if stays {
            "stays".to_owned()
        } else {
            format!("{to:?}")
        };
        writeln!(told, "{name:?}: {} -> {to}", from.join(" ")).unwrap();
    }
    assert_eq!(told, TABLE, "\n{told}");
}

const TABLE: &str = "\
Released: Waiting -> Ready
ReleasedApproval: Waiting -> Approval
Leased: Ready -> Leased
Started: Leased -> Working
Adopted: Leased Working -> stays
Stopping: Leased Working -> stays
Suspected: Leased Working -> stays
Cleared: Leased Working -> stays
PermissionAsked: Leased Working -> stays
PermissionDecided: Leased Working -> stays
Submitted: Leased Working -> Submitted
Collected: Submitted -> Collected
ReviewAwaited: Collected -> Held
Verified: Collected Held -> Verified
Prepared: Verified -> Prepared
IntegratedInPlace: Verified -> Done
Integrated: Prepared -> Done
EndedRetry: Leased Working Submitted Collected Held Verified -> Ready
EndedEscalate: Leased Working Submitted Collected Held Verified -> Escalated
EndedAsk: Leased Working -> Question
EndedCancel: Leased Working Submitted Collected Held Verified -> Canceled
ApprovalGiven: Approval -> Done
Failed: Ready Approval Question Escalated -> Failed
Canceled: Waiting Ready Approval Question Escalated -> Canceled
Skipped: Waiting -> Skipped
Retried: Escalated Done Failed Canceled -> Ready
RetriedWaiting: Approval Canceled Skipped -> Waiting
RetriedApproval: Failed Canceled -> Approval
Answered: Question -> Ready
Split: Waiting Ready Escalated -> Split
Expanded: Verified -> Split
PlanRefusedRetry: Split -> Ready
PlanRefusedEscalate: Split -> Escalated
Offer: Ready Leased Working Submitted Collected Held Verified Prepared Question Escalated Done Failed Canceled Split -> stays
OfferAdopted: Ready -> Leased
Reviewed: Verified -> Done
ReviewClosed: Ready Question Escalated -> Done
Measured: Verified -> Done
CandidateChosen: Ready -> Leased
CandidatesRefused: Ready -> Escalated
";

#[test]
fn every_accepted_pair_moves_a_real_task_as_the_table_says() {
    for (state, name, to) in accepted() {
        let mut bench = given(state, name);
        match event(&bench, name) {
            Some(event) => {
                let told = names(&event);
                let told: Vec<EventName> = told
                    .into_iter()
                    .map(|(no, told)| bench.run.as_it_waits(no, told))
                    .collect();
                assert_eq!(told, [name], "in {state:?}");
                bench.run.apply(bench.now, &event);
            }
            None => bench.runs("z"),
        }
        assert_eq!(bench.task("t").state_name(), to, "{state:?} {name:?}");
    }
}

/// Everything that can be asked of `t`, by name.
fn commands(bench: &Bench) -> Vec<(&'static str, Command)> {
    let (task, attempt) = (bench.no("t"), bench.attempt("t"));
    let find = |finding| Command::Find { attempt, finding };
    let text = || "because".to_owned();
    let joined = |holds| Command::Joined {
        epoch: Epoch(2),
        holds,
    };
    vec![
        ("lease", bench.lease("t")),
        ("started", bench.started("t")),
        ("not started", not_started(bench)),
        (
            "not composed",
            Command::NotComposed {
                attempt,
                cause: "no template".to_owned(),
                ended: None,
            },
        ),
        ("ended", bench.ended("t", 0)),
        ("ended with a question", ask(bench)),
        ("collected", bench.collected("t")),
        (
            "collect refused",
            Command::CollectRefused {
                attempt,
                cause: text(),
            },
        ),
        ("checked, passed", bench.checked("t", Verdict::pass(0))),
        (
            "checked, failed",
            bench.checked("t", Verdict::fail(0, "broken")),
        ),
        ("checked, unverified", bench.checked("t", open())),
        ("batch merged", merge(bench)),
        ("head moved", Command::HeadMoved { head: commit(9) }),
        ("find suspected", find(Finding::Suspected(text()))),
        ("find cleared", find(Finding::Cleared)),
        ("find overdue", find(Finding::Overdue)),
        ("asks, allowed", asks(bench, Ruling::Allow)),
        ("asks, a person is to answer", asks(bench, Ruling::Ask)),
        (
            "a person answers nothing",
            Command::DecidePermission {
                no: 1,
                decision: Decision::Allow,
                always: false,
            },
        ),
        ("requests expire", Command::ExpirePermissions),
        ("find lost", find(Finding::Lost(text()))),
        ("joined, held", joined(vec![attempt])),
        ("joined, not held", joined(Vec::new())),
        (
            "offer collected",
            Command::OfferCollected {
                attempt,
                snapshot: None,
            },
        ),
        ("submit", Command::Submit { task }),
        ("approve", bench.approve("t")),
        ("reject", bench.reject("t")),
        ("answer", Command::Answer { task, text: text() }),
        ("retry", bench.retry("t")),
        ("cancel", bench.cancel("t")),
        ("split", bench.split("t", "p; q")),
        ("expanded", bench.expanded("t", parts("p; q"))),
        ("expand refused", bench.expand_refused("t", "broken")),
        ("weighed", bench.weighed("t", vec![Verdict::pass(0)])),
        ("weigh refused", bench.weigh_refused("t", "broken")),
    ]
}

#[test]
fn every_command_in_every_state_is_accepted_or_refused_by_name() {
    let mut told = String::new();
    let count = commands(&given(StateName::Ready, EventName::Leased)).len();
    for at in 0..count {
        let mut outcomes: Vec<(String, Vec<String>)> = Vec::new();
        let mut word = "";
        for state in StateName::ALL {
            let mut bench = given(state, EventName::Leased);
            let (name, mut command) = commands(&bench).swap_remove(at);
            if name.starts_with("expand") {
                bench = given(state, EventName::Expanded);
                command = commands(&bench).swap_remove(at).1;
            }
            word = name;
            let outcome = match bench.decide(command) {
                Err(rejection) => rejection.code().to_owned(),
                Ok(events) if events.is_empty() => "nothing".to_owned(),
                Ok(_) => format!("-> {:?}", bench.task("t").state_name()),
            };
            match outcomes.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, states)) => states.push(format!("{state:?}")),
                None => outcomes.push((outcome, vec![format!("{state:?}")])),
            }
        }
        // What most states answer is said once, at the end.
        outcomes.sort_by_key(|(_, states)| states.len());
        let last = outcomes.pop().unwrap().0;
        write!(told, "{word}: ").unwrap();
        for (outcome, states) in outcomes {
            write!(told, "{} {outcome}, ", states.join(" ")).unwrap();
        }
        writeln!(told, "else {last}").unwrap();
    }
    assert_eq!(told, COMMANDS, "\n{told}");
}

const COMMANDS: &str = "\
lease: Ready -> Leased, else task-not-now
started: Leased -> Working, Working nothing, else attempt-superseded
not started: Leased Working -> Escalated, else attempt-superseded
not composed: Leased Working -> Escalated, else attempt-superseded
ended: Leased Working -> Submitted, else attempt-superseded
ended with a question: Leased Working -> Question, else attempt-superseded
collected: Submitted -> Collected, else attempt-superseded
collect refused: Submitted -> Ready, else attempt-superseded
checked, passed: Collected -> Verified, else attempt-superseded
checked, failed: Collected -> Ready, else attempt-superseded
checked, unverified: Collected -> Held, else attempt-superseded
batch merged: Verified -> Prepared, else integration-other-head
head moved: Prepared -> Done, else integration-other-head
find suspected: Leased -> Leased, Working -> Working, else attempt-superseded
find cleared: Leased Working nothing, else attempt-superseded
find overdue: Leased -> Leased, Working -> Working, else attempt-superseded
asks, allowed: Leased -> Leased, Working -> Working, else attempt-superseded
asks, a person is to answer: Leased -> Leased, Working -> Working, else attempt-superseded
a person answers nothing: else permission-unknown
requests expire: else nothing
find lost: Leased Working -> Ready, else attempt-superseded
joined, held: Leased -> Leased, Working -> Working, else nothing
joined, not held: Leased Working -> Ready, else nothing
offer collected: else attempt-superseded
submit: else task-not-now
approve: Held -> Verified, Approval -> Done, else task-not-now
reject: Held -> Ready, Approval Question Escalated -> Failed, else task-not-now
answer: Question -> Ready, else task-not-now
retry: Escalated Failed Canceled -> Ready, else task-not-now
cancel: Leased -> Leased, Working -> Working, Prepared nothing, Done Failed Canceled Skipped Split task-not-now, else -> Canceled
split: Waiting Ready Escalated -> Split, else task-not-now
expanded: Verified -> Split, else attempt-superseded
expand refused: Verified -> Ready, else attempt-superseded
weighed: else attempt-superseded
weigh refused: else attempt-superseded
";
