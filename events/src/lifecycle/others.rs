//! The tables of the other aggregates, written with the same arrows.

use serde::{Deserialize, Serialize};

use super::{Row, Source, lifecycle};
use crate::event::{HostEventKind, OrganizationEventKind, ShardEventKind, SnapshotEventKind};

/// Where a snapshot is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SnapshotState {
    /// Before it is registered.
    Unknown,
    /// Its image is being fetched.
    Pulling,
    /// Its image is being built.
    Building,
    /// It is being taken of a sandbox.
    Capturing,
    /// Sandboxes can be created from it.
    Active,
    /// It is laid aside until a sandbox is created from it.
    Inactive,
    /// It could not be made.
    Error,
    /// Its bytes are being taken away, for as long as that takes.
    Removing,
    /// It is gone.
    Removed,
}

/// What a shard knows of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HostState {
    /// Never seen.
    Unknown,
    /// Takes orders.
    Ready,
    /// Not heard of for a while. What runs there is taken to run.
    Suspected,
    /// Gone, until it is seen again. Nothing is taken to run there.
    Lost,
}

/// What an operator wants of a host, whether it is there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Schedule {
    /// It takes in sandboxes.
    Open,
    /// It takes in nothing new.
    Cordoned,
    /// It takes in nothing new and is to become empty.
    Draining,
}

/// Where an organization is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OrganizationState {
    /// Nothing was set; defaults hold.
    Unknown,
    /// It has settings of its own.
    Configured,
}

/// Where a shard is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ShardState {
    /// Before its first writer.
    Unknown,
    /// It takes records.
    Open,
}

/// The life of a snapshot.
#[rustfmt::skip]
pub const SNAPSHOT: &[Row<SnapshotState, SnapshotEventKind>] = lifecycle! { SnapshotState, SnapshotEventKind;
    Ours {
        // Its bytes are there already, or are made first.
        Unknown                       --(Registered)-->   Active;
        Unknown                       --(PullBegan)-->    Pulling;
        Unknown                       --(BuildBegan)-->   Building;
        Unknown                       --(CaptureBegan)--> Capturing;
        Pulling                       --(Placed)-->       Pulling;
        Building                      --(Placed)-->       Building;
        Pulling | Building | Capturing --(Ready)-->       Active;
        Pulling | Building | Capturing --(Failed)-->      Error;

        // Laid aside, and back.
        Active                        --(Deactivated)-->  Inactive;
        Inactive                      --(Activated)-->    Active;

        // Removal. What is being taken of a sandbox is waited for.
        Pulling | Building | Active | Inactive | Error
                                      --(RemoveBegan)-->  Removing;
        Removing                      --(Placed)-->       Removing;
        Removing                      --(Struggled)-->    Removing;
        Removing                      --(Removed)-->      Removed;
    }
};

/// A host as one shard sees it. A host that comes back in another life, or changed, is seen again; one that was only
/// out of reach has returned.
#[rustfmt::skip]
pub const HOST: &[Row<HostState, HostEventKind>] = lifecycle! { HostState, HostEventKind;
    Ours {
        Unknown | Ready
            | Suspected | Lost  --(Seen)-->          Ready;
        Ready                   --(Suspected)-->     Suspected;
        Suspected               --(Lost)-->          Lost;
        Suspected | Lost        --(Returned)-->      Ready;
        // What an operator says changes nothing of whether it is there, see `SCHEDULE`.
        Ready                   --(Cordoned)-->      Ready;
        Suspected               --(Cordoned)-->      Suspected;
        Lost                    --(Cordoned)-->      Lost;
        Ready                   --(DrainBegan)-->    Ready;
        Suspected               --(DrainBegan)-->    Suspected;
        Lost                    --(DrainBegan)-->    Lost;
        Ready                   --(Uncordoned)-->    Ready;
        Suspected               --(Uncordoned)-->    Suspected;
        Lost                    --(Uncordoned)-->    Lost;
        // It is a host that is there that says so.
        Ready                   --(Swept)-->         Ready;
        Ready                   --(SweepFailed)-->   Ready;
    }
};

/// What an operator wants of a host.
#[rustfmt::skip]
pub const SCHEDULE: &[Row<Schedule, HostEventKind>] = lifecycle! { Schedule, HostEventKind;
    Ours {
        Open | Draining         --(Cordoned)-->      Cordoned;
        Open | Cordoned         --(DrainBegan)-->    Draining;
        Cordoned | Draining     --(Uncordoned)-->    Open;
    }
};

/// The life of an organization.
#[rustfmt::skip]
pub const ORGANIZATION: &[Row<OrganizationState, OrganizationEventKind>] = lifecycle! {
    OrganizationState, OrganizationEventKind;
    Ours {
        Unknown | Configured    --(LimitsSet)-->     Configured;
    }
};

/// The life of a shard: every writer opens an epoch of its own.
#[rustfmt::skip]
pub const SHARD: &[Row<ShardState, ShardEventKind>] = lifecycle! { ShardState, ShardEventKind;
    Ours {
        Unknown | Open          --(Opened)-->        Open;
        Open                    --(SchemaRaised)-->  Open;
        Open                    --(StateHashed)-->   Open;
    }
};

/// Where `on` leads from `from` in `table`. None of these tables restricts a row to an origin.
#[must_use]
pub fn next<S: Copy + PartialEq, K: Copy + PartialEq>(table: &[Row<S, K>], from: S, on: K) -> Option<S> {
    table.iter().find(|row| row.on == on && row.from.contains(&from)).map(|row| row.to)
}
