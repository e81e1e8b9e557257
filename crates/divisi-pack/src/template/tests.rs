use minijinja::context;

use super::*;

const BASE: &str = "# {{ title }}\n{% block body %}{% endblock %}\n";

fn fill(templates: &[(&str, &str)], values: Value) -> Result<String, String> {
    let set = Templates::new(templates.iter().copied());
    let bytes = set
        .fill("a", values, 10_000)
        .map_err(|fault| fault.to_string())?;
    Ok(String::from_utf8(bytes).unwrap())
}

fn fault(template: &str) -> String {
    fill(
        &[
            ("a", template),
            ("bad", "x\n{% if %}"),
            ("b", "{{ nobody }}"),
        ],
        context! { x => 1 },
    )
    .unwrap_err()
}

#[test]
fn templates_include_and_extend_what_stands_beside_them() {
    let templates = [
        ("base", BASE),
        ("parts/p", "({{ title }})"),
        (
            "a",
            "{% extends 'base' %}{% block body %}{% include 'parts/p' %}{% endblock %}",
        ),
    ];
    let filled = fill(&templates, context! { title => "T" });
    assert_eq!(filled.as_deref(), Ok("# T\n(T)\n"));
}

#[test]
fn values_stay_data_however_they_look() {
    let attack = "{{ 7 * 7 }}{% include 'secret' %}{# c #}<b>&\u{202e}";
    let templates = [("a", "{{ title }}|{{ list[0] }}"), ("secret", "leaked")];
    let filled = fill(&templates, context! { title => attack, list => [attack] });
    assert_eq!(filled, Ok(format!("{attack}|{attack}")));
}

#[test]
fn faults_name_the_template_and_the_line() {
    for (template, expected) in [
        ("a\n{{ nobody }}", "a, line 2: undefined value"),
        ("{{ x.nothing }}", "a, line 1: undefined value"),
        ("\n{% for %}", "a, line 2: syntax error: "),
        ("{{ debug() }}", "a, line 1: unknown function"),
        ("{% include 'b' %}", "b, line 1: undefined value"),
        ("{% include 'bad' %}", "bad, line 2: syntax error"),
        (
            "{% include '/etc/passwd' %}",
            "a, line 1: template not found",
        ),
        ("{% include '../a' %}", "a, line 1: template not found"),
        ("{% macro f() %}{% endmacro %}", "unknown statement macro"),
        ("{% include 'a' %}", "recursion limit"),
        (
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
            "a, line 1: it takes more than 5000000 steps",
        ),
        (
            "{% for a in range(9999) %}xx{% endfor %}",
            "the output has more than 10000 bytes",
        ),
    ] {
        let fault = fault(template);
        assert!(fault.contains(expected), "{template}: {fault}");
    }
    let huge = " ".repeat(TEMPLATE_BYTES_MAX + 1);
    assert_eq!(fault(&huge), "the template has more than 262144 bytes");
    let none = Templates::new([("a", "")]);
    assert!(none.has("a") && !none.has("b"));
    let missing = none.fill("b", context! {}, 1).unwrap_err();
    assert_eq!(missing.to_string(), "there is no template b");
}

#[test]
fn an_unsound_template_matters_only_where_it_is_used() {
    let templates = [("a", "fine"), ("b", "{% if %}")];
    assert_eq!(fill(&templates, context! {}).as_deref(), Ok("fine"));
    assert!(Templates::new(templates).has("b"));
}
