//! Where groups of records become durable: the one async boundary of the engine towards storage.
//!
//! A log is a row of numbered slots, each holding one frame (the bytes of one group) for ever. A writer fills the next
//! slot, learns what became of it, and only then fills the one after: one frame is in flight. The log does not know
//! what a frame means; epochs, nonces and retries belong to the kernel's shard, which drives this trait.

pub mod conformance;
pub mod files;
pub mod memory;
pub mod segments;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

pub use hourglass_kernel::log::{Outcome, Slot};

/// The bytes of one group. Shared, because a doubtful append is repeated byte for byte.
pub type Frame = Arc<[u8]>;

/// No frame is larger: 256 KiB of records, and room for what a group says about itself. A caller that frames more has a
/// bug, which every log answers with a panic.
pub const MAX_FRAME_BYTES: usize = (256 + 4) << 10;

/// One shard's log. Every method may be repeated; none changes what a slot already holds.
#[async_trait]
pub trait EventLog: Send + Sync + Debug {
    /// Fill `slot` with `frame`, and say what is known of the slot afterwards.
    ///
    /// [`Outcome::Durable`] is said only once the frame would survive a power cut. An occupied slot is never
    /// overwritten: [`Outcome::Occupied`] sends the caller to [`EventLog::read`] to learn by whom. A slot whose
    /// predecessor is empty is not filled either; nothing is known of it, which is [`Outcome::Doubtful`].
    ///
    /// # Panics
    /// If the frame is larger than [`MAX_FRAME_BYTES`].
    async fn append(&self, slot: Slot, frame: Frame) -> Outcome;

    /// What `slot` holds, or `None` when it is empty.
    async fn read(&self, slot: Slot) -> Result<Option<Frame>, ReadError>;

    /// The first empty slot: one past the last durable frame.
    async fn end(&self) -> Result<Slot, ReadError>;
}

/// Why a slot could not be read. Damage is final; unavailability may pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Bytes that were once durable are no longer what was written.
    #[error("the log is damaged at slot {slot}: {what}; restore the file from a copy, nothing was changed")]
    Damaged {
        /// The first slot that cannot be read.
        slot: Slot,
        /// What was found, as a sentence without a full stop.
        what: String,
    },
    /// The log cannot be reached for the moment.
    #[error("the log cannot be reached: {why}; it will be asked again")]
    Unavailable {
        /// What the storage said.
        why: String,
    },
}
