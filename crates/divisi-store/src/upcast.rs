//! Which forms of events this code reads, and how older forms are lifted to today's.
//!
//! An event is stored forever in the form in which it was written. When a form changes, its version
//! rises and an [`Upcaster`] is added that turns a body of the old form into one of the new; the
//! old one stays readable by a chain of such steps, each a pure function. Nothing is ever rewritten
//! in the journal. A kind that nobody knows, or a version newer than known, is a journal of a newer
//! Divisi: [`Fault::Unreadable`], naming the event.

use std::collections::HashMap;

use divisi_core::RunId;
use divisi_core::journal::{Entry, Fault, Stream};
use divisi_core::ledger::{Account, Exhausted};
use serde_json::{Value, json};

mod credentials;

/// One step from an older form to a newer one.
#[derive(Clone, Copy, Debug)]
pub struct Upcaster {
    /// The kind and version that it reads.
    pub from: (&'static str, u32),
    /// The kind and version that it makes: the same kind and the next version, unless the kind
    /// was renamed.
    pub to: (&'static str, u32),
    /// The change itself, pure. The error says what the body lacks.
    pub lift: fn(Value) -> Result<Value, String>,
}

/// All known steps, by the form that they read.
#[derive(Clone, Debug, Default)]
pub struct Upcasters {
    steps: HashMap<(&'static str, u32), Upcaster>,
}

impl Upcasters {
    /// Those of the events of today's code.
    #[must_use]
    pub fn current() -> Upcasters {
        let batches = Upcasters::default().with(Upcaster {
            from: ("batch_prepared", 1),
            to: ("batch_prepared", 2),
            lift: name_prepared,
        });
        // Before plans were expanded, only people split tasks: what version 2 adds is not given.
        let splits = batches.with(unchanged("task_split", 1));
        let accounts = splits.with(Upcaster {
            from: ("run_paused", 1),
            to: ("run_paused", 2),
            lift: name_account,
        });
        let shared = { credentials::STEPS.iter().copied() }.fold(accounts, Upcasters::with);
        UNSOLVED.iter().copied().fold(shared, Upcasters::with)
    }

    /// The same with one more step. A later step for the same form replaces the earlier.
    #[must_use]
    pub fn with(mut self, step: Upcaster) -> Upcasters {
        self.steps.insert(step.from, step);
        self
    }
}

/// Before tasks had candidates no plan asked for them, and only what awaited a person was given up.
/// What version 2 may say of that, a reader of version 1 would pass over, and then meet tasks that it
/// does not know.
const UNSOLVED: [Upcaster; 4] = [
    unchanged("run_created", 1),
    unchanged("plan_replaced", 1),
    unchanged("task_split", 2),
    unchanged("task_failed", 1),
];

/// A step to a form that may say more.
const fn unchanged(kind: &'static str, version: u32) -> Upcaster {
    Upcaster {
        from: (kind, version),
        to: (kind, version + 1),
        lift: Ok,
    }
}

/// What this code reads: the kinds of events with their versions today, the steps from older ones,
/// and the version of the rows.
#[derive(Clone, Debug)]
pub struct Versions {
    kinds: HashMap<&'static str, u32>,
    upcasters: Upcasters,
    projection: u32,
}

impl Versions {
    /// `kinds` are today's kinds and versions; `projection` is the version of the rows' bodies:
    /// rows of another version are dropped when a [`crate::Store`] opens, and rebuilt by replay.
    #[must_use]
    pub fn new(
        kinds: &'static [(&'static str, u32)],
        upcasters: Upcasters,
        projection: u32,
    ) -> Versions {
        Versions {
            kinds: kinds.iter().copied().collect(),
            upcasters,
            projection,
        }
    }

    /// The version of the rows.
    #[must_use]
    pub fn projection(&self) -> u32 {
        self.projection
    }

    /// Forms that nobody can read any more: older versions of today's kinds, from 1, that no step
    /// reads. A release has none.
    #[must_use]
    pub fn gaps(&self) -> Vec<(&'static str, u32)> {
        let mut gaps: Vec<_> = self
            .kinds
            .iter()
            .flat_map(|(kind, today)| (1..*today).map(move |version| (*kind, version)))
            .filter(|form| !self.upcasters.steps.contains_key(form))
            .collect();
        gaps.sort_unstable();
        gaps
    }

    /// Names under which events of these kinds may stand in the journal: their own, and those of
    /// the forms from which they are lifted.
    pub(crate) fn names_of<'a>(&self, kinds: &[&'a str]) -> Vec<&'a str>
    where
        'static: 'a,
    {
        let mut names: Vec<&'a str> = kinds.to_vec();
        let mut at = 0;
        while let Some(name) = names.get(at).copied() {
            for step in self.upcasters.steps.values() {
                if step.to.0 == name && !names.contains(&step.from.0) {
                    names.push(step.from.0);
                }
            }
            at += 1;
        }
        names
    }

    /// The entry in today's form.
    ///
    /// # Errors
    /// [`Fault::Unreadable`], naming stream, seq and kind: the kind is unknown, its version newer
    /// than known, or its body not what its form says.
    pub fn lift(&self, mut entry: Entry) -> Result<Entry, Fault> {
        // A chain visits each step at most once, or it is a circle.
        for _ in 0..=self.upcasters.steps.len() {
            let today = self.kinds.get(entry.kind.as_str()).copied();
            if today == Some(entry.version) {
                return Ok(entry);
            }
            let form = (entry.kind.as_str(), entry.version);
            let Some(step) = self.upcasters.steps.get(&form) else {
                return Err(unreadable(&entry, &unknown(&entry, today)));
            };
            let lifted = serde_json::from_str(&entry.body)
                .map_err(|error| format!("its body is not JSON: {error}"))
                .and_then(step.lift)
                .map_err(|cause| unreadable(&entry, &cause))?;
            entry.body = lifted.to_string();
            (entry.kind, entry.version) = (step.to.0.to_owned(), step.to.1);
        }
        Err(unreadable(&entry, "its upcasters form a circle"))
    }
}

