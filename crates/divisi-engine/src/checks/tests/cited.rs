//! What reports cite stands there.

use super::*;

#[test]
fn what_a_report_cites_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(
        root,
        "src/a.py",
        "def parse(text):\n    return eval(text)\n",
    );
    put(root, "empty", "");
    put(root, "long", "a\n".repeat(CITED_LINES_MAX + 1));
    symlink("/etc/passwd", root.join("link")).unwrap();
    let mut number = 0;
    let mut reported = |text: &str| {
        number += 1;
        let path = format!("reviews/{number}.md");
        put(root, &path, text);
        cites(&path)
    };
    let many = "- `src/a.py:1`: x\n".repeat(CITED_PLACES_MAX);
    table(
        root,
        &[
            (
                reported("- `src/a.py:2`: whatever is parsed is executed\n"),
                "",
            ),
            (reported("1. `src/a.py:1-2`\n\n   Loose.\n\n2. none\n"), ""),
            (
                reported("- `src/a.py:2`: it\n  - there: `return eval(text)`\n"),
                "",
            ),
            (
                reported("- `src/a.py:1-2`: it\n  - there: `return eval(text)`\n"),
                "",
            ),
            (reported(&many), ""),
            // Times and addresses are no places.
            (
                reported("At `12:30` on `0.0.0.0:80`: see src/a.py:2.\n\n- It was b.py:1.\n"),
                "cites no place; at least one `path:line` as code",
            ),
            (reported("```\n- `src/a.py:2`\n```\n"), "cites no place"),
            (
                reported("- `src/a.py:1`: it\n- `src/a.py:3`: not\n"),
                "of 2 places that reviews/8.md cites, 1 do not hold: src/a.py has no line 3, it has 2",
            ),
            (
                reported("- `src/a.py:2-3`: it\n"),
                "src/a.py has no line 3, it has 2",
            ),
            (
                reported("- `src/a.py:1`: it\n  - there: `return eval(text)`\n"),
                "src/a.py:1 says \"def parse(text):\"",
            ),
            (
                reported("- `src/b.py:1`: it\n"),
                "src/b.py:1: src/b.py is missing",
            ),
            (
                reported("- `empty:1`: it\n"),
                "empty has no line 1, it has 0",
            ),
            (
                reported("- `link:1`: it\n"),
                "link:1: link is a symbolic link",
            ),
            (reported("- `../x:1`: it\n"), "leads outside the tree"),
            (
                reported("- `./reviews/15.md:1`: it\n"),
                "the report is no evidence of itself",
            ),
            (reported(&format!("{many}{many}")), "looks up no more than"),
            (cites("no.md"), "no.md is missing"),
            (
                reported(&format!("- `long:2-{}`: x\n", CITED_LINES_MAX + 1)),
                "",
            ),
            // What is nearly everything is no place.
            (
                reported("- `long:1-201`: x\n  - there: `a`\n"),
                "long:1-201 are 201 lines; a place has 200 at most",
            ),
        ],
    );
}

