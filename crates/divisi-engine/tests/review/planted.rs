//! A repository with planted defects, and its twin in which all of them are mended.
//!
//! A planted line ends with the names of the rules that must find it, between guillemets. Nothing
//! else may be found: not beside the planted defects, and nothing at all in the twin.

use std::collections::{BTreeMap, BTreeSet};

use divisi_engine::review::{Perspective, markdown, review};

use super::defects::{FILES, planted};
use super::stage::{Repository, found};

fn defective() -> (Repository, BTreeSet<String>) {
    let mut expected = BTreeSet::new();
    let repository = Repository::new();
    for (path, text, _) in FILES {
        let text = planted(path, text, &mut expected);
        repository.write(path, text.as_bytes());
    }
    repository.commit();
    (repository, expected)
}

#[test]
fn every_planted_defect_is_found_and_nothing_else() {
    let (repository, expected) = defective();
    let reviews = repository.reviews();
    let found = found(&reviews);
    let missed: Vec<&String> = expected.difference(&found).collect();
    let surplus: Vec<&String> = found.difference(&expected).collect();
    assert!(
        missed.is_empty() && surplus.is_empty(),
        "missed {missed:#?}, surplus {surplus:#?}"
    );
    for review in &reviews {
        let rules: BTreeSet<&str> = review.findings.iter().map(|f| f.rule.as_str()).collect();
        assert!(rules.len() >= 3, "{:?} has {rules:?}", review.perspective);
    }
}

#[test]
fn nothing_is_found_in_the_mended_twin() {
    let files: Vec<(&str, &str)> = FILES.iter().map(|(path, _, text)| (*path, *text)).collect();
    let repository = Repository::of(&files);
    let reviews = repository.reviews();
    assert_eq!(found(&reviews), BTreeSet::new());
    for review in &reviews {
        let text = markdown(review);
        assert!(text.contains("That is not praise"), "{text}");
        for sentence in review.perspective.beyond_commands() {
            assert!(text.contains(sentence), "{text}");
        }
    }
}

#[test]
fn each_finding_has_its_place_and_the_command_that_shows_it_again() {
    let (repository, _) = defective();
    for review in repository.reviews() {
        for finding in &review.findings {
            let expected = format!("divisi review --only {} {}", finding.rule, finding.file);
            assert_eq!(finding.command, expected);
            assert_eq!(finding.tool, "divisi");
            let text = markdown(&review);
            for part in [
                &format!("`{}:{}`", finding.file, finding.line),
                &finding.command,
            ] {
                assert!(text.contains(part.as_str()), "{part} is not in {text}");
            }
        }
    }
}

#[test]
fn the_command_that_is_named_finds_it_again() {
    let (repository, _) = defective();
    let request = divisi_engine::review::Request {
        only: vec!["sql-from-text".to_owned()],
        paths: vec!["app/accounts.py".into()],
        ..repository.request()
    };
    let reviews = review(&request).unwrap();
    assert_eq!(
        found(&reviews),
        super::stage::set(&["app/accounts.py:10 sql-from-text"])
    );
    assert_eq!(reviews[0].perspective, Perspective::Security);
}

#[test]
fn secrets_are_found_and_not_shown() {
    let (repository, _) = defective();
    let reviews = repository.reviews();
    let text: String = reviews.iter().map(markdown).collect();
    let json = serde_json::to_string(&reviews).unwrap();
    for secret in ["tr0ub4dor", "s3cr3tvalue", "h4rdt0guess"] {
        assert!(!text.contains(secret), "{secret} is shown");
        assert!(!json.contains(secret), "{secret} is shown");
    }
}

#[test]
fn the_same_tree_gives_the_same_review() {
    let (repository, _) = defective();
    let documents = |reviews: &[divisi_engine::review::Review]| -> Vec<String> {
        reviews.iter().map(markdown).collect()
    };
    let first = documents(&repository.reviews());
    let by_perspective: BTreeMap<&str, &String> = Perspective::ALL
        .iter()
        .map(|p| p.word())
        .zip(&first)
        .collect();
    for (word, document) in &by_perspective {
        repository.write(&format!("reviews/{word}-review.md"), document.as_bytes());
    }
    assert_eq!(
        documents(&repository.reviews()),
        first,
        "its own output changes it"
    );
    repository.commit();
    for (review, before) in repository.reviews().iter().zip(&first) {
        let same = markdown(review)
            .lines()
            .filter(|line| before.contains(line))
            .count();
        assert_eq!(
            same + 1,
            markdown(review).lines().count(),
            "only one line is new"
        );
    }
}
