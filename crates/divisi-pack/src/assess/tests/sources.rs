//! The examples by which the rules were described, each with three other wordings and a near miss:
//! a request that looks like it and is to be handled otherwise.
//!
//! Where the sources show a request and its verdict, the verdict here is theirs. What they give to
//! one role within a plan is one task, and stands in [`ONE_TASK`]. Two examples state no verdict for
//! a request of its own, and have none here: the four parts of the marketplace, which are only told
//! as parts, and the composition of validated parts, which is a step of a plan.

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Direct,
    Plan,
    Pack,
    MultiPass,
    /// One workflow: the source says that, and not how many tasks it has.
    OneWorkflow,
}

impl Expected {
    fn permits(self, approach: Approach) -> bool {
        match self {
            Expected::Direct => approach == Approach::Direct,
            Expected::Plan => approach == Approach::Plan,
            Expected::Pack => approach == Approach::Pack,
            Expected::MultiPass => approach == Approach::MultiPass,
            Expected::OneWorkflow => matches!(approach, Approach::Direct | Approach::Plan),
        }
    }
}

struct Example {
    /// Where it stands.
    place: &'static str,
    text: &'static str,
    expected: Expected,
    /// To whom it goes, if to one.
    domain: Option<Domain>,
    paraphrases: [&'static str; 3],
    near_miss: (&'static str, Expected),
}

use Expected::{Direct, MultiPass, OneWorkflow, Pack, Plan};

const EXAMPLES: &[Example] = &[
    Example {
        place: "decision framework, simple tasks, first example",
        text: "Scan repository for security vulnerabilities",
        expected: Direct,
        domain: Some(Domain::Security),
        paraphrases: [
            "Check this repo for security holes",
            "Look for vulnerabilities in our code",
            "Run a security scan over the repository",
        ],
        near_miss: (
            "Scan the repository for vulnerabilities, fix what is found and update the docs",
            Plan,
        ),
    },
    Example {
        place: "decision framework, simple tasks, second example",
        text: "Fix bug in dashboard/server/index.js line 42",
        expected: Direct,
        domain: Some(Domain::Development),
        paraphrases: [
            "There is a bug in line 42 of dashboard/server/index.js; please fix it",
            "Repair the crash in dashboard/server/index.js, line 42",
            "dashboard/server/index.js throws at line 42. Make it stop.",
        ],
        near_miss: (
            "Fix this bug in dashboard/server/index.js and in the 6 files that copied it",
            Plan,
        ),
    },
    Example {
        place: "decision framework, simple tasks, third example",
        text: "List all repositories in the portfolio",
        expected: Direct,
        domain: Some(Domain::Inventory),
        paraphrases: [
            "Show me every one of the repositories that we have",
            "Give me an inventory of our repositories",
            "Which repositories are in the portfolio? List them.",
        ],
        near_miss: (
            "List all repositories in the portfolio, then document each and deploy the list",
            Plan,
        ),
    },
    Example {
        place: "decision framework, complex tasks, first example",
        text: "Add authentication system with security audit and docs",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Build user authentication, have it audited by security, and write the docs",
            "We need an authentication system, a security review of it, and documentation",
            "Introduce a login system including docs and a security audit",
        ],
        near_miss: ("Fix the typo in the authentication docs", Direct),
    },
    Example {
        place: "decision framework, complex tasks, second example",
        text: "Refactor API layer, update tests, and deploy",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Restructure the API layer, adapt its tests, then ship it",
            "Rework our API layer and deploy it once the tests are updated",
            "Clean the API layer up, bring its tests up to date and roll it out",
        ],
        near_miss: ("Refactor the function parse_query in api/query.py", Direct),
    },
    Example {
        place: "decision framework, complex tasks, third example",
        text: "Build new feature: design → implement → test → audit → document",
        expected: Plan,
        domain: None,
        paraphrases: [
            "design -> implement -> test -> audit -> document the new feature",
            "First design the new feature, then implement it, test it, audit it and document it",
            "The new feature:\n1. design it\n2. implement it\n3. test it\n4. audit it\n5. document it",
        ],
        near_miss: ("Rename the state design -> draft in src/states.ts", Direct),
    },
    Example {
        place: "the authentication system, worked through",
        text: "Add authentication system with security audit and documentation",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Set authentication up, plus a security audit, plus documentation",
            "Give the app authentication; audit it for security; document it",
            "Implement authentication, including documentation and a security audit",
        ],
        near_miss: ("Document how the authentication system works", Direct),
    },
    Example {
        place: "decision hierarchy, several passes, first example",
        text: "Build me a SaaS company",
        expected: MultiPass,
        domain: None,
        paraphrases: [
            "Create a SaaS business for me",
            "Please make me a whole company that lives on a SaaS",
            "I want to build a startup",
        ],
        near_miss: ("Fix the footer on the website of our SaaS company", Direct),
    },
    Example {
        place: "decision hierarchy, several passes, second example",
        text: "Create an entire platform with auth, billing, admin, analytics",
        expected: MultiPass,
        domain: None,
        paraphrases: [
            "Build a whole platform: auth, billing, admin, analytics",
            "Develop a complete platform including auth, billing, an admin area and analytics",
            "We need an entire platform with accounts, payments, admin and reports",
        ],
        near_miss: ("Add a link to the billing page of the platform", Direct),
    },
    Example {
        place: "decision hierarchy, the example that is broken down",
        text: "Build me a SaaS",
        expected: MultiPass,
        domain: None,
        paraphrases: [
            "Make a SaaS for me",
            "Could you create a new SaaS?",
            "I'd like you to develop a SaaS product from nothing",
        ],
        near_miss: ("Compare the uptime of three SaaS vendors", Direct),
    },
    Example {
        place: "when to have several workflows, interaction models",
        text: "Build an assistant with a user-driven chat and a scheduled batch job that sums the day up",
        expected: Pack,
        domain: None,
        paraphrases: [
            "Create a chatbot for customers and a nightly job that exports their questions",
            "We want an interactive assistant for support, and a cron job that tidies its tickets",
            "Make a bot that people chat with, plus a batch run every night",
        ],
        near_miss: (
            "Add a button to the chat that scrolls to the newest message",
            Direct,
        ),
    },
    Example {
        place: "when to have several workflows, lifecycles",
        text: "Build onboarding, which happens once per user, and reporting on demand, each reachable on its own",
        expected: Pack,
        domain: None,
        paraphrases: [
            "Create a one-time onboarding flow, and reports that people may ask for at any time",
            "We need a workflow for the first login and another for reporting whenever a manager asks",
            "Set up an onboarding that runs only once, and on-demand reporting",
        ],
        near_miss: ("Add a progress bar to the onboarding", Direct),
    },
    Example {
        place: "when to have several workflows, people's consent",
        text: "Build a content process: drafting needs human approval loops, publishing is automated",
        expected: Pack,
        domain: None,
        paraphrases: [
            "Create a workflow where an editor approves every draft and posts go out automatically",
            "Set up drafting with sign-off and fully automatic publishing",
            "Build a flow in which people approve drafts while publishing runs unattended",
        ],
        near_miss: (
            "Automatically close the approval dialog after saving",
            Direct,
        ),
    },
    Example {
        place: "when to have several workflows, isolation of what is known",
        text: "Build agents for finance and for marketing that must not share state",
        expected: Pack,
        domain: None,
        paraphrases: [
            "Create a finance assistant and a marketing assistant, strictly separated",
            "Set up finance and marketing workflows that must be isolated from each other",
            "Make two bots, one for finance and one for marketing, that never share data",
        ],
        near_miss: ("Build an agent for marketing", Direct),
    },
    Example {
        place: "when to have several workflows, isolation of load",
        text: "Build high-volume intake flows that are isolated from the admin tooling",
        expected: Pack,
        domain: None,
        paraphrases: [
            "Create a workflow for the high-volume intake, kept apart from administration",
            "We need intake jobs that are isolated from the workflow of the administrators",
            "Make the bulk intake an agent of its own, with a security boundary to the admin tooling",
        ],
        near_miss: (
            "Add an admin page that shows the volume of the intake",
            Direct,
        ),
    },
    Example {
        place: "when not to have several workflows, one goal",
        text: "Build a chat and a nightly job for it whose agents all serve one goal: fewer open tickets",
        expected: OneWorkflow,
        domain: None,
        paraphrases: [
            "Create a chatbot with a scheduled job; both have the same goal, to close tickets",
            "Make one cohesive assistant with an interactive chat and a batch job",
            "Build a conversation and a nightly summary, which have one goal",
        ],
        near_miss: (
            "Build a chat for customers and a nightly job that bills them",
            Pack,
        ),
    },
    Example {
        place: "when not to have several workflows, only stages",
        text: "Build an assistant that works in stages: an interview by chat, a nightly draft, a review",
        expected: OneWorkflow,
        domain: None,
        paraphrases: [
            "Create a workflow in stages: chat with the customer → scheduled draft → review by a person",
            "Build a bot whose chat, overnight draft and review are one workflow in stages",
            "Make a chat assistant and its periodic follow-up as stages",
        ],
        near_miss: (
            "Build an assistant that chats, and a periodic clean-up job",
            Pack,
        ),
    },
    Example {
        place: "when not to have several workflows, shared state",
        text: "Build a chat and a nightly report that share the same state",
        expected: OneWorkflow,
        domain: None,
        paraphrases: [
            "Create an interactive assistant and a scheduled job sharing state",
            "Build a conversation and a batch run on a shared context",
            "Make a chatbot plus a cron job with shared state",
        ],
        near_miss: (
            "Build a chat and a nightly report that must not share state, and document it",
            Pack,
        ),
    },
    Example {
        place: "when not to have several workflows, one pattern",
        text: "Build drafting with human approval and automatic publishing in one conversation",
        expected: OneWorkflow,
        domain: None,
        paraphrases: [
            "Create a flow with manual approval and automated posting as a single workflow",
            "A single pattern fits it: build the drafting with sign-off and the automated publishing",
            "Build human review and automatic release notes in the same conversation",
        ],
        near_miss: (
            "Build drafting with human approval, and automatic publishing",
            Pack,
        ),
    },
    Example {
        place: "decomposition, the marketplace",
        text: "Build a complete multi-vendor e-commerce marketplace",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Create a full marketplace where many vendors sell",
            "Develop a multi-vendor marketplace from nothing",
            "We need a complete online marketplace",
        ],
        near_miss: ("Fix the rounding of prices in the marketplace", Direct),
    },
    Example {
        place: "exploratory research, the encryption library",
        text: "Compare encryption libraries and decide which one to use",
        expected: Direct,
        domain: Some(Domain::Development),
        paraphrases: [
            "Find out which encryption library suits us",
            "Research encryption libraries",
            "Evaluate the options for an encryption library",
        ],
        near_miss: (
            "Replace our encryption library everywhere and document the migration",
            Plan,
        ),
    },
    Example {
        place: "the lifecycle, its task",
        text: "Build a user authentication system",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Create a system that authenticates users",
            "Implement user authentication",
            "We need an authentication system for our users",
        ],
        near_miss: (
            "Change the label of the button in the authentication system",
            Direct,
        ),
    },
    Example {
        place: "perfect for, complex features",
        text: "Add an editor with multiple components: a toolbar, a preview and an export",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Build an editor including a toolbar, a preview and an export",
            "Create the editor (toolbar, preview, export)",
            "We want an editor with a toolbar, a preview and an export",
        ],
        near_miss: ("Add a toolbar to the editor", Direct),
    },
    Example {
        place: "perfect for, new technologies",
        text: "Port the worker to Elixir, which we are learning",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Port the worker to Elixir. It is new to us.",
            "Write the worker in Elixir, a language we have never used",
            "Move the worker to Elixir; nobody here has used it before",
        ],
        near_miss: (
            "Write the worker in Elixir, as we did for the others many times before",
            Direct,
        ),
    },
    Example {
        place: "perfect for, important projects",
        text: "Change how invoices are rounded; this is an important project where quality matters",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Change how invoices are rounded. It must be right.",
            "Change the rounding of invoices: this is business-critical",
            "Change the rounding of invoices, and get it right: customers depend on it",
        ],
        near_miss: ("Change how invoices are rounded", Direct),
    },
    Example {
        place: "perfect for, time pressure",
        text: "Make the export work by tomorrow; we can't afford mistakes",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Make the export work before the deadline on Friday",
            "Make the export work. We have a tight schedule and only one try.",
            "The export has to work by tonight. Fix it.",
        ],
        near_miss: ("Make the export work, there is no hurry", Direct),
    },
    Example {
        place: "perfect for, unfamiliar domains",
        text: "Compute the tax of an order; we are unfamiliar with tax law and need guidance",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Compute the tax of an order. We know nothing about taxes.",
            "Compute the tax of an order, which is outside our expertise",
            "Compute the tax of an order; I have no experience with that",
        ],
        near_miss: ("Compute the sum of an order", Direct),
    },
    Example {
        place: "maybe skip for, quick fixes",
        text: "Quick fix: the date is off by one",
        expected: Direct,
        domain: Some(Domain::Development),
        paraphrases: [
            "Just a small fix: the date is off by one",
            "A trivial thing: the date is off by one, correct it",
            "Write a simple script that corrects the dates",
        ],
        near_miss: (
            "Fix the dates, write tests for them, then deploy the fix",
            Plan,
        ),
    },
    Example {
        place: "maybe skip for, throwaway code",
        text: "Write throwaway code for a system that plots the log",
        expected: Direct,
        domain: Some(Domain::Development),
        paraphrases: [
            "Build a logging system just to see how it could look",
            "Create an app that plots the log, as a quick experiment",
            "Build a toy system that plots the log",
        ],
        near_miss: ("Build a system that plots the log", Plan),
    },
    Example {
        place: "maybe skip for, familiar patterns",
        text: "Add notifications for refunds, a very familiar pattern that we have done many times",
        expected: Direct,
        domain: Some(Domain::Development),
        paraphrases: [
            "Add notifications, just like the others",
            "Add notifications in the same way as for orders, which is routine",
            "Add notifications, following the existing pattern",
        ],
        near_miss: ("Add notifications", Plan),
    },
    Example {
        place: "use case, user stories",
        text: "Take raw user stories and refine them with technical implementation details",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Refine our user stories down to the technical details",
            "Flesh out the stories in stories/ with requirements, design and tests",
            "Detail all user stories for the developers",
        ],
        near_miss: ("Correct the spelling of one user story", Direct),
    },
    Example {
        place: "use case, a complex task",
        text: "Implement OAuth2 authentication for the API",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Add OAuth2 to the API",
            "Introduce OAuth2 authentication in our API",
            "We need OAuth2 authentication for the API",
        ],
        near_miss: ("Correct the OAuth2 redirect URL in the API", Direct),
    },
    Example {
        place: "use case, a code review",
        text: "Perform comprehensive code review with multiple specialized perspectives",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Review the code from several angles: logic, security, performance, tests, docs",
            "Do a thorough code review by several specialists",
            "Conduct a full code review from different perspectives",
        ],
        near_miss: ("Review the logic of src/parse.rs", Direct),
    },
    Example {
        place: "use case, an incident",
        text: "Coordinate incident response with specialized roles",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Respond to the incident: triage, investigation, mitigation, report, postmortem",
            "Handle the outage and write the postmortem for it, with several roles",
            "Coordinate the response to last night's outage",
        ],
        near_miss: ("List the incidents of last month", Direct),
    },
    Example {
        place: "the first command of the front page",
        text: "Review this repository: correctness, security, tests and documentation",
        expected: Plan,
        domain: None,
        paraphrases: [
            "Check correctness, security, tests and documentation of this repository",
            "Audit the security of this repository, then review its tests and its docs",
            "Review the repository for correctness, then for security, then for its docs",
        ],
        near_miss: ("Review the tests of this repository", Direct),
    },
];

