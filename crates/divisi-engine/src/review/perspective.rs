//! The perspectives of a review: whose eyes each borrows, and what no command sees from there.

use serde::{Deserialize, Serialize};

/// From where the code is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Perspective {
    /// Whether it does what it should.
    Functional,
    /// Whether it can be abused.
    Security,
    /// Whether it works harder than it must.
    Performance,
    /// Whether a fault would be noticed.
    Test,
    /// Whether it is explained, and truly.
    Docs,
}

impl Perspective {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Perspective; 5] = [
        Perspective::Functional,
        Perspective::Security,
        Perspective::Performance,
        Perspective::Test,
        Perspective::Docs,
    ];

    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Perspective::Functional => "functional",
            Perspective::Security => "security",
            Perspective::Performance => "performance",
            Perspective::Test => "test",
            Perspective::Docs => "docs",
        }
    }

    /// The heading of its review.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Perspective::Functional => "Functional review",
            Perspective::Security => "Security review",
            Perspective::Performance => "Performance review",
            Perspective::Test => "Test review",
            Perspective::Docs => "Documentation review",
        }
    }

    /// The name of its review's file.
    #[must_use]
    pub fn file_name(self) -> String {
        format!("{}-review.md", self.word())
    }

    /// What it asks that no command can answer.
    #[must_use]
    pub fn beyond_commands(self) -> &'static [&'static str] {
        match self {
            Perspective::Functional => &[
                "Whether the code does what was asked for, and whether that was the right thing.",
                "Whether an algorithm is right: its cases, its limits, its order of steps.",
                "Whether errors are handled sensibly where they are handled.",
                "Whether parts that run at the same time disturb each other.",
            ],
            Perspective::Security => &[
                "Who may attack this, what they could gain, and whether the design withstands it.",
                "Whether every way in validates what comes, and every action asks who wants it.",
                "Whether data flows from input to a dangerous call through several functions.",
                "Secrets in the history: only the files as they are were searched.",
            ],
            Perspective::Performance => &[
                "How long anything takes, and how much memory: nothing was executed or measured.",
                "Whether the code that was found is executed often enough to matter.",
                "Whether the algorithms and data structures suit the amount of data.",
                "Whether indexes, caches and limits of other systems fit.",
            ],
            Perspective::Test => &[
                "Whether the tests pass: a review does not execute them.",
                "Whether the tests would fail if what they name broke: which lines they reach was \
                 not measured.",
                "Whether the cases that matter are among those that are tested.",
            ],
            Perspective::Docs => &[
                "Whether what the documents and comments say is true of the code.",
                "Whether somebody new understands them, and finds what they need.",
                "Whether links to other sites still lead somewhere: nothing was fetched.",
            ],
        }
    }

    /// Its rules as they are written.
    pub(crate) fn rules_text(self) -> &'static str {
        match self {
            Perspective::Functional => include_str!("data/functional.yaml"),
            Perspective::Security => include_str!("data/security.yaml"),
            Perspective::Performance => include_str!("data/performance.yaml"),
            Perspective::Test => include_str!("data/test.yaml"),
            Perspective::Docs => include_str!("data/docs.yaml"),
        }
    }
}
