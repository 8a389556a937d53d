//! The language that a sandbox's toolbox runs code in. Clients say it by a label, and refuse to read a sandbox that
//! bears another value.

use std::collections::BTreeMap;

use hourglass_events::Labels;

use crate::problem::Problem;

/// The label.
pub(crate) const TOOLBOX_LANGUAGE: &str = "code-toolbox-language";

/// A language that code can be run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    TypeScript,
    JavaScript,
}

impl Language {
    /// The language that the contract calls `text`.
    pub(crate) fn named(text: &str) -> Option<Self> {
        match text {
            "python" => Some(Self::Python),
            "typescript" => Some(Self::TypeScript),
            "javascript" => Some(Self::JavaScript),
            _ => None,
        }
    }
}

/// `labels`, if clients can read a sandbox that bears them.
pub(crate) fn labels(labels: BTreeMap<String, String>) -> Result<Labels, Problem> {
    match labels.get(TOOLBOX_LANGUAGE).filter(|text| !text.is_empty() && Language::named(text).is_none()) {
        Some(found) => Err(Problem::BadLanguage { found: found.chars().take(80).collect() }),
        None => Ok(Labels::new(labels)?),
    }
}
