//! The file there and back, edited by hand, faulty, and hostile.

use super::super::built_in;
use super::*;
use crate::dice::Dice;
use crate::render;
use crate::words::{Entity, Promise, Target};

fn write(file: &CriteriaFile) -> String {
    super::write(file, &built_in()).unwrap()
}

fn form<T>(value: T) -> Line<T> {
    Line::Form(value)
}

fn words<T>(text: &str) -> Line<T> {
    Line::Words(text.to_owned())
}

fn deliverable(path: &str, min_bytes: u64, about: &str) -> Line<Deliverable> {
    form(Deliverable {
        path: path.into(),
        min_bytes,
        about: about.into(),
    })
}

fn program(argv: &[&str], timeout_ms: u64) -> Line<Program> {
    form(Program {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        timeout_ms,
    })
}

fn example() -> CriteriaFile {
    CriteriaFile {
        title: "requirements-analysis".into(),
        deliverables: vec![
            deliverable("stories/S1/requirements.md", 1024, "what S1 needs"),
            deliverable("stories/S2/requirements.md", 1, ""),
            words("All user stories have requirements.md"),
        ],
        standards: vec![
            "Requirements follow SMART criteria".into(),
            "`stories/S1/requirements.md` has a section \"Scope\"".into(),
        ],
        scope: vec![form("stories/**".into()), words("No API is changed")],
        commands: vec![
            program(&["cargo", "test"], 600_000),
            program(&["sh", "-c", "a | b"], 90_000),
        ],
    }
}

const EXAMPLE: &str = "\
# Completion criteria of `requirements-analysis`

What must hold before this stage is complete. Edit it by hand: each entry counts as it stands, in \
its form or in plain words; text outside of lists does not count.

## Required deliverables

- `stories/S1/requirements.md`, at least 1024 bytes: what S1 needs
- `stories/S2/requirements.md`, not empty
- All user stories have requirements.md

## Quality standards

- Requirements follow SMART criteria
- `stories/S1/requirements.md` has a section \"Scope\"

## Scope compliance

- `stories/**`
- No API is changed

## Validation commands

- `cargo test`
- `sh -c 'a | b'`, within 90 seconds
";

fn context() -> Context {
    let target = |name: &str| Target {
        name: name.into(),
        promises: vec![Promise {
            path: format!("stories/{name}/requirements.md"),
            template: "stories/{story_id}/requirements.md".into(),
            names: Vec::new(),
        }],
    };
    Context {
        entities: vec![Entity::of_variable(
            "story_id",
            vec![target("S1"), target("S2")],
        )],
        promises: Vec::new(),
    }
}

/// The file of a text without fault.
fn file(text: &str) -> CriteriaFile {
    let Read { file, diagnostics } = read("COMPLETION_CRITERIA.md", text.as_bytes());
    assert_eq!(diagnostics, [], "{text}");
    file.unwrap()
}

/// The statements of a text, with what became of them.
fn statements(text: &str) -> Vec<String> {
    let shown = |statement: Statement| match statement.compiled {
        Compiled::Checks(understood) => format!("{}: {understood}", understood.rule),
        Compiled::Unverified(why) => format!("{}: {why}", statement.text),
    };
    let statements = file(text).statements(&context());
    statements.into_iter().map(shown).collect()
}

/// All diagnostics of a text as a terminal shows them.
fn rendered(text: &str) -> String {
    let Read { file, diagnostics } = read("C.md", text.as_bytes());
    let is_error = |d: &Diagnostic| d.severity == divisi_core::diagnostic::Severity::Error;
    assert_eq!(file.is_none(), diagnostics.iter().any(is_error));
    diagnostics
        .iter()
        .map(|d| render(d, Some(text), false))
        .collect()
}

fn section(heading: &str, entries: &str) -> String {
    format!("# A\n\n## {heading}\n\n{entries}\n")
}

#[test]
fn the_file_is_written_for_people_and_read_back() {
    assert_eq!(write(&example()), EXAMPLE);
    assert_eq!(file(EXAMPLE), example());
    let empty = CriteriaFile::default();
    assert_eq!(file(&write(&empty)), empty);
}

#[test]
fn every_entry_becomes_a_statement() {
    assert_eq!(
        statements(EXAMPLE),
        [
            "a required deliverable: stories/S1/requirements.md has at least 1024 bytes",
            "a required deliverable: stories/S2/requirements.md is not empty",
            "each target has its file: stories/S1/requirements.md is not empty; \
             stories/S2/requirements.md is not empty",
            "Requirements follow SMART criteria: it names no file, pattern, text or command that \
             a check could look at",
            "has a section: stories/S1/requirements.md has a section \"Scope\"",
            "the scope: changes only stories/**",
            "No API is changed: it names no file, pattern, text or command that a check could \
             look at",
            "a validation command: `cargo test` exits with 0",
            "a validation command: `sh -c 'a | b'` exits with 0",
        ]
    );
}

