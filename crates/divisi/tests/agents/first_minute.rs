//! The first minute: the README's first command with an agent that can log in, up to its report.

use divisi_core::run::{AttemptEnd, Failure, RunStatus};

use crate::model::{Model, Rule};
use crate::script::writes;
use crate::stage::{endings, stands};
use crate::tool::{TOOLS, stage};

const REVIEW: &str = "Review this repository: correctness, security, tests and documentation";

/// Each review with the file that it is told to write.
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

/// Whoever is asked for this report, perhaps with more words, cites this line of the project's page.
fn reports(path: &str, more: &[&str], line: u32) -> Rule {
    let text = format!(
        "# Found\n\n## Findings\n\n- `README.md:{line}`: it says nothing of {path}\n  - there: \
         `# A project`\n\n## Reviewed\n\n- `README.md:1`\n\n## Not reviewed\n\n- what is behind {path}"
    );
    writes(
        &[&[path], more].concat(),
        &[(path, &text)],
        "I reviewed it.",
    )
}

#[test]
fn claude_reviews_the_repository_and_what_it_makes_up_is_refused() {
    let claude = TOOLS[0];
    let security = REVIEWS[1].1;
    // Its first audit cites a line that there is not.
    let mut rules = vec![
        reports(security, &["was refused", "README.md has no line 9"], 1),
        reports(security, &[], 9),
    ];
    rules.extend(REVIEWS.map(|(_, path)| reports(path, &[], 1)));
    let model = Model::start(rules);
    let stage = stage(claude, &model);
    let ran = stage.divisi(&["run", REVIEW, "--yes"]);
    let run = stage.only();
    let log = || {
        let logs = REVIEWS.map(|(id, _)| stage.divisi(&["logs", "run-1", id]).stdout);
        format!("{}\n{}\n{:#?}", ran.stderr, logs.join("\n"), model.seen())
    };
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", log());
    let mut all = REVIEWS.map(|(id, _)| (id, "done")).to_vec();
    all.push(("report", "done"));
    stands(&run, RunStatus::Succeeded, &all);
    let [first, second] = endings(&run, REVIEWS[1].0) else {
        panic!("two attempts: {}", log());
    };
    let AttemptEnd::Refused(Failure::Checks(verdicts)) = &first.end else {
        panic!("{:?}, {}", first.end, log());
    };
    let seen = "README.md has no line 9, it has 1";
    assert!(
        verdicts.iter().any(|it| it.evidence.contains(seen)),
        "{verdicts:?}"
    );
    assert_eq!(second.end, AttemptEnd::Integrated);
    let report = stage.result("reviews/report.md").expect("it was made");
    for (_, path) in REVIEWS {
        for said in [
            format!("it says nothing of {path}"),
            format!("what is behind {path}"),
        ] {
            assert!(report.contains(&said), "{said}: {report}");
        }
    }
    let mut told = stage.divisi(&["report", "1"]).expect(0);
    for (id, _) in REVIEWS {
        told = told.says(&format!("| `{id}` | done | {claude} |"));
    }
    told.says("## What was not verified")
        .says("under \"Not reviewed\"")
        .says("not asked for, so not reviewed: performance");
}
