//! What an agent asks leave for, who answers, and what was answered.
//!
//! A tool that wants to do something and is not sure that it may asks. Its [`Request`] comes from
//! outside and is believed in nothing: the rules of a run ([`Permissions`]) are applied by whoever
//! can look at the file system, and give a [`Ruled`]; what follows from that is the run's to
//! decide.

use serde::{Deserialize, Serialize};

use crate::criterion::{CUT, truncate};
use crate::ids::Time;

/// A request is journaled and shown: longer words are cut.
pub const TITLE_BYTES_MAX: usize = 300;

/// The same for the command line.
pub const COMMAND_BYTES_MAX: usize = 2_000;

/// The same for each path; no system knows longer ones.
pub const PATH_BYTES_MAX: usize = crate::path::PATH_BYTES_MAX;

/// A request about more files is refused: it cannot be looked at.
pub const PATHS_MAX: usize = 64;

/// An id is made by the adapter and counts its requests.
pub const ID_BYTES_MAX: usize = 64;

/// What sort of thing an agent wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Read files, or search in them.
    Read,
    /// Make or change files, or move them.
    Edit,
    /// Remove files.
    Delete,
    /// Run a program.
    Execute,
    /// Get something from the network.
    Fetch,
    /// Anything else.
    Other,
}

impl Deed {
    /// All of them.
    pub const ALL: [Deed; 6] = [
        Deed::Read,
        Deed::Edit,
        Deed::Delete,
        Deed::Execute,
        Deed::Fetch,
        Deed::Other,
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Deed::Read => "read",
            Deed::Edit => "edit",
            Deed::Delete => "delete",
            Deed::Execute => "execute",
            Deed::Fetch => "fetch",
            Deed::Other => "other",
        }
    }

    /// The deed of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Deed> {
        Deed::ALL.into_iter().find(|deed| deed.word() == word)
    }

    /// Whether it is done to files, which a request should name.
    #[must_use]
    pub fn is_of_files(self) -> bool {
        matches!(self, Deed::Read | Deed::Edit | Deed::Delete)
    }
}

/// One request of an agent, as its tool puts it. Untrusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Names the request within its session.
    pub id: String,
    /// What sort of thing.
    pub deed: Deed,
    /// It, in a line.
    pub title: String,
    /// The files it is about, as the tool names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The command line to be run, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Request {
    /// Cuts what is for people to a length that can be kept. Whoever must look at the whole looks
    /// at it before.
    pub fn bound(&mut self) {
        truncate(&mut self.id, ID_BYTES_MAX);
        one_line(&mut self.title, TITLE_BYTES_MAX);
        for path in &mut self.paths {
            one_line(path, TITLE_BYTES_MAX);
        }
        let more = self.paths.len().saturating_sub(SHOWN_PATHS_MAX);
        if more > 0 {
            self.paths.truncate(SHOWN_PATHS_MAX);
            self.paths.push(format!("… and {more} more"));
        }
        if let Some(command) = &mut self.command {
            truncate(command, COMMAND_BYTES_MAX);
        }
    }

    /// Whether what it is about was kept as it was said, so that another one can be held against it.
    #[must_use]
    fn is_whole(&self) -> bool {
        let is_changed = |text: &str| text.ends_with(CUT) || text.contains(CONTROL);
        let words = self.command.as_ref().unwrap_or(&self.title);
        self.paths.len() <= SHOWN_PATHS_MAX
            && !self.paths.iter().any(|path| is_changed(path))
            && !is_changed(words)
    }

    /// Whether it asks the same as another one.
    #[must_use]
    pub fn is_like(&self, other: &Request) -> bool {
        (self.deed, &self.title, &self.paths, &self.command)
            == (other.deed, &other.title, &other.paths, &other.command)
    }

    /// The request in words: the deed, and what to.
    #[must_use]
    pub fn words(&self) -> String {
        match self.title.is_empty() {
            true => self.deed.word().to_owned(),
            false => format!("{}: {}", self.deed.word(), self.title),
        }
    }
}

/// So many paths of a request are kept.
const SHOWN_PATHS_MAX: usize = 8;

