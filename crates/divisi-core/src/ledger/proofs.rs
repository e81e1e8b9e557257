//! The bounds that the ledger promises, each held against whoever would break it.

use super::*;

const RUN: RunId = RunId(1);
const OTHER: RunId = RunId(2);

fn attempt(run: RunId, task: u32) -> AttemptId {
    AttemptId {
        run,
        task: TaskNo(task),
        number: 1,
    }
}

fn tokens(many: u64) -> Budget {
    Budget::default().with(Bound::Tokens(many))
}

fn open(ledger: &mut Ledger, account: Account, budget: Budget, parent: Option<TaskRef>) {
    let open = Command::Open {
        account,
        budget,
        parent,
    };
    assert!(ledger.decide(open, Time(0)).unwrap().is_some());
}

/// Reserves so many tokens, and says how many were granted.
fn reserve(ledger: &mut Ledger, attempt: AttemptId, many: u64) -> Result<u64, Exhausted> {
    let amount = Amount {
        attempts: 1,
        time_ms: 60_000,
        tokens: many,
        usd_micros: 0,
    };
    match ledger.decide(Command::Reserve { attempt, amount }, Time(0)) {
        Ok(_) => Ok(ledger.held[&attempt].amount.tokens),
        Err(Refusal::Exhausted(exhausted)) => Err(exhausted),
        Err(other) => panic!("{other}"),
    }
}

fn settle(ledger: &mut Ledger, attempt: AttemptId, spent: Spent) {
    assert!(
        ledger
            .decide(Command::Settle { attempt, spent }, Time(0))
            .is_ok()
    );
    ledger.check().unwrap();
}

/// What an agent used that said so.
fn used(many: u64) -> Spent {
    Spent {
        time_ms: Some(1_000),
        tokens: Some(many),
        usd_micros: Some(0),
        unreported: false,
        limited: false,
    }
}

fn exhausted(account: Account, many: u64) -> Exhausted {
    Exhausted {
        account,
        bound: Some(Bound::Tokens(many)),
        task: None,
    }
}

#[test]
fn eight_at_once_that_all_overshoot_stay_within_their_reservations_and_one_answer_each() {
    const RESERVED: u64 = 100_000;
    const ANSWER: u64 = 30_000;
    let account = Account::Run(RUN);
    let mut ledger = Ledger::default();
    open(&mut ledger, account, tokens(8 * RESERVED), None);
    for task in 0..8 {
        assert_eq!(
            reserve(&mut ledger, attempt(RUN, task), RESERVED),
            Ok(RESERVED)
        );
    }
    // The budget is reserved in full: a ninth waits, whatever it asks for.
    let full = exhausted(account, 8 * RESERVED);
    assert_eq!(
        reserve(&mut ledger, attempt(RUN, 8), 1),
        Err(full.clone()),
        "a ninth"
    );
    for task in 0..8 {
        settle(&mut ledger, attempt(RUN, task), used(RESERVED + ANSWER));
    }
    let balance = ledger.accounts[&account];
    assert_eq!(balance.held, Amount::default());
    assert_eq!(balance.used.tokens, 8 * (RESERVED + ANSWER));
    assert_eq!(balance.left(Measure::Tokens), Some(0));
    // Nothing is launched on what is overdrawn.
    assert_eq!(
        reserve(&mut ledger, attempt(RUN, 8), RESERVED),
        Err(full),
        "after"
    );
}

