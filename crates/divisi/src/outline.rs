//! What a plan would run and who does what, for somebody who is asked to consent to it.
//!
//! Programs are shown as they would be started: arguments quoted, scripts line by line, programs of
//! checks too. What is left out is counted, secrets are masked, and what would steer a terminal is
//! made harmless when a line is printed.

use std::collections::BTreeMap;

use divisi_agents::{environment, mask};
use divisi_core::plan::{Candidates, Input, TaskKind, Work};
use divisi_core::preparation::{Preparation, Setup};
use divisi_core::run::{AGENT_PERSON, Grants, Settings, agent_of};
use divisi_core::{Criterion, Plan, TaskId, TaskSpec, shell};

use crate::present::variables;
use crate::printer::{Line, Style};
use crate::words::{self, cut, heading, plural};

/// So many tasks are shown.
const TASKS_MAX: usize = 20;

/// So many lines of a script are shown.
const SCRIPT_LINES_MAX: usize = 5;

/// So many programs of one task's checks are shown, and so many of its other checks.
const CHECKS_MAX: usize = 3;

/// So many setups are shown.
const SETUPS_MAX: usize = 20;

/// So many characters of a line are shown.
const LINE_CHARS_MAX: usize = 120;

/// So many of one that says what is run: what is cut off is consented to unseen.
const PROGRAM_CHARS_MAX: usize = 2_000;

/// A longer name is not padded.
const NAME_CHARS_MAX: usize = 20;

/// Words the plan: a line of counts, then task by task.
pub(crate) fn outline(plan: &Plan, settings: &Settings) -> Vec<Line> {
    lines(plan, settings, &variables())
}

fn lines(plan: &Plan, settings: &Settings, parent: &BTreeMap<String, String>) -> Vec<Line> {
    let count = |of: &dyn Fn(&&TaskSpec) -> bool| plan.tasks.iter().filter(of).count();
    let programs = count(&|task| runs_programs(task));
    let people = count(&|task| is_for_people(task, settings));
    let mut lines = vec![heading(cut(&plan.title, LINE_CHARS_MAX)).then(format!(
        ": {}; programs of the plan run in {programs} of them, {people} {} for people",
        plural(plan.tasks.len() as u64, "task"),
        if people == 1 { "is" } else { "are" },
    ))];
    let secrets = environment(parent, &[], &BTreeMap::new()).masked;
    lines.extend(judged_line(plan, settings));
    lines.extend(grant_lines(&settings.grants));
    lines.extend(preparation_lines(&plan.preparation, &secrets));
    let planners = count(&|task| task.kind == TaskKind::Plan);
    if planners > 0 {
        let who = plural(planners as u64, "task");
        let then = match settings.approves_plans && plan.tasks.len() == 1 {
            true => "what they plan is shown, and runs once it is approved",
            false => "what those run is not known yet, and is run without asking again",
        };
        lines.push(Line::styled(Style::Warn, format!("  {who} will plan others: ")).then(then));
    }
    let shown = plan.tasks.iter().take(TASKS_MAX);
    let width = shown.clone().map(|task| task.id.as_str().chars().count());
    let width = width.filter(|width| *width <= NAME_CHARS_MAX).max();
    let indent = width.unwrap_or(0) + 4;
    for task in shown {
        lines.extend(task_lines(task, settings, parent, indent));
    }
    let hidden: Vec<&TaskSpec> = plan.tasks.iter().skip(TASKS_MAX).collect();
    if !hidden.is_empty() {
        let programs = hidden.iter().filter(|task| runs_programs(task)).count();
        lines.push(Line::styled(
            Style::Dim,
            format!(
                "  … and {} more, {programs} of which run programs",
                hidden.len()
            ),
        ));
    }
    let whole = checks(&plan.criteria, &secrets, "    ");
    if !whole.is_empty() {
        lines.push(Line::of("  at the end, on the whole"));
        lines.extend(whole);
    }
    lines
}

/// Who judges what no rule can tell, if there is something of that kind: a run may wait for them.
fn judged_line(plan: &Plan, settings: &Settings) -> Option<Line> {
    let is_judged = |criteria: &[Criterion]| {
        let mut all = criteria.iter();
        all.any(|it| matches!(it, Criterion::Plain { .. }))
    };
    let tasks = plan.tasks.iter().filter(|task| is_judged(&task.criteria));
    let mut of = match tasks.count() {
        0 => Vec::new(),
        many => vec![plural(many as u64, "task")],
    };
    if is_judged(&plan.criteria) {
        of.push("the whole".to_owned());
    }
    let who = match settings.reviewers.is_empty() {
        true => "a person judges".to_owned(),
        false => format!("{} may judge", settings.reviewers.join(" or ")),
    };
    let words = format!("  {who} what no rule can tell: of {}", of.join(" and of "));
    (!of.is_empty()).then(|| Line::of(words))
}