/// What the sources give to one role within a plan.
struct OneTask {
    text: &'static str,
    /// The canonical id of that role, and its domain.
    role: &'static str,
    domain: Domain,
    paraphrases: [&'static str; 3],
    /// Of another verdict: more than one task.
    near_miss: (&'static str, Expected),
}

const ONE_TASK: &[OneTask] = &[
    OneTask {
        text: "Design authentication architecture",
        role: "architect",
        domain: Domain::Development,
        paraphrases: [
            "Work out the architecture of the authentication",
            "Sketch an architecture for authentication",
            "Plan the architecture of authentication",
        ],
        near_miss: (
            "Design the authentication architecture, then implement it and test it",
            Plan,
        ),
    },
    OneTask {
        text: "Define OAuth2 flow and endpoints",
        role: "architect",
        domain: Domain::Development,
        paraphrases: [
            "Specify the OAuth2 flow with its endpoints",
            "Design the OAuth2 flow with its endpoints",
            "Specify the endpoints and the flow of OAuth2",
        ],
        near_miss: (
            "Define the OAuth2 flow, implement its endpoints and document them",
            Plan,
        ),
    },
    OneTask {
        text: "Implement token generation and validation",
        role: "developer",
        domain: Domain::Development,
        paraphrases: [
            "Write the code that generates and validates tokens",
            "Code the generation and the validation of tokens",
            "Program how tokens are generated and validated",
        ],
        near_miss: (
            "Implement token generation and validation, then audit its security",
            Plan,
        ),
    },
    OneTask {
        text: "Add integration tests",
        role: "qa",
        domain: Domain::Development,
        paraphrases: [
            "Write some integration tests",
            "Create integration tests for it",
            "We need integration tests",
        ],
        near_miss: (
            "Add integration tests, document how to run them and deploy",
            Plan,
        ),
    },
    OneTask {
        text: "Document API endpoints",
        role: "tech_writer",
        domain: Domain::Documentation,
        paraphrases: [
            "Write documentation for the API endpoints",
            "Describe the endpoints of the API in the docs",
            "Add docs for the API endpoints",
        ],
        near_miss: (
            "Document the API endpoints and implement those that are missing, with tests",
            Plan,
        ),
    },
    OneTask {
        text: "Create operational runbook",
        role: "sre",
        domain: Domain::Cicd,
        paraphrases: [
            "Write a runbook for operations",
            "Put together an operational runbook",
            "We need a runbook for operating it",
        ],
        near_miss: (
            "Create an operational runbook, deploy the service and audit its security",
            Plan,
        ),
    },
    OneTask {
        text: "Design security model and data structure",
        role: "architect",
        domain: Domain::Development,
        paraphrases: [
            "Design a security model and a data structure",
            "Sketch a model of security and the data structure",
            "Sketch the security model and the structure of the data",
        ],
        near_miss: (
            "Design the security model and the data structure, implement both, then test them",
            Plan,
        ),
    },
    OneTask {
        text: "Build authentication logic and endpoints",
        role: "developer",
        domain: Domain::Development,
        paraphrases: [
            "Write the logic and the endpoints of the authentication",
            "Implement the endpoints of the login and its logic",
            "Code the logic and the endpoints that authenticate",
        ],
        near_miss: (
            "Build the authentication logic and its endpoints, with tests and docs",
            Plan,
        ),
    },
    OneTask {
        text: "Create password hashing and session management",
        role: "developer",
        domain: Domain::Development,
        paraphrases: [
            "Implement the hashing of passwords and the handling of sessions",
            "Write password hashing and the management of sessions",
            "Code how passwords are hashed and sessions managed",
        ],
        near_miss: (
            "Create password hashing and session management, audit both and document them",
            Plan,
        ),
    },
    OneTask {
        text: "Write security tests and edge case validation",
        role: "qa",
        domain: Domain::Development,
        paraphrases: [
            "Write tests for security and edge cases",
            "Create security tests and tests for edge cases",
            "Write tests of the security and of edge cases",
        ],
        near_miss: (
            "Write security tests, fix what they find and document the fixes",
            Plan,
        ),
    },
    OneTask {
        text: "Create setup and usage documentation",
        role: "tech_writer",
        domain: Domain::Documentation,
        paraphrases: [
            "Write the documentation of setup and usage",
            "Document how to set it up and how to use it",
            "Write docs for setup and usage",
        ],
        near_miss: (
            "Create setup and usage documentation, and a script that sets it up, with tests",
            Plan,
        ),
    },
];

#[test]
fn every_example_comes_out_as_its_source_says() {
    let mut wrong = Vec::new();
    for example in EXAMPLES {
        let wordings = [&[example.text], &example.paraphrases[..]].concat();
        let own = wordings.into_iter().map(|text| (text, example.expected));
        for (text, expected) in own.chain([example.near_miss]) {
            if !expected.permits(approach(text)) {
                wrong.push(format!(
                    "{}: {expected:?} expected\n{}",
                    example.place,
                    told(text)
                ));
            }
        }
        let domain = assess_text(example.text, &Repository::default()).assigned_to;
        if domain != example.domain && example.expected == Direct {
            wrong.push(format!("{}: to {domain:?}", example.place));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_near_miss_has_another_verdict() {
    for example in EXAMPLES {
        assert_ne!(example.expected, example.near_miss.1, "{}", example.place);
    }
}

#[test]
fn what_one_role_is_given_is_one_task_of_that_role() {
    let mut wrong = Vec::new();
    for of in ONE_TASK {
        for text in [&[of.text], &of.paraphrases[..]].concat() {
            let assessment = assess_text(text, &Repository::default());
            let parts = request::read(text).parts;
            let roles: Vec<&str> = parts.iter().map(|part| part.role).collect();
            let is_right = assessment.approach == Approach::Direct
                && assessment.assigned_to == Some(of.domain)
                && roles.iter().all(|role| *role == of.role)
                && !roles.is_empty();
            if !is_right {
                wrong.push(format!("{} expected: {roles:?}\n{}", of.role, told(text)));
            }
        }
        let (near, expected) = of.near_miss;
        if expected == Direct || !expected.permits(approach(near)) {
            wrong.push(format!("{expected:?} expected\n{}", told(near)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The wordings of one example, its near miss aside.
pub(super) fn texts_of(place: &str) -> Vec<&'static str> {
    let example = EXAMPLES.iter().find(|example| example.place == place);
    let own = example.into_iter();
    own.flat_map(|it| [&[it.text], &it.paraphrases[..]].concat())
        .collect()
}

/// Every text of the tables.
pub(crate) fn texts() -> Vec<&'static str> {
    let examples = EXAMPLES.iter().flat_map(|example| {
        let own = [example.text, example.near_miss.0];
        own.into_iter().chain(example.paraphrases)
    });
    let of_one = ONE_TASK.iter().flat_map(|of| {
        let own = [of.text, of.near_miss.0];
        own.into_iter().chain(of.paraphrases)
    });
    examples.chain(of_one).collect()
}
