//! From an intent to a plan: assess, settle what is open, plan.
//!
//! What comes of it is a plan like any other, perhaps of one task that plans the rest, with what is recorded of where it comes from. Nothing
//! is started here, and nobody is asked where nobody can answer.

use divisi_core::intent::{Intent, Planner, Settled};
use divisi_core::run::Sizes;
use divisi_core::{Diagnostic, Plan, TaskId, shell};
use divisi_engine::facts;
use divisi_pack::assess::{Approach, Assessment, Question, assess, settle};
use divisi_pack::planner::{self, Answer, Declined, Pattern, Planned};
use divisi_pack::request::{self, Request};

use super::chosen::Chosen;
use crate::cli::{self, RunArgs};
use crate::commands::plan::given::Gathered;
use crate::config::Configuration;
use crate::consent;
use crate::exit::Exit;
use crate::printer::{Failure, Line, Printer, Style};
use crate::project::Project;
use crate::words::cut;

/// So many characters of a line are shown.
const LINE_CHARS_MAX: usize = 160;

/// So many characters are shown of words that keep a request whole.
const DOUBTFUL_CHARS_MAX: usize = 60;

/// A longer request is not said again in a command line: nobody would copy it.
const REPEATED_CHARS_MAX: usize = 1_000;

/// Plans it.
///
/// # Errors
/// No planner can, or the project cannot be read; it was told.
pub(super) fn planned(
    text: &str,
    args: &RunArgs,
    (project, configuration): (&Project, &Configuration),
    printer: &Printer,
) -> Result<Chosen, Failure> {
    let look = || Gathered::with(configuration.clone(), project, printer);
    let sizes = configuration.config.sizes();
    let (gathered, assessed) = beside(look, || read(text, project, &sizes));
    let gathered = gathered?;
    let facts = gathered.facts();
    let (mut request, mut assessment) = assessed;
    let answered = answered(&assessment.questions, args)?;
    let (understood, settled) = settle(&request, &answered);
    let is_other = understood != request.text;
    if is_other {
        (request, assessment) = read(&understood, project, &sizes);
    }
    let mut assessed = assessment.kept();
    let made = match args.planning.one {
        true => as_one(&request, &gathered, "`--one` asks for it")?,
        false => {
            let answer = planner::by_rule(&request, &facts);
            let said = args.planning.planner;
            planner_of(&request, &assessment, answer, &gathered, said)?
        }
    };
    let made = match made {
        Made::Plan(planned, planner) => {
            if planner == Planner::Structure {
                let text = divisi_pack::plan_file::write(&planned.plan);
                let advice = planned.advice.iter();
                advice.for_each(|advice| printer.diagnostic(advice, Some(&text)));
            }
            (planned.plan, planner)
        }
        Made::One(plan, why) => {
            Approach::Direct
                .word()
                .clone_into(&mut assessed.executed_as);
            // Nobody asks why what is simple is not divided.
            let is_asked = args.planning.planner.is_some();
            if is_asked || assessment.approach != Approach::Direct {
                let why = format!("It is one task all the same: {why}.");
                assessed.reasons.push(why);
            }
            (*plan, Planner::One)
        }
        Made::ByAgent => {
            Approach::Plan.word().clone_into(&mut assessed.executed_as);
            let plan = planner::by_agent::plan(&request, &facts, &settled);
            (plan, Planner::Agent)
        }
    };
    let (mut plan, planner) = made;
    if planner != Planner::Agent {
        planner::tell(&mut plan, &settled);
    }
    gathered.for_agents(&mut plan);
    let intent = Intent {
        text: text.to_owned(),
        understood: is_other.then_some(understood),
        assessment: assessed,
        settled,
        left_out: planner::left_out(&planner, &plan, &request, &facts),
        tests: facts.tests.map(<[String]>::to_vec),
        planner,
    };
    // Without a question nobody has seen them.
    if args.yes || args.dry_run.dry_run {
        lines(&intent, "")
            .iter()
            .for_each(|line| printer.note(line));
    }
    Ok(Chosen::Planned(Box::new(plan), Box::new(intent)))
}

/// Reads a request and assesses it.
pub(crate) fn read(text: &str, project: &Project, sizes: &Sizes) -> (Request, Assessment) {
    let request = request::read(text);
    let assessment = assess(&request, &facts::gather(project.folder(), &request), sizes);
    (request, assessment)
}

/// Two looks at a project at one time: both wait for git, and neither needs the other.
pub(crate) fn beside<A, B: Send>(
    one: impl FnOnce() -> A,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        let other = other.join();
        (
            one,
            other.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    })
}

