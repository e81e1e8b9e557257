use super::*;

pub(super) mod sources;

fn approach(text: &str) -> Approach {
    assess_text(text, &Repository::default()).approach
}

fn told(text: &str) -> String {
    let assessment = assess_text(text, &Repository::default());
    let rules: Vec<&str> = assessment.rules.iter().map(|fired| fired.rule).collect();
    format!(
        "{text}\n  {} by {}",
        assessment.approach.word(),
        rules.join(", ")
    )
}

fn similar(files: u64) -> Similar {
    Similar {
        title: "Paginate the users".into(),
        files,
        words: vec!["paginate".into()],
    }
}

fn count(name: &str, files: u64) -> Count {
    Count {
        name: name.into(),
        files,
    }
}

/// Facts of the repository turn requests whose words say nothing.
#[test]
fn the_repository_has_a_say() {
    let of = |text: &str, repository: &Repository| assess_text(text, repository).approach;
    let large = Repository {
        files: 900,
        similar: vec![similar(6), similar(9), similar(5)],
        ..Repository::default()
    };
    let text = "Paginate the orders";
    assert_eq!(of(text, &Repository::default()), Approach::Direct);
    assert_eq!(of(text, &large), Approach::Plan);
    // Two changes are chance.
    let few = Repository {
        similar: vec![similar(6), similar(9)],
        ..large.clone()
    };
    assert_eq!(of(text, &few), Approach::Direct);
    // A place that is named outranks what similar changes took.
    assert_eq!(
        of("Paginate the orders in src/orders.rs", &large),
        Approach::Direct
    );
    // A folder means its files.
    let folder = Repository {
        files: 900,
        named: vec![count("src/api/", 40)],
        ..Repository::default()
    };
    assert_eq!(of("Rename the id in src/api/", &folder), Approach::Plan);
}

