//! What was found while an engine started and did not keep it from starting. People who run it should hear of it.

use std::path::PathBuf;

use hourglass_events::ShardNumber;

use crate::log::segments;

/// Something that was found and mended, or done without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// A shard's log was left by a crash in a state that opening it mends.
    #[error("shard {shard}: {notice}")]
    Log {
        /// The shard.
        shard: ShardNumber,
        /// What was mended.
        notice: segments::Notice,
    },
    /// A checkpoint cannot be used.
    #[error("shard {shard}: the checkpoint {} is not used, and the whole log replayed instead ({why})", path.display())]
    Checkpoint {
        /// The shard.
        shard: ShardNumber,
        /// Its file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}
