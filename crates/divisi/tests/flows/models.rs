//! Tasks that are done by a model over its API, in the three forms in which most are asked: against a
//! model that answers from a script.

use divisi_core::receipt::Receipt;
use divisi_core::run::{AttemptEnd, Failure, Run, RunStatus, StopReason};
use serde_json::{Value, json};

use crate::model::{ALWAYS, Api, Call, Fault, Model, Rule, TOKENS, Turn};
use crate::plans::{GOOD, INTENT, PARTIAL};
use crate::stage::{Stage, endings, stands, task, write};

/// A key that nobody else has; it must stand nowhere.
const KEY: &str = "scripted-key-91c3e04b";

/// As configuration names them, and in which form the server is then asked.
const PROVIDERS: [(&str, Api); 5] = [
    ("anthropic", Api::Messages),
    ("openai", Api::Completions),
    ("openai-responses", Api::Responses),
    ("gemini", Api::Generate),
    ("openrouter", Api::Completions),
];

/// A repository in which `model` is this one.
fn stage(provider: &str, model: &Model) -> Stage {
    stage_with(provider, model, &json!({}))
}

/// The same, with more said of the model.
fn stage_with(provider: &str, model: &Model, more: &Value) -> Stage {
    let mut settings = json!({
        "provider": provider,
        "model": "scripted-1",
        "url": format!("{}/v1", model.url()),
        "key": "SCRIPTED_KEY",
    });
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let stage = Stage::git(&[("README.md", "# A project\n")])
        .with_env("SCRIPTED_KEY", KEY)
        .with_env("DIVISI_AGENTS_MODEL", &settings.to_string());
    // A usage limit is waited for in no time.
    write(stage.path("divisi.yaml"), "limits:\n  delay_seconds: 0\n");
    stage
}

fn turn(say: &str, call: Option<Call>) -> Turn {
    Turn {
        say: say.to_owned(),
        call,
        ..Turn::default()
    }
}

fn writing(path: &str, content: &str) -> Call {
    Call::Write {
        path: path.to_owned(),
        content: content.to_owned(),
    }
}

fn raw(name: &str, arguments: &str) -> Call {
    Call::Raw {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    }
}

/// One call after the other, then the end.
fn calls(words: &[&str], calls: Vec<Call>) -> Rule {
    let turns = calls.into_iter().map(|call| turn("I do it.", Some(call)));
    Rule {
        words: words.iter().map(|&words| words.to_owned()).collect(),
        turns: turns.chain([turn("It is done.", None)]).collect(),
    }
}

fn log(stage: &Stage, task: &str) -> String {
    stage.divisi(&["logs", "run-1", task]).stdout
}

