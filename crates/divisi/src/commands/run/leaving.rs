//! What is left when a run rests: its report, its feedback, and a word on where it stands.

use divisi_core::run::Run;
use divisi_engine::engine::{Rest, wall_now};

use super::Driver;
use crate::exit::Exit;
use crate::feedback;
use crate::lessons;
use crate::printer::{Failure, Line, Outcome, Printer};
use crate::progress::closing;
use crate::projection;
use crate::report;
use crate::words::plural;

impl Driver<'_> {
    /// Says where the run stands, writes its report, and picks the exit code.
    pub(super) fn close(&self, run: &Run, rest: Rest) -> Outcome {
        for line in closing(run, wall_now()) {
            self.printer.note(&Line::of(line));
        }
        self.teach(run);
        let report = report::with_changed(self.project, run, wall_now());
        projection::keep(self.project, run, &report);
        if self.printer.is_json() {
            self.printer.document(&report)?;
        }
        Ok(match rest {
            Rest::Interrupted if run.ended.is_none() => Exit::Interrupted,
            Rest::Interrupted | Rest::Rested => Exit::of_run(run),
        })
    }

    /// Keeps the feedback that is still owed, and says whether lessons wait for their review. The run
    /// is what it is without it.
    fn teach(&self, run: &Run) {
        let line = |text: String| self.printer.note(&Line::of(text));
        if let Err(Failure::Told(told, _)) =
            feedback::catch_up(self.project, run, &Printer::silent())
        {
            let id = run.id;
            line(format!(
                "  no feedback was kept: {}; divisi feedback {id}",
                told.cause
            ));
        }
        let lessons = lessons::list(self.project).unwrap_or_default();
        let id = run.id.to_string();
        let proposed = { lessons.iter() }.filter(|kept| kept.is_proposed_by(&id));
        match proposed.count() as u64 {
            0 => {}
            many => line(format!(
                "  {} to review: divisi lessons",
                plural(many, "lesson")
            )),
        }
    }
}