/// Every rule fires for some request; what is in the table and never fires is dead.
#[test]
fn every_rule_fires() {
    let large = Repository {
        similar: vec![similar(6), similar(9), similar(5)],
        ..Repository::default()
    };
    let mut left: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let mut texts = sources::texts();
    texts.extend([
        "Rename it in 12 files",
        "Refactor and rename options, with tests and support for features; it takes two hours",
        "Integrate with the external API of the bank",
        "Paginate the orders",
        "Write the importer, about 800 lines",
        "Write the importer, about 80 lines",
        "Rewrite the flag parsing, it should take 25 minutes",
    ]);
    for text in texts {
        for fired in assess_text(text, &large).rules {
            left.retain(|rule| *rule != fired.rule);
            assert!(!fired.because.is_empty(), "{}: {text}", fired.rule);
        }
    }
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn lines_of_a_change_that_are_stated_count() {
    let lines = |text: &str| assess_text(text, &Repository::default()).facts.lines_stated;
    for (text, expected) in [
        ("Write the importer, about 800 lines", Some(800)),
        ("Write the importer (roughly 800 lines)", Some(800)),
        (
            "Write the importer. It is probably around 1,200 lines",
            Some(1_200),
        ),
        ("Write the importer in 800 lines of code", Some(800)),
        ("An 800-line change: write the importer", Some(800)),
        ("Write the importer, 800 LOC", Some(800)),
        // Of something else, or a place.
        ("Truncate the log to about 100 lines", None),
        ("Fix the crash in the 900-line parser", None),
        ("Show the first 20 lines of the file", None),
        ("Fix the bug in src/a.rs line 42", None),
    ] {
        assert_eq!(lines(text), expected, "{text}");
    }
}

/// G1's figures, and T1's where both speak.
#[test]
fn what_is_stated_to_be_small_is_not_split_and_what_is_long_is_advised_to_be() {
    for (text, expected) in [
        ("Rework the importer", Approach::Direct),
        ("Rework the importer, about 499 lines", Approach::Direct),
        ("Rework the importer, about 500 lines", Approach::Plan),
        // T1: it names the place, of which no more than three files are.
        (
            "Rework the importer in src/import.rs, about 800 lines",
            Approach::Direct,
        ),
        (
            "Add a limit with tests, a security audit and docs",
            Approach::Plan,
        ),
        (
            "Add a limit with tests, a security audit and docs, about 99 lines",
            Approach::Direct,
        ),
        (
            "Add a limit with tests, a security audit and docs, about 100 lines",
            Approach::Plan,
        ),
        (
            "Add a limit with tests, a security audit and docs; it takes 14 minutes",
            Approach::Direct,
        ),
        (
            "Add a limit with tests, a security audit and docs; it takes 15 minutes",
            Approach::Plan,
        ),
        // T1 counts four files, 30 minutes and 20,000 tokens as large, whatever the lines are.
        ("Rename the id in 12 files, about 50 lines", Approach::Plan),
        (
            "Tune the scheduler, about 50 lines; it takes two hours",
            Approach::Plan,
        ),
        // A figure of something else says nothing of the request.
        (
            "Build login, write docs, add tests, audit security, deploy it. The build takes 12 minutes",
            Approach::Plan,
        ),
        (
            "Show about 50 lines of code in the preview; add tests, write docs and audit security",
            Approach::Plan,
        ),
        // Several workflows are no matter of size.
        (
            "Build an entire company with all its departments; it takes 10 minutes",
            approach("Build an entire company with all its departments"),
        ),
    ] {
        assert_eq!(approach(text), expected, "{}", told(text));
    }
}

/// T1 in the other direction: little time, nothing outside, a clear instruction.
#[test]
fn what_is_simple_has_rules_that_say_so() {
    let fires = |text: &str, rule: &str| {
        let assessment = assess_text(text, &Repository::default());
        assessment.rules.iter().any(|fired| fired.rule == rule)
    };
    for (text, rule, expected) in [
        ("Rewrite the flags; it takes 30 minutes", "short-work", true),
        (
            "Rewrite the flags; it takes 31 minutes",
            "short-work",
            false,
        ),
        (
            "Rewrite the flags; it needs 20,000 tokens",
            "short-work",
            false,
        ),
        (
            "Rewrite the flags, about 20,000 tokens of work",
            "short-work",
            true,
        ),
        (
            "Rewrite the flags, about 20,001 tokens of work",
            "short-work",
            false,
        ),
        // A shorter time has a rule of its own, and a time of something else says nothing.
        (
            "Rewrite the flags; it takes 10 minutes",
            "short-work",
            false,
        ),
        ("The build takes 25 minutes. Fix it", "short-work", false),
        ("Rewrite the flags", "self-contained", true),
        (
            "Rewrite the flags for the external API",
            "self-contained",
            false,
        ),
        (
            "Rewrite the flags, then document them",
            "self-contained",
            false,
        ),
        ("Rewrite src/flags.rs", "clear-instruction", true),
        ("Rename `verbose` to loud", "clear-instruction", true),
        ("Rename the label to \"loud\"", "clear-instruction", true),
        ("Rewrite the flags", "clear-instruction", false),
        (
            "Rewrite src/flags.rs, then document them",
            "clear-instruction",
            false,
        ),
    ] {
        assert_eq!(fires(text, rule), expected, "{rule}: {}", told(text));
    }
    // What it takes outranks what it only resembles.
    for (text, expected) in [
        (
            "Rewrite the flag parsing, it should take 25 minutes",
            Approach::Direct,
        ),
        (
            "Rewrite the flag parsing, it should take 31 minutes",
            Approach::Plan,
        ),
        ("Add OAuth2 to the API", Approach::Plan),
        (
            "Add OAuth2 to the API; it takes 25 minutes",
            Approach::Direct,
        ),
        // Nor what is firm.
        (
            "Add a limit with tests, a security audit and docs; it takes 25 minutes",
            Approach::Plan,
        ),
    ] {
        assert_eq!(approach(text), expected, "{}", told(text));
    }
}

/// Each figure is a setting: another one gives another verdict.
#[test]
fn another_figure_gives_another_verdict() {
    let usual = Sizes::USUAL;
    for (text, sizes, expected) in [
        (
            "Rename it in 4 files",
            Sizes {
                files_max: 4,
                ..usual
            },
            Approach::Direct,
        ),
        (
            "Rename it in 3 files",
            Sizes {
                files_max: 2,
                ..usual
            },
            Approach::Plan,
        ),
        (
            "Tune the cache; it takes 31 minutes",
            Sizes {
                ms_max: 31 * 60_000,
                ..usual
            },
            Approach::Direct,
        ),
        (
            "Tune the cache; it takes 21,000 tokens of work",
            Sizes {
                tokens_max: 21_000,
                ..usual
            },
            Approach::Direct,
        ),
        (
            "Rework the importer, about 500 lines",
            Sizes {
                lines_advised: 501,
                ..usual
            },
            Approach::Direct,
        ),
        (
            "Add a limit with tests, a security audit and docs, about 99 lines",
            Sizes {
                split_lines_min: 99,
                ..usual
            },
            Approach::Plan,
        ),
        (
            "Add a limit with tests, a security audit and docs; it takes 14 minutes",
            Sizes {
                split_ms_min: 14 * 60_000,
                ..usual
            },
            Approach::Plan,
        ),
    ] {
        let other = assess(&request::read(text), &Repository::default(), &sizes);
        assert_eq!(other.approach, expected, "{text}");
        assert_ne!(approach(text), expected, "{}", told(text));
    }
    // What a rule says has the figure by which it fired.
    let sizes = Sizes {
        files_max: 7,
        tokens_max: 900,
        ..usual
    };
    let says = |text: &str| {
        let reasons = assess(&request::read(text), &Repository::default(), &sizes).reasons;
        reasons.join(" ")
    };
    assert!(says("Rename it in 8 files").contains("It means more than 7 files (8 files)."));
    let long = says("Tune the cache; it takes 2 hours");
    assert!(
        long.contains("more than 30 minutes or 900 tokens of work"),
        "{long}"
    );
    for rule in RULES {
        let told = rules::told(rule.says, &usual);
        assert!(!told.contains(['{', '}']), "{told}");
    }
}

/// The weakest rule is told by what the score is made of: what is not to be done is in neither.
#[test]
fn what_is_excluded_is_no_reason() {
    let text =
        "Refactor, rename and move the options, with support for features; do not write tests";
    let assessment = assess_text(text, &Repository::default());
    let worded = { assessment.rules.iter() }.find(|fired| fired.rule == "worded-like-large");
    let because = &worded.expect("it is worded like that").because;
    assert!(because.contains(&"reshape".to_owned()), "{because:?}");
    assert!(!because.contains(&"tests".to_owned()), "{because:?}");
}

#[test]
fn how_sure_it_is_follows_from_what_fired() {
    for (text, certainty) in [
        (
            "Fix bug in dashboard/server/index.js line 42",
            Certainty::Sure,
        ),
        (
            "Add authentication system with security audit and docs",
            Certainty::Sure,
        ),
        ("Paginate the orders", Certainty::Likely),
        // The place is named, and something outside is too.
        (
            "Fix src/parser.py to call the external API of the bank",
            Certainty::Likely,
        ),
        ("Add OAuth2 to the API", Certainty::Likely),
        (
            "Quick fix: audit the login, then document it and deploy it",
            Certainty::Unsure,
        ),
    ] {
        let assessment = assess_text(text, &Repository::default());
        assert_eq!(assessment.certainty, certainty, "{}", told(text));
        let is_firm = text.contains("external API");
        assert_eq!(
            against(&assessment),
            certainty == Certainty::Unsure || is_firm,
            "{}",
            told(text)
        );
    }
    // Who is not sure says what speaks against it.
    for text in sources::texts() {
        let assessment = assess_text(text, &Repository::default());
        let is_unsure = assessment.certainty == Certainty::Unsure;
        assert!(!is_unsure || against(&assessment), "{}", told(text));
    }
}

fn against(assessment: &Assessment) -> bool {
    let mut reasons = assessment.reasons.iter();
    reasons.any(|reason| reason.starts_with("Against it: "))
}

/// Words that only resemble those of large changes decide nothing, are told as what they are, and
/// lead to the question that decides.
#[test]
fn what_a_mistake_would_cost_is_asked_where_nothing_else_decides() {
    const DOUBTFUL: &str = "Introduce new options";
    let none = Repository::default();
    let assessment = assess_text(DOUBTFUL, &none);
    assert_eq!(assessment.approach, Approach::Direct, "{}", told(DOUBTFUL));
    assert_eq!(
        assessment.certainty,
        Certainty::Unsure,
        "{}",
        told(DOUBTFUL)
    );
    let fitted = assessment
        .reasons
        .iter()
        .any(|it| it.contains("fitted to commits"));
    assert!(fitted, "{:?}", assessment.reasons);
    let [question] = &assessment.questions[..] else {
        panic!("one question: {:?}", assessment.questions);
    };
    assert_eq!(question.name, "stakes");
    let request = request::read(DOUBTFUL);
    let answered = |answer: &str| {
        let answer = Some(answer.to_owned()).filter(|it| !it.is_empty());
        let (text, settled) = settle(&request, &[(question.clone(), answer)]);
        assert_eq!(settled.len(), 1);
        assess_text(&text, &none)
    };
    for no in ["", "no", "yesterday it did", "I doubt it"] {
        let assessment = answered(no);
        assert_eq!(assessment.request, DOUBTFUL, "{no}");
    }
    for yes in ["yes", "Y", "yes, customers depend on it"] {
        let assessment = answered(yes);
        assert_eq!(assessment.approach, Approach::Plan, "{yes}");
        let dear = |it: &&Fired| it.rule == "error-is-dear";
        assert!(assessment.rules.iter().any(|it| dear(&it)), "{yes}");
        assert!(assessment.questions.is_empty(), "{yes}");
    }
    // Nothing is asked where the request says it, or something firm decides.
    for text in [
        "Fix bug in dashboard/server/index.js line 42",
        "Paginate the orders",
    ] {
        assert_eq!(assess_text(text, &none).questions, [], "{text}");
    }
}

/// What speaks against several workflows is named like what speaks for them.
#[test]
fn each_counter_reason_is_a_rule_of_the_decision() {
    for (place, rule) in [
        ("one goal", "one-goal"),
        ("only stages", "only-stages"),
        ("shared state", "shared-state"),
        ("one pattern", "one-pattern"),
    ] {
        let place = format!("when not to have several workflows, {place}");
        let texts = sources::texts_of(&place);
        assert_eq!(texts.len(), 4, "{place}");
        for text in texts {
            let assessment = assess_text(text, &Repository::default());
            let found = assessment.rules.iter().map(|it| it.rule);
            let found: Vec<&str> = found.collect();
            assert!(found.contains(&rule), "{rule}: {}", told(text));
            let kept = assessment.kept();
            let told_so = kept
                .reasons
                .iter()
                .any(|it| it.starts_with("One workflow is enough"));
            assert!(told_so, "{:?}", kept.reasons);
        }
    }
    // Said beside what keeps two apart, it is not clear which is meant.
    let both = assess_text(
        "Build a chat and a nightly report that must not share state, in one conversation",
        &Repository::default(),
    );
    assert_eq!(
        (both.approach, both.certainty),
        (Approach::Pack, Certainty::Unsure)
    );
    assert!(against(&both), "{:?}", both.reasons);
}

#[test]
fn what_is_open_is_asked_with_a_default() {
    let names = |text: &str, repository: &Repository| -> Vec<&'static str> {
        let questions = assess_text(text, repository).questions;
        assert!(questions.len() <= QUESTIONS_MAX);
        assert!(
            questions
                .iter()
                .all(|question| !question.default.is_empty())
        );
        questions.iter().map(|question| question.name).collect()
    };
    let none = Repository::default();
    for (text, expected) in [
        ("Fix it", vec!["referent"]),
        ("Make this faster", vec!["referent", "measure"]),
        ("Migrate the database", vec!["target"]),
        ("Cache sessions in Redis or Memcached", vec!["alternative"]),
        ("Refactor the API layer, then deploy", vec!["destination"]),
        ("Add search, sorting, etc.", vec!["open-list"]),
        ("Make the search better", vec!["measure"]),
        // Its words are those of large changes, and nothing else decides.
        ("Rename the flag; it is unclear", vec!["stakes"]),
    ] {
        assert_eq!(names(text, &none), expected, "{text}");
    }
    for text in [
        "Fix the crash in src/a.rs",
        "Migrate the database to Postgres",
        "Deploy the site to staging",
        "Make the search faster: under 100 ms",
        "Add search or filter by date",
    ] {
        assert_eq!(names(text, &none), Vec::<&str>::new(), "{text}");
    }
    let repository = Repository {
        files: 3,
        named: vec![count("src/gone.rs", 0)],
        ..Repository::default()
    };
    assert_eq!(
        names("Fix the crash in src/gone.rs", &repository),
        ["missing-file"]
    );
    // What is made, or where something goes, need not be there.
    for text in [
        "Add a parser in src/gone.rs",
        "Move src/a.rs to src/gone.rs and fix all imports",
        "Split src/a.rs into src/gone.rs and src/b.rs",
        "Review src/a.rs and write what you find into src/gone.rs",
        "Add a parser in src/gone.rs, then refactor src/gone.rs",
        "Update src/a.rs. src/gone.rs should contain \"parse\".",
        "- `parse()` in src/gone.rs\n- Fix src/a.rs",
    ] {
        assert!(names(text, &repository).is_empty(), "{text}");
    }
    assert_eq!(
        names("Move src/gone.rs to src/b.rs", &repository),
        ["missing-file"]
    );
}

