//! What stands under a heading or behind a label: work, the goal, what is only told, or what must
//! not be done.

use super::super::roles::{self, Mention, Standing as Stands};
use super::super::sentence::{Sentence, Standing};
use super::super::statement::{self, Mood};
use super::super::token::{Kind, Token};
use super::Reader;

/// What stands in a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Work,
    /// It is told to everybody. Commands there are work all the same.
    Context,
    /// The same, and commands there are of the past, or of what nobody wants.
    Told,
    /// What the rest is for.
    Goal,
    /// It must not be done.
    Excluded,
}

/// Names of sections with no work in them, in lower case.
const NAMES: &[(Section, &[&str])] = &[
    (
        Section::Context,
        &[
            "acceptance criteria",
            "actual behavior",
            "actual behaviour",
            "actual result",
            "actual results",
            "additional context",
            "additional information",
            "additional notes",
            "assumptions",
            "background",
            "constraint",
            "constraints",
            "context",
            "conventions",
            "current behavior",
            "current behaviour",
            "current state",
            "definition of done",
            "environment",
            "expected behavior",
            "expected behaviour",
            "expected result",
            "expected results",
            "fyi",
            "guidelines",
            "hints",
            "history",
            "info",
            "information",
            "links",
            "motivation",
            "note",
            "notes",
            "rationale",
            "reference",
            "references",
            "remarks",
            "reproduction",
            "restrictions",
            "rules",
            "screenshot",
            "screenshots",
            "see also",
            "stack trace",
            "steps to reproduce",
            "to reproduce",
            "useful links",
            "what did you expect to happen",
            "why",
        ],
    ),
    (
        Section::Told,
        &[
            "already done",
            "alternatives",
            "alternatives considered",
            "code of conduct",
            "considered alternatives",
            "describe alternatives you've considered",
            "done already",
            "done so far",
            "rejected alternatives",
            "relevant log output",
            "what i tried",
            "what i've tried",
            "what we tried",
        ],
    ),
    (
        Section::Goal,
        &["aim", "goal", "goals", "objective", "objectives", "purpose"],
    ),
    (
        Section::Excluded,
        &[
            "avoid",
            "do not",
            "do not change",
            "do not do",
            "do not touch",
            "don't",
            "don't change",
            "don't do",
            "don't touch",
            "don'ts",
            "dont",
            "excluded",
            "exclusions",
            "forbidden",
            "hands off",
            "later",
            "must not",
            "never",
            "non goals",
            "non-goal",
            "non-goals",
            "not allowed",
            "not in scope",
            "not included",
            "not now",
            "not wanted",
            "off limits",
            "off-limits",
            "out of scope",
            "out-of-scope",
            "please avoid",
            "please do not",
            "please don't",
            "prohibited",
        ],
    ),
];

/// A label has at most so many words.
const LABEL_WORDS_MAX: usize = 3;

/// Names of sections of work: they say nothing of what it is.
const OF_WORK: &[&str] = &[
    "bug",
    "bug report",
    "changes",
    "describe the bug",
    "describe the feature",
    "describe the issue",
    "describe the problem",
    "describe the solution you'd like",
    "description",
    "feature request",
    "impact",
    "issue",
    "plan",
    "problem",
    "proposal",
    "proposed change",
    "proposed changes",
    "proposed solution",
    "remaining",
    "request",
    "requirements",
    "scope",
    "solution",
    "steps",
    "still open",
    "summary",
    "task",
    "tasks",
    "to do",
    "to-do",
    "todo",
    "todos",
    "wanted",
    "what",
    "what happened",
    "what happens",
    "what to do",
    "work",
];

/// Where in the sections the reader is.
#[derive(Default)]
pub(super) struct Sections {
    section: Section,
    /// Since which token, if by a label, which holds until a line is left blank.
    label: Option<usize>,
    /// Whether the request has a list.
    pub(super) is_listed: bool,
    /// Sentences that say the goal, and headings that may, by their tokens.
    goals: Vec<(usize, usize)>,
    headings: Vec<(usize, usize)>,
    /// Whose work the group of items is of which the next ones are.
    group: Option<Mention>,
    /// What else the group is called.
    group_name: Option<String>,
}