#[test]
fn hand_edits_count() {
    let with = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from), "{from}");
        statements(&EXAMPLE.replace(from, to))
    };
    let larger = with("at least 1024 bytes", "at least 2 KB");
    assert_eq!(
        larger[0],
        "a required deliverable: stories/S1/requirements.md has at least 2048 bytes"
    );
    let deleted = with("- `stories/S2/requirements.md`, not empty\n", "");
    assert_eq!(deleted.len(), statements(EXAMPLE).len() - 1);
    let added = with(
        "- Requirements follow",
        "- No TODO remains in stories/**\n- They are short\n* [ ] README.md exists.\n- Requirements follow",
    );
    assert_eq!(
        added[3..6],
        [
            "nothing remains: each of stories/** lacks \"TODO\"",
            "They are short: it names no file, pattern, text or command that a check could look at",
            "exists: README.md is there",
        ]
    );
    let for_each = with(
        "stories/S2/requirements.md",
        "stories/{story_id}/requirements.md",
    );
    assert_eq!(
        for_each[1],
        "a required deliverable: stories/S1/requirements.md is not empty; \
         stories/S2/requirements.md is not empty"
    );
    let windows = EXAMPLE.replace('\n', "\r\n");
    assert_eq!(statements(&windows), statements(EXAMPLE));
    let commented = with("- `cargo test`\n", "<!--\n- `cargo test`\n-->\n");
    assert_eq!(commented.len(), statements(EXAMPLE).len() - 1);
    let fenced = with(
        "- `cargo test`\n",
        "```sh\n$ cargo test\n# twice\ncargo test --release\n```\n\n",
    );
    assert_eq!(
        fenced[7..9],
        [
            "a validation command: `cargo test` exits with 0",
            "a validation command: `cargo test --release` exits with 0",
        ]
    );
}

