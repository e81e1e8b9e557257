//! The way there and back, the guide, and hostile texts. What sentences mean is tested with the
//! real checks, in the engine's tests.

use std::path::Path;

use divisi_core::{Criterion, Holds};

use super::rules::RULES;
use super::{
    COMPILED_MAX, Compiled, Context, Entity, Promise, STATEMENT_BYTES_MAX, Target, Understood, Why,
    compile, reference, say,
};
use crate::dice::Dice;
use crate::paths;

fn understood(text: &str, context: &Context) -> Understood {
    match compile(text, context) {
        Compiled::Checks(understood) => understood,
        Compiled::Unverified(why) => panic!("{text}: {why}"),
    }
}

/// Stories, with two files promised for each.
fn stories(count: usize) -> Context {
    let target = |n: usize| Target {
        name: format!("S{n}"),
        promises: ["requirements.md", "test-plan.md"]
            .map(|file| Promise {
                path: format!("stories/S{n}/{file}"),
                template: format!("stories/{{story_id}}/{file}"),
                names: Vec::new(),
            })
            .to_vec(),
    };
    Context {
        entities: vec![Entity::of_variable(
            "story_id",
            (0..count).map(target).collect(),
        )],
        promises: vec![Promise::of_path("docs/plan.md")],
    }
}

#[test]
fn every_rule_understands_its_example_by_itself() {
    for rule in RULES {
        let found = understood(rule.example, &stories(2));
        assert_eq!(found.rule, rule.name, "{}", rule.example);
    }
}

#[test]
fn the_guide_has_the_rules_as_they_are() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/criteria.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let (_, rest) = guide.split_once("<!-- rules -->\n\n").unwrap();
    let (rules, _) = rest.split_once("<!-- /rules -->").unwrap();
    assert_eq!(rules, reference(), "put this between the guide's markers");
}

#[test]
fn what_is_said_is_understood_as_exactly_the_same() {
    let criterion = |text: &str, path: &str| Criterion::Contains {
        text: text.into(),
        path: path.into(),
    };
    let mut criteria = vec![
        criterion("a`b``c", "`x`"),
        criterion(" padded ", "with \"quotes\".md"),
        criterion("two\nlines\tand\u{1}all", "a.md"),
        criterion("hidden \u{200b} \u{e0001}", "a.md"),
        criterion("\u{202e}", "src/app/[id]/page.tsx"),
        criterion("`", "stories/{story_id}/a.md"),
        criterion("x", "a\u{301}/ü.md"),
        Criterion::Scope {
            patterns: vec!["src".into(), "a b".into()],
        },
        Criterion::Count {
            pattern: "Makefile".into(),
            min: 0,
            max: None,
        },
        Criterion::Command {
            argv: vec!["make".into()],
            timeout_ms: 1,
        },
        Criterion::Command {
            argv: vec!["sh".into(), "-c".into(), "a\nb".into()],
            timeout_ms: 90_000,
        },
        Criterion::Each {
            pattern: "a/{b}/*".into(),
            holds: Holds::Size { min_bytes: 0 },
        },
        Criterion::Section {
            heading: "# of users".into(),
            path: "a.md".into(),
        },
    ];
    criteria.extend((0..2_000).map(|seed| Dice(seed).criterion()));
    let mut in_words = 0;
    for criterion in criteria {
        let text = say(&criterion).unwrap_or_else(|| panic!("{criterion:?} is not said"));
        in_words += usize::from(!text.contains('{'));
        let understood = understood(&text, &stories(2)).criteria;
        assert_eq!(understood, [criterion], "{text}");
    }
    assert!(in_words > 1_100, "only {in_words} are in words");
    assert_eq!(say(&Criterion::ExitStatus), None);
    assert_eq!(say(&criterion("no file says \0", "a.md")), None);
}

#[test]
fn no_word_in_a_sentence_is_passed_over() {
    let context = stories(2);
    let words = [
        "not", "no", "never", "unless", "if", "except", "most", "some", "or", "maybe", "without",
        "and", "only", "zzz",
    ];
    for rule in RULES {
        let before = understood(rule.example, &context);
        let spaces = rule.example.match_indices(' ').map(|(at, _)| at);
        for at in spaces.chain([0, rule.example.len()]) {
            let (a, b) = rule.example.split_at(at);
            if a.matches(['"', '`']).count() % 2 == 1 {
                continue;
            }
            for word in words {
                let text = format!("{a} {word} {b}");
                if let Compiled::Checks(after) = compile(&text, &context) {
                    assert_ne!(after.criteria, before.criteria, "{text}");
                }
            }
        }
    }
}

#[test]
fn hostile_texts_are_survived_and_what_is_understood_is_sound() {
    let context = stories(2);
    let corpus: Vec<&str> = RULES.iter().map(|rule| rule.example).collect();
    let mut sound = 0;
    for seed in 0..20_000 {
        let text = Dice(seed).mutated(&corpus);
        let Compiled::Checks(understood) = compile(&text, &context) else {
            continue;
        };
        sound += 1;
        for criterion in &understood.criteria {
            let fault = match criterion {
                Criterion::File { path, .. }
                | Criterion::Contains { path, .. }
                | Criterion::Lacks { path, .. }
                | Criterion::Matches { path, .. }
                | Criterion::Section { path, .. }
                | Criterion::Format { path, .. }
                | Criterion::Schema { path, .. }
                | Criterion::Cites { path } => paths::fault(path),
                Criterion::Changed { pattern }
                | Criterion::Count { pattern, .. }
                | Criterion::Each { pattern, .. } => {
                    paths::fault(pattern).or(paths::pattern_fault(pattern))
                }
                Criterion::Scope { patterns } => patterns
                    .iter()
                    .find_map(|pattern| paths::pattern_fault(pattern)),
                Criterion::Command { argv, .. } => {
                    argv[0].is_empty().then(|| "no program".to_owned())
                }
                Criterion::ExitStatus | Criterion::Plain { .. } => Some("not a check".into()),
            };
            assert_eq!(fault, None, "seed {seed}: {text:?}");
        }
    }
    assert!(sound > 400, "only {sound} texts were still understood");
}

#[test]
fn giants_are_bounded() {
    let why = |text: &str, context: &Context| match compile(text, context) {
        Compiled::Unverified(why) => why,
        Compiled::Checks(understood) => panic!("{understood}"),
    };
    let none = Context::default();
    let long = "a".repeat(STATEMENT_BYTES_MAX + 1);
    assert_eq!(why(&long, &none), Why::Unreadable("is too long"));
    let wordy = "and ".repeat(10_000);
    assert_eq!(why(&wordy, &none), Why::Unreadable("is too long"));
    let list = vec!["a.md"; 150].join(" and ");
    assert_eq!(
        understood(&format!("{list} exist"), &none).criteria.len(),
        1
    );
    let marks = "`".repeat(STATEMENT_BYTES_MAX);
    assert!(matches!(why(&marks, &none), Why::Unreadable(_)));
    let quotes = "`a` ``".repeat(STATEMENT_BYTES_MAX / 6);
    assert!(matches!(why(&quotes, &none), Why::Unreadable(_)));
    let many = stories(1_000);
    let all = understood("All stories have requirements.md and test-plan.md", &many);
    assert_eq!(all.criteria.len(), 2_000);
    assert!(all.to_string().ends_with("and 1995 more"), "{all}");
    let most = stories(COMPILED_MAX + 1);
    assert!(matches!(
        why("All stories have requirements.md", &most),
        Why::Unreadable(_)
    ));
}
