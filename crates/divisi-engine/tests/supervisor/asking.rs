//! Jobs that ask leave for something, and what becomes of it when engines come and go.

use divisi_core::permission::{Decision, Deed, Request};
use divisi_core::receipt::Exit;
use divisi_core::worker::{Answered, FromWorker, Held, Job, ProcessSpec, ToWorker};

use crate::stage::{Engine, Stage, job};

fn request(id: &str) -> Request {
    Request {
        id: id.to_owned(),
        deed: Deed::Edit,
        title: "Write a.md".to_owned(),
        paths: vec!["a.md".to_owned()],
        command: None,
    }
}

/// A script that asks on its standard input.
fn asking(stage: &Stage, script: &str) -> ProcessSpec {
    ProcessSpec {
        asks: true,
        ..stage.script(script)
    }
}

/// A line of the script with which it asks.
fn ask(id: &str) -> String {
    let line = serde_json::to_string(&request(id)).unwrap();
    format!("printf '%s\\n' '{line}' >&0")
}

fn hear_asked(engine: &Engine, expected: Job, stage: &Stage) -> Request {
    match engine.hear() {
        FromWorker::Asks { job, cwd, request } if job == expected => {
            assert_eq!(cwd, stage.path("work").display().to_string());
            request
        }
        other => panic!("{expected} asks nothing: {other:?}"),
    }
}

fn answer(engine: &Engine, job: Job, id: &str, decision: Decision) {
    let id = id.to_owned();
    let answered = Answered { id, decision };
    engine.say(ToWorker::Answer { job, answered });
}

fn denied() -> Decision {
    Decision::Deny {
        reason: "no".to_owned(),
    }
}

#[test]
fn a_job_asks_on_its_standard_input_and_is_answered_there() {
    let stage = Stage::new();
    let engine = stage.engine();
    // What it starts has the socket only if it is given it.
    let script = format!(
        "{}; read -r one; echo \"$one\"; (cat < /dev/null); {}; read -r other; echo \"$other\"",
        ask("1"),
        ask("2")
    );
    engine.start(job(0), asking(&stage, &script));
    engine.started(job(0));
    assert_eq!(hear_asked(&engine, job(0), &stage), request("1"));
    // Nobody waits for these.
    answer(&engine, job(0), "7", Decision::Allow);
    answer(&engine, job(1), "1", Decision::Allow);
    answer(&engine, job(0), "1", Decision::Allow);
    assert_eq!(hear_asked(&engine, job(0), &stage), request("2"));
    // It is answered once.
    answer(&engine, job(0), "1", denied());
    answer(&engine, job(0), "2", denied());
    assert_eq!(engine.ended(job(0)).exit, Exit::Status(0));
    let expected = "{\"id\":\"1\",\"decision\":\"allow\"}\n\
                    {\"id\":\"2\",\"decision\":{\"deny\":{\"reason\":\"no\"}}}\n";
    assert_eq!(stage.log(), expected);
}

#[test]
fn the_next_engine_is_told_what_was_not_answered_and_answers_it() {
    let stage = Stage::new();
    let engine = stage.join(1, 600_000);
    let script = format!(
        "{}; {}; read -r one; read -r other; echo \"$one\" \"$other\"",
        ask("1"),
        ask("2")
    );
    engine.start(job(0), asking(&stage, &script));
    engine.started(job(0));
    hear_asked(&engine, job(0), &stage);
    hear_asked(&engine, job(0), &stage);
    answer(&engine, job(0), "1", Decision::Allow);
    // The answer was taken before this one is.
    engine.say(ToWorker::Observe);
    assert!(matches!(engine.hear(), FromWorker::Observed { .. }));
    drop(engine);

    let next = stage.join(2, 0);
    let Some(Held::Live { cwd, asks, .. }) = next.holds.get(&job(0)) else {
        panic!("it lives: {:?}", next.holds);
    };
    assert_eq!(*asks, [request("2")]);
    assert_eq!(*cwd, stage.path("work").display().to_string());
    answer(&next, job(0), "2", denied());
    assert_eq!(next.ended(job(0)).exit, Exit::Status(0));
    assert!(stage.log().contains("deny"), "{}", stage.log());
}

#[test]
fn who_asks_more_than_can_be_kept_waits_for_room() {
    let stage = Stage::new();
    let engine = stage.engine();
    let asks: Vec<String> = (0..40).map(|id| ask(&id.to_string())).collect();
    let script = format!(
        "{}\nfor i in $(seq 40); do read -r answer; done; echo \"$answer\"",
        asks.join("\n")
    );
    engine.start(job(0), asking(&stage, &script));
    engine.started(job(0));
    for id in 0..32 {
        let asked = hear_asked(&engine, job(0), &stage);
        assert_eq!(asked.id, id.to_string());
    }
    // The next one is heard once there is room, and not before.
    engine.say(ToWorker::Observe);
    assert!(matches!(engine.hear(), FromWorker::Observed { .. }));
    for id in 0..40 {
        answer(&engine, job(0), &id.to_string(), Decision::Allow);
        if id < 8 {
            hear_asked(&engine, job(0), &stage);
        }
    }
    assert_eq!(engine.ended(job(0)).exit, Exit::Status(0));
    assert_eq!(stage.log(), "{\"id\":\"39\",\"decision\":\"allow\"}\n");
}

#[test]
fn who_says_what_is_no_request_is_not_heard_any_more() {
    let stage = Stage::new();
    let engine = stage.engine();
    let twice = format!("{}; {}", ask("1"), ask("1"));
    let long = "printf '%300000s' x >&0".to_owned();
    let garbage = [("echo garbage >&0".to_owned(), 0), (twice, 1), (long, 0)];
    for (at, (script, heard)) in garbage.into_iter().enumerate() {
        let job = job(at as u32);
        // The end of its input tells it that nobody hears.
        let script = format!("{script}; read -r answer || echo gone");
        let mut spec = asking(&stage, &script);
        spec.log = stage
            .path("logs")
            .join(format!("{at}.log"))
            .display()
            .to_string();
        engine.start(job, spec.clone());
        engine.started(job);
        for _ in 0..heard {
            hear_asked(&engine, job, &stage);
        }
        assert_eq!(engine.ended(job).exit, Exit::Status(0), "{script}");
        assert_eq!(std::fs::read_to_string(spec.log).unwrap(), "gone\n");
    }
}
