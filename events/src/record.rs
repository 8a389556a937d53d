//! The envelope of every event: where it stands, when it happened, to what, by whom and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::duty::Alarm;
use crate::event::{HostEvent, OrganizationEvent, SandboxEvent, ShardEvent, SnapshotEvent};
use crate::id::{
    CorrelationId, HostId, OrderNumber, OrganizationId, RecordId, SandboxId, Seq, ShardNumber, SnapshotId,
};
use crate::time::Timestamp;

pub use crate::digest::Digest;

/// The newest schema this build writes and reads. Schema 0 is unstable until the first tag.
pub const SCHEMA: u32 = 0;

/// One immutable event with its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the shard, from 1, without gaps.
    pub seq: Seq,
    /// Its id, a UUIDv7.
    pub id: RecordId,
    /// When it was decided: never before the record in front of it.
    pub at: Timestamp,
    /// What it happened to.
    pub subject: Subject,
    /// Whose that is.
    pub organization: OrganizationId,
    /// The how-many-eth record of its subject this is, from 1, without gaps.
    pub version: u64,
    /// Who did it.
    pub actor: Actor,
    /// Why it happened.
    pub cause: Cause,
    /// What it belongs to: the request it followed from, however far.
    pub correlation: CorrelationId,
    /// The digest of the record in front of it.
    pub prev: Digest,
    /// The schema it is written in.
    pub schema: u32,
    /// What happened.
    pub event: Event,
}

impl Record {
    /// The part of the envelope that a fold needs.
    #[must_use]
    pub const fn stamp(&self) -> Stamp {
        Stamp {
            seq: self.seq,
            at: self.at,
            organization: self.organization,
            version: self.version,
            correlation: self.correlation,
        }
    }
}

/// The part of an envelope that a fold needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The record's place in the shard.
    pub seq: Seq,
    /// When it was decided.
    pub at: Timestamp,
    /// Whose the subject is.
    pub organization: OrganizationId,
    /// The subject's version after it.
    pub version: u64,
    /// What it belongs to.
    pub correlation: CorrelationId,
}

/// What an event happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// The shard of the log itself.
    Shard(ShardNumber),
    /// An organization.
    Organization(OrganizationId),
    /// A host, as this shard sees it.
    Host(HostId),
    /// A snapshot.
    Snapshot(SnapshotId),
    /// A sandbox.
    Sandbox(SandboxId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shard(number) => write!(f, "shard {number}"),
            Self::Organization(id) => write!(f, "organization {id}"),
            Self::Host(id) => write!(f, "host {id}"),
            Self::Snapshot(id) => write!(f, "snapshot {id}"),
            Self::Sandbox(id) => write!(f, "sandbox {id}"),
        }
    }
}

/// What happened, by what it happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// To the shard.
    Shard(ShardEvent),
    /// To an organization.
    Organization(OrganizationEvent),
    /// To a host.
    Host(HostEvent),
    /// To a snapshot.
    Snapshot(SnapshotEvent),
    /// To a sandbox.
    Sandbox(SandboxEvent),
}

impl Event {
    /// The kind's name in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Shard(event) => event.kind().name(),
            Self::Organization(event) => event.kind().name(),
            Self::Host(event) => event.kind().name(),
            Self::Snapshot(event) => event.kind().name(),
            Self::Sandbox(event) => event.kind().name(),
        }
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Actor {
    /// A client, under the name its credentials carry.
    Client(String),
    /// A host that reported.
    Host(HostId),
    /// The engine itself.
    Engine,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(name) => f.write_str(name),
            Self::Host(id) => write!(f, "host {id}"),
            Self::Engine => f.write_str("engine"),
        }
    }
}

/// Why something happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// It was asked for, perhaps under an idempotency key.
    Request(Option<KeyUse>),
    /// An alarm went off.
    Timer(Alarm),
    /// A host reported on this order.
    Report(OrderNumber),
    /// It happened to a parent.
    Cascade(SandboxId),
    /// An operation that had waited took its turn.
    Intent,
    /// The state itself called for it.
    Duty,
    /// A host announced itself.
    Host,
    /// A writer opened the shard.
    Takeover,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(None) => f.write_str("request"),
            Self::Request(Some(used)) => write!(f, "request {}", used.key),
            Self::Timer(alarm) => write!(f, "{alarm} timer"),
            Self::Report(number) => write!(f, "report on order {number}"),
            Self::Cascade(parent) => write!(f, "cascade from {parent}"),
            Self::Intent => f.write_str("queued intent"),
            Self::Duty => f.write_str("duty"),
            Self::Host => f.write_str("host news"),
            Self::Takeover => f.write_str("takeover"),
        }
    }
}

/// An idempotency key and what was asked under it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyUse {
    /// The key, unique in its organization for a day.
    pub key: String,
    /// Digest of the request, to tell a repeat from another request.
    pub fingerprint: Digest,
}
