use super::*;
use crate::ids::TaskNo;

const ACCOUNT: Account = Account::Run(RunId(1));

fn attempt(task: u32) -> AttemptId {
    AttemptId {
        run: RunId(1),
        task: TaskNo(task),
        number: 1,
    }
}

fn open(attempts: u64) -> Ledger {
    let mut ledger = Ledger::default();
    let budget = Budget {
        attempts: Some(attempts),
        ..Budget::default()
    };
    let open = Command::Open {
        account: ACCOUNT,
        budget,
        parent: None,
    };
    assert!(ledger.decide(open, Time(0)).unwrap().is_some());
    ledger
}

/// A day's account beside the run's.
fn open_day(ledger: &mut Ledger, at: Time, attempts: u64) {
    let open = Command::Open {
        account: Account::day(at),
        budget: Budget {
            attempts: Some(attempts),
            ..Budget::default()
        },
        parent: None,
    };
    assert!(ledger.decide(open, at).unwrap().is_some());
}

fn permit(attempts: Option<u64>, time_ms: Option<u64>) -> Command {
    Command::Permit {
        account: ACCOUNT,
        budget: Budget {
            attempts,
            time_ms,
            ..Budget::default()
        },
    }
}

fn reserve(task: u32) -> Command {
    Command::Reserve {
        attempt: attempt(task),
        amount: ONE,
    }
}

const ONE: Amount = Amount {
    attempts: 1,
    time_ms: 60_000,
    tokens: 0,
    usd_micros: 0,
};

/// So much agents' time, and all else that is known.
fn took(time_ms: Option<u64>) -> Spent {
    Spent {
        time_ms,
        tokens: Some(0),
        usd_micros: Some(0),
        unreported: false,
        limited: false,
    }
}

#[test]
fn nothing_is_reserved_beyond_the_budget() {
    let mut ledger = open(2);
    assert!(ledger.decide(reserve(1), Time(0)).unwrap().is_some());
    assert!(ledger.decide(reserve(2), Time(0)).unwrap().is_some());
    let exhausted = Exhausted {
        account: ACCOUNT,
        bound: Some(Bound::Attempts(2)),
        task: None,
    };
    assert_eq!(
        ledger.decide(reserve(3), Time(0)),
        Err(Refusal::Exhausted(exhausted))
    );
    assert!(
        ledger
            .decide(
                Command::Release {
                    attempt: attempt(2)
                },
                Time(0)
            )
            .unwrap()
            .is_some()
    );
    assert!(ledger.decide(reserve(3), Time(0)).unwrap().is_some());
    ledger.check().unwrap();
}

/// A ledger whose account permits so much time.
fn open_time(time_ms: u64) -> Ledger {
    let mut ledger = open(100);
    assert!(ledger.decide(permit(None, Some(time_ms)), Time(0)).is_ok());
    ledger
}

fn granted(ledger: &mut Ledger, task: u32, time_ms: u64) -> Result<u64, Refusal> {
    let attempt = attempt(task);
    let amount = Amount {
        attempts: 1,
        time_ms,
        ..Amount::default()
    };
    ledger.decide(Command::Reserve { attempt, amount }, Time(0))?;
    Ok(ledger.held[&attempt].amount.time_ms)
}

fn settle(ledger: &mut Ledger, task: u32, used_ms: u64) {
    let settle = Command::Settle {
        attempt: attempt(task),
        spent: took(Some(used_ms)),
    };
    assert!(ledger.decide(settle, Time(0)).is_ok());
    ledger.check().unwrap();
}

#[test]
fn the_last_attempt_gets_the_time_that_is_left() {
    let mut ledger = open_time(100_000);
    assert_eq!(granted(&mut ledger, 1, 60_000), Ok(60_000));
    let exhausted = Err(Refusal::Exhausted(Exhausted {
        account: ACCOUNT,
        bound: Some(Bound::TimeMs(100_000)),
        task: None,
    }));
    // Of the first one's minute some may come back: nobody gets less than asked meanwhile.
    assert_eq!(granted(&mut ledger, 2, 60_000), exhausted);
    assert_eq!(granted(&mut ledger, 2, 40_000), Ok(40_000));
    settle(&mut ledger, 1, 30_000);
    settle(&mut ledger, 2, 40_000);
    assert_eq!(granted(&mut ledger, 3, 60_000), Ok(30_000));
    // It was ended at its bound, and a little later.
    settle(&mut ledger, 3, 30_700);
    assert_eq!(granted(&mut ledger, 4, 60_000), exhausted);
    assert_eq!(granted(&mut ledger, 5, 0), Ok(0), "a person takes no time");
}

