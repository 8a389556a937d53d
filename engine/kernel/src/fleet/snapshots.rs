//! The snapshots a shard knows, what they are called, and which sandboxes stand on each.

use std::sync::Arc;

use hourglass_events::lifecycle::others::SnapshotState;
use hourglass_events::{
    Illegal, OrganizationId, Sandbox, SandboxId, Snapshot, SnapshotEvent, SnapshotId, Stamp,
};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

/// All snapshots.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshots {
    known: OrdMap<SnapshotId, Arc<Snapshot>>,
    /// Names, of those that are being removed no more, and of those that are about to be taken already.
    names: OrdMap<(OrganizationId, String), SnapshotId>,
    /// The sandboxes made of each that are not being deleted. What they were made of may be needed to bring them back.
    users: OrdMap<SnapshotId, OrdSet<SandboxId>>,
    /// Those that a host owes something.
    busy: OrdSet<SnapshotId>,
}

impl Snapshots {
    /// The snapshot with this id.
    #[must_use]
    pub fn get(&self, id: SnapshotId) -> Option<&Arc<Snapshot>> {
        self.known.get(&id)
    }

    /// All snapshots, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.known.values()
    }

    /// Who has `name` in `organization`, or is about to.
    #[must_use]
    pub fn holder(&self, organization: OrganizationId, name: &str) -> Option<SnapshotId> {
        self.names.get(&(organization, name.to_owned())).copied()
    }

    /// How many snapshots `organization` has.
    #[must_use]
    pub fn count(&self, organization: OrganizationId) -> usize {
        self.names_of(organization).count()
    }

    /// The sandboxes made of a snapshot.
    pub fn users(&self, id: SnapshotId) -> impl ExactSizeIterator<Item = SandboxId> {
        let empty = OrdSet::new();
        let users = self.users.get(&id).unwrap_or(&empty).clone();
        let users: Vec<_> = users.into_iter().collect();
        users.into_iter()
    }

    /// The snapshots that a host owes something, or that wait for a host.
    pub fn busy(&self) -> impl Iterator<Item = SnapshotId> {
        self.busy.iter().copied()
    }

    fn names_of(&self, organization: OrganizationId) -> impl Iterator<Item = (&String, SnapshotId)> {
        let from = (organization, String::new());
        let all = self.names.range(from..).map(|((owner, name), id)| (owner, name, *id));
        all.take_while(move |(owner, ..)| **owner == organization).map(|(_, name, id)| (name, id))
    }

    pub(super) fn apply(
        &mut self,
        stamp: &Stamp,
        id: SnapshotId,
        event: &SnapshotEvent,
    ) -> Result<(), Illegal> {
        let after = Snapshot::evolve(self.known.get(&id).map(Arc::as_ref), stamp, id, event)?;
        let name = (after.organization, after.content.name.clone());
        match after.state {
            SnapshotState::Removing | SnapshotState::Removed => {
                if self.names.get(&name) == Some(&id) {
                    self.names.remove(&name);
                }
            }
            SnapshotState::Unknown
            | SnapshotState::Pulling
            | SnapshotState::Building
            | SnapshotState::Capturing
            | SnapshotState::Active
            | SnapshotState::Inactive
            | SnapshotState::Error => {
                self.names.insert(name, id);
            }
        }
        if after.work.is_some() {
            self.busy.insert(id);
        } else {
            self.busy.remove(&id);
        }
        if after.state == SnapshotState::Removed {
            self.known.remove(&id);
        } else {
            self.known.insert(id, Arc::new(after));
        }
        Ok(())
    }

    /// `sandbox` is made of its snapshot from here on.
    pub(super) fn use_by(&mut self, sandbox: &Sandbox) {
        if let Some(snapshot) = sandbox.blueprint.made_of() {
            self.users.entry(snapshot).or_default().insert(sandbox.id);
        }
    }

    /// Nothing of `sandbox` will be brought back any more.
    pub(super) fn free_by(&mut self, sandbox: &Sandbox) {
        let Some(snapshot) = sandbox.blueprint.made_of() else { return };
        let Some(users) = self.users.get_mut(&snapshot) else { return };
        users.remove(&sandbox.id);
        if users.is_empty() {
            self.users.remove(&snapshot);
        }
    }

    /// The name of a snapshot that is to be taken is nobody else's.
    pub(super) fn reserve(&mut self, organization: OrganizationId, name: &str, id: SnapshotId) {
        self.names.entry((organization, name.to_owned())).or_insert(id);
    }

    /// A snapshot is not being taken any more: unless it exists, its name is free.
    pub(super) fn release(&mut self, organization: OrganizationId, id: SnapshotId) {
        if self.known.contains_key(&id) {
            return;
        }
        let name = self.names_of(organization).find(|(_, holder)| *holder == id);
        if let Some(name) = name.map(|(name, _)| name.clone()) {
            self.names.remove(&(organization, name));
        }
    }
}
