//! The words inside events: why something began, what waits, and why it will not be.

use serde::{Deserialize, Serialize};

use crate::id::OrderNumber;
use crate::time::{Span, Timestamp};

/// Why a sandbox is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum StopReason {
    /// Somebody asked.
    Asked,
    /// It was not used for its auto-stop interval.
    Idle {
        /// The last use the decision stands on.
        last_activity: Timestamp,
    },
}

/// Why a sandbox is being archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ArchiveReason {
    /// Somebody asked.
    Asked,
    /// It was stopped for its auto-archive interval.
    Expired,
}

/// What a sandbox is brought back from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RestoreSource {
    /// The disk that its host has, or the image if it never had one.
    Disk,
    /// What order of this number stored.
    Backup(OrderNumber),
}

/// Why a sandbox is being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeleteReason {
    /// Somebody asked.
    Asked,
    /// It is ephemeral and has stopped.
    Ephemeral,
    /// It was stopped for its auto-delete interval.
    Expired,
    /// The sandbox it is linked with is being deleted.
    Cascade,
}

/// An operation that waits for the one in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Intent {
    /// Start it once it has stopped.
    Start,
    /// Stop it once it has started.
    Stop {
        /// How long its processes may take.
        grace: Span,
    },
    /// Pause it once it has started.
    Pause,
    /// Archive it once it has stopped.
    Archive,
}

/// Why a waiting operation was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DropReason {
    /// The sandbox is where the intent wanted it.
    AlreadyThere,
    /// The operation it waited for failed, or led where it cannot go on from.
    OperationFailed,
    /// The sandbox is ephemeral and does not outlive its stop.
    Ephemeral,
    /// Another intent took its place.
    Replaced,
    /// Its organization takes too much already.
    OverQuota,
    /// Sandboxes that are linked with it keep it where it is.
    Linked,
}
