//! What a host tells the engine: how orders ended, exits nobody asked for, and how long ago sandboxes were used.

use serde::{Deserialize, Serialize};

use crate::fault::{ExitCause, Fault};
use crate::host::{Capabilities, GpuType};
use crate::id::{HostId, Incarnation, OrderNumber, SandboxId, ShardNumber};
use crate::resources::Resources;
use crate::spec::Class;
use crate::time::Span;

/// What happened to one sandbox. Repeated until acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The host's own number for it, by which it is acknowledged. Never used twice, across the host's lives.
    pub serial: u64,
    /// The shard it is for: the one that gave the order.
    pub shard: ShardNumber,
    /// The sandbox.
    pub sandbox: SandboxId,
    /// The order this is about. For an exit nobody asked for, the order that booted it.
    pub number: OrderNumber,
    /// What was found.
    pub finding: Finding,
}

/// What a report says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finding {
    /// The order is done. For a stop, how it ended.
    Done(Option<ExitCause>),
    /// The order failed and will not be tried again by the host.
    Failed(Fault),
    /// The sandbox stopped running by itself.
    Exited(ExitCause),
}

/// How long ago a sandbox was last used, as its host saw it. An age, because clocks differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// The sandbox.
    pub sandbox: SandboxId,
    /// The order that booted this life of it.
    pub number: OrderNumber,
    /// Time since its last use; nothing while a command is in flight.
    pub age: Span,
}

/// Everything a host says to a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HostNews {
    /// The host is here, in this life, and can do this. First of each connection.
    Joined(Box<HostProfile>),
    /// What happened to a sandbox.
    Reported(Report),
    /// How long ago its running sandboxes were used.
    Used(Vec<Activity>),
    /// Every report that was not acknowledged when it joined has been repeated.
    Synced,
}

/// Who a host is and what it can take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostProfile {
    /// The host.
    pub host: HostId,
    /// Which life of it.
    pub incarnation: Incarnation,
    /// Where it is.
    pub region: String,
    /// The classes it can run.
    pub classes: Vec<Class>,
    /// What it has to give. A hint: the host itself admits or refuses.
    pub capacity: Resources,
    /// The kind of the GPUs among that.
    pub gpu_type: Option<GpuType>,
    /// What its driver can do beyond what every driver can.
    pub capabilities: Capabilities,
}