#[test]
fn what_is_too_little_to_be_useful_is_not_reserved() {
    for (left_ms, expected) in [
        (TIME_USEFUL_MS_MIN, Some(TIME_USEFUL_MS_MIN)),
        (TIME_USEFUL_MS_MIN - 1, None),
    ] {
        let mut ledger = open_time(50_000 + left_ms);
        assert_eq!(granted(&mut ledger, 1, 50_000), Ok(50_000));
        settle(&mut ledger, 1, 50_000);
        assert_eq!(granted(&mut ledger, 2, 50_000).ok(), expected, "{left_ms}");
        // Whoever asks for no more than is left gets it, however little.
        let mut ledger = open_time(left_ms);
        assert_eq!(granted(&mut ledger, 1, 300), Ok(300));
    }
}

#[test]
fn every_command_may_be_repeated() {
    let mut ledger = open(2);
    let reserve = Command::Reserve {
        attempt: attempt(1),
        amount: ONE,
    };
    assert!(ledger.decide(reserve.clone(), Time(0)).unwrap().is_some());
    assert_eq!(ledger.decide(reserve, Time(0)).unwrap(), None);
    let settle = Command::Settle {
        attempt: attempt(1),
        spent: took(Some(1_000)),
    };
    assert!(ledger.decide(settle.clone(), Time(0)).unwrap().is_some());
    assert_eq!(ledger.decide(settle, Time(0)).unwrap(), None);
    let used = ledger.accounts[&Account::Run(RunId(1))].used;
    assert_eq!(
        used,
        Amount {
            attempts: 1,
            time_ms: 1_000,
            ..Amount::default()
        }
    );
}

#[test]
fn unreported_use_stays_charged_in_full() {
    let mut ledger = open(2);
    assert!(
        ledger
            .decide(
                Command::Reserve {
                    attempt: attempt(1),
                    amount: ONE
                },
                Time(0)
            )
            .is_ok()
    );
    assert!(
        ledger
            .decide(
                Command::Settle {
                    attempt: attempt(1),
                    spent: took(None)
                },
                Time(0)
            )
            .is_ok()
    );
    assert_eq!(ledger.accounts[&Account::Run(RunId(1))].used, ONE);
}

#[test]
fn more_is_permitted_once_however_often_it_is_said() {
    let mut ledger = open(1);
    assert!(ledger.decide(reserve(1), Time(0)).unwrap().is_some());
    assert!(ledger.decide(reserve(2), Time(0)).is_err());
    let changed = Event::BudgetChanged {
        account: ACCOUNT,
        budget: Budget {
            attempts: Some(2),
            ..Budget::default()
        },
    };
    let raise = permit(Some(2), None);
    assert_eq!(ledger.decide(raise.clone(), Time(0)), Ok(Some(changed)));
    assert_eq!(ledger.decide(raise, Time(0)), Ok(None));
    assert!(ledger.decide(reserve(2), Time(0)).unwrap().is_some());
    assert!(ledger.decide(reserve(3), Time(0)).is_err());
}

#[test]
fn a_bound_that_is_not_named_stays() {
    let mut ledger = open(5);
    assert!(ledger.decide(permit(None, Some(1)), Time(0)).is_ok());
    assert!(ledger.decide(permit(Some(7), None), Time(0)).is_ok());
    let budget = Budget {
        attempts: Some(7),
        time_ms: Some(1),
        ..Budget::default()
    };
    assert_eq!(ledger.accounts[&ACCOUNT].budget, budget);
}

#[test]
fn what_is_taken_stays_permitted() {
    let mut ledger = open(3);
    for task in [1, 2] {
        assert!(ledger.decide(reserve(task), Time(0)).is_ok());
    }
    let settle = Command::Settle {
        attempt: attempt(1),
        spent: took(Some(1_500)),
    };
    assert!(ledger.decide(settle, Time(0)).is_ok());
    let before = ledger.clone();
    let refused = |ledger: &mut Ledger, command| {
        let refusal = ledger.decide(command, Time(0)).unwrap_err();
        (refusal.code(), refusal.to_string())
    };
    assert_eq!(
        refused(&mut ledger, permit(Some(1), Some(1))),
        (
            "budget-taken",
            "run-1 cannot be bounded by 1 attempt: 2 attempts are used or reserved".to_owned()
        )
    );
    assert_eq!(
        refused(&mut ledger, permit(None, Some(60_000))).1,
        "run-1 cannot be bounded by 1 min of agents' time: \
         61.500 s of agents' time are used or reserved"
    );
    assert_eq!(ledger, before);
    assert!(ledger.decide(permit(Some(2), None), Time(0)).is_ok());
}

#[test]
fn an_account_that_was_never_opened_cannot_be_changed() {
    let mut ledger = Ledger::default();
    assert_eq!(
        ledger.decide(permit(Some(9), None), Time(0)),
        Err(Refusal::NotOpen(ACCOUNT))
    );
}

