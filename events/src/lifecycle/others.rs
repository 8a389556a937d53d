//! The tables of the other aggregates, written with the same arrows.

use serde::{Deserialize, Serialize};

use super::{Row, Source, lifecycle};
use crate::event::{HostEventKind, OrganizationEventKind, ShardEventKind, SnapshotEventKind};

/// Where a snapshot is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SnapshotState {
    /// Before it is registered.
    Unknown,
    /// Sandboxes can be created from it.
    Active,
}

/// What a shard knows of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HostState {
    /// Never seen.
    Unknown,
    /// Takes orders.
    Ready,
    /// Gone, until it is seen again.
    Lost,
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
        Unknown                 --(Registered)-->    Active;
    }
};

/// A host as one shard sees it. A host that comes back in another life is seen again.
#[rustfmt::skip]
pub const HOST: &[Row<HostState, HostEventKind>] = lifecycle! { HostState, HostEventKind;
    Ours {
        Unknown | Ready | Lost  --(Seen)-->          Ready;
        Ready                   --(Lost)-->          Lost;
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
