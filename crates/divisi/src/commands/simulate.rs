//! `divisi simulate`: a plan played through the real core under a virtual clock.

use divisi_core::Plan;
use divisi_engine::simulate::{Schedule, simulate};
use divisi_pack::config::Config;

use crate::cli::{Global, Simulate};
use crate::config::Configuration;
use crate::exit::Exit;
use crate::plan;
use crate::printer::{Line, Outcome, Printer, Style};
use crate::project::Project;
use crate::words::{plural, span};

/// Of a long list of tasks, so many are named.
const NAMED_MAX: usize = 12;

/// Plays the plan and prints the schedule.
pub(crate) fn run(args: &Simulate, global: &Global, printer: &Printer) -> Outcome {
    let plan = plan::read(&args.plan, printer)?;
    let flags = super::flags::of_simulate(args);
    let configuration = Configuration::load(&Project::find(global)?, flags, printer)?;
    let schedule = play(&plan, &configuration.config);
    if printer.is_json() {
        printer.document(&schedule)?;
    } else {
        printer.lines(&lines(&plan.title, &schedule))?;
    }
    Ok(Exit::Success)
}

fn play(plan: &Plan, config: &Config) -> Schedule {
    simulate(plan, config.workers, config.barriers).expect("a plan that was read is sound")
}

fn lines(title: &str, schedule: &Schedule) -> Vec<Line> {
    let row = |name: &str, value: String| Line::of(format!("{name:<16}")).with(Style::Bold, value);
    let tasks = plural(schedule.tasks as u64, "task");
    let planned = match schedule.tasks_that_plan {
        0 => String::new(),
        many => format!(
            ", {} others that are not played",
            match many {
                1 => "1 plans".to_owned(),
                _ => format!("{many} plan"),
            }
        ),
    };
    let barriers = &schedule.barriers;
    let stages = plural(barriers.stages as u64, "stage");
    let cost = span(barriers.cost_ms.unsigned_abs());
    let cost = if barriers.cost_ms < 0 {
        format!("{cost} less")
    } else {
        format!("{cost} more")
    };
    let in_force = if barriers.in_force { ", in force" } else { "" };
    let mut lines = vec![
        Line::styled(Style::Bold, title)
            .then(format!(
                ": {tasks} on {}",
                plural(u64::from(schedule.workers), "worker")
            ))
            .with(Style::Dim, planned),
        row("makespan", span(schedule.makespan_ms)),
        row("critical path", span(schedule.critical_path_ms)).with(
            Style::Dim,
            format!("  {}", named(&schedule.critical_path, " → ")),
        ),
        row("total work", span(schedule.total_work_ms)),
        row("lower bound", span(schedule.lower_bound_ms))
            .with(Style::Dim, "  no schedule on so many workers is shorter"),
        row(
            "utilization",
            format!("{:.0} %", schedule.utilization * 100.0),
        ),
        row("with barriers", span(barriers.makespan_ms))
            .with(Style::Dim, format!("  {cost}, {stages}{in_force}")),
    ];
    let guessed = &schedule.without_estimate;
    if !guessed.is_empty() {
        let why = match guessed.len() == schedule.tasks {
            true => "no task has an estimate",
            false => "the mean of the others",
        };
        let assumed = row("assumed", span(schedule.assumed_ms));
        lines.push(assumed.with(Style::Dim, format!("  {why}")));
        lines.push(Line::of(format!("{:<16}{}", "  for", named(guessed, ", "))));
        let hint = "  give each `estimated_duration_minutes` to know more";
        lines.push(Line::styled(Style::Dim, hint));
    }
    lines
}

fn named(tasks: &[String], between: &str) -> String {
    let mut words: Vec<&str> = tasks.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = format!("{} more", tasks.len().saturating_sub(NAMED_MAX));
    if tasks.len() > NAMED_MAX {
        words.push(&more);
    }
    words.join(between)
}
