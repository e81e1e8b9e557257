//! Credentials that belonged to one agent each, in the first form of usage limits: a name, which was a
//! variable's or `login`, or none. Now agents share them.

use divisi_core::ledger::Credential;
use serde_json::{Value, json};

use super::Upcaster;

/// The steps to today's form.
pub(super) const STEPS: [Upcaster; 4] = [
    Upcaster {
        from: ("attempt_leased", 1),
        to: ("attempt_leased", 2),
        lift: of_lease,
    },
    Upcaster {
        from: ("credential_limited", 1),
        to: ("credential_limited", 2),
        lift: of_limit,
    },
    Upcaster {
        from: ("limit_lifted", 1),
        to: ("limit_lifted", 2),
        lift: of_lifting,
    },
    Upcaster {
        from: ("run_paused", 2),
        to: ("run_paused", 3),
        lift: of_pause,
    },
];

/// The keys of which an agent took the first that there was, as long as the first form was written.
const KEYS: [(&str, &[&str]); 4] = [
    (
        "claude",
        &[
            "ANTHROPIC_AUTH_TOKEN",
            "ANTHROPIC_API_KEY",
            "CLAUDE_CODE_OAUTH_TOKEN",
        ],
    ),
    ("codex", &["CODEX_API_KEY", "OPENAI_API_KEY"]),
    ("gemini", &["GEMINI_API_KEY", "GOOGLE_API_KEY"]),
    (
        "copilot",
        &[
            "COPILOT_PROVIDER_API_KEY",
            "COPILOT_GITHUB_TOKEN",
            "GH_TOKEN",
            "GITHUB_TOKEN",
        ],
    ),
];

/// The tool whose login an agent uses.
fn tool(agent: &str) -> &str {
    let adapted = agent.strip_suffix("-acp");
    adapted.filter(|it| !it.contains('.')).unwrap_or(agent)
}

fn shared(agent: &str, name: Option<&str>) -> Credential {
    match name {
        None => Credential::Agent(tool(agent).to_owned()),
        Some("login") => Credential::Login(tool(agent).to_owned()),
        Some(name) => Credential::Variable(name.to_owned()),
    }
}

fn agent_of(value: &Value) -> Result<String, String> {
    let agent = value.get("agent").and_then(Value::as_str);
    agent.map(str::to_owned).ok_or("it names no `agent`".into())
}

/// Replaces a credential that names its agent.
fn replace(credential: Option<&mut Value>) -> Result<(), String> {
    let credential = credential.ok_or("it has no `credential`")?;
    let agent = agent_of(credential)?;
    let name = credential.get("name").and_then(Value::as_str);
    *credential = json!(shared(&agent, name));
    Ok(())
}

fn of_lease(mut body: Value) -> Result<Value, String> {
    if let Some(name) = body["credential"].as_str() {
        body["credential"] = json!(shared(&agent_of(&body)?, Some(name)));
    }
    Ok(body)
}

fn of_limit(mut body: Value) -> Result<Value, String> {
    replace(body.get_mut("credential"))?;
    Ok(body)
}

/// All that the agent could have used: which of it was limited is the ledger's to know.
fn of_lifting(body: Value) -> Result<Value, String> {
    let agent = agent_of(&body)?;
    let keys = KEYS.iter().find(|(name, _)| *name == tool(&agent));
    let keys = keys.map_or(&[][..], |(_, keys)| keys);
    let names = keys.iter().copied().chain(["login"]).map(Some);
    let all = names.chain([None]).map(|name| shared(&agent, name));
    let all: Vec<Credential> = all.collect();
    Ok(json!({ "event": "limit_lifted", "credentials": all }))
}

fn of_pause(mut body: Value) -> Result<Value, String> {
    if let Some(limit) = body["reason"].get_mut("usage_limit") {
        replace(limit.get_mut("credential"))?;
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_of_one_agent_becomes_one_that_agents_share() {
        for (agent, name, told) in [
            ("claude-acp", Some("login"), "the login of claude"),
            ("claude", Some("ANTHROPIC_API_KEY"), "ANTHROPIC_API_KEY"),
            ("opencode-acp", None, "opencode"),
            ("custom.my-acp", None, "custom.my-acp"),
        ] {
            assert_eq!(shared(agent, name).to_string(), told);
        }
    }

    #[test]
    fn what_names_no_agent_is_unreadable() {
        for damaged in [json!({}), json!({"credential": {"name": "K"}})] {
            assert!(of_limit(damaged.clone()).is_err(), "{damaged}");
            assert!(of_lifting(damaged.clone()).is_err(), "{damaged}");
        }
        assert!(of_lease(json!({"credential": "KEY"})).is_err());
        let pause = json!({"reason": {"usage_limit": {"until": 3}}});
        assert!(of_pause(pause).is_err());
    }
}
