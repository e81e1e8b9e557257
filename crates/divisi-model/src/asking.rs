//! Asks a model, through its provider's library: translates and measures, and decides nothing.

use std::sync::Arc;
use std::time::Duration;

use divisi_agents::adapter::Tokens;
use divisi_core::diagnostic::chain;
use divisi_core::run::{DefinedModel, Provider};
use futures_util::{FutureExt as _, StreamExt as _};
use genai::adapter::AdapterKind;
use genai::chat::{
    CacheControl, ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent, ContentPart,
    MessageContent, StreamEnd, Tool, ToolCall, ToolResponse, Usage,
};
use genai::resolver::{AuthData, Endpoint};
use genai::webc::StreamTimeout;
use genai::{Client, ClientConfig, ModelIden, ServiceTarget};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::{Value, json};

use super::functions;
use super::messages::{Answer, Call, Messages, Round, Told};
use super::trouble::{Kind, Trouble};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(20);

/// More is no answer that anybody can use.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// A model that can be asked.
pub(crate) struct Asking {
    runtime: tokio::runtime::Runtime,
    client: Client,
    target: ServiceTarget,
    options: ChatOptions,
    silence: Duration,
    caches: bool,
}

fn kind(provider: Provider) -> AdapterKind {
    match provider {
        Provider::Anthropic => AdapterKind::Anthropic,
        Provider::Openai => AdapterKind::OpenAI,
        Provider::OpenaiResponses => AdapterKind::OpenAIResp,
        Provider::Gemini => AdapterKind::Gemini,
        Provider::Ollama => AdapterKind::Ollama,
        Provider::Openrouter => AdapterKind::OpenRouter,
    }
}

/// Where a model answers: as configured, or at its provider's own address.
#[must_use]
pub fn address(model: &DefinedModel) -> String {
    match &model.url {
        Some(url) if url.ends_with('/') => url.clone(),
        // Paths are put behind it.
        Some(url) => format!("{url}/"),
        None => {
            let iden = ModelIden::new(kind(model.provider), model.model.clone());
            // The library's own table; nothing is waited for.
            let config = ClientConfig::default();
            let resolved = config.resolve_service_target(iden).now_or_never();
            let target = resolved.and_then(Result::ok);
            target.map_or_else(String::new, |it| it.endpoint.base_url().to_owned())
        }
    }
}

impl Asking {
    /// Prepares to ask. `key` is the key itself.
    ///
    /// # Errors
    /// What cannot be prepared, in words.
    pub(crate) fn prepare(model: &DefinedModel, key: Option<String>) -> Result<Asking, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let silence = Duration::from_secs(model.bounds.silence_seconds.into());
        let options = ChatOptions::default()
            .with_max_tokens(model.bounds.answer_tokens)
            .with_capture_content(true)
            .with_capture_tool_calls(true)
            .with_capture_reasoning_content(true)
            .with_capture_usage(true)
            .with_stream_header_timeout(silence)
            .with_stream_read_timeout(silence);
        Ok(Asking {
            client: client(model)?,
            target: ServiceTarget {
                endpoint: Endpoint::from_owned(address(model)),
                // A local server asks for none; the library wants one all the same.
                auth: AuthData::from_single(key.unwrap_or_else(|| "none".to_owned())),
                model: ModelIden::new(kind(model.provider), model.model.clone()),
            },
            options,
            silence,
            caches: model.provider == Provider::Anthropic,
            runtime,
        })
    }

    /// Asks once. Blocks until the answer is complete.
    ///
    /// # Errors
    /// There is no answer.
    pub(crate) fn ask(&self, messages: &Messages) -> Result<Answer, Trouble> {
        let request = request(messages, self.caches);
        self.runtime.block_on(self.hear(request))
    }

    async fn hear(&self, request: ChatRequest) -> Result<Answer, Trouble> {
        let target = self.target.clone();
        let asked = self
            .client
            .exec_chat_stream(target, request, Some(&self.options))
            .await;
        let mut stream = asked.map_err(|error| self.trouble(&error))?.stream;
        let mut bytes = 0;
        while let Some(event) = stream.next().await {
            match event.map_err(|error| self.trouble(&error))? {
                ChatStreamEvent::End(end) => return answer(end),
                ChatStreamEvent::Chunk(chunk) | ChatStreamEvent::ReasoningChunk(chunk) => {
                    bytes += chunk.content.len();
                }
                // Each holds all of its arguments so far: of the last it is counted below.
                ChatStreamEvent::ToolCallChunk(chunk) => {
                    let arguments = chunk.tool_call.fn_arguments.as_str().map_or(0, str::len);
                    if arguments > ANSWER_BYTES_MAX {
                        bytes = arguments;
                    }
                }
                ChatStreamEvent::Start
                | ChatStreamEvent::ThoughtSignatureChunk(_)
                | ChatStreamEvent::Heartbeat => {}
            }
            if bytes > ANSWER_BYTES_MAX {
                let words = format!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
                return Err(Trouble::new(Kind::Unmade, words));
            }
        }
        Err(Trouble::new(Kind::Broken, "it ended in the middle"))
    }

    /// What an error of the library means.
    fn trouble(&self, error: &genai::Error) -> Trouble {
        let inner = match error {
            genai::Error::WebStream { error, .. } => error.downcast_ref::<genai::Error>(),
            _ => None,
        };
        let error = inner.unwrap_or(error);
        if let Some(status) = error.status() {
            let named = error.headers().and_then(named_wait);
            return Trouble::new(Kind::Status(status.as_u16(), named), words_of(error));
        }
        match error {
            genai::Error::WebStream { error, .. } if error.is::<StreamTimeout>() => {
                let seconds = self.silence.as_secs();
                let words = format!("the model gave no sign of life for {seconds} s");
                Trouble::new(Kind::Silent, words)
            }
            genai::Error::WebStream { error, .. } => Trouble::new(Kind::Broken, chain(&**error)),
            genai::Error::WebModelCall { webc_error, .. } => {
                Trouble::new(Kind::Broken, webc_error.to_string())
            }
            genai::Error::StreamParse { serde_error, .. } => {
                Trouble::new(Kind::Broken, format!("it cannot be read: {serde_error}"))
            }
            genai::Error::ChatResponse { body, .. } => told_in_stream(body),
            genai::Error::JsonValueExt(error) => {
                Trouble::new(Kind::Broken, format!("it cannot be read: {error}"))
            }
            other => Trouble::new(Kind::Unmade, other.to_string()),
        }
    }
}

