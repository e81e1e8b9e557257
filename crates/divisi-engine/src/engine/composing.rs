//! What a composition reads from the run's head, the files of its inputs and its template; and what
//! it means when one fails.
//!
//! What is not there, or not what it must be, is the plan's fault: it would fail in exactly the
//! same way again, so nobody tries. Only what the storage reports is a reason of ours.

use std::io;
use std::sync::Arc;

use divisi_core::plan::{Template, Work};
use divisi_core::receipt::Exit;
use divisi_core::run::{Command, Said};
use divisi_core::worker::Ended;
use divisi_core::{AttemptId, TaskSpec};

use crate::compose::{self, Artifact, Input};
use crate::files::{Entry, Files};

/// Why a composition cannot be begun.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// For a reason of the plan's, with what to change.
    Refused(String),
    /// For a reason of ours, worth another try.
    Fault(String),
}

/// Fills in the contents of the inputs, and of a template that stands in the tree.
///
/// # Errors
/// Something is not there, not what it must be, or cannot be read.
pub(super) fn read(
    spec: &mut Arc<TaskSpec>,
    inputs: &mut [Input],
    files: &dyn Files,
) -> Result<(), Unread> {
    let mut text_bytes = 0;
    for input in inputs {
        for artifact in &mut input.artifacts {
            *artifact = read_artifact(&input.id, &artifact.path, files)?;
            text_bytes += artifact.text.as_ref().map_or(0, String::len);
            if text_bytes > compose::INPUTS_BYTES_MAX {
                return refused(too_much());
            }
        }
    }
    let Work::Template(Template {
        text: None,
        path: Some(path),
        ..
    }) = &spec.work
    else {
        return Ok(());
    };
    let text = read_template(path, files)?;
    let spec = Arc::make_mut(spec);
    if let Work::Template(template) = &mut spec.work {
        template.text = Some(text);
    }
    Ok(())
}

/// How a composition failed, where its end says more than that of any program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// It refused its request, as it would every time.
    Refused,
    /// The machine was in its way, and may not be the next time.
    Hindered,
}

impl Failed {
    /// What the end of a composition says; `None` for an end like that of any program.
    pub(super) fn of(ended: &Ended) -> Option<Failed> {
        match ended.exit {
            _ if ended.told => None,
            Exit::Status(compose::REFUSED_STATUS) => Some(Failed::Refused),
            Exit::Status(compose::HINDERED_STATUS) => Some(Failed::Hindered),
            Exit::Status(_) | Exit::Signal(_) | Exit::NoProcess => None,
        }
    }

    /// What the run is told, from what the composition printed.
    pub(super) fn command(self, attempt: AttemptId, ended: Ended, printed: &str) -> Command {
        let printed = printed.trim();
        let cause = printed
            .strip_prefix("error[compose-failed]: ")
            .unwrap_or(printed);
        match self {
            Failed::Refused => Command::NotComposed {
                attempt,
                cause: format!(
                    "{cause}; correct the template, then run the plan anew: a run keeps the one it has"
                ),
                ended: Some(ended),
            },
            Failed::Hindered => Command::Ended {
                attempt,
                ended,
                said: Some(Said::Hindrance(format!("nothing was composed: {cause}"))),
            },
        }
    }
}

fn refused<T>(cause: String) -> Result<T, Unread> {
    Err(Unread::Refused(cause))
}

fn too_much() -> String {
    let most = compose::INPUTS_BYTES_MAX;
    format!(
        "the text of all inputs has more than {most} bytes; compose fewer of them, or in levels"
    )
}

fn fault(path: &str, error: &io::Error) -> Unread {
    Unread::Fault(format!("read {path}: {error}"))
}

/// The size of a file of the tree, or what stands in its place, in words.
fn size(path: &str, files: &dyn Files) -> Result<Result<u64, &'static str>, Unread> {
    let entry = files.entry(path).map_err(|error| fault(path, &error))?;
    Ok(match entry {
        Entry::File { bytes, .. } => Ok(bytes),
        Entry::Missing => Err("is not in the run's tree"),
        Entry::Folder => Err("is a folder in the run's tree"),
        Entry::Link => Err("is a link in the run's tree"),
        Entry::Other => Err("is no regular file in the run's tree"),
    })
}