/// What the programs may do beyond the usual.
fn grant_lines(grants: &Grants) -> Vec<Line> {
    let listed = |what: &str, names: &[String]| {
        Line::styled(Style::Warn, format!("  {what}: ")).then(names.join(", "))
    };
    let mut lines = Vec::new();
    if grants.unconfined {
        lines.push(Line::styled(Style::Warn, "  programs may write anywhere"));
    } else if !grants.writes.is_empty() {
        lines.push(listed("programs may also write to", &grants.writes));
    }
    if !grants.passes.is_empty() {
        lines.push(listed("programs are given", &grants.passes));
    }
    lines
}

/// What workspaces are given before anybody works in them.
fn preparation_lines(preparation: &Preparation, secrets: &[String]) -> Vec<Line> {
    let indent = "    ";
    let mut lines = Vec::new();
    if !preparation.copy.is_empty() {
        let copied = cut(&preparation.copy.join(", "), LINE_CHARS_MAX);
        lines.push(Line::of(format!(
            "{indent}copied from your folder: {copied}"
        )));
    }
    for setup in preparation.setup.iter().take(SETUPS_MAX) {
        match setup {
            Setup::Command(argv) => lines.push(
                Line::of(format!("{indent}setup: ")).with(Style::Note, command(argv, secrets)),
            ),
            Setup::Script(script) => {
                lines.push(Line::of(format!("{indent}setup: sh -eu")));
                lines.extend(script_lines(script, secrets, indent));
            }
        }
    }
    if preparation.setup.len() > SETUPS_MAX {
        let more = plural((preparation.setup.len() - SETUPS_MAX) as u64, "more setup");
        lines.push(Line::styled(Style::Dim, format!("{indent}… {more}")));
    }
    if !lines.is_empty() {
        lines.insert(0, Line::of("  before, in every workspace"));
    }
    lines
}

fn runs_programs(task: &TaskSpec) -> bool {
    let works = matches!(task.work, Work::Command(_) | Work::Script(_));
    let compares = { task.candidates.as_ref() }.is_some_and(|it| it.prefer.is_some());
    works
        || compares
        || task
            .criteria
            .iter()
            .any(|it| matches!(it, Criterion::Command { .. }))
}

fn is_for_people(task: &TaskSpec, settings: &Settings) -> bool {
    task.kind == TaskKind::Approval || agent_of(task, settings) == AGENT_PERSON
}

/// A task: who does it and what is run, and below it the rest of a script, the variables that it
/// sets, and the programs of its checks.
fn task_lines(
    task: &TaskSpec,
    settings: &Settings,
    parent: &BTreeMap<String, String>,
    indent: usize,
) -> Vec<Line> {
    let secrets = environment(parent, &[], &task.env).masked;
    let agent = match task.kind {
        TaskKind::Approval => "a person consents".to_owned(),
        _ => by(task, settings),
    };
    let first = Line::of("  ")
        .with(Style::Bold, format!("{} ", task.id))
        .padded(indent)
        .then(agent);
    let indent = " ".repeat(indent);
    let mut lines = Vec::new();
    match &task.work {
        Work::Command(argv) => {
            lines.push(first.then(": ").with(Style::Note, command(argv, &secrets)))
        }
        Work::Script(script) => {
            lines.push(first.then(": sh -eu"));
            lines.extend(script_lines(script, &secrets, &indent));
        }
        Work::Template(template) => {
            lines.push(first.then(format!(": {}", cut(&template.output, LINE_CHARS_MAX))));
        }
        Work::Expand(expansion) => {
            lines.push(first.then(format!(": {}", cut(&expansion.stage, LINE_CHARS_MAX))));
        }
        Work::Handoff | Work::Nothing => {
            lines.push(first.then(format!(": {}", cut(&task.title, LINE_CHARS_MAX))));
        }
    }
    let after = task.dependencies.iter().map(TaskId::as_str);
    let informed = task.inputs.iter().filter_map(|input| match input {
        Input::Task(id) => Some(id.as_str()),
        Input::Path(_) => None,
    });
    let after: Vec<&str> = after.chain(informed).collect();
    if !after.is_empty() {
        let after = cut(&after.join(", "), LINE_CHARS_MAX);
        lines.push(Line::of(format!("{indent}after {after}")));
    }
    if !task.env.is_empty() {
        let names: Vec<&str> = task.env.keys().map(String::as_str).collect();
        let names = cut(&names.join(", "), LINE_CHARS_MAX);
        lines.push(Line::of(format!("{indent}sets {names}")));
    }
    lines.extend(checks(&task.criteria, &secrets, &indent));
    if let Some(candidates) = &task.candidates {
        lines.extend(candidate_lines(
            task, candidates, settings, &secrets, &indent,
        ));
    }
    lines
}

