//! Sizes: files that outgrew a reader, and functions that outgrew a screen.
//!
//! A long file is a question, not a crime, so the first limit warns; the second one refuses.

use super::source::Source;
use super::tree::Tree;
use super::{Finding, Weight};

/// Lines of a file without tests above which it is worth looking for a split.
const FILE_LINES: usize = 500;

/// Lines of a file without tests above which a split is owed.
const FILE_LINES_MAX: usize = 900;

/// Lines of a function above which it does not fit a screen.
const FUNCTION_LINES: usize = 70;

/// Files that are too long.
pub(crate) fn files(_: &Tree, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let lines = source.lines_without_tests();
        let (weight, limit) = if lines > FILE_LINES_MAX {
            (Weight::Fault, FILE_LINES_MAX)
        } else if lines > FILE_LINES {
            (Weight::Warning, FILE_LINES)
        } else {
            continue;
        };
        let text = format!("{lines} lines without tests, over {limit}: look for the split");
        findings.push(Finding {
            weight,
            ..Finding::fault("file-size", &source.path, lines, text)
        });
    }
    findings
}

/// Functions that are too long; tests may be.
pub(crate) fn functions(_: &Tree, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for function in &source.functions {
            if function.lines <= FUNCTION_LINES || source.is_test(function.line) {
                continue;
            }
            let text = format!(
                "`{}` has {} lines, over {FUNCTION_LINES}",
                function.name, function.lines
            );
            findings.push(Finding {
                weight: Weight::Note,
                ..Finding::fault("function-size", &source.path, function.line, text)
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    fn file(lines: usize, test_lines: usize) -> String {
        let tests = "// t\n".repeat(test_lines);
        format!(
            "{}#[cfg(test)]\nmod tests {{\n{tests}}}\n",
            "// x\n".repeat(lines)
        )
    }

    #[test]
    fn long_files_warn_and_then_fail() {
        let check = |text: &str| found(files, &[("crates/a/src/lib.rs", text)]);
        assert!(check(&file(500, 2_000)).is_empty());
        assert_eq!(
            check(&file(501, 0)),
            [
                "crates/a/src/lib.rs:501: warning[file-size]: 501 lines without tests, over 500: look for the split"
            ]
        );
        assert_eq!(
            check(&file(901, 0)),
            [
                "crates/a/src/lib.rs:901: fault[file-size]: 901 lines without tests, over 900: look for the split"
            ]
        );
    }

    #[test]
    fn long_functions_are_noted_outside_tests() {
        let body = "    g();\n".repeat(69);
        let code = format!("fn f() {{\n{body}}}\n#[test]\nfn t() {{\n{body}}}\nfn h() {{\n}}\n");
        assert_eq!(
            found(functions, &[("crates/a/src/lib.rs", &code)]),
            ["crates/a/src/lib.rs:1: note[function-size]: `f` has 71 lines, over 70"]
        );
    }
}
