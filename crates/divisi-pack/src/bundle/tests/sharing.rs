use super::super::{Calibration, Given, Rate, TOKENS_PER_POINT_MAX, Took};
use super::{bundle, bundle_with, expansion, ids, one, told};
use crate::allocation::Risk;

fn targets(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("s/{n:02}.md")).collect()
}

fn entry(more: &str) -> String {
    one(&format!(
        "{{role: developer, targets: ['s/*.md'], deliverables: ['o/{{s_id}}'], {more}}}"
    ))
}

/// For each agent: how many targets, and its risk.
fn shared(more: &str, count: usize) -> Vec<(usize, Option<Risk>)> {
    let paths = targets(count);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let expansion = expansion(&bundle(&entry(more)), "i", &paths);
    expansion
        .shares
        .iter()
        .map(|share| (share.targets.len(), share.risk))
        .collect()
}

fn warned(more: &str, count: usize) -> Vec<String> {
    let paths = targets(count);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    told(&bundle(&entry(more)), "i", &paths)
}

#[test]
fn agents_are_as_many_as_the_threshold_asks_for() {
    let low = Some(Risk::Low);
    // The developer takes five targets at once and has 50,000 tokens.
    assert_eq!(
        shared("complexity_per_target: 5", 12),
        [(4, low), (4, low), (4, low)]
    );
    assert_eq!(
        shared("allocation: {max_per_agent: 6}", 12),
        [(6, low), (6, low)]
    );
    assert_eq!(
        shared("allocation: {strategy: round_robin}", 6),
        [(3, low), (3, low)]
    );
    assert_eq!(shared("allocation: {strategy: single}", 12), [(12, low)]);
    let paths = targets(6);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let dealt = bundle(&entry("allocation: {strategy: round_robin}"));
    let dealt = expansion(&dealt, "i", &paths);
    assert_eq!(dealt.shares[0].targets, ["s/00.md", "s/02.md", "s/04.md"]);
    assert_eq!(
        ids(&dealt.tasks),
        ["i.developer.1", "i.developer.2", "i.review"]
    );
    assert_eq!(dealt.tasks[1].title, "Developer: i (2 of 2)");
}

#[test]
fn risk_follows_points_and_budget() {
    // 5 targets of 7, 8.5, 9 and 10 points are 35, 42.5, 45 and 50 thousand tokens of 50.
    for (points, risk, warns) in [
        (6, Risk::Low, false),
        (7, Risk::Medium, false),
        (8, Risk::Medium, false),
        (9, Risk::High, false),
        (10, Risk::High, true),
    ] {
        let more = format!("complexity_per_target: {points}");
        assert_eq!(shared(&more, 5), [(5, Some(risk))], "{points}");
        let warned = warned(&more, 5);
        assert_eq!(!warned.is_empty(), warns, "{warned:?}");
    }
    assert_eq!(
        warned("complexity_per_target: 10", 5),
        [
            "[workflow-budget] w.yaml:1:69: an agent of `Developer` is expected to take 100 % of its budget"
        ]
    );
}

#[test]
fn what_exceeds_the_budget_is_split_or_refused() {
    let more = "complexity_per_target: 11";
    assert_eq!(
        shared(more, 5),
        [(3, Some(Risk::Low)), (2, Some(Risk::Low))]
    );
    assert_eq!(
        warned(more, 5),
        [
            "[workflow-budget] w.yaml:1:69: 5 targets are shared among 2 agents instead of 1: 4 are \
             what the budget of `Developer` has room for"
        ]
    );
    assert_eq!(
        warned("complexity_per_target: 51", 1),
        [
            "[workflow-budget] w.yaml:1:69: one of its targets at once would take `Developer` 51000 \
             tokens of 50000"
        ]
    );
    assert_eq!(
        warned(
            "complexity_per_target: 11, allocation: {strategy: single}",
            5
        ),
        [
            "[workflow-budget] w.yaml:1:69: all of its targets at once would take `Developer` 55000 \
             tokens of 50000"
        ]
    );
    let alone = one("{role: developer, deliverables: [a], complexity_per_target: 60}");
    assert_eq!(
        told(&bundle(&alone), "i", &[]),
        [
            "[workflow-budget] w.yaml:1:69: its work at once would take `Developer` 60000 tokens of 50000"
        ]
    );
}

#[test]
fn calibration_changes_tokens_and_time() {
    let rate = |tokens_per_point, ms_per_point| Rate {
        tokens_per_point,
        ms_per_point,
        is_learned: false,
    };
    let given = Given {
        calibration: Calibration {
            rate: rate(10, 1_000),
            roles: [("developer".to_owned(), rate(2_000, 120_000))].into(),
        },
        ..Given::default()
    };
    let text = one(
        "{role: implementer, deliverables: [a], complexity_per_target: 3}, \
                    {role: sre, deliverables: [b], complexity_per_target: 3}",
    );
    let expansion = expansion(&bundle_with(&text, &given), "i", &[]);
    let figures: Vec<_> = expansion.tasks.iter().map(|task| task.estimate).collect();
    assert_eq!(
        (figures[0].tokens, figures[0].duration_ms),
        (Some(6_000), Some(360_000))
    );
    assert_eq!(figures[0].duration_max_ms, Some(540_000));
    assert_eq!(
        (figures[1].tokens, figures[1].duration_ms),
        (Some(30), Some(3_000))
    );
    assert_eq!(expansion.estimate.duration(), "6-9 minutes");
    assert_eq!(expansion.estimate.parallel_max, 2);
}

/// Of work of 51 points: how many agents, what is told, and its tokens, by what was reported of it.
fn by_report(tokens: u64, count: usize) -> (usize, Vec<String>, u64) {
    let took = Took {
        role: "developer".to_owned(),
        points: 1,
        ms: None,
        tokens: Some(tokens),
        is_scripted: false,
    };
    let given = Given {
        calibration: Calibration::learned(Rate::default(), &[took]),
        ..Given::default()
    };
    let paths = targets(count);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let bundle = bundle_with(&entry("complexity_per_target: 51"), &given);
    // There would be no expansion if anything refused it.
    let expansion = expansion(&bundle, "i", &paths);
    let (agents, tokens) = (expansion.shares.len(), expansion.estimate.tokens);
    (agents, told(&bundle, "i", &paths), tokens)
}

#[test]
fn what_agents_reported_warns_and_refuses_nothing() {
    let warned = |tokens: u64| {
        let cause = "w.yaml:1:69: one of its targets at once would take `Developer`";
        vec![format!(
            "[workflow-budget] {cause} {tokens} tokens of 50000"
        )]
    };
    assert_eq!(by_report(1_000, 1), (1, warned(51_000), 51_000));
    // However much is reported, nothing overflows, and a plan file can say it.
    let most = 51 * TOKENS_PER_POINT_MAX;
    assert_eq!(by_report(u64::MAX, 2), (1, warned(most), 2 * most));
    let (agents, _, tokens) = by_report(u64::MAX, 100);
    assert_eq!((agents, tokens), (20, 20 * 5 * most));
}

#[test]
fn people_and_commands_use_no_tokens() {
    let text = one(
        "{role: sre, deliverables: [a], agent: person, complexity_per_target: 900}, \
         {role: sre, name: run, command: [make], complexity_per_target: 900}",
    );
    let expansion = expansion(&bundle(&text), "i", &[]);
    let shares = expansion
        .shares
        .iter()
        .map(|share| (share.tokens, share.risk));
    assert_eq!(shares.collect::<Vec<_>>(), [(0, None), (0, None)]);
}
