//! A workflow as its author left it, with the roles and templates that it may use.

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Severity;
use divisi_pack::bundle::{self, Bundle, Given};
use divisi_pack::workflow::Workflow;

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
        for diagnostic in &read.diagnostics {
            printer.diagnostic(diagnostic, found.text());
        }
        let workflow = read.workflow.ok_or(Failure::Reported(Exit::Usage))?;
        let (roles, templates) = (library.roles(), library.templates());
        roles.told(printer)?;
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
