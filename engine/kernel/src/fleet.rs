//! Everything a shard knows: its aggregates, folded from its records, and the indexes deciding needs.
//!
//! A clone costs nothing to speak of, because the maps share their nodes. The fleet decides nothing and never reads
//! projections.

pub mod hosts;
pub mod keys;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hourglass_events::codec::DecodeError;
use hourglass_events::{
    Digest, Event, HostId, Illegal, Limits, Name, OrganizationEvent, OrganizationId, Record, Sandbox,
    SandboxEvent, SandboxId, Seq, ShardEvent, ShardNumber, Snapshot, SnapshotId, State, Subject, Target,
    Timestamp,
};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

pub use hosts::Host;
use hosts::Hosts;
use keys::Keys;

/// The folded state of one shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    shard: ShardNumber,
    shards: u64,
    schema: u32,
    /// How many records the shard itself has.
    version: u64,
    seq: Seq,
    at: Timestamp,
    head: Digest,
    sandboxes: OrdMap<SandboxId, Arc<Sandbox>>,
    names: OrdMap<OrganizationId, OrdMap<Name, SandboxId>>,
    waiting: OrdSet<SandboxId>,
    hosts: Hosts,
    snapshots: OrdMap<SnapshotId, Arc<Snapshot>>,
    snapshot_names: OrdMap<(OrganizationId, String), SnapshotId>,
    organizations: OrdMap<OrganizationId, Organization>,
    keys: Keys,
}

/// What an organization has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Organization {
    version: u64,
    limits: Limits,
}

/// The organization whose snapshots are everybody's.
pub const GENERAL: OrganizationId = OrganizationId::from_u128(0);

/// Why a record cannot follow what is folded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The bytes are not a record this build can read.
    #[error("record after {after}: {source}")]
    Unreadable {
        /// The last record folded.
        after: Seq,
        /// Why not.
        source: DecodeError,
    },
    /// A record is missing or repeated.
    #[error("record {found} follows record {after}; {} was expected", after.next())]
    Gap {
        /// The last record folded.
        after: Seq,
        /// What came.
        found: Seq,
    },
    /// The record names another predecessor.
    #[error("record {seq} does not continue the chain: it names {named} before it, but that is {found}")]
    Chain {
        /// The record.
        seq: Seq,
        /// The digest it names.
        named: Digest,
        /// The digest of the record in front of it.
        found: Digest,
    },
    /// Time went back.
    #[error("record {seq} was decided at {at:?}, before the record in front of it")]
    Backwards {
        /// The record.
        seq: Seq,
        /// Its time.
        at: Timestamp,
    },
    /// The record's subject and event do not belong together.
    #[error("record {seq} says that {event} happened to {subject}")]
    Mismatch {
        /// The record.
        seq: Seq,
        /// The event.
        event: &'static str,
        /// The subject.
        subject: Subject,
    },
    /// The table says no.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The log was made with another number of shards, or for another shard.
    #[error("the log is shard {found} of {found_of}; it was opened as shard {asked} of {asked_of}")]
    OtherShard {
        /// Recorded.
        found: ShardNumber,
        /// Recorded.
        found_of: u64,
        /// Asked for.
        asked: ShardNumber,
        /// Asked for.
        asked_of: u64,
    },
}

impl Fleet {
    /// The fleet of a shard without records.
    #[must_use]
    pub fn new(shard: ShardNumber, shards: u64) -> Self {
        Self {
            shard,
            shards,
            schema: 0,
            version: 0,
            seq: Seq(0),
            at: Timestamp(0),
            head: Digest::NONE,
            sandboxes: OrdMap::new(),
            names: OrdMap::new(),
            waiting: OrdSet::new(),
            hosts: Hosts::default(),
            snapshots: OrdMap::new(),
            snapshot_names: OrdMap::new(),
            organizations: OrdMap::new(),
            keys: Keys::default(),
        }
    }

    /// Which shard this is.
    #[must_use]
    pub const fn shard(&self) -> ShardNumber {
        self.shard
    }

    /// How many shards its log has.
    #[must_use]
    pub const fn shards(&self) -> u64 {
        self.shards
    }

