use super::*;

mod asked;
mod figures;

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