/// The questions with their answers, `None` where the default is taken.
fn answered(
    questions: &[Question],
    args: &RunArgs,
) -> Result<Vec<(Question, Option<String>)>, Failure> {
    let asks = consent::can_be_asked() && !args.yes && !args.dry_run.dry_run;
    let answer = |question: &Question| {
        let words = || {
            let (asks, because) = (&question.asks, cut(&question.because, LINE_CHARS_MAX));
            let default = &question.default;
            consent::asks_for_words(&divisi_pack::printable(&format!(
                "{asks} ({because}) [{default}]"
            )))
        };
        let answer = asks.then(words).transpose()?.flatten();
        Ok((question.clone(), answer))
    };
    questions.iter().map(answer).collect()
}

/// What `divisi run` would do with a request, told beside the plan that rules make of it.
pub(crate) struct Foretold {
    /// How it was assessed.
    pub(crate) assessment: Assessment,
    /// What becomes of it, after "would".
    pub(crate) would: String,
    /// Who would plan it; nobody where it would be declined.
    pub(crate) planner: Option<Planner>,
}

/// Foretells it of a request that was read, with the defaults of what is open. What rules answer to it
/// is known already.
pub(crate) fn foretold(
    (mut request, mut assessment): (Request, Assessment),
    mut answer: Answer,
    gathered: &Gathered,
    project: &Project,
) -> Foretold {
    let open: Vec<_> = { assessment.questions.iter() }
        .map(|question| (question.clone(), None))
        .collect();
    let (understood, _) = settle(&request, &open);
    let asked = match understood == request.text {
        true => "",
        false => {
            (request, assessment) = read(&understood, project, &gathered.sizes());
            answer = planner::by_rule(&request, &gathered.facts());
            ", once it is answered what is open"
        }
    };
    let (would, planner) = match planner_of(&request, &assessment, answer, gathered, None) {
        Ok(Made::Plan(_, planner)) => (format!("do it as a plan, planned {planner}"), planner),
        // Nobody asks why what is simple is not divided.
        Ok(Made::One(..)) if assessment.approach == Approach::Direct => {
            ("do it as one task".to_owned(), Planner::One)
        }
        Ok(Made::One(_, why)) => (format!("do it as one task: {why}"), Planner::One),
        Ok(Made::ByAgent) => ("have an agent plan it first".to_owned(), Planner::Agent),
        Err(_) => {
            return Foretold {
                assessment,
                would: format!("decline it{asked}"),
                planner: None,
            };
        }
    };
    Foretold {
        assessment,
        would: would + asked,
        planner: Some(planner),
    }
}

impl Foretold {
    /// For people.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let of = &self.assessment;
        let (approach, certainty) = (of.approach.word(), of.certainty.word());
        let head = Line::styled(Style::Dim, "`divisi run` would ")
            .then(format!("{} ({approach}, {certainty})", self.would));
        let since = of.reasons.iter();
        let since =
            since.map(|it| Line::styled(Style::Dim, "  since: ").then(cut(it, LINE_CHARS_MAX)));
        std::iter::once(head).chain(since).collect()
    }
}

/// What became of planning.
enum Made {
    /// A plan of several tasks, and who made it.
    Plan(Box<Planned>, Planner),
    /// A plan of one task, and why it is not divided.
    One(Box<Plan>, String),
    /// An agent is to make it.
    ByAgent,
}

/// The request as one task, and why it is.
fn as_one(request: &Request, gathered: &Gathered, why: &str) -> Result<Made, Failure> {
    match planner::as_one(request, &gathered.facts()) {
        Answer::Planned(planned) => Ok(Made::One(Box::new(planned.plan), why.to_owned())),
        Answer::Declined(declined) => Err(refused(request, &declined)),
    }
}

