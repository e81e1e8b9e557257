//! Each figure counts, and another one gives another verdict.

use super::*;

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