/// A report that cites truly, and then has this.
fn beside_a_true_place(then: &[(&str, &'static str)]) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "a.py", "def parse(text):\n    return eval(text)\n");
    put(root, "Makefile", "all:\n");
    let of = |(at, (text, expected)): (usize, &(&str, &'static str))| {
        let path = format!("{at}.md");
        put(
            root,
            &path,
            format!("- `a.py:1`: true\n\n## More\n\n{text}\n"),
        );
        (cites(&path), *expected)
    };
    let cases: Vec<_> = then.iter().enumerate().map(of).collect();
    table(root, &cases);
}

#[test]
fn a_place_is_looked_up_wherever_it_stands_as_code() {
    let missing = "nofile.py:9: nofile.py is missing";
    beside_a_true_place(&[
        ("- `a.py:2` and `nofile.py:9`: bad", missing),
        ("- **`nofile.py:9`**: bad", missing),
        ("- *`nofile.py:9`*: bad", missing),
        ("- [`nofile.py:9`](x)", missing),
        ("- In `nofile.py:9`: bad", missing),
        ("- [ ] `nofile.py:9`", missing),
        ("- [x] `nofile.py:9`", missing),
        (
            "| where | what |\n|---|---|\n| `nofile.py:9` | bad |",
            missing,
        ),
        ("### `nofile.py:9`", missing),
        ("It is in `nofile.py:9`.", missing),
        ("- `a.py:2, nofile.py:9`: bad", missing),
        ("- `nofile.py:9: return 1`", missing),
        ("- `nofile.py:9:5`: bad", missing),
        ("- `nofile.py#L9`: bad", missing),
        ("- `a.py:2:5` and `a.py#L1-L2`: it", ""),
        ("- `a.py:0`: it", "a.py has no line 0"),
        ("- `a.py:2-1`: it", "a.py has no line 1"),
        ("- `a.py:99999999999999999999`: it", "a.py has no line"),
        ("- `Makefile:1`: it", ""),
        ("- `Makefile:2`: it", "Makefile has no line 2, it has 1"),
    ]);
}

#[test]
fn what_is_no_path_of_the_tree_refuses_no_report() {
    let none = [
        "localhost:8080",
        "127.0.0.1:8080",
        "http://localhost:8080",
        "example.com:443",
        "12:30",
        "12:30:15",
        "[::1]:80",
        "std::fs:3",
        "v:+2",
        "{\"a.b\":1}",
        "redis:7",
        "a.py",
        "a.py:x",
    ];
    let texts = none.map(|it| format!("- `{it}` is open"));
    let cases: Vec<(&str, &'static str)> = texts.iter().map(|it| (it.as_str(), "")).collect();
    beside_a_true_place(&cases);
    // What looks like a path is said, and that it was looked up.
    beside_a_true_place(&[(
        "- the image `library/redis:7`",
        "library/redis:7: library/redis is missing; whatever is `path:line` as code was looked up",
    )]);
}

#[test]
fn all_that_is_said_to_stand_in_a_place_is_looked_up() {
    let absent = "a.py:2 says \"return eval(text)\", and \"os.system(1)\" is not there";
    let of = |then: &str| format!("- `a.py:2`: bad{then}");
    let refused = [
        "\n  - there: `os.system(1)`\n  - there: `eval`",
        "\n  - there: `eval`\n  - there: `os.system(1)`",
        "\n  - There: `os.system(1)`",
        "\n  - THERE: `os.system(1)`",
        "\n  - *there*: `os.system(1)`",
        "\n  - **there:** `os.system(1)`",
        "\n  - there:\n    `os.system(1)`",
        "\n  - there:\n\n    `os.system(1)`",
        "\n  - there:\n    ```python\n    os.system(1)\n    ```",
        "\n  - there:\n\n    ```\n    return eval(text)\n    os.system(1)\n    ```",
        "\n\n  there: `os.system(1)`",
        ", there: `os.system(1)`",
        "; also in `a.py:1`, there: `eval`, and `os.system(1)`",
        "\n- there: `os.system(1)`",
    ]
    .map(of);
    let kept = [
        "\n  - there: `eval`\n  - There: `return`, `(text)` and `eval`",
        "\n  - there:\n    ```\n    return eval(text)\n    ```",
        ", there: `eval`, which is worse than `os.system(1)`",
        "\n  - instead of `os.system(1)`",
        "\n  - is it neither: `os.system(1)`",
        "\n\n```\nos.system(1)\n```",
        "\n\n## Not reviewed\n\nWhat is there: `os.system(1)`",
    ]
    .map(of);
    let refused = refused.iter().map(|text| (text.as_str(), absent));
    let kept = kept.iter().map(|text| (text.as_str(), ""));
    beside_a_true_place(&refused.chain(kept).collect::<Vec<_>>());
}
