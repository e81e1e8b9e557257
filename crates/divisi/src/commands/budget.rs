//! `divisi budget`: what accounts permit, what of that is used or reserved and by whom, and which
//! command permits more.

use std::collections::BTreeMap;

use divisi_core::ledger::{self, Account, Amount, Balance, Bound, Exhausted, Measure};
use divisi_core::run::{Budget, Run};
use divisi_core::{AttemptId, RunId};
use divisi_store::View;
use serde::Serialize;

use crate::cli::{BudgetOf, Global};
use crate::exit::Exit;
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words::{self, heading, plural, span};

/// So many holders of one account are listed; `--json` lists all.
const HOLDERS_MAX: usize = 10;

/// Labels stand in a column of this width.
const LABEL_WIDTH: usize = 13;

/// One account.
#[derive(Debug, Serialize)]
struct Told {
    account: Account,
    /// As people name it.
    name: String,
    budget: Budget,
    used: Amount,
    held: Amount,
    /// What is left of that which is bounded.
    left: Budget,
    /// Attempts whose agents did not say all that they used.
    unreported: u64,
    holders: Vec<Holder>,
    /// The commands that permit more, one for each bound.
    raise: Vec<String>,
}

/// An attempt that something is reserved for.
#[derive(Debug, Serialize)]
struct Holder {
    run: String,
    task: String,
    attempt: u32,
    amount: Amount,
}

/// Tells the accounts of today and of a run, or of all runs that go on, or of the latest.
pub(crate) fn run(args: &BudgetOf, global: &Global, printer: &Printer) -> Outcome {
    let project = Project::find(global)?;
    let view = project.view()?;
    let runs = match args.run {
        Some(run) => vec![loaded::load(&view, project.row(&view, Some(run))?.run)?],
        None => match (loaded::open_runs(&view)?, view.runs(None, u32::MAX)?.last()) {
            (open, Some(latest)) if open.is_empty() => vec![loaded::load(&view, latest.run)?],
            (open, _) => open,
        },
    };
    let told = gather(&view, &runs)?;
    match printer.is_json() {
        true => printer.document(&serde_json::json!({ "accounts": told }))?,
        false => printer.lines(&lines(&told))?,
    }
    Ok(Exit::Success)
}

fn gather(view: &View, runs: &[Run]) -> Result<Vec<Told>, Failure> {
    let mut accounts = BTreeMap::new();
    for run in runs {
        accounts.extend(loaded::shared(view, run.id)?.accounts);
    }
    let today = Account::day(words::now());
    if let Some(row) = view.account(today)? {
        accounts.insert(today, loaded::balance(&row)?);
    }
    let held = match view.ledger()? {
        Some(row) => ledger::stored::held(&row).map_err(loaded::unreadable)?,
        None => BTreeMap::new(),
    };
    let latest = match runs.last() {
        Some(run) => Some(run.id),
        None => view.runs(None, u32::MAX)?.last().map(|row| row.run),
    };
    let of = |(account, balance): (&Account, &Balance)| {
        let held = held.iter().filter(|(_, it)| it.accounts.contains(account));
        Told {
            account: *account,
            name: name(*account, runs),
            budget: balance.budget,
            used: balance.used,
            held: balance.held,
            left: left(balance),
            unreported: balance.unreported,
            holders: held
                .map(|(it, held)| holder(*it, held.amount, runs))
                .collect(),
            raise: raise(*account, balance, runs, latest),
        }
    };
    // A run that does another's task may be bounded by that one's accounts alone.
    let bounded = accounts
        .iter()
        .filter(|(_, balance)| balance.budget.is_bounded());
    Ok(bounded.map(of).collect())
}

fn left(balance: &Balance) -> Budget {
    let bound = |bound: Bound| {
        let measure = bound.measure();
        Some(Bound::of(measure, balance.left(measure)?))
    };
    let bounds = balance.budget.bounds().filter_map(bound);
    bounds.fold(Budget::default(), Budget::with)
}

fn task_id(runs: &[Run], run: RunId, no: divisi_core::TaskNo) -> Option<&divisi_core::TaskId> {
    let run = runs.iter().find(|it| it.id == run)?;
    Some(&run.task(no)?.spec.id)
}

fn name(account: Account, runs: &[Run]) -> String {
    match account {
        Account::Day(day) => format!("{} (UTC)", words::date(day)),
        Account::Run(run) => run.to_string(),
        Account::Task(run, no) => match task_id(runs, run, no) {
            Some(id) => format!("{run} {id}"),
            None => account.to_string(),
        },
    }
}