fn read_artifact(input: &str, path: &str, files: &dyn Files) -> Result<Artifact, Unread> {
    let bytes = match size(path, files)? {
        Ok(bytes) => bytes,
        Err(what) if input == path => {
            return refused(format!(
                "the input {path} {what}; commit it before the run, or name the task that makes \
                 it among the inputs"
            ));
        }
        Err(what) => {
            return refused(format!(
                "{path}, which {input} made, {what}; another task has changed it since"
            ));
        }
    };
    let most = compose::INPUTS_BYTES_MAX as u64;
    let read = files
        .read(path, most)
        .map_err(|error| fault(path, &error))?;
    if bytes <= most {
        return Ok(Artifact::new(path, read));
    }
    // Of what is no text only its size is shown. A cut may go through a letter.
    let is_text = match std::str::from_utf8(&read) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    if is_text {
        return refused(too_much());
    }
    Ok(Artifact {
        path: path.to_owned(),
        bytes,
        text: None,
    })
}

fn read_template(path: &str, files: &dyn Files) -> Result<String, Unread> {
    let bytes = match size(path, files)? {
        Ok(bytes) => bytes,
        Err(what) => {
            return refused(format!(
                "the template {path} {what}; commit it before the run, or name the task that \
                 makes it among the dependencies"
            ));
        }
    };
    let most = compose::TEMPLATE_BYTES_MAX as u64;
    if bytes > most {
        return refused(format!(
            "the template {path} has more than {most} bytes; make it shorter"
        ));
    }
    let read = files
        .read(path, most)
        .map_err(|error| fault(path, &error))?;
    String::from_utf8(read).or_else(|_| refused(format!("the template {path} is no UTF-8 text")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use divisi_core::{RunId, TaskId, TaskNo};

    use super::*;
    use crate::files::FolderFiles;

    fn spec(template: Option<&str>) -> Arc<TaskSpec> {
        let mut spec = TaskSpec::command(TaskId::new("all").unwrap(), &["true"]);
        spec.work = Work::Template(Template {
            text: None,
            path: template.map(str::to_owned),
            output: "all.md".to_owned(),
        });
        Arc::new(spec)
    }

    fn inputs(id: &str, paths: &[&str]) -> Vec<Input> {
        let artifact = |path: &&str| Artifact {
            path: (*path).to_owned(),
            ..Artifact::default()
        };
        vec![Input {
            id: id.to_owned(),
            artifacts: paths.iter().map(artifact).collect(),
            ..Input::default()
        }]
    }

    /// A folder in the place of the tree.
    fn tree(make: impl FnOnce(&Path)) -> (tempfile::TempDir, FolderFiles) {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let files = FolderFiles::open(folder.path(), None).unwrap();
        (folder, files)
    }

    fn refusal(template: Option<&str>, inputs: &mut [Input], files: &FolderFiles) -> String {
        match read(&mut spec(template), inputs, files) {
            Err(Unread::Refused(cause)) => cause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn inputs_and_template_are_read() {
        let (_folder, files) = tree(|at| {
            std::fs::write(at.join("a.md"), "one\n").unwrap();
            std::fs::write(at.join("b.bin"), [0xff, 0]).unwrap();
            std::fs::write(at.join("t.md"), "{{ run.id }}").unwrap();
        });
        let (mut spec, mut inputs) = (spec(Some("t.md")), inputs("a", &["a.md", "b.bin"]));
        assert_eq!(read(&mut spec, &mut inputs, &files), Ok(()));
        assert_eq!(inputs[0].artifacts[0].text.as_deref(), Some("one\n"));
        assert_eq!(inputs[0].artifacts[1].text, None);
        let Work::Template(template) = &spec.work else {
            panic!("it composes");
        };
        assert_eq!(template.text.as_deref(), Some("{{ run.id }}"));
    }

    #[test]
    fn what_is_missing_is_refused_with_what_to_change() {
        let (_folder, files) = tree(|at| {
            std::fs::create_dir(at.join("docs")).unwrap();
            symlink("/etc/passwd", at.join("link")).unwrap();
        });
        for (path, what) in [
            ("no.md", "is not in the run's tree"),
            ("docs", "is a folder in the run's tree"),
            ("link", "is a link in the run's tree"),
        ] {
            let told = refusal(None, &mut inputs(path, &[path]), &files);
            assert!(
                told.starts_with(&format!("the input {path} {what}; commit it")),
                "{told}"
            );
            let told = refusal(None, &mut inputs("a", &[path]), &files);
            assert!(
                told.starts_with(&format!("{path}, which a made, {what}")),
                "{told}"
            );
            let told = refusal(Some(path), &mut [], &files);
            assert!(
                told.starts_with(&format!("the template {path} {what}; commit")),
                "{told}"
            );
        }
    }

    #[test]
    fn what_is_too_large_is_refused_and_never_cut_off() {
        let (_folder, files) = tree(|at| {
            let most = compose::INPUTS_BYTES_MAX;
            let half = "é".repeat(most / 4 + 1);
            std::fs::write(at.join("half"), half).unwrap();
            // The cut goes through a letter.
            std::fs::write(at.join("text"), format!("a{}", "é".repeat(most / 2))).unwrap();
            std::fs::write(at.join("data"), vec![0xff; most + 7]).unwrap();
            let template = "x".repeat(compose::TEMPLATE_BYTES_MAX + 1);
            std::fs::write(at.join("template"), template).unwrap();
            std::fs::write(at.join("latin"), [b'a', 0xe4]).unwrap();
        });
        for paths in [&["text"][..], &["half", "half"]] {
            let told = refusal(None, &mut inputs("a", paths), &files);
            assert!(
                told.contains("the text of all inputs has more than"),
                "{told}"
            );
        }
        let mut data = inputs("a", &["data", "half"]);
        assert_eq!(read(&mut spec(None), &mut data, &files), Ok(()));
        let artifact = &data[0].artifacts[0];
        let bytes = compose::INPUTS_BYTES_MAX as u64 + 7;
        assert_eq!((artifact.bytes, &artifact.text), (bytes, &None));
        let told = refusal(Some("template"), &mut [], &files);
        assert!(told.contains("has more than 262144 bytes"), "{told}");
        let told = refusal(Some("latin"), &mut [], &files);
        assert!(told.contains("no UTF-8"), "{told}");
    }

    /// A tree whose storage fails.
    struct Broken;

    impl Files for Broken {
        fn entry(&self, _: &str) -> io::Result<Entry> {
            Err(io::Error::other("the disk does not answer"))
        }

        fn read(&self, _: &str, _: u64) -> io::Result<Vec<u8>> {
            Err(io::Error::other("the disk does not answer"))
        }

        fn list(&self) -> io::Result<Vec<String>> {
            Ok(Vec::new())
        }

        fn changed(&self) -> io::Result<Option<Vec<String>>> {
            Ok(None)
        }
    }

    #[test]
    fn what_the_storage_reports_is_a_fault_of_ours() {
        let fault = Err(Unread::Fault(
            "read a.md: the disk does not answer".to_owned(),
        ));
        let mut inputs = inputs("a", &["a.md"]);
        assert_eq!(read(&mut spec(None), &mut inputs, &Broken), fault);
        assert_eq!(read(&mut spec(Some("a.md")), &mut [], &Broken), fault);
    }

    #[test]
    fn the_end_of_a_composition_says_who_is_to_blame() {
        let attempt = AttemptId {
            run: RunId(1),
            task: TaskNo(0),
            number: 1,
        };
        let ended = |exit: Exit| Ended {
            exit,
            ..super::super::launch::instant()
        };
        let told = |status: i32, printed: &str| {
            let ended = ended(Exit::Status(status));
            Failed::of(&ended).map(|failed| failed.command(attempt, ended, printed))
        };
        let printed = "error[compose-failed]: fill the template in line 2: x\n";
        let cause = "fill the template in line 2: x; correct the template, then run the plan anew: a run keeps the one it has";
        assert_eq!(
            told(1, printed),
            Some(Command::NotComposed {
                attempt,
                cause: cause.to_owned(),
                ended: Some(ended(Exit::Status(1))),
            })
        );
        let lost = "nothing was composed: no space".to_owned();
        assert_eq!(
            told(
                compose::HINDERED_STATUS,
                "error[compose-failed]: no space\n"
            ),
            Some(Command::Ended {
                attempt,
                ended: ended(Exit::Status(compose::HINDERED_STATUS)),
                said: Some(Said::Hindrance(lost)),
            })
        );
        assert_eq!(told(0, ""), None);
        assert_eq!(told(70, ""), None);
        assert_eq!(Failed::of(&ended(Exit::Signal(9))), None);
        let stopped = Ended {
            told: true,
            ..ended(Exit::Status(1))
        };
        assert_eq!(Failed::of(&stopped), None, "somebody ended it");
    }
}
