//! Runs that several views are tested on.

use divisi_core::intent::{Assessed, Fired, Planner, Settled};
use divisi_core::plan::Work;
use divisi_core::run::{Budget, Command, Finding};
use divisi_core::{Criterion, Intent, Outcome, Verdict};

use crate::given::{Given, approval, plan, task, written};

/// What a hostile plan or agent writes; no part of it may reach an output raw.
pub(crate) const HOSTILE: &str = "\x1b[31mred\x07\u{202e}\u{9b}2J";

/// A run in the middle of its work:
///
/// ```text
/// build ── deploy          build failed three times
/// lint  ── consent         lint is done, consent is asked for
/// draft                    awaits a person's judgment; played from a script
/// scan                     runs, and is suspected
/// paint                    a person does it
/// ```
pub(crate) fn busy() -> Given {
    let criteria = vec![
        Criterion::Contains {
            text: "## API".into(),
            path: "draft.md".into(),
        },
        Criterion::Plain {
            text: "it reads well".into(),
        },
    ];
    let mut paint = task("paint", &[]);
    paint.agent = Some("person".into());
    paint.work = Work::Handoff;
    let tasks = vec![
        task("build", &[]),
        task("deploy", &["build", "consent"]),
        task("lint", &[]),
        approval("consent", &["lint"]),
        written("draft", "scripted", criteria),
        task("scan", &[]),
        paint,
    ];
    let mut given = Given::run_of(plan("Ship it", tasks));
    given
        .ends("lint", 0)
        .ends("build", 3)
        .ends("build", 3)
        .ends("build", 3);
    let evidence = format!("line one\n{HOSTILE}");
    let unverified = Verdict {
        criterion: 1,
        outcome: Outcome::Unverified,
        evidence,
        proves_nothing: false,
        program: None,
    };
    let proves_nothing = Verdict {
        proves_nothing: true,
        ..Verdict::pass(0)
    };
    given.ends("draft", 0).collected("draft");
    given.checked("draft", vec![proves_nothing, unverified]);
    let attempt = given.attempt("scan");
    let finding = Finding::Suspected(format!("no output {HOSTILE}"));
    given.ask(Command::Find { attempt, finding });
    given
}

/// A run that succeeded:
///
/// ```text
/// lint      estimated, done at the second try
/// draft     integrated; one criterion was waived, one proves nothing
/// ```
pub(crate) fn succeeded() -> Given {
    let criteria = vec![
        Criterion::Contains {
            text: "## API".into(),
            path: "draft.md".into(),
        },
        Criterion::Plain {
            text: "it reads well".into(),
        },
    ];
    let mut lint = task("lint", &[]);
    lint.estimate.duration_ms = Some(60_000);
    let mut plan = plan("Ship it", vec![lint, written("draft", "writer", criteria)]);
    plan.criteria = vec![Criterion::Command {
        argv: vec!["make".into(), "test".into()],
        timeout_ms: 1_000,
    }];
    let mut given = Given::run_of(plan);
    let attempt = given.attempt("draft");
    given.ask(Command::Started {
        attempt,
        base: None,
        passed_before: vec![0],
        confined: Some(false),
        left_out: vec![".env: it holds the value of a secret".to_owned()],
    });
    given.ends("lint", 1).ends("lint", 0);
    let unverified = Verdict {
        criterion: 1,
        outcome: Outcome::Unverified,
        evidence: "nobody can tell by rule".into(),
        proves_nothing: false,
        program: None,
    };
    let proves_nothing = Verdict {
        proves_nothing: true,
        ..Verdict::pass(0)
    };
    given.ends("draft", 0).collected("draft");
    given.checked("draft", vec![proves_nothing, unverified]);
    let task = given.run().find(&crate::given::id("draft"));
    given.wait(1_000).ask(Command::Approve {
        task,
        note: "fine for now".into(),
        waive: true,
    });
    given.integrated();
    let head = given.run().integration.head;
    given.ask(Command::FinalChecked {
        head,
        verdicts: vec![Verdict::pass(0)],
        tasks: Vec::new(),
    });
    given
}

/// An intent with all that it can have.
pub(crate) fn intent() -> Intent {
    let text = |text: &str| text.to_owned();
    Intent {
        text: text("Migrate the database, with docs"),
        understood: Some(text("Migrate the database to Postgres, with docs")),
        assessment: Assessed {
            approach: text("pack"),
            executed_as: text("plan"),
            certainty: text("sure"),
            reasons: vec![text("It names several domains (docs).")],
            rules: vec![Fired {
                rule: text("several-domains"),
                points: text("plan"),
                because: vec![text("docs")],
            }],
            facts: vec![text("2 parts for developer, tech_writer")],
            pattern_selection: None,
        },
        settled: vec![
            Settled {
                name: text("target"),
                asks: text("To what?"),
                answer: text("Postgres"),
                is_assumed: false,
            },
            Settled {
                name: text("open-list"),
                asks: text("What else belongs to it?"),
                answer: text("only what is named"),
                is_assumed: true,
            },
        ],
        planner: Planner::Workflow(text("code-review")),
        left_out: vec![text("nobody looked at the manual")],
        tests: Some(vec![text("make"), text("test")]),
    }
}

/// A run that was made of it, as far as `lint` goes.
pub(crate) fn meant() -> Given {
    let mut given = Given::created(
        plan("Migrate the database", vec![task("lint", &[])]),
        Budget::default(),
        Some(Box::new(intent())),
    );
    given.ends("lint", 0);
    given
}
