//! What can have happened. Events are facts in the past tense and carry resolved values: whoever folds them needs no
//! configuration, no clock and no other aggregate.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fault::{ExitCause, Fault};
use crate::id::{HostId, OrderNumber, SandboxId, SnapshotId};
use crate::network::NetworkPolicy;
use crate::policy::{AutoArchive, AutoDelete, AutoStop};
use crate::quota::Allowance;
use crate::resources::Resources;
use crate::sandbox::{Blueprint, Placement};
use crate::snapshot::Heat;
use crate::spec::{Labels, Name};
use crate::time::{Span, Timestamp};

/// Writes an event enum and its fieldless twin, so that the two cannot drift apart.
macro_rules! events {
    (
        $(#[$doc:meta])* $event:ident, $kind:ident {
            $($(#[$vdoc:meta])* $variant:ident $({ $($(#[$fdoc:meta])* $field:ident: $ty:ty),+ $(,)? })?),+ $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum $event {
            $($(#[$vdoc])* $variant $({ $($(#[$fdoc])* $field: $ty),+ })?),+
        }

        #[doc = concat!("The kinds of [`", stringify!($event), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind {
            $($(#[$vdoc])* $variant),+
        }

        impl $event {
            /// Which kind of event this is.
            #[must_use]
            pub const fn kind(&self) -> $kind {
                match self {
                    $(Self::$variant { .. } => $kind::$variant),+
                }
            }
        }

        impl $kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The kind's name in the log.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant)),+
                }
            }

            /// The kind with this name, if this build knows it.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

mod host;
mod reason;
mod shard;
mod snapshot;

pub use host::{HostEvent, HostEventKind};
pub use reason::{ArchiveReason, DeleteReason, DropReason, Intent, RestoreSource, StopReason};
pub use shard::{ShardEvent, ShardEventKind};
pub use snapshot::{SnapshotEvent, SnapshotEventKind};

events! {
    /// What can have happened to a sandbox. Operations of later releases have their kinds here already, because the
    /// table is whole; their payloads come with them.
    SandboxEvent, SandboxEventKind {
        /// Created from an image yet to be built, or to be built once more; the build waits.
        BuildQueued {
            /// What it is; nothing for a build that is tried again. Said in either case.
            #[serde(deserialize_with = "Option::deserialize")]
            blueprint: Option<Box<Blueprint>>,
        },
        /// The build began.
        BuildBegan {
            /// What it is; nothing for a build that had waited. Said in either case.
            #[serde(deserialize_with = "Option::deserialize")]
            blueprint: Option<Box<Blueprint>>,
            /// Where, and how that was chosen.
            placement: Placement,
            /// When the build is given up.
            deadline: Timestamp,
        },
        /// The build failed.
        BuildFailed { /// Why.
            fault: Fault },
        /// Created from a snapshot, which its host is to fetch.
        PullBegan {
            /// What it is.
            blueprint: Box<Blueprint>,
            /// Where, and how that was chosen.
            placement: Placement,
            /// When the fetch is given up.
            deadline: Timestamp,
        },
        /// The snapshot is on the host; the disk is to be made.
        SnapshotReady {
            /// When creation is given up.
            deadline: Timestamp,
        },
        /// Created as a fork, without a snapshot to fetch. It boots once its parent's fork is done.
        Born {
            /// What it is: what its parent was.
            blueprint: Box<Blueprint>,
            /// Its parent's host, as what it boots from is there.
            host: HostId,
            /// The order that makes what it boots from.
            fork: OrderNumber,
        },
        /// Its parent was forked: what it boots from is on its host.
        CopyReady {
            /// When the boot is given up.
            deadline: Timestamp,
        },
        /// A start was accepted.
        BootBegan {
            /// When the boot is given up.
            deadline: Timestamp,
        },
        /// It runs.
        Booted,
        /// A stop was accepted, or it was idle for too long.
        StopBegan {
            /// Why.
            reason: StopReason,
            /// How long its processes may take to end by themselves.
            grace: Span,
            /// When the stop is given up.
            deadline: Timestamp,
        },
        /// The stop under way is by force from here on, and no start follows it.
        StopForced {
            /// When the stop is given up.
            deadline: Timestamp,
        },
        /// Nothing of it runs any more.
        Exited {
            /// How it ended.
            cause: ExitCause,
        },
        /// A pause was accepted.
        PauseBegan {
            /// When the pause is given up.
            deadline: Timestamp,
        },
        /// Its memory is saved.
        MemorySaved,
        /// A start of a paused sandbox was accepted.
        ResumeBegan {
            /// When the start is given up.
            deadline: Timestamp,
        },
        /// It runs on from its saved memory.
        Resumed,
        /// An archive was accepted, or its interval passed.
        ArchiveBegan {
            /// Why.
            reason: ArchiveReason,
            /// When the archive is given up.
            deadline: Timestamp,
        },
        /// Its disk is in object storage. What its host still has of it is to go.
        ArchiveStored,
        /// Its host has nothing of an archived sandbox any more.
        DiskDropped,
        /// A start or a recovery that needs its disk brought back was accepted.
        RestoreBegan {
            /// What the disk is.
            source: RestoreSource,
            /// Where, and how that was chosen.
            placement: Placement,
            /// When the restore is given up.
            deadline: Timestamp,
        },
        /// Its disk is back and it runs.
        Restored,
        /// A resize was accepted.
        ResizeBegan {
            /// What it is to be given.
            resources: Resources,
            /// When the resize is given up.
            deadline: Timestamp,
        },
        /// Its resources are changed.
        Resized,
        /// A snapshot of it was accepted.
        SnapshotBegan {
            /// The snapshot, which exists from here on.
            snapshot: SnapshotId,
            /// What people call that.
            name: String,
            /// What of the sandbox it keeps.
            heat: Heat,
            /// When it is given up.
            deadline: Timestamp,
        },
        /// The snapshot is active.
        SnapshotTaken,
        /// A fork was accepted. From here on nobody else gets what the child is to have.
        ForkBegan {
            /// The id of the child.
            child: SandboxId,
            /// Its name.
            name: Name,
            /// What it is to be given.
            resources: Resources,
            /// When the fork is given up.
            deadline: Timestamp,
        },
        /// The child can boot.
        Forked,
        /// The excursion failed or was cancelled; it is intact.
        Abandoned {
            /// What went wrong; nothing, if it was cancelled. Said in either case.
            #[serde(deserialize_with = "Option::deserialize")]
            fault: Option<Fault>,
        },
        /// Its deletion was decided. Nothing undoes that.
        DeleteBegan {
            /// Why.
            reason: DeleteReason,
        },
        /// Nothing of it is left on its host.
        Removed,
        /// It is gone with its host. What is left of it there goes when that host returns.
        Buried,
        /// An operation failed or ran out of time.
        Failed {
            /// What went wrong.
            fault: Fault,
        },
        /// Its labels are these, all of them.
        LabelsReplaced {
            /// The full set.
            labels: Labels,
        },
        /// Its auto-stop interval was set.
        AutoStopSet {
            /// What holds from here on.
            policy: AutoStop,
        },
        /// Its auto-archive interval was set.
        AutoArchiveSet {
            /// What holds from here on.
            policy: AutoArchive,
        },
        /// Its auto-delete interval was set.
        AutoDeleteSet {
            /// What holds from here on.
            policy: AutoDelete,
        },
        /// What it may reach was set. What runs is owed it.
        NetworkSet {
            /// What holds from here on.
            policy: NetworkPolicy,
        },
        /// What runs is held to the settings that hold.
        SettingsApplied,
        /// Whether its previews are open to everybody was set.
        PublicSet {
            /// What holds from here on.
            public: bool,
        },
        /// Somebody said that it is in use.
        ActivityRefreshed,
        /// An operation was accepted that waits for the one in flight.
        IntentQueued {
            /// What is wanted.
            intent: Intent,
        },
        /// The waiting operation will not happen.
        IntentDropped {
            /// Why.
            why: DropReason,
        },
        /// A host was found for it, or another one.
        Placed {
            /// Where, and how that was chosen.
            placement: Placement,
            /// When the operation is given up.
            deadline: Timestamp,
        },
        /// Its host will not take it in; another one was found.
        Declined {
            /// Why not.
            fault: Fault,
            /// Where it goes instead, and how that was chosen.
            placement: Placement,
            /// When the operation is given up.
            deadline: Timestamp,
        },
        /// Removing it, quietening it or holding it to its settings failed and will be tried again.
        Struggled {
            /// What went wrong.
            fault: Fault,
            /// How often it has failed, from 1.
            attempt: u32,
            /// When it is tried again.
            retry_at: Timestamp,
        },
        /// Nothing of the failed sandbox runs.
        Quiesced,
        /// A backup of its disk was asked for, or is due.
        BackupBegan {
            /// When the backup is given up.
            deadline: Timestamp,
        },
        /// A backup of its disk is complete. The one before is of no use any more.
        BackupTaken,
        /// A backup of its disk failed. The one before is what there is.
        BackupFailed {
            /// What went wrong.
            fault: Fault,
            /// How often it has failed, from 1.
            attempt: u32,
            /// When it is tried again, if it was due.
            retry_at: Timestamp,
        },
        /// What it left behind in object storage and is of no use any more is gone.
        LeftoverRemoved,
    }
}

impl SandboxEvent {
    /// What a sandbox is, if this event brings one into being.
    #[must_use]
    pub fn blueprint(&self) -> Option<&Blueprint> {
        if let Self::PullBegan { blueprint, .. } | Self::Born { blueprint, .. } = self {
            return Some(blueprint);
        }
        if let Self::BuildQueued { blueprint } | Self::BuildBegan { blueprint, .. } = self {
            return blueprint.as_deref();
        }
        None
    }
}

events! {
    /// What can have happened to an organization.
    OrganizationEvent, OrganizationEventKind {
        /// What its sandboxes may ask for, and take together.
        LimitsSet {
            /// What holds from here on.
            allowance: Box<Allowance>,
        },
    }
}