    /// The latest record folded, 0 before the first.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// When the latest record was decided.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The digest of the latest record.
    #[must_use]
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// The sandbox with this id.
    #[must_use]
    pub fn sandbox(&self, id: SandboxId) -> Option<&Arc<Sandbox>> {
        self.sandboxes.get(&id)
    }

    /// All sandboxes, by id.
    pub fn sandboxes(&self) -> impl Iterator<Item = &Arc<Sandbox>> {
        self.sandboxes.values()
    }

    /// How many sandboxes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sandboxes.len()
    }

    /// Whether there is no sandbox.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sandboxes.is_empty()
    }

    /// The sandbox that `target` means within `organization`: by id first, then by name.
    #[must_use]
    pub fn find(&self, organization: OrganizationId, target: &Target) -> Option<&Arc<Sandbox>> {
        let by_id = |id: SandboxId| self.sandbox(id).filter(|sandbox| sandbox.organization == organization);
        match target {
            Target::Id(id) => by_id(*id),
            Target::Text(text) => text
                .parse()
                .ok()
                .and_then(by_id)
                .or_else(|| Name::new(text).ok().and_then(|name| self.holder(organization, &name))),
        }
    }

    /// The sandbox that has `name` within `organization`.
    #[must_use]
    pub fn holder(&self, organization: OrganizationId, name: &Name) -> Option<&Arc<Sandbox>> {
        self.names.get(&organization)?.get(name).and_then(|id| self.sandbox(*id))
    }

    /// Sandboxes that no host was found for yet.
    pub fn waiting(&self) -> impl Iterator<Item = SandboxId> {
        self.waiting.iter().copied()
    }

    /// What the shard knows of hosts.
    #[must_use]
    pub const fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The snapshot that `text` means for `organization`: its own by name, then everybody's, then by id.
    #[must_use]
    pub fn snapshot(&self, organization: OrganizationId, text: &str) -> Option<&Arc<Snapshot>> {
        let named = |owner| self.snapshots.get(self.snapshot_names.get(&(owner, text.to_owned()))?);
        let by_id = || {
            let found = self.snapshots.get(&text.parse::<SnapshotId>().ok()?)?;
            (found.organization == organization || found.organization == GENERAL).then_some(found)
        };
        named(organization).or_else(|| named(GENERAL)).or_else(by_id)
    }

    /// All snapshots, by id.
    pub fn snapshots(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.snapshots.values()
    }

    /// What `organization` may ask for a sandbox, if it has limits of its own.
    #[must_use]
    pub fn limits(&self, organization: OrganizationId) -> Option<Limits> {
        self.organizations.get(&organization).map(|found| found.limits)
    }

    /// Idempotency keys of the last day.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The version the next record of `subject` has.
    #[must_use]
    pub fn next_version(&self, subject: Subject) -> u64 {
        let version = match subject {
            Subject::Shard(_) => Some(self.version),
            Subject::Organization(id) => self.organizations.get(&id).map(|found| found.version),
            Subject::Host(id) => self.hosts.get(id).map(|host| host.version),
            Subject::Snapshot(id) => self.snapshots.get(&id).map(|snapshot| snapshot.version),
            Subject::Sandbox(id) => self.sandbox(id).map(|sandbox| sandbox.version),
        };
        version.unwrap_or(0) + 1
    }

    /// Fold `record`, whose bytes have `digest`. An error changes nothing.
    pub fn apply(&mut self, record: &Record, digest: Digest) -> Result<(), FoldError> {
        self.follows(record)?;
        match (&record.event, record.subject) {
            (Event::Sandbox(event), Subject::Sandbox(id)) => self.apply_sandbox(record, id, event)?,
            (Event::Host(event), Subject::Host(id)) => self.hosts.apply(&record.stamp(), id, event)?,
            (Event::Snapshot(event), Subject::Snapshot(id)) => {
                let before = self.snapshots.get(&id).map(Arc::as_ref);
                let after = Snapshot::evolve(before, &record.stamp(), id, event)?;
                self.snapshot_names.insert((after.organization, after.content.name.clone()), id);
                self.snapshots.insert(id, Arc::new(after));
            }
            (Event::Organization(OrganizationEvent::LimitsSet { limits }), Subject::Organization(id)) => {
                self.organizations.insert(id, Organization { version: record.version, limits: *limits });
            }
            (Event::Shard(event), Subject::Shard(number)) => self.apply_shard(record, number, event)?,
            (
                Event::Sandbox(_)
                | Event::Host(_)
                | Event::Snapshot(_)
                | Event::Organization(_)
                | Event::Shard(_),
                subject,
            ) => {
                return Err(FoldError::Mismatch { seq: record.seq, event: record.event.name(), subject });
            }
        }
        self.keys.take_in(record);
        self.seq = record.seq;
        self.at = record.at;
        self.head = digest;
        Ok(())
    }

    fn follows(&self, record: &Record) -> Result<(), FoldError> {
        if record.seq != self.seq.next() {
            return Err(FoldError::Gap { after: self.seq, found: record.seq });
        }
        if record.prev != self.head {
            return Err(FoldError::Chain { seq: record.seq, named: record.prev, found: self.head });
        }
        if record.at < self.at {
            return Err(FoldError::Backwards { seq: record.seq, at: record.at });
        }
        Ok(())
    }

    fn apply_sandbox(
        &mut self,
        record: &Record,
        id: SandboxId,
        event: &SandboxEvent,
    ) -> Result<(), FoldError> {
        let stamp = record.stamp();
        let Some(slot) = self.sandboxes.get_mut(&id) else {
            let sandbox = Arc::new(Sandbox::born(id, &stamp, event)?);
            self.index(None, &sandbox);
            self.sandboxes.insert(id, sandbox);
            return Ok(());
        };
        let before = Footprint::of(slot);
        Arc::make_mut(slot).evolve(&stamp, event)?;
        let after = Arc::clone(slot);
        if before != Footprint::of(&after) {
            self.index(Some(&before), &after);
        }
        if after.state == State::Deleted {
            self.sandboxes.remove(&id);
        }
        Ok(())
    }

    fn apply_shard(
        &mut self,
        record: &Record,
        number: ShardNumber,
        event: &ShardEvent,
    ) -> Result<(), FoldError> {
        match event {
            ShardEvent::Opened { shards, shard, .. } => {
                if (*shard, *shards) != (self.shard, self.shards) || number != self.shard {
                    return Err(FoldError::OtherShard {
                        found: *shard,
                        found_of: *shards,
                        asked: self.shard,
                        asked_of: self.shards,
                    });
                }
            }
            ShardEvent::SchemaRaised { schema } => self.schema = *schema,
            ShardEvent::StateHashed { .. } => {}
        }
        self.version = record.version;
        Ok(())
    }

    /// Keep names, hosts and the waiting list in step with a sandbox that was `before` and is `after`.
    fn index(&mut self, before: Option<&Footprint>, after: &Sandbox) {
        if let Some(before) = before {
            if before.named && !Footprint::of(after).named {
                self.free_name(after);
            }
            if let Some(host) = before.host {
                self.hosts.leave(host, after.id, before.resources);
            }
        } else {
            let name = after.blueprint.name.clone();
            self.names.entry(after.organization).or_default().insert(name, after.id);
        }
        if let Some(host) = after.host {
            self.hosts.enter(host, after.id, after.blueprint.resources);
        }
        if after.state == State::PullingSnapshot && after.host.is_none() {
            self.waiting.insert(after.id);
        } else {
            self.waiting.remove(&after.id);
        }
    }

    fn free_name(&mut self, sandbox: &Sandbox) {
        if let Some(names) = self.names.get_mut(&sandbox.organization) {
            names.remove(&sandbox.blueprint.name);
            if names.is_empty() {
                self.names.remove(&sandbox.organization);
            }
        }
    }

    /// The whole state as bytes: equal states have equal bytes.
    ///
    /// # Panics
    /// Never: the state serializes into memory.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec(self).expect("fleets serialize into memory")
    }

    /// The state in `bytes`, as [`Fleet::to_bytes`] wrote them in this build.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, rmp_serde::decode::Error> {
        rmp_serde::from_slice(bytes)
    }
}

/// What the indexes know of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Footprint {
    named: bool,
    waiting: bool,
    host: Option<HostId>,
    resources: hourglass_events::Resources,
}

impl Footprint {
    fn of(sandbox: &Sandbox) -> Self {
        Self {
            named: !sandbox.state.is_in(State::NAMELESS),
            waiting: sandbox.state == State::PullingSnapshot,
            host: sandbox.host,
            resources: sandbox.blueprint.resources,
        }
    }
}
