//! What a run stands on.

use divisi_core::Diagnostic;
use divisi_core::run::Base;
use divisi_engine::repo::{self, BaseOptions, InUse, Repo};

use super::told;
use crate::cli::RunArgs;
use crate::printer::{Failure, Line, Printer, Style};

/// What a run stands on, for whoever consents to it.
pub(super) fn on(base: &Base) -> Line {
    let line = Line::of(format!("  on {}", base.described));
    match base.uncommitted.is_empty() || base.included {
        true => line,
        false => line.with(Style::Warn, ", without what is not committed"),
    }
}

/// Brings the run's base into the private repository, and says what it is. Until a run names it, it
/// is kept from being cleaned up.
pub(super) fn base(
    args: &RunArgs,
    start: Option<&str>,
    repo: &Repo,
    printer: &Printer,
) -> Result<(Base, InUse), Failure> {
    let options = BaseOptions {
        rev: start.filter(|rev| *rev != "HEAD").map(str::to_owned),
        include_dirty: args.include_dirty,
    };
    let base = repo.base(&options).map_err(|fault| told(&fault))?;
    for warning in &base.warnings {
        printer.diagnostic(warning, None);
    }
    if base.uncommitted_count > 0 && !base.included {
        let names: Vec<&str> = base
            .uncommitted
            .iter()
            .take(5)
            .map(String::as_str)
            .collect();
        let more = base.uncommitted_count - names.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let diagnostic = Diagnostic::warning(
            "base-uncommitted",
            format!(
                "the run stands on {}; not on uncommitted {}{more}",
                base.described,
                names.join(", ")
            ),
        )
        .hint("`--include-dirty` takes them in");
        printer.diagnostic(&diagnostic, None);
    }
    Ok((named(&base), base.in_use))
}

/// A base as a run is given it.
pub(crate) fn named(base: &repo::Base) -> Base {
    Base {
        commit: Some(base.commit.clone()),
        described: base.described.clone(),
        uncommitted: base.uncommitted.clone(),
        included: base.included,
    }
}
