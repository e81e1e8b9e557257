//! Whether several workflows are meant, and which: the source's decision between one workflow, a
//! pack of workflows, and several passes.

use divisi_core::intent::{PatternSelection, SelectedWorkflow, WorkflowRole};

use super::Approach;
use super::rules::{Case, Fired};
use super::stakes::says;
use crate::request::{Change, Request, Scale};

/// The catalog of patterns by which agents of a workflow work together.
pub const PATTERNS: &[(u32, &str)] = &[
    (1, "Context-Aware Routing"),
    (2, "Escalation"),
    (3, "Feedback Loop"),
    (4, "Hierarchical"),
    (5, "Organic"),
    (6, "Pipeline"),
    (7, "Redundant"),
    (8, "Star"),
    (9, "Triage with Tasks"),
];

const ROUTING: u32 = 1;
const FEEDBACK_LOOP: u32 = 3;
const PIPELINE: u32 = 6;

/// What a whole product needs where the request does not say it.
const USUAL: &[&str] = &["auth", "core product", "billing", "admin", "reporting"];

/// The most workflows of a selection.
const WORKFLOWS_MAX: usize = 20;

pub(super) fn compound(case: &Case<'_>) -> Option<Vec<String>> {
    let systems = case
        .request
        .systems
        .iter()
        .filter(|system| system.change == Some(Change::Add) && system.scale >= Scale::Platform);
    let words: Vec<String> = systems.map(|system| system.word.clone()).collect();
    (!words.is_empty()).then_some(words)
}

/// What only workflows are: without one of these, halves of a program are meant.
const WORKFLOWS: &[&str] = &[
    "agent",
    "agents",
    "approval",
    "approvals",
    "assistant",
    "assistants",
    "batch",
    "bot",
    "bots",
    "chat",
    "chatbot",
    "conversation",
    "drafting",
    "flow",
    "flows",
    "job",
    "jobs",
    "onboarding",
    "process",
    "processes",
    "publishing",
    "reporting",
    "workflow",
    "workflows",
];

struct Halves {
    first: &'static [&'static str],
    second: &'static [&'static str],
}

const INTERACTION: Halves = Halves {
    first: &[
        "assistant",
        "chat",
        "chatbot",
        "conversation",
        "conversational",
        "interactive",
        "question and answer",
        "talks to users",
        "user-driven",
    ],
    second: &[
        "batch",
        "cron",
        "daily job",
        "every hour",
        "every morning",
        "every night",
        "nightly",
        "overnight",
        "periodic",
        "scheduled",
        "unattended job",
        "weekly job",
    ],
};

const LIFECYCLES: Halves = Halves {
    first: &[
        "first login",
        "once per customer",
        "once per user",
        "one-time",
        "onboarding",
        "only once",
        "setup wizard",
        "sign-up",
    ],
    second: &[
        "any time",
        "anytime",
        "at any time",
        "on demand",
        "on-demand",
        "reporting",
        "reports",
        "whenever",
    ],
};

const APPROVAL: Halves = Halves {
    first: &[
        "approval loop",
        "approval loops",
        "approve",
        "approved by a person",
        "editor approves",
        "human approval",
        "human review",
        "manual approval",
        "needs approval",
        "people approve",
        "reviewed by a human",
        "sign-off",
        "signed off",
    ],
    second: &[
        "automated",
        "automatic",
        "automatically",
        "by itself",
        "fully automatic",
        "no human",
        "unattended",
        "without a human",
        "without approval",
        "without people",
    ],
};

const ISOLATION: &[&str] = &[
    "high-volume",
    "isolated from",
    "isolation between",
    "kept apart",
    "must be isolated",
    "must not see",
    "must not share",
    "never share",
    "not share state",
    "security boundary",
    "separate security",
    "strictly separated",
    "strictly separate",
];

/// Against several workflows: all agents serve one goal.
const ONE_GOAL: &[&str] = &["one cohesive", "one goal", "same goal", "single goal"];

/// What differs are stages, not domains.
const ONLY_STAGES: &[&str] = &["as stages", "in stages"];

/// They share what they know.
const SHARED_STATE: &[&str] = &[
    "share state",
    "share the same state",
    "shared context",
    "shared state",
    "sharing state",
];

/// One pattern fits all of it.
const ONE_PATTERN: &[&str] = &[
    "a single conversation",
    "a single pattern",
    "a single workflow",
    "as one workflow",
    "in one conversation",
    "in one workflow",
    "in the same chat",
    "in the same conversation",
    "one workflow in",
    "single pattern",
];

/// What the request says against several workflows, where it speaks of such as could be several.
fn holds_together(case: &Case<'_>, phrases: &[&'static str]) -> Option<Vec<String>> {
    let said = phrases.iter().find(|phrase| says(case.lower, phrase))?;
    is_of_workflows(case).then(|| vec![(*said).to_owned()])
}

pub(super) fn one_goal(case: &Case<'_>) -> Option<Vec<String>> {
    holds_together(case, ONE_GOAL)
}

pub(super) fn only_stages(case: &Case<'_>) -> Option<Vec<String>> {
    holds_together(case, ONLY_STAGES)
}

pub(super) fn shared_state(case: &Case<'_>) -> Option<Vec<String>> {
    // `must not share state` is the contrary.
    holds_together(case, SHARED_STATE).filter(|said| {
        !ISOLATION
            .iter()
            .any(|phrase| phrase.contains(said[0].as_str()) && says(case.lower, phrase))
    })
}