/// Version 1 wrote pairs of an attempt and its commit, where there was no room for a tree.
fn name_prepared(mut body: Value) -> Result<Value, String> {
    let commits = body.get_mut("commits").and_then(Value::as_array_mut);
    for pair in commits.ok_or("it has no `commits`")? {
        let [attempt, commit] = pair.as_array().map_or(&[][..], Vec::as_slice) else {
            return Err("a commit is not given as a pair".to_owned());
        };
        *pair = json!({ "attempt": attempt, "commit": commit });
    }
    Ok(body)
}

fn unknown(entry: &Entry, today: Option<u32>) -> String {
    match today {
        None => "this Divisi does not know the kind; a newer one wrote it".to_owned(),
        Some(today) if entry.version > today => {
            format!("this Divisi knows the kind up to version {today}; a newer one wrote it")
        }
        Some(today) => format!("no upcaster leads from it to version {today}"),
    }
}

fn unreadable(entry: &Entry, cause: &str) -> Fault {
    Fault::Unreadable(format!(
        "event {} of {}, kind `{}` version {}: {cause}",
        entry.seq,
        stream_name(entry.stream),
        entry.kind,
        entry.version,
    ))
}

/// A stream for people.
pub(crate) fn stream_name(stream: Stream) -> String {
    match stream {
        Stream::Run(run) => run.to_string(),
        Stream::Ledger => "the ledger".to_owned(),
    }
}

