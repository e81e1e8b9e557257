//! What is open is asked, and what an answer does.

use super::*;

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
            "Migrate the database.",
            Some("To Postgres"),
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
