//! What a run stands on.

use std::path::PathBuf;

use divisi_core::run::Base;
use divisi_engine::repo::{self, BaseOptions, InUse, Repo};

use super::{left_out, told};
use crate::cli::RunArgs;
use crate::exit::Exit;
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
    read_here: &[PathBuf],
    repo: &Repo,
    printer: &Printer,
) -> Result<(Base, InUse), Failure> {
    let options = BaseOptions {
        rev: start.filter(|rev| *rev != "HEAD").map(str::to_owned),
        include_dirty: args.include_dirty,
    };
    let base = repo.base(&options).map_err(|fault| match fault {
        // It was named on the command line.
        repo::Fault::NoRevision { .. } if options.rev.is_some() => {
            Failure::told(fault.diagnostic(), Exit::Usage)
        }
        fault => told(&fault),
    })?;
    for warning in &base.warnings {
        printer.diagnostic(warning, None);
    }
    if !base.included {
        let (on, count) = (&base.described, base.uncommitted_count);
        let told = left_out::warning(on, &base.uncommitted, count, read_here);
        told.iter().for_each(|told| printer.diagnostic(told, None));
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
