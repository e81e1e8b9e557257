//! Sections, formats and schemas.

use super::*;

#[test]
fn sections_have_a_heading_and_something_beneath() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(
        root,
        "x.md",
        "# Intro\ntext\n## Setup\n```\n# API\n```\n## Empty\n\n# Last\n",
    );
    put(root, "bad.md", b"# A\xff");
    put(root, "deep.md", format!("# A\n{}x\n", ">".repeat(50_000)));
    put(root, "links.md", "[".repeat(200_000));
    table(
        root,
        &[
            (section("Intro", "x.md"), ""),
            (section("Setup", "x.md"), ""),
            (
                section("API", "x.md"),
                "no heading \"API\" in x.md; it has: Intro, Setup, Empty, Last",
            ),
            (
                section("Empty", "x.md"),
                "the section \"Empty\" of x.md is empty",
            ),
            (
                section("Last", "x.md"),
                "the section \"Last\" of x.md is empty",
            ),
            (
                section("A", "bad.md"),
                "bad.md is not UTF-8: invalid at byte 3",
            ),
            (
                section("B", "deep.md"),
                "no heading \"B\" in deep.md; it has: A",
            ),
            (section("B", "links.md"), "it has no heading"),
        ],
    );
}

#[test]
fn formats_parse_or_say_where_they_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(
        root,
        "good.json",
        r#"{"a": [1, 2.5, null, true, "x"], "b": {"a": {}}}"#,
    );
    put(root, "two.json", "{} {}");
    put(root, "twice.json", "{\"a\": 1,\n\"a\": 2}");
    put(root, "bad.json", b"{\"a\": \"\xff\"}");
    put(root, "deep.json", "[".repeat(1_000_000));
    put(root, "good.yaml", "a: [1, two]\nb: &x {c: d}\ne: *x\n");
    put(root, "bad.yaml", "a: [1\nb: 2\n");
    put(root, "twice.yaml", "a: 1\na: 2\n");
    put(root, "deep.yaml", "[".repeat(1_000_000));
    put(root, "good.toml", "[a]\nb = 1\n");
    put(root, "bad.toml", "[a\nb = 1\n");
    put(root, "twice.toml", "a = 1\na = 2\n");
    put(root, "deep.toml", format!("a = {}", "[".repeat(1_000_000)));
    put(root, "good.md", "# A\n\n```rust\nx\n```\n");
    put(root, "open.md", "# A\n\n```rust\nx\n");
    put(root, "flat.md", "text\n");
    table(
        root,
        &[
            (format(Format::Json, "good.json"), ""),
            (
                format(Format::Json, "two.json"),
                "is not JSON: trailing characters",
            ),
            (
                format(Format::Json, "twice.json"),
                "key \"a\" stands twice at line 2 column 3",
            ),
            (
                format(Format::Json, "bad.json"),
                "is not UTF-8: invalid at byte 7",
            ),
            (
                format(Format::Json, "deep.json"),
                "recursion limit exceeded",
            ),
            (format(Format::Json, "good.yaml"), "is not JSON"),
            (format(Format::Yaml, "good.yaml"), ""),
            (format(Format::Yaml, "good.json"), ""),
            (format(Format::Yaml, "bad.yaml"), "bad.yaml is not YAML: "),
            (format(Format::Yaml, "twice.yaml"), "duplicate"),
            (format(Format::Yaml, "deep.yaml"), "deep.yaml is not YAML"),
            (format(Format::Toml, "good.toml"), ""),
            (format(Format::Toml, "bad.toml"), "line 1, column"),
            (format(Format::Toml, "twice.toml"), "duplicate key"),
            (format(Format::Toml, "deep.toml"), "deep.toml is not TOML"),
            (format(Format::Markdown, "good.md"), ""),
            (
                format(Format::Markdown, "open.md"),
                "the code fence in line 3 of open.md",
            ),
            (
                format(Format::Markdown, "flat.md"),
                "flat.md has no heading",
            ),
        ],
    );
}