#[test]
fn a_child_that_would_exceed_its_parent_is_refused_by_it() {
    let (parent, task) = (Account::Run(RUN), Account::Task(RUN, TaskNo(0)));
    let child = Account::Run(OTHER);
    let of = TaskRef {
        run: RUN,
        task: TaskNo(0),
    };
    let mut ledger = Ledger::default();
    open(&mut ledger, parent, tokens(100_000), None);
    open(&mut ledger, task, tokens(60_000), None);
    // It permits itself more than its parent has.
    open(&mut ledger, child, tokens(1_000_000), Some(of));
    let first = attempt(OTHER, 0);
    assert_eq!(reserve(&mut ledger, first, 50_000), Ok(50_000));
    assert_eq!(ledger.held[&first].accounts, [child, parent, task]);
    // Its parent's task has no room for as much again, and what is left may yet come back.
    assert_eq!(
        reserve(&mut ledger, attempt(OTHER, 1), 50_000),
        Err(exhausted(task, 60_000))
    );
    // What its parent does elsewhere is charged to the parent only.
    let beside = attempt(RUN, 1);
    assert_eq!(reserve(&mut ledger, beside, 50_000), Ok(50_000));
    assert_eq!(ledger.held[&beside].accounts, [parent]);
    settle(&mut ledger, first, used(20_000));
    assert_eq!(
        reserve(&mut ledger, attempt(OTHER, 1), 50_000),
        Err(exhausted(parent, 100_000))
    );
    settle(&mut ledger, beside, used(50_000));
    // All that the three leave it, which is what the parent has.
    assert_eq!(reserve(&mut ledger, attempt(OTHER, 1), 50_000), Ok(30_000));
    for account in [parent, task, child] {
        let balance = ledger.accounts[&account];
        assert!(balance.taken().tokens <= balance.budget.tokens.unwrap());
    }
}

#[test]
fn no_run_is_its_own_parent_or_that_of_an_older_one() {
    let mut ledger = Ledger::default();
    let of = |run| {
        Some(TaskRef {
            run,
            task: TaskNo(0),
        })
    };
    for (account, parent) in [
        (Account::Run(RUN), of(RUN)),
        (Account::Run(RUN), of(OTHER)),
        (Account::Day(0), of(RUN)),
        (Account::Task(OTHER, TaskNo(1)), of(RUN)),
    ] {
        let open = Command::Open {
            account,
            budget: Budget::default(),
            parent,
        };
        let refused = ledger.decide(open, Time(0)).unwrap_err();
        assert_eq!(refused, Refusal::Parent(account));
        assert_eq!(refused.code(), "budget-parent");
    }
    assert_eq!(ledger, Ledger::default());
}

#[test]
fn two_runs_race_for_the_rest_of_the_day_and_one_gets_it() {
    let day = Account::Day(0);
    let mut ledger = Ledger::default();
    open(&mut ledger, day, tokens(100_000), None);
    settle_all(&mut ledger, &[(attempt(RUN, 0), 70_000)]);
    // Both see 30,000 left. The first takes them, and the second waits for what comes back.
    assert_eq!(reserve(&mut ledger, attempt(RUN, 1), 50_000), Ok(30_000));
    assert_eq!(
        reserve(&mut ledger, attempt(OTHER, 0), 50_000),
        Err(exhausted(day, 100_000))
    );
    settle(&mut ledger, attempt(RUN, 1), used(10_000));
    assert_eq!(reserve(&mut ledger, attempt(OTHER, 0), 50_000), Ok(20_000));
    settle(&mut ledger, attempt(OTHER, 0), used(20_500));
    let balance = ledger.accounts[&day];
    assert_eq!(balance.used.tokens, 100_500, "overdrawn by its last answer");
    assert_eq!(
        reserve(&mut ledger, attempt(RUN, 2), 1_000),
        Err(exhausted(day, 100_000))
    );
}

fn settle_all(ledger: &mut Ledger, all: &[(AttemptId, u64)]) {
    for (attempt, many) in all {
        assert_eq!(reserve(ledger, *attempt, *many), Ok(*many));
        settle(ledger, *attempt, used(*many));
    }
}

#[test]
fn an_agent_that_says_nothing_is_settled_by_time_and_attempts_and_flagged() {
    let account = Account::Run(RUN);
    let mut ledger = Ledger::default();
    open(&mut ledger, account, tokens(100_000), None);
    let silent = Spent {
        unreported: true,
        ..used(0)
    };
    assert_eq!(reserve(&mut ledger, attempt(RUN, 0), 40_000), Ok(40_000));
    settle(&mut ledger, attempt(RUN, 0), silent);
    let balance = ledger.accounts[&account];
    assert_eq!((balance.used.tokens, balance.unreported), (0, 1));
    assert_eq!((balance.used.attempts, balance.used.time_ms), (1, 1_000));
    // Of one that nobody holds any more, nobody can know.
    assert_eq!(reserve(&mut ledger, attempt(RUN, 1), 40_000), Ok(40_000));
    let lost = Spent {
        unreported: true,
        ..Spent::default()
    };
    settle(&mut ledger, attempt(RUN, 1), lost);
    let balance = ledger.accounts[&account];
    assert_eq!((balance.used.tokens, balance.unreported), (40_000, 2));
    assert_eq!(balance.used.time_ms, 61_000);
}

