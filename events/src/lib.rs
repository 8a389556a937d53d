//! The pure vocabulary of Hourglass: what can be asked, what can have happened, and what that means.
//!
//! This crate holds ids, specs, commands, events, THE TABLE ([`lifecycle`]), the reducer ([`Sandbox::evolve`]), the
//! per-state half of `owe` ([`duty`]) and the codec. It deliberately holds no clock, no randomness, no I/O, no async and
//! no hash order: `now` and ids are arguments, and maps are ordered.
//!
//! # Twelve words
//!
//! | word | meaning |
//! | --- | --- |
//! | command | what a client asks; may be refused |
//! | refusal | why a command was wrong; nothing happened |
//! | event | a fact in the past tense; immutable |
//! | record | an event with its envelope, in its place in a shard |
//! | group | the records that become durable together |
//! | state | where a sandbox is in its life: one of 22 |
//! | duty | what a sandbox is owed merely because of its state |
//! | order | a duty's task as sent to a host, numbered |
//! | report | what a host says about an order, or saw by itself |
//! | fault | what went wrong in the world; recorded |
//! | alarm | what goes off when nothing else happens first |
//! | intent | an operation that waits for the one in flight |

#[cfg(any(test, feature = "arbitrary"))]
pub mod arbitrary;
pub mod codec;
pub mod command;
pub mod digest;
pub mod duty;
pub mod environment;
pub mod event;
pub mod fault;
pub mod host;
pub mod id;
pub mod lifecycle;
pub mod network;
pub mod order;
pub mod policy;
pub mod quota;
pub mod recipe;
pub mod record;
pub mod refusal;
pub mod report;
pub mod resources;
pub mod sandbox;
pub mod snapshot;
pub mod spec;
pub mod state;
pub mod time;

pub use command::{
    Command, Create, Fork, FromImage, IdempotencyKey, NewSnapshot, Request, Resize, StopMode, TakeSnapshot,
    Target,
};
pub use duty::{Alarm, Duties, OwedTask, TaskKind, duties};
pub use environment::{Environment, Values};
pub use event::{
    ArchiveReason, DeleteReason, DropReason, HostEvent, HostEventKind, Intent, OrganizationEvent,
    OrganizationEventKind, RestoreSource, SandboxEvent, SandboxEventKind, ShardEvent, ShardEventKind,
    SnapshotEvent, SnapshotEventKind, StopReason,
};
pub use fault::{ExitCause, Fault};
pub use host::{Capabilities, Capability, GpuType, GpuTypes};
pub use id::{
    CorrelationId, HostId, Incarnation, OrderNumber, OrganizationId, RecordId, SandboxId, Seq, ShardNumber,
    SnapshotId,
};
pub use network::{Cidr, Destination, Destinations, Domain, NetworkPolicy};
pub use order::{Build, Capture, HostCall, Order, Plan, Task};
pub use policy::{AutoArchive, AutoDelete, AutoStop};
pub use quota::{Allowance, Part, Quota, Shortage};
pub use recipe::Recipe;
pub use record::{Actor, Cause, Digest, Event, KeyUse, Record, Stamp, Subject};
pub use refusal::{Able, Advice, Interval, Material, Operation, Refusal, SnapshotRefusal, SnapshotUse, Text};
pub use report::{Activity, Finding, HostNews, HostProfile, Report};
pub use resources::{Limits, Resource, Resources};
pub use sandbox::{Backup, Base, Blueprint, Errand, Illegal, Placement, Sandbox, Settings, Unsaved, Work};
pub use snapshot::{Heat, Snapshot, SnapshotContent, Source};
pub use spec::{Class, Image, Labels, Name};
pub use state::State;
pub use time::{Minutes, Span, Timestamp};
