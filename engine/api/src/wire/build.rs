//! What an image is built of, as clients say and read it.

use hourglass_events::{Base, Blueprint, Recipe, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::moment;

/// What an image is to be built of. Without a Dockerfile it is refused.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BuildInfo {
    dockerfile_content: Option<String>,
    /// The digests of the files that the Dockerfile adds.
    context_hashes: Option<Vec<String>>,
}

impl BuildInfo {
    /// The recipe, unchecked.
    pub(crate) fn recipe(self) -> Recipe {
        Recipe::Dockerfile {
            text: self.dockerfile_content.unwrap_or_default(),
            context: self.context_hashes.unwrap_or_default(),
        }
    }
}

/// What the image of a sandbox was built of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Built {
    dockerfile_content: String,
    context_hashes: Vec<String>,
    created_at: String,
    updated_at: String,
    /// What the image is called.
    snapshot_ref: String,
}

impl Built {
    /// What the image of this blueprint was built of, if it was built for it.
    pub(crate) fn of(blueprint: &Blueprint, created: Timestamp) -> Option<Self> {
        let Base::Build(recipe) = &blueprint.base else { return None };
        let (dockerfile_content, context_hashes) = match &**recipe {
            Recipe::Dockerfile { text, context } => (text.clone(), context.clone()),
            Recipe::Reference(name) => (format!("FROM {name}\n"), Vec::new()),
        };
        let (created_at, updated_at) = (moment(created), moment(created));
        let snapshot_ref = blueprint.image.digest.clone();
        Some(Self { dockerfile_content, context_hashes, created_at, updated_at, snapshot_ref })
    }
}
