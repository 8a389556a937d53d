//! What is wrong with what was asked of a snapshot, or of a build.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Able;
use crate::id::{SandboxId, SnapshotId};
use crate::lifecycle::others::SnapshotState;
use crate::spec::Class;

/// What was found and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum SnapshotRefusal {
    /// Another snapshot has the name, or will have it.
    #[error("the name {name:?} is taken by snapshot {holder}; choose another or remove that one")]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it.
        holder: SnapshotId,
    },
    /// A text that no snapshot can be called.
    #[error(
        "{found:?} is not a snapshot's name; use 1 to 255 letters, digits, '_', '.', ':' and '-', in parts parted by '/'"
    )]
    BadName {
        /// The beginning of what was sent.
        found: String,
    },
    /// An organization has as many snapshots as it may have.
    #[error("there are {found} snapshots and at most {most} are kept; remove one")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A snapshot that cannot be asked for that where it is.
    #[error("the snapshot {name:?} is {}, and only {} can be {operation}", state.word(), operation.from())]
    State {
        /// Its name.
        name: String,
        /// Where it is in its life.
        state: SnapshotState,
        /// What was asked.
        operation: SnapshotUse,
    },
    /// A snapshot that sandboxes stand on.
    #[error(
        "the snapshot {name:?} is in use (sandboxes: {count}, such as {}); delete those first",
        shown(users)
    )]
    InUse {
        /// Its name.
        name: String,
        /// How many use it.
        count: usize,
        /// The first of them.
        users: Vec<SandboxId>,
    },
    /// A snapshot that is everybody's.
    #[error("the snapshot {0:?} is everybody's; only whoever runs this engine can change or remove it")]
    General(String),
    /// Both ways of saying what a sandbox starts from.
    #[error("a snapshot and an image were named; a sandbox is created from one of them")]
    AndImage,
    /// A linked sandbox is made of a snapshot.
    #[error("a sandbox linked to {0:?} cannot be built; create it from a snapshot")]
    LinkedImage(String),
    /// A class for which nothing is made of such a recipe.
    #[error("nothing of class {class} is made of {of}; {able}")]
    NotMadeOf {
        /// The class.
        class: Class,
        /// What it was to be made of.
        of: Material,
        /// What would work.
        able: Able,
    },
    /// A reference that names no one image.
    #[error("{found:?} does not name one image; write a name with a tag other than latest, or a digest")]
    BadReference {
        /// The beginning of what was sent.
        found: String,
    },
    /// A Dockerfile that is empty or too long.
    #[error("a Dockerfile has 1 to {most} bytes that are not all blank; {found} were sent")]
    BadDockerfile {
        /// Its length.
        found: usize,
        /// The most bytes.
        most: usize,
    },
    /// Files of a build that are too many, or not named by digests.
    #[error(
        "{found} files of a build were sent; at most {most} are taken, each by a digest of 1 to 255 bytes"
    )]
    BadContext {
        /// How many.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

/// What a snapshot or a sandbox is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Material {
    /// An image that somebody publishes.
    Image,
    /// A Dockerfile.
    Dockerfile,
}

impl fmt::Display for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "a published image",
            Self::Dockerfile => "a Dockerfile",
        })
    }
}

/// What may be asked of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SnapshotUse {
    /// Create a sandbox from it.
    Create,
    /// Bring it back.
    Activate,
    /// Lay it aside.
    Deactivate,
    /// Remove it.
    Remove,
}

impl SnapshotUse {
    /// Which snapshots it can be asked of.
    const fn from(self) -> &'static str {
        match self {
            Self::Create => "one that is active or inactive",
            Self::Activate => "one that is inactive",
            Self::Deactivate => "one that is active",
            Self::Remove => "one that is not being taken of a sandbox",
        }
    }
}

impl fmt::Display for SnapshotUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "created from",
            Self::Activate => "activated",
            Self::Deactivate => "deactivated",
            Self::Remove => "removed",
        })
    }
}

impl SnapshotState {
    /// The state as a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pulling => "being fetched",
            Self::Building => "being built",
            Self::Capturing => "being taken",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Error => "failed",
            Self::Removing => "being removed",
            Self::Removed => "gone",
        }
    }
}

/// The sandboxes in a sentence.
fn shown(users: &[SandboxId]) -> String {
    users.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