/// A pause for a budget named its account in words; now it is the account itself, and the bound
/// that is reached.
fn name_account(mut body: Value) -> Result<Value, String> {
    let Some(reason) = body.get_mut("reason") else {
        return Err("it has no `reason`".to_owned());
    };
    let Some(words) = reason.get("budget") else {
        return Ok(body);
    };
    let account = match words.as_str().map(|words| (words, RunId::parse(words))) {
        Some((_, Some(run))) => Account::Run(run),
        // Which day it was, the words did not say.
        Some(("the day", None)) => Account::Day(0),
        _ => return Err(format!("{words} names no account")),
    };
    let exhausted = Exhausted {
        task: None,
        account,
        bound: None,
    };
    *reason = json!({ "budget": exhausted });
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use divisi_core::Time;

    const KINDS: &[(&str, u32)] = &[("lamp_lit", 3), ("lamp_put_out", 1)];

    fn add_color(mut body: Value) -> Result<Value, String> {
        let fields = body.as_object_mut().ok_or("its body is no object")?;
        fields.insert("color".to_owned(), json!("white"));
        Ok(body)
    }

    fn watts_to_milliwatts(mut body: Value) -> Result<Value, String> {
        let watts = body["watts"].as_u64().ok_or("it has no `watts`")?;
        let fields = body.as_object_mut().ok_or("its body is no object")?;
        fields.remove("watts");
        fields.insert("milliwatts".to_owned(), json!(watts * 1000));
        Ok(body)
    }

    fn versions() -> Versions {
        let upcasters = Upcasters::current()
            .with(Upcaster {
                from: ("lamp_on", 1),
                to: ("lamp_lit", 1),
                lift: Ok,
            })
            .with(Upcaster {
                from: ("lamp_lit", 1),
                to: ("lamp_lit", 2),
                lift: add_color,
            })
            .with(Upcaster {
                from: ("lamp_lit", 2),
                to: ("lamp_lit", 3),
                lift: watts_to_milliwatts,
            });
        Versions::new(KINDS, upcasters, 1)
    }

    fn entry(kind: &str, version: u32, body: &str) -> Entry {
        Entry {
            stream: Stream::Run(RunId(4)),
            seq: 9,
            kind: kind.to_owned(),
            version,
            at: Time(5),
            body: body.to_owned(),
        }
    }

    fn lifted(kind: &str, version: u32, body: &str) -> Result<(String, u32, Value), String> {
        match versions().lift(entry(kind, version, body)) {
            Ok(entry) => {
                let body = serde_json::from_str(&entry.body).unwrap();
                Ok((entry.kind, entry.version, body))
            }
            Err(Fault::Unreadable(cause)) => Err(cause),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_old_form_climbs_the_whole_chain_also_through_a_rename() {
        let today = json!({"milliwatts": 60_000, "color": "white"});
        let expected = Ok(("lamp_lit".to_owned(), 3, today));
        assert_eq!(lifted("lamp_on", 1, r#"{"watts":60}"#), expected);
        assert_eq!(lifted("lamp_lit", 1, r#"{"watts":60}"#), expected);
        let second = r#"{"watts":60,"color":"white"}"#;
        assert_eq!(lifted("lamp_lit", 2, second), expected);
        assert!(versions().gaps().is_empty());
    }

    #[test]
    fn a_kind_is_found_under_the_names_it_had() {
        let mut names = versions().names_of(&["lamp_lit"]);
        names.sort_unstable();
        assert_eq!(names, ["lamp_lit", "lamp_on"]);
        assert_eq!(versions().names_of(&["lamp_put_out"]), ["lamp_put_out"]);
    }

    #[test]
    fn today_s_form_is_left_byte_for_byte() {
        let body = r#"{ "b" : 1,  "a" : 2 }"#;
        let kept = versions().lift(entry("lamp_put_out", 1, body)).unwrap();
        assert_eq!(kept.body, body);
    }

    #[test]
    fn pairs_of_prepared_commits_get_names_and_damaged_ones_are_refused() {
        let lift = |body: &str| name_prepared(serde_json::from_str(body).unwrap());
        let lifted = lift(r#"{"event":"batch_prepared","commits":[[{"run":1},"c"]]}"#);
        let named = json!({
            "event": "batch_prepared",
            "commits": [{"attempt": {"run": 1}, "commit": "c"}],
        });
        assert_eq!(lifted, Ok(named));
        for damaged in [r#"{}"#, r#"{"commits":[["c"]]}"#, r#"{"commits":[3]}"#] {
            assert!(lift(damaged).is_err(), "{damaged}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let refusals = [
            ("lamp_eaten", 1, "{}", "does not know the kind"),
            ("lamp_lit", 4, "{}", "up to version 3"),
            ("lamp_put_out", 0, "{}", "no upcaster leads"),
            ("lamp_lit", 2, "{}", "it has no `watts`"),
            ("lamp_lit", 1, "[", "not JSON"),
        ];
        for (kind, version, body, cause) in refusals {
            let told = lifted(kind, version, body).unwrap_err();
            assert!(told.contains(cause), "{told}");
            assert!(told.contains("event 9 of run-4"), "{told}");
            assert!(
                told.contains(&format!("`{kind}` version {version}")),
                "{told}"
            );
        }
    }

    #[test]
    fn a_pause_that_names_no_account_is_unreadable() {
        let words = json!({"event": "run_paused", "reason": {"budget": "somebody"}});
        assert!(name_account(words).unwrap_err().contains("somebody"));
        assert!(name_account(json!({})).unwrap_err().contains("reason"));
    }

    #[test]
    fn a_circle_and_a_gap_are_found() {
        let circle = Upcasters::current()
            .with(Upcaster {
                from: ("a", 1),
                to: ("b", 1),
                lift: Ok,
            })
            .with(Upcaster {
                from: ("b", 1),
                to: ("a", 1),
                lift: Ok,
            });
        let fault = Versions::new(KINDS, circle.clone(), 1)
            .lift(entry("a", 1, "{}"))
            .unwrap_err();
        assert!(fault.to_string().contains("circle"), "{fault}");
        let gaps = Versions::new(KINDS, circle, 1).gaps();
        assert_eq!(gaps, [("lamp_lit", 1), ("lamp_lit", 2)]);
    }
}
