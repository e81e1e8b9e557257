use serde_json::json;

use super::*;
use crate::text::text;

/// The text's value as JSON, or its diagnostics.
fn read(yaml: &[u8]) -> Result<serde_json::Value, Vec<String>> {
    let text = text("t", yaml, TEXT_BYTES_MAX).map_err(|d| vec![d.to_string()])?;
    let mut faults = Faults::new("t", text);
    let value = parse(text, &mut faults);
    let found = faults.finish();
    assert_eq!(value.is_none(), !found.is_empty(), "{found:?}");
    value
        .map(plain)
        .ok_or_else(|| found.iter().map(ToString::to_string).collect())
}

fn plain(value: Value<'_>) -> serde_json::Value {
    match value {
        Value::StringLit(text) => json!(text.value),
        Value::NumberLit(number) => json!({ "number": number.value }),
        Value::BooleanLit(word) => json!(word.value),
        Value::NullKeyword(_) => json!(null),
        Value::Array(list) => list.elements.into_iter().map(plain).collect(),
        Value::Object(object) => {
            let pairs = object.properties.into_iter();
            let pair = |p: ObjectProp<'_>| (p.name.into_string(), plain(p.value));
            serde_json::Value::Object(pairs.map(pair).collect())
        }
    }
}

fn codes(yaml: &[u8]) -> Vec<String> {
    let Err(found) = read(yaml) else {
        panic!(
            "{} is read",
            String::from_utf8_lossy(&yaml[..yaml.len().min(100)])
        );
    };
    let code = |line: &String| line[1..line.find(']').unwrap()].to_owned();
    found.iter().map(code).collect()
}

#[test]
fn values_follow_the_core_schema() {
    for (yaml, value) in [
        ("no", json!("no")),
        ("NO", json!("NO")),
        ("yes", json!("yes")),
        ("on", json!("on")),
        ("y", json!("y")),
        ("12:30:45", json!("12:30:45")),
        ("2026-01-02", json!("2026-01-02")),
        ("1_000", json!("1_000")),
        ("1.2.3", json!("1.2.3")),
        ("0b11", json!("0b11")),
        ("'true'", json!("true")),
        ("\"1\"", json!("1")),
        ("true", json!(true)),
        ("False", json!(false)),
        ("tRUE", json!("tRUE")),
        ("~", json!(null)),
        ("NULL", json!(null)),
        ("1", json!({"number": "1"})),
        ("-1.5e+3", json!({"number": "-1.5e+3"})),
        ("+7", json!({"number": "+7"})),
        (".5", json!({"number": ".5"})),
        ("5.", json!({"number": "5."})),
        ("0o17", json!({"number": "0o17"})),
        ("0x1F", json!({"number": "0x1F"})),
        (".inf", json!({"number": ".inf"})),
        (".", json!(".")),
        ("-", json!([null])),
        ("1e", json!("1e")),
        ("e5", json!("e5")),
        ("0x", json!("0x")),
        ("{a: , b: ''}", json!({"a": null, "b": ""})),
        ("1: no\ntrue: x\n", json!({"1": "no", "true": "x"})),
        (
            "a:\n- 1\n- b: c\n",
            json!({"a": [{"number": "1"}, {"b": "c"}]}),
        ),
        ("a: |\n  one\n  two\n", json!({"a": "one\ntwo\n"})),
        ("a: >-\n  one\n  two\n", json!({"a": "one two"})),
        ("a: \"\\u00e9\\n\"", json!({"a": "é\n"})),
        ("# c\na: b # c\n", json!({"a": "b"})),
        ("---\na: b\n...\n", json!({"a": "b"})),
        ("\u{feff}a: b", json!({"a": "b"})),
        ("a: <role_name>", json!({"a": "<role_name>"})),
        ("a: Assess → Decide", json!({"a": "Assess → Decide"})),
    ] {
        assert_eq!(read(yaml.as_bytes()), Ok(value), "{yaml}");
    }
}

#[test]
fn places_count_characters() {
    let found = read("é: &x 1\nb: [ü, *x]\nc: !!str no\n".as_bytes()).unwrap_err();
    assert_eq!(
        found,
        [
            "[yaml-anchor] t:1:7: the value has an anchor",
            "[yaml-anchor] t:2:8: `*x` refers to an anchor",
            "[yaml-tag] t:3:10: the value has the tag `tag:yaml.org,2002:str`",
        ]
    );
}

#[test]
fn what_is_not_taken_is_refused_by_name() {
    for (yaml, code) in [
        ("", "text-syntax"),
        ("# nothing\n", "text-syntax"),
        ("a: b: c", "text-syntax"),
        ("a: [1", "text-syntax"),
        ("a: 'x", "text-syntax"),
        ("a:\n\t- b", "text-syntax"),
        ("%YAML 1.1\n---\na: no", "text-syntax"),
        ("a: \0", "text-syntax"),
        ("a: b\n---\nc: d\n", "yaml-documents"),
        ("a: *nowhere", "yaml-anchor"),
        ("<<: *base", "yaml-anchor"),
        ("a: !include /etc/passwd", "yaml-tag"),
        ("!!python/object:os.system {}", "yaml-tag"),
        ("? [a]\n: b", "text-type"),
        ("{{a: b}: c}", "text-type"),
    ] {
        assert_eq!(codes(yaml.as_bytes()), [code], "{yaml}");
    }
    assert_eq!(codes(b"a: \xff"), ["text-encoding"]);
    assert_eq!(codes(b"\xff\xfea\0"), ["text-encoding"]);
}

#[test]
fn hostile_texts_end_early() {
    let bomb = {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..30 {
            let refers = format!("*a{},", level - 1).repeat(9);
            text.push_str(&format!("a{level}: &a{level} [{refers}]\n"));
        }
        text
    };
    assert!(codes(bomb.as_bytes()).contains(&"yaml-anchor".to_owned()));
    let huge = format!("a: {}", "x".repeat(10 << 20));
    assert_eq!(codes(huge.as_bytes()), ["text-too-large"]);
    let million = 1_000_000;
    for (text, code) in [
        ("[".repeat(million), "text-too-deep"),
        ("{a: ".repeat(million), "text-too-deep"),
        ("- ".repeat(million), "text-too-deep"),
        ("? ".repeat(million), "text-type"),
        (
            (0..2_000).map(|n| " ".repeat(n) + "a:\n").collect(),
            "text-too-deep",
        ),
        ("- x\n".repeat(million), "text-too-large"),
        (format!("[{}]", "1,".repeat(million)), "text-too-large"),
        ("&a ".repeat(million), "yaml-anchor"),
        ("!".repeat(million), "text-syntax"),
        ("'".repeat(million + 1), "text-syntax"),
        ("\"\\".repeat(million), "text-syntax"),
        ("---\n".repeat(million), "yaml-documents"),
    ] {
        assert_eq!(codes(text.as_bytes())[0], code, "{}", &text[..8]);
    }
}

#[test]
fn the_largest_text_is_read() {
    let text = format!("a: \"{}\"", "x".repeat(TEXT_BYTES_MAX - 5));
    assert!(read(text.as_bytes()).is_ok());
    let lines: String = (0..100_000)
        .map(|n| format!("k{n}: some words\n"))
        .collect();
    assert!(read(lines.as_bytes()).is_ok());
}