#[test]
fn a_yaml_bomb_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let list = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{list}]\n"));
    }
    put(folder.path(), "bomb.yaml", bomb);
    put(folder.path(), "s.json", "{}");
    table(
        folder.path(),
        &[
            (format(Format::Yaml, "bomb.yaml"), "bomb.yaml is not YAML"),
            (schema("s.json", "bomb.yaml"), "bomb.yaml is not YAML"),
        ],
    );
}

#[test]
fn schemas_name_the_place_that_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(
        root,
        "s.json",
        r##"{"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$"},
            "parts": {"type": "array", "items": {"$ref": "#"}}}}"##,
    );
    put(
        root,
        "good.json",
        r#"{"name": "a", "parts": [{"name": "b"}]}"#,
    );
    put(root, "good.yaml", "name: a\nparts: [{name: b}]\n");
    put(
        root,
        "bad.json",
        r#"{"name": "A", "parts": [{"name": "b"}, {"name": 3}, {}]}"#,
    );
    put(root, "typo.json", r#"{"type": "objekt"}"#);
    put(
        root,
        "remote.json",
        r#"{"$ref": "https://example.com/s.json"}"#,
    );
    put(root, "file.json", r#"{"$ref": "file:///etc/passwd"}"#);
    put(root, "nowhere.json", r##"{"$ref": "#/$defs/a"}"##);
    table(
        root,
        &[
            (schema("s.json", "good.json"), ""),
            (schema("s.json", "good.yaml"), ""),
            (
                schema("s.json", "bad.json"),
                "at /name: \"A\" does not match",
            ),
            (
                schema("s.json", "bad.json"),
                "at /parts/1/name: 3 is not of type \"string\"",
            ),
            (
                schema("s.json", "bad.json"),
                "at /parts/2: \"name\" is a required property",
            ),
            (
                schema("typo.json", "good.json"),
                "typo.json cannot be applied to good.json",
            ),
            (
                schema("remote.json", "good.json"),
                "$ref to https://example.com/s.json is not",
            ),
            (schema("file.json", "good.json"), "is not followed"),
            (
                schema("nowhere.json", "good.json"),
                "nothing stands at #/$defs/a",
            ),
            (schema("none.json", "good.json"), "none.json is missing"),
            (schema("s.json", "s.yaml"), "s.yaml is missing"),
        ],
    );
}

#[test]
fn schemas_that_loop_or_double_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "i.json", r#"{"x": {"x": {}}}"#);
    put(root, "loop.json", r##"{"allOf": [{"$ref": "#"}]}"##);
    let mut double = r#"{"$defs": {"a0": {}"#.to_owned();
    let mut chain = double.clone();
    for n in 1..900 {
        let to = n - 1;
        chain.push_str(&format!(
            r##", "a{n}": {{"not": {{"$ref": "#/$defs/a{to}"}}}}"##
        ));
    }
    for n in 1..40 {
        let to = format!(r##"{{"$ref": "#/$defs/a{}"}}"##, n - 1);
        double.push_str(&format!(r#", "a{n}": {{"allOf": [{to}, {to}]}}"#));
    }
    put(
        root,
        "double.json",
        double + r##"}, "$ref": "#/$defs/a39"}"##,
    );
    put(
        root,
        "chain.json",
        chain.clone() + r##"}, "$ref": "#/$defs/a899"}"##,
    );
    let aside = r##"}, "properties": {"absent": {"$ref": "#/$defs/a899"}}}"##;
    put(root, "aside.json", chain + aside);
    let pattern = r#"{"patternProperties": {"^(x+x+)+y$": {}}, "additionalProperties": {}}"#;
    put(root, "pattern.json", pattern);
    table(
        root,
        &[
            (
                schema("loop.json", "i.json"),
                "lead more than 500 levels deep",
            ),
            (
                schema("double.json", "i.json"),
                "it would take more than 200000 steps",
            ),
            (
                schema("chain.json", "i.json"),
                "lead more than 500 levels deep",
            ),
            (schema("aside.json", "i.json"), ""),
            (schema("pattern.json", "i.json"), ""),
        ],
    );
}