fn client(model: &DefinedModel) -> Result<Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // Another thread of this process may have said so already: it is the same one.
    let _ = rustls::crypto::CryptoProvider::install_default((*provider).clone());
    let http = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        // A key goes where it was sent, and nowhere else.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| chain(&error))?;
    Client::builder()
        .with_reqwest(http)
        .with_adapter_kind(kind(model.provider))
        .build()
        .map_err(|error| error.to_string())
}

/// The server's own words, where it has some.
fn words_of(error: &genai::Error) -> String {
    let genai::Error::HttpError { body, .. } = error else {
        return error.to_string();
    };
    let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let message = json["error"]["message"].as_str();
    let message = message.or_else(|| json["error"].as_str());
    message
        .or_else(|| json["message"].as_str())
        .unwrap_or(body)
        .to_owned()
}

/// An error that was told in the middle of an answer.
fn told_in_stream(body: &Value) -> Trouble {
    let error = match body.get("error") {
        Some(error) if error.is_object() => error,
        _ => body,
    };
    let words = error["message"].as_str();
    let words = words.map_or_else(|| body.to_string(), str::to_owned);
    let status = match error["type"].as_str().or(error["code"].as_str()) {
        Some("overloaded_error") => Some(529),
        Some("rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota") => Some(429),
        Some("authentication_error" | "invalid_api_key") => Some(401),
        Some("invalid_request_error") => Some(400),
        _ => None,
    };
    let kind = status.map_or(Kind::Broken, |status| Kind::Status(status, None));
    Trouble::new(kind, words)
}

/// How long a server says to wait, in seconds or milliseconds. A date is not understood.
fn named_wait(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| -> Option<f64> { headers.get(name)?.to_str().ok()?.parse().ok() };
    let seconds = number("retry-after-ms").map(|ms| ms / 1_000.0);
    let seconds = seconds.or_else(|| number(RETRY_AFTER.as_str()))?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn request(all: &Messages, caches: bool) -> ChatRequest {
    let mut messages = vec![ChatMessage::user(all.prompt.clone())];
    for Round { answer, told } in &all.rounds {
        messages.push(ChatMessage::assistant(answer.own.clone()));
        messages.push(match told {
            Told::Words(words) => ChatMessage::user(words.clone()),
            Told::Results(results) => {
                let results = results.iter().map(|result| {
                    ToolResponse::new(result.call.id.clone(), result.output.clone())
                        .with_fn_name(result.call.function.clone())
                });
                ChatMessage::tool(MessageContent::from_tool_responses(results.collect()))
            }
        });
    }
    if let Some(last) = messages.pop() {
        // All before is told again at the next turn, and need not be paid again.
        messages.push(match caches {
            true => last.with_options(CacheControl::Ephemeral),
            false => last,
        });
    }
    let tools = functions::all().map(|function| {
        Tool::new(function.name)
            .with_description(function.says)
            .with_schema(function.schema())
    });
    ChatRequest::from_messages(messages)
        .with_system(functions::SYSTEM)
        .with_tools(tools)
}

/// What was captured of an answer. One that says no reason for its end was cut.
fn answer(end: StreamEnd) -> Result<Answer, Trouble> {
    let Some(reason) = end.captured_stop_reason else {
        return Err(Trouble::new(Kind::Broken, "it ended in the middle"));
    };
    let usage = end.captured_usage.as_ref().map(tokens);
    let mut parts = end.captured_content.map(MessageContent::into_parts);
    let mut parts = parts.take().unwrap_or_default();
    let mut calls = Vec::new();
    for part in &mut parts {
        let ContentPart::ToolCall(call) = part else {
            continue;
        };
        calls.push(Call {
            id: call.call_id.clone(),
            function: call.fn_name.clone(),
            arguments: call.fn_arguments.clone(),
        });
        tellable(call);
    }
    let own = MessageContent::from_parts(parts);
    Ok(Answer {
        text: own.texts().join("\n"),
        calls,
        usage,
        is_cut_off: reason.is_max_tokens(),
        own,
    })
}

/// Some providers refuse to be told again what they said themselves: arguments that are no object.
fn tellable(call: &mut ToolCall) {
    if !call.fn_arguments.is_object() {
        call.fn_arguments = json!({});
    }
}

fn tokens(usage: &Usage) -> Tokens {
    let count = |number: Option<i32>| number.and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
    let details = usage.prompt_tokens_details.as_ref();
    let read = count(details.and_then(|details| details.cached_tokens));
    let written = count(details.and_then(|details| details.cache_creation_tokens));
    Tokens {
        // The library's count has both in it.
        input_tokens: count(usage.prompt_tokens).saturating_sub(read.saturating_add(written)),
        output_tokens: count(usage.completion_tokens),
        cache_read_tokens: read,
        cache_write_tokens: written,
        cost_usd_micros: None,
    }
}
