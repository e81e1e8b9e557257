//! `divisi logs`: what an attempt printed, as far as the log's cap kept it.
//!
//! The log belongs to an agent, so whatever stands in it is made printable, on a terminal or not.
//! The raw file's path is told by `divisi show`.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::thread;

use divisi_core::journal::TaskRow;
use divisi_core::run::{Run, TaskStatus};
use divisi_core::{Diagnostic, RunId, TaskId, TaskNo};
use divisi_store::View;
use serde::Serialize;

use crate::cli::{Global, Logs};
use crate::commands::watch;
use crate::exit::Exit;
use crate::follow::{LOOK, Vigil};
use crate::loaded;
use crate::printer::{Failure, Line, Outcome, Printer};

/// A longer line is printed in pieces: a log can be one line without an end.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Prints the log.
pub(crate) fn run(args: &Logs, global: &Global, printer: &Printer) -> Outcome {
    let (project, run) = loaded::open(global, Some(args.of.run))?;
    let no = loaded::task(&run, &args.of.task)?;
    let number = number(&run, no, args.attempt)?;
    let path = project.log(run.id, &run.tasks()[no.index()].spec.id, number);
    let of = Of {
        run: run.id.to_string(),
        task: run.tasks()[no.index()].spec.id.clone(),
        attempt: number,
    };
    let mut tail = Tail::new(&path, of);
    let (view, mut vigil) = (project.view()?, Vigil::default());
    loop {
        // Whether it is over is asked first: what was printed before that is then read.
        let goes_on = args.follow && is_live(&view, run.id, no, number)?;
        if tail.print(printer)? {
            vigil.on_news();
        } else if goes_on && vigil.is_in_vain(&project, run.id) {
            printer.note(&watch::unattended(run.id));
            break;
        }
        if !goes_on {
            break;
        }
        thread::sleep(LOOK);
    }
    tail.finish(printer)?;
    if tail.is_absent() {
        printer.note(&Line::of(format!(
            "attempt {number} printed nothing that is kept"
        )));
    }
    Ok(Exit::Success)
}

/// The attempt that is meant.
fn number(run: &Run, no: TaskNo, asked: Option<u32>) -> Result<u32, Failure> {
    let task = &run.tasks()[no.index()];
    let last = task.attempts();
    let id = &task.spec.id;
    let cause = match asked {
        _ if last == 0 => format!("{id} has had no attempt yet"),
        Some(number) if number > last => format!("{id} has had {last} attempts, not {number}"),
        Some(number) => return Ok(number),
        None => return Ok(last),
    };
    let told = Diagnostic::error("attempt-unknown", cause).hint(format!(
        "`divisi explain {} {id}` says where it stands",
        run.id
    ));
    Err(Failure::told(told, Exit::NotFound))
}

/// Whether the attempt may still print, by the one row that tells.
fn is_live(view: &View, run: RunId, no: TaskNo, number: u32) -> Result<bool, Failure> {
    let row = view.task(run, no.0)?;
    let runs = |row: TaskRow| row.attempts == number && row.status == TaskStatus::Running.word();
    Ok(row.is_some_and(runs))
}

/// Whose log it is.
#[derive(Serialize)]
struct Of {
    run: String,
    task: TaskId,
    attempt: u32,
}

/// A line of a log, as `--json` prints it.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    of: &'a Of,
    line: &'a str,
}

/// A file that grows, printed line by line.
struct Tail<'a> {
    path: &'a Path,
    of: Of,
    at: u64,
    rest: Vec<u8>,
}

impl<'a> Tail<'a> {
    fn new(path: &'a Path, of: Of) -> Tail<'a> {
        Tail {
            path,
            of,
            at: 0,
            rest: Vec::new(),
        }
    }

    /// Whether there was nothing at all.
    fn is_absent(&self) -> bool {
        self.at == 0
    }

    /// Prints the complete lines that are new. Whether there was anything new.
    fn print(&mut self, printer: &Printer) -> Result<bool, Failure> {
        let path = self.path;
        let unreadable = |error: io::Error| {
            let cause = format!("reading the log {}: {error}", path.display());
            let told = Diagnostic::error("file-unreadable", cause)
                .hint("run `divisi doctor` to see what is wrong with the folder");
            Failure::told(told, Exit::Environment)
        };
        let mut file = match open(self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unreadable(error)),
        };
        file.seek(SeekFrom::Start(self.at)).map_err(unreadable)?;
        let (mut chunk, before) = (vec![0; LINE_BYTES_MAX], self.at);
        loop {
            let read = file.read(&mut chunk).map_err(unreadable)?;
            if read == 0 {
                return Ok(self.at > before);
            }
            self.at += read as u64;
            self.rest.extend_from_slice(&chunk[..read]);
            self.print_lines(printer)?;
        }
    }

    fn print_lines(&mut self, printer: &Printer) -> Result<(), Failure> {
        let complete = match self.rest.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if self.rest.len() >= LINE_BYTES_MAX => self.rest.len(),
            None => return Ok(()),
        };
        let text = String::from_utf8_lossy(&self.rest[..complete]).into_owned();
        self.rest.drain(..complete);
        self.say(&text, printer)
    }

    /// Prints what stands after the last line break.
    fn finish(&mut self, printer: &Printer) -> Result<(), Failure> {
        let text = String::from_utf8_lossy(&self.rest).into_owned();
        self.rest.clear();
        self.say(&text, printer)
    }

    fn say(&self, text: &str, printer: &Printer) -> Result<(), Failure> {
        if !printer.is_json() {
            return printer.text(text);
        }
        let of = &self.of;
        text.lines()
            .try_for_each(|line| printer.object(&Printed { of, line }))
    }
}

/// Opens a log: a regular file, never what a link leads to.
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        )),
    }
}