#[test]
fn what_was_reserved_is_a_bound_only_where_an_account_has_one() {
    let mut ledger = Ledger::default();
    let one = attempt(RUN, 0);
    assert_eq!(ledger.reserved(one), Budget::default());
    open(&mut ledger, Account::Run(RUN), tokens(90_000), None);
    let money = Budget::default().with(Bound::UsdMicros(5_000_000));
    open(&mut ledger, Account::Task(RUN, TaskNo(0)), money, None);
    let amount = Amount {
        attempts: 1,
        time_ms: 60_000,
        tokens: 200_000,
        usd_micros: 2_000_000,
    };
    let command = Command::Reserve {
        attempt: one,
        amount,
    };
    assert!(ledger.decide(command, Time(0)).is_ok());
    let reserved = tokens(90_000).with(Bound::UsdMicros(2_000_000));
    assert_eq!(ledger.reserved(one), reserved);
    assert!(ledger.bounds(one, Time(0)));
    assert!(!ledger.bounds(attempt(OTHER, 0), Time(0)));
}

#[test]
fn too_little_for_one_answer_is_nothing() {
    for (budget, ask) in [
        (Bound::Tokens(TOKENS_USEFUL_MIN - 1), Measure::Tokens),
        (
            Bound::UsdMicros(USD_USEFUL_MICROS_MIN - 1),
            Measure::UsdMicros,
        ),
    ] {
        let balance = Balance {
            budget: Budget::default().with(budget),
            ..Balance::default()
        };
        let asked = Amount::default().with(ask, 1_000_000);
        assert_eq!(balance.grant(asked), Err(budget));
        let more = Balance {
            budget: Budget::default().with(Bound::of(ask, budget.much() + 1)),
            ..Balance::default()
        };
        assert_eq!(more.grant(asked).unwrap().of(ask), budget.much() + 1);
        // Who asks for none of it is not held back.
        assert_eq!(balance.grant(Amount::default()), Ok(Amount::default()));
    }
}

#[test]
fn bounds_are_told_as_people_write_them() {
    for (bound, words) in [
        (Bound::Tokens(1), "1 token"),
        (Bound::Tokens(2_000_000), "2000000 tokens"),
        (Bound::UsdMicros(20_000_000), "$20.00"),
        (Bound::UsdMicros(1_500_000), "$1.50"),
        (Bound::UsdMicros(12_345), "$0.012345"),
        (Bound::UsdMicros(0), "$0.00"),
    ] {
        assert_eq!(bound.to_string(), words);
    }
}

#[test]
fn whoever_waits_for_an_account_is_told_what_raises_it() {
    let of = |account, task: Option<&str>| {
        let exhausted = Exhausted {
            account,
            bound: Some(Bound::Tokens(5)),
            task: task.map(|id| crate::TaskId::new(id).unwrap()),
        };
        (exhausted.to_string(), exhausted.commands(OTHER).join("; "))
    };
    let (words, commands) = of(Account::Task(RUN, TaskNo(3)), Some("api"));
    assert_eq!(
        words,
        "the budget of task api of run-1 is used up: 5 tokens"
    );
    assert_eq!(commands, "divisi resume run-1 --task api --budget N-tokens");
    let (_, commands) = of(Account::Run(RUN), None);
    assert_eq!(commands, "divisi resume run-1 --budget N-tokens");
    let (_, commands) = of(Account::Day(0), None);
    assert_eq!(
        commands,
        "divisi resume run-2 --day-budget N-tokens; divisi resume run-2"
    );
}
