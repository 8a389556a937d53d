//! A snapshot: what sandboxes are created from, and its fold.

use serde::{Deserialize, Serialize};

use crate::event::SnapshotEvent;
use crate::host::GpuTypes;
use crate::id::{OrganizationId, SnapshotId};
use crate::lifecycle::others::{SNAPSHOT, SnapshotState, next};
use crate::record::Stamp;
use crate::resources::Resources;
use crate::sandbox::Illegal;
use crate::spec::{Class, Image};

/// What a snapshot is. Sandboxes inherit class and resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotContent {
    /// What people call it.
    pub name: String,
    /// The class of every sandbox made from it.
    pub class: Class,
    /// What such a sandbox is given.
    pub resources: Resources,
    /// The kinds of GPU such a sandbox may have, in order.
    pub gpu_types: GpuTypes,
    /// The bytes its disk starts from.
    pub image: Image,
}

/// A snapshot as folded from its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Who may use it; the nil organization's snapshots are everybody's.
    pub organization: OrganizationId,
    /// Where it is in its life.
    pub state: SnapshotState,
    /// What it is.
    pub content: SnapshotContent,
    /// How many records it has.
    pub version: u64,
}

impl Snapshot {
    /// The snapshot after `event`, coming from `before`.
    pub fn evolve(
        before: Option<&Self>,
        stamp: &Stamp,
        id: SnapshotId,
        event: &SnapshotEvent,
    ) -> Result<Self, Illegal> {
        let from = before.map_or(SnapshotState::Unknown, |snapshot| snapshot.state);
        let state = next(SNAPSHOT, from, event.kind())
            .ok_or_else(|| Illegal::new(stamp, format!("{from:?}"), event.kind().name()))?;
        match event {
            SnapshotEvent::Registered { content } => Ok(Self {
                id,
                organization: stamp.organization,
                state,
                content: content.clone(),
                version: stamp.version,
            }),
        }
    }
}