/// Plans by rule, or leaves it to an agent. It is divided only where the assessment says that it
/// pays, or somebody names a planner.
fn planner_of(
    request: &Request,
    assessment: &Assessment,
    answer: Answer,
    gathered: &Gathered,
    said: Option<cli::plan::Planner>,
) -> Result<Made, Failure> {
    let one = |why: &str| as_one(request, gathered, why);
    let pays = said.is_some() || assessment.approach != Approach::Direct;
    let may_ask = pays && said != Some(cli::plan::Planner::Rule) && gathered.has_workers();
    match answer {
        Answer::Declined(declined) => {
            let is_asked = said == Some(cli::plan::Planner::Agent);
            let mut reasons = declined.reasons.iter();
            let unknown: Vec<&str> = reasons.clone().filter_map(unknown_of).collect();
            let is_faulty = reasons.any(|it| it.is_of_request() && unknown_of(it).is_none());
            // Whoever does it knows more verbs than the rules do.
            let may_be_work = unknown.is_empty() || is_asked || planner::says_work(request);
            match !is_faulty && may_be_work && (is_asked || may_ask) {
                true => Ok(Made::ByAgent),
                false => Err(refused(request, &declined)),
            }
        }
        Answer::Planned(_) if said == Some(cli::plan::Planner::Agent) => Ok(Made::ByAgent),
        Answer::Planned(planned) => Ok(match planned.pattern {
            Pattern::Structure | Pattern::Joined(_) if !pays => one("dividing it does not pay")?,
            // Its words do not say the parts.
            Pattern::One if may_ask => Made::ByAgent,
            Pattern::One => {
                let has_workers = gathered.has_workers();
                Made::One(Box::new(planned.plan), undivided(request, has_workers))
            }
            Pattern::Joined(tasks) => {
                let of: Vec<&str> = tasks.iter().map(TaskId::as_str).collect();
                let (many, of) = (of.len(), of.join(", "));
                let why =
                    format!("the {many} tasks that its words say ({of}) are too small to be apart");
                Made::One(Box::new(planned.plan), why)
            }
            Pattern::Inseparable(_) => {
                let why = "the project's tests need not pass before all of it is done";
                Made::One(Box::new(planned.plan), why.to_owned())
            }
            Pattern::Structure => Made::Plan(planned, Planner::Structure),
            Pattern::Workflow(ref name) => {
                let by = Planner::Workflow(name.clone());
                Made::Plan(planned, by)
            }
        }),
    }
}

/// The words of which no rule knows what is to be done.
fn unknown_of(reason: &planner::Reason) -> Option<&str> {
    match reason {
        planner::Reason::NothingToDo(words) => Some(words),
        _ => None,
    }
}

/// Why rules do not divide a request that they could plan.
fn undivided(request: &Request, has_workers: bool) -> String {
    let (to_plan, to_find) = match has_workers {
        true => ("", ""),
        false => (
            ", and no agent is there to plan",
            ", and no agent is there to find them",
        ),
    };
    match planner::doubtful(request) {
        Some(words) => {
            let words = cut(words, DOUBTFUL_CHARS_MAX);
            format!("no rule can tell what `{words}` is apart from the rest{to_plan}")
        }
        None => format!("its words say no parts{to_find}"),
    }
}

/// The words of a request, to be said again in a command line; of many, that they are meant.
pub(crate) fn repeated(request: &Request) -> String {
    match request.text.chars().nth(REPEATED_CHARS_MAX) {
        None => shell::word(&request.text),
        Some(_) => "REQUEST".to_owned(),
    }
}

fn refused(request: &Request, declined: &Declined) -> Failure {
    let reasons: Vec<String> = declined.reasons.iter().map(ToString::to_string).collect();
    let mut told = Diagnostic::error("planning-declined", reasons.join("; "));
    let is_of_request = declined.reasons.iter().any(planner::Reason::is_of_request);
    told = match is_of_request {
        true => told
            .hint("say what is to be done, part by part")
            .hint("a plan file is named by its path, a workflow by one word"),
        false => told
            .hint("name its parts, or have an agent plan it: `divisi agents` lists those there are")
            .hint(format!(
                "or have all of it done as one task: divisi run --one {}",
                repeated(request)
            )),
    };
    Failure::told(told, Exit::Refused)
}

/// What an intent came to, for whoever consents to it.
pub(crate) fn lines(intent: &Intent, indent: &str) -> Vec<Line> {
    let assessed = &intent.assessment;
    let row = |what: &str, said: &str| {
        Line::styled(Style::Dim, format!("{indent}{what}: ")).then(cut(said, LINE_CHARS_MAX))
    };
    let head = format!("{}, {}", assessed.approach, assessed.certainty);
    let mut lines = vec![row("assessed", &head)];
    lines.extend(assessed.reasons.iter().map(|it| row("since", it)));
    lines.push(row("planned", &intent.planner.to_string()));
    let answer = |it: &&Settled| !it.is_assumed;
    let answers = intent.settled.iter().filter(answer);
    lines.extend(answers.map(|it| row("answered", &format!("{} {}", it.asks, it.answer))));
    lines.extend(intent.assumptions().map(|it| row("assumed", &it)));
    lines.extend(intent.left_out.iter().map(|it| {
        Line::styled(Style::Warn, format!("{indent}left out: ")).then(cut(it, LINE_CHARS_MAX))
    }));
    lines
}
