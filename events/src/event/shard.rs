//! What can have happened to a shard.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{Seq, ShardNumber};
use crate::time::Timestamp;

events! {
    /// What can have happened to a shard of the log itself.
    ShardEvent, ShardEventKind {
        /// A writer began an epoch. Committing this fences every older one.
        Opened {
            /// The writer's build.
            build: String,
            /// The newest schema it writes.
            schema: u32,
            /// The writer's clock.
            clock: Timestamp,
            /// How many shards this log has, for ever.
            shards: u64,
            /// Which of them this is.
            shard: ShardNumber,
        },
        /// Kinds of this schema may follow; older builds refuse the shard.
        SchemaRaised {
            /// The schema from here on.
            schema: u32,
        },
        /// The digest of the folded state, so that a differing fold can be found.
        StateHashed {
            /// The version of the view that was digested.
            layout: u32,
            /// BLAKE3 of that view.
            #[serde(with = "serde_bytes")]
            hash: [u8; 32],
            /// The last record folded into it.
            through: Seq,
        },
    }
}