impl Sections {
    /// Whether what is read must not be done.
    pub(super) fn is_excluded(&self) -> bool {
        self.section == Section::Excluded
    }
}

impl Reader<'_> {
    /// Goes into the section of a sentence. What of it is left to be read, if it is not all that is
    /// to be known of it.
    pub(super) fn in_section(
        &mut self,
        sentence: Sentence,
        (from, to): (usize, usize),
    ) -> Option<(usize, usize)> {
        if sentence.standing == Standing::Heading {
            return self.head((from, to));
        }
        if sentence.standing == Standing::Quoted {
            self.quote((from, to));
            return None;
        }
        self.leave_label(sentence, from);
        let label = self.label((from, to));
        let section = label.map_or(self.sections.section, |(_, section)| section);
        let begin = label.map_or(from, |(colon, _)| colon + 1);
        let says = |from: usize| self.tokens[from..to].iter().any(Token::is_word);
        if !says(begin) {
            // What follows stands in it.
            self.sections.section = section;
            self.sections.label = Some(to);
            self.told.push((from, to));
            return None;
        }
        match section {
            Section::Work => Some((from, to)),
            Section::Excluded => {
                self.exclude_in_section((from, to), begin);
                None
            }
            Section::Context => {
                // What is forbidden there is forbidden.
                self.read.push((from, begin));
                self.forbid((begin, to));
                None
            }
            Section::Told => {
                self.told.push((from, to));
                None
            }
            Section::Goal => {
                self.sections.goals.push((begin, to));
                self.told.push((from, to));
                None
            }
        }
    }

    fn head(&mut self, (from, to): (usize, usize)) -> Option<(usize, usize)> {
        let class = class(&self.tokens[from..to]);
        self.sections.section = class.unwrap_or_default();
        self.sections.label = None;
        if self.names_section((from, to)) {
            self.told.push((from, to));
            return None;
        }
        let asks = statement::mood(&self.tokens[from..to]) == Mood::Asks;
        if asks && !self.sections.is_listed {
            return Some((from, to));
        }
        self.sections.headings.push((from, to));
        self.told.push((from, to));
        None
    }

    /// What somebody else said is told, whoever it was: `> Lena: it is slow`. Where it asks for something,
    /// nobody can say whether that is meant.
    fn quote(&mut self, (from, to): (usize, usize)) {
        let begin = match &self.tokens[from..to] {
            [who, colon, ..] if who.is_word() && colon.is_mark(':') => from + 2,
            _ => from,
        };
        if !super::exclusion::exclusions(&self.tokens[begin..to]).is_empty() {
            self.read.push((from, begin));
            return self.forbid((begin, to));
        }
        let asks = statement::mood(&self.tokens[begin..to]) == Mood::Asks;
        let list = if asks {
            &mut self.asking
        } else {
            &mut self.told
        };
        list.push((from, to));
    }

    /// Whether words are a section's name, and say nothing of what stands there.
    pub(super) fn names_section(&self, (from, to): (usize, usize)) -> bool {
        class(&self.tokens[from..to]).is_some() || self.says_any((from, to), OF_WORK)
    }

    /// A label holds until a line is left blank, its list aside.
    fn leave_label(&mut self, sentence: Sentence, from: usize) {
        let Some(since) = self.sections.label else {
            return;
        };
        let before = self.tokens[since..from].iter().rev();
        let mut before = before.take_while(|token| !token.is_word());
        let is_blank = before.any(|token| token.kind == Kind::Blank);
        let has_begun = self.tokens[since..from].iter().any(Token::is_word);
        if is_blank && has_begun && sentence.item.is_none() {
            self.sections.section = Section::Work;
            self.sections.label = None;
        }
    }

    /// `Out of scope: web/`: where the colon stands, and of which section it is.
    fn label(&self, (from, to): (usize, usize)) -> Option<(usize, Section)> {
        let tokens = &self.tokens[from..to];
        let colon = tokens
            .iter()
            .take(LABEL_WORDS_MAX + 1)
            .position(|token| token.is_mark(':'))?;
        Some((from + colon, class(&tokens[..colon])?))
    }

    fn says_any(&self, (from, to): (usize, usize), names: &[&str]) -> bool {
        names.contains(&said(&self.tokens[from..to]).as_str())
    }

    fn forbid(&mut self, (from, to): (usize, usize)) {
        let excluded = super::exclusion::exclusions(&self.tokens[from..to]);
        for one in &excluded {
            self.exclude(from + one.from, from + one.to, one.says);
        }
        for (from, to) in super::rest(from, to, excluded.iter().map(|it| (it.from, it.to))) {
            // `Note: also write docs/x.md` is work, wherever it stands.
            let asks = statement::mood(&self.tokens[from..to]) == Mood::Asks;
            let list = if asks {
                &mut self.asking
            } else {
                &mut self.told
            };
            list.push((from, to));
        }
    }

    /// Whether a sentence only says whose work the items below it are.
    pub(super) fn is_context(&mut self, sentence: Sentence, pieces: &[(usize, usize)]) -> bool {
        if sentence.item.is_some() && sentence.standing != Standing::Grouped {
            self.sections.group = None;
            self.sections.group_name = None;
        }
        let Some(&(from, to)) = pieces.first() else {
            return false;
        };
        if sentence.standing == Standing::Group {
            let mut found = (from..to).filter_map(|at| roles::mention(&self.tokens[at..to]));
            let group = found.next().map(|(mention, _)| mention);
            let is_named = group.is_none();
            self.sections.group = group;
            self.sections.group_name = is_named.then(|| self.phrase(from, to).text);
            return true;
        }
        false
    }

    /// An item of a group that names nobody's work is of whose work the group is, or of what it names.
    pub(super) fn of_group(&mut self, at: usize, standing: Standing) {
        let group = self.sections.group.clone();
        let part = &mut self.request.parts[at];
        let name = self.sections.group_name.as_ref();
        if let Some(name) = name.filter(|_| standing == Standing::Grouped) {
            part.text = format!("{name}: {}", part.text);
        }
        let names = part.mentions.iter().any(|it| it.standing == Stands::Object);
        if let (Some(group), Standing::Grouped, false) = (group, standing, names) {
            part.mentions.push(Mention {
                standing: Stands::Place,
                ..group
            });
            part.role = roles::role(part.verb.as_ref(), &part.mentions);
            part.domain = roles::domain_of(part.role);
        }
    }

    /// The goal is what is told as one, or the first heading; without any part it is the work.
    pub(super) fn settle_sections(&mut self) {
        let goals = std::mem::take(&mut self.sections.goals);
        let headings = std::mem::take(&mut self.sections.headings);
        if self.request.parts.is_empty() {
            for (from, to) in goals.into_iter().chain(headings) {
                self.prose((from, to), super::Stands::Alone);
            }
            return;
        }
        let goal = goals.first().or(headings.first());
        if let (None, Some(&(from, to))) = (&self.request.goal, goal) {
            self.request.goal = Some(self.phrase(from, to));
        }
    }
}

/// What stands under a heading or behind a label of these words.
fn class(tokens: &[Token]) -> Option<Section> {
    let said = said(tokens);
    let of = NAMES
        .iter()
        .find(|(_, names)| names.contains(&said.as_str()));
    of.map(|(section, _)| *section)
}

/// Whether a text is the label of a section and says nothing else: `Background:`.
pub(crate) fn is_label(text: &str) -> bool {
    let Some(name) = text.trim().strip_suffix(':') else {
        return false;
    };
    let name = name.to_lowercase();
    let mut names = NAMES.iter().flat_map(|(_, names)| *names).chain(OF_WORK);
    names.any(|it| *it == name)
}

fn said(tokens: &[Token]) -> String {
    let words = tokens.iter().filter(|token| token.is_word());
    let words: Vec<&str> = words.map(|token| token.lower.as_str()).collect();
    words.join(" ")
}
