//! The words the shard and its log share: slots and what became of one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The place of one group in a shard's log. Slots start at 1 and have no gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(pub u64);

impl Slot {
    /// The slot of the first group of a log.
    pub const FIRST: Self = Self(1);

    /// The slot after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of an append, as far as the log can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The slot holds our frame and would survive a power cut.
    Durable,
    /// The slot holds a frame already, ours from an earlier try or a rival's: read it to learn which.
    Occupied,
    /// Nothing is known: a time-out, a lost answer. Send the same bytes to the same slot again.
    Doubtful,
    /// There is no room. Nothing was written; the frame may be sent again once there is.
    NoSpace,
    /// The storage failed in a way that makes its own memory of the bytes worthless (a failed fsync, say).
    /// Stop, reread the log from the medium, and never sync the same file again.
    Broken,
}