/// How often it is solved, by whom, and how one of the solutions is chosen.
fn candidate_lines(
    task: &TaskSpec,
    candidates: &Candidates,
    settings: &Settings,
    secrets: &[String],
    indent: &str,
) -> Vec<Line> {
    let many = candidates.of.len();
    let ids = vec![task.id.clone(); many];
    let agents: Vec<String> = { task.candidates_as(&ids) }
        .map(|one| words::agent(agent_of(&one, settings)))
        .collect();
    let agents = cut(&agents.join(", "), LINE_CHARS_MAX);
    let often = Line::of(format!("{indent}solved {many} times, by {agents}"));
    let by = match &candidates.prefer {
        None => Line::of(format!(
            "{indent}the one with the fewest changed lines is taken"
        )),
        Some(prefer) => Line::of(format!("{indent}the {} is taken: ", prefer.want.word()))
            .with(Style::Note, command(&prefer.argv, secrets)),
    };
    vec![often, by]
}

fn by(task: &TaskSpec, settings: &Settings) -> String {
    let first = words::agent(agent_of(task, settings));
    match task.agents_else.is_empty() {
        true => first,
        false => format!("{first}, else {}", task.agents_else.join(", ")),
    }
}

fn command(argv: &[String], secrets: &[String]) -> String {
    cut(&mask(shell::line(argv), secrets), PROGRAM_CHARS_MAX)
}

fn script_lines(script: &str, secrets: &[String], indent: &str) -> Vec<Line> {
    // A secret may go over several lines.
    let script = mask(script.to_owned(), secrets);
    let all: Vec<&str> = script
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let shown = all.iter().take(SCRIPT_LINES_MAX);
    let line = |line: &&str| {
        Line::of(format!("{indent}| ")).with(Style::Note, cut(line, PROGRAM_CHARS_MAX))
    };
    let mut lines: Vec<Line> = shown.map(line).collect();
    if all.len() > SCRIPT_LINES_MAX {
        let more = plural((all.len() - SCRIPT_LINES_MAX) as u64, "more line");
        lines.push(Line::styled(Style::Dim, format!("{indent}| … {more}")));
    }
    lines
}

