//! The command line of what runs workflows.

use clap::Args;

/// What a workflow is given.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OfWorkflow {
    /// An input of the workflow; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = input)]
    pub(crate) set: Vec<(String, String)>,
    /// A pattern in place of the targets of iterations that wait for none; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) targets: Vec<String>,
    /// Who does the work of a role, or without a role what every other one is handed; may be repeated
    #[arg(long, value_name = "[ROLE=]AGENT", value_parser = role)]
    pub(crate) agent: Vec<(String, String)>,
}

/// Whether a run is started at all.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DryRun {
    /// Start nothing; print the tasks, who is given what, and what it is expected to take
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// With `--dry-run`, print what each agent would be told
    #[arg(long, requires = "dry_run")]
    pub(crate) prompts: bool,
}

fn input(text: &str) -> Result<(String, String), String> {
    pair(text).ok_or_else(|| "it is written `NAME=VALUE`, for example `id=42`".to_owned())
}

/// A role and its agent; no role for an agent alone.
fn role(text: &str) -> Result<(String, String), String> {
    let found = match text.contains('=') {
        true => pair(text),
        false => Some((String::new(), text.to_owned())),
    };
    let found = found.filter(|(_, agent)| !agent.is_empty());
    found.ok_or_else(|| {
        "it is written `ROLE=AGENT`, for example `developer=person`, or `AGENT`".to_owned()
    })
}

/// A name and what stands for it.
fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}