/// However much is open, few questions are asked.
#[test]
fn of_many_ambiguities_the_first_are_asked_about() {
    let open = "Fix it: migrate the database, use Redis or Memcached, deploy, make it faster, etc.";
    let of = |text: &str| assess_text(text, &Repository::default()).questions;
    let alone = [
        "Fix it",
        "Migrate the database",
        "Use Redis or Memcached for the cache",
        "Deploy",
        "Make it faster",
    ];
    let many = alone.iter().filter(|text| !of(text).is_empty()).count();
    assert!(many > QUESTIONS_MAX, "{many}");
    assert_eq!(of(open).len(), QUESTIONS_MAX, "{:#?}", of(open));
}

#[test]
fn an_answer_stands_in_the_text_as_if_it_had_been_said_at_first() {
    let taken = |text: &str, answer: Option<&str>| {
        let request = request::read(text);
        let questions = assess(&request, &Repository::default(), &Sizes::USUAL).questions;
        let answered = questions
            .into_iter()
            .map(|it| (it, answer.map(str::to_owned)));
        let answered: Vec<_> = answered.collect();
        let (text, settled) = settle(&request, &answered);
        assert_eq!(settled.len(), answered.len());
        for it in &settled {
            let is_no = answer.is_some_and(|answer| answer.starts_with("No"));
            assert_eq!(it.is_assumed, answer.is_none() || is_no);
            assert!(!it.answer.is_empty());
        }
        text
    };
    for (text, answer, expected) in [
        ("Fix it", None, "Fix the whole repository"),
        ("Fix it.", Some("the\n parser"), "Fix the parser."),
        (
            "Migrate the database.",
            Some("Postgres"),
            "Migrate the database to Postgres.",
        ),
        (
            "Migrate the database",
            None,
            "research what to migrate the database, then Migrate the database",
        ),
        (
            "Cache sessions in Redis or Memcached, with tests",
            None,
            "Cache sessions in Redis, with tests",
        ),
        (
            "Cache sessions in Redis or Memcached",
            Some("SQLite"),
            "Cache sessions in SQLite",
        ),
        (
            "Refactor the API layer, then deploy",
            Some("staging"),
            "Refactor the API layer, then deploy to staging",
        ),
        (
            "Refactor the API layer, then deploy",
            None,
            "Refactor the API layer, then describe the deployment",
        ),
        (
            "Refactor the API layer, then deploy",
            Some("No."),
            "Refactor the API layer, then describe the deployment",
        ),
        (
            "Refactor the fetcher, the parser, etc",
            Some("the lexer"),
            "Refactor the fetcher, the parser, the lexer",
        ),
        (
            "Deploy the sketched app",
            None,
            "describe the deployment of the sketched app",
        ),
        (
            "Add search, sorting, etc.",
            Some("and filters"),
            "Add search, sorting, and filters.",
        ),
        (
            "Make the search better, with tests.",
            Some("p95 below 1 s"),
            "Make the search better, measured by p95 below 1 s, with tests.",
        ),
        (
            "Make the search better",
            Some("p95 below 1 s, and fewer misses"),
            "Make the search better, measured by \"p95 below 1 s, and fewer misses\"",
        ),
        // An empty answer is none.
        ("Make the search better", None, "Make the search better"),
    ] {
        assert_eq!(taken(text, answer), expected, "{text}");
    }
    // Who migrates without a target gets the research that the default promises.
    let research = taken("Migrate the database", None);
    let parts = request::read(&research).parts;
    assert_eq!(parts.len(), 2, "{parts:#?}");
    assert_eq!(parts[1].after, [0]);
}

