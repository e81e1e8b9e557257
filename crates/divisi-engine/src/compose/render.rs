//! Filling a template, or putting inputs one after the other.

use std::sync::Arc;

use divisi_pack::template::{self, Templates};
use minijinja::context;
use minijinja::value::{Enumerator, Object, Serde, Value};
use serde_json::json;

use super::request::{Artifact, Fault, INPUTS_BYTES_MAX, Input, Request};
use crate::checks::short;

/// What is composed is itself a deliverable that checks read.
pub const OUTPUT_BYTES_MAX: usize = 16 << 20;

/// Composes what the request says. Pure: the same request gives the same bytes.
///
/// # Errors
/// The template cannot be filled, or something is too big.
pub fn compose(request: &Request) -> Result<Vec<u8>, Fault> {
    let sizes = request.inputs.iter().flat_map(|input| &input.artifacts);
    let bytes: usize = sizes.filter_map(|a| a.text.as_ref()).map(String::len).sum();
    within("the text of all inputs", bytes, INPUTS_BYTES_MAX)?;
    match &request.template {
        Some(template) => fill(template, request),
        None => concatenate(request),
    }
}

fn within(what: &'static str, bytes: usize, bytes_max: usize) -> Result<(), Fault> {
    if bytes > bytes_max {
        return Err(Fault::TooBig { what, bytes_max });
    }
    Ok(())
}

fn fill(template: &str, request: &Request) -> Result<Vec<u8>, Fault> {
    let inputs: Vec<Value> = request.inputs.iter().map(input_value).collect();
    let run = &request.run;
    let run =
        context! { id => run.id.as_str(), title => run.title.as_str(), date => run.date.as_str() };
    // It stands alone: there is nothing that it could include.
    Templates::new([("template", template)])
        .fill("template", context! { inputs, run }, OUTPUT_BYTES_MAX)
        .map_err(|fault| match fault {
            template::Fault::TooBig { what, bytes_max } => Fault::TooBig { what, bytes_max },
            template::Fault::Template { line, cause, .. } => Fault::Template { line, cause },
            template::Fault::Missing { name } => Fault::Template {
                line: None,
                cause: format!("there is no template {name}"),
            },
        })
}

fn input_value(input: &Input) -> Value {
    let artifacts: Vec<Value> = input
        .artifacts
        .iter()
        .map(|artifact| Value::from_object(Shown(Arc::new(artifact.clone()))))
        .collect();
    context! {
        id => input.id.as_str(),
        title => input.title.as_str(),
        status => input.status.as_str(),
        artifacts,
        verdicts => Value::from(Serde(&input.verdicts)),
    }
}

/// An artifact as a template sees it. Lines and parsed JSON are made when they are asked for.
#[derive(Debug)]
struct Shown(Arc<Artifact>);

impl Object for Shown {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let text = self.0.text.as_deref();
        match key.as_str()? {
            "path" => Some(Value::from(self.0.path.as_str())),
            "bytes" => Some(Value::from(self.0.bytes)),
            "text" => Some(text.map_or_else(|| Value::from(()), Value::from)),
            "lines" => Some(text.unwrap_or_default().lines().collect()),
            "json" => {
                Some(parsed(&self.0).map_or_else(|| Value::from(()), |v| Value::from(Serde(v))))
            }
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["path", "bytes", "text"])
    }
}

fn parsed(artifact: &Artifact) -> Option<serde_json::Value> {
    let text = artifact.text.as_deref()?;
    let json = artifact.path.ends_with(".json");
    json.then(|| serde_json::from_str(text).ok()).flatten()
}

/// The inputs one after the other: Markdown with a heading for each input and each file, or, where
/// the output is called `.json`, one object with all of them.
///
/// # Errors
/// It is too big.
pub fn concatenate(request: &Request) -> Result<Vec<u8>, Fault> {
    let bytes = if request.output.ends_with(".json") {
        data(request)
    } else {
        document(request).into_bytes()
    };
    within("the output", bytes.len(), OUTPUT_BYTES_MAX)?;
    Ok(bytes)
}

fn document(request: &Request) -> String {
    let mut text = String::new();
    if !request.run.title.is_empty() {
        text.push_str(&format!("# {}\n", heading(&request.run.title)));
    }
    for input in &request.inputs {
        text.push_str(&format!("\n## {}\n", heading(&input.title)));
        for artifact in &input.artifacts {
            if input.artifacts.len() > 1 {
                text.push_str(&format!("\n### {}\n", heading(&artifact.path)));
            }
            text.push('\n');
            match &artifact.text {
                Some(content) => text.push_str(content.trim_end()),
                None => text.push_str(&format!(
                    "({}: {} bytes that are not text)",
                    heading(&artifact.path),
                    artifact.bytes
                )),
            }
            text.push('\n');
        }
        if input.artifacts.is_empty() {
            text.push_str(&format!("\n({}, no files)\n", heading(&input.status)));
        }
    }
    text
}

/// A text as a heading can hold it: one line.
fn heading(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    short(&line.join(" "), 200)
}

fn data(request: &Request) -> Vec<u8> {
    let file = |artifact: &Artifact| match parsed(artifact) {
        Some(value) => json!({"path": artifact.path, "json": value}),
        None => json!({"path": artifact.path, "bytes": artifact.bytes, "text": artifact.text}),
    };
    let input = |input: &Input| {
        let files: Vec<serde_json::Value> = input.artifacts.iter().map(file).collect();
        json!({"id": input.id, "title": input.title, "status": input.status, "artifacts": files})
    };
    let inputs: Vec<serde_json::Value> = request.inputs.iter().map(input).collect();
    let all = json!({"title": request.run.title, "date": request.run.date, "inputs": inputs});
    let mut bytes = serde_json::to_vec_pretty(&all).expect("JSON values have text keys");
    bytes.push(b'\n');
    bytes
}