#[test]
fn sizes_are_read_as_people_write_them() {
    for (entry, min_bytes, about) in [
        ("`a.md`", 1, ""),
        ("a.md", 1, ""),
        ("`a.md`, not empty", 1, ""),
        ("`a.md`, perhaps empty", 0, ""),
        ("`a.md`, at least 2 KB", 2048, ""),
        ("`a.md` (at least 2 KB)", 2048, ""),
        ("`a.md` (> 1KB): what it is", 1025, "what it is"),
        ("`a.md` - at least 2 KB", 2048, ""),
        ("`a.md` — at least 2 KB", 2048, ""),
        ("`a.md`: at least 2 KB", 2048, ""),
        ("`a.md`: what it is", 1, "what it is"),
        ("`a.md` - what it is: all of it", 1, "what it is: all of it"),
        (
            "`a.md`, at least 2 bytes: at most 9 KB: yes",
            2,
            "at most 9 KB: yes",
        ),
        ("a.md, larger than 1 KB", 1025, ""),
        ("`src/app/[id]/a b.tsx`, not empty", 1, ""),
    ] {
        let read = file(&section("Required deliverables", &format!("- {entry}")));
        let path = if entry.contains("app") {
            "src/app/[id]/a b.tsx"
        } else {
            "a.md"
        };
        assert_eq!(
            read.deliverables,
            [deliverable(path, min_bytes, about)],
            "{entry}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_never_passed_over() {
    let cases = [
        ("Required deliverables", "- `a.md`, at leest 2 KB"),
        ("Required deliverables", "- `a.md`, 2 KB"),
        ("Required deliverables", "- `a.md` 2048"),
        ("Required deliverables", "- `a.md`: a text of at least 2 KB"),
        ("Required deliverables", "- `a.md` - about 10 kb of text"),
        ("Required deliverables", "- `a.md`, at least 1.000 bytes"),
        ("Required deliverables", "- `a.md`\n- `a.md`, at least 2 KB"),
        ("Required deliverables", "- `a.md`\n  - `b.md`"),
        ("Required deliverables", "- `a.md`\n\n  `b.md`"),
        ("Required deliverables", "- `../a.md`"),
        ("Required deliverables", "- `/a.md`"),
        ("Required deliverables", "- `docs/`"),
        ("Required deliverables", "- `a.md\u{200b}`"),
        ("Required deliverables", "- "),
        (
            "Quality standards",
            "- One holds:\n  - a.md exists\n  - b.md exists",
        ),
        (
            "Quality standards",
            "- `{\"contians\": \"x\", \"in\": \"a.md\"}`",
        ),
        ("Quality standards", "- a.md exists \u{202e}"),
        ("Scope compliance", "- `src/[`"),
        ("Scope compliance", "- `src/`"),
        ("Scope compliance", "- `../**`"),
        ("Scope compliance", "- `src/**` and more"),
        ("Validation commands", "- `cargo test | tee log`"),
        ("Validation commands", "- `cargo test`, within 5 parsecs"),
        ("Validation commands", "- `cargo test` unless tired"),
        ("Validation commands", "```\na && b\n```"),
        ("Quality standard", "- a.md exists"),
        ("Notes", "- a.md exists"),
        ("Scope compliance", "- `a`\n\n## Scope compliance\n\n- `b`"),
    ];
    for (heading, entries) in cases {
        let text = section(heading, entries);
        let read = read("C.md", text.as_bytes());
        assert_eq!(read.file, None, "{text}");
        let place = read.diagnostics[0].place.as_ref().unwrap();
        assert!(place.line >= 3 && place.column >= 1, "{text}: {place}");
    }
    for text in ["", "# Completion criteria\n", "- a.md exists\n"] {
        assert_eq!(read("C.md", text.as_bytes()).file, None, "{text}");
    }
}

#[test]
fn faults_have_their_place_and_the_nearest_name() {
    let text = "\
# A

## Required deliverable

- `a.md`

## Validation commands

Run these:

- `cargo test > log`
- `cargo test`, withn 5 minutes
- `{\"comand\": [\"a\"]}`

## Required deliverables

- `a.md`, at least 2 kilobyts
- `b.md`, at least 2 KB
- `b.md`
";
    assert_eq!(
        rendered(text),
        "\
error[criteria-section]: the section `Required deliverable` is none of Required deliverables, \
Quality standards, Scope compliance, Validation commands
 --> C.md:3:1
  |
3 | ## Required deliverable
  | ^
hint: did you mean `Required deliverables`?
hint: put notes before the first section
warning[criteria-prose]: this text does not count: it is no entry of a section
 --> C.md:9:1
  |
9 | Run these:
  | ^
hint: begin the line with `- ` beneath one of the sections
error[text-command]: the command `cargo test > log` needs a shell for '>'; quote it, or write `sh \
-c '…'`
  --> C.md:11:3
   |
11 | - `cargo test > log`
   |   ^
hint: put a shell's syntax into a script of the project and run that
error[criteria-entry]: after the command stands `withn 5 minutes`
  --> C.md:12:3
   |
12 | - `cargo test`, withn 5 minutes
   |   ^
hint: write nothing, or `, within 5 minutes`
error[criteria-entry]: it is not a criterion in JSON: the criterion has none of the keys file, \
contains, matches, lacks, section, format, schema, command, scope, changed, count, cites, each; did you mean \
`command`?
  --> C.md:13:3
   |
13 | - `{\"comand\": [\"a\"]}`
   |   ^
error[criteria-entry]: after the path stands `, at least 2 kilobyts`, which is no size
  --> C.md:17:3
   |
17 | - `a.md`, at least 2 kilobyts
   |   ^
hint: did you mean `kilobytes`?
hint: write `` `path`, at least 1 KB: what it is ``
error[criteria-entry]: `b.md` is required twice, first in line 18
  --> C.md:19:3
   |
19 | - `b.md`
   |   ^
"
    );
}

#[test]
fn every_code_of_the_file_is_emitted_by_an_example() {
    let codes = |text: &str| read("C.md", text.as_bytes()).diagnostics;
    let texts = [
        section("Notes", "- a"),
        section("Scope compliance", "a"),
        section("Scope compliance", "- `a` b"),
    ];
    let emitted = texts.iter().flat_map(|text| codes(text)).map(|d| d.code);
    let emitted: std::collections::BTreeSet<String> = emitted.collect();
    let known = crate::CODES.iter().map(|(code, _)| (*code).to_owned());
    assert_eq!(
        emitted,
        known.filter(|code| code.starts_with("criteria-")).collect()
    );
}

/// A line of words that reading takes as words, whatever it begins with.
fn some_words(dice: &mut Dice) -> String {
    let start = dice.pick(&[
        "", "# ", "> ", "- ", "1. ", "12) ", "+ ", "* ", "[x] ", "<b>", "\\", "~~~", "=== ", "_",
        "[a]: ", "! ",
    ]);
    let rest = dice.pick(&[
        "They are short",
        "All stories have requirements.md",
        "no `code` *and* <!-- no comment",
        "ü → 𝄞 & &amp; \\n",
        "a.md has a section \"Usage\"",
        "x  two  spaces",
    ]);
    format!("{start}{rest}")
}

fn some_file(dice: &mut Dice) -> CriteriaFile {
    let path = |dice: &mut Dice| {
        let stem = dice.pick(&[
            "a", "src/b c", "ü/`x`", "[id]", "-rf", "#1", " s ", "{a}/b", "1.",
        ]);
        format!("{stem}{}.md", dice.roll(1_000_000))
    };
    let line_of = |words: bool, dice: &mut Dice| words.then(|| some_words(dice));
    CriteriaFile {
        title: dice
            .pick(&["", "a", "of b", "`c` # d", "E01 \\ *x*", "{{ f }}"])
            .into(),
        deliverables: dice.list(4, |dice| match dice.one_in(4) {
            true => Line::Words(some_words(dice)),
            false => {
                let about = dice.pick(&["", "what it is", "a: b, c - d", "at least 2 KB", "`x`"]);
                deliverable(&path(dice), dice.pick(&[0, 1, 2, 1 << 40]), about)
            }
        }),
        standards: dice.list(4, some_words),
        scope: dice.list(3, |dice| match line_of(dice.one_in(4), dice) {
            Some(words) => Line::Words(words),
            None => form(
                dice.pick(&["src/**", "a.md", "`x`/*", "{a,b}/**"])
                    .to_owned(),
            ),
        }),
        commands: dice.list(3, |dice| match line_of(dice.one_in(4), dice) {
            Some(words) => Line::Words(words),
            None => {
                let last = dice.pick(&["", "a b", "'", "`", "$x", "ü", "{\"a\": 1}"]);
                let ms = dice.pick(&[600_000, 1, 90_000, 3_600_000]);
                program(&[dice.pick(&["cargo", "./a b", "{"]), last], ms)
            }
        }),
    }
}

#[test]
fn every_file_survives_being_written() {
    for seed in 0..3_000 {
        let given = some_file(&mut Dice(seed));
        let text = write(&given);
        let Read { file, diagnostics } = read("C.md", text.as_bytes());
        assert_eq!(diagnostics, [], "seed {seed}: {text}");
        assert_eq!(file, Some(given), "seed {seed}: {text}");
    }
}

#[test]
fn a_command_that_no_line_can_hold_is_written_as_json() {
    let given = CriteriaFile {
        commands: vec![program(&["sh", "-c", "a\nb"], 600_000)],
        ..CriteriaFile::default()
    };
    let read = file(&write(&given));
    let criteria = |file: &CriteriaFile| {
        let mut statements = file.statements(&Context::default());
        statements.remove(0).compiled.criteria("")
    };
    assert_eq!(criteria(&read), criteria(&given));
}

#[test]
fn hostile_files_are_survived() {
    let long = write(&some_file(&mut Dice(7)));
    let corpus = [
        EXAMPLE,
        &long,
        "## Scope compliance\n\n- ",
        "```\n~~~\n> - a\n",
    ];
    let mut sound = 0;
    for seed in 0..6_000 {
        let text = Dice(seed).mutated(&corpus);
        let Read { file, diagnostics } = read("C.md", text.as_bytes());
        for diagnostic in &diagnostics {
            assert!(diagnostic.place.is_some(), "seed {seed}");
        }
        if let Some(file) = file {
            sound += 1;
            // What was read is written and read again as the same.
            let again = read_again(&file);
            assert_eq!(again.as_ref(), Some(&file), "seed {seed}: {text:?}");
        }
    }
    assert!(sound > 500, "only {sound} files were without fault");
}

fn read_again(file: &CriteriaFile) -> Option<CriteriaFile> {
    read("C.md", write(file).as_bytes()).file
}

#[test]
fn giants_are_bounded() {
    let codes = |text: &str| -> Vec<String> {
        let read = read("C.md", text.as_bytes());
        read.diagnostics.into_iter().map(|d| d.code).collect()
    };
    let many = section("Quality standards", &"- a b c\n".repeat(ENTRIES_MAX + 1));
    assert_eq!(codes(&many), ["text-too-large"]);
    assert_eq!(
        codes(&"a".repeat(CRITERIA_BYTES_MAX + 1)),
        ["text-too-large"]
    );
    assert_eq!(codes("\u{feff}## Scope compliance\n"), [""; 0]);
    let deep = section("Scope compliance", &"> - ".repeat(100_000));
    assert_eq!(codes(&deep), ["criteria-prose"]);
    let nested = section("Quality standards", &"1. ".repeat(50_000));
    assert_eq!(codes(&nested), ["criteria-entry"]);
    let marks = section("Quality standards", &format!("- {}", "`a".repeat(200_000)));
    assert_eq!(codes(&marks), [""; 0]);
    let not_text = read("C.md", b"## Scope\xff");
    assert_eq!(not_text.diagnostics[0].code, "text-encoding");
}