#[test]
fn a_run_keeps_an_assessment_in_its_words() {
    let repository = Repository {
        files: 3,
        languages: vec![count("Rust", 2)],
        largest_named_bytes: 12_000,
        ..Repository::default()
    };
    let kept = assess_text("Fix the parser in src/a.rs, then test it", &repository).kept();
    assert_eq!(kept.approach, "plan");
    assert!(!kept.reasons.is_empty() && !kept.rules.is_empty());
    let says = |words: &str| kept.facts.iter().any(|fact| fact.contains(words));
    for words in [
        "2 parts for ",
        "parts wait for others",
        "3 files, mostly Rust",
        "it names 1 file, the longest of 12 KiB",
    ] {
        assert!(says(words), "{words}: {:#?}", kept.facts);
    }
}

#[test]
fn workflows_are_named_in_the_shape_of_the_source() {
    let selection = |text: &str| assess_text(text, &Repository::default()).pattern_selection;
    let passes =
        selection("Create an entire platform with auth, billing, admin, analytics").unwrap();
    assert!(passes.is_multi_workflow);
    let names: Vec<&str> = passes
        .workflows
        .iter()
        .map(|workflow| workflow.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "AuthWorkflow",
            "BillingWorkflow",
            "AdminWorkflow",
            "AnalyticsWorkflow"
        ]
    );
    assert_eq!(
        passes.workflows[0].role,
        divisi_core::intent::WorkflowRole::Primary
    );
    assert_eq!(passes.pack_name, "PlatformPack");
    let saas = selection("Build me a SaaS").unwrap();
    assert_eq!(saas.workflows.len(), 5);
    let pack = selection("Create a chatbot and a nightly job that exports its questions").unwrap();
    let shown: Vec<String> = pack
        .workflows
        .iter()
        .map(|workflow| {
            format!(
                "{} {:?} {}",
                workflow.name, workflow.role, workflow.pattern_id
            )
        })
        .collect();
    assert_eq!(
        shown,
        ["ChatWorkflow Primary 1", "BatchWorkflow Independent 6"]
    );
    assert!(pack.decomposition_reason.is_some());
    assert_eq!(
        selection("Add authentication system with security audit and docs"),
        None
    );
}