/// Stands where a control character stood.
const CONTROL: char = '\u{fffd}';

fn one_line(text: &mut String, bytes_max: usize) {
    if text.contains(char::is_control) {
        *text = text.replace(char::is_control, CONTROL.encode_utf8(&mut [0; 3]));
    }
    truncate(text, bytes_max);
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Do it, this once.
    Allow,
    /// Do not.
    Deny {
        /// Why, in a line; the agent is told.
        reason: String,
    },
}

impl Decision {
    /// Whether it may be done.
    #[must_use]
    pub fn allows(&self) -> bool {
        *self == Decision::Allow
    }

    /// The decision in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Decision::Allow => "allowed",
            Decision::Deny { .. } => "denied",
        }
    }
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It may be done. The least strict.
    Allow,
    /// A person is asked.
    Ask,
    /// It may not be done. The strictest.
    Deny,
}

impl Ruling {
    /// All of them.
    pub const ALL: [Ruling; 3] = [Ruling::Allow, Ruling::Ask, Ruling::Deny];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Ruling::Allow => "allow",
            Ruling::Ask => "ask",
            Ruling::Deny => "deny",
        }
    }

    /// The ruling of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Ruling> {
        Ruling::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// One rule of a run: to whom and what it applies, and what it says. What is left open fits all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The role (`domain/function`, or either alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The deed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
    /// A pattern of paths: beneath the workspace, or absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What the command line begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether it was made of one request: it is for that role alone, or for tasks without one, and
    /// what it allows is that command line and no longer one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
    /// What it says.
    pub then: Ruling,
}

impl Rule {
    /// What it is about, in words: `edit docs/a.md, asked by the role developer`.
    #[must_use]
    pub fn covers(&self) -> String {
        let deed = self.deed.map_or("anything", Deed::word);
        let what = match (&self.path, &self.command) {
            (_, Some(command)) => format!(" `{command}`"),
            (Some(path), None) => format!(" {path}"),
            (None, None) => String::new(),
        };
        let who = match (&self.role, self.exact) {
            (Some(role), _) => format!("the role {role}"),
            (None, true) => "tasks without a role".to_owned(),
            (None, false) => "anybody".to_owned(),
        };
        format!("{deed}{what}, asked by {who}")
    }

    /// The rules that say of every request like this one what was said of this one. Its paths are
    /// meant as they are, not as patterns. None where it is not known what would be like it: it was
    /// too long to be kept, or names no file.
    #[must_use]
    pub fn like(request: &Request, role: Option<&str>, then: Ruling) -> Vec<Rule> {
        let rule = |path: Option<String>, command: Option<String>| Rule {
            role: role.map(str::to_owned),
            deed: Some(request.deed),
            path,
            command,
            exact: true,
            then,
        };
        if !request.is_whole() {
            return Vec::new();
        }
        if request.deed.is_of_files() {
            let paths = request.paths.iter();
            return paths.map(|path| rule(Some(literal(path)), None)).collect();
        }
        let words = request.command.as_ref().unwrap_or(&request.title);
        vec![rule(None, Some(words.clone()))]
    }

    /// Whether it is about tasks of this role, or of none.
    #[must_use]
    pub fn is_of(&self, role: Option<&str>) -> bool {
        let named = |name: &String| {
            role.is_some_and(|role| role == name || role.split('/').any(|part| part == name))
        };
        match self.exact {
            true => self.role.as_deref() == role,
            false => self.role.as_ref().is_none_or(named),
        }
    }
}

/// A pattern that fits this path only.
fn literal(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

impl std::fmt::Display for Rule {
    /// As a file of configuration says it, without braces.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let deed = self.deed.map(|deed| deed.word().to_owned());
        let quoted = |text: &Option<String>| text.as_ref().map(|text| format!("{text:?}"));
        let parts = [
            ("role", self.role.clone()),
            ("deed", deed),
            ("path", quoted(&self.path)),
            ("command", quoted(&self.command)),
        ];
        for (name, part) in parts {
            if let Some(part) = part {
                write!(f, "{name}: {part}, ")?;
            }
        }
        write!(f, "then: {}", self.then.word())
    }
}

