//! Everything a shard knows: its aggregates, folded from its records, and the indexes deciding needs.
//!
//! A clone costs nothing to speak of, because the maps share their nodes. The fleet decides nothing and never reads
//! projections.

mod fold;
pub mod hosts;
pub mod keys;
mod kin;
pub mod quotas;
mod snapshots;
mod waiting;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use hourglass_events::{
    Allowance, Class, Digest, Limits, Name, OrganizationId, Sandbox, SandboxId, Seq, ShardNumber, Snapshot,
    SnapshotId, State, Subject, Target, Timestamp,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

pub use fold::FoldError;
pub(crate) use fold::seeks;
pub use hosts::Host;
use hosts::Hosts;
use keys::Keys;
pub(crate) use keys::answered;
pub use kin::Kin;
use quotas::Quotas;
pub use snapshots::Snapshots;
use waiting::Waiting;

use crate::place::Needs;

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
    kin: Kin,
    waiting: Waiting,
    quotas: Quotas,
    hosts: Hosts,
    snapshots: Snapshots,
    organizations: OrdMap<OrganizationId, Organization>,
    keys: Keys,
}

/// What an organization has set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Organization {
    version: u64,
    allowance: Arc<Allowance>,
}

/// The organization whose snapshots are everybody's.
pub const GENERAL: OrganizationId = OrganizationId::from_u128(0);

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
            kin: Kin::default(),
            waiting: Waiting::default(),
            quotas: Quotas::default(),
            hosts: Hosts::default(),
            snapshots: Snapshots::default(),
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
        // What is deleted may be here until nothing of it is left anywhere, but for nobody to ask for.
        let asked =
            |sandbox: &&Arc<Sandbox>| sandbox.organization == organization && sandbox.state != State::Deleted;
        let by_id = |id: SandboxId| self.sandbox(id).filter(asked);
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

    /// Who `name` is kept for within `organization`, and where that one is in its life: a fork that is not born yet has
    /// its name already.
    #[must_use]
    pub fn name_holder(&self, organization: OrganizationId, name: &Name) -> Option<(SandboxId, State)> {
        let id = *self.names.get(&organization)?.get(name)?;
        Some((id, self.sandbox(id).map_or(State::Unknown, |sandbox| sandbox.state)))
    }

    /// Whether `id` is a sandbox's, or kept for one.
    #[must_use]
    pub fn is_taken(&self, id: SandboxId) -> bool {
        self.sandboxes.contains_key(&id) || self.kin.is_reserved(id)
    }

    /// Who descends from whom among those that live.
    #[must_use]
    pub const fn kin(&self) -> &Kin {
        &self.kin
    }

    /// Sandboxes that no host was found for yet.
    pub fn waiting(&self) -> impl Iterator<Item = SandboxId> {
        self.waiting.iter()
    }

    /// Of the sandboxes that no host was found for yet, those to ask first when there is room: if none of these fits,
    /// none does.
    pub fn first_waiting(&self) -> impl Iterator<Item = SandboxId> {
        self.waiting.first_of_each_queue()
    }

    /// How many wait for a host that does what these `needs` ask for.
    #[must_use]
    pub fn queue(&self, needs: &Needs) -> u32 {
        u32::try_from(self.waiting.count(needs)).unwrap_or(u32::MAX)
    }

    /// What organizations take in each region.
    #[must_use]
    pub const fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// What the shard knows of hosts.
    #[must_use]
    pub const fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The snapshot that `text` means for `organization`: its own by name, then everybody's, then by id.
    #[must_use]
    pub fn snapshot(&self, organization: OrganizationId, text: &str) -> Option<&Arc<Snapshot>> {
        let by_id = || {
            let found = self.snapshots.get(text.parse::<SnapshotId>().ok()?)?;
            (found.organization == organization || found.organization == GENERAL).then_some(found)
        };
        let by_name = |owner| self.own_snapshot(owner, text);
        by_name(organization).or_else(|| by_name(GENERAL)).or_else(by_id)
    }

    /// The snapshot that `organization` itself has under `name`.
    #[must_use]
    pub fn own_snapshot(&self, organization: OrganizationId, name: &str) -> Option<&Arc<Snapshot>> {
        self.snapshots.get(self.snapshots.holder(organization, name)?)
    }

    /// The snapshot with this id.
    #[must_use]
    pub fn snapshot_by_id(&self, id: SnapshotId) -> Option<&Arc<Snapshot>> {
        self.snapshots.get(id)
    }

    /// What they are called, and who is made of each.
    #[must_use]
    pub const fn known_snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// All snapshots, by id.
    pub fn snapshots(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.snapshots.iter()
    }

    /// What `organization` may have, if it has set that.
    #[must_use]
    pub fn allowance(&self, organization: OrganizationId) -> Option<&Allowance> {
        self.organizations.get(&organization).map(|found| found.allowance.as_ref())
    }

    /// The most that a sandbox of `organization` may ask for, of this class and with so many GPUs.
    #[must_use]
    pub fn most(&self, organization: OrganizationId, class: Class, gpus: u32) -> Limits {
        let usual = || Allowance::default().most(class, gpus);
        self.allowance(organization).map_or_else(usual, |allowance| allowance.most(class, gpus))
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
            Subject::Snapshot(id) => self.snapshots.get(id).map(|snapshot| snapshot.version),
            Subject::Sandbox(id) => self.sandbox(id).map(|sandbox| sandbox.version),
        };
        version.unwrap_or(0) + 1
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