#[test]
fn what_does_not_run_yet_is_said() {
    for (text, says) in [
        ("Build me a SaaS", "several passes does not run yet"),
        (
            "Create a chatbot and a nightly job that exports its questions",
            "do not run yet",
        ),
    ] {
        let assessment = assess_text(text, &Repository::default());
        assert_eq!(assessment.executed_as, Approach::Plan);
        assert!(
            assessment
                .reasons
                .iter()
                .any(|reason| reason.contains(says)),
            "{text}"
        );
    }
}

/// Where a pack's words do not tell its parts apart, nobody is told of a plan that will not be.
#[test]
fn a_pack_is_executed_as_what_its_words_give() {
    for (text, executed_as, says) in [
        (
            "Create a finance assistant and a marketing assistant, strictly separated",
            Approach::Plan,
            "it is executed as a plan instead",
        ),
        (
            "Build a chat and a nightly report that must not share state, and document it",
            Approach::Plan,
            "it is executed as a plan instead",
        ),
        (
            "Build high-volume intake flows that are isolated from the admin tooling",
            Approach::Direct,
            "unless an agent plans it, it is executed as one task instead",
        ),
    ] {
        let assessment = assess_text(text, &Repository::default());
        assert_eq!(assessment.approach, Approach::Pack, "{text}");
        assert_eq!(assessment.executed_as, executed_as, "{text}");
        let mut reasons = assessment.reasons.iter();
        assert!(
            reasons.any(|it| it.contains(says)),
            "{text}: {assessment:#?}"
        );
    }
}