fn holder(attempt: AttemptId, amount: Amount, runs: &[Run]) -> Holder {
    let task = task_id(runs, attempt.run, attempt.task);
    Holder {
        run: attempt.run.to_string(),
        task: task.map_or_else(|| attempt.task.0.to_string(), ToString::to_string),
        attempt: attempt.number,
        amount,
    }
}

fn raise(account: Account, balance: &Balance, runs: &[Run], latest: Option<RunId>) -> Vec<String> {
    let task = match account {
        Account::Task(run, no) => task_id(runs, run, no).cloned(),
        Account::Day(_) | Account::Run(_) => None,
    };
    let of = match account {
        Account::Run(run) | Account::Task(run, _) => runs.iter().find(|it| it.id == run),
        Account::Day(_) => None,
    };
    // What has ended is not gone on with.
    let (false, Some(latest)) = (of.is_some_and(|run| run.ended.is_some()), latest) else {
        return Vec::new();
    };
    let command = |bound| {
        let exhausted = Exhausted {
            account,
            bound: Some(bound),
            task: task.clone(),
        };
        exhausted.commands(latest).into_iter().next()
    };
    balance.budget.bounds().filter_map(command).collect()
}

fn lines(told: &[Told]) -> Vec<Line> {
    if told.is_empty() {
        return vec![
            Line::of("nothing is bounded"),
            Line::styled(Style::Dim, "  → ").with(
                Style::Note,
                "divisi run PLAN --budget 2M-tokens --budget 20-usd",
            ),
        ];
    }
    let mut lines = Vec::new();
    for one in told {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(heading(one.name.clone()));
        for measure in Measure::ALL {
            lines.extend(measure_line(one, measure));
        }
        for holder in one.holders.iter().take(HOLDERS_MAX) {
            let Holder {
                run,
                task,
                attempt,
                amount,
            } = holder;
            let much = amount_words(amount, &one.budget);
            lines.push(row(
                "held by",
                format!("{run} {task}, attempt {attempt}: {much}"),
            ));
        }
        if one.holders.len() > HOLDERS_MAX {
            let more = plural((one.holders.len() - HOLDERS_MAX) as u64, "more attempt");
            lines.push(row("", format!("… and {more}; `--json` lists all")));
        }
        let counts = one.budget.tokens.is_some() || one.budget.usd_micros.is_some();
        if one.unreported > 0 && counts {
            let many = plural(one.unreported, "attempt");
            let text = format!(
                "{many} did not say all that was used; `divisi show RUN TASK` tells what is charged"
            );
            lines.push(
                Line::styled(Style::Warn, "  flagged")
                    .padded(LABEL_WIDTH)
                    .then(text),
            );
        }
        let raise = one.raise.iter();
        lines.extend(raise.map(|it| Line::styled(Style::Dim, "  → ").with(Style::Note, it)));
    }
    lines
}

fn row(label: &str, text: String) -> Line {
    Line::styled(Style::Dim, format!("  {label}"))
        .padded(LABEL_WIDTH)
        .then(text)
}

fn measure_line(told: &Told, measure: Measure) -> Option<Line> {
    let label = match measure {
        Measure::Attempts => "attempts",
        Measure::TimeMs => "time",
        Measure::Tokens => "tokens",
        Measure::UsdMicros => "money",
    };
    let say = |much: u64| much_words(Bound::of(measure, much));
    let (used, held) = (told.used.of(measure), told.held.of(measure));
    let permitted = told.budget.of(measure)?;
    let mut text = format!("{} permitted, {} used", say(permitted), say(used));
    if held > 0 {
        text.push_str(&format!(", {} held", say(held)));
    }
    let line = row(label, text);
    Some(match used.checked_sub(permitted).filter(|over| *over > 0) {
        Some(over) => line.with(Style::Warn, format!(", {} beyond it", say(over))),
        None => line.then(format!(
            ", {} left",
            say(told.left.of(measure).unwrap_or(0))
        )),
    })
}

/// So much, where the measure is said beside it.
fn much_words(bound: Bound) -> String {
    match bound {
        Bound::Attempts(much) | Bound::Tokens(much) => much.to_string(),
        Bound::TimeMs(ms) => span(ms),
        Bound::UsdMicros(_) => bound.to_string(),
    }
}

/// What is reserved of that which is bounded.
fn amount_words(amount: &Amount, budget: &Budget) -> String {
    let bounds = budget
        .bounds()
        .map(|it| Bound::of(it.measure(), amount.of(it.measure())));
    let words: Vec<String> = bounds.map(|it| it.to_string()).collect();
    words.join(", ")
}
