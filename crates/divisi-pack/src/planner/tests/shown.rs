//! What agents are to judge where no check tells whether what was asked for was done.

use super::*;

/// What somebody is to judge, of each task, and of the whole.
fn judged_words(text: &str, has_judges: bool) -> (Vec<String>, Vec<String>) {
    let words = |criteria: &[Criterion]| -> Vec<String> {
        let words = criteria.iter().filter_map(|it| match it {
            Criterion::Plain { text } => Some(text.clone()),
            _ => None,
        });
        words.collect()
    };
    match answer_with(text, |facts| facts.has_judges = has_judges) {
        Answer::Planned(planned) => {
            let tasks = planned.plan.tasks.iter();
            let of_tasks = tasks.flat_map(|task| words(&task.criteria)).collect();
            (of_tasks, words(&planned.plan.criteria))
        }
        Answer::Declined(declined) => panic!("{text}: {:?}", declined.reasons),
    }
}

#[test]
fn what_the_projects_tests_alone_would_pass_an_agent_judges_where_one_is_there() {
    let text = "Add rate limiting to src/api/mod.rs";
    let (tasks, whole) = judged_words(text, true);
    assert_eq!(
        tasks,
        ["it is done as asked: Add rate limiting to src/api/mod.rs"]
    );
    assert_eq!(whole, [""; 0]);
    // Without one, a person would have to judge every run.
    assert_eq!(judged_words(text, false), (vec![], vec![]));
}

#[test]
fn what_a_check_of_its_own_tells_nobody_is_asked() {
    for text in [
        "Write docs/use.md with a section \"Use\"",
        "src/main.rs must contain \"fn main\"",
    ] {
        assert_eq!(judged_words(text, true), (vec![], vec![]), "{text}");
    }
}

#[test]
fn what_a_check_tells_of_one_part_it_tells_of_no_other_one() {
    let text = "Add rate limiting to src/api/mod.rs and delete src/old.rs";
    let plan = match answer_with(text, |facts| facts.has_judges = true) {
        Answer::Planned(planned) => planned.plan,
        Answer::Declined(declined) => panic!("{:?}", declined.reasons),
    };
    let is_judged = |task: &&TaskSpec| {
        let mut criteria = task.criteria.iter();
        criteria.any(|it| !it.is_falsifiable())
    };
    let judged = plan.tasks.iter().filter(is_judged);
    let titles: Vec<&str> = judged.map(|task| task.title.as_str()).collect();
    assert_eq!(titles.len(), 1, "{:#?}", plan.tasks);
    assert!(titles[0].contains("rate limiting"), "{titles:?}");
}

#[test]
fn what_is_held_back_and_not_checked_an_agent_judges_or_it_is_told() {
    let text = "Add rate limiting to src/api/mod.rs. The generated files are sacrosanct, nobody may \
                touch them.";
    let request = request::read(text);
    let roles = Library::built_in();
    let facts = |has_judges| Facts {
        has_judges,
        ..facts(None, &roles)
    };
    let planned = |has_judges| match by_rule(&request, &facts(has_judges)) {
        Answer::Planned(planned) => planned.plan,
        Answer::Declined(declined) => panic!("{:?}", declined.reasons),
    };
    let told = |by, has_judges| left_out(&by, &planned(has_judges), &request, &facts(has_judges));
    let words = "The generated files are sacrosanct, nobody may touch them.";
    assert!(told(intent::Planner::One, false)[0].contains(words));
    assert_eq!(told(intent::Planner::One, true), [""; 0]);
    let kept = Criterion::Plain {
        text: format!("this was kept to: {words}"),
    };
    assert!(planned(true).criteria.contains(&kept));
    assert!(!planned(false).criteria.contains(&kept));
    // Of a plan that an agent makes, nobody knows it.
    assert!(told(intent::Planner::Agent, true)[0].contains(words));
}