#[test]
fn a_late_word_of_the_creation_takes_nothing_back() {
    let mut ledger = open(1);
    assert!(ledger.decide(permit(Some(9), None), Time(0)).is_ok());
    let late = Command::Open {
        account: ACCOUNT,
        budget: Budget {
            attempts: Some(1),
            ..Budget::default()
        },
        parent: None,
    };
    assert_eq!(ledger.decide(late, Time(0)), Ok(None));
    assert_eq!(ledger.accounts[&ACCOUNT].budget.attempts, Some(9));
}

#[test]
fn it_survives_its_rows() {
    let mut ledger = open(2);
    open_day(&mut ledger, Time(0), 9);
    assert!(ledger.decide(reserve(1), Time(0)).is_ok());
    let changed = ledger.take_changed();
    let accounts = stored::account_rows(&ledger, changed);
    let row = stored::ledger_row(&ledger, 3);
    assert_eq!(row.seq, 3);
    assert_eq!(stored::restore(&row, &accounts), Ok(ledger.clone()));
    for account in &accounts {
        let balance = stored::balance(account).unwrap();
        assert_eq!(balance, ledger.accounts[&account.account]);
    }
}

#[test]
fn a_row_that_cannot_be_read_is_named() {
    let ledger = open(2);
    let mut row = stored::ledger_row(&ledger, 1);
    let mut accounts = stored::account_rows(&ledger, [ACCOUNT]);
    accounts[0].body = "[]".to_owned();
    let told = stored::restore(&row, &accounts).unwrap_err().to_string();
    assert!(
        told.starts_with("the row of the account of run-1: "),
        "{told}"
    );
    row.body = "{}".to_owned();
    let told = stored::restore(&row, &[]).unwrap_err().to_string();
    assert!(told.starts_with("the ledger's row: "), "{told}");
}

#[test]
fn the_accounts_that_changed_are_told_and_no_others() {
    let mut ledger = open(9);
    open_day(&mut ledger, Time(0), 9);
    let (day, other) = (Account::day(Time(0)), Account::Run(RunId(2)));
    let budget = Budget::default();
    let open = |account| Command::Open {
        account,
        budget,
        parent: None,
    };
    assert!(ledger.decide(open(other), Time(0)).is_ok());
    let all = BTreeSet::from([day, ACCOUNT, other]);
    assert_eq!(ledger.take_changed(), all);
    let attempt = attempt(1);
    let steps: [(Command, &[Account]); 6] = [
        (open(other), &[]),
        (reserve(1), &[day, ACCOUNT]),
        (reserve(1), &[]),
        (permit(Some(7), None), &[ACCOUNT]),
        (permit(Some(7), None), &[]),
        (Command::Release { attempt }, &[day, ACCOUNT]),
    ];
    for (command, expected) in steps {
        let told = format!("{command:?}");
        assert!(ledger.decide(command, Time(0)).is_ok(), "{told}");
        let changed: Vec<Account> = ledger.take_changed().into_iter().collect();
        assert_eq!(changed, expected, "{told}");
    }
}

#[test]
fn a_day_and_a_run_are_charged_by_the_same_attempt_and_either_may_refuse() {
    const TOMORROW: Time = Time(24 * 60 * 60 * 1000);
    let mut ledger = open(3);
    open_day(&mut ledger, Time(0), 1);
    assert!(ledger.decide(reserve(1), Time(0)).is_ok());
    ledger.check().unwrap();
    let (day, run) = (Account::day(Time(0)), ACCOUNT);
    assert_eq!(ledger.held[&attempt(1)].accounts, [day, run]);
    let exhausted = |account, max| {
        Err(Refusal::Exhausted(Exhausted {
            account,
            bound: Some(Bound::Attempts(max)),
            task: None,
        }))
    };
    assert_eq!(ledger.decide(reserve(2), Time(0)), exhausted(day, 1));
    // Another day has another account, if it has one. What was reserved is settled where it was.
    assert!(ledger.decide(reserve(2), TOMORROW).is_ok());
    assert_eq!(ledger.held[&attempt(2)].accounts, [run]);
    let settle = Command::Settle {
        attempt: attempt(1),
        spent: took(Some(500)),
    };
    assert!(ledger.decide(settle, TOMORROW).is_ok());
    ledger.check().unwrap();
    let used = Amount {
        attempts: 1,
        time_ms: 500,
        ..Amount::default()
    };
    assert_eq!(ledger.accounts[&day].used, used);
    assert_eq!(ledger.accounts[&run].used, used);
    // What the day refuses, the run is not charged for.
    assert_eq!(ledger.decide(reserve(3), Time(0)), exhausted(day, 1));
    assert_eq!(ledger.accounts[&run].taken().attempts, 2);
    assert!(ledger.decide(reserve(3), TOMORROW).is_ok());
    assert_eq!(ledger.decide(reserve(4), TOMORROW), exhausted(run, 3));
    ledger.check().unwrap();
}
