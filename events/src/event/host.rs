//! What a shard can have seen of a host.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::host::{Capabilities, GpuType};
use crate::id::{Incarnation, SandboxId};
use crate::resources::Resources;
use crate::spec::Class;
use crate::time::Timestamp;

events! {
    /// What a shard has seen of a host.
    HostEvent, HostEventKind {
        /// It is here and can take this.
        Seen {
            /// Which life of it.
            incarnation: Incarnation,
            /// Where it is.
            region: String,
            /// What it can run.
            classes: Vec<Class>,
            /// What it has to give.
            capacity: Resources,
            /// The kind of the GPUs among that.
            #[serde(deserialize_with = "Option::deserialize")]
            gpu_type: Option<GpuType>,
            /// What its driver can do beyond what every driver can.
            capabilities: Capabilities,
        },
        /// Nothing was heard of it for a while. It gets nothing new, and what runs there is let be.
        Suspected {
            /// The life that is not heard of.
            incarnation: Incarnation,
        },
        /// It is gone, and what ran there with it.
        Lost {
            /// The life that is gone.
            incarnation: Incarnation,
        },
        /// It was only out of reach: the same life of it, as it was.
        Returned {
            /// The life that is heard of again.
            incarnation: Incarnation,
        },
        /// It takes in nothing new, because somebody said so.
        Cordoned,
        /// It takes in nothing new, and what stops there starts elsewhere, because somebody said so.
        DrainBegan,
        /// It takes in sandboxes again, because somebody said so.
        Uncordoned,
        /// What was left there of a sandbox that is gone, or lives elsewhere, is removed.
        Swept {
            /// The sandbox.
            sandbox: SandboxId,
        },
        /// What was left there of such a sandbox could not be removed, and will be tried again.
        SweepFailed {
            /// The sandbox.
            sandbox: SandboxId,
            /// What went wrong.
            fault: Fault,
            /// When it is tried again.
            retry_at: Timestamp,
        },
    }
}
