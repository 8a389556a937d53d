//! What can be wrong with a log's files, each as a value with a sentence.

use std::io;

use crate::log::{ReadError, Slot};

use super::frame::Check;
use super::header::VERSION;

/// What was found where a frame should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Zeros, though the frame was durable once.
    #[error("there are only zeros")]
    Blank,
    /// Something else.
    #[error("there is something that is not a frame")]
    NoFrame,
    /// A frame whose length cannot be.
    #[error("the frame claims a length of {found} bytes, which none can have here")]
    Length {
        /// The claimed length.
        found: u32,
    },
    /// A frame whose bytes have changed.
    #[error("the frame's bytes do not match its check value")]
    Check,
    /// A sound frame that belongs elsewhere.
    #[error("the frame belongs to slot {found}")]
    Misplaced {
        /// The slot it says it fills.
        found: Slot,
    },
    /// A sound frame after another one than the frame it follows.
    #[error("the frame follows one with the check value {named}, the one before it has {found}")]
    Chain {
        /// The check value that the frame names.
        named: Check,
        /// The one that its predecessor has.
        found: Check,
    },
    /// Bytes further out than a torn frame reaches.
    #[error("there are bytes up to {until}, where nothing was ever written")]
    Stray {
        /// The end of those bytes in the file.
        until: u64,
    },
    /// The last mark vouches for another frame than the one in its slot.
    #[error("the frame has the check value {found}, it had {marked} when it was durable")]
    Mark {
        /// What the mark says.
        marked: Check,
        /// What the frame has.
        found: Check,
    },
}

/// The first slot that cannot be read, and where it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} is damaged at byte {offset}, slot {slot}: {flaw}")]
pub struct Damage {
    /// The first bad slot.
    pub slot: Slot,
    /// The file it is in.
    pub file: String,
    /// Where its frame begins, or should.
    pub offset: u64,
    /// What was found there.
    pub flaw: Flaw,
}

impl From<Damage> for ReadError {
    fn from(damage: Damage) -> Self {
        Self::Damaged { slot: damage.slot, what: damage.to_string() }
    }
}

/// Why a walk through the files cannot go on.
#[derive(Debug)]
pub(super) enum Trouble {
    Damage(Damage),
    Io(io::Error),
}

impl From<Damage> for Trouble {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Trouble> for ReadError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Damage(damage) => damage.into(),
            Trouble::Io(error) => Self::Unavailable { why: error.to_string() },
        }
    }
}

/// Why a log was not opened. Nothing was changed, except by [`OpenError::Io`] and [`OpenError::NoSpace`], after which
/// opening it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A process that lives has it open.
    #[error("another instance holds the data directory {place}; stop it, or choose another directory")]
    Held {
        /// The directory.
        place: String,
    },
    /// Frames that were durable cannot be read.
    #[error("{0}; restore the file from a copy")]
    Damaged(#[from] Damage),
    /// A file's header cannot be read.
    #[error(
        "{file}, which should begin with slot {slot}, has a damaged header; restore the file from a copy"
    )]
    Header {
        /// The file.
        file: String,
        /// The first slot it should hold, the first that cannot be read.
        slot: Slot,
    },
    /// The file was written by a build with another format.
    #[error(
        "{file} has format version {found}, this build reads {VERSION}; open it with the build that wrote it"
    )]
    Version {
        /// The file.
        file: String,
        /// Its version.
        found: u32,
    },
    /// A file is shorter or longer than it was made.
    #[error(
        "{file}, which begins with slot {slot}, has {found} bytes instead of {expected}; restore it from a copy"
    )]
    Truncated {
        /// The file.
        file: String,
        /// The first slot it holds.
        slot: Slot,
        /// Bytes it was made with.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// A file that must be there is not.
    #[error("{file}, which should begin with slot {slot}, is missing; restore it from a copy")]
    Missing {
        /// The file.
        file: String,
        /// The first slot that is lost.
        slot: Slot,
    },
    /// A file holds what another one should.
    #[error(
        "{file} begins with slot {found} instead of {slot}: files were swapped or renamed; give them back their names"
    )]
    Swapped {
        /// The file.
        file: String,
        /// The slot its name announces.
        slot: Slot,
        /// The slot it begins with.
        found: Slot,
    },
    /// A file does not continue the one before it.
    #[error(
        "{file} follows a frame with the check value {named}, the frame before slot {slot} has {found}: it is from another copy of the log; restore the right one"
    )]
    Discontinued {
        /// The file.
        file: String,
        /// Its first slot.
        slot: Slot,
        /// The check value it names.
        named: Check,
        /// The one found.
        found: Check,
    },
    /// A file is of another log, shard or generation.
    #[error(
        "{file} belongs to shard {shard}, generation {generation} of another log; put the right file in its place"
    )]
    Foreign {
        /// The file.
        file: String,
        /// The shard it belongs to.
        shard: u32,
        /// The generation it belongs to.
        generation: u32,
    },
    /// A checkpoint or an index knows more than the log.
    #[error(
        "a checkpoint or index was made at slot {witness}, but the log ends before slot {end}: acknowledged records are missing; restore the log, or remove what is ahead of it only if you accept the loss"
    )]
    WitnessAhead {
        /// The slot that the witness saw.
        witness: Slot,
        /// The first empty slot of the log.
        end: Slot,
    },
    /// A checkpoint or an index was made from another log.
    #[error(
        "a checkpoint or index was made when slot {slot} had the check value {expected}, now it has {found}: they belong to different logs; put the right ones together"
    )]
    WitnessDiffers {
        /// The slot that the witness saw.
        slot: Slot,
        /// The check value it saw.
        expected: Check,
        /// The one that is there.
        found: Check,
    },
    /// There is no room for the first segment.
    #[error("{place} has no room for a segment of {needed} bytes; make room and start again")]
    NoSpace {
        /// The directory.
        place: String,
        /// Bytes asked for, the reserve included.
        needed: u64,
    },
    /// The file system failed.
    #[error("the log in {place} could not be opened: {doing} failed; look at the disk, then start again")]
    Io {
        /// The directory.
        place: String,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// What opening a log finds and mends, none of which concerns a frame that was acknowledged. The sentences are true
/// before it and after it, since a log can also be [inspected](super::Inspection) without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// A frame that was being written when the process or the power stopped.
    #[error(
        "{file} was left with {bytes} bytes of an unfinished frame for slot {slot} at its end, which was never acknowledged; opening the log cuts them"
    )]
    TornTailCut {
        /// The file.
        file: String,
        /// The slot that the frame was for, which is empty again.
        slot: Slot,
        /// Where the frame began.
        offset: u64,
        /// How many bytes were cleared.
        bytes: u64,
    },
    /// A segment that was being started.
    #[error("{file} was being started and holds nothing; opening the log removes it")]
    UnfinishedSegmentRemoved {
        /// The file.
        file: String,
    },
    /// A mark that cannot be read; the frames it vouched for were there.
    #[error("a mark of {file} cannot be read; its frames are whole, and opening the log writes it again")]
    MarkUnreadable {
        /// The file.
        file: String,
    },
    /// The log's name plate was missing or damaged; the segments are whole.
    #[error(
        "the identity file was found missing or damaged; opening the log writes it again from the segments"
    )]
    IdentityRewritten,
}