/// The same request, however often, gives the same bytes, and no text makes it panic.
#[test]
fn assessing_is_deterministic_for_any_text() {
    let corpus = sources::texts();
    for seed in 0..400 {
        let text = crate::dice::Dice(seed).mutated(&corpus);
        let first = serde_json::to_string(&assess_text(&text, &Repository::default()));
        let second = serde_json::to_string(&assess_text(&text, &Repository::default()));
        assert_eq!(first.unwrap(), second.unwrap(), "seed {seed}");
    }
}

/// The score of the words is the sum of the table.
#[test]
fn words_are_weighed_as_the_table_says() {
    let values = signals::signals("Fix typo in readme\n\n* a b\n* c d\n\nCloses #12 with tests");
    let named: Vec<&str> = signals::TABLE
        .iter()
        .zip(values)
        .filter(|(_, value)| *value > 0.0)
        .map(|(signal, _)| signal.name)
        .collect();
    let expected = [
        "small-matter",
        "documents",
        "fix",
        "items",
        "length",
        "issue",
        "tests",
        "title-length",
    ];
    assert_eq!(named, expected);
    let none = signals::score(&[0.0; signals::SIGNALS]);
    // 1 / (1 + e^0.17) and 1 / (1 + e^0.54).
    assert_eq!((none.files, none.domains), (0.458, 0.368));
    assert!(signals::score(&values).files < none.files);
}

