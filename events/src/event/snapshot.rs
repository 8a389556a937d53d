//! What can have happened to a snapshot.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::id::{HostId, SandboxId};
use crate::recipe::Recipe;
use crate::snapshot::{Heat, SnapshotContent};
use crate::time::Timestamp;

events! {
    /// What can have happened to a snapshot.
    SnapshotEvent, SnapshotEventKind {
        /// It can be created from.
        Registered {
            /// What it is.
            content: SnapshotContent,
        },
        /// It was asked for, of an image that is to be fetched.
        PullBegan {
            /// What it is to be.
            content: SnapshotContent,
            /// What it is made of.
            recipe: Recipe,
            /// Who fetches it; nobody yet. Said in either case.
            #[serde(deserialize_with = "Option::deserialize")]
            host: Option<HostId>,
            /// When the fetch is given up.
            deadline: Timestamp,
        },
        /// It was asked for, of an image that is to be built.
        BuildBegan {
            /// What it is to be.
            content: SnapshotContent,
            /// What it is made of.
            recipe: Recipe,
            /// Who builds it; nobody yet. Said in either case.
            #[serde(deserialize_with = "Option::deserialize")]
            host: Option<HostId>,
            /// When the build is given up.
            deadline: Timestamp,
        },
        /// It is being taken of a sandbox.
        CaptureBegan {
            /// What it is to be.
            content: SnapshotContent,
            /// What of the sandbox it keeps.
            heat: Heat,
            /// The sandbox.
            of: SandboxId,
        },
        /// A host was found that makes it or takes it away, or another one.
        Placed {
            /// The host.
            host: HostId,
        },
        /// It can be created from: its bytes are stored.
        Ready,
        /// It could not be made.
        Failed {
            /// What went wrong.
            fault: Fault,
        },
        /// It is laid aside. The next sandbox that is created from it brings it back.
        Deactivated,
        /// It is back.
        Activated,
        /// Its removal was decided. Its name is free.
        RemoveBegan,
        /// Taking its bytes away failed and will be tried again.
        Struggled {
            /// What went wrong.
            fault: Fault,
            /// How often it has failed, from 1.
            attempt: u32,
            /// When it is tried again.
            retry_at: Timestamp,
        },
        /// Nothing of it is left.
        Removed,
    }
}
