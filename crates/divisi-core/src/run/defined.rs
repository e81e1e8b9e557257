//! Agents that configuration defines, beside those that Divisi knows by itself.

use serde::{Deserialize, Serialize};

use super::agents::AGENT_MODEL;
use crate::ledger::Credential;
use crate::secret::looks_secret;

/// What the names of agents begin with that configuration defines and names, as plans name them.
pub const DEFINED_PREFIX: &str = "custom.";

/// The longest name after that.
const NAME_BYTES_MAX: usize = 60;

/// An agent as configuration defines it. Holds no secret: a key is told by its variable's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defined {
    /// A model that is asked by Divisi itself, over its API.
    Model(DefinedModel),
    /// A program that is started by its command line.
    Program(DefinedProgram),
}

/// A model, and where it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinedModel {
    /// In which words it is asked.
    pub provider: Provider,
    /// The model, as its provider names it.
    pub model: String,
    /// Where it answers, unless at the provider's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The variable that holds the key, unless it is the provider's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How it is bounded.
    #[serde(flatten)]
    pub bounds: ModelBounds,
}

/// How a conversation with a model is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelBounds {
    /// So many answers at the most.
    pub answers: u32,
    /// So many tokens in each of them.
    pub answer_tokens: u32,
    /// So many tokens are told to it, as far as can be estimated; older results are left out beyond.
    pub context_tokens: u32,
    /// An answer that does not come, or does not go on, is given up after so many seconds.
    pub silence_seconds: u32,
}

impl Default for ModelBounds {
    fn default() -> ModelBounds {
        ModelBounds {
            answers: 200,
            answer_tokens: 16_000,
            context_tokens: 120_000,
            // A local model may be loaded first.
            silence_seconds: 300,
        }
    }
}

/// Who offers a model, and so in which words it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Anthropic's Messages.
    Anthropic,
    /// OpenAI's Chat Completions, which many others speak, too.
    Openai,
    /// OpenAI's Responses.
    OpenaiResponses,
    /// Google's Gemini.
    Gemini,
    /// Ollama, which needs no key.
    Ollama,
    /// OpenRouter.
    Openrouter,
}

/// A program that does tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinedProgram {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How one speaks to it.
    pub speaks: Speaks,
    /// Variables of the environment that it is given beside the usual ones: keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
}

/// How one speaks to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaks {
    /// The Agent Client Protocol, over its standard input and output.
    Acp,
    /// It is told what to do in words, and prints words.
    Text,
}

impl Provider {
    /// All of them.
    pub const ALL: [Provider; 6] = [
        Provider::Anthropic,
        Provider::Openai,
        Provider::OpenaiResponses,
        Provider::Gemini,
        Provider::Ollama,
        Provider::Openrouter,
    ];

    /// As configuration names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Provider::Anthropic => "anthropic",
            Provider::Openai => "openai",
            Provider::OpenaiResponses => "openai-responses",
            Provider::Gemini => "gemini",
            Provider::Ollama => "ollama",
            Provider::Openrouter => "openrouter",
        }
    }

    /// The variable that usually holds its key; none where no key is asked for.
    #[must_use]
    pub fn usual_key(self) -> Option<&'static str> {
        match self {
            Provider::Anthropic => Some("ANTHROPIC_API_KEY"),
            Provider::Openai | Provider::OpenaiResponses => Some("OPENAI_API_KEY"),
            Provider::Gemini => Some("GEMINI_API_KEY"),
            Provider::Openrouter => Some("OPENROUTER_API_KEY"),
            Provider::Ollama => None,
        }
    }
}

impl Speaks {
    /// As configuration names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Speaks::Acp => "acp",
            Speaks::Text => "text",
        }
    }
}

impl DefinedModel {
    /// The variable that holds its key, if it needs one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref().or(self.provider.usual_key())
    }
}

impl Defined {
    /// What an agent of this name that is defined so logs in with: its key, or the one of its
    /// variables that holds a secret. Which of several a program takes, nobody knows.
    #[must_use]
    pub fn credential(&self, agent: &str) -> Credential {
        let key = match self {
            Defined::Model(model) => model.key(),
            Defined::Program(program) => {
                let mut keys = program.variables.iter().filter(|name| looks_secret(name));
                match (keys.next(), keys.next()) {
                    (Some(key), None) => Some(key.as_str()),
                    _ => None,
                }
            }
        };
        match key {
            Some(key) => Credential::Variable(key.to_owned()),
            None => Credential::Agent(agent.to_owned()),
        }
    }
}

/// Whether configuration can define an agent of this name.
#[must_use]
pub fn is_definable(name: &str) -> bool {
    name == AGENT_MODEL || name.strip_prefix(DEFINED_PREFIX).is_some_and(is_given_name)
}

/// Whether this may follow [`DEFINED_PREFIX`]: lower-case letters, digits and hyphens, the first a
/// letter.
#[must_use]
pub fn is_given_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_can_be_defined() {
        for name in ["model", "custom.a", "custom.big-model-2"] {
            assert!(is_definable(name), "{name}");
        }
        for name in [
            "",
            "custom.",
            "custom.-a",
            "custom.A",
            "custom.a.b",
            "custom.a/b",
            "claude",
        ] {
            assert!(!is_definable(name), "{name}");
        }
        assert!(!is_given_name(&"a".repeat(NAME_BYTES_MAX + 1)));
    }

    #[test]
    fn an_agent_logs_in_with_its_key_where_it_has_one() {
        let of = |text: &str| {
            let defined: Defined = serde_json::from_str(text).unwrap();
            defined.credential("custom.a").to_string()
        };
        let model = |more: &str| of(&format!(r#"{{"model":{{"model":"m","provider":{more}}}}}"#));
        assert_eq!(model(r#""anthropic""#), "ANTHROPIC_API_KEY");
        assert_eq!(model(r#""openai","key":"MY_KEY""#), "MY_KEY");
        assert_eq!(model(r#""ollama""#), "custom.a");
        let program = |variables: &str| {
            let form = r#""command":["x"],"speaks":"text""#;
            of(&format!(
                r#"{{"program":{{{form},"variables":{variables}}}}}"#
            ))
        };
        assert_eq!(program(r#"["AT_URL","ONE_KEY"]"#), "ONE_KEY");
        assert_eq!(program(r#"["ONE_KEY","TWO_KEY"]"#), "custom.a");
        assert_eq!(program("[]"), "custom.a");
    }

    #[test]
    fn what_is_journaled_is_read_again_and_words_agree() {
        for provider in Provider::ALL {
            let model = DefinedModel {
                provider,
                model: "m".to_owned(),
                url: None,
                key: None,
                bounds: ModelBounds::default(),
            };
            let text = serde_json::to_string(&Defined::Model(model.clone())).unwrap();
            let word = format!("\"provider\":\"{}\"", provider.word());
            assert!(text.contains(&word), "{text}");
            let again: Defined = serde_json::from_str(&text).unwrap();
            assert_eq!(again, Defined::Model(model));
        }
    }
}
