//! Measures what the supervisor costs: jobs of `/bin/true`, in a chain and eight at a time,
//! beside a bare loop that spawns and waits.
//!
//! `cargo run --release -p divisi-engine --example supervisor_bench [jobs]`

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use divisi_core::Epoch;
use divisi_core::worker::{Confinement, FromWorker, Job, Limits, ProcessSpec, ToWorker};
use divisi_engine::supervisor::{Client, JoinOptions, Joined, ServeOptions, serve};

/// Enough for the figures to settle.
const JOBS: u32 = 2_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [word, dir, socket] = &args[..]
        && word == "supervisor"
    {
        let (dir, socket) = (PathBuf::from(dir), PathBuf::from(socket));
        return Ok(serve(&ServeOptions { dir, socket })?);
    }
    let jobs = args.first().map_or(Ok(JOBS), |text| text.parse())?;

    println!(
        "{:<28} {:>9} {:>12} {:>14}",
        "", "jobs/s", "µs a job", "CPU µs a job"
    );
    for width in [1, 8] {
        let bare = measure(jobs, || bare(jobs, width))?;
        report(&format!("spawn and wait, {width} wide"), &bare);
        for confined in [false, true] {
            let bench = Bench::new(confined)?;
            let before = cpu(bench.client.supervisor_pid())?;
            let mut ours = measure(jobs, || bench.run(jobs, width))?;
            let own = cpu(bench.client.supervisor_pid())?.saturating_sub(before);
            ours.cpu_us = own.as_secs_f64() * 1e6 / f64::from(jobs);
            let how = if confined { ", confined" } else { "" };
            report(&format!("supervisor, {width} wide{how}"), &ours);
        }
    }
    Ok(())
}

struct Figures {
    per_s: f64,
    us: f64,
    /// Of the process that spawns, without its children.
    cpu_us: f64,
}

fn measure(jobs: u32, run: impl FnOnce() -> Result<(), Failure>) -> Result<Figures, Failure> {
    let own = i32::try_from(std::process::id())?;
    let (begin, before) = (Instant::now(), cpu(own)?);
    run()?;
    let wall = begin.elapsed().as_secs_f64();
    let used = cpu(own)?.saturating_sub(before).as_secs_f64();
    let jobs = f64::from(jobs);
    Ok(Figures {
        per_s: jobs / wall,
        us: wall * 1e6 / jobs,
        cpu_us: used * 1e6 / jobs,
    })
}

fn report(what: &str, figures: &Figures) {
    let Figures { per_s, us, cpu_us } = figures;
    println!("{what:<28} {per_s:>9.0} {us:>12.0} {cpu_us:>14.0}");
}

/// CPU time of a process without its children, to the nanosecond.
fn cpu(pid: i32) -> Result<Duration, Failure> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat"))?;
    let first = text.split_whitespace().next().ok_or("schedstat is empty")?;
    Ok(Duration::from_nanos(first.parse()?))
}

/// What the system itself can do for one thread that keeps `width` processes going, as `make`
/// does.
fn bare(jobs: u32, width: u32) -> Result<(), Failure> {
    let (mut started, mut ended) = (0, 0);
    while ended < jobs {
        while started < jobs && started - ended < width {
            let mut command = Command::new("/bin/true");
            command.env_clear().stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            // Waited for below, whichever ends first.
            drop(command.spawn()?);
            started += 1;
        }
        let mut status = 0;
        // SAFETY: the status is a live number that the function writes.
        if unsafe { libc::waitpid(-1, &raw mut status, 0) } < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        ended += 1;
    }
    Ok(())
}

struct Bench {
    client: Client,
    words: Receiver<FromWorker>,
    spec: ProcessSpec,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new(confined: bool) -> Result<Bench, Failure> {
        let dir = tempfile::tempdir()?;
        let socket = dir.path().join("run/s/supervisor.sock");
        let text = |path: &Path| path.display().to_string();
        let options = JoinOptions {
            program: std::env::current_exe()?,
            args: vec!["supervisor".to_owned(), text(dir.path()), text(&socket)],
            dir: dir.path().to_owned(),
            socket,
            epoch: Epoch(1),
            orphan_grace_ms: 0,
        };
        let Joined {
            client, mut words, ..
        } = Client::join(&options)?;
        let (teller, heard) = channel();
        std::thread::spawn(move || {
            while let Ok(said) = words.take() {
                for word in said {
                    // Whoever measured enough listens no more.
                    let _ = teller.send(word);
                }
            }
        });
        let spec = ProcessSpec {
            argv: vec!["/bin/true".to_owned()],
            cwd: text(dir.path()),
            env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            stdin: String::new(),
            asks: false,
            log: text(&dir.path().join("log")),
            masked: Vec::new(),
            confinement: if confined {
                Confinement::Writes(vec![text(dir.path())])
            } else {
                Confinement::None
            },
            limits: Limits::default(),
        };
        Ok(Bench {
            client,
            words: heard,
            spec,
            _dir: dir,
        })
    }

    fn start(&self, n: u32) -> ToWorker {
        let job = Job::parse(&format!("1/{n}.1")).expect("this is how a job is written");
        let spec = Box::new(self.spec.clone());
        ToWorker::Start { job, spec }
    }

    /// Keeps `width` jobs going; each end forgets its job and starts the next.
    fn run(&self, jobs: u32, width: u32) -> Result<(), Failure> {
        let mut next = width.min(jobs);
        let first: Vec<ToWorker> = (0..next).map(|n| self.start(n)).collect();
        self.client.send_all(&first)?;
        let mut ended = 0;
        while ended < jobs {
            match self.words.recv_timeout(Duration::from_secs(10))? {
                FromWorker::Ended { job, .. } => {
                    ended += 1;
                    let mut words = vec![ToWorker::Forget { job }];
                    if next < jobs {
                        words.push(self.start(next));
                        next += 1;
                    }
                    self.client.send_all(&words)?;
                }
                FromWorker::Joined { .. } | FromWorker::Started { .. } => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    }
}