#[test]
fn an_answer_stays_in_the_clause_that_it_is_put_into() {
    let taken = |text: &str, answer: &str| {
        let request = request::read(text);
        let questions = assess(&request, &Repository::default(), &Sizes::USUAL).questions;
        let answered: Vec<_> = questions
            .into_iter()
            .map(|it| (it, Some(answer.to_owned())))
            .collect();
        settle(&request, &answered).0
    };
    for (text, answer, expected) in [
        (
            "Migrate the database, with docs",
            "Postgres, then write tests",
            "Migrate the database to \"Postgres, then write tests\", with docs",
        ),
        (
            "Refactor the API layer, then deploy",
            "staging and \"prod\"",
            "Refactor the API layer, then deploy to \"staging and 'prod'\"",
        ),
    ] {
        let understood = taken(text, answer);
        assert_eq!(understood, expected);
        let parts = |text: &str| request::read(text).parts.len();
        assert_eq!(parts(&understood), parts(text), "{understood}");
    }
    // Nor does what is assumed become a part.
    let request = request::read("Make the start page better and deploy it");
    let questions = assess(&request, &Repository::default(), &Sizes::USUAL).questions;
    let answered: Vec<_> = questions.into_iter().map(|it| (it, None)).collect();
    let (understood, _) = settle(&request, &answered);
    let parts = request::read(&understood).parts;
    let parts: Vec<&str> = parts.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        parts,
        [
            "Make the start page better",
            "describe the deployment of it"
        ]
    );
}

