//! What an image is made of: a reference to one that somebody publishes, or a build. What hosts do with it is theirs.

use serde::{Deserialize, Serialize};

use crate::record::Digest;
use crate::refusal::SnapshotRefusal;
use crate::spec::Image;

/// How an image is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Recipe {
    /// Fetch the image of this name, such as `ubuntu:22.04`.
    Reference(String),
    /// Build it.
    Dockerfile {
        /// The whole Dockerfile.
        text: String,
        /// The digests of the files it adds, which were uploaded before.
        context: Vec<String>,
    },
}

impl Recipe {
    /// The most bytes of a Dockerfile. Every sandbox that is built carries its own in memory and in the log.
    pub const TEXT_MOST: usize = 32 << 10;
    /// The most files a Dockerfile may add.
    pub const CONTEXT_MOST: usize = 64;
    /// The most bytes of a reference, or of the digest of a file.
    pub const NAME_MOST: usize = 255;

    /// This recipe, if an image can be made of it: neither empty nor too long, and a reference that names one version.
    pub fn checked(self) -> Result<Self, SnapshotRefusal> {
        let name = |text: &str| {
            (1..=Self::NAME_MOST).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic())
        };
        match &self {
            Self::Reference(found) if !name(found) || !pinned(found) => {
                Err(SnapshotRefusal::BadReference { found: found.chars().take(80).collect() })
            }
            Self::Dockerfile { text, .. } if text.trim().is_empty() || text.len() > Self::TEXT_MOST => {
                Err(SnapshotRefusal::BadDockerfile { found: text.len(), most: Self::TEXT_MOST })
            }
            Self::Dockerfile { context, .. }
                if context.len() > Self::CONTEXT_MOST || !context.iter().all(|digest| name(digest)) =>
            {
                Err(SnapshotRefusal::BadContext { found: context.len(), most: Self::CONTEXT_MOST })
            }
            Self::Reference(_) | Self::Dockerfile { .. } => Ok(self),
        }
    }

    /// What a sandbox's own build of it is called. Equal recipes have equal names, so that a host builds them once.
    #[must_use]
    pub fn image(&self) -> Image {
        let bytes = rmp_serde::to_vec(self).unwrap_or_default();
        Image { digest: format!("build-{}", Digest::of(&bytes)) }
    }
}

/// Whether `reference` names one version: a tag other than `latest`, or a digest.
fn pinned(reference: &str) -> bool {
    if reference.contains("@sha256:") {
        return true;
    }
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split_once(':').is_some_and(|(name, tag)| !name.is_empty() && !tag.is_empty() && tag != "latest")
}

#[cfg(test)]
mod tests;
