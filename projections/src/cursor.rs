//! How far a reader of one shard has come: each sequence exactly once, none left out.
//!
//! It deliberately does not reorder or wait: whoever feeds it out of step has lost or repeated a record.

use hourglass_events::Seq;

/// The last sequence that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor {
    applied: Seq,
}

impl Cursor {
    /// A reader that has taken in everything through `applied`; nothing yet at zero.
    #[must_use]
    pub const fn at(applied: Seq) -> Self {
        Self { applied }
    }

    /// The last sequence taken in.
    #[must_use]
    pub const fn applied(self) -> Seq {
        self.applied
    }

    /// The cursor after `found`, if that is the next one.
    pub fn after(self, found: Seq) -> Result<Self, OutOfStep> {
        let Self { applied } = self;
        if found <= applied {
            return Err(OutOfStep::Repeat { found, applied });
        }
        // The comparison above rules out that the last sequence there is comes after itself.
        if found == applied.next() { Ok(Self::at(found)) } else { Err(OutOfStep::Gap { found, applied }) }
    }
}

/// A record that is not the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfStep {
    /// It was taken in before.
    #[error("record {found} was fed again after record {applied}")]
    Repeat {
        /// What came.
        found: Seq,
        /// What was taken in last.
        applied: Seq,
    },
    /// Records in front of it are missing.
    #[error("record {found} was fed after record {applied}: what lies between is missing")]
    Gap {
        /// What came.
        found: Seq,
        /// What was taken in last.
        applied: Seq,
    },
}

#[cfg(test)]
mod tests;