#[test]
fn what_is_excluded_makes_a_request_no_larger() {
    let of = |text: &str| assess_text(text, &Repository::default());
    let bare = of("Add a flag to the scanner");
    for text in [
        "Add a flag to the scanner. Do not touch the docs.",
        "Add a flag to the scanner, but don't refactor the tests or the docs",
        "Add a flag to the scanner; leave src/api alone",
        "Add a flag to the scanner, and only touch src/scan.rs",
    ] {
        let more = of(text);
        assert_eq!(more.facts.domains, bare.facts.domains, "{text}");
        assert_eq!(more.facts.by_words, bare.facts.by_words, "{text}");
        assert_eq!(more.approach, bare.approach, "{text}");
    }
}

#[test]
fn who_wants_it_committed_is_told_what_commits_it() {
    let settled = |text: &str| settle(&request::read(text), &[]).1;
    for text in [
        "Fix the typo in README.md and commit",
        "Fix the typo in README.md, then commit it.",
        "Fix the typo in README.md. Commit the result.",
    ] {
        let settled = settled(text);
        assert_eq!(settled.len(), 1, "{text}");
        assert!(settled[0].is_assumed && settled[0].answer.contains("divisi merge"));
    }
    for text in [
        "Fix the commit message of the bot",
        "Add a commit hook, and commit messages in Dutch",
        "Fix the typo in README.md, but do not commit it",
    ] {
        assert_eq!(settled(text), [], "{text}");
    }
}

/// The figures of the document were measured on commits that are not here. So it says of which rules
/// they are: by what these say of texts of common words.
#[test]
fn the_figures_of_the_document_are_those_of_these_rules() {
    const DOCUMENT: &str = include_str!("../../../../docs/design/assessment.md");
    const VERBS: [&str; 16] = [
        "Add", "Allow", "Bump", "Change", "Clean up", "Document", "Fix", "Handle", "Improve",
        "Migrate", "Move", "Refactor", "Remove", "Support", "Test", "Update",
    ];
    const OBJECTS: [&str; 13] = [
        "a typo in the readme",
        "authentication",
        "crash in src/parser.rs",
        "new options",
        "`--json` option",
        "parse_query",
        "the API layer",
        "the CI workflow",
        "the docs",
        "the logger",
        "the tests",
        "the whole search engine",
        "unused imports everywhere",
    ];
    const REST: [&str; 9] = [
        "",
        ", with tests",
        " and the docs",
        " (closes #12)",
        "\n\n* one case\n* the other case\n",
        ", then deploy it",
        " in 5 files",
        ", about 600 lines",
        "\n\nIt is critical for our users.",
    ];
    // FNV-1a.
    let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
    for verb in VERBS {
        for object in OBJECTS {
            for rest in REST {
                let text = format!("{verb} {object}{rest}");
                let of = assess_text(&text, &Repository::default());
                let words = of.facts.by_words;
                let said = format!("{} {} {}\n", of.approach.word(), words.files, words.domains);
                for byte in said.bytes() {
                    digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
    }
    let mark = format!("<!-- figures of the rules {digest:016x} -->");
    assert!(
        DOCUMENT.contains(&mark),
        "the rules judge otherwise than when docs/design/assessment.md was measured: measure anew as it \
         says at its end, correct its figures, and write there: {mark}"
    );
}
