//! `divisi assess`: how a request would be handled, and why. Nothing is started or written.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use divisi_core::Diagnostic;
use divisi_core::diagnostic::chain;
use divisi_core::run::Sizes;
use divisi_engine::facts;
use divisi_pack::assess::{Approach, Assessment, Certainty, Fired, Repository, assess};
use divisi_pack::config::Values;
use divisi_pack::request::{self, REQUEST_BYTES_MAX, Request};
use serde_json::json;

use crate::cli::{Assess, Global};
use crate::commands::run::intent::beside;
use crate::config::Configuration;
use crate::exit::Exit;
use crate::printer::{Failure, Line, Outcome, Printer, Style};
use crate::project::Project;

/// `divisi assess`.
pub(crate) fn run(args: &Assess, global: &Global, printer: &Printer) -> Outcome {
    if let Some(path) = &args.csv {
        return table(path, &sizes(global, printer)?, printer);
    }
    let request = request::read(&text(args)?);
    if request.parts.is_empty() {
        let empty = Diagnostic::error("assess-empty", "the request says nothing")
            .hint("say what is wanted: divisi assess \"Add pagination to the list of users\"");
        return Err(Failure::told(empty, Exit::Usage));
    }
    if request.left_out_bytes > 0 {
        let most = REQUEST_BYTES_MAX;
        let text = format!("the request is longer than {most} bytes, which is all that is read");
        let long = Diagnostic::error("assess-empty", text)
            .hint("put what only explains into a file of the project, and name the file");
        return Err(Failure::told(long, Exit::Usage));
    }
    let here = Path::new(".");
    let folder = global.project.as_deref().unwrap_or(here);
    let gather = || facts::gather(folder, &request);
    let (sizes, repository) = beside(|| sizes(global, printer), gather);
    let assessment = assess(&request, &repository, &sizes?);
    if printer.is_json() {
        printer.document(&assessment)?;
    } else {
        printer.lines(&shown(&request, &assessment))?;
    }
    Ok(Exit::Success)
}

/// What the project's configuration has for large.
fn sizes(global: &Global, printer: &Printer) -> Result<Sizes, Failure> {
    let project = Project::find(global)?;
    let configuration = Configuration::load(&project, Values::default(), printer)?;
    Ok(configuration.config.sizes())
}

/// The request: from the command line, or for `-` from stdin.
fn text(args: &Assess) -> Result<String, Failure> {
    let given = args.request.as_deref().unwrap_or_default();
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut bytes = Vec::new();
    let read = io::stdin()
        .lock()
        .take(REQUEST_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes);
    match read {
        Ok(_) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            let fault = Diagnostic::error("assess-empty", format!("read stdin: {}", chain(&error)));
            Err(Failure::told(fault, Exit::Environment))
        }
    }
}

/// An assessment for people.
fn shown(request: &Request, assessment: &Assessment) -> Vec<Line> {
    let style = match assessment.certainty {
        Certainty::Sure => Style::Good,
        Certainty::Likely => Style::Plain,
        Certainty::Unsure => Style::Warn,
    };
    let who = assessment
        .assigned_to
        .map_or(String::new(), |domain| format!(" to {}", domain.word()));
    let mut lines = vec![
        Line::styled(Style::Bold, assessment.approach.word())
            .then(format!("{who}, "))
            .with(style, assessment.certainty.word()),
    ];
    lines.push(Line::of(""));
    let reasons = assessment.reasons.iter();
    lines.extend(reasons.map(|reason| Line::of(format!("  {reason}"))));
    if assessment.executed_as != assessment.approach {
        lines.push(Line::of(format!(
            "  executed as: {}",
            assessment.executed_as.word()
        )));
    }
    section(&mut lines, "parts");
    for part in &request.parts {
        lines.push(
            Line::of(format!("  {}", part.role))
                .padded(24)
                .then(part.text.clone()),
        );
    }
    let excluded = request.exclusions.iter();
    lines.extend(
        excluded.map(|exclusion| Line::of("  not").padded(24).then(exclusion.text.clone())),
    );
    if let Some(selection) = &assessment.pattern_selection {
        section(&mut lines, &format!("workflows ({})", selection.pack_name));
        for workflow in &selection.workflows {
            let head = Line::of(format!("  {}", workflow.name)).padded(24);
            lines.push(head.then(format!(
                "{}, {}",
                workflow.description, workflow.pattern_name
            )));
        }
    }
    section(&mut lines, "rules that fired");
    lines.extend(assessment.rules.iter().map(rule));
    lines.extend(about(&assessment.facts.repository));
    if !assessment.questions.is_empty() {
        section(&mut lines, "open questions");
        for question in &assessment.questions {
            lines.push(Line::of(format!(
                "  {} ({})",
                question.asks, question.because
            )));
            lines.push(Line::styled(
                Style::Dim,
                format!("    assumed: {}", question.default),
            ));
        }
    }
    lines
}

