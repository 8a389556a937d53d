//! Folding a record into a fleet: every check there is, then the aggregate, then the indexes.

use std::sync::Arc;

use hourglass_events::codec::DecodeError;
use hourglass_events::lifecycle::others::{SHARD, ShardState, next};
use hourglass_events::record::SCHEMA;
use hourglass_events::{
    Digest, Errand, Event, HostId, Illegal, Name, OrganizationEvent, OrganizationId, Record, Resources,
    Sandbox, SandboxEvent, SandboxId, Seq, ShardEvent, ShardNumber, SnapshotId, Stamp, State, Subject,
    Timestamp,
};

use super::kin::Tie;
use super::quotas::Counts;
use super::{Fleet, Organization};
use crate::place::Needs;

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
    /// A record of its subject is missing or repeated.
    #[error("record {seq} claims version {found} of {subject}; {expected} was expected")]
    Version {
        /// The record.
        seq: Seq,
        /// Its subject.
        subject: Subject,
        /// The version it claims.
        found: u64,
        /// The version after the last one folded.
        expected: u64,
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
    /// What follows needs a newer build.
    #[error("record {seq} raises the log to schema {found}; this build reads up to {known}, use a newer one")]
    NewerSchema {
        /// The record.
        seq: Seq,
        /// The schema from there on.
        found: u32,
        /// The newest this build knows.
        known: u32,
    },
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
    /// Fold `record`, whose bytes have `digest`. An error changes nothing.
    pub fn apply(&mut self, record: &Record, digest: Digest) -> Result<(), FoldError> {
        self.follows(record)?;
        match (&record.event, record.subject) {
            (Event::Sandbox(event), Subject::Sandbox(id)) => self.apply_sandbox(record, id, event)?,
            (Event::Host(event), Subject::Host(id)) => self.hosts.apply(&record.stamp(), id, event)?,
            (Event::Snapshot(event), Subject::Snapshot(id)) => {
                self.snapshots.apply(&record.stamp(), id, event)?;
            }
            (Event::Organization(OrganizationEvent::LimitsSet { allowance }), Subject::Organization(id)) => {
                let allowance = Arc::from(allowance.clone());
                self.organizations.insert(id, Organization { version: record.version, allowance });
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
        // A sandbox counts its own records.
        if !matches!(record.subject, Subject::Sandbox(_)) {
            let expected = self.next_version(record.subject);
            if record.version != expected {
                let (seq, subject, found) = (record.seq, record.subject, record.version);
                return Err(FoldError::Version { seq, subject, found, expected });
            }
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
        if before == Footprint::of(slot) {
            return Ok(());
        }
        let after = Arc::clone(slot);
        self.move_home(&stamp, before.host, &after, event);
        self.index(Some(&before), &after);
        if after.is_forgotten() {
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
        let other = |found, found_of| FoldError::OtherShard {
            found,
            found_of,
            asked: self.shard,
            asked_of: self.shards,
        };
        if number != self.shard {
            return Err(other(number, self.shards));
        }
        let from = if self.version == 0 { ShardState::Unknown } else { ShardState::Open };
        next(SHARD, from, event.kind()).ok_or_else(|| Illegal {
            seq: record.seq,
            version: record.version,
            from: format!("{from:?}"),
            event: event.kind().name(),
        })?;
        match event {
            ShardEvent::Opened { shards, shard, .. } if (*shard, *shards) != (self.shard, self.shards) => {
                return Err(other(*shard, *shards));
            }
            ShardEvent::SchemaRaised { schema } if *schema > SCHEMA => {
                return Err(FoldError::NewerSchema { seq: record.seq, found: *schema, known: SCHEMA });
            }
            ShardEvent::SchemaRaised { schema } => self.schema = *schema,
            ShardEvent::Opened { .. } | ShardEvent::StateHashed { .. } => {}
        }
        self.version = record.version;
        Ok(())
    }

    /// Keep names, kin, hosts and the waiting list in step with a sandbox that was `before` and is `after`.
    fn index(&mut self, before: Option<&Footprint>, after: &Sandbox) {
        let now = Footprint::of(after);
        if let Some(before) = before {
            if before.named && !now.named {
                self.free_name(after.organization, &after.blueprint.name, after.id);
                self.untie(after);
                self.snapshots.free_by(after);
            }
        } else {
            self.take_name(after.organization, &after.blueprint.name, after.id);
            self.tie(after);
            self.snapshots.use_by(after);
        }
        let reserved = before.and_then(|before| before.reserves);
        if reserved != now.reserves {
            self.reserve(reserved, after);
        }
        let captured = before.and_then(|before| before.captures);
        if captured != now.captures {
            self.capture(captured, after);
        }
        self.house(before, after);
        self.quotas.change(after, before.map_or(Counts::Nothing, |before| before.counts), Counts::of(after));
        if let Some(needs) = before.and_then(|before| before.waits.as_ref()) {
            self.waiting.leave(after.id, needs);
        }
        if let Some(needs) = Footprint::of(after).waits {
            self.waiting.enter(after.id, needs);
        }
    }

    /// Keep the name of the snapshot that is taken of `after`, and let the one go that is not taken any more.
    fn capture(&mut self, before: Option<SnapshotId>, after: &Sandbox) {
        if let Some(before) = before {
            self.snapshots.release(after.organization, before);
        }
        if let Some(Errand::Capture { snapshot, name, .. }) = after.errand.as_deref() {
            self.snapshots.reserve(after.organization, name, *snapshot);
        }
    }

    /// Note what may be left where a sandbox lived that was not seen to be removed there.
    fn move_home(&mut self, stamp: &Stamp, before: Option<HostId>, after: &Sandbox, event: &SandboxEvent) {
        let left = before.filter(|host| after.host != Some(*host));
        let left = left.filter(|_| {
            matches!(
                event,
                SandboxEvent::Placed { .. }
                    | SandboxEvent::BuildQueued { .. }
                    | SandboxEvent::RestoreBegan { .. }
                    | SandboxEvent::Declined { .. }
                    | SandboxEvent::Buried
            )
        });
        if let Some(host) = left {
            self.hosts.leave_behind(stamp, host, after.id);
        }
        if let Some(host) = after.host {
            self.hosts.clear(host, after.id);
        }
    }

    /// Keep count of where `after` lives. Most of what happens to a sandbox leaves it where it was.
    fn house(&mut self, before: Option<&Footprint>, after: &Sandbox) {
        let left = before.and_then(|before| Some((before.host?, before.taken)));
        let entered = after.host.map(|host| (host, after.taken()));
        match (left, entered) {
            (Some((left, before)), Some((entered, after))) if left == entered => {
                self.hosts.stay(entered, before, after);
            }
            (left, entered) => {
                if let Some((host, before)) = left {
                    self.hosts.leave(host, after.id, before);
                }
                if let Some((host, takes)) = entered {
                    self.hosts.enter(host, after.id, takes);
                }
            }
        }
    }

    /// Let `after` be known as the child it is.
    fn tie(&mut self, after: &Sandbox) {
        for (tie, parent) in ties(after) {
            self.kin.enter(tie, parent, after.id);
        }
        self.kin.born(after.id);
    }

    /// What is being deleted is nobody's child any more.
    fn untie(&mut self, after: &Sandbox) {
        for (tie, parent) in ties(after) {
            self.kin.leave(tie, parent, after.id);
        }
    }

    /// Keep for the fork that `after` is making what it is to have, and nothing any more for the one `before`.
    fn reserve(&mut self, before: Option<SandboxId>, after: &Sandbox) {
        if let Some(child) = before
            && let Some(name) = self.kin.lapse(child)
        {
            self.free_name(after.organization, &name, child);
        }
        if let Some(Errand::Fork { child, name, .. }) = after.errand.as_deref() {
            self.kin.reserve(after.id, *child, name.clone());
            self.take_name(after.organization, name, *child);
        }
    }

    fn take_name(&mut self, organization: OrganizationId, name: &Name, id: SandboxId) {
        self.names.entry(organization).or_default().insert(name.clone(), id);
    }

    fn free_name(&mut self, organization: OrganizationId, name: &Name, id: SandboxId) {
        let Some(names) = self.names.get_mut(&organization) else { return };
        if names.get(name) == Some(&id) {
            names.remove(name);
        }
        if names.is_empty() {
            self.names.remove(&organization);
        }
    }
}

fn ties(sandbox: &Sandbox) -> impl Iterator<Item = (Tie, SandboxId)> {
    let forked = sandbox.blueprint.forked_from.map(|parent| (Tie::Fork, parent));
    let linked = sandbox.blueprint.linked.map(|parent| (Tie::Link, parent));
    forked.into_iter().chain(linked)
}

/// Whether `sandbox` needs a host for what it is owed, and may be given any.
pub(crate) fn seeks(sandbox: &Sandbox) -> bool {
    let stored = sandbox.state.is_in(&[State::Deleting, State::Deleted]) && !sandbox.stored.is_empty();
    stored || sandbox.state.is_in(&[State::PendingBuild, State::PullingSnapshot, State::Restoring])
}

/// What the indexes know of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Footprint {
    /// Whether it is still to be in the fleet.
    present: bool,
    named: bool,
    /// What it waits for, while no host was found for it.
    waits: Option<Needs>,
    /// The fork that is being made of it.
    reserves: Option<SandboxId>,
    /// The snapshot that is being taken of it.
    captures: Option<SnapshotId>,
    host: Option<HostId>,
    /// What it takes of its host.
    taken: Resources,
    /// What it counts for against its organization's quota.
    counts: Counts,
}

impl Footprint {
    fn of(sandbox: &Sandbox) -> Self {
        Self {
            present: !sandbox.is_forgotten(),
            named: !sandbox.state.is_in(State::NAMELESS),
            waits: (sandbox.host.is_none() && seeks(sandbox)).then(|| Needs::now(sandbox)),
            reserves: sandbox.forking(),
            captures: sandbox.capturing(),
            host: sandbox.host,
            taken: sandbox.taken(),
            counts: Counts::of(sandbox),
        }
    }
}
