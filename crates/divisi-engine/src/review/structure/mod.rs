//! What takes more than a pattern to see: each structure is a function from a source to places.

mod commands;
mod documents;
mod flow;
mod items;
mod parameters;
mod trials;

use serde::Deserialize;

use super::facts::Facts;
use super::matching::{HITS_MAX, Hit};
use super::source::Source;

pub(crate) use trials::asserting_functions;

/// What a rule can look for beside patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Structure {
    /// Code after a jump in the same block.
    UnreachableCode,
    /// A public function that no test names.
    UntestedFunction,
    /// A test in which nothing can fail.
    TestWithoutAssertion,
    /// Two tests of one name.
    ShadowedTest,
    /// A public item without a comment.
    UndocumentedItem,
    /// A comment on a parameter that is not there.
    UnknownParameter,
    /// A changed public item without a word in the change log.
    MissingChangeNote,
    /// A link to a missing file.
    BrokenLink,
    /// A link to a missing section.
    BrokenAnchor,
    /// A link to nothing.
    EmptyLink,
    /// An image without a description.
    ImageWithoutWords,
    /// A document that says that it is not finished.
    UnfinishedDocument,
    /// A document that names a missing file.
    MissingFile,
    /// A document that tells to run what is not there.
    MissingCommand,
    /// A document that names an unknown flag.
    MissingFlag,
}

/// The places of a structure in a source.
pub(crate) fn hits(structure: Structure, source: &Source, facts: &Facts) -> Vec<Hit> {
    let mut hits = match structure {
        Structure::UnreachableCode => flow::unreachable(source),
        Structure::UntestedFunction => items::untested(source),
        Structure::TestWithoutAssertion => trials::without_assertion(source),
        Structure::ShadowedTest => trials::shadowed(source),
        Structure::UndocumentedItem => items::undocumented(source),
        Structure::UnknownParameter => parameters::unknown(source),
        Structure::MissingChangeNote => items::without_change_note(source, facts),
        Structure::BrokenLink => documents::broken_links(source, facts),
        Structure::BrokenAnchor => documents::broken_anchors(source),
        Structure::EmptyLink => documents::empty_links(source),
        Structure::ImageWithoutWords => documents::images_without_words(source),
        Structure::UnfinishedDocument => documents::unfinished(source),
        Structure::MissingFile => commands::missing_files(source, facts),
        Structure::MissingCommand => commands::missing_commands(source, facts),
        Structure::MissingFlag => commands::missing_flags(source, facts),
    };
    hits.truncate(HITS_MAX);
    hits
}
