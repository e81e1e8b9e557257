//! A workflow as its author left it, with the roles and templates that it may use.

use divisi_core::diagnostic::Severity;
use divisi_core::{Commit, Diagnostic};
use divisi_engine::repo::Fault;
use divisi_pack::bundle::{self, Bundle, Given};
use divisi_pack::workflow::{InputKind, Workflow};

use crate::exit::Exit;
use crate::library::{Found, Library, LoadedRoles, LoadedTemplates};
use crate::printer::{Failure, Printer};

/// A workflow that was found and read.
pub(crate) struct Authored {
    /// Where it stands.
    pub(crate) found: Found,
    /// What it says.
    pub(crate) workflow: Workflow,
    roles: LoadedRoles,
    templates: LoadedTemplates,
}

impl Authored {
    /// Reads a workflow, and the roles and templates of all layers.
    ///
    /// # Errors
    /// One of them has faults; all of them were told.
    pub(crate) fn read(
        found: Found,
        library: &Library,
        printer: &Printer,
    ) -> Result<Authored, Failure> {
        let read = found.workflow();
        let (roles, templates) = (library.roles(), library.templates());
        let more = roles.missing(&read);
        for diagnostic in read.diagnostics.iter().chain(&more) {
            printer.diagnostic(diagnostic, found.text());
        }
        let told = roles.told(printer);
        let workflow = read.workflow.ok_or(Failure::Reported(Exit::Usage))?;
        told?;
        for diagnostic in &templates.diagnostics {
            printer.diagnostic(diagnostic, None);
        }
        Ok(Authored {
            found,
            workflow,
            roles,
            templates,
        })
    }

    /// The values of its inputs, of those that were said: revisions become commits, since a task's
    /// workspace knows no branches. `fork` finds where the work's base left one.
    pub(crate) fn inputs(
        &self,
        said: Vec<(String, String)>,
        fork: impl Fn(&str) -> Result<Commit, Fault>,
    ) -> (Vec<(String, String)>, Vec<Diagnostic>) {
        let mut inputs = said;
        let (mut commits, mut diagnostics) = (Vec::new(), Vec::new());
        let forks = self.workflow.inputs.iter();
        for declared in forks.filter(|declared| declared.kind == InputKind::Fork) {
            let given = inputs.iter().rev().find(|(name, _)| *name == declared.name);
            let rev = given.map(|(_, rev)| rev.as_str());
            let rev = rev.or(declared.default.as_deref());
            let Some(rev) = rev.filter(|rev| !rev.is_empty()) else {
                continue;
            };
            match fork(rev) {
                Ok(commit) => commits.push((declared.name.clone(), commit.to_string())),
                Err(fault) => diagnostics.push(fault.diagnostic()),
            }
        }
        inputs.extend(commits);
        (inputs, diagnostics)
    }

    /// Puts it together with what it is given. `before` was found wrong with that already: all faults
    /// are told at once.
    ///
    /// # Errors
    /// An input is missing or wrong, a role or a template is not there; it was told.
    pub(crate) fn bundle(
        &self,
        given: &Given,
        before: Vec<Diagnostic>,
        printer: &Printer,
    ) -> Result<Bundle, Failure> {
        let refused = || Failure::Reported(Exit::Usage);
        let roles = self.roles.roles.as_ref().ok_or_else(refused)?;
        let assembled = bundle::assemble(&self.workflow, roles, &self.templates.layers(), given);
        let mut diagnostics = before;
        diagnostics.extend(assembled.diagnostics);
        for diagnostic in &diagnostics {
            self.tell(diagnostic, printer);
        }
        let is_refused = diagnostics.iter().any(|it| it.severity == Severity::Error);
        assembled.bundle.filter(|_| !is_refused).ok_or_else(refused)
    }

    /// Tells what is wrong, with the line that it points into.
    pub(crate) fn tell(&self, diagnostic: &Diagnostic, printer: &Printer) {
        printer.diagnostic(diagnostic, self.found.text_for(diagnostic, &self.roles));
    }
}
