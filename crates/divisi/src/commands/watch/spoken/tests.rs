use serde_json::json;

use super::*;

fn speaker(heard: Heard) -> Speaker {
    Speaker::new(RunId(1), &TaskId::new("a").unwrap(), 2, heard)
}

/// What is shown of these lines of a log.
fn shown(heard: Heard, lines: &[&str]) -> String {
    let mut speaker = speaker(heard);
    let lines = lines.iter().flat_map(|line| speaker.lines(line));
    let lines: Vec<String> = lines.map(|line| line.render(false)).collect();
    lines.join("\n")
}

#[test]
fn each_entry_is_a_line_that_people_read() {
    let tokens = json!({"input_tokens": 1_000, "output_tokens": 50, "cache_read_tokens": 7,
        "cache_write_tokens": 200, "cost_usd_micros": 1_500_000});
    let long = format!("{}\nmore", "x".repeat(300));
    let entries = [
        json!({"entry": "began", "session": "abc"}),
        json!({"entry": "said", "text": "I read it.\nThen I write.\n"}),
        json!({"entry": "called", "function": "Write", "input": long}),
        json!({"entry": "returned", "succeeded": true, "output": "ok"}),
        json!({"entry": "returned", "succeeded": false, "output": "no such file"}),
        json!({"entry": "denied", "what": "Write /etc/passwd"}),
        json!({"entry": "retried", "cause": "overloaded"}),
        json!({"entry": "used", "usage": tokens}),
        json!({"entry": "broke", "cause": "invalid key", "status": 401}),
        json!({"entry": "finished", "text": "Done."}),
        json!({"entry": "noted", "text": "a warning"}),
        json!({"entry": "closed", "claim": {"failed": {"cause": "invalid key"}}, "usage": tokens}),
        json!({"entry": "closed", "claim": "done",
            "usage": {"input_tokens": 2_000, "output_tokens": 90}}),
    ];
    let lines: Vec<String> = entries.iter().map(ToString::to_string).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let expected = format!(
        "  began     abc
  said      I read it.
            Then I write.
  called    Write {} … 145 more characters
  returned  ok
  returned  failed no such file
  denied    Write /etc/passwd
  retried   overloaded
  used      1200 tokens read, 7 from a cache, 50 written, $1.500000
  broke     401: invalid key
  finished  Done.
  noted     a warning
  claims    it failed: invalid key
  claims    it is done
  used      in all 2000 tokens read, 90 written",
        "x".repeat(SHORT_CHARS_MAX)
    );
    assert_eq!(shown(Heard::Entries, &lines), expected);
}

#[test]
fn last_words_are_not_told_twice_and_nothing_steers_a_terminal() {
    let lines = [
        r#"{"entry":"said","text":"Done.\u001b[2J"}"#,
        r#"{"entry":"finished","text":"Done.\u001b[2J"}"#,
        "a stack trace \u{1b}[31m",
        r#"{"entry":"unheard-of"}"#,
    ];
    let expected = "  said      Done.\u{fffd}[2J
  finished
a stack trace \u{fffd}[31m
{\"entry\":\"unheard-of\"}";
    assert_eq!(shown(Heard::Entries, &lines), expected);
}

#[test]
fn what_a_program_prints_is_shown_as_it_is() {
    let line = r#"{"entry":"said","text":"It is only a program."}"#;
    assert_eq!(shown(Heard::Lines, &[line, "two"]), format!("{line}\ntwo"));
    let object = speaker(Heard::Lines).object(line);
    let expected = json!({"run": "run-1", "task": "a", "attempt": 2, "line": line});
    assert_eq!(object, expected);
}

#[test]
fn entries_say_whose_they_are() {
    let object = |line: &str| speaker(Heard::Entries).object(line);
    let said = json!({"entry": "said", "text": "x", "run": "run-1", "task": "a", "attempt": 2});
    assert_eq!(object(r#"{"entry":"said","text":"x"}"#), said);
    for line in ["plain", "[1]", r#"{"entry":1}"#] {
        let expected = json!({"run": "run-1", "task": "a", "attempt": 2, "line": line});
        assert_eq!(object(line), expected);
    }
}

#[test]
fn a_line_that_says_when_begins_with_the_time_of_day() {
    let line = json!({"entry": "said", "text": "I read it.\nThen I write.", "at": 1_000});
    let line = line.to_string();
    let mut speaker = speaker(Heard::Entries);
    let lines = timed(&line, speaker.lines(&line));
    let [first, second] = &lines[..] else {
        panic!("{lines:?}");
    };
    let time = words::time_of_day(divisi_core::Time(1_000));
    assert_eq!(first.render(false), format!("{time}  said      I read it."));
    assert_eq!(second.render(false), "                    Then I write.");
}