fn section(lines: &mut Vec<Line>, title: &str) {
    lines.push(Line::of(""));
    lines.push(Line::styled(Style::Bold, title));
}

fn rule(fired: &Fired) -> Line {
    Line::of(format!("  {}", fired.rule))
        .padded(24)
        .then(format!("{:<11}", fired.points.word()))
        .with(Style::Dim, fired.because.join(", "))
}

fn about(repository: &Repository) -> Vec<Line> {
    if repository.files == 0 {
        return Vec::new();
    }
    let languages: Vec<&str> = repository
        .languages
        .iter()
        .take(3)
        .map(|language| language.name.as_str())
        .collect();
    let mut lines = Vec::new();
    section(&mut lines, "repository");
    lines.push(Line::of(format!(
        "  {} files, mostly {}",
        repository.files,
        match languages.as_slice() {
            [] => "in no known language".to_owned(),
            languages => languages.join(", "),
        }
    )));
    let similar = &repository.similar;
    if !similar.is_empty() {
        lines.push(Line::of(format!(
            "  {} similar among the last {} changes:",
            similar.len(),
            repository.commits_seen
        )));
        for similar in similar.iter().take(3) {
            let files = Line::of(format!("    {} files", similar.files)).padded(16);
            lines.push(files.with(Style::Dim, similar.title.clone()));
        }
    }
    lines
}

/// Assesses the rows of a table, each by its words alone.
fn table(path: &Path, sizes: &Sizes, printer: &Printer) -> Outcome {
    let told = |cause: String| {
        let text = format!("read the table {}: {cause}", path.display());
        let fault = Diagnostic::error("assess-table", text)
            .hint("the first line names the columns; id, title and body are read");
        Failure::told(fault, Exit::Usage)
    };
    let input: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(path).map_err(|error| told(chain(&error)))?),
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let header = reader
        .headers()
        .map_err(|error| told(chain(&error)))?
        .clone();
    let column = |name: &str| {
        let at = header.iter().position(|column| column.trim() == name);
        at.ok_or_else(|| told(format!("it has no column `{name}`")))
    };
    let (id, title, body) = (column("id")?, column("title")?, column("body")?);
    if !printer.is_json() {
        printer.text("id,approach,complex,multi_domain,score\n")?;
    }
    for row in reader.records() {
        let row = row.map_err(|error| told(chain(&error)))?;
        let cell = |at: usize| row.get(at).unwrap_or_default();
        let text = format!("{}\n\n{}", cell(title), cell(body));
        let assessment = assess(&request::read(&text), &Repository::default(), sizes);
        line(cell(id), &assessment, printer)?;
    }
    Ok(Exit::Success)
}

fn line(id: &str, assessment: &Assessment, printer: &Printer) -> Result<(), Failure> {
    let approach: Approach = assessment.approach;
    let (complex, multi) = (
        assessment.is_complex_by_words(),
        assessment.is_multi_domain_by_words(),
    );
    let score = assessment.facts.by_words.files;
    if printer.is_json() {
        return printer.object(&json!({
            "id": id, "approach": approach.word(), "complex": complex, "multi_domain": multi,
            "score": score,
        }));
    }
    let flag = |is: bool| if is { "1" } else { "0" };
    let score = format!("{score:.3}");
    let mut writer = csv::Writer::from_writer(Vec::new());
    let cells = [id, approach.word(), flag(complex), flag(multi), &score];
    let written = writer
        .write_record(cells)
        .ok()
        .and_then(|()| writer.into_inner().ok());
    let bytes = written.expect("memory takes what is written to it");
    printer.text(&String::from_utf8_lossy(&bytes))
}