/// The key stands nowhere in what is kept, and nobody works any more.
fn leaves_nothing(stage: &Stage) {
    assert_eq!(stage.jobs(), [0; 0], "no process is left");
    let found = std::process::Command::new("grep")
        .args(["-rlF", KEY])
        .arg(stage.path(".divisi"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

fn whole_run((provider, api): (&str, Api)) {
    let model = Model::start(vec![
        calls(
            &["TASK-alpha"],
            vec![
                writing("alpha.md", "# Alpha\n"),
                raw("read", "{\"path\": \"alpha.md\"}"),
                raw(
                    "edit",
                    &json!({"path": "alpha.md", "old": "# Alpha\n", "new": "# Alpha\n\n## API\n"})
                        .to_string(),
                ),
            ],
        ),
        calls(
            &["TASK-beta", "was refused"],
            vec![Call::Shell(
                "printf '# Beta\\n\\n## API\\n' > beta.md".to_owned(),
            )],
        ),
        calls(&["TASK-beta"], vec![writing("beta.md", "# Beta\n")]),
    ]);
    let stage = stage(provider, &model);
    let subtask = |id: &str| {
        json!({
            "subtask_id": id,
            "title": format!("Write {id}"),
            "description": format!("TASK-{id}: write {id}.md, which describes it."),
            "agent": "model",
            "deliverables": [format!("{id}.md")],
            "criteria": [{"contains": "## API", "in": format!("{id}.md")}],
        })
    };
    let plan = json!({"task_title": "Two parts", "subtasks": [subtask("alpha"), subtask("beta")]});
    let ran = stage.run(&plan, &["-j", "2"]);
    let told = || {
        let logs = ["alpha", "beta"].map(|id| log(&stage, id));
        format!("{}\n{}\n{:#?}", ran.stderr, logs.join("\n"), model.seen())
    };
    let run = stage.only();
    assert_eq!(run.status(), RunStatus::Succeeded, "{}", told());
    stands(
        &run,
        RunStatus::Succeeded,
        &[("alpha", "done"), ("beta", "done")],
    );
    assert_eq!(task(&run, "alpha").attempts(), 1, "{}", told());
    assert_eq!(task(&run, "beta").attempts(), 2, "{}", told());
    let receipts = &endings(&run, "alpha")[0].receipts;
    let used = receipts.iter().find_map(Receipt::usage);
    assert_eq!(used.map(|used| used.tokens), Some(4 * TOKENS), "{}", told());
    let seen = model.seen();
    assert!(seen.iter().all(|seen| seen.api == api), "{}", told());
    // Four answers, and two for each attempt of the other: after the work, nothing is asked.
    assert_eq!(seen.len(), 8, "{}", told());
    let retry = seen.iter().find(|seen| seen.user.contains("was refused"));
    let retry = retry.unwrap_or_else(|| panic!("the retry was told nothing: {}", told()));
    assert!(
        retry.user.contains("not met: beta.md contains"),
        "{}",
        retry.user
    );
    let read = seen.iter().find(|seen| seen.results.len() == 2).unwrap();
    assert_eq!(read.results[0], "# Alpha\n");
    for (path, text) in [
        ("alpha.md", "# Alpha\n\n## API\n"),
        ("beta.md", "# Beta\n\n## API\n"),
    ] {
        assert_eq!(stage.result(path).as_deref(), Some(text), "{}", told());
    }
    leaves_nothing(&stage);
}

#[test]
fn a_model_of_anthropics_does_two_tasks_and_repairs_what_was_refused() {
    whole_run(PROVIDERS[0]);
}

#[test]
fn a_model_of_openais_completions_does_two_tasks_and_repairs_what_was_refused() {
    whole_run(PROVIDERS[1]);
}

#[test]
fn a_model_of_openais_responses_does_two_tasks_and_repairs_what_was_refused() {
    whole_run(PROVIDERS[2]);
}

#[test]
fn a_model_of_geminis_does_two_tasks_and_repairs_what_was_refused() {
    whole_run(PROVIDERS[3]);
}

#[test]
fn a_model_of_openrouters_does_two_tasks_and_repairs_what_was_refused() {
    whole_run(PROVIDERS[4]);
}

#[test]
fn a_model_plans_an_intent_is_told_what_is_wrong_and_does_what_it_planned() {
    let planned =
        |words: &[&str], plan: &str| calls(words, vec![writing("divisi-plan.json", plan)]);
    for (provider, _) in PROVIDERS {
        let model = Model::start(vec![
            calls(&["TASK-limit"], vec![writing("limit.txt", "ten\n")]),
            calls(
                &["TASK-docs"],
                vec![writing("limits.md", "# Limits\n\nAt most ten.\n")],
            ),
            planned(&["Make a plan", "lint-uncovered"], GOOD),
            planned(&["Make a plan"], PARTIAL),
        ]);
        let stage = stage(provider, &model);
        let by_model = ["--planner", "agent", "--agent", "model", "--yes"];
        let ran = stage.divisi(&[&["run", INTENT][..], &by_model].concat());
        let told = || format!("{provider}: {}\n{:#?}", ran.stderr, model.seen());
        let run = stage.only();
        assert_eq!(run.status(), RunStatus::Succeeded, "{}", told());
        let tasks = [("plan", "split"), ("limit", "done"), ("docs", "done")];
        stands(&run, RunStatus::Succeeded, &tasks);
        let [first, second] = endings(&run, "plan") else {
            panic!("{}", told());
        };
        let AttemptEnd::Refused(Failure::Plan(faults)) = &first.end else {
            panic!("{:?}, {}", first.end, told());
        };
        assert!(
            faults.iter().any(|it| it.contains("lint-uncovered")),
            "{faults:?}"
        );
        assert_eq!(
            (&*second.agent, &second.end),
            ("model", &AttemptEnd::Expanded)
        );
        assert_eq!(stage.result("limit.txt").as_deref(), Some("ten\n"));
        leaves_nothing(&stage);
    }
}

/// One task, tried once.
fn plan() -> Value {
    json!({"task_title": "One part", "subtasks": [{
        "subtask_id": "part",
        "description": "TASK-part: write part.md.",
        "agent": "model",
        "deliverables": ["part.md"],
        "retries": 0,
        "timeout_minutes": 2,
    }]})
}

#[test]
fn a_faulty_call_is_told_and_repaired() {
    for (provider, _) in PROVIDERS {
        let model = Model::start(vec![calls(
            &["TASK-part"],
            vec![
                raw("write", "{\"path\": \"part.md\", \"text\": "),
                raw("write_file", "{}"),
                raw("write", "{\"path\": \"part.md\"}"),
                writing("part.md", "# Part\n"),
            ],
        )]);
        let stage = stage(provider, &model);
        stage.run(&plan(), &[]).expect(0);
        assert_eq!(task(&stage.only(), "part").attempts(), 1);
        let seen = model.seen();
        let told: Vec<&str> = seen[1..4].iter().map(|it| it.results[0].as_str()).collect();
        for (told, words) in told.iter().zip([
            "the arguments are no JSON",
            "there is no function \"write_file\"; there are list, search, read",
            "missing field `text`",
        ]) {
            assert!(told.contains(words), "{provider}: {told}");
        }
        assert_eq!(stage.result("part.md").as_deref(), Some("# Part\n"));
    }
}

#[test]
fn faulty_calls_for_ever_come_to_an_end() {
    let faulty = vec![raw("no_such_function", "{}"); 40];
    let model = Model::start(vec![calls(&["TASK-part"], faulty)]);
    let stage = stage("anthropic", &model);
    stage.run(&plan(), &[]);
    assert_eq!(stage.only().status(), RunStatus::Blocked);
    assert_eq!(model.seen().len(), 5);
    leaves_nothing(&stage);
}

/// Runs the plan against a model with this fault.
fn with(provider: &str, fault: (Fault, u32), more: &Value) -> (Stage, Run, Model) {
    let mut rule = calls(&["TASK-part"], vec![writing("part.md", "# Part\n")]);
    rule.turns[0].fault = Some(fault);
    let model = Model::start(vec![rule]);
    let stage = stage_with(provider, &model, more);
    stage.run(&plan(), &[]);
    assert!(model.seen().iter().any(|seen| seen.is_fault), "{provider}");
    leaves_nothing(&stage);
    let run = stage.only();
    (stage, run, model)
}

/// It is given up after so many requests, and these words are claimed.
fn is_given_up(provider: &str, fault: Fault, more: &Value, requests: usize, words: &[&str]) {
    let (stage, run, model) = with(provider, (fault, ALWAYS), more);
    let told = || format!("{provider}, {fault:?}: {}", log(&stage, "part"));
    assert_eq!(run.status(), RunStatus::Blocked, "{}", told());
    assert_eq!(task(&run, "part").attempts(), 1, "{}", told());
    assert_eq!(model.seen().len(), requests, "{}", told());
    let ended = &endings(&run, "part")[0];
    let claimed = match &ended.end {
        AttemptEnd::Errored(Failure::Start { cause, .. }) => Some(cause.as_str()),
        _ => ended.receipts.iter().find_map(Receipt::claimed_failure),
    };
    let claimed = claimed.unwrap_or_else(|| panic!("{}", told()));
    for words in words {
        assert!(claimed.contains(words), "{words}: {claimed}");
    }
}

#[test]
fn a_refused_key_is_told_with_its_variable_and_not_tried_again() {
    for (provider, _) in PROVIDERS {
        let words = [
            "the variable SCRIPTED_KEY",
            "status 401",
            "as the script says",
        ];
        let fault = Fault::Status(401, None);
        is_given_up(provider, fault, &json!({}), 1, &words);
    }
}

#[test]
fn a_task_whose_login_is_refused_is_not_tried_again_however_often_it_may_be() {
    let mut rule = calls(&["TASK-part"], vec![writing("part.md", "# Part\n")]);
    rule.turns[0].fault = Some((Fault::Status(401, None), ALWAYS));
    let model = Model::start(vec![rule]);
    let stage = stage("openai", &model);
    let mut plan = plan();
    plan["subtasks"][0]["retries"] = json!(3);
    stage.run(&plan, &[]).expect(3).says("a person decides");
    assert_eq!(task(&stage.only(), "part").attempts(), 1);
    stage.divisi(&["explain", "1", "part"]).expect(0).says(
        "it cannot be started: the model's server refused the key in the variable SCRIPTED_KEY",
    );
}

#[test]
fn an_error_for_ever_ends_after_a_few_requests() {
    for (provider, _) in PROVIDERS {
        let fault = Fault::Status(500, None);
        is_given_up(provider, fault, &json!({}), 4, &["status 500"]);
    }
}

#[test]
fn a_model_that_hangs_is_found_by_our_timer() {
    for (provider, _) in PROVIDERS {
        let more = json!({"silence_seconds": 1});
        let words = ["no sign of life for 1 s"];
        is_given_up(provider, Fault::Hang, &more, 4, &words);
    }
}

/// So many at once would make the watcher doubt itself, were they not seen to wait.
#[test]
fn six_whose_model_hangs_are_each_found_long_before_their_time_boxes() {
    let ids = ["a", "b", "c", "d", "e", "f"];
    let rules = ids.map(|id| {
        let path = format!("{id}.md");
        let mut rule = calls(&[&format!("TASK-{id}.")], vec![writing(&path, "# It\n")]);
        rule.turns[0].fault = Some((Fault::Hang, 1));
        rule
    });
    let model = Model::start(rules.to_vec());
    let stage = stage("openai", &model);
    write(
        stage.path("divisi.yaml"),
        "monitoring:\n  progress_minutes: {model: 0.25}\n",
    );
    let tasks = ids.map(|id| {
        json!({"subtask_id": id, "description": format!("TASK-{id}. Write {id}.md."),
               "agent": "model", "deliverables": [format!("{id}.md")], "timeout_minutes": 30})
    });
    let plan = json!({"task_title": "Six", "subtasks": tasks});
    stage.run(&plan, &["-j", "6"]).expect(0);
    let run = stage.only();
    for id in ids {
        let [hung, done] = endings(&run, id) else {
            panic!("{id}: {}", log(&stage, id));
        };
        assert!(
            matches!(&hung.end, AttemptEnd::Stopped(StopReason::Stalled(evidence))
                if evidence.starts_with("no word of its model") && evidence.contains("all asleep")),
            "{id}: {:?}",
            hung.end
        );
        assert_eq!(done.end, AttemptEnd::Integrated, "{id}");
    }
}

#[test]
fn broken_answers_are_asked_for_again() {
    for (provider, _) in PROVIDERS {
        for fault in [Fault::Cut, Fault::Malformed] {
            let (stage, run, _) = with(provider, (fault, 2), &json!({}));
            let told = || format!("{provider}, {fault:?}: {}", log(&stage, "part"));
            assert_eq!(run.status(), RunStatus::Succeeded, "{}", told());
            assert_eq!(task(&run, "part").attempts(), 1, "{}", told());
            assert!(told().contains("\"entry\":\"retried\""), "{}", told());
            let file = stage.result("part.md");
            assert_eq!(file.as_deref(), Some("# Part\n"), "{}", told());
        }
        is_given_up(provider, Fault::Cut, &json!({}), 4, &["broke off"]);
    }
}

#[test]
fn a_usage_limit_spends_no_attempt_and_names_its_wait() {
    for (provider, _) in PROVIDERS {
        // The first attempt gives up after four requests.
        let fault = Fault::Status(429, Some(0));
        let (stage, run, _) = with(provider, (fault, 5), &json!({}));
        let told = || format!("{provider}: {}", log(&stage, "part"));
        assert_eq!(run.status(), RunStatus::Succeeded, "{}", told());
        assert_eq!(task(&run, "part").failures, 0, "{}", told());
        let ends: Vec<&AttemptEnd> = endings(&run, "part").iter().map(|it| &it.end).collect();
        assert!(
            matches!(
                ends[..],
                [AttemptEnd::Limited { .. }, AttemptEnd::Integrated]
            ),
            "{ends:?}"
        );
    }
}

#[test]
fn a_write_that_cannot_be_and_is_called_a_success_is_found_and_told() {
    let refused = calls(&["TASK-part"], vec![writing("../part.md", "# Part\n")]);
    let second = calls(
        &["TASK-part", "was refused"],
        vec![writing("part.md", "# Part\n")],
    );
    let model = Model::start(vec![second, refused]);
    let stage = stage("openai", &model);
    let mut plan = plan();
    plan["subtasks"][0]["retries"] = json!(1);
    stage.run(&plan, &[]).expect(0);
    assert_eq!(task(&stage.only(), "part").attempts(), 2);
    let seen = model.seen();
    assert!(
        seen[1].results[0].contains("leads outside the tree"),
        "{seen:#?}"
    );
    assert!(seen.iter().any(|seen| seen.user.contains("was refused")));
    leaves_nothing(&stage);
}

#[test]
fn without_its_key_a_model_is_asked_nothing_and_that_is_told_at_once() {
    let model = Model::start(Vec::new());
    let stage = stage_with("anthropic", &model, &json!({"key": "NO_SUCH_KEY"}));
    stage.run(&plan(), &[]);
    assert_eq!(model.seen().len(), 0);
    let explained = stage.divisi(&["explain", "run-1", "part"]).stdout;
    assert!(
        explained.contains("read the key from the variable NO_SUCH_KEY: it is not set"),
        "{explained}"
    );
    let told = stage.divisi(&["agents", "test", "model"]).expect(8).stderr;
    assert!(told.contains("hint: set NO_SUCH_KEY, or"), "{told}");
    assert_eq!(told.matches("hint: ").count(), 1, "{told}");
}

/// What is printed satisfies the schema.
fn sound(stage: &Stage, document: &Value) {
    let schema = stage.divisi(&["schema", "agents"]).expect(0).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults = validator.iter_errors(document);
    let faults: Vec<String> = faults.map(|fault| fault.to_string()).collect();
    assert_eq!(faults, [""; 0], "{document:#}");
}

#[test]
fn a_model_is_listed_once_it_is_defined_and_auto_may_stand_for_it() {
    let model = Model::start(Vec::new());
    let plain = Stage::git(&[("README.md", "# A project\n")]).with_env("PATH", "/usr/bin:/bin");
    let told = plain.divisi(&["agents"]).expect(0).stdout;
    assert!(
        told.contains("model: a model over its API, not defined"),
        "{told}"
    );
    assert!(told.contains("agents: {model: {provider: ollama"), "{told}");
    let stage = stage("anthropic", &model)
        .with_env("PATH", "/usr/bin:/bin")
        .with_env(
            "DIVISI_AGENTS_CUSTOM",
            "{local: {model: {provider: ollama, model: small}}, \
              other: {command: [no-such-program-anywhere, --acp], speaks: acp}}",
        );
    let told = stage.divisi(&["agents"]).expect(0).stdout;
    let address = format!("{}/v1/", model.url());
    for said in [
        "model: scripted-1, as anthropic is asked, tested",
        &address,
        "the variable SCRIPTED_KEY",
        "custom.local: small, as ollama is asked, unverified",
        "http://localhost:11434/",
        "none is needed",
        "custom.other: no-such-program-anywhere --acp, missing",
        "`agent: auto` is model",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let listed = stage.divisi(&["agents", "--json"]).expect(0).stdout;
    assert!(!format!("{told}{listed}").contains(KEY));
    let document: Value = serde_json::from_str(&listed).unwrap();
    sound(&stage, &document);
    assert_eq!(document["auto"], json!("model"));
    assert_eq!(model.seen().len(), 0);
}

#[test]
fn a_model_passes_its_test_and_none_that_only_a_repository_defines_is_tried() {
    let model = Model::start(vec![calls(
        &["answer.md"],
        vec![writing("answer.md", "divisi agents test\n")],
    )]);
    let stage = stage("openai", &model);
    let ran = stage.divisi(&["agents", "test", "model", "--json"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    sound(&stage, &document);
    assert_eq!(document["done"], json!(true), "{document:#}");
    assert_eq!(document["usage"]["output_tokens"], json!(100));
    write(
        stage.path("divisi.yaml"),
        "agents:\n  custom:\n    theirs: {model: {provider: ollama, model: m}}\n",
    );
    // Each of its states has one hint, which is true.
    let hints = |name: &str, cause: &str, hint: &str| {
        let told = stage.divisi(&["agents", "test", name]).expect(8).stderr;
        assert!(told.contains(cause) && told.contains(hint), "{told}");
        assert_eq!(told.matches("hint: ").count(), 1, "{told}");
        assert!(!told.contains("divisi.yaml"), "{told}");
    };
    let in_mine = "define it in your own `";
    hints(
        "custom.theirs",
        "only this project defines `custom.theirs`",
        in_mine,
    );
    hints("custom.nobodys", "`custom.nobodys` is not defined", in_mine);
}

#[test]
fn what_a_repository_defines_needs_consent() {
    let model = Model::start(Vec::new());
    let stage = Stage::git(&[(
        "divisi.yaml",
        "agents:\n  model: {provider: ollama, model: m, url: 'http://127.0.0.1:9/'}\n",
    )]);
    let (code, shown) = stage.on_a_terminal(&["run", &stage.plan(&plan())], "n\n");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert_ne!(code, 0, "{shown}");
    assert!(shown.contains("agents.model"), "{shown}");
    assert_eq!(model.seen().len(), 0);
}
