//! Templates filled, hostile data, hostile templates.

use divisi_core::criterion::Outcome;

use super::*;

fn input(id: &str, title: &str, files: &[(&str, &str)]) -> Input {
    let file = |(path, text): &(&str, &str)| Artifact::new(path, text.as_bytes().to_vec());
    Input {
        id: id.into(),
        title: title.into(),
        status: "done".into(),
        artifacts: files.iter().map(file).collect(),
        verdicts: Vec::new(),
    }
}

fn request(template: Option<&str>, output: &str, inputs: Vec<Input>) -> Request {
    Request {
        template: template.map(str::to_owned),
        output: output.into(),
        inputs,
        run: Facts {
            id: "run-1".into(),
            title: "Review".into(),
            date: "2026-01-02".into(),
        },
    }
}

fn filled(template: &str, inputs: Vec<Input>) -> Result<String, Fault> {
    let bytes = compose(&request(Some(template), "out.md", inputs))?;
    Ok(String::from_utf8(bytes).unwrap())
}

fn refused(template: &str) -> String {
    let inputs = vec![input("a", "A", &[("a.md", "x"), ("raw", "y")])];
    filled(template, inputs).unwrap_err().to_string()
}

#[test]
fn a_template_sees_inputs_and_run() {
    let mut one = input(
        "a",
        "First",
        &[("a.json", r#"{"n": [1, 2]}"#), ("b.md", "x\ny\n")],
    );
    one.verdicts.push(Verdict {
        criterion: "a.json is json".into(),
        outcome: Outcome::Pass,
        evidence: String::new(),
    });
    let template = "{{ run.title }} {{ run.date }} {{ run.id }}\n\
        {% for i in inputs %}{{ i.id }} {{ i.title }} {{ i.status }}\n\
        {% for v in i.verdicts %}{{ v.criterion }}: {{ v.outcome }}\n{% endfor %}\
        {% for f in i.artifacts %}{{ f.path }} {{ f.bytes }} {{ f.lines|length }} \
        {% if f.json is not none %}{{ f.json.n[1] }} {{ f.json|tojson }}{% endif %}\n\
        {% endfor %}{% endfor %}";
    let expected = "Review 2026-01-02 run-1\na First done\na.json is json: pass\n\
        a.json 13 1 2 {\"n\": [1, 2]}\nb.md 4 2 \n";
    assert_eq!(filled(template, vec![one]).unwrap(), expected);
}

#[test]
fn data_that_looks_like_a_template_stays_data() {
    let attack = "{{ 7 * 7 }}{% for x in range(9) %}{{ run }}{% endfor %}{# c #}<b>&";
    let template = "{{ inputs[0].title }}|{{ inputs[0].artifacts[0].text }}";
    let inputs = vec![input("a", attack, &[(attack, attack)])];
    assert_eq!(
        filled(template, inputs.clone()).unwrap(),
        format!("{attack}|{attack}")
    );
    let joined = compose(&request(None, "out.md", inputs)).unwrap();
    let expected = format!("# Review\n\n## {attack}\n\n{attack}\n");
    assert_eq!(String::from_utf8(joined).unwrap(), expected);
}

#[test]
fn what_is_not_there_is_named_with_its_line() {
    for (template, expected) in [
        (
            "a\n{{ nobody }}",
            "fill the template in line 2: undefined value",
        ),
        (
            "{{ inputs[0].artifacts[0].nothing }}",
            "in line 1: undefined value",
        ),
        ("{{ inputs[9].id }}", "in line 1: undefined value"),
        ("\n\n{% for %}", "in line 3: syntax error: "),
        (
            "{% include '/etc/passwd' %}",
            "in line 1: template not found",
        ),
        ("{% extends 'x' %}", "in line 1: template not found"),
        ("{% include 'template' %}", "recursion limit"),
        ("{% macro f() %}{% endmacro %}", "unknown statement macro"),
        ("{{ debug() }}", "unknown function"),
        ("{{ 1|frob }}", "in line 1: unknown filter"),
    ] {
        let fault = refused(template);
        assert!(fault.contains(expected), "{template}: {fault}");
    }
}

#[test]
fn endless_templates_are_stopped() {
    let nested = "{% for a in range(100000) %}{% for b in range(100000) %}\
        {% endfor %}{% endfor %}";
    assert!(refused(nested).contains("it takes more than 5000000 steps"));
    let recursive = "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}";
    assert!(
        refused(recursive).contains("recursion limit"),
        "{}",
        refused(recursive)
    );
    let long = format!(
        "{{% for a in range(100000) %}}{}{{% endfor %}}",
        "x".repeat(1_000)
    );
    assert!(refused(&long).contains("the output has more than 16777216 bytes"));
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(refused(&deep).contains("in line 1: syntax error"));
    let huge = " ".repeat(TEMPLATE_BYTES_MAX + 1);
    assert!(refused(&huge).contains("the template has more than 262144 bytes"));
}

#[test]
fn without_a_template_inputs_follow_each_other() {
    let raw = Artifact::new("logo", vec![0xff, 0xfe]);
    let mut second = input(
        "b",
        "Second\n# not a heading",
        &[("x.md", "x\n\n"), ("y.md", "y")],
    );
    second.artifacts.push(raw);
    let inputs = vec![
        input("a", "First", &[("a.md", "text\n")]),
        second,
        input("c", "Third", &[]),
    ];
    let joined = compose(&request(None, "out.md", inputs.clone())).unwrap();
    let expected = "# Review\n\n## First\n\ntext\n\n## Second # not a heading\n\n### x.md\n\nx\n\n\
        ### y.md\n\ny\n\n### logo\n\n(logo: 2 bytes that are not text)\n\n## Third\n\n\
        (done, no files)\n";
    assert_eq!(String::from_utf8(joined).unwrap(), expected);
    let data = compose(&request(None, "out.json", inputs)).unwrap();
    let data: serde_json::Value = serde_json::from_slice(&data).unwrap();
    assert_eq!(data["inputs"][1]["artifacts"][0]["text"], "x\n\n");
    assert_eq!(
        data["inputs"][1]["artifacts"][2]["text"],
        serde_json::Value::Null
    );
}

#[test]
fn too_much_is_refused_before_anything_is_rendered() {
    let big = "x".repeat(INPUTS_BYTES_MAX / 2 + 1);
    let inputs = vec![input("a", "A", &[("a", &big), ("b", &big)])];
    let fault = filled("", inputs).unwrap_err().to_string();
    assert_eq!(
        fault,
        "compose: the text of all inputs has more than 16777216 bytes"
    );
}

#[test]
fn the_composing_process_reads_a_request_and_writes_beneath_its_workspace() {
    let folder = tempfile::tempdir().unwrap();
    let run = |output: &str| {
        let request = request(Some("{{ run.title }}\n"), output, Vec::new());
        work(
            serde_json::to_vec(&request).unwrap().as_slice(),
            folder.path(),
        )
    };
    assert_eq!(run("docs/out.md").unwrap(), 7);
    let written = std::fs::read_to_string(folder.path().join("docs/out.md")).unwrap();
    assert_eq!(written, "Review\n");
    assert!(matches!(run("../out.md"), Err(Fault::Write { .. })));
    std::os::unix::fs::symlink("/tmp", folder.path().join("way")).unwrap();
    assert!(matches!(run("way/out.md"), Err(Fault::Write { .. })));
    let torn = work(b"{\"template\":".as_slice(), folder.path());
    assert!(matches!(torn, Err(Fault::Request { .. })));
}

#[test]
fn the_machine_is_to_blame_only_where_another_try_may_succeed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("docs")).unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    std::os::unix::fs::symlink("/tmp", folder.path().join("link")).unwrap();
    let fault = |template: &str, output: &str| {
        let request = request(Some(template), output, Vec::new());
        let request = serde_json::to_vec(&request).unwrap();
        work(request.as_slice(), folder.path()).unwrap_err()
    };
    for (template, output) in [
        ("{{ nobody }}", "out.md"),
        ("{{ nothing( }}", "out.md"),
        ("x", "docs"),
        ("x", "file/out.md"),
        ("x", "link/out.md"),
        ("x", "link"),
        ("x", "../out.md"),
    ] {
        let fault = fault(template, output);
        assert!(!fault.is_ours(), "{template} to {output}: {fault}");
    }
    let torn = work(b"{".as_slice(), folder.path()).unwrap_err();
    assert!(torn.is_ours());
    let full = Fault::Write {
        source: divisi_agents::beneath::Fault::Io {
            path: "out.md".to_owned(),
            source: std::io::Error::from_raw_os_error(libc::ENOSPC),
        },
    };
    assert!(full.is_ours());
}
