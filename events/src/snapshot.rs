//! A snapshot: what sandboxes are created from, and its fold.
//!
//! It exists from the moment it is asked for and has a state and a fault of its own, whatever becomes of the sandbox it
//! is taken of. What it stands for in a sandbox was copied there at the sandbox's birth.

use serde::{Deserialize, Serialize};

use crate::event::SnapshotEvent;
use crate::fault::Fault;
use crate::host::GpuTypes;
use crate::id::{CorrelationId, HostId, OrganizationId, SandboxId, Seq, SnapshotId};
use crate::lifecycle::others::{SNAPSHOT, SnapshotState, next};
use crate::recipe::Recipe;
use crate::record::Stamp;
use crate::resources::Resources;
use crate::sandbox::{Illegal, Work};
use crate::spec::{Class, Image};
use crate::time::{Span, Timestamp};

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

/// What of a sandbox a snapshot of it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Heat {
    /// Its disk.
    Cold,
    /// Its disk and its memory: what is created from it runs on from there.
    Hot,
}

/// What a snapshot is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// Bytes that were there before; they are not the engine's to take away.
    Given,
    /// An image that is fetched or built.
    Recipe(Box<Recipe>),
    /// A sandbox.
    Sandbox(SandboxId),
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
    /// What of a sandbox it keeps.
    pub heat: Heat,
    /// What it is made of.
    pub source: Source,
    /// How many records it has.
    pub version: u64,
    /// Its latest record.
    pub seq: Seq,
    /// What its latest record belongs to.
    pub correlation: CorrelationId,
    /// When it was asked for.
    pub created: Timestamp,
    /// When its latest record was decided.
    pub updated: Timestamp,
    /// Who makes it or takes it away.
    pub host: Option<HostId>,
    /// What that host owes it.
    pub work: Option<Work>,
    /// What went wrong last.
    pub fault: Option<Fault>,
}

impl Snapshot {
    /// What the image of a snapshot is called whose bytes are made for it.
    #[must_use]
    pub fn image(id: SnapshotId) -> Image {
        Image { digest: format!("snapshot-{id}") }
    }

    /// Whether hosts put bytes somewhere for it, which its removal takes away.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        match self.source {
            Source::Given => false,
            Source::Recipe(_) | Source::Sandbox(_) => true,
        }
    }

    /// The snapshot after `event`, coming from `before`.
    pub fn evolve(
        before: Option<&Self>,
        stamp: &Stamp,
        id: SnapshotId,
        event: &SnapshotEvent,
    ) -> Result<Self, Illegal> {
        let from = before.map_or(SnapshotState::Unknown, |snapshot| snapshot.state);
        let illegal = || Illegal::new(stamp, format!("{from:?}"), event.kind().name());
        let state = next(SNAPSHOT, from, event.kind()).ok_or_else(illegal)?;
        let mut after = match before {
            Some(before) => before.clone(),
            None => Self::born(stamp, id, event).ok_or_else(illegal)?,
        };
        after.state = state;
        after.version = stamp.version;
        after.seq = stamp.seq;
        after.correlation = stamp.correlation;
        after.updated = stamp.at;
        after.take_in(stamp, event);
        Ok(after)
    }

    /// What an event says of a snapshot that it brings into being.
    fn born(stamp: &Stamp, id: SnapshotId, event: &SnapshotEvent) -> Option<Self> {
        let (content, heat, source) = match event {
            SnapshotEvent::Registered { content } => (content, Heat::Cold, Source::Given),
            SnapshotEvent::PullBegan { content, recipe, .. }
            | SnapshotEvent::BuildBegan { content, recipe, .. } => {
                (content, Heat::Cold, Source::Recipe(Box::new(recipe.clone())))
            }
            SnapshotEvent::CaptureBegan { content, heat, of } => (content, *heat, Source::Sandbox(*of)),
            SnapshotEvent::Placed { .. }
            | SnapshotEvent::Ready
            | SnapshotEvent::Failed { .. }
            | SnapshotEvent::Deactivated
            | SnapshotEvent::Activated
            | SnapshotEvent::RemoveBegan
            | SnapshotEvent::Struggled { .. }
            | SnapshotEvent::Removed => return None,
        };
        Some(Self {
            id,
            organization: stamp.organization,
            state: SnapshotState::Unknown,
            content: content.clone(),
            heat,
            source,
            version: 0,
            seq: stamp.seq,
            correlation: stamp.correlation,
            created: stamp.at,
            updated: stamp.at,
            host: None,
            work: None,
            fault: None,
        })
    }

    fn take_in(&mut self, stamp: &Stamp, event: &SnapshotEvent) {
        match event {
            SnapshotEvent::PullBegan { host, deadline, .. }
            | SnapshotEvent::BuildBegan { host, deadline, .. } => {
                self.host = *host;
                self.begin_work(stamp, Some(*deadline));
            }
            SnapshotEvent::Placed { host } => {
                self.host = Some(*host);
                let deadline = self.work.and_then(|work| work.deadline);
                self.begin_work(stamp, deadline);
            }
            SnapshotEvent::Failed { fault } => {
                self.fault = Some(fault.clone());
                self.work = None;
            }
            SnapshotEvent::RemoveBegan => {
                self.fault = None;
                self.begin_work(stamp, None);
            }
            SnapshotEvent::Struggled { fault, attempt, retry_at } => {
                self.fault = Some(fault.clone());
                self.begin_work(stamp, None);
                if let Some(work) = &mut self.work {
                    work.attempt = *attempt;
                    work.retry_at = Some(*retry_at);
                }
            }
            // Taking a snapshot is work of the sandbox it is taken of.
            SnapshotEvent::Registered { .. } | SnapshotEvent::CaptureBegan { .. } => {}
            SnapshotEvent::Ready | SnapshotEvent::Removed => self.work = None,
            SnapshotEvent::Deactivated | SnapshotEvent::Activated => {}
        }
    }

    fn begin_work(&mut self, stamp: &Stamp, deadline: Option<Timestamp>) {
        self.work = Some(Work {
            number: stamp.seq.into(),
            began: stamp.at,
            deadline,
            grace: Span::ZERO,
            attempt: 0,
            retry_at: None,
        });
    }
}
