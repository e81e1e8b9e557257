//! What a run says of itself: that a request is satisfied only where something showed it.

use divisi_core::run::{AttemptEnd, Failure, RunStatus};

use crate::found::working;
use crate::stage::{Stage, endings};

/// A project that tests itself, with an agent that does this and says that it is done. A person
/// judges what no rule can.
fn with_agent(work: &str) -> Stage {
    with_judge(work).with_env("DIVISI_REVIEW_AGENTS", "person")
}

/// The same, and the agent judges, too.
fn with_judge(work: &str) -> Stage {
    let stage = Stage::git(&[
        ("Makefile", "test:\n\t@sh test/run.sh\n"),
        ("test/run.sh", "test -e src/price.sh\n"),
        ("src/price.sh", "echo 1\n"),
    ]);
    let path = working(&stage, work);
    stage.with_env("PATH", &path)
}

fn reported(request: &str, work: &str) -> String {
    let stage = with_agent(work);
    stage.divisi(&["run", request, "--one", "--yes"]).expect(0);
    stage.divisi(&["report", "1"]).expect(0).stdout
}

const YES: &str = "the original request is satisfied: yes";
const OPEN: &str = "the original request is satisfied: open";

#[test]
fn tests_that_passed_before_show_no_work() {
    let report = reported(
        "Add a discount for regular customers, with tests",
        "echo > junk.txt",
    );
    for said in [
        OPEN,
        "did what was asked for",
        "its checks hold for other work, too",
    ] {
        assert!(report.contains(said), "{said:?} is not in {report}");
    }
    assert!(!report.contains("passes with tests that"), "{report}");
}

#[test]
fn what_a_criterion_of_its_own_shows_is_shown() {
    let report = reported(
        "Write docs/use.md with a section \"Use\"",
        "mkdir -p docs; printf '# Price\\n\\n## Use\\n\\nRun it.\\n' > docs/use.md",
    );
    assert!(report.contains(YES), "{report}");
    assert!(
        !report.contains("its checks hold for other work"),
        "{report}"
    );
}

#[test]
fn what_is_written_and_judged_by_nobody_is_named() {
    let lorem = "mkdir -p docs; yes 'Lorem ipsum dolor sit amet.' | head -n 20 > docs/migration.md";
    let report = reported("Write a migration guide in docs/migration.md", lorem);
    let unread = "what docs/migration.md says: nobody judged it";
    assert!(report.contains(unread), "{report}");
    assert!(report.contains(OPEN), "{report}");
}

#[test]
fn what_is_only_to_be_gone_is_shown_by_that() {
    let stage = with_agent("rm src/price.sh; echo > test/run.sh");
    let request = "Delete src/price.sh";
    stage.divisi(&["run", request, "--yes"]).expect(0);
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    assert!(report.contains(YES), "{report}");
    assert!(!report.contains("nobody judged it"), "{report}");
}

#[test]
fn tests_that_the_run_changed_are_named() {
    let report = reported(
        "Add a discount for regular customers, with tests",
        "echo true > test/run.sh; rm src/price.sh",
    );
    let told = "passes with tests that this run changed: test/run.sh";
    assert!(report.contains(told), "{told:?} is not in {report}");
    assert!(report.contains(OPEN), "{report}");
}

#[test]
fn what_is_held_back_and_not_checked_is_told() {
    // Where the tests are to lie nobody says.
    let report = reported(
        "Add a discount for regular customers, with tests. Nothing else may change.",
        "echo more >> src/price.sh",
    );
    assert!(report.contains("Nothing else may change"), "{report}");
    assert!(report.contains("nothing checks"), "{report}");
    assert!(report.contains(OPEN), "{report}");
}

#[test]
fn what_is_held_back_is_refused_where_it_can_be_checked() {
    let stage = with_agent("mkdir -p bin; echo sum > bin/sum.sh; echo more >> src/price.sh");
    let request = "Create bin/sum.sh. Nothing else may change.";
    let ran = stage.divisi(&["run", request, "--one", "--yes"]);
    ran.expect(3).says("src/price.sh");
}

#[test]
fn who_only_answers_is_done_and_who_changes_something_is_refused() {
    let request = "Don't change anything, just tell me what src/price.sh does";
    let answer = "mkdir -p research; echo one > research/just-tell-me-what-src-price-sh-does.md";
    let report = reported(request, answer);
    // What it answered nobody read.
    let unread = "what research/just-tell-me-what-src-price-sh-does.md says: nobody judged it";
    assert!(report.contains(unread), "{report}");
    assert!(report.contains(OPEN), "{report}");
    let stage = with_agent(&format!("{answer}; echo more >> src/price.sh"));
    let ran = stage.divisi(&["run", request, "--one", "--yes"]);
    ran.expect(3).says("src/price.sh");
}

#[test]
fn who_is_to_be_asked_is_asked_before_anything_is_done() {
    let stage = with_agent("rm src/price.sh; echo true > test/run.sh");
    let request = "Ask me before you delete anything. Delete src/price.sh.";
    stage.divisi(&["run", request, "--one", "--yes"]).expect(4);
    let run = stage.only();
    assert!(run.tasks().iter().all(|task| task.attempts() == 0));
    stage.divisi(&["approve", "1", "approval"]).expect(0);
    stage.divisi(&["resume", "1"]).expect(0);
    assert_eq!(stage.only().status(), RunStatus::Succeeded);
    assert_eq!(stage.result("src/price.sh"), None);
}

/// It makes something else before it is told what was seen; in judging, it looks for what was asked
/// for.
const AT_FIRST_JUNK: &str = r#"told=$(head -n 1 | sed 's/\\n/\n/g')
case $told in
  *'Judge what was made'*)
    if [ -e src/discount.sh ]; then holds=true; else holds=false; fi
    no=$(printf '%s\n' "$told" | sed -n 's/^- \([0-9]*\): .*/\1/p')
    printf '{"verdicts": [{"criterion": %s, "holds": %s, "why": "Looked for it.", "evidence": [{"file": "Makefile", "line": 1, "text": "test:"}]}]}' "$no" "$holds" > divisi-verdict.json;;
  *'judged by'*) echo 'echo 2' > src/discount.sh;;
  *) echo > junk.txt;;
esac"#;

#[test]
fn where_an_agent_is_there_it_judges_what_no_check_tells_and_junk_is_refused() {
    let stage = with_judge(AT_FIRST_JUNK);
    let request = "Add a discount for regular customers, with tests";
    let ran = stage.divisi(&["run", request, "--one", "--yes"]).expect(0);
    ran.says("task awaits a review by claude");
    let run = stage.only();
    let ends: Vec<&AttemptEnd> = endings(&run, "task").iter().map(|it| &it.end).collect();
    let [AttemptEnd::Refused(Failure::Checks(verdicts)), _] = &ends[..] else {
        panic!("{ends:?}");
    };
    let told = "judged by claude, which did the work itself";
    assert!(
        verdicts.iter().any(|it| it.evidence.contains(told)),
        "{verdicts:?}"
    );
    let report = stage.divisi(&["report", "1"]).expect(0).stdout;
    assert!(report.contains(YES), "{report}");
    assert!(report.contains(told), "{report}");
}