/// What agents of a run may do without asking, and how long a question waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// The first that fits counts.
    pub rules: Vec<Rule>,
    /// How long a person is waited for, in milliseconds; then it is denied.
    pub deadline_ms: u64,
}

/// Long enough to answer, short enough that an unattended run goes on.
pub const DEADLINE_MS: u64 = 5 * 60_000;

impl Default for Permissions {
    fn default() -> Permissions {
        Permissions {
            rules: Vec::new(),
            deadline_ms: DEADLINE_MS,
        }
    }
}

impl Permissions {
    /// Whether nothing is said beyond the usual.
    #[must_use]
    pub fn are_usual(&self) -> bool {
        *self == Permissions::default()
    }
}

/// What the rules say of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruled {
    /// What they say.
    pub ruling: Ruling,
    /// Which rule, in words.
    pub because: String,
}

/// Who decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    /// The rules.
    Policy {
        /// Which of them, in words.
        because: String,
    },
    /// A person.
    Person,
    /// Nobody answered in time.
    Deadline,
    /// The agent's own tool, by rules of its own.
    Agent,
}

impl Decider {
    /// Who, in words that follow "by".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Decider::Policy { because } => format!("policy ({because})"),
            Decider::Person => "a person".to_owned(),
            Decider::Deadline => "the deadline: nobody answered".to_owned(),
            Decider::Agent => "the agent's own rules".to_owned(),
        }
    }

    /// Who, in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Decider::Policy { .. } => "policy",
            Decider::Person => "person",
            Decider::Deadline => "deadline",
            Decider::Agent => "agent",
        }
    }
}

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// A person is waited for.
    Asked {
        /// Since when.
        at: Time,
        /// Until when.
        deadline_at: Time,
    },
    /// It was answered.
    Decided {
        /// When.
        at: Time,
        /// With what.
        decision: Decision,
        /// By whom.
        by: Decider,
    },
    /// Its attempt ended before anybody answered.
    Withdrawn {
        /// When.
        at: Time,
    },
}

/// A request of an attempt, as the run keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// Its number within the run, from 1.
    pub no: u32,
    /// What was asked.
    pub request: Request,
    /// Where it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

impl Permission {
    /// Until when a person is waited for, if one is.
    #[must_use]
    pub fn deadline_at(&self) -> Option<Time> {
        match self.standing {
            Standing::Asked { deadline_at, .. } => Some(deadline_at),
            Standing::Decided { .. } | Standing::Withdrawn { .. } => None,
        }
    }

    /// What was decided, if anything was.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        match &self.standing {
            Standing::Decided { decision, .. } => Some(decision),
            Standing::Asked { .. } | Standing::Withdrawn { .. } => None,
        }
    }

    /// Whether it was denied, by whomever.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.decision().is_some_and(|decision| !decision.allows())
    }

    /// Whether it was denied since nobody answered in time.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        let by = match &self.standing {
            Standing::Decided { by, .. } => Some(by),
            _ => None,
        };
        matches!(by, Some(Decider::Deadline))
    }

    /// What was denied, in words, and why where somebody said so; `None` if it was not.
    #[must_use]
    pub fn denial(&self) -> Option<String> {
        let Standing::Decided {
            decision: Decision::Deny { reason },
            by,
            ..
        } = &self.standing
        else {
            return None;
        };
        Some(match by {
            // Its tool named a call and no deed.
            Decider::Agent => self.request.title.clone(),
            _ if reason.is_empty() => self.request.words(),
            _ => format!("{}: {reason}", self.request.words()),
        })
    }

    /// What became of it, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.standing {
            Standing::Asked { .. } => "waits for an answer".to_owned(),
            Standing::Decided { decision, by, .. } => {
                // What the others denied says why by who they are.
                let why = match (decision, by) {
                    (Decision::Deny { reason }, Decider::Person) if !reason.is_empty() => {
                        format!(": {reason}")
                    }
                    _ => String::new(),
                };
                format!("{} by {}{why}", decision.word(), by.words())
            }
            Standing::Withdrawn { .. } => "its attempt ended before an answer".to_owned(),
        }
    }
}