pub(super) fn one_pattern(case: &Case<'_>) -> Option<Vec<String>> {
    holds_together(case, ONE_PATTERN)
}

fn is_of_workflows(case: &Case<'_>) -> bool {
    WORKFLOWS.iter().any(|word| says(case.lower, word))
}

fn halves(case: &Case<'_>, halves: &Halves) -> Option<Vec<String>> {
    let find = |phrases: &[&'static str]| {
        phrases
            .iter()
            .find(|phrase| says(case.lower, phrase))
            .copied()
    };
    let (first, second) = (find(halves.first)?, find(halves.second)?);
    let together = [one_goal, only_stages, shared_state, one_pattern];
    let is_together = together.iter().any(|reason| reason(case).is_some());
    (is_of_workflows(case) && !is_together).then(|| vec![first.to_owned(), second.to_owned()])
}

/// Whether something is to be made, and not only repaired or looked at.
fn makes(case: &Case<'_>) -> bool {
    use Change::{Add, Design, Migrate, Restructure};
    case.request.parts.iter().any(|part| {
        let change = part.verb.as_ref().map(|verb| verb.change);
        matches!(change, None | Some(Add | Design | Migrate | Restructure))
    })
}

pub(super) fn interaction_differs(case: &Case<'_>) -> Option<Vec<String>> {
    halves(case, &INTERACTION).filter(|_| makes(case))
}

pub(super) fn lifecycles_differ(case: &Case<'_>) -> Option<Vec<String>> {
    halves(case, &LIFECYCLES).filter(|_| makes(case))
}

pub(super) fn approval_differs(case: &Case<'_>) -> Option<Vec<String>> {
    halves(case, &APPROVAL).filter(|_| makes(case))
}

pub(super) fn isolation(case: &Case<'_>) -> Option<Vec<String>> {
    let said = ISOLATION.iter().find(|phrase| says(case.lower, phrase))?;
    (is_of_workflows(case) && makes(case)).then(|| vec![(*said).to_owned()])
}

/// The selection, where several workflows are meant.
pub(super) fn selection(
    request: &Request,
    approach: Approach,
    fired: &[Fired],
    components: &[String],
) -> Option<PatternSelection> {
    if !matches!(approach, Approach::Pack | Approach::MultiPass) {
        return None;
    }
    let reasons = fired.iter().filter(|rule| rule.points == approach);
    let reason: Vec<&str> = reasons.clone().map(|rule| rule.says.as_str()).collect();
    let workflows = match approach {
        Approach::MultiPass => passes(components),
        _ => reasons.clone().next().map(pack).unwrap_or_default(),
    };
    let mut system = request.systems.iter().map(|system| system.word.as_str());
    let name = match approach {
        Approach::MultiPass => system.next_back().unwrap_or("product"),
        _ => reasons.clone().next().map_or("pack", |rule| rule.rule),
    };
    Some(PatternSelection {
        is_multi_workflow: true,
        decomposition_reason: Some(reason.join("; ")),
        pack_name: format!("{}Pack", camel(name)),
        workflows,
    })
}

fn workflow(name: &str, role: WorkflowRole, description: &str, pattern: u32) -> SelectedWorkflow {
    let found = PATTERNS.iter().find(|(id, _)| *id == pattern);
    SelectedWorkflow {
        name: format!("{}Workflow", camel(name)),
        role,
        description: description.to_owned(),
        pattern_id: pattern,
        pattern_name: found.map_or("", |(_, name)| name).to_owned(),
    }
}

/// A workflow for each component; the first is what the others build on.
fn passes(components: &[String]) -> Vec<SelectedWorkflow> {
    let names: Vec<&str> = match components {
        [] => USUAL.to_vec(),
        components => components
            .iter()
            .map(String::as_str)
            .take(WORKFLOWS_MAX)
            .collect(),
    };
    let numbered = names.iter().enumerate().map(|(at, name)| {
        let role = if at == 0 {
            WorkflowRole::Primary
        } else {
            WorkflowRole::Dependent
        };
        workflow(name, role, &format!("Everything about {name}"), PIPELINE)
    });
    numbered.collect()
}

/// The two workflows that a rule keeps apart.
fn pack(rule: &Fired) -> Vec<SelectedWorkflow> {
    use WorkflowRole::{Dependent, Independent, Primary};
    let (first, second, second_role) = match rule.rule {
        "interaction-differs" => (("chat", ROUTING), ("batch", PIPELINE), Independent),
        "lifecycles-differ" => (
            ("onboarding", PIPELINE),
            ("reporting", PIPELINE),
            Independent,
        ),
        "approval-differs" => (
            ("approval", FEEDBACK_LOOP),
            ("automation", PIPELINE),
            Dependent,
        ),
        _ => (
            ("first side", PIPELINE),
            ("second side", PIPELINE),
            Independent,
        ),
    };
    let said = |at: usize| rule.because.get(at).or(rule.because.first());
    let describe = |at: usize| {
        said(at).map_or(String::new(), |words| {
            format!("What the request calls `{words}`")
        })
    };
    vec![
        workflow(first.0, Primary, &describe(0), first.1),
        workflow(second.0, second_role, &describe(1), second.1),
    ]
}

/// `core product` → `CoreProduct`.
fn camel(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let capital = words.map(|word| {
        let mut chars = word.chars();
        let first = chars.next().into_iter().flat_map(char::to_uppercase);
        first.chain(chars).collect::<String>()
    });
    capital.collect()
}
