//! A shard's folded state at one place of its log, as bytes.
//!
//! A checkpoint saves replaying from zero and nothing else: it can always be thrown away. It is bound to the shard, to
//! the group it stands on and to the layout of the state, and carries a digest over all of that.

use hourglass_events::Digest;
use hourglass_events::record::SCHEMA;
use serde::{Deserialize, Serialize};

use crate::fleet::Fleet;
use crate::shard::Mark;

/// The layout of the state in this build. It changes with every change to a type in [`Fleet`] and to
/// what is counted in one.
pub const LAYOUT: u32 = 15;

const MAGIC: &[u8; 8] = b"HGCHECK1";

/// The state of a shard as of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The group it stands on.
    pub mark: Mark,
    /// The state after that group.
    pub fleet: Fleet,
}

/// Why bytes are no checkpoint of use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The bytes are not a whole checkpoint.
    #[error("the checkpoint is damaged: {0}; delete it, the log will be replayed from the beginning")]
    Damaged(&'static str),
    /// Another build wrote it.
    #[error(
        "the checkpoint has layout {found} and schema {schema}; this build reads layout {LAYOUT}, it is not used"
    )]
    OtherLayout {
        /// Its layout.
        found: u32,
        /// Its schema.
        schema: u32,
    },
}

impl Checkpoint {
    /// The checkpoint as bytes: magic, layout, schema, digest of the rest, the rest.
    ///
    /// # Panics
    /// Never: the state serializes into memory.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = rmp_serde::to_vec(self).expect("checkpoints serialize into memory");
        let mut bytes = Vec::with_capacity(body.len() + 48);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&LAYOUT.to_le_bytes());
        bytes.extend_from_slice(&SCHEMA.to_le_bytes());
        bytes.extend_from_slice(&Digest::of(&body).0);
        bytes.extend_from_slice(&body);
        bytes
    }

    /// The checkpoint in `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let damaged = CheckpointError::Damaged;
        let rest = bytes.strip_prefix(MAGIC).ok_or(damaged("it does not begin like one"))?;
        let (layout, rest) = rest.split_first_chunk().ok_or(damaged("it is cut off"))?;
        let (schema, rest) = rest.split_first_chunk().ok_or(damaged("it is cut off"))?;
        let (digest, body) = rest.split_first_chunk::<32>().ok_or(damaged("it is cut off"))?;
        let (found, schema) = (u32::from_le_bytes(*layout), u32::from_le_bytes(*schema));
        if (found, schema) != (LAYOUT, SCHEMA) {
            return Err(CheckpointError::OtherLayout { found, schema });
        }
        if Digest::of(body).0 != *digest {
            return Err(damaged("its digest does not fit its content"));
        }
        rmp_serde::from_slice(body).map_err(|_| damaged("its content is not a state"))
    }
}
