//! What a sandbox is made of beside where it is in its life: its blueprint, its place, its work.

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::event::RestoreSource;
use crate::fault::Fault;
use crate::host::GpuTypes;
use crate::id::{HostId, OrderNumber, SandboxId, SnapshotId};
use crate::network::NetworkPolicy;
use crate::policy::{AutoArchive, AutoDelete, AutoStop};
use crate::recipe::Recipe;
use crate::resources::Resources;
use crate::snapshot::{Heat, SnapshotContent};
use crate::spec::{Class, Image, Labels, Name};
use crate::time::{Span, Timestamp};

/// What a sandbox was asked to be, resolved at its birth and changed only by its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// What people call it, and its hostname.
    pub name: Name,
    /// What kind of isolation.
    pub class: Class,
    /// The snapshot it was created from; the nil id if its image is its own build.
    pub snapshot: SnapshotId,
    /// That snapshot's name then.
    pub snapshot_name: String,
    /// What its disk starts from.
    pub image: Image,
    /// Where it is, for ever.
    pub region: String,
    /// What that is.
    pub base: Base,
    /// What it is given.
    pub resources: Resources,
    /// The kinds of GPU it may have, in order.
    pub gpu_types: GpuTypes,
    /// Who its commands run as.
    pub user: String,
    /// Its labels.
    pub labels: Labels,
    /// When it stops unused.
    pub auto_stop: AutoStop,
    /// When it is archived.
    pub auto_archive: AutoArchive,
    /// When it is deleted.
    pub auto_delete: AutoDelete,
    /// What it may reach.
    pub network: NetworkPolicy,
    /// Whether its previews are open to everybody.
    pub public: bool,
    /// The names of its variables, and digests of their values.
    pub environment: Environment,
    /// The sandbox it is linked with, if it is: it shares that one's host and network, and does not outlive it. Said in
    /// either case.
    #[serde(deserialize_with = "Option::deserialize")]
    pub linked: Option<SandboxId>,
    /// The sandbox it was forked from, if it was. Said in either case.
    #[serde(deserialize_with = "Option::deserialize")]
    pub forked_from: Option<SandboxId>,
}

impl Blueprint {
    /// The region of a sandbox when nobody names one.
    pub const REGION: &'static str = "local";

    /// A sandbox called `name` from this snapshot, with every default.
    #[must_use]
    pub fn new(name: Name, snapshot: SnapshotId, content: &SnapshotContent) -> Self {
        Self {
            name,
            class: content.class,
            snapshot,
            snapshot_name: content.name.clone(),
            image: content.image.clone(),
            region: Self::REGION.to_owned(),
            base: Base::Snapshot(Heat::Cold),
            resources: content.resources,
            gpu_types: content.gpu_types.clone(),
            user: "root".to_owned(),
            labels: Labels::default(),
            auto_stop: AutoStop::DEFAULT,
            auto_archive: AutoArchive::DEFAULT,
            auto_delete: AutoDelete::DEFAULT,
            network: NetworkPolicy::Open,
            public: false,
            environment: Environment::default(),
            linked: None,
            forked_from: None,
        }
    }
}

impl Blueprint {
    /// The snapshot it was created from, if it was created from one.
    #[must_use]
    pub fn made_of(&self) -> Option<SnapshotId> {
        match self.base {
            Base::Snapshot(_) => Some(self.snapshot),
            Base::Build(_) => None,
        }
    }

    /// What of a sandbox that which its disk starts from keeps.
    #[must_use]
    pub const fn heat(&self) -> Heat {
        match self.base {
            Base::Snapshot(heat) => heat,
            Base::Build(_) => Heat::Cold,
        }
    }
}

/// What the image is that a disk starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Base {
    /// A snapshot's, which keeps this much of a sandbox.
    Snapshot(Heat),
    /// Its own, which is built from this.
    Build(Box<Recipe>),
}

/// Where a sandbox was placed, with the numbers that decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// The host, or none yet. Said in either case: what is missing from the bytes is not taken for none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub host: Option<HostId>,
    /// Hosts known.
    pub hosts: u32,
    /// Of those, ready and not cordoned or draining.
    pub ready: u32,
    /// Of those, in its region, and where it has to be if it is bound to another sandbox's host.
    pub near: u32,
    /// Of those, able to run its class, with the GPUs it may have, and to do what bringing it there takes.
    pub able: u32,
    /// Of those, without any that refused it.
    pub willing: u32,
    /// Of those, with room.
    pub roomy: u32,
    /// If there is no host: its place among those who wait for the same, from 1.
    pub queue: u32,
}

impl Placement {
    /// On `host`, the only one there is.
    #[must_use]
    pub const fn only(host: HostId) -> Self {
        Self { host: Some(host), hosts: 1, ready: 1, near: 1, able: 1, willing: 1, roomy: 1, queue: 0 }
    }

    /// Nowhere, first in the queue.
    pub const NOWHERE: Self =
        Self { host: None, hosts: 0, ready: 0, near: 0, able: 0, willing: 0, roomy: 0, queue: 1 };

    /// Why there is no host.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        let Self { host: _, hosts, ready, near, able, willing, roomy, queue: _ } = *self;
        Fault::NoHost { hosts, ready, near, able, willing, roomy }
    }
}

/// Whether what runs of a sandbox was told of the settings that hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Settings {
    /// It was, or nothing runs: what is booted next is told then.
    Applied,
    /// They were changed since the order went out that booted it.
    Changed,
    /// As [`Settings::Changed`], and an order to give it other resources was given up and may have done so.
    Doubtful,
}

/// A copy of its disk in object storage that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The order that put it there.
    pub number: OrderNumber,
    /// When that was known to be done.
    pub at: Timestamp,
}

/// What the operation in flight is to do, where its state does not say it all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    /// Give it this much.
    Resize(Resources),
    /// Bring it back from this.
    Restore(RestoreSource),
    /// Make this sandbox of it. Nobody else gets the id, the name and the room.
    Fork {
        /// The child's id.
        child: SandboxId,
        /// Its name.
        name: Name,
        /// What it is to be given.
        resources: Resources,
    },
    /// Boot it from what this order of its parent's makes.
    Born(OrderNumber),
    /// Take a snapshot of it.
    Capture {
        /// Which.
        snapshot: SnapshotId,
        /// What people call that.
        name: String,
        /// What it keeps.
        heat: Heat,
    },
    /// Store a backup of its disk.
    Backup,
}

/// Why its latest backup failed, until another is complete or it runs again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsaved {
    /// What went wrong.
    pub fault: Fault,
    /// How often it has failed.
    pub attempt: u32,
    /// Not to be tried before.
    pub retry_at: Timestamp,
}

/// The task a host owes, for as long as the sandbox stays in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Sequence of the latest record that set it.
    pub number: OrderNumber,
    /// When it was set.
    pub began: Timestamp,
    /// When it is given up, if ever.
    pub deadline: Option<Timestamp>,
    /// For a stop, how long processes may take to end by themselves.
    pub grace: Span,
    /// How often it has failed.
    pub attempt: u32,
    /// Not to be tried before.
    pub retry_at: Option<Timestamp>,
}
