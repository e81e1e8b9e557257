//! The first minute with an agent: the README's first command, carried through to its report. Agents
//! review, each cites what it found where, and what is cited that is not there refuses its report.

use divisi_core::Criterion;
use divisi_core::run::{AttemptEnd, Failure, RunStatus};

use crate::found::{installed, working};
use crate::stage::{Stage, endings, stands, task, write};

const REVIEW: &str = "Review this repository: correctness, security, tests and documentation";

/// Each review with its file, and who makes it.
const REVIEWS: [(&str, &str); 4] = [
    (
        "functional-review.developer",
        "reviews/functional-review.md",
    ),
    (
        "security-review.security_analyst",
        "reviews/security-review.md",
    ),
    ("test-review.qa", "reviews/test-review.md"),
    ("documentation-review.tech_writer", "reviews/docs-review.md"),
];

/// It reads what it is told, and writes the report that it is asked for: with a place, `$line` and
/// what stands there, `$there`.
const REVIEWER: &str = r#"
told=$(head -n 1)
path=$(printf %s "$told" | grep -o 'reviews/[a-z]*-review.md' | head -n 1)
line=2 there='return eval(text)'
FIRST
mkdir -p reviews
cat > "$path" <<END
# What $path found

## Findings

- \`src/parser.py:$line\`: whatever is parsed is executed
  - there: \`$there\`

## Reviewed

- \`README.md:1\`

## Not reviewed

- Nobody looked at what $path says of load.
END
"#;

/// A project in which `claude` reviews, and does this first. Another agent is preferred and there, and
/// cannot log in.
fn reviewing(first: &str) -> Stage {
    let stage = Stage::git(&[
        ("README.md", "# A project\n"),
        ("src/parser.py", "def parse(text):\n    return eval(text)\n"),
        ("tests/test_parser.py", "def test_nothing():\n    pass\n"),
        ("divisi.yaml", "agents: {prefer: [codex, claude]}\n"),
    ]);
    installed(&stage, &["codex"]);
    let path = working(&stage, &REVIEWER.replace("FIRST", first));
    stage
        .with_env("PATH", &path)
        .with_env("ANTHROPIC_API_KEY", "sk-planted-123")
}

#[test]
fn agents_review_and_cite_and_the_report_says_who_did_what_and_what_nobody_did() {
    let stage = reviewing("");
    stage
        .divisi(&["run", REVIEW, "--yes"])
        .expect(0)
        .says("planned by rule, as the workflow code-review has it");
    let run = stage.only();
    let all = REVIEWS.map(|(id, _)| (id, "done"));
    stands(
        &run,
        RunStatus::Succeeded,
        &[&all[..], &[("report", "done")]].concat(),
    );
    for (id, path) in REVIEWS {
        let [ending] = endings(&run, id) else {
            panic!("{id} took more than one attempt");
        };
        assert_eq!(
            (&*ending.agent, &ending.end),
            ("claude", &AttemptEnd::Integrated)
        );
        assert!(
            task(&run, id).spec.criteria.contains(&Criterion::Cites {
                path: path.to_owned()
            }),
            "{id}"
        );
    }
    // One report has what each of them found, and what each did not look at.
    let report = stage.result("reviews/report.md").expect("it was made");
    for (_, path) in REVIEWS {
        for said in [
            format!("# What {path} found"),
            format!("- Nobody looked at what {path} says of load."),
        ] {
            assert!(report.contains(&said), "{said}: {report}");
        }
    }
    assert!(report.contains("- `src/parser.py:2`: whatever"), "{report}");
    let mut told = stage.divisi(&["report", "1"]).expect(0);
    for (id, _) in REVIEWS {
        told = told.says(&format!("| `{id}` | done | claude | 1 |"));
    }
    told.says("| `report` | done | compose |")
        .says("cites places, each of which is there")
        .says("## What was not verified")
        .says("what their reports cite stands there was checked, not whether it is a fault")
        .says("under \"Not reviewed\"")
        .says("not asked for, so not reviewed: performance");
}

#[test]
fn a_review_that_cites_what_is_not_there_is_refused_with_what_is_and_told_so() {
    // One is made up, and mended when it was told; one says what does not stand there.
    let stage = reviewing(
        r#"case "$told" in
  *"was refused"*) ;;
  *reviews/security-review.md*) line=40;;
  *reviews/test-review.md*) there='assert parse("1") == 1';;
esac"#,
    );
    stage.divisi(&["run", REVIEW, "--yes"]).expect(0);
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded);
    for (id, seen) in [
        (REVIEWS[1].0, "src/parser.py has no line 40, it has 2"),
        (REVIEWS[2].0, "src/parser.py:2 says \"return eval(text)\""),
    ] {
        let [first, second] = endings(&run, id) else {
            panic!("{id}: two attempts");
        };
        let AttemptEnd::Refused(Failure::Checks(verdicts)) = &first.end else {
            panic!("{id}: {:?}", first.end);
        };
        let is_seen = |evidence: &str| evidence.contains(seen);
        assert!(
            verdicts.iter().any(|it| is_seen(&it.evidence)),
            "{verdicts:?}"
        );
        assert_eq!(second.end, AttemptEnd::Integrated, "{id}");
    }
    let report = stage.result("reviews/report.md").expect("it was made");
    assert!(!report.contains("src/parser.py:40"), "{report}");
}

#[test]
fn a_reviewer_that_makes_its_findings_up_for_ever_ends_at_a_person_and_in_no_report() {
    let stage = reviewing(r#"case "$told" in *reviews/security-review.md*) line=40;; esac"#);
    write(stage.path("divisi.yaml"), "run: {failures_max: 2}\n");
    stage
        .divisi(&["run", REVIEW, "--yes"])
        .expect(3)
        .says("src/parser.py has no line 40, it has 2");
    let run = stage.only();
    let mut all = REVIEWS.map(|(id, _)| (id, "done")).to_vec();
    all[1].1 = "blocked";
    all.push(("report", "waiting"));
    stands(&run, RunStatus::Blocked, &all);
    assert_eq!(stage.result(REVIEWS[1].1), None);
    assert_eq!(stage.result("reviews/report.md"), None);
}

#[test]
fn a_reviewer_that_changes_what_it_reviews_is_refused() {
    let stage = reviewing(
        r#"case "$told" in
  *"was refused"*) printf 'def parse(text):\n    return eval(text)\n' > src/parser.py;;
  *reviews/security-review.md*) echo 'pass' >> src/parser.py;;
esac"#,
    );
    stage.divisi(&["run", REVIEW, "--yes"]).expect(0);
    let run = stage.only();
    let AttemptEnd::Refused(Failure::Checks(verdicts)) = &endings(&run, REVIEWS[1].0)[0].end else {
        panic!("{:?}", endings(&run, REVIEWS[1].0));
    };
    assert!(
        verdicts
            .iter()
            .any(|it| it.evidence.contains("src/parser.py")),
        "{verdicts:?}"
    );
    let parser = stage.result("src/parser.py").expect("it stays");
    assert_eq!(parser, "def parse(text):\n    return eval(text)\n");
}
