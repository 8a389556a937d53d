//! The read model of one shard: what its log holds, for queries. It is brought up to date before replies leave, so a
//! client that was answered reads its own writes.

use std::sync::{Arc, PoisonError, RwLock};

use hourglass_events::{HostId, OrganizationId, Sandbox, SandboxId, Snapshot, Target};
use hourglass_kernel::{Entry, Fleet, Host};
use hourglass_projections::{Projection, Roster};

/// What can be asked of a shard without deciding anything.
#[derive(Debug)]
pub struct View {
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    fleet: Fleet,
    roster: Roster,
}

impl View {
    pub(crate) fn new(fleet: Fleet, roster: Roster) -> Self {
        Self { inner: RwLock::new(Inner { fleet, roster }) }
    }

    /// Replace everything, after the log was read again.
    pub(crate) fn replace(&self, fleet: Fleet, roster: Roster) {
        *self.write() = Inner { fleet, roster };
    }

    /// Take in what has become durable, which brings the shard to `fleet`.
    pub(crate) fn publish(&self, entries: &[Arc<Entry>], fleet: Fleet) {
        let mut inner = self.write();
        inner.fleet = fleet;
        let listed = entries.iter().try_for_each(|entry| inner.roster.apply(&entry.record));
        if let Err(error) = listed {
            tracing::error!(%error, "the roster could not follow the log, which is a defect; it is built anew");
            inner.roster = Roster::resume(inner.fleet.seq(), inner.fleet.sandboxes().cloned());
        }
    }

    /// The folded state of the shard as of now. Costs nothing to speak of.
    #[must_use]
    pub fn fleet(&self) -> Fleet {
        self.read().fleet.clone()
    }

    /// The sandbox with this id, unless it is gone.
    #[must_use]
    pub fn sandbox(&self, id: SandboxId) -> Option<Arc<Sandbox>> {
        self.read().fleet.sandbox(id).cloned()
    }

    /// The sandbox that `target` means within `organization`, unless it is gone.
    #[must_use]
    pub fn find(&self, organization: OrganizationId, target: &Target) -> Option<Arc<Sandbox>> {
        self.read().fleet.find(organization, target).cloned()
    }

    /// All snapshots.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Arc<Snapshot>> {
        self.read().fleet.snapshots().cloned().collect()
    }

    /// What is known of a host.
    #[must_use]
    pub fn host(&self, id: HostId) -> Option<Arc<Host>> {
        self.read().fleet.hosts().get(id).cloned()
    }

    /// Ask the roster, which lists and also remembers sandboxes deleted within a day.
    pub fn roster<T>(&self, ask: impl FnOnce(&Roster) -> T) -> T {
        ask(&self.read().roster)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}