/// What is checked: programs as they would be started, then what must hold of files.
fn checks(criteria: &[Criterion], secrets: &[String], indent: &str) -> Vec<Line> {
    let (mut programs, mut others) = (Vec::new(), Vec::new());
    for criterion in criteria {
        match criterion {
            Criterion::Command { argv, .. } => programs.push(command(argv, secrets)),
            // What every program is held to, and what nothing checks.
            Criterion::ExitStatus | Criterion::Plain { .. } => {}
            _ => others.push(cut(&mask(criterion.to_string(), secrets), LINE_CHARS_MAX)),
        }
    }
    let hidden =
        programs.len().saturating_sub(CHECKS_MAX) + others.len().saturating_sub(CHECKS_MAX);
    let said = |what: &str| Line::of(format!("{indent}{what}: "));
    let programs = programs.into_iter().take(CHECKS_MAX);
    let mut lines: Vec<Line> = programs
        .map(|program| said("check").with(Style::Note, program))
        .collect();
    let others = others.into_iter().take(CHECKS_MAX);
    lines.extend(others.map(|other| said("check").then(other)));
    if hidden > 0 {
        let more = plural(hidden as u64, "more check");
        lines.push(Line::styled(Style::Dim, format!("{indent}… {more}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::given::{approval, plan, task, written};
    use crate::scenes::HOSTILE;

    fn shown(plan: &Plan, parent: &[(&str, &str)]) -> String {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let lines = lines(
            plan,
            &Settings::default(),
            &parent.iter().map(own).collect(),
        );
        lines.iter().map(|line| line.render(false) + "\n").collect()
    }

    fn program(argv: &[&str]) -> Criterion {
        Criterion::Command {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            timeout_ms: 1,
        }
    }

    #[test]
    fn everything_that_would_run_is_shown_with_who_runs_it() {
        let mut build = task("build", &[]);
        build.work = Work::Command(
            ["sh", "-c", "make all && echo 'done'"]
                .map(str::to_owned)
                .to_vec(),
        );
        build.env.insert("CFLAGS".to_owned(), "-O2".to_owned());
        build.criteria = vec![program(&["cargo", "test"]), Criterion::ExitStatus];
        let mut script = task("script", &[]);
        script.work = Work::Script("\nset -x\n\none\ntwo\nthree\nfour\nfive\nsix\n".to_owned());
        script.agents_else = vec!["person".to_owned()];
        let mut all = plan(
            "Ship it",
            vec![
                build,
                script,
                written("draft", "person", Vec::new()),
                written(
                    "draw",
                    "scripted",
                    vec![program(&["test", "-s", "draw.md"])],
                ),
                approval("go", &["build"]),
            ],
        );
        all.preparation = Preparation {
            copy: vec![".env".to_owned(), "data/**".to_owned()],
            setup: vec![
                Setup::Command(["npm", "ci"].map(str::to_owned).to_vec()),
                Setup::Script("make -C tools\n".to_owned()),
            ],
            ..Preparation::default()
        };
        all.criteria = vec![
            program(&["./whole"]),
            Criterion::Plain {
                text: "fine".into(),
            },
        ];
        assert_snapshot!(shown(&all, &[]), @r"
        Ship it: 5 tasks; programs of the plan run in 3 of them, 2 are for people
          a person judges what no rule can tell: of the whole
          before, in every workspace
            copied from your folder: .env, data/**
            setup: npm ci
            setup: sh -eu
            | make -C tools
          build   command: sh -c 'make all && echo '\''done'\'''
                  sets CFLAGS
                  check: cargo test
          script  command, else person: sh -eu
                  | set -x
                  | one
                  | two
                  | three
                  | four
                  | … 2 more lines
          draft   person: the draft work
          draw    scripted (no real agent): the draw work
                  check: test -s draw.md
          go      a person consents: the go work
                  after build
          at the end, on the whole
            check: ./whole
        ");
    }

    #[test]
    fn that_more_will_be_planned_is_said_before_anything_is_run() {
        let mut planner = written("p", "scripted", Vec::new());
        planner.kind = TaskKind::Plan;
        assert_snapshot!(shown(&plan("Grow", vec![planner]), &[]), @"
        Grow: 1 task; programs of the plan run in 0 of them, 0 are for people
          1 task will plan others: what those run is not known yet, and is run without asking again
          p  scripted (no real agent): the p work
        ");
    }

    #[test]
    fn what_programs_may_do_beyond_the_usual_is_shown() {
        let shown = |grants: Grants| -> String {
            let lines = grant_lines(&grants);
            lines.iter().map(|line| line.render(false) + "\n").collect()
        };
        assert_eq!(shown(Grants::default()), "");
        let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let grants = Grants {
            writes: some(&["/a", "/b"]),
            passes: some(&["API_KEY"]),
            ..Grants::default()
        };
        let lines = "  programs may also write to: /a, /b\n  programs are given: API_KEY\n";
        assert_eq!(shown(grants.clone()), lines);
        let unconfined = Grants {
            unconfined: true,
            ..grants
        };
        assert!(shown(unconfined).starts_with("  programs may write anywhere\n"));
    }

    #[test]
    fn what_is_left_out_is_counted_and_nothing_is_hidden_by_its_length() {
        let mut tasks: Vec<TaskSpec> = (0..25).map(|n| task(&format!("t{n}"), &[])).collect();
        let tail = format!("echo {}; rm -rf /", " ".repeat(300));
        let longer = format!("echo {}; rm -rf /", " ".repeat(3_000));
        tasks[0].work = Work::Script(format!("{tail}\n{longer}"));
        tasks[0].criteria = (0..5).map(|_| program(&["true"])).collect();
        let text = shown(&plan("Many", tasks), &[]);
        assert!(text.contains("; rm -rf /\n"), "{text}");
        assert!(text.contains("more characters\n"), "{text}");
        assert!(text.contains("… 2 more checks\n"), "{text}");
        assert!(
            text.ends_with("  … and 5 more, 5 of which run programs\n"),
            "{text}"
        );
    }

    #[test]
    fn secrets_are_masked_and_nothing_hostile_is_printed() {
        let mut own = task("own", &[]);
        own.env
            .insert("API_TOKEN".to_owned(), "hunter22".to_owned());
        own.work = Work::Command(
            ["curl", "-H", "hunter22", "sesame77"]
                .map(str::to_owned)
                .to_vec(),
        );
        let mut hostile = task("hostile", &[]);
        hostile.work = Work::Script(format!("{HOSTILE}\rhidden"));
        hostile.criteria = vec![program(&[HOSTILE, "sesame77"])];
        let text = shown(
            &plan(HOSTILE, vec![own, hostile]),
            &[("MY_SECRET", "sesame77")],
        );
        assert!(
            !text.contains("hunter22") && !text.contains("sesame77"),
            "{text}"
        );
        assert_eq!(text.matches("[masked]").count(), 3, "{text}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    }
}
