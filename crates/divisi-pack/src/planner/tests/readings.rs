//! Requests of kinds that were once read wrongly: what follows a list, conditions that ask for work,
//! files that are named for a result, criteria, orders, negations. Those of each kind were written
//! down before the rules that read them; see `docs/design/planner.md` for how many were right then.

use divisi_core::{Criterion, TaskKind};

use super::*;

const FILES: &[&str] = &[
    "README.md",
    "docs/usage.md",
    "src/calc.py",
    "src/cli.py",
    "src/slug.js",
    "tests/test_calc.py",
];

/// How a request is to be planned.
#[derive(Clone, Copy)]
struct Reading {
    request: &'static str,
    /// Words of each task's title, in order; none if it is one task that has the whole request.
    titles: &'static [&'static str],
    /// By their places in `titles`: the second waits for the first.
    order: &'static [(usize, usize)],
    /// Tasks that go side by side.
    beside: &'static [(usize, usize)],
    /// Files that the tasks make, all of them.
    makes: &'static [&'static str],
    /// Files that somebody must be allowed to change.
    changes: &'static [&'static str],
    /// Criteria of the whole, as they are shown.
    criteria: &'static [&'static str],
}

const fn reading(request: &'static str, titles: &'static [&'static str]) -> Reading {
    Reading {
        request,
        titles,
        order: &[],
        beside: &[],
        makes: &[],
        changes: &[],
        criteria: &[],
    }
}

impl Reading {
    const fn order(self, order: &'static [(usize, usize)]) -> Reading {
        Reading { order, ..self }
    }

    const fn beside(self, beside: &'static [(usize, usize)]) -> Reading {
        Reading { beside, ..self }
    }

    const fn makes(self, makes: &'static [&'static str]) -> Reading {
        Reading { makes, ..self }
    }

    const fn changes(self, changes: &'static [&'static str]) -> Reading {
        Reading { changes, ..self }
    }

    const fn criteria(self, criteria: &'static [&'static str]) -> Reading {
        Reading { criteria, ..self }
    }
}

/// What is wrong about the plan of a request, if something is.
fn wrong(reading: &Reading) -> Option<String> {
    let files: Vec<String> = FILES.iter().map(|it| (*it).to_owned()).collect();
    let roles = Library::built_in();
    let facts = facts(Some(&files), &roles);
    let answer = by_rule(&request::read(reading.request), &facts);
    let planned = match answer {
        Answer::Planned(planned) => planned,
        Answer::Declined(declined) => return Some(format!("declined: {:?}", declined.reasons)),
    };
    let tasks = &planned.plan.tasks;
    let titles: Vec<&str> = tasks.iter().map(|task| task.title.as_str()).collect();
    let is_said = match reading.titles {
        [] => {
            let told = format!("{}\n{}", tasks[0].title, tasks[0].description);
            tasks.len() == 1 && told.contains(reading.request.trim())
        }
        said => {
            let says =
                |(title, said): (&&str, &&str)| title.to_lowercase().contains(&said.to_lowercase());
            titles.len() == said.len() && titles.iter().zip(said).all(says)
        }
    };
    if !is_said {
        return Some(format!("its tasks are {titles:?}"));
    }
    let graph = planned.plan.graph().expect("it is sound");
    let waits = |from: usize, on: usize| {
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            open.extend(graph.dependencies[at].iter().map(|&on| on as usize));
            if at == on && at != from {
                return true;
            }
        }
        false
    };
    if let Some((before, then)) = reading.order.iter().find(|(on, at)| !waits(*at, *on)) {
        return Some(format!("{then} does not wait for {before}"));
    }
    let is_apart = |(one, other): &&(usize, usize)| !waits(*one, *other) && !waits(*other, *one);
    if let Some((one, other)) = reading.beside.iter().find(|it| !is_apart(it)) {
        return Some(format!("{one} and {other} are not side by side"));
    }
    let made = tasks.iter().flat_map(|task| &task.deliverables);
    let made: Vec<&str> = made.map(|it| it.path.as_str()).collect();
    if made != reading.makes {
        return Some(format!("it makes {made:?}"));
    }
    if let Some(file) = reading
        .changes
        .iter()
        .find(|file| !tasks.iter().any(|it| may(it, file)))
    {
        return Some(format!("nobody may change {file}"));
    }
    if let ([], Some(file)) = (
        reading.titles,
        reading.changes.iter().find(|file| !may(&tasks[0], file)),
    ) {
        return Some(format!("who does all may not change {file}"));
    }
    let whole = whole(&planned);
    if let Some(criterion) = reading
        .criteria
        .iter()
        .find(|it| !whole.iter().any(|own| own == *it))
    {
        return Some(format!("{criterion} is not among {whole:?}"));
    }
    let is_of_order =
        |it: &&Diagnostic| it.code.as_str() == codes::LINT_UNCOVERED && !reading.beside.is_empty();
    let advice = planned.advice.iter().find(is_of_order);
    advice.map(|it| it.cause.clone())
}

/// Whether a task may change a file.
fn may(task: &TaskSpec, file: &str) -> bool {
    task.criteria.iter().all(|it| match it {
        Criterion::Scope { patterns } => {
            let (spared, within): (Vec<&String>, Vec<&String>) =
                patterns.iter().partition(|it| it.starts_with('!'));
            let meets = |pattern: &String| crate::lint::may_meet(file, pattern);
            let is_spared = spared.iter().any(|it| meets(&it[1..].to_owned()));
            !is_spared && (within.is_empty() || within.into_iter().any(meets))
        }
        _ => true,
    })
}

#[track_caller]
fn all_are_right(readings: &[Reading]) {
    let wrong: Vec<String> = readings
        .iter()
        .filter_map(|it| Some(format!("{}\n  {}", it.request, wrong(it)?)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        readings.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_follows_a_list_is_no_more_of_its_last_item() {
    all_are_right(&[
        reading(
            "Add to src/calc.py:\n- multiplication\n- subtraction\n- power\n\
             Each with tests in tests/test_calc.py. Do not touch README.md.",
            &["multiplication", "subtraction", "power"],
        )
        .changes(&["src/calc.py", "tests/test_calc.py"]),
        reading(
            "Fix these in src/cli.py:\n1. the exit code of --help\n2. the crash on an empty line\n\
             All of them need a test in tests/test_cli.py.",
            &["xit code of --help", "rash on an empty line"],
        )
        .changes(&["src/cli.py", "tests/test_cli.py"]),
        reading(
            "Please:\n* Add a flag --json to src/cli.py\n* Describe the flag in docs/usage.md\n\
             Background: the marketing team wants to read the output by hand.",
            &["Add a flag --json", "Describe the flag in docs/usage.md"],
        )
        .order(&[(0, 1)]),
        reading(
            "1. Add sqrt to src/calc.py\n2. Write docs/sqrt.md\n\
             They asked for it twice already. We use Python 3.8.",
            &["Add sqrt", "Write docs/sqrt.md"],
        )
        .makes(&["docs/sqrt.md"]),
        reading(
            "- Add sqrt to src/calc.py\n- Add a flag --precise to src/cli.py\n\
             Do not change docs/usage.md.",
            &[
                "Add sqrt to src/calc.py",
                "Add a flag --precise to src/cli.py",
            ],
        ),
        reading(
            "Fix these bugs in src/calc.py and src/slug.js:\n- div by zero\n- empty input\n\
             Each of them should get a regression test, too.",
            &[
                "div by zero, with a regression test",
                "empty input, with a regression test",
            ],
        )
        .changes(&["src/calc.py", "src/slug.js", "tests/test_calc.py"]),
        reading(
            "Extend src/slug.js with:\n* a maximum length\n* a separator\n\
             Every one of them gets a unit test in test/slug.js.\nNote: we publish on Friday.",
            &[
                "src/slug.js with: a maximum length",
                "src/slug.js with: a separator",
            ],
        )
        .makes(&["test/slug.js"])
        .changes(&["src/slug.js", "test/slug.js"]),
        // What goes on with an item is its own.
        reading(
            "- Add a long option for the number of digits that are shown to\n\
             src/cli.py\n- Fix the help",
            &[
                "Add a long option for the number of digits that are shown to src/cli.py",
                "Fix the help",
            ],
        ),
        reading(
            "- Add a command line for macOS and\n  Windows\n- Fix the help",
            &["Add a command line for macOS and Windows", "Fix the help"],
        ),
    ]);
}

#[test]
fn what_is_to_be_done_beside_is_not_forbidden() {
    all_are_right(&[
        reading(
            "Do not forget to update README.md when you add unslug to src/slug.js",
            &["pdate README.md", "dd unslug to src/slug.js"],
        )
        .order(&[(1, 0)])
        .changes(&["README.md", "src/slug.js"]),
        reading(
            "When you add mul to src/calc.py, update docs/usage.md",
            &["add mul to src/calc.py", "pdate docs/usage.md"],
        )
        .order(&[(0, 1)])
        .changes(&["src/calc.py", "docs/usage.md"]),
        reading(
            "If you change the flags of src/cli.py, adapt docs/usage.md",
            &[],
        )
        .changes(&["src/cli.py", "docs/usage.md"]),
        reading(
            "Remember to bump README.md once you add sqrt to src/calc.py",
            &["README.md", "add sqrt"],
        )
        .order(&[(1, 0)])
        .changes(&["README.md", "src/calc.py"]),
        reading(
            "As soon as you add unslug to src/slug.js, also update docs/usage.md.",
            &["add unslug to src/slug.js", "update docs/usage.md"],
        )
        .order(&[(0, 1)])
        .changes(&["src/slug.js", "docs/usage.md"]),
        reading(
            "Don't forget the docs when you change src/calc.py: make div round half up.",
            &[],
        )
        .changes(&["src/calc.py", "docs/usage.md"]),
        reading("Update README.md whenever we add a command", &[])
            .changes(&["README.md", "src/cli.py"]),
        reading(
            "Add sqrt to src/calc.py, and when you change the flags update README.md",
            &[],
        )
        .changes(&["src/calc.py", "README.md"]),
        reading(
            "Fix the rounding in src/round.py, then describe it in docs/usage.md",
            &[
                "Fix the rounding in src/round.py",
                "escribe it in docs/usage.md",
            ],
        )
        .changes(&["src/calc.py", "docs/usage.md"]),
        reading(
            "Update docs/usage.md so that it fits src/cli.py, which has to print the version",
            &[],
        )
        .changes(&["docs/usage.md", "src/cli.py"]),
    ]);
}

#[test]
fn files_that_are_named_for_a_result_are_what_is_made() {
    all_are_right(&[
        reading(
            "First write a design for a REPL in docs/repl.md, then implement it in src/repl.py",
            &["write a design", "mplement it"],
        )
        .order(&[(0, 1)])
        .makes(&["docs/repl.md", "src/repl.py"]),
        reading(
            "Review src/slug.js for security problems and write what you find into reviews/security.md, don't fix anything",
            &["Review src/slug.js"],
        )
        .makes(&["reviews/security.md"]),
        reading(
            "Investigate why src/calc.py is slow and put your findings into docs/slow.md",
            &["Investigate why"],
        )
        .makes(&["docs/slow.md"]),
        reading("Audit src/cli.py and record the results in audit.md", &["Audit src/cli.py"])
            .makes(&["audit.md"]),
        reading(
            "Explain how src/calc.py works in docs/calc.md",
            &["Explain how src/calc.py works"],
        )
        .makes(&["docs/calc.md"]),
        reading(
            "Compare three CSV libraries. Write the results to docs/csv.md.",
            &["Compare three CSV libraries"],
        )
        .makes(&["docs/csv.md"]),
        reading(
            "Check src/calc.py for float bugs; summarize what you find in notes/float.md.",
            &["Check src/calc.py"],
        )
        .makes(&["notes/float.md"]),
        reading(
            "Create two guides (docs/install.md and docs/upgrade.md).",
            &["Create two guides (docs/install.md and docs/upgrade.md)"],
        )
        .makes(&["docs/install.md", "docs/upgrade.md"]),
        reading("Write up a comparison of the two parsers as docs/parsers.md", &["comparison"])
            .makes(&["docs/parsers.md"]),
        reading(
            "Add a German translation (README.de.md) and a French one (README.fr.md)",
            &["README.de.md"],
        )
        .makes(&["README.de.md", "README.fr.md"]),
        reading("Create a page for newcomers (docs/start.md) and link it in README.md", &["docs/start.md", "link it"])
            .makes(&["docs/start.md"])
            .changes(&["README.md"]),
    ]);
}

#[test]
fn criteria_in_a_request_are_checked() {
    const LIMITS: &str = "README.md has a section \"Limits\"";
    const MARKS: &str = "src/calc.py lacks \"TODO\"";
    all_are_right(&[
        reading("README.md contains a section \"Limits\"", &["README.md contains"]).criteria(&[LIMITS]),
        reading(
            "README.md should contain a section \"Limits\". src/calc.py must not contain \"TODO\".",
            &["README.md should contain"],
        )
        .criteria(&[LIMITS, MARKS]),
        reading(
            "Add a REPL; README.md should contain a section \"Limits\", and src/calc.py must not contain \"TODO\"",
            &["Add a REPL"],
        )
        .criteria(&[LIMITS, MARKS]),
        reading(
            "Add unique slugs to src/slug.js\n\n## Acceptance criteria\n\n\
             - [ ] README.md contains a section \"Limits\"\n- [ ] src/calc.py must not contain \"TODO\"\n",
            &["Add unique slugs"],
        )
        .criteria(&[LIMITS, MARKS]),
        reading(
            "1. Add sqrt to src/calc.py\n2. README.md must contain a section \"Limits\"\n3. src/calc.py must not contain \"TODO\"",
            &["Add sqrt"],
        )
        .criteria(&[LIMITS, MARKS]),
        reading(
            "Please make sure that README.md contains a section \"Limits\" and that src/calc.py must not contain \"TODO\".",
            &["make sure"],
        )
        .criteria(&[LIMITS, MARKS]),
        reading("`README.md` must have a section `Limits`", &["README.md"]).criteria(&[LIMITS]),
        reading(
            "Add sqrt to src/calc.py, and README.md must contain a section \"Limits\".",
            &["Add sqrt to src/calc.py"],
        )
        .criteria(&[LIMITS]),
    ]);
}

#[test]
fn an_order_is_kept_as_it_is_said() {
    all_are_right(&[
        reading(
            "Refactor src/calc.py in parallel with writing docs/calc.md; after both, update the changelog.",
            &["Refactor src/calc.py", "docs/calc.md", "pdate the changelog"],
        )
        .beside(&[(0, 1)])
        .order(&[(0, 2), (1, 2)])
        .makes(&["docs/calc.md", "CHANGELOG.md"]),
        reading(
            "Implement sub in src/sub.py and mul in src/mul.py in parallel, then describe them in docs/usage.md",
            &["sub in src/sub.py", "mul in src/mul.py", "escribe them"],
        )
        .beside(&[(0, 1)])
        .order(&[(0, 2), (1, 2)])
        .makes(&["src/sub.py", "src/mul.py"]),
        reading(
            "Add a parser in src/parse.py, a printer in src/print.py and a lexer in src/lex.py at the same time. When all are done, write docs/parts.md.",
            &["parser in src/parse.py", "printer in src/print.py", "lexer in src/lex.py", "docs/parts.md"],
        )
        .beside(&[(0, 1), (0, 2), (1, 2)])
        .order(&[(0, 3), (1, 3), (2, 3)])
        .makes(&["src/parse.py", "src/print.py", "src/lex.py", "docs/parts.md"]),
        reading(
            "Fix src/calc.py and refactor src/cli.py side by side. Once both are finished, document them in docs/usage.md.",
            &["Fix src/calc.py", "efactor src/cli.py", "ocument them"],
        )
        .beside(&[(0, 1)])
        .order(&[(0, 2), (1, 2)]),
    ]);
}

#[test]
fn what_waits_for_a_persons_word_has_an_approval_before_it() {
    for (request, titles, approval) in [
        (
            "Do not write tests until the design in docs/design.md is approved by me",
            &["esign", "", "tests"][..],
            1,
        ),
        (
            "Write a design in docs/repl.md. Once I approve it, implement it in src/repl.py.",
            &["design", "", "mplement it"],
            1,
        ),
        (
            "Design the cache in docs/cache.md, and after my approval build it in src/cache.py",
            &["Design the cache", "", "build it"],
            1,
        ),
        (
            "Write docs/design.md and once I approve it implement divide in calc.js",
            &["docs/design.md", "", "mplement divide"],
            1,
        ),
        (
            "Write a design in docs/design.md, then after I approve it add divide to calc.js",
            &["design", "", "dd divide"],
            1,
        ),
        (
            "Write a design in docs/design.md, then, after I approve, add divide to calc.js",
            &["design", "", "dd divide"],
            1,
        ),
        (
            "Write docs/design.md. After I approve it add divide to calc.js.",
            &["docs/design.md", "", "dd divide"],
            1,
        ),
        (
            "Fix src/main.rs. Wait for my ok before you delete src/old.rs.",
            &["Fix src/main.rs", "", "Delete src/old.rs"],
            1,
        ),
        (
            "Migrate the database to Postgres. Ask me before you deploy it.",
            &["Migrate the database", "", "Deploy it"],
            1,
        ),
        (
            "Bump the version. Please don't publish it until we have approved it.",
            &["Bump the version", "", "Publish it"],
            1,
        ),
        (
            "Rewrite src/calc.py. Do not deploy it before I have approved it.",
            &["Rewrite src/calc.py", "", "eploy it"],
            1,
        ),
    ] {
        let planned = planned(request);
        let tasks = &planned.plan.tasks;
        assert_eq!(tasks.len(), titles.len(), "{request}: {tasks:#?}");
        for (task, title) in tasks.iter().zip(titles) {
            let is_said = task.title.to_lowercase().contains(&title.to_lowercase());
            assert!(is_said, "{request}: {}", task.title);
        }
        let ids: Vec<&str> = tasks.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(tasks[approval].kind, TaskKind::Approval, "{request}");
        let waits = |at: usize| outline(&tasks[at]);
        assert!(
            waits(1).ends_with(&format!("< {}", ids[0])),
            "{request}: {}",
            waits(1)
        );
        assert!(waits(2).contains(ids[1]), "{request}: {}", waits(2));
    }
}

#[test]
fn what_the_product_approves_waits_for_nobody() {
    for request in [
        "Add a parser in src/parse.rs. Notify the author in src/mail.rs once the proposal is approved.",
        "Fix src/queue.rs. Send a mail from src/mail.rs after the draft is approved.",
    ] {
        let planned = planned(request);
        let tasks = planned.plan.tasks.iter();
        let mut approvals = tasks.filter(|it| it.kind == TaskKind::Approval);
        assert!(approvals.next().is_none(), "{request}");
    }
}

#[test]
fn what_is_said_of_all_items_is_bounded() {
    let mut request = "- a b c\n".repeat(90);
    request.push_str(&"Each with tests of something.\n".repeat(1_000));
    let read = request::read(&request);
    let text: usize = read.parts.iter().map(|part| part.text.len()).sum();
    assert!(text < request.len(), "{text}");
}

#[test]
fn a_condition_makes_no_criterion() {
    let request = "Unless the user opts out, README.md must contain \"limit\".";
    let stated = crate::stated::of(&request::read(request));
    assert!(stated.is_empty(), "{stated:?}");
}

#[test]
fn what_is_stated_of_a_file_is_somebodys_work() {
    for request in [
        "1) add divide to calc.js 2) test it in test/div.test.js 3) README.md contains \"divide\"",
        "Add multiply to calc.js, README.md contains \"multiply\"",
        "Add multiply to calc.js, and README.md contains a section \"Multiply\"",
    ] {
        let planned = planned(request);
        let is_of_readme = |it: &Criterion| it.to_string().contains("README.md");
        assert!(planned.plan.criteria.iter().any(is_of_readme), "{request}");
        let mut tasks = planned.plan.tasks.iter();
        assert!(
            tasks.any(|task| task.criteria.iter().any(is_of_readme)),
            "{request}: {:#?}",
            planned.plan.tasks
        );
    }
}

#[test]
fn a_negation_takes_away_what_it_says_and_no_more() {
    all_are_right(&[
        reading(
            "I do not want you to write documentation. I want a function unslug() in src/unslug.js.",
            &["function unslug() in src/unslug.js"],
        )
        .makes(&["src/unslug.js"]),
        reading(
            "We don't want you to add tests. Please add sqrt to src/calc.py.",
            &["dd sqrt to src/calc.py"],
        ),
        reading(
            "We don't want tests that are slow; write fast tests for div",
            &["rite fast tests for div"],
        ),
        reading(
            "I don't need docs which nobody reads. Write a short guide to the flags.",
            &["Write a short guide to the flags"],
        )
        .makes(&["docs/write-short-guide-flags.md"]),
        reading(
            "No tests that need the network, please. Add tests for src/slug.js.",
            &["Add tests for src/slug.js"],
        ),
        reading("Add tests for everything except div", &["Add tests for everything except div"]),
        reading("Add tests for all operators but power", &["Add tests for all operators but power"]),
        reading(
            "Rename all functions apart from main in src/cli.py",
            &["Rename all functions apart from main"],
        ),
    ]);
}

#[test]
fn a_file_that_must_stay_is_found_by_its_name() {
    let planned = planned("Refactor everything in src/ but old.rs");
    let task = &planned.plan.tasks[0];
    assert!(!may(task, "src/old.rs"), "{task:#?}");
    assert!(may(task, "src/main.rs"), "{task:#?}");
}

#[test]
fn what_an_exception_saves_is_in_the_criterion() {
    let planned = answer_with("Add tests for everything except div", |facts| {
        facts.tests = None
    });
    let Answer::Planned(planned) = planned else {
        panic!("{planned:?}");
    };
    let said = "everything that was asked for is done: Add tests for everything except div";
    assert_eq!(checks(&planned.plan.tasks[0]), [said]);
}

#[test]
fn a_request_in_another_language_has_no_role_by_one_word() {
    for text in [
        "Füge eine Funktion unslug hinzu, ohne Tests",
        "Ajoute une fonction unslug au module, sans documentation",
        "Bitte die Dokumentation der Schnittstelle überarbeiten",
        "Añade una opción para el separador con tests",
    ] {
        let proposal = match answer(text) {
            Answer::Planned(planned) => planned.plan,
            Answer::Declined(declined) => declined.proposal,
        };
        let [task] = &proposal.tasks[..] else {
            panic!("{text}: {proposal:#?}");
        };
        assert_eq!(task.role().as_deref(), Some("development"), "{text}");
        assert!(task.description.contains(text), "{text}");
        assert_eq!(task.deliverables, [], "{text}");
    }
}
